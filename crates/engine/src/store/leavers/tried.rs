//! Tries of credentials that sign in to what leavers held.

use super::super::{StoreError, probes};
use crate::measured::{Held, HeldKind, Names, Probed};
use crate::probes::{Proves, Try, proved};
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// All tries by the account that they sign in to, and by the credential that they are of.
#[derive(Default)]
pub(super) struct TriedOf {
    accounts: HashMap<Names, Vec<Probed>>,
    credentials: HashMap<Names, Vec<Probed>>,
}

impl TriedOf {
    pub async fn read(connection: &mut SqliteConnection) -> Result<TriedOf, StoreError> {
        let mut of = TriedOf::default();
        for (_, probe) in probes::all(connection).await? {
            let tries: Vec<Try> = probe.tries.iter().map(|one| one.of).collect();
            let account = Names::new(&probe.of.system, &probe.of.account);
            let credential = (probe.of.credential.as_deref())
                .map(|credential| Names::new(&probe.of.system, credential));
            for (one, proves) in probe.tries.into_iter().zip(proved(&tries)) {
                let probed = Probed {
                    probe: probe.of.name.clone(),
                    from: one.of.from,
                    until: one.of.until,
                    answer: one.of.answer,
                    raw: one.raw,
                    why: one.why,
                    counts: proves != Proves::Nothing,
                    proves,
                };
                if let Some(credential) = &credential {
                    let there = of.credentials.entry(credential.clone()).or_default();
                    there.push(probed.clone());
                }
                of.accounts.entry(account.clone()).or_default().push(probed);
            }
        }
        let all = of.accounts.values_mut().chain(of.credentials.values_mut());
        all.for_each(|tries| tries.sort_by_key(|one| (one.until, one.from)));
        Ok(of)
    }

    pub fn add_to(&self, held: &mut [Held]) {
        for one in held {
            let of_kind = match one.kind {
                HeldKind::Account => &self.accounts,
                HeldKind::Credential => &self.credentials,
                HeldKind::Session
                | HeldKind::Entitlement
                | HeldKind::Location
                | HeldKind::Control => continue,
            };
            if let Some(tried) = of_kind.get(&one.names) {
                one.tried.clone_from(tried);
            }
        }
    }
}
