/** The recorded estate behind the bridge: invented people, systems and figures, for development only. */
import type { CheckView } from "../wire/CheckView";
import type { EventRow } from "../wire/EventRow";
import type { IdentityDetail } from "../wire/IdentityDetail";
import type { IdentityRow } from "../wire/IdentityRow";
import type { JournalRow } from "../wire/JournalRow";
import type { KindTotals } from "../wire/KindTotals";
import type { Link } from "../wire/Link";
import type { NewSource } from "../wire/NewSource";
import type { PlanView } from "../wire/PlanView";
import type { RehearsalView } from "../wire/RehearsalView";
import type { RehearsedRow } from "../wire/RehearsedRow";
import type { ResidualItem } from "../wire/ResidualItem";
import type { SourceKindView } from "../wire/SourceKindView";
import type { SourceRow } from "../wire/SourceRow";
import type { RunDetail } from "../wire/RunDetail";
import type { RunRow } from "../wire/RunRow";
import type { RowWindow } from "../wire/RowWindow";
import type { ListQuery } from "../wire/ListQuery";
import type { DraftProblem } from "../wire/DraftProblem";
import type { ScriptView } from "../wire/ScriptView";
import type { Totals } from "../wire/Totals";
import type { WeakReadView } from "../wire/WeakReadView";
import type { VerifyView } from "../wire/VerifyView";

export const PEOPLE = 4821;
export const totals = (reported: number, stored = 0, skipped = 0, failed = 0): Totals => ({ reported, received: reported - skipped - failed, stored, unchanged: reported - stored - skipped - failed, skipped, failed, removed: 0 });
const kind = (name: string, t: Totals, gaps: string[] = []): KindTotals => ({ kind: name, totals: t, complete: gaps.length === 0, gaps, mode: "full", full_at: "2026-11-20T06:30:12Z", held: null });

export const check: CheckView = {
  at: "2026-11-20T06:30:11Z", signed_in_as: "cn=lastkey-reader,ou=services,dc=brantholm,dc=example", server: "OpenLDAP 2.6.7, LDAPS, TLS 1.3",
  missing_rights: [{ name: "environments:read", why: "environment secrets are not listed without it" }], excess_rights: [{ name: "pwdReset", why: "reading needs no right to reset passwords" }], rights_known: true, warnings: [], remarks: ["the server answers at most 1,000 entries a page"],
};
const good: CheckView = { ...check, missing_rights: [], excess_rights: [], remarks: [] };

function source(name: string, title: string, group: string, reads: string[], amount: number, stored: number, last = "2026-11-20T06:31:00Z"): SourceRow {
  const share = reads.map((read, i) => kind(read, totals(Math.floor(amount / reads.length) + (i === 0 ? amount % reads.length : 0), i === 0 ? stored : 0)));
  return { name, kind: title.toLowerCase(), kind_title: title, group, reads, settings: { folder: `/srv/exports/${name}` }, state: "complete", message: null, hint: null, totals: totals(amount, stored), last_sync: 4112, last_complete_at: last, age_seconds: 5_400, fresh_for_seconds: 86_400, freshness: "fresh", kinds: share, check: good, fingerprints: false, left_incomplete: [] };
}

