//! The words of commands about what has been: `diff`, `leavers`, `retention`.

use clap::{Args, Subcommand};

/// Two moments.
#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier one: the number of a sync (0 is before the first), a time, or a date
    pub from: String,
    /// The later one
    #[arg(default_value = "now")]
    pub to: String,
    /// Only this kind; repeat for more
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Only objects with this: COLUMN=VALUE; repeat for more
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub filters: Vec<String>,
    /// Only how many differ
    #[arg(long)]
    pub counts: bool,
}

/// Past leavers.
#[derive(Debug, Args)]
pub struct Leavers {
    /// Only who may have left then or later (a date in UTC, or RFC 3339)
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Only who may have left by then (a date in UTC counts whole, or RFC 3339)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Only this identity
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    /// Whoever moved, in place of whoever left: what they may no longer hold by the active policy
    #[arg(long)]
    pub movers: bool,
    /// How much was closed in time by system, kind and month, and how long it took
    #[arg(long)]
    pub shares: bool,
    /// CSV of everything that they held, instead of a table of the worst
    #[arg(long, conflicts_with = "shares")]
    pub csv: bool,
}

/// How long the past is kept.
#[derive(Debug, Subcommand)]
pub enum Retention {
    /// What is set, and how far back the past is whole
    Show,
    /// Set how long versions that ended are kept; deletes nothing yet
    #[command(group(clap::ArgGroup::new("how").required(true).multiple(true).args(["days", "syncs"])))]
    Set {
        /// Only this kind (default: all that have no rule of their own)
        #[arg(long)]
        kind: Option<String>,
        /// For so many days
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
        /// For so many of the latest syncs
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        syncs: Option<u32>,
    },
    /// Keep everything again
    Off {
        #[arg(long)]
        kind: Option<String>,
    },
    /// Delete what is no longer kept and is no evidence
    Run {
        /// Only tell what would go, and what is held
        #[arg(long)]
        dry_run: bool,
    },
}
