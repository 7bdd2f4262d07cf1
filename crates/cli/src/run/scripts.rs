//! `source script`: the least rights as texts for the system's own administrator.

use crate::output::Output;
use lastkey_engine::views::ScriptView;
use lastkey_workbench::Failure;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which of the texts, and where they go.
pub enum Which {
    /// All of them, each under its name.
    All,
    /// One, as it is: what is redirected is the file.
    Only(String),
    /// All, each in a file of this folder.
    Into(PathBuf),
}

/// Prints or writes what a kind has; a kind without rights of its own is told, and no failure.
pub fn script(
    kind: &str,
    settings: BTreeMap<String, String>,
    which: Which,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let mut scripts = lastkey_workbench::scripts(kind, settings)?;
    if let Which::Only(name) = &which {
        let names: Vec<String> = scripts.iter().map(|s| s.file_name.clone()).collect();
        scripts.retain(|script| script.file_name == *name);
        if scripts.is_empty() {
            let failure = Failure::bad_input(format!("{kind} has no script `{name}`"));
            return Err(match names.is_empty() {
                true => failure,
                false => failure.hint(format!("its scripts: {}", names.join(", "))),
            });
        }
    }
    if let Which::Into(folder) = &which {
        scripts
            .iter()
            .try_for_each(|script| write(folder, script))?;
    }
    if out.json {
        out.document(&scripts)?;
        return Ok(ExitCode::SUCCESS);
    }
    if scripts.is_empty() {
        out.line(format!(
            "{kind} has no script: it is read with the rights of whoever runs lastkey"
        ))?;
    }
    for (index, script) in scripts.iter().enumerate() {
        match &which {
            Which::Only(_) => out.text(&script.text)?,
            Which::Into(folder) => out.line(format!(
                "{}: {}; {}",
                folder.join(&script.file_name).display(),
                script.title,
                script.usage
            ))?,
            Which::All => {
                if index > 0 {
                    out.line("")?;
                }
                out.line(format!("==> {} <== {}", script.file_name, script.title))?;
                out.line(&script.usage)?;
                out.line("")?;
                out.text(&script.text)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(folder: &Path, script: &ScriptView) -> Result<(), Failure> {
    let path = folder.join(&script.file_name);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| file.write_all(script.text.as_bytes()))
        .map_err(|error| {
            Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
                .hint("choose a folder that exists and holds no such file; nothing is overwritten")
        })
}
