//! Past leavers for a screen: measured once for a period, and handed out in windows, worst first.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::leavers::LeaversAsked;
use crate::rehearsals::State;
use crate::stop::Stop;
use lastkey_engine::lifecycle::Verdict;
use lastkey_engine::measured::{Gap, LeaverTimeline, Measured, MeasuredLeaver, Shares, timeline};
use lastkey_engine::store::{LeaversQuery, PolicyStanding};
use lastkey_engine::views::{ListQuery, RowWindow};
use serde::Serialize;
use std::cmp::Reverse;
use std::sync::Arc;
use ts_rs::TS;

/// Past leavers of a period in short.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LeaversReport {
    pub since: Option<String>,
    pub until: Option<String>,
    pub plan_name: Option<String>,
    #[ts(type = "number")]
    pub leavers: u64,
    #[ts(type = "number")]
    pub pass: u64,
    #[ts(type = "number")]
    pub fail: u64,
    #[ts(type = "number")]
    pub indeterminate: u64,
    /// How many things they held.
    #[ts(type = "number")]
    pub things: u64,
    pub shares: Shares,
    pub gaps: Vec<GapCount>,
    /// What is not known of some of them, the first twenty.
    pub missing: Vec<String>,
}

/// How many things have a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct GapCount {
    pub gap: String,
    pub words: String,
    #[ts(type = "number")]
    pub count: u64,
}

/// One thing that a leaver held.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LeaverThing {
    pub identity: String,
    pub name: Option<String>,
    pub event: String,
    pub earliest: Option<String>,
    pub latest: String,
    pub claimed_words: String,
    pub observed_words: String,
    pub gap_words: Option<String>,
    pub item: Measured,
}

/// Whose past is measured for a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastOf {
    pub since: Option<String>,
    pub until: Option<String>,
    /// Whoever moved, in place of whoever left.
    pub movers: bool,
}

/// What was measured last: of whom, and of which state, plan and policy.
pub(crate) struct MeasuredPast {
    of: (PastOf, State, Option<String>, Option<String>),
    report: LeaversReport,
    leavers: Vec<MeasuredLeaver>,
    /// Places of leaver and item, worst first.
    things: Vec<(u32, u32)>,
}

/// How many lines of what is not known are shown.
const MISSING: usize = 20;

impl Workbench {
    /// Measures all past leavers of a period, unless that was done of this state; `fresh` does it again.
    pub async fn leavers_report(
        &self,
        of: PastOf,
        fresh: bool,
        stop: &Stop,
    ) -> Result<LeaversReport, Failure> {
        let past = self.measured_past(of, fresh, stop).await?;
        Ok(past.report.clone())
    }

    /// A window of what they held, worst first.
    pub async fn leaver_things(
        &self,
        of: PastOf,
        query: &ListQuery,
    ) -> Result<RowWindow<LeaverThing>, Failure> {
        let past = self.measured_past(of, false, &Stop::default()).await?;
        let text = query.search.to_lowercase();
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        for filter in &query.filters {
            match filter.split_once('=') {
                Some((name @ ("system" | "state" | "gap"), value)) => wanted.push((name, value)),
                _ => {
                    return Err(Failure::bad_input(format!(
                        "`{filter}` is no filter of what leavers held"
                    ))
                    .hint("one of system=, state=, gap="));
                }
            }
        }
        let fits = |leaver: &MeasuredLeaver, item: &Measured| {
            let mut texts = [&leaver.identity, &item.id, &item.system]
                .into_iter()
                .chain(&item.name);
            let has = text.is_empty()
                || texts.any(|one| one.to_lowercase().contains(&text))
                || (leaver.name.as_deref()).is_some_and(|name| name.to_lowercase().contains(&text));
            has && wanted.iter().all(|(name, value)| match *name {
                "system" => item.system == *value,
                "state" => item.state.word() == *value,
                _ => item.gap.is_some_and(|gap| gap.word() == *value),
            })
        };
        let all = past.things.iter().filter_map(|(leaver, item)| {
            let leaver = past.leavers.get(*leaver as usize)?;
            Some((leaver, leaver.items.get(*item as usize)?))
        });
        let matching = all.filter(|(leaver, item)| fits(leaver, item));
        let (mut rows, mut number) = (Vec::new(), 0u64);
        for (leaver, item) in matching {
            if number >= query.offset && number < query.offset.saturating_add(query.limit.into()) {
                rows.push(thing(leaver, item));
            }
            number += 1;
        }
        Ok(RowWindow {
            rows,
            offset: query.offset,
            matching: number,
            total: past.report.things,
        })
    }

