//! What keeps a file from being a table with commas in UTF-8, and what to do about it.

use crate::table::{Malformed, Position, Records};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

pub const BOM: &[u8] = b"\xef\xbb\xbf";
pub const SAVE_AS_CSV: &str = "save the file as CSV in UTF-8 (RFC 4180)";
pub const SAVE_AS_UTF_8: &str = "save the file as UTF-8";

/// Why nothing can know a file by its header, and what to do; None where its header can be read.
pub fn no_header(path: &Path) -> io::Result<Option<(&'static str, &'static str)>> {
    let mut bytes = BufReader::with_capacity(128 * 1024, File::open(path)?);
    let start = bytes.fill_buf()?;
    if is_utf_16(start) {
        return Ok(Some(("is UTF-16", SAVE_AS_UTF_8)));
    }
    if start.starts_with(BOM) {
        bytes.consume(BOM.len());
    }
    let mut records = Records::new(bytes, Position { offset: 0, line: 1 });
    Ok(match records.next_record()?.map(|record| record.cells) {
        Some(Err(Malformed::NotUtf8)) => Some(("has a header that is not UTF-8", SAVE_AS_CSV)),
        Some(Ok(cells)) => {
            let names: Vec<&str> = cells.iter().collect();
            semicolons(&names).map(|hint| ("has one column", hint))
        }
        Some(Err(_)) | None => None,
    })
}

/// What to do where the cells of a header look separated by another sign than a comma.
pub fn semicolons(names: &[&str]) -> Option<&'static str> {
    match names {
        [one] if one.contains(';') => {
            Some("the cells look separated by semicolons: save the file with commas")
        }
        _ => None,
    }
}

/// Whether a file that begins so says itself that it is UTF-16.
pub fn is_utf_16(start: &[u8]) -> bool {
    start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff")
}
