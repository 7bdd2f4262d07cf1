//! Windows of the lists of owners: what is owned and how, every owner line, suggestions.

use super::super::{End, Store, StoreError, named};
use crate::ownership::{ObjectName, OwnerState, Reason, Rule, Standing, Strength};
use lastkey_contract::Kind;
use lastkey_contract::facts::{ObjectType, OwnerRole};
use serde::Deserialize;
use serde_json::{Map, Value};
use sqlx::{QueryBuilder, Sqlite};
use std::collections::HashSet;

/// What a list is asked for. Columns are checked by the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnersQuery {
    /// Column and value; all must hold.
    pub filters: Vec<(String, String)>,
    /// Of suggestions: only those at least as strong.
    pub at_least: Option<Strength>,
    pub offset: u64,
    pub limit: u32,
}

/// Something that needs an owner, and what its owner lines amount to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnedRow {
    pub object_type: String,
    pub system: String,
    pub object_id: String,
    pub name: Option<String>,
    pub kind: String,
    pub standing: String,
    pub owners: i64,
    /// How many suggestions ask for a decision.
    pub suggestions: i64,
}

/// A suggestion that asks for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestionRow {
    pub object: ObjectName,
    pub name: Option<String>,
    pub standing: String,
    pub role: String,
    pub strength: Strength,
    /// None where several people fit.
    pub owner: Option<SuggestedOwner>,
    /// `source:id` of everyone who fits, where it is not one.
    pub candidates: Vec<String>,
    pub basis: String,
    pub reasons: Vec<Reason>,
}

/// Who is suggested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestedOwner {
    pub source: String,
    pub id: String,
    /// Bare where unique, else `source:id`.
    pub shown: String,
    pub name: Option<String>,
    pub state: String,
}

/// What a fact is called: locations by their path, others by their id.
#[derive(Deserialize)]
struct Named {
    system: String,
    id: Option<String>,
    path: Option<String>,
}

impl Named {
    fn object(self, kind: ObjectType) -> Option<ObjectName> {
        Some(ObjectName::new(kind, self.system, self.id.or(self.path)?))
    }
}

#[derive(sqlx::FromRow)]
struct Stored {
    object_type: String,
    system: String,
    object_id: String,
    name: Option<String>,
    standing: String,
    role: String,
    strength: i64,
    owner_source: String,
    owner_id: String,
    owner_name: Option<String>,
    owner_state: Option<String>,
    namesakes: i64,
    candidates: String,
    basis: String,
    reasons: String,
}

impl Stored {
    fn row(self) -> Result<SuggestionRow, StoreError> {
        let kind = ObjectType::from_word(&self.object_type)
            .ok_or_else(|| StoreError::damaged("an owned object of no known type"))?;
        let owner = (!self.owner_id.is_empty()).then(|| SuggestedOwner {
            shown: match self.namesakes {
                0 | 1 => self.owner_id.clone(),
                _ => format!("{}:{}", self.owner_source, self.owner_id),
            },
            source: self.owner_source,
            id: self.owner_id,
            name: self.owner_name,
            state: self.owner_state.unwrap_or_default(),
        });
        Ok(SuggestionRow {
            object: ObjectName::new(kind, self.system, self.object_id),
            name: self.name,
            standing: self.standing,
            role: self.role,
            strength: Strength::from_number(self.strength).unwrap_or(Strength::Ambiguous),
            owner,
            candidates: serde_json::from_str(&self.candidates)?,
            basis: self.basis,
            reasons: serde_json::from_str(&self.reasons)?,
        })
    }
}

/// The columns of the list of owner lines, in order.
pub const LINE_COLUMNS: [&str; 13] = [
    "object_type",
    "system",
    "object_id",
    "owner_id",
    "owner_name",
    "role",
    "basis",
    "state",
    "source",
    "first_sync",
    "confirmed_at",
    "confirmed_by",
    "why",
];

