//! The roster beside what a plain list says: the same order, the same finds.

use super::super::{PeopleQuery, PersonRow, Store};
use super::Set;
use crate::collect::seeded::Seeded;
use crate::collect::tests::{bench, read};
use lastkey_contract::{Fact, Kind};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

fn fact(n: usize, (name, mail, department): &(String, Option<String>, Option<String>)) -> Fact {
    Fact::Identity(
        serde_json::from_value(json!({
            "id": format!("u{n:03}"), "kind": "person", "display_name": name,
            "email": mail, "department": department,
        }))
        .unwrap(),
    )
}

async fn ask(
    store: &Store,
    search: &str,
    filters: &[(&str, &str)],
    sort: &str,
) -> (Vec<PersonRow>, u64) {
    let filters: Vec<(String, String)> = filters
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    let query = PeopleQuery {
        search,
        filters: &filters,
        sort,
        descending: false,
        offset: 0,
        limit: 10_000,
    };
    let (rows, matching, _) = store.people(&query).await.unwrap();
    let backwards = PeopleQuery {
        descending: true,
        ..query
    };
    let (mut reversed, _, _) = store.people(&backwards).await.unwrap();
    reversed.reverse();
    assert_eq!(rows, reversed, "descending is ascending backwards");
    // Window by window it is the same list.
    let mut windows = Vec::new();
    loop {
        let window = PeopleQuery {
            offset: windows.len() as u64,
            limit: 7,
            ..query
        };
        let (part, _, _) = store.people(&window).await.unwrap();
        if part.is_empty() {
            break;
        }
        windows.extend(part);
    }
    assert_eq!(rows, windows);
    (rows, matching)
}

