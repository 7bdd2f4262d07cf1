//! One kind under way: what is still to be asked, entries that wait to become facts, and what
//! has to be said about them.

use crate::entry::Entry;
use crate::index::Index;
use crate::map::{self, Made, Problem, Sort};
use crate::search::{Answer, Pages, Query};
use crate::settings::Directory;
use lastkey_contract::{ConnectorError, Cursor, ErrorKind, Kind, NoteKind, Notes, Page};
use std::collections::VecDeque;
use std::sync::Arc;

/// Empty pages in a row, each promising more, after which the directory is not believed.
const MAX_EMPTY: u32 = 100;

/// A query, and what its entries are read for.
#[derive(Clone, Debug)]
pub struct Part {
    pub sort: Sort,
    pub query: Query,
}

/// A search of one kind under way.
pub struct Scan {
    pub kind: Kind,
    number: u64,
    served: u64,
    /// The part that is being read is the first.
    pub parts: VecDeque<Part>,
    pub pages: Option<Pages>,
    /// Where the part that is being read goes on.
    pub cookie: Option<Vec<u8>>,
    pub clipped: bool,
    empty: u32,
    /// Entries met, by all parts.
    pub found: u64,
    pending: VecDeque<(Sort, Arc<Entry>)>,
    /// How many facts of the first pending entry are out already.
    offset: usize,
    /// About how many facts wait.
    waiting: usize,
    /// Objects seen that became no record.
    lost: u64,
    notes: Notes,
    asked: String,
    /// What the last page carries.
    pub watermark: Option<String>,
    pub gone: Vec<String>,
    pub whole: Vec<String>,
}

/// A page that was given, so that asking again for the same gives the same.
pub struct Served {
    cursor: Cursor,
    kind: Kind,
    limit: u32,
    entries: Vec<(Sort, Arc<Entry>)>,
    offset: usize,
    /// The page without its records.
    rest: Page,
}

impl Served {
    /// The page again, if it is the one that is asked for.
    pub fn again(
        &self,
        directory: &Directory,
        index: &Index,
        (cursor, kind, limit): (&Cursor, Kind, u32),
    ) -> Option<Page> {
        if (&self.cursor, self.kind, self.limit) != (cursor, kind, limit) {
            return None;
        }
        let mut records = Vec::new();
        let mut skip = self.offset;
        for (sort, entry) in &self.entries {
            let at = (skip, limit as usize);
            let out = (&mut records, &mut Vec::new());
            map::facts(*sort, directory, entry, index, at, out);
            skip = 0;
        }
        Some(Page {
            records,
            ..self.rest.clone()
        })
    }
}

impl Scan {
    pub fn new(kind: Kind, number: u64, parts: VecDeque<Part>) -> Scan {
        let asked: Vec<String> = parts.iter().map(|p| p.query.shown()).collect();
        Scan {
            kind,
            number,
            served: 0,
            parts,
            pages: None,
            cookie: None,
            clipped: false,
            empty: 0,
            found: 0,
            pending: VecDeque::new(),
            offset: 0,
            waiting: 0,
            lost: 0,
            notes: Notes::default(),
            asked: asked.join("; then "),
            watermark: None,
            gone: Vec::new(),
            whole: Vec::new(),
        }
    }

    /// What was asked, for the evidence, where no part says it.
    pub fn describe(&mut self, queries: &[Query]) {
        let asked: Vec<String> = queries.iter().map(Query::shown).collect();
        self.asked = format!("changes only: {}", asked.join("; then "));
    }

    pub fn cursor(&self) -> Cursor {
        Cursor(format!("{}:{}", self.number, self.served))
    }

