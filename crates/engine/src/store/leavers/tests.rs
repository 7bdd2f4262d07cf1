//! Small worlds: who left, what they had by any version of it, and what reads prove.

mod afterwards;
mod telling;

use super::*;
use crate::collect::seeded::{Fault, Seeded, account, credential, error, grant, identity_fact};
use crate::collect::tests::{Bench, bench, now, quick, read_with};
use crate::collect::{Depth, Removals, SyncSettings};
use crate::lifecycle::Plan;
use crate::measured::{MeasuredLeaver, measure};
use crate::store::Removal;
use chrono::{Days, TimeZone};
use lastkey_contract::facts::IdentityStatus;
use lastkey_contract::{ErrorKind, Fact, Kind, Note, NoteKind, When};
use serde_json::json;

fn day(n: u64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap() + Days::new(n)
}

fn settings(at: u64) -> SyncSettings {
    SyncSettings {
        read_date: Some(day(at)),
        depth: Depth::Full,
        removals: Removals::Accept,
        ..quick()
    }
}

/// A roster: who is active, and who has left on which day.
async fn roster(bench: &Bench, at: u64, active: &[&str], gone: &[(&str, u64)]) {
    let mut facts = Vec::new();
    for id in active {
        let mut one = identity_fact(id, id);
        one.status = Some(IdentityStatus::Active);
        facts.push(Fact::Identity(one));
    }
    for (id, left) in gone {
        let mut one = identity_fact(id, id);
        one.status = Some(IdentityStatus::Inactive);
        one.end_date = Some(When::Day {
            from: day(left - 1),
            until: day(*left),
        });
        facts.push(Fact::Identity(one));
    }
    let connector = Seeded::new(50).with(Kind::Identity, facts);
    read_with(bench, "hr", &connector, &settings(at))
        .await
        .unwrap();
}

/// A read of a system to its end.
async fn system(bench: &Bench, source: &str, at: u64, facts: &[(Kind, Vec<Fact>)]) {
    let connector = seeded(facts);
    let report = read_with(bench, source, &connector, &settings(at)).await;
    assert_eq!(report.unwrap().state, "complete");
}

fn seeded(facts: &[(Kind, Vec<Fact>)]) -> Seeded {
    let all = facts.iter().cloned();
    all.fold(Seeded::new(50), |connector, (kind, facts)| {
        connector.with(kind, facts)
    })
}

fn accounts(ids: &[&str]) -> (Kind, Vec<Fact>) {
    let of = |id: &&str| account("ad", &format!("a-{id}"), id);
    (Kind::Account, ids.iter().map(of).collect())
}

async fn measured(bench: &Bench) -> Vec<MeasuredLeaver> {
    let mut all = Vec::new();
    let take = |window: Vec<Left>| {
        all.extend(
            window
                .into_iter()
                .map(|left| measure(left, &Plan::default())),
        );
        Ok::<(), StoreError>(())
    };
    let query = LeaversQuery::default();
    bench
        .store
        .each_past_leaver(&query, now(), take)
        .await
        .unwrap();
    all
}

/// `who kind id state gap`, a line for each thing.
async fn lines(bench: &Bench) -> Vec<String> {
    let mut lines = Vec::new();
    for leaver in measured(bench).await {
        for item in leaver.items {
            let gap = item
                .gap
                .map_or(String::new(), |gap| format!(" {}", gap.word()));
            let (who, kind) = (&leaver.identity, item.kind.word());
            lines.push(format!(
                "{who} {kind} {} {}{gap}",
                item.id,
                item.state.word()
            ));
        }
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn what_was_deleted_since_is_known_from_its_past() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann", "bob", "cay"], &[]).await;
    system(&bench, "ad", 2, &[accounts(&["ann", "bob", "cay"])]).await;
    roster(&bench, 10, &["bob"], &[("ann", 8), ("cay", 8)]).await;
    system(&bench, "ad", 11, &[accounts(&["bob", "cay"])]).await;
    let found = lines(&bench).await;
    assert_eq!(
        found,
        [
            "hr:ann account a-ann indeterminate",
            "hr:cay account a-cay still open",
        ]
    );
    let leavers = measured(&bench).await;
    for leaver in &leavers {
        // Here nobody ever told of anything but accounts.
        assert_eq!(
            leaver.missing_facts,
            ["no source tells of grants, credentials"]
        );
    }
    // The roster no longer lists them, and they are known all the same.
    roster(&bench, 20, &["bob"], &[]).await;
    assert_eq!(lines(&bench).await, found);
}

#[tokio::test]
async fn an_account_that_names_nobody_since_they_left_is_theirs_still() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    system(&bench, "ad", 2, &[accounts(&["ann"])]).await;
    roster(&bench, 10, &[], &[("ann", 8)]).await;
    let cleared = json!({"system": "ad", "id": "a-ann"});
    let cleared = Fact::Account(serde_json::from_value(cleared).unwrap());
    system(&bench, "ad", 11, &[(Kind::Account, vec![cleared])]).await;
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann still open"]);
}

