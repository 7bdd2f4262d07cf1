//! The first pass over facts: what each of them asks, that is, by which names it points at somebody.

use super::super::blocks::{self, At, Block, Columns, Which};
use super::super::names::{Names, NumberSet};
use super::super::outline::AccountOutline;
use super::super::{StoreError, every};
use super::known::{Known, login_number};
use crate::ownership::{Clue, Pointer, Subject, Wanted, clues};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, AccountKind, Credential, Location};
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// Of how many rows the facts are looked up at once.
const ROWS: usize = 10_000;

/// What facts ask for.
#[derive(Default)]
pub(super) struct Asked {
    pub wanted: Wanted,
    /// System and login, as numbers.
    pub logins: NumberSet,
    pub teams: HashSet<String>,
    /// Records of identities whose accounts were asked for.
    pub records: NumberSet,
}

impl Asked {
    pub fn clues(&mut self, names: Names, subject: &Subject<'_>) {
        self.clues_kept(names, subject);
    }

    /// The same, for whoever goes on with the clues.
    pub fn clues_kept(&mut self, names: Names, subject: &Subject<'_>) -> Vec<Clue> {
        let found = clues(subject);
        for clue in &found {
            self.wanted.clue(clue);
            match &clue.pointer {
                Pointer::Login { system, login } => {
                    self.logins.insert(login_number(names, system, login));
                }
                Pointer::Team(word) => {
                    self.teams.insert(word.clone());
                }
                Pointer::Identity { .. } | Pointer::Mail(_) | Pointer::FullName(_) => {}
            }
        }
        found
    }
}

/// Whether an account is of a sort that somebody else has to answer for.
pub(super) fn is_machine_account(kind: Option<AccountKind>) -> bool {
    match kind {
        Some(AccountKind::Service | AccountKind::Shared | AccountKind::System) => true,
        Some(AccountKind::Human) | None => false,
    }
}

