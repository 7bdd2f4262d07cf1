//! Reading several kinds at once over one connection: which blocks of each there are is looked up
//! once, and what is read is unpacked and looked at on threads of its own.

use super::super::StoreError;
use super::again::Again;
use super::visit::{Block, Columns, Packed, fetch};
use super::which::At;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::{Mutex, mpsc};

/// The blocks of each kind at a moment. Kinds stand among each other: whoever looks for those of
/// one goes through all of them.
pub(in super::super) struct Listing {
    at: At,
    kinds: BTreeMap<Kind, Listed>,
}

#[derive(Default)]
struct Listed {
    /// Those of supplements come last, by the name of their source: of an object that several
    /// sources tell of the first counts, whichever was read first.
    blocks: BTreeMap<Place, Vec<i64>>,
    objects: usize,
}

/// Where a source stands among those that tell of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// It speaks for every system of which it tells.
    #[default]
    Own,
    /// It speaks for some systems, and adds to others: a source that was or becomes a supplement.
    /// After whoever speaks for those, and before whoever adds to its own.
    Some(String),
    /// It adds to all of them.
    Supplement(String),
}

/// What is read of one kind.
pub(in super::super) struct Part<'l> {
    at: At,
    listed: Option<&'l Listed>,
    columns: Columns,
}

impl Listing {
    pub async fn read(connection: &mut SqliteConnection, at: At) -> Result<Listing, StoreError> {
        let supplements: Vec<(i64, String, bool, String)> = sqlx::query_as(
            "SELECT c.source, c.kind, min(c.supplement), s.name
             FROM carried c JOIN sources s ON s.id = c.source
             GROUP BY c.source, c.kind HAVING max(c.supplement) = 1",
        )
        .fetch_all(&mut *connection)
        .await?;
        let supplements = supplements.into_iter();
        let supplements: HashMap<(i64, String), Place> = supplements
            .map(|(source, kind, of_all, name)| {
                let place = match of_all {
                    true => Place::Supplement(name),
                    false => Place::Some(name),
                };
                ((source, kind), place)
            })
            .collect();
        let rows: Vec<(i64, String, i64, i64)> = sqlx::query_as(
            "SELECT id, kind, size, source FROM blocks
             WHERE first_sync <= ?1 AND (?2 OR ended_sync IS NULL OR ended_sync > ?1) ORDER BY id",
        )
        .bind(at.limit())
        .bind(at == At::Ever)
        .fetch_all(connection)
        .await?;
        let mut kinds: BTreeMap<Kind, Listed> = BTreeMap::new();
        for (id, kind, size, source) in rows {
            let place = match supplements.is_empty() {
                true => Place::Own,
                false => {
                    let place = supplements.get(&(source, kind.clone()));
                    place.cloned().unwrap_or_default()
                }
            };
            let kind = Kind::from_word(&kind)
                .ok_or_else(|| StoreError::damaged(format!("kind `{kind}` of a block")))?;
            let listed = kinds.entry(kind).or_default();
            listed.blocks.entry(place).or_default().push(id);
            listed.objects += usize::try_from(size).unwrap_or(0);
        }
        Ok(Listing { at, kinds })
    }

    /// No fewer objects than these are there.
    pub fn at_most(&self, kind: Kind) -> usize {
        self.kinds.get(&kind).map_or(0, |listed| listed.objects)
    }

    /// All of a kind.
    pub fn all(&self, kind: Kind, columns: Columns) -> Part<'_> {
        Part {
            at: self.at,
            listed: self.kinds.get(&kind),
            columns,
        }
    }
}

impl<'l> Part<'l> {
    /// The blocks that are read at once.
    fn parts(&self) -> impl Iterator<Item = &'l [i64]> + use<'l> {
        let at_once = self.columns.at_once();
        let groups = self
            .listed
            .into_iter()
            .flat_map(|listed| listed.blocks.values());
        groups.flat_map(move |blocks| blocks.chunks(at_once))
    }

    async fn fetch(
        &self,
        connection: &Mutex<&mut SqliteConnection>,
        kept: &mut Again,
        blocks: &[i64],
    ) -> Result<Packed, StoreError> {
        let mut connection = connection.lock().await;
        fetch(&mut connection, kept, blocks, self.columns, self.at).await
    }

    /// Every block in turn. The next ones are read while the last ones are looked at.
    pub async fn each(
        &self,
        connection: &Mutex<&mut SqliteConnection>,
        mut take: impl FnMut(&Block) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut parts = self.parts();
        let Some(first) = parts.next() else {
            return Ok(());
        };
        let mut none = Again::none();
        let mut packed = self.fetch(connection, &mut none, first).await?;
        for part in parts {
            let next = self.fetch(connection, &mut none, part);
            let taken = async { packed.unpack()?.iter().try_for_each(&mut take) };
            let (next, taken) = futures_util::future::join(next, taken).await;
            taken?;
            packed = next?;
        }
        packed.unpack()?.iter().try_for_each(&mut take)
    }

    /// Every block in turn, on another thread; `made` is what is made of them. Those that are kept are
    /// not read again.
    pub async fn each_apart<T: Send + 'static>(
        &self,
        connection: &Mutex<&mut SqliteConnection>,
        kept: &mut Again,
        mut made: T,
        mut take: impl FnMut(&mut T, &Block) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (give, mut given) = mpsc::channel::<Packed>(1);
        let taking = tokio::task::spawn_blocking(move || {
            while let Some(packed) = given.blocking_recv() {
                for block in packed.unpack()? {
                    take(&mut made, &block)?;
                }
            }
            Ok(made)
        });
        for part in self.parts() {
            let packed = self.fetch(connection, kept, part).await?;
            if give.send(packed).await.is_err() {
                // It has ended early and says why.
                break;
            }
        }
        drop(give);
        apart(taking).await
    }
}

/// What another thread made.
pub(in super::super) async fn apart<T>(
    task: tokio::task::JoinHandle<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match task.await {
        Ok(made) => made,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::damaged(
                "a thread that read the store was ended",
            )),
        },
    }
}
