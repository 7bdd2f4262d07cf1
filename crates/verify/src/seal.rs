//! The signature: which statement was signed, by whom, and which file of the seal disagrees.

use crate::directory::about;
use crate::key::{Fingerprint, fingerprint, from_pem};
use crate::layout::{
    self, ENVELOPE, Envelope, PAE, PAYLOAD_TYPE, PUBLIC_KEY, SEAL, SIGNATURE, STATEMENT,
};
use crate::report::Problem;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use std::collections::BTreeMap;

/// The seal's files that could be read.
pub(crate) type Kept = BTreeMap<String, Vec<u8>>;

/// What the seal says.
#[derive(Default)]
pub(crate) struct Seal {
    /// The statement that the rest is compared with: the signed one, or, where no signature
    /// holds, the one that most of the seal agrees on, for naming what differs.
    pub statement: Option<Vec<u8>>,
    /// Whose signature holds over it.
    pub signer: Option<Fingerprint>,
    pub problems: Vec<Problem>,
}

/// The envelope's payload, key id and signature.
struct Opened {
    payload: Vec<u8>,
    keyid: String,
    signature: Vec<u8>,
}

fn verifies(key: &VerifyingKey, signature: &[u8], signed: &[u8]) -> bool {
    Signature::from_slice(signature).is_ok_and(|s| key.verify_strict(signed, &s).is_ok())
}

