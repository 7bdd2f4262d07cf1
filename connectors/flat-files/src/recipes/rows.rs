//! How the rows of one extract become facts of one kind: which rows, and from which cells.

use super::{Extract, Facts, Only, letters};
use crate::columns::{Need, columns};
use crate::header::{Denied, From as Origin, Header};
use crate::map::{Problem, shown};
use crate::mapping::Mapping;
use crate::table::Cells;
use crate::words::{NO_RECIPE_WORD, truth};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// One extract read for one kind.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub extract: &'static Extract,
    pub facts: &'static Facts,
    /// Whether the file is an unload without a header.
    pub unload: bool,
}

// Recipes are constants: the same place is the same recipe.
impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.facts, other.facts) && self.unload == other.unload
    }
}

impl Eq for Rows {}

impl Rows {
    /// The names of an unload's cells: the record type, then the fields.
    pub fn unload_names(&self) -> Vec<&'static str> {
        let fields = self.extract.fields.keys().map(String::as_str);
        std::iter::once("record_type").chain(fields).collect()
    }

    /// Where an unload's fields stand.
    pub fn unload_places(&self) -> Vec<(usize, usize)> {
        self.extract.fields.values().copied().collect()
    }

    /// The recipe as a mapping for a file with these headers; `own` counts before it.
    pub fn mapping(&self, names: &[&str], system: &str, own: &Mapping) -> Mapping {
        let mut mapping = Mapping::default();
        for column in columns(self.facts.kind) {
            let name = column.name;
            if let Some(fixed) = own.fixed_value(name) {
                mapping.fix(name, fixed);
            } else if let Some(header) = own.header_of(name) {
                mapping.rename(name, header);
            } else if let Some(value) = self.facts.set.get(name) {
                mapping.fix(name, value);
            } else if let Some(header) = self.taken(name, names) {
                mapping.rename(name, header);
            } else if name == "system" && column.need == Need::Required {
                mapping.fix(name, system);
            }
            for (from, to) in own.replacements(name).into_iter().flatten() {
                mapping.replace(name, from, to);
            }
        }
        mapping
    }

    /// The header of the file that stands for a column of ours.
    fn taken<'n>(&self, column: &str, names: &[&'n str]) -> Option<&'n str> {
        let wanted = self.facts.take.get(column)?;
        wanted
            .iter()
            .find_map(|one| at(one, names))
            .and_then(|at| names.get(at).copied())
    }

    /// What a header is bound to, as this recipe has it: no attributes where a row is one of many
    /// of an object, no surprise at columns that are known, and nothing of secrets.
    pub fn tidied(&self, mut header: Header, names: &[&str], now: DateTime<Utc>) -> Header {
        header.dates = &self.extract.dates;
        for bound in &mut header.bound {
            bound.before = self.facts.before.get(bound.name).map_or("", String::as_str);
            bound.words = self.facts.words.get(bound.name);
            let passed = self.facts.passed.get(bound.name);
            bound.denied_by = passed.and_then(|one| at(one, names)).map(|cell| Denied {
                cell,
                column: names.get(cell).copied().unwrap_or_default().to_owned(),
                at: now,
            });
        }
        let secret = |name: &str| {
            self.extract
                .withheld
                .iter()
                .any(|w| letters(w) == letters(name))
        };
        let (withheld, unknown): (Vec<_>, Vec<_>) = header
            .unknown
            .into_iter()
            .partition(|(_, name)| secret(name));
        header
            .withheld
            .extend(withheld.into_iter().map(|(_, name)| name));
        header.unknown = match self.facts.once || self.facts.bare {
            true => Vec::new(),
            false => unknown
                .into_iter()
                .filter(|(_, name)| name != "record_type")
                .collect(),
        };
        header
    }

    /// Whether the recipe knows a column that it does not use.
    pub fn expects(&self, name: &str) -> bool {
        let plain = letters(name);
        let known = self.extract.columns.iter().chain(&self.extract.also);
        known
            .chain(self.extract.fields.keys())
            .any(|one| letters(one) == plain)
            || self.extract.facts.iter().any(|facts| {
                facts
                    .take
                    .values()
                    .flatten()
                    .any(|one| letters(one) == plain)
            })
    }
}

/// Where a header stands that has the letters of this name.
fn at(name: &str, names: &[&str]) -> Option<usize> {
    let plain = letters(name);
    names.iter().position(|one| letters(one) == plain)
}

/// Which rows count.
#[derive(Debug, Default)]
pub struct Sieve {
    record: Option<&'static str>,
    /// One of these has to hold, if there are any.
    only: Vec<Condition>,
    /// Objects that were met, where each counts once.
    met: Option<HashSet<String>>,
}

