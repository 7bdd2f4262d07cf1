//! Everybody and whose the accounts are, for the graph, as their blocks come.

use super::StoreError;
use super::blocks::Block;
use super::names::Names;
use super::outline::{AccountOutline, Depth};
use super::together::together;
use crate::access::making::{Making, NewAccount, Number};
use crate::access::{
    AccountRow, Group, IdentityRow, MaybeAccounts, account_row, expiry, signs_in_through,
};
use crate::correlate::{
    self, AccountKeys, Employment, Gathering, Identities, Match, Meant, Owned, Part, Persons,
    called, called_in_short, employers, merged,
};
use crate::lifecycle::Basis;
use lastkey_contract::facts::{Account, Identity};
use lastkey_contract::{IdentityId, Kind};
use std::collections::{HashMap, HashSet};

/// The number of somebody, by their number among all identities.
fn person(known: &Identities, identity: u32) -> Number {
    Number::from(known.lead(identity))
}

/// The number of whom a reference means; of nobody where it is not one.
pub(super) fn resolved(known: &Identities, meant: &Meant) -> Number {
    // Numbers of people are not negative.
    meant.one.map_or(-1, |one| person(known, one))
}

/// The numbers of those whom a reference could mean as well as others.
pub(super) fn perhaps<'m>(
    known: &'m Identities,
    meant: &'m Meant,
) -> impl Iterator<Item = Number> + 'm {
    meant.maybe.iter().map(|one| person(known, *one))
}

/// Identities as they come. Whose employer is who is known once all are.
pub(super) struct Coming {
    gathering: Gathering,
    persons: Persons,
    rows: Vec<IdentityRow>,
    employer_ids: HashMap<u32, String>,
    /// What those with longer names are called in short.
    short: HashMap<u32, Vec<u64>>,
    /// Records that are one person's with others: row and number.
    pub joined: Vec<(i64, u32)>,
}

impl Coming {
    /// Makes room for about so many.
    pub fn new(mut gathering: Gathering, persons: Persons, count: usize) -> Coming {
        gathering.expect(count);
        Coming {
            gathering,
            persons,
            rows: Vec::with_capacity(count),
            employer_ids: HashMap::new(),
            short: HashMap::new(),
            joined: Vec::new(),
        }
    }

    pub fn take(&mut self, depth: Depth, block: &Block) -> Result<(), StoreError> {
        let alone = self.persons.is_empty();
        block.places().try_for_each(|place| {
            let (keys, outline) = depth.identity(block, place)?;
            let number = self.gathering.add(&keys);
            if !alone && self.persons.person_of(block.source, &outline.id).is_some() {
                self.joined.push((block.row(place), number));
            }
            if let Some(employer) = outline.employer_id {
                self.employer_ids.insert(number, employer.to_string());
            }
            let short = outline.display_name.as_deref().map(called_in_short);
            if let Some(short) = short.filter(|short| !short.is_empty()) {
                self.short.insert(number, short);
            }
            self.rows.push(IdentityRow {
                kind: outline.kind,
                status: outline.status,
                leaver_kind: outline.leaver_kind,
                called: called(outline.display_name.as_deref()),
            });
            Ok(())
        })
    }

