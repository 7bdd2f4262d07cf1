//! What is one secret. By fingerprint, and by the id that a source names at a place: certain. By a
//! name: suspected, from one secret to another and no further.

use super::naming::{COMMON, Name};
use super::secrets::{Dates, Secret, Secrets, Spot, Suspect, Why, end_of};
use crate::access::Graph;
use crate::access::columns::{Column, NONE, Rows, Texts};
use lastkey_contract::facts::{CredentialKind, LocationKind};
use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

pub(super) struct Gathered {
    pub dates: Vec<Dates>,
    pub names: HashMap<u32, Box<str>>,
    pub print_keys: Vec<u32>,
    pub credential_prints: Vec<u32>,
    pub fields: Texts,
    pub spots: Vec<Spot>,
}

/// Sets that grow together.
struct Sets(Vec<u32>);

impl Sets {
    fn root(&mut self, of: u32) -> u32 {
        let mut here = of;
        while let Some(up) = self.0.get(here as usize).copied()
            && up != here
        {
            let above = self.0.get(up as usize).copied().unwrap_or(up);
            if let Some(slot) = self.0.get_mut(here as usize) {
                *slot = above;
            }
            here = above;
        }
        here
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        let (low, high) = (one.min(other), one.max(other));
        if let Some(slot) = self.0.get_mut(high as usize) {
            *slot = low;
        }
    }
}

/// A place names a credential.
struct Naming {
    spot: u32,
    credential: u32,
}

pub(super) fn joined(graph: &Graph, gathered: Gathered) -> Secrets {
    let Gathered {
        dates,
        names,
        print_keys,
        credential_prints,
        fields,
        spots,
    } = gathered;
    let (spots, namings) = values_at_places(spots);
    let count = |n: usize| u32::try_from(n).unwrap_or(NONE - 1);
    let (of_credentials, of_prints) = (graph.credentials.len(), count(print_keys.len()));
    // Numbered in one row: credentials, fingerprints, values at places.
    let print_at = |print: u32| of_credentials.saturating_add(print);
    let spot_at = |spot: u32| {
        of_credentials
            .saturating_add(of_prints)
            .saturating_add(spot)
    };
    let mut sets = Sets((0..spot_at(count(spots.len()))).collect());
    for (credential, print) in (0..).zip(&credential_prints) {
        if *print != NONE {
            sets.join(credential, print_at(*print));
        }
    }
    for (spot, value) in (0..).zip(&spots) {
        if value.print != NONE {
            sets.join(spot_at(spot), print_at(value.print));
        }
    }
    let print_of = |credential: u32| {
        let print = credential_prints.get(credential as usize);
        print.copied().unwrap_or(NONE)
    };
    let mut told: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut unequal: Vec<(u32, u32)> = Vec::new();
    for Naming { spot, credential } in &namings {
        let here = spots.get(*spot as usize).map_or(NONE, |spot| spot.print);
        match (here, print_of(*credential)) {
            (NONE, _) => sets.join(spot_at(*spot), *credential),
            (print, NONE) => {
                told.entry(*credential).or_default().insert(print);
            }
            (print, own) if print != own => unequal.push((*credential, spot_at(*spot))),
            (_, _) => {}
        }
    }
    for (credential, prints) in &told {
        match prints.first() {
            Some(print) if prints.len() == 1 => sets.join(*credential, print_at(*print)),
            // It is named at places where different values stand: which is its own nobody tells.
            Some(_) | None => {
                let at = prints.iter().map(|print| (*credential, print_at(*print)));
                unequal.extend(at);
            }
        }
    }

    let mut number: HashMap<u32, u32> = HashMap::new();
    let mut numbered = |sets: &mut Sets, of: u32| {
        let root = sets.root(of);
        let next = count(number.len());
        *number.entry(root).or_insert(next)
    };
    let secret_of_credential: Vec<u32> = (0..of_credentials)
        .map(|credential| numbered(&mut sets, credential))
        .collect();
    let secret_of_spot: Vec<u32> = (0..count(spots.len()))
        .map(|spot| numbered(&mut sets, spot_at(spot)))
        .collect();
    let unequal: Vec<(u32, u32)> = unequal
        .into_iter()
        .map(|(a, b)| (numbered(&mut sets, a), numbered(&mut sets, b)))
        .collect();
    let secrets = count(number.len());
    let turned = |of: &[u32]| (0..).zip(of).map(|(row, secret)| (*secret, row)).collect();
    let locations = (0..).zip(&spots).map(|(row, spot)| (spot.location, row));
    let mut made = Secrets {
        all: Column::default(),
        credentials: Rows::build(secrets, turned(&secret_of_credential)),
        spots_of: Rows::build(secrets, turned(&secret_of_spot)),
        suspects: Rows::default(),
        spots_at: Rows::build(graph.locations.len(), locations.collect()),
        spots: Column::new(spots),
        secret_of_spot: Column::new(secret_of_spot),
        secret_of_credential: Column::new(secret_of_credential),
        dates: Column::new(dates),
        names,
        fields,
        evidence: Texts::default(),
        searched: Texts::default(),
    };
    for secret in 0..secrets {
        let one = dated(&made, secret, print_of);
        made.all.push(one);
    }
    suspect(graph, &mut made, &print_keys, unequal);
    for secret in 0..secrets {
        let text = searched(graph, &made, secret);
        made.searched.push(&text);
    }
    made
}

