//! Rehearsals as tests: assertions from a file or from the store, judged, and kept after each sync.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::off_thread;
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::assertions::{
    Against, AssertedOf, Assertion, AssertionResult, Findings, SavedHolds, judge, worst,
};
use lastkey_engine::lifecycle::saved::{
    Direction, FactsState, ItemDifference, KeptItem, KeptRehearsal, NamedText, WhatOf, compare,
};
use lastkey_engine::lifecycle::{Basis, RehearsalSettings, Verdict};
use lastkey_engine::store::AssertionsRecord;
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use std::thread::available_parallelism;
use ts_rs::TS;

/// What came of all assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AssertionReport {
    /// The moment at which everybody leaves.
    pub at: String,
    pub name: String,
    pub sha256: String,
    pub plan_sha256: Option<String>,
    pub facts: FactsState,
    /// The worst of all.
    pub verdict: Verdict,
    pub results: Vec<AssertionResult>,
}

/// What came of them once, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AssertionRunView {
    pub ran_at: String,
    pub ran_by: String,
    #[serde(flatten)]
    pub report: AssertionReport,
}

/// The assertions that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AssertionsView {
    pub name: String,
    pub sha256: String,
    pub number: u64,
    pub loaded_at: String,
    pub loaded_by: String,
    pub text: String,
}

impl From<AssertionsRecord> for AssertionsView {
    fn from(record: AssertionsRecord) -> Self {
        let AssertionsRecord {
            at,
            who,
            name,
            text,
            sha256,
            number,
        } = record;
        AssertionsView {
            name,
            sha256,
            number: number.cast_unsigned(),
            loaded_at: at,
            loaded_by: who,
            text,
        }
    }
}

/// Reads assertions and says what is wrong with them, with line and column.
pub fn check_assertions(text: &str) -> Result<Vec<Assertion>, Failure> {
    Ok(Assertion::parse_all(text)?)
}

impl Workbench {
    /// Checks assertions and lets them count: they run after every sync from here on.
    pub async fn load_assertions(&self, name: &str, text: &str) -> Result<AssertionsView, Failure> {
        let all = check_assertions(text)?;
        self.require_saved(&all).await?;
        let number = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let now = Utc::now();
        self.store.save_assertions(name, text, number, now).await?;
        let view = self.assertions().await?;
        view.ok_or_else(|| Failure::not_possible("the assertions were not kept"))
    }

    /// Those that count, if any do.
    pub async fn assertions(&self) -> Result<Option<AssertionsView>, Failure> {
        Ok(self.store.assertions().await?.map(AssertionsView::from))
    }

    /// Lets none count any more; false where none did.
    pub async fn drop_assertions(&self) -> Result<bool, Failure> {
        let Some(record) = self.store.assertions().await? else {
            return Ok(false);
        };
        let now = Utc::now();
        self.store.save_assertions(&record.name, "", 0, now).await?;
        Ok(true)
    }

    /// Judges assertions now: those of a text with its name, or else those that count. Nothing is kept.
    pub async fn run_assertions(
        &self,
        named: Option<(String, String)>,
        at: Option<DateTime<Utc>>,
        stop: &Stop,
    ) -> Result<AssertionReport, Failure> {
        let given = named.is_some();
        let (name, text) = match named {
            Some(named) => named,
            None => match self.assertions().await? {
                Some(view) => (view.name, view.text),
                None => {
                    return Err(Failure::not_possible("no assertions are loaded").hint(
                        "load some with `lastkey assertions load FILE`, or give --file FILE",
                    ));
                }
            },
        };
        let all = check_assertions(&text)?;
        // Of those that count, what was removed since passes nothing; in a text it is mistyped.
        if given {
            self.require_saved(&all).await?;
        }
        self.judged(all, NamedText::new(name, text), at, stop).await
    }

    /// Judges those that count and keeps what comes of it; None where none count.
    pub async fn assert_after_sync(&self, stop: &Stop) -> Result<Option<AssertionReport>, Failure> {
        let Some(record) = self.store.assertions().await? else {
            return Ok(None);
        };
        let all = check_assertions(&record.text)?;
        let text = NamedText::new(record.name, record.text);
        let report = self.judged(all, text, None, stop).await?;
        let json = serde_json::to_string(&report)
            .map_err(|error| Failure::not_possible(format!("no JSON can be made: {error}")))?;
        let word = report.verdict.word();
        self.store
            .save_assertion_run(word, &json, Utc::now())
            .await?;
        Ok(Some(report))
    }

