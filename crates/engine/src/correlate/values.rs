//! What is compared: the columns of accounts and identities, and what is taken of a value.

use lastkey_contract::facts::{Account, Attributes, Identity, IdentityKind};
use regex::Regex;
use serde::Deserialize;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// What is known of an identity for matching. The source is a number that tells sources apart.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdentityKeys {
    #[serde(default)]
    pub source: i64,
    pub id: String,
    pub kind: IdentityKind,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// As the fact has it; only compared.
    #[serde(default)]
    pub start_date: Option<serde_json::Value>,
    #[serde(default)]
    pub attributes: Attributes,
}

/// What is known of an account for matching.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountKeys {
    #[serde(default)]
    pub source: i64,
    pub system: String,
    pub id: String,
    pub name: Option<String>,
    pub identity_id: Option<String>,
    pub email: Option<String>,
    /// As the fact has it; only compared.
    #[serde(default)]
    pub created_at: Option<serde_json::Value>,
    #[serde(default)]
    pub attributes: Attributes,
}

impl IdentityKeys {
    /// Of a whole fact.
    pub fn of(source: i64, fact: &Identity) -> Self {
        Self {
            source,
            id: fact.id.as_str().to_owned(),
            kind: fact.kind,
            display_name: fact.display_name.clone(),
            email: fact.email.clone(),
            start_date: fact.start_date.map(|d| d.to_text().into()),
            attributes: fact.attributes.clone(),
        }
    }

    /// One that is given by nothing but these.
    pub fn named(source: i64, id: &str, email: Option<&str>) -> Self {
        Self {
            source,
            id: id.to_owned(),
            kind: IdentityKind::Person,
            display_name: None,
            email: email.map(str::to_owned),
            start_date: None,
            attributes: Attributes::new(),
        }
    }

    fn column(&self, column: &Column) -> Option<&str> {
        let text = match column {
            Column::Id => Some(self.id.as_str()),
            Column::Name => self.display_name.as_deref(),
            Column::Email => self.email.as_deref(),
            Column::IdentityId => None,
            Column::Attribute(name) => self.attributes.get(name).map(String::as_str),
        };
        text.filter(|text| !text.trim().is_empty())
    }

    /// What is taken of it, in the form in which it is compared.
    pub fn take(&self, take: &Take, compare: Compare) -> Option<String> {
        take.of(self.column(&take.column)?, compare)
    }

    /// Whether another version of the record has other values that rules could go by.
    pub fn values_differ(&self, other: &IdentityKeys) -> bool {
        (&self.display_name, &self.email, &self.attributes)
            != (&other.display_name, &other.email, &other.attributes)
    }
}

impl AccountKeys {
    /// Of a whole fact.
    pub fn of(source: i64, fact: &Account) -> Self {
        Self {
            source,
            system: fact.system.to_string(),
            id: fact.id.to_string(),
            name: fact.name.clone(),
            identity_id: fact.identity_id.as_ref().map(ToString::to_string),
            email: fact.email.clone(),
            created_at: fact.created_at.map(|d| d.to_text().into()),
            attributes: fact.attributes.clone(),
        }
    }

    fn column(&self, column: &Column) -> Option<&str> {
        let text = match column {
            Column::Id => Some(self.id.as_str()),
            Column::Name => self.name.as_deref(),
            Column::Email => self.email.as_deref(),
            Column::IdentityId => self.identity_id.as_deref(),
            Column::Attribute(name) => self.attributes.get(name).map(String::as_str),
        };
        text.filter(|text| !text.trim().is_empty())
    }

    /// What is taken of it, in the form in which it is compared.
    pub fn take(&self, take: &Take, compare: Compare) -> Option<String> {
        take.of(self.column(&take.column)?, compare)
    }
}

/// A column of an account or of an identity. `Name` is an account's `name` and an identity's
/// `display_name`; only accounts have `IdentityId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Id,
    Name,
    Email,
    IdentityId,
    Attribute(String),
}

