//! A sealed snapshot out of the store: current facts, or those of an earlier sync.

use super::account_past;
use super::blocks::{Again, At, Block, Columns, Listing};
use super::credential_past::Stray;
use super::ownership::confirmed_owners;
use super::print_past::Forgotten;
use super::read_states::{all_read_states, never_read, read_states};
use super::retention::refuse_before_horizon;
use super::together::{by_name, each_once, together};
use super::{Store, StoreError, SyncId, ground, persons};
use crate::access::{AmbiguousAccount, ReadState, Snapshot, Unmatched};
use crate::correlate::{
    AccountKeys, Employment, Gathering, IdentityKeys, Match, Owned, called, employers, merged,
};
use crate::lifecycle::Basis;
use lastkey_contract::facts::{Account, Attributes, Identity, ObjectType, Owner, OwnerRole};
use lastkey_contract::{IdentityId, Kind, SystemName};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::sync::Mutex;

/// What has to be resolved between sources, with the row of its source.
#[derive(Default)]
struct Visible {
    identities: Vec<(i64, Identity)>,
    accounts: Vec<(i64, Account)>,
    owners: Vec<(i64, Owner)>,
}

impl Store {
    /// The facts after the sync `as_of` (the latest if none), with accounts resolved
    /// to identities and how completely each source was read.
    pub async fn load_snapshot(&self, as_of: Option<SyncId>) -> Result<Snapshot, StoreError> {
        if let Some(sync) = as_of {
            self.sync_record(sync).await?;
        }
        let at = At::of(as_of);
        // One moment of the file: what a read changes meanwhile would be seen twice, or not at all.
        let mut reading = self.readers().begin().await?;
        if let Some(sync) = as_of {
            refuse_before_horizon(&mut reading, sync, None).await?;
        }
        let mut snapshot = Snapshot {
            reads: all_read_states(&mut reading, at).await?,
            never_read: never_read(&mut reading, as_of).await?,
            ..Snapshot::default()
        };
        let confirmed = confirmed_owners(&mut reading, self.names()?, at).await?;
        let (ground, depth) = ground::at_moment(&mut reading, at, &mut Again::none()).await?;
        let (persons, doubts) = persons::at_moment(&mut reading, at).await?;
        let Visible {
            identities,
            accounts,
            owners,
        } = visible(&mut reading, at, &mut snapshot).await?;
        let mut gathering = Gathering::new(ground);
        for (source, identity) in &identities {
            gathering.add(&IdentityKeys::of(*source, identity));
        }
        let mut known = gathering.done(persons.clone());
        account_past::remember(&mut reading, at, &mut known, &mut Again::none()).await?;
        let stray = Stray::read(&mut reading, depth, at).await?;
        snapshot.in_doubt.forgotten = Forgotten::read(&mut reading, at).await?.prints;
        drop(reading);
        let shown = |one: &u32| IdentityId::new(known.shown(*one));
        let stray = stray.holders(&known).into_iter();
        let stray = stray.map(|(one, credential)| (shown(&one), credential));
        snapshot.in_doubt.named_before = stray.collect();
        let worked_for = known.worked_for();
        let worked_for = worked_for.map(|(employer, record)| (shown(&employer), record));
        snapshot.in_doubt.worked_for = worked_for.collect();
        let before = known.worked_for_before();
        let before = before.map(|(employer, person)| (shown(&employer), shown(&person)));
        snapshot.in_doubt.worked_for_before = before.collect();
        let at_exit = known.worked_for_removed().into_iter();
        let at_exit = at_exit.map(|(vendor, words)| (shown(&vendor), words));
        snapshot.in_doubt.at_exit = at_exit.collect();
        let naming: HashSet<i64> = (identities.iter())
            .filter(|(_, identity)| identity.employer_id.is_some())
            .map(|(source, _)| *source)
            .collect();
        let unsaid = known.employers_unsaid(|source| naming.contains(&source));
        let unsaid = unsaid.map(|(employer, person)| {
            let person = Employment::always(shown(&person));
            (shown(&employer), person)
        });
        snapshot.in_doubt.employers.extend(unsaid);
        let resolve = |reference: &IdentityId, source: i64| {
            let one = known.meant(reference.as_str(), source).one;
            one.as_ref().map_or_else(|| reference.clone(), shown)
        };
        let fact = |number: u32| Some(&identities.get(number as usize)?.1);
        for (number, (source, identity)) in (0..).zip(&identities) {
            // A person is there once, as its records have it together.
            if known.lead(number) != number {
                continue;
            }
            let records = persons.with(*source, identity.id.as_str());
            let others = records
                .iter()
                .filter_map(|(source, id)| known.record(*source, id))
                .filter(|record| *record != number);
            let mut person = identity.clone();
            let mut said_by = BTreeMap::new();
            let mut all = vec![(*source, identity)];
            all.extend(others.filter_map(|n| Some((known.source(n), fact(n)?))));
            for one in employers(&all) {
                let (source, employer) = one.of;
                let meant = known.meant(employer.as_str(), source);
                let near = known.nearly(employer.as_str(), &meant);
                let near = near.map(|written| (written, shown(&number)));
                snapshot.in_doubt.near_employer.extend(near);
                let maybe = meant.maybe;
                let works = one.with(IdentityId::new(known.shown(number)));
                let maybe = maybe.iter().map(|one| (shown(one), works.clone()));
                snapshot.in_doubt.employers.extend(maybe);
            }
            if let Some((_, others)) = all.split_first().filter(|(_, others)| !others.is_empty()) {
                let others: Vec<&Identity> = others.iter().map(|(_, fact)| *fact).collect();
                let together = merged(identity, &others);
                (person, said_by) = (together.identity, together.origins);
                let names = all.iter().filter_map(|(_, one)| one.display_name.clone());
                let name = called(person.display_name.as_deref());
                let others = names.filter(|one| ![0, name].contains(&called(Some(one))));
                let id = IdentityId::new(known.shown(number));
                let others = others.map(|one| (id.clone(), one));
                snapshot.other_names.extend(others);
                let employers: Vec<_> = employers(&all)
                    .iter()
                    .map(|one| one.with(resolve(one.of.1, one.of.0)))
                    .collect();
                if employers.iter().any(|one| !one.is_always()) {
                    let id = IdentityId::new(known.shown(number));
                    snapshot.employers.insert(id, employers);
                }
            }
            let source_of = |column: &str| {
                let record = said_by.get(column).and_then(|place| all.get(*place));
                record.map_or(*source, |(source, _)| *source)
            };
            let refer = |id: Option<IdentityId>, column| id.map(|i| resolve(&i, source_of(column)));
            person.id = IdentityId::new(known.shown(number));
            person.manager_id = refer(person.manager_id, "manager_id");
            person.employer_id = refer(person.employer_id, "employer_id");
            snapshot.identities.push(person);
        }
        let before = known.called_before();
        let before = before.filter(|(_, name)| called(Some(name)) != 0);
        let before = before.map(|(one, name)| (shown(&one), name.to_owned()));
        snapshot.other_names.extend(before);
        for rows in by_name(accounts, |(_, account)| account) {
            let Some(mut account) = together(rows.iter().map(|(_, row)| row)) else {
                continue;
            };
            let mut in_doubt = |account: &Account, listed: Vec<u32>, gone: Vec<String>| {
                let listed = listed.iter().map(|n| IdentityId::new(known.shown(*n)));
                snapshot.ambiguous.push(AmbiguousAccount {
                    system: account.system.clone(),
                    id: account.id.clone(),
                    candidates: listed.collect(),
                    gone: gone.into_iter().map(IdentityId::new).collect(),
                });
            };
            let mut whose: Option<Owned> = None;
            let mut unmatched = true;
            for (own, row) in &rows {
                let keys = AccountKeys::of(*own, row);
                let found = known.owner_of(&keys);
                unmatched &= matches!(found, Match::None);
                match found {
                    Match::One { identity, rule } => {
                        let one = (identity, known.basis(*own, rule));
                        if let Some(another) = known.owned_too(&mut whose, one) {
                            in_doubt(&account, vec![another], Vec::new());
                        }
                    }
                    Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
                        in_doubt(&account, known.everybody(&candidates).0, Vec::new());
                    }
                    Match::HandedOn {
                        identity, before, ..
                    } => {
                        let (listed, gone) = known.everybody(&known.either(identity, before));
                        let gone = gone.into_iter();
                        let gone = gone
                            .map(|(source, id)| format!("{}:{id}", known.name_of_source(source)));
                        in_doubt(&account, listed, gone.collect());
                    }
                    ref gone @ Match::Gone { source, ref id, .. } => {
                        let record = format!("{}:{id}", known.name_of_source(source));
                        in_doubt(&account, Vec::new(), vec![record]);
                        if let Some(again) = known.could_be_again(&keys, gone) {
                            in_doubt(&account, known.everybody(&again).0, Vec::new());
                        }
                    }
                    Match::None | Match::Nobodys => {}
                }
            }
            let name = || (account.system.clone(), account.id.clone());
            if unmatched {
                let named = rows
                    .iter()
                    .filter(|(own, _)| known.goes_by_identity_id(*own))
                    .find_map(|(_, row)| row.identity_id.clone());
                let names = rows.iter().filter_map(|(_, row)| row.name.clone());
                let unmatched = Unmatched {
                    names: names.collect(),
                    identity: named,
                };
                snapshot.unmatched.insert(name(), unmatched);
            }
            account.identity_id = whose.map(|(identity, basis)| {
                if basis != Basis::Observed {
                    snapshot.inferred.insert(name(), basis);
                }
                IdentityId::new(known.shown(identity))
            });
            snapshot.accounts.push(account);
        }
        let doubts = doubts.iter();
        let doubts = doubts.map(|doubt| persons::perhaps_one(&known, doubt, |one| shown(&one)));
        snapshot.in_doubt.persons = doubts.collect();
        for (source, mut owner) in owners {
            if is_custody(&owner) {
                let system = owner.system.clone().unwrap_or_else(|| "".into());
                let meant = known.meant(owner.owner_id.as_str(), source);
                let near = known.nearly(owner.owner_id.as_str(), &meant);
                let name = format!("{system}:{}", owner.object_id);
                let near = near.map(|written| (written, name.clone()));
                snapshot.in_doubt.near_custody.extend(near);
                if meant.one.is_none()
                    && let Some(record) = known.gone_named(owner.owner_id.as_str(), source)
                {
                    snapshot.in_doubt.custody_left.push((record, name));
                }
                let maybe = meant
                    .maybe
                    .iter()
                    .map(|one| (shown(one), system.clone(), owner.object_id.clone()));
                snapshot.in_doubt.custody.extend(maybe);
            }
            owner.owner_id = resolve(&owner.owner_id, source);
            if owner.object_type == ObjectType::Identity {
                let object = IdentityId::new(owner.object_id.as_str());
                owner.object_id = resolve(&object, source).to_string();
            }
            snapshot.owners.push(owner);
        }
        for (confirmed, basis) in confirmed {
            let refer = |source: &str, id: &str| {
                let one = known.meant_of(source, id).one;
                let named = || IdentityId::new(format!("{source}:{id}"));
                one.as_ref().map_or_else(named, shown)
            };
            let object = confirmed.object;
            if object.kind == ObjectType::Credential && confirmed.role == OwnerRole::Custodian {
                let system: SystemName = object.system.as_str().into();
                let meant = known.meant_of(&confirmed.owner.source, &confirmed.owner.id);
                let maybe = meant.maybe.iter();
                let maybe = maybe.map(|one| (shown(one), system.clone(), object.id.clone()));
                snapshot.in_doubt.custody.extend(maybe);
            }
            let (system, object_id) = match object.kind {
                ObjectType::Identity => (None, refer(&object.system, &object.id).to_string()),
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => (Some(object.system.into()), object.id),
            };
            let owner = Owner {
                object_type: object.kind,
                system,
                object_id,
                owner_id: refer(&confirmed.owner.source, &confirmed.owner.id),
                role: confirmed.role,
                attributes: Attributes::new(),
            };
            match basis {
                Basis::Observed | Basis::Attested => snapshot.attested_owners.push(owner),
                Basis::Assumed => snapshot.doubted_owners.push(owner),
            }
        }
        Ok(snapshot)
    }

    /// Names of all sources, removed ones too, by row.
    pub(super) async fn source_names(&self) -> Result<HashMap<i64, String>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, name FROM sources")
            .fetch_all(self.readers())
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// How completely each source was read, at a sync.
    pub(crate) async fn read_states(&self, at: i64) -> Result<Vec<ReadState>, StoreError> {
        read_states(&mut *self.readers().begin().await?, at).await
    }
}

