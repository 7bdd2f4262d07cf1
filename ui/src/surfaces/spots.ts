/** Places in a text: lines and columns as the program counts them, from 1 and in characters. */
const TAB = 4;

/** The line and column at a place that counts what the machine stores. */
export function spotOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: Array.from(before.slice(start)).length + 1 };
}

/** Which letters of a line, counted in letters of one width, are the word at a column; nothing where letters before it may be wider or narrower than one. */
export function underOf(row: string, column: number): { from: number; long: number } | null {
  const letters = Array.from(row);
  let from = 0;
  for (const letter of letters.slice(0, column - 1)) {
    if (letter === "\t") from += TAB - (from % TAB);
    else if (letter >= " " && letter <= "\u024f") from += 1;
    else return null;
  }
  const word = /^(\w+|\S)/.exec(letters.slice(column - 1).join(""))?.[0] ?? "";
  return { from, long: Math.max(1, Array.from(word).length) };
}
