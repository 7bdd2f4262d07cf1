//! What retention deletes, what it never does, and what is refused afterwards.

use crate::collect::seeded::{Seeded, account, identity};
use crate::collect::tests::{Bench, bench, now, read_with};
use crate::collect::{Removals, SyncSettings};
use crate::store::{DiffQuery, StoreError, SyncId, TableQuery, WhichLinks};
use chrono::{TimeDelta, TimeZone, Utc};
use lastkey_contract::{Fact, Kind};

/// Ten days, on each of which every account is another one.
async fn ten_days() -> Bench {
    let bench = bench(&["ad"]).await;
    for day in 1..=10 {
        let accounts: Vec<Fact> = (0..5)
            .map(|n| account("ad", &format!("a{day}-{n}"), "u"))
            .collect();
        let settings = SyncSettings {
            read_date: Some(Utc.with_ymd_and_hms(2026, 2, day, 0, 0, 0).unwrap()),
            removals: Removals::Accept,
            ..crate::collect::tests::quick()
        };
        let connector = Seeded::new(10)
            .with(Kind::Account, accounts)
            .with(Kind::Identity, vec![identity("u", "One")]);
        read_with(&bench, "ad", &connector, &settings)
            .await
            .unwrap();
    }
    bench
}

async fn accounts(bench: &Bench, sync: u64) -> Result<u64, StoreError> {
    let query = TableQuery {
        as_of: Some(SyncId(sync)),
        limit: 100,
        ..TableQuery::default()
    };
    Ok(bench.store.table(Kind::Account, &query).await?.matching)
}

#[tokio::test]
async fn nothing_is_deleted_unless_it_is_set() {
    let bench = ten_days().await;
    let report = bench.store.run_retention(now()).await.unwrap();
    assert_eq!((report.kinds.len(), report.journals), (0, 0));
    assert_eq!(accounts(&bench, 1).await.unwrap(), 5);
}

#[tokio::test]
async fn old_versions_go_and_what_was_before_is_refused() {
    let bench = ten_days().await;
    let store = &bench.store;
    store
        .set_retention(None, None, Some(4), now())
        .await
        .unwrap();
    let told = store.retention_preview(now()).await.unwrap();
    assert_eq!(
        accounts(&bench, 1).await.unwrap(),
        5,
        "a preview deletes nothing"
    );
    let done = store.run_retention(now()).await.unwrap();
    assert_eq!(told, done);
    let of_accounts = done.kinds.iter().find(|k| k.kind == "account").unwrap();
    // Those of the first five days had ended by the sixth.
    assert_eq!((of_accounts.upto, of_accounts.versions), (6, 25));
    assert!(done.journals > 0);
    for sync in 1..=5 {
        let refused = accounts(&bench, sync).await.unwrap_err();
        assert!(refused.to_string().contains("was deleted"), "{refused}");
    }
    for sync in 6..=10 {
        assert_eq!(accounts(&bench, sync).await.unwrap(), 5, "{sync}");
    }
    let query = DiffQuery {
        from: SyncId(3),
        to: SyncId(10),
        kinds: Vec::new(),
        filters: Vec::new(),
    };
    let refused = store.diff_window(&query, 0, 10).await.unwrap_err();
    assert!(matches!(refused, StoreError::BeforeHorizon { .. }));
    assert!(store.load_snapshot(Some(SyncId(2))).await.is_err());
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let log = store.log_window(0, 100).await.unwrap();
    assert_eq!(log.last().unwrap().what, "retention run");
}

#[tokio::test]
async fn what_a_package_shows_stays_whole() {
    let bench = ten_days().await;
    let store = &bench.store;
    // Exported on the third day.
    let at = Utc.with_ymd_and_hms(2026, 2, 3, 12, 0, 0).unwrap();
    let payload = serde_json::json!({"package": "p-1"});
    store.log("package exported", &payload, at).await.unwrap();
    store
        .set_retention(None, Some(2), None, now())
        .await
        .unwrap();
    let done = store.run_retention(now()).await.unwrap();
    let told: Vec<(u64, u64)> = done.evidence.iter().map(|e| (e.sync, e.versions)).collect();
    assert_eq!(told, [(3, 5)]);
    assert!(done.evidence[0].why.contains("`p-1`"));
    assert_eq!(accounts(&bench, 3).await.unwrap(), 5);
    assert!(accounts(&bench, 2).await.is_err());
    assert!(accounts(&bench, 4).await.is_err());
    assert_eq!(
        accounts(&bench, 10).await.unwrap(),
        5,
        "what is current stays"
    );
    // Again, later: nothing more goes, and the evidence stays.
    let later = now() + TimeDelta::days(400);
    store.run_retention(later).await.unwrap();
    assert_eq!(accounts(&bench, 3).await.unwrap(), 5);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn who_left_is_remembered_for_as_long_as_an_account_is_theirs() {
    let bench = bench(&["hr", "ad"]).await;
    let store = &bench.store;
    let mail = |id: &str| -> Fact {
        let fact = serde_json::json!({
            "fact": "identity", "id": id, "kind": "person", "email": "ann@x.org"});
        serde_json::from_value(fact).unwrap()
    };
    let of_mail = serde_json::json!({
        "fact": "account", "system": "ad", "id": "a9", "email": "ann@x.org"});
    let of_mail: Fact = serde_json::from_value(of_mail).unwrap();
    let day = |day: u32| SyncSettings {
        read_date: Some(Utc.with_ymd_and_hms(2026, 2, day, 0, 0, 0).unwrap()),
        removals: Removals::Accept,
        ..crate::collect::tests::quick()
    };
    let hr = async |n: u32, people: Vec<Fact>| {
        let connector = Seeded::new(10).with(Kind::Identity, people);
        read_with(&bench, "hr", &connector, &day(n)).await.unwrap();
    };
    let ad = async |n: u32, accounts: Vec<Fact>| {
        let connector = Seeded::new(10).with(Kind::Account, accounts);
        read_with(&bench, "ad", &connector, &day(n)).await.unwrap();
    };
    // When what leavers held is no evidence any more.
    let later = now() + TimeDelta::days(800);
    let states = async || {
        let which = WhichLinks::default();
        let (links, _) = store.links_after(&which, -1, 10).await.unwrap();
        let told = links.into_iter().map(|link| link.state.word());
        told.collect::<Vec<&str>>()
    };
    hr(1, vec![mail("u1")]).await;
    hr(2, vec![identity("gone", "Nobody's")]).await;
    let accounts = vec![of_mail, account("ad", "a1", "u1")];
    ad(3, accounts).await;
    hr(4, vec![mail("u2")]).await;
    for n in 5..10 {
        hr(n, vec![mail("u2")]).await;
    }
    let before = states().await;
    assert_eq!(
        before,
        ["possibly connected", "of somebody who is not listed"]
    );
    store
        .set_retention(None, None, Some(2), now())
        .await
        .unwrap();
    let told = store.retention_preview(later).await.unwrap();
    let done = store.run_retention(later).await.unwrap();
    assert_eq!(told, done);
    let people = done.kinds.iter().find(|k| k.kind == "identity").unwrap();
    assert_eq!((done.held_for_accounts, people.held), (1, 1));
    assert_eq!(people.versions, 1, "of who had no account, nothing is held");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(states().await, before);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    // With the accounts, what said whose they were goes too.
    ad(11, vec![account("ad", "b", "u2")]).await;
    for n in 12..15 {
        hr(n, vec![mail("u2")]).await;
    }
    let done = store.run_retention(later).await.unwrap();
    assert_eq!(done.held_for_accounts, 0);
    assert_eq!(states().await, ["connected"]);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
