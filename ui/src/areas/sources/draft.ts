/** What is typed into the source wizard, kept while the program runs; a secret is never kept. */
import { recall, remember } from "../../app/routes.svelte";
import type { NewSource } from "../../wire/NewSource";
import type { SourceKindView } from "../../wire/SourceKindView";

export interface Draft {
  kind: string;
  name: string;
  /** By kind, so that another choice loses nothing. */
  settings: Record<string, Record<string, string>>;
}

export const emptyDraft = (): Draft => ({ kind: "", name: "", settings: {} });
const KEY = "sources.draft";
export const keptDraft = () => recall<Draft | null>(KEY, null);
export const keepDraft = (draft: Draft | null) => remember(KEY, draft);

/** What stands in the fields of a kind at first. */
export const defaults = (kind: SourceKindView): Record<string, string> =>
  Object.fromEntries(kind.settings.filter((setting) => setting.part === "system").map((setting) => [setting.key, setting.default]));

/** The draft as the program takes it: empty fields are not given. */
export function given(draft: Draft, secret: string | null): NewSource {
  const settings = Object.fromEntries(Object.entries(draft.settings[draft.kind] ?? {}).filter(([, value]) => value.trim() !== ""));
  return { kind: draft.kind, name: draft.name.trim(), settings, secret };
}