type Line = (
    String,
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Refuses a value that no row of a list can have: an empty answer would look like one.
fn require_known(of: &'static str, filters: &[(String, String)]) -> Result<(), StoreError> {
    for (column, value) in filters {
        let words: &'static [&'static str] = match column.as_str() {
            "object_type" => ObjectType::WORDS,
            "role" => OwnerRole::WORDS,
            "standing" => Standing::WORDS,
            "state" => OwnerState::WORDS,
            "confidence" => Strength::WORDS,
            "rule" => Rule::WORDS,
            "basis" => &["observed", "attested"],
            "suggested" => &["yes", "no"],
            _ => continue,
        };
        if !words.contains(&value.as_str()) {
            return Err(StoreError::NoSuchWord {
                of,
                column: column.clone(),
                value: value.clone(),
                words,
            });
        }
    }
    Ok(())
}

fn bad(column: &str) -> StoreError {
    StoreError::BadQuery {
        what: "column".to_owned(),
        value: column.to_owned(),
    }
}

/// Adds one condition; values of `rule` are one of several in a column, and what is said of
/// suggestions and lines is looked up in their tables.
fn condition(sql: &mut QueryBuilder<Sqlite>, column: &str, value: &str) {
    if column == "rules" {
        sql.push(" AND instr(',' || s.rules || ',', ");
        sql.push_bind(format!(",{value},"));
        sql.push(") > 0");
        return;
    }
    if column == "suggested" {
        sql.push(match value {
            "no" => " AND NOT EXISTS ",
            _ => " AND EXISTS ",
        });
        sql.push("(SELECT 1 FROM owner_suggestions s WHERE s.object = o.number AND s.open = 1)");
        return;
    }
    if column == "basis of a line" {
        sql.push(
            " AND EXISTS (SELECT 1 FROM owner_lines l WHERE l.object_type = o.object_type
             AND l.system = CASE o.object_type WHEN 'identity' THEN '' ELSE o.system END
             AND l.object_id = o.object_id
             AND l.basis = ",
        );
        sql.push_bind(value.to_owned());
        sql.push(")");
        return;
    }
    sql.push(format!(" AND {column} = "));
    sql.push_bind(value.to_owned());
}

fn suggestion_column(name: &str) -> Option<&'static str> {
    match name {
        "object_type" => Some("o.object_type"),
        "system" => Some("o.system"),
        "object_id" => Some("o.object_id"),
        "standing" => Some("o.standing"),
        "role" => Some("s.role"),
        "owner_id" => Some("s.owner_id"),
        "confidence" => Some("s.strength"),
        "rule" => Some("rules"),
        _ => None,
    }
}

fn owned_column(name: &str) -> Option<&'static str> {
    match name {
        "object_type" => Some("o.object_type"),
        "system" => Some("o.system"),
        "object_id" => Some("o.object_id"),
        "standing" => Some("o.standing"),
        "kind" => Some("o.kind"),
        "suggested" => Some("suggested"),
        "basis" => Some("basis of a line"),
        _ => None,
    }
}

impl Store {
    /// Which of these objects some source has now.
    pub async fn objects_there(
        &self,
        objects: &[ObjectName],
    ) -> Result<HashSet<ObjectName>, StoreError> {
        let mut there = HashSet::new();
        for kind in [
            ObjectType::Identity,
            ObjectType::Account,
            ObjectType::Credential,
            ObjectType::Location,
            ObjectType::Entitlement,
        ] {
            let asked: Vec<&ObjectName> = objects.iter().filter(|o| o.kind == kind).collect();
            if asked.is_empty() {
                continue;
            }
            let pairs: Vec<String> = asked.iter().map(|o| named(&o.system, &o.id)).collect();
            match kind {
                ObjectType::Identity => {
                    for object in asked {
                        let found = self.find_identity(&object.id).await?;
                        if found.iter().any(|p| p.source_name == object.system) {
                            there.insert(object.clone());
                        }
                    }
                }
                ObjectType::Account => {
                    let found = self
                        .facts_at::<Named>(Kind::Account, End::Key, &pairs)
                        .await?;
                    there.extend(found.into_iter().filter_map(|(_, o)| o.object(kind)));
                }
                ObjectType::Credential => {
                    let found = self
                        .facts_at::<Named>(Kind::Credential, End::Key, &pairs)
                        .await?;
                    there.extend(found.into_iter().filter_map(|(_, o)| o.object(kind)));
                }
                ObjectType::Entitlement => {
                    let found = self
                        .facts_at::<Named>(Kind::Entitlement, End::Key, &pairs)
                        .await?;
                    there.extend(found.into_iter().filter_map(|(_, o)| o.object(kind)));
                }
                ObjectType::Location => {
                    let found = self
                        .facts_at::<Named>(Kind::Location, End::To, &pairs)
                        .await?;
                    there.extend(found.into_iter().filter_map(|(_, o)| o.object(kind)));
                }
            }
        }
        Ok(there)
    }