export function sources(scene: string): SourceRow[] {
  const list = [
    source("hr-roster", "Flat files", "truth", ["identities"], 48213, 23, "2026-11-20T06:02:00Z"),
    source("vendor-register", "Flat files", "truth", ["identities", "owners"], 318, 0, "2026-11-20T06:02:00Z"),
    source("corp-ad", "LDAP directory", "directory", ["accounts", "entitlements", "grants"], 61904, 27),
    source("entra", "LDAP directory", "directory", ["accounts", "entitlements", "grants"], 50772, 14, "2026-11-20T05:31:00Z"),
    source("scim-itsm", "Flat files", "directory", ["accounts"], 12870, 0, "2026-11-20T06:40:00Z"),
    source("aws-prod", "Flat files", "cloud", ["accounts", "credentials", "grants"], 2204, 0),
    source("aws-data", "Flat files", "cloud", ["accounts", "credentials", "grants"], 1466, 5),
    source("github", "Flat files", "cloud", ["accounts", "credentials", "locations"], 9356, 128),
    source("vault-eu", "Flat files", "vault", ["credentials", "locations", "readers"], 18402, 25),
    source("k8s-prod", "Flat files", "vault", ["locations", "readers", "credentials"], 7731, 29),
    source("k8s-edge", "Flat files", "vault", ["locations", "readers", "credentials"], 0, 0, "2026-11-18T22:10:00Z"),
    source("pg-billing", "Flat files", "vault", ["accounts", "grants"], 64, 0),
  ];
  const github = list[7];
  if (github) {
    github.state = "incomplete";
    github.message = "38 locations were skipped";
    github.last_complete_at = null;
    github.totals = totals(9356, 128, 38);
    github.kinds = [kind("accounts", totals(1204, 60)), kind("credentials", totals(1208, 20)), kind("locations", totals(6944, 48, 38), ["38 repositories: environment secrets forbidden, needs `environments:read`"])];
    github.check = check;
  }
  const edge = list[10];
  if (edge) Object.assign(edge, { state: "failed", message: "the certificate of `k8s-edge.brantholm.example:6443` is not trusted", hint: "compare the fingerprint with your cluster team, then name the certificate in the source's settings", totals: null, kinds: [], check: null });
  if (scene === "failed") for (const one of list) Object.assign(one, { state: "failed", message: "the folder cannot be read: permission denied", hint: "give the user who runs the program the right to read it", totals: null, kinds: [], last_complete_at: null });
  return list;
}
export const fresh = (wanted: NewSource): SourceRow => ({ ...source(wanted.name, wanted.kind, "other", ["identities"], 0, 0), state: "never", totals: null, kinds: [], settings: wanted.settings, last_sync: null, last_complete_at: null, check: null });

export const kinds: SourceKindView[] = [
  { kind: "flat-files", title: "Flat files", summary: "CSV, JSON lines or JSON exports in a folder.", settings: [{ key: "folder", label: "Folder", help: "A folder with identities.csv, accounts.csv and so on.", required: true, default: "", choices: [], chooser: "", part: "system", only_with: [] }, { key: "zone", label: "Time zone of bare dates", help: "IANA name.", required: false, default: "UTC", choices: [], chooser: "", part: "system", only_with: [] }, { key: "role", label: "Role", help: "A source of truth says who exists.", required: true, default: "truth", choices: ["truth", "system"], chooser: "", part: "system", only_with: [] }], secret: "none", secret_label: "", reads: ["identities", "accounts", "entitlements", "grants", "credentials", "locations", "owners"], keeps_values: false },
  { kind: "ldap", title: "LDAP directory", summary: "Active Directory, OpenLDAP and others over LDAPS.", settings: [{ key: "url", label: "Address", help: "ldaps://host:636", required: true, default: "ldaps://", choices: [], chooser: "", part: "system", only_with: [] }, { key: "bind_dn", label: "Sign in as", help: "A reader with the least rights.", required: true, default: "", choices: [], chooser: "", part: "system", only_with: [] }, { key: "base_dn", label: "Search base", help: "", required: true, default: "", choices: [], chooser: "", part: "system", only_with: [] }], secret: "required", secret_label: "Password", reads: ["accounts", "entitlements", "grants"], keeps_values: false },
];

export function journal(name: string): JournalRow[] {
  const line = (at: string, what: string, text: string, count = 1, examples: string[] = [], k: string | null = null): JournalRow => ({ sync: 4118, source: name, at: `2026-11-20T06:${at}Z`, what, kind: k, text, count, examples });
  const head = [line("33:02.114", "start", `sync 4,118 of ${name}, kinds: accounts, credentials, locations`), line("33:04.870", "page", "page 1 of accounts: 100 received, request 8F21:3C2A")];
  const pages = Array.from({ length: 60 }, (_, i) => line(`33:${String(5 + Math.floor(i / 2)).padStart(2, "0")}.${String(100 + i)}`, "page", `page ${i + 2} of accounts: 100 received`, 1, [], "accounts"));
  const tail = [
    line("33:41.302", "wait", "remaining quota 212 of 5,000; pace lowered to 4 requests/s"), line("34:10.775", "retry", "page 61 of locations: 502, tried again after 2.0 s, received"),
    line("35:22.018", "skip", "repositories: environment secrets forbidden", 38, ["brantholm/ledger", "brantholm/edge"]), line("35:22.019", "note", "absence cannot be claimed for locations in these repositories"),
    line("36:48.440", "drift", "unknown field `push_protection` kept as attribute", 412), line("37:15.207", "end", "9,356 reported = 128 stored + 9,190 unchanged + 38 skipped + 0 failed"),
  ];
  return [...head, ...tail, ...pages].sort((a, b) => (a.at < b.at ? -1 : 1));
}

