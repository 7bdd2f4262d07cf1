//! The walk through a tree on all cores: what was found where, and what was not looked into.
//!
//! A value leaves this file in no form: of each find only its rule, its place and what the place
//! names are kept.

use crate::contents::labelled;
use crate::file::{self, Left, Room};
use crate::find::{Find, Named};
use crate::left::{LeftOut, Reason};
use crate::look::Looker;
use crate::places::{known, no_files, passing};
use crate::readers::Held;
use crate::settings::{Ignored, Scan, Scope};
use chrono::{DateTime, Utc};
use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use lastkey_contract::ConnectorError;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Most finds of a scan.
const MOST: u64 = 1_000_000;

/// What is kept of a find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub rule: &'static str,
    pub label: String,
    pub line: Option<u64>,
    pub named: Option<Named>,
}

/// A file in which something was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    pub path: PathBuf,
    pub held: Option<Held>,
    /// It has an access list beyond its mode.
    pub listed: bool,
    pub modified: Option<DateTime<Utc>>,
    pub kept: Vec<Kept>,
}

/// What a walk gives back.
#[derive(Debug, Default)]
pub struct Walked {
    /// In the order of their paths.
    pub files: Vec<FilePlace>,
    pub left: LeftOut,
}

/// A path as text; a name that is no Unicode is written with the numbers of its odd bytes.
pub fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => path
            .as_os_str()
            .as_encoded_bytes()
            .escape_ascii()
            .to_string(),
    }
}

/// What the finds of a file leave behind.
pub fn kept(finds: Vec<Find>) -> Vec<Kept> {
    labelled(finds)
        .into_iter()
        .map(|(label, find)| Kept {
            rule: find.rule,
            label,
            line: find.line,
            named: find.named,
        })
        .collect()
}

/// Walks below `top`, which is a folder and no link. `stop` ends it early, with what it has.
pub fn walk(
    scan: &Scan,
    top: &Path,
    looker: &Looker,
    stop: &AtomicBool,
) -> Result<Walked, ConnectorError> {
    let shared = Arc::new(Mutex::new(Walked::default()));
    let mut builder = WalkBuilder::new(top);
    let leaves_out = scan.ignored == Ignored::LeftOut;
    builder
        .standard_filters(false)
        .git_ignore(leaves_out)
        .git_exclude(leaves_out)
        .parents(leaves_out)
        .require_git(false)
        .follow_links(false)
        .overrides(scan.left_out(top)?)
        .threads(std::thread::available_parallelism().map_or(2, usize::from));
    let (scope, whole, tally) = (scan.scope, top.to_path_buf(), Arc::clone(&shared));
    builder.filter_entry(move |entry| {
        if !entry.file_type().is_some_and(|kind| kind.is_dir()) || entry.depth() == 0 {
            return true;
        }
        let below = entry.path().strip_prefix(&whole).unwrap_or(entry.path());
        let reason = match scope {
            _ if no_files(below, entry.path()) => Reason::Packed,
            Scope::Home if passing(below) => Reason::Passing,
            Scope::Home | Scope::Tree => return true,
        };
        with(&tally, |walked| {
            walked.left.add(reason, shown(entry.path()))
        });
        false
    });
    let found = AtomicU64::new(0);
    let mut threads = Threads {
        scan,
        top,
        looker,
        stop,
        found: &found,
        shared: &shared,
    };
    builder.build_parallel().visit(&mut threads);
    let mut walked = with(&shared, std::mem::take);
    walked.files.sort_by(|a, b| a.path.cmp(&b.path));
    if leaves_out {
        walked.left.add(Reason::Ignored, ".gitignore".to_owned());
    }
    for pattern in &scan.exclude {
        walked.left.add(Reason::Excluded, pattern.clone());
    }
    Ok(walked)
}

/// Works on what threads share; one that panicked leaves whole entries behind.
fn with<T>(shared: &Mutex<Walked>, work: impl FnOnce(&mut Walked) -> T) -> T {
    let mut guard = match shared.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    };
    work(&mut guard)
}

struct Threads<'s> {
    scan: &'s Scan,
    top: &'s Path,
    looker: &'s Looker,
    stop: &'s AtomicBool,
    found: &'s AtomicU64,
    shared: &'s Mutex<Walked>,
}

impl<'s> ParallelVisitorBuilder<'s> for Threads<'s> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 's> {
        Box::new(Thread {
            scan: self.scan,
            top: self.top,
            looker: self.looker,
            stop: self.stop,
            found: self.found,
            shared: self.shared,
            room: Room::new(),
            own: Walked::default(),
        })
    }
}

