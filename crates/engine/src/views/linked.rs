//! Accounts and whose they are, with the rule, how sure it is, and how that is known.

use super::LinkLine;
use super::links::line;
use crate::correlate::{Rule, basis_of, default_rules, parse_rules};
use crate::lifecycle::Basis;
use crate::store::{LinkedAccount, RulesOf, Store, StoreError, SyncId, WhichLinks};
use serde::Serialize;
use std::collections::HashMap;

/// An account in a list of whose accounts are whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkedLine {
    #[serde(flatten)]
    pub line: LinkLine,
    /// How sure the rule is; none where somebody decided, or no rule leads to anybody.
    pub confidence: Option<String>,
    pub basis: Option<Basis>,
}

/// How many are read at once.
const WINDOW: u32 = 1_000;

/// The rules of each source.
struct RulesBySource(HashMap<String, Vec<Rule>>);

impl RulesBySource {
    async fn of(store: &Store) -> Result<Self, StoreError> {
        let mut all = HashMap::new();
        for source in store.sources().await? {
            let text = store
                .link_rules(&RulesOf::Source(source.name.clone()))
                .await?;
            let rules = parse_rules(&text).unwrap_or_else(|_| default_rules());
            all.insert(source.name.to_string(), rules);
        }
        Ok(RulesBySource(all))
    }

    fn told(&self, linked: &LinkedAccount) -> LinkedLine {
        let rules = self.0.get(&linked.source_name);
        let rule = rules.and_then(|rules| rules.iter().find(|rule| rule.name == linked.rule));
        LinkedLine {
            line: line(linked),
            confidence: rule.map(|rule| rule.confidence.word().to_owned()),
            basis: (!linked.rule.is_empty()).then(|| basis_of(&linked.rule)),
        }
    }
}

/// Hands over accounts and how they stand, now or after a sync, in the order in which they were
/// stored.
pub async fn each_linked<E: From<StoreError>>(
    store: &Store,
    which: &WhichLinks,
    as_of: Option<SyncId>,
    mut each: impl FnMut(LinkedLine) -> Result<(), E>,
) -> Result<(), E> {
    let rules = RulesBySource::of(store).await?;
    if let Some(sync) = as_of {
        return store
            .each_link_then(sync, which, |linked| each(rules.told(&linked)))
            .await;
    }
    let mut after = 0;
    loop {
        let (window, next) = store.links_after(which, after, WINDOW).await?;
        window
            .iter()
            .try_for_each(|linked| each(rules.told(linked)))?;
        match next {
            Some(row) => after = row,
            None => return Ok(()),
        }
    }
}
