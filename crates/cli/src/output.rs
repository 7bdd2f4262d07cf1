//! What reaches the terminal: text that hostile names cannot bend, JSON, and progress.

use crate::args::Global;
use chrono::{DateTime, Local, SecondsFormat, TimeZone};
use lastkey_contract::when::When;
use lastkey_engine::views::{FailureView, SyncProgress};
use lastkey_verify::{visible, visible_source};
use lastkey_workbench::Failure;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Where and how answers are written.
pub struct Output {
    pub json: bool,
    progress: bool,
}

/// How a shell tells of a program whose reader closed the pipe (128 + SIGPIPE).
const CLOSED_PIPE: i32 = 141;

impl Output {
    /// As the global options say.
    pub fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            progress: !global.quiet,
        }
    }

    /// One line for people. Control and direction characters are shown, not obeyed; a line
    /// break too, so that a name cannot write a line of its own.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.raw(&format!("{}\n", visible(text.as_ref())))
    }

    /// A text of several lines that is read again, such as a plan.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut lines = text.lines();
        lines.try_for_each(|line| self.raw(&format!("{}\n", visible_source(line))))
    }

    /// One JSON document on one line.
    pub fn document(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value)
            .map_err(|_| Failure::not_possible("the answer could not be written as JSON"))?;
        self.raw(&format!("{text}\n"))
    }

    /// JSON documents, each on one line, written together.
    pub fn documents(&self, values: &[impl Serialize]) -> Result<(), Failure> {
        let mut text = Vec::new();
        for value in values {
            serde_json::to_writer(&mut text, value)
                .map_err(|_| Failure::not_possible("the answer could not be written as JSON"))?;
            text.push(b'\n');
        }
        self.bytes(&text)
    }

    /// One row of CSV; cells that a spreadsheet would run are defused by a leading apostrophe.
    pub fn csv_row<'a>(&self, cells: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        let cells: Vec<String> = cells.map(str::to_owned).collect();
        self.csv_rows([&cells].into_iter())
    }

    /// Rows of CSV, written together.
    pub fn csv_rows<'a>(&self, rows: impl Iterator<Item = &'a Vec<String>>) -> Result<(), Failure> {
        let mut table = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        let failed = |_| Failure::not_possible("the row could not be written as CSV");
        for cells in rows {
            for cell in cells {
                table
                    .write_field(lastkey_verify::cell(cell).as_bytes())
                    .map_err(failed)?;
            }
            table.write_record(None::<&[u8]>).map_err(failed)?;
        }
        let bytes = table
            .into_inner()
            .map_err(|_| Failure::not_possible("the row could not be written as CSV"))?;
        self.bytes(&bytes)
    }

    fn raw(&self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        match std::io::stdout().lock().write_all(bytes) {
            Ok(()) => Ok(()),
            // Whoever reads has had enough. That is no failure, and no pass either: what had not been
            // worked out by then nobody knows.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                std::process::exit(CLOSED_PIPE)
            }
            Err(error) => Err(Failure::not_possible(format!(
                "the answer could not be written: {error}"
            ))),
        }
    }

    /// What tells of progress on stderr: in place on a terminal, else only the end of a source.
    pub fn teller(&self) -> impl Fn(SyncProgress) + Send + Sync + 'static {
        let wanted = self.progress;
        move |progress| {
            if wanted {
                tell(&progress);
            }
        }
    }
    /// A remark on stderr.
    pub fn remark(&self, text: impl AsRef<str>) {
        if self.progress {
            let _closed = writeln!(std::io::stderr(), "{}", visible(text.as_ref()));
        }
    }

    /// Something that must be seen, even with --quiet.
    pub fn important(&self, text: impl AsRef<str>) {
        let _closed = writeln!(std::io::stderr(), "{}", visible(text.as_ref()));
    }

    /// A failure: one sentence, what to do, and the exit status.
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        told(failure, self.json)
    }
}

/// A failure told before or after it is known how answers are written.
pub fn told(failure: &Failure, json: bool) -> ExitCode {
    let mut stderr = std::io::stderr();
    if json {
        let view: FailureView = failure.clone().into();
        if let Ok(text) = serde_json::to_string(&view) {
            let _closed = writeln!(stderr, "{text}");
        }
    } else {
        let _closed = writeln!(
            stderr,
            "{}",
            visible(&format!("error: {}", failure.message))
        );
        if let Some(hint) = &failure.hint {
            let _closed = writeln!(stderr, "{}", visible(&format!("hint: {hint}")));
        }
    }
    ExitCode::from(failure.kind.exit_status())
}

