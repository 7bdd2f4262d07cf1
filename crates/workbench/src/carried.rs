//! What people hold since before they moved: permitted once, by what they were then, and not now.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use lastkey_contract::when::rfc3339;
use lastkey_engine::access::Graph;
use lastkey_engine::lifecycle::Basis;
use lastkey_engine::policy::{
    AccessPolicy, Catalogue, Decider, Held, Holder, Holding, PolicyError, as_named, review,
};
use lastkey_engine::store::PolicyStanding;
use lastkey_engine::views::{HistoryLine, ListQuery};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One entitlement that somebody carries along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Carried {
    pub system: String,
    pub id: String,
    /// The accounts that hold it, `system:id`.
    pub accounts: Vec<String>,
    /// Between these two moments the right to it went: the last read that shows them as they were,
    /// and the first that shows them as they were then.
    pub earliest: Option<String>,
    pub latest: Option<String>,
    pub sync: u64,
    /// What of them changed there.
    pub changed: Vec<String>,
    /// The policies that permitted it before.
    pub permitted_by: Vec<String>,
    /// False where whose the account is, or what the policy asked, is assumed.
    pub sure: bool,
}

/// What one person carries along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CarriedBy {
    pub identity: String,
    pub display_name: Option<String>,
    pub carried: Vec<Carried>,
}

/// What all carry along whom it was asked of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CarriedAlong {
    pub at: String,
    pub policy: String,
    pub policy_sha256: String,
    /// Of how many the past was gone through.
    pub asked: u64,
    /// Who carries most first; whoever carries nothing is left out.
    pub people: Vec<CarriedBy>,
}

/// Somebody as they are and as they were, the latest first.
struct Past {
    now: Holder,
    display_name: Option<String>,
    before: Vec<Was>,
}

/// Somebody before a change, and the change.
struct Was {
    holder: Holder,
    earliest: Option<String>,
    latest: Option<String>,
    sync: u64,
    changed: Vec<String>,
}

/// How many events are read at a time.
const AT_ONCE: u32 = 5_000;

impl Workbench {
    /// What somebody, or everybody who has moved, holds since before a change that took the right to
    /// it, by a policy of today. Of a person with several records the past of the first one counts.
    pub async fn carried_along(
        &self,
        standing: PolicyStanding,
        identity: Option<&str>,
        stop: &Stop,
    ) -> Result<CarriedAlong, Failure> {
        let record = self.policy_of(standing).await?;
        let (_, graph) = self.graph().await?;
        let (at, facts) = (self.now(), self.store.holdings().await?);
        let whom: Vec<String> = match identity {
            Some(identity) => vec![self.known_identity(identity).await?.to_string()],
            None => self.movers().await?.into_iter().collect(),
        };
        let mut people = Vec::with_capacity(whom.len());
        for identity in &whom {
            if stop.is_stopped() {
                return Err(Failure::not_possible("looking into the past was stopped"));
            }
            people.extend(self.past_of(identity, &graph).await?);
        }
        let asked = u64::try_from(people.len()).unwrap_or(u64::MAX);
        let text = record.text;
        let people = off_thread(move || carried(&graph, &text, &facts, people, at)).await??;
        Ok(CarriedAlong {
            at: rfc3339(at),
            policy: record.name,
            policy_sha256: record.sha256,
            asked,
            people,
        })
    }

    /// Everybody of whom a move is known.
    async fn movers(&self) -> Result<BTreeSet<String>, Failure> {
        let (mut movers, mut offset) = (BTreeSet::new(), 0);
        loop {
            let page = self
                .events(&ListQuery {
                    search: String::new(),
                    filters: vec!["event=mover".to_owned()],
                    sort: String::new(),
                    descending: false,
                    offset,
                    limit: AT_ONCE,
                })
                .await?;
            offset += u64::from(AT_ONCE);
            let read = page.rows.len();
            let named = page.rows.into_iter();
            movers.extend(named.map(|row| format!("{}:{}", row.source, row.identity)));
            if read < AT_ONCE as usize {
                return Ok(movers);
            }
        }
    }

    /// None of whoever is listed no more.
    async fn past_of(&self, identity: &str, graph: &Graph) -> Result<Option<Past>, Failure> {
        let mut found = self.store.find_identity(identity).await?;
        let (Some(person), true) = (found.pop(), found.is_empty()) else {
            return Ok(None);
        };
        let (now, display_name) = self.holder(&person.shown_id()).await?;
        let name = format!("{}:{}", person.source_name, person.id);
        let histories = self.store.object_history(Kind::Identity, &name).await?;
        let history = histories
            .into_iter()
            .find(|one| one.source == person.source_name && one.id == person.id);
        let lines: Vec<HistoryLine> = history.map_or_else(Vec::new, |history| history.lines);
        let mut before = Vec::new();
        for pair in lines.windows(2) {
            let [was, then] = pair else { continue };
            let fact: Result<Identity, _> = serde_json::from_value(was.fact.clone().into());
            // What an earlier version cannot be read as says nothing.
            let Ok(fact) = fact else { continue };
            let mut fact = as_named(graph, &person.source_name, fact);
            fact.id.clone_from(&now.id.as_str().into());
            before.push(Was {
                holder: Holder::from(&fact),
                earliest: then.earliest.clone(),
                latest: then.latest.clone(),
                sync: then.sync,
                changed: then.changed.iter().map(|one| one.column.clone()).collect(),
            });
        }
        before.reverse();
        Ok(Some(Past {
            now,
            display_name,
            before,
        }))
    }
}

fn carried(
    graph: &Graph,
    text: &str,
    facts: &HashMap<(String, String), Holding>,
    people: Vec<Past>,
    at: DateTime<Utc>,
) -> Result<Vec<CarriedBy>, PolicyError> {
    let policy = AccessPolicy::parse(text)?;
    let mut decider = Decider::new(&policy);
    let catalogue = Catalogue::new(graph, &mut decider, facts);
    let mut all = Vec::new();
    for past in people {
        let mut open: BTreeMap<(String, String), (Vec<String>, bool)> = BTreeMap::new();
        for line in review(graph, &mut decider, &catalogue, &past.now, at).held {
            if line.policy.policy == Held::NotPermitted.word() {
                let sure = line.policy.unknown.is_empty() && line.basis != Basis::Assumed;
                open.insert((line.system, line.id), (line.accounts, sure));
            }
        }
        let mut carried = Vec::new();
        for was in &past.before {
            if open.is_empty() {
                break;
            }
            for line in review(graph, &mut decider, &catalogue, &was.holder, at).held {
                let permitted = [Held::Permitted.word(), Held::Birthright.word()];
                if !permitted.contains(&line.policy.policy) {
                    continue;
                }
                let key = (line.system, line.id);
                let Some((accounts, sure)) = open.remove(&key) else {
                    continue;
                };
                carried.push(Carried {
                    system: key.0,
                    id: key.1,
                    accounts,
                    earliest: was.earliest.clone(),
                    latest: was.latest.clone(),
                    sync: was.sync,
                    changed: was.changed.clone(),
                    permitted_by: line.policy.because,
                    sure: sure && line.policy.unknown.is_empty(),
                });
            }
        }
        if !carried.is_empty() {
            carried.sort_by(|a, b| (a.sync, &a.system, &a.id).cmp(&(b.sync, &b.system, &b.id)));
            all.push(CarriedBy {
                identity: past.now.id,
                display_name: past.display_name,
                carried,
            });
        }
    }
    all.sort_by(|a, b| {
        let most = b.carried.len().cmp(&a.carried.len());
        most.then_with(|| a.identity.cmp(&b.identity))
    });
    Ok(all)
}
