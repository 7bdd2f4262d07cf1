//! Rows, details and readers as they are shown.

use super::estate::{Estate, count};
use super::known::Known;
use super::readers::{Count, has_left, words};
use super::secrets::Why;
use super::types::{
    PlaceKinds, PlaceReader, SecretAccount, SecretCredential, SecretDetail, SecretOwner,
    SecretPlace, SecretRow, SecretWay,
};
use crate::access::columns::{Column, NONE};
use crate::access::graph::Item;
use crate::access::reached::World;
use crate::views::{ListQuery, RowWindow};
use chrono::DateTime;
use lastkey_contract::SystemName;
use lastkey_contract::facts::{IdentityStatus, ObjectType, OwnerRole};
use lastkey_contract::when::rfc3339;
use std::collections::BTreeSet;

/// How many places of each sort a detail has.
const PLACES: usize = 200;
/// How many accounts and owners a row has.
const FIRST: usize = 3;

fn moment(seconds: Option<i64>) -> Option<String> {
    seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map(rfc3339)
}

impl Estate {
    pub(super) fn row(&self, secret: u32, known: Option<&Known>) -> SecretRow {
        let (graph, secrets) = (&*self.graph, &self.secrets);
        let one = secrets.all.at(secret);
        let (mut places, mut suspected) = (PlaceKinds::default(), PlaceKinds::default());
        let locations = secrets.locations(secret);
        for location in &locations {
            places.add(graph.locations.at(*location).kind);
        }
        let suspects = secrets.suspected_spots(secret);
        let suspects: BTreeSet<u32> = suspects
            .iter()
            .map(|(spot, _)| secrets.spots.at(*spot).location)
            .filter(|location| locations.binary_search(location).is_err())
            .collect();
        for location in &suspects {
            suspected.add(graph.locations.at(*location).kind);
        }
        let credentials = secrets.credentials.row(secret);
        let first = credentials.first().map(|row| graph.credentials.at(*row));
        let opened = self.opened(secret, true);
        let readers = self.count_readers(&locations);
        let way = known.and_then(|known| known.ways.get(&secret));
        SecretRow {
            key: secrets.key(graph, secret),
            name: secrets.name(graph, secret).to_owned(),
            kind: first.map(|row| row.kind.word().to_owned()),
            system: match self.system_of(secret) {
                NONE => String::new(),
                system => graph.systems.at(system).to_owned(),
            },
            opens_count: count(opened.len()),
            opens: opened.into_iter().take(FIRST).collect(),
            owner: self.owners(secret).into_iter().next(),
            since: moment(one.since),
            rotated_at: moment(one.rotated),
            last_used_at: moment(one.used),
            expires_at: moment(one.expires),
            places,
            suspected,
            place_count: count(locations.len()),
            suspected_count: count(suspects.len()),
            readers: readers.accounts,
            readers_left: readers.left,
            readers_whole: self.unread_of(&locations).is_empty(),
            way: way.map(|way| SecretWay {
                path: way.path.clone(),
                now: way.now,
                certain: way.certain,
            }),
        }
    }

    /// Everything about the secret that a text names; None where none does. `credential:SYSTEM:ID`,
    /// `location:SYSTEM:PATH`, with or without `#FIELD`, or either without its first word.
    /// With `known` also how somebody comes by it.
    pub fn detail(&self, text: &str, known: Option<&Known>) -> Option<SecretDetail> {
        let secret = self.find(text).into_iter().next()?;
        Some(self.detail_of(secret, known))
    }

    /// The keys of the secrets that a text names: several where several values stand at a place.
    pub fn named(&self, text: &str) -> Vec<String> {
        let found = self.find(text).into_iter();
        found
            .map(|secret| self.secrets.key(&self.graph, secret))
            .collect()
    }

