//! The access graph straight from the blocks: what it needs of each fact and no more, in one pass
//! and one moment of the file.
//!
//! Gives the graph that `Graph::build` makes of the snapshot of the same moment; a snapshot holds
//! every column of every fact, which of a million accounts is more than a workstation has room for.

use super::account_past;
use super::blocks::{self, At, Block, Columns, Which};
use super::names::Names;
use super::outline::{Depth, GrantOutline};
use super::snapshot::NO_SOURCE;
use super::{Store, StoreError, SyncId};
use crate::access::making::{
    Held, Making, NewAccount, NewCredential, NewLocation, NewOwner, Number,
};
use crate::access::{
    AccountRow, CredentialRow, EntitlementRow, Graph, IdentityRow, expiry, is_production,
    membership, revocation,
};
use crate::correlate::{Employment, Gathering, Identities, Match, Persons, employers, merged};
use crate::lifecycle::Basis;
use lastkey_contract::facts::{
    ControlMeans, CredentialKind, EntitlementKind, Identity, LocationKind, ObjectType, Owner,
    Principal, PrincipalType,
};
use lastkey_contract::{IdentityId, Kind, When};
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

#[derive(Deserialize)]
struct EntitlementPart<'t> {
    #[serde(borrow)]
    system: Cow<'t, str>,
    #[serde(borrow)]
    id: Cow<'t, str>,
    kind: Option<EntitlementKind>,
    privileged: Option<bool>,
    #[serde(borrow)]
    environment: Option<Cow<'t, str>>,
}

#[derive(Deserialize)]
struct CredentialPart<'t> {
    #[serde(borrow)]
    system: Cow<'t, str>,
    #[serde(borrow)]
    id: Cow<'t, str>,
    kind: CredentialKind,
    enabled: Option<bool>,
    #[serde(borrow)]
    environment: Option<Cow<'t, str>>,
    #[serde(borrow)]
    created_by: Option<Cow<'t, str>>,
    revoked_at: Option<When>,
    expires_at: Option<When>,
    #[serde(borrow)]
    fingerprint: Option<Cow<'t, str>>,
}

#[derive(Deserialize)]
struct LocationPart<'t> {
    #[serde(borrow)]
    system: Cow<'t, str>,
    #[serde(borrow)]
    path: Cow<'t, str>,
    kind: Option<LocationKind>,
    #[serde(borrow)]
    environment: Option<Cow<'t, str>>,
    #[serde(borrow)]
    fingerprint: Option<Cow<'t, str>>,
}

#[derive(Deserialize)]
struct MeansPart {
    means: ControlMeans,
}

/// What a grant, a reader or a control line names, where nothing else does.
#[derive(Deserialize)]
struct EndsPart {
    system: String,
    entitlement_id: Option<String>,
    path: Option<String>,
    principal: Principal,
}

/// The number of somebody, by their number among all identities.
fn person(known: &Identities, identity: u32) -> Number {
    Number::from(known.lead(identity))
}

