//! Each layer's say, and what follows from all of them together.
//!
//! Every layer gives one yes, no or unknown; whether the request is allowed is a plain formula over
//! them. Where some are unknown the formula is asked for both, so that an answer which does not
//! depend on them is still given.

use crate::answer::{Cited, Decision, Denial, Lack, Layer, Reason, Why};
use crate::truth::Truth;

/// What the formula is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    /// Some statement of any layer denies.
    Deny,
    Identity,
    Boundary,
    Session,
    ServiceControl,
    /// The resource's policy allows the user or the session itself.
    Itself,
    /// It allows the role behind the session, or the user behind the federated one.
    Behind,
    Everyone,
    /// It leaves it to the account of the principal.
    Account,
    /// A grant to everyone is not bound by boundary and session policy.
    EveryoneIsFree,
    /// A grant of a key.
    Grant,
    SameAccount,
}

const SAYS: [Say; 12] = [
    Say::Deny,
    Say::Identity,
    Say::Boundary,
    Say::Session,
    Say::ServiceControl,
    Say::Itself,
    Say::Behind,
    Say::Everyone,
    Say::Account,
    Say::EveryoneIsFree,
    Say::Grant,
    Say::SameAccount,
];

/// Which formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Within an account either policy is enough; across accounts both must allow.
    Usual,
    /// A key or a role: policies of the account count only where the resource's own says so.
    ByItsPolicy,
    /// Services, providers, unsigned requests: the resource's policy alone.
    NoIdentity,
}

/// One layer's say, and why.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) truth: Truth,
    pub(crate) by: Vec<Cited>,
    pub(crate) doubts: Vec<Reason>,
}

impl Heard {
    pub(crate) fn plain(truth: Truth) -> Heard {
        Heard {
            truth,
            by: Vec::new(),
            doubts: Vec::new(),
        }
    }

    pub(crate) fn doubtful(why: Why) -> Heard {
        Heard {
            truth: Truth::Unknown,
            by: Vec::new(),
            doubts: vec![Reason { why, at: None }],
        }
    }

    /// One more that would do.
    pub(crate) fn or(&mut self, truth: Truth, cited: impl Fn() -> Cited, doubts: &[Why]) {
        match truth {
            Truth::No => {}
            Truth::Unknown => self.doubts.extend(doubts.iter().map(|why| Reason {
                why: why.clone(),
                at: Some(cited()),
            })),
            Truth::Yes => self.by.push(cited()),
        }
        self.truth = self.truth.or(truth);
    }

    pub(crate) fn or_unread(&mut self, document: &str, why: &str) {
        self.truth = self.truth.or(Truth::Unknown);
        self.doubts.push(Reason {
            why: Why::Unread {
                document: document.to_owned(),
                why: why.to_owned(),
            },
            at: None,
        });
    }
}

/// All that was heard.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) route: Route,
    pub(crate) heard: [Heard; 12],
    /// A level of the organisation at which no service control policy allows.
    pub(crate) level: Option<String>,
}

type Bits = [bool; 12];

fn said(bits: &Bits, say: Say) -> bool {
    bits.get(say as usize).copied().unwrap_or(false)
}

fn allowed(route: Route, bits: &Bits) -> bool {
    let is = |say| said(bits, say);
    if is(Say::Deny) || !is(Say::ServiceControl) {
        return false;
    }
    if is(Say::Grant) {
        return true;
    }
    let bound = is(Say::Boundary) && is(Say::Session);
    let own = is(Say::Identity) && bound;
    match route {
        Route::NoIdentity => is(Say::Itself) || is(Say::Everyone),
        Route::Usual | Route::ByItsPolicy if !is(Say::SameAccount) => {
            let named = is(Say::Itself) || is(Say::Behind);
            own && (named || is(Say::Everyone) || is(Say::Account))
        }
        Route::Usual | Route::ByItsPolicy => {
            let counts = route == Route::Usual || is(Say::Account);
            (own && counts)
                || is(Say::Itself)
                || (is(Say::Behind) && bound)
                || (is(Say::Everyone) && (bound || is(Say::EveryoneIsFree)))
        }
    }
}

impl Scale {
    pub(crate) fn new(route: Route) -> Scale {
        Scale {
            route,
            heard: std::array::from_fn(|_| Heard::plain(Truth::No)),
            level: None,
        }
    }

    pub(crate) fn set(&mut self, say: Say, heard: Heard) {
        if let Some(slot) = self.heard.get_mut(say as usize) {
            *slot = heard;
        }
    }

    pub(crate) fn get(&mut self, say: Say) -> Option<&mut Heard> {
        self.heard.get_mut(say as usize)
    }

    fn of(&self, say: Say) -> Option<&Heard> {
        self.heard.get(say as usize)
    }

