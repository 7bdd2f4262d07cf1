//! The words of commands about what has been: `diff`, `leavers`.

use clap::Args;

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
