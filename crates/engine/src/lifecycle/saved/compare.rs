//! Two rehearsals of one question, item by item: what came, went and changed, and why.
//!
//! An item is as it was where it closes at the same time, or as long after the event: a rehearsal of
//! another day moves what the plan closes. The reason of a difference is known where only one thing
//! differs of what the two were asked with, or where putting one thing back, in the later one, gives
//! what the earlier one had.

use super::{FactsState, Input, KeptItem, KeptKind, KeptRehearsal, Question, moment};
use crate::access::ReadState;
use crate::lifecycle::{Closing, Verdict};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use serde::Serialize;
use std::cmp::Ordering;
use ts_rs::TS;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum WhatOf {
    Added,
    /// It is new here, and may not be: what tells of it had not been read whole before.
    NotReadBefore,
    Changed,
    Gone,
    /// It is not here, and what told of it has not been read whole since.
    #[serde(rename = "disappeared_without_proof")]
    Unproved,
}

impl WhatOf {
    /// The word as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            WhatOf::Added => "added",
            WhatOf::NotReadBefore => "not_read_before",
            WhatOf::Changed => "changed",
            WhatOf::Gone => "gone",
            WhatOf::Unproved => "disappeared_without_proof",
        }
    }
}

/// Whether a difference is for the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Direction {
    Worse,
    /// It is not known any more.
    Unknown,
    /// For the worse in one way and for the better in another, or neither.
    Neither,
    Better,
}

impl Direction {
    /// The word as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Worse => "worse",
            Direction::Unknown => "unknown",
            Direction::Neither => "neither",
            Direction::Better => "better",
        }
    }
}

/// One item that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ItemDifference {
    pub what: WhatOf,
    pub direction: Direction,
    pub before: Option<KeptItem>,
    pub after: Option<KeptItem>,
    /// What the reason is; where it is not known, what it can be.
    pub reasons: Vec<Input>,
    pub reason_known: bool,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Counts {
    pub added: u64,
    pub not_read_before: u64,
    pub changed: u64,
    pub gone: u64,
    pub disappeared_without_proof: u64,
    pub same: u64,
    pub worse: u64,
    /// Not known any more.
    pub unknown: u64,
    pub better: u64,
}

/// What differs between two rehearsals of one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Comparison {
    pub question: Question,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub before_at: DateTime<Utc>,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub after_at: DateTime<Utc>,
    pub before_facts: FactsState,
    pub after_facts: FactsState,
    pub before_verdict: Verdict,
    pub after_verdict: Verdict,
    /// What the later one was asked with that the earlier one was not.
    pub changed_inputs: Vec<Input>,
    pub counts: Counts,
    /// What the later one does not know.
    pub missing_facts: Vec<String>,
    /// What is worse first.
    pub differences: Vec<ItemDifference>,
}

/// The later rehearsal, played again with some of its inputs as the earlier one had them.
pub struct PutBack {
    /// Of plan, policy and moment.
    pub inputs: Vec<Input>,
    pub at: DateTime<Utc>,
    pub items: Vec<KeptItem>,
}

/// What differs between two rehearsals; both are of one question.
pub fn compare(before: &KeptRehearsal, after: &KeptRehearsal, put_back: &[PutBack]) -> Comparison {
    let changed_inputs = before.inputs_changed(after);
    let pair = Pair {
        before,
        after,
        put_back,
        changed: &changed_inputs,
        knows_less: knows_less(before, after),
    };
    let (mut counts, mut differences) = (Counts::default(), Vec::new());
    let (mut old, mut new) = (
        before.items.iter().peekable(),
        after.items.iter().peekable(),
    );
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.key().cmp(&other.key()),
        };
        let (one, other) = match order {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        };
        match pair.difference(one, other) {
            Some(difference) => {
                counts.count(&difference);
                differences.push(difference);
            }
            None => counts.same += 1,
        }
    }
    let worst = |one: &ItemDifference| {
        let item = one.after.as_ref().or(one.before.as_ref());
        item.and_then(|item| item.severity)
    };
    // Stable: of equals the order of the items.
    differences
        .sort_by(|a, b| (a.direction, worst(b), a.what).cmp(&(b.direction, worst(a), b.what)));
    Comparison {
        question: after.question.clone(),
        before_at: before.with.at,
        after_at: after.with.at,
        before_facts: before.facts,
        after_facts: after.facts,
        before_verdict: before.verdict,
        after_verdict: after.verdict,
        counts,
        missing_facts: after.missing_facts.clone(),
        differences,
        changed_inputs,
    }
}

impl Counts {
    fn count(&mut self, one: &ItemDifference) {
        match one.what {
            WhatOf::Added => self.added += 1,
            WhatOf::NotReadBefore => self.not_read_before += 1,
            WhatOf::Changed => self.changed += 1,
            WhatOf::Gone => self.gone += 1,
            WhatOf::Unproved => self.disappeared_without_proof += 1,
        }
        match one.direction {
            Direction::Worse => self.worse += 1,
            Direction::Better => self.better += 1,
            Direction::Unknown => self.unknown += 1,
            Direction::Neither => {}
        }
    }
}

