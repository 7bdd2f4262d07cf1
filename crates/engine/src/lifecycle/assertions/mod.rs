//! Does what must hold of rehearsals hold?
//!
//! Assertions are written in TOML, as the offboarding plan is: whom each is about, which items, and what
//! must hold of them. Each is judged by the honesty rules: `fail` needs something that is known to be;
//! what is missing, assumed, or may fit whom it is about makes it `indeterminate`; and an assertion
//! that is about nobody is no pass, unless it says that it may be.

mod judge;
#[cfg(test)]
mod tests;
mod text;

pub use judge::{judge, missing_of_estate};

use super::{ItemKind, Verdict};
use chrono::TimeDelta;
use lastkey_contract::facts::{IdentityKind, LeaverKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use ts_rs::TS;

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    pub name: String,
    /// Where it stands in the text.
    pub line: u32,
    pub of: AssertedOf,
    /// May be about nobody.
    pub allow_empty: bool,
}

/// What an assertion is about, and what it says of it.
#[derive(Clone, Debug, PartialEq)]
pub enum AssertedOf {
    /// Whoever fits leaves.
    Leavers { who: Who, holds: Holds },
    /// The question of a saved rehearsal is asked again.
    Saved { name: String, holds: SavedHolds },
}

/// Who is meant; all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub identity: Option<String>,
    pub kind: Option<IdentityKind>,
    pub leaver_kind: Option<LeaverKind>,
    /// A vendor, or somebody whom one employs.
    pub third_party: Option<bool>,
}

/// Which items are meant; all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    pub system: Option<String>,
    pub kind: Option<ItemKind>,
    pub privileged: Option<bool>,
}

/// What must hold of whoever leaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Holds {
    /// None of these items works longer than so after leaving.
    NothingBeyond(TimeDelta, Which),
    /// Each rehearsal passes, or each fails: a test that can find nothing wrong is worth nothing.
    Verdict(Expected),
}

/// What must hold of a saved rehearsal that is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedHolds {
    /// No item is worse than when it was saved, and none is added that outlives its limit.
    NoWorse,
    Verdict(Expected),
}

/// What a verdict must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Pass,
    Fail,
}

impl Expected {
    const WORDS: &'static [&'static str] = &["pass", "fail"];

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "pass" => Some(Expected::Pass),
            "fail" => Some(Expected::Fail),
            _ => None,
        }
    }

    /// What a rehearsal's verdict makes of the assertion.
    pub fn judged(self, found: Verdict) -> Verdict {
        match (self, found) {
            (_, Verdict::Indeterminate) => Verdict::Indeterminate,
            (Expected::Pass, found) => found,
            (Expected::Fail, Verdict::Fail) => Verdict::Pass,
            (Expected::Fail, Verdict::Pass) => Verdict::Fail,
        }
    }
}

/// What came of one assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AssertionResult {
    pub name: String,
    pub line: u32,
    pub verdict: Verdict,
    /// One sentence.
    pub why: String,
    /// Whom it is about.
    pub identities: u64,
    /// Whom it may be about: what decides that is not known of them.
    pub maybe: u64,
    /// How much speaks against it.
    pub against: u64,
    /// The first of that, known ones before those that may be.
    pub shown: Vec<Against>,
    /// What is not known, the first of it.
    pub missing_facts: Vec<String>,
    /// More is not known than is named; not kept of runs of earlier versions.
    #[serde(default)]
    pub missing_truncated: bool,
}

/// Something that speaks against an assertion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Against {
    /// False where it may not be so, or may not be meant.
    pub sure: bool,
    pub identity: String,
    /// `account corp:a1`; of a verdict nothing.
    pub item: Option<String>,
    /// When it closes, the verdict, or what is worse.
    pub found: String,
}

/// How much is named of each.
pub const SHOWN: usize = 20;

/// The worst of all; nothing asserted is nothing known.
pub fn worst(results: &[AssertionResult]) -> Verdict {
    let has = |verdict| results.iter().any(|one| one.verdict == verdict);
    if has(Verdict::Fail) {
        Verdict::Fail
    } else if results.is_empty() || has(Verdict::Indeterminate) {
        Verdict::Indeterminate
    } else {
        Verdict::Pass
    }
}

/// What was found, put together to a result.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub identities: u64,
    pub maybe: u64,
    pub surely: u64,
    pub perhaps: u64,
    /// The first by order of all.
    pub shown: Vec<Against>,
    pub missing: BTreeSet<String>,
    /// More is missing than is kept here.
    pub missing_more: bool,
}

impl Findings {
    /// Notes what speaks against it.
    pub fn note(&mut self, against: Against) {
        match against.sure {
            true => self.surely += 1,
            false => self.perhaps += 1,
        }
        self.shown.push(against);
        if self.shown.len() > SHOWN * 4 {
            self.shorten();
        }
    }

    /// Notes what is not known.
    pub fn miss<'a>(&mut self, facts: impl IntoIterator<Item = &'a String>) {
        for fact in facts {
            if self.missing.contains(fact) {
                continue;
            }
            self.missing.insert(fact.clone());
            // Of a million people a million sentences can be missing: the first in order are kept.
            if self.missing.len() > SHOWN {
                self.missing.pop_last();
                self.missing_more = true;
            }
        }
    }

    fn shorten(&mut self) {
        // Known ones first.
        self.shown
            .sort_by(|a, b| b.sure.cmp(&a.sure).then_with(|| a.cmp(b)));
        self.shown.truncate(SHOWN);
    }

    fn add(&mut self, other: Findings) {
        self.identities += other.identities;
        self.maybe += other.maybe;
        self.surely += other.surely;
        self.perhaps += other.perhaps;
        self.shown.extend(other.shown);
        self.missing_more |= other.missing_more;
        self.miss(&other.missing);
        self.shorten();
    }

    /// What they make of an assertion.
    pub fn result(mut self, assertion: &Assertion) -> AssertionResult {
        self.shorten();
        let nobody = self.identities == 0;
        let (verdict, why) = if self.surely > 0 {
            (Verdict::Fail, format!("{} against it", self.surely))
        } else if nobody && !assertion.allow_empty {
            let why = match self.maybe {
                0 => "it is about nobody: nobody fits".to_owned(),
                maybe => format!("nobody is known to fit; {maybe} may"),
            };
            (Verdict::Indeterminate, why)
        } else if self.perhaps > 0 {
            let why = format!("{} may be against it", self.perhaps);
            (Verdict::Indeterminate, why)
        } else if !self.missing.is_empty() {
            let why = "nothing known is against it, and not everything is known".to_owned();
            (Verdict::Indeterminate, why)
        } else {
            let why = match nobody {
                true => "nobody fits, as it may be".to_owned(),
                false => "nothing is against it".to_owned(),
            };
            (Verdict::Pass, why)
        };
        AssertionResult {
            name: assertion.name.clone(),
            line: assertion.line,
            verdict,
            why,
            identities: self.identities,
            maybe: self.maybe,
            against: self.surely + self.perhaps,
            shown: self.shown,
            missing_facts: self.missing.into_iter().collect(),
            missing_truncated: self.missing_more,
        }
    }
}