    fn find(&self, text: &str) -> BTreeSet<u32> {
        let (kind, rest) = match text.split_once(':') {
            Some(("credential", rest)) => (Some(ObjectType::Credential), rest),
            Some(("location", rest)) => (Some(ObjectType::Location), rest),
            Some(_) | None => (None, text),
        };
        let mut found = BTreeSet::new();
        for (colon, _) in rest.match_indices(':') {
            let (Some(system), Some(id)) = (rest.get(..colon), rest.get(colon + 1..)) else {
                continue;
            };
            let system = SystemName::new(system);
            if kind != Some(ObjectType::Location)
                && let Some(row) = self.graph.credential(&system, id)
            {
                found.insert(*self.secrets.secret_of_credential.at(row));
            }
            if kind != Some(ObjectType::Credential) {
                if let Some(location) = self.graph.location(&system, id) {
                    found.extend(self.secrets_at(location));
                }
                for (hash, _) in id.match_indices('#') {
                    let (Some(path), Some(field)) = (id.get(..hash), id.get(hash + 1..)) else {
                        continue;
                    };
                    let Some(location) = self.graph.location(&system, path) else {
                        continue;
                    };
                    for spot in self.secrets.spots_at.row(location) {
                        if self.secrets.field(self.secrets.spots.at(*spot)) == Some(field) {
                            found.insert(*self.secrets.secret_of_spot.at(*spot));
                        }
                    }
                }
            }
        }
        found
    }

    fn detail_of(&self, secret: u32, known: Option<&Known>) -> SecretDetail {
        let (graph, secrets) = (&*self.graph, &self.secrets);
        let world = self.world();
        let credentials = secrets.credentials.row(secret).iter().take(PLACES);
        let credentials = credentials.map(|row| {
            let (_, system, id) = graph.names(Item::Credential(*row));
            let fact = graph.credentials.at(*row);
            let dates = secrets.dates.at(*row);
            SecretCredential {
                system: system.to_owned(),
                id: id.to_owned(),
                name: secrets.names.get(row).map(|name| name.to_string()),
                kind: fact.kind.word().to_owned(),
                account: (fact.account != NONE).then(|| graph.account_text(fact.account)),
                created_at: moment(dates.created),
                rotated_at: moment(dates.rotated),
                last_used_at: moment(dates.used),
                expires_at: moment(dates.expires),
                valid: world.is_valid(fact),
            }
        });
        let spots = secrets.spots_of.row(secret).iter().take(PLACES);
        let suspects = secrets.suspected_spots(secret);
        let mut opens = self.opened(secret, true);
        let mut met: BTreeSet<(String, String)> = opens
            .iter()
            .map(|one| (one.system.clone(), one.id.clone()))
            .collect();
        for suspect in secrets.suspects.row(secret) {
            let more = self.opened(suspect.other, false).into_iter();
            opens.extend(more.filter(|one| met.insert((one.system.clone(), one.id.clone()))));
        }
        SecretDetail {
            row: self.row(secret, known),
            credentials: credentials.collect(),
            places: spots.map(|spot| self.place(*spot, None)).collect(),
            suspected: suspects
                .into_iter()
                .take(PLACES)
                .map(|(spot, why)| self.place(spot, Some(why)))
                .collect(),
            owners: self.owners(secret),
            opens,
            not_known: self.not_known(secret),
        }
    }

    fn not_known(&self, secret: u32) -> Vec<String> {
        let (graph, secrets) = (&*self.graph, &self.secrets);
        let mut said = Vec::new();
        let spots = secrets.spots_of.row(secret);
        let printed = secrets.all.at(secret).print != NONE;
        let blind = secrets.spots.values().iter();
        let blind = blind.filter(|spot| spot.print == NONE).count();
        if !printed {
            said.push(
                "no source tells a fingerprint of this secret, so where else it stands can only be suspected by name"
                    .to_owned(),
            );
        } else if blind > 0 {
            said.push(format!(
                "{blind} of {} values at places have no fingerprint: whether this secret stands there too can only be suspected by name",
                secrets.spots.len()
            ));
        }
        if spots.is_empty() {
            said.push("no source says where it stands".to_owned());
        }
        let opens = secrets.credentials.row(secret).iter();
        let mut accounts = opens.map(|row| graph.credentials.at(*row).account);
        if !accounts.any(|account| account != NONE) {
            said.push("no source says which account it opens".to_owned());
        }
        said.extend(self.unread_of(&secrets.locations(secret)));
        said
    }

