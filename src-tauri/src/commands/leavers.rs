//! Commands about past leavers, watches and probes.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::measured::{LeaverTimeline, StepMeasured};
use lastkey_engine::views::{ListQuery, RowWindow};
use lastkey_workbench::{LeaverThing, LeaversReport, PastOf, ProbeView, Stop, WatchView};

pub async fn leavers(
    desk: &Desk,
    since: Option<String>,
    until: Option<String>,
    movers: bool,
    fresh: bool,
) -> Answer<LeaversReport> {
    let of = PastOf {
        since,
        until,
        movers,
    };
    let (bench, stop) = (desk.workbench().await?, desk.new_measuring());
    Ok(bench.leavers_report(of, fresh, &stop).await?)
}

pub async fn leavers_stop(desk: &Desk) -> Answer<()> {
    // The one that comes next takes its place; the one before is stopped by that.
    desk.new_measuring();
    Ok(())
}

pub async fn leaver_things(
    desk: &Desk,
    since: Option<String>,
    until: Option<String>,
    movers: bool,
    query: ListQuery,
) -> Answer<RowWindow<LeaverThing>> {
    let of = PastOf {
        since,
        until,
        movers,
    };
    let bench = desk.workbench().await?;
    Ok(bench.leaver_things(of, &query).await?)
}

pub async fn leaver_timelines(desk: &Desk, identity: String) -> Answer<Vec<LeaverTimeline>> {
    Ok(desk.workbench().await?.leaver_timelines(&identity).await?)
}

pub async fn measured_steps(desk: &Desk) -> Answer<Vec<StepMeasured>> {
    Ok(desk.workbench().await?.measured_steps().await?)
}

pub async fn probes(desk: &Desk) -> Answer<Vec<ProbeView>> {
    Ok(desk.workbench().await?.probes().await?)
}

pub async fn probe_try(desk: &Desk, name: String) -> Answer<ProbeView> {
    Ok(desk.workbench().await?.try_probe(&name).await?)
}

pub async fn probe_remove(desk: &Desk, name: String) -> Answer<()> {
    Ok(desk.workbench().await?.remove_probe(&name).await?)
}

pub async fn watches(desk: &Desk) -> Answer<Vec<WatchView>> {
    Ok(desk.workbench().await?.watches().await?)
}

pub async fn watch_start(
    desk: &Desk,
    identity: String,
    event: Option<String>,
    at: Option<String>,
) -> Answer<WatchView> {
    let bench = desk.workbench().await?;
    let started = bench.start_watch(&identity, event.as_deref(), at.as_deref());
    Ok(started.await?)
}

pub async fn watch_stop(desk: &Desk, id: i64) -> Answer<WatchView> {
    Ok(desk.workbench().await?.stop_watch(id).await?)
}

pub async fn watch_read(desk: &Desk, id: i64) -> Answer<WatchView> {
    let bench = desk.workbench().await?;
    let stop = Stop::default();
    bench.read_watches(Some(id), &|_| {}, &stop).await?;
    Ok(bench.watch(id).await?)
}
