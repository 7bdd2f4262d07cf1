import type { OwnedView } from "./OwnedView";
import type { OwnerSuggestionView } from "./OwnerSuggestionView";
import type { OwnerDecisionView } from "./OwnerDecisionView";
import type { OwnerOf } from "./OwnerOf";
export type OwnedDetail = { of: OwnedView, owners: Array<OwnerOf>, suggestions: Array<OwnerSuggestionView>, decisions: Array<OwnerDecisionView>, };
