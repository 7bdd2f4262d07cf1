/** Values of facts as a person reads them; nothing where a column has none. */
import { told } from "../../app/format";
import { say } from "../../app/strings";
import { visible, visibleName } from "../../surfaces/visible";
import type { EventRow } from "../../wire/EventRow";

export function valueText(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value === "string") return told(value);
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  return JSON.stringify(value);
}

/** Columns that hold words of people: a joiner stays where its writing needs it. */
const WORDS = new Set(["display_name", "name", "title", "department", "location", "reason", "purpose"]);

/** A value as it is shown: what could hide in it stands as its code. */
export function shownValue(column: string, value: unknown): string | null {
  const text = valueText(value);
  return text === null ? null : WORDS.has(column) ? visibleName(text) : visible(text);
}

/** Under which id the history of an object is asked for. */
export const historyId = (kind: string, source: string, id: string) => (kind === "identity" || kind === "task" ? `${source}:${id}` : id);

/** What a lifecycle event changed, in words. */
export function eventChange(event: EventRow): string {
  if (event.owner) return say.identities.ownerChange(event.owner.role, event.owner.before.map(visible), event.owner.after.map(visible));
  return event.changed.map((name) => say.past.eventColumns[name] ?? name.replaceAll("_", " ")).join(", ") || say.dash;
}
