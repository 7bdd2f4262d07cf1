/** Counts over what a rehearsal left: what outlives its limit, and how much is open from which moment on. */
import type { CurvePoint } from "../wire/CurvePoint";
import type { ResidualItem } from "../wire/ResidualItem";

export const isLate = (item: ResidualItem) => item.limit_at !== "never" && (item.closes_at === "never" || Date.parse(item.closes_at) > Date.parse(item.limit_at));

/** A point at the event and at each closing after it. */
export function curveOf(items: ResidualItem[], at: string): CurvePoint[] {
  const start = Date.parse(at);
  const ends = items.map((item) => (item.closes_at === "never" ? Number.POSITIVE_INFINITY : Math.max(0, (Date.parse(item.closes_at) - start) / 1000)));
  const moments = [...new Set([0, ...ends.filter((end) => Number.isFinite(end))])].sort((a, b) => a - b);
  return moments.map((after) => {
    const open = (kind: ResidualItem["kind"]) => items.filter((item, n) => item.kind === kind && (ends[n] ?? 0) > after).length;
    return { after_seconds: after, at: new Date(start + after * 1000).toISOString(), accounts: open("account"), credentials: open("credential"), entitlements: open("entitlement"), locations: open("location") };
  });
}