impl Known {
    /// What the accounts of machines and those of nobody ask.
    pub(super) async fn read_accounts(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
    ) -> Result<(), StoreError> {
        let links = self.links.iter();
        let machines = links.filter(|(_, record)| self.machines.contains_key(*record));
        let mut machines: Vec<i64> = machines.map(|(row, _)| *row).collect();
        machines.sort_unstable();
        let names = self.names;
        for rows in machines.chunks(ROWS) {
            let (links, said) = (&self.links, &mut self.at_accounts);
            let of_machines = &mut self.of_machines;
            blocks::of_rows(&mut *reading, rows, Columns::Facts, |block, place| {
                let fact: Account = serde_json::from_str(block.fact(place)?)?;
                let Some(record) = links.get(&block.row(place)) else {
                    return Ok(());
                };
                let number = names.object(Kind::Account, &[fact.system.as_str(), fact.id.as_str()]);
                of_machines.insert(number, *record);
                let found = asked.clues_kept(names, &Subject::of_account(block.source, &fact));
                if !found.is_empty() {
                    said.entry(*record).or_default().extend(found);
                }
                Ok(())
            })
            .await?;
        }
        self.unmatched.sort_unstable();
        for rows in self.unmatched.chunks(ROWS) {
            let nobodys = &mut self.nobodys;
            blocks::of_rows(&mut *reading, rows, Columns::Outlined, |block, place| {
                let account: AccountOutline<'_> = block.outline(place)?;
                if is_machine_account(account.kind) {
                    nobodys.push(block.row(place));
                }
                Ok(())
            })
            .await?;
        }
        for rows in self.nobodys.chunks(ROWS) {
            blocks::of_rows(&mut *reading, rows, Columns::Facts, |block, place| {
                let fact: Account = serde_json::from_str(block.fact(place)?)?;
                asked.clues(names, &Subject::of_account(block.source, &fact));
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Which accounts of credentials are a person's: all that are neither a machine's nor
    /// unmatched. Only the numbers of names pass by.
    pub(super) async fn read_peoples(
        &mut self,
        reading: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let mut wanted = NumberSet::default();
        let credentials = Which::now(Kind::Credential);
        blocks::each(&mut *reading, &credentials, Columns::References, |block| {
            let accounts = block
                .places()
                .filter_map(|n| Block::reference(&block.froms, n));
            wanted.extend(accounts);
            Ok(())
        })
        .await?;
        if wanted.is_empty() {
            return Ok(());
        }
        let accounts = Which::now(Kind::Account);
        blocks::each(reading, &accounts, Columns::Keys, |block| {
            for place in block.places() {
                // Of an account, the number of its key is that by which references name it.
                let number = block.key(place)?;
                if !wanted.contains(&number) {
                    continue;
                }
                let row = block.row(place);
                let machines = self
                    .links
                    .get(&row)
                    .is_some_and(|r| self.machines.contains_key(r));
                if !machines && self.unmatched.binary_search(&row).is_err() {
                    self.of_people.insert(number);
                }
            }
            Ok(())
        })
        .await
    }

    /// The credentials that are no person's own, and what they ask.
    pub(super) async fn read_credentials(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
    ) -> Result<NumberSet, StoreError> {
        let names = self.names;
        let mut subjects = NumberSet::default();
        every::each(reading, Kind::Credential, None, At::Now, |standing| {
            let fact: Credential = serde_json::from_str(standing.fact)?;
            let number = names.object(Kind::Credential, &[fact.system.as_str(), fact.id.as_str()]);
            let account = self.account_number(&fact);
            if let Some(account) = account
                && self.lines.contains_key(&number)
            {
                let words = format!("credential {}:{}", fact.system, fact.id);
                self.credentials_of
                    .entry(account)
                    .or_default()
                    .push((number, words));
            }
            if account.is_none_or(|account| !self.of_people.contains(&account)) {
                subjects.insert(number);
                asked.clues(names, &Subject::of_credential(standing.source, &fact));
            }
            Ok(())
        })
        .await?;
        Ok(subjects)
    }

    pub(super) async fn read_places(
        &self,
        reading: &mut SqliteConnection,
        subjects: &NumberSet,
        asked: &mut Asked,
    ) -> Result<(), StoreError> {
        let names = self.names;
        standing_places(names, reading, subjects, |source, _, fact| {
            asked.clues(names, &Subject::of_location(source, fact));
        })
        .await
    }

    /// What is said at the places where a credential stands, once it is known who is meant.
    pub(super) async fn read_places_again(
        &mut self,
        reading: &mut SqliteConnection,
        subjects: &NumberSet,
    ) -> Result<(), StoreError> {
        let mut found: HashMap<i64, Vec<Clue>> = HashMap::new();
        let (people, teams) = (&self.people, &self.teams);
        standing_places(self.names, reading, subjects, |source, credential, fact| {
            for clue in clues(&Subject::of_location(source, fact)) {
                let meant = match &clue.pointer {
                    Pointer::Team(word) => teams.contains_key(word),
                    pointer => !people.named(pointer).is_empty(),
                };
                if meant {
                    found.entry(credential).or_default().push(clue);
                }
            }
        })
        .await?;
        self.at_places = found;
        Ok(())
    }
}

/// Takes every place where one of these credentials stands by its id.
async fn standing_places(
    names: Names,
    reading: &mut SqliteConnection,
    subjects: &NumberSet,
    mut take: impl FnMut(i64, i64, &Location),
) -> Result<(), StoreError> {
    every::each(reading, Kind::Location, None, At::Now, |standing| {
        let fact: Location = serde_json::from_str(standing.fact)?;
        let Some(id) = &fact.credential_id else {
            return Ok(());
        };
        let system = fact.credential_system.as_ref().unwrap_or(&fact.system);
        let number = names.object(Kind::Credential, &[system.as_str(), id.as_str()]);
        if subjects.contains(&number) {
            take(standing.source, number, &fact);
        }
        Ok(())
    })
    .await
}
