//! Cases at random, over every part of the language, near enough to each other to be decided often.

use crate::case::{Case, Who};
use crate::conditions::conditions;
use crate::dice::Dice;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub const HOME: &str = "111122223333";
pub const AWAY: &str = "444455556666";

pub fn pick<'a, T>(dice: &mut Dice, list: &'a [T]) -> &'a T {
    &list[usize::try_from(dice.below(list.len() as u64)).unwrap()]
}

pub fn chance(dice: &mut Dice, percent: u64) -> bool {
    dice.below(100) < percent
}

/// What is asked: action, the resource in its account, patterns that are near it.
struct Aim {
    action: &'static str,
    resource: String,
    account: &'static str,
}

fn aim(dice: &mut Dice) -> Aim {
    let account = if chance(dice, 35) { AWAY } else { HOME };
    let (action, resource) = match dice.below(10) {
        0..=2 => (
            "secretsmanager:GetSecretValue",
            format!("arn:aws:secretsmanager:eu-west-1:{account}:secret:db/prod-a1b2c3"),
        ),
        3 => ("s3:GetObject", "arn:aws:s3:::bucket/home/ann/file".into()),
        4 => (
            "kms:Decrypt",
            format!("arn:aws:kms:eu-west-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ),
        5 | 6 => (
            "sts:AssumeRole",
            format!("arn:aws:iam::{account}:role/target"),
        ),
        7 => (
            "sqs:SendMessage",
            format!("arn:aws:sqs:eu-west-1:{account}:home-ann"),
        ),
        8 => (
            "ssm:GetParameter",
            format!("arn:aws:ssm:eu-west-1:{account}:parameter/home/ann/key"),
        ),
        _ => ("secretsmanager:ListSecrets", "*".to_owned()),
    };
    let account = if resource == "*" { HOME } else { account };
    Aim {
        action,
        resource,
        account,
    }
}

fn who(dice: &mut Dice) -> Who {
    match dice.below(20) {
        0..=7 => Who::User(format!("arn:aws:iam::{HOME}:user/ann")),
        8 => Who::User(format!("arn:aws:iam::{HOME}:user/staff/ann")),
        9..=15 => Who::Session {
            role: format!("arn:aws:iam::{HOME}:role/deploy"),
            session: "build".into(),
        },
        16 | 17 => Who::Federated {
            session: format!("arn:aws:sts::{HOME}:federated-user/ann"),
            user: format!("arn:aws:iam::{HOME}:user/ann"),
        },
        18 if chance(dice, 50) => Who::Root(format!("arn:aws:iam::{HOME}:root")),
        18 => Who::Service("lambda.amazonaws.com".into()),
        _ => Who::Anonymous,
    }
}

fn context(dice: &mut Dice, who: &Who, aim: &Aim) -> BTreeMap<String, Value> {
    let mut context = BTreeMap::new();
    let mut maybe = |percent: u64, key: &str, values: &[Value], dice: &mut Dice| {
        if chance(dice, percent) {
            context.insert(key.to_owned(), pick(dice, values).clone());
        }
    };
    let times = ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z"].map(Value::from);
    maybe(100, "aws:CurrentTime", &times, dice);
    let epochs = ["1767225600", "1780315200"].map(Value::from);
    maybe(100, "aws:EpochTime", &epochs, dice);
    let switch = ["true", "false"].map(Value::from);
    maybe(80, "aws:SecureTransport", &switch, dice);
    maybe(60, "aws:MultiFactorAuthPresent", &switch, dice);
    maybe(50, "aws:ViaAWSService", &switch, dice);
    let ages = ["0", "300", "3600.5", "7200"].map(Value::from);
    maybe(50, "aws:MultiFactorAuthAge", &ages, dice);
    let addresses = ["203.0.113.9", "198.51.100.7", "2001:db8::9", "10.0.0.1"].map(Value::from);
    maybe(70, "aws:SourceIp", &addresses, dice);
    maybe(
        30,
        "aws:SourceVpce",
        &["vpce-1a2b", "vpce-9z"].map(Value::from),
        dice,
    );
    let arns = [
        format!("arn:aws:s3:::bucket/{HOME}"),
        format!("arn:aws:sns:eu-west-1:{HOME}:topic"),
        format!("arn:aws:lambda:eu-west-1:{AWAY}:function:go:live"),
    ]
    .map(Value::from);
    maybe(40, "aws:SourceArn", &arns, dice);
    maybe(
        40,
        "aws:SourceAccount",
        &[HOME, AWAY].map(Value::from),
        dice,
    );
    let agents = ["QmluYXJ5", "aws-cli/2", "Aws-Cli/2", "a?b*c"].map(Value::from);
    maybe(50, "aws:UserAgent", &agents, dice);
    maybe(
        30,
        "aws:Referer",
        &["home", "HOME", "a$b"].map(Value::from),
        dice,
    );
    maybe(
        60,
        "aws:RequestedRegion",
        &["eu-west-1", "us-east-1"].map(Value::from),
        dice,
    );
    let lists = [
        json!(["team"]),
        json!(["team", "cost"]),
        json!(["Team", "x1"]),
        json!([]),
    ];
    maybe(50, "aws:TagKeys", &lists, dice);
    let via = [
        json!(["athena.amazonaws.com"]),
        json!(["a.amazonaws.com", "b.amazonaws.com"]),
    ];
    maybe(30, "aws:CalledVia", &via, dice);
    let teams = ["blue", "Blue", "ann", "red*"].map(Value::from);
    if !aim.action.starts_with("s3:") {
        // the judge leaves tags out where a bucket does not go by them
        maybe(30, "aws:ResourceTag/team", &teams, dice);
    }
    maybe(30, "aws:RequestTag/team", &teams, dice);
    context.insert("aws:ResourceAccount".into(), aim.account.into());
    let (kind, arn) = match who {
        Who::Anonymous => {
            context.insert("aws:PrincipalType".into(), "Anonymous".into());
            return context;
        }
        Who::Service(_) => return context,
        Who::Root(arn) | Who::RootAsUser(arn) => ("Account", arn),
        Who::User(arn) => ("User", arn),
        Who::Session { role, .. } => ("AssumedRole", role),
        Who::Federated { session, .. } => ("FederatedUser", session),
    };
    context.insert("aws:PrincipalType".into(), kind.into());
    context.insert("aws:PrincipalArn".into(), arn.as_str().into());
    context.insert("aws:PrincipalAccount".into(), HOME.into());
    if matches!(who, Who::User(_)) {
        context.insert("aws:username".into(), "ann".into());
    }
    let mut maybe = |percent: u64, key: &str, values: &[Value], dice: &mut Dice| {
        if chance(dice, percent) {
            context.insert(key.to_owned(), pick(dice, values).clone());
        }
    };
    maybe(60, "aws:PrincipalTag/team", &teams, dice);
    maybe(
        30,
        "aws:PrincipalTag/site",
        &["", "ann"].map(Value::from),
        dice,
    );
    maybe(
        60,
        "aws:PrincipalOrgID",
        &["o-home", "o-away"].map(Value::from),
        dice,
    );
    let paths = [json!(["o-home/r-1/ou-1/"]), json!(["o-away/r-2/"])];
    maybe(50, "aws:PrincipalOrgPaths", &paths, dice);
    maybe(
        40,
        "aws:userid",
        &["AIDAEXAMPLE", "AROAEXAMPLE:build"].map(Value::from),
        dice,
    );
    context
}

pub fn one_or_list(dice: &mut Dice, mut values: Vec<Value>) -> Value {
    if values.len() == 1 && chance(dice, 70) {
        values.remove(0)
    } else {
        values.into()
    }
}

fn actions(dice: &mut Dice, action: &str) -> Value {
    let (service, name) = action.split_once(':').unwrap();
    let cut = &name[..3];
    let pool = [
        action.to_owned(),
        action.to_owned(),
        format!("{service}:*"),
        format!("{service}:{cut}*"),
        format!("{}:{}", service.to_uppercase(), name.to_lowercase()),
        format!("{service}:*{}", &name[name.len() - 4..]),
        format!("{service}:{cut}?{}", &name[4..]),
        format!("{service}:Put*"),
        "ec2:RunInstances".to_owned(),
    ];
    let count = 1 + dice.below(2);
    let list = (0..count).map(|_| Value::from(pick(dice, &pool).clone()));
    let list = list.collect();
    one_or_list(dice, list)
}

fn resources(dice: &mut Dice, aim: &Aim, for_guardrail: bool) -> Value {
    let resource = &aim.resource;
    if resource == "*" {
        let pool = [
            "*",
            "*",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x",
        ];
        return (*pick(dice, &pool)).into();
    }
    let (head, tail) = resource.split_at(resource.len() - 3);
    let person = resource.replace("ann", "${aws:username}");
    let site = resource.replace("ann", "${aws:PrincipalTag/site, 'ann'}");
    let missing = resource.replace("ann", "${aws:Referer}");
    let mut parts: Vec<&str> = resource.splitn(6, ':').collect();
    let other = resource.replace("eu-west-1", "us-east-1") + "x";
    let anywhere = {
        parts[3] = if parts[3].is_empty() { "" } else { "*" };
        parts[4] = if parts[4].is_empty() { "" } else { "*" };
        parts.join(":")
    };
    let mut pool = vec![
        "*".to_owned(),
        resource.clone(),
        resource.clone(),
        format!("{head}*"),
        format!("{head}???"),
        format!("{head}{}", tail.to_uppercase()),
        anywhere,
        person,
        site,
        missing,
        other,
        format!("arn:aws:{}:*", parts[2]),
        format!("{}*{}", &head[..head.len() - 2], tail),
    ];
    if for_guardrail {
        pool.retain(|one| one.matches(':').count() >= 5 || one == "*");
    }
    let count = 1 + dice.below(2);
    let list = (0..count)
        .map(|_| Value::from(pick(dice, &pool).clone()))
        .collect();
    one_or_list(dice, list)
}

fn principals(dice: &mut Dice, who: &Who, aim: &Aim) -> Value {
    let mut pool = vec![
        "*".to_owned(),
        HOME.to_owned(),
        format!("arn:aws:iam::{HOME}:root"),
        format!("arn:aws:iam::{HOME}:user/bob"),
        format!("arn:aws:iam::{AWAY}:root"),
    ];
    match who {
        Who::Root(arn) | Who::RootAsUser(arn) | Who::User(arn) => {
            pool.extend([arn.clone(), arn.clone()])
        }
        Who::Session { role, session } => pool.extend([
            role.clone(),
            role.clone(),
            format!("arn:aws:sts::{HOME}:assumed-role/deploy/{session}"),
            format!("arn:aws:sts::{HOME}:assumed-role/deploy/other"),
        ]),
        Who::Federated { session, user } => pool.extend([session.clone(), user.clone()]),
        Who::Service(_) | Who::Anonymous => {}
    }
    let _ = aim;
    if chance(dice, 15) {
        return "*".into();
    }
    let service = matches!(who, Who::Service(_));
    if chance(dice, if service { 60 } else { 10 }) {
        return json!({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]});
    }
    let count = 1 + dice.below(2);
    let list = (0..count)
        .map(|_| Value::from(pick(dice, &pool).clone()))
        .collect();
    json!({"AWS": one_or_list(dice, list)})
}

/// Which element of a document a statement is made for.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Identity,
    Guardrail,
    ResourceControl,
    Resource,
    Trust,
}

