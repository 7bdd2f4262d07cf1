//! The paths that everything large goes through, one by one: blocks unpacked, a search among
//! people, the graph of a snapshot, accounts matched to people. `./bench` runs them; what they are
//! part of is measured whole there.

#![allow(clippy::unwrap_used)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, Entitlement, Grant, Identity};
use lastkey_engine::access::{Graph, Snapshot};
use lastkey_engine::correlate::{AccountKeys, Gathering, Ground, IdentityKeys, Persons};
use lastkey_engine::views::ListQuery;
use lastkey_workbench::{
    ImportRequest, KeySource, OpenOptions, Stop, WhenMissing, Workbench, make_key_file,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// People, each with an account.
const PEOPLE: u32 = 20_000;
/// Grants of each account.
const EACH: u32 = 3;
/// Groups, every one within another.
const GROUPS: u32 = 500;

fn main() {
    divan::main();
}

/// A store that the files were read into, open for as long as the benches run.
struct Desk {
    runtime: Runtime,
    bench: Workbench,
    _room: TempDir,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let room = TempDir::new().unwrap();
    let files = room.path().join("files");
    std::fs::create_dir(&files).unwrap();
    write_files(&files);
    let key = room.path().join("key");
    make_key_file(&key).unwrap();
    let runtime = Runtime::new().unwrap();
    let bench = runtime.block_on(async {
        let options = OpenOptions {
            store_path: room.path().join("bench.lastkey"),
            key_source: KeySource::KeyFile(key),
            when_missing: WhenMissing::Create,
        };
        let bench = Workbench::open(&options).await.unwrap().workbench;
        let request = ImportRequest {
            path: files,
            name: "files".to_owned(),
            file: None,
            map: None,
            settings: Default::default(),
            series: false,
        };
        bench
            .import(request, &|_| {}, &Stop::default())
            .await
            .unwrap();
        bench
    });
    Desk {
        runtime,
        bench,
        _room: room,
    }
});

fn write_files(folder: &Path) {
    let mut people = String::from("id,kind,display_name,email,status\n");
    let mut accounts = String::from("system,id,name,kind,identity_id,email,enabled\n");
    for n in 0..PEOPLE {
        writeln!(people, "u{n},person,{},u{n}@example.org,active", name(n)).unwrap();
        writeln!(
            accounts,
            "corp,a{n},login{n},human,u{n},u{n}@example.org,true"
        )
        .unwrap();
    }
    std::fs::write(folder.join("identities.csv"), people).unwrap();
    std::fs::write(folder.join("accounts.csv"), accounts).unwrap();
}

fn name(n: u32) -> String {
    let first = ["Anna", "Björn", "Chen", "Dara"];
    let last = ["Lindqvist", "Östürk", "Nakamura"];
    let pick = |names: &[&str], n: u32| {
        let name = names.iter().cycle().nth(n as usize % names.len());
        name.map_or_else(String::new, |name| (*name).to_owned())
    };
    format!("{} {}", pick(&first, n), pick(&last, n / 4))
}

fn list(search: &str) -> ListQuery {
    ListQuery {
        search: search.to_owned(),
        filters: Vec::new(),
        sort: String::new(),
        descending: false,
        offset: 0,
        limit: 200,
    }
}

/// Every fact of a kind: blocks decrypted, unpacked and taken apart.
#[divan::bench(sample_count = 10)]
fn accounts_unpacked(bencher: Bencher<'_, '_>) {
    let desk = &*DESK;
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| {
        let mut rows = 0;
        let all = desk.bench.each_row(Kind::Account, &[], None, |part| {
            rows += part.len();
            Ok(())
        });
        desk.runtime.block_on(all).unwrap();
        rows
    });
}

/// The last window of a table, and one fact looked up by its id.
#[divan::bench(args = ["", "id=a4711", "name=login4711"])]
fn window_of_accounts(bencher: Bencher<'_, '_>, filter: &str) {
    let desk = &*DESK;
    let query = ListQuery {
        filters: Some(filter.to_owned())
            .into_iter()
            .filter(|filter| !filter.is_empty())
            .collect(),
        offset: match filter {
            "" => u64::from(PEOPLE) - 200,
            _ => 0,
        },
        ..list("")
    };
    bencher.bench(|| {
        let window = desk.bench.table(Kind::Account, &query, None);
        desk.runtime.block_on(window).unwrap().matching
    });
}

/// One key of a search among people: very many, some, two words, nobody.
#[divan::bench(args = ["a", "lindq", "anna li", "zzyzx"])]
fn people_searched(bencher: Bencher<'_, '_>, typed: &str) {
    let desk = &*DESK;
    let query = list(typed);
    bencher.bench(|| {
        let found = desk.bench.identities(&query);
        desk.runtime.block_on(found).unwrap().matching
    });
}

fn fact<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn identity(n: u32) -> Identity {
    fact(json!({
        "id": format!("u{n}"), "kind": "person", "display_name": name(n),
        "email": format!("u{n}@example.org"), "status": "active",
    }))
}

fn account(n: u32) -> Account {
    fact(json!({
        "system": "corp", "id": format!("a{n}"), "name": format!("login{n}"),
        "identity_id": format!("u{n}"), "email": format!("u{n}@example.org"),
    }))
}

fn grant(kind: &str, id: String, entitlement: u32) -> Grant {
    fact(json!({
        "system": "corp", "entitlement_id": format!("e{entitlement}"),
        "principal": { "kind": kind, "system": "corp", "id": id },
    }))
}

/// The graph of a snapshot that was made before.
#[divan::bench(sample_count = 10)]
fn graph_of_a_snapshot(bencher: Bencher<'_, '_>) {
    let entitlement = |n: u32| -> Entitlement {
        fact(json!({ "system": "corp", "id": format!("e{n}"), "name": format!("Group {n}") }))
    };
    let held = (0..PEOPLE * EACH).map(|n| {
        grant(
            "account",
            format!("a{}", n / EACH),
            n.wrapping_mul(7_919) % GROUPS,
        )
    });
    let nested = (1..GROUPS).map(|n| grant("entitlement", format!("e{n}"), n / 3));
    let snapshot = Snapshot {
        identities: (0..PEOPLE).map(identity).collect(),
        accounts: (0..PEOPLE).map(account).collect(),
        entitlements: (0..GROUPS).map(entitlement).collect(),
        grants: held.chain(nested).collect(),
        ..Snapshot::default()
    };
    bencher
        .counter(ItemsCount::new(snapshot.grants.len()))
        .bench(|| Graph::build(black_box(&snapshot)).identity_count());
}

/// Whose each account is, by the rules that hold where nobody set others.
#[divan::bench(sample_count = 10)]
fn accounts_matched(bencher: Bencher<'_, '_>) {
    let mut gathering = Gathering::new(Ground::default());
    for n in 0..PEOPLE {
        gathering.add(&IdentityKeys::of(1, &identity(n)));
    }
    let people = gathering.done(Persons::default());
    let accounts: Vec<AccountKeys> = (0..PEOPLE)
        .map(|n| {
            // Every second one says nothing of its identity: it is found by its address.
            let mut keys: AccountKeys = fact(serde_json::to_value(account(n)).unwrap());
            keys.identity_id = keys.identity_id.filter(|_| n % 2 == 0);
            keys
        })
        .collect();
    bencher.counter(ItemsCount::new(PEOPLE)).bench(|| {
        for account in &accounts {
            black_box(people.owner_of(account));
        }
    });
}
