//! Rules that connected accounts when somebody left, where others do now: what was theirs by those may
//! have stayed open, and the rules of now would not show it.

use super::super::blocks::{self, At, Which};
use super::super::ground::{self, source_rows};
use super::super::link_rules::{self, RulesThen};
use super::super::moments::moment;
use super::super::outline::Depth;
use super::super::{StoreError, persons};
use super::heads::Head;
use crate::correlate::{AccountKeys, Gathering, Identities, Rule, default_rules};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Whose records they are, by the first source of a name and id: places among the heads.
type Records = HashMap<(i64, String), HashSet<usize>>;

/// Rules that are set this soon after a source was first read are its first ones.
const SETTING_UP: TimeDelta = TimeDelta::days(1);

/// For leavers who left under rules that are not those of now.
#[derive(Default)]
pub(super) struct EarlierRules {
    all: Vec<Earlier>,
}

/// The rules of one time, with the leavers of that time.
pub(super) struct Earlier {
    /// The leavers, by those rules.
    pub known: Identities,
    /// By source, when the rules of now were set, and who set them.
    changed: HashMap<i64, (DateTime<Utc>, String)>,
    /// By place.
    heads: HashSet<usize>,
}

impl Earlier {
    /// When the rules for such an account became others and who made them so.
    pub fn changed(&self, account: &AccountKeys) -> Option<&(DateTime<Utc>, String)> {
        self.changed.get(&account.source)
    }

    pub fn is_of(&self, head: usize) -> bool {
        self.heads.contains(&head)
    }
}

impl EarlierRules {
    pub fn all(&self) -> &[Earlier] {
        &self.all
    }

    /// The rules that some leavers left under; records are theirs, by the first source of a name and id.
    pub async fn of(
        connection: &mut SqliteConnection,
        heads: &[Head],
        records: &Records,
        first_of: impl Fn(i64) -> i64,
    ) -> Result<EarlierRules, StoreError> {
        let history = link_rules::history(&mut *connection).await?;
        if history.is_empty() {
            return Ok(EarlierRules::default());
        }
        let sources = source_rows(&mut *connection, At::Now).await?;
        let began = first_reads(&mut *connection).await?;
        // By what differs from now: the leavers of then.
        let mut times: BTreeMap<BTreeMap<i64, String>, HashSet<usize>> = BTreeMap::new();
        let mut changed: HashMap<i64, (DateTime<Utc>, String)> = HashMap::new();
        for (name, texts) in &history {
            let Some((row, now)) = sources.rows.get(name).zip(texts.last()) else {
                continue;
            };
            changed.insert(*row, (now.at, now.who.clone()));
        }
        for (place, head) in heads.iter().enumerate() {
            let left = head.earliest.unwrap_or(head.latest);
            let mut others = BTreeMap::new();
            for (name, texts) in &history {
                let Some((row, now)) = sources.rows.get(name).zip(texts.last()) else {
                    continue;
                };
                let Some(began) = began.get(row) else {
                    continue;
                };
                let since = left.max(*began + SETTING_UP);
                let then = text_at(texts, since);
                if then != now.text {
                    others.insert(*row, then.to_owned());
                }
            }
            if !others.is_empty() {
                times.entry(others).or_default().insert(place);
            }
        }
        let mut all = Vec::with_capacity(times.len());
        for (rules, heads) in times {
            let changed = changed.clone().into_iter();
            all.push(Earlier {
                known: leavers_by(&mut *connection, &rules, (records, &heads), &first_of).await?,
                changed: changed.filter(|(row, _)| rules.contains_key(row)).collect(),
                heads,
            });
        }
        Ok(EarlierRules { all })
    }
}

/// The text in force at a moment; none means those that every source begins with.
fn text_at(texts: &[RulesThen], at: DateTime<Utc>) -> &str {
    let before = texts.iter().rev().find(|one| one.at <= at);
    before.map_or("", |one| one.text.as_str())
}

/// When each source was read first.
async fn first_reads(
    connection: &mut SqliteConnection,
) -> Result<HashMap<i64, DateTime<Utc>>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT source, min(started_at) FROM syncs WHERE state != 'removal' GROUP BY source",
    )
    .fetch_all(connection)
    .await?;
    let began = rows
        .into_iter()
        .map(|(source, at)| Ok((source, moment(&at)?)));
    began.collect()
}

/// Some leavers, ready to find whose an account is by such rules and no decisions.
async fn leavers_by(
    connection: &mut SqliteConnection,
    texts: &BTreeMap<i64, String>,
    (records, heads): (&Records, &HashSet<usize>),
    first_of: &impl Fn(i64) -> i64,
) -> Result<Identities, StoreError> {
    let (mut ground, mut depth) =
        ground::at_moment(&mut *connection, At::Now, &mut blocks::Again::none()).await?;
    ground.decisions.clear();
    for (source, text) in texts {
        let rules: Vec<Rule> = match text.is_empty() {
            true => default_rules(),
            false => link_rules::parsed(text)?,
        };
        if rules.iter().any(Rule::takes_attributes) {
            depth = Depth::Facts;
        }
        ground.rules.insert(*source, rules);
    }
    let mut gathering = Gathering::new(ground);
    blocks::each(
        connection,
        &Which::now(Kind::Identity),
        depth.columns(),
        |block| {
            block.places().try_for_each(|place| {
                let (keys, _) = depth.identity(block, place)?;
                let record = (first_of(keys.source), keys.id.clone());
                let of_them = records
                    .get(&record)
                    .is_some_and(|of| !of.is_disjoint(heads));
                if of_them {
                    gathering.add(&keys);
                }
                Ok(())
            })
        },
    )
    .await?;
    let (persons, _) = persons::at_moment(connection, At::Now).await?;
    Ok(gathering.done(persons))
}
