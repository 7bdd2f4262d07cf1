//! The command line, as docs/command-line.md has it.

use crate::link_args::Link;
use crate::past_args::{Diff, Leavers};
use crate::policy_args::{Policy, RoleArgs};
use clap::{Args as ClapArgs, Parser, Subcommand};
use std::path::PathBuf;

/// Proves whether access is really gone when a person, a supplier or a workload leaves.
#[derive(Debug, Parser)]
#[command(name = "lastkey", version, disable_help_subcommand = true)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What holds for every command.
#[derive(Clone, Debug, ClapArgs)]
pub struct Global {
    /// The store (default: the user's data folder)
    #[arg(long, global = true, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// A key file (mode 0600) instead of the OS keychain
    #[arg(long, global = true, value_name = "FILE", env = "LASTKEY_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// A passphrase (mode 0600) besides the OS keychain
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LASTKEY_PASSPHRASE_FILE",
        conflicts_with = "key_file"
    )]
    pub passphrase_file: Option<PathBuf>,
    /// One JSON document, or JSON lines where the list is long
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress
    #[arg(long, global = true)]
    pub quiet: bool,
    /// More about what happens, on stderr
    #[arg(short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the practice estate and read it
    Demo {
        /// large: 1,000,000 accounts and 3,400,000 grants around the small one
        #[arg(long, default_value = "small", value_parser = ["small", "large"])]
        size: String,
        /// Where its flat files are written (default: beside the store)
        #[arg(long, value_name = "D")]
        dir: Option<PathBuf>,
        /// Write the files and the plan, and touch no store
        #[arg(long, requires = "dir")]
        files_only: bool,
    },
    /// Sources: what is read
    #[command(subcommand)]
    Source(Source),
    /// Read sources; all where none is named
    Sync {
        names: Vec<String>,
        /// Read everything, also where only what changed could be asked for
        #[arg(long)]
        full: bool,
        /// Take over removals that were held because they are so many
        #[arg(long, requires = "names")]
        accept_removals: bool,
    },
    /// Read flat files: a folder, a zip or one CSV file
    Import(Import),
    /// Identities
    Identities(Table),
    /// Accounts
    Accounts(Table),
    /// Entitlements
    Entitlements(Table),
    /// Grants
    Grants(Table),
    /// Credentials
    Credentials(Table),
    /// Locations
    Locations(Table),
    /// Who can read which location
    Readers(Table),
    /// Delegated administration
    Controls(Table),
    /// Owners, and whether they are there
    Owners(Table),
    /// Who answers for what: suggestions, decisions, and taking them back
    #[command(subcommand)]
    Owner(Owner),
    /// Sessions
    Sessions(Table),
    /// What the provisioning process claims
    Tasks(Table),
    /// Joiners, movers and leavers found in the sources of truth
    Events(Events),
    /// Past leavers: what was claimed, what was observed, and whether it was in time
    Leavers(Leavers),
    /// Credentials that may be tried: does the system still take them?
    #[command(subcommand)]
    Probe(crate::probe_args::Probe),
    /// Whoever leaves, read at intervals until access is closed
    #[command(subcommand)]
    Watch(crate::probe_args::Watch),
    /// What differs between two moments: added, changed, removed, disappeared without proof
    Diff(Diff),
    /// The past of one object: each change, and between which reads it happened
    History {
        /// Its kind, such as account
        kind: String,
        /// SYSTEM:ID, ID or SOURCE:ID of an identity, or what `diff` shows
        id: String,
    },
    /// What really happened in the syncs
    Journal {
        /// Only this source
        source: Option<String>,
    },
    /// Where each secret stands, who can read it there, and what it opens
    Secrets(crate::secret_args::Secrets),
    /// Whose account is this, and which records are one person
    Link(Link),
    /// Blast radius of an identity or a credential, with paths
    Reach(Reach),
    /// The offboarding plan
    #[command(subcommand)]
    Plan(Plan),
    /// The access policy: who should hold what
    #[command(subcommand)]
    Policy(Policy),
    /// Play an event on a simulated world
    #[command(subcommand)]
    Rehearse(Rehearse),
    /// Rehearsals that were saved: list, show, compare, remove
    #[command(subcommand)]
    Rehearsal(crate::saved_args::Saved),
    /// How much may change at once before a person is asked
    #[command(subcommand)]
    Guard(crate::saved_args::Guard),
    /// What must hold of rehearsals, judged after every sync and in scripts
    #[command(subcommand)]
    Assertions(crate::saved_args::Assertions),
    /// Write a signed audit package
    Export {
        #[arg(long, value_name = "PACKAGE.zip")]
        out: PathBuf,
        /// The moment of the rehearsals (RFC 3339; default: now)
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Measure only who may have left then or later (a date in UTC, or RFC 3339)
        #[arg(long, value_name = "DATE")]
        since: Option<String>,
        /// Measure only who may have left by then (a date in UTC counts whole, or RFC 3339)
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// The package that this one continues: it names its id and digest
        #[arg(long, value_name = "OLD")]
        extends: Option<PathBuf>,
        /// Put it in the place of a file that is there
        #[arg(long)]
        replace: bool,
    },
    /// Check a package; needs no store
    Verify {
        package: PathBuf,
        /// The fingerprint of the key that must have signed it
        #[arg(long, value_name = "FINGERPRINT", value_parser = not_blank)]
        signer: Option<String>,
        /// The package that this one must follow
        #[arg(long, value_name = "OLD")]
        extends: Option<PathBuf>,
    },
    /// How long the past is kept; everything, unless it is set
    #[command(subcommand)]
    Retention(crate::past_args::Retention),
    /// The store itself
    #[command(subcommand)]
    Store(Store),
}

