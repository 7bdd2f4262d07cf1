//! Small cases: one account, the reads of its source in hours after the event, what was claimed.

use super::*;
use crate::lifecycle::Plan;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::{CredentialKind, LifecycleEvent, TaskStatus};
use std::collections::BTreeSet;

pub(super) fn hour(n: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap() + TimeDelta::hours(n)
}

/// `8:open`, `8:off`, `8:off@2` (disabled at hour 2), `8:on@2` (enabled, disabled once), `8:exp@5`,
/// `8:gone`, `8:others`; `8~…` did not come to its end, `8~` showed nothing.
fn told(reads: &str) -> Told {
    let mut told: (Vec<Read>, Vec<Version>) = (Vec::new(), Vec::new());
    for (sync, word) in (1..).zip(reads.split_whitespace()) {
        let (at, what) = word.split_once([':', '~']).unwrap();
        let at = hour(at.parse().unwrap());
        let complete = word.contains(':');
        told.0.push(Read {
            sync,
            from: at,
            until: at,
            complete,
        });
        let (what, moment) = what.split_once('@').unwrap_or((what, ""));
        let moment = moment.parse().ok().map(|n| When::At(hour(n)));
        let says = match what {
            "open" => Some(Says {
                enabled: Some(true),
                ..Says::LISTED
            }),
            "listed" => Some(Says::LISTED),
            "off" => Some(Says {
                enabled: Some(false),
                disabled_at: moment,
                ..Says::LISTED
            }),
            "on" => Some(Says {
                enabled: Some(true),
                disabled_at: moment,
                ..Says::LISTED
            }),
            "exp" => Some(Says {
                expires_at: moment,
                ..Says::LISTED
            }),
            "others" => Some(Says {
                whose: Whose::NotTheirs,
                ..Says::LISTED
            }),
            _ => None,
        };
        let stands = told.1.last_mut().filter(|version| version.ended.is_none());
        match (says, stands) {
            (None, Some(version)) if complete => version.ended = Some(sync),
            (None, _) => {}
            (Some(says), Some(version)) if version.says == says => {
                version.shown_in.extend((!complete).then_some(sync));
            }
            (Some(says), stands) => {
                let born = stands.map_or(sync, |version| {
                    version.ended = Some(sync);
                    version.born
                });
                let shown_in = BTreeSet::new();
                told.1.push(Version {
                    born,
                    first: sync,
                    ended: None,
                    shown_in,
                    says,
                });
            }
        }
    }
    Told {
        reads: told.0.into(),
        versions: told.1,
        deleted_until: None,
    }
}

pub(crate) fn held(kind: HeldKind, id: &str, reads: &str) -> Held {
    Held {
        kind,
        name: None,
        leads_on: false,
        names: Names::new("ad", id),
        on_account: (kind != HeldKind::Account).then(|| Names::new("ad", "ann")),
        credential: None,
        account: None,
        privileged: None,
        through: None,
        created: None,
        beside: false,
        told: vec![told(reads)],
        tried: Vec::new(),
    }
}

/// `done@7`, `done!3@7` (after three retries), `skipped@7 by phone`.
fn claim(text: &str) -> Claim {
    let (text, overridden) = match text.split_once(" by ") {
        Some((text, by)) => (text, Some(by.to_owned())),
        None => (text, None),
    };
    let (text, closed) = text.split_once('@').unwrap_or((text, ""));
    let (status, retries) = text.split_once('!').unwrap_or((text, "0"));
    Claim {
        source: "tickets".to_owned(),
        id: "T1".to_owned(),
        system: "ad".to_owned(),
        event: LifecycleEvent::Leaver,
        account: Some("ann".to_owned()),
        action: Some("disable_account".to_owned()),
        status: TaskStatus::from_word(status),
        retries: retries.parse().ok(),
        requested_at: None,
        approved_by: None,
        closed_at: closed.parse().ok().map(|n| When::At(hour(n))),
        closed_by: None,
        overridden,
        ticket: None,
    }
}

pub(crate) fn left(things: Vec<Held>, claims: &[&str]) -> Left {
    Left {
        identity: "hr:ann".to_owned(),
        name: None,
        event: LifecycleEvent::Leaver,
        kind: None,
        leaver_kind: None,
        earliest: Some(hour(0)),
        latest: hour(0),
        marks: Vec::new(),
        since: None,
        back: None,
        back_by: None,
        held: things,
        claims: claims.iter().map(|text| claim(text)).collect(),
        claims_read: Some(hour(100)),
        missing: Vec::new(),
    }
}

