// Generated from src-tauri/src/commands.rs; a test proves it current. Do not edit.

import type { Channel } from "../host/channel";
import type { AssertionRunView } from "./AssertionRunView";
import type { AssertionsView } from "./AssertionsView";
import type { CheckView } from "./CheckView";
import type { Comparison } from "./Comparison";
import type { DecisionLine } from "./DecisionLine";
import type { DiffRow } from "./DiffRow";
import type { DiffView } from "./DiffView";
import type { DraftProblem } from "./DraftProblem";
import type { EventRow } from "./EventRow";
import type { EventsRehearsal } from "./EventsRehearsal";
import type { ExportProgress } from "./ExportProgress";
import type { ExportReport } from "./ExportReport";
import type { FactRow } from "./FactRow";
import type { Forgotten } from "./Forgotten";
import type { IdentityDetail } from "./IdentityDetail";
import type { IdentityRow } from "./IdentityRow";
import type { IdentityThen } from "./IdentityThen";
import type { JournalRow } from "./JournalRow";
import type { KindStanding } from "./KindStanding";
import type { LeaverThing } from "./LeaverThing";
import type { LeaverTimeline } from "./LeaverTimeline";
import type { LeaversReport } from "./LeaversReport";
import type { LinkCount } from "./LinkCount";
import type { LinkExplained } from "./LinkExplained";
import type { LinkLine } from "./LinkLine";
import type { ListQuery } from "./ListQuery";
import type { MomentView } from "./MomentView";
import type { NewSource } from "./NewSource";
import type { ObjectHistory } from "./ObjectHistory";
import type { OwnedDetail } from "./OwnedDetail";
import type { OwnedLine } from "./OwnedLine";
import type { OwnerDecisionView } from "./OwnerDecisionView";
import type { OwnerPick } from "./OwnerPick";
import type { OwnerSuggestionView } from "./OwnerSuggestionView";
import type { OwnersSummary } from "./OwnersSummary";
import type { PersonDoubtLine } from "./PersonDoubtLine";
import type { PersonLine } from "./PersonLine";
import type { PlaceReader } from "./PlaceReader";
import type { PlanCoverage } from "./PlanCoverage";
import type { PlanLoad } from "./PlanLoad";
import type { PolicyDifferences } from "./PolicyDifferences";
import type { PolicyRemark } from "./PolicyRemark";
import type { PolicyView } from "./PolicyView";
import type { ProbeView } from "./ProbeView";
import type { ReachView } from "./ReachView";
import type { RehearsalView } from "./RehearsalView";
import type { RehearsedRow } from "./RehearsedRow";
import type { RetentionReport } from "./RetentionReport";
import type { RetentionView } from "./RetentionView";
import type { RowWindow } from "./RowWindow";
import type { RunDetail } from "./RunDetail";
import type { RunRow } from "./RunRow";
import type { SavedView } from "./SavedView";
import type { ScriptView } from "./ScriptView";
import type { SecretPlace } from "./SecretPlace";
import type { SecretShown } from "./SecretShown";
import type { SecretsSummary } from "./SecretsSummary";
import type { SecretsView } from "./SecretsView";
import type { SourceKindView } from "./SourceKindView";
import type { SourceRow } from "./SourceRow";
import type { StandingCount } from "./StandingCount";
import type { Status } from "./Status";
import type { StepMeasured } from "./StepMeasured";
import type { Survey } from "./Survey";
import type { SyncProgress } from "./SyncProgress";
import type { SyncReport } from "./SyncReport";
import type { UiSettings } from "./UiSettings";
import type { VerifyView } from "./VerifyView";
import type { WatchView } from "./WatchView";
import type { WeakReadView } from "./WeakReadView";

