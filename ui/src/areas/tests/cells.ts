/** The coverage matrix as rows of systems, worst first. Adds up what the program counted; decides nothing. */
import type { Cell } from "../../wire/Cell";
import type { Thing } from "../../wire/Thing";

export const THINGS: Thing[] = ["sign_in", "grant", "reader", "control", "credential", "session", "readable_secret"];
/** What a thing can come to, the worst first. */
export const STATES = ["never", "late", "unknown", "in_time"] as const;
export type State = (typeof STATES)[number];
export type Amounts = Record<State, number>;

export interface Line extends Amounts {
  system: string;
  cells: Partial<Record<Thing, Cell>>;
}
export const all = (of: Amounts) => STATES.reduce((sum, state) => sum + of[state], 0);
export const notInTime = (of: Amounts) => of.never + of.late;
/** What asks for a look: open too long, or not known. */
export const isOpen = (of: Amounts) => notInTime(of) + of.unknown > 0;
/** The worst that anything here comes to. */
export const worstOf = (of: Amounts): State => STATES.find((state) => of[state] > 0) ?? "in_time";

export function summed(cells: Amounts[]): Amounts {
  const sum: Amounts = { never: 0, late: 0, unknown: 0, in_time: 0 };
  for (const cell of cells) for (const state of STATES) sum[state] += cell[state];
  return sum;
}

export function lines(cells: Cell[], event: string): Line[] {
  const systems = new Map<string, Cell[]>();
  for (const cell of cells) if (cell.event === event) systems.set(cell.system, [...(systems.get(cell.system) ?? []), cell]);
  const found = [...systems].map(([system, of]): Line => ({ system, ...summed(of), cells: Object.fromEntries(of.map((cell) => [cell.thing, cell])) }));
  return found.sort((a, b) => b.never - a.never || b.late - a.late || b.unknown - a.unknown || a.system.localeCompare(b.system));
}
