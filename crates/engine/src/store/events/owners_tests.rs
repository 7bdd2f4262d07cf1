//! Changes of owners, by sources and by people.

use super::*;
use crate::collect::seeded::{Fault, Seeded, credential, identity};
use crate::collect::tests::{Bench, bench, now, quick, read_with};
use crate::collect::{Depth, Removals, SyncSettings};
use crate::ownership::{ObjectName, OwnerState};
use crate::store::{NewOwnerDecision, OwnedBy, OwnerVerdict, RecordName};
use chrono::{Days, TimeZone};
use lastkey_contract::facts::{Attributes, ObjectType, Owner, OwnerRole};
use lastkey_contract::{Fact, Kind, Note, NoteKind, Settings};

fn line(id: &str, owner: &str, role: OwnerRole) -> Fact {
    Fact::Owner(Owner {
        object_type: ObjectType::Credential,
        system: Some("corp".into()),
        object_id: id.to_owned(),
        owner_id: owner.into(),
        role,
        attributes: Attributes::new(),
    })
}

fn technical(id: &str, owner: &str) -> Fact {
    line(id, owner, OwnerRole::Technical)
}

fn failed() -> Note {
    Note {
        kind: NoteKind::Failed,
        about: Kind::Owner,
        reason: "a row could not be read".to_owned(),
        count: 1,
        examples: Vec::new(),
    }
}

/// A read of these credentials and owner lines, on that day of 2025.
async fn shows(bench: &Bench, day: u64, source: &str, keys: &[&str], owners: Vec<Fact>) {
    let keys = keys.iter().map(|id| credential("corp", id, "svc"));
    let connector = Seeded::new(2)
        .with(Kind::Credential, keys.collect())
        .with(Kind::Owner, owners);
    assert_eq!(take(bench, day, source, &connector).await, "complete");
}

async fn take(bench: &Bench, day: u64, source: &str, connector: &Seeded) -> String {
    let settings = SyncSettings {
        read_date: Some(Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0).unwrap() + Days::new(day)),
        depth: Depth::Full,
        removals: Removals::Accept,
        ..quick()
    };
    let report = read_with(bench, source, connector, &settings).await;
    report.unwrap().state.to_string()
}

/// `object role before>after days`, and who decided it.
async fn told(bench: &Bench) -> Vec<String> {
    bench.store.find_events().await.unwrap();
    let query = EventsQuery {
        event: Some("owner_change"),
        limit: 100,
        ..EventsQuery::default()
    };
    let (events, _, _) = bench.store.events(&query, now()).await.unwrap();
    events
        .iter()
        .map(|event| {
            let change = event.owner.as_ref().unwrap();
            assert_eq!(event.changed, std::slice::from_ref(&change.role));
            let days = match &change.by {
                Some(who) => format!("by {who}"),
                None => format!("{}..{}", &event.earliest[8..10], &event.latest[8..10]),
            };
            let (before, after) = (change.before.join(","), change.after.join(","));
            let id = change.object.rsplit(':').next().unwrap();
            format!("{id} {} {before}>{after} {days}", change.role)
        })
        .collect()
}

#[tokio::test]
async fn complete_reads_tell_of_owners_that_change() {
    let bench = bench(&["corp"]).await;
    let both = ["k1", "k2"];
    let first = vec![technical("k1", "p1"), technical("k2", "p1")];
    shows(&bench, 0, "corp", &both, first).await;
    assert_eq!(told(&bench).await, [""; 0], "nothing to compare with yet");
    let second = vec![technical("k1", "p2"), technical("k2", "p1")];
    shows(&bench, 1, "corp", &both, second).await;
    let cut = Seeded::new(1)
        .with(
            Kind::Owner,
            vec![technical("k1", "p3"), technical("k2", "p1")],
        )
        .fault(Kind::Owner, 1, Fault::Note(failed()));
    assert_ne!(take(&bench, 2, "corp", &cut).await, "complete");
    shows(&bench, 3, "corp", &both, vec![technical("k2", "p1")]).await;
    // One key goes with its owner and one comes with its own: neither changed hands.
    shows(
        &bench,
        4,
        "corp",
        &["k1", "k3"],
        vec![technical("k3", "p1")],
    )
    .await;
    let more = vec![
        technical("k3", "p1"),
        line("k3", "p2", OwnerRole::Custodian),
        line("k3", "p4", OwnerRole::Business),
    ];
    shows(&bench, 5, "corp", &["k1", "k3"], more).await;
    let expected = [
        "k1 technical p1>p2 01..02",
        "k1 technical p2> 02..04",
        "k3 business >p4 05..06",
    ];
    assert_eq!(told(&bench).await, expected);
    let sync = bench.store.newest_sync().await.unwrap().unwrap();
    bench.store.take_back(sync.id).await.unwrap();
    assert_eq!(told(&bench).await, expected[..2]);
}

