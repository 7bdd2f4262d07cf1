//! The access graph straight from the blocks: what it needs of each fact and no more, in one pass
//! and one moment of the file.
//!
//! Gives the graph that `Graph::build` makes of the snapshot of the same moment; a snapshot holds
//! every column of every fact, which of a million accounts is more than a workstation has room for.

use super::account_past;
use super::blocks::{self, Again, At, Block, Columns, Listing, apart};
use super::credential_past::{Seen, Stray};
use super::graph_parts::{
    ControlPart, CredentialPart, EndsPart, EntitlementPart, LocationPart, ThroughPart,
};
use super::graph_people::{Coming, Found, Maybe, Said, Several};
use super::names::Names;
use super::outline::{Depth, GrantOutline};
use super::ownership::confirmed_owners;
use super::print_past::Forgotten;
use super::read_states::{all_read_states, never_read};
use super::retention::refuse_before_horizon;
use super::{Store, StoreError, SyncId, ground, persons};
use crate::access::holding::{Ends, Holding, Position};
use crate::access::making::{Making, NewCredential, NewLocation, Number};
use crate::access::{
    CredentialRow, EntitlementRow, Graph, expiry, is_production, membership, revocation,
};
use crate::correlate::{Gathering, Identities, Persons};
use futures_util::future::join;
use lastkey_contract::Kind;
use lastkey_contract::facts::{Identity, ObjectType, PrincipalType};
use sqlx::SqliteConnection;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

impl Store {
    /// The graph of the facts after the sync `as_of`, the latest if none.
    pub async fn load_graph(&self, as_of: Option<SyncId>) -> Result<Graph, StoreError> {
        if let Some(sync) = as_of {
            self.sync_record(sync).await?;
        }
        let at = At::of(as_of);
        // One moment of the file: a read that ends meanwhile changes nothing of it.
        let mut reading = self.readers().begin().await?;
        if let Some(sync) = as_of {
            refuse_before_horizon(&mut reading, sync, None).await?;
        }
        let reads = all_read_states(&mut reading, at).await?;
        let never_read = never_read(&mut reading, as_of).await?;
        let confirmed = confirmed_owners(&mut reading, self.names()?, at).await?;
        // What is looked into for the past is looked into again with all others.
        let mut kept = Again::some();
        let (ground, depth) = ground::at_moment(&mut reading, at, &mut kept).await?;
        let (persons, doubts) = persons::at_moment(&mut reading, at).await?;
        let listing = Listing::read(&mut reading, at).await?;
        let loading = Loading {
            connection: &Mutex::new(&mut *reading),
            listing: &listing,
            names: self.names()?,
            depth,
        };
        let mut making = Making::default();
        for kind in Kind::ALL {
            making.expect(kind, listing.at_most(kind));
        }
        let several = Arc::new(loading.account_numbers(&mut making).await?);
        loading.entitlements(&mut making).await?;
        let holding = making.take_holding();
        // Who holds what is made beside whose accounts they are.
        let people = async {
            let gathering = Gathering::new(ground);
            let identities = loading.identities(gathering, persons, making, &mut kept);
            let (mut known, making) = identities.await?;
            let mut kept = Again::some();
            let mut connection = loading.connection.lock().await;
            account_past::remember(&mut connection, at, &mut known, &mut kept).await?;
            drop(connection);
            let several = Arc::clone(&several);
            loading.accounts(known, making, several, &mut kept).await
        };
        let (people, held) = join(people, loading.grants(holding)).await;
        let (mut found, held) = (people?, held?);
        found.making.put_holding(held.holding);
        loading.told_by_several(&mut found, &several).await?;
        let Found { making, known, .. } = &mut found;
        loading.through_unknown(making).await?;
        let mut stray = loading.credentials(making).await?;
        let mut connection = loading.connection.lock().await;
        let listed = |account: i64| making.has_account(account);
        stray.look_back(&mut connection, depth, at, listed).await?;
        making.forgotten = Forgotten::read(&mut connection, at).await?.prints;
        drop(connection);
        let worked_for = known.worked_for();
        let worked_for = worked_for.map(|(one, record)| (Number::from(known.lead(one)), record));
        making.doubtful.worked_for.extend(worked_for);
        let before = known.worked_for_before();
        let before = before
            .map(|(employer, person)| (Number::from(known.lead(employer)), Number::from(person)));
        making.doubtful.worked_for_before.extend(before);
        let at_exit = known.worked_for_removed().into_iter();
        let at_exit = at_exit.map(|(one, words)| (Number::from(known.lead(one)), words));
        making.doubtful.at_exit.extend(at_exit);
        let stray = stray.holders(known).into_iter();
        let stray = stray.map(|(one, name)| (Number::from(known.lead(one)), name));
        making.doubtful.named_before.extend(stray);
        known.forget_values();
        loading.locations(making).await?;
        loading
            .late_grants(making, &held.unknown, &held.positions)
            .await?;
        for kind in [Kind::Reader, Kind::Control] {
            loading.only_named(making, kind).await?;
        }
        loading.readers(making).await?;
        loading.controls(making).await?;
        loading.owners(making, known).await?;
        let doubts = doubts.iter();
        let doubts = doubts
            .map(|doubt| persons::perhaps_one(known, doubt, |one| Number::from(known.lead(one))));
        making.doubtful.persons = doubts.collect();
        loading.confirmed(making, known, confirmed);
        drop(reading);
        let Found {
            making,
            maybe,
            known,
        } = found;
        // Before all ids are put in order, which takes as much again.
        drop(known);
        let mut graph = making.graph();
        graph.reads = reads;
        graph.never_read = never_read;
        graph.maybe = maybe.accounts;
        graph.maybe.in_order();
        Ok(graph)
    }
}

