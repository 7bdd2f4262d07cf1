/**
 * Time since an event on a log scale of minutes, as the life line and the decay curve draw it:
 * ticks T, 15 min, 1 h, 4 h, 24 h, 7 d, 30 d, 90 d.
 */
const MINUTE = 60;
export interface Tick {
  seconds: number;
  text: string;
}
export const TICKS: Tick[] = [
  { seconds: 0, text: "T" },
  { seconds: 15 * MINUTE, text: "15 min" },
  { seconds: 3600, text: "1 h" },
  { seconds: 4 * 3600, text: "4 h" },
  { seconds: 86_400, text: "24 h" },
  { seconds: 7 * 86_400, text: "7 d" },
  { seconds: 30 * 86_400, text: "30 d" },
  { seconds: 90 * 86_400, text: "90 d" },
];

/** From 0 at T to 1 at the horizon; before T is 0. The first five minutes take little room. */
export function logPlace(seconds: number, horizon: number): number {
  const grow = (s: number) => Math.log1p(Math.max(0, s) / (5 * MINUTE));
  return Math.min(1, grow(seconds) / grow(horizon));
}

/** The other way round, for a brush. */
export function secondsAt(place: number, horizon: number): number {
  const most = Math.log1p(horizon / (5 * MINUTE));
  return Math.expm1(Math.max(0, Math.min(1, place)) * most) * 5 * MINUTE;
}
