//! Which extracts of a recipe are at a place.

use super::{Extract, Recipe, Rows, letters, recipes};
use crate::encoding::no_header;
use crate::error::{broken, unreadable};
use crate::header::Shape;
use crate::place::{Found, Stored};
use crate::settings::Source;
use crate::table::{Position, Records};
use lastkey_contract::ConnectorError;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Looks through a folder, or at one file.
pub fn survey(source: &Source, recipe: &'static Recipe) -> Result<Found, ConnectorError> {
    let shown = source.shown.as_str();
    let failed = |path: &Path, e: io::Error| unreadable(shown, "open", &path.to_string_lossy(), &e);
    let here = |e| failed(&source.path, e);
    let mut paths: Vec<PathBuf> = match fs::metadata(&source.path).map_err(here)?.is_dir() {
        false => vec![source.path.clone()],
        true => fs::read_dir(&source.path)
            .map_err(here)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()
            .map_err(here)?,
    };
    paths.retain(|path| path.is_file());
    paths.sort();
    let mut found = Found::default();
    let mut odd = None;
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let known = extracts(recipe, &path).map_err(|e| failed(&path, e))?;
        if known.is_empty() {
            let table = path == source.path || is_table(&path);
            if table && odd.is_none() {
                let why = no_header(&path).map_err(|e| failed(&path, e))?;
                odd = why.map(|(why, hint)| (format!("`{name}` {why}"), hint));
            }
            found.unknown.push(name);
            continue;
        }
        for (extract, unload) in known {
            for facts in &extract.facts {
                let rows = Rows {
                    extract,
                    facts,
                    unload,
                };
                let stored = Stored::of_recipe(name.clone(), Shape::Folder, path.clone(), rows);
                found.files.push((facts.kind, stored));
            }
        }
    }
    if found.files.is_empty() {
        let wanted: Vec<String> = recipe
            .files
            .iter()
            .map(|file| format!("{} ({})", file.called, file.columns.join(", ")))
            .collect();
        let none = format!(
            "`{shown}` holds none of the extracts of the recipe `{}`",
            recipe.name
        );
        let (message, hint) = match odd {
            Some((why, hint)) => (format!("{none}: {why}"), hint.to_owned()),
            None => (none, format!("it knows: {}", wanted.join("; "))),
        };
        return Err(broken(shown, "open", message, &hint));
    }
    found.files.sort_by_key(|(kind, _)| *kind);
    Ok(found)
}

fn is_table(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("csv"))
}

/// What a file is by its header, or by how its first line begins.
fn extracts(recipe: &'static Recipe, path: &Path) -> io::Result<Vec<(&'static Extract, bool)>> {
    let mut bytes = BufReader::with_capacity(128 * 1024, File::open(path)?);
    let start = bytes.fill_buf()?;
    let unload = start
        .get(..4)
        .is_some_and(|t| t.iter().all(u8::is_ascii_hexdigit))
        && start.get(4) == Some(&b' ');
    if unload {
        let of_unload = recipe.files.iter().filter(|file| file.record.is_some());
        return Ok(of_unload.map(|file| (file, true)).collect());
    }
    if start.starts_with(b"\xef\xbb\xbf") {
        bytes.consume(3);
    }
    let mut records = Records::new(bytes, Position { offset: 0, line: 1 });
    let header = records.next_record()?.and_then(|record| record.cells.ok());
    let plain: Vec<String> = header
        .iter()
        .flat_map(|cells| cells.iter().map(letters))
        .collect();
    let by_header = recipe.files.iter().filter(|file| file.known_by(&plain));
    Ok(by_header.map(|file| (file, false)).collect())
}

/// The recipes that know a file at a place, by name; none where nothing can be opened.
pub fn known_at(path: &Path) -> Vec<&'static str> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let paths: Vec<PathBuf> = match path.is_file() {
        true => vec![path.to_owned()],
        false => entries
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect(),
    };
    let knows = |recipe: &&'static Recipe| {
        let known = |path: &PathBuf| extracts(recipe, path).is_ok_and(|known| !known.is_empty());
        paths.iter().any(known)
    };
    recipes()
        .iter()
        .filter(knows)
        .map(|recipe| recipe.name.as_str())
        .collect()
}
