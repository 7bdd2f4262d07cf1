//! What both programs do: the use cases of the window and of the command line.
//!
//! The window and `lastkey` are two thin clients of this crate, so that neither can do
//! something the other cannot. Here the engine, the connectors and the OS keychain meet;
//! nothing is decided here that the engine could decide. It never prints, and knows
//! neither windows nor terminals (docs/decisions/0001-workbench-crate.md).

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

/// For both programs: a large sync spends a fifth of its time in the system's allocator else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod assertions;
mod bench;
mod carried;
mod changes;
mod connectors;
mod drafts;
mod event_policy;
mod event_text;
mod events;
mod everyone;
mod failure;
mod fingerprints;
mod guard;
mod history;
mod keys;
mod leaver_caveats;
mod leavers;
mod leavers_window;
mod links;
mod making;
mod memory;
mod moves;
mod operator;
mod owners;
mod packages;
mod places;
mod plan_coverage;
mod policies;
mod policy_diff;
mod policy_suggest;
mod practice;
mod probes;
mod rehearsals;
mod roles;
mod saved;
mod secrets;
mod series;
mod sources;
mod stop;
mod stores;
mod survey;
mod syncs;
mod tables;
mod then;
mod told_watches;
mod trust;
mod unknown;
mod watches;

pub use assertions::{AssertionReport, AssertionRunView, AssertionsView, check_assertions};
pub use bench::{Closing, OpenOptions, Opened, WhenMissing, Workbench};
pub use carried::{Carried, CarriedAlong, CarriedBy};
pub use connectors::source_kinds;
pub use drafts::{save_script, scripts};
pub use event_text::{EventWords, event_from_text};
pub use everyone::{EveryoneSince, Verdicts};
pub use failure::{Failure, FailureKind};
pub use fingerprints::Consent;
pub use guard::PlanLoad;
pub use history::{DiffRequest, kind_from_text};
pub use keys::{KeySource, KeychainState, Passphrase, make_key_file};
pub use leavers::{BothSides, LeaversAsked};
pub use leavers_window::{GapCount, LeaverThing, LeaversReport, PastOf};
pub use links::{LinksAsked, RulesEffect, Window, check_link_rules};
pub use memory::leave_no_core;
pub use owners::{
    BulkRequest, DECISION_COLUMNS, OwnerLists, OwnerRequest, OwnersDecided, owner_columns,
};
pub use packages::{PackageAsked, verify};
pub use places::{default_store_path, settings_folder};
pub use plan_coverage::PlanCoverage;
pub use policies::{
    PolicyRemark, PolicyReview, PolicyView, check_policy, policy_of_matrix, policy_of_workbook,
};
pub use policy_diff::{PolicyDifferences, PolicyNamed};
pub use policy_suggest::{PolicySuggestion, SuggestionAsked};
pub use practice::{WrittenFile, write_practice_estate};
pub use probes::{ProbeConsent, ProbeRequest, ProbeView};
pub use rehearsals::{ReachOf, check_plan, moment_from_text, moment_of, summary_line};
pub use roles::RoleRequest;
pub use saved::{SaveRequest, SavedView};
pub use secrets::{SecretShown, SecretsOf, SecretsView};
pub use series::Imported;
pub use sources::{ImportRequest, PeopleOfSource, check_new_source};
pub use stop::Stop;
pub use stores::{BackedUp, KeepIn, Rekeyed, StoreCheck, prove_key, recover, rekey, restore};
pub use survey::{StepView, Steps, Survey};
pub use syncs::{SyncHow, SyncOutcome};
pub use tables::columns;
pub use watches::{WatchChange, WatchView};
