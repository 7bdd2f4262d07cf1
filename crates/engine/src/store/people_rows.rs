//! The rows of table `people`: put in, dropped, moved, taken back.

use super::blocks::{self, Columns, Moved, Which};
use super::{StoreError, SyncId, roster};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// Adds rows for new versions.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    source: i64,
    people: &[(i64, &Identity)],
) -> Result<(), StoreError> {
    if !people.is_empty() {
        roster::changed(&mut *connection).await?;
    }
    for part in people.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO people (object, source, id, kind, display_name, email, status, department, title, manager_id, employer_id, end_date) ",
        );
        insert.push_values(part, |mut values, (object, x)| {
            values
                .push_bind(*object)
                .push_bind(source)
                .push_bind(x.id.as_str())
                .push_bind(x.kind.word())
                .push_bind(x.display_name.as_deref())
                .push_bind(x.email.as_deref())
                .push_bind(x.status.map(|s| s.word()))
                .push_bind(x.department.as_deref())
                .push_bind(x.title.as_deref())
                .push_bind(x.manager_id.as_ref().map(|i| i.as_str()))
                .push_bind(x.employer_id.as_ref().map(|i| i.as_str()))
                .push_bind(x.end_date.map(|d| d.to_text()));
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds rows for versions that are current again.
async fn put_again(connection: &mut SqliteConnection, rows: &[i64]) -> Result<(), StoreError> {
    for part in rows.chunks(1000) {
        let mut found = Vec::new();
        blocks::of_rows(&mut *connection, part, Columns::Facts, |block, place| {
            let identity: Identity = serde_json::from_str(block.fact(place)?)?;
            found.push((block.source, block.row(place), identity));
            Ok(())
        })
        .await?;
        for alike in found.chunk_by(|(a, _, _), (b, _, _)| a == b) {
            let Some((source, _, _)) = alike.first() else {
                continue;
            };
            let people: Vec<(i64, &Identity)> =
                alike.iter().map(|(_, row, one)| (*row, one)).collect();
            put(&mut *connection, *source, &people).await?;
        }
    }
    Ok(())
}

/// Makes the list of current identities anew, whatever stands in it.
pub(super) async fn make_anew(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("DELETE FROM people")
        .execute(&mut *connection)
        .await?;
    let mut rows = Vec::new();
    let which = Which::now(Kind::Identity);
    blocks::each(&mut *connection, &which, Columns::Nothing, |block| {
        rows.extend(block.places().map(|place| block.row(place)));
        Ok(())
    })
    .await?;
    put_again(connection, &rows).await
}

/// Takes back what a sync did to the list; after its blocks and endings are gone.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    undone: &Undone,
) -> Result<(), StoreError> {
    roster::rows_mean_others(&mut *connection, 0).await?;
    drop_rows(&mut *connection, &undone.stored).await?;
    put_again(connection, &undone.ended).await
}

/// The identities that a sync stored and those that it ended, to be taken back.
pub(super) struct Undone {
    stored: Vec<i64>,
    ended: Vec<i64>,
}

/// What a sync did to identities; before it is undone.
pub(super) async fn done_by(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<Undone, StoreError> {
    let ended = blocks::ended_by(&mut *connection, Kind::Identity, sync).await?;
    let mut stored = Vec::new();
    let which = Which::ever(Kind::Identity);
    blocks::each(connection, &which, Columns::Nothing, |block| {
        if block.first_sync == sync.sql() {
            stored.extend(block.places().map(|place| block.row(place)));
        }
        Ok(())
    })
    .await?;
    Ok(Undone {
        // What it stored and ended itself is gone either way.
        ended: ended
            .into_iter()
            .filter(|row| stored.binary_search(row).is_err())
            .collect(),
        stored,
    })
}

/// Drops the rows of versions that are no longer current.
pub(super) async fn drop_rows(
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> Result<(), StoreError> {
    if !ids.is_empty() {
        roster::changed(&mut *connection).await?;
    }
    for part in ids.chunks(1000) {
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM people WHERE object IN (");
        let mut list = delete.separated(", ");
        for id in part {
            list.push_bind(*id);
        }
        delete.push(")");
        delete.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Rows that have others now.
pub(super) async fn move_rows(
    connection: &mut SqliteConnection,
    moved: &[Moved],
) -> Result<(), StoreError> {
    if let Some(first) = moved.iter().map(|one| one.rows.start).min() {
        roster::rows_mean_others(&mut *connection, blocks::block_of(first)).await?;
    }
    for Moved { rows, by } in moved {
        sqlx::query("UPDATE people SET object = object + ?3 WHERE object >= ?1 AND object < ?2")
            .bind(rows.start)
            .bind(rows.end)
            .bind(by)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Drops the rows of versions that this sync ended.
pub(super) async fn drop_ended(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
    let rows = blocks::ended_by(&mut *connection, Kind::Identity, sync).await?;
    drop_rows(connection, &rows).await
}
