//! The 900 non-human identities: here workloads, and what all of them share.

use super::access::{Right, entitlement, grant, reader};
use super::calendar::ago;
use super::company::{Company, DEPARTMENTS};
use super::seed::Seed;
use super::table::{Row, Tables};

pub(super) const WORKLOADS: usize = 560;
pub(super) const AGENTS: usize = 40;
pub(super) const SERVICE_ACCOUNTS: usize = 300;

const DUTIES: [&str; 14] = [
    "settlement",
    "ledger-sync",
    "fraud-score",
    "card-feed",
    "statement",
    "kyc-intake",
    "rates",
    "notify",
    "archive",
    "reconcile",
    "limits",
    "onboarding",
    "telemetry",
    "backup",
];
const TECHNICAL: [&str; 5] = ["payments", "it-operations", "platform", "data", "security"];

/// The environment of a workload by its number: half of them are in production.
pub(super) fn environment(number: usize) -> &'static str {
    match number % 4 {
        0 | 1 => "prod",
        2 => "test",
        _ => "dev",
    }
}

/// The department that runs a workload.
pub(super) fn slug(number: usize) -> &'static str {
    TECHNICAL
        .get(number % TECHNICAL.len())
        .copied()
        .unwrap_or("platform")
}

/// The name of a workload.
pub(super) fn workload(number: usize) -> String {
    let duty = DUTIES
        .get(number / 5 % DUTIES.len())
        .copied()
        .unwrap_or("task");
    format!(
        "{}-{duty}-{number:03}-{}",
        slug(number),
        environment(number)
    )
}

/// The registry id of a workload.
pub(super) fn workload_id(number: usize) -> String {
    format!("wl-{number:04}")
}

/// The place in the vault where a workload's database password stands.
pub(super) fn vault_path(number: usize) -> String {
    format!(
        "kv/{}/{}/{}/db",
        environment(number),
        slug(number),
        workload(number)
    )
}

/// Whether a workload has an account in the database: one in three.
pub(super) fn has_database(number: usize) -> bool {
    number.is_multiple_of(3)
}

/// A credential that is rotated, used and about to be rotated again.
pub(super) fn credential(
    seed: &mut Seed,
    system: &str,
    id: &str,
    kind: &str,
    account: &str,
    environment: &str,
) -> Row {
    let created = seed.between(200, 700);
    Row::of(&[
        ("system", system),
        ("id", id),
        ("kind", kind),
        ("account_id", account),
        ("enabled", "true"),
        ("environment", environment),
    ])
    .with("created_at", ago(created))
    .with("created_by", "provisioning")
    .with("rotated_at", ago(seed.between(3, 25)))
    .with("expires_at", ago(-seed.between(40, 80)))
    .with("last_used_at", ago(seed.between(0, 2)))
}

/// A fingerprint as a scan over all systems gives it: equal text, equal secret.
pub(super) fn fingerprint(seed: &mut Seed) -> String {
    format!(
        "import:secret-scan:{:016x}{:016x}",
        seed.next(),
        seed.next()
    )
}

/// An account that a machine signs in with.
pub(super) fn service_account(
    system: &str,
    id: &str,
    identity: &str,
    environment: &str,
    created: i64,
) -> Row {
    Row::of(&[
        ("system", system),
        ("id", id),
        ("name", id),
        ("kind", "service"),
        ("identity_id", identity),
        ("enabled", "true"),
        ("local_sign_in", "true"),
        ("privileged", "false"),
        ("environment", environment),
        ("created_by", "provisioning"),
    ])
    .with("created_at", ago(created))
    .with("last_used_at", ago(created % 3))
}

/// Adds both owners of an object: the head of a department answers, a lead knows how it works.
pub(super) fn owners(
    tables: &mut Tables,
    folder: &'static str,
    object: (&str, &str, &str),
    company: &Company,
    number: usize,
) {
    let (kind, system, id) = object;
    let slug = slug(number);
    let people = DEPARTMENTS
        .iter()
        .find(|d| d.slug == slug)
        .map_or(10, |d| d.people);
    let lead = company.at(slug, number / 5 % (people / 10) * 10);
    for (role, owner) in [("business", company.at(slug, 0)), ("technical", lead)] {
        let row = Row::of(&[
            ("object_type", kind),
            ("system", system),
            ("object_id", id),
            ("owner_id", &owner.id),
            ("role", role),
        ]);
        tables.add(folder, "owners", row);
    }
}

