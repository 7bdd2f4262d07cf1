//! What is found bit by bit is what all reads together say, whatever came in between.

use super::*;
use crate::collect::seeded::{Fault, Seeded, identity_fact};
use crate::collect::tests::{Bench, bench, now, quick, read_with};
use crate::collect::{Depth, Removals, SyncSettings};
use crate::lifecycle::events::{
    Compared, Earlier, Having, Outline, Told, events_between, not_marked,
};
use crate::store::{Decision, NewDecision, RecordName};
use chrono::{Days, TimeDelta, TimeZone};
use lastkey_contract::facts::{Identity, IdentityStatus};
use lastkey_contract::{Fact, Kind, Note, NoteKind, Settings, When};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn day(n: u64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0).unwrap() + Days::new(n)
}

/// Clocks tell nanoseconds, and none of them is lost.
pub(super) fn fine(number: u64) -> TimeDelta {
    TimeDelta::nanoseconds(number.cast_signed() * 7)
}

/// Long after everything.
fn end_of_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2100, 1, 1, 0, 0, 0).unwrap()
}

/// One of a few forms that a record can have; None is absent.
pub(super) fn form(id: &str, choice: u8) -> Option<Identity> {
    let mut identity = identity_fact(id, &format!("Person {id}"));
    identity.status = match choice % 6 {
        0 => return None,
        1 => None,
        2 => Some(IdentityStatus::Active),
        3 => Some(IdentityStatus::Inactive),
        4 => Some(IdentityStatus::Pending),
        _ => Some(IdentityStatus::OnLeave),
    };
    let department = ["Sales", "Ops"].get(usize::from(choice / 6 % 3));
    identity.department = department.map(|name| (*name).to_owned());
    let last_day = u64::from(choice / 18 % 3);
    identity.end_date = (last_day > 0).then(|| When::Day {
        from: day(10 * last_day),
        until: day(10 * last_day + 1),
    });
    Some(identity)
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ends {
    Complete,
    Cut,
}

/// A read of a source: what it shows of its records.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub source: &'static str,
    pub forms: Vec<u8>,
    pub ends: Ends,
    /// Decide before it that the first records of both sources are one person, or take that back.
    pub decide: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (
        prop_oneof![Just("hr"), Just("vendors")],
        proptest::collection::vec(0u8..54, 3),
        prop_oneof![3 => Just(Ends::Complete), 1 => Just(Ends::Cut)],
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(source, forms, ends, decide)| Step {
            source,
            forms,
            ends,
            decide,
        })
}

pub(super) async fn take(bench: &Bench, number: u64, step: &Step) {
    let facts: Vec<Fact> = (0..)
        .zip(&step.forms)
        .filter_map(|(n, choice)| form(&format!("u{n}"), *choice))
        .map(Fact::Identity)
        .collect();
    let mut connector = Seeded::new(10).with(Kind::Identity, facts);
    if step.ends == Ends::Cut {
        let note = Note {
            kind: NoteKind::Skipped,
            about: Kind::Identity,
            reason: "a row could not be read".to_owned(),
            count: 1,
            examples: Vec::new(),
        };
        connector = connector.fault(Kind::Identity, 0, Fault::Note(note));
    }
    let settings = SyncSettings {
        read_date: Some(day(number) + fine(number)),
        depth: Depth::Full,
        removals: Removals::Accept,
        ..quick()
    };
    let report = read_with(bench, step.source, &connector, &settings).await;
    assert_eq!(
        report.unwrap().state == "complete",
        step.ends == Ends::Complete
    );
}

/// What the reads of one source showed, in the order of the reads of all.
#[derive(Default)]
struct Seen {
    /// Each complete read, with every record.
    reads: Vec<(u64, BTreeMap<String, Identity>)>,
    /// Each form of a record that was stored, with the read.
    forms: BTreeMap<String, Vec<(u64, Identity)>>,
    current: BTreeMap<String, Identity>,
    /// The status that a complete read said last of each.
    said: BTreeMap<String, IdentityStatus>,
}

