//! Measured revocation against a slow and obvious reading of docs/semantics.md, on random reads of one
//! account: each read is asked by itself what it shows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::LifecycleEvent;
use lastkey_engine::lifecycle::Plan;
use lastkey_engine::measured::{
    Held, HeldKind, Left, Names, Read, Says, State, Told, Version, Whose, measure,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What a read shows of the account.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shown {
    /// It is not in the read.
    Nothing,
    Account(Says),
}

/// One read, so many hours long.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: i64,
    until: i64,
    complete: bool,
    shown: Shown,
}

fn hour(n: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap() + TimeDelta::hours(n)
}

fn when() -> impl Strategy<Value = Option<When>> {
    let day = |n: i64| When::Day {
        from: hour(n * 24),
        until: hour(n * 24 + 24),
    };
    prop_oneof![
        4 => Just(None),
        2 => (-60i64..200).prop_map(|n| Some(When::At(hour(n)))),
        1 => (-2i64..8).prop_map(move |n| Some(day(n))),
    ]
}

fn shown() -> impl Strategy<Value = Shown> {
    let enabled = prop_oneof![Just(None), Just(Some(true)), Just(Some(false))];
    let whose = prop_oneof![9 => Just(Whose::Theirs), 1 => Just(Whose::NotTheirs)];
    let says = (whose, enabled, when(), when(), when()).prop_map(
        |(whose, enabled, disabled_at, revoked_at, expires_at)| {
            Shown::Account(Says {
                whose,
                enabled,
                disabled_at,
                revoked_at,
                expires_at,
            })
        },
    );
    let plain = Shown::Account(Says::LISTED);
    prop_oneof![2 => Just(Shown::Nothing), 3 => Just(plain), 3 => says]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (1i64..40, 0i64..3, proptest::bool::weighted(0.75), shown());
    proptest::collection::vec(step, 1..9).prop_map(|all| {
        let mut now = -50;
        let step = |(gap, length, complete, shown)| {
            let from = now + gap;
            now = from + length;
            Step {
                from,
                until: now,
                complete,
                shown,
            }
        };
        all.into_iter().map(step).collect()
    })
}

/// As the store keeps it: a version stands until a read shows another, or a complete one shows none.
fn kept(steps: &[Step]) -> Told {
    let mut versions: Vec<Version> = Vec::new();
    for (sync, step) in (1..).zip(steps) {
        let stands = versions
            .last_mut()
            .filter(|version| version.ended.is_none());
        match (step.shown, stands) {
            (Shown::Nothing, Some(version)) if step.complete => version.ended = Some(sync),
            (Shown::Nothing, _) => {}
            (Shown::Account(says), Some(version)) if version.says == says => {
                version.shown_in.extend((!step.complete).then_some(sync));
            }
            (Shown::Account(says), stands) => {
                let born = stands.map_or(sync, |version| {
                    version.ended = Some(sync);
                    version.born
                });
                versions.push(Version {
                    born,
                    first: sync,
                    ended: None,
                    shown_in: BTreeSet::new(),
                    says,
                });
            }
        }
    }
    let reads = (1..).zip(steps).map(|(sync, step)| Read {
        sync,
        from: hour(step.from),
        until: hour(step.until),
        complete: step.complete,
    });
    Told {
        reads: reads.collect(),
        versions,
        deleted_until: None,
    }
}

/// When the account was closed by what a read shows of it, and whether by its expiry; an open one never.
fn closed_since(says: &Says, at: DateTime<Utc>) -> Option<Option<(DateTime<Utc>, bool)>> {
    let mut own = Vec::new();
    own.extend(
        says.revoked_at
            .filter(|t| t.earliest() <= at)
            .map(|t| (t.latest(), false)),
    );
    own.extend(
        says.expires_at
            .filter(|t| t.latest() <= at)
            .map(|t| (t.latest(), true)),
    );
    if says.enabled != Some(true) {
        own.extend(
            says.disabled_at
                .filter(|t| t.earliest() <= at)
                .map(|t| (t.latest(), false)),
        );
    }
    match own.into_iter().min() {
        Some(own) => Some(Some(own)),
        None if says.enabled == Some(false) => Some(None),
        None => None,
    }
}

