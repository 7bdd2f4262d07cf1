//! Blocks beside what they must amount to: after any reads, every earlier moment is as it was.

use super::super::{Store, SyncId, TableQuery};
use crate::collect::Removals;
use crate::collect::seeded::{Seeded, credential, grant, identity};
use crate::collect::tests::{bench, quick, read_with};
use lastkey_contract::{Fact, Kind};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Numbers of objects, and which of their contents each has.
type Estate = BTreeMap<u32, u8>;

fn grants(estate: &Estate) -> Vec<Fact> {
    let of = |(n, content): (&u32, &u8)| {
        let mut fact = grant("ad", &format!("a{n}"), &format!("e{}", n % 5));
        if let Fact::Grant(grant) = &mut fact {
            grant.reason = Some(format!("reason {content}"));
        }
        fact
    };
    estate.iter().map(of).collect()
}

fn credentials(estate: &Estate) -> Vec<Fact> {
    let of = |(n, content): (&u32, &u8)| {
        let mut fact = credential("ad", &format!("c{n}"), &format!("a{n}"));
        if let Fact::Credential(credential) = &mut fact {
            credential.name = Some(format!("name {content}"));
        }
        fact
    };
    estate.iter().map(of).collect()
}

fn sorted(facts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = facts.collect();
    texts.sort();
    texts
}

fn as_json<T: serde::Serialize>(facts: &[T]) -> Vec<String> {
    sorted(
        facts
            .iter()
            .map(|fact| serde_json::to_string(fact).unwrap()),
    )
}

fn bare(facts: &[Fact]) -> Vec<String> {
    sorted(facts.iter().map(|fact| match fact {
        Fact::Grant(grant) => serde_json::to_string(grant).unwrap(),
        Fact::Credential(credential) => serde_json::to_string(credential).unwrap(),
        other => panic!("{other:?}"),
    }))
}

/// What the store says of one moment, by every way there is to ask.
async fn holds(store: &Store, at: Option<SyncId>, estate: &Estate, page: u32) {
    let snapshot = store.load_snapshot(at).await.unwrap();
    assert_eq!(as_json(&snapshot.grants), bare(&grants(estate)));
    assert_eq!(as_json(&snapshot.credentials), bare(&credentials(estate)));
    for kind in [Kind::Grant, Kind::Credential] {
        let mut query = TableQuery {
            as_of: at,
            limit: page,
            ..TableQuery::default()
        };
        let mut rows = Vec::new();
        loop {
            let table = store.table(kind, &query).await.unwrap();
            assert_eq!(table.matching, estate.len() as u64);
            query.offset += table.rows.len() as u64;
            if table.rows.is_empty() {
                break;
            }
            rows.extend(table.rows);
        }
        assert_eq!(rows.len(), estate.len());
        query.offset = 0;
        query.filters = vec![match kind {
            Kind::Grant => ("reason".to_owned(), "reason 1".to_owned()),
            _ => ("name".to_owned(), "name 1".to_owned()),
        }];
        let wanted = estate.values().filter(|content| **content == 1).count();
        let table = store.table(kind, &query).await.unwrap();
        assert_eq!(table.matching, wanted as u64);
        if at.is_none() {
            assert_eq!(
                store.population_size(kind).await.unwrap(),
                estate.len() as u64
            );
            let (mut after, mut seen) = (0, 0);
            loop {
                let part = store.population(kind, after, page).await.unwrap();
                let Some((last, _)) = part.last() else { break };
                (after, seen) = (*last, seen + part.len());
            }
            assert_eq!(seen, estate.len());
        }
    }
}

