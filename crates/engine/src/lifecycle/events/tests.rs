//! Every turn of a record has its event, and no other.

use super::*;
use chrono::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

/// `active dep=Sales end=2026-03-31`; `-` is absent.
fn record(text: &str) -> Option<Identity> {
    let mut fact = json!({"id": "u1", "kind": "person"});
    for word in text.split(' ') {
        let day = |date: &str| {
            let zone = chrono_tz::Europe::Zurich;
            When::day(date.parse().unwrap(), &zone).unwrap().to_text()
        };
        match word.split_once('=') {
            None if word == "-" => return None,
            None => fact["status"] = Value::from(word),
            Some(("dep", value)) => fact["department"] = Value::from(value),
            Some(("boss", value)) => fact["manager_id"] = Value::from(value),
            Some(("name", value)) => fact["display_name"] = Value::from(value),
            Some(("kind", value)) => fact["kind"] = Value::from(value),
            Some(("start", value)) => fact["start_date"] = Value::from(day(value)),
            Some(("end", value)) => fact["end_date"] = Value::from(day(value)),
            Some((other, _)) => panic!("{other}"),
        }
    }
    Some(serde_json::from_value(fact).unwrap())
}

fn at(month: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, month, 1, 0, 0, 0).unwrap()
}

fn told(events: &[FoundEvent]) -> String {
    let words = events.iter().map(|found| {
        let when = match (found.earliest == at(1), found.latest == at(2)) {
            (true, true) => String::new(),
            _ if found.earliest == found.latest => {
                found.latest.format(" %Y-%m-%dT%H:%MZ").to_string()
            }
            _ => panic!("{found:?}"),
        };
        let changed = found.changed.iter().map(|c| format!(" {c}"));
        format!("{}{}{when}", found.event, changed.collect::<String>())
    });
    words.collect::<Vec<_>>().join("; ")
}

/// A record through a series of reads, the last two of which are compared, beside other records.
fn check(reads: &[&str], others: &[&str], expected: &str) {
    let forms: Vec<Option<Identity>> = reads.iter().map(|text| record(text)).collect();
    let others: Vec<Identity> = others.iter().filter_map(|text| record(text)).collect();
    let others: Vec<&Identity> = others.iter().collect();
    let (known, last) = forms.split_at(forms.len() - 1);
    let earlier = known.iter().flatten().fold(Earlier::Never, Earlier::and);
    let found = events_between(&Compared {
        before: known.last().and_then(Option::as_ref),
        after: last[0].as_ref(),
        earlier,
        others: &others,
        told: Told::everything(),
        read_before: at(1),
        read_after: at(2),
    });
    assert_eq!(told(&found), expected, "{reads:?} beside {others:?}");
}

#[test]
fn a_last_day_in_another_age_is_none() {
    check(&["active end=9999-12-31", "-"], &[], "leaver");
    check(&["active", "inactive end=2099-12-31"], &[], "leaver");
    let soon = "leaver 2026-04-30T22:00Z";
    check(&["active end=2026-04-30", "-"], &[], soon);
}

#[test]
fn each_turn_has_its_event() {
    for (reads, expected) in [
        (&["-", "active"][..], "joiner"),
        (&["-", "dep=a"], "joiner"),
        (&["-", "on_leave"], "joiner"),
        (&["-", "pending"], ""),
        (&["-", "inactive"], ""),
        (&["pending", "active"], "joiner"),
        (&["pending", "pending dep=b"], ""),
        (&["pending", "-"], "leaver no_show"),
        (&["pending", "inactive"], "leaver no_show"),
        (&["active", "-"], "leaver"),
        (&["active", "inactive"], "leaver"),
        (&["on_leave", "-"], "leaver"),
        (&["active", "active"], ""),
        (&["active", "pending"], ""),
        (&["inactive", "-"], ""),
        (&["inactive", "inactive dep=b"], ""),
        (&["active dep=a", "active dep=b"], "mover department"),
        (
            &["active dep=a boss=x", "active dep=b boss=y"],
            "mover department manager_id",
        ),
        (&["active", "active dep=b"], "mover department"),
        (
            &["active dep=a", "on_leave dep=b"],
            "leave_start; mover department",
        ),
        (&["on_leave", "active"], "leave_end"),
        (
            &["active name=Ann", "active name=Anne"],
            "renamed display_name",
        ),
        (
            &["active name=Ann dep=a", "active name=Anne dep=b"],
            "mover department; renamed display_name",
        ),
        // Another name and another beginning: the id may have been given to somebody else.
        (
            &[
                "active name=Ann start=2020-01-01",
                "active name=Kim start=2026-01-15",
            ],
            "renamed display_name another_person",
        ),
        (
            &[
                "active name=Ann start=2020-01-01",
                "active name=Anne start=2020-01-01",
            ],
            "renamed display_name",
        ),
        (
            &["active name=Ann", "active name=Kim start=2026-01-15"],
            "renamed display_name",
        ),
    ] {
        check(reads, &[], expected);
    }
}

