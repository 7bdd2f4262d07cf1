//! Start: the few arguments of the window's own command line, and the window.

use crate::desk::Desk;
use crate::settings::UiSettings;
use crate::watching::watch_on;
use crate::{commands, rendering};
use lastkey_workbench::{KeySource, default_store_path};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tauri::{Manager, RunEvent, WebviewUrl, WebviewWindowBuilder};

const USAGE: &str = "usage: lastkey-window [--store PATH] [--key-file FILE]";

struct Arguments {
    store_path: PathBuf,
    key_source: KeySource,
}

/// Opens the window; gives back when it is closed.
pub fn run() -> ExitCode {
    lastkey_workbench::leave_no_core();
    let arguments = match arguments(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            let _no_terminal_is_fine = writeln!(std::io::stderr(), "{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    rendering::choose(&UiSettings::load());
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(commands::handler())
        .setup(move |app| {
            app.manage(Desk::new(
                app.handle().clone(),
                arguments.store_path,
                arguments.key_source,
            ));
            tauri::async_runtime::spawn(watch_on(app.handle().clone()));
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Lastkey")
                .inner_size(1280.0, 800.0)
                .min_inner_size(720.0, 480.0)
                .build()?;
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if let RunEvent::Exit = event {
                    tauri::async_runtime::block_on(app.state::<Desk>().close());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _no_terminal_is_fine =
                writeln!(std::io::stderr(), "the window cannot be opened: {error}");
            ExitCode::from(3)
        }
    }
}

fn arguments(given: impl Iterator<Item = OsString>) -> Result<Arguments, String> {
    let mut store_path = None;
    let mut key_file = std::env::var_os("LASTKEY_KEY_FILE").filter(|path| !path.is_empty());
    let mut given = given;
    while let Some(argument) = given.next() {
        let target = match argument.to_str() {
            Some("--store") => &mut store_path,
            Some("--key-file") => &mut key_file,
            _ => return Err(format!("`{}` is not an option", argument.to_string_lossy())),
        };
        *target = Some(
            given
                .next()
                .ok_or_else(|| format!("`{}` needs a path", argument.to_string_lossy()))?,
        );
    }
    Ok(Arguments {
        store_path: match store_path {
            Some(path) => PathBuf::from(path),
            None => {
                default_store_path().ok_or("this system names no data folder; give --store PATH")?
            }
        },
        key_source: key_file.map_or(KeySource::Keychain, |path| {
            KeySource::KeyFile(PathBuf::from(path))
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_arguments_are_named() {
        let parse = |words: &[&str]| arguments(words.iter().map(OsString::from));
        assert_eq!(
            parse(&["--store", "/x"]).unwrap().store_path,
            PathBuf::from("/x")
        );
        for (words, wrong) in [
            (vec!["--stor"], "`--stor` is not an option"),
            (vec!["--store"], "`--store` needs a path"),
        ] {
            assert_eq!(parse(&words).err().unwrap(), wrong);
        }
    }
}
