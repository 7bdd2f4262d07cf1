//! RFC 4180 records from a stream, strictly: what is odd about a row is said, and only that row is lost.
//!
//! The csv crate reads on after a quote that is never closed until the file ends, and cannot
//! say where it began; a source of evidence must lose one row and name it. So records are
//! found here, with their line and their byte offset, and memory stays bounded.

use std::io::{self, BufRead, Read};

/// Longest cell that is taken in, in bytes.
pub const MAX_CELL: usize = 64 * 1024;
/// Longest record that is looked at as one, in bytes.
const MAX_RECORD: usize = 1024 * 1024;

/// Why a record has no cells. One sentence each, said of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    UnclosedQuote,
    QuoteInside,
    AfterQuote,
    TooLong,
    CellTooLong,
    NotUtf8,
    Nul,
    Separator,
}

impl Malformed {
    /// What is wrong, to follow "the row".
    pub fn says(self) -> &'static str {
        match self {
            Malformed::UnclosedQuote => "opens a quote that is never closed",
            Malformed::QuoteInside => "has a quote inside a cell that is not quoted",
            Malformed::AfterQuote => "has text after the closing quote of a cell",
            Malformed::TooLong => "is longer than 1 MB",
            Malformed::CellTooLong => "has a cell longer than 64 kB",
            Malformed::NotUtf8 => "is not UTF-8",
            Malformed::Nul => "has a NUL character",
            Malformed::Separator => "has the control character U+001F",
        }
    }

    /// What to do about it, to follow what is wrong; empty where that says it all.
    pub fn advice(self) -> &'static str {
        match self {
            Malformed::NotUtf8 => " (save the file as CSV UTF-8)",
            Malformed::UnclosedQuote
            | Malformed::QuoteInside
            | Malformed::AfterQuote
            | Malformed::TooLong
            | Malformed::CellTooLong
            | Malformed::Nul
            | Malformed::Separator => "",
        }
    }

    /// Whether counting quotes over the whole file cannot find the same records.
    pub fn spoils_counting(self) -> bool {
        match self {
            Malformed::UnclosedQuote
            | Malformed::QuoteInside
            | Malformed::AfterQuote
            | Malformed::TooLong => true,
            Malformed::CellTooLong | Malformed::NotUtf8 | Malformed::Nul | Malformed::Separator => {
                false
            }
        }
    }
}

/// The cells of one record, in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    /// Cells with these texts, none of which has a separator in it.
    pub fn of(texts: &[&str]) -> Cells {
        let mut cells = Cells::default();
        for text in texts {
            if !cells.ends.is_empty() {
                cells.text.push('\x1f');
            }
            cells.text.push_str(text);
            cells.ends.push(cells.text.len());
        }
        cells
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at a position; empty where there is none.
    pub fn get(&self, at: usize) -> &str {
        let start = match at.checked_sub(1) {
            None => 0,
            // one separator stands between two cells
            Some(before) => self.ends.get(before).map_or(0, |e| e + 1),
        };
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or_default()
    }

    /// All cells, a separator between each two.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|i| self.get(i))
    }
}

/// One record: where it began and what it holds.
#[derive(Debug)]
pub struct Record {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    pub cells: Result<Cells, Malformed>,
}

/// What came next.
#[derive(Debug)]
pub enum Step {
    Record(Record),
    /// A record that was to be passed over.
    Passed,
    End,
}

/// Where a reader stands: what a cursor needs to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// The line that comes next, counted from 1.
    pub line: u64,
}

/// Records of a stream. Empty lines are no records.
pub struct Records<R> {
    input: R,
    /// Bytes read and handed back after a quote that never closed.
    pending: Vec<u8>,
    position: Position,
    ends_open: bool,
    /// Of an unload: where its fields stand, first and last character counted from 1.
    fields: Option<Vec<(usize, usize)>>,
}

impl<R: BufRead> Records<R> {
    /// A reader of a stream that stands at `position`.
    pub fn new(input: R, position: Position) -> Self {
        Self {
            input,
            pending: Vec::new(),
            position,
            ends_open: false,
            fields: None,
        }
    }

