//! What holds of every answer, on random small cases in which all unknown keys can be enumerated.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_aws_policy::{
    Asker, Context, Decision, Document, Guardrails, Holder, Kind, Level, Policy, Principal,
    Question, Resource, Target, Value,
};
use proptest::prelude::*;
use std::sync::Arc;

const ANN: &str = "arn:aws:iam::111122223333:user/ann";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-a1b2c3";

/// A condition on one of few keys. All of their values that conditions can tell apart are `VALUES`.
const CONDITIONS: &[&str] = &[
    "",
    r#""Bool": {"aws:MultiFactorAuthPresent": "true"}"#,
    r#""BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}"#,
    r#""Null": {"aws:MultiFactorAuthPresent": "true"}"#,
    r#""StringEquals": {"aws:RequestedRegion": "eu-west-1"}"#,
    r#""StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}"#,
    r#""StringLike": {"aws:RequestedRegion": "eu-*"}"#,
    r#""StringNotLikeIfExists": {"aws:RequestedRegion": ["us-*", "eu-west-1"]}"#,
    r#""NumericLessThan": {"aws:MultiFactorAuthAge": "300"}"#,
    r#""NumericGreaterThanEqualsIfExists": {"aws:MultiFactorAuthAge": "3600"}"#,
    r#""StringEquals": {"aws:RequestedRegion": "us-east-1"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}"#,
];

const VALUES: &[(&str, &[Option<&str>])] = &[
    (
        "aws:MultiFactorAuthPresent",
        &[None, Some("true"), Some("false")],
    ),
    (
        "aws:RequestedRegion",
        &[
            None,
            Some("eu-west-1"),
            Some("eu-north-1"),
            Some("us-east-1"),
            Some("us-west-2"),
            Some("ap-south-1"),
        ],
    ),
    (
        "aws:MultiFactorAuthAge",
        &[None, Some("100"), Some("300"), Some("3600"), Some("9999")],
    ),
];

#[derive(Clone, Debug)]
struct Small {
    identity: Vec<Vec<String>>,
    boundary: Option<Vec<String>>,
    service_control: Option<Vec<String>>,
    resource: Option<Vec<String>>,
    /// Which of `VALUES` are not told; the others are the first value.
    hidden: [bool; 3],
}

