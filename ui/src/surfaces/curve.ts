/** The decay curve as areas: steps, never smoothed, stacked from the bottom up. Pure drawing, no rule. */
import type { CurvePoint } from "../wire/CurvePoint";
import { logPlace } from "./timescale";

export const STACK = ["locations", "credentials", "entitlements", "accounts"] as const;
export type Stacked = (typeof STACK)[number];
export interface Box { left: number; right: number; top: number; bottom: number }

export const total = (point: CurvePoint) => point.accounts + point.credentials + point.entitlements + point.locations;

/** A round number at or above the most, and the ticks up to it. */
export function ticksTo(most: number): number[] {
  if (most <= 4) return Array.from({ length: Math.max(1, most) + 1 }, (_, i) => i);
  const raw = most / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw && Number.isInteger(one)) ?? Math.ceil(raw);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

/** Points of a step line: flat until the next change, then straight down. */
function steps(points: CurvePoint[], value: (point: CurvePoint) => number, x: (s: number) => number, y: (v: number) => number, right: number): string[] {
  const out: string[] = [];
  points.forEach((point, i) => {
    const next = points[i + 1];
    const at = y(value(point)).toFixed(1);
    out.push(`${x(point.after_seconds).toFixed(1)} ${at}`, `${(next ? x(next.after_seconds) : right).toFixed(1)} ${at}`);
  });
  return out;
}

export interface Drawing {
  areas: { kind: Stacked; path: string }[];
  outline: string;
  x: (seconds: number) => number;
  y: (value: number) => number;
  ticks: number[];
}

/** `most` is at least how high the scale goes, so that two curves can be held against each other. */
export function draw(points: CurvePoint[], horizon: number, box: Box, most = 1): Drawing {
  const ticks = ticksTo(Math.ceil(Math.max(1, most, ...points.map(total)) * 1.08));
  const top = ticks.at(-1) ?? 1;
  const x = (seconds: number) => box.left + logPlace(seconds, horizon) * (box.right - box.left);
  const y = (value: number) => box.bottom - (value / top) * (box.bottom - box.top);
  const areas = STACK.map((kind, at) => {
    const below = (point: CurvePoint) => STACK.slice(0, at).reduce((sum, one) => sum + point[one], 0);
    const upper = steps(points, (point) => below(point) + point[kind], x, y, box.right);
    const lower = steps(points, below, x, y, box.right).reverse();
    return { kind, path: points.length > 0 ? `M${[...upper, ...lower].join("L")}Z` : "" };
  });
  const line = steps(points, total, x, y, box.right);
  return { areas, outline: line.length > 0 ? `M${line.join("L")}` : "", x, y, ticks };
}

/** What is open at a moment: the last point at or before it. */
export function openAt(points: CurvePoint[], seconds: number): CurvePoint | undefined {
  return points.findLast((point) => point.after_seconds <= seconds) ?? points[0];
}
