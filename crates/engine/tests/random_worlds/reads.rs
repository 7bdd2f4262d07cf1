//! How completely a random world was read.

use super::dice::Dice;
use super::facts::{SYSTEMS, event_time};
use chrono::TimeDelta;
use lastkey_contract::{Kind, SourceName, SystemName};
use lastkey_engine::access::ReadState;

const KINDS: [Kind; 9] = [
    Kind::Identity,
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Credential,
    Kind::Location,
    Kind::Reader,
    Kind::Control,
    Kind::Owner,
];

/// Mostly one source that carries every system, complete and fresh; sometimes with a gap in one
/// kind, an old read, a read that never ended, a kind or a system that nobody reads, or a second
/// source that covers for the first, or only adds to it.
pub fn reads(dice: &mut Dice) -> Vec<ReadState> {
    let mut reads: Vec<ReadState> = KINDS.into_iter().map(complete).collect();
    if dice.chance(55) {
        return reads;
    }
    let number = dice.between(0, reads.len() - 1);
    let systems: Vec<SystemName> = SYSTEMS.into_iter().take(2).map(SystemName::from).collect();
    let second = ReadState {
        source: SourceName::from("second"),
        supplement: dice.chance(30),
        systems,
        ..reads[number].clone()
    };
    let read = &mut reads[number];
    match dice.between(0, 8) {
        // somebody tells who holds what in a system of which nobody reads anything else
        8 => {
            let kinds = [Kind::Grant, Kind::Reader, Kind::Control];
            let lines = SourceName::from("lines");
            let unread: Vec<SystemName> =
                SYSTEMS.into_iter().skip(2).map(SystemName::from).collect();
            for read in &mut reads {
                read.systems.retain(|one| !unread.contains(one));
            }
            reads.push(ReadState {
                source: lines,
                systems: unread,
                ..complete(kinds[dice.between(0, 2)])
            });
        }
        0 => read.gaps.push("page 3 timed out".to_owned()),
        // a day is fresh enough, a second more is not
        1 => read.complete_at = Some(event_time() - TimeDelta::hours(24)),
        2 => read.complete_at = Some(event_time() - TimeDelta::seconds(86_401)),
        3 => read.complete_at = None,
        // the source's own word counts, in both directions
        5 => read.fresh_for_seconds = Some(599),
        6 => {
            read.fresh_for_seconds = Some(172_800);
            read.complete_at = Some(event_time() - TimeDelta::hours(30));
        }
        4 => {
            read.systems.pop();
        }
        _ => {
            reads.remove(number);
        }
    }
    if dice.chance(30) {
        reads.push(second);
    }
    reads
}

fn complete(kind: Kind) -> ReadState {
    ReadState {
        source: SourceName::from("files"),
        kind,
        systems: match kind {
            Kind::Identity => Vec::new(),
            _ => SYSTEMS.into_iter().map(SystemName::from).collect(),
        },
        complete_at: Some(event_time() - TimeDelta::minutes(10)),
        gaps: Vec::new(),
        fresh_for_seconds: None,
        removed: false,
        supplement: false,
    }
}
