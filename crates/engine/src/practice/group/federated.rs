//! The group's cloud and code host: people come in through the directory, machines by keys.

use super::super::calendar::{ago, on};
use super::extent::TEAM;
use super::machines::{agent_id, environment, well_kept, workload, workload_id};
use super::memberships::application;
use super::mix::{between, odd};
use super::people::{MAIL, Name, first_day, last_day, name};
use super::sheet::Sheet;
use super::{Extent, File};
use chrono::TimeDelta;
use std::io;

const ACCOUNTS: &str = "system,id,name,kind,identity_id,email,enabled,local_sign_in,signs_in_through_system,signs_in_through_id,privileged,environment,created_at,created_by,last_used_at,disabled_at";
const CREDENTIALS: &str = "system,id,kind,account_id,enabled,environment,created_at,created_by,rotated_at,expires_at,last_used_at";
const ENTITLEMENTS: &str = "system,id,name,kind,privileged,environment";
const GRANTS: &str =
    "system,principal_type,principal_id,entitlement_id,principal_system,assignment";

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![
        (
            "group-cloud/accounts.csv",
            extent.cloud_accounts(),
            ACCOUNTS,
            cloud_accounts,
        ),
        (
            "group-cloud/entitlements.csv",
            extent.cloud_roles,
            ENTITLEMENTS,
            cloud_roles,
        ),
        (
            "group-cloud/grants.csv",
            extent.cloud_grants() + extent.roles_by_group(),
            GRANTS,
            cloud_grants,
        ),
        (
            "group-cloud/credentials.csv",
            extent.workloads,
            CREDENTIALS,
            cloud_keys,
        ),
        (
            "group-code-host/accounts.csv",
            extent.code_accounts(),
            ACCOUNTS,
            code_accounts,
        ),
        (
            "group-code-host/entitlements.csv",
            extent.code_teams() + 2,
            ENTITLEMENTS,
            code_teams,
        ),
        (
            "group-code-host/grants.csv",
            extent.code_grants(),
            GRANTS,
            code_grants,
        ),
        (
            "group-code-host/credentials.csv",
            extent.agents,
            CREDENTIALS,
            agent_keys,
        ),
    ]
}

/// People of a system who sign in through the directory, as many ranks from the first.
fn people(
    extent: &Extent,
    sheet: &mut Sheet<'_>,
    system: &str,
    ranks: std::ops::Range<u64>,
) -> io::Result<()> {
    let order = extent.order();
    for rank in ranks {
        let Name { shown, login } = name(order.place(rank));
        let created = on(first_day(rank), 9);
        if rank < extent.active {
            sheet.row(format_args!(
                "{system},{login},{shown},human,,{login}@{MAIL},true,false,group-ad,{login},false,prod,{created},provisioning,{},",
                ago(between(70, rank, 0, 20)),
            ))?;
        } else {
            let end = last_day(rank);
            sheet.row(format_args!(
                "{system},{login},{shown},human,,{login}@{MAIL},false,false,group-ad,{login},false,prod,{created},provisioning,{},{}",
                on(end - TimeDelta::days(between(70, rank, 0, 20)), 9),
                on(end + TimeDelta::days(1), 1),
            ))?;
        }
    }
    Ok(())
}

fn machine(
    sheet: &mut Sheet<'_>,
    (system, id, identity): (&str, &str, &str),
    number: u64,
) -> io::Result<()> {
    sheet.row(format_args!(
        "{system},{id},{id},service,{identity},,true,true,,,false,{},{},provisioning,{},",
        environment(number),
        ago(between(71, number, 100, 900)),
        ago(between(66, number, 0, 2)),
    ))
}

fn cloud_machine(number: u64) -> String {
    format!("sa-{}", workload(number))
}

fn cloud_accounts(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    people(extent, sheet, "group-cloud", 0..extent.cloud_people)?;
    let left = extent.active..extent.active + extent.cloud_left;
    people(extent, sheet, "group-cloud", left)?;
    for number in 0..extent.workloads {
        let (id, identity) = (cloud_machine(number), workload_id(number));
        machine(sheet, ("group-cloud", &id, &identity), number)?;
    }
    Ok(())
}

fn role(number: u64) -> String {
    format!("g-role-{number:04}")
}

fn cloud_roles(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.cloud_roles {
        let id = role(number);
        let environment = environment(number);
        sheet.row(format_args!(
            "group-cloud,{id},{id},role,false,{environment}"
        ))?;
    }
    Ok(())
}

fn cloud_grants(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.roles_by_group() {
        sheet.row(format_args!(
            "group-cloud,entitlement,{},{},group-ad,active",
            application(odd(72, number) % extent.applications),
            role(number),
        ))?;
    }
    let order = extent.order();
    for rank in 0..extent.cloud_people {
        let login = name(order.place(rank)).login;
        let first = odd(73, rank) % extent.cloud_roles;
        let second = (first + 1 + odd(74, rank) % (extent.cloud_roles - 1)) % extent.cloud_roles;
        for number in [first, second] {
            sheet.row(format_args!(
                "group-cloud,account,{login},{},,active",
                role(number)
            ))?;
        }
    }
    for number in 0..extent.workloads {
        // A role of the workload's own environment: numbers repeat their environment by four.
        let own = odd(75, number) % (extent.cloud_roles / 4) * 4 + number % 4;
        sheet.row(format_args!(
            "group-cloud,account,{},{},,active",
            cloud_machine(number),
            role(own),
        ))?;
    }
    Ok(())
}

fn cloud_keys(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.workloads {
        sheet.row(format_args!(
            "group-cloud,GAK{number:06},access_key,{},true,{},{}",
            cloud_machine(number),
            environment(number),
            well_kept(number),
        ))?;
    }
    Ok(())
}

fn code_machine(number: u64) -> String {
    format!("g-agent-{number:04}")
}

fn code_accounts(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    people(extent, sheet, "group-code-host", 0..extent.code_people)?;
    for number in 0..extent.agents {
        let (id, identity) = (code_machine(number), agent_id(number));
        machine(sheet, ("group-code-host", &id, &identity), number)?;
    }
    Ok(())
}

fn code_team(number: u64) -> String {
    format!("g-code-{number:04}")
}

const TOOLS: [&str; 2] = ["g-tool-read-code", "g-tool-open-ticket"];

fn code_teams(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for tool in TOOLS {
        sheet.row(format_args!("group-code-host,{tool},{tool},tool,false,"))?;
    }
    for number in 0..extent.code_teams() {
        let id = code_team(number);
        sheet.row(format_args!("group-code-host,{id},{id},team,false,"))?;
    }
    Ok(())
}

fn code_grants(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let order = extent.order();
    for rank in 0..extent.code_people {
        sheet.row(format_args!(
            "group-code-host,account,{},{},,active",
            name(order.place(rank)).login,
            code_team(rank / TEAM),
        ))?;
    }
    for number in 0..extent.agents {
        for tool in TOOLS {
            sheet.row(format_args!(
                "group-code-host,account,{},{tool},,active",
                code_machine(number)
            ))?;
        }
    }
    Ok(())
}

fn agent_keys(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.agents {
        let account = code_machine(number);
        sheet.row(format_args!(
            "group-code-host,key-{account},api_key,{account},true,{},{}",
            environment(number),
            well_kept(number),
        ))?;
    }
    Ok(())
}
