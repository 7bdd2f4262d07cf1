//! Incremental reads, holds, and going on after the program ended.

use super::*;
use crate::collect::seeded::Changes;
use std::sync::atomic::Ordering;

async fn lines(bench: &Bench, what: &str) -> Vec<String> {
    let (lines, _) = bench.store.journal(None, None, 0, 1000).await.unwrap();
    let lines = lines.into_iter().filter(|line| line.what == what);
    lines.map(|line| line.text).collect()
}

fn changing(facts: Vec<Fact>, watermark: &str) -> Seeded {
    Seeded::new(4)
        .with(Kind::Identity, facts)
        .watermark(watermark)
}

#[tokio::test]
async fn an_incremental_read_stores_what_changed_and_claims_as_much_as_a_full_one() {
    let bench = bench(&["hr"]).await;
    read(&bench, "hr", &changing(people(0..10), "one")).await;
    let mut after = people(1..12);
    after[1] = identity("u2", "Renamed");
    let changes = Changes {
        since: "one".to_owned(),
        records: vec![after[1].clone(), after[9].clone(), after[10].clone()],
        gone: vec!["u0".to_owned()],
        whole: Vec::new(),
    };
    let connector = changing(after, "two").changes(Kind::Identity, changes);
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(
        totals(&report),
        "complete: 3 reported, 3 stored, 0 unchanged, 0 skipped, 0 failed, 1 removed"
    );
    assert_eq!(report.kinds[0].mode, "incremental");
    assert_eq!(connector.requests.load(Ordering::SeqCst), 1);
    assert_eq!(current(&bench, Kind::Identity).await, 11);
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    assert_eq!(snapshot.reads[0].gaps, Vec::<String>::new());
    // The full read of the same source finds nothing to do.
    let full = SyncSettings {
        depth: Depth::Full,
        ..quick()
    };
    let report = read_with(&bench, "hr", &connector, &full).await.unwrap();
    assert_eq!(
        totals(&report),
        "complete: 11 reported, 0 stored, 11 unchanged, 0 skipped, 0 failed, 0 removed"
    );
    assert_eq!(report.kinds[0].mode, "full");
}

/// A read of changes in three pages that loses its connection after the first one, so that it is
/// begun anew within its sync: what it stores then it has met, although the last page says of the
/// parent that it was shown whole.
async fn anew_under_one_parent(kind: Kind, parent: &str, fact: fn(&str) -> Fact) {
    let bench = bench(&["hr"]).await;
    let facts = |ids: &[&str]| -> Vec<Fact> { ids.iter().map(|id| fact(id)).collect() };
    let changing = |facts: Vec<Fact>, watermark: &str| {
        let mut connector = Seeded::new(4).with(kind, facts).watermark(watermark);
        connector.marks_die = true;
        connector
    };
    let before = facts(&["a0", "a1", "gone"]);
    read(&bench, "hr", &changing(before, "one")).await;
    let after = facts(&["a0", "a1", "n1", "n2", "n3", "n4", "n5", "n6", "n7"]);
    let changes = Changes {
        since: "one".to_owned(),
        records: after.clone(),
        gone: Vec::new(),
        whole: vec![parent.to_owned()],
    };
    let connector = changing(after, "two")
        .changes(kind, changes)
        .fault(kind, 1, Fault::Cut(1));
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(report.kinds[0].mode, "incremental");
    // Of the second pass, which met again what the first one had stored.
    assert_eq!(
        totals(&report),
        "complete: 9 reported, 5 stored, 4 unchanged, 0 skipped, 0 failed, 1 removed",
        "{kind}"
    );
    assert_eq!(lines(&bench, "restart").await.len(), 1);
    assert_eq!(current(&bench, kind).await, 9, "{kind}");
}

#[tokio::test]
async fn a_read_of_changes_begun_anew_keeps_what_it_stored() {
    anew_under_one_parent(Kind::Grant, "corp\u{1f}g", |id| grant("corp", id, "g")).await;
    let credential = |id: &str| credential("corp", id, "a");
    anew_under_one_parent(Kind::Credential, "corp\u{1f}a", credential).await;
}

