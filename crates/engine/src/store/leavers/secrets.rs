//! Who may know secrets of others: by what they hold, and by custody.

use super::super::blocks::{self, Columns, Which};
use super::super::names::Names;
use super::super::{StoreError, named};
use crate::measured;
use lastkey_contract::Kind;
use lastkey_contract::facts::{Credential, Owner, OwnerRole, PrincipalType, Reader};
use sqlx::SqliteConnection;
use std::collections::{BTreeSet, HashMap, HashSet};

/// All that ever was told of it.
pub(super) struct KnownSecrets {
    /// The numbers of the names of entitlements that read places.
    pub readers: HashSet<i64>,
    /// As the sources name them.
    pub custodians: HashSet<String>,
    /// By credential, the accounts that others with the same secret sign in to.
    pub same: HashMap<measured::Names, BTreeSet<measured::Names>>,
}

impl KnownSecrets {
    pub async fn read(
        connection: &mut SqliteConnection,
        names: Names,
    ) -> Result<KnownSecrets, StoreError> {
        let mut known = KnownSecrets {
            readers: HashSet::new(),
            custodians: HashSet::new(),
            same: HashMap::new(),
        };
        let readers = Which::ever(Kind::Reader);
        blocks::each(&mut *connection, &readers, Columns::Facts, |block| {
            for place in block.places() {
                let reader: Reader = serde_json::from_str(block.fact(place)?)?;
                let principal = reader.principal;
                if principal.kind == PrincipalType::Entitlement {
                    let name = named(principal.system.as_str(), principal.id.as_str());
                    known.readers.insert(names.key(Kind::Entitlement, &name));
                }
            }
            Ok(())
        })
        .await?;
        let owners = Which::ever(Kind::Owner);
        blocks::each(&mut *connection, &owners, Columns::Facts, |block| {
            for place in block.places() {
                let owner: Owner = serde_json::from_str(block.fact(place)?)?;
                if owner.role == OwnerRole::Custodian {
                    known.custodians.insert(owner.owner_id.to_string());
                }
            }
            Ok(())
        })
        .await?;
        known.same = same_secrets(connection).await?;
        Ok(known)
    }
}

/// By credential, the accounts that others with an equal fingerprint were ever said to be of.
async fn same_secrets(
    connection: &mut SqliteConnection,
) -> Result<HashMap<measured::Names, BTreeSet<measured::Names>>, StoreError> {
    let mut of_print: HashMap<String, BTreeSet<(measured::Names, measured::Names)>> =
        HashMap::new();
    let credentials = Which::ever(Kind::Credential);
    blocks::each(connection, &credentials, Columns::Facts, |block| {
        for place in block.places() {
            let text = block.fact(place)?;
            // Of most nothing is known, and nothing is read.
            if !text.contains("\"fingerprint\"") {
                continue;
            }
            let fact: Credential = serde_json::from_str(text)?;
            if let (Some(print), Some(account)) = (fact.fingerprint, fact.account_id) {
                let names = |id: &str| measured::Names::new(fact.system.as_str(), id);
                let pair = (names(fact.id.as_str()), names(account.as_str()));
                of_print.entry(print.to_string()).or_default().insert(pair);
            }
        }
        Ok(())
    })
    .await?;
    let mut same: HashMap<measured::Names, BTreeSet<measured::Names>> = HashMap::new();
    for pairs in of_print.into_values().filter(|pairs| pairs.len() > 1) {
        for (credential, account) in &pairs {
            let others = pairs.iter().map(|(_, other)| other);
            let others = others.filter(|other| *other != account).cloned();
            same.entry(credential.clone()).or_default().extend(others);
        }
    }
    Ok(same)
}