/// What the parser of the command line says, in the form of every other failure.
pub fn wrong_use(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut parts = text.split("\n\n").map(one_line);
    let first = parts.next().unwrap_or_default();
    // The parser quotes what was given with apostrophes.
    let message = first.trim_start_matches("error: ").replace('\'', "`");
    let hint: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(|part| part.replace('\'', "`"))
        .collect();
    let failure = Failure::bad_input(message);
    if hint.is_empty() {
        return failure;
    }
    failure.hint(hint.join("; ").trim_end_matches('.'))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A time for people: to the second, here and with the offset, so that it can be given back to a
/// command. Documents keep all of it, in UTC.
pub fn moment(text: &str) -> String {
    moment_in(&Local, text)
}

/// A value of a fact for people: a day, which stands as `from/until`, as its date.
pub fn value(text: &str) -> String {
    // Most values are no days, and tables are long.
    let day = text
        .contains("Z/")
        .then(|| When::parse(text)?.date())
        .flatten();
    day.map_or_else(|| text.to_owned(), |date| date.to_string())
}

fn moment_in<Z: TimeZone>(zone: &Z, text: &str) -> String
where
    Z::Offset: std::fmt::Display,
{
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at
            .with_timezone(zone)
            .to_rfc3339_opts(SecondsFormat::Secs, true),
        Err(_) => text.to_owned(),
    }
}

fn tell(progress: &SyncProgress) {
    let mut stderr = std::io::stderr().lock();
    let counted = match progress.expected {
        Some(expected) => format!("{} of {expected}", progress.received),
        None => progress.received.to_string(),
    };
    let kind = progress.kind.as_deref().unwrap_or("");
    let source = visible(&progress.source);
    let _closed = if progress.done {
        writeln!(stderr, "\r{source}: read {}        ", progress.received)
    } else if stderr.is_terminal() {
        let waiting = progress.waiting.as_deref().map(visible);
        let what = waiting.map_or_else(|| format!("{kind} {counted}"), |w| w.to_string());
        write!(stderr, "\rreading {source}: {what}        ")
    } else {
        Ok(())
    };
}

/// A panic is told in one sentence by `main`; its own text is for `RUST_BACKTRACE` alone.
pub fn quiet_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
}

/// A table for reading: columns as wide as their widest cell, up to a bound. The last column is
/// never cut: it holds reasons, and nothing stands behind it.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    // an interval of two moments with their offsets fits
    const WIDEST: usize = 56;
    let cut = |cell: &str| -> String {
        let cell = visible(cell);
        if cell.chars().count() <= WIDEST {
            return cell;
        }
        let mut short: String = cell.chars().take(WIDEST - 1).collect();
        short.push('…');
        short
    };
    let rows: Vec<Vec<String>> = std::iter::once(header.iter().map(|h| (*h).to_owned()).collect())
        .chain(rows.iter().map(|row| {
            match row.split_last() {
                Some((last, before)) if row.len() == header.len() => before
                    .iter()
                    .map(|cell| cut(cell))
                    .chain([visible(last)])
                    .collect(),
                _ => row.iter().map(|cell| cut(cell)).collect(),
            }
        }))
        .collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            rows.iter()
                .filter_map(|row: &Vec<String>| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{FixedOffset, Utc};

    #[test]
    fn times_for_people_end_at_the_second_and_say_their_offset() {
        let east = FixedOffset::east_opt(5 * 3600 + 1800).unwrap();
        for (text, in_utc, in_the_east) in [
            (
                "2026-03-01T12:00:00Z",
                "2026-03-01T12:00:00Z",
                "2026-03-01T17:30:00+05:30",
            ),
            (
                "2026-03-01T12:00:00.123456789Z",
                "2026-03-01T12:00:00Z",
                "2026-03-01T17:30:00+05:30",
            ),
            ("never", "never", "never"),
            ("v1.2-Z", "v1.2-Z", "v1.2-Z"),
        ] {
            assert_eq!(moment_in(&Utc, text), in_utc);
            assert_eq!(moment_in(&east, text), in_the_east);
        }
    }

    #[test]
    fn hostile_names_are_shown_not_obeyed_and_keep_to_their_cell() {
        let rows = [vec![
            "a\u{1b}[2J\nb".to_owned(),
            "\u{202e}txt.exe".to_owned(),
        ]];
        assert_eq!(
            table(&["one", "two"], &rows),
            [
                "one               two",
                "a\\u{1b}[2J\\u{a}b  \\u{202e}txt.exe"
            ]
        );
    }
}
