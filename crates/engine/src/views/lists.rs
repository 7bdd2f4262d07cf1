//! Status, sources, journal and identities: windows over the store.

use super::{
    CheckView, IdentityRow, JournalRow, ListQuery, PlanView, RightView, RowWindow, SourceRow,
    Status, Totals,
};
use crate::access::ReadState;
use crate::collect::{CONSENT, Rules, age_words};
use crate::store::{
    CheckRecord, KindRecord, PeopleQuery, PersonRow, SourceRecord, Store, StoreError, SyncId,
    SyncState,
};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::{CheckReport, Descriptor, Kind, Right, Settings, SourceName};

/// What the store cannot know about itself.
#[derive(Clone, Debug)]
pub struct StatusSetting<'a> {
    pub store_name: &'a str,
    /// The keychain or the key file.
    pub key_kept_in: &'a str,
    pub version: &'a str,
    /// The moment at which freshness is measured.
    pub now: DateTime<Utc>,
}

/// What the frame shows on every screen.
pub async fn status(store: &Store, setting: &StatusSetting<'_>) -> Result<Status, StoreError> {
    let (identities, credentials) = store.counts().await?;
    let sources = store.sources().await?;
    let states = store.read_states(i64::MAX).await?;
    let (mut complete_sources, mut gaps, mut latest) = (0, Vec::new(), None);
    for source in &sources {
        let Some(sync) = store.latest_sync(source.id).await? else {
            gaps.push(format!("`{}` was never read", source.name));
            continue;
        };
        latest = latest.max(sync.ended_at.clone());
        match sync.state {
            SyncState::Complete => {
                complete_sources += 1;
                let complete_at = complete_since(&states, &source.name);
                if let ("stale", Some(age)) = freshness(&source.settings, complete_at, setting.now)
                {
                    let age = TimeDelta::try_seconds(age.cast_signed()).unwrap_or(TimeDelta::MAX);
                    gaps.push(format!(
                        "`{}` was last read completely {} ago",
                        source.name,
                        age_words(age)
                    ));
                }
            }
            SyncState::Running => gaps.push(format!("`{}` is being read", source.name)),
            SyncState::Incomplete
            | SyncState::Failed
            | SyncState::Cancelled
            | SyncState::Interrupted
            | SyncState::Removal => {
                let kinds = store.sync_kinds(sync.id).await?;
                let why = sync
                    .failure
                    .or_else(|| kinds.into_iter().flat_map(|k| k.gaps).next());
                let why = why.map_or(String::new(), |why| format!(": {why}"));
                gaps.push(format!("`{}` was not read completely{why}", source.name));
            }
        }
    }
    let plan = store.plan().await?.map(|plan| PlanView {
        name: plan.name,
        loaded_at: plan.loaded_at,
        text: plan.text,
        sha256: plan.sha256,
        steps: plan.steps.cast_unsigned(),
    });
    Ok(Status {
        store_path: store.path().display().to_string(),
        store_name: setting.store_name.to_owned(),
        encrypted_with: format!("sqlcipher {}", store.cipher_version()),
        key_kept_in: setting.key_kept_in.to_owned(),
        sources: count(sources.len()),
        identities,
        credentials,
        snapshot_at: latest,
        complete_sources,
        gaps,
        practice_date: store
            .practice_date()
            .await?
            .map(lastkey_contract::when::rfc3339),
        plan,
        version: setting.version.to_owned(),
    })
}

