//! Administrators with accounts of their own, emergency accounts, and who may reset whose password.

use super::access::{Right, account, entitlement, grant};
use super::calendar::ago;
use super::company::Company;
use super::seed::Seed;
use super::table::{Row, Tables};

/// Administrators with accounts of their own, break-glass accounts, and who may reset whose password.
pub(super) fn administrators(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    for (id, above) in [
        ("domain-admins", ""),
        ("tier0-admins", "domain-admins"),
        ("server-admins", ""),
        ("tier1-admins", "server-admins"),
        ("helpdesk", ""),
    ] {
        let right = match id {
            "helpdesk" => Right::Ordinary,
            _ => Right::Privileged,
        };
        entitlement(tables, "corp-ad", id, "group", right, "prod");
        if !above.is_empty() {
            grant(tables, ("corp-ad", above), "entitlement", ("corp-ad", id));
        }
    }
    for position in 0..40 {
        // Positions that end in 0 and 1: leads and those after them, to whom nothing happens by chance.
        let person = company.at("it-operations", position / 2 * 10 + position % 2);
        let id = format!("adm-{}", person.login);
        let row = account(seed, person, "corp-ad")
            .with("id", id.as_str())
            .with("email", "")
            .with("identity_id", person.id.as_str())
            .with("privileged", "true")
            .with("mfa", "true");
        tables.add("corp-ad", "accounts", row);
        let group = if position % 8 == 0 {
            "tier0-admins"
        } else {
            "tier1-admins"
        };
        grant(tables, ("corp-ad", group), "account", ("corp-ad", &id));
    }
    for (system, id) in [
        ("corp-ad", "breakglass-1"),
        ("corp-ad", "breakglass-2"),
        ("cloud", "breakglass-cloud"),
    ] {
        let row = Row::of(&[
            ("system", system),
            ("id", id),
            ("name", "Emergency access"),
            ("kind", "shared"),
            ("enabled", "true"),
            ("local_sign_in", "true"),
            ("mfa", "true"),
            ("privileged", "true"),
            ("environment", "prod"),
        ])
        .with("created_at", ago(900))
        .with("last_used_at", ago(60));
        tables.add(system, "accounts", row);
        for (role, owner) in [
            ("business", company.at("security", 0)),
            ("technical", company.at("security", 10)),
            ("custodian", company.at("security", 20)),
        ] {
            let (kind, object) = if role == "custodian" {
                ("credential", format!("pw-{id}"))
            } else {
                ("account", id.to_owned())
            };
            tables.add(
                system,
                "owners",
                Row::of(&[
                    ("object_type", kind),
                    ("system", system),
                    ("object_id", &object),
                    ("owner_id", &owner.id),
                    ("role", role),
                ]),
            );
        }
        tables.add(
            system,
            "credentials",
            Row::of(&[
                ("system", system),
                ("id", &format!("pw-{id}")),
                ("kind", "password"),
                ("account_id", id),
                ("enabled", "true"),
                ("environment", "prod"),
            ])
            .with("rotated_at", ago(20)),
        );
        grant(
            tables,
            (
                system,
                if system == "cloud" {
                    "administrator"
                } else {
                    "domain-admins"
                },
            ),
            "account",
            (system, id),
        );
    }
    for position in 0..6 {
        let person = company.at("it-operations", 21 + position * 10);
        grant(
            tables,
            ("corp-ad", "helpdesk"),
            "account",
            ("corp-ad", &person.login),
        );
    }
    for position in 0..60 {
        let person = company.at("care", 101 + position);
        tables.add(
            "corp-ad",
            "controls",
            Row::of(&[
                ("system", "corp-ad"),
                ("account_id", &person.login),
                ("principal_type", "entitlement"),
                ("principal_id", "helpdesk"),
                ("means", "reset_password"),
            ]),
        );
    }
}