struct Pair<'a> {
    before: &'a KeptRehearsal,
    after: &'a KeptRehearsal,
    put_back: &'a [PutBack],
    changed: &'a [Input],
    /// The later one lacks facts that the earlier one had.
    knows_less: bool,
}

impl Pair<'_> {
    /// None where both are the same.
    fn difference(
        &self,
        before: Option<&KeptItem>,
        after: Option<&KeptItem>,
    ) -> Option<ItemDifference> {
        let (then, now) = (self.before.with.at, self.after.with.at);
        let (reasons, reason_known) = self.reasons(before, after);
        // Where what was read plays no part, there is nothing to prove.
        let by_facts = reasons.contains(&Input::Facts);
        let (what, direction) = match (before, after) {
            (None, None) => return None,
            (Some(one), Some(other)) => {
                if same((one, then), (other, now)) {
                    return None;
                }
                let direction = match direction((one, then), (other, now)) {
                    // Less is known than before: what is not seen may still be there.
                    Direction::Better if by_facts && self.knows_less => Direction::Unknown,
                    direction => direction,
                };
                (WhatOf::Changed, direction)
            }
            (None, Some(item)) => {
                let (told, other) = (&self.after.reads, &self.before.reads);
                let what = match !by_facts || is_told(item, told, other, Since::Whenever) {
                    true => WhatOf::Added,
                    false => WhatOf::NotReadBefore,
                };
                let direction = match item.verdict {
                    Verdict::Fail => Direction::Worse,
                    Verdict::Indeterminate => Direction::Unknown,
                    Verdict::Pass => Direction::Neither,
                };
                (what, direction)
            }
            (Some(item), None) => {
                let (told, other) = (&self.before.reads, &self.after.reads);
                let proved = || !self.knows_less && is_told(item, told, other, Since::Then);
                // Whom no source lists is not rehearsed any more: what they had may be there still.
                let open = item.kind == KeptKind::Identity
                    && item.left.is_some_and(|left| left.residual > 0);
                match !open && (!by_facts || proved()) {
                    true => (WhatOf::Gone, Direction::Better),
                    false => (WhatOf::Unproved, Direction::Unknown),
                }
            }
        };
        Some(ItemDifference {
            what,
            direction,
            before: before.cloned(),
            after: after.cloned(),
            reasons,
            reason_known,
        })
    }

    /// What the reason is, or can be; and whether that is known.
    fn reasons(&self, before: Option<&KeptItem>, after: Option<&KeptItem>) -> (Vec<Input>, bool) {
        if self.changed.len() < 2 {
            return (self.changed.to_vec(), self.changed.len() == 1);
        }
        let (then, now) = (self.before.with.at, self.after.with.at);
        let Some(key) = before.or(after).map(KeptItem::key) else {
            return (Vec::new(), false);
        };
        let both = |one: Option<(&KeptItem, DateTime<Utc>)>, other| match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => same(one, other),
            _ => false,
        };
        let (before, after) = (
            before.map(|item| (item, then)),
            after.map(|item| (item, now)),
        );
        let played = |back: &PutBack| -> (bool, bool) {
            let found = back.items.binary_search_by(|item| item.key().cmp(&key));
            let found = found.ok().and_then(|place| back.items.get(place));
            let found = found.map(|item| (item, back.at));
            (both(found, before), both(found, after))
        };
        let mut alone = Vec::new();
        let mut settings: Vec<Input> = Vec::new();
        for back in self.put_back {
            let (as_before, as_after) = played(back);
            match back.inputs.as_slice() {
                [one] if as_before && !as_after => alone.push(*one),
                _ => {}
            }
            if is_all_settings(&back.inputs, self.changed) {
                if as_after && self.changed.contains(&Input::Facts) {
                    // None of the settings makes a difference: what was read does.
                    let rest = self.changed.iter().filter(|one| !is_setting(**one));
                    settings = rest.copied().collect();
                } else if as_before {
                    settings = back.inputs.clone();
                }
            }
        }
        match (alone.is_empty(), settings.is_empty()) {
            (false, _) => (alone, true),
            (true, false) => {
                let known = settings.len() == 1;
                (settings, known)
            }
            (true, true) => (self.changed.to_vec(), false),
        }
    }
}

/// When a state must have been read to say something of what another one told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Whenever,
    /// Not before that other one.
    Then,
}

