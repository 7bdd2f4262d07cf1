export type OwnerDecisionView = { batch: number, at: string, who: string, what: string, object: string, owner: string, role: string, why: string, basis: string, undone: boolean, };
