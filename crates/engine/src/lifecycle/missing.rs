//! What would have to be read, or read again, before absence can be claimed?

use super::explain::duration_words;
use crate::access::{Graph, ReachFrom, ReachItem, ReadState};
use crate::collect::age_words;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::{Kind, SourceName, SystemName};
use std::collections::BTreeSet;

/// What has to be read of each system in which a leaver has or reaches something.
pub(crate) const OF_EACH_SYSTEM: [Kind; 3] = [Kind::Account, Kind::Grant, Kind::Credential];

/// What has to be read once, of whatever system it is.
const OF_THE_ESTATE: [Kind; 5] = [
    Kind::Identity,
    Kind::Location,
    Kind::Reader,
    Kind::Control,
    Kind::Owner,
];

/// The same where it does not count whose anything is.
const OF_PLACES: [Kind; 3] = [Kind::Location, Kind::Reader, Kind::Control];

/// The sentences of one moment; those of a system are found when it is asked for.
pub(crate) struct Coverage<'a> {
    reads: &'a [ReadState],
    at: DateTime<Utc>,
    limit: TimeDelta,
    estate: Vec<String>,
}

impl<'a> Coverage<'a> {
    pub(crate) fn new(reads: &'a [ReadState], at: DateTime<Utc>, limit: TimeDelta) -> Self {
        Self::of_estate(reads, at, limit, &OF_THE_ESTATE)
    }

    /// Nothing but what is asked of single systems.
    fn of_systems(reads: &'a [ReadState], at: DateTime<Utc>, limit: TimeDelta) -> Self {
        Coverage {
            reads,
            at,
            limit,
            estate: Vec::new(),
        }
    }