    /// Suggestions that ask for a decision, best first, and how many match.
    pub async fn owner_suggestions(
        &self,
        query: &OwnersQuery,
    ) -> Result<(Vec<SuggestionRow>, u64), StoreError> {
        require_known("suggestions", &query.filters)?;
        let mut conditions = Vec::new();
        for (column, value) in &query.filters {
            let sql = suggestion_column(column).ok_or_else(|| bad(column))?;
            let value = match column.as_str() {
                "confidence" => Strength::from_word(value)
                    .map_or_else(String::new, |strength| strength.number().to_string()),
                _ => value.clone(),
            };
            conditions.push((sql, value));
        }
        // Of what is skipped nothing is looked up but its place in the order.
        let about_objects = conditions
            .iter()
            .any(|(column, _)| column.starts_with("o."));
        // Of one object the few of its own are gone through, not all there are in their order.
        let of_one = conditions
            .iter()
            .any(|(column, _)| *column == "o.object_id");
        let restrict = |sql: &mut QueryBuilder<Sqlite>| {
            sql.push(match (of_one, about_objects) {
                (true, _) => {
                    " FROM owned o CROSS JOIN owner_suggestions s ON s.object = o.number
                     WHERE +s.open = 1"
                }
                (false, true) => {
                    " FROM owner_suggestions s JOIN owned o ON o.number = s.object WHERE s.open = 1"
                }
                (false, false) => " FROM owner_suggestions s WHERE s.open = 1",
            });
            if let Some(least) = query.at_least {
                sql.push(" AND s.strength >= ");
                sql.push_bind(least.number());
            }
            for (column, value) in &conditions {
                if *column == "s.strength" {
                    sql.push(" AND s.strength = CAST(");
                    sql.push_bind(value.clone());
                    sql.push(" AS INTEGER)");
                } else {
                    condition(sql, column, value);
                }
            }
        };
        let mut count = QueryBuilder::<Sqlite>::new("SELECT count(*)");
        restrict(&mut count);
        let matching: i64 = count.build_query_scalar().fetch_one(self.readers()).await?;
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT o.object_type, o.system, o.object_id, o.name, o.standing, s.role, s.strength,
             s.owner_source, s.owner_id, s.owner_name, s.owner_state, s.candidates, s.basis, s.reasons,
             (SELECT count(*) FROM people d WHERE d.id = s.owner_id) AS namesakes
             FROM owner_suggestions s JOIN owned o ON o.number = s.object
             WHERE s.id IN (SELECT s.id",
        );
        restrict(&mut select);
        select.push(" ORDER BY s.strength DESC, s.id LIMIT ");
        select.push_bind(query.limit);
        select.push(" OFFSET ");
        select.push_bind(query.offset.cast_signed());
        select.push(") ORDER BY s.strength DESC, s.id");
        let rows: Vec<Stored> = select.build_query_as().fetch_all(self.readers()).await?;
        let rows = rows
            .into_iter()
            .map(Stored::row)
            .collect::<Result<_, _>>()?;
        Ok((rows, matching.cast_unsigned()))
    }

