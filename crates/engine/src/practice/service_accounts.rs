//! Service accounts of the directory: used by workloads and pipelines, with owners of their own.

use super::access::reader;
use super::company::Company;
use super::machines::{credential, environment, owners, service_account, slug, workload};
use super::seed::Seed;
use super::table::{Row, Tables};

/// One service account by its number.
pub(super) fn one_service_account(
    seed: &mut Seed,
    company: &Company,
    tables: &mut Tables,
    number: usize,
) {
    let (id, environment) = (format!("svc-{number:03}"), environment(number));
    let row = service_account(
        "corp-ad",
        &id,
        "",
        environment,
        150 + i64::try_from(number).unwrap_or(0),
    );
    tables.add("corp-ad", "accounts", row);
    owners(
        tables,
        "corp-ad",
        ("account", "corp-ad", &id),
        company,
        number,
    );
    let password = credential(
        seed,
        "corp-ad",
        &format!("pw-{id}"),
        "password",
        &id,
        environment,
    );
    tables.add("corp-ad", "credentials", password.clone());
    // One in four is used by a workload, which reads the password from the vault.
    if number.is_multiple_of(4) {
        let path = format!("kv/{environment}/svc/{id}");
        let location = Row::of(&[
            ("system", "vault"),
            ("path", &path),
            ("credential_system", "corp-ad"),
            ("credential_id", password.get("id")),
            ("kind", "vault"),
            ("environment", environment),
        ])
        .with("last_rotated_at", password.get("rotated_at"));
        tables.add("vault", "locations", location);
        reader(
            tables,
            &path,
            "account",
            ("vault", &format!("approle-{}", workload(number))),
        );
    }
    // One in six deploys from a pipeline and stands there as a CI variable, nowhere else.
    if number % 6 == 1 {
        let path = format!("pipelines/{}/{id}/DEPLOY_PASSWORD", slug(number));
        let location = Row::of(&[
            ("system", "code-host"),
            ("path", &path),
            ("credential_system", "corp-ad"),
            ("credential_id", password.get("id")),
            ("kind", "ci_variable"),
            ("environment", environment),
        ])
        .with("last_rotated_at", password.get("rotated_at"));
        tables.add("code-host", "locations", location);
        let team = format!("team-{}", slug(number));
        tables.add(
            "code-host",
            "readers",
            Row::of(&[
                ("system", "code-host"),
                ("path", &path),
                ("principal_type", "entitlement"),
                ("principal_id", &team),
            ]),
        );
    }
}
