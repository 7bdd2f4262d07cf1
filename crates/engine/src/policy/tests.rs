//! A policy text is refused with its place, and answers as Cedar does, with its reason.

use super::*;
use lastkey_contract::facts::Attributes;

/// `kind=person department=Finance #project=apollo`, tags with `#`.
pub(super) fn holder(words: &str) -> Holder {
    let mut holder = Holder {
        id: "nobody".to_owned(),
        attributes: Attributes::new(),
        tags: Attributes::new(),
    };
    for word in words.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap();
        match name.strip_prefix('#') {
            Some(tag) => drop(holder.tags.insert(tag.to_owned(), value.to_owned())),
            None if name == "id" => holder.id = value.to_owned(),
            None => drop(holder.attributes.insert(name.to_owned(), value.to_owned())),
        }
    }
    holder
        .attributes
        .entry("kind".to_owned())
        .or_insert("person".to_owned());
    holder
}

/// `erp:ledger`, `erp:ledger!` for privileged, `erp:ledger-` for not.
pub(super) fn holding(text: &str) -> Holding {
    let (name, privileged) = match text.strip_suffix('!') {
        Some(name) => (name, Some(true)),
        None => match text.strip_suffix('-') {
            Some(name) => (name, Some(false)),
            None => (text, None),
        },
    };
    let (system, id) = name.split_once(':').unwrap();
    Holding {
        privileged,
        ..Holding::named(system, id)
    }
}

