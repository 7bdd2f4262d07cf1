//! `lastkey` without a command starts the window, which is its own program beside this one.

use crate::args::Global;
use lastkey_workbench::Failure;
use std::process::{Command, ExitCode};

/// Starts `lastkey-window` and gives back its status.
pub fn open(global: &Global) -> Result<ExitCode, Failure> {
    let program = std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.parent()?.join(name())))
        .filter(|path| path.is_file())
        .ok_or_else(|| {
            Failure::not_possible(format!("`{}` is not beside this program", name()))
                .hint("install the window too, or see `lastkey --help` for commands")
        })?;
    let mut window = Command::new(program);
    if let Some(store) = &global.store {
        window.arg("--store").arg(store);
    }
    if let Some(key_file) = &global.key_file {
        window.arg("--key-file").arg(key_file);
    }
    let status = window
        .status()
        .map_err(|error| Failure::not_possible(format!("the window cannot be started: {error}")))?;
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(3),
    ))
}

fn name() -> &'static str {
    if cfg!(windows) {
        "lastkey-window.exe"
    } else {
        "lastkey-window"
    }
}
