//! Everyone once more, after something changed: only whoever reaches what changed is rehearsed.
//!
//! Promises the answer that `everyone` gives, for any number of threads.

use super::Everyone;
use super::depends::{Dependence, Depends};
use super::ground::Ground;
use super::left::Departed;
use super::one::Leavers;
use super::ranks::{Late, Ranks};
use super::turns::in_turns;
use crate::access::Graph;
use crate::lifecycle::plan::Plan;
use crate::lifecycle::rehearse::{RehearsalSettings, Stage};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZero;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Everyone's departures at one moment, kept for the next time.
#[derive(Clone, Debug)]
pub struct Kept {
    key: [u8; 16],
    asked: Option<Asked>,
    /// In the order of identities: what the answer depends on, and the place of what came of it.
    of: Vec<(Depends, u32)>,
    came: Vec<Came>,
    /// What the systems and credentials were called that `came` tells of.
    systems: BTreeMap<u32, String>,
    secrets: BTreeMap<u32, (String, String)>,
}

/// What all answers depend on.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    at: DateTime<Utc>,
    plan: Plan,
    settings: RehearsalSettings,
    /// Something was missing whoever left.
    estate_lacks: bool,
}

/// What somebody keeps after its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Another's secret that they know: `system:id`.
    Secret(String),
    /// Anything of a system.
    In(String),
}

/// What came of a departure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Came {
    departed: Departed,
    late: Late,
}

/// `Kept` as it is written.
#[derive(Serialize, Deserialize)]
struct Written<'k> {
    /// The plan as it was understood: answers of another one are no answers.
    plan: String,
    key: [u8; 16],
    at: DateTime<Utc>,
    freshness_limit: i64,
    horizon: i64,
    estate_lacks: bool,
    of: Cow<'k, [(Depends, u32)]>,
    came: Cow<'k, [Came]>,
    systems: Cow<'k, BTreeMap<u32, String>>,
    secrets: Cow<'k, BTreeMap<u32, (String, String)>>,
}

/// Everyone, and how many of them were rehearsed; the others' answers were kept.
#[derive(Clone, Debug)]
pub struct Again {
    pub ranks: Ranks,
    pub rehearsed: u64,
    pub kept: Kept,
}

impl Again {
    /// The same with a row of each identity.
    pub fn everyone(&self) -> Everyone {
        let mut departed = Vec::with_capacity(self.kept.of.len());
        departed.extend(self.kept.departed());
        Everyone {
            departed,
            ranks: self.ranks.clone(),
        }
    }
}

/// Numbers that are random already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn write_usize(&mut self, _: usize) {}
}

/// Where kept answers are found again: by the first half of a number the second, how long it holds
/// and the place.
type Found = HashMap<u64, (u64, i64, u32), BuildHasherDefault<AsIs>>;

/// What one thread found that was not kept.
#[derive(Default)]
struct More {
    came: Vec<Came>,
    places: HashMap<Came, u32>,
}

impl More {
    fn place(&mut self, came: Came) -> u32 {
        let next = u32::try_from(self.came.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(came.clone()).or_insert(next);
        if place == next {
            self.came.push(came);
        }
        place
    }
}

/// Whose answer was kept (0), or which thread found it (its number and one), and the place of what came
/// of it there.
#[derive(Clone, Copy)]
struct Place {
    by: u32,
    at: u32,
}

/// Where the answers of before stand, in the order that identities had then.
struct Before<'k> {
    kept: &'k Kept,
    holds: bool,
    /// What came of them, with the rows of the graph of now.
    came: Vec<Option<Came>>,
    /// Where they are found by their numbers: made once somebody's is not where it was.
    found: OnceLock<Found>,
}

/// How far from where it stood an answer is looked for before all are gone through by number.
const NEAR: usize = 4;