    fn world(&self) -> World<'_> {
        let declared = Column::filled(None, self.graph.systems.len());
        World::new(&self.graph, self.of.at, declared)
    }

    /// The accounts that the credentials of a secret are of, each once.
    fn opened(&self, secret: u32, certain: bool) -> Vec<SecretAccount> {
        let graph = &*self.graph;
        let rows = self.secrets.credentials.row(secret).iter();
        let mut accounts: Vec<(u32, bool)> = rows
            .map(|row| graph.credentials.at(*row))
            .filter(|row| row.account != NONE)
            .map(|row| (row.account, graph.may_work(row.account, self.of.at)))
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        let accounts = accounts.into_iter().map(|(account, works)| {
            let (_, system, id) = graph.names(Item::Account(account));
            let identity = graph.accounts.at(account).identity;
            SecretAccount {
                system: system.to_owned(),
                id: id.to_owned(),
                name: None,
                identity: (identity != NONE).then(|| graph.identity_ids.at(identity).to_owned()),
                identity_name: None,
                certain,
                works,
            }
        });
        accounts.collect()
    }

    /// Who answers for the secret's credentials, then for its places, then for the accounts that it
    /// opens.
    fn owners(&self, secret: u32) -> Vec<SecretOwner> {
        let (graph, secrets) = (&*self.graph, &self.secrets);
        let credentials = secrets.credentials.row(secret).iter();
        let credentials = credentials.map(|row| (ObjectType::Credential, *row));
        let places = secrets.locations(secret).into_iter();
        let places = places.map(|row| (ObjectType::Location, row));
        let opens = secrets.credentials.row(secret).iter();
        let opens = opens.map(|row| graph.credentials.at(*row).account);
        let opens = opens.filter(|account| *account != NONE);
        let opens = opens.map(|row| (ObjectType::Account, row));
        let mut owners = Vec::new();
        for (kind, row) in credentials.chain(places).chain(opens).take(PLACES) {
            let item = match kind {
                ObjectType::Credential => Item::Credential(row),
                ObjectType::Location => Item::Location(row),
                ObjectType::Account | ObjectType::Entitlement | ObjectType::Identity => {
                    Item::Account(row)
                }
            };
            let (_, system, id) = graph.names(item);
            for line in graph.owner_lines_of(kind, row) {
                // Whoever has it in their custody knows it, and answers for nothing.
                if line.owner == NONE || line.role == OwnerRole::Custodian {
                    continue;
                }
                let status = graph.identities.at(line.owner).status;
                owners.push(SecretOwner {
                    object: format!("{kind}:{system}:{id}"),
                    id: graph.identity_ids.at(line.owner).to_owned(),
                    name: None,
                    role: line.role.word().to_owned(),
                    basis: line.basis,
                    left: status == Some(IdentityStatus::Inactive),
                });
            }
        }
        owners
    }

    fn count_readers(&self, locations: &[u32]) -> Count {
        match self.readers.lock() {
            Ok(mut readers) => readers.count(&self.graph, locations),
            Err(_) => Count::default(),
        }
    }

    pub(super) fn place(&self, spot: u32, why: Option<Why>) -> SecretPlace {
        let (graph, secrets) = (&*self.graph, &self.secrets);
        let value = secrets.spots.at(spot);
        let row = graph.locations.at(value.location);
        let (_, system, path) = graph.names(Item::Location(value.location));
        let secret = *secrets.secret_of_spot.at(spot);
        let elsewhere = secrets.locations(secret).len().saturating_sub(1);
        let suspects = secrets.suspected_spots(secret);
        let suspects: BTreeSet<u32> = suspects
            .iter()
            .map(|(spot, _)| secrets.spots.at(*spot).location)
            .filter(|location| *location != value.location)
            .collect();
        let readers = self.count_readers(&[value.location]);
        let credential = secrets.credentials.row(secret).first();
        let (how, words) = match (why, value.print, credential) {
            (Some(Why::Name(text)), _, _) => {
                let name = secrets.evidence.at(text);
                ("same_name", format!("suspected: same name, {name}"))
            }
            (Some(Why::OtherValue), _, _) => (
                "other_value",
                "named here, but the values differ".to_owned(),
            ),
            (None, NONE, Some(_)) => ("named", "a source names it here".to_owned()),
            (None, NONE, None) => ("alone", "no fingerprint: not compared".to_owned()),
            (None, _, _) => ("fingerprint", "same fingerprint".to_owned()),
        };
        let environment = (row.environment != NONE).then(|| graph.environments.at(row.environment));
        SecretPlace {
            key: secrets.spot_key(graph, spot),
            secret: secrets.key(graph, secret),
            system: system.to_owned(),
            path: path.to_owned(),
            field: secrets.field(value).map(str::to_owned),
            kind: row.kind.map(|kind| kind.word().to_owned()),
            environment: environment.map(str::to_owned),
            since: moment(value.since),
            rotated_at: moment(value.rotated),
            how: how.to_owned(),
            how_words: words,
            certain: why.is_none(),
            compared: value.print != NONE,
            elsewhere: count(elsewhere),
            suspected_elsewhere: count(suspects.len()),
            readers: readers.accounts,
            readers_left: readers.left,
            unread: self.unread_of(&[value.location]),
        }
    }

    /// A window of who can read: a place (`location:SYSTEM:PATH#FIELD`), or a secret wherever it
    /// stands for certain. Whoever left goes first, then in id order. None where nothing has the key.
    pub fn readers(&self, key: &str, query: &ListQuery) -> Option<RowWindow<PlaceReader>> {
        let locations = self.locations_of(key)?;
        let graph = &*self.graph;
        let readings = match self.readers.lock() {
            Ok(readers) => readers.list(&locations),
            Err(_) => Vec::new(),
        };
        let total = count(readings.len());
        let search = query.search.trim().to_lowercase();
        let mut readings: Vec<_> = readings
            .into_iter()
            .filter(|one| {
                let identity = graph.accounts.at(one.account).identity;
                let who = (identity != NONE).then(|| graph.identity_ids.at(identity));
                let account = graph.account_ids.at(one.account);
                search.is_empty()
                    || account.to_lowercase().contains(&search)
                    || who.is_some_and(|who| who.to_lowercase().contains(&search))
            })
            .collect();
        readings.sort_by_key(|one| (!has_left(graph, one.account), one.account));
        let matching = count(readings.len());
        let mut world = self.world();
        let from = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let shown = readings.iter().skip(from).take(query.limit as usize);
        let rows = shown.map(|one| {
            let (_, system, id) = graph.names(Item::Account(one.account));
            let (_, at, path) = graph.names(Item::Location(one.location));
            let identity = graph.accounts.at(one.account).identity;
            PlaceReader {
                system: system.to_owned(),
                account: id.to_owned(),
                account_name: None,
                identity: (identity != NONE).then(|| graph.identity_ids.at(identity).to_owned()),
                identity_name: None,
                left: has_left(graph, one.account),
                works: world.can_sign_in(one.account),
                through: words(graph, one),
                place: format!("{at}:{path}"),
            }
        });
        Some(RowWindow {
            rows: rows.collect(),
            offset: query.offset,
            matching,
            total,
        })
    }

    fn locations_of(&self, key: &str) -> Option<Vec<u32>> {
        let secrets = self.find(key);
        let exact = key.strip_prefix("location:").and_then(|rest| {
            let named = |text: &str| {
                text.match_indices(':').find_map(|(colon, _)| {
                    let (system, path) = (text.get(..colon)?, text.get(colon + 1..)?);
                    self.graph.location(&SystemName::new(system), path)
                })
            };
            named(rest).or_else(|| {
                rest.match_indices('#')
                    .find_map(|(hash, _)| named(rest.get(..hash)?))
            })
        });
        match exact {
            Some(location) => Some(vec![location]),
            None if secrets.is_empty() => None,
            None => {
                let all = secrets
                    .into_iter()
                    .flat_map(|one| self.secrets.locations(one));
                let all: BTreeSet<u32> = all.collect();
                Some(all.into_iter().collect())
            }
        }
    }
}
