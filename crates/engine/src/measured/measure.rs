//! The bounds of each closing time, the limit, and what follows from both.

use super::claims::{Claim, Claimed, about, claimed};
use super::gaps::{Gap, Observed, gap};
use super::held::{Held, HeldKind, Left, Names};
use super::probed::TriedAs;
use super::reads::{ClosedBy, Period, Proof, ProvedFrom, Reopened, Trace, Unread, as_text};
use super::steps::step_of;
use super::why::why;
use super::words::says_nothing;
use crate::lifecycle::{Afterwards, Kinds, Plan, Verdict, limit};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::{CredentialKind, LifecycleEvent};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Answer, SystemName};
use serde::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::HashMap;
use ts_rs::TS;

/// What the bounds say. Best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Closed, at the latest within the limit.
    InTime,
    /// The reads are too far apart, or there are none.
    Indeterminate,
    /// Seen open beyond the limit, closed since.
    Late,
    /// Seen open beyond the limit by the last read that tells of it.
    StillOpen,
}

impl State {
    pub const ALL: [State; 4] = [
        State::InTime,
        State::Indeterminate,
        State::Late,
        State::StillOpen,
    ];

    pub fn word(self) -> &'static str {
        match self {
            State::InTime => "closed in time",
            State::Indeterminate => "indeterminate",
            State::Late => "closed late",
            State::StillOpen => "still open",
        }
    }

    pub fn verdict(self) -> Verdict {
        match self {
            State::InTime => Verdict::Pass,
            State::Indeterminate => Verdict::Indeterminate,
            State::Late | State::StillOpen => Verdict::Fail,
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// Which reads would decide what is indeterminate: a complete one that shows it closed by the first
/// moment, or one that shows it open after the second. Where the event is dated to the moment, they
/// are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Decides {
    /// None where it is not known how early the event was.
    #[serde(serialize_with = "some_text")]
    #[ts(type = "string | null")]
    pub closed_by: Option<DateTime<Utc>>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub open_after: DateTime<Utc>,
}

/// One thing that a leaver held, measured.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Measured {
    #[ts(type = "string")]
    pub kind: HeldKind,
    pub system: String,
    pub id: String,
    /// What people call it, where its id tells them nothing.
    pub name: Option<String>,
    #[ts(type = "string | null")]
    pub on_account: Option<Names>,
    /// The same of that account.
    pub on_account_name: Option<String>,
    pub privileged: Option<bool>,
    pub verdict: Verdict,
    #[ts(type = "string")]
    pub state: State,
    /// The earliest moment that the last read which saw it open can show.
    #[serde(serialize_with = "some_text")]
    #[ts(type = "string | null")]
    pub last_open: Option<DateTime<Utc>>,
    /// When it was proved closed, at the latest.
    #[serde(serialize_with = "some_text")]
    #[ts(type = "string | null")]
    pub closed: Option<DateTime<Utc>>,
    #[ts(type = "string | null")]
    pub closed_by: Option<ClosedBy>,
    /// It was open for longer than this after the event, ...
    #[serde(rename = "lower_seconds", serialize_with = "seconds")]
    #[ts(type = "number")]
    pub lower: TimeDelta,
    /// ... and for no longer than this; None where nothing proves it closed.
    #[serde(rename = "upper_seconds", serialize_with = "some_seconds")]
    #[ts(type = "number | null")]
    pub upper: Option<TimeDelta>,
    #[serde(rename = "limit_seconds", serialize_with = "seconds")]
    #[ts(type = "number")]
    pub limit: TimeDelta,
    /// `plan`, or the name of a preset.
    pub limit_source: &'static str,
    pub reopened: Option<Reopened>,
    /// Reads that did not come to their end, and would have narrowed the bounds.
    pub unread: Option<Unread>,
    /// Of what is indeterminate.
    pub decides: Option<Decides>,
    /// One sentence.
    pub why: String,
    #[ts(type = "string")]
    pub claimed: Claimed,
    /// Places in the leaver's claims.
    #[ts(type = "Array<number>")]
    pub claims: Vec<usize>,
    /// The step of the plan that closes it first, by its place.
    #[serde(skip)]
    #[ts(skip)]
    pub step: Option<u32>,
    #[ts(type = "string | null")]
    pub gap: Option<Gap>,
    /// What the last try said of it, or of a credential that signs in to it: `accepted`, `rejected`, or
    /// `indeterminate`, which a refusal without a positive control is too. None where nothing was tried.
    pub probed: Option<&'static str>,
}

