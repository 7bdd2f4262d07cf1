//! Commands about rehearsals that are kept, and about rehearsals as tests.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::lifecycle::saved::{Comparison, Question};
use lastkey_workbench::{
    AssertionRunView, AssertionsView, SaveRequest, SavedView, Stop, moment_from_text,
};

pub async fn saved_rehearsals(desk: &Desk) -> Answer<Vec<SavedView>> {
    Ok(desk.workbench().await?.saved_rehearsals().await?)
}

pub async fn save_leaver(
    desk: &Desk,
    name: String,
    identity: String,
    at: Option<String>,
) -> Answer<SavedView> {
    let at = at.as_deref().map(moment_from_text).transpose()?;
    let request = SaveRequest {
        name,
        question: Question::Leaver { identity },
        at,
        plan: None,
    };
    let bench = desk.workbench().await?;
    Ok(bench.save_rehearsal(request, &Stop::default()).await?)
}

pub async fn saved_compare(
    desk: &Desk,
    before: String,
    after: Option<String>,
) -> Answer<Comparison> {
    let bench = desk.workbench().await?;
    Ok(bench
        .compare_saved(&before, after.as_deref(), &Stop::default())
        .await?)
}

pub async fn saved_remove(desk: &Desk, name: String) -> Answer<()> {
    Ok(desk.workbench().await?.remove_saved(&name).await?)
}

pub async fn assertions(desk: &Desk) -> Answer<Option<AssertionsView>> {
    Ok(desk.workbench().await?.assertions().await?)
}

pub async fn assertion_runs(desk: &Desk, limit: u32) -> Answer<Vec<AssertionRunView>> {
    Ok(desk.workbench().await?.assertion_runs(0, limit).await?)
}

pub async fn assertions_run(desk: &Desk) -> Answer<()> {
    let bench = desk.workbench().await?;
    bench.assert_after_sync(&Stop::default()).await?;
    Ok(())
}