impl Store {
    /// The graph of the facts after the sync `as_of`, the latest if none.
    pub async fn load_graph(&self, as_of: Option<SyncId>) -> Result<Graph, StoreError> {
        if let Some(sync) = as_of {
            self.sync_record(sync).await?;
            self.refuse_before_horizon(sync, None).await?;
        }
        let (at, limit) = (At::of(as_of), as_of.map_or(i64::MAX, SyncId::sql));
        // Before the facts: a read that ends meanwhile must not vouch for facts seen before its end.
        let reads = self.read_states(limit).await?;
        let never_read = self.never_read(as_of).await?;
        let confirmed = self.confirmed_owners(limit).await?;
        let (ground, depth) = self.ground(at).await?;
        let persons = self.persons_at(at).await?;
        let mut reading = self.readers().begin().await?;
        let mut loading = Loading {
            connection: &mut reading,
            at,
            names: self.names()?,
            depth,
            making: Making::default(),
            maybe: BTreeMap::new(),
        };
        for kind in Kind::ALL {
            let which = loading.which(kind);
            let size = blocks::at_most(&mut *loading.connection, &which).await?;
            loading.making.expect(kind, size);
        }
        let mut known = loading.identities(Gathering::new(ground), persons).await?;
        account_past::remember(&mut *loading.connection, at, &mut known).await?;
        loading.accounts(&known).await?;
        known.forget_values();
        loading.entitlements().await?;
        loading.credentials().await?;
        loading.locations().await?;
        loading.grants().await?;
        for kind in [Kind::Reader, Kind::Control] {
            loading.only_named(kind).await?;
        }
        loading.readers().await?;
        loading.controls().await?;
        loading.owners(&known).await?;
        for owner in confirmed {
            let refer =
                |source: &str, id: &str| resolved(&known, &format!("{source}:{id}"), NO_SOURCE);
            let object = &owner.object;
            let number = match object.kind {
                ObjectType::Identity => refer(&object.system, &object.id),
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => {
                    loading.object(object.kind, &object.system, &object.id)
                }
            };
            loading.making.owner(NewOwner {
                object_type: object.kind,
                object: number,
                owner: refer(&owner.owner.source, &owner.owner.id),
                role: owner.role,
                basis: Basis::Attested,
            });
        }
        let (making, maybe) = (loading.making, loading.maybe);
        drop(reading);
        drop(known);
        let mut graph = making.graph();
        graph.reads = reads;
        graph.never_read = never_read;
        graph.maybe_accounts = maybe;
        Ok(graph)
    }
}

/// The number of whom a reference of a source means; of nobody where it is not one.
fn resolved(known: &Identities, reference: &str, source: i64) -> Number {
    match known.named(reference, source).as_slice() {
        [one] => person(known, *one),
        // Numbers of people are not negative.
        [] | [_, _, ..] => -1,
    }
}

/// From whom a line leads, and where to.
fn ends(block: &Block, place: usize) -> (Option<Number>, Option<Number>) {
    (
        Block::reference(&block.froms, place),
        Block::reference(&block.tos, place),
    )
}

/// A graph that is being read from one moment of the file.
struct Loading<'c> {
    connection: &'c mut SqliteConnection,
    at: At,
    names: Names,
    depth: Depth,
    making: Making,
    maybe: BTreeMap<String, Vec<String>>,
}

