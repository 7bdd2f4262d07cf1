//! Owners through the store: suggested out of facts, confirmed by people, kept through syncs.

use super::*;
use crate::collect::seeded::Seeded;
use crate::collect::tests::{Bench, bench, now, read};
use crate::lifecycle::Basis;
use crate::ownership::{ObjectName, OwnerState, Standing, Strength};
use crate::store::RecordName;
use lastkey_contract::facts::OwnerRole;
use lastkey_contract::{Fact, Kind};
use serde_json::{Value, json};

pub(super) fn facts(fact: &str, rows: &[Value]) -> Vec<Fact> {
    rows.iter()
        .map(|row| {
            let mut row = row.clone();
            row["fact"] = json!(fact);
            serde_json::from_value(row).unwrap()
        })
        .collect()
}

/// Ann is there, Bob left and Ann was his manager, Una is on leave; two people are Jan Novak.
pub(super) fn hr(bob: &str) -> Seeded {
    let person = |id: &str, name: &str, status: &str| {
        json!({"id": id, "kind": "person", "display_name": name, "status": status,
            "email": format!("{}@bank.example", name.to_lowercase().replace(' ', "."))})
    };
    let mut rows = vec![
        person("p1", "Ann Smith", "active"),
        person("p2", "Bob Stone", bob),
        person("p3", "Jan Novak", "active"),
        person("p4", "Jan Novak", "active"),
        person("p6", "Una Vale", "on_leave"),
        json!({"id": "wl-1", "kind": "workload", "display_name": "statements"}),
        json!({"id": "wl-2", "kind": "workload", "display_name": "ledger", "manager_id": "p1"}),
    ];
    rows[1]["manager_id"] = json!("p1");
    rows[2]["manager_id"] = json!("p1");
    let owner = |id: &str, owner: &str, role: &str| json!({"object_type": "identity", "object_id": id, "owner_id": owner, "role": role});
    Seeded::new(3)
        .with(Kind::Identity, facts("identity", &rows))
        .with(
            Kind::Owner,
            facts(
                "owner",
                &[
                    owner("wl-1", "p2", "technical"),
                    owner("wl-1", "p77", "business"),
                ],
            ),
        )
}

pub(super) fn corp() -> Seeded {
    let account = |id: &str, name: &str, kind: &str, identity: Option<&str>| json!({"system": "corp", "id": id, "name": name, "kind": kind, "identity_id": identity});
    let key = |id: &str, account: &str, by: &str| {
        json!({"system": "corp", "id": id, "kind": "api_key", "account_id": account,
            "created_by": by})
    };
    Seeded::new(4)
        .with(
            Kind::Account,
            facts(
                "account",
                &[
                    account("a1", "asmith", "human", Some("p1")),
                    account("a2", "bstone", "human", Some("p2")),
                    account("a3", "jnovak", "human", Some("p3")),
                    account("svc-1", "svc of Jan Novak", "service", None),
                    account("sa-wl-1", "sa-wl-1", "service", Some("wl-1")),
                ],
            ),
        )
        .with(
            Kind::Credential,
            facts(
                "credential",
                &[
                    key("own", "a1", "bstone"),
                    key("k1", "svc-1", "ASmith"),
                    key("k2", "svc-1", "bstone"),
                    key("k3", "sa-wl-1", ""),
                    key("k4", "nowhere", "terraform"),
                ],
            ),
        )
        .with(
            Kind::Location,
            facts(
                "location",
                &[
                    json!({"system": "corp", "path": "kv/payments/k4", "credential_id": "k4"}),
                    json!({"system": "corp", "path": "kv/p", "credential_id": "k1",
                        "attributes": {"custom.owner": "ann.smith@bank.example"}}),
                ],
            ),
        )
        .with(
            Kind::Entitlement,
            facts(
                "entitlement",
                &[json!({"system": "corp", "id": "team-payments", "kind": "team"})],
            ),
        )
        .with(
            Kind::Grant,
            facts(
                "grant",
                &["a2", "a3"].map(|id| {
                    json!({"system": "corp", "entitlement_id": "team-payments",
                        "principal": {"kind": "account", "system": "corp", "id": id}})
                }),
            ),
        )
}

pub(super) async fn estate() -> Bench {
    let bench = bench(&["hr", "corp"]).await;
    read(&bench, "hr", &hr("inactive")).await;
    read(&bench, "corp", &corp()).await;
    bench
}

