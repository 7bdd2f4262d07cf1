//! Small cases through one check: what became of an item, for the worse or not, and why.

use super::*;
use lastkey_contract::Kind;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn item(id: &str, closes: &str, verdict: Verdict) -> KeptItem {
    KeptItem {
        place: 0,
        kind: KeptKind::Account,
        system: "corp".to_owned(),
        id: id.to_owned(),
        on_account: None,
        closes_at: Some(match closes {
            "never" => Closing::Never,
            time => Closing::At(at(time)),
        }),
        verdict,
        basis: Basis::Observed,
        severity: Some(Severity::Medium),
        left: None,
        said: None,
        systems: vec!["corp".to_owned()],
    }
}

fn read(sync: u64, gaps: &[&str]) -> ReadState {
    ReadState {
        source: "ad".into(),
        kind: Kind::Account,
        systems: vec!["corp".into()],
        supplement: false,
        complete_at: Some(at("2026-01-01T00:00:00Z") + chrono::TimeDelta::days(sync.cast_signed())),
        gaps: gaps.iter().map(|gap| (*gap).to_owned()).collect(),
        fresh_for_seconds: None,
        removed: false,
    }
}

fn kept(plan: &str, day: &str, sync: u64, items: Vec<KeptItem>) -> KeptRehearsal {
    KeptRehearsal {
        question: Question::Everyone,
        with: AskedWith {
            plan: Some(NamedText::new("plan".to_owned(), plan.to_owned())),
            policy: None,
            at: at(&format!("{day}T00:00:00Z")),
        },
        facts: FactsState { sync, decisions: 0 },
        reads: vec![read(sync, &[])],
        version: "1".to_owned(),
        verdict: Verdict::Fail,
        missing_facts: Vec::new(),
        items,
    }
}

#[track_caller]
fn check(before: &KeptRehearsal, after: &KeptRehearsal, back: &[PutBack], expected: &[&str]) {
    let found = compare(before, after, back);
    let found = found.differences.iter().map(|one| {
        let reasons: Vec<&str> = one.reasons.iter().map(|input| input.word()).collect();
        let known = if one.reason_known { "" } else { "?" };
        let (what, way) = (one.what.word(), one.direction.word());
        format!("{what} {way} {}{known}", reasons.join("+"))
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

const DAY: &str = "2026-06-01";
const NEXT: &str = "2026-06-02";

#[test]
fn an_item_is_as_it_was_at_the_same_time_and_as_long_after_the_event() {
    let before = || item("a", "2026-06-01T01:00:00Z", Verdict::Pass);
    for (day, closes) in [
        (DAY, "2026-06-01T01:00:00Z"),
        (NEXT, "2026-06-02T01:00:00Z"),
        // An expiry of its own does not move with the event.
        (NEXT, "2026-06-01T01:00:00Z"),
    ] {
        let after = kept("p", day, 1, vec![item("a", closes, Verdict::Pass)]);
        check(&kept("p", DAY, 1, vec![before()]), &after, &[], &[]);
    }
    let later = kept(
        "q",
        DAY,
        1,
        vec![item("a", "2026-06-01T02:00:00Z", Verdict::Pass)],
    );
    check(
        &kept("p", DAY, 1, vec![before()]),
        &later,
        &[],
        &["changed worse plan"],
    );
}

#[test]
fn who_knows_less_than_before_is_neither_better_nor_worse() {
    let with = |verdict| kept("p", DAY, 1, vec![item("a", "never", verdict)]);
    let later = |verdict| kept("p", DAY, 2, vec![item("a", "never", verdict)]);
    let (fail, unknown) = (Verdict::Fail, Verdict::Indeterminate);
    check(
        &with(fail),
        &later(unknown),
        &[],
        &["changed unknown facts"],
    );
    check(&with(unknown), &later(fail), &[], &["changed worse facts"]);
    check(
        &with(unknown),
        &later(Verdict::Pass),
        &[],
        &["changed better facts"],
    );
}

#[test]
fn only_a_whole_read_since_proves_that_something_is_gone() {
    let before = kept("p", DAY, 3, vec![item("a", "never", Verdict::Fail)]);
    let gone = |reads: Vec<ReadState>| KeptRehearsal {
        reads,
        ..kept("p", DAY, 4, Vec::new())
    };
    let unproved = ["disappeared_without_proof unknown facts"];
    check(
        &before,
        &gone(vec![read(4, &[])]),
        &[],
        &["gone better facts"],
    );
    check(&before, &gone(vec![read(4, &["a page"])]), &[], &unproved);
    check(&before, &gone(vec![read(2, &[])]), &[], &unproved);
    check(&before, &gone(Vec::new()), &[], &unproved);
    // The plan alone closes it at once: there is nothing to prove.
    let closed = KeptRehearsal {
        reads: Vec::new(),
        ..kept("q", DAY, 3, Vec::new())
    };
    check(&before, &closed, &[], &["gone better plan"]);
    let empty = KeptRehearsal {
        reads: Vec::new(),
        ..kept("p", DAY, 2, Vec::new())
    };
    check(&empty, &before, &[], &["not_read_before worse facts"]);
    let whole = kept("p", DAY, 2, Vec::new());
    check(&whole, &before, &[], &["added worse facts"]);
}

#[test]
fn the_reason_is_what_takes_the_difference_away_when_it_is_put_back() {
    let before = kept(
        "p",
        DAY,
        1,
        vec![item("a", "2026-06-01T01:00:00Z", Verdict::Pass)],
    );
    let after = kept("q", DAY, 2, vec![item("a", "never", Verdict::Fail)]);
    let back = |items| {
        let inputs = vec![Input::Plan];
        let at = at("2026-06-01T00:00:00Z");
        [PutBack { inputs, at, items }]
    };
    check(&before, &after, &[], &["changed worse plan+facts?"]);
    let plan = back(before.items.clone());
    check(&before, &after, &plan, &["changed worse plan"]);
    let facts = back(after.items.clone());
    check(&before, &after, &facts, &["changed worse facts"]);
    let neither = back(Vec::new());
    check(&before, &after, &neither, &["changed worse plan+facts?"]);
}