/// Each value at each place once: rows about one field of one place are about one value.
fn values_at_places(mut rows: Vec<Spot>) -> (Vec<Spot>, Vec<Naming>) {
    rows.sort_by_key(|spot| (spot.location, spot.field, spot.print, spot.credential));
    let mut spots: Vec<Spot> = Vec::new();
    let mut namings: Vec<Naming> = Vec::new();
    for here in rows.chunk_by(|a, b| a.location == b.location) {
        let begun = spots.len();
        let mut loose: Vec<u32> = Vec::new();
        let mut bare: Option<Spot> = None;
        for value in here.chunk_by(|a, b| a.field == b.field) {
            let named = value.first().is_some_and(|spot| spot.field != NONE);
            let printed: Vec<&Spot> = value.iter().filter(|spot| spot.print != NONE).collect();
            let one_value = named
                && printed
                    .windows(2)
                    .all(|two| matches!(two, [a, b] if a.print == b.print));
            if one_value {
                let row = add(&mut spots, value);
                let named = value.iter().map(|spot| spot.credential);
                namings.extend(credentials_of(row, named));
                continue;
            }
            for one in value.chunk_by(|a, b| a.print == b.print) {
                let print = one.first().map_or(NONE, |spot| spot.print);
                if print == NONE && !named {
                    bare = bare.or(one.first().copied());
                    loose.extend(one.iter().map(|spot| spot.credential));
                    continue;
                }
                let row = add(&mut spots, one);
                namings.extend(credentials_of(row, one.iter().map(|spot| spot.credential)));
            }
        }
        loose.retain(|credential| *credential != NONE);
        loose.dedup();
        let values = spots.len() - begun;
        let only = u32::try_from(begun).unwrap_or(NONE);
        match (values, loose.as_slice(), bare) {
            (0, [], Some(spot)) => spots.push(spot),
            // One value stands here, and one credential is said to.
            (1, [credential], _) => namings.extend(credentials_of(only, [*credential].into_iter())),
            (_, loose, Some(spot)) => {
                for credential in loose {
                    let row = add(&mut spots, &[spot]);
                    namings.extend(credentials_of(row, [*credential].into_iter()));
                }
            }
            (_, _, None) => {}
        }
    }
    (spots, namings)
}

/// One value of several rows about it.
fn add(spots: &mut Vec<Spot>, rows: &[Spot]) -> u32 {
    let row = u32::try_from(spots.len()).unwrap_or(NONE - 1);
    if let Some(first) = rows.first() {
        let print = rows
            .iter()
            .map(|spot| spot.print)
            .find(|print| *print != NONE);
        spots.push(Spot {
            print: print.unwrap_or(NONE),
            credential: NONE,
            since: rows.iter().filter_map(|spot| spot.since).max(),
            rotated: rows.iter().filter_map(|spot| spot.rotated).max(),
            production: rows.iter().any(|spot| spot.production),
            ..*first
        });
    }
    row
}

