//! The words of `lastkey probe` and `lastkey watch`.

use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

/// Credentials that may be tried.
#[derive(Debug, Subcommand)]
pub enum Probe {
    /// Let a credential be tried, with consent on record; its secret goes to the keychain
    Add(Box<NewProbe>),
    /// All that may be tried, how each stands, and whether it may be tried now
    List,
    /// Try one or several now, once each
    Try {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Take the consent back and forget the secret; what was tried stays on record
    Remove { name: String },
}

/// A credential that may be tried.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("leave").required(true).args(["canary", "identity"])))]
pub struct NewProbe {
    pub name: String,
    /// The source whose address and certificates are used; its own credential is not
    #[arg(long, value_name = "SOURCE")]
    pub source: String,
    /// The account that the credential signs in to
    #[arg(long, value_name = "SYSTEM:ID")]
    pub account: String,
    /// In which way, where the kind of source has several, such as vault_token
    #[arg(long, value_name = "HOW")]
    pub how: Option<String>,
    /// What the system is told as the account (default: its id)
    #[arg(long = "as", value_name = "NAME")]
    pub asked_as: Option<String>,
    /// Which credential it is, where sources tell of it
    #[arg(long, value_name = "SYSTEM:ID")]
    pub credential: Option<String>,
    /// It was made to be tried, and is nobody's
    #[arg(long)]
    pub canary: bool,
    /// Whose it is
    #[arg(long, value_name = "ID", requires = "consent")]
    pub identity: Option<String>,
    /// Who consented to what, and when: kept in the log
    #[arg(long, value_name = "TEXT", requires = "identity")]
    pub consent: Option<String>,
    /// A file that holds the secret, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub secret_file: PathBuf,
    /// After how many refused tries the server locks the account (default: 3)
    #[arg(long, value_name = "N")]
    pub lockout_after: Option<u32>,
    /// After how many minutes it forgets them (default: never)
    #[arg(long, value_name = "MINUTES")]
    pub lockout_within: Option<u32>,
}

/// Whoever leaves, read at intervals until access is closed.
#[derive(Debug, Subcommand)]
pub enum Watch {
    /// Announce that somebody leaves, and watch them
    Start {
        #[arg(long, value_name = "ID")]
        identity: String,
        /// leaver, mover, vendor_exit, workload_retired or agent_retired (default: by what they are)
        #[arg(long, value_name = "EVENT")]
        event: Option<String>,
        /// When (RFC 3339 or a date; default: now)
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// All watches, those that go on first
    List,
    /// One watch: each thing with what was seen and tried
    Show { id: i64 },
    /// Read now for one who is watched
    Read { id: i64 },
    /// Read whoever is due, and go on until nobody is watched any more
    Run {
        /// Read once whoever is due, and end
        #[arg(long)]
        once: bool,
    },
    /// End a watch
    Stop { id: i64 },
}
