//! The one list of commands. The handlers of this side and `ui/src/wire/commands.ts` of the
//! other are both made from it, so they cannot drift.
//!
//! A command parses, calls the workbench and converts; what fails is a `FailureView`.

mod leavers;
mod links;
mod owners;
mod past;
mod policies;
mod rehearsals;
mod saved;
mod secrets;
mod sources;

use crate::desk::Desk;
use crate::settings::UiSettings;
use crate::wire::{Wire, camel_case};
use lastkey_engine::collect::Removals;
use lastkey_engine::lifecycle::saved::Comparison;
use lastkey_engine::lifecycle::simulated::EventsRehearsal;
use lastkey_engine::locations::{PlaceReader, SecretPlace, SecretsSummary};
use lastkey_engine::measured::{LeaverTimeline, StepMeasured};
use lastkey_engine::practice::Size as PracticeSize;
use lastkey_engine::store::RetentionReport;
use lastkey_engine::views::{
    CheckView, DecisionLine, DiffRow, DiffView, DraftProblem, EventRow, ExportProgress,
    ExportReport, FactRow, FailureView, Forgotten, IdentityDetail, IdentityRow, IdentityThen,
    JournalRow, KindStanding, LinkCount, LinkExplained, LinkLine, ListQuery, MomentView, NewSource,
    ObjectHistory, OwnedDetail, OwnedLine, OwnerDecisionView, OwnerPick, OwnerSuggestionView,
    OwnersSummary, PersonDoubtLine, PersonLine, ReachView, RehearsalView, RehearsedRow,
    RetentionView, RowWindow, RunDetail, RunRow, ScriptView, SourceKindView, SourceRow,
    StandingCount, Status, SyncProgress, SyncReport, VerifyView, WeakReadView,
};
use lastkey_workbench::{
    AssertionRunView, AssertionsView, Failure, LeaverThing, LeaversReport, PackageAsked,
    PlanCoverage, PlanLoad, PolicyDifferences, PolicyRemark, PolicyView, ProbeView, SavedView,
    SecretShown, SecretsView, Survey, SyncHow, WatchView, Workbench,
};
use std::path::Path;
use tauri::ipc::Channel;

use leavers::*;
use links::*;
use owners::*;
use past::*;
use policies::*;
use rehearsals::*;
use saved::*;
use secrets::*;
use sources::*;

type Answer<T> = Result<T, FailureView>;

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)+) => {
        mod handlers {
            use super::*;
            $(
                #[tauri::command]
                pub async fn $name(
                    desk: tauri::State<'_, Desk>,
                    $($arg: $ty),*
                ) -> Answer<$ret> {
                    super::$name(&desk, $($arg),*).await
                }
            )+
        }

        /// Takes the window's calls.
        pub fn handler() -> impl Fn(tauri::ipc::Invoke) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$(handlers::$name),+]
        }

        /// The other side of the list: the text of `ui/src/wire/commands.ts`.
        #[cfg_attr(not(test), expect(dead_code, reason = "the test that proves the file current renders it"))]
        pub fn typescript() -> String {
            let mut needs = std::collections::BTreeSet::new();
            let mut lines = String::new();
            $(
                $( lines.push_str(&format!("  /**{} */\n", $doc)); )+
                let arguments: Vec<String> = vec![
                    $({
                        needs.extend(<$ty as Wire>::needs());
                        format!("{}: {}", camel_case(stringify!($arg)), <$ty as Wire>::called())
                    }),*
                ];
                needs.extend(<$ret as Wire>::needs());
                let arguments = if arguments.is_empty() {
                    String::new()
                } else {
                    format!("a: {{ {} }}", arguments.join("; "))
                };
                lines.push_str(&format!(
                    "  {}({}): {};\n", stringify!($name), arguments, <$ret as Wire>::called()
                ));
            )+
            let names = [$(stringify!($name)),+];
            render(&needs, &lines, &names)
        }
    };
}

