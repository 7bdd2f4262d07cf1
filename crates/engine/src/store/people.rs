//! Tables `people` and `people_search`: current identities, as lists sort, filter and search them.

use super::blocks::{self, Columns, Which};
use super::{Store, StoreError, SyncId};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

pub(super) const MIGRATION: &str = "
CREATE TABLE people (
  object INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  display_name TEXT,
  email TEXT,
  status TEXT,
  department TEXT,
  title TEXT,
  manager_id TEXT,
  employer_id TEXT,
  end_date TEXT
) STRICT;
CREATE INDEX people_by_id ON people (id, source);
CREATE INDEX people_by_kind ON people (kind, id);
CREATE INDEX people_by_status ON people (status, id);
CREATE INDEX people_by_name ON people (display_name COLLATE NOCASE, id);
CREATE INDEX people_by_email ON people (email COLLATE NOCASE, id);
CREATE INDEX people_by_department ON people (department COLLATE NOCASE, id);
CREATE INDEX people_by_title ON people (title COLLATE NOCASE, id);
CREATE INDEX people_by_end ON people (end_date, id);
CREATE VIRTUAL TABLE people_search USING fts5 (text, prefix = '1 2 3', tokenize = \"unicode61 remove_diacritics 2\");
";

/// A current identity with what lists need beside its own columns.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PersonRow {
    pub object: i64,
    pub source_name: String,
    pub id: String,
    pub kind: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub status: Option<String>,
    pub department: Option<String>,
    pub title: Option<String>,
    pub manager_id: Option<String>,
    pub employer_id: Option<String>,
    pub end_date: Option<String>,
    /// How many sources have this id.
    pub namesakes: i64,
    pub accounts: i64,
}

impl PersonRow {
    /// Bare where unique, else `source:id`.
    pub fn shown_id(&self) -> String {
        if self.namesakes > 1 {
            format!("{}:{}", self.source_name, self.id)
        } else {
            self.id.clone()
        }
    }
}

/// What a list of people is asked for; the columns are checked by the reader.
pub(crate) struct PeopleQuery<'a> {
    pub search: &'a str,
    pub filters: &'a [(String, String)],
    pub sort: &'a str,
    pub descending: bool,
    pub offset: u64,
    pub limit: u32,
}

const SELECT: &str = "SELECT p.object, s.name AS source_name, p.id, p.kind, p.display_name, p.email, p.status,
 p.department, p.title, p.manager_id, p.employer_id, p.end_date,
 (SELECT count(*) FROM people d WHERE d.id = p.id) AS namesakes,
 (SELECT count(*) FROM links l WHERE l.identity_id = p.id AND l.identity_source = p.source) AS accounts
 FROM people p JOIN sources s ON s.id = p.source";

