//! Decisions about persons through the store: they survive syncs, and each can be undone.

use super::*;
use crate::access::Graph;
use crate::collect::seeded::{Seeded, account, identity};
use crate::collect::tests::{Bench, bench, now, read};
use crate::lifecycle::{Leaver, Plan, RehearsalSettings, rehearse_leaver};
use crate::views::{self, IdentityLookup, ListQuery};
use lastkey_contract::{Fact, Kind};

fn record(text: &str) -> RecordName {
    let (source, id) = text.split_once(':').unwrap();
    RecordName {
        source: source.to_owned(),
        id: id.to_owned(),
    }
}

async fn decide(bench: &Bench, decision: Decision) -> i64 {
    let new = NewDecision {
        decision,
        why: "seen with my own eyes".to_owned(),
        seen: serde_json::json!({}),
    };
    bench.store.decide(&[new], now()).await.unwrap()[0]
}

async fn same(bench: &Bench, a: &str, b: &str) -> i64 {
    decide(bench, Decision::Same(record(a), record(b))).await
}

async fn apart(bench: &Bench, a: &str, b: &str) -> i64 {
    decide(bench, Decision::Apart(record(a), record(b))).await
}

/// Each person with several records: its number and them.
async fn check(bench: &Bench, expected: &[&str]) {
    let names = bench.store.source_names().await.unwrap();
    let persons = bench.store.persons().await.unwrap();
    let found: Vec<String> = persons
        .all()
        .map(|(person, records)| {
            let records: Vec<String> = records
                .into_iter()
                .map(|(source, id)| format!("{}:{id}", names[&source]))
                .collect();
            format!("{person} {}", records.join(" "))
        })
        .collect();
    assert_eq!(found, expected);
}

async fn two_sources() -> Bench {
    let bench = bench(&["hr", "vendors"]).await;
    sync(&bench).await;
    bench
}

async fn sync(bench: &Bench) {
    for source in ["hr", "vendors"] {
        let people = vec![identity("u1", "Ann"), identity("u2", "Bob")];
        read(bench, source, &Seeded::new(10).with(Kind::Identity, people)).await;
    }
}

