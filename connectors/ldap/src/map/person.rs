//! A person's entry: the account, and the identity where the directory is a source of truth.

use super::{attributes, text};
use crate::entry::Entry;
use crate::index::{Index, Named};
use crate::settings::Directory;
use chrono::{DateTime, Duration, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::*;

/// The lock that only an administrator sets and lifts (password policy draft).
const LOCKED_BY_ADMIN: &str = "000001010000Z";

pub const ACCOUNT: &[&str] = &[
    "uid",
    "cn",
    "displayName",
    "mail",
    "employeeType",
    "gidNumber",
    "createTimestamp",
    "creatorsName",
    "pwdAccountLockedTime",
    "pwdChangedTime",
    "pwdStartTime",
    "pwdEndTime",
    "pwdLastSuccess",
    "authTimestamp",
    "lastLoginTime",
    "accountUnlockTime",
    "passwordRetryCount",
    "nsAccountLock",
    "nsRole",
    "shadowExpire",
];

pub const IDENTITY: &[&str] = &[
    "uid",
    "cn",
    "displayName",
    "mail",
    "title",
    "departmentNumber",
    "ou",
    "l",
    "manager",
    "employeeType",
    "createTimestamp",
    "pwdAccountLockedTime",
    "nsAccountLock",
];

/// Kept on the account as they are, where they are there.
const KEPT: &[&str] = &[
    "cn",
    "displayName",
    "employeeType",
    "gidNumber",
    "pwdAccountLockedTime",
    "pwdStartTime",
    "accountUnlockTime",
    "passwordRetryCount",
    "nsRole",
];

/// Whether sign-in is switched off. A lock after failed sign-ins opens again by itself under many
/// policies, so it is kept as an attribute and counts as not known: no lock may be taken for a
/// closed account. That nothing is locked counts only where operational attributes are visible.
pub fn enabled(entry: &Entry) -> Option<bool> {
    let by_admin = entry.one("pwdAccountLockedTime") == Some(LOCKED_BY_ADMIN);
    if by_admin || entry.says("nsAccountLock", "true") {
        return Some(false);
    }
    match (
        entry
            .one("pwdAccountLockedTime")
            .or(entry.one("accountUnlockTime")),
        entry.one("createTimestamp"),
    ) {
        (Some(_), _) | (None, None) => None,
        (None, Some(_)) => Some(true),
    }
}

/// The earlier of `shadowExpire` (days since 1970; negative is none) and `pwdEndTime`.
fn expires(entry: &Entry) -> Option<When> {
    let shadow = || {
        let days: i64 = entry.one("shadowExpire")?.parse().ok()?;
        let span = Duration::try_days(days).filter(|_| days >= 0)?;
        DateTime::<Utc>::UNIX_EPOCH.checked_add_signed(span)
    };
    let ends = [shadow(), entry.time("pwdEndTime")];
    ends.into_iter().flatten().min().map(When::At)
}

/// The account of a person's entry; None without an id.
pub fn account(directory: &Directory, entry: &Entry) -> Option<Account> {
    let identity = text(entry, &directory.identity_attribute);
    let last_used = ["pwdLastSuccess", "authTimestamp", "lastLoginTime"].map(|n| entry.time(n));
    Some(Account {
        system: directory.system.clone(),
        id: entry.one(&directory.id_attribute)?.into(),
        name: text(entry, "uid").or_else(|| text(entry, "cn")),
        // somebody with a number in the roster is a human; of others nothing is known
        kind: identity.as_ref().map(|_| AccountKind::Human),
        identity_id: identity.map(Into::into),
        email: text(entry, "mail"),
        enabled: enabled(entry),
        // a directory that keeps the time of the last change has a password to sign in with
        local_sign_in: entry.one("pwdChangedTime").map(|_| true),
        signs_in_through_system: None,
        signs_in_through_id: None,
        mfa: None,
        privileged: None,
        environment: None,
        created_at: entry.time("createTimestamp").map(When::At),
        created_by: text(entry, "creatorsName"),
        last_used_at: last_used.into_iter().flatten().max().map(When::At),
        last_interactive_at: None,
        disabled_at: None,
        expires_at: expires(entry),
        attributes: attributes(entry, KEPT),
    })
}

/// The identity of a person's entry, where the directory is a source of truth.
pub fn identity(directory: &Directory, entry: &Entry, index: &Index) -> Option<Identity> {
    let id = entry.one(&directory.id_attribute)?;
    let mut scratch = String::new();
    let manager = entry
        .one("manager")
        .and_then(|dn| match index.by_dn(dn, &mut scratch)? {
            Named::Account { id, identity } => Some(identity.as_deref().unwrap_or(id).to_owned()),
            Named::Group { .. } => None,
        });
    Some(Identity {
        id: entry
            .one(&directory.identity_attribute)
            .unwrap_or(id)
            .into(),
        kind: IdentityKind::Person,
        display_name: text(entry, "displayName").or_else(|| text(entry, "cn")),
        email: text(entry, "mail"),
        status: enabled(entry).map(|on| match on {
            true => IdentityStatus::Active,
            false => IdentityStatus::Inactive,
        }),
        department: text(entry, "departmentNumber").or_else(|| text(entry, "ou")),
        title: text(entry, "title"),
        manager_id: manager.map(Into::into),
        employer_id: None,
        location: text(entry, "l"),
        start_date: None,
        end_date: None,
        leaver_kind: None,
        purpose: None,
        allowed_tools: None,
        attributes: attributes(entry, &["employeeType", "uid"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_never_taken_for_a_closed_account_unless_an_administrator_set_it() {
        let created = ("createTimestamp", "20260101000000Z");
        for (values, expected) in [
            (&[created][..], Some(true)),
            (&[], None),
            (&[("pwdAccountLockedTime", LOCKED_BY_ADMIN)], Some(false)),
            (
                &[created, ("pwdAccountLockedTime", "20260301000000Z")],
                None,
            ),
            (&[created, ("accountUnlockTime", "20260301000000Z")], None),
            (&[("nsAccountLock", "TRUE")], Some(false)),
            (&[created, ("nsAccountLock", "false")], Some(true)),
        ] {
            assert_eq!(enabled(&Entry::of("uid=a", values)), expected, "{values:?}");
        }
    }

    #[test]
    fn an_account_expires_at_the_earlier_of_its_ends() {
        let at = |values: &[(&str, &str)]| expires(&Entry::of("uid=a", values)).map(When::to_text);
        let days = |days| at(&[("shadowExpire", days)]);
        assert_eq!(days("1").as_deref(), Some("1970-01-02T00:00:00Z"));
        for none in ["-1", "99999999999999", "soon"] {
            assert_eq!(days(none), None, "`{none}`");
        }
        let end = ("pwdEndTime", "20260331120000Z");
        assert_eq!(at(&[end]).as_deref(), Some("2026-03-31T12:00:00Z"));
        assert_eq!(
            at(&[end, ("shadowExpire", "20000")]).as_deref(),
            Some("2024-10-04T00:00:00Z")
        );
    }
}
