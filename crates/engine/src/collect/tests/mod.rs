//! Collecting, tried on a connector that answers from memory.

mod increments;
mod interleaved;
mod retries;
mod together;

use super::seeded::{Fault, Seeded, account, credential, error, grant, identity};
use super::*;
use crate::store::{EventsQuery, PeopleQuery, StoreKey, TableQuery};
use chrono::TimeZone;
use lastkey_contract::{CheckReport, ConnectorError, ErrorKind, KindCapability};
use lastkey_contract::{Fact, Note, NoteKind, Settings};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::time::Instant;

pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

pub fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

pub struct Bench {
    pub store: Store,
    pub path: PathBuf,
    _folder: TempDir,
}

pub async fn bench(sources: &[&str]) -> Bench {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("test.lastkey");
    let store = Store::create(&path, &key(), "tester", now()).await.unwrap();
    for name in sources {
        store
            .add_source(&(*name).into(), "seeded", &Settings::default(), now())
            .await
            .unwrap();
    }
    Bench {
        store,
        path,
        _folder: folder,
    }
}

pub fn quick() -> SyncSettings {
    SyncSettings {
        request_timeout: Duration::from_millis(200),
        tries: 3,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        seed: Some(7),
        ..SyncSettings::default()
    }
}

pub async fn read_with(
    bench: &Bench,
    source: &str,
    connector: &Seeded,
    settings: &SyncSettings,
) -> Result<SyncReport, StoreError> {
    let (_keep, cancel) = watch::channel(false);
    let report = sync(
        &bench.store,
        &source.into(),
        connector,
        &now,
        &|_| {},
        cancel,
        settings,
    )
    .await;
    // However a read ended, the store holds what it promises.
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    report
}

pub async fn read(bench: &Bench, source: &str, connector: &Seeded) -> SyncReport {
    read_with(bench, source, connector, &quick()).await.unwrap()
}

fn people(numbers: std::ops::Range<u32>) -> Vec<Fact> {
    numbers
        .map(|n| identity(&format!("u{n}"), &format!("Person {n}")))
        .collect()
}

async fn current(bench: &Bench, kind: Kind) -> u64 {
    let query = TableQuery {
        limit: 1,
        ..TableQuery::default()
    };
    bench.store.table(kind, &query).await.unwrap().matching
}

fn totals(report: &SyncReport) -> String {
    let t = &report.totals;
    format!(
        "{}: {} reported, {} stored, {} unchanged, {} skipped, {} failed, {} removed",
        report.state, t.reported, t.stored, t.unchanged, t.skipped, t.failed, t.removed
    )
}

#[tokio::test]
async fn unchanged_rows_are_not_rewritten_and_a_complete_read_removes() {
    let bench = bench(&["hr"]).await;
    let first = read(
        &bench,
        "hr",
        &Seeded::new(3).with(Kind::Identity, people(0..10)),
    )
    .await;
    assert_eq!(
        totals(&first),
        "complete: 10 reported, 10 stored, 0 unchanged, 0 skipped, 0 failed, 0 removed"
    );
    let mut changed = people(2..10);
    changed[0] = identity("u2", "Renamed");
    let second = read(&bench, "hr", &Seeded::new(3).with(Kind::Identity, changed)).await;
    assert_eq!(
        totals(&second),
        "complete: 8 reported, 1 stored, 7 unchanged, 0 skipped, 0 failed, 2 removed"
    );
    assert_eq!(current(&bench, Kind::Identity).await, 8);
    let then = bench
        .store
        .load_snapshot(Some(SyncId(first.sync)))
        .await
        .unwrap();
    assert_eq!(then.identities.len(), 10, "history shows the first read");
}

