//! Any interleaving of full, partial, incremental, failed, stopped, killed and resumed reads of
//! several sources, of files that are replaced between the end of a process and the next one too,
//! removes nothing without proof, never calls a mix of two states complete, and ends where one full
//! read of each ends.

use super::*;
use crate::store::SyncId;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SOURCES: [&str; 3] = ["one", "two", "three"];
/// The one of them whose files somebody may replace while no process reads them.
const FILES: &str = "three";
const KINDS: [Kind; 3] = [Kind::Identity, Kind::Account, Kind::Grant];

/// Numbers of objects, and which of their contents each has.
type Estate = BTreeMap<u8, u8>;

/// What goes wrong with a read, and where.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// An error that nothing helps against.
    Fails,
    /// Something was skipped: the read goes to its end and vouches for nothing.
    Skips,
    /// The connection is lost, and the kind is begun anew within the sync.
    Cut,
    /// The source knows the page mark or the watermark no more.
    Lost,
    /// Somebody stops it.
    Stopped,
    /// The process ends in the middle of it.
    Killed,
}

#[derive(Clone, Debug)]
struct Step {
    source: usize,
    /// What the source holds from now on.
    estate: Estate,
    depth: Depth,
    removals: Removals,
    trouble: Trouble,
    kind: usize,
    page: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let trouble = prop_oneof![
        3 => Just(Trouble::None),
        1 => Just(Trouble::Fails),
        1 => Just(Trouble::Skips),
        1 => Just(Trouble::Cut),
        1 => Just(Trouble::Lost),
        1 => Just(Trouble::Stopped),
        2 => Just(Trouble::Killed),
    ];
    (
        0..SOURCES.len(),
        proptest::collection::btree_map(0u8..16, 0u8..3, 0..16),
        prop_oneof![Just(Depth::AsNeeded), Just(Depth::Full)],
        prop_oneof![Just(Removals::Accept), Just(Removals::Hold)],
        (trouble, 0..KINDS.len(), 0usize..4),
    )
        .prop_map(
            |(source, estate, depth, removals, (trouble, kind, page))| Step {
                source,
                estate,
                depth,
                removals,
                trouble,
                kind,
                page,
            },
        )
}

fn facts(source: &str, kind: Kind, estate: &Estate) -> Vec<Fact> {
    let of = |(n, content): (&u8, &u8)| match kind {
        Kind::Identity => vec![identity(&format!("{source}-{n}"), &format!("P {content}"))],
        Kind::Account => vec![account(source, &format!("a{n}"), &format!("u{content}"))],
        // As many rows of one key as its content says.
        _ => {
            let entitlement = format!("g{}", n % 3);
            let row = grant(source, &format!("a{n}"), &entitlement);
            vec![row; usize::from(*content) + 1]
        }
    };
    estate.iter().flat_map(of).collect()
}

/// A source of truth with its past, so that reads of changes can be answered from any moment.
struct Model {
    name: &'static str,
    estate: Estate,
    past: Vec<Estate>,
    /// A read of it was cut off: what it holds stays until somebody has read again.
    cut_off: bool,
}

impl Model {
    fn connector(&self) -> Seeded {
        let all = |estate: &Estate| -> BTreeMap<Kind, Vec<Fact>> {
            let of = |kind| (kind, facts(self.name, kind, estate));
            KINDS.into_iter().map(of).collect()
        };
        let mut connector = Seeded::new(4);
        connector.facts = all(&self.estate);
        if self.name == FILES {
            return connector.of_files();
        }
        connector = connector.watermark(&format!("w{}", self.past.len()));
        for (n, estate) in self.past.iter().enumerate() {
            connector.past.insert(format!("w{n}"), all(estate));
        }
        connector
            .past
            .insert(format!("w{}", self.past.len()), all(&self.estate));
        connector
    }
}

/// Every current fact of a source and kind, by key: how often each stands there.
type Held = BTreeMap<(String, Kind), BTreeMap<String, usize>>;

async fn rows(bench: &Bench, kind: Kind, as_of: Option<SyncId>) -> Vec<String> {
    let query = TableQuery {
        as_of,
        limit: 10_000,
        ..TableQuery::default()
    };
    let table = bench.store.table(kind, &query).await.unwrap();
    let mut rows: Vec<String> = table
        .rows
        .into_iter()
        .map(|mut row| {
            row.remove("first_sync");
            serde_json::Value::Object(row).to_string()
        })
        .collect();
    rows.sort();
    rows
}

