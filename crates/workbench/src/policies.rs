//! The access policy: put here as a draft or to count, shown, and what it says of one identity.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use chrono::Utc;
use lastkey_engine::policy::{
    AccessPolicy, Catalogue, Decider, Holder, NoWorkbook, PolicyError, Review, as_named,
    matrix_of_policy, review, workbook_of_policy,
};
use lastkey_engine::store::{PolicyRecord, PolicyStanding};
use lastkey_engine::views;
use serde::Serialize;
use std::collections::BTreeSet;
use ts_rs::TS;

/// A policy as it was put here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PolicyView {
    pub name: String,
    /// `draft` or `active`.
    pub standing: String,
    pub at: String,
    pub who: String,
    pub text: String,
    pub sha256: String,
    pub rules: u64,
}

impl From<PolicyRecord> for PolicyView {
    fn from(record: PolicyRecord) -> Self {
        let PolicyRecord {
            at,
            who,
            standing,
            name,
            text,
            sha256,
            rules,
        } = record;
        PolicyView {
            name,
            standing,
            at,
            who,
            text,
            sha256,
            rules: rules.cast_unsigned(),
        }
    }
}

/// What is strange about a policy and no mistake, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PolicyRemark {
    pub line: u32,
    pub column: u32,
    pub message: String,
    pub hint: Option<String>,
}

impl From<&PolicyError> for PolicyRemark {
    fn from(remark: &PolicyError) -> Self {
        let PolicyError {
            line,
            column,
            message,
            hint,
        } = remark.clone();
        PolicyRemark {
            line,
            column,
            message,
            hint,
        }
    }
}

/// What one identity holds, with the policy's word on each, and what it should hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyReview {
    pub identity: String,
    pub display_name: Option<String>,
    /// The policy that was asked, by name and hash.
    pub policy: String,
    pub policy_sha256: String,
    #[serde(flatten)]
    pub review: Review,
}

/// Reads a policy and says what is wrong with it, with line and column; or how many rules it has and
/// what is strange about it.
pub fn check_policy(text: &str) -> Result<(u64, Vec<PolicyRemark>), Failure> {
    let policy = AccessPolicy::parse(text)?;
    let remarks = policy.remarks().iter().map(PolicyRemark::from).collect();
    Ok((count(policy.rules().len()), remarks))
}

/// The policy that a role matrix (CSV) stands for; nothing is kept.
pub fn policy_of_matrix(csv: &str) -> Result<String, Failure> {
    Ok(lastkey_engine::policy::policy_of_matrix(csv)?)
}

/// The policy that the role matrix in a workbook (XLSX) stands for; nothing is kept.
pub fn policy_of_workbook(bytes: &[u8]) -> Result<String, Failure> {
    Ok(lastkey_engine::policy::policy_of_workbook(bytes)?)
}

