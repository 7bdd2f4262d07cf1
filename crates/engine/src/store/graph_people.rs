//! Everybody and whose the accounts are, for the graph, as their blocks come.

use super::StoreError;
use super::blocks::Block;
use super::outline::{AccountOutline, Depth};
use crate::access::making::{Making, NewAccount, Number};
use crate::access::{AccountRow, Group, IdentityRow, MaybeAccounts, expiry};
use crate::correlate::{
    AccountKeys, Employment, Gathering, Identities, Match, Meant, Part, Persons, Several, called,
    employers, merged,
};
use crate::lifecycle::Basis;
use lastkey_contract::IdentityId;
use lastkey_contract::facts::Identity;
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
        let (persons, mut employer_ids) = (self.persons, self.employer_ids);
        let known = self.gathering.done(persons.clone());
        for (number, row) in (0u32..).zip(self.rows) {
            if known.lead(number) != number {
                continue;
            }
            let source = known.source(number);
            let employer = employer_ids.remove(&number);
            let employer = employer.map(|id| known.meant(&id, source));
            let mut employed: Vec<Employment<Meant>> =
                employer.into_iter().map(Employment::always).collect();
            let mut row = row;
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
                    let employers = employers(&all).into_iter();
                    employed = employers.map(|one| one.with(refer(one.of))).collect();
                }
            }
            let numbered = Number::from(number);
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
        let before = known.called_before();
        let before = before.map(|(one, name)| (Number::from(one), called(Some(name))));
        making
            .other_names
            .extend(before.filter(|(_, name)| *name != 0));
        known
    }
}

impl Found {
    /// `again` are the rows of accounts whose number another one had before.
    pub fn take(
        &mut self,
        depth: Depth,
        again: &HashSet<i64>,
        block: &Block,
    ) -> Result<(), StoreError> {
        let Found {
            making,
            known,
            maybe,
        } = self;
        let places = block
            .places()
            .filter(|place| !again.contains(&block.row(*place)));
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
        for ((place, part), owner) in parts.iter().zip(owners) {
            let (identity, whose) = match owner {
                Some(one) => (Some(one), plain),
                None => {
                    let keys = depth.account_keys(block, *place, part)?;
                    whose_it_is(known, &keys, maybe)
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
}

/// Whose an account is and how that is known; `maybe` takes whose it may be.
fn whose_it_is(known: &Identities, keys: &AccountKeys, maybe: &mut Maybe) -> (Option<u32>, Basis) {
    let account = || format!("{}:{}", keys.system, keys.id);
    match known.owner_of(keys) {
        Match::One { identity, rule } => return (Some(identity), known.basis(keys.source, rule)),
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
        Match::None => {
            let name = keys.name.as_deref();
            maybe.accounts.unmatched(name, &keys.system, &keys.id);
        }
        Match::Nobodys => {}
    }
    (None, Basis::Observed)
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
    fn several(&mut self, known: &Identities, several: &Several, account: String) {
        for part in several.parts() {
            let accounts = &mut self.accounts;
            let group = self.groups.entry(part.place()).or_insert_with(|| {
                let (listed, gone) = known.everybody(&Several::from(part.clone()));
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
