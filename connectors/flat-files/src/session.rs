//! Reading: pages of rows in file order, bound to the content that the first page saw.

use crate::again;
use crate::columns::file_name;
use crate::error::unreadable;
use crate::first_line::{bound, first_line, malformed_header, skip_bom};
use crate::header::{self, Header};
use crate::map;
use crate::notes::{Failures, Logins, withheld_column};
use crate::place::{Found, Inside, Outside, Stored, sha256_of_all, survey};
use crate::recipes::{Passes, Sieve, Unheard};
use crate::secrets::without_logins_in;
use crate::settings::{LineEnd, OnceThere, Source};
use crate::table::{Cells, Position, Records, Step};
use crate::words::advice;
use async_trait::async_trait;
use chrono::Utc;
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Had, Kind, Known, Note, NoteKind, Page, PageRequest, Same,
    Session,
};
use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};

/// Most rows on one page.
pub const MAX_PAGE: u32 = 20_000;

/// Runs file work off the threads that drive everything else; a caller that stops waiting
/// leaves nothing behind.
pub async fn blocking<T: Send + 'static>(
    system: &str,
    operation: &str,
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) if e.is_cancelled() => Err(ConnectorError::new(
            ErrorKind::Cancelled,
            system,
            operation,
            "the program is ending",
        )),
        Err(_) => Err(ConnectorError::new(
            ErrorKind::Bug,
            system,
            operation,
            "reading the files ended in a defect of lastkey",
        )),
    }
}

/// An open reading session over a place.
pub struct Reading {
    source: Source,
    found: Found,
    /// The file of the last page, standing where the next begins.
    open: Option<Open>,
    /// What the engine has of the kind that is read.
    known: Option<(Kind, Known)>,
}

/// One file, open at some row.
pub struct Open {
    kind: Kind,
    outside: Outside,
    pub inside: Inside,
    /// The SHA-256 of this file alone.
    own: String,
    /// Which of the kind's files it is; one kind has one file, unless a recipe reads it.
    part: usize,
    pub header: Header,
    pub sieve: Sieve,
    pub records: Records<BufReader<Box<dyn Read + Send>>>,
    /// What the engine has after the row that was left out last.
    next_known: u32,
}

impl Reading {
    pub fn new(source: Source, found: Found) -> Self {
        Self {
            source,
            found,
            open: None,
            known: None,
        }
    }
}

#[async_trait]
impl Session for Reading {
    fn knows(&mut self, kind: Kind, known: Known) {
        self.known = Some((kind, known));
    }

    async fn places(
        &mut self,
        kind: Kind,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, ConnectorError> {
        let (source, parts) = (self.source.clone(), self.found.of(kind));
        let keys: BTreeSet<String> = keys.iter().cloned().collect();
        let operation = format!("look for {}", kind.plural());
        blocking(&self.source.shown, &operation, move || {
            again::places(&source, kind, &parts, &keys)
        })
        .await
    }

    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let parts = self.found.of(kind);
        if parts.is_empty() {
            return Err(ConnectorError::new(
                ErrorKind::Unsupported,
                self.source.shown.as_str(),
                format!("read {}", kind.plural()),
                format!("there is no `{}` here", file_name(kind)),
            ));
        }
        let source = self.source.clone();
        let before = self.open.take();
        let operation = format!("read {}", kind.plural());
        let asked = parts.clone();
        let known = self.known.as_ref().filter(|(of, _)| *of == kind);
        let known = known.map(|(_, known)| known.clone());
        let answer = blocking(&self.source.shown, &operation, move || {
            page(&source, kind, &parts, before, &request, known.as_ref())
        })
        .await;
        match answer {
            Ok((page, open)) => {
                self.open = open;
                Ok(page)
            }
            Err(error) => Err(self.moved(kind, &asked).await.unwrap_or(error)),
        }
    }
}

impl Reading {
    /// Where the place is another than the one this session knows, such as a zip that was written
    /// anew under it: that is what went wrong, and from now on the new one is read.
    async fn moved(&mut self, kind: Kind, known: &[Stored]) -> Option<ConnectorError> {
        let source = self.source.clone();
        let found = blocking(&self.source.shown, "open", move || survey(&source)).await;
        // Whoever cannot even be looked at has the first error to tell.
        let found = found.ok()?;
        let now = found.of(kind);
        if now.is_empty() || now == known {
            return None;
        }
        self.found = found;
        let name = known.first().map_or("", |stored| stored.name.as_str());
        Some(changed(&self.source, kind, name))
    }
}

