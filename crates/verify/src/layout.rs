//! Package layout, version 1.
//!
//! ```text
//! HOW-TO-CHECK.md       the page that explains the check with ordinary tools
//! …                     the content, deflated, in the byte order of the paths
//! manifest.json         what the package is: scope, period, snapshot, and each file's digest
//! SHA256SUMS            for `sha256sum -c`: every file above, manifest.json included
//! statement.json        in-toto Statement v1: subjects are the lines of SHA256SUMS and SHA256SUMS itself
//! statement.pae         the bytes that are signed: DSSE's pre-authentication encoding of statement.json
//! statement.dsse.json   the same statement and signature as a DSSE envelope
//! signature.bin         the raw 64 bytes of the Ed25519 signature over statement.pae
//! public-key.pem        the signer's public key (SPKI PEM)
//! ```
//!
//! The last seven, the seal, are stored and not compressed. The archive has no comment, no
//! gaps, no directories; times are 1980-01-01. So the bytes follow from the content but for
//! the compressed streams, whose digests are in the manifest: any changed byte shows, and a
//! later compressor does not matter. Same content, same version, same key: same bytes except
//! `made_at` and what follows from it (SHA256SUMS' line of the manifest, statement, signature).

use crate::hex::sha256_hex;
use crate::key::Fingerprint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The version of the layout that this program writes, and the newest it reads.
pub const VERSION: u64 = 1;
/// What the manifest calls the format.
pub const FORMAT: &str = "lastkey-audit-package";
/// The type of the statement's predicate, followed by the version.
pub const PREDICATE_TYPE: &str = "urn:lastkey:audit-package:";
/// The type of the signed payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of an in-toto statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

pub const HOW_TO_CHECK: &str = "HOW-TO-CHECK.md";
pub const MANIFEST: &str = "manifest.json";
pub const SUMS: &str = "SHA256SUMS";
pub const STATEMENT: &str = "statement.json";
pub const PAE: &str = "statement.pae";
pub const ENVELOPE: &str = "statement.dsse.json";
pub const SIGNATURE: &str = "signature.bin";
pub const PUBLIC_KEY: &str = "public-key.pem";

/// The files of the seal, in the order in which they end the archive.
pub const SEAL: [&str; 7] = [
    MANIFEST, SUMS, STATEMENT, PAE, ENVELOPE, SIGNATURE, PUBLIC_KEY,
];

/// The page in every package.
pub const HOW_TO_CHECK_TEXT: &str = include_str!("how-to-check.md");

/// How many files a package may have.
pub const MAX_FILES: usize = 10_000;
/// How large one file of the seal may be.
pub const MAX_SEAL_BYTES: u64 = 64 << 20;
/// How large all files together may be, unpacked.
pub const MAX_TOTAL_BYTES: u64 = 256 << 30;
/// How often a file may be larger than its compressed form, once it is larger than `RATIO_FROM`.
pub const MAX_RATIO: u64 = 400;
/// From which size on the ratio counts.
pub const RATIO_FROM: u64 = 16 << 20;

/// What a package is, and the digest of each of its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub version: u64,
    /// Follows from everything below but `made_at`.
    pub package_id: String,
    /// RFC 3339, UTC.
    pub made_at: String,
    /// The fields that differ between two packages of the same content.
    pub time_fields: Vec<String>,
    pub made_by: MadeBy,
    /// The package that this one continues.
    pub previous: Option<Previous>,
    /// In words: what was asked for.
    pub scope: String,
    pub period: Period,
    pub snapshot: Snapshot,
    /// In the byte order of the paths.
    pub files: Vec<FileLine>,
}

/// The program that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeBy {
    pub tool: String,
    pub version: String,
}

/// The package that this one continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    pub package_id: String,
    /// Of the whole file, as `sha256sum` shows it.
    pub sha256: String,
}

/// Both ends RFC 3339, UTC; None where open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    pub from: Option<String>,
    pub until: Option<String>,
}

/// What the content was computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// When the latest read in it ended; RFC 3339, UTC.
    pub at: Option<String>,
    /// The latest sync of each source.
    pub syncs: Vec<String>,
}

/// One file of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLine {
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
    /// Records without the header, where the file is a table.
    pub rows: Option<u64>,
    /// Of the compressed form, as it stands in the archive.
    pub packed_sha256: String,
    pub packed_bytes: u64,
}

