//! What is known of one account: whose it is, and which credentials it has.

use super::columns::NONE;
use super::graph::Graph;
use lastkey_contract::SystemName;

/// An account by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAccount {
    /// The id of whoever it is, as it is shown; None where that is not known.
    pub owner: Option<String>,
    /// Ids of its credentials, in the same system.
    pub credentials: Vec<String>,
}

impl Graph {
    /// What is known of an account; None where no source tells of it.
    pub fn known_account(&self, system: &SystemName, id: &str) -> Option<KnownAccount> {
        let account = self.account(system, id)?;
        let owner = self.accounts.at(account).identity;
        let own = self.credentials_of.row(account).iter();
        Some(KnownAccount {
            owner: (owner != NONE).then(|| self.identity_ids.at(owner).to_owned()),
            credentials: own
                .map(|credential| self.credential_ids.at(*credential).to_owned())
                .collect(),
        })
    }
}