commands! {
    /// What the frame shows on every screen.
    status() -> Status;
    /// Opens the store again, with a key file or a passphrase if one is given.
    store_unlock(key_file: Option<String>, passphrase: Option<String>) -> Status;
    /// Opens the store with its recovery key and keeps its key again.
    store_recover(recovery_key: String, passphrase: Option<String>) -> Status;
    /// Locks the window; a read that goes on ends behind the lock.
    store_lock() -> ();
    /// How many sources are being read behind the lock.
    locked_reading() -> u32;
    /// Makes a key file of random bytes; refuses where a file is.
    key_file_make(path: String) -> ();
    /// Makes a new recovery key: told once, and the one before opens the store no more.
    recovery_key_new() -> String;
    /// The recovery key of a store that was just made: told once.
    recovery_key() -> Option<String>;
    /// The kinds of source that can be added.
    source_kinds() -> Vec<SourceKindView>;
    /// All sources.
    sources() -> Vec<SourceRow>;
    /// Adds a source; its secret goes to the keychain.
    source_add(source: NewSource) -> SourceRow;
    /// Signs in, looks, changes nothing.
    source_check(name: String) -> CheckView;
    /// What is wrong with a source that is being written; nothing if it could be added.
    source_draft(source: NewSource) -> Option<DraftProblem>;
    /// What is wrong with a change of a source; nothing if it could be made.
    source_change_draft(source: NewSource) -> Option<DraftProblem>;
    /// Signs in as a new source would, looks, keeps nothing.
    source_try(source: NewSource) -> CheckView;
    /// Signs in as a changed source would, looks, keeps nothing.
    source_change_try(source: NewSource) -> CheckView;
    /// Stops a trial that is under way.
    source_try_stop() -> ();
    /// Gives a source other settings, and another secret where one is given.
    source_change(source: NewSource) -> SourceRow;
    /// The texts for the system's own administrator; they hold no secret.
    source_scripts(source: NewSource) -> Vec<ScriptView>;
    /// Writes one of them to a file.
    source_script_save(source: NewSource, file_name: String, out: String) -> ();
    /// The runs of a source, newest first.
    source_runs(name: String, query: ListQuery) -> RowWindow<RunRow>;
    /// Since when each kind of a source stands as it does.
    source_standing(name: String) -> Vec<KindStanding>;
    /// One run: its kinds, and what its journal holds.
    run(sync: u64) -> RunDetail;
    /// The journal of one run.
    run_journal(sync: u64, query: ListQuery) -> RowWindow<JournalRow>;
    /// The reads that lower every claim about a moment, which is now if not given.
    weak_reads(at: Option<String>) -> Vec<WeakReadView>;
    /// Lets values be reduced to fingerprints, with the login that may read them; without, no longer.
    source_fingerprints(name: String, secret: Option<String>) -> SourceRow;
    /// What nobody would know any more without a source.
    source_forgets(name: String) -> Forgotten;
    /// Removes a source; its history stays.
    source_remove(name: String, retired: bool) -> ();
    /// Reads sources; none named means all.
    sync_start(names: Vec<String>, on_progress: Channel<SyncProgress>) -> Vec<SyncReport>;
    /// Reads a source and takes what it no longer shows as gone, however much that is.
    sync_accept(name: String, on_progress: Channel<SyncProgress>) -> Vec<SyncReport>;
    /// Stops reading a source; an empty name stops all.
    sync_stop(name: String) -> ();
    /// The journal of a source's latest sync.
    journal(source: String, query: ListQuery) -> RowWindow<JournalRow>;
    /// Identities by window.
    identities(query: ListQuery) -> RowWindow<IdentityRow>;
    /// One identity with all it holds.
    identity(id: String) -> IdentityDetail;
    /// What an identity reaches, listed or not, and the accounts that could be theirs as well as another's.
    reach(identity: String) -> ReachView;
    /// All secrets in short: how many, where, and of how many copies can be told.
    secrets_summary() -> SecretsSummary;
    /// Secrets by window; with an identity those that they could read, and how.
    secrets(query: ListQuery, identity: Option<String>) -> SecretsView;
    /// One secret with all that is known of it.
    secret(key: String, identity: Option<String>) -> SecretShown;
    /// Values at places by window.
    secret_places(query: ListQuery, identity: Option<String>) -> RowWindow<SecretPlace>;
    /// Who can read a place, or a secret wherever it stands; whoever left first.
    secret_readers(key: String, query: ListQuery) -> RowWindow<PlaceReader>;
    /// How many accounts stand how, but for those that are somebody's; of one source or of all.
    undecided_counts(source: Option<String>) -> Vec<LinkCount>;
    /// Accounts that want a decision, worst first. Filters: state, source.
    undecided(query: ListQuery) -> RowWindow<LinkLine>;
    /// Why an account, `system:id`, is whose it is; one answer for each source that carries it.
    account_explained(account: String) -> Vec<LinkExplained>;
    /// Decides whose account it is; nobody's without an identity. The decision's number.
    account_decide(account: String, identity: Option<String>, why: String) -> i64;
    /// Persons with several records, and what joined them.
    persons_joined(query: ListQuery) -> RowWindow<PersonLine>;
    /// Records that a rule would join and did not.
    persons_doubted(query: ListQuery) -> RowWindow<PersonDoubtLine>;
    /// Decides that two records are one person. The decision's number.
    persons_same(a: String, b: String, why: String) -> i64;
    /// Decides that two records are two persons. The decision's number.
    persons_apart(a: String, b: String, why: String) -> i64;
    /// What was decided about accounts and persons, latest first.
    decisions(query: ListQuery) -> RowWindow<DecisionLine>;
    /// The decisions in force about any of these records.
    decisions_about(records: Vec<String>) -> Vec<DecisionLine>;
    /// Takes a decision back.
    decision_undo(number: i64, why: String) -> ();
    /// How many objects that need an owner stand how, worst first.
    owner_standings(filters: Vec<String>) -> Vec<StandingCount>;
    /// What needs an owner, worst first. Filters: standing, object_type, system, kind, suggested, basis.
    owned(query: ListQuery) -> RowWindow<OwnedLine>;
    /// One object with all that is known of its owners.
    owned_detail(object: String) -> OwnedDetail;
    /// Suggestions that ask for a decision, best first.
    owner_suggestions(query: ListQuery, least: Option<String>) -> RowWindow<OwnerSuggestionView>;
    /// Whether the lists of owners, which are shown as they were made last, are of an earlier moment.
    owners_behind() -> bool;
    /// Waits until the lists of owners are of what is stored now.
    owners_ready() -> ();
    /// What confirming or rejecting these would do, without doing it.
    owners_preview(picks: Vec<OwnerPick>, verdict: String) -> OwnersSummary;
    /// Confirms or rejects several at once, all or none.
    owners_decide(picks: Vec<OwnerPick>, verdict: String, why: String) -> OwnersSummary;
    /// Confirms or rejects all suggestions that match; a preview without their count.
    owners_decide_all(filters: Vec<String>, least: String, verdict: String, count: Option<u64>, why: String) -> OwnersSummary;
    /// What was decided about owners, latest first.
    owner_decisions(query: ListQuery) -> RowWindow<OwnerDecisionView>;
    /// Takes back everything that was decided at once; how many decisions.
    owners_undo(batch: i64, why: String) -> u64;
    /// Lifecycle events from the sources of truth.
    events(query: ListQuery) -> RowWindow<EventRow>;
    /// What differs between two moments, counted; without them, what the latest reads changed.
    changes(from: Option<String>, to: Option<String>, source: Option<String>) -> DiffView;
    /// The differences between two syncs. Filters: kind, what, source.
    changed_rows(from: u64, to: u64, query: ListQuery) -> RowWindow<DiffRow>;
    /// The syncs whose states can be looked at, newest first. Filter: source.
    moments(query: ListQuery) -> RowWindow<MomentView>;
    /// The sync that a number, a date or a time means.
    moment_named(text: String) -> MomentView;
    /// The past of the objects that an id names, one for each source that has it.
    object_history(kind: String, id: String) -> Vec<ObjectHistory>;
    /// The columns of a table, in order.
    table_columns(kind: String) -> Vec<String>;
    /// A table as it stood after a sync. Filters: its columns.
    table_then(kind: String, sync: u64, query: ListQuery) -> RowWindow<FactRow>;
    /// The records that an id named after a sync, as they stood.
    identity_then(id: String, sync: u64) -> Vec<IdentityThen>;
    /// How long the past is kept.
    retention() -> RetentionView;
    /// Sets how long versions of a kind (all, if none) are kept; forever without days and syncs.
    retention_set(kind: Option<String>, days: Option<u32>, syncs: Option<u32>) -> RetentionView;
    /// What retention would delete now, and what is held.
    retention_preview() -> RetentionReport;
    /// Deletes what no rule keeps and no evidence holds.
    retention_run() -> RetentionReport;
    /// Loads the offboarding plan.
    plan_load(name: String, text: String, code: Option<String>) -> PlanLoad;
    /// Rehearses a leaver; without a time, now.
    rehearse_leaver(identity: String, at: Option<String>) -> RehearsalView;
    /// Everybody's leaver rehearsal, worst first.
    rehearsals(query: ListQuery) -> RowWindow<RehearsedRow>;
    /// Rehearses a leaver by the text of another plan; nothing is kept.
    plan_try(identity: String, text: String, at: Option<String>) -> RehearsalView;
    /// What the active plan covers of what was read, or the text of another.
    plan_coverage(text: Option<String>) -> PlanCoverage;
    /// Everyone's rehearsal in short, by the active plan or the text of another; with the steps that would close most where asked.
    survey(text: Option<String>, steps: bool) -> Survey;
    /// Stops everyone's rehearsal in short that is under way.
    survey_stop() -> ();
    /// Plays events as scripts write them, in the order of their times.
    events_try(events: Vec<String>) -> EventsRehearsal;
    /// The access policy that counts, or its draft; nothing where there is none.
    policy(draft: bool) -> Option<PolicyView>;
    /// What is strange about a policy and no mistake; a mistake is refused with line and column.
    policy_check(text: String) -> Vec<PolicyRemark>;
    /// Keeps a draft, which decides nothing.
    policy_draft(name: String, text: String) -> PolicyView;
    /// Makes the draft count.
    policy_activate() -> PolicyView;
    /// What would change for whom if the draft counted.
    policy_differences(limit: u32) -> PolicyDifferences;
    /// Every rehearsal that was saved, the latest first.
    saved_rehearsals() -> Vec<SavedView>;
    /// Rehearses a leaver and saves the answer under a name that none has.
    save_leaver(name: String, identity: String, at: Option<String>) -> SavedView;
    /// What differs between a saved rehearsal and another one of the same question, or that question asked now.
    saved_compare(before: String, after: Option<String>) -> Comparison;
    /// Removes a saved rehearsal; the log keeps that it was there.
    saved_remove(name: String) -> ();
    /// The assertions that count; nothing where none do.
    assertions() -> Option<AssertionsView>;
    /// What came of them after syncs, the latest first.
    assertion_runs(limit: u32) -> Vec<AssertionRunView>;
    /// Judges those that count now, and keeps what comes of it.
    assertions_run() -> ();
    /// When a package was exported last; nothing if none ever was.
    exported_at() -> Option<String>;
    /// Past leavers or movers of a period in short; measured anew where that is wanted, or something was read since.
    leavers(since: Option<String>, until: Option<String>, movers: bool, fresh: bool) -> LeaversReport;
    /// Stops measuring them.
    leavers_stop() -> ();
    /// What past leavers or movers held, worst first; filtered by system, state and gap.
    leaver_things(since: Option<String>, until: Option<String>, movers: bool, query: ListQuery) -> RowWindow<LeaverThing>;
    /// One leaver by time, for each time they left, the latest first.
    leaver_timelines(identity: String) -> Vec<LeaverTimeline>;
    /// Each step of the plan as it went in the past.
    measured_steps() -> Vec<StepMeasured>;
    /// Credentials that may be tried, by name.
    probes() -> Vec<ProbeView>;
    /// Tries one of them once, now.
    probe_try(name: String) -> ProbeView;
    /// Takes its consent back and forgets its secret.
    probe_remove(name: String) -> ();
    /// Whoever is watched while access closes, those that go on first.
    watches() -> Vec<WatchView>;
    /// Announces that somebody leaves, and watches them.
    watch_start(identity: String, event: Option<String>, at: Option<String>) -> WatchView;
    /// Ends a watch.
    watch_stop(id: i64) -> WatchView;
    /// Reads now for one who is watched.
    watch_read(id: i64) -> WatchView;
    /// Writes a signed audit package.
    export_package(out: String, since: Option<String>, until: Option<String>, on_progress: Channel<ExportProgress>) -> ExportReport;
    /// Verifies any package.
    verify_package(path: String, signer: Option<String>) -> VerifyView;
    /// Makes the practice estate.
    demo(on_progress: Channel<SyncProgress>) -> Status;
    /// Lets the person choose a file; nothing if they cancel.
    pick_file(save: bool, title: String, name: Option<String>) -> Option<String>;
    /// Lets the person choose a folder; nothing if they cancel.
    pick_folder(title: String) -> Option<String>;
    /// What the person chose for the window.
    settings_get() -> UiSettings;
    /// Keeps what the person chose.
    settings_set(settings: UiSettings) -> ();
}

