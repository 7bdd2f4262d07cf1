//! Accounts that want a decision, the worst first, in windows of one source or of all.
//!
//! The worst is what outlived somebody, then what is doubted, then what has several answers, then
//! what has none. Each state is read along its own index, so that a window far down costs little.

use super::blocks::PLACE_BITS;
use super::links::LinkState;
use super::sources::supplements;
use super::{LinkedAccount, Store, StoreError};
use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Accounts that want a decision, the worst first.
const WORST_FIRST: [LinkState; 4] = [
    LinkState::Gone,
    LinkState::Possible,
    LinkState::Ambiguous,
    LinkState::Unmatched,
];

/// What a list of them is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenLinks {
    /// None: all that want a decision.
    pub state: Option<LinkState>,
    /// None: of all sources.
    pub source: Option<String>,
    pub offset: u64,
    pub limit: u32,
}

impl Store {
    /// How many accounts stand how, but for those that are somebody's; of one source or of all.
    pub async fn open_link_counts(
        &self,
        source: Option<&str>,
    ) -> Result<Vec<(LinkState, u64)>, StoreError> {
        self.derive_if_stale().await?;
        let mut sql =
            QueryBuilder::<Sqlite>::new("SELECT state, count(*) FROM links WHERE state > 0");
        of_source(&mut sql, source);
        sql.push(" GROUP BY state ORDER BY state");
        let rows: Vec<(i64, i64)> = sql.build_query_as().fetch_all(self.readers()).await?;
        rows.into_iter()
            .map(|(state, count)| Ok((LinkState::from_number(state)?, count.cast_unsigned())))
            .collect()
    }

    /// The accounts of a source that are somebody's, each with a number of whose: the same for the
    /// same record.
    pub async fn connected_of(&self, source: &str) -> Result<HashMap<i64, u64>, StoreError> {
        self.derive_if_stale().await?;
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT account, identity_source, identity_id FROM links WHERE state = ",
        );
        sql.push_bind(LinkState::Linked.number());
        of_source(&mut sql, Some(source));
        let rows = sql.build_query_as::<(i64, Option<i64>, Option<String>)>();
        let mut rows = rows.fetch(self.readers());
        let mut connected = HashMap::new();
        while let Some((account, of, id)) = rows.try_next().await? {
            let mut hasher = DefaultHasher::new();
            (of, id).hash(&mut hasher);
            connected.insert(account, hasher.finish());
        }
        Ok(connected)
    }

    /// The accounts that other sources carry of those whom a source lists.
    pub async fn accounts_of_people_of(&self, source: i64) -> Result<HashSet<i64>, StoreError> {
        self.derive_if_stale().await?;
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT account FROM links WHERE state = ");
        sql.push_bind(LinkState::Linked.number());
        sql.push(" AND identity_source = ").push_bind(source);
        sql.push(format!(
            " AND account >> {PLACE_BITS} NOT IN
               (SELECT id FROM blocks WHERE kind = 'account' AND source = "
        ));
        sql.push_bind(source).push(")");
        let accounts = sql.build_query_scalar().fetch_all(self.readers()).await?;
        Ok(accounts.into_iter().collect())
    }

    /// How many of these accounts are somebody's.
    pub async fn still_connected(&self, accounts: &HashSet<i64>) -> Result<u64, StoreError> {
        self.derive_if_stale().await?;
        let sql = "SELECT account FROM links WHERE state = ?1";
        let query = sqlx::query_scalar::<_, i64>(sql).bind(LinkState::Linked.number());
        let mut rows = query.fetch(self.readers());
        let mut still = 0;
        while let Some(account) = rows.try_next().await? {
            still += u64::from(accounts.contains(&account));
        }
        Ok(still)
    }

    /// How many of the accounts that stand so are rows of sources that only add to what others have;
    /// of one source or of all.
    pub async fn links_beside(
        &self,
        source: Option<&str>,
    ) -> Result<Vec<(LinkState, u64)>, StoreError> {
        let beside = supplements(&mut *self.readers().acquire().await?).await?;
        if beside.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = QueryBuilder::<Sqlite>::new(format!(
            "SELECT state, count(*) FROM links WHERE account >> {PLACE_BITS} IN
               (SELECT id FROM blocks WHERE kind = 'account' AND source IN ("
        ));
        let mut list = sql.separated(", ");
        for source in beside {
            list.push_bind(source);
        }
        sql.push("))");
        of_source(&mut sql, source);
        sql.push(" GROUP BY state");
        let rows: Vec<(i64, i64)> = sql.build_query_as().fetch_all(self.readers()).await?;
        rows.into_iter()
            .map(|(state, count)| Ok((LinkState::from_number(state)?, count.cast_unsigned())))
            .collect()
    }

    /// A window of them, and how many match.
    pub async fn open_links(
        &self,
        query: &OpenLinks,
    ) -> Result<(Vec<LinkedAccount>, u64), StoreError> {
        let counts = self.open_link_counts(query.source.as_deref()).await?;
        let wanted: Vec<LinkState> = match query.state {
            Some(state) => vec![state],
            None => WORST_FIRST.to_vec(),
        };
        let (mut rows, mut matching) = (Vec::new(), 0);
        let (mut skip, mut left) = (query.offset, u64::from(query.limit));
        for state in wanted {
            let there = counts.iter().find(|(s, _)| *s == state);
            let there = there.map_or(0, |(_, count)| *count);
            matching += there;
            if skip >= there || left == 0 {
                skip = skip.saturating_sub(there);
                continue;
            }
            let mut sql = QueryBuilder::<Sqlite>::new("SELECT account FROM links WHERE state = ");
            sql.push_bind(state.number());
            of_source(&mut sql, query.source.as_deref());
            sql.push(" ORDER BY account LIMIT ");
            sql.push_bind(left.cast_signed());
            sql.push(" OFFSET ");
            sql.push_bind(skip.cast_signed());
            let found: Vec<i64> = sql.build_query_scalar().fetch_all(self.readers()).await?;
            left = left.saturating_sub(u64::try_from(found.len()).unwrap_or(left));
            skip = 0;
            rows.extend(self.linked_accounts(&found).await?);
        }
        Ok((rows, matching))
    }
}

/// Only the accounts that this source carries: those in its blocks.
fn of_source(sql: &mut QueryBuilder<Sqlite>, source: Option<&str>) {
    let Some(source) = source else { return };
    sql.push(format!(
        " AND account >> {PLACE_BITS} IN (SELECT b.id FROM blocks b JOIN sources s ON s.id = b.source
          WHERE b.kind = 'account' AND s.name = "
    ));
    sql.push_bind(source.to_owned());
    sql.push(")");
}