    /// Reads lines of fixed fields instead: a record type of four signs, then these.
    pub fn of_fields(mut self, fields: Vec<(usize, usize)>) -> Self {
        self.fields = Some(fields);
        self
    }

    /// Where the next record begins.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether the record read last had no line end: legal at the end of a file, and also what
    /// a file looks like that was cut off inside its last cell.
    pub fn ends_open(&self) -> bool {
        self.ends_open
    }

    /// Whether nothing but empty lines follows; passes over those.
    pub fn at_end(&mut self) -> io::Result<bool> {
        loop {
            let mut raw = Vec::new();
            if self.read_line(&mut raw)? == 0 {
                return Ok(true);
            }
            if !matches!(raw.as_slice(), b"\n" | b"\r\n") {
                self.pending.splice(0..0, raw);
                return Ok(false);
            }
            self.advance(&raw);
        }
    }

    /// The next record; None at the end.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        loop {
            match self.next_unless(|_| false)? {
                Step::Record(record) => return Ok(Some(record)),
                // Nothing is passed over here.
                Step::Passed => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Passes over the next line if that is what `pass` says of it. It is asked about a line as it
    /// stands in the buffer, before anything is known of it: what it says yes to is a record that
    /// was accepted before, byte for byte.
    fn pass_line(&mut self, pass: &mut impl FnMut(&[u8]) -> bool) -> io::Result<bool> {
        if !self.pending.is_empty() {
            return Ok(false);
        }
        let buffer = self.input.fill_buf()?;
        let Some(line) = memchr::memchr(b'\n', buffer).and_then(|end| buffer.get(..=end)) else {
            return Ok(false);
        };
        if !pass(line) {
            return Ok(false);
        }
        let length = line.len();
        self.input.consume(length);
        self.position.offset += length as u64;
        self.position.line += 1;
        self.ends_open = false;
        Ok(true)
    }

    /// The next record, or that it was one to pass over. `pass` is given its bytes, and says yes
    /// only to what was accepted as a record before; it may be asked twice about one.
    pub fn next_unless(&mut self, mut pass: impl FnMut(&[u8]) -> bool) -> io::Result<Step> {
        loop {
            if self.pass_line(&mut pass)? {
                return Ok(Step::Passed);
            }
            let line = self.position.line;
            let mut raw = Vec::new();
            if self.read_line(&mut raw)? == 0 {
                return Ok(Step::End);
            }
            if matches!(raw.as_slice(), b"\n" | b"\r\n") {
                self.advance(&raw);
                continue;
            }
            if let Some(fields) = &self.fields {
                let mut cells = cut(&raw, fields);
                if raw.len() >= MAX_RECORD && !raw.ends_with(b"\n") {
                    self.skip_line(&mut raw)?;
                    cells = Err(Malformed::TooLong);
                }
                self.ends_open = !raw.ends_with(b"\n");
                self.advance(&raw);
                if cells.is_ok() && pass(&raw) {
                    return Ok(Step::Passed);
                }
                return Ok(Step::Record(Record { line, cells }));
            }
            let first = raw.len();
            let mut cells = split(&raw);
            let mut checked = raw.len();
            while cells == Err(Malformed::UnclosedQuote) && raw.len() < MAX_RECORD {
                if self.read_line(&mut raw)? == 0 {
                    break;
                }
                // Splitting again pays only where the new line can close the quote.
                let more = raw.get(checked..).unwrap_or_default();
                checked = raw.len();
                if more.contains(&b'"') {
                    cells = split(&raw);
                }
            }
            if cells == Err(Malformed::UnclosedQuote)
                || raw.len() > first && cells.as_ref().is_err_and(|e| e.spoils_counting())
            {
                // Only the first line is lost: the others are read again as rows of their own.
                let rest = raw.split_off(first);
                self.pending.splice(0..0, rest);
            }
            if raw.len() >= MAX_RECORD && !raw.ends_with(b"\n") {
                self.skip_line(&mut raw)?;
                cells = Err(Malformed::TooLong);
            }
            self.ends_open = !raw.ends_with(b"\n");
            self.advance(&raw);
            if cells.is_ok() && pass(&raw) {
                return Ok(Step::Passed);
            }
            return Ok(Step::Record(Record { line, cells }));
        }
    }

    fn advance(&mut self, raw: &[u8]) {
        self.position.offset += raw.len() as u64;
        self.position.line += memchr::memchr_iter(b'\n', raw).count().max(1) as u64;
    }

    /// Appends one line with its end, at most up to the longest record.
    fn read_line(&mut self, raw: &mut Vec<u8>) -> io::Result<usize> {
        let before = raw.len();
        let room = MAX_RECORD.saturating_sub(before);
        let kept = self
            .pending
            .iter()
            .take(room)
            .position(|b| *b == b'\n')
            .map_or(self.pending.len().min(room), |at| at + 1);
        raw.extend(self.pending.drain(..kept));
        if !raw.get(before..).unwrap_or_default().ends_with(b"\n") && raw.len() < MAX_RECORD {
            let room = MAX_RECORD.saturating_sub(raw.len()) as u64;
            (&mut self.input).take(room).read_until(b'\n', raw)?;
        }
        Ok(raw.len() - before)
    }

    /// Passes over the rest of a line that is too long, keeping only the count of its bytes.
    fn skip_line(&mut self, raw: &mut Vec<u8>) -> io::Result<()> {
        let mut passed = Vec::new();
        loop {
            passed.clear();
            if self.read_line(&mut passed)? == 0 {
                return Ok(());
            }
            self.position.offset += passed.len() as u64;
            if passed.ends_with(b"\n") {
                raw.push(b'\n');
                self.position.offset -= 1;
                return Ok(());
            }
        }
    }
}

/// Cuts a line of fixed fields into its type and its cells, without the blanks around them.
fn cut(raw: &[u8], fields: &[(usize, usize)]) -> Result<Cells, Malformed> {
    let line = std::str::from_utf8(raw).map_err(|_| Malformed::NotUtf8)?;
    if line.contains('\0') {
        return Err(Malformed::Nul);
    }
    if line.contains('\x1f') {
        return Err(Malformed::Separator);
    }
    let signs: Vec<char> = line.trim_end_matches(['\r', '\n']).chars().collect();
    let texts: Vec<String> = std::iter::once(&(1, 4))
        .chain(fields)
        .map(|(first, last)| {
            let from = first.saturating_sub(1).min(signs.len());
            let to = (*last).clamp(from, signs.len());
            signs.get(from..to).unwrap_or_default().iter().collect()
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
    Ok(Cells::of(&texts))
}

/// Splits one raw record, with or without its line end, into cells.
fn split(raw: &[u8]) -> Result<Cells, Malformed> {
    let body = raw
        .strip_suffix(b"\r\n")
        .or_else(|| raw.strip_suffix(b"\n"))
        .unwrap_or(raw);
    let mut text: Vec<u8> = Vec::with_capacity(body.len());
    let mut ends = Vec::new();
    let mut rest = body;
    loop {
        let start = text.len();
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = quoted;
            loop {
                let Some(at) = memchr::memchr(b'"', rest) else {
                    return Err(Malformed::UnclosedQuote);
                };
                let (inside, after) = rest.split_at(at);
                text.extend_from_slice(inside);
                match after.get(1) {
                    Some(b'"') => {
                        text.push(b'"');
                        rest = after.get(2..).unwrap_or_default();
                    }
                    None | Some(b',') => {
                        rest = after.get(1..).unwrap_or_default();
                        break;
                    }
                    Some(_) => return Err(Malformed::AfterQuote),
                }
            }
        } else {
            let at = memchr::memchr(b',', rest).unwrap_or(rest.len());
            let (cell, after) = rest.split_at(at);
            if cell.contains(&b'"') {
                return Err(Malformed::QuoteInside);
            }
            text.extend_from_slice(cell);
            rest = after;
        }
        if text.len() - start > MAX_CELL {
            return Err(Malformed::CellTooLong);
        }
        ends.push(text.len());
        match rest.strip_prefix(b",") {
            None => break,
            Some(next) => {
                text.push(b'\x1f');
                rest = next;
            }
        }
    }
    if text.contains(&0) {
        return Err(Malformed::Nul);
    }
    if text.iter().filter(|b| **b == b'\x1f').count() + 1 != ends.len() {
        return Err(Malformed::Separator);
    }
    let text = String::from_utf8(text).map_err(|_| Malformed::NotUtf8)?;
    Ok(Cells { text, ends })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(u64, Result<Vec<String>, Malformed>)> {
        let mut records = Records::new(text, Position { offset: 0, line: 1 });
        let mut out = Vec::new();
        while let Some(r) = records.next_record().unwrap() {
            let cells = r.cells.map(|c| c.iter().map(str::to_owned).collect());
            out.push((r.line, cells));
        }
        assert_eq!(
            records.position().offset,
            text.len() as u64,
            "{}",
            String::from_utf8_lossy(text)
        );
        out
    }

    #[track_caller]
    fn check(text: &str, expected: &[(u64, &[&str])]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, cells)| (*line, Ok(cells.iter().map(|c| (*c).to_owned()).collect())))
            .collect();
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn records_are_those_of_rfc_4180() {
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a,b\r\n1,2", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("\"a,b\",\"say \"\"x\"\"\"\n", &[(1, &["a,b", "say \"x\""])]);
        check(
            "\"two\r\nlines\",x\ny,\"\"\n",
            &[(1, &["two\r\nlines", "x"]), (3, &["y", ""])],
        );
        check("a\n\n\r\nb\n", &[(1, &["a"]), (4, &["b"])]);
        check(",\n", &[(1, &["", ""])]);
        check("", &[]);
    }

