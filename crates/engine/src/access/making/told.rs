//! What several sources tell of one thing: of what the first leaves empty the next one counts.

use super::Making;
use crate::access::columns::NONE;
use crate::access::coming::{NewAccount, NewCredential, Number};
use crate::access::graph::{AccountRow, CredentialRow, EntitlementRow};

#[derive(Clone, Copy)]
pub(super) struct Credential {
    pub row: CredentialRow,
    pub account: Option<Number>,
    made_by_someone: bool,
}

impl Credential {
    /// Takes what it does not have from what another source says of it, but nothing that closes it.
    fn fill(&mut self, more: Credential) {
        self.account = self.account.or(more.account);
        self.made_by_someone |= more.made_by_someone;
        let row = &mut self.row;
        for (mine, theirs) in [
            (&mut row.secret, more.row.secret),
            (&mut row.environment, more.row.environment),
        ] {
            if *mine == NONE {
                *mine = theirs;
            }
        }
    }
}

impl Making {
    /// What is known of an account that has its place, where that came later.
    pub(crate) fn told_account(
        &mut self,
        number: Number,
        new: NewAccount,
        identity: Option<Number>,
    ) {
        let Some(place) = self.holding.accounts.get(number) else {
            return;
        };
        let identity = self.identities.place(identity);
        if let Some(through) = new.through {
            self.through.push((place, through, new.origin));
        }
        if let Some(row) = self.accounts.row_mut(place) {
            *row = AccountRow {
                identity,
                ..new.row
            };
        }
    }

    pub(crate) fn entitlement(
        &mut self,
        number: Number,
        system: &str,
        id: &str,
        row: EntitlementRow,
    ) {
        let system = self.systems.row(system);
        let next = self.holding.entitlements.listed.len();
        let place = self.holding.entitlements.add(number, system, id, || row);
        if place != next
            && let Some(first) = self.holding.entitlements.listed.row_mut(place)
        {
            first.group = first.group.or(row.group);
            first.privileged = first.privileged.or(row.privileged);
            if first.environment == NONE {
                first.environment = row.environment;
            }
        }
    }

    pub(crate) fn credential(
        &mut self,
        number: Number,
        system: &str,
        id: &str,
        new: NewCredential<'_>,
    ) {
        let system = self.systems.row(system);
        let there = self.credentials.places.get(number);
        let there = there.and_then(|place| self.credentials.listed.row_mut(place));
        let has_secret = there.as_ref().is_some_and(|one| one.row.secret != NONE);
        let made = there.as_ref().is_some_and(|one| one.made_by_someone);
        let fingerprint = new.fingerprint.filter(|_| !has_secret);
        let created_by = new.created_by.filter(|by| !by.is_empty() && !made);
        let told = Credential {
            row: CredentialRow {
                secret: self.secrets.row_of_some(fingerprint),
                ..new.row
            },
            account: new.account,
            made_by_someone: created_by.is_some(),
        };
        match there {
            Some(first) => first.fill(told),
            None => {
                self.credentials.add(number, system, id, || told);
            }
        }
        let place = self.credentials.place(Some(number));
        if let Some(by) = created_by {
            self.created_by.push((by.into(), place));
        }
    }
}