/// One thread of the walk, with what it has found itself.
struct Thread<'s> {
    scan: &'s Scan,
    top: &'s Path,
    looker: &'s Looker,
    stop: &'s AtomicBool,
    found: &'s AtomicU64,
    shared: &'s Mutex<Walked>,
    room: Room,
    own: Walked,
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        let own = std::mem::take(&mut self.own);
        with(self.shared, |walked| {
            walked.files.extend(own.files);
            walked.left.join(own.left);
        });
    }
}

impl ParallelVisitor for Thread<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.stop.load(Ordering::Relaxed) {
            return WalkState::Quit;
        }
        match entry {
            Ok(entry) => self.entry(&entry),
            Err(error) => {
                let path = path_of(&error).map_or_else(|| shown(self.top), shown);
                let reason = match error.io_error().map(std::io::Error::kind) {
                    Some(std::io::ErrorKind::NotFound) => Reason::Vanished,
                    Some(std::io::ErrorKind::PermissionDenied) => Reason::FolderClosed,
                    _ => Reason::FolderUnreadable,
                };
                self.own.left.add(reason, path);
            }
        }
        WalkState::Continue
    }
}

impl Thread<'_> {
    fn entry(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let Some(kind) = entry.file_type() else {
            return;
        };
        if kind.is_dir() {
            return;
        }
        if kind.is_symlink() {
            let out = std::fs::canonicalize(path).is_ok_and(|to| !to.starts_with(self.top));
            if out {
                self.own.left.add(Reason::LinkOut, shown(path));
            }
            return;
        }
        if !kind.is_file() {
            self.own.left.add(Reason::NoFile, shown(path));
            return;
        }
        let place = known(path);
        let (looker, largest) = (self.looker, self.scan.largest);
        let looked = file::look(path, place, largest, looker, &mut self.room, self.stop);
        let mut looked = match looked {
            Ok(looked) => looked,
            Err(left) => {
                let reason = match left {
                    Left::Stopped => return,
                    Left::Vanished => Reason::Vanished,
                    Left::NotAllowed => Reason::FileClosed,
                    Left::Unreadable => Reason::FileUnreadable,
                    Left::TooLarge => Reason::TooLarge,
                    Left::Binary => Reason::Binary,
                    Left::NoFile => Reason::NoFile,
                    // It was a file a moment ago: what it is now is not followed.
                    Left::Link => Reason::LinkOut,
                };
                self.own.left.add(reason, shown(path));
                return;
            }
        };
        if looked.not_understood {
            self.own.left.add(Reason::NotUnderstood, shown(path));
        }
        if looked.cut {
            self.own.left.add(Reason::Cut, shown(path));
        }
        if looked.finds.is_empty() {
            return;
        }
        let count = looked.finds.len() as u64;
        if self.found.fetch_add(count, Ordering::Relaxed) + count > MOST {
            self.own.left.add(Reason::TooMany, shown(path));
            return;
        }
        if let [key] = looked.finds.as_mut_slice()
            && key.rule == "private-key"
            && key.named.is_none()
        {
            key.named = file::public_beside(path).map(|print| Named::SshKey {
                print,
                comment: String::new(),
            });
        }
        self.own.files.push(FilePlace {
            path: path.to_path_buf(),
            held: held(&looked.about),
            listed: has_access_list(path),
            modified: looked.about.modified().ok().map(DateTime::<Utc>::from),
            kept: kept(looked.finds),
        });
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        ignore::Error::Partial(errors) => errors.iter().find_map(path_of),
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::Io(_)
        | ignore::Error::Glob { .. }
        | ignore::Error::UnrecognizedFileType(_)
        | ignore::Error::InvalidDefinition => None,
    }
}

/// Owner, group and mode, where the system has them.
#[cfg(unix)]
pub fn held(about: &Metadata) -> Option<Held> {
    use std::os::unix::fs::MetadataExt;
    Some(Held {
        owner: about.uid(),
        group: about.gid(),
        mode: about.mode() & 0o7777,
    })
}

#[cfg(not(unix))]
pub fn held(_: &Metadata) -> Option<Held> {
    None
}

/// Whether a file has an access list beyond its mode; where that cannot be told, there is none.
#[cfg(target_os = "linux")]
fn has_access_list(path: &Path) -> bool {
    let mut list = [0u8; 4096];
    let found = rustix::fs::lgetxattr(path, "system.posix_acl_access", &mut list);
    matches!(found, Ok(long) if long > 0) || found == Err(rustix::io::Errno::RANGE)
}

#[cfg(not(target_os = "linux"))]
fn has_access_list(_: &Path) -> bool {
    false
}