/// Sources.
#[derive(Debug, Subcommand)]
pub enum Source {
    /// Add a source; its secret goes to the keychain
    Add {
        kind: String,
        name: String,
        /// A setting; repeat for more
        #[arg(long = "set", value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// A file with the secret, or - for standard input
        #[arg(long, value_name = "F")]
        secret_file: Option<PathBuf>,
    },
    /// All sources
    List {
        /// Those that were removed instead, and whether their systems are retired
        #[arg(long)]
        removed: bool,
    },
    /// The kinds of source and their settings
    Kinds,
    /// Print the least rights that reading needs, as texts for the system's own administrator
    Script {
        kind: String,
        /// A setting; the texts are made from them; repeat for more
        #[arg(long = "set", value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// Only the text of this name, and nothing else
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
        /// Write the texts into this folder, never over a file
        #[arg(long, value_name = "D", conflicts_with = "only")]
        to: Option<PathBuf>,
    },
    /// Sign in, look, change nothing
    Check { name: String },
    /// Read values, only to reduce them to keyed fingerprints; off unless switched on
    Fingerprints {
        name: String,
        #[arg(value_parser = ["on", "off"])]
        state: String,
        /// A file with the secret of the login that may read values, or -; none where there is no sign-in
        #[arg(long, value_name = "F")]
        secret_file: Option<PathBuf>,
    },
    /// Remove a source; its history stays
    Remove {
        name: String,
        /// The systems that it read are there no more: nobody has anything in them
        #[arg(long)]
        retired: bool,
    },
    /// Say of a source that was removed that its systems are there no more
    Retire { name: String },
}