fn statement(principals: bool) -> impl Strategy<Value = String> {
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let action = prop_oneof![
        4 => Just("secretsmanager:GetSecretValue"),
        1 => Just("*"),
        1 => Just("s3:GetObject"),
    ];
    let resource = prop_oneof![4 => Just("*"), 1 => Just(SECRET)];
    let who = prop_oneof![
        Just(r#"{"AWS": "arn:aws:iam::111122223333:user/ann"}"#),
        Just(r#"{"AWS": "111122223333"}"#),
        Just(r#""*""#),
        Just(r#"{"AWS": "arn:aws:iam::111122223333:user/bob"}"#),
    ];
    let condition = prop::sample::select(CONDITIONS);
    (effect, action, resource, who, condition).prop_map(move |(effect, action, resource, who, when)| {
        let who = if principals {
            format!(r#", "Principal": {who}"#)
        } else {
            String::new()
        };
        format!(
            r#"{{"Effect": "{effect}", "Action": "{action}", "Resource": "{resource}"{who}, "Condition": {{{when}}}}}"#
        )
    })
}

fn small() -> impl Strategy<Value = Small> {
    let list = |principals| prop::collection::vec(statement(principals), 1..4);
    (
        prop::collection::vec(list(false), 0..3),
        prop::option::weighted(0.3, list(false)),
        prop::option::weighted(0.3, list(false)),
        prop::option::weighted(0.4, list(true)),
        any::<[bool; 3]>(),
    )
        .prop_map(
            |(identity, boundary, service_control, resource, hidden)| Small {
                identity,
                boundary,
                service_control,
                resource,
                hidden,
            },
        )
}

fn document(kind: Kind, statements: &[String]) -> Document {
    let text = statements.join(",");
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{text}]}}"#);
    Document::Read(Arc::new(Policy::parse(kind, "d", &text).unwrap()))
}

impl Small {
    fn decide(&self, values: &[(&str, Value)]) -> Decision {
        let mut context = Context::new();
        for (key, value) in values {
            context = context.with(key, value.clone());
        }
        let mut holder = Holder::new(Principal::of(ANN).unwrap());
        holder.identity = self
            .identity
            .iter()
            .map(|list| document(Kind::Identity, list))
            .collect();
        holder.boundary = self
            .boundary
            .as_ref()
            .map(|list| document(Kind::Boundary, list));
        if let Some(list) = &self.service_control {
            holder.guardrails = Guardrails::Path(vec![Level {
                name: "root".into(),
                documents: vec![document(Kind::ServiceControl, list)],
            }]);
        }
        let policy = self.resource.as_ref();
        let target = Target {
            policy: policy.map(|list| document(Kind::Resource, list)),
            ..Target::new(Resource::parse(SECRET).unwrap())
        };
        let question = Question::new("secretsmanager:GetSecretValue", target, context).unwrap();
        Asker::new(&question).ask(&holder)
    }

    /// What is told where the hidden keys are left out.
    fn told(&self) -> Vec<(&'static str, Value)> {
        self.completions(false).remove(0)
    }

    /// Every completion, or the one of what is told.
    fn completions(&self, hidden_too: bool) -> Vec<Vec<(&'static str, Value)>> {
        let mut all: Vec<Vec<(&'static str, Value)>> = vec![Vec::new()];
        for ((key, values), hidden) in VALUES.iter().zip(self.hidden) {
            let value = |value: &Option<&str>| match value {
                Some(text) => Value::One((*text).to_owned()),
                None => Value::Absent,
            };
            let values: Vec<Value> = match (hidden, hidden_too) {
                (true, true) => values.iter().map(value).collect(),
                (true, false) => vec![Value::Unknown],
                (false, _) => vec![value(&values[1])],
            };
            all = all
                .iter()
                .flat_map(|list| {
                    values.iter().map(move |value| {
                        let mut longer = list.clone();
                        longer.push((*key, value.clone()));
                        longer
                    })
                })
                .collect();
        }
        all
    }

    fn lists_mut(&mut self) -> impl Iterator<Item = &mut Vec<String>> {
        self.identity
            .iter_mut()
            .chain(&mut self.boundary)
            .chain(&mut self.service_control)
            .chain(&mut self.resource)
    }
}

fn verdict(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed { .. } => "allowed",
        Decision::Denied(_) => "denied",
        Decision::Undecided { .. } => "undecided",
    }
}

/// Rules that AWS does not document are open whatever is told; they are the judge test's matter.
fn is_clear(decision: &Decision) -> bool {
    !decision.to_string().contains("does not document")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unknown_is_what_completions_disagree_on(small in small()) {
        let answer = small.decide(&small.told());
        let completed: Vec<Decision> = small
            .completions(true)
            .iter()
            .map(|values| small.decide(values))
            .collect();
        prop_assume!(completed.iter().all(is_clear));
        let first = verdict(&completed[0]);
        let agreed = completed.iter().all(|one| verdict(one) == first);
        let expected = if agreed { first } else { "undecided" };
        prop_assert_eq!(verdict(&answer), expected, "{}", answer);
        if let Decision::Undecided { reasons } = &answer {
            // what is named was not told
            for reason in reasons {
                let shown = reason.to_string();
                let named = VALUES.iter().zip(small.hidden).find(|((key, _), _)| shown.contains(key));
                prop_assert!(named.is_some_and(|(_, hidden)| hidden), "{}", shown);
            }
        }
    }

    #[test]
    fn one_more_denial_never_allows(small in small(), deny in statement(false), at in 0..4_usize) {
        let before = small.decide(&small.told());
        let mut more = small.clone();
        let deny = deny.replace("\"Allow\"", "\"Deny\"");
        match at {
            0 => more.identity.push(vec![deny]),
            1 => match &mut more.boundary {
                Some(list) => list.push(deny),
                None => return Ok(()),
            },
            2 => match &mut more.service_control {
                Some(list) => list.push(deny),
                None => return Ok(()),
            },
            _ => match &mut more.resource {
                Some(list) => list.push(deny.replacen('{', r#"{"Principal": "*", "#, 1)),
                None => return Ok(()),
            },
        }
        let after = more.decide(&more.told());
        prop_assert!(before.is_allowed() || !after.is_allowed(), "{} became {}", before, after);
        prop_assert!(!before.is_denied() || after.is_denied(), "{} became {}", before, after);
    }

    #[test]
    fn the_order_of_statements_does_not_matter(small in small()) {
        let before = small.decide(&small.told());
        let mut turned = small.clone();
        turned.lists_mut().for_each(|list| list.reverse());
        turned.identity.reverse();
        let after = turned.decide(&turned.told());
        prop_assert_eq!(verdict(&before), verdict(&after));
    }

    #[test]
    fn the_statements_named_decide_by_themselves(small in small()) {
        let answer = small.decide(&small.told());
        if let Decision::Denied(denial) = &answer && denial.is_explicit() && !small.hidden.contains(&true) {
            prop_assert!(!denial.by.is_empty());
            prop_assert!(denial.lacking.is_empty());
        }
        if let Decision::Allowed { by } = &answer {
            prop_assert!(!by.is_empty(), "an allowance without a ground");
        }
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in ".{0,200}") {
        for kind in [Kind::Identity, Kind::Resource, Kind::Trust, Kind::ResourceControl] {
            let _ = Policy::parse(kind, "d", &text);
            let within = serde_json::Value::from(text.clone());
            let document = format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*", "Resource": {within}, "Principal": {{"AWS": {within}}}, "Condition": {{"ArnLike": {{"a": {within}}}, "DateLessThan": {{"a": {within}}}, "IpAddress": {{"a": {within}}}}}}}}}"#
            );
            if let Ok(policy) = Policy::parse(kind, "d", &document) {
                let mut target = Target::new(Resource::parse(SECRET).unwrap());
                target.policy = Some(Document::Read(Arc::new(policy)));
                let context = Context::new().one("a", &text);
                let question = Question::new("secretsmanager:GetSecretValue", target, context).unwrap();
                let _ = Asker::new(&question).ask(&Holder::new(Principal::of(ANN).unwrap()));
            }
        }
    }
}
