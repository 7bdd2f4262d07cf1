//! The OS keychain: what state it is in, in words, and entries of one service.

use super::{hex, random_bytes};
use crate::failure::Failure;
use keyring::{Entry, Error};
use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;
use zeroize::Zeroizing;

const SERVICE: &str = "org.lastkey.workbench";
const PROBE: &str = "availability probe";
/// A prompt of the keychain may be open for as long as this; then we stop waiting for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What state the keychain is in for a store. The texts are the system's own reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeychainState {
    /// It holds the store's key.
    Present,
    /// It works, and holds no key for the store (or there is no store yet).
    Absent,
    /// Its entry for the store is no key at all.
    Damaged,
    /// Its entry is a key, and not this store's.
    Wrong,
    /// No session bus, so nothing can be asked.
    NoBus(String),
    /// There is a bus, and nothing on it keeps secrets.
    NoService(String),
    /// The service runs and has no keyring that takes entries.
    NoKeyring,
    /// It is locked, or its prompt was not answered.
    Locked(String),
    /// The prompt was dismissed or denied, or nobody could be asked.
    Refused(String),
    /// Something else, in the system's words.
    Odd(String),
}

const OTHERWISE: &str = "give a key file with --key-file FILE (mode 0600)";

impl KeychainState {
    /// Finds out whether entries can be written, read and removed, with an entry of its own: a
    /// locked keyring answers "no entry" to a mere look. `Absent` is the good answer.
    pub fn now() -> KeychainState {
        // Another process may try at this very moment: each has an entry of its own.
        let name = match random_bytes::<8>() {
            Ok(bytes) => format!("{PROBE} {}", hex(&bytes)),
            Err(failure) => return KeychainState::Odd(failure.message),
        };
        let tried = ask(move || {
            let entry = Entry::new(SERVICE, &name)?;
            entry.set_password("probe")?;
            let text = entry.get_password()?;
            entry.delete_credential()?;
            Ok(text)
        });
        match tried {
            Ok(text) if text == "probe" => KeychainState::Absent,
            Ok(_) => KeychainState::Odd("it gave back something else".to_owned()),
            // An entry that was just written is not absent: the keyring hides what it holds.
            Err(KeychainState::Absent) => {
                KeychainState::Locked("it does not give back what it was given".to_owned())
            }
            Err(state) => state,
        }
    }

    /// One word, for `--json` and the window.
    pub fn word(&self) -> &'static str {
        match self {
            KeychainState::Present => "keychain_present",
            KeychainState::Absent => "keychain_absent",
            KeychainState::Damaged => "keychain_damaged",
            KeychainState::Wrong => "keychain_wrong",
            KeychainState::NoBus(_) => "keychain_no_bus",
            KeychainState::NoService(_) => "keychain_no_service",
            KeychainState::NoKeyring => "keychain_no_keyring",
            KeychainState::Locked(_) => "keychain_locked",
            KeychainState::Refused(_) => "keychain_refused",
            KeychainState::Odd(_) => "keychain_odd",
        }
    }

    /// One sentence.
    pub fn sentence(&self) -> String {
        match self {
            KeychainState::Present => "the keychain holds the key of this store".to_owned(),
            KeychainState::Absent => "the keychain holds no key for this store".to_owned(),
            KeychainState::Damaged => "the keychain's entry for this store is damaged".to_owned(),
            KeychainState::Wrong => {
                "the keychain's entry for this store is the key of another one".to_owned()
            }
            KeychainState::NoBus(why) => {
                format!("there is no keychain here, because there is no session bus: {why}")
            }
            KeychainState::NoService(why) => {
                format!(
                    "there is no keychain here, because no service on the bus keeps secrets: {why}"
                )
            }
            KeychainState::NoKeyring => {
                "the keychain service runs, but has no unlocked keyring to keep keys in".to_owned()
            }
            KeychainState::Locked(why) => format!("the keychain is locked: {why}"),
            KeychainState::Refused(why) => format!(
                "the keychain is locked, and the prompt to unlock it was dismissed or could not be shown: {why}"
            ),
            KeychainState::Odd(why) => {
                format!("the keychain did not answer as it should: {why}")
            }
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            KeychainState::Present => None,
            KeychainState::Absent => Some(
                "log in as the person who made the store, or put its key back with `lastkey store recover --recovery-key FILE`".to_owned(),
            ),
            KeychainState::Damaged | KeychainState::Wrong => Some(
                "put the key back with `lastkey store recover --recovery-key FILE`".to_owned(),
            ),
            KeychainState::NoBus(_) => Some(format!("run it in a desktop session, or {OTHERWISE}")),
            KeychainState::NoService(_) => Some(format!(
                "start the keychain service of your desktop (such as gnome-keyring or KWallet), or {OTHERWISE}"
            )),
            KeychainState::NoKeyring => Some(format!(
                "log in to the desktop once, so that it makes its keyring, or {OTHERWISE}"
            )),
            KeychainState::Locked(_) => Some(format!("unlock it and try again, or {OTHERWISE}")),
            KeychainState::Refused(_) => Some(format!(
                "try again and answer the prompt, or {OTHERWISE}"
            )),
            KeychainState::Odd(_) => Some(format!("try again, or {OTHERWISE}")),
        }
    }
}

