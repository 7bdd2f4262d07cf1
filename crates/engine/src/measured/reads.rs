//! One thing through the reads of the sources that told of it: when it was last seen open, and
//! when it was proved closed.

use super::lanes::SeenAt;
use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::when::rfc3339;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::Arc;
use ts_rs::TS;

/// A read of a source, as far as it tells of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    pub sync: u64,
    /// What it shows was so at some moment from here on, ...
    pub from: DateTime<Utc>,
    /// ... up to here. A dated read shows one moment.
    pub until: DateTime<Utc>,
    /// Read to its end: what it does not show is not there.
    pub complete: bool,
}

/// Whose an account was by one version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Theirs,
    /// Another's, or in doubt: it says nothing of theirs.
    NotTheirs,
}

/// What one version says about being open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Says {
    pub whose: Whose,
    /// None is not known, and counts as enabled.
    pub enabled: Option<bool>,
    /// When the system disabled it.
    pub disabled_at: Option<When>,
    /// When the system revoked it.
    pub revoked_at: Option<When>,
    pub expires_at: Option<When>,
}

impl Says {
    /// Of what is open as long as it is listed.
    pub const LISTED: Says = Says {
        whose: Whose::Theirs,
        enabled: None,
        disabled_at: None,
        revoked_at: None,
        expires_at: None,
    };
}

/// One version of a thing, by the syncs between which it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The sync that first saw the thing; versions of before `first` were deleted.
    pub born: u64,
    pub first: u64,
    pub ended: Option<u64>,
    /// Reads that did not come to their end while it stood and did show it.
    pub shown_in: BTreeSet<u64>,
    pub says: Says,
}

/// What the reads of one source tell of a thing.
#[derive(Clone, Debug)]
pub struct Told {
    /// In the order of the moments that they show.
    pub reads: Arc<[Read]>,
    /// By the sync that stored them; those that say the same as the one before as one with it.
    pub versions: Vec<Version>,
    /// What was read of it by then was deleted, as retention says.
    pub deleted_until: Option<DateTime<Utc>>,
}

/// How it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedBy {
    /// A complete read did not show it.
    Gone,
    /// Read as disabled.
    Disabled,
    Revoked,
    Expired,
    /// With the account that leads to it.
    Account,
    /// It was tried, and not let in any more.
    Refused,
}

impl ClosedBy {
    pub fn word(self) -> &'static str {
        match self {
            ClosedBy::Gone => "gone",
            ClosedBy::Disabled => "disabled",
            ClosedBy::Revoked => "revoked",
            ClosedBy::Expired => "expired",
            ClosedBy::Account => "with the account",
            ClosedBy::Refused => "refused",
        }
    }
}

impl Serialize for ClosedBy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// That it was closed and then open again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Reopened {
    /// The latest moment at which it was closed for all that is known.
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub closed: DateTime<Utc>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub open: DateTime<Utc>,
}

/// Reads that did not come to their end where a whole one would have narrowed the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Unread {
    #[ts(type = "number")]
    pub reads: u64,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub from: DateTime<Utc>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub until: DateTime<Utc>,
}

pub(super) fn as_text<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&rfc3339(*at))
}

/// When it was proved closed, at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub at: DateTime<Utc>,
    pub by: ClosedBy,
    pub from: ProvedFrom,
}

/// Where the moment of a proof is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProvedFrom {
    /// A complete read showed it closed then.
    Read,
    /// The system says that it closed it then.
    System,
}

/// What is known of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    /// The earliest moment that the last read which saw it open can show.
    pub open: Option<DateTime<Utc>>,
    pub closed: Option<Proof>,
    pub reopened: Option<Reopened>,
    pub unread: Option<Unread>,
    /// It was seen open once they were back: what was proved after that is of a later time.
    pub back_open: bool,
    /// Reads showed it closed, and it was let in after that.
    pub on_paper: bool,
}

/// When the event was, at the earliest, and when they were back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub from: Option<DateTime<Utc>>,
    pub back: Option<DateTime<Utc>>,
}

/// What one read says of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Open { disabled_once: Option<When> },
    Closed { by: ClosedBy, own: Option<When> },
    Unknown,
}

