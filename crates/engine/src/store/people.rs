//! Table `people`: current identities, as lists show them. In which order, and what a search
//! finds, says the `roster`.

use super::error::PERSON;
use super::facts_table::{day, day_of, require_word};
pub(super) use super::people_rows::{
    done_by, drop_ended, drop_rows, make_anew, move_rows, put, take_back,
};
use super::roster::accounts::BY_ACCOUNTS;
use super::roster::{self, Set, Wanted};
use super::{Store, StoreError};
use chrono::NaiveDate;
use lastkey_contract::Kind;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

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

/// Those who are no people, a few among all. It is no part of the layout: without it they are found
/// by going through everybody, and the next read makes it.
const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS people_not_persons ON people (object) WHERE kind <> 'person'";

/// Makes sure of the index.
pub(super) async fn index(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(INDEX).execute(connection).await?;
    Ok(())
}

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
    /// How many persons have this id in some source.
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
 (SELECT count(DISTINCT coalesce(r.person, -d.object)) FROM people d
  LEFT JOIN person_records r ON r.source = d.source AND r.id = d.id WHERE d.id = p.id) AS namesakes,
 (SELECT count(*) FROM links l WHERE l.identity_id = p.id AND l.identity_source = p.source AND l.state = 0)
  + (SELECT count(*) FROM person_records m JOIN person_records r ON r.person = m.person
     JOIN links l ON l.identity_id = r.id AND l.identity_source = r.source AND l.state = 0
     WHERE m.source = p.source AND m.id = p.id AND (r.source <> p.source OR r.id <> p.id)) AS accounts
 FROM people p JOIN sources s ON s.id = p.source";

/// The columns by which the roster can be narrowed.
const FILTERED: &[&str] = &[
    "id",
    "kind",
    "status",
    "display_name",
    "email",
    "department",
    "title",
    "end_date",
    "manager_id",
    "employer_id",
];

/// The column of `people` that an order of the roster is sorted by; None where there is no such order.
pub(super) fn column(name: &str) -> Option<&'static str> {
    match name {
        "" | "id" => Some("p.id"),
        "kind" => Some("p.kind"),
        "status" => Some("p.status"),
        "source" => Some("s.name"),
        "display_name" => Some("p.display_name"),
        "email" => Some("p.email"),
        "department" => Some("p.department"),
        "title" => Some("p.title"),
        "end_date" => Some("p.end_date"),
        "manager_id" => Some("p.manager_id"),
        "employer_id" => Some("p.employer_id"),
        _ => None,
    }
}

impl Store {
    /// A window of people, how many match, and how many there are. Lists show what the roster
    /// was last made of, without those who are gone since.
    pub(crate) async fn people(
        &self,
        query: &PeopleQuery<'_>,
    ) -> Result<(Vec<PersonRow>, u64, u64), StoreError> {
        let bad = |what: &str, value: &str| StoreError::BadQuery {
            what: what.to_owned(),
            value: value.to_owned(),
        };
        if column(query.sort).is_none() && query.sort != BY_ACCOUNTS {
            return Err(bad("sort", query.sort));
        }
        let size = self.roster_size().await?;
        let mut found: Option<Set> = None;
        let mut narrow = |set: Set| match &mut found {
            None => found = Some(set),
            Some(found) => found.keep(&set),
        };
        for (name, value) in query.filters {
            let of_people = column(name).ok_or_else(|| match name.as_str() {
                PERSON => bad(PERSON, value),
                _ => StoreError::NoSuchColumn {
                    value: name.clone(),
                    of: Kind::Identity.plural(),
                    columns: FILTERED,
                },
            })?;
            require_word(Kind::Identity, name, value)?;
            narrow(self.people_with(name, of_people, value, size).await?);
        }
        let words = roster::wanted(query.search);
        if !words.is_empty() {
            narrow(self.roster_search(&words, size).await?);
        } else if !query.search.trim().is_empty() {
            // Nothing but signs: found as it stands.
            narrow(self.people_signed(query.search.trim(), size).await?);
        }
        let matching = found.as_ref().map_or(size, Set::len);
        let from = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let numbers = self
            .people_window(query, found.as_ref(), matching, from)
            .await?;
        let objects = self.roster_rows(&numbers).await?;
        let rows = self.person_rows(&objects).await?;
        Ok((rows, matching as u64, size as u64))
    }

    /// The numbers of a window, in the order that was asked for.
    async fn people_window(
        &self,
        query: &PeopleQuery<'_>,
        found: Option<&Set>,
        matching: usize,
        from: usize,
    ) -> Result<Vec<u32>, StoreError> {
        let limit = (query.limit as usize).min(matching.saturating_sub(from));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let order = match query.sort {
            "" => "id",
            other => other,
        };
        if order == BY_ACCOUNTS {
            self.ordered_by_accounts().await?;
        }
        let first = match query.descending {
            false => from,
            true => matching.saturating_sub(from + limit),
        };
        let mut window = match found {
            None => self.roster_window(order, first, limit).await?,
            Some(set) => self.roster_found(order, set, first, limit).await?,
        };
        if query.descending {
            window.reverse();
        }
        Ok(window)
    }

