//! The guard against changing much at once: a plan that would change unusually many answers is held
//! until a person confirms exactly that.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::check_plan;
use crate::stop::Stop;
use chrono::Utc;
use lastkey_engine::lifecycle::{Departed, Plan, RehearsalSettings, Verdict, weak_reads};
use lastkey_engine::mass::{Figure, HeldChange, Threshold};
use lastkey_engine::views::PlanView;
use serde::Serialize;
use ts_rs::TS;

/// What became of a plan that was to be loaded.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum PlanLoad {
    Loaded(PlanView),
    /// Nothing was changed: it waits for its code.
    Held(HeldChange),
}

impl Workbench {
    /// Above which share and count a change is held; None: nothing is held.
    pub async fn mass_threshold(&self) -> Result<Option<Threshold>, Failure> {
        Ok(self.store.mass_threshold().await?)
    }

    /// Sets it, for everybody who works on this store; the log keeps who did.
    pub async fn set_mass_threshold(&self, threshold: Option<Threshold>) -> Result<(), Failure> {
        if threshold.is_some_and(|one| one.percent > 100) {
            return Err(Failure::bad_input("a share is 0 to 100 percent"));
        }
        Ok(self.store.set_mass_threshold(threshold, Utc::now()).await?)
    }

    /// Checks a plan and makes it the active one, unless it would change unusually many answers beside
    /// the plan that counts: then it needs the code that the step before said. The first plan is never
    /// held.
    pub async fn load_plan_guarded(
        &self,
        name: &str,
        text: &str,
        code: Option<&str>,
        stop: &Stop,
    ) -> Result<PlanLoad, Failure> {
        let plan = check_plan(text)?;
        if let Some(held) = self.mass_change(&plan, (name, text), stop).await? {
            if code.map(str::trim) != Some(held.code.as_str()) {
                return Ok(PlanLoad::Held(held));
            }
            let payload = serde_json::json!({
                "what": held.what, "code": held.code, "figures": held.figures,
            });
            let now = Utc::now();
            self.store
                .log("mass change confirmed", &payload, now)
                .await?;
        }
        Ok(PlanLoad::Loaded(self.load_plan(name, text).await?))
    }

    /// What a plan would change, where that is unusually much.
    async fn mass_change(
        &self,
        plan: &Plan,
        (name, text): (&str, &str),
        stop: &Stop,
    ) -> Result<Option<HeldChange>, Failure> {
        let Some(threshold) = self.store.mass_threshold().await? else {
            return Ok(None);
        };
        let Some(active) = self.store.plan().await? else {
            return Ok(None);
        };
        if active.text == text {
            return Ok(None);
        }
        let facts = self.facts_state().await?;
        let at = self.now();
        let before = check_plan(&active.text)?;
        let (graph, before) = self.everyone_by(before, at, stop).await?;
        let (_, after) = self.everyone_by(plan.clone(), at, stop).await?;
        if facts != self.facts_state().await? || before.departed.len() != after.departed.len() {
            return Err(Failure::not_possible(
                "something was read or decided while the plan was tried; nothing was changed",
            )
            .hint("load it again"));
        }
        let of = u64::try_from(before.departed.len()).unwrap_or(u64::MAX);
        let pairs = || before.departed.iter().zip(&after.departed);
        let count = |changed: fn(&Departed, &Departed) -> bool| {
            let found = pairs().filter(|(one, other)| changed(one, other));
            u64::try_from(found.count()).unwrap_or(u64::MAX)
        };
        let figure = |what: &str, number| Figure {
            what: what.to_owned(),
            number,
            of,
            unusual: threshold.is_passed(number, of),
        };
        let told = |what: &str, number| Figure {
            unusual: false,
            ..figure(what, number)
        };
        // What was not read hides what a plan would change.
        let limit = RehearsalSettings::default().freshness_limit;
        let weak = !weak_reads(graph.reads(), graph.never_read(), at, limit).is_empty();
        let unjudged = |one: &Departed| is_unjudged(one, weak);
        let unjudged = pairs().filter(|(one, other)| unjudged(one) || unjudged(other));
        let unjudged = u64::try_from(unjudged.count()).unwrap_or(u64::MAX);
        let mut figures = vec![
            figure("identities whose answer changes", count(changes)),
            told(
                "of them pass no more",
                count(|one, other| passes(one) && !passes(other)),
            ),
            told(
                "of them pass now",
                count(|one, other| !passes(one) && passes(other)),
            ),
        ];
        if unjudged > 0 {
            figures.push(figure(
                "identities cannot be judged before or after: reads are missing, incomplete or old (`rehearse leaver` says which)",
                unjudged,
            ));
        }
        let state = [
            active.sha256.as_str(),
            text,
            &format!("{} {}", facts.sync, facts.decisions),
        ];
        let held = HeldChange::new(format!("load the plan `{name}`"), figures, &state);
        Ok(held.is_unusual().then_some(held))
    }
}

/// Another verdict, or more or fewer items of a kind and severity that stay, outlive their limit or
/// never close.
fn changes(before: &Departed, after: &Departed) -> bool {
    (before.verdict, before.left) != (after.verdict, after.left)
}

/// Whether only what is missing keeps an answer from being one.
fn is_unjudged(one: &Departed, reads_are_weak: bool) -> bool {
    one.verdict == Verdict::Indeterminate && (reads_are_weak || one.left.late() == 0)
}

fn passes(one: &Departed) -> bool {
    one.verdict == Verdict::Pass
}
