//! The group's workloads and agents, who answers for them, and the vault.

use super::super::calendar::{ago, day};
use super::directory::{password_of, rotated, service_account};
use super::extent::{ENVIRONMENTS, TEAM};
use super::memberships::vault_group;
use super::mix::{between, odd, one};
use super::people::{self, department};
use super::sheet::Sheet;
use super::{Extent, File};
use std::io;

const DUTIES: [&str; 16] = [
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
    "tariff",
    "claims",
];

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![
        (
            "group-registry/identities.csv",
            extent.workloads + extent.agents,
            "id,kind,display_name,status,department,start_date,purpose,allowed_tools",
            registry,
        ),
        (
            "group-registry/owners.csv",
            2 * (extent.workloads + extent.agents),
            "object_type,system,object_id,owner_id,role",
            owners,
        ),
        (
            "group-vault/accounts.csv",
            extent.workloads,
            "system,id,name,kind,identity_id,enabled,local_sign_in,privileged,environment,created_at,created_by,last_used_at",
            approles,
        ),
        (
            "group-vault/credentials.csv",
            extent.workloads,
            "system,id,kind,account_id,enabled,environment,created_at,created_by,rotated_at,expires_at,last_used_at",
            secret_ids,
        ),
        (
            "group-vault/entitlements.csv",
            extent.vault_groups(),
            "system,id,name,kind,privileged,environment",
            policies,
        ),
        (
            "group-vault/grants.csv",
            extent.vault_groups(),
            "system,principal_type,principal_id,entitlement_id,principal_system,assignment",
            policy_grants,
        ),
        (
            "group-vault/locations.csv",
            extent.service_accounts,
            "system,path,credential_system,credential_id,kind,environment,last_rotated_at",
            locations,
        ),
        (
            "group-vault/readers.csv",
            2 * extent.service_accounts,
            "system,path,principal_type,principal_id",
            readers,
        ),
    ]
}

/// The environment by number: half of them are in production.
pub(super) fn environment(number: u64) -> &'static str {
    one(&["prod", "prod", "test", "dev"], number)
}

/// Who answers: the head of a department.
pub(super) fn business_owner(extent: &Extent, number: u64) -> u64 {
    odd(60, number) % extent.departments() * TEAM * TEAM
}

/// Who knows how it works: the lead of a team.
pub(super) fn technical_owner(extent: &Extent, number: u64) -> u64 {
    odd(61, number) % extent.teams() * TEAM
}

pub(super) fn workload_id(number: u64) -> String {
    format!("gwl-{number:05}")
}

pub(super) fn workload(number: u64) -> String {
    format!(
        "{}-{number:05}-{}",
        one(&DUTIES, odd(62, number)),
        environment(number)
    )
}

pub(super) fn agent_id(number: u64) -> String {
    format!("gag-{number:04}")
}

/// Cells of a credential that is rotated, used and about to be rotated again.
pub(super) fn well_kept(number: u64) -> String {
    format!(
        "{},provisioning,{},{},{}",
        ago(between(63, number, 200, 700)),
        ago(between(64, number, 3, 25)),
        ago(-between(65, number, 40, 80)),
        ago(between(66, number, 0, 2)),
    )
}

fn registry(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.workloads {
        let name = workload(number);
        sheet.row(format_args!(
            "{},workload,{name},active,{},{},{} in {},",
            workload_id(number),
            department(business_owner(extent, number) / TEAM / TEAM),
            day(between(67, number, 100, 900)),
            name.replace('-', " "),
            environment(number),
        ))?;
    }
    for number in 0..extent.agents {
        sheet.row(format_args!(
            "{},agent,assistant {number:04},active,{},{},reads code and opens tickets,\"g-tool-read-code,g-tool-open-ticket\"",
            agent_id(number),
            department(business_owner(extent, number) / TEAM / TEAM),
            day(between(68, number, 30, 300)),
        ))?;
    }
    Ok(())
}

fn owners(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let ids = (0..extent.workloads)
        .map(workload_id)
        .chain((0..extent.agents).map(agent_id));
    for (number, id) in (0_u64..).zip(ids) {
        for (role, owner) in [
            ("business", business_owner(extent, number)),
            ("technical", technical_owner(extent, number)),
        ] {
            let owner = people::id(extent, owner);
            sheet.row(format_args!("identity,,{id},{owner},{role}"))?;
        }
    }
    Ok(())
}

fn approle(number: u64) -> String {
    format!("approle-{}", workload(number))
}

fn approles(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.workloads {
        let id = approle(number);
        sheet.row(format_args!(
            "group-vault,{id},{id},service,{},true,true,false,{},{},provisioning,{}",
            workload_id(number),
            environment(number),
            ago(between(69, number, 100, 900)),
            ago(between(66, number, 0, 2)),
        ))?;
    }
    Ok(())
}

fn secret_ids(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.workloads {
        sheet.row(format_args!(
            "group-vault,g-secret-id-{number:05},client_secret,{},true,{},{}",
            approle(number),
            environment(number),
            well_kept(number),
        ))?;
    }
    Ok(())
}

fn policy(area: u64, environment: &str) -> String {
    format!("g-read-{area:02}-{environment}")
}

fn policies(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for area in 0..extent.areas {
        for environment in ENVIRONMENTS {
            let id = policy(area, environment);
            sheet.row(format_args!(
                "group-vault,{id},{id},policy,false,{environment}"
            ))?;
        }
    }
    Ok(())
}

fn policy_grants(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for area in 0..extent.areas {
        for environment in ENVIRONMENTS {
            sheet.row(format_args!(
                "group-vault,entitlement,{},{},group-ad,active",
                vault_group(area, environment),
                policy(area, environment),
            ))?;
        }
    }
    Ok(())
}

/// The place where a service account's password stands.
fn path(extent: &Extent, number: u64) -> String {
    format!(
        "kv/{}/{:02}/{}",
        environment(number),
        area(extent, number),
        service_account(number)
    )
}

fn area(extent: &Extent, number: u64) -> u64 {
    number / 4 % extent.areas
}

fn locations(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.service_accounts {
        sheet.row(format_args!(
            "group-vault,{},group-ad,{},vault,{},{}",
            path(extent, number),
            password_of(&service_account(number)),
            environment(number),
            rotated(number),
        ))?;
    }
    Ok(())
}

fn readers(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.service_accounts {
        let path = path(extent, number);
        // A workload of the same environment: numbers repeat their environment by four.
        let workload = number % extent.workloads.max(1);
        sheet.row(format_args!(
            "group-vault,{path},account,{}",
            approle(workload)
        ))?;
        sheet.row(format_args!(
            "group-vault,{path},entitlement,{}",
            policy(area(extent, number), environment(number)),
        ))?;
    }
    Ok(())
}
