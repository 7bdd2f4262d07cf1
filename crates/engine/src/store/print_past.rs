//! Fingerprints that a source told once and tells no more, of what is still there: nobody is freed of
//! a secret because it is not recognised any longer.

use super::StoreError;
use super::blocks::{self, At, Columns, Listing};
use super::credential_past::ended_rows;
use crate::access::{ForgottenPrint, Printed};
use lastkey_contract::facts::{Credential, Location};
use lastkey_contract::{Fingerprint, Kind, When};
use memchr::memmem;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tokio::sync::Mutex;

/// Such fingerprints of a moment.
#[derive(Default)]
pub(super) struct Forgotten {
    pub prints: Vec<ForgottenPrint>,
    /// The row of the source, and the number of the key, of what told them.
    pub told_by: HashSet<(i64, i64)>,
}

/// What was told last of a fingerprint.
struct Told {
    row: i64,
    fingerprint: Fingerprint,
    rotated: Option<When>,
    of: Printed,
}

/// What is told now of a credential, or of all rows of a place.
#[derive(Default)]
struct Now {
    /// Its fingerprint, or another one.
    printed: bool,
    closed: bool,
    rotated: BTreeSet<Option<When>>,
}

/// What may have a fingerprint, of the fact of either kind.
struct Fact {
    of: Printed,
    fingerprint: Option<Fingerprint>,
    rotated: Option<When>,
    closed: bool,
}

impl Fact {
    /// None of what has no fingerprint ever.
    fn read(kind: Kind, json: &str) -> Result<Option<Fact>, StoreError> {
        let told = |print: Option<Fingerprint>| print.filter(|one| !one.as_str().is_empty());
        Ok(match kind {
            Kind::Credential => {
                let fact: Credential = serde_json::from_str(json)?;
                Some(Fact {
                    of: Printed::Credential(fact.system, fact.id),
                    fingerprint: told(fact.fingerprint),
                    rotated: fact.rotated_at,
                    closed: fact.enabled == Some(false) || fact.revoked_at.is_some(),
                })
            }
            Kind::Location => {
                let fact: Location = serde_json::from_str(json)?;
                Some(Fact {
                    of: Printed::Location(fact.system, fact.path),
                    fingerprint: told(fact.fingerprint),
                    rotated: fact.last_rotated_at,
                    closed: false,
                })
            }
            Kind::Identity
            | Kind::Account
            | Kind::Entitlement
            | Kind::Grant
            | Kind::Reader
            | Kind::Control
            | Kind::Owner
            | Kind::Session
            | Kind::Task => None,
        })
    }
}

impl Forgotten {
    /// Of credentials and locations.
    pub(super) async fn read(
        connection: &mut SqliteConnection,
        at: At,
    ) -> Result<Forgotten, StoreError> {
        let mut forgotten = Forgotten::default();
        for kind in [Kind::Credential, Kind::Location] {
            forgotten.of_kind(&mut *connection, kind, at).await?;
        }
        forgotten.prints.sort();
        forgotten.prints.dedup();
        Ok(forgotten)
    }

    pub(super) async fn of_kind(
        &mut self,
        connection: &mut SqliteConnection,
        kind: Kind,
        at: At,
    ) -> Result<(), StoreError> {
        let told = told_once(&mut *connection, kind, at).await?;
        if told.is_empty() {
            return Ok(());
        }
        let asked: HashSet<&Printed> = told.values().map(|one| &one.of).collect();
        let mut now: HashMap<Printed, Now> = HashMap::new();
        // Sources that tell fingerprints of such things still.
        let mut printing: HashSet<i64> = HashSet::new();
        let listing = Listing::read(&mut *connection, at).await?;
        let reading = Mutex::new(&mut *connection);
        let all = listing.all(kind, Columns::Named);
        all.each(&reading, |block| {
            block.places().try_for_each(|place| {
                let Some(fact) = Fact::read(kind, block.fact(place)?)? else {
                    return Ok(());
                };
                if fact.fingerprint.is_some() {
                    printing.insert(block.source);
                }
                if asked.contains(&fact.of) {
                    let first = !now.contains_key(&fact.of);
                    let told = now.entry(fact.of).or_default();
                    told.printed |= fact.fingerprint.is_some();
                    // The source that speaks for it comes first; that it is closed no other one says.
                    told.closed |= first && fact.closed;
                    told.rotated.insert(fact.rotated);
                }
                Ok(())
            })
        })
        .await?;
        for ((source, key), told) in told {
            let stays = match now.get(&told.of) {
                // A secret that was rotated since is another one.
                Some(now) => {
                    let since = now.rotated.iter().flatten();
                    let rotated = since.into_iter().any(|at| Some(*at) != told.rotated);
                    !now.printed && !now.closed && !rotated
                }
                // A copy that is gone from a place: whoever tells no fingerprint at all tells nothing of it.
                None => kind == Kind::Location && !printing.contains(&source),
            };
            if stays {
                self.told_by.insert((source, key));
                self.prints.push(ForgottenPrint {
                    of: told.of,
                    fingerprint: told.fingerprint,
                });
            }
        }
        Ok(())
    }
}

/// The last version with a fingerprint of each that ended by then, by the row of its source and the
/// number of its key.
async fn told_once(
    connection: &mut SqliteConnection,
    kind: Kind,
    at: At,
) -> Result<BTreeMap<(i64, i64), Told>, StoreError> {
    let mut told: BTreeMap<(i64, i64), Told> = BTreeMap::new();
    let rows = ended_rows(&mut *connection, kind, at).await?;
    let printed = [memmem::Finder::new("\"fingerprint\":\"")];
    let mut looked = (0, false);
    blocks::of_rows(connection, &rows, Columns::Named, |block, place| {
        if looked.0 != block.id {
            looked = (block.id, block.mentions_one_of(&printed));
        }
        if !looked.1 {
            return Ok(());
        }
        let Some(fact) = Fact::read(kind, block.fact(place)?)? else {
            return Ok(());
        };
        let Some(fingerprint) = fact.fingerprint else {
            return Ok(());
        };
        let row = block.row(place);
        let one = Told {
            row,
            fingerprint,
            rotated: fact.rotated,
            of: fact.of,
        };
        let key = (block.source, block.key(place)?);
        if told.get(&key).is_none_or(|last| last.row < row) {
            told.insert(key, one);
        }
        Ok(())
    })
    .await?;
    Ok(told)
}
