//! What could concern somebody as well as another reaches the verdict, and never as a pass.

use super::{Decision, NewDecision, RecordName, RulesOf};
use crate::collect::seeded::Seeded;
use crate::collect::tests::{Bench, bench, now, quick, read_with};
use crate::collect::{Removals, SyncSettings};
use crate::lifecycle::{Leaver, Plan, RehearsalSettings, rehearse_leaver};
use lastkey_contract::{Fact, Kind};
use serde_json::{Value, json};

fn fact(kind: &str, mut value: Value) -> Fact {
    value["fact"] = json!(kind);
    serde_json::from_value(value).unwrap()
}

fn person(id: &str, more: Value) -> Fact {
    let mut value = json!({"id": id, "kind": "person"});
    for (column, said) in more.as_object().unwrap() {
        value[column] = said.clone();
    }
    fact("identity", value)
}

/// People with nothing but ids.
fn people(ids: &[&str]) -> Vec<Fact> {
    ids.iter().map(|id| person(id, json!({}))).collect()
}

async fn roster(bench: &Bench, source: &str, records: Vec<Fact>) {
    let settings = SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    let connector = Seeded::new(9).with(Kind::Identity, records);
    read_with(bench, source, &connector, &settings)
        .await
        .unwrap();
}

/// Reads a secret of nobody's account, and who has it in custody.
async fn custody(bench: &Bench, owner: &str) {
    let credential = json!({"system": "ad", "id": "pw", "kind": "password", "account_id": "svc"});
    let line = json!({"object_type": "credential", "system": "ad", "object_id": "pw",
        "owner_id": owner, "role": "custodian"});
    let own = Seeded::new(9)
        .with(
            Kind::Account,
            vec![fact("account", json!({"system": "ad", "id": "svc"}))],
        )
        .with(Kind::Credential, vec![fact("credential", credential)])
        .with(Kind::Owner, vec![fact("owner", line)]);
    read_with(bench, "own", &own, &quick()).await.unwrap();
}

async fn same(bench: &Bench, a: &str, b: &str) {
    decide(bench, a, b, Decision::Same).await;
}

async fn decide(
    bench: &Bench,
    a: &str,
    b: &str,
    says: impl Fn(RecordName, RecordName) -> Decision,
) {
    let record = |text: &str| {
        let (source, id) = text.split_once(':').unwrap();
        RecordName {
            source: source.to_owned(),
            id: id.to_owned(),
        }
    };
    let decision = NewDecision {
        decision: says(record(a), record(b)),
        why: "asked".to_owned(),
        seen: json!({}),
    };
    bench.store.decide(&[decision], now()).await.unwrap();
}

/// What stays open when somebody leaves, and what is missing for a verdict of what could be theirs;
/// the same for the graph of the blocks and of a snapshot.
async fn left(bench: &Bench, who: &str) -> (Vec<String>, Vec<String>) {
    bench.store.derive_if_stale().await.unwrap();
    let graph = bench.store.load_graph(None).await.unwrap();
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    let other = crate::access::Graph::build(&snapshot);
    assert_eq!(format!("{graph:#?}"), format!("{other:#?}"));
    let settings = RehearsalSettings::default();
    let leaver = Leaver::Identity(who.into());
    let found = rehearse_leaver(&graph, &Plan::default(), &leaver, now(), &settings);
    let open = found.residual.iter();
    let open = open.map(|item| format!("{}:{}", item.system, item.id));
    let missing = found.missing_facts.into_iter();
    let missing = missing.filter(|fact| fact.contains("could be") || fact.contains("may work"));
    (open.collect(), missing.collect())
}

async fn check(bench: &Bench, who: &str, open: &[&str], missing: &[&str]) {
    let found = left(bench, who).await;
    let texts = |all: &[&str]| -> Vec<String> { all.iter().map(ToString::to_string).collect() };
    assert_eq!(found, (texts(open), texts(missing)), "{who}");
}

const BOTH: [&str; 2] = ["ad:svc", "ad:pw"];

