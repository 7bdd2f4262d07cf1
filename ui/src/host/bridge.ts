/**
 * Stands where the program stands while the window is developed in a browser: answers every command from
 * a recorded estate. Not part of the built window. `?estate=full|empty|failed|locked|million|odd` chooses it; `&nopolicy` takes the access policy away.
 */
import type { Channel } from "@tauri-apps/api/core";
import type { Commands } from "../wire/commands";
import type { IdentityRow } from "../wire/IdentityRow";
import type { JournalRow } from "../wire/JournalRow";
import type { ListQuery } from "../wire/ListQuery";
import type { NewSource } from "../wire/NewSource";
import type { RowWindow } from "../wire/RowWindow";
import type { SourceRow } from "../wire/SourceRow";
import type { Status } from "../wire/Status";
import type { SyncProgress } from "../wire/SyncProgress";
import type { UiSettings } from "../wire/UiSettings";
import { columnsOf, partsOf, whoOf, wordOf } from "../surfaces/eventwords";
import type { Host } from "./index";
import { NAMES, odd, oddItems } from "./odd";
import * as estate from "./recorded";
import * as links from "./recorded-accounts";
import * as owners from "./recorded-owners";
import * as leavers from "./recorded-leavers";
import * as pastOf from "./recorded-past";
import * as plans from "./recorded-plans";
import * as kept from "./recorded-saved";
import * as secrets from "./recorded-secrets";
import * as watching from "./recorded-watching";

const ask = new URLSearchParams(location.search);
const scene = ask.get("estate") ?? "full";
let sources: SourceRow[] = scene === "empty" ? [] : estate.sources(scene);
if (scene === "empty" || ask.has("nopolicy")) Object.assign(plans.policies, { active: null, draft: null });
if (scene === "odd") odd(sources, estate.everyone());
const open = sources.length === 0 ? [] : links.undecided(scene === "million" ? 100_000 : 318);
const waiting = () => open.filter((row) => links.inForce(row.account) === null);
const owned = () => (sources.length === 0 ? [] : owners.lines(scene === "million" ? 100_000 : 640));
const SECRETS = scene === "million" ? 100_000 : 640;
const credentials = () => (sources.length === 0 ? [] : Array.from({ length: SECRETS }, (_, n) => secrets.row(n, scene)));
const searched = <Row>(rows: Row[], query: ListQuery | undefined, fits: (row: Row, filter: string) => boolean): RowWindow<Row> => {
  const sought = (query?.search ?? "").toLowerCase();
  const found = rows.filter((row) => (sought === "" || JSON.stringify(row).toLowerCase().includes(sought)) && (query?.filters ?? []).every((filter) => fits(row, filter)));
  const from = query?.offset ?? 0;
  return { rows: found.slice(from, from + (query?.limit ?? 0)), offset: from, matching: found.length, total: rows.length };
};
const refusing = () => {
  if (scene === "failed") throw refuse("not_possible", "the store is being written by another program", "Wait until it has finished, and try again.");
};
const suggested = (filters: string[], least: string | null) => {
  const rank = ["weak", "likely", "strong"];
  const all = sources.length === 0 ? [] : owners.suggestions(scene === "million" ? 100_000 : 212);
  return listed(all.filter((one) => rank.indexOf(one.confidence) >= rank.indexOf(least ?? "weak")), { search: "", filters, sort: "", descending: false, offset: 0, limit: all.length }).rows;
};
let exported: string | null = null;
let locked = scene === "locked";
let plan = scene === "empty" ? null : estate.plan;
let settings: UiSettings = { theme: ask.get("theme") ?? "system", zoom: Number(ask.get("zoom") ?? 100), rendering: "cpu", letter_keys: true, lock_after_minutes: 15, rendering_now: "drawn by CPU" };
let surveyed = 0;
let measuring = 0;
const measuredFor = (a: { since: string | null; until: string | null; movers: boolean } | undefined) => leavers.things(a?.since ?? null, a?.until ?? null, scene, a?.movers ?? false);
const stopped: Record<string, boolean> = {};

