/** Numbers, dates and spans as a person reads them. Missing is "not known", not applicable an en dash, zero 0. */
import { say } from "./strings";

// the words are English, so the formats are too: a mixed screen reads worse than a foreign one
const LANG = "en-GB";
const numbers = new Intl.NumberFormat(LANG, { useGrouping: true });
const full = new Intl.DateTimeFormat(LANG, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const near = new Intl.DateTimeFormat(LANG, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const dayFull = new Intl.DateTimeFormat(LANG, { day: "numeric", month: "short", year: "numeric" });
const dayShort = new Intl.DateTimeFormat(LANG, { day: "numeric", month: "short" });
const hourOnly = new Intl.DateTimeFormat(LANG, { hour: "2-digit", minute: "2-digit" });
const monthFull = new Intl.DateTimeFormat(LANG, { month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat(LANG, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const second = new Intl.DateTimeFormat(LANG, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const offset = new Intl.DateTimeFormat(LANG, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "longOffset" });

export const count = (value: number) => numbers.format(value);

const short = new Intl.NumberFormat(LANG, { notation: "compact", maximumFractionDigits: 0, roundingMode: "floor" });
/** As `count` up to 9,999, then whole thousands or millions: for cells whose whole figure stands elsewhere. */
export const shortCount = (value: number) => (value < 10_000 ? count(value) : short.format(value));

const parse = (text: string) => {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
};
/** A date without a time must not move by a zone. */
const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text);
/**
 * A whole day comes as `from/until` in UTC, resolved in its source's zone: the calendar date that
 * the source wrote is that of the day's middle. Where that may be either of two zones, on both sides
 * of the date line, and of anything else, the text is given back as it is.
 */
function plain(text: string): string {
  const [from, until] = text.split("/");
  if (!from || !until) return text;
  const middle = (Date.parse(from) + Date.parse(until)) / 2;
  const hour = new Date(from).getUTCHours();
  if (hour === 10 || hour === 11) return text;
  return Number.isNaN(middle) ? text : new Date(middle).toISOString().slice(0, 10);
}
/** A value of a fact: times as people read them, everything else as it is. */
export function told(value: string): string {
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+Z(\/|$)/.test(value) ? moment(value) : value;
}

/** 20 Nov 2026, 06:40 in the person's zone. */
export function moment(given: string | null | undefined): string {
  if (!given) return say.notKnown;
  const text = plain(given);
  if (isDay(text)) return day(text);
  const at = parse(text);
  return at ? full.format(at) : text;
}

/** As `moment`, to the second: for lists in which several fall into one minute. */
export function momentFine(given: string | null | undefined): string {
  const at = given && !isDay(plain(given)) ? parse(given) : null;
  return at ? second.format(at) : moment(given);
}

/** As `moment`, without the year within twelve months of `now`. */
export function shortMoment(given: string | null | undefined, now: number = Date.now()): string {
  if (!given) return say.notKnown;
  const text = plain(given);
  if (isDay(text)) return day(text);
  const at = parse(text);
  if (!at) return text;
  return Math.abs(at.getTime() - now) < 365 * 86_400_000 ? near.format(at) : full.format(at);
}

/**
 * Two moments that stand side by side: with seconds where both fall into one minute, and with their
 * parts where both fall into one second, so that no two reads are told alike.
 */
export function apart(from: string | null, to: string | null, tell: (text: string | null) => string): [string, string] {
  const ends: [string, string] = [tell(from), tell(to)];
  const [a, b] = [from, to].map((text) => (text && !isDay(plain(text)) ? parse(text) : null));
  if (!a || !b || ends[0] !== ends[1] || a.getTime() === b.getTime()) return ends;
  const same = second.format(a) === second.format(b);
  const fine = (at: Date) => second.format(at) + (same ? `.${String(at.getMilliseconds()).padStart(3, "0")}` : "");
  return [fine(a), fine(b)];
}

/** 18 Nov 2026; a bare date stays that date in every zone. */
export function day(given: string | null | undefined): string {
  if (!given) return say.notKnown;
  const text = plain(given);
  if (isDay(text)) {
    const [y, m, d] = text.split("-").map(Number);
    return dayFull.format(new Date(y ?? 0, (m ?? 1) - 1, d ?? 1));
  }
  const at = parse(text);
  return at ? dayFull.format(at) : text;
}

/** 06:33:02.114 */
export function clockTime(text: string): string {
  const at = parse(text);
  return at ? `${clock.format(at)}.${String(at.getMilliseconds()).padStart(3, "0")}` : text;
}

/** The moment with its offset, for tooltips. */
export function exact(text: string | null | undefined): string | undefined {
  const at = text && !isDay(plain(text)) ? parse(text) : null;
  return at ? offset.format(at) : undefined;
}

/** 5 d 2 h, 9 min, 2.0 s: two units at most. */
export function span(seconds: number): string {
  if (seconds < 60) return seconds < 10 && seconds % 1 !== 0 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours <= 24 && minutes <= 1440) return two(hours, "h", minutes % 60, "min");
  const days = Math.floor(hours / 24);
  return two(days, "d", hours % 24, "h");
}
const two = (a: number, unit: string, b: number, small: string) => (b === 0 ? `${a} ${unit}` : `${a} ${unit} ${b} ${small}`);

/** How long something took. */
export const took = (ms: number) => (ms < 1 ? "under 1 ms" : ms < 1000 ? `${Math.round(ms)} ms` : span(Math.round(ms / 100) / 10));

export function bytes(value: number): string {
  if (value < 1000) return `${count(value)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let rest = value / 1000;
  let at = 0;
  while (rest >= 1000 && at < units.length - 1) {
    rest /= 1000;
    at += 1;
  }
  return `${rest.toFixed(rest < 10 ? 1 : 0)} ${units[at]}`;
}

/** The last part of a path. */
export const fileName = (path: string) => path.split(/[\\/]/).pop() ?? path;

/** An hour on an axis: 18:00. */
export const hourTick = (at: number) => hourOnly.format(at);
/** A day on an axis: 18 Nov; with its year where that may be another than what stands beside it. */
export const dayTick = (at: number, year = false) => (year ? dayFull : dayShort).format(at);
/** 2026-11 as Nov 2026. */
export function month(text: string): string {
  const [y, m] = text.split("-").map(Number);
  return y !== undefined && m !== undefined && /^\d{4}-\d{2}$/.test(text) ? monthFull.format(new Date(y, m - 1, 1)) : text;
}

/** 87 %: whole per cent, but never 100 or 0 where something differs. */
export function percent(part: number): string {
  const value = part * 100;
  if (value > 99 && value < 100) return `${(Math.floor(value * 10) / 10).toFixed(1)} %`;
  if (value > 0 && value < 1) return `${(Math.ceil(value * 10) / 10).toFixed(1)} %`;
  return `${Math.round(value)} %`;
}
