import { describe, expect, it } from "vitest";
import { beside } from "../src/areas/tests/both";
import { isOpen, lines, notInTime, worstOf } from "../src/areas/tests/cells";
import { placed } from "../src/areas/tests/place";
import { draw } from "../src/surfaces/curve";
import type { Cell } from "../src/wire/Cell";

describe("where a plan cannot be read", () => {
  it("takes the place from the refusal", () => expect(placed({ message: "line 12, column 3: `x` is no step", hint: "one of" })).toEqual({ place: { line: 12, column: 3 }, message: "`x` is no step", hint: "one of" }));
  it("leaves other refusals as they are", () => expect(placed({ message: "no identity `a`", hint: null })).toEqual({ place: null, message: "no identity `a`", hint: null }));
});

describe("what a plan covers", () => {
  const cell = (system: string, never: number, late: number, unknown: number, in_time: number, event = "leaver"): Cell => ({ event, system, thing: "sign_in", never, late, unknown, in_time });
  it("puts what never closes before what is late, and that before what is not known", () =>
    expect(lines([cell("good", 0, 0, 0, 90), cell("unknown", 0, 0, 9, 0), cell("late", 0, 3, 0, 0), cell("never", 1, 0, 0, 0)], "leaver").map((one) => one.system)).toEqual(["never", "late", "unknown", "good"]));
  it("leaves other events out", () => expect(lines([cell("a", 1, 0, 0, 0, "vendor_exit")], "leaver")).toEqual([]));
  it("never counts what is not known as in time", () => {
    const unknown = { never: 0, late: 0, unknown: 2, in_time: 5 };
    expect([worstOf(unknown), isOpen(unknown), notInTime(unknown)]).toEqual(["unknown", true, 0]);
  });
});

describe("two rankings", () => {
  it("keep the first order, and say nothing where one does not name a thing", () =>
    expect(beside([{ id: "a" }, { id: "b" }], [{ id: "b" }, { id: "c" }], (one) => one.id)).toEqual([{ now: { id: "a" }, then: null }, { now: { id: "b" }, then: { id: "b" } }, { now: null, then: { id: "c" } }]));
});

describe("two curves", () => {
  const point = (accounts: number) => ({ after_seconds: 0, at: "", accounts, credentials: 0, entitlements: 0, locations: 0 });
  const box = { left: 0, right: 100, top: 0, bottom: 100 };
  it("share a scale", () => expect(draw([point(2)], 86_400, box, 40).ticks).toEqual(draw([point(40)], 86_400, box).ticks));
});