#[tokio::test]
async fn a_person_keeps_its_number_through_syncs_splits_and_merges() {
    let bench = two_sources().await;
    check(&bench, &[]).await;
    let ann = same(&bench, "vendors:u2", "hr:u1").await;
    check(&bench, &["1 hr:u1 vendors:u2"]).await;
    same(&bench, "hr:u2", "vendors:u1").await;
    check(&bench, &["1 hr:u1 vendors:u2", "2 hr:u2 vendors:u1"]).await;
    sync(&bench).await;
    let merged = same(&bench, "hr:u2", "hr:u1").await;
    check(&bench, &["1 hr:u1 hr:u2 vendors:u1 vendors:u2"]).await;
    bench
        .store
        .undo_decision(merged, "a mistake", now())
        .await
        .unwrap();
    check(&bench, &["1 hr:u1 vendors:u2", "2 hr:u2 vendors:u1"]).await;
    let split = apart(&bench, "hr:u1", "vendors:u2").await;
    check(&bench, &["2 hr:u2 vendors:u1"]).await;
    bench
        .store
        .undo_decision(split, "no, they are one", now())
        .await
        .unwrap();
    check(&bench, &["1 hr:u1 vendors:u2", "2 hr:u2 vendors:u1"]).await;
    let again = bench.store.undo_decision(split, "twice", now()).await;
    assert!(matches!(again, Err(StoreError::BadQuery { .. })));
    bench
        .store
        .undo_decision(ann, "never was", now())
        .await
        .unwrap();
    check(&bench, &["2 hr:u2 vendors:u1"]).await;
    let (rows, total) = bench.store.decisions(0, 2).await.unwrap();
    assert_eq!((rows.len(), total), (2, 7));
    assert_eq!(rows[0].undoes, Some(ann));
    assert!(bench.store.check().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_decided_is_in_the_log_and_can_be_neither_changed_nor_deleted() {
    let bench = two_sources().await;
    let number = same(&bench, "hr:u1", "vendors:u1").await;
    let last = bench.store.log_head().await.unwrap();
    let entry = bench.store.log_window(last - 1, 1).await.unwrap().remove(0);
    assert_eq!(
        (entry.what.as_str(), entry.who.as_str()),
        ("decided", "tester")
    );
    let payload: serde_json::Value = serde_json::from_str(&entry.payload.unwrap()).unwrap();
    assert_eq!(payload["decision"], number);
    assert_eq!(payload["why"], "seen with my own eyes");
    for sql in ["DELETE FROM decisions", "UPDATE decisions SET why = ''"] {
        let mut writing = bench.store.begin().await.unwrap();
        let refused = sqlx::raw_sql(sql).execute(&mut *writing.tx).await;
        assert!(refused.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_person_is_listed_once_and_named_by_any_of_its_records() {
    let bench = two_sources().await;
    let listed = async |search: &str| {
        let query = ListQuery {
            search: search.to_owned(),
            filters: Vec::new(),
            sort: String::new(),
            descending: false,
            offset: 0,
            limit: 10,
        };
        let window = views::identities(&bench.store, &query).await.unwrap();
        let ids: Vec<String> = window.rows.into_iter().map(|row| row.id).collect();
        assert_eq!(ids.len() as u64, window.matching);
        ids
    };
    let all = ["hr:u1", "vendors:u1", "hr:u2", "vendors:u2"];
    assert_eq!(listed("").await.len(), all.len());
    let number = same(&bench, "vendors:u2", "hr:u1").await;
    assert_eq!(listed("").await, ["hr:u1", "vendors:u1", "hr:u2"]);
    assert_eq!(listed("bob").await, ["hr:u1", "hr:u2"], "by either name");
    let found = async |text: &str| {
        let found = bench.store.find_identity(text).await.unwrap();
        let ids = found.iter().map(|person| person.shown_id());
        ids.collect::<Vec<String>>()
    };
    assert_eq!(found("vendors:u2").await, ["hr:u1"]);
    assert_eq!(found("hr:u1").await, ["hr:u1"]);
    assert_eq!(found("u2").await, ["hr:u1", "hr:u2"]);
    let (people, _) = bench.store.counts().await.unwrap();
    assert_eq!(people, 3);
    let IdentityLookup::Found(page) = views::identity(&bench.store, "vendors:u2", now())
        .await
        .unwrap()
    else {
        panic!("one person");
    };
    let name = page.facts.iter().find(|line| line.label == "Name").unwrap();
    assert_eq!(
        (name.value.as_str(), name.record.as_deref()),
        ("Ann", Some("hr:u1"))
    );
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    assert_eq!(snapshot.identities.len(), 3);

    let only_bob = Seeded::new(10).with(Kind::Identity, vec![identity("u2", "Bob")]);
    read(&bench, "hr", &only_bob).await;
    assert_eq!(found("hr:u1").await, ["vendors:u2"], "listed elsewhere");
    assert_eq!(listed("ann").await, ["u1"]);
    bench
        .store
        .undo_decision(number, "no", now())
        .await
        .unwrap();
    assert!(found("hr:u1").await.is_empty());
    assert_eq!(listed("").await, ["u1", "hr:u2", "vendors:u2"]);
}

#[tokio::test]
async fn decisions_hold_for_what_was_before_a_source_was_removed_and_added_again() {
    let bench = bench(&["hr", "vendors", "ad"]).await;
    sync(&bench).await;
    let plain = account("ad", "cv", "");
    read(
        &bench,
        "ad",
        &Seeded::new(10).with(Kind::Account, vec![plain]),
    )
    .await;
    let cv = AccountName {
        system: "ad".to_owned(),
        id: "cv".to_owned(),
    };
    decide(&bench, Decision::Of(cv, record("hr:u1"))).await;
    same(&bench, "vendors:u2", "hr:u1").await;
    let then = async || {
        let mut told = Vec::new();
        let which = WhichLinks::default();
        bench
            .store
            .each_link_then::<StoreError>(SyncId(3), &which, |link| {
                let whose = link
                    .record
                    .map_or_else(String::new, |record| record.to_string());
                told.push(format!("{} {whose}", link.state.word()));
                Ok(())
            })
            .await
            .unwrap();
        let snapshot = bench.store.load_snapshot(Some(SyncId(3))).await.unwrap();
        let people = snapshot
            .identities
            .iter()
            .map(|person| person.id.to_string());
        told.extend(people);
        told.extend(
            snapshot
                .accounts
                .iter()
                .filter_map(|a| Some(a.identity_id.as_ref()?.to_string())),
        );
        told
    };
    let before = then().await;
    assert_eq!(
        before,
        ["connected hr:u1", "hr:u1", "hr:u2", "vendors:u1", "hr:u1"]
    );
    bench
        .store
        .remove_source(&"hr".into(), crate::store::Removal::OfSource, now())
        .await
        .unwrap();
    assert_eq!(then().await, before, "while nothing has the name");
    let settings = lastkey_contract::Settings::default();
    bench
        .store
        .add_source(&"hr".into(), "seeded", &settings, now())
        .await
        .unwrap();
    assert_eq!(then().await, before, "before the new one is read");
    let people = vec![identity("u1", "Ann"), identity("u2", "Bob")];
    read(&bench, "hr", &Seeded::new(10).with(Kind::Identity, people)).await;
    assert_eq!(then().await, before, "after it was read");
}

const BY_NUMBER: &str = "[[rule]]\nname = \"number\"\nrecord = \"attributes.n\"";

fn numbered(id: &str, number: &str) -> Fact {
    let fact = serde_json::json!({
        "fact": "identity", "id": id, "kind": "person", "attributes": {"n": number}});
    serde_json::from_value(fact).unwrap()
}

#[tokio::test]
async fn a_person_that_rules_joined_then_is_one_as_of_then() {
    let bench = bench(&["hr", "v", "ad"]).await;
    let people =
        |id: &str, number: &str| Seeded::new(10).with(Kind::Identity, vec![numbered(id, number)]);
    read(&bench, "hr", &people("u1", "7")).await;
    read(&bench, "v", &people("v1", "7")).await;
    let accounts = vec![account("ad", "ann", "v1")];
    read(&bench, "ad", &Seeded::new(10).with(Kind::Account, accounts)).await;
    let store = &bench.store;
    store
        .set_link_rules(&RulesOf::Persons, Some(BY_NUMBER), now())
        .await
        .unwrap();
    read(&bench, "hr", &people("u1", "8")).await;
    let left = async |at: Option<SyncId>| {
        let graph = store.load_graph(at).await.unwrap();
        let same = Graph::build(&store.load_snapshot(at).await.unwrap());
        assert_eq!(format!("{graph:?}"), format!("{same:?}"));
        let leaver = Leaver::Identity("u1".into());
        let settings = RehearsalSettings::default();
        let rehearsal = rehearse_leaver(&graph, &Plan::default(), &leaver, now(), &settings);
        rehearsal.residual.len()
    };
    assert_eq!(left(None).await, 0, "they are two by now");
    assert_eq!(left(Some(SyncId(3))).await, 1);
    let records = [record("v:v1")];
    let then = store.records_of_then(&records, SyncId(3)).await.unwrap();
    assert_eq!(then, [[record("hr:u1"), record("v:v1")]]);
    let by_now = store.records_of_then(&records, SyncId(4)).await.unwrap();
    assert_eq!(by_now, [records]);
}

#[tokio::test]
async fn an_account_that_is_called_like_a_leaver_keeps_the_rehearsal_from_passing() {
    let bench = bench(&["hr", "ad"]).await;
    let people = ["u1", "u2", "u3"]
        .into_iter()
        .zip(["Ann Archer", "Bob Baker", "Jo"]);
    let people = people.map(|(id, name)| identity(id, name)).collect();
    read(&bench, "hr", &Seeded::new(10).with(Kind::Identity, people)).await;
    let named = |id: &str, name: &str| -> Fact {
        let fact = serde_json::json!({
            "fact": "account", "system": "ad", "id": id, "name": name, "privileged": true});
        serde_json::from_value(fact).unwrap()
    };
    let accounts = vec![
        named("adm7", " ANN archer"),
        named("bob baker", "x9"),
        named("adm8", "Jo"),
        named("adm9", "Ann Archers"),
        account("ad", "own", "u1"),
    ];
    read(&bench, "ad", &Seeded::new(10).with(Kind::Account, accounts)).await;
    let store = &bench.store;
    let says = async |who: &str| -> Vec<String> {
        let graph = store.load_graph(None).await.unwrap();
        let same = Graph::build(&store.load_snapshot(None).await.unwrap());
        assert_eq!(format!("{graph:?}"), format!("{same:?}"));
        let settings = RehearsalSettings::default();
        let leaver = Leaver::Identity(who.into());
        let rehearsal = rehearse_leaver(&graph, &Plan::default(), &leaver, now(), &settings);
        // It is named, and never counted as theirs.
        let theirs = |item: &crate::lifecycle::ResidualItem| item.id.starts_with("adm");
        assert!(!rehearsal.residual.iter().any(theirs));
        let lines = rehearsal.missing_facts.into_iter();
        lines
            .filter(|line| line.contains("is called like"))
            .collect()
    };
    let line = |account: &str, who: &str| {
        format!("account `ad:{account}` is called like `{who}`, and nothing says whose it is")
    };
    assert_eq!(says("u1").await, [line("adm7", "u1")]);
    assert_eq!(says("u2").await, [line("bob baker", "u2")]);
    assert_eq!(says("u3").await, Vec::<String>::new(), "too short to tell");
    let renamed = vec![
        identity("u1", "Ann Miller"),
        identity("u2", "Bob Baker"),
        identity("u3", "Jo"),
    ];
    read(&bench, "hr", &Seeded::new(10).with(Kind::Identity, renamed)).await;
    assert_eq!(says("u1").await, [line("adm7", "u1")], "by an earlier name");
    let adm7 = AccountName {
        system: "ad".to_owned(),
        id: "adm7".to_owned(),
    };
    decide(&bench, Decision::Nobodys(adm7)).await;
    assert_eq!(
        says("u1").await,
        Vec::<String>::new(),
        "somebody has decided"
    );
}