    /// Everybody by their names; `whole` are the facts of those who have several records.
    pub fn make(self, whole: &HashMap<u32, Identity>, making: &mut Making) -> Identities {
        let (persons, mut employer_ids, mut short) = (self.persons, self.employer_ids, self.short);
        let known = self.gathering.done(persons.clone());
        let naming: HashSet<i64> = (employer_ids.keys())
            .map(|number| known.source(*number))
            .collect();
        let unsaid = known.employers_unsaid(|source| naming.contains(&source));
        let unsaid = unsaid.map(|(employer, person)| {
            let person = Employment::always(Number::from(person));
            (Number::from(known.lead(employer)), person)
        });
        making.doubtful.employed.extend(unsaid);
        for (number, row) in (0u32..).zip(self.rows) {
            if known.lead(number) != number {
                continue;
            }
            let source = known.source(number);
            let employer = employer_ids.remove(&number);
            let mut near: Vec<u64> = Vec::new();
            let employer = employer.map(|id| {
                let meant = known.meant(&id, source);
                near.extend(known.nearly(&id, &meant));
                meant
            });
            let mut employed: Vec<Employment<Meant>> =
                employer.into_iter().map(Employment::always).collect();
            let mut row = row;
            let mut short = short.remove(&number).unwrap_or_default();
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
                    let name = called(person.display_name.as_deref());
                    let names = all
                        .iter()
                        .map(|(_, one)| called(one.display_name.as_deref()));
                    short = (all
                        .iter()
                        .filter_map(|(_, one)| one.display_name.as_deref()))
                    .chain(person.display_name.as_deref())
                    .flat_map(called_in_short)
                    .collect();
                    let others_names = names.filter(|one| *one != 0 && *one != name);
                    making
                        .other_names
                        .extend(others_names.map(|one| (Number::from(number), one)));
                    row = IdentityRow {
                        kind: person.kind,
                        status: person.status,
                        leaver_kind: person.leaver_kind,
                        called: name,
                    };
                    let refer = |(source, id): (i64, &IdentityId)| known.meant(id.as_str(), source);
                    let employers = employers(&all);
                    near = (employers.iter())
                        .flat_map(|one| known.nearly(one.of.1.as_str(), &refer(one.of)))
                        .collect();
                    let employers = employers.into_iter();
                    employed = employers.map(|one| one.with(refer(one.of))).collect();
                }
            }
            let numbered = Number::from(number);
            let near = near.into_iter().map(|written| (written, numbered));
            making.doubtful.near_employer.extend(near);
            let short = short.into_iter().map(|short| (numbered, short));
            making.other_names.extend(short);
            for one in &employed {
                let employers = perhaps(&known, &one.of);
                let employers = employers.map(|employer| (employer, one.with(numbered)));
                making.doubtful.employed.extend(employers);
            }
            let employed = employed
                .iter()
                .map(|one| one.with(resolved(&known, &one.of)));
            making.identity(numbered, &known.called(number), row, employed);
        }
        for (one, name) in known.called_before() {
            let names = called_in_short(name)
                .into_iter()
                .chain([called(Some(name))]);
            let names = names.filter(|name| *name != 0);
            making
                .other_names
                .extend(names.map(|name| (Number::from(one), name)));
        }
        known
    }
}

/// Accounts of which several sources tell.
#[derive(Default)]
pub(super) struct Several {
    /// The rows of each, those of the source that speaks for it first.
    pub rows: HashMap<Number, Vec<i64>>,
    /// All rows but the first ones.
    again: HashSet<i64>,
    firsts: HashSet<i64>,
}

impl Several {
    pub fn of(rows: HashMap<Number, Vec<i64>>) -> Several {
        let parted = || rows.values().filter_map(|rows| rows.split_first());
        Several {
            again: parted().flat_map(|(_, again)| again).copied().collect(),
            firsts: parted().map(|(first, _)| *first).collect(),
            rows,
        }
    }
}

/// What one source says of an account.
pub(super) struct Said {
    pub source: i64,
    pub row: i64,
    pub fact: Account,
}

