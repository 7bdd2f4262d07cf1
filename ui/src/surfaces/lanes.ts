/**
 * The lanes of one thing that a leaver held, as marks on one time scale: what was claimed, what reads
 * showed, and what tries of it came to. Pure drawing, no rule: the verdict comes with the thing.
 */
import type { Claim } from "../wire/Claim";
import type { Lanes } from "../wire/Lanes";
import type { LeaverTimeline } from "../wire/LeaverTimeline";
import type { Measured } from "../wire/Measured";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
export const SCALES = ["hours", "days", "weeks", "all"] as const;
export type Scale = (typeof SCALES)[number];
/** How long a scale shows before and after the event. */
const ROOM: Record<Exclude<Scale, "all">, [before: number, after: number]> = { hours: [6 * HOUR, 48 * HOUR], days: [2 * DAY, 14 * DAY], weeks: [7 * DAY, 84 * DAY] };

export interface Reach {
  from: number;
  until: number;
}

const at = (text: string) => Date.parse(text);

/** From when until when a time may be: a bare date is its whole day, `from/until` both ends, a moment one. */
export function endsOf(text: string): Reach | null {
  const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (day) {
    const [y, m, d] = [Number(day[1]), Number(day[2]), Number(day[3])];
    return { from: new Date(y, m - 1, d).getTime(), until: new Date(y, m - 1, d + 1).getTime() };
  }
  const [from, until] = text.split("/").map(at);
  return from === undefined || Number.isNaN(from) || Number.isNaN(until ?? from) ? null : { from, until: until ?? from };
}

/** When the event was: between these two; without an earliest, nobody knows since when. */
export const eventOf = (leaver: Pick<LeaverTimeline, "earliest" | "latest">) => ({ from: leaver.earliest === null ? null : at(leaver.earliest), until: at(leaver.latest) });

/** Everything that has a moment, of all things. */
function moments(leaver: LeaverTimeline): number[] {
  const texts = [
    leaver.earliest, leaver.latest, leaver.came_back, leaver.now,
    ...leaver.items.flatMap((item) => [item.last_open, item.closed]),
    ...leaver.lanes.flatMap((lanes) => [...lanes.seen, ...lanes.tries].flatMap((one) => [one.from, one.until])),
  ];
  const ends = leaver.claims.flatMap((claim) => [claim.requested_at, claim.closed_at]).flatMap((text) => (text ? [endsOf(text)] : [])).flatMap((one) => (one ? [one.from, one.until] : []));
  return [...texts.flatMap((text) => (text ? [at(text)] : [])), ...ends].filter((one) => !Number.isNaN(one));
}

/** What a scale shows; `steps` halves of it later, or earlier. */
export function reachOf(leaver: LeaverTimeline, scale: Scale, steps = 0): Reach {
  const event = eventOf(leaver);
  if (scale === "all") {
    const all = moments(leaver);
    // there may be more of them than a call takes arguments
    const [from, until] = all.reduce(([least, most], one) => [Math.min(least, one), Math.max(most, one)], [event.until, event.until + HOUR]);
    const edge = (until - from) * 0.02;
    return { from: from - edge, until: until + edge };
  }
  const [before, after] = ROOM[scale];
  // an event that nobody dates to the day does not make the scale any finer than it is
  const from = Math.max(event.from ?? event.until, event.until - after) - before;
  const shift = steps * ((before + after) / 2);
  return { from: from + shift, until: event.until + after + shift };
}

/** The finest scale that shows every limit and every closing; what is open still goes on beyond it. */
export function scaleFor(leaver: LeaverTimeline): Scale {
  const event = eventOf(leaver);
  const ends = leaver.items.flatMap((item) => [item.limit_seconds * 1000, ...(item.closed === null ? [] : [at(item.closed) - event.until])]);
  const most = Math.max(0, ...ends);
  return (["hours", "days", "weeks"] as const).find((scale) => most <= ROOM[scale][1] * 0.95) ?? "all";
}

/** Where a moment stands, in per cent of the width; beyond the edges where it is not shown. */
export const placeIn = (reach: Reach, moment: number) => ((moment - reach.from) / (reach.until - reach.from)) * 100;

export interface Mark {
  lane: "claimed" | "observed" | "probed";
  /** `asked`, `done`, `failed`…; `open`, `closed`, `unread`, `untold`, `between`; `accepted`, `rejected`, `indeterminate`. */
  what: string;
  from: number;
  until: number;
  /** How many reads or tries it stands for. */
  many: number;
  /** What the source, the read or the system says of it. */
  note: string | null;
  /** A rejected try without a positive control proves nothing. */
  counts: boolean;
}

