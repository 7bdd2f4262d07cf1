//! What does a screen need? Windows of rows, details, progress: the types that cross to the window.
//!
//! Plain values with serde names; ts-rs writes their TypeScript twins into `ui/src/wire`.
//! Times are RFC 3339 text with Z (a bare date of a source: `from/until`).

mod events;
mod identity;
mod linked;
mod links;
mod lists;
mod names;
mod owned;
mod owners;
mod past;
mod reach;
mod rehearsed;
mod secrets;
mod source_page;
mod types;
mod undecided;
mod weak;

pub use events::events;
pub use identity::{IdentityLookup, identity, identity_then, together};
pub use linked::{LinkedLine, each_linked};
pub use links::{
    Candidate, DecisionLine, LinkCount, LinkExplained, LinkLine, Nearest, RuleAsked, decisions,
    explain_link, link_counts, links,
};
pub(crate) use lists::complete_since;
pub use lists::{StatusSetting, check_view, freshness, identities, journal, sources, status};
pub use names::names_in;
pub use owned::{
    OwnedDetail, OwnedLine, OwnerOf, OwnerPick, OwnersSummary, RuleCount, StandingCount,
    owned_detail, owned_lines, standing_counts,
};
pub use owners::{OwnedView, OwnerDecisionView, OwnerSuggestionView, owned_name};
pub use past::{
    ChangedColumn, DiffCount, DiffRow, DiffView, Difference, EarlierMoment, FactRow, HistoryLine,
    IdentityThen, MomentView, ObjectHistory, RetentionView, UnfinishedRead,
};
pub(crate) use past::{changed_columns, shown_fact};
pub use reach::ReachView;
pub use rehearsed::{departed_row, rehearsed_window, summarise, summary_json, worst_first};
pub use secrets::{name_readers, name_secret, name_secrets};
pub use source_page::{
    DraftProblem, KindQueries, KindStanding, RunDetail, RunRow, ScriptView, WordCount, run,
    run_journal, runs, standing,
};
pub use types::*;
pub use undecided::{
    PersonDoubtLine, PersonLine, RecordLine, decisions_about, persons_doubted, persons_joined,
    undecided, undecided_counts,
};
pub use weak::{WeakReadView, weak_reads};