    fn of_estate(
        reads: &'a [ReadState],
        at: DateTime<Utc>,
        limit: TimeDelta,
        kinds: &[Kind],
    ) -> Self {
        let mut coverage = Coverage::of_systems(reads, at, limit);
        // Without any system of accounts there is none in which one could be missed.
        let accounts = reads.iter().any(|read| read.kind == Kind::Account);
        if kinds.contains(&Kind::Identity) && !accounts {
            let none = format!("no source reads {}", Kind::Account.plural());
            coverage.estate.push(none);
        }
        for kind in kinds.iter().copied() {
            let wrong = coverage.of_sources(kind);
            coverage.estate.extend(wrong);
            let mut of_kind = reads.iter().filter(|read| read.kind == kind).peekable();
            if of_kind.peek().is_none() {
                let none = format!("no source reads {}", kind.plural());
                coverage.estate.push(none);
            } else if of_kind.all(|read| read.supplement) {
                let only = format!("only supplements read {}", kind.plural());
                coverage.estate.push(only);
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
            // Of which system it would have told nobody knows.
            let nothing = reads
                .iter()
                .filter(|read| read.kind == kind && read.systems.is_empty());
            for read in nothing {
                let what = format!("{} of source `{}`", kind.plural(), read.source);
                let wrong = coverage.wrong(&what, read);
                coverage.estate.extend(wrong);
            }
        }
        coverage
    }

    /// The same where groups hold something: whoever is a member holds it too, and could be anybody
    /// where no source reads the members.
    fn with_groups_of(mut self, graph: &Graph) -> Self {
        let systems = graph.systems_of_groups();
        let unread: Vec<String> = systems
            .flat_map(|row| self.of_system(Kind::Grant, graph.systems.at(row)))
            .collect();
        self.estate.extend(unread);
        self
    }

    /// The same where groups, or accounts that nothing lists, hold something: such an account could be
    /// anybody's where no source reads the accounts of its system.
    pub(crate) fn with_holders_of(self, graph: &Graph) -> Self {
        let mut coverage = self.with_groups_of(graph);
        let systems = graph.unlisted.iter();
        let unread: Vec<String> = systems
            .flat_map(|row| coverage.of_system(Kind::Account, graph.systems.at(*row)))
            .collect();
        coverage.estate.extend(unread);
        coverage
    }

    /// Sorted, without duplicates; `ends` are where paths lead to something that nothing holds. Who works for a vendor only complete identities tell.
    pub(crate) fn missing<'s>(
        &self,
        systems: impl Iterator<Item = &'s str>,
        ends: impl Iterator<Item = (Kind, &'s str)>,
    ) -> Vec<String> {
        let mut missing: BTreeSet<String> = self.estate.iter().cloned().collect();
        for system in systems {
            for kind in OF_EACH_SYSTEM {
                missing.extend(self.of_system(kind, system));
            }
        }
        missing.extend(ends.flat_map(|(kind, system)| self.of_system(kind, system)));
        missing.into_iter().collect()
    }

    /// Whether something is missing whoever leaves.
    pub(crate) fn estate_lacks(&self) -> bool {
        !self.estate.is_empty()
    }

    /// Whether something is missing of a kind in a system.
    pub(crate) fn lacks(&self, kind: Kind, system: &str) -> bool {
        !self.of_system(kind, system).is_empty()
    }

    fn of_sources(&self, kind: Kind) -> Vec<String> {
        let reads = self.reads.iter().filter(|read| read.kind == kind);
        let wrong = reads.filter_map(|read| {
            let what = format!("{} of source `{}`", kind.plural(), read.source);
            self.wrong(&what, read)
        });
        wrong.collect()
    }

    /// What is wrong with the reads of a system: each source that tells of it could hold what the
    /// others do not.
    fn of_system(&self, kind: Kind, system: &str) -> Vec<String> {
        // Only asked of what the graph knows to be untold, however complete the lists of places are.
        if kind == Kind::Location {
            return vec![format!(
                "no source tells all that stands at locations of `{system}`"
            )];
        }
        let what = format!("{} of `{system}`", kind.plural());
        let of_kind = || self.reads.iter().filter(|read| read.kind == kind);
        let telling = of_kind().filter(|read| self.tells_of(read, system));
        let mut missing: Vec<String> = telling
            .clone()
            .filter_map(|read| self.wrong(&what, read))
            .collect();
        if !of_kind().any(|read| self.speaks_for(read, system)) {
            missing.push(match telling.count() {
                0 => format!("no source reads {what}"),
                _ => format!(
                    "only supplements read {what}: they add to what the system's own source has"
                ),
            });
        }
        missing
    }

    /// Whether a read tells of a system: it has objects of it, or speaks for it.
    fn tells_of(&self, read: &ReadState, system: &str) -> bool {
        read.is_of(system) || self.speaks_for(read, system)
    }

    /// Whether a read has all of a system: its source has objects of that kind there, or what is of
    /// the system itself (`shows_system`). Then a file without a row of the system says that it has
    /// none; what only adds to a system says nothing of the rest.
    fn speaks_for(&self, read: &ReadState, system: &str) -> bool {
        let own = self.reads.iter();
        let own = own.filter(|one| one.source == read.source && one.removed == read.removed);
        let mut own = own.filter(|one| one.kind == read.kind || shows_system(one.kind));
        !read.supplement && own.any(|one| one.is_of(system))
    }

    fn wrong(&self, what: &str, read: &ReadState) -> Option<String> {
        let limit = read.limit(self.limit);
        Some(match weakness(read, self.at, self.limit)? {
            Weakness::Never | Weakness::Incomplete | Weakness::Stale if read.removed => {
                let systems: Vec<String> =
                    read.systems.iter().map(|one| format!("`{one}`")).collect();
                format!(
                    "{} of {} only source `{}` told, which was removed",
                    read.kind.plural(),
                    systems.join(", "),
                    read.source
                )
            }
            Weakness::Never => format!("{what} were never read completely"),
            Weakness::Incomplete => format!("the latest read of {what} is not complete"),
            Weakness::Stale => {
                let complete_at = read.complete_at.unwrap_or(self.at);
                format!(
                    "{what} were last read completely from source `{}` at {}, {} before; they count as known for {}",
                    read.source,
                    complete_at.format("%Y-%m-%dT%H:%M:%SZ"),
                    age_words(self.at.signed_duration_since(complete_at)),
                    duration_words(limit)
                )
            }
        })
    }
}

/// What was not read completely or not lately of who people are, and of who holds what in these
/// systems: sorted, without duplicates.
pub fn holding_unread<'s>(
    reads: &[ReadState],
    never_read: &[SourceName],
    at: DateTime<Utc>,
    limit: TimeDelta,
    systems: impl Iterator<Item = &'s str>,
) -> Vec<String> {
    let coverage = Coverage::of_systems(reads, at, limit);
    let never = never_read.iter();
    let never = never.map(|source| format!("source `{source}` was never read"));
    let mut unread: BTreeSet<String> = never.collect();
    unread.extend(coverage.of_sources(Kind::Identity));
    for system in systems {
        for kind in [Kind::Account, Kind::Entitlement, Kind::Grant] {
            unread.extend(coverage.of_system(kind, system));
        }
    }
    unread.into_iter().collect()
}

/// What was not read completely or not lately of who reads the places of a system, and of who holds
/// what there: sorted, without duplicates.
pub(crate) fn readers_unread(
    reads: &[ReadState],
    at: DateTime<Utc>,
    limit: TimeDelta,
    system: &str,
) -> Vec<String> {
    let coverage = Coverage::of_systems(reads, at, limit);
    let kinds = [Kind::Reader, Kind::Account, Kind::Grant].into_iter();
    let unread: BTreeSet<String> = kinds
        .flat_map(|kind| coverage.of_system(kind, system))
        .collect();
    unread.into_iter().collect()
}

