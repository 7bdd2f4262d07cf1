//! What is suggested of small worlds, and what is not.

use super::compare_tests::{now, world};
use super::*;
use crate::access::Graph;

/// What is suggested, as `policy: hold of of` with those without it.
fn suggested(people: &[(&str, &str)], by: &[&str], support: u64, share: u64) -> Suggested {
    let (mut world, people) = world(people, &[]);
    world.identities.sort_by(|a, b| a.id.cmp(&b.id));
    let graph = Graph::build(&world);
    let by: Vec<String> = by.iter().map(|name| (*name).to_owned()).collect();
    let mut colleagues = Colleagues::new(Wanted::new(&by, support, share).unwrap(), now());
    for person in &people {
        colleagues.add(&graph, person);
    }
    assert_eq!(colleagues.everybody(), people.len());
    suggest(&graph, &colleagues, now())
}

#[track_caller]
fn check(people: &[(&str, &str)], by: &[&str], expected: &[&str]) -> Suggested {
    let found = suggested(people, by, 2, 75);
    let told = found.suggestions.iter().map(|one| {
        let without = one.without.join(" ");
        format!("{}, {} of {} {without}", one.policy, one.hold, one.of)
            .trim_end()
            .to_owned()
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    found
}

const FINANCE: &str = "department=Finance title=Clerk";
const SALES: &str = "department=Sales title=Clerk";

fn people<'a>(rows: &'a [(String, &'a str)]) -> Vec<(&'a str, &'a str)> {
    rows.iter()
        .map(|(who, holds)| (who.as_str(), *holds))
        .collect()
}

fn named<'a>(rows: &[(&str, &str, &'a str)]) -> Vec<(String, &'a str)> {
    let rows = rows.iter();
    rows.map(|(id, who, holds)| (format!("{id} {who}"), *holds))
        .collect()
}

#[test]
fn the_widest_group_that_holds_it_in_each_of_its_parts_is_named() {
    let rows = named(&[
        ("a1", FINANCE, "ad:staff erp:ledger"),
        ("a2", FINANCE, "ad:staff erp:ledger"),
        ("a3", FINANCE, "ad:staff erp:ledger"),
        ("a4", FINANCE, "ad:staff"),
        ("b1", SALES, "ad:staff crm:deals"),
        ("b2", SALES, "ad:staff crm:deals"),
        ("b3", SALES, "crm:deals git:main"),
        ("b4", SALES, "ad:staff crm:deals"),
    ]);
    let found = check(
        &people(&rows),
        &["department"],
        &[
            "everybody: ad:staff, 7 of 8 b3",
            "department Finance: erp:ledger, 3 of 4 a4",
            "department Sales: crm:deals, 4 of 4",
        ],
    );
    let [exception] = found.exceptions.as_slice() else {
        panic!("{:?}", found.exceptions);
    };
    assert_eq!(exception.id, "main");
    assert_eq!(exception.identities, ["b3"]);
}

#[test]
fn what_one_part_does_not_hold_is_not_everybodys() {
    // 8 of 10 hold it, and nobody in sales does
    let mut rows: Vec<(String, &str)> = (0..8)
        .map(|n| (format!("a{n} {FINANCE}"), "erp:ledger"))
        .collect();
    rows.extend(named(&[("b1", SALES, ""), ("b2", SALES, "")]));
    check(
        &people(&rows),
        &["department", "title"],
        &["department Finance: erp:ledger, 8 of 8"],
    );
    // the same where a department is not known
    let mut rows: Vec<(String, &str)> = (0..8)
        .map(|n| (format!("a{n} {FINANCE}"), "erp:ledger"))
        .collect();
    rows.extend(named(&[("b1", "", ""), ("b2", "", "")]));
    check(
        &people(&rows),
        &["department"],
        &["department Finance: erp:ledger, 8 of 8"],
    );
}

#[test]
fn whoever_is_no_colleague_says_nothing() {
    let rows = named(&[
        ("a1", FINANCE, "erp:ledger"),
        ("a2", FINANCE, "erp:ledger"),
        ("l1", "department=Finance status=inactive", ""),
        ("l2", "department=Finance end_date=1969-12-30T00:00:00Z", ""),
        ("n1", "department=Finance status=pending", ""),
        ("v1", "department=Finance employer_id=acme", "git:main"),
        ("w1", "department=Finance kind=workload", "git:main"),
        ("w2", "department=Finance kind=workload", "git:main"),
    ]);
    let found = check(
        &people(&rows),
        &["department"],
        &["everybody: erp:ledger, 2 of 2"],
    );
    assert_eq!(found.people, 2);
    let NotCounted {
        not_people,
        outsiders,
        left,
        not_begun,
    } = found.not_counted;
    assert_eq!((not_people, outsiders, left, not_begun), (2, 1, 2, 1));
    assert_eq!(
        (found.exceptions[0].people, found.exceptions[0].others),
        (0, 3)
    );
    // one alone is no support
    check(
        &[("a1 department=Finance", "erp:ledger")],
        &["department"],
        &[],
    );
    check(&[], &["department"], &[]);
}

