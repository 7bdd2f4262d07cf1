//! A dated series of rosters: `2009-12.csv`, `2010-01.csv`, …; the name's date is the read's date.

use crate::error::{broken, unreadable};
use crate::settings::zone;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use lastkey_contract::{ConnectorError, ErrorKind, Settings, When};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const OPERATION: &str = "read a series";

/// The rosters of a path in the order of their dates: files `YYYY-MM.csv` or
/// `YYYY-MM-DD.csv`, and folders of such a name that hold tables. A month's name
/// means its first day. Other files are left alone, but a CSV file without a date in its
/// name and two rosters of one date are errors: neither may be passed over in silence. A path that
/// is such a file or folder itself is a series of one.
pub fn dated_files(dir: &Path) -> Result<Vec<(NaiveDate, PathBuf)>, ConnectorError> {
    let shown = dir
        .file_name()
        .unwrap_or(dir.as_os_str())
        .to_string_lossy()
        .into_owned();
    let failed = |e: std::io::Error| unreadable(&shown, OPERATION, &dir.to_string_lossy(), &e);
    let alone = match dir.is_file() {
        true => shown.strip_suffix(".csv"),
        false => Some(shown.as_str()).filter(|_| holds_tables(dir)),
    };
    if let Some(date) = alone.and_then(date_of) {
        return Ok(vec![(date, dir.to_owned())]);
    }
    if dir.is_file() {
        return Err(undated(&shown, &shown));
    }
    let mut found: BTreeMap<NaiveDate, PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let csv = name.strip_suffix(".csv");
        let roster = match csv {
            Some(_) => path.is_file(),
            None => holds_tables(&path),
        };
        if !roster {
            continue;
        }
        let date = match (date_of(csv.unwrap_or(&name)), csv) {
            (Some(date), _) => date,
            (None, None) => continue,
            (None, Some(_)) => return Err(undated(&shown, &name)),
        };
        if let Some(other) = found.insert(date, path) {
            let other = other
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            return Err(broken(
                &shown,
                OPERATION,
                format!("`{other}` and `{name}` are both dated {date}"),
                "keep one roster for each date",
            ));
        }
    }
    if found.is_empty() {
        return Err(broken(
            &shown,
            OPERATION,
            format!("`{shown}` holds no dated roster"),
            "name each roster YYYY-MM.csv or YYYY-MM-DD.csv, or each folder of tables by its day",
        ));
    }
    Ok(found.into_iter().collect())
}

/// Whether a folder holds a table at all: a system's series has no identities.
fn holds_tables(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path.extension().is_some_and(|it| it == "csv") && path.is_file())
}

/// The rosters of a path, of which none may show a day that is still to come: what is read as of
/// then would count as new until that day, and no honest roster would come after it.
pub fn rosters_by(
    dir: &Path,
    now: DateTime<Utc>,
) -> Result<Vec<(NaiveDate, PathBuf)>, ConnectorError> {
    let found = dated_files(dir)?;
    // Somewhere it is tomorrow already.
    let last = (now + Days::new(1)).date_naive();
    match found.iter().find(|(date, _)| *date > last) {
        None => Ok(found),
        Some((date, path)) => {
            let name = |path: &Path| {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            };
            let message = format!("`{}` is of {date}, which is in the future", name(path));
            let kind = ErrorKind::ConfigInvalid;
            Err(ConnectorError::new(kind, name(dir), OPERATION, message)
                .hint("name the roster by the day whose state it shows, or move it away"))
        }
    }
}

fn undated(shown: &str, name: &str) -> ConnectorError {
    broken(
        shown,
        OPERATION,
        format!("`{name}` has no date in its name"),
        "name each roster YYYY-MM.csv or YYYY-MM-DD.csv, or move the file away",
    )
}

/// The moment that a roster of this date shows: the start of that day in the source's zone.
pub fn moment_of(settings: &Settings, date: NaiveDate) -> Result<DateTime<Utc>, ConnectorError> {
    let day = When::day(date, &zone(settings)?);
    let at = day.map(When::earliest);
    Ok(at.unwrap_or_else(|| date.and_time(NaiveTime::MIN).and_utc()))
}

