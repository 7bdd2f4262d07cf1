/** The recorded estate's plan coverage, everyone in short, played events and access policy. */
import type { Cell } from "../wire/Cell";
import type { EventOutcome } from "../wire/EventOutcome";
import type { EventsRehearsal } from "../wire/EventsRehearsal";
import type { PlanCoverage } from "../wire/PlanCoverage";
import type { PolicyDifferences } from "../wire/PolicyDifferences";
import type { PolicyView } from "../wire/PolicyView";
import type { RehearsedRow } from "../wire/RehearsedRow";
import type { Survey } from "../wire/Survey";
import type { Thing } from "../wire/Thing";

const at = "2026-11-20T17:00:00Z";
const systems = ["corp-ad", "vault-prod", "github", "payroll", "aws-prod", "a system with quite a long name in the east"];
const things: Thing[] = ["sign_in", "grant", "reader", "control", "credential", "session", "readable_secret"];

export function coverage(): PlanCoverage {
  const cells: Cell[] = [];
  for (const [e, event] of ["leaver", "mover", "vendor_exit", "workload_retired"].entries())
    for (const [s, system] of systems.entries())
      for (const [t, thing] of things.entries()) {
        const of = (e * 7 + s * 5 + t * 3) % 11;
        if (of < 3) continue;
        cells.push({ event, system, thing, in_time: of * 113, late: of % 4 === 0 ? of * 9 : 0, never: of % 3 === 0 ? of * 21 : 0, unknown: of % 5 === 0 ? of * 4 : 0 });
      }
  return { at, cells, unread_systems: ["legacy-hr"] };
}

export const survey = (leavers: RehearsedRow[], steps: boolean): Survey => ({
  at, identities: 23_106, fail: 4_218, indeterminate: 1_902, pass: 16_986, late: 31_440, never: 12_077, leavers,
  systems: systems.map((system, n) => ({ system, leavers: 3120 - n * 503, late: 9210 - n * 1204 })),
  secrets: Array.from({ length: 12 }, (_, n) => ({ system: systems[n % 3] ?? "", id: n === 0 ? "kv/prod/payments/db-root" : `kv/team-${n}/shared`, leavers: 312 - n * 23 })),
  steps: steps ? systems.slice(0, 5).map((system, n) => ({ does: ["rotate_known_secrets", "disable_account", "revoke_credentials"][n % 3] ?? "", system, within_seconds: 3600, closes: 8204 - n * 1601, mends: 1402 - n * 280 })) : null,
});

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
