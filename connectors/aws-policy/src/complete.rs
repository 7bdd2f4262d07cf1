//! Unknown keys given their values one after the other, since an answer may be the same for all:
//! allowed with a second factor by one statement, and without by another.

use crate::answer::{Decision, Denial, Reason, Why};
use crate::asker::Asker;
use crate::condition::{Condition, candidates};
use crate::context::{Context, Known, Value};
use crate::question::Holder;
use std::collections::BTreeMap;

/// Most combinations of values of unknown keys that are tried.
const COMBINATIONS: usize = 1024;

/// The unknown keys given each value that makes a difference: where all agree, that is the answer.
pub(crate) fn tried(asker: &Asker<'_>, holder: &Holder, reasons: Vec<Reason>) -> Decision {
    let statements = asker.statements(holder);
    let mut keys: BTreeMap<String, Vec<&Condition>> = BTreeMap::new();
    let overlay = Context::new();
    let layers = [&overlay, &asker.question.context, holder.principal.facts()];
    for statement in &statements {
        for condition in &statement.conditions {
            for key in condition.keys() {
                if *Known(&layers).get(key) == Value::Unknown {
                    keys.entry(key.to_owned()).or_default().push(condition);
                }
            }
        }
    }
    for statement in &statements {
        let patterns = statement.resources.iter().flat_map(|list| &list.items);
        for key in patterns.flat_map(|pattern| pattern.variables()) {
            // its value is put into a pattern: no list of values covers it
            keys.remove(key);
        }
    }
    let mut combinations: Vec<Vec<(String, Value)>> = vec![Vec::new()];
    for (key, conditions) in &keys {
        let Some(values) = candidates(key, conditions) else {
            continue;
        };
        if combinations.len() * values.len() > COMBINATIONS {
            continue;
        }
        combinations = combinations
            .iter()
            .flat_map(|combination| {
                values.iter().map(move |value| {
                    let mut longer = combination.clone();
                    longer.push((key.clone(), value.clone()));
                    longer
                })
            })
            .collect();
    }
    if combinations.len() < 2 {
        return Decision::Undecided { reasons };
    }
    let answers: Vec<Decision> = combinations
        .iter()
        .map(|combination| {
            let mut overlay = Context::new();
            for (key, value) in combination {
                overlay.set(key, value.clone());
            }
            asker.weigh(holder, &overlay).decide()
        })
        .collect();
    agreed(&answers).unwrap_or_else(|| Decision::Undecided {
        reasons: that_matter(reasons, &combinations, &answers),
    })
}

/// The one answer of all, where they are one.
fn agreed(answers: &[Decision]) -> Option<Decision> {
    let first = answers.first()?;
    match first {
        Decision::Allowed { .. } => {
            let mut all = Vec::new();
            for answer in answers {
                match answer {
                    Decision::Allowed { by } => all.extend(by.clone()),
                    Decision::Denied(_) | Decision::Undecided { .. } => return None,
                }
            }
            all.sort();
            all.dedup();
            Some(Decision::Allowed { by: all })
        }
        Decision::Denied(_) => {
            let mut all = Denial::default();
            for answer in answers {
                match answer {
                    Decision::Denied(denial) => {
                        all.by.extend(denial.by.clone());
                        all.lacking.extend(denial.lacking.clone());
                    }
                    Decision::Allowed { .. } | Decision::Undecided { .. } => return None,
                }
            }
            all.by.sort();
            all.by.dedup();
            all.lacking.sort();
            all.lacking.dedup();
            Some(Decision::Denied(all))
        }
        Decision::Undecided { .. } => None,
    }
}

/// The keys that make a difference among those that were given every value, and what left single
/// answers open.
fn that_matter(
    reasons: Vec<Reason>,
    combinations: &[Vec<(String, Value)>],
    answers: &[Decision],
) -> Vec<Reason> {
    let outcome = |answer: &Decision| (answer.is_allowed(), answer.is_denied());
    let tried = |key: &str| {
        let first = combinations.first();
        first.is_some_and(|combination| combination.iter().any(|(name, _)| name == key))
    };
    let differs = |key: &str| {
        let mut groups: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        combinations.iter().zip(answers).any(|(values, answer)| {
            let others: Vec<_> = values.iter().filter(|(name, _)| name != key).collect();
            let outcome = outcome(answer);
            *groups.entry(format!("{others:?}")).or_insert(outcome) != outcome
        })
    };
    let mut matter: BTreeMap<String, bool> = BTreeMap::new();
    let of_keys = reasons.iter().filter(|reason| match &reason.why {
        Why::Key(key) => {
            let key = key.to_lowercase();
            *matter
                .entry(key.clone())
                .or_insert_with(|| tried(&key) && differs(&key))
        }
        Why::Unclear(_) | Why::Unread { .. } | Why::NotGiven(_) => false,
    });
    let mut kept: Vec<Reason> = of_keys.cloned().collect();
    for answer in answers {
        match answer {
            Decision::Undecided { reasons } => kept.extend(reasons.clone()),
            Decision::Allowed { .. } | Decision::Denied(_) => {}
        }
    }
    kept.sort();
    kept.dedup();
    if kept.is_empty() { reasons } else { kept }
}
