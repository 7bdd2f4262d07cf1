//! Whether a message of the directory has the shape that RFC 4511 gives it, so that the LDAP
//! client never sees another: the client takes messages apart by recursion without end, and
//! panics where a part is missing.
//!
//! Only messages of which every level is known pass, so that their depth is bounded. What lies in
//! a value is not looked into; [`is_shallow`] is for those few values that are taken apart later.

use std::str::from_utf8;

/// What an element costs in memory beside its bytes, about: it becomes a node of a tree.
const NODE: usize = 64;
/// Bytes of the longest header of an element: tag, length of the length, eight bytes.
const LONGEST_HEADER: usize = 10;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const TEXT: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;

/// What a message is, as far as it decides where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    BindRequest,
    BindResponse,
    SearchRequest,
    Entry,
    SearchDone,
    Reference,
    ExtendedRequest,
    ExtendedResponse,
    Intermediate,
    /// A request that is not answered.
    Other,
}

impl Operation {
    fn of(tag: u8) -> Operation {
        match tag {
            0x60 => Operation::BindRequest,
            0x61 => Operation::BindResponse,
            0x63 => Operation::SearchRequest,
            0x64 => Operation::Entry,
            0x65 => Operation::SearchDone,
            0x73 => Operation::Reference,
            0x77 => Operation::ExtendedRequest,
            0x78 => Operation::ExtendedResponse,
            0x79 => Operation::Intermediate,
            _ => Operation::Other,
        }
    }

    /// Whether a message of this sort belongs to a search and does not end it.
    pub fn is_item(self) -> bool {
        matches!(
            self,
            Operation::Entry | Operation::Reference | Operation::Intermediate
        )
    }
}

/// A message that may be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: i64,
    pub operation: Operation,
    /// The code of a result, where it is one.
    pub result: Option<u32>,
    /// About how much memory it takes once it is taken apart.
    pub weight: usize,
}

/// What is wrong with a message, to follow "the directory answered oddly:".
pub type Wrong = &'static str;

const CUT: Wrong = "a message breaks off within itself";
const NOT_LDAP: Wrong = "it does not speak LDAP";
const SHAPE: Wrong = "a message has not the parts that LDAP gives it";

/// How many bytes the message at the start has in all; None while its header is not whole.
/// More than `most` is wrong before any of it is waited for.
pub fn length(bytes: &[u8], most: usize) -> Result<Option<usize>, Wrong> {
    match bytes.first() {
        None => return Ok(None),
        Some(&SEQUENCE) => {}
        Some(_) => return Err(NOT_LDAP),
    }
    match header(bytes) {
        Header::Part if bytes.len() < LONGEST_HEADER => Ok(None),
        Header::Part | Header::Odd => Err(NOT_LDAP),
        Header::Whole { start, length } => match start.checked_add(length) {
            Some(whole) if whole <= most => Ok(Some(whole)),
            _ => Err("it announces a message that is too large to be one"),
        },
    }
}

enum Header {
    Whole {
        start: usize,
        length: usize,
    },
    /// More bytes are needed.
    Part,
    /// A form that LDAP forbids: no length told, or a tag of several bytes.
    Odd,
}

/// Where an element's content starts, and how long it is.
fn header(bytes: &[u8]) -> Header {
    let (tag, first) = match bytes {
        [tag, first, ..] => (*tag, *first),
        _ => return Header::Part,
    };
    if tag & 0x1f == 0x1f {
        return Header::Odd;
    }
    let more = match first {
        0..=0x7f => {
            let length = usize::from(first);
            return Header::Whole { start: 2, length };
        }
        0x81..=0x88 => usize::from(first & 0x7f),
        _ => return Header::Odd,
    };
    let Some(digits) = bytes.get(2..2 + more) else {
        return Header::Part;
    };
    let length = digits
        .iter()
        .fold(0, |sum: u64, b| sum << 8 | u64::from(*b));
    match usize::try_from(length) {
        Ok(length) => Header::Whole {
            start: 2 + more,
            length,
        },
        Err(_) => Header::Odd,
    }
}

/// Elements that stand one after the other.
struct Elements<'a> {
    rest: &'a mut [u8],
}

impl<'a> Elements<'a> {
    /// The next element: its tag and its content. None at the end.
    fn next(&mut self, weight: &mut usize) -> Result<Option<(u8, &'a mut [u8])>, Wrong> {
        let Some(tag) = self.rest.first().copied() else {
            return Ok(None);
        };
        let Header::Whole { start, length } = header(self.rest) else {
            return Err(CUT);
        };
        let rest = std::mem::take(&mut self.rest);
        let (_, rest) = rest.split_at_mut_checked(start).ok_or(CUT)?;
        let (content, rest) = rest.split_at_mut_checked(length).ok_or(CUT)?;
        self.rest = rest;
        *weight += NODE;
        Ok(Some((tag, content)))
    }

    /// The content of the next element, which must be of this sort.
    fn expect(&mut self, tag: u8, weight: &mut usize) -> Result<&'a mut [u8], Wrong> {
        match self.next(weight)? {
            Some((found, content)) if found == tag => Ok(content),
            Some(_) | None => Err(SHAPE),
        }
    }

    /// Nothing may be left.
    fn end(&self) -> Result<(), Wrong> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(SHAPE),
        }
    }

    /// All that is left must be of this sort.
    fn only(&mut self, tag: u8, weight: &mut usize) -> Result<(), Wrong> {
        while let Some((found, _)) = self.next(weight)? {
            if found != tag {
                return Err(SHAPE);
            }
        }
        Ok(())
    }
}

