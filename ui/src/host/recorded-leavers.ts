/** The recorded estate's past leavers: what they held, measured, with its lanes; shares, and the plan's steps. */
import type { Claim } from "../wire/Claim";
import type { GapCount } from "../wire/GapCount";
import type { Lanes } from "../wire/Lanes";
import type { LeaversReport } from "../wire/LeaversReport";
import type { LeaverThing } from "../wire/LeaverThing";
import type { LeaverTimeline } from "../wire/LeaverTimeline";
import type { Measured } from "../wire/Measured";
import type { SeenAt } from "../wire/SeenAt";
import type { Share } from "../wire/Share";
import type { StepMeasured } from "../wire/StepMeasured";
import { NAMES } from "./odd";
import { everyone, plan } from "./recorded";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 22, 6, 40);
const text = (at: number) => new Date(at).toISOString().replace(".000Z", "Z");
const GAPS: Record<string, string> = {
  re_enabled: "closed and open again", not_done_and_closed: "not done, the case closed all the same", retried_and_reported: "reported as done after retries, and open after that", done_and_open: "claimed done, and open after that",
  no_claim: "open, and nobody claims anything", closed_unclaimed: "closed, and nobody claims to have done it",
};

interface Shape {
  kind: string;
  system: string;
  id: (login: string) => string;
  on?: (login: string) => string;
  limit: number;
  /** Hours after the event: last seen open, proved closed. */
  open: number | null;
  closed: number | null;
  by?: string;
  gap?: string;
  claimed: string;
  status?: string;
  retries?: number;
  /** Hours between reads, and whether some of them did not end. */
  every: number;
  unread?: boolean;
  probed?: "accepted" | "rejected" | "indeterminate";
  privileged?: boolean;
}
const SHAPES: Shape[] = [
  { kind: "account", system: "corp-ad", id: (l) => l, limit: 24, open: 0.2, closed: 1.1, by: "disabled", claimed: "done", status: "done", every: 1, probed: "rejected" },
  { kind: "account", system: "entra", id: (l) => `${l}@brantholm.example`, limit: 24, open: 3, closed: 4, by: "disabled", claimed: "done", status: "done", every: 1 },
  { kind: "credential", system: "aws-prod", id: (l) => `AKIA3XQLM2${l.slice(0, 4).toUpperCase()}7QX2`, on: (l) => `aws-prod:${l}`, limit: 4, open: 9000, closed: null, claimed: "done", status: "done", gap: "done_and_open", every: 12, probed: "accepted", privileged: true },
  { kind: "session", system: "corp-vpn", id: (l) => `session-${l}-81`, on: (l) => `corp-ad:${l}`, limit: 8, open: 30, closed: 36, by: "gone", claimed: "done", status: "done", retries: 3, gap: "retried_and_reported", every: 6 },
  { kind: "entitlement", system: "github", id: () => "payments-maintainers-with-quite-a-long-name", on: (l) => `github:${l}-dev`, limit: 24, open: 6, closed: 102, by: "gone", claimed: "pending", status: "pending", every: 96, unread: true },
  { kind: "account", system: "pg-billing", id: (l) => `${l}_adm`, limit: 4, open: 9000, closed: null, claimed: "done", status: "done", gap: "re_enabled", every: 12, privileged: true },
  { kind: "location", system: "vault-eu", id: () => "kv/payments/prod/pg", on: (l) => `vault-eu:${l}`, limit: 24, open: 2, closed: 3, by: "with the account", claimed: "no claim", every: 1 },
  { kind: "account", system: "scim-itsm", id: (l) => `1048-${l}`, limit: 24, open: 9000, closed: null, claimed: "no claim", gap: "no_claim", every: 24, probed: "indeterminate" },
  { kind: "control", system: "k8s-edge", id: (l) => `ns-${l}:admin`, on: (l) => `k8s-edge:${l}`, limit: 24, open: null, closed: null, claimed: "not read", every: 24, unread: true },
];

