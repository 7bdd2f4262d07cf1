//! What cases share: reading kind by kind, and whole syncs into a store of their own.

use crate::outcome::{Why, ensure};
use crate::subject::Facts;
use chrono::Utc;
use lastkey_contract::{
    Connector, ConnectorError, Cursor, ErrorKind, Fact, Kind, KindCapability, Page, PageRequest,
    Session, SourceName,
};
use lastkey_engine::collect::{SyncSettings, sync};
use lastkey_engine::store::{Store, StoreError, StoreKey, SyncId};
use lastkey_engine::views::{JournalRow, SyncReport};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;

/// The request for a page.
pub fn ask(cursor: Option<Cursor>, limit: u32) -> PageRequest {
    PageRequest {
        cursor,
        limit,
        since: None,
    }
}

/// All pages of one kind, in a session of its own.
pub async fn read_to_end(
    connector: &dyn Connector,
    kind: Kind,
    limit: u32,
) -> Result<Vec<Page>, ConnectorError> {
    let mut session = connector.connect().await?;
    pages(session.as_mut(), kind, limit).await
}

/// All pages of one kind.
pub async fn pages(
    session: &mut dyn Session,
    kind: Kind,
    limit: u32,
) -> Result<Vec<Page>, ConnectorError> {
    rest(session, kind, limit, None, None).await
}

/// The pages of one kind from a cursor, or since a watermark.
pub async fn rest(
    session: &mut dyn Session,
    kind: Kind,
    limit: u32,
    mut cursor: Option<Cursor>,
    since: Option<&str>,
) -> Result<Vec<Page>, ConnectorError> {
    let mut pages: Vec<Page> = Vec::new();
    let mut met = HashSet::new();
    loop {
        if let Some(cursor) = &cursor
            && !met.insert(cursor.clone())
        {
            let told = format!("the cursor `{}` came twice", cursor.0);
            return Err(ConnectorError::new(
                ErrorKind::Bug,
                "the suite",
                "read",
                told,
            ));
        }
        let request = PageRequest {
            cursor,
            limit,
            since: since.map(str::to_owned),
        };
        let page = session.read_page(kind, request).await?;
        cursor = page.next.clone();
        let last = cursor.is_none();
        pages.push(page);
        if last {
            return Ok(pages);
        }
    }
}

/// The records of pages.
pub fn records(pages: &[Page]) -> Vec<Fact> {
    pages.iter().flat_map(|page| page.records.clone()).collect()
}

/// Facts as sorted text, so that two sets can be held against each other.
pub fn set(facts: &[Fact]) -> Vec<String> {
    let mut texts: Vec<String> = facts
        .iter()
        .map(|fact| serde_json::to_string(fact).unwrap_or_default())
        .collect();
    texts.sort();
    texts
}

/// Whether two sets are the same; if not, the first that only one of them has.
pub fn same(what: &str, got: &[Fact], expected: &[Fact]) -> Result<(), Why> {
    let (got, expected) = (set(got), set(expected));
    if got == expected {
        return Ok(());
    }
    let cut = |text: &String| text.chars().take(300).collect::<String>();
    let only = |left: &[String], right: &[String]| {
        let mut rest = right.to_vec();
        left.iter()
            .find(|text| match rest.iter().position(|other| other == *text) {
                None => true,
                Some(at) => {
                    rest.swap_remove(at);
                    false
                }
            })
            .map(cut)
    };
    Err(Why::Failed(format!(
        "{what}: {} read and {} expected; read and not expected: {}; expected and not read: {}",
        got.len(),
        expected.len(),
        only(&got, &expected).unwrap_or_else(|| "nothing".to_owned()),
        only(&expected, &got).unwrap_or_else(|| "nothing".to_owned()),
    )))
}

/// What the connector offers, in reading order; offering nothing is a failure of the case.
pub fn offered(connector: &dyn Connector) -> Result<Vec<KindCapability>, Why> {
    let mut offered = connector.capabilities();
    offered.sort_by_key(|capability| capability.kind);
    ensure!(!offered.is_empty(), "the connector offers nothing to read");
    Ok(offered)
}

/// Everything, kind by kind, in one session.
pub async fn everything(connector: &dyn Connector, limit: u32) -> Result<Facts, Why> {
    let mut session = connector.connect().await?;
    let mut all = BTreeMap::new();
    for capability in offered(connector)? {
        let pages = pages(session.as_mut(), capability.kind, limit).await?;
        all.insert(capability.kind, records(&pages));
    }
    Ok(all)
}