/// Reads the seal. Every file of it that is not as the others demand is named.
pub(crate) fn open(kept: &Kept) -> Seal {
    let mut seal = Seal::default();
    for name in SEAL {
        if !kept.contains_key(name) {
            seal.problems
                .push(about(name, "it is missing or cannot be read"));
        }
    }
    let get = |name: &str| kept.get(name).map(Vec::as_slice).unwrap_or_default();
    let key = from_pem(get(PUBLIC_KEY));
    let opened = match envelope(get(ENVELOPE)) {
        Ok(opened) => Some(opened),
        Err(message) => {
            complain(&mut seal, kept, ENVELOPE, message);
            None
        }
    };
    let payload = match payload(get(PAE)) {
        Ok(payload) => Some(payload),
        Err(message) => {
            complain(&mut seal, kept, PAE, message);
            None
        }
    };
    if key.is_none() {
        complain(
            &mut seal,
            kept,
            PUBLIC_KEY,
            "it is not an Ed25519 public key in the form that this package format writes"
                .to_owned(),
        );
    }
    let candidates: Vec<Vec<u8>> = [
        payload.map(<[u8]>::to_vec),
        kept.get(STATEMENT).cloned(),
        opened.as_ref().map(|o| o.payload.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let signatures: Vec<&[u8]> = [
        Some(get(SIGNATURE)),
        opened.as_ref().map(|o| o.signature.as_slice()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let signed = key.as_ref().and_then(|key| {
        candidates.iter().find_map(|statement| {
            let pae = layout::pae(statement);
            let found = signatures.iter().find(|s| verifies(key, s, &pae))?;
            Some((statement.clone(), found.to_vec()))
        })
    });
    match (signed, key) {
        (Some((statement, signature)), Some(key)) => {
            let signer = fingerprint(&key);
            agree(&mut seal, kept, &statement, &signer, &signature);
            seal.signer = Some(signer);
            seal.statement = Some(statement);
        }
        (_, key) => {
            unsigned(&mut seal, kept, key.as_ref(), opened.as_ref());
            seal.statement = majority(&candidates);
            if let Some(statement) = seal.statement.clone() {
                differing(&mut seal, kept, &statement);
            }
        }
    }
    seal
}

fn complain(seal: &mut Seal, kept: &Kept, name: &str, message: String) {
    if kept.contains_key(name) {
        seal.problems.push(about(name, message));
    }
}

fn envelope(bytes: &[u8]) -> Result<Opened, String> {
    let envelope: Envelope = serde_json::from_slice(bytes)
        .map_err(|_| "it is not a DSSE envelope of this package format".to_owned())?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(format!(
            "its payload type is `{}`, not `{PAYLOAD_TYPE}`",
            crate::text::visible(&envelope.payload_type)
        ));
    }
    let [one] = envelope.signatures.as_slice() else {
        return Err(format!(
            "it carries {} signatures, not one",
            envelope.signatures.len()
        ));
    };
    let decode = |text: &str| {
        STANDARD
            .decode(text)
            .map_err(|_| "it holds text that is not base64".to_owned())
    };
    Ok(Opened {
        payload: decode(&envelope.payload)?,
        keyid: one.keyid.clone(),
        signature: decode(&one.sig)?,
    })
}

/// The statement within the signed bytes.
fn payload(pae: &[u8]) -> Result<&[u8], String> {
    let start = format!("DSSEv1 {} {PAYLOAD_TYPE} ", PAYLOAD_TYPE.len());
    let rest = pae.strip_prefix(start.as_bytes()).ok_or_else(|| {
        format!(
            "it does not begin with `{}`: another type of payload or no signed statement",
            start.trim_end()
        )
    })?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let statement = rest.get(digits + 1..).unwrap_or_default();
    match layout::pae(statement) == pae {
        true => Ok(statement),
        false => Err("it gives another length than its statement has".to_owned()),
    }
}

/// The signature holds: every other file of the seal must follow from it.
fn agree(seal: &mut Seal, kept: &Kept, statement: &[u8], signer: &Fingerprint, signature: &[u8]) {
    differing(seal, kept, statement);
    if kept.get(SIGNATURE).is_some_and(|bytes| bytes != signature) {
        seal.problems.push(about(
            SIGNATURE,
            "it is not the signature of statement.pae by public-key.pem",
        ));
    }
    let expected = layout::envelope(statement, signer, signature).ok();
    if kept
        .get(ENVELOPE)
        .is_some_and(|bytes| Some(bytes) != expected.as_ref())
        && !seal
            .problems
            .iter()
            .any(|p| p.file.as_deref() == Some(ENVELOPE))
    {
        seal.problems.push(about(
            ENVELOPE,
            "it is not the envelope of the signed statement and its signature",
        ));
    }
}

/// Names the files that carry another statement.
fn differing(seal: &mut Seal, kept: &Kept, statement: &[u8]) {
    let named = |seal: &Seal, name: &str| {
        seal.problems
            .iter()
            .any(|p| p.file.as_deref() == Some(name))
    };
    if kept.get(STATEMENT).is_some_and(|bytes| bytes != statement) {
        seal.problems.push(about(
            STATEMENT,
            "it is not the statement that the rest of the seal carries",
        ));
    }
    if kept
        .get(PAE)
        .is_some_and(|bytes| *bytes != layout::pae(statement))
        && !named(seal, PAE)
    {
        seal.problems.push(about(
            PAE,
            "it is not made of the statement that the rest of the seal carries",
        ));
    }
    let carried = kept.get(ENVELOPE).and_then(|bytes| envelope(bytes).ok());
    if carried.is_some_and(|o| o.payload != statement) && !named(seal, ENVELOPE) {
        seal.problems.push(about(
            ENVELOPE,
            "it carries another statement than the rest of the seal",
        ));
    }
}

/// No signature holds: which of key, signature and signed bytes is it?
fn unsigned(seal: &mut Seal, kept: &Kept, key: Option<&VerifyingKey>, opened: Option<&Opened>) {
    if let (Some(key), Some(opened)) = (key, opened) {
        if fingerprint(key).as_str() != opened.keyid {
            seal.problems.push(about(
                PUBLIC_KEY,
                format!(
                    "it is the key {}, but the envelope names another as the signer's",
                    fingerprint(key)
                ),
            ));
        }
        if kept
            .get(SIGNATURE)
            .is_some_and(|bytes| *bytes != opened.signature)
        {
            seal.problems
                .push(about(SIGNATURE, "it is not the signature in the envelope"));
        }
    }
    if kept.contains_key(SIGNATURE) {
        seal.problems.push(about(
            SIGNATURE,
            "it does not verify: nobody is known to have signed this",
        ));
    }
}

/// The statement that at least two files agree on, else the first there is.
fn majority(candidates: &[Vec<u8>]) -> Option<Vec<u8>> {
    candidates
        .iter()
        .find(|one| candidates.iter().filter(|other| other == one).count() > 1)
        .or(candidates.first())
        .cloned()
}
