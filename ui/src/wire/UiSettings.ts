/**
 * The choices. A value nobody knows counts as the default.
 */
export type UiSettings = { theme: string, zoom: number, letter_keys: boolean, rendering: string, rendering_now: string, };
