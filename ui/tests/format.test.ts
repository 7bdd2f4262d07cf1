import { describe, expect, it } from "vitest";
import { apart, bytes, count, day, moment, shortMoment, span, took } from "../src/app/format";

describe("formats", () => {
  it.each([[2, "2 s"], [2.04, "2.0 s"], [540, "9 min"], [900, "15 min"], [3600, "1 h"], [86_400, "24 h"], [7 * 86_400, "7 d"], [5 * 86_400 + 7200, "5 d 2 h"], [8 * 3600 + 900, "8 h 15 min"]])("%d seconds", (seconds, text) => expect(span(seconds)).toBe(text));
  it("groups thousands", () => expect(count(48213)).toBe("48,213"));
  it("does not move a bare date by a zone", () => expect(day("2026-11-18")).toBe("18 Nov 2026"));
  it("says what is missing", () => {
    expect(moment(null)).toBe("not known");
    expect(day(undefined)).toBe("not known");
  });
  it("leaves the year out within twelve months only", () => {
    const now = Date.UTC(2026, 10, 20);
    expect(shortMoment("2026-11-18T12:00:00Z", now)).not.toContain("2026");
    expect(shortMoment("2024-11-18T12:00:00Z", now)).toContain("2024");
  });
  it("tells two moments apart that fall into one minute, or into one second", () => {
    const tell = (from: string | null, to: string | null) => apart(from, to, moment);
    const [a, b] = tell("2026-11-18T12:00:01Z", "2026-11-18T12:00:41Z");
    expect(a).toMatch(/00:01$/);
    expect(b).toMatch(/00:41$/);
    expect(tell("2026-11-18T12:00:01.250Z", "2026-11-18T12:00:01.750Z").map((text) => text.slice(-4))).toEqual([".250", ".750"]);
    expect(tell("2026-11-18T12:00:01Z", "2026-11-18T12:01:01Z")).toEqual([moment("2026-11-18T12:00:01Z"), moment("2026-11-18T12:01:01Z")]);
    expect(tell("2026-11-18", "2026-11-18")).toEqual(["18 Nov 2026", "18 Nov 2026"]);
    expect(tell(null, "2026-11-18T12:00:01Z")[0]).toBe("not known");
  });
  it("measures", () => {
    expect(bytes(18_422_310)).toBe("18 MB");
    expect(took(11)).toBe("11 ms");
  });
});