#[tokio::test]
async fn only_a_complete_base_with_the_same_settings_is_built_upon() {
    async fn mode(bench: &Bench, settings: &SyncSettings) -> String {
        let connector = changing(people(0..10), "one").changes(
            Kind::Identity,
            Changes {
                since: "one".to_owned(),
                ..Changes::default()
            },
        );
        let report = read_with(bench, "hr", &connector, settings).await.unwrap();
        assert_eq!(report.state, "complete");
        report.kinds[0].mode.clone()
    }
    let bench = bench(&["hr"]).await;
    assert_eq!(mode(&bench, &quick()).await, "full", "the first one");
    assert_eq!(mode(&bench, &quick()).await, "incremental");
    // A failure that brought nothing leaves the base as it was.
    let refused = changing(people(0..10), "one").fault(
        Kind::Identity,
        0,
        Fault::Error(error(ErrorKind::AuthRejected, "no")),
    );
    assert_eq!(read(&bench, "hr", &refused).await.state, "failed");
    assert_eq!(mode(&bench, &quick()).await, "incremental");
    // One that brought something does not.
    let broken = changing(people(0..10), "one").fault(
        Kind::Identity,
        1,
        Fault::Error(error(ErrorKind::Protocol, "half")),
    );
    let full = SyncSettings {
        depth: Depth::Full,
        ..quick()
    };
    read_with(&bench, "hr", &broken, &full).await.unwrap();
    assert_eq!(mode(&bench, &quick()).await, "full");
    assert_eq!(mode(&bench, &quick()).await, "incremental");
    let mut settings = Settings::default();
    settings.0.insert("pace".to_owned(), "1000/s".to_owned());
    let source: SourceName = "hr".into();
    bench
        .store
        .set_source_settings(&source, &settings, now())
        .await
        .unwrap();
    assert_eq!(
        mode(&bench, &quick()).await,
        "incremental",
        "the engine's own"
    );
    settings.0.insert("filter".to_owned(), "(a=b)".to_owned());
    bench
        .store
        .set_source_settings(&source, &settings, now())
        .await
        .unwrap();
    assert_eq!(mode(&bench, &quick()).await, "full", "another question");
    settings.0.insert("full_every".to_owned(), "0d".to_owned());
    bench
        .store
        .set_source_settings(&source, &settings, now())
        .await
        .unwrap();
    assert_eq!(mode(&bench, &quick()).await, "full", "every read");
}

#[tokio::test]
async fn a_watermark_that_is_not_known_any_more_is_a_declared_full_read() {
    let bench = bench(&["hr"]).await;
    read(&bench, "hr", &changing(people(0..10), "one")).await;
    let connector = changing(people(3..10), "two")
        .changes(
            Kind::Identity,
            Changes {
                since: "one".to_owned(),
                ..Changes::default()
            },
        )
        .fault(Kind::Identity, 0, Fault::Lost(1));
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(report.state, "complete");
    assert_eq!(
        (report.kinds[0].mode.as_str(), report.totals.removed),
        ("full", 3)
    );
    assert_eq!(
        lines(&bench, "restart").await,
        ["identities are read anew, all of them: nobody knows this mark"]
    );
}

#[tokio::test]
async fn a_source_that_shrinks_is_held_until_somebody_accepts_it() {
    let bench = bench(&["hr"]).await;
    read(
        &bench,
        "hr",
        &Seeded::new(50).with(Kind::Identity, people(0..40)),
    )
    .await;
    let shrunk = Seeded::new(50).with(Kind::Identity, people(0..31));
    assert_eq!(
        read(&bench, "hr", &shrunk).await.totals.removed,
        9,
        "few of many"
    );
    let empty = Seeded::new(50).with(Kind::Identity, Vec::new());
    for _ in 0..2 {
        let report = read(&bench, "hr", &empty).await;
        assert_eq!(
            (report.state.as_str(), report.totals.removed),
            ("incomplete", 0)
        );
        let gap = "31 of 31 identities would be removed, which is held until somebody accepts it";
        assert_eq!(report.kinds[0].gaps, [gap]);
        let held = report.kinds[0].held.unwrap();
        assert_eq!((held.would_remove, held.current), (31, 31));
        assert_eq!(current(&bench, Kind::Identity).await, 31);
        assert_eq!(lines(&bench, "hold").await[0], gap);
    }
    let accept = SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    let report = read_with(&bench, "hr", &empty, &accept).await.unwrap();
    assert_eq!(
        (report.state.as_str(), report.totals.removed),
        ("complete", 31)
    );
    let log = bench.store.log_window(0, 100).await.unwrap();
    let accepted = log.iter().find(|e| e.what == "removals accepted").unwrap();
    assert_eq!(accepted.who, "tester");
}

