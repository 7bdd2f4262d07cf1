//! The check: who are we, and which rights are missing or too many, by our own policies.

use crate::estate::Estate;
use crate::judge::WAYS_UP;
use crate::needs::needs;
use lastkey_aws_policy::Decision;
use lastkey_contract::{CheckReport, ConnectorError, Right};

/// Rights that reading does not need, and what each allows.
const EXCESS: &[(&str, &str)] = &[
    ("secretsmanager:GetSecretValue", "reading values of secrets"),
    ("ssm:GetParameter", "reading values of parameters"),
    ("secretsmanager:PutSecretValue", "changing secrets"),
    ("kms:Decrypt", "decrypting with keys"),
    ("iam:PassRole", "giving roles to services"),
    ("iam:DeleteUser", "removing users"),
    ("sso:CreateAccountAssignment", "giving permission sets"),
    (
        "organizations:AttachPolicy",
        "changing policies of the organisation",
    ),
    ("s3:GetObject", "reading data in S3"),
    ("ec2:RunInstances", "starting machines"),
    ("lambda:InvokeFunction", "running functions"),
];

/// Looks, changes nothing.
pub async fn look(estate: &mut Estate) -> Result<CheckReport, ConnectorError> {
    let myself = estate.sign_in().await?;
    let mut report = CheckReport {
        signed_in_as: Some(myself.arn.clone()),
        server: Some(format!("AWS account {}", myself.account)),
        rights_known: true,
        ..CheckReport::default()
    };
    estate.list().await?;
    let known = estate.known()?;
    for action in known.lacks.refusals() {
        if let Some(need) = crate::needs::of_action(action) {
            missing(&mut report, need.action, need.why);
        }
    }
    let own = own_arn(&myself.arn, known.iam);
    let may = |action: &str| {
        known
            .judge
            .may(own.as_deref().unwrap_or(&myself.arn), action)
    };
    for need in needs(Some(&estate.api.cloud)) {
        match may(need.action) {
            Some(Decision::Denied(_)) => missing(&mut report, need.action, need.why),
            Some(Decision::Allowed { .. } | Decision::Undecided { .. }) => {}
            None => report.rights_known = false,
        }
    }
    let ways = WAYS_UP
        .iter()
        .map(|(action, _)| (*action, "giving itself or others more rights"));
    for (action, what) in EXCESS.iter().copied().chain(ways) {
        if may(action).is_some_and(|decision| decision.is_allowed()) {
            report.excess_rights.push(Right {
                name: action.to_owned(),
                why: format!("it allows {what}, which reading does not need"),
            });
        }
    }
    if !report.rights_known {
        report.remarks.push(
            "this login's own policies were not read, so neither list of rights is complete"
                .to_owned(),
        );
    }
    if myself.arn.ends_with(":root") {
        report
            .warnings
            .push("this is the root user: make a user or a role of its own for reading".to_owned());
    }
    if let Some(why) = &known.judge.unless {
        report.remarks.push(format!(
            "policies of an organisation (SCP, RCP) are not weighed: {why}"
        ));
    }
    if known.over.manages {
        report.remarks.push(
            "this account manages the organisation: policies of the organisation do not bind it"
                .to_owned(),
        );
    }
    Ok(report)
}

fn missing(report: &mut CheckReport, action: &str, why: &str) {
    if report
        .missing_rights
        .iter()
        .all(|right| right.name != action)
    {
        report.missing_rights.push(Right {
            name: action.to_owned(),
            why: format!("without it is not seen: {why}"),
        });
    }
}

/// The user or role that a session is of.
fn own_arn(arn: &str, iam: &crate::iam::Iam) -> Option<String> {
    let Some((_, session)) = arn.split_once(":assumed-role/") else {
        return Some(arn.to_owned());
    };
    let name = session.split('/').next()?;
    iam.roles
        .iter()
        .find(|role| role.name == name)
        .map(|role| role.arn.clone())
}
