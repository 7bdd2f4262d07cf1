//! Everyone's departure at once: the verdict of each identity's rehearsal, and how much it would leave.
//!
//! The same answers as `rehearse_leaver` gives one by one, without paths and sentences. What
//! leavers share is worked out once: the ground of a moment (`ground`), and what lies beyond one's
//! own accounts (`beyond`), which thousands reach by the same doors. Whoever meets their own things
//! again out there is rehearsed alone, in full. Promises the same answer for any number of threads.

mod again;
mod beyond;
mod depends;
mod flags;
mod ground;
mod held;
mod left;
mod one;
mod ranks;
mod steps;
mod turns;

pub use again::{Again, Keeping, Kept, everyone_again};
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
use std::ops::Range;
use turns::in_turns;

/// Everyone's departure.
#[derive(Clone, Debug)]
pub struct Everyone {
    /// In id order: as many as `graph.identity_ids()`.
    pub departed: Vec<Departed>,
    pub ranks: Ranks,
}

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
    let begin = || {
        let leavers = Leavers::new(Stage::new(graph, plan, at, settings), &ground);
        (leavers, Ranks::new(graph))
    };
    let turn = |worker: &mut (Leavers<'_, '_>, Ranks), identities: Range<u32>| {
        let (leavers, ranks) = worker;
        let one = |identity| {
            let (departed, late) = leavers.depart(identity);
            ranks.keep(&late);
            departed
        };
        identities.map(one).collect::<Vec<_>>()
    };
    let end = |(_, ranks): (Leavers<'_, '_>, Ranks)| ranks;
    let identities = graph.identities.len();
    let (turns, ended) = in_turns(identities, threads, goes_on, begin, turn, end)?;
    let mut ranks = Ranks::new(graph);
    for more in &ended {
        ranks.add(more);
    }
    let mut departed = Vec::with_capacity(identities as usize);
    departed.extend(turns.into_iter().flatten());
    Some(Everyone { departed, ranks })
}
