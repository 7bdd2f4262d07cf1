//! A file on its way out: rows are gathered and handed on by the mebibyte.

use std::fmt::{self, Write as _};
use std::io;

const ENOUGH: usize = 1 << 20;

/// Where rows go, as they will stand: a cell that needs quotes brings them, which a test reads back.
pub(super) struct Sheet<'a> {
    out: &'a mut dyn io::Write,
    text: String,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(out: &'a mut dyn io::Write, columns: &str) -> Sheet<'a> {
        Sheet {
            out,
            text: format!("{columns}\r\n"),
        }
    }

    /// One row: `sheet.row(format_args!("{},{}", …))`.
    pub(super) fn row(&mut self, cells: fmt::Arguments<'_>) -> io::Result<()> {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(cells);
        self.text.push_str("\r\n");
        if self.text.len() >= ENOUGH {
            self.out.write_all(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.out.flush()
    }
}
