//! Reading: pages of rows in file order, bound to the content that the first page saw.

use crate::columns::file_name;
use crate::error::{broken, unreadable};
use crate::header::{self, Header};
use crate::map::{self, Problem};
use crate::place::{Found, Inside, Outside, Stored, survey};
use crate::settings::Source;
use crate::table::{Position, Records, Step};
use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, ConnectorError, Cursor, ErrorKind, Kind, Known, Note, NoteKind, Page, PageRequest,
    Same, Session,
};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

/// Most rows on one page.
pub const MAX_PAGE: u32 = 10_000;

const BOM: &[u8] = b"\xef\xbb\xbf";

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
struct Open {
    kind: Kind,
    outside: Outside,
    inside: Inside,
    header: Header,
    records: Records<BufReader<Box<dyn Read + Send>>>,
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

    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let Some((_, stored)) = self.found.files.iter().find(|(k, _)| *k == kind) else {
            return Err(ConnectorError::new(
                ErrorKind::Unsupported,
                self.source.shown.as_str(),
                format!("read {}", kind.plural()),
                format!("there is no `{}` here", file_name(kind)),
            ));
        };
        let (stored, source) = (stored.clone(), self.source.clone());
        let before = self.open.take();
        let operation = format!("read {}", kind.plural());
        let asked = stored.clone();
        let known = self.known.as_ref().filter(|(of, _)| *of == kind);
        let known = known.map(|(_, known)| known.clone());
        let answer = blocking(&self.source.shown, &operation, move || {
            page(&source, kind, stored, before, &request, known.as_ref())
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
    async fn moved(&mut self, kind: Kind, known: &Stored) -> Option<ConnectorError> {
        let source = self.source.clone();
        let found = blocking(&self.source.shown, "open", move || survey(&source)).await;
        // Whoever cannot even be looked at has the first error to tell.
        let found = found.ok()?;
        let (_, now) = found.files.iter().find(|(k, _)| *k == kind)?;
        if now == known {
            return None;
        }
        self.found = found;
        Some(changed(&self.source, kind, &known.name))
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

/// A cursor's text: offset, line and the hash of the file they count in.
fn cursor(position: Position, inside: &Inside) -> Cursor {
    Cursor(format!(
        "{}:{}:{}",
        position.offset, position.line, inside.sha256
    ))
}

fn position(cursor: &Cursor) -> Option<(Position, &str)> {
    let mut parts = cursor.0.splitn(3, ':');
    let offset = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((Position { offset, line }, parts.next()?))
}

fn page(
    source: &Source,
    kind: Kind,
    stored: Stored,
    before: Option<Open>,
    request: &PageRequest,
    known: Option<&Known>,
) -> Result<(Page, Option<Open>), ConnectorError> {
    let operation = format!("read {}", kind.plural());
    let failed = |e: io::Error| unreadable(&source.shown, &operation, &stored.name, &e);
    let lost = || changed(source, kind, &stored.name);
    let mut open = match (&request.cursor, before) {
        (Some(asked), Some(open))
            if open.kind == kind
                && cursor(open.records.position(), &open.inside) == *asked
                && stored.outside().map_err(failed)? == open.outside =>
        {
            open
        }
        (None, _) => Open::at(source, kind, &stored, None)?,
        (Some(asked), _) => {
            let (position, sha256) = position(asked).ok_or_else(lost)?;
            let open = Open::at(source, kind, &stored, Some(position))?;
            if open.inside.sha256 != sha256 {
                return Err(lost());
            }
            open
        }
    };

    let limit = request.limit.clamp(1, MAX_PAGE);
    let mut page = Page {
        query: Some(format!("{} sha256:{}", stored.name, open.inside.sha256)),
        expected_total: open.inside.rows,
        ..Page::default()
    };
    let mut failures = Failures::default();
    let mut ended = false;
    let understood = understood(source, kind, &open.header);
    while page.received < u64::from(limit) {
        let mut stamp = None;
        let step = open.records.next_unless(|raw| {
            stamp = known.map(|known| known.stamp(&understood, raw));
            known
                .zip(stamp)
                .is_some_and(|(known, stamp)| known.has(stamp))
        });
        let record = match step.map_err(failed)? {
            Step::Record(record) => record,
            Step::Passed => {
                page.received += 1;
                page.same.extend(stamp.map(|stamp| Same {
                    before: u32::try_from(page.records.len()).unwrap_or(u32::MAX),
                    stamp,
                }));
                continue;
            }
            Step::End => {
                ended = true;
                break;
            }
        };
        page.received += 1;
        let place = format!("{}:{}", stored.name, record.line);
        match record.cells {
            Err(malformed) => {
                if malformed.spoils_counting() {
                    page.expected_total = None;
                }
                failures.row(
                    format!("the row {}", malformed.says()),
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
            Ok(cells) => match map::fact(kind, &open.header, &cells, source.zone) {
                Ok(fact) => {
                    page.records.push(fact);
                    page.stamps.extend(stamp);
                }
                Err(Problem {
                    column,
                    class,
                    value,
                }) => failures.row(
                    format!("`{column}` {class}"),
                    match value {
                        Some(value) => format!("{place}:{column}: `{value}` {class}"),
                        None => format!("{place}:{column}: {class}"),
                    },
                ),
            },
        }
    }
    if request.cursor.is_none() {
        page.notes
            .extend(open.header.unknown.iter().map(|(_, name)| Note {
                kind: NoteKind::Drift,
                about: kind,
                reason: format!("the column `{name}` is not known and is kept as an attribute"),
                count: 1,
                examples: vec![format!("{}:1:{name}", stored.name)],
            }));
        let withheld = open.header.withheld.iter();
        page.notes.extend(withheld.map(|name| Note {
            kind: NoteKind::Drift,
            about: kind,
            reason: withheld_column(name),
            count: 1,
            examples: vec![format!("{}:1:{name}", stored.name)],
        }));
        if ended && page.received == 0 {
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

    // A page that is exactly full may have been the last one; a peek tells without a further page.
    if !ended {
        ended = open.records.at_end().map_err(failed)?;
    }
    if ended && open.records.ends_open() {
        page.notes.push(Note {
            kind: NoteKind::Remark,
            about: kind,
            reason: format!(
                "the last row of `{}` has no line end: if the file was cut off, that row is not whole",
                stored.name
            ),
            count: 1,
            examples: Vec::new(),
        });
    }
    if ended {
        // INVARIANT: the hash on the last page is that of the bytes all pages came from.
        if stored.inside().map_err(failed)?.sha256 != open.inside.sha256 {
            return Err(lost());
        }
        page.content_sha256 = Some(open.inside.sha256.clone());
        return Ok((page, None));
    }
    page.next = Some(cursor(open.records.position(), &open.inside));
    Ok((page, Some(open)))
}

/// The number of the way in which rows become facts: higher where the same row, header and
/// mapping give another fact than before.
const WAY: u32 = 1;

/// All that says how a row is understood.
fn understood(source: &Source, kind: Kind, header: &Header) -> Vec<u8> {
    format!("{WAY} {kind} {:?} {header:?}", source.zone).into_bytes()
}

impl Open {
    /// Opens a file at its first row or at a position.
    fn at(
        source: &Source,
        kind: Kind,
        stored: &Stored,
        position: Option<Position>,
    ) -> Result<Open, ConnectorError> {
        let failed = |e: io::Error| {
            unreadable(
                &source.shown,
                &format!("read {}", kind.plural()),
                &stored.name,
                &e,
            )
        };
        let outside = stored.outside().map_err(failed)?;
        let inside = stored.inside().map_err(failed)?;
        let mut bytes = BufReader::with_capacity(128 * 1024, stored.open().map_err(failed)?);
        let skipped = skip_bom(source, stored, &mut bytes).map_err(failed)??;
        let mut records = Records::new(
            bytes,
            Position {
                offset: skipped,
                line: 1,
            },
        );
        let first = records.next_record().map_err(failed)?.ok_or_else(|| {
            broken(
                &source.shown,
                "read the header",
                format!("`{}` is empty: it has not even a header", stored.name),
                "export it again; a file without rows still has a header",
            )
        })?;
        let cells = first.cells.map_err(|malformed| {
            broken(
                &source.shown,
                "read the header",
                format!("the header of `{}` {}", stored.name, malformed.says()),
                "save the file as CSV in UTF-8 (RFC 4180)",
            )
        })?;
        let header = header::bind(
            &source.shown,
            &stored.name,
            kind,
            stored.shape,
            &source.mapping(kind),
            &cells,
        )?;
        if let Some(position) = position.filter(|p| *p != records.position()) {
            let mut bytes = BufReader::with_capacity(128 * 1024, stored.open().map_err(failed)?);
            io::copy(&mut (&mut bytes).take(position.offset), &mut io::sink()).map_err(failed)?;
            records = Records::new(bytes, position);
        }
        Ok(Open {
            kind,
            outside,
            inside,
            header,
            records,
        })
    }
}

/// Passes over a byte-order mark; UTF-16 is refused by name.
fn skip_bom(
    source: &Source,
    stored: &Stored,
    bytes: &mut BufReader<Box<dyn Read + Send>>,
) -> io::Result<Result<u64, ConnectorError>> {
    let start = bytes.fill_buf()?;
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Ok(Err(broken(
            &source.shown,
            "read the header",
            format!("`{}` is UTF-16", stored.name),
            "save the file as UTF-8",
        )));
    }
    if start.starts_with(BOM) {
        bytes.consume(BOM.len());
        return Ok(Ok(BOM.len() as u64));
    }
    Ok(Ok(0))
}

/// Rows that could not be read, counted by reason.
#[derive(Default)]
struct Failures(BTreeMap<String, (u64, Vec<String>)>);

impl Failures {
    fn row(&mut self, reason: String, example: String) {
        let (count, examples) = self.0.entry(reason).or_default();
        *count += 1;
        if examples.len() < Note::MAX_EXAMPLES {
            examples.push(example);
        }
    }

    fn notes(self, about: Kind) -> impl Iterator<Item = Note> {
        self.0
            .into_iter()
            .map(move |(reason, (count, examples))| Note {
                kind: NoteKind::Failed,
                about,
                reason,
                count,
                examples,
            })
    }
}

/// The answer of `check`: which files are there, with how many rows and columns.
pub fn look(source: &Source) -> Result<CheckReport, ConnectorError> {
    let found = survey(source)?;
    let mut remarks = Vec::new();
    for (kind, stored) in &found.files {
        let open = Open::at(source, *kind, stored, None)?;
        let rows = match open.inside.rows {
            Some(rows) => format!("{rows} rows"),
            None => "an unknown number of rows, because a quote is not closed".to_owned(),
        };
        let mut remark = format!(
            "`{}` will be read as {}: {rows}",
            stored.name,
            kind.plural()
        );
        if !open.header.unknown.is_empty() {
            let names: Vec<_> = open
                .header
                .unknown
                .iter()
                .map(|(_, n)| format!("`{n}`"))
                .collect();
            remark.push_str(&format!("; kept as attributes: {}", names.join(", ")));
        }
        remarks.push(remark);
        remarks.extend(open.header.withheld.iter().map(|n| withheld_column(n)));
    }
    remarks.extend(
        found
            .unknown
            .iter()
            .map(|name| format!("`{name}` is not a file that lastkey knows and is left alone")),
    );
    Ok(CheckReport {
        rights_known: true,
        remarks,
        ..CheckReport::default()
    })
}

/// A value that is read is kept; one of a secret must not be.
fn withheld_column(name: &str) -> String {
    format!("the column `{name}` seems to hold secret values and is not read")
}
