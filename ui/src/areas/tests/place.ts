import type { Spot } from "../../parts/Editor.svelte";

/** Why a text cannot be read: where, if that is told, and what the program says without the place. */
export interface Mistake {
  place: Spot | null;
  message: string;
  hint: string | null;
}

/** The place that a refusal names, taken out of its message. */
export function placed(failure: { message: string; hint: string | null }): Mistake {
  const hit = /^line (\d+), column (\d+): ([\s\S]*)$/.exec(failure.message);
  return hit ? { place: { line: Number(hit[1]), column: Number(hit[2]) }, message: hit[3] ?? "", hint: failure.hint } : { place: null, message: failure.message, hint: failure.hint };
}
