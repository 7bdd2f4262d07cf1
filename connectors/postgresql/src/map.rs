//! Rows become facts. Ids are the server's own numbers for roles, which no renaming changes and no
//! other role is given.

use lastkey_contract::facts::{
    Account, Attributes, Credential, Entitlement, Grant, Principal, Session,
};
use lastkey_contract::facts::{CredentialKind, EntitlementKind, PrincipalType};
use lastkey_contract::{Fact, SystemName, When};
use tokio_postgres::{Error, Row};

fn text(row: &Row, name: &str) -> Result<Option<String>, Error> {
    row.try_get::<_, Option<String>>(name)
}

fn needed(row: &Row, name: &str) -> Result<String, Error> {
    row.try_get::<_, String>(name)
}

fn flag(row: &Row, name: &str) -> Result<bool, Error> {
    row.try_get::<_, bool>(name)
}

fn moment(row: &Row, name: &str) -> Result<Option<When>, Error> {
    Ok(text(row, name)?.as_deref().and_then(When::parse))
}

/// The place of a row in its list.
pub fn key(row: &Row) -> Result<String, Error> {
    needed(row, "key")
}

pub fn account(system: &SystemName, row: &Row) -> Result<Fact, Error> {
    const ATTRIBUTES: [&str; 5] = [
        "superuser",
        "createrole",
        "createdb",
        "replication",
        "bypassrls",
    ];
    let mut attributes = Attributes::new();
    let mut privileged = false;
    for name in ATTRIBUTES {
        if flag(row, name)? {
            attributes.insert(name.to_owned(), "yes".to_owned());
            privileged |= name != "createdb";
        }
    }
    for name in ["connection_limit", "comment"] {
        if let Some(value) = text(row, name)? {
            attributes.insert(name.to_owned(), value);
        }
    }
    if flag(row, "dropped")? {
        attributes.insert("dropped".to_owned(), "yes".to_owned());
    }
    Ok(Fact::Account(Account {
        name: text(row, "name")?,
        enabled: Some(flag(row, "login")? && !flag(row, "past")?),
        privileged: Some(privileged),
        expires_at: moment(row, "valid_until")?,
        attributes,
        ..Account::of(system.clone(), needed(row, "oid")?)
    }))
}

pub fn entitlement(system: &SystemName, row: &Row) -> Result<Fact, Error> {
    Ok(Fact::Entitlement(Entitlement {
        system: system.clone(),
        id: key(row)?.into(),
        name: text(row, "name")?,
        kind: EntitlementKind::from_word(&needed(row, "kind")?),
        privileged: Some(flag(row, "privileged")?),
        environment: None,
        attributes: Attributes::new(),
    }))
}

pub fn grant(system: &SystemName, row: &Row) -> Result<Fact, Error> {
    let kind = match needed(row, "kind")?.as_str() {
        "account" => PrincipalType::Account,
        _ => PrincipalType::Entitlement,
    };
    let mut attributes = Attributes::new();
    if flag(row, "may_pass_on")? {
        attributes.insert("may_pass_on".to_owned(), "yes".to_owned());
    }
    // of what is gathered by schema: the first twenty by name, and how many in all
    for (name, column) in [("on", "names"), ("count", "count")] {
        if let Some(value) = text(row, column)? {
            attributes.insert(name.to_owned(), value);
        }
    }
    Ok(Fact::Grant(Grant {
        attributes,
        ..Grant::of(
            Principal::of(system.clone(), kind, needed(row, "id")?),
            needed(row, "entitlement")?,
        )
    }))
}

pub fn credential(system: &SystemName, row: &Row) -> Result<Fact, Error> {
    let oid = needed(row, "oid")?;
    let id = format!("password/{oid}");
    let open = flag(row, "login")? && !flag(row, "past")?;
    let changed = text(row, "changed")?;
    let attributes = changed.map(|at| ("not_changed_since".to_owned(), at));
    Ok(Fact::Credential(Credential {
        attributes: attributes.into_iter().collect(),
        name: text(row, "name")?.map(|name| format!("password of {name}")),
        // that it is there, and works, is not told
        enabled: (!open).then_some(false),
        expires_at: moment(row, "valid_until")?,
        ..Credential::of(system.clone(), id.as_str(), CredentialKind::Password, &oid)
    }))
}

pub fn session(system: &SystemName, row: &Row) -> Result<Fact, Error> {
    let mut attributes = Attributes::new();
    for name in ["database", "address", "application", "state"] {
        if let Some(value) = text(row, name)?.filter(|value| !value.is_empty()) {
            attributes.insert(name.to_owned(), value);
        }
    }
    let place = key(row)?;
    // the process and when it began; the account stands beside it
    let id = place.split_once('/').map_or(place.as_str(), |(_, id)| id);
    Ok(Fact::Session(Session {
        system: system.clone(),
        account_id: needed(row, "account")?.into(),
        id: id.trim_start_matches('0').into(),
        started_at: moment(row, "started")?,
        last_seen_at: moment(row, "seen")?,
        expires_at: None,
        attributes,
    }))
}

/// Whether the details of a session are hidden from this login.
pub fn is_hidden(row: &Row) -> Result<bool, Error> {
    flag(row, "hidden")
}