#[tokio::test]
async fn a_credential_that_names_no_account_any_more_is_still_open() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    let key = credential("ad", "k1", "a-ann");
    let group = grant("ad", "a-ann", "ops");
    let whole = [
        accounts(&["ann"]),
        (Kind::Credential, vec![key]),
        (Kind::Grant, vec![group.clone()]),
    ];
    system(&bench, "ad", 2, &whole).await;
    roster(&bench, 10, &[], &[("ann", 8)]).await;
    let loose = json!({"system": "ad", "id": "k1", "kind": "api_key"});
    let loose = Fact::Credential(serde_json::from_value(loose).unwrap());
    let after = [
        (Kind::Account, Vec::new()),
        (Kind::Credential, vec![loose]),
        (Kind::Grant, vec![group]),
    ];
    system(&bench, "ad", 11, &after).await;
    assert_eq!(
        lines(&bench).await,
        [
            "hr:ann account a-ann indeterminate",
            "hr:ann credential k1 still open",
            "hr:ann entitlement ops still open",
        ]
    );
}

#[tokio::test]
async fn a_read_that_does_not_come_to_its_end_widens_the_bounds_and_says_so() {
    for (fault, what) in [
        (
            Fault::Note(Note {
                kind: NoteKind::Skipped,
                about: Kind::Account,
                reason: "a row could not be read".to_owned(),
                count: 1,
                examples: Vec::new(),
            }),
            "a part was skipped",
        ),
        (
            Fault::Error(error(ErrorKind::Forbidden, "no right to read accounts")),
            "nothing could be read",
        ),
    ] {
        let bench = bench(&["hr", "ad"]).await;
        roster(&bench, 1, &["ann", "bob"], &[]).await;
        system(&bench, "ad", 2, &[accounts(&["ann", "bob"])]).await;
        roster(&bench, 10, &["bob"], &[("ann", 8)]).await;
        let cut = seeded(&[accounts(&["bob"])]).fault(Kind::Account, 0, fault);
        let report = read_with(&bench, "ad", &cut, &settings(11)).await.unwrap();
        assert_ne!(report.state, "complete", "{what}");
        let lost = &measured(&bench).await[0];
        assert_eq!(lost.items[0].closed, None, "{what}: it proves nothing gone");
        assert_eq!(lost.verdict.word(), "indeterminate", "{what}");
        system(&bench, "ad", 15, &[accounts(&["bob"])]).await;
        let found = &measured(&bench).await[0];
        let item = &found.items[0];
        assert_eq!(item.closed, Some(day(15)), "{what}");
        assert_eq!(
            item.unread.map(|unread| unread.from),
            Some(day(11)),
            "{what}"
        );
        assert!(
            item.why.contains("did not come to its end"),
            "{what}: {}",
            item.why
        );
        assert_eq!(found.verdict.word(), "indeterminate", "{what}");
    }
}

#[tokio::test]
async fn a_source_that_is_removed_proves_nothing_closed() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    system(&bench, "ad", 2, &[accounts(&["ann"])]).await;
    roster(&bench, 10, &[], &[("ann", 8)]).await;
    let name = "ad".into();
    bench
        .store
        .remove_source(&name, Removal::OfSource, now())
        .await
        .unwrap();
    let found = &measured(&bench).await[0];
    assert_eq!(found.items[0].closed, None);
    assert_eq!(found.verdict.word(), "indeterminate");
    assert!(
        found.missing_facts[0].contains("since they left"),
        "{:?}",
        found.missing_facts
    );
}

