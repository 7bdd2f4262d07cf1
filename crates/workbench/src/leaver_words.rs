//! A past leaver's thing in words: what was claimed of it, and what was observed.

use lastkey_contract::when::rfc3339;
use lastkey_engine::measured::{Claimed, Measured, MeasuredLeaver, at_least, at_most};

/// What was claimed; `moment` writes a time.
pub fn claimed_in_words(
    leaver: &MeasuredLeaver,
    item: &Measured,
    moment: impl Fn(&str) -> String,
) -> String {
    let word = item.claimed.word();
    let claims = item
        .claims
        .iter()
        .filter_map(|place| leaver.claims.get(*place));
    let by_word = match item.claimed {
        Claimed::Nothing | Claimed::NotRead => None,
        Claimed::Done | Claimed::Failed | Claimed::Skipped | Claimed::Pending | Claimed::Unsaid => {
            claims.min_by_key(|one| one.status.map(|s| s.word()) != Some(word))
        }
    };
    let Some(claim) = by_word else {
        return word.to_owned();
    };
    let at = claim.closed_at.map(|at| match at.date() {
        Some(date) => format!(" {date}"),
        None => format!(" {}", moment(&rfc3339(at.earliest()))),
    });
    let by = claim.closed_by.as_ref().map(|by| format!(" by {by}"));
    let retries = match claim.retries {
        None | Some(0) => None,
        Some(1) => Some(", 1 retry".to_owned()),
        Some(many) => Some(format!(", {many} retries")),
    };
    let told = [at, by, retries].into_iter().flatten();
    format!("{word}{}", told.collect::<String>())
}

/// Both ends of the time that it was open.
pub fn observed_in_words(item: &Measured) -> String {
    let lower = at_least(item.lower);
    match (item.upper.map(at_most), item.closed, item.last_open) {
        (Some(upper), _, _) if item.lower.is_zero() => format!("closed within {upper}"),
        (Some(upper), _, _) => format!("closed after {lower} to {upper}"),
        (None, Some(_), _) => format!("closed after {lower} or more"),
        (None, None, Some(_)) => format!("open for {lower}, not seen closed"),
        (None, None, None) => "not read".to_owned(),
    }
}
