//! Who tells of a system, and what is only somebody's word.

use super::*;
use crate::store::{AccountName, Decision, NewDecision};

const REST: [(Kind, Vec<Fact>); 2] = [(Kind::Grant, Vec::new()), (Kind::Credential, Vec::new())];

#[tokio::test]
async fn another_source_under_the_name_of_a_removed_one_proves_nothing_gone_elsewhere() {
    for (again, expected) in [
        // Something else is read under the name: it never spoke for `ad`.
        ("vault", "hr:ann account a-ann indeterminate"),
        // The same system is read anew, and does not have the account.
        ("ad", "hr:ann account a-ann closed in time"),
    ] {
        let bench = bench(&["hr", "dir"]).await;
        roster(&bench, 1, &["ann"], &[]).await;
        system(&bench, "dir", 2, &[accounts(&["ann"])]).await;
        system(&bench, "dir", 8, &[accounts(&["ann"])]).await;
        roster(&bench, 10, &[], &[("ann", 8)]).await;
        let name = "dir".into();
        let store = &bench.store;
        let removed = store.remove_source(&name, Removal::OfSource, day(8));
        removed.await.unwrap();
        let none = lastkey_contract::Settings::default();
        store
            .add_source(&name, "seeded", &none, day(8))
            .await
            .unwrap();
        let mut at = settings(8);
        at.read_date = Some(day(8) + chrono::TimeDelta::minutes(20));
        let others = (Kind::Account, vec![account(again, "a-bob", "bob")]);
        let read = read_with(&bench, "dir", &seeded(&[others]), &at).await;
        assert_eq!(read.unwrap().state, "complete");
        assert_eq!(lines(&bench).await, [expected], "{again}");
    }
}

