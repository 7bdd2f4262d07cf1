//! Owners and holders of accounts who are gone, through the store.

use super::tests::{decide, decision, facts, standings, suggested};
use super::*;
use crate::collect::seeded::Seeded;
use crate::collect::tests::{Bench, bench, now, read};
use crate::lifecycle::Basis;
use crate::ownership::OwnerState;
use crate::store::{AccountName, Decision, NewDecision, RecordName};
use lastkey_contract::Kind;
use lastkey_contract::facts::OwnerRole;
use serde_json::{Value, json};

fn person(id: &str, name: &str, mail: &str, since: &str) -> Value {
    json!({"id": id, "kind": "person", "display_name": name, "email": mail, "status": "active",
        "start_date": since, "manager_id": "h9"})
}

fn ann() -> Value {
    person("h1", "Ann", "a.k@b.example", "2020-01-01T00:00:00Z")
}

/// Somebody else whose mail begins as Ann's login does.
fn otto() -> Value {
    person("h7", "Otto", "ann@o.example", "2026-05-20T00:00:00Z")
}

fn ina() -> Value {
    let mut ina = person("h9", "Ina", "ina@b.example", "2020-01-01T00:00:00Z");
    ina["manager_id"] = json!(null);
    ina
}

async fn roster(bench: &Bench, people: &[Value]) {
    let hr = Seeded::new(3).with(Kind::Identity, facts("identity", people));
    read(bench, "hr", &hr).await;
}

/// An account of Ann's that made a key, which also stands in a folder of its name.
fn corp() -> Seeded {
    let account = |id: &str, kind: &str, identity: Option<&str>| json!({"system": "corp", "id": id, "kind": kind, "identity_id": identity});
    let accounts = [
        account("ann", "human", Some("h1")),
        account("svc", "service", None),
    ];
    let key = json!({"system": "corp", "id": "key", "kind": "ssh_key", "account_id": "svc",
        "created_by": "ann"});
    let place = json!({"system": "corp", "path": "home/ann/key", "credential_id": "key"});
    Seeded::new(4)
        .with(Kind::Account, facts("account", &accounts))
        .with(Kind::Credential, facts("credential", &[key]))
        .with(Kind::Location, facts("location", &[place]))
}

