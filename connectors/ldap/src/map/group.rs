//! A group's or a role's entry: the entitlement, and who holds it.

use super::{Problem, attributes, text};
use crate::dn;
use crate::entry::Entry;
use crate::index::{Index, Named};
use crate::settings::Directory;
use lastkey_contract::NoteKind;
use lastkey_contract::facts::*;
use std::borrow::Cow;

pub const GROUP: &[&str] = &["cn", "description", "gidNumber", "memberURL"];
pub const ROLE: &[&str] = &["cn", "description", "nsRoleFilter", "nsRoleDN"];
pub const MEMBERS: &[&str] = &[
    "member",
    "uniqueMember",
    "memberUid",
    "gidNumber",
    "memberURL",
];

const DANGLING: &str = "the member is neither a person nor a group that was read";
const DYNAMIC: &str = "the directory computes the members of a dynamic group and does not list them, so nobody's absence from it can be claimed";

/// The entitlement of a group's entry; None without an id.
pub fn entitlement(directory: &Directory, entry: &Entry) -> Option<Entitlement> {
    with_kind(directory, entry, EntitlementKind::Group, GROUP)
}

/// The entitlement of a role's entry.
pub fn role(directory: &Directory, entry: &Entry) -> Option<Entitlement> {
    with_kind(directory, entry, EntitlementKind::Role, ROLE)
}

fn with_kind(
    directory: &Directory,
    entry: &Entry,
    kind: EntitlementKind,
    kept: &[&str],
) -> Option<Entitlement> {
    Some(Entitlement {
        system: directory.system.clone(),
        id: entry.one(&directory.id_attribute)?.into(),
        name: text(entry, "cn"),
        kind: Some(kind),
        privileged: None,
        environment: None,
        attributes: attributes(entry, kept.get(1..).unwrap_or_default()),
    })
}

/// The parent of a group's grants, as `Page::whole` names it.
pub fn group_key(directory: &Directory, id: &str) -> String {
    format!("{}\u{1f}{id}", directory.system)
}

/// About how many grants a group's entry gives.
pub fn member_values(entry: &Entry, index: &Index) -> usize {
    let listed: usize = ["member", "uniqueMember", "memberUid"]
        .iter()
        .map(|name| entry.bytes(name).count())
        .sum();
    let primary: usize = entry
        .all("gidNumber")
        .map(|gid| index.by_gid(gid).len())
        .sum();
    listed + primary
}

/// The grants of a group's entry. A member that names nobody who was read is a grant of an
/// account whose id is the member's text, so that nothing is lost; the first time that the entry
/// is looked at (`skip` is 0) all such members are problems.
pub fn members<'a>(
    directory: &'a Directory,
    entry: &'a Entry,
    index: &'a Index,
    skip: usize,
    problems: &mut Vec<Problem>,
) -> Option<impl Iterator<Item = Fact> + 'a> {
    let group = entry.one(&directory.id_attribute)?;
    if skip == 0 {
        let mut scratch = String::new();
        let lost_dns = listed(entry).filter(|m| index.by_dn(m, &mut scratch).is_none());
        let lost_uids = uids(entry).filter(|u| index.by_uid(u).is_none());
        problems.extend(lost_dns.chain(lost_uids).map(|member| Problem {
            kind: NoteKind::Dangling,
            reason: DANGLING,
            example: format!("{member} in {}", entry.dn),
        }));
        if entry.has("memberURL") {
            problems.push(Problem {
                kind: NoteKind::Clipped,
                reason: DYNAMIC,
                example: entry.dn.clone(),
            });
        }
    }
    let mut scratch = String::new();
    let by_dn = listed(entry).map(move |member| match index.by_dn(member, &mut scratch) {
        Some(Named::Account { id, .. }) => (PrincipalType::Account, Cow::from(&**id)),
        Some(Named::Group { id }) => (PrincipalType::Entitlement, Cow::from(&**id)),
        None => (PrincipalType::Account, Cow::from(member)),
    });
    let by_uid = uids(entry).map(|uid| {
        let id = index.by_uid(uid).unwrap_or(uid);
        (PrincipalType::Account, Cow::from(id))
    });
    let listed = by_dn
        .chain(by_uid)
        .map(move |(kind, id)| grant(directory, group, kind, &id, Attributes::new()));
    let primary = entry.all("gidNumber").flat_map(|gid| index.by_gid(gid));
    let primary = primary.map(move |id| {
        let via = Attributes::from([("via".to_owned(), "primary group".to_owned())]);
        grant(directory, group, PrincipalType::Account, id, via)
    });
    Some(listed.chain(primary))
}

