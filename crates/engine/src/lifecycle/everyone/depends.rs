//! What does an answer about whoever reaches a thing depend on? Told in a number.
//!
//! Equal numbers: the same things are reached by the same lines, each as it was, so the answer is the
//! same. Each thing's number is made of what it is and of the numbers of what it leads to; things that
//! lead to each other are numbered together. With it goes until when the passing of time changes
//! nothing: before something that is reached ends by itself. Never: a number without its key, which is
//! another in every store.

use super::flags::Places;
use super::ground::Ground;
use super::turns::in_turns;
use crate::access::columns::{Column, NONE};
use crate::access::graph::{AccountRow, LooseEnd};
use crate::access::reached::closed_at;
use crate::lifecycle::Closing;
use crate::lifecycle::departure::{Declared, Departure};
use crate::lifecycle::plan::Plan;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hash;
use std::num::NonZero;
use std::ops::Range;

/// The number of what an answer depends on, and before which second it holds without being asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Depends {
    pub number: [u64; 2],
    pub until: i64,
}

const NOTHING: Depends = Depends {
    number: [0; 2],
    until: i64::MAX,
};

/// How long a chain of accounts that one signs in through may be before time is not reckoned with.
const LONGEST_CHAIN: i32 = 64;

/// A line from one thing to another, with its own number.
#[derive(Clone, Copy)]
struct Line {
    to: u32,
    like: u64,
}

/// Of everything in the graph what answers depend on.
pub(super) struct Dependence<'a, 'g> {
    ground: &'a Ground<'g>,
    key: [u8; 16],
    places: Places,
    systems: Vec<u64>,
    /// By terms of grants: their number, and until when they hold.
    terms: Vec<(u64, i64)>,
    /// How much earlier than it ends a thing may make a difference.
    reserve: Option<i64>,
    /// Of each thing by itself: which it is and what is known of it, and until when.
    own: Vec<(u64, i64)>,
    all: Column<Depends>,
}

/// Something being gone through, with its lines among all that are open.
struct Open {
    node: u32,
    from: usize,
    next: usize,
    until: i64,
}

impl<'a, 'g> Dependence<'a, 'g> {
    pub(super) fn new(
        ground: &'a Ground<'g>,
        plan: &Plan,
        declared: &Declared,
        key: [u8; 16],
        threads: NonZero<usize>,
    ) -> Self {
        let graph = ground.graph;
        let places = Places::of(graph);
        let mut dependence = Dependence {
            ground,
            key,
            places,
            systems: Vec::new(),
            terms: Vec::new(),
            reserve: reserve(ground, plan, declared),
            own: Vec::new(),
            all: Column::filled(NOTHING, places.end),
        };
        let systems = (0..graph.systems.len()).map(|system| {
            let lifetime = declared.session_lifetime.at(system);
            dependence.number(|hasher| {
                graph.systems.at(system).hash(hasher);
                ground.lacks_system(system).hash(hasher);
                declared.dies.at(system).hash(hasher);
                lifetime.map(|time| time.num_seconds()).hash(hasher);
            })
        });
        dependence.systems = systems.map(|[number, _]| number).collect();
        let terms = graph.terms.values().iter().map(|terms| {
            let [number, _] = dependence.number(|hasher| {
                // Whether it has to be activated first is told, and changes no answer.
                terms.expires.hash(hasher);
            });
            (number, dependence.holds_until(terms.expires))
        });
        dependence.terms = terms.collect();
        let each = |(): &mut (), things: Range<u32>| {
            let one = |node| dependence.by_itself(node);
            things.map(one).collect::<Vec<_>>()
        };
        let turns = in_turns(places.end, threads, &|| true, || (), each, |()| ());
        let mut own = Vec::with_capacity(places.end as usize);
        own.extend(turns.into_iter().flat_map(|(turns, _)| turns).flatten());
        dependence.own = own;
        dependence.go_through();
        dependence
    }

