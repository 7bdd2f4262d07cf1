//! What changes from one policy to another is what each of the two says of each pair.

use super::compare::{Change, Differences};
use super::tests::{holder, holding, parsed};
use super::*;
use crate::access::{Graph, Snapshot};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Account, Entitlement, Grant, Identity};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;

fn fact<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Who there is: `ann department=Finance`, each with one account that holds what is named after `:`.
pub(super) fn world(people: &[(&str, &str)], entitlements: &[&str]) -> (Snapshot, Vec<Identity>) {
    let mut world = Snapshot::default();
    for entitlement in entitlements {
        let (system, id) = entitlement.split_once(':').unwrap();
        let fact = fact::<Entitlement>(json!({"system": system, "id": id}));
        world.entitlements.push(fact);
    }
    for (who, holds) in people {
        let (id, attributes) = who.split_once(' ').unwrap_or((who, ""));
        let mut identity = json!({"id": id, "kind": "person"});
        for word in attributes.split_whitespace() {
            let (name, value) = word.split_once('=').unwrap();
            let known = Value::from(value);
            identity
                .as_object_mut()
                .unwrap()
                .insert(name.to_owned(), known);
        }
        world.identities.push(fact(identity));
        let account = json!({"system": "ad", "id": id, "identity_id": id});
        world.accounts.push(fact::<Account>(account));
        for held in holds.split_whitespace() {
            let (system, entitlement) = held.split_once(':').unwrap();
            let principal = json!({"kind": "account", "system": "ad", "id": id});
            world.grants.push(fact::<Grant>(json!({
                "system": system, "principal": principal, "entitlement_id": entitlement,
            })));
        }
    }
    let people = world.identities.clone();
    (world, people)
}

pub(super) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

const PEOPLE: &[(&str, &str)] = &[
    ("ann department=Finance", "erp:ledger ad:staff"),
    ("ben department=Sales", "erp:ledger"),
    ("cho department=Finance employer_id=acme", "erp:ledger"),
    ("dia", "erp:ledger git:main"),
    ("eve department=Finance", ""),
];
const ENTITLEMENTS: &[&str] = &["ad:staff", "erp:ledger", "erp:admin", "git:main"];

fn differences(before: &str, after: &str, limit: usize) -> Differences {
    let (before, after) = (parsed(before), parsed(after));
    let (world, people) = world(PEOPLE, ENTITLEMENTS);
    let graph = Graph::build(&world);
    let mut crowd = Crowd::new(&before, &after);
    for person in &people {
        crowd.add(&graph, person);
    }
    assert_eq!(crowd.people(), people.len());
    compare(
        &graph,
        &before,
        &after,
        crowd,
        &HashMap::new(),
        now(),
        limit,
    )
}

fn told(differences: &Differences) -> Vec<String> {
    let lines = differences.lines.iter().map(|line| {
        let verb = if line.held { "holds" } else { "lacks" };
        let (before, after) = (&line.before, &line.after);
        format!(
            "{} {verb} {}:{}: {}{:?} -> {}{:?}",
            line.identity,
            line.system,
            line.id,
            before.policy,
            before.because,
            after.policy,
            after.because
        )
        .replace('"', "")
    });
    lines.collect()
}

const STAFF: &str =
    r#"@id("staff") permit (principal, action, resource == Entitlement::"ad:staff");"#;
const LEDGER: &str = r#"@id("ledger") permit (principal, action, resource in System::"erp")
    when { principal has department && principal.department == "Finance" };"#;
const OUTSIDE: &str = r#"@id("outside") forbid (principal, action, resource in System::"erp")
    when { principal has employer };"#;

#[test]
fn a_line_says_who_what_and_why() {
    let after = format!("{STAFF} {LEDGER} {OUTSIDE}");
    let found = differences(&format!("{STAFF} {LEDGER}"), &after, 50);
    assert_eq!(
        told(&found),
        [
            "cho holds erp:ledger: permitted[ledger] -> not_permitted[outside]",
            "cho lacks erp:admin: permitted[ledger] -> not_permitted[outside]",
        ]
    );
    assert_eq!((found.truncated, found.identities), (0, 5));
    let lost = &found.counts[1];
    assert_eq!(lost.change, Change::NoLongerAllowed);
    assert_eq!((lost.pairs, lost.identities), (2, 1));
    assert_eq!((lost.entitlements, lost.held), (2, 1));
    let found = differences(&after, &after, 50);
    assert_eq!((found.lines.len(), found.truncated), (0, 0));
}

