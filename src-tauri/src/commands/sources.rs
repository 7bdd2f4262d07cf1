//! Commands about sources and what reading them brought.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::store::Removal;
use lastkey_engine::views::{
    CheckView, DraftProblem, Forgotten, JournalRow, KindStanding, ListQuery, NewSource, RowWindow,
    RunDetail, RunRow, ScriptView, SourceKindView, SourceRow, WeakReadView,
};
use lastkey_workbench::{Consent, moment_from_text};
use std::path::Path;

pub async fn source_kinds(_desk: &Desk) -> Answer<Vec<SourceKindView>> {
    Ok(lastkey_workbench::source_kinds())
}

pub async fn sources(desk: &Desk) -> Answer<Vec<SourceRow>> {
    let mut rows = desk.workbench().await?.sources().await?;
    desk.mark_reading(&mut rows);
    Ok(rows)
}

pub async fn source_add(desk: &Desk, source: NewSource) -> Answer<SourceRow> {
    Ok(desk.workbench().await?.add_source(source).await?)
}

pub async fn source_check(desk: &Desk, name: String) -> Answer<CheckView> {
    Ok(desk.workbench().await?.check_source(&name).await?)
}

pub async fn source_draft(desk: &Desk, source: NewSource) -> Answer<Option<DraftProblem>> {
    Ok(desk.workbench().await?.review_draft(source).await?)
}

pub async fn source_change_draft(desk: &Desk, source: NewSource) -> Answer<Option<DraftProblem>> {
    Ok(desk.workbench().await?.review_change(source).await?)
}

pub async fn source_try(desk: &Desk, source: NewSource) -> Answer<CheckView> {
    let stop = desk.new_trial();
    Ok(desk.workbench().await?.try_draft(source, &stop).await?)
}

pub async fn source_change_try(desk: &Desk, source: NewSource) -> Answer<CheckView> {
    let stop = desk.new_trial();
    Ok(desk.workbench().await?.try_change(source, &stop).await?)
}

pub async fn source_try_stop(desk: &Desk) -> Answer<()> {
    // The trial that comes next takes its place; the one before is stopped by that.
    desk.new_trial();
    Ok(())
}

pub async fn source_change(desk: &Desk, source: NewSource) -> Answer<SourceRow> {
    Ok(desk.workbench().await?.change_source(source).await?)
}

pub async fn source_scripts(_desk: &Desk, source: NewSource) -> Answer<Vec<ScriptView>> {
    Ok(lastkey_workbench::scripts(&source.kind, source.settings)?)
}

pub async fn source_script_save(
    _desk: &Desk,
    source: NewSource,
    file_name: String,
    out: String,
) -> Answer<()> {
    lastkey_workbench::save_script(&source.kind, source.settings, &file_name, Path::new(&out))?;
    Ok(())
}

pub async fn source_runs(desk: &Desk, name: String, query: ListQuery) -> Answer<RowWindow<RunRow>> {
    Ok(desk.workbench().await?.runs(&name, &query).await?)
}

pub async fn source_standing(desk: &Desk, name: String) -> Answer<Vec<KindStanding>> {
    Ok(desk.workbench().await?.standing(&name).await?)
}

pub async fn run(desk: &Desk, sync: u64) -> Answer<RunDetail> {
    Ok(desk.workbench().await?.run(sync).await?)
}

pub async fn run_journal(
    desk: &Desk,
    sync: u64,
    query: ListQuery,
) -> Answer<RowWindow<JournalRow>> {
    Ok(desk.workbench().await?.run_journal(sync, &query).await?)
}

pub async fn weak_reads(desk: &Desk, at: Option<String>) -> Answer<Vec<WeakReadView>> {
    let at = at.as_deref().map(moment_from_text).transpose()?;
    Ok(desk.workbench().await?.weak_reads(at).await?)
}

pub async fn source_fingerprints(
    desk: &Desk,
    name: String,
    secret: Option<String>,
) -> Answer<SourceRow> {
    let consent = match secret {
        Some(_) => Consent::Given,
        None => Consent::TakenBack,
    };
    let bench = desk.workbench().await?;
    Ok(bench.set_fingerprints(&name, consent, secret).await?)
}

pub async fn source_forgets(desk: &Desk, name: String) -> Answer<Forgotten> {
    Ok(desk.workbench().await?.removal_forgets(&name).await?)
}

pub async fn source_remove(desk: &Desk, name: String, retired: bool) -> Answer<()> {
    let removal = match retired {
        true => Removal::WithSystems,
        false => Removal::OfSource,
    };
    let bench = desk.workbench().await?;
    bench.remove_source(&name, removal).await?;
    Ok(())
}