interface Held {
  item: Measured;
  lanes: Lanes;
  claims: Claim[];
}
function held(shape: Shape, login: string, earliest: number | null, latest: number, k: number, place: number): Held {
  const cut = (hours: number) => Math.min(latest + hours * HOUR, NOW - HOUR);
  const open = shape.open === null ? null : cut(shape.open);
  const closed = shape.closed === null ? null : cut(shape.closed);
  const lower = open === null ? 0 : Math.max(0, Math.round((open - latest) / 1000));
  const upper = closed === null || earliest === null ? null : Math.round((closed - earliest) / 1000);
  const limit = shape.limit * 3600;
  const state = lower > limit ? (closed === null ? "still open" : "closed late") : upper !== null && upper <= limit ? "closed in time" : "indeterminate";
  const seen: SeenAt[] = [];
  const say = (from: number, until: number, says: SeenAt["says"]) => seen.push({ from: text(from), until: text(Math.max(until, from + 60_000)), says, reads: Math.max(1, Math.round((until - from) / (shape.every * HOUR))) });
  const before = latest - 5 * DAY;
  if (open !== null) say(before, open, "open");
  if (shape.unread) say((open ?? latest) + 20 * HOUR, (open ?? latest) + 44 * HOUR, "unread");
  if (shape.gap === "re_enabled" && open !== null && open - latest > 3 * DAY) {
    seen.length = 0;
    say(before, latest + HOUR, "open");
    say(latest + 2 * HOUR, latest + 50 * HOUR, "closed");
    say(latest + 51 * HOUR, open, "open");
  }
  if (closed !== null) say(closed, Math.min(NOW, closed + 6 * DAY), "closed");
  if (place === 7) say(latest - 9 * DAY, before - HOUR, "untold");
  const tries = shape.probed === undefined ? [] : [
    ...(shape.probed === "indeterminate" ? [] : [{ probe: `${shape.system}-${login}`, from: text(latest - DAY), until: text(latest - DAY + 900), answer: "accepted", raw: "0 success", why: null, counts: true }]),
    { probe: `${shape.system}-${login}`, from: text(latest + 5 * HOUR), until: text(latest + 5 * HOUR + 800), answer: shape.probed, raw: shape.probed === "rejected" ? "49 invalidCredentials" : shape.probed === "accepted" ? "HTTP 200" : "no connection within 10 s", why: shape.probed === "indeterminate" ? "the server did not answer in time" : null, counts: true },
    ...(place === 7 ? [{ probe: "scim-canary", from: text(latest + 29 * HOUR), until: text(latest + 29 * HOUR + 800), answer: "rejected", raw: "HTTP 401", why: null, counts: false }] : []),
  ];
  const day = text(latest + 20 * HOUR).slice(0, 10);
  const claims: Claim[] = shape.status === undefined ? [] : [{
    source: "itsm-tasks", id: `TASK-${20_400 + k * 10 + place}`, system: shape.system, account: shape.kind === "account" ? shape.id(login) : null, action: shape.kind === "account" ? "disable_account" : shape.kind === "credential" ? "revoke_credentials" : shape.kind === "session" ? "revoke_sessions" : "remove_grants",
    status: shape.status, retries: shape.retries ?? 0, requested_at: text(latest - 2 * HOUR), approved_by: "petra.anand", closed_at: shape.status === "pending" ? null : place === 1 ? day : text(latest + 0.4 * HOUR), closed_by: shape.status === "done" ? "flow-offboarding" : null, override: null, ticket: `CHG-${7000 + k}`,
  }];
  const why = state === "closed in time" ? `closed within ${shape.closed} h, the limit is ${shape.limit} h` : state === "closed late" ? `open for more than ${shape.open} h, closed within ${shape.closed} h; the limit is ${shape.limit} h` : state === "still open" ? `open for more than ${Math.round(lower / 3600)} h, and not seen closed; the limit is ${shape.limit} h`
    : open === null ? "no read shows it open or closed in that time" : closed === null ? `last seen open at ${text(open)}, and no complete read since that tells: the limit is ${shape.limit} h` : `last seen open at ${text(open)}, proved closed by ${text(closed)}: the reads are too far apart for ${shape.limit} h`;
  const item: Measured = {
    kind: shape.kind, system: shape.system, id: shape.id(login), name: shape.kind === "entitlement" && place % 2 === 1 ? `Members of ${shape.id(login)}` : null, on_account: shape.on?.(login) ?? null, on_account_name: null, privileged: shape.privileged ?? (shape.kind === "account" ? false : null), verdict: state === "closed in time" ? "pass" : state === "indeterminate" ? "indeterminate" : "fail", state,
    last_open: open === null ? null : text(open), closed: closed === null ? null : text(closed), closed_by: closed === null ? null : (shape.by ?? "gone"), lower_seconds: lower, upper_seconds: upper, limit_seconds: limit, limit_source: place === 3 ? "human_24h" : "plan",
    reopened: shape.gap === "re_enabled" ? { closed: text(latest + 50 * HOUR), open: text(latest + 51 * HOUR) } : null, unread: shape.unread ? { reads: 4, from: text((open ?? latest) + 20 * HOUR), until: text((open ?? latest) + 44 * HOUR) } : null,
    decides: state === "indeterminate" ? { closed_by: earliest === null ? null : text(earliest + limit * 1000), open_after: text(latest + limit * 1000) } : null, why, claimed: shape.claimed, claims: [], gap: shape.gap ?? null, probed: shape.probed ?? null,
  };
  return { item, lanes: { seen, tries }, claims };
}

