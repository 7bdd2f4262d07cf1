/**
 * What is known of the chosen row of a list: asked about anew when the row or the store changes.
 * A hand on the arrow key passes many rows; only the one it stops at is asked about.
 */
import { asFailure } from "../host";
import type { FailureView } from "../wire/FailureView";
import { estate } from "./estate.svelte";

export interface Asked<T> {
  /** Of the row that was chosen last, once it is there; else of the one before. */
  readonly answer: T | null;
  readonly failure: FailureView | null;
}

export function asked<T>(key: () => string | null, ask: (key: string) => Promise<T>): Asked<T> {
  let answer = $state.raw<T | null>(null);
  let failure = $state.raw<FailureView | null>(null);
  $effect(() => {
    void estate.version;
    const of = key();
    if (of === null) {
      answer = failure = null;
      return;
    }
    let over = false;
    const timer = setTimeout(() => {
      ask(of)
        .then((said) => {
          if (over) return;
          answer = said;
          failure = null;
        })
        .catch((thrown) => {
          if (over) return;
          answer = null;
          failure = asFailure(thrown);
        });
    }, 80);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  });
  return {
    get answer() {
      return answer;
    },
    get failure() {
      return failure;
    },
  };
}
