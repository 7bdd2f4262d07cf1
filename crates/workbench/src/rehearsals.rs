//! Rehearsals, the plan, and blast radius, on the latest state of the store.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::stop::Stop;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use lastkey_contract::facts::{IdentityKind, LifecycleEvent};
use lastkey_contract::{CredentialId, IdentityId, Kind, SourceName, SystemName};
use lastkey_engine::access::{Gone, Graph, Reach, ReachFrom, ReadState, reach};
use lastkey_engine::lifecycle::{
    Leaver, Plan, Rehearsal, RehearsalSettings, WeakRead, decay_curve, rehearse_all,
    rehearse_leaver, shows_system, unread_beside, weak_reads,
};
use lastkey_engine::store::{OnceListed, SyncRecord};
use lastkey_engine::views::{
    self, Difference, PlanView, ReachView, RehearsalView, RehearsedRow, WeakReadView, summarise,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// Which state of the store something was computed from.
pub(crate) type State = (u64, u64);

/// What is kept of the store's latest state.
#[derive(Clone)]
pub(crate) struct Latest {
    state: State,
    graph: Arc<Graph>,
    reads: Arc<Reads>,
}

/// How completely everything was read.
struct Reads {
    states: Vec<ReadState>,
    never_read: Vec<SourceName>,
}

/// Whose blast radius.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReachOf {
    Identity(String),
    Credential { system: String, id: String },
}

/// A moment as people type it: RFC 3339, or a bare date, which means its first moment in UTC.
pub fn moment_from_text(text: &str) -> Result<DateTime<Utc>, Failure> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    text.parse::<NaiveDate>()
        .map(|date| date.and_time(NaiveTime::MIN).and_utc())
        .map_err(|_| {
            Failure::bad_input(format!("`{text}` is not a time"))
                .hint("write a day such as 2026-06-01, or a moment such as 2026-06-01T17:00:00Z")
        })
}

/// The same of a named option or column, which the failure names.
pub fn moment_of(name: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
    moment_from_text(text).map_err(|failure| Failure {
        message: format!("{name}: {}", failure.message),
        ..failure
    })
}

/// Reads a plan and says what is wrong with it, with line and column.
pub fn check_plan(text: &str) -> Result<Plan, Failure> {
    Ok(Plan::parse(text)?)
}

/// One line of `rehearse leaver --all --json`: counts per kind, the floor, the 20 worst items.
pub fn summary_line(rehearsal: &Rehearsal) -> serde_json::Value {
    lastkey_engine::views::summary_json(rehearsal)
}

impl Workbench {
    /// Checks a plan and makes it the active one.
    pub async fn load_plan(&self, name: &str, text: &str) -> Result<PlanView, Failure> {
        let plan = check_plan(text)?;
        let steps = u64::try_from(plan.steps.len()).unwrap_or(u64::MAX);
        let name = if name.trim().is_empty() {
            "plan"
        } else {
            name.trim()
        };
        self.store.save_plan(name, text, steps, Utc::now()).await?;
        self.plan_view()
            .await?
            .ok_or_else(|| Failure::not_possible("the plan was not kept"))
    }

    /// The systems that the active plan names and no source carries, such as a mistyped one: its
    /// steps close nothing. None before the first source was read.
    pub async fn plan_systems_unread(&self) -> Result<Vec<String>, Failure> {
        let (plan, _) = self.plan().await?;
        self.systems_unread(&plan).await
    }

    /// The same of the text of a plan that is not loaded.
    pub async fn plan_text_systems_unread(&self, text: &str) -> Result<Vec<String>, Failure> {
        self.systems_unread(&check_plan(text)?).await
    }

    /// The same of any plan.
    pub(crate) async fn systems_unread(&self, plan: &Plan) -> Result<Vec<String>, Failure> {
        let reads = self.latest().await?.reads;
        let states = reads.states.iter();
        let states = states.filter(|read| shows_system(read.kind));
        let read: BTreeSet<&SystemName> = states.flat_map(|read| &read.systems).collect();
        if read.is_empty() {
            return Ok(Vec::new());
        }
        let steps = plan.steps.iter().filter_map(|step| step.system.as_ref());
        let named: BTreeSet<&SystemName> = steps
            .chain(plan.systems.iter().map(|table| &table.name))
            .collect();
        Ok(named.difference(&read).map(ToString::to_string).collect())
    }

    /// Rehearses one identity leaving; a vendor is a vendor exit with all its people.
    pub async fn rehearse_leaver(
        &self,
        id: &str,
        at: Option<DateTime<Utc>>,
    ) -> Result<RehearsalView, Failure> {
        let plan = self.plan().await?;
        self.rehearse(Leaver::Identity(IdentityId::new(id)), at, plan)
            .await
    }

