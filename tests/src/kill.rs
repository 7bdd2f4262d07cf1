//! Ends a program with SIGKILL at a chosen moment: after a time, or once it has written so much.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// When a program is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// So long after its start.
    After(Duration),
    /// When the files of the folder have grown by so many bytes: the WAL, a package, an answer.
    Grown(u64),
}

/// How a program came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Killed,
    /// It was done before the moment came, with this status.
    Done(i32),
}

/// A run that was left alone: how long it took, and how much its folder had grown at the most.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub took: Duration,
    pub grown: u64,
    pub status: i32,
}

/// What a run may take at most; a busy machine is slow, a hanging program is wrong.
const PATIENCE: Duration = Duration::from_secs(300);
const STEP: Duration = Duration::from_micros(300);

/// Runs the command to its end, looking at the folder all the while.
pub fn measure(mut command: Command, folder: &Path) -> Measured {
    let before = bytes_in(folder);
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let mut grown = 0;
    let status = loop {
        grown = grown.max(bytes_in(folder).saturating_sub(before));
        if let Some(status) = ended(&mut child) {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "{command:?} does not end");
        std::thread::sleep(STEP);
    };
    Measured {
        took: begun.elapsed(),
        grown,
        status,
    }
}

/// Runs the command and kills it at the moment, if it comes.
pub fn kill_at(mut command: Command, folder: &Path, moment: Moment) -> End {
    let before = bytes_in(folder);
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    loop {
        if let Some(status) = ended(&mut child) {
            return End::Done(status);
        }
        let now = match moment {
            Moment::After(wait) => begun.elapsed() >= wait,
            Moment::Grown(bytes) => bytes_in(folder).saturating_sub(before) >= bytes,
        };
        if now {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{command:?} does not end");
        let step = match moment {
            Moment::After(wait) => wait.saturating_sub(begun.elapsed()).min(STEP * 20),
            Moment::Grown(_) => STEP,
        };
        std::thread::sleep(step);
    }
    child.kill().expect("SIGKILL is sent");
    let status = child.wait().expect("the killed program is gone");
    match status.code() {
        // It ended by itself between the last look and the signal.
        Some(code) => End::Done(code),
        None => End::Killed,
    }
}

fn ended(child: &mut Child) -> Option<i32> {
    let status = child.try_wait().expect("the program can be asked for");
    status.map(|status| status.code().unwrap_or(-1))
}

/// The bytes of all files below.
pub fn bytes_in(folder: &Path) -> u64 {
    files_below(folder)
        .iter()
        .filter_map(|path| path.metadata().ok())
        .map(|meta| meta.len())
        .sum()
}

/// All files below, in order. What disappears while it is looked at is left out.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                Ok(_) | Err(_) => {}
            }
        }
    }
    found.sort();
    found
}
