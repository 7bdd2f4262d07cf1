//! Windows of every table: the first, one in the middle, the last; sorted; filtered.

use super::tables::{Table, filtered};
use super::{Outcome, WINDOW, list, tell};
use lastkey_engine::views::ListQuery;
use lastkey_workbench::Workbench;
use std::time::Instant;

pub async fn of_every_table(bench: &Workbench) -> Outcome {
    for table in Table::all(bench).await? {
        if matches!(table, Table::OwnerLines) {
            // The tables before it were shown as they were made last; a whole list is of now.
            let began = Instant::now();
            bench.ready_lists().await?;
            tell(&table.name(), "brought up to date", began, 0);
        }
        three(bench, &table, "", &list("", "", 0)).await?;
        for sort in table.sorts() {
            three(bench, &table, &format!(" by {sort}"), &list("", sort, 0)).await?;
        }
        for filter in table.filters(bench).await? {
            let what = format!(" where {filter}");
            three(bench, &table, &what, &filtered(&filter, 0)).await?;
        }
    }
    Ok(())
}

/// The first window, the one in the middle and the last of what a query asks for.
async fn three(bench: &Workbench, table: &Table, how: &str, query: &ListQuery) -> Outcome {
    let name = table.name();
    let began = Instant::now();
    let first = table.ask(bench, query).await?;
    // Where a table does not say how many match, it says how many its first window holds.
    let matching = first.matching.unwrap_or(first.rows as u64);
    tell(&name, &format!("first{how}"), began, matching);
    let last = matching.saturating_sub(u64::from(WINDOW));
    if last == 0 {
        return Ok(());
    }
    for (end, offset) in [("middle", matching / 2), ("last", last)] {
        let at = ListQuery {
            offset,
            ..query.clone()
        };
        let began = Instant::now();
        let found = table.ask(bench, &at).await?;
        tell(&name, &format!("{end}{how}"), began, found.rows as u64);
    }
    Ok(())
}
