/**
 * Windows of rows over a list of any length: which rows are in view, how the browser's scroll position
 * stands for a list taller than a page can be, and a cache of windows fetched by offset.
 *
 * Promises: never asks for more than one window per missing place, never holds more than `KEEP` windows.
 */
import type { RowWindow } from "../wire/RowWindow";

export const WINDOW = 200;
const KEEP = 40;
/** Taller than this a page is not exact in every engine, so the position is scaled. */
export const TALLEST = 8_000_000;

export interface Measure {
  rows: number;
  rowHeight: number;
  view: number;
}

const tall = (m: Measure) => m.rows * m.rowHeight;
/** The height of the scrolled body in the page. */
export const bodyHeight = (m: Measure) => Math.min(tall(m), TALLEST);
export const isScaled = (m: Measure) => tall(m) > TALLEST;

/** The place in the whole list that a scroll position stands for, in pixels. */
export function placeOf(scrollTop: number, m: Measure): number {
  if (!isScaled(m)) return scrollTop;
  const most = TALLEST - m.view;
  return most <= 0 ? 0 : (Math.min(scrollTop, most) / most) * (tall(m) - m.view);
}

/** The scroll position that stands for a place in the whole list. */
export function scrollOf(place: number, m: Measure): number {
  const bounded = Math.max(0, Math.min(place, tall(m) - m.view));
  if (!isScaled(m)) return bounded;
  return (bounded / (tall(m) - m.view)) * (TALLEST - m.view);
}

/** First row to draw and one past the last, with a few more on each side. */
export function rowsInView(place: number, m: Measure, around = 8): { from: number; to: number } {
  const from = Math.max(0, Math.floor(place / m.rowHeight) - around);
  const to = Math.min(m.rows, Math.ceil((place + m.view) / m.rowHeight) + around);
  return { from, to: Math.max(from, to) };
}

/** Where the list has to be so that a row is wholly in view; the same place if it is already. */
export function placeFor(row: number, place: number, m: Measure): number {
  const top = row * m.rowHeight;
  if (top < place) return top;
  if (top + m.rowHeight > place + m.view) return top + m.rowHeight - m.view;
  return place;
}

export type Load<Row> = (offset: number, limit: number) => Promise<RowWindow<Row>>;

/** The rows of one query, fetched as they come into view. */
export class RowWindows<Row> {
  matching = 0;
  total = 0;
  #windows = new Map<number, Row[]>();
  #asked = new Set<number>();
  #load: Load<Row>;
  #changed: () => void;
  #refused: (thrown: unknown) => void;
  #over = false;

  constructor(load: Load<Row>, changed: () => void, refused: (thrown: unknown) => void) {
    this.#load = load;
    this.#changed = changed;
    this.#refused = refused;
  }

  /** The row, or nothing while its window is on the way. */
  row(index: number): Row | undefined {
    return this.#windows.get(Math.floor(index / WINDOW))?.[index % WINDOW];
  }

  /** Asks for every window that the rows need. */
  need(from: number, to: number): void {
    for (let at = Math.floor(from / WINDOW); at * WINDOW < Math.max(to, from + 1); at += 1) {
      if (!this.#windows.has(at) && !this.#asked.has(at)) void this.#fetch(at);
    }
  }

  /** Answers that come after this are dropped. */
  close(): void {
    this.#over = true;
  }

  async #fetch(at: number): Promise<void> {
    this.#asked.add(at);
    try {
      const answer = await this.#load(at * WINDOW, WINDOW);
      if (this.#over) return;
      this.matching = answer.matching;
      this.total = answer.total;
      this.#windows.set(at, answer.rows);
      const oldest = this.#windows.keys().next();
      if (this.#windows.size > KEEP && !oldest.done) this.#windows.delete(oldest.value);
      this.#changed();
    } catch (thrown) {
      if (!this.#over) this.#refused(thrown);
    } finally {
      this.#asked.delete(at);
    }
  }
}
