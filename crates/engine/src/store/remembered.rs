//! What was found out about the file as it stands now, for as long as nobody writes to it.
//!
//! Paging through a table asks the same again and again: how many rows each block has, which of
//! them a filter leaves. It is remembered with the version of the file that it holds for, so that
//! what anybody stores, this process or another, makes it be found out anew.

use super::blocks::{self, At, Standing, Tally};
use super::{LinkState, Store, StoreError};
use lastkey_contract::Kind;
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How many answers are remembered of each sort; the oldest gives way.
const MANY: usize = 32;
/// How often a moment is looked for at which nobody stores.
const TRIES: usize = 5;

/// Of one open store.
#[derive(Default)]
pub(super) struct Remembered {
    /// One connection that never writes and is never another: only on the same connection do two
    /// versions of the file compare.
    watch: tokio::sync::Mutex<Option<SqliteConnection>>,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}

/// Columns with their values.
type Filters = Vec<(String, String)>;

/// The answers of one version of the file.
#[derive(Default)]
pub(super) struct Kept {
    version: Option<i64>,
    standing: Vec<(At, Arc<Vec<Standing>>)>,
    tallies: Vec<(Kind, At, Filters, Arc<Tally>)>,
    /// How many accounts stand how.
    pub link_counts: Option<Vec<(LinkState, u64)>>,
}

impl Kept {
    /// These answers, if they are of this version.
    fn of(&mut self, version: i64) -> &mut Kept {
        if self.version != Some(version) {
            *self = Kept {
                version: Some(version),
                ..Kept::default()
            };
        }
        self
    }
}

/// One moment of the file: nothing of it changes for whoever reads on this connection.
pub(super) struct Moment<'s> {
    pub tx: Transaction<'static, Sqlite>,
    remembered: &'s Remembered,
    /// None where so much is being stored that no version is sure: nothing is remembered then.
    version: Option<i64>,
}

impl Remembered {
    /// Which version the file has now; a number that means something on this connection only.
    async fn version(&self, readers: &SqlitePool) -> Result<i64, StoreError> {
        let mut watch = self.watch.lock().await;
        let mut connection = match watch.take() {
            Some(connection) => connection,
            None => readers.acquire().await?.detach(),
        };
        let version = sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&mut connection)
            .await;
        *watch = Some(connection);
        Ok(version?)
    }

    /// Lets go of the connection.
    pub async fn close(&self) {
        if let Some(connection) = self.watch.lock().await.take() {
            let _closed_or_gone = connection.close().await;
        }
    }

    fn with<T>(&self, version: i64, look: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        look(kept.of(version))
    }
}

impl Store {
    /// The file as it stands now.
    pub(super) async fn moment(&self) -> Result<Moment<'_>, StoreError> {
        let remembered = self.remembered();
        let mut before = remembered.version(self.readers()).await?;
        let mut tries = 0;
        loop {
            let mut tx = self.readers().begin().await?;
            // The first thing that is read decides which state a transaction sees.
            sqlx::query("SELECT count(*) FROM sources")
                .execute(&mut *tx)
                .await?;
            let after = remembered.version(self.readers()).await?;
            tries += 1;
            if before == after || tries == TRIES {
                return Ok(Moment {
                    tx,
                    remembered,
                    version: (before == after).then_some(after),
                });
            }
            before = after;
        }
    }
}

impl Store {
    /// What was found out of the file as it stands now; else what `find` finds out.
    pub(super) async fn recall<T: Clone>(
        &self,
        slot: fn(&mut Kept) -> &mut Option<T>,
        find: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let remembered = self.remembered();
        let before = remembered.version(self.readers()).await?;
        if let Some(known) = remembered.with(before, |kept| slot(kept).clone()) {
            return Ok(known);
        }
        let found = find.await?;
        // What was stored meanwhile may be in it, and may not.
        if remembered.version(self.readers()).await? == before {
            remembered.with(before, |kept| *slot(kept) = Some(found.clone()));
        }
        Ok(found)
    }
}

impl Moment<'_> {
    /// How many objects of each block stand.
    pub async fn standing(&mut self, at: At) -> Result<Arc<Vec<Standing>>, StoreError> {
        let known = self.version.and_then(|version| {
            self.remembered.with(version, |kept| {
                let found = kept.standing.iter().find(|(of, _)| *of == at);
                found.map(|(_, standing)| standing.clone())
            })
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let standing = Arc::new(blocks::standing(&mut self.tx, at).await?);
        if let Some(version) = self.version {
            self.remembered.with(version, |kept| {
                put(&mut kept.standing, (at, standing.clone()));
            });
        }
        Ok(standing)
    }

    /// What was counted of a kind with these filters.
    pub fn tally(&self, kind: Kind, at: At, filters: &[(String, String)]) -> Option<Arc<Tally>> {
        self.remembered.with(self.version?, |kept| {
            let same = |known: &&(Kind, At, Filters, Arc<Tally>)| {
                (known.0, known.1) == (kind, at) && known.2 == filters
            };
            kept.tallies.iter().find(same).map(|known| known.3.clone())
        })
    }

    pub fn keep_tally(&self, kind: Kind, at: At, filters: &[(String, String)], tally: &Arc<Tally>) {
        if let Some(version) = self.version {
            self.remembered.with(version, |kept| {
                put(
                    &mut kept.tallies,
                    (kind, at, filters.to_vec(), tally.clone()),
                );
            });
        }
    }
}

/// Adds at the end; what is too much goes from the front.
fn put<T>(list: &mut Vec<T>, one: T) {
    if list.len() >= MANY {
        list.remove(0);
    }
    list.push(one);
}
