//! The connector against the contract server: what a page holds, paging, limits, faults, and what
//! is said of all that is not shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[allow(dead_code)]
#[path = "../contract/mod.rs"]
mod contract;

mod gaps;
mod paging;
mod reading;
mod rights;
mod trouble;

use contract::server::Told;
use contract::world::{Odd, World, refusal};
use contract::*;
use lastkey_conformance::read_to_end;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Cursor, ErrorKind, Fact, Kind, Note, NoteKind, Page,
    PageRequest,
};
use std::collections::BTreeSet;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn read(connector: &dyn Connector, kind: Kind) -> Result<Vec<Page>, ConnectorError> {
    run(read_to_end(connector, kind, 500))
}

fn facts(pages: &[Page]) -> Vec<Fact> {
    pages.iter().flat_map(|page| page.records.clone()).collect()
}

fn notes(pages: &[Page]) -> Vec<Note> {
    pages.iter().flat_map(|page| page.notes.clone()).collect()
}

fn complete(pages: &[Page]) -> bool {
    notes(pages)
        .iter()
        .all(|note| note.kind.keeps_completeness())
}

/// What a fact says, on a line.
fn line(fact: &Fact) -> String {
    let opt = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
    match fact {
        Fact::Account(a) => format!(
            "{} {} on={:?} mfa={:?} far={:?}",
            a.id,
            opt(a.name.clone()),
            a.enabled,
            a.mfa,
            a.privileged
        ),
        Fact::Grant(g) => format!(
            "{} -> {} {}",
            g.principal.id,
            g.entitlement_id,
            g.assignment.map_or("?", |a| a.word())
        ),
        Fact::Credential(c) => format!(
            "{} of {} {} on={:?} used={}",
            c.id,
            opt(c.account_id.as_ref().map(|id| id.as_str().to_owned())),
            c.kind.word(),
            c.enabled,
            opt(c.last_used_at.map(|at| at.to_text()))
        ),
        Fact::Location(l) => format!(
            "{} {}",
            l.path,
            opt(l.last_rotated_at.map(|at| at.to_text()))
        ),
        Fact::Reader(r) => format!("{} {}", r.path, r.principal.id),
        Fact::Entitlement(e) => format!("{} {} far={:?}", e.id, opt(e.name.clone()), e.privileged),
        other => format!("{other:?}"),
    }
}

/// Reads a kind of the company to its end and holds it against lines: those, and no others that
/// begin like one of `about`.
#[track_caller]
fn check(kind: Kind, about: &[&str], expected: &[&str]) {
    let behind = Behind::tls(company());
    let pages = read(behind.connector("example", APP, &[]).as_ref(), kind).unwrap();
    assert!(complete(&pages), "{:?}", notes(&pages));
    let found: BTreeSet<String> = facts(&pages).iter().map(line).collect();
    let found: Vec<&String> = found
        .iter()
        .filter(|line| about.iter().any(|start| line.starts_with(start)))
        .collect();
    assert_eq!(found, expected, "{kind}");
}
