//! Values that an unknown key could have, one for each way in which conditions can tell values apart.

use super::Condition;
use super::operator::Family;
use super::values::{decimal, moment};
use crate::context::{Value, always_there};
use crate::pattern::Case;
use std::collections::BTreeSet;

/// A value that no policy names.
const OTHER: &str = "\u{1}other";

/// What a key is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    Text(Case),
    Number,
    Date,
    Bool,
}

/// One value for each class of values that these conditions tell apart, absence among them. None
/// where the classes are not all found this way: patterns within patterns, sets of values, variables.
pub(crate) fn candidates(key: &str, conditions: &[&Condition]) -> Option<Vec<Value>> {
    let mut kind = None;
    let mut texts = BTreeSet::new();
    for condition in conditions {
        if condition.key != key {
            // only a variable's: its value is put into a pattern
            return None;
        }
        if condition.operator.family == Family::Null {
            continue;
        }
        let here = match condition.operator.family {
            Family::Text { case, .. } => As::Text(case),
            Family::Number(_) => As::Number,
            Family::Date(_) => As::Date,
            Family::Bool => As::Bool,
            Family::Binary | Family::Address | Family::Arn | Family::Null => return None,
        };
        let several = condition.operator.several.is_some();
        if several || *kind.get_or_insert(here) != here {
            return None;
        }
        for value in &condition.values {
            match &value.pattern {
                None => texts.insert(value.text.clone()),
                Some(pattern) => match (pattern.literal(), pattern.beginning()) {
                    (Some(literal), _) => texts.insert(literal),
                    (None, Some(beginning)) => texts.insert(format!("{beginning}{OTHER}")),
                    (None, None) => return None,
                },
            };
        }
    }
    let mut values: Vec<Value> = match kind {
        None => vec![OTHER.to_owned()],
        Some(As::Text(_)) => {
            texts.insert(OTHER.to_owned());
            texts.into_iter().collect()
        }
        Some(As::Bool) => vec!["true".to_owned(), "false".to_owned()],
        Some(As::Number) => between(texts.iter().map(|text| decimal(text)), plain_number)?,
        Some(As::Date) => between(texts.iter().map(|text| moment(text)), plain_moment)?,
    }
    .into_iter()
    .map(Value::One)
    .collect();
    if !always_there(key) {
        values.push(Value::Absent);
    }
    Some(values)
}

/// The points, one between each two, one before and one after.
fn between(
    points: impl Iterator<Item = Option<i128>>,
    shown: impl Fn(i128) -> Option<String>,
) -> Option<Vec<String>> {
    const STEP: i128 = 1_000_000_000;
    let points: BTreeSet<i128> = points.collect::<Option<_>>()?;
    let mut all = BTreeSet::new();
    let mut before = None;
    for point in points {
        let middle = match before {
            None => point - STEP,
            Some(before) => before + (point - before) / 2,
        };
        all.insert(middle);
        all.insert(point);
        before = Some(point);
    }
    all.insert(before? + STEP);
    all.into_iter().map(shown).collect()
}

fn plain_number(billionths: i128) -> Option<String> {
    let sign = if billionths < 0 { "-" } else { "" };
    let size = billionths.abs();
    let (whole, part) = (size / 1_000_000_000, size % 1_000_000_000);
    Some(format!("{sign}{whole}.{part:09}"))
}

fn plain_moment(nanoseconds: i128) -> Option<String> {
    let time = chrono::DateTime::from_timestamp_nanos(i64::try_from(nanoseconds).ok()?);
    Some(time.to_rfc3339())
}
