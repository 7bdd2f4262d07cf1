//! The rehearsals' tables: every identity, every residual item, everything that would break.

use super::cells::{cell, known, number, truth};
use super::content::Rehearsed;
use crate::lifecycle::{Break, Closing, Link, ResidualItem, Severity};
use lastkey_contract::when::rfc3339;

pub(super) const SUMMARY: &[&str] = &[
    "identity",
    "display_name",
    "kind",
    "event",
    "at",
    "verdict",
    "residual",
    "late",
    "never",
    "worst",
    "breaks",
    "missing_facts",
];

pub(super) const ITEMS: &[&str] = &[
    "identity",
    "event",
    "at",
    "kind",
    "system",
    "id",
    "on_account",
    "closes_at",
    "limit_at",
    "limit_source",
    "late",
    "severity",
    "basis",
    "closing_basis",
    "privileged",
    "environment",
    "path",
    "known_through",
    "reason",
    "would_close",
];

pub(super) const BREAKS: &[&str] = &[
    "identity",
    "event",
    "rehearsed_at",
    "certainty",
    "what",
    "depends_on",
    "when_closed",
    "at",
    "basis",
];

fn late(item: &ResidualItem) -> bool {
    item.closes_at > item.limit_at
}

pub(super) fn summary(row: &Rehearsed) -> Vec<String> {
    let Rehearsed {
        rehearsal,
        display_name,
        kind,
    } = row;
    let late_items = || rehearsal.residual.iter().filter(|item| late(item));
    let worst = rehearsal.residual.iter().map(|item| item.severity).max();
    vec![
        cell(&rehearsal.identity),
        known(display_name.as_ref()),
        cell(kind),
        rehearsal.event.word().to_owned(),
        rfc3339(rehearsal.at),
        rehearsal.verdict.word().to_owned(),
        rehearsal.residual.len().to_string(),
        late_items().count().to_string(),
        late_items()
            .filter(|item| item.closes_at == Closing::Never)
            .count()
            .to_string(),
        number(worst.map(Severity::word)),
        rehearsal.breaks.len().to_string(),
        super::cells::list(&rehearsal.missing_facts),
    ]
}

pub(super) fn item(row: &Rehearsed, item: &ResidualItem) -> Vec<String> {
    let ResidualItem {
        kind,
        system,
        id,
        on_account,
        closes_at,
        path,
        basis: known_by,
        closing_basis,
        severity: how_bad,
        reason,
        links: _,
        known_through,
        limit_at,
        limit_source,
        would_close,
        privileged,
        environment,
    } = item;
    let through: Vec<String> = known_through.iter().map(link).collect();
    vec![
        cell(&row.rehearsal.identity),
        row.rehearsal.event.word().to_owned(),
        rfc3339(row.rehearsal.at),
        kind.word().to_owned(),
        cell(system),
        cell(id),
        known(on_account.as_ref()),
        closes_at.to_text(),
        limit_at.to_text(),
        cell(limit_source),
        truth(Some(late(item))),
        how_bad.word().to_owned(),
        known_by.word().to_owned(),
        closing_basis.word().to_owned(),
        truth(*privileged),
        known(environment.as_ref()),
        cell(&path.join(" > ")),
        cell(&through.join(" > ")),
        cell(reason),
        known(would_close.as_ref()),
    ]
}

pub(super) fn would_break(row: &Rehearsed, found: &Break) -> Vec<String> {
    let Break {
        certainty,
        what,
        depends_on,
        when_closed,
        at,
        basis: known_by,
    } = found;
    vec![
        cell(&row.rehearsal.identity),
        row.rehearsal.event.word().to_owned(),
        rfc3339(row.rehearsal.at),
        certainty.word().to_owned(),
        cell(what),
        cell(depends_on),
        cell(when_closed),
        at.to_text(),
        known_by.word().to_owned(),
    ]
}

fn link(link: &Link) -> String {
    let on = link
        .on_account
        .as_ref()
        .map(|a| format!(" on {a}"))
        .unwrap_or_default();
    format!("{} {}:{}{on}", link.kind.word(), link.system, link.id)
}
