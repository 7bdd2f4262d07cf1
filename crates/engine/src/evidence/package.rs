//! Writing the package: the files in the order of their names, each streamed.

use super::cells::{Pseudonyms, cell, known, list};
use super::content::{
    CompletenessRow, EvidenceError, PackageContent, PopulationTable, Rehearsed, Rows, TriedLine,
};
use super::spool::Spool;
use super::{decided, leavers, linked, rehearsed, tables, tried};
use crate::measured::{ITEM_COLUMNS, MeasuredLeaver};
use crate::views::{ExportProgress, ExportReport, JournalRow};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_verify::{
    MadeBy, PackageError, PackageHeader, PackageKey, PackageWriter, Period, Snapshot,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const HOW_TO_READ: &str = include_str!("how-to-read.md");
const JOURNAL: &[&str] = &[
    "sync", "source", "at", "what", "kind", "text", "count", "examples",
];
/// After how many rows progress is told and a stop is heard.
const EVERY: u64 = 256;

/// Writes, signs and moves the package to `target`. On any error, and when `cancel` turns true,
/// what stood at `target` is unchanged and nothing is left beside it.
pub fn write_package(
    target: &Path,
    content: PackageContent<'_>,
    key: &PackageKey,
    progress: &mut dyn FnMut(ExportProgress),
    cancel: &AtomicBool,
) -> Result<ExportReport, EvidenceError> {
    let scope = scope(&content)?;
    let names = Pseudonyms::of(key, &scope);
    let mut export = Export {
        package: PackageWriter::create(target, header(&content))?,
        watch: Watch { progress, cancel },
        target,
    };
    export
        .package
        .add("README.md", HOW_TO_READ.as_bytes(), None)?;
    let line = |row| Ok(decided::decision(row));
    let (rows, expected) = (content.decisions, content.decisions_expected);
    let path = "journal/decisions.csv";
    export.table(path, decided::DECISIONS, rows, expected, line)?;
    export.journal(content.journal, content.journal_expected)?;
    let asked = leavers::Asked {
        since: content.period_from,
        until: content.period_until,
        not_known: content.not_known.clone(),
        plan: content.plan.as_ref().map(|plan| plan.name.clone()),
    };
    let tries = content.tries;
    export.leavers((content.leavers, content.movers), tries, &asked)?;
    let line = |row| Ok(linked::link(row));
    let (rows, expected) = (content.links, content.links_expected);
    export.table("links/links.csv", linked::LINKS, rows, expected, line)?;
    let line = |row| Ok(decided::owner(row));
    let (rows, expected) = (content.owners, content.owners_expected);
    let path = "owners/confirmed.csv";
    export.table(path, decided::OWNERS, rows, expected, line)?;
    export.population(content.population, content.completeness, &names)?;
    let plan = content.plan.map(|plan| plan.text);
    let rehearsals = export.rehearsals(
        content.rehearsals,
        content.rehearsals_expected,
        plan.as_deref(),
    )?;
    let Export {
        mut package,
        mut watch,
        ..
    } = export;
    package.add("scope.json", &scope, None)?;
    watch.tell("signature", 0, 1)?;
    let sealed = package.seal(key)?;
    watch.done("signature", 1);
    Ok(ExportReport {
        path: sealed.path.to_string_lossy().into_owned(),
        bytes: sealed.bytes,
        sha256: sealed.sha256,
        package_id: sealed.package_id,
        files: sealed.files,
        signer: sealed.signer.to_string(),
        rehearsals,
    })
}

/// A package being written, and who watches.
struct Export<'a> {
    package: PackageWriter,
    watch: Watch<'a>,
    target: &'a Path,
}

/// Whom to tell, and when to stop.
struct Watch<'a> {
    progress: &'a mut dyn FnMut(ExportProgress),
    cancel: &'a AtomicBool,
}

