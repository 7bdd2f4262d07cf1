//! Commands about the offboarding plan and what rehearsals say of it.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::lifecycle::simulated::EventsRehearsal;
use lastkey_engine::views::{ListQuery, RehearsalView, RehearsedRow, RowWindow};
use lastkey_workbench::{
    PlanCoverage, PlanLoad, Steps, Stop, Survey, event_from_text, moment_from_text,
};

pub async fn plan_load(
    desk: &Desk,
    name: String,
    text: String,
    code: Option<String>,
) -> Answer<PlanLoad> {
    let (bench, stop) = (desk.workbench().await?, Stop::default());
    let loaded = bench.load_plan_guarded(&name, &text, code.as_deref(), &stop);
    Ok(loaded.await?)
}

pub async fn rehearse_leaver(
    desk: &Desk,
    identity: String,
    at: Option<String>,
) -> Answer<RehearsalView> {
    let at = at.as_deref().map(moment_from_text).transpose()?;
    Ok(desk
        .workbench()
        .await?
        .rehearse_leaver(&identity, at)
        .await?)
}

pub async fn rehearsals(desk: &Desk, query: ListQuery) -> Answer<RowWindow<RehearsedRow>> {
    Ok(desk.workbench().await?.rehearsals(&query).await?)
}

pub async fn plan_try(
    desk: &Desk,
    identity: String,
    text: String,
    at: Option<String>,
) -> Answer<RehearsalView> {
    let at = at.as_deref().map(moment_from_text).transpose()?;
    let bench = desk.workbench().await?;
    Ok(bench.rehearse_leaver_by(&identity, at, &text).await?)
}

pub async fn plan_coverage(desk: &Desk, text: Option<String>) -> Answer<PlanCoverage> {
    let bench = desk.workbench().await?;
    Ok(bench.plan_coverage(bench.now(), text.as_deref()).await?)
}

pub async fn survey(desk: &Desk, text: Option<String>, steps: bool) -> Answer<Survey> {
    let steps = match steps {
        true => Steps::Tried,
        false => Steps::NotAsked,
    };
    let (bench, stop) = (desk.workbench().await?, desk.new_survey());
    let survey = bench.survey(bench.now(), text.as_deref(), steps, &stop);
    Ok(survey.await?)
}

pub async fn survey_stop(desk: &Desk) -> Answer<()> {
    // The one that comes next takes its place; the one before is stopped by that.
    desk.new_survey();
    Ok(())
}

pub async fn events_try(desk: &Desk, events: Vec<String>) -> Answer<EventsRehearsal> {
    let events = events.iter().map(|event| event_from_text(event));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let bench = desk.workbench().await?;
    Ok(bench.rehearse_events(&events).await?)
}
