//! The worked examples of docs/semantics.md, by hand: the reference must get them right itself.

use super::{Item, Reading, World, rehearse};
use chrono::{TimeZone, Utc};
use lastkey_engine::access::Snapshot;
use lastkey_engine::lifecycle::Plan;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn rows<Row: DeserializeOwned>(rows: Value) -> Vec<Row> {
    serde_json::from_value(rows).unwrap()
}

fn account(system: &str, id: &str, identity: Option<&str>) -> Value {
    json!({"system": system, "id": id, "identity_id": identity, "enabled": true,
        "local_sign_in": true})
}
fn holds(system: &str, account: &str, entitlement: &str) -> Value {
    json!({"system": system, "entitlement_id": entitlement,
        "principal": {"kind": "account", "system": system, "id": account}})
}
fn step(does: &str, system: &str, minutes: i64) -> Value {
    json!({"on": "leaver", "system": system, "does": does, "within": minutes * 60, "line": 1})
}

fn ann(steps: Vec<Value>) -> World {
    World {
        lost: None,
        begun: None,
        snapshot: Snapshot {
            identities: rows(json!([{"id": "ann", "kind": "person"}])),
            accounts: rows(json!([
                account("ad", "ann", Some("ann")),
                account("aws", "ann", Some("ann")),
                account("pg", "app", None),
            ])),
            grants: rows(json!([
                holds("ad", "ann", "ops"),
                holds("aws", "ann", "billing"),
                holds("pg", "app", "superuser"),
            ])),
            credentials: rows(json!([
                {"system": "aws", "id": "AK1", "kind": "access_key", "account_id": "ann"},
                {"system": "pg", "id": "app-pw", "kind": "password", "account_id": "app"},
            ])),
            locations: rows(json!([
                {"system": "vault", "path": "/db/prod", "credential_system": "pg",
                    "credential_id": "app-pw"},
            ])),
            readers: rows(json!([
                {"system": "vault", "path": "/db/prod",
                    "principal": {"kind": "entitlement", "system": "ad", "id": "ops"}},
            ])),
            ..Snapshot::default()
        },
        plan: Plan {
            steps: rows(Value::Array(steps)),
            ..Plan::default()
        },
        leaver: "ann".into(),
        at: Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap(),
    }
}

/// What is left, as `kind system:id minutes`, sorted as in lists.
fn check(example: &str, world: &World, expected: &[&str]) {
    let answer = rehearse(world, Reading::ToTheLetter);
    let left: Vec<String> = answer
        .residual
        .iter()
        .map(|left| {
            let closes = left.closes_at.map_or("never".to_owned(), |at| {
                (at - world.at).num_minutes().to_string()
            });
            let what = match &left.item {
                Item::Account((system, id)) => format!("account {system}:{id}"),
                Item::Credential((system, id)) => format!("credential {system}:{id}"),
                Item::Entitlement((system, id), on) => {
                    format!("entitlement {system}:{id} on {}:{}", on.0, on.1)
                }
                Item::Location((system, id)) => format!("location {system}:{id}"),
            };
            format!("{what} {closes}")
        })
        .collect();
    assert_eq!(left, expected, "{example}");
}

#[test]
fn worked_example() {
    check(
        "worked-example",
        &ann(vec![step("disable_account", "ad", 15)]),
        &[
            "account ad:ann 15",
            "account aws:ann never",
            "account pg:app never",
            "credential aws:AK1 never",
            "credential pg:app-pw never",
            "entitlement ad:ops on ad:ann 15",
            "entitlement aws:billing on aws:ann never",
            "entitlement pg:superuser on pg:app never",
            "location vault:/db/prod 15",
        ],
    );
}

#[test]
fn rotated_in_time_and_too_early() {
    for (minutes, closes) in [(24 * 60, "1440"), (15, "15"), (5, "never")] {
        let app = |item: &str| format!("{item} {closes}");
        let (account, secret, role) = (
            app("account pg:app"),
            app("credential pg:app-pw"),
            app("entitlement pg:superuser on pg:app"),
        );
        let steps = vec![
            step("disable_account", "ad", 15),
            step("rotate_known_secrets", "vault", minutes),
        ];
        check(
            &format!("rotated after {minutes} minutes"),
            &ann(steps),
            &[
                "account ad:ann 15",
                "account aws:ann never",
                &account,
                "credential aws:AK1 never",
                &secret,
                "entitlement ad:ops on ad:ann 15",
                "entitlement aws:billing on aws:ann never",
                &role,
                "location vault:/db/prod 15",
            ],
        );
    }
}

#[test]
fn federated() {
    let mut world = ann(vec![step("disable_account", "ad", 15)]);
    world.snapshot.credentials.remove(0);
    let aws = &mut world.snapshot.accounts[1];
    aws.local_sign_in = Some(false);
    aws.signs_in_through_system = Some("ad".into());
    aws.signs_in_through_id = Some("ann".into());
    world.plan.systems = rows(json!([{"name": "aws", "session_lifetime": 8 * 3600}]));
    check(
        "federated",
        &world,
        &[
            "account ad:ann 15",
            "account aws:ann 495",
            "account pg:app never",
            "credential pg:app-pw never",
            "entitlement ad:ops on ad:ann 15",
            "entitlement aws:billing on aws:ann 495",
            "entitlement pg:superuser on pg:app never",
            "location vault:/db/prod 15",
        ],
    );
}