/// How fresh a source is, from the start of its last complete read, in words and in seconds.
pub fn freshness(
    settings: &Settings,
    last_complete_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> (&'static str, Option<u64>) {
    let Some(at) = last_complete_at else {
        return ("never", None);
    };
    let age = now.signed_duration_since(at);
    let word = if age > Rules::kept(settings).fresh_for {
        "stale"
    } else {
        "fresh"
    };
    (word, Some(age.num_seconds().max(0).cast_unsigned()))
}

/// The source as a whole was complete when the oldest of its kinds was.
pub(crate) fn complete_since(states: &[ReadState], source: &SourceName) -> Option<DateTime<Utc>> {
    let own = states.iter().filter(|s| s.source == *source);
    own.map(|s| s.complete_at)
        .collect::<Option<Vec<_>>>()
        .and_then(|all| all.into_iter().min())
}

/// Every source with its latest read. `descriptors` name the kinds of sources.
pub async fn sources(
    store: &Store,
    descriptors: &[&'static Descriptor],
    now: DateTime<Utc>,
) -> Result<Vec<SourceRow>, StoreError> {
    let states = store.read_states(i64::MAX).await?;
    let mut rows = Vec::new();
    for source in store.sources().await? {
        rows.push(source_row(store, source, descriptors, &states, now).await?);
    }
    Ok(rows)
}

async fn source_row(
    store: &Store,
    source: SourceRecord,
    descriptors: &[&'static Descriptor],
    states: &[ReadState],
    now: DateTime<Utc>,
) -> Result<SourceRow, StoreError> {
    let descriptor = descriptors.iter().find(|d| d.kind == source.kind);
    let sync = store.latest_sync(source.id).await?;
    let kinds = match &sync {
        Some(sync) => store.sync_kinds(sync.id).await?,
        None => Vec::new(),
    };
    let last_complete_at = complete_since(states, &source.name);
    let fresh_for = Rules::kept(&source.settings).fresh_for;
    let (freshness, age_seconds) = freshness(&source.settings, last_complete_at, now);
    let state = sync.as_ref().map_or("never", |s| match s.state {
        SyncState::Running => "reading",
        SyncState::Complete => "complete",
        SyncState::Incomplete | SyncState::Interrupted | SyncState::Removal => "incomplete",
        SyncState::Failed => "failed",
        SyncState::Cancelled => "cancelled",
    });
    let read: Vec<Kind> = kinds.iter().map(|k| k.kind).collect();
    let reads = match (read.is_empty(), descriptor) {
        (true, Some(descriptor)) => descriptor.reads.to_vec(),
        (true, None) | (false, _) => read,
    };
    let first_gap = kinds.iter().flat_map(|k| k.gaps.iter()).next().cloned();
    // Consent is no setting that could be edited beside others.
    let mut settings = source.settings.0;
    let fingerprints = settings.remove(CONSENT).is_some();
    let (failure, hint) = sync
        .as_ref()
        .map_or((None, None), |s| (s.failure.clone(), s.hint.clone()));
    Ok(SourceRow {
        name: source.name.to_string(),
        kind: source.kind.clone(),
        kind_title: descriptor.map_or(source.kind.clone(), |d| d.title.to_owned()),
        group: group(&reads).to_owned(),
        reads: reads.iter().map(|k| k.plural().to_owned()).collect(),
        settings,
        state: state.to_owned(),
        message: failure.or(first_gap),
        hint,
        // What a source that did not answer holds is not known: that is not zero.
        totals: sync
            .as_ref()
            .filter(|s| was_read(s.state, &kinds))
            .map(|_| sum(&kinds)),
        last_sync: sync.as_ref().map(|s| s.id.0),
        last_complete_at: last_complete_at.map(lastkey_contract::when::rfc3339),
        age_seconds,
        fresh_for_seconds: fresh_for.num_seconds().max(0).cast_unsigned(),
        freshness: freshness.to_owned(),
        kinds: kinds.iter().map(KindRecord::view).collect(),
        check: store.last_check(source.id).await?.map(check_view),
        fingerprints,
        // Which day a read is of only those tell who read series.
        left_incomplete: Vec::new(),
    })
}

/// Whether a read tells anything about how much there is.
fn was_read(state: SyncState, kinds: &[KindRecord]) -> bool {
    match state {
        SyncState::Complete | SyncState::Incomplete => true,
        SyncState::Running
        | SyncState::Failed
        | SyncState::Cancelled
        | SyncState::Interrupted
        | SyncState::Removal => kinds.iter().any(|k| k.complete || k.totals.received > 0),
    }
}

/// The group in the table, by what is read: no vendor is known here.
fn group(reads: &[Kind]) -> &'static str {
    let has = |kind: Kind| reads.contains(&kind);
    if has(Kind::Identity) && !has(Kind::Account) {
        "truth"
    } else if has(Kind::Location) {
        "vault"
    } else if has(Kind::Account) {
        "directory"
    } else {
        "other"
    }
}

fn sum(kinds: &[KindRecord]) -> Totals {
    crate::collect::sum(kinds)
}

/// A check as screens show it.
pub fn check_view(check: CheckRecord) -> CheckView {
    let rights = |rights: Vec<Right>| {
        rights
            .into_iter()
            .map(|r| RightView {
                name: r.name,
                why: r.why,
            })
            .collect()
    };
    let CheckReport {
        signed_in_as,
        server,
        missing_rights,
        excess_rights,
        rights_known,
        warnings,
        remarks,
    } = check.report;
    CheckView {
        at: check.at,
        signed_in_as,
        server,
        missing_rights: rights(missing_rights),
        excess_rights: rights(excess_rights),
        rights_known,
        warnings,
        remarks,
    }
}

/// A window of the journal of a source, of a sync, or of all.
pub async fn journal(
    store: &Store,
    source: Option<&SourceName>,
    sync: Option<SyncId>,
    offset: u64,
    limit: u32,
) -> Result<RowWindow<JournalRow>, StoreError> {
    let (rows, matching) = store.journal(source, sync, offset, limit).await?;
    Ok(RowWindow {
        rows,
        offset,
        matching,
        total: matching,
    })
}

/// A window of identities: searched, filtered, sorted by the store.
pub async fn identities(
    store: &Store,
    query: &ListQuery,
) -> Result<RowWindow<IdentityRow>, StoreError> {
    let filters = query
        .filters
        .iter()
        .map(|filter| {
            let (column, value) = filter.split_once('=').ok_or_else(|| StoreError::BadQuery {
                what: "filter".to_owned(),
                value: filter.clone(),
            })?;
            Ok((column.trim().to_owned(), value.to_owned()))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let (rows, matching, total) = store
        .people(&PeopleQuery {
            search: &query.search,
            filters: &filters,
            sort: &query.sort,
            descending: query.descending,
            offset: query.offset,
            limit: query.limit,
        })
        .await?;
    Ok(RowWindow {
        rows: rows.into_iter().map(identity_row).collect(),
        offset: query.offset,
        matching,
        total,
    })
}

/// A person as lists show it.
pub(super) fn identity_row(person: PersonRow) -> IdentityRow {
    IdentityRow {
        id: person.shown_id(),
        source: person.source_name,
        kind: person.kind,
        display_name: person.display_name,
        email: person.email,
        status: person.status,
        department: person.department,
        title: person.title,
        manager_id: person.manager_id,
        employer_id: person.employer_id,
        end_date: person.end_date,
        accounts: person.accounts.cast_unsigned(),
    }
}

fn count(length: usize) -> u64 {
    length.try_into().unwrap_or(u64::MAX)
}
