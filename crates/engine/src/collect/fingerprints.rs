//! Values reduced to keyed fingerprints on their way in, where an administrator has agreed.
//!
//! A connector is wrapped: its pages of locations pass through its reader of values before
//! anything else sees them. The key stays here; a value is never seen here at all.

use async_trait::async_trait;
use hmac::{Hmac, Mac};
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, ErrorKind, Fact, Fingerprint,
    Fingerprinter, Had, Kind, KindCapability, NoFingerprint, Page, PageRequest, Secret, Session,
    ValueReader,
};
use sha2::Sha256;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The setting of a source that says that its values may be read. It is set by consent alone.
pub const CONSENT: &str = "fingerprints";

/// Values shorter than this are had by too many things by chance.
const SHORTEST: usize = 8;

/// Words that stand where a secret should, one a line.
const COMMON: &str = include_str!("common-words.txt");

/// Makes fingerprints with one store's key: `keyid:hex`, HMAC-SHA256.
pub struct Prints {
    key: Zeroizing<[u8; 32]>,
    id: String,
}

impl Prints {
    /// `id` names the key in every fingerprint: those of unequal ids never compare.
    pub fn new(key: Zeroizing<[u8; 32]>, id: String) -> Prints {
        Prints { key, id }
    }
}

impl Fingerprinter for Prints {
    fn of(&self, value: &[u8]) -> Result<Fingerprint, NoFingerprint> {
        if value.len() < SHORTEST {
            return Err(NoFingerprint::TooShort);
        }
        if common(value) {
            return Err(NoFingerprint::Common);
        }
        let made = hex(&mac(self.key.as_ref(), &[b"value\0", value]));
        Ok(Fingerprint::new(format!("{}:{made}", self.id)))
    }
}

fn common(value: &[u8]) -> bool {
    COMMON
        .lines()
        .any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length; the other arm cannot be reached and gives no equal values.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A connector whose locations come with fingerprints.
pub struct Fingerprinting {
    inner: Box<dyn Connector>,
    secret: Option<Secret>,
    with: Arc<dyn Fingerprinter>,
}

impl Fingerprinting {
    /// `secret` is the value reader's own credential.
    pub fn new(
        inner: Box<dyn Connector>,
        secret: Option<Secret>,
        with: Arc<dyn Fingerprinter>,
    ) -> Fingerprinting {
        Fingerprinting {
            inner,
            secret,
            with,
        }
    }
}

#[async_trait]
impl Connector for Fingerprinting {
    fn descriptor(&self) -> &'static Descriptor {
        self.inner.descriptor()
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        self.inner.capabilities()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.inner.check().await
    }

    async fn replaced(&self, had: &Had) -> Result<Option<String>, ConnectorError> {
        self.inner.replaced(had).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let session = self.inner.connect().await?;
        let values = self
            .inner
            .value_reader(self.secret.clone())
            .ok_or_else(|| {
                let kind = self.inner.descriptor().kind;
                let message = format!("{kind} keeps no values that could be fingerprinted");
                ConnectorError::new(ErrorKind::Unsupported, kind, "connect", message)
            })??;
        Ok(Box::new(Reading {
            session,
            values,
            with: Arc::clone(&self.with),
        }))
    }
}

struct Reading {
    session: Box<dyn Session>,
    values: Box<dyn ValueReader>,
    with: Arc<dyn Fingerprinter>,
}

#[async_trait]
impl Session for Reading {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let mut page = self.session.read_page(kind, request).await?;
        if kind != Kind::Location {
            return Ok(page);
        }
        let before = page.records.len() as u64;
        let mut locations = Vec::new();
        let mut rest = Vec::new();
        for fact in page.records {
            match fact {
                Fact::Location(location) => locations.push(location),
                other => rest.push(other),
            }
        }
        let with = self.with.as_ref();
        let made = self.values.fingerprint(locations, with).await?;
        rest.extend(made.locations.into_iter().map(Fact::Location));
        page.records = rest;
        page.notes.extend(made.notes);
        // A place with several fields came as one object and counts as its rows.
        page.received = (page.received + page.records.len() as u64).saturating_sub(before);
        page.expected_total = None;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(byte: u8) -> Prints {
        Prints::new(Zeroizing::new([byte; 32]), format!("{byte:08x}"))
    }

    #[test]
    fn equal_values_have_equal_fingerprints_under_one_key_only() {
        let (one, other) = (prints(1), prints(2));
        let of = |p: &Prints, v: &[u8]| p.of(v).unwrap().to_string();
        assert_eq!(of(&one, b"correct horse"), of(&one, b"correct horse"));
        assert_ne!(of(&one, b"correct horse"), of(&one, b"correct horse "));
        let (a, b) = (of(&one, b"correct horse"), of(&other, b"correct horse"));
        assert_ne!(a.split_once(':').unwrap().0, b.split_once(':').unwrap().0);
        assert_ne!(a.split_once(':').unwrap().1, b.split_once(':').unwrap().1);
        assert_eq!(a.len(), 8 + 1 + 64);
        assert!(!a.contains("horse"));
    }

    #[test]
    fn short_and_common_values_have_none() {
        assert_eq!(prints(1).of(b"1234567"), Err(NoFingerprint::TooShort));
        assert_eq!(prints(1).of(b"PassWord1"), Err(NoFingerprint::Common));
        assert_eq!(prints(1).of(b"changeme"), Err(NoFingerprint::Common));
        assert!(COMMON.lines().all(|w| w.len() >= SHORTEST && w.trim() == w));
    }
}
