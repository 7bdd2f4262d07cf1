//! Finding events: one complete read after the other, each against the one before.
//!
//! Flat memory: what differs by its numbers, facts by the window. Each read is one transaction, and
//! what is to be done next is asked within it, so that a kill in between loses and doubles nothing.

use super::super::blocks::{self, At, Columns, Mark, Which};
use super::super::names::Names;
use super::super::{Store, StoreError, turns};
use super::said::{Reads, fill, last_said};
use super::sources::{Known, Next, Read, known, looked_at, next};
use super::{NewEvent, Said, forget_source, groups, owners, put};
use crate::lifecycle::events::{
    Compared, Earlier, FoundEvent, Having, Outline, Told, events_between, not_marked,
};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Identity, IdentityStatus};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{HashMap, HashSet};

/// How many objects that differ are unpacked at once.
const WINDOW: usize = 4_096;

impl Store {
    /// Finds the events of the reads that have come since this was last done.
    pub(crate) async fn find_events(&self) -> Result<(), StoreError> {
        let mut reader = self.readers().acquire().await?;
        let due = next(&mut reader).await?.is_some()
            || groups::due(&mut reader).await?
            || owners::due(&mut reader).await?.is_some();
        drop(reader);
        if !due {
            return Ok(());
        }
        let names = self.names()?;
        loop {
            let mut writing = self.begin().await?;
            let done = match next(&mut writing.tx).await? {
                Some(Next::Forget { source }) => {
                    forget_source(&mut writing.tx, source).await?;
                    false
                }
                Some(Next::Look {
                    source,
                    before: None,
                    after,
                }) => {
                    first(&mut writing.tx, source, after, names).await?;
                    false
                }
                Some(Next::Look {
                    source,
                    before: Some(before),
                    after,
                }) => {
                    let looking = Looking {
                        source,
                        before,
                        after,
                        grouped: groups::grouped(&mut writing.tx, source, names).await?,
                    };
                    looking.at_what_differs(&mut writing.tx).await?;
                    false
                }
                None => match groups::settle(&mut writing.tx, names).await? {
                    groups::Left::Something => false,
                    groups::Left::Nothing => match owners::due(&mut writing.tx).await? {
                        Some(due) => {
                            owners::look_at(&mut writing.tx, names, &due).await?;
                            false
                        }
                        None => true,
                    },
                },
            };
            writing.commit().await?;
            if done {
                return Ok(());
            }
        }
    }
}

/// The first read: nothing to compare it with, but who is listed beyond the end of the last day.
async fn first(
    connection: &mut SqliteConnection,
    source: i64,
    read: Read,
    names: Names,
) -> Result<(), StoreError> {
    let grouped = groups::grouped(&mut *connection, source, names).await?;
    let which = Which {
        kind: Some(Kind::Identity),
        source: Some(source),
        at: At::Sync(read.sync),
    };
    let (mut having, mut last) = (Having::default(), 0);
    loop {
        let blocks = blocks::window(&mut *connection, &which, Columns::Facts, last).await?;
        let Some(end) = blocks.last() else { break };
        last = end.id;
        let mut listed = Vec::new();
        for block in &blocks {
            for place in block.places() {
                let fact = block.fact(place)?;
                let outline: Outline = serde_json::from_str(fact)?;
                having.add(&outline);
                if !outline.has_end_date() {
                    continue;
                }
                let identity: Identity = serde_json::from_str(fact)?;
                if !grouped.contains(&names.key(Kind::Identity, identity.id.as_str())) {
                    listed.extend(new_listed(&identity, &[], read.sync));
                }
            }
        }
        put(&mut *connection, source, &listed).await?;
    }
    sqlx::query(groups::MARK_SOURCE)
        .bind(source)
        .execute(&mut *connection)
        .await?;
    looked_at(connection, source, read, &having).await
}

/// That a record is listed, and when it will have left by its own date.
pub(super) fn new_listed(identity: &Identity, others: &[&Identity], read: i64) -> Option<NewEvent> {
    let found = not_marked(identity, others)?;
    Some(new_event(identity, found, read, Said::WhileListed))
}

pub(super) fn new_event(identity: &Identity, found: FoundEvent, read: i64, said: Said) -> NewEvent {
    NewEvent {
        identity: identity.id.to_string(),
        name: identity.display_name.clone(),
        found,
        read,
        said,
        owner: None,
    }
}

/// One read against the one before.
struct Looking {
    source: i64,
    before: Known,
    after: Read,
    /// Keys of records that are looked at with others of the same person.
    grouped: HashSet<i64>,
}

/// A record that differs, before and after.
struct Changed<'a> {
    key: i64,
    before: Option<&'a Identity>,
    after: Option<&'a Identity>,
}