#[tokio::test]
async fn a_read_that_fails_midway_adds_and_removes_nothing() {
    let bench = bench(&["hr"]).await;
    read(
        &bench,
        "hr",
        &Seeded::new(3).with(Kind::Identity, people(0..10)),
    )
    .await;
    for (fault, state) in [
        (
            Fault::Error(error(ErrorKind::Protocol, "half an answer")),
            "failed",
        ),
        (Fault::Hang, "failed"),
        (Fault::SameCursor, "failed"),
        (Fault::Announce(99), "incomplete"),
    ] {
        let connector =
            Seeded::new(3)
                .with(Kind::Identity, people(5..12))
                .fault(Kind::Identity, 1, fault);
        let report = read(&bench, "hr", &connector).await;
        assert_eq!(report.state, state, "{report:?}");
        assert_eq!(report.totals.removed, 0);
        assert!(!report.kinds[0].complete);
        assert!(!report.kinds[0].gaps.is_empty());
        assert!(current(&bench, Kind::Identity).await >= 10);
        let snapshot = bench.store.load_snapshot(None).await.unwrap();
        assert!(!snapshot.reads[0].gaps.is_empty());
        assert_eq!(snapshot.reads[0].complete_at, Some(now()));
    }
}

#[tokio::test]
async fn only_what_may_help_is_tried_again_and_each_try_is_in_the_journal() {
    for (kind, times, requests, state) in [
        (ErrorKind::Unavailable, 2, 3, "complete"),
        (ErrorKind::RateLimited, 3, 3, "failed"),
        (ErrorKind::AuthRejected, 1, 1, "failed"),
    ] {
        let bench = bench(&["hr"]).await;
        let connector = Seeded::new(100).with(Kind::Identity, people(0..3)).fault(
            Kind::Identity,
            0,
            Fault::Flaky(error(kind, "busy"), times),
        );
        let report = read(&bench, "hr", &connector).await;
        let made = connector.requests.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!((made, report.state.as_str()), (requests, state), "{kind:?}");
        let (lines, _) = bench.store.journal(None, None, 0, 100).await.unwrap();
        let retries = lines.iter().filter(|l| l.what == "retry").count();
        assert_eq!(retries as u32, requests - 1, "{kind:?}");
    }
}

#[tokio::test]
async fn skipped_and_second_rows_keep_absence_from_being_claimed() {
    let bench = bench(&["hr"]).await;
    read(
        &bench,
        "hr",
        &Seeded::new(3).with(Kind::Identity, people(0..4)),
    )
    .await;
    let mut twice = people(1..4);
    twice.push(identity("u1", "Another"));
    let note = Note {
        kind: NoteKind::Failed,
        about: Kind::Identity,
        reason: "no id".to_owned(),
        count: 2,
        examples: vec!["identities.csv:7:1".to_owned()],
    };
    let connector =
        Seeded::new(3)
            .with(Kind::Identity, twice)
            .fault(Kind::Identity, 0, Fault::Note(note));
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(
        totals(&report),
        "incomplete: 6 reported, 0 stored, 3 unchanged, 1 skipped, 2 failed, 0 removed"
    );
    assert_eq!(current(&bench, Kind::Identity).await, 4);
    let (lines, _) = bench.store.journal(None, None, 0, 100).await.unwrap();
    assert!(lines.iter().any(|l| l.text == "second row with key `u1`"));
    let both = "rows with key `u1`: row:1 and row:4; the first stands";
    assert!(lines.iter().any(|l| l.text == both), "{lines:?}");
    let gaps = &report.kinds[0].gaps;
    let gap = "1 identity skipped: second row with key `u1` (row:1 and row:4)";
    assert!(gaps.iter().any(|one| one == gap), "{gaps:?}");
}

#[tokio::test]
async fn rows_that_may_repeat_each_count() {
    let bench = bench(&["ad"]).await;
    let rows = |n: usize| vec![grant("ad", "a", "g"); n];
    for (n, expected) in [
        (
            3,
            "complete: 3 reported, 3 stored, 0 unchanged, 0 skipped, 0 failed, 0 removed",
        ),
        (
            2,
            "complete: 2 reported, 0 stored, 2 unchanged, 0 skipped, 0 failed, 1 removed",
        ),
        (
            4,
            "complete: 4 reported, 2 stored, 2 unchanged, 0 skipped, 0 failed, 0 removed",
        ),
    ] {
        let report = read(&bench, "ad", &Seeded::new(1).with(Kind::Grant, rows(n))).await;
        assert_eq!(totals(&report), expected);
        assert_eq!(current(&bench, Kind::Grant).await, n as u64);
    }
}

