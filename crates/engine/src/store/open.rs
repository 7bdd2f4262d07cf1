//! Making and opening a store; the connections to it.

use super::error::sqlite_code;
use super::lease::{HeldLease, Lease, PATIENCE};
use super::names::Names;
use super::remembered::Remembered;
use super::{StoreError, schema};
use chrono::{DateTime, Utc};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Sqlite, Transaction};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

/// KiB (negative to SQLite) of decrypted pages that a connection keeps: each page that is not
/// kept has to be decrypted and authenticated again, which is what large syncs spend time on.
const WRITER_CACHE: &str = "-131072";
const READER_CACHE: &str = "-16384";
/// Pages in the log (32 MiB) before they go into the file.
const CHECKPOINT_PAGES: &str = "8192";

/// The raw 32-byte key of a store: hidden by type, wiped on drop.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; 32]>);

impl StoreKey {
    /// Takes the key over and wipes the caller's array.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        key
    }

    /// The pragma's value: a raw key, so that SQLCipher derives nothing.
    pub(super) fn pragma(&self) -> Zeroizing<String> {
        use std::fmt::Write;
        let mut text = Zeroizing::new(String::with_capacity(70));
        text.push_str("\"x'");
        for byte in self.0.iter() {
            let _ = write!(text, "{byte:02x}");
        }
        text.push_str("'\"");
        text
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(hidden)")
    }
}

/// An open store. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    operator: String,
    cipher: String,
    /// One connection: SQLite has one writer.
    writer: SqlitePool,
    readers: SqlitePool,
    pub(super) lease: Arc<Lease>,
    /// Set once the layout is the newest.
    names: Arc<OnceLock<Names>>,
    remembered: Arc<Remembered>,
    making: Arc<Making>,
}

/// Who makes what is made of the facts: one at a time, as what two would make is the same.
#[derive(Debug, Default)]
pub(super) struct Making {
    pub links: tokio::sync::Mutex<()>,
    pub roster: tokio::sync::Mutex<()>,
    pub ownership: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish()
    }
}

/// One writing transaction together with the lease that allows it. Dropping it undoes it.
pub(super) struct Writing {
    pub(super) tx: Transaction<'static, Sqlite>,
    _lease: Arc<HeldLease>,
}

impl Writing {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

/// Keeps other processes from writing for as long as it lives.
#[derive(Debug)]
pub(crate) struct WriteLease {
    _held: Arc<HeldLease>,
}

impl Store {
    /// Makes a new store; refuses where a file is. `operator` is who acts, for the log.
    pub async fn create(
        path: &Path,
        key: &StoreKey,
        operator: &str,
        now: DateTime<Utc>,
    ) -> Result<Store, StoreError> {
        if path.exists() {
            return Err(StoreError::Exists(path.to_owned()));
        }
        refuse_network_share(path)?;
        let store = Self::connect(path, key, operator, Creating::Yes).await?;
        let made = match schema::create(&store, now).await {
            Ok(()) => store.know_names().await,
            Err(error) => Err(error),
        };
        store.or_closed(made).await
    }

    /// This store, or what went wrong with it: then nothing of it is at work any more. A process
    /// that ends while a connection's thread is still closing may be taken down by it.
    async fn or_closed(self, ready: Result<(), StoreError>) -> Result<Store, StoreError> {
        match ready {
            Ok(()) => Ok(self),
            Err(error) => {
                self.close().await;
                Err(error)
            }
        }
    }

    async fn make_ready(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        schema::upgrade(self).await?;
        self.know_names().await?;
        self.recover(now).await
    }

    /// Opens a store that is there; never makes one. Says the truth about a
    /// process that ended while it was reading.
    pub async fn open(
        path: &Path,
        key: &StoreKey,
        operator: &str,
        now: DateTime<Utc>,
    ) -> Result<Store, StoreError> {
        look_at_file(path)?;
        refuse_network_share(path)?;
        let store = Self::connect(path, key, operator, Creating::No).await?;
        let ready = store.make_ready(now).await;
        store.or_closed(ready).await
    }

