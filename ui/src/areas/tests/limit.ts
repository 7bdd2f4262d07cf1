import type { ResidualItem } from "../../wire/ResidualItem";

/** The limit that most items have, in seconds since the event: the one that is drawn. Lists ask each item's own. */
export function usualLimit(items: ResidualItem[], start: number): number | null {
  const found: Record<string, number> = {};
  for (const item of items) if (item.limit_at !== "never") found[item.limit_at] = (found[item.limit_at] ?? 0) + 1;
  const most = Object.entries(found).sort((a, b) => b[1] - a[1])[0];
  return most ? (Date.parse(most[0]) - start) / 1000 : null;
}