    /// The same by the text of another plan; nothing is kept.
    pub async fn rehearse_leaver_by(
        &self,
        id: &str,
        at: Option<DateTime<Utc>>,
        plan: &str,
    ) -> Result<RehearsalView, Failure> {
        let plan = (check_plan(plan)?, None);
        self.rehearse(Leaver::Identity(IdentityId::new(id)), at, plan)
            .await
    }

    /// Rehearses a vendor leaving with all its people.
    pub async fn rehearse_vendor_exit(
        &self,
        id: &str,
        at: Option<DateTime<Utc>>,
    ) -> Result<RehearsalView, Failure> {
        let plan = self.plan().await?;
        self.rehearse(Leaver::Vendor(IdentityId::new(id)), at, plan)
            .await
    }

    pub(crate) async fn rehearse(
        &self,
        leaver: Leaver,
        at: Option<DateTime<Utc>>,
        (plan, name): (Plan, Option<String>),
    ) -> Result<RehearsalView, Failure> {
        let (Leaver::Identity(id) | Leaver::Vendor(id)) = &leaver;
        let (_, graph) = self.graph().await?;
        let (id, display_name) = self.leaver_and_name(&leaver, id.as_str(), &graph).await?;
        let leaver = match leaver {
            Leaver::Identity(_) => Leaver::Identity(id.clone()),
            Leaver::Vendor(_) => {
                require_vendor(&id, &graph)?;
                Leaver::Vendor(id.clone())
            }
        };
        let at = at.unwrap_or_else(|| self.now());
        let settings = RehearsalSettings::as_of(self.now());
        let left_already = graph.has_left(&id);
        let begun = Instant::now();
        let rehearsal =
            off_thread(move || rehearse_leaver(&graph, &plan, &leaver, at, &settings)).await?;
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let row = summarise(&rehearsal, display_name.clone(), String::new());
        let mut weak = self.weak(at.min(self.now())).await?;
        // Who exists is a missing fact only where a vendor takes its people along.
        weak.retain(|read| {
            read.kind != Some(Kind::Identity) || rehearsal.event == LifecycleEvent::VendorExit
        });
        Ok(RehearsalView {
            weak: views::weak_reads(&self.store, &weak).await?,
            display_name,
            plan_name: name,
            left_already,
            late: row.late,
            never: row.never,
            curve: decay_curve(&rehearsal, settings.horizon),
            names: views::names_in(&self.store, &rehearsal).await?,
            horizon_days: u32::try_from(settings.horizon.num_days()).unwrap_or(90),
            took_ms,
            rehearsal,
        })
    }

    /// What people call the things of a rehearsal, by `kind system:id`.
    pub async fn names_in(
        &self,
        rehearsal: &Rehearsal,
    ) -> Result<BTreeMap<String, String>, Failure> {
        Ok(views::names_in(&self.store, rehearsal).await?)
    }

    /// What somebody is called; None of whom nobody lists.
    pub async fn name_of(&self, identity: &str) -> Result<Option<String>, Failure> {
        let found = self.store.find_identity(identity).await?;
        Ok(found.into_iter().next().and_then(|one| one.display_name))
    }

    /// The reads that lower every claim about `at`, which is now if not given.
    pub async fn weak_reads(
        &self,
        at: Option<DateTime<Utc>>,
    ) -> Result<Vec<WeakReadView>, Failure> {
        let weak = self
            .weak(at.unwrap_or_else(|| self.now()).min(self.now()))
            .await?;
        Ok(views::weak_reads(&self.store, &weak).await?)
    }

    pub(crate) async fn weak(&self, at: DateTime<Utc>) -> Result<Vec<WeakRead>, Failure> {
        let reads = self.latest().await?.reads;
        let limit = RehearsalSettings::default().freshness_limit;
        Ok(weak_reads(&reads.states, &reads.never_read, at, limit))
    }

