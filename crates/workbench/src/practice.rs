//! `lastkey demo`: the practice estate as flat files, added as sources and read.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_from_text;
use crate::sources::{ImportRequest, Tell};
use crate::stop::Stop;
use lastkey_engine::collect::Deriving;
use lastkey_engine::practice::{Estate, Size, estate};
use lastkey_engine::views::SyncReport;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Path within the folder.
    pub path: String,
    /// Rows without the header.
    pub rows: u64,
    pub bytes: u64,
}

impl Workbench {
    /// Where the estate's files are written if nobody says: beside the store.
    pub fn practice_folder(&self) -> PathBuf {
        let mut name = self
            .store
            .path()
            .file_stem()
            .unwrap_or_default()
            .to_os_string();
        name.push("-practice-estate");
        self.store.path().with_file_name(name)
    }

    /// Makes the practice estate in `folder` and reads it. Refuses a store that holds
    /// sources of its own, and a disk that is too small; doing it again is a sync like any other.
    pub async fn demo(
        &self,
        folder: &Path,
        size: Size,
        tell: Tell<'_>,
    ) -> Result<Vec<SyncReport>, Failure> {
        self.demo_of(estate(size), folder, tell).await
    }

    /// The same with an estate that is given.
    pub async fn demo_of(
        &self,
        estate: Estate,
        folder: &Path,
        tell: Tell<'_>,
    ) -> Result<Vec<SyncReport>, Failure> {
        let ours = self.practice_date().is_some();
        if !ours && !self.store.sources().await?.is_empty() {
            return Err(Failure::bad_input(
                "this store holds sources of its own, so the practice estate was not put into it",
            )
            .hint("choose another store with --store PATH"));
        }
        let now = moment_from_text(estate.reference_date)?;
        room_for(&estate, folder, Some(self.store.path()))?;
        let (estate, _written) = written(estate, folder.to_owned()).await?;
        // From here on the store is a practice store, also if a read is cut off.
        self.store.set_practice_date(now).await?;
        self.set_practice_date(now);
        let stop = Stop::default();
        let mut reports = Vec::new();
        let known = self.store.sources().await?;
        for source in &estate.sources {
            let read_before = known.iter().any(|k| k.name.as_str() == source.name);
            if source.series && read_before {
                // A series is history: it was read, and its dates do not change.
                continue;
            }
            let mut settings = source.settings.clone();
            let path = settings.remove("path").unwrap_or_default();
            let request = ImportRequest {
                path: folder.join(path),
                name: source.name.to_owned(),
                file: None,
                map: None,
                settings,
                series: source.series,
            };
            let read = self.import_with(request, tell, &stop, Deriving::Later);
            match read.await {
                Ok(mut read) => reports.append(&mut read.reports),
                Err(failure) => {
                    self.store.derive_if_stale().await?;
                    return Err(failure);
                }
            }
        }
        self.store.settle_ownership(self.now()).await?;
        self.load_plan("practice plan", &estate.plan).await?;
        Ok(reports)
    }
}

/// Writes the files of the practice estate, and its offboarding plan as `plan.toml`. No store is
/// touched. Refuses a disk that is too small.
pub async fn write_practice_estate(folder: &Path, size: Size) -> Result<Vec<WrittenFile>, Failure> {
    let estate = estate(size);
    room_for(&estate, folder, None)?;
    let (estate, mut files) = written(estate, folder.to_owned()).await?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let path = folder.join("plan.toml");
    std::fs::write(&path, &estate.plan).map_err(|error| unwritable(&path, &error))?;
    Ok(files)
}

/// Writing takes seconds, so it has a thread of its own.
async fn written(estate: Estate, folder: PathBuf) -> Result<(Estate, Vec<WrittenFile>), Failure> {
    tokio::task::spawn_blocking(move || {
        let files = write_all(&estate, &folder)?;
        Ok((estate, files))
    })
    .await
    .map_err(|_| Failure::not_possible("writing the practice estate was interrupted"))?
}

fn write_all(estate: &Estate, folder: &Path) -> Result<Vec<WrittenFile>, Failure> {
    let mut files = Vec::new();
    for file in &estate.files {
        let text = file.text.as_bytes();
        let rows = file.text.lines().count().saturating_sub(1);
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        files.push(write(folder, &file.path, rows, |out| out.write_all(text))?);
    }
    for file in &estate.streamed {
        let make = |out: &mut File| file.write_to(out);
        files.push(write(folder, file.path, file.rows, make)?);
    }
    Ok(files)
}

fn write(
    folder: &Path,
    name: &str,
    rows: u64,
    make: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<WrittenFile, Failure> {
    let path = folder.join(name);
    let written = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let mut file = File::create(&path)?;
        make(&mut file)?;
        Ok(file.metadata()?.len())
    };
    Ok(WrittenFile {
        path: name.to_owned(),
        rows,
        bytes: written().map_err(|error| unwritable(&path, &error))?,
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
}

/// Refuses disks without room for the files in `folder` and, where it is read, for the store.
fn room_for(estate: &Estate, folder: &Path, store: Option<&Path>) -> Result<(), Failure> {
    let there: u64 = estate
        .streamed
        .iter()
        .filter_map(|file| folder.join(file.path).metadata().ok())
        .map(|known| known.len())
        .sum();
    let files = estate.room.files.saturating_sub(there);
    let free = free_at(folder);
    match store {
        None => refuse_below(folder, files, free),
        Some(store) => {
            // What is there of an earlier time is written over.
            let held = store.metadata().map_or(0, |known| known.len());
            let facts = estate.room.store.saturating_sub(held);
            let beside = free_at(store);
            // Disks of different sizes are different disks; others may be the same.
            if free == beside {
                return refuse_below(folder, files.saturating_add(facts), free);
            }
            refuse_below(folder, files, free)?;
            refuse_below(store, facts, beside)
        }
    }
}

fn refuse_below(path: &Path, needed: u64, free: Option<u64>) -> Result<(), Failure> {
    match free {
        Some(free) if free < needed => Err(Failure::not_possible(format!(
            "the practice estate needs {} MB at `{}`, and {} MB are free",
            needed.div_ceil(1_000_000),
            path.display(),
            free / 1_000_000
        ))
        .hint("choose another place with --dir, and with --store for the store")),
        // Where a system does not say, writing will.
        Some(_) | None => Ok(()),
    }
}

/// What is free on the disk where a path is or will be.
fn free_at(path: &Path) -> Option<u64> {
    let there = std::path::absolute(path).ok()?;
    let there = there.ancestors().find(|folder| folder.exists())?;
    fs4::available_space(there).ok()
}
