/**
 * What past leavers kept, as it was measured last, and of which period. It may take long, so that an answer
 * is kept while somebody looks elsewhere, and one is asked for at a time.
 */
import { estate } from "../../app/estate.svelte";
import { go, routes } from "../../app/routes.svelte";
import { say } from "../../app/strings";
import { toast } from "../../app/toasts.svelte";
import { asFailure, call } from "../../host";
import type { FailureView } from "../../wire/FailureView";
import type { LeaversReport } from "../../wire/LeaversReport";
import { EVERYTHING, type Past, type Period } from "./periods";

interface Wanted {
  period: Past;
  fresh: boolean;
  version: number;
}
const same = (a: Past, b: Past) => a.since === b.since && a.until === b.until && a.movers === b.movers;

let period = $state.raw<Past>({ ...EVERYTHING, movers: false });
let report = $state.raw<LeaversReport | null>(null);
let of = $state.raw<Past | null>(null);
let version = $state(-1);
let failure = $state.raw<FailureView | null>(null);
let busy = $state(false);
let stopped = $state(false);
/** Counts up with every answer: what lists its rows asks again. */
let edition = $state(0);
let current: Wanted | null = null;
let next: Wanted | null = null;
let halting: Promise<void> | null = null;
let since = 0;

/** Measures the period that is chosen, unless that was done. What is asked meanwhile takes the place of what is under way. */
async function ask(fresh = false): Promise<void> {
  const wanted: Wanted = { period, fresh, version: estate.version };
  if (!fresh && !busy && failure === null && of !== null && same(of, period) && version === estate.version) return;
  // while something is read the store changes again and again: the last answer stands until it is over
  if (!fresh && of !== null && same(of, period) && failure === null && estate.sources?.some((row) => row.state === "reading")) return;
  stopped = false;
  if (current !== null && same(current.period, wanted.period) && (current.version === wanted.version || !fresh)) {
    next = current.version === wanted.version ? null : wanted;
    return;
  }
  next = wanted;
  if (busy) {
    halt();
    return;
  }
  busy = true;
  since = Date.now();
  while (next !== null) {
    const now: Wanted = next;
    next = null;
    await take(now);
  }
  busy = false;
  // whoever looked elsewhere meanwhile is told, where it took long
  if (!stopped && failure === null && routes.place.area !== "leavers" && Date.now() - since > 5000) toast(say.leavers.done, { label: say.leavers.show, run: () => go("leavers") });
}
async function take(now: Wanted): Promise<void> {
  current = now;
  halting = null;
  try {
    const found = await call("leavers", { ...now.period, fresh: now.fresh });
    [report, of, version, failure] = [found, now.period, now.version, null];
    edition += 1;
  } catch (thrown) {
    // what was told to stop is no failure, and what was answered before stands
    if (halting === null) [report, of, version, failure] = [null, null, now.version, asFailure(thrown)];
  }
  // a word to stop that comes late would reach the next one
  await halting;
  current = null;
}
function halt(): void {
  if (current !== null && halting === null) halting = call("leavers_stop").catch(() => undefined);
}

export const measured = {
  ask,
  /** Leaves off with what is under way; what was answered before stands. */
  stop(): void {
    if (!busy) return;
    next = null;
    stopped = true;
    halt();
  },
  choose(wanted: Period): void {
    const next = { ...wanted, movers: period.movers };
    if (!same(next, period)) period = next;
  },
  /** Whoever moved in place of whoever left, or the other way round. */
  turn(movers: boolean): void {
    if (movers !== period.movers) period = { ...period, movers };
  },
  get period() {
    return period;
  },
  /** Of the period that is chosen; nothing until that was measured. */
  get report() {
    return of !== null && same(of, period) ? report : null;
  },
  get failure() {
    return failure;
  },
  get busy() {
    return busy;
  },
  get stopped() {
    return stopped;
  },
  get edition() {
    return edition;
  },
  /** Something may have been read or decided since. */
  get older() {
    return version !== estate.version;
  },
};

/** Today, or the day of the practice estate. */
export const today = () => (estate.status?.practice_date ? Date.parse(estate.status.practice_date) : Date.now());
