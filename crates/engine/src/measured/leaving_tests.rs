//! What belongs to a leaving: what was closed for it before it, and what was shut meanwhile.

use super::tests::{held, left, line};
use super::*;
use crate::lifecycle::Plan;

/// How an account stands by its reads, hours from the event, and the claims.
fn account(reads: &str, claims: &[&str]) -> String {
    let things = vec![held(HeldKind::Account, "ann", reads)];
    line(&measure(left(things, claims), &Plan::default()), "ann")
}

#[test]
fn what_was_closed_for_the_leaving_before_it_is_in_time() {
    for (reads, claims, expected) in [
        (
            "-30:open -3:off 9:off",
            &["done@-2"][..],
            "closed in time 0..0",
        ),
        // Nobody claims it, and it was closed on the last day all the same.
        (
            "-30:open -3:gone 9:gone",
            &[],
            "closed in time 0..0 closed_unclaimed",
        ),
        // Days before, as a step of this leaving.
        (
            "-90:open -70:off 9:off",
            &["done@-70"],
            "closed in time 0..0",
        ),
        // Days before, by nobody's claim: it was not theirs on the last day.
        ("-90:open -70:gone 9:gone", &[], "before"),
        // It was never seen open.
        ("-30:off -3:off 9:off", &["done@-2"], "before"),
    ] {
        assert_eq!(account(reads, claims), expected, "{reads}");
    }
}

#[test]
fn what_was_closed_before_says_so() {
    let things = vec![held(HeldKind::Account, "ann", "-30:open -3:off 9:off")];
    let all = measure(left(things, &["done@-2"]), &Plan::default());
    assert_eq!(
        all.items[0].why,
        "closed before they left, the limit is 24 h"
    );
    assert_eq!(all.items[0].observed_in_words(), "closed before they left");
}

#[test]
fn nothing_is_open_by_an_account_that_was_shut() {
    // The account was off from 30 to 200; the group was last seen at 100.
    let things = vec![
        held(
            HeldKind::Account,
            "ann",
            "0:open 30:off 60:off 200:open 210:gone",
        ),
        held(HeldKind::Entitlement, "ops", "0:open 100:open 220:gone"),
    ];
    let all = measure(left(things, &[]), &Plan::default());
    assert!(
        line(&all, "ops").starts_with("indeterminate"),
        "{}",
        line(&all, "ops")
    );
    // While it was on, both were open.
    let things = vec![
        held(HeldKind::Account, "ann", "0:open 100:open 210:gone"),
        held(HeldKind::Entitlement, "ops", "0:open 100:open 220:gone"),
    ];
    let all = measure(left(things, &[]), &Plan::default());
    assert!(
        line(&all, "ops").starts_with("closed late 100"),
        "{}",
        line(&all, "ops")
    );
}