    #[test]
    fn an_odd_row_is_lost_alone() {
        for (row, why) in [
            (&b"x\"y,1"[..], Malformed::QuoteInside),
            (b"\"x\"y,1", Malformed::AfterQuote),
            (b"\"x,1", Malformed::UnclosedQuote),
            (b"\xff,1", Malformed::NotUtf8),
            (b"\xc3,\xa9", Malformed::NotUtf8),
            (b"x\0,1", Malformed::Nul),
            (b"x\x1f,1", Malformed::Separator),
        ] {
            let text = [b"a,b\n", row, b"\n3,4\n5,6\n"].concat();
            let got = read(&text);
            let lines: Vec<_> = got.iter().map(|(l, _)| *l).collect();
            assert_eq!(lines, [1, 2, 3, 4], "{why:?}");
            assert_eq!(got[1].1, Err(why));
            assert_eq!(got[3].1, Ok(vec!["5".to_owned(), "6".to_owned()]));
        }
    }

    #[test]
    fn long_cells_and_long_lines_are_bounded() {
        let fits = "x".repeat(MAX_CELL);
        check(&format!("{fits},1\n"), &[(1, &[&fits, "1"])]);
        let got = read(format!("{fits}x,1\nnext,1\n").as_bytes());
        assert_eq!(got[0].1, Err(Malformed::CellTooLong));
        let long = "y".repeat(MAX_RECORD * 3 + 7);
        let got = read(format!("{long}\nnext,1\n").as_bytes());
        assert_eq!(got[0].1, Err(Malformed::TooLong));
        assert_eq!(got[1], (2, Ok(vec!["next".to_owned(), "1".to_owned()])));
        // a quote on the first line does not take the whole file with it
        let many = format!("\"open\n{}", "a,b\n".repeat(400_000));
        let got = read(many.as_bytes());
        assert_eq!(got.len(), 400_001);
        assert_eq!(got[0].1, Err(Malformed::UnclosedQuote));
    }
}
