//! Copies of a store: one made while the store is in use, and one under another key.
//!
//! A key is never changed in place. A copy gets the new key and is checked page by page; putting
//! it in the store's place is one rename, so a kill leaves exactly one of the two keys in force.

use super::error::sqlite_code;
use super::open::{at_path, look_at_file, quiet_cipher};
use super::{Store, StoreError, StoreKey, log};
use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// What a change of keys writes into the log, inside the copy: it holds exactly if the copy does.
#[derive(Clone, Debug)]
pub struct KeyChange<'a> {
    pub operator: &'a str,
    pub what: &'a str,
    pub payload: serde_json::Value,
    pub at: DateTime<Utc>,
}

/// Whether the key opens the file. The file is looked at and not changed.
pub async fn key_fits(path: &Path, key: &StoreKey) -> Result<bool, StoreError> {
    look_at_file(path)?;
    let mut connection = match bare(path, key).connect().await {
        Ok(connection) => connection,
        Err(error) if sqlite_code(&error) == Some(26) => return Ok(false),
        Err(error) => return Err(at_path(error, path)),
    };
    let tables = sqlx::query("SELECT count(*) FROM sqlite_master")
        .fetch_one(&mut connection)
        .await;
    connection.close().await?;
    match tables {
        Ok(_) => Ok(true),
        Err(error) if sqlite_code(&error) == Some(26) => Ok(false),
        Err(error) => Err(at_path(error, path)),
    }
}

/// Gives a copy that nobody else has open another key, with an entry in its log, and proves that
/// every page of it opens with that key. On an error the copy is of no use.
pub async fn change_key(
    copy: &Path,
    old: &StoreKey,
    new: &StoreKey,
    entry: &KeyChange<'_>,
) -> Result<(), StoreError> {
    quiet_cipher().await?;
    let mut connection = bare(copy, old)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Off)
        .connect()
        .await
        .map_err(|e| at_path(e, copy))?;
    let changed = rekey(&mut connection, copy, new, entry).await;
    closed(connection, changed).await?;
    whole_under(copy, new).await?;
    flush(copy)
}

/// What came of the work with a connection, once it is closed whatever came of it: a process must
/// not end under a connection's thread.
pub(super) async fn closed<T>(
    connection: SqliteConnection,
    done: Result<T, StoreError>,
) -> Result<T, StoreError> {
    let closed = connection.close().await;
    let done = done?;
    closed?;
    Ok(done)
}

async fn rekey(
    connection: &mut SqliteConnection,
    copy: &Path,
    new: &StoreKey,
    entry: &KeyChange<'_>,
) -> Result<(), StoreError> {
    encrypts(connection).await?;
    log::append(
        connection,
        entry.operator,
        entry.what,
        &entry.payload,
        entry.at,
    )
    .await?;
    let mut statement = zeroize::Zeroizing::new(String::with_capacity(96));
    statement.push_str("PRAGMA rekey = ");
    statement.push_str(&new.pragma());
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.as_str()))
        .execute(connection)
        .await
        .map_err(|e| at_path(e, copy))?;
    Ok(())
}

/// Every page opens with the key and is what was written. SQLCipher's own change of a key does
/// not always say that the disk was full: here it comes out, and the store itself is untouched.
async fn whole_under(path: &Path, key: &StoreKey) -> Result<(), StoreError> {
    let not_whole = |reason: String| {
        StoreError::File(format!(
            "the copy `{}` with the new key was not written whole ({reason}); the disk may be full",
            path.display()
        ))
    };
    let failed = |error: sqlx::Error| match at_path(error, path) {
        StoreError::Damaged { reason, .. } => not_whole(reason),
        StoreError::WrongKey(_) => not_whole("the new key does not open it".to_owned()),
        other => other,
    };
    let mut connection = bare(path, key).connect().await.map_err(failed)?;
    let looked = unreadable_pages(&mut connection).await;
    let problems = closed(connection, looked).await?.map_err(failed)?;
    match problems.first() {
        None => Ok(()),
        Some((problem,)) => Err(not_whole(problem.clone())),
    }
}

/// What SQLCipher says of pages that do not check; the inner error is what kept it from looking.
async fn unreadable_pages(
    connection: &mut SqliteConnection,
) -> Result<Result<Vec<(String,)>, sqlx::Error>, StoreError> {
    encrypts(connection).await?;
    Ok(sqlx::query_as("PRAGMA cipher_integrity_check")
        .fetch_all(connection)
        .await)
}

