//! Reading: one scan for a session, begun when the first of its kinds is asked for, and pages cut
//! from it. While it runs, pages without records come, so that nobody waits without a word and a
//! read can be stopped between any two.

use crate::error::{bug, lost};
use crate::map;
use crate::people::People;
use crate::scanned::{Scanned, hex, scan};
use crate::settings::Scan;
use async_trait::async_trait;
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Fact, Kind, Note, NoteKind, Page, PageRequest, Session,
};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Most records on one page.
pub const MAX_PAGE: u32 = 5_000;
/// How long a page waits for the scan.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the cursor of a page begins with that came while the scan ran.
const LOOKING: &str = "looking:";

/// Runs work on files off the threads that drive everything else.
pub async fn blocking<T: Send + 'static>(
    system: &str,
    operation: &str,
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    ended(system, operation, tokio::task::spawn_blocking(work).await)
}

fn ended<T>(
    system: &str,
    operation: &str,
    result: Result<Result<T, ConnectorError>, tokio::task::JoinError>,
) -> Result<T, ConnectorError> {
    match result {
        Ok(result) => result,
        Err(error) if error.is_cancelled() => Err(ConnectorError::new(
            ErrorKind::Cancelled,
            system,
            operation,
            "the program is ending",
        )),
        Err(_) => Err(bug(
            system,
            operation,
            "looking through the files ended in a defect of lastkey",
        )),
    }
}

type Running = JoinHandle<Result<Scanned, ConnectorError>>;