async fn status(desk: &Desk) -> Answer<Status> {
    Ok(desk.workbench().await?.status().await?)
}

async fn store_unlock(
    desk: &Desk,
    key_file: Option<String>,
    passphrase: Option<String>,
) -> Answer<Status> {
    desk.open(key_file, passphrase).await?;
    status(desk).await
}

async fn store_recover(
    desk: &Desk,
    recovery_key: String,
    passphrase: Option<String>,
) -> Answer<Status> {
    desk.recover(recovery_key, passphrase).await?;
    status(desk).await
}

async fn store_lock(desk: &Desk) -> Answer<()> {
    desk.lock().await;
    Ok(())
}

async fn locked_reading(desk: &Desk) -> Answer<u32> {
    Ok(desk.reading())
}

async fn key_file_make(_desk: &Desk, path: String) -> Answer<()> {
    Ok(lastkey_workbench::make_key_file(Path::new(&path))?)
}

async fn recovery_key_new(desk: &Desk) -> Answer<String> {
    let text = desk.workbench().await?.new_recovery_key().await?;
    Ok(text.to_string())
}

async fn recovery_key(desk: &Desk) -> Answer<Option<String>> {
    Ok(desk.take_recovery_key().await)
}

async fn sync_start(
    desk: &Desk,
    names: Vec<String>,
    on_progress: Channel<SyncProgress>,
) -> Answer<Vec<SyncReport>> {
    desk.sync(names, SyncHow::default(), on_progress).await
}