impl Loading<'_> {
    fn which(&self, kind: Kind) -> Which {
        Which {
            at: self.at,
            ..Which::now(kind)
        }
    }

    fn object(&self, object_type: ObjectType, system: &str, id: &str) -> Number {
        let kind = match object_type {
            ObjectType::Identity => return self.names.object(Kind::Identity, &[id]),
            ObjectType::Account => Kind::Account,
            ObjectType::Credential => Kind::Credential,
            ObjectType::Location => Kind::Location,
            ObjectType::Entitlement => Kind::Entitlement,
        };
        self.names.object(kind, &[system, id])
    }

    async fn identities(
        &mut self,
        mut gathering: Gathering,
        persons: Persons,
    ) -> Result<Identities, StoreError> {
        // Whose employer is who is known once all are.
        let mut parts: Vec<IdentityRow> = Vec::new();
        let mut employer_ids: HashMap<u32, String> = HashMap::new();
        let mut joined: Vec<(i64, u32)> = Vec::new();
        let (which, depth) = (self.which(Kind::Identity), self.depth);
        let alone = persons.is_empty();
        blocks::each(&mut *self.connection, &which, depth.columns(), |block| {
            block.places().try_for_each(|place| {
                let (keys, outline) = depth.identity(block, place)?;
                let number = gathering.add(&keys);
                if !alone && persons.person_of(block.source, &outline.id).is_some() {
                    joined.push((block.row(place), number));
                }
                if let Some(employer) = outline.employer_id {
                    employer_ids.insert(number, employer.to_string());
                }
                parts.push(IdentityRow {
                    kind: outline.kind,
                    status: outline.status,
                    leaver_kind: outline.leaver_kind,
                });
                Ok(())
            })
        })
        .await?;
        let whole = self.whole(&joined).await?;
        let known = gathering.done(persons.clone());
        for (number, row) in (0u32..).zip(&parts) {
            if known.lead(number) != number {
                continue;
            }
            let source = known.source(number);
            let employer = employer_ids.remove(&number);
            let employer = employer.map(|id| resolved(&known, &id, source));
            let mut employed: Vec<_> = employer.into_iter().map(Employment::always).collect();
            let mut row = *row;
            if let Some(first) = whole.get(&number) {
                let records = persons.with(source, known.id(number));
                let others = records
                    .iter()
                    .filter_map(|(source, id)| known.record(*source, id))
                    .filter(|record| *record != number);
                let mut all = vec![(source, first)];
                all.extend(others.filter_map(|n| Some((known.source(n), whole.get(&n)?))));
                if let Some((_, others)) =
                    all.split_first().filter(|(_, others)| !others.is_empty())
                {
                    let others: Vec<&Identity> = others.iter().map(|(_, fact)| *fact).collect();
                    let person = merged(first, &others).identity;
                    row = IdentityRow {
                        kind: person.kind,
                        status: person.status,
                        leaver_kind: person.leaver_kind,
                    };
                    let refer =
                        |(source, id): (i64, &IdentityId)| resolved(&known, id.as_str(), source);
                    let employers = employers(&all).into_iter();
                    employed = employers.map(|one| one.with(refer(one.of))).collect();
                }
            }
            let shown = known.shown(number);
            self.making
                .identity(Number::from(number), &shown, row, employed);
        }
        Ok(known)
    }

    /// The whole facts of records that are one person's with others, by their numbers.
    async fn whole(&mut self, joined: &[(i64, u32)]) -> Result<HashMap<u32, Identity>, StoreError> {
        let numbers: HashMap<i64, u32> = joined.iter().copied().collect();
        let rows: Vec<i64> = joined.iter().map(|(row, _)| *row).collect();
        let mut whole = HashMap::new();
        blocks::of_rows(
            &mut *self.connection,
            &rows,
            Columns::Facts,
            |block, place| {
                if let Some(number) = numbers.get(&block.row(place)) {
                    whole.insert(*number, serde_json::from_str(block.fact(place)?)?);
                }
                Ok(())
            },
        )
        .await?;
        Ok(whole)
    }

    async fn accounts(&mut self, known: &Identities) -> Result<(), StoreError> {
        let (which, depth) = (self.which(Kind::Account), self.depth);
        let (making, maybe) = (&mut self.making, &mut self.maybe);
        blocks::each(&mut *self.connection, &which, depth.columns(), |block| {
            block.places().try_for_each(|place| {
                let (keys, part) = depth.account(block, place)?;
                let mut whose = Basis::Observed;
                let identity = match known.owner_of(&keys) {
                    Match::One { identity, rule } => {
                        whose = known.basis(keys.source, rule);
                        Some(person(known, identity))
                    }
                    Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
                        for candidate in candidates {
                            let accounts = maybe.entry(known.shown(candidate)).or_default();
                            accounts.push(format!("{}:{}", &*part.system, &*part.id));
                        }
                        None
                    }
                    Match::HandedOn {
                        identity, before, ..
                    } => {
                        for candidate in known.either(identity, &before) {
                            let accounts = maybe.entry(known.shown(candidate)).or_default();
                            accounts.push(format!("{}:{}", &*part.system, &*part.id));
                        }
                        None
                    }
                    Match::Gone { source, id, .. } => {
                        let record = format!("{}:{id}", known.name_of_source(source));
                        let accounts = maybe.entry(record).or_default();
                        accounts.push(format!("{}:{}", &*part.system, &*part.id));
                        None
                    }
                    Match::Nobodys | Match::None => None,
                };
                let row = AccountRow {
                    expires: expiry(part.expires_at),
                    kind: part.kind,
                    enabled: part.enabled,
                    local_sign_in: part.local_sign_in,
                    privileged: part.privileged,
                    whose,
                    environment: making.environment(part.environment.as_deref()),
                    ..AccountRow::unknown()
                };
                let new = NewAccount {
                    row,
                    through: Block::reference(&block.tos, place),
                };
                making.account(block.key(place)?, &part.system, &part.id, new, identity);
                Ok(())
            })
        })
        .await
    }

    async fn entitlements(&mut self) -> Result<(), StoreError> {
        let (which, making) = (self.which(Kind::Entitlement), &mut self.making);
        blocks::each(&mut *self.connection, &which, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: EntitlementPart<'_> = serde_json::from_str(block.fact(place)?)?;
                let row = EntitlementRow {
                    group: membership(part.kind),
                    privileged: part.privileged,
                    environment: making.environment(part.environment.as_deref()),
                    ..EntitlementRow::unknown()
                };
                making.entitlement(block.key(place)?, &part.system, &part.id, row);
                Ok(())
            })
        })
        .await
    }

    async fn credentials(&mut self) -> Result<(), StoreError> {
        let (which, making) = (self.which(Kind::Credential), &mut self.making);
        blocks::each(&mut *self.connection, &which, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: CredentialPart<'_> = serde_json::from_str(block.fact(place)?)?;
                let row = CredentialRow {
                    enabled: part.enabled,
                    expires: expiry(part.expires_at),
                    revoked: revocation(part.revoked_at),
                    environment: making.environment(part.environment.as_deref()),
                    ..CredentialRow::of(part.kind)
                };
                let new = NewCredential {
                    row,
                    account: Block::reference(&block.froms, place),
                    fingerprint: part.fingerprint.as_deref(),
                    created_by: part.created_by.as_deref(),
                };
                making.credential(block.key(place)?, &part.system, &part.id, new);
                Ok(())
            })
        })
        .await
    }

    async fn locations(&mut self) -> Result<(), StoreError> {
        let (which, making) = (self.which(Kind::Location), &mut self.making);
        blocks::each(&mut *self.connection, &which, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: LocationPart<'_> = serde_json::from_str(block.fact(place)?)?;
                let new = NewLocation {
                    kind: part.kind,
                    environment: making.environment(part.environment.as_deref()),
                    production: is_production(part.environment.as_deref()),
                    credential: Block::reference(&block.froms, place),
                    fingerprint: part.fingerprint.as_deref(),
                };
                if let Some(number) = Block::reference(&block.tos, place) {
                    making.location(number, &part.system, &part.path, new);
                }
                Ok(())
            })
        })
        .await
    }

    /// Entitlements, locations and systems that only lines of a kind name: they count like any
    /// other. Lines about grants are gone through once, with the grants.
    async fn only_named(&mut self, kind: Kind) -> Result<(), StoreError> {
        let (which, making) = (self.which(kind), &mut self.making);
        let mut rows = Vec::new();
        blocks::each(
            &mut *self.connection,
            &which,
            Columns::References,
            |block| {
                for place in block.places() {
                    let principal = Block::reference(&block.froms, place);
                    let target = Block::reference(&block.tos, place);
                    let there = principal.is_some_and(|number| making.has_principal(number))
                        && target.is_some_and(|number| match kind {
                            Kind::Reader => making.has_location(number),
                            _ => making.has_principal(number),
                        });
                    if !there {
                        rows.push(block.row(place));
                    }
                }
                Ok(())
            },
        )
        .await?;
        self.name_ends(&rows, |_, _| Ok(())).await
    }

    /// Takes in what some rows name, and shows each.
    async fn name_ends(
        &mut self,
        rows: &[i64],
        mut then: impl FnMut(&Block, usize) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (names, making) = (self.names, &mut self.making);
        blocks::of_rows(
            &mut *self.connection,
            rows,
            Columns::Named,
            |block, place| {
                let ends: EndsPart = serde_json::from_str(block.fact(place)?)?;
                let system = ends.system.as_str();
                match (&ends.entitlement_id, &ends.path) {
                    (Some(id), _) => {
                        let number = names.object(Kind::Entitlement, &[system, id]);
                        making.named_entitlement(number, system, id);
                    }
                    (None, Some(path)) => {
                        let number = names.object(Kind::Location, &[system, path]);
                        making.named_location(number, system, path);
                    }
                    (None, None) => making.system(system),
                }
                let principal = &ends.principal;
                let system = principal.system.as_str();
                making.system(system);
                if principal.kind == PrincipalType::Entitlement {
                    let number = names.object(Kind::Entitlement, &[system, &principal.id]);
                    making.named_entitlement(number, system, &principal.id);
                }
                then(block, place)
            },
        )
        .await
    }

    async fn grants(&mut self) -> Result<(), StoreError> {
        let (which, making) = (self.which(Kind::Grant), &mut self.making);
        let columns = Columns::OutlinedEnds;
        // Grants of what nothing else names.
        let (mut rows, mut positions) = (Vec::new(), HashMap::new());
        blocks::each(&mut *self.connection, &which, columns, |block| {
            block.places().try_for_each(|place| {
                let outline: GrantOutline = block.outline(place)?;
                let row = block.row(place);
                match ends(block, place) {
                    (Some(from), Some(to)) => match making.grant(from, to, outline.terms()) {
                        Held::Taken => {}
                        Held::EndsUnknown(position) => {
                            rows.push(row);
                            positions.insert(row, position);
                        }
                    },
                    (None, _) | (_, None) => rows.push(row),
                }
                Ok(())
            })
        })
        .await?;
        let mut late = Vec::new();
        self.name_ends(&rows, |block, place| {
            if let (Some(from), Some(to)) = ends(block, place)
                && let Some(position) = positions.get(&block.row(place))
            {
                late.push((*position, from, to));
            }
            Ok(())
        })
        .await?;
        self.making.late_grants(&late);
        Ok(())
    }

    async fn readers(&mut self) -> Result<(), StoreError> {
        let (which, making) = (self.which(Kind::Reader), &mut self.making);
        blocks::each(
            &mut *self.connection,
            &which,
            Columns::References,
            |block| {
                for place in block.places() {
                    if let (Some(from), Some(to)) = (
                        Block::reference(&block.froms, place),
                        Block::reference(&block.tos, place),
                    ) {
                        making.reader(from, to);
                    }
                }
                Ok(())
            },
        )
        .await
    }

    async fn controls(&mut self) -> Result<(), StoreError> {
        let (which, making) = (self.which(Kind::Control), &mut self.making);
        blocks::each(&mut *self.connection, &which, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: MeansPart = serde_json::from_str(block.fact(place)?)?;
                if let (Some(from), Some(to)) = (
                    Block::reference(&block.froms, place),
                    Block::reference(&block.tos, place),
                ) {
                    making.control(from, to, part.means);
                }
                Ok(())
            })
        })
        .await
    }

    async fn owners(&mut self, known: &Identities) -> Result<(), StoreError> {
        let which = self.which(Kind::Owner);
        let mut found: Vec<(i64, Owner)> = Vec::new();
        blocks::each(&mut *self.connection, &which, Columns::Facts, |block| {
            block.places().try_for_each(|place| {
                found.push((block.source, serde_json::from_str(block.fact(place)?)?));
                Ok(())
            })
        })
        .await?;
        for (source, owner) in found {
            let object = match owner.object_type {
                ObjectType::Identity => resolved(known, &owner.object_id, source),
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => {
                    let system = owner.system.as_ref().map_or("", |s| s.as_str());
                    self.object(owner.object_type, system, &owner.object_id)
                }
            };
            self.making.owner(NewOwner {
                object_type: owner.object_type,
                object,
                owner: resolved(known, owner.owner_id.as_str(), source),
                role: owner.role,
                basis: Basis::Observed,
            });
        }
        Ok(())
    }
}
