//! What would have to be read, or read again, before absence can be claimed?

use super::explain::duration_words;
use crate::access::ReadState;
use crate::collect::age_words;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_contract::{Kind, SystemName};
use std::collections::BTreeSet;

/// The sentences of one moment; those of a system are found when it is asked for.
pub(crate) struct Coverage<'a> {
    reads: &'a [ReadState],
    at: DateTime<Utc>,
    limit: TimeDelta,
    estate: Vec<String>,
}

impl<'a> Coverage<'a> {
    pub(crate) fn new(reads: &'a [ReadState], at: DateTime<Utc>, limit: TimeDelta) -> Self {
        let mut coverage = Coverage {
            reads,
            at,
            limit,
            estate: Vec::new(),
        };
        for kind in [Kind::Location, Kind::Reader, Kind::Control, Kind::Owner] {
            let wrong = coverage.of_sources(kind);
            coverage.estate.extend(wrong);
            if reads.iter().all(|read| read.kind != kind) {
                let none = format!("no source reads {}", kind.plural());
                coverage.estate.push(none);
            }
        }
        // What was not read completely could hold more of the leaver's, or say that it is privileged.
        for kind in [
            Kind::Account,
            Kind::Entitlement,
            Kind::Grant,
            Kind::Credential,
        ] {
            let of_kind = reads.iter().filter(|read| read.kind == kind);
            let systems: BTreeSet<&str> = of_kind
                .flat_map(|read| read.systems.iter().map(SystemName::as_str))
                .collect();
            for system in systems {
                let wrong = coverage.of_system(kind, system);
                coverage.estate.extend(wrong);
            }
        }
        coverage
    }

    /// Sorted, without duplicates. Who works for a vendor only complete identities tell.
    pub(crate) fn missing<'s>(
        &self,
        event: LifecycleEvent,
        systems: impl Iterator<Item = &'s str>,
    ) -> Vec<String> {
        let mut missing: BTreeSet<String> = self.estate.iter().cloned().collect();
        if event == LifecycleEvent::VendorExit {
            missing.extend(self.of_sources(Kind::Identity));
        }
        for system in systems {
            for kind in [Kind::Account, Kind::Grant, Kind::Credential] {
                missing.extend(self.of_system(kind, system));
            }
        }
        missing.into_iter().collect()
    }

    fn of_sources(&self, kind: Kind) -> Vec<String> {
        let reads = self.reads.iter().filter(|read| read.kind == kind);
        let wrong = reads.filter_map(|read| {
            let what = format!("{} of source `{}`", kind.plural(), read.source);
            self.wrong(&what, read)
        });
        wrong.collect()
    }

    fn of_system(&self, kind: Kind, system: &str) -> Option<String> {
        let what = format!("{} of `{system}`", kind.plural());
        let mut first = None;
        for read in self.reads.iter().filter(|read| {
            read.kind == kind && read.systems.iter().any(|name| name.as_str() == system)
        }) {
            // one complete and fresh read covers the system
            let wrong = self.wrong(&what, read)?;
            first.get_or_insert(wrong);
        }
        Some(first.unwrap_or_else(|| format!("no source reads {what}")))
    }

    fn wrong(&self, what: &str, read: &ReadState) -> Option<String> {
        let Some(complete_at) = read.complete_at else {
            return Some(format!("{what} were never read completely"));
        };
        if !read.gaps.is_empty() {
            return Some(format!("the latest read of {what} is not complete"));
        }
        let (age, limit) = (
            self.at.signed_duration_since(complete_at),
            read.limit(self.limit),
        );
        (age > limit).then(|| {
            format!(
                "{what} were last read completely from source `{}` at {}, {} before; they count as known for {}",
                read.source,
                complete_at.format("%Y-%m-%dT%H:%M:%SZ"),
                age_words(age),
                duration_words(limit)
            )
        })
    }
}
