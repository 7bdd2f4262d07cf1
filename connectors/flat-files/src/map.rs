//! One row of a file -> one fact. Pure: the zone is handed in, nothing is looked up.

use crate::clock::Clock;
use crate::header::{Bound, From as Origin, Header};
use crate::table::Cells;
use crate::words::{self, NO_BOOLEAN, NO_DATE, NO_RECIPE_WORD, NO_WORD};
use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use lastkey_contract::facts::*;
use lastkey_contract::{Fact, Kind, SystemName, When, may_be_secret};
use std::ops::RangeInclusive;

/// Why a row is no fact: the column and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub column: String,
    /// What is wrong in general: rows with the same class are counted together.
    pub class: &'static str,
    /// The offending value as messages show it; None where it is missing or plays no part.
    pub value: Option<String>,
}

/// The row as a fact of its kind, or the first thing that is wrong with it.
pub fn fact(kind: Kind, header: &Header, cells: &Cells, clock: &Clock) -> Result<Fact, Problem> {
    let mut row = Row {
        header,
        cells,
        clock,
        at: 0,
        as_it_stands: true,
    };
    Ok(match kind {
        Kind::Identity => Fact::Identity(Identity {
            id: row.required("id")?.into(),
            kind: row.required_word("kind", IdentityKind::from_word)?,
            display_name: row.text("display_name"),
            email: row.text("email"),
            status: row.word("status", IdentityStatus::from_word)?,
            department: row.text("department"),
            title: row.text("title"),
            manager_id: row.text("manager_id").map(Into::into),
            employer_id: row.text("employer_id").map(Into::into),
            location: row.text("location"),
            start_date: row.when("start_date")?,
            end_date: row.when("end_date")?,
            leaver_kind: row.word("leaver_kind", LeaverKind::from_word)?,
            purpose: row.text("purpose"),
            allowed_tools: row.text("allowed_tools"),
            attributes: row.attributes(),
        }),
        Kind::Account => {
            let system = row.system("system")?;
            let id = row.required("id")?.into();
            let name = row.text("name");
            let account_kind = row.word("kind", AccountKind::from_word)?;
            let identity_id = row.text("identity_id").map(Into::into);
            let email = row.text("email");
            let enabled = row.truth("enabled")?;
            let local_sign_in = row.truth("local_sign_in")?;
            let through_system = row.system_if_given("signs_in_through_system")?;
            let through_id = row.text("signs_in_through_id");
            Fact::Account(Account {
                signs_in_through_system: through_system
                    .or_else(|| through_id.as_ref().map(|_| system.clone())),
                signs_in_through_id: through_id.map(Into::into),
                system,
                id,
                name,
                kind: account_kind,
                identity_id,
                email,
                enabled,
                local_sign_in,
                mfa: row.truth("mfa")?,
                privileged: row.truth("privileged")?,
                environment: row.text("environment"),
                created_at: row.when("created_at")?,
                created_by: row.text("created_by"),
                last_used_at: row.when("last_used_at")?,
                last_interactive_at: row.when("last_interactive_at")?,
                disabled_at: row.when("disabled_at")?,
                expires_at: row.when("expires_at")?,
                attributes: row.attributes(),
            })
        }
        Kind::Entitlement => Fact::Entitlement(Entitlement {
            system: row.system("system")?,
            id: row.required("id")?.into(),
            name: row.text("name"),
            kind: row.word("kind", EntitlementKind::from_word)?,
            privileged: row.truth("privileged")?,
            environment: row.text("environment"),
            attributes: row.attributes(),
        }),
        Kind::Grant => {
            let system = row.system("system")?;
            Fact::Grant(Grant {
                principal: row.principal(&system)?,
                system,
                entitlement_id: row.required("entitlement_id")?.into(),
                assignment: row.word("assignment", Assignment::from_word)?,
                granted_at: row.when("granted_at")?,
                granted_by: row.text("granted_by"),
                approved_by: row.text("approved_by"),
                ticket: row.text("ticket"),
                reason: row.text("reason"),
                last_used_at: row.when("last_used_at")?,
                expires_at: row.when("expires_at")?,
                attributes: row.attributes(),
            })
        }
        Kind::Credential => Fact::Credential(Credential {
            system: row.system("system")?,
            id: row.required("id")?.into(),
            kind: row.required_word("kind", CredentialKind::from_word)?,
            account_id: row.text("account_id").map(Into::into),
            name: row.text("name"),
            enabled: row.truth("enabled")?,
            environment: row.text("environment"),
            created_at: row.when("created_at")?,
            created_by: row.text("created_by"),
            rotated_at: row.when("rotated_at")?,
            revoked_at: row.when("revoked_at")?,
            expires_at: row.when("expires_at")?,
            last_used_at: row.when("last_used_at")?,
            fingerprint: row.text("fingerprint").map(Into::into),
            attributes: row.attributes(),
        }),
        Kind::Location => Fact::Location(Location {
            system: row.system("system")?,
            path: row.required("path")?.into(),
            credential_system: row.system_if_given("credential_system")?,
            credential_id: row.text("credential_id").map(Into::into),
            kind: row.word("kind", LocationKind::from_word)?,
            environment: row.text("environment"),
            fingerprint: row.text("fingerprint").map(Into::into),
            last_rotated_at: row.when("last_rotated_at")?,
            attributes: row.attributes(),
        }),
        Kind::Reader => {
            let system = row.system("system")?;
            Fact::Reader(Reader {
                path: row.required("path")?.into(),
                principal: row.principal(&system)?,
                system,
                attributes: row.attributes(),
            })
        }
        Kind::Control => {
            let system = row.system("system")?;
            Fact::Control(Control {
                account_id: row.required("account_id")?.into(),
                principal: row.principal(&system)?,
                system,
                means: row.required_word("means", ControlMeans::from_word)?,
                attributes: row.attributes(),
            })
        }
        Kind::Owner => {
            let object_type = row.required_word("object_type", ObjectType::from_word)?;
            let system = match object_type {
                ObjectType::Identity => row.system_if_given("system")?,
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => Some(row.system("system")?),
            };
            Fact::Owner(Owner {
                object_type,
                system,
                object_id: row.required("object_id")?,
                owner_id: row.required("owner_id")?.into(),
                role: row.required_word("role", OwnerRole::from_word)?,
                attributes: row.attributes(),
            })
        }
        Kind::Session => Fact::Session(Session {
            system: row.system("system")?,
            account_id: row.required("account_id")?.into(),
            id: row.required("id")?.into(),
            started_at: row.when("started_at")?,
            last_seen_at: row.when("last_seen_at")?,
            expires_at: row.when("expires_at")?,
            attributes: row.attributes(),
        }),
        Kind::Task => Fact::Task(Task {
            id: row.required("id")?.into(),
            system: row.system("system")?,
            event: row.required_word("event", LifecycleEvent::from_word)?,
            identity_id: row.text("identity_id").map(Into::into),
            account_id: row.text("account_id").map(Into::into),
            action: row.text("action"),
            status: row.word("status", TaskStatus::from_word)?,
            retries: row.number("retries")?,
            requested_at: row.when("requested_at")?,
            approved_by: row.text("approved_by"),
            closed_at: row.when("closed_at")?,
            closed_by: row.text("closed_by"),
            overridden: row.text("override"),
            ticket: row.text("ticket"),
            attributes: row.attributes(),
        }),
    })
}

