//! `lastkey store check`: is the file whole, does the log hold, do the totals add up?

use super::copies::closed;
use super::{Store, StoreError, blocks};
use lastkey_contract::Kind;
use sqlx::{Connection, SqliteConnection};

impl Store {
    /// What is wrong, one sentence each; empty if nothing is.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        // A connection of its own: the search index's own check trusts what a connection
        // remembers of the index, which another connection may have changed since.
        let mut fresh = SqliteConnection::connect_with(&self.readers().connect_options()).await?;
        let looked = of_the_file(&mut fresh).await;
        let (readable, mut problems) = closed(fresh, looked).await?;
        if readable == Pages::Unreadable {
            return Ok(problems);
        }
        problems.extend(self.log_problems().await?);
        problems.extend(self.totals_problems().await?);
        problems.extend(self.version_problems().await?);
        problems.extend(self.broken_invariants().await?);
        Ok(problems)
    }

    /// INVARIANT: of a kind that was read to its end, every object is in exactly one bucket.
    async fn totals_problems(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT sync, kind FROM sync_kinds WHERE reported <> stored + unchanged + skipped + failed
             OR (complete = 1 AND (skipped > 0 OR failed > 0)) ORDER BY sync, kind",
        )
        .fetch_all(self.readers())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(sync, kind)| format!("the totals of sync {sync} for `{kind}` do not add up"))
            .collect())
    }

    async fn version_problems(&self) -> Result<Vec<String>, StoreError> {
        let (people,): (i64,) = sqlx::query_as("SELECT count(*) FROM people")
            .fetch_one(self.readers())
            .await?;
        let mut connection = self.readers().acquire().await?;
        let mut problems = blocks::problems(&mut connection).await?;
        let identities = blocks::count(&mut connection, Kind::Identity)
            .await?
            .cast_signed();
        if people != identities {
            problems.push(format!(
                "the list of identities has {people} rows where there are {identities}"
            ));
        }
        Ok(problems)
    }
}

/// Whether what the pages hold can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pages {
    Readable,
    /// What a page holds that does not check is anything at all; nothing more can be said.
    Unreadable,
}

/// What is wrong with the file's pages.
async fn of_the_file(
    connection: &mut SqliteConnection,
) -> Result<(Pages, Vec<String>), StoreError> {
    let cipher: Vec<(String,)> = sqlx::query_as("PRAGMA cipher_integrity_check")
        .fetch_all(&mut *connection)
        .await?;
    if !cipher.is_empty() {
        let told = cipher
            .into_iter()
            .map(|(text,)| format!("encryption: {text}"));
        return Ok((Pages::Unreadable, told.collect()));
    }
    let pages: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check")
        .fetch_all(connection)
        .await
        .map_err(|error| match StoreError::from(error) {
            // A damaged search index ends the check with an error that names no damage.
            StoreError::File(reason) => StoreError::damaged(reason),
            other => other,
        })?;
    let told = pages
        .into_iter()
        .map(|(text,)| text)
        .filter(|text| text != "ok")
        .map(|text| format!("file: {text}"));
    Ok((Pages::Readable, told.collect()))
}
