/** Reads that lower a claim, told source by source: which kinds, why, and where to look. */
import { moment, span } from "../../app/format";
import { say } from "../../app/strings";
import type { WeakReadView } from "../../wire/WeakReadView";

export interface Weak {
  source: string;
  sync: number | null;
  kinds: string[];
  why: string;
  completeAt: string | null;
}

const words = say.sources;

function why(read: WeakReadView, at: number): string {
  const more = (first: string) => words.weakWhy.more(first, read.gaps.length - 1);
  const first = read.gaps[0];
  if (read.kind === null) return words.weakWhy.neverRead;
  if (read.state === "stale") return words.weakWhy.stale(read.complete_at ? span(Math.max(0, (at - Date.parse(read.complete_at)) / 1000)) : say.notKnown);
  return first === undefined ? words.weakWhy.never : more(first);
}

/** One line for each source and reason, in the order of the program. `at` is the moment of the claim. */
export function bySource(reads: WeakReadView[], at: number): Weak[] {
  const lines: Weak[] = [];
  for (const read of reads) {
    const reason = why(read, at);
    const kind = read.kind === null ? [] : [words.manyOf[read.kind] ?? read.kind];
    const same = lines.find((line) => line.source === read.source && line.why === reason);
    if (same) same.kinds.push(...kind);
    else lines.push({ source: read.source, sync: read.sync, kinds: kind, why: reason, completeAt: read.complete_at });
  }
  return lines;
}

export const lastComplete = (line: Weak) => (line.completeAt ? moment(line.completeAt) : words.never);