/// One row, read column by column.
struct Row<'a> {
    header: &'a Header,
    cells: &'a Cells,
    clock: &'a Clock,
    /// Where the last column stood: columns are read nearly in order, so the search is short.
    at: usize,
    /// Whether nothing said that the last value stands for another.
    as_it_stands: bool,
}

impl<'a> Row<'a> {
    /// The value of a column after fixing and replacing; empty is not known.
    fn value(&mut self, name: &str) -> Option<&'a str> {
        let count = self.header.bound.len();
        let (at, bound) = (0..count)
            .map(|step| (self.at + step) % count)
            .filter_map(|at| self.header.bound.get(at).map(|b| (at, b)))
            .find(|(_, b)| b.name == name)?;
        self.at = at + 1;
        let raw = match &bound.from {
            Origin::Cell(cell) => self.cells.get(*cell),
            Origin::Fixed(value) => value,
            Origin::Nowhere => return None,
        };
        let meant = bound.replaced.get(raw).or_else(|| bound.meant(raw));
        self.as_it_stands = meant.is_none();
        Some(meant.map_or(raw, String::as_str)).filter(|v| !v.is_empty())
    }

    /// How the column that was read last is bound.
    fn last(&self) -> Option<&'a Bound> {
        self.at
            .checked_sub(1)
            .and_then(|at| self.header.bound.get(at))
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let text = self.value(name)?;
        Some(match self.last().map_or("", |bound| bound.before) {
            "" => text.to_owned(),
            before => format!("{before}{text}"),
        })
    }

    fn required(&mut self, name: &'static str) -> Result<String, Problem> {
        self.text(name).ok_or(Problem {
            column: name.to_owned(),
            class: "is empty",
            value: None,
        })
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        class: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.value(name)
            .map(|text| {
                parse(text).ok_or_else(|| Problem {
                    column: name.to_owned(),
                    class,
                    value: Some(shown(text)),
                })
            })
            .transpose()
    }

    fn word<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.parsed(name, NO_WORD, parse)
    }

    fn required_word<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        self.word(name, parse)?.ok_or(Problem {
            column: name.to_owned(),
            class: "is empty",
            value: None,
        })
    }

    fn truth(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        let Some(text) = self.value(name) else {
            return Ok(None);
        };
        let of_recipe = self.last().and_then(|bound| bound.words);
        // What a recipe says of yes it says of each way to write it: a word of its own may mean the
        // opposite, so that one which it does not name must not be taken for itself.
        let (meant, class) = match of_recipe.filter(|_| self.as_it_stands) {
            None => (Some(text), NO_BOOLEAN),
            Some(words) => {
                let asked = words::truth(text.trim());
                let same = |from: &str| asked.is_some() && words::truth(from) == asked;
                let meant = words.iter().find(|(from, _)| same(from));
                (meant.map(|(_, to)| to.as_str()), NO_RECIPE_WORD)
            }
        };
        meant
            .and_then(words::truth)
            .map(Some)
            .ok_or_else(|| Problem {
                column: name.to_owned(),
                class,
                value: Some(shown(text)),
            })
    }

    fn number(&mut self, name: &'static str) -> Result<Option<u32>, Problem> {
        self.parsed(name, "is not a number", |text| text.parse().ok())
    }

    fn when(&mut self, name: &'static str) -> Result<Option<When>, Problem> {
        let (clock, dates) = (self.clock, self.header.dates);
        let when = self.parsed(name, NO_DATE, |text| {
            clock
                .time(text)
                .or_else(|| written_as(text, dates, clock.zone))
        })?;
        match (when, self.last().and_then(|bound| bound.denied_by.as_ref())) {
            (Some(when), Some(denied)) if when.as_expiry() <= denied.at => {
                let cell = self.cells.get(denied.cell).trim();
                match (words::truth(cell), cell) {
                    (Some(false), _) => Ok(None),
                    (Some(true), _) | (None, "") => Ok(Some(when)),
                    (None, other) => Err(Problem {
                        column: denied.column.clone(),
                        class: NO_BOOLEAN,
                        value: Some(shown(other)),
                    }),
                }
            }
            (when, _) => Ok(when),
        }
    }

    fn system_if_given(&mut self, name: &'static str) -> Result<Option<SystemName>, Problem> {
        self.parsed(
            name,
            "is not a system name (`[a-z0-9][a-z0-9._-]*`)",
            |text| SystemName::is_well_formed(text).then(|| SystemName::new(text)),
        )
    }

    fn system(&mut self, name: &'static str) -> Result<SystemName, Problem> {
        self.system_if_given(name)?.ok_or(Problem {
            column: name.to_owned(),
            class: "is empty",
            value: None,
        })
    }

    /// The principal columns; an empty system is the row's own.
    fn principal(&mut self, own: &SystemName) -> Result<Principal, Problem> {
        let kind = self.required_word("principal_type", PrincipalType::from_word)?;
        let id = self.required("principal_id")?;
        let system = self.system_if_given("principal_system")?;
        Ok(Principal {
            kind,
            system: system.unwrap_or_else(|| own.clone()),
            id,
        })
    }

    fn attributes(&self) -> Attributes {
        self.header
            .unknown
            .iter()
            .map(|(at, name)| (name.clone(), self.cells.get(*at)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }
}

/// The seconds since 1970 that a time of an extract can be: 2000 to 9999.
const SECONDS: RangeInclusive<i64> = 946_684_800..=253_402_300_799;

/// Seconds or thousandths of them since 1970. No time of the one is also one of the other, and what
/// is neither is a mark, not a time.
fn since_1970(text: &str) -> Option<When> {
    let number: i64 = text.strip_suffix(".0").unwrap_or(text).parse().ok()?;
    let thousandths = SECONDS.contains(&(number / 1000));
    let at = match SECONDS.contains(&number) {
        true => DateTime::from_timestamp(number, 0),
        false if thousandths => DateTime::from_timestamp_millis(number),
        false => None,
    };
    at.map(When::At)
}

/// A date in one of the ways that a recipe knows, or a number since 1970.
fn written_as(text: &str, dates: &[String], zone: Tz) -> Option<When> {
    dates.iter().find_map(|form| match form.as_str() {
        "%s" => since_1970(text),
        form => NaiveDate::parse_from_str(text, form)
            .ok()
            .and_then(|date| When::day(date, &zone)),
    })
}

/// A value for a message: at most 60 characters, and nothing of what may be a secret that stands in
/// the wrong column.
pub fn shown(text: &str) -> String {
    if may_be_secret(text) {
        return "a value that is not shown, because it may be a secret,".to_owned();
    }
    let short = match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    };
    format!("`{short}`")
}
