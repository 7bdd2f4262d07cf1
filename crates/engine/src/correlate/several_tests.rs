//! Thousands of accounts and thousands of people with one value.

use super::several::FEW;
use super::tests::{account, called, ground, identity, named};
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};

const PLACEHOLDER: &str = "noreply@x.org";

fn known(ground: Ground, persons: Persons, people: &[IdentityKeys]) -> Identities {
    let mut gathering = Gathering::new(ground);
    for person in people {
        gathering.add(person);
    }
    gathering.done(persons)
}

fn past(keys: &IdentityKeys, standing: Standing, until: &str) -> Past {
    Past::new(keys.clone(), standing, Some(until.to_owned()))
}

/// The people whom an account may belong to, and those of them who are found once for many.
fn parts(found: &Match) -> &[Part] {
    match found {
        Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
            candidates.parts()
        }
        Match::HandedOn { before, .. } => before.parts(),
        Match::One { .. } | Match::Gone { .. } | Match::Nobodys | Match::None => &[],
    }
}

/// How many people are kept for what was found of some accounts, each list once.
fn kept(found: &[Match]) -> usize {
    let mut places = HashSet::new();
    let all = found.iter().flat_map(parts);
    all.filter(|part| places.insert(part.place()))
        .map(Part::count)
        .sum()
}

const COUNT: usize = 300;

fn holders(mail: impl Fn(usize) -> String) -> Vec<IdentityKeys> {
    let one = |n: usize| identity(1, &format!("u{n:03}"), &mail(n));
    (0..COUNT).map(one).collect()
}

fn accounts(mail: impl Fn(usize) -> String) -> Vec<AccountKeys> {
    let day = |n: usize| format!("2020-{:02}-01", 1 + n % 12);
    let one = |n: usize| account(&format!("a{n}"), "", &mail(n));
    (0..COUNT)
        .map(|n| called(one(n), &format!("n{n}"), &day(n)))
        .collect()
}

fn placeholder(_: usize) -> String {
    PLACEHOLDER.to_owned()
}

fn own(n: usize) -> String {
    format!("u{n:03}@x.org")
}

#[test]
fn whom_thousands_of_accounts_lead_to_stands_once() {
    let known = known(ground(), Persons::default(), &holders(placeholder));
    let all = accounts(placeholder);
    let found: Vec<Match> = all.iter().map(|keys| known.owner_of(keys)).collect();
    assert!(
        found
            .iter()
            .all(|one| matches!(one, Match::Ambiguous { .. }))
    );
    assert_eq!(kept(&found), COUNT);
}

#[test]
fn those_who_had_a_value_before_stand_once_for_each_moment_at_which_they_lost_it() {
    let until = |n: usize| format!("2020-{:02}-15", 1 + n % 3);
    let had = |holders: &[IdentityKeys]| {
        let had = holders.iter().enumerate();
        had.map(|(n, keys)| past(keys, Standing::Before, &until(n)))
            .collect()
    };
    let then = holders(placeholder);
    for (has_it_now, few) in [(1, 4), (2, 4)] {
        let now = holders(|n| match n < has_it_now {
            true => placeholder(n),
            false => own(n),
        });
        let past = had(&then[has_it_now..]);
        let known = known(Ground { past, ..ground() }, Persons::default(), &now);
        let all = accounts(placeholder);
        let found: Vec<Match> = all.iter().map(|keys| known.owner_of(keys)).collect();
        assert!(
            kept(&found) <= few * COUNT,
            "{has_it_now}: {}",
            kept(&found)
        );
        assert!(kept(&found) > COUNT / 3, "{has_it_now}: {}", kept(&found));
    }
}

#[test]
fn accounts_that_lost_a_placeholder_share_whom_it_led_to() {
    let mut people = holders(placeholder);
    people.extend((0..COUNT).map(|n| identity(2, &format!("v{n:03}"), &own(n))));
    let mut known = known(ground(), Persons::default(), &people);
    for keys in accounts(placeholder) {
        known.remember(&keys, Some("2026-01-01".to_owned()));
    }
    let found: Vec<Match> = accounts(own)
        .iter()
        .map(|keys| known.owner_of(keys))
        .collect();
    assert!(
        found
            .iter()
            .all(|one| matches!(one, Match::HandedOn { .. }))
    );
    assert_eq!(kept(&found), COUNT);
    for (n, found) in (0..).zip(&found) {
        let Match::HandedOn {
            identity, before, ..
        } = found
        else {
            continue;
        };
        assert_eq!(known.id(*identity), format!("v{n:03}"));
        assert_eq!(known.told_before(*identity, before).count(), COUNT);
    }
    // And the other way about.
    let mut back = self::known(ground(), Persons::default(), &people);
    for keys in accounts(own) {
        back.remember(&keys, Some("2026-01-01".to_owned()));
    }
    let found: Vec<Match> = accounts(placeholder)
        .iter()
        .map(|keys| back.owner_of(keys))
        .collect();
    assert_eq!(kept(&found), COUNT + COUNT, "and one of its own for each");
}

