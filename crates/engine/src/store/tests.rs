use super::open::share_of;
use super::*;
use crate::collect::seeded::{Fault, Seeded, account, identity};
use crate::collect::tests::{Bench, bench, key, now, quick, read, read_with};
use crate::views::{self, IdentityLookup, ListQuery};
use lastkey_contract::{Fact, Kind, Settings};
use std::path::Path;

fn people(numbers: std::ops::Range<u32>) -> Vec<Fact> {
    numbers
        .map(|n| identity(&format!("u{n}"), &format!("Zebulon Person{n}")))
        .collect()
}

async fn filled() -> Bench {
    let bench = bench(&["hr"]).await;
    read(
        &bench,
        "hr",
        &Seeded::new(100).with(Kind::Identity, people(0..300)),
    )
    .await;
    bench
}

async fn open(path: &Path, key: &StoreKey) -> Result<Store, StoreError> {
    Store::open(path, key, "tester", now()).await
}

#[tokio::test]
async fn the_file_shows_nothing_and_another_key_opens_nothing() {
    let bench = filled().await;
    let path = bench.path.clone();
    bench.store.clone().close().await;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for word in ["Zebulon", "SQLite format", "CREATE TABLE"] {
            let found = bytes.windows(word.len()).any(|w| w == word.as_bytes());
            assert!(!found, "`{word}` stands in a file of the store");
        }
    }
    let wrong = open(&path, &StoreKey::new([8; 32])).await;
    assert!(matches!(wrong, Err(StoreError::WrongKey(_))), "{wrong:?}");
    assert_eq!(wrong.unwrap_err().view().kind, "key");
    open(&path, &key()).await.unwrap();
}

#[tokio::test]
async fn open_never_makes_a_store_and_create_never_replaces_one() {
    let bench = bench(&[]).await;
    let absent = bench.path.with_file_name("absent.lastkey");
    assert!(matches!(
        open(&absent, &key()).await,
        Err(StoreError::Missing(_))
    ));
    assert!(!absent.exists());
    let again = Store::create(&bench.path, &key(), "tester", now()).await;
    assert!(matches!(again, Err(StoreError::Exists(_))));
}

#[tokio::test]
async fn a_damaged_or_plain_file_is_named_as_such() {
    let bench = filled().await;
    let path = bench.path.clone();
    bench.store.clone().close().await;
    let whole = std::fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    // Every page but the first, so that the key still fits.
    for byte in flipped.iter_mut().skip(4096 + 100).step_by(4096) {
        *byte ^= 0xff;
    }
    let mut plain = whole.clone();
    plain[..16].copy_from_slice(b"SQLite format 3\0");
    for (name, bytes) in [
        ("cut", whole[..whole.len() - 100].to_vec()),
        ("empty", Vec::new()),
        ("flipped", flipped),
    ] {
        let damaged = path.with_file_name(format!("{name}.lastkey"));
        std::fs::write(&damaged, bytes).unwrap();
        let opened = open(&damaged, &key()).await;
        assert!(
            matches!(opened, Err(StoreError::Damaged { .. })),
            "{name}: {opened:?}"
        );
    }
    let bare = path.with_file_name("plain.lastkey");
    std::fs::write(&bare, plain).unwrap();
    assert!(matches!(
        open(&bare, &key()).await,
        Err(StoreError::NotEncrypted(_))
    ));
}

#[tokio::test]
async fn a_check_names_damage_on_any_page() {
    let bench = filled().await;
    let path = bench.path.clone();
    bench.store.clone().close().await;
    let whole = std::fs::read(&path).unwrap();
    let damaged = path.with_file_name("damaged.lastkey");
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096 + 100] ^= 0xff;
        std::fs::write(&damaged, bytes).unwrap();
        match open(&damaged, &key()).await {
            Ok(store) => {
                let found = store.check().await;
                let named = match &found {
                    Ok(problems) => !problems.is_empty(),
                    Err(error) => matches!(error, StoreError::Damaged { .. }),
                };
                store.close().await;
                assert!(named, "page {page}: {found:?}");
            }
            Err(error) => assert!(
                matches!(error, StoreError::Damaged { .. }),
                "page {page}: {error:?}"
            ),
        }
    }
}

#[test]
fn network_shares_are_told_from_local_disks() {
    let table = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                 40 22 0:50 / /srv/team\\040files rw - nfs4 server:/x rw\n\
                 41 22 0:51 / /srv/team\\040files/local rw - xfs /dev/sdb rw\n";
    let share = |path: &str| share_of(Path::new(path), table);
    assert_eq!(share("/home/ann/a.lastkey"), None);
    assert_eq!(share("/srv/team files/a.lastkey").as_deref(), Some("nfs4"));
    assert_eq!(share("/srv/team files/local/a.lastkey"), None);
    assert_eq!(share("/srv/team filesystem/a.lastkey"), None);
}