async fn sync_accept(
    desk: &Desk,
    name: String,
    on_progress: Channel<SyncProgress>,
) -> Answer<Vec<SyncReport>> {
    let how = SyncHow {
        removals: Removals::Accept,
        ..SyncHow::default()
    };
    desk.sync(vec![name], how, on_progress).await
}

async fn sync_stop(desk: &Desk, name: String) -> Answer<()> {
    desk.stop(&name);
    Ok(())
}

async fn journal(desk: &Desk, source: String, query: ListQuery) -> Answer<RowWindow<JournalRow>> {
    Ok(desk.workbench().await?.journal(&source, &query).await?)
}

async fn identities(desk: &Desk, query: ListQuery) -> Answer<RowWindow<IdentityRow>> {
    Ok(desk.workbench().await?.identities(&query).await?)
}

async fn identity(desk: &Desk, id: String) -> Answer<IdentityDetail> {
    Ok(desk.workbench().await?.identity(&id).await?)
}

async fn reach(desk: &Desk, identity: String) -> Answer<ReachView> {
    Ok(desk.workbench().await?.reach_of(&identity).await?)
}

async fn events(desk: &Desk, query: ListQuery) -> Answer<RowWindow<EventRow>> {
    Ok(desk.workbench().await?.events(&query).await?)
}