#[test]
fn who_comes_back_is_no_joiner_and_who_never_came_is_one() {
    for (reads, expected) in [
        (&["active", "inactive", "active"][..], "rehire"),
        (&["inactive", "active dep=b"], "rehire department"),
        (&["active", "-", "active"], "rehire"),
        (
            &["active", "-", "active name=Somebody"],
            "rehire display_name",
        ),
        (&["active", "-", "-", "pending", "active"], "rehire"),
        (&["pending", "-", "active"], "joiner"),
        (&["active", "pending", "-"], "leaver"),
        (
            &["active start=2020-01-01", "-", "active start=2026-01-15"],
            "rehire 2026-01-14T23:00Z",
        ),
        (
            &["inactive start=2020-01-01", "active start=2020-01-01"],
            "rehire",
        ),
    ] {
        check(reads, &[], expected);
    }
}

#[test]
fn the_source_s_own_dates_count_in_its_zone() {
    for (reads, expected) in [
        (
            &["-", "active start=2026-01-15"][..],
            "joiner 2026-01-14T23:00Z",
        ),
        (
            &["pending start=2026-03-29", "active start=2026-03-29"],
            "joiner 2026-03-28T23:00Z",
        ),
        // The last day is inclusive, and that of the change to summer time has 23 hours.
        (&["active end=2026-03-29", "-"], "leaver 2026-03-29T22:00Z"),
        (
            &["active", "inactive end=2026-03-28"],
            "leaver 2026-03-28T23:00Z",
        ),
        (
            &["active end=2026-02-01", "inactive end=2026-02-10"],
            "leaver 2026-02-10T23:00Z",
        ),
        (
            &["active end=2026-02-01", "inactive"],
            "leaver 2026-02-01T23:00Z",
        ),
        // The end of an earlier time is not the end of this one.
        (&["active start=2026-01-01 end=2025-06-30", "-"], "leaver"),
        (
            &["active start=2026-02-10 end=2026-02-10", "-"],
            "leaver 2026-02-10T23:00Z",
        ),
        (
            &["active end=2026-03-31", "active end=2026-06-30"],
            "extension end_date",
        ),
        (&["active end=2026-06-30", "active end=2026-03-31"], ""),
        (&["active end=2026-06-30", "active"], ""),
        (&["active", "active end=2026-03-31"], ""),
    ] {
        check(reads, &[], expected);
    }
}

#[test]
fn machines_and_vendors_end_by_their_own_names() {
    for (kind, expected) in [
        ("vendor", "vendor_exit"),
        ("workload", "workload_retired"),
        ("agent", "agent_retired"),
    ] {
        let listed = format!("active kind={kind}");
        check(&[&listed, "-"], &[], expected);
        check(&["-", &listed], &[], "joiner");
    }
}

#[test]
fn a_person_is_gone_when_no_record_is_active() {
    for (reads, others, expected) in [
        (&["active", "-"][..], &["active"][..], "mover records"),
        (
            &["active end=2026-01-20", "inactive"],
            &["on_leave"],
            "mover records 2026-01-20T23:00Z",
        ),
        (&["active", "-"], &["inactive"], "leaver"),
        (&["active", "-"], &["pending"], "leaver"),
        (&["active", "-"], &["inactive", "active"], "mover records"),
        (&["-", "active"], &["active"], "mover records"),
        (&["-", "active"], &["pending"], "joiner"),
        (&["-", "active"], &["inactive"], "rehire records"),
        (&["inactive", "active"], &["active"], "mover records"),
        (&["pending", "-"], &["active"], ""),
        (&["pending", "-"], &["inactive"], "leaver no_show"),
        (&["active", "on_leave"], &["active"], ""),
        (&["active", "on_leave"], &["on_leave"], "leave_start"),
        (&["on_leave", "active"], &["active"], ""),
        (
            &["active dep=a", "active dep=b"],
            &["active dep=c"],
            "mover department",
        ),
    ] {
        check(reads, others, expected);
    }
}

