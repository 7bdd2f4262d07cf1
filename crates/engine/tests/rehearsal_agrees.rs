//! The engine's rehearsal of a leaver agrees with a slow, obvious reading of docs/semantics.md
//! on thousands of random small worlds.
//!
//! `LASTKEY_WORLDS` says how many (1,500 unless set), `LASTKEY_SEED` which series. A
//! disagreement is shrunk and printed as flat files and plan. The worlds are counted by
//! what they contain, and deliberate mistakes must be noticed: the test can fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod leaver_reference;
mod random_worlds;

use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_contract::{IdentityId, SystemName};
use lastkey_engine::access::{Graph, ReachFrom, reach};
use lastkey_engine::lifecycle::simulated::{SimulatedWorld, rehearse_events};
use lastkey_engine::lifecycle::{
    Departed, Everyone, ItemKind, Keeping, Kept, Leaver, Left, Rehearsal, RehearsalSettings,
    Verdict, WorstSecret, WorstSystem, everyone, everyone_again, rehearse_all, rehearse_leaver,
    rehearse_lost,
};
use leaver_reference::{
    Begun, From, Item, Reading, Story, World, begun, blast_radius, difference, radius_difference,
    rehearse,
};
use random_worlds::stories;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

fn number_from(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}=`{text}` is not a number")),
        Err(_) => otherwise,
    }
}
fn worlds() -> u64 {
    number_from("LASTKEY_WORLDS", 1_500)
}
fn seed() -> u64 {
    number_from("LASTKEY_SEED", 20_260_601)
}

/// The engine's answer.
fn by_engine(world: &World) -> Rehearsal {
    rehearse_leaver(
        &Graph::build(&world.snapshot),
        &world.plan,
        &Leaver::Identity(world.leaver.clone()),
        world.at,
        &RehearsalSettings::default(),
    )
}

/// The engine's answer, of who leaves or of who moves.
fn by_engine_too(world: &World) -> Rehearsal {
    let Some(lost) = &world.lost else {
        return by_engine(world);
    };
    let graph = Graph::build(&world.snapshot);
    let settings = RehearsalSettings::default();
    rehearse_lost(
        &graph,
        &world.plan,
        &world.leaver,
        lost,
        world.at,
        &settings,
    )
}

fn disagreement(world: &World) -> Option<String> {
    let found = by_engine_too(world);
    if found.verdict == Verdict::Indeterminate && found.missing_facts.is_empty() {
        return Some("indeterminate, and no sentence says why".to_owned());
    }
    difference(&found, &rehearse(world, Reading::ToTheLetter))
}

/// The number of the first world in which the two disagree, on all cores.
fn first_disagreement(
    seed: u64,
    count: u64,
    made: impl Fn(u64, u64) -> World + Sync,
) -> Option<u64> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let first = AtomicU64::new(u64::MAX);
    std::thread::scope(|scope| {
        for core in 0..cores {
            let (first, made) = (&first, &made);
            scope.spawn(move || {
                for number in (core..count).step_by(cores as usize) {
                    if number >= first.load(Ordering::Relaxed) {
                        break;
                    }
                    if disagreement(&made(seed, number)).is_some() {
                        first.fetch_min(number, Ordering::Relaxed);
                        break;
                    }
                }
            });
        }
    });
    Some(first.into_inner()).filter(|number| *number != u64::MAX)
}

#[test]
fn engine_and_reference_agree() {
    agree(worlds(), random_worlds::world);
}

#[test]
fn engine_and_reference_agree_on_movers() {
    agree(worlds(), random_worlds::moving);
}

/// What the engine and the reference say of a leaver with a story, where they differ; None also
/// where the story begins after the person has left.
fn story_disagreement(world: &World, story: &Story) -> Option<String> {
    let identity = world.identity(world.leaver.as_str())?;
    let begun = begun(story)?.into_iter();
    let begun = begun.map(|(what, day)| (what, world.at + TimeDelta::days(day)));
    let told = World {
        begun: Some(begun.collect()),
        ..world.clone()
    };
    let registers = stories::registers(world, identity, story);
    let graph = Graph::build(&world.snapshot);
    let found = rehearse_events(
        SimulatedWorld::new(&graph, &registers),
        &world.plan,
        &stories::events(world, story),
        &RehearsalSettings::default(),
    );
    let leaving = found
        .events
        .into_iter()
        .find(|event| event.at == world.at)?;
    let reference = rehearse(&told, Reading::ToTheLetter);
    let differs = difference(&leaving.rehearsal?, &reference)?;
    Some(format!(
        "{story:#?}\n{:?}\n{:?}\n{differs}",
        told.begun, leaving.told
    ))
}

