import type { RuleCount } from "./RuleCount";
export type OwnersSummary = { batch: number | null, confirmed: number, rejected: number, by_rule: Array<RuleCount>, examples: Array<string>, };
