//! What the offboarding plan covers of what was read: event by system by kind of thing.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::{check_plan, off_thread};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::{Cell, RehearsalSettings, reached_by_plan};
use serde::Serialize;
use ts_rs::TS;

/// The coverage matrix of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlanCoverage {
    pub at: String,
    /// By event, system and thing; only what there is any of.
    pub cells: Vec<Cell>,
    /// Systems that the plan names and nothing was read of: a step on them closes nothing.
    pub unread_systems: Vec<String>,
}

impl Workbench {
    /// What the active plan covers, or the text of another.
    pub async fn plan_coverage(
        &self,
        at: DateTime<Utc>,
        plan: Option<&str>,
    ) -> Result<PlanCoverage, Failure> {
        let (_, graph) = self.graph().await?;
        let plan = match plan {
            Some(text) => check_plan(text)?,
            None => self.plan().await?.0,
        };
        let unread_systems = self.systems_unread(&plan).await?;
        let settings = RehearsalSettings::default();
        let cells = off_thread(move || reached_by_plan(&graph, &plan, at, &settings)).await?;
        Ok(PlanCoverage {
            at: rfc3339(at),
            cells,
            unread_systems,
        })
    }
}
