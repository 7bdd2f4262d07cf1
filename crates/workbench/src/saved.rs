//! Saved rehearsals: kept under a name, shown, removed, and held against each other or against now.
//!
//! Saving plays the question anew, so that what is kept is of one state of the store and nothing else.

use crate::bench::Workbench;
use crate::event_text::event_from_text;
use crate::failure::Failure;
use crate::rehearsals::{check_plan, off_thread, require_vendor};
use crate::roles::RoleRequest;
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::assertions::missing_of_estate;
use lastkey_engine::lifecycle::saved::{
    AskedWith, Comparison, FactsState, Input, KeptItem, KeptRehearsal, NamedText, PutBack,
    Question, RoleQuestion, compare, events_items, everyone_items, leaver_items, role_items,
};
use lastkey_engine::lifecycle::{
    Leaver, Plan, RehearsalSettings, RoleChange, Verdict, rehearse_leaver,
};
use lastkey_engine::store::{PolicyStanding, SavedRehearsal};
use serde::Serialize;
use ts_rs::TS;

/// How long the name of a saved rehearsal may be.
const LONGEST_NAME: usize = 200;

/// What is saved, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveRequest {
    pub name: String,
    pub question: Question,
    /// When it happens; None: now.
    pub at: Option<DateTime<Utc>>,
    /// A plan that is not the active one: its name and text.
    pub plan: Option<(String, String)>,
}

/// A saved rehearsal in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SavedView {
    pub name: String,
    pub question: Question,
    /// The question for people.
    pub words: String,
    /// When it is played to happen.
    pub at: String,
    pub plan_name: Option<String>,
    pub plan_sha256: Option<String>,
    pub policy_name: Option<String>,
    pub policy_sha256: Option<String>,
    pub facts: FactsState,
    pub version: String,
    pub verdict: Verdict,
    pub missing_facts: Vec<String>,
    pub items: u64,
    pub saved_at: String,
    pub saved_by: String,
}

impl From<SavedRehearsal> for SavedView {
    fn from(saved: SavedRehearsal) -> Self {
        let SavedRehearsal {
            name,
            saved_at,
            saved_by,
            items,
            kept,
        } = saved;
        let KeptRehearsal {
            question,
            with: AskedWith { plan, policy, at },
            facts,
            reads: _,
            version,
            verdict,
            missing_facts,
            items: _,
        } = kept;
        let named = |text: Option<NamedText>| text.map(|text| (text.name, text.sha256)).unzip();
        let ((plan_name, plan_sha256), (policy_name, policy_sha256)) = (named(plan), named(policy));
        SavedView {
            name,
            words: question.words(),
            question,
            at: rfc3339(at),
            plan_name,
            plan_sha256,
            policy_name,
            policy_sha256,
            facts,
            version,
            verdict,
            missing_facts,
            items,
            saved_at,
            saved_by,
        }
    }
}

/// What came of playing a question.
struct Played {
    verdict: Verdict,
    missing_facts: Vec<String>,
    items: Vec<KeptItem>,
}

