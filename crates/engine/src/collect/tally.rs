//! The running totals of one kind, and whether its read is complete.

use super::redact::Redactor;
use crate::store::{Applied, KindRecord, NewJournalRow, ReadMode};
use crate::views::Totals;
use lastkey_contract::{Kind, Note, NoteKind, Page};
use std::collections::BTreeSet;

/// A source asks the same few things page after page; more different ones are in the journal.
const MAX_QUERIES: usize = 20;

/// How many examples a gap names; the journal has more.
const NAMED: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub kind: Kind,
    pub received: u64,
    pub expected: Option<u64>,
    pub removed: u64,
    stored: u64,
    unchanged: u64,
    skipped: u64,
    failed: u64,
    ended: bool,
    gaps: Vec<String>,
    queries: Vec<String>,
    content_sha256: Vec<String>,
    mode: ReadMode,
    full_at: String,
    watermark: Option<String>,
    pages: u64,
    /// Where the source's answer ended without the mark of its end, once each.
    pub open_ends: Vec<String>,
    /// The first few keys that stood more than once.
    pub second: Vec<String>,
}

impl Tally {
    /// Of a read that begins; `full_at` is when the full read began that it is or rests on.
    pub(super) fn new(kind: Kind, mode: ReadMode, full_at: String) -> Self {
        Self {
            kind,
            received: 0,
            expected: None,
            removed: 0,
            stored: 0,
            unchanged: 0,
            skipped: 0,
            failed: 0,
            ended: false,
            gaps: Vec::new(),
            queries: Vec::new(),
            content_sha256: Vec::new(),
            mode,
            full_at,
            watermark: None,
            pages: 0,
            open_ends: Vec::new(),
            second: Vec::new(),
        }
    }

    /// Of a read that goes on where it was cut off, with the open ends that it had met by then.
    pub(super) fn resumed(record: &KindRecord, open_ends: Vec<String>) -> Self {
        let KindRecord {
            kind,
            totals,
            complete: _,
            gaps,
            queries,
            content_sha256,
            mode,
            full_at,
            watermark,
            expected,
            held: _,
        } = record;
        let unfinished = not_to_its_end(*kind);
        Self {
            kind: *kind,
            received: totals.received,
            expected: *expected,
            removed: totals.removed,
            stored: totals.stored,
            unchanged: totals.unchanged,
            skipped: totals.skipped,
            failed: totals.failed,
            ended: false,
            gaps: gaps.iter().filter(|g| **g != unfinished).cloned().collect(),
            queries: queries.clone(),
            content_sha256: content_sha256.clone(),
            mode: *mode,
            full_at: full_at.clone().unwrap_or_default(),
            watermark: watermark.clone(),
            pages: 0,
            open_ends,
            second: Vec::new(),
        }
    }

    /// Takes in a page that was stored; gives back its journal lines.
    pub(super) fn take(
        &mut self,
        page: &Page,
        applied: &Applied,
        redactor: &Redactor,
    ) -> Vec<NewJournalRow> {
        let mut lines = Vec::new();
        let (mut skipped, mut failed) = (0, 0);
        for note in &page.notes {
            let note = redactor.note(note);
            // A note about another kind than the one read is told and counts nowhere.
            if note.about == self.kind {
                match note.kind {
                    NoteKind::Skipped => skipped += note.count,
                    NoteKind::Failed => failed += note.count,
                    NoteKind::OpenEnd => self.open_end(&note.reason),
                    NoteKind::Clipped | NoteKind::Drift | NoteKind::Dangling | NoteKind::Remark => {
                    }
                }
            }
            if !note.kind.keeps_completeness() {
                self.gap(gap_text(&note));
            }
            lines.push(NewJournalRow::note(&note));
        }
        if let Some(columns) = &page.columns {
            let of = redactor.clean(&columns.of);
            lines.push(NewJournalRow::columns(self.kind, &of, columns));
        }
        if !applied.second.is_empty() {
            let count = count(applied.second.len());
            skipped += count;
            let few = applied.second.iter().take(Note::MAX_EXAMPLES);
            let room = Note::MAX_EXAMPLES.saturating_sub(self.second.len());
            self.second.extend(few.clone().take(room).cloned());
            let first = applied.second.first().map_or("", String::as_str);
            let note = Note {
                kind: NoteKind::Skipped,
                about: self.kind,
                reason: second_row(first),
                count,
                examples: few.map(|key| shown(key)).collect(),
            };
            self.gap(gap_text(&note));
            lines.push(NewJournalRow::note(&note));
        }
        let accounted = applied.stored + applied.unchanged + skipped + failed;
        if page.received > accounted {
            let lost = page.received - accounted;
            failed += lost;
            lines.push(self.lost(lost, "the source sent more than was understood"));
        }
        self.received += page.received.max(accounted);
        self.expected = page.expected_total.or(self.expected);
        self.stored += applied.stored;
        self.unchanged += applied.unchanged;
        self.skipped += skipped;
        self.failed += failed;
        self.removed += applied.removed;
        self.watermark = page.watermark.clone().or(self.watermark.take());
        self.pages += 1;
        let mut text = format!("page {}", self.pages);
        if let Some(query) = &page.query {
            let query = redactor.clean(query);
            text.push_str(&format!(" of `{query}`"));
            if !self.queries.contains(&query) && self.queries.len() < MAX_QUERIES {
                self.queries.push(query);
            }
        }
        if let Some(hash) = &page.content_sha256 {
            text.push_str(&format!(", sha256 {hash}"));
            if !self.content_sha256.contains(hash) {
                self.content_sha256.push(hash.clone());
            }
        }
        lines.insert(
            0,
            NewJournalRow {
                what: "page",
                kind: Some(self.kind),
                text,
                count: page.received,
                examples: Vec::new(),
            },
        );
        lines
    }

