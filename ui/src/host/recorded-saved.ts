/** The recorded estate's saved rehearsals and assertions. */
import type { AssertionResult } from "../wire/AssertionResult";
import type { AssertionRunView } from "../wire/AssertionRunView";
import type { AssertionsView } from "../wire/AssertionsView";
import type { Comparison } from "../wire/Comparison";
import type { ItemDifference } from "../wire/ItemDifference";
import type { KeptItem } from "../wire/KeptItem";
import type { SavedView } from "../wire/SavedView";

const facts = { sync: 18, decisions: 4 };
const view = (name: string, identity: string): SavedView => ({
  name, question: { event: "leaver", identity }, words: `leaver ${identity}`, at: "2026-11-20T17:00:00Z", plan_name: "offboarding.toml", plan_sha256: "9f3a61c0", policy_name: null, policy_sha256: null,
  facts, version: "0.1.0", verdict: "fail", missing_facts: [], items: 14, saved_at: "2026-11-20T06:50:00Z", saved_by: "petra",
});
export const all: SavedView[] = [view("before the new plan", "104882"), view("October, with the plan of then and everything that the vault held at that time", "104882"), view("Hugo", "104003")];
export const save = (name: string, identity: string): SavedView => {
  const saved = view(name, identity);
  all.unshift(saved);
  return saved;
};
export const remove = (name: string): void => {
  const place = all.findIndex((one) => one.name === name);
  if (place >= 0) all.splice(place, 1);
};

const item = (id: string, closes_at: string, verdict: KeptItem["verdict"]): KeptItem => ({ kind: "account", system: "corp-ad", id, closes_at, verdict, basis: "observed", severity: "high", systems: ["corp-ad"] });
const differs = (what: ItemDifference["what"], direction: ItemDifference["direction"], before: KeptItem | null, after: KeptItem | null): ItemDifference => ({ what, direction, before, after, reasons: ["plan"], reason_known: true });
const differences: ItemDifference[] = [
  differs("changed", "worse", item("mlindqvist", "2026-11-20T18:00:00Z", "pass"), item("mlindqvist", "never", "fail")),
  { ...differs("disappeared_without_proof", "unknown", item("svc-night", "never", "fail"), null), reasons: ["facts", "plan"], reason_known: false },
  differs("gone", "better", item("adm-mlindqvist", "never", "fail"), null),
];
export const compare = (before: string): Comparison => ({
  question: all.find((one) => one.name === before)?.question ?? { event: "everyone" }, before_at: "2026-11-20T17:00:00Z", after_at: "2026-11-20T17:00:00Z", before_facts: facts, after_facts: facts, before_verdict: "fail", after_verdict: "fail",
  changed_inputs: ["plan"], counts: { added: 0, not_read_before: 0, changed: 1, gone: 1, disappeared_without_proof: 1, same: 12, worse: 1, unknown: 0, better: 1 }, missing_facts: ["no source reads grants of `vpn`"], differences,
});

const result = (name: string, verdict: AssertionResult["verdict"], why: string, against: number): AssertionResult => ({
  name, line: 1, verdict, why, identities: 41, maybe: verdict === "indeterminate" ? 3 : 0, against, shown: Array.from({ length: Math.min(against, 20) }, (_, n) => ({ sure: n % 3 !== 2, identity: `10${4000 + n}`, item: `account corp-ad:user-${n}`, found: "never closes" })), missing_facts: verdict === "indeterminate" ? ["only supplements read accounts of `vpn`"] : [], missing_truncated: false,
});
const text = `[[assertion]]\nname = "no vendor keeps anything in the vault"\nidentity_kind = "vendor"\nsystem = "vault"\nnothing_beyond = "1h"\n`;
export const loaded: AssertionsView = { name: "assertions.toml", sha256: "41c8a7d0", number: 3, loaded_at: "2026-11-19T09:00:00Z", loaded_by: "petra", text };
export const runs: AssertionRunView[] = [{
  ran_at: "2026-11-20T06:41:00Z", ran_by: "petra", at: "2026-11-20T06:41:00Z", name: "assertions.toml", sha256: "41c8a7d0", plan_sha256: "9f3a61c0", facts, verdict: "fail",
  results: [
    result("no vendor keeps anything in the vault", "fail", "26 items are open beyond 1 h", 26),
    result("nobody keeps privileged access beyond four hours, whatever the system and whoever they are", "indeterminate", "3 identities may be meant: what decides that is not known", 0),
    result("leavers of the branch pass", "pass", "41 identities, each within", 0),
  ],
}];