#[test]
fn what_rests_on_a_value_is_said_once() {
    let then = holders(placeholder);
    let gone = then
        .iter()
        .map(|keys| past(keys, Standing::Gone, "2020-01-01"));
    let ground = Ground {
        past: gone.collect(),
        ..ground()
    };
    let known = known(ground, Persons::default(), &[]);
    let mut told = HashSet::new();
    let all = accounts(placeholder);
    let said = all.iter().map(|keys| known.rests_on(keys, &mut told).len());
    assert!(said.sum::<usize>() <= COUNT + all.len());
}

/// What was found, with everybody once, in an order of its own.
fn told(known: &Identities, account: &AccountKeys) -> String {
    let name = |n: u32| format!("{}:{}", known.source(n), known.id(known.lead(n)));
    let people = |several: &Several| {
        let (listed, gone) = known.everybody(several);
        let listed: BTreeSet<String> = listed.into_iter().map(name).collect();
        let gone: BTreeSet<_> = gone.into_iter().collect();
        format!("{listed:?} {gone:?}")
    };
    match known.owner_of(account) {
        Match::Ambiguous { candidates, rule } => format!("{} {rule}", people(&candidates)),
        Match::Possible {
            candidates,
            rule,
            doubt,
        } => {
            format!("{} {rule} {doubt:?}", people(&candidates))
        }
        Match::HandedOn {
            identity,
            before,
            rule,
            doubt,
        } => {
            let named = known.told_before(identity, &before).count() > 0;
            let all = people(&known.either(identity, before));
            format!("{} {all} {rule} {doubt:?} {named}", name(identity))
        }
        other @ (Match::One { .. } | Match::Gone { .. } | Match::Nobodys | Match::None) => {
            format!("{other:?}")
        }
    }
}

fn mail() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a@x"),
        Just("b@x"),
        Just("u3@x"),
        Just("u5@x"),
        Just("")
    ]
}

fn day() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("2020"), Just("2021"), Just("2022"), Just("2023")]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("Ann"), Just("Bob"), Just("Cyd")]
}

proptest! {
    /// Whether it is found once for all of them, or for each account anew: the same.
    #[test]
    fn what_is_found_once_for_many_is_what_each_leads_to(
        people in prop::collection::vec((1i64..3, mail(), name(), day()), 1..24),
        had in prop::collection::vec((0usize..32, mail(), name(), day(), day(), 0u8..3), 0..24),
        joined in prop::collection::vec((0usize..24, 0u32..4), 0..6),
        decided in prop::option::of((0usize..26, mail())),
        versions in prop::collection::vec(prop::collection::vec((mail(), name(), day()), 1..4), 1..6),
    ) {
        let person = |n: usize, (source, mail, name, day): (i64, &str, &str, &str)| {
            named(identity(source, &format!("u{n}"), mail), name, day)
        };
        let all: Vec<IdentityKeys> =
            people.iter().enumerate().map(|(n, one)| person(n, *one)).collect();
        let had = had.iter().map(|(n, mail, name, since, until, how)| {
            let source = all.get(*n).map_or(1, |one| one.source);
            let standing = match (all.get(*n), how) {
                (None, _) => Standing::Gone,
                (Some(_), 0) => Standing::Another,
                (Some(_), _) => Standing::Before,
            };
            past(&person(*n, (source, mail, name, since)), standing, until)
        });
        let mut ground = Ground { past: had.collect(), ..ground() };
        for gone in ground.past.iter().filter(|past| past.standing == Standing::Gone) {
            ground.gone.insert(gone.keys.id.clone(), vec![gone.keys.source]);
        }
        let a = |n: usize, (mail, name, since): (&str, &str, &str)| {
            called(account(&format!("a{n}"), "", mail), name, since)
        };
        if let Some((to, mail)) = decided {
            let source = all.get(to).map_or(1, |one| one.source);
            let decision = AccountDecision {
                number: 1,
                to: Some((source, format!("u{to}"))),
                account_seen: AccountSeen::of(&a(0, (mail, "Ann", "2020"))),
                identity_seen: Seen::default(),
            };
            ground.decisions.insert(("ad".to_owned(), "a0".to_owned()), decision);
        }
        let mut joined: Vec<(i64, String, u32)> = joined
            .iter()
            .filter_map(|(n, person)| Some((all.get(*n)?.source, format!("u{n}"), *person)))
            .collect();
        joined.sort();
        joined.dedup_by(|(a, x, _), (b, y, _)| (a, x) == (b, y));
        let persons = Persons::new((0..).zip(joined).map(|(at, (s, id, person))| (s, id, person, at)));
        let answers = |few: usize| -> Vec<String> {
            let mut known = known(ground.clone(), persons.clone(), &all);
            known.few = few;
            for (n, versions) in versions.iter().enumerate() {
                for version in &versions[..versions.len() - 1] {
                    known.remember(&a(n, *version), Some("2022-06".to_owned()));
                }
            }
            let now = versions.iter().enumerate();
            now.map(|(n, versions)| told(&known, &a(n, versions[versions.len() - 1]))).collect()
        };
        let each = answers(usize::MAX);
        for few in [1, 2, FEW] {
            prop_assert_eq!(&answers(few), &each, "{}", few);
        }
    }
}