    /// What the answer about a departure depends on.
    pub(super) fn of(&self, departure: &Departure, is_unsettled: bool) -> Depends {
        let graph = self.ground.graph;
        let mut until = i64::MAX;
        let number = self.number(|hasher| {
            departure.event.hash(hasher);
            departure.kind.hash(hasher);
            departure.leaver_kind.hash(hasher);
            is_unsettled.hash(hasher);
            let mut custody = departure.identities.iter();
            let unread = custody.any(|one| self.ground.is_unread(LooseEnd::Custody(*one)));
            unread.hash(hasher);
            let mut thing = |node: u32, hasher: &mut SipHasher13| {
                let depends = self.all.at(node);
                until = until.min(depends.until);
                depends.number.hash(hasher);
            };
            for &account in &departure.accounts {
                thing(account, hasher);
                let own = graph.credentials_of.row(account);
                own.len().hash(hasher);
                for &credential in own {
                    thing(self.places.credentials + credential, hasher);
                }
            }
            for (&credential, &basis) in &departure.custody {
                basis.hash(hasher);
                thing(self.places.credentials + credential, hasher);
            }
        });
        Depends { number, until }
    }

    fn number(&self, what: impl FnOnce(&mut SipHasher13)) -> [u64; 2] {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        what(&mut hasher);
        let number = hasher.finish128();
        [number.h1, number.h2]
    }

    /// Before which second something that ends then makes no difference but by its end itself.
    fn holds_until(&self, ends: Closing) -> i64 {
        match (ends, self.reserve) {
            (Closing::Never, _) => i64::MAX,
            // What is over stays over.
            (ends, _) if closed_at(ends, self.ground.at) => i64::MAX,
            (Closing::At(_), None) => i64::MIN,
            (Closing::At(ends), Some(reserve)) => ends.timestamp().saturating_sub(reserve),
        }
    }

    /// Each after what it leads to; those that lead to each other together (Tarjan's components).
    fn go_through(&mut self) {
        let mut order = Column::filled(0u32, self.places.end);
        let mut low = Column::filled(0u32, self.places.end);
        let mut met = 0u32;
        let mut waiting: Vec<u32> = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for start in 0..self.places.end {
            if *order.at(start) != 0 {
                continue;
            }
            let mut entered = Some(start);
            loop {
                if let Some(node) = entered.take() {
                    met += 1;
                    *order.at_mut(node) = met;
                    *low.at_mut(node) = met;
                    waiting.push(node);
                    let from = lines.len();
                    let until = self.lines_of(node, &mut lines);
                    open.push(Open {
                        node,
                        from,
                        next: from,
                        until,
                    });
                }
                let Some(here) = open.last_mut() else {
                    break;
                };
                let node = here.node;
                if let Some(line) = lines.get(here.next) {
                    here.next += 1;
                    let to = *order.at(line.to);
                    if to == 0 {
                        entered = Some(line.to);
                    } else {
                        // A finished one has the number of none.
                        let least = to.min(*low.at(node));
                        if *low.at(line.to) != NONE {
                            *low.at_mut(node) = least;
                        }
                    }
                    continue;
                }
                let (from, until) = (here.from, here.until);
                open.pop();
                let lowest = *low.at(node);
                if lowest == *order.at(node) {
                    let first = waiting.iter().rposition(|one| *one == node).unwrap_or(0);
                    if first + 1 == waiting.len() {
                        let own = lines.get(from..).unwrap_or_default();
                        *self.all.at_mut(node) = self.alone(node, own, until);
                    } else {
                        self.together(waiting.get(first..).unwrap_or_default());
                    }
                    for one in waiting.drain(first..) {
                        *low.at_mut(one) = NONE;
                    }
                }
                lines.truncate(from);
                if let Some(before) = open.last() {
                    let least = lowest.min(*low.at(before.node));
                    if *low.at(node) != NONE {
                        *low.at_mut(before.node) = least;
                    }
                }
            }
        }
    }

    fn alone(&self, node: u32, lines: &[Line], mut until: i64) -> Depends {
        let (own, ends) = self.own(node);
        until = until.min(ends);
        let number = self.number(|hasher| {
            own.hash(hasher);
            for line in lines {
                line.like.hash(hasher);
                if line.to == node {
                    continue;
                }
                let beyond = self.all.at(line.to);
                until = until.min(beyond.until);
                beyond.number.hash(hasher);
            }
        });
        Depends { number, until }
    }