    fn truth(&self, say: Say) -> Truth {
        self.of(say).map_or(Truth::Unknown, |heard| heard.truth)
    }

    /// The says that are not known, and the known ones as bits.
    fn open(&self) -> (Vec<Say>, Bits) {
        let mut bits = [false; 12];
        let mut open = Vec::new();
        for (bit, say) in bits.iter_mut().zip(SAYS) {
            match self.truth(say) {
                Truth::Yes => *bit = true,
                Truth::No => {}
                Truth::Unknown => open.push(say),
            }
        }
        (open, bits)
    }

    pub(crate) fn decide(&self) -> Decision {
        let (open, bits) = self.open();
        let mut outcomes = [false; 2];
        let mut matters = vec![false; open.len()];
        for choice in 0..(1_u32 << open.len()) {
            let bits = chosen(bits, &open, choice);
            let outcome = allowed(self.route, &bits);
            if let Some(seen) = outcomes.get_mut(usize::from(outcome)) {
                *seen = true;
            }
            for (matters, say) in matters.iter_mut().zip(&open) {
                let mut other = bits;
                flip(&mut other, *say);
                *matters |= allowed(self.route, &other) != outcome;
            }
        }
        match outcomes {
            [false, _] => Decision::Allowed { by: self.grounds() },
            [true, false] => Decision::Denied(self.denial()),
            [true, true] => {
                let mut reasons: Vec<Reason> = open
                    .iter()
                    .zip(matters)
                    .filter(|(_, matters)| *matters)
                    .filter_map(|(say, _)| self.of(*say))
                    .flat_map(|heard| heard.doubts.clone())
                    .collect();
                reasons.sort();
                reasons.dedup();
                Decision::Undecided { reasons }
            }
        }
    }

    fn grounds(&self) -> Vec<Cited> {
        let shown = [
            Say::Identity,
            Say::Itself,
            Say::Behind,
            Say::Everyone,
            Say::Account,
            Say::Boundary,
            Say::Session,
            Say::ServiceControl,
        ];
        let mut by: Vec<Cited> = shown
            .iter()
            .filter_map(|say| self.of(*say))
            .flat_map(|heard| heard.by.clone())
            .collect();
        by.sort();
        by.dedup();
        by
    }

    fn denial(&self) -> Denial {
        let deny = self.of(Say::Deny);
        if let Some(deny) = deny.filter(|deny| deny.truth == Truth::Yes) {
            return Denial {
                by: deny.by.clone(),
                lacking: Vec::new(),
            };
        }
        let layers: &[(Layer, &[Say])] = &[
            (Layer::Identity, &[Say::Identity]),
            (Layer::Boundary, &[Say::Boundary]),
            (Layer::Session, &[Say::Session]),
            (Layer::ServiceControl, &[Say::ServiceControl]),
            (Layer::Resource, &[Say::Itself]),
        ];
        let (open, bits) = self.open();
        // in the most favourable case
        let mut best = bits;
        for say in open {
            if let Some(bit) = best.get_mut(say as usize) {
                *bit = say != Say::Deny;
            }
        }
        let lack = |layer: Layer| Lack {
            layer,
            level: self
                .level
                .clone()
                .filter(|_| layer == Layer::ServiceControl),
        };
        let missing: Vec<(Layer, Bits)> = layers
            .iter()
            .filter(|(_, says)| says.iter().all(|say| !said(&best, *say)))
            .map(|(layer, says)| {
                let mut with = best;
                for say in *says {
                    flip(&mut with, *say);
                }
                (*layer, with)
            })
            .collect();
        let mut enough: Vec<Lack> = missing
            .iter()
            .filter(|(_, with)| allowed(self.route, with))
            .map(|(layer, _)| lack(*layer))
            .collect();
        // what holds back a grant says more than another grant that would do
        let grants = |lack: &Lack| matches!(lack.layer, Layer::Identity | Layer::Resource);
        if !enough.iter().all(grants) {
            enough.retain(|lack| !grants(lack));
        }
        let lacking = if enough.is_empty() {
            missing.iter().map(|(layer, _)| lack(*layer)).collect()
        } else {
            enough
        };
        Denial {
            by: Vec::new(),
            lacking,
        }
    }
}

fn flip(bits: &mut Bits, say: Say) {
    if let Some(bit) = bits.get_mut(say as usize) {
        *bit = !*bit;
    }
}

fn chosen(mut bits: Bits, open: &[Say], choice: u32) -> Bits {
    for (index, say) in open.iter().enumerate() {
        if let Some(bit) = bits.get_mut(*say as usize) {
            *bit = choice >> index & 1 == 1;
        }
    }
    bits
}