#[tokio::test]
async fn each_system_needs_a_source_of_its_accounts_grants_and_credentials() {
    let bench = bench(&["hr", "ad", "pg"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    let all = |facts: Vec<Fact>| [&[(Kind::Account, facts)][..], &REST].concat();
    let read = async |at: u64, source: &str, facts: Vec<Fact>| {
        system(&bench, source, at, &all(facts)).await;
    };
    read(1, "ad", vec![account("ad", "a-ann", "ann")]).await;
    let only_accounts = (Kind::Account, vec![account("pg", "p-ann", "ann")]);
    system(&bench, "pg", 1, &[only_accounts]).await;
    roster(&bench, 8, &[], &[("ann", 8)]).await;
    read(8, "ad", Vec::new()).await;
    system(&bench, "pg", 8, &[(Kind::Account, Vec::new())]).await;
    let (verdict, missing) = verdict_of(&bench).await;
    assert_eq!(verdict.word(), "indeterminate");
    assert_eq!(
        missing,
        "no source tells of all grants of `pg`; no source tells of all credentials of `pg`"
    );
    read(9, "pg", Vec::new()).await;
    let (_, missing) = verdict_of(&bench).await;
    assert!(!missing.contains("no source tells"), "{missing}");
}

async fn decide(bench: &Bench, id: &str, at: u64) {
    let account = AccountName {
        system: "ad".to_owned(),
        id: id.to_owned(),
    };
    let new = NewDecision {
        decision: Decision::Nobodys(account),
        why: "shared".to_owned(),
        seen: json!({}),
    };
    bench.store.decide(&[new], day(at)).await.unwrap();
}

#[tokio::test]
async fn what_somebody_decides_after_they_left_is_a_word_and_no_read() {
    // When it was decided, whether the account is open, and whether the leaver passes.
    for (decided, open, passes) in [
        (1, true, true),
        (12, true, false),
        // It is open to nobody.
        (12, false, true),
    ] {
        let bench = bench(&["hr", "ad"]).await;
        roster(&bench, 1, &["ann"], &[]).await;
        let both = (
            Kind::Account,
            vec![
                account("ad", "a-ann", "ann"),
                account("ad", "shared", "ann"),
            ],
        );
        let open_first = [&[both][..], &REST].concat();
        system(&bench, "ad", 1, &open_first).await;
        system(&bench, "ad", 8, &open_first).await;
        roster(&bench, 8, &[], &[("ann", 8)]).await;
        let Fact::Account(mut shared) = account("ad", "shared", "ann") else {
            panic!("an account");
        };
        shared.enabled = Some(open);
        let after = [&[(Kind::Account, vec![Fact::Account(shared)])][..], &REST].concat();
        let mut at = settings(8);
        at.read_date = Some(day(8) + chrono::TimeDelta::minutes(20));
        let read = read_with(&bench, "ad", &seeded(&after), &at).await;
        assert_eq!(read.unwrap().state, "complete");
        decide(&bench, "shared", decided).await;
        let (verdict, missing) = verdict_of(&bench).await;
        let said = missing.contains("account ad:shared is open and not theirs only as `tester`");
        let case = format!("{decided} {open}: {missing}");
        assert_eq!(verdict.word() == "pass", passes, "{case}");
        assert_eq!(said, !passes, "{case}");
        assert_eq!(lines(&bench).await, ["hr:ann account a-ann closed in time"]);
    }
}

#[tokio::test]
async fn a_secret_that_opens_anothers_account_too_is_not_measured_there() {
    for (whose, passes) in [("bob", false), ("ann", true)] {
        let bench = bench(&["hr", "ad"]).await;
        roster(&bench, 1, &["ann", "bob"], &[]).await;
        let both = (
            Kind::Account,
            vec![account("ad", "a1", "ann"), account("ad", "a2", whose)],
        );
        let key = |id: &str, of: &str| {
            let Fact::Credential(mut key) = credential("ad", id, of) else {
                panic!("a credential");
            };
            key.fingerprint = Some("f1".into());
            Fact::Credential(key)
        };
        let keys = (Kind::Credential, vec![key("k1", "a1"), key("k2", "a2")]);
        let open = [both, (Kind::Grant, Vec::new()), keys];
        system(&bench, "ad", 1, &open).await;
        system(&bench, "ad", 8, &open).await;
        roster(&bench, 8, &["bob"], &[("ann", 8)]).await;
        let left = match passes {
            true => Vec::new(),
            false => vec![account("ad", "a2", whose)],
        };
        let keys = match passes {
            true => Vec::new(),
            false => vec![key("k2", "a2")],
        };
        let after = [
            (Kind::Account, left),
            (Kind::Grant, Vec::new()),
            (Kind::Credential, keys),
        ];
        let mut at = settings(8);
        at.read_date = Some(day(8) + chrono::TimeDelta::minutes(20));
        let read = read_with(&bench, "ad", &seeded(&after), &at).await;
        assert_eq!(read.unwrap().state, "complete");
        let (verdict, missing) = verdict_of(&bench).await;
        let said = "credential ad:k1 is the same secret as one of account ad:a2";
        assert_eq!(missing.contains(said), !passes, "{whose}: {missing}");
        assert_eq!(verdict.word() == "pass", passes, "{whose}: {missing}");
    }
}

#[tokio::test]
async fn what_is_dated_later_than_now_shows_nothing_yet() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    let open = [&[accounts(&["ann"])][..], &REST].concat();
    let gone = [&[(Kind::Account, Vec::new())][..], &REST].concat();
    system(&bench, "ad", 1, &open).await;
    roster(&bench, 58, &[], &[("ann", 58)]).await;
    system(&bench, "ad", 58, &open).await;
    // Now is day 59: tomorrow's file says that it is gone.
    system(&bench, "ad", 60, &gone).await;
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann indeterminate"]);
    assert_eq!(measured(&bench).await[0].items[0].closed, None);
}

#[tokio::test]
async fn a_source_of_tickets_that_was_refused_and_removed_spoils_no_claims() {
    let bench = bench(&["hr", "ad", "tickets", "refused"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    system(&bench, "ad", 2, &[accounts(&["ann"])]).await;
    roster(&bench, 10, &[], &[("ann", 8)]).await;
    system(&bench, "ad", 12, &[accounts(&["ann"])]).await;
    system(&bench, "tickets", 13, &[(Kind::Task, Vec::new())]).await;
    let nobody_claims = ["hr:ann account a-ann still open no_claim"];
    assert_eq!(lines(&bench).await, nobody_claims);
    let broken = seeded(&[(Kind::Task, Vec::new())]);
    let broken = broken.fault(
        Kind::Task,
        0,
        Fault::Error(error(ErrorKind::Forbidden, "no right to read tasks")),
    );
    let _refused = read_with(&bench, "refused", &broken, &settings(14)).await;
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann still open"]);
    let name = "refused".into();
    let removed = bench.store.remove_source(&name, Removal::OfSource, now());
    removed.await.unwrap();
    assert_eq!(lines(&bench).await, nobody_claims);
}

#[tokio::test]
async fn a_ticket_names_an_account_as_people_call_it() {
    for (login, expected) in [
        ("Ann.Lee", "hr:ann account 4711 still open done_and_open"),
        ("bob", "hr:ann account 4711 still open no_claim"),
    ] {
        let bench = bench(&["hr", "ad", "tickets"]).await;
        roster(&bench, 1, &["ann"], &[]).await;
        let Fact::Account(mut ann) = account("ad", "4711", "ann") else {
            panic!("an account");
        };
        ann.name = Some("ann.lee".to_owned());
        let open = (Kind::Account, vec![Fact::Account(ann)]);
        system(&bench, "ad", 2, std::slice::from_ref(&open)).await;
        roster(&bench, 10, &[], &[("ann", 8)]).await;
        system(&bench, "ad", 12, &[open]).await;
        let task = json!({
            "id": "T1", "system": "ad", "identity_id": "ann", "account_id": login, "event": "leaver",
            "status": "done", "closed_at": "2026-01-09T10:00:00Z", "action": "disable_account",
        });
        let task = Fact::Task(serde_json::from_value(task).unwrap());
        system(&bench, "tickets", 13, &[(Kind::Task, vec![task])]).await;
        assert_eq!(lines(&bench).await, [expected], "{login}");
    }
}

#[tokio::test]
async fn who_was_inactive_when_first_read_and_is_purged_since_left_all_the_same() {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 5, &["bob"], &[("ann", 3)]).await;
    system(&bench, "ad", 6, &[accounts(&["ann", "bob"])]).await;
    roster(&bench, 9, &["bob"], &[]).await;
    assert_eq!(lines(&bench).await, ["hr:ann account a-ann still open"]);
    assert_eq!(measured(&bench).await[0].latest, day(3));
}

#[tokio::test]
async fn whom_a_vendor_employed_when_it_went_is_its_whoever_employs_them_since() {
    let bench = bench(&["hr", "ad"]).await;
    let register = async |at: u64, status: IdentityStatus, employer: &str| {
        let vendor = |id: &str, status| {
            let mut vendor = identity_fact(id, id);
            vendor.kind = lastkey_contract::facts::IdentityKind::Vendor;
            vendor.status = Some(status);
            Fact::Identity(vendor)
        };
        let mut person = identity_fact("p1", "Person");
        person.status = Some(IdentityStatus::Active);
        person.employer_id = Some(employer.into());
        let facts = vec![
            vendor("v1", status),
            vendor("v2", IdentityStatus::Active),
            Fact::Identity(person),
        ];
        let connector = Seeded::new(50).with(Kind::Identity, facts);
        let read = read_with(&bench, "hr", &connector, &settings(at)).await;
        assert_eq!(read.unwrap().state, "complete");
    };
    register(1, IdentityStatus::Active, "v1").await;
    system(&bench, "ad", 1, &[accounts(&["p1"])]).await;
    register(3, IdentityStatus::Inactive, "v1").await;
    register(20, IdentityStatus::Inactive, "v2").await;
    system(&bench, "ad", 21, &[accounts(&["p1"])]).await;
    assert_eq!(lines(&bench).await, ["hr:v1 account a-p1 still open"]);
}

#[tokio::test]
async fn naming_an_entitlement_of_a_system_is_not_reading_it() {
    let bench = bench(&["hr", "ad", "vault"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    let of_vault = |of: &str| {
        let group = json!({"system": of, "id": "ops", "kind": "group"});
        let group = serde_json::from_value(group).unwrap();
        [
            (Kind::Account, vec![account("vault", "v", "bob")]),
            (Kind::Entitlement, vec![Fact::Entitlement(group)]),
            (Kind::Grant, Vec::new()),
            (Kind::Credential, Vec::new()),
        ]
    };
    system(&bench, "vault", 1, &of_vault("ad")).await;
    system(&bench, "ad", 1, &[accounts(&["ann"])]).await;
    roster(&bench, 8, &[], &[("ann", 8)]).await;
    system(&bench, "ad", 9, &[(Kind::Account, Vec::new())]).await;
    let (_, missing) = verdict_of(&bench).await;
    assert!(
        missing.contains("no source tells of all grants of `ad`"),
        "{missing}"
    );
}

/// How the thing of that kind stands that Ann had at the versions, read on these days.
async fn of_versions(kind: Kind, versions: &[(u64, Option<Fact>)]) -> Vec<String> {
    let bench = bench(&["hr", "ad"]).await;
    roster(&bench, 1, &["ann"], &[]).await;
    roster(&bench, 10, &[], &[("ann", 8)]).await;
    for (at, fact) in versions {
        let facts: Vec<Fact> = fact.iter().cloned().collect();
        let mut all = vec![(kind, facts)];
        if kind == Kind::Credential {
            let mut closed = account("ad", "a-ann", "ann");
            if let (Fact::Account(one), true) = (&mut closed, *at > 8) {
                one.enabled = Some(false);
            }
            all.insert(0, (Kind::Account, vec![closed]));
        }
        system(&bench, "ad", *at, &all).await;
    }
    lines(&bench).await
}

#[tokio::test]
async fn what_a_version_says_of_the_past_is_held_against_the_reads() {
    let with = |change: &dyn Fn(&mut lastkey_contract::facts::Account)| {
        let Fact::Account(mut one) = account("ad", "a-ann", "ann") else {
            panic!("an account");
        };
        change(&mut one);
        Some(Fact::Account(one))
    };
    let long_ago = When::At(day(0) - chrono::TimeDelta::days(20_000));
    // Disabled long before a whole read that did not have it yet: only the read counts.
    let dated = with(&|one| {
        one.enabled = Some(false);
        one.disabled_at = Some(long_ago);
    });
    let found = of_versions(Kind::Account, &[(1, None), (20, dated)]).await;
    assert_eq!(found, ["hr:ann account a-ann indeterminate"]);
    // Through whom it is signed in to is not known.
    let led = with(&|one| one.local_sign_in = Some(false));
    let found = of_versions(Kind::Account, &[(1, led.clone()), (20, led)]).await;
    assert_eq!(found, ["hr:ann account a-ann still open"]);
    // An expiry that was withdrawn, and set again afterwards for a moment past.
    let expires = with(&|one| one.expires_at = Some(When::At(day(8))));
    let never = with(&|_| {});
    let versions = [(1, expires.clone()), (8, never), (20, expires)];
    let found = of_versions(Kind::Account, &versions).await;
    assert_eq!(found, ["hr:ann account a-ann indeterminate"]);
    // A key that is called a password later was no password before.
    let key = |kind| {
        let Fact::Credential(mut key) = credential("ad", "k1", "a-ann") else {
            panic!("a credential");
        };
        key.kind = kind;
        Some(Fact::Credential(key))
    };
    use lastkey_contract::facts::CredentialKind::{ApiKey, Password};
    let versions = [(1, key(ApiKey)), (20, key(ApiKey)), (30, key(Password))];
    let found = of_versions(Kind::Credential, &versions).await;
    assert!(
        found.contains(&"hr:ann credential k1 still open".to_owned()),
        "{found:?}"
    );
}

#[tokio::test]
async fn an_id_that_may_be_somebody_elses_is_told() {
    for (name, began, given_on) in [("Zed Zorn", 9, true), ("Ann Lee-Meyer", 0, false)] {
        let bench = bench(&["hr"]).await;
        for (at, name, began) in [(1, "Ann Lee", 0), (10, name, began)] {
            let mut one = identity_fact("p1", name);
            one.status = Some(IdentityStatus::Active);
            one.start_date = Some(When::At(day(began)));
            let connector = Seeded::new(50).with(Kind::Identity, vec![Fact::Identity(one)]);
            let read = read_with(&bench, "hr", &connector, &settings(at)).await;
            assert_eq!(read.unwrap().state, "complete");
        }
        let found = bench.store.ids_given_on(now()).await.unwrap();
        let found: Vec<(&str, DateTime<Utc>)> =
            found.iter().map(|one| (&*one.record, one.latest)).collect();
        match given_on {
            true => assert_eq!(found, [("hr:p1", day(10))], "{name}"),
            false => assert_eq!(found, [], "{name}"),
        }
    }
}

#[tokio::test]
async fn a_member_who_is_hidden_since_may_be_them() {
    // Who holds the group at the second read, and at the third.
    for (second, third, expected) in [
        // A name that no source lists, from the read on that no longer shows theirs.
        (Some("cn=hidden"), Some("cn=hidden"), "indeterminate"),
        (Some("cn=hidden"), None, "closed in time"),
        (None, None, "closed in time"),
    ] {
        let bench = bench(&["hr", "ad"]).await;
        roster(&bench, 1, &["ann"], &[]).await;
        let with = |holder: Option<&str>| {
            let held = holder.map(|holder| grant("ad", holder, "vpn"));
            [
                accounts(&["ann"]),
                (Kind::Grant, held.into_iter().collect()),
            ]
        };
        let at = |minutes: i64| SyncSettings {
            read_date: Some(day(8) + chrono::TimeDelta::minutes(minutes)),
            ..settings(8)
        };
        system(&bench, "ad", 8, &with(Some("a-ann"))).await;
        roster(&bench, 9, &[], &[("ann", 8)]).await;
        for (minutes, holder) in [(20, second), (40, third)] {
            let read = read_with(&bench, "ad", &seeded(&with(holder)), &at(minutes)).await;
            assert_eq!(read.unwrap().state, "complete");
        }
        let found = lines(&bench).await;
        let of_group = found.iter().find(|line| line.contains("entitlement vpn"));
        let stands = of_group.map_or("none", |line| line.as_str());
        assert!(stands.contains(expected), "{second:?} {third:?}: {found:?}");
    }
}
