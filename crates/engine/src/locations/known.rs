//! What somebody who leaves could read: the secrets in the reach of their accounts.

use super::secrets::Secrets;
use crate::access::Met;
use crate::lifecycle::ItemKind;
use std::collections::HashMap;

/// A way to a secret.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub path: Vec<String>,
    pub now: bool,
    pub certain: bool,
}

/// What one identity comes by, by secret.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) ways: HashMap<u32, Way>,
    /// What was not read whole and could hold more: a sentence each.
    pub unread: Vec<String>,
    /// Whether every account of theirs is closed.
    pub closed: bool,
}

impl Known {
    pub(super) fn of(secrets: &Secrets, met: &[Met]) -> Known {
        let mut known = Known::default();
        let mut suspected: Vec<(u32, Way)> = Vec::new();
        for one in met {
            let known_there: Vec<u32> = match one.item.kind {
                ItemKind::Credential => vec![*secrets.secret_of_credential.at(one.row)],
                ItemKind::Location => {
                    let spots = secrets.spots_at.row(one.row).iter();
                    spots
                        .map(|spot| *secrets.secret_of_spot.at(*spot))
                        .collect()
                }
                ItemKind::Account | ItemKind::Entitlement => continue,
            };
            for secret in known_there {
                let way = Way {
                    path: one.item.path.clone(),
                    now: one.now,
                    certain: true,
                };
                for suspect in secrets.suspects.row(secret) {
                    let certain = false;
                    suspected.push((
                        suspect.other,
                        Way {
                            certain,
                            ..way.clone()
                        },
                    ));
                }
                known.put(secret, way);
            }
        }
        for (secret, way) in suspected {
            if !known.ways.contains_key(&secret) {
                known.put(secret, way);
            }
        }
        known
    }

    /// The shortest way that works now goes first.
    fn put(&mut self, secret: u32, way: Way) {
        let rank = |way: &Way| (!way.certain, !way.now, way.path.len());
        match self.ways.get_mut(&secret) {
            Some(had) if rank(had) <= rank(&way) => {}
            Some(had) => *had = way,
            None => {
                self.ways.insert(secret, way);
            }
        }
    }
}