/// Pages of two states are no read.
fn changed(source: &Source, kind: Kind, name: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::CursorLost,
        source.shown.as_str(),
        format!("read {}", kind.plural()),
        format!("`{name}` changed while it was being read"),
    )
    .hint("sync again when nobody writes the file")
}

/// A cursor's text: offset, line and the hash of the file they count in; of several files, which
/// of them and the hash of all. An offset of 0 is the first row.
fn cursor(part: usize, position: Position, inside: &Inside) -> Cursor {
    let Position { offset, line } = position;
    let of = match part {
        0 => String::new(),
        part => format!("{part}/"),
    };
    Cursor(format!("{of}{offset}:{line}:{}", inside.sha256))
}

fn position(cursor: &Cursor) -> Option<(usize, Position, &str)> {
    let (part, rest) = match cursor.0.split_once('/') {
        None => (0, cursor.0.as_str()),
        Some((part, rest)) => (part.parse().ok()?, rest),
    };
    let mut parts = rest.splitn(3, ':');
    let offset = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((part, Position { offset, line }, parts.next()?))
}

/// Which file a read that was cut off began with and that is another one now.
pub fn replaced(source: &Source, had: &Had) -> Result<Option<String>, ConnectorError> {
    let begun = had.next.as_ref().and_then(position);
    let begun = begun.map(|(_, _, sha256)| sha256);
    let of_content = had.content_sha256.last().map(String::as_str);
    let Some(wanted) = begun.or(of_content) else {
        return Ok(None);
    };
    let parts = survey(source)?.of(had.kind);
    let names: Vec<String> = parts
        .iter()
        .map(|part| format!("`{}`", part.name))
        .collect();
    if parts.is_empty() {
        return Ok(Some(format!(
            "there is no file of {} any more",
            had.kind.plural()
        )));
    }
    let now = sha256_of_all(&parts).map_err(|e| {
        let operation = format!("compare {}", had.kind.plural());
        unreadable(&source.shown, &operation, &names.join(", "), &e)
    })?;
    let names = names.join(", ");
    Ok((now != wanted).then(|| match parts.len() {
        1 => format!("{names} is another file now than the one that was read"),
        _ => format!("{names} are other files now than those that were read"),
    }))
}

