//! The same reads tell the same, in whatever order and parts they come; and of one moment that several
//! sources show, nobody leaves who is there, and nobody comes twice.

use super::super::blocks::Mark;
use super::groups::{Course, events_of};
use super::sources::{Known, Read};
use super::tests::{Ends, Step, decide, form, found, line, take};
use super::*;
use crate::collect::tests::{Bench, bench};
use crate::lifecycle::events::Having;
use crate::store::{Decision, RecordName};
use chrono::TimeZone;
use lastkey_contract::facts::LifecycleEvent;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SOURCES: [&str; 3] = ["hr", "vendors", "agency"];

/// The records of one person by source: some by all sources, some by two, some by one.
const JOINED: [(&str, &str); 3] = [("u0", "vendors"), ("u0", "agency"), ("u1", "agency")];

/// The reads of each source, as days and what they show; the days of different sources meet.
type Reads = Vec<Vec<(u64, Vec<u8>, Ends)>>;

fn reads() -> impl Strategy<Value = Reads> {
    let ends = prop_oneof![5 => Just(Ends::Complete), 1 => Just(Ends::Cut)];
    let read = (
        0u64..4,
        proptest::collection::vec(prop_oneof![Just(0u8), Just(2), 0u8..54], 3),
        ends,
    );
    let source = proptest::collection::vec(read, 2..4).prop_map(|mut reads| {
        reads.sort_by_key(|(day, _, _)| *day);
        reads
    });
    proptest::collection::vec(source, 3)
}

/// One way to read them: which source comes next, after how many reads who is joined is decided,
/// and in which order the sources were added.
#[derive(Clone, Debug)]
struct Way {
    next: Vec<usize>,
    decided: Vec<usize>,
    added: Vec<&'static str>,
}

fn way() -> impl Strategy<Value = Way> {
    (
        proptest::collection::vec(0usize..3, 9),
        proptest::collection::vec(0usize..10, JOINED.len()),
        Just(SOURCES.to_vec()).prop_shuffle(),
    )
        .prop_map(|(next, decided, added)| Way {
            next,
            decided,
            added,
        })
}

async fn join(bench: &Bench, place: usize) {
    let (id, source) = JOINED[place];
    let record = |source: &str| RecordName {
        source: source.to_owned(),
        id: id.to_owned(),
    };
    decide(bench, Decision::Same(record("hr"), record(source))).await;
}

async fn read_in(reads: &Reads, way: &Way) -> Vec<String> {
    let bench = bench(&way.added).await;
    let mut left: Vec<_> = reads.iter().map(|reads| reads.iter()).collect();
    // Whatever the way leaves out comes last.
    let rest = (0..SOURCES.len()).flat_map(|source| std::iter::repeat_n(source, 9));
    let mut read = 0;
    for source in way.next.iter().copied().chain(rest) {
        let Some((day, forms, ends)) = left[source].next() else {
            continue;
        };
        for (place, after) in way.decided.iter().enumerate() {
            if *after == read {
                join(&bench, place).await;
            }
        }
        let step = Step {
            source: SOURCES[source],
            forms: forms.clone(),
            ends: *ends,
            decide: false,
        };
        take(&bench, *day, &step).await;
        read += 1;
    }
    for (place, after) in way.decided.iter().enumerate() {
        if *after >= read {
            join(&bench, place).await;
        }
    }
    let lines = found(&bench).await;
    bench.store.close().await;
    lines
}

fn cases(long: u32, short: u32) -> u32 {
    match std::env::var_os("LASTKEY_LONG") {
        Some(_) => long,
        None => short,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(100, 10), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn in_whatever_order_the_reads_come_they_tell_the_same(reads in reads(), one in way(), other in way()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (one, other) = runtime.block_on(async { (read_in(&reads, &one).await, read_in(&reads, &other).await) });
        prop_assert_eq!(one, other);
    }
}

fn at(moment: usize) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap() + chrono::Days::new(moment as u64)
}