const first = ["Marta", "Devendra", "Yuki", "Idris", "Sofia", "Grzegorz", "Hugo", "ليلى", "Tomáš", "Aoife", "Petra", "Nils", "Chloé", "Ravi", "Ingrid", "Mateo"];
const last = ["Lindqvist", "Rao", "Tanabe", "Bekele", "Marchetti", "Wójcik", "Castellanos", "حداد", "Novák", "Byrne", "Anand", "Strand", "Dubois", "Keller", "Nakamura", "Silva"];
const departments = ["Payments", "Data platform", "Finance", "People", "Edge operations", "Customer care", "Legal"];
export function person(i: number): IdentityRow {
  const agent = i % 97 === 5;
  const workload = i % 41 === 7;
  const vendor = i % 61 === 9;
  const kindName = agent ? "agent" : workload ? "workload" : vendor ? "vendor" : "person";
  const name = agent ? `invoice-triage agent ${i}` : workload ? `svc-ledger-export-${i}` : vendor ? `Kestrel Systems ${i} GmbH` : `${first[i % 16] ?? ""} ${last[(i * 7 + (i >> 4)) % 16] ?? ""}`;
  return {
    id: String(104_000 + i), source: vendor ? "vendor-register" : "hr-roster", kind: kindName, display_name: name, email: kindName === "person" ? `p${i}@brantholm.example` : null,
    status: i % 113 === 11 ? null : i % 17 === 3 ? "inactive" : i % 53 === 4 ? "pending" : i % 71 === 6 ? "on_leave" : "active",
    department: vendor ? null : (departments[i % 7] ?? null), title: kindName === "person" ? ["Staff engineer", "Analyst", "Controller", "Operations lead"][i % 4] ?? null : null, manager_id: kindName === "person" ? String(104_000 + (i % 40)) : null,
    employer_id: null, end_date: i % 17 === 3 ? `2026-11-${String((i % 27) + 1).padStart(2, "0")}` : null, accounts: kindName === "person" ? (i * 5) % 9 : i % 3,
  };
}
let all: IdentityRow[] | null = null;
export const everyone = () => (all ??= Array.from({ length: PEOPLE }, (_, i) => person(i)));

export const events: EventRow[] = [{ event: "leaver", identity: "104003", name: null, source: "hr-roster", earliest: "2026-11-18T17:00:00Z", latest: "2026-11-19T06:02:00Z", changed: [] }];

export function detail(row: IdentityRow): IdentityDetail {
  const facts = [
    ["Kind", row.kind], ["Id", row.id], ["Mail", row.email], ["Department", row.department], ["Title", row.title], ["Manager", row.manager_id], ["Last day", row.end_date], ["Source", row.source],
  ].filter((pair): pair is [string, string] => typeof pair[1] === "string").map(([label, value]) => ({ label, value, basis: "observed" as const, identity: label === "Manager" ? value : null }));
  return {
    row, facts,
    accounts: [
      { system: "corp-ad", id: "mlindqvist", name: null, kind: "human", matched_by: "identity id", basis: "observed", enabled: true, privileged: false, last_used_at: "2026-11-18T15:04:00Z", expires_at: null, source: "corp-ad" },
      { system: "entra", id: "marta.lindqvist@brantholm.example", name: null, kind: "human", matched_by: "mail", basis: "observed", enabled: true, privileged: false, last_used_at: null, expires_at: null, source: "entra" },
      { system: "aws-prod", id: "mlindqvist", name: null, kind: "human", matched_by: "mail", basis: "observed", enabled: true, privileged: true, last_used_at: "2026-11-17T09:12:00Z", expires_at: null, source: "aws-prod" },
      { system: "pg-billing", id: "mlind_adm", name: null, kind: "human", matched_by: "login", basis: "assumed", enabled: null, privileged: true, last_used_at: null, expires_at: "2026-12-24T00:00:00Z", source: "pg-billing" },
    ],
    entitlements: [
      { system: "corp-ad", id: "GG-Payments-Ops", name: null, kind: "group", privileged: false, on_account: "corp-ad:mlindqvist", through: [], basis: "observed" },
      { system: "aws-prod", id: "BillingReadWrite", name: null, kind: "policy", privileged: true, on_account: "aws-prod:mlindqvist", through: ["aws-prod:finance-tools"], basis: "observed" },
    ],
    credentials: [
      { system: "aws-prod", id: "AKIA3XQLM2TN7QX2", kind: "access_key", account: "mlindqvist", relation: "own", enabled: true, rotated_at: "2024-02-11T00:00:00Z", expires_at: null, last_used_at: "2026-11-17T09:12:00Z", places: 0, basis: "observed" },
      { system: "pg-billing", id: "app-pw", kind: "password", account: "app", relation: "readable", enabled: true, rotated_at: null, expires_at: null, last_used_at: null, places: 4, basis: "observed" },
    ],
    places: [{ system: "vault-eu", path: "kv/payments/prod/pg", kind: "vault_path", environment: "production", credentials: ["pg-billing:app-pw"], through: "corp-ad:GG-Payments-Ops", basis: "observed" }],
    owners: [{ object_type: "identity", system: null, object_id: row.id, owner_id: row.manager_id ?? "104001", owner_name: "Petra Anand", role: "business", basis: "observed", state: "present", source: "hr", confirmed_by: null, confirmed_at: null, why: null }],
    answers_for: [{ object_type: "identity", system: null, object_id: "svc-ledger-export", owner_id: row.id, owner_name: row.display_name, role: "technical", basis: "attested", state: "present", source: null, confirmed_by: "m.keller", confirmed_at: "2026-05-04T08:12:00Z", why: "asked at the review" }, { object_type: "account", system: "pg-billing", object_id: "settlement-nightly", owner_id: row.id, owner_name: row.display_name, role: "technical", basis: "observed", state: "present", source: "cmdb", confirmed_by: null, confirmed_at: null, why: null }],
    history: events, counts: { accounts: 4, entitlements: 2, credentials: 2, places: 1, owners: 1, answers_for: 2 },
  };
}

