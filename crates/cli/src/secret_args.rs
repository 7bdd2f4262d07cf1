//! `lastkey secrets`: where each secret stands, who can read it there, and what it opens.

use clap::{Args as ClapArgs, Subcommand};

/// The list, or single ones.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Secrets {
    #[command(subcommand)]
    pub command: Option<SecretCommand>,
    #[command(flatten)]
    pub list: List,
}

/// Single ones.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// All that is known of a secret: its places, copies that are only suspected, who reads, what it opens
    Show {
        /// SYSTEM:ID of a credential, or SYSTEM:PATH of a place, with #FIELD where several values stand there
        #[arg(required = true, value_name = "ID")]
        keys: Vec<String>,
        /// Also how this identity comes by it
        #[arg(long, value_name = "ID")]
        identity: Option<String>,
        /// In the state after this sync, or of this time or date; rules and decisions are those of now
        #[arg(long, value_name = "SYNC|TIME")]
        as_of: Option<String>,
    },
}

/// Which secrets, in which order.
#[derive(Debug, ClapArgs)]
pub struct List {
    /// Only with this text in a name, an id, a path or the account that it opens
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Only what this identity could read: somebody who leaves, or left
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    /// Only those with this; repeat for more: system=, kind= (of a place), environment=production,
    /// place=SYSTEM:PATH, account=SYSTEM:ID, copies=yes|suspected|no, older=DAYS
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub filters: Vec<String>,
    /// Only those that stand at several places for certain
    #[arg(long)]
    pub duplicates: bool,
    /// name, age, rotated, used, expires, places, suspected or system (default: most copies first)
    #[arg(long, value_name = "COLUMN")]
    pub sort: Option<String>,
    /// The other way round
    #[arg(long, requires = "sort")]
    pub descending: bool,
    /// A line for each value at each place instead
    #[arg(long, conflicts_with_all = ["sort", "descending"])]
    pub by_place: bool,
    /// CSV instead of a table for reading
    #[arg(long)]
    pub csv: bool,
    /// In the state after this sync, or of this time or date; rules and decisions are those of now
    #[arg(long, value_name = "SYNC|TIME")]
    pub as_of: Option<String>,
}
