//! The layout of the store and its versions. Migrations only add.

use super::{
    Store, StoreError, checks, journal, links, log, meta, objects, people, plans, resume, sources,
    syncs,
};
use chrono::{DateTime, Utc};

/// Each version's statements, in order; the version of a store is its `user_version`.
const VERSIONS: &[&[&str]] = &[
    &[
        meta::MIGRATION,
        log::MIGRATION,
        sources::MIGRATION,
        checks::MIGRATION,
        syncs::MIGRATION,
        journal::MIGRATION,
        objects::MIGRATION,
        people::MIGRATION,
        links::MIGRATION,
        plans::MIGRATION,
    ],
    &[resume::MIGRATION],
];

fn newest() -> i64 {
    VERSIONS.len().try_into().unwrap_or(i64::MAX)
}

pub(super) async fn create(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    migrate(store, 0).await?;
    meta::fill(store, now).await
}

pub(super) async fn upgrade(store: &Store) -> Result<(), StoreError> {
    let (found,): (i64,) = sqlx::query_as("PRAGMA user_version")
        .fetch_one(store.readers())
        .await?;
    if found > newest() {
        return Err(StoreError::Newer {
            path: store.path().to_owned(),
            found,
            known: newest(),
        });
    }
    if found == newest() {
        return Ok(());
    }
    migrate(store, found).await?;
    // A store whose making was cut short has tables and no identity yet.
    meta::fill_if_empty(store).await
}

async fn migrate(store: &Store, from: i64) -> Result<(), StoreError> {
    let mut writing = store.begin().await?;
    for (number, statements) in (1i64..).zip(VERSIONS) {
        if number <= from {
            continue;
        }
        for statement in *statements {
            sqlx::raw_sql(*statement).execute(&mut *writing.tx).await?;
        }
    }
    let stamp = format!("PRAGMA user_version = {}", newest());
    sqlx::raw_sql(sqlx::AssertSqlSafe(stamp))
        .execute(&mut *writing.tx)
        .await?;
    writing.commit().await
}
