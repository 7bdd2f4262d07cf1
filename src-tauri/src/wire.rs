//! How Rust types are called in TypeScript, for the generated list of commands.

use crate::settings::UiSettings;
use lastkey_engine::lifecycle::saved::Comparison;
use lastkey_engine::lifecycle::simulated::EventsRehearsal;
use lastkey_engine::locations::{PlaceReader, SecretPlace, SecretsSummary};
use lastkey_engine::measured::{LeaverTimeline, StepMeasured};
use lastkey_engine::store::RetentionReport;
use lastkey_engine::views::{
    CheckView, DecisionLine, DiffRow, DiffView, DraftProblem, EventRow, ExportProgress,
    ExportReport, FactRow, Forgotten, IdentityDetail, IdentityRow, IdentityThen, JournalRow,
    KindStanding, LinkCount, LinkExplained, LinkLine, ListQuery, MomentView, NewSource,
    ObjectHistory, OwnedDetail, OwnedLine, OwnerDecisionView, OwnerPick, OwnerSuggestionView,
    OwnersSummary, PersonDoubtLine, PersonLine, ReachView, RehearsalView, RehearsedRow,
    RetentionView, RowWindow, RunDetail, RunRow, ScriptView, SourceKindView, SourceRow,
    StandingCount, Status, SyncProgress, SyncReport, VerifyView, WeakReadView,
};
use lastkey_workbench::{
    AssertionRunView, AssertionsView, LeaverThing, LeaversReport, PlanCoverage, PlanLoad,
    PolicyDifferences, PolicyRemark, PolicyView, ProbeView, SavedView, SecretShown, SecretsView,
    Survey, WatchView,
};
use tauri::ipc::Channel;
use ts_rs::{Config, TS};

/// A type that crosses to the window.
pub trait Wire {
    /// Its name in TypeScript.
    fn called() -> String;
    /// The generated types it needs, by name.
    fn needs() -> Vec<String>;
}

macro_rules! plain {
    ($($ty:ty = $name:literal),+ $(,)?) => {$(
        impl Wire for $ty {
            fn called() -> String { $name.to_owned() }
            fn needs() -> Vec<String> { Vec::new() }
        }
    )+};
}
plain!(
    String = "string",
    bool = "boolean",
    u32 = "number",
    u64 = "number",
    i64 = "number",
    () = "void"
);

macro_rules! generated {
    ($($ty:ty),+ $(,)?) => {$(
        impl Wire for $ty {
            fn called() -> String { <$ty as TS>::name(&Config::default()) }
            fn needs() -> Vec<String> { vec![Self::called()] }
        }
    )+};
}
generated!(
    CheckView,
    DecisionLine,
    DiffRow,
    DiffView,
    DraftProblem,
    EventRow,
    EventsRehearsal,
    ExportProgress,
    ExportReport,
    FactRow,
    Forgotten,
    IdentityDetail,
    IdentityRow,
    IdentityThen,
    JournalRow,
    KindStanding,
    LinkCount,
    LinkExplained,
    LinkLine,
    ListQuery,
    MomentView,
    NewSource,
    OwnedDetail,
    OwnedLine,
    OwnerDecisionView,
    OwnerPick,
    OwnerSuggestionView,
    OwnersSummary,
    PersonDoubtLine,
    PersonLine,
    ObjectHistory,
    PlanCoverage,
    PlanLoad,
    PolicyDifferences,
    PolicyRemark,
    PolicyView,
    ReachView,
    RehearsalView,
    RehearsedRow,
    RetentionReport,
    RetentionView,
    RunDetail,
    RunRow,
    ScriptView,
    SourceKindView,
    SourceRow,
    StandingCount,
    Status,
    Survey,
    SyncProgress,
    SyncReport,
    UiSettings,
    VerifyView,
    WeakReadView,
    AssertionRunView,
    AssertionsView,
    Comparison,
    SavedView,
    LeaverThing,
    LeaverTimeline,
    LeaversReport,
    PlaceReader,
    ProbeView,
    SecretPlace,
    SecretShown,
    SecretsSummary,
    SecretsView,
    StepMeasured,
    WatchView,
);

impl<T: Wire> Wire for Vec<T> {
    fn called() -> String {
        format!("Array<{}>", T::called())
    }
    fn needs() -> Vec<String> {
        T::needs()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn called() -> String {
        format!("{} | null", T::called())
    }
    fn needs() -> Vec<String> {
        T::needs()
    }
}

impl<T: Wire + TS> Wire for RowWindow<T> {
    fn called() -> String {
        format!("RowWindow<{}>", T::called())
    }
    fn needs() -> Vec<String> {
        let mut needs = T::needs();
        needs.push("RowWindow".to_owned());
        needs
    }
}

impl<T: Wire> Wire for Channel<T> {
    fn called() -> String {
        format!("Channel<{}>", T::called())
    }
    fn needs() -> Vec<String> {
        T::needs()
    }
}

/// `on_progress` as the window writes it: `onProgress`.
pub fn camel_case(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' {
            upper = true;
        } else if upper {
            out.extend(letter.to_uppercase());
            upper = false;
        } else {
            out.push(letter);
        }
    }
    out
}