/// Whether an owner line says that somebody knows a credential without a place.
pub(super) fn is_custody(owner: &Owner) -> bool {
    owner.role == OwnerRole::Custodian && owner.object_type == ObjectType::Credential
}

/// Everything visible at a moment, in one pass over the tables and in the order in which it was
/// stored. What needs no resolving goes into the snapshot at once.
async fn visible(
    connection: &mut SqliteConnection,
    at: At,
    snapshot: &mut Snapshot,
) -> Result<Visible, StoreError> {
    let mut visible = Visible::default();
    let listing = Listing::read(&mut *connection, at).await?;
    let connection = Mutex::new(connection);
    for kind in Kind::ALL {
        let all = listing.all(kind, Columns::Facts);
        let take = |block: &Block| {
            block.places().try_for_each(|place| {
                let fact = block.fact(place)?;
                see(block.kind, block.source, fact, &mut visible, snapshot)
            })
        };
        all.each(&connection, take).await?;
    }
    snapshot.entitlements = each_once(std::mem::take(&mut snapshot.entitlements));
    snapshot.credentials = each_once(std::mem::take(&mut snapshot.credentials));
    Ok(visible)
}

/// Puts a fact where it belongs.
fn see(
    kind: Kind,
    source: i64,
    text: &str,
    visible: &mut Visible,
    snapshot: &mut Snapshot,
) -> Result<(), StoreError> {
    match kind {
        Kind::Identity => visible
            .identities
            .push((source, serde_json::from_str(text)?)),
        Kind::Account => visible.accounts.push((source, serde_json::from_str(text)?)),
        Kind::Owner => visible.owners.push((source, serde_json::from_str(text)?)),
        Kind::Entitlement => snapshot.entitlements.push(serde_json::from_str(text)?),
        Kind::Grant => snapshot.grants.push(serde_json::from_str(text)?),
        Kind::Credential => snapshot.credentials.push(serde_json::from_str(text)?),
        Kind::Location => snapshot.locations.push(serde_json::from_str(text)?),
        Kind::Reader => snapshot.readers.push(serde_json::from_str(text)?),
        Kind::Control => snapshot.controls.push(serde_json::from_str(text)?),
        // A rehearsal asks neither what is signed in now nor what was claimed.
        Kind::Session | Kind::Task => {}
    }
    Ok(())
}
