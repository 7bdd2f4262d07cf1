//! Conditions of a statement: an operator, a key and values, held against what is known of a request.

mod candidates;
mod operator;
mod values;

pub(crate) use candidates::candidates;
use operator::{Family, Operator, Several};
use values::Literal;

use crate::context::{Known, Value, always_there};
use crate::pattern::{Fit, Pattern, Version, Wildcards};
use crate::truth::Truth;

/// Why a condition cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// The value of this key is not known; in the letters of the policy.
    Key(String),
    /// AWS's documentation does not say what this gives.
    Unclear(String),
}

#[derive(Debug)]
pub(crate) struct Condition {
    operator: Operator,
    /// As the policy writes it.
    written: String,
    key: String,
    values: Vec<Literal>,
}

impl Condition {
    pub(crate) fn parse(
        operator: &str,
        key: &str,
        values: Vec<String>,
        version: Version,
    ) -> Result<Condition, String> {
        let operator = Operator::parse(operator)?;
        let values = values
            .into_iter()
            .map(|text| Literal::parse(operator.family, text, version))
            .collect::<Result<_, _>>()?;
        Ok(Condition {
            operator,
            written: key.to_owned(),
            key: key.to_lowercase(),
            values,
        })
    }

    /// The keys that it depends on: its own and those of its variables, in lower case.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables = self
            .values
            .iter()
            .filter_map(|value| value.pattern.as_ref());
        std::iter::once(self.key.as_str()).chain(variables.flat_map(Pattern::variables))
    }

    /// Whether it holds; what leaves it open is added to `doubts`.
    pub(crate) fn holds(&self, known: Known<'_>, doubts: &mut Vec<Doubt>) -> Truth {
        let value = known.get(&self.key);
        if self.values.is_empty() {
            return self.unclear("has no value to compare with", doubts);
        }
        if self.operator.family == Family::Null {
            return self.presence(value, doubts);
        }
        if *value == Value::Unknown {
            doubts.push(Doubt::Key(self.written.clone()));
            return Truth::Unknown;
        }
        let missing = *value == Value::Absent;
        match self.operator.several {
            Some(Several::All) if missing => Truth::Yes,
            Some(Several::Any) if missing && self.operator.if_exists => {
                self.unclear("is absent", doubts)
            }
            Some(Several::Any) if missing => Truth::No,
            None if missing => Truth::from(self.operator.if_exists || self.operator.negated),
            several => {
                let texts: &[String] = match value {
                    Value::One(text) => std::slice::from_ref(text),
                    Value::Many(texts) => texts,
                    Value::Absent | Value::Unknown => &[],
                };
                let each = texts.iter().map(|text| self.compare(text, known, doubts));
                match several {
                    Some(Several::All) => each.fold(Truth::Yes, Truth::and),
                    Some(Several::Any) => each.fold(Truth::No, Truth::or),
                    None if matches!(value, Value::Many(_)) => {
                        self.unclear("has several values and no set operator", doubts)
                    }
                    None => each.fold(Truth::Yes, Truth::and),
                }
            }
        }
    }

    fn presence(&self, value: &Value, doubts: &mut Vec<Doubt>) -> Truth {
        let there = match value {
            Value::Unknown if always_there(&self.key) => Truth::Yes,
            Value::Unknown => {
                doubts.push(Doubt::Key(self.written.clone()));
                Truth::Unknown
            }
            Value::Absent => Truth::No,
            Value::Many(texts) if texts.is_empty() => Truth::No,
            Value::One(_) | Value::Many(_) => Truth::Yes,
        };
        let mut holds = Truth::No;
        for value in &self.values {
            holds = holds.or(match value.text.to_ascii_lowercase().as_str() {
                "true" => there.not(),
                "false" => there,
                _ => self.unclear("is neither true nor false", doubts),
            });
        }
        holds
    }

    /// One value of the request against all of the policy.
    fn compare(&self, text: &str, known: Known<'_>, doubts: &mut Vec<Doubt>) -> Truth {
        let mut any = Truth::No;
        for value in &self.values {
            any = any.or(self.fits(text, value, known, doubts));
            if any == Truth::Yes {
                break;
            }
        }
        if self.operator.negated {
            any.not()
        } else {
            any
        }
    }

    fn fits(
        &self,
        text: &str,
        value: &Literal,
        known: Known<'_>,
        doubts: &mut Vec<Doubt>,
    ) -> Truth {
        let comparison = match (self.operator.family, &value.pattern) {
            (Family::Text { case, .. }, Some(pattern)) => {
                return self.told(pattern.fits(text, known, case), doubts);
            }
            (Family::Arn, Some(pattern)) => {
                return match values::arn(text, pattern, known) {
                    Some(fit) => self.told(fit, doubts),
                    None => self.not_its_kind("is no ARN", doubts),
                };
            }
            (Family::Number(order), _) => values::number(text, &value.text, order),
            (Family::Date(order), _) => values::date(text, &value.text, order),
            (Family::Bool, _) => values::boolean(text, &value.text),
            (Family::Binary, _) => values::binary(text, &value.text),
            (Family::Address, _) => values::address(text, &value.text),
            (Family::Text { .. } | Family::Arn | Family::Null, _) => None,
        };
        match comparison {
            Some(holds) => Truth::from(holds),
            None => self.not_its_kind("cannot be compared", doubts),
        }
    }

    fn told(&self, fit: Fit, doubts: &mut Vec<Doubt>) -> Truth {
        match fit {
            Fit::Yes => Truth::Yes,
            Fit::No => Truth::No,
            Fit::NoValue(_) if !self.operator.negated => Truth::No,
            Fit::NoValue(key) => {
                let what = format!("is compared with `${{{key}}}`, which has no value,");
                self.unclear(&what, doubts)
            }
            Fit::Unknown(keys) => {
                doubts.extend(keys.into_iter().map(Doubt::Key));
                Truth::Unknown
            }
        }
    }

    /// A value that is not of the operator's kind matches nothing; what becomes of the opposite is
    /// not documented.
    fn not_its_kind(&self, what: &str, doubts: &mut Vec<Doubt>) -> Truth {
        self.unclear(what, doubts)
    }

    fn unclear(&self, what: &str, doubts: &mut Vec<Doubt>) -> Truth {
        doubts.push(Doubt::Unclear(format!(
            "`{}` {what} in `{}`",
            self.written, self.operator.written
        )));
        Truth::Unknown
    }
}

/// How a pattern reads its text, by the operator.
fn pattern_of(family: Family, text: &str, version: Version) -> Result<Option<Pattern>, String> {
    let wildcards = match family {
        Family::Text { wildcards, .. } => wildcards,
        Family::Arn => Wildcards::Read,
        Family::Number(_)
        | Family::Date(_)
        | Family::Bool
        | Family::Binary
        | Family::Address
        | Family::Null => return Ok(None),
    };
    Pattern::parse(text, version, wildcards).map(Some)
}
