//! Everybody as persons: the facts of all records, those of one person put together.
//!
//! The same persons as the graph of the moment has, one by one, in no order that means anything.
//! Flat memory, but for those who have several records.

use super::blocks::At;
use super::{Store, StoreError, every, persons};
use crate::access::Graph;
use crate::correlate::merged;
use crate::policy::as_named;
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use std::collections::HashMap;

impl Store {
    /// Takes everybody who is listed now, as the graph names them and whom they refer to.
    pub async fn everybody(
        &self,
        graph: &Graph,
        mut take: impl FnMut(&Identity),
    ) -> Result<(), StoreError> {
        let names = self.source_names().await?;
        let named = |source: &i64| names.get(source).map_or("", String::as_str);
        let mut reading = self.readers().begin().await?;
        let (persons, _) = persons::at_moment(&mut reading, At::Now).await?;
        let mut joined: HashMap<(i64, String), Identity> = HashMap::new();
        every::each(&mut reading, Kind::Identity, None, At::Now, |standing| {
            let fact: Identity = serde_json::from_str(standing.fact)?;
            match persons.person_of(standing.source, fact.id.as_str()) {
                None => take(&as_named(graph, named(&standing.source), fact)),
                Some(_) => {
                    joined.insert((standing.source, fact.id.to_string()), fact);
                }
            }
            Ok(())
        })
        .await?;
        for (_, records) in persons.all() {
            let facts = records.iter().filter_map(|(source, id)| {
                let fact = joined.get(&(*source, (*id).to_owned()))?;
                Some((source, fact))
            });
            let facts: Vec<(&i64, &Identity)> = facts.collect();
            let Some(((source, first), others)) = facts.split_first() else {
                continue;
            };
            let others: Vec<&Identity> = others.iter().map(|(_, fact)| *fact).collect();
            take(&as_named(
                graph,
                named(source),
                merged(first, &others).identity,
            ));
        }
        Ok(())
    }
}
