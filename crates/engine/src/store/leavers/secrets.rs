//! Who may know secrets of others: by what they hold, and by custody.

use super::super::StoreError;
use super::super::blocks::{self, Columns, Which};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Owner, OwnerRole, PrincipalType, Reader};
use sqlx::SqliteConnection;
use std::collections::HashSet;

/// All that ever was told of it.
pub(super) struct KnownSecrets {
    /// The systems of entitlements that read places.
    pub readers: HashSet<String>,
    /// As the sources name them.
    pub custodians: HashSet<String>,
}

impl KnownSecrets {
    pub async fn read(connection: &mut SqliteConnection) -> Result<KnownSecrets, StoreError> {
        let mut known = KnownSecrets {
            readers: HashSet::new(),
            custodians: HashSet::new(),
        };
        let readers = Which::ever(Kind::Reader);
        blocks::each(&mut *connection, &readers, Columns::Facts, |block| {
            for place in block.places() {
                let reader: Reader = serde_json::from_str(block.fact(place)?)?;
                let principal = reader.principal;
                if principal.kind == PrincipalType::Entitlement {
                    known.readers.insert(principal.system.to_string());
                }
            }
            Ok(())
        })
        .await?;
        let owners = Which::ever(Kind::Owner);
        blocks::each(connection, &owners, Columns::Facts, |block| {
            for place in block.places() {
                let owner: Owner = serde_json::from_str(block.fact(place)?)?;
                if owner.role == OwnerRole::Custodian {
                    known.custodians.insert(owner.owner_id.to_string());
                }
            }
            Ok(())
        })
        .await?;
        Ok(known)
    }
}
