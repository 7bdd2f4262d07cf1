//! Reading a plan from TOML, with line and column for everything that cannot be used.
//!
//! Tables: `[[step]]` (on, system, does, how, within, identity_kind, account_kind,
//! leaver_kind, privileged), `[[system]]` (name, credentials_die_with_account,
//! session_lifetime), `[[limit]]` (on, within, identity_kind, leaver_kind, privileged,
//! system). Durations are a whole number and s, m, h or d.

use super::plan::{How, Limit, Plan, PlanError, Step, StepAction, SystemTraits};
use chrono::TimeDelta;
use lastkey_contract::SystemName;
use lastkey_contract::facts::{AccountKind, IdentityKind, LeaverKind, LifecycleEvent};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const STEP_KEYS: &[&str] = &[
    "on",
    "system",
    "does",
    "how",
    "within",
    "identity_kind",
    "account_kind",
    "leaver_kind",
    "privileged",
];
const SYSTEM_KEYS: &[&str] = &["name", "credentials_die_with_account", "session_lifetime"];
const LIMIT_KEYS: &[&str] = &[
    "on",
    "within",
    "identity_kind",
    "leaver_kind",
    "privileged",
    "system",
];
const DURATION_HINT: &str = "write a whole number and s, m, h or d, such as \"15m\" or \"24h\"";

impl Plan {
    /// The plan that the text describes, or the first thing in it that cannot be used.
    pub fn parse(toml_text: &str) -> Result<Plan, PlanError> {
        let text = PlanText(toml_text);
        let document = DeTable::parse(toml_text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            text.error(at, first_line(error.message()), None)
        })?;
        let mut plan = Plan::default();
        for (key, value) in document.get_ref() {
            match key.get_ref().as_ref() {
                "step" => {
                    for table in text.tables(value, "step")? {
                        plan.steps.push(step(&table)?);
                    }
                }
                "system" => {
                    for table in text.tables(value, "system")? {
                        plan.systems.push(system(&table)?);
                    }
                }
                "limit" => {
                    for table in text.tables(value, "limit")? {
                        plan.limits.push(limit(&table)?);
                    }
                }
                unknown => {
                    let message = format!("unknown table `{unknown}`");
                    let words = &["[[step]]", "[[system]]", "[[limit]]"];
                    return Err(text.error(key.span(), message, Some(one_of(words))));
                }
            }
        }
        Ok(plan)
    }
}

fn step(table: &Table<'_>) -> Result<Step, PlanError> {
    table.only(STEP_KEYS)?;
    let (line, _) = table.text.place(table.span.start);
    let system = table.required("system", Table::text)?;
    Ok(Step {
        on: table.required("on", |t, k| {
            t.word(k, LifecycleEvent::WORDS, LifecycleEvent::from_word)
        })?,
        system: match system.as_str() {
            "*" => None,
            _ => Some(table.system_name("system", &system)?),
        },
        does: table.required("does", |t, k| {
            t.word(k, StepAction::WORDS, StepAction::from_word)
        })?,
        how: table.word("how", How::WORDS, How::from_word)?,
        within: table.required("within", Table::duration)?,
        identity_kind: table.word(
            "identity_kind",
            IdentityKind::WORDS,
            IdentityKind::from_word,
        )?,
        account_kind: table.word("account_kind", AccountKind::WORDS, AccountKind::from_word)?,
        leaver_kind: table.word("leaver_kind", LeaverKind::WORDS, LeaverKind::from_word)?,
        privileged: table.flag("privileged")?,
        line,
    })
}

fn system(table: &Table<'_>) -> Result<SystemTraits, PlanError> {
    table.only(SYSTEM_KEYS)?;
    let name = table.required("name", Table::text)?;
    Ok(SystemTraits {
        name: table.system_name("name", &name)?,
        credentials_die_with_account: table.flag("credentials_die_with_account")?,
        session_lifetime: table.duration("session_lifetime")?,
    })
}

fn limit(table: &Table<'_>) -> Result<Limit, PlanError> {
    table.only(LIMIT_KEYS)?;
    let system = table.text("system")?;
    Ok(Limit {
        on: table.required("on", |t, k| {
            t.word(k, LifecycleEvent::WORDS, LifecycleEvent::from_word)
        })?,
        within: table.required("within", Table::duration)?,
        identity_kind: table.word(
            "identity_kind",
            IdentityKind::WORDS,
            IdentityKind::from_word,
        )?,
        leaver_kind: table.word("leaver_kind", LeaverKind::WORDS, LeaverKind::from_word)?,
        privileged: table.flag("privileged")?,
        system: match system.as_deref() {
            None | Some("*") => None,
            Some(name) => Some(table.system_name("system", name)?),
        },
    })
}

/// A text whose places are told as line and column.
#[derive(Clone, Copy)]
pub(crate) struct PlanText<'a>(pub(crate) &'a str);

