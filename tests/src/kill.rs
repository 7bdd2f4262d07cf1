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

impl Moment {
    /// When this part of the growth of an undisturbed run is there: from 0 to 1.
    pub fn grown(whole: u64, part: f64) -> Self {
        // Parts of a millionth are fine enough, and every number of them can be told exactly.
        let millionths = Duration::from_secs_f64(part.clamp(0.0, 1.0)).as_micros();
        let bytes = u128::from(whole) * millionths / 1_000_000;
        Moment::Grown(u64::try_from(bytes).unwrap_or(whole).max(1))
    }
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
const STEP: Duration = Duration::from_millis(1);

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

/// A program under way, and how large its folder was before.
pub struct Running<'a> {
    pub child: Child,
    folder: &'a Path,
    before: u64,
    begun: Instant,
}

impl<'a> Running<'a> {
    pub fn start(mut command: Command, folder: &'a Path) -> Self {
        let before = bytes_in(folder);
        let begun = Instant::now();
        Self {
            child: command.spawn().expect("the program starts"),
            folder,
            before,
            begun,
        }
    }

    /// Waits for the moment. The status, where the program was done before it came.
    pub fn wait_for(&mut self, moment: Moment) -> Option<i32> {
        loop {
            if let Some(status) = ended(&mut self.child) {
                return Some(status);
            }
            let passed = self.begun.elapsed();
            assert!(passed < PATIENCE, "the program does not end");
            let step = match moment {
                Moment::After(wait) if passed >= wait => return None,
                Moment::After(wait) => (wait - passed).min(STEP * 5),
                Moment::Grown(bytes) => {
                    if bytes_in(self.folder).saturating_sub(self.before) >= bytes {
                        return None;
                    }
                    STEP
                }
            };
            std::thread::sleep(step);
        }
    }
}

/// Runs the command and kills it at the moment, if it comes.
pub fn kill_at(command: Command, folder: &Path, moment: Moment) -> End {
    let mut running = Running::start(command, folder);
    if let Some(status) = running.wait_for(moment) {
        return End::Done(status);
    }
    let child = &mut running.child;
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

/// The bytes of all files below, but for the index of a log, which is made whole at each start.
pub fn bytes_in(folder: &Path) -> u64 {
    files_below(folder)
        .iter()
        .filter(|path| !path.to_string_lossy().ends_with("-shm"))
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