#[tokio::test]
async fn custody_of_a_record_that_is_listed_no_more_is_its_persons() {
    let bench = bench(&["hr", "vd", "own"]).await;
    roster(&bench, "hr", people(&["u1", "u2"])).await;
    roster(&bench, "vd", people(&["v1"])).await;
    custody(&bench, "hr:u1").await;
    same(&bench, "hr:u1", "vd:v1").await;
    check(&bench, "u1", &BOTH, &[]).await;
    roster(&bench, "hr", people(&["u2"])).await;
    check(&bench, "v1", &BOTH, &[]).await;
    custody(&bench, "u1").await;
    check(&bench, "v1", &BOTH, &[]).await;
}

#[tokio::test]
async fn custody_under_an_id_of_two_sources_could_be_of_either() {
    let bench = bench(&["hr", "vd", "own"]).await;
    roster(&bench, "hr", people(&["u1"])).await;
    custody(&bench, "u1").await;
    check(&bench, "u1", &BOTH, &[]).await;
    roster(&bench, "vd", people(&["u1"])).await;
    for who in ["hr:u1", "vd:u1"] {
        let doubt =
            format!("credential `ad:pw` could be in the custody of `{who}` as well as of another");
        check(&bench, who, &[], &[&doubt]).await;
    }
    same(&bench, "hr:u1", "vd:u1").await;
    check(&bench, "u1", &BOTH, &[]).await;
}

#[tokio::test]
async fn whoever_may_work_for_a_vendor_is_named_at_its_exit() {
    let bench = bench(&["hr", "vd", "other"]).await;
    let vendor = || fact("identity", json!({"id": "v9", "kind": "vendor"}));
    let hr = |employer: &str| vec![person("u1", json!({"employer_id": employer}))];
    roster(&bench, "vd", vec![vendor()]).await;
    roster(&bench, "hr", hr("v9")).await;
    let account = json!({"system": "ad", "id": "a1", "identity_id": "hr:u1"});
    let accounts = Seeded::new(9)
        .with(Kind::Identity, hr("v9"))
        .with(Kind::Account, vec![fact("account", account)]);
    read_with(&bench, "hr", &accounts, &quick()).await.unwrap();
    check(&bench, "v9", &["ad:a1"], &[]).await;
    roster(&bench, "other", vec![vendor()]).await;
    check(&bench, "vd:v9", &[], &["`u1` may work for `vd:v9`"]).await;
    check(&bench, "other:v9", &[], &["`u1` may work for `other:v9`"]).await;
    // Named with its source, it is that one's, also once only another record of it is listed.
    let named = Seeded::new(9)
        .with(Kind::Identity, hr("vd:v9"))
        .with(Kind::Account, vec![]);
    let settings = SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    read_with(&bench, "hr", &named.with(Kind::Account, vec![]), &settings)
        .await
        .unwrap();
    check(&bench, "other:v9", &[], &[]).await;
    same(&bench, "vd:v9", "other:v9").await;
    roster(&bench, "vd", vec![]).await;
    let graph = bench.store.load_graph(None).await.unwrap();
    let vendor = graph.identity(&"v9".into()).unwrap();
    assert_eq!(graph.employed.row(vendor).len(), 1);
}

/// Joins records by a number that both have.
async fn join_by_number(bench: &Bench) {
    join_by(bench, "attributes.n").await;
}

/// Joins records by a column.
async fn join_by(bench: &Bench, column: &str) {
    let rules = format!("[[rule]]\nname = \"number\"\nrecord = \"{column}\"");
    bench
        .store
        .set_link_rules(&RulesOf::Persons, Some(&rules), now())
        .await
        .unwrap();
}

fn numbered(id: &str, number: &str) -> Fact {
    person(id, json!({"attributes": {"n": number}}))
}