#[tokio::test]
async fn another_source_that_says_the_same_is_no_change() {
    let bench = bench(&["corp"]).await;
    let mut beside = Settings::default();
    beside.0.insert("supplement".to_owned(), "true".to_owned());
    let name = "cmdb".into();
    let added = bench.store.add_source(&name, "seeded", &beside, now());
    added.await.unwrap();
    let keys = Seeded::new(2).with(Kind::Owner, vec![technical("k1", "p1")]);
    shows(&bench, 0, "corp", &["k1"], vec![technical("k1", "p1")]).await;
    take(&bench, 1, "cmdb", &keys).await;
    shows(&bench, 2, "corp", &["k1"], Vec::new()).await;
    assert_eq!(told(&bench).await, [""; 0], "the other still says so");
    let other = Seeded::new(2).with(Kind::Owner, vec![technical("k1", "p2")]);
    take(&bench, 3, "cmdb", &other).await;
    assert_eq!(told(&bench).await, ["k1 technical p1>p2 02..04"]);
}

async fn decide(bench: &Bench, owner: &str, role: OwnerRole, verdict: OwnerVerdict) {
    let key = ObjectName::parse("credential:corp:k1").unwrap();
    let owner = format!("hr:{owner}");
    decide_on(bench, key, &owner, role, verdict).await;
}

async fn decide_on(
    bench: &Bench,
    object: ObjectName,
    owner: &str,
    role: OwnerRole,
    verdict: OwnerVerdict,
) {
    let (source, id) = owner.split_once(':').unwrap();
    let new = NewOwnerDecision {
        about: OwnedBy {
            object,
            owner: RecordName {
                source: source.to_owned(),
                id: id.to_owned(),
            },
            role,
        },
        verdict,
        why: "asked them".to_owned(),
        basis: String::new(),
        owner_state: OwnerState::Present,
        owner_name: None,
        owner_shown: owner.to_owned(),
    };
    bench.store.decide_owners(&[new], now()).await.unwrap();
}

#[tokio::test]
async fn decisions_tell_of_owners_that_change() {
    let bench = bench(&["corp"]).await;
    shows(&bench, 0, "corp", &["k1"], vec![technical("k1", "p1")]).await;
    let (yes, no) = (OwnerVerdict::Confirmed, OwnerVerdict::Rejected);
    decide(&bench, "p1", OwnerRole::Technical, yes).await;
    decide(&bench, "p9", OwnerRole::Technical, no).await;
    decide(&bench, "p9", OwnerRole::Custodian, yes).await;
    assert_eq!(told(&bench).await, [""; 0], "none of it is news");
    decide(&bench, "p2", OwnerRole::Technical, yes).await;
    decide(&bench, "p2", OwnerRole::Technical, no).await;
    bench
        .store
        .undo_owner_decisions(&[5], "a mistake", now())
        .await
        .unwrap();
    let given = "k1 technical hr:p1>hr:p1,hr:p2 by tester";
    let taken = "k1 technical hr:p1,hr:p2>hr:p1 by tester";
    assert_eq!(told(&bench).await, [given, taken, given]);
    // What people said counts when a source changes its mind.
    shows(&bench, 1, "corp", &["k1"], Vec::new()).await;
    assert_eq!(told(&bench).await.len(), 3);
}