    /// Whether nothing more will be fetched.
    pub fn ended(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a page of this size can be served.
    pub fn is_ready(&self, limit: u32) -> bool {
        self.ended() || self.waiting >= limit as usize
    }

    pub fn note(&mut self, kind: NoteKind, reason: &str, count: u64, example: Option<String>) {
        // NoteKind says which of them keep absence from being claimed.
        if !kind.keeps_completeness() {
            self.watermark = None;
        }
        self.notes.add_many(kind, reason, count, example);
    }

    /// Puts entries in the queue.
    pub fn push(&mut self, sort: Sort, entry: Entry, index: &Index) {
        self.found += 1;
        self.waiting += match sort {
            Sort::Members => map::member_values(&entry, index),
            Sort::Identity
            | Sort::Account
            | Sort::Group
            | Sort::Role
            | Sort::RoleMembers
            | Sort::Password
            | Sort::Keys => 1,
        };
        self.pending.push_back((sort, Arc::new(entry)));
    }

    /// Notes what an answer left out, and gives its entries.
    pub fn take(&mut self, answer: Answer, system: &str) -> Result<Vec<Entry>, ConnectorError> {
        if let Some(why) = answer.clipped {
            self.clipped = true;
            let reason = format!(
                "the directory cut its answer at {why}; its admin can raise it for this login"
            );
            self.note(NoteKind::Clipped, &reason, 1, None);
        }
        if answer.referrals > 0 {
            self.lost += answer.referrals;
            let reason = "a referral to another server was not followed";
            self.note(NoteKind::Skipped, reason, answer.referrals, None);
        }
        if answer.broken > 0 {
            self.lost += answer.broken;
            let reason = "the entry's encoding is broken";
            self.note(NoteKind::Failed, reason, answer.broken, None);
        }
        for entry in answer.entries.iter().filter(|e| !e.is_whole()) {
            for (count, reason) in [
                (entry.too_long, "a value longer than 64 kB was left out"),
                (entry.not_text, "a value that is not UTF-8 was left out"),
            ] {
                if count > 0 {
                    self.note(NoteKind::Clipped, reason, count, Some(entry.dn.clone()));
                }
            }
        }
        self.empty = match answer.entries.is_empty() {
            true => self.empty + 1,
            false => 0,
        };
        if self.empty > MAX_EMPTY && answer.cookie.is_some() {
            return Err(ConnectorError::new(
                ErrorKind::Protocol,
                system,
                "read",
                "the directory goes on sending empty pages and promising more",
            )
            .hint("look into the directory's log"));
        }
        Ok(answer.entries)
    }

    /// The next page out of the queue, and what is needed to give it again.
    pub fn serve(
        &mut self,
        directory: &Directory,
        index: &Index,
        (cursor, limit): (Option<Cursor>, u32),
    ) -> (Page, Option<Served>) {
        let room = limit as usize;
        let mut records = Vec::with_capacity(room.min(self.waiting));
        let mut problems: Vec<Problem> = Vec::new();
        let mut entries = Vec::new();
        let offset = self.offset;
        let mut lost = Vec::new();
        while records.len() < room {
            let Some((sort, entry)) = self.pending.front() else {
                break;
            };
            let at = (self.offset, room);
            let out = (&mut records, &mut problems);
            let made = map::facts(*sort, directory, entry, index, at, out);
            entries.push((*sort, Arc::clone(entry)));
            match made {
                Made::UpTo(count) => self.offset = count,
                Made::All | Made::NoId => {
                    if made == Made::NoId {
                        lost.push(entry.dn.clone());
                    }
                    self.offset = 0;
                    self.pending.pop_front();
                }
            }
        }
        for dn in lost {
            self.lost += 1;
            let reason = format!(
                "the entry shows no `{}`, so it has no id",
                directory.id_attribute
            );
            self.note(NoteKind::Failed, &reason, 1, Some(dn));
        }
        for problem in problems {
            if problem.kind == NoteKind::Failed {
                self.lost += 1;
            }
            self.note(problem.kind, problem.reason, 1, Some(problem.example));
        }
        self.waiting = match self.pending.is_empty() {
            true => 0,
            false => self.waiting.saturating_sub(records.len()),
        };
        self.served += 1;
        let about = self.kind;
        let last = self.ended() && self.pending.is_empty();
        let mut page = Page {
            received: records.len() as u64 + std::mem::take(&mut self.lost),
            next: (!last).then(|| self.cursor()),
            notes: std::mem::take(&mut self.notes).about(about),
            query: Some(self.asked.clone()),
            ..Page::default()
        };
        if last {
            page.watermark = self.watermark.take();
            page.gone = std::mem::take(&mut self.gone);
            page.whole = std::mem::take(&mut self.whole);
        }
        let served = cursor.map(|cursor| Served {
            cursor,
            kind: about,
            limit,
            entries,
            offset,
            rest: page.clone(),
        });
        page.records = records;
        (page, served)
    }
}