async fn everything(bench: &Bench, as_of: Option<SyncId>) -> Vec<String> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(rows(bench, kind, as_of).await);
    }
    all
}

async fn held(bench: &Bench) -> Held {
    let mut held = Held::new();
    for kind in KINDS {
        let query = TableQuery {
            limit: 10_000,
            ..TableQuery::default()
        };
        for row in bench.store.table(kind, &query).await.unwrap().rows {
            let source = row["source"].as_str().unwrap().to_owned();
            let key = match kind {
                Kind::Grant => format!("{} {}", row["principal_id"], row["entitlement_id"]),
                _ => row["id"].to_string(),
            };
            let keys = held.entry((source, kind)).or_default();
            *keys.entry(key).or_default() += 1;
        }
    }
    held
}

fn truth(model: &Model, kind: Kind) -> BTreeMap<String, usize> {
    let mut keys = BTreeMap::new();
    for fact in facts(model.name, kind, &model.estate) {
        let key = match &fact {
            Fact::Identity(x) => format!("\"{}\"", x.id),
            Fact::Account(x) => format!("\"{}\"", x.id),
            Fact::Grant(x) => format!("\"{}\" \"{}\"", x.principal.id, x.entitlement_id),
            other => panic!("{other:?}"),
        };
        *keys.entry(key).or_default() += 1;
    }
    keys
}

/// INVARIANT: what went was gone from its source, and a read proved it.
async fn nothing_went_unproved(bench: &Bench, before: &Held, after: &Held, model: &Model) {
    // A sync that goes on is not the newest where another source was read meanwhile.
    let Some(latest) = latest_of(bench, model.name).await else {
        // Killed before it had begun.
        let of_source = |(source, _): &&(String, Kind)| source == model.name;
        assert_eq!(before.keys().find(of_source), None);
        return;
    };
    let records = bench.store.sync_kinds(latest).await.unwrap();
    for ((source, kind), keys) in before {
        let now = after.get(&(source.clone(), *kind));
        let truth = truth(model, *kind);
        for (key, count) in keys {
            let left = now.and_then(|now| now.get(key)).copied().unwrap_or(0);
            if left >= *count {
                continue;
            }
            assert_eq!(source, model.name, "another source's {kind} {key} went");
            let still = truth.get(key).copied().unwrap_or(0);
            assert!(left >= still, "{kind} {key} of {source} went and is there");
            let record = records.iter().find(|record| record.kind == *kind).unwrap();
            let told_gone = record.mode == crate::store::ReadMode::Incremental;
            assert!(
                record.complete || told_gone,
                "{kind} {key} of {source} went in a read that proves nothing: {record:?}"
            );
        }
    }
}

/// INVARIANT: what a complete read leaves behind is what its source holds.
fn complete_is_one_state(held: &Held, model: &Model) {
    for kind in KINDS {
        let stands = held.get(&(model.name.to_owned(), kind)).cloned();
        assert_eq!(
            stands.unwrap_or_default(),
            truth(model, kind),
            "{kind} of {} after a complete read",
            model.name
        );
    }
}