/// From whom a line leads, and where to.
fn ends(block: &Block, place: usize) -> (Option<Number>, Option<Number>) {
    (
        Block::reference(&block.froms, place),
        Block::reference(&block.tos, place),
    )
}

/// Who holds what, and the grants of what nothing else names.
struct Held {
    holding: Holding,
    unknown: Vec<i64>,
    positions: HashMap<i64, Position>,
}

/// A graph that is being read from one moment of the file.
#[derive(Clone, Copy)]
pub(super) struct Loading<'c> {
    connection: &'c Mutex<&'c mut SqliteConnection>,
    listing: &'c Listing,
    names: Names,
    depth: Depth,
}

impl Loading<'_> {
    pub(super) fn object(&self, object_type: ObjectType, system: &str, id: &str) -> Number {
        let kind = match object_type {
            ObjectType::Identity => return self.names.object(Kind::Identity, &[id]),
            ObjectType::Account => Kind::Account,
            ObjectType::Credential => Kind::Credential,
            ObjectType::Location => Kind::Location,
            ObjectType::Entitlement => Kind::Entitlement,
        };
        self.names.object(kind, &[system, id])
    }

    pub(super) async fn each(
        &self,
        kind: Kind,
        columns: Columns,
        take: impl FnMut(&Block) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let all = self.listing.all(kind, columns);
        all.each(self.connection, take).await
    }

    async fn identities(
        &self,
        gathering: Gathering,
        persons: Persons,
        mut making: Making,
        kept: &mut Again,
    ) -> Result<(Identities, Making), StoreError> {
        let (all, depth) = (
            self.listing.all(Kind::Identity, self.depth.columns()),
            self.depth,
        );
        let count = self.listing.at_most(Kind::Identity);
        let coming = Coming::new(gathering, persons, count);
        let coming = all
            .each_apart(self.connection, kept, coming, move |coming, block| {
                coming.take(depth, block)
            })
            .await?;
        let whole = self.whole(&coming.joined).await?;
        apart(spawn_blocking(move || {
            let known = coming.make(&whole, &mut making);
            Ok((known, making))
        }))
        .await
    }

    /// The whole facts of records that are one person's with others, by their numbers.
    async fn whole(&self, joined: &[(i64, u32)]) -> Result<HashMap<u32, Identity>, StoreError> {
        let numbers: HashMap<i64, u32> = joined.iter().copied().collect();
        let rows: Vec<i64> = joined.iter().map(|(row, _)| *row).collect();
        let mut whole = HashMap::new();
        let mut connection = self.connection.lock().await;
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
            if let Some(number) = numbers.get(&block.row(place)) {
                whole.insert(*number, serde_json::from_str(block.fact(place)?)?);
            }
            Ok(())
        })
        .await?;
        Ok(whole)
    }

    /// Numbers all accounts.
    async fn account_numbers(&self, making: &mut Making) -> Result<Several, StoreError> {
        let mut rows: HashMap<Number, Vec<i64>> = HashMap::new();
        self.each(Kind::Account, Columns::Keys, |block| {
            block.places().try_for_each(|place| {
                let number = block.key(place)?;
                if !making.number_account(number) {
                    rows.insert(number, Vec::new());
                }
                Ok(())
            })
        })
        .await?;
        if !rows.is_empty() {
            self.each(Kind::Account, Columns::Keys, |block| {
                block.places().try_for_each(|place| {
                    if let Some(rows) = rows.get_mut(&block.key(place)?) {
                        rows.push(block.row(place));
                    }
                    Ok(())
                })
            })
            .await?;
        }
        Ok(Several::of(rows))
    }

    /// What each source says of the accounts of which several tell.
    async fn told_by_several(
        &self,
        found: &mut Found,
        several: &Several,
    ) -> Result<(), StoreError> {
        let rows: Vec<i64> = several.rows.values().flatten().copied().collect();
        let mut said: HashMap<i64, Said> = HashMap::with_capacity(rows.len());
        let mut connection = self.connection.lock().await;
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
            let one = Said {
                source: block.source,
                row: block.row(place),
                fact: serde_json::from_str(block.fact(place)?)?,
            };
            said.insert(one.row, one);
            Ok(())
        })
        .await?;
        for (number, rows) in &several.rows {
            let all = rows.iter().filter_map(|row| said.remove(row));
            found.told_by_several(self.names, *number, &all.collect::<Vec<_>>());
        }
        Ok(())
    }

    async fn accounts(
        &self,
        known: Identities,
        making: Making,
        several: Arc<Several>,
        kept: &mut Again,
    ) -> Result<Found, StoreError> {
        let (all, depth) = (
            self.listing.all(Kind::Account, self.depth.columns()),
            self.depth,
        );
        let found = Found {
            making,
            known,
            maybe: Maybe::default(),
        };
        all.each_apart(self.connection, kept, found, move |found, block| {
            found.take(depth, &several, block)
        })
        .await
    }

    async fn entitlements(&self, making: &mut Making) -> Result<(), StoreError> {
        self.each(Kind::Entitlement, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: EntitlementPart<'_> = serde_json::from_str(block.fact(place)?)?;
                let row = EntitlementRow {
                    group: part.kind.map(membership),
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

    /// Those that were of an account that is not listed are given back.
    async fn credentials(&self, making: &mut Making) -> Result<Stray, StoreError> {
        let mut stray = Stray::default();
        self.each(Kind::Credential, Columns::Named, |block| {
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
                stray.see(Seen {
                    key: block.key(place)?,
                    system: &part.system,
                    id: &part.id,
                    account: new.account,
                    listed: new.account.is_some_and(|one| making.has_account(one)),
                    closed: part.enabled == Some(false) || part.revoked_at.is_some(),
                });
                making.credential(block.key(place)?, &part.system, &part.id, new);
                Ok(())
            })
        })
        .await?;
        Ok(stray)
    }

    async fn locations(&self, making: &mut Making) -> Result<(), StoreError> {
        self.each(Kind::Location, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: LocationPart<'_> = serde_json::from_str(block.fact(place)?)?;
                let credential = Block::reference(&block.froms, place);
                let at = part.credential_system.as_ref().unwrap_or(&part.system);
                let new = NewLocation {
                    kind: part.kind,
                    environment: making.environment(part.environment.as_deref()),
                    production: is_production(part.environment.as_deref()),
                    credential: credential.map(|number| (number, making.system(at))),
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

    /// Where the accounts would be through which one signs in, and which nothing holds.
    async fn through_unknown(&self, making: &mut Making) -> Result<(), StoreError> {
        let unknown = making.through_unknown();
        let places: HashMap<i64, u32> = unknown.iter().map(|(place, row)| (*row, *place)).collect();
        let rows: Vec<i64> = unknown.into_iter().map(|(_, row)| row).collect();
        let mut connection = self.connection.lock().await;
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, at| {
            let part: ThroughPart<'_> = serde_json::from_str(block.fact(at)?)?;
            if let Some(place) = places.get(&block.row(at)) {
                let system = part.signs_in_through_system.as_ref();
                making.signs_in_through(*place, system.unwrap_or(&part.system));
            }
            Ok(())
        })
        .await
    }

    /// Entitlements, locations and systems that only lines of a kind name: they count like any
    /// other. Lines about grants are gone through once, with the grants.
    async fn only_named(&self, making: &mut Making, kind: Kind) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        self.each(kind, Columns::References, |block| {
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
        })
        .await?;
        self.name_ends(making, &rows, |_, _| Ok(())).await
    }

    /// Takes in what some rows name, and shows each.
    async fn name_ends(
        &self,
        making: &mut Making,
        rows: &[i64],
        mut then: impl FnMut(&Block, usize) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let names = self.names;
        let mut connection = self.connection.lock().await;
        blocks::of_rows(&mut connection, rows, Columns::Named, |block, place| {
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
                (None, None) => {
                    making.system(system);
                }
            }
            let principal = &ends.principal;
            let system = principal.system.as_str();
            making.system(system);
            match principal.kind {
                PrincipalType::Account => {
                    let number = names.object(Kind::Account, &[system, &principal.id]);
                    making.named_account(number, system);
                }
                PrincipalType::Entitlement => {
                    let number = names.object(Kind::Entitlement, &[system, &principal.id]);
                    making.named_entitlement(number, system, &principal.id);
                }
            }
            then(block, place)
        })
        .await
    }

    async fn grants(&self, holding: Holding) -> Result<Held, StoreError> {
        let all = self.listing.all(Kind::Grant, Columns::OutlinedEnds);
        let held = Held {
            holding,
            unknown: Vec::new(),
            positions: HashMap::new(),
        };
        let mut found = Ends::default();
        all.each_apart(
            self.connection,
            &mut Again::none(),
            held,
            move |held, block| {
                held.holding.find_ends(&block.froms, &block.tos, &mut found);
                block.places().try_for_each(|place| {
                    let outline: GrantOutline = block.outline(place)?;
                    let row = block.row(place);
                    match ends(block, place) {
                        (Some(from), Some(to)) => {
                            let ends = (from, to);
                            let terms = outline.terms();
                            if let Some(position) =
                                held.holding.grant_between(&found, place, ends, terms)
                            {
                                held.unknown.push(row);
                                held.positions.insert(row, position);
                            }
                        }
                        (None, _) | (_, None) => held.unknown.push(row),
                    }
                    Ok(())
                })
            },
        )
        .await
    }

    /// Grants of what nothing else names.
    async fn late_grants(
        &self,
        making: &mut Making,
        rows: &[i64],
        positions: &HashMap<i64, Position>,
    ) -> Result<(), StoreError> {
        let mut known = HashMap::new();
        self.name_ends(making, rows, |block, place| {
            if let (Some(from), Some(to)) = ends(block, place) {
                known.insert(block.row(place), (from, to));
            }
            Ok(())
        })
        .await?;
        // In the order in which they came, which is not that of their blocks.
        let late = rows.iter().filter_map(|row| {
            let (from, to) = known.get(row)?;
            Some((*positions.get(row)?, *from, *to))
        });
        making.late_grants(&late.collect::<Vec<_>>());
        Ok(())
    }

    async fn readers(&self, making: &mut Making) -> Result<(), StoreError> {
        self.each(Kind::Reader, Columns::References, |block| {
            for place in block.places() {
                if let (Some(from), Some(to)) = (
                    Block::reference(&block.froms, place),
                    Block::reference(&block.tos, place),
                ) {
                    making.reader(from, to);
                }
            }
            Ok(())
        })
        .await
    }

    async fn controls(&self, making: &mut Making) -> Result<(), StoreError> {
        self.each(Kind::Control, Columns::Named, |block| {
            block.places().try_for_each(|place| {
                let part: ControlPart<'_> = serde_json::from_str(block.fact(place)?)?;
                if let (Some(from), Some(to)) = (
                    Block::reference(&block.froms, place),
                    Block::reference(&block.tos, place),
                ) {
                    making.control(from, (to, &part.system), part.means);
                }
                Ok(())
            })
        })
        .await
    }
}
