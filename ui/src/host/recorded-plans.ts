/** The recorded estate's plan coverage, everyone in short, played events and access policy. */
import type { Cell } from "../wire/Cell";
import type { EventOutcome } from "../wire/EventOutcome";
import type { EventsRehearsal } from "../wire/EventsRehearsal";
import type { PlanCoverage } from "../wire/PlanCoverage";
import type { PolicyDifferences } from "../wire/PolicyDifferences";
import type { PolicyView } from "../wire/PolicyView";
import type { RehearsalView } from "../wire/RehearsalView";
import type { RehearsedRow } from "../wire/RehearsedRow";
import type { Survey } from "../wire/Survey";
import type { Thing } from "../wire/Thing";

const at = "2026-11-20T17:00:00Z";
const systems = ["corp-ad", "vault-prod", "github", "payroll", "aws-prod", "a system with quite a long name in the east"];
const things: Thing[] = ["sign_in", "grant", "reader", "control", "credential", "session", "readable_secret"];
const actions = ["disable_account", "delete_account", "remove_grants", "revoke_credentials", "revoke_sessions", "rotate_known_secrets", "reassign_owned", "grant_birthright"];

/** The first thing in a plan's text that cannot be read. */
export function problem(text: string): { message: string; hint: string } | null {
  for (const [n, line] of text.split("\n").entries()) {
    const place = (at: number) => `line ${n + 1}, column ${at + 1}`;
    const table = /^\s*\[\[?([^\]]*)/.exec(line)?.[1];
    if (table !== undefined && !["step", "system", "limit"].includes(table)) return { message: `${place(line.indexOf(table))}: unknown table \`${table}\``, hint: "one of [[step]], [[system]], [[limit]]" };
    const does = /^\s*does\s*=\s*"([^"]*)"?/.exec(line)?.[1];
    if (does !== undefined && !actions.includes(does)) return { message: `${place(line.indexOf('"'))}: \`${does}\` is not a value of \`does\``, hint: `one of ${actions.join(", ")}` };
    const within = /^\s*within\s*=\s*"([^"]*)"?/.exec(line)?.[1];
    if (within !== undefined && !/^\d+[smhd]$/.test(within)) return { message: `${place(line.indexOf('"'))}: \`${within}\` is no duration`, hint: 'write a whole number and s, m, h or d, such as "15m" or "24h"' };
    if (/\S/.test(line) && table === undefined && !/^\s*(#|[a-z_]+\s*=\s*\S)/.test(line)) return { message: `${place(line.search(/\S/))}: expected \`=\``, hint: "write key = value" };
  }
  return null;
}
/** How much a text closes that the recorded plan leaves open: each rotation a part. */
const better = (text: string | null) => Math.min(0.9, (text?.match(/rotate_known_secrets|revoke_credentials/g)?.length ?? 0) * 0.3);

/** A rehearsal by another text: what it rotates closes within four hours. */
export function tried(view: RehearsalView, text: string): RehearsalView {
  const never = view.rehearsal.residual.filter((item) => item.closes_at === "never");
  const mended = new Set(never.slice(0, Math.round(never.length * better(text))));
  const start = Date.parse(view.rehearsal.at);
  const closes = new Date(start + 4 * 3_600_000).toISOString().replace(".000", "");
  const residual = view.rehearsal.residual.map((item) => (mended.has(item) ? { ...item, closes_at: closes } : item));
  const open = (kind: string, s: number) => residual.filter((one) => one.kind === kind && (one.closes_at === "never" || Date.parse(one.closes_at) > start + s * 1000)).length;
  const stops = [...new Set([0, ...residual.filter((one) => one.closes_at !== "never").map((one) => (Date.parse(one.closes_at) - start) / 1000)])].sort((a, b) => a - b);
  const left = view.never - mended.size;
  return {
    ...view, plan_name: null, never: left, late: view.late - mended.size, rehearsal: { ...view.rehearsal, residual, verdict: view.late - mended.size > 0 ? "fail" : view.rehearsal.verdict },
    curve: stops.map((s) => ({ after_seconds: s, at: new Date(start + s * 1000).toISOString(), accounts: open("account", s), credentials: open("credential", s), entitlements: open("entitlement", s), locations: open("location", s) })),
  };
}

const named = (scene: string) =>
  scene === "million" ? Array.from({ length: 200 }, (_, n) => `${["vault", "k8s", "pg", "aws"][n % 4] ?? ""}-${["eu-central", "us-east", "ap-south"][n % 3] ?? ""}-${String(n).padStart(3, "0")}.prod.brantholm.example`)
    : scene === "odd" ? [...systems, "a-system-with-a-rather-long-name-that-goes-on.and-on.example.internal".repeat(2), "نظام الرواتب", "eve\u202egpj.\u200bexe"] : systems;

