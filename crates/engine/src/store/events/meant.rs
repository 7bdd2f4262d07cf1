//! Whom owner lines mean: an id with its source in front, as the sources had identities at a sync.
//!
//! A line may name somebody bare, a decision never does: compared as texts they would be two.

use super::super::blocks::{self, Mark};
use super::super::names::{Names, id_numbers};
use super::super::{StoreError, turns};
use crate::ownership::ObjectName;
use lastkey_contract::Kind;
use lastkey_contract::facts::ObjectType;
use sqlx::SqliteConnection;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The identities that were asked for: which source had which, and when.
pub(super) struct Meant {
    names: Names,
    sources: HashMap<i64, String>,
    had: HashMap<i64, Vec<Mark>>,
}

impl Meant {
    /// Knows of nobody yet.
    pub(super) async fn new(
        connection: &mut SqliteConnection,
        names: Names,
    ) -> Result<Meant, StoreError> {
        let sources: Vec<(i64, String)> = sqlx::query_as("SELECT id, name FROM sources")
            .fetch_all(connection)
            .await?;
        Ok(Meant {
            names,
            sources: sources.into_iter().collect(),
            had: HashMap::new(),
        })
    }

    /// Looks up whom these texts may mean.
    pub(super) async fn ask(
        &mut self,
        connection: &mut SqliteConnection,
        texts: impl IntoIterator<Item = &str>,
    ) -> Result<(), StoreError> {
        let numbers = texts.into_iter().flat_map(|t| id_numbers(self.names, t));
        let asked: HashSet<i64> = numbers.filter(|n| !self.had.contains_key(n)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        for mark in blocks::of_keys(connection, Kind::Identity, &asked).await? {
            self.had.entry(mark.key).or_default().push(mark);
        }
        for number in asked {
            self.had.entry(number).or_default();
        }
        Ok(())
    }

    /// The source and id of whom a source's text means at a sync: its own identity before others,
    /// whoever is there before whoever was. None where nobody is, or several are.
    pub(super) fn whom<'a>(
        &'a self,
        text: &'a str,
        source: i64,
        sync: i64,
    ) -> Option<(&'a str, &'a str)> {
        let having = self.having(text, sync);
        match (having.contains(&source), having.len()) {
            (true, _) => Some((self.source(source), text)),
            (false, 1) => having.first().map(|one| (self.source(*one), text)),
            (false, 0) => {
                let (name, id) = text.split_once(':')?;
                let having = self.having(id, sync);
                let known = having.iter().any(|source| self.source(*source) == name);
                known.then_some((name, id))
            }
            (false, _) => None,
        }
    }

    /// The same in one text; as it stands where it is not known who is meant.
    pub(super) fn named(&self, text: &str, source: i64, sync: i64) -> String {
        match self.whom(text, source, sync) {
            Some((source, id)) => format!("{source}:{id}"),
            None => text.to_owned(),
        }
    }

    /// What a line of a source is about: an identity with its source, where that is known.
    pub(super) fn object(&self, object: ObjectName, source: i64, sync: i64) -> ObjectName {
        if object.kind != ObjectType::Identity || !object.system.is_empty() {
            return object;
        }
        match self.whom(&object.id, source, sync) {
            Some((name, id)) => ObjectName::new(ObjectType::Identity, name, id),
            None => object,
        }
    }

    /// Whether a source has this identity at a sync.
    pub(super) fn is_there(&self, identity: &ObjectName, sync: i64) -> bool {
        let marks = id_numbers(self.names, &identity.id)
            .into_iter()
            .filter_map(|number| self.had.get(&number))
            .flatten();
        let of_it = |mark: &&Mark| {
            identity.system.is_empty() || self.source(mark.source) == identity.system
        };
        marks.filter(of_it).any(|mark| turns::stood_at(mark, sync))
    }

    fn source(&self, source: i64) -> &str {
        self.sources.get(&source).map_or("", String::as_str)
    }

    /// The sources that have an id at a sync, or else those that had it until then.
    fn having(&self, id: &str, sync: i64) -> BTreeSet<i64> {
        let marks = self.had.get(&self.names.key(Kind::Identity, id));
        let marks: Vec<&Mark> = marks.into_iter().flatten().collect();
        let of = |counts: &dyn Fn(&Mark) -> bool| {
            let counting = marks.iter().filter(|mark| counts(mark));
            counting.map(|mark| mark.source).collect::<BTreeSet<i64>>()
        };
        let there = of(&|mark| turns::stood_at(mark, sync));
        match there.is_empty() {
            true => of(&|mark| mark.first <= sync),
            false => there,
        }
    }
}
