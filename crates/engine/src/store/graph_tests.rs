//! The graph from the blocks beside the one from the snapshot of the same moment: the same.

use super::{Store, SyncId};
use crate::access::Graph;
use crate::collect::seeded::Seeded;
use crate::collect::tests::{bench, quick, read_with};
use crate::collect::{Removals, SyncSettings};
use crate::lifecycle::{ItemKind, Leaver, Plan, RehearsalSettings, rehearse_leaver};
use crate::store::{Decision, NewDecision, RecordName};
use lastkey_contract::{Fact, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Eight small numbers of which each fact is made.
type Dice = [u8; 8];

fn pick<'t>(from: &[&'t str], dice: u8) -> Option<&'t str> {
    from.get(usize::from(dice) % (from.len() + 1)).copied()
}

fn principal([a, b, c, ..]: Dice) -> Value {
    let (kind, id) = match a % 3 {
        0 => ("entitlement", format!("e{}", b % 6)),
        _ => ("account", format!("a{}", b % 6)),
    };
    json!({"kind": kind, "system": format!("s{}", c % 3), "id": id})
}

fn fact(kind: Kind, dice: Dice) -> Fact {
    let [a, b, c, d, e, f, g, h] = dice;
    let env = pick(&["production", "test"], f);
    let time = pick(&["2026-01-01T00:00:00Z", "2027-05-01T00:00:00Z"], g);
    let flag = |n: u8| pick(&["t", "f"], n).map(|word| word == "t");
    let system = format!("s{}", a % 3);
    let value = match kind {
        Kind::Identity => json!({"fact": "identity", "id": format!("u{}", b % 5),
            "kind": pick(&["vendor", "workload"], c).unwrap_or("person"),
            "display_name": pick(&["Ann Archer", "Bob Baker"], h),
            "email": pick(&["x@y.z", "u1@y.z"], d), "status": pick(&["active", "inactive"], e),
            "employer_id": pick(&["u1", "hr:u2", "nobody"], g)}),
        Kind::Account => json!({"fact": "account", "system": system, "id": format!("a{}", b % 6),
            "identity_id": pick(&["u1", "u2", "hr:u3", "none"], c), "email": pick(&["x@y.z"], d),
            "name": pick(&["u1", "u4", "ann archer"], h), "enabled": flag(e), "local_sign_in": flag(f),
            "signs_in_through_id": pick(&["a1", "a9"], g), "signs_in_through_system": pick(&["s0"], h),
            "privileged": flag(h), "environment": env, "expires_at": time}),
        Kind::Entitlement => {
            json!({"fact": "entitlement", "system": system, "id": format!("e{}", b % 4),
            "kind": pick(&["group", "role"], c), "privileged": flag(d), "environment": env})
        }
        Kind::Grant => {
            json!({"fact": "grant", "system": system, "entitlement_id": format!("e{}", b % 6),
            "principal": principal([c, d, e, 0, 0, 0, 0, 0]), "expires_at": time,
            "assignment": pick(&["eligible", "active"], h)})
        }
        Kind::Credential => {
            json!({"fact": "credential", "system": system, "id": format!("c{}", b % 6),
            "kind": pick(&["token"], c).unwrap_or("password"), "account_id": pick(&["a1", "a2", "a9"], d),
            "fingerprint": pick(&["f1", "f2"], e), "created_by": pick(&["ann"], h), "enabled": flag(f),
            "expires_at": time, "environment": env})
        }
        Kind::Location => {
            json!({"fact": "location", "system": system, "path": format!("p{}", b % 4),
            "credential_system": pick(&["s1"], c), "credential_id": pick(&["c1", "c2", "c9"], d),
            "fingerprint": pick(&["f1", "f3"], e), "environment": env, "kind": pick(&["vault"], g)})
        }
        Kind::Reader => json!({"fact": "reader", "system": system, "path": format!("p{}", b % 6),
            "principal": principal([c, d, e, 0, 0, 0, 0, 0])}),
        Kind::Control => {
            json!({"fact": "control", "system": system, "account_id": format!("a{}", b % 7),
            "principal": principal([c, d, e, 0, 0, 0, 0, 0]), "means": "impersonate"})
        }
        Kind::Owner => {
            let (object_type, id) = match b % 5 {
                0 => ("identity", "u1"),
                1 => ("account", "a1"),
                2 => ("credential", "c1"),
                3 => ("location", "p1"),
                _ => ("entitlement", "e5"),
            };
            json!({"fact": "owner", "object_type": object_type, "system": (b % 5 > 0).then_some(system),
                "object_id": id, "owner_id": pick(&["u1", "hr:u2", "gone"], c).unwrap_or("u3"),
                "role": pick(&["custodian"], d).unwrap_or("business")})
        }
        Kind::Session | Kind::Task => unreachable!("no graph has them"),
    };
    let value: Value = match value {
        Value::Object(all) => all.into_iter().filter(|(_, v)| !v.is_null()).collect(),
        other => other,
    };
    serde_json::from_value(value).unwrap()
}