export function coverage(text: string | null, scene: string): PlanCoverage {
  const cells: Cell[] = [];
  const part = 1 - better(text);
  const size = scene === "million" ? 1009 : 1;
  for (const [e, event] of ["leaver", "vendor_exit", "workload_retired", "agent_retired"].entries())
    for (const [s, system] of named(scene).entries())
      for (const [t, thing] of things.entries()) {
        const of = (e * 7 + s * 5 + t * 3) % 11;
        if (of < 3 || (e > 0 && s % 3 === 0)) continue;
        const never = of % 3 === 0 ? of * 21 * size : 0;
        const kept = Math.round(never * part);
        cells.push({ event, system, thing, in_time: of * 113 * size + never - kept, late: of % 4 === 0 ? of * 9 : 0, never: kept, unknown: of % 5 === 0 ? of * 4 : 0 });
      }
  const unread = scene === "odd" || scene === "million" ? Array.from({ length: 14 }, (_, n) => `legacy-system-${n}.that-nobody-reads.example`) : ["legacy-hr"];
  return { at, cells, unread_systems: unread };
}

export function survey(leavers: RehearsedRow[], steps: boolean, text: string | null, scene: string): Survey {
  if (leavers.length === 0) return { at, identities: 0, fail: 0, indeterminate: 0, pass: 0, late: 0, never: 0, leavers: [], systems: [], secrets: [], steps: steps ? [] : null };
  const part = 1 - better(text);
  const of = (value: number) => Math.round(value * part);
  const known = named(scene).slice(0, 20);
  const fail = of(4_218);
  return {
    at, identities: 23_106, fail, indeterminate: 1_902, pass: 23_106 - 1_902 - fail, late: of(31_440), never: of(12_077),
    leavers: part === 1 ? leavers : leavers.slice(4).map((one) => ({ ...one, late: of(one.late), never: of(one.never) })),
    systems: known.map((system, n) => ({ system, leavers: of(Math.max(9, 3120 - n * 503)), late: of(Math.max(12, 9210 - n * 1204)) })),
    secrets: Array.from({ length: 20 }, (_, n) => ({ system: known[n % 3] ?? "", id: n === 0 ? "kv/prod/payments/db-root" : n === 3 ? "kv/teams/payments/settlement/eu-central/production/postgres-primary/application-password" : `kv/team-${n}/shared`, leavers: of(Math.max(3, 312 - n * 23)) })).slice(part === 1 ? 0 : 2),
    steps: steps ? known.slice(0, 5).map((system, n) => ({ does: ["rotate_known_secrets", "disable_account", "revoke_credentials"][n % 3] ?? "", system, within_seconds: n === 3 ? 86_400 : 3600, closes: 8204 - n * 1601, mends: Math.max(0, 1402 - n * 351) })) : null,
  };
}

export function events(texts: string[]): EventsRehearsal {
  const outcomes = texts.map((text, n): EventOutcome => {
    const said = new Map(text.split(",").map((part) => part.split("=") as [string, string]));
    const late = n % 2 === 1;
    return {
      event: said.get("kind") ?? "leaver", identity: said.get("identity") ?? "", at, shown_by: ["hr-roster:104882"], noticed: late ? "late" : "yes", begins_at: late ? "2026-11-21T06:00:00Z" : at,
      told: [{ event: said.get("kind") ?? "leaver", record: "hr-roster:104882", earliest: at, latest: "2026-11-21T06:00:00Z", noticed_at: "2026-11-21T06:00:00Z", changed: [] }],
      why_not: late ? ["the roster is read once a day: what happens after 06:00 is told the day after"] : [], missing_facts: [], verdict: late ? "fail" : "pass", rehearsal: null,
    };
  });
  return { events: outcomes, verdict: outcomes.some((one) => one.verdict === "fail") ? "fail" : "pass" };
}

const text = `@id("everyone-mail")\n@birthright\npermit (principal, action == Action::"hold", resource == Entitlement::"corp-ad:mail")\nwhen { principal.kind == "person" };\n\n@id("finance-ledger")\npermit (principal, action == Action::"hold", resource in [Entitlement::"payroll:ledger"])\nwhen { principal has department && principal.department == "Finance" };\n`;
const view = (standing: string): PolicyView => ({ name: "access.cedar", standing, at: "2026-11-18T09:12:00Z", who: "petra", text, sha256: "4b1f0c9a2d6e", rules: 2 });
export const policies: { active: PolicyView | null; draft: PolicyView | null } = { active: view("active"), draft: null };
export function draft(name: string, newText: string): PolicyView {
  policies.draft = { ...view("draft"), name, text: newText };
  return policies.draft;
}

export const differences = (): PolicyDifferences => ({
  at, active: { name: "access.cedar", sha256: "4b1f0c9a2d6e" }, draft: { name: "access.cedar", sha256: "77d1a0" }, names: { "104882": "Mara Lindqvist" }, unread: ["the latest read of grants of `github` is not complete"], named_unread: ["payroll:ledgr"],
  identities: 412, kinds_of_people: 64, entitlements: 3, truncated: 388,
  counts: [{ change: "newly_refused", pairs: 402, identities: 390, entitlements: 2, held: 310 }, { change: "birthright_gained", pairs: 22, identities: 22, entitlements: 1, held: 4 }],
  lines: Array.from({ length: 24 }, (_, n) => ({ identity: n === 0 ? "104882" : `10${4000 + n}`, system: n % 2 === 0 ? "payroll" : "corp-ad", id: n % 2 === 0 ? "ledger" : "mail", held: n < 16, changes: [n % 2 === 0 ? "newly_refused" : "birthright_gained"], before: { policy: "permitted", because: ["finance-ledger"], unknown: [], error: null }, after: { policy: "not_permitted", because: [], unknown: n % 5 === 0 ? ["department"] : [], error: null } })),
});
