//! Tries: none is sent that was not kept first, and all that a server counts together are counted together.

use super::probes::NewProbe;
use crate::collect::tests::bench;
use crate::probes::Lockout;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use lastkey_contract::{Answer, Tried};

fn at(minute: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

fn probe(name: &str, account: &str, asked_as: &str) -> NewProbe {
    NewProbe {
        name: name.to_owned(),
        source: "ldap".to_owned(),
        how: "ldap_bind".to_owned(),
        system: "corp".to_owned(),
        account: account.to_owned(),
        asked_as: asked_as.to_owned(),
        credential: None,
        identity: None,
        consent: "canary".to_owned(),
        lockout: Some(Lockout::STRICTEST),
        asked_by: String::new(),
    }
}

fn refused() -> Tried {
    Tried {
        answer: Answer::Rejected,
        raw: "49".to_owned(),
        why: None,
    }
}

#[tokio::test]
async fn a_try_counts_from_the_moment_that_it_is_sent() {
    let bench = bench(&["hr", "ad"]).await;
    let store = &bench.store;
    store
        .add_probe(&probe("p", "eve", "uid=eve"), at(0))
        .await
        .unwrap();
    let one = store.probes().await.unwrap().remove(0);
    let begun = store.begin_try(&one, at(0)).await.unwrap();
    assert!(begun.is_ok());
    // Another process at the same moment, and one after this was killed before the answer.
    let other = store.begin_try(&one, at(0)).await.unwrap();
    assert!(other.unwrap_err().contains("may be tried again from"));
    let tries = &store.probes().await.unwrap().remove(0).tries;
    assert_eq!(tries.len(), 1);
    assert_eq!(tries[0].of.answer, Answer::Indeterminate);
    // What is not answered may have been counted as refused.
    assert!(store.begin_try(&one, at(2)).await.unwrap().is_ok());
    let locks = store.begin_try(&one, at(4)).await.unwrap();
    assert!(
        locks
            .unwrap_err()
            .contains("one more could lock the account")
    );
}

#[tokio::test]
async fn an_answer_takes_the_place_of_what_was_begun() {
    let bench = bench(&["hr", "ad"]).await;
    let store = &bench.store;
    store
        .add_probe(&probe("p", "eve", "uid=eve"), at(0))
        .await
        .unwrap();
    let one = store.probes().await.unwrap().remove(0);
    let begun = store.begin_try(&one, at(0)).await.unwrap().unwrap();
    store
        .keep_try((&one, begun), at(1), &refused())
        .await
        .unwrap();
    let tries = store.probes().await.unwrap().remove(0).tries;
    assert_eq!(tries.len(), 1);
    assert_eq!(
        (tries[0].of.answer, tries[0].raw.as_str()),
        (Answer::Rejected, "49")
    );
    assert_eq!((tries[0].of.from, tries[0].of.until), (at(0), at(1)));
}

#[tokio::test]
async fn whatever_a_server_takes_for_one_account_is_tried_as_one() {
    let bench = bench(&["hr", "ad"]).await;
    let store = &bench.store;
    let names = [
        ("a", "uid=eve,ou=people"),
        ("b", "UID=Eve, OU=people"),
        ("c", "uid=\\65ve,ou=people"),
    ];
    for (name, asked_as) in names {
        store
            .add_probe(&probe(name, name, asked_as), at(0))
            .await
            .unwrap();
    }
    store
        .add_probe(&probe("d", "A", "uid=other"), at(0))
        .await
        .unwrap();
    store
        .add_probe(&probe("e", "e", "uid=else"), at(0))
        .await
        .unwrap();
    let all = store.probes().await.unwrap();
    assert!(store.begin_try(&all[0], at(0)).await.unwrap().is_ok());
    for (one, may) in all[1..].iter().zip([false, false, false, true]) {
        let begun = store.begin_try(one, at(0)).await.unwrap();
        assert_eq!(begun.is_ok(), may, "{}", one.of.asked_as);
    }
}
