//! The order by the number of accounts beside what rows say of everybody.

use super::super::{PeopleQuery, Store};
use super::accounts;
use crate::collect::seeded::Seeded;
use crate::collect::tests::{Bench, bench, read};
use lastkey_contract::{Fact, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn facts(rows: impl Iterator<Item = Value>) -> Vec<Fact> {
    rows.map(|row| serde_json::from_value(row).unwrap())
        .collect()
}

/// People by number with what their name is, and accounts with whose they are.
#[derive(Clone, Debug, Default)]
struct Estate {
    people: BTreeMap<usize, usize>,
    accounts: BTreeMap<usize, usize>,
}

impl Estate {
    async fn read(&self, bench: &Bench) {
        let people = self.people.iter().map(|(n, name)| {
            json!({"fact": "identity", "id": format!("p{n:02}"), "kind": "person", "title": format!("t{name}")})
        });
        let accounts = self.accounts.iter().map(|(n, of)| {
            json!({"fact": "account", "system": "corp", "id": format!("a{n}"), "identity_id": format!("p{of:02}")})
        });
        let people = Seeded::new(5).with(Kind::Identity, facts(people));
        read(bench, "hr", &people).await;
        let accounts = Seeded::new(5).with(Kind::Account, facts(accounts));
        read(bench, "corp", &accounts).await;
    }
}

/// Id and number of accounts of everybody, sorted by that number.
async fn by_accounts(store: &Store, descending: bool) -> Vec<(i64, String)> {
    let query = PeopleQuery {
        search: "",
        filters: &[],
        sort: "accounts",
        descending,
        offset: 0,
        limit: 1_000,
    };
    let (rows, _, _) = store.people(&query).await.unwrap();
    rows.into_iter().map(|row| (row.accounts, row.id)).collect()
}

async fn check(bench: &Bench, why: &str) {
    let found = by_accounts(&bench.store, false).await;
    assert!(found.is_sorted(), "{why}: {found:?}");
    let mut backwards = by_accounts(&bench.store, true).await;
    backwards.reverse();
    assert_eq!(found, backwards, "{why}");
}

async fn stepping(steps: Vec<Vec<(bool, usize, Option<usize>)>>) {
    let bench = bench(&["hr", "corp"]).await;
    let mut estate = Estate {
        people: (0..20).map(|n| (n, 0)).collect(),
        accounts: (0..40).map(|n| (n, n % 7)).collect(),
    };
    estate.read(&bench).await;
    check(&bench, "at first").await;
    for step in steps {
        for (person, n, value) in step {
            let of = if person {
                &mut estate.people
            } else {
                &mut estate.accounts
            };
            match value {
                Some(value) => of.insert(n, value),
                None => of.remove(&n),
            };
        }
        estate.read(&bench).await;
        check(&bench, "after a step").await;
        let kept = by_accounts(&bench.store, false).await;
        let mut writing = bench.store.begin().await.unwrap();
        accounts::forget(&mut writing.tx).await.unwrap();
        writing.commit().await.unwrap();
        bench.store.order_by_accounts().await.unwrap();
        assert_eq!(kept, by_accounts(&bench.store, false).await, "counted anew");
    }
    bench.store.clone().close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn who_has_how_many_accounts_is_kept_through_reads(
        steps in proptest::collection::vec(proptest::collection::vec(
            (any::<bool>(), 0usize..24, proptest::option::weighted(0.7, 0usize..20)), 0..4), 1..5),
    ) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
            .block_on(stepping(steps));
    }
}

#[tokio::test]
async fn somebody_s_number_of_accounts_follows_the_accounts() {
    let bench = bench(&["hr", "corp"]).await;
    let mut estate = Estate {
        people: (0..4).map(|n| (n, 0)).collect(),
        accounts: [(0, 1), (1, 1), (2, 3)].into(),
    };
    let last = async |bench: &Bench| by_accounts(&bench.store, false).await.pop();
    estate.read(&bench).await;
    assert_eq!(last(&bench).await, Some((2, "p01".to_owned())));
    estate.accounts.extend([(3, 3), (4, 3)]);
    estate.read(&bench).await;
    assert_eq!(last(&bench).await, Some((3, "p03".to_owned())));
    estate.accounts.retain(|_, of| *of != 3);
    estate.people.insert(1, 7);
    estate.read(&bench).await;
    assert_eq!(last(&bench).await, Some((2, "p01".to_owned())));
    bench.store.clone().close().await;
}
