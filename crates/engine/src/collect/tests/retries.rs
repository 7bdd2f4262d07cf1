//! Retries, waits, lost connections, restarts, and stopping in the middle of each.

use super::*;
use lastkey_contract::Quota;
use std::sync::atomic::Ordering;

async fn lines(bench: &Bench, what: &str) -> Vec<String> {
    let (lines, _) = bench.store.journal(None, None, 0, 1000).await.unwrap();
    let lines = lines.into_iter().filter(|line| line.what == what);
    lines.map(|line| line.text).collect()
}

#[tokio::test]
async fn each_wait_is_told_with_its_cause_its_length_and_its_number() {
    let bench = bench(&["hr"]).await;
    let mut busy = error(ErrorKind::RateLimited, "too many requests");
    busy.retry_after_ms = Some(20);
    let connector = Seeded::new(100).with(Kind::Identity, people(0..3)).fault(
        Kind::Identity,
        0,
        Fault::Flaky(busy, 2),
    );
    assert_eq!(read(&bench, "hr", &connector).await.state, "complete");
    assert_eq!(
        lines(&bench, "retry").await,
        [
            "waiting 20 ms as the source asks before try 2 of 3: too many requests",
            "waiting 20 ms as the source asks before try 3 of 3: too many requests",
        ]
    );
}