/// A search as an FTS5 expression: each part between spaces must stand in the row, its
/// pieces one after the other, the last one as the beginning of a word.
fn prefixes(search: &str) -> Option<String> {
    let parts: Vec<String> = search
        .split_whitespace()
        .filter_map(|part| {
            let pieces: Vec<&str> = part
                .split(|c: char| !c.is_alphanumeric())
                .filter(|piece| !piece.is_empty())
                .collect();
            (!pieces.is_empty()).then(|| format!("\"{}\"*", pieces.join(" ")))
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

/// Columns that can be filtered, and the SQL that they are.
fn filter_column(name: &str) -> Option<&'static str> {
    match name {
        "id" => Some("p.id"),
        "kind" => Some("p.kind"),
        "status" => Some("p.status"),
        "source" => Some("s.name"),
        "department" => Some("p.department"),
        "title" => Some("p.title"),
        "email" => Some("p.email"),
        "manager_id" => Some("p.manager_id"),
        "employer_id" => Some("p.employer_id"),
        _ => None,
    }
}

fn sort_column(name: &str) -> Option<&'static str> {
    match name {
        "" | "id" => Some("p.id"),
        "kind" => Some("p.kind"),
        "status" => Some("p.status"),
        "source" => Some("s.name"),
        "display_name" => Some("p.display_name COLLATE NOCASE"),
        "email" => Some("p.email COLLATE NOCASE"),
        "department" => Some("p.department COLLATE NOCASE"),
        "title" => Some("p.title COLLATE NOCASE"),
        "end_date" => Some("p.end_date"),
        "accounts" => Some("accounts"),
        _ => None,
    }
}

impl Store {
    /// A window of people, how many match, and how many there are.
    pub(crate) async fn people(
        &self,
        query: &PeopleQuery<'_>,
    ) -> Result<(Vec<PersonRow>, u64, u64), StoreError> {
        let bad = |what: &str, value: &str| StoreError::BadQuery {
            what: what.to_owned(),
            value: value.to_owned(),
        };
        let sort = sort_column(query.sort).ok_or_else(|| bad("sort", query.sort))?;
        let mut conditions: Vec<(String, String)> = Vec::new();
        for (column, value) in query.filters {
            let column = filter_column(column).ok_or_else(|| bad("filter", column))?;
            conditions.push((format!("{column} = "), value.clone()));
        }
        if let Some(words) = prefixes(query.search) {
            conditions.push((
                "p.object IN (SELECT rowid FROM people_search WHERE people_search MATCH "
                    .to_owned(),
                words,
            ));
        } else if !query.search.trim().is_empty() {
            // Nothing but signs: found as it stands.
            conditions.push(("instr(p.id, ".to_owned(), query.search.trim().to_owned()));
        }
        let restrict = |sql: &mut QueryBuilder<Sqlite>| {
            for (n, (condition, value)) in conditions.iter().enumerate() {
                sql.push(if n == 0 { " WHERE " } else { " AND " });
                sql.push(condition);
                sql.push_bind(value.clone());
                if condition.contains('(') {
                    sql.push(")");
                }
            }
        };
        let (total,): (i64,) = sqlx::query_as("SELECT count(*) FROM people")
            .fetch_one(self.readers())
            .await?;
        let matching = if conditions.is_empty() {
            total
        } else {
            let mut count = QueryBuilder::<Sqlite>::new(
                "SELECT count(*) FROM people p JOIN sources s ON s.id = p.source",
            );
            restrict(&mut count);
            count
                .build_query_scalar::<i64>()
                .fetch_one(self.readers())
                .await?
        };
        let mut select = QueryBuilder::<Sqlite>::new(SELECT);
        restrict(&mut select);
        let direction = if query.descending { "DESC" } else { "ASC" };
        select.push(format!(
            " ORDER BY {sort} {direction}, p.id {direction}, p.source {direction} LIMIT "
        ));
        select.push_bind(query.limit);
        select.push(" OFFSET ");
        select.push_bind(query.offset.cast_signed());
        let rows = select
            .build_query_as::<PersonRow>()
            .fetch_all(self.readers())
            .await?;
        Ok((rows, matching.cast_unsigned(), total.cast_unsigned()))
    }

    /// The current identities that `text` names: a bare id, or `source:id`.
    pub async fn find_identity(&self, text: &str) -> Result<Vec<PersonRow>, StoreError> {
        let sql = format!("{SELECT} WHERE p.id = ?1 ORDER BY s.name");
        let bare: Vec<PersonRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(text)
            .fetch_all(self.readers())
            .await?;
        if !bare.is_empty() {
            return Ok(bare);
        }
        let Some((source, id)) = text.split_once(':') else {
            return Ok(Vec::new());
        };
        let sql = format!("{SELECT} WHERE s.name = ?1 AND p.id = ?2");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(source)
            .bind(id)
            .fetch_all(self.readers())
            .await?)
    }

    /// How many current identities and credentials there are.
    pub(crate) async fn counts(&self) -> Result<(u64, u64), StoreError> {
        let (people,): (i64,) = sqlx::query_as("SELECT count(*) FROM people")
            .fetch_one(self.readers())
            .await?;
        let credentials = self.population_size(Kind::Credential).await?;
        Ok((people.cast_unsigned(), credentials))
    }
}

