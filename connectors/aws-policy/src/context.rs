//! What is known of a request: the values of condition keys. A key of which nothing is said is
//! unknown, which is not the same as absent.

use std::collections::BTreeMap;

/// The value of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The request does not carry the key, and that is known.
    Absent,
    One(String),
    /// A key of several values, such as `aws:TagKeys`.
    Many(Vec<String>),
    /// The key may or may not be there, with any value.
    Unknown,
}

/// Values of condition keys. Names of keys are compared without case.
#[derive(Clone, Debug, Default)]
pub struct Context {
    values: BTreeMap<String, Value>,
    /// Beginnings of keys of which all that there are have been given.
    complete: Vec<String>,
}

impl Context {
    pub fn new() -> Context {
        Context::default()
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Context {
        self.set(key, value);
        self
    }

    /// A key of one value.
    #[must_use]
    pub fn one(self, key: &str, value: &str) -> Context {
        self.with(key, Value::One(value.to_owned()))
    }

    /// A key of several values.
    #[must_use]
    pub fn many(self, key: &str, values: &[&str]) -> Context {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.with(key, Value::Many(values))
    }

    #[must_use]
    pub fn absent(self, key: &str) -> Context {
        self.with(key, Value::Absent)
    }

    /// What begins so and was not given is absent: `aws:PrincipalTag/` where all tags were read.
    #[must_use]
    pub fn complete(mut self, beginning: &str) -> Context {
        self.complete.push(beginning.to_lowercase());
        self
    }

    /// The principal calls itself; no service does it on its behalf, and none is its source.
    #[must_use]
    pub fn made_directly(self) -> Context {
        [
            "aws:CalledVia",
            "aws:CalledViaFirst",
            "aws:CalledViaLast",
            "aws:SourceAccount",
            "aws:SourceArn",
            "aws:SourceOrgID",
            "aws:SourceOrgPaths",
        ]
        .into_iter()
        .fold(self, Context::absent)
        .one("aws:ViaAWSService", "false")
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) {
        self.values.insert(key.to_lowercase(), value);
    }

    pub(crate) fn set_where_unknown(&mut self, key: &str, value: Value) {
        self.values.entry(key.to_lowercase()).or_insert(value);
    }

    fn get(&self, key: &str) -> Option<&Value> {
        const ABSENT: &Value = &Value::Absent;
        self.values.get(key).or_else(|| {
            let closed = self
                .complete
                .iter()
                .any(|beginning| key.starts_with(beginning));
            closed.then_some(ABSENT)
        })
    }
}

/// Contexts over each other; the first that says something of a key is heard.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a>(pub(crate) &'a [&'a Context]);

impl<'a> Known<'a> {
    /// The key in lower case.
    pub(crate) fn get(&self, key: &str) -> &'a Value {
        const UNKNOWN: &Value = &Value::Unknown;
        self.0
            .iter()
            .find_map(|context| context.get(key))
            .unwrap_or(UNKNOWN)
    }
}

/// Keys that each request carries, whoever makes it and by whichever way.
pub(crate) fn always_there(key: &str) -> bool {
    matches!(key, "aws:currenttime" | "aws:epochtime")
}