const refuse = (kind: string, message: string, hint: string | null) => Object.assign(Object.create(null) as object, { kind, message, hint });
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const people = () => (sources.length === 0 ? 0 : scene === "million" ? 1_000_000 : estate.PEOPLE);

function status(): Status {
  if (locked) throw refuse("key", "the key of `brantholm.lastkey` is not in the keychain", "Unlock the keychain, or name the key file that was written when the store was made.");
  const whole = sources.filter((source) => source.state === "complete").length;
  return {
    store_path: "/home/petra/.local/share/lastkey/brantholm.lastkey", store_name: "brantholm.lastkey", encrypted_with: "sqlcipher 4.6.1", key_kept_in: "keychain (Secret Service)",
    sources: sources.length, identities: people(), credentials: sources.length === 0 ? 0 : 9604, snapshot_at: sources.length === 0 ? null : "2026-11-20T06:40:00Z", complete_sources: whole,
    gaps: sources.flatMap((source) => source.kinds.flatMap((kind) => kind.gaps.map((gap) => `${source.name}: ${gap}`)).concat(source.state === "failed" ? [`${source.name} was not read: ${source.message ?? ""}`] : [])),
    practice_date: null, plan, version: "0.1.0",
  };
}

function listed<Row extends object>(rows: Row[], query: ListQuery): RowWindow<Row> {
  const field = (row: Row, key: string) => String((row as Record<string, unknown>)[key] ?? "");
  const search = query.search.toLowerCase();
  const wanted = query.filters.map((filter): [string, string] => [filter.slice(0, filter.indexOf("=")), filter.slice(filter.indexOf("=") + 1)]);
  const found = rows.filter((row) => (search === "" || Object.values(row).some((value) => String(value ?? "").toLowerCase().includes(search))) && wanted.every(([key, value]) => field(row, key) === value));
  const key = query.sort;
  if (key !== "") {
    found.sort((a, b) => field(a, key).localeCompare(field(b, key), "en", { numeric: true }));
    if (query.descending) found.reverse();
  }
  return { rows: found.slice(query.offset, query.offset + query.limit), offset: query.offset, matching: found.length, total: rows.length };
}

function identities(query: ListQuery): RowWindow<IdentityRow> {
  if (scene === "million" && query.search === "" && query.filters.length === 0) {
    const length = Math.min(query.limit, 1_000_000 - query.offset);
    return { rows: Array.from({ length }, (_, i) => estate.person(query.offset + i)), offset: query.offset, matching: 1_000_000, total: 1_000_000 };
  }
  return listed(sources.length === 0 ? [] : estate.everyone(), query);
}

async function read(names: string[], onProgress: Channel<SyncProgress>): Promise<ReturnType<Commands["sync_start"]>> {
  const chosen = sources.filter((source) => names.length === 0 || names.includes(source.name));
  for (const source of chosen) stopped[source.name] = false;
  for (let step = 1; step <= 12; step += 1) {
    await wait(ask.has("slow") ? 1500 : 350);
    for (const source of chosen) {
      const expected = source.totals?.reported ?? 800;
      if (!stopped[source.name]) onProgress.onmessage({ source: source.name, kind: source.reads[0] ?? null, received: Math.floor((expected * step) / 12), expected, pages: step, waiting: null, done: false });
    }
  }
  return chosen.map((source) => ({ sync: 4119, source: source.name, started_at: "2026-11-20T06:40:00Z", ended_at: "2026-11-20T06:41:00Z", state: stopped[source.name] ? "cancelled" : source.state, totals: source.totals ?? estate.totals(0), kinds: source.kinds, read_at: "2026-11-20T06:40:00Z", complete_at: source.last_complete_at, freshness: "fresh", resumed: false, check: null, failure: null }));
}

/** Refuses a plan's text at the first thing that cannot be read. */
function readable(text: string): void {
  const problem = plans.problem(text);
  if (problem) throw refuse("bad_input", problem.message, problem.hint);
}