impl Seen {
    fn add(&mut self, number: u64, step: &Step) {
        let (mut shown, mut sent) = (BTreeMap::new(), BTreeMap::new());
        for (n, choice) in step.forms.iter().enumerate() {
            let id = format!("u{n}");
            let Some(identity) = form(&id, *choice) else {
                continue;
            };
            let mut counts = identity.clone();
            counts.status = counts.status.or(self.said.get(&id).copied());
            if self.current.get(&id) != Some(&identity) {
                let forms = self.forms.entry(id.clone()).or_default();
                forms.push((number, counts.clone()));
            }
            self.current.insert(id.clone(), identity.clone());
            sent.insert(id.clone(), identity);
            shown.insert(id, counts);
        }
        if step.ends == Ends::Complete {
            let said = shown.values();
            let said = said.filter_map(|i| Some((i.id.to_string(), i.status?)));
            self.said.extend(said);
            self.current = sent;
            self.reads.push((number, shown));
        }
    }

    fn by(&self, number: u64, id: &str) -> Option<&Identity> {
        let (_, shown) = self.reads.iter().rfind(|(read, _)| *read <= number)?;
        shown.get(id)
    }

    fn having(shown: &BTreeMap<String, Identity>) -> Having {
        let mut having = Having::default();
        shown.values().for_each(|i| having.add(&Outline::of(i)));
        having
    }
}

pub(super) fn line(source: &str, id: &str, found: &FoundEvent) -> String {
    format!(
        "{source}:{id} {} {}..{} {}",
        found.event,
        rfc3339(found.earliest),
        rfc3339(found.latest),
        found.changed.join(",")
    )
}

/// All events, found at once and without the store.
fn expected(seen: &BTreeMap<&str, Seen>, together: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (source, own) in seen {
        let other = seen
            .iter()
            .find(|(name, _)| *name != source)
            .map(|(_, s)| s);
        let other_by = |number: u64, id: &str| {
            let other = other.filter(|_| together && id == "u0")?;
            other.by(number, id)
        };
        for (before, after) in own.reads.iter().zip(own.reads.iter().skip(1)) {
            for (id, forms) in &own.forms {
                let known = forms.iter().filter(|(read, _)| *read <= before.0);
                let others: Vec<&Identity> = other_by(after.0, id).into_iter().collect();
                let found = events_between(&Compared {
                    before: before.1.get(id),
                    after: after.1.get(id),
                    earlier: known.fold(Earlier::Never, |earlier, (_, form)| earlier.and(form)),
                    others: &others,
                    told: Told::of(&Seen::having(&before.1), &Seen::having(&after.1)),
                    read_before: day(before.0) + fine(before.0),
                    read_after: day(after.0) + fine(after.0),
                });
                lines.extend(found.iter().map(|found| line(source, id, found)));
            }
        }
        for (id, identity) in own.reads.last().iter().flat_map(|(_, shown)| shown) {
            let others: Vec<&Identity> = other_by(u64::MAX, id).into_iter().collect();
            lines.extend(not_marked(identity, &others).map(|found| line(source, id, &found)));
        }
    }
    lines.sort();
    lines
}

pub(super) async fn found(bench: &Bench) -> Vec<String> {
    let all = EventsQuery {
        limit: 10_000,
        ..EventsQuery::default()
    };
    let (rows, matching, total) = bench.store.events(&all, end_of_time()).await.unwrap();
    assert_eq!((rows.len() as u64, matching), (total, total));
    let mut lines: Vec<String> = rows
        .iter()
        .map(|e| {
            let changed = e.changed.join(",");
            format!(
                "{}:{} {} {}..{} {changed}",
                e.source, e.identity, e.event, e.earliest, e.latest
            )
        })
        .collect();
    lines.sort();
    lines
}

fn same_person() -> Decision {
    let record = |source: &str| RecordName {
        source: source.to_owned(),
        id: "u0".to_owned(),
    };
    Decision::Same(record("hr"), record("vendors"))
}

