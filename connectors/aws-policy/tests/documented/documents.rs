//! Documents as AWS takes them, and what it refuses.

use super::*;

fn check(kind: Kind, text: &str, expected: &str) {
    let shown = match Policy::parse(kind, "d", text) {
        Ok(_) => "taken".to_owned(),
        Err(fault) => fault.to_string(),
    };
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn identity_policies() {
    for (text, expected) in [
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
            "taken",
        ),
        (
            r#"{"Version": "2008-10-17", "Statement": [{"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": ["arn:aws:s3:::*"], "Condition": {"Bool": {"aws:SecureTransport": false}}}]}"#,
            "taken",
        ),
        ("{", "`d` at line 1, column 1: it is no JSON"),
        ("[]", "`d`: it is no JSON object"),
        (r#"{"Version": "2012-10-17"}"#, "`d`: it has no Statement"),
        (r#"{"Statement": []}"#, "`d`: it has no Statement"),
        (
            r#"{"Version": "2013", "Statement": []}"#,
            "`d` at Version: `2013` is no version",
        ),
        (
            r#"{"statement": []}"#,
            "`d` at statement: AWS has no such element here",
        ),
        (
            r#"{"Statement": [{"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}]}"#,
            "`d` at Statement[0].Effect: the same key stands twice",
        ),
        (
            r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "allow", "Action": "*", "Resource": "*"}]}"#,
            "`d` at Statement[1].Effect: `allow` is no effect",
        ),
        (
            r#"{"Statement": {"Action": "*", "Resource": "*"}}"#,
            "`d` at Statement[0]: it has no Effect",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Resource": "*"}}"#,
            "`d` at Statement[0]: it has neither Action nor NotAction",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*"}}"#,
            "`d` at Statement[0]: it has neither Resource nor NotResource",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}}"#,
            "`d` at Statement[0].NotAction: an element and its opposite exclude each other",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "GetObject", "Resource": "*"}}"#,
            "`d` at Statement[0].Action: `GetObject` names no service",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "s*:Get", "Resource": "*"}}"#,
            "`d` at Statement[0].Action: `s*` is no service",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}"#,
            "`d` at Statement[0].Action: the list is empty",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "bucket"}}"#,
            "`d` at Statement[0].Resource: `bucket` is neither an ARN nor `*`",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username"}}"#,
            "`d` at Statement[0].Resource: the variable in `arn:aws:s3:::${aws:username` has no end",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}}"#,
            "`d` at Statement[0].Principal: AWS has no such element here",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringIs": {"a": "b"}}}}"#,
            "`d` at Statement[0].Condition.StringIs.a: `StringIs` is no condition operator",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NullIfExists": {"a": "true"}}}}"#,
            "`d` at Statement[0].Condition.NullIfExists.a: `NullIfExists` is no condition operator",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": null}}}}"#,
            "`d` at Statement[0].Condition.Bool.a: it is no text, number, true or false",
        ),
    ] {
        if text.contains("${") {
            // the version without variables takes it as it stands, the other refuses it
            check(Kind::Identity, text, "taken");
            let text = text.replacen('{', r#"{"Version": "2012-10-17", "#, 1);
            let fault = Policy::parse(Kind::Identity, "d", &text).unwrap_err();
            assert!(fault.problem.contains("has no end"), "{fault}");
            continue;
        }
        check(Kind::Identity, text, expected);
    }
}

#[test]
fn policies_that_name_principals() {
    let of = |rest: &str| {
        format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole"{rest}}}}}"#)
    };
    for (kind, rest, expected) in [
        (
            Kind::Trust,
            r#", "Principal": {"AWS": "111122223333"}"#,
            "taken",
        ),
        (
            Kind::Trust,
            r#", "Principal": {"AWS": ["*"], "Service": ["x.amazonaws.com"]}"#,
            "taken",
        ),
        (
            Kind::Trust,
            "",
            "`d` at Statement[0]: it has neither Principal nor NotPrincipal",
        ),
        (
            Kind::Trust,
            r#", "Principal": "*", "Resource": "*""#,
            "`d` at Statement[0].Resource: AWS has no such element here",
        ),
        (
            Kind::Trust,
            r#", "NotPrincipal": "*""#,
            "`d` at Statement[0].NotPrincipal: AWS has no such element here",
        ),
        (
            Kind::Resource,
            r#", "Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}, "Resource": "*""#,
            "`d` at Statement[0].Principal.AWS: `arn:aws:iam::111122223333:user/*`: no part of a principal can be a wildcard",
        ),
        (
            Kind::Resource,
            r#", "Principal": {"Person": "ann"}, "Resource": "*""#,
            "`d` at Statement[0].Principal.Person: `Person` is no kind of principal",
        ),
        (
            Kind::Resource,
            r#", "Principal": "ann", "Resource": "*""#,
            "`d` at Statement[0].Principal: it is neither `*` nor an object of principals",
        ),
        (
            Kind::ResourceControl,
            r#", "Principal": "*", "NotResource": "arn:aws:s3:::x""#,
            "`d` at Statement[0]: a resource control policy only denies",
        ),
    ] {
        check(kind, &of(rest), expected);
    }
}

#[test]
fn a_long_document_is_noted() {
    let long = "x".repeat(7_000);
    let text = format!(
        r#"{{"Statement": {{"Sid": "{long}", "Effect": "Allow", "Action": "*", "Resource": "*"}}}}"#
    );
    let policy = Policy::parse(Kind::Boundary, "d", &text).unwrap();
    let notes = policy.notes().join("; ");
    assert!(notes.contains("AWS documents at most 6144"), "{notes}");
    let spaced = text.replace(&long, "x") + &" ".repeat(7_000);
    assert!(
        Policy::parse(Kind::Boundary, "d", &spaced)
            .unwrap()
            .notes()
            .is_empty()
    );
    let endless = text.replace(&long, &"x".repeat(300_000));
    assert!(Policy::parse(Kind::Boundary, "d", &endless).is_err());
}