    /// Those who have this value in a column: they stand together in its order.
    async fn people_with(
        &self,
        name: &str,
        of_people: &'static str,
        value: &str,
        size: usize,
    ) -> Result<Set, StoreError> {
        let mut spans = Vec::new();
        let wanted = roster::key_of(name, value);
        if let Some(date) = day(name, value) {
            spans = self.spans_of_day((name, of_people), date, size).await?;
        } else if !wanted.is_empty() {
            // Nothing is not a value.
            let compare = |text: &str| roster::key_of(name, text).cmp(&wanted);
            spans.push(self.span((name, of_people), size, compare).await?);
        }
        let mut set = Set::none(size);
        let [one] = spans.as_slice() else {
            for span in spans {
                for number in self.roster_range(name, span).await? {
                    set.add(number);
                }
            }
            return Ok(set);
        };
        let (from, to) = (one.start, one.end);
        // Whatever is less to read: those who have the value, or all others.
        if to.saturating_sub(from) <= size / 2 {
            for number in self.roster_range(name, from..to).await? {
                set.add(number);
            }
            return Ok(set);
        }
        set = Set::all(size);
        for others in [0..from, to..size] {
            for number in self.roster_range(name, others).await? {
                set.leave_out(number);
            }
        }
        Ok(set)
    }

    /// Where those stand in the order of a column whose text shows this date: a day stands as the
    /// interval that it is in its own zone, and begins on its date in UTC or on the evening before.
    async fn spans_of_day(
        &self,
        column: (&str, &'static str),
        date: NaiveDate,
        size: usize,
    ) -> Result<Vec<Range<usize>>, StoreError> {
        let eve = date.pred_opt().unwrap_or(date);
        let (begin, end) = (format!("{eve}T12"), format!("{date}T12"));
        let about = |text: &str| match text {
            text if text < begin.as_str() => Ordering::Less,
            text if text >= end.as_str() => Ordering::Greater,
            _ => Ordering::Equal,
        };
        let about = self.span(column, size, about).await?;
        let (mut spans, mut at) = (Vec::new(), about.start);
        while at < about.end {
            let text = self.text_at(column, at).await?;
            let alike = |other: &str| other.cmp(text.as_str());
            let alike = self.span(column, size, alike).await?;
            at = alike.end.max(at + 1);
            if day_of(&text) == Some(date) {
                spans.push(alike);
            }
        }
        Ok(spans)
    }

    /// The text of a column at a place in its order.
    async fn text_at(
        &self,
        (name, of_people): (&str, &'static str),
        place: usize,
    ) -> Result<String, StoreError> {
        let sql = format!(
            "SELECT {of_people} FROM people p JOIN sources s ON s.id = p.source WHERE p.object = ?1"
        );
        let number = self.roster_window(name, place, 1).await?;
        let object = self.roster_rows(&number).await?;
        let found: Option<(Option<String>,)> = sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str()))
            .bind(object.first())
            .fetch_optional(self.readers())
            .await?;
        Ok(found.and_then(|(text,)| text).unwrap_or_default())
    }

