//! Values, read again only to be reduced at once to keyed fingerprints, and wiped.
//!
//! Apart from the scan, and used only where an administrator has switched fingerprints on. A file is
//! looked through as the scan did it; a value leaves this file as a fingerprint or not at all.

use crate::contents::labelled;
use crate::file::{self, Room};
use crate::find::{Find, Value};
use crate::look::Looker;
use crate::places::known;
use crate::session::blocking;
use crate::settings::Scan;
use crate::walk::shown;
use async_trait::async_trait;
use lastkey_contract::facts::Location;
use lastkey_contract::{
    ConnectorError, Fingerprint, Fingerprinted, Fingerprinter, Kind, NoFingerprint, NoteKind,
    Notes, ValueReader, forms,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use zeroize::Zeroizing;

/// The reader of values of one scan.
pub struct Values {
    pub scan: Arc<Scan>,
    pub looker: Option<Arc<Looker>>,
}

/// The finds of one file, by their places in it.
type Finds = BTreeMap<String, Find>;

/// Looks through files again; None of one that is no longer what the scan saw.
fn look_again(
    scan: &Scan,
    looker: &Looker,
    paths: Vec<PathBuf>,
) -> Result<BTreeMap<String, Option<Finds>>, ConnectorError> {
    let top = std::fs::canonicalize(&scan.folder).map_err(|error| {
        crate::error::unreadable(&scan.shown, "read values", &scan.shown, &error)
    })?;
    let mut room = Room::new();
    let stop = AtomicBool::new(false);
    Ok(paths
        .into_iter()
        .map(|path| {
            let finds = inside(&top, &path)
                .then(|| file::look(&path, known(&path), scan.largest, looker, &mut room, &stop))
                .and_then(Result::ok)
                .map(|looked| labelled(looked.finds).into_iter().collect());
            (shown(&path), finds)
        })
        .collect())
}

/// Whether a file is still below the top, whatever became of the folders between.
fn inside(top: &Path, path: &Path) -> bool {
    let folder = path
        .parent()
        .and_then(|folder| std::fs::canonicalize(folder).ok());
    folder.is_some_and(|folder| folder.starts_with(top) && Some(folder.as_path()) == path.parent())
}

#[async_trait]
impl ValueReader for Values {
    async fn fingerprint(
        &mut self,
        locations: Vec<Location>,
        with: &dyn Fingerprinter,
    ) -> Result<Fingerprinted, ConnectorError> {
        let looker = match &self.looker {
            Some(looker) => Arc::clone(looker),
            None => {
                let made = Looker::new()
                    .map_err(|why| crate::error::bug(&self.scan.shown, "read values", &why))?;
                Arc::clone(self.looker.insert(Arc::new(made)))
            }
        };
        let mut notes = Notes::default();
        let mut made = Vec::new();
        let mut rest = locations.into_iter().peekable();
        // One file after the other: values of one alone are in memory.
        while let Some(first) = rest.next() {
            let path = first.path.clone();
            let mut rows = vec![first];
            while let Some(row) = rest.next_if(|row| row.path == path) {
                rows.push(row);
            }
            let (scan, looker) = (Arc::clone(&self.scan), Arc::clone(&looker));
            let files = vec![PathBuf::from(path.as_str())];
            let found = blocking(&self.scan.shown, "read values", move || {
                look_again(&scan, &looker, files)
            })
            .await?;
            let finds = found.into_values().next().flatten();
            for row in rows {
                let Some(finds) = &finds else {
                    let reason =
                        "the file is not as it was when it was scanned, so it is not fingerprinted";
                    notes.add(NoteKind::Remark, reason, Some(path.as_str().to_owned()));
                    made.push(row);
                    continue;
                };
                fingerprints(row, finds, with, &mut notes, &mut made);
            }
        }
        Ok(Fingerprinted {
            locations: made,
            notes: notes.about(Kind::Location),
        })
    }
}

/// The row of a place with its fingerprint, and one more for each form of its value.
fn fingerprints(
    row: Location,
    finds: &Finds,
    with: &dyn Fingerprinter,
    notes: &mut Notes,
    made: &mut Vec<Location>,
) {
    let path = row.path.as_str().to_owned();
    let field = row.attributes.get("field").cloned().unwrap_or_default();
    let label = field.strip_prefix(&format!("{path}#")).unwrap_or_default();
    let rule = row.attributes.get("rule").map(String::as_str);
    let find = finds.get(label).filter(|find| Some(find.rule) == rule);
    let Some(find) = find else {
        let reason = "the file is not as it was when it was scanned, so it is not fingerprinted";
        notes.add(NoteKind::Remark, reason, Some(field.clone()));
        made.push(row);
        return;
    };
    let value = find.value.as_ref().map(Value::bytes);
    let Some(value) = value.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        // A store of keys, or a name alone: there is no value.
        made.push(row);
        return;
    };
    for (form, value) in forms(value) {
        let mut copy = row.clone();
        if !form.is_empty() {
            copy.attributes
                .insert("field".to_owned(), format!("{field}{form}"));
        }
        copy.fingerprint = one(with, &value, &format!("{field}{form}"), notes);
        made.push(copy);
    }
}

fn one(
    with: &dyn Fingerprinter,
    value: &Zeroizing<Vec<u8>>,
    field: &str,
    notes: &mut Notes,
) -> Option<Fingerprint> {
    let reason = match with.of(value) {
        Ok(fingerprint) => return Some(fingerprint),
        Err(NoFingerprint::TooShort) => "a value under 8 bytes is not fingerprinted",
        Err(NoFingerprint::Common) => "a value on the list of common words is not fingerprinted",
    };
    notes.add(NoteKind::Remark, reason, Some(field.to_owned()));
    None
}
