//! Who left, when, and between which returns.

use super::super::blocks::{self, At, Columns, Which};
use super::super::events::endings::{Turn, moves, turns};
use super::super::moments::moment;
use super::super::names::Names;
use super::super::outline::IdentityOutline;
use super::super::sources::says_who_exists;
use super::super::{StoreError, persons};
use super::LeaversQuery;
use super::corrected;
use super::told::end_of;
use crate::lifecycle::events::own_end;
use crate::watching::Standing;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Identity, IdentityStatus, LifecycleEvent};
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// One past end of somebody.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub source: i64,
    pub id: String,
    pub name: Option<String>,
    pub event: LifecycleEvent,
    pub earliest: Option<DateTime<Utc>>,
    pub latest: DateTime<Utc>,
    pub marks: Vec<String>,
    pub since: Option<DateTime<Utc>>,
    pub back: Option<DateTime<Utc>>,
    /// By when they were back at the latest.
    pub back_by: Option<DateTime<Utc>>,
    /// The sync that told of it, if one did.
    pub read: Option<i64>,
}

/// Marks somebody of whom no two reads show the end: the first one had them as inactive.
const GONE_BEFORE: &str = "inactive_when_first_read";

/// Whoever left, by source, id and time.
pub(super) async fn heads(
    connection: &mut SqliteConnection,
    names: Names,
    query: &LeaversQuery<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Head>, StoreError> {
    if let Some(announced) = query.announced {
        return self::announced(connection, query, announced).await;
    }
    if query.movers {
        let moves = moves(&mut *connection, now).await?;
        let heads = moves.iter().map(head_of_move).collect();
        let heads = only_asked(connection, query, heads, now).await?;
        return Ok(last_of_each(heads));
    }
    let turns = turns(&mut *connection, now).await?;
    let mut heads = Vec::new();
    for record in turns.chunk_by(|a, b| (a.source, &a.identity) == (b.source, &b.identity)) {
        for (place, turn) in record.iter().enumerate() {
            if is_return(turn) {
                continue;
            }
            let (before, after) = (record.get(..place), record.get(place + 1..));
            let since = before
                .unwrap_or_default()
                .iter()
                .rev()
                .find(|t| is_return(t));
            let back = after.unwrap_or_default().iter().find(|t| is_return(t));
            heads.push(Head {
                source: turn.source,
                id: turn.identity.clone(),
                name: turn.name.clone(),
                event: turn.event,
                earliest: Some(turn.earliest),
                latest: turn.latest,
                marks: turn.changed.clone(),
                since: since.map(|t| t.latest),
                back: back.map(|t| t.earliest),
                back_by: back.map(|t| t.latest),
                read: Some(turn.read),
            });
        }
    }
    let told: HashSet<(i64, &str)> = turns.iter().map(|t| (t.source, &*t.identity)).collect();
    corrected::widen(&mut *connection, names, &mut heads, now).await?;
    heads.extend(gone_before(connection, &told, now).await?);
    add_watched(connection, &mut heads, now).await?;
    only_asked(connection, query, heads, now).await
}

/// Whoever was announced here and is or was watched: a source may tell of it later, or never. What was
/// announced before a source told of it counts from then on.
async fn add_watched(
    connection: &mut SqliteConnection,
    heads: &mut Vec<Head>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    type Row = (i64, String, String, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.id, w.identity, w.event, w.at FROM watches w
         JOIN sources s ON s.name = w.source AND s.removed_at IS NULL
         WHERE w.standing != ?1 AND w.event != ?2 ORDER BY w.id",
    )
    .bind(Standing::Stopped.word())
    .bind(LifecycleEvent::Mover.word())
    .fetch_all(connection)
    .await?;
    for (source, id, event, at) in rows {
        let at = moment(&at)?;
        let Some(event) = LifecycleEvent::from_word(&event).filter(|_| at <= now) else {
            continue;
        };
        let same = heads.iter_mut().find(|head| {
            let of_then = head.latest >= at || at - head.latest <= ONE_LEAVING;
            let back = head.back.is_some_and(|back| back <= at);
            head.source == source && head.id == id && of_then && !back
        });
        match same {
            Some(head) if head.latest <= at => {}
            Some(head) => {
                (head.earliest, head.latest) = (Some(at), at);
                head.marks.push(ANNOUNCED.to_owned());
            }
            None => heads.push(Head {
                source,
                id,
                name: None,
                event,
                earliest: Some(at),
                latest: at,
                marks: vec![ANNOUNCED.to_owned()],
                since: None,
                back: None,
                back_by: None,
                read: None,
            }),
        }
    }
    Ok(())
}

/// An end that was told, and one announced so much later, are one.
const ONE_LEAVING: TimeDelta = TimeDelta::days(30);

/// Of each record its last move of the period: what came of one before it, that one changed again.
fn last_of_each(moves: Vec<Head>) -> Vec<Head> {
    let records = moves.chunk_by(|a, b| (a.source, &a.id) == (b.source, &b.id));
    let last = records.filter_map(|record| record.last());
    last.cloned().collect()
}

fn head_of_move(turn: &Turn) -> Head {
    Head {
        source: turn.source,
        id: turn.identity.clone(),
        name: turn.name.clone(),
        event: turn.event,
        earliest: Some(turn.earliest),
        latest: turn.latest,
        marks: turn.changed.clone(),
        since: None,
        back: None,
        back_by: None,
        read: Some(turn.read),
    }
}

/// Those of the period, or of the identity, that was asked for, in order.
async fn only_asked(
    connection: &mut SqliteConnection,
    query: &LeaversQuery<'_>,
    mut heads: Vec<Head>,
    now: DateTime<Utc>,
) -> Result<Vec<Head>, StoreError> {
    let names: HashMap<i64, String> = sqlx::query_as("SELECT id, name FROM sources")
        .fetch_all(connection)
        .await?
        .into_iter()
        .collect();
    heads.retain(|head| {
        let source = names.get(&head.source).map_or("", String::as_str);
        let asked = query.identity.is_none_or(|asked| {
            let rest = asked
                .strip_prefix(source)
                .and_then(|rest| rest.strip_prefix(':'));
            asked == head.id || rest == Some(&head.id)
        });
        // The end of a day is the first moment of the next one, and belongs to the day.
        let just_before = |at: DateTime<Utc>| at - TimeDelta::seconds(1);
        let (last, dated) = (just_before(head.latest), head.earliest == Some(head.latest));
        let first = head.earliest.map(|at| if dated { last } else { at });
        asked
            && head.latest <= now
            && query.since.is_none_or(|since| last >= since)
            && query
                .before
                .is_none_or(|before| first.is_none_or(|first| first < before))
    });
    heads.sort_by(|a, b| (a.source, &a.id, a.latest).cmp(&(b.source, &b.id, b.latest)));
    Ok(heads)
}

/// Marks an event that somebody announced.
const ANNOUNCED: &str = "announced";

/// What was announced of somebody.
async fn announced(
    connection: &mut SqliteConnection,
    query: &LeaversQuery<'_>,
    (event, at): (LifecycleEvent, DateTime<Utc>),
) -> Result<Vec<Head>, StoreError> {
    let names: Vec<(i64, String)> = sqlx::query_as("SELECT id, name FROM sources ORDER BY id DESC")
        .fetch_all(connection)
        .await?;
    let of = |(source, name): &(i64, String)| {
        let id = query.identity?.strip_prefix(name.as_str())?;
        let id = id.strip_prefix(':')?.to_owned();
        Some((*source, id))
    };
    let head = names.iter().find_map(of).map(|(source, id)| Head {
        source,
        id,
        name: None,
        event,
        earliest: Some(at),
        latest: at,
        marks: vec![ANNOUNCED.to_owned()],
        since: None,
        back: None,
        back_by: None,
        read: None,
    });
    Ok(head.into_iter().collect())
}

pub(super) fn is_return(turn: &Turn) -> bool {
    matches!(turn.event, LifecycleEvent::Rehire | LifecycleEvent::Joiner)
}

/// Who was inactive when first read, and is listed so or not at all since, so that no two reads tell of
/// the end: dated by the last day where it is given, else no later than that first read.
async fn gone_before(
    connection: &mut SqliteConnection,
    told: &HashSet<(i64, &str)>,
    now: DateTime<Utc>,
) -> Result<Vec<Head>, StoreError> {
    let sources: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, settings FROM sources WHERE removed_at IS NULL")
            .fetch_all(&mut *connection)
            .await?;
    let mut of_truth = HashSet::new();
    for (id, settings) in sources {
        if says_who_exists(&serde_json::from_str(&settings)?) {
            of_truth.insert(id);
        }
    }
    let (persons, _) = persons::at_moment(&mut *connection, At::Now).await?;
    let mut rows: HashMap<(i64, String), (i64, i64)> = HashMap::new();
    let ever = Which::ever(Kind::Identity);
    let mut active: HashSet<(i64, String)> = HashSet::new();
    blocks::each(&mut *connection, &ever, Columns::Outlined, |block| {
        for place in block.places().filter(|_| of_truth.contains(&block.source)) {
            let outline: IdentityOutline<'_> = block.outline(place)?;
            let record = (block.source, outline.id.to_string());
            if outline.status != Some(IdentityStatus::Inactive) {
                active.insert(record);
                continue;
            }
            // The last that was told, and the read that told of them first.
            let (row, first) = (block.row(place), block.first_sync);
            let known = rows.entry(record).or_insert((row, first));
            *known = (row.max(known.0), first.min(known.1));
        }
        Ok(())
    })
    .await?;
    rows.retain(|record, _| !active.contains(record));
    let all_gone = |source: i64, id: &str| {
        let records = persons.with(source, id);
        records
            .iter()
            .all(|(source, id)| rows.contains_key(&(*source, (*id).to_owned())))
    };
    let gone = rows.iter().filter(|((source, id), _)| {
        !told.contains(&(*source, id.as_str())) && all_gone(*source, id)
    });
    let gone: HashMap<i64, i64> = gone.map(|(_, (row, sync))| (*row, *sync)).collect();
    let shown: HashMap<i64, String> = sqlx::query_as("SELECT id, read_at FROM syncs")
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .collect();
    let mut wanted: Vec<i64> = gone.keys().copied().collect();
    wanted.sort_unstable();
    let mut heads = Vec::new();
    blocks::of_rows(connection, &wanted, Columns::Facts, |block, place| {
        let fact: Identity = serde_json::from_str(block.fact(place)?)?;
        let read = gone.get(&block.row(place)).and_then(|sync| shown.get(sync));
        let read = read.map_or(Ok(now), |at| moment(at))?;
        let own = own_end(&fact).filter(|end| *end <= read);
        heads.push(Head {
            source: block.source,
            id: fact.id.to_string(),
            event: end_of(fact.kind),
            name: fact.display_name,
            earliest: own,
            latest: own.unwrap_or(read),
            marks: vec![GONE_BEFORE.to_owned()],
            since: None,
            back: None,
            back_by: None,
            read: None,
        });
        Ok(())
    })
    .await?;
    Ok(heads)
}
