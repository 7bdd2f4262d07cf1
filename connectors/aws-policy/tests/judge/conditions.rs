//! Conditions at random: operators, keys of their kind, values of which some fit.

use crate::dice::Dice;
use crate::make::{AWAY, HOME, chance, one_or_list, pick};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const TEXT: &[(&str, &[&str])] = &[
    (
        "aws:PrincipalTag/team",
        &["blue", "BLUE", "ann", "${aws:username}", "red${*}", "b*"],
    ),
    (
        "aws:ResourceTag/team",
        &[
            "blue",
            "${aws:PrincipalTag/team}",
            "${aws:PrincipalTag/team, 'blue'}",
            "ann",
        ],
    ),
    (
        "aws:RequestTag/team",
        &["blue", "Blue", "${aws:PrincipalTag/site, 'blue'}"],
    ),
    ("aws:PrincipalOrgID", &["o-home", "o-away"]),
    ("aws:principalorgid", &["o-home"]),
    ("aws:SourceVpce", &["vpce-1a2b", "vpce-*"]),
    ("aws:RequestedRegion", &["eu-west-1", "eu-*", "us-????-1"]),
    (
        "aws:UserAgent",
        &["aws-cli/2", "AWS-CLI/2", "a${?}b${*}c", "a?b*c", "a*c"],
    ),
    ("aws:Referer", &["home", "Home", "a${$}b", "h?me"]),
    (
        "aws:SourceAccount",
        &[HOME, "${aws:PrincipalAccount}", "1111*"],
    ),
    ("aws:username", &["ann", "bob", "a*"]),
    (
        "aws:PrincipalAccount",
        &[HOME, AWAY, "${aws:ResourceAccount}"],
    ),
    ("aws:PrincipalType", &["User", "AssumedRole", "user"]),
    ("aws:userid", &["AIDAEXAMPLE", "AROAEXAMPLE:*", "*:build"]),
    (
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::111122223333:user/ann",
            "arn:aws:iam::*:role/*",
        ],
    ),
];
const MANY: &[(&str, &[&str])] = &[
    ("aws:TagKeys", &["team", "cost", "TEAM", "x?", "t*"]),
    (
        "aws:CalledVia",
        &["athena.amazonaws.com", "a.amazonaws.com", "?.amazonaws.com"],
    ),
    (
        "aws:PrincipalOrgPaths",
        &["o-home/*", "o-home/r-1/ou-1/", "o-*/r-2/*"],
    ),
];
const TEXT_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];
const ORDERS: &[&str] = &[
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
];

fn condition(dice: &mut Dice) -> (String, String, Vec<String>) {
    let (operator, key, values) = match dice.below(20) {
        0..=6 => {
            let (key, values) = pick(dice, TEXT);
            (
                (*pick(dice, TEXT_OPERATORS)).to_owned(),
                *key,
                owned(values),
            )
        }
        7 | 8 => {
            let (key, values) = pick(dice, MANY);
            let operator = pick(dice, TEXT_OPERATORS);
            let set = pick(dice, &["ForAllValues", "ForAnyValue"]);
            (format!("{set}:{operator}"), *key, owned(values))
        }
        9 => (
            format!("Numeric{}", pick(dice, ORDERS)),
            "aws:MultiFactorAuthAge",
            owned(&["300", "3600", "3600.50", "7200"]),
        ),
        10 => (
            format!("Date{}", pick(dice, ORDERS)),
            "aws:CurrentTime",
            owned(&[
                "2026-01-01T00:00:00Z",
                "2026-06-01T12:00:00+00:00",
                "2026-03-01",
            ]),
        ),
        11 => {
            let values: &[&str] = if chance(dice, 20) {
                &["2026-01-01T00:00:00Z"]
            } else {
                &["1767225600", "1770000000", "1780315200"]
            };
            (
                format!("Date{}", pick(dice, ORDERS)),
                "aws:EpochTime",
                owned(values),
            )
        }
        12 | 13 => (
            "Bool".to_owned(),
            *pick(
                dice,
                &[
                    "aws:SecureTransport",
                    "aws:MultiFactorAuthPresent",
                    "aws:ViaAWSService",
                ],
            ),
            owned(&["true", "false", "True"]),
        ),
        14 => (
            "BinaryEquals".to_owned(),
            "aws:UserAgent",
            owned(&["QmluYXJ5", "QmluYXJ6"]),
        ),
        15 | 16 => (
            (*pick(dice, &["IpAddress", "NotIpAddress"])).to_owned(),
            "aws:SourceIp",
            owned(&[
                "203.0.113.0/24",
                "198.51.100.7",
                "2001:db8::/32",
                "2001:DB8:0::9",
                "10.0.0.0/8",
                "0.0.0.0/0",
            ]),
        ),
        17 | 18 => (
            (*pick(
                dice,
                &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
            ))
            .to_owned(),
            *pick(dice, &["aws:PrincipalArn", "aws:SourceArn"]),
            owned(&[
                "arn:aws:iam::111122223333:user/${aws:username}",
                "arn:aws:iam::*:role/*",
                "arn:aws:iam::111122223333:*",
                "arn:*:s3:::bucket/*",
                "arn:aws:sns:*:1111?2223333:topic",
                "arn:aws:lambda:*:*:function:*",
                "arn:aws:*:*:*:*live",
            ]),
        ),
        _ => (
            "Null".to_owned(),
            pick(dice, TEXT).0,
            owned(&["true", "false"]),
        ),
    };
    let if_exists = operator != "Null" && chance(dice, 20);
    let operator = if if_exists {
        format!("{operator}IfExists")
    } else {
        operator
    };
    let count = 1 + dice.below(2);
    let chosen = (0..count).map(|_| pick(dice, &values).clone()).collect();
    (operator, key.to_owned(), chosen)
}

pub fn conditions(dice: &mut Dice) -> Value {
    let mut all: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for _ in 0..=dice.below(2) {
        let (operator, key, values) = condition(dice);
        let values = one_or_list(dice, values.into_iter().map(Value::from).collect());
        all.entry(operator).or_default().insert(key, values);
    }
    json!(all)
}
