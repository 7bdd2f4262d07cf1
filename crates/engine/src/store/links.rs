//! Table `links`: whose account each current account is, as correlation found it.
//!
//! Derived: made anew after each sync that changed identities or accounts and each decision. The
//! changes are counted in `meta`, and so is up to which of them links were made. As long as what
//! they are made of is the same (`link_ground`), only accounts that are new are looked at; and
//! only what differs is written: `link_marks` holds eight bytes of what each link says.

use super::account_past::{self, AccountPast, Trust};
use super::blocks::{self, Again, At, Columns, Which};
use super::ground::{self, SourceRows, odd_records, source_rows};
pub(super) use super::link::Link;
use super::link::Telling;
use super::link_gather::{Gathered, Kept, gather};
use super::roster::accounts::{self, Counts, Recount};
use super::{Store, StoreError, meta, persons};
use crate::correlate::{Identities, JoinedPerson, Match, PersonDoubt};
use lastkey_contract::Kind;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet, HashSet};

pub(super) const MIGRATION: &str = "
CREATE TABLE links (
  account INTEGER PRIMARY KEY,
  identity_source INTEGER,
  identity_id TEXT,
  rule TEXT NOT NULL,
  candidates TEXT
) STRICT;
CREATE INDEX links_by_identity ON links (identity_id, identity_source);
";

/// The state of each link, so that what waits for a decision is found at once.
pub(super) const STATES: &str = "
DELETE FROM links;
ALTER TABLE links ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN doubt TEXT;
CREATE INDEX links_open ON links (state, account) WHERE state > 0;
INSERT INTO meta (key, value) VALUES ('links_stale', '1') ON CONFLICT (key) DO UPDATE SET value = '1';
";

/// What each link says in eight bytes, by the block of its account: 0 where there is none.
pub(super) const MARKS: &str = "
CREATE TABLE IF NOT EXISTS link_marks (block INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
DELETE FROM links;
INSERT INTO meta (key, value) VALUES ('links_stale', '1') ON CONFLICT (key) DO UPDATE SET value = '1';
";

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkState {
    Linked,
    /// Several persons fit.
    Ambiguous,
    /// Something fits, and something speaks against it.
    Possible,
    /// No rule leads to anybody.
    Unmatched,
    /// Nobody's, as somebody decided.
    Nobodys,
    /// Of a record that is not listed now.
    Gone,
}

impl LinkState {
    pub const ALL: [LinkState; 6] = [
        LinkState::Linked,
        LinkState::Ambiguous,
        LinkState::Possible,
        LinkState::Unmatched,
        LinkState::Nobodys,
        LinkState::Gone,
    ];

    pub fn word(self) -> &'static str {
        match self {
            LinkState::Linked => "connected",
            LinkState::Ambiguous => "ambiguous",
            LinkState::Possible => "possibly connected",
            LinkState::Unmatched => "not connected",
            LinkState::Nobodys => "nobody's",
            LinkState::Gone => "of somebody who is not listed",
        }
    }

    pub(super) fn number(self) -> i64 {
        match self {
            LinkState::Linked => 0,
            LinkState::Ambiguous => 1,
            LinkState::Possible => 2,
            LinkState::Unmatched => 3,
            LinkState::Nobodys => 4,
            LinkState::Gone => 5,
        }
    }

    pub(super) fn from_number(number: i64) -> Result<LinkState, StoreError> {
        Self::ALL
            .into_iter()
            .find(|state| state.number() == number)
            .ok_or_else(|| StoreError::damaged(format!("state {number} of a link")))
    }
}

/// Entries of `meta`: how often what links are made of has changed; up to which change they were
/// made; of what; and the last block that was there then.
const CHANGES: &str = "links_stale";
const MADE_OF: &str = "links_made_of";
const GROUND: &str = "links_ground";
const UPTO: &str = "links_upto";

/// Says that what links are made of has changed.
pub(super) async fn mark_stale(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    super::ownership::mark_stale(&mut *connection).await?;
    count_change(connection).await
}