/// State and both bounds, in hours; none where it was closed before, or is of a later time.
fn slowly(
    steps: &[Step],
    (earliest, latest, back): (i64, i64, Option<i64>),
) -> Option<(State, i64, Option<i64>)> {
    let theirs = |step: &Step| match step.shown {
        Shown::Account(says) if says.whose == Whose::Theirs => Some(says),
        _ => None,
    };
    let open =
        |step: &&Step| theirs(step).is_some_and(|s| closed_since(&s, hour(step.from)).is_none());
    let is_back = |step: &&Step| back.is_some_and(|back| step.until >= back);
    let end = steps.iter().position(|step| open(&step) && is_back(&step));
    // An expiry that the last read before its moment did not show was perhaps set after it.
    let known = |end: DateTime<Utc>| {
        let by_then = steps.iter().filter(|step| hour(step.until) <= end);
        let mut said = by_then.filter_map(|step| match step.shown {
            Shown::Account(says) => Some(says.expires_at.map(When::latest)),
            Shown::Nothing => None,
        });
        said.next_back().flatten() == Some(end)
    };
    let steps = &steps[..end.unwrap_or(steps.len())];
    let first = |step: &Step| matches!(step.shown, Shown::Account(_));
    let Some(begins) = steps.iter().position(first) else {
        // Only seen once they were back, or never.
        return None;
    };
    if is_back(&&steps[begins]) {
        return None;
    }
    // What it says of a time when a whole read did not have it yet is no closing of it.
    let not_yet = steps[..begins].iter().filter(|step| step.complete);
    let not_yet = not_yet.map(|step| hour(step.from)).max();
    let last_open = steps.iter().rposition(|step| open(&step));
    let after = last_open.map_or(begins, |place| place + 1).max(begins);
    let seen = last_open.map(|place| steps[place].from);
    let closed = steps[after..]
        .iter()
        .filter(|step| step.complete)
        .find_map(|step| {
            let read = hour(step.until);
            match step.shown {
                Shown::Nothing => Some(read),
                Shown::Account(says) if says.whose == Whose::NotTheirs => None,
                Shown::Account(says) => Some(match closed_since(&says, hour(step.from))? {
                    Some((own, expired))
                        if seen.is_none_or(|seen| own >= hour(seen))
                            && not_yet.is_none_or(|at| own >= at)
                            && (!expired || known(own)) =>
                    {
                        own.min(read)
                    }
                    _ => read,
                }),
            }
        });
    // What was closed on the last day, having been open, was closed for the leaving.
    let day_before = hour(earliest - 24);
    let before = |closed| closed <= hour(earliest) && (seen.is_none() || closed <= day_before);
    if closed.is_some_and(before) {
        return None;
    }
    let lower = seen.map_or(0, |seen| (seen - latest).max(0));
    let upper = closed.map(|closed| (closed - hour(earliest)).num_hours().max(0));
    let state = match (lower > 24, upper) {
        (true, Some(_)) => State::Late,
        (true, None) => State::StillOpen,
        (false, Some(upper)) if upper <= 24 => State::InTime,
        (false, _) => State::Indeterminate,
    };
    Some((state, lower, upper))
}

fn check(steps: &[Step], (earliest, latest, back): (i64, i64, Option<i64>)) {
    let held = Held {
        tried: Vec::new(),
        kind: HeldKind::Account,
        names: Names::new("ad", "ann"),
        name: None,
        leads_on: false,
        on_account: None,
        credential: None,
        account: None,
        privileged: None,
        through: None,
        created: None,
        beside: false,
        told: vec![kept(steps)],
    };
    let left = Left {
        identity: "hr:ann".to_owned(),
        name: None,
        event: LifecycleEvent::Leaver,
        kind: None,
        leaver_kind: None,
        earliest: Some(hour(earliest)),
        latest: hour(latest),
        marks: Vec::new(),
        since: None,
        back: back.map(hour),
        back_by: back.map(hour),
        held: vec![held],
        claims: Vec::new(),
        claims_read: None,
        missing: Vec::new(),
    };
    let measured = measure(left, &Plan::default());
    let found = measured.items.first();
    let found = found.map(|item| {
        let upper = item.upper.map(|upper| upper.num_hours());
        (item.state, item.lower.num_hours(), upper)
    });
    let slow = slowly(steps, (earliest, latest, back));
    // Of what never showed theirs nothing is known, and that is said.
    let nothing = Some((State::Indeterminate, 0, None));
    let never = slow.is_none() && !steps.iter().any(|s| s.shown != Shown::Nothing);
    assert!(
        found == slow || (never && found == nothing),
        "{found:?} is not {slow:?}"
    );
}

fn cases() -> u32 {
    match std::env::var_os("LASTKEY_LONG") {
        Some(_) => 200_000,
        None => 5_000,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn both_readings_agree(
        steps in steps(),
        earliest in -30i64..60,
        wide in prop_oneof![2 => Just(0i64), 1 => 0i64..60],
        back in proptest::option::weighted(0.3, 1i64..150),
    ) {
        let latest = earliest + wide;
        check(&steps, (earliest, latest, back.map(|after| latest + after)));
    }
}
