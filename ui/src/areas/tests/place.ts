/** Where in a text something cannot be read, from 1; columns count characters. */
export interface Place {
  line: number;
  column: number;
}

/** The place that a refusal names, and what it says without it. */
export function placed(message: string): { place: Place | null; message: string } {
  const hit = /^line (\d+), column (\d+): ([\s\S]*)$/.exec(message);
  return hit ? { place: { line: Number(hit[1]), column: Number(hit[2]) }, message: hit[3] ?? "" } : { place: null, message };
}
