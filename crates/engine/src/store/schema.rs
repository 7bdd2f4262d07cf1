//! The layout of the store and its versions. Migrations only add.

use super::{
    Store, StoreError, account_past, assertions, blocks, checks, decisions, departures, events,
    journal, link_rules, links, log, met, meta, objects, ownership, people, persons, plans,
    policies, probes, rehearsals, resume, retention, roster, sources, syncs, unseen, watches,
};
use chrono::{DateTime, Utc};

/// Each version's statements, in order; the version of a store is its `user_version`.
const VERSIONS: &[&[Step]] = &[
    &[
        Step::Sql(meta::MIGRATION),
        Step::Sql(log::MIGRATION),
        Step::Sql(sources::MIGRATION),
        Step::Sql(checks::MIGRATION),
        Step::Sql(syncs::MIGRATION),
        Step::Sql(journal::MIGRATION),
        Step::Sql(objects::layout_1::MIGRATION),
        Step::Sql(people::MIGRATION),
        Step::Sql(links::MIGRATION),
        Step::Sql(plans::MIGRATION),
    ],
    &[
        Step::Sql(resume::MIGRATION),
        Step::Sql(met::MIGRATION),
        // Links are forgotten as they are now.
        Step::Sql(links::MARKS),
        // Objects are taken over as they are written now.
        Step::Sql(blocks::OUTLINES),
        Step::ObjectsToLayout2,
    ],
    &[
        Step::Sql(decisions::MIGRATION),
        Step::Sql(persons::MIGRATION),
        Step::Sql(roster::MIGRATION),
        Step::Sql(unseen::MIGRATION),
        Step::Sql(retention::MIGRATION),
        Step::Sql(events::MIGRATION),
        Step::Sql(ownership::MIGRATION),
        Step::Sql(link_rules::MIGRATION),
        Step::Sql(links::STATES),
        Step::Sql(blocks::OUTLINES),
        Step::Sql(links::MARKS),
        Step::ObjectsToLayout3,
    ],
    &[
        Step::Sql(events::owners::MIGRATION),
        Step::Sql(blocks::OUTLINES),
        Step::Sql(links::MARKS),
    ],
    &[Step::Sql(account_past::MIGRATION)],
    &[Step::Sql(ownership::MARKS), Step::Sql(policies::MIGRATION)],
    &[
        Step::Sql(rehearsals::MIGRATION),
        Step::Sql(assertions::MIGRATION),
    ],
    &[Step::Sql(sources::RETIREMENT)],
    &[Step::Sql(departures::MIGRATION)],
    &[Step::Sql(probes::MIGRATION), Step::Sql(watches::MIGRATION)],
];

/// One step from a version to the next.
#[derive(Clone, Copy)]
enum Step {
    Sql(&'static str),
    ObjectsToLayout2,
    ObjectsToLayout3,
}

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
    for (number, steps) in (1i64..).zip(VERSIONS) {
        if number <= from {
            continue;
        }
        for step in *steps {
            match step {
                Step::Sql(statements) => {
                    sqlx::raw_sql(*statements).execute(&mut *writing.tx).await?;
                }
                Step::ObjectsToLayout2 => {
                    objects::layout_1::to_layout_2(&mut writing.tx).await?;
                }
                Step::ObjectsToLayout3 => {
                    objects::layout_2::to_layout_3(&mut writing.tx).await?;
                }
            }
        }
    }
    let stamp = format!("PRAGMA user_version = {}", newest());
    sqlx::raw_sql(sqlx::AssertSqlSafe(stamp))
        .execute(&mut *writing.tx)
        .await?;
    writing.commit().await
}
