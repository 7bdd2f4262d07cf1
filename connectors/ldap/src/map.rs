//! An entry -> facts. Pure.

use crate::dn;
use crate::entry::Entry;
use crate::index::{Index, Named};
use crate::settings::Directory;
use chrono::{DateTime, Duration, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::*;

/// The lock that only an administrator sets and lifts (password policy draft).
const LOCKED_BY_ADMIN: &str = "000001010000Z";

/// What people are asked for. The value of userPassword is not among it and never may be.
pub fn people_attributes(directory: &Directory) -> Vec<String> {
    let mut names: Vec<String> = [
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
        "creatorsName",
        "pwdAccountLockedTime",
        "pwdChangedTime",
        "pwdLastSuccess",
        "authTimestamp",
        "nsAccountLock",
        "shadowExpire",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(directory.id_attribute.clone());
    names.push(directory.identity_attribute.clone());
    names
}

/// What groups are asked for; members only where grants are read.
pub fn group_attributes(directory: &Directory) -> Vec<String> {
    let mut names = ["cn", "description", "gidNumber"]
        .map(str::to_owned)
        .to_vec();
    names.push(directory.id_attribute.clone());
    names
}

/// What members are asked for.
pub fn member_attributes(directory: &Directory) -> Vec<String> {
    let mut names = ["member", "uniqueMember", "memberUid"]
        .map(str::to_owned)
        .to_vec();
    names.push(directory.id_attribute.clone());
    names
}

fn text(entry: &Entry, name: &str) -> Option<String> {
    entry.one(name).map(str::to_owned)
}

fn attributes(entry: &Entry, names: &[&str]) -> Attributes {
    let mut out = Attributes::new();
    out.insert("dn".to_owned(), entry.dn.clone());
    for name in names {
        if !entry.all(name).is_empty() {
            out.insert((*name).to_owned(), entry.all(name).join("; "));
        }
    }
    out
}

/// Whether sign-in is switched off, and since when. A lock after failed sign-ins opens again by
/// itself under many policies, so it is kept as an attribute and counts as not known: no lock
/// may be taken for a closed account. That nothing is locked counts only where operational
/// attributes are visible.
fn enabled(entry: &Entry) -> Option<bool> {
    let by_admin = entry.one("pwdAccountLockedTime") == Some(LOCKED_BY_ADMIN);
    let switched_off = entry
        .one("nsAccountLock")
        .is_some_and(|v| v.eq_ignore_ascii_case("true"));
    if by_admin || switched_off {
        return Some(false);
    }
    match (
        entry.one("pwdAccountLockedTime"),
        entry.one("createTimestamp"),
    ) {
        (Some(_), _) | (None, None) => None,
        (None, Some(_)) => Some(true),
    }
}

/// `shadowExpire`: days since 1970; negative is none.
fn expires(entry: &Entry) -> Option<When> {
    let days: i64 = entry.one("shadowExpire")?.parse().ok()?;
    let start = DateTime::<Utc>::UNIX_EPOCH;
    let span = Duration::try_days(days).filter(|_| days >= 0)?;
    start.checked_add_signed(span).map(When::At)
}

/// The account of a person's entry; None without an id.
pub fn account(directory: &Directory, entry: &Entry) -> Option<Account> {
    let identity = text(entry, &directory.identity_attribute);
    let last_used = [entry.time("pwdLastSuccess"), entry.time("authTimestamp")];
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
        attributes: attributes(
            entry,
            &["cn", "displayName", "employeeType", "pwdAccountLockedTime"],
        ),
    })
}

