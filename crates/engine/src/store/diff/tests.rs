//! Diffs beside what they must amount to: two estates compared the slow way.

use super::*;
use crate::collect::seeded::{Fault, Seeded, account, credential, error, grant, identity};
use crate::collect::tests::{Bench, bench, now, quick, read, read_with};
use crate::collect::{Removals, SyncSettings};
use crate::views::Difference;
use lastkey_contract::{ErrorKind, Fact};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Numbers of objects, and which of their contents each has.
type Estate = BTreeMap<u32, u8>;

fn facts(kind: Kind, estate: &Estate) -> Vec<Fact> {
    let of = |(n, content): (&u32, &u8)| match kind {
        Kind::Identity => vec![identity(&format!("u{n}"), &format!("Person {content}"))],
        Kind::Account => vec![account("ad", &format!("a{n}"), &format!("u{content}"))],
        Kind::Credential => {
            let mut fact = credential("ad", &format!("c{n}"), "a");
            if let Fact::Credential(credential) = &mut fact {
                credential.name = Some(format!("name {content}"));
            }
            vec![fact]
        }
        // One row that stays and one that has the content: grants may repeat.
        _ => {
            let mut fact = grant("ad", &format!("a{n}"), "e");
            if let Fact::Grant(grant) = &mut fact {
                grant.reason = Some(format!("reason {content}"));
            }
            vec![grant("ad", &format!("a{n}"), "e"), fact]
        }
    };
    estate.iter().flat_map(of).collect()
}

const KINDS: [Kind; 4] = [Kind::Identity, Kind::Account, Kind::Grant, Kind::Credential];

fn connector(estate: &Estate, page: usize) -> Seeded {
    KINDS
        .into_iter()
        .fold(Seeded::new(page), |connector, kind| {
            connector.with(kind, facts(kind, estate))
        })
}

fn accepting() -> SyncSettings {
    SyncSettings {
        removals: Removals::Accept,
        ..quick()
    }
}

async fn rows(bench: &Bench, from: u64, to: u64) -> Vec<DiffRow> {
    let query = DiffQuery {
        from: SyncId(from),
        to: SyncId(to),
        kinds: Vec::new(),
        filters: Vec::new(),
    };
    let mut rows = Vec::new();
    bench
        .store
        .diff::<StoreError>(&query, |row| {
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        })
        .await
        .unwrap();
    // Windows give the same, in the same order.
    let mut windows = Vec::new();
    loop {
        let offset = windows.len() as u64;
        let window = bench.store.diff_window(&query, offset, 7).await.unwrap();
        if window.is_empty() {
            break;
        }
        windows.extend(window);
    }
    assert_eq!(windows, rows);
    listed(bench, &query, &rows).await;
    rows
}

/// The list gives the same rows, wherever it is entered and whatever of it is wanted.
async fn listed(bench: &Bench, query: &DiffQuery, rows: &[DiffRow]) {
    let list = bench.store.diff_list(query).await.unwrap();
    let all = Narrow::default();
    let removed = Narrow {
        what: Some(Difference::Removed),
        ..Narrow::default()
    };
    let accounts = Narrow {
        kind: Some(Kind::Account),
        source: Some("ad".to_owned()),
        ..Narrow::default()
    };
    let of_no_source = Narrow {
        source: Some("none".to_owned()),
        ..Narrow::default()
    };
    for narrow in [all, removed, accounts, of_no_source] {
        let wanted: Vec<&DiffRow> = rows
            .iter()
            .filter(|row| narrow.what.is_none_or(|what| row.what == what))
            .filter(|row| narrow.kind.is_none_or(|kind| row.kind == kind.word()))
            .filter(|row| narrow.source.as_ref().is_none_or(|s| row.source == *s))
            .collect();
        let amounts = (rows.len() as u64, wanted.len() as u64);
        assert_eq!(list.amounts(&narrow), amounts);
        for offset in (0..=rows.len() as u64).step_by(5) {
            let window = bench.store.diff_list_window(&list, &narrow, offset, 7);
            let window = window.await.unwrap();
            let skipped = wanted.iter().skip(offset as usize).take(7);
            assert!(window.iter().eq(skipped.copied()), "{narrow:?} at {offset}");
        }
        let found = bench.store.diff_list_search(&list, &narrow, "A1", 0, 100);
        let named = wanted.iter().filter(|row| row.id.contains("a1")).count() as u64;
        assert_eq!(found.await.unwrap().1, named);
    }
    let counted = list.counts().iter().fold(0, |sum, count| {
        sum + count.added + count.changed + count.removed + count.disappeared_without_proof
    });
    assert_eq!(counted, rows.len() as u64);
}