/// One past leaver, measured.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct MeasuredLeaver {
    pub identity: String,
    pub name: Option<String>,
    pub event: &'static str,
    #[serde(serialize_with = "some_text")]
    #[ts(type = "string | null")]
    pub earliest: Option<DateTime<Utc>>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub latest: DateTime<Utc>,
    pub marks: Vec<String>,
    #[serde(serialize_with = "some_text")]
    #[ts(type = "string | null")]
    pub came_back: Option<DateTime<Utc>>,
    pub verdict: Verdict,
    /// Worst first.
    pub items: Vec<Measured>,
    /// How many of their things are known to have been closed before.
    #[ts(type = "number")]
    pub closed_before: u64,
    pub claims: Vec<Claim>,
    pub missing_facts: Vec<String>,
}

fn some_text<S: Serializer>(at: &Option<DateTime<Utc>>, to: S) -> Result<S::Ok, S::Error> {
    at.map(rfc3339).serialize(to)
}

fn seconds<S: Serializer>(time: &TimeDelta, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(time.num_seconds())
}

fn some_seconds<S: Serializer>(time: &Option<TimeDelta>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.num_seconds()).serialize(to)
}

/// All that a past leaver held, measured against the plan's limits. Pass needs everything closed in
/// time and nothing missing.
pub fn measure(left: Left, plan: &Plan) -> MeasuredLeaver {
    let ways = Ways::new(&left, plan);
    let mut items = Vec::new();
    let mut closed_before = 0;
    for held in left.held.iter().filter(|held| !held.beside) {
        let trace = ways.to(held);
        let proved_before = |proof: Proof| left.earliest.is_some_and(|t| proof.at <= t);
        if trace.closed.is_some_and(proved_before) && !is_of_leaving(&left, held, &trace) {
            closed_before += 1;
            continue;
        }
        if ways.is_of_later(held) {
            continue;
        }
        items.push(one(&left, &ways, held, &trace));
    }
    items.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let any = |state| {
        items
            .iter()
            .any(|item: &Measured| item.state.verdict() == state)
    };
    let verdict = if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::Indeterminate) || !left.missing.is_empty() {
        Verdict::Indeterminate
    } else {
        Verdict::Pass
    };
    MeasuredLeaver {
        identity: left.identity,
        name: left.name,
        event: left.event.word(),
        earliest: left.earliest,
        latest: left.latest,
        marks: left.marks,
        came_back: left.back,
        verdict,
        items,
        closed_before,
        claims: left.claims,
        missing_facts: left.missing,
    }
}

/// What people call it, where its id tells them nothing.
fn shown(held: &Held) -> Option<String> {
    held.name.clone().filter(|_| says_nothing(&held.names.id))
}

/// Whether what was closed before the event was closed for it: it had been seen open, and it was closed on
/// the last day, or somebody claims it as a step of this leaving.
fn is_of_leaving(left: &Left, held: &Held, trace: &Trace) -> bool {
    let on_last_day = |proof: Proof| {
        let day = left
            .earliest
            .and_then(|t| t.checked_sub_signed(TimeDelta::days(1)));
        day.is_some_and(|day| proof.at > day)
    };
    trace.open.is_some()
        && (trace.closed.is_some_and(on_last_day) || !about(left, held).0.is_empty())
}

type Rank<'m> = (
    Reverse<State>,
    Reverse<bool>,
    Reverse<TimeDelta>,
    HeldKind,
    &'m str,
    &'m str,
    &'m Option<Names>,
);

/// Worst first: by verdict, what is privileged, what was open longest, then by name.
fn rank(item: &Measured) -> Rank<'_> {
    (
        Reverse(item.state),
        Reverse(item.privileged == Some(true)),
        Reverse(item.lower),
        item.kind,
        &item.system,
        &item.id,
        &item.on_account,
    )
}

/// Whether a thing is a way in by itself, or closes with the account that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Own,
    Accounts,
}

/// By what each thing is used: itself, and what leads to it.
struct Ways<'l> {
    plan: &'l Plan,
    period: Period,
    latest: DateTime<Utc>,
    back_by: Option<DateTime<Utc>>,
    accounts: HashMap<&'l Names, &'l Held>,
    credentials: HashMap<&'l Names, Vec<&'l Held>>,
}

