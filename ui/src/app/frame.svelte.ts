/** How the window looks: theme, zoom, how wide it is at that zoom, and the settings behind it. */
import { call } from "../host";
import type { UiSettings } from "../wire/UiSettings";

export const DEFAULTS: UiSettings = { theme: "system", zoom: 100, rendering: "auto", letter_keys: true, lock_after_minutes: 15, rendering_now: "" };
export const ZOOMS = [80, 90, 100, 110, 125, 150, 175, 200];

let settings = $state<UiSettings>(DEFAULTS);
let inner = $state(window.innerWidth);
let rail = $state<"auto" | "narrow" | "wide">("auto");
addEventListener("resize", () => (inner = window.innerWidth));

export const frame = {
  get settings() {
    return settings;
  },
  get zoom() {
    return settings.zoom;
  },
  /** Width in CSS pixels at 100 %. */
  get width() {
    return (inner * 100) / settings.zoom;
  },
  /** List and detail side by side. */
  get beside() {
    return this.width >= 1000;
  },
  get railNarrow() {
    return rail === "auto" ? this.width < 1400 : rail === "narrow";
  },
  toggleRail() {
    rail = this.railNarrow ? "wide" : "narrow";
  },
};

function show(next: UiSettings): void {
  const root = document.documentElement;
  if (next.theme === "system") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", next.theme);
  root.style.fontSize = `${(16 * next.zoom) / 100}px`;
}

export async function loadSettings(): Promise<void> {
  try {
    settings = { ...DEFAULTS, ...(await call("settings_get")) };
  } catch {
    settings = DEFAULTS; // a locked store still shows its door
  }
  show(settings);
}

export async function saveSettings(change: Partial<UiSettings>): Promise<void> {
  settings = { ...settings, ...change };
  show(settings);
  await call("settings_set", { settings: $state.snapshot(settings) });
}

export function zoomBy(step: 1 | -1): void {
  const at = ZOOMS.findIndex((zoom) => zoom >= settings.zoom);
  const next = ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, at + step))];
  if (next !== undefined) void saveSettings({ zoom: next });
}