export const plan: PlanView = { name: "offboarding v14", loaded_at: "2026-11-12T09:00:00Z", sha256: "c1f0a4", steps: 9, text: '[[step]]\non = "leaver"\nsystem = "corp-ad"\ndoes = "disable_account"\nhow = "automatic"\nwithin = "15m"\n\n[[limit]]\non = "leaver"\nwithin = "24h"\n' };

const T = Date.UTC(2026, 10, 30, 16, 0, 0);
const at = (seconds: number) => new Date(T + seconds * 1000).toISOString().replace(".000", "");
export function rehearsal(row: IdentityRow, when: string | null): RehearsalView {
  const link = (k: Link["kind"], system: string, id: string, by: string, closes: string, basis: Link["basis"] = "observed"): Link => ({ kind: k, system, id, on_account: null, by, closes_at: closes, basis });
  const door = [link("account", "corp-ad", "drao", "signs in", at(900)), link("entitlement", "corp-ad", "GG-Data-Ops", "member of", at(900)), link("location", "vault-eu", "kv/data/prod/replicator", "reads", at(900)), link("credential", "pg-core", "replicator-pw", "stands at", "never")];
  const item = (k: ResidualItem["kind"], system: string, id: string, closes: string, severity: ResidualItem["severity"], basis: ResidualItem["basis"], links: Link[], more: Partial<ResidualItem> = {}): ResidualItem => ({
    kind: k, system, id, on_account: null, closes_at: closes, path: links.map((l) => `${l.kind} ${l.system}:${l.id}`), basis, closing_basis: "assumed", severity, reason: closes === "never" ? "no step of the plan reaches it and it does not expire" : "the session lives on after the account is closed", links, known_through: [], limit_at: at(86400), limit_source: "plan", would_close: closes === "never" ? `rotate_known_secrets in ${system} within 24 h` : null, privileged: severity === "critical", environment: null, ...more,
  });
  const never = [
    item("account", "aws-data", "drao-admin", "never", "critical", "observed", [link("account", "aws-data", "drao-admin", "signs in", "never")]),
    item("account", "pg-core", "replicator", "never", "critical", "observed", [link("credential", "pg-core", "replicator-pw", "known secret", "never"), link("account", "pg-core", "replicator", "opens", "never", "assumed")], { known_through: door }),
    item("credential", "aws-data", "AKIA5RTLQ2M8ZWCV41HD", "never", "critical", "observed", [link("credential", "aws-data", "AKIA5RTLQ2M8ZWCV41HD", "own credential", "never")]),
    item("credential", "pg-core", "replicator-pw", "never", "critical", "observed", [link("credential", "pg-core", "replicator-pw", "known secret", "never")], { known_through: door }),
    item("entitlement", "aws-data", "AdministratorAccess", "never", "critical", "observed", [link("account", "aws-data", "drao-admin", "signs in", "never"), link("entitlement", "aws-data", "AdministratorAccess", "holds", "never")], { on_account: "aws-data:drao-admin" }),
    item("credential", "k8s-prod", "argocd-deployer-token", "never", "high", "assumed", [link("credential", "k8s-prod", "argocd-deployer-token", "known secret", "never", "assumed")]),
  ];
  const late = [
    item("credential", "edge-hosts", "cert serial 88419", at(7 * 86400), "high", "observed", [link("credential", "edge-hosts", "cert serial 88419", "own credential", at(7 * 86400))]),
    item("credential", "github", "token gho_R7bQ2xN9c2", at(30 * 86400), "medium", "observed", [link("credential", "github", "token gho_R7bQ2xN9c2", "own credential", at(30 * 86400))]),
    item("account", "github", "drao", at(30 * 86400), "medium", "assumed", [link("account", "github", "drao", "signs in", at(30 * 86400), "assumed")]),
    item("entitlement", "github", "data-platform-maintainers-with-a-long-name", at(30 * 86400), "medium", "assumed", [link("account", "github", "drao", "signs in", at(30 * 86400), "assumed")], { on_account: "github:drao" }),
  ];
  const inTime = [
    item("account", "corp-ad", "drao", at(900), "low", "observed", [link("account", "corp-ad", "drao", "signs in", at(900))], { reason: "closed by disable_account in corp-ad" }),
    item("account", "entra", "devendra.rao@brantholm.example", at(3600), "low", "observed", [link("account", "entra", "devendra.rao@brantholm.example", "signs in", at(3600))]),
    item("location", "vault-eu", "kv/data/prod/replicator", at(900), "low", "observed", door.slice(0, 3)),
    ...Array.from({ length: 24 }, (_, i) => item("entitlement", "corp-ad", `GG-App-${String(i).padStart(3, "0")}-Users`, at(900 + i * 600), "low", "observed", door.slice(0, 2), { on_account: "corp-ad:drao" })),
  ];
  const fails = Number(row.id) % 3 !== 2;
  const items = fails ? [...never, ...late, ...inTime] : inTime;
  const open = (s: number, k: ResidualItem["kind"]) => items.filter((one) => one.kind === k && (one.closes_at === "never" || Date.parse(one.closes_at) > T + s * 1000)).length;
  const steps = [0, ...new Set(items.filter((one) => one.closes_at !== "never").map((one) => (Date.parse(one.closes_at) - T) / 1000))].sort((a, b) => a - b);
  return {
    rehearsal: {
      identity: row.id, event: "leaver", at: when ?? at(0), residual: items, verdict: fails ? "fail" : Number(row.id) % 2 === 0 ? "pass" : "indeterminate",
      breaks: [
        { certainty: "will_break", what: "account pg-core:settlement-nightly", depends_on: "uses the password that is rotated", when_closed: "credential pg-core:replicator-pw", at: at(86400), basis: "observed" },
        { certainty: "may_break", what: "identity svc-ledger-export", depends_on: "loses its last owner", when_closed: `identity ${row.id}`, at: at(0), basis: "observed" },
        { certainty: "unknown", what: "account k8s-edge:jobs", depends_on: "its last use is not known", when_closed: "credential k8s-prod:argocd-deployer-token", at: "never", basis: "assumed" },
      ],
      missing_facts: ["k8s-edge was not read: its certificate is not trusted", "github: 38 locations were skipped, so secrets there may be unknown"],
    },
    display_name: row.display_name, plan_name: plan.name, left_already: row.status === "inactive", late: fails ? never.length + late.length : 0, never: fails ? never.length : 0,
    curve: steps.map((s) => ({ after_seconds: s, at: at(s), accounts: open(s, "account"), credentials: open(s, "credential"), entitlements: open(s, "entitlement"), locations: open(s, "location") })),
    names: {}, weak, horizon_days: 90, took_ms: 11,
  };
}

