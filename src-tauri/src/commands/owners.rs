//! Commands about who answers for what.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::store::OwnerVerdict;
use lastkey_engine::views::{
    ListQuery, OwnedDetail, OwnedLine, OwnerDecisionView, OwnerPick, OwnerSuggestionView,
    OwnersSummary, RowWindow, RuleCount, StandingCount,
};
use lastkey_workbench::{BulkRequest, Failure, OwnerLists, OwnersDecided};

fn verdict_of(word: &str) -> Result<OwnerVerdict, Failure> {
    OwnerVerdict::from_word(word)
        .ok_or_else(|| Failure::bad_input(format!("`{word}` is no decision about an owner")))
}

fn summary(decided: OwnersDecided) -> OwnersSummary {
    let OwnersDecided {
        done: _,
        batch,
        confirmed,
        rejected,
        by_rule,
        examples,
    } = decided;
    OwnersSummary {
        batch,
        confirmed,
        rejected,
        by_rule: by_rule
            .into_iter()
            .map(|(rules, count)| RuleCount { rules, count })
            .collect(),
        examples,
    }
}

pub async fn owner_standings(desk: &Desk, filters: Vec<String>) -> Answer<Vec<StandingCount>> {
    Ok(desk
        .workbench()
        .await?
        .owner_standings(OwnerLists::AtHand, &filters)
        .await?)
}

pub async fn owned(desk: &Desk, query: ListQuery) -> Answer<RowWindow<OwnedLine>> {
    Ok(desk
        .workbench()
        .await?
        .owned_lines(OwnerLists::AtHand, &query)
        .await?)
}

pub async fn owned_detail(desk: &Desk, object: String) -> Answer<OwnedDetail> {
    Ok(desk
        .workbench()
        .await?
        .owned_detail(OwnerLists::AtHand, &object)
        .await?)
}

pub async fn owner_suggestions(
    desk: &Desk,
    query: ListQuery,
    least: Option<String>,
) -> Answer<RowWindow<OwnerSuggestionView>> {
    let bench = desk.workbench().await?;
    let lists = OwnerLists::AtHand;
    let (rows, matching) = bench
        .owner_suggestions(lists, &query, least.as_deref())
        .await?;
    let all = ListQuery {
        filters: Vec::new(),
        limit: 0,
        ..query.clone()
    };
    let (_, total) = bench.owner_suggestions(lists, &all, None).await?;
    Ok(RowWindow {
        rows,
        offset: query.offset,
        matching,
        total,
    })
}

pub async fn owners_behind(desk: &Desk) -> Answer<bool> {
    Ok(desk.workbench().await?.owners_behind().await?)
}

pub async fn owners_ready(desk: &Desk) -> Answer<()> {
    Ok(desk.workbench().await?.ready_lists().await?)
}

pub async fn owners_preview(
    desk: &Desk,
    picks: Vec<OwnerPick>,
    verdict: String,
) -> Answer<OwnersSummary> {
    let bench = desk.workbench().await?;
    let verdict = verdict_of(&verdict)?;
    Ok(summary(bench.preview_owners(&picks, verdict).await?))
}

pub async fn owners_decide(
    desk: &Desk,
    picks: Vec<OwnerPick>,
    verdict: String,
    why: String,
) -> Answer<OwnersSummary> {
    let bench = desk.workbench().await?;
    let verdict = verdict_of(&verdict)?;
    Ok(summary(bench.decide_owners(&picks, verdict, &why).await?))
}

pub async fn owners_decide_all(
    desk: &Desk,
    filters: Vec<String>,
    least: String,
    verdict: String,
    count: Option<u64>,
    why: String,
) -> Answer<OwnersSummary> {
    let bench = desk.workbench().await?;
    let verdict = verdict_of(&verdict)?;
    let request = BulkRequest {
        filters,
        least,
        count,
        why,
    };
    Ok(summary(bench.decide_suggested(&request, verdict).await?))
}

pub async fn owner_decisions(
    desk: &Desk,
    query: ListQuery,
) -> Answer<RowWindow<OwnerDecisionView>> {
    let bench = desk.workbench().await?;
    let (rows, total) = bench.owner_decisions(query.offset, query.limit).await?;
    Ok(RowWindow {
        rows,
        offset: query.offset,
        matching: total,
        total,
    })
}

pub async fn owners_undo(desk: &Desk, batch: i64, why: String) -> Answer<u64> {
    let bench = desk.workbench().await?;
    Ok(bench.undo_owner_batch(batch, &why).await?)
}
