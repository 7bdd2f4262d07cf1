//! What correlation goes by, read from the store: rules, decisions, who left, whose id was given on.

use super::blocks::{self, Again, At, Block, Columns, Which};
use super::decisions::{self, About, Decision};
use super::lineage::Lineage;
use super::outline::{Depth, IdentityOutline};
use super::{StoreError, SyncState, link_rules};
use crate::correlate::{
    AccountDecision, AccountSeen, FormerEmployers, Ground, IdentityKeys, Listed, Past, PersonRules,
    Rule, Seen, Standing, WorkedFor,
};
use lastkey_contract::Kind;
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What is kept with a decision of what it was about.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SeenThen {
    pub account: AccountSeen,
    pub identity: Seen,
    pub other: Seen,
}

impl SeenThen {
    /// Of a row of `decisions`; what cannot be read was not seen.
    pub fn of(text: &str) -> SeenThen {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// Sources by row and by name.
pub(super) struct SourceRows {
    /// Removed ones too.
    pub names: HashMap<i64, String>,
    /// Only those that were there at the moment.
    pub rows: HashMap<String, i64>,
    /// Those that had been removed by then, with the sync of their removal.
    pub removed: BTreeMap<i64, i64>,
}

impl SourceRows {
    /// The same as if those were there that were removed and whose name no other one has: each may be
    /// added anew, and goes on then.
    pub(super) fn with_removed(mut self) -> SourceRows {
        let there: HashSet<String> = self.rows.keys().cloned().collect();
        for row in std::mem::take(&mut self.removed).into_keys() {
            if let Some(name) = self.names.get(&row).filter(|name| !there.contains(*name)) {
                self.rows.insert(name.clone(), row);
            }
        }
        self
    }
}

/// The sources at a moment. A name may have been given again to a source that was added after one
/// of the name was removed: as of a sync it is that of the source which was there then.
pub(super) async fn source_rows(
    connection: &mut SqliteConnection,
    at: At,
) -> Result<SourceRows, StoreError> {
    let all: Vec<(i64, String, bool, Option<i64>)> = sqlx::query_as(
        "SELECT s.id, s.name, s.removed_at IS NULL, r.removal FROM sources s
         LEFT JOIN (SELECT source, max(id) AS removal FROM syncs WHERE state = ?1 GROUP BY source) r
           ON r.source = s.id ORDER BY s.id",
    )
    .bind(SyncState::Removal.word())
    .fetch_all(connection)
    .await?;
    let (mut rows, mut removed) = (HashMap::new(), BTreeMap::new());
    for (id, name, is_there, removal) in &all {
        let was_there = match at {
            At::Now | At::Ever => *is_there,
            At::Sync(sync) => *is_there || removal.is_some_and(|removal| removal > sync),
        };
        if was_there {
            // The earliest that had not been removed by then: whatever has the name too came later.
            rows.entry(name.clone()).or_insert(*id);
        } else if let Some(removal) = removal {
            removed.insert(*id, *removal);
        }
    }
    Ok(SourceRows {
        rows,
        removed,
        names: all.into_iter().map(|(id, name, ..)| (id, name)).collect(),
    })
}

/// Records of identities that history tells more of than their current version.
#[derive(Default)]
pub(super) struct Odd {
    /// What records that are not listed had last, and what records had before.
    pub past: Arc<[Past]>,
    /// Records whose id may have been given to somebody else, source row and id; and when the last read
    /// was that had somebody else under it.
    pub reused: HashMap<(i64, String), Option<String>>,
    /// What the records of sources that were removed had last and before.
    pub removed: Arc<[Past]>,
    /// Those of them that were listed to the last.
    pub last_listed: HashSet<(i64, String)>,
    /// Whom people worked for of whom sources say nothing now.
    pub employers: FormerEmployers,
}

/// The syncs that told of identities, in order, by the row of their source.
struct Reads(HashMap<i64, Vec<i64>>);

impl Reads {
    async fn of_identities(connection: &mut SqliteConnection) -> Result<Reads, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT y.source, y.id FROM syncs y JOIN sync_kinds k ON k.sync = y.id
             WHERE k.kind = ?1 AND k.received > 0 ORDER BY y.id",
        )
        .bind(Kind::Identity.word())
        .fetch_all(connection)
        .await?;
        let mut reads: HashMap<i64, Vec<i64>> = HashMap::new();
        for (source, sync) in rows {
            reads.entry(source).or_default().push(sync);
        }
        Ok(Reads(reads))
    }

