//! The program `lastkey`: a thin client of the workbench for terminals, scripts and scheduled jobs.
//!
//! - `args`: the command line
//! - `output`: human text, JSON, progress; a closed pipe ends quietly
//! - `run`: one function per command
//! - `window`: `lastkey` without a command starts the window
//!
//! Exit status: 0 done; 1 done, and something failed its test; 2 wrong use; 3 could not be
//! done; 4 keychain locked, key wrong or missing, store damaged. Never a panic text.

mod args;
mod output;
mod run;
mod window;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    lastkey_workbench::leave_no_core();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout with 0, wrong use to stderr with 2.
            let status = error.exit_code();
            let _closed_pipe = error.print();
            return ExitCode::from(u8::try_from(status).unwrap_or(2));
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
