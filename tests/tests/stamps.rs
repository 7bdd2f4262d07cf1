//! A file that is read again: rows that the store has as they are need not be understood again,
//! and nothing else may come of it than if they had been.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use async_trait::async_trait;
use chrono::Utc;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Page, PageRequest,
    Session, Settings, SourceName,
};
use lastkey_engine::collect::{Removals, SyncSettings, sync};
use lastkey_engine::store::{Store, StoreKey};
use lastkey_engine::views::SyncReport;
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Forwards everything but what the engine knows.
struct Forgetful(Box<dyn Connector>);

#[async_trait]
impl Connector for Forgetful {
    fn descriptor(&self) -> &'static Descriptor {
        self.0.descriptor()
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.0.capabilities()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.0.check().await
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(ForgetfulSession(self.0.connect().await?)))
    }
}

struct ForgetfulSession(Box<dyn Session>);

#[async_trait]
impl Session for ForgetfulSession {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        self.0.read_page(kind, request).await
    }
}

/// Counts the records that were left out.
struct Counting(Box<dyn Connector>, Arc<AtomicU64>);

#[async_trait]
impl Connector for Counting {
    fn descriptor(&self) -> &'static Descriptor {
        self.0.descriptor()
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.0.capabilities()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.0.check().await
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let session = self.0.connect().await?;
        Ok(Box::new(CountingSession(session, Arc::clone(&self.1))))
    }
}

struct CountingSession(Box<dyn Session>, Arc<AtomicU64>);

#[async_trait]
impl Session for CountingSession {
    fn knows(&mut self, kind: Kind, known: lastkey_contract::Known) {
        self.0.knows(kind, known);
    }
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let page = self.0.read_page(kind, request).await?;
        let left_out: u64 = page.same.iter().map(|run| u64::from(run.count)).sum();
        self.1.fetch_add(left_out, Ordering::Relaxed);
        Ok(page)
    }
}

struct Bed {
    store: Store,
    _folder: tempfile::TempDir,
}

async fn bed() -> Bed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.lastkey");
    let key = StoreKey::new([5; 32]);
    let store = Store::create(&path, &key, "stamps", Utc::now())
        .await
        .unwrap();
    store
        .add_source(
            &SourceName::new("files"),
            "flat-files",
            &Settings::default(),
            Utc::now(),
        )
        .await
        .unwrap();
    Bed {
        store,
        _folder: folder,
    }
}

async fn read(bed: &Bed, connector: &dyn Connector, page_limit: u32) -> SyncReport {
    let settings = SyncSettings {
        page_limit,
        removals: Removals::Accept,
        ..SyncSettings::default()
    };
    let (_keep, cancel) = watch::channel(false);
    let source = SourceName::new("files");
    sync(
        &bed.store,
        &source,
        connector,
        &Utc::now,
        &|_| {},
        cancel,
        &settings,
    )
    .await
    .unwrap()
}

/// What is set of the connector beside its path.
type Set<'a> = Vec<(&'a str, &'a str)>;

fn connector(folder: &Path, set: &Set<'_>) -> Box<dyn Connector> {
    let path = folder.display().to_string();
    let own = ("path", path.as_str());
    let set = set.iter().chain([&own]);
    let settings = set.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    lastkey_flat_files::configure(&Settings(settings.collect()), None).unwrap()
}

/// What a report says but for its times.
fn told(report: &SyncReport) -> String {
    let kinds: Vec<String> = report
        .kinds
        .iter()
        .map(|kind| {
            format!(
                "{} {:?} {} {:?}",
                kind.kind, kind.totals, kind.complete, kind.gaps
            )
        })
        .collect();
    format!("{} {}", report.state, kinds.join("; "))
}

async fn facts(bed: &Bed) -> Vec<String> {
    let snapshot = bed.store.load_snapshot(None).await.unwrap();
    let mut all: Vec<String> = Vec::new();
    all.extend(
        snapshot
            .accounts
            .iter()
            .map(|x| serde_json::to_string(x).unwrap()),
    );
    all.extend(
        snapshot
            .grants
            .iter()
            .map(|x| serde_json::to_string(x).unwrap()),
    );
    all.extend(
        snapshot
            .entitlements
            .iter()
            .map(|x| serde_json::to_string(x).unwrap()),
    );
    all.sort();
    all
}

/// A row of accounts: id, name with or without quotes, and whether it cannot be understood.
type Row = (u8, u8, bool);

/// What a file looks like, and how it is understood.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Whether two columns have changed places.
    turned: bool,
    /// Whether the mapping says of each account that it is privileged.
    mapped: bool,
    /// Whether the last row has no line end.
    open: bool,
}

fn accounts(rows: &[Row], look: Look) -> String {
    let mut text = match look.turned {
        false => "system,id,name,enabled\n".to_owned(),
        true => "system,id,enabled,name\n".to_owned(),
    };
    for (id, name, odd) in rows {
        let enabled = if *odd { "perhaps" } else { "true" };
        let (name, end) = match name % 3 {
            0 => (format!("name {name}"), "\n"),
            1 => (format!("\"name, {name}\""), "\r\n"),
            _ => (format!("\"name\n{name}\""), "\n"),
        };
        text.push_str(&match look.turned {
            false => format!("s,a{id},{name},{enabled}{end}"),
            true => format!("s,a{id},{enabled},{name}{end}"),
        });
    }
    if look.open && !rows.is_empty() {
        text.pop();
    }
    text
}