    /// The last one before a sync.
    fn before(&self, source: i64, sync: i64) -> Option<i64> {
        let reads = self.0.get(&source)?;
        let later = reads.partition_point(|one| *one < sync);
        reads.get(later.checked_sub(1)?).copied()
    }
}

/// One version, by the numbers that the blocks hold.
struct Version {
    source: i64,
    key: i64,
    row: i64,
    listed: bool,
}

/// How much of facts the rules in force make one read.
pub(super) async fn depth(connection: &mut SqliteConnection) -> Result<Depth, StoreError> {
    let (rules, person_rules) = link_rules::in_force(connection).await?;
    Ok(depth_of(&rules, &person_rules))
}

/// How much of facts rules make one read.
pub(super) fn depth_of(rules: &BTreeMap<String, Vec<Rule>>, persons: &PersonRules) -> Depth {
    let mut rules = rules.values().flatten();
    match persons.take_attributes() || rules.any(Rule::takes_attributes) {
        true => Depth::Facts,
        false => Depth::Outlines,
    }
}

/// The sources of which what they told last still counts: where people have several records, what a
/// source that was removed told of one of them is theirs who are listed elsewhere.
async fn removed_sources(
    connection: &mut SqliteConnection,
    sources: &SourceRows,
) -> Result<BTreeMap<i64, i64>, StoreError> {
    let joins = !sources.removed.is_empty() && {
        let (_, rules) = link_rules::in_force(&mut *connection).await?;
        let decided = decisions::in_force(connection, About::Persons).await?;
        !rules.rules.is_empty() || !decided.is_empty()
    };
    Ok(match joins {
        true => sources.removed.clone(),
        false => BTreeMap::new(),
    })
}

/// Which source tells of what a source listed that was removed: the one that has its name now, as if
/// it had told of it all along.
struct Successors<'s> {
    lineage: Lineage,
    /// Of what the later source did not list, the earlier one's word counts still.
    removed: &'s BTreeMap<i64, i64>,
    /// What sources have listed ever that have the name of one that was removed.
    listed: HashMap<i64, HashSet<i64>>,
}

impl<'s> Successors<'s> {
    fn new(
        blocks: &[Block],
        sources: &SourceRows,
        removed: &'s BTreeMap<i64, i64>,
    ) -> Successors<'s> {
        let lineage = Lineage::new(sources);
        let mut listed: HashMap<i64, HashSet<i64>> = HashMap::new();
        if !lineage.is_empty() {
            for block in blocks {
                let source = block.source;
                if lineage.first(source) != source && lineage.now(source) == source {
                    listed.entry(source).or_default().extend(&block.keys);
                }
            }
        }
        Successors {
            lineage,
            removed,
            listed,
        }
    }

    /// Whether another source has the name of one now and has listed somebody.
    fn has(&self, source: i64) -> bool {
        let now = self.lineage.now(source);
        now != source && self.listed.contains_key(&now)
    }

    /// Whether a source has the name of others that were removed.
    fn is_of_name(&self, source: i64) -> bool {
        self.listed.contains_key(&source)
    }

    /// The source that tells of a record that one listed.
    fn of(&self, source: i64, key: i64) -> i64 {
        let now = self.lineage.now(source);
        match self.listed.get(&now).filter(|_| now != source) {
            Some(listed) if self.removed.contains_key(&source) && !listed.contains(&key) => source,
            Some(_) => now,
            None => source,
        }
    }
}

