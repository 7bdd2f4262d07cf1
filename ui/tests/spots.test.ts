import { expect, test } from "vitest";
import { spotOf, underOf } from "../src/surfaces/spots";

test("a place is told in lines and characters from 1", () => {
  expect(spotOf("", 0)).toEqual({ line: 1, column: 1 });
  expect(spotOf("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
  expect(spotOf("👩x", 2), "a letter that is stored as two counts once").toEqual({ line: 1, column: 2 });
});

test("the word at a column is underlined where the letters before it have one width", () => {
  expect(underOf('does = "rotate"', 9)).toEqual({ from: 8, long: 6 });
  expect(underOf('does = "rotate"', 8), "a sign is a word of one letter").toEqual({ from: 7, long: 1 });
  expect(underOf("\tpermitt (x)", 2), "a tab is as wide as up to the next stop").toEqual({ from: 4, long: 7 });
  expect(underOf("ab", 3), "behind the end there is still something to see").toEqual({ from: 2, long: 1 });
  expect(underOf("名 = x", 5), "where a letter may be wider, only the line is marked").toBeNull();
});