fn words(rows: &[DiffRow]) -> Vec<String> {
    let mut words: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row.what.words(), row.kind, row.id))
        .collect();
    words.sort();
    words
}

/// What must differ, by looking at everything.
fn expected(before: &Estate, after: &Estate) -> Vec<String> {
    let mut words = Vec::new();
    for kind in KINDS {
        let id = |n: &u32| match kind {
            Kind::Identity => format!("u{n}"),
            Kind::Account => format!("ad:a{n}"),
            Kind::Credential => format!("ad:c{n}"),
            _ => format!("ad:e:account:ad:a{n}"),
        };
        let times = if kind == Kind::Grant { 2 } else { 1 };
        for n in before.keys().chain(after.keys()) {
            let what = match (before.get(n), after.get(n)) {
                (None, Some(_)) => "added",
                (Some(_), None) => "removed",
                (Some(a), Some(b)) if a != b => "changed",
                (_, _) => continue,
            };
            let times = if what == "changed" { 1 } else { times };
            words.extend(vec![format!("{what} {} {}", kind.word(), id(n)); times]);
        }
    }
    words.sort();
    // Those in both were looked at twice.
    let mut once = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let count = words.iter().filter(|other| *other == word).count();
        let twice = word.starts_with("changed");
        let keep = if twice { count / 2 } else { count };
        once.extend(vec![word.clone(); keep]);
        at += count;
    }
    once
}

async fn every_pair(reads: &[Estate], page: usize) {
    let bench = bench(&["ad"]).await;
    for estate in reads {
        read_with(&bench, "ad", &connector(estate, page), &accepting())
            .await
            .unwrap();
    }
    let none = Estate::new();
    let states: Vec<&Estate> = std::iter::once(&none).chain(reads).collect();
    for (from, before) in states.iter().enumerate() {
        for (to, after) in states.iter().enumerate().skip(from) {
            let told = rows(&bench, from as u64, to as u64).await;
            assert_eq!(words(&told), expected(before, after), "{from} {to}");
            for row in told {
                assert_eq!(row.changed.is_empty(), row.what != Difference::Changed);
                assert_eq!(row.why.is_some(), row.what == Difference::Removed);
                assert!((from as u64) < row.sync && row.sync <= to as u64);
            }
        }
    }
    bench.store.clone().close().await;
}

fn in_a_runtime(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn a_diff_names_exactly_what_differs(
        reads in proptest::collection::vec(
            proptest::collection::btree_map(0u32..12, 0u8..3, 0..12), 1..4),
        page in 3usize..12,
    ) {
        in_a_runtime(every_pair(&reads, page));
    }
}

#[tokio::test]
async fn a_change_has_both_values_and_a_removal_its_proof() {
    let bench = bench(&["ad"]).await;
    for estate in [
        Estate::from([(1, 0), (2, 0)]),
        Estate::from([(1, 1), (3, 0)]),
    ] {
        read(&bench, "ad", &connector(&estate, 50)).await;
    }
    let told = rows(&bench, 1, 2).await;
    let person = |what| {
        let mut rows = told.iter().filter(|row| row.kind == "identity");
        rows.find(|row| row.what == what).unwrap()
    };
    let changed = &person(Difference::Changed).changed;
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].column, "display_name");
    assert_eq!(changed[0].before, "Person 0");
    assert_eq!(changed[0].after, "Person 1");
    let gone = person(Difference::Removed);
    assert_eq!(
        gone.why.as_deref(),
        Some("a complete read of identities did not show it")
    );
    assert_eq!(gone.fact["display_name"], "Person 0");
    let filtered = DiffQuery {
        from: SyncId(1),
        to: SyncId(2),
        kinds: vec![Kind::Grant],
        filters: vec![("principal_id".to_owned(), "a3".to_owned())],
    };
    let some = bench.store.diff_window(&filtered, 0, 10).await.unwrap();
    assert_eq!(words(&some), vec!["added grant ad:e:account:ad:a3"; 2]);
    // What no kind that is compared can have is refused: an empty answer would look like "no change".
    for (kinds, column, value) in [
        (vec![Kind::Grant], "status", "active"),
        (Vec::new(), "colour", "red"),
        (Vec::new(), "status", "activ"),
        (vec![Kind::Account, Kind::Identity], "enabled", "yes"),
    ] {
        let query = DiffQuery {
            kinds,
            filters: vec![(column.to_owned(), value.to_owned())],
            ..filtered.clone()
        };
        assert!(
            bench.store.diff_window(&query, 0, 1).await.is_err(),
            "{query:?}"
        );
    }
    let all = DiffQuery {
        kinds: Vec::new(),
        filters: vec![("status".to_owned(), "active".to_owned())],
        ..filtered
    };
    bench.store.diff_window(&all, 0, 1).await.unwrap();
}

