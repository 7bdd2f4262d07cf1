//! Owners of very many things that belong together, and lists that are made while others store.

use super::tests::{decide, estate, facts, standings, suggested};
use crate::collect::seeded::Seeded;
use crate::collect::tests::{Bench, bench, now, read};
use crate::ownership::ObjectName;
use crate::store::OwnerVerdict;
use lastkey_contract::Kind;
use lastkey_contract::facts::ObjectType;
use serde_json::{Value, json};

/// One account with so many credentials; who owns each of them, if anybody.
async fn one_account(credentials: usize, owner_of: impl Fn(usize) -> Option<String>) -> Bench {
    let bench = bench(&["hr", "corp"]).await;
    let person = |n: usize| json!({"id": format!("p{n}"), "kind": "person", "display_name": format!("Ann {n}"), "status": "active"});
    let people: Vec<Value> = (0..credentials).map(person).collect();
    let hr = Seeded::new(500).with(Kind::Identity, facts("identity", &people));
    read(&bench, "hr", &hr).await;
    let key = |n: usize| json!({"system": "corp", "id": format!("k{n}"), "kind": "api_key", "account_id": "svc"});
    let keys: Vec<Value> = (0..credentials).map(key).collect();
    let owner = |n: usize| {
        owner_of(n).map(|id| {
            json!({"object_type": "credential", "system": "corp", "object_id": format!("k{n}"),
                "owner_id": id, "role": "technical"})
        })
    };
    let owners: Vec<Value> = (0..credentials).filter_map(owner).collect();
    let svc = json!({"system": "corp", "id": "svc", "kind": "service"});
    let corp = Seeded::new(500)
        .with(Kind::Account, facts("account", &[svc]))
        .with(Kind::Credential, facts("credential", &keys))
        .with(Kind::Owner, facts("owner", &owners));
    read(&bench, "corp", &corp).await;
    bench.store.settle_ownership(now()).await.unwrap();
    bench
}

/// Of all suggestions, also those that ask for nothing: the most of one object, and the longest
/// reasons of one.
async fn most(bench: &Bench) -> (i64, i64) {
    sqlx::query_as(
        "SELECT max(many), max(long) FROM (SELECT count(*) AS many, max(length(reasons)) AS long
         FROM owner_suggestions GROUP BY object)",
    )
    .fetch_one(bench.store.readers())
    .await
    .unwrap()
}

#[tokio::test]
async fn of_an_account_whose_credentials_all_have_another_owner_a_few_are_suggested() {
    for credentials in [30, 300] {
        let bench = one_account(credentials, |n| Some(format!("hr:p{n}"))).await;
        let (many, long) = most(&bench).await;
        assert_eq!(many, 10, "of {credentials}");
        assert!(long < 400, "of {credentials}: {long}");
        bench.store.clone().close().await;
    }
}

#[tokio::test]
async fn of_an_account_whose_credentials_have_one_owner_this_one_is_suggested_with_how_many() {
    let bench = one_account(300, |n| (n != 7).then(|| "hr:p1".to_owned())).await;
    let (_, long) = most(&bench).await;
    assert!(long < 400, "{long}");
    let k7 = ObjectName::new(ObjectType::Credential, "corp", "k7");
    let about = bench.store.owner_suggestions_about(&k7).await.unwrap();
    assert_eq!(about.len(), 1);
    assert_eq!(
        about[0].basis,
        "other credentials of its account, credential corp:k0, credential corp:k1, credential \
         corp:k2 and 296 more, have `hr:p1` as technical owner (Ann 1)"
    );
    bench.store.clone().close().await;
}

/// What is decided while the lists are made is not lost under them: they hold no longer, and
/// whoever asks next sees it.
#[tokio::test]
async fn lists_that_were_made_while_somebody_decided_do_not_hold() {
    let bench = estate().await;
    suggested(&bench).await;
    make_stale(&bench).await;
    let mark = bench.store.mark_making(now()).await.unwrap().unwrap();
    decide(&bench, "credential:corp:k1", "p1", OwnerVerdict::Confirmed).await;
    bench.store.make_lists(&mark, now()).await.unwrap();
    assert!(!bench.store.ownership_holds(now()).await.unwrap());
    assert!(standings(&bench).await.contains(&"k1 owned".to_owned()));
    assert!(bench.store.ownership_holds(now()).await.unwrap());
    bench.store.clone().close().await;
}

#[tokio::test]
async fn lists_hold_that_were_made_while_nobody_stored_anything() {
    let bench = estate().await;
    make_stale(&bench).await;
    let mark = bench.store.mark_making(now()).await.unwrap().unwrap();
    assert!(
        !bench.store.ownership_holds(now()).await.unwrap(),
        "not yet"
    );
    bench.store.make_lists(&mark, now()).await.unwrap();
    assert!(bench.store.ownership_holds(now()).await.unwrap());
    assert_eq!(bench.store.mark_making(now()).await.unwrap(), None);
    bench.store.clone().close().await;
}

async fn make_stale(bench: &Bench) {
    let mut writing = bench.store.begin().await.unwrap();
    super::mark_stale(&mut writing.tx).await.unwrap();
    writing.commit().await.unwrap();
}