/// Events of one person one after the other: what begins the plan, when, and what is left by it.
#[test]
fn engine_and_reference_agree_on_stories() {
    let count = worlds();
    let (mut told, mut late, mut never) = (0, 0, 0);
    for number in 0..count {
        let world = random_worlds::world(seed(), number);
        let story = stories::story(seed(), number);
        if let Some(begun) = begun(&story) {
            match begun.iter().find(|(what, _)| *what == Begun::Leaving) {
                Some((_, 0)) => told += 1,
                Some(_) => late += 1,
                None => never += 1,
            }
        }
        if story_disagreement(&world, &story).is_some() {
            let small = random_worlds::shrink(&world, |w| story_disagreement(w, &story).is_some());
            let text = random_worlds::print(&small);
            panic!(
                "world {number}:\n{text}\n{}",
                story_disagreement(&small, &story).unwrap()
            );
        }
    }
    let all = [told, late, never];
    assert!(
        all.iter().all(|some| some * 20 > count),
        "{all:?} of {count}"
    );
}

/// The stories change answers often enough to prove anything: whoever took every leaving to be noticed
/// at once, or overlooked moves on the way, would be found out.
#[test]
fn stories_change_what_is_left() {
    let (mut at_once, mut without_moves) = (0, 0);
    for number in 0..500 {
        let world = random_worlds::world(20_260_601, number);
        let Some(begun) = begun(&stories::story(20_260_601, number)) else {
            continue;
        };
        let told = |begun: Vec<(Begun, i64)>| {
            let begun = begun.into_iter();
            let begun = begun.map(|(what, day)| (what, world.at + TimeDelta::days(day)));
            let world = World {
                begun: Some(begun.collect()),
                ..world.clone()
            };
            rehearse(&world, Reading::ToTheLetter).residual
        };
        let right = told(begun.clone());
        at_once += usize::from(right != told(vec![(Begun::Leaving, 0)]));
        let leaving = begun
            .into_iter()
            .filter(|(what, _)| *what == Begun::Leaving);
        without_moves += usize::from(right != told(leaving.collect()));
    }
    assert!(
        at_once >= 50 && without_moves >= 3,
        "{at_once}, {without_moves} of 500"
    );
}

/// Whoever moves and loses what matters leaves something behind often enough to prove anything.
#[test]
fn movers_leave_things_behind() {
    let mut left: [usize; 4] = [0; 4];
    for number in 0..500 {
        let world = random_worlds::moving(20_260_601, number);
        let answer = rehearse(&world, Reading::ToTheLetter);
        let leaver = World {
            lost: None,
            ..world.clone()
        };
        let all = rehearse(&leaver, Reading::ToTheLetter);
        let secrets = answer.residual.iter();
        let secrets = secrets.filter(|left| matches!(left.item, Item::Credential(_)));
        left[0] += usize::from(!answer.residual.is_empty());
        left[1] += usize::from(secrets.count() > 0);
        left[2] += usize::from(answer.residual.len() < all.residual.len());
        left[3] += usize::from(answer.ineffective > 0);
    }
    // anything; known secrets; less than a leaver would; rotations that come too early
    let least = [100, 5, 100, 20];
    let enough = left.iter().zip(least).all(|(found, least)| *found >= least);
    assert!(enough, "{left:?} of 500, least {least:?}");
}

#[track_caller]
fn agree(count: u64, made: impl Fn(u64, u64) -> World + Sync) {
    let Some(number) = first_disagreement(seed(), count, &made) else {
        return;
    };
    let world = made(seed(), number);
    let small = random_worlds::shrink(&world, |w| disagreement(w).is_some());
    panic!(
        "world {number} of LASTKEY_SEED={} disagrees; made small:\n{}\n{}",
        seed(),
        random_worlds::print(&small),
        disagreement(&small).unwrap_or_default()
    );
}