#[tokio::test]
async fn whoever_splits_because_a_value_was_cleared_could_still_be_one_person() {
    let bench = bench(&["hr", "vd", "own"]).await;
    roster(&bench, "hr", vec![numbered("u1", "7")]).await;
    roster(&bench, "vd", vec![numbered("v1", "7"), numbered("v2", "8")]).await;
    custody(&bench, "hr:u1").await;
    join_by_number(&bench).await;
    check(&bench, "u1", &BOTH, &[]).await;
    roster(&bench, "hr", people(&["u1"])).await;
    let of = |one: &str, other: &str| format!("`{one}` could be one person with `{other}`");
    check(&bench, "v1", &[], &[&of("vd:v1", "hr:u1")]).await;
    check(&bench, "u1", &BOTH, &[&of("hr:u1", "vd:v1")]).await;
    check(&bench, "v2", &[], &[]).await;
    decide(&bench, "hr:u1", "vd:v1", Decision::Apart).await;
    check(&bench, "v1", &[], &[]).await;
    same(&bench, "hr:u1", "vd:v1").await;
    check(&bench, "u1", &BOTH, &[]).await;
}

#[tokio::test]
async fn whoever_splits_because_a_second_record_got_the_value_could_be_either() {
    let bench = bench(&["hr", "vd", "own"]).await;
    roster(&bench, "hr", vec![numbered("u1", "7")]).await;
    roster(&bench, "vd", vec![numbered("v1", "7")]).await;
    custody(&bench, "hr:u1").await;
    join_by_number(&bench).await;
    check(&bench, "u1", &BOTH, &[]).await;
    roster(&bench, "vd", vec![numbered("v1", "7"), numbered("v3", "7")]).await;
    let of = |one: &str, other: &str| format!("`{one}` could be one person with `{other}`");
    let (hr, other) = (of("vd:v1", "hr:u1"), of("vd:v1", "vd:v3"));
    check(&bench, "v1", &[], &[&hr, &other]).await;
    let (first, second) = (of("hr:u1", "vd:v1"), of("hr:u1", "vd:v3"));
    check(&bench, "u1", &BOTH, &[&first, &second]).await;
    same(&bench, "hr:u1", "vd:v1").await;
    check(
        &bench,
        "v3",
        &[],
        &[&of("vd:v3", "hr:u1"), &of("vd:v3", "vd:v1")],
    )
    .await;
    decide(&bench, "vd:v1", "vd:v3", Decision::Apart).await;
    check(&bench, "v3", &[], &[]).await;
    check(&bench, "u1", &BOTH, &[]).await;
}

/// Reads accounts of `hr:u1`: by its id and by its mail.
async fn accounts_of_u1(bench: &Bench) {
    let account = |id: &str, value: Value| {
        let mut value = value;
        (value["system"], value["id"]) = (json!("corp"), json!(id));
        fact("account", value)
    };
    let accounts = vec![
        account("by-id", json!({"identity_id": "hr:u1"})),
        account("by-mail", json!({"email": "a@x.org"})),
    ];
    let connector = Seeded::new(9).with(Kind::Account, accounts);
    read_with(bench, "ad", &connector, &quick()).await.unwrap();
}

async fn add(bench: &Bench, source: &str) {
    let (name, settings) = (source.into(), lastkey_contract::Settings::default());
    let added = bench.store.add_source(&name, "seeded", &settings, now());
    added.await.unwrap();
}

async fn remove(bench: &Bench, source: &str) {
    let removed = bench
        .store
        .remove_source(&source.into(), crate::store::Removal::OfSource, now())
        .await;
    removed.unwrap();
}

#[tokio::test]
async fn what_a_removed_source_told_of_somebody_with_another_record_stays_theirs() {
    let bench = bench(&["hr", "vd", "own", "ad"]).await;
    let mailed = |mail: &str| person("u1", json!({"email": mail}));
    roster(
        &bench,
        "hr",
        vec![mailed("a@x.org"), person("u2", json!({}))],
    )
    .await;
    roster(&bench, "vd", people(&["v1"])).await;
    custody(&bench, "hr:u1").await;
    accounts_of_u1(&bench).await;
    same(&bench, "hr:u1", "vd:v1").await;
    let all = ["ad:svc", "corp:by-id", "corp:by-mail", "ad:pw"];
    check(&bench, "u1", &all, &[]).await;
    remove(&bench, "hr").await;
    check(&bench, "v1", &all, &[]).await;
    add(&bench, "hr").await;
    check(&bench, "v1", &all, &[]).await;
    // A source of the name that lists the record anew tells of it from then on: it was called so.
    roster(&bench, "hr", vec![mailed("b@x.org")]).await;
    check(&bench, "v1", &all, &[]).await;
    remove(&bench, "vd").await;
    check(&bench, "u1", &all, &[]).await;
}

