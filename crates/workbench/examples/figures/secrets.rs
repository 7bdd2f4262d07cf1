//! Where secrets stand: made once after the graph, then windows of every order and filter.

use super::{Outcome, graph, list, tell};
use lastkey_engine::locations::SECRET_ORDERS;
use lastkey_engine::views::ListQuery;
use lastkey_workbench::Workbench;
use std::time::Instant;

pub async fn stand(bench: &Workbench) -> Outcome {
    graph(bench).await?;
    let began = Instant::now();
    let first = bench.secrets(&list("", "", 0), None).await?.window;
    tell("secrets", "made", began, first.total);
    let began = Instant::now();
    bench.secrets_summary().await?;
    tell("secrets", "summary", began, 1);
    let middle = first.total / 2;
    for offset in [0, middle, first.total.saturating_sub(200)] {
        for sort in SECRET_ORDERS.iter().chain(&[""]) {
            let query = list("", sort, offset);
            // The first question of an order sorts; a screen that pages asks again.
            bench.secrets(&query, None).await?;
            let began = Instant::now();
            bench.secrets(&query, None).await?;
            tell(
                "secrets",
                &format!("window by {sort} at {offset}"),
                began,
                200,
            );
        }
    }
    for filter in ["copies=yes", "copies=suspected", "kind=vault", "older=365"] {
        let query = ListQuery {
            filters: vec![filter.to_owned()],
            ..list("", "", 0)
        };
        let began = Instant::now();
        let rows = bench.secrets(&query, None).await?.window.matching;
        tell("secrets", &format!("window {filter}"), began, rows);
    }
    let query = ListQuery {
        search: "db".to_owned(),
        ..list("", "", 0)
    };
    let began = Instant::now();
    let rows = bench.secrets(&query, None).await?.window.matching;
    tell("secrets", "window search", began, rows);
    for row in first.rows.iter().take(20) {
        let began = Instant::now();
        bench.secret(&row.key, None).await?;
        bench.secret_readers(&row.key, &list("", "", 0)).await?;
        tell("secrets", "window show", began, 1);
    }
    let people = bench.identities(&list("", "", 0)).await?;
    for who in people.rows.iter().take(20) {
        let began = Instant::now();
        let rows = bench.secrets(&list("", "", 0), Some(&who.id)).await?;
        tell("secrets", "window identity", began, rows.window.matching);
    }
    Ok(())
}
