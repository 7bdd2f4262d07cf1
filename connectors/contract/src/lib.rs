//! What every connector promises, and the facts it hands over.
//!
//! This crate holds the words that connectors and the engine share: facts and
//! their ids, the reading trait, capabilities as plain data, notes for the
//! journal, and one error type. It has no network, no store, no clock and no
//! retry; it depends on nothing else of Lastkey.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod connector;
pub mod error;
pub mod facts;
pub mod forms;
pub mod ids;
pub mod kind;
pub mod logins;
pub mod note;
pub mod page;
pub mod places;
pub mod prober;
pub mod said;
pub mod secret;
pub mod settings;
pub mod stamp;
pub mod when;

pub use connector::{
    CheckReport, Connector, Fingerprinted, Fingerprinter, Had, KindCapability, NoFingerprint,
    Right, Session, ValueReader,
};
pub use error::{ConnectorError, ErrorKind};
pub use facts::Fact;
pub use forms::{forms, password_in_url, without_line_end};
pub use ids::*;
pub use kind::Kind;
pub use logins::{without_bare_login, without_logins};
pub use note::{Note, NoteKind, Notes};
pub use page::{Columns, Cursor, Page, PageRequest, Quota};
pub use places::{NO_NUMBER, Places};
pub use prober::{Answer, ProbeSpec, Prober, Tried};
pub use said::said;
pub use secret::{Secret, may_be_secret};
pub use settings::{
    Descriptor, Must, Script, SecretNeed, SettingSpec, Settings, listed, shown_address,
};
pub use stamp::{AsTheyAre, Known, Same, Stamp, Stamping, Stamps};
pub use when::When;