impl Looking {
    async fn at_what_differs(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let (from, to) = (self.before.read.sync, self.after.sync);
        let kind = Kind::Identity;
        let differ = turns::between(&mut *connection, kind, self.source, from, to).await?;
        let mut having = self.before.having;
        // Of whom it matters what was known earlier, and of whom what status was said last.
        let (mut ask, mut silent) = (HashSet::new(), HashSet::new());
        for window in differ.chunks(WINDOW) {
            let facts = facts(&mut *connection, window).await?;
            let mut together = Vec::new();
            for changed in changed(window, &facts) {
                changed
                    .before
                    .iter()
                    .for_each(|i| having.take(&Outline::of(i)));
                changed
                    .after
                    .iter()
                    .for_each(|i| having.add(&Outline::of(i)));
                if changed
                    .before
                    .or(changed.after)
                    .is_some_and(|i| i.status.is_none())
                {
                    silent.insert(changed.key);
                }
                if let Some(i) = changed.before.or(changed.after)
                    && self.grouped.contains(&changed.key)
                {
                    together.push(i.id.as_str());
                } else if changed
                    .before
                    .is_none_or(|i| i.status == Some(IdentityStatus::Pending))
                {
                    ask.insert(changed.key);
                }
            }
            groups::mark(&mut *connection, self.source, &together).await?;
        }
        let reads = Reads::of(&known(&mut *connection, self.source).await?);
        silent.retain(|key| !self.grouped.contains(key));
        let said = last_said(&mut *connection, self.source, &reads, silent).await?;
        let pending = |(key, status): (&i64, &IdentityStatus)| {
            (*status == IdentityStatus::Pending).then_some(*key)
        };
        ask.extend(said.iter().filter_map(pending));
        let earlier = earlier(&mut *connection, self.source, from, &ask, &reads).await?;
        let told = Told::of(&self.before.having, &having);
        for window in differ.chunks(WINDOW) {
            let mut facts = facts(&mut *connection, window).await?;
            for turn in window {
                let mut status = said.get(&turn.key).copied();
                for row in [turn.before, turn.after].into_iter().flatten() {
                    if let Some(identity) = facts.get_mut(&row) {
                        identity.status = identity.status.or(status);
                        status = identity.status;
                    }
                }
            }
            let alone = changed(window, &facts).filter(|c| !self.grouped.contains(&c.key));
            let (mut events, mut unlisted) = (Vec::new(), Vec::new());
            for one in alone {
                self.tell(&one, told, &earlier, &mut events, &mut unlisted);
            }
            unlist(&mut *connection, self.source, &unlisted).await?;
            put(&mut *connection, self.source, &events).await?;
        }
        looked_at(connection, self.source, self.after, &having).await
    }

    fn tell<'a>(
        &self,
        one: &Changed<'a>,
        told: Told,
        earlier: &HashMap<i64, Vec<Identity>>,
        events: &mut Vec<NewEvent>,
        unlisted: &mut Vec<&'a str>,
    ) {
        let forms = earlier.get(&one.key).into_iter().flatten();
        let found = events_between(&Compared {
            before: one.before,
            after: one.after,
            earlier: forms.fold(Earlier::Never, Earlier::and),
            others: &[],
            told,
            read_before: self.before.read.at,
            read_after: self.after.at,
        });
        if let Some(last) = one.after.or(one.before) {
            let new = |found| new_event(last, found, self.after.sync, Said::Happened);
            events.extend(found.into_iter().map(new));
        }
        if let Some(before) = one.before.filter(|i| not_marked(i, &[]).is_some()) {
            unlisted.push(before.id.as_str());
        }
        events.extend(one.after.and_then(|i| new_listed(i, &[], self.after.sync)));
    }
}

async fn facts(
    connection: &mut SqliteConnection,
    window: &[turns::Turn],
) -> Result<HashMap<i64, Identity>, StoreError> {
    let rows: Vec<i64> = window
        .iter()
        .flat_map(|turn| [turn.before, turn.after])
        .flatten()
        .collect();
    turns::facts(connection, &rows).await
}

fn changed<'a>(
    window: &'a [turns::Turn],
    facts: &'a HashMap<i64, Identity>,
) -> impl Iterator<Item = Changed<'a>> {
    window.iter().map(|turn| Changed {
        key: turn.key,
        before: turn.before.and_then(|row| facts.get(&row)),
        after: turn.after.and_then(|row| facts.get(&row)),
    })
}

/// The forms that records had by a sync, oldest first; only of those that had any.
async fn earlier(
    connection: &mut SqliteConnection,
    source: i64,
    until: i64,
    keys: &HashSet<i64>,
    reads: &Reads,
) -> Result<HashMap<i64, Vec<Identity>>, StoreError> {
    let versions = turns::versions(&mut *connection, Kind::Identity, source, until, keys).await?;
    let rows: Vec<i64> = versions.values().flatten().map(|v| v.row).collect();
    let mut facts: HashMap<i64, Identity> = turns::facts(connection, &rows).await?;
    Ok(versions
        .into_iter()
        .map(|(key, versions)| {
            let forms = versions.into_iter();
            let mut forms: Vec<(Mark, Identity)> = forms
                .filter_map(|version| Some((version, facts.remove(&version.row)?)))
                .collect();
            fill(&mut forms, reads);
            (key, forms.into_iter().map(|(_, form)| form).collect())
        })
        .collect())
}

/// Drops what was said of records while they were listed.
async fn unlist(
    connection: &mut SqliteConnection,
    source: i64,
    ids: &[&str],
) -> Result<(), StoreError> {
    for part in ids.chunks(500) {
        let mut delete = QueryBuilder::<Sqlite>::new(
            "DELETE FROM lifecycle_events WHERE listed = 1 AND source = ",
        );
        delete.push_bind(source);
        delete.push(" AND identity IN (");
        let mut list = delete.separated(", ");
        for id in part {
            list.push_bind(*id);
        }
        delete.push(")");
        delete.build().execute(&mut *connection).await?;
    }
    Ok(())
}