async fn count_change(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (key, value) VALUES (?1, '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
    )
    .bind(CHANGES)
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that objects of a kind have come, changed or gone.
pub(super) async fn changed(
    connection: &mut SqliteConnection,
    kind: Kind,
) -> Result<(), StoreError> {
    match kind {
        Kind::Identity | Kind::Account => mark_stale(connection).await,
        // Teams answer for what is named after them, by their members.
        Kind::Entitlement | Kind::Grant | Kind::Credential | Kind::Location | Kind::Owner => {
            super::ownership::mark_stale(connection).await
        }
        Kind::Reader | Kind::Control | Kind::Session | Kind::Task => Ok(()),
    }
}

/// Forgets all links; they are made anew.
pub(super) async fn forget(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("DELETE FROM links; DELETE FROM link_marks;")
        .execute(&mut *connection)
        .await?;
    look_at_all(connection).await
}

/// Says that every account is to be looked at: blocks may come that have numbers of earlier ones.
pub(super) async fn look_at_all(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    meta::put(&mut *connection, GROUND, "").await?;
    accounts::forget(&mut *connection).await?;
    account_past::forget(&mut *connection).await?;
    mark_stale(connection).await
}

/// Whether links, and who has several records, are made of the facts of this moment.
pub(super) async fn are_made(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let changes = meta::get(&mut *connection, CHANGES).await?;
    Ok(changes == meta::get(connection, MADE_OF).await?)
}

/// Up to which change links were made; never empty.
pub(super) async fn made_of(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    let made_of = meta::get(connection, MADE_OF).await?;
    Ok(said(made_of.as_deref()).to_owned())
}

fn said(made_of: Option<&str>) -> &str {
    made_of.filter(|of| !of.is_empty()).unwrap_or("none")
}

/// The last block that was there when links were made.
pub(super) async fn counted_upto(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let upto = meta::get(connection, UPTO).await?;
    Ok(upto.and_then(|block| block.parse().ok()).unwrap_or(0))
}

/// What was found of everybody and of every account.
struct Correlated {
    sources: SourceRows,
    persons: Vec<JoinedPerson>,
    doubts: Vec<PersonDoubt>,
    known: Identities,
    past: AccountPast,
    links: Links,
    /// How many accounts everybody has, where every account was looked at.
    counts: Option<Counts>,
    /// What they are made of, and the last block that was there.
    ground: String,
    upto: i64,
}

/// What of the links is to be written.
#[derive(Default)]
struct Links {
    /// By the account's row.
    fresh: Vec<(i64, Match)>,
    gone: Vec<i64>,
    /// By block: the marks of all its accounts; none where none of them has a link any more.
    marks: Vec<(i64, Option<Vec<i64>>)>,
}

impl Store {
    /// Makes anew what is made of the facts, where they have changed since: persons and links,
    /// then lists.
    pub async fn derive_if_stale(&self) -> Result<(), StoreError> {
        self.correlate_if_stale().await?;
        self.roster_if_stale().await?;
        self.order_by_accounts().await
    }

    /// Makes persons and links anew if a sync or a decision has changed anything since, and finds
    /// what happened to people since.
    pub(crate) async fn correlate_if_stale(&self) -> Result<(), StoreError> {
        self.link_if_stale().await?;
        self.find_events().await
    }

    async fn link_if_stale(&self) -> Result<(), StoreError> {
        // Whoever comes meanwhile finds made what it waited for.
        let _alone = self.making().links.lock().await;
        loop {
            let mut reading = self.readers().begin().await?;
            // With the facts, in one moment: what is stored while links are made is counted after it.
            let changes = meta::get(&mut reading, CHANGES).await?;
            let made_of = meta::get(&mut reading, MADE_OF).await?;
            if changes == made_of {
                return Ok(());
            }
            let found = correlate(&mut reading, Extent::Changed).await?;
            drop(reading);
            if self.keep_links(found, changes, made_of).await? {
                return Ok(());
            }
        }
    }

    /// Writes what was found, unless somebody else has made links meanwhile: what differs was
    /// found beside those that stood before.
    async fn keep_links(
        &self,
        found: Correlated,
        changes: Option<String>,
        made_of: Option<String>,
    ) -> Result<bool, StoreError> {
        let mut writing = self.begin().await?;
        if meta::get(&mut writing.tx, MADE_OF).await? != made_of {
            return Ok(false);
        }
        persons::write(
            &mut writing.tx,
            found.persons,
            &found.doubts,
            &found.sources,
        )
        .await?;
        let changes = changes.unwrap_or_default();
        let now = said(Some(&changes));
        match &found.counts {
            Some(counts) => {
                replace(&mut writing.tx, &found.links, &found.known).await?;
                accounts::keep_all(&mut writing.tx, counts, now).await?;
            }
            None => {
                let recount = Recount {
                    touched: touched(&mut writing.tx, &found.links, &found.known).await?,
                    upto: counted_upto(&mut writing.tx).await?,
                    before: said(made_of.as_deref()),
                    now,
                };
                replace(&mut writing.tx, &found.links, &found.known).await?;
                accounts::keep_changed(&mut writing.tx, &recount).await?;
            }
        }
        found.past.keep(&mut writing.tx).await?;
        for (key, value) in [
            (MADE_OF, changes.as_str()),
            (GROUND, found.ground.as_str()),
            (UPTO, &found.upto.to_string()),
        ] {
            meta::put(&mut writing.tx, key, value).await?;
        }
        writing.commit().await?;
        Ok(true)
    }
}

/// Which accounts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Those whose link may differ.
    Changed,
    All,
}

