//! Recipes: ready mappings for extracts that many companies have, as data beside the code.
//!
//! A recipe knows the extracts by their headers (or, of an unload without a header, by its record
//! types), and what each of their rows says: one row may speak of several kinds. The files of a
//! recipe stay as they were exported. Whatever a recipe does not use is kept as attributes, but for
//! columns of secrets, which are not read.

mod found;
mod page;
mod rows;

pub(crate) use found::{known_at, survey};
pub use page::page;
pub(crate) use rows::{Passes, Rows, Sieve, Unheard};

use lastkey_contract::Kind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A ready mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The word of `--recipe`.
    pub name: String,
    pub title: String,
    /// What the extracts are and how they are made, in a few sentences.
    pub about: String,
    /// What the extracts do not say, so that nobody takes it for said.
    pub missing: String,
    /// The system whose objects these are, unless another name is given.
    pub system: String,
    #[serde(rename = "file")]
    pub files: Vec<Extract>,
}

/// One of a recipe's extracts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// What it is called where it comes from.
    pub called: String,
    /// Headers that it is known by; compared by their letters and digits, without case.
    pub columns: Vec<String>,
    /// Headers that it may have too, so that they are no surprise.
    #[serde(default)]
    pub also: Vec<String>,
    /// Columns of secrets: never read.
    #[serde(default)]
    pub withheld: Vec<String>,
    /// How dates are written beside `2026-11-20`; `%s` is seconds since 1970.
    #[serde(default)]
    pub dates: Vec<String>,
    /// Of an unload without a header: the type that begins its lines.
    #[serde(default)]
    pub record: Option<String>,
    /// Where the columns stand in such a line, first and last character counted from 1.
    #[serde(default)]
    pub fields: BTreeMap<String, (usize, usize)>,
    #[serde(default)]
    pub facts: Vec<Facts>,
}

/// What each row says of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub kind: Kind,
    /// The row says it only where one of these holds; always, if there are none.
    #[serde(default)]
    pub only: Vec<Only>,
    /// Many rows name the same object: the first counts, and without attributes of the row.
    #[serde(default)]
    pub once: bool,
    /// The row's other columns belong to another fact, so they are no attributes of this one.
    #[serde(default)]
    pub bare: bool,
    /// Our column = the header that it is taken from, the first that is there.
    #[serde(default)]
    pub take: BTreeMap<String, Vec<String>>,
    /// Our column = the value that every row has.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Our column = what stands before each of its texts, where ids of another sort could be alike.
    #[serde(default)]
    pub before: BTreeMap<String, String>,
    /// Our column = what its words mean, without case; a word that is not there stays as it is, but
    /// in a column of yes and no, where such a row fails.
    #[serde(default)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// Our column of a time = the header that says whether that time has passed: one that has counts
    /// only where it is not denied.
    #[serde(default)]
    pub passed: BTreeMap<String, String>,
}

/// A condition on a row: the cell is one of these, without case; a word of yes or no stands for all
/// of them. What is neither here nor among those that it is known not to be makes the row fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    pub column: String,
    pub is: Vec<String>,
    pub not: Vec<String>,
}

const TEXTS: [&str; 5] = [
    include_str!("azure-key-vault.toml"),
    include_str!("cyberark.toml"),
    include_str!("racf.toml"),
    include_str!("sap.toml"),
    include_str!("workday.toml"),
];

/// The names of all recipes, in the order of their names.
pub(crate) const NAMES: [&str; 5] = ["azure-key-vault", "cyberark", "racf", "sap", "workday"];

/// All recipes, by name.
pub fn recipes() -> &'static [Recipe] {
    static ALL: LazyLock<Vec<Recipe>> = LazyLock::new(|| {
        // That each text is a recipe is tested.
        TEXTS
            .iter()
            .filter_map(|text| toml::from_str(text).ok())
            .collect()
    });
    &ALL
}

/// The recipe of this name.
pub fn recipe(name: &str) -> Option<&'static Recipe> {
    recipes().iter().find(|recipe| recipe.name == name)
}

/// The recipes that know a file with this header.
pub fn suggest_recipes(header: &[String]) -> Vec<&'static Recipe> {
    let plain: Vec<String> = header.iter().map(|name| letters(name)).collect();
    recipes()
        .iter()
        .filter(|recipe| recipe.files.iter().any(|file| file.known_by(&plain)))
        .collect()
}

impl Extract {
    /// Whether every header that it is known by is there; the names in letters only.
    fn known_by(&self, plain: &[String]) -> bool {
        self.columns.iter().all(|c| plain.contains(&letters(c)))
    }
}

/// Letters and digits only, in lower case: `Employee-ID` and `employee_id` are one name.
pub(crate) fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
