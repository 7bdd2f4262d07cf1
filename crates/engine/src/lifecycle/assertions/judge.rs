//! Rehearses whoever is meant, and holds what comes of it against each assertion.

use super::{Against, AssertedOf, Assertion, AssertionResult, Findings, Holds, Which, Who};
use crate::access::graph::Graph;
use crate::lifecycle::departure::after;
use crate::lifecycle::outcome::ResidualItem;
use crate::lifecycle::rehearse::Stage;
use crate::lifecycle::{Basis, Leaver, Plan, Rehearsal, RehearsalSettings, Verdict};
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::IdentityKind;
use std::collections::{BTreeSet, HashSet};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many identities a thread takes at a time.
const TURN: u32 = 256;

/// Whether something is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fits {
    Yes,
    /// What decides it is not known.
    Maybe,
    No,
}

impl Fits {
    /// What is known, held against what is asked for; nothing asked for fits.
    fn of<T: PartialEq>(asked: Option<&T>, known: Option<&T>) -> Fits {
        match (asked, known) {
            (None, _) => Fits::Yes,
            (Some(_), None) => Fits::Maybe,
            (Some(asked), Some(known)) if asked == known => Fits::Yes,
            (Some(_), Some(_)) => Fits::No,
        }
    }
}

/// What a snapshot is missing whoever leaves, one sentence each.
pub fn missing_of_estate(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
) -> Vec<String> {
    let systems: BTreeSet<&str> = (0..graph.systems.len())
        .map(|row| graph.systems.at(row))
        // What names no system has none that could be read.
        .filter(|system| !system.is_empty())
        .collect();
    Stage::new(graph, plan, at, settings).unread(&systems)
}

/// What comes of each assertion about leavers, in their order; of others None. None of all where
/// `goes_on`, which is asked now and then, said no.
pub fn judge(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
    assertions: &[Assertion],
    threads: NonZero<usize>,
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Option<AssertionResult>>> {
    let asked: Vec<(&Who, &Holds)> = assertions
        .iter()
        .filter_map(|one| match &one.of {
            AssertedOf::Leavers { who, holds } => Some((who, holds)),
            AssertedOf::Saved { .. } => None,
        })
        .collect();
    let third = ThirdParties::of(graph, at);
    let identities = graph.identities.len();
    let next = AtomicU32::new(0);
    let all: Mutex<Vec<Findings>> = Mutex::new(vec![Findings::default(); asked.len()]);
    let work = || {
        let mut stage = Stage::new(graph, plan, at, settings);
        let mut found = vec![Findings::default(); asked.len()];
        loop {
            let from = next.fetch_add(TURN, Ordering::Relaxed);
            if asked.is_empty() || from >= identities || !goes_on() {
                break;
            }
            for identity in from..from.saturating_add(TURN).min(identities) {
                let fits: Vec<Fits> = asked
                    .iter()
                    .map(|(who, _)| third.fits(graph, who, identity))
                    .collect();
                if fits.iter().all(|fits| *fits == Fits::No) {
                    continue;
                }
                let id = IdentityId::new(graph.identity_ids.at(identity));
                let rehearsal = stage.rehearse(&Leaver::Identity(id));
                for (((_, holds), fits), findings) in asked.iter().zip(fits).zip(&mut found) {
                    consider(&rehearsal, holds, fits, at, findings);
                }
            }
        }
        let mut all = all.lock().unwrap_or_else(|broken| broken.into_inner());
        for (one, more) in all.iter_mut().zip(found) {
            one.add(more);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(work);
        }
        work();
    });
    if !goes_on() {
        return None;
    }
    let all = all
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    let mut all = all.into_iter();
    let results = assertions.iter().map(|one| match &one.of {
        AssertedOf::Saved { .. } => None,
        AssertedOf::Leavers { .. } => all.next().map(|mut findings| {
            // Somebody who is not known yet could fit.
            if findings.identities == 0 {
                findings.miss(&missing_of_estate(graph, plan, at, settings));
            }
            if let AssertedOf::Leavers { who, holds } = &one.of {
                findings.miss(&stayed(graph, who, at));
                findings.miss(&unread_system(graph, plan, (at, settings), holds));
            }
            findings.result(one)
        }),
    });
    Some(results.collect())
}

/// Accounts that may still work and stayed with somebody whom no source lists now: who that is cannot
/// be rehearsed with all others, and may be meant.
fn stayed(graph: &Graph, who: &Who, at: DateTime<Utc>) -> Vec<String> {
    let meant = |record: &str| match &who.identity {
        None => true,
        Some(id) => record == id || record.split_once(':').is_some_and(|(_, bare)| bare == id),
    };
    let records = graph.maybe.stayed_with().filter(|record| meant(record));
    let open = records.filter_map(|record| {
        let accounts = graph.accounts_left_by(&IdentityId::new(record)).into_iter();
        let mut open = accounts.filter(|row| graph.may_work(*row, at));
        let account = graph.account_text(open.next()?);
        Some(format!(
            "account `{account}` stayed with `{record}`, whom no source lists now"
        ))
    });
    let custody = graph.undecided.custodians_gone();
    let custody = custody.filter(|record| meant(record)).filter_map(|record| {
        let credential = *graph.custody_left_by(record).first()?;
        Some(format!(
            "credential `{credential}` is in the custody of `{record}`, whom no source lists now"
        ))
    });
    open.chain(custody).collect()
}