impl Before<'_> {
    /// Until when an answer holds that depends on this, and its place. `near` is where the one before
    /// was found, and stays where this one is.
    fn of(&self, depends: &Depends, near: &mut usize) -> Option<(i64, u32)> {
        if !self.holds {
            return None;
        }
        for distance in 0..=NEAR {
            for place in [near.checked_add(distance), near.checked_sub(distance)] {
                let there = place.and_then(|place| self.kept.of.get(place));
                if let (Some((before, at)), Some(place)) = (there, place)
                    && before.number == depends.number
                {
                    *near = place;
                    return Some((before.until, *at));
                }
            }
        }
        let [first, second] = depends.number;
        let found = self.found.get_or_init(|| self.kept.found());
        let (other, until, at) = *found.get(&first)?;
        (other == second).then_some((until, at))
    }
}

impl Kept {
    /// Nothing yet. The key is secret, and the same as long as answers are kept with it.
    pub fn nothing(key: [u8; 16]) -> Self {
        Kept {
            key,
            asked: None,
            of: Vec::new(),
            came: Vec::new(),
            systems: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// To be read by the same program, with the plan that was asked; None where nothing is kept.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let asked = self.asked.as_ref()?;
        let written = Written {
            plan: format!("{:?}", asked.plan),
            key: self.key,
            at: asked.at,
            freshness_limit: asked.settings.freshness_limit.num_seconds(),
            horizon: asked.settings.horizon.num_seconds(),
            estate_lacks: asked.estate_lacks,
            of: Cow::Borrowed(&self.of),
            came: Cow::Borrowed(&self.came),
            systems: Cow::Borrowed(&self.systems),
            secrets: Cow::Borrowed(&self.secrets),
        };
        postcard::to_allocvec(&written).ok()
    }

    /// What `to_bytes` wrote by this plan; None of anything else.
    pub fn from_bytes(bytes: &[u8], plan: Plan) -> Option<Kept> {
        let written: Written<'_> = postcard::from_bytes(bytes).ok()?;
        if written.plan != format!("{plan:?}") {
            return None;
        }
        let asked = Asked {
            at: written.at,
            plan,
            settings: RehearsalSettings {
                freshness_limit: TimeDelta::try_seconds(written.freshness_limit)?,
                now: None,
                horizon: TimeDelta::try_seconds(written.horizon)?,
            },
            estate_lacks: written.estate_lacks,
        };
        Some(Kept {
            key: written.key,
            asked: Some(asked),
            of: written.of.into_owned(),
            came: written.came.into_owned(),
            systems: written.systems.into_owned(),
            secrets: written.secrets.into_owned(),
        })
    }

    /// When they were rehearsed.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        self.asked.as_ref().map(|asked| asked.at)
    }

    /// In the order of identities.
    pub fn departed(&self) -> impl Iterator<Item = &Departed> {
        let came = self
            .of
            .iter()
            .map(|(_, place)| self.came.get(*place as usize));
        came.flatten().map(|came| &came.departed)
    }

    /// Of each identity, in their order, whether it keeps something after its limit.
    pub fn who_keeps(&self, keeping: &Keeping) -> Vec<bool> {
        let kept: Vec<bool> = match keeping {
            Keeping::Secret(text) => {
                let named = |(system, id): &(String, String)| {
                    text.strip_prefix(system.as_str())
                        .and_then(|rest| rest.strip_prefix(':'))
                        == Some(id)
                };
                let rows = self.secrets.iter().filter(|(_, one)| named(one));
                let rows: BTreeSet<u32> = rows.map(|(row, _)| *row).collect();
                let came = self.came.iter();
                came.map(|came| came.late.secrets.iter().any(|row| rows.contains(row)))
                    .collect()
            }
            Keeping::In(name) => {
                let row = self.systems.iter().find(|(_, one)| *one == name);
                let came = self.came.iter().map(|came| {
                    let mut systems = came.late.systems.iter();
                    row.is_some_and(|(row, _)| systems.any(|(one, _)| one == row))
                });
                came.collect()
            }
        };
        let of = self.of.iter();
        of.map(|(_, place)| kept.get(*place as usize).copied().unwrap_or_default())
            .collect()
    }

