//! What leads nowhere, said once for sources that are read together.

use super::*;

fn later() -> SyncSettings {
    SyncSettings {
        company: Company::Others,
        ..quick()
    }
}

/// The dangling lines of a sync.
async fn said(bench: &Bench, sync: u64) -> Vec<String> {
    let lines = bench.store.journal(None, Some(SyncId(sync)), 0, 1000).await;
    let (lines, _) = lines.unwrap();
    let dangling = lines.iter().filter(|line| line.what == "dangling");
    let mut said: Vec<String> = dangling
        .map(|l| format!("{:?} {} {} {:?}", l.kind, l.text, l.count, l.examples))
        .collect();
    said.sort();
    said
}

/// What the whole check of one source finds.
async fn found(bench: &Bench, source: &str) -> Vec<String> {
    let source = bench.store.source(&source.into()).await.unwrap();
    let lines = bench.store.broken_reference_lines(source.id).await.unwrap();
    let mut found: Vec<String> = lines
        .iter()
        .map(|l| {
            let kind = l.kind.map(|kind| kind.word());
            format!("{:?} {} {} {:?}", kind, l.text, l.count, l.examples)
        })
        .collect();
    found.sort();
    found
}

/// Accounts, grants and credentials of a system; some of them name what `holes` says is missing.
fn system(name: &str, people: u32, holes: u32) -> Seeded {
    let ids: Vec<String> = (0..20).map(|n| format!("a{n}")).collect();
    let accounts = ids.iter().zip(0u32..);
    let accounts = accounts.map(|(id, n)| account(name, id, &format!("u{}", n % people)));
    let grants = (0..30u32).map(|n| {
        let to = format!("a{}", n % (20 + holes));
        grant(name, &to, "g")
    });
    let credentials = (0..10u32 + holes).map(|n| {
        let to = format!("a{}", n + 10);
        credential(name, &format!("c{n}"), &to)
    });
    Seeded::new(7)
        .with(Kind::Account, accounts.collect())
        .with(Kind::Grant, grants.collect())
        .with(Kind::Credential, credentials.collect())
}

#[tokio::test]
async fn it_is_said_of_each_what_its_own_check_finds() {
    for (people, holes) in [(1, 0), (3, 2), (9, 5), (20, 0)] {
        let bench = bench(&["ad", "cloud", "erp", "hr"]).await;
        let mut syncs = Vec::new();
        for name in ["ad", "cloud", "erp"] {
            let read = read_with(&bench, name, &system(name, people, holes), &later()).await;
            syncs.push((name, read.unwrap().sync));
        }
        // Whom the accounts name is read last.
        let hr = Seeded::new(7).with(Kind::Identity, super::people(0..5));
        let read = read_with(&bench, "hr", &hr, &later()).await.unwrap();
        syncs.push(("hr", read.sync));
        for (_, sync) in &syncs {
            assert!(said(&bench, *sync).await.is_empty());
        }
        bench.store.say_references(now()).await.unwrap();
        for (name, sync) in &syncs {
            assert_eq!(said(&bench, *sync).await, found(&bench, name).await);
        }
        let of_ad = said(&bench, syncs[0].1).await.join("\n");
        assert_eq!(of_ad.contains("identities"), people > 5, "{of_ad}");
        assert_eq!(of_ad.contains("\"grant\") accounts"), holes > 0, "{of_ad}");
        // Nothing is said twice.
        bench.store.say_references(now()).await.unwrap();
        for (name, sync) in &syncs {
            assert_eq!(said(&bench, *sync).await, found(&bench, name).await);
        }
        assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_was_left_unsaid_is_said_at_the_next_start() {
    let bench = bench(&["ad"]).await;
    let read = read_with(&bench, "ad", &system("ad", 3, 2), &later()).await;
    let sync = read.unwrap().sync;
    assert!(said(&bench, sync).await.is_empty());
    let Bench {
        store,
        path,
        _folder,
    } = bench;
    store.close().await;
    let store = Store::open(&path, &key(), "tester", now()).await.unwrap();
    let bench = Bench {
        store,
        path,
        _folder,
    };
    assert!(!said(&bench, sync).await.is_empty());
    assert_eq!(said(&bench, sync).await, found(&bench, "ad").await);
}

#[tokio::test]
async fn a_read_that_another_followed_is_not_held_against_the_facts_of_the_other() {
    let bench = bench(&["ad"]).await;
    let first = read_with(&bench, "ad", &system("ad", 3, 2), &later()).await;
    let second = read_with(&bench, "ad", &system("ad", 3, 4), &later()).await;
    bench.store.say_references(now()).await.unwrap();
    assert!(said(&bench, first.unwrap().sync).await.is_empty());
    let second = said(&bench, second.unwrap().sync).await;
    assert_eq!(second, found(&bench, "ad").await);
}

/// Everybody in the order of their names, and whom a search finds.
async fn listed(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let mut lists = Vec::new();
    for search in ["", "person 1"] {
        let query = PeopleQuery {
            search,
            filters: &[],
            sort: "display_name",
            descending: false,
            offset: 0,
            limit: 1000,
        };
        let (rows, ..) = bench.store.people(&query).await.unwrap();
        let shown = rows.iter().map(|row| format!("{row:?}"));
        lists.push(shown.collect());
    }
    let found = lists.pop().unwrap_or_default();
    (lists.pop().unwrap_or_default(), found)
}

#[tokio::test]
async fn lists_are_the_same_as_after_reads_one_by_one() {
    let (alone, others) = (bench(&["hr", "more"]).await, bench(&["hr", "more"]).await);
    let staff = |names: std::ops::Range<u32>, of: &str| -> Vec<Fact> {
        let name = |n| format!("Person {n} {of}");
        let of_one = |n| identity(&format!("{of}{n}"), &name(n));
        names.map(of_one).collect()
    };
    for (hr, more) in [(0..30, 0..3), (2..33, 1..9), (2..33, 1..9), (0..3, 0..0)] {
        let hr = Seeded::new(4).with(Kind::Identity, staff(hr, "a"));
        let more = Seeded::new(4).with(Kind::Identity, staff(more, "b"));
        for (name, connector) in [("hr", &hr), ("more", &more)] {
            let at_once = SyncSettings {
                removals: Removals::Accept,
                ..quick()
            };
            let later = SyncSettings {
                deriving: Deriving::Later,
                company: Company::Others,
                ..at_once.clone()
            };
            read_with(&alone, name, connector, &at_once).await.unwrap();
            read_with(&others, name, connector, &later).await.unwrap();
        }
        others.store.derive_if_stale().await.unwrap();
        let (all, found) = listed(&others).await;
        assert_eq!((all.clone(), found.clone()), listed(&alone).await);
        assert!(!all.is_empty() && !found.is_empty() && found.len() < all.len());
    }
}