#[tokio::test]
async fn a_read_cut_off_by_its_process_is_interrupted_at_the_next_start() {
    let bench = filled().await;
    let connector = Seeded::new(100)
        .with(Kind::Identity, people(50..400))
        .fault(Kind::Identity, 2, Fault::Hang);
    // Dropping the running read is what the end of its process leaves in the file.
    let cut = tokio::time::timeout(
        std::time::Duration::from_millis(150),
        read_with(&bench, "hr", &connector, &Default::default()),
    )
    .await;
    assert!(cut.is_err(), "the read hangs on purpose");
    let path = bench.path.clone();
    bench.store.clone().close().await;
    let store = open(&path, &key()).await.unwrap();
    let sync = store.newest_sync().await.unwrap().unwrap();
    assert_eq!(sync.state, SyncState::Interrupted);
    let kinds = store.sync_kinds(sync.id).await.unwrap();
    assert_eq!(kinds[0].totals.received, 200, "two pages were stored");
    assert!(!kinds[0].complete && !kinds[0].gaps.is_empty());
    let snapshot = store.load_snapshot(None).await.unwrap();
    assert_eq!(
        snapshot.identities.len(),
        300,
        "nothing was removed or doubled"
    );
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_full_disk_is_one_sentence_and_the_store_stays_whole() {
    let bench = filled().await;
    bench.store.limit_pages().await;
    let connector = Seeded::new(1000).with(Kind::Identity, people(0..20_000));
    let full = read_with(&bench, "hr", &connector, &quick()).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    let path = bench.path.clone();
    bench.store.clone().close().await;
    let store = open(&path, &key()).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let sync = store.newest_sync().await.unwrap().unwrap();
    assert!(matches!(
        sync.state,
        SyncState::Failed | SyncState::Interrupted
    ));
}

#[tokio::test]
async fn a_second_writer_waits_and_is_then_told_who_writes() {
    let bench = bench(&[]).await;
    let _writing = bench.store.lease().await.unwrap();
    let other = open(&bench.path, &key()).await.unwrap();
    let patience = std::time::Duration::from_millis(120);
    let refused = other.lease.take(patience).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains(&format!("pid {}", std::process::id())),
        "{refused}"
    );
}

#[tokio::test]
async fn a_changed_log_is_noticed() {
    let bench = bench(&["hr"]).await;
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    let mut writing = bench.store.begin().await.unwrap();
    sqlx::query("UPDATE log SET who = 'somebody else' WHERE seq = 1")
        .execute(&mut *writing.tx)
        .await
        .unwrap();
    writing.commit().await.unwrap();
    assert_eq!(
        bench.store.check().await.unwrap(),
        ["log entry 1 was changed"]
    );
}

fn query(search: &str, filters: &[&str], sort: &str) -> ListQuery {
    ListQuery {
        search: search.to_owned(),
        filters: filters.iter().map(|f| (*f).to_owned()).collect(),
        sort: sort.to_owned(),
        descending: false,
        offset: 0,
        limit: 3,
    }
}

#[tokio::test]
async fn identities_are_searched_filtered_and_counted() {
    let bench = filled().await;
    for (search, filters, matching) in [
        ("", &[][..], 300),
        ("u29", &[][..], 11),
        ("ZEB person29", &[][..], 11),
        ("u7@exam", &[][..], 1),
        ("\"*", &[][..], 0),
        ("", &["status=active"][..], 300),
        ("u29", &["kind=vendor"][..], 0),
        ("", &["source=hr", "id=u5"][..], 1),
    ] {
        let window = views::identities(&bench.store, &query(search, filters, "display_name"))
            .await
            .unwrap();
        assert_eq!(
            (window.matching, window.total),
            (matching, 300),
            "`{search}` {filters:?}"
        );
        assert!(window.rows.len() <= 3);
    }
    let bad = views::identities(&bench.store, &query("", &["colour=red"], "")).await;
    assert!(matches!(bad, Err(StoreError::NoSuchColumn { .. })));
    let robot = views::identities(&bench.store, &query("", &["kind=robot"], "")).await;
    assert_eq!(
        robot.unwrap_err().to_string(),
        "`robot` is no kind of identities: there are person, vendor, workload, agent"
    );
}