    /// Why absence cannot be claimed, once each.
    pub(super) fn gap(&mut self, text: String) {
        if !self.gaps.contains(&text) {
            self.gaps.push(text);
        }
    }

    fn open_end(&mut self, text: &str) {
        if !self.open_ends.iter().any(|one| one == text) {
            self.open_ends.push(text.to_owned());
        }
    }

    pub(super) fn read_to_end(&mut self) {
        self.ended = true;
    }

    /// What the source announced and never sent counts as failed.
    pub(super) fn shortfall(&mut self) -> Vec<NewJournalRow> {
        // What a source says there is in all is no measure of what changed.
        if self.mode == ReadMode::Incremental {
            return Vec::new();
        }
        let missing = self
            .expected
            .map_or(0, |expected| expected.saturating_sub(self.received));
        if missing == 0 {
            return Vec::new();
        }
        self.failed += missing;
        let text = format!(
            "the source announced {} {} and sent {}",
            self.received + missing,
            self.kind.plural(),
            self.received
        );
        vec![self.lost(missing, &text)]
    }

    /// Takes in where the rows of keys stand that stood more than once; a line for each.
    pub(super) fn second_at(&mut self, places: &[(String, String)]) -> Vec<NewJournalRow> {
        let mut lines = Vec::new();
        let keys: BTreeSet<String> = self.second.drain(..).collect();
        for key in keys {
            let of_key = places.iter().filter(|(of, _)| *of == key);
            let at: Vec<&str> = of_key.map(|(_, place)| place.as_str()).collect();
            if at.len() < 2 {
                continue;
            }
            let (at, row) = (at.join(" and "), second_row(&key));
            for gap in &mut self.gaps {
                if gap.ends_with(&row) {
                    gap.push_str(&format!(" ({at})"));
                }
            }
            let text = format!("rows with key `{}`: {at}; the first stands", shown(&key));
            lines.push(NewJournalRow::plain("note", Some(self.kind), text));
        }
        lines
    }

    fn lost(&mut self, count: u64, reason: &str) -> NewJournalRow {
        let note = Note {
            kind: NoteKind::Failed,
            about: self.kind,
            reason: reason.to_owned(),
            count,
            examples: Vec::new(),
        };
        self.gap(gap_text(&note));
        NewJournalRow::note(&note)
    }

    /// INVARIANT: reported = stored + unchanged + skipped + failed.
    pub(super) fn record(&self) -> KindRecord {
        KindRecord {
            kind: self.kind,
            totals: Totals {
                reported: self.stored + self.unchanged + self.skipped + self.failed,
                received: self.received,
                stored: self.stored,
                unchanged: self.unchanged,
                skipped: self.skipped,
                failed: self.failed,
                removed: self.removed,
            },
            complete: self.ended && self.gaps.is_empty(),
            gaps: if self.ended || !self.gaps.is_empty() {
                self.gaps.clone()
            } else {
                vec![not_to_its_end(self.kind)]
            },
            queries: self.queries.clone(),
            content_sha256: self.content_sha256.clone(),
            mode: self.mode,
            full_at: Some(self.full_at.clone()),
            watermark: self.watermark.clone(),
            expected: self.expected,
            held: None,
        }
    }
}

fn second_row(key: &str) -> String {
    format!("second row with key `{}`", shown(key))
}

/// A key as people write it.
fn shown(key: &str) -> String {
    key.replace('\u{1f}', ":")
}

fn not_to_its_end(kind: Kind) -> String {
    format!("{} were not read to their end", kind.plural())
}

fn gap_text(note: &Note) -> String {
    match note.kind {
        NoteKind::Skipped => format!(
            "{} skipped: {}",
            note.about.counted(note.count),
            note.reason
        ),
        // The examples name file, line, column and value: what a person has to look up.
        NoteKind::Failed => format!(
            "{} failed: {}{}",
            note.about.counted(note.count),
            note.reason,
            named(note)
        ),
        NoteKind::Clipped => format!(
            "the answer for {} was cut: {}",
            note.about.plural(),
            note.reason
        ),
        NoteKind::OpenEnd | NoteKind::Drift | NoteKind::Dangling | NoteKind::Remark => {
            note.reason.clone()
        }
    }
}

/// The first few examples of a note, and whether there are more.
fn named(note: &Note) -> String {
    let few: Vec<&str> = (note.examples.iter().take(NAMED))
        .map(String::as_str)
        .collect();
    match few.is_empty() {
        true => String::new(),
        false if few.len() as u64 == note.count => format!("; {}", few.join("; ")),
        false => format!("; first {}", few.join("; ")),
    }
}

fn count(length: usize) -> u64 {
    length.try_into().unwrap_or(u64::MAX)
}
