//! Which layers must allow, and which may deny.

use super::*;

const OWN: &str = "Allow secretsmanager:* *";
const OTHER: &str = "Allow s3:* *";

#[test]
fn nothing_is_allowed_by_default() {
    Case::ann(READ, SECRET).gives("not allowed by any identity policy; resource policy");
    Case::ann(READ, SECRET)
        .identity(OTHER, "")
        .gives("not allowed by any identity policy; resource policy");
}

#[test]
fn within_an_account_one_policy_is_enough() {
    Case::ann(READ, SECRET)
        .identity(OWN, "")
        .gives("allowed by identity policy `own`, statement 1");
    Case::ann(READ, SECRET)
        .resource("Allow secretsmanager:GetSecretValue *", &to(ANN))
        .gives("allowed by resource policy `theirs`, statement 1");
    Case::ann(READ, SECRET)
        .resource("Allow secretsmanager:GetSecretValue *", &to("111122223333"))
        .denied();
    Case::ann(READ, SECRET)
        .resource(
            "Allow secretsmanager:GetSecretValue *",
            r#""Principal": "*""#,
        )
        .allowed();
}

#[test]
fn across_accounts_both_must_allow() {
    let theirs = "Allow secretsmanager:GetSecretValue *";
    Case::ann(READ, AWAY)
        .identity(OWN, "")
        .gives("not allowed by any resource policy");
    Case::ann(READ, AWAY)
        .resource(theirs, &to(ANN))
        .gives("not allowed by any identity policy");
    Case::ann(READ, AWAY)
        .identity(OWN, "")
        .resource(theirs, &to(ANN))
        .allowed();
    Case::ann(READ, AWAY)
        .identity(OWN, "")
        .resource(theirs, &to("arn:aws:iam::111122223333:root"))
        .allowed();
    Case::ann(READ, AWAY)
        .identity(OWN, "")
        .resource(theirs, &to("arn:aws:iam::444455556666:root"))
        .denied();
}