#[tokio::test]
async fn what_an_unfinished_read_left_out_is_told_apart_from_what_is_gone() {
    let all: Estate = (0..9).map(|n| (n, 0)).collect();
    let half = SyncSettings { ..quick() };
    let fault = Fault::Error(error(ErrorKind::Protocol, "half an answer"));
    let bench = bench(&["ad"]).await;
    read(&bench, "ad", &connector(&all, 3)).await;
    let people = Seeded::new(3).with(Kind::Identity, facts(Kind::Identity, &all));
    let failing = people.clone().fault(Kind::Identity, 1, fault);
    read_with(&bench, "ad", &failing, &half).await.unwrap();
    let told = rows(&bench, 1, 2).await;
    let left_out: Vec<String> = (3..9)
        .map(|n| format!("disappeared without proof identity u{n}"))
        .collect();
    assert_eq!(words(&told), left_out);
    assert!(told[0].why.as_deref().unwrap().contains("half an answer"));
    let query = DiffQuery {
        from: SyncId(1),
        to: SyncId(2),
        kinds: Vec::new(),
        filters: Vec::new(),
    };
    let unfinished = bench.store.diff_unfinished(&query).await.unwrap();
    let told: Vec<String> = unfinished
        .iter()
        .map(|one| format!("{} {} {}", one.kind, one.showed_something, one.why))
        .collect();
    assert_eq!(
        told,
        [
            "identity true half an answer",
            "account false accounts were read before and are not offered any more",
            "grant false grants were read before and are not offered any more",
            "credential false credentials were read before and are not offered any more",
        ]
    );
    // A whole read shows them: nothing differs any more.
    read(&bench, "ad", &connector(&all, 3)).await;
    assert_eq!(words(&rows(&bench, 1, 3).await), Vec::<String>::new());
}

#[tokio::test]
async fn a_kind_that_the_last_read_did_not_bring_is_told_after_a_whole_read_too() {
    let bench = bench(&["ad"]).await;
    let all: Estate = (0..3).map(|n| (n, 0)).collect();
    let whole = connector(&all, 5);
    read(&bench, "ad", &whole).await;
    read(&bench, "ad", &whole).await;
    let accounts = Seeded::new(5).with(Kind::Account, facts(Kind::Account, &all));
    read(&bench, "ad", &accounts).await;
    let unfinished = async |from: u64, to: u64| -> Vec<String> {
        let query = DiffQuery {
            from: SyncId(from),
            to: SyncId(to),
            kinds: vec![Kind::Grant, Kind::Account],
            filters: Vec::new(),
        };
        let told = bench.store.diff_unfinished(&query).await.unwrap();
        told.into_iter()
            .map(|one| format!("{} {} {}", one.kind, one.sync, one.showed_something))
            .collect()
    };
    assert_eq!(unfinished(2, 3).await, ["grant 3 false"]);
    assert_eq!(unfinished(1, 3).await, ["grant 3 false"]);
    assert_eq!(unfinished(0, 3).await, ["grant 3 false"]);
    read(&bench, "ad", &whole).await;
    assert_eq!(unfinished(1, 4).await, Vec::<String>::new());
}

#[tokio::test]
async fn removals_that_are_held_are_without_proof_until_they_are_accepted() {
    let bench = bench(&["ad"]).await;
    let all: Estate = (0..30).map(|n| (n, 0)).collect();
    let few: Estate = (0..12).map(|n| (n, 0)).collect();
    let of = |estate: &Estate| Seeded::new(50).with(Kind::Account, facts(Kind::Account, estate));
    read(&bench, "ad", &of(&all)).await;
    read(&bench, "ad", &of(&few)).await;
    let told = rows(&bench, 1, 2).await;
    assert_eq!(told.len(), 18);
    assert!(told.iter().all(|row| row.what == Difference::Unproved));
    assert!(told[0].why.as_deref().unwrap().contains("is held"));
    read_with(&bench, "ad", &of(&few), &accepting())
        .await
        .unwrap();
    let told = rows(&bench, 1, 3).await;
    assert_eq!(told.len(), 18);
    assert!(told.iter().all(|row| row.what == Difference::Removed));
    bench
        .store
        .remove_source(&"ad".into(), crate::store::Removal::OfSource, now())
        .await
        .unwrap();
    let told = rows(&bench, 3, 4).await;
    assert_eq!(told.len(), 12);
    assert_eq!(told[0].why.as_deref(), Some("the source was removed"));
}