impl From<KeychainState> for Failure {
    fn from(state: KeychainState) -> Self {
        let failure = Failure::key(state.sentence()).state(state.word());
        match state.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Fails with one sentence for each state in which keys cannot be kept.
pub(super) fn require_usable() -> Result<(), Failure> {
    match KeychainState::now() {
        KeychainState::Present | KeychainState::Absent => Ok(()),
        state @ (KeychainState::Damaged
        | KeychainState::Wrong
        | KeychainState::NoBus(_)
        | KeychainState::NoService(_)
        | KeychainState::NoKeyring
        | KeychainState::Locked(_)
        | KeychainState::Refused(_)
        | KeychainState::Odd(_)) => Err(state.into()),
    }
}

/// Writes an entry and reads it back: a keychain that forgets must not be trusted with a key.
pub(super) fn set(name: &str, value: &Zeroizing<String>) -> Result<(), Failure> {
    let (entry, wanted) = (name.to_owned(), value.clone());
    let kept = ask(move || {
        let entry = Entry::new(SERVICE, &entry)?;
        entry.set_password(&wanted)?;
        let back = Zeroizing::new(entry.get_password()?);
        Ok(*back == *wanted)
    })?;
    if kept {
        Ok(())
    } else {
        Err(KeychainState::Odd("it gave back something else".to_owned()).into())
    }
}

/// None where there is no such entry, or where a locked keyring says so.
pub(super) fn get(name: &str) -> Result<Option<Zeroizing<String>>, KeychainState> {
    let name = name.to_owned();
    match ask(move || Entry::new(SERVICE, &name)?.get_password()) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(KeychainState::Absent) => Ok(None),
        Err(state) => Err(state),
    }
}

/// The entry, with the reason where it cannot be had: absent, or a keyring that only says so.
pub(super) fn demand(name: &str) -> Result<Zeroizing<String>, KeychainState> {
    if let Some(text) = get(name)? {
        return Ok(text);
    }
    match KeychainState::now() {
        // It may have been unlocked by the very question.
        KeychainState::Absent => get(name)?.ok_or(KeychainState::Absent),
        state => Err(state),
    }
}

/// An absent entry is fine.
pub(super) fn remove(name: &str) -> Result<(), Failure> {
    let name = name.to_owned();
    match ask(move || Entry::new(SERVICE, &name)?.delete_credential()) {
        Ok(()) | Err(KeychainState::Absent) => Ok(()),
        Err(state) => Err(state.into()),
    }
}

/// The names of all our entries that begin so; none where the keychain cannot list.
pub(super) fn names_beginning(prefix: &str) -> Vec<String> {
    let wanted = prefix.to_owned();
    let listed = ask(move || {
        // The store must be there before it can be searched.
        Entry::new(SERVICE, PROBE)?;
        let found = keyring_core::Entry::search(&HashMap::from([("service", SERVICE)]))?;
        let names = found.iter().filter_map(|entry| {
            let attributes = entry.get_attributes().ok()?;
            attributes.get("username").cloned()
        });
        Ok(names.filter(|name| name.starts_with(&wanted)).collect())
    });
    listed.unwrap_or_default()
}

/// Asks on a thread of its own: the keychain's client blocks and brings its own runtime, so it
/// could not be called from ours; and a prompt that nobody answers must not hang us for ever.
fn ask<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, KeychainState> {
    let (send, receive) = sync_channel(1);
    std::thread::spawn(move || {
        let _gave_up_waiting = send.send(work().map_err(|error| state_of(&error)));
    });
    match receive.recv_timeout(PATIENCE) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(KeychainState::Locked(
            "its prompt was not answered within two minutes".to_owned(),
        )),
        Err(RecvTimeoutError::Disconnected) => Err(KeychainState::Odd(
            "its client ended in the middle".to_owned(),
        )),
    }
}

/// The client tells most reasons as text only; a test with a real service stands behind each.
fn state_of(error: &Error) -> KeychainState {
    match error {
        Error::NoEntry => KeychainState::Absent,
        // These carry the entry's bytes: their text is not shown.
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::Ambiguous(_) => {
            KeychainState::Damaged
        }
        Error::NoDefaultStore => match Entry::store_status() {
            Ok(()) => KeychainState::Odd("it is not there yet".to_owned()),
            Err(Error::PlatformFailure(why)) => of_text(&why.to_string()),
            Err(other) => of_text(&other.to_string()),
        },
        Error::PlatformFailure(why) => of_text(&why.to_string()),
        Error::NoStorageAccess(why) => match of_text(&why.to_string()) {
            KeychainState::Odd(why) => KeychainState::Locked(why),
            state => state,
        },
        other => KeychainState::Odd(other.to_string()),
    }
}

fn of_text(text: &str) -> KeychainState {
    let why = text
        .trim_start_matches("zbus error: ")
        .trim_start_matches("SS error: ")
        .trim_start_matches("SS Error: ")
        .to_owned();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["prompt dismissed", "before prompt completed"]) {
        KeychainState::Refused(why)
    } else if says(&["object locked", "IsLocked"]) {
        KeychainState::Locked(why)
    } else if says(&["result not returned"]) {
        KeychainState::NoKeyring
    } else if says(&["ServiceUnknown", "NameHasNoOwner", "Spawn."]) {
        KeychainState::NoService(why)
    } else if says(&[
        "Failed to connect to address",
        "no secret service provider or dbus session",
    ]) {
        KeychainState::NoBus(why)
    } else {
        KeychainState::Odd(why)
    }
}