/// An open reading session.
pub struct Reading {
    scan: Arc<Scan>,
    top: PathBuf,
    people: Arc<People>,
    /// What tells these accounts from others.
    people_digest: String,
    /// The facts of the kind of accounts that was asked for last.
    of_people: Option<(Kind, Vec<Fact>)>,
    /// Ends the scan when nobody waits for it any more.
    stop: Arc<AtomicBool>,
    running: Option<Running>,
    scanned: Option<Scanned>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What a page is cut from.
enum From<'s> {
    People(&'s [Fact]),
    Scan(&'s Scanned, usize),
}

impl Reading {
    pub fn new(scan: Arc<Scan>, top: PathBuf, people: People) -> Reading {
        let people_digest = hex(&Sha256::digest(format!("{people:?}")));
        Reading {
            scan,
            top,
            people: Arc::new(people),
            people_digest,
            of_people: None,
            stop: Arc::default(),
            running: None,
            scanned: None,
        }
    }

    /// The scan, unless it takes longer than a page may.
    async fn scanned(&mut self) -> Result<Option<&Scanned>, ConnectorError> {
        if self.scanned.is_none() {
            let running = self.running.get_or_insert_with(|| {
                let (settings, top) = (Arc::clone(&self.scan), self.top.clone());
                let (people, stop) = (Arc::clone(&self.people), Arc::clone(&self.stop));
                tokio::task::spawn_blocking(move || scan(&settings, &top, &people, &stop))
            });
            let Ok(result) = tokio::time::timeout(PATIENCE, running).await else {
                return Ok(None);
            };
            self.running = None;
            self.scanned = Some(ended(&self.scan.shown, "scan", result)?);
        }
        Ok(self.scanned.as_ref())
    }

    fn notes(&self, kind: Kind, scanned: Option<&Scanned>) -> Vec<Note> {
        let note = |sort, reason: &str, count: usize, examples: &[String]| Note {
            kind: sort,
            about: kind,
            reason: reason.to_owned(),
            count: count as u64,
            examples: examples.iter().take(Note::MAX_EXAMPLES).cloned().collect(),
        };
        let of_people = |sort, reason: &str, lines: &[String]| {
            (!lines.is_empty()).then(|| note(sort, reason, lines.len(), lines))
        };
        let (people, odd) = (&self.people, "a line that is not understood");
        let mut notes: Vec<Note> = match (kind, scanned) {
            (Kind::Account, _) => of_people(NoteKind::Failed, odd, &people.odd_accounts),
            (Kind::Entitlement, _) => of_people(NoteKind::Failed, odd, &people.odd_groups),
            (Kind::Grant, _) => of_people(
                NoteKind::Dangling,
                "a member of a group that `passwd` does not list",
                &people.strangers,
            ),
            (Kind::Location, Some(scanned)) => return scanned.left.notes(),
            (_, Some(scanned)) => scanned.left.shadow(kind),
            (_, None) => None,
        }
        .into_iter()
        .collect();
        if let (Kind::Reader, Some(scanned)) = (kind, scanned) {
            if !scanned.listed.is_empty() {
                let reason =
                    "a file has an access list beyond its mode: whom it lets in is not told";
                let count = scanned.listed.len();
                notes.push(note(NoteKind::Clipped, reason, count, &scanned.listed));
            }
            if scanned.unsaid > 0 {
                let reason = "who can read a file is not told on this system";
                let count = usize::try_from(scanned.unsaid).unwrap_or(usize::MAX);
                notes.push(note(NoteKind::Clipped, reason, count, &[]));
            }
        }
        notes
    }
}

/// Where a page begins.
enum Start {
    /// At a record; of another state of the tree it is none.
    At(usize, String),
    First,
}

/// Where a page begins, and how many pages without records came before because the scan ran.
struct Asked {
    start: Start,
    waited: u64,
}

impl Asked {
    /// The cursor of the page after one more wait.
    fn waits(&self) -> Cursor {
        let after = match &self.start {
            Start::First => String::new(),
            Start::At(at, digest) => format!(":{at}:{digest}"),
        };
        Cursor(format!("{LOOKING}{}{after}", self.waited + 1))
    }
}

fn asked(cursor: Option<&Cursor>) -> Option<Asked> {
    let Some(Cursor(text)) = cursor else {
        let start = Start::First;
        return Some(Asked { start, waited: 0 });
    };
    let (waited, rest) = match text.strip_prefix(LOOKING) {
        None => (0, Some(text.as_str())),
        Some(text) => match text.split_once(':') {
            None => (text.parse().ok()?, None),
            Some((count, rest)) => (count.parse().ok()?, Some(rest)),
        },
    };
    let start = match rest {
        None => Start::First,
        Some(rest) => {
            let (at, digest) = rest.split_once(':')?;
            let at = at.parse().ok().filter(|at| *at > 0)?;
            Start::At(at, digest.to_owned())
        }
    };
    Some(Asked { start, waited })
}

#[async_trait]
impl Session for Reading {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let operation = format!("read {}", kind.plural());
        let shown = self.scan.shown.clone();
        let asked = asked(request.cursor.as_ref()).ok_or_else(|| lost(&shown, &operation))?;
        let limit = request.limit.clamp(1, MAX_PAGE) as usize;
        let of_scan = match kind {
            Kind::Account | Kind::Entitlement | Kind::Grant => false,
            Kind::Credential | Kind::Location | Kind::Reader => true,
            Kind::Identity | Kind::Control | Kind::Owner | Kind::Session | Kind::Task => {
                let what = "nothing of this kind is read from files";
                let kind = ErrorKind::Unsupported;
                return Err(ConnectorError::new(kind, shown, operation, what));
            }
        };
        if of_scan && self.scanned().await?.is_none() {
            return Ok(Page {
                next: Some(asked.waits()),
                query: Some("the scan is under way".to_owned()),
                ..Page::default()
            });
        }
        let (system, people) = (&self.scan.system, &self.people);
        if !of_scan && self.of_people.as_ref().is_none_or(|(of, _)| *of != kind) {
            let accounts = people.accounts.iter();
            let facts = match kind {
                Kind::Account => accounts
                    .map(|(number, person)| map::account(system, *number, person))
                    .collect(),
                Kind::Entitlement => map::entitlements(system, people),
                _ => map::grants(system, people),
            };
            self.of_people = Some((kind, facts));
        }
        let from = match (kind, self.scanned.as_ref(), self.of_people.as_ref()) {
            (_, _, Some((_, facts))) if !of_scan => From::People(facts),
            (Kind::Credential, Some(s), _) => From::Scan(s, s.credentials.len()),
            (Kind::Location, Some(s), _) => From::Scan(s, s.rows.len()),
            (_, Some(s), _) => From::Scan(s, s.readers.len()),
            (_, None, _) => return Err(bug(&shown, &operation, "the scan was not kept")),
        };
        let (digest, all) = match &from {
            From::People(facts) => (&self.people_digest, facts.len()),
            From::Scan(scanned, all) => (&scanned.digest, *all),
        };
        let at = match asked.start {
            Start::First => 0,
            Start::At(at, of) if of == *digest && at < all => at,
            Start::At(..) => return Err(lost(&shown, &operation)),
        };
        let end = all.min(at + limit);
        let records: Vec<Fact> = match &from {
            From::People(facts) => facts.get(at..end).unwrap_or_default().to_vec(),
            From::Scan(s, _) => (at..end)
                .filter_map(|n| match kind {
                    Kind::Credential => s.credentials.get(n).cloned().map(Fact::Credential),
                    Kind::Location => map::location(&self.scan, people, s, s.rows.get(n)?),
                    _ => map::reader(&self.scan, s, s.readers.get(n)?),
                })
                .collect(),
        };
        let notes = match at {
            0 => self.notes(kind, self.scanned.as_ref().filter(|_| of_scan)),
            _ => Vec::new(),
        };
        let lost: u64 = notes
            .iter()
            .filter(|note| matches!(note.kind, NoteKind::Skipped | NoteKind::Failed))
            .map(|note| note.count)
            .sum();
        Ok(Page {
            received: records.len() as u64 + lost,
            records,
            next: (end < all).then(|| Cursor(format!("{end}:{digest}"))),
            notes,
            query: Some(match of_scan {
                true => format!("files below {}", crate::walk::shown(&self.top)),
                false => format!(
                    "passwd and group in {}",
                    crate::walk::shown(&self.scan.accounts)
                ),
            }),
            ..Page::default()
        })
    }
}
