//! Defects of access: orphans, vendors, privilege, delegation.

use super::access::{Right, entitlement, grant};
use super::calendar::{ago, day};
use super::company::Company;
use super::defect::{Defect, Want, is};
use super::table::{Row, Tables};
use super::vendors::{login, person_id};

pub(super) fn plant(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let mut defects = vendors(tables);
    defects.extend(privilege(company, tables));
    defects
}

/// What third parties still have.
fn vendors(tables: &mut Tables) -> Vec<Defect> {
    let mut past = Defect::new("PE-09", "Vendor past its contract, accounts usable", "third-party exit review", "the contract of VEN-03 ended 81 days ago; two of its people are still active and their directory accounts never got an expiry")
        .on("identity", "", "VEN-03")
        .proof("vendor-register/identities.csv", &[("id", is("VEN-03")), ("status", is("active")), ("end_date", is(&day(81).to_string()))]);
    for number in 1..=2 {
        let (person, account) = (person_id("VEN-03", number), login("VEN-03", number));
        tables.change(
            ("vendor-register", "identities"),
            ("id", &person),
            &[("status", "active"), ("end_date", "")],
        );
        tables.change(
            ("corp-ad", "accounts"),
            ("id", &account),
            &[
                ("enabled", "true"),
                ("expires_at", ""),
                ("last_used_at", &ago(3)),
            ],
        );
        past = past.on("account", "corp-ad", &account).proof(
            "corp-ad/accounts.csv",
            &[
                ("id", is(&account)),
                ("identity_id", is(&person)),
                ("enabled", is("true")),
                ("expires_at", Want::Empty),
                ("last_used_at", Want::After(ago(4))),
            ],
        );
    }

    let (person, account) = (person_id("VEN-01", 5), login("VEN-01", 5));
    entitlement(
        tables,
        "corp-ad",
        "operations-guests",
        "group",
        Right::Ordinary,
        "prod",
    );
    grant(
        tables,
        ("corp-ad", "operations-guests"),
        "account",
        ("corp-ad", &account),
    );
    grant(
        tables,
        ("corp-ad", "vault-platform-prod"),
        "entitlement",
        ("corp-ad", "operations-guests"),
    );
    let vault = Defect::new("PE-10", "Vendor path into the vault", "", "a vendor's person is in a guest group, which is in the group that reads the production secrets of Platform Engineering")
        .on("identity", "", &person)
        .on("entitlement", "corp-ad", "operations-guests")
        .now(format!("lastkey reach --identity {person}"), "locations `vault:kv/prod/platform/…/db` through `operations-guests`, `vault-platform-prod`, `read-platform-prod`")
        .proof("corp-ad/grants.csv", &[("principal_id", is(&account)), ("entitlement_id", is("operations-guests"))])
        .proof("corp-ad/grants.csv", &[("principal_type", is("entitlement")), ("principal_id", is("operations-guests")), ("entitlement_id", is("vault-platform-prod"))])
        .proof("vault/grants.csv", &[("principal_id", is("vault-platform-prod")), ("entitlement_id", is("read-platform-prod"))]);

    let (person, account) = (person_id("VEN-01", 6), login("VEN-01", 6));
    tables.add(
        "cloud",
        "accounts",
        Row::of(&[
            ("system", "cloud"),
            ("id", &account),
            ("kind", "human"),
            ("identity_id", &person),
            ("enabled", "true"),
            ("local_sign_in", "false"),
            ("signs_in_through_system", "corp-ad"),
            ("signs_in_through_id", &account),
            ("privileged", "true"),
            ("environment", "prod"),
            ("mfa", "true"),
            ("last_used_at", &ago(1)),
        ]),
    );
    grant(
        tables,
        ("cloud", "administrator"),
        "account",
        ("cloud", &account),
    );
    let standing = Defect::new(
        "PE-11",
        "Vendor with standing privileged access",
        "findings",
        "a vendor's person is administrator of the cloud all the time, not on request",
    )
    .on("identity", "", &person)
    .on("account", "cloud", &account)
    .now(
        format!("lastkey reach --identity {person}"),
        format!("`entitlement cloud:administrator on cloud:{account}`, privileged"),
    )
    .proof(
        "cloud/grants.csv",
        &[
            ("principal_id", is(&account)),
            ("entitlement_id", is("administrator")),
            ("assignment", is("active")),
            ("expires_at", Want::Empty),
        ],
    );

    tables.drop_where("vendor-register", "owners", &[("object_id", "VEN-02")]);
    let sponsor = Defect::new(
        "PE-12",
        "Vendor without a sponsor",
        "findings",
        "nobody inside answers for VEN-02",
    )
    .on("identity", "", "VEN-02")
    .proof(
        "vendor-register/identities.csv",
        &[("id", is("VEN-02")), ("status", is("active"))],
    )
    .proofs(
        "vendor-register/owners.csv",
        &[("object_id", is("VEN-02"))],
        0,
    );
    vec![past, vault, standing, sponsor]
}

