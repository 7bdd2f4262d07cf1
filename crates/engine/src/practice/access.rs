//! What the people hold: accounts in each system, nested groups, and the lines between systems.

use super::calendar::{ago, day, on};
use super::company::{Company, DEPARTMENTS, Person};
use super::seed::Seed;
use super::table::{Row, Tables};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Whether an entitlement is privileged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    Ordinary,
    Privileged,
}

impl Right {
    fn word(self) -> &'static str {
        match self {
            Right::Ordinary => "false",
            Right::Privileged => "true",
        }
    }
}

/// Adds an entitlement.
pub(super) fn entitlement(
    tables: &mut Tables,
    system: &'static str,
    id: &str,
    kind: &str,
    right: Right,
    environment: &str,
) {
    let row = Row::of(&[
        ("system", system),
        ("id", id),
        ("name", id),
        ("kind", kind),
        ("privileged", right.word()),
        ("environment", environment),
    ]);
    tables.add(system, "entitlements", row);
}

/// Adds a grant of an entitlement to an account or entitlement of a system.
pub(super) fn grant(
    tables: &mut Tables,
    (system, entitlement): (&'static str, &str),
    kind: &str,
    (principal_system, principal): (&str, &str),
) {
    let other = if principal_system == system {
        ""
    } else {
        principal_system
    };
    let row = Row::of(&[
        ("system", system),
        ("principal_type", kind),
        ("principal_id", principal),
        ("entitlement_id", entitlement),
        ("principal_system", other),
        ("assignment", "active"),
    ]);
    tables.add(system, "grants", row);
}

/// Adds a line that lets a principal read a location of the vault.
pub(super) fn reader(
    tables: &mut Tables,
    path: &str,
    kind: &str,
    (principal_system, principal): (&str, &str),
) {
    let other = if principal_system == "vault" {
        ""
    } else {
        principal_system
    };
    let row = Row::of(&[
        ("system", "vault"),
        ("path", path),
        ("principal_type", kind),
        ("principal_id", principal),
        ("principal_system", other),
    ]);
    tables.add("vault", "readers", row);
}

/// The account of a person in a system, with the sign-in times and the state that fit its owner.
pub(super) fn account(seed: &mut Seed, person: &Person, system: &'static str) -> Row {
    let here = person.gone().is_none() && person.start <= day(0);
    let used = seed.between(0, 20);
    let row = Row::of(&[
        ("system", system),
        ("id", &person.login),
        ("name", &person.name),
        ("kind", "human"),
    ])
    .with("email", person.email())
    .with("enabled", if here { "true" } else { "false" })
    .with("privileged", "false")
    .with("environment", "prod")
    .with("created_at", on(person.start, 8))
    .with("created_by", "provisioning");
    let row = match person.gone() {
        Some(end) => row
            .with("disabled_at", on(end + TimeDelta::days(1), 0))
            .with("last_used_at", on(end - TimeDelta::days(used), 9)),
        None if here => row
            .with("last_used_at", ago(used))
            .with("last_interactive_at", ago(used)),
        None => row,
    };
    if system == "corp-ad" {
        row.with("local_sign_in", "true")
            .with("mfa", if seed.chance(93) { "true" } else { "" })
    } else {
        row.with("local_sign_in", "false")
            .with("signs_in_through_system", "corp-ad")
            .with("signs_in_through_id", person.login.as_str())
    }
}

/// Everything that people hold.
pub(super) fn access(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    directory(seed, company, tables);
    super::administrators::administrators(seed, company, tables);
    applications(seed, company, tables);
    engineering(seed, company, tables);
}

/// Accounts, teams, departments and divisions: team, department, division, all-staff, intranet.
fn directory(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    for id in ["intranet-readers", "all-staff"] {
        entitlement(tables, "corp-ad", id, "group", Right::Ordinary, "prod");
    }
    grant(
        tables,
        ("corp-ad", "intranet-readers"),
        "entitlement",
        ("corp-ad", "all-staff"),
    );
    let divisions: BTreeSet<&str> = DEPARTMENTS.iter().map(|d| d.division).collect();
    for division in divisions {
        let id = format!("division-{division}");
        entitlement(tables, "corp-ad", &id, "group", Right::Ordinary, "prod");
        grant(
            tables,
            ("corp-ad", "all-staff"),
            "entitlement",
            ("corp-ad", &id),
        );
    }
    for department in &DEPARTMENTS {
        let id = format!("dept-{}", department.slug);
        entitlement(tables, "corp-ad", &id, "group", Right::Ordinary, "prod");
        grant(
            tables,
            ("corp-ad", &format!("division-{}", department.division)),
            "entitlement",
            ("corp-ad", &id),
        );
    }
    let mut teams = BTreeSet::new();
    for person in &company.people {
        let by_mail_only = seed.chance(10);
        let row = account(seed, person, "corp-ad").with(
            "identity_id",
            if by_mail_only { "" } else { person.id.as_str() },
        );
        tables.add("corp-ad", "accounts", row);
        let password = Row::of(&[
            ("system", "corp-ad"),
            ("kind", "password"),
            ("account_id", &person.login),
            (
                "enabled",
                if person.gone().is_none() {
                    "true"
                } else {
                    "false"
                },
            ),
        ])
        .with("id", format!("pw-{}", person.login))
        .with("rotated_at", ago(seed.between(5, 85)));
        tables.add("corp-ad", "credentials", password);
        if teams.insert(person.team.clone()) {
            entitlement(
                tables,
                "corp-ad",
                &person.team,
                "group",
                Right::Ordinary,
                "prod",
            );
            let parent = DEPARTMENTS
                .get(person.department)
                .map_or("all-staff".to_owned(), |d| format!("dept-{}", d.slug));
            grant(
                tables,
                ("corp-ad", &parent),
                "entitlement",
                ("corp-ad", &person.team),
            );
        }
        if person.gone().is_none() && person.start <= day(0) {
            grant(
                tables,
                ("corp-ad", &person.team),
                "account",
                ("corp-ad", &person.login),
            );
            if seed.chance(6) {
                let session = Row::of(&[("system", "corp-ad"), ("account_id", &person.login)])
                    .with("id", format!("s-{:08x}", seed.next() & 0xffff_ffff))
                    .with("started_at", ago(0).replace("T05", "T04"))
                    .with("last_seen_at", ago(0))
                    .with("expires_at", "2026-11-20T14:00:00Z");
                tables.add("corp-ad", "sessions", session);
            }
        }
    }
}

/// Groups for applications: few large, many small.
fn applications(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    for rank in 1..=120_usize {
        let id = format!("app-{rank:03}-users");
        entitlement(
            tables,
            "corp-ad",
            &id,
            "group",
            Right::Ordinary,
            if rank % 5 == 0 { "test" } else { "prod" },
        );
        if rank % 6 == 0 {
            grant(
                tables,
                ("corp-ad", &format!("app-{:03}-users", rank / 2)),
                "entitlement",
                ("corp-ad", &id),
            );
        }
        let mut members = BTreeSet::new();
        for _ in 0..(1_200 / rank) {
            members.insert(seed.below(company.people.len()));
        }
        for person in members
            .into_iter()
            .filter_map(|index| company.people.get(index))
        {
            if person.gone().is_none() && person.start <= day(0) {
                grant(
                    tables,
                    ("corp-ad", &id),
                    "account",
                    ("corp-ad", &person.login),
                );
            }
        }
    }
}

/// The vault, the cloud account, the code host and the database, for those who work on systems.
fn engineering(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    for (id, right, environment) in [
        ("administrator", Right::Privileged, "prod"),
        ("operator", Right::Ordinary, "prod"),
        ("developer", Right::Ordinary, "dev"),
        ("viewer", Right::Ordinary, "prod"),
    ] {
        entitlement(tables, "cloud", id, "role", right, environment);
    }
    for (id, right, environment) in [
        ("ledger-admin", Right::Privileged, "prod"),
        ("ledger-write", Right::Ordinary, "prod"),
        ("ledger-read", Right::Ordinary, "prod"),
        ("sandbox-write", Right::Ordinary, "dev"),
    ] {
        entitlement(tables, "ledger-db", id, "role", right, environment);
    }
    for department in DEPARTMENTS.iter().filter(|d| d.technical) {
        let slug = department.slug;
        entitlement(
            tables,
            "code-host",
            &format!("team-{slug}"),
            "team",
            Right::Ordinary,
            "",
        );
        for (environment, every) in [("dev", 4), ("test", 9), ("prod", 30)] {
            let (policy, group) = (
                format!("read-{slug}-{environment}"),
                format!("vault-{slug}-{environment}"),
            );
            entitlement(
                tables,
                "vault",
                &policy,
                "policy",
                Right::Ordinary,
                environment,
            );
            entitlement(
                tables,
                "corp-ad",
                &group,
                "group",
                Right::Ordinary,
                environment,
            );
            grant(
                tables,
                ("vault", &policy),
                "entitlement",
                ("corp-ad", &group),
            );
            for position in (1..department.people).step_by(every) {
                let person = company.at(slug, position);
                if person.gone().is_none() && person.start <= day(0) {
                    grant(
                        tables,
                        ("corp-ad", &group),
                        "account",
                        ("corp-ad", &person.login),
                    );
                }
            }
        }
        for position in 0..department.people {
            let person = company.at(slug, position);
            for system in ["vault", "cloud", "code-host"] {
                let row = account(seed, person, system);
                // Some systems do not tell everything of everybody.
                let row = match (system, position % 60) {
                    ("code-host", 56) if person.gone().is_none() => row.with("enabled", ""),
                    ("vault", 9 | 19 | 29) => row.with("last_used_at", ""),
                    _ => row,
                };
                tables.add(system, "accounts", row);
            }
            if person.gone().is_some() || person.start > day(0) {
                continue;
            }
            grant(
                tables,
                ("code-host", &format!("team-{slug}")),
                "account",
                ("code-host", &person.login),
            );
            let role = if position % 12 == 0 {
                "operator"
            } else if position % 3 == 0 {
                "viewer"
            } else {
                "developer"
            };
            grant(tables, ("cloud", role), "account", ("cloud", &person.login));
        }
    }
    for position in 0..25 {
        let person = company.at("data", position / 2 * 10 + position % 2);
        let id = format!("dba_{}", person.login.replace(['.', '-'], "_"));
        let row = account(seed, person, "ledger-db")
            .with("id", id.as_str())
            .with("identity_id", person.id.as_str())
            .with("local_sign_in", "true")
            .with("signs_in_through_system", "")
            .with("signs_in_through_id", "");
        tables.add("ledger-db", "accounts", row);
        grant(
            tables,
            (
                "ledger-db",
                if position % 6 == 0 {
                    "ledger-write"
                } else {
                    "ledger-read"
                },
            ),
            "account",
            ("ledger-db", &id),
        );
    }
}
