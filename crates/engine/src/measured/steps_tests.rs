//! Steps of a plan, measured by past leavers in small.

use super::tests::{held, left};
use super::*;
use crate::lifecycle::Plan;

/// What past leavers show of the steps of a plan, a line each, and which steps one can rely on.
fn steps(plan: &str, leavers: &[&[(HeldKind, &str)]]) -> (Vec<String>, Vec<String>) {
    let plan = Plan::parse(plan).unwrap();
    let mut counting = StepCounting::new(&plan);
    for things in leavers {
        let things = things.iter().map(|(kind, reads)| held(*kind, "ann", reads));
        counting.add(&measure(left(things.collect(), &[]), &plan));
    }
    let measured = counting.done();
    let of = measured.iter().map(|one| {
        let nine = one.nine_of_ten_seconds.map(|seconds| seconds / 3600);
        format!(
            "{} {} of {}, {} late, {} undecided, {nine:?}",
            one.does, one.in_time, one.cases, one.late, one.undecided
        )
    });
    let relied = as_measured(&plan, &measured).steps;
    let relied = relied
        .iter()
        .map(|step| format!("{} {}", step.does.word(), step.within));
    (of.collect(), relied.collect())
}

#[test]
fn a_step_is_measured_by_what_the_plan_says_it_closes_first() {
    let plan = r#"
[[step]]
on = "leaver"
system = "ad"
does = "disable_account"
within = "2h"
[[step]]
on = "leaver"
system = "ad"
does = "delete_account"
within = "30d"
[[step]]
on = "leaver"
system = "ad"
does = "remove_grants"
within = "4h"
[[step]]
on = "leaver"
system = "elsewhere"
does = "disable_account"
within = "1h"
"#;
    let account = HeldKind::Account;
    let (measured, relied) = steps(
        plan,
        &[
            &[(account, "-5:open 1:gone")],
            &[(account, "-5:open 1:gone")],
            &[
                (account, "-5:open 3:open 9:gone"),
                // It closed with the account: nobody knows who would have taken it away.
                (HeldKind::Entitlement, "-5:open 60:open"),
            ],
            &[(account, "-5:open 1:open 5:gone")],
        ],
    );
    let wanted = [
        "disable_account 2 of 4, 1 late, 1 undecided, Some(9)",
        "delete_account 0 of 0, 0 late, 0 undecided, None",
        "remove_grants 0 of 0, 0 late, 0 undecided, None",
        "disable_account 0 of 0, 0 late, 0 undecided, None",
    ];
    assert_eq!(measured, wanted);
    let relied_on = [
        "disable_account PT32400S",
        "delete_account PT2592000S",
        "remove_grants PT14400S",
        "disable_account PT3600S",
    ];
    assert_eq!(relied, relied_on);
    // What was not seen to be done closes nothing that one could rely on.
    let (_, relied) = steps(plan, &[&[(account, "-5:open 60:open")]]);
    assert_eq!(relied, relied_on[1..]);
}
