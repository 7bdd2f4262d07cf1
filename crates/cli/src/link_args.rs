//! `lastkey link`: whose account is this, and which records are one person.

use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// Decisions about accounts and persons, and the rules before them.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Link {
    #[command(subcommand)]
    pub command: Option<LinkCommand>,
    /// The account that is somebody's
    #[arg(value_name = "SYSTEM:ID", required = true)]
    pub account: Option<String>,
    /// Whose it is: an id, or SOURCE:ID
    #[arg(value_name = "IDENTITY", required = true)]
    pub identity: Option<String>,
    /// Why; an auditor reads it
    #[arg(long, value_name = "TEXT", required = true)]
    pub why: Option<String>,
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Decide that an account is nobody's: shared, of a system
    None {
        #[arg(value_name = "SYSTEM:ID")]
        account: String,
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Take the decisions of a CSV file: account, identity (empty: nobody's), why
    Bulk { file: PathBuf },
    /// Decide that two records are one person
    Same(TwoRecords),
    /// Decide that two records are two persons
    Apart(TwoRecords),
    /// Take a decision back; what stood before it stands again
    Undo {
        number: i64,
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// How many accounts are connected, and which; those that wait for a decision
    List {
        #[command(flatten)]
        which: Listed,
        /// Only the accounts of this person, whichever of its records they name
        #[arg(long, value_name = "IDENTITY", conflicts_with = "decided")]
        of: Option<String>,
        /// As the facts of this sync, time or date have it, by the rules and decisions of now
        #[arg(long, value_name = "SYNC|TIME", conflicts_with = "decided")]
        as_of: Option<String>,
    },
    /// Why an account is whose it is, or who comes nearest
    Explain {
        #[arg(value_name = "SYSTEM:ID")]
        account: String,
    },
    /// The persons with records in several sources
    Persons {
        /// The records that a rule would join and must not
        #[arg(long)]
        doubts: bool,
    },
    /// Show or set the rules of a source, or those for persons
    Rules(Rules),
}

/// Two records of identities.
#[derive(Debug, ClapArgs)]
pub struct TwoRecords {
    #[arg(value_name = "IDENTITY")]
    pub a: String,
    #[arg(value_name = "IDENTITY")]
    pub b: String,
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

/// Which accounts.
#[derive(Debug, ClapArgs)]
#[group(multiple = false)]
pub struct Listed {
    /// One person's
    #[arg(long)]
    pub connected: bool,
    /// Several persons fit
    #[arg(long)]
    pub ambiguous: bool,
    /// Something fits, and something speaks against it
    #[arg(long)]
    pub possible: bool,
    /// No rule leads to anybody
    #[arg(long)]
    pub unmatched: bool,
    /// Nobody's, as somebody decided
    #[arg(long)]
    pub nobodys: bool,
    /// Of somebody who is not listed now
    #[arg(long)]
    pub gone: bool,
    /// What was decided, the latest first
    #[arg(long)]
    pub decided: bool,
}

/// Which rules.
#[derive(Debug, ClapArgs)]
pub struct Rules {
    /// The source of the accounts
    #[arg(required_unless_present = "persons", conflicts_with = "persons")]
    pub source: Option<String>,
    /// The rules by which records are one person
    #[arg(long)]
    pub persons: bool,
    /// Set the rules of this file (TOML)
    #[arg(long, value_name = "FILE.toml")]
    pub set: Option<PathBuf>,
    /// Go back to the default rules
    #[arg(long, conflicts_with = "set")]
    pub default: bool,
}