/// Owner lines of a configuration database about the payroll's job, on that day.
async fn names(bench: &Bench, day: u64, object: &str, owners: &[&str]) {
    let line = |owner: &&str| {
        Fact::Owner(Owner {
            object_type: ObjectType::Identity,
            system: None,
            object_id: object.to_owned(),
            owner_id: (*owner).into(),
            role: OwnerRole::Business,
            attributes: Attributes::new(),
        })
    };
    let connector = Seeded::new(9).with(Kind::Owner, owners.iter().map(line).collect());
    assert_eq!(take(bench, day, "cmdb", &connector).await, "complete");
}

/// Three sources: two have somebody called `p1`, one names owners.
async fn estate() -> Bench {
    let bench = bench(&["hr", "vendors", "cmdb"]).await;
    let people = |ids: &[&str]| ids.iter().map(|id| identity(id, id)).collect();
    let hr = Seeded::new(9).with(Kind::Identity, people(&["p1", "p2", "p3", "job"]));
    take(&bench, 0, "hr", &hr).await;
    let vendors = Seeded::new(9).with(Kind::Identity, people(&["p1", "p9"]));
    take(&bench, 0, "vendors", &vendors).await;
    bench
}

fn job() -> ObjectName {
    ObjectName::new(ObjectType::Identity, "hr", "job")
}

#[tokio::test]
async fn what_a_source_names_stands_before_a_confirmed_one_too() {
    let bench = estate().await;
    let (role, yes, no) = (
        OwnerRole::Business,
        OwnerVerdict::Confirmed,
        OwnerVerdict::Rejected,
    );
    names(&bench, 1, "job", &["p2"]).await;
    // Observed alone, then confirmed as well: the source still names its own.
    decide_on(&bench, job(), "hr:p3", role, yes).await;
    let mut expected = vec!["job business hr:p2>hr:p2,hr:p3 by tester"];
    assert_eq!(told(&bench).await, expected);
    // What is observed changes under the confirmed one.
    names(&bench, 2, "job", &["p9"]).await;
    expected.push("job business hr:p2,hr:p3>hr:p3,vendors:p9 02..03");
    // The confirmed one is taken back.
    let undo = bench.store.undo_owner_decisions(&[1], "a mistake", now());
    undo.await.unwrap();
    expected.push("job business hr:p3,vendors:p9>vendors:p9 by tester");
    // Observed names go, and somebody confirmed is all there is.
    decide_on(&bench, job(), "hr:p2", role, yes).await;
    expected.push("job business vendors:p9>hr:p2,vendors:p9 by tester");
    names(&bench, 3, "hr:job", &[]).await;
    expected.push("job business hr:p2,vendors:p9>hr:p2 03..04");
    decide_on(&bench, job(), "hr:p2", role, no).await;
    expected.push("job business hr:p2> by tester");
    let mut all = told(&bench).await;
    all.sort();
    expected.sort_unstable();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_line_means_the_same_with_its_sources_name_and_without() {
    let bench = estate().await;
    let (role, yes) = (OwnerRole::Business, OwnerVerdict::Confirmed);
    decide_on(&bench, job(), "hr:p3", role, yes).await;
    names(&bench, 1, "job", &["p2"]).await;
    names(&bench, 2, "hr:job", &["hr:p2"]).await;
    let given = "job business >hr:p3 by tester".to_owned();
    assert_eq!(told(&bench).await, std::slice::from_ref(&given));
    names(&bench, 3, "hr:job", &["vendors:p1"]).await;
    let changed = "job business hr:p2,hr:p3>hr:p3,vendors:p1 03..04".to_owned();
    let mut all = told(&bench).await;
    all.sort();
    assert_eq!(all, [given.clone(), changed.clone()]);
    // The namesake is somebody else.
    decide_on(&bench, job(), "hr:p1", role, yes).await;
    let beside = "job business hr:p3,vendors:p1>hr:p1,hr:p3,vendors:p1 by tester".to_owned();
    let mut all = told(&bench).await;
    all.sort();
    assert_eq!(all, [given, changed, beside]);
}