const rank = (item: Measured) => ["still open", "closed late", "indeterminate", "closed in time"].indexOf(item.state) * 2 - (item.privileged ? 1 : 0);
function leaving(k: number, scene: string, again = 0): LeaverTimeline {
  const rows = everyone().filter((row) => row.status === "inactive" && row.kind === "person");
  const row = rows[k % rows.length];
  const login = (row?.display_name ?? "nobody").toLowerCase().replace(/[^a-z]+/g, "").slice(0, 10) || "odd";
  const latest = Date.UTC(2026, 10, 20, 16) - k * 2.7 * DAY - again * 200 * DAY;
  const earliest = k % 7 === 5 ? null : k % 3 === 0 ? latest : latest - 9 * HOUR;
  const bad = k % 4 === 0 ? [0, 1, 2, 3, 4, 5, 6, 7, 8] : k % 5 === 1 ? [0, 1, 4, 6] : k % 5 === 2 ? [0, 1, 3, 6, 7] : [0, 1, 6];
  const found = bad.flatMap((place) => { const shape = SHAPES[place]; return shape ? [held(shape, scene === "odd" && place === 0 ? `${NAMES[k % NAMES.length] ?? ""}-${login}` : login, earliest, latest, k, place)] : []; });
  if (scene === "odd" && k === 0) for (let n = 0; n < 60; n += 1) found.push(held({ ...(SHAPES[n % 9] as Shape), id: () => `${"cn=a very long common name,".repeat(6)}ou=${n}` }, login, earliest, latest, k, n % 9));
  found.sort((a, b) => rank(a.item) - rank(b.item) || b.item.lower_seconds - a.item.lower_seconds);
  const claims: Claim[] = [];
  for (const one of found) {
    one.item.claims = one.claims.map((_, i) => claims.length + i);
    claims.push(...one.claims);
  }
  const missing = k % 6 === 4 ? ["no complete read of grants of `github` since they left", "the account `k8s-edge:jobs` may be theirs"] : [];
  const items = found.map((one) => one.item);
  const any = (verdict: string) => items.some((item) => item.verdict === verdict);
  return {
    identity: row?.id ?? "104003", name: scene === "odd" ? (NAMES[k % NAMES.length] ?? null) : k % 13 === 7 ? null : (row?.display_name ?? null), event: k % 9 === 8 ? "vendor_exit" : "leaver", earliest: earliest === null ? null : text(earliest), latest: text(latest), came_back: again > 0 ? text(latest + 40 * DAY) : null,
    marks: k % 11 === 3 ? ["the source of truth has not marked them"] : [], verdict: any("fail") ? "fail" : any("indeterminate") || missing.length > 0 ? "indeterminate" : "pass", plan_name: plan.name, now: text(NOW), items, lanes: found.map((one) => one.lanes), claims, closed_before: k % 3, missing_facts: missing,
  };
}

const made = new Map<string, LeaverTimeline[]>();
function everybody(scene: string): LeaverTimeline[] {
  const known = made.get(scene);
  if (known) return known;
  const all = Array.from({ length: scene === "million" ? 800 : 31 }, (_, k) => leaving(k, scene));
  made.set(scene, all);
  return all;
}
/** Every fifth of them moved in place of leaving. */
const within = (since: string | null, until: string | null, scene: string, movers: boolean) => everybody(scene).filter((_, k) => !movers || k % 5 === 0).map((one) => (movers ? { ...one, event: "mover" } : one)).filter((one) => (since === null || one.latest.slice(0, 10) >= since) && (until === null || one.latest.slice(0, 10) <= until));

function share(items: Measured[]): Share {
  const many = (state: string) => items.filter((item) => item.state === state).length;
  const [inTime, late, open, unsure] = [many("closed in time"), many("closed late"), many("still open"), many("indeterminate")];
  const [decided, all] = [inTime + late + open, items.length];
  const p = decided === 0 ? 0 : inTime / decided;
  const z = 1.959964;
  const middle = (p + (z * z) / (2 * decided)) / (1 + (z * z) / decided);
  const half = (z * Math.sqrt((p * (1 - p)) / decided + (z * z) / (4 * decided * decided))) / (1 + (z * z) / decided);
  return { in_time: inTime, late, still_open: open, indeterminate: unsure, share: decided === 0 ? null : p, interval: decided === 0 ? null : [Math.max(0, middle - half), Math.min(1, middle + half)], at_least: all === 0 ? null : inTime / all, at_most: all === 0 ? null : (inTime + unsure) / all };
}
const by = (items: { of: string; item: Measured }[]) => Object.fromEntries([...new Set(items.map((one) => one.of))].sort().map((of) => [of, share(items.filter((one) => one.of === of).map((one) => one.item))]));

