//! Records that ended, of persons who are still there by another record that was joined to them later:
//! had they stayed two, one would have left.

use super::super::blocks::{self, Columns, Which};
use super::super::decisions::{self, About};
use super::super::ground::source_rows;
use super::super::moments::moment;
use super::super::outline::IdentityOutline;
use super::super::sources::says_who_exists;
use super::super::{Store, StoreError, blocks::At, link_rules};
use crate::correlate::DECISION;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::IdentityStatus;
use lastkey_contract::{Kind, When};
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// A record that had ended when it was joined to one that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedSince {
    /// `source:id`.
    pub record: String,
    /// The record by which the person is still there.
    pub other: String,
    /// By when its end was known.
    pub ended: DateTime<Utc>,
    pub at: DateTime<Utc>,
    pub who: String,
    /// By a rule, else by a decision.
    pub by_rule: bool,
}

/// One version of a record.
struct Form {
    first: i64,
    until: Option<i64>,
    inactive: bool,
    end: Option<DateTime<Utc>>,
}

impl Store {
    /// Who would have left but for a decision or a rule of later that joins records.
    pub async fn joined_since(&self, now: DateTime<Utc>) -> Result<Vec<JoinedSince>, StoreError> {
        self.derive_if_stale().await?;
        let sources = self.sources().await?;
        let of_truth = sources.iter().filter(|one| says_who_exists(&one.settings));
        let of_truth: HashSet<i64> = of_truth.map(|one| one.id).collect();
        let mut reading = self.readers().begin().await?;
        type Row = (i64, i64, String, String);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT person, source, id, how FROM person_records ORDER BY person, place",
        )
        .fetch_all(&mut *reading)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let forms = forms(&mut reading, &rows, &of_truth).await?;
        let shown: HashMap<i64, String> = sqlx::query_as("SELECT id, read_at FROM syncs")
            .fetch_all(&mut *reading)
            .await?
            .into_iter()
            .collect();
        let read_at = |sync: i64| shown.get(&sync).map_or(Ok(now), |at| moment(at));
        let names = source_rows(&mut reading, At::Now).await?.names;
        let name = |source: i64, id: &str| {
            format!("{}:{id}", names.get(&source).map_or("", String::as_str))
        };
        let mut decided: HashMap<String, (DateTime<Utc>, String)> = HashMap::new();
        for one in decisions::in_force(&mut reading, About::Persons).await? {
            let said = (moment(&one.at)?, one.who.clone());
            decided.insert(format!("{}:{}", one.scope, one.name), said.clone());
            if let Some((scope, id)) = one.other_scope.zip(one.other_name) {
                decided.insert(format!("{scope}:{id}"), said);
            }
        }
        let ruled = link_rules::last_for_persons(&mut reading).await?;
        let mut found = Vec::new();
        for person in rows.chunk_by(|a, b| a.0 == b.0) {
            let mut ended: Vec<(&Row, DateTime<Utc>)> = Vec::new();
            let mut there: Option<&Row> = None;
            for row in person.iter().filter(|row| of_truth.contains(&row.1)) {
                let Some(forms) = forms.get(&(row.1, row.2.clone())) else {
                    continue;
                };
                match end_of(forms, now, &read_at)? {
                    Some(at) => ended.push((row, at)),
                    None => there = there.or(Some(row)),
                }
            }
            let Some(there) = there else {
                continue;
            };
            // The latest word that holds them together.
            let by_rule = person.iter().all(|row| row.3 != DECISION);
            let words = person
                .iter()
                .filter_map(|row| decided.get(&name(row.1, &row.2)));
            let word = match by_rule {
                true => ruled.as_ref(),
                false => words.max_by_key(|(at, _)| *at),
            };
            let Some((at, who)) = word else {
                continue;
            };
            let afterwards = ended.into_iter().filter(|(_, ended)| at > ended);
            found.extend(afterwards.map(|(row, ended)| JoinedSince {
                record: name(row.1, &row.2),
                other: name(there.1, &there.2),
                ended,
                at: *at,
                who: who.clone(),
                by_rule,
            }));
        }
        Ok(found)
    }
}

/// Every version of the records, oldest first.
async fn forms(
    connection: &mut SqliteConnection,
    rows: &[(i64, i64, String, String)],
    of_truth: &HashSet<i64>,
) -> Result<HashMap<(i64, String), Vec<Form>>, StoreError> {
    let wanted = rows.iter().filter(|row| of_truth.contains(&row.1));
    let mut forms: HashMap<(i64, String), Vec<Form>> = wanted
        .map(|row| ((row.1, row.2.clone()), Vec::new()))
        .collect();
    let ever = Which::ever(Kind::Identity);
    blocks::each(connection, &ever, Columns::Outlined, |block| {
        for place in block.places() {
            let outline: IdentityOutline<'_> = block.outline(place)?;
            let Some(of) = forms.get_mut(&(block.source, outline.id.to_string())) else {
                continue;
            };
            let end = outline.end_date.as_deref().and_then(When::parse);
            of.push(Form {
                first: block.first_sync,
                until: block.ended_sync(place),
                inactive: outline.status == Some(IdentityStatus::Inactive),
                end: end.map(|end| end.latest()),
            });
        }
        Ok(())
    })
    .await?;
    forms
        .values_mut()
        .for_each(|of| of.sort_by_key(|one| one.first));
    Ok(forms)
}

/// By when it was known that a record had ended, if it has.
fn end_of(
    forms: &[Form],
    now: DateTime<Utc>,
    read_at: &impl Fn(i64) -> Result<DateTime<Utc>, StoreError>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let Some(last) = forms.last() else {
        return Ok(None);
    };
    let over = last.end.filter(|end| *end <= now);
    let turned = forms.iter().rev().take_while(|one| one.inactive).last();
    let read = match (turned, last.until) {
        (Some(turned), _) => Some(read_at(turned.first)?),
        (None, Some(until)) => Some(read_at(until)?),
        (None, None) => None,
    };
    Ok(match (read, over) {
        (Some(read), Some(over)) => Some(read.min(over)),
        (read, over) => read.or(over),
    })
}
