//! What a person signs in with: the password, certificates, SSH keys. Described, never stored.

use super::{Problem, text};
use crate::entry::Entry;
use crate::settings::Directory;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::*;
use lastkey_contract::{NoteKind, When};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

pub const PASSWORD: &[&str] = &[
    "uid",
    "pwdChangedTime",
    "pwdUpdateTime",
    "pwdReset",
    "pwdGraceUseTime",
    "pwdPolicySubentry",
    "passwordExpirationTime",
    "passwordGraceUserTime",
];
pub const KEYS: &[&str] = &["uid", "userCertificate", "sshPublicKey"];

const KEPT: &[&str] = &[
    "pwdReset",
    "pwdGraceUseTime",
    "pwdPolicySubentry",
    "passwordExpirationTime",
    "passwordGraceUserTime",
];

/// The password of a person's entry: that it is there and when it was changed, never its value.
pub fn password(directory: &Directory, entry: &Entry) -> Option<Credential> {
    let id = entry.one(&directory.id_attribute)?;
    let kind = CredentialKind::Password;
    let mut out = Credential::of(directory.system.clone(), format!("{id}:password"), kind, id);
    out.name = text(entry, "uid").map(|uid| format!("password of {uid}"));
    let changed = entry.time("pwdChangedTime");
    out.rotated_at = changed.or(entry.time("pwdUpdateTime")).map(When::At);
    // 389 DS writes the year 1970 for a password that must be changed: it still signs in.
    out.expires_at = entry
        .time("passwordExpirationTime")
        .filter(|at| at.timestamp() > 0)
        .map(When::At);
    for name in KEPT {
        let values: Vec<&str> = entry.all(name).collect();
        if !values.is_empty() {
            out.attributes.insert((*name).to_owned(), values.join("; "));
        }
    }
    Some(out)
}

/// The certificates and SSH keys of a person's entry; None without an id. Their ids carry the
/// account's, because one key can hang on several accounts and counts on each.
pub fn all(
    directory: &Directory,
    entry: &Entry,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Credential>> {
    let id = entry.one(&directory.id_attribute)?;
    let mut out = Vec::new();
    for der in entry.bytes("userCertificate") {
        out.push(certificate(directory, entry, id, der, problems));
    }
    for line in entry.bytes("sshPublicKey") {
        // the comment can be in whatever encoding the key's owner had; the key is ASCII
        match ssh_key(directory, id, &String::from_utf8_lossy(line)) {
            Some(key) => out.push(key),
            None => problems.push(Problem {
                kind: NoteKind::Failed,
                reason: "a value of `sshPublicKey` is no SSH public key",
                example: entry.dn.clone(),
            }),
        }
    }
    // an entry can list one key twice, with another comment
    out.sort_by(|a, b| a.id.cmp(&b.id));
    out.dedup_by(|a, b| a.id == b.id);
    Some(out)
}

fn certificate(
    directory: &Directory,
    entry: &Entry,
    account: &str,
    der: &[u8],
    problems: &mut Vec<Problem>,
) -> Credential {
    let sha256: String = Sha256::digest(der)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let id = format!("{account}:certificate:{sha256}");
    let mut out = Credential::of(
        directory.system.clone(),
        id,
        CredentialKind::Certificate,
        account,
    );
    let mut say = |name: &str, value: String| out.attributes.insert(name.to_owned(), value);
    say("sha256", sha256);
    let Ok((_, read)) = X509Certificate::from_der(der) else {
        problems.push(Problem {
            kind: NoteKind::Remark,
            reason: "a certificate that is not X.509 is known by its fingerprint only",
            example: entry.dn.clone(),
        });
        return out;
    };
    say("serial", read.raw_serial_as_string());
    say("subject", read.subject().to_string());
    say("issuer", read.issuer().to_string());
    let at = |time: x509_parser::time::ASN1Time| {
        DateTime::<Utc>::from_timestamp(time.timestamp(), 0).map(When::At)
    };
    out.name = Some(read.subject().to_string());
    out.created_at = at(read.validity().not_before);
    out.expires_at = at(read.validity().not_after);
    out
}

/// One line as in `authorized_keys`, options before the key included.
fn ssh_key(directory: &Directory, account: &str, line: &str) -> Option<Credential> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (sort, key, comment) = words.iter().enumerate().find_map(|(at, sort)| {
        let known = ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|p| sort.starts_with(p));
        let key = words.get(at + 1).filter(|_| known)?;
        let key = STANDARD.decode(key).ok().filter(|k| !k.is_empty())?;
        Some((
            *sort,
            key,
            words.get(at + 2..).unwrap_or_default().join(" "),
        ))
    })?;
    let print = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&key)));
    let id = format!("{account}:{print}");
    let mut out = Credential::of(
        directory.system.clone(),
        id,
        CredentialKind::SshKey,
        account,
    );
    out.name = Some(print);
    out.attributes.insert("type".to_owned(), sort.to_owned());
    if !comment.is_empty() {
        out.attributes.insert("comment".to_owned(), comment);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::directory;
    use super::*;

    #[test]
    fn an_ssh_key_is_known_by_the_fingerprint_that_ssh_shows() {
        let d = directory();
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIGkzS2tpjQtA4w7mb3Ud0xW0Yv4o2Ih0bDgUbyTZTi7o";
        for line in [
            format!("ssh-ed25519 {key} ann@host"),
            format!("from=\"10.0.0.1\",no-pty ssh-ed25519 {key} ann@host"),
        ] {
            let found = ssh_key(&d, "1", &line).unwrap();
            assert_eq!(found.attributes["comment"], "ann@host");
            assert_eq!(found.id.as_str(), format!("1:{}", found.name.unwrap()));
        }
        for odd in ["", "ssh-rsa", "ssh-rsa ***", "hello world"] {
            assert!(ssh_key(&d, "1", odd).is_none(), "`{odd}`");
        }
    }

    #[test]
    fn a_password_that_must_be_changed_has_not_expired() {
        let d = directory();
        let expires = |at| {
            let values = [("entryUUID", "1"), ("passwordExpirationTime", at)];
            let found = password(&d, &Entry::of("uid=a", &values)).unwrap();
            assert_eq!(found.attributes["passwordExpirationTime"], at);
            found.expires_at.map(When::to_text)
        };
        assert_eq!(expires("19700101000000Z"), None);
        assert_eq!(
            expires("20260331120000Z").as_deref(),
            Some("2026-03-31T12:00:00Z")
        );
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_still_listed() {
        let d = directory();
        let entry = Entry::of("uid=a", &[("entryUUID", "1"), ("userCertificate", "junk")]);
        let mut problems = Vec::new();
        let found = all(&d, &entry, &mut problems).unwrap();
        assert_eq!((found.len(), problems.len()), (1, 1));
        assert!(found[0].id.as_str().starts_with("1:certificate:"));
        assert_eq!(found[0].expires_at, None);
    }
}
