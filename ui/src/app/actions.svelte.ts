/**
 * Everything a person can do, once: name, label, key, run. Menus, the palette, the key sheet and the keys
 * themselves read this list. The screen in front adds its own while it is there.
 */
import { untrack } from "svelte";
import { frame } from "./frame.svelte";

export interface Action {
  name: string;
  label: string;
  /** `mod+k`, `a`, `g s`, `Escape`; none where there is no key. */
  key?: string;
  /** Shown among the keys at the foot. */
  foot?: string;
  /** Left out of the palette. */
  quiet?: boolean;
  enabled?: () => boolean;
  run: () => void;
}

let lists = $state<{ id: number; actions: Action[] }[]>([]);
let next = 1;
let pending = "";
let pendingSince = 0;

export const actions = {
  /** The latest screen's first. */
  get all(): Action[] {
    return lists.toReversed().flatMap((list) => list.actions);
  },
};

/** Adds actions and gives back what takes them away again: for `$effect`. Those of the frame stand behind every screen's. */
export function offer(list: Action[], of: "screen" | "frame" = "screen"): () => void {
  const id = next++;
  // an effect that offers must not depend on what the others offer
  untrack(() => (lists = of === "frame" ? [{ id, actions: list }, ...lists] : [...lists, { id, actions: list }]));
  return () => {
    lists = lists.filter((one) => one.id !== id);
  };
}

export function run(name: string): void {
  const action = actions.all.find((one) => one.name === name);
  if (action && (action.enabled?.() ?? true)) action.run();
}

const inField = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
const inDialog = () => document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]') !== null;

/** The key of an event as actions write it. */
function spell(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? "mod+" : "";
  const alt = event.altKey ? "alt+" : "";
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return mod + alt + key;
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const key = spell(event);
  const single = key.length === 1;
  if (single && (inField(event.target) || !frame.settings.letter_keys)) return;
  if (inDialog() && key !== "mod+k") return;
  if (key === "Escape" && inField(event.target)) return;
  const now = event.timeStamp;
  const chord = pending !== "" && now - pendingSince < 1500 ? `${pending} ${key}` : null;
  pending = "";
  const usable = actions.all.filter((action) => action.enabled?.() ?? true);
  const hit = (chord && usable.find((action) => action.key === chord)) || usable.find((action) => action.key === key);
  if (hit) {
    event.preventDefault();
    hit.run();
  } else if (single && usable.some((action) => action.key?.startsWith(`${key} `))) {
    pending = key;
    pendingSince = now;
    event.preventDefault();
  }
}

const mac = navigator.userAgent.includes("Mac");
/** A key as caps to draw: `mod+k` is Ctrl and K, or ⌘ and K. */
export function caps(key: string): string[] {
  // the plus key itself stands at the end: `mod++`
  return key.split(/[ +](?=.)/).map((part) => (part === "mod" ? (mac ? "⌘" : "Ctrl") : part === "Escape" ? "Esc" : part === "alt" ? "Alt" : part === "ArrowLeft" ? "←" : part === "ArrowRight" ? "→" : part === "ArrowUp" ? "↑" : part === "ArrowDown" ? "↓" : key.startsWith("mod") ? part.toUpperCase() : part));
}