impl<'l> Ways<'l> {
    fn new(left: &'l Left, plan: &'l Plan) -> Ways<'l> {
        let mut accounts = HashMap::new();
        let mut credentials: HashMap<&Names, Vec<&Held>> = HashMap::new();
        for held in &left.held {
            match (held.kind, &held.on_account) {
                (HeldKind::Account, _) => {
                    accounts.insert(&held.names, held);
                }
                (HeldKind::Credential, Some(account)) => {
                    credentials.entry(account).or_default().push(held);
                }
                _ => {}
            }
        }
        let period = Period {
            from: left.earliest,
            back: left.back,
        };
        Ways {
            plan,
            period,
            latest: left.latest,
            back_by: left.back_by,
            accounts,
            credentials,
        }
    }

    /// What all sources tell of a thing itself: open as long as one of them shows it.
    fn itself(&self, held: &Held) -> Trace {
        let traces = held.told.iter().map(|told| told.trace(self.period));
        let read = traces.reduce(Trace::or).unwrap_or_default();
        let tried_as = match held.kind {
            HeldKind::Credential => TriedAs::Itself,
            HeldKind::Account
            | HeldKind::Session
            | HeldKind::Entitlement
            | HeldKind::Location
            | HeldKind::Control => TriedAs::ItsAccount,
        };
        read.tried(&held.tried, tried_as, self.period)
    }

    fn to(&self, held: &Held) -> Trace {
        match (held.kind, &held.on_account) {
            (HeldKind::Account, _) => self.sign_in(held, &mut Vec::new()),
            (HeldKind::Credential, Some(account)) if self.dies(held) => {
                let own = self.itself(held);
                match self.accounts.get(account) {
                    Some(account) => {
                        let sign_in = self.sign_in(account, &mut Vec::new());
                        own.and(sign_in, ClosedBy::Account)
                    }
                    None => own,
                }
            }
            (HeldKind::Credential | HeldKind::Session, _) => self.itself(held),
            (HeldKind::Entitlement | HeldKind::Location | HeldKind::Control, account) => {
                let own = self.itself(held);
                let way = account.as_ref().and_then(|account| self.into(account));
                way.map_or(own, |way| own.and(way, ClosedBy::Account))
            }
        }
    }

    /// Whether a credential is worth nothing once its account is closed.
    fn dies(&self, credential: &Held) -> bool {
        credential.credential == Some(CredentialKind::Password)
            || self
                .plan
                .dies_with_account(&SystemName::new(&*credential.names.system))
                == Some(true)
    }

    fn account_of(&self, held: &Held) -> Option<&'l Held> {
        let account = held.on_account.as_ref()?;
        self.accounts.get(account).copied()
    }

    fn door(&self, held: &Held) -> Door {
        match held.kind {
            HeldKind::Account | HeldKind::Session => Door::Own,
            HeldKind::Credential if self.dies(held) => Door::Accounts,
            HeldKind::Credential => Door::Own,
            HeldKind::Entitlement | HeldKind::Location | HeldKind::Control => Door::Accounts,
        }
    }

    /// Signing in to an account: its own state, and that of the account that it signs in through.
    /// How long a session through that one goes on is only known by plan, and counts as open.
    fn sign_in(&self, account: &Held, seen: &mut Vec<Names>) -> Trace {
        let own = self.itself(account);
        let through = (account.through.as_ref()).and_then(|names| self.accounts.get(names));
        let Some(through) = through.filter(|_| !seen.contains(&account.names)) else {
            return own;
        };
        seen.push(account.names.clone());
        let mut leading = self.sign_in(through, seen);
        if let Some(proof) = leading.closed.as_mut() {
            let goes_on = self.session_lifetime(&account.names.system);
            proof.at = proof.at.checked_add_signed(goes_on).unwrap_or(proof.at);
        }
        own.and(leading, ClosedBy::Account)
    }

    fn session_lifetime(&self, system: &str) -> TimeDelta {
        let mut tables = self.plan.systems.iter().rev();
        let table = tables.find(|table| table.name.as_str() == system);
        table.and_then(|t| t.session_lifetime).unwrap_or_default()
    }

    /// Into an account: by signing in, or by a credential that outlives that.
    fn into(&self, account: &Names) -> Option<Trace> {
        let sign_in = self.accounts.get(account)?;
        let sign_in = self.sign_in(sign_in, &mut Vec::new());
        let outliving = self.credentials.get(account).into_iter().flatten();
        let outliving = outliving.filter(|credential| !self.dies(credential));
        Some(outliving.fold(sign_in, |way, one| way.or(self.itself(one))))
    }

    /// Whether a thing is only known from reads after they were back, and nothing says that it was
    /// there before.
    fn is_of_later(&self, held: &Held) -> bool {
        let Some(back) = self.back_by else {
            return false;
        };
        let by_then = held.created.is_some_and(|at| at.earliest() < self.latest);
        let first = held.told.iter().filter_map(|told| {
            let born = told.versions.iter().map(|version| version.born).min()?;
            let read = told.reads.iter().find(|read| read.sync >= born)?;
            Some(read.until)
        });
        !by_then && first.min().is_none_or(|first| first >= back)
    }
}

