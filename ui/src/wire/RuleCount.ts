export type RuleCount = { rules: string, count: number, };