#[tokio::test]
async fn a_second_source_of_the_same_objects_is_refused_whole() {
    let bench = bench(&["one", "two"]).await;
    let accounts = |system: &str| vec![account(system, "a", ""), account(system, "b", "")];
    read(
        &bench,
        "one",
        &Seeded::new(1).with(Kind::Account, accounts("ad")),
    )
    .await;
    let mut mixed = accounts("aws");
    mixed.extend(accounts("ad"));
    let connector = Seeded::new(1).with(Kind::Account, mixed);
    let refused = read_with(&bench, "two", &connector, &quick())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("`one` already speaks for"),
        "{refused}"
    );
    assert_eq!(
        current(&bench, Kind::Account).await,
        2,
        "nothing of it was stored"
    );
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    let mut settings = Settings::default();
    settings
        .0
        .insert("supplement".to_owned(), "true".to_owned());
    bench
        .store
        .set_source_settings(&"two".into(), &settings, now())
        .await
        .unwrap();
    assert_eq!(read(&bench, "two", &connector).await.state, "complete");
}

#[tokio::test]
async fn a_read_stops_within_a_second_of_being_told() {
    let bench = bench(&["hr"]).await;
    let connector =
        Seeded::new(3)
            .with(Kind::Identity, people(0..10))
            .fault(Kind::Identity, 1, Fault::Hang);
    let (stop, cancel) = watch::channel(false);
    let settings = SyncSettings::default();
    let source: SourceName = "hr".into();
    let reading = sync(
        &bench.store,
        &source,
        &connector,
        &now,
        &|_| {},
        cancel,
        &settings,
    );
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.send(true).unwrap();
        Instant::now()
    };
    let (report, told) = tokio::join!(reading, stopping);
    assert!(told.elapsed() < Duration::from_secs(1));
    let report = report.unwrap();
    assert_eq!(
        (report.state.as_str(), report.totals.stored),
        ("cancelled", 3)
    );
}

#[tokio::test]
async fn a_mark_that_holds_the_secret_is_not_kept() {
    let canary = "canary-s3cret-9f2";
    for (mark, kept) in [(canary, None), ("harmless", Some("harmless"))] {
        let bench = bench(&["hr"]).await;
        let connector = Seeded::new(3)
            .with(Kind::Identity, people(0..10))
            .watermark(mark);
        let settings = SyncSettings {
            secrets: vec![Secret::new(canary.to_owned())],
            ..quick()
        };
        let report = read_with(&bench, "hr", &connector, &settings).await;
        assert_eq!(report.unwrap().state, "complete");
        let sync = bench.store.newest_sync().await.unwrap().unwrap();
        let kinds = bench.store.sync_kinds(sync.id).await.unwrap();
        assert_eq!(kinds[0].watermark.as_deref(), kept);
        let (lines, _) = bench.store.journal(None, None, 0, 100).await.unwrap();
        let said = lines.iter().any(|line| line.text.contains("is not kept"));
        assert_eq!(said, kept.is_none(), "{lines:?}");
    }
}

#[tokio::test]
async fn a_secret_in_an_error_is_not_stored() {
    let bench = bench(&["hr"]).await;
    let canary = "canary-s3cret-9f2";
    let failing = error(
        ErrorKind::AuthRejected,
        &format!("bind with {canary} failed"),
    )
    .hint(format!("is {canary} right?"));
    let connector = Seeded::new(3).with(Kind::Identity, people(0..1)).fault(
        Kind::Identity,
        0,
        Fault::Error(failing),
    );
    let settings = SyncSettings {
        secrets: vec![Secret::new(canary.to_owned())],
        ..quick()
    };
    let report = read_with(&bench, "hr", &connector, &settings)
        .await
        .unwrap();
    let (lines, _) = bench.store.journal(None, None, 0, 100).await.unwrap();
    let record = bench.store.newest_sync().await.unwrap();
    let written = format!("{report:?} {lines:?} {record:?}");
    assert!(written.contains("bind with (hidden) failed"), "{written}");
    assert!(!written.contains(canary));
}

