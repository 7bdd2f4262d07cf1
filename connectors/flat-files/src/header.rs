//! Which cell of a row stands for which column: the header row bound to the known columns.

use crate::columns::{Need, column_names, columns};
use crate::encoding::semicolons;
use crate::error::{config, not_understood};
use crate::mapping::Mapping;
use crate::place::Stored;
use crate::secrets::holds_secrets;
use crate::table::Cells;
use chrono::{DateTime, Utc};
use lastkey_contract::page::Columns;
use lastkey_contract::{ConnectorError, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Most columns that a file may have.
const MAX_COLUMNS: usize = 1000;

/// Where a column's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    Cell(usize),
    Fixed(String),
    Nowhere,
}

/// One known column, bound to a file.
#[derive(Clone, Debug)]
pub struct Bound {
    pub name: &'static str,
    pub from: From,
    pub replaced: BTreeMap<String, String>,
    /// What stands before each text: so that ids of two sorts never meet.
    pub before: &'static str,
    /// What a recipe says that its words mean, where nobody said something else.
    pub words: Option<&'static BTreeMap<String, String>>,
    /// Of a time that is over: what may say that it is not.
    pub denied_by: Option<Denied>,
}

/// A cell that says whether a time has passed.
#[derive(Clone, Debug)]
pub struct Denied {
    pub cell: usize,
    /// Its header.
    pub column: String,
    /// The moment of the read.
    pub at: DateTime<Utc>,
}

impl Bound {
    /// What a recipe says that a cell means, however its letters and blanks are written.
    pub fn meant(&self, cell: &str) -> Option<&'static String> {
        let words = self.words?;
        let exact = words.get(cell);
        exact.or_else(|| {
            let plain = cell.trim().to_lowercase();
            let known = words.iter().find(|(from, _)| from.to_lowercase() == plain);
            known.map(|(_, to)| to)
        })
    }
}

/// A header bound to the columns of its kind.
#[derive(Clone, Debug)]
pub struct Header {
    /// How many cells each row must have.
    pub width: usize,
    /// What stands above each.
    pub names: Vec<String>,
    /// One entry per known column, in the order of [`columns`].
    pub bound: Vec<Bound>,
    /// Columns that nobody knows: they become attributes.
    pub unknown: Vec<(usize, String)>,
    /// Columns whose names say that secret values stand in them: they are not read.
    pub withheld: Vec<String>,
    /// How dates are written beside RFC 3339 and `2026-11-20`.
    pub dates: &'static [String],
}

/// Whether a single roster may leave out `kind`: its rows are persons then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Folder,
    Single,
}

/// Binds a header. A file that lacks a required column fails as a whole.
pub fn bind(
    system: &str,
    file: &str,
    kind: Kind,
    shape: Shape,
    mapping: &Mapping,
    cells: &Cells,
) -> Result<Header, ConnectorError> {
    let fail = |message: String, hint: &str| not_understood(system, message, hint);
    if cells.len() > MAX_COLUMNS {
        return Err(fail(
            format!(
                "`{file}` has {} columns; at most {MAX_COLUMNS} are read",
                cells.len()
            ),
            "leave out the columns that are not needed",
        ));
    }
    let names: Vec<&str> = cells.iter().collect();
    let mut seen = BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(fail(
                format!("column {} of `{file}` has no name", at + 1),
                "name it in the first line, or leave it out",
            ));
        }
        if !seen.insert(*name) {
            return Err(fail(
                format!("`{file}` has two columns `{name}`"),
                "rename or leave out one of them",
            ));
        }
    }
    let mut bound = Vec::new();
    for column in columns(kind) {
        let native = names.iter().position(|n| *n == column.name);
        let from = match (
            mapping.fixed_value(column.name),
            mapping.header_of(column.name),
        ) {
            (Some(value), _) => From::Fixed(value.to_owned()),
            (None, Some(header)) => match names.iter().position(|n| *n == header) {
                Some(at) => From::Cell(at),
                None => {
                    return Err(config(
                        format!(
                            "`{file}` has no column `{header}`, which is mapped to `{}`",
                            column.name
                        ),
                        match semicolons(&names) {
                            Some(hint) => hint.to_owned(),
                            None => format!("its columns: {}", names.join(", ")),
                        },
                    ));
                }
            },
            // a header that a mapping gave to another column is taken
            (None, None) => match native.filter(|_| !mapping.uses_header(column.name)) {
                Some(at) => From::Cell(at),
                None if kind == Kind::Identity
                    && shape == Shape::Single
                    && column.name == "kind" =>
                {
                    From::Fixed("person".to_owned())
                }
                None => From::Nowhere,
            },
        };
        if from == From::Nowhere && column.need != Need::Optional {
            let of = match shape {
                Shape::Folder => format!("{}.", kind.plural()),
                Shape::Single => String::new(),
            };
            let hint = match semicolons(&names) {
                Some(hint) => hint.to_owned(),
                None => format!(
                    "known columns: {}; another name is mapped with --map '{of}{}=HEADER' \
                     (the setting map.{of}{})",
                    column_names(kind),
                    column.name,
                    column.name
                ),
            };
            return Err(fail(
                format!("`{file}` has no column `{}`", column.name),
                &hint,
            ));
        }
        bound.push(Bound {
            name: column.name,
            from,
            replaced: mapping
                .replacements(column.name)
                .cloned()
                .unwrap_or_default(),
            before: "",
            words: None,
            denied_by: None,
        });
    }
    let used: BTreeSet<usize> = bound
        .iter()
        .filter_map(|b| match b.from {
            From::Cell(at) => Some(at),
            From::Fixed(_) | From::Nowhere => None,
        })
        .collect();
    let (secret, unknown): (Vec<_>, Vec<_>) = names
        .iter()
        .enumerate()
        .filter(|(at, _)| !used.contains(at))
        .map(|(at, name)| (at, (*name).to_owned()))
        .partition(|(_, name)| holds_secrets(kind, name));
    Ok(Header {
        width: names.len(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        bound,
        unknown,
        withheld: secret.into_iter().map(|(_, name)| name).collect(),
        dates: &[],
    })
}

/// Which columns of ours a file tells of, by its own header or because somebody says so.
pub fn told(stored: &Stored, mapping: &Mapping, header: &Header) -> Columns {
    let given = |name: &str| {
        mapping.fixed_value(name).is_some() || mapping.header_of(name).is_some_and(|h| h != name)
    };
    let by_header = |bound: &&Bound| match bound.from {
        From::Cell(_) => true,
        // What a recipe gives every row it gives in each read; that a roster without `kind` holds
        // persons is said nowhere in it.
        From::Fixed(_) => stored.rows.is_some(),
        From::Nowhere => false,
    };
    let names = |of: Vec<&'static str>| of.into_iter().map(str::to_owned).collect();
    let (by_mapping, rest): (Vec<&Bound>, Vec<&Bound>) =
        header.bound.iter().partition(|bound| given(bound.name));
    let own = rest.into_iter().filter(by_header);
    Columns {
        of: stored.name.clone(),
        own: names(own.map(|bound| bound.name).collect()),
        given: names(by_mapping.iter().map(|bound| bound.name).collect()),
    }
}
