//! What people and sources change after somebody left: it makes no pass of what no read shows.

use super::*;
use crate::store::{Decision, NewDecision, RecordName, RulesOf};

const REST: [(Kind, Vec<Fact>); 2] = [(Kind::Grant, Vec::new()), (Kind::Credential, Vec::new())];

/// An account of Ann's by its mail and, unless `mail` is empty, by what the system says.
fn of_ann(id: &str, mail: &str) -> Fact {
    let Fact::Account(mut one) = account("ad", id, "ann") else {
        panic!("an account");
    };
    one.email = Some(mail.to_owned()).filter(|mail| !mail.is_empty());
    Fact::Account(one)
}

async fn hr(bench: &Bench, at: u64, left: Option<u64>) {
    let mut one = identity_fact("ann", "Ann");
    one.email = Some("ann@x.org".to_owned());
    one.status = Some(match left {
        None => IdentityStatus::Active,
        Some(_) => IdentityStatus::Inactive,
    });
    one.end_date = left.map(|left| When::Day {
        from: day(left - 1),
        until: day(left),
    });
    let connector = Seeded::new(50).with(Kind::Identity, vec![Fact::Identity(one)]);
    let read = read_with(bench, "hr", &connector, &settings(at)).await;
    read.unwrap();
}

async fn soon_after(bench: &Bench, facts: &[(Kind, Vec<Fact>)]) {
    let mut at = settings(8);
    at.read_date = Some(day(8) + chrono::TimeDelta::minutes(20));
    let read = read_with(bench, "ad", &seeded(facts), &at).await;
    assert_eq!(read.unwrap().state, "complete");
}

const BY_MAIL: &str = "[[rule]]\nname = \"mail\"\naccount = \"email\"\nidentity = \"email\"\n";

#[tokio::test]
async fn rules_that_are_set_after_they_left_hide_no_account() {
    let later = now() + Days::new(3);
    // When the rules were set, whether the account is open, and whether the leaver passes.
    for (set, open, passes) in [
        // While the source was set up.
        (now(), true, true),
        (later, true, false),
        (later, false, true),
    ] {
        let bench = bench(&["hr", "ad"]).await;
        hr(&bench, 1, None).await;
        let both = vec![of_ann("a1", "ann@x.org"), of_ann("a2", "")];
        let before = [&[(Kind::Account, both)][..], &REST].concat();
        system(&bench, "ad", 1, &before).await;
        system(&bench, "ad", 8, &before).await;
        hr(&bench, 8, Some(8)).await;
        let left = match open {
            true => vec![of_ann("a2", "")],
            false => Vec::new(),
        };
        soon_after(&bench, &[&[(Kind::Account, left)][..], &REST].concat()).await;
        let of = RulesOf::Source("ad".into());
        let store = &bench.store;
        store.set_link_rules(&of, Some(BY_MAIL), set).await.unwrap();
        let (verdict, missing) = verdict_of(&bench).await;
        let said = missing.contains("account ad:a2 is open and not theirs only by the rules");
        let case = format!("{set} {open}: {missing}");
        assert_eq!(verdict.word() == "pass", passes, "{case}");
        assert_eq!(said, !passes, "{case}");
        assert_eq!(lines(&bench).await, ["hr:ann account a1 closed in time"]);
        // By the rules of then the account is theirs again, and open.
        store.set_link_rules(&of, None, later).await.unwrap();
        let (verdict, missing) = verdict_of(&bench).await;
        assert!(!missing.contains("by the rules"), "{missing}");
        assert_eq!(verdict.word() == "pass", !open, "{case}");
    }
}

#[tokio::test]
async fn a_last_day_that_is_corrected_afterwards_counts_beside_the_first() {
    for (corrected, expected) in [
        (None, "closed in time"),
        // Told to be the same.
        (Some(8), "closed in time"),
        // Had they left three days before, it was open for three days.
        (Some(5), "indeterminate"),
        // Had they left a day later, it was closed before.
        (Some(9), "closed in time"),
    ] {
        let bench = bench(&["hr", "ad"]).await;
        hr(&bench, 1, None).await;
        let before = [&[(Kind::Account, vec![of_ann("a1", "")])][..], &REST].concat();
        system(&bench, "ad", 1, &before).await;
        system(&bench, "ad", 7, &before).await;
        hr(&bench, 8, Some(8)).await;
        soon_after(
            &bench,
            &[&[(Kind::Account, Vec::new())][..], &REST].concat(),
        )
        .await;
        if let Some(corrected) = corrected {
            hr(&bench, 12, Some(corrected)).await;
        }
        let [leaver] = measured(&bench).await.try_into().unwrap();
        let marks = leaver.marks.contains(&"last_day_corrected".to_owned());
        assert_eq!(marks, corrected.is_some_and(|n| n != 8), "{corrected:?}");
        let state = leaver.items[0].state.word();
        let limit = (leaver.items[0].lower, leaver.items[0].upper);
        assert_eq!(state, expected, "{corrected:?} {limit:?}");
    }
}

async fn same(bench: &Bench, other: &str, at: DateTime<Utc>) {
    let record = |id: &str| RecordName {
        source: "hr".to_owned(),
        id: id.to_owned(),
    };
    let new = NewDecision {
        decision: Decision::Same(record("ann"), record(other)),
        why: "seen".to_owned(),
        seen: json!({}),
    };
    bench.store.decide(&[new], at).await.unwrap();
}