impl Says {
    fn at(&self, moment: DateTime<Utc>) -> Seen {
        if self.whose == Whose::NotTheirs {
            return Seen::Unknown;
        }
        let by_then = |at: &When| at.as_revocation() <= moment;
        let disabled = self.disabled_at.filter(by_then);
        let expired = self.expires_at.filter(|at| at.as_expiry() <= moment);
        let expired = expired.map(|at| When::At(at.as_expiry()));
        let off = disabled.filter(|_| self.enabled != Some(true));
        let first = [
            (ClosedBy::Revoked, self.revoked_at.filter(by_then)),
            (ClosedBy::Expired, expired),
            (ClosedBy::Disabled, off),
        ]
        .into_iter()
        .filter_map(|(by, at)| Some((at?.latest(), by, at)))
        .min();
        match (first, self.enabled) {
            (Some((_, by, own)), _) => Seen::Closed { by, own },
            (None, Some(false)) => Seen::Closed {
                by: ClosedBy::Disabled,
                own: None,
            },
            (None, Some(true) | None) => Seen::Open {
                disabled_once: disabled,
            },
        }
    }
}

impl Told {
    /// What a read says, by what stood then: open if anything of one name was.
    fn seen(&self, read: &Read) -> Seen {
        let mut seen: Option<Seen> = None;
        for version in &self.versions {
            let ended = version.ended.is_some_and(|ended| ended <= read.sync);
            if version.first > read.sync || ended {
                continue;
            }
            let shown = read.complete
                || version.first == read.sync
                || version.shown_in.contains(&read.sync);
            let says = match shown {
                true => version.says.at(read.from),
                false => Seen::Unknown,
            };
            seen = Some(match (seen, says) {
                (Some(open @ Seen::Open { .. }), _) => open,
                (_, open @ Seen::Open { .. }) => open,
                (Some(Seen::Unknown), _) => Seen::Unknown,
                (_, says) => says,
            });
        }
        if let Some(seen) = seen {
            return seen;
        }
        // There all along, in versions that were deleted.
        let deleted = |v: &Version| v.born <= read.sync && read.sync < v.first;
        let was_there = self.versions.iter().any(|v| v.born <= read.sync);
        match read.complete && was_there && !self.versions.iter().any(deleted) {
            true => Seen::Closed {
                by: ClosedBy::Gone,
                own: None,
            },
            false => Seen::Unknown,
        }
    }

    /// What each read says, in the order of the moments that they show.
    pub(super) fn each(&self) -> impl Iterator<Item = SeenAt> {
        self.reads.iter().map(|read| SeenAt {
            from: read.from,
            until: read.until,
            says: match self.seen(read) {
                Seen::Open { .. } => "open",
                Seen::Closed { .. } if read.complete => "closed",
                Seen::Unknown if read.complete => "untold",
                Seen::Closed { .. } | Seen::Unknown => "unread",
            },
            reads: 1,
        })
    }

    /// The last moment by which its own word on the past proves nothing: a whole read did not have it
    /// yet, or what was read of it was deleted since.
    fn unwitnessed_until(&self) -> Option<DateTime<Utc>> {
        let unborn = |read: &&Read| {
            let mut born = self.versions.iter().map(|version| version.born);
            read.complete && born.all(|born| born > read.sync)
        };
        let first = self.versions.iter().map(|version| version.born).min();
        let seen = (self.reads.iter()).find(|read| first.is_some_and(|first| read.sync >= first));
        let before = |read: &&Read| seen.is_none_or(|seen| read.from < seen.from);
        let unborn = self.reads.iter().filter(unborn).filter(before);
        unborn.map(|read| read.from).max().max(self.deleted_until)
    }

    /// Whether the last read by then showed that it would expire at a moment: an expiry that was set later, for a
    /// moment past, closed it no earlier than it was set.
    fn was_to_expire(&self, at: DateTime<Utc>) -> bool {
        let read_by = |sync: u64| {
            let read = self.reads.iter().find(|read| read.sync == sync);
            read.is_some_and(|read| read.until <= at)
        };
        let by_then = self.versions.iter().filter(|one| read_by(one.first));
        let last = by_then.max_by_key(|one| one.first);
        last.is_some_and(|one| one.says.expires_at.map(When::as_expiry) == Some(at))
    }