export function rehearsed(): RehearsedRow[] {
  const rank = { fail: 0, indeterminate: 1, pass: 2 };
  return everyone().map((row, i): RehearsedRow => {
    const verdict = i % 9 === 1 ? "fail" : i % 11 === 2 ? "indeterminate" : "pass";
    const never = verdict === "fail" ? (i % 12) + 1 : 0;
    return { identity: row.id, display_name: row.display_name, kind: row.kind, verdict, residual: (i % 60) + never, late: verdict === "fail" ? never + (i % 5) : 0, never, worst: verdict === "fail" ? (i % 4 === 1 ? "critical" : "high") : verdict === "indeterminate" ? "medium" : "low" };
  }).sort((a, b) => rank[a.verdict] - rank[b.verdict] || b.never - a.never);
}

export function verified(path: string, signer: string | null): VerifyView {
  const broken = path.includes("evidence");
  return { path, state: broken ? "broken" : signer ? "intact" : "intact, signer unknown", signer: "41c8a7d0e52b96f3180d4c7ab95ef6627d13c08ea4b29f571863bdc0e7a94f12", package_id: "pk-2026-11-20-7c41", made_at: "2026-11-20T07:02:00Z", files: 31, problems: broken ? [{ file: "facts/accounts.jsonl", message: "the hash differs from the manifest" }, { file: null, message: "a file is missing: `journal.jsonl`" }] : [] };
}