/// Whether what an assertion asks of one system can be known at all: nobody reads it.
fn unread_system(
    graph: &Graph,
    plan: &Plan,
    (at, settings): (DateTime<Utc>, &RehearsalSettings),
    holds: &Holds,
) -> Vec<String> {
    match holds {
        Holds::NothingBeyond(
            _,
            Which {
                system: Some(system),
                ..
            },
        ) => {
            let systems = BTreeSet::from([system.as_str()]);
            Stage::new(graph, plan, at, settings).unread(&systems)
        }
        Holds::NothingBeyond(..) | Holds::Verdict(_) => Vec::new(),
    }
}

/// Vendors, and whom they employ.
struct ThirdParties {
    known: HashSet<u32>,
    /// They work for somebody whom nobody lists.
    unknown: HashSet<u32>,
    /// Some record of an employer could be another's.
    doubtful: bool,
}

impl ThirdParties {
    fn of(graph: &Graph, at: DateTime<Utc>) -> Self {
        let (mut known, mut doubtful) = (HashSet::new(), false);
        for identity in 0..graph.identities.len() {
            if graph.identities.at(identity).kind == IdentityKind::Vendor {
                known.insert(identity);
                let employed = graph.employed.row(identity).iter();
                known.extend(employed.filter(|one| one.holds(at)).map(|one| one.of));
                doubtful |= graph.undecided.may_employ(identity, at);
            }
        }
        ThirdParties {
            known,
            unknown: graph.undecided.work_for_unknown(at).collect(),
            doubtful,
        }
    }

    fn fits(&self, graph: &Graph, who: &Who, identity: u32) -> Fits {
        let row = graph.identities.at(identity);
        let named = who.identity.as_deref();
        let doubtful = self.doubtful || self.unknown.contains(&identity);
        let third = match (self.known.contains(&identity), doubtful) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        };
        let id = graph.identity_ids.at(identity);
        let all = [
            Fits::of(named.as_ref(), Some(&id)),
            Fits::of(who.kind.as_ref(), Some(&row.kind)),
            Fits::of(who.leaver_kind.as_ref(), row.leaver_kind.as_ref()),
            Fits::of(who.third_party.as_ref(), third.as_ref()),
        ];
        all.into_iter().max().unwrap_or(Fits::Yes)
    }
}

fn consider(
    rehearsal: &Rehearsal,
    holds: &Holds,
    fits: Fits,
    at: DateTime<Utc>,
    findings: &mut Findings,
) {
    match fits {
        Fits::Yes => findings.identities += 1,
        Fits::Maybe => findings.maybe += 1,
        Fits::No => return,
    }
    let against = |sure: bool, item: Option<String>, found: String| Against {
        sure: sure && fits == Fits::Yes,
        identity: rehearsal.identity.clone(),
        item,
        found,
    };
    match holds {
        Holds::NothingBeyond(within, which) => {
            let until = after(at, *within);
            for item in rehearsal.residual.iter().filter(|i| i.closes_at > until) {
                let meant = item_fits(which, item);
                if meant == Fits::No {
                    continue;
                }
                let sure = meant == Fits::Yes && item.basis != Basis::Assumed;
                let on = item.on_account.as_ref().map(|on| format!(" on {on}"));
                let (kind, on) = (item.kind.word(), on.unwrap_or_default());
                let words = format!("{kind} {}:{}{on}", item.system, item.id);
                findings.note(against(sure, Some(words), item.closes_at.to_text()));
            }
            findings.miss(&rehearsal.missing_facts);
        }
        Holds::Verdict(expected) => {
            let found = rehearsal.verdict.word().to_owned();
            match expected.judged(rehearsal.verdict) {
                Verdict::Pass => {}
                Verdict::Fail => findings.note(against(true, None, found)),
                Verdict::Indeterminate => {
                    findings.note(against(false, None, found));
                    findings.miss(&rehearsal.missing_facts);
                }
            }
        }
    }
}

fn item_fits(which: &Which, item: &ResidualItem) -> Fits {
    let all = [
        Fits::of(which.system.as_ref(), Some(&item.system)),
        Fits::of(which.kind.as_ref(), Some(&item.kind)),
        Fits::of(which.privileged.as_ref(), item.privileged.as_ref()),
    ];
    all.into_iter().max().unwrap_or(Fits::Yes)
}