#[test]
fn an_explicit_denial_outweighs_all() {
    let deny = "Deny secretsmanager:Get* *";
    let granted = || Case::ann(READ, SECRET).identity(OWN, "");
    granted()
        .identity(deny, r#""Sid": "No""#)
        .gives("denied by identity policy `own`, statement 1 (`No`)");
    granted().resource(deny, &to(ANN)).denied();
    granted().resource(deny, r#""Principal": "*""#).denied();
    granted().resource(deny, &to("111122223333")).denied();
    granted().boundary(deny).denied();
    granted().service_control("root", deny).denied();
    granted().resource_control(deny, "").denied();
    Case::session(READ, SECRET)
        .identity(OWN, "")
        .session_policy(deny)
        .denied();
    Case::session(READ, SECRET)
        .resource(deny, &to(SESSION))
        .identity(OWN, "")
        .denied();
}

#[test]
fn a_boundary_limits_what_is_the_principals_own() {
    Case::ann(READ, SECRET)
        .identity(OWN, "")
        .boundary(OTHER)
        .gives("not allowed by any permissions boundary");
    Case::ann(READ, SECRET)
        .boundary(OWN)
        .gives("not allowed by any identity policy; resource policy");
    // "resource-based policies that grant permissions to an IAM user ARN are not limited by an
    // implicit deny in an identity-based policy or permissions boundary"
    let theirs = "Allow secretsmanager:GetSecretValue *";
    Case::ann(READ, SECRET)
        .boundary(OTHER)
        .resource(theirs, &to(ANN))
        .allowed();
    // "limited by an implicit deny in a permissions boundary or session policy"
    Case::session(READ, SECRET)
        .boundary(OTHER)
        .resource(theirs, &to(DEPLOY))
        .denied();
    Case::session(READ, SECRET)
        .session_policy(OTHER)
        .resource(theirs, &to(DEPLOY))
        .denied();
    Case::session(READ, SECRET)
        .resource(theirs, &to(DEPLOY))
        .allowed();
    // "not limited by an implicit deny in an identity-based policy, a permissions boundary, or
    // session policy"
    Case::session(READ, SECRET)
        .boundary(OTHER)
        .session_policy(OTHER)
        .resource(theirs, &to(SESSION))
        .allowed();
    // across accounts nothing escapes
    Case::ann(READ, AWAY)
        .identity(OWN, "")
        .boundary(OTHER)
        .resource(theirs, &to(ANN))
        .denied();
}

#[test]
fn a_federated_user_is_a_session_of_the_user() {
    let theirs = "Allow secretsmanager:GetSecretValue *";
    let federated = "arn:aws:sts::111122223333:federated-user/guest";
    let case = || {
        let principal = Principal::of(federated).unwrap().for_user(ANN);
        Case::of(principal, READ, SECRET).session_policy(OTHER)
    };
    case().resource(theirs, &to(federated)).allowed();
    case().resource(theirs, &to(ANN)).denied();
    let unlimited = Principal::of(federated).unwrap().for_user(ANN);
    Case::of(unlimited, READ, SECRET)
        .resource(theirs, &to(ANN))
        .allowed();
}

#[test]
fn a_boundary_and_a_denial_of_all_others() {
    // "NotPrincipal with a Deny effect will always deny any IAM principal that has a permissions
    // boundary policy attached, regardless of the values"
    let except =
        r#""NotPrincipal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:user/ann"]}"#;
    let case = || {
        Case::ann(READ, SECRET)
            .identity(OWN, "")
            .resource("Deny secretsmanager:* *", except)
    };
    case().allowed();
    case().boundary(OWN).denied();
}

#[test]
fn all_others_need_the_account_too() {
    let except = |list: &str| format!(r#""NotPrincipal": {{"AWS": [{list}]}}"#);
    let case = |list: &str| {
        Case::session(READ, SECRET)
            .identity(OWN, "")
            .resource("Deny secretsmanager:* *", &except(list))
    };
    case(r#""arn:aws:iam::111122223333:user/bob""#).denied();
    let decision = case(&format!(r#""{DEPLOY}""#)).decide();
    assert!(decision.is_undecided(), "{decision}");
    case(&format!(r#""{DEPLOY}", "{SESSION}", "111122223333""#)).allowed();
}

#[test]
fn every_level_of_the_organisation_must_allow() {
    let case = || Case::ann(READ, SECRET).identity(OWN, "");
    case()
        .service_control("root", "Allow * *")
        .service_control("ou-1", OWN)
        .allowed();
    case()
        .service_control("root", "Allow * *")
        .service_control("ou-1", OTHER)
        .gives("not allowed by any service control policy of `ou-1`");
    // they grant nothing
    Case::ann(READ, SECRET)
        .service_control("root", "Allow * *")
        .denied();
    // and do not bind AWS's own roles
    let linked = "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRole";
    Case::of(Principal::of(linked).unwrap(), READ, SECRET)
        .identity(OWN, "")
        .service_control("root", OTHER)
        .allowed();
}

#[test]
fn resource_control_policies_bind_everyone() {
    let outsiders = r#", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-home"}}"#;
    let case = |organisation: Option<&str>| {
        let ann = Principal::of(ANN).unwrap().organisation(organisation, None);
        Case::of(ann, READ, SECRET)
            .identity(OWN, "")
            .resource_control("Deny secretsmanager:* *", outsiders)
    };
    case(Some("o-home")).allowed();
    case(Some("o-away")).denied();
    case(None).denied();
    // AWS's list of services that they bind grows
    let decision = Case::ann(
        "ssm:GetParameter",
        "arn:aws:ssm:eu-west-1:111122223333:parameter/x",
    )
    .identity("Allow ssm:* *", "")
    .resource_control("Deny ssm:* *", "")
    .decide();
    assert!(decision.is_undecided(), "{decision}");
}

#[test]
fn a_key_trusts_only_whom_its_policy_names() {
    let decrypt = || Case::ann("kms:Decrypt", KEY).identity("Allow kms:* *", "");
    let root = to("arn:aws:iam::111122223333:root");
    decrypt().resource("Allow kms:* *", &root).allowed();
    decrypt()
        .resource("Allow kms:* *", &to("arn:aws:iam::111122223333:user/bob"))
        .gives("not allowed by any resource policy");
    Case::ann("kms:Decrypt", KEY)
        .resource("Allow kms:* *", &root)
        .gives("not allowed by any identity policy; resource policy");
    Case::ann("kms:Decrypt", KEY)
        .resource("Allow kms:Decrypt *", &to(ANN))
        .allowed();
    // an action on no key is judged as elsewhere
    Case::ann("kms:ListKeys", "*")
        .identity("Allow kms:* *", "")
        .allowed();
}

#[test]
fn a_role_is_assumed_by_whom_its_trust_policy_names() {
    let assume = "sts:AssumeRole";
    let own = "Allow sts:AssumeRole *";
    let trust = "Allow sts:AssumeRole -";
    Case::ann(assume, ROLE).resource(trust, &to(ANN)).allowed();
    Case::ann(assume, ROLE)
        .resource(trust, &to("111122223333"))
        .denied();
    Case::ann(assume, ROLE)
        .identity(own, "")
        .resource(trust, &to("111122223333"))
        .allowed();
    Case::ann(assume, ROLE)
        .identity(own, "")
        .resource(trust, &to("444455556666"))
        .denied();
    Case::ann(assume, AWAY_ROLE)
        .resource(trust, &to(ANN))
        .denied();
    Case::ann(assume, AWAY_ROLE)
        .identity(own, "")
        .resource(trust, &to(ANN))
        .allowed();
    let lambda = r#""Principal": {"Service": "lambda.amazonaws.com"}"#;
    Case::of(Principal::service("lambda.amazonaws.com"), assume, ROLE)
        .resource(trust, lambda)
        .allowed();
    Case::of(Principal::service("ec2.amazonaws.com"), assume, ROLE)
        .resource(trust, lambda)
        .denied();
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let audience = format!(
        r#""Principal": {{"Federated": "{provider}"}},
           "Condition": {{"StringEquals": {{"token.actions.githubusercontent.com:aud": "sts"}}}}"#
    );
    let web = "sts:AssumeRoleWithWebIdentity";
    let case = |aud: &str| {
        Case::of(Principal::provider(provider), web, ROLE)
            .resource("Allow sts:AssumeRoleWithWebIdentity -", &audience)
            .context(Context::new().one("token.actions.githubusercontent.com:aud", aud))
    };
    case("sts").allowed();
    case("other").denied();
}

#[test]
fn the_root_user_and_those_without_an_account() {
    let root = || Principal::of("arn:aws:iam::111122223333:root").unwrap();
    Case::of(root(), READ, SECRET).gives("allowed");
    Case::of(root(), READ, SECRET)
        .service_control("root", OTHER)
        .denied();
    Case::of(root(), READ, SECRET)
        .resource("Deny secretsmanager:* *", &to("111122223333"))
        .denied();
    Case::of(root(), READ, AWAY).denied();
    // a key need not trust even its account's root
    Case::of(root(), "kms:Decrypt", KEY)
        .resource("Allow kms:* *", &to(ANN))
        .denied();
    Case::of(root(), "kms:Decrypt", KEY)
        .resource("Allow kms:* *", &to("111122223333"))
        .allowed();
    let theirs = "Allow secretsmanager:GetSecretValue *";
    Case::of(Principal::anonymous(), READ, SECRET)
        .resource(theirs, r#""Principal": "*""#)
        .allowed();
    Case::of(Principal::anonymous(), READ, SECRET)
        .resource(theirs, &to("111122223333"))
        .denied();
    Case::ann("sts:GetCallerIdentity", "*")
        .identity("Deny * *", "")
        .gives("allowed");
}
