//! `lastkey` without a command starts the window, which is its own program beside this one.

use crate::args::Global;
use lastkey_workbench::Failure;
use std::process::{Command, ExitCode};

/// Starts `lastkey-window` and gives back its status.
pub fn open(global: &Global) -> Result<ExitCode, Failure> {
    if needs_display() && !has_display() {
        return Err(
            Failure::not_possible("there is no display to open the window on")
                .hint("start it on a desktop, or see `lastkey --help` for commands"),
        );
    }
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

/// Whether a window needs a display that the environment names.
fn needs_display() -> bool {
    cfg!(all(unix, not(target_os = "macos")))
}

fn has_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    named("DISPLAY") || named("WAYLAND_DISPLAY")
}

fn name() -> &'static str {
    if cfg!(windows) {
        "lastkey-window.exe"
    } else {
        "lastkey-window"
    }
}
