//! The decay curve: how much is still open as time goes by.

use super::outcome::{Closing, ItemKind, Rehearsal};
use crate::views::CurvePoint;
use chrono::TimeDelta;
use lastkey_contract::when::rfc3339;

/// A point at T, at each closing time up to the horizon, and at the horizon. What never
/// closes, or closes later, stays in the last point: the floor.
pub fn decay_curve(rehearsal: &Rehearsal, horizon: TimeDelta) -> Vec<CurvePoint> {
    let end = rehearsal.at.checked_add_signed(horizon);
    let mut times: Vec<_> = rehearsal
        .residual
        .iter()
        .filter_map(|item| match item.closes_at {
            Closing::At(at) => Some(at),
            Closing::Never => None,
        })
        .filter(|at| end.is_none_or(|end| *at <= end))
        .chain([rehearsal.at])
        .chain(end)
        .collect();
    times.sort_unstable();
    times.dedup();
    let mut closing: Vec<_> = rehearsal
        .residual
        .iter()
        .map(|item| (item.closes_at, item.kind))
        .collect();
    closing.sort_unstable();
    let mut open = [0_u64; 4];
    let place = |kind| match kind {
        ItemKind::Account => 0,
        ItemKind::Credential => 1,
        ItemKind::Entitlement => 2,
        ItemKind::Location => 3,
    };
    for (_, kind) in &closing {
        if let Some(count) = open.get_mut(place(*kind)) {
            *count += 1;
        }
    }
    let mut closing = closing.into_iter().peekable();
    let mut points = Vec::with_capacity(times.len());
    for at in times {
        while let Some((_, kind)) = closing.next_if(|(closes, _)| *closes <= Closing::At(at)) {
            if let Some(count) = open.get_mut(place(kind)) {
                *count = count.saturating_sub(1);
            }
        }
        let [accounts, credentials, entitlements, locations] = open;
        points.push(CurvePoint {
            after_seconds: at.signed_duration_since(rehearsal.at).num_seconds(),
            at: rfc3339(at),
            accounts,
            credentials,
            entitlements,
            locations,
        });
    }
    points
}