#[tokio::test]
async fn broken_references_are_stored_and_said() {
    let bench = bench(&["ad"]).await;
    let connector = Seeded::new(10)
        .with(Kind::Account, vec![account("ad", "a", "nobody")])
        .with(
            Kind::Grant,
            vec![grant("ad", "a", "g"), grant("ad", "ghost", "g")],
        );
    let report = read(&bench, "ad", &connector).await;
    assert_eq!(report.state, "complete");
    let (lines, _) = bench.store.journal(None, None, 0, 100).await.unwrap();
    let dangling: Vec<String> = lines
        .iter()
        .filter(|l| l.what == "dangling")
        .map(|l| {
            format!(
                "{} {} {} {:?}",
                l.kind.as_deref().unwrap(),
                l.text,
                l.count,
                l.examples
            )
        })
        .collect();
    assert_eq!(
        dangling,
        [
            "account identities that nothing holds 1 [\"nobody\"]",
            "grant accounts that nothing holds 1 [\"ad:ghost\"]",
            "grant granted entitlements that nothing holds 2 [\"ad:g\"]",
        ]
    );
}

#[tokio::test]
async fn a_dated_series_gives_events_with_its_dates() {
    let bench = bench(&["hr"]).await;
    let at = |month| Utc.with_ymd_and_hms(2025, month, 1, 0, 0, 0).unwrap();
    for (month, range) in [(1, 0..3), (2, 1..4)] {
        let settings = SyncSettings {
            read_date: Some(at(month)),
            ..quick()
        };
        let connector = Seeded::new(10).with(Kind::Identity, people(range));
        read_with(&bench, "hr", &connector, &settings)
            .await
            .unwrap();
    }
    let all = EventsQuery {
        limit: 100,
        ..EventsQuery::default()
    };
    let (events, _, _) = bench.store.events(&all, now()).await.unwrap();
    let words: Vec<String> = events
        .iter()
        .map(|e| format!("{} {} {}..{}", e.event, e.identity, e.earliest, e.latest))
        .collect();
    assert_eq!(
        words,
        [
            "leaver u0 2025-01-01T00:00:00Z..2025-02-01T00:00:00Z",
            "joiner u3 2025-01-01T00:00:00Z..2025-02-01T00:00:00Z",
        ]
    );
    let settings = SyncSettings {
        read_date: Some(at(1)),
        ..quick()
    };
    let connector = Seeded::new(10).with(Kind::Identity, people(0..3));
    let refused = read_with(&bench, "hr", &connector, &settings).await;
    assert!(matches!(refused, Err(StoreError::ReadTooOld { .. })));
}

#[tokio::test]
async fn what_is_offered_no_more_stays_and_is_not_vouched_for() {
    let bench = bench(&["hr"]).await;
    let whole = Seeded::new(3)
        .with(Kind::Identity, people(0..2))
        .with(Kind::Account, vec![account("ad", "u0", "u0")]);
    assert_eq!(read(&bench, "hr", &whole).await.state, "complete");
    let without = Seeded::new(3).with(Kind::Identity, people(0..2));
    // Twice, because the second time must not take the first for the whole truth.
    for _ in 0..2 {
        let report = read(&bench, "hr", &without).await;
        assert_eq!(
            totals(&report),
            "incomplete: 2 reported, 0 stored, 2 unchanged, 0 skipped, 0 failed, 0 removed"
        );
        let gaps: Vec<_> = report.kinds.iter().flat_map(|k| &k.gaps).collect();
        assert_eq!(
            gaps,
            ["accounts were read before and are not offered any more"]
        );
        assert_eq!(current(&bench, Kind::Account).await, 1);
    }
    assert_eq!(read(&bench, "hr", &whole).await.state, "complete");
}
