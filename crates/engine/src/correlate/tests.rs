use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

pub(super) fn identity(source: i64, id: &str, email: &str) -> IdentityKeys {
    IdentityKeys::named(source, id, (!email.is_empty()).then_some(email))
}

pub(super) fn account(id: &str, identity_id: &str, email: &str) -> AccountKeys {
    let known = |t: &str| (!t.is_empty()).then(|| t.to_owned());
    AccountKeys {
        source: 9,
        system: "ad".to_owned(),
        id: id.to_owned(),
        name: None,
        identity_id: known(identity_id),
        email: known(email),
        created_at: None,
        attributes: Default::default(),
    }
}

pub(super) fn named(keys: impl Into<IdentityKeys>, name: &str, since: &str) -> IdentityKeys {
    IdentityKeys {
        display_name: Some(name.to_owned()),
        start_date: Some(since.into()),
        ..keys.into()
    }
}

pub(super) fn called(account: AccountKeys, name: &str, since: &str) -> AccountKeys {
    AccountKeys {
        name: Some(name.to_owned()),
        created_at: Some(since.into()),
        ..account
    }
}

pub(super) fn ground() -> Ground {
    Ground {
        source_names: (1..=9).map(|n| (n, format!("s{n}"))).collect(),
        ..Ground::default()
    }
}

pub(super) fn ruled(text: &str) -> Ground {
    Ground {
        rules: [(9, parse_rules(text).unwrap())].into(),
        ..ground()
    }
}

pub(super) fn found(ground: Ground, all: &[IdentityKeys], account: &AccountKeys) -> String {
    found_among(Persons::default(), ground, all, account)
}

pub(super) fn found_among(
    persons: Persons,
    ground: Ground,
    all: &[IdentityKeys],
    account: &AccountKeys,
) -> String {
    asked_is_found_as_among_all(&persons, &ground, all, account);
    let mut gathering = Gathering::new(ground);
    for identity in all {
        gathering.add(identity);
    }
    let known = gathering.done(persons);
    match known.owner_of(account) {
        Match::One { identity, rule } => format!("{identity} by {}", known.rule_name(rule)),
        Match::Ambiguous { candidates, rule } => {
            let (candidates, _) = known.everybody(&candidates);
            format!("{candidates:?} by {}", known.rule_name(rule))
        }
        Match::Possible {
            candidates,
            rule,
            doubt,
        } => format!(
            "perhaps {:?} by {}: {}",
            known.everybody(&candidates).0,
            known.rule_name(rule),
            doubt.word()
        ),
        Match::HandedOn {
            identity,
            before,
            rule,
            doubt: _,
        } => {
            let before = known.told_before(identity, &before);
            let before: Vec<String> = before.map(|(s, id)| format!("s{s}:{id}")).collect();
            let before = before.join(" or ");
            format!("{identity} or {before} by {}", known.rule_name(rule))
        }
        Match::Nobodys => "decided: nobody".to_owned(),
        Match::Gone { source, id, rule } => {
            format!("gone s{source}:{id} by {}", known.rule_name(rule))
        }
        Match::None => "nobody".to_owned(),
    }
}

/// Where only those are kept that the account asks for, the same is found.
fn asked_is_found_as_among_all(
    persons: &Persons,
    ground: &Ground,
    all: &[IdentityKeys],
    account: &AccountKeys,
) {
    let mut everybody = Gathering::new(ground.clone());
    let mut asked = Gathering::new(ground.clone());
    asked.ask(account);
    let gone: HashSet<&str> = ground.gone.keys().map(String::as_str).collect();
    for (_, records) in persons.all() {
        let ids: Vec<String> = records.iter().map(|(_, id)| id.to_string()).collect();
        asked.ask_together(&ids, &gone);
    }
    for identity in all {
        everybody.add(identity);
        asked.add_asked(identity);
    }
    let everybody = everybody.done(persons.clone());
    let asked = asked.done(persons.clone());
    assert!(asked.count() <= everybody.count());
    let said = |known: &Identities| {
        let name = |n: &u32| format!("{}:{}", known.source(*n), known.id(*n));
        let mut found = known.owner_of(account);
        let names: Vec<String> = match &mut found {
            Match::One { identity, .. } => vec![name(&std::mem::take(identity))],
            Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
                let (candidates, _) = known.everybody(&std::mem::take(candidates));
                candidates.iter().map(name).collect()
            }
            Match::HandedOn { identity, .. } => vec![name(&std::mem::take(identity))],
            Match::Nobodys | Match::Gone { .. } | Match::None => Vec::new(),
        };
        (found, names)
    };
    assert_eq!(said(&asked), said(&everybody));
}