/// A read of these people whose answer ends without the mark of its end.
fn open_ended(people: Vec<Fact>) -> Seeded {
    let note = Note {
        kind: NoteKind::OpenEnd,
        about: Kind::Identity,
        reason: "the last row has no line end".to_owned(),
        count: 0,
        examples: Vec::new(),
    };
    Seeded::new(50)
        .with(Kind::Identity, people)
        .fault(Kind::Identity, 0, Fault::Note(note))
}

#[tokio::test]
async fn an_answer_without_its_end_removes_nothing_until_somebody_accepts_it() {
    let bench = bench(&["always", "once"]).await;
    let state = |report: &SyncReport| {
        let kind = &report.kinds[0];
        let held = kind.held.map(|held| (held.would_remove, held.current));
        (report.state.clone(), held, kind.gaps.join("; "))
    };
    let accept = SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    // The first of all proves nothing of its end: whoever was cut off was never seen.
    let gap = "the last row has no line end; no whole read before ended so, and rows may be missing until somebody accepts that it is whole";
    let first = open_ended(people(0..40));
    for before in [0, 40] {
        let held = ("incomplete".to_owned(), Some((0, before)), gap.to_owned());
        let report = read(&bench, "always", &first).await;
        assert_eq!(state(&report), held);
    }
    let report = read_with(&bench, "always", &first, &accept).await.unwrap();
    assert_eq!(report.state, "complete");
    // A source whose answers always end so is read as any other while it removes nothing.
    for upto in [40, 40, 41] {
        let report = read(&bench, "always", &open_ended(people(0..upto))).await;
        assert_eq!(state(&report), ("complete".to_owned(), None, String::new()));
    }
    let one_less = open_ended(people(0..40));
    let report = read(&bench, "always", &one_less).await;
    let one = "the last row has no line end; 1 of 41 identities would be removed, which is held until somebody accepts it";
    let held = ("incomplete".to_owned(), Some((1, 41)), one.to_owned());
    assert_eq!(state(&report), held);
    assert_eq!(current(&bench, Kind::Identity).await, 41);
    let report = read_with(&bench, "always", &one_less, &accept).await;
    assert_eq!(report.unwrap().totals.removed, 1);
    // Where the read before had its end, rows may be missing that nobody has seen.
    let more = |from: u32, upto: u32| (from..upto).map(|n| identity(&format!("o{n}"), "One"));
    let whole = Seeded::new(50).with(Kind::Identity, more(0, 5).collect());
    assert_eq!(read(&bench, "once", &whole).await.state, "complete");
    let cut = open_ended(more(0, 9).collect());
    let report = read(&bench, "once", &cut).await;
    let held = ("incomplete".to_owned(), Some((0, 5)), gap.to_owned());
    assert_eq!(state(&report), held);
    let report = read_with(&bench, "once", &cut, &accept).await.unwrap();
    assert_eq!(report.state, "complete");
    assert_eq!(read(&bench, "once", &cut).await.state, "complete");
}

#[tokio::test]
async fn the_threshold_is_a_setting() {
    let bench = bench(&["hr"]).await;
    let mut settings = Settings::default();
    settings.0.insert("hold_above".to_owned(), "100".to_owned());
    let source: SourceName = "hr".into();
    bench
        .store
        .set_source_settings(&source, &settings, now())
        .await
        .unwrap();
    read(
        &bench,
        "hr",
        &Seeded::new(50).with(Kind::Identity, people(0..40)),
    )
    .await;
    let empty = Seeded::new(50).with(Kind::Identity, Vec::new());
    assert_eq!(read(&bench, "hr", &empty).await.totals.removed, 40);
}