/// The reach of an identity and of each credential, before any event.
fn radius_disagreement(world: &World) -> Option<String> {
    let graph = Graph::build(&world.snapshot);
    let dies = |system: &SystemName| world.plan.dies_with_account(system);
    let mut starts = vec![(ReachFrom::Identity(world.leaver.clone()), From::Leaver)];
    for credential in &world.snapshot.credentials {
        let name = (credential.system.to_string(), credential.id.to_string());
        starts.push((
            ReachFrom::Credential(credential.system.clone(), credential.id.clone()),
            From::Credential(name),
        ));
    }
    starts.into_iter().find_map(|(engine, reference)| {
        let Some(found) = reach(&graph, &engine, world.at, dies) else {
            return Some(format!("the engine does not know {engine:?}"));
        };
        radius_difference(&found, &blast_radius(world, &reference))
    })
}

#[test]
fn engine_and_reference_agree_on_blast_radius() {
    for number in 0..worlds().div_ceil(4) {
        let world = random_worlds::world(seed(), number);
        if radius_disagreement(&world).is_some() {
            let small = random_worlds::shrink(&world, |w| radius_disagreement(w).is_some());
            let text = random_worlds::print(&small);
            panic!("world {number}:\n{text}\n{:?}", radius_disagreement(&small));
        }
    }
}

/// A world in which less is left open: what is not known of accounts and credentials is known, and
/// no two credentials are one secret.
fn plainer(world: &World) -> World {
    let mut plain = world.clone();
    for account in &mut plain.snapshot.accounts {
        account.enabled = account.enabled.or(Some(true));
        account.local_sign_in = account.local_sign_in.or(Some(true));
    }
    for credential in &mut plain.snapshot.credentials {
        credential.enabled = credential.enabled.or(Some(true));
        credential.fingerprint = None;
    }
    plain.snapshot.inferred.clear();
    plain
}

/// A world in which everything was read, but for two systems that no source tells of.
fn two_unread(world: &World) -> World {
    let mut unread = plainer(world);
    unread
        .snapshot
        .reads
        .retain(|read| read.complete_at.is_some());
    for read in &mut unread.snapshot.reads {
        read.complete_at = Some(world.at);
        read.gaps.clear();
        let told = |system: &SystemName| !["aws", "pg"].contains(&system.as_str());
        read.systems.retain(told);
    }
    unread
}