impl Workbench {
    /// Plays a question and keeps the answer under a name that none has.
    pub async fn save_rehearsal(
        &self,
        request: SaveRequest,
        stop: &Stop,
    ) -> Result<SavedView, Failure> {
        let name = request.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Failure::bad_input("a saved rehearsal needs a name")
                .hint(format!("of at most {LONGEST_NAME} letters")));
        }
        self.require_free(name).await?;
        let question = self.exactly(request.question).await?;
        let mut with = self.asked_with(&question, request.at).await?;
        if let Some((name, text)) = request.plan {
            with.plan = Some(NamedText::new(name, text));
        }
        let kept = self.answer(question, with, stop).await?;
        if !self.store.save_rehearsal(name, &kept, Utc::now()).await? {
            return Err(taken(name));
        }
        let saved = self.saved(name).await?;
        Ok(saved.into())
    }

    /// Refuses a name that a saved rehearsal has.
    pub async fn require_free(&self, name: &str) -> Result<(), Failure> {
        match self.store.saved_rehearsal(name.trim()).await? {
            Some(_) => Err(taken(name.trim())),
            None => Ok(()),
        }
    }

    /// All that are saved, the latest first.
    pub async fn saved_rehearsals(&self) -> Result<Vec<SavedView>, Failure> {
        let all = self.store.saved_rehearsals().await?;
        Ok(all.into_iter().map(SavedView::from).collect())
    }

    /// One of them with its items, sorted by what they are called.
    pub async fn saved_rehearsal(&self, name: &str) -> Result<(SavedView, Vec<KeptItem>), Failure> {
        let mut saved = self.saved(name).await?;
        let items = std::mem::take(&mut saved.kept.items);
        Ok((saved.into(), items))
    }

    /// Removes one; the log keeps that it was there.
    pub async fn remove_saved(&self, name: &str) -> Result<(), Failure> {
        match self.store.remove_rehearsal(name, Utc::now()).await? {
            true => Ok(()),
            false => Err(self.no_such(name).await?),
        }
    }

    /// What differs between two saved rehearsals of one question, or between one and the same
    /// question asked now, by the plan and policy of now.
    pub async fn compare_saved(
        &self,
        before: &str,
        after: Option<&str>,
        stop: &Stop,
    ) -> Result<Comparison, Failure> {
        let before = self.saved(before).await?;
        let after = match after {
            Some(name) => {
                let after = self.saved(name).await?;
                if after.kept.question != before.kept.question {
                    return Err(Failure::bad_input(format!(
                        "`{}` asks {}, and `{}` asks {}",
                        before.name,
                        before.kept.question.words(),
                        after.name,
                        after.kept.question.words()
                    ))
                    .hint("two answers to one question can be compared"));
                }
                after.kept
            }
            None => {
                let question = before.kept.question.clone();
                let with = self.asked_with(&question, None).await?;
                self.answer(question, with, stop).await?
            }
        };
        let put_back = self.put_back(&before.kept, &after, stop).await?;
        let before = before.kept;
        off_thread(move || compare(&before, &after, &put_back)).await
    }

    /// The later one, with what it was asked with put back: each setting alone, and all of them. Where
    /// only one thing differs it is the reason anyway, and of other facts than those of now nothing
    /// can be played.
    async fn put_back(
        &self,
        before: &KeptRehearsal,
        after: &KeptRehearsal,
        stop: &Stop,
    ) -> Result<Vec<PutBack>, Failure> {
        let changed = before.inputs_changed(after);
        if changed.len() < 2 || after.facts != self.facts_state().await? {
            return Ok(Vec::new());
        }
        let settings = [Input::Plan, Input::Policy, Input::Moment];
        let settings: Vec<Input> = changed
            .iter()
            .copied()
            .filter(|input| settings.contains(input))
            .collect();
        let mut tried: Vec<Vec<Input>> = settings.iter().map(|one| vec![*one]).collect();
        if settings.len() > 1 {
            tried.push(settings);
        }
        let mut all = Vec::new();
        for inputs in tried {
            let mut with = after.with.clone();
            for input in &inputs {
                match input {
                    Input::Plan => with.plan = before.with.plan.clone(),
                    Input::Policy => with.policy = before.with.policy.clone(),
                    Input::Moment => with.at = before.with.at,
                    Input::Facts | Input::Version => {}
                }
            }
            let at = with.at;
            let played = self.play(&after.question, &with, stop).await?;
            all.push(PutBack {
                inputs,
                at,
                items: played.items,
            });
        }
        Ok(all)
    }

    /// A question asked, of one state of the store.
    pub(crate) async fn answer(
        &self,
        question: Question,
        with: AskedWith,
        stop: &Stop,
    ) -> Result<KeptRehearsal, Failure> {
        let facts = self.facts_state().await?;
        let (_, graph) = self.graph().await?;
        let played = self.play(&question, &with, stop).await?;
        if facts != self.facts_state().await? {
            return Err(Failure::not_possible(
                "something was read or decided while the rehearsal was played; nothing was kept of it",
            )
            .hint("play it again"));
        }
        Ok(KeptRehearsal {
            question,
            with,
            facts,
            reads: graph.reads().to_vec(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            verdict: played.verdict,
            missing_facts: played.missing_facts,
            items: played.items,
        })
    }

    pub(crate) async fn facts_state(&self) -> Result<FactsState, Failure> {
        Ok(self.store.facts_state(self.looking_at()).await?)
    }

    /// What a question is asked with now.
    pub(crate) async fn asked_with(
        &self,
        question: &Question,
        at: Option<DateTime<Utc>>,
    ) -> Result<AskedWith, Failure> {
        let plan = self.store.plan().await?.map(|plan| NamedText {
            name: plan.name,
            sha256: plan.sha256,
            text: plan.text,
        });
        let policy = match question {
            Question::Joiner(of) | Question::Mover(of) => {
                let record = self.policy_of(standing(of)).await?;
                Some(NamedText {
                    name: record.name,
                    sha256: record.sha256,
                    text: record.text,
                })
            }
            Question::Leaver { .. }
            | Question::VendorExit { .. }
            | Question::Events { .. }
            | Question::Everyone => None,
        };
        Ok(AskedWith {
            plan,
            policy,
            at: at.unwrap_or_else(|| self.now()),
        })
    }

    async fn play(
        &self,
        question: &Question,
        with: &AskedWith,
        stop: &Stop,
    ) -> Result<Played, Failure> {
        let plan = match &with.plan {
            Some(plan) => check_plan(&plan.text)?,
            None => Plan::default(),
        };
        match question {
            Question::Leaver { identity } => {
                let leaver = Leaver::Identity(IdentityId::new(identity.as_str()));
                self.play_leaver(leaver, plan, with.at).await
            }
            Question::VendorExit { vendor } => {
                let leaver = Leaver::Vendor(IdentityId::new(vendor.as_str()));
                self.play_leaver(leaver, plan, with.at).await
            }
            Question::Joiner(of) | Question::Mover(of) => {
                let change = match question {
                    Question::Joiner(_) => RoleChange::Joiner,
                    _ => RoleChange::Mover,
                };
                // Whoever has come since is as their source says.
                let here = self.store.find_identity(&of.identity).await?;
                let request = RoleRequest {
                    identity: of.identity.clone(),
                    change,
                    like: of.like.clone().filter(|_| here.is_empty()),
                    set: of.set.clone(),
                    at: Some(with.at),
                    standing: standing(of),
                };
                let text = with.policy.as_ref().map(|policy| policy.text.as_str());
                let role = self
                    .rehearse_role_by(request, text.unwrap_or_default(), plan)
                    .await?;
                Ok(Played {
                    items: role_items(&role),
                    verdict: role.rehearsal.verdict,
                    missing_facts: role.rehearsal.missing_facts,
                })
            }
            Question::Events { events } => {
                let events: Result<Vec<_>, Failure> =
                    events.iter().map(|text| event_from_text(text)).collect();
                let played = self.rehearse_events_by(&events?, plan, with.at).await?;
                let missing = played.events.iter().flat_map(|event| {
                    let of_rehearsal = event.rehearsal.iter().flat_map(|one| &one.missing_facts);
                    event.missing_facts.iter().chain(of_rehearsal).cloned()
                });
                let mut missing: Vec<String> = missing.collect();
                missing.sort();
                missing.dedup();
                Ok(Played {
                    items: events_items(&played),
                    verdict: played.verdict,
                    missing_facts: missing,
                })
            }
            Question::Everyone => {
                let (graph, all) = self.everyone_by(plan, with.at, stop).await?;
                let nobody = all.departed.is_empty();
                let verdict = if all.count(Verdict::Fail) > 0 {
                    Verdict::Fail
                } else if nobody || all.count(Verdict::Indeterminate) > 0 {
                    Verdict::Indeterminate
                } else {
                    Verdict::Pass
                };
                let lasting = self.store.lasting_names().await?;
                let ids: Vec<IdentityId> = graph.identity_ids().collect();
                let ids = ids.iter().map(IdentityId::as_str);
                let ids = ids.map(|id| lasting.get(id).map_or(id, String::as_str));
                let asked = graph.clone();
                let at = with.at;
                let missing_facts = off_thread(move || {
                    let settings = RehearsalSettings::default();
                    match nobody {
                        true => vec!["no source lists anybody".to_owned()],
                        false => missing_of_estate(&asked, &Plan::default(), at, &settings),
                    }
                })
                .await?;
                Ok(Played {
                    items: everyone_items(ids.zip(&all.departed)),
                    verdict,
                    missing_facts,
                })
            }
        }
    }

    async fn play_leaver(
        &self,
        leaver: Leaver,
        plan: Plan,
        at: DateTime<Utc>,
    ) -> Result<Played, Failure> {
        let (_, graph) = self.graph().await?;
        let (Leaver::Identity(text) | Leaver::Vendor(text)) = &leaver;
        let (id, _) = self.leaver_and_name(&leaver, text.as_str(), &graph).await?;
        let leaver = match leaver {
            Leaver::Identity(_) => Leaver::Identity(id),
            Leaver::Vendor(_) => {
                require_vendor(&id, &graph)?;
                Leaver::Vendor(id)
            }
        };
        let settings = RehearsalSettings::as_of(self.now());
        let rehearsal =
            off_thread(move || rehearse_leaver(&graph, &plan, &leaver, at, &settings)).await?;
        Ok(Played {
            items: leaver_items(&rehearsal),
            verdict: rehearsal.verdict,
            missing_facts: rehearsal.missing_facts,
        })
    }

    /// The question with the lasting names of whom it is about, so that it is the same however it was
    /// typed.
    async fn exactly(&self, question: Question) -> Result<Question, Failure> {
        let (_, graph) = self.graph().await?;
        let whole = async |text: String| -> Result<String, Failure> {
            let leaver = Leaver::Identity(IdentityId::new(text.as_str()));
            let (id, _) = self.leaver_and_name(&leaver, &text, &graph).await?;
            let found = self.store.find_identity(id.as_str()).await?;
            Ok(match found.as_slice() {
                [one] => format!("{}:{}", one.source_name, one.id),
                _ => id.to_string(),
            })
        };
        let role = async |of: RoleQuestion| -> Result<RoleQuestion, Failure> {
            let (identity, like) = match of.like {
                Some(like) => (of.identity, Some(whole(like).await?)),
                None => (whole(of.identity).await?, None),
            };
            Ok(RoleQuestion {
                identity,
                like,
                ..of
            })
        };
        Ok(match question {
            Question::Leaver { identity } => Question::Leaver {
                identity: whole(identity).await?,
            },
            Question::VendorExit { vendor } => Question::VendorExit {
                vendor: whole(vendor).await?,
            },
            Question::Joiner(of) => Question::Joiner(role(of).await?),
            Question::Mover(of) => Question::Mover(role(of).await?),
            Question::Events { events } => Question::Events { events },
            Question::Everyone => Question::Everyone,
        })
    }

    pub(crate) async fn saved(&self, name: &str) -> Result<SavedRehearsal, Failure> {
        match self.store.saved_rehearsal(name.trim()).await? {
            Some(saved) => Ok(saved),
            None => Err(self.no_such(name).await?),
        }
    }

    async fn no_such(&self, name: &str) -> Result<Failure, Failure> {
        let all = self.store.saved_rehearsals().await?;
        let all: Vec<String> = all.into_iter().take(10).map(|one| one.name).collect();
        let failure = Failure::bad_input(format!("there is no saved rehearsal `{}`", name.trim()));
        Ok(match all.is_empty() {
            true => failure.hint("save one with `lastkey rehearse … --save NAME`"),
            false => failure.hint(format!("saved are: {}", all.join(", "))),
        })
    }
}

fn standing(of: &RoleQuestion) -> PolicyStanding {
    match of.policy.as_str() {
        "draft" => PolicyStanding::Draft,
        _ => PolicyStanding::Active,
    }
}

fn taken(name: &str) -> Failure {
    Failure::bad_input(format!("there is a saved rehearsal `{name}` already"))
        .hint("give another name, or remove that one: lastkey rehearsal remove NAME")
}