    /// What needs an owner and what its owner lines amount to, and how many match.
    pub async fn owned(&self, query: &OwnersQuery) -> Result<(Vec<OwnedRow>, u64), StoreError> {
        require_known("owned objects", &query.filters)?;
        let mut conditions = Vec::new();
        for (column, value) in &query.filters {
            conditions.push((owned_column(column).ok_or_else(|| bad(column))?, value));
        }
        let restrict = |sql: &mut QueryBuilder<Sqlite>| {
            sql.push(" FROM owned o WHERE 1 = 1");
            for (column, value) in &conditions {
                condition(sql, column, value);
            }
        };
        let mut count = QueryBuilder::<Sqlite>::new("SELECT count(*)");
        restrict(&mut count);
        let matching: i64 = count.build_query_scalar().fetch_one(self.readers()).await?;
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT o.object_type, o.system, o.object_id, o.name, o.kind, o.standing, o.owners,
             (SELECT count(*) FROM owner_suggestions s WHERE s.object = o.number AND s.open = 1) AS suggestions",
        );
        restrict(&mut select);
        select.push(" ORDER BY o.object_type, o.system, o.object_id LIMIT ");
        select.push_bind(query.limit);
        select.push(" OFFSET ");
        select.push_bind(query.offset.cast_signed());
        let rows = select.build_query_as().fetch_all(self.readers()).await?;
        Ok((rows, matching.cast_unsigned()))
    }

    /// Every owner line as a row of a table, and how many match.
    pub async fn owner_lines(
        &self,
        query: &OwnersQuery,
    ) -> Result<(Vec<Map<String, Value>>, u64), StoreError> {
        require_known("owners", &query.filters)?;
        for (column, _) in &query.filters {
            if !LINE_COLUMNS.contains(&column.as_str()) {
                return Err(bad(column));
            }
        }
        let restrict = |sql: &mut QueryBuilder<Sqlite>| {
            sql.push(" FROM owner_lines WHERE 1 = 1");
            for (column, value) in &query.filters {
                condition(sql, column, value);
            }
        };
        let mut count = QueryBuilder::<Sqlite>::new("SELECT count(*)");
        restrict(&mut count);
        let matching: i64 = count.build_query_scalar().fetch_one(self.readers()).await?;
        let columns = LINE_COLUMNS.join(", ");
        let mut select = QueryBuilder::<Sqlite>::new(format!("SELECT {columns}, attributes"));
        restrict(&mut select);
        select.push(" ORDER BY object_type, system, object_id, id LIMIT ");
        select.push_bind(query.limit);
        select.push(" OFFSET ");
        select.push_bind(query.offset.cast_signed());
        let rows: Vec<Line> = select.build_query_as().fetch_all(self.readers()).await?;
        let rows = rows.into_iter().map(line).collect::<Result<_, _>>()?;
        Ok((rows, matching.cast_unsigned()))
    }

    /// The suggestions about one object that ask for a decision, best first.
    pub async fn owner_suggestions_about(
        &self,
        object: &ObjectName,
    ) -> Result<Vec<SuggestionRow>, StoreError> {
        let query = OwnersQuery {
            filters: vec![
                ("object_type".to_owned(), object.kind.word().to_owned()),
                ("system".to_owned(), object.system.clone()),
                ("object_id".to_owned(), object.id.clone()),
            ],
            limit: 50,
            ..OwnersQuery::default()
        };
        Ok(self.owner_suggestions(&query).await?.0)
    }
}

fn line(row: Line) -> Result<Map<String, Value>, StoreError> {
    let (kind, system, id, owner, name, role, basis, state, source, sync, at, who, why, more) = row;
    let system = Some(system).filter(|system| !system.is_empty());
    let mut line = Map::new();
    let values: [Value; 13] = [
        kind.into(),
        system.into(),
        id.into(),
        owner.into(),
        name.into(),
        role.into(),
        basis.into(),
        state.into(),
        source.into(),
        sync.into(),
        at.into(),
        who.into(),
        why.into(),
    ];
    for (column, value) in LINE_COLUMNS.iter().zip(values) {
        line.insert((*column).to_owned(), value);
    }
    if let Some(attributes) = more {
        line.insert("attributes".to_owned(), serde_json::from_str(&attributes)?);
    }
    Ok(line)
}
