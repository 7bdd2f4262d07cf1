/** What is typed into the source wizard, kept while the program runs; a secret is never kept. */
import { recall, remember } from "../../app/routes.svelte";
import type { NewSource } from "../../wire/NewSource";
import type { SettingView } from "../../wire/SettingView";
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

/** Whether a setting has a meaning beside the others; without a word, their defaults count. */
export function matters(setting: SettingView, all: SettingView[], values: Record<string, string>): boolean {
  const value = (key: string) => values[key] || (all.find((one) => one.key === key)?.default ?? "");
  return setting.only_with.length === 0 || setting.only_with.some((other) => value(other.key) === other.value);
}

/** The draft as the program takes it: empty fields are not given, nor those that another choice has hidden. */
export function given(draft: Draft, kind: SourceKindView | null, secret: string | null): NewSource {
  const values = draft.settings[draft.kind] ?? {};
  const all = kind?.settings ?? [];
  const hidden = all.filter((setting) => !matters(setting, all, values)).map((setting) => setting.key);
  const settings = Object.fromEntries(Object.entries(values).filter(([key, value]) => value.trim() !== "" && !hidden.includes(key)));
  return { kind: draft.kind, name: draft.name.trim(), settings, secret };
}