/// INVARIANT: links are what rules and decisions make of the facts, unless they are to be made anew.
pub(super) async fn wrong_links(connection: &mut SqliteConnection) -> Result<usize, StoreError> {
    if !are_made(&mut *connection).await? {
        return Ok(0);
    }
    let found = correlate(connection, Extent::All).await?;
    Ok(found.links.fresh.len() + found.links.gone.len())
}

/// What links were made of, and up to which block accounts were looked at.
struct Made {
    ground: String,
    upto: i64,
}

impl Made {
    /// None where every account is to be looked at.
    async fn last(connection: &mut SqliteConnection) -> Result<Option<Made>, StoreError> {
        let ground = meta::get(&mut *connection, GROUND).await?;
        let upto = meta::get(connection, UPTO).await?;
        let upto = upto.and_then(|block| block.parse().ok()).unwrap_or(0);
        Ok(ground
            .filter(|ground| !ground.is_empty() && upto > 0)
            .map(|ground| Made { ground, upto }))
    }

    /// Whether few accounts have come since.
    async fn few_since(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        let (new, all): (i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(CASE WHEN id > ?1 THEN size END), 0), coalesce(sum(size), 0)
             FROM blocks WHERE kind = ?2 AND ended_sync IS NULL",
        )
        .bind(self.upto)
        .bind(Kind::Account.word())
        .fetch_one(connection)
        .await?;
        Ok(new <= all / FEW_OF)
    }
}

/// Where no more than one of so many accounts is to be looked at, only identities are kept that
/// they ask for.
const FEW_OF: i64 = 16;

async fn correlate(
    connection: &mut SqliteConnection,
    extent: Extent,
) -> Result<Correlated, StoreError> {
    let sources = source_rows(connection, At::Now).await?;
    let depth = ground::depth(connection).await?;
    let odd = odd_records(connection, At::Now, &sources, depth, &mut Again::none()).await?;
    let (made, trust) = match extent {
        Extent::Changed => (Made::last(connection).await?, Trust::Kept),
        Extent::All => (None, Trust::Nothing),
    };
    let past = account_past::read(connection, trust).await?;
    let mut gathered = None;
    // Whom an account asks for over a record of a source that was removed no table says.
    if let Some(made) = &made
        && odd.removed.is_empty()
        && made.few_since(connection).await?
    {
        let kept = Kept::AskedAfter(made.upto);
        let asked = gather(connection, &sources, &odd, &past, kept).await?;
        gathered = Some(asked).filter(|gathered| gathered.ground == made.ground);
    }
    let Gathered {
        persons,
        doubts,
        known,
        ground,
    } = match gathered {
        Some(gathered) => gathered,
        None => gather(connection, &sources, &odd, &past, Kept::All).await?,
    };
    let looked_at = made
        .filter(|made| made.ground == ground)
        .map_or(0, |made| made.upto);
    let mut stored = marks(connection).await?;
    let mut links = Links::default();
    let accounts = Which::now(Kind::Account);
    let (upto,): (i64,) = sqlx::query_as("SELECT coalesce(max(id), 0) FROM blocks")
        .fetch_one(&mut *connection)
        .await?;
    // Of those that were looked at, it only has to be known who is gone.
    if looked_at > 0 {
        blocks::each(connection, &accounts, Columns::Nothing, |block| {
            let Some(mut now) = stored
                .get(&block.id)
                .cloned()
                .filter(|_| block.id <= looked_at)
            else {
                return Ok(());
            };
            stored.remove(&block.id);
            let there: HashSet<usize> = block.places().collect();
            let ended = (0..)
                .zip(&mut now)
                .filter(|(place, mark)| **mark != 0 && !there.contains(place));
            let before = links.gone.len();
            for (place, mark) in ended {
                *mark = 0;
                links.gone.push(block.row(place));
            }
            if links.gone.len() > before {
                links.marks.push((block.id, Some(now)));
            }
            Ok(())
        })
        .await?;
    }
    // How many accounts each has, by its number, where all are looked at.
    let every = if looked_at == 0 { known.count() } else { 0 };
    let mut having = vec![0u32; every as usize];
    let mut telling = Telling::of(&known);
    blocks::each_after(connection, &accounts, depth.columns(), looked_at, |block| {
        let before = stored.remove(&block.id).unwrap_or_default();
        let before = |place: usize| before.get(place).copied().unwrap_or(0);
        let mut now = vec![0; block.size()];
        for place in block.places() {
            let (keys, _) = depth.account(block, place)?;
            let found = known.owner_of(&keys);
            if let Match::One { identity, .. } = &found
                && let Some(count) = having.get_mut(*identity as usize)
            {
                *count += 1;
            }
            let mark = telling.mark(&found);
            if mark != before(place) {
                links.fresh.push((block.row(place), found));
            }
            if let Some(slot) = now.get_mut(place) {
                *slot = mark;
            }
        }
        let ended = |place: &usize| now.get(*place) == Some(&0) && before(*place) != 0;
        let gone = (0..block.size())
            .filter(ended)
            .map(|place| block.row(place));
        links.gone.extend(gone);
        if (0..).zip(&now).any(|(place, mark)| *mark != before(place)) {
            links.marks.push((block.id, Some(now)));
        }
        Ok(())
    })
    .await?;
    for (block, before) in stored {
        let there = (0..).zip(&before).filter(|(_, mark)| **mark != 0);
        links
            .gone
            .extend(there.map(|(place, _)| blocks::row_of(block, place)));
        links.marks.push((block, None));
    }
    let counts = match looked_at {
        0 => Some(by_block(connection, &having).await?),
        _ => None,
    };
    Ok(Correlated {
        sources,
        persons,
        doubts,
        known,
        past,
        links,
        counts,
        ground,
        upto,
    })
}

