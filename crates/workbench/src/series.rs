//! A dated series of rosters, read in the order of its dates: each once, and never backwards.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_from_text;
use crate::sources::{ImportRequest, Tell};
use crate::stop::Stop;
use crate::syncs::SyncHow;
use chrono::{DateTime, Utc};
use lastkey_contract::{Settings, SourceName};
use lastkey_engine::collect::{Deriving, Rules};
use lastkey_engine::store::SyncState;
use lastkey_engine::views::SyncReport;
use lastkey_flat_files::{Change, series};
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
        let mapping = request.gives_mapping()?;
        self.keep_settings(&mut request).await?;
        let mut rosters = Vec::new();
        for (date, path) in series::rosters_by(&request.path, Utc::now())? {
            let settings = request.flat_files(&path)?;
            rosters.push(Roster {
                name: file_name(&path),
                at: series::moment_of(&settings, date)?,
                settings,
            });
        }
        let name = &request.name;
        let changes = self.what_changes(name, &rosters).await?;
        // All are looked at before the first is read: half a series is worse than none.
        let mut standings = Vec::new();
        for (roster, change) in rosters.iter().zip(&changes) {
            standings.push(self.standing_of(name, roster, change).await?);
        }
        let new = || {
            let all = rosters.iter().zip(&changes).zip(&standings);
            all.filter(|(_, standing)| **standing == Standing::New)
                .map(|(both, _)| both)
        };
        match (new().next(), changes.last()) {
            (Some(_), _) => new().try_for_each(|(_, change)| allowed(name, change))?,
            (None, Some(change)) => allowed(name, change)?,
            (None, None) => {}
        }
        if let Some((roster, _)) = new().next() {
            self.refuse_misfit(name, mapping, &roster.settings).await?;
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
            self.store.settle_after_read(self.now()).await?;
        }
        if imported.reports.is_empty() {
            self.keep_words(&request).await?;
        }
        Ok(imported)
    }

    /// A mapping that is refused is not kept, or the next import would be refused for it; and of a
    /// file that cannot be read no source is made, which would always miss what it never was.
    pub(crate) async fn refuse_misfit(
        &self,
        name: &str,
        mapping: Mapped,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let read = match self.store.find_source(&SourceName::new(name)).await? {
            // That it is one of another kind is said elsewhere.
            Some(found) => found.kind != "flat-files" || self.store.was_ever_read(&found).await?,
            None => false,
        };
        match (mapping, read) {
            (Mapped::Anew | Mapped::MoreWords, _) | (Mapped::AsBefore, false) => fits(settings),
            (Mapped::AsBefore, true) => Ok(()),
        }
    }

    /// What the settings do to the rows of each roster, measured by those of the source. A source
    /// of which nothing was ever read can be read in any way.
    async fn what_changes(&self, name: &str, rosters: &[Roster]) -> Result<Vec<Change>, Failure> {
        let nothing = || vec![Change::Nothing; rosters.len()];
        let Some(found) = self.store.find_source(&SourceName::new(name)).await? else {
            return Ok(nothing());
        };
        if found.kind != "flat-files" || !self.store.was_ever_read(&found).await? {
            return Ok(nothing());
        }
        let before = of_files(&found.settings);
        let zone = |settings: &Settings| settings.get("timezone").unwrap_or("UTC").to_owned();
        let mut changes = Vec::new();
        for roster in rosters {
            let change = lastkey_flat_files::change(&before, &of_files(&roster.settings))?;
            // In another zone the dates are other moments: nothing could be said of their order.
            if zone(&before) != zone(&roster.settings) {
                allowed(name, &change)?;
            }
            changes.push(change);
        }
        Ok(changes)
    }

    /// Refuses other settings of a source that was read as a series, where its rosters would say
    /// something else by them.
    pub(crate) async fn refuse_other_rows(
        &self,
        name: &str,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let source = SourceName::new(name);
        let Some(found) = self.store.find_source(&source).await? else {
            return Ok(());
        };
        if found.settings == *settings || !self.is_series(name).await? {
            return Ok(());
        }
        let before = of_files(&found.settings);
        allowed(
            name,
            &lastkey_flat_files::change(&before, &of_files(settings))?,
        )
    }

    /// Words that a mapping adds are kept even where there is nothing new to read by them.
    async fn keep_words(&self, request: &ImportRequest) -> Result<(), Failure> {
        let source = SourceName::new(request.name.as_str());
        let found = self.store.find_source(&source).await?;
        let Some(path) = found.as_ref().and_then(|found| found.settings.get("path")) else {
            return Ok(());
        };
        let settings = request.flat_files(Path::new(path))?;
        self.point_at(&request.name, &settings).await
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

    /// The days of a series whose rosters were not read completely, though a later one was; of a
    /// source that is no series none.
    pub async fn rosters_left_incomplete(&self, name: &str) -> Result<Vec<String>, Failure> {
        let source = self.store.source(&SourceName::new(name)).await?;
        if !self.is_series(name).await? {
            return Ok(Vec::new());
        }
        let mut days = Vec::new();
        for at in self.store.left_incomplete(&source).await? {
            let at = moment_from_text(&at)?;
            days.push(series::day_of(&source.settings, at)?.to_string());
        }
        Ok(days)
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
            self.keep_settings(request).await?;
        }
        Ok(())
    }

    /// A single file that is read again holds what the file before held, unless somebody says so.
    pub(crate) async fn keep_kind(&self, request: &mut ImportRequest) -> Result<(), Failure> {
        if request.says_kind() || !is_table(&request.path) {
            return Ok(());
        }
        let source = SourceName::new(request.name.as_str());
        let found = self.store.find_source(&source).await?;
        let settings = found.filter(|found| found.kind == "flat-files");
        let settings = settings.map(|found| found.settings).unwrap_or_default();
        let before = settings.get("path").map(Path::new);
        if let Some(kind) = settings.get("file")
            && before.is_some_and(is_table)
        {
            request.file = Some(kind.to_owned());
        }
        Ok(())
    }

    /// What is to be done with a roster; an error where it comes too late.
    async fn standing_of(
        &self,
        source: &str,
        roster: &Roster,
        change: &Change,
    ) -> Result<Standing, Failure> {
        let Some(found) = self.store.find_source(&SourceName::new(source)).await? else {
            return Ok(Standing::New);
        };
        let reads = self.store.dated_reads(&found, roster.at).await?;
        let contents = lastkey_flat_files::contents(&of_files(&roster.settings))?;
        let contents: BTreeSet<String> = contents.into_iter().collect();
        let known = reads.reads.iter().rfind(|read| read.contents == contents);
        match (&reads.overtaken_by, known.map(|read| read.state)) {
            // What was no row for want of a word is read again: it is the same day's.
            (None, Some(SyncState::Incomplete)) if *change == Change::Words => Ok(Standing::New),
            (_, Some(_)) => Ok(Standing::Known),
            (None, None) => Ok(Standing::New),
            (Some(later), None) => {
                let day = series::day_of(&roster.settings, *later)?;
                let name = &roster.name;
                let message = match reads.reads.is_empty() {
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

    /// What is read again is read as its source is. A mapping takes the place of the source's whole
    /// mapping; words for more values, and any other setting, that of their own alone.
    async fn keep_settings(&self, request: &mut ImportRequest) -> Result<(), Failure> {
        let source = SourceName::new(request.name.as_str());
        let found = self.store.find_source(&source).await?;
        let Some(found) = found.filter(|found| found.kind == "flat-files") else {
            return Ok(());
        };
        let given = request.flat_files(&request.path)?;
        let mapping = request.gives_mapping()?;
        for (key, value) in &found.settings.0 {
            let replaced = mapping == Mapped::Anew && is_mapping(key);
            if key != "path" && !Rules::owns(key) && !replaced && !given.0.contains_key(key) {
                request.settings.insert(key.clone(), value.clone());
            }
        }
        Ok(())
    }
}

/// Whether a request says itself which columns are which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapped {
    Anew,
    /// Words for more values alone: they are added to what stands.
    MoreWords,
    AsBefore,
}

impl ImportRequest {
    pub(crate) fn gives_mapping(&self) -> Result<Mapped, Failure> {
        let given = self.flat_files(&self.path)?;
        let mut keys = given.0.keys().filter(|key| is_mapping(key)).peekable();
        Ok(
            match (keys.peek().is_some(), keys.all(|key| is_word(key))) {
                (false, _) => Mapped::AsBefore,
                (true, true) => Mapped::MoreWords,
                (true, false) => Mapped::Anew,
            },
        )
    }
}

/// Nobody moves because a column is read another way.
fn allowed(name: &str, change: &Change) -> Result<(), Failure> {
    let others = match change {
        Change::Nothing | Change::Words => return Ok(()),
        Change::Rows(others) => others.join(", "),
    };
    Err(Failure::not_possible(format!(
        "rosters of `{name}` were read with other settings before ({others}), and would look like moves now"
    ))
    .hint("give the same settings as then, or remove the source and import the whole series anew; words for more values may be added, and stand alone: --map 'status.OTHER=active'"))
}

/// Whether the files are what they are said to be. What they lack is no wrong use of a command.
fn fits(settings: &Settings) -> Result<(), Failure> {
    lastkey_flat_files::fits(&of_files(settings)).map_err(|error| {
        let failure = Failure::not_possible(error.message);
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// The settings without those that are the engine's own.
fn of_files(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.0.retain(|key, _| !Rules::owns(key));
    settings
}

/// Whether it says what one value of a column stands for.
fn is_word(key: &str) -> bool {
    key.starts_with("value.")
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
