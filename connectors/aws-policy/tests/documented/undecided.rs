//! What is left open, and what is decided although something is not known.

use super::*;
use lastkey_aws_policy::Grant;

const SECOND_FACTOR: &str = r#""Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;
const NO_SECOND_FACTOR: &str =
    r#""Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#;

#[test]
fn a_key_that_is_not_known_leaves_it_open() {
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .gives(
            "undecided: the value of `aws:MultiFactorAuthPresent` is not known (identity policy `own`, statement 1)",
        );
    Case::ann(READ, SECRET)
        .identity("Allow * *", "")
        .identity("Deny * *", NO_SECOND_FACTOR)
        .gives(
            "undecided: the value of `aws:MultiFactorAuthPresent` is not known (identity policy `own`, statement 1)",
        );
    // of a service that is not known here
    Case::ann("newservice:Do", "arn:aws:newservice:eu-west-1:111122223333:thing/1")
        .identity("Allow * *", r#""Condition": {"StringEquals": {"newservice:Kind": "x"}}"#)
        .gives(
            "undecided: the value of `newservice:Kind` is not known (identity policy `own`, statement 1)",
        );
}

#[test]
fn what_is_the_same_either_way_is_decided() {
    // nothing allows, whatever the address
    Case::ann(READ, SECRET)
        .identity("Deny * *", SECOND_FACTOR)
        .denied();
    // another statement allows anyway
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .identity("Allow * *", "")
        .allowed();
    // denied anyway
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .identity("Deny * *", "")
        .denied();
    // allowed with and without
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .identity("Allow * *", NO_SECOND_FACTOR)
        .allowed();
    // allowed only with, and denied with
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .identity("Deny * *", SECOND_FACTOR)
        .denied();
    let regions = |operator: &str| {
        format!(r#""Condition": {{"{operator}": {{"aws:RequestedRegion": "eu-*"}}}}"#)
    };
    Case::ann(READ, SECRET)
        .identity("Allow * *", &regions("StringLike"))
        .identity("Allow * *", &regions("StringNotLike"))
        .allowed();
}

#[test]
fn a_key_that_is_also_a_variable_may_have_any_value() {
    let named = "Allow * arn:aws:secretsmanager:*:*:secret:${aws:Referer}";
    let from_home = r#""Condition": {"StringEquals": {"aws:Referer": "home"}}"#;
    Case::ann(READ, SECRET)
        .identity(named, "")
        .identity("Allow * *", from_home)
        .gives(
            "undecided: the value of `aws:Referer` is not known (identity policy `own`, statement 1)",
        );
    let as_home = r#""Condition": {"StringEquals": {"aws:Referer": "other"}}"#;
    let decision = Case::ann(READ, SECRET)
        .identity(named, "")
        .identity("Deny * *", from_home)
        .identity("Deny * *", as_home)
        .decide();
    assert!(decision.is_undecided(), "{decision}");
}

#[test]
fn a_reason_that_does_not_matter_is_not_named() {
    // the boundary does not allow; the second factor is no reason
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .boundary("Allow s3:* *")
        .denied();
    let region = r#""Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}"#;
    Case::ann(READ, SECRET)
        .identity("Allow * *", SECOND_FACTOR)
        .identity("Allow * *", NO_SECOND_FACTOR)
        .identity("Deny * *", region)
        .gives(
            "undecided: the value of `aws:RequestedRegion` is not known (identity policy `own`, statement 1)",
        );
}

#[test]
fn a_document_that_could_not_be_read_leaves_it_open() {
    let unread = Document::Unread {
        document: "group ops: inline".into(),
        why: "access denied".into(),
    };
    let mut case = Case::ann(READ, SECRET).identity("Allow * *", "");
    case.holder.identity.push(unread.clone());
    case.gives("undecided: `group ops: inline` could not be read: access denied");
    let mut case = Case::ann(READ, SECRET);
    case.holder.identity.push(unread.clone());
    case.gives("undecided: `group ops: inline` could not be read: access denied");
    // it could only deny more
    let mut case = Case::ann(READ, SECRET).identity("Deny * *", "");
    case.holder.identity.push(unread.clone());
    case.denied();
    let mut case = Case::ann(READ, AWAY).identity("Allow * *", "");
    case.target.policy = Some(unread.clone());
    assert!(case.decide().is_undecided());
    let mut case = Case::ann(READ, SECRET).identity("Allow * *", "");
    case.holder.guardrails = Guardrails::Unread("access denied".into());
    case.gives("undecided: `service control policies` could not be read: access denied");
    let broken = Policy::parse(
        Kind::Identity,
        "broken",
        r#"{"Statement": {"Effect": "allow"}}"#,
    );
    let mut case = Case::ann(READ, SECRET);
    case.holder.identity.push(broken.into());
    case.gives(
        "undecided: `broken` could not be read: `allow` is no effect, at Statement[0].Effect",
    );
}

#[test]
fn what_was_not_given_leaves_it_open() {
    Case::ann("kms:Decrypt", KEY)
        .identity("Allow kms:* *", "")
        .gives("undecided: a key or a role always has a policy of its own, and it was not given");
    let mut case = Case::ann("kms:Decrypt", KEY).resource("Allow kms:* *", &to("444455556666"));
    case.target.grants = Grants::Unread;
    case.gives("undecided: the grants of the key were not read");
    let mut case = Case::ann("kms:Decrypt", KEY).resource("Allow kms:* *", &to("444455556666"));
    case.target.grants = Grants::Read(vec![Grant {
        id: "g1".into(),
        grantee: ANN.into(),
        operations: vec!["Decrypt".into()],
    }]);
    case.gives(
        "undecided: the grant `g1` of the key, with its constraints,: AWS does not document what this gives",
    );
    // S3 names no account in its ARNs
    Case::ann("s3:GetObject", "arn:aws:s3:::bucket/x")
        .identity("Allow s3:* *", "")
        .gives("undecided: the account of the resource is not known");
    Case::ann("s3:GetObject", "arn:aws:s3:::bucket/x").denied();
}

#[test]
fn what_s3_goes_by_beside_policies() {
    let anonymous = || {
        let mut case = Case::of(
            Principal::anonymous(),
            "s3:GetObject",
            "arn:aws:s3:::bucket/x",
        );
        case.target.account = Some("111122223333".into());
        case
    };
    let public = || anonymous().resource("Allow s3:GetObject *", r#""Principal": "*""#);
    public().gives(
        "undecided: whether S3 blocks public access was not read (resource policy `theirs`, statement 1)",
    );
    let mut case = public();
    case.target.blocks_public = Some(false);
    case.allowed();
    anonymous().denied();
    let mut case = anonymous();
    case.target.grants = Grants::Unread;
    case.gives("undecided: ACLs were not read");
}

#[test]
fn roles_that_aws_keeps() {
    let role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x";
    let case = |action| Case::ann(action, role).identity("Allow iam:* *", "");
    case("iam:GetRole").allowed();
    let decision = case("iam:UpdateAssumeRolePolicy").decide();
    assert!(decision.is_undecided(), "{decision}");
}

#[test]
fn a_call_of_ones_own_has_no_source() {
    let from = r#""Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}"#;
    let case = |context| {
        Case::ann(READ, SECRET)
            .identity("Allow * *", from)
            .context(context)
    };
    assert!(case(Context::new()).decide().is_undecided());
    case(Context::new().made_directly()).denied();
}

#[test]
fn a_session_of_any_name() {
    let role = || Principal::of(DEPLOY).unwrap();
    let theirs = "Allow secretsmanager:GetSecretValue *";
    let decision = Case::of(role(), READ, SECRET)
        .resource(theirs, &to(SESSION))
        .decide();
    assert!(decision.is_undecided(), "{decision}");
    Case::of(role(), READ, SECRET)
        .resource(theirs, &to(DEPLOY))
        .allowed();
    Case::of(role().in_session("other"), READ, SECRET)
        .resource(theirs, &to(SESSION))
        .denied();
}

#[test]
fn a_principal_that_aws_no_longer_knows() {
    let theirs = "Allow secretsmanager:GetSecretValue *";
    let case = |id: Option<&str>| {
        let ann = Principal::of(ANN).unwrap();
        let ann = match id {
            Some(id) => ann.unique_id(id),
            None => ann,
        };
        Case::of(ann, READ, SECRET).resource(theirs, &to("AIDAEXAMPLE1"))
    };
    case(Some("AIDAEXAMPLE1")).allowed();
    case(Some("AIDAEXAMPLE2")).denied();
    assert!(case(None).decide().is_undecided());
}

#[test]
fn many_are_asked_with_one_question() {
    let shared = document(
        Kind::Identity,
        "shared",
        &statement("Allow secretsmanager:* *", ""),
    );
    let holders: Vec<Holder> = (0..5)
        .map(|index| {
            let arn = format!("arn:aws:iam::111122223333:user/u{index}");
            let mut holder = Holder::new(Principal::of(&arn).unwrap());
            if index % 2 == 0 {
                holder.identity.push(shared.clone());
            }
            holder
        })
        .collect();
    let target = Target::new(Resource::parse(SECRET).unwrap());
    let question = Question::new(READ, target, Context::new()).unwrap();
    let answers = Asker::new(&question).who(&holders);
    let allowed: Vec<bool> = answers
        .iter()
        .map(|(_, answer)| answer.is_allowed())
        .collect();
    assert_eq!(allowed, [true, false, true, false, true]);
}