/** What is claimed of a thing: when it was asked for and when it was said to be done; nothing of what has no time. */
export function claimMarks(claims: Claim[]): Mark[] {
  return claims.flatMap((claim) => {
    const mark = (what: string, text: string | null, note: string | null): Mark[] => {
      const ends = text ? endsOf(text) : null;
      return ends ? [{ lane: "claimed", what, ...ends, many: 1, note, counts: true }] : [];
    };
    const override = claim.override === null ? null : claim.override;
    return [...mark("asked", claim.requested_at, claim.ticket ?? claim.id), ...mark(override === null ? (claim.status ?? "not said") : "overridden", claim.closed_at, override ?? claim.closed_by)];
  });
}

/** Everything there is to draw of one thing, in the order of time within each lane. */
export function marksOf(item: Measured, lanes: Lanes, claims: Claim[]): Mark[] {
  const about = item.claims.flatMap((place) => claims[place] ?? []);
  const seen = lanes.seen.map((one): Mark => ({ lane: "observed", what: one.says, from: at(one.from), until: at(one.until), many: one.reads, note: null, counts: true }));
  // nobody knows when in between it closed
  const between: Mark[] = item.last_open !== null && item.closed !== null && at(item.closed) > at(item.last_open) ? [{ lane: "observed", what: "between", from: at(item.last_open), until: at(item.closed), many: 1, note: item.closed_by, counts: true }] : [];
  const tries = lanes.tries.map((one): Mark => ({ lane: "probed", what: one.answer, from: at(one.from), until: at(one.until), many: 1, note: [one.raw, one.why].filter((text) => text !== null && text !== "").join(": "), counts: one.counts || one.answer !== "rejected" }));
  const inOrder = (marks: Mark[]) => marks.sort((a, b) => a.from - b.from || a.until - b.until);
  return [...inOrder(claimMarks(about)), ...inOrder([...seen, ...between]), ...inOrder(tries)];
}

export type Lane = Mark["lane"];
/** Only what can be seen; and which lanes have more before it and after it. */
export function inView(marks: Mark[], reach: Reach): { shown: Mark[]; earlier: Lane[]; later: Lane[] } {
  const shown = marks.filter((mark) => mark.until >= reach.from && mark.from <= reach.until);
  const lanes = (those: Mark[]) => [...new Set(those.map((mark) => mark.lane))];
  return { shown, earlier: lanes(marks.filter((mark) => mark.until < reach.from)), later: lanes(marks.filter((mark) => mark.from > reach.until)) };
}

/** A drawing holds so many marks: neighbours that say the same are drawn as one, with how many they are. */
export function joined(marks: Mark[], reach: Reach, most = 200): Mark[] {
  if (marks.length <= most) return marks;
  const close = (reach.until - reach.from) / most;
  const out: Mark[] = [];
  for (const mark of marks) {
    const last = out.at(-1);
    if (last && last.lane === mark.lane && last.what === mark.what && last.counts === mark.counts && mark.what !== "between" && mark.from - last.until <= close) {
      out[out.length - 1] = { ...last, until: Math.max(last.until, mark.until), many: last.many + mark.many };
    } else out.push(mark);
  }
  return out;
}

const STEPS = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 182 * DAY, 364 * DAY];
export interface AxisTick {
  at: number;
  /** An hour within a day, or a day. */
  unit: "hour" | "day";
}

/** Round moments of the person's zone, about `wanted` of them. */
export function axis(reach: Reach, wanted: number): AxisTick[] {
  const most = 364 * DAY;
  const step = STEPS.find((one) => (reach.until - reach.from) / one <= wanted) ?? Math.ceil((reach.until - reach.from) / wanted / most) * most;
  const start = new Date(reach.from);
  start.setHours(0, 0, 0, 0);
  const ticks: AxisTick[] = [];
  if (step < DAY) {
    // each day begins anew, so that a change of the clock moves no other day
    for (const day = new Date(start); day.getTime() <= reach.until; day.setDate(day.getDate() + 1))
      for (let hour = 0; hour < 24; hour += step / HOUR) {
        const moment = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour).getTime();
        if (moment >= reach.from && moment <= reach.until && ticks.at(-1)?.at !== moment) ticks.push({ at: moment, unit: hour === 0 ? "day" : "hour" });
      }
    return ticks;
  }
  const days = step / DAY;
  for (const day = new Date(start); day.getTime() <= reach.until; day.setDate(day.getDate() + days)) if (day.getTime() >= reach.from) ticks.push({ at: day.getTime(), unit: "day" });
  return ticks;
}