/// The first of whom everyone's rehearsal says something else than their own.
fn not_alike(world: &World) -> Option<String> {
    let graph = Graph::build(&world.snapshot);
    let settings = RehearsalSettings::default();
    let all = |threads| {
        let threads = NonZero::new(threads).unwrap();
        everyone(&graph, &world.plan, world.at, &settings, threads, &|| true).unwrap()
    };
    let (found, twofold) = (all(1), all(2));
    let worst = |all: &Everyone| {
        let systems = all.ranks.worst_systems(&graph, usize::MAX);
        (systems, all.ranks.worst_secrets(&graph, usize::MAX))
    };
    assert_eq!(found.departed, twofold.departed, "on two threads");
    assert_eq!(worst(&found), worst(&twofold), "on two threads");
    let (mut systems, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    let ranks = worst(&found);
    let mut found = found.departed.into_iter();
    let mut differs = None;
    rehearse_all(&graph, &world.plan, world.at, &settings, |one| {
        let wanted = Departed {
            event: one.event,
            verdict: one.verdict,
            left: Left::of(&one),
        };
        let mut met = BTreeSet::new();
        for item in one
            .residual
            .iter()
            .filter(|item| item.closes_at > item.limit_at)
        {
            let (leavers, late) = systems.entry(item.system.clone()).or_insert((0, 0));
            *leavers += u64::from(met.insert(&item.system));
            *late += 1;
            if item.kind == ItemKind::Credential && item.links[0].by != "own credential" {
                let name = (item.system.clone(), item.id.clone());
                *secrets.entry(name).or_insert(0u64) += 1;
            }
        }
        match found.next() {
            Some(same) if same == wanted => return ControlFlow::Continue(()),
            other => {
                differs = Some(format!("{}: {other:?}, alone {wanted:?}", one.identity));
            }
        }
        ControlFlow::Break(())
    });
    let in_order = |(wanted_systems, wanted_secrets): (Vec<WorstSystem>, Vec<WorstSecret>)| {
        let of = wanted_systems.iter();
        let of = of.map(|one| (one.system.clone(), (one.leavers, one.late)));
        let known = wanted_secrets.iter();
        let known = known.map(|one| ((one.system.clone(), one.id.clone()), one.leavers));
        (of.collect(), known.collect())
    };
    let ranked = in_order(ranks);
    let ranks_differ = (ranked != (systems, secrets)).then(|| format!("ranked {ranked:?}"));
    differs.or(ranks_differ)
}

#[test]
fn everyone_at_once_is_everyone_one_by_one() {
    for number in 0..worlds() {
        let world = random_worlds::world(seed(), number);
        for world in [plainer(&world), two_unread(&world), world] {
            if not_alike(&world).is_some() {
                let small = random_worlds::shrink(&world, |w| not_alike(w).is_some());
                let text = random_worlds::print(&small);
                panic!("world {number}:\n{text}\n{}", not_alike(&small).unwrap());
            }
        }
    }
}

/// Everyone once more with what was kept of another world: the first answer that differs from that
/// without it, or how many were rehearsed.
fn again(before: &World, now: &World, at: DateTime<Utc>) -> Result<u64, String> {
    let settings = RehearsalSettings::default();
    let two = NonZero::new(2).unwrap();
    let play = |world: &World, at, kept: &Kept| {
        let graph = Graph::build(&world.snapshot);
        everyone_again(&graph, &world.plan, at, &settings, two, &|| true, kept).unwrap()
    };
    let kept = play(before, before.at, &Kept::nothing([7; 16])).kept;
    let written = kept.to_bytes().unwrap();
    let kept = Kept::from_bytes(&written, before.plan.clone()).unwrap();
    let found = play(now, at, &kept);
    let graph = Graph::build(&now.snapshot);
    let wanted = everyone(&graph, &now.plan, at, &settings, two, &|| true).unwrap();
    let ranks = |all: &Everyone| {
        let systems = all.ranks.worst_systems(&graph, usize::MAX);
        let steps = all.ranks.candidates(&graph, usize::MAX);
        let secrets = all.ranks.worst_secrets(&graph, usize::MAX);
        (systems, secrets, steps)
    };
    let kept: Vec<_> = found.kept.departed().copied().collect();
    if found.everyone().departed != wanted.departed || kept != wanted.departed {
        return Err(format!("{kept:?}\nwithout {:?}", wanted.departed));
    }
    let (found_ranks, wanted_ranks) = (ranks(&found.everyone()), ranks(&wanted));
    let who = |keeping: Keeping| {
        let who = found.kept.who_keeps(&keeping);
        who.iter().filter(|keeps| **keeps).count() as u64
    };
    for one in &wanted_ranks.0 {
        assert_eq!(who(Keeping::In(one.system.clone())), one.leavers);
    }
    for one in &wanted_ranks.1 {
        let secret = format!("{}:{}", one.system, one.id);
        assert_eq!(who(Keeping::Secret(secret)), one.leavers);
    }
    match found_ranks == wanted_ranks {
        true => Ok(found.rehearsed),
        false => Err(format!("{found_ranks:?}\nwithout {wanted_ranks:?}")),
    }
}

/// Whatever single thing changes, and however much later: what is kept is what would be found.
#[test]
fn what_is_kept_is_what_would_be_found() {
    let (mut asked, mut rehearsed) = (0, 0);
    for number in 0..worlds().div_ceil(100) {
        let world = random_worlds::world(seed(), number);
        for world in [two_unread(&world), world] {
            assert_eq!(again(&world, &world, world.at), Ok(0), "world {number}");
            let others = random_worlds::candidates(&world);
            let others = others.iter().filter(|other| other.plan == world.plan);
            for (other, turn) in others.zip(0..) {
                let later = [0, 1, 90, 60 * 24, 60 * 24 * 40][turn % 5];
                let at = world.at + TimeDelta::minutes(later);
                for (before, now) in [(&world, other), (other, &world)] {
                    let found = again(before, now, at).unwrap_or_else(|differs| {
                        let (before, now) =
                            (random_worlds::print(before), random_worlds::print(now));
                        panic!("world {number}, {later} minutes later\n{before}\n{now}\n{differs}")
                    });
                    if later == 0 {
                        asked += now.snapshot.identities.len() as u64;
                        rehearsed += found;
                    }
                }
            }
        }
    }
    assert!(rehearsed > 0, "nothing ever changed");
    assert!(
        rehearsed * 2 < asked,
        "{rehearsed} of {asked} were rehearsed"
    );
}

/// One identity after the other with shared buffers, a vendor named as a vendor, and rows in
/// another order: the same answers.
#[test]
fn the_answer_depends_on_nothing_else() {
    for number in 0..worlds().div_ceil(4) {
        let world = random_worlds::world(seed(), number);
        let graph = Graph::build(&world.snapshot);
        let settings = RehearsalSettings::default();
        rehearse_all(&graph, &world.plan, world.at, &settings, |one| {
            let id = IdentityId::new(one.identity.clone());
            let alone = Leaver::Identity(id.clone());
            let alone = rehearse_leaver(&graph, &world.plan, &alone, world.at, &settings);
            assert_eq!(one, alone, "{id} in world {number}");
            if one.event == LifecycleEvent::VendorExit {
                let vendor = Leaver::Vendor(id.clone());
                let vendor = rehearse_leaver(&graph, &world.plan, &vendor, world.at, &settings);
                assert_eq!(one, vendor, "vendor {id} in world {number}");
            }
            ControlFlow::Continue(())
        });
        let mut turned = world.clone();
        turned.snapshot.identities.reverse();
        turned.snapshot.accounts.reverse();
        turned.snapshot.entitlements.reverse();
        turned.snapshot.grants.reverse();
        turned.snapshot.credentials.reverse();
        turned.snapshot.locations.reverse();
        turned.snapshot.readers.reverse();
        turned.snapshot.controls.reverse();
        turned.snapshot.owners.reverse();
        turned.snapshot.attested_owners.reverse();
        turned.snapshot.reads.reverse();
        let seen = |world: &World| {
            let answer = by_engine(world);
            let residual: Vec<_> = answer
                .residual
                .into_iter()
                .map(|i| {
                    (
                        i.path,
                        i.closes_at,
                        i.basis,
                        i.closing_basis,
                        i.severity,
                        i.limit_at,
                    )
                })
                .collect();
            (residual, answer.verdict, answer.missing_facts)
        };
        assert_eq!(
            seen(&world),
            seen(&turned),
            "world {number} with its rows turned round"
        );
    }
}

#[test]
fn the_worlds_contain_what_they_should() {
    let count = worlds().clamp(500, 2_000);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..count {
        let world = random_worlds::world(seed(), number);
        let answer = rehearse(&world, Reading::ToTheLetter);
        for feature in random_worlds::features(&world, &answer) {
            *seen.entry(feature).or_default() += 1;
        }
    }
    let rare: Vec<String> = random_worlds::FEATURES
        .iter()
        .map(|(feature, least)| (feature, least, seen.get(feature).copied().unwrap_or(0)))
        .filter(|(_, least, found)| found * 1_000 < **least * count as usize)
        .map(|(feature, least, found)| {
            format!("{feature}: {found} of {count}, least {least} in 1000")
        })
        .collect();
    assert!(
        rare.is_empty(),
        "too rare to prove anything:\n{}",
        rare.join("\n")
    );
}

/// Every deliberate mistake changes an answer within a few hundred worlds.
#[test]
fn every_mistake_is_noticed() {
    for mistake in Reading::MISTAKES {
        let noticed = (0..600).find(|number| {
            let world = random_worlds::world(seed(), *number);
            let right = rehearse(&world, Reading::ToTheLetter);
            let wrong = rehearse(&world, mistake);
            (right.residual, right.verdict) != (wrong.residual, wrong.verdict)
        });
        assert!(
            noticed.is_some(),
            "{mistake:?} went unnoticed in 600 worlds"
        );
    }
}

/// A world that shows a mistake shrinks to a few rows that still show it, and can be read.
#[test]
fn a_disagreement_is_shown_small() {
    let shows = |world: &World| {
        rehearse(world, Reading::ToTheLetter).residual
            != rehearse(world, Reading::WithoutRotationRule).residual
    };
    let number = (0..600)
        .find(|n| shows(&random_worlds::world(seed(), *n)))
        .unwrap();
    let world = random_worlds::world(seed(), number);
    let small = random_worlds::shrink(&world, shows);
    let text = random_worlds::print(&small);
    assert!(shows(&small), "the small world no longer shows it:\n{text}");
    assert!(
        text.contains("rotate_known_secrets"),
        "no rotation in:\n{text}"
    );
    let rows = small.snapshot.accounts.len()
        + small.snapshot.credentials.len()
        + small.snapshot.grants.len()
        + small.snapshot.locations.len()
        + small.snapshot.readers.len()
        + small.plan.steps.len();
    assert!(rows <= 8, "{rows} rows are not small:\n{text}");
}