fn one(left: &Left, ways: &Ways<'_>, held: &Held, trace: &Trace) -> Measured {
    let door = ways.door(held);
    let kinds = Kinds {
        event: left.event,
        kind: left.kind,
        leaver_kind: left.leaver_kind,
    };
    let system = held.names.system.as_str();
    let afterwards = match left.event {
        LifecycleEvent::Mover => Afterwards::OtherRole,
        _ => Afterwards::Gone,
    };
    let (limit, limit_source) = limit(ways.plan, kinds, afterwards, system, held.privileged);
    let zero = TimeDelta::zero();
    let lower = trace
        .open
        .map_or(zero, |open| (open - left.latest).max(zero));
    let upper = match (trace.closed, left.earliest) {
        (Some(proof), Some(earliest)) => Some((proof.at - earliest).max(zero)),
        _ => None,
    };
    let state = if lower > limit {
        match trace.closed {
            Some(_) => State::Late,
            None => State::StillOpen,
        }
    } else if upper.is_some_and(|upper| upper <= limit) {
        State::InTime
    } else {
        State::Indeterminate
    };
    let decides = (state == State::Indeterminate).then(|| Decides {
        closed_by: left.earliest.and_then(|t| t.checked_add_signed(limit)),
        open_after: left.latest.checked_add_signed(limit).unwrap_or(left.latest),
    });
    let (claims, beside) = about(left, held);
    let of_claims = claims.iter().filter_map(|place| left.claims.get(*place));
    let said = claimed(left, of_claims.clone());
    let seen = Observed {
        open: trace.open,
        closed: trace.closed.map(|proof| proof.at),
        // What was open again with its account is told of the account.
        reopened: match door {
            Door::Own => trace.reopened,
            Door::Accounts => ways.itself(held).reopened,
        },
        on_paper: trace.on_paper,
        overdue: state == State::StillOpen,
        by_somebody: trace
            .closed
            .is_some_and(|proof| by_somebody(proof) && was_open(proof, trace)),
    };
    // What closes with its account is no door of its own: nobody needs to claim anything of it.
    let gap = gap(&seen, said, of_claims, beside).filter(|gap| match gap {
        Gap::NoClaim | Gap::ClosedUnclaimed => door == Door::Own,
        Gap::OnPaper
        | Gap::ReEnabled
        | Gap::Overridden
        | Gap::NotDoneAndClosed
        | Gap::RetriedAndReported
        | Gap::DoneAndOpen
        | Gap::ClaimedTooEarly => true,
    });
    // Of what closes with its account stands what is claimed of that.
    let claims = match (door, ways.account_of(held)) {
        (Door::Accounts, Some(account)) if claims.is_empty() => about(left, account).0,
        _ => claims,
    };
    let claimed = claimed(
        left,
        claims.iter().filter_map(|place| left.claims.get(*place)),
    );
    let mut measured = Measured {
        kind: held.kind,
        system: held.names.system.clone(),
        id: held.names.id.clone(),
        name: shown(held),
        on_account: held.on_account.clone(),
        on_account_name: ways.account_of(held).and_then(shown),
        privileged: held.privileged,
        verdict: state.verdict(),
        state,
        last_open: trace.open,
        closed: trace.closed.map(|proof| proof.at),
        closed_by: trace.closed.map(|proof| proof.by),
        lower,
        upper,
        limit,
        limit_source,
        reopened: trace.reopened,
        unread: trace.unread,
        decides,
        why: String::new(),
        claimed,
        claims,
        step: step_of(ways.plan, left, held, ways.account_of(held)),
        gap,
        probed: held.tried.last().map(|last| match last.counts {
            true => last.answer.word(),
            false => Answer::Indeterminate.word(),
        }),
    };
    measured.why = why(left, &measured, trace);
    measured
}

/// Whether somebody, or something, must have done it.
fn by_somebody(proof: Proof) -> bool {
    match proof.by {
        ClosedBy::Gone | ClosedBy::Disabled | ClosedBy::Revoked | ClosedBy::Refused => true,
        ClosedBy::Expired | ClosedBy::Account => false,
    }
}

/// Whether it is known to have been open before: what was closed when first read may have been so
/// long before they left.
fn was_open(proof: Proof, trace: &Trace) -> bool {
    match proof.from {
        ProvedFrom::System => true,
        ProvedFrom::Read => trace.open.is_some(),
    }
}