#[tokio::test]
async fn a_login_of_somebody_who_is_gone_never_means_whoever_has_such_a_mail() {
    let bench = bench(&["hr", "corp"]).await;
    roster(&bench, &[ann(), otto(), ina()]).await;
    read(&bench, "corp", &corp()).await;
    let of_key = "technical credential:corp:key";
    assert_eq!(suggested(&bench).await, [format!("strong {of_key} hr:h1")]);
    roster(&bench, &[otto(), ina()]).await;
    // Two facts lead to whoever was the manager, each one step lower.
    assert_eq!(suggested(&bench).await, [format!("likely {of_key} hr:h9")]);
    let (rows, _) = bench
        .store
        .owner_suggestions(&OwnersQuery {
            limit: 1,
            ..OwnersQuery::default()
        })
        .await
        .unwrap();
    assert!(
        rows[0].basis.starts_with(
            "created by `ann`, which is h1 (Ann), who is in no source any more; \
             h9 (Ina) was the manager"
        ),
        "{}",
        rows[0].basis
    );
    // Nobody is left who could say, and Otto is not asked.
    roster(&bench, &[otto()]).await;
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_login_of_a_machine_means_nobody_of_a_like_name() {
    let bench = bench(&["hr", "corp"]).await;
    let workload = json!({"id": "wl", "kind": "workload"});
    roster(&bench, &[otto(), workload]).await;
    let mut all = corp();
    let accounts = [
        json!({"system": "corp", "id": "ann", "kind": "service", "identity_id": "wl"}),
        json!({"system": "corp", "id": "svc", "kind": "service"}),
    ];
    all = all.with(Kind::Account, facts("account", &accounts));
    read(&bench, "corp", &all).await;
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn whoever_managed_an_owner_whose_row_is_gone_is_suggested() {
    let bench = bench(&["hr", "corp"]).await;
    roster(&bench, &[ann(), ina()]).await;
    let line = json!({"object_type": "account", "system": "corp", "object_id": "svc",
        "owner_id": "h1", "role": "business"});
    let mut all = corp();
    all = all.with(Kind::Owner, facts("owner", &[line]));
    all = all.with(Kind::Credential, Vec::new());
    read(&bench, "corp", &all).await;
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
    roster(&bench, &[ina()]).await;
    let business = "likely business account:corp:svc hr:h9";
    assert_eq!(suggested(&bench).await, [business]);
    assert_eq!(standings(&bench).await, ["svc owner_left"]);
    // Back on the roster, Ann answers herself.
    roster(&bench, &[ann(), ina()]).await;
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_owner_whose_id_was_given_to_somebody_else_is_in_doubt() {
    let bench = bench(&["hr", "corp"]).await;
    roster(&bench, &[ann(), ina()]).await;
    read(&bench, "corp", &corp().with(Kind::Credential, Vec::new())).await;
    decide(&bench, "account:corp:svc", "h1", OwnerVerdict::Confirmed).await;
    assert_eq!(standings(&bench).await, ["svc owned"]);
    // A new name alone is no other person.
    let married = person("h1", "Ann Bell", "a.b@b.example", "2020-01-01T00:00:00Z");
    roster(&bench, &[married, ina()]).await;
    assert_eq!(standings(&bench).await, ["svc owned"]);
    let zoe = person("h1", "Zoe", "zoe@b.example", "2026-05-01T00:00:00Z");
    roster(&bench, &[zoe.clone(), ina()]).await;
    assert_eq!(standings(&bench).await, ["svc owner_unknown"]);
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
    let everything = OwnersQuery {
        limit: 10,
        ..OwnersQuery::default()
    };
    let (lines, _) = bench.store.owner_lines(&everything).await.unwrap();
    let line = |name: &str| lines[0][name].as_str().unwrap().to_owned();
    let listed = [line("owner_id"), line("owner_name"), line("state")];
    assert_eq!(listed, ["h1", "Ann", "in_doubt"]);
    let window = bench.store.confirmed_window(0, 10, now()).await.unwrap();
    assert_eq!(window[0].1.state, OwnerState::InDoubt);
    assert_eq!(window[0].1.owner_name.as_deref(), Some("Ann"));
    // Asked, Zoe takes it over: it is confirmed anew.
    decide(&bench, "account:corp:svc", "h1", OwnerVerdict::Confirmed).await;
    assert_eq!(standings(&bench).await, ["svc owned"]);
    roster(&bench, &[zoe, ina(), otto()]).await;
    assert_eq!(standings(&bench).await, ["svc owned"]);
}

#[tokio::test]
async fn records_of_one_person_are_one_in_suggestions() {
    let bench = bench(&["hr", "vendors", "corp"]).await;
    let keller = |id: &str, mail: &str| person(id, "Ann Keller", mail, "2020-01-01T00:00:00Z");
    roster(&bench, &[keller("h1", "ann@b.example"), ina()]).await;
    let vendors = [keller("v1", "ann@acme.example")];
    let vendors = Seeded::new(3).with(Kind::Identity, facts("identity", &vendors));
    read(&bench, "vendors", &vendors).await;
    let asking = json!({"system": "corp", "id": "svc", "name": "ask Ann Keller", "kind": "service",
        "attributes": {"modified_by": "v1"}});
    let asked =
        json!({"system": "corp", "id": "svc2", "name": "ask Ann Keller", "kind": "service"});
    let corp = Seeded::new(3).with(Kind::Account, facts("account", &[asking, asked]));
    read(&bench, "corp", &corp).await;
    let before = [
        "likely technical account:corp:svc vendors:v1",
        "ambiguous technical account:corp:svc2 hr:h1|vendors:v1",
    ];
    assert_eq!(suggested(&bench).await, before);
    let record = |source: &str, id: &str| RecordName {
        source: source.to_owned(),
        id: id.to_owned(),
    };
    let same = NewDecision {
        decision: Decision::Same(record("hr", "h1"), record("vendors", "v1")),
        why: "one and the same".to_owned(),
        seen: json!({}),
    };
    bench.store.decide(&[same], now()).await.unwrap();
    let joined = [
        // Two facts, each of another record, agree.
        "strong technical account:corp:svc hr:h1",
        "weak technical account:corp:svc2 hr:h1",
    ];
    assert_eq!(suggested(&bench).await, joined);
    // Under whichever record: what was rejected is not asked again.
    let mut no = decision("account:corp:svc", "v1", OwnerVerdict::Rejected);
    no.about.owner = record("vendors", "v1");
    bench.store.decide_owners(&[no], now()).await.unwrap();
    read(&bench, "corp", &Seeded::new(3)).await;
    read(&bench, "corp", &corp).await;
    assert_eq!(suggested(&bench).await, [joined[1]]);
}

#[tokio::test]
async fn a_login_of_an_account_in_doubt_means_nobody_until_it_is_settled() {
    let bench = bench(&["hr", "corp"]).await;
    let mail = "ann@b.example";
    let anna = person("h7", "Anna", mail, "2026-05-20T00:00:00Z");
    roster(
        &bench,
        &[person("h1", "Ann", mail, "2020-01-01T00:00:00Z"), ina()],
    )
    .await;
    let accounts = [
        json!({"system": "corp", "id": "ann", "kind": "human", "email": mail}),
        json!({"system": "corp", "id": "svc", "kind": "service"}),
    ];
    let corp = corp().with(Kind::Account, facts("account", &accounts));
    read(&bench, "corp", &corp).await;
    let strong = |who: &str| [format!("strong technical credential:corp:key hr:{who}")];
    assert_eq!(suggested(&bench).await, strong("h1"));
    // Ann left, and her address was given to Anna: the account may be of either.
    roster(&bench, &[anna, ina()]).await;
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
    let account = AccountName {
        system: "corp".to_owned(),
        id: "ann".to_owned(),
    };
    let decide = async |decision| {
        let new = NewDecision {
            decision,
            why: "asked".to_owned(),
            seen: json!({}),
        };
        bench.store.decide(&[new], now()).await.unwrap();
    };
    decide(Decision::Nobodys(account.clone())).await;
    assert_eq!(suggested(&bench).await, Vec::<String>::new());
    let annas = RecordName {
        source: "hr".to_owned(),
        id: "h7".to_owned(),
    };
    decide(Decision::Of(account, annas)).await;
    assert_eq!(suggested(&bench).await, strong("h7"));
}

#[tokio::test]
async fn an_owner_whose_status_went_blank_is_what_was_said_of_them_last() {
    let bench = bench(&["hr", "corp"]).await;
    let with = |status: Value| {
        let mut one = ann();
        one["status"] = status;
        one
    };
    let owner = json!({"object_type": "account", "system": "corp", "object_id": "svc",
        "owner_id": "h1", "role": "technical"});
    let owned = corp().with(Kind::Owner, facts("owner", &[owner]));
    read(&bench, "corp", &owned).await;
    for (status, standing) in [
        (json!("active"), "svc owned"),
        (json!("inactive"), "svc owner_left"),
        (Value::Null, "svc owner_left"),
        (json!("active"), "svc owned"),
        (Value::Null, "svc owned"),
    ] {
        roster(&bench, &[with(status.clone()), ina()]).await;
        let found = standings(&bench).await;
        assert!(found.contains(&standing.to_owned()), "{status}: {found:?}");
        let manager = bench.store.find_identity("h1").await.unwrap();
        let (_, answers_for) = bench
            .store
            .owner_lines_of(&manager[0], now())
            .await
            .unwrap();
        let there = answers_for[0].state == OwnerState::Present;
        assert_eq!(there, standing == "svc owned", "{status}");
    }
}

#[tokio::test]
async fn a_custodian_whose_id_was_given_on_is_only_assumed_to_know() {
    let bench = bench(&["hr", "corp"]).await;
    roster(&bench, &[ann(), ina()]).await;
    read(&bench, "corp", &corp()).await;
    let mut custodian = decision("credential:corp:key", "h1", OwnerVerdict::Confirmed);
    custodian.about.role = OwnerRole::Custodian;
    bench
        .store
        .decide_owners(&[custodian], now())
        .await
        .unwrap();
    let by = async |at| {
        let snapshot = bench.store.load_snapshot(at).await.unwrap();
        let graph = bench.store.load_graph(at).await.unwrap();
        let custody = (0..graph.identities.len()).flat_map(|row| graph.custody.row(row));
        let known: Vec<Basis> = custody.map(|(_, basis)| *basis).collect();
        let (attested, doubted) = (&snapshot.attested_owners, &snapshot.doubted_owners);
        (known, attested.len(), doubted.len())
    };
    let same = (vec![Basis::Attested], 1, 0);
    assert_eq!(by(None).await, same);
    let then = bench.store.newest_sync().await.unwrap().map(|sync| sync.id);
    let other = person("h1", "Zoe", "zoe@b.example", "2026-05-20T00:00:00Z");
    roster(&bench, &[other, ina()]).await;
    assert_eq!(by(None).await, (vec![Basis::Assumed], 0, 1));
    assert_eq!(by(then).await, same, "nobody else had the id then");
}