/// The state that counts: every fact, and how completely each kind was read.
async fn state(bench: &Bench) -> String {
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    let mut identities: Vec<String> = snapshot
        .identities
        .iter()
        .map(|i| format!("{i:?}"))
        .collect();
    let mut accounts: Vec<String> = snapshot.accounts.iter().map(|a| format!("{a:?}")).collect();
    let mut grants: Vec<String> = snapshot.grants.iter().map(|g| format!("{g:?}")).collect();
    for list in [&mut identities, &mut accounts, &mut grants] {
        list.sort();
    }
    let reads: Vec<String> = snapshot
        .reads
        .iter()
        .map(|read| {
            format!(
                "{} {:?} {}",
                read.kind,
                read.gaps,
                read.complete_at.is_some()
            )
        })
        .collect();
    format!("{identities:?}\n{accounts:?}\n{grants:?}\n{reads:?}")
}

fn estate(round: u32) -> (Vec<Fact>, Vec<Fact>, Vec<Fact>) {
    let first = round * 2;
    let people: Vec<Fact> = (first..first + 14)
        .map(|n| identity(&format!("u{n}"), &format!("Person {}", n + round * (n % 3))))
        .collect();
    let accounts = (first..first + 11)
        .map(|n| account("ad", &format!("a{n}"), &format!("u{n}")))
        .collect();
    let grants = (first..first + 11)
        .flat_map(|n| vec![grant("ad", &format!("a{n}"), &format!("g{}", n % 3)); (n % 3) as usize])
        .collect();
    (people, accounts, grants)
}

fn connector(round: u32) -> Seeded {
    let (people, accounts, grants) = estate(round);
    Seeded::new(3)
        .with(Kind::Identity, people)
        .with(Kind::Account, accounts)
        .with(Kind::Grant, grants)
}

/// Reads until a read is through: each time a random fault, a random kill, or both.
async fn through_trouble(seed: u64, marks_die: bool) {
    let undisturbed = bench(&["hr"]).await;
    for round in 0..2 {
        assert_eq!(
            read(&undisturbed, "hr", &connector(round)).await.state,
            "complete"
        );
    }
    let mut dice = crate::collect::patience::Dice::new(Some(seed));
    let mut bench = bench(&["hr"]).await;
    assert_eq!(read(&bench, "hr", &connector(0)).await.state, "complete");
    for attempt in 0..40 {
        let kinds = [Kind::Identity, Kind::Account, Kind::Grant];
        let kind = kinds[(dice.roll() % 3) as usize];
        let page = (dice.roll() % 4) as usize;
        let mut connector = connector(1);
        connector.marks_die = marks_die;
        connector.slow = Some(Duration::from_micros(500));
        let connector = match dice.roll() % 6 {
            0 => connector.fault(kind, page, Fault::Cut(1)),
            1 => connector.fault(kind, page, Fault::Lost(1)),
            2 => connector.fault(
                kind,
                page,
                Fault::Flaky(error(ErrorKind::Unavailable, "busy"), 1),
            ),
            3 => connector.fault(kind, page, Fault::Error(error(ErrorKind::Protocol, "half"))),
            _ => connector,
        };
        let settings = SyncSettings {
            seed: Some(seed),
            request_timeout: Duration::from_secs(5),
            ..quick()
        };
        // The last attempts are left alone, so that there is an end.
        let kill_after = (attempt < 30).then(|| Duration::from_micros(dice.roll() % 60_000));
        let (_keep, cancel) = watch::channel(false);
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
        let done = match kill_after {
            None => Some(reading.await.unwrap()),
            Some(after) => tokio::time::timeout(after, reading)
                .await
                .ok()
                .map(Result::unwrap),
        };
        // As after kill -9: nothing was told to the store, which is opened anew.
        let store = bench.store.clone();
        store.close().await;
        bench.store = Store::open(&bench.path, &key(), "tester", now())
            .await
            .unwrap();
        assert_eq!(
            bench.store.check().await.unwrap(),
            Vec::<String>::new(),
            "seed {seed}"
        );
        match done {
            Some(report) if report.state == "complete" => {
                let expected = state(&undisturbed).await;
                assert_eq!(
                    state(&bench).await,
                    expected,
                    "seed {seed}, attempt {attempt}"
                );
                return;
            }
            Some(report) => assert_eq!(report.state, "failed", "seed {seed}"),
            None => {
                let latest = bench.store.newest_sync().await.unwrap().unwrap();
                assert!(
                    matches!(
                        latest.state,
                        SyncState::Interrupted | SyncState::Complete | SyncState::Failed
                    ),
                    "seed {seed}: {latest:?}"
                );
            }
        }
    }
    panic!("seed {seed}: never through");
}

