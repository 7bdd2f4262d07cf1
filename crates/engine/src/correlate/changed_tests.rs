//! Whose an account is after its own values changed in its system.

use super::tests::{account, called, ground, identity};
use super::*;
use proptest::prelude::*;

const DAY: &str = "2026-05-01T10:00:00Z";

fn people() -> Vec<IdentityKeys> {
    vec![
        identity(1, "u1", "ann@x.org"),
        identity(1, "u2", "bob@x.org"),
        identity(1, "u3", "cyd@x.org"),
    ]
}

fn known(people: &[IdentityKeys], before: &[AccountKeys]) -> Identities {
    let mut gathering = Gathering::new(ground());
    for person in people {
        gathering.add(person);
    }
    let mut known = gathering.done(Persons::default());
    for keys in before {
        known.remember(keys, Some(DAY.to_owned()));
    }
    known
}

/// Whose it is: by which rule, and everybody who is named.
fn told(known: &Identities, account: &AccountKeys) -> String {
    let id = |n: &u32| known.id(*n).to_owned();
    let ids = |all: &Several| {
        let (listed, _) = known.everybody(all);
        listed.iter().map(id).collect::<Vec<_>>().join(" or ")
    };
    let (whose, rule, doubt) = match known.owner_of(account) {
        Match::One { identity, rule } => (id(&identity), rule, None),
        Match::Ambiguous { candidates, rule } => (ids(&candidates), rule, None),
        Match::Possible {
            candidates,
            rule,
            doubt,
        } => (ids(&candidates), rule, Some(doubt)),
        Match::HandedOn {
            identity,
            before,
            rule,
            doubt,
        } => {
            let before = known.told_before(identity, &before);
            let before = before.map(|(_, id)| id.to_owned());
            let all: Vec<String> = std::iter::once(id(&identity)).chain(before).collect();
            (all.join(" or "), rule, Some(doubt))
        }
        Match::Gone { id, rule, .. } => (format!("gone {id}"), rule, None),
        Match::Nobodys | Match::None => return "nobody".to_owned(),
    };
    let doubt = doubt.map_or(String::new(), |doubt| format!(": {}", doubt.word()));
    format!("{whose} by {}{doubt}", known.rule_name(rule))
}

/// The versions of one account, each with its identity id and mail; the last is that of now.
fn check(versions: &[(&str, &str)], expected: &str) {
    let versions: Vec<AccountKeys> = versions
        .iter()
        .map(|(identity_id, mail)| account("x", identity_id, mail))
        .collect();
    let (now, before) = versions.split_last().unwrap();
    assert_eq!(told(&known(&people(), before), now), expected);
}

#[test]
fn an_account_whose_own_mail_is_cleared_or_changed_stays_whose_it_was() {
    let (ann, bob, cyd) = (("", "ann@x.org"), ("", "bob@x.org"), ("", "cyd@x.org"));
    let (none, unknown) = (("", ""), ("", "new@x.org"));
    check(&[ann], "u1 by mail");
    check(&[ann, none], "u1 by mail (earlier value)");
    check(&[ann, unknown], "u1 by mail (earlier value)");
    check(&[ann, none, unknown], "u1 by mail (earlier value)");
    check(&[ann, none, ann], "u1 by mail");
    check(&[none, ann], "u1 by mail");
    check(&[ann, bob], "u2 or u1 by mail: changed");
    check(
        &[ann, bob, none],
        "u2 or u1 by mail (earlier value): changed",
    );
    check(&[ann, bob, cyd], "u3 or u2 or u1 by mail: changed");
    check(&[ann, bob, ann], "u1 or u2 by mail: changed");
}

#[test]
fn what_the_system_itself_says_needs_no_earlier_value() {
    check(&[("", "ann@x.org"), ("u2", "")], "u2 by identity id");
    check(&[("u1", ""), ("u2", "")], "u2 by identity id");
    check(&[("u1", ""), ("", "")], "u1 by identity id (earlier value)");
    check(
        &[("u1", ""), ("", "bob@x.org")],
        "u2 or u1 by mail: changed",
    );
    let known = known(&people(), &[account("x", "u1", "")]);
    let Match::One { rule, .. } = known.owner_of(&account("x", "", "")) else {
        panic!("nobody is found");
    };
    assert_eq!(
        known.basis(9, rule),
        crate::lifecycle::Basis::Assumed,
        "no system says so now"
    );
}

