//! Settings of a flat-file source, parsed once into a [`Source`].

use crate::clock::{Clock, FormFault};
use crate::columns::{column_names, columns};
use crate::error::config;
use crate::mapping::Mapping;
use crate::recipes::{self, Recipe};
use crate::secrets::holds_secrets;
use chrono_tz::Tz;
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, SecretNeed, SettingSpec, Settings, SystemName,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "flat-files",
    title: "Flat files",
    summary: "A folder or zip of CSV files, or one CSV file with a column mapping.",
    settings: &[
        SettingSpec {
            key: "path",
            label: "Folder, zip or CSV file",
            help: "where the files are",
            required: true,
            default: "",
            choices: &[],
            only_with: &[],
        },
        SettingSpec {
            key: "file",
            label: "What the rows are",
            help: "for a single CSV file: which of the eleven files it stands for (identities if not said)",
            required: false,
            default: "identities",
            choices: &[
                "identities",
                "accounts",
                "entitlements",
                "grants",
                "credentials",
                "locations",
                "readers",
                "controls",
                "owners",
                "sessions",
                "tasks",
            ],
            only_with: &[],
        },
        SettingSpec {
            key: "recipe",
            label: "Recipe",
            help: "reads extracts of another product as they are: the files keep their names and columns",
            required: false,
            default: "",
            choices: &recipes::NAMES,
            only_with: &[],
        },
        SettingSpec {
            key: "system",
            label: "System of the recipe",
            help: "with a recipe: the name of the system whose objects these are (the recipe's own name if not said)",
            required: false,
            default: "",
            choices: &[],
            only_with: &[],
        },
        SettingSpec {
            key: "timezone",
            label: "Time zone of bare dates",
            help: "IANA name such as Europe/Zurich; a date without a time is a day in this zone",
            required: false,
            default: "UTC",
            choices: &[],
            only_with: &[],
        },
        SettingSpec {
            key: "time_format",
            label: "How times are written",
            help: "beside 2026-11-20 and RFC 3339, in strftime signs: %d/%b/%y %I:%M %p reads 09/Sep/26 4:12 PM; several parted by ` | `; times without %z are of `timezone`, which has to be given then",
            required: false,
            default: "",
            choices: &[],
            only_with: &[],
        },
        SettingSpec {
            key: "last_line_end",
            label: "Line end of the last row",
            help: "needed: where the last row has none, the file may be cut off, and what it would remove is held; optional: this export never writes one (needed if not said)",
            required: false,
            default: "needed",
            choices: &["needed", "optional"],
            only_with: &[],
        },
        SettingSpec {
            key: "columns",
            label: "Columns that were there",
            help: "needed: where a file lacks a column that its last complete read had, nothing is taken as gone until somebody accepts it; optional: columns of this export come and go (needed if not said)",
            required: false,
            default: "needed",
            choices: &["needed", "optional"],
            only_with: &[],
        },
    ],
    secret: SecretNeed::None,
    secret_label: "",
    reads: &Kind::ALL,
};

/// Families of keys beside the fixed ones: `map.COLUMN`, `fixed.COLUMN`, `value.COLUMN.FROM`,
/// each also with a file's name first (`map.accounts.COLUMN`).
const FAMILIES: [&str; 3] = ["map.", "fixed.", "value."];

/// Whether a last row without a line end is a sign that the file was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    Needed,
    Optional,
}

/// Whether a column may be missing that an earlier read had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceThere {
    Needed,
    Optional,
}

/// Whether somebody said what the rows of a single CSV file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SingleBy {
    Setting,
    /// Nobody: they are taken for identities.
    Default,
}

/// A configured place with its mapping and its zone.
#[derive(Clone, Debug)]
pub struct Source {
    pub path: PathBuf,
    /// How the place is called in errors: the last part of the path.
    pub shown: String,
    /// What the rows of a single CSV file are.
    pub single: Kind,
    /// Who says that.
    pub single_by: SingleBy,
    pub clock: Clock,
    pub last_line_end: LineEnd,
    pub once_there: OnceThere,
    pub recipe: Option<&'static Recipe>,
    /// The system of a recipe's objects.
    pub system: String,
    mappings: BTreeMap<Kind, Mapping>,
}

/// The zone in which a bare date is a day.
pub(crate) fn zone(settings: &Settings) -> Result<Tz, ConnectorError> {
    let name = settings.get("timezone").unwrap_or("UTC");
    name.parse::<Tz>().map_err(|_| {
        config(
            format!("`{name}` is not a time zone"),
            "give an IANA name such as Europe/Zurich or America/New_York",
        )
    })
}

/// How times are written.
fn clock(settings: &Settings) -> Result<Clock, ConnectorError> {
    let named = settings
        .get("timezone")
        .is_some_and(|name| !name.is_empty());
    let forms = settings.get("time_format").unwrap_or_default();
    Clock::new(zone(settings)?, forms, named).map_err(|(form, fault)| match fault {
        FormFault::Signless => config(
            format!("`{form}` does not say how times are written"),
            "use strftime signs, such as %d/%b/%y %I:%M %p",
        ),
        FormFault::Dateless => config(
            format!("`{form}` does not tell a whole date"),
            "it needs a day, a month and a year, such as %d/%b/%y",
        ),
        FormFault::NamedZone => config(
            format!("`{form}` has %Z, and the name of a zone does not say which it is"),
            "take out the name and give the source `timezone`, or write the offset, %z",
        ),
        FormFault::Unzoned => config(
            format!("`{form}` has times of which nobody says in which zone they are"),
            "give the source `timezone` too, such as Europe/Zurich (or UTC)",
        ),
    })
}

