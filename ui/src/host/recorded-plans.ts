/** The recorded estate's plan coverage, everyone in short, played events and access policy. */
import { partsOf, whoOf, wordOf, type Word } from "../surfaces/eventwords";
import type { Cell } from "../wire/Cell";
import type { EventOutcome } from "../wire/EventOutcome";
import type { EventsRehearsal } from "../wire/EventsRehearsal";
import type { OwnersChanged } from "../wire/OwnersChanged";
import type { PlanCoverage } from "../wire/PlanCoverage";
import type { PolicyDifferences } from "../wire/PolicyDifferences";
import type { PolicySays } from "../wire/PolicySays";
import type { PolicyView } from "../wire/PolicyView";
import type { Rehearsal } from "../wire/Rehearsal";
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

const secret = (n: number) => (n === 0 ? "kv/prod/payments/db-root" : n === 3 ? "kv/teams/payments/settlement/eu-central/production/postgres-primary/application-password" : `kv/team-${n}/shared`);
const knowers = (n: number) => Math.max(3, 312 - n * 23);
const keepers = (n: number) => Math.max(9, 520 - n * 83);
/** Those of everyone who would know a secret, or keep something in a system, too long. */
export function among(everyone: RehearsedRow[], filters: string[], scene: string): RehearsedRow[] {
  const known = named(scene).slice(0, 20);
  const value = (column: string) => filters.find((filter) => filter.startsWith(`${column}=`))?.slice(column.length + 1);
  const [of, where] = [value("secret"), value("keeps_in")];
  const late = everyone.filter((row) => row.late > 0);
  const first = (found: number, size: (n: number) => number) => new Set(found < 0 ? [] : late.slice(found, found + size(found)));
  const by = [...(of === undefined ? [] : [first(Array.from({ length: 20 }, (_, n) => `${known[n % 3] ?? ""}:${secret(n)}`).indexOf(of), knowers)]), ...(where === undefined ? [] : [first(known.indexOf(where), keepers)])];
  return everyone.filter((row) => by.every((some) => some.has(row)));
}

export function survey(leavers: RehearsedRow[], everyone: RehearsedRow[], steps: boolean, text: string | null, scene: string): Survey {
  if (leavers.length === 0) return { at, identities: 0, fail: 0, indeterminate: 0, pass: 0, late: 0, never: 0, stayed: 0, unknown: [], leavers: [], systems: [], secrets: [], steps: steps ? [] : null };
  const part = 1 - better(text);
  const of = (value: number) => Math.round(value * part);
  const known = named(scene).slice(0, 20);
  const sum = (amount: (row: RehearsedRow) => number) => everyone.reduce((all, row) => all + amount(row), 0);
  const fail = of(sum((row) => (row.verdict === "fail" ? 1 : 0)));
  const indeterminate = sum((row) => (row.verdict === "indeterminate" ? 1 : 0));
  return {
    at, identities: everyone.length, fail, indeterminate, pass: everyone.length - indeterminate - fail, late: of(sum((row) => row.late)), never: of(sum((row) => row.never)), stayed: 14,
    unknown: indeterminate === 0 ? [] : [{ fact: "the latest read of grants of `vpn` is not complete", identities: 24, looked_at: 24 }, { fact: "no source tells which fields stand at `team/pipeline` of `legacy-vault`", identities: 7, looked_at: 24 }],
    leavers: part === 1 ? leavers : leavers.slice(4).map((one) => ({ ...one, late: of(one.late), never: of(one.never) })),
    systems: known.map((system, n) => ({ system, leavers: of(keepers(n)), late: of(Math.max(12, 2210 - n * 304)) })),
    secrets: Array.from({ length: 20 }, (_, n) => ({ system: known[n % 3] ?? "", id: secret(n), leavers: of(knowers(n)) })).slice(part === 1 ? 0 : 2),
    steps: steps ? known.slice(0, 5).map((system, n) => ({ does: ["rotate_known_secrets", "disable_account", "revoke_credentials"][n % 3] ?? "", system, within_seconds: n === 3 ? 86_400 : 3600, closes: 8204 - n * 1601, mends: Math.max(0, 1402 - n * 351), passes: Math.max(0, 1180 - n * 351) })) : null,
  };
}

