//! Everyone's departure at once: the verdict of each identity's rehearsal, and how much it would leave.
//!
//! The same answers as `rehearse_leaver` gives one by one, without paths and sentences. What
//! leavers share is worked out once: the ground of a moment (`ground`), and what lies beyond one's
//! own accounts (`beyond`), which thousands reach by the same doors. Whoever meets their own things
//! again out there is rehearsed alone, in full. Promises the same answer for any number of threads.

mod beyond;
mod flags;
mod ground;
mod held;
mod left;
mod one;
mod ranks;
mod steps;

pub use left::{Departed, Left};
pub use ranks::{Ranks, WorstSecret, WorstSystem};
pub use steps::{StepTried, try_steps};

use super::plan::Plan;
use super::rehearse::{RehearsalSettings, Stage};
use crate::access::Graph;
use chrono::{DateTime, Utc};
use ground::Ground;
use one::Leavers;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// Everyone's departure.
#[derive(Clone, Debug)]
pub struct Everyone {
    /// In id order: as many as `graph.identity_ids()`.
    pub departed: Vec<Departed>,
    pub ranks: Ranks,
}

/// How many identities a thread takes at a time.
const TURN: u32 = 4_096;

/// What each identity would leave behind. None where `goes_on`, which is asked now and then, said no.
pub fn everyone(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
    threads: NonZero<usize>,
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Option<Everyone> {
    let mut stage = Stage::new(graph, plan, at, settings);
    let ground = Ground::new(&mut stage);
    drop(stage);
    let identities = graph.identities.len();
    let next = AtomicU32::new(0);
    let done: Mutex<Vec<(u32, Vec<Departed>)>> = Mutex::default();
    let ranks = Mutex::new(Ranks::new(graph));
    let work = || {
        let mut leavers = Leavers::new(Stage::new(graph, plan, at, settings), &ground);
        loop {
            let from = next.fetch_add(TURN, Ordering::Relaxed);
            if from >= identities || !goes_on() {
                break;
            }
            let to = from.saturating_add(TURN).min(identities);
            let turn = (from..to)
                .map(|identity| leavers.depart(identity))
                .collect();
            let mut done = done.lock().unwrap_or_else(|broken| broken.into_inner());
            done.push((from, turn));
        }
        let mut ranks = ranks.lock().unwrap_or_else(|broken| broken.into_inner());
        ranks.add(&leavers.ranks);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(work);
        }
        work();
    });
    let mut turns = done
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    turns.sort_unstable_by_key(|(from, _)| *from);
    let mut departed = Vec::with_capacity(identities as usize);
    departed.extend(turns.into_iter().flat_map(|(_, turn)| turn));
    let ranks = ranks
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    (departed.len() == identities as usize).then_some(Everyone { departed, ranks })
}