pub(super) async fn decide(bench: &Bench, decision: Decision) -> Option<i64> {
    let new = NewDecision {
        decision,
        why: "the same badge".to_owned(),
        seen: serde_json::json!({}),
    };
    bench.store.decide(&[new], now()).await.unwrap().pop()
}

async fn try_steps(steps: &[Step]) {
    let bench = bench(&["hr", "vendors"]).await;
    let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut decided: Option<i64> = None;
    for (number, step) in (0..).zip(steps) {
        if step.decide {
            decided = match decided {
                None => decide(&bench, same_person()).await,
                Some(decision) => {
                    bench
                        .store
                        .undo_decision(decision, "no", now())
                        .await
                        .unwrap();
                    None
                }
            };
        }
        take(&bench, number, step).await;
        seen.entry(step.source).or_default().add(number, step);
        assert_eq!(
            found(&bench).await,
            expected(&seen, decided.is_some()),
            "after {:#?}",
            &steps[..=number as usize]
        );
    }
    // Found anew from the whole history, it is the same.
    let before = found(&bench).await;
    let mut settings = Settings::default();
    for word in ["false", "true"] {
        settings
            .0
            .insert("source_of_truth".to_owned(), word.to_owned());
        for source in ["hr", "vendors"] {
            let source = source.into();
            bench
                .store
                .set_source_settings(&source, &settings, now())
                .await
                .unwrap();
        }
        if word == "false" {
            assert_eq!(found(&bench).await, Vec::<String>::new());
        }
    }
    assert_eq!(found(&bench).await, before);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    bench.store.close().await;
}

fn cases() -> u32 {
    match std::env::var_os("LASTKEY_LONG") {
        Some(_) => 400,
        None => 10,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn bit_by_bit_is_all_at_once(steps in proptest::collection::vec(step(), 1..9)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(try_steps(&steps));
    }
}

#[tokio::test]
async fn a_window_is_filtered_ordered_and_cut() {
    let bench = bench(&["hr"]).await;
    // Everybody active; then 0 gone, 1 in another department, 2 listed beyond the last day.
    for (number, forms) in [[8, 8, 8], [0, 14, 26]].into_iter().enumerate() {
        let step = Step {
            source: "hr",
            forms: forms.to_vec(),
            ends: Ends::Complete,
            decide: false,
        };
        take(&bench, number as u64 * 5, &step).await;
    }
    let asked = |query: EventsQuery<'static>, now: DateTime<Utc>| {
        let store = bench.store.clone();
        async move {
            let query = EventsQuery { limit: 10, ..query };
            let (rows, matching, total) = store.events(&query, now).await.unwrap();
            let words: Vec<String> = rows
                .iter()
                .map(|e| {
                    format!(
                        "{} {} {:?}",
                        e.identity,
                        e.event,
                        e.name.as_deref().unwrap()
                    )
                })
                .collect();
            (words.join("; "), matching, total)
        }
    };
    let (gone, moved, left) = (
        "u0 leaver \"Person u0\"",
        "u1 mover \"Person u1\"",
        "u2 leaver \"Person u2\"",
    );
    let query = EventsQuery::default;
    for (query, now, expected, total) in [
        (query(), day(30), format!("{gone}; {moved}; {left}"), 3),
        // The last day has not ended yet.
        (query(), day(10), format!("{gone}; {moved}"), 2),
        (
            EventsQuery {
                order: Order::NewestFirst,
                ..query()
            },
            day(30),
            format!("{left}; {moved}; {gone}"),
            3,
        ),
        (
            EventsQuery {
                event: Some("mover"),
                ..query()
            },
            day(30),
            moved.to_owned(),
            3,
        ),
        (
            EventsQuery {
                changed: Some("department"),
                ..query()
            },
            day(30),
            moved.to_owned(),
            3,
        ),
        (
            EventsQuery {
                changed: Some("depart"),
                ..query()
            },
            day(30),
            String::new(),
            3,
        ),
        (
            EventsQuery {
                identity: Some("u0"),
                ..query()
            },
            day(30),
            gone.to_owned(),
            3,
        ),
        (
            EventsQuery {
                source: Origin::Source("other"),
                ..query()
            },
            day(30),
            String::new(),
            3,
        ),
        (
            EventsQuery {
                search: " person U1",
                ..query()
            },
            day(30),
            moved.to_owned(),
            3,
        ),
        (
            EventsQuery {
                since: Some(day(6)),
                ..query()
            },
            day(30),
            left.to_owned(),
            3,
        ),
        (
            EventsQuery {
                since: Some(day(5)),
                ..query()
            },
            day(30),
            format!("{gone}; {moved}; {left}"),
            3,
        ),
        (
            EventsQuery {
                before: Some(day(3)),
                ..query()
            },
            day(30),
            format!("{gone}; {moved}"),
            3,
        ),
        (
            EventsQuery {
                offset: 2,
                ..query()
            },
            day(30),
            left.to_owned(),
            3,
        ),
    ] {
        let described = format!("{query:?}");
        let (words, _, all) = asked(query, now).await;
        assert_eq!((words, all), (expected, total), "{described}");
    }
}

