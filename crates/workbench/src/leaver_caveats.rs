//! What is not known of a period as a whole: when sources of truth were not read, and what has not been
//! read for long.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::leavers::Period;
use chrono::{DateTime, SecondsFormat, Utc};
use lastkey_contract::Kind;
use lastkey_engine::collect::Rules;
use lastkey_engine::lifecycle::Weakness;
use lastkey_engine::store::{GivenOn, JoinedSince};
use std::collections::BTreeMap;

/// So many ids that were given on are named.
const SOME: usize = 20;

impl Workbench {
    /// One sentence for each thing that keeps anybody from saying that everybody who left in a period
    /// lost access in time; nothing where there is none.
    pub(crate) async fn leaver_caveats(&self, period: Period) -> Result<Vec<String>, Failure> {
        let now = self.now();
        let mut caveats = Vec::new();
        let spans = self.store.roster_spans(now).await?;
        if spans.is_empty() {
            caveats.push("no source that says who exists was read to its end".to_owned());
        }
        if let Some(since) = period.since.filter(|since| *since > now) {
            caveats.push(format!(
                "the period begins at {}, later than now: who leaves in it is not known",
                moment(since)
            ));
        }
        let until = period.before.map_or(now, |before| before.min(now));
        for source in self.store.sources().await? {
            let Some(span) = spans.iter().find(|span| span.source == source.name) else {
                continue;
            };
            let name = &span.source;
            let ends_before = period.before.is_some_and(|before| before <= span.first);
            if ends_before || period.since.is_some_and(|since| since < span.first) {
                caveats.push(format!(
                    "`{name}` was first read as of {}: who left before is not known",
                    moment(span.first)
                ));
            }
            if until - span.last > Rules::kept(&source.settings).fresh_for {
                caveats.push(format!(
                    "`{name}` was last read as of {}: who has left since is not known",
                    moment(span.last)
                ));
            }
        }
        let in_period = |one: &GivenOn| {
            period.since.is_none_or(|since| one.latest >= since)
                && period.before.is_none_or(|before| one.earliest < before)
        };
        let given_on = self.store.ids_given_on(now).await?.into_iter();
        caveats.extend(given_on.filter(in_period).take(SOME).map(|one| {
            format!(
                "`{}` may be another person since {}: whether who had that id left is not known",
                one.record,
                moment(one.latest)
            )
        }));
        let joined = self.store.joined_since(now).await?.into_iter();
        let in_period = |one: &JoinedSince| {
            period.since.is_none_or(|since| one.ended >= since)
                && period.before.is_none_or(|before| one.ended < before)
        };
        caveats.extend(joined.filter(in_period).take(SOME).map(|one| {
            let by = match one.by_rule {
                true => "the rules",
                false => "the decision",
            };
            format!(
                "`{}` ended by {}, and its person counts as still there by `{}` only since {by} of `{}` at {}: whether they left is not known",
                one.record,
                moment(one.ended),
                one.other,
                one.who,
                moment(one.at)
            )
        }));
        let mut stale: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
        for weak in self.weak(now).await? {
            let source = weak.source.to_string();
            let of_truth = spans.iter().any(|span| span.source == weak.source);
            match (weak.kind, weak.weakness, weak.complete_at) {
                (Some(Kind::Identity), Weakness::Incomplete, _) if of_truth => {
                    caveats.push(format!(
                        "the last read of identities of `{source}` did not come to its end: who has left is not known"
                    ));
                }
                (Some(kind), Weakness::Stale, Some(at)) if kind != Kind::Identity => {
                    let oldest = stale.entry(source).or_insert(at);
                    *oldest = at.min(*oldest);
                }
                _ => {}
            }
        }
        caveats.extend(stale.into_iter().map(|(source, at)| {
            format!(
                "`{source}` was last read to its end as of {}: what was opened again since is not known",
                moment(at)
            )
        }));
        Ok(caveats)
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
