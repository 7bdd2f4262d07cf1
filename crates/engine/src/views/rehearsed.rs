//! Rehearsals of everyone as rows, windows and lines: worst first.

use super::types::{ListQuery, RehearsedRow, RowWindow};
use crate::lifecycle::{Closing, Departed, ItemKind, Rehearsal, ResidualItem, Verdict};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// How many items a summary line names.
const WORST: usize = 20;

/// One identity's rehearsal as a row.
pub fn summarise(
    rehearsal: &Rehearsal,
    display_name: Option<String>,
    kind: String,
) -> RehearsedRow {
    let count = |wanted: fn(&&ResidualItem) -> bool| -> u64 {
        u64::try_from(rehearsal.residual.iter().filter(wanted).count()).unwrap_or(u64::MAX)
    };
    RehearsedRow {
        identity: rehearsal.identity.clone(),
        display_name,
        kind,
        verdict: rehearsal.verdict,
        residual: count(|_| true),
        late: count(|item| item.closes_at > item.limit_at),
        never: count(|item| item.closes_at == Closing::Never),
        worst: rehearsal.residual.iter().map(|item| item.severity).max(),
    }
}

/// The same where everyone was rehearsed at once.
pub fn departed_row(
    identity: &str,
    departed: &Departed,
    display_name: Option<String>,
    kind: String,
) -> RehearsedRow {
    RehearsedRow {
        identity: identity.to_owned(),
        display_name,
        kind,
        verdict: departed.verdict,
        residual: departed.left.residual(),
        late: departed.left.late(),
        never: departed.left.never(),
        worst: departed.left.worst(),
    }
}

/// One line of a rehearsal of everyone: counts per kind, the floor, the worst items.
pub fn summary_json(rehearsal: &Rehearsal) -> Value {
    let of_kind = |kind: ItemKind, never: bool| {
        rehearsal
            .residual
            .iter()
            .filter(|i| i.kind == kind && (!never || i.closes_at == Closing::Never))
            .count()
    };
    let counts = |never: bool| {
        json!({
            "account": of_kind(ItemKind::Account, never),
            "credential": of_kind(ItemKind::Credential, never),
            "entitlement": of_kind(ItemKind::Entitlement, never),
            "location": of_kind(ItemKind::Location, never),
        })
    };
    let mut worst: Vec<&ResidualItem> = rehearsal.residual.iter().collect();
    worst.sort_by(|a, b| {
        (b.severity, b.closes_at)
            .cmp(&(a.severity, a.closes_at))
            .then_with(|| {
                (a.kind, &a.system, &a.id, &a.on_account).cmp(&(
                    b.kind,
                    &b.system,
                    &b.id,
                    &b.on_account,
                ))
            })
    });
    worst.truncate(WORST);
    let row = summarise(rehearsal, None, String::new());
    json!({
        "identity": rehearsal.identity,
        "event": rehearsal.event.word(),
        "at": lastkey_contract::when::rfc3339(rehearsal.at),
        "verdict": rehearsal.verdict,
        "residual": row.residual,
        "late": row.late,
        "never": row.never,
        "counts": counts(false),
        "floor": counts(true),
        "worst": worst,
        "truncated": rehearsal.residual.len() > WORST,
        "breaks": rehearsal.breaks.len(),
        "missing_facts": rehearsal.missing_facts,
    })
}

/// A window of rows: searched, filtered (`verdict=fail`, `kind=person`, `holds=nothing`), sorted;
/// worst first unless a column is named.
pub fn rehearsed_window(rows: &[RehearsedRow], query: &ListQuery) -> RowWindow<RehearsedRow> {
    let wanted = query.search.to_lowercase();
    let mut found: Vec<&RehearsedRow> = rows
        .iter()
        .filter(|row| {
            wanted.is_empty()
                || row.identity.to_lowercase().contains(&wanted)
                || row
                    .display_name
                    .as_ref()
                    .is_some_and(|name| name.to_lowercase().contains(&wanted))
        })
        .filter(|row| {
            query
                .filters
                .iter()
                .all(|filter| match filter.split_once('=') {
                    Some(("verdict", word)) => row.verdict.word() == word,
                    Some(("kind", word)) => row.kind == word,
                    Some(("holds", "nothing")) => row.residual == 0,
                    Some(("holds", "something")) => row.residual > 0,
                    Some(_) | None => false,
                })
        })
        .collect();
    found.sort_by(|a, b| {
        let order = match query.sort.as_str() {
            "identity" => a.identity.cmp(&b.identity),
            "display_name" => a.display_name.cmp(&b.display_name),
            "kind" => a.kind.cmp(&b.kind),
            "residual" => a.residual.cmp(&b.residual),
            "late" => a.late.cmp(&b.late),
            "never" => a.never.cmp(&b.never),
            "worst" => a.worst.cmp(&b.worst),
            _ => worst_first(a, b),
        };
        let order = if query.descending {
            order.reverse()
        } else {
            order
        };
        order.then_with(|| a.identity.cmp(&b.identity))
    });
    let start = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    RowWindow {
        offset: query.offset,
        matching: u64::try_from(found.len()).unwrap_or(u64::MAX),
        total: u64::try_from(rows.len()).unwrap_or(u64::MAX),
        rows: found.into_iter().skip(start).take(limit).cloned().collect(),
    }
}

/// The order in which rows are shown unless another is asked for.
pub fn worst_first(a: &RehearsedRow, b: &RehearsedRow) -> Ordering {
    (rank(b.verdict).cmp(&rank(a.verdict)))
        .then(b.worst.cmp(&a.worst))
        .then(b.never.cmp(&a.never))
        .then(b.late.cmp(&a.late))
}

/// What needs a person first: what fails, then what cannot be decided.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 2,
        Verdict::Indeterminate => 1,
        Verdict::Pass => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(identity: &str, verdict: Verdict, never: u64) -> RehearsedRow {
        RehearsedRow {
            identity: identity.to_owned(),
            display_name: Some(format!("Name of {identity}")),
            kind: "person".to_owned(),
            verdict,
            residual: never,
            late: never,
            never,
            worst: None,
        }
    }

    fn query(search: &str, filters: &[&str]) -> ListQuery {
        ListQuery {
            search: search.to_owned(),
            filters: filters.iter().map(|f| (*f).to_owned()).collect(),
            sort: String::new(),
            descending: false,
            offset: 0,
            limit: 2,
        }
    }

    #[test]
    fn the_worst_come_first_and_windows_say_how_many_there_are() {
        let rows = [
            row("ok", Verdict::Pass, 0),
            row("few", Verdict::Fail, 1),
            row("open", Verdict::Indeterminate, 9),
            row("many", Verdict::Fail, 7),
        ];
        let check = |query: &ListQuery, wanted: &[&str], matching: u64| {
            let window = rehearsed_window(&rows, query);
            let ids: Vec<_> = window.rows.iter().map(|r| r.identity.as_str()).collect();
            assert_eq!((ids.as_slice(), window.matching), (wanted, matching));
            assert_eq!(window.total, 4);
        };
        check(&query("", &[]), &["many", "few"], 4);
        check(&query("NAME OF o", &[]), &["open", "ok"], 2);
        check(&query("", &["verdict=fail"]), &["many", "few"], 2);
        check(&query("", &["verdict=pass", "holds=nothing"]), &["ok"], 1);
        check(&query("", &["verdict=pass", "holds=something"]), &[], 0);
        check(&query("", &["holds=something"]), &["many", "few"], 3);
        check(&query("", &["colour=red"]), &[], 0);
    }
}
