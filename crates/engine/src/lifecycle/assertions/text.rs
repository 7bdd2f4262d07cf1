//! Reading assertions from TOML, with line and column for everything that cannot be used.

use super::{AssertedOf, Assertion, Expected, Holds, SavedHolds, Which, Who};
use crate::lifecycle::plan_text::{PlanText, Table, first_line, one_of};
use crate::lifecycle::{ItemKind, PlanError};
use lastkey_contract::facts::{IdentityKind, LeaverKind};
use toml::Spanned;
use toml::de::DeTable;

/// Whom it is about.
const WHO: &[&str] = &["identity", "identity_kind", "leaver_kind", "third_party"];
/// Which items of theirs.
const WHICH: &[&str] = &["system", "item_kind", "privileged"];
/// What must hold.
const HOLDS: &[&str] = &["nothing_beyond", "verdict", "no_worse"];
const KEYS: &[&str] = &[
    "name",
    "identity",
    "identity_kind",
    "leaver_kind",
    "third_party",
    "saved",
    "system",
    "item_kind",
    "privileged",
    "nothing_beyond",
    "verdict",
    "no_worse",
    "allow_empty",
];

impl Assertion {
    /// The assertions of the text, at least one; or the first thing in it that cannot be used.
    pub fn parse_all(toml_text: &str) -> Result<Vec<Assertion>, PlanError> {
        let text = PlanText(toml_text);
        let document = DeTable::parse(toml_text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            text.error(at, first_line(error.message()), None)
        })?;
        let mut all: Vec<Assertion> = Vec::new();
        for (key, value) in document.get_ref() {
            match key.get_ref().as_ref() {
                "assertion" => {
                    for table in text.tables(value, "assertion")? {
                        let one = assertion(&table)?;
                        if let Some(same) = all.iter().find(|other| other.name == one.name) {
                            let message = format!(
                                "there is an assertion `{}` in line {} already",
                                one.name, same.line
                            );
                            let hint = "give each a name of its own".to_owned();
                            return Err(table.wrong("name", message, hint));
                        }
                        all.push(one);
                    }
                }
                unknown => {
                    let message = format!("unknown table `{unknown}`");
                    let hint = Some("write [[assertion]]".to_owned());
                    return Err(text.error(key.span(), message, hint));
                }
            }
        }
        match all.is_empty() {
            true => {
                let hint = Some("write at least one [[assertion]]".to_owned());
                Err(text.error(0..0, "nothing is asserted", hint))
            }
            false => Ok(all),
        }
    }
}

fn assertion(table: &Table<'_>) -> Result<Assertion, PlanError> {
    table.only(KEYS)?;
    let (line, _) = table.text.place(table.span.start);
    let name = table.required("name", Table::text)?;
    if name.trim().is_empty() {
        let message = "the name is empty".to_owned();
        return Err(table.wrong("name", message, "say what must hold".to_owned()));
    }
    Ok(Assertion {
        name: name.trim().to_owned(),
        line,
        of: match table.text("saved")? {
            Some(saved) => of_saved(table, saved.trim().to_owned())?,
            None => of_leavers(table)?,
        },
        allow_empty: table.flag("allow_empty")?.unwrap_or(false),
    })
}

fn of_saved(table: &Table<'_>, name: String) -> Result<AssertedOf, PlanError> {
    for key in WHO
        .iter()
        .chain(WHICH)
        .chain(&["nothing_beyond", "allow_empty"])
    {
        if table.value(key).is_some() {
            let message = format!("`{key}` does not go with `saved`");
            let hint = "the saved rehearsal says whom and what it is about: \
                        write no_worse = true or verdict = \"…\" beside it";
            return Err(table.wrong(key, message, hint.to_owned()));
        }
    }
    let holds = match the_one(table)? {
        "verdict" => SavedHolds::Verdict(expected(table)?),
        _ => {
            only_true(table, "no_worse")?;
            SavedHolds::NoWorse
        }
    };
    Ok(AssertedOf::Saved { name, holds })
}

fn of_leavers(table: &Table<'_>) -> Result<AssertedOf, PlanError> {
    let identity = table.text("identity")?;
    if let Some(id) = &identity
        && matches!(id.trim(), "" | "*")
    {
        let message = format!("`{id}` is nobody's id");
        let hint = "leave `identity` out to mean everybody".to_owned();
        return Err(table.wrong("identity", message, hint));
    }
    let who = Who {
        identity: identity.map(|id| id.trim().to_owned()),
        kind: table.word(
            "identity_kind",
            IdentityKind::WORDS,
            IdentityKind::from_word,
        )?,
        leaver_kind: table.word("leaver_kind", LeaverKind::WORDS, LeaverKind::from_word)?,
        third_party: table.flag("third_party")?,
    };
    let which = Which {
        system: match table.text("system")?.as_deref() {
            None | Some("*") => None,
            Some(name) => Some(table.system_name("system", name)?.to_string()),
        },
        kind: table.word("item_kind", ItemKind::WORDS, ItemKind::from_word)?,
        privileged: table.flag("privileged")?,
    };
    let holds = match the_one(table)? {
        "nothing_beyond" => {
            let within = table.required("nothing_beyond", Table::duration)?;
            Holds::NothingBeyond(within, which)
        }
        "verdict" => {
            if let Some(key) = WHICH.iter().find(|key| table.value(key).is_some()) {
                let message = format!("`{key}` does not go with `verdict`");
                let hint = "a verdict is of all items: write nothing_beyond = \"…\" to ask of some";
                return Err(table.wrong(key, message, hint.to_owned()));
            }
            Holds::Verdict(expected(table)?)
        }
        key => {
            let message = format!("`{key}` needs `saved`");
            let hint = "name the saved rehearsal: saved = \"…\"".to_owned();
            return Err(table.wrong(key, message, hint));
        }
    };
    Ok(AssertedOf::Leavers { who, holds })
}

/// Which one of the things that can hold is given; exactly one must be.
fn the_one(table: &Table<'_>) -> Result<&'static str, PlanError> {
    let mut given = HOLDS.iter().filter(|key| table.value(key).is_some());
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            let at = table.span.clone();
            let message = "the assertion does not say what must hold";
            Err(table.text.error(at, message, Some(one_of(HOLDS))))
        }
        (Some(one), Some(other)) => {
            let message = format!("`{one}` and `{other}` in one assertion");
            Err(table.wrong(other, message, "write two assertions".to_owned()))
        }
    }
}

fn expected(table: &Table<'_>) -> Result<Expected, PlanError> {
    let word = table.value("verdict").map(Spanned::get_ref);
    if word.and_then(|word| word.as_str()) == Some("indeterminate") {
        let message = "nothing can be built on `indeterminate`: it says that too little is known";
        return Err(table.wrong("verdict", message.to_owned(), one_of(Expected::WORDS)));
    }
    table.required("verdict", |t, key| {
        t.word(key, Expected::WORDS, Expected::from_word)
    })
}

fn only_true(table: &Table<'_>, key: &str) -> Result<(), PlanError> {
    match table.flag(key)? {
        Some(false) => {
            let message = format!("`{key} = false` asserts nothing");
            Err(table.wrong(key, message, "write true, or leave it out".to_owned()))
        }
        Some(true) | None => Ok(()),
    }
}