type Answers = { [K in keyof Commands]: (args: Parameters<Commands[K]>[0]) => ReturnType<Commands[K]> | Promise<ReturnType<Commands[K]>> };
const answers: Answers = {
  status,
  recovery_key: () => null,
  source_kinds: () => estate.kinds,
  sources: () => sources,
  source_add: (a) => {
    const wanted = (a as { source: NewSource }).source;
    if (sources.some((source) => source.name === wanted.name)) throw refuse("bad_input", `a source named \`${wanted.name}\` exists already`, "Choose another name.");
    const row = estate.fresh(wanted);
    sources = [...sources, row];
    return row;
  },
  source_check: () => estate.check,
  source_draft: (a) => estate.problem((a as { source: NewSource }).source),
  source_change_draft: (a) => estate.problem((a as { source: NewSource }).source),
  source_try: async () => {
    await wait(600);
    return estate.check;
  },
  source_change_try: async () => {
    await wait(600);
    return estate.check;
  },
  source_try_stop: () => undefined,
  survey_stop: () => {
    surveyed += 1;
  },
  source_change: (a) => {
    const wanted = (a as { source: NewSource }).source;
    sources = sources.map((source) => (source.name === wanted.name ? { ...source, settings: wanted.settings } : source));
    return sources.find((source) => source.name === wanted.name) as SourceRow;
  },
  source_scripts: (a) => estate.scripts((a as { source: NewSource }).source),
  source_script_save: () => undefined,
  source_runs: (a) => estate.runs(sources.find((source) => source.name === a?.name), a?.query as ListQuery),
  source_standing: (a) => (sources.find((source) => source.name === a?.name)?.kinds ?? []).map((kind) => ({ kind: kind.kind, complete_at: "2026-11-18T22:10:00Z", gap_since: kind.complete ? null : "2026-11-20T06:31:00Z" })),
  run: (a) => estate.run(sources, a?.sync ?? 0),
  run_journal: (a) => listed<JournalRow>(estate.journal("github"), a?.query as ListQuery),
  weak_reads: () => (sources.length === 0 ? [] : estate.weak),
  source_fingerprints: (a) => {
    sources = sources.map((source) => (source.name === a?.name ? { ...source, fingerprints: a.secret !== null } : source));
    return sources.find((source) => source.name === a?.name) as SourceRow;
  },
  source_forgets: (a) => (scene === "odd" ? { accounts: 4212, some: open.slice(0, 5).map((row) => row.account), systems: Array.from({ length: 9 }, (_, n) => `a-system-with-a-long-name-${n}.directory-of-the-whole-group.example`) } : a?.name === "hr-roster" ? { accounts: 3, some: ["corp-ad:svc-1", "corp-ad:svc-2", "corp-ad:svc-3"], systems: [] } : { accounts: 0, some: [], systems: [a?.name ?? ""] }),
  source_remove: (a) => {
    sources = sources.filter((source) => source.name !== a?.name);
  },
  sync_start: (a) => read(a?.names ?? [], a?.onProgress as Channel<SyncProgress>),
  sync_accept: (a) => read(a ? [a.name] : [], a?.onProgress as Channel<SyncProgress>),
  sync_stop: (a) => {
    if (a) stopped[a.name] = true;
  },
  journal: (a) => listed<JournalRow>(estate.journal(a?.source ?? ""), a?.query as ListQuery),
  identities: (a) => identities(a?.query as ListQuery),
  identity: (a) => {
    const row = estate.everyone().find((one) => one.id === a?.id);
    if (!row) throw refuse("not_possible", `no identity \`${a?.id ?? ""}\``, "It may have been read under another id: search for its name.");
    return estate.detail(row);
  },
  reach: (a) => {
    const maybe = estate.everyone().some((one) => one.id === a?.identity) ? links.couldBe(a?.identity ?? "", open) : [];
    return { gone: null, maybe_accounts: maybe, maybe_count: maybe.length, items: [], item_count: 0 };
  },
  undecided_counts: (a) => {
    const counts: Record<string, number> = {};
    for (const row of waiting()) if (!a?.source || row.source === a.source) counts[row.state] = (counts[row.state] ?? 0) + 1;
    return Object.entries(counts).map(([state, count]) => ({ state, count }));
  },
  undecided: (a) => listed(waiting(), a?.query as ListQuery),
  account_explained: (a) => {
    const row = open.find((one) => one.account === a?.account);
    if (!row) throw refuse("bad_input", `there is no account \`${a?.account ?? ""}\``, "see `lastkey accounts` for systems and ids");
    return [links.explained(row, links.inForce(row.account))];
  },
  account_decide: (a) => links.keep(a?.identity ? "account of" : "account of nobody", a?.account ?? "", a?.identity ?? null, a?.why ?? ""),
  persons_joined: (a) => listed(sources.length === 0 ? [] : links.persons, a?.query as ListQuery),
  persons_doubted: (a) => listed(sources.length === 0 ? [] : links.doubts, a?.query as ListQuery),
  persons_same: (a) => links.keep("same person", a?.a ?? "", a?.b ?? "", a?.why ?? ""),
  persons_apart: (a) => links.keep("two persons", a?.a ?? "", a?.b ?? "", a?.why ?? ""),
  decisions: (a) => listed(links.decisions, a?.query as ListQuery),
  decisions_about: (a) => links.decisions.filter((one) => a?.records.includes(one.of) || a?.records.includes(one.to ?? "")),
  decision_undo: (a) => {
    links.keep("undone", "", null, a?.why ?? "", a?.number ?? 0);
  },
  owner_standings: () => ["owner_left", "no_owner", "owner_unknown", "owner_away", "owned"].map((standing) => ({ standing, count: owned().filter((one) => one.of.standing === standing).length })),
  owned: (a) => {
    const query = a?.query as ListQuery;
    const found = owned().filter((one) => query.filters.every((filter) => filter === `standing=${one.of.standing}` || filter === `object_type=${one.of.object_type}` || (filter === "suggested=yes" && one.suggested) || filter === `basis=${one.owner?.basis ?? ""}`));
    return { ...listed(found, { ...query, filters: [] }), total: owned().length };
  },
  owned_detail: (a) => {
    const line = owned().find((one) => one.of.object === a?.object);
    if (!line) throw refuse("bad_input", `nothing called \`${a?.object ?? ""}\` needs an owner`, "it may have gone since the list was read");
    return owners.detail(line);
  },
  owner_suggestions: (a) => listed(suggested(a?.query.filters ?? [], a?.least ?? null), { ...(a?.query as ListQuery), filters: [] }),
  owners_behind: () => false,
  owners_ready: () => undefined,
  owners_preview: (a) => owners.summary(a?.picks ?? [], a?.verdict ?? "", null),
  owners_decide: (a) => owners.summary(a?.picks ?? [], a?.verdict ?? "", a?.why ?? ""),
  owners_decide_all: (a) => owners.summary(suggested(a?.filters ?? [], a?.least ?? null).map((one) => ({ object: one.object, owner: one.owner_id ?? "", role: one.role })), a?.verdict ?? "", a?.count == null ? null : a.why),
  owner_decisions: (a) => listed(owners.decisions, a?.query as ListQuery),
  owners_undo: (a) => owners.undo(a?.batch ?? 0),
  changes: (a) => pastOf.changes(a?.from ?? null, a?.to ?? null, a?.source ?? null, sources.length === 0),
  changed_rows: (a) => pastOf.rows(a?.query as ListQuery),
  moments: (a) => listed(sources.length === 0 ? [] : pastOf.moments, a?.query as ListQuery),
  moment_named: (a) => pastOf.moment(Number(a?.text ?? 0)),
  object_history: (a) => pastOf.history(a?.kind ?? "identity", a?.id ?? ""),
  table_columns: () => ["id", "display_name", "status", "department"],
  table_then: (a) => pastOf.table(a?.query as ListQuery),
  identity_then: (a) => {
    const row = estate.everyone().find((one) => one.id === a?.id?.split(":").at(-1));
    if (!row) return [];
    const detail = estate.detail(row);
    return [{ source: row.source, id: row.id, kind: row.kind, display_name: row.display_name, status: row.status, facts: detail.facts, accounts: detail.accounts, entitlements: detail.entitlements, account_count: detail.accounts.length, entitlement_count: detail.entitlements.length }];
  },
  retention: () => pastOf.retention,
  retention_set: () => pastOf.retention,
  retention_preview: () => pastOf.report,
  retention_run: () => pastOf.report,
  events: (a) => listed(estate.events, a?.query as ListQuery),
  plan_load: async (a) => {
    if (!a) return { loaded: estate.plan };
    readable(a.text);
    await wait(ask.has("slow") ? 4000 : 200);
    if (a.text.includes("# much") && a.code === null)
      return { held: { what: `load the plan \`${a.name}\``, figures: [{ what: "identities whose answer changes", number: 1204, of: 2310, unusual: true }, { what: "of them pass no more", number: 1100, of: 2310, unusual: false }, { what: "of them pass now", number: 104, of: 2310, unusual: false }], code: "0a1b2c3d4e5f" } };
    plan = { ...estate.plan, name: a.name, text: a.text, loaded_at: "2026-11-20T09:12:00Z", sha256: `c1f0a4${a.text.length}`, steps: a.text.split("[[step]]").length - 1 };
    return { loaded: plan };
  },
  rehearse_leaver: async (a) => {
    await wait(60);
    const row = estate.everyone().find((one) => one.id === a?.identity);
    if (!row) throw refuse("not_possible", `no identity \`${a?.identity ?? ""}\``, null);
    const view = estate.rehearsal(row, a?.at ?? null);
    return scene === "odd" ? oddItems(view) : view;
  },
  plan_try: async (a) => {
    await wait(60);
    readable(a?.text ?? "");
    const row = estate.everyone().find((one) => one.id === a?.identity);
    if (!row) throw refuse("not_possible", `no identity \`${a?.identity ?? ""}\``, null);
    return plans.tried(estate.rehearsal(row, a?.at ?? null), a?.text ?? "");
  },
  plan_coverage: async (a) => {
    if (a?.text) readable(a.text);
    await wait(ask.has("slow") ? 4000 : 100);
    if (scene === "failed") throw refuse("not_possible", "the store is being written by another program", "Wait until it has finished, and try again.");
    return sources.length === 0 ? { at: "2026-11-20T17:00:00Z", cells: [], unread_systems: [] } : plans.coverage(a?.text ?? null, scene);
  },
  survey: async (a) => {
    if (a?.text) readable(a.text);
    const mine = (surveyed += 1);
    for (let left = ask.has("slow") ? 30_000 : a?.steps ? 900 : 200; left > 0; left -= 100) {
      await wait(100);
      if (mine !== surveyed) throw refuse("not_possible", "the rehearsal was stopped", null);
    }
    if (scene === "failed") throw refuse("not_possible", "the store is being written by another program", "Wait until it has finished, and try again.");
    const leavers = listed(estate.rehearsed(), { search: "", filters: [], sort: "", descending: false, offset: 0, limit: 20 }).rows;
    return plans.survey(sources.length === 0 ? [] : leavers, sources.length === 0 ? [] : estate.rehearsed(), a?.steps ?? false, a?.text ?? null, scene);
  },
  events_try: async (a) => {
    await wait(120);
    if (scene === "failed") throw refuse("not_possible", "the store was closed meanwhile", "Try again.");
    const rows = estate.everyone();
    const of = (identity: string) => rows.find((row) => row.id === identity.split(":").at(-1));
    // whoever left long ago is listed again where an event brings them back
    const brought = new Set((a?.events ?? []).map((text) => partsOf(text) ?? []).filter((parts) => ["joiner", "rehire"].includes(wordOf(parts, "kind")) && /(^|:)(9\d+|uid=.*)$/.test(whoOf(parts))).map(whoOf));
    for (const text of a?.events ?? []) {
      const parts = partsOf(text) ?? [];
      const [kind, identity, object, to] = [wordOf(parts, "kind"), whoOf(parts), wordOf(parts, "object"), wordOf(parts, "to")];
      const wrong = (what: string) => refuse("bad_input", `\`${text}\`: ${what}`, "write kind=leaver,identity=ID,at=TIME; more in docs/guide/events.md");
      if (!/^kind=/.test(text)) throw refuse("bad_input", `\`${text}\`: it has no kind`, "write kind=leaver,identity=ID,at=TIME; more in docs/guide/events.md");
      if (identity === "") throw refuse("bad_input", `\`${text}\`: it has no identity`, "write kind=leaver,identity=ID,at=TIME; more in docs/guide/events.md");
      if (kind === "owner_change" && (object === "" || to === "")) throw wrong("a change of owners has object=, from= and to=");
      if (kind !== "owner_change" && object + to !== "") throw wrong(`object= and to= stand in an owner_change, and not in a ${kind}`);
      if (kind === "owner_change" && columnsOf(parts).length > 0) throw wrong("a change of owners changes no column");
      if (kind === "owner_change" && !/^(account|credential|location|entitlement):[^:]+:.+|^identity:.+/.test(object)) throw refuse("bad_input", `\`${object}\` is no object`, "write account:SYSTEM:ID, credential:SYSTEM:ID, location:SYSTEM:PATH or identity:ID");
      if (to !== "" && !of(to)) throw refuse("bad_input", `there is no identity \`${to}\``, "see `lastkey identities` for ids");
      const day = /(?:^|,)at=([^,]*)/.exec(text)?.[1];
      if ((day !== undefined && Number.isNaN(Date.parse(day))) || /at=(?!\d{4}-\d\d-\d\d(T[\d:]+Z)?(,|$))/.test(text)) throw refuse("bad_input", `\`${/at=([^,]*)/.exec(text)?.[1] ?? ""}\` is not a time`, "write RFC 3339, such as 2026-06-01T17:00:00Z");
      if (!of(identity) && !brought.has(identity)) throw refuse("bad_input", `there is no identity \`${identity}\``, "see `lastkey identities` for ids");
    }
    return plans.events(a?.events ?? [], (identity) => {
      const row = of(identity) ?? (brought.has(identity) ? rows[0] : undefined);
      if (!row) throw refuse("not_possible", `no identity \`${identity}\``, null);
      const view = estate.rehearsal(row, null);
      return (scene === "odd" ? oddItems(view) : view).rehearsal;
    });
  },
  policy: (a) => (a?.draft ? plans.policies.draft : plans.policies.active),
  policy_check: (a) => {
    const place = (of: string) => {
      const before = (a?.text ?? "").split(of)[0]?.split("\n") ?? [""];
      return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    };
    const at = place("permitt");
    if (a?.text.includes("permitt ")) throw refuse("bad_input", `line ${at.line}, column ${at.column}: \`permitt\` is no effect`, "write permit or forbid");
    return a?.text.includes("@birthrigth") ? [{ ...place("@birthrigth"), message: "`@birthrigth` means nothing to Lastkey", hint: "did you mean `@birthright`?" }] : [];
  },
  policy_draft: (a) => plans.draft(a?.name ?? "", a?.text ?? ""),
  policy_activate: () => {
    if (!plans.policies.draft) throw refuse("not_possible", "there is no draft", "Save one first.");
    plans.policies.active = { ...plans.policies.draft, standing: "active" };
    plans.policies.draft = null;
    return plans.policies.active;
  },
  policy_differences: async (a) => {
    await wait(300);
    if (scene === "failed") throw refuse("not_possible", "the store was closed meanwhile", "Try again.");
    return plans.differences(a?.limit ?? 50, scene === "million" ? 48_213 : 424, scene === "odd" ? NAMES : estate.everyone().slice(0, 40).map((row) => row.display_name ?? row.id));
  },
  rehearsals: (a) => {
    const query = a?.query as ListQuery;
    if (scene === "failed" && query.filters.some((filter) => /^(secret|keeps_in)=/.test(filter))) throw refuse("not_possible", "the store is being written by another program", "Wait until it has finished, and try again.");
    const holds = query.filters.find((filter) => filter.startsWith("holds="));
    const all = sources.length === 0 ? [] : estate.rehearsed();
    const those = plans.among(all, query.filters, scene);
    const rows = those.filter((row) => !holds || (row.residual > 0) === (holds === "holds=something"));
    return { ...listed(rows, { ...query, filters: query.filters.filter((filter) => !/^(holds|secret|keeps_in)=/.test(filter)) }), total: those.length };
  },
  saved_rehearsals: () => (sources.length === 0 ? [] : [...kept.all]),
  save_leaver: (a) => kept.save(a?.name ?? "", a?.identity ?? ""),
  saved_compare: (a) => kept.compare(a?.before ?? ""),
  saved_remove: (a) => kept.remove(a?.name ?? ""),
  assertions: () => (sources.length === 0 ? null : kept.loaded),
  assertion_runs: () => (sources.length === 0 ? [] : kept.runs),
  assertions_run: () => undefined,
  secrets_summary: () => secrets.summary(sources.length === 0 ? 0 : SECRETS),
  secrets: async (a) => {
    await wait(ask.has("slow") ? 4000 : 20);
    refusing();
    const kinds: Record<string, "vault" | "ci" | "cluster" | "file" | "code"> = { vault: "vault", ci_variable: "ci", kubernetes_secret: "cluster", file: "file", code: "code" };
    const all = a?.identity ? credentials().slice(0, 48).map((row, n) => ({ ...row, way: secrets.way(n) })) : credentials();
    const window = searched(all, a?.query, (row, filter) => {
      const [name = "", value = ""] = filter.split("=");
      if (name === "copies") return value === "yes" ? row.place_count > 1 : value === "suspected" ? row.suspected_count > 0 : row.place_count <= 1 && row.suspected_count === 0;
      const kind = kinds[value];
      return name === "kind" && kind ? row.places[kind] > 0 : name !== "older" || row.since !== null;
    });
    return { window, of: a?.identity ? { identity: a.identity, display_name: "Marta Lindqvist", left: true, closed: false, unread: ["readers of `k8s-edge` were never read completely"] } : null };
  },
  secret: async (a) => {
    await wait(ask.has("slow") ? 4000 : 20);
    refusing();
    return { detail: secrets.detail(a?.key ?? "", scene, a?.identity ?? null), of: null };
  },
  secret_places: (a) => {
    refusing();
    return searched(sources.length === 0 ? [] : secrets.allPlaces(SECRETS, scene), a?.query, (row, filter) => !filter.startsWith("kind=") || filter === `kind=${row.kind ?? ""}`);
  },
  secret_readers: (a) => searched(secrets.readers(scene), a?.query, () => true),
  leavers: async (a) => {
    const mine = (measuring += 1);
    for (let left = ask.has("slow") ? 20_000 : 150; left > 0; left -= 100) {
      await wait(100);
      if (mine !== measuring) throw refuse("not_possible", "the measuring was stopped", null);
    }
    if (scene === "failed") throw refuse("not_possible", "the store is being written by another program", "Wait until it has finished, and try again.");
    return { ...leavers.report(a?.since ?? null, a?.until ?? null, scene, sources.length === 0 || ask.has("noleavers"), a?.movers ?? false), plan_name: plan?.name ?? null };
  },
  leavers_stop: () => {
    measuring += 1;
  },
  leaver_things: (a) => {
    const all = measuredFor(a);
    const sought = (a?.query.search ?? "").toLowerCase();
    const asked = new URLSearchParams((a?.query.filters ?? []).map((one) => one.split(/=(.*)/).slice(0, 2)));
    const fits = (name: string, value: string | null) => !asked.has(name) || asked.get(name) === value;
    const found = all.filter(({ item, ...of }) => fits("system", item.system) && fits("state", item.state) && fits("gap", item.gap) && [of.identity, of.name, item.system, item.id].some((text) => text?.toLowerCase().includes(sought)));
    const from = a?.query.offset ?? 0;
    return { rows: found.slice(from, from + (a?.query.limit ?? 0)), offset: from, matching: found.length, total: all.length };
  },
  leaver_timelines: async (a) => {
    await wait(ask.has("slow") ? 4000 : 60);
    if (scene === "failed") throw refuse("not_possible", "the store is being written by another program", "Wait until it has finished, and try again.");
    return leavers.timelines(a?.identity ?? "", scene);
  },
  measured_steps: async () => {
    await wait(ask.has("slow") ? 4000 : 100);
    return sources.length === 0 || plan === null ? [] : leavers.steps();
  },
  probes: () => (sources.length === 0 ? [] : [...watching.probes]),
  probe_try: async (a) => {
    await wait(700);
    return watching.tryIt(a?.name ?? "");
  },
  probe_remove: (a) => watching.remove(a?.name ?? ""),
  watches: () => (sources.length === 0 ? [] : watching.watches()),
  watch_start: (a) => {
    const row = estate.everyone().find((one) => one.id === a?.identity);
    if (!row) throw refuse("bad_input", `there is no identity \`${a?.identity ?? ""}\``, "see `lastkey identities` for ids");
    return watching.start(row, a?.event ?? "leaver", a?.at ?? null);
  },
  watch_stop: (a) => watching.stop(a?.id ?? 0),
  watch_read: async (a) => {
    await wait(700);
    return watching.read(a?.id ?? 0);
  },
  exported_at: () => exported,
  export_package: async (a) => {
    for (const part of ["facts", "rehearsals", "journal"]) {
      for (let done = 0; done <= 100; done += 20) {
        await wait(80);
        a?.onProgress.onmessage({ part, done: done * 482, total: 48_200 });
      }
    }
    exported = "2026-11-20T07:00:00Z";
    return { path: a?.out ?? "", bytes: 18_422_310, sha256: "9f3a61c0b7d24e18aa50c7f2e6b9d1430c85fe9a7712d0346be1f8a92c5d7e04", package_id: "pk-2026-11-20-7c41", files: 31, signer: "41c8a7d0e52b96f3180d4c7ab95ef6627d13c08ea4b29f571863bdc0e7a94f12", rehearsals: estate.PEOPLE };
  },
  verify_package: (a) => estate.verified(a?.path ?? "", a?.signer ?? null),
  demo: async (a) => {
    sources = estate.sources("full");
    await read([], a?.onProgress as Channel<SyncProgress>);
    plan = estate.plan;
    return status();
  },
  pick_file: (a) => (a?.save ? "/home/petra/evidence.zip" : "/home/petra/brantholm.key"),
  pick_folder: () => "/srv/exports/hr",
  settings_get: () => settings,
  settings_set: (a) => {
    if (a) settings = a.settings;
  },
  store_lock: () => {
    locked = true;
  },
  locked_reading: () => 0,
  key_file_make: () => undefined,
  recovery_key_new: () => "lastkey-recovery-1-00000000-11111111-22222222-33333333-44444444-55555555-66666666-77777777-88888888",
  store_recover: () => {
    locked = false;
    return status();
  },
  store_unlock: (a) => {
    const path = a?.keyFile ?? "";
    if (!path.includes("brantholm")) throw refuse("key", `the key in \`${path}\` does not open this store`, "Take the key file that was written when the store was made.");
    locked = false;
    return status();
  },
};

/** The recorded estate as a host. */
export const bridge: Host = {
  call: async (name, args) => {
    await wait(3);
    if (locked && name !== "store_unlock" && name !== "settings_get" && name !== "pick_file") return status();
    const answer = answers[name as keyof Commands] as (args: unknown) => unknown;
    // what crosses the wire is a copy
    const given = await answer(args);
    return given === undefined ? null : structuredClone(given);
  },
  channel: <T>(receive: (message: T) => void) => ({ onmessage: receive }) as unknown as Channel<T>,
};