pub(super) fn parsed(text: &str) -> AccessPolicy {
    AccessPolicy::parse(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// `permitted by finance`, `not_permitted, assumed: department of the identity`.
fn told(decision: &Decision) -> String {
    let mut told = decision.held.word().to_owned();
    if !decision.because.is_empty() {
        told.push_str(&format!(" by {}", decision.because.join(", ")));
    }
    if !decision.unknown.is_empty() {
        told.push_str(&format!(", assumed: {}", decision.unknown.join(", ")));
    }
    if let Some(error) = &decision.error {
        told.push_str(&format!(": {error}"));
    }
    told
}

#[track_caller]
fn check(policy: &str, who: &str, what: &str, expected: &str) {
    let policy = parsed(policy);
    let decision = Decider::new(&policy).decide_for(&holder(who), &holding(what));
    assert_eq!(told(&decision), expected, "`{who}` and `{what}`");
}

const FINANCE: &str = r#"
@id("everybody") @birthright
permit (principal, action, resource == Entitlement::"ad:staff") when { principal.kind == "person" };
@id("finance")
permit (principal, action == Action::"hold", resource in System::"erp")
when { principal has department && principal.department == "Finance" };
@id("no-outsiders")
forbid (principal, action, resource in System::"erp") when { principal has employer };
"#;

#[test]
fn an_answer_names_the_policies_that_gave_it() {
    let cases = [
        ("department=Finance", "erp:ledger", "permitted by finance"),
        (
            "department=Finance employer=acme",
            "erp:ledger",
            "not_permitted by no-outsiders",
        ),
        ("department=Sales", "erp:ledger", "not_permitted"),
        ("department=Sales", "ad:staff", "birthright by everybody"),
        ("kind=workload", "ad:staff", "not_permitted"),
        ("department=Sales", "ad:other", "not_permitted"),
        ("department=Finance", "aws:admin", "no_policy"),
    ];
    for (who, what, expected) in cases {
        check(FINANCE, who, what, expected);
    }
}

#[test]
fn what_nobody_knows_makes_an_answer_an_assumption() {
    check(
        FINANCE,
        "kind=person",
        "erp:ledger",
        "not_permitted, assumed: department of the identity",
    );
    let careful = r#"permit (principal, action, resource);
        @id("privileged") forbid (principal, action, resource)
        when { resource has privileged && resource.privileged };"#;
    check(
        careful,
        "kind=person",
        "ad:x!",
        "not_permitted by privileged",
    );
    check(careful, "kind=person", "ad:x-", "permitted by line 1");
    // nothing turns into a pass in silence
    check(
        careful,
        "kind=person",
        "ad:x",
        "permitted by line 1, assumed: privileged of the entitlement",
    );
}

#[test]
fn a_policy_that_cannot_be_evaluated_settles_nothing() {
    // arithmetic that does not fit is the one thing that a checked policy can fail at
    let over = "9223372036854775807 + 1 > 0";
    let permit = format!("@id(\"odd\") permit (principal, action, resource) when {{ {over} }};");
    let forbid = format!("@id(\"odd\") forbid (principal, action, resource) when {{ {over} }};");
    let all = "@id(\"all\") permit (principal, action, resource);";
    let starts_with = |policy: &str, expected: &str| {
        let policy = parsed(policy);
        let told = told(&Decider::new(&policy).decide_for(&holder(""), &holding("ad:x")));
        assert!(told.starts_with(expected), "{told}");
    };
    starts_with(&permit, "undecided: policy `odd`: ");
    starts_with(&format!("{all} {forbid}"), "undecided: policy `odd`: ");
    starts_with(&format!("{all} {permit}"), "permitted by all");
}

#[test]
fn everything_nothing_and_prohibitions_alone() {
    check("", "kind=person", "ad:x", "no_policy");
    check(
        "permit (principal, action, resource);",
        "",
        "ad:x",
        "permitted by line 1",
    );
    let forbid = "@id(\"no-vendors\") forbid (principal, action, resource) when { principal.kind == \"vendor\" };";
    check(forbid, "kind=vendor", "ad:x", "not_permitted by no-vendors");
    // a prohibition that does not apply says nothing of who may hold it
    check(forbid, "kind=person", "ad:x", "no_policy");
}

#[test]
fn columns_of_your_own_are_tags() {
    let text = r#"@id("apollo") permit (principal, action, resource in System::"git")
        when { principal.hasTag("project") && principal.getTag("project") == "apollo" };"#;
    check(text, "#project=apollo", "git:main", "permitted by apollo");
    check(text, "#project=zeus", "git:main", "not_permitted");
    check(
        text,
        "",
        "git:main",
        "not_permitted, assumed: project of the identity",
    );
    let computed = r#"@id("any") permit (principal, action, resource in System::"git")
        when { principal.hasTag(resource.id) };"#;
    check(computed, "#main=yes", "git:main", "permitted by any");
    check(computed, "#main=yes", "git:other", "not_permitted");
}

#[test]
fn a_system_named_in_a_condition_is_named() {
    let text = r#"@id("auditors") permit (principal, action, resource)
        when { resource in [System::"erp", System::"crm"] && ["Auditor", "Reviewer"].contains(principal.kind) };
        @id("bob") permit (principal == Identity::"bob", action, resource == Entitlement::"aws:admin");"#;
    check(text, "kind=Auditor", "crm:x", "permitted by auditors");
    check(text, "kind=person", "crm:x", "not_permitted");
    check(text, "kind=Auditor", "ad:x", "no_policy");
    check(text, "id=bob", "aws:admin", "permitted by bob");
    check(text, "id=eve", "aws:admin", "not_permitted");
}

#[track_caller]
fn refused(text: &str, place: (u32, u32), message: &str, hint: &str) {
    let error = AccessPolicy::parse(text).unwrap_err();
    assert_eq!((error.line, error.column), place, "{error}");
    assert!(error.message.contains(message), "{error}");
    let told = error.hint.unwrap_or_default();
    assert!(told.contains(hint), "{told}");
}

#[test]
fn a_mistake_has_a_place_and_a_hint() {
    let all = "permit (principal, action, resource)";
    let when = |condition: &str| format!("{all}\nwhen {{ {condition} }};");
    refused(
        &when("principal.departmnt == \"x\""),
        (2, 8),
        "`departmnt`",
        "did you mean `department`",
    );
    refused(
        &when("principal.department == \"x\""),
        (2, 8),
        "optional attribute `department`",
        "has department",
    );
    refused(
        &when("principal.kind == 3"),
        (2, 8),
        "not compatible",
        "compatible types",
    );
    refused(all, (1, 37), "unexpected end", "`;`");
    refused(
        "\n permt (principal, action, resource);",
        (2, 2),
        "permt",
        "permit",
    );
    refused(
        "permit (principal, action == Action::\"hld\", resource);",
        (1, 30),
        "Action::\"hld\"",
        "hold",
    );
    refused(
        "permit (principal, action, resource in Sytem::\"x\");",
        (1, 40),
        "Sytem",
        "System",
    );
    refused(
        "permit (principal == ?principal, action, resource);",
        (1, 22),
        "slot",
        "name an identity",
    );
    let twice = format!("@id(\"a\") {all};\n// the same; \"again\n@id(\"a\") {all};");
    refused(&twice, (3, 1), "line 1 already", "id of its own");
    refused(
        &format!("@id(\"\") {all};"),
        (1, 1),
        "names nothing",
        "reason",
    );
    refused(
        "@birthright forbid (principal, action, resource);",
        (1, 1),
        "nobody's birthright",
        "permit",
    );
    refused(
        &format!("@birthright(\"no\") {all};"),
        (1, 1),
        "takes no value",
        "leave it out",
    );
}

#[test]
fn what_is_only_strange_is_remarked() {
    let strange = "@birthrigth permit (principal, action, resource);\npermit (principal, action, resource) when { false };";
    let policy = parsed(strange);
    let remarks: Vec<String> = policy.remarks().iter().map(ToString::to_string).collect();
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    assert!(
        remarks[1].starts_with("line 1, column 1: `line 1` permits everybody everything"),
        "{remarks:?}"
    );
    assert!(
        remarks[0].starts_with("line 1, column 1: `@birthrigth`"),
        "{remarks:?}"
    );
    assert!(
        remarks[2].starts_with("line 2, column 1: policy is impossible"),
        "{remarks:?}"
    );
}

#[test]
fn birthrights_are_found_without_asking_of_each() {
    let policy = parsed(FINANCE);
    let mut decider = Decider::new(&policy);
    let mut all = Entitlements::default();
    for id in ["ad:other", "ad:staff", "erp:ledger", "aws:x"] {
        all.add(&mut decider, &holding(id));
    }
    let person = decider.holder(&holder("department=Finance"));
    assert_eq!(decider.birthrights(person, &all), [1]);
    let robot = decider.holder(&holder("kind=workload"));
    assert!(decider.birthrights(robot, &all).is_empty());
}

#[test]
fn people_who_are_alike_are_asked_about_once() {
    let policy = parsed(FINANCE);
    let mut decider = Decider::new(&policy);
    for number in 0..1000 {
        let who = holder(&format!("id={number} department=Finance title={number}"));
        let what = holding(&format!("erp:{number}"));
        assert_eq!(decider.decide_for(&who, &what).held, Held::Permitted);
    }
    assert_eq!(decider.asked(), 1);
}
