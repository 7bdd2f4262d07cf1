//! Tables beside what they must hold: any window of any filter is what a plain list of all rows,
//! gone through one by one, has there.

use super::*;
use crate::collect::seeded::{Seeded, account, credential, grant, identity};
use crate::collect::tests::{bench, quick, read_with};
use lastkey_contract::Fact;
use proptest::prelude::*;

type Rows = Vec<Map<String, Value>>;

fn facts(kind: Kind, numbers: &[u8]) -> Vec<Fact> {
    let of = |n: &u8| {
        let system = ["ad", "erp"][usize::from(n % 2)];
        let mut fact = match kind {
            Kind::Identity => identity(&format!("u{}", n / 3), &format!("Ann \"{}\"", n % 4)),
            Kind::Account => account(system, &format!("a{}", n / 3), &format!("u{}", n % 4)),
            Kind::Credential => credential(system, &format!("c{}", n / 3), &format!("a{}", n % 5)),
            _ => grant(system, &format!("a{}", n / 3), &format!("e{}", n % 5)),
        };
        if let Fact::Account(one) = &mut fact {
            one.enabled = Some(n.is_multiple_of(3));
            one.name = Some(format!("back\\slash \u{7} {}", n % 3));
        }
        fact
    };
    let mut facts: Vec<Fact> = numbers.iter().map(of).collect();
    let mut seen = std::collections::HashSet::new();
    facts.retain(|fact| seen.insert(fact.key()));
    facts
}

const KINDS: [Kind; 4] = [Kind::Identity, Kind::Account, Kind::Credential, Kind::Grant];

fn asked_for(kind: Kind) -> Vec<Vec<(&'static str, &'static str)>> {
    let mut all = vec![vec![], vec![("source", "hr")], vec![("source", "nobody")]];
    all.extend(match kind {
        Kind::Identity => vec![
            vec![("id", "u3")],
            vec![("id", "nobody")],
            vec![("display_name", "Ann \"2\"")],
        ],
        Kind::Account => vec![
            vec![("id", "a3")],
            vec![("system", "erp"), ("id", "a3")],
            vec![("identity_id", "u1"), ("enabled", "false")],
            vec![("enabled", "true")],
            vec![("name", "back\\slash \u{7} 1")],
        ],
        Kind::Credential => vec![vec![("account_id", "a2")], vec![("id", "c4")]],
        _ => vec![
            vec![("entitlement_id", "e1")],
            vec![("principal_system", "ad"), ("principal_id", "a2")],
            vec![("principal_id", "a2")],
            vec![("principal_type", "account"), ("system", "ad")],
        ],
    });
    all
}

/// Looked at the long way.
fn has(row: &Map<String, Value>, (column, wanted): &(&str, &str)) -> bool {
    match &row[*column] {
        Value::String(text) => text == wanted,
        Value::Bool(yes) => yes.to_string() == *wanted,
        _ => false,
    }
}

async fn whole(store: &Store, kind: Kind, query: &TableQuery) -> Rows {
    let mut all = Rows::new();
    let taken = store.each_row::<StoreError>(kind, query, |rows| {
        all.extend(rows);
        Ok(ControlFlow::Continue(()))
    });
    taken.await.unwrap();
    all
}

async fn holds(store: &Store, as_of: Option<SyncId>) {
    for kind in KINDS {
        let every = TableQuery {
            as_of,
            ..TableQuery::default()
        };
        let plain = whole(store, kind, &every).await;
        for filters in asked_for(kind) {
            let wanted: Rows = plain
                .iter()
                .filter(|row| filters.iter().all(|filter| has(row, filter)))
                .cloned()
                .collect();
            let pair = |(column, value): &(&str, &str)| (column.to_string(), value.to_string());
            let mut query = TableQuery {
                filters: filters.iter().map(pair).collect(),
                as_of,
                limit: 3,
                ..TableQuery::default()
            };
            assert_eq!(whole(store, kind, &query).await, wanted, "{filters:?}");
            let mut paged = Rows::new();
            loop {
                let window = store.table(kind, &query).await.unwrap();
                assert_eq!(window.matching, wanted.len() as u64, "{filters:?}");
                if window.rows.is_empty() {
                    break;
                }
                query.offset += window.rows.len() as u64;
                paged.extend(window.rows);
            }
            assert_eq!(paged, wanted, "{filters:?}");
        }
    }
}

async fn after_each_read(reads: &[Vec<u8>]) {
    let bench = bench(&["hr"]).await;
    let settings = crate::collect::SyncSettings {
        removals: crate::collect::Removals::Accept,
        ..quick()
    };
    let mut first = None;
    for numbers in reads {
        let connector = KINDS.into_iter().fold(Seeded::new(7), |connector, kind| {
            connector.with(kind, facts(kind, numbers))
        });
        let report = read_with(&bench, "hr", &connector, &settings)
            .await
            .unwrap();
        // What was remembered of the state before holds no more.
        holds(&bench.store, None).await;
        let first = *first.get_or_insert(SyncId(report.sync));
        holds(&bench.store, Some(first)).await;
    }
    bench.store.clone().close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn any_window_of_any_filter_is_what_a_plain_list_has_there(
        reads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(after_each_read(&reads));
    }
}

#[tokio::test]
async fn a_table_read_in_one_pass_ends_when_enough_is_seen() {
    let bench = bench(&["hr"]).await;
    let people = (0..600)
        .map(|n| identity(&format!("u{n}"), "Ann"))
        .collect();
    let connector = Seeded::new(300).with(Kind::Identity, people);
    read_with(&bench, "hr", &connector, &quick()).await.unwrap();
    let mut seen = 0;
    let query = TableQuery::default();
    let taken = bench
        .store
        .each_row::<StoreError>(Kind::Identity, &query, |rows| {
            seen += rows.len();
            Ok(ControlFlow::Break(()))
        });
    taken.await.unwrap();
    assert_eq!(seen, 300, "the rows of the first block");
    bench.store.clone().close().await;
}