impl Column {
    /// The words of an account's columns.
    pub const OF_ACCOUNT: &'static [&'static str] =
        &["id", "name", "email", "identity_id", "attributes.…"];
    /// The words of an identity's columns.
    pub const OF_IDENTITY: &'static [&'static str] =
        &["id", "display_name", "email", "attributes.…"];

    /// The column of an account with this word.
    pub fn of_account(word: &str) -> Option<Column> {
        match word {
            "id" => Some(Column::Id),
            "name" => Some(Column::Name),
            "email" => Some(Column::Email),
            "identity_id" => Some(Column::IdentityId),
            _ => Self::attribute(word),
        }
    }

    /// The column of an identity with this word.
    pub fn of_identity(word: &str) -> Option<Column> {
        match word {
            "id" => Some(Column::Id),
            "display_name" => Some(Column::Name),
            "email" => Some(Column::Email),
            _ => Self::attribute(word),
        }
    }

    fn attribute(word: &str) -> Option<Column> {
        let name = word.strip_prefix("attributes.")?;
        (!name.is_empty()).then(|| Column::Attribute(name.to_owned()))
    }

    fn word(&self, name: &str) -> String {
        match self {
            Column::Id => "id".to_owned(),
            Column::Name => name.to_owned(),
            Column::Email => "email".to_owned(),
            Column::IdentityId => "identity_id".to_owned(),
            Column::Attribute(name) => format!("attributes.{name}"),
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// Letter by letter.
    Exact,
    /// By compatibility and without case (NFKC).
    Folded,
}

impl Compare {
    pub const WORDS: &'static [&'static str] = &["exact", "folded"];

    pub fn word(self) -> &'static str {
        match self {
            Compare::Exact => "exact",
            Compare::Folded => "folded",
        }
    }

    pub fn from_word(word: &str) -> Option<Compare> {
        [Compare::Exact, Compare::Folded]
            .into_iter()
            .find(|c| c.word() == word)
    }
}

/// A column and what is taken of its value, in this order: what stands before the last @, what
/// stands between a beginning and an end that must be there, what a pattern's first group holds.
#[derive(Clone, Debug)]
pub struct Take {
    pub column: Column,
    pub before_at: bool,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub pattern: Option<Regex>,
}

impl PartialEq for Take {
    fn eq(&self, other: &Self) -> bool {
        let Take {
            column,
            before_at,
            prefix,
            suffix,
            pattern,
        } = self;
        column == &other.column
            && before_at == &other.before_at
            && prefix == &other.prefix
            && suffix == &other.suffix
            && pattern.as_ref().map(Regex::as_str) == other.pattern.as_ref().map(Regex::as_str)
    }
}

impl Take {
    /// The whole value of a column.
    pub fn whole(column: Column) -> Self {
        Self {
            column,
            before_at: false,
            prefix: None,
            suffix: None,
            pattern: None,
        }
    }

    fn of(&self, value: &str, compare: Compare) -> Option<String> {
        let mut taken = match self.before_at {
            true => value.rsplit_once('@')?.0,
            false => value,
        };
        // As values are compared, so their ends are found.
        let folded_value;
        if compare == Compare::Folded {
            folded_value = folded(taken.trim());
            if self.prefix.is_none() && self.suffix.is_none() && self.pattern.is_none() {
                return Some(folded_value).filter(|taken| !taken.is_empty());
            }
            taken = &folded_value;
        }
        let end = |text: &String| match compare {
            Compare::Exact => text.clone(),
            Compare::Folded => folded(text),
        };
        if let Some(prefix) = &self.prefix {
            taken = taken.strip_prefix(end(prefix).as_str())?;
        }
        if let Some(suffix) = &self.suffix {
            taken = taken.strip_suffix(end(suffix).as_str())?;
        }
        if let Some(pattern) = &self.pattern {
            taken = pattern.captures(taken)?.get(1)?.as_str();
        }
        (!taken.is_empty()).then(|| taken.to_owned())
    }

    /// In words, for explanations: of an account, or of an identity.
    pub fn words(&self, name_column: &str) -> String {
        let mut words = self.column.word(name_column);
        if self.before_at {
            words.push_str(" before @");
        }
        if let Some(prefix) = &self.prefix {
            words.push_str(&format!(" after `{prefix}`"));
        }
        if let Some(suffix) = &self.suffix {
            words.push_str(&format!(" before `{suffix}`"));
        }
        if let Some(pattern) = &self.pattern {
            words.push_str(&format!(" as in `{pattern}`"));
        }
        words
    }
}

/// Compared form of mail and login: NFKC, case-folded.
pub fn folded(text: &str) -> String {
    compared(text).into_owned()
}

/// The same, of a text that is in this form already without a copy of it.
pub(crate) fn compared(text: &str) -> Cow<'_, str> {
    // Of nearly all names and addresses this is the same, and much quicker.
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let lower: String = match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text.chars().flat_map(char::to_lowercase).collect(),
        IsNormalized::No | IsNormalized::Maybe => {
            text.nfkc().flat_map(char::to_lowercase).collect()
        }
    };
    Cow::Owned(match is_nfkc_quick(lower.chars()) {
        IsNormalized::Yes => lower,
        IsNormalized::No | IsNormalized::Maybe => lower.nfkc().collect(),
    })
}