/// Where the identities stand of which this was counted, in the order in which they were gathered.
async fn by_block(connection: &mut SqliteConnection, having: &[u32]) -> Result<Counts, StoreError> {
    let (mut counts, mut having) = (Counts::new(), having.iter());
    let identities = Which::now(Kind::Identity);
    blocks::each(connection, &identities, Columns::Nothing, |block| {
        let mut of_block = vec![0; block.size()];
        for place in block.places() {
            if let (Some(slot), Some(count)) = (of_block.get_mut(place), having.next()) {
                *slot = *count;
            }
        }
        counts.insert(block.id, of_block);
        Ok(())
    })
    .await?;
    Ok(counts)
}

/// The records that have an account whose link changes, before and after; None where it is so many
/// that everybody's accounts are better counted.
async fn touched(
    connection: &mut SqliteConnection,
    links: &Links,
    known: &Identities,
) -> Result<Option<BTreeSet<(i64, String)>>, StoreError> {
    if !accounts::are_few(links.fresh.len() + links.gone.len()) {
        return Ok(None);
    }
    let changed = links.fresh.iter().map(|(account, _)| *account);
    let changed: Vec<i64> = changed.chain(links.gone.iter().copied()).collect();
    let mut touched: BTreeSet<(i64, String)> = accounts::holders(connection, &changed)
        .await?
        .into_iter()
        .collect();
    for (_, found) in &links.fresh {
        if let Match::One { identity, .. } = found {
            touched.insert((known.source(*identity), known.id(*identity).to_owned()));
        }
    }
    Ok(Some(touched))
}

/// What was written last, by block.
async fn marks(connection: &mut SqliteConnection) -> Result<BTreeMap<i64, Vec<i64>>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT block, bytes FROM link_marks")
        .fetch_all(connection)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(block, bytes)| (block, blocks::read_numbers(&bytes)))
        .collect())
}

/// How many links are put into words at once.
const WINDOW: usize = 5_000;

/// Writes what differs.
async fn replace(
    connection: &mut SqliteConnection,
    links: &Links,
    known: &Identities,
) -> Result<(), StoreError> {
    drop_links(connection, &links.gone).await?;
    let mut telling = Telling::of(known);
    for part in links.fresh.chunks(WINDOW) {
        let part = part.iter();
        let part: Vec<(i64, Link)> = part
            .map(|(account, found)| (*account, telling.link(found)))
            .collect();
        put(connection, &part).await?;
    }
    for (block, marks) in &links.marks {
        match marks {
            Some(marks) => {
                sqlx::query("INSERT OR REPLACE INTO link_marks (block, bytes) VALUES (?1, ?2)")
                    .bind(block)
                    .bind(blocks::numbers(marks.iter().copied()))
                    .execute(&mut *connection)
                    .await?;
            }
            None => {
                sqlx::query("DELETE FROM link_marks WHERE block = ?1")
                    .bind(block)
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn drop_links(connection: &mut SqliteConnection, gone: &[i64]) -> Result<(), StoreError> {
    for part in gone.chunks(1000) {
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM links WHERE account IN (");
        let mut list = delete.separated(", ");
        for account in part {
            list.push_bind(*account);
        }
        delete.push(")");
        delete.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn put(connection: &mut SqliteConnection, fresh: &[(i64, Link)]) -> Result<(), StoreError> {
    for part in fresh.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT OR REPLACE INTO links (account, state, identity_source, identity_id, rule, candidates, doubt) ",
        );
        insert.push_values(part, |mut values, (account, link)| {
            values
                .push_bind(*account)
                .push_bind(link.state)
                .push_bind(link.identity_source)
                .push_bind(link.identity_id.as_deref())
                .push_bind(link.rule.as_str())
                .push_bind(link.candidates.as_deref())
                .push_bind(link.doubt.as_deref());
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}
