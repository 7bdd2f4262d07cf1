import { describe, expect, it } from "vitest";
import { axis, endsOf, inView, joined, marksOf, placeIn, reachOf, scaleFor, type Mark } from "../src/surfaces/lanes";
import type { LeaverTimeline } from "../src/wire/LeaverTimeline";
import type { Measured } from "../src/wire/Measured";

const HOUR = 3_600_000;
const T = "2026-11-18T17:00:00Z";
const after = (hours: number) => new Date(Date.parse(T) + hours * HOUR).toISOString();
const item = (limit: number, closed: number | null, open: number | null = 0): Measured => ({
  kind: "account", system: "corp-ad", id: "ann", name: null, on_account: null, on_account_name: null, privileged: null, verdict: "pass", state: "closed in time", last_open: open === null ? null : after(open), closed: closed === null ? null : after(closed), closed_by: "gone", lower_seconds: 0, upper_seconds: null, limit_seconds: limit * 3600,
  limit_source: "plan", reopened: null, unread: null, decides: null, why: "", claimed: "done", claims: [0], gap: null, probed: null,
});
const leaver = (items: Measured[], earliest: string | null = T): LeaverTimeline => ({
  identity: "hr:1", name: null, event: "leaver", earliest, latest: T, came_back: null, marks: [], verdict: "pass", plan_name: null, now: after(2000), items, lanes: items.map(() => ({ seen: [], tries: [] })), closed_before: 0, missing_facts: [],
  claims: [{ source: "itsm", id: "T1", system: "corp-ad", account: "ann", action: null, status: "done", retries: 2, requested_at: after(-1), approved_by: null, closed_at: "2026-11-19", closed_by: "flow", override: null, ticket: null }],
});

describe("the scale of a timeline", () => {
  it("shows the limit and the closing, and not more than that", () => {
    expect(scaleFor(leaver([item(24, 2)]))).toBe("hours");
    expect(scaleFor(leaver([item(24, 2), item(24, 100)]))).toBe("days");
    expect(scaleFor(leaver([item(24 * 30, 2)]))).toBe("weeks");
    expect(scaleFor(leaver([item(24, 24 * 200)]))).toBe("all");
  });
  it("is not drawn out by what is still open", () => expect(scaleFor(leaver([item(24, null, 5000)]))).toBe("hours"));
  it("shows everything where all is asked for", () => {
    const reach = reachOf(leaver([item(24, 2)]), "all");
    expect(reach.until).toBeGreaterThan(Date.parse(after(2000)));
    expect(reach.from).toBeLessThan(Date.parse(after(-1)));
  });
  it("moves by halves of itself", () => {
    const [here, later] = [reachOf(leaver([item(24, 2)]), "hours"), reachOf(leaver([item(24, 2)]), "hours", 2)];
    expect(later.from - here.from).toBe(here.until - here.from);
  });
  it("takes an event that nobody dates by its latest moment", () => expect(reachOf(leaver([item(24, 2)], null), "hours").from).toBe(Date.parse(after(-6))));
});

describe("the marks of a thing", () => {
  const marks = (one: Measured, lanes = { seen: [{ from: after(-40), until: after(0), says: "open", reads: 8 }], tries: [{ probe: "p", from: after(3), until: after(3), answer: "rejected", raw: "49", why: null, counts: false }] }) => marksOf(one, lanes, leaver([one]).claims);
  it("stand in the order of the lanes, each in the order of time", () => expect(marks(item(24, 2)).map((mark) => `${mark.lane} ${mark.what}`)).toEqual(["claimed asked", "claimed done", "observed open", "observed between", "probed rejected"]));
  it("draw the time in which it closed as an interval", () => {
    const between = marks(item(24, 2)).find((mark) => mark.what === "between");
    expect([between?.from, between?.until]).toEqual([Date.parse(after(0)), Date.parse(after(2))]);
    expect(marks(item(24, null)).some((mark) => mark.what === "between")).toBe(false);
  });
  it("say of a refusal without a positive control that it does not count", () => expect(marks(item(24, 2)).find((mark) => mark.lane === "probed")?.counts).toBe(false));
  it("draw a bare date as its whole day", () => {
    const day = endsOf("2026-11-19");
    expect((day?.until ?? 0) - (day?.from ?? 0)).toBe(24 * HOUR);
    expect(endsOf("soon")).toBeNull();
    expect(endsOf(T)).toEqual({ from: Date.parse(T), until: Date.parse(T) });
  });
  it("tell on which side something lies that is not shown", () => {
    const view = inView(marks(item(24, 2)), { from: Date.parse(after(1)), until: Date.parse(after(2)) });
    expect(view.earlier).toEqual(["claimed", "observed"]);
    expect(view.later).toContain("probed");
    expect(view.shown.map((mark) => mark.what)).toContain("between");
  });
  it("are drawn as one where there are too many, and lose none", () => {
    const many = Array.from({ length: 5000 }, (_, n): Mark => ({ lane: "observed", what: n % 1000 === 0 ? "unread" : "open", from: n * HOUR, until: n * HOUR, many: 1, note: null, counts: true }));
    const few = joined(many, { from: 0, until: 5000 * HOUR });
    expect(few.length).toBeLessThan(220);
    expect(few.reduce((sum, mark) => sum + mark.many, 0)).toBe(5000);
  });
});

describe("the axis", () => {
  const reach = { from: Date.parse(after(-6)), until: Date.parse(after(48)) };
  it("has about as many ticks as there is room for", () => {
    for (const wanted of [2, 5, 9]) expect(axis(reach, wanted).length).toBeLessThanOrEqual(wanted + 1);
  });
  it("holds centuries too, where a source says never", () => expect(axis({ from: 0, until: Date.UTC(9999, 11, 31) }, 6).length).toBeLessThanOrEqual(7));
  it("begins each day at midnight", () => expect(axis(reach, 9).filter((tick) => tick.unit === "day").every((tick) => new Date(tick.at).getHours() === 0)).toBe(true));
  it("stays within what is shown", () => expect(axis(reach, 9).every((tick) => placeIn(reach, tick.at) >= 0 && placeIn(reach, tick.at) <= 100)).toBe(true));
});
