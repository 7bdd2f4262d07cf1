//! Those who moved: what the active policy lets them hold by what they are now.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use chrono::{DateTime, Utc};
use lastkey_engine::measured::{AfterMove, Left, Names};
use lastkey_engine::policy::{AccessPolicy, Decider, Decision, Held, Holder, Holding, PolicyError};
use lastkey_engine::store::{LeaversQuery, PolicyStanding};
use std::collections::HashMap;

impl Workbench {
    /// Of those who moved only what they may no longer hold.
    pub(crate) async fn after_moves(&self, moved: Vec<Left>) -> Result<Vec<Left>, Failure> {
        let text = self.policy_of(PolicyStanding::Active).await?.text;
        let facts = self.store.holdings().await?;
        let mut all = Vec::with_capacity(moved.len());
        for left in moved {
            let listed = !self.store.find_identity(&left.identity).await?.is_empty();
            let holder = match listed {
                true => Some(self.holder(&left.identity).await?.0),
                false => None,
            };
            all.push((left, holder));
        }
        let restricted = off_thread(move || -> Result<Vec<Left>, PolicyError> {
            let policy = AccessPolicy::parse(&text)?;
            let mut decider = Decider::new(&policy);
            let each = all.into_iter().map(|(left, holder)| {
                left.after_a_move(|names| says(&mut decider, &facts, holder.as_ref(), names))
            });
            Ok(each.collect())
        });
        Ok(restricted.await??)
    }

    /// When somebody moved, by the last read that tells of it.
    pub(crate) async fn told_move(&self, identity: &str) -> Result<Option<DateTime<Utc>>, Failure> {
        let query = LeaversQuery {
            identity: Some(identity),
            movers: true,
            ..LeaversQuery::default()
        };
        let mut at = None;
        self.store
            .each_past_leaver(&query, self.now(), |window| {
                at = window.iter().map(|left| left.latest).max().max(at);
                Ok::<(), Failure>(())
            })
            .await?;
        Ok(at)
    }
}

fn says(
    decider: &mut Decider<'_>,
    facts: &HashMap<(String, String), Holding>,
    holder: Option<&Holder>,
    names: &Names,
) -> AfterMove {
    let Some(holder) = holder else {
        let why = "they are not listed any more, so what they may hold is not known";
        return AfterMove::NotDecided(why.to_owned());
    };
    let known = facts.get(&(names.system.clone(), names.id.clone()));
    let named = || Holding::named(&names.system, &names.id);
    let Decision {
        held,
        unknown,
        error,
        ..
    } = decider.decide_for(holder, &known.cloned().unwrap_or_else(named));
    match (held, unknown.is_empty()) {
        (Held::Birthright | Held::Permitted, true) => AfterMove::MayHold,
        (Held::NotPermitted, true) => AfterMove::MayNotHold,
        (Held::NoPolicy, _) => {
            AfterMove::NotDecided(format!("no policy speaks for {}", names.system))
        }
        (Held::Undecided, _) => AfterMove::NotDecided(
            error.unwrap_or_else(|| "a policy could not be evaluated".to_owned()),
        ),
        (Held::Birthright | Held::Permitted | Held::NotPermitted, false) => AfterMove::NotDecided(
            format!("the policy asks what is not known: {}", unknown.join(", ")),
        ),
    }
}