/// State, both ends in hours, and the gap; `before` where it was closed before the event.
pub(super) fn line(measured: &MeasuredLeaver, id: &str) -> String {
    let Some(item) = measured.items.iter().find(|item| item.id == id) else {
        return "before".to_owned();
    };
    let upper = item
        .upper
        .map_or("?".to_owned(), |t| t.num_hours().to_string());
    let gap = item
        .gap
        .map_or(String::new(), |gap| format!(" {}", gap.word()));
    format!(
        "{} {}..{upper}{gap}",
        item.state.word(),
        item.lower.num_hours()
    )
}

/// The limit is 24 hours.
fn check(reads: &str, claims: &[&str], expected: &str, why: &str) {
    let one = left(vec![held(HeldKind::Account, "ann", reads)], claims);
    let found = line(&measure(one, &Plan::default()), "ann");
    assert_eq!(found, expected, "{reads}: {why}");
}

#[test]
fn bounds_follow_from_the_reads() {
    for (reads, expected, why) in [
        (
            "-5:open 3:gone",
            "closed in time 0..3 closed_unclaimed",
            "gone by the first read",
        ),
        (
            "-5:open 3:open 9:off",
            "closed in time 3..9 closed_unclaimed",
            "read as disabled",
        ),
        (
            "-5:open 25:open 40:gone",
            "closed late 25..40 closed_unclaimed",
            "open after the limit",
        ),
        (
            "-5:open 24:open 25:gone",
            "indeterminate 24..25 closed_unclaimed",
            "at the limit itself it may be open",
        ),
        (
            "-5:open 24:gone",
            "closed in time 0..24 closed_unclaimed",
            "at the limit it is in time",
        ),
        (
            "-5:open 40:gone",
            "indeterminate 0..40 closed_unclaimed",
            "the reads are too far apart",
        ),
        (
            "-5:open 40:open",
            "still open 40..? no_claim",
            "seen open beyond the limit",
        ),
        ("-5:open 8:open", "indeterminate 8..?", "not read since"),
        ("-5:open", "indeterminate 0..?", "not read after the event"),
        ("-90:open -70:gone 5:gone", "before", "gone days before"),
        (
            "40:off@7",
            "closed in time 0..7 closed_unclaimed",
            "the system's own time proves it",
        ),
        (
            "-5:open 30:open 40:off@7",
            "closed late 30..40 closed_unclaimed",
            "not if a read saw it open after that",
        ),
        (
            "-5:open 3:off@9",
            "closed in time 0..3 closed_unclaimed",
            "a read that showed it is earlier",
        ),
        ("40:off", "indeterminate 0..40", "nothing says since when"),
        (
            "0:exp@6 40:exp@6",
            "closed in time 0..6",
            "it expired by itself",
        ),
        (
            "0:open 40:exp@6",
            "indeterminate 0..40",
            "an expiry that was set later, for a moment past, proves nothing of that moment",
        ),
        (
            "4:exp@6",
            "indeterminate 4..?",
            "that it will expire is no proof",
        ),
        (
            "-5:listed 30:listed",
            "still open 30..? no_claim",
            "what is listed counts as enabled",
        ),
        (
            "-5:open 3:others",
            "indeterminate 0..?",
            "that it is another's now is no proof",
        ),
    ] {
        check(reads, &[], expected, why);
    }
}

#[test]
fn a_read_that_did_not_come_to_its_end_proves_nothing_gone_and_widens_the_bounds() {
    for (reads, expected, why) in [
        (
            "-5:open 3~ 30:gone",
            "indeterminate 0..30 closed_unclaimed",
            "it did not show it",
        ),
        (
            "-5:open 3~off 30:gone",
            "indeterminate 0..30 closed_unclaimed",
            "it showed it as disabled",
        ),
        (
            "-5:open 30~open",
            "still open 30..? no_claim",
            "that it is there it does show",
        ),
        ("-5:open 30~", "indeterminate 0..?", "nor that it is there"),
    ] {
        check(reads, &[], expected, why);
    }
    let one = left(
        vec![held(HeldKind::Account, "ann", "-5:open 3~ 4~ 30:gone")],
        &[],
    );
    let measured = measure(one, &Plan::default());
    let item = &measured.items[0];
    assert_eq!(item.unread.unwrap().reads, 2);
    assert!(item.why.contains("2 reads from"), "{}", item.why);
    let decides = item.decides.unwrap();
    assert_eq!(
        (decides.closed_by, decides.open_after),
        (Some(hour(24)), hour(24))
    );
    assert_eq!(measured.verdict.word(), "indeterminate");
}

