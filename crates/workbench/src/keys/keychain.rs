//! The OS keychain: what state it is in, in words, and entries of one service.

use super::{hex, random_bytes};
use crate::failure::Failure;
use keyring::{Entry, Error};
use zeroize::Zeroizing;

const SERVICE: &str = "org.lastkey.workbench";
const PROBE: &str = "availability probe";

/// What state the keychain is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeychainState {
    /// Entries can be written, read and removed.
    Usable,
    /// There is no keychain service, with the system's own reason.
    NoService(String),
    /// There is one, and it is locked or it refused.
    Locked(String),
}

impl KeychainState {
    /// Finds out by writing, reading and removing an entry: a locked keyring answers
    /// "no entry" to a mere look.
    pub fn now() -> KeychainState {
        off_the_runtime(|| {
            if let Err(error) = Entry::store_status() {
                return KeychainState::NoService(error.to_string());
            }
            // Another process may try at this very moment: each has an entry of its own.
            let name = match random_bytes::<8>() {
                Ok(bytes) => format!("{PROBE} {}", hex(&bytes)),
                Err(failure) => return KeychainState::Locked(failure.message),
            };
            let tried = Entry::new(SERVICE, &name).and_then(|entry| {
                entry.set_password("probe")?;
                let text = entry.get_password()?;
                entry.delete_credential()?;
                Ok(text)
            });
            match tried {
                Ok(text) if text == "probe" => KeychainState::Usable,
                Ok(_) => KeychainState::Locked("it gave back something else".to_owned()),
                Err(Error::NoDefaultStore) => {
                    KeychainState::NoService("no keychain service answers".to_owned())
                }
                Err(error) => KeychainState::Locked(error.to_string()),
            }
        })
    }
}

const HOW_WITHOUT: &str = "start the keychain service of your desktop, or give a key file with --key-file FILE (mode 0600)";

/// One sentence for each state in which keys cannot be kept.
pub(super) fn require_usable() -> Result<(), Failure> {
    match KeychainState::now() {
        KeychainState::Usable => Ok(()),
        KeychainState::NoService(why) => {
            Err(Failure::key(format!("there is no keychain here: {why}")).hint(HOW_WITHOUT))
        }
        KeychainState::Locked(why) => Err(Failure::key(format!(
            "the keychain is locked or refused: {why}"
        ))
        .hint("unlock it and try again, or give a key file with --key-file FILE (mode 0600)")),
    }
}

pub(super) fn set(name: &str, value: &Zeroizing<String>) -> Result<(), Failure> {
    off_the_runtime(|| Entry::new(SERVICE, name)?.set_password(value))
        .map_err(|error| failed(&error))
}

/// None where there is no such entry.
pub(super) fn get(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match off_the_runtime(|| Entry::new(SERVICE, name)?.get_password()) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// An absent entry is fine.
pub(super) fn remove(name: &str) -> Result<(), Failure> {
    match off_the_runtime(|| Entry::new(SERVICE, name)?.delete_credential()) {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &Error) -> Failure {
    // BadEncoding and BadDataFormat carry the entry's bytes: their text is not shown.
    let why = match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry is damaged".to_owned(),
        other => other.to_string(),
    };
    Failure::key(format!("the keychain did not answer as it should: {why}")).hint(HOW_WITHOUT)
}

/// The keychain's client blocks and brings its own runtime: it runs on a thread of its own,
/// so that it can be called from anywhere.
fn off_the_runtime<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
