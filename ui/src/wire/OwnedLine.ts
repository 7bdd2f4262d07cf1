import type { OwnedView } from "./OwnedView";
import type { OwnerSuggestionView } from "./OwnerSuggestionView";
import type { OwnerOf } from "./OwnerOf";
export type OwnedLine = { of: OwnedView, owner: OwnerOf | null, suggested: OwnerSuggestionView | null, };
