//! Defects of credentials: too old, known to those who left, standing where they should not.

use super::calendar::ago;
use super::company::Company;
use super::defect::{Defect, Want, is};
use super::machines::{fingerprint, vault_path, workload, workload_id};
use super::seed::Seed;
use super::table::{Row, Tables};

pub(super) fn plant(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let mut defects = secrets(company, tables);
    defects.extend(copies(tables));
    defects
}

fn password_id(number: usize) -> String {
    format!("pw-app_{}", workload(number).replace('-', "_"))
}

/// Secrets that live too long.
fn secrets(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let leaver = company.at("payments", 15);
    let (path, password) = (vault_path(45), password_id(45));
    super::access::reader(tables, &path, "account", ("vault", &leaver.login));
    tables.change(
        ("ledger-db", "credentials"),
        ("id", &password),
        &[("rotated_at", &ago(300))],
    );
    tables.change(
        ("vault", "locations"),
        ("path", &path),
        &[("last_rotated_at", &ago(300))],
    );
    let known = Defect::new("PE-03", "Known secret not rotated after an exit", "findings", "a leaver of 60 days ago could read a production password, which was last changed 300 days ago")
        .left(&leaver.id)
        .on("credential", "ledger-db", &password)
        .on("location", "vault", &path)
        .proof("vault/readers.csv", &[("path", is(&path)), ("principal_id", is(&leaver.login))])
        .proof("ledger-db/credentials.csv", &[("id", is(&password)), ("enabled", is("true")), ("rotated_at", Want::Before(ago(60)))]);

    tables.change(
        ("cloud", "credentials"),
        ("id", "AK00016"),
        &[
            ("created_at", &ago(1_400)),
            ("rotated_at", ""),
            ("expires_at", ""),
        ],
    );
    let never = Defect::new(
        "PE-25",
        "Access key never rotated",
        "findings",
        "a production key is 1,400 days old and was never rotated",
    )
    .on("credential", "cloud", "AK00016")
    .now(
        "lastkey credentials --where id=AK00016",
        "created_at 2023-01-20, no rotated_at, no expires_at",
    )
    .proof(
        "cloud/credentials.csv",
        &[
            ("id", is("AK00016")),
            ("created_at", Want::Before(ago(1_300))),
            ("rotated_at", Want::Empty),
            ("expires_at", Want::Empty),
            ("environment", is("prod")),
        ],
    );

    let account = format!("sa-{}", workload(20));
    tables.add(
        "cloud",
        "credentials",
        Row::of(&[
            ("system", "cloud"),
            ("id", "cert-gateway-prod"),
            ("kind", "certificate"),
            ("account_id", &account),
            ("enabled", "true"),
            ("environment", "prod"),
            ("created_at", &ago(359)),
            ("rotated_at", &ago(359)),
            ("expires_at", &ago(-6)),
            ("last_used_at", &ago(0)),
        ]),
    );
    let expiring = Defect::new(
        "PE-32",
        "Certificate about to expire",
        "findings",
        "a production certificate expires in six days and nothing renews it",
    )
    .on("credential", "cloud", "cert-gateway-prod")
    .now(
        "lastkey credentials --where id=cert-gateway-prod",
        "expires_at 2026-11-26",
    )
    .proof(
        "cloud/credentials.csv",
        &[
            ("id", is("cert-gateway-prod")),
            ("expires_at", Want::Before(ago(-7))),
            ("expires_at", Want::After(ago(0))),
        ],
    );
    vec![known, never, expiring]
}