    /// Whether an answer may be kept at all; time does not run backwards.
    fn holds(&self, asked: &Asked) -> bool {
        self.asked.as_ref().is_some_and(|before| {
            let then = Asked {
                at: asked.at,
                ..before.clone()
            };
            before.at <= asked.at && then == *asked
        })
    }

    fn found(&self) -> Found {
        let of = self.of.iter();
        let of = of.map(|(depends, place)| {
            let [first, second] = depends.number;
            (first, (second, depends.until, *place))
        });
        of.collect()
    }

    /// What came of departures, with the rows of another graph; None of what that does not have.
    fn came_in(&self, graph: &Graph) -> Vec<Option<Came>> {
        let systems = self.systems.iter();
        let systems = systems.filter_map(|(then, name)| {
            let now = graph.system(&name.as_str().into())?;
            Some((*then, now))
        });
        let systems: HashMap<u32, u32> = systems.collect();
        let secrets = self.secrets.iter();
        let secrets = secrets.filter_map(|(then, (system, id))| {
            let now = graph.credential(&system.as_str().into(), id)?;
            Some((*then, now))
        });
        let secrets: HashMap<u32, u32> = secrets.collect();
        let now = |late: &Late| {
            let system = |(row, count): &(u32, u64)| Some((*systems.get(row)?, *count));
            let start =
                |((does, row), count): &(_, u64)| Some(((*does, *systems.get(row)?), *count));
            let secret = |row: &u32| secrets.get(row).copied();
            Some(Late {
                systems: late.systems.iter().map(system).collect::<Option<_>>()?,
                secrets: late.secrets.iter().map(secret).collect::<Option<_>>()?,
                starts: late.starts.iter().map(start).collect::<Option<_>>()?,
            })
        };
        let came = self.came.iter().map(|came| {
            Some(Came {
                departed: came.departed,
                late: now(&came.late)?,
            })
        });
        came.collect()
    }

    /// The same without what nobody's answer is any more, with the names of what it tells of.
    fn put_together(
        asked: Asked,
        key: [u8; 16],
        mut of: Vec<(Depends, u32)>,
        came: Vec<Option<Came>>,
        graph: &Graph,
    ) -> (Kept, Ranks) {
        let mut leavers = vec![0u64; came.len()];
        for (_, place) in &of {
            if let Some(leavers) = leavers.get_mut(*place as usize) {
                *leavers += 1;
            }
        }
        let mut place_now = vec![0u32; came.len()];
        let mut kept = Kept::nothing(key);
        let mut ranks = Ranks::new(graph);
        for ((came, leavers), place) in came.into_iter().zip(leavers).zip(&mut place_now) {
            let (Some(came), 1..) = (came, leavers) else {
                continue;
            };
            ranks.keep_of(&came.late, leavers);
            kept.name(&came.late, graph);
            *place = u32::try_from(kept.came.len()).unwrap_or(u32::MAX);
            kept.came.push(came);
        }
        for (_, place) in &mut of {
            *place = place_now.get(*place as usize).copied().unwrap_or(u32::MAX);
        }
        kept.of = of;
        kept.asked = Some(asked);
        (kept, ranks)
    }

    fn name(&mut self, late: &Late, graph: &Graph) {
        let systems = late.systems.iter().map(|(row, _)| *row);
        for row in systems.chain(late.starts.iter().map(|((_, row), _)| *row)) {
            let name = || graph.systems.at(row).to_owned();
            self.systems.entry(row).or_insert_with(name);
        }
        for &row in &late.secrets {
            let system = graph.credentials.at(row).system;
            let name = || {
                let system = graph.systems.at(system).to_owned();
                (system, graph.credential_ids.at(row).to_owned())
            };
            self.secrets.entry(row).or_insert_with(name);
        }
    }
}