impl Watch<'_> {
    fn tell(&mut self, part: &str, done: u64, total: u64) -> Result<(), EvidenceError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(EvidenceError::Cancelled);
        }
        (self.progress)(ExportProgress {
            part: part.to_owned(),
            done,
            total: total.max(done),
        });
        Ok(())
    }
    fn done(&mut self, part: &str, total: u64) {
        (self.progress)(ExportProgress {
            part: part.to_owned(),
            done: total,
            total,
        });
    }
}

fn header(content: &PackageContent<'_>) -> PackageHeader {
    let text = |at: Option<DateTime<Utc>>| at.map(rfc3339);
    PackageHeader {
        made_at: rfc3339(content.made_at),
        made_by: MadeBy {
            tool: "lastkey".to_owned(),
            version: content.version.clone(),
        },
        previous: content.previous.clone(),
        scope: content.scope.clone(),
        period: Period {
            from: text(content.period_from),
            until: text(content.period_until),
        },
        snapshot: Snapshot {
            at: text(content.snapshot_at),
            syncs: content.syncs.clone(),
        },
    }
}

/// `scope.json`: what was asked, of what, by whom.
fn scope(content: &PackageContent<'_>) -> Result<Vec<u8>, EvidenceError> {
    #[derive(Serialize)]
    struct Plan<'a> {
        name: &'a str,
        sha256: String,
    }
    #[derive(Serialize)]
    struct Scope<'a> {
        scope: &'a str,
        period_from: Option<String>,
        period_until: Option<String>,
        snapshot_at: Option<String>,
        syncs: &'a [String],
        rehearsed_at: Option<String>,
        operator: Option<&'a str>,
        practice_date: Option<&'a str>,
        plan: Option<Plan<'a>>,
        kinds: Vec<&'static str>,
    }
    let mut kinds: Vec<_> = content.population.iter().map(|table| table.kind).collect();
    kinds.sort();
    let scope = Scope {
        scope: &content.scope,
        period_from: content.period_from.map(rfc3339),
        period_until: content.period_until.map(rfc3339),
        snapshot_at: content.snapshot_at.map(rfc3339),
        syncs: &content.syncs,
        rehearsed_at: content.rehearsed_at.map(rfc3339),
        operator: content.operator.as_deref(),
        practice_date: content.practice_date.as_deref(),
        plan: content.plan.as_ref().map(|plan| Plan {
            name: &plan.name,
            sha256: Sha256::digest(plan.text.as_bytes())
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect(),
        }),
        kinds: kinds.into_iter().map(|kind| kind.plural()).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&scope).map_err(PackageError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn csv_error(target: &Path) -> impl Fn(csv::Error) -> EvidenceError + '_ {
    move |error| {
        EvidenceError::Package(PackageError::CannotWrite {
            path: target.to_owned(),
            reason: error.to_string(),
        })
    }
}

