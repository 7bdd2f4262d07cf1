//! Every fault on every connector, through a whole sync and a rehearsal: what the person is told,
//! what stands in the journal, and that nothing of it is ever a pass.
//!
//! For each fault: the source was read completely and the leaver passes; the fault strikes a
//! whole sync; the read is not complete, nothing is removed, the verdict is indeterminate; the
//! fault is lifted, and the next sync is complete and the leaver passes again. The journals are
//! kept in `matrix/NAME.txt`; `LASTKEY_BLESS=1` writes them anew.

mod between;
mod faults;
mod files;
mod kubernetes;
mod patients;
mod postgresql;
mod vault;
mod web;
mod workstation;

use crate::flat_files;
use crate::page::blessing;
use chrono::Utc;
use lastkey_conformance::Subject;
use lastkey_contract::{Connector, IdentityId, Kind, SourceName};
use lastkey_engine::access::Graph;
use lastkey_engine::collect::{Depth, SyncSettings, sync};
use lastkey_engine::lifecycle::{Leaver, Plan, RehearsalSettings, Verdict, rehearse_leaver};
use lastkey_engine::store::{Store, StoreKey, SyncId};
use lastkey_engine::views::SyncReport;
use std::any::Any;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;

/// A fault under way.
pub struct Struck {
    pub connector: Box<dyn Connector>,
    /// Undoes what the fault did to the system itself.
    pub lift: Box<dyn FnOnce()>,
    pub lives: Box<dyn Any>,
}

/// A fault that can be started.
pub struct Fault {
    pub name: String,
    pub start: Box<dyn FnOnce() -> Struck>,
}

/// Who is struck.
pub struct Patient<'a> {
    pub name: &'a str,
    pub healthy: Box<dyn Connector>,
    /// The system whose accounts the plan closes, and who leaves.
    pub system: &'a str,
    pub leaver: &'a str,
    /// A folder of flat files with what the connector does not tell, for the leaver to pass.
    pub beside: Option<PathBuf>,
    pub faults: Vec<Fault>,
    /// Faults of single requests, told in a line each.
    pub requests: Vec<Fault>,
}

/// A store with the patient's source in it.
struct Bed {
    store: Store,
    _folder: TempDir,
}

const SUBJECT: &str = "subject";
/// How long an answer may take under a fault, and without one on a machine that is busy.
const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

impl Bed {
    async fn made(sources: &[&str]) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("matrix.lastkey");
        let store = Store::create(&path, &StoreKey::new([3; 32]), "matrix", Utc::now())
            .await
            .unwrap();
        for name in sources {
            store
                .add_source(
                    &SourceName::new(*name),
                    name,
                    &Default::default(),
                    Utc::now(),
                )
                .await
                .unwrap();
        }
        Bed {
            store,
            _folder: folder,
        }
    }

    async fn sync(&self, name: &str, connector: &dyn Connector, patience: Duration) -> SyncReport {
        let settings = SyncSettings {
            // whole reads, so that each fault meets the same requests
            depth: Depth::Full,
            page_limit: 4,
            request_timeout: patience,
            tries: 2,
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_millis(20),
            patience: Duration::from_secs(2),
            restarts: 1,
            seed: Some(1),
            ..SyncSettings::default()
        };
        let (_keep, cancel) = watch::channel(false);
        let source = SourceName::new(name);
        sync(
            &self.store,
            &source,
            connector,
            &Utc::now,
            &|_| {},
            cancel,
            &settings,
        )
        .await
        .unwrap()
    }

    async fn verdict(&self, patient: &Patient<'_>) -> (Verdict, Vec<String>) {
        let snapshot = self.store.load_snapshot(None).await.unwrap();
        let plan = Plan::parse(&format!(
            "[[step]]\non = \"leaver\"\nsystem = \"{0}\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"1h\"\n\n\
             [[step]]\non = \"leaver\"\nsystem = \"{0}\"\ndoes = \"revoke_credentials\"\nhow = \"automatic\"\nwithin = \"1h\"\n\n\
             [[limit]]\non = \"leaver\"\nwithin = \"24h\"\n",
            patient.system
        ))
        .unwrap();
        let rehearsal = rehearse_leaver(
            &Graph::build(&snapshot),
            &plan,
            &Leaver::Identity(IdentityId::new(patient.leaver)),
            Utc::now(),
            &RehearsalSettings::default(),
        );
        (rehearsal.verdict, rehearsal.missing_facts)
    }

    /// The journal of a sync, without what changes from run to run.
    async fn journal(&self, report: &SyncReport) -> Vec<String> {
        let id = Some(SyncId(report.sync));
        let (lines, _) = self.store.journal(None, id, 0, 1_000).await.unwrap();
        let mut kept: Vec<String> = Vec::new();
        let mut pages: Vec<(String, u32)> = Vec::new();
        // pages are stored while the next ones are asked for, so that either may be written first
        let mut retries: Vec<String> = Vec::new();
        for line in &lines {
            let kind = line.kind.as_deref().unwrap_or("-").to_owned();
            let text = steady(&format!("{} {kind} {}", line.what, line.text));
            if line.what == "retry" {
                retries.push(text);
                continue;
            }
            if line.what == "page" {
                match pages.last_mut().filter(|(last, _)| *last == kind) {
                    Some((_, count)) => *count += 1,
                    None => pages.push((kind, 1)),
                }
                continue;
            }
            kept.extend(told(&std::mem::take(&mut pages)));
            kept.append(&mut retries);
            kept.push(text);
        }
        kept.extend(told(&pages));
        kept.append(&mut retries);
        kept
    }
}