fn more_than_a_matrix(more: &[String]) -> Failure {
    let some: Vec<String> = more.iter().take(5).map(|id| format!("`{id}`")).collect();
    let left = more.len().saturating_sub(some.len());
    let left = match left {
        0 => String::new(),
        left => format!(" and {left} more"),
    };
    let some = some.join(", ");
    Failure::not_possible(format!("no matrix can say what {some}{left} says"))
        .hint("a matrix says which attribute values permit which named entitlements")
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Workbench {
    /// Checks a policy and puts it here; a draft decides nothing.
    pub async fn load_policy(
        &self,
        standing: PolicyStanding,
        name: &str,
        text: &str,
    ) -> Result<PolicyView, Failure> {
        let (rules, _) = check_policy(text)?;
        let name = match name.trim() {
            "" => "policy",
            name => name,
        };
        let record = self
            .store
            .save_policy(standing, name, text, rules, Utc::now())
            .await?;
        Ok(record.into())
    }

    /// Makes the draft count.
    pub async fn activate_policy(&self) -> Result<PolicyView, Failure> {
        let draft = self.policy_of(PolicyStanding::Draft).await?;
        self.load_policy(PolicyStanding::Active, &draft.name, &draft.text)
            .await
    }

    /// The latest policy of a standing, if there is one.
    pub async fn policy_view(
        &self,
        standing: PolicyStanding,
    ) -> Result<Option<PolicyView>, Failure> {
        Ok(self.store.policy(standing).await?.map(PolicyView::from))
    }

    /// A window of everything that was put here, latest first.
    pub async fn policy_history(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<PolicyView>, Failure> {
        let all = self.store.policies(offset, limit).await?;
        Ok(all.into_iter().map(PolicyView::from).collect())
    }

    /// A policy as a role matrix in CSV; refused where it says more than a matrix can.
    pub async fn matrix(&self, standing: PolicyStanding) -> Result<String, Failure> {
        let record = self.policy_of(standing).await?;
        let policy = AccessPolicy::parse(&record.text)?;
        matrix_of_policy(&policy).map_err(|more| more_than_a_matrix(&more))
    }

    /// The same as a workbook (XLSX).
    pub async fn matrix_workbook(&self, standing: PolicyStanding) -> Result<Vec<u8>, Failure> {
        let record = self.policy_of(standing).await?;
        let policy = AccessPolicy::parse(&record.text)?;
        workbook_of_policy(&policy).map_err(|none| match none {
            NoWorkbook::SaysMore(more) => more_than_a_matrix(&more),
            NoWorkbook::NoRoom(why) => Failure::not_possible(why).hint("write it as CSV"),
        })
    }

    /// What a policy names and no source has: systems, and entitlements of systems that were read.
    /// None before the first source was read.
    pub async fn policy_names_unread(&self, text: &str) -> Result<Vec<String>, Failure> {
        let policy = AccessPolicy::parse(text)?;
        let (_, graph) = self.graph().await?;
        let read: BTreeSet<&str> = graph
            .reads()
            .iter()
            .flat_map(|read| &read.systems)
            .map(|system| system.as_str())
            .collect();
        if read.is_empty() {
            return Ok(Vec::new());
        }
        let mut decider = Decider::new(&policy);
        let catalogue = Catalogue::new(&graph, &mut decider, &self.store.holdings().await?);
        let unread = policy.systems_named().into_iter();
        let systems = unread.filter(|system| !read.contains(system));
        let mut named: Vec<String> = systems.map(str::to_owned).collect();
        let entitlements = catalogue.only_named().iter();
        let of_read = entitlements.filter(|(system, _)| read.contains(system.as_str()));
        named.extend(of_read.map(|(system, id)| format!("{system}:{id}")));
        Ok(named)
    }

    /// What an identity holds now, and what the policy says of it.
    pub async fn review_by_policy(
        &self,
        standing: PolicyStanding,
        identity: &str,
    ) -> Result<PolicyReview, Failure> {
        let record = self.policy_of(standing).await?;
        let (_, graph) = self.graph().await?;
        let (holder, display_name) = self.holder(identity).await?;
        let facts = self.store.holdings().await?;
        let at = self.now();
        let identity = holder.id.clone();
        let text = record.text;
        let review = off_thread(move || -> Result<Review, PolicyError> {
            let policy = AccessPolicy::parse(&text)?;
            let mut decider = Decider::new(&policy);
            let catalogue = Catalogue::new(&graph, &mut decider, &facts);
            Ok(review(&graph, &mut decider, &catalogue, &holder, at))
        })
        .await??;
        Ok(PolicyReview {
            identity,
            display_name,
            policy: record.name,
            policy_sha256: record.sha256,
            review,
        })
    }

    /// The rule of the policy that permits everybody everything, where it has one.
    pub async fn permits_everything(
        &self,
        standing: PolicyStanding,
    ) -> Result<Option<String>, Failure> {
        let policy = AccessPolicy::parse(&self.policy_of(standing).await?.text)?;
        Ok(policy.permits_everything().map(|rule| rule.name.clone()))
    }

    /// One identity as policies ask about it, and what it is called.
    pub(crate) async fn holder(&self, text: &str) -> Result<(Holder, Option<String>), Failure> {
        let id = self.known_identity(text).await?;
        let (_, graph) = self.graph().await?;
        let person = self.known_person(text).await?;
        let (fact, _) = views::together(&self.store, &person).await?;
        let mut fact = as_named(&graph, &person.source_name, fact);
        fact.id = id;
        Ok((Holder::from(&fact), fact.display_name))
    }

    pub(crate) async fn policy_of(
        &self,
        standing: PolicyStanding,
    ) -> Result<PolicyRecord, Failure> {
        let found = self.store.policy(standing).await?;
        found.ok_or_else(|| match standing {
            PolicyStanding::Draft => Failure::not_possible("there is no draft of a policy")
                .hint("put one here with `lastkey policy load --draft FILE`"),
            PolicyStanding::Active => Failure::not_possible("no access policy is loaded")
                .hint("load one with `lastkey policy load FILE`"),
        })
    }
}
