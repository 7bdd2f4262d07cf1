//! The reading side of a connector. Reading cannot write: no method here changes anything outside.
//!
//! A connector is configured by its crate's `configure(settings, secret)`, holds no
//! loops with sleep, no SQL, no clock and no retry. Vendor types stop in its `map.rs`.

use crate::error::ConnectorError;
use crate::facts::Location;
use crate::ids::Fingerprint;
use crate::kind::Kind;
use crate::note::Note;
use crate::page::{Cursor, Page, PageRequest};
use crate::secret::Secret;
use crate::settings::Descriptor;
use crate::stamp::Known;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a connector can do for one kind, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCapability {
    pub kind: Kind,
    /// How many records one page may hold at most.
    pub max_page: u32,
    /// Whether a cursor works in a later connection.
    pub cursor_survives_reconnect: bool,
    /// Whether a watermark of an earlier read can be given.
    pub incremental: bool,
    /// Whether an incremental read shows deletions.
    pub deletions_visible: bool,
    /// Whether the last use of the object is told.
    pub last_use_known: bool,
    /// Whether all pages show the state of one moment, or a moving one.
    pub one_moment: bool,
}

/// A right of our own credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// As the system calls it.
    pub name: String,
    /// One sentence: what is not seen without it, or what it allows beyond reading.
    pub why: String,
}

/// What a read that was cut off has of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Had {
    pub kind: Kind,
    /// The contents that it was read from, where it was read to its end (`Page::content_sha256`).
    pub content_sha256: Vec<String>,
    /// Where it would go on, where it was not.
    pub next: Option<Cursor>,
}

/// The answer of `check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Who we are signed in as; None where there is no sign-in (files).
    pub signed_in_as: Option<String>,
    /// The server's name and version, where it tells.
    pub server: Option<String>,
    pub missing_rights: Vec<Right>,
    pub excess_rights: Vec<Right>,
    /// False where the system cannot tell its clients what they may do: then neither
    /// list above is complete, and the report says so.
    pub rights_known: bool,
    /// What a person should look at before trusting what is read, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Facts for the person, one sentence each.
    pub remarks: Vec<String>,
}

/// A configured source, not yet connected.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What it is.
    fn descriptor(&self) -> &'static Descriptor;
    /// What it can do, per kind that it will read as configured.
    fn capabilities(&self) -> Vec<KindCapability>;
    /// Signs in, looks, changes nothing.
    async fn check(&self) -> Result<CheckReport, ConnectorError>;
    /// Opens a reading session.
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError>;
    /// What is another thing now than what a read that was cut off had read, in one sentence: going
    /// on would mix two states. None where all of it stands, and where the system has no content
    /// that stands still: a live system answers with what it holds at each request.
    async fn replaced(&self, had: &Had) -> Result<Option<String>, ConnectorError> {
        let _ = had;
        Ok(None)
    }
    /// The reader of values, for fingerprints, with its own credential; None where the system
    /// keeps no values that could be read. Opens nothing yet.
    fn value_reader(
        &self,
        secret: Option<Secret>,
    ) -> Option<Result<Box<dyn ValueReader>, ConnectorError>> {
        drop(secret);
        None
    }
}

/// Reads values only to reduce them at once to keyed fingerprints. Apart from reading: its own
/// trait, its own credential, its own consent; off unless an administrator switches it on.
#[async_trait]
pub trait ValueReader: Send {
    /// Fills in the fingerprints of the locations of one page; each field of a place becomes a row
    /// of its own at the same path, so that its readers stay its readers, and the attribute
    /// `field` names it (`path#field`). What was not read is noted. A value leaves this call only
    /// through `with`, and is wiped.
    async fn fingerprint(
        &mut self,
        locations: Vec<Location>,
        with: &dyn Fingerprinter,
    ) -> Result<Fingerprinted, ConnectorError>;
}

/// The locations of a page with their fingerprints, and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprinted {
    pub locations: Vec<Location>,
    pub notes: Vec<Note>,
}

/// Makes fingerprints; holds the key, which a connector never sees.
pub trait Fingerprinter: Send + Sync {
    /// The fingerprint of a value, or why there is none.
    fn of(&self, value: &[u8]) -> Result<Fingerprint, NoFingerprint>;
}

/// Why a value has no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoFingerprint {
    /// Under 8 bytes: too many things have it by chance.
    TooShort,
    /// On the list of common words.
    Common,
}

/// An open reading session. Dropping it ends it; a call that is dropped mid-way is a cancellation.
#[async_trait]
pub trait Session: Send {
    /// What this system can do, where only a connection tells. None: as the connector declared.
    fn capabilities(&self) -> Option<Vec<KindCapability>> {
        None
    }
    /// What the engine has of a kind that is about to be read whole. A connector that can tell
    /// records without understanding them leaves these out of its pages (`Page::same`).
    fn knows(&mut self, _kind: Kind, _known: Known) {}
    /// Where records of these keys (`Fact::key`) stand, in order, as a person looks them up
    /// (`file:line`); nothing where the system has no places to name. Asked after the last page, of
    /// a few keys that stood more than once.
    async fn places(
        &mut self,
        kind: Kind,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, ConnectorError> {
        let _ = (kind, keys);
        Ok(Vec::new())
    }
    /// One page of one kind.
    async fn read_page(&mut self, kind: Kind, request: PageRequest)
    -> Result<Page, ConnectorError>;
}