/// Pages that followed each other, as one line.
fn told(pages: &[(String, u32)]) -> Option<String> {
    let each: Vec<String> = pages
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    (!each.is_empty()).then(|| format!("pages {}", each.join(", ")))
}

/// Takes out ports, times, fingerprints, folders and other long numbers.
fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        if !out.is_empty() {
            out.push(' ');
        }
        if words.peek() == Some(&"ms") {
            out.push('N');
            continue;
        }
        if let Some((before, _)) = word.split_once(".tmp").filter(|_| !word.contains('/')) {
            write!(out, "{before}(folder)`").unwrap();
            continue;
        }
        let folder = std::env::temp_dir().to_string_lossy().into_owned();
        if let Some((before, after)) = word.split_once(&folder) {
            let name = after.rsplit('/').next().unwrap_or_default();
            let kept = after.matches('/').count() > 1;
            write!(
                out,
                "{before}(folder){}",
                if kept {
                    format!("/{name}")
                } else {
                    "`".to_owned()
                }
            )
            .unwrap();
            continue;
        }
        if let Some(id) = uuid_in(word) {
            out.push_str(&word.replace(id, "(id)"));
            continue;
        }
        let long_hex = |c: char| c.is_ascii_hexdigit() || c == ':';
        match word.len() > 40 && word.chars().filter(|c| long_hex(*c)).count() > 40 {
            true => out.push_str("(hash)"),
            false => out.push_str(&without_numbers(word)),
        }
    }
    out
}

/// The number that a server gave a request, where it is a UUID.
fn uuid_in(word: &str) -> Option<&str> {
    let id = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    (parts == [8, 4, 4, 4, 12] && id.chars().all(hex)).then_some(id)
}

/// Ports and bytes: numbers of four digits and more.
fn without_numbers(word: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for letter in word.chars().chain(['\0']) {
        match letter.is_ascii_digit() {
            true => digits.push(letter),
            false => {
                match digits.len() >= 4 {
                    true => out.push('N'),
                    false => out.push_str(&digits),
                }
                digits.clear();
                if letter != '\0' {
                    out.push(letter);
                }
            }
        }
    }
    out
}