#[tokio::test]
async fn faults_and_kills_end_where_an_undisturbed_read_ends() {
    for seed in 0..6 {
        through_trouble(seed, seed % 3 == 0).await;
    }
}

#[tokio::test]
async fn a_read_that_was_cut_off_goes_on_and_says_so() {
    let mut bench = bench(&["hr"]).await;
    let all = || Seeded::new(3).with(Kind::Identity, people(0..10));
    let hanging = all().fault(Kind::Identity, 2, Fault::Hang);
    let source: SourceName = "hr".into();
    let (_keep, cancel) = watch::channel(false);
    let settings = SyncSettings::default();
    let reading = sync(
        &bench.store,
        &source,
        &hanging,
        &now,
        &|_| {},
        cancel,
        &settings,
    );
    assert!(
        tokio::time::timeout(Duration::from_millis(500), reading)
            .await
            .is_err()
    );
    bench.store.clone().close().await;
    bench.store = Store::open(&bench.path, &key(), "tester", now())
        .await
        .unwrap();
    let again = all();
    let report = read(&bench, "hr", &again).await;
    assert!(report.resumed);
    assert_eq!(
        totals(&report),
        "complete: 10 reported, 10 stored, 0 unchanged, 0 skipped, 0 failed, 0 removed"
    );
    assert_eq!(
        again.requests.load(Ordering::SeqCst),
        2,
        "only the pages that were missing"
    );
    assert_eq!(
        lines(&bench, "resume").await,
        [
            "going on with the read of `hr` that was cut off after 2026-03-01T12:00:00Z",
            "identities go on after the 6 that were received",
        ]
    );
}

#[tokio::test]
async fn a_read_of_files_that_were_replaced_since_is_begun_anew_and_says_so() {
    let of_files = |people, accounts| {
        let both = Seeded::new(3).with(Kind::Identity, people);
        both.with(Kind::Account, accounts).of_files()
    };
    let accounts = |numbers: std::ops::Range<u32>| -> Vec<Fact> {
        let of = |n| account("corp", &format!("a{n}"), &format!("u{n}"));
        numbers.map(of).collect()
    };
    // Read to its end before, and under way: either may be another one now.
    for (people_now, accounts_now, why) in [
        (people(5..10), accounts(0..8), Some("identities")),
        (people(0..5), accounts(4..12), Some("accounts")),
        (people(0..5), accounts(0..8), None),
    ] {
        let mut bench = bench(&["hr"]).await;
        let before = of_files(people(0..5), accounts(0..8)).fault(Kind::Account, 1, Fault::Hang);
        let (_keep, cancel) = watch::channel(false);
        let source: SourceName = "hr".into();
        let settings = SyncSettings::default();
        let reading = sync(
            &bench.store,
            &source,
            &before,
            &now,
            &|_| {},
            cancel,
            &settings,
        );
        let cut = tokio::time::timeout(Duration::from_millis(500), reading).await;
        assert!(cut.is_err());
        bench.store.clone().close().await;
        bench.store = Store::open(&bench.path, &key(), "tester", now())
            .await
            .unwrap();
        let again = of_files(people_now.clone(), accounts_now.clone());
        let report = read(&bench, "hr", &again).await;
        assert_eq!(report.state, "complete");
        assert_eq!(report.resumed, why.is_none());
        let said = why.map(|kind| format!("the file of {kind} is another one"));
        assert_eq!(report.anew, said);
        let lines = lines(&bench, "restart").await;
        let expected = said.map(|why| format!("the read that was cut off is begun anew: {why}"));
        assert_eq!(lines, Vec::from_iter(expected));
        // The identities of before went by a complete read of the file that lacks them.
        let standing = bench
            .store
            .table(
                Kind::Identity,
                &TableQuery {
                    limit: 100,
                    ..TableQuery::default()
                },
            )
            .await
            .unwrap();
        assert_eq!(standing.rows.len(), people_now.len());
        let standing: Vec<String> = standing
            .rows
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect();
        let wanted: Vec<String> = people_now.iter().map(Fact::key).collect();
        assert!(
            wanted.iter().all(|id| standing.contains(id)),
            "{standing:?}"
        );
    }
}
