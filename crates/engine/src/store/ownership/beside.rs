//! The owners of what belongs together with an object, gathered once where many ask for the same.

use super::known::{Holder, Known, Line};
use crate::ownership::{Clue, MOST, ObjectName, Owners, Owning, Relation};
use lastkey_contract::facts::{Credential, ObjectType, OwnerRole};
use std::collections::HashMap;

/// What so many lines say is kept: what a few say is gathered for each that asks.
const MANY: usize = MOST;

/// Owners of what very many belong to, by how they belong to it and its number.
#[derive(Default)]
pub(super) struct Beside(HashMap<(Relation, i64), Owners>);

impl Beside {
    /// What the owners of an account's credentials say.
    pub fn of_account(&mut self, known: &Known, account: i64) -> Vec<Clue> {
        self.of_credentials(known, Relation::ItsCredential, account, account)
    }

    /// What the owners of all that belongs together with a credential say.
    pub fn of_credential(&mut self, known: &Known, fact: &Credential, number: i64) -> Vec<Clue> {
        let Some(account) = known.account_number(fact) else {
            return Vec::new();
        };
        let id = fact.account_id.as_ref().map_or("", |id| id.as_str());
        let words = format!("account {}:{id}", fact.system);
        let lines = known.lines.get(&account).map_or(&[][..], Vec::as_slice);
        let mut found = self.said(
            Relation::ItsAccount,
            account,
            lines.len(),
            number,
            known,
            || {
                lines
                    .iter()
                    .map(|line| (account, words.as_str(), line))
                    .collect()
            },
        );
        if let Some(machine) = known.of_machines.get(&account)
            && let Some((source, id)) = known.machines.get(machine)
        {
            let name = known.sources.get(source).cloned().unwrap_or_default();
            let identity = ObjectName::new(ObjectType::Identity, name, id.as_str());
            let words = identity.to_string();
            // Whose lines these are is found out by name, as often as it is asked.
            found.extend(
                self.said(Relation::ItsIdentity, *machine, MANY, number, known, || {
                    let lines = known.lines_of(&identity, *source).into_iter();
                    lines.map(|line| (*machine, words.as_str(), line)).collect()
                }),
            );
        }
        found.extend(self.of_credentials(known, Relation::SameAccount, account, number));
        found
    }

    fn of_credentials(
        &mut self,
        known: &Known,
        relation: Relation,
        account: i64,
        asking: i64,
    ) -> Vec<Clue> {
        let Some(credentials) = known.credentials_of.get(&account) else {
            return Vec::new();
        };
        let lines_of = |number: &i64| known.lines.get(number).map_or(&[][..], Vec::as_slice);
        let many = match credentials.len() > MANY {
            true => credentials.len(),
            false => credentials.iter().map(|(n, _)| lines_of(n).len()).sum(),
        };
        self.said(relation, account, many, asking, known, || {
            let lines = credentials.iter().flat_map(|(number, words)| {
                let lines = lines_of(number).iter();
                lines.map(|line| (*number, words.as_str(), line))
            });
            lines.collect()
        })
    }

    /// What the owners in some lines say of the object `asking`.
    fn said<'k>(
        &mut self,
        relation: Relation,
        of: i64,
        many: usize,
        asking: i64,
        known: &'k Known,
        lines: impl FnOnce() -> Vec<(i64, &'k str, &'k Line)>,
    ) -> Vec<Clue> {
        // Only a credential of the account is among those that it is asked about beside.
        let among = (relation == Relation::SameAccount).then(|| known.lines.get(&asking));
        let own = among.flatten().into_iter().flatten();
        let own = own.filter(|line| line.holder == Holder::Same);
        let own: Vec<(i64, &str, OwnerRole)> = own
            .map(|line| (line.source, line.owner_id.as_str(), line.role))
            .collect();
        let gather = || {
            Owners::of(lines().into_iter().filter_map(owning), |id, source| {
                is_there(known, id, source)
            })
        };
        if many < MANY {
            return gather().clues(relation, asking, &own);
        }
        let kept = self.0.entry((relation, of)).or_insert_with(gather);
        kept.clues(relation, asking, &own)
    }
}

fn is_there(known: &Known, id: &str, source: i64) -> bool {
    let state = known.people.state_of(&known.people.persons(id, source));
    state.is_some_and(|state| !state.is_gone())
}

/// A line as siblings take it, unless it means somebody else by now.
fn owning<'k>((object, words, line): (i64, &'k str, &'k Line)) -> Option<Owning<'k>> {
    (line.holder == Holder::Same).then_some(Owning {
        object,
        words,
        source: line.source,
        owner_id: &line.owner_id,
        role: line.role,
    })
}
