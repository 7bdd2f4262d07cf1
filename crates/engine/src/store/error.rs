//! What can go wrong with a store, as far as somebody acts on it.

use crate::views::FailureView;
use std::path::{Path, PathBuf};

/// A failure of the store: one sentence; `hint` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no store at `{}`", .0.display())]
    Missing(PathBuf),
    #[error("there is a file at `{}` already", .0.display())]
    Exists(PathBuf),
    #[error("the key does not open the store{}", path_text(.0))]
    WrongKey(PathBuf),
    #[error("the store{} is damaged: {reason}", path_text(path))]
    Damaged { path: PathBuf, reason: String },
    #[error("the file `{}` is not encrypted, so it is not a store of lastkey", .0.display())]
    NotEncrypted(PathBuf),
    #[error("this build cannot encrypt, so no store was opened")]
    NoCipher,
    #[error("the store{} is on a network share ({share})", path_text(path))]
    NetworkShare { path: PathBuf, share: String },
    #[error(
        "the store{} was made by a newer version (layout {found}, this version knows {known})",
        path_text(path)
    )]
    Newer {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("another process{} is writing to the store", pid_text(*.0))]
    Busy(Option<u32>),
    #[error("the disk is full, so the last page was not stored")]
    DiskFull,
    /// The system refused a write: a full disk, a quota or a limit on file sizes look alike.
    #[error("the store could not be written, so the last page was not stored")]
    NotWritten,
    /// Told to stop while it waited for another process.
    #[error("the read was stopped before it began")]
    Stopped,
    #[error("`{}` is a folder, not a store", .0.display())]
    Folder(PathBuf),
    #[error("there is no source `{0}`")]
    NoSource(String),
    #[error("there is a source `{0}` already")]
    SourceExists(String),
    #[error("`{0}` is not a name for a source")]
    BadName(String),
    /// A second source for objects that another source speaks for.
    #[error(
        "`{second}` carries {kinds} of `{system}`, which `{first}` already speaks for; nothing of this sync was stored"
    )]
    SecondAuthority {
        first: String,
        second: String,
        system: String,
        kinds: String,
    },
    /// Retention has deleted part of what was there then.
    #[error(
        "what was there after sync {sync} was deleted in part: the past is whole from sync {horizon} on"
    )]
    BeforeHorizon { sync: u64, horizon: u64 },
    #[error("there is no sync {0}")]
    NoSync(u64),
    #[error("the read is dated `{given}`, before the latest read of `{source_name}` of `{latest}`")]
    ReadTooOld {
        source_name: String,
        given: String,
        latest: String,
    },
    #[error("{}", bad_query(what, value))]
    BadQuery { what: String, value: String },
    #[error("there is no column `{value}` in this table: {of} have {}, source", .columns.join(", "))]
    NoSuchColumn {
        value: String,
        /// What the table is of, such as `identities`.
        of: &'static str,
        columns: &'static [&'static str],
    },
    /// Nothing can have this value, so that an empty answer would look like one.
    #[error("`{value}` is no {column} of {of}: there are {}", .words.join(", "))]
    NoSuchWord {
        /// What has the column, such as `identities`.
        of: &'static str,
        column: String,
        value: String,
        words: &'static [&'static str],
    },
    #[error("the store could not be used: {0}")]
    File(String),
}

/// The path where it is known: SQLite's own errors do not tell it.
fn path_text(path: &Path) -> String {
    if path.as_os_str().is_empty() {
        String::new()
    } else {
        format!(" `{}`", path.display())
    }
}

/// What is wrong with a part of a question.
fn bad_query(what: &str, value: &str) -> String {
    match what {
        "column" => format!("there is no column `{value}` in this table"),
        PERSON => format!("the column `{PERSON}` is shown, and cannot be asked for"),
        "since" | "until" => format!("`{value}` is neither a date nor a moment, for `{what}`"),
        what => format!("`{value}` is not allowed for `{what}`"),
    }
}

/// The column that says of a record which one of its person's goes first: found when it is shown.
pub(super) const PERSON: &str = "person";

/// The columns of facts that say yes or no.
pub(super) const YES_OR_NO: [&str; 4] = ["enabled", "local_sign_in", "mfa", "privileged"];

fn pid_text(pid: Option<u32>) -> String {
    pid.map_or(String::new(), |pid| format!(" (pid {pid})"))
}