/// What a whole message is. Words of the directory that are not UTF-8 are made so where they
/// stand, with question marks.
pub fn check(bytes: &mut [u8]) -> Result<Message, Wrong> {
    let mut weight = bytes.len();
    let w = &mut weight;
    let mut outer = Elements { rest: bytes };
    let mut parts = Elements {
        rest: outer.expect(SEQUENCE, w)?,
    };
    let id = number(parts.expect(INTEGER, w)?)?;
    let (tag, content) = parts.next(w)?.ok_or(SHAPE)?;
    let operation = Operation::of(tag);
    let mut inner = Elements { rest: content };
    let mut result = None;
    match operation {
        Operation::BindResponse | Operation::SearchDone | Operation::ExtendedResponse => {
            result = Some(answer(&mut inner, w)?);
        }
        Operation::Entry => entry(&mut inner, w)?,
        Operation::Reference => inner.only(TEXT, w)?,
        Operation::Intermediate => {
            while let Some((tag, _)) = inner.next(w)? {
                if !matches!(tag, 0x80 | 0x81) {
                    return Err(SHAPE);
                }
            }
        }
        Operation::BindRequest
        | Operation::SearchRequest
        | Operation::ExtendedRequest
        | Operation::Other => return Err("a message is no answer"),
    }
    match parts.next(w)? {
        None => {}
        Some((0xa0, controls)) => self::controls(&mut Elements { rest: controls }, w)?,
        // Active Directory puts the name of its farewell here.
        Some((0x8a, _)) => {}
        Some(_) => return Err(SHAPE),
    }
    parts.end()?;
    Ok(Message {
        id,
        operation,
        result,
        weight,
    })
}

/// What a request of our own is: its id and its sort.
pub fn request(bytes: &mut [u8]) -> Result<(i64, Operation), Wrong> {
    let mut unweighed = 0;
    let w = &mut unweighed;
    let mut outer = Elements { rest: bytes };
    let mut parts = Elements {
        rest: outer.expect(SEQUENCE, w)?,
    };
    let id = number(parts.expect(INTEGER, w)?)?;
    let (tag, _) = parts.next(w)?.ok_or(SHAPE)?;
    Ok((id, Operation::of(tag)))
}

fn number(bytes: &[u8]) -> Result<i64, Wrong> {
    match bytes.len() {
        1..=4 => Ok(bytes.iter().fold(0, |sum, b| sum << 8 | i64::from(*b))),
        _ => Err(SHAPE),
    }
}

/// A result: its code, two texts, and what some results carry besides.
fn answer(parts: &mut Elements<'_>, w: &mut usize) -> Result<u32, Wrong> {
    let code = number(parts.expect(ENUMERATED, w)?)?;
    legible(parts.expect(TEXT, w)?);
    legible(parts.expect(TEXT, w)?);
    while let Some((tag, content)) = parts.next(w)? {
        match tag {
            // referrals
            0xa3 => {
                let mut inner = Elements { rest: content };
                while let Some((found, uri)) = inner.next(w)? {
                    if found != TEXT {
                        return Err(SHAPE);
                    }
                    legible(uri);
                }
            }
            // the name of an extended answer
            0x8a => legible(content),
            // credentials and values
            0x87 | 0x8b => {}
            _ => return Err(SHAPE),
        }
    }
    u32::try_from(code).map_err(|_| SHAPE)
}

/// An entry: its name, then attributes with their values.
fn entry(parts: &mut Elements<'_>, w: &mut usize) -> Result<(), Wrong> {
    parts.expect(TEXT, w)?;
    let mut attributes = Elements {
        rest: parts.expect(SEQUENCE, w)?,
    };
    while let Some((tag, attribute)) = attributes.next(w)? {
        if tag != SEQUENCE {
            return Err(SHAPE);
        }
        let mut attribute = Elements { rest: attribute };
        attribute.expect(TEXT, w)?;
        let values = attribute.expect(SET, w)?;
        Elements { rest: values }.only(TEXT, w)?;
        attribute.end()?;
    }
    parts.end()
}

/// Controls: each a name, perhaps a flag, perhaps a value.
fn controls(controls: &mut Elements<'_>, w: &mut usize) -> Result<(), Wrong> {
    while let Some((tag, control)) = controls.next(w)? {
        if tag != SEQUENCE {
            return Err(SHAPE);
        }
        let mut control = Elements { rest: control };
        legible(control.expect(TEXT, w)?);
        let mut part = control.next(w)?;
        if let Some((BOOLEAN, flag)) = &part {
            if flag.len() != 1 {
                return Err(SHAPE);
            }
            part = control.next(w)?;
        }
        match part {
            None => {}
            Some((TEXT, _)) => control.end()?,
            Some(_) => return Err(SHAPE),
        }
    }
    Ok(())
}

/// Text for people stays text: what is not UTF-8 becomes question marks of the same length.
fn legible(text: &mut [u8]) {
    if from_utf8(text).is_err() {
        for byte in text.iter_mut().filter(|b| !b.is_ascii()) {
            *byte = b'?';
        }
    }
}

/// Whether elements are whole and stand at most this deep within each other.
pub fn is_shallow(mut bytes: &[u8], levels: u8) -> bool {
    while let Some(tag) = bytes.first() {
        let Header::Whole { start, length } = header(bytes) else {
            return false;
        };
        let Some(content) = start
            .checked_add(length)
            .and_then(|end| bytes.get(start..end))
        else {
            return false;
        };
        let holds_others = tag & 0x20 != 0;
        if holds_others && !(levels > 0 && is_shallow(content, levels - 1)) {
            return false;
        }
        bytes = bytes.get(start + length..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests;