    /// Of things that lead to each other: what all are, with the lines among them by name.
    fn together(&mut self, nodes: &[u32]) {
        let mut nodes = nodes.to_vec();
        nodes.sort_unstable();
        let mut until = i64::MAX;
        let mut lines = Vec::new();
        let mut members: Vec<[u64; 2]> = Vec::with_capacity(nodes.len());
        for &node in &nodes {
            lines.clear();
            until = until.min(self.lines_of(node, &mut lines));
            let (own, ends) = self.own(node);
            until = until.min(ends);
            members.push(self.number(|hasher| {
                own.hash(hasher);
                for line in &lines {
                    line.like.hash(hasher);
                    if nodes.binary_search(&line.to).is_ok() {
                        self.name(line.to, hasher);
                    } else {
                        let beyond = self.all.at(line.to);
                        until = until.min(beyond.until);
                        beyond.number.hash(hasher);
                    }
                }
            }));
        }
        members.sort_unstable();
        let all = self.number(|hasher| members.hash(hasher));
        for node in nodes {
            let number = self.number(|hasher| {
                all.hash(hasher);
                self.name(node, hasher);
            });
            *self.all.at_mut(node) = Depends { number, until };
        }
    }

    fn own(&self, node: u32) -> (u64, i64) {
        self.own.get(node as usize).copied().unwrap_or_default()
    }

    fn by_itself(&self, node: u32) -> (u64, i64) {
        let mut until = i64::MAX;
        let [number, _] = self.number(|hasher| {
            self.name(node, hasher);
            until = self.what(node, hasher);
        });
        (number, until)
    }

    /// Which thing it is. A secret without a credential is told by nothing.
    fn name(&self, node: u32, hasher: &mut SipHasher13) {
        let (graph, places) = (self.ground.graph, self.places);
        let mut named = |kind: u8, system: u32, id: &str| {
            kind.hash(hasher);
            self.system(system).hash(hasher);
            id.hash(hasher);
        };
        if node < places.entitlements {
            named(0, graph.account_system(node), graph.account_ids.at(node));
        } else if node < places.locations {
            let row = node - places.entitlements;
            let system = graph.entitlements.at(row).system;
            named(1, system, graph.entitlement_ids.at(row));
        } else if node < places.credentials {
            let row = node - places.locations;
            named(
                2,
                graph.locations.at(row).system,
                graph.location_ids.at(row),
            );
        } else if node < places.secrets {
            let row = node - places.credentials;
            let system = graph.credentials.at(row).system;
            named(3, system, graph.credential_ids.at(row));
        } else {
            let secret = node - places.secrets;
            if let Some(first) = graph.same_secret.row(secret).first() {
                let system = graph.credentials.at(*first).system;
                named(4, system, graph.credential_ids.at(*first));
            }
        }
    }

    /// What is known of a thing itself, and until when.
    fn what(&self, node: u32, hasher: &mut SipHasher13) -> i64 {
        let (ground, graph, places) = (self.ground, self.ground.graph, self.places);
        if node < places.entitlements {
            let row = graph.accounts.at(node);
            self.account(node, row, hasher);
            self.holds_until(row.expires)
        } else if node < places.locations {
            let row = node - places.entitlements;
            let entitlement = graph.entitlements.at(row);
            entitlement.privileged.hash(hasher);
            ground.is_production(entitlement.environment).hash(hasher);
            ground.held.at(row).lacks.hash(hasher);
            i64::MAX
        } else if node < places.credentials {
            let row = node - places.locations;
            let location = graph.locations.at(row);
            ground.is_production(location.environment).hash(hasher);
            ground.is_unread(LooseEnd::At(row)).hash(hasher);
            i64::MAX
        } else if node < places.secrets {
            let row = graph.credentials.at(node - places.credentials);
            row.kind.hash(hasher);
            row.enabled.hash(hasher);
            row.expires.hash(hasher);
            row.revoked.hash(hasher);
            ground.is_production(row.environment).hash(hasher);
            self.holds_until(row.expires)
                .min(self.holds_until(row.revoked))
        } else {
            i64::MAX
        }
    }

