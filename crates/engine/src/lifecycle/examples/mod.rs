//! Small worlds written as a few lines of CSV, and what the rehearsal says of them.

mod covered;
mod judgement;
mod places;
mod tried;
mod worlds;

use super::*;
use crate::access::{Graph, Snapshot};
use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::*;
use std::collections::BTreeMap;

type Row = BTreeMap<String, String>;

/// The rows of each file, by the file's stem.
fn rows_of_csv(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn cell<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.get(column)
        .map(String::as_str)
        .filter(|text| !text.is_empty())
}

fn text(row: &Row, column: &str) -> Option<String> {
    cell(row, column).map(str::to_owned)
}

fn flag(row: &Row, column: &str) -> Option<bool> {
    cell(row, column).map(|word| word == "true")
}

fn when(row: &Row, column: &str) -> Option<When> {
    cell(row, column).map(|text| When::At(moment(text)))
}

fn word<T>(row: &Row, column: &str, from_word: impl Fn(&str) -> Option<T>) -> Option<T> {
    cell(row, column).map(|word| from_word(word).unwrap())
}

fn id<T: From<String>>(row: &Row, column: &str) -> Option<T> {
    text(row, column).map(T::from)
}

fn need<T: From<String>>(row: &Row, column: &str) -> T {
    id(row, column).unwrap()
}

fn principal(row: &Row) -> Principal {
    Principal {
        kind: word(row, "principal_type", PrincipalType::from_word).unwrap(),
        system: id(row, "principal_system").unwrap_or_else(|| need(row, "system")),
        id: text(row, "principal_id").unwrap(),
    }
}

/// A snapshot from files: (stem, CSV text).
fn snapshot<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Snapshot {
    let mut world = Snapshot::default();
    let attributes = Attributes::new;
    for (stem, csv) in files {
        for row in &rows_of_csv(csv) {
            match stem {
                "identities" => world.identities.push(Identity {
                    id: need(row, "id"),
                    kind: word(row, "kind", IdentityKind::from_word).unwrap(),
                    display_name: text(row, "display_name"),
                    email: None,
                    status: word(row, "status", IdentityStatus::from_word),
                    department: None,
                    title: None,
                    manager_id: None,
                    employer_id: id(row, "employer_id"),
                    location: None,
                    start_date: None,
                    end_date: None,
                    leaver_kind: word(row, "leaver_kind", LeaverKind::from_word),
                    purpose: None,
                    allowed_tools: None,
                    attributes: attributes(),
                }),
                "accounts" => world.accounts.push(Account {
                    system: need(row, "system"),
                    id: need(row, "id"),
                    name: None,
                    kind: word(row, "kind", AccountKind::from_word),
                    identity_id: id(row, "identity_id"),
                    email: None,
                    enabled: flag(row, "enabled"),
                    local_sign_in: flag(row, "local_sign_in"),
                    signs_in_through_system: id(row, "signs_in_through_system"),
                    signs_in_through_id: id(row, "signs_in_through_id"),
                    mfa: None,
                    privileged: flag(row, "privileged"),
                    environment: text(row, "environment"),
                    created_at: None,
                    created_by: None,
                    last_used_at: None,
                    last_interactive_at: None,
                    disabled_at: None,
                    expires_at: when(row, "expires_at"),
                    attributes: attributes(),
                }),
                "entitlements" => world.entitlements.push(Entitlement {
                    system: need(row, "system"),
                    id: need(row, "id"),
                    name: None,
                    kind: word(row, "kind", EntitlementKind::from_word),
                    privileged: flag(row, "privileged"),
                    environment: text(row, "environment"),
                    attributes: attributes(),
                }),
                "grants" => world.grants.push(Grant {
                    system: need(row, "system"),
                    entitlement_id: need(row, "entitlement_id"),
                    principal: principal(row),
                    assignment: word(row, "assignment", Assignment::from_word),
                    granted_at: None,
                    granted_by: None,
                    approved_by: None,
                    ticket: None,
                    reason: None,
                    last_used_at: None,
                    expires_at: when(row, "expires_at"),
                    attributes: attributes(),
                }),
                "credentials" => world.credentials.push(Credential {
                    system: need(row, "system"),
                    id: need(row, "id"),
                    kind: word(row, "kind", CredentialKind::from_word).unwrap(),
                    account_id: id(row, "account_id"),
                    name: None,
                    enabled: flag(row, "enabled"),
                    environment: text(row, "environment"),
                    created_at: None,
                    created_by: text(row, "created_by"),
                    rotated_at: None,
                    revoked_at: when(row, "revoked_at"),
                    expires_at: when(row, "expires_at"),
                    last_used_at: None,
                    fingerprint: id(row, "fingerprint"),
                    attributes: attributes(),
                }),
                "locations" => world.locations.push(Location {
                    system: need(row, "system"),
                    path: need(row, "path"),
                    credential_system: id(row, "credential_system"),
                    credential_id: id(row, "credential_id"),
                    kind: word(row, "kind", LocationKind::from_word),
                    environment: text(row, "environment"),
                    fingerprint: id(row, "fingerprint"),
                    last_rotated_at: None,
                    attributes: attributes(),
                }),
                "readers" => world.readers.push(Reader {
                    system: need(row, "system"),
                    path: need(row, "path"),
                    principal: principal(row),
                    attributes: attributes(),
                }),
                "controls" => world.controls.push(Control {
                    system: need(row, "system"),
                    account_id: need(row, "account_id"),
                    principal: principal(row),
                    means: word(row, "means", ControlMeans::from_word).unwrap(),
                    attributes: attributes(),
                }),
                "owners" => world.owners.push(Owner {
                    object_type: word(row, "object_type", ObjectType::from_word).unwrap(),
                    system: id(row, "system"),
                    object_id: text(row, "object_id").unwrap(),
                    owner_id: need(row, "owner_id"),
                    role: word(row, "role", OwnerRole::from_word).unwrap(),
                    attributes: attributes(),
                }),
                other => panic!("unknown file {other}"),
            }
        }
    }
    world
}