/// What each identity would leave behind. Whose answer depends on nothing that has changed since it was
/// kept is not rehearsed again. None where `goes_on`, which is asked now and then, said no.
pub fn everyone_again(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
    threads: NonZero<usize>,
    goes_on: &(dyn Fn() -> bool + Sync),
    before: &Kept,
) -> Option<Again> {
    let mut stage = Stage::new(graph, plan, at, settings);
    let ground = Ground::new(&mut stage);
    let dependence = Dependence::new(&ground, plan, &stage.declared, before.key, threads);
    drop(stage);
    let asked = Asked {
        at,
        plan: plan.clone(),
        settings: *settings,
        estate_lacks: ground.estate_lacks,
    };
    let holds = before.holds(&asked);
    let known = Before {
        kept: before,
        holds,
        came: match holds {
            true => before.came_in(graph),
            false => Vec::new(),
        },
        found: OnceLock::new(),
    };
    let still = |depends: &Depends, near: &mut usize| {
        let (until, place) = known.of(depends, near)?;
        let holds = before.at() == Some(at) || at.timestamp() < until;
        let there = known.came.get(place as usize)?.is_some();
        (holds && there).then_some(Place { by: 0, at: place })
    };
    let worker = AtomicU32::new(1);
    let begin = || {
        let leavers = Leavers::new(Stage::new(graph, plan, at, settings), &ground);
        let number = worker.fetch_add(1, Ordering::Relaxed);
        (leavers, number, More::default())
    };
    let turn = |worker: &mut (Leavers<'_, '_>, u32, More), identities: Range<u32>| {
        let (leavers, number, more) = worker;
        let mut near = identities.start as usize;
        let one = |identity| {
            let departure = leavers.departure(identity);
            let depends = dependence.of(&departure, ground.is_unsettled(&departure));
            let place = still(&depends, &mut near).unwrap_or_else(|| {
                let (departed, late) = leavers.play(identity, &departure);
                let at = more.place(Came { departed, late });
                Place { by: *number, at }
            });
            near = near.saturating_add(1);
            (depends, place)
        };
        identities.map(one).collect::<Vec<_>>()
    };
    let end = |(_, number, more): (Leavers<'_, '_>, u32, More)| (number, more.came);
    let identities = graph.identities.len();
    let (turns, mut more) = in_turns(identities, threads, goes_on, begin, turn, end)?;
    more.sort_unstable_by_key(|(number, _)| *number);
    let mut came = known.came;
    let mut from = vec![0u32; more.len() + 1];
    for (number, more) in more {
        if let Some(from) = from.get_mut(number as usize) {
            *from = u32::try_from(came.len()).unwrap_or(u32::MAX);
        }
        came.extend(more.into_iter().map(Some));
    }
    let mut rehearsed = 0;
    let mut of = Vec::with_capacity(identities as usize);
    of.extend(turns.into_iter().flatten().map(|(depends, place)| {
        rehearsed += u64::from(place.by > 0);
        let from = from.get(place.by as usize).copied().unwrap_or(u32::MAX);
        (depends, from.saturating_add(place.at))
    }));
    let (kept, ranks) = Kept::put_together(asked, before.key, of, came, graph);
    (kept.departed().count() == identities as usize).then_some(Again {
        ranks,
        rehearsed,
        kept,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_by_another_plan_is_nothing() {
        let (graph, settings) = (Graph::default(), RehearsalSettings::default());
        let plan = Plan::default();
        let at = DateTime::UNIX_EPOCH;
        let nothing = Kept::nothing([7; 16]);
        let one = NonZero::<usize>::MIN;
        let again = everyone_again(&graph, &plan, at, &settings, one, &|| true, &nothing);
        let bytes = again.unwrap().kept.to_bytes().unwrap();
        let text = "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_account\"\nwithin = \"1h\"\n";
        let other = Plan::parse(text).unwrap();
        assert!(Kept::from_bytes(&bytes, other).is_none());
        assert!(Kept::from_bytes(&bytes, plan).is_some());
        assert!(Kept::from_bytes(&bytes[1..], Plan::default()).is_none());
        assert!(nothing.to_bytes().is_none());
    }
}