/** What the recorded policy says of a mover, by who it is. */
function saysOf(number: number, noticed: boolean): PolicySays {
  if (number % 5 === 4) return { may_not_hold: [], lacks: [], comes: [], no_policy: 0 };
  const held = number % 5 === 3 ? Array.from({ length: 41 }, (_, n) => `a system with quite a long name in the east:cn=app-${n}-operators-of-the-whole-group,ou=groups,dc=brantholm,dc=example`) : ["payroll:ledger", "github:payments-admins"];
  return { may_not_hold: held, lacks: noticed ? ["corp-ad:treasury-desk"] : ["corp-ad:treasury-desk", "corp-ad:mail"], comes: noticed ? ["corp-ad:mail at 2026-11-20T21:00:00Z"] : [], no_policy: number % 5 === 2 ? 0 : 14 };
}
/** What is handed on; what nobody is known to own has no owner before. */
function handed(object: string, from: string, to: string): OwnersChanged {
  const nobody = object.includes("orphan");
  return { object, before: nobody ? [] : [`${from} (custodian)`, "hr-roster:104002 (owner)"], after: nobody ? [] : [`${to} (custodian)`, "hr-roster:104002 (owner)"] };
}

/** Whoever leaves is noticed by how the record shows it; a leaving keeps what a recorded rehearsal keeps. */
export function events(texts: string[], rehearsed: (identity: string) => Rehearsal): EventsRehearsal {
  const outcomes = texts.map((text): EventOutcome => {
    const parts = partsOf(text) ?? [];
    const said = (name: Word) => wordOf(parts, name);
    const [kind, identity, shown] = [said("kind"), whoOf(parts), said("shown")];
    const owners = kind === "owner_change" ? handed(said("object"), identity, said("to")) : undefined;
    const known = owners === undefined || owners.before.length > 0;
    const when = said("at") === "" ? at : new Date(said("at")).toISOString().replace(".000Z", "Z");
    const record = identity.includes(":") ? identity : `hr-roster:${identity}`;
    const noticed = said("source") === "legacy-hr" ? "unknown" : shown === "nothing" || !known ? "no" : shown === "end_date" ? "late" : "yes";
    const next = new Date(Date.parse(when) + 46_800_000).toISOString().replace(".000Z", "Z");
    const begins = noticed === "no" ? null : noticed === "late" ? next : when;
    const leaves = ["leaver", "vendor_exit", "workload_retired", "agent_retired"].includes(kind);
    const policy = kind === "mover" && policies.active !== null ? saysOf(Number(identity.split(":").at(-1)) || 0, noticed !== "no") : undefined;
    const bad = policy !== undefined && policy.may_not_hold.length + policy.lacks.length > 0;
    const left = leaves || policy ? rehearsed(identity) : null;
    const rehearsal = left && { ...left, event: kind, ...(policy ? { residual: left.residual.slice(0, policy.may_not_hold.length), verdict: bad ? ("fail" as const) : ("pass" as const) } : {}), missing_facts: left.verdict === "pass" ? [] : left.missing_facts };
    const verdict = noticed === "no" || rehearsal?.verdict === "fail" ? "fail" : noticed === "unknown" ? "indeterminate" : (rehearsal?.verdict ?? "pass");
    return {
      event: kind, identity, at: when, shown_by: owners ? [] : [record], noticed, begins_at: begins, verdict, rehearsal, ...(owners ? { owners } : {}), ...(policy ? { policy } : {}),
      told: begins === null ? [] : [{ event: kind, record: owners?.object ?? record, earliest: when, latest: begins, noticed_at: begins, changed: owners ? ["owner"] : kind === "mover" ? ["department"] : ["status"] }],
      why_not: owners && noticed === "no" ? [known ? "nobody enters anything" : `nothing says that \`${identity}\` owns \`${owners.object}\``] : noticed === "no" ? [`\`${record}\` does not change: nobody enters anything`, "`idm:u-88213`, another source of truth, still lists them as active"] : noticed === "late" ? [`\`${record}\` gives a last day that ends at ${next}`] : [],
      missing_facts: noticed === "unknown" ? ["the latest read of identities of `legacy-hr` is not complete: what it tells next is not known"] : [],
    };
  });
  outcomes.sort((one, other) => one.at.localeCompare(other.at));
  return { events: outcomes, verdict: ["fail", "indeterminate"].find((worst): worst is "fail" | "indeterminate" => outcomes.some((one) => one.verdict === worst)) ?? "pass" };
}