export function report(since: string | null, until: string | null, scene: string, none: boolean, movers: boolean): LeaversReport {
  const leavers = none ? [] : within(since, until, scene, movers);
  const all = leavers.flatMap((one) => one.items.map((item) => ({ item, month: one.latest.slice(0, 7) })));
  const many = (verdict: string) => leavers.filter((one) => one.verdict === verdict).length;
  const told = all.filter(({ item }) => item.last_open !== null || item.upper_seconds !== null).map((one) => one.item);
  const uppers = told.map((item) => item.upper_seconds ?? Infinity).sort((a, b) => a - b);
  const at = (part: number) => { const value = uppers[Math.ceil(uppers.length * part) - 1]; return value === undefined || value === Infinity ? null : value; };
  const gaps: GapCount[] = Object.entries(GAPS).map(([gap, words]) => ({ gap, words, count: all.filter(({ item }) => item.gap === gap).length })).filter((one) => one.count > 0);
  return {
    since, until, plan_name: plan.name, leavers: leavers.length, pass: many("pass"), fail: many("fail"), indeterminate: many("indeterminate"), things: all.length,
    shares: {
      all: share(all.map((one) => one.item)), kinds: by(all.map(({ item }) => ({ of: item.kind, item }))), systems: by(all.map(({ item }) => ({ of: item.system, item }))), months: by(all.map(({ item, month }) => ({ of: month, item }))),
      times: { count: told.length, bands: [0.25, 1, 4, 24, 72, 168, 720, 2160, 8760].map((hours) => ({ within_seconds: hours * 3600, surely: told.filter((item) => (item.upper_seconds ?? Infinity) <= hours * 3600).length, at_most: told.filter((item) => item.lower_seconds <= hours * 3600).length })), median_at_most_seconds: at(0.5), nine_of_ten_at_most_seconds: at(0.9) },
    },
    gaps, missing: [...new Set(leavers.flatMap((one) => one.missing_facts))].concat(scene === "odd" ? Array.from({ length: 40 }, (_, n) => `no complete read of accounts of \`a-system-with-a-rather-long-name-${n}.example.internal\` before they left`) : []),
  };
}

const words = (seconds: number) => (seconds >= 3 * 86_400 ? `${Math.round(seconds / 86_400)} days` : `${Math.round(seconds / 3600)} h`);
const rows = (one: LeaverTimeline): LeaverThing[] =>
  one.items.map((item) => ({
    identity: one.identity, name: one.name, event: one.event, earliest: one.earliest, latest: one.latest, item, gap_words: item.gap === null ? null : (GAPS[item.gap] ?? null),
    claimed_words: item.claimed === "done" ? `done ${one.latest.slice(0, 10)} by flow-offboarding` : item.claimed,
    observed_words: item.upper_seconds !== null ? `closed within ${words(item.upper_seconds)}` : item.last_open !== null && item.closed === null ? `open for ${words(item.lower_seconds)}, not seen closed` : item.closed ? `closed after ${words(item.lower_seconds)} or more` : "not read",
  }));
export function things(since: string | null, until: string | null, scene: string, movers: boolean): LeaverThing[] {
  return within(since, until, scene, movers).flatMap(rows).sort((a, b) => rank(a.item) - rank(b.item) || b.item.lower_seconds - a.item.lower_seconds);
}

/** The third of them left twice. */
export function timelines(identity: string, scene: string): LeaverTimeline[] {
  const all = everybody(scene);
  const found = all.filter((one) => one.identity === identity);
  const again = found[0] === undefined ? -1 : all.indexOf(found[0]);
  return again === 2 ? [...found, leaving(2, scene, 1)] : found;
}

export function steps(): StepMeasured[] {
  const step = (place: number, does: string, system: string | null, within: number, cases: number, part: number, late: number, nine: number | null): StepMeasured => {
    const months = cases === 0 ? [] : ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"].map((month, n): [string, [number, number]] => [month, [Math.round((cases / 6) * Math.max(0, part - n * 0.05)), Math.max(1, Math.round(cases / 6))]]);
    const inTime = Math.round(cases * part);
    return { step: place, line: place * 6 + 1, does, system, of: place % 2 === 0 ? "leaver" : "leaver, involuntary", within_seconds: within, cases, in_time: inTime, late, undecided: cases - inTime - late, nine_of_ten_seconds: nine, months: Object.fromEntries(months) };
  };
  return [
    step(0, "disable_account", "corp-ad", 900, 61, 0.95, 2, 720), step(1, "disable_account", "entra", 3600, 58, 0.9, 3, 5400), step(2, "revoke_sessions", "corp-vpn", 3600, 31, 0.4, 16, 129_600),
    step(3, "revoke_credentials", "aws-prod", 14_400, 22, 0.3, 14, null), step(4, "remove_grants", null, 86_400, 140, 0.7, 20, 259_200), step(5, "disable_account", "scim-itsm", 86_400, 4, 0.5, 1, null), step(6, "rotate_known_secrets", "vault-eu", 86_400, 0, 0, 0, null),
  ];
}
