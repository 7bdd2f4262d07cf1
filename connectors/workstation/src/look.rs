//! Looks through text for everything that has a shape: all beginnings at once, and each place where
//! one stands is then looked at closely.

use crate::custom;
use crate::find::{Beside, Find, Named, Value};
use crate::shapes::{SHAPES, Shape, end};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::{memchr_iter, memrchr};
use std::ops::Range;

/// What stands behind a beginning.
#[derive(Clone, Copy)]
enum Behind {
    Shape(&'static Shape),
    Custom(custom::Custom),
}

/// Something of a shape, by where it stands in the text.
#[derive(Debug)]
pub struct Met {
    pub rule: &'static str,
    pub at: Range<usize>,
    pub value: Option<Value>,
    pub named: Option<Named>,
}

/// All beginnings, ready to be looked for; made once for a scan.
pub struct Looker {
    beginnings: AhoCorasick,
    behind: Vec<Behind>,
}

impl Looker {
    pub fn new() -> Result<Looker, String> {
        let mut words: Vec<&[u8]> = Vec::new();
        let mut behind = Vec::new();
        for shape in SHAPES {
            for start in shape.starts {
                words.push(start.as_bytes());
                behind.push(Behind::Shape(shape));
            }
        }
        for custom in custom::Custom::ALL {
            for start in custom.starts() {
                words.push(start.as_bytes());
                behind.push(Behind::Custom(custom));
            }
        }
        let beginnings = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .map_err(|error| error.to_string())?;
        Ok(Looker { beginnings, behind })
    }

    /// What stands in a text, in order; none overlaps another.
    pub fn met(&self, text: &[u8]) -> Vec<Met> {
        let mut met: Vec<Met> = Vec::new();
        for start in self.beginnings.find_iter(text) {
            let (from, after) = (start.start(), start.end());
            let found = match self.behind.get(start.pattern().as_usize()) {
                Some(Behind::Shape(shape)) => end(shape, text, from, after).map(|end| Met {
                    rule: shape.word,
                    at: from..end,
                    value: text.get(from..end).map(Value::new),
                    named: None,
                }),
                Some(Behind::Custom(custom)) => custom.look(text, from, after),
                None => None,
            };
            let Some(found) = found else { continue };
            // The password of an address is not looked for inside a token, nor a token twice.
            if met.last().is_some_and(|last| last.at.end > found.at.start) {
                continue;
            }
            met.push(found);
        }
        met
    }
}

/// Brings the ids of AWS keys and their secrets together: the secret stands within a few lines of
/// the id. What only names a key keeps no value.
pub fn pair(met: &mut [Met]) {
    /// How far apart they stand at most.
    const APART: usize = 400;
    let ids: Vec<(usize, Option<String>)> = met
        .iter()
        .enumerate()
        .filter(|(_, one)| one.rule == custom::KEY_ID)
        .map(|(at, one)| {
            let id = one
                .value
                .as_ref()
                .map(|value| String::from_utf8_lossy(value.bytes()).into_owned());
            (at, id)
        })
        .collect();
    for (at, id) in ids {
        let Some(id) = id else { continue };
        let Some(place) = met.get(at).map(|one| one.at.clone()) else {
            continue;
        };
        let near = |other: &Range<usize>| {
            let apart = match other.start >= place.end {
                true => other.start - place.end,
                false => place.start.saturating_sub(other.end),
            };
            (apart <= APART).then_some(apart)
        };
        let secret = met
            .iter()
            .enumerate()
            .filter(|(_, other)| other.rule == custom::SECRET_KEY && other.named.is_none())
            .filter_map(|(n, other)| near(&other.at).map(|apart| (apart, n)))
            .min()
            .map(|(_, n)| n);
        if let Some(secret) = secret.and_then(|n| met.get_mut(n)) {
            secret.named = Some(Named::AwsKey {
                id: id.clone(),
                secret: Beside::Secret,
            });
        }
        if let Some(one) = met.get_mut(at) {
            one.value = None;
            one.named = Some(Named::AwsKey {
                id,
                secret: Beside::NameOnly,
            });
        }
    }
}

/// Finds, with the lines in which they begin; `before` lines came before this text.
pub fn finds(text: &[u8], met: Vec<Met>, before: u64) -> Vec<Find> {
    let mut ends = memchr_iter(b'\n', text).peekable();
    let mut line = before + 1;
    met.into_iter()
        .map(|one| {
            while ends.next_if(|end| *end < one.at.start).is_some() {
                line += 1;
            }
            Find {
                rule: one.rule,
                field: None,
                line: Some(line),
                value: one.value,
                named: one.named,
            }
        })
        .collect()
}

/// Where a text may be cut so that no line is: after its last line end.
pub fn last_line_end(text: &[u8]) -> Option<usize> {
    memrchr(b'\n', text).map(|at| at + 1)
}
