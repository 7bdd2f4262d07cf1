//! Whose accounts are of those who left, were renamed, or whose id was given on.

use super::tests::{account, called, found, found_among, ground, identity, named, ruled};
use super::*;
use crate::lifecycle::Basis;
use std::sync::Arc;

fn gone_ones(records: &[IdentityKeys]) -> Arc<[Past]> {
    let gone = records.iter().cloned();
    gone.map(|keys| {
        Past::new(
            keys,
            Standing::Gone,
            Some("2024-05-01T10:00:00Z".to_owned()),
        )
    })
    .collect()
}

fn left_behind(records: &[IdentityKeys]) -> Ground {
    let mut ground = Ground {
        past: gone_ones(records),
        ..ground()
    };
    for record in records {
        let sources = ground.gone.entry(record.id.clone()).or_default();
        sources.push(record.source);
    }
    ground
}

#[test]
fn whoever_left_keeps_what_their_mail_or_login_led_to() {
    let ann = named(
        identity(1, "u1", "a.smith@x.org"),
        "Ann Smith",
        "2010-01-01",
    );
    let left = || left_behind(std::slice::from_ref(&ann));
    let by_mail = account("x", "", "A.Smith@x.org");
    assert_eq!(found(left(), &[], &by_mail), "gone s1:u1 by mail");
    let by_login = account("a.smith", "", "");
    assert_eq!(found(left(), &[], &by_login), "gone s1:u1 by login");
    assert_eq!(found(left(), &[], &account("bob", "", "")), "nobody");

    let again = named(
        identity(1, "u9", "a.smith@x.org"),
        "Ann Smith",
        "2020-01-01",
    );
    let twice = left_behind(&[again.clone(), ann.clone()]);
    assert_eq!(found(twice, &[], &by_mail), "gone s1:u9 by mail");

    let elsewhere = [identity(2, "v1", "")];
    let one = Persons::new([(1, "u1".to_owned(), 1, 0), (2, "v1".to_owned(), 1, 1)]);
    assert_eq!(
        found_among(one, left(), &elsewhere, &by_mail),
        "0 by mail",
        "the person is listed elsewhere"
    );
}

#[test]
fn a_mail_given_on_after_a_leaver_is_in_doubt_until_something_tells() {
    let ann = named(
        identity(1, "u1", "a.smith@x.org"),
        "Ann Smith",
        "2010-01-01",
    );
    let al = named(identity(1, "u2", "a.smith@x.org"), "Al Smith", "2024-05-01");
    let check = |account: &AccountKeys, expected: &str| {
        let left = left_behind(std::slice::from_ref(&ann));
        assert_eq!(found(left, std::slice::from_ref(&al), account), expected);
    };
    let bare = account("x", "", "a.smith@x.org");
    check(&bare, "0 or s1:u1 by mail");
    check(
        &called(bare.clone(), "a smith", "2011-03-04"),
        "0 or s1:u1 by mail",
    );
    check(
        &called(bare.clone(), "Ann Smith", "2011-03-04"),
        "0 or s1:u1 by mail",
    );
    check(&called(bare.clone(), "AL SMITH", "2011-03-04"), "0 by mail");
    check(&called(bare.clone(), "a smith", "2024-05-02"), "0 by mail");

    // Whoever inherits the mail may have been there before.
    let bob = named(identity(1, "u4", "a.smith@x.org"), "Bob Birk", "2005-01-01");
    let inherited = |name: &str, since: &str| {
        let left = left_behind(std::slice::from_ref(&ann));
        let account = called(bare.clone(), name, since);
        found(left, std::slice::from_ref(&bob), &account)
    };
    assert_eq!(inherited("Ann Smith", "2010-01-02"), "0 or s1:u1 by mail");
    assert_eq!(inherited("a smith", "2024-04-30"), "0 or s1:u1 by mail");
    assert_eq!(inherited("a smith", "2024-05-02"), "0 by mail");

    // Two with one name: only the dates tell.
    let other = named(
        identity(1, "u3", "a.smith@x.org"),
        "Ann Smith",
        "2024-05-01",
    );
    let same_name = |since: &str| {
        let left = left_behind(std::slice::from_ref(&ann));
        let account = called(bare.clone(), "Ann Smith", since);
        found(left, std::slice::from_ref(&other), &account)
    };
    assert_eq!(same_name("2011-03-04"), "0 or s1:u1 by mail");
    assert_eq!(same_name("2024-06-01"), "0 by mail");

    // Who is one person has given nothing on.
    let one = Persons::new([(1, "u1".to_owned(), 1, 0), (1, "u2".to_owned(), 1, 1)]);
    let left = left_behind(std::slice::from_ref(&ann));
    assert_eq!(
        found_among(one, left, std::slice::from_ref(&al), &bare),
        "0 by mail"
    );
}

