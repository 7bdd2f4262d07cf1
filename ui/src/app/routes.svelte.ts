/**
 * Where the window is: areas with their parts in the address after `#`, Back and Forward, and what each
 * place remembers (selection, scroll, search) until the window closes.
 */
export type Area = "overview" | "sources" | "identities" | "accounts" | "credentials" | "owners" | "changes" | "tests" | "leavers" | "evidence" | "settings";
export const AREAS: Area[] = ["overview", "sources", "identities", "accounts", "credentials", "owners", "changes", "tests", "leavers", "evidence", "settings"];

export interface Place {
  area: Area;
  /** What follows the area: an id, or `leaver` and an id. */
  parts: string[];
  ask: Record<string, string>;
}

export function parsePlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [area, ...parts] = path.split("/").filter((part) => part !== "").map(decodeURIComponent);
  const known = AREAS.find((name) => name === area) ?? "overview";
  return { area: known, parts: known === area ? parts : [], ask: Object.fromEntries(new URLSearchParams(query)) };
}

export function formatPlace(area: Area, parts: string[] = [], ask: Record<string, string> = {}): string {
  const query = new URLSearchParams(ask).toString();
  return `#/${[area, ...parts].map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

const first = { index: 0 };
let index = $state(0);
let last = $state(0);
let place = $state<Place>(parsePlace(location.hash));
history.replaceState(first, "", location.hash || "#/overview");

addEventListener("popstate", (event) => {
  const state = event.state as { index?: number } | null;
  index = state?.index ?? index;
  place = parsePlace(location.hash);
});

export const routes = {
  get place() {
    return place;
  },
  get canBack() {
    return index > 0;
  },
  get canForward() {
    return index < last;
  },
  get address() {
    return formatPlace(place.area, place.parts, place.ask);
  },
};

export function go(area: Area, parts: string[] = [], ask: Record<string, string> = {}): void {
  const to = formatPlace(area, parts, ask);
  if (to === location.hash) return;
  index += 1;
  last = index;
  history.pushState({ index }, "", to);
  place = parsePlace(to);
}
/** The same place under another address: what was asked for once is not asked for again by Back. */
export function settle(area: Area, parts: string[] = [], ask: Record<string, string> = {}): void {
  const to = formatPlace(area, parts, ask);
  history.replaceState({ index }, "", to);
  place = parsePlace(to);
}
export const back = () => history.back();
export const forward = () => history.forward();

const memories = new Map<string, unknown>();
/** What a place remembered, or what it starts with. */
export function recall<T>(key: string, start: T): T {
  return (memories.get(key) as T | undefined) ?? start;
}
export function remember(key: string, value: unknown): void {
  memories.set(key, value);
}
