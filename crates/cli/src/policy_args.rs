//! The words of `lastkey policy`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Check a policy (Cedar) and make it the active one
    Load {
        file: PathBuf,
        /// Keep it as a draft beside the active one; it decides nothing
        #[arg(long)]
        draft: bool,
    },
    /// Make the draft the active policy
    Activate,
    /// Print the active policy
    Show(Show),
    /// Check a policy and change nothing; `schema` prints what a policy may ask about
    Check { file: PathBuf },
    /// Print what a policy may ask about (a Cedar schema)
    Schema,
    /// What one identity holds, and what the policy says of it
    Who {
        #[arg(long, value_name = "ID")]
        identity: String,
        /// Ask the draft
        #[arg(long)]
        draft: bool,
    },
}

#[derive(Debug, Args)]
pub struct Show {
    /// The draft instead
    #[arg(long, conflicts_with = "history")]
    pub draft: bool,
    /// Every policy that was put here, latest first
    #[arg(long)]
    pub history: bool,
}