/// A source that is removed and added anew under its name goes on: nobody loses an account because
/// a mail changed at that moment, on either side.
#[tokio::test]
async fn a_source_that_is_added_anew_under_its_name_forgets_nothing() {
    let bench = bench(&["hr", "own", "ad"]).await;
    let mailed = |mail: &str| person("u1", json!({"email": mail}));
    roster(
        &bench,
        "hr",
        vec![mailed("a@x.org"), person("u2", json!({}))],
    )
    .await;
    accounts_of_u1(&bench).await;
    let all = ["corp:by-id", "corp:by-mail"];
    check(&bench, "u1", &all, &[]).await;
    let anew = async |source: &str| {
        remove(&bench, source).await;
        add(&bench, source).await;
    };
    anew("hr").await;
    roster(&bench, "hr", vec![mailed("b@x.org")]).await;
    check(&bench, "u1", &all, &[]).await;
    anew("ad").await;
    let cleared = fact("account", json!({"system": "corp", "id": "by-mail"}));
    let connector = Seeded::new(9).with(Kind::Account, vec![cleared]);
    read_with(&bench, "ad", &connector, &quick()).await.unwrap();
    check(&bench, "u1", &["corp:by-mail"], &[]).await;
    anew("hr").await;
    roster(
        &bench,
        "hr",
        vec![person("u3", json!({"email": "a@x.org"}))],
    )
    .await;
    let doubt = "account `corp:by-mail` could be of `u3` as well as of another";
    check(&bench, "u3", &[], &[doubt]).await;
}

#[tokio::test]
async fn whoever_a_rule_joined_keeps_what_a_removed_source_told() {
    for (rule, more) in [
        ("attributes.n", json!({})),
        ("email", json!({"email": "a@x.org"})),
    ] {
        let bench = bench(&["hr", "vd", "ad"]).await;
        let of = |id: &str| {
            let mut more = more.clone();
            more["attributes"] = json!({"n": "7"});
            person(id, more)
        };
        roster(&bench, "hr", vec![of("u1")]).await;
        roster(&bench, "vd", vec![of("v1")]).await;
        accounts_of_u1(&bench).await;
        join_by(&bench, rule).await;
        let (before, _) = left(&bench, "u1").await;
        assert!(!before.is_empty());
        remove(&bench, "hr").await;
        let texts: Vec<&str> = before.iter().map(String::as_str).collect();
        check(&bench, "v1", &texts, &[]).await;
        let apart = Decision::Apart;
        decide(&bench, "hr:u1", "vd:v1", apart).await;
        let (after, _) = left(&bench, "v1").await;
        assert!(!after.contains(&"corp:by-id".to_owned()), "{after:?}");
    }
}

#[tokio::test]
async fn whoever_mail_joined_could_still_be_one_once_a_record_has_left_or_the_mail_is_anothers() {
    let bench = bench(&["hr", "vd", "own"]).await;
    let mailed = |id: &str| person(id, json!({"email": "a@x.org"}));
    roster(&bench, "hr", vec![mailed("u1")]).await;
    roster(&bench, "vd", vec![mailed("v1")]).await;
    custody(&bench, "hr:u1").await;
    join_by(&bench, "email").await;
    check(&bench, "u1", &BOTH, &[]).await;
    let of = |one: &str, other: &str| format!("`{one}` could be one person with `{other}`");
    roster(&bench, "hr", vec![person("u2", json!({}))]).await;
    check(&bench, "v1", &[], &[&of("vd:v1", "hr:u1")]).await;
    // Its own source gives it to another, who takes the other record along.
    let changed = || vec![person("u1", json!({})), mailed("u2")];
    roster(&bench, "hr", changed()).await;
    check(&bench, "u1", &BOTH, &[&of("hr:u1", "vd:v1")]).await;
    check(&bench, "u2", &[], &[&of("vd:v1", "hr:u1")]).await;
    decide(&bench, "hr:u1", "vd:v1", Decision::Apart).await;
    check(&bench, "u1", &BOTH, &[]).await;
    check(&bench, "u2", &[], &[]).await;
}