/// The day of a moment in the source's zone.
pub fn day_of(settings: &Settings, at: DateTime<Utc>) -> Result<NaiveDate, ConnectorError> {
    Ok(at.with_timezone(&zone(settings)?).date_naive())
}

/// The date of the roster that a source with these settings reads, if its path is named so.
pub fn date_of_path(settings: &Settings) -> Option<NaiveDate> {
    let path = Path::new(settings.get("path")?);
    let name = path.file_name()?.to_str()?;
    date_of(name.strip_suffix(".csv").unwrap_or(name))
}

/// The date in a name; a month's is its first day.
fn date_of(stem: &str) -> Option<NaiveDate> {
    let digits: Vec<&str> = stem.split('-').collect();
    let lengths: Vec<usize> = digits.iter().map(|d| d.len()).collect();
    if !stem.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return None;
    }
    match (digits.as_slice(), lengths.as_slice()) {
        ([y, m], [4, 2]) => NaiveDate::from_ymd_opt(y.parse().ok()?, m.parse().ok()?, 1),
        ([y, m, d], [4, 2, 2]) => {
            NaiveDate::from_ymd_opt(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str]) -> Result<Vec<String>, ConnectorError> {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "id\n1\n").unwrap();
        }
        let read = dated_files(dir.path())?;
        Ok(read.iter().map(|(date, _)| date.to_string()).collect())
    }

    #[test]
    fn rosters_come_in_the_order_of_their_dates() {
        assert_eq!(
            names(&[
                "2010-01.csv",
                "2009-12.csv",
                "2010-01-15/identities.csv",
                "2010-01-16/accounts.csv",
                "readme.txt",
                "x/notes.txt"
            ])
            .unwrap(),
            ["2009-12-01", "2010-01-01", "2010-01-15", "2010-01-16"]
        );
    }

    #[test]
    fn a_roster_alone_is_a_series_of_one() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| dated_files(&dir.path().join(name));
        std::fs::create_dir_all(dir.path().join("2010-02")).unwrap();
        for name in ["2010-01-15.csv", "2010-02/identities.csv", "roster.csv"] {
            std::fs::write(dir.path().join(name), "id\n1\n").unwrap();
        }
        for (name, date) in [("2010-01-15.csv", "2010-01-15"), ("2010-02", "2010-02-01")] {
            let found = of(name).unwrap();
            assert_eq!(found, [(date.parse().unwrap(), dir.path().join(name))]);
        }
        let error = of("roster.csv").unwrap_err();
        assert_eq!(error.message, "`roster.csv` has no date in its name");
    }

    #[test]
    fn a_roster_of_a_day_to_come_is_refused_and_of_tomorrow_is_one_of_another_zone() {
        let dir = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2026-11-21T17:00:00Z".parse().unwrap();
        for (name, taken) in [
            ("2026-11-21.csv", true),
            ("2026-11-22.csv", true),
            ("2026-11-23.csv", false),
            ("2026-12.csv", false),
            ("2062-11-20.csv", false),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, "id\n1\n").unwrap();
            for place in [path.as_path(), dir.path()] {
                let says = rosters_by(place, now).map_err(|error| (error.kind, error.message));
                match says {
                    Ok(_) => assert!(taken, "{name}"),
                    Err((kind, message)) => {
                        assert!(!taken, "{name}: {message}");
                        assert_eq!(kind, ErrorKind::ConfigInvalid);
                        assert!(message.contains(&format!("`{name}` is of ")), "{message}");
                        assert!(message.ends_with("which is in the future"), "{message}");
                    }
                }
            }
            if !taken {
                std::fs::remove_file(&path).unwrap();
            }
        }
    }

    #[test]
    fn a_roster_is_never_passed_over_in_silence() {
        for (files, says) in [
            (
                &["2010-01.csv", "latest.csv"][..],
                "`latest.csv` has no date in its name",
            ),
            (
                &["2010-01.csv", "2010-01-01.csv"],
                "are both dated 2010-01-01",
            ),
            (&["2010-13.csv"], "`2010-13.csv` has no date in its name"),
            (&["readme.txt"], "holds no dated roster"),
        ] {
            let error = names(files).unwrap_err();
            assert!(error.message.contains(says), "{files:?}: {error}");
        }
        let missing = dated_files(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(missing.message.contains("does not exist"), "{missing}");
    }
}