/// Whether all that told of an item in one state has been read whole in the other.
fn is_told(item: &KeptItem, told: &[ReadState], other: &[ReadState], since: Since) -> bool {
    let mut telling = told.iter().filter(|read| tells_of(read, item)).peekable();
    // Where nothing is known to have told of it, nothing proves that it is gone.
    telling.peek().is_some()
        && telling.all(|read| {
            let again = |other: &&ReadState| other.source == read.source && other.kind == read.kind;
            other.iter().find(again).is_some_and(|again| {
                let early = since == Since::Then && again.complete_at < read.complete_at;
                again.gaps.is_empty() && again.complete_at.is_some() && !early
            })
        })
}

/// Whether the later one does not know what the earlier one knew: a fact is missing that was not, or
/// of everyone, where only the reads say what is missing, one of these.
fn knows_less(before: &KeptRehearsal, after: &KeptRehearsal) -> bool {
    let missed = &before.missing_facts;
    let misses = |fact: &String| !missed.iter().any(|one| is_one_fact(one, fact));
    let is_whole = |read: &&ReadState| read.gaps.is_empty() && read.complete_at.is_some();
    let lost = |read: &ReadState| {
        let again = |other: &&ReadState| other.source == read.source && other.kind == read.kind;
        !after
            .reads
            .iter()
            .filter(is_whole)
            .any(|other| again(&other))
    };
    after.missing_facts.iter().any(misses)
        || after.question == Question::Everyone && before.reads.iter().filter(is_whole).any(lost)
}

/// Whether two sentences name one missing fact: of what is too old they say how old.
fn is_one_fact(one: &str, other: &str) -> bool {
    let named = |sentence: &str| -> Option<(String, String)> {
        let (what, rest) = sentence.split_once(" were last read completely from source ")?;
        let (source, _) = rest.split_once(" at ")?;
        Some((what.to_owned(), source.to_owned()))
    };
    one == other || named(one).is_some_and(|one| named(other) == Some(one))
}

fn is_setting(input: Input) -> bool {
    match input {
        Input::Plan | Input::Policy | Input::Moment => true,
        Input::Facts | Input::Version => false,
    }
}

fn is_all_settings(inputs: &[Input], changed: &[Input]) -> bool {
    let mut settings = changed.iter().filter(|one| is_setting(**one));
    settings.all(|one| inputs.contains(one))
}

/// Whether a read tells of what an item rests on: of an identity, the reads of identities.
fn tells_of(read: &ReadState, item: &KeptItem) -> bool {
    match item.kind {
        KeptKind::Identity | KeptKind::Event => read.kind == Kind::Identity,
        KeptKind::Account
        | KeptKind::Credential
        | KeptKind::Entitlement
        | KeptKind::Location
        | KeptKind::MissingGrant
        | KeptKind::ExtraGrant => item.systems.iter().any(|system| read.is_of(system)),
    }
}

type Dated<'a> = (&'a KeptItem, DateTime<Utc>);

fn same(one: Dated<'_>, other: Dated<'_>) -> bool {
    let ((a, _), (b, _)) = (one, other);
    later(one, other) == Ordering::Equal
        && (a.verdict, a.basis, a.severity, a.left, &a.said)
            == (b.verdict, b.basis, b.severity, b.left, &b.said)
}

/// Whether the first closes earlier, as it was, or later: equal at one time, or as long after the event.
fn later(one: Dated<'_>, other: Dated<'_>) -> Ordering {
    let ((a, then), (b, now)) = (one, other);
    match (a.closes_at, b.closes_at) {
        (Some(Closing::At(a)), Some(Closing::At(b))) if a != b => (a - then).cmp(&(b - now)),
        (a, b) => a.cmp(&b),
    }
}

fn direction(before: Dated<'_>, after: Dated<'_>) -> Direction {
    let ((a, _), (b, _)) = (before, after);
    let doubt = match (a.verdict, b.verdict) {
        (Verdict::Pass | Verdict::Fail, Verdict::Indeterminate) => return Direction::Unknown,
        (Verdict::Pass, Verdict::Fail) | (Verdict::Indeterminate, Verdict::Fail) => Ordering::Less,
        (Verdict::Fail, Verdict::Pass) | (Verdict::Indeterminate, Verdict::Pass) => {
            Ordering::Greater
        }
        (Verdict::Pass, Verdict::Pass)
        | (Verdict::Fail, Verdict::Fail)
        | (Verdict::Indeterminate, Verdict::Indeterminate) => Ordering::Equal,
    };
    let numbers = |item: &KeptItem| item.left.unwrap_or_default();
    let (x, y) = (numbers(a), numbers(b));
    let orders = [
        doubt,
        a.severity.cmp(&b.severity),
        later(before, after),
        x.late.cmp(&y.late),
        x.never.cmp(&y.never),
        x.residual.cmp(&y.residual),
    ];
    match (
        orders.contains(&Ordering::Less),
        orders.contains(&Ordering::Greater),
    ) {
        (true, false) => Direction::Worse,
        (false, true) => Direction::Better,
        (true, true) | (false, false) => Direction::Neither,
    }
}
