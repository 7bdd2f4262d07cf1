/**
 * Everyone's rehearsal in short, as it was asked last. It may take long, so that an answer is kept while
 * somebody looks elsewhere, and never two are asked for at once of the same.
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

function place(steps: boolean) {
  let of = $state.raw<string | null | undefined>(undefined);
  let answer = $state.raw<Survey | null>(null);
  let failure = $state.raw<FailureView | null>(null);
  let version = $state(-1);
  let busy = $state(false);
  let next: { text: string | null; version: number } | null = null;

  /** By a text, or by the plan that counts. What is asked meanwhile comes after it. */
  async function ask(text: string | null): Promise<void> {
    if (!busy && of === text && version === estate.version && answer !== null && !steps) return;
    // while something is read the store changes again and again: the last answer stands until it is over
    if (!steps && of === text && answer !== null && estate.sources?.some((row) => row.state === "reading")) return;
    next = { text, version: estate.version };
    if (busy) return;
    busy = true;
    while (next !== null) {
      const now: { text: string | null; version: number } = next;
      next = null;
      try {
        answer = await call("survey", { text: now.text, steps });
        failure = null;
      } catch (thrown) {
        answer = null;
        failure = asFailure(thrown);
      }
      of = now.text;
      version = now.version;
    }
    busy = false;
    if (steps) told();
  }
  return {
    ask,
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
