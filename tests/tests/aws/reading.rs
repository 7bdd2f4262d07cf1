//! What is read of a company with the least rights, and who may read and assume what.

use crate::estate::*;
use lastkey_contract::{Kind, NoteKind};
use serde_json::Value;
use std::collections::BTreeSet;

fn pairs<'a>(lines: &'a [Value], one: &str, other: &'a str) -> BTreeSet<(&'a str, &'a str)> {
    lines
        .iter()
        .map(|line| {
            (
                line["principal"]["id"].as_str().unwrap(),
                line[one].as_str().unwrap_or(other),
            )
        })
        .collect()
}

#[test]
fn an_account_is_read_with_the_least_rights() {
    let Some(estate) = Estate::or_not_run("an AWS account is read with the least rights") else {
        return;
    };
    let (facts, notes) = read_all(estate.connector(&[]));
    let cut: Vec<_> = notes
        .iter()
        .filter(|n| !n.kind.keeps_completeness())
        .collect();
    assert!(cut.is_empty(), "{cut:?}");

    let accounts = by(&facts[&Kind::Account], "name");
    let ann = &accounts["ann"];
    assert_eq!(
        (&ann["kind"], &ann["local_sign_in"]),
        (&"human".into(), &true.into())
    );
    assert_eq!(ann["attributes"]["tag:team"], "ops");
    assert_eq!(
        accounts["idle"]["local_sign_in"], false,
        "nothing to sign in with"
    );
    assert_eq!(accounts["root"]["id"], ACCOUNT);
    assert_eq!(
        accounts["machine"]["attributes"]["trusted_services"],
        "ec2.amazonaws.com"
    );
    let pipeline = &accounts["pipeline"];
    assert_eq!(pipeline["privileged"], true);
    assert_eq!(pipeline["attributes"]["ways_up"], "iam:CreateAccessKey");
    assert_eq!(ann["privileged"], false);
    let outside = by(&facts[&Kind::Account], "id");
    assert!(outside["444455556666"]["attributes"]["third_party"].is_string());

    let entitlements = by(&facts[&Kind::Entitlement], "name");
    assert_eq!(entitlements["operators"]["kind"], "group");
    assert_eq!(entitlements["keys-for-all"]["privileged"], true);
    assert_eq!(
        entitlements["token.actions.githubusercontent.com"]["kind"],
        "trust"
    );

    let grants = lines(&facts[&Kind::Grant]);
    let held = pairs(&grants, "entitlement_id", "");
    let id = |name: &str| accounts[name]["id"].as_str().unwrap();
    assert!(held.contains(&(id("ann"), entitlements["operators"]["id"].as_str().unwrap())));
    assert!(held.contains(&(
        id("pipeline"),
        entitlements["keys-for-all"]["id"].as_str().unwrap()
    )));

    let credentials = by(&facts[&Kind::Credential], "account_id");
    assert!(credentials.contains_key(id("ann")) && credentials.contains_key(id("bob")));
    let password = by(&facts[&Kind::Credential], "id");
    assert_eq!(
        password[&format!("password/{}", id("ann"))]["kind"],
        "password"
    );

    let locations = by(&facts[&Kind::Location], "path");
    let expected = [
        "secretsmanager/eu-west-1/db/prod",
        "secretsmanager/eu-west-1/db/shared",
        "secretsmanager/eu-west-1/web/session",
        "ssm/eu-west-1/app/key",
    ];
    assert_eq!(
        locations.keys().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(locations[expected[0]]["attributes"]["tag:app"], "shop");
    assert!(locations[expected[0]]["last_rotated_at"].is_string());
    let told = format!("{facts:?} {notes:?}");
    for canary in CANARIES {
        assert!(!told.contains(canary), "{canary}");
    }
}

fn lines(facts: &[lastkey_contract::Fact]) -> Vec<Value> {
    facts
        .iter()
        .map(|fact| serde_json::to_value(fact).unwrap())
        .collect()
}

#[test]
fn who_can_read_and_who_can_assume() {
    let Some(estate) = Estate::or_not_run("who can read a secret of AWS") else {
        return;
    };
    let (facts, notes) = read_all(estate.connector(&[]));
    let accounts = by(&facts[&Kind::Account], "name");
    let id = |name: &str| accounts[name]["id"].as_str().unwrap();
    let readers = lines(&facts[&Kind::Reader]);
    let of = |path: &str, name: &str| {
        readers
            .iter()
            .find(|line| line["path"] == path && line["principal"]["id"] == id(name))
    };
    let (prod, shared, session, key) = (
        "secretsmanager/eu-west-1/db/prod",
        "secretsmanager/eu-west-1/db/shared",
        "secretsmanager/eu-west-1/web/session",
        "ssm/eu-west-1/app/key",
    );
    let by_group = of(prod, "ann").expect("by her group");
    assert!(
        by_group["attributes"]["by"]
            .as_str()
            .unwrap()
            .contains("operators/db")
    );
    assert!(of(prod, "deploy").is_some());
    assert!(of(shared, "ann").is_some());
    assert!(
        of(shared, "deploy").is_none(),
        "the secret's own policy denies it"
    );
    assert!(of(session, "ann").is_none() && of(session, "root").is_some());
    assert!(
        of(prod, "lastkey-reader").is_none(),
        "the reader reads no value"
    );
    let office = of(key, "bob").expect("from the office");
    assert_eq!(office["attributes"]["evidence"], "weaker");
    assert!(
        office["attributes"]["hangs_on"]
            .as_str()
            .unwrap()
            .contains("aws:SourceIp")
    );
    assert!(notes.iter().any(|n| n.about == Kind::Reader
        && n.kind == NoteKind::Remark
        && n.reason.contains("hangs on")));

    let controls = lines(&facts[&Kind::Control]);
    let over = |name: &str, who: &str, means: &str| {
        controls.iter().find(|line| {
            line["account_id"] == id(name)
                && line["principal"]["id"] == who
                && line["means"] == means
        })
    };
    assert!(over("deploy", id("bob"), "assume").is_some());
    assert!(over("deploy", id("ann"), "assume").is_none());
    let vendor = over("vendor-support", "444455556666", "assume").expect("the third party");
    assert!(
        vendor["attributes"]["conditions"]
            .as_str()
            .unwrap()
            .contains("x-17")
    );
    assert!(
        vendor["attributes"]["hangs_on"]
            .as_str()
            .unwrap()
            .contains("sts:ExternalId")
    );
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let pipeline = over("pipeline", &provider, "assume").expect("the pipeline");
    assert!(
        pipeline["attributes"]["conditions"]
            .as_str()
            .unwrap()
            .contains("repo:example/shop")
    );
    assert!(over("ann", id("pipeline"), "mint_credential").is_some());
    assert!(over("ann", id("bob"), "mint_credential").is_none());
}
