//! Conditions, one line each, through one check.

use super::*;
use lastkey_aws_policy::Value;

/// What a condition makes of a request that carries `team`, `age` and the like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holds {
    Yes,
    No,
    Open,
}

fn check(condition: &str, value: Value, expected: Holds) {
    let key = condition.split('"').nth(3).unwrap();
    let context = Context::new().with(key, value.clone());
    let rest = format!(r#""Condition": {{{condition}}}"#);
    let case = Case::ann(READ, SECRET)
        .identity("Allow * *", &rest)
        .context(context);
    let decision = case.decide();
    let holds = if decision.is_undecided() {
        Holds::Open
    } else if decision.is_allowed() {
        Holds::Yes
    } else {
        Holds::No
    };
    assert_eq!(holds, expected, "{condition} of {value:?}: {decision}");
}

fn one(text: &str) -> Value {
    Value::One(text.to_owned())
}

fn many(texts: &[&str]) -> Value {
    Value::Many(texts.iter().map(|text| (*text).to_owned()).collect())
}

use Holds::{No, Open, Yes};

#[test]
fn texts() {
    for (condition, value, expected) in [
        (r#""StringEquals": {"k": "a"}"#, "a", Yes),
        (r#""StringEquals": {"k": "a"}"#, "A", No),
        (r#""StringEquals": {"k": "a*"}"#, "ab", No),
        (r#""StringEquals": {"k": ["a", "b"]}"#, "b", Yes),
        (r#""StringNotEquals": {"k": ["a", "b"]}"#, "b", No),
        (r#""StringNotEquals": {"k": ["a", "b"]}"#, "c", Yes),
        (r#""StringEqualsIgnoreCase": {"k": "a"}"#, "A", Yes),
        (r#""StringNotEqualsIgnoreCase": {"k": "a"}"#, "A", No),
        (r#""StringLike": {"k": "a*c?"}"#, "abbcd", Yes),
        (r#""StringLike": {"k": "a*"}"#, "A", No),
        (r#""StringNotLike": {"k": "a*"}"#, "b", Yes),
        (r#""StringEquals": {"k": "${aws:username}"}"#, "ann", Yes),
        (r#""StringEquals": {"k": "a${*}"}"#, "a*", Yes),
        (r#""StringLike": {"k": "a${*}"}"#, "ab", No),
        (r#""StringEquals": {"K": "a"}"#, "a", Yes),
    ] {
        check(condition, one(value), expected);
    }
}

#[test]
fn numbers_times_and_the_rest() {
    for (condition, value, expected) in [
        (r#""NumericEquals": {"k": "1.0"}"#, "1", Yes),
        (r#""NumericLessThan": {"k": 10}"#, "9", Yes),
        (r#""NumericGreaterThanEquals": {"k": "10"}"#, "9.9", No),
        (r#""NumericNotEquals": {"k": ["1", "2"]}"#, "2", No),
        (r#""NumericEquals": {"k": "1"}"#, "one", Open),
        (
            r#""DateLessThan": {"k": "2026-01-01T00:00:00Z"}"#,
            "2025-12-31",
            Yes,
        ),
        (
            r#""DateEquals": {"k": "1767225600"}"#,
            "2026-01-01T00:00:00Z",
            Yes,
        ),
        (r#""Bool": {"k": "true"}"#, "True", Yes),
        (r#""Bool": {"k": true}"#, "false", No),
        (r#""BinaryEquals": {"k": "QmluYXJ5"}"#, "QmluYXJ5", Yes),
        (
            r#""IpAddress": {"k": "203.0.113.0/24"}"#,
            "203.0.113.7",
            Yes,
        ),
        (
            r#""NotIpAddress": {"k": "203.0.113.0/24"}"#,
            "203.0.113.7",
            No,
        ),
        (
            r#""NotIpAddress": {"k": "203.0.113.0/24"}"#,
            "2001:db8::1",
            Yes,
        ),
        (
            r#""ArnLike": {"k": "arn:aws:iam::*:role/x*"}"#,
            "arn:aws:iam::1:role/xy",
            Yes,
        ),
        (
            r#""ArnEquals": {"k": "arn:aws:iam::*:role/x*"}"#,
            "arn:aws:iam::1:role/xy",
            Yes,
        ),
        (
            r#""ArnNotLike": {"k": "arn:aws:iam::*:role/x*"}"#,
            "arn:aws:iam::1:role/y",
            Yes,
        ),
        // a wildcard stays within its segment, but for the last
        (
            r#""ArnLike": {"k": "arn:aws:*:*:role/x:y"}"#,
            "arn:aws:iam::1:role/x:y",
            No,
        ),
        (
            r#""ArnLike": {"k": "arn:aws:*:*:*:*y"}"#,
            "arn:aws:iam::1:role/x:y",
            Yes,
        ),
        (r#""ArnLike": {"k": "*"}"#, "arn:aws:iam::1:role/x", Open),
    ] {
        check(condition, one(value), expected);
    }
}

#[test]
fn what_is_absent() {
    for (condition, expected) in [
        (r#""StringEquals": {"k": "a"}"#, No),
        (r#""StringNotEquals": {"k": "a"}"#, Yes),
        (r#""StringEqualsIfExists": {"k": "a"}"#, Yes),
        (r#""StringNotEqualsIfExists": {"k": "a"}"#, Yes),
        (r#""Bool": {"k": "false"}"#, No),
        (r#""BoolIfExists": {"k": "false"}"#, Yes),
        (r#""NumericNotEquals": {"k": "1"}"#, Yes),
        (r#""NotIpAddress": {"k": "10.0.0.0/8"}"#, Yes),
        (r#""Null": {"k": "true"}"#, Yes),
        (r#""Null": {"k": "false"}"#, No),
        (r#""ForAllValues:StringEquals": {"k": "a"}"#, Yes),
        (r#""ForAnyValue:StringEquals": {"k": "a"}"#, No),
        (r#""ForAnyValue:StringNotEquals": {"k": "a"}"#, No),
        (r#""ForAnyValue:StringEqualsIfExists": {"k": "a"}"#, Open),
        (r#""ForAllValues:StringEqualsIfExists": {"k": "a"}"#, Yes),
    ] {
        check(condition, Value::Absent, expected);
    }
    check(r#""Null": {"k": "false"}"#, one("x"), Yes);
    check(r#""Null": {"k": "true"}"#, one("x"), No);
}

#[test]
fn several_values() {
    for (condition, values, expected) in [
        (
            r#""ForAllValues:StringEquals": {"k": ["a", "b"]}"#,
            &["a", "b"][..],
            Yes,
        ),
        (
            r#""ForAllValues:StringEquals": {"k": ["a", "b"]}"#,
            &["a", "c"],
            No,
        ),
        (
            r#""ForAnyValue:StringEquals": {"k": ["a", "b"]}"#,
            &["a", "c"],
            Yes,
        ),
        (
            r#""ForAnyValue:StringEquals": {"k": ["a", "b"]}"#,
            &["c"],
            No,
        ),
        (
            r#""ForAllValues:StringNotLike": {"k": "key1*"}"#,
            &["key1:hr", "key2"],
            No,
        ),
        (
            r#""ForAllValues:StringNotLike": {"k": "key1*"}"#,
            &["key2:audit"],
            Yes,
        ),
        (
            r#""ForAnyValue:StringNotLike": {"k": "key1*"}"#,
            &["key1:hr", "key2"],
            Yes,
        ),
        (r#""ForAllValues:StringEquals": {"k": "a"}"#, &[], Yes),
        (r#""ForAnyValue:StringEquals": {"k": "a"}"#, &[], No),
        (r#""StringEquals": {"k": "a"}"#, &["a", "b"], Open),
    ] {
        check(condition, many(values), expected);
    }
    check(r#""ForAllValues:StringEquals": {"k": "a"}"#, one("a"), Yes);
    check(r#""ForAnyValue:StringEquals": {"k": "a"}"#, one("b"), No);
}

#[test]
fn what_is_not_known() {
    for condition in [
        r#""StringEquals": {"k": "a"}"#,
        r#""StringNotEquals": {"k": "a"}"#,
        r#""StringEqualsIfExists": {"k": "a"}"#,
        r#""Null": {"k": "true"}"#,
        r#""ForAllValues:StringEquals": {"k": "a"}"#,
        r#""ForAnyValue:StringEquals": {"k": "a"}"#,
    ] {
        check(condition, Value::Unknown, Open);
    }
    // each request carries these
    check(r#""Null": {"aws:CurrentTime": "true"}"#, Value::Unknown, No);
}

#[test]
fn all_conditions_must_hold() {
    let rest = r#""Condition": {"StringEquals": {"a": "1", "b": "1"}, "Bool": {"c": "true"}}"#;
    let case = |a: &str, b: &str, c: &str| {
        let context = Context::new().one("a", a).one("b", b).one("c", c);
        Case::ann(READ, SECRET)
            .identity("Allow * *", rest)
            .context(context)
    };
    case("1", "1", "true").allowed();
    case("2", "1", "true").denied();
    case("1", "2", "true").denied();
    case("1", "1", "false").denied();
}

#[test]
fn variables_of_the_principal() {
    let ann = || Principal::of(ANN).unwrap();
    let tags = [("team".to_owned(), "db".to_owned())].into();
    let own = "Allow secretsmanager:GetSecretValue arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}-*";
    Case::of(ann().tags(&tags), READ, SECRET)
        .identity(own, "")
        .allowed();
    Case::of(ann().tags(&Default::default()), READ, SECRET)
        .identity(own, "")
        .denied();
    // its tags were not read
    Case::of(ann(), READ, SECRET).identity(own, "").gives(
        "undecided: the value of `aws:PrincipalTag/team` is not known (identity policy `own`, statement 1)",
    );
    let with_default = "Allow * arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team,'db'}-*";
    Case::of(ann().tags(&Default::default()), READ, SECRET)
        .identity(with_default, "")
        .allowed();
}
