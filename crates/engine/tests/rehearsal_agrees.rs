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

use lastkey_engine::access::Graph;
use lastkey_engine::lifecycle::{Closing, Leaver, RehearsalSettings, rehearse_leaver};
use leaver_reference::{Reading, World, rehearse};
use std::collections::BTreeMap;

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

/// What both say of one item: what, until when, by which path.
type Said = (String, String, Vec<String>);

fn words(item: &leaver_reference::Item) -> String {
    use leaver_reference::Item;
    match item {
        Item::Account((system, id)) => format!("account {system}:{id}"),
        Item::Credential((system, id)) => format!("credential {system}:{id}"),
        Item::Entitlement((system, id), (on_system, on)) => {
            format!("entitlement {system}:{id} on {on_system}:{on}")
        }
        Item::Location((system, id)) => format!("location {system}:{id}"),
    }
}

fn of_reference(world: &World) -> Vec<Said> {
    let answer = rehearse(world, Reading::ToTheLetter);
    let items = answer.residual.iter().map(|left| {
        let closes = left.closes_at.map_or(Closing::Never, Closing::At);
        let path = left.path.iter().map(words).collect();
        (words(&left.item), closes.to_text(), path)
    });
    items.collect()
}

fn of_engine(world: &World) -> Vec<Said> {
    let graph = Graph::build(&world.snapshot);
    let leaver = Leaver::Identity(world.leaver.clone());
    let settings = RehearsalSettings::default();
    let answer = rehearse_leaver(&graph, &world.plan, &leaver, world.at, &settings);
    let items = answer.residual.into_iter().map(|item| {
        let what = item.path.last().cloned().unwrap_or_default();
        (what, item.closes_at.to_text(), item.path)
    });
    items.collect()
}

/// Items, their order, closing times and explaining paths are the same in every world.
#[test]
fn the_engine_agrees_with_the_reference() {
    for number in 0..worlds() {
        let world = random_worlds::world(seed(), number);
        if of_reference(&world) == of_engine(&world) {
            continue;
        }
        let small = random_worlds::shrink(&world, |w| of_reference(w) != of_engine(w));
        panic!(
            "world {number} of series {}\n{}\nreference {:#?}\nengine {:#?}",
            seed(),
            random_worlds::print(&small),
            of_reference(&small),
            of_engine(&small)
        );
    }
}
