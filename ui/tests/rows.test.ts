import { describe, expect, it } from "vitest";
import { bodyHeight, placeFor, placeOf, rowsInView, RowWindows, scrollOf, TALLEST, WINDOW, type Measure } from "../src/surfaces/rows";

const million: Measure = { rows: 1_000_000, rowHeight: 28, view: 700 };
const short: Measure = { rows: 100, rowHeight: 28, view: 700 };

describe("rows in a list of any length", () => {
  it("keeps the scroll position as it is while the list fits a page", () => {
    expect(placeOf(140, short)).toBe(140);
    expect(bodyHeight(short)).toBe(2800);
  });
  it("never makes a body taller than the tallest page", () => {
    expect(bodyHeight(million)).toBe(TALLEST);
  });
  it("reaches the very last row of a million", () => {
    const end = placeOf(TALLEST - million.view, million);
    expect(end).toBe(28_000_000 - 700);
    expect(rowsInView(end, million).to).toBe(1_000_000);
  });
  it("comes back to the same place through the scroll position", () => {
    for (const place of [0, 28, 13_999_972, 27_999_300]) expect(placeOf(scrollOf(place, million), million)).toBeCloseTo(place, 3);
  });
  it("moves only when the row is not wholly in view", () => {
    expect(placeFor(3, 0, short)).toBe(0);
    expect(placeFor(30, 0, short)).toBe(31 * 28 - 700);
    expect(placeFor(2, 200, short)).toBe(56);
  });
});

describe("windows of rows", () => {
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  it("asks once for each window that is in view", async () => {
    const asked: number[] = [];
    const windows = new RowWindows<number>(async (offset, limit) => {
      asked.push(offset);
      return { rows: Array.from({ length: limit }, (_, i) => offset + i), offset, matching: 1000, total: 1000 };
    }, () => {}, () => {});
    windows.need(190, 210);
    windows.need(190, 210);
    await settle();
    expect(asked).toEqual([0, WINDOW]);
    expect(windows.row(205)).toBe(205);
    expect(windows.matching).toBe(1000);
  });
  it("drops answers that come after it was closed", async () => {
    let changed = 0;
    const windows = new RowWindows<number>(async (offset) => ({ rows: [1], offset, matching: 1, total: 1 }), () => (changed += 1), () => {});
    windows.need(0, 1);
    windows.close();
    await settle();
    expect(changed).toBe(0);
    expect(windows.row(0)).toBeUndefined();
  });
  it("hands on a refusal and asks again later", async () => {
    const refused: unknown[] = [];
    let fail = true;
    const windows = new RowWindows<number>(async (offset) => {
      if (fail) throw new Error("busy");
      return { rows: [7], offset, matching: 1, total: 1 };
    }, () => {}, (thrown) => refused.push(thrown));
    windows.need(0, 1);
    await settle();
    fail = false;
    windows.need(0, 1);
    await settle();
    expect(refused).toHaveLength(1);
    expect(windows.row(0)).toBe(7);
  });
});
