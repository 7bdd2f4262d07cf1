//! Table `link_rules`: by which rules accounts are linked and records are joined; the latest of
//! each source counts, that of no source is about persons.

use super::log::append;
use super::moments::moment;
use super::{Store, StoreError, links};
use crate::correlate::{
    Confidence, DEFAULT_TEXT, PersonRules, Rule, basis_of, default_rules, parse_person_rules,
    parse_rules,
};
use crate::lifecycle::{Basis, PlanError};
use chrono::{DateTime, Utc};
use lastkey_contract::SourceName;
use lastkey_contract::when::rfc3339;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

pub(super) const MIGRATION: &str = "
CREATE TABLE link_rules (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  source TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX link_rules_by_source ON link_rules (source, id);
";

/// What the rules are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesOf {
    /// The accounts of a source.
    Source(SourceName),
    /// Records of identities: when they are one person.
    Persons,
}

impl RulesOf {
    /// No source has an empty name.
    fn key(&self) -> &str {
        match self {
            RulesOf::Source(name) => name.as_str(),
            RulesOf::Persons => "",
        }
    }

    /// Whether the text can be used.
    pub fn check(&self, text: &str) -> Result<(), PlanError> {
        match self {
            RulesOf::Source(_) => parse_rules(text).map(|_| ()),
            RulesOf::Persons => parse_person_rules(text).map(|_| ()),
        }
    }
}

impl Store {
    /// Keeps rules, and links and joins by them; no text: the default ones. The caller has
    /// checked the text.
    pub async fn set_link_rules(
        &self,
        of: &RulesOf,
        text: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if let RulesOf::Source(name) = of {
            self.source(name).await?;
        }
        let mut writing = self.begin().await?;
        sqlx::query("INSERT INTO link_rules (at, who, source, text) VALUES (?1, ?2, ?3, ?4)")
            .bind(rfc3339(now))
            .bind(self.operator())
            .bind(of.key())
            .bind(text.unwrap_or(""))
            .execute(&mut *writing.tx)
            .await?;
        let what = match of {
            RulesOf::Source(_) => "link rules changed",
            RulesOf::Persons => "person rules changed",
        };
        let payload = serde_json::json!({"source": of.key(), "rules": text});
        append(&mut writing.tx, self.operator(), what, &payload, now).await?;
        links::mark_stale(&mut writing.tx).await?;
        writing.commit().await?;
        self.derive_if_stale().await
    }

    /// The rules as they were written; those that every source begins with where none were.
    pub async fn link_rules(&self, of: &RulesOf) -> Result<String, StoreError> {
        if let RulesOf::Source(name) = of {
            self.source(name).await?;
        }
        let mut connection = self.readers().acquire().await?;
        let own = texts(&mut connection).await?.remove(of.key());
        Ok(own.unwrap_or_else(|| match of {
            RulesOf::Source(_) => DEFAULT_TEXT.to_owned(),
            RulesOf::Persons => String::new(),
        }))
    }
}

/// How links are known, by the rules in force.
pub(super) struct Bases {
    of_sources: BTreeMap<String, Vec<Rule>>,
    otherwise: Vec<Rule>,
}

impl Bases {
    pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Bases, StoreError> {
        Ok(Bases {
            of_sources: in_force(connection).await?.0,
            otherwise: default_rules(),
        })
    }

    /// Of a link to an account of a source by the rule of this name.
    pub(super) fn of(&self, source: &str, rule: &str) -> Basis {
        basis_of(self.rules(source), rule)
    }

    /// How sure the rule of this name is; None of a decision.
    pub(super) fn sure(&self, source: &str, rule: &str) -> Option<Confidence> {
        let rule = self.rules(source).iter().find(|own| own.name == rule)?;
        Some(rule.confidence)
    }

    fn rules(&self, source: &str) -> &[Rule] {
        self.of_sources.get(source).unwrap_or(&self.otherwise)
    }
}

/// The texts in force, by source.
async fn texts(connection: &mut SqliteConnection) -> Result<BTreeMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT source, text FROM link_rules r
         WHERE id = (SELECT max(id) FROM link_rules l WHERE l.source = r.source) AND text <> ''",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Rules as they were written at a time; no text: the default ones.
pub(super) struct RulesThen {
    pub at: DateTime<Utc>,
    pub who: String,
    pub text: String,
}

/// Every text that was ever set for a source, by its name, oldest first.
pub(super) async fn history(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, Vec<RulesThen>>, StoreError> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT source, at, who, text FROM link_rules WHERE source <> '' ORDER BY id",
    )
    .fetch_all(connection)
    .await?;
    let mut all: BTreeMap<String, Vec<RulesThen>> = BTreeMap::new();
    for (source, at, who, text) in rows {
        let at = moment(&at)?;
        all.entry(source)
            .or_default()
            .push(RulesThen { at, who, text });
    }
    Ok(all)
}

/// When the rules for persons were last set, and by whom.
pub(super) async fn last_for_persons(
    connection: &mut SqliteConnection,
) -> Result<Option<(DateTime<Utc>, String)>, StoreError> {
    let last: Option<(String, String)> =
        sqlx::query_as("SELECT at, who FROM link_rules WHERE source = '' ORDER BY id DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    last.map(|(at, who)| Ok((moment(&at)?, who))).transpose()
}

/// The rules of a source from a text that was checked when it was set.
pub(super) fn parsed(text: &str) -> Result<Vec<Rule>, StoreError> {
    parse_rules(text).map_err(unusable)
}

fn unusable(e: PlanError) -> StoreError {
    StoreError::damaged(format!("a rule for links: {}", e.message))
}

/// The rules of sources that have their own, by the name of the source, and those for persons.
pub(super) async fn in_force(
    connection: &mut SqliteConnection,
) -> Result<(BTreeMap<String, Vec<Rule>>, PersonRules), StoreError> {
    let mut texts = texts(connection).await?;
    let persons = texts.remove("").unwrap_or_default();
    let rules = texts
        .into_iter()
        .map(|(source, text)| Ok((source, parsed(&text)?)))
        .collect::<Result<_, StoreError>>()?;
    Ok((rules, parse_person_rules(&persons).map_err(unusable)?))
}