fn rehearse(world: &Snapshot, plan: &str, who: &str) -> Rehearsal {
    rehearse_leaver(
        &Graph::build(world),
        &Plan::parse(plan).unwrap(),
        &Leaver::Identity(who.into()),
        moment("2026-06-01T00:00:00Z"),
        &RehearsalSettings::default(),
    )
}

const SMALL: &[(&str, &str)] = &[
    (
        "identities",
        "id,kind,employer_id,leaver_kind\nann,person,,\nacme,vendor,,\nbob,person,acme,\nbot,workload,,\n",
    ),
    (
        "accounts",
        "system,id,identity_id,enabled,local_sign_in,kind,signs_in_through_id,expires_at\n\
      ad,ann,ann,true,true,human,,\nad,bob,bob,true,true,human,,\nad,loop,ann,true,false,human,loop,\n\
      ad,lost,ann,true,false,human,nobody,\nad,off,ann,false,true,human,,\nad,old,ann,true,true,human,,2026-06-01T00:00:00Z\n\
      ad,svc,,true,true,service,,\nad,bot,bot,,true,service,,\n",
    ),
];

/// Lines `kind system:id [on account] closes` of what is left of a small world with more rows.
fn left(more: &[(&str, &str)], plan: &str, who: &str) -> Vec<String> {
    let world = snapshot(SMALL.iter().chain(more).copied());
    let found = rehearse(&world, plan, who);
    let items = found.residual.iter();
    items
        .map(|item| {
            let on = item
                .on_account
                .as_ref()
                .map_or(String::new(), |a| format!(" on {a}"));
            let kind = serde_json::to_value(item.kind).unwrap();
            let closes = item.closes_at.to_text();
            let closes = closes
                .trim_start_matches("2026-06-")
                .trim_end_matches(":00Z");
            format!(
                "{} {}:{}{on} {closes}",
                kind.as_str().unwrap(),
                item.system,
                item.id
            )
        })
        .collect()
}

fn step(does: &str, within: &str) -> String {
    format!("[[step]]\non = \"leaver\"\nsystem = \"*\"\ndoes = \"{does}\"\nwithin = \"{within}\"\n")
}