    /// One leaver with lanes, once for each time they left by what sources tell or by what was announced
    /// here, the latest first.
    pub async fn leaver_timelines(&self, identity: &str) -> Result<Vec<LeaverTimeline>, Failure> {
        let asked = LeaversAsked {
            identity: Some(identity.to_owned()),
            ..LeaversAsked::default()
        };
        self.require_leaver(&asked).await?;
        let (plan, plan_name) = self.plan().await?;
        let query = LeaversQuery {
            identity: Some(identity),
            ..LeaversQuery::default()
        };
        let now = self.now();
        let mut all: Vec<LeaverTimeline> = Vec::new();
        self.store
            .each_past_leaver(&query, now, |window| {
                let of = window
                    .into_iter()
                    .map(|left| timeline(left, &plan, plan_name.clone(), now));
                all.extend(of);
                Ok::<(), Failure>(())
            })
            .await?;
        if self.store.policy(PolicyStanding::Active).await?.is_some() {
            let moved = LeaversQuery {
                movers: true,
                ..query
            };
            let mut left = Vec::new();
            self.store
                .each_past_leaver(&moved, now, |window| {
                    left.extend(window);
                    Ok::<(), Failure>(())
                })
                .await?;
            let moved = self.after_moves(left).await?.into_iter();
            all.extend(moved.map(|left| timeline(left, &plan, plan_name.clone(), now)));
        }
        // Whoever is watched stands among the past leavers, but for movers and for what was stopped.
        let mut watched = self.watch_timelines_of(identity).await?;
        let known = |one: &LeaverTimeline| (one.leaver.event, one.leaver.latest);
        watched.retain(|one| all.iter().all(|other| known(other) != known(one)));
        all.extend(watched);
        all.sort_by_key(|one| Reverse(one.leaver.latest));
        Ok(all)
    }

    async fn measured_past(
        &self,
        of: PastOf,
        fresh: bool,
        stop: &Stop,
    ) -> Result<Arc<MeasuredPast>, Failure> {
        let mut kept = self.leavers.lock().await;
        let plan_sha256 = self.store.plan().await?.map(|plan| plan.sha256);
        let policy = match of.movers {
            true => self.store.policy(PolicyStanding::Active).await?,
            false => None,
        };
        let of = (
            of,
            self.state().await?,
            plan_sha256,
            policy.map(|one| one.sha256),
        );
        if let Some(known) = kept.as_ref().filter(|known| known.of == of && !fresh) {
            return Ok(known.clone());
        }
        let asked = LeaversAsked {
            since: of.0.since.clone(),
            until: of.0.until.clone(),
            movers: of.0.movers,
            ..LeaversAsked::default()
        };
        let mut leavers: Vec<MeasuredLeaver> = Vec::new();
        let take = |window: Vec<MeasuredLeaver>| {
            leavers.extend(window);
            match stop.is_stopped() {
                true => Err(Failure::not_possible("measuring was stopped")),
                false => Ok(()),
            }
        };
        let shares = self.each_measured_leaver(&asked, take).await?;
        let (_, plan_name) = self.plan().await?;
        let things = worst_first(&leavers);
        let mut report = report(&of.0, plan_name, &leavers, shares);
        // What is not known of the period as a whole comes first.
        let mut not_known = self.not_known_of(&asked).await?;
        not_known.append(&mut report.missing);
        report.missing = not_known;
        let past = Arc::new(MeasuredPast {
            of,
            report,
            leavers,
            things,
        });
        *kept = Some(past.clone());
        Ok(past)
    }
}

fn worst_first(leavers: &[MeasuredLeaver]) -> Vec<(u32, u32)> {
    let mut things: Vec<(u32, u32)> = Vec::new();
    for (leaver, of) in (0..).zip(leavers) {
        things.extend((0..).zip(&of.items).map(|(item, _)| (leaver, item)));
    }
    let rank = |(leaver, item): &(u32, u32)| {
        let leaver = leavers.get(*leaver as usize)?;
        let item = leaver.items.get(*item as usize)?;
        let privileged = item.privileged == Some(true);
        Some((
            Reverse((item.state, privileged, item.lower)),
            &*leaver.identity,
        ))
    };
    things.sort_by(|a, b| rank(a).cmp(&rank(b)));
    things
}

fn report(
    of: &PastOf,
    plan_name: Option<String>,
    leavers: &[MeasuredLeaver],
    shares: Shares,
) -> LeaversReport {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let with = |verdict| number(leavers.iter().filter(|one| one.verdict == verdict).count());
    let mut missing: Vec<String> = Vec::new();
    for fact in leavers.iter().flat_map(|one| &one.missing_facts) {
        if missing.len() < MISSING && !missing.contains(fact) {
            missing.push(fact.clone());
        }
    }
    let items = || leavers.iter().flat_map(|one| &one.items);
    let gaps = Gap::ALL.into_iter().map(|gap| GapCount {
        gap: gap.word().to_owned(),
        words: gap.in_words().to_owned(),
        count: number(items().filter(|item| item.gap == Some(gap)).count()),
    });
    LeaversReport {
        since: of.since.clone(),
        until: of.until.clone(),
        plan_name,
        leavers: number(leavers.len()),
        pass: with(Verdict::Pass),
        fail: with(Verdict::Fail),
        indeterminate: with(Verdict::Indeterminate),
        things: number(items().count()),
        shares,
        gaps: gaps.filter(|one| one.count > 0).collect(),
        missing,
    }
}

fn thing(leaver: &MeasuredLeaver, item: &Measured) -> LeaverThing {
    use lastkey_contract::when::rfc3339;
    // To the minute, in UTC: the words stand in a table beside others.
    let moment = |text: &str| text.get(..16).unwrap_or(text).replace('T', " ");
    LeaverThing {
        identity: leaver.identity.clone(),
        name: leaver.name.clone(),
        event: leaver.event.to_owned(),
        earliest: leaver.earliest.map(rfc3339),
        latest: rfc3339(leaver.latest),
        claimed_words: leaver.claimed_in_words(item, moment),
        observed_words: item.observed_in_words(),
        gap_words: item.gap.map(|gap| gap.in_words().to_owned()),
        item: item.clone(),
    }
}