/// Whether everything is as expected, in the kinds that are offered.
pub fn all_same(what: &str, got: &Facts, expected: &Facts) -> Result<(), Why> {
    for (kind, facts) in got {
        let none = Vec::new();
        let wanted = expected.get(kind).unwrap_or(&none);
        same(&format!("{what}, {}", kind.plural()), facts, wanted)?;
    }
    let missing: Vec<&str> = expected
        .keys()
        .filter(|kind| !got.contains_key(kind))
        .map(|kind| kind.plural())
        .collect();
    ensure!(missing.is_empty(), "{what}: not offered: {missing:?}");
    Ok(())
}

/// A store with one source, in a folder of its own.
pub struct Ground {
    store: Store,
    source: SourceName,
    _folder: TempDir,
}

/// How a whole sync went.
#[derive(Debug)]
pub struct Ran {
    pub report: SyncReport,
    pub journal: Vec<JournalRow>,
}

impl Ran {
    pub fn complete(&self) -> bool {
        self.report.state == "complete"
    }
    /// What stopped it, or the gaps of its kinds.
    pub fn told(&self) -> String {
        let gaps = self.report.kinds.iter().flat_map(|kind| kind.gaps.clone());
        let failure = self.report.failure.as_ref().map(|f| f.message.clone());
        failure
            .into_iter()
            .chain(gaps)
            .collect::<Vec<_>>()
            .join("; ")
    }
    pub fn lines(&self, what: &str) -> usize {
        self.journal.iter().filter(|line| line.what == what).count()
    }
}

/// One try for each request, and little patience.
pub fn once() -> SyncSettings {
    SyncSettings {
        page_limit: 1_000,
        request_timeout: Duration::from_secs(10),
        tries: 1,
        first_wait: Duration::from_millis(10),
        longest_wait: Duration::from_secs(5),
        ..SyncSettings::default()
    }
}

/// As [`once`], with so many tries.
pub fn tries(tries: u32) -> SyncSettings {
    SyncSettings { tries, ..once() }
}

impl Ground {
    pub async fn new() -> Result<Ground, Why> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("conformance.lastkey");
        let key = StoreKey::new([7; 32]);
        let store = Store::create(&path, &key, "conformance", Utc::now()).await?;
        let source = SourceName::new("subject");
        store
            .add_source(&source, "subject", &Default::default(), Utc::now())
            .await?;
        Ok(Ground {
            store,
            source,
            _folder: folder,
        })
    }

    /// One sync through the engine.
    pub async fn sync(
        &self,
        connector: &dyn Connector,
        settings: &SyncSettings,
    ) -> Result<Ran, Why> {
        let (_keep, cancel) = watch::channel(false);
        self.sync_until(connector, settings, cancel).await
    }

    /// One sync through the engine, that can be stopped.
    pub async fn sync_until(
        &self,
        connector: &dyn Connector,
        settings: &SyncSettings,
        cancel: watch::Receiver<bool>,
    ) -> Result<Ran, Why> {
        let report = sync(
            &self.store,
            &self.source,
            connector,
            &Utc::now,
            &|_| {},
            cancel,
            settings,
        )
        .await?;
        // INVARIANT: however a read ended, the store holds what it promises. Large sets are left
        // out: what looking at everything takes is not the read's.
        if report.totals.received <= CHECKED {
            let problems = self.store.check().await?;
            ensure!(problems.is_empty(), "the store: {}", problems.join("; "));
        }
        let journal = self.journal(report.sync).await?;
        let ran = Ran { report, journal };
        // INVARIANT: retry is off except where it is the subject.
        ensure!(
            settings.tries > 1 || ran.lines("retry") == 0,
            "retry is off, and something was tried again"
        );
        Ok(ran)
    }

    async fn journal(&self, sync: u64) -> Result<Vec<JournalRow>, StoreError> {
        let (lines, _) = self
            .store
            .journal(None, Some(SyncId(sync)), 0, 10_000)
            .await?;
        Ok(lines)
    }
}

/// Up to so many records the whole store is checked after a sync.
const CHECKED: u64 = 2_000;

/// A whole sync into a new store.
pub async fn sync_once(connector: &dyn Connector, settings: &SyncSettings) -> Result<Ran, Why> {
    Ground::new().await?.sync(connector, settings).await
}