#[test]
fn an_account_made_later_under_the_same_id_is_another_one() {
    let known = known(&people(), &[account("x", "", "ann@x.org")]);
    let made = |day: &str| told(&known, &called(account("x", "", ""), "x", day));
    assert_eq!(made("2026-04-30"), "u1 by mail (earlier value)");
    assert_eq!(made("2026-05-02"), "nobody");
    let other = AccountKeys {
        system: "other".to_owned(),
        ..account("x", "", "")
    };
    assert_eq!(told(&known, &other), "nobody", "of another system");
}

/// Everybody, after somebody decided whose `x` is, which was seen so.
fn after_deciding(to: Option<&str>, account_seen: AccountSeen) -> Identities {
    let decision = AccountDecision {
        number: 1,
        to: to.map(|id| (1, id.to_owned())),
        account_seen,
        identity_seen: Seen::default(),
    };
    let ground = Ground {
        decisions: [(("ad".to_owned(), "x".to_owned()), decision)].into(),
        ..ground()
    };
    let mut gathering = Gathering::new(ground);
    for person in &people() {
        gathering.add(person);
    }
    gathering.done(Persons::default())
}

#[test]
fn a_decision_stands_whatever_an_account_had_before() {
    let mut known = after_deciding(None, AccountSeen::default());
    known.remember(&account("x", "", "ann@x.org"), None);
    assert_eq!(known.owner_of(&account("x", "", "")), Match::Nobodys);
}

/// Whose `now` is after somebody decided for `to` when it was `then`.
fn decided(to: Option<&str>, then: (&str, &str), now: (&str, &str), expected: &str) {
    let known = after_deciding(to, AccountSeen::of(&account("x", then.0, then.1)));
    let found = known.owner_of(&account("x", now.0, now.1));
    let found = match found {
        Match::Nobodys => "nobody's".to_owned(),
        _ => told(&known, &account("x", now.0, now.1)),
    };
    assert_eq!(found, expected, "{to:?} {then:?} {now:?}");
}

#[test]
fn a_decision_is_in_doubt_once_the_account_says_that_it_is_somebody_elses() {
    let (none, ann, bob) = (("", ""), ("", "ann@x.org"), ("", "bob@x.org"));
    decided(None, none, none, "nobody's");
    decided(None, none, ("u2", "bob@x.org"), "u2 by decision: decided");
    decided(
        Some("u1"),
        none,
        ("u2", ""),
        "u1 or u2 by decision: decided",
    );
    decided(Some("u1"), ann, bob, "u1 or u2 by decision: decided");
    // Somebody knew what it said, and decided otherwise.
    decided(Some("u1"), bob, bob, "u1 by decision");
    decided(Some("u1"), bob, none, "u1 by decision");
    decided(Some("u1"), bob, ann, "u1 by decision");
    decided(Some("u1"), none, ("", "new@x.org"), "u1 by decision");
}

proptest! {
    /// Nobody stops being named because of what was written into the account, unless the system
    /// itself says since whose it is.
    #[test]
    fn whoever_an_account_led_to_stays_named(
        versions in prop::collection::vec(("|u[12]", "|(ann|bob|cyd|new)@x[.]org", "|ann|bob|x"), 1..6),
    ) {
        let versions: Vec<AccountKeys> = versions
            .iter()
            .map(|(id, mail, name)| AccountKeys {
                name: (!name.is_empty()).then(|| name.clone()),
                ..account("x", id, mail)
            })
            .collect();
        let (now, before) = versions.split_last().unwrap();
        let alone = known(&people(), &[]);
        let mut named: Vec<String> = Vec::new();
        for keys in &versions {
            if let Match::One { identity, rule } = alone.owner_of(keys) {
                if alone.rule_name(rule) == IDENTITY_ID {
                    named.clear();
                }
                named.push(alone.id(identity).to_owned());
            }
        }
        let known = known(&people(), before);
        let told = told(&known, now);
        for person in named {
            prop_assert!(told.contains(&person), "{person} of {versions:?}: {told}");
        }
    }
}
