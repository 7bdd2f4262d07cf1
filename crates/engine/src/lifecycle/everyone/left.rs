//! How much somebody would leave behind, in numbers.

use crate::lifecycle::limits::is_late;
use crate::lifecycle::{Closing, ItemKind, Rehearsal, Severity, Verdict};
use lastkey_contract::facts::LifecycleEvent;
use serde::{Deserialize, Serialize};

/// One identity's rehearsal, without items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Departed {
    pub event: LifecycleEvent,
    pub verdict: Verdict,
    pub left: Left,
}

/// How many residual items there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Left {
    accounts: OfKind,
    credentials: OfKind,
    entitlements: OfKind,
    locations: OfKind,
}

/// How many of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct OfKind {
    late: u32,
    never: u32,
    info: u32,
    low: u32,
    medium: u32,
    high: u32,
    critical: u32,
}

impl OfKind {
    fn of(&self, severity: Severity) -> u32 {
        match severity {
            Severity::Info => self.info,
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }

    fn of_mut(&mut self, severity: Severity) -> &mut u32 {
        match severity {
            Severity::Info => &mut self.info,
            Severity::Low => &mut self.low,
            Severity::Medium => &mut self.medium,
            Severity::High => &mut self.high,
            Severity::Critical => &mut self.critical,
        }
    }

    fn add(&mut self, more: &OfKind) {
        self.late = self.late.saturating_add(more.late);
        self.never = self.never.saturating_add(more.never);
        for severity in SEVERITIES {
            let here = self.of_mut(severity);
            *here = here.saturating_add(more.of(severity));
        }
    }
}

const SEVERITIES: [Severity; 5] = [
    Severity::Info,
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];

const KINDS: [ItemKind; 4] = [
    ItemKind::Account,
    ItemKind::Credential,
    ItemKind::Entitlement,
    ItemKind::Location,
];

impl Left {
    /// What a rehearsal says.
    pub fn of(rehearsal: &Rehearsal) -> Self {
        let mut left = Left::default();
        for item in &rehearsal.residual {
            left.add(item.kind, item.severity, is_late(item), item.closes_at, 1);
        }
        left
    }

    /// How many of a kind are that bad.
    pub fn count(&self, kind: ItemKind, severity: Severity) -> u32 {
        self.kind(kind).of(severity)
    }

    /// How many there are in all.
    pub fn residual(&self) -> u64 {
        let of = |kind| SEVERITIES.map(|severity| u64::from(self.count(kind, severity)));
        KINDS.into_iter().flat_map(of).sum()
    }

    /// How many are open after their limit.
    pub fn late(&self) -> u64 {
        let late = KINDS.map(|kind| u64::from(self.kind(kind).late));
        late.into_iter().sum()
    }

    /// How many never close.
    pub fn never(&self) -> u64 {
        let never = KINDS.map(|kind| u64::from(self.kind(kind).never));
        never.into_iter().sum()
    }

    /// The worst of all.
    pub fn worst(&self) -> Option<Severity> {
        let any = |severity: &Severity| KINDS.iter().any(|kind| self.count(*kind, *severity) > 0);
        SEVERITIES.into_iter().rev().find(any)
    }

    pub(super) fn add(
        &mut self,
        kind: ItemKind,
        severity: Severity,
        late: bool,
        closes: Closing,
        count: u32,
    ) {
        let of_kind = self.kind_mut(kind);
        let here = of_kind.of_mut(severity);
        *here = here.saturating_add(count);
        if late {
            of_kind.late = of_kind.late.saturating_add(count);
        }
        if closes == Closing::Never {
            of_kind.never = of_kind.never.saturating_add(count);
        }
    }

    pub(super) fn add_all(&mut self, more: &Left) {
        for kind in KINDS {
            self.kind_mut(kind).add(more.kind(kind));
        }
    }

    fn kind(&self, kind: ItemKind) -> &OfKind {
        match kind {
            ItemKind::Account => &self.accounts,
            ItemKind::Credential => &self.credentials,
            ItemKind::Entitlement => &self.entitlements,
            ItemKind::Location => &self.locations,
        }
    }

    fn kind_mut(&mut self, kind: ItemKind) -> &mut OfKind {
        match kind {
            ItemKind::Account => &mut self.accounts,
            ItemKind::Credential => &mut self.credentials,
            ItemKind::Entitlement => &mut self.entitlements,
            ItemKind::Location => &mut self.locations,
        }
    }
}