/// Everything that is not a person.
pub(super) fn machines(seed: &mut Seed, company: &Company, tables: &mut Tables) {
    for (id, right, environment) in [
        ("runtime", Right::Ordinary, "prod"),
        ("runtime-nonprod", Right::Ordinary, "dev"),
        ("deployer", Right::Privileged, "prod"),
        ("storage-reader", Right::Ordinary, "prod"),
        ("storage-reader-nonprod", Right::Ordinary, "dev"),
    ] {
        entitlement(tables, "cloud", id, "role", right, environment);
    }
    for (id, right, environment) in [
        ("tool-read-code", Right::Ordinary, ""),
        ("tool-open-ticket", Right::Ordinary, ""),
        ("tool-merge", Right::Ordinary, ""),
        ("tool-deploy", Right::Privileged, "prod"),
    ] {
        entitlement(tables, "code-host", id, "tool", right, environment);
    }
    for number in 1..=WORKLOADS {
        one_workload(seed, company, tables, number);
    }
    for number in 1..=AGENTS {
        super::agents::one_agent(seed, company, tables, number);
    }
    for number in 1..=SERVICE_ACCOUNTS {
        super::service_accounts::one_service_account(seed, company, tables, number);
    }
}

fn one_workload(seed: &mut Seed, company: &Company, tables: &mut Tables, number: usize) {
    let (id, name, environment, slug) = (
        workload_id(number),
        workload(number),
        environment(number),
        slug(number),
    );
    let department = DEPARTMENTS
        .iter()
        .find(|d| d.slug == slug)
        .map_or("", |d| d.name);
    let row = Row::of(&[
        ("id", &id),
        ("kind", "workload"),
        ("display_name", &name),
        ("status", "active"),
        ("department", department),
    ])
    .with(
        "purpose",
        format!("{} in {environment}", name.replace('-', " ")),
    )
    .with(
        "start_date",
        super::calendar::day(seed.between(100, 900)).to_string(),
    );
    tables.add("workload-registry", "identities", row);
    owners(
        tables,
        "workload-registry",
        ("identity", "", &id),
        company,
        number,
    );

    let cloud = format!("sa-{name}");
    let created = seed.between(100, 900);
    tables.add(
        "cloud",
        "accounts",
        service_account("cloud", &cloud, &id, environment, created),
    );
    let key = credential(
        seed,
        "cloud",
        &format!("AK{number:05}"),
        "access_key",
        &cloud,
        environment,
    );
    tables.add("cloud", "credentials", key);
    let production = environment == "prod";
    grant(
        tables,
        (
            "cloud",
            if production {
                "runtime"
            } else {
                "runtime-nonprod"
            },
        ),
        "account",
        ("cloud", &cloud),
    );
    if seed.chance(20) {
        grant(
            tables,
            (
                "cloud",
                if production {
                    "storage-reader"
                } else {
                    "storage-reader-nonprod"
                },
            ),
            "account",
            ("cloud", &cloud),
        );
    }
    if number % 40 == 1 {
        tables.add(
            "cloud",
            "controls",
            Row::of(&[
                ("system", "cloud"),
                ("account_id", &cloud),
                ("principal_type", "entitlement"),
                ("principal_id", "operator"),
                ("means", "assume"),
            ]),
        );
    }

    let role = format!("approle-{name}");
    tables.add(
        "vault",
        "accounts",
        service_account("vault", &role, &id, environment, created),
    );
    let secret = credential(
        seed,
        "vault",
        &format!("secret-id-{number:04}"),
        "client_secret",
        &role,
        environment,
    );
    tables.add("vault", "credentials", secret);
    if !has_database(number) {
        return;
    }
    let account = format!("app_{}", name.replace('-', "_"));
    tables.add(
        "ledger-db",
        "accounts",
        service_account("ledger-db", &account, &id, environment, created),
    );
    let role_name = if !production {
        "sandbox-write"
    } else if number.is_multiple_of(4) {
        "ledger-write"
    } else {
        "ledger-read"
    };
    grant(
        tables,
        ("ledger-db", role_name),
        "account",
        ("ledger-db", &account),
    );
    let password = credential(
        seed,
        "ledger-db",
        &format!("pw-{account}"),
        "password",
        &account,
        environment,
    )
    .with("fingerprint", fingerprint(seed));
    let path = vault_path(number);
    let location = Row::of(&[
        ("system", "vault"),
        ("path", &path),
        ("credential_system", "ledger-db"),
        ("credential_id", password.get("id")),
        ("kind", "vault"),
        ("environment", environment),
    ])
    .with("fingerprint", password.get("fingerprint"))
    .with("last_rotated_at", password.get("rotated_at"));
    tables.add("vault", "locations", location);
    tables.add("ledger-db", "credentials", password);
    reader(tables, &path, "account", ("vault", &role));
    reader(
        tables,
        &path,
        "entitlement",
        ("vault", &format!("read-{slug}-{environment}")),
    );
}
