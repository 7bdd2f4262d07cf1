//! A clue: one fact that points at somebody, and whom it names as the fact has it.

use crate::correlate::{compared, folded};
use lastkey_contract::facts::OwnerRole;
use std::borrow::Cow;

/// Which kind of fact a suggestion rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Tag,
    Sibling,
    Creator,
    LastWriter,
    Manager,
    Path,
    Team,
    Description,
}

impl Rule {
    const ALL: [Rule; 8] = [
        Rule::Tag,
        Rule::Sibling,
        Rule::Creator,
        Rule::LastWriter,
        Rule::Manager,
        Rule::Path,
        Rule::Team,
        Rule::Description,
    ];

    /// The word on screens and in files.
    pub fn word(self) -> &'static str {
        match self {
            Rule::Tag => "tag",
            Rule::Sibling => "sibling",
            Rule::Creator => "creator",
            Rule::LastWriter => "last_writer",
            Rule::Manager => "manager",
            Rule::Path => "path",
            Rule::Team => "team",
            Rule::Description => "description",
        }
    }

    pub const WORDS: &'static [&'static str] = &[
        "tag",
        "sibling",
        "creator",
        "last_writer",
        "manager",
        "path",
        "team",
        "description",
    ];

    pub fn from_word(word: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.word() == word)
    }
}

/// How strongly the facts point at somebody, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Several people fit: there is something to decide, and nobody to confirm.
    Ambiguous,
    Weak,
    Likely,
    Strong,
}

impl Strength {
    pub const ALL: [Strength; 4] = [
        Strength::Ambiguous,
        Strength::Weak,
        Strength::Likely,
        Strength::Strong,
    ];

    /// The word on screens and in files.
    pub fn word(self) -> &'static str {
        match self {
            Strength::Ambiguous => "ambiguous",
            Strength::Weak => "weak",
            Strength::Likely => "likely",
            Strength::Strong => "strong",
        }
    }

    pub const WORDS: &'static [&'static str] = &["ambiguous", "weak", "likely", "strong"];

    pub fn from_word(word: &str) -> Option<Strength> {
        Strength::ALL.into_iter().find(|s| s.word() == word)
    }

    /// The number that stores sort by.
    pub fn number(self) -> i64 {
        match self {
            Strength::Ambiguous => 0,
            Strength::Weak => 1,
            Strength::Likely => 2,
            Strength::Strong => 3,
        }
    }

    pub fn from_number(number: i64) -> Option<Strength> {
        Strength::ALL.into_iter().find(|s| s.number() == number)
    }

    /// One step more: two kinds of facts agree.
    pub(super) fn raised(self) -> Strength {
        match self {
            Strength::Ambiguous => Strength::Ambiguous,
            Strength::Weak => Strength::Likely,
            Strength::Likely | Strength::Strong => Strength::Strong,
        }
    }

    /// One step less: the fact names somebody else, through whom it leads here.
    pub(super) fn lowered(self) -> Strength {
        match self {
            Strength::Ambiguous => Strength::Ambiguous,
            Strength::Weak | Strength::Likely => Strength::Weak,
            Strength::Strong => Strength::Likely,
        }
    }
}

/// Whom a fact names, as it names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// As facts refer to identities: a bare id, its own source before others, or `source:id`.
    Identity {
        source: i64,
        id: String,
    },
    /// A login in a system, or a person's id or mail without its domain.
    Login {
        system: String,
        login: String,
    },
    Mail(String),
    FullName(String),
    /// A word that may be a team's name.
    Team(String),
}

impl Pointer {
    /// A text that is there to name one person: a mail address, a DN, a full name or a login.
    pub fn of_text(text: &str, system: &str) -> Option<Pointer> {
        let text = text.trim().trim_start_matches("mailto:");
        if text.is_empty() {
            return None;
        }
        if let Some(named) = of_dn(text, system) {
            return Some(named);
        }
        if text.contains('@') && !text.contains(char::is_whitespace) {
            return Some(Pointer::Mail(folded(text)));
        }
        if text.contains(char::is_whitespace) {
            return Some(Pointer::FullName(name_words(text).join(" ")));
        }
        Some(Pointer::Login {
            system: system.to_owned(),
            login: folded(text),
        })
    }
}

/// What the first part of a distinguished name names.
fn of_dn(text: &str, system: &str) -> Option<Pointer> {
    let (attribute, rest) = text.split_once('=')?;
    let is_dn = rest.contains('=') && rest.contains(',');
    let value = rest.split(',').next()?.trim();
    if !is_dn || value.is_empty() {
        return None;
    }
    match attribute.trim().to_ascii_lowercase().as_str() {
        "cn" if value.contains(' ') => Some(Pointer::FullName(name_words(value).join(" "))),
        "cn" | "uid" => Some(Pointer::Login {
            system: system.to_owned(),
            login: folded(value),
        }),
        _ => None,
    }
}

/// The words of a name in compared form, the family name last: `Smith, Ann` is `ann smith`.
pub(super) fn name_words(name: &str) -> Vec<String> {
    words_in(&turned(name)).map(str::to_owned).collect()
}

/// A name in compared form, the family name last.
pub(super) fn turned(name: &str) -> Cow<'_, str> {
    match name.split_once(',') {
        Some((family, given)) => Cow::Owned(folded(&format!("{given} {family}"))),
        None => compared(name),
    }
}

/// The words of letters in a text, in compared form.
pub(super) fn words(text: &str) -> Vec<String> {
    words_in(&compared(text)).map(str::to_owned).collect()
}

/// The words of letters in a text that is in compared form.
pub(super) fn words_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphabetic() && c != '\'');
    words.filter(|word| !word.is_empty())
}

/// One fact that points at somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clue {
    pub rule: Rule,
    pub role: OwnerRole,
    pub strength: Strength,
    pub pointer: Pointer,
    /// What the fact says, in words.
    pub says: String,
    /// The object in whose fact it stands, in words.
    pub fact: String,
}
