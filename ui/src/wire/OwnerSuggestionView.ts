import type { FactBehind } from "./FactBehind";
export type OwnerSuggestionView = { object: string, object_type: string, system: string | null, object_id: string, name: string | null, standing: string, role: string, confidence: string, owner_id: string | null, owner_name: string | null, owner_state: string | null, candidates: Array<string>, basis: string, facts: Array<FactBehind>, };
