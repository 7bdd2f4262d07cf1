use super::*;

fn identity(source: i64, id: &str, email: &str) -> IdentityKeys {
    IdentityKeys {
        source,
        source_name: format!("s{source}"),
        id: id.to_owned(),
        email: (!email.is_empty()).then(|| email.to_owned()),
    }
}

fn account(id: &str, identity_id: &str, email: &str) -> AccountKeys {
    let known = |t: &str| (!t.is_empty()).then(|| t.to_owned());
    AccountKeys {
        source: 9,
        id: id.to_owned(),
        name: None,
        identity_id: known(identity_id),
        email: known(email),
    }
}

fn check(identities: &[IdentityKeys], account: AccountKeys, expected: &str) {
    let found = match correlate(identities, &[account]).remove(0) {
        Match::One { identity, rule } => format!("{identity} by {}", rule.word()),
        Match::Ambiguous { candidates, rule } => format!("{candidates:?} by {}", rule.word()),
        Match::None => "nobody".to_owned(),
    };
    assert_eq!(found, expected);
}

#[test]
fn the_identity_id_goes_before_mail_and_mail_before_login() {
    let all = [
        identity(1, "u1", "ann@x.org"),
        identity(1, "u2", "bob@x.org"),
        identity(1, "u3", "cyd@x.org"),
    ];
    check(&all, account("u3", "u1", "bob@x.org"), "0 by identity id");
    check(&all, account("u3", "", "BOB@X.org"), "1 by mail");
    check(&all, account("U3", "", ""), "2 by login");
    check(&all, account("cyd", "", "other@x.org"), "2 by login");
    check(&all, account("nobody", "", ""), "nobody");
}

#[test]
fn ids_compare_exactly_and_mail_by_compatibility_and_case() {
    let all = [identity(1, "007", "José@x.org")];
    check(&all, account("a", "7", ""), "nobody");
    check(&all, account("a", "", "JOSE\u{301}@X.ORG"), "0 by mail");
    check(&all, account("ＪＯＳÉ", "", ""), "0 by login");
}

#[test]
fn an_id_of_two_sources_is_its_own_sources_or_ambiguous() {
    let mut all = vec![identity(1, "u1", ""), identity(2, "u1", "")];
    check(&all, account("a", "u1", ""), "[0, 1] by identity id");
    check(&all, account("a", "s2:u1", ""), "1 by identity id");
    all.push(identity(9, "u1", ""));
    check(&all, account("a", "u1", ""), "2 by identity id");
}

#[test]
fn two_with_one_mail_are_ambiguous_and_login_does_not_decide() {
    let all = [
        identity(1, "u1", "team@x.org"),
        identity(1, "u2", "team@x.org"),
    ];
    check(&all, account("u1", "", "team@x.org"), "[0, 1] by mail");
}
