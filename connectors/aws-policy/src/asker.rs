//! One question, asked of many: statements that cannot matter are left out once for each document.

use crate::answer::{Decision, Why};
use crate::complete;
use crate::condition::Doubt;
use crate::context::{Context, Known};
use crate::document::{Policy, Statement};
use crate::layers::Weighing;
use crate::principal::Identity;
use crate::question::{Document, Guardrails, Holder, Question};
use crate::truth::Truth;
use crate::weigh::{Heard, Scale};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// A question with what was found of each document.
pub struct Asker<'q> {
    pub(crate) question: &'q Question,
    found: RefCell<HashMap<usize, Found>>,
}

/// The statements of a document that may matter. The document is kept, so that its address is not
/// another's.
#[derive(Clone)]
pub(crate) struct Found {
    policy: Arc<Policy>,
    pub(crate) statements: Arc<[usize]>,
}

impl<'q> Asker<'q> {
    pub fn new(question: &'q Question) -> Asker<'q> {
        Asker {
            question,
            found: RefCell::default(),
        }
    }

    /// May this one do it?
    pub fn ask(&self, holder: &Holder) -> Decision {
        if self.question.is("sts", "GetCallerIdentity")
            && !matches!(holder.principal.identity, Identity::Anonymous)
        {
            return Decision::Allowed { by: Vec::new() };
        }
        let overlay = Context::new();
        let first = self.weigh(holder, &overlay).decide();
        let Decision::Undecided { reasons } = first else {
            return first;
        };
        complete::tried(self, holder, reasons)
    }

    /// The answer for each, in their order.
    pub fn who<'h>(
        &self,
        holders: impl IntoIterator<Item = &'h Holder>,
    ) -> Vec<(&'h Holder, Decision)> {
        holders
            .into_iter()
            .map(|holder| (holder, self.ask(holder)))
            .collect()
    }

    /// All statements that may matter for the holder.
    pub(crate) fn statements<'h>(&self, holder: &'h Holder) -> Vec<&'h Statement>
    where
        'q: 'h,
    {
        let target: &'h _ = &self.question.target;
        let levels = |guardrails: &'h Guardrails| match guardrails {
            Guardrails::Path(levels) => levels.as_slice(),
            Guardrails::None | Guardrails::Unread(_) => &[],
        };
        let documents = holder
            .identity
            .iter()
            .chain(&holder.boundary)
            .chain(holder.session.iter().flatten())
            .chain(
                levels(&holder.guardrails)
                    .iter()
                    .flat_map(|level| &level.documents),
            )
            .chain(
                levels(&target.guardrails)
                    .iter()
                    .flat_map(|level| &level.documents),
            )
            .chain(&target.policy);
        let mut all = Vec::new();
        for document in documents {
            if let Document::Read(policy) = document {
                let found = self.found(policy);
                let statements = found.statements.iter();
                all.extend(statements.filter_map(|index| policy.statements.get(*index)));
            }
        }
        all
    }

    pub(crate) fn found(&self, policy: &Arc<Policy>) -> Found {
        let address = Arc::as_ptr(policy) as usize;
        if let Some(found) = self.found.borrow().get(&address) {
            return found.clone();
        }
        let context = [&self.question.context];
        let statements = policy
            .statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| {
                self.about(statement, Known(&context), &mut Vec::new()) != Truth::No
            })
            .map(|(index, _)| index)
            .collect();
        let found = Found {
            policy: policy.clone(),
            statements,
        };
        debug_assert!(Arc::ptr_eq(&found.policy, policy));
        self.found.borrow_mut().insert(address, found.clone());
        found
    }

    /// Whether the statement is about the action and the resource.
    fn about(&self, statement: &Statement, known: Known<'_>, doubts: &mut Vec<Why>) -> Truth {
        let question = self.question;
        let actions = &statement.actions;
        let named = actions
            .items
            .iter()
            .any(|action| action.fits(&question.service, &question.name));
        if named == actions.except {
            return Truth::No;
        }
        let Some(resources) = &statement.resources else {
            return Truth::Yes;
        };
        let mut any = Truth::No;
        let mut open = Vec::new();
        for pattern in &resources.items {
            let fit = pattern.fits(&question.target.resource, known);
            let truth = if fit.no_value && resources.except {
                Truth::Unknown
            } else {
                fit.truth
            };
            if truth == Truth::Unknown {
                if fit.keys.is_empty() {
                    let text = &pattern.text;
                    open.push(Why::Unclear(format!("`{text}` beside this resource")));
                }
                open.extend(fit.keys.into_iter().map(Why::Key));
            }
            any = any.or(truth);
            if any == Truth::Yes {
                break;
            }
        }
        if any == Truth::Unknown {
            doubts.append(&mut open);
        }
        if resources.except { any.not() } else { any }
    }

    /// Whether the statement applies, but for its principal.
    pub(crate) fn applies(
        &self,
        statement: &Statement,
        known: Known<'_>,
        doubts: &mut Vec<Why>,
    ) -> Truth {
        let mut truth = self.about(statement, known, doubts);
        let mut open = Vec::new();
        for condition in &statement.conditions {
            if truth == Truth::No {
                break;
            }
            truth = truth.and(condition.holds(known, &mut open));
        }
        doubts.extend(open.into_iter().map(|doubt| match doubt {
            Doubt::Key(key) => Why::Key(key),
            Doubt::Unclear(what) => Why::Unclear(what),
        }));
        truth
    }

    pub(crate) fn weigh(&self, holder: &Holder, overlay: &Context) -> Scale {
        let layers = [overlay, &self.question.context, holder.principal.facts()];
        Weighing {
            asker: self,
            holder,
            known: Known(&layers),
            deny: Heard::plain(Truth::No),
        }
        .scale()
    }
}