proptest! {
    #[test]
    fn whoever_is_asked_for_is_found_as_among_all(
        people in prop::collection::vec((1i64..4, "u[1-4]", "|[ab]@x|u[12]@x"), 0..12),
        joined in prop::collection::vec((1i64..4, "u[1-5]", 0u32..3), 0..5),
        gone in prop::collection::vec((1i64..4, "u[1-5]", "|[ab]@x"), 0..3),
        before in prop::collection::vec((0usize..12, "|[ab]@x|u[12]@x", any::<bool>()), 0..3),
        decided in prop::option::of((1i64..4, "u[1-5]")),
        id in "u[1-4]|[ab]", identity_id in "|u[1-5]|s[1-3]:u[1-5]", email in "|[ab]@X|u1@x",
    ) {
        let mut all = people;
        all.sort();
        all.dedup_by(|(a, x, _), (b, y, _)| (a, x) == (b, y));
        let listed = |source: i64, id: &str| all.iter().any(|(s, i, _)| (*s, i.as_str()) == (source, id));
        let mut ground = ground();
        let mut gone = gone;
        gone.sort();
        gone.dedup_by(|(a, x, _), (b, y, _)| (a, x) == (b, y));
        gone.retain(|(source, id, _)| !listed(*source, id));
        for (source, id, _) in &gone {
            ground.gone.entry(id.clone()).or_default().push(*source);
        }
        let gone = gone.iter().map(|(s, id, mail)| Past::new(identity(*s, id, mail), Standing::Gone, None));
        let before = before.iter().filter_map(|(place, mail, another)| {
            let (source, id, _) = all.get(*place)?;
            let standing = if *another { Standing::Another } else { Standing::Before };
            Some(Past::new(identity(*source, id, mail), standing, None))
        });
        ground.past = gone.chain(before).collect();
        if let Some(to) = decided {
            let decision = AccountDecision {
                number: 1,
                to: Some(to),
                account_seen: AccountSeen::default(),
                identity_seen: Seen::default(),
            };
            ground.decisions.insert(("ad".to_owned(), id.clone()), decision);
        }
        let mut joined = joined;
        joined.sort();
        joined.dedup_by(|(a, x, _), (b, y, _)| (a, x) == (b, y));
        let places = joined.into_iter().zip(0u32..);
        let persons = Persons::new(places.map(|((source, id, person), place)| (source, id, person, place)));
        let all: Vec<IdentityKeys> = all.iter().map(|(s, id, mail)| identity(*s, id, mail)).collect();
        asked_is_found_as_among_all(&persons, &ground, &all, &account(&id, &identity_id, &email));
    }
}

fn check(all: &[IdentityKeys], account: AccountKeys, expected: &str) {
    assert_eq!(found(ground(), all, &account), expected);
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
    all.push(identity(3, "s2:u1", ""));
    check(&all, account("a", "s2:u1", ""), "[1, 3] by identity id");
}

#[test]
fn two_with_one_mail_are_ambiguous_and_login_does_not_decide() {
    let all = [
        identity(1, "u1", "team@x.org"),
        identity(1, "u2", "team@x.org"),
    ];
    check(&all, account("u1", "", "team@x.org"), "[0, 1] by mail");
}

