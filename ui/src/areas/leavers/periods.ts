/** From which day to which: the usual periods as an access reviewer names them, in the person's zone. */
export interface Period {
  since: string | null;
  until: string | null;
}
/** Of which past something is measured. */
export interface Past extends Period {
  /** Whoever moved, in place of whoever left. */
  movers: boolean;
}
export const PRESETS = ["month", "lastMonth", "quarter", "year", "all"] as const;
export type Preset = (typeof PRESETS)[number];
export const EVERYTHING: Period = { since: null, until: null };

const two = (value: number) => String(value).padStart(2, "0");
const dayOf = (at: Date) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const month = (year: number, from: number, length: number): Period => ({ since: dayOf(new Date(year, from, 1)), until: dayOf(new Date(year, from + length, 0)) });

export function periodOf(preset: Preset, now: number): Period {
  const at = new Date(now);
  const [year, of] = [at.getFullYear(), at.getMonth()];
  if (preset === "month") return month(year, of, 1);
  if (preset === "lastMonth") return month(year, of - 1, 1);
  if (preset === "quarter") return month(year, of - (of % 3), 3);
  if (preset === "year") return month(year, 0, 12);
  return EVERYTHING;
}

/** What a period is called, where it has a name. */
export const presetOf = (period: Period, now: number): Preset | null =>
  PRESETS.find((one) => {
    const is = periodOf(one, now);
    return is.since === period.since && is.until === period.until;
  }) ?? null;

/** Whether it is a day that there is. */
export function isDay(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return false;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return dayOf(at) === text;
}

/** What lists the same things as a file. */
export const command = (past: Past): string => ["lastkey leavers --csv", past.movers && "--movers", past.since && `--since ${past.since}`, past.until && `--until ${past.until}`].filter(Boolean).join(" ");