impl Export<'_> {
    /// One table, row by row as they come.
    fn table<T>(
        &mut self,
        path: &str,
        columns: &[&str],
        rows: Rows<'_, T>,
        expected: u64,
        mut line: impl FnMut(T) -> Result<Vec<String>, EvidenceError>,
    ) -> Result<(), EvidenceError> {
        let failed = csv_error(self.target);
        let mut out = csv::Writer::from_writer(self.package.file(path)?);
        out.write_record(columns).map_err(&failed)?;
        let mut count = 0;
        self.watch.tell(path, 0, expected)?;
        for row in rows {
            out.write_record(line(row?)?).map_err(&failed)?;
            count += 1;
            if count % EVERY == 0 {
                self.watch.tell(path, count, expected)?;
            }
        }
        let file = out
            .into_inner()
            .map_err(|error| failed(csv::Error::from(error.into_error())))?;
        file.finish(Some(count))?;
        self.watch.done(path, count);
        Ok(())
    }

    fn journal(&mut self, rows: Rows<'_, JournalRow>, expected: u64) -> Result<(), EvidenceError> {
        let line = |row: JournalRow| {
            let JournalRow {
                sync,
                source,
                at,
                what,
                kind,
                text,
                count,
                examples,
            } = row;
            Ok(vec![
                sync.to_string(),
                cell(&source),
                cell(&at),
                cell(&what),
                known(kind.as_ref()),
                cell(&text),
                count.to_string(),
                list(&examples),
            ])
        };
        self.table("journal/journal.csv", JOURNAL, rows, expected, line)
    }

    /// The things go straight into the archive; what is told of them together comes after them.
    fn leavers(
        &mut self,
        (left, moved): (Rows<'_, MeasuredLeaver>, Option<Rows<'_, MeasuredLeaver>>),
        tries: Vec<TriedLine>,
        asked: &leavers::Asked,
    ) -> Result<(), EvidenceError> {
        const ITEMS: &str = "leavers/items.csv";
        const MOVERS: &str = "leavers/movers.csv";
        let failed = csv_error(self.target);
        let closed = |error: std::io::Error| failed(csv::Error::from(error));
        let mut summary = csv::Writer::from_writer(Spool::beside(self.target, "leavers")?);
        summary.write_record(leavers::SUMMARY).map_err(&failed)?;
        let mut page = leavers::InTime::default();
        let mut items = csv::Writer::from_writer(self.package.file(ITEMS)?);
        items.write_record(ITEM_COLUMNS).map_err(&failed)?;
        let (mut people, mut item_count) = (0, 0);
        for row in left {
            self.watch.tell(ITEMS, people, 0)?;
            let leaver = row?;
            for item in &leaver.items {
                items
                    .write_record(leavers::item(&leaver, item))
                    .map_err(&failed)?;
                item_count += 1;
            }
            summary
                .write_record(leavers::summary(&leaver))
                .map_err(&failed)?;
            page.add(&leaver);
            people += 1;
        }
        let file = items
            .into_inner()
            .map_err(|error| closed(error.into_error()))?;
        file.finish(Some(item_count))?;
        self.watch.done(ITEMS, people);
        let mut items = csv::Writer::from_writer(self.package.file(MOVERS)?);
        items.write_record(ITEM_COLUMNS).map_err(&failed)?;
        page.movers = moved.is_some().then(leavers::Verdicts::default);
        item_count = 0;
        for row in moved.into_iter().flatten() {
            let mover = row?;
            for item in &mover.items {
                let line = leavers::item(&mover, item);
                items.write_record(line).map_err(&failed)?;
                item_count += 1;
            }
            let line = leavers::summary(&mover);
            summary.write_record(line).map_err(&failed)?;
            if let Some(movers) = &mut page.movers {
                movers.add(mover.verdict);
            }
            people += 1;
        }
        let file = items
            .into_inner()
            .map_err(|error| closed(error.into_error()))?;
        file.finish(Some(item_count))?;
        self.watch.done(MOVERS, item_count);
        let (shares, text) = page.done(asked);
        let lines: Vec<_> = leavers::shares(&shares).map(Ok).collect();
        let (lines, count) = (Box::new(lines.into_iter()), 0);
        self.table("leavers/shares.csv", leavers::SHARES, lines, count, Ok)?;
        let spool = summary
            .into_inner()
            .map_err(|error| closed(error.into_error()))?;
        self.poured("leavers/summary.csv", spool, people)?;
        let count = u64::try_from(tries.len()).unwrap_or(u64::MAX);
        let lines = Box::new(tries.into_iter().map(|one| Ok(tried::tried(one))));
        self.table("leavers/tries.csv", tried::TRIES, lines, count, Ok)?;
        self.package
            .add("leavers/was-it-in-time.md", text.as_bytes(), None)?;
        Ok(())
    }

    /// Rows that waited, as a file of the archive.
    fn poured(&mut self, path: &str, mut spool: Spool, count: u64) -> Result<(), EvidenceError> {
        let mut file = self.package.file(path)?;
        spool.pour(&mut file)?;
        file.flush()
            .map_err(|error| csv_error(self.target)(csv::Error::from(error)))?;
        file.finish(Some(count))?;
        self.watch.done(path, count);
        Ok(())
    }

    fn population(
        &mut self,
        mut given: Vec<PopulationTable<'_>>,
        completeness: Vec<CompletenessRow>,
        names: &Pseudonyms,
    ) -> Result<(), EvidenceError> {
        given.sort_by_key(|one| one.kind.plural());
        let mut sheet = Some(completeness);
        let mut last = None;
        for PopulationTable {
            kind,
            expected,
            rows,
        } in given
        {
            if last == Some(kind) {
                return Err(EvidenceError::Twice(kind.plural()));
            }
            last = Some(kind);
            if kind.plural() > "completeness"
                && let Some(sheet) = sheet.take()
            {
                self.completeness_sheet(sheet)?;
            }
            let mut columns = tables::columns(kind).to_vec();
            columns.extend(["source", "first_sync"]);
            let path = format!("population/{}.csv", kind.plural());
            let line = |row: super::PopulationRow| match row.fact.kind() == kind {
                true => Ok(tables::line(row, names)),
                false => Err(EvidenceError::WrongKind {
                    table: kind.plural(),
                    fact: row.fact.kind().word(),
                }),
            };
            self.table(&path, &columns, rows, expected, line)?;
        }
        match sheet.take() {
            Some(sheet) => self.completeness_sheet(sheet),
            None => Ok(()),
        }
    }

    fn completeness_sheet(&mut self, mut rows: Vec<CompletenessRow>) -> Result<(), EvidenceError> {
        rows.sort_by(|a, b| (&a.source, a.kind, a.sync).cmp(&(&b.source, b.kind, b.sync)));
        let expected = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let rows = Box::new(rows.into_iter().map(Ok));
        let line = |row| Ok(tables::completeness(row));
        self.table(
            "population/completeness.csv",
            tables::COMPLETENESS,
            rows,
            expected,
            line,
        )
    }

    /// The items go straight into the archive; the summary and what breaks come after them there,
    /// and wait beside it. Gives the number of rehearsals.
    fn rehearsals(
        &mut self,
        rows: Rows<'_, Rehearsed>,
        expected: u64,
        plan: Option<&str>,
    ) -> Result<u64, EvidenceError> {
        const ITEMS: &str = "rehearsals/items.csv";
        let failed = csv_error(self.target);
        let mut summary = csv::Writer::from_writer(Spool::beside(self.target, "summary")?);
        let mut breaks = csv::Writer::from_writer(Spool::beside(self.target, "breaks")?);
        summary.write_record(rehearsed::SUMMARY).map_err(&failed)?;
        breaks.write_record(rehearsed::BREAKS).map_err(&failed)?;
        let (mut people, mut item_count, mut break_count) = (0, 0, 0);
        let mut items = csv::Writer::from_writer(self.package.file(ITEMS)?);
        items.write_record(rehearsed::ITEMS).map_err(&failed)?;
        for row in rows {
            self.watch.tell(ITEMS, people, expected)?;
            let row = row?;
            summary
                .write_record(rehearsed::summary(&row))
                .map_err(&failed)?;
            for item in &row.rehearsal.residual {
                items
                    .write_record(rehearsed::item(&row, item))
                    .map_err(&failed)?;
                item_count += 1;
            }
            for found in &row.rehearsal.breaks {
                breaks
                    .write_record(rehearsed::would_break(&row, found))
                    .map_err(&failed)?;
                break_count += 1;
            }
            people += 1;
        }
        let closed = |error: std::io::Error| failed(csv::Error::from(error));
        let file = items
            .into_inner()
            .map_err(|error| closed(error.into_error()))?;
        file.finish(Some(item_count))?;
        self.watch.done(ITEMS, people);
        if let Some(plan) = plan {
            self.package
                .add("rehearsals/plan.toml", plan.as_bytes(), None)?;
        }
        for (path, rows, count) in [
            ("rehearsals/summary.csv", summary, people),
            ("rehearsals/what-breaks.csv", breaks, break_count),
        ] {
            let spool = rows
                .into_inner()
                .map_err(|error| closed(error.into_error()))?;
            self.poured(path, spool, count)?;
        }
        Ok(people)
    }
}
