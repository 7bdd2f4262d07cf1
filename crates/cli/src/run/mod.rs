//! One function per command. Each calls the workbench and writes the answer; nothing is decided here.

mod assertions;
mod demo;
mod events;
mod guard;
mod history;
mod leavers;
mod link;
mod measured;
mod owners;
mod package;
mod plan_coverage;
mod policy;
mod policy_carried;
mod policy_diff;
mod probe;
mod rehearse;
mod removing;
mod retention;
mod roles;
mod saved;
mod scripts;
mod secrets;
mod series;
mod sources;
mod store;
mod survey;
mod tables;
mod watch;

use crate::args::{Args, Command, Global, Plan, Rehearse};
use crate::output::Output;
use lastkey_contract::Kind;
use lastkey_engine::collect::{Depth, Removals};
use lastkey_engine::lifecycle::RoleChange;
use lastkey_workbench::{
    Closing, Failure, KeySource, OpenOptions, PackageAsked, Passphrase, SyncHow, WhenMissing,
    Workbench, default_store_path, moment_of,
};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

/// Runs the command to its end on a runtime of its own.
pub fn run(args: Args, out: &Output) -> Result<ExitCode, Failure> {
    let Some(command) = args.command else {
        return crate::window::open(&args.global);
    };
    listen_to_ourselves(args.global.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::not_possible(format!("no threads can be started: {error}")))?;
    runtime.block_on(async {
        let done = dispatch(command, &args.global, out).await;
        let opened = OPENED.lock().ok().and_then(|mut opened| opened.take());
        if let Some(opened) = opened {
            opened.close().await;
        }
        done
    })
}

/// The store that the command opened, to be closed before the process ends.
static OPENED: Mutex<Option<Closing>> = Mutex::new(None);

async fn dispatch(command: Command, global: &Global, out: &Output) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo {
            size,
            dir,
            files_only,
        } => match (dir, files_only) {
            (Some(dir), true) => demo::files(&size, &dir, out).await,
            (dir, _) => demo::demo(global, &size, dir, out).await,
        },
        Command::Source(source) => sources::source(global, source, out).await,
        Command::Sync {
            names,
            full,
            accept_removals,
        } => {
            let how = SyncHow {
                depth: if full { Depth::Full } else { Depth::AsNeeded },
                removals: if accept_removals {
                    Removals::Accept
                } else {
                    Removals::Hold
                },
                ..SyncHow::default()
            };
            sources::sync(global, names, how, out).await
        }
        Command::Import(import) => sources::import(global, import, out).await,
        Command::Identities(table) => tables::table(global, Kind::Identity, table, out).await,
        Command::Accounts(table) => tables::table(global, Kind::Account, table, out).await,
        Command::Entitlements(table) => tables::table(global, Kind::Entitlement, table, out).await,
        Command::Grants(table) => tables::table(global, Kind::Grant, table, out).await,
        Command::Credentials(table) => tables::table(global, Kind::Credential, table, out).await,
        Command::Locations(table) => tables::table(global, Kind::Location, table, out).await,
        Command::Readers(table) => tables::table(global, Kind::Reader, table, out).await,
        Command::Controls(table) => tables::table(global, Kind::Control, table, out).await,
        Command::Owners(table) if table.as_of.is_none() => owners::lines(global, table, out).await,
        Command::Owners(table) => tables::table(global, Kind::Owner, table, out).await,
        Command::Owner(owner) => owners::owner(global, owner, out).await,
        Command::Sessions(table) => tables::table(global, Kind::Session, table, out).await,
        Command::Tasks(table) => tables::table(global, Kind::Task, table, out).await,
        Command::Events(table) => tables::events(global, table, out).await,
        Command::Leavers(args) => leavers::leavers(global, args, out).await,
        Command::Probe(command) => probe::probe(global, command, out).await,
        Command::Watch(command) => watch::watch(global, command, out).await,
        Command::Diff(args) => history::diff(global, args, out).await,
        Command::History { kind, id } => history::history(global, &kind, &id, out).await,
        Command::Journal { source } => tables::journal(global, source, out).await,
        Command::Secrets(args) => secrets::secrets(global, args, out).await,
        Command::Link(args) => link::link(global, args, out).await,
        Command::Reach(reach) => rehearse::reach(global, reach, out).await,
        Command::Plan(Plan::Load { file, confirm }) => {
            rehearse::plan_load(global, &file, confirm.as_deref(), out).await
        }
        Command::Plan(Plan::Coverage(args)) => plan_coverage::coverage(global, args, out).await,
        Command::Plan(Plan::Measured) => measured::steps(global, out).await,
        Command::Plan(Plan::Show) => rehearse::plan_show(global, out).await,
        Command::Policy(command) => policy::policy(global, command, out).await,
        Command::Rehearse(Rehearse::Leaver(leaver)) => rehearse::leaver(global, leaver, out).await,
        Command::Rehearse(Rehearse::Mover(role)) => {
            roles::role(global, RoleChange::Mover, role, out).await
        }
        Command::Rehearse(Rehearse::Joiner(role)) => {
            roles::role(global, RoleChange::Joiner, role, out).await
        }
        Command::Rehearse(Rehearse::Events(args)) => events::events(global, args, out).await,
        Command::Rehearse(Rehearse::Everyone(args)) => survey::everyone(global, args, out).await,
        Command::Assertions(command) => assertions::assertions(global, command, out).await,
        Command::Guard(command) => guard::guard(global, command, out).await,
        Command::Rehearsal(saved) => saved::saved(global, saved, out).await,
        Command::Export {
            out: path,
            at,
            since,
            until,
            extends,
            replace,
        } => {
            package::may_be_written(&path, extends.as_deref(), replace)?;
            let at = at.as_deref().map(|text| moment_of("--at", text));
            let asked = PackageAsked {
                at: at.transpose()?,
                since,
                until,
                extends,
            };
            package::export(global, &path, &asked, out).await
        }
        Command::Verify {
            package,
            signer,
            extends,
        } => package::verify(&package, signer.as_deref(), extends.as_deref(), out),
        Command::Retention(command) => retention::retention(global, command, out).await,
        Command::Store(store) => store::store(global, store, out).await,
    }
}