impl StoreError {
    /// Damage in a place where the path is not at hand.
    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        StoreError::Damaged {
            path: PathBuf::new(),
            reason: reason.into(),
        }
    }

    /// What to do, where something can be done.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            StoreError::Missing(_) => {
                Some("give the right path with --store, or make a store by adding a source")
            }
            StoreError::Exists(_) => Some("open it, or choose another path"),
            StoreError::Folder(_) => Some("name a file in it, such as store.lastkey"),
            StoreError::WrongKey(_) => Some(
                "use the key that the store was made with; if the key is right, the first page of the file is damaged: restore a backup",
            ),
            StoreError::Damaged { .. } => Some("restore a backup; nothing was changed"),
            StoreError::NotEncrypted(_) => Some("choose another path; nothing was changed"),
            StoreError::NoCipher => Some("use a build with SQLCipher"),
            StoreError::NetworkShare { .. } => Some("keep the store on a local disk"),
            StoreError::Newer { .. } => Some("use the newer version of lastkey"),
            StoreError::Busy(_) => Some("wait until it has finished, and try again"),
            StoreError::DiskFull | StoreError::NotWritten => Some(
                "make room (disk, quota, file size limit) and sync again; what was stored before is intact",
            ),
            StoreError::NoSource(_) => Some("`lastkey source list` names the sources"),
            StoreError::SourceExists(_) => Some("choose another name, or remove it first"),
            StoreError::BadName(_) => {
                Some("use up to 64 letters, digits, dots, dashes or underscores")
            }
            StoreError::SecondAuthority { .. } => Some(
                "remove one of the two sources, or add the second as a supplement (supplement=true)",
            ),
            StoreError::BeforeHorizon { .. } => {
                Some("ask for a later sync; `lastkey retention show` says what is kept")
            }
            StoreError::NoSync(_) => Some("`lastkey journal` names the syncs"),
            StoreError::ReadTooOld { .. } => {
                Some("import a dated series in the order of its dates")
            }
            StoreError::BadQuery { what, .. } => Some(match what.as_str() {
                "since" | "until" => "write a day (2026-11-20) or a moment (2026-11-20T08:30:00Z)",
                what if YES_OR_NO.contains(&what) => "say true or false",
                PERSON => "`lastkey link persons` lists who has several records, with all of them",
                _ => "--json shows the columns of a table",
            }),
            StoreError::NoSuchColumn { .. }
            | StoreError::NoSuchWord { .. }
            | StoreError::Stopped
            | StoreError::File(_) => None,
        }
    }

    /// For a person: sentence, hint, and what exit status it stands for.
    pub fn view(&self) -> FailureView {
        let kind = match self {
            StoreError::WrongKey(_)
            | StoreError::Damaged { .. }
            | StoreError::NotEncrypted(_)
            | StoreError::NoCipher
            | StoreError::Newer { .. } => "key",
            StoreError::NoSource(_)
            | StoreError::SourceExists(_)
            | StoreError::BadName(_)
            | StoreError::NoSync(_)
            | StoreError::BeforeHorizon { .. }
            | StoreError::NoSuchColumn { .. }
            | StoreError::NoSuchWord { .. }
            | StoreError::BadQuery { .. } => "bad_input",
            StoreError::Missing(_)
            | StoreError::Exists(_)
            | StoreError::NetworkShare { .. }
            | StoreError::Busy(_)
            | StoreError::DiskFull
            | StoreError::NotWritten
            | StoreError::SecondAuthority { .. }
            | StoreError::ReadTooOld { .. }
            | StoreError::Stopped
            | StoreError::Folder(_)
            | StoreError::File(_) => "not_possible",
        };
        FailureView {
            kind: kind.to_owned(),
            message: self.to_string(),
            hint: self.hint().map(str::to_owned),
            state: self.state().map(str::to_owned),
        }
    }

    /// The word for the state that the store is in, where a screen of its own stands for it.
    fn state(&self) -> Option<&'static str> {
        match self {
            StoreError::WrongKey(_) => Some("store_wrong_key"),
            StoreError::Damaged { .. } => Some("store_damaged"),
            StoreError::NotEncrypted(_) => Some("store_not_encrypted"),
            StoreError::NoCipher => Some("store_no_cipher"),
            StoreError::Newer { .. } => Some("store_newer"),
            StoreError::Missing(_) => Some("store_missing"),
            StoreError::NetworkShare { .. } => Some("store_network_share"),
            StoreError::Busy(_) => Some("store_busy"),
            StoreError::Exists(_)
            | StoreError::DiskFull
            | StoreError::NotWritten
            | StoreError::NoSource(_)
            | StoreError::SourceExists(_)
            | StoreError::BadName(_)
            | StoreError::SecondAuthority { .. }
            | StoreError::NoSync(_)
            | StoreError::BeforeHorizon { .. }
            | StoreError::ReadTooOld { .. }
            | StoreError::NoSuchColumn { .. }
            | StoreError::NoSuchWord { .. }
            | StoreError::BadQuery { .. }
            | StoreError::Stopped
            | StoreError::Folder(_)
            | StoreError::File(_) => None,
        }
    }
}

/// SQLite's primary result code, where the error has one.
pub(super) fn sqlite_code(error: &sqlx::Error) -> Option<i64> {
    extended_code(error).map(|code| code & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<i64> {
    error
        .as_database_error()
        .and_then(|e| e.code())
        .and_then(|code| code.parse::<i64>().ok())
}

/// SQLITE_IOERR_WRITE, _FSYNC, _DIR_FSYNC, _TRUNCATE and _SHMSIZE.
fn is_refused_write(extended: i64) -> bool {
    matches!(extended, 778 | 1034 | 1290 | 1546 | 4874)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if extended_code(&error).is_some_and(is_refused_write) {
            return StoreError::NotWritten;
        }
        match sqlite_code(&error) {
            Some(5 | 6) => StoreError::Busy(None),
            Some(11) => StoreError::damaged("a page does not check"),
            Some(13) => StoreError::DiskFull,
            Some(26) => StoreError::WrongKey(PathBuf::new()),
            Some(_) | None => StoreError::File(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        StoreError::damaged(format!("a row cannot be read: {error}"))
    }
}