#[test]
fn two_records_of_one_person_are_not_ambiguous() {
    let all = [
        identity(1, "u1", "ann@x.org"),
        identity(2, "u1", "ann@x.org"),
        identity(3, "u1", "other@x.org"),
    ];
    let persons = || {
        Persons::new([
            (2, "u1".to_owned(), 4, 0),
            (1, "u1".to_owned(), 4, 1),
            (5, "long gone".to_owned(), 4, 2),
        ])
    };
    let found = |all: &[IdentityKeys], account: &AccountKeys| {
        found_among(persons(), ground(), all, account)
    };
    let by_mail = account("a", "", "ann@x.org");
    assert_eq!(found(&all, &by_mail), "0 by mail");
    let by_id = account("a", "u1", "");
    assert_eq!(found(&all, &by_id), "[0, 2] by identity id");
    assert_eq!(found(&all[..2], &by_id), "0 by identity id");

    let mut gathering = Gathering::new(ground());
    all.iter().for_each(|i| {
        gathering.add(i);
    });
    let known = gathering.done(persons());
    assert_eq!(
        known.shown(0),
        "s2:u1",
        "named by the record that goes first"
    );
    assert_eq!(known.shown(1), "s2:u1");
    assert_eq!(known.shown(2), "s3:u1");
}

#[test]
fn a_sources_own_rules_take_parts_of_values_of_some_identities() {
    let text = r#"
        [[rule]]
        name = "administrator"
        account = { column = "id", prefix = "adm-" }
        identity = "attributes.login"
        sources = ["s1"]
        kinds = ["person"]
    "#;
    let with_login = |mut keys: IdentityKeys, login: &str| {
        keys.attributes.insert("login".to_owned(), login.to_owned());
        keys
    };
    let all = [
        with_login(identity(1, "1", ""), "Ann"),
        with_login(identity(2, "2", ""), "ann"),
        identity(1, "ann", ""),
    ];
    let by = |id: &str| found(ruled(text), &all, &account(id, "1", ""));
    assert_eq!(by("ADM-ann"), "0 by administrator");
    assert_eq!(by("ann"), "nobody", "the default rules are not asked");
    let from = |source: i64| AccountKeys {
        source,
        ..account("adm-ann", "1", "")
    };
    assert_eq!(
        found(ruled(text), &all, &from(8)),
        "0 by identity id",
        "another source has the default rules"
    );
}

#[test]
fn a_rule_that_only_suggests_or_is_contradicted_links_nothing() {
    let text = |more: &str| {
        format!("[[rule]]\nname = \"mail\"\naccount = \"email\"\nidentity = \"email\"\n{more}")
    };
    let all = [named(identity(1, "u1", "ann@x.org"), "Ann Smith", "2010")];
    let agree = "agree = [{ account = \"name\", identity = \"display_name\" }]";
    let of = |name: &str| called(account("a", "", "ann@x.org"), name, "2024");
    let check = |more: &str, name: &str, expected: &str| {
        assert_eq!(found(ruled(&text(more)), &all, &of(name)), expected);
    };
    check("", "Bob", "0 by mail");
    check(agree, "ann smith", "0 by mail");
    check(agree, "Bob", "perhaps [0] by mail: differs");
    let only = "confidence = \"possible\"";
    check(only, "Ann Smith", "perhaps [0] by mail: suggested");
    let login = "[[rule]]\nname = \"login\"\naccount = \"name\"\nidentity = \"id\"";
    check(&format!("{agree}\n{login}"), "U1", "0 by login");
}

fn decided(
    to: Option<(i64, &str)>,
    account: &AccountKeys,
    identity: Option<&IdentityKeys>,
) -> Ground {
    let decision = AccountDecision {
        number: 3,
        to: to.map(|(source, id)| (source, id.to_owned())),
        account_seen: AccountSeen::of(account),
        identity_seen: identity.map(Seen::of_identity).unwrap_or_default(),
    };
    Ground {
        decisions: HashMap::from([((account.system.clone(), account.id.clone()), decision)]),
        ..ground()
    }
}