impl Found {
    /// Of accounts of which several sources tell only that they are there.
    pub fn take(
        &mut self,
        depth: Depth,
        several: &Several,
        block: &Block,
    ) -> Result<(), StoreError> {
        let Found {
            making,
            known,
            maybe,
        } = self;
        let places = block
            .places()
            .filter(|place| !several.again.contains(&block.row(*place)));
        let parts = places.map(|place| Ok((place, block.outline(place)?)));
        let parts: Vec<(usize, AccountOutline<'_>)> = parts.collect::<Result<_, StoreError>>()?;
        let plainly = known.plainly(block.source);
        let (owners, plain) = match &plainly {
            Some(plainly) => {
                let ids = parts.iter().map(|(_, part)| part.identity_id.as_deref());
                (plainly.owners(&ids.collect::<Vec<_>>()), plainly.basis)
            }
            None => (vec![None; parts.len()], Basis::Assumed),
        };
        let by_identity_id = known.goes_by_identity_id(block.source);
        for ((place, part), owner) in parts.iter().zip(owners) {
            if several.firsts.contains(&block.row(*place)) {
                let new = NewAccount {
                    row: AccountRow::unknown(),
                    through: None,
                    origin: block.row(*place),
                };
                making.numbered_account(&part.system, &part.id, new, None);
                continue;
            }
            let whose = match owner {
                Some(one) => Whose::One((one, plain)),
                None => whose_it_is(known, &depth.account_keys(block, *place, part)?, maybe),
            };
            let (identity, whose) = match whose {
                Whose::One((one, basis)) => (Some(one), basis),
                Whose::Doubted => (None, Basis::Observed),
                Whose::Unmatched => {
                    let accounts = &mut maybe.accounts;
                    let named = part.identity_id.as_deref().filter(|_| by_identity_id);
                    accounts.unmatched((&part.system, &part.id), part.name.as_deref(), named);
                    (None, Basis::Observed)
                }
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
                through: Block::reference(&block.tos, *place),
                origin: block.row(*place),
            };
            let identity = identity.map(|identity| person(known, identity));
            making.numbered_account(&part.system, &part.id, new, identity);
        }
        Ok(())
    }

    /// All that several sources say of an account.
    pub fn told_by_several(&mut self, names: Names, number: Number, said: &[Said]) {
        let Found {
            making,
            known,
            maybe,
        } = self;
        let Some(account) = together(said.iter().map(|one| &one.fact)) else {
            return;
        };
        let (mut owner, mut unmatched) = (None, true);
        for one in said {
            let keys = AccountKeys::of(one.source, &one.fact);
            match whose_it_is(known, &keys, maybe) {
                Whose::One(found) => {
                    unmatched = false;
                    if let Some(another) = known.owned_too(&mut owner, found) {
                        let name = format!("{}:{}", account.system, account.id);
                        maybe.accounts.of(known.shown(another), name);
                    }
                }
                Whose::Doubted => unmatched = false,
                Whose::Unmatched => {}
            }
        }
        let (system, id) = (account.system.as_str(), account.id.as_str());
        if unmatched {
            let named = said
                .iter()
                .filter(|one| known.goes_by_identity_id(one.source))
                .find_map(|one| one.fact.identity_id.as_ref());
            let named = named.map(IdentityId::as_str);
            for one in said {
                let name = one.fact.name.as_deref();
                maybe.accounts.unmatched((system, id), name, named);
            }
        }
        let basis = owner.map_or(Basis::Observed, |(_, basis)| basis);
        let row = account_row(making, &account, basis);
        let through = signs_in_through(&account)
            .map(|(at, id)| names.object(Kind::Account, &[at.as_str(), id.as_str()]));
        let says = |one: &&Said| one.fact.signs_in_through_id.is_some();
        let origin = said.iter().find(says).map_or(0, |one| one.row);
        let new = NewAccount {
            row,
            through,
            origin,
        };
        let identity = owner.map(|(identity, _)| person(known, identity));
        making.told_account(number, new, identity);
    }
}

/// Whose an account is, and how that is known.
enum Whose {
    One(Owned),
    /// Nobody's who is listed, or nobody's; `Maybe` has whose it may be.
    Doubted,
    Unmatched,
}

/// Whose an account is by one row; `maybe` takes whose it may be.
fn whose_it_is(known: &Identities, keys: &AccountKeys, maybe: &mut Maybe) -> Whose {
    let account = || format!("{}:{}", keys.system, keys.id);
    match known.owner_of(keys) {
        Match::One { identity, rule } => {
            return Whose::One((identity, known.basis(keys.source, rule)));
        }
        Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
            maybe.several(known, &candidates, account());
        }
        Match::HandedOn {
            identity, before, ..
        } => {
            maybe.accounts.of(known.shown(identity), account());
            maybe.several(known, &before, account());
        }
        ref gone @ Match::Gone { source, ref id, .. } => {
            let whose = format!("{}:{id}", known.name_of_source(source));
            maybe.accounts.stayed(whose, account());
            if let Some(again) = known.could_be_again(keys, gone) {
                maybe.several(known, &again, account());
            }
        }
        Match::None => return Whose::Unmatched,
        Match::Nobodys => {}
    }
    Whose::Doubted
}

/// Whose accounts may be. People whom one value leads to are gone through once, however many accounts
/// have it.
#[derive(Default)]
pub(super) struct Maybe {
    pub accounts: MaybeAccounts,
    /// By where people stand; these are kept, so that no others stand there.
    groups: HashMap<usize, (Part, Group)>,
}

impl Maybe {
    fn several(&mut self, known: &Identities, several: &correlate::Several, account: String) {
        for part in several.parts() {
            let accounts = &mut self.accounts;
            let group = self.groups.entry(part.place()).or_insert_with(|| {
                let (listed, gone) = known.everybody(&correlate::Several::from(part.clone()));
                let listed = listed.into_iter().map(|n| known.shown(n));
                let gone = gone.into_iter();
                let gone =
                    gone.map(|(source, id)| format!("{}:{id}", known.name_of_source(source)));
                (part.clone(), accounts.group(listed, gone))
            });
            accounts.in_group(group.1, account.clone());
        }
    }
}

/// Everybody and their accounts.
pub(super) struct Found {
    pub making: Making,
    pub known: Identities,
    pub maybe: Maybe,
}