impl Source {
    /// Parses the settings; every key that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Source, ConnectorError> {
        settings.validate(&DESCRIPTOR, &FAMILIES)?;
        let path = PathBuf::from(settings.get("path").unwrap_or_default());
        let single = match settings.get("file") {
            None => Kind::Identity,
            Some(word) => Kind::from_word(word).ok_or_else(|| {
                config(
                    format!("`{word}` is not a kind of file"),
                    "say identities, accounts, …",
                )
            })?,
        };
        let single_by = match settings.get("file") {
            Some(_) => SingleBy::Setting,
            None => SingleBy::Default,
        };
        let clock = clock(settings)?;
        let last_line_end = match settings.get("last_line_end") {
            None | Some("needed") => LineEnd::Needed,
            Some("optional") => LineEnd::Optional,
            Some(other) => {
                return Err(config(
                    format!("`{other}` does not say whether the last row needs a line end"),
                    "say needed or optional",
                ));
            }
        };
        let once_there = match settings.get("columns") {
            None | Some("needed") => OnceThere::Needed,
            Some("optional") => OnceThere::Optional,
            Some(other) => {
                return Err(config(
                    format!("`{other}` does not say whether columns may get lost"),
                    "say needed or optional",
                ));
            }
        };
        let recipe = match settings.get("recipe").filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => Some(recipes::recipe(name).ok_or_else(|| {
                config(
                    format!("there is no recipe `{name}`"),
                    format!("recipes: {}", recipes::NAMES.join(", ")),
                )
            })?),
        };
        let system = match (
            settings.get("system").filter(|name| !name.is_empty()),
            recipe,
        ) {
            (Some(_), None) => {
                return Err(config(
                    "`system` counts only with a recipe".to_owned(),
                    "give every row a system with fixed.system=NAME",
                ));
            }
            (Some(name), Some(_)) if !SystemName::is_well_formed(name) => {
                return Err(config(
                    format!("`{name}` is not a system name"),
                    "use a-z, 0-9, `.`, `_` and `-`",
                ));
            }
            (Some(name), Some(_)) => name.to_owned(),
            (None, recipe) => recipe
                .map(|recipe| recipe.system.clone())
                .unwrap_or_default(),
        };
        let mut mappings: BTreeMap<Kind, Mapping> = BTreeMap::new();
        for (key, value) in &settings.0 {
            let Some((family, rest)) = key.split_once('.') else {
                continue;
            };
            let (kind, rest) = match rest.split_once('.') {
                Some((file, rest)) if plural(file).is_some() => {
                    (plural(file).unwrap_or(single), rest)
                }
                Some(_) | None => (single, rest),
            };
            let (column, from) = match (family, rest.split_once('.')) {
                ("value", Some((column, from))) => (column, from),
                ("value", None) => {
                    return Err(config(
                        format!("`{key}` does not say which value it replaces"),
                        "write value.COLUMN.FROM=TO",
                    ));
                }
                _ => (rest, ""),
            };
            let Some(spec) = columns(kind).iter().find(|c| c.name == column) else {
                return Err(config(
                    format!("`{column}` is not a column of {}.csv", kind.plural()),
                    match single_by {
                        SingleBy::Default if kind == single => format!(
                            "its columns: {}; of rows that are something else say so, such as --file accounts",
                            column_names(kind)
                        ),
                        _ => format!("its columns: {}", column_names(kind)),
                    },
                ));
            };
            let mapping = mappings.entry(kind).or_default();
            match (family, value.strip_prefix('=')) {
                ("value", _) => mapping.replace(spec.name, from, value),
                ("fixed", _) => mapping.fix(spec.name, value),
                (_, Some(fixed)) => mapping.fix(spec.name, fixed),
                (_, None) => mapping.rename(spec.name, readable(kind, recipe, spec.name, value)?),
            }
        }
        let shown = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Ok(Source {
            path,
            shown,
            single,
            single_by,
            clock,
            last_line_end,
            once_there,
            recipe,
            system,
            mappings,
        })
    }

    /// The mapping of a kind's file; empty where none was given.
    pub fn mapping(&self, kind: Kind) -> Mapping {
        self.mappings.get(&kind).cloned().unwrap_or_default()
    }
}

/// The header that a column is mapped to, unless secret values stand under it.
fn readable<'h>(
    kind: Kind,
    recipe: Option<&Recipe>,
    column: &str,
    header: &'h str,
) -> Result<&'h str, ConnectorError> {
    let files = recipe.iter().flat_map(|recipe| &recipe.files);
    let mut withheld = files.flat_map(|extract| &extract.withheld);
    let of_recipe = withheld.any(|one| recipes::letters(one) == recipes::letters(header));
    match of_recipe || holds_secrets(kind, header) {
        false => Ok(header),
        true => Err(config(
            format!(
                "`{column}` is mapped to `{header}`, and a column of that name holds secret values, which are never read"
            ),
            "leave it out of the mapping; where its values are no secrets, rename it in the file",
        )),
    }
}

fn plural(word: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|k| k.plural() == word)
}