    /// Lets go of all connections.
    pub async fn close(self) {
        self.remembered.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What encrypts it, as SQLCipher calls itself.
    pub fn cipher_version(&self) -> &str {
        &self.cipher
    }

    /// Who acts, as written into the log.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The key under which names are numbers.
    pub(crate) fn names(&self) -> Result<Names, StoreError> {
        self.names
            .get()
            .copied()
            .ok_or_else(|| StoreError::damaged("the store's layout is not whole"))
    }

    async fn know_names(&self) -> Result<(), StoreError> {
        let mut reader = self.readers.acquire().await?;
        let names = Names::of_store(&mut reader).await?;
        // A second setting would set the same.
        let _ = self.names.set(names);
        Ok(())
    }

    pub(super) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    pub(super) fn making(&self) -> &Making {
        &self.making
    }

    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins a writing transaction; waits for another process up to ten seconds.
    pub(super) async fn begin(&self) -> Result<Writing, StoreError> {
        let lease = self.lease.take(PATIENCE).await?;
        const BEGIN: &str = "BEGIN IMMEDIATE";
        let tx = match self.writer.begin_with(BEGIN).await {
            // On a full disk SQLite ends a transaction by itself, and the connection goes on
            // counting it.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await?.close().await?;
                self.writer.begin_with(BEGIN).await?
            }
            begun => begun?,
        };
        Ok(Writing { tx, _lease: lease })
    }

    /// Holds the lease over several transactions: a sync.
    pub(crate) async fn lease(&self) -> Result<WriteLease, StoreError> {
        Ok(WriteLease {
            _held: self.lease.take(PATIENCE).await?,
        })
    }

    /// Lets the file grow no further than a few pages: a full disk, for tests.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self) {
        let mut connection = self.writer.acquire().await.unwrap();
        let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let limit = format!("PRAGMA max_page_count = {}", pages + 100);
        sqlx::raw_sql(sqlx::AssertSqlSafe(limit))
            .execute(&mut *connection)
            .await
            .unwrap();
    }

    async fn recover(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        // Another process that writes right now is not an interrupted one.
        match self.lease.take(Duration::ZERO).await {
            Ok(_held) => {
                self.close_interrupted(now).await?;
                self.derive_if_stale().await?;
                self.say_references(now).await
            }
            Err(StoreError::Busy(_)) => Ok(()),
            Err(e) => Err(e),
        }
    }

    async fn connect(
        path: &Path,
        key: &StoreKey,
        operator: &str,
        creating: Creating,
    ) -> Result<Store, StoreError> {
        quiet_cipher().await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(matches!(creating, Creating::Yes))
            .pragma("key", key.pragma().to_string())
            .pragma("temp_store", "memory")
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .synchronous(SqliteSynchronous::Normal)
            // INVARIANT: the key is a pragma, so statements of this connection are never logged.
            .disable_statement_logging();
        let writing = options
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .journal_mode(SqliteJournalMode::Wal);
        let reading = options
            .pragma("cache_size", READER_CACHE)
            .pragma("query_only", "1");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(writing)
            .await
            .map_err(|e| at_path(e, path))?;
        let cipher = match cipher_of(&writer, path).await {
            Ok(cipher) => cipher,
            Err(error) => {
                writer.close().await;
                return Err(error);
            }
        };
        // Nobody looks after idle ones either: the pool's own task for that can spin for ever where a
        // process ends while a connection is given back.
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(reading);
        Ok(Store {
            path: path.to_owned(),
            operator: operator.to_owned(),
            cipher,
            writer,
            readers,
            lease: Arc::new(Lease::beside(path)),
            names: Arc::new(OnceLock::new()),
            remembered: Arc::default(),
            making: Arc::default(),
        })
    }
}

