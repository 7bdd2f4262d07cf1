//! By when must an item be closed, how bad is it if not, and what does that make of the whole?

use super::departure::{Departure, Kinds, after, counts};
use super::outcome::{Basis, Closing, ResidualItem, Severity, Verdict};
use super::plan::Plan;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::{IdentityKind, LeaverKind, LifecycleEvent};

/// The limit that counts for one item.
pub(crate) struct Due {
    pub within: TimeDelta,
    pub at: Closing,
    /// `plan`, or the name of a preset.
    pub source: &'static str,
}

/// Whether whoever it happens to is gone afterwards, or has another role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Gone,
    OtherRole,
}

/// The limit that counts for one item at a moment.
pub(crate) fn due(
    plan: &Plan,
    departure: &Departure,
    system: &str,
    privileged: Option<bool>,
    at: DateTime<Utc>,
) -> Due {
    let kinds = Kinds {
        event: departure.event,
        kind: departure.kind,
        leaver_kind: departure.leaver_kind,
    };
    let afterwards = match departure.lost {
        Some(_) => Afterwards::OtherRole,
        None => Afterwards::Gone,
    };
    let (within, source) = limit(plan, kinds, afterwards, system, privileged);
    Due {
        within,
        at: after(at, within),
        source,
    }
}

/// The plan's limit that fits with the most conditions (of several, the strictest), else a preset;
/// with `plan`, or the name of the preset.
pub(crate) fn limit(
    plan: &Plan,
    of: Kinds,
    afterwards: Afterwards,
    system: &str,
    privileged: Option<bool>,
) -> (TimeDelta, &'static str) {
    let fitting = plan.limits.iter().filter_map(|limit| {
        let conditions = [
            limit.identity_kind.map(|kind| Some(kind) == of.kind),
            limit.leaver_kind.map(|kind| Some(kind) == of.leaver_kind),
            limit.privileged.map(|flag| Some(flag) == privileged),
            limit.system.as_ref().map(|name| name.as_str() == system),
        ];
        let on = counts(limit.on, of.event);
        let met = conditions.iter().flatten().all(|met| *met);
        (on && met).then(|| (conditions.iter().flatten().count(), limit.within))
    });
    let strictest =
        fitting.max_by_key(|(conditions, within)| (*conditions, std::cmp::Reverse(*within)));
    match strictest {
        Some((_, within)) => (within, "plan"),
        None if of.event == LifecycleEvent::VendorExit => (TimeDelta::hours(1), "third-party exit"),
        None if of.leaver_kind == Some(LeaverKind::Involuntary) && privileged == Some(true) => {
            (TimeDelta::hours(1), "involuntary leaver, privileged")
        }
        None if afterwards == Afterwards::OtherRole => (TimeDelta::hours(24), "mover"),
        None => (TimeDelta::hours(24), "voluntary leaver"),
    }
}

/// Where an item stands, for its severity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Production,
    Elsewhere,
}

/// A third party's items are one step higher.
pub(crate) fn severity(
    closes: Closing,
    due: Closing,
    privileged: Option<bool>,
    place: Place,
    departure: &Departure,
) -> Severity {
    let never = closes == Closing::Never;
    let privileged = privileged == Some(true);
    let late = closes > due;
    let severity = if never && (privileged || place == Place::Production) {
        Severity::Critical
    } else if never || (privileged && late) {
        Severity::High
    } else if late {
        Severity::Medium
    } else {
        Severity::Low
    };
    let vendor = departure.kind == Some(IdentityKind::Vendor);
    if departure.event != LifecycleEvent::VendorExit && !vendor {
        return severity;
    }
    match severity {
        Severity::Info => Severity::Low,
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

/// Whether it is open after its limit.
pub fn is_late(item: &ResidualItem) -> bool {
    item.closes_at > item.limit_at
}

/// Fail needs one thing observed to exist, or that somebody said so; unknown is not pass.
pub(crate) fn verdict(residual: &[ResidualItem], missing_facts: &[String]) -> Verdict {
    let mut late = residual.iter().filter(|item| is_late(item));
    if late.clone().any(|item| item.basis != Basis::Assumed) {
        Verdict::Fail
    } else if late.next().is_some() || !missing_facts.is_empty() {
        Verdict::Indeterminate
    } else {
        Verdict::Pass
    }
}
