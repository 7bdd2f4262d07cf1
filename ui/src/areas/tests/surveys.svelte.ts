/**
 * Everyone's rehearsal in short, as it was asked last. It may take long, so that an answer is kept while
 * somebody looks elsewhere, and one is asked for at a time.
 */
import { estate } from "../../app/estate.svelte";
import { go, routes } from "../../app/routes.svelte";
import { say } from "../../app/strings";
import { toast } from "../../app/toasts.svelte";
import { asFailure, call } from "../../host";
import type { FailureView } from "../../wire/FailureView";
import type { Survey } from "../../wire/Survey";

/** Whoever looked elsewhere meanwhile is told. */
function told(): void {
  if (routes.place.area === "tests" && routes.place.parts[0] === "worst") return;
  toast(say.plans.worst.stepsDone, { label: say.plans.worst.show, run: () => go("tests", ["worst"]) });
}

let last: Promise<void> = Promise.resolve();
/** The program leaves off with one rehearsal of everyone when it is asked for another: here each waits for its turn, and says when it is over. */
async function turn(): Promise<() => void> {
  const before = last;
  let over = (): void => undefined;
  last = new Promise((resolve) => (over = resolve));
  await before;
  return over;
}

function place(steps: boolean) {
  let of = $state.raw<string | null | undefined>(undefined);
  let answer = $state.raw<Survey | null>(null);
  let failure = $state.raw<FailureView | null>(null);
  let version = $state(-1);
  let busy = $state(false);
  let stopped = $state(false);
  let current: { text: string | null; version: number } | null = null;
  let halting: Promise<void> | null = null;
  let next: { text: string | null; version: number } | null = null;

  /** By a text, or by the plan that counts. What is asked meanwhile takes the place of what is under way. */
  async function ask(text: string | null): Promise<void> {
    if (!busy && of === text && version === estate.version && answer !== null && !steps) return;
    // while something is read the store changes again and again: the last answer stands until it is over
    if (!steps && of === text && answer !== null && estate.sources?.some((row) => row.state === "reading")) return;
    stopped = false;
    if (current !== null && current.text === text && current.version === estate.version) return;
    next = { text, version: estate.version };
    if (busy) {
      // the same text is asked again only after it: a store that changes on and on must not keep it from ever ending
      if (current !== null && current.text !== text) halt();
      return;
    }
    busy = true;
    while (next !== null) {
      const done = await turn();
      const now: { text: string | null; version: number } | null = next;
      next = null;
      if (now !== null) await take(now);
      done();
    }
    busy = false;
    if (steps && !stopped) told();
  }
  async function take(now: { text: string | null; version: number }): Promise<void> {
    current = now;
    halting = null;
    try {
      const found = await call("survey", { text: now.text, steps });
      [answer, failure, of, version] = [found, null, now.text, now.version];
    } catch (thrown) {
      // what was told to stop is no failure, and what was answered before stands
      if (halting === null) [answer, failure, of, version] = [null, asFailure(thrown), now.text, now.version];
    }
    // a word to stop that comes late would reach the next one
    await halting;
    current = null;
  }
  function halt(): void {
    if (current !== null && halting === null) halting = call("survey_stop").catch(() => undefined);
  }
  /** Leaves off with what is under way or waits; what was answered before stands. */
  function stop(): void {
    if (!busy) return;
    next = null;
    stopped = true;
    halt();
  }
  return {
    ask,
    stop,
    /** Somebody stopped it. */
    get stopped() {
      return stopped;
    },
    /** The text that the answer is by; nothing for the plan that counts. */
    get of() {
      return of;
    },
    get answer() {
      return answer;
    },
    get failure() {
      return failure;
    },
    get busy() {
      return busy;
    },
    /** Something may have been read or decided since. */
    get older() {
      return version !== estate.version;
    },
  };
}

export const surveys = { active: place(false), draft: place(false), steps: place(true) };