async fn exported_at(desk: &Desk) -> Answer<Option<String>> {
    Ok(desk.workbench().await?.exported_at().await?)
}

async fn export_package(
    desk: &Desk,
    out: String,
    since: Option<String>,
    until: Option<String>,
    on_progress: Channel<ExportProgress>,
) -> Answer<ExportReport> {
    let tell = move |progress: ExportProgress| {
        // A window that has gone away needs no progress.
        let _gone = on_progress.send(progress);
    };
    let asked = PackageAsked {
        since: since.filter(|text| !text.trim().is_empty()),
        until: until.filter(|text| !text.trim().is_empty()),
        ..PackageAsked::default()
    };
    Ok(desk
        .workbench()
        .await?
        .export(Path::new(&out), &asked, &tell)
        .await?)
}

async fn verify_package(_desk: &Desk, path: String, signer: Option<String>) -> Answer<VerifyView> {
    let read = tokio::task::spawn_blocking(move || {
        lastkey_workbench::verify(Path::new(&path), signer.as_deref(), None)
    });
    let view = read
        .await
        .map_err(|_| Failure::not_possible("verifying was interrupted"))??;
    Ok(view)
}

async fn demo(desk: &Desk, on_progress: Channel<SyncProgress>) -> Answer<Status> {
    let tell = move |progress: SyncProgress| {
        let _gone = on_progress.send(progress);
    };
    let workbench: std::sync::Arc<Workbench> = desk.workbench().await?;
    let folder = workbench.practice_folder();
    workbench.demo(&folder, PracticeSize::Small, &tell).await?;
    Ok(workbench.status().await?)
}