const KINDS: [Kind; 9] = [
    Kind::Identity,
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Credential,
    Kind::Location,
    Kind::Reader,
    Kind::Control,
    Kind::Owner,
];

async fn same_at(store: &Store, at: Option<SyncId>) {
    let snapshot = store.load_snapshot(at).await.unwrap();
    let from_snapshot = Graph::build(&snapshot);
    let from_blocks = store.load_graph(at).await.unwrap();
    let (blocks, built) = (format!("{from_blocks:#?}"), format!("{from_snapshot:#?}"));
    let blocks: Vec<&str> = blocks.lines().collect();
    let built: Vec<&str> = built.lines().collect();
    let mut pairs = blocks.iter().zip(&built);
    if let Some(line) = pairs.position(|(a, b)| a != b) {
        let around = |lines: &[&str]| {
            let to = lines.len().min(line + 30);
            lines[line.saturating_sub(30)..to].join("\n")
        };
        assert_eq!(around(&blocks), around(&built), "from line {line}");
    }
    assert_eq!(blocks.len(), built.len());
    if at.is_none() {
        let mut everybody = Vec::new();
        let take = |person: &lastkey_contract::facts::Identity| everybody.push(person.clone());
        store.everybody(&from_blocks, take).await.unwrap();
        let mut listed = snapshot.identities;
        for people in [&mut everybody, &mut listed] {
            people.sort_by(|a, b| a.id.cmp(&b.id));
            for person in people {
                // Of a reference that could mean several, each keeps what stands there.
                person.manager_id = None;
                person.employer_id = person.employer_id.as_ref().map(|_| "somebody".into());
            }
        }
        assert_eq!(everybody, listed);
    }
}

/// Adds a source that adds to what others have.
async fn supplement(store: &Store, name: &str) {
    let settings = [("supplement".to_owned(), "true".to_owned())];
    let settings = lastkey_contract::Settings(settings.into());
    let (name, now) = (name.into(), crate::collect::tests::now());
    let added = store.add_source(&name, "seeded", &settings, now);
    added.await.unwrap();
}

async fn same(reads: Vec<Vec<(usize, Dice)>>) {
    let bench = bench(&["hr"]).await;
    for name in ["crm", "ops"] {
        supplement(&bench.store, name).await;
    }
    let mut syncs = Vec::new();
    for (n, read) in reads.iter().enumerate() {
        let mut connector = Seeded::new(4);
        for kind in KINDS {
            let of_kind = read.iter().filter(|(k, _)| KINDS[k % KINDS.len()] == kind);
            let mut facts: Vec<Fact> = of_kind.map(|(_, dice)| fact(kind, *dice)).collect();
            if !kind.may_repeat() {
                facts.sort_by_key(Fact::key);
                facts.dedup_by_key(|fact| fact.key());
            }
            connector = connector.with(kind, facts);
        }
        let settings = SyncSettings {
            removals: Removals::Accept,
            ..quick()
        };
        let source = ["hr", "crm", "ops"][n % 3];
        read_with(&bench, source, &connector, &settings)
            .await
            .unwrap();
        syncs.push(bench.store.newest_sync().await.unwrap().unwrap().id);
    }
    same_at(&bench.store, None).await;
    for sync in syncs {
        same_at(&bench.store, Some(sync)).await;
    }
    bench.store.clone().close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_graph_is_that_of_the_snapshot(
        reads in proptest::collection::vec(
            proptest::collection::vec((0usize..9, any::<Dice>()), 0..60), 1..5),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(same(reads));
    }
}

