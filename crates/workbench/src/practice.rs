//! `lastkey demo`: the practice estate as flat files, added as sources and read.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_from_text;
use crate::sources::{ImportRequest, Tell};
use crate::stop::Stop;
use lastkey_engine::practice::{Size, estate};
use lastkey_engine::views::SyncReport;
use std::path::{Path, PathBuf};

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
    /// sources of its own; doing it again is a sync like any other.
    pub async fn demo(&self, folder: &Path, tell: Tell<'_>) -> Result<Vec<SyncReport>, Failure> {
        let ours = self.practice_date().is_some();
        if !ours && !self.store.sources().await?.is_empty() {
            return Err(Failure::bad_input(
                "this store holds sources of its own, so the practice estate was not put into it",
            )
            .hint("choose another store with --store PATH"));
        }
        let estate = estate(Size::Small);
        let now = moment_from_text(estate.reference_date)?;
        for file in &estate.files {
            write(&folder.join(&file.path), &file.text)?;
        }
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
            reports.append(&mut self.import(request, tell, &stop).await?);
        }
        self.load_plan("practice plan", &estate.plan).await?;
        Ok(reports)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    path.parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| {
            Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
        })
}
