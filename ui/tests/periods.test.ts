import { describe, expect, it } from "vitest";
import { command, isDay, periodOf, presetOf } from "../src/areas/leavers/periods";
import { month, percent } from "../src/app/format";

const now = new Date(2026, 10, 22, 12).getTime();

describe("periods", () => {
  it.each([
    ["month", "2026-11-01", "2026-11-30"], ["lastMonth", "2026-10-01", "2026-10-31"], ["quarter", "2026-10-01", "2026-12-31"], ["year", "2026-01-01", "2026-12-31"], ["all", null, null],
  ] as const)("%s", (preset, since, until) => {
    expect(periodOf(preset, now)).toEqual({ since, until });
    expect(presetOf({ since, until }, now)).toBe(preset);
  });
  it("goes back over the turn of the year", () => expect(periodOf("lastMonth", new Date(2026, 0, 3).getTime())).toEqual({ since: "2025-12-01", until: "2025-12-31" }));
  it("has no name for dates of one's own", () => expect(presetOf({ since: "2026-11-02", until: null }, now)).toBeNull());
  it("knows which days there are", () => {
    for (const day of ["2026-11-30", "2024-02-29"]) expect(isDay(day)).toBe(true);
    for (const day of ["2026-11-31", "2026-02-29", "30.11.2026", ""]) expect(isDay(day)).toBe(false);
  });
  it("is written as the command line takes it", () => {
    expect(command({ since: null, until: null, movers: false })).toBe("lastkey leavers --csv");
    expect(command({ since: "2026-11-01", until: "2026-11-30", movers: true })).toBe("lastkey leavers --csv --movers --since 2026-11-01 --until 2026-11-30");
  });
});

describe("shares", () => {
  it.each([[0, "0 %"], [0.004, "0.4 %"], [0.5, "50 %"], [0.999, "99.9 %"], [0.99999, "99.9 %"], [1, "100 %"]])("%d is %s", (part, text) => expect(percent(part)).toBe(text));
  it("names months", () => expect(month("2026-11")).toBe("Nov 2026"));
});
