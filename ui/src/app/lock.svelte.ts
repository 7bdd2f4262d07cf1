/**
 * The lock: on demand, or after some minutes without a key or a click. The page is loaded anew, so that
 * nothing that was on it stays in the document; the program refuses every question until it is unlocked.
 */
import { call } from "../host";
import { frame } from "./frame.svelte";

let last = Date.now();
let locking = false;

export async function lock(): Promise<void> {
  if (locking) return;
  locking = true;
  // what is shown goes first, whatever the program answers
  document.getElementById("app")?.replaceChildren();
  try {
    await call("store_lock");
  } finally {
    history.replaceState(null, "", location.pathname);
    location.reload();
  }
}

/** Watches for idle time while the store is open; gives back what ends the watch: for `$effect`. */
export function watchIdle(): () => void {
  const awake = () => {
    last = Date.now();
  };
  awake();
  const signs = ["keydown", "pointerdown", "pointermove", "wheel"] as const;
  for (const sign of signs) addEventListener(sign, awake, { capture: true, passive: true });
  const timer = setInterval(() => {
    const minutes = frame.settings.lock_after_minutes;
    if (minutes > 0 && Date.now() - last >= minutes * 60_000) void lock();
  }, 2000);
  return () => {
    clearInterval(timer);
    for (const sign of signs) removeEventListener(sign, awake, { capture: true });
  };
}
