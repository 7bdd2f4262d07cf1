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
    /// Check a policy and change nothing
    Check { file: PathBuf },
    /// A role matrix: attribute values and entitlements in one table (CSV or XLSX)
    #[command(subcommand)]
    Matrix(Matrix),
    /// What would change for whom if the draft were activated
    Diff {
        /// How many lines at most; the counts are of all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Print a policy to begin with, from what people with the same attributes hold
    Suggest(Suggest),
    /// Print what a policy may ask about (a Cedar schema)
    Schema,
    /// What people hold since before a change of theirs took the right to it, and since when
    Carried {
        /// Only this identity (default: everybody who has moved)
        #[arg(long, value_name = "ID")]
        identity: Option<String>,
        /// Ask the draft
        #[arg(long)]
        draft: bool,
    },
    /// What one identity holds, and what the policy says of it
    Who {
        #[arg(long, value_name = "ID")]
        identity: String,
        /// Ask the draft
        #[arg(long)]
        draft: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Matrix {
    /// Print the policy that a matrix (CSV, or .xlsx) stands for; nothing is loaded
    Read { file: PathBuf },
    /// Print the active policy as a matrix, if it says no more than one can
    Write {
        /// The draft instead
        #[arg(long)]
        draft: bool,
        /// A new file instead: CSV or, where it ends in .xlsx, a workbook
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// What is worth suggesting.
#[derive(Debug, Args)]
pub struct Suggest {
    /// Attributes by which people are alike; #name for a column of your own
    #[arg(long = "attribute", value_name = "NAME,NAME", value_delimiter = ',',
          default_values = ["department", "title"])]
    pub attributes: Vec<String>,
    /// Suggest what at least so many of them hold
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub min_support: u64,
    /// And at least so many of each hundred
    #[arg(long, value_name = "PERCENT", default_value_t = 80)]
    pub min_share: u64,
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

/// A joiner or a mover.
#[derive(Debug, Args)]
pub struct RoleArgs {
    #[arg(long, value_name = "ID")]
    pub identity: String,
    /// A joiner whom no source lists yet gets the attributes of this colleague or template
    #[arg(long, value_name = "ID", value_parser = crate::args::not_blank)]
    pub like: Option<String>,
    /// An attribute as it is afterwards; nothing after = takes it away
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assigned)]
    pub set: Vec<(String, String)>,
    /// When (RFC 3339; default: now)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Save it under this name, to compare it later (`lastkey rehearsal`)
    #[arg(long, value_name = "NAME", value_parser = crate::args::not_blank)]
    pub save: Option<String>,
    /// Ask the draft of the policy
    #[arg(long)]
    pub draft: bool,
}

fn assigned(text: &str) -> Result<(String, String), String> {
    let both = text
        .split_once('=')
        .filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = both.ok_or_else(|| "write NAME=VALUE".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