async fn every_moment(reads: &[Estate], page: usize) {
    let bench = bench(&["ad"]).await;
    let settings = crate::collect::SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    let mut moments = Vec::new();
    for estate in reads {
        let connector = Seeded::new(page)
            .with(Kind::Grant, grants(estate))
            .with(Kind::Credential, credentials(estate));
        read_with(&bench, "ad", &connector, &settings)
            .await
            .unwrap();
        let sync = bench.store.newest_sync().await.unwrap().unwrap().id;
        moments.push((sync, estate));
    }
    let window = u32::try_from(page).unwrap();
    for (sync, estate) in &moments {
        holds(&bench.store, Some(*sync), estate, window).await;
    }
    let Some((last, estate)) = moments.last() else {
        return;
    };
    holds(&bench.store, None, estate, window).await;
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());

    // Without its last sync the store is what it was before it.
    bench.store.take_back(*last).await.unwrap();
    let before = moments.iter().rev().nth(1);
    let none = Estate::new();
    holds(&bench.store, None, before.map_or(&none, |(_, e)| e), window).await;

    // A source that is removed takes what it holds with it; what was, was.
    let source = "ad".into();
    let now = crate::collect::tests::now();
    bench
        .store
        .remove_source(&source, crate::store::Removal::OfSource, now)
        .await
        .unwrap();
    holds(&bench.store, None, &none, window).await;
    if let Some((sync, estate)) = before {
        holds(&bench.store, Some(*sync), estate, window).await;
    }
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    // Before the process ends: SQLCipher takes its tables down under whoever is at work then.
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
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn any_reads_leave_every_moment_as_it_was(
        reads in proptest::collection::vec(
            proptest::collection::btree_map(0u32..30, 0u8..3, 0..30), 1..5),
        page in 3usize..12,
    ) {
        in_a_runtime(every_moment(&reads, page));
    }
}

#[test]
fn objects_that_fill_several_blocks_are_all_there_and_go_one_by_one() {
    let all: Estate = (0..2_500).map(|n| (n, 0)).collect();
    let some: Estate = (0..2_500)
        .filter(|n| n % 7 != 0)
        .map(|n| (n, u8::from(n % 11 == 0)))
        .collect();
    in_a_runtime(every_moment(&[all.clone(), some, all], 2_000));
}

async fn blocks_of(store: &Store, kind: Kind) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM blocks WHERE kind = ?1")
        .bind(kind.word())
        .fetch_one(store.readers())
        .await
        .unwrap()
}

/// Pages of five, with a change on each of them in the second read.
async fn in_small_pages() {
    let bench = bench(&["ad"]).await;
    let settings = crate::collect::SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    let people = |changed: &dyn Fn(usize) -> bool| -> Vec<Fact> {
        (0..1_300)
            .map(|n| {
                let name = if changed(n) { "New" } else { "Old" };
                identity(&format!("u{n}"), &format!("{name} {n}"))
            })
            .collect()
    };
    let mut counts = Vec::new();
    let second = |n: usize| n.is_multiple_of(5);
    for (sync, changed) in [(1, &(|_| false) as &dyn Fn(usize) -> bool), (2, &second)] {
        let all: Estate = (0..1_300)
            .map(|n| (n, u8::from(changed(n as usize))))
            .collect();
        let connector = Seeded::new(5)
            .with(Kind::Identity, people(changed))
            .with(Kind::Grant, grants(&all));
        let report = read_with(&bench, "ad", &connector, &settings)
            .await
            .unwrap();
        assert_eq!(report.sync, sync);
        counts.push((
            blocks_of(&bench.store, Kind::Identity).await,
            blocks_of(&bench.store, Kind::Grant).await,
        ));
        // Among what is looked at: the list of identities knows them by their rows.
        assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    }
    assert_eq!(counts, [(2, 2), (3, 3)], "260 pages a kind");
    let then = bench.store.load_snapshot(Some(SyncId(1))).await.unwrap();
    let old = then.identities.iter().filter(|one| {
        let name = one.display_name.as_deref();
        name.is_some_and(|name| name.starts_with("Old"))
    });
    assert_eq!(old.count(), 1_300);
    let found = bench.store.find_identity("u1295").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].display_name.as_deref(), Some("New 1295"));
    bench.store.take_back(SyncId(2)).await.unwrap();
    let found = bench.store.find_identity("u1295").await.unwrap();
    assert_eq!(found[0].display_name.as_deref(), Some("Old 1295"));
    assert_eq!(blocks_of(&bench.store, Kind::Grant).await, 2);
    bench.store.clone().close().await;
}

#[test]
fn small_pages_leave_few_blocks() {
    in_a_runtime(in_small_pages());
}
