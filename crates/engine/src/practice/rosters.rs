//! The monthly rosters, and what the provisioning process claims about the people in them.

use super::calendar::{MONTHS, date, day, on};
use super::company::{Company, DEPARTMENTS, Person};
use super::table::{Row, Tables};
use chrono::{NaiveDate, TimeDelta};

/// Writes the monthly rosters. Each shows the state of the 20th of its month.
pub(super) fn rosters(company: &Company, tables: &mut Tables) {
    for (year, month) in MONTHS {
        let as_of = date(year, month, 20);
        let stem = format!("{year}-{month:02}-20");
        for person in &company.people {
            if let Some(status) = person.status(as_of) {
                tables.add("hr", &stem, roster_row(person, as_of, status));
            }
        }
    }
}

fn roster_row(person: &Person, as_of: NaiveDate, status: &'static str) -> Row {
    let before = person.moved.as_ref().filter(|moved| moved.on > as_of);
    let department = before.map_or(person.department, |moved| moved.from);
    let name = DEPARTMENTS
        .get(department)
        .map_or("Executive Office", |d| d.name);
    let manager = if before.is_some() {
        &person.former_manager
    } else {
        &person.manager
    };
    let known_end = person.end.filter(|end| {
        *end <= as_of + TimeDelta::days(30) && person.back.is_none_or(|back| back > as_of)
    });
    let start = person
        .back
        .filter(|back| *back <= as_of)
        .unwrap_or(person.start);
    Row::of(&[
        ("id", &person.id),
        ("kind", "person"),
        ("display_name", &person.name),
    ])
    .with("email", person.email())
    .with("status", status)
    .with("department", name)
    .with("title", person.title)
    .with("manager_id", manager.as_str())
    .with("location", person.place)
    .with("start_date", start.to_string())
    .with(
        "end_date",
        known_end.map(|end| end.to_string()).unwrap_or_default(),
    )
    .with(
        "leaver_kind",
        if known_end.is_some() {
            person.leaver_kind
        } else {
            ""
        },
    )
}

/// What the provisioning process says about the people.
pub(super) fn claims(company: &Company, tables: &mut Tables) {
    let mut number = 10_000;
    let mut claim = |person: &Person, system: &str, event: &str, action: &str, at: NaiveDate| {
        number += 1;
        let row = Row::of(&[
            ("system", system),
            ("event", event),
            ("identity_id", &person.id),
            ("account_id", &person.login),
            ("action", action),
            ("status", "done"),
            ("retries", "0"),
            ("closed_by", "provisioning"),
        ])
        .with("id", format!("T{number}"))
        .with("requested_at", on(at, 6))
        .with("closed_at", on(at, 7))
        .with(
            "approved_by",
            if event == "mover" {
                person.manager.as_str()
            } else {
                ""
            },
        )
        .with("ticket", format!("CHG-{}", number + 52_000));
        tables.add("provisioning", "tasks", row);
    };
    for person in &company.people {
        let technical = DEPARTMENTS
            .get(person.department)
            .is_some_and(|d| d.technical);
        let systems: &[&str] = if technical {
            &["corp-ad", "cloud", "code-host", "vault"]
        } else {
            &["corp-ad"]
        };
        for system in systems {
            if person.start > day(415) && person.start <= day(0) {
                claim(person, system, "joiner", "create_account", person.start);
            }
            if let Some(end) = person
                .end
                .filter(|end| *end < day(0) && person.says.is_none())
            {
                claim(
                    person,
                    system,
                    "leaver",
                    "disable_account",
                    end + TimeDelta::days(1),
                );
            }
            if let Some(back) = person.back {
                claim(person, system, "rehire", "enable_account", back);
            }
        }
        if let Some(moved) = person.moved.as_ref() {
            claim(person, "corp-ad", "mover", "change_groups", moved.on);
        }
    }
}
