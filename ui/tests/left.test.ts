import { describe, expect, it } from "vitest";
import { curveOf, isLate } from "../src/surfaces/left";
import type { ResidualItem } from "../src/wire/ResidualItem";

const item = (kind: ResidualItem["kind"], closes_at: string, limit_at = "2026-06-02T00:00:00Z") => ({ kind, closes_at, limit_at }) as ResidualItem;

describe("what is left", () => {
  it("is late where it never closes or closes after its limit, and has one", () => {
    expect(isLate(item("account", "never"))).toBe(true);
    expect(isLate(item("account", "2026-06-03T00:00:00Z"))).toBe(true);
    expect(isLate(item("account", "2026-06-02T00:00:00Z"))).toBe(false);
    expect(isLate(item("account", "never", "never"))).toBe(false);
  });
  it("is counted at the event and at each closing; what closed before it is not open", () => {
    const items = [item("account", "never"), item("account", "2026-06-01T01:00:00Z"), item("credential", "2026-05-31T00:00:00Z"), item("location", "2026-06-01T01:00:00Z")];
    expect(curveOf(items, "2026-06-01T00:00:00Z").map((point) => [point.after_seconds, point.accounts, point.credentials, point.locations])).toEqual([[0, 2, 0, 1], [3600, 1, 0, 0]]);
  });
  it("is nothing where nothing is left", () => expect(curveOf([], "2026-06-01T00:00:00Z")).toHaveLength(1));
});