const text = `@id("everyone-mail")\n@birthright\npermit (principal, action == Action::"hold", resource == Entitlement::"corp-ad:mail")\nwhen { principal.kind == "person" };\n\n@id("finance-ledger")\npermit (principal, action == Action::"hold", resource in [Entitlement::"payroll:ledger"])\nwhen { principal has department && principal.department == "Finance" };\n`;
const rules = (of: string) => of.split(/;\s*/).filter((rule) => rule.trim() !== "").length;
const view = (standing: string, of: string, sha256: string): PolicyView => ({ name: "access.cedar", standing, at: "2026-11-18T09:12:00Z", who: "petra", text: of, sha256, rules: rules(of) });
export const policies: { active: PolicyView | null; draft: PolicyView | null } = { active: view("active", text, "4b1f0c9a2d6e8f07b3c1"), draft: view("draft", `${text}\n@id("no-vendor-in-payroll")\nforbid (principal, action == Action::"hold", resource in System::"payroll")\nwhen { principal has employer };\n`, "77d1a0c43e9b") };
export function draft(name: string, of: string): PolicyView {
  policies.draft = { ...view("draft", of, `77d1a0${of.length.toString(16)}`), name, at: "2026-11-20T08:31:00Z" };
  return policies.draft;
}

/** Where nobody has a long name, somebody has a short one. */
export const differences = (limit: number, pairs: number, names: string[]): PolicyDifferences => {
  const word = (policy: string, because: string[] = [], unknown: string[] = [], error: string | null = null) => ({ policy, because, unknown, error });
  const lines = Array.from({ length: Math.min(limit, pairs) }, (_, n) => {
    const gained = n >= pairs - 22 || n % 7 === 6;
    return {
      identity: `10${4000 + n}`, system: gained ? "corp-ad" : n % 11 === 3 ? (systems[5] ?? "") : "payroll", id: gained ? "mail" : "ledger", held: n < pairs - 114, changes: [gained ? ("birthright_gained" as const) : n % 13 === 5 ? ("certainty" as const) : ("newly_refused" as const)],
      before: gained ? word("permitted", ["everyone-mail"]) : word("no_policy"),
      after: gained ? word("birthright", ["everyone-mail"]) : n % 17 === 2 ? word("undecided", [], [], "`no-vendor-in-payroll`: the attribute `cost_centre` is a text, and is compared with a number") : word("not_permitted", n % 2 === 0 ? ["no-vendor-in-payroll", "finance-ledger-for-everybody-who-has-been-here-for-longer-than-a-year"] : [], n % 5 === 0 ? ["department of the identity"] : []),
    };
  });
  return {
    at, active: policies.active && { name: policies.active.name, sha256: policies.active.sha256 }, draft: { name: policies.draft?.name ?? "", sha256: policies.draft?.sha256 ?? "" },
    names: Object.fromEntries(lines.map((line, n) => [line.identity, names[n % Math.max(1, names.length)] ?? "Mara Lindqvist"])),
    unread: ["the latest read of grants of `github` is not complete"], named_unread: ["`payroll:ledgr`"], identities: 4821, kinds_of_people: 64, entitlements: 312, truncated: Math.max(0, pairs - lines.length),
    counts: [{ change: "newly_refused", pairs: pairs - 53, identities: pairs - 60, entitlements: 2, held: pairs - 123 }, { change: "birthright_gained", pairs: 22, identities: 22, entitlements: 1, held: 4 }, { change: "certainty", pairs: 31, identities: 31, entitlements: 1, held: 5 }], lines,
  };
};