/// One condition on the rows of a file.
#[derive(Debug)]
struct Condition {
    only: &'static Only,
    /// Where its column stands, and its header; None where the file has none.
    stands: Option<(usize, String)>,
}

/// A cell that a condition cannot judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    pub problem: Problem,
    /// What the recipe knows, to follow what is wrong.
    pub known: String,
}

/// What a sieve says of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passes {
    Yes,
    /// The row says nothing of the kind.
    No,
    /// The row names an object that was named before.
    Again,
    /// Whether the row says something of the kind is not told in a word that the recipe knows.
    Unheard(Unheard),
}

/// What a condition says of a row.
enum Says {
    Yes,
    No,
    Nothing(Unheard),
}

impl Condition {
    fn of(only: &'static Only, names: &[&str]) -> Condition {
        let stands = at(&only.column, names)
            .and_then(|at| names.get(at).map(|name| (at, (*name).to_owned())));
        Condition { only, stands }
    }

    /// A column that is not there says what an empty cell does, or no.
    fn judge(&self, cells: &Cells) -> Says {
        let cell = self.stands.as_ref().map_or("", |(at, _)| cells.get(*at));
        let cell = cell.trim();
        let plain = cell.to_lowercase();
        let among = |words: &[String]| {
            let said = truth(cell);
            words
                .iter()
                .any(|word| word.to_lowercase() == plain || said.is_some() && truth(word) == said)
        };
        match &self.stands {
            _ if among(&self.only.is) => Says::Yes,
            None => Says::No,
            Some(_) if among(&self.only.not) => Says::No,
            Some((_, column)) => Says::Nothing(self.unheard(column, cell)),
        }
    }

    fn unheard(&self, column: &str, cell: &str) -> Unheard {
        let words = self.only.is.iter().chain(&self.only.not);
        let words: Vec<&str> = words
            .map(|word| if word.is_empty() { "empty" } else { word })
            .collect();
        Unheard {
            problem: Problem {
                column: column.to_owned(),
                class: if cell.is_empty() {
                    "is empty"
                } else {
                    NO_RECIPE_WORD
                },
                value: Some(cell).filter(|cell| !cell.is_empty()).map(shown),
            },
            known: format!(" (it knows {})", words.join(", ")),
        }
    }
}

impl Sieve {
    pub fn new(rows: &Rows, names: &[&str]) -> Sieve {
        let only = rows.facts.only.iter();
        Sieve {
            record: rows.extract.record.as_deref().filter(|_| rows.unload),
            only: only.map(|one| Condition::of(one, names)).collect(),
            met: rows.facts.once.then(HashSet::new),
        }
    }

    /// Columns that the file lacks, so that what they would tell of the kind is not told.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.only
            .iter()
            .filter(|one| one.stands.is_none() && !one.only.is.iter().any(String::is_empty))
            .map(|one| one.only.column.as_str())
    }

    /// Whether every row counts.
    pub fn takes_all(&self) -> bool {
        self.record.is_none() && self.only.is_empty() && self.met.is_none()
    }

    /// Whether rows before a place have to be seen to judge those after it.
    pub fn remembers(&self) -> bool {
        self.met.is_some()
    }

    pub fn judge(&mut self, header: &Header, cells: &Cells) -> Passes {
        if self.record.is_some_and(|record| cells.get(0) != record) {
            return Passes::No;
        }
        // One that holds is enough, whatever the others say; one that cannot be judged may hold.
        let mut unheard = None;
        let mut holds = self.only.is_empty();
        for one in &self.only {
            match one.judge(cells) {
                Says::Yes => holds = true,
                Says::No => {}
                Says::Nothing(cell) => unheard = unheard.or(Some(cell)),
            }
        }
        match (holds, unheard) {
            (true, _) => {}
            (false, Some(cell)) => return Passes::Unheard(cell),
            (false, None) => return Passes::No,
        }
        let fresh = match &mut self.met {
            Some(met) => met.insert(key(header, cells)),
            None => true,
        };
        if fresh { Passes::Yes } else { Passes::Again }
    }
}

/// What names the object of a row.
fn key(header: &Header, cells: &Cells) -> String {
    let names = ["id", "path"];
    let bound = header
        .bound
        .iter()
        .find(|bound| names.contains(&bound.name));
    match bound.map(|bound| &bound.from) {
        Some(Origin::Cell(at)) => cells.get(*at).to_owned(),
        Some(Origin::Fixed(value)) => value.clone(),
        Some(Origin::Nowhere) | None => String::new(),
    }
}