    fn account(&self, node: u32, row: &AccountRow, hasher: &mut SipHasher13) {
        let (ground, graph) = (self.ground, self.ground.graph);
        let whose = (row.identity != NONE).then(|| graph.identities.at(row.identity).kind);
        whose.hash(hasher);
        row.whose.hash(hasher);
        row.kind.hash(hasher);
        row.enabled.hash(hasher);
        row.local_sign_in.hash(hasher);
        row.privileged.hash(hasher);
        row.expires.hash(hasher);
        ground.is_production(row.environment).hash(hasher);
        ground.signs_in_at_unread(node).hash(hasher);
        ground.is_unread(LooseEnd::ByAccount(node)).hash(hasher);
    }

    /// Where a thing leads to, in the order of the graph; gives back until when its grants hold.
    fn lines_of(&self, node: u32, lines: &mut Vec<Line>) -> i64 {
        let (graph, places) = (self.ground.graph, self.places);
        let mut until = i64::MAX;
        let mut line = |to: u32, like: u64| lines.push(Line { to, like });
        if node < places.locations {
            let (grants, reads, controls) = match node.checked_sub(places.entitlements) {
                None => {
                    let through = graph.accounts.at(node).through;
                    if through != NONE {
                        line(through, 1);
                    }
                    (
                        graph.account_grants.row(node),
                        graph.account_reads.row(node),
                        graph.account_controls.row(node),
                    )
                }
                Some(row) => (
                    graph.entitlement_grants.row(row),
                    graph.entitlement_reads.row(row),
                    graph.entitlement_controls.row(row),
                ),
            };
            for grant in grants {
                let terms = self.terms.get(grant.terms as usize);
                let (like, ends) = terms.copied().unwrap_or((0, i64::MIN));
                until = until.min(ends);
                line(places.entitlements + grant.entitlement, like);
            }
            for row in reads {
                line(places.locations + row, 2);
            }
            for (account, means) in controls {
                let [like, _] = self.number(|hasher| means.hash(hasher));
                line(*account, like);
            }
        } else if node < places.credentials {
            let row = node - places.locations;
            for credential in graph.credentials_at.row(row) {
                line(places.credentials + credential, 3);
            }
            for secret in graph.secrets_at.row(row) {
                line(places.secrets + secret, 4);
            }
        } else if node < places.secrets {
            let row = graph.credentials.at(node - places.credentials);
            if row.secret != NONE {
                line(places.secrets + row.secret, 5);
            }
            if row.account != NONE {
                line(row.account, 6);
            }
        } else {
            for credential in graph.same_secret.row(node - places.secrets) {
                line(places.credentials + credential, 7);
            }
        }
        until
    }

    fn system(&self, row: u32) -> u64 {
        self.systems.get(row as usize).copied().unwrap_or_default()
    }
}

/// How much later than now anything that the plan or a limit says is reckoned from can be; None where
/// that has no bound worth naming.
fn reserve(ground: &Ground<'_>, plan: &Plan, declared: &Declared) -> Option<i64> {
    let steps = plan.steps.iter().map(|step| step.within);
    let limits = plan.limits.iter().map(|limit| limit.within);
    let most = steps.chain(limits).max().unwrap_or_default();
    let lifetimes = declared.session_lifetime.values().iter().flatten();
    let lifetime = lifetimes.max().copied().unwrap_or_default();
    let chain = match lifetime > TimeDelta::zero() {
        true => longest_chain(ground)?,
        false => 0,
    };
    // The widest of the default limits is a day.
    let sessions = lifetime.checked_mul(chain)?;
    let all = most.max(TimeDelta::days(1)).checked_add(&sessions)?;
    (all < TimeDelta::days(366_000)).then(|| all.num_seconds() + 1)
}

/// Through how many accounts one signs in at most; None where these are too many.
fn longest_chain(ground: &Ground<'_>) -> Option<i32> {
    let accounts = &ground.graph.accounts;
    let mut longest = 0;
    for start in accounts.values() {
        let (mut row, mut length) = (start, 0);
        while row.local_sign_in == Some(false) && row.through != NONE {
            length += 1;
            if length > LONGEST_CHAIN {
                return None;
            }
            row = accounts.at(row.through);
        }
        longest = longest.max(length);
    }
    Some(longest)
}