fn grants(rows: &[Row]) -> String {
    let mut text = "system,principal_type,principal_id,entitlement_id,reason\n".to_owned();
    for (id, name, _) in rows {
        text.push_str(&format!(
            "s,account,a{id},e{},reason {}\n",
            id % 2,
            name % 2
        ));
    }
    text
}

/// Assignments of roles, where the first row of a role stands for the role.
fn assignments(rows: &[Row]) -> String {
    let mut text = "User,Role,Start Date,End Date,Full Name\n".to_owned();
    for (user, name, odd) in rows {
        let role = user % 4;
        let start = if *odd { "some day" } else { "20250101" };
        text.push_str(&format!("U{user},R{role},{start},,Name {name}\n"));
    }
    text
}

/// One state of a folder's files, by name, and what is set of the connector that reads it.
type State<'a> = (Vec<(&'a str, String)>, Set<'a>);

/// INVARIANT: a read that knows what the store has ends as one that knows nothing.
async fn alike(states: &[State<'_>], page_limit: u32) {
    let folder = tempfile::tempdir().unwrap();
    let (knowing, forgetful) = (bed().await, bed().await);
    let left_out = Arc::new(AtomicU64::new(0));
    let counting = |set| Counting(connector(folder.path(), set), Arc::clone(&left_out));
    for (files, set) in states {
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let one = read(&knowing, &counting(set), page_limit).await;
        let other = Forgetful(connector(folder.path(), set));
        let other = read(&forgetful, &other, page_limit).await;
        assert_eq!(told(&one), told(&other));
        assert_eq!(facts(&knowing).await, facts(&forgetful).await);
        assert_eq!(knowing.store.check().await.unwrap(), Vec::<String>::new());
    }
    // The last one once more: whatever could be understood is known as it is, also what was
    // written another way before.
    let before = left_out.load(Ordering::Relaxed);
    // (Rows of a recipe are always read.)
    let last = states.last();
    let last = last.filter(|(_, set)| set.iter().all(|(key, _)| *key != "recipe"));
    if let Some((_, set)) = last {
        let report = read(&knowing, &counting(set), page_limit).await;
        let unchanged: u64 = report.kinds.iter().map(|kind| kind.totals.unchanged).sum();
        let passed = left_out.load(Ordering::Relaxed) - before;
        assert!(passed >= unchanged, "{passed} of {unchanged} were known");
        assert_eq!(knowing.store.check().await.unwrap(), Vec::<String>::new());
    }
    for bed in [knowing, forgetful] {
        bed.store.close().await;
    }
}

fn in_a_runtime(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0u8..12, 0u8..4, proptest::bool::weighted(0.1)), 0..30)
}

fn look() -> impl Strategy<Value = Look> {
    let seldom = || proptest::bool::weighted(0.2);
    (seldom(), seldom(), seldom()).prop_map(|(turned, mapped, open)| Look {
        turned,
        mapped,
        open,
    })
}

/// A later list: some rows of the one before in their order, turned about, and others between them.
fn later(before: &[Row], fresh: &[Row], turn: usize) -> Vec<Row> {
    let kept = before.iter().enumerate().filter(|(n, _)| n % 7 != turn % 7);
    let mut rows: Vec<Row> = kept.map(|(_, row)| *row).collect();
    let middle = turn % (rows.len() + 1);
    if turn.is_multiple_of(3) {
        rows.rotate_left(middle);
    }
    for (n, row) in fresh.iter().enumerate() {
        rows.insert((middle + n * turn) % (rows.len() + 1), *row);
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn what_is_known_is_told_as_if_it_had_been_read(
        versions in proptest::collection::vec((rows(), rows(), look()), 2..5),
        page_limit in 3u32..40,
    ) {
        let states: Vec<State<'_>> = versions
            .iter()
            .map(|(account_rows, grant_rows, look)| {
                let files = vec![
                    ("accounts.csv", accounts(account_rows, *look)),
                    ("grants.csv", grants(grant_rows)),
                ];
                let set = match look.mapped {
                    false => Vec::new(),
                    true => vec![("fixed.accounts.privileged", "true")],
                };
                (files, set)
            })
            .collect();
        in_a_runtime(alike(&states, page_limit));
    }

    #[test]
    fn rows_that_moved_came_or_went_between_others_are_told_alike(
        first in rows(),
        others in proptest::collection::vec((proptest::collection::vec(
            (0u8..12, 0u8..4, Just(false)), 0..4), 0usize..40), 1..4),
        page_limit in 3u32..40,
    ) {
        let plain = Look { turned: false, mapped: false, open: false };
        let (mut states, mut now) = (Vec::new(), first);
        for (fresh, turn) in [(Vec::new(), 0)].into_iter().chain(others) {
            let files = vec![
                ("accounts.csv", accounts(&now, plain)),
                ("grants.csv", grants(&now)),
            ];
            states.push((files, Vec::new()));
            now = later(&now, &fresh, turn);
        }
        in_a_runtime(alike(&states, page_limit));
    }

    #[test]
    fn rows_that_a_recipe_reads_are_told_alike(
        versions in proptest::collection::vec(rows(), 2..5),
        page_limit in 3u32..40,
    ) {
        let states: Vec<State<'_>> = versions
            .iter()
            .map(|rows| {
                let files = vec![("assignments.csv", assignments(rows))];
                (files, vec![("recipe", "sap")])
            })
            .collect();
        in_a_runtime(alike(&states, page_limit));
    }
}
