//! Small cases: letters are answers, a minute or more apart.

use super::*;
use chrono::TimeDelta;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

/// `a` accepted, `r` rejected, `?` indeterminate: one every ten minutes.
fn tries(letters: &str) -> Vec<Try> {
    let mut at = start();
    let one = |letter| {
        at += TimeDelta::minutes(10);
        Try {
            from: at,
            until: at + TimeDelta::seconds(1),
            answer: match letter {
                'a' => Answer::Accepted,
                'r' => Answer::Rejected,
                _ => Answer::Indeterminate,
            },
        }
    };
    letters.chars().map(one).collect()
}

#[track_caller]
fn check(letters: &str, expected: (&str, Standing)) {
    let tries = tries(letters);
    let proves: String = proved(&tries)
        .map(|one| match one {
            Proves::Open => 'o',
            Proves::Closed => 'c',
            Proves::Nothing => '-',
        })
        .collect();
    assert_eq!((proves.as_str(), standing(&tries).0), expected, "{letters}");
}

#[test]
fn a_refusal_counts_only_after_the_same_secret_was_let_in() {
    check("", ("", Standing::NeverTried));
    check("a", ("o", Standing::Works));
    check("r", ("-", Standing::Indeterminate));
    check("rr", ("--", Standing::Indeterminate));
    check("ar", ("oc", Standing::Dead));
    check("ra", ("-o", Standing::Works));
    check("rar", ("-oc", Standing::Dead));
    check("ara", ("oco", Standing::Works));
    check("?r", ("--", Standing::Indeterminate));
}

#[test]
fn what_does_not_say_proves_nothing_and_takes_no_proof_away() {
    check("?", ("-", Standing::Indeterminate));
    check("a?", ("o-", Standing::Indeterminate));
    check("ar?", ("oc-", Standing::Indeterminate));
    check("a?r", ("o-c", Standing::Dead));
}

#[track_caller]
fn pace(letters: &str, lockout: Option<Lockout>, minutes_later: i64, may: bool) {
    let tries = tries(letters);
    let last = tries.last().map_or(start(), |one| one.until);
    let now = last + TimeDelta::minutes(minutes_later);
    let found = may_try(&tries, lockout, now);
    assert_eq!(found.is_ok(), may, "{letters} {minutes_later}: {found:?}");
}

#[test]
fn tries_of_an_account_are_a_minute_apart() {
    pace("a", None, 0, false);
    pace("a", None, 1, true);
    pace("a", None, -5, false);
    pace("", None, 0, true);
}

#[test]
fn no_account_is_tried_so_often_that_it_could_lock() {
    let strict = Some(Lockout::STRICTEST);
    pace("", strict, 0, true);
    pace("ar", strict, 60, true);
    pace("arr", strict, 60, false);
    pace("arr", strict, 60 * 24 * 365, false);
    // What does not say may have been counted as refused.
    pace("a?r", strict, 60, false);
    pace("??", strict, 60, false);
    // Let in again: the server has forgotten.
    pace("arra", strict, 60, true);
    let five = |within| Some(Lockout { after: 5, within });
    pace("arrr", five(None), 60, true);
    pace("arrrr", five(None), 60, false);
    // Forgotten by the server after half an hour.
    pace("arrrr", five(Some(TimeDelta::minutes(30))), 1, false);
    pace("arrrr", five(Some(TimeDelta::minutes(5))), 1, true);
    pace("arrrr", five(Some(TimeDelta::minutes(30))), 31, true);
    pace("arrrr", five(Some(TimeDelta::minutes(60))), 1, false);
    pace("arrrr", five(Some(TimeDelta::minutes(60))), 61, true);
    // A server that locks at the first or second one may be asked once.
    pace(
        "a",
        Some(Lockout {
            after: 1,
            within: None,
        }),
        60,
        true,
    );
    pace(
        "ar",
        Some(Lockout {
            after: 2,
            within: None,
        }),
        60,
        false,
    );
}