    /// Rehearses every identity in turn and hands each over; `each` may fail, which ends it.
    pub async fn rehearse_everyone(
        &self,
        at: DateTime<Utc>,
        stop: &Stop,
        each: &mut (dyn FnMut(&Rehearsal, &RehearsedRow) -> Result<(), Failure> + Send),
    ) -> Result<(), Failure> {
        let (_, graph) = self.graph().await?;
        let (plan, _) = self.plan().await?;
        let names = self.store.identity_names().await?;
        let stop = stop.clone();
        let mut failed = None;
        tokio::task::block_in_place(|| {
            let settings = RehearsalSettings::default();
            rehearse_all(&graph, &plan, at, &settings, |rehearsal| {
                let (name, kind) = names.get(&rehearsal.identity).cloned().unwrap_or_default();
                let row = summarise(&rehearsal, name, kind);
                if stop.is_stopped() {
                    return ControlFlow::Break(());
                }
                match each(&rehearsal, &row) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(failure) => {
                        failed = Some(failure);
                        ControlFlow::Break(())
                    }
                }
            });
        });
        match failed {
            Some(failure) => Err(failure),
            None if stop.is_stopped() => Err(Failure::not_possible("the rehearsal was stopped")),
            None => Ok(()),
        }
    }

    /// Everything reachable from one identity or credential, with the path that explains it.
    pub async fn reach(&self, of: &ReachOf, at: Option<DateTime<Utc>>) -> Result<Reach, Failure> {
        let (_, graph) = self.graph().await?;
        let (plan, _) = self.plan().await?;
        let at = at.unwrap_or_else(|| self.now());
        let mut gone = None;
        let of = match of {
            ReachOf::Identity(id) => match self.identity_and_name(id, &graph).await {
                Ok((id, _)) => ReachFrom::Identity(id),
                Err(unknown) => {
                    let Some(once) = self.listed_once(id).await? else {
                        return Err(unknown);
                    };
                    let record = once.record.to_string();
                    gone = Some(self.gone(once).await?);
                    ReachFrom::Gone(IdentityId::new(record))
                }
            },
            ReachOf::Credential { system, id } => ReachFrom::Credential(
                SystemName::new(system.clone()),
                CredentialId::new(id.clone()),
            ),
        };
        let limit = RehearsalSettings::default().freshness_limit;
        let radius = off_thread(move || {
            let mut radius = reach(&graph, &of, at, |system| plan.dies_with_account(system))?;
            radius.unread = unread_beside(&graph, &of, &radius.items, limit, at);
            Some(radius)
        })
        .await?
        .ok_or_else(|| {
            Failure::bad_input("there is no such credential")
                .hint("see `lastkey credentials` for systems and ids")
        })?;
        Ok(Reach { gone, ..radius })
    }

    /// The same of an identity, as a page shows it: of somebody whom no source lists now, too.
    pub async fn reach_of(&self, identity: &str) -> Result<ReachView, Failure> {
        let of = ReachOf::Identity(identity.to_owned());
        Ok(self.reach(&of, None).await?.into())
    }

    /// Who somebody was whom a source lists no more, and since when.
    async fn gone(&self, once: OnceListed) -> Result<Gone, Failure> {
        let record = once.record.to_string();
        let past = self.store.object_history(Kind::Identity, &record).await?;
        let of_source = past
            .into_iter()
            .find(|past| past.source == once.record.source);
        let removed = of_source.and_then(|past| {
            past.lines
                .into_iter()
                .rfind(|l| l.what == Difference::Removed)
        });
        let (earliest, latest) = removed.map_or((None, None), |line| (line.earliest, line.latest));
        Ok(Gone {
            display_name: once.fact.display_name,
            end_date: once.fact.end_date.map(|day| day.to_string()),
            earliest,
            latest,
        })
    }

    /// The one record that a text names and that no source lists now; of somebody who is listed, and
    /// of an earlier state, None.
    pub(crate) async fn listed_once(&self, text: &str) -> Result<Option<OnceListed>, Failure> {
        if self.then.is_some() || !self.store.find_identity(text).await?.is_empty() {
            return Ok(None);
        }
        let mut once = self.store.records_once(text).await?;
        match (once.pop(), once.as_slice()) {
            (last, []) => Ok(last),
            (None, _) => Ok(None),
            (Some(last), more) => {
                let names = more.iter().chain([&last]);
                let names: Vec<String> = names.map(|one| one.record.to_string()).collect();
                Err(Failure::bad_input(format!(
                    "`{text}` names {} identities that no source lists now",
                    names.len()
                ))
                .hint(format!("say which: {}", names.join(", "))))
            }
        }
    }

    /// The graph of the store's latest state, built once per state.
    pub(crate) async fn graph(&self) -> Result<(State, Arc<Graph>), Failure> {
        let latest = self.latest().await?;
        Ok((latest.state, latest.graph))
    }

    /// The state of the store: the log knows of sources added or removed, and of retention, which
    /// no sync tells of.
    pub(crate) async fn state(&self) -> Result<State, Failure> {
        Ok((
            state_of(self.store.newest_sync().await?.as_ref()),
            self.store.log_head().await?,
        ))
    }

    /// What people call the things of the latest state.
    async fn latest(&self) -> Result<Latest, Failure> {
        let state = self.state().await?;
        let mut kept = self.latest.lock().await;
        if let Some(latest) = kept.as_ref().filter(|latest| latest.state == state) {
            return Ok(latest.clone());
        }
        let graph = self
            .store
            .load_graph(self.then.map(|then| then.sync))
            .await?;
        let latest = Latest {
            state,
            reads: Arc::new(Reads {
                states: graph.reads().to_vec(),
                never_read: graph.never_read().to_vec(),
            }),
            graph: Arc::new(graph),
        };
        *kept = Some(latest.clone());
        Ok(latest)
    }

    /// The active plan and its name; an empty plan where none is loaded.
    pub(crate) async fn plan(&self) -> Result<(Plan, Option<String>), Failure> {
        match self.store.plan().await? {
            Some(record) => Ok((check_plan(&record.text)?, Some(record.name))),
            None => Ok((Plan::default(), None)),
        }
    }

    /// The one identity that the text names: `SOURCE:ID` always, a bare ID if it is unique.
    pub(crate) async fn known_identity(&self, text: &str) -> Result<IdentityId, Failure> {
        let found = self.store.find_identity(text).await?;
        match found.as_slice() {
            [one] => Ok(IdentityId::new(one.shown_id())),
            [] => Err(self.no_identity(text).await),
            many => {
                let ids: Vec<String> = many.iter().map(|person| person.shown_id()).collect();
                Err(
                    Failure::bad_input(format!("`{text}` names {} identities", many.len()))
                        .hint(format!("say which: {}", ids.join(", "))),
                )
            }
        }
    }

    /// Who leaves, and what they are called: somebody who is listed, or was once. Of the latter
    /// nothing is rehearsed, and the answer names what is theirs.
    pub(crate) async fn leaver_and_name(
        &self,
        leaver: &Leaver,
        text: &str,
        graph: &Graph,
    ) -> Result<(IdentityId, Option<String>), Failure> {
        let found = self.identity_and_name(text, graph).await;
        match leaver {
            Leaver::Identity(_) if found.is_err() => match self.listed_once(text).await? {
                Some(one) => Ok((
                    IdentityId::new(one.record.to_string()),
                    one.fact.display_name,
                )),
                None => found,
            },
            Leaver::Identity(_) | Leaver::Vendor(_) => found,
        }
    }

    /// The one identity that the text names in the state that is looked at, and what it is called.
    pub(crate) async fn identity_and_name(
        &self,
        text: &str,
        graph: &Graph,
    ) -> Result<(IdentityId, Option<String>), Failure> {
        if let Some(then) = self.then {
            return self.known_identity_then(text, then.sync, graph).await;
        }
        let id = match self.known_identity(text).await {
            Ok(id) => id,
            Err(unknown) => self.listed_elsewhere(text).await?.ok_or(unknown)?,
        };
        let found = self.store.find_identity(id.as_str()).await?;
        let name = found.into_iter().next().and_then(|one| one.display_name);
        Ok((id, name))
    }

    /// The person whose record a text names, where its source lists it no more and another source
    /// lists another record of theirs.
    async fn listed_elsewhere(&self, text: &str) -> Result<Option<IdentityId>, Failure> {
        let Ok(Some(once)) = self.listed_once(text).await else {
            return Ok(None);
        };
        for (record, _) in self.store.records_of(&once.record).await? {
            let found = self.store.find_identity(&record.to_string()).await?;
            if let [one] = found.as_slice() {
                return Ok(Some(IdentityId::new(one.shown_id())));
            }
        }
        Ok(None)
    }
}

