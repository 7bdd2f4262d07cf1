//! The page of one identity: what it has, through what, and how each is known.

use super::lists::identity_row;
use super::{
    AccountLine, CredentialLine, EntitlementLine, FactLine, IdentityCounts, IdentityDetail,
    IdentityThen, OwnerLine, PlaceLine,
};
use crate::correlate::{Merged, merged};
use crate::lifecycle::Basis;
use crate::store::{
    End, OwnerLineRow, PersonLink, PersonRow, RecordName, Store, StoreError, SyncId, UNIT, named,
    principal_ref,
};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{
    Credential, Entitlement, Grant, Identity, Location, ObjectType, OwnerRole, Principal,
    PrincipalType, Reader,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// How many lines a list of the page shows; its count is of all.
const SHOWN: usize = 500;

/// What a name of an identity led to.
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityLookup {
    Found(Box<IdentityDetail>),
    /// `source:id` of each.
    Several(Vec<String>),
    Unknown,
}

/// The page of the identity that `id` names: bare where unique, or `source:id`.
pub async fn identity(
    store: &Store,
    id: &str,
    now: DateTime<Utc>,
) -> Result<IdentityLookup, StoreError> {
    let mut found = store.find_identity(id).await?;
    let (Some(person), true) = (found.pop(), found.is_empty()) else {
        let mut names: Vec<String> = store
            .find_identity(id)
            .await?
            .iter()
            .map(|p| format!("{}:{}", p.source_name, p.id))
            .collect();
        names.sort();
        return Ok(if names.is_empty() {
            IdentityLookup::Unknown
        } else {
            IdentityLookup::Several(names)
        });
    };
    Ok(IdentityLookup::Found(Box::new(
        detail(store, person, now).await?,
    )))
}

async fn detail(
    store: &Store,
    person: PersonRow,
    now: DateTime<Utc>,
) -> Result<IdentityDetail, StoreError> {
    let (fact, said_by) = together(store, &person).await?;
    let links = store.accounts_of(&person.source_name, &person.id).await?;
    let held = held_entitlements(store, &links, now, None).await?;
    let owned = Owned::load(store, &person, now).await?;
    let places = readable_places(store, &held).await?;
    let credentials = credentials(store, &links, &owned, &places).await?;
    let history = super::events::events_of(store, &person.source_name, &person.id, now).await?;
    let counts = IdentityCounts {
        accounts: count(links.len()),
        entitlements: count(held.lines.len()),
        credentials: count(credentials.len()),
        places: count(places.len()),
        owners: count(owned.owners.len()),
        answers_for: count(owned.answers_for.len()),
    };
    Ok(IdentityDetail {
        facts: fact_lines(&fact, &said_by),
        row: identity_row(person),
        accounts: cut(links.iter().map(account_line).collect()),
        entitlements: cut(held.lines),
        credentials: cut(credentials),
        places: cut(places),
        owners: cut(owned.owners),
        answers_for: cut(owned.answers_for),
        history,
        counts,
    })
}

/// An identity as it stood after a sync: its record, its accounts and what they held. `text` is its
/// id, or `source:id`; empty where it was not there, several where several sources had it.
pub async fn identity_then(
    store: &Store,
    text: &str,
    sync: SyncId,
    at: DateTime<Utc>,
) -> Result<Vec<IdentityThen>, StoreError> {
    let mut found = store.identity_then(text, sync).await?;
    if let (true, Some((source, id))) = (found.is_empty(), text.split_once(':')) {
        found = store.identity_then(id, sync).await?;
        found.retain(|(name, _)| name == source);
    }
    let mut all = Vec::new();
    for (source, fact) in found {
        let record = RecordName {
            source: source.clone(),
            id: fact.id.to_string(),
        };
        let links = store.accounts_then(&record, sync).await?;
        let held = held_entitlements(store, &links, at, Some(sync)).await?;
        all.push(IdentityThen {
            id: fact.id.to_string(),
            kind: fact.kind.to_string(),
            display_name: fact.display_name.clone(),
            status: fact.status.map(|s| s.to_string()),
            facts: fact_lines(&fact, &BTreeMap::new()),
            account_count: count(links.len()),
            accounts: cut(links.iter().map(account_line).collect()),
            entitlement_count: count(held.lines.len()),
            entitlements: cut(held.lines),
            source,
        });
    }
    Ok(all)
}

fn cut<T>(mut lines: Vec<T>) -> Vec<T> {
    lines.truncate(SHOWN);
    lines
}

fn count(length: usize) -> u64 {
    length.try_into().unwrap_or(u64::MAX)
}

/// What a person's records say together, and which record says each column where there are
/// several.
pub async fn together(
    store: &Store,
    person: &PersonRow,
) -> Result<(Identity, BTreeMap<String, String>), StoreError> {
    let first = store.identity_fact(person.object).await?;
    let own = RecordName {
        source: person.source_name.clone(),
        id: person.id.clone(),
    };
    let mut names = vec![own.to_string()];
    let mut others = Vec::new();
    for (record, _) in store.records_of(&own).await? {
        if record != own
            && let Some(fact) = store.record_fact(&record).await?
        {
            names.push(record.to_string());
            others.push(fact);
        }
    }
    if others.is_empty() {
        return Ok((first, BTreeMap::new()));
    }
    let others: Vec<&Identity> = others.iter().collect();
    let Merged { identity, origins } = merged(&first, &others);
    let said_by = origins
        .into_iter()
        .filter_map(|(column, place)| Some((column, names.get(place)?.clone())))
        .collect();
    Ok((identity, said_by))
}

fn fact_lines(fact: &Identity, said_by: &BTreeMap<String, String>) -> Vec<FactLine> {
    let text = |t: &Option<String>| t.clone();
    let mut lines = Vec::new();
    let mut line = |label: &str, column: &str, value: Option<String>, identity: Option<String>| {
        if let Some(value) = value {
            lines.push(FactLine {
                label: label.to_owned(),
                value,
                basis: Basis::Observed,
                identity,
                record: said_by.get(column).cloned(),
            });
        }
    };
    let manager = fact.manager_id.as_ref().map(|i| i.to_string());
    let employer = fact.employer_id.as_ref().map(|i| i.to_string());
    line("Name", "display_name", text(&fact.display_name), None);
    line("Kind", "kind", Some(fact.kind.to_string()), None);
    line("Mail", "email", text(&fact.email), None);
    line("Status", "status", fact.status.map(|s| s.to_string()), None);
    line("Department", "department", text(&fact.department), None);
    line("Title", "title", text(&fact.title), None);
    line("Manager", "manager_id", manager.clone(), manager);
    line("Employer", "employer_id", employer.clone(), employer);
    line("Location", "location", text(&fact.location), None);
    line(
        "Start",
        "start_date",
        fact.start_date.map(|d| d.to_text()),
        None,
    );
    line(
        "Last day",
        "end_date",
        fact.end_date.map(|d| d.to_text()),
        None,
    );
    line(
        "Leaver",
        "leaver_kind",
        fact.leaver_kind.map(|k| k.to_string()),
        None,
    );
    line("Purpose", "purpose", text(&fact.purpose), None);
    line(
        "Allowed tools",
        "allowed_tools",
        text(&fact.allowed_tools),
        None,
    );
    for (name, value) in &fact.attributes {
        let column = format!("attributes.{name}");
        line(name, &column, Some(value.clone()), None);
    }
    lines
}

fn account_line(link: &PersonLink) -> AccountLine {
    let account = &link.account;
    AccountLine {
        system: account.system.to_string(),
        id: account.id.to_string(),
        name: account.name.clone(),
        kind: account.kind.map(|k| k.to_string()),
        matched_by: link.rule.clone(),
        basis: link.basis,
        enabled: account.enabled,
        privileged: account.privileged,
        last_used_at: account.last_used_at.map(|t| t.to_text()),
        expires_at: account.expires_at.map(|t| t.to_text()),
        source: link.source.clone(),
    }
}

fn account_principal(link: &PersonLink) -> Principal {
    Principal {
        kind: PrincipalType::Account,
        system: link.account.system.clone(),
        id: link.account.id.to_string(),
    }
}

/// What the accounts hold, directly and through nesting.
struct HeldBy {
    lines: Vec<EntitlementLine>,
    /// Each principal through which something is read: its reference, how it is written, and its basis.
    principals: BTreeMap<String, (String, Basis)>,
}

async fn held_entitlements(
    store: &Store,
    links: &[PersonLink],
    now: DateTime<Utc>,
    as_of: Option<SyncId>,
) -> Result<HeldBy, StoreError> {
    // Layer by layer: one lookup per depth of nesting, whatever the number of accounts.
    let mut holds: HashMap<String, Vec<Grant>> = HashMap::new();
    let mut layer: Vec<String> = links
        .iter()
        .map(|l| principal_ref(&account_principal(l)))
        .collect();
    while !layer.is_empty() {
        for name in &layer {
            holds.entry(name.clone()).or_default();
        }
        let grants: Vec<(i64, Grant)> = store
            .facts_then(Kind::Grant, End::From, &layer, as_of)
            .await?;
        let mut next = BTreeSet::new();
        for (_, grant) in grants {
            if grant.expires_at.is_some_and(|at| at.as_expiry() <= now) {
                continue;
            }
            let member = member_ref(&grant);
            if !holds.contains_key(&member) {
                next.insert(member);
            }
            holds
                .entry(principal_ref(&grant.principal))
                .or_default()
                .push(grant);
        }
        layer = next.into_iter().collect();
    }
    let mut principals = BTreeMap::new();
    let mut reached: Vec<(String, Vec<String>, usize)> = Vec::new();
    for (n, link) in links.iter().enumerate() {
        let start = principal_ref(&account_principal(link));
        let shown = written(&account_principal(link));
        principals
            .entry(start.clone())
            .or_insert((shown, link.basis));
        let mut seen = BTreeSet::from([start.clone()]);
        let mut queue = VecDeque::from([(start, Vec::new())]);
        while let Some((at, through)) = queue.pop_front() {
            for grant in holds.get(&at).into_iter().flatten() {
                let member = member_ref(grant);
                if !seen.insert(member.clone()) {
                    continue;
                }
                let mut beyond = through.clone();
                beyond.push(format!("{}:{}", grant.system, grant.entitlement_id));
                principals
                    .entry(member.clone())
                    .or_insert((beyond.last().cloned().unwrap_or_default(), link.basis));
                reached.push((
                    named(grant.system.as_str(), grant.entitlement_id.as_str()),
                    through.clone(),
                    n,
                ));
                queue.push_back((member, beyond));
            }
        }
    }
    let keys: BTreeSet<String> = reached.iter().map(|(key, ..)| key.clone()).collect();
    let keys: Vec<String> = keys.into_iter().collect();
    let known: Vec<(i64, Entitlement)> = store
        .facts_then(Kind::Entitlement, End::Key, &keys, as_of)
        .await?;
    let known: HashMap<String, Entitlement> = known
        .into_iter()
        .map(|(_, e)| (named(e.system.as_str(), e.id.as_str()), e))
        .collect();
    let mut lines: Vec<EntitlementLine> = reached
        .into_iter()
        .filter_map(|(key, through, n)| {
            let link = links.get(n)?;
            let (system, id) = key.split_once(UNIT)?;
            let entitlement = known.get(&key);
            Some(EntitlementLine {
                system: system.to_owned(),
                id: id.to_owned(),
                name: entitlement.and_then(|e| e.name.clone()),
                kind: entitlement.and_then(|e| e.kind).map(|k| k.to_string()),
                privileged: entitlement.and_then(|e| e.privileged),
                on_account: format!("{}:{}", link.account.system, link.account.id),
                // Nearest to the entitlement first.
                through: through.into_iter().rev().collect(),
                basis: link.basis,
            })
        })
        .collect();
    lines.sort_by(|a, b| (&a.system, &a.id, &a.on_account).cmp(&(&b.system, &b.id, &b.on_account)));
    Ok(HeldBy { lines, principals })
}

/// How grants name the members of a grant's entitlement.
fn member_ref(grant: &Grant) -> String {
    principal_ref(&Principal {
        kind: PrincipalType::Entitlement,
        system: grant.system.clone(),
        id: grant.entitlement_id.to_string(),
    })
}

fn written(principal: &Principal) -> String {
    format!("{}:{}", principal.system, principal.id)
}

async fn readable_places(store: &Store, held: &HeldBy) -> Result<Vec<PlaceLine>, StoreError> {
    let names: Vec<String> = held.principals.keys().cloned().collect();
    let readers: Vec<(i64, Reader)> = store.facts_at(Kind::Reader, End::From, &names).await?;
    let mut through: BTreeMap<(String, String), (String, Basis)> = BTreeMap::new();
    for (_, reader) in readers {
        if let Some(found) = held.principals.get(&principal_ref(&reader.principal)) {
            let place = (reader.system.to_string(), reader.path.to_string());
            through.entry(place).or_insert_with(|| found.clone());
        }
    }
    let keys: Vec<String> = through.keys().map(|(s, p)| named(s, p)).collect();
    let rows: Vec<(i64, Location)> = store.facts_at(Kind::Location, End::To, &keys).await?;
    let mut at: HashMap<(String, String), Vec<Location>> = HashMap::new();
    for (_, location) in rows {
        at.entry((location.system.to_string(), location.path.to_string()))
            .or_default()
            .push(location);
    }
    Ok(through
        .into_iter()
        .map(|((system, path), (through, basis))| {
            let rows = at
                .remove(&(system.clone(), path.clone()))
                .unwrap_or_default();
            let mut credentials: Vec<String> = rows
                .iter()
                .filter_map(|row| {
                    let id = row.credential_id.as_ref()?;
                    let system = row.credential_system.as_ref().unwrap_or(&row.system);
                    Some(format!("{system}:{id}"))
                })
                .collect();
            credentials.dedup();
            PlaceLine {
                kind: rows.iter().find_map(|r| r.kind).map(|k| k.to_string()),
                environment: rows.iter().find_map(|r| r.environment.clone()),
                system,
                path,
                credentials,
                through,
                basis,
            }
        })
        .collect())
}

/// Owner lines in both directions.
struct Owned {
    owners: Vec<OwnerLine>,
    answers_for: Vec<OwnerLine>,
    /// Keys of the credentials in custody, and how that is known.
    custody: BTreeMap<String, Basis>,
}

impl Owned {
    async fn load(
        store: &Store,
        person: &PersonRow,
        now: DateTime<Utc>,
    ) -> Result<Owned, StoreError> {
        let (about, of) = store.owner_lines_of(person, now).await?;
        let mut custody: BTreeMap<String, Basis> = BTreeMap::new();
        for line in &of {
            if line.role == OwnerRole::Custodian && line.object_type == ObjectType::Credential {
                let key = named(line.system.as_deref().unwrap_or(""), &line.object_id);
                let known = custody.entry(key).or_insert(line.basis);
                *known = line.basis.min(*known);
            }
        }
        let lines = |rows: Vec<OwnerLineRow>| rows.into_iter().map(owner_line).collect();
        Ok(Owned {
            owners: lines(about),
            answers_for: lines(of),
            custody,
        })
    }
}

fn owner_line(row: OwnerLineRow) -> OwnerLine {
    let (confirmed_by, confirmed_at, why) = match row.confirmed {
        Some((who, at, why)) => (Some(who), Some(at), Some(why)),
        None => (None, None, None),
    };
    OwnerLine {
        object_type: row.object_type.to_string(),
        system: row.system,
        object_id: row.object_id,
        owner_id: row.owner_id,
        owner_name: row.owner_name,
        role: row.role.to_string(),
        basis: row.basis,
        state: row.state.word().to_owned(),
        source: row.source,
        confirmed_by,
        confirmed_at,
        why: why.filter(|why| !why.is_empty()),
    }
}

async fn credentials(
    store: &Store,
    links: &[PersonLink],
    owned: &Owned,
    places: &[PlaceLine],
) -> Result<Vec<CredentialLine>, StoreError> {
    let accounts: HashMap<String, Basis> = links
        .iter()
        .map(|l| {
            let account = named(l.account.system.as_str(), l.account.id.as_str());
            (account, l.basis)
        })
        .collect();
    let names: Vec<String> = accounts.keys().cloned().collect();
    let own: Vec<(i64, Credential)> = store.facts_at(Kind::Credential, End::From, &names).await?;
    let in_custody: Vec<String> = owned.custody.keys().cloned().collect();
    let custody: Vec<(i64, Credential)> = store
        .facts_at(Kind::Credential, End::Key, &in_custody)
        .await?;
    let mut readable_basis: BTreeMap<String, Basis> = BTreeMap::new();
    for place in places {
        for credential in &place.credentials {
            if let Some((system, id)) = credential.split_once(':') {
                readable_basis
                    .entry(named(system, id))
                    .and_modify(|b| *b = (*b).min(place.basis))
                    .or_insert(place.basis);
            }
        }
    }
    let keys: Vec<String> = readable_basis.keys().cloned().collect();
    let readable: Vec<(i64, Credential)> =
        store.facts_at(Kind::Credential, End::Key, &keys).await?;
    let mut lines: BTreeMap<String, CredentialLine> = BTreeMap::new();
    // The nearest relation stands: own before custodian before readable.
    let all = [("own", own), ("custodian", custody), ("readable", readable)];
    for (relation, credentials) in all {
        for (_, credential) in credentials {
            let key = named(credential.system.as_str(), credential.id.as_str());
            if lines.contains_key(&key) {
                continue;
            }
            let account = credential.account_id.as_ref();
            let basis = match relation {
                "own" => account
                    .and_then(|id| accounts.get(&named(credential.system.as_str(), id.as_str())))
                    .copied(),
                "readable" => readable_basis.get(&key).copied(),
                _ => owned.custody.get(&key).copied(),
            };
            let places: BTreeSet<(String, String)> = store
                .places_of(&credential)
                .await?
                .iter()
                .map(|l| (l.system.to_string(), l.path.to_string()))
                .collect();
            let line = CredentialLine {
                system: credential.system.to_string(),
                id: credential.id.to_string(),
                kind: credential.kind.to_string(),
                account: account.map(|id| format!("{}:{id}", credential.system)),
                relation: relation.to_owned(),
                enabled: credential.enabled,
                rotated_at: credential.rotated_at.map(|t| t.to_text()),
                expires_at: credential.expires_at.map(|t| t.to_text()),
                last_used_at: credential.last_used_at.map(|t| t.to_text()),
                places: count(places.len()),
                basis: basis.unwrap_or(Basis::Assumed),
            };
            lines.insert(key, line);
        }
    }
    Ok(lines.into_values().collect())
}