/** Every command: its argument and its answer. What fails is a FailureView. */
export interface Commands {
  /** What the frame shows on every screen. */
  status(): Status;
  /** Opens the store again, with a key file or a passphrase if one is given. */
  store_unlock(a: { keyFile: string | null; passphrase: string | null }): Status;
  /** Opens the store with its recovery key and keeps its key again. */
  store_recover(a: { recoveryKey: string; passphrase: string | null }): Status;
  /** Locks the window; a read that goes on ends behind the lock. */
  store_lock(): void;
  /** How many sources are being read behind the lock. */
  locked_reading(): number;
  /** Makes a key file of random bytes; refuses where a file is. */
  key_file_make(a: { path: string }): void;
  /** Makes a new recovery key: told once, and the one before opens the store no more. */
  recovery_key_new(): string;
  /** The recovery key of a store that was just made: told once. */
  recovery_key(): string | null;
  /** The kinds of source that can be added. */
  source_kinds(): Array<SourceKindView>;
  /** All sources. */
  sources(): Array<SourceRow>;
  /** Adds a source; its secret goes to the keychain. */
  source_add(a: { source: NewSource }): SourceRow;
  /** Signs in, looks, changes nothing. */
  source_check(a: { name: string }): CheckView;
  /** What is wrong with a source that is being written; nothing if it could be added. */
  source_draft(a: { source: NewSource }): DraftProblem | null;
  /** What is wrong with a change of a source; nothing if it could be made. */
  source_change_draft(a: { source: NewSource }): DraftProblem | null;
  /** Signs in as a new source would, looks, keeps nothing. */
  source_try(a: { source: NewSource }): CheckView;
  /** Signs in as a changed source would, looks, keeps nothing. */
  source_change_try(a: { source: NewSource }): CheckView;
  /** Stops a trial that is under way. */
  source_try_stop(): void;
  /** Gives a source other settings, and another secret where one is given. */
  source_change(a: { source: NewSource }): SourceRow;
  /** The texts for the system's own administrator; they hold no secret. */
  source_scripts(a: { source: NewSource }): Array<ScriptView>;
  /** Writes one of them to a file. */
  source_script_save(a: { source: NewSource; fileName: string; out: string }): void;
  /** The runs of a source, newest first. */
  source_runs(a: { name: string; query: ListQuery }): RowWindow<RunRow>;
  /** Since when each kind of a source stands as it does. */
  source_standing(a: { name: string }): Array<KindStanding>;
  /** One run: its kinds, and what its journal holds. */
  run(a: { sync: number }): RunDetail;
  /** The journal of one run. */
  run_journal(a: { sync: number; query: ListQuery }): RowWindow<JournalRow>;
  /** The reads that lower every claim about a moment, which is now if not given. */
  weak_reads(a: { at: string | null }): Array<WeakReadView>;
  /** Lets values be reduced to fingerprints, with the login that may read them; without, no longer. */
  source_fingerprints(a: { name: string; secret: string | null }): SourceRow;
  /** What nobody would know any more without a source. */
  source_forgets(a: { name: string }): Forgotten;
  /** Removes a source; its history stays. */
  source_remove(a: { name: string; retired: boolean }): void;
  /** Reads sources; none named means all. */
  sync_start(a: { names: Array<string>; onProgress: Channel<SyncProgress> }): Array<SyncReport>;
  /** Reads a source and takes what it no longer shows as gone, however much that is. */
  sync_accept(a: { name: string; onProgress: Channel<SyncProgress> }): Array<SyncReport>;
  /** Stops reading a source; an empty name stops all. */
  sync_stop(a: { name: string }): void;
  /** The journal of a source's latest sync. */
  journal(a: { source: string; query: ListQuery }): RowWindow<JournalRow>;
  /** Identities by window. */
  identities(a: { query: ListQuery }): RowWindow<IdentityRow>;
  /** One identity with all it holds. */
  identity(a: { id: string }): IdentityDetail;
  /** What an identity reaches, listed or not, and the accounts that could be theirs as well as another's. */
  reach(a: { identity: string }): ReachView;
  /** All secrets in short: how many, where, and of how many copies can be told. */
  secrets_summary(): SecretsSummary;
  /** Secrets by window; with an identity those that they could read, and how. */
  secrets(a: { query: ListQuery; identity: string | null }): SecretsView;
  /** One secret with all that is known of it. */
  secret(a: { key: string; identity: string | null }): SecretShown;
  /** Values at places by window. */
  secret_places(a: { query: ListQuery; identity: string | null }): RowWindow<SecretPlace>;
  /** Who can read a place, or a secret wherever it stands; whoever left first. */
  secret_readers(a: { key: string; query: ListQuery }): RowWindow<PlaceReader>;
  /** How many accounts stand how, but for those that are somebody's; of one source or of all. */
  undecided_counts(a: { source: string | null }): Array<LinkCount>;
  /** Accounts that want a decision, worst first. Filters: state, source. */
  undecided(a: { query: ListQuery }): RowWindow<LinkLine>;
  /** Why an account, `system:id`, is whose it is; one answer for each source that carries it. */
  account_explained(a: { account: string }): Array<LinkExplained>;
  /** Decides whose account it is; nobody's without an identity. The decision's number. */
  account_decide(a: { account: string; identity: string | null; why: string }): number;
  /** Persons with several records, and what joined them. */
  persons_joined(a: { query: ListQuery }): RowWindow<PersonLine>;
  /** Records that a rule would join and did not. */
  persons_doubted(a: { query: ListQuery }): RowWindow<PersonDoubtLine>;
  /** Decides that two records are one person. The decision's number. */
  persons_same(a: { a: string; b: string; why: string }): number;
  /** Decides that two records are two persons. The decision's number. */
  persons_apart(a: { a: string; b: string; why: string }): number;
  /** What was decided about accounts and persons, latest first. */
  decisions(a: { query: ListQuery }): RowWindow<DecisionLine>;
  /** The decisions in force about any of these records. */
  decisions_about(a: { records: Array<string> }): Array<DecisionLine>;
  /** Takes a decision back. */
  decision_undo(a: { number: number; why: string }): void;
  /** How many objects that need an owner stand how, worst first. */
  owner_standings(a: { filters: Array<string> }): Array<StandingCount>;
  /** What needs an owner, worst first. Filters: standing, object_type, system, kind, suggested, basis. */
  owned(a: { query: ListQuery }): RowWindow<OwnedLine>;
  /** One object with all that is known of its owners. */
  owned_detail(a: { object: string }): OwnedDetail;
  /** Suggestions that ask for a decision, best first. */
  owner_suggestions(a: { query: ListQuery; least: string | null }): RowWindow<OwnerSuggestionView>;
  /** Whether the lists of owners, which are shown as they were made last, are of an earlier moment. */
  owners_behind(): boolean;
  /** Waits until the lists of owners are of what is stored now. */
  owners_ready(): void;
  /** What confirming or rejecting these would do, without doing it. */
  owners_preview(a: { picks: Array<OwnerPick>; verdict: string }): OwnersSummary;
  /** Confirms or rejects several at once, all or none. */
  owners_decide(a: { picks: Array<OwnerPick>; verdict: string; why: string }): OwnersSummary;
  /** Confirms or rejects all suggestions that match; a preview without their count. */
  owners_decide_all(a: { filters: Array<string>; least: string; verdict: string; count: number | null; why: string }): OwnersSummary;
  /** What was decided about owners, latest first. */
  owner_decisions(a: { query: ListQuery }): RowWindow<OwnerDecisionView>;
  /** Takes back everything that was decided at once; how many decisions. */
  owners_undo(a: { batch: number; why: string }): number;
  /** Lifecycle events from the sources of truth. */
  events(a: { query: ListQuery }): RowWindow<EventRow>;
  /** What differs between two moments, counted; without them, what the latest reads changed. */
  changes(a: { from: string | null; to: string | null; source: string | null }): DiffView;
  /** The differences between two syncs. Filters: kind, what, source. */
  changed_rows(a: { from: number; to: number; query: ListQuery }): RowWindow<DiffRow>;
  /** The syncs whose states can be looked at, newest first. Filter: source. */
  moments(a: { query: ListQuery }): RowWindow<MomentView>;
  /** The sync that a number, a date or a time means. */
  moment_named(a: { text: string }): MomentView;
  /** The past of the objects that an id names, one for each source that has it. */
  object_history(a: { kind: string; id: string }): Array<ObjectHistory>;
  /** The columns of a table, in order. */
  table_columns(a: { kind: string }): Array<string>;
  /** A table as it stood after a sync. Filters: its columns. */
  table_then(a: { kind: string; sync: number; query: ListQuery }): RowWindow<FactRow>;
  /** The records that an id named after a sync, as they stood. */
  identity_then(a: { id: string; sync: number }): Array<IdentityThen>;
  /** How long the past is kept. */
  retention(): RetentionView;
  /** Sets how long versions of a kind (all, if none) are kept; forever without days and syncs. */
  retention_set(a: { kind: string | null; days: number | null; syncs: number | null }): RetentionView;
  /** What retention would delete now, and what is held. */
  retention_preview(): RetentionReport;
  /** Deletes what no rule keeps and no evidence holds. */
  retention_run(): RetentionReport;
  /** Loads the offboarding plan. */
  plan_load(a: { name: string; text: string; code: string | null }): PlanLoad;
  /** Rehearses a leaver; without a time, now. */
  rehearse_leaver(a: { identity: string; at: string | null }): RehearsalView;
  /** Everybody's leaver rehearsal, worst first. */
  rehearsals(a: { query: ListQuery }): RowWindow<RehearsedRow>;
  /** Rehearses a leaver by the text of another plan; nothing is kept. */
  plan_try(a: { identity: string; text: string; at: string | null }): RehearsalView;
  /** What the active plan covers of what was read, or the text of another. */
  plan_coverage(a: { text: string | null }): PlanCoverage;
  /** Everyone's rehearsal in short, by the active plan or the text of another; with the steps that would close most where asked. */
  survey(a: { text: string | null; steps: boolean }): Survey;
  /** Stops everyone's rehearsal in short that is under way. */
  survey_stop(): void;
  /** Plays events as scripts write them, in the order of their times. */
  events_try(a: { events: Array<string> }): EventsRehearsal;
  /** The access policy that counts, or its draft; nothing where there is none. */
  policy(a: { draft: boolean }): PolicyView | null;
  /** What is strange about a policy and no mistake; a mistake is refused with line and column. */
  policy_check(a: { text: string }): Array<PolicyRemark>;
  /** Keeps a draft, which decides nothing. */
  policy_draft(a: { name: string; text: string }): PolicyView;
  /** Makes the draft count. */
  policy_activate(): PolicyView;
  /** What would change for whom if the draft counted. */
  policy_differences(a: { limit: number }): PolicyDifferences;
  /** Every rehearsal that was saved, the latest first. */
  saved_rehearsals(): Array<SavedView>;
  /** Rehearses a leaver and saves the answer under a name that none has. */
  save_leaver(a: { name: string; identity: string; at: string | null }): SavedView;
  /** What differs between a saved rehearsal and another one of the same question, or that question asked now. */
  saved_compare(a: { before: string; after: string | null }): Comparison;
  /** Removes a saved rehearsal; the log keeps that it was there. */
  saved_remove(a: { name: string }): void;
  /** The assertions that count; nothing where none do. */
  assertions(): AssertionsView | null;
  /** What came of them after syncs, the latest first. */
  assertion_runs(a: { limit: number }): Array<AssertionRunView>;
  /** Judges those that count now, and keeps what comes of it. */
  assertions_run(): void;
  /** When a package was exported last; nothing if none ever was. */
  exported_at(): string | null;
  /** Past leavers or movers of a period in short; measured anew where that is wanted, or something was read since. */
  leavers(a: { since: string | null; until: string | null; movers: boolean; fresh: boolean }): LeaversReport;
  /** Stops measuring them. */
  leavers_stop(): void;
  /** What past leavers or movers held, worst first; filtered by system, state and gap. */
  leaver_things(a: { since: string | null; until: string | null; movers: boolean; query: ListQuery }): RowWindow<LeaverThing>;
  /** One leaver by time, for each time they left, the latest first. */
  leaver_timelines(a: { identity: string }): Array<LeaverTimeline>;
  /** Each step of the plan as it went in the past. */
  measured_steps(): Array<StepMeasured>;
  /** Credentials that may be tried, by name. */
  probes(): Array<ProbeView>;
  /** Tries one of them once, now. */
  probe_try(a: { name: string }): ProbeView;
  /** Takes its consent back and forgets its secret. */
  probe_remove(a: { name: string }): void;
  /** Whoever is watched while access closes, those that go on first. */
  watches(): Array<WatchView>;
  /** Announces that somebody leaves, and watches them. */
  watch_start(a: { identity: string; event: string | null; at: string | null }): WatchView;
  /** Ends a watch. */
  watch_stop(a: { id: number }): WatchView;
  /** Reads now for one who is watched. */
  watch_read(a: { id: number }): WatchView;
  /** Writes a signed audit package. */
  export_package(a: { out: string; since: string | null; until: string | null; onProgress: Channel<ExportProgress> }): ExportReport;
  /** Verifies any package. */
  verify_package(a: { path: string; signer: string | null }): VerifyView;
  /** Makes the practice estate. */
  demo(a: { onProgress: Channel<SyncProgress> }): Status;
  /** Lets the person choose a file; nothing if they cancel. */
  pick_file(a: { save: boolean; title: string; name: string | null }): string | null;
  /** Lets the person choose a folder; nothing if they cancel. */
  pick_folder(a: { title: string }): string | null;
  /** What the person chose for the window. */
  settings_get(): UiSettings;
  /** Keeps what the person chose. */
  settings_set(a: { settings: UiSettings }): void;
}

