//! How a sync begins: anew, or where one that was cut off had come to; and how each kind is read.

use super::kinds::{Before, KindPlan};
use super::reader::stopped;
use super::{Depth, Redactor, Rules, SyncSettings};
use crate::store::{Interrupted, KindRecord, ReadMode, SourceRecord, Store, StoreError, SyncId};
use chrono::{DateTime, Utc};
use lastkey_contract::{Connector, Cursor, Had, Kind, KindCapability};
use std::collections::BTreeSet;
use tokio::sync::watch;

/// A sync that stands in the store.
pub(super) struct Begun {
    pub id: SyncId,
    pub started: DateTime<Utc>,
    /// The sync that was cut off, where this one goes on with it.
    pub resumed: Option<Interrupted>,
    /// Why an interrupted sync is not gone on with.
    pub anew: Option<String>,
    pub settings_sha256: String,
}

/// What is read from, and what it offers.
pub(super) struct Offered<'a> {
    pub connector: &'a dyn Connector,
    pub capabilities: &'a [KindCapability],
}

/// Opens the sync, or opens an interrupted one again.
pub(super) async fn begin(
    store: &Store,
    source: &SourceRecord,
    offered: &Offered<'_>,
    settings: &SyncSettings,
    now: DateTime<Utc>,
    cancel: &watch::Receiver<bool>,
) -> Result<Begun, StoreError> {
    let settings_sha256 = fingerprint(source);
    let kinds: Vec<Kind> = offered.capabilities.iter().map(|c| c.kind).collect();
    let mut anew = None;
    if let Some(found) = store.interrupted(source.id).await? {
        let why = match why_not(&found, &kinds, settings, &settings_sha256, now) {
            None => replaced(store, offered, &found, settings, cancel).await?,
            some => some,
        };
        match why {
            None => {
                store.resume_sync(&found).await?;
                return Ok(Begun {
                    id: found.sync,
                    started: found.started_at,
                    resumed: Some(found),
                    anew: None,
                    settings_sha256,
                });
            }
            Some(why) => anew = Some(why),
        }
    }
    let id = store
        .begin_sync(source, &kinds, settings.read_date, &settings_sha256, now)
        .await?;
    Ok(Begun {
        id,
        started: now,
        resumed: None,
        anew,
        settings_sha256,
    })
}

/// What decides the answers of a source; the engine's own settings do not.
fn fingerprint(source: &SourceRecord) -> String {
    let mut text = format!("{}\n", source.kind);
    for (key, value) in &source.settings.0 {
        if !Rules::owns(key) {
            // Length before each part, so that no two settings have one text.
            text.push_str(&format!("{}:{key}{}:{value}", key.len(), value.len()));
        }
    }
    crate::store::sha256_hex(text.as_bytes())
}

fn why_not(
    found: &Interrupted,
    kinds: &[Kind],
    settings: &SyncSettings,
    settings_sha256: &str,
    now: DateTime<Utc>,
) -> Option<String> {
    let had: BTreeSet<Kind> = found.kinds.iter().map(|k| k.kind).collect();
    if found
        .kinds
        .iter()
        .all(|k| !k.complete && k.totals.received == 0)
    {
        return Some("it had not stored a page".to_owned());
    }
    if found.settings_sha256 != settings_sha256 {
        return Some("the source's settings have changed since".to_owned());
    }
    if had != kinds.iter().copied().collect() {
        return Some("the source offers other kinds than it did".to_owned());
    }
    if settings.read_date.unwrap_or(found.started_at) != found.read_at {
        return Some("it was a read of another date".to_owned());
    }
    let incremental = found.kinds.iter().any(|k| k.mode == ReadMode::Incremental);
    if settings.depth == Depth::Full && incremental {
        return Some("a full read is asked for".to_owned());
    }
    (now.signed_duration_since(found.last_page_at) > settings.resume_within).then(|| {
        format!(
            "its last page is older than {} minutes",
            settings.resume_within.num_minutes()
        )
    })
}

/// What keeps a read from going on because it is another thing now than what was read of it before:
/// rows of two states are no read. What cannot be looked at counts as another.
async fn replaced(
    store: &Store,
    offered: &Offered<'_>,
    found: &Interrupted,
    settings: &SyncSettings,
    cancel: &watch::Receiver<bool>,
) -> Result<Option<String>, StoreError> {
    let mut cancel = cancel.clone();
    for record in &found.kinds {
        let next = match record.complete {
            true => None,
            false => match mark(store, offered.capabilities, found.sync, record).await? {
                Some(mark) => Some(mark),
                // It is read from its first page again.
                None => continue,
            },
        };
        let had = Had {
            kind: record.kind,
            content_sha256: record.content_sha256.clone(),
            next,
        };
        let told = tokio::select! {
            biased;
            () = stopped(&mut cancel) => return Err(StoreError::Stopped),
            told = tokio::time::timeout(settings.request_timeout, offered.connector.replaced(&had)) => told,
        };
        let why = match told {
            Ok(Ok(None)) => continue,
            Ok(Ok(Some(why))) => why,
            Ok(Err(error)) => format!(
                "{} could not be compared with what was read: {}",
                record.kind.plural(),
                error.message
            ),
            Err(_) => format!(
                "{} could not be compared with what was read within {} s",
                record.kind.plural(),
                settings.request_timeout.as_secs()
            ),
        };
        return Ok(Some(Redactor::new(&settings.secrets).clean(&why)));
    }
    Ok(None)
}

/// The page mark from which an interrupted read of a kind goes on, if there is one that works.
async fn mark(
    store: &Store,
    capabilities: &[KindCapability],
    sync: SyncId,
    record: &KindRecord,
) -> Result<Option<Cursor>, StoreError> {
    let outlives = capabilities
        .iter()
        .any(|c| c.kind == record.kind && c.cursor_survives_reconnect);
    match outlives && record.mode == ReadMode::Full {
        true => store.checkpoint(sync, record.kind).await,
        false => Ok(None),
    }
}

/// How each kind is read. Kinds that an interrupted sync had read to their end are left out.
pub(super) async fn plans(
    store: &Store,
    source: &SourceRecord,
    begun: &Begun,
    capabilities: &[KindCapability],
    rules: &Rules,
    settings: &SyncSettings,
    now: DateTime<Utc>,
) -> Result<Vec<KindPlan>, StoreError> {
    let mut plans = Vec::new();
    let page = match rules.page {
        Some(page) => settings.page_limit.min(page.get()),
        None => settings.page_limit,
    };
    for capability in capabilities {
        let mut plan = KindPlan::new(capability, page);
        if let Some(found) = &begun.resumed {
            let record = found.kinds.iter().find(|k| k.kind == capability.kind);
            let Some(record) = record.filter(|k| !k.complete) else {
                continue;
            };
            plan.before = match mark(store, capabilities, begun.id, record).await? {
                Some(mark) => Before::UpTo(mark, Box::new(record.clone())),
                None if record.totals.received == 0 => Before::Nothing,
                None => Before::NoMark,
            };
        }
        // Without deletions an incremental read could not say what is gone.
        let may = capability.incremental
            && capability.deletions_visible
            && settings.depth == Depth::AsNeeded
            && settings.read_date.is_none()
            && !matches!(plan.before, Before::UpTo(..));
        if may {
            let base = store
                .base(source.id, capability.kind, begun.id, &begun.settings_sha256)
                .await?;
            plan.base =
                base.filter(|base| now.signed_duration_since(base.full_at) < rules.full_every);
        }
        plans.push(plan);
    }
    Ok(plans)
}
