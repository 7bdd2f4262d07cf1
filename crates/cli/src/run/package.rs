//! `export`, `verify`.

use super::{counted, open};
use crate::args::Global;
use crate::output::{Output, moment};
use lastkey_engine::views::ExportProgress;
use lastkey_workbench::{Failure, WhenMissing, moment_from_text};
use std::path::Path;
use std::process::ExitCode;

pub async fn export(
    global: &Global,
    path: &Path,
    at: Option<String>,
    extends: Option<&Path>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let at = at.as_deref().map(moment_from_text).transpose()?;
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let report = bench
        .export_at(path, at, extends, &|_: ExportProgress| {})
        .await?;
    if out.json {
        out.document(&report)?;
    } else {
        out.line(format!(
            "{}: {} bytes, {} files, {} rehearsals",
            report.path,
            counted(report.bytes),
            report.files,
            counted(report.rehearsals)
        ))?;
        out.line(format!("package {}", report.package_id))?;
        out.line(format!("sha256  {}", report.sha256))?;
        out.line(format!("signer  {}", report.signer))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn verify(
    package: &Path,
    signer: Option<&str>,
    extends: Option<&Path>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let view = lastkey_workbench::verify(package, signer, extends)?;
    let intact = view.state == "intact";
    if out.json {
        out.document(&view)?;
    } else {
        out.line(format!("{}: {}", view.path, view.state))?;
        if let Some(made_at) = &view.made_at {
            out.line(format!("made {}, {} files", moment(made_at), view.files))?;
        }
        if let Some(signer) = &view.signer {
            out.line(format!("signed with {signer}"))?;
        }
        for problem in &view.problems {
            match &problem.file {
                Some(file) => out.line(format!("  {file}: {}", problem.message))?,
                None => out.line(format!("  {}", problem.message))?,
            }
        }
    }
    Ok(if intact {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