export const commandNames = [
  "status",
  "store_unlock",
  "store_recover",
  "store_lock",
  "locked_reading",
  "key_file_make",
  "recovery_key_new",
  "recovery_key",
  "source_kinds",
  "sources",
  "source_add",
  "source_check",
  "source_draft",
  "source_change_draft",
  "source_try",
  "source_change_try",
  "source_try_stop",
  "source_change",
  "source_scripts",
  "source_script_save",
  "source_runs",
  "source_standing",
  "run",
  "run_journal",
  "weak_reads",
  "source_fingerprints",
  "source_forgets",
  "source_remove",
  "sync_start",
  "sync_accept",
  "sync_stop",
  "journal",
  "identities",
  "identity",
  "reach",
  "secrets_summary",
  "secrets",
  "secret",
  "secret_places",
  "secret_readers",
  "undecided_counts",
  "undecided",
  "account_explained",
  "account_decide",
  "persons_joined",
  "persons_doubted",
  "persons_same",
  "persons_apart",
  "decisions",
  "decisions_about",
  "decision_undo",
  "owner_standings",
  "owned",
  "owned_detail",
  "owner_suggestions",
  "owners_behind",
  "owners_ready",
  "owners_preview",
  "owners_decide",
  "owners_decide_all",
  "owner_decisions",
  "owners_undo",
  "events",
  "changes",
  "changed_rows",
  "moments",
  "moment_named",
  "object_history",
  "table_columns",
  "table_then",
  "identity_then",
  "retention",
  "retention_set",
  "retention_preview",
  "retention_run",
  "plan_load",
  "rehearse_leaver",
  "rehearsals",
  "plan_try",
  "plan_coverage",
  "survey",
  "survey_stop",
  "events_try",
  "policy",
  "policy_check",
  "policy_draft",
  "policy_activate",
  "policy_differences",
  "saved_rehearsals",
  "save_leaver",
  "saved_compare",
  "saved_remove",
  "assertions",
  "assertion_runs",
  "assertions_run",
  "exported_at",
  "leavers",
  "leavers_stop",
  "leaver_things",
  "leaver_timelines",
  "measured_steps",
  "probes",
  "probe_try",
  "probe_remove",
  "watches",
  "watch_start",
  "watch_stop",
  "watch_read",
  "export_package",
  "verify_package",
  "demo",
  "pick_file",
  "pick_folder",
  "settings_get",
  "settings_set",
] as const satisfies ReadonlyArray<keyof Commands>;