impl<'a> PlanText<'a> {
    /// Line and column of a byte, from 1; columns count characters.
    pub(crate) fn place(self, byte: usize) -> (u32, u32) {
        let before = self.0.get(..byte).unwrap_or(self.0);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(start..).unwrap_or("").chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (number(line), number(column))
    }

    pub(crate) fn error(
        self,
        at: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> PlanError {
        let (line, column) = self.place(at.start);
        PlanError {
            line,
            column,
            message: message.into(),
            hint,
        }
    }

    pub(crate) fn tables<'v>(
        self,
        value: &'v Spanned<DeValue<'a>>,
        name: &'static str,
    ) -> Result<Vec<Table<'v>>, PlanError>
    where
        'a: 'v,
    {
        let hint = || Some(format!("write [[{name}]], with two brackets"));
        let DeValue::Array(array) = value.get_ref() else {
            let message = format!("`{name}` is not a list of tables");
            return Err(self.error(value.span(), message, hint()));
        };
        let mut tables = Vec::new();
        for entry in array.iter() {
            let DeValue::Table(values) = entry.get_ref() else {
                let message = format!("`{name}` holds something that is not a table");
                return Err(self.error(entry.span(), message, hint()));
            };
            tables.push(Table {
                text: self,
                name,
                span: entry.span(),
                values,
            });
        }
        Ok(tables)
    }
}

/// One table of such a text.
pub(crate) struct Table<'a> {
    pub(crate) text: PlanText<'a>,
    pub(crate) name: &'static str,
    pub(crate) span: Range<usize>,
    pub(crate) values: &'a DeTable<'a>,
}

impl Table<'_> {
    pub(crate) fn only(&self, keys: &[&str]) -> Result<(), PlanError> {
        for key in self.values.keys() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                let message = format!("unknown key `{name}` in [[{}]]", self.name);
                return Err(self.text.error(key.span(), message, Some(one_of(keys))));
            }
        }
        Ok(())
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Spanned<DeValue<'_>>> {
        let mut entries = self.values.iter();
        let (_, value) = entries.find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some(value)
    }

    pub(crate) fn wrong(&self, key: &str, message: String, hint: String) -> PlanError {
        let at = self.value(key).map_or(self.span.clone(), Spanned::span);
        self.text.error(at, message, Some(hint))
    }

    pub(crate) fn required<T>(
        &self,
        key: &str,
        read: impl Fn(&Self, &str) -> Result<Option<T>, PlanError>,
    ) -> Result<T, PlanError> {
        read(self, key)?.ok_or_else(|| {
            let message = format!("[[{}]] has no `{key}`", self.name);
            let hint = match key {
                "within" => DURATION_HINT.to_owned(),
                _ => format!("add a line `{key} = …`"),
            };
            self.wrong(key, message, hint)
        })
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, PlanError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => {
                let message = format!("`{key}` is not a text");
                Err(self.wrong(key, message, "write it in quotes".to_owned()))
            }
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, PlanError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match value.get_ref().as_bool() {
            Some(flag) => Ok(Some(flag)),
            None => {
                let message = format!("`{key}` is neither true nor false");
                Err(self.wrong(
                    key,
                    message,
                    "write true or false, without quotes".to_owned(),
                ))
            }
        }
    }

    pub(crate) fn word<T>(
        &self,
        key: &str,
        words: &[&str],
        from_word: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, PlanError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        match from_word(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(self.wrong(
                key,
                format!("unknown word `{text}` for `{key}`"),
                one_of(words),
            )),
        }
    }

    pub(crate) fn system_name(&self, key: &str, text: &str) -> Result<SystemName, PlanError> {
        if SystemName::is_well_formed(text) {
            return Ok(SystemName::new(text));
        }
        let hint = "use a-z, 0-9, dot, underscore and hyphen, starting with a letter or digit";
        Err(self.wrong(
            key,
            format!("`{text}` is not the name of a system"),
            hint.to_owned(),
        ))
    }

    pub(crate) fn duration(&self, key: &str) -> Result<Option<TimeDelta>, PlanError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        if text.starts_with('-') {
            let message = format!("`{text}` is a negative time");
            return Err(self.wrong(key, message, DURATION_HINT.to_owned()));
        }
        match duration(&text) {
            // Past the end of the calendar a limit would excuse even what never closes.
            Some(time) if time > LONGEST => {
                let message = format!("`{text}` is longer than a hundred years");
                Err(self.wrong(key, message, DURATION_HINT.to_owned()))
            }
            Some(time) => Ok(Some(time)),
            None => {
                let message = format!("`{text}` is not a time");
                Err(self.wrong(key, message, DURATION_HINT.to_owned()))
            }
        }
    }
}

const LONGEST: TimeDelta = TimeDelta::days(36_525);

fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = number.parse().ok()?;
    TimeDelta::try_seconds(count.checked_mul(seconds)?)
}

pub(crate) fn one_of(words: &[&str]) -> String {
    format!("one of: {}", words.join(", "))
}

pub(crate) fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or("the text cannot be read");
    let mut line = line.to_owned();
    if let Some(first) = line.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    line
}