fn credentials_of(
    spot: u32,
    credentials: impl Iterator<Item = u32>,
) -> impl Iterator<Item = Naming> {
    let mut all: Vec<u32> = credentials.filter(|one| *one != NONE).collect();
    all.dedup();
    all.into_iter()
        .map(move |credential| Naming { spot, credential })
}

fn dated(secrets: &Secrets, secret: u32, print_of: impl Fn(u32) -> u32) -> Secret {
    let credentials = secrets.credentials.row(secret);
    let spots = secrets.spots_of.row(secret);
    let of_credentials = || credentials.iter().map(|one| secrets.dates.at(*one));
    let of_spots = || spots.iter().map(|one| secrets.spots.at(*one));
    let print = of_spots()
        .map(|spot| spot.print)
        .chain(credentials.iter().map(|one| print_of(*one)))
        .find(|print| *print != NONE);
    let set = of_credentials().filter_map(|dates| dates.rotated.or(dates.created));
    // An equal fingerprint says that it was this value then already.
    let equal = of_spots().filter(|spot| spot.print != NONE || credentials.is_empty());
    let stood = equal.filter_map(|spot| spot.since);
    let rotated = of_credentials().filter_map(|dates| dates.rotated).max();
    Secret {
        print: print.unwrap_or(NONE),
        since: set.chain(stood).min(),
        rotated: rotated.or_else(|| of_spots().filter_map(|spot| spot.rotated).max()),
        used: of_credentials().filter_map(|dates| dates.used).max(),
        expires: of_credentials().filter_map(|dates| dates.expires).min(),
    }
}

/// A name of something of a secret.
struct Named {
    hash: u64,
    secret: u32,
    at_place: bool,
    name: Name,
}

fn suspect(graph: &Graph, secrets: &mut Secrets, print_keys: &[u32], unequal: Vec<(u32, u32)>) {
    let mut named: Vec<Named> = Vec::new();
    let mut take = |secret: u32, at_place: bool, name: Option<Name>| {
        if let Some(name) = name {
            let mut hasher = DefaultHasher::new();
            name.rest.hash(&mut hasher);
            named.push(Named {
                hash: hasher.finish(),
                secret,
                at_place,
                name,
            });
        }
    };
    // Nobody's name of a login says that two of their passwords are one: a place must have it.
    let mut wanted: BTreeSet<u64> = BTreeSet::new();
    for (spot, secret) in secrets
        .spots
        .values()
        .iter()
        .zip(secrets.secret_of_spot.values())
    {
        for name in spot_names(graph, secrets, spot) {
            take(*secret, true, Some(name));
        }
    }
    wanted.extend(named.iter().map(|one| one.hash));
    if !wanted.is_empty() {
        let rows = (0..).zip(secrets.secret_of_credential.values());
        for (credential, secret) in rows {
            let text = secrets.credential_name(graph, credential);
            let mut name = Name::of(&[text]);
            if let Some(name) = &mut name {
                name.sort = name.sort.or(sort_of(graph.credentials.at(credential).kind));
                let mut hasher = DefaultHasher::new();
                name.rest.hash(&mut hasher);
                let hash = hasher.finish();
                if wanted.contains(&hash) {
                    named.push(Named {
                        hash,
                        secret: *secret,
                        at_place: false,
                        name: name.clone(),
                    });
                }
            }
        }
    }
    // The longest names first: of two that fit it is said which tells more.
    named.sort_by(|a, b| {
        let by = |one: &Named| (Reverse(one.name.words), one.hash, one.secret, !one.at_place);
        by(a).cmp(&by(b)).then_with(|| a.name.cmp(&b.name))
    });
    let apart = |one: u32, other: u32| {
        let key = |secret: u32| {
            let print = secrets.all.at(secret).print;
            print_keys
                .get(print as usize)
                .copied()
                .filter(|key| *key != NONE)
        };
        let (one, other) = (key(one), key(other));
        one.is_some() && one == other
    };
    let mut pairs: BTreeMap<(u32, u32), Why> = BTreeMap::new();
    for (one, other) in unequal {
        if one != other {
            pairs.insert((one, other), Why::OtherValue);
            pairs.insert((other, one), Why::OtherValue);
        }
    }
    let mut evidence = Texts::default();
    for run in named.chunk_by(|a, b| a.hash == b.hash) {
        let sharing: BTreeSet<u32> = run.iter().map(|one| one.secret).collect();
        if sharing.len() < 2 || sharing.len() > COMMON {
            continue;
        }
        for (place, one) in run.iter().enumerate() {
            let rest = run.get(place + 1..).unwrap_or(&[]).iter();
            for other in rest.filter(|other| other.secret != one.secret) {
                let fits = (one.at_place || other.at_place) && one.name.fits(&other.name);
                if !fits || apart(one.secret, other.secret) {
                    continue;
                }
                let text = match (one.name.sort, other.name.sort) {
                    (Some(sort), _) | (None, Some(sort)) => format!("{} {sort}", one.name.rest),
                    (None, None) => one.name.rest.clone(),
                };
                if !pairs.contains_key(&(one.secret, other.secret)) {
                    let why = Why::Name(evidence.push(&text));
                    pairs.insert((one.secret, other.secret), why);
                    pairs.insert((other.secret, one.secret), why);
                }
            }
        }
    }
    let count = secrets.all.len();
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|((one, other), why)| (one, Suspect { other, why }));
    secrets.suspects = Rows::build(count, pairs.collect());
    secrets.evidence = evidence;
}

