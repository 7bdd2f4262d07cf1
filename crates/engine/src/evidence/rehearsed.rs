//! The rehearsals' tables: every identity, every residual item, everything that would break.

use super::cells::{cell, known, number, truth};
use super::content::Rehearsed;
use crate::lifecycle::{
    Basis, Break, Breaks, Closing, ItemKind, Link, ResidualItem, Severity, Verdict,
};
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
        verdict(rehearsal.verdict).to_owned(),
        rehearsal.residual.len().to_string(),
        late_items().count().to_string(),
        late_items()
            .filter(|item| item.closes_at == Closing::Never)
            .count()
            .to_string(),
        number(worst.map(severity)),
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
        item_kind(*kind).to_owned(),
        cell(system),
        cell(id),
        known(on_account.as_ref()),
        closes_at.to_text(),
        limit_at.to_text(),
        cell(limit_source),
        truth(Some(late(item))),
        severity(*how_bad).to_owned(),
        basis(*known_by).to_owned(),
        basis(*closing_basis).to_owned(),
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
        breaks(*certainty).to_owned(),
        cell(what),
        cell(depends_on),
        cell(when_closed),
        at.to_text(),
        basis(*known_by).to_owned(),
    ]
}

fn link(link: &Link) -> String {
    let on = link
        .on_account
        .as_ref()
        .map(|a| format!(" on {a}"))
        .unwrap_or_default();
    format!("{} {}:{}{on}", item_kind(link.kind), link.system, link.id)
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Indeterminate => "indeterminate",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Attested => "attested",
        Basis::Assumed => "assumed",
    }
}

fn item_kind(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Account => "account",
        ItemKind::Credential => "credential",
        ItemKind::Entitlement => "entitlement",
        ItemKind::Location => "location",
    }
}

fn breaks(certainty: Breaks) -> &'static str {
    match certainty {
        Breaks::WillBreak => "will_break",
        Breaks::MayBreak => "may_break",
        Breaks::Unknown => "unknown",
    }
}
