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
        self.1.fetch_add(page.same.len() as u64, Ordering::Relaxed);
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

async fn read(bed: &Bed, connector: &dyn Connector) -> SyncReport {
    let settings = SyncSettings {
        page_limit: 7,
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

fn connector(folder: &Path) -> Box<dyn Connector> {
    let path = folder.display().to_string();
    let settings = Settings([("path".to_owned(), path)].into());
    lastkey_flat_files::configure(&settings, None).unwrap()
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
    all.sort();
    all
}

/// A row of accounts: id, name with or without quotes, and whether it cannot be understood.
type Row = (u8, u8, bool);

fn accounts(rows: &[Row]) -> String {
    let mut text = "system,id,name,enabled\n".to_owned();
    for (id, name, odd) in rows {
        let enabled = if *odd { "perhaps" } else { "true" };
        match name % 3 {
            0 => text.push_str(&format!("s,a{id},name {name},{enabled}\n")),
            1 => text.push_str(&format!("s,a{id},\"name, {name}\",{enabled}\r\n")),
            _ => text.push_str(&format!("s,a{id},\"name\n{name}\",{enabled}\n")),
        }
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

async fn alike(versions: Vec<(Vec<Row>, Vec<Row>)>) {
    let folder = tempfile::tempdir().unwrap();
    let (knowing, forgetful) = (bed().await, bed().await);
    let left_out = Arc::new(AtomicU64::new(0));
    for (account_rows, grant_rows) in &versions {
        std::fs::write(folder.path().join("accounts.csv"), accounts(account_rows)).unwrap();
        std::fs::write(folder.path().join("grants.csv"), grants(grant_rows)).unwrap();
        let counting = Counting(connector(folder.path()), Arc::clone(&left_out));
        let one = read(&knowing, &counting).await;
        let other = read(&forgetful, &Forgetful(connector(folder.path()))).await;
        assert_eq!(told(&one), told(&other));
        assert_eq!(facts(&knowing).await, facts(&forgetful).await);
        assert_eq!(knowing.store.check().await.unwrap(), Vec::<String>::new());
    }
    // The last one once more: whatever could be understood is known as it is.
    let before = left_out.load(Ordering::Relaxed);
    let counting = Counting(connector(folder.path()), Arc::clone(&left_out));
    let report = read(&knowing, &counting).await;
    let unchanged: u64 = report.kinds.iter().map(|kind| kind.totals.unchanged).sum();
    let passed = left_out.load(Ordering::Relaxed) - before;
    assert!(passed >= unchanged, "{passed} of {unchanged} were known");
    for bed in [knowing, forgetful] {
        bed.store.close().await;
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0u8..12, 0u8..4, proptest::bool::weighted(0.1)), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn what_is_known_is_told_as_if_it_had_been_read(
        versions in proptest::collection::vec((rows(), rows()), 2..5),
    ) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
            .block_on(alike(versions));
    }
}