/// The identity of a person's entry, where the directory is a source of truth.
pub fn identity(directory: &Directory, entry: &Entry, index: &Index) -> Option<Identity> {
    let id = entry.one(&directory.id_attribute)?;
    let manager = entry.one("manager").and_then(|dn| match index.by_dn(dn)? {
        Named::Account { id, identity } => Some(identity.clone().unwrap_or_else(|| id.clone())),
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

/// The password of a person's entry: that it is there and when it was changed, never its value.
pub fn password(directory: &Directory, entry: &Entry) -> Option<Credential> {
    let id = entry.one(&directory.id_attribute)?;
    Some(Credential {
        system: directory.system.clone(),
        id: format!("{id}:password").into(),
        kind: CredentialKind::Password,
        account_id: Some(id.into()),
        name: text(entry, "uid").map(|uid| format!("password of {uid}")),
        enabled: None,
        environment: None,
        created_at: None,
        created_by: None,
        rotated_at: entry.time("pwdChangedTime").map(When::At),
        revoked_at: None,
        expires_at: None,
        last_used_at: None,
        fingerprint: None,
        attributes: Attributes::new(),
    })
}

/// The entitlement of a group's entry; None without an id.
pub fn entitlement(directory: &Directory, entry: &Entry) -> Option<Entitlement> {
    Some(Entitlement {
        system: directory.system.clone(),
        id: entry.one(&directory.id_attribute)?.into(),
        name: text(entry, "cn"),
        kind: Some(EntitlementKind::Group),
        privileged: None,
        environment: None,
        attributes: attributes(entry, &["description", "gidNumber"]),
    })
}

/// The grants of a group's entry, and the members that name nobody who was read. Those become
/// grants of an account whose id is the member's text, so that nothing is lost.
pub fn grants(
    directory: &Directory,
    entry: &Entry,
    index: &Index,
) -> Option<(Vec<Grant>, Vec<String>)> {
    let group = entry.one(&directory.id_attribute)?;
    let mut dangling = Vec::new();
    let mut out = Vec::new();
    let mut grant = |kind, id: &str| {
        out.push(Grant {
            system: directory.system.clone(),
            entitlement_id: group.into(),
            principal: Principal {
                kind,
                system: directory.system.clone(),
                id: id.to_owned(),
            },
            assignment: Some(Assignment::Active),
            granted_at: None,
            granted_by: None,
            approved_by: None,
            ticket: None,
            reason: None,
            last_used_at: None,
            expires_at: None,
            attributes: Attributes::new(),
        });
    };
    let members = entry.all("member").iter().map(String::as_str);
    let unique = entry.all("uniqueMember").iter().map(|v| dn::without_uid(v));
    // groupOfNames wants at least one member: the empty DN stands for none
    for member in members.chain(unique).filter(|m| !m.is_empty()) {
        match index.by_dn(member) {
            Some(Named::Account { id, .. }) => grant(PrincipalType::Account, id),
            Some(Named::Group { id }) => grant(PrincipalType::Entitlement, id),
            None => {
                grant(PrincipalType::Account, member);
                dangling.push(format!("{member} in {}", entry.dn));
            }
        }
    }
    for uid in entry.all("memberUid").iter().filter(|u| !u.is_empty()) {
        match index.by_uid(uid) {
            Some(id) => grant(PrincipalType::Account, id),
            None => {
                grant(PrincipalType::Account, uid);
                dangling.push(format!("{uid} in {}", entry.dn));
            }
        }
    }
    Some((out, dangling))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_contract::Settings;

    fn directory() -> Directory {
        let pairs = [
            ("url", "ldaps://h"),
            ("base_dn", "dc=x"),
            ("system", "corp"),
        ];
        let settings = Settings(pairs.map(|(k, v)| (k.into(), v.into())).into());
        Directory::from_settings(&settings, false).unwrap()
    }

    #[test]
    fn a_lock_is_never_taken_for_a_closed_account_unless_an_administrator_set_it() {
        for (values, expected) in [
            (&[("createTimestamp", "20260101000000Z")][..], Some(true)),
            (&[], None),
            (&[("pwdAccountLockedTime", LOCKED_BY_ADMIN)], Some(false)),
            (
                &[
                    ("createTimestamp", "20260101000000Z"),
                    ("pwdAccountLockedTime", "20260301000000Z"),
                ],
                None,
            ),
            (&[("nsAccountLock", "TRUE")], Some(false)),
        ] {
            assert_eq!(enabled(&Entry::of("uid=a", values)), expected, "{values:?}");
        }
    }

    #[test]
    fn the_value_of_a_password_is_never_asked_for() {
        let d = directory();
        for names in [
            people_attributes(&d),
            group_attributes(&d),
            member_attributes(&d),
        ] {
            assert!(
                names
                    .iter()
                    .all(|n| !n.eq_ignore_ascii_case("userPassword") && n != "*" && n != "+")
            );
        }
    }

    #[test]
    fn members_resolve_by_dn_and_uid_and_the_rest_dangles() {
        let d = directory();
        let mut index = Index::default();
        use crate::index::Half::{Groups, People};
        index.learn(
            &d,
            People,
            &Entry::of("uid=ann,dc=x", &[("entryUUID", "1"), ("uid", "ann")]),
        );
        index.learn(
            &d,
            People,
            &Entry::of("uid=b,dc=x", &[("entryUUID", "2"), ("uid", "bob")]),
        );
        index.learn(
            &d,
            People,
            &Entry::of("uid=c,dc=x", &[("entryUUID", "3"), ("uid", "bob")]),
        );
        index.learn(&d, Groups, &Entry::of("cn=g,dc=x", &[("entryUUID", "9")]));
        let entry = Entry::of(
            "cn=all,dc=x",
            &[
                ("entryUUID", "10"),
                ("member", "UID=Ann, DC=X"),
                ("member", ""),
                ("member", "cn=g,dc=x"),
                ("uniqueMember", "uid=ann,dc=x#'01'B"),
                ("member", "uid=gone,dc=x"),
                ("memberUid", "ann"),
                ("memberUid", "bob"),
            ],
        );
        let (grants, dangling) = grants(&d, &entry, &index).unwrap();
        let held: Vec<_> = grants
            .iter()
            .map(|g| format!("{}:{}", g.principal.kind, g.principal.id))
            .collect();
        assert_eq!(
            held,
            [
                "account:1",
                "entitlement:9",
                "account:uid=gone,dc=x",
                "account:1",
                "account:1",
                "account:bob"
            ]
        );
        assert_eq!(
            dangling,
            ["uid=gone,dc=x in cn=all,dc=x", "bob in cn=all,dc=x"],
            "a uid of two people names nobody"
        );
    }

    #[test]
    fn expiry_counts_in_days() {
        let at = |days| expires(&Entry::of("uid=a", &[("shadowExpire", days)])).map(When::to_text);
        assert_eq!(at("1").as_deref(), Some("1970-01-02T00:00:00Z"));
        assert_eq!(at("-1"), None);
        assert_eq!(at("99999999999999"), None);
        assert_eq!(at("soon"), None);
    }
}