#[tokio::test]
async fn a_removed_source_is_gone_and_its_history_stays() {
    let bench = filled().await;
    let sync = bench.store.newest_sync().await.unwrap().unwrap().id;
    bench
        .store
        .remove_source(&"hr".into(), crate::store::Removal::OfSource, now())
        .await
        .unwrap();
    assert_eq!(
        bench
            .store
            .load_snapshot(None)
            .await
            .unwrap()
            .identities
            .len(),
        0
    );
    let then = bench.store.load_snapshot(Some(sync)).await.unwrap();
    assert_eq!((then.identities.len(), then.reads.len()), (300, 1));
    bench
        .store
        .add_source(&"hr".into(), "seeded", &Settings::default(), now())
        .await
        .unwrap();
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_id_of_two_sources_is_shown_with_its_source() {
    let bench = bench(&["hr", "vendors"]).await;
    read(
        &bench,
        "hr",
        &Seeded::new(10).with(Kind::Identity, people(0..2)),
    )
    .await;
    let connector = Seeded::new(10).with(Kind::Identity, people(1..2)).with(
        Kind::Account,
        vec![account("ad", "x", "u1"), account("ad", "y", "u0")],
    );
    read(&bench, "vendors", &connector).await;
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    let ids: Vec<&str> = snapshot.identities.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["u0", "hr:u1", "vendors:u1"]);
    let owners: Vec<Option<&str>> = snapshot
        .accounts
        .iter()
        .map(|a| a.identity_id.as_ref().map(|i| i.as_str()))
        .collect();
    assert_eq!(owners, [Some("vendors:u1"), Some("u0")]);
    let lookup = views::identity(&bench.store, "u1", now()).await.unwrap();
    let several = vec!["hr:u1".to_owned(), "vendors:u1".to_owned()];
    assert_eq!(lookup, IdentityLookup::Several(several));
    let found = views::identity(&bench.store, "vendors:u1", now())
        .await
        .unwrap();
    let IdentityLookup::Found(detail) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (detail.row.id.as_str(), detail.accounts.len()),
        ("vendors:u1", 1)
    );
}

/// 100,000 people: the windows are right; how long they took goes into the file that LASTKEY_MEASURE names.
/// Without it, 5,000.
#[tokio::test]
async fn windows_are_right_at_a_hundred_thousand_people() {
    let measure = std::env::var_os("LASTKEY_MEASURE").is_some();
    let number = if measure { 100_000 } else { 5_000 };
    let bench = bench(&["hr"]).await;
    let connector = Seeded::new(5_000).with(Kind::Identity, people(0..number));
    let mut lines = Vec::new();
    for name in ["first read", "second read"] {
        let begun = std::time::Instant::now();
        read_with(&bench, "hr", &connector, &quick()).await.unwrap();
        lines.push(format!("{name}: {:?}", begun.elapsed()));
    }
    for (search, sort, offset) in [
        ("", "display_name", 0),
        ("", "department", u64::from(number) / 2),
        ("z", "display_name", 0),
        ("zeb", "id", 0),
        ("person12", "display_name", 0),
        ("u1234", "", 0),
    ] {
        let begun = std::time::Instant::now();
        let asked = ListQuery {
            offset,
            limit: 200,
            ..query(search, &[], sort)
        };
        let window = views::identities(&bench.store, &asked).await.unwrap();
        lines.push(format!(
            "`{search}` by `{sort}` at {offset}: {} of {} in {:?}",
            window.rows.len(),
            window.matching,
            begun.elapsed()
        ));
        assert_eq!(window.total, u64::from(number));
        if search.len() < 4 {
            assert_eq!(window.matching, u64::from(number));
        }
        assert_eq!(window.rows.len() as u64, window.matching.min(200));
    }
    let begun = std::time::Instant::now();
    let snapshot = bench.store.load_snapshot(None).await.unwrap();
    lines.push(format!("snapshot: {:?}", begun.elapsed()));
    assert_eq!(snapshot.identities.len(), number as usize);
    if measure {
        std::fs::write(std::env::var("LASTKEY_MEASURE").unwrap(), lines.join("\n")).unwrap();
    }
}

#[tokio::test]
async fn an_account_that_could_be_theirs_and_a_source_never_read_forbid_a_pass() {
    use crate::access::Graph;
    use crate::lifecycle::{Leaver, Plan, RehearsalSettings, rehearse_leaver};

    let bench = bench(&["hr", "later"]).await;
    let person = |id: &str| {
        let text = serde_json::json!({"id": id, "kind": "person", "email": "team@example.org"});
        Fact::Identity(serde_json::from_value(text).unwrap())
    };
    let shared = serde_json::json!({"system": "ad", "id": "team", "email": "team@example.org"});
    let people = vec![person("ann"), person("bob")];
    let accounts = vec![Fact::Account(serde_json::from_value(shared).unwrap())];
    let connector = Seeded::new(9)
        .with(Kind::Identity, people)
        .with(Kind::Account, accounts);
    read(&bench, "hr", &connector).await;
    let graph = Graph::build(&bench.store.load_snapshot(None).await.unwrap());
    let leaver = Leaver::Identity("ann".into());
    let settings = RehearsalSettings::default();
    let rehearsal = rehearse_leaver(&graph, &Plan::default(), &leaver, now(), &settings);
    for fact in [
        "account `ad:team` could be of `ann` as well as of another",
        "source `later` was never read",
    ] {
        assert!(
            rehearsal
                .missing_facts
                .iter()
                .any(|missing| missing == fact),
            "{:?}",
            rehearsal.missing_facts
        );
    }
}