#[tokio::test]
async fn a_wait_longer_than_a_read_waits_is_a_failure_that_says_so() {
    let bench = bench(&["hr"]).await;
    let mut busy = error(ErrorKind::RateLimited, "too many requests");
    busy.retry_after_ms = Some(3_600_000);
    let connector = Seeded::new(100).with(Kind::Identity, people(0..3)).fault(
        Kind::Identity,
        0,
        Fault::Flaky(busy, 1),
    );
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(
        report.failure.unwrap().message,
        "the source asks to wait 3600 s, longer than the 300 s that a read waits: too many requests, at `seeded`"
    );
    assert_eq!(connector.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_sync_has_only_so_many_tries_in_all() {
    let bench = bench(&["hr"]).await;
    let flaky = || Fault::Flaky(error(ErrorKind::Unavailable, "busy"), 1);
    let mut connector = Seeded::new(1).with(Kind::Identity, people(0..6));
    for page in 0..6 {
        connector = connector.fault(Kind::Identity, page, flaky());
    }
    let settings = SyncSettings {
        retries: 4,
        ..quick()
    };
    let report = read_with(&bench, "hr", &connector, &settings)
        .await
        .unwrap();
    assert_eq!(
        report.failure.unwrap().message,
        "busy; this sync has used up all its tries, at `seeded`"
    );
    assert_eq!(lines(&bench, "retry").await.len(), 4);
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_and_the_read_goes_on_or_begins_anew() {
    for (marks_die, restarts) in [(false, 0), (true, 1)] {
        let bench = bench(&["hr"]).await;
        let mut connector = Seeded::new(3).with(Kind::Identity, people(0..10)).fault(
            Kind::Identity,
            2,
            Fault::Cut(1),
        );
        connector.marks_die = marks_die;
        let report = read(&bench, "hr", &connector).await;
        assert_eq!(report.state, "complete", "{report:?}");
        assert_eq!((report.totals.reported, report.totals.skipped), (10, 0));
        assert_eq!(current(&bench, Kind::Identity).await, 10);
        assert_eq!(connector.connects.load(Ordering::SeqCst), 2);
        let told = lines(&bench, "restart").await;
        assert_eq!(told.len(), restarts, "{told:?}");
    }
}

#[tokio::test]
async fn a_kind_is_begun_anew_only_so_often() {
    for (times, state) in [(2, "complete"), (3, "failed")] {
        let bench = bench(&["hr"]).await;
        read(
            &bench,
            "hr",
            &Seeded::new(3).with(Kind::Identity, people(0..12)),
        )
        .await;
        let connector = Seeded::new(3).with(Kind::Identity, people(0..10)).fault(
            Kind::Identity,
            2,
            Fault::Lost(times),
        );
        let report = read(&bench, "hr", &connector).await;
        assert_eq!(report.state, state);
        assert_eq!(
            lines(&bench, "restart").await,
            ["identities are read anew: nobody knows this mark"; 2]
        );
        let left = if state == "complete" { 10 } else { 12 };
        assert_eq!(current(&bench, Kind::Identity).await, left);
    }
}

#[tokio::test]
async fn what_changed_between_two_beginnings_is_as_the_second_one_says() {
    let bench = bench(&["hr"]).await;
    // The first pass shows u0 to u5, then the mark is lost; meanwhile u1 goes and u2 is renamed.
    let connector =
        Seeded::new(3)
            .with(Kind::Identity, people(0..9))
            .fault(Kind::Identity, 2, Fault::Lost(1));
    let shared = connector.clone();
    let settings = quick();
    let source: SourceName = "hr".into();
    let (_keep, cancel) = watch::channel(false);
    // A connector whose facts differ after the first loss.
    let later = Turned {
        before: shared,
        after: Seeded::new(3).with(Kind::Identity, {
            let mut rest = people(2..9);
            rest[0] = identity("u2", "Renamed");
            rest
        }),
    };
    let report = sync(
        &bench.store,
        &source,
        &later,
        &now,
        &|_| {},
        cancel,
        &settings,
    )
    .await
    .unwrap();
    assert_eq!(report.state, "complete", "{report:?}");
    assert_eq!(current(&bench, Kind::Identity).await, 7);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    let renamed = snapshot
        .identities
        .iter()
        .any(|i| i.display_name.as_deref() == Some("Renamed"));
    assert!(renamed);
}

/// Answers from one set of facts until a page mark is lost, then from another.
struct Turned {
    before: Seeded,
    after: Seeded,
}

#[async_trait::async_trait]
impl Connector for Turned {
    fn descriptor(&self) -> &'static lastkey_contract::Descriptor {
        self.before.descriptor()
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.before.capabilities()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.before.check().await
    }
    async fn connect(&self) -> Result<Box<dyn lastkey_contract::Session>, ConnectorError> {
        Ok(Box::new(TurnedSession {
            now: Box::new(self.before.clone()),
            then: Some(Box::new(self.after.clone())),
        }))
    }
}

struct TurnedSession {
    now: Box<dyn lastkey_contract::Session>,
    then: Option<Box<dyn lastkey_contract::Session>>,
}

#[async_trait::async_trait]
impl lastkey_contract::Session for TurnedSession {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: lastkey_contract::PageRequest,
    ) -> Result<lastkey_contract::Page, ConnectorError> {
        let answer = self.now.read_page(kind, request).await;
        if answer.is_err()
            && let Some(then) = self.then.take()
        {
            self.now = then;
        }
        answer
    }
}

#[tokio::test]
async fn a_defect_of_a_connector_is_a_failure_of_its_read() {
    let bench = bench(&["hr"]).await;
    let connector =
        Seeded::new(3)
            .with(Kind::Identity, people(0..9))
            .fault(Kind::Identity, 1, Fault::Panic);
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(report.state, "failed");
    assert_eq!(
        report.failure.unwrap().message,
        "reading ended in a defect of lastkey, at `hr`"
    );
    assert_eq!(current(&bench, Kind::Identity).await, 3);
}

#[tokio::test]
async fn the_pace_of_a_source_is_kept_and_a_long_wait_is_told() {
    let bench = bench(&["hr"]).await;
    let mut settings = Settings::default();
    settings.0.insert("pace".to_owned(), "20/s".to_owned());
    settings
        .0
        .insert("check_first".to_owned(), "false".to_owned());
    bench
        .store
        .set_source_settings(&"hr".into(), &settings, now())
        .await
        .unwrap();
    let quota = Quota {
        remaining: 0,
        resets_in_ms: 1_100,
    };
    let connector = Seeded::new(1).with(Kind::Identity, people(0..5)).fault(
        Kind::Identity,
        2,
        Fault::Quota(quota),
    );
    let began = Instant::now();
    assert_eq!(read(&bench, "hr", &connector).await.state, "complete");
    // connect and five pages, 50 ms apart, and the wait for the new allowance
    assert!(began.elapsed() >= Duration::from_millis(1_300));
    let told = lines(&bench, "wait").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("the source allows 0 more requests in the next 1."),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_allowance_that_is_too_far_off_ends_the_read() {
    let bench = bench(&["hr"]).await;
    let quota = Quota {
        remaining: 0,
        resets_in_ms: 3_600_000,
    };
    let connector = Seeded::new(1).with(Kind::Identity, people(0..5)).fault(
        Kind::Identity,
        2,
        Fault::Quota(quota),
    );
    let report = read(&bench, "hr", &connector).await;
    assert_eq!((report.state.as_str(), report.totals.stored), ("failed", 3));
    let message = report.failure.unwrap().message;
    assert!(
        message.contains("longer than the 300 s that a read waits"),
        "{message}"
    );
}

/// Stops a read after a moment and gives back its report and how long the stop took.
async fn stopped_after(
    bench: &Bench,
    connector: &Seeded,
    settings: &SyncSettings,
    after: Duration,
) -> (Result<SyncReport, StoreError>, Duration) {
    let (stop, cancel) = watch::channel(false);
    let source: SourceName = "hr".into();
    let reading = async {
        let report = sync(
            &bench.store,
            &source,
            connector,
            &now,
            &|_| {},
            cancel,
            settings,
        )
        .await;
        (report, Instant::now())
    };
    let stopping = async {
        tokio::time::sleep(after).await;
        stop.send(true).unwrap();
        Instant::now()
    };
    let ((report, ended), told) = tokio::join!(reading, stopping);
    (report, ended.saturating_duration_since(told))
}

#[tokio::test]
async fn a_read_stops_within_a_second_wherever_it_is() {
    let patient = SyncSettings {
        first_wait: Duration::from_secs(50),
        longest_wait: Duration::from_secs(50),
        // a roll that takes most of the wait
        seed: Some(1),
        ..SyncSettings::default()
    };
    let people = || Seeded::new(1).with(Kind::Identity, people(0..400));
    let quota = Quota {
        remaining: 0,
        resets_in_ms: 60_000,
    };
    let mut asked = error(ErrorKind::RateLimited, "busy");
    asked.retry_after_ms = Some(60_000);
    let connecting = people();
    connecting
        .refusals
        .lock()
        .unwrap()
        .push(error(ErrorKind::Cancelled, "hangs"));
    let mut slow = people();
    slow.slow = Some(Duration::from_millis(3));
    for (state, connector) in [
        ("reading", people().fault(Kind::Identity, 3, Fault::Hang)),
        (
            "waiting",
            people().fault(Kind::Identity, 3, Fault::Error(asked)),
        ),
        (
            "pacing",
            people().fault(Kind::Identity, 3, Fault::Quota(quota)),
        ),
        ("connecting", connecting),
        ("storing", slow),
    ] {
        let bench = bench(&["hr"]).await;
        let after = Duration::from_millis(400);
        let (report, took) = stopped_after(&bench, &connector, &patient, after).await;
        let report = report.unwrap();
        assert!(took < Duration::from_secs(1), "{state}: {took:?}");
        assert_eq!(report.state, "cancelled", "{state}");
        assert!(!report.kinds[0].complete, "{state}");
        assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
        let stored = report.kinds[0].totals.stored;
        assert_eq!(current(&bench, Kind::Identity).await, stored, "{state}");
        let last = lines(&bench, "cancel").await;
        assert_eq!(last, ["the read was stopped"], "{state}");
    }
}

#[tokio::test]
async fn a_read_that_waits_for_another_process_can_be_stopped() {
    let bench = bench(&["hr"]).await;
    let mut other = bench.path.as_os_str().to_owned();
    other.push(".lock");
    let held = std::fs::File::options().write(true).open(other).unwrap();
    held.lock().unwrap();
    let connector = Seeded::new(1).with(Kind::Identity, people(0..3));
    let after = Duration::from_millis(100);
    let (report, took) = stopped_after(&bench, &connector, &SyncSettings::default(), after).await;
    assert!(matches!(report, Err(StoreError::Stopped)), "{report:?}");
    assert!(took < Duration::from_secs(1));
    assert_eq!(connector.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn our_rights_are_asked_first_and_kept() {
    let bench = bench(&["hr"]).await;
    let mut connector = Seeded::new(9).with(Kind::Identity, people(0..3));
    let right = |name: &str, why: &str| lastkey_contract::Right {
        name: name.to_owned(),
        why: why.to_owned(),
    };
    connector.check.signed_in_as = Some("reader".to_owned());
    connector.check.excess_rights = vec![right("write", "reading needs no write")];
    connector.check.missing_rights = vec![right("audit", "last use is not seen without it")];
    let report = read(&bench, "hr", &connector).await;
    assert_eq!(
        report.check.unwrap().signed_in_as.as_deref(),
        Some("reader")
    );
    assert_eq!(
        lines(&bench, "right").await,
        [
            "missing right `audit`: last use is not seen without it",
            "right in excess `write`: reading needs no write",
        ]
    );
    let source = bench.store.source(&"hr".into()).await.unwrap();
    let kept = bench.store.last_check(source.id).await.unwrap().unwrap();
    assert_eq!(kept.report, connector.check);
}

#[tokio::test]
async fn a_page_is_asked_for_while_the_one_before_is_stored() {
    let bench = bench(&["hr"]).await;
    let mut connector = Seeded::new(2_000).with(Kind::Identity, people(0..8_000));
    connector.slow = Some(Duration::from_millis(1));
    assert_eq!(read(&bench, "hr", &connector).await.state, "complete");
    let mut alone = Duration::ZERO;
    for _ in 0..4 {
        let began = Instant::now();
        read(&bench, "hr", &connector).await;
        alone = alone.max(began.elapsed());
    }
    // Unchanged pages store quickly; each answer now takes longer than that.
    connector.slow = Some(alone / 4 + Duration::from_millis(20));
    let answers = connector.slow.unwrap() * 4;
    // One after the other could never be this quick; a machine that is busy with other things
    // may be slow a few times.
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let began = Instant::now();
        read(&bench, "hr", &connector).await;
        quickest = quickest.min(began.elapsed());
        if quickest < answers + alone {
            return;
        }
    }
    panic!("{quickest:?} for answers of {answers:?} and storing of {alone:?}");
}