export const weak: WeakReadView[] = [
  { source: "k8s-edge", kind: null, state: "never", gaps: [], complete_at: null, sync: null },
  { source: "github", kind: "location", state: "incomplete", gaps: ["38 locations skipped: environment secrets forbidden"], complete_at: "2026-11-12T06:31:00Z", sync: 4118 },
  { source: "corp-ad", kind: "account", state: "stale", gaps: [], complete_at: "2026-11-11T06:31:00Z", sync: 4112 },
  { source: "corp-ad", kind: "grant", state: "stale", gaps: [], complete_at: "2026-11-11T06:31:00Z", sync: 4112 },
];

/** A hundred thousand runs, made as they are asked for. */
export function runs(source: SourceRow | undefined, query: ListQuery): RowWindow<RunRow> {
  const all = source?.last_sync == null ? 0 : 100_000;
  const row = (i: number): RunRow => ({ sync: 4118 - i, started_at: new Date(Date.UTC(2026, 10, 20, 6) - i * 3_600_000).toISOString(), ended_at: new Date(Date.UTC(2026, 10, 20, 6, 0, 41) - i * 3_600_000).toISOString(), took_ms: 41_302, read_at: "2026-11-20T06:00:00Z", state: i % 9 === 4 ? "incomplete" : i % 31 === 7 ? "failed" : "complete", message: null, hint: null, totals: totals(9356, i % 17, i % 9 === 4 ? 38 : 0), kinds: 3, complete_kinds: i % 9 === 4 ? 2 : 3, mode: i % 7 === 0 ? "full" : "incremental", resumed: i % 40 === 3, held: 0 });
  return { rows: Array.from({ length: Math.max(0, Math.min(query.limit, all - query.offset)) }, (_, i) => row(query.offset + i)), offset: query.offset, matching: all, total: all };
}
export function run(list: SourceRow[], sync: number): RunDetail {
  const source = list.find((one) => one.last_sync === sync) ?? list[0];
  return { sync, kinds: source?.kinds ?? [], queries: [{ kind: "account", queries: ["(objectClass=person)"] }], journal: [{ word: "page", count: 61 }, { word: "skip", count: 1 }, { word: "retry", count: 1 }, { word: "wait", count: 1 }, { word: "drift", count: 1 }, { word: "note", count: 1 }, { word: "start", count: 1 }, { word: "end", count: 1 }] };
}
export function problem(source: { name: string; settings: Record<string, string | undefined> }): DraftProblem | null {
  if (source.name === "") return { field: "name", message: "`` is not a name for a source", hint: "use up to 64 letters, digits, dots, dashes or underscores" };
  if (source.settings.url === "ldaps://") return { field: "url", message: "`ldaps://` is not an address of a directory", hint: "write ldaps://host or ldaps://host:636" };
  return null;
}
export const scripts = (source: { kind: string; settings: Record<string, string | undefined> }): ScriptView[] =>
  source.kind === "ldap" ? [{ title: "Least rights for reading", usage: "run with `ldapmodify -Y EXTERNAL -H ldapi:///`", file_name: "lastkey-reader.ldif", text: `dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\nolcAccess: to * by dn.exact="${source.settings.bind_dn ?? ""}" read by * break\n` }] : [];