#[test]
fn claims_are_held_against_what_was_seen() {
    let open = "-5:open 40:open";
    for (reads, claims, expected, why) in [
        (
            open,
            &["done@7"] as &[_],
            "still open 40..? done_and_open",
            "claimed done",
        ),
        (
            open,
            &["done!5@7"],
            "still open 40..? retried_and_reported",
            "after retries",
        ),
        (
            open,
            &["skipped@7"],
            "still open 40..? not_done_and_closed",
            "skipped, and closed",
        ),
        (
            open,
            &["skipped@7 by phone"],
            "still open 40..? overridden",
            "overridden",
        ),
        (
            open,
            &["pending"],
            "still open 40..?",
            "nobody says that it is done",
        ),
        (
            open,
            &["failed"],
            "still open 40..?",
            "nobody says that it is done",
        ),
        (
            open,
            &["done"],
            "still open 40..? done_and_open",
            "whenever that was",
        ),
        (
            "-5:open 9:open 12:gone",
            &["done@7"],
            "closed in time 9..12 claimed_too_early",
            "two hours before",
        ),
        (
            "-5:open 6:open 12:gone",
            &["done@7"],
            "closed in time 6..12",
            "it may have been then",
        ),
        (
            "-5:open 6:open",
            &["done@7"],
            "indeterminate 6..?",
            "not read since",
        ),
        (
            "-5:open 3:off 30:open",
            &["done@2"],
            "still open 30..? re_enabled",
            "off, and on again",
        ),
        (
            "40:on@3",
            &["done@2"],
            "still open 40..? re_enabled",
            "its system says so",
        ),
        (
            "40:on@-30",
            &["done@2"],
            "still open 40..? done_and_open",
            "that was long before",
        ),
        (
            "-5:open 3:gone",
            &["done@2"],
            "closed in time 0..3",
            "as it should be",
        ),
    ] {
        check(reads, claims, expected, why);
    }
}

#[test]
fn without_a_read_of_claims_nobody_is_said_to_have_claimed_nothing() {
    for read in [None, Some(hour(-1))] {
        let mut one = left(vec![held(HeldKind::Account, "ann", "-5:open 40:open")], &[]);
        one.claims_read = read;
        let measured = measure(one, &Plan::default());
        assert_eq!(measured.items[0].claimed, Claimed::NotRead);
        assert_eq!(measured.items[0].gap, None);
    }
}

#[test]
fn a_date_that_is_not_known_to_the_moment_widens_both_ends() {
    for (reads, expected) in [
        ("-30:open 20:gone", "indeterminate 0..30"),
        ("-30:open 10:gone", "closed in time 0..20"),
        ("-30:open 30:open 40:gone", "closed late 30..50"),
        ("-30:open 24:open 26:gone", "indeterminate 24..36"),
    ] {
        let mut one = left(vec![held(HeldKind::Account, "ann", reads)], &["done@2"]);
        one.earliest = Some(hour(-10));
        let found = line(&measure(one, &Plan::default()), "ann");
        assert!(found.starts_with(expected), "{reads}: {found}");
    }
    let mut one = left(vec![held(HeldKind::Account, "ann", "-5:open 1:gone")], &[]);
    one.earliest = None;
    let measured = measure(one, &Plan::default());
    assert!(line(&measured, "ann").starts_with("indeterminate 0..?"));
}

#[test]
fn what_they_have_after_they_came_back_is_of_another_time() {
    for (reads, expected) in [
        (
            "-5:open 3:gone 60:open",
            "closed in time 0..3 closed_unclaimed",
        ),
        ("-5:open 60:open", "indeterminate 0..?"),
        ("-5:open 60:open 70:gone", "indeterminate 0..?"),
        ("-5:open 40:open 60:open", "still open 40..? no_claim"),
        ("60:open", "before"),
    ] {
        let mut one = left(vec![held(HeldKind::Account, "ann", reads)], &[]);
        (one.back, one.back_by) = (Some(hour(50)), Some(hour(50)));
        let found = line(&measure(one, &Plan::default()), "ann");
        assert_eq!(found, expected, "{reads}");
    }
    // It was made before they left, and first read after they were back.
    let mut account = held(HeldKind::Account, "ann", "60:open");
    account.created = Some(When::At(hour(-100)));
    let mut one = left(vec![account], &[]);
    (one.back, one.back_by) = (Some(hour(50)), Some(hour(50)));
    assert_eq!(
        line(&measure(one, &Plan::default()), "ann"),
        "indeterminate 0..?"
    );
}

