//! A policy to begin with, from what people with the same attributes hold. Nothing is kept.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::policy_diff::same_moment;
use crate::rehearsals::off_thread;
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::{RehearsalSettings, holding_unread};
use lastkey_engine::policy::{Colleagues, Suggested, Wanted, policy_of_suggestions, suggest};
use serde::Serialize;

/// What is worth suggesting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestionAsked {
    pub attributes: Vec<String>,
    /// At least so many people hold it, and of each hundred at least `min_share`.
    pub min_support: u64,
    pub min_share: u64,
}

/// A suggested policy with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicySuggestion {
    pub at: String,
    #[serde(flatten)]
    pub suggested: Suggested,
    /// What was not read completely or lately: more may be held there than is counted.
    pub unread: Vec<String>,
    /// Cedar, as `policy load --draft` takes it.
    pub text: String,
}

impl Workbench {
    /// A starting policy from what people with the same attributes hold now; nothing is kept.
    pub async fn suggest_policy(
        &self,
        asked: SuggestionAsked,
    ) -> Result<PolicySuggestion, Failure> {
        let attributes: Vec<String> = asked
            .attributes
            .into_iter()
            .filter(|name| !name.trim().is_empty())
            .collect();
        let wanted = Wanted::new(&attributes, asked.min_support, asked.min_share);
        let wanted = wanted.map_err(|wrong| {
            Failure::bad_input(wrong)
                .hint("name attributes of people, such as `--attribute department,title`")
        })?;
        let (_, graph) = self.graph().await?;
        let at = self.now();
        let mut colleagues = Colleagues::new(wanted, at);
        let people = |person: &_| colleagues.add(&graph, person);
        self.store.everybody(&graph, people).await?;
        same_moment(&graph, colleagues.everybody())?;
        let of_graph = graph.clone();
        let suggested = off_thread(move || suggest(&of_graph, &colleagues, at)).await?;
        let limit = RehearsalSettings::default().freshness_limit;
        let systems = graph.systems_held();
        let systems = systems.iter().copied();
        let unread = holding_unread(graph.reads(), graph.never_read(), at, limit, systems);
        let text = policy_of_suggestions(&suggested, &unread)?;
        Ok(PolicySuggestion {
            at: rfc3339(at),
            text,
            suggested,
            unread,
        })
    }
}
