//! `export`, `verify`.

use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment};
use lastkey_engine::views::ExportProgress;
use lastkey_workbench::{Failure, PackageAsked, WhenMissing};
use std::path::Path;
use std::process::ExitCode;

/// Refuses to write over a file, unless told to; and never over the package that is continued.
pub fn may_be_written(path: &Path, extends: Option<&Path>, replace: bool) -> Result<(), Failure> {
    let is_there = path.symlink_metadata().is_ok();
    let place = |path: &Path| path.canonicalize().ok();
    let continued = extends.is_some_and(|old| is_there && place(old) == place(path));
    if continued {
        return Err(Failure::not_possible(format!(
            "`{}` is the package that the new one continues: it has to stay",
            path.display()
        ))
        .hint("write the new one to another file"));
    }
    match is_there && !replace {
        true => Err(
            Failure::not_possible(format!("`{}` is there already", path.display()))
                .hint("write to another file, or say --replace"),
        ),
        false => Ok(()),
    }
}

pub async fn export(
    global: &Global,
    path: &Path,
    asked: &PackageAsked,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let report = bench.export(path, asked, &|_: ExportProgress| {}).await?;
    if out.json {
        out.document(&report)?;
    } else {
        out.line(format!(
            "{}: {} bytes, {}, {}",
            report.path,
            counted(report.bytes),
            of_these(report.files, "file", "files"),
            of_these(report.rehearsals, "rehearsal", "rehearsals")
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
            let files = of_these(view.files, "file", "files");
            out.line(format!("made {}, {files}", moment(made_at)))?;
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