pub(crate) fn require_vendor(id: &IdentityId, graph: &Graph) -> Result<(), Failure> {
    match graph.identity_kind(id) {
        Some(IdentityKind::Vendor) => Ok(()),
        Some(kind) => Err(
            Failure::bad_input(format!("`{id}` is a {kind}, not a vendor"))
                .hint("give it with --identity"),
        ),
        None => Err(Failure::bad_input(format!("there is no vendor `{id}`"))),
    }
}

/// The store's state as a number. A sync under way and the same sync ended are two states:
/// what was seen half read must not answer for the whole.
fn state_of(newest: Option<&SyncRecord>) -> u64 {
    newest.map_or(0, |sync| {
        sync.id
            .0
            .saturating_mul(2)
            .saturating_add(u64::from(sync.ended_at.is_some()))
    })
}

/// Heavy work on a thread of its own.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::not_possible("the work was interrupted; nothing was kept of it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_engine::store::{SyncId, SyncState};

    #[test]
    fn a_sync_that_ended_is_another_state_than_the_same_sync_under_way() {
        let mut sync = SyncRecord {
            id: SyncId(7),
            source: "hr".into(),
            state: SyncState::Running,
            started_at: String::new(),
            ended_at: None,
            read_at: String::new(),
            failure: None,
            hint: None,
        };
        let running = state_of(Some(&sync));
        sync.ended_at = Some("2026-03-01T12:00:00Z".to_owned());
        let ended = state_of(Some(&sync));
        sync.id = SyncId(8);
        sync.ended_at = None;
        let next = state_of(Some(&sync));
        assert!(0 < running && running < ended && ended < next);
    }
}
