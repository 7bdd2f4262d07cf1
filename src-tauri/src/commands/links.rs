//! Commands about whose an account is, and which records are one person.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::views::{
    DecisionLine, LinkCount, LinkExplained, LinkLine, ListQuery, PersonDoubtLine, PersonLine,
    RowWindow,
};

pub async fn undecided_counts(desk: &Desk, source: Option<String>) -> Answer<Vec<LinkCount>> {
    let bench = desk.workbench().await?;
    Ok(bench.undecided_counts(source.as_deref()).await?)
}

pub async fn undecided(desk: &Desk, query: ListQuery) -> Answer<RowWindow<LinkLine>> {
    Ok(desk.workbench().await?.undecided(&query).await?)
}

pub async fn account_explained(desk: &Desk, account: String) -> Answer<Vec<LinkExplained>> {
    Ok(desk.workbench().await?.explain_link(&account).await?)
}

pub async fn account_decide(
    desk: &Desk,
    account: String,
    identity: Option<String>,
    why: String,
) -> Answer<i64> {
    let bench = desk.workbench().await?;
    Ok(bench.link(&account, identity.as_deref(), &why).await?)
}

pub async fn persons_joined(desk: &Desk, query: ListQuery) -> Answer<RowWindow<PersonLine>> {
    Ok(desk.workbench().await?.persons_joined(&query).await?)
}

pub async fn persons_doubted(desk: &Desk, query: ListQuery) -> Answer<RowWindow<PersonDoubtLine>> {
    Ok(desk.workbench().await?.persons_doubted(&query).await?)
}

pub async fn persons_same(desk: &Desk, a: String, b: String, why: String) -> Answer<i64> {
    Ok(desk.workbench().await?.same_person(&a, &b, &why).await?)
}

pub async fn persons_apart(desk: &Desk, a: String, b: String, why: String) -> Answer<i64> {
    Ok(desk.workbench().await?.two_persons(&a, &b, &why).await?)
}

pub async fn decisions(desk: &Desk, query: ListQuery) -> Answer<RowWindow<DecisionLine>> {
    let bench = desk.workbench().await?;
    let window = bench.decisions(query.offset, query.limit).await?;
    Ok(RowWindow {
        rows: window.rows,
        offset: query.offset,
        matching: window.total,
        total: window.total,
    })
}

pub async fn decisions_about(desk: &Desk, records: Vec<String>) -> Answer<Vec<DecisionLine>> {
    Ok(desk.workbench().await?.decisions_about(&records).await?)
}

pub async fn decision_undo(desk: &Desk, number: i64, why: String) -> Answer<()> {
    Ok(desk.workbench().await?.undo_decision(number, &why).await?)
}