#[test]
fn an_account_of_which_nobody_knows_whose_it_is_counts_for_nobody() {
    let (mut world, people) = world(&[("a", "erp:x"), ("b", "erp:x"), ("c", "erp:x")], &[]);
    world.accounts[2].identity_id = None;
    let graph = Graph::build(&world);
    let wanted = Wanted::new(&[], 2, 60).unwrap();
    let mut colleagues = Colleagues::new(wanted, now());
    for person in &people {
        colleagues.add(&graph, person);
    }
    let found = suggest(&graph, &colleagues, now());
    assert_eq!((found.suggestions[0].hold, found.suggestions[0].of), (2, 3));
    assert_eq!(found.nobodys_accounts, 1);
}

#[test]
fn the_text_says_of_each_whoever_was_counted_and_nobody_else() {
    let rows = named(&[
        ("a1", FINANCE, "erp:ledger"),
        ("a2", FINANCE, "erp:ledger"),
        ("b1", SALES, ""),
        ("b2", SALES, ""),
    ]);
    let found = suggested(&people(&rows), &["department"], 2, 75);
    let text = policy_of_suggestions(&found, &["grants of `erp`\npermit".to_owned()]).unwrap();
    let policy = AccessPolicy::parse(&text).unwrap();
    assert_eq!(policy.rules().len(), 1, "{text}");
    assert!(policy.remarks().is_empty(), "{:?}", policy.remarks());
    assert!(
        text.contains("2 of 2 with department Finance hold it"),
        "{text}"
    );
    assert!(text.contains("grants of `erp`\\u{a}permit"), "{text}");
    let mut decider = Decider::new(&policy);
    let mut held = |who: &str| {
        let holder = super::tests::holder(who);
        let decision = decider.decide_for(&holder, &super::tests::holding("erp:ledger"));
        decision.held
    };
    assert_eq!(held("department=Finance"), Held::Permitted);
    for other in [
        "department=Sales",
        "department=Finance employer=acme",
        "department=Finance kind=workload",
    ] {
        assert_eq!(held(other), Held::NotPermitted, "{other}");
    }
    // it goes to and fro as a matrix
    assert!(matrix_of_policy(&policy).is_ok());
}

#[test]
fn names_that_are_attacks_stay_names() {
    let evil = "x\");\u{a}permit(principal,action,resource);//";
    let (mut world, mut people) = world(&[("a", "erp:x"), ("b", "erp:x")], &[]);
    for (number, person) in people.iter_mut().enumerate() {
        person.department = Some(evil.to_owned());
        person.id = format!("{evil}{number}").into();
        world.accounts[number].identity_id = Some(person.id.clone());
    }
    world.identities = people.clone();
    for grant in &mut world.grants {
        grant.entitlement_id = evil.into();
    }
    let graph = Graph::build(&world);
    let wanted = Wanted::new(&["department".to_owned()], 1, 50).unwrap();
    let mut colleagues = Colleagues::new(wanted, now());
    for person in &people {
        colleagues.add(&graph, person);
    }
    let found = suggest(&graph, &colleagues, now());
    let text = policy_of_suggestions(&found, &[evil.to_owned()]).unwrap();
    assert_eq!(
        AccessPolicy::parse(&text).unwrap().rules().len(),
        1,
        "{text}"
    );
}

#[test]
fn what_cannot_be_wanted_is_said() {
    let refused = |by: &[&str], support: u64, share: u64, sentence: &str| {
        let by: Vec<String> = by.iter().map(|name| (*name).to_owned()).collect();
        let said = Wanted::new(&by, support, share).unwrap_err();
        assert!(said.contains(sentence), "{said}");
    };
    refused(&["departmnt"], 3, 80, "no attribute `departmnt`");
    refused(&["#"], 3, 80, "no attribute `#`");
    refused(&["kind"], 3, 80, "tells nobody apart");
    refused(&["title", "title"], 3, 80, "twice");
    refused(
        &["title", "name", "email", "status", "#a"],
        3,
        80,
        "5 attributes",
    );
    refused(&[], 0, 80, "nobody holds");
    refused(&[], 3, 101, "more than all");
}
