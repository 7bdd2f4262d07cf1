//! What only 389 DS has: roles, and an answer about rights.

use crate::harness::*;
use lastkey_contract::{Fact, Kind};
use std::collections::BTreeSet;

#[test]
fn managed_filtered_and_nested_roles_are_entitlements_with_their_holders() {
    let make = Make::Ds389;
    let mut ldif = String::new();
    for (cn, n, more) in [
        ("managed", 201, "objectClass: nsSimpleRoleDefinition\nobjectClass: nsManagedRoleDefinition\n".to_owned()),
        ("filtered", 202, "objectClass: nsComplexRoleDefinition\nobjectClass: nsFilteredRoleDefinition\nnsRoleFilter: (title=boss)\n".to_owned()),
        ("nested", 203, format!("objectClass: nsComplexRoleDefinition\nobjectClass: nsNestedRoleDefinition\nnsRoleDN: cn=managed,{PEOPLE}\n")),
    ] {
        ldif += &format!(
            "dn: cn={cn},{PEOPLE}\nobjectClass: top\nobjectClass: LDAPsubentry\nobjectClass: nsRoleDefinition\n{more}cn: {cn}\n{}\n",
            make.id_line(n)
        );
    }
    ldif += &person(
        make,
        "uid=ann",
        "ann",
        1,
        &format!("nsRoleDN: cn=managed,{PEOPLE}\n"),
    );
    ldif += &person(make, "uid=bob", "bob", 2, "title: boss\n");
    let lab = Lab::start(make, &ldif);
    // 389 DS switches this off by itself when the first role is added while it runs
    lab.modify("dn: cn=config\nchangetype: modify\nreplace: nsslapd-ignore-virtual-attrs\nnsslapd-ignore-virtual-attrs: off\n");
    let c = lab.reader(&[]);
    let roles: BTreeSet<String> = facts(&read(c.as_ref(), Kind::Entitlement))
        .iter()
        .map(Fact::key)
        .collect();
    let expected: BTreeSet<String> = (201..=203)
        .map(|n| format!("corp\u{1f}{}", make.id(n)))
        .collect();
    assert_eq!(
        roles, expected,
        "roles are hidden from searches that do not ask"
    );
    let held: BTreeSet<(String, String)> = facts(&read(c.as_ref(), Kind::Grant))
        .into_iter()
        .map(|f| match f {
            Fact::Grant(g) => (g.principal.id, g.entitlement_id.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [(1, 201), (1, 203), (2, 202)].map(|(who, role)| (make.id(who), make.id(role)));
    assert_eq!(held, BTreeSet::from(expected));
}

#[test]
fn changes_are_declared_not_told_and_are_not() {
    let lab = Lab::start(Make::Ds389, &person(Make::Ds389, "uid=ann", "ann", 1, ""));
    let c = lab.reader(&[]);
    let told = run(async { c.connect().await.unwrap().capabilities() }).unwrap();
    assert!(told.iter().all(|k| !k.incremental && !k.deletions_visible));
    assert_eq!(
        c.capabilities(),
        told,
        "once connected, the connector knows too"
    );
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ] {
        let pages = read(c.as_ref(), kind);
        assert!(pages.iter().all(|p| p.watermark.is_none()), "{kind}");
        let error = try_read(c.as_ref(), (kind, 100), Some("rfc4533 x y")).unwrap_err();
        assert_eq!(
            error.kind,
            lastkey_contract::ErrorKind::CursorLost,
            "{kind}"
        );
    }
}
