//! One line of a table for each thing that a past leaver held: every fact a cell.

use super::claims::Claim;
use super::measure::{Measured, MeasuredLeaver};
use lastkey_contract::When;
use lastkey_contract::when::rfc3339;

/// The columns of a table with a line for each thing that a past leaver held.
pub const ITEM_COLUMNS: [&str; 34] = [
    "identity",
    "name",
    "event",
    "earliest",
    "latest",
    "kind",
    "system",
    "id",
    "thing_name",
    "on_account",
    "on_account_name",
    "privileged",
    "claimed",
    "claim_ids",
    "claim_closed_at",
    "claim_closed_by",
    "claim_retries",
    "claim_override",
    "last_open",
    "closed",
    "closed_by",
    "reopened_closed",
    "reopened_open",
    "lower_seconds",
    "upper_seconds",
    "limit_seconds",
    "limit_source",
    "state",
    "verdict",
    "gap",
    "why",
    "decides_closed_by",
    "decides_open_after",
    "probed",
];

/// The line of one thing.
pub fn item_cells(leaver: &MeasuredLeaver, item: &Measured) -> Vec<String> {
    let claims = item
        .claims
        .iter()
        .filter_map(|place| leaver.claims.get(*place));
    let each = |of: &dyn Fn(&Claim) -> Option<String>| {
        let all: Vec<String> = claims.clone().filter_map(of).collect();
        all.join(" ")
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        leaver.identity.clone(),
        text(leaver.name.clone()),
        leaver.event.to_owned(),
        text(leaver.earliest.map(rfc3339)),
        rfc3339(leaver.latest),
        item.kind.word().to_owned(),
        item.system.clone(),
        item.id.clone(),
        text(item.name.clone()),
        text(item.on_account.as_ref().map(ToString::to_string)),
        text(item.on_account_name.clone()),
        text(item.privileged.map(|flag| flag.to_string())),
        item.claimed.word().to_owned(),
        each(&|claim| Some(format!("{}:{}", claim.source, claim.id))),
        each(&|claim| claim.closed_at.map(When::to_text)),
        each(&|claim| claim.closed_by.clone()),
        each(&|claim| claim.retries.map(|n| n.to_string())),
        each(&|claim| claim.overridden.clone()),
        text(item.last_open.map(rfc3339)),
        text(item.closed.map(rfc3339)),
        text(item.closed_by.map(|by| by.word().to_owned())),
        text(item.reopened.map(|again| rfc3339(again.closed))),
        text(item.reopened.map(|again| rfc3339(again.open))),
        item.lower.num_seconds().to_string(),
        text(item.upper.map(|upper| upper.num_seconds().to_string())),
        item.limit.num_seconds().to_string(),
        item.limit_source.to_owned(),
        item.state.word().to_owned(),
        item.verdict.word().to_owned(),
        text(item.gap.map(|gap| gap.word().to_owned())),
        item.why.clone(),
        text(item.decides.and_then(|one| one.closed_by).map(rfc3339)),
        text(item.decides.map(|one| rfc3339(one.open_after))),
        item.probed.unwrap_or_default().to_owned(),
    ]
}
