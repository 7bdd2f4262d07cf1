//! Runs the cases and keeps their results.

use crate::case::Case;
use crate::outcome::Outcome;
use crate::subject::Subject;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long a case may take; one of a long run reads a large set.
const PATIENCE: Duration = Duration::from_secs(240);

/// The result of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResult {
    pub connector: String,
    pub server: String,
    pub case: Case,
    #[serde(flatten)]
    pub outcome: Outcome,
    #[serde(default)]
    pub milliseconds: u64,
}

/// Runs every case, one after the other.
pub fn run_all(subject: &dyn Subject) -> Vec<CaseResult> {
    Case::ALL
        .iter()
        .map(|case| run_case(subject, *case))
        .collect()
}

/// Cases of one process run side by side, but for those that measure what memory is in use: what
/// the others take and give back would be measured with it.
static SIDE_BY_SIDE: RwLock<()> = RwLock::new(());

/// Runs one case. A panic and a case without end are failures.
pub fn run_case(subject: &dyn Subject, case: Case) -> CaseResult {
    let (_alone, _beside) = match matches!(case, Case::FlatMemory | Case::Bombs) {
        true => (
            Some(SIDE_BY_SIDE.write().unwrap_or_else(PoisonError::into_inner)),
            None,
        ),
        false => (
            None,
            Some(SIDE_BY_SIDE.read().unwrap_or_else(PoisonError::into_inner)),
        ),
    };
    let begun = Instant::now();
    let outcome = match subject.not_applicable(case) {
        Some(why) => Outcome::NotApplicable(why.to_owned()),
        None => std::thread::scope(|scope| {
            scope
                .spawn(|| alone(subject, case))
                .join()
                .unwrap_or_else(|panic| Outcome::Failed(format!("it panicked: {}", words(&panic))))
        }),
    };
    CaseResult {
        connector: subject.name(),
        server: subject.server(),
        case,
        outcome,
        milliseconds: begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
    }
}

fn alone(subject: &dyn Subject, case: Case) -> Outcome {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Outcome::Failed(format!("no runtime: {error}")),
    };
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, case.run(subject)).await });
    runtime.shutdown_timeout(Duration::from_millis(500));
    match ended {
        Ok(verdict) => verdict.into(),
        Err(_) => Outcome::Failed(format!("it did not end within {PATIENCE:?}")),
    }
}

fn words(panic: &Box<dyn std::any::Any + Send>) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// The folder for results: `LASTKEY_RESULTS`, or `conformance` in the build's target folder.
pub fn results_folder() -> PathBuf {
    let given = std::env::var_os("LASTKEY_RESULTS").map(PathBuf::from);
    let target = || std::env::var_os("CARGO_TARGET_DIR").map(|t| Path::new(&t).join("conformance"));
    given
        .or_else(target)
        .unwrap_or_else(|| std::env::temp_dir().join("lastkey-conformance"))
}

/// Writes the results of one run as JSON lines; gives back the file.
pub fn write_results(folder: &Path, results: &[CaseResult]) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let name = results.first().map_or("nothing", |r| r.connector.as_str());
    let path = folder.join(format!("{name}.jsonl"));
    let mut file = io::BufWriter::new(std::fs::File::create(&path)?);
    for result in results {
        serde_json::to_writer(&mut file, result)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(path)
}