/// Adds rows for new versions.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    source: i64,
    people: &[(i64, &Identity)],
) -> Result<(), StoreError> {
    for part in people.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO people (object, source, id, kind, display_name, email, status, department, title, manager_id, employer_id, end_date) ",
        );
        insert.push_values(part, |mut values, (object, x)| {
            values
                .push_bind(*object)
                .push_bind(source)
                .push_bind(x.id.as_str())
                .push_bind(x.kind.word())
                .push_bind(x.display_name.as_deref())
                .push_bind(x.email.as_deref())
                .push_bind(x.status.map(|s| s.word()))
                .push_bind(x.department.as_deref())
                .push_bind(x.title.as_deref())
                .push_bind(x.manager_id.as_ref().map(|i| i.as_str()))
                .push_bind(x.employer_id.as_ref().map(|i| i.as_str()))
                .push_bind(x.end_date.map(|d| d.to_text()));
        });
        insert.build().execute(&mut *connection).await?;
        let mut search = QueryBuilder::<Sqlite>::new("INSERT INTO people_search (rowid, text) ");
        search.push_values(part, |mut values, (object, x)| {
            let words = [
                Some(x.id.as_str()),
                x.display_name.as_deref(),
                x.email.as_deref(),
            ];
            let text: Vec<&str> = words.into_iter().flatten().collect();
            values.push_bind(*object).push_bind(text.join("\n"));
        });
        search.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds rows for versions that are current again.
async fn put_again(connection: &mut SqliteConnection, rows: &[i64]) -> Result<(), StoreError> {
    for part in rows.chunks(1000) {
        let mut found = Vec::new();
        blocks::of_rows(&mut *connection, part, Columns::Facts, |block, place| {
            let identity: Identity = serde_json::from_str(block.fact(place)?)?;
            found.push((block.source, block.row(place), identity));
            Ok(())
        })
        .await?;
        for alike in found.chunk_by(|(a, _, _), (b, _, _)| a == b) {
            let Some((source, _, _)) = alike.first() else {
                continue;
            };
            let people: Vec<(i64, &Identity)> =
                alike.iter().map(|(_, row, one)| (*row, one)).collect();
            put(&mut *connection, *source, &people).await?;
        }
    }
    Ok(())
}

/// Makes the list of current identities anew, whatever stands in it.
pub(super) async fn make_anew(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("DELETE FROM people; DELETE FROM people_search;")
        .execute(&mut *connection)
        .await?;
    let mut rows = Vec::new();
    let which = Which::now(Kind::Identity);
    blocks::each(&mut *connection, &which, Columns::Nothing, |block| {
        rows.extend(block.places().map(|place| block.row(place)));
        Ok(())
    })
    .await?;
    put_again(connection, &rows).await
}

/// Takes back what a sync did to the list; after its blocks and endings are gone.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    undone: &Undone,
) -> Result<(), StoreError> {
    drop_rows(&mut *connection, &undone.stored).await?;
    put_again(connection, &undone.ended).await
}

/// The identities that a sync stored and those that it ended, to be taken back.
pub(super) struct Undone {
    stored: Vec<i64>,
    ended: Vec<i64>,
}

/// What a sync did to identities; before it is undone.
pub(super) async fn done_by(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<Undone, StoreError> {
    let ended = blocks::ended_by(&mut *connection, Kind::Identity, sync).await?;
    let mut stored = Vec::new();
    let which = Which::ever(Kind::Identity);
    blocks::each(connection, &which, Columns::Nothing, |block| {
        if block.first_sync == sync.sql() {
            stored.extend(block.places().map(|place| block.row(place)));
        }
        Ok(())
    })
    .await?;
    Ok(Undone {
        // What it stored and ended itself is gone either way.
        ended: ended
            .into_iter()
            .filter(|row| stored.binary_search(row).is_err())
            .collect(),
        stored,
    })
}

/// Drops the rows of versions that are no longer current.
pub(super) async fn drop_rows(
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> Result<(), StoreError> {
    for part in ids.chunks(1000) {
        for table in [
            "DELETE FROM people_search WHERE rowid IN (",
            "DELETE FROM people WHERE object IN (",
        ] {
            let mut delete = QueryBuilder::<Sqlite>::new(table);
            let mut list = delete.separated(", ");
            for id in part {
                list.push_bind(*id);
            }
            delete.push(")");
            delete.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Drops the rows of versions that this sync ended.
pub(super) async fn drop_ended(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
    let rows = blocks::ended_by(&mut *connection, Kind::Identity, sync).await?;
    drop_rows(connection, &rows).await
}