async fn play(bench: &mut Bench, model: &mut Model, step: &Step) -> Option<SyncReport> {
    if !model.cut_off || model.name == FILES {
        let old = std::mem::replace(&mut model.estate, step.estate.clone());
        model.past.push(old);
    }
    let (kind, page) = (KINDS[step.kind], step.page);
    let connector = model.connector();
    let connector = match step.trouble {
        Trouble::None => connector,
        Trouble::Fails => connector.fault(
            kind,
            page,
            Fault::Error(error(ErrorKind::Protocol, "half an answer")),
        ),
        Trouble::Skips => connector.fault(
            kind,
            page,
            Fault::Note(Note {
                kind: NoteKind::Skipped,
                about: kind,
                reason: "unreadable".to_owned(),
                count: 1,
                examples: Vec::new(),
            }),
        ),
        Trouble::Cut => connector.fault(kind, page, Fault::Cut(1)),
        Trouble::Lost => connector.fault(kind, page, Fault::Lost(1)),
        Trouble::Stopped | Trouble::Killed => connector.fault(kind, page, Fault::Hang),
    };
    let settings = SyncSettings {
        depth: step.depth,
        removals: step.removals,
        request_timeout: Duration::from_secs(20),
        ..quick()
    };
    let (stop, cancel) = watch::channel(false);
    let source: SourceName = model.name.into();
    let reading = sync(
        &bench.store,
        &source,
        &connector,
        &now,
        &|_| {},
        cancel,
        &settings,
    );
    let soon = Duration::from_millis(30);
    let through = match step.trouble {
        Trouble::Killed => tokio::time::timeout(soon, reading).await.ok(),
        Trouble::Stopped => {
            let stopping = async {
                tokio::time::sleep(soon).await;
                let _ = stop.send(true);
            };
            Some(tokio::join!(reading, stopping).0)
        }
        Trouble::None | Trouble::Fails | Trouble::Skips | Trouble::Cut | Trouble::Lost => {
            Some(reading.await)
        }
    };
    if let Some(report) = through {
        model.cut_off = false;
        return Some(report.unwrap());
    }
    // As after kill -9: nothing was told to the store, which is opened anew.
    bench.store.clone().close().await;
    bench.store = Store::open(&bench.path, &key(), "tester", now())
        .await
        .unwrap();
    model.cut_off = true;
    None
}

async fn any_interleaving(steps: &[Step]) {
    let mut bench = bench(&SOURCES).await;
    let mut models: Vec<Model> = SOURCES
        .into_iter()
        .map(|name| Model {
            name,
            estate: Estate::new(),
            past: Vec::new(),
            cut_off: false,
        })
        .collect();
    // What stood after each sync; of one that is gone on with, and of those in between, what
    // stands after it has ended.
    let mut moments: BTreeMap<SyncId, Vec<String>> = BTreeMap::new();
    let last: Vec<Step> = (0..SOURCES.len())
        .map(|source| Step {
            source,
            estate: models[source].estate.clone(),
            depth: Depth::Full,
            removals: Removals::Accept,
            trouble: Trouble::None,
            kind: 0,
            page: 0,
        })
        .collect();
    for (n, step) in steps.iter().chain(last.iter().chain(&last)).enumerate() {
        let model = &mut models[step.source];
        let mut step = step.clone();
        if n >= steps.len() {
            step.estate = model.estate.clone();
        }
        let before = held(&bench).await;
        let report = play(&mut bench, model, &step).await;
        let after = held(&bench).await;
        if report.is_some_and(|report| report.state == "complete") {
            complete_is_one_state(&after, model);
        }
        nothing_went_unproved(&bench, &before, &after, model).await;
        assert_eq!(
            bench.store.check().await.unwrap(),
            Vec::<String>::new(),
            "{step:?}"
        );
        // A sync that goes on writes under its own number, below those that came since.
        let written: BTreeSet<SyncId> = latest_of(&bench, model.name).await.into_iter().collect();
        if let Some(sync) = written.first() {
            moments.retain(|moment, _| moment < sync);
        }
        if let Some(newest) = bench.store.newest_sync().await.unwrap() {
            moments.insert(newest.id, everything(&bench, None).await);
        }
    }
    for (sync, stood) in &moments {
        assert_eq!(
            &everything(&bench, Some(*sync)).await,
            stood,
            "as of {sync:?}"
        );
    }
    let undisturbed = super::bench(&SOURCES).await;
    for model in &models {
        let report = read(&undisturbed, model.name, &model.connector()).await;
        assert_eq!(report.state, "complete");
    }
    assert_eq!(
        everything(&bench, None).await,
        everything(&undisturbed, None).await,
        "one full read of each ends elsewhere"
    );
    undisturbed.store.close().await;
    bench.store.close().await;
}

async fn latest_of(bench: &Bench, source: &str) -> Option<SyncId> {
    let source = bench.store.source(&source.into()).await.unwrap();
    let latest = bench.store.latest_sync(source.id).await.unwrap();
    latest.map(|sync| sync.id)
}

/// A few in each run; many with LASTKEY_LONG.
fn cases() -> u32 {
    match std::env::var_os("LASTKEY_LONG") {
        Some(_) => 300,
        None => 8,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
    #[test]
    fn any_interleaving_ends_where_full_reads_end(
        steps in proptest::collection::vec(step(), 1..9),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(any_interleaving(&steps));
    }
}