/// Opens the store, or makes it where the command may.
async fn open(
    global: &Global,
    when_missing: WhenMissing,
    out: &Output,
) -> Result<Workbench, Failure> {
    let mut options = options(global, when_missing)?;
    let opened = match Workbench::open(&options).await {
        Err(failure) if passphrase_is_all_that_lacks(&failure) => {
            match crate::terminal::unseen("Passphrase of this store: ")? {
                Some(typed) => {
                    let passphrase = Passphrase::new(typed);
                    options.key_source = KeySource::KeychainAndPassphrase(passphrase);
                    Workbench::open(&options).await?
                }
                None => return Err(failure),
            }
        }
        opened => opened?,
    };
    if let Ok(mut one) = OPENED.lock() {
        *one = Some(opened.workbench.closing());
    }
    if let Some(key) = opened.recovery_key {
        out.important("A new store was made. Its recovery key, shown this once; keep it apart from this machine:");
        out.important(format!("  {}", key.as_str()));
    }
    if let Some(notice) = opened.notice {
        out.important(format!("note: {notice}"));
    }
    Ok(opened.workbench)
}

fn passphrase_is_all_that_lacks(failure: &Failure) -> bool {
    failure.state.as_deref() == Some("passphrase_needed")
}

/// Which store, and what opens it.
/// Whether there is a store to open.
fn store_is_there(global: &Global) -> Result<bool, Failure> {
    Ok(options(global, WhenMissing::Refuse)?.store_path.exists())
}

fn options(global: &Global, when_missing: WhenMissing) -> Result<OpenOptions, Failure> {
    let store_path = match &global.store {
        Some(path) => path.clone(),
        None => default_store_path().ok_or_else(|| {
            Failure::bad_input("this system names no data folder").hint("give --store PATH")
        })?,
    };
    let given = |path: &Option<PathBuf>| path.clone().filter(|p| !p.as_os_str().is_empty());
    let key_source = match (given(&global.key_file), given(&global.passphrase_file)) {
        (Some(path), _) => KeySource::KeyFile(path),
        (None, Some(path)) => KeySource::KeychainAndPassphrase(Passphrase::from_file(&path)?),
        (None, None) => KeySource::Keychain,
    };
    Ok(OpenOptions {
        store_path,
        key_source,
        when_missing,
    })
}

/// `-v` tells of steps, `-vv` of details; secrets are hidden by type.
fn listen_to_ourselves(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::new("lastkey=off").add_directive(level.into()),
        )
        .finish();
    // Only the first caller sets it; there is one.
    let _already_set = tracing::subscriber::set_global_default(subscriber);
}

/// `1,234`.
fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 step`, `1,234 steps`.
fn of_these(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", counted(number))
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(super::counted(number), text);
        }
    }
}