/// Strikes the patient with every fault; prints the table and holds the journals against those kept.
pub fn run(patient: Patient<'_>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut patient = patient;
    let faults = std::mem::take(&mut patient.faults);
    let requests = std::mem::take(&mut patient.requests);
    let (kept, wrong) = runtime.block_on(all(&patient, faults, requests));
    println!("{kept}");
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/conformance/matrix")
        .join(format!("{}.txt", patient.name));
    if blessing() {
        std::fs::write(&file, &kept).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let first = known.lines().zip(kept.lines()).find(|(was, is)| was != is);
    assert!(
        known == kept,
        "the journals are not those of {}, first {first:?}; run with LASTKEY_BLESS=1 and look at \
         the difference",
        file.display()
    );
}

async fn all(
    patient: &Patient<'_>,
    faults: Vec<Fault>,
    requests: Vec<Fault>,
) -> (String, Vec<String>) {
    let sources: &[&str] = match &patient.beside {
        Some(_) => &[SUBJECT, "beside"],
        None => &[SUBJECT],
    };
    let bed = Bed::made(sources).await;
    let mut wrong = Vec::new();
    if let Some(folder) = &patient.beside {
        let report = bed
            .sync("beside", flat_files::connector(folder).as_ref(), LONG)
            .await;
        assert_eq!(report.state, "complete", "{report:?}");
    }
    let mut kept = format!("{} through every fault\n", patient.name);
    let mut count = 0;
    healthy(&bed, patient, "at first").await;
    for Fault { name, start } in faults {
        let struck = start();
        let blow = blow(&bed, patient, &name, struck.connector.as_ref()).await;
        wrong.extend(blow.wrong);
        writeln!(kept, "\n{name}: {}", blow.ended).unwrap();
        for line in bed.journal(&blow.report).await {
            writeln!(kept, "  {line}").unwrap();
        }
        drop(struck.lives);
        (struck.lift)();
        healthy(&bed, patient, &format!("after {name}")).await;
        count += 1;
    }
    if !requests.is_empty() {
        writeln!(kept, "\neach single request of a read\n").unwrap();
    }
    for Fault { name, start } in requests {
        let struck = start();
        let blow = blow(&bed, patient, &name, struck.connector.as_ref()).await;
        wrong.extend(blow.wrong);
        let failure = blow.report.failure.iter().map(|f| f.message.clone());
        let gaps = blow.report.kinds.iter().flat_map(|kind| kind.gaps.clone());
        let told = failure.chain(gaps).next().unwrap_or_default();
        writeln!(kept, "{name}: {}: {}", blow.ended, steady(&told)).unwrap();
        drop(struck.lives);
        // What a read without an end has stored is true; one with a gap can say too much of who may.
        if blow.report.state != "failed" {
            healthy(&bed, patient, &format!("after {name}")).await;
        }
        count += 1;
    }
    writeln!(kept, "\n{count} faults, none of them a pass").unwrap();
    (kept, wrong)
}

/// What a fault did.
struct Blow {
    report: SyncReport,
    /// How the read ended, and the verdict.
    ended: String,
    /// What may not be.
    wrong: Vec<String>,
}

async fn blow(bed: &Bed, patient: &Patient<'_>, name: &str, struck: &dyn Connector) -> Blow {
    let report = bed.sync(SUBJECT, struck, SHORT).await;
    let (verdict, missing) = bed.verdict(patient).await;
    let word = serde_json::to_string(&verdict).unwrap();
    let mut wrong = Vec::new();
    if report.state == "complete" {
        wrong.push(format!("{name}: the read is complete"));
    }
    if verdict != Verdict::Indeterminate || missing.is_empty() {
        wrong.push(format!(
            "{name}: the verdict is {word}, missing {missing:?}"
        ));
    }
    if report.totals.removed > 0 {
        wrong.push(format!("{name}: {} were removed", report.totals.removed));
    }
    if report.failure.as_ref().is_some_and(|f| f.hint.is_none()) {
        wrong.push(format!(
            "{name}: no hint says what to do: {:?}",
            report.failure
        ));
    }
    Blow {
        ended: format!("{}, verdict {}", report.state, word.trim_matches('"')),
        report,
        wrong,
    }
}

/// An undisturbed sync is complete, and the leaver passes.
async fn healthy(bed: &Bed, patient: &Patient<'_>, when: &str) {
    let report = bed.sync(SUBJECT, patient.healthy.as_ref(), LONG).await;
    assert_eq!(report.state, "complete", "{when}: {report:?}");
    let (verdict, missing) = bed.verdict(patient).await;
    assert_eq!(verdict, Verdict::Pass, "{when}: {missing:?}");
}

/// What a directory or a vault does not tell: who exists, and empty lists of the rest.
pub fn beside(leaver: &str, patient: &dyn Connector) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tells: Vec<Kind> = patient.capabilities().iter().map(|c| c.kind).collect();
    let mut facts: lastkey_conformance::Facts = Kind::ALL
        .into_iter()
        .filter(|kind| !tells.contains(kind))
        .map(|kind| (kind, Vec::new()))
        .collect();
    if let Some(people) = facts.get_mut(&Kind::Identity) {
        let person = serde_json::json!({"fact": "identity", "id": leaver, "kind": "person",
            "display_name": "The leaver", "status": "active"});
        people.push(serde_json::from_value(person).unwrap());
    }
    flat_files::write(folder.path(), &facts);
    folder
}

/// Every fault of the network and of the system, for a subject that has them. `web` is a part of
/// the path of a request in the middle of a read, where the subject speaks HTTP.
pub fn of_a_server(subject: &'static dyn Subject, web: Option<&'static str>) -> Vec<Fault> {
    let mut all = faults::of_the_network(subject);
    all.extend(faults::of_tls(subject));
    all.extend(faults::of_the_system(subject));
    if let Some(path) = web {
        all.extend(faults::of_http(subject, path));
    }
    all
}
