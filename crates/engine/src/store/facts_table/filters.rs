//! Which facts a table shows: columns that must have a value.
//!
//! A fact is looked at as text before it is taken apart, and a block before its facts.

use super::super::blocks::Block;
use super::super::error::{PERSON, YES_OR_NO};
use super::super::{StoreError, as_written};
use super::columns::{columns, path, value};
use chrono::NaiveDate;
use lastkey_contract::facts::words;
use lastkey_contract::{Kind, When};
use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// The filters of one table.
pub(super) struct Filters<'a> {
    /// Names that the source must have.
    pub sources: Vec<&'a str>,
    pub columns: Vec<Wanted<'a>>,
    /// The fields of a fact that columns stand in.
    fields: Vec<&'a str>,
}

/// A column that must have a value.
pub(super) struct Wanted<'a> {
    pub column: &'a str,
    pub value: &'a str,
    /// Texts of which one stands in every fact that has the value; none where that is not sure.
    written: Vec<memmem::Finder<'static>>,
}

impl<'a> Filters<'a> {
    /// Filters on columns that the kind has.
    pub fn of(kind: Kind, filters: &'a [(String, String)]) -> Result<Filters<'a>, StoreError> {
        let known = columns(kind);
        let mut all = Filters {
            sources: Vec::new(),
            columns: Vec::new(),
            fields: Vec::new(),
        };
        for (column, value) in filters {
            if column == "source" {
                all.sources.push(value);
                continue;
            }
            if !known.contains(&column.as_str()) {
                return Err(match kind == Kind::Identity && column == PERSON {
                    true => StoreError::BadQuery {
                        what: PERSON.to_owned(),
                        value: column.clone(),
                    },
                    false => StoreError::NoSuchColumn {
                        value: column.clone(),
                        of: kind.plural(),
                        columns: known,
                    },
                });
            }
            // No fact says anything else: an empty answer would look like one.
            if YES_OR_NO.contains(&column.as_str()) && !matches!(value.as_str(), "true" | "false") {
                return Err(StoreError::BadQuery {
                    what: column.clone(),
                    value: value.clone(),
                });
            }
            require_word(kind, column, value)?;
            all.columns.push(Wanted {
                column,
                value,
                written: written(column, value),
            });
            let (field, _) = path(column);
            if !all.fields.contains(&field) {
                all.fields.push(field);
            }
        }
        Ok(all)
    }

    /// Whether a fact of the block may match, as far as its whole text tells.
    pub fn may_be_in(&self, block: &Block) -> bool {
        self.columns.iter().all(|one| match one.written.as_slice() {
            [] => true,
            texts => block.mentions_one_of(texts),
        })
    }

    /// Whether a fact has all these values in these columns.
    pub fn hold(&self, fact: &str) -> Result<bool, StoreError> {
        let bytes = fact.as_bytes();
        let stands = |one: &Wanted<'_>| match one.written.as_slice() {
            [] => true,
            texts => texts.iter().any(|text| text.find(bytes).is_some()),
        };
        if !self.columns.iter().all(stands) {
            return Ok(false);
        }
        let mut reading = serde_json::Deserializer::from_str(fact);
        let found = Fields(&self.fields).deserialize(&mut reading)?;
        Ok(self.columns.iter().all(|one| {
            let (field, within) = path(one.column);
            let place = self.fields.iter().position(|known| *known == field);
            let found = place.and_then(|place| found.get(place)?.as_ref());
            let found = match within {
                Some(within) => found.and_then(|outer| outer.get(within)),
                None => found,
            };
            found.is_some_and(|found| is(found, one.column, one.value))
        }))
    }
}

/// Refuses a filter that no fact of any of these kinds can match: where each refuses it, the first
/// that has the column says why.
pub(in super::super) fn require_in_any(
    kinds: &[Kind],
    filters: &[(String, String)],
) -> Result<(), StoreError> {
    for filter in filters {
        let mut refused = None;
        for kind in kinds {
            match Filters::of(*kind, std::slice::from_ref(filter)) {
                Ok(_) => {
                    refused = None;
                    break;
                }
                Err(error) if refused.is_none() || columns(*kind).contains(&filter.0.as_str()) => {
                    refused = Some(error);
                }
                Err(_) => {}
            }
        }
        if let Some(error) = refused {
            return Err(match kinds {
                [_] => error,
                _ => of_several(error),
            });
        }
    }
    Ok(())
}