/// What was not read, not completely or not lately, and could hold more than a blast radius has:
/// sorted, without duplicates.
pub fn unread_beside(
    graph: &Graph,
    from: &ReachFrom,
    items: &[ReachItem],
    limit: TimeDelta,
    at: DateTime<Utc>,
) -> Vec<String> {
    let reads = &graph.reads;
    let coverage = match from {
        ReachFrom::Identity(_) | ReachFrom::Gone(_) => {
            Coverage::of_estate(reads, at, limit, &OF_THE_ESTATE).with_holders_of(graph)
        }
        ReachFrom::Credential(..) => {
            Coverage::of_estate(reads, at, limit, &OF_PLACES).with_groups_of(graph)
        }
    };
    let systems: BTreeSet<&str> = items.iter().map(|item| item.system.as_str()).collect();
    let mut unread = coverage.missing(systems.into_iter(), std::iter::empty());
    // Without any system of a kind there is none that could be missed.
    for kind in OF_EACH_SYSTEM {
        if !graph.reads.iter().any(|read| read.kind == kind) {
            unread.push(format!("no source reads {}", kind.plural()));
        }
    }
    let never = graph.never_read.iter();
    unread.extend(never.map(|source| format!("source `{source}` was never read")));
    unread.sort();
    unread.dedup();
    unread
}

/// Whether whoever reads such objects of a system reads the system. A vault tells of credentials of
/// systems that it was never asked to read, and a list of owners of whatever is owned.
pub fn shows_system(kind: Kind) -> bool {
    match kind {
        Kind::Account | Kind::Entitlement | Kind::Grant | Kind::Location | Kind::Reader => true,
        Kind::Identity
        | Kind::Credential
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => false,
    }
}

/// What makes a read too weak for a claim of absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Never read completely.
    Never,
    /// The latest read has gaps.
    Incomplete,
    /// The last complete read is older than the freshness limit.
    Stale,
}

/// A read that claims of absence cannot rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeakRead {
    pub source: SourceName,
    /// None where nothing of the source was ever read.
    pub kind: Option<Kind>,
    pub weakness: Weakness,
    pub gaps: Vec<String>,
    pub complete_at: Option<DateTime<Utc>>,
}

/// Every read that makes a claim at `at` weaker, by the same rule as `missing_facts`.
pub fn weak_reads(
    reads: &[ReadState],
    never_read: &[SourceName],
    at: DateTime<Utc>,
    limit: TimeDelta,
) -> Vec<WeakRead> {
    let unread = never_read.iter().map(|source| WeakRead {
        source: source.clone(),
        kind: None,
        weakness: Weakness::Never,
        gaps: Vec::new(),
        complete_at: None,
    });
    let weak = reads.iter().filter_map(|read| {
        let weakness = weakness(read, at, limit)?;
        Some(WeakRead {
            source: read.source.clone(),
            kind: Some(read.kind),
            weakness,
            gaps: read.gaps.clone(),
            complete_at: read.complete_at,
        })
    });
    unread.chain(weak).collect()
}

