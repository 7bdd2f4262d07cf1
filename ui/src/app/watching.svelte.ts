/**
 * The watches, as they stand: asked for often while they are in front, and seldom otherwise, so that one which
 * becomes overdue is told of wherever somebody looks.
 */
import { asFailure, call } from "../host";
import type { FailureView } from "../wire/FailureView";
import type { WatchView } from "../wire/WatchView";
import { go } from "./routes.svelte";
import { say } from "./strings";
import { toast } from "./toasts.svelte";

let list = $state.raw<WatchView[] | null>(null);
let failure = $state.raw<FailureView | null>(null);
let at = $state(Date.now());
/** Answers come in the order in which they were asked for, or not at all. */
let asked = 0;
let shown = 0;

export const watching = {
  get list() {
    return list;
  },
  get failure() {
    return failure;
  },
  /** When the list was asked for last: what is due is told from here. */
  get at() {
    return at;
  },
};

function take(next: WatchView[]): void {
  const before = new Map((list ?? []).map((one) => [one.id, one.state]));
  for (const one of next) {
    // what was overdue when the window opened is on the screen, and no news
    if (one.state === "overdue" && before.has(one.id) && before.get(one.id) !== "overdue")
      toast(say.leavers.watch.overdue(one.name ?? one.identity, one.open, one.things), { label: say.leavers.watch.show, run: () => go("leavers", ["watch"], { watch: String(one.id) }) });
  }
  list = next;
}

export async function askWatches(): Promise<void> {
  const mine = ++asked;
  try {
    const next = await call("watches");
    if (mine < shown) return;
    shown = mine;
    take(next);
    failure = null;
  } catch (thrown) {
    if (mine >= shown) failure = asFailure(thrown);
  }
  at = Date.now();
}

/** Puts one answer into the list, as after a read of one's own. */
export function put(one: WatchView): void {
  shown = ++asked;
  const rest = (list ?? []).filter((other) => other.id !== one.id);
  take(list?.some((other) => other.id === one.id) ? list.map((other) => (other.id === one.id ? one : other)) : [one, ...rest]);
}

/** Asks now and then again and again, each time once the last answer is there; not while nobody can see it. */
export function follow(every: number): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = async () => {
    if (document.visibilityState === "visible" || list === null) await askWatches();
    if (!over) timer = setTimeout(() => void next(), every);
  };
  void next();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
