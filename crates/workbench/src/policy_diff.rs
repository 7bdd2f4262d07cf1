//! The draft of the policy beside the active one: what would change for whom.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use lastkey_contract::when::rfc3339;
use lastkey_engine::access::Graph;
use lastkey_engine::lifecycle::{RehearsalSettings, holding_unread};
use lastkey_engine::policy::{AccessPolicy, Crowd, Differences, compare};
use lastkey_engine::store::{PolicyRecord, PolicyStanding};
use serde::Serialize;
use std::collections::BTreeMap;
use ts_rs::TS;

/// What would change if the draft were activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PolicyDifferences {
    pub at: String,
    /// None where no policy is active: every system is one for which no policy speaks.
    pub active: Option<PolicyNamed>,
    pub draft: PolicyNamed,
    #[serde(flatten)]
    pub differences: Differences,
    /// What people of the lines are called, by id.
    pub names: BTreeMap<String, String>,
    /// What was not read completely or lately: more may be held there than is counted.
    pub unread: Vec<String>,
    /// What the draft names and no source has.
    pub named_unread: Vec<String>,
}

/// Which policy, by name and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PolicyNamed {
    pub name: String,
    pub sha256: String,
}

impl From<PolicyRecord> for PolicyNamed {
    fn from(record: PolicyRecord) -> Self {
        let PolicyRecord {
            at: _,
            who: _,
            standing: _,
            name,
            text: _,
            sha256,
            rules: _,
        } = record;
        PolicyNamed { name, sha256 }
    }
}

impl Workbench {
    /// What would change for whom if the draft were activated; no more than `limit` lines.
    pub async fn policy_differences(&self, limit: usize) -> Result<PolicyDifferences, Failure> {
        let draft = self.policy_of(PolicyStanding::Draft).await?;
        let active = self.store.policy(PolicyStanding::Active).await?;
        let after = AccessPolicy::parse(&draft.text)?;
        let before = match &active {
            Some(active) => AccessPolicy::parse(&active.text)?,
            None => AccessPolicy::default(),
        };
        let named_unread = self.policy_names_unread(&draft.text).await?;
        let (_, graph) = self.graph().await?;
        let mut crowd = Crowd::new(&before, &after);
        let people = |person: &_| crowd.add(&graph, person);
        self.store.everybody(&graph, people).await?;
        same_moment(&graph, crowd.people())?;
        let facts = self.store.holdings().await?;
        let at = self.now();
        let of_graph = graph.clone();
        let differences =
            off_thread(move || compare(&of_graph, &before, &after, crowd, &facts, at, limit))
                .await?;
        let mut names = BTreeMap::new();
        for line in &differences.lines {
            if !names.contains_key(&line.identity) {
                let found = self.store.find_identity(&line.identity).await?;
                let name = found.into_iter().find_map(|person| person.display_name);
                names.insert(line.identity.clone(), name.unwrap_or_default());
            }
        }
        names.retain(|_, name| !name.is_empty());
        let limit = RehearsalSettings::default().freshness_limit;
        let systems = differences.systems.iter().map(String::as_str);
        Ok(PolicyDifferences {
            at: rfc3339(at),
            active: active.map(PolicyNamed::from),
            draft: draft.into(),
            unread: holding_unread(graph.reads(), graph.never_read(), at, limit, systems),
            differences,
            names,
            named_unread,
        })
    }
}

/// Everybody of the graph was there when they were asked about: no read ended in between.
pub(crate) fn same_moment(graph: &Graph, people: usize) -> Result<(), Failure> {
    match people == graph.identity_count() {
        true => Ok(()),
        false => Err(
            Failure::not_possible("a read ended meanwhile, and who there is has changed")
                .hint("ask again"),
        ),
    }
}
