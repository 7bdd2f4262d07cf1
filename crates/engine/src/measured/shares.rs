//! How much was closed in time, by system, kind and month, and how long it took.

use super::measure::{MeasuredLeaver, State};
use chrono::TimeDelta;
use lastkey_contract::facts::LifecycleEvent;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use ts_rs::TS;

/// How many of a sort of things were closed in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Share {
    #[ts(type = "number")]
    pub in_time: u64,
    #[ts(type = "number")]
    pub late: u64,
    #[ts(type = "number")]
    pub still_open: u64,
    #[ts(type = "number")]
    pub indeterminate: u64,
    /// Of those that are decided; None where none is.
    pub share: Option<f64>,
    /// The Wilson score interval at 95 % of that share.
    pub interval: Option<(f64, f64)>,
    /// What the share would be if all that is indeterminate were late, and if all were in time.
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

/// Shares in time by what they are of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Shares {
    pub all: Share,
    /// By `account`, `credential` and so on.
    pub kinds: BTreeMap<&'static str, Share>,
    pub systems: BTreeMap<String, Share>,
    /// By the month of the event, `2026-11`, by its latest moment in UTC.
    pub months: BTreeMap<String, Share>,
    pub times: Times,
}

/// How many were closed within some time: for certain, and at most.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct TimeBand {
    #[ts(type = "number")]
    pub within_seconds: i64,
    /// The upper bound is no longer than this.
    #[ts(type = "number")]
    pub surely: u64,
    /// The lower bound is no longer than this: nothing shows it open after that.
    #[ts(type = "number")]
    pub at_most: u64,
}

/// The distribution of the times that things were open after the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Times {
    /// Of which something is known.
    #[ts(type = "number")]
    pub count: u64,
    pub bands: Vec<TimeBand>,
    /// Half of all closed within this for certain; None where that is not so.
    #[ts(type = "number | null")]
    pub median_at_most_seconds: Option<i64>,
    /// Nine of ten closed within this for certain.
    #[ts(type = "number | null")]
    pub nine_of_ten_at_most_seconds: Option<i64>,
}

/// The steps of the distribution.
const BANDS: [TimeDelta; 9] = [
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
    TimeDelta::hours(4),
    TimeDelta::hours(24),
    TimeDelta::days(3),
    TimeDelta::days(7),
    TimeDelta::days(30),
    TimeDelta::days(90),
    TimeDelta::days(365),
];

/// The Wilson score interval of a share at 95 % (z = 1.96): both ends within 0 and 1. None of none.
pub fn wilson(hits: u64, of: u64) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    if of == 0 {
        return None;
    }
    let n = of as f64;
    let p = hits as f64 / n;
    let z2 = Z * Z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

impl Share {
    fn add(&mut self, state: State) {
        match state {
            State::InTime => self.in_time += 1,
            State::Late => self.late += 1,
            State::StillOpen => self.still_open += 1,
            State::Indeterminate => self.indeterminate += 1,
        }
    }

    /// Works out the shares once all are counted.
    fn done(&mut self) {
        let decided = self.in_time + self.late + self.still_open;
        let all = decided + self.indeterminate;
        let part = |hits: u64, of: u64| (of > 0).then(|| hits as f64 / of as f64);
        self.share = part(self.in_time, decided);
        self.interval = wilson(self.in_time, decided);
        self.at_least = part(self.in_time, all);
        self.at_most = part(self.in_time + self.indeterminate, all);
    }
}

/// The counts so far; leavers are added as they are measured.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    shares: Shares,
    once: RandomState,
    /// What was counted, and whether under a vendor.
    counted: HashMap<u64, bool>,
    uppers: Vec<i64>,
    bands: [(u64, u64); BANDS.len()],
}

impl Counting {
    pub fn add(&mut self, leaver: &MeasuredLeaver) {
        // The end of a day is the first moment of the next one, and belongs to the day.
        let month = leaver.latest - TimeDelta::seconds(1);
        let month = month.format("%Y-%m").to_string();
        for item in &leaver.items {
            // What a vendor's people had stands under the vendor and under each of them, and counts once.
            let thing = (item.kind, &item.system, &item.id, &item.on_account);
            let thing = self.once.hash_one((thing, leaver.latest));
            let of_vendor = leaver.event == LifecycleEvent::VendorExit.word();
            let before = self.counted.insert(thing, of_vendor);
            if before.is_some_and(|by_vendor| by_vendor || of_vendor) {
                continue;
            }
            let shares = &mut self.shares;
            let system = shares.systems.entry(item.system.clone()).or_default();
            system.add(item.state);
            shares
                .kinds
                .entry(item.kind.word())
                .or_default()
                .add(item.state);
            shares
                .months
                .entry(month.clone())
                .or_default()
                .add(item.state);
            shares.all.add(item.state);
            if item.last_open.is_none() && item.upper.is_none() {
                continue;
            }
            shares.times.count += 1;
            self.uppers
                .push(item.upper.map_or(i64::MAX, |t| t.num_seconds()));
            for (band, (surely, at_most)) in BANDS.iter().zip(&mut self.bands) {
                *surely += u64::from(item.upper.is_some_and(|upper| upper <= *band));
                *at_most += u64::from(item.lower <= *band);
            }
        }
    }

    /// Shares and times of all that was added.
    pub fn done(mut self) -> Shares {
        let mut shares = self.shares;
        shares.all.done();
        shares.kinds.values_mut().for_each(Share::done);
        shares.systems.values_mut().for_each(Share::done);
        shares.months.values_mut().for_each(Share::done);
        self.uppers.sort_unstable();
        let at = |place: usize| {
            let upper = self.uppers.get(place.checked_sub(1)?).copied();
            upper.filter(|upper| *upper != i64::MAX)
        };
        let count = self.uppers.len();
        shares.times.median_at_most_seconds = at(count.div_ceil(2));
        shares.times.nine_of_ten_at_most_seconds = at((count * 9).div_ceil(10));
        let bands = BANDS.iter().zip(self.bands);
        shares.times.bands = bands
            .map(|(band, (surely, at_most))| TimeBand {
                within_seconds: band.num_seconds(),
                surely,
                at_most,
            })
            .collect();
        shares
    }
}