/// One secret in several places.
fn copies(tables: &mut Tables) -> Vec<Defect> {
    let password = password_id(60);
    let path = vault_path(60);
    let other = format!("approle-{}", workload(120));
    super::access::reader(tables, &path, "account", ("vault", &other));
    let shared = Defect::new(
        "PE-13",
        "Credential shared by two workloads",
        "findings",
        "two workloads sign in to the database with one password",
    )
    .on("credential", "ledger-db", &password)
    .on("identity", "", &workload_id(60))
    .on("identity", "", &workload_id(120))
    .now(
        format!("lastkey reach --identity {}", workload_id(120)),
        format!("`credential ledger-db:{password}`, of another workload"),
    )
    .proof(
        "vault/readers.csv",
        &[("path", is(&path)), ("principal_id", is(&other))],
    )
    .proof(
        "vault/readers.csv",
        &[
            ("path", is(&path)),
            ("principal_id", is(&format!("approle-{}", workload(60)))),
        ],
    )
    .proof(
        "vault/locations.csv",
        &[("path", is(&path)), ("credential_id", is(&password))],
    );

    let print = tables.cell(
        ("ledger-db", "credentials"),
        ("id", &password_id(180)),
        "fingerprint",
    );
    let line = "repos/payments-batch/config/settings.yml#password";
    tables.add(
        "code-host",
        "locations",
        Row::of(&[
            ("system", "code-host"),
            ("path", line),
            ("kind", "code"),
            ("environment", "prod"),
            ("fingerprint", &print),
        ]),
    );
    tables.add(
        "code-host",
        "readers",
        Row::of(&[
            ("system", "code-host"),
            ("path", line),
            ("principal_type", "entitlement"),
            ("principal_id", "team-payments"),
        ]),
    );
    let code = Defect::new("PE-14", "Production secret in source code", "findings", "the password that stands in the vault stands in a file of a repository too, with the same fingerprint")
        .on("location", "code-host", line)
        .on("credential", "ledger-db", &password_id(180))
        .now(format!("lastkey reach --credential ledger-db:{}", password_id(180)), format!("account `ledger-db:{}`", password_id(180).trim_start_matches("pw-")))
        .proof("code-host/locations.csv", &[("path", is(line)), ("kind", is("code")), ("fingerprint", is(&print))])
        .proof("ledger-db/credentials.csv", &[("id", is(&password_id(180))), ("fingerprint", is(&print))])
        .proof("vault/locations.csv", &[("path", is(&vault_path(180))), ("fingerprint", is(&print))]);

    let variable = "pipelines/platform/release/CLOUD_ACCESS_KEY";
    let secret = fingerprint(&mut Seed::new(15));
    tables.change(
        ("cloud", "credentials"),
        ("id", "AK00004"),
        &[("fingerprint", &secret), ("rotated_at", &ago(240))],
    );
    tables.add(
        "code-host",
        "locations",
        Row::of(&[
            ("system", "code-host"),
            ("path", variable),
            ("credential_system", "cloud"),
            ("credential_id", "AK00004"),
            ("kind", "ci_variable"),
            ("environment", "prod"),
            ("fingerprint", &secret),
            ("last_rotated_at", &ago(240)),
        ]),
    );
    tables.add(
        "code-host",
        "readers",
        Row::of(&[
            ("system", "code-host"),
            ("path", variable),
            ("principal_type", "entitlement"),
            ("principal_id", "team-platform"),
        ]),
    );
    let ci = Defect::new("PE-15", "Access key in a CI variable, outside any vault", "findings", "a production key stands in a pipeline's variable that a whole team and a vendor can read, and nowhere in the vault")
        .on("location", "code-host", variable)
        .on("credential", "cloud", "AK00004")
        .now("lastkey locations --where credential_id=AK00004", "one line, kind ci_variable, environment prod")
        .proof("code-host/locations.csv", &[("path", is(variable)), ("credential_id", is("AK00004")), ("kind", is("ci_variable"))])
        .proofs("vault/locations.csv", &[("credential_id", is("AK00004"))], 0);

    let print = tables.cell(
        ("ledger-db", "credentials"),
        ("id", &password_id(9)),
        "fingerprint",
    );
    tables.change(
        ("ledger-db", "credentials"),
        ("id", &password_id(3)),
        &[("fingerprint", &print)],
    );
    tables.change(
        ("vault", "locations"),
        ("path", &vault_path(3)),
        &[("fingerprint", &print)],
    );
    let across = Defect::new(
        "PE-16",
        "One secret in development and production",
        "findings",
        "a development database account has the password of a production one",
    )
    .on("credential", "ledger-db", &password_id(3))
    .on("credential", "ledger-db", &password_id(9))
    .now(
        format!("lastkey reach --credential ledger-db:{}", password_id(3)),
        format!("`credential ledger-db:{}`, the same secret", password_id(9)),
    )
    .proof(
        "ledger-db/credentials.csv",
        &[("fingerprint", is(&print)), ("environment", is("dev"))],
    )
    .proof(
        "ledger-db/credentials.csv",
        &[("fingerprint", is(&print)), ("environment", is("prod"))],
    );
    vec![shared, code, ci, across]
}