fn statement(dice: &mut Dice, who: &Who, aim: &Aim, kind: For) -> Value {
    let mut statement = Map::new();
    if chance(dice, 40) {
        statement.insert("Sid".into(), format!("S{}", dice.below(1000)).into());
    }
    let deny = kind == For::ResourceControl || chance(dice, 14);
    statement.insert("Effect".into(), if deny { "Deny" } else { "Allow" }.into());
    let everything = kind != For::ResourceControl && chance(dice, 20);
    let except = kind != For::ResourceControl && chance(dice, 8);
    let listed = if everything {
        "*".into()
    } else {
        actions(dice, aim.action)
    };
    let name = if except { "NotAction" } else { "Action" };
    statement.insert(name.into(), listed);
    if kind != For::Trust {
        let except = chance(dice, 10);
        let name = if except { "NotResource" } else { "Resource" };
        let short = matches!(kind, For::Guardrail | For::ResourceControl | For::Resource);
        let list = if chance(dice, 30) && !except {
            "*".into()
        } else {
            resources(dice, aim, short)
        };
        statement.insert(name.into(), list);
    }
    match kind {
        For::Identity | For::Guardrail => {}
        For::ResourceControl => {
            statement.insert("Principal".into(), "*".into());
        }
        For::Resource | For::Trust => {
            let except = kind == For::Resource && deny && chance(dice, 30);
            let name = if except { "NotPrincipal" } else { "Principal" };
            statement.insert(name.into(), principals(dice, who, aim));
        }
    }
    let often = if deny { 80 } else { 30 };
    if chance(dice, often) {
        statement.insert("Condition".into(), conditions(dice));
    }
    statement.into()
}

