//! Three vendors, their contracts and their people.

use super::access::{Right, entitlement, grant};
use super::calendar::{ago, day};
use super::company::Company;
use super::seed::Seed;
use super::table::{Row, Tables};

/// Id, name, people, last day of the contract (days ago, negative is ahead).
pub(super) const VENDORS: [(&str, &str, usize, i64); 3] = [
    ("VEN-01", "Nordvik Cloud Operations", 32, -320),
    ("VEN-02", "Sable & Finch Consulting", 20, -41),
    ("VEN-03", "Quayside Card Processing", 12, 81),
];

/// The id of a vendor's person.
pub(super) fn person_id(vendor: &str, number: usize) -> String {
    format!("{vendor}-P{number:03}")
}

/// The login of a vendor's person, in the directory and elsewhere.
pub(super) fn login(vendor: &str, number: usize) -> String {
    format!(
        "x-{}-{number:03}",
        vendor.to_lowercase().replace("ven-", "v")
    )
}

/// The vendor register, and what vendors hold.
pub(super) fn vendors(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    entitlement(
        tables,
        "corp-ad",
        "third-parties",
        "group",
        Right::Ordinary,
        "prod",
    );
    for (vendor, name, people, ends) in VENDORS {
        let row = Row::of(&[
            ("id", vendor),
            ("kind", "vendor"),
            ("display_name", name),
            ("status", "active"),
            ("start_date", "2024-02-01"),
        ])
        .with("end_date", day(ends).to_string());
        tables.add("vendor-register", "identities", row);
        for (role, owner) in [
            ("sponsor", company.at("procurement", 0)),
            ("technical", company.at("it-operations", 10)),
        ] {
            tables.add(
                "vendor-register",
                "owners",
                Row::of(&[
                    ("object_type", "identity"),
                    ("object_id", vendor),
                    ("owner_id", &owner.id),
                    ("role", role),
                ]),
            );
        }
        let group = format!("vendor-{}", vendor.to_lowercase());
        entitlement(tables, "corp-ad", &group, "group", Right::Ordinary, "prod");
        grant(
            tables,
            ("corp-ad", "third-parties"),
            "entitlement",
            ("corp-ad", &group),
        );
        let (status, enabled) = if ends > 0 {
            ("inactive", "false")
        } else {
            ("active", "true")
        };
        for number in 1..=people {
            let (shown, _) = super::names::name(seed);
            let (id, login) = (person_id(vendor, number), login(vendor, number));
            let row = Row::of(&[
                ("id", &id),
                ("kind", "person"),
                ("display_name", &shown),
                ("status", status),
                ("employer_id", vendor),
                ("title", "Contractor"),
                ("start_date", "2024-03-01"),
            ])
            .with("email", format!("{login}@brantholm.example"))
            .with("manager_id", company.at("it-operations", 10).id.as_str())
            .with("end_date", day(ends).to_string());
            tables.add("vendor-register", "identities", row);
            for system in ["corp-ad", "code-host"] {
                let federated = system != "corp-ad";
                let row = Row::of(&[
                    ("system", system),
                    ("id", &login),
                    ("name", &shown),
                    ("kind", "human"),
                    ("identity_id", &id),
                    ("enabled", enabled),
                    ("mfa", "true"),
                    ("privileged", "false"),
                    ("environment", "prod"),
                ])
                .with("email", format!("{login}@brantholm.example"))
                .with("local_sign_in", if federated { "false" } else { "true" })
                .with(
                    "signs_in_through_system",
                    if federated { "corp-ad" } else { "" },
                )
                .with(
                    "signs_in_through_id",
                    if federated { login.as_str() } else { "" },
                )
                .with("created_at", ago(600))
                .with(
                    "expires_at",
                    if federated {
                        String::new()
                    } else {
                        format!("{}T00:00:00Z", day(ends - 1))
                    },
                )
                .with("last_used_at", ago(seed.between(0, 9).max(ends + 1)));
                tables.add(system, "accounts", row);
            }
            grant(tables, ("corp-ad", &group), "account", ("corp-ad", &login));
            if number % 4 == 0 {
                grant(
                    tables,
                    ("code-host", "team-platform"),
                    "account",
                    ("code-host", &login),
                );
            }
        }
    }
}
