//! Small cases: what reads show of a thing, and tries of it in hours after the event.

use super::tests::{held, hour, left, line};
use super::*;
use crate::lifecycle::Plan;
use crate::probes::Proves;
use lastkey_contract::Answer;

/// Tries of a credential that signs in: `a3` let in at hour 3, `r5` refused, `?7` does not say.
fn tries(text: &str) -> Vec<Probed> {
    let mut control = false;
    let one = |word: &str| {
        let (letter, at) = word.split_at(1);
        let at = hour(at.parse().unwrap());
        let (answer, proves) = match letter {
            "a" => (Answer::Accepted, Proves::Open),
            "r" if control => (Answer::Rejected, Proves::Closed),
            "r" => (Answer::Rejected, Proves::Nothing),
            _ => (Answer::Indeterminate, Proves::Nothing),
        };
        control |= letter == "a";
        Probed {
            probe: "p".to_owned(),
            from: at,
            until: at,
            answer,
            raw: String::new(),
            why: None,
            counts: proves != Proves::Nothing,
            proves,
        }
    };
    text.split_whitespace().map(one).collect()
}

fn check_tried(kind: HeldKind, reads: &str, tried: &str, expected: &str, why: &str) {
    let id = match kind {
        HeldKind::Account => "ann",
        _ => "key",
    };
    let mut one = held(kind, id, reads);
    one.tried = tries(tried);
    let found = line(&measure(left(vec![one], &[]), &Plan::default()), id);
    assert_eq!(found, expected, "{reads}, {tried}: {why}");
}

#[test]
fn whoever_is_let_in_has_access_whatever_reads_show() {
    for (kind, reads, tried, expected, why) in [
        (
            HeldKind::Account,
            "-5:open 3:off 40:off",
            "a-4 a30",
            "still open 30..? closed_on_paper",
            "disabled, and let in beyond the limit",
        ),
        (
            HeldKind::Account,
            "-5:open 3:off",
            "a-4 a5",
            "indeterminate 5..? closed_on_paper",
            "let in after it was shown as disabled",
        ),
        (
            HeldKind::Account,
            "-5:open 3:off",
            "a-4 a5 r9",
            "closed in time 5..9 closed_on_paper",
            "and refused by the same after that",
        ),
        (
            HeldKind::Account,
            "-5:open 3:off",
            "a-4 r9",
            "closed in time 0..3 closed_unclaimed",
            "a refusal takes nothing from what a read proved",
        ),
        (
            HeldKind::Account,
            "-5:open 9:open",
            "a-4 r5",
            "indeterminate 9..?",
            "that one credential is refused closes no account",
        ),
        (
            HeldKind::Credential,
            "-5:open",
            "a-4 r5",
            "closed in time 0..5 closed_unclaimed",
            "of the credential itself it is a proof",
        ),
        (
            HeldKind::Credential,
            "-5:open",
            "r5",
            "indeterminate 0..?",
            "not without the positive control",
        ),
        (
            HeldKind::Credential,
            "-5:open",
            "a-4 ?5",
            "indeterminate 0..?",
            "what does not say proves nothing",
        ),
        (
            HeldKind::Credential,
            "-5:open 9:open",
            "a-4 r5",
            "indeterminate 9..?",
            "a read saw it as open after that",
        ),
    ] {
        check_tried(kind, reads, tried, expected, why);
    }
}
