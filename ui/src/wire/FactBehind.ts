export type FactBehind = { rule: string, says: string, fact: string, };