/// Whoever leaves while a graph is being read has left in all of it or in nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graph_is_of_one_moment_whatever_is_read_meanwhile() {
    let bench = bench(&["hr", "crm"]).await;
    let of = |value: Value| serde_json::from_value::<Fact>(value).unwrap();
    let person = |id: &str| {
        of(json!({"fact": "identity", "id": id, "kind": "person", "email": format!("{id}@x.org")}))
    };
    let account = of(json!({"fact": "account", "system": "corp", "id": "a", "email": "u1@x.org"}));
    let crm = Seeded::new(9).with(Kind::Account, vec![account]);
    read_with(&bench, "crm", &crm, &quick()).await.unwrap();
    let settings = SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    let reading = async {
        for turn in 0..40 {
            let listed: &[&str] = if turn % 2 == 0 {
                &["u1", "u2"]
            } else {
                &["u2"]
            };
            let people = listed.iter().map(|id| person(id)).collect();
            let hr = Seeded::new(9).with(Kind::Identity, people);
            read_with(&bench, "hr", &hr, &settings).await.unwrap();
        }
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    let store = bench.store.clone();
    let loading = async {
        let mut seen = [0, 0];
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let graph = store.load_graph(None).await.unwrap();
            // Before the first read of people nobody is listed, and nobody has left.
            if graph.identity(&"u2".into()).is_none() {
                continue;
            }
            let left = graph.accounts_left_by(&"hr:u1".into()).len();
            let listed = graph.identity(&"u1".into());
            let own = listed.map_or(0, |u1| graph.accounts_of.row(u1).len());
            assert_eq!((own, left), if listed.is_some() { (1, 0) } else { (0, 1) });
            seen[left] += 1;
        }
        seen
    };
    let reading = async {
        reading.await;
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let (seen, ()) = futures_util::future::join(loading, reading).await;
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// The accounts that a vendor takes along at a moment.
async fn taken_along(store: &Store, vendor: &str, day: &str) -> Vec<String> {
    let graph = store.load_graph(None).await.unwrap();
    let at = format!("{day}T12:00:00Z").parse().unwrap();
    let vendor = Leaver::Vendor(vendor.into());
    let settings = RehearsalSettings::default();
    let left = rehearse_leaver(&graph, &Plan::default(), &vendor, at, &settings);
    let accounts = left.residual.iter().filter(|i| i.kind == ItemKind::Account);
    accounts.map(|item| item.id.clone()).collect()
}

#[tokio::test]
async fn a_vendor_takes_along_whom_a_record_that_holds_names_as_its_own() {
    let bench = bench(&["hr", "vendors"]).await;
    let of = |value: Value| serde_json::from_value::<Fact>(value).unwrap();
    let person = |id: &str, more: Value| {
        let mut all = json!({"fact": "identity", "id": id, "kind": "person"});
        for (column, value) in more.as_object().unwrap() {
            all[column] = value.clone();
        }
        of(all)
    };
    // Of the three who are joined, u1 was hired, u2 will be, and u3 does both.
    let hired = ["u1", "u2", "u3", "u4"].map(|id| person(id, json!({"status": "active"})));
    let account = |id: &str| {
        of(
            json!({"fact": "account", "system": "corp", "id": format!("a-{id}"),
            "identity_id": format!("hr:{id}")}),
        )
    };
    let hr = Seeded::new(9).with(Kind::Identity, hired.to_vec()).with(
        Kind::Account,
        ["u1", "u2", "u3", "u4"].map(account).to_vec(),
    );
    let at_acme =
        |id: &str, status: &str| person(id, json!({"status": status, "employer_id": "acme"}));
    let until_may = json!({"status": "active", "employer_id": "acme",
        "end_date": "2026-05-31T00:00:00Z/2026-06-01T00:00:00Z"});
    let vendors = Seeded::new(9).with(
        Kind::Identity,
        vec![
            of(json!({"fact": "identity", "id": "acme", "kind": "vendor"})),
            at_acme("u1", "inactive"),
            person("u2", until_may),
            at_acme("u3", "active"),
        ],
    );
    read_with(&bench, "hr", &hr, &quick()).await.unwrap();
    read_with(&bench, "vendors", &vendors, &quick())
        .await
        .unwrap();
    let record = |source: &str, id: &str| RecordName {
        source: source.to_owned(),
        id: id.to_owned(),
    };
    let same = ["u1", "u2", "u3"].map(|id| NewDecision {
        decision: Decision::Same(record("hr", id), record("vendors", id)),
        why: "seen".to_owned(),
        seen: json!({}),
    });
    bench
        .store
        .decide(&same, crate::collect::tests::now())
        .await
        .unwrap();
    same_at(&bench.store, None).await;
    let taken = |day: &'static str| taken_along(&bench.store, "acme", day);
    assert_eq!(taken("2026-05-31").await, ["a-u2", "a-u3"]);
    assert_eq!(taken("2026-06-01").await, ["a-u3"], "the last day is over");
}

/// Of an account or credential that a supplement tells of as well, the system's own source counts,
/// whichever was read first or changed last.
#[tokio::test]
async fn a_supplement_takes_no_row_over() {
    let of = |value: Value| serde_json::from_value::<Fact>(value).unwrap();
    let told = |name: &str, on: bool| {
        let account = json!({"fact": "account", "system": "zz", "id": "a1", "name": name,
            "identity_id": on.then_some("u1"), "enabled": on});
        let credential = json!({"fact": "credential", "system": "zz", "id": "c1", "kind": "token",
            "account_id": "a1", "name": name, "enabled": on});
        Seeded::new(9)
            .with(
                Kind::Identity,
                vec![of(
                    json!({"fact": "identity", "id": "u1", "kind": "person"}),
                )],
            )
            .with(Kind::Account, vec![of(account)])
            .with(Kind::Credential, vec![of(credential)])
    };
    for order in [["own", "more", "own"], ["more", "own", "own"]] {
        let bench = bench(&["own"]).await;
        supplement(&bench.store, "more").await;
        for (turn, source) in order.into_iter().enumerate() {
            let connector = told(&format!("name {turn}"), source == "own");
            read_with(&bench, source, &connector, &quick())
                .await
                .unwrap();
        }
        same_at(&bench.store, None).await;
        let graph = bench.store.load_graph(None).await.unwrap();
        let enabled = |flags: Vec<Option<bool>>| assert_eq!(flags, [Some(true)], "{order:?}");
        enabled(
            graph
                .accounts
                .values()
                .iter()
                .map(|one| one.enabled)
                .collect(),
        );
        enabled(
            graph
                .credentials
                .values()
                .iter()
                .map(|one| one.enabled)
                .collect(),
        );
        assert_ne!(
            graph.accounts.at(0).identity,
            crate::access::columns::NONE,
            "{order:?}"
        );
        bench.store.clone().close().await;
    }
}

/// What the source that speaks for an account or a credential leaves empty, a supplement tells;
/// whom each leads to counts, and where that is two people both are named.
#[tokio::test]
async fn a_supplement_fills_what_is_empty() {
    let of = |value: Value| serde_json::from_value::<Fact>(value).unwrap();
    let people = ["u1", "u2"].map(|id| json!({"fact": "identity", "id": id, "kind": "person"}));
    let account = |id: &str| json!({"fact": "account", "system": "zz", "id": id});
    let with = |mut fact: Value, more: Value| {
        let more = more.as_object().unwrap().clone();
        fact.as_object_mut().unwrap().extend(more);
        fact
    };
    let entitlement = json!({"fact": "entitlement", "system": "zz", "id": "e1"});
    let token = json!({"fact": "credential", "system": "zz", "id": "c1", "kind": "token"});
    let own = Seeded::new(9)
        .with(Kind::Identity, people.map(of).to_vec())
        .with(
            Kind::Account,
            vec![
                of(account("a1")),
                of(with(account("a2"), json!({"identity_id": "u1"}))),
                of(with(account("a3"), json!({"name": "nobody"}))),
                of(account("a4")),
            ],
        )
        .with(Kind::Entitlement, vec![of(entitlement.clone())])
        .with(Kind::Credential, vec![of(token.clone())]);
    let more = Seeded::new(9)
        .with(
            Kind::Account,
            vec![
                of(with(
                    account("a1"),
                    json!({"identity_id": "u1", "enabled": false, "privileged": true,
                        "expires_at": "2026-07-01T00:00:00Z", "environment": "production",
                        "signs_in_through_system": "zz", "signs_in_through_id": "a4"}),
                )),
                of(with(account("a2"), json!({"identity_id": "u2"}))),
                of(with(account("a3"), json!({"name": "Ann"}))),
                of(with(
                    account("a4"),
                    json!({"signs_in_through_id": "nothing"}),
                )),
            ],
        )
        .with(
            Kind::Entitlement,
            vec![of(with(
                entitlement,
                json!({"kind": "group", "privileged": true}),
            ))],
        )
        .with(
            Kind::Credential,
            vec![of(with(
                token,
                json!({"account_id": "a1", "created_by": "ann", "fingerprint": "hmac-sha256:aa",
                    "revoked_at": "2026-05-01T00:00:00Z", "enabled": true}),
            ))],
        );
    for order in [["own", "more"], ["more", "own"]] {
        let bench = bench(&["own"]).await;
        supplement(&bench.store, "more").await;
        for source in order {
            let connector = if source == "own" { &own } else { &more };
            read_with(&bench, source, connector, &quick())
                .await
                .unwrap();
        }
        same_at(&bench.store, None).await;
        let snapshot = bench.store.load_snapshot(None).await.unwrap();
        assert_eq!(snapshot.accounts.len(), 4, "{order:?}");
        let first = &snapshot.accounts[0];
        assert_eq!(first.identity_id.as_ref().unwrap().as_str(), "u1");
        assert_eq!((first.enabled, first.privileged), (None, Some(true)));
        assert_eq!(first.expires_at, None, "a supplement closes nothing");
        let second = &snapshot.accounts[1];
        assert_eq!(second.identity_id.as_ref().unwrap().as_str(), "u1");
        let also: Vec<_> = snapshot
            .ambiguous
            .iter()
            .map(|one| &one.candidates)
            .collect();
        assert_eq!(also, [&[lastkey_contract::IdentityId::new("u2")]]);
        assert_eq!(snapshot.unmatched.len(), 2, "{order:?}");
        let graph = bench.store.load_graph(None).await.unwrap();
        assert_eq!(graph.maybe.in_doubt("u2"), ["zz:a2"], "{order:?}");
        let credential = graph.credentials.at(0);
        assert_eq!(credential.account, 0, "{order:?}");
        assert_eq!(credential.revoked, crate::lifecycle::Closing::Never);
        bench.store.clone().close().await;
    }
}

/// A source that was a supplement once and speaks for a system now goes before those that add to it,
/// whatever their names are.
#[tokio::test]
async fn a_source_that_is_a_supplement_no_more_counts_for_its_own_system() {
    let of = |value: Value| serde_json::from_value::<Fact>(value).unwrap();
    let told = |system: &str, on: bool| {
        let account = json!({"fact": "account", "system": system, "id": "a1", "enabled": on});
        Seeded::new(9).with(Kind::Account, vec![of(account)])
    };
    let settings = |supplement: &str| {
        let supplement = [("supplement".to_owned(), supplement.to_owned())];
        lastkey_contract::Settings(supplement.into())
    };
    let now = crate::collect::tests::now;
    let bench = bench(&[]).await;
    for source in ["more", "own"] {
        let (name, settings) = (source.into(), settings("true"));
        let added = bench.store.add_source(&name, "seeded", &settings, now());
        added.await.unwrap();
    }
    for (source, system, on) in [("own", "yy", true), ("more", "zz", false)] {
        read_with(&bench, source, &told(system, on), &quick())
            .await
            .unwrap();
    }
    let (own, settings) = ("own".into(), settings("false"));
    let changed = bench.store.set_source_settings(&own, &settings, now());
    changed.await.unwrap();
    let accept = SyncSettings {
        removals: Removals::Accept,
        ..quick()
    };
    read_with(&bench, "own", &told("zz", true), &accept)
        .await
        .unwrap();
    same_at(&bench.store, None).await;
    let graph = bench.store.load_graph(None).await.unwrap();
    let enabled = graph.accounts.values().iter().map(|one| one.enabled);
    assert_eq!(enabled.collect::<Vec<_>>(), [Some(true)]);
}
