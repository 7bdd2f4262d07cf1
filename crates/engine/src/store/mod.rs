//! Where is it kept? One encrypted SQLite file per store, with history.
//!
//! Promises: encrypted or not at all; one process writes at a time; one
//! transaction per page; unchanged rows are never rewritten; only a complete
//! read removes; what was decided is in a hash-chained log. All SQL of the
//! product is in this folder, one file per table: migration, row, reader, writer.
//! Never: a secret value, a network share, a file made by `open`.

mod account_named;
mod account_past;
mod assertions;
mod blocks;
mod canonical;
mod check;
mod checks;
mod copies;
mod credential_past;
mod dated;
mod decisions;
mod departures;
mod detail;
mod diff;
mod error;
mod events;
mod every;
mod everybody;
mod facts_table;
mod graph;
mod graph_owners;
mod graph_parts;
mod graph_people;
mod ground;
mod invariants;
mod journal;
mod lease;
mod leavers;
mod lineage;
mod link;
mod link_gather;
mod link_ground;
mod link_lists;
mod link_rules;
mod linked;
mod links;
mod log;
mod met;
mod meta;
mod moments;
mod names;
mod objects;
mod once;
mod open;
mod open_links;
mod outline;
mod ownership;
mod page;
mod past;
mod people;
mod people_rows;
mod persons;
mod plans;
mod policies;
mod population;
mod print_past;
mod probes;
mod read_states;
mod references;
mod rehearsals;
mod remembered;
mod resume;
mod retention;
mod roster;
mod runs;
mod schema;
mod secret_places;
mod snapshot;
mod sources;
mod spans;
mod standing;
mod syncs;
mod turns;
mod unlisted;
mod unseen;
mod watches;

pub use assertions::{AssertionRun, AssertionsRecord};
pub(crate) use canonical::as_written;
#[cfg(test)]
pub(crate) use canonical::payload;
pub use checks::CheckRecord;
pub use copies::{KeyChange, change_key, key_fits};
pub use dated::{DatedRead, DatedReads};
pub use decisions::{AccountName, Decision, DecisionRecord, NewDecision, RecordName};
pub use departures::DeparturesOf;
pub(crate) use detail::PersonLink;
pub use diff::{DiffList, DiffQuery, Narrow};
pub use error::StoreError;
pub use events::{EventRecord, OwnerChange};
pub(crate) use events::{EventsQuery, Order, Origin};
pub use facts_table::{FactTable, TableQuery, columns};
pub use journal::NewJournalRow;
pub(crate) use journal::ToldColumns;
pub use leavers::{GivenOn, JoinedSince, LeaversQuery, RosterSpan, ToldToLeave};
pub(crate) use link::CANDIDATES;
pub use link_lists::{Holders, JoinedRow, LinkedAccount, PersonDoubtRow};
pub use link_rules::RulesOf;
pub use linked::WhichLinks;
pub use links::LinkState;
pub use log::LogEntry;
pub(crate) use log::sha256_hex;
pub(crate) use met::{Met, Scope};
pub use moments::{ReadLater, is_dated, moment_view};
pub(crate) use names::End;
pub(crate) use objects::{UNIT, named, principal_ref, shown_key};
pub use once::OnceListed;
pub use open::{Store, StoreKey};
pub use open_links::OpenLinks;
pub use ownership::{
    NewOwnerDecision, OWNER_LINE_COLUMNS, OwnedBy, OwnedRow, OwnerDecision, OwnerLineRow,
    OwnerVerdict, OwnersQuery, SuggestedOwner, SuggestionRow,
};
pub(crate) use page::{Applied, Hold, PagePart, ReadEnd, Rows};
pub(crate) use people::PeopleQuery;
pub use people::PersonRow;
pub use plans::PlanRecord;
pub use policies::{PolicyRecord, PolicyStanding};
pub use probes::{NewProbe, ProbeRecord, TryRecord};
pub use rehearsals::SavedRehearsal;
pub(crate) use resume::{Base, Interrupted};
pub use resume::{Held, ReadMode};
pub use retention::{Horizon, RetentionReport, RetentionResult, RetentionRule};
pub use runs::{JournalQuery, KindSince, RunRecord, RunsQuery};
pub use sources::{Removal, RemovedSource, SourceRecord};
pub use syncs::{KindRecord, SyncId, SyncRecord, SyncState};
pub use watches::WatchRecord;

#[cfg(test)]
mod decisions_tests;
#[cfg(test)]
mod graph_tests;
#[cfg(test)]
mod in_doubt_tests;
#[cfg(test)]
mod probes_tests;
#[cfg(test)]
mod tests;
mod together;