#[test]
fn a_birthright_that_is_not_held_comes_before_what_changes_on_paper_alone() {
    let before = r#"@id("all") permit (principal, action, resource == Entitlement::"git:main");"#;
    let after = format!("{before} @birthright {STAFF}");
    let found = differences(before, &after, 4);
    assert_eq!(
        told(&found),
        [
            "ben lacks ad:staff: no_policy[] -> birthright[staff]",
            "cho lacks ad:staff: no_policy[] -> birthright[staff]",
            "dia lacks ad:staff: no_policy[] -> birthright[staff]",
            "eve lacks ad:staff: no_policy[] -> birthright[staff]",
        ]
    );
    assert_eq!(found.truncated, 1);
    let gained = &found.counts[2];
    assert_eq!(gained.change, Change::BirthrightGained);
    assert_eq!((gained.pairs, gained.held), (5, 1));
}

#[test]
fn another_name_alone_changes_nothing_and_less_knowledge_is_a_change() {
    let renamed = LEDGER.replace("@id(\"ledger\")", "@id(\"finance\")");
    assert_eq!(differences(LEDGER, &renamed, 50).truncated, 0);
    assert!(differences(LEDGER, &renamed, 50).lines.is_empty());
    let never = r#"@id("never") permit (principal, action, resource in System::"erp")
        when { principal.kind == "none" };"#;
    let found = differences(never, LEDGER, 50);
    let dia = found
        .lines
        .iter()
        .find(|line| line.identity == "dia")
        .unwrap();
    assert_eq!(dia.changes, [Change::Certainty]);
    assert_eq!(dia.after.unknown, ["department of the identity"]);
}

/// Each pair asked by itself, without anything put together.
fn one_by_one(before: &str, after: &str) -> Vec<(String, String)> {
    let (before, after) = (parsed(before), parsed(after));
    let mut sides = [Decider::new(&before), Decider::new(&after)];
    let mut changed = Vec::new();
    for (who, _) in PEOPLE {
        let (id, words) = who.split_once(' ').unwrap_or((who, ""));
        let who = holder(&format!(
            "id={id} {}",
            words.replace("employer_id", "employer")
        ));
        for what in ENTITLEMENTS {
            let [before, after] = sides.each_mut().map(|side| {
                let decision = side.decide_for(&who, &holding(what));
                (decision.held, decision.unknown.is_empty())
            });
            if before != after {
                changed.push((id.to_owned(), (*what).to_owned()));
            }
        }
    }
    changed.sort();
    changed
}

#[test]
fn whoever_is_put_together_changes_as_each_does_alone() {
    let everything = "@id(\"all\") permit (principal, action, resource);";
    let texts = [
        String::new(),
        everything.to_owned(),
        STAFF.to_owned(),
        LEDGER.to_owned(),
        OUTSIDE.to_owned(),
        format!("{STAFF} {LEDGER} {OUTSIDE}"),
        format!("@birthright {STAFF} {everything} {OUTSIDE}"),
        r#"@id("eve") permit (principal == Identity::"eve", action, resource);"#.to_owned(),
        "permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };".to_owned(),
    ];
    for before in &texts {
        for after in &texts {
            let found = differences(before, after, 1000);
            let lines = found.lines.iter();
            let mut pairs: Vec<(String, String)> = lines
                .map(|line| {
                    (
                        line.identity.clone(),
                        format!("{}:{}", line.system, line.id),
                    )
                })
                .collect();
            pairs.sort();
            assert_eq!(pairs, one_by_one(before, after), "{before}\n{after}");
            assert_eq!(found.truncated, 0);
            for limit in 0..pairs.len() {
                let fewer = differences(before, after, limit);
                assert_eq!(
                    fewer.lines,
                    found.lines[..limit],
                    "{limit} of {before}\n{after}"
                );
                assert_eq!(fewer.counts, found.counts);
                assert_eq!(fewer.truncated as usize, pairs.len() - limit);
            }
        }
    }
}
