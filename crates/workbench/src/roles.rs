//! Joiners and movers, by the access policy and the plan.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use chrono::{DateTime, Utc};
use lastkey_engine::lifecycle::{
    Judge, Plan, RehearsalSettings, RoleChange, RoleRehearsal, rehearse_role,
};
use lastkey_engine::policy::{AccessPolicy, Catalogue, Decider};
use lastkey_engine::store::PolicyStanding;

/// Who joins or moves, and how they are afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRequest {
    pub identity: String,
    pub change: RoleChange,
    /// Attributes after the event, beside those of now; an empty one is taken away.
    pub set: Vec<(String, String)>,
    pub at: Option<DateTime<Utc>>,
    /// Which policy is asked.
    pub standing: PolicyStanding,
}

impl Workbench {
    /// What a joiner lacks and holds too much, or what stays open after somebody has moved.
    pub async fn rehearse_role(&self, request: RoleRequest) -> Result<RoleRehearsal, Failure> {
        let record = self.policy_of(request.standing).await?;
        let (plan, _) = self.plan().await?;
        self.rehearse_role_by(request, &record.text, plan).await
    }

    /// The same by the text of any policy, and by any plan.
    pub(crate) async fn rehearse_role_by(
        &self,
        request: RoleRequest,
        policy: &str,
        plan: Plan,
    ) -> Result<RoleRehearsal, Failure> {
        let policy = AccessPolicy::parse(policy)?;
        let (mut holder, _) = self.holder(&request.identity).await?;
        for (name, value) in request.set {
            if !policy.knows_of_identities(&name) {
                let message = format!("the policy asks nothing about `{name}`");
                return Err(Failure::bad_input(message)
                    .hint("see `lastkey policy schema` for what it may ask about"));
            }
            let value = Some(value).filter(|value| !value.is_empty());
            if value.is_none() && name == "kind" {
                return Err(Failure::bad_input("everybody is of some kind"));
            }
            holder.set(&name, value);
        }
        let (_, graph) = self.graph().await?;
        let facts = self.store.holdings().await?;
        let at = request.at.unwrap_or_else(|| self.now());
        off_thread(move || {
            let mut decider = Decider::new(&policy);
            let catalogue = Catalogue::new(&graph, &mut decider, &facts);
            let mut judge = Judge {
                decider: &mut decider,
                catalogue: &catalogue,
            };
            let settings = RehearsalSettings::default();
            let change = request.change;
            rehearse_role(&graph, &plan, &mut judge, change, &holder, at, &settings)
        })
        .await
    }
}