fn everything() -> OwnersQuery {
    OwnersQuery {
        limit: 100,
        ..OwnersQuery::default()
    }
}

/// `strength role object owner`, in order.
pub(super) async fn suggested(bench: &Bench) -> Vec<String> {
    bench.store.settle_ownership(now()).await.unwrap();
    let (rows, matching) = bench.store.owner_suggestions(&everything()).await.unwrap();
    assert_eq!(rows.len() as u64, matching);
    rows.iter()
        .map(|row| {
            let who = match &row.owner {
                Some(owner) => format!("{}:{}", owner.source, owner.id),
                None => row.candidates.join("|"),
            };
            let object = row.object.argument();
            format!("{} {} {object} {who}", row.strength.word(), row.role)
        })
        .collect()
}

pub(super) async fn standings(bench: &Bench) -> Vec<String> {
    bench.store.settle_ownership(now()).await.unwrap();
    let (rows, _) = bench.store.owned(&everything()).await.unwrap();
    rows.iter()
        .map(|row| format!("{} {}", row.object_id, row.standing))
        .collect()
}

pub(super) fn decision(object: &str, owner: &str, verdict: OwnerVerdict) -> NewOwnerDecision {
    NewOwnerDecision {
        about: OwnedBy {
            object: ObjectName::parse(object).unwrap(),
            owner: RecordName {
                source: "hr".to_owned(),
                id: owner.to_owned(),
            },
            role: OwnerRole::Technical,
        },
        verdict,
        why: "asked them".to_owned(),
        basis: String::new(),
        owner_state: OwnerState::Present,
        owner_name: None,
        owner_shown: owner.to_owned(),
    }
}

pub(super) async fn decide(bench: &Bench, object: &str, owner: &str, verdict: OwnerVerdict) -> i64 {
    let new = decision(object, owner, verdict);
    bench.store.decide_owners(&[new], now()).await.unwrap()
}

const SUGGESTED: [&str; 7] = [
    // Made by her, and the place where it stands says so: two kinds of facts agree.
    "strong technical credential:corp:k1 hr:p1",
    // Its owner left, so his manager; the same is said of the workload's key.
    "likely technical identity:hr:wl-1 hr:p1",
    "likely business identity:hr:wl-2 hr:p1",
    "likely technical credential:corp:k3 hr:p1",
    "weak technical credential:corp:k2 hr:p1",
    // Both members of the team that the path names have one manager.
    "weak business credential:corp:k4 hr:p1",
    "ambiguous technical account:corp:svc-1 hr:p3|hr:p4",
];

#[tokio::test]
async fn facts_suggest_owners_and_a_person_s_own_key_is_left_alone() {
    let bench = estate().await;
    assert_eq!(suggested(&bench).await, SUGGESTED);
    assert_eq!(
        standings(&bench).await,
        [
            "svc-1 no_owner",
            "k1 no_owner",
            "k2 no_owner",
            "k3 no_owner",
            "k4 no_owner",
            "wl-1 owner_left",
            "wl-2 no_owner",
        ]
    );
    let query = OwnersQuery {
        at_least: Some(Strength::Likely),
        filters: vec![("rule".to_owned(), "creator".to_owned())],
        ..everything()
    };
    let (rows, _) = bench.store.owner_suggestions(&query).await.unwrap();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(
        row.basis,
        "attribute `custom.owner` says `ann.smith@bank.example`, which is p1 (Ann Smith); \
         created by `ASmith`, which is p1 (Ann Smith)"
    );
    assert_eq!(row.reasons[0].fact, "location corp:kv/p");
}

#[tokio::test]
async fn windows_of_the_list_are_pieces_of_the_whole() {
    let bench = estate().await;
    let whole = suggested(&bench).await;
    let mut pieces = Vec::new();
    for offset in 0..whole.len() as u64 {
        let query = OwnersQuery {
            offset,
            limit: 1,
            ..OwnersQuery::default()
        };
        let (rows, matching) = bench.store.owner_suggestions(&query).await.unwrap();
        assert_eq!(matching, whole.len() as u64);
        pieces.extend(rows.iter().map(|row| row.object.argument()));
    }
    let objects: Vec<&str> = whole.iter().filter_map(|l| l.split(' ').nth(2)).collect();
    assert_eq!(pieces, objects);
    let query = OwnersQuery {
        filters: vec![("password".to_owned(), "x".to_owned())],
        ..everything()
    };
    assert!(bench.store.owner_suggestions(&query).await.is_err());
}

