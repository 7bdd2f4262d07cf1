/** How a measured thing is signed, and how it is named. */
import type { SignName } from "../../parts/Sign.svelte";
import type { LeaverTimeline } from "../../wire/LeaverTimeline";
import type { Measured } from "../../wire/Measured";

export const STATES = ["still open", "closed late", "indeterminate", "closed in time"] as const;
export const signs: Record<string, SignName> = { "still open": "fail", "closed late": "late", indeterminate: "indeterminate", "closed in time": "pass" };
export const tones: Record<string, string> = { "still open": "fail", "closed late": "fail", indeterminate: "unsure", "closed in time": "pass" };

export const nameOf = (item: Pick<Measured, "system" | "id">) => `${item.system}:${item.id}`;
/** As people call it. */
export const calledOf = (item: Pick<Measured, "system" | "id" | "name">) => item.name ?? nameOf(item);
/** A thing is the same on the same account only. */
export const keyOf = (item: Measured) => JSON.stringify([item.kind, item.system, item.id, item.on_account]);
/** Of several leavings of one identity. */
export const leavingOf = (one: Pick<LeaverTimeline, "event" | "latest">) => `${one.event}@${one.latest}`;
export const how = (items: Measured[], state: string) => items.filter((item) => item.state === state).length;