fn page(
    source: &Source,
    kind: Kind,
    parts: &[Stored],
    before: Option<Open>,
    request: &PageRequest,
    known: Option<&Known>,
) -> Result<(Page, Option<Open>), ConnectorError> {
    let operation = format!("read {}", kind.plural());
    let asked = request.cursor.as_ref().and_then(position);
    let at = asked.map_or(0, |(part, _, _)| part);
    let first = parts.first().map_or("", |stored| stored.name.as_str());
    let stored = parts.get(at).ok_or_else(|| changed(source, kind, first))?;
    let failed = |e: io::Error| unreadable(&source.shown, &operation, &stored.name, &e);
    let lost = || changed(source, kind, &stored.name);
    let mut open = match (&request.cursor, before) {
        (Some(asked), Some(open))
            if open.kind == kind
                && cursor(open.part, open.records.position(), &open.inside) == *asked
                && stored.outside().map_err(failed)? == open.outside =>
        {
            open
        }
        (None, _) => Open::at(source, kind, parts, 0, None)?,
        (Some(_), _) => {
            let (part, position, sha256) = asked.ok_or_else(lost)?;
            let position = Some(position).filter(|position| position.offset > 0);
            let open = Open::at(source, kind, parts, part, position)?;
            if open.inside.sha256 != sha256 {
                return Err(lost());
            }
            open
        }
    };

    let limit = request.limit.clamp(1, MAX_PAGE);
    let mut page = Page {
        query: Some(format!("{} sha256:{}", stored.name, open.own)),
        // How many rows a recipe takes is known once they are read.
        expected_total: open.inside.rows.filter(|_| stored.rows.is_none()),
        ..Page::default()
    };
    let mut failures = Failures::default();
    let mut logins = Logins::default();
    let (mut ended, mut passed_over) = (false, 0_u64);
    // Of a recipe several rows may tell of one object: which of them count is only known once all
    // of them are read.
    let known = known.filter(|_| stored.rows.is_none());
    let knowing = known.map(|known| {
        let understood = understood(source, kind, &open);
        (known, known.stamping(&understood))
    });
    while page.received < u64::from(limit) {
        let mut stamp = None;
        let (mut there, next) = (None, open.next_known);
        // Whether a row counts can hang on the rows before it; then each is looked at.
        let blindly = !open.sieve.remembers();
        let step = open.records.next_unless(|raw| {
            stamp = knowing.as_ref().map(|(_, stamping)| stamping.of(raw));
            there = knowing
                .as_ref()
                .zip(stamp)
                .and_then(|((known, _), stamp)| known.place(stamp, next));
            blindly && there.is_some()
        });
        let record = match step.map_err(failed)? {
            Step::Record(record) => Some(record),
            Step::Passed => None,
            Step::End => {
                ended = true;
                break;
            }
        };
        let mut unheard = None;
        // What a row of another width says is not judged: its cells may stand under other headers.
        if let Some(Ok(cells)) = record.as_ref().map(|record| &record.cells)
            && cells.len() == open.header.width
        {
            match open.sieve.judge(&open.header, cells) {
                Passes::Yes => {}
                Passes::Again => continue,
                Passes::No => {
                    passed_over += 1;
                    continue;
                }
                Passes::Unheard(cell) => unheard = Some(cell),
            }
        }
        page.received += 1;
        if let Some(place) = there {
            let before = u32::try_from(page.records.len()).unwrap_or(u32::MAX);
            Same::note(&mut page.same, before, place);
            open.next_known = place + 1;
            continue;
        }
        let Some(record) = record else { continue };
        let place = format!("{}:{}", stored.name, record.line);
        match record.cells {
            Err(malformed) => {
                if malformed.spoils_counting() {
                    page.expected_total = None;
                }
                failures.row(
                    format!("the row {}{}", malformed.says(), malformed.advice()),
                    format!("{place}: the row {}", malformed.says()),
                );
            }
            Ok(cells) if cells.len() != open.header.width => failures.row(
                "the row has not as many cells as the header".to_owned(),
                format!(
                    "{place}: {} cells, the header has {}",
                    cells.len(),
                    open.header.width
                ),
            ),
            Ok(mut cells) => {
                if let Some((shown, hidden)) = without_logins_in(&open.header, &cells) {
                    logins.note(&hidden, &place);
                    cells = shown;
                }
                let fact = match unheard {
                    Some(Unheard { problem, known }) => Err((problem, known)),
                    None => {
                        map::fact(kind, &open.header, &cells, &source.clock).map_err(|problem| {
                            let says = advice(kind, stored.shape, &problem.column, problem.class);
                            (problem, says)
                        })
                    }
                };
                match fact {
                    Ok(fact) => {
                        page.records.push(fact);
                        page.stamps.extend(stamp);
                    }
                    Err((problem, says)) => failures.cell(&place, problem, &says),
                }
            }
        }
    }
    if passed_over > 0 {
        page.notes.push(Note {
            kind: NoteKind::Remark,
            about: kind,
            reason: format!("rows of `{}` say nothing of {}", stored.name, kind.plural()),
            count: passed_over,
            examples: Vec::new(),
        });
    }
    if asked.is_none_or(|(_, position, _)| position.offset == 0) {
        let surprise = |(_, name): &&(usize, String)| match &stored.rows {
            Some(rows) => !rows.expects(name),
            None => true,
        };
        page.notes.extend(
            open.header
                .unknown
                .iter()
                .filter(surprise)
                .map(|(_, name)| Note {
                    kind: NoteKind::Drift,
                    about: kind,
                    reason: format!("the column `{name}` is not known and is kept as an attribute"),
                    count: 1,
                    examples: vec![format!("{}:1:{name}", stored.name)],
                }),
        );
        page.columns = match source.once_there {
            OnceThere::Needed => Some(header::told(stored, &source.mapping(kind), &open.header)),
            OnceThere::Optional => None,
        };
        let missing = open.sieve.missing();
        page.notes.extend(missing.map(|column| Note {
            kind: NoteKind::Clipped,
            about: kind,
            reason: format!(
                "`{}` has no column `{column}`, so what it would tell of {} is not known",
                stored.name,
                kind.plural()
            ),
            count: 1,
            examples: Vec::new(),
        }));
        let withheld = open.header.withheld.iter();
        page.notes.extend(withheld.map(|name| Note {
            kind: NoteKind::Drift,
            about: kind,
            reason: withheld_column(name),
            count: 1,
            examples: vec![format!("{}:1:{name}", stored.name)],
        }));
        if ended && page.received == 0 && passed_over == 0 {
            page.notes.push(Note {
                kind: NoteKind::Remark,
                about: kind,
                reason: format!("`{}` has a header and no rows", stored.name),
                count: 1,
                examples: Vec::new(),
            });
        }
    }
    page.notes.extend(failures.notes(kind));
    page.notes.extend(logins.notes(kind, &open.header.names));

    // A page that is exactly full may have been the last one; a peek tells without a further page.
    if !ended {
        ended = open.records.at_end().map_err(failed)?;
    }
    if ended && open.records.ends_open() {
        page.notes.push(Note {
            kind: match source.last_line_end {
                LineEnd::Needed => NoteKind::OpenEnd,
                LineEnd::Optional => NoteKind::Remark,
            },
            about: kind,
            reason: format!(
                "the last row of `{}` has no line end, as where a file was cut off (of an export that never writes one, say last_line_end=optional)",
                stored.name
            ),
            count: 1,
            examples: Vec::new(),
        });
    }
    if ended && open.part + 1 < parts.len() {
        let start = Position { offset: 0, line: 1 };
        page.next = Some(cursor(open.part + 1, start, &open.inside));
        return Ok((page, None));
    }
    if ended {
        // INVARIANT: the hash on the last page is that of the bytes all pages came from.
        if sha256_of_all(parts).map_err(failed)? != open.inside.sha256 {
            return Err(lost());
        }
        page.content_sha256 = Some(open.inside.sha256.clone());
        return Ok((page, None));
    }
    page.next = Some(cursor(open.part, open.records.position(), &open.inside));
    Ok((page, Some(open)))
}

