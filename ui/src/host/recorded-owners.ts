/** The recorded estate's objects that need an owner, and what is decided about them while the page is open. */
import type { OwnedDetail } from "../wire/OwnedDetail";
import type { OwnedLine } from "../wire/OwnedLine";
import type { OwnerDecisionView } from "../wire/OwnerDecisionView";
import type { OwnerOf } from "../wire/OwnerOf";
import type { OwnerPick } from "../wire/OwnerPick";
import type { OwnerSuggestionView } from "../wire/OwnerSuggestionView";
import type { OwnersSummary } from "../wire/OwnersSummary";

const STANDINGS = ["owner_left", "no_owner", "owner_unknown", "owner_away", "owned"];
export const decisions: OwnerDecisionView[] = [];
const key = (one: { object: string; owner: string; role: string }) => `${one.object}|${one.owner}|${one.role}`;
const decided = (object: string, owner: string, role: string) => decisions.find((one) => !one.undone && key(one) === key({ object, owner, role }));

const suggestion = (n: number, standing: string): OwnerSuggestionView => ({
  object: `credential:corp-ad:key-${n}`, object_type: "credential", system: "corp-ad", object_id: `key-${n}`, name: null, standing, role: "technical", confidence: n % 3 === 0 ? "strong" : n % 3 === 1 ? "likely" : "weak",
  owner_id: "104882", owner_name: "Marta Lindqvist", owner_state: "present", candidates: [], basis: "created by mlindqvist", facts: [{ rule: "creators", says: "`created_by` is `mlindqvist`", fact: `credential corp-ad:key-${n}` }],
});
export const suggestions = (all: number): OwnerSuggestionView[] =>
  Array.from({ length: all }, (_, n) => suggestion(n, STANDINGS[n % 3] ?? "no_owner")).filter((one) => !decided(one.object, one.owner_id ?? "", one.role));

export function lines(all: number): OwnedLine[] {
  const rank = (n: number) => Math.min(4, Math.floor((n * 5) / all));
  return Array.from({ length: all }, (_, n) => {
    const standing = STANDINGS[rank(n)] ?? "owned";
    const suggested = suggestion(n, standing);
    const kept = decided(suggested.object, suggested.owner_id ?? "", suggested.role);
    const owner: OwnerOf | null = kept?.what === "confirmed" ? { owner_id: "104882", owner_name: "Marta Lindqvist", role: "technical", basis: "attested", state: "present", source: null, confirmed_at: kept.at, confirmed_by: kept.who, why: kept.why }
      : standing === "no_owner" ? null : { owner_id: "104003", owner_name: "Hugo Castellanos", role: "business", basis: "observed", state: standing === "owner_left" ? "left" : standing === "owner_unknown" ? "unknown" : standing === "owner_away" ? "on_leave" : "present", source: "hr-roster", confirmed_at: null, confirmed_by: null, why: null };
    const now = kept?.what === "confirmed" ? "owned" : standing;
    return { of: { object: suggested.object, object_type: "credential", system: "corp-ad", object_id: suggested.object_id, name: null, kind: "api_key", standing: now, owners: owner ? 1 : 0, suggestions: kept ? 0 : 1 }, owner, suggested: kept || standing === "owned" ? null : suggested };
  });
}
export const detail = (line: OwnedLine): OwnedDetail => ({ of: line.of, owners: line.owner ? [line.owner] : [], suggestions: line.suggested ? [line.suggested] : [], decisions: decisions.filter((one) => one.object === line.of.object && !one.undone && one.what !== "undone") });

export function summary(picks: OwnerPick[], verdict: string, why: string | null): OwnersSummary {
  const batch = why === null ? null : decisions.length + 1;
  if (why !== null) for (const one of picks) decisions.unshift({ ...one, batch: batch ?? 0, at: "2026-11-20T07:00:00Z", who: "petra", what: verdict, why, basis: "created by mlindqvist", undone: false });
  const rejects = verdict === "rejected";
  return { batch, confirmed: rejects ? 0 : picks.length, rejected: rejects ? picks.length : 0, by_rule: rejects ? [] : [{ rules: "creators", count: picks.length }], examples: picks.slice(0, 10).map((one) => `${one.owner} ${rejects ? "is not" : "is"} ${one.role} owner of ${one.object}`) };
}
export function undo(batch: number): number {
  const taken = decisions.filter((one) => one.batch === batch && !one.undone);
  for (const one of taken) one.undone = true;
  return taken.length;
}