#[tokio::test]
async fn tasks_are_of_whom_they_name_and_when() {
    let bench = bench(&["hr", "ad", "tickets"]).await;
    roster(&bench, 1, &["ann", "bob"], &[]).await;
    system(&bench, "ad", 2, &[accounts(&["ann", "bob"])]).await;
    roster(&bench, 10, &[], &[("ann", 8), ("bob", 8)]).await;
    system(&bench, "ad", 12, &[accounts(&["ann", "bob"])]).await;
    let task = |id: &str, who: serde_json::Value| {
        let mut task = json!({
            "id": id, "system": "ad", "event": "leaver", "status": "done", "retries": 0,
            "closed_at": "2026-01-09T10:00:00Z", "action": "disable_account",
        });
        task.as_object_mut()
            .unwrap()
            .extend(who.as_object().unwrap().clone());
        Fact::Task(serde_json::from_value(task).unwrap())
    };
    let tasks = vec![
        task("T1", json!({"account_id": "a-ann"})),
        task("T2", json!({"identity_id": "bob", "event": "joiner"})),
    ];
    system(&bench, "tickets", 13, &[(Kind::Task, tasks)]).await;
    assert_eq!(
        lines(&bench).await,
        [
            "hr:ann account a-ann still open done_and_open",
            "hr:bob account a-bob still open no_claim",
        ]
    );
}

#[tokio::test]
async fn who_comes_back_has_what_they_have_by_right() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    system(&bench, "ad", 2, &[accounts(&["ann"])]).await;
    roster(&bench, 10, &[], &[("ann", 8)]).await;
    roster(&bench, 20, &["ann"], &[]).await;
    system(&bench, "ad", 25, &[accounts(&["ann"])]).await;
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann indeterminate"]);
    let found = &measured(&bench).await[0];
    assert!(
        found.items[0].why.contains("came back"),
        "{}",
        found.items[0].why
    );
}

#[tokio::test]
async fn whoever_was_inactive_when_first_read_left_by_their_last_day() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 5, &["bob"], &[("ann", 3)]).await;
    system(&bench, "ad", 6, &[accounts(&["ann", "bob"])]).await;
    let found = measured(&bench).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].earliest, found[0].latest), (Some(day(3)), day(3)));
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann still open"]);
    assert!(
        found[0].missing_facts[0].contains("before"),
        "{:?}",
        found[0].missing_facts
    );
}

/// A leaver's verdict, and what is missing for a pass.
async fn verdict_of(bench: &Bench) -> (crate::lifecycle::Verdict, String) {
    let leaver = measured(bench).await.remove(0);
    (leaver.verdict, leaver.missing_facts.join("; "))
}

#[tokio::test]
async fn who_is_connected_to_no_account_does_not_pass() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["p1"], &[]).await;
    let nobodys = (Kind::Account, vec![account("ad", "a1", "")]);
    let rest = [(Kind::Grant, Vec::new()), (Kind::Credential, Vec::new())];
    let all = [&[nobodys][..], &rest].concat();
    system(&bench, "ad", 1, &all).await;
    roster(&bench, 3, &[], &[("p1", 2)]).await;
    system(&bench, "ad", 3, &all).await;
    let (verdict, missing) = verdict_of(&bench).await;
    assert_eq!(verdict, crate::lifecycle::Verdict::Indeterminate);
    assert!(
        missing.contains("no account is known to have been theirs"),
        "{missing}"
    );
}

#[tokio::test]
async fn whoever_was_announced_here_is_measured_from_then_on() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["p1"], &[]).await;
    let rest = [(Kind::Grant, Vec::new()), (Kind::Credential, Vec::new())];
    let open = [&[accounts(&["p1"])][..], &rest].concat();
    system(&bench, "ad", 1, &open).await;
    assert!(measured(&bench).await.is_empty());
    let event = (lastkey_contract::facts::LifecycleEvent::Leaver, day(2));
    let watch = bench.store.start_watch(("hr", "p1"), event, "root", day(2));
    let watch = watch.await.unwrap().unwrap();
    system(&bench, "ad", 6, &open).await;
    assert_eq!(lines(&bench).await, ["hr:p1 account a-p1 still open"]);
    // Told later by the roster, it stays the same leaving, from the announcement on.
    roster(&bench, 8, &[], &[("p1", 7)]).await;
    let all = measured(&bench).await;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].earliest, all[0].latest), (Some(day(2)), day(2)));
    assert!(all[0].marks.contains(&"announced".to_owned()));
    // A watch that was stopped by hand was perhaps a mistake: what the roster tells counts.
    bench.store.stop_watch(watch, day(9)).await.unwrap();
    assert_eq!(measured(&bench).await[0].latest, day(7));
}

