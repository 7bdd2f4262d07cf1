//! The program `lastkey`: a thin client of the workbench for terminals, scripts and scheduled jobs.
//!
//! - `args`: the command line
//! - `output`: human text, JSON, progress; a closed pipe ends quietly
//! - `run`: one function per command
//! - `terminal`: asks whoever sits there for something that nobody may see
//! - `window`: `lastkey` without a command starts the window
//!
//! Exit status: 0 done; 1 done, and something failed its test; 2 wrong use; 3 could not be
//! done; 4 keychain locked, key wrong or missing, store damaged. Never a panic text.

mod args;
mod event_args;
mod link_args;
mod output;
mod past_args;
mod policy_args;
mod probe_args;
mod run;
mod saved_args;
mod secret_args;
mod terminal;
mod window;

use clap::Parser;
use clap::error::ErrorKind;
use std::process::ExitCode;

fn main() -> ExitCode {
    lastkey_workbench::leave_no_core();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout with 0; a command without its second word gets help too.
            let help = matches!(
                error.kind(),
                ErrorKind::DisplayHelp
                    | ErrorKind::DisplayVersion
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            );
            let json = wants_json();
            if help && !(json && error.exit_code() != 0) {
                let _closed_pipe = error.print();
                return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            }
            let failure = if help {
                lastkey_workbench::Failure::bad_input("a command is missing")
                    .hint("lastkey --help lists them")
            } else {
                output::wrong_use(&error)
            };
            return output::told(&failure, json);
        }
    };
    output::quiet_panics();
    let out = output::Output::new(&args.global);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run::run(args, &out)));
    match done {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => out.failure(&failure),
        Err(_) => out.failure(&lastkey_workbench::Failure::not_possible(
            "something inside Lastkey went wrong; nothing half-done was kept",
        )),
    }
}

/// Whether the command line asks for documents, although it could not be understood.
fn wants_json() -> bool {
    std::env::args_os()
        .take_while(|arg| arg != "--")
        .any(|arg| arg == "--json")
}