    /// A window of what came of them after syncs, the latest first.
    pub async fn assertion_runs(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<AssertionRunView>, Failure> {
        let runs = self.store.assertion_runs(offset, limit).await?;
        let views = runs.into_iter().map(|run| {
            let report = serde_json::from_str(&run.report).map_err(|error| {
                Failure::key(format!(
                    "run {} of assertions cannot be read: {error}",
                    run.id
                ))
            })?;
            Ok(AssertionRunView {
                ran_at: run.at,
                ran_by: run.who,
                report,
            })
        });
        views.collect()
    }

    /// A saved rehearsal that is named must be there: a name that was mistyped tests nothing.
    async fn require_saved(&self, all: &[Assertion]) -> Result<(), Failure> {
        for one in all {
            if let AssertedOf::Saved { name, .. } = &one.of {
                self.saved(name).await.map_err(|failure| Failure {
                    message: format!("line {}: {}", one.line, failure.message),
                    ..failure
                })?;
            }
        }
        Ok(())
    }

    async fn judged(
        &self,
        mut all: Vec<Assertion>,
        text: NamedText,
        at: Option<DateTime<Utc>>,
        stop: &Stop,
    ) -> Result<AssertionReport, Failure> {
        let at = at.unwrap_or_else(|| self.now());
        let facts = self.facts_state().await?;
        let (_, graph) = self.graph().await?;
        let (plan, _) = self.plan().await?;
        let plan_sha256 = self.store.plan().await?.map(|plan| plan.sha256);
        for one in &mut all {
            if let AssertedOf::Leavers { who, .. } = &mut one.of
                && let Some(text) = &who.identity
                // Whom no source lists nobody is, and that is said.
                && let Ok(id) = self.known_identity(text).await
            {
                who.identity = Some(id.to_string());
            }
        }
        let (asked, halt) = (all.clone(), stop.clone());
        let judged = off_thread(move || {
            let settings = RehearsalSettings::default();
            let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
            let goes_on = || !halt.is_stopped();
            judge(&graph, &plan, at, &settings, &asked, threads, &goes_on)
        })
        .await?
        .ok_or_else(|| Failure::not_possible("the assertions were stopped"))?;
        let mut results = Vec::new();
        for (one, result) in all.iter().zip(judged) {
            results.push(match (result, &one.of) {
                (Some(result), _) => result,
                (None, AssertedOf::Saved { name, holds }) => {
                    self.of_saved(one, (name, *holds), at, stop).await?
                }
                // Not judged is not passed.
                (None, AssertedOf::Leavers { .. }) => Findings::default().result(one),
            });
        }
        if facts != self.facts_state().await? {
            return Err(Failure::not_possible(
                "something was read or decided while the assertions were judged",
            )
            .hint("run them again: lastkey assertions run"));
        }
        Ok(AssertionReport {
            at: rfc3339(at),
            name: text.name,
            sha256: text.sha256,
            plan_sha256,
            facts,
            verdict: worst(&results),
            results,
        })
    }

    /// Asks the question of a saved rehearsal again.
    async fn of_saved(
        &self,
        assertion: &Assertion,
        (name, holds): (&str, SavedHolds),
        at: DateTime<Utc>,
        stop: &Stop,
    ) -> Result<AssertionResult, Failure> {
        let mut findings = Findings {
            identities: 1,
            ..Findings::default()
        };
        let saved = self.store.saved_rehearsal(name).await?;
        let Some(before) = saved.map(|saved| saved.kept) else {
            findings.miss([&format!("the saved rehearsal `{name}` was removed")]);
            return Ok(findings.result(assertion));
        };
        let question = before.question.clone();
        let asked = async {
            let with = self.asked_with(&question, Some(at)).await?;
            self.answer(question.clone(), with, stop).await
        };
        let after = match asked.await {
            Ok(after) => after,
            // Whom it asks about is no more, or no policy is active: that passes nothing.
            Err(failure) if !stop.is_stopped() => {
                findings.miss([&format!("it cannot be asked again: {}", failure.message)]);
                return Ok(findings.result(assertion));
            }
            Err(failure) => return Err(failure),
        };
        match holds {
            SavedHolds::Verdict(expected) => {
                let against = |sure| Against {
                    sure,
                    identity: question.words(),
                    item: None,
                    found: after.verdict.word().to_owned(),
                };
                match expected.judged(after.verdict) {
                    Verdict::Pass => {}
                    Verdict::Fail => findings.note(against(true)),
                    Verdict::Indeterminate => {
                        findings.note(against(false));
                        findings.miss(&after.missing_facts);
                    }
                }
            }
            SavedHolds::NoWorse => {
                findings.miss(&after.missing_facts);
                worse(&before, &after, &mut findings);
            }
        }
        Ok(findings.result(assertion))
    }
}

fn worse(before: &KeptRehearsal, after: &KeptRehearsal, findings: &mut Findings) {
    for one in compare(before, after, &[]).differences {
        let sure = match (one.direction, &one.after) {
            (Direction::Worse, Some(item)) => item.basis != Basis::Assumed,
            (Direction::Worse | Direction::Unknown, _) => false,
            (Direction::Neither | Direction::Better, _) => continue,
        };
        findings.note(Against {
            sure,
            identity: after.question.words(),
            item: item(&one).map(KeptItem::words),
            found: match one.what {
                WhatOf::Changed | WhatOf::Added | WhatOf::NotReadBefore => {
                    let closes = item(&one).and_then(|item| item.closes_at);
                    let until = closes.map(|at| format!(", until {}", at.to_text()));
                    let (what, way) = (one.what.word(), one.direction.word());
                    format!("{what}, {way}{}", until.unwrap_or_default())
                }
                WhatOf::Gone | WhatOf::Unproved => one.what.word().to_owned(),
            },
        });
    }
}

fn item(one: &ItemDifference) -> Option<&KeptItem> {
    one.after.as_ref().or(one.before.as_ref())
}