#[tokio::test]
async fn whoever_is_joined_to_somebody_who_is_there_after_they_left_is_said() {
    for (decided, is_said) in [(2, false), (12, true)] {
        let bench = bench(&["hr", "ad"]).await;
        roster(&bench, 1, &["ann", "bob"], &[]).await;
        let open = [&[accounts(&["ann"])][..], &REST].concat();
        system(&bench, "ad", 1, &open).await;
        roster(&bench, 8, &["bob"], &[("ann", 8)]).await;
        system(&bench, "ad", 8, &open).await;
        same(&bench, "bob", day(decided)).await;
        let all = measured(&bench).await;
        assert!(all.is_empty(), "they are still there as hr:bob");
        let joined = bench.store.joined_since(now()).await.unwrap();
        let said: Vec<String> = joined
            .iter()
            .map(|one| format!("{} by {} since {}", one.record, one.other, one.ended))
            .collect();
        match is_said {
            true => assert_eq!(said, [format!("hr:ann by hr:bob since {}", day(8))]),
            false => assert!(said.is_empty(), "{said:?}"),
        }
    }
}

fn fact<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn only_who_holds_what_reads_a_place_is_asked_for_what_stands_there() {
    let reader = |system: &str, group: &str| {
        Fact::Reader(fact(json!({
            "system": "kv", "path": "/db",
            "principal": {"kind": "entitlement", "system": system, "id": group},
        })))
    };
    let leads = Fact::Grant(fact(json!({
        "system": "kv", "entitlement_id": "policy",
        "principal": {"kind": "entitlement", "system": "ad", "id": "sales"},
    })));
    // Who reads the place, and whether Ann, who holds ad:sales, passes.
    for (reads, passes) in [
        (reader("ad", "it-admins"), true),
        (reader("ad", "sales"), false),
        // By a group of another system that hers leads to.
        (reader("kv", "policy"), false),
    ] {
        let bench = bench(&["hr", "ad", "kv"]).await;
        roster(&bench, 1, &["ann"], &[]).await;
        let of_vault = [
            (Kind::Grant, vec![leads.clone()]),
            (Kind::Reader, vec![reads.clone()]),
        ];
        let group = (Kind::Grant, vec![grant("ad", "a-ann", "sales")]);
        let credentials = (Kind::Credential, Vec::new());
        let before = [accounts(&["ann"]), group, credentials.clone()];
        for day in [1, 8] {
            system(&bench, "kv", day, &of_vault).await;
            system(&bench, "ad", day, &before).await;
        }
        roster(&bench, 8, &[], &[("ann", 8)]).await;
        let after = [&[(Kind::Account, Vec::new())][..], &REST].concat();
        soon_after(&bench, &after).await;
        let (verdict, missing) = verdict_of(&bench).await;
        assert_eq!(verdict.word() == "pass", passes, "{reads:?}: {missing}");
        let said = missing.contains("what stands at the places that they read");
        assert_eq!(said, !passes, "{reads:?}: {missing}");
    }
}

#[tokio::test]
async fn a_decision_that_is_undone_or_replaced_after_they_left_hides_no_account() {
    let name = || crate::store::AccountName {
        system: "ad".to_owned(),
        id: "x9".to_owned(),
    };
    let record = |id: &str| RecordName {
        source: "hr".to_owned(),
        id: id.to_owned(),
    };
    let decide = async |bench: &Bench, decision: Decision, at: DateTime<Utc>| {
        let new = NewDecision {
            decision,
            why: "seen".to_owned(),
            seen: json!({}),
        };
        bench.store.decide(&[new], at).await.unwrap()
    };
    for (undone, open, passes) in [
        (true, true, false),
        (false, true, false),
        // Nobody can use it.
        (true, false, true),
    ] {
        let bench = bench(&["hr", "ad"]).await;
        roster(&bench, 1, &["ann", "bob"], &[]).await;
        let both = vec![account("ad", "a-ann", "ann"), account("ad", "x9", "")];
        let before = [&[(Kind::Account, both)][..], &REST].concat();
        system(&bench, "ad", 1, &before).await;
        let number = decide(&bench, Decision::Of(name(), record("ann")), day(2)).await[0];
        system(&bench, "ad", 8, &before).await;
        roster(&bench, 8, &["bob"], &[("ann", 8)]).await;
        let left = match open {
            true => vec![account("ad", "x9", "")],
            false => Vec::new(),
        };
        soon_after(&bench, &[&[(Kind::Account, left)][..], &REST].concat()).await;
        match undone {
            true => {
                let undo = bench.store.undo_decision(number, "wrong", day(12));
                undo.await.unwrap();
            }
            false => {
                decide(&bench, Decision::Of(name(), record("bob")), day(12)).await;
            }
        }
        let (verdict, missing) = verdict_of(&bench).await;
        let said = missing.contains("account ad:x9 is open and was theirs by a decision");
        assert_eq!(
            verdict.word() == "pass",
            passes,
            "{undone} {open}: {missing}"
        );
        assert_eq!(said, !passes, "{undone} {open}: {missing}");
    }
}