/// The odd records at a moment. Reads eight bytes of every version, and more of odd ones.
pub(super) async fn odd_records(
    connection: &mut SqliteConnection,
    at: At,
    sources: &SourceRows,
    depth: Depth,
    kept: &mut Again,
) -> Result<Odd, StoreError> {
    let removed = removed_sources(&mut *connection, sources).await?;
    let live: HashSet<i64> = sources.rows.values().copied().collect();
    let live = |source: i64| live.contains(&source) || removed.contains_key(&source);
    let ever = Which::ever(Kind::Identity);
    let moment = at.limit();
    let is_there = |block: &Block| block.first_sync <= moment;
    let is_listed =
        |block: &Block, place| block.ended_sync(place).is_none_or(|ended| ended > moment);
    // Of nearly all there is one version and it stands: only of the others are all looked up.
    let mut all = blocks::all(connection, &ever, Columns::Keys).await?;
    all.retain(is_there);
    let successors = Successors::new(&all, sources, &removed);
    all.retain(|block| live(block.source) || successors.has(block.source));
    let mut ended: HashSet<(i64, i64)> = HashSet::new();
    for block in all.iter().filter(|block| block.has_ended()) {
        let places = block.places().filter(|place| !is_listed(block, *place));
        let keys = places.filter_map(|place| block.keys.get(place));
        ended.extend(keys.map(|key| (successors.of(block.source, *key), *key)));
    }
    if ended.is_empty() {
        return Ok(Odd::default());
    }
    let mut versions: Vec<Version> = Vec::new();
    for block in &all {
        versions.extend(block.places().filter_map(|place| {
            let key = *block.keys.get(place)?;
            let source = successors.of(block.source, key);
            ended.contains(&(source, key)).then(|| Version {
                source,
                key,
                row: block.row(place),
                listed: is_listed(block, place),
            })
        }));
    }
    drop(all);
    versions.sort_unstable_by_key(|v| (v.source, v.key, v.row));
    let mut rows: Vec<i64> = Vec::new();
    let mut last_of_gone: HashSet<i64> = HashSet::new();
    // Of those of which the source tells that has the name of theirs now.
    let mut told_by: HashMap<i64, i64> = HashMap::new();
    for record in versions.chunk_by(|a, b| (a.source, a.key) == (b.source, b.key)) {
        let gone = !record.iter().any(|v| v.listed);
        if record.len() > 1 || gone {
            rows.extend(record.iter().map(|v| v.row));
            let of_name = record.iter().filter(|v| successors.is_of_name(v.source));
            told_by.extend(of_name.map(|v| (v.row, v.source)));
        }
        if let (true, Some(last)) = (gone, record.last()) {
            last_of_gone.insert(last.row);
        }
    }
    drop(versions);
    rows.sort_unstable();
    let shown: HashMap<i64, String> = sqlx::query_as("SELECT id, read_at FROM syncs")
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .collect();
    let until = |ended: Option<i64>| ended.and_then(|sync| shown.get(&sync).cloned());
    let reads = Reads::of_identities(&mut *connection).await?;
    let (mut past, mut reused) = (Vec::<Past>::new(), HashMap::new());
    let mut last_listed: HashSet<(i64, String)> = HashSet::new();
    let mut last: HashMap<(i64, String), (Past, Option<i64>)> = HashMap::new();
    let mut earlier: HashMap<(i64, String), Vec<usize>> = HashMap::new();
    let mut employers = FormerEmployers::default();
    // Of records with several versions, whether they name somebody now, and whom they named last.
    let mut named_last: BTreeMap<(i64, String), (bool, String)> = BTreeMap::new();
    blocks::versions_of(
        connection,
        kept,
        &rows,
        depth.columns(),
        |block: &Block, place| {
            let (mut keys, outline) = depth.identity(block, place)?;
            if let Some(source) = told_by.get(&block.row(place)) {
                keys.source = *source;
            }
            let record = (keys.source, keys.id.clone());
            let employer = outline.employer_id.as_deref().map(str::to_owned);
            // Nothing is kept of those who never had one, which are nearly all.
            if let Some(employer) = &employer {
                named_last.insert(record.clone(), (true, employer.clone()));
            } else if let Some((names, _)) = named_last.get_mut(&record) {
                *names = false;
            }
            if let Some((before, last_read)) = last.remove(&record) {
                let seen = Seen::of_identity(&before.keys);
                let another = seen.is_another(&Seen::of_identity(&keys));
                if before.keys.values_differ(&keys) {
                    let places = earlier.entry(record.clone()).or_default();
                    places.push(past.len());
                    past.push(before);
                }
                if another {
                    for place in earlier.get(&record).into_iter().flatten() {
                        if let Some(past) = past.get_mut(*place) {
                            past.standing = Standing::Another;
                        }
                    }
                    let last_seen = last_read.and_then(|sync| shown.get(&sync).cloned());
                    reused.insert(record.clone(), last_seen);
                }
            }
            let ended = block.ended_sync(place);
            let until = until(ended);
            if ended.is_some() && ended.as_ref() == removed.get(&block.source) {
                last_listed.insert(record.clone());
            }
            match last_of_gone.contains(&block.row(place)) {
                true => {
                    named_last.remove(&record);
                    employers.gone.extend(employer.map(|employer| WorkedFor {
                        source: keys.source,
                        id: keys.id.clone(),
                        employer,
                    }));
                    past.push(Past::new(keys, Standing::Gone, until));
                }
                false => {
                    let last_read = ended.and_then(|sync| reads.before(block.source, sync));
                    last.insert(
                        record,
                        (Past::new(keys, Standing::Before, until), last_read),
                    );
                }
            }
            Ok(())
        },
    )
    .await?;
    for left in past.iter().filter(|past| past.standing == Standing::Gone) {
        reused.remove(&(left.keys.source, left.keys.id.clone()));
    }
    reused.retain(|(source, _), _| !removed.contains_key(source));
    let unsaid = named_last.into_iter();
    let unsaid = unsaid.filter_map(|((source, id), (names, last))| {
        (!names).then_some(WorkedFor {
            source,
            id,
            employer: last,
        })
    });
    employers.blank.extend(unsaid);
    let (removed, past): (Vec<Past>, Vec<Past>) =
        (past.into_iter()).partition(|past| removed.contains_key(&past.keys.source));
    Ok(Odd {
        past: past.into(),
        reused,
        removed: removed.into(),
        last_listed,
        employers,
    })
}

