//! The first line of a file: what stands before it, what it holds, and which columns it binds.

use crate::columns::columns;
use crate::encoding::{BOM, SAVE_AS_CSV, SAVE_AS_UTF_8, is_utf_16};
use crate::error::{not_understood, unreadable};
use crate::header::{self, Header, Shape};
use crate::mapping::Mapping;
use crate::place::Stored;
use crate::recipes::suggest_recipes;
use crate::settings::{SingleBy, Source};
use crate::table::{Cells, Malformed, Position, Records};
use lastkey_contract::{ConnectorError, Kind};
use std::io::{self, BufRead, BufReader, Read};

/// The header of a file, bound by its mapping or its recipe.
pub fn bound(
    source: &Source,
    kind: Kind,
    stored: &Stored,
    cells: &Cells,
) -> Result<Header, ConnectorError> {
    let names: Vec<&str> = cells.iter().collect();
    let own = source.mapping(kind);
    let mapping = match &stored.rows {
        Some(rows) => rows.mapping(&names, &source.system, &own),
        None => own,
    };
    let (shown, name) = (source.shown.as_str(), stored.name.as_str());
    let header: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let known: Vec<&str> = match stored.rows {
        Some(_) => Vec::new(),
        None => suggest_recipes(&header)
            .iter()
            .map(|recipe| recipe.name.as_str())
            .collect(),
    };
    if kind == Kind::Identity
        && stored.shape == Shape::Single
        && source.single_by == SingleBy::Default
        && mapping == Mapping::default()
    {
        looks_like_a_roster(source, &names, &known)?;
    }
    header::bind(shown, name, kind, stored.shape, &mapping, cells).map_err(|error| {
        match known.as_slice() {
            [] => error,
            known => error.hint(format!(
                "a recipe knows this header: --recipe {}",
                known.join(" or ")
            )),
        }
    })
}

/// A file of which nobody said what it holds is one of persons only where it looks like one: an
/// extract of accounts or secrets has ids and names too.
fn looks_like_a_roster(
    source: &Source,
    names: &[&str],
    known: &[&str],
) -> Result<(), ConnectorError> {
    // Without an id it is refused anyway, with the columns that would be needed.
    if !names.contains(&"id") || names.contains(&"kind") {
        return Ok(());
    }
    let shown = &source.shown;
    let command = format!("lastkey import {} --as NAME", source.path.display());
    if !known.is_empty() {
        return Err(not_understood(
            shown,
            format!(
                "`{shown}` does not say that its rows are persons, and has the header of an extract that a recipe knows: {}",
                known.join(", ")
            ),
            &format!(
                "type: {command} --recipe {}; of a list of persons say --file identities",
                known.join(" or ")
            ),
        ));
    }
    let of_persons = |name: &&str| {
        let mut columns = columns(Kind::Identity).iter();
        *name != "id" && columns.any(|column| column.name == *name)
    };
    if names.len() > 1 && !names.iter().any(of_persons) {
        return Err(not_understood(
            shown,
            format!(
                "`{shown}` does not look like a list of persons: of their columns it has `id` alone"
            ),
            &format!(
                "say what its rows are, such as: {command} --file accounts (or identities), or which columns are which with --map"
            ),
        ));
    }
    Ok(())
}

/// The names in the first line of a file; none where it has no such line.
pub fn header_of(source: &Source, stored: &Stored) -> Result<Cells, ConnectorError> {
    let failed = |e: io::Error| unreadable(&source.shown, "read the header", &stored.name, &e);
    let mut bytes = BufReader::with_capacity(128 * 1024, stored.open().map_err(failed)?);
    let offset = skip_bom(source, stored, &mut bytes).map_err(failed)??;
    let mut records = Records::new(bytes, Position { offset, line: 1 });
    first_line(source, stored, &mut records)?
        .map_err(|malformed| malformed_header(source, stored, malformed))
}

/// A header that is no line of a CSV file in UTF-8.
pub fn malformed_header(source: &Source, stored: &Stored, malformed: Malformed) -> ConnectorError {
    let message = format!("the header of `{}` {}", stored.name, malformed.says());
    not_understood(&source.shown, message, SAVE_AS_CSV)
}

/// The header of a file that has one.
pub fn first_line(
    source: &Source,
    stored: &Stored,
    records: &mut Records<impl BufRead>,
) -> Result<Result<Cells, Malformed>, ConnectorError> {
    let read = "read the header";
    let failed = |e: io::Error| unreadable(&source.shown, read, &stored.name, &e);
    match records.next_record().map_err(failed)? {
        Some(record) => Ok(record.cells),
        None => Err(not_understood(
            &source.shown,
            format!("`{}` is empty: it has not even a header", stored.name),
            "export it again; a file without rows still has a header",
        )),
    }
}

/// Passes over a byte-order mark; UTF-16 is refused by name.
pub fn skip_bom(
    source: &Source,
    stored: &Stored,
    bytes: &mut BufReader<Box<dyn Read + Send>>,
) -> io::Result<Result<u64, ConnectorError>> {
    let start = bytes.fill_buf()?;
    if is_utf_16(start) {
        return Ok(Err(not_understood(
            &source.shown,
            format!("`{}` is UTF-16", stored.name),
            SAVE_AS_UTF_8,
        )));
    }
    if start.starts_with(BOM) {
        bytes.consume(BOM.len());
        return Ok(Ok(BOM.len() as u64));
    }
    Ok(Ok(0))
}