/// An in-toto statement about the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    pub kind: String,
    pub subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    pub predicate: Predicate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    pub name: String,
    pub digest: Digests,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digests {
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Predicate {
    pub package_id: String,
    pub made_at: String,
    pub made_by: MadeBy,
    pub previous: Option<Previous>,
    pub manifest_sha256: String,
}

/// A DSSE envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope {
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    pub payload: String,
    pub signatures: Vec<EnvelopeSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvelopeSignature {
    pub keyid: String,
    pub sig: String,
}

/// Whether the text can be a path in a package: relative, ASCII letters, digits, `.`, `_`, `-`
/// and `/`, no empty, `.` or `..` part.
pub fn is_path(text: &str) -> bool {
    let part_fits = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    text.len() <= 200 && text.split('/').all(part_fits)
}

/// JSON as it stands in a package: indented by two, ending with a newline.
/// Structs only: their order of fields is part of the format.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The id that follows from the manifest's content: a version 8 UUID of its digest without
/// `package_id` and `made_at`.
pub(crate) fn package_id(manifest: &Manifest) -> Result<String, serde_json::Error> {
    let bare = Manifest {
        package_id: String::new(),
        made_at: String::new(),
        ..manifest.clone()
    };
    let digest = sha256_hex(&json(&bare)?);
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default().to_owned();
    Ok(format!(
        "{}-{}-8{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    ))
}

/// SHA256SUMS for this manifest.
pub(crate) fn sums(manifest: &Manifest, manifest_bytes: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for file in &manifest.files {
        text.push_str(&format!("{}  {}\n", file.sha256, file.path));
    }
    text.push_str(&format!("{}  {MANIFEST}\n", sha256_hex(manifest_bytes)));
    text.into_bytes()
}

/// The statement about this manifest and its SHA256SUMS.
pub(crate) fn statement(
    manifest: &Manifest,
    manifest_bytes: &[u8],
    sums_bytes: &[u8],
) -> Result<Vec<u8>, serde_json::Error> {
    let subject = |name: &str, sha256: String| Subject {
        name: name.to_owned(),
        digest: Digests { sha256 },
    };
    let manifest_sha256 = sha256_hex(manifest_bytes);
    let mut subjects: Vec<Subject> = manifest
        .files
        .iter()
        .map(|file| subject(&file.path, file.sha256.clone()))
        .collect();
    subjects.push(subject(MANIFEST, manifest_sha256.clone()));
    subjects.push(subject(SUMS, sha256_hex(sums_bytes)));
    json(&Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: subjects,
        predicate_type: format!("{PREDICATE_TYPE}{VERSION}"),
        predicate: Predicate {
            package_id: manifest.package_id.clone(),
            made_at: manifest.made_at.clone(),
            made_by: manifest.made_by.clone(),
            previous: manifest.previous.clone(),
            manifest_sha256,
        },
    })
}

/// What stands before the statement in the signed bytes.
pub(crate) fn pae_head(statement_len: usize) -> Vec<u8> {
    format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {statement_len} ",
        PAYLOAD_TYPE.len()
    )
    .into_bytes()
}

/// The signed bytes: DSSE's pre-authentication encoding.
pub(crate) fn pae(statement: &[u8]) -> Vec<u8> {
    [pae_head(statement.len()).as_slice(), statement].concat()
}

/// The DSSE envelope.
pub(crate) fn envelope(
    statement: &[u8],
    signer: &Fingerprint,
    signature: &[u8],
) -> Result<Vec<u8>, serde_json::Error> {
    json(&Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(statement),
        signatures: vec![EnvelopeSignature {
            keyid: signer.as_str().to_owned(),
            sig: STANDARD.encode(signature),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside() {
        for path in ["a.csv", "population/identities.csv", "a/b/c-d_e.json"] {
            assert!(is_path(path), "`{path}`");
        }
        for path in [
            "", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\\b", "c:a", "ä", "a b", ".hidden",
            "a/.", "a.", "a\0b",
        ] {
            assert!(!is_path(path), "`{path}`");
        }
        assert!(!is_path(&"a".repeat(201)));
    }

    #[test]
    fn the_signed_bytes_are_those_of_the_dsse_specification() {
        assert_eq!(pae(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }
}