#[test]
fn a_rule_that_is_not_about_a_leaver_asks_nothing_of_them() {
    let ann = named(
        identity(1, "u1", "a.smith@x.org"),
        "Ann Smith",
        "2010-01-01",
    );
    let check = |more: &str, expected: &str| {
        let text =
            format!("[[rule]]\nname = \"mail\"\naccount = \"email\"\nidentity = \"email\"\n{more}");
        let left = Ground {
            past: gone_ones(std::slice::from_ref(&ann)),
            ..ruled(&text)
        };
        let account = called(account("x", "", "a.smith@x.org"), "Al", "2011");
        assert_eq!(found(left, &[], &account), expected, "{more}");
    };
    check("", "gone s1:u1 by mail");
    check("sources = [\"s1\"]", "gone s1:u1 by mail");
    check("sources = [\"s2\"]", "nobody");
    check("kinds = \"workload\"", "nobody");
    check("confidence = \"possible\"", "nobody");
    check(
        "agree = [{ account = \"name\", identity = \"display_name\" }]",
        "nobody",
    );
}

#[test]
fn a_link_is_known_as_its_rule_is() {
    let text = "[[rule]]\nname = \"a\"\naccount = \"email\"\nidentity = \"email\"\n\
                [[rule]]\nname = \"b\"\nconfidence = \"certain\"\naccount = \"name\"\nidentity = \"id\"";
    let known = Gathering::new(ruled(text)).done(Persons::default());
    let basis = |source: i64, name: &str| {
        let numbers = 0u16..9;
        let rule = numbers.into_iter().find(|n| known.rule_name(*n) == name);
        known.basis(source, rule.unwrap())
    };
    assert_eq!(basis(9, "a"), Basis::Assumed);
    assert_eq!(basis(9, "b"), Basis::Attested);
    assert_eq!(basis(9, DECISION), Basis::Attested);
    assert_eq!(basis(1, IDENTITY_ID), Basis::Observed);
    assert_eq!(basis(1, "mail"), Basis::Assumed);
}

fn had(keys: &IdentityKeys, standing: Standing) -> Ground {
    Ground {
        past: [Past::new(
            keys.clone(),
            standing,
            Some("2026-11-01T10:00:00Z".to_owned()),
        )]
        .into(),
        ..ground()
    }
}

#[test]
fn who_is_renamed_keeps_what_their_old_mail_led_to() {
    let old = named(identity(1, "u7", "c.voss@x.org"), "Carl Voss", "2010-01-01");
    let new = named(
        identity(1, "u7", "c.adler@x.org"),
        "Carl Adler",
        "2010-01-01",
    );
    let by_mail = called(account("cv", "", "c.voss@x.org"), "cv", "2016-01-01");
    let before = || had(&old, Standing::Before);
    assert_eq!(
        found(before(), std::slice::from_ref(&new), &by_mail),
        "0 by mail"
    );
    let newcomer = named(identity(1, "u9", "c.voss@x.org"), "Cyd Voss", "2026-11-01");
    let both = [new, newcomer];
    assert_eq!(found(before(), &both, &by_mail), "1 or s1:u7 by mail");
    let newer = called(account("cv2", "", "c.voss@x.org"), "cv", "2026-11-02");
    assert_eq!(found(before(), &both, &newer), "1 by mail");
}

#[test]
fn what_the_earlier_holder_of_an_id_had_is_not_the_newcomers() {
    let voss = named(identity(1, "u7", "c.voss@x.org"), "Carl Voss", "2010-01-01");
    let nora = named(identity(1, "u7", "nora@x.org"), "Nora Klein", "2026-10-01");
    let by_mail = account("cv", "", "c.voss@x.org");
    let before = || had(&voss, Standing::Another);
    assert_eq!(
        found(before(), std::slice::from_ref(&nora), &by_mail),
        "perhaps [0] by mail: reused"
    );
    let newcomer = named(identity(1, "u10", "c.voss@x.org"), "Cyd Voss", "2026-11-01");
    assert_eq!(
        found(before(), &[nora, newcomer], &by_mail),
        "1 or s1:u7 by mail"
    );
}

#[test]
fn everybody_who_had_a_value_before_is_named_not_only_the_last() {
    let ann = named(identity(1, "u1", "m@x.org"), "Ann", "2010-01-01");
    let bob = named(identity(1, "u2", "m@x.org"), "Bob", "2012-01-01");
    let cyd = named(identity(1, "u3", "m@x.org"), "Cyd", "2014-01-01");
    let account = account("x", "", "m@x.org");
    let had = |records: &[&IdentityKeys]| Ground {
        past: records
            .iter()
            .map(|keys| Past::new((*keys).clone(), Standing::Before, None))
            .collect(),
        ..ground()
    };
    let now = [
        identity(1, "u1", "ann@x.org"),
        identity(1, "u2", "bob@x.org"),
        cyd.clone(),
    ];
    assert_eq!(
        found(had(&[&ann, &bob]), &now, &account),
        "2 or s1:u2 or s1:u1 by mail"
    );
    // Two have it now: that is no reason to forget who had it.
    let now = [identity(1, "u1", "ann@x.org"), bob.clone(), cyd.clone()];
    assert_eq!(found(had(&[&ann]), &now, &account), "[0, 1, 2] by mail");
    let later = called(account, "x", "2099-01-01");
    let until = Ground {
        past: [Past::new(
            ann.clone(),
            Standing::Before,
            Some("2024-05-01T10:00:00Z".to_owned()),
        )]
        .into_iter()
        .collect(),
        ..ground()
    };
    assert_eq!(found(until, &now, &later), "[1, 2] by mail");
}
