//! What people call the accounts and identities that lists of secrets name.

use crate::locations::{PlaceReader, SecretAccount, SecretDetail, SecretOwner, SecretRow};
use crate::store::{End, Store, StoreError, named};
use lastkey_contract::Kind;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};

#[derive(Deserialize)]
struct AccountPart {
    system: String,
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct IdentityPart {
    id: String,
    display_name: Option<String>,
}

/// Names in the making, and as they were found.
#[derive(Default)]
struct Called {
    accounts: BTreeSet<(String, String)>,
    identities: BTreeSet<String>,
    account_names: HashMap<(String, String), String>,
    identity_names: HashMap<String, String>,
}

/// An identity's id without the source that goes before it where two sources have the same.
fn bare(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, id)| id)
}

impl Called {
    fn account(&mut self, system: &str, id: &str) {
        self.accounts.insert((system.to_owned(), id.to_owned()));
    }

    fn identity(&mut self, id: &str) {
        self.identities.insert(id.to_owned());
    }

    async fn look_up(&mut self, store: &Store) -> Result<(), StoreError> {
        let accounts = self.accounts.iter();
        let keys: Vec<String> = accounts.map(|(system, id)| named(system, id)).collect();
        if !keys.is_empty() {
            let facts: Vec<(i64, AccountPart)> =
                store.facts_at(Kind::Account, End::Key, &keys).await?;
            for (_, part) in facts {
                if let Some(name) = part.name {
                    // Of two of one id the first stands.
                    let of = (part.system, part.id);
                    self.account_names.entry(of).or_insert(name);
                }
            }
        }
        let mut keys: Vec<String> = self.identities.iter().cloned().collect();
        keys.extend(self.identities.iter().map(|id| bare(id).to_owned()));
        keys.sort();
        keys.dedup();
        if !keys.is_empty() {
            let facts: Vec<(i64, IdentityPart)> =
                store.facts_at(Kind::Identity, End::Key, &keys).await?;
            for (_, part) in facts {
                if let Some(name) = part.display_name {
                    self.identity_names.entry(part.id).or_insert(name);
                }
            }
        }
        Ok(())
    }

    fn of_identity(&self, id: &str) -> Option<String> {
        let found = self.identity_names.get(id);
        found.or_else(|| self.identity_names.get(bare(id))).cloned()
    }

    fn of_account(&self, system: &str, id: &str) -> Option<String> {
        let of = (system.to_owned(), id.to_owned());
        self.account_names.get(&of).cloned()
    }

    fn want_opened(&mut self, opens: &[SecretAccount]) {
        for one in opens {
            self.account(&one.system, &one.id);
            if let Some(identity) = &one.identity {
                self.identity(identity);
            }
        }
    }

    fn put_opened(&self, opens: &mut [SecretAccount]) {
        for one in opens {
            one.name = self.of_account(&one.system, &one.id);
            let identity = one.identity.as_deref();
            one.identity_name = identity.and_then(|id| self.of_identity(id));
        }
    }

    fn put_owner(&self, owner: &mut SecretOwner) {
        owner.name = self.of_identity(&owner.id);
    }
}

/// Puts names beside the ids of a window of secrets.
pub async fn name_secrets(store: &Store, rows: &mut [SecretRow]) -> Result<(), StoreError> {
    let mut called = Called::default();
    for row in rows.iter() {
        called.want_opened(&row.opens);
        if let Some(owner) = &row.owner {
            called.identity(&owner.id);
        }
    }
    called.look_up(store).await?;
    for row in rows {
        called.put_opened(&mut row.opens);
        if let Some(owner) = &mut row.owner {
            called.put_owner(owner);
        }
    }
    Ok(())
}

/// The same of one secret.
pub async fn name_secret(store: &Store, detail: &mut SecretDetail) -> Result<(), StoreError> {
    name_secrets(store, std::slice::from_mut(&mut detail.row)).await?;
    let mut called = Called::default();
    called.want_opened(&detail.opens);
    for owner in &detail.owners {
        called.identity(&owner.id);
    }
    called.look_up(store).await?;
    called.put_opened(&mut detail.opens);
    for owner in &mut detail.owners {
        called.put_owner(owner);
    }
    Ok(())
}

/// The same of those who read.
pub async fn name_readers(store: &Store, rows: &mut [PlaceReader]) -> Result<(), StoreError> {
    let mut called = Called::default();
    for row in rows.iter() {
        called.account(&row.system, &row.account);
        if let Some(identity) = &row.identity {
            called.identity(identity);
        }
    }
    called.look_up(store).await?;
    for row in rows {
        row.account_name = called.of_account(&row.system, &row.account);
        let identity = row.identity.as_deref();
        row.identity_name = identity.and_then(|id| called.of_identity(id));
    }
    Ok(())
}