fn weakness(read: &ReadState, at: DateTime<Utc>, limit: TimeDelta) -> Option<Weakness> {
    let Some(complete_at) = read.complete_at else {
        return Some(Weakness::Never);
    };
    if !read.gaps.is_empty() {
        return Some(Weakness::Incomplete);
    }
    let stale = at.signed_duration_since(complete_at) > read.limit(limit);
    stale.then_some(Weakness::Stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str, kind: Kind, hours_ago: Option<i64>, gaps: &[&str]) -> ReadState {
        ReadState {
            source: source.into(),
            kind,
            systems: vec!["ad".into()],
            complete_at: hours_ago.map(|hours| noon() - TimeDelta::hours(hours)),
            removed: false,
            gaps: gaps.iter().map(|gap| (*gap).to_owned()).collect(),
            fresh_for_seconds: None,
            supplement: false,
        }
    }

    fn noon() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(12)
    }

    fn check(reads: &[ReadState], never: &[&str], wanted: &[(&str, Option<Kind>, Weakness)]) {
        let never: Vec<SourceName> = never.iter().map(|name| (*name).into()).collect();
        let weak = weak_reads(reads, &never, noon(), TimeDelta::hours(24));
        let found: Vec<_> = weak
            .iter()
            .map(|w| (w.source.as_str(), w.kind, w.weakness))
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn each_weakness_is_named_with_its_source_and_kind() {
        let account = Kind::Account;
        check(&[read("a", account, Some(1), &[])], &[], &[]);
        check(
            &[
                read("a", account, Some(1), &["3 accounts skipped"]),
                read("b", Kind::Location, Some(25), &[]),
                read("c", Kind::Identity, None, &["stopped"]),
            ],
            &["d"],
            &[
                ("d", None, Weakness::Never),
                ("a", Some(account), Weakness::Incomplete),
                ("b", Some(Kind::Location), Weakness::Stale),
                ("c", Some(Kind::Identity), Weakness::Never),
            ],
        );
    }

    #[test]
    fn a_complete_read_that_found_nothing_of_a_kind_is_a_read_of_it() {
        let of = |source: &str, kind, gaps: &[&str], systems: &[&str]| ReadState {
            systems: systems.iter().map(|name| (*name).into()).collect(),
            ..read(source, kind, Some(1), gaps)
        };
        let accounts = of("corp", Kind::Account, &[], &["ad"]);
        let grants = |reads: &[ReadState], system| {
            Coverage::new(reads, noon(), TimeDelta::hours(24)).of_system(Kind::Grant, system)
        };
        let none = of("corp", Kind::Grant, &[], &[]);
        assert!(grants(&[accounts.clone(), none.clone()], "ad").is_empty());
        // Not of a system that the source knows nothing of, and not from another source.
        let says = |system| vec![format!("no source reads grants of `{system}`")];
        assert_eq!(grants(&[accounts.clone(), none], "aws"), says("aws"));
        let others = of("hr", Kind::Grant, &[], &[]);
        assert_eq!(grants(&[accounts.clone(), others], "ad"), says("ad"));
        let cut = of("corp", Kind::Grant, &["stopped"], &[]);
        let says = "the latest read of grants of `ad` is not complete";
        assert_eq!(grants(&[accounts, cut], "ad"), [says]);
    }

    /// An account that a second list adds is no word on what that list leaves out.
    #[test]
    fn a_supplement_says_nothing_of_what_it_does_not_have() {
        let of = |source: &str, kind, systems: &[&str]| ReadState {
            systems: systems.iter().map(|name| (*name).into()).collect(),
            supplement: source == "more",
            ..read(source, kind, Some(1), &[])
        };
        let said = |reads: &[ReadState], kind| {
            Coverage::new(reads, noon(), TimeDelta::hours(24)).of_system(kind, "ad")
        };
        let more = [
            of("more", Kind::Account, &["ad"]),
            of("more", Kind::Grant, &[]),
        ];
        let only = "only supplements read accounts of `ad`: \
                    they add to what the system's own source has";
        assert_eq!(said(&more, Kind::Account), [only]);
        let none = "no source reads grants of `ad`";
        assert_eq!(said(&more, Kind::Grant), [none]);
        let [accounts, grants] = more;
        let own = of("own", Kind::Account, &["ad"]);
        let reads = [own, accounts, grants];
        assert!(said(&reads, Kind::Account).is_empty());
        assert_eq!(said(&reads, Kind::Grant), [none]);
        let whole = [&reads[..], &[of("own", Kind::Grant, &[])]].concat();
        assert!(said(&whole, Kind::Grant).is_empty());
        let estate = |source: &str| {
            let reads = [of(source, Kind::Location, &[])];
            Coverage::new(&reads, noon(), TimeDelta::hours(24)).estate
        };
        let only = "only supplements read locations".to_owned();
        assert!(estate("more").contains(&only) && !estate("own").contains(&only));
    }

    #[test]
    fn a_source_that_says_how_old_its_reads_may_be_is_judged_by_that() {
        let mut strict = read("a", Kind::Account, Some(2), &[]);
        strict.fresh_for_seconds = Some(3_600);
        check(
            &[strict],
            &[],
            &[("a", Some(Kind::Account), Weakness::Stale)],
        );
        let mut patient = read("a", Kind::Account, Some(100), &[]);
        patient.fresh_for_seconds = Some(7 * 86_400);
        check(&[patient], &[], &[]);
    }

    #[test]
    fn a_whole_read_does_not_vouch_for_what_another_source_left_out() {
        for kind in [Kind::Account, Kind::Location] {
            let good = read("good", kind, Some(1), &[]);
            let bad = read("bad", kind, None, &["stopped"]);
            for reads in [[good.clone(), bad.clone()], [bad, good]] {
                check(&reads, &[], &[("bad", Some(kind), Weakness::Never)]);
                let coverage = Coverage::new(&reads, noon(), TimeDelta::hours(24));
                let said = |system: &str| coverage.estate.iter().any(|one| one.contains(system));
                assert!(said("never read completely"), "{:?}", coverage.estate);
            }
        }
    }

    #[test]
    fn a_read_that_brought_nothing_could_have_told_of_any_system() {
        let mut nothing = read("new", Kind::Account, None, &["stopped"]);
        nothing.systems = Vec::new();
        let good = read("good", Kind::Account, Some(1), &[]);
        let reads = [good, nothing];
        let coverage = Coverage::new(&reads, noon(), TimeDelta::hours(24));
        let says = "accounts of source `new` were never read completely";
        assert!(
            coverage.estate.iter().any(|one| one == says),
            "{:?}",
            coverage.estate
        );
    }
}
