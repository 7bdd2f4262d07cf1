//! How the rows of one extract become facts of one kind: which rows, and from which cells.

use super::{Extract, Facts, letters};
use crate::columns::{Need, columns};
use crate::header::{From as Origin, Header};
use crate::mapping::Mapping;
use crate::table::Cells;
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
            for (from, to) in self.facts.words.get(name).into_iter().flatten() {
                mapping.replace(name, from, to);
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
    pub fn tidied(&self, mut header: Header) -> Header {
        header.dates = &self.extract.dates;
        for bound in &mut header.bound {
            bound.before = self.facts.before.get(bound.name).map_or("", String::as_str);
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
    only: Vec<(Option<usize>, &'static [String])>,
    /// Objects that were met, where each counts once.
    met: Option<HashSet<String>>,
}

/// What a sieve says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    Yes,
    /// The row says nothing of the kind.
    No,
    /// The row names an object that was named before.
    Again,
}

impl Sieve {
    pub fn new(rows: &Rows, names: &[&str]) -> Sieve {
        let only = rows.facts.only.iter();
        Sieve {
            record: rows.extract.record.as_deref().filter(|_| rows.unload),
            only: only
                .map(|one| (at(&one.column, names), one.is.as_slice()))
                .collect(),
            met: rows.facts.once.then(HashSet::new),
        }
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
        let holds = |(at, words): &(Option<usize>, &[String])| {
            let cell = at.map_or("", |at| cells.get(at)).trim();
            words.iter().any(|word| word.eq_ignore_ascii_case(cell))
        };
        if !self.only.is_empty() && !self.only.iter().any(holds) {
            return Passes::No;
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