#[tokio::test]
async fn owner_lines_say_whether_the_owner_is_there() {
    let bench = estate().await;
    // A workload whose owner no source has any more, and one whose owner comes back.
    for (bob, wanted) in [
        ("inactive", ["p2 left", "p77 unknown"]),
        ("on_leave", ["p2 on_leave", "p77 unknown"]),
        ("active", ["p2 present", "p77 unknown"]),
    ] {
        read(&bench, "hr", &hr(bob)).await;
        bench.store.settle_ownership(now()).await.unwrap();
        let (rows, _) = bench.store.owner_lines(&everything()).await.unwrap();
        let lines: Vec<String> = rows
            .iter()
            .map(|r| {
                format!(
                    "{} {}",
                    r["owner_id"].as_str().unwrap(),
                    r["state"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(lines, wanted);
        let people = bench.store.find_identity("wl-1").await.unwrap();
        let (owners, _) = bench.store.owner_lines_of(&people[0], now()).await.unwrap();
        let direct: Vec<String> = owners
            .iter()
            .map(|line| format!("{} {}", line.owner_id, line.state.word()))
            .collect();
        assert_eq!(direct, wanted, "the page says what the list says");
    }
    let without: Vec<Fact> = hr("active").facts[&Kind::Identity]
        .iter()
        .filter(|fact| fact.key() != "p2")
        .cloned()
        .collect();
    let gone = hr("active").with(Kind::Identity, without);
    read(&bench, "hr", &gone).await;
    bench.store.settle_ownership(now()).await.unwrap();
    let query = OwnersQuery {
        filters: vec![("state".to_owned(), "absent".to_owned())],
        ..everything()
    };
    let (rows, matching) = bench.store.owner_lines(&query).await.unwrap();
    assert_eq!((matching, &rows[0]["owner_id"]), (1, &json!("p2")));
    assert!(
        standings(&bench)
            .await
            .contains(&"wl-1 owner_left".to_owned())
    );
}

#[tokio::test]
async fn what_was_confirmed_is_attested_survives_syncs_and_can_be_undone() {
    let bench = estate().await;
    suggested(&bench).await;
    let batch = decide(&bench, "credential:corp:k1", "p1", OwnerVerdict::Confirmed).await;
    let after = suggested(&bench).await;
    assert!(
        !after.iter().any(|line| line.contains("corp:k1")),
        "{after:?}"
    );
    assert!(standings(&bench).await.contains(&"k1 owned".to_owned()));
    // Made anew after a sync, the lists say the same.
    read(&bench, "corp", &corp()).await;
    read(&bench, "hr", &hr("inactive")).await;
    let again = suggested(&bench).await;
    // The other key of the account has a sibling with an owner now.
    assert!(
        again.contains(&"strong technical credential:corp:k2 hr:p1".to_owned()),
        "{again:?}"
    );
    assert!(
        !again.iter().any(|line| line.contains("corp:k1")),
        "{again:?}"
    );
    let (lines, _) = bench.store.owner_lines(&everything()).await.unwrap();
    let attested: Vec<_> = lines.iter().filter(|l| l["basis"] == "attested").collect();
    assert_eq!(attested.len(), 1);
    assert_eq!(attested[0]["owner_id"], "p1");
    assert_eq!(attested[0]["confirmed_by"], "tester");
    assert_eq!(attested[0]["why"], "asked them");
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    assert_eq!(snapshot.attested_owners.len(), 1);
    assert_eq!(snapshot.attested_owners[0].owner_id.as_str(), "p1");
    let people = bench.store.find_identity("p1").await.unwrap();
    let (_, answers_for) = bench.store.owner_lines_of(&people[0], now()).await.unwrap();
    assert_eq!(answers_for.len(), 1);
    assert_eq!(
        (answers_for[0].basis, answers_for[0].owner_id.as_str()),
        (Basis::Attested, "p1")
    );

    let numbers: Vec<i64> = bench
        .store
        .owner_batch(batch)
        .await
        .unwrap()
        .iter()
        .map(|d| d.id)
        .collect();
    let undone = bench
        .store
        .undo_owner_decisions(&numbers, "wrong key", now())
        .await
        .unwrap();
    assert_eq!(undone, 1);
    assert_eq!(
        bench
            .store
            .undo_owner_decisions(&numbers, "", now())
            .await
            .unwrap(),
        0
    );
    assert_eq!(suggested(&bench).await, SUGGESTED);
    assert!(
        bench
            .store
            .load_snapshot(None)
            .await
            .unwrap()
            .attested_owners
            .is_empty()
    );
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn lists_are_ready_once_a_read_has_ended() {
    let bench = estate().await;
    let ready = async || bench.store.ownership_holds(now()).await.unwrap();
    assert!(ready().await, "nobody has asked for them yet");
    let found = async || {
        let rows = bench.store.owner_suggestions(&everything()).await;
        rows.unwrap().0
    };
    assert_eq!(found().await.len(), SUGGESTED.len());
    let mut writing = bench.store.begin().await.unwrap();
    sqlx::raw_sql("UPDATE owned SET name = 'as it was made'")
        .execute(&mut *writing.tx)
        .await
        .unwrap();
    writing.commit().await.unwrap();
    read(&bench, "corp", &corp()).await;
    let same = |row: &SuggestionRow| row.name.as_deref() == Some("as it was made");
    assert!(found().await.iter().all(same), "a read changed nothing");
    // A decision is followed line by line; what else it tells of, the next read says.
    decide(&bench, "credential:corp:k1", "p1", OwnerVerdict::Confirmed).await;
    assert!(ready().await);
    read(&bench, "corp", &corp()).await;
    assert!(ready().await);
    let found = found().await;
    let sibling = |row: &SuggestionRow| row.object.id == "k2" && row.strength == Strength::Strong;
    assert!(found.iter().any(sibling), "{found:?}");
}

#[tokio::test]
async fn lists_that_are_ready_follow_the_confirming_of_an_owner_who_is_away() {
    let bench = estate().await;
    assert!(standings(&bench).await.contains(&"k1 no_owner".to_owned()));
    let mut away = decision("credential:corp:k1", "p6", OwnerVerdict::Confirmed);
    away.owner_state = OwnerState::OnLeave;
    bench.store.decide_owners(&[away], now()).await.unwrap();
    let ready = standings(&bench).await;
    assert!(ready.contains(&"k1 owner_away".to_owned()), "{ready:?}");
}

#[tokio::test]
async fn what_was_rejected_is_not_asked_again_and_the_latest_decision_counts() {
    let bench = estate().await;
    suggested(&bench).await;
    decide(&bench, "credential:corp:k2", "p1", OwnerVerdict::Rejected).await;
    for _ in 0..2 {
        let lines = suggested(&bench).await;
        assert!(
            !lines.iter().any(|line| line.contains("corp:k2")),
            "{lines:?}"
        );
        read(&bench, "corp", &corp()).await;
    }
    let object = ObjectName::parse("credential:corp:k2").unwrap();
    decide(&bench, "credential:corp:k2", "p1", OwnerVerdict::Confirmed).await;
    let about = bench.store.owner_decisions_about(&object).await.unwrap();
    assert_eq!(about.len(), 1);
    assert_eq!(about[0].what, "confirmed");
    assert!(standings(&bench).await.contains(&"k2 owned".to_owned()));
    let batch = decide(&bench, "credential:corp:k2", "p1", OwnerVerdict::Rejected).await;
    assert!(standings(&bench).await.contains(&"k2 no_owner".to_owned()));
    // Undone, the confirmation before it stands again.
    let numbers: Vec<i64> = bench
        .store
        .owner_batch(batch)
        .await
        .unwrap()
        .iter()
        .map(|d| d.id)
        .collect();
    bench
        .store
        .undo_owner_decisions(&numbers, "", now())
        .await
        .unwrap();
    assert!(standings(&bench).await.contains(&"k2 owned".to_owned()));
}

#[tokio::test]
async fn many_decisions_at_once_are_one_batch_and_follow_the_lists() {
    let bench = estate().await;
    suggested(&bench).await;
    let many: Vec<NewOwnerDecision> = (0..600)
        .map(|n| {
            decision(
                &format!("credential:corp:x{n}"),
                "p1",
                OwnerVerdict::Confirmed,
            )
        })
        .collect();
    let batch = bench.store.decide_owners(&many, now()).await.unwrap();
    assert_eq!(bench.store.owner_batch(batch).await.unwrap().len(), 600);
    bench.store.settle_ownership(now()).await.unwrap();
    let (_, matching) = bench.store.owner_lines(&everything()).await.unwrap();
    assert_eq!(matching, 602);
    assert_eq!(
        standings(&bench).await.len(),
        7,
        "what no source has needs no owner"
    );
    let log = bench.store.log_window(0, 1000).await.unwrap();
    let said: usize = log
        .iter()
        .filter(|entry| entry.what == "owners decided")
        .filter_map(|entry| entry.payload.as_deref())
        .map(|payload| {
            let payload: Value = serde_json::from_str(payload).unwrap();
            payload["decisions"].as_array().unwrap().len()
        })
        .sum();
    assert_eq!(said, 600);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_earlier_sync_knows_nothing_of_what_was_confirmed_later() {
    let bench = estate().await;
    let before = bench.store.newest_sync().await.unwrap().unwrap().id;
    read(&bench, "corp", &corp()).await;
    decide(&bench, "credential:corp:k1", "p1", OwnerVerdict::Confirmed).await;
    let owners = |at| {
        let store = bench.store.clone();
        async move { store.load_snapshot(at).await.unwrap().attested_owners.len() }
    };
    assert_eq!(owners(Some(before)).await, 0);
    assert_eq!(owners(None).await, 1);
    let now = bench.store.newest_sync().await.unwrap().unwrap().id;
    assert_eq!(owners(Some(now)).await, 1);
}

#[test]
fn the_standings_in_lists_are_the_words_of_the_enum() {
    for standing in Standing::ALL {
        assert_eq!(Standing::from_word(standing.word()), Some(standing));
    }
    for state in OwnerState::ALL {
        assert_eq!(OwnerState::from_word(state.word()), Some(state));
    }
}

#[tokio::test]
async fn a_custodian_is_no_owner_in_any_list() {
    let bench = bench(&["hr", "corp"]).await;
    read(&bench, "hr", &hr("active")).await;
    let line = |role: &str| {
        json!({"object_type": "credential", "system": "corp", "object_id": "k4",
            "owner_id": "p1", "role": role})
    };
    let told = async || {
        bench.store.settle_ownership(now()).await.unwrap();
        let filters = vec![("object_id".to_owned(), "k4".to_owned())];
        let query = crate::views::ListQuery {
            search: String::new(),
            filters: Vec::new(),
            sort: String::new(),
            descending: false,
            offset: 0,
            limit: 10,
        };
        let found = crate::views::owned_lines(&bench.store, &filters, &query).await;
        let row = found.unwrap().rows.into_iter().next().unwrap();
        let owner = row.owner.map(|owner| owner.role);
        (row.of.standing, row.of.owners, owner)
    };
    let lines = |roles: &[&str]| roles.iter().map(|role| line(role)).collect::<Vec<_>>();
    let custodian = lines(&["custodian"]);
    read(
        &bench,
        "corp",
        &corp().with(Kind::Owner, facts("owner", &custodian)),
    )
    .await;
    assert_eq!(told().await, ("no_owner".to_owned(), 0, None));
    let both = lines(&["custodian", "business"]);
    read(
        &bench,
        "corp",
        &corp().with(Kind::Owner, facts("owner", &both)),
    )
    .await;
    let business = Some("business".to_owned());
    assert_eq!(told().await, ("owned".to_owned(), 1, business));
}

#[tokio::test]
async fn a_tag_on_a_workloads_account_says_who_answers_for_the_workload() {
    let bench = bench(&["hr", "corp"]).await;
    read(&bench, "hr", &hr("active")).await;
    let account = json!({"system": "corp", "id": "sa-wl-2", "kind": "service",
        "identity_id": "wl-2", "attributes": {"sponsor": "ann.smith@bank.example"}});
    let corp = Seeded::new(4).with(Kind::Account, facts("account", &[account]));
    read(&bench, "corp", &corp).await;
    let all = suggested(&bench).await;
    let tagged = "strong sponsor identity:hr:wl-2 hr:p1".to_owned();
    assert!(all.contains(&tagged), "{all:?}");
    assert!(!all.iter().any(|line| line.contains("sa-wl-2")), "{all:?}");
}