#[tokio::test]
async fn what_rested_on_a_read_that_is_taken_back_goes_with_it() {
    let bench = bench(&["hr"]).await;
    let mut before = Vec::new();
    for (number, forms) in [[8, 8, 8], [8, 14, 8], [0, 14, 8]].into_iter().enumerate() {
        before = found(&bench).await;
        let step = Step {
            source: "hr",
            forms: forms.to_vec(),
            ends: Ends::Complete,
            decide: false,
        };
        take(&bench, number as u64, &step).await;
    }
    assert_eq!(found(&bench).await.len(), before.len() + 1);
    let sync = bench.store.newest_sync().await.unwrap().unwrap();
    bench.store.take_back(sync.id).await.unwrap();
    bench.store.find_events().await.unwrap();
    assert_eq!(found(&bench).await, before);
}

#[tokio::test]
async fn a_series_that_is_read_anew_under_its_name_tells_of_each_event_once() {
    let bench = bench(&["hr"]).await;
    let series = async |months: &[[u8; 3]], shift: u64| {
        for (number, forms) in (0..).zip(months) {
            let step = Step {
                source: "hr",
                forms: forms.to_vec(),
                ends: Ends::Complete,
                decide: false,
            };
            take(&bench, number * 5 + shift, &step).await;
        }
    };
    let anew = async || {
        let (name, settings) = ("hr".into(), Settings::default());
        bench
            .store
            .remove_source(&name, crate::store::Removal::OfSource, now())
            .await
            .unwrap();
        let added = bench.store.add_source(&name, "seeded", &settings, now());
        added.await.unwrap();
    };
    // One goes and comes again, one moves.
    let months = [[8, 8, 8], [0, 8, 8], [8, 14, 8]];
    series(&months, 0).await;
    let before = found(&bench).await;
    assert!(before.len() >= 3, "{before:?}");
    anew().await;
    assert_eq!(found(&bench).await, before, "what was stays told");
    series(&months, 0).await;
    assert_eq!(found(&bench).await, before);
    // Under another date the same is told, and told once; what the new reads do not show to have
    // happened within their time has not.
    anew().await;
    series(&[[8, 8, 8], [8, 8, 8], [8, 14, 8]], 0).await;
    let mended = found(&bench).await;
    assert_eq!(mended.len(), 1, "{mended:?}");
    anew().await;
    series(&months, 1).await;
    let events = found(&bench).await;
    let of = |id: &str| events.iter().filter(|line| line.contains(id)).count();
    assert_eq!((of("hr:u0"), of("hr:u1")), (2, 1), "{events:?}");
    // From today on only: what only the earlier reads can have seen stays.
    anew().await;
    series(&[[8, 14, 8]], 100).await;
    assert_eq!(found(&bench).await, events);
}
