//! Which accounts of a system a server could mean by a name.

use super::blocks::{self, Columns, Which};
use super::{Store, StoreError};
use crate::probes::one_writing;
use lastkey_contract::Kind;
use lastkey_contract::facts::Account;

impl Store {
    /// The ids of the accounts of a system that have the name as id, name, address or anything else that
    /// their source tells of them.
    pub async fn accounts_named(
        &self,
        system: &str,
        name: &str,
    ) -> Result<Vec<String>, StoreError> {
        let wanted = one_writing(name);
        let mut found = Vec::new();
        let mut reading = self.readers().begin().await?;
        let listed = Which::now(Kind::Account);
        blocks::each(&mut reading, &listed, Columns::Facts, |block| {
            for place in block.places() {
                let account: Account = serde_json::from_str(block.fact(place)?)?;
                if account.system.as_str() != system {
                    continue;
                }
                let id = account.id.as_str();
                let own = [Some(id), account.name.as_deref(), account.email.as_deref()];
                let told = account.attributes.values().map(String::as_str);
                if own
                    .into_iter()
                    .flatten()
                    .chain(told)
                    .any(|text| one_writing(text) == wanted)
                {
                    found.push(id.to_owned());
                }
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }
}