    /// Where those stand in the order of a column whose text compares as equal.
    async fn span(
        &self,
        column: (&str, &'static str),
        size: usize,
        compare: impl Fn(&str) -> Ordering,
    ) -> Result<Range<usize>, StoreError> {
        // Where the first of them stands and the last is looked for on the same way at first.
        let mut compared: HashMap<usize, Ordering> = HashMap::new();
        let mut bounds = [0usize; 2];
        for (bound, after) in bounds.iter_mut().zip([Ordering::Less, Ordering::Equal]) {
            let (mut low, mut high) = (0, size);
            while low < high {
                let middle = low + (high - low) / 2;
                let known = match compared.get(&middle) {
                    Some(known) => *known,
                    None => {
                        let known = compare(&self.text_at(column, middle).await?);
                        compared.insert(middle, known);
                        known
                    }
                };
                match known <= after {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            *bound = low;
        }
        let [from, to] = bounds;
        Ok(from..to)
    }

    /// Those whose id has these signs in it, as they stand.
    async fn people_signed(&self, signs: &str, size: usize) -> Result<Set, StoreError> {
        let listed = !signs.chars().any(char::is_alphanumeric) && self.roster_has_signs().await?;
        if listed {
            let each = signs
                .chars()
                .map(|sign| Wanted::Word(roster::sign_word(sign)));
            let each: Vec<Wanted> = each.collect();
            let found = self.roster_search(&each, size).await?;
            // Of several it does not say yet whether they stand beside each other.
            if each.len() == 1 || found.len() == 0 {
                return Ok(found);
            }
        }
        let objects: Vec<i64> =
            sqlx::query_scalar("SELECT object FROM people WHERE instr(id, ?1) > 0 ORDER BY object")
                .bind(signs)
                .fetch_all(self.readers())
                .await?;
        self.numbers_of(&objects, size).await
    }

    /// The numbers of some rows.
    async fn numbers_of(&self, objects: &[i64], size: usize) -> Result<Set, StoreError> {
        let every: Vec<u32> = (0u32..).take(size).collect();
        let rows = self.roster_rows(&every).await?;
        let mut numbers: Vec<(i64, u32)> = rows.into_iter().zip(every).collect();
        numbers.sort_unstable();
        let mut set = Set::none(size);
        for object in objects {
            let found = numbers.binary_search_by_key(object, |(row, _)| *row);
            if let Some((_, number)) = found.ok().and_then(|at| numbers.get(at)) {
                set.add(*number);
            }
        }
        Ok(set)
    }

    /// Id, name and address of people, in the order of the rows given.
    pub(super) async fn texts_of(
        &self,
        objects: &[i64],
    ) -> Result<Vec<[Option<String>; 3]>, StoreError> {
        let mut texts = Vec::with_capacity(objects.len());
        for object in objects {
            let (id, name, email): (String, Option<String>, Option<String>) =
                sqlx::query_as("SELECT id, display_name, email FROM people WHERE object = ?1")
                    .bind(object)
                    .fetch_one(self.readers())
                    .await?;
            texts.push([Some(id), name, email]);
        }
        Ok(texts)
    }

    /// People by their rows, in the order of the rows given; who is gone is left out.
    pub(super) async fn person_rows(&self, objects: &[i64]) -> Result<Vec<PersonRow>, StoreError> {
        let mut found: HashMap<i64, PersonRow> = HashMap::new();
        for part in objects.chunks(1000) {
            let mut select = QueryBuilder::<Sqlite>::new(SELECT);
            select.push(" WHERE p.object IN (");
            let mut list = select.separated(", ");
            for object in part {
                list.push_bind(*object);
            }
            select.push(")");
            let rows: Vec<PersonRow> = select.build_query_as().fetch_all(self.readers()).await?;
            found.extend(rows.into_iter().map(|row| (row.object, row)));
        }
        Ok(objects.iter().filter_map(|row| found.remove(row)).collect())
    }

    /// The current identities that `text` names: a bare id, or `source:id`. Each person once, as
    /// the record that goes first, whichever of its records the text names.
    pub async fn find_identity(&self, text: &str) -> Result<Vec<PersonRow>, StoreError> {
        let bare: Vec<i64> =
            sqlx::query_scalar("SELECT object FROM people WHERE id = ?1 ORDER BY source")
                .bind(text)
                .fetch_all(self.readers())
                .await?;
        let objects = match (bare.is_empty(), text.split_once(':')) {
            (false, _) => self.leading(&bare).await?,
            (true, None) => Vec::new(),
            (true, Some((source, id))) => {
                let record: Option<i64> = sqlx::query_scalar(
                    "SELECT p.object FROM people p JOIN sources s ON s.id = p.source
                     WHERE s.name = ?1 AND p.id = ?2",
                )
                .bind(source)
                .bind(id)
                .fetch_optional(self.readers())
                .await?;
                match record {
                    Some(record) => self.leading(&[record]).await?,
                    None => self.listed_elsewhere(source, id).await?,
                }
            }
        };
        let mut found = self.person_rows(&objects).await?;
        found.sort_by(|a, b| (&a.source_name, &a.id).cmp(&(&b.source_name, &b.id)));
        Ok(found)
    }

    /// The rows of the records that go first among the current ones of each record's person.
    async fn leading(&self, records: &[i64]) -> Result<Vec<i64>, StoreError> {
        let mut leading = Vec::new();
        for record in records {
            let lead: Option<i64> = sqlx::query_scalar(
                "SELECT l.object FROM people p
                 JOIN person_records m ON m.source = p.source AND m.id = p.id
                 JOIN person_records r ON r.person = m.person
                 JOIN people l ON l.source = r.source AND l.id = r.id
                 WHERE p.object = ?1 ORDER BY r.place LIMIT 1",
            )
            .bind(record)
            .fetch_optional(self.readers())
            .await?;
            let lead = lead.unwrap_or(*record);
            if !leading.contains(&lead) {
                leading.push(lead);
            }
        }
        Ok(leading)
    }

    /// The current record of a person that is named by a record which is not listed now.
    async fn listed_elsewhere(&self, source: &str, id: &str) -> Result<Vec<i64>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT l.object FROM person_records m JOIN sources s ON s.id = m.source
             JOIN person_records r ON r.person = m.person
             JOIN people l ON l.source = r.source AND l.id = r.id
             WHERE s.name = ?1 AND m.id = ?2 ORDER BY r.place LIMIT 1",
        )
        .bind(source)
        .bind(id)
        .fetch_all(self.readers())
        .await?)
    }

    /// How many current identities and credentials there are.
    pub(crate) async fn counts(&self) -> Result<(u64, u64), StoreError> {
        let (people,): (i64,) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM people)
             - (SELECT count(*) - count(DISTINCT r.person) FROM person_records r
                JOIN people p ON p.source = r.source AND p.id = r.id)",
        )
        .fetch_one(self.readers())
        .await?;
        let credentials = self.population_size(Kind::Credential).await?;
        Ok((people.cast_unsigned(), credentials))
    }
}
