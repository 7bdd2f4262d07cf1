export type OwnerPick = { object: string, owner: string, role: string, };