async fn pick_file(
    desk: &Desk,
    save: bool,
    title: String,
    name: Option<String>,
) -> Answer<Option<String>> {
    Ok(desk.pick_file(save, title, name).await)
}

async fn pick_folder(desk: &Desk, title: String) -> Answer<Option<String>> {
    Ok(desk.pick_folder(title).await)
}

async fn settings_get(_desk: &Desk) -> Answer<UiSettings> {
    Ok(UiSettings::load())
}

async fn settings_set(_desk: &Desk, settings: UiSettings) -> Answer<()> {
    settings
        .save()
        .map_err(|message| Failure::not_possible(message).into())
}

fn render(needs: &std::collections::BTreeSet<String>, lines: &str, names: &[&str]) -> String {
    let mut text = String::from(
        "// Generated from src-tauri/src/commands.rs; a test proves it current. Do not edit.\n\n\
         import type { Channel } from \"../host/channel\";\n",
    );
    for need in needs {
        text.push_str(&format!("import type {{ {need} }} from \"./{need}\";\n"));
    }
    text.push_str(
        "\n/** Every command: its argument and its answer. What fails is a FailureView. */\n",
    );
    text.push_str(&format!("export interface Commands {{\n{lines}}}\n\n"));
    text.push_str("export const commandNames = [\n");
    for name in names {
        text.push_str(&format!("  \"{name}\",\n"));
    }
    text.push_str("] as const satisfies ReadonlyArray<keyof Commands>;\n");
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_windows_list_of_commands_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/wire/commands.ts");
        let made = super::typescript();
        if std::env::var_os("LASTKEY_BLESS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            there == made,
            "ui/src/wire/commands.ts is not current: run LASTKEY_BLESS=1 cargo test -p lastkey-window"
        );
    }
}