#[test]
fn what_leads_through_an_account_closes_with_it() {
    let account = || held(HeldKind::Account, "ann", "-5:open 3:off@1");
    let check = |thing: Held, expected: &str, why: &str| {
        let id = thing.names.id.clone();
        let measured = measure(left(vec![account(), thing], &["done@1"]), &Plan::default());
        assert_eq!(line(&measured, &id), expected, "{why}");
    };
    let grant = |reads| held(HeldKind::Entitlement, "ops", reads);
    check(
        grant("-5:listed 40:listed"),
        "closed in time 0..1",
        "the group is of no use",
    );
    check(
        grant("-90:listed -70:gone"),
        "before",
        "it was taken away days before",
    );
    let key = |kind, reads| Held {
        credential: Some(kind),
        ..held(HeldKind::Credential, "k", reads)
    };
    check(
        key(CredentialKind::Password, "-5:open 40:open"),
        "closed in time 0..1",
        "a password dies",
    );
    check(
        key(CredentialKind::AccessKey, "-5:open 40:open"),
        "still open 40..? no_claim",
        "a key does not",
    );
    let alive = key(CredentialKind::AccessKey, "-5:open 40:open");
    let measured = measure(
        left(
            vec![account(), alive, grant("-5:listed 40:listed")],
            &["done@1"],
        ),
        &Plan::default(),
    );
    assert_eq!(
        line(&measured, "ops"),
        "still open 40..?",
        "by the key the group is in reach"
    );
    assert_eq!(measured.verdict.word(), "fail");
}

#[test]
fn an_account_without_a_sign_in_of_its_own_closes_with_that_it_signs_in_through() {
    let plan = |session: &str| {
        let text = format!("[[system]]\nname = \"cloud\"\nsession_lifetime = \"{session}\"\n");
        Plan::parse(&text).unwrap()
    };
    for (session, expected) in [
        ("8h", "closed in time 0..9"),
        ("30h", "indeterminate 0..31"),
    ] {
        let mut cloud = held(HeldKind::Account, "c", "-5:open 90:open");
        cloud.names = Names::new("cloud", "c");
        cloud.through = Some(Names::new("ad", "ann"));
        let mut ad = held(HeldKind::Account, "ann", "-5:open 3:off@1");
        ad.beside = true;
        let measured = measure(left(vec![cloud, ad], &[]), &plan(session));
        let found = line(&measured, "c");
        assert_eq!(found, expected);
        assert_eq!(
            measured.items.len(),
            1,
            "what only leads there is not theirs"
        );
    }
}

#[test]
fn it_closes_only_once_every_source_shows_it_closed() {
    let mut account = held(HeldKind::Account, "ann", "-5:open 3:gone");
    account.told.push(told("-5:open 30:open"));
    let measured = measure(left(vec![account], &[]), &Plan::default());
    assert_eq!(line(&measured, "ann"), "still open 30..? no_claim");
}

#[test]
fn pass_needs_everything_in_time_and_nothing_missing() {
    let in_time = || vec![held(HeldKind::Account, "ann", "-5:open 3:gone")];
    let verdict = |one| measure(one, &Plan::default()).verdict.word();
    assert_eq!(verdict(left(in_time(), &["done@1"])), "pass");
    let mut missing = left(in_time(), &["done@1"]);
    missing.missing.push("cloud was never read".to_owned());
    assert_eq!(verdict(missing), "indeterminate");
    let mut things = in_time();
    things.push(held(HeldKind::Session, "s", "-5:listed"));
    assert_eq!(verdict(left(things, &["done@1"])), "indeterminate");
}

#[test]
fn shares_are_counted_with_their_interval() {
    let leavers = [
        ("-5:open 3:gone", 8),
        ("-5:open 30:open 40:gone", 1),
        ("-5:open 40:open", 1),
        ("-5:open 40:gone", 5),
    ];
    let mut counting = Counting::default();
    for (reads, times) in leavers {
        for _ in 0..times {
            let one = left(vec![held(HeldKind::Account, "ann", reads)], &[]);
            counting.add(&measure(one, &Plan::default()));
        }
    }
    let shares = counting.done();
    let all = &shares.all;
    assert_eq!(
        (all.in_time, all.late, all.still_open, all.indeterminate),
        (8, 1, 1, 5)
    );
    assert_eq!((all.share, all.at_least), (Some(0.8), Some(8.0 / 15.0)));
    // By hand: 8 of 10 at 95 %.
    let (low, high) = all.interval.unwrap();
    assert!(
        (low - 0.4901).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3,
        "{low} {high}"
    );
    assert_eq!(shares.months.keys().collect::<Vec<_>>(), ["2026-05"]);
    let day = &shares.times.bands[3];
    assert_eq!(
        (day.within_seconds, day.surely, day.at_most),
        (86_400, 8, 13)
    );
    assert_eq!(shares.times.median_at_most_seconds, Some(3 * 3600));
    assert_eq!(shares.times.nine_of_ten_at_most_seconds, Some(40 * 3600));
    assert_eq!(wilson(0, 0), None);
    assert_eq!(wilson(0, 5).unwrap().0, 0.0);
}