#[test]
fn a_decision_goes_before_every_rule_while_both_sides_are_who_they_were() {
    let ann = named(identity(1, "u1", "ann@x.org"), "Ann Smith", "2010");
    let bob = named(identity(1, "u2", "bob@x.org"), "Bob Jones", "2012");
    let all = [ann.clone(), bob];
    let shared = called(account("shared", "u2", "bob@x.org"), "Desk", "2015");
    let to_ann = || decided(Some((1, "u1")), &shared, Some(&ann));
    assert_eq!(found(to_ann(), &all, &shared), "0 by decision");
    let nobody = decided(None, &shared, None);
    assert_eq!(found(nobody, &all, &shared), "decided: nobody");
    assert_eq!(
        found(to_ann(), &all[1..], &shared),
        "gone s1:u1 by decision"
    );

    let renamed = called(shared.clone(), "Front desk", "2015");
    assert_eq!(found(to_ann(), &all, &renamed), "0 by decision");
    let anew = called(shared.clone(), "Carla", "2024");
    assert_eq!(found(to_ann(), &all, &anew), "0 or s1:u2 by decision");
    let married = [named(identity(1, "u1", ""), "Ann Miller", "2010")];
    assert_eq!(found(to_ann(), &married, &shared), "0 by decision");
    let next_holder = [named(identity(1, "u1", ""), "Zoe Zest", "2024")];
    assert_eq!(
        found(to_ann(), &next_holder, &shared),
        "perhaps [0] by decision: reused"
    );
    let both = Persons::new([(1, "u1".to_owned(), 1, 0), (2, "u9".to_owned(), 1, 1)]);
    let elsewhere = [identity(2, "u9", "")];
    assert_eq!(
        found_among(both, to_ann(), &elsewhere, &shared),
        "0 by decision",
        "another record of the person is listed"
    );
}

#[test]
fn an_id_that_was_given_to_somebody_else_links_no_older_account() {
    let all = [named(
        identity(1, "u1", "x@x.org"),
        "Zoe Zest",
        "2024-05-01",
    )];
    let reused = || Ground {
        reused: [((1, "u1".to_owned()), Some("2024-05-01".to_owned()))].into(),
        ..ground()
    };
    let of = |name: &str, since: &str| called(account("a", "u1", ""), name, since);
    let check = |account: AccountKeys, expected: &str| {
        assert_eq!(found(reused(), &all, &account), expected);
    };
    check(
        of("ann", "2010-01-01"),
        "perhaps [0] by identity id: reused",
    );
    check(account("a", "u1", ""), "perhaps [0] by identity id: reused");
    check(of("zoe zest", "2010-01-01"), "0 by identity id");
    check(of("zz", "2024-06-01"), "0 by identity id");
}

#[test]
fn a_mail_that_somebody_else_has_after_a_leaver_takes_no_account_along() {
    let account = account("old", "u1", "a.smith@x.org");
    let ann = identity(1, "u1", "a.smith@x.org");
    let al = identity(2, "u2", "a.smith@x.org");
    check(&[ann, al.clone()], account.clone(), "0 by identity id");
    let left = || Ground {
        gone: HashMap::from([("u1".to_owned(), vec![1])]),
        ..ground()
    };
    let all = [al.clone()];
    assert_eq!(found(left(), &all, &account), "gone s1:u1 by identity id");
    let full = |name: &str| AccountKeys {
        identity_id: Some(name.to_owned()),
        ..account.clone()
    };
    assert_eq!(
        found(left(), &all, &full("s1:u1")),
        "gone s1:u1 by identity id"
    );
    assert_eq!(
        found(left(), &all, &full("s3:u1")),
        "0 by mail",
        "nobody was ever called that"
    );
    let one = Persons::new([(1, "u1".to_owned(), 1, 0), (2, "u2".to_owned(), 1, 1)]);
    assert_eq!(
        found_among(one, left(), &all, &account),
        "0 by identity id",
        "the person is listed elsewhere"
    );
}

#[test]
fn no_two_people_are_shown_under_one_name() {
    let mut gathering = Gathering::new(ground());
    for (source, id) in [(1, "u1"), (2, "u1"), (2, "s1:u1"), (2, "s1:u7"), (1, "x")] {
        gathering.add(&identity(source, id, ""));
    }
    let known = gathering.done(Persons::default());
    let shown: Vec<String> = (0..5).map(|n| known.shown(n)).collect();
    assert_eq!(shown, ["s1:u1", "s2:u1", "s2:s1:u1", "s1:u7", "x"]);
}
