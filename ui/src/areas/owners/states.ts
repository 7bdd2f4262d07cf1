/** How what needs an owner stands, as a sign: who left is told apart by shape and word, not by colour alone. */
import type { SignName } from "../../parts/Sign.svelte";

export const signs: Record<string, SignName> = { owner_left: "fail", no_owner: "void", owner_unknown: "indeterminate", owner_away: "late", owned: "pass" };
export const tones: Record<string, string> = { owner_left: "fail b6", no_owner: "t1 b6", owner_unknown: "unsure", owner_away: "fail", owned: "" };
/** Words of the engine for an owner who is not there any more. */
export const isGone = (state: string) => state === "left" || state === "ended" || state === "absent";