/// What is told of a person's records through moments that all sources show, by the moment. The
/// sources are read one after the other in an order: the first of it has the lowest numbers.
fn told(shown: &[Vec<u8>], order: &[usize]) -> BTreeMap<usize, Vec<(String, FoundEvent)>> {
    let moments = shown.first().map_or(0, Vec::len);
    let rank = |source: usize| order.iter().position(|o| *o == source).unwrap();
    let sync = |source: usize, moment: usize| (rank(source) * moments + moment + 1) as i64;
    let reads = (0..shown.len()).map(|source| {
        let known = (0..moments).map(|moment| Known {
            read: Read {
                sync: sync(source, moment),
                at: at(moment),
            },
            having: Having::default(),
        });
        known.collect()
    });
    let reads: Vec<Vec<Known>> = reads.collect();
    let courses = shown.iter().enumerate().map(|(source, shown)| {
        let forms = shown.iter().enumerate().filter_map(|(moment, choice)| {
            let mut identity = form("u", *choice)?;
            identity.end_date = None;
            let mark = Mark {
                row: sync(source, moment),
                source: rank(source) as i64,
                key: 1,
                hash: [0; 16],
                first: sync(source, moment),
                ended: Some(sync(source, moment) + 1),
            };
            Some((mark, identity))
        });
        Course {
            name: (SOURCES[source], rank(source) as i64, "u"),
            reads: &reads[source],
            forms: forms.collect(),
        }
    });
    let courses: Vec<Course<'_>> = courses.collect();
    let mut by_moment: BTreeMap<usize, Vec<(String, FoundEvent)>> = BTreeMap::new();
    for (place, source) in (0..shown.len()).zip(SOURCES) {
        for NewEvent { found, .. } in events_of(&courses, place) {
            let moment = (0..moments).find(|m| at(*m) == found.latest).unwrap();
            let told = by_moment.entry(moment).or_default();
            told.push((line(source, "u", &found), found));
        }
    }
    for told in by_moment.values_mut() {
        told.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    by_moment
}

/// How much of the person is there by all records: at work, on leave or not at all.
fn presence(shown: &[Vec<u8>], moment: usize) -> u8 {
    let of = |choice: u8| match choice % 6 {
        1 | 2 => 2,
        5 => 1,
        _ => 0,
    };
    shown.iter().map(|s| of(s[moment])).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(20_000, 500), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn of_one_moment_a_person_comes_and_leaves_once(
        // Absent, active, inactive, on leave.
        shown in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(0u8), Just(2), Just(3), Just(5)], 4), 2..4),
        order in Just(vec![0usize, 1, 2]).prop_shuffle(),
    ) {
        let order: Vec<usize> = order.into_iter().filter(|n| *n < shown.len()).collect();
        let told_so = told(&shown, &order);
        prop_assert_eq!(&told_so, &told(&shown, &[0, 1, 2]));
        for moment in 1..4 {
            let events = told_so.get(&moment).map(Vec::as_slice).unwrap_or_default();
            let count = |wanted: &[LifecycleEvent]| {
                events.iter().filter(|(_, e)| wanted.contains(&e.event)).count()
            };
            let (before, after) = (presence(&shown, moment - 1), presence(&shown, moment));
            let came = usize::from(before == 0 && after > 0);
            let left = usize::from(before > 0 && after == 0);
            prop_assert_eq!(count(&[LifecycleEvent::Joiner, LifecycleEvent::Rehire]), came, "{:?}", events);
            prop_assert_eq!(count(&[LifecycleEvent::Leaver]), left, "{:?}", events);
            prop_assert!(count(&[LifecycleEvent::LeaveStart]) <= usize::from(before == 2 && after == 1), "{:?}", events);
            prop_assert!(count(&[LifecycleEvent::LeaveEnd]) <= usize::from(before == 1 && after == 2), "{:?}", events);
        }
    }
}

#[test]
fn who_goes_over_from_one_source_to_another_at_one_moment_has_moved() {
    let words = |shown: &[[u8; 2]]| {
        let shown: Vec<Vec<u8>> = shown.iter().map(|forms| forms.to_vec()).collect();
        let ways = [[0, 1, 2], [1, 0, 2], [2, 1, 0]].map(|order| {
            let order: Vec<usize> = order.into_iter().filter(|n| *n < shown.len()).collect();
            let all = told(&shown, &order).into_values().flatten();
            let all = all.map(|(line, found)| {
                let source = line.split(':').next().unwrap_or_default();
                format!("{source} {} {}", found.event, found.changed.join(","))
            });
            all.collect::<Vec<_>>().join("; ")
        });
        assert!(ways.iter().all(|way| *way == ways[0]), "{ways:?}");
        ways[0].trim_end().to_owned()
    };
    for (shown, expected) in [
        (
            &[[2, 0], [0, 2]][..],
            "hr mover records; vendors mover records",
        ),
        (&[[2, 3], [4, 2]], "hr mover records; vendors mover records"),
        // Both at once: the one whose source's name comes first steps first.
        (&[[0, 2], [0, 2]], "hr joiner ; vendors mover records"),
        (&[[2, 0], [2, 0]], "hr mover records; vendors leaver"),
        (
            &[[2, 0], [2, 0], [2, 0]],
            "agency mover records; hr mover records; vendors leaver",
        ),
        (
            &[[2, 0], [2, 0], [0, 2]],
            "agency mover records; hr mover records; vendors mover records",
        ),
        // Who was to come, and has come by another record.
        (&[[4, 0], [0, 2]], "vendors joiner"),
        (&[[4, 0], [4, 0]], "vendors leaver no_show"),
        (&[[4, 0], [2, 0]], "vendors leaver"),
        // Not listed any more as gone where another record begins.
        (&[[3, 0], [0, 2]], "vendors rehire records"),
        // On leave by one, while the other ends or begins.
        (&[[2, 5], [2, 0]], "hr leave_start ; vendors mover records"),
        (&[[2, 5], [0, 2]], "vendors mover records"),
        (&[[5, 2], [0, 2]], "hr leave_end ; vendors mover records"),
        (&[[5, 2], [5, 2]], "hr leave_end"),
        (&[[2, 5], [2, 5]], "vendors leave_start"),
        (&[[2, 5], [5, 2]], ""),
    ] {
        assert_eq!(words(shown), expected, "{shown:?}");
    }
}
