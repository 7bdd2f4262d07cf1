//! A role matrix in a workbook (XLSX): one sheet of text, as a table in CSV would be.
//!
//! What a sheet can hold beside text is refused, each with its cell and one sentence: nothing is
//! computed, guessed or passed over. Cells are read one by one: a sheet takes as much memory as it
//! has cells, wherever they stand.

use super::matrix::{Table, TableRow, at, policy_of_table, table_of_policy};
use super::rules::AccessPolicy;
use super::text::PolicyError;
use calamine::{DataRef, Reader, Xlsx, XlsxError};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};
use std::collections::BTreeMap;
use std::io::Cursor;

/// More cells than a matrix can have that anybody looks through.
const MOST_CELLS: usize = 2_000_000;

/// Why a policy cannot be written as a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoWorkbook {
    /// The names of the rules that say more than a matrix can.
    SaysMore(Vec<String>),
    /// What a sheet has no room for, in one sentence.
    NoRoom(String),
}

/// The policy that the matrix in a workbook stands for.
pub fn policy_of_workbook(bytes: &[u8]) -> Result<String, PolicyError> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut filled = Vec::new();
    for name in book.sheet_names() {
        let cells = cells_of(&mut book, &name)?;
        if !cells.is_empty() {
            filled.push((name, cells));
        }
    }
    let (name, cells) = match (filled.pop(), filled.as_slice()) {
        (None, _) => return Err(at(1, 0, "the workbook is empty".to_owned())),
        (Some(one), []) => one,
        (Some((last, _)), others) => {
            let names = others.iter().map(|(name, _)| name).chain([&last]);
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let message = format!(
                "several sheets have something in them: {}",
                names.join(", ")
            );
            return Err(at(1, 0, message)
                .hint("keep the matrix in one sheet, and what is beside it in another workbook"));
        }
    };
    let merged = book.merge_cells_by_sheet_name(&name).map_err(unreadable)?;
    if let Some(first) = merged.iter().min_by_key(|merged| merged.start) {
        let message = format!(
            "the cells {} to {} are merged",
            named(first.start),
            named(first.end)
        );
        return Err(mistake(first.start, message).hint("split them: each cell says one thing"));
    }
    policy_of_table(&table_of(cells)?)
}

/// The matrix that a policy stands for, as a workbook of one sheet; the same bytes for the same policy.
pub fn workbook_of_policy(policy: &AccessPolicy) -> Result<Vec<u8>, NoWorkbook> {
    let table = table_of_policy(policy).map_err(NoWorkbook::SaysMore)?;
    let no_room = |error: rust_xlsxwriter::XlsxError| {
        NoWorkbook::NoRoom(format!("a sheet has no room for the matrix: {error}"))
    };
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(no_room)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    sheet.set_name("matrix").map_err(no_room)?;
    for (row, cells) in (0u32..).zip(&table) {
        for (column, cell) in cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty())
        {
            let column = u16::try_from(column).map_err(|_| {
                NoWorkbook::NoRoom("a sheet has no room for so many columns".to_owned())
            })?;
            // Text stays text: nothing that begins like a formula becomes one.
            sheet.write_string(row, column, cell).map_err(no_room)?;
        }
    }
    book.save_to_buffer().map_err(no_room)
}

/// Row and column, from nought.
type Place = (u32, u32);

/// The cells of a sheet that hold text, in order; the first that holds something else is a mistake.
fn cells_of(
    book: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
) -> Result<BTreeMap<Place, String>, PolicyError> {
    let mut formulas = book.worksheet_cells_reader(sheet).map_err(unreadable)?;
    while let Some(cell) = formulas.next_formula().map_err(unreadable)? {
        if !cell.get_value().is_empty() {
            let message = format!("cell {} is a formula", named(cell.get_position()));
            return Err(mistake(cell.get_position(), message)
                .hint("paste what it comes to as text: nothing is computed here"));
        }
    }
    drop(formulas);
    let mut cells = BTreeMap::new();
    let mut reader = book.worksheet_cells_reader(sheet).map_err(unreadable)?;
    while let Some(cell) = reader.next_cell().map_err(unreadable)? {
        let place = cell.get_position();
        let text = match cell.get_value() {
            DataRef::Empty => continue,
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Int(number) => return Err(no_text(place, &format!("the number {number}"))),
            DataRef::Float(number) => return Err(no_text(place, &format!("the number {number}"))),
            DataRef::Bool(flag) => return Err(no_text(place, &format!("the value {flag}"))),
            DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => {
                return Err(no_text(place, "a date or a time"));
            }
            DataRef::Error(error) => return Err(no_text(place, &format!("the error {error}"))),
        };
        if text.trim().is_empty() {
            continue;
        }
        if cells.len() >= MOST_CELLS {
            return Err(mistake(
                place,
                format!("there are more than {MOST_CELLS} cells"),
            ));
        }
        cells.insert(place, text);
    }
    Ok(cells)
}

/// The table of these cells: nothing may be left out between them.
fn table_of(cells: BTreeMap<Place, String>) -> Result<Table, PolicyError> {
    let mut table = Table::default();
    let mut next = 0;
    for ((row, column), text) in cells {
        if row >= next {
            if row > next {
                return Err(mistake((next, 0), format!("row {} is empty", next + 1))
                    .hint("take it away: a matrix goes on from row to row"));
            }
            next = row + 1;
            if row > 0 {
                table.rows.push(TableRow {
                    line: row + 1,
                    cells: Vec::new(),
                });
            }
        }
        let place = usize::try_from(column).unwrap_or(usize::MAX);
        match table.rows.last_mut() {
            Some(row) => row.cells.push((place, text)),
            None if place > table.header.len() => {
                let gap = (0, u32::try_from(table.header.len()).unwrap_or(u32::MAX));
                return Err(mistake(gap, format!("cell {} is empty", named(gap)))
                    .hint("each column needs its name in the first row"));
            }
            None => table.header.push(text),
        }
    }
    Ok(table)
}

