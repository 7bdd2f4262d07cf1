//! Search as you type: what the identities' window asks after each key.

use super::{Outcome, list, tell};
use lastkey_engine::views::{IdentityRow, ListQuery};
use lastkey_workbench::Workbench;
use std::time::Instant;

/// What is typed whatever the store holds: beginnings that very many share, signs that are no
/// ASCII, several words, nobody.
const TYPED: [&str; 5] = [
    "anna lindqvist",
    "östürk",
    "person 99",
    "zzyzx nobody",
    "-.@",
];

/// The first key after the store was opened, then each key of each word; of somebody in the middle
/// of the list the name, the id and the address are typed as well.
pub async fn each_key(bench: &Workbench) -> Outcome {
    let began = Instant::now();
    let found = bench.identities(&list("a", "", 0)).await?;
    tell("identities", "the first key `a`", began, found.matching);
    let mut typed: Vec<String> = TYPED.iter().map(|word| (*word).to_owned()).collect();
    if let Some(one) = in_the_middle(bench, found.total).await? {
        typed.extend(one.display_name.iter().map(|name| name.to_lowercase()));
        typed.push(one.id);
        typed.extend(one.email);
    }
    for word in typed {
        for (end, sign) in word.char_indices() {
            let key = word.get(..end + sign.len_utf8()).unwrap_or_default();
            let began = Instant::now();
            let found = bench.identities(&list(key, "", 0)).await?;
            tell("identities", &format!("key `{key}`"), began, found.matching);
        }
    }
    // While something is searched the list may be sorted or filtered.
    let half_typed = [
        ListQuery {
            descending: true,
            ..list("a", "display_name", 0)
        },
        list("a", "email", 0),
        list("p", "department", 0),
        ListQuery {
            filters: vec!["kind=person".to_owned()],
            ..list("a", "", 0)
        },
        ListQuery {
            filters: vec!["status=active".to_owned(), "kind=person".to_owned()],
            ..list("p", "end_date", 0)
        },
    ];
    for query in half_typed {
        let began = Instant::now();
        let found = bench.identities(&query).await?;
        let what = format!(
            "key `{}` by {} {}",
            query.search,
            query.sort,
            query.filters.join(" ")
        );
        tell("identities", what.trim_end(), began, found.matching);
    }
    Ok(())
}

async fn in_the_middle(
    bench: &Workbench,
    total: u64,
) -> Result<Option<IdentityRow>, Box<dyn std::error::Error>> {
    let one = ListQuery {
        limit: 1,
        ..list("", "", total / 2)
    };
    Ok(bench.identities(&one).await?.rows.pop())
}