/// Privilege that nobody uses, guards or sees, and accounts that belong to nobody.
fn privilege(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    tables.add(
        "code-host",
        "accounts",
        Row::of(&[
            ("system", "code-host"),
            ("id", "release-desk"),
            ("name", "Release Desk"),
            ("kind", "human"),
            ("enabled", "true"),
            ("local_sign_in", "true"),
            ("privileged", "true"),
            ("created_at", &ago(1_300)),
            ("last_used_at", &ago(12)),
        ]),
    );
    let orphan = Defect::new(
        "PE-05",
        "Orphaned account",
        "findings",
        "an enabled account of the code host belongs to nobody that any source of truth knows",
    )
    .on("account", "code-host", "release-desk")
    .now(
        "lastkey accounts --where id=release-desk",
        "enabled, no identity",
    )
    .proof(
        "code-host/accounts.csv",
        &[
            ("id", is("release-desk")),
            ("identity_id", Want::Empty),
            ("email", Want::Empty),
            ("enabled", is("true")),
        ],
    );

    let dormant_id = format!("adm-{}", company.at("it-operations", 30).login);
    tables.change(
        ("corp-ad", "accounts"),
        ("id", &dormant_id),
        &[
            ("last_used_at", &ago(280)),
            ("last_interactive_at", &ago(280)),
        ],
    );
    let dormant = Defect::new(
        "PE-17",
        "Dormant privileged account",
        "findings",
        "an administrator's account was last used 280 days ago",
    )
    .on("account", "corp-ad", &dormant_id)
    .now(
        format!("lastkey accounts --where id={dormant_id}"),
        "privileged, enabled, last_used_at 2026-02-13",
    )
    .proof(
        "corp-ad/accounts.csv",
        &[
            ("id", is(&dormant_id)),
            ("enabled", is("true")),
            ("privileged", is("true")),
            ("last_used_at", Want::Before(ago(270))),
        ],
    );

    let weak_id = format!("adm-{}", company.at("it-operations", 40).login);
    tables.change(
        ("corp-ad", "accounts"),
        ("id", &weak_id),
        &[("mfa", "false")],
    );
    let weak = Defect::new(
        "PE-29",
        "Privileged account without a second factor",
        "findings",
        "an administrator's account signs in with a password alone",
    )
    .on("account", "corp-ad", &weak_id)
    .now(
        format!("lastkey accounts --where id={weak_id}"),
        "privileged, mfa false",
    )
    .proof(
        "corp-ad/accounts.csv",
        &[
            ("id", is(&weak_id)),
            ("privileged", is("true")),
            ("mfa", is("false")),
        ],
    );

    let member = company.at("facilities", 1);
    for (inner, outer) in [
        ("print-operators", "site-operators"),
        ("site-operators", "server-operators"),
        ("server-operators", "tier0-admins"),
    ] {
        entitlement(tables, "corp-ad", inner, "group", Right::Ordinary, "prod");
        grant(
            tables,
            ("corp-ad", outer),
            "entitlement",
            ("corp-ad", inner),
        );
    }
    grant(
        tables,
        ("corp-ad", "print-operators"),
        "account",
        ("corp-ad", &member.login),
    );
    let nested = Defect::new("PE-30", "Nested path to privilege", "findings", "a person of Facilities is in print-operators and so, four groups further, in domain-admins")
        .on("identity", "", &member.id)
        .on("entitlement", "corp-ad", "print-operators")
        .now(format!("lastkey reach --identity {}", member.id), format!("`entitlement corp-ad:domain-admins on corp-ad:{}`", member.login))
        .proof("corp-ad/grants.csv", &[("principal_id", is(&member.login)), ("entitlement_id", is("print-operators"))])
        .proof("corp-ad/grants.csv", &[("principal_id", is("print-operators")), ("entitlement_id", is("site-operators"))])
        .proof("corp-ad/grants.csv", &[("principal_id", is("site-operators")), ("entitlement_id", is("server-operators"))])
        .proof("corp-ad/grants.csv", &[("principal_id", is("server-operators")), ("entitlement_id", is("tier0-admins"))])
        .proof("corp-ad/grants.csv", &[("principal_id", is("tier0-admins")), ("entitlement_id", is("domain-admins"))]);

    let clerk = company.at("care", 15);
    let admin = format!("adm-{}", company.at("it-operations", 0).login);
    tables.add(
        "corp-ad",
        "controls",
        Row::of(&[
            ("system", "corp-ad"),
            ("account_id", &admin),
            ("principal_type", "account"),
            ("principal_id", &clerk.login),
            ("means", "reset_password"),
        ]),
    );
    let delegated = Defect::new(
        "PE-31",
        "Delegated administration over an administrator",
        "findings",
        "a person of Customer Care may reset the password of a tier 0 administrator",
    )
    .on("identity", "", &clerk.id)
    .on("account", "corp-ad", &admin)
    .now(
        format!("lastkey reach --identity {}", clerk.id),
        format!("`account corp-ad:{admin}` by reset_password"),
    )
    .proof(
        "corp-ad/controls.csv",
        &[
            ("account_id", is(&admin)),
            ("principal_id", is(&clerk.login)),
            ("means", is("reset_password")),
        ],
    )
    .proof(
        "corp-ad/grants.csv",
        &[
            ("principal_id", is(&admin)),
            ("entitlement_id", is("tier0-admins")),
        ],
    );

    tables.add(
        "vault",
        "locations",
        Row::of(&[
            ("system", "vault"),
            ("path", "kv/prod/data/retired-export/db"),
            ("credential_system", "ledger-db"),
            ("credential_id", "pw-app_retired_export"),
            ("kind", "vault"),
            ("environment", "prod"),
            ("last_rotated_at", &ago(620)),
        ]),
    );
    let dangling = Defect::new("PE-37", "Secret of something that is gone", "findings", "a place in the vault holds a password that the database no longer knows: a dangling reference")
        .on("location", "vault", "kv/prod/data/retired-export/db")
        .now("lastkey sync vault; lastkey journal vault", "one dangling reference: credential `ledger-db:pw-app_retired_export`")
        .proof("vault/locations.csv", &[("path", is("kv/prod/data/retired-export/db")), ("credential_id", is("pw-app_retired_export"))])
        .proofs("ledger-db/credentials.csv", &[("id", is("pw-app_retired_export"))], 0);
    vec![orphan, dormant, weak, nested, delegated, dangling]
}