/// Flat files.
#[derive(Debug, ClapArgs)]
pub struct Import {
    pub path: PathBuf,
    /// The source's name
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// What the rows of a single file are (default: identities)
    #[arg(long, value_name = "KIND")]
    pub file: Option<String>,
    /// Columns: id=user_id,display_name=employee_name
    #[arg(long, value_name = "MAP")]
    pub map: Option<String>,
    /// Reads extracts of another product as they are (`lastkey source kinds` lists them)
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,
    /// A folder of dated files, read in order, each as of its name's date
    #[arg(long)]
    pub series: bool,
    /// More settings of the source
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// A table.
#[derive(Debug, ClapArgs)]
pub struct Table {
    /// Only rows with this: COLUMN=VALUE; repeat for more (--json shows the columns)
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub filters: Vec<String>,
    /// As it was after this sync (`lastkey journal` shows the numbers), or at this time or on this date
    #[arg(long, value_name = "SYNC|TIME")]
    pub as_of: Option<String>,
    /// CSV instead of a table for reading
    #[arg(long)]
    pub csv: bool,
}

/// Lifecycle events.
#[derive(Debug, ClapArgs)]
pub struct Events {
    #[command(flatten)]
    pub table: Table,
    /// Only what may have happened then or later (a date in UTC, or RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what may have happened by then (a date in UTC counts whole, or RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// The latest first (default: the oldest first)
    #[arg(long)]
    pub newest_first: bool,
}

/// Ownership.
#[derive(Debug, Subcommand)]
pub enum Owner {
    /// Whom facts point at, best first; no owner until somebody confirms it
    Suggest {
        #[command(flatten)]
        of: Suggested,
        /// CSV with a column for decisions, for `lastkey owner confirm --from`
        #[arg(long)]
        csv: bool,
    },
    /// What needs an owner: workloads, agents, accounts and credentials of no person
    List(Table),
    /// Confirm an owner
    Confirm(Confirm),
    /// Say that somebody is not the owner; it is not suggested again
    Reject {
        /// account:SYSTEM:ID, credential:SYSTEM:ID, identity:ID, location:SYSTEM:PATH
        #[arg(required = true, value_name = "OBJECT")]
        objects: Vec<String>,
        #[arg(long, value_name = "ID")]
        owner: String,
        /// business, technical, sponsor or custodian
        #[arg(long)]
        role: String,
        /// An auditor reads it
        #[arg(long, value_name = "TEXT", value_parser = not_blank)]
        why: String,
    },
    /// Take a decision back; what stood before it stands again
    Undo {
        /// Everything that was decided at once (`lastkey owner decisions` shows the numbers)
        #[arg(long, value_name = "N", conflicts_with_all = ["objects", "owner", "role"])]
        batch: Option<i64>,
        /// The objects whose latest decision about this owner is taken back
        #[arg(value_name = "OBJECT", required_unless_present = "batch")]
        objects: Vec<String>,
        #[arg(long, value_name = "ID", required_unless_present = "batch")]
        owner: Option<String>,
        #[arg(long, required_unless_present = "batch")]
        role: Option<String>,
        /// An auditor reads it
        #[arg(long, value_name = "TEXT", value_parser = not_blank)]
        why: String,
    },
    /// What was decided, the latest first
    Decisions,
}

/// Which suggestions.
#[derive(Debug, ClapArgs)]
pub struct Suggested {
    /// Only those with this: COLUMN=VALUE; repeat for more (object_type, system, object_id,
    /// standing, role, owner_id, confidence, rule)
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub filters: Vec<String>,
    /// The least: strong, likely or weak
    #[arg(long, value_name = "WORD")]
    pub min_confidence: Option<String>,
}

/// What is confirmed: objects by name, suggestions, or the lines of a file.
#[derive(Debug, ClapArgs)]
pub struct Confirm {
    /// account:SYSTEM:ID, credential:SYSTEM:ID, identity:ID, location:SYSTEM:PATH
    #[arg(value_name = "OBJECT", required_unless_present_any = ["suggested", "from"], requires_all = ["owner", "role"])]
    pub objects: Vec<String>,
    #[arg(long, value_name = "ID")]
    pub owner: Option<String>,
    /// business, technical, sponsor or custodian
    #[arg(long)]
    pub role: Option<String>,
    /// Those that are suggested: a preview, and with --count for good
    #[arg(long, requires = "min_confidence", conflicts_with_all = ["objects", "owner", "role", "from"])]
    pub suggested: bool,
    #[command(flatten)]
    pub of: Suggested,
    /// How many the preview said
    #[arg(long, value_name = "N", requires_all = ["suggested", "why"])]
    pub count: Option<u64>,
    /// A CSV of `lastkey owner suggest --csv`, with confirm or reject in its first column
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["objects", "owner", "role"])]
    pub from: Option<PathBuf>,
    /// An auditor reads it; a file has a column for it, and a preview needs none
    #[arg(long, value_name = "TEXT", value_parser = not_blank, required_unless_present_any = ["suggested", "from"])]
    pub why: Option<String>,
}

/// Whose reach.
#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub struct ReachOf {
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    #[arg(long, value_name = "SYSTEM:ID")]
    pub credential: Option<String>,
}

/// Blast radius.
#[derive(Debug, ClapArgs)]
pub struct Reach {
    #[command(flatten)]
    pub of: ReachOf,
    /// At this moment (RFC 3339; default: now, or the moment of --as-of)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// In the state after this sync, or of this time or date; rules and decisions are those of now
    #[arg(long, value_name = "SYNC|TIME")]
    pub as_of: Option<String>,
}

/// The offboarding plan.
#[derive(Debug, Subcommand)]
pub enum Plan {
    /// Check a plan (TOML) and make it the active one; held where it changes much at once
    Load {
        file: PathBuf,
        /// The code that was said when it was held: confirms exactly that
        #[arg(long, value_name = "CODE", value_parser = not_blank)]
        confirm: Option<String>,
    },
    /// Print the active plan
    Show,
    /// What the plan covers of what was read: event by system by kind of thing, in time or not
    Coverage(PlanCoverage),
    /// How each step of the plan went for past leavers: how often in time, and how long it took
    Measured,
}