impl Odd {
    /// The last version of each record that is not listed.
    pub(super) fn gone(&self) -> impl Iterator<Item = &IdentityKeys> {
        let gone = self.past.iter();
        gone.filter(|past| past.standing == Standing::Gone)
            .map(|past| &past.keys)
    }

    /// The records of sources that were removed, as these listed them last.
    pub(super) fn removed(&self) -> impl Iterator<Item = (&IdentityKeys, Listed)> {
        let last = self.removed.iter();
        let last = last.filter(|past| past.standing == Standing::Gone);
        last.map(|past| {
            let record = (past.keys.source, past.keys.id.clone());
            match self.last_listed.contains(&record) {
                true => (&past.keys, Listed::Now),
                false => (&past.keys, Listed::Once),
            }
        })
    }

    /// What records had before and have no more, but for those whose id was given on.
    pub(super) fn before(&self) -> impl Iterator<Item = &IdentityKeys> {
        let before = self.past.iter().chain(&*self.removed);
        before
            .filter(|past| past.standing == Standing::Before)
            .map(|past| &past.keys)
    }
}

/// Everything but the persons.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    sources: &SourceRows,
    odd: &Odd,
) -> Result<(Ground, PersonRules), StoreError> {
    let (rules, person_rules) = link_rules::in_force(connection).await?;
    let mut ground = Ground {
        source_names: sources.names.clone(),
        reused: odd.reused.clone(),
        employers: odd.employers.clone(),
        ..Ground::default()
    };
    let removed = sources
        .removed
        .keys()
        .filter_map(|row| sources.names.get(row));
    let removed = removed.filter(|name| !sources.rows.contains_key(*name));
    ground.removed_names.extend(removed.cloned());
    for (source, rules) in rules {
        if let Some(row) = sources.rows.get(&source) {
            ground.rules.insert(*row, rules);
        }
    }
    for gone in odd.gone() {
        let sources = ground.gone.entry(gone.id.clone()).or_default();
        sources.push(gone.source);
    }
    ground.past = odd.past.clone();
    ground.removed = odd.removed.clone();
    // A source of the name that is there now has not told of these, or they would not be odd.
    let mut told: HashMap<(&str, &str), i64> = HashMap::new();
    for (record, _) in odd.removed() {
        let name = sources.names.get(&record.source).map_or("", String::as_str);
        told.insert((name, &record.id), record.source);
    }
    // Of each account the latest decision counts.
    for row in decisions::in_force(connection, About::Accounts).await? {
        let (account, to) = match row.decision() {
            Some(Decision::Of(account, record)) => {
                let told = told.get(&(record.source.as_str(), record.id.as_str()));
                // A source that is not there lists nobody: no row is 0.
                let source = told.or_else(|| sources.rows.get(&record.source));
                let source = source.copied().unwrap_or(0);
                (account, Some((source, record.id)))
            }
            Some(Decision::Nobodys(account)) => (account, None),
            Some(Decision::Same(..) | Decision::Apart(..)) | None => continue,
        };
        let seen = SeenThen::of(&row.seen);
        let decision = AccountDecision {
            number: row.id,
            to,
            account_seen: seen.account,
            identity_seen: seen.identity,
        };
        ground
            .decisions
            .insert((account.system, account.id), decision);
    }
    Ok((ground, person_rules))
}