async fn vacuum_into(connection: &mut SqliteConnection, target: &str) -> Result<(), StoreError> {
    encrypts(connection).await?;
    sqlx::raw_sql("PRAGMA query_only = 0")
        .execute(&mut *connection)
        .await?;
    sqlx::query("VACUUM INTO ?1")
        .bind(target)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Writes a copy under the same key, as of one moment, while others read and write. Refuses
    /// where a file is.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        if path.exists() {
            return Err(StoreError::Exists(path.to_owned()));
        }
        let Some(target) = path.to_str() else {
            return Err(StoreError::File(format!(
                "`{}` is not a name that SQLite can write",
                path.display()
            )));
        };
        // A connection of its own that may write: the target, and never the store.
        let options = self.readers().connect_options();
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let copied = vacuum_into(&mut connection, target).await;
        closed(connection, copied).await?;
        look_at_file(path)?;
        flush(path)
    }
}

/// INVARIANT: without SQLCipher the key would be ignored and the file be plain.
async fn encrypts(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let cipher: Option<(String,)> = sqlx::query_as("PRAGMA cipher_version")
        .fetch_optional(connection)
        .await?;
    cipher.map(|_| ()).ok_or(StoreError::NoCipher)
}

fn bare(path: &Path, key: &StoreKey) -> SqliteConnectOptions {
    // See `open`: OpenSSL must not be taken down at exit under threads that use it.
    openssl_sys::init();
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .pragma("key", key.pragma().to_string())
        .pragma("temp_store", "memory")
        .busy_timeout(Duration::from_secs(10))
        // INVARIANT: the key is a pragma, so statements of this connection are never logged.
        .disable_statement_logging()
}

fn flush(path: &Path) -> Result<(), StoreError> {
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|e| StoreError::File(format!("`{}`: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::seeded::{Seeded, identity};
    use crate::collect::tests::{bench, key, now, read};
    use lastkey_contract::{Fact, Kind};

    fn people(range: std::ops::Range<u32>) -> Vec<Fact> {
        range
            .map(|n| identity(&format!("u{n}"), &format!("Zebulon Person{n}")))
            .collect()
    }

    fn shows(path: &Path, word: &str) -> bool {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(word.len()).any(|w| w == word.as_bytes())
    }

    #[tokio::test]
    async fn a_copy_of_a_store_in_use_is_whole_encrypted_and_never_replaces_a_file() {
        let bench = bench(&["hr"]).await;
        let source = Seeded::new(100).with(Kind::Identity, people(0..2_000));
        read(&bench, "hr", &source).await;
        let copy = bench.path.with_file_name("copy.lastkey");
        bench.store.copy_to(&copy).await.unwrap();
        assert!(matches!(
            bench.store.copy_to(&copy).await,
            Err(StoreError::Exists(_))
        ));
        for word in ["Zebulon", "SQLite format", "CREATE TABLE"] {
            assert!(!shows(&copy, word), "`{word}` stands in the copy");
        }
        assert!(key_fits(&copy, &key()).await.unwrap());
        assert!(!key_fits(&copy, &StoreKey::new([8; 32])).await.unwrap());
        let opened = Store::open(&copy, &key(), "tester", now()).await.unwrap();
        assert_eq!(opened.check().await.unwrap(), Vec::<String>::new());
        assert_eq!(
            opened.population_size(Kind::Identity).await.unwrap(),
            bench.store.population_size(Kind::Identity).await.unwrap()
        );
    }

    #[tokio::test]
    async fn a_copy_under_another_key_opens_with_that_key_alone_and_says_so_in_its_log() {
        let bench = bench(&["hr"]).await;
        let source = Seeded::new(100).with(Kind::Identity, people(0..500));
        read(&bench, "hr", &source).await;
        bench.store.clone().close().await;
        let copy = bench.path.with_file_name("copy.lastkey");
        std::fs::copy(&bench.path, &copy).unwrap();
        let new = StoreKey::new([9; 32]);
        let entry = KeyChange {
            operator: "tester",
            what: "keys changed",
            payload: serde_json::json!({ "to": "b" }),
            at: now(),
        };
        change_key(&copy, &key(), &new, &entry).await.unwrap();
        assert!(!key_fits(&copy, &key()).await.unwrap());
        assert!(key_fits(&bench.path, &key()).await.unwrap());
        let opened = Store::open(&copy, &new, "tester", now()).await.unwrap();
        assert_eq!(opened.check().await.unwrap(), Vec::<String>::new());
        let last = opened.log_head().await.unwrap();
        let entries = opened.log_window(last - 1, 1).await.unwrap();
        assert_eq!(entries[0].what, "keys changed");
    }
}