/// Refuses a value of a column of words that is none of them.
pub(in super::super) fn require_word(
    kind: Kind,
    column: &str,
    value: &str,
) -> Result<(), StoreError> {
    match words(kind, column) {
        Some(words) if !words.contains(&value) => Err(StoreError::NoSuchWord {
            of: kind.plural(),
            column: column.to_owned(),
            value: value.to_owned(),
            words,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Of several kinds none has the column: the columns of one of them would not be the answer.
fn of_several(error: StoreError) -> StoreError {
    match error {
        StoreError::NoSuchColumn { value, .. } => StoreError::BadQuery {
            what: "column".to_owned(),
            value,
        },
        other => other,
    }
}

/// The date that a filter on a column of dates and moments asks for.
pub(in super::super) fn day(column: &str, wanted: &str) -> Option<NaiveDate> {
    let of_dates = column.ends_with("_at") || column.ends_with("_date");
    let date = (of_dates && wanted.len() == 10).then(|| wanted.parse());
    date?.ok()
}

/// The date of a day, which stands as an interval; None of a moment.
pub(in super::super) fn day_of(text: &str) -> Option<NaiveDate> {
    text.contains('/').then(|| When::parse(text))??.date()
}

/// How a column with a value is written in a fact: as a text, or as a number or a yes or no.
fn written(column: &str, value: &str) -> Vec<memmem::Finder<'static>> {
    // Lists, and signs that may be written in several ways, are looked for by taking facts apart.
    if value.starts_with(['[', '{']) || value.bytes().any(|byte| byte < 0x20) {
        return Vec::new();
    }
    let (field, within) = path(column);
    let name = within.unwrap_or(field);
    let mut texts = vec![format!("\"{name}\":\"{}\"", as_written(value))];
    if matches!(value, "true" | "false") || value.parse::<f64>().is_ok() {
        texts.push(format!("\"{name}\":{value}"));
    }
    // A day begins at midnight of its own zone: on its date in UTC, or on the evening before.
    if let Some(date) = day(column, value) {
        let begins = [Some(date), date.pred_opt()].into_iter().flatten();
        texts.extend(begins.map(|begin| format!("\"{name}\":\"{begin}T")));
    }
    let finder = |text: String| memmem::Finder::new(text.as_bytes()).into_owned();
    texts.into_iter().map(finder).collect()
}

/// Whether a fact of a source has all these values in these columns.
pub(in super::super) fn holds_all(
    filters: &[(String, String)],
    source: &str,
    fact: &Value,
) -> bool {
    filters
        .iter()
        .all(|(column, wanted)| match column.as_str() {
            "source" => source == wanted,
            other => value(fact, other).is_some_and(|found| is(found, other, wanted)),
        })
}

/// Whether a value is what a filter asks for, as text; of a day, the date that tables show of it.
fn is(value: &Value, column: &str, wanted: &str) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => {
            text == wanted || (day(column, wanted).is_some() && day_of(text) == day(column, wanted))
        }
        Value::Bool(yes) => wanted == if *yes { "true" } else { "false" },
        Value::Number(number) => number.to_string() == wanted,
        Value::Array(_) | Value::Object(_) => {
            serde_json::to_string(value).is_ok_and(|text| text == wanted)
        }
    }
}

/// Takes only some fields out of a fact, each at its place here.
struct Fields<'f>(&'f [&'f str]);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Vec<Option<Value>>;

    fn deserialize<D: Deserializer<'de>>(self, reading: D) -> Result<Self::Value, D::Error> {
        reading.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Vec<Option<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.0.len()];
        while let Some(place) = map.next_key_seed(Place(self.0))? {
            match place.and_then(|place| found.get_mut(place)) {
                Some(kept) => *kept = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// The place of a field's name among those that are wanted.
struct Place<'f>(&'f [&'f str]);

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, reading: D) -> Result<Self::Value, D::Error> {
        reading.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }
}