fn document(dice: &mut Dice, who: &Who, aim: &Aim, kind: For) -> Value {
    let count = 1 + dice.below(3);
    let mut list: Vec<Value> = (0..count)
        .map(|_| statement(dice, who, aim, kind))
        .collect();
    if kind == For::Guardrail && chance(dice, 75) {
        list.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    }
    if aim.action == "kms:Decrypt" && kind == For::Resource && chance(dice, 60) {
        list.push(json!({
            "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": {"AWS": format!("arn:aws:iam::{HOME}:root")},
        }));
    }
    let statements = one_or_list(dice, list);
    let mut document = Map::new();
    let new = kind == For::ResourceControl || chance(dice, 90);
    if new {
        document.insert("Version".into(), "2012-10-17".into());
    } else if chance(dice, 50) {
        document.insert("Version".into(), "2008-10-17".into());
    }
    document.insert("Statement".into(), statements);
    document.into()
}

/// A case.
pub fn case(dice: &mut Dice) -> Case {
    let aim = aim(dice);
    let who = who(dice);
    let context = context(dice, &who, &aim);
    let signed = !matches!(who, Who::Service(_) | Who::Anonymous);
    let in_session = matches!(who, Who::Session { .. } | Who::Federated { .. });
    let can_be_bound = signed && !matches!(who, Who::Root(_));
    let documents = |dice: &mut Dice, count: u64, kind: For| -> Vec<Value> {
        (0..count)
            .map(|_| document(dice, &who, &aim, kind))
            .collect()
    };
    let mut identity = Vec::new();
    let (mut boundary, mut session) = (None, None);
    let mut service_control = Vec::new();
    if signed {
        let count = 1 + dice.below(3);
        identity = documents(dice, count, For::Identity);
        if can_be_bound && chance(dice, 25) {
            boundary = documents(dice, 1, For::Identity).pop();
        }
        if in_session && chance(dice, 20) {
            session = documents(dice, 1, For::Identity).pop();
        }
        if chance(dice, 30) {
            for _ in 0..=dice.below(2) {
                let count = 1 + dice.below(2);
                service_control.push(documents(dice, count, For::Guardrail));
            }
        }
    }
    let mut resource_control = Vec::new();
    if chance(dice, 20) && !aim.action.starts_with("ssm") {
        for _ in 0..=dice.below(1) {
            resource_control.push(documents(dice, 1, For::ResourceControl));
        }
    }
    let trust = aim.action == "sts:AssumeRole";
    let always = trust || aim.action == "kms:Decrypt";
    let kind = if trust { For::Trust } else { For::Resource };
    let resource_policy = (always || !signed || chance(dice, 50))
        .then(|| documents(dice, 1, kind).pop())
        .flatten()
        .filter(|_| aim.resource != "*");
    let mut hidden = std::collections::BTreeSet::new();
    if chance(dice, 35) {
        for key in crate::case::KEYS {
            if chance(dice, 12) {
                hidden.insert((*key).to_owned());
            }
        }
    }
    Case {
        who,
        action: aim.action.to_owned(),
        resource: aim.resource,
        resource_account: aim.account.to_owned(),
        context,
        hidden,
        identity,
        boundary,
        session,
        service_control,
        resource_control,
        resource_policy,
    }
}