fn ids(rows: &[PersonRow]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

/// The words of a person as a reader would list them.
fn plain_words(row: &PersonRow) -> Vec<String> {
    let all = [Some(&row.id), row.display_name.as_ref(), row.email.as_ref()];
    all.into_iter()
        .flatten()
        .flat_map(|text| {
            text.to_lowercase()
                .split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

fn in_a_runtime(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

async fn holds(people: Vec<(String, Option<String>, Option<String>)>, search: String) {
    let bench = bench(&["hr"]).await;
    let facts: Vec<Fact> = people.iter().enumerate().map(|(n, p)| fact(n, p)).collect();
    read(&bench, "hr", &Seeded::new(13).with(Kind::Identity, facts)).await;
    let (all, matching) = ask(&bench.store, "", &[], "").await;
    assert_eq!((all.len(), matching), (people.len(), people.len() as u64));
    assert!(ids(&all).is_sorted());
    for sort in ["display_name", "email", "department"] {
        let (rows, _) = ask(&bench.store, "", &[], sort).await;
        let keys: Vec<(String, &str)> = rows
            .iter()
            .map(|row| {
                let text = match sort {
                    "display_name" => &row.display_name,
                    "email" => &row.email,
                    _ => &row.department,
                };
                let text = text.as_deref().unwrap_or_default().to_lowercase();
                (text, row.id.as_str())
            })
            .collect();
        assert!(keys.is_sorted(), "{sort}: {keys:?}");
    }
    let parts: Vec<&str> = search.split(' ').filter(|part| !part.is_empty()).collect();
    let fits = |row: &&PersonRow| {
        let words = plain_words(row);
        parts
            .iter()
            .all(|part| words.iter().any(|word| word.starts_with(part)))
    };
    let (found, matching) = ask(&bench.store, &search, &[], "display_name").await;
    let mut expected = ids(&all
        .iter()
        .filter(fits)
        .collect::<Vec<_>>()
        .into_iter()
        .cloned()
        .collect::<Vec<_>>())
    .into_iter()
    .map(str::to_owned)
    .collect::<Vec<_>>();
    let mut got: Vec<String> = ids(&found).into_iter().map(str::to_owned).collect();
    expected.sort();
    got.sort();
    assert_eq!(got, expected, "search for `{search}`");
    assert_eq!(matching, got.len() as u64);
    for department in ["a", "bb"] {
        let (rows, _) = ask(&bench.store, "", &[("department", department)], "id").await;
        let with = all
            .iter()
            .filter(|row| row.department.as_deref() == Some(department));
        assert_eq!(rows.len(), with.count(), "department {department}");
    }
    bench.store.clone().close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_people_are_found_and_sorted(
        people in proptest::collection::vec(
            ("[a-cA-C]{1,3} [a-c]{1,3}", proptest::option::of("[a-c]{1,2}@[ab]\\.x"),
             proptest::option::of("(a|bb|c)")), 0..40),
        search in "[a-c]{1,3}( [a-c]{1,2})?",
    ) {
        in_a_runtime(holds(people, search));
    }
}

#[test]
fn beginnings_that_many_share_are_found_whole_and_part() {
    in_a_runtime(async {
        let bench = bench(&["hr"]).await;
        let people: Vec<Fact> = (0..5_000)
            .map(|n| fact(n * 7, &(format!("Жанна Émile{n}"), None, None)))
            .collect();
        read(
            &bench,
            "hr",
            &Seeded::new(1000).with(Kind::Identity, people),
        )
        .await;
        for (search, found) in [
            ("u", 5_000),
            ("ж", 5_000),
            ("жанна", 5_000),
            ("émile", 5_000),
            ("EMILE1", 1_111),
            ("emile1 жан", 1_111),
            ("emile4999", 1),
            ("u34993", 1),
            ("u34994", 0),
            ("zz", 0),
            // No id has a sign; names have.
            (".", 0),
            (" ", 5_000),
        ] {
            let (_, matching) = ask(&bench.store, search, &[], "").await;
            assert_eq!(matching, found, "search for `{search}`");
        }
        bench.store.clone().close().await;
    });
}

#[test]
fn signs_alone_are_found_in_ids_as_they_stand() {
    in_a_runtime(async {
        let bench = bench(&["hr"]).await;
        let person = |id: &str, name: &str| {
            let json = json!({ "id": id, "kind": "person", "display_name": name });
            Fact::Identity(serde_json::from_value(json).unwrap())
        };
        let all = [
            ("a-1", "A"),
            ("a.b", "B-C"),
            ("ab", "A."),
            ("x-.y", "D"),
            ("y.-x", "D"),
            ("ü—z", "D"),
        ];
        let mut people: Vec<Fact> = all.iter().map(|(id, name)| person(id, name)).collect();
        people.extend((0..40).map(|n| person(&format!("n{n}"), "N-N")));
        let found = async |search: &str| {
            let (rows, _) = ask(&bench.store, search, &[], "").await;
            ids(&rows).join(" ")
        };
        let seeded = |people: &[Fact]| Seeded::new(9).with(Kind::Identity, people.to_vec());
        read(&bench, "hr", &seeded(&people)).await;
        for (search, expected) in [
            ("-", "a-1 x-.y y.-x"),
            (".", "a.b x-.y y.-x"),
            ("-.", "x-.y"),
            ("—", "ü—z"),
            ("#", ""),
        ] {
            assert_eq!(found(search).await, expected, "search for `{search}`");
        }
        // One leaves, another comes.
        people[0] = person("c#c", "C");
        read(&bench, "hr", &seeded(&people)).await;
        for (search, expected) in [("-", "x-.y y.-x"), ("#", "c#c")] {
            assert_eq!(found(search).await, expected, "search for `{search}`");
        }
        bench.store.clone().close().await;
    });
}

#[test]
fn who_left_is_gone_at_once_and_who_came_is_there_after_the_read() {
    in_a_runtime(async {
        let bench = bench(&["hr", "vendors"]).await;
        let people = |range: std::ops::Range<usize>| -> Vec<Fact> {
            range
                .map(|n| fact(n, &(format!("Person {n}"), None, Some("a".to_owned()))))
                .collect()
        };
        for range in [0..20, 0..19, 3..25] {
            let expected: Vec<String> = range.clone().map(|n| format!("u{n:03}")).collect();
            read(
                &bench,
                "hr",
                &Seeded::new(7).with(Kind::Identity, people(range)),
            )
            .await;
            let (rows, _) = ask(&bench.store, "person", &[("department", "a")], "").await;
            assert_eq!(ids(&rows), expected);
        }
        let now = crate::collect::tests::now();
        bench
            .store
            .remove_source(&"hr".into(), crate::store::Removal::OfSource, now)
            .await
            .unwrap();
        let (rows, matching) = ask(&bench.store, "", &[], "").await;
        assert_eq!((rows.len(), matching), (0, 0));
        bench.store.clone().close().await;
    });
}

/// Who is listed in each order, and who is found by each of some words.
async fn listed(store: &Store) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (search, sort) in [
        ("", "id"),
        ("", "display_name"),
        ("", "email"),
        ("", "department"),
        ("a", "id"),
        ("u06", "id"),
        ("b b", "display_name"),
    ] {
        let (rows, _) = ask(store, search, &[], sort).await;
        all.push(ids(&rows).into_iter().map(str::to_owned).collect());
    }
    all
}

type Step = Vec<(usize, Option<(String, Option<String>, Option<String>)>)>;

/// Reads sixty people, then small changes of them; the lists are those of a store that has only
/// read how it ended.
async fn kept(steps: Vec<Step>) {
    let (stepping, afresh) = (bench(&["hr"]).await, bench(&["hr"]).await);
    let mut people: BTreeMap<usize, _> = (0..60)
        .map(|n| (n, (format!("a{} b", n % 9), None, None)))
        .collect();
    for step in [Vec::new()].into_iter().chain(steps) {
        for (n, person) in step {
            match person {
                Some(person) => people.insert(n, person),
                None => people.remove(&n),
            };
        }
        let facts: Vec<Fact> = people.iter().map(|(n, person)| fact(*n, person)).collect();
        let connector = Seeded::new(13).with(Kind::Identity, facts);
        read(&stepping, "hr", &connector).await;
    }
    let facts: Vec<Fact> = people.iter().map(|(n, person)| fact(*n, person)).collect();
    let connector = Seeded::new(13).with(Kind::Identity, facts);
    read(&afresh, "hr", &connector).await;
    assert_eq!(listed(&stepping.store).await, listed(&afresh.store).await);
    for bench in [stepping, afresh] {
        bench.store.clone().close().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn after_small_changes_lists_are_what_they_are_when_made_anew(
        steps in proptest::collection::vec(proptest::collection::vec(
            (0usize..66, proptest::option::weighted(0.8, (
                "[a-c]{1,3} [a-c]{1,3}",
                proptest::option::of("[a-c]{1,2}@[ab]\\.x"),
                proptest::option::of("(a|bb|c)"),
            ))), 1..4), 1..4),
    ) {
        in_a_runtime(kept(steps));
    }
}

#[test]
fn a_set_of_all_has_each_and_whom_it_leaves_out_no_more() {
    for size in [0, 1, 63, 64, 65, 200] {
        let mut set = Set::all(size);
        assert_eq!(set.len(), size);
        assert!(!set.has(size as u32), "{size}");
        let odd = (0..size as u32).filter(|number| number % 2 == 1);
        odd.for_each(|number| set.leave_out(number));
        let even: Vec<u32> = (0..size as u32).step_by(2).collect();
        assert_eq!(set.numbers().collect::<Vec<_>>(), even, "{size}");
    }
}
