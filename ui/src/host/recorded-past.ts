/** What the recorded estate tells of its past while the window is developed in a browser. */
import type { Difference } from "../wire/Difference";
import type { DiffRow } from "../wire/DiffRow";
import type { DiffView } from "../wire/DiffView";
import type { FactRow } from "../wire/FactRow";
import type { ListQuery } from "../wire/ListQuery";
import type { MomentView } from "../wire/MomentView";
import type { ObjectHistory } from "../wire/ObjectHistory";
import type { RetentionReport } from "../wire/RetentionReport";
import type { RetentionView } from "../wire/RetentionView";
import type { RowWindow } from "../wire/RowWindow";
import { everyone } from "./recorded";

const ALL = 100_000;
const KINDS: Difference[] = ["added", "changed", "changed", "removed", "disappeared_without_proof"];
const whatOf = (i: number): Difference => KINDS[i % KINDS.length] ?? "added";

export const moment = (sync: number): MomentView => ({ sync, source: sync === 0 ? null : "hr-roster", state: sync === 0 ? null : "complete", at: sync === 0 ? null : new Date(Date.UTC(2026, 10, 20, 6, 40) - (4118 - sync) * 43_200_000).toISOString(), dated: false });
export const moments: MomentView[] = Array.from({ length: 400 }, (_, i) => moment(4118 - i));

function row(i: number): DiffRow {
  const what = whatOf(i);
  const fact = { id: `e${100_000 + i}`, display_name: `Person ${i}`, kind: "person", department: "Payments", status: "active" };
  return {
    what, kind: "identity", source: "hr-roster", system: null, id: fact.id, sync: 4118, fact,
    changed: what === "changed" ? [{ column: "department", before: "Treasury", after: "Payments" }, { column: "end_date", before: null, after: "2026-12-31" }] : [],
    why: what === "removed" ? "a complete read of identities did not show it" : what === "disappeared_without_proof" ? "the read ended after page 3: connection reset" : null,
  };
}

export function rows(query: ListQuery): RowWindow<DiffRow> {
  const what = query.filters.find((one) => one.startsWith("what="))?.slice(5);
  const wanted = Array.from({ length: ALL }, (_, i) => i).filter((i) => what === undefined || whatOf(i) === what);
  return { rows: wanted.slice(query.offset, query.offset + query.limit).map(row), offset: query.offset, matching: wanted.length, total: ALL };
}

export function changes(from: string | null, to: string | null, source: string | null, empty: boolean): DiffView {
  const share = ALL / 5;
  return {
    from: moment(empty ? 0 : Number(from ?? 4117)), to: moment(empty ? 0 : Number(to ?? 4118)), source, earlier: empty ? [] : [{ days: 1, sync: 4116 }, { days: 7, sync: 4104 }], took_ms: 212,
    counts: empty ? [] : [{ kind: "identity", source: "hr-roster", system: null, added: share, changed: 2 * share, removed: share, disappeared_without_proof: share }],
    unfinished: empty ? [] : [{ kind: "identity", source: "hr-roster", sync: 4118, why: "the read ended after page 3: connection reset", showed_something: true }],
  };
}

export const history = (kind: string, id: string): ObjectHistory[] => [
  {
    kind, id, source: "hr-roster", system: null, current: true,
    lines: [0, 1, 4].map((i, place) => ({ what: whatOf(i), sync: 4100 + place, earliest_sync: place === 0 ? null : 4099 + place, earliest: place === 0 ? null : (moment(4099 + place).at ?? null), latest: moment(4100 + place).at, changed: row(i).changed, why: row(i).why, fact: row(i).fact })),
  },
];

export function table(query: ListQuery): RowWindow<FactRow> {
  const people = everyone();
  return { rows: people.slice(query.offset, query.offset + query.limit).map((one) => ({ values: { id: one.id, display_name: one.display_name, status: one.status, department: one.department, source: one.source, first_sync: 4001 } })), offset: query.offset, matching: people.length, total: people.length };
}

export const retention: RetentionView = { rules: [{ kind: "all", days: 730, syncs: null }, { kind: "grant", days: 400, syncs: 100 }], whole_from: [{ kind: "grant", sync: 812 }], kinds: ["identity", "account", "entitlement", "grant", "credential", "location", "reader", "control", "owner", "session", "task"] };
export const report: RetentionReport = { kinds: [{ kind: "grant", upto: 1204, versions: 48_211, held: 912, packed_with_kept: 3100 }], journals: 12, evidence: [{ sync: 1100, versions: 912, why: "the package `pk-2026-03-01-9f` was exported at 2026-03-01T09:00:00Z" }], held_for_accounts: 0 };
