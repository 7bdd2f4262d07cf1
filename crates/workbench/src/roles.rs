//! Joiners and movers, by the access policy and the plan.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use chrono::{DateTime, Utc};
use lastkey_engine::lifecycle::{
    Judge, Plan, RehearsalSettings, RoleChange, RoleRehearsal, held_like, rehearse_role,
};
use lastkey_engine::policy::{AccessPolicy, Catalogue, Decider, Holder};
use lastkey_engine::store::PolicyStanding;

/// Who joins or moves, and how they are afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRequest {
    pub identity: String,
    pub change: RoleChange,
    /// Of a joiner whom no source lists yet: the colleague or template whose attributes they get.
    pub like: Option<String>,
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
        let (mut holder, like) = match &request.like {
            None => (self.holder(&request.identity).await?.0, None),
            Some(like) => {
                let (holder, like) = self.newcomer(&request, like).await?;
                (holder, Some(like))
            }
        };
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
        let settings = RehearsalSettings::as_of(self.now());
        off_thread(move || {
            let mut decider = Decider::new(&policy);
            let catalogue = Catalogue::new(&graph, &mut decider, &facts);
            let mut judge = Judge {
                decider: &mut decider,
                catalogue: &catalogue,
            };
            let change = request.change;
            let answer = rehearse_role(&graph, &plan, &mut judge, change, &holder, at, &settings);
            let like_holds = match &like {
                Some(like) => held_like(&graph, &mut judge, (like, &holder), at),
                None => Vec::new(),
            };
            RoleRehearsal {
                like_holds,
                ..answer
            }
        })
        .await
    }

    /// Somebody whom no source lists yet with the attributes of a colleague or a template, but what is
    /// of that person alone; and the colleague's id.
    async fn newcomer(
        &self,
        request: &RoleRequest,
        like: &str,
    ) -> Result<(Holder, String), Failure> {
        if request.change != RoleChange::Joiner {
            return Err(Failure::bad_input("only a joiner comes like somebody else"));
        }
        let id = request.identity.trim();
        if id.is_empty() || !self.store.find_identity(id).await?.is_empty() {
            return Err(Failure::bad_input(format!("`{id}` is listed already"))
                .hint("leave the colleague out: what a source says of a joiner is known"));
        }
        let (mut holder, _) = self.holder(like).await?;
        let like = std::mem::replace(&mut holder.id, id.to_owned());
        for own in ["name", "email"] {
            holder.set(own, None);
        }
        holder.set("status", Some("active".to_owned()));
        Ok((holder, like))
    }
}
