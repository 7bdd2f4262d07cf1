//! A dated series of rosters, read in the order of its dates: each once, and never backwards.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::sources::{ImportRequest, Tell};
use crate::stop::Stop;
use crate::syncs::SyncHow;
use chrono::{DateTime, Utc};
use lastkey_contract::{Settings, SourceName};
use lastkey_engine::collect::{Deriving, Rules};
use lastkey_engine::views::SyncReport;
use lastkey_flat_files::series;
use std::collections::BTreeSet;
use std::path::Path;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    pub reports: Vec<SyncReport>,
    /// Files of a series that had been read before and are as they were then.
    pub known: Vec<String>,
    /// Files of a series that come after one that could not be read, and were left.
    pub left: Vec<String>,
    /// Whether it went on with a series without being told that it is one.
    pub goes_on: bool,
}

/// One file or folder of a series.
struct Roster {
    name: String,
    settings: Settings,
    at: DateTime<Utc>,
}

/// Whether a roster is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    New,
    Known,
}

impl Workbench {
    pub(crate) async fn import_series(
        &self,
        mut request: ImportRequest,
        tell: Tell<'_>,
        stop: &Stop,
        deriving: Deriving,
    ) -> Result<Imported, Failure> {
        let kept = self.keep_mapping(&mut request).await?;
        let mut rosters = Vec::new();
        for (date, path) in series::dated_files(&request.path)? {
            let settings = request.flat_files(&path)?;
            rosters.push(Roster {
                name: file_name(&path),
                at: series::moment_of(&settings, date)?,
                settings,
            });
        }
        // All are looked at before the first is read: half a series is worse than none.
        let mut standings = Vec::new();
        for roster in &rosters {
            standings.push(self.standing_of(&request.name, roster).await?);
        }
        if standings.contains(&Standing::Known) && kept == Mapping::Another {
            return Err(Failure::not_possible(format!(
                "rosters of `{}` were read with other settings before, and would look like moves now",
                request.name
            ))
            .hint("give the same mapping as then, or remove the source and import the whole series anew"));
        }
        let mut imported = Imported::default();
        let mut going_on = true;
        for (roster, standing) in rosters.iter().zip(standings) {
            match standing {
                Standing::Known => imported.known.push(roster.name.clone()),
                Standing::New if !going_on => imported.left.push(roster.name.clone()),
                Standing::New => {
                    self.point_at(&request.name, &roster.settings).await?;
                    // Only the last one says what holds now.
                    let how = SyncHow {
                        deriving: Deriving::Later,
                        ..SyncHow::default()
                    };
                    let read = self.sync_as_of(&request.name, tell, stop, how, Some(roster.at));
                    let report = match read.await {
                        Ok(report) => report,
                        Err(failure) => {
                            self.store.derive_if_stale().await?;
                            return Err(failure);
                        }
                    };
                    // A series is read in order: after a failure the rest would look like a gap.
                    going_on = matches!(report.state.as_str(), "complete" | "incomplete");
                    imported.reports.push(report);
                }
            }
        }
        let whole = imported.reports.iter().all(|r| r.state != "cancelled");
        if deriving == Deriving::AtOnce && whole {
            self.store.derive_if_stale().await?;
        }
        Ok(imported)
    }

    /// The moment that a source shows whose file is a roster of a series. Whoever reads it again
    /// today learns nothing of today.
    pub(crate) async fn roster_date(
        &self,
        source: &SourceName,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        let Some(found) = self.store.find_source(source).await? else {
            return Ok(None);
        };
        let Some(date) = series::date_of_path(&found.settings) else {
            return Ok(None);
        };
        let at = series::moment_of(&found.settings, date)?;
        let of_a_series =
            found.kind == "flat-files" && self.store.was_read_as_of(&found, at).await?;
        Ok(of_a_series.then_some(at))
    }

    /// Whether a source was last read as one roster of a series.
    pub(crate) async fn is_series(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.roster_date(&SourceName::new(name)).await?.is_some())
    }

    /// A place that is read again is read with the source's own mapping, unless something is said
    /// of its rows. One file has another mapping than a folder of them.
    pub(crate) async fn keep_unless_told(
        &self,
        request: &mut ImportRequest,
    ) -> Result<(), Failure> {
        let source = SourceName::new(request.name.as_str());
        let Some(found) = self.store.find_source(&source).await? else {
            return Ok(());
        };
        let given = request.flat_files(&request.path)?;
        let says = |key: &str| {
            given
                .get(key)
                .is_some_and(|said| found.settings.get(key) != Some(said))
        };
        let before = found.settings.get("path").map(Path::new);
        let alike = before.is_some_and(|before| is_table(before) == is_table(&request.path));
        if alike && !says("file") && !says("recipe") {
            self.keep_mapping(request).await?;
        }
        Ok(())
    }

    /// What is to be done with a roster; an error where it comes too late.
    async fn standing_of(&self, source: &str, roster: &Roster) -> Result<Standing, Failure> {
        let Some(found) = self.store.find_source(&SourceName::new(source)).await? else {
            return Ok(Standing::New);
        };
        let reads = self.store.dated_reads(&found, roster.at).await?;
        let mut settings = roster.settings.clone();
        settings.0.retain(|key, _| !Rules::owns(key));
        let contents = lastkey_flat_files::contents(&settings)?;
        let contents: BTreeSet<String> = contents.into_iter().collect();
        match (&reads.overtaken_by, reads.contents.contains(&contents)) {
            (_, true) => Ok(Standing::Known),
            (None, false) => Ok(Standing::New),
            (Some(later), false) => {
                let day = series::day_of(&roster.settings, *later)?;
                let name = &roster.name;
                let message = match reads.contents.is_empty() {
                    true => format!(
                        "`{name}` comes too late: `{source}` was read as of {day} already, and a series is read in the order of its dates"
                    ),
                    false => format!(
                        "`{name}` is not what was read under its date, and `{source}` was read as of {day} since"
                    ),
                };
                Err(Failure::not_possible(message).hint(
                    "what happened in between would be told wrongly: leave the file out, or remove the source and import the whole series anew",
                ))
            }
        }
    }

    /// A series that goes on with a source is read with the source's own mapping unless another is
    /// given; whether that is another.
    async fn keep_mapping(&self, request: &mut ImportRequest) -> Result<Mapping, Failure> {
        let source = SourceName::new(request.name.as_str());
        let Some(found) = self.store.find_source(&source).await? else {
            return Ok(Mapping::TheSame);
        };
        let decides = |key: &str| !OF_NO_ROW.contains(&key) && !Rules::owns(key);
        let given = request.flat_files(&request.path)?;
        if !given.0.keys().any(|key| is_mapping(key)) {
            for (key, value) in &found.settings.0 {
                if key != "path" && !Rules::owns(key) && !given.0.contains_key(key) {
                    request.settings.insert(key.clone(), value.clone());
                }
            }
        }
        let given = request.flat_files(&request.path)?;
        let of = |settings: &Settings| -> BTreeSet<(String, String)> {
            let all = settings.0.iter().filter(|(key, _)| decides(key));
            all.map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        Ok(match of(&given) == of(&found.settings) {
            true => Mapping::TheSame,
            false => Mapping::Another,
        })
    }
}

/// Settings that change nothing of what a row says.
const OF_NO_ROW: [&str; 2] = ["path", "last_line_end"];

/// Whether a series is read as its source was before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mapping {
    TheSame,
    Another,
}

fn is_mapping(key: &str) -> bool {
    key.contains('.')
}

fn is_table(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("csv"))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
