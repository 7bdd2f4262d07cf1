//! Lists of owners that are written where they differ, beside lists that are written at once.

use super::tests::{corp, decide, estate, hr};
use crate::collect::tests::{Bench, now, read};
use crate::store::OwnerVerdict;
use sqlx::Row;

/// Every row of the three lists, as it stands.
async fn written(bench: &Bench) -> Vec<String> {
    let mut all = Vec::new();
    for (table, number) in [
        ("owned", "number"),
        ("owner_lines", "id"),
        ("owner_suggestions", "id"),
    ] {
        let sql = format!("SELECT * FROM {table} ORDER BY {number}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(bench.store.readers())
            .await
            .unwrap();
        for row in rows {
            let mut said = table.to_owned();
            for place in 0..row.len() {
                let number: Option<i64> = row.try_get_unchecked(place).unwrap_or_default();
                let text: Option<String> = row.try_get_unchecked(place).unwrap_or_default();
                said.push_str(&format!("|{number:?} {text:?}"));
            }
            all.push(said);
        }
    }
    all
}

async fn run(bench: &Bench, statements: &'static str) {
    let mut writing = bench.store.begin().await.unwrap();
    sqlx::raw_sql(statements)
        .execute(&mut *writing.tx)
        .await
        .unwrap();
    super::mark_stale(&mut writing.tx).await.unwrap();
    writing.commit().await.unwrap();
}

const EMPTY: &str = "DELETE FROM owned; DELETE FROM owner_lines; DELETE FROM owner_suggestions;";

#[tokio::test]
async fn lists_that_were_changed_step_by_step_are_those_that_are_made_at_once() {
    let bench = estate().await;
    let yes = OwnerVerdict::Confirmed;
    for step in 0..7 {
        match step {
            0 => {}
            1 => drop(read(&bench, "hr", &hr("active")).await),
            2 => drop(decide(&bench, "credential:corp:k1", "p1", yes).await),
            3 => drop(read(&bench, "hr", &hr("on_leave")).await),
            4 => drop(decide(&bench, "credential:corp:k1", "p1", OwnerVerdict::Rejected).await),
            5 => drop(decide(&bench, "credential:corp:k2", "p1", yes).await),
            _ => drop(read(&bench, "corp", &corp()).await),
        }
        if step != 2 && step != 4 {
            run(&bench, "").await;
        }
        bench.store.settle_ownership(now()).await.unwrap();
        let kept = written(&bench).await;
        run(&bench, EMPTY).await;
        bench.store.settle_ownership(now()).await.unwrap();
        let anew = written(&bench).await;
        // A decision that was followed line by line stands in a line of its own until a read ends.
        if step != 2 && step != 4 {
            assert_eq!(kept, anew, "step {step}");
        }
    }
    bench.store.clone().close().await;
}

#[tokio::test]
async fn only_what_differs_is_written() {
    let bench = estate().await;
    bench.store.settle_ownership(now()).await.unwrap();
    run(&bench, "UPDATE owned SET name = 'as it was'").await;
    read(&bench, "hr", &hr("active")).await;
    bench.store.settle_ownership(now()).await.unwrap();
    let names: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT object_id, name FROM owned ORDER BY object_id")
            .fetch_all(bench.store.readers())
            .await
            .unwrap();
    let rewritten: Vec<&str> = names
        .iter()
        .filter(|(_, name)| name.as_deref() != Some("as it was"))
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!(rewritten, ["wl-1"], "whose owner is there again");
    bench.store.clone().close().await;
}
