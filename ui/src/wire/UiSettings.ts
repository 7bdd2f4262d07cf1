/** What the window remembers. `theme`: `system`, `light`, `dark`, `contrast`, `contrast-light`;
 * `rendering`: `auto`, `gpu`, `cpu`; `zoom` in per cent. */
export type UiSettings = { theme: string, zoom: number, rendering: string, single_keys: boolean, };