    /// Goes through all reads.
    pub(super) fn trace(&self, period: Period) -> Trace {
        let mut trace = Trace::default();
        // The first complete read since that shows it closed.
        let mut closed: Option<(Proof, Read)> = None;
        let mut broken: Vec<&Read> = Vec::new();
        let unwitnessed = self.unwitnessed_until();
        for read in self.reads.iter() {
            let is_back = period.back.is_some_and(|back| read.until >= back);
            match self.seen(read) {
                Seen::Open { .. } if is_back => {
                    trace.back_open = true;
                    break;
                }
                Seen::Open { disabled_once } => {
                    let before = closed.take().map(|(_, read)| read.from);
                    let own = disabled_once.map(When::earliest);
                    let within = |at: &DateTime<Utc>| period.from.is_some_and(|from| *at >= from);
                    if let Some(closed) = [before, own].into_iter().flatten().find(within) {
                        trace.reopened = Some(Reopened {
                            closed,
                            open: read.from,
                        });
                    }
                    trace.open = trace.open.max(Some(read.from));
                    broken.clear();
                }
                Seen::Closed { by, own } if read.complete => {
                    if closed.is_none() {
                        // The system's own word, unless a read saw it open after that.
                        let own = own.map(When::latest).filter(|own| {
                            let known = by != ClosedBy::Expired || self.was_to_expire(*own);
                            let witnessed = unwitnessed.is_none_or(|until| *own >= until);
                            Some(*own) >= trace.open && known && witnessed
                        });
                        let proof = match own {
                            Some(own) => Proof {
                                at: own.min(read.until),
                                by,
                                from: ProvedFrom::System,
                            },
                            None => Proof {
                                at: read.until,
                                by,
                                from: ProvedFrom::Read,
                            },
                        };
                        closed = Some((proof, *read));
                    }
                }
                Seen::Closed { .. } | Seen::Unknown => {
                    if closed.is_none() {
                        broken.push(read);
                    }
                }
            }
        }
        trace.closed = closed.map(|(proof, _)| proof);
        let kept = |read: &&Read| self.deleted_until.is_none_or(|until| read.until > until);
        let unread = broken.into_iter().filter(|read| !read.complete);
        let unread: Vec<&Read> = unread.filter(kept).collect();
        if let (Some(first), Some(last)) = (unread.first(), unread.last()) {
            trace.unread = Some(Unread {
                reads: u64::try_from(unread.len()).unwrap_or(u64::MAX),
                from: first.from,
                until: last.until,
            });
        }
        trace
    }
}

impl Trace {
    /// What is open as long as both are: it closes with the first of them.
    pub fn and(self, other: Trace, by: ClosedBy) -> Trace {
        let other_closed = other.closed.map(|proof| Proof { by, ..proof });
        let closed = match (self.closed, other_closed) {
            (Some(own), Some(others)) if others.at < own.at => Some(others),
            (None, others) => others,
            (own, _) => own,
        };
        Trace {
            open: self.open_with(&other),
            closed,
            reopened: self.reopened.or(other.reopened),
            unread: self.unread.or(other.unread),
            back_open: self.back_open && other.back_open,
            on_paper: self.on_paper && other.on_paper,
        }
    }

    /// The last moment at which both were seen open. While the one that was seen open later was known to be
    /// closed, nobody saw that.
    fn open_with(&self, other: &Trace) -> Option<DateTime<Utc>> {
        let both = self.open.min(other.open)?;
        let later = if self.open > other.open { self } else { other };
        let shut = |again: Reopened| again.closed <= both && both < again.open;
        (!later.reopened.is_some_and(shut)).then_some(both)
    }

    /// What is open as long as either is: it closes with the last of them.
    pub fn or(self, other: Trace) -> Trace {
        let closed = match (self.closed, other.closed) {
            (Some(one), Some(two)) => Some(if two.at > one.at { two } else { one }),
            _ => None,
        };
        Trace {
            open: self.open.max(other.open),
            closed,
            reopened: self.reopened.or(other.reopened),
            unread: self.unread.or(other.unread),
            back_open: self.back_open || other.back_open,
            on_paper: self.on_paper || other.on_paper,
        }
    }
}