fn no_text(place: Place, what: &str) -> PolicyError {
    mistake(
        place,
        format!("cell {} is {what} and not text", named(place)),
    )
    .hint("make the column text and type it anew: a sheet may have taken noughts or digits from it")
}

fn mistake((row, column): Place, message: String) -> PolicyError {
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    at(row.saturating_add(1), column, message)
}

/// A cell as a sheet names it: `B3`.
fn named((row, column): Place) -> String {
    let mut letters = Vec::new();
    let mut left = column;
    loop {
        let letter = u8::try_from(left % 26).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        match (left / 26).checked_sub(1) {
            Some(more) => left = more,
            None => break,
        }
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", row + 1)
}

fn unreadable(error: XlsxError) -> PolicyError {
    at(1, 0, format!("the workbook cannot be read: {error}"))
        .hint("save it as XLSX without a password, or as CSV")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{matrix_of_policy, policy_of_matrix};
    use rust_xlsxwriter::{Format, Formula, Worksheet};

    const MATRIX: &str = "\
id,#cost_centre,department,employer,ad:staff,erp:ledger
everybody,,,-,b,
clerks,0047,Finance,,,x
=1+1,,\"two
lines\",,,x
";

    #[test]
    fn a_matrix_goes_to_a_workbook_and_comes_back() {
        let text = policy_of_matrix(MATRIX).unwrap();
        let policy = AccessPolicy::parse(&text).unwrap();
        let book = workbook_of_policy(&policy).unwrap();
        assert_eq!(workbook_of_policy(&policy).unwrap(), book);
        let back = policy_of_workbook(&book).unwrap();
        assert_eq!(back, text);
        let back = AccessPolicy::parse(&back).unwrap();
        assert_eq!(matrix_of_policy(&back).unwrap(), MATRIX);
    }

    /// A matrix of two rows, with something done to it.
    fn book(change: impl Fn(&mut Worksheet)) -> Vec<u8> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in [["department", "erp:x"], ["Finance", "x"]]
            .iter()
            .enumerate()
        {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write(row as u32, column as u16, *cell).unwrap();
            }
        }
        change(sheet);
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_cell() {
        let check = |change: &dyn Fn(&mut Worksheet), place: (u32, u32), message: &str| {
            let error = policy_of_workbook(&book(change)).unwrap_err();
            assert_eq!((error.line, error.column), place, "{error}");
            assert!(error.message.contains(message), "{error}");
        };
        let cell = |sheet: &mut Worksheet, row, column, text: &str| {
            sheet.write(row, column, text).unwrap();
        };
        check(
            &|sheet| {
                let formula = Formula::new("=IF(1,\"x\",\"\")");
                sheet.write(1, 1, formula).unwrap();
            },
            (2, 2),
            "cell B2 is a formula",
        );
        check(
            &|sheet| {
                sheet.write(1, 0, 47).unwrap();
            },
            (2, 1),
            "cell A2 is the number 47 and not text",
        );
        check(
            &|sheet| {
                sheet.write(1, 1, true).unwrap();
            },
            (2, 2),
            "cell B2 is the value true",
        );
        check(
            &|sheet| {
                let format = Format::new();
                sheet.merge_range(2, 0, 3, 1, "Sales", &format).unwrap();
            },
            (3, 1),
            "the cells A3 to B4 are merged",
        );
        check(
            &|sheet| cell(sheet, 3, 0, "Sales"),
            (3, 1),
            "row 3 is empty",
        );
        check(
            &|sheet| cell(sheet, 0, 27, "erp:y"),
            (1, 3),
            "cell C1 is empty",
        );
        check(
            &|sheet| cell(sheet, 1, 1, "y"),
            (2, 2),
            "`y` in column `erp:x` is no mark",
        );
        check(&|sheet| cell(sheet, 1, 27, "x"), (2, 3), "28 cells");
        check(
            &|sheet| cell(sheet, 0, 0, "departmnt"),
            (1, 1),
            "neither an attribute",
        );
    }

    #[test]
    fn a_workbook_has_one_sheet_with_something_in_it() {
        let of = |texts: &[&str]| {
            let mut book = Workbook::new();
            for text in texts {
                let sheet = book.add_worksheet();
                sheet.write(0, 0, *text).unwrap();
            }
            policy_of_workbook(&book.save_to_buffer().unwrap())
        };
        let unmarked = of(&["erp:x", ""]).unwrap_err();
        assert!(unmarked.message.contains("has a mark"), "{unmarked}");
        let several = of(&["erp:x", "", "notes"]).unwrap_err();
        assert!(several.message.contains("several sheets"), "{several}");
        assert!(several.message.contains("`Sheet1`, `Sheet3`"), "{several}");
        assert!(of(&[""]).unwrap_err().message.contains("is empty"));
        for bytes in [&b""[..], b"id,erp:x\n", b"PK\x03\x04 and no more"] {
            let error = policy_of_workbook(bytes).unwrap_err();
            assert!(error.message.contains("cannot be read"), "{error}");
        }
    }

    #[test]
    fn cells_are_named_as_sheets_name_them() {
        for (column, name) in [
            (0, "A1"),
            (25, "Z1"),
            (26, "AA1"),
            (701, "ZZ1"),
            (702, "AAA1"),
        ] {
            assert_eq!(named((0, column)), name);
        }
    }
}
