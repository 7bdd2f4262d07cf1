//! Real files that are replaced between the end of one process and the next: no read is a mix of both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use async_trait::async_trait;
use chrono::Utc;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Had, Kind, KindCapability, Page,
    PageRequest, Session, Settings, SourceName,
};
use lastkey_engine::collect::{SyncSettings, sync};
use lastkey_engine::store::{Store, StoreKey, TableQuery};
use lastkey_engine::views::SyncReport;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

const ROWS: usize = 6;

/// Forwards everything, but never answers with the second page of a kind: a process that is ended
/// there.
struct Hangs(Box<dyn Connector>, Kind);
struct HangingSession(Box<dyn Session>, Kind);

#[async_trait]
impl Connector for Hangs {
    fn descriptor(&self) -> &'static Descriptor {
        self.0.descriptor()
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.0.capabilities()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.0.check().await
    }
    async fn replaced(&self, had: &Had) -> Result<Option<String>, ConnectorError> {
        self.0.replaced(had).await
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(HangingSession(self.0.connect().await?, self.1)))
    }
}

#[async_trait]
impl Session for HangingSession {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        if kind == self.1 && request.cursor.is_some() {
            std::future::pending::<()>().await;
        }
        self.0.read_page(kind, request).await
    }
}

fn connector(folder: &Path) -> Box<dyn Connector> {
    let mut settings = Settings::default();
    settings
        .0
        .insert("path".to_owned(), folder.display().to_string());
    lastkey_flat_files::configure(&settings, None).unwrap()
}

fn accounts(ids: &[&str]) -> String {
    let rows = ids.iter().map(|id| format!("ad,{id},human\n"));
    format!("system,id,kind\n{}", rows.collect::<String>())
}

fn places(word: &str) -> String {
    let rows = (0..ROWS).map(|n| format!("vault,/{word}/{n},vault\n"));
    format!("system,path,kind\n{}", rows.collect::<String>())
}

async fn read(store: &Store, connector: &dyn Connector, patience: Duration) -> Option<SyncReport> {
    let settings = SyncSettings {
        page_limit: 2,
        ..SyncSettings::default()
    };
    let (_keep, cancel) = watch::channel(false);
    let source = SourceName::new("e");
    let reading = sync(
        store,
        &source,
        connector,
        &Utc::now,
        &|_| {},
        cancel,
        &settings,
    );
    let through = tokio::time::timeout(patience, reading).await.ok();
    through.map(|report| report.unwrap())
}

async fn names(store: &Store, kind: Kind, column: &str) -> Vec<String> {
    let query = TableQuery {
        limit: 100,
        ..TableQuery::default()
    };
    let table = store.table(kind, &query).await.unwrap();
    let of =
        |row: &serde_json::Map<String, serde_json::Value>| row[column].as_str().unwrap().to_owned();
    let mut names: Vec<String> = table.rows.iter().map(of).collect();
    names.sort();
    names
}

/// Reads two files, is ended while it reads the second one, and reads again after `replace`.
#[track_caller]
fn check(replace: impl FnOnce(&Path), why: Option<&str>, expected_accounts: &[&str], word: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join("e");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("accounts.csv"), accounts(&["a1", "a2"])).unwrap();
    std::fs::write(folder.join("locations.csv"), places("old")).unwrap();
    runtime.block_on(async {
        let path = room.path().join("s.lastkey");
        let key = StoreKey::new([5; 32]);
        let store = Store::create(&path, &key, "replaced", Utc::now())
            .await
            .unwrap();
        store
            .add_source(
                &SourceName::new("e"),
                "flat-files",
                &Settings::default(),
                Utc::now(),
            )
            .await
            .unwrap();
        let hangs = Hangs(connector(&folder), Kind::Location);
        assert_eq!(read(&store, &hangs, Duration::from_secs(3)).await, None);
        store.close().await;
        replace(&folder);
        let store = Store::open(&path, &key, "replaced", Utc::now())
            .await
            .unwrap();
        let report = read(&store, &*connector(&folder), Duration::from_secs(300))
            .await
            .unwrap();
        assert_eq!(
            (report.state.as_str(), report.anew.as_deref()),
            ("complete", why)
        );
        assert_eq!(report.resumed, why.is_none());
        assert_eq!(names(&store, Kind::Account, "id").await, expected_accounts);
        let places: Vec<String> = (0..ROWS).map(|n| format!("/{word}/{n}")).collect();
        assert_eq!(names(&store, Kind::Location, "path").await, places);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        store.close().await;
    });
}

#[test]
fn a_file_that_had_been_read_and_was_replaced() {
    let why = "`accounts.csv` is another file now than the one that was read";
    let replace = |folder: &Path| {
        std::fs::write(folder.join("accounts.csv"), accounts(&["a2", "a9"])).unwrap();
    };
    check(replace, Some(why), &["a2", "a9"], "old");
}

#[test]
fn a_file_that_was_being_read_and_was_replaced() {
    let why = "`locations.csv` is another file now than the one that was read";
    let replace = |folder: &Path| {
        std::fs::write(folder.join("locations.csv"), places("new")).unwrap();
    };
    check(replace, Some(why), &["a1", "a2"], "new");
}

#[test]
fn files_that_were_written_again_as_they_were_are_gone_on_with() {
    let replace = |folder: &Path| {
        std::fs::write(folder.join("accounts.csv"), accounts(&["a1", "a2"])).unwrap();
        std::fs::write(folder.join("locations.csv"), places("old")).unwrap();
    };
    check(replace, None, &["a1", "a2"], "old");
}