/// What a plan covers.
#[derive(Debug, ClapArgs)]
pub struct PlanCoverage {
    /// Of this plan (TOML) instead of the active one; nothing is loaded
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// At this moment (RFC 3339; default: now, or the moment of --as-of)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// In the state after this sync, or of this time or date; rules and decisions are those of now
    #[arg(long, value_name = "SYNC|TIME")]
    pub as_of: Option<String>,
}

/// Rehearsals.
#[derive(Debug, Subcommand)]
pub enum Rehearse {
    /// What would be left if they left
    Leaver(Leaver),
    /// What would be wrong after they moved: what they lack, and what they keep that they may not
    Mover(RoleArgs),
    /// What they lack and hold too much on their first day
    Joiner(RoleArgs),
    /// One event or several in one world: would anything have told of them, and what would be left
    Events(crate::event_args::Events),
    /// Everyone's leaving at once, in short: the worst leavers, systems and secrets
    Everyone(Everyone),
}

/// Everyone at once.
#[derive(Debug, ClapArgs)]
pub struct Everyone {
    /// By this plan (TOML) instead of the active one, beside which it is shown; nothing is loaded
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Save it under this name, to compare it later (`lastkey rehearsal`)
    #[arg(long, value_name = "NAME", value_parser = not_blank)]
    pub save: Option<String>,
    /// Try out which single step more would close most
    #[arg(long)]
    pub steps: bool,
    /// When they leave (RFC 3339; default: now, or the moment of --as-of)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// In the state after this sync, or of this time or date; the plan, rules and decisions are those of now
    #[arg(long, value_name = "SYNC|TIME")]
    pub as_of: Option<String>,
}

/// Who leaves.
#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub struct Who {
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    /// A vendor with all its people
    #[arg(long, value_name = "ID")]
    pub vendor: Option<String>,
    /// Everyone, one after the other
    #[arg(long)]
    pub all: bool,
}

/// A leaver.
#[derive(Debug, ClapArgs)]
pub struct Leaver {
    #[command(flatten)]
    pub who: Who,
    /// Save it under this name, to compare it later (`lastkey rehearsal`)
    #[arg(long, value_name = "NAME", conflicts_with = "all", value_parser = not_blank)]
    pub save: Option<String>,
    /// With --all: all items of everyone, not only the worst
    #[arg(long, requires = "all")]
    pub items: bool,
    /// By the plan as it is written and, beside it, as past leavers show that its steps go
    #[arg(long, conflicts_with_all = ["all", "vendor", "save", "as_of"])]
    pub measured: bool,
    /// When they leave (RFC 3339; default: now, or the moment of --as-of)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// In the state after this sync, or of this time or date; the plan, rules and decisions are those of now
    #[arg(long, value_name = "SYNC|TIME")]
    pub as_of: Option<String>,
}

/// The store itself.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Check that the store is whole, its log unbroken, and what opens it
    Check,
    /// Write an encrypted copy, also while a sync runs; never over a file
    Backup { to: PathBuf },
    /// Put a backup where no store is (--store PATH)
    Restore {
        backup: PathBuf,
        /// The recovery key of the backup, where its keychain or key file is not at hand
        #[arg(long, value_name = "FILE")]
        recovery_key: Option<PathBuf>,
    },
    /// Give the store new keys and a new recovery key
    Rekey {
        /// Keep the new key in the OS keychain
        #[arg(long)]
        to_keychain: bool,
        /// Keep the new key in this key file (mode 0600)
        #[arg(long, value_name = "FILE", conflicts_with = "to_keychain")]
        new_key_file: Option<PathBuf>,
        /// Keep one half in the OS keychain and the other behind this passphrase (mode 0600)
        #[arg(long, value_name = "FILE", conflicts_with_all = ["to_keychain", "new_key_file"])]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Open with the recovery key and keep the key anew: in the keychain, or as --key-file or --passphrase-file say
    Recover {
        #[arg(long, value_name = "FILE")]
        recovery_key: PathBuf,
    },
    /// Make a new recovery key; the one before opens the store no more
    RecoveryKey,
}

/// An unset variable in a script must not turn "by this signer" into "by anyone trusted here".
pub(crate) fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn an_empty_signer_is_wrong_use() {
        for blank in ["", "  "] {
            let args = Args::try_parse_from(["lastkey", "verify", "p.zip", "--signer", blank]);
            assert!(args.is_err_and(|error| error.exit_code() == 2), "{blank:?}");
        }
        let args = Args::try_parse_from(["lastkey", "verify", "p.zip", "--signer", "ab"]);
        assert!(args.is_ok());
    }
}
