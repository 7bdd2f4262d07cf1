//! What tries of a credential add to what reads show of it.

use super::reads::{ClosedBy, Period, Proof, ProvedFrom, Reopened, Trace, as_text};
use crate::probes::Proves;
use chrono::{DateTime, Utc};
use lastkey_contract::Answer;
use serde::{Serialize, Serializer};
use ts_rs::TS;

/// One try of a credential that signs in to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export, rename = "TryLine")]
pub struct Probed {
    pub probe: String,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub from: DateTime<Utc>,
    #[serde(serialize_with = "as_text")]
    #[ts(type = "string")]
    pub until: DateTime<Utc>,
    #[serde(serialize_with = "answer_word")]
    #[ts(type = "string")]
    pub answer: Answer,
    /// As the system gave it.
    pub raw: String,
    pub why: Option<String>,
    /// Whether it proves anything: a refusal only after the same secret was let in.
    pub counts: bool,
    #[serde(skip)]
    #[ts(skip)]
    pub proves: Proves,
}

fn answer_word<S: Serializer>(answer: &Answer, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(answer.word())
}

/// Of what a try tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TriedAs {
    /// The very credential: that it is refused proves it closed.
    Itself,
    /// The account that it signs in to: another credential may still open it.
    ItsAccount,
}

impl Trace {
    /// The same with tries, in the order of their times. Whatever was let in was open then, also where
    /// reads show it closed: then only a refusal proves it closed.
    pub fn tried(mut self, tries: &[Probed], of: TriedAs, period: Period) -> Trace {
        // Who was let in, and how reads showed it closed by then.
        let mut on_paper: Option<(&str, Proof)> = None;
        for one in tries {
            let is_back = period.back.is_some_and(|back| one.until >= back);
            match one.proves {
                Proves::Open if is_back => {
                    self.back_open = true;
                    break;
                }
                Proves::Open => {
                    self.open = self.open.max(Some(one.from));
                    let Some(proof) = self.closed.filter(|proof| proof.at <= one.from) else {
                        continue;
                    };
                    self.closed = None;
                    self.on_paper = true;
                    self.reopened = Some(Reopened {
                        closed: proof.at,
                        open: one.from,
                    });
                    on_paper = Some((&one.probe, proof));
                }
                Proves::Closed if is_back => break,
                Proves::Closed => {
                    let refuted = on_paper.filter(|(probe, _)| *probe == one.probe);
                    let by = match (of, refuted) {
                        (TriedAs::Itself, _) => ClosedBy::Refused,
                        (TriedAs::ItsAccount, Some(_)) => ClosedBy::Refused,
                        (TriedAs::ItsAccount, None) => continue,
                    };
                    let seen_since = self.open.is_some_and(|open| open > one.until);
                    let earlier = self.closed.is_some_and(|proof| proof.at <= one.until);
                    if !seen_since && !earlier {
                        self.closed = Some(Proof {
                            at: one.until,
                            by,
                            from: ProvedFrom::Read,
                        });
                    }
                }
                Proves::Nothing => {}
            }
        }
        self
    }
}