#[test]
fn a_leaver_whom_the_source_has_not_marked_is_told_from_the_end_of_the_last_day() {
    for (listed, others, expected) in [
        (
            "active end=2026-02-10",
            &[][..],
            "leaver not_marked_by_source 2026-02-10T23:00Z",
        ),
        (
            "dep=a end=2026-02-10",
            &[],
            "leaver not_marked_by_source 2026-02-10T23:00Z",
        ),
        (
            "on_leave end=2026-02-10",
            &[],
            "leaver not_marked_by_source 2026-02-10T23:00Z",
        ),
        (
            "active end=2026-02-10 kind=agent",
            &[],
            "agent_retired not_marked_by_source 2026-02-10T23:00Z",
        ),
        ("active", &[], ""),
        ("inactive end=2026-02-10", &[], ""),
        ("pending end=2026-02-10", &[], ""),
        ("active start=2026-03-01 end=2026-02-10", &[], ""),
        ("active end=2026-02-10", &["active"], ""),
        (
            "active end=2026-02-10",
            &["inactive"],
            "leaver not_marked_by_source 2026-02-10T23:00Z",
        ),
        ("active end=2026-02-10", &["active end=2026-03-31"], ""),
        (
            "active end=2026-03-31",
            &["active end=2026-02-10"],
            "leaver not_marked_by_source 2026-03-31T22:00Z",
        ),
    ] {
        let others: Vec<Identity> = others.iter().filter_map(|text| record(text)).collect();
        let others: Vec<&Identity> = others.iter().collect();
        let found = not_marked(&record(listed).unwrap(), &others);
        let found: Vec<FoundEvent> = found.into_iter().collect();
        assert_eq!(told(&found), expected, "{listed} beside {others:?}");
    }
}

#[test]
fn a_column_that_comes_or_goes_moves_nobody() {
    let (a, b) = (record("active dep=a").unwrap(), record("active").unwrap());
    let having = |list: &[&Identity]| {
        let mut having = Having::default();
        list.iter().for_each(|i| having.add(&Outline::of(i)));
        having
    };
    for (before, after, expected) in [
        // Nobody had a department in one of the reads: the column was not there.
        ((&a, vec![&a]), (&b, vec![&b]), ""),
        ((&b, vec![&b]), (&a, vec![&a]), ""),
        // Somebody else has one in both.
        ((&a, vec![&a, &a]), (&b, vec![&b, &a]), "mover department"),
    ] {
        let found = events_between(&Compared {
            before: Some(before.0),
            after: Some(after.0),
            earlier: Earlier::Never,
            others: &[],
            told: Told::of(&having(&before.1), &having(&after.1)),
            read_before: at(1),
            read_after: at(2),
        });
        assert_eq!(told(&found), expected);
    }
}

proptest! {
    #[test]
    fn what_is_counted_is_taken_again_and_kept_as_text(forms in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..20)) {
        let people: Vec<Identity> = forms
            .iter()
            .map(|(dep, boss, name)| {
                let part = |on: &bool, text: &'static str| if *on { text } else { "" };
                let text = format!("active{}{}{}", part(dep, " dep=a"), part(boss, " boss=b"), part(name, " name=c"));
                record(&text).unwrap()
            })
            .collect();
        let mut having = Having::default();
        people.iter().for_each(|i| having.add(&Outline::of(i)));
        for person in &people {
            let read: Outline = serde_json::from_str(&serde_json::to_string(person).unwrap()).unwrap();
            prop_assert_eq!(read.has(), Outline::of(person).has());
        }
        prop_assert_eq!(Having::parse(&having.to_text()), Some(having));
        people.iter().for_each(|i| having.take(&Outline::of(i)));
        prop_assert_eq!(having, Having::default());
    }
}
