//! One leaver on a time line: of each thing what reads saw, and what tries said.

use super::held::{Held, HeldKind, Left, Names};
use super::measure::{Measured, MeasuredLeaver, measure};
use super::probed::Probed;
use super::reads::as_text;
use crate::lifecycle::Plan;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::HashMap;
use ts_rs::TS;

/// Reads in a row that say the same of a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SeenAt {
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub from: DateTime<Utc>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub until: DateTime<Utc>,
    /// `open`, `closed`, `unread` (the read did not come to its end), `untold` (it says nothing of it).
    pub says: &'static str,
    #[ts(type = "number")]
    pub reads: u64,
}

/// What is known of one thing, by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Lanes {
    pub seen: Vec<SeenAt>,
    pub tries: Vec<Probed>,
}

/// One leaver with the lanes of each item, in the order of the items.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LeaverTimeline {
    #[serde(flatten)]
    pub leaver: MeasuredLeaver,
    pub lanes: Vec<Lanes>,
    pub plan_name: Option<String>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub now: DateTime<Utc>,
}

type Key = (HeldKind, Names, Option<Names>);

/// Measures a leaver, and keeps what the bounds were found from.
pub fn timeline(
    left: Left,
    plan: &Plan,
    plan_name: Option<String>,
    now: DateTime<Utc>,
) -> LeaverTimeline {
    let of = |held: &Held| {
        let key: Key = (held.kind, held.names.clone(), held.on_account.clone());
        (key, lanes(held))
    };
    let mut found: HashMap<Key, Lanes> = left.held.iter().map(of).collect();
    let leaver = measure(left, plan);
    let of_item = |item: &Measured| {
        let names = Names::new(&item.system, &item.id);
        let key = (item.kind, names, item.on_account.clone());
        found.remove(&key).unwrap_or_default()
    };
    let lanes = leaver.items.iter().map(of_item).collect();
    LeaverTimeline {
        leaver,
        lanes,
        plan_name,
        now,
    }
}

fn lanes(held: &Held) -> Lanes {
    let told = held.told.iter();
    let mut all: Vec<SeenAt> = told.flat_map(|told| told.each()).collect();
    all.sort_by_key(|one| (one.from, one.until));
    let mut seen: Vec<SeenAt> = Vec::new();
    for one in all {
        match seen.last_mut() {
            Some(last) if last.says == one.says => {
                last.until = last.until.max(one.until);
                last.reads += one.reads;
            }
            _ => seen.push(one),
        }
    }
    Lanes {
        seen,
        tries: held.tried.clone(),
    }
}