fn sort_of(kind: CredentialKind) -> Option<&'static str> {
    match kind {
        CredentialKind::Password => Some("password"),
        CredentialKind::Token => Some("token"),
        CredentialKind::ApiKey | CredentialKind::AccessKey | CredentialKind::SshKey => Some("key"),
        CredentialKind::Certificate => Some("certificate"),
        CredentialKind::ClientSecret | CredentialKind::Secret => None,
    }
}

/// The names of a value at a place: its field, and its field behind the last parts of a path that
/// people choose. The path of a file is no name of what stands in it.
fn spot_names(graph: &Graph, secrets: &Secrets, spot: &Spot) -> Vec<Name> {
    let path = graph.location_ids.at(spot.location);
    let field = secrets.field(spot);
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let (last, before) = (parts.next(), parts.next());
    let of = |parts: &[Option<&str>]| {
        let parts: Vec<&str> = parts.iter().flatten().copied().collect();
        Name::of(&parts)
    };
    let names = match graph.locations.at(spot.location).kind {
        Some(LocationKind::CiVariable) => [of(&[Some(field.unwrap_or(end_of(path)))]), None, None],
        Some(LocationKind::File | LocationKind::Code | LocationKind::Document) => {
            [of(&[field]), None, None]
        }
        Some(LocationKind::Vault | LocationKind::KubernetesSecret) | None => [
            field.and_then(|field| of(&[Some(field)])),
            of(&[last, field]),
            of(&[before, last, field]),
        ],
    };
    let mut names: Vec<Name> = names.into_iter().flatten().collect();
    names.dedup();
    names
}

fn searched(graph: &Graph, secrets: &Secrets, secret: u32) -> String {
    let mut text = String::new();
    let mut take = |part: &str| {
        text.push('\n');
        text.extend(part.chars().flat_map(char::to_lowercase));
    };
    for credential in secrets.credentials.row(secret) {
        let row = graph.credentials.at(*credential);
        if let Some(name) = secrets.names.get(credential) {
            take(name);
        }
        let system = graph.systems.at(row.system);
        take(&format!(
            "{system}:{}",
            graph.credential_ids.at(*credential)
        ));
        if row.account != NONE {
            take(&graph.account_text(row.account));
        }
    }
    for spot in secrets.spots_of.row(secret) {
        let spot = secrets.spots.at(*spot);
        let system = graph.systems.at(graph.locations.at(spot.location).system);
        let path = graph.location_ids.at(spot.location);
        match secrets.field(spot) {
            Some(field) => take(&format!("{system}:{path}#{field}")),
            None => take(&format!("{system}:{path}")),
        }
    }
    text
}