/// The grants of the roles that the directory says a person has.
pub fn role_members<'a>(
    directory: &'a Directory,
    entry: &'a Entry,
    index: &'a Index,
) -> Option<impl Iterator<Item = Fact> + 'a> {
    let person = entry.one(&directory.id_attribute)?;
    let mut scratch = String::new();
    Some(entry.all("nsRole").map(move |role| {
        let id = match index.by_dn(role, &mut scratch) {
            Some(Named::Group { id }) => Cow::from(&**id),
            // a role outside the base
            Some(Named::Account { .. }) | None => Cow::from(role),
        };
        let account = PrincipalType::Account;
        grant(directory, &id, account, person, Attributes::new())
    }))
}

/// Members by DN. groupOfNames wants at least one: the empty DN stands for none.
fn listed(entry: &Entry) -> impl Iterator<Item = &str> {
    entry
        .all("member")
        .chain(entry.all("uniqueMember").map(dn::without_uid))
        .filter(|m| !m.is_empty())
}

fn uids(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.all("memberUid").filter(|u| !u.is_empty())
}

fn grant(
    directory: &Directory,
    entitlement: &str,
    kind: PrincipalType,
    id: &str,
    attributes: Attributes,
) -> Fact {
    Fact::Grant(Grant {
        assignment: Some(Assignment::Active),
        attributes,
        ..Grant::of(
            Principal::of(directory.system.clone(), kind, id),
            entitlement,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::directory;
    use super::*;
    use crate::index::Half::{Groups, People};

    #[test]
    fn members_resolve_by_dn_uid_and_primary_group_and_the_rest_dangles() {
        let d = directory();
        let mut index = Index::default();
        let mut learn = |half, dn, values: &[(&str, &str)]| {
            index.learn(&d, half, &Entry::of(dn, values));
        };
        learn(
            People,
            "uid=ann,dc=x",
            &[("entryUUID", "1"), ("uid", "ann")],
        );
        let bob = ("uid", "bob");
        learn(People, "uid=b,dc=x", &[("entryUUID", "2"), bob]);
        learn(
            People,
            "uid=c,dc=x",
            &[("entryUUID", "3"), bob, ("gidNumber", "500")],
        );
        learn(Groups, "cn=g,dc=x", &[("entryUUID", "9")]);
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
                ("gidNumber", "500"),
                ("memberURL", "ldap:///dc=x??sub?(title=boss)"),
            ],
        );
        let mut problems = Vec::new();
        let held: Vec<String> = members(&d, &entry, &index, 0, &mut problems)
            .unwrap()
            .map(|fact| match fact {
                Fact::Grant(g) => format!("{}:{}", g.principal.kind, g.principal.id),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            held,
            [
                "account:1",
                "entitlement:9",
                "account:uid=gone,dc=x",
                "account:1",
                "account:1",
                "account:bob",
                "account:3"
            ]
        );
        let open: Vec<_> = problems.iter().map(|p| (p.kind, &*p.example)).collect();
        assert_eq!(
            open,
            [
                (NoteKind::Dangling, "uid=gone,dc=x in cn=all,dc=x"),
                (NoteKind::Dangling, "bob in cn=all,dc=x"),
                (NoteKind::Clipped, "cn=all,dc=x"),
            ],
            "a uid of two people names nobody; a dynamic group is never complete"
        );
    }
}