/// What encrypts the file, which the key has opened.
async fn cipher_of(writer: &SqlitePool, path: &Path) -> Result<String, StoreError> {
    let cipher: Option<(String,)> = sqlx::query_as("PRAGMA cipher_version")
        .fetch_optional(writer)
        .await
        .map_err(|e| at_path(e, path))?;
    let Some((cipher,)) = cipher else {
        return Err(StoreError::NoCipher);
    };
    sqlx::query("SELECT count(*) FROM sqlite_master")
        .fetch_one(writer)
        .await
        .map_err(|e| at_path(e, path))?;
    Ok(cipher)
}

/// SQLCipher writes to the standard error stream by itself; what went wrong is
/// said once, by us. The level is one for the whole process.
pub(super) async fn quiet_cipher() -> Result<(), StoreError> {
    // The process may end while a connection's thread is still closing. OpenSSL's own exit
    // handler would take its tables down under that thread, so it is never registered; this
    // must come before SQLCipher's first use of it, which is the first connection of all.
    openssl_sys::init();
    let mut connection = SqliteConnectOptions::new()
        .in_memory(true)
        .disable_statement_logging()
        .connect()
        .await?;
    let told = sqlx::raw_sql("PRAGMA cipher_log_level = NONE")
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(StoreError::from);
    super::copies::closed(connection, told).await
}

enum Creating {
    Yes,
    No,
}

/// Wrong key and damage look alike to SQLite on the first page; elsewhere it is damage.
pub(super) fn at_path(error: sqlx::Error, path: &Path) -> StoreError {
    match sqlite_code(&error) {
        Some(26) => StoreError::WrongKey(path.to_owned()),
        Some(11) => StoreError::Damaged {
            path: path.to_owned(),
            reason: "a page does not check".to_owned(),
        },
        Some(14) => StoreError::File(format!("`{}` cannot be opened", path.display())),
        Some(_) | None => error.into(),
    }
}

/// What the bare file tells before a key is tried.
pub(super) fn look_at_file(path: &Path) -> Result<(), StoreError> {
    if !path.is_file() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let file_error = |e: std::io::Error| StoreError::File(format!("`{}`: {e}", path.display()));
    let mut file = std::fs::File::open(path).map_err(file_error)?;
    let length = file.metadata().map_err(file_error)?.len();
    if length < 4096 || length % 4096 != 0 {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: format!("its length of {length} bytes is not one of whole pages"),
        });
    }
    let mut head = [0u8; 16];
    file.read_exact(&mut head).map_err(file_error)?;
    if &head == b"SQLite format 3\0" {
        return Err(StoreError::NotEncrypted(path.to_owned()));
    }
    Ok(())
}

/// Locks and the WAL's shared memory do not hold across machines.
fn refuse_network_share(path: &Path) -> Result<(), StoreError> {
    match mounts().and_then(|table| share_of(path, &table)) {
        Some(share) => Err(StoreError::NetworkShare {
            path: path.to_owned(),
            share,
        }),
        None => Ok(()),
    }
}

/// The mount table, where the system shows one as text (Linux).
fn mounts() -> Option<String> {
    std::fs::read_to_string("/proc/self/mountinfo").ok()
}

/// The file system type, if the nearest mount above the path is a network share.
pub(super) fn share_of(path: &Path, mountinfo: &str) -> Option<String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut nearest: Option<(usize, &str)> = None;
    for line in mountinfo.lines() {
        // 36 35 98:0 /root /mount/point options … - type source …
        let Some((left, right)) = line.split_once(" - ") else {
            continue;
        };
        let Some(point) = left.split(' ').nth(4) else {
            continue;
        };
        let point = point.replace("\\040", " ").replace("\\011", "\t");
        let depth = Path::new(&point).components().count();
        if folder.starts_with(&point) && nearest.is_none_or(|(d, _)| depth >= d) {
            nearest = right.split(' ').next().map(|kind| (depth, kind));
        }
    }
    let (_, kind) = nearest?;
    let network = matches!(
        kind,
        "nfs"
            | "nfs4"
            | "cifs"
            | "smb3"
            | "smbfs"
            | "smb2"
            | "ncpfs"
            | "afs"
            | "fuse.sshfs"
            | "davfs"
    );
    network.then(|| kind.to_owned())
}