#[tokio::test]
async fn the_end_of_a_day_belongs_to_the_day() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["p1"], &[]).await;
    roster(&bench, 9, &[], &[("p1", 5)]).await;
    let of = async |since: Option<u64>, before: Option<u64>| {
        let query = LeaversQuery {
            since: since.map(day),
            before: before.map(day),
            ..LeaversQuery::default()
        };
        let mut count = 0;
        let take = |window: Vec<Left>| {
            count += window.len();
            Ok::<(), StoreError>(())
        };
        bench
            .store
            .each_past_leaver(&query, now(), take)
            .await
            .unwrap();
        count
    };
    // The last day is the fifth, which ends where the sixth begins (day 5 counted from nought).
    assert_eq!(of(Some(4), Some(5)).await, 1, "on the last day");
    assert_eq!(of(Some(5), None).await, 0, "the day after");
    assert_eq!(of(None, Some(4)).await, 0, "the day before");
}

#[tokio::test]
async fn who_has_not_left_yet_is_not_measured() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    system(&bench, "ad", 1, &[accounts(&["ann"])]).await;
    // They are inactive already, and their last day lies after now, which is day 59.
    roster(&bench, 58, &[], &[("ann", 61)]).await;
    assert!(measured(&bench).await.is_empty());
}

#[tokio::test]
async fn what_may_be_of_before_they_came_back_is_not_left_out() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    system(&bench, "ad", 1, &[(Kind::Account, Vec::new())]).await;
    roster(&bench, 3, &[], &[("ann", 2)]).await;
    system(&bench, "ad", 10, &[accounts(&["ann"])]).await;
    // Back at some moment from day 3 to 20: the account of day 10 may be of either time.
    roster(&bench, 20, &["ann"], &[]).await;
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann indeterminate"]);
}

#[tokio::test]
async fn whom_the_ended_vendor_employed_is_told_by_what_they_named_last() {
    let bench = bench(&["hr", "ad"]).await;
    let register = async |at: u64, status: IdentityStatus, employer: Option<&str>| {
        let mut vendor = identity_fact("v1", "Vendor");
        vendor.kind = lastkey_contract::facts::IdentityKind::Vendor;
        vendor.status = Some(status);
        let mut person = identity_fact("p1", "Person");
        person.status = Some(IdentityStatus::Active);
        person.employer_id = employer.map(Into::into);
        let facts = vec![Fact::Identity(vendor), Fact::Identity(person)];
        let connector = Seeded::new(50).with(Kind::Identity, facts);
        let read = read_with(&bench, "hr", &connector, &settings(at)).await;
        assert_eq!(read.unwrap().state, "complete");
    };
    register(1, IdentityStatus::Active, Some("v1")).await;
    system(&bench, "ad", 1, &[accounts(&["p1"])]).await;
    register(3, IdentityStatus::Inactive, None).await;
    system(&bench, "ad", 9, &[accounts(&["p1"])]).await;
    let lines = lines(&bench).await;
    assert_eq!(lines, ["hr:v1 account a-p1 still open"]);
}

#[tokio::test]
async fn an_account_that_could_have_been_theirs_is_missing_also_once_it_is_gone() {
    let bench = bench(&["hr", "ad"]).await;
    let people = |gone: bool| {
        let mut ann = identity_fact("ann", "Ann");
        let mut bob = identity_fact("bob", "Bob");
        (ann.email, bob.email) = (Some("one@x".to_owned()), Some("one@x".to_owned()));
        bob.status = Some(IdentityStatus::Active);
        ann.status = Some(match gone {
            true => IdentityStatus::Inactive,
            false => IdentityStatus::Active,
        });
        vec![Fact::Identity(ann), Fact::Identity(bob)]
    };
    let read = async |at: u64, gone: bool| {
        let connector = Seeded::new(50).with(Kind::Identity, people(gone));
        let read = read_with(&bench, "hr", &connector, &settings(at)).await;
        assert_eq!(read.unwrap().state, "complete");
    };
    let Fact::Account(mut shared) = account("ad", "shared", "") else {
        panic!("an account");
    };
    shared.identity_id = None;
    shared.email = Some("one@x".to_owned());
    let shared = (Kind::Account, vec![Fact::Account(shared)]);
    read(1, false).await;
    system(&bench, "ad", 1, std::slice::from_ref(&shared)).await;
    read(3, true).await;
    system(&bench, "ad", 9, &[shared]).await;
    let doubt = "account ad:shared may be theirs";
    assert!(verdict_of(&bench).await.1.contains(doubt));
    system(&bench, "ad", 20, &[accounts(&["bob"])]).await;
    let (_, missing) = verdict_of(&bench).await;
    assert!(missing.contains(doubt), "{missing}");
}