/// The number of the way in which rows become facts: higher where the same row, header and
/// mapping give another fact than before.
const WAY: u32 = 2;

/// All that says how a row is understood.
fn understood(source: &Source, kind: Kind, open: &Open) -> Vec<u8> {
    let header = &open.header;
    // Written so that a source without forms of its own is understood as it always was.
    let (zone, forms) = (source.clock.zone, source.clock.written());
    format!("{WAY} {kind} {zone:?} {header:?}{forms}").into_bytes()
}

impl Open {
    /// Opens a file at its first row or at a position.
    pub fn at(
        source: &Source,
        kind: Kind,
        parts: &[Stored],
        part: usize,
        position: Option<Position>,
    ) -> Result<Open, ConnectorError> {
        let first = parts.first().map_or("", |stored| stored.name.as_str());
        let stored = parts
            .get(part)
            .ok_or_else(|| changed(source, kind, first))?;
        let failed = |e: io::Error| {
            unreadable(
                &source.shown,
                &format!("read {}", kind.plural()),
                &stored.name,
                &e,
            )
        };
        let outside = stored.outside().map_err(failed)?;
        let insides: Vec<Inside> = (parts.iter().map(Stored::inside))
            .collect::<io::Result<_>>()
            .map_err(failed)?;
        let inside = Inside::together(&insides);
        let alone = insides.into_iter().nth(part).map(|one| one.sha256);
        let mut bytes = BufReader::with_capacity(128 * 1024, stored.open().map_err(failed)?);
        let skipped = skip_bom(source, stored, &mut bytes).map_err(failed)??;
        let mut records = Records::new(
            bytes,
            Position {
                offset: skipped,
                line: 1,
            },
        );
        let unload = stored.rows.filter(|rows| rows.unload);
        if let Some(rows) = unload {
            records = records.of_fields(rows.unload_places());
        }
        let first = match unload {
            Some(rows) => Ok(Cells::of(&rows.unload_names())),
            None => first_line(source, stored, &mut records)?,
        };
        let cells = first.map_err(|malformed| malformed_header(source, stored, malformed))?;
        let names: Vec<&str> = cells.iter().collect();
        let header = bound(source, kind, stored, &cells)?;
        let (header, mut sieve) = match &stored.rows {
            Some(rows) => {
                let header = rows.tidied(header, &names, Utc::now());
                (header, Sieve::new(rows, &names))
            }
            None => (header, Sieve::default()),
        };
        if let Some(position) = position.filter(|_| sieve.remembers()) {
            // What was met before the place counts as met.
            while records.position().offset < position.offset {
                let Some(record) = records.next_record().map_err(failed)? else {
                    break;
                };
                if let Ok(cells) = record.cells
                    && cells.len() == header.width
                {
                    sieve.judge(&header, &cells);
                }
            }
        } else if let Some(position) = position.filter(|p| *p != records.position()) {
            let mut bytes = BufReader::with_capacity(128 * 1024, stored.open().map_err(failed)?);
            io::copy(&mut (&mut bytes).take(position.offset), &mut io::sink()).map_err(failed)?;
            records = Records::new(bytes, position);
            if let Some(rows) = unload {
                records = records.of_fields(rows.unload_places());
            }
        }
        Ok(Open {
            kind,
            outside,
            inside,
            own: alone.unwrap_or_default(),
            part,
            header,
            sieve,
            records,
            next_known: 0,
        })
    }
}
