//! The words of `lastkey rehearsal`, `lastkey assertions` and `lastkey guard`.

use clap::Subcommand;
use std::path::PathBuf;

/// Saved rehearsals; `lastkey rehearse … --save NAME` saves one.
#[derive(Debug, Subcommand)]
pub enum Saved {
    /// All that are saved, the latest first
    List,
    /// One of them, item by item
    Show { name: String },
    /// What differs between two of one question, or between one and now, item by item, and why
    Compare {
        before: String,
        /// The later one (default: the same question asked now)
        after: Option<String>,
    },
    /// Remove one
    Remove { name: String },
}

/// Rehearsals as tests.
#[derive(Debug, Subcommand)]
pub enum Assertions {
    /// Check a file (TOML) and let it count: it runs after every sync from then on
    Load { file: PathBuf },
    /// Print those that count
    Show,
    /// Judge those that count, or those of a file, now; nothing is kept
    Run {
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// When everybody leaves (RFC 3339; default: now)
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// What came of them after syncs, the latest first
    Results {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: u32,
    },
    /// Let none count any more
    Off,
}

/// The guard against changing much at once.
#[derive(Debug, Subcommand)]
pub enum Guard {
    /// Above which share and count a change is held
    Show,
    /// Set them
    #[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["share", "count"])))]
    Set {
        /// Percent of all; more than that is unusual
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
        share: Option<u8>,
        /// Fewer than this may always change
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Hold nothing
    Off,
}