/// Whom records worked for that only sources listed which were removed, and of which nobody said
/// that they are retired.
async fn employed_by_removed(
    connection: &mut SqliteConnection,
    sources: &SourceRows,
) -> Result<Vec<WorkedFor>, StoreError> {
    let mut found: Vec<WorkedFor> = Vec::new();
    for (source, removal) in &sources.removed {
        let retired: Option<String> =
            sqlx::query_scalar("SELECT retired_at FROM sources WHERE id = ?1")
                .bind(source)
                .fetch_one(&mut *connection)
                .await?;
        let name = sources.names.get(source);
        let again = name.is_some_and(|name| sources.rows.contains_key(name));
        if retired.is_some() || again {
            continue;
        }
        let of_source = Which::ever(Kind::Identity).of_source(*source);
        blocks::each(&mut *connection, &of_source, Columns::Outlined, |block| {
            for place in block.places() {
                if block.ended_sync(place) != Some(*removal) {
                    continue;
                }
                let outline: IdentityOutline<'_> = block.outline(place)?;
                found.extend(outline.employer_id.map(|employer| WorkedFor {
                    source: *source,
                    id: outline.id.to_string(),
                    employer: employer.to_string(),
                }));
            }
            Ok(())
        })
        .await?;
    }
    Ok(found)
}

/// What correlation goes by at a moment, and how much of facts it makes one read; `kept` keeps what of
/// people was looked into.
pub(super) async fn at_moment(
    connection: &mut SqliteConnection,
    at: At,
    kept: &mut Again,
) -> Result<(Ground, Depth), StoreError> {
    let sources = source_rows(connection, at).await?;
    let depth = depth(connection).await?;
    let odd = odd_records(connection, at, &sources, depth, kept).await?;
    let (mut ground, _) = read(connection, &sources, &odd).await?;
    ground.employers.removed = employed_by_removed(connection, &sources).await?;
    Ok((ground, depth))
}
