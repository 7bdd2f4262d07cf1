export type StandingCount = { standing: string, count: number, };
