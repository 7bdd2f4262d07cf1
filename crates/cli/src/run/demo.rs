//! `demo`: the practice estate.

use super::sources::{totals, verdict};
use super::{counted, open};
use crate::args::Global;
use crate::output::Output;
use lastkey_engine::practice::Size;
use lastkey_workbench::{Failure, WhenMissing, write_practice_estate};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn size(word: &str) -> Result<Size, Failure> {
    Size::from_word(word)
        .ok_or_else(|| Failure::bad_input(format!("`{word}` is no size of the practice estate")))
}

/// The estate added as sources, and read.
pub async fn demo(
    global: &Global,
    word: &str,
    dir: Option<PathBuf>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Create, out).await?;
    let dir = dir.unwrap_or_else(|| bench.practice_folder());
    let reports = bench.demo(&dir, size(word)?, &out.teller()).await?;
    let status = bench.status().await?;
    if out.json {
        out.document(&reports)?;
    } else {
        totals(&reports, out)?;
        out.line(format!(
            "practice estate: {} identities, {} credentials from {} sources; its date is {}",
            counted(status.identities),
            counted(status.credentials),
            status.sources,
            status.practice_date.as_deref().unwrap_or("now")
        ))?;
        out.line(format!("its files: {}", dir.display()))?;
    }
    Ok(ExitCode::from(verdict(&reports)))
}

/// The files alone.
pub async fn files(word: &str, dir: &Path, out: &Output) -> Result<ExitCode, Failure> {
    let files = write_practice_estate(dir, size(word)?).await?;
    if out.json {
        out.document(&json!({ "dir": dir.display().to_string(), "files": files }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    out.line(format!(
        "{} files, {} rows, {} MB: {}",
        counted(u64::try_from(files.len()).unwrap_or(u64::MAX)),
        counted(rows),
        bytes.div_ceil(1_000_000),
        dir.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
