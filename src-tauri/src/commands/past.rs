//! Commands about what was: what changed, the history of an object, tables of an earlier moment,
//! and how long the past is kept.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::store::RetentionReport;
use lastkey_engine::views::{
    DiffRow, DiffView, FactRow, IdentityThen, ListQuery, MomentView, ObjectHistory, RetentionView,
    RowWindow,
};

pub async fn changes(
    desk: &Desk,
    from: Option<String>,
    to: Option<String>,
    source: Option<String>,
) -> Answer<DiffView> {
    let bench = desk.workbench().await?;
    Ok(bench
        .changes(from.as_deref(), to.as_deref(), source.as_deref())
        .await?)
}

pub async fn changed_rows(
    desk: &Desk,
    from: u64,
    to: u64,
    query: ListQuery,
) -> Answer<RowWindow<DiffRow>> {
    let bench = desk.workbench().await?;
    Ok(bench.changed_rows(from, to, &query).await?)
}

pub async fn moments(desk: &Desk, query: ListQuery) -> Answer<RowWindow<MomentView>> {
    Ok(desk.workbench().await?.moments(&query).await?)
}

pub async fn moment_named(desk: &Desk, text: String) -> Answer<MomentView> {
    Ok(desk.workbench().await?.moment_named(&text).await?)
}

pub async fn object_history(desk: &Desk, kind: String, id: String) -> Answer<Vec<ObjectHistory>> {
    Ok(desk.workbench().await?.object_history(&kind, &id).await?)
}

pub async fn table_columns(_desk: &Desk, kind: String) -> Answer<Vec<String>> {
    let kind = lastkey_workbench::kind_from_text(&kind)?;
    Ok(lastkey_workbench::columns(kind))
}

pub async fn table_then(
    desk: &Desk,
    kind: String,
    sync: u64,
    query: ListQuery,
) -> Answer<RowWindow<FactRow>> {
    let bench = desk.workbench().await?;
    Ok(bench.table_then(&kind, sync, &query).await?)
}

pub async fn identity_then(desk: &Desk, id: String, sync: u64) -> Answer<Vec<IdentityThen>> {
    Ok(desk.workbench().await?.identity_then(&id, sync).await?)
}

pub async fn retention(desk: &Desk) -> Answer<RetentionView> {
    Ok(desk.workbench().await?.retention_view().await?)
}

pub async fn retention_set(
    desk: &Desk,
    kind: Option<String>,
    days: Option<u32>,
    syncs: Option<u32>,
) -> Answer<RetentionView> {
    let bench = desk.workbench().await?;
    bench.set_retention(kind.as_deref(), days, syncs).await?;
    Ok(bench.retention_view().await?)
}

pub async fn retention_preview(desk: &Desk) -> Answer<RetentionReport> {
    Ok(desk.workbench().await?.retention_preview().await?)
}

pub async fn retention_run(desk: &Desk) -> Answer<RetentionReport> {
    Ok(desk.workbench().await?.run_retention().await?)
}
