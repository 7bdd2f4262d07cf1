//! The group's directory: accounts, groups, and what hangs on them. Memberships have a file of
//! their own.

use super::super::calendar::{ago, on};
use super::extent::{ENVIRONMENTS, TEAM};
use super::machines::{business_owner, environment, technical_owner};
use super::memberships as groups;
use super::mix::{between, odd};
use super::people::{self, MAIL, Name, first_day, last_day, name};
use super::sheet::Sheet;
use super::third_parties;
use super::{Extent, File};
use chrono::TimeDelta;
use std::io;

/// Accounts that a helpdesk may reset the password of.
const RESETTABLE: u64 = 200;

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![
        (
            "group-ad/accounts.csv",
            extent.directory_accounts(),
            "system,id,name,kind,identity_id,email,enabled,local_sign_in,mfa,privileged,environment,created_at,created_by,last_used_at,last_interactive_at,disabled_at,expires_at",
            accounts,
        ),
        (
            "group-ad/entitlements.csv",
            entitlement_rows(extent),
            "system,id,name,kind,privileged,environment",
            entitlements,
        ),
        (
            "group-ad/credentials.csv",
            extent.service_accounts,
            "system,id,kind,account_id,enabled,environment,created_at,created_by,rotated_at,expires_at,last_used_at",
            credentials,
        ),
        (
            "group-ad/controls.csv",
            extent.helpdesks * controlled(extent),
            "system,account_id,principal_type,principal_id,means",
            controls,
        ),
        (
            "group-ad/owners.csv",
            2 * extent.service_accounts,
            "object_type,system,object_id,owner_id,role",
            owners,
        ),
        (
            "group-ad/sessions.csv",
            extent.active.div_ceil(SIGNED_IN),
            "system,account_id,id,started_at,last_seen_at,expires_at",
            sessions,
        ),
    ]
}

/// Everyone of this many is signed in.
const SIGNED_IN: u64 = 100;

pub(super) fn service_account(number: u64) -> String {
    format!("g-svc-{number:05}")
}

pub(super) fn password_of(account: &str) -> String {
    format!("pw-{account}")
}

fn accounts(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let order = extent.order();
    for rank in 0..extent.active + extent.left {
        let place = order.place(rank);
        let Name { shown, login } = name(place);
        // As in the small company, some are known by their mail only.
        let identity = if odd(40, rank).is_multiple_of(10) {
            String::new()
        } else {
            people::number(place)
        };
        let created = on(first_day(rank), 8);
        let used = between(41, rank, 0, 20);
        if rank < extent.active {
            let mfa = if odd(42, rank) % 100 < 93 { "true" } else { "" };
            let used = ago(used);
            sheet.row(format_args!(
                "group-ad,{login},{shown},human,{identity},{login}@{MAIL},true,true,{mfa},false,prod,{created},provisioning,{used},{used},,"
            ))?;
        } else {
            let end = last_day(rank);
            sheet.row(format_args!(
                "group-ad,{login},{shown},human,{identity},{login}@{MAIL},false,true,true,false,prod,{created},provisioning,{},,{},",
                on(end - TimeDelta::days(used), 9),
                on(end + TimeDelta::days(1), 0),
            ))?;
        }
    }
    for person in 0..extent.vendor_people {
        let login = third_parties::login(person);
        let ends = third_parties::contract_ends(third_parties::vendor_of(extent, person));
        sheet.row(format_args!(
            "group-ad,{login},{},human,{},{login}@{MAIL},true,true,true,false,prod,{},provisioning,{},,,{}T00:00:00Z",
            third_parties::shown(person),
            third_parties::person_id(person),
            ago(600),
            ago(between(43, person, 0, 9)),
            ends + TimeDelta::days(1),
        ))?;
    }
    for number in 0..extent.administrators {
        let rank = groups::administrator_rank(number);
        let used = ago(between(44, number, 0, 20));
        sheet.row(format_args!(
            "group-ad,{},{},human,{},,true,true,true,true,prod,{},provisioning,{used},{used},,",
            groups::administrator(extent, number),
            name(order.place(rank)).shown,
            people::id(extent, rank),
            ago(between(45, number, 100, 900)),
        ))?;
    }
    for number in 0..extent.service_accounts {
        let id = service_account(number);
        sheet.row(format_args!(
            "group-ad,{id},{id},service,,,true,true,,false,{},{},provisioning,{},,,",
            environment(number),
            ago(between(46, number, 100, 900)),
            ago(between(47, number, 0, 2)),
        ))?;
    }
    Ok(())
}

fn entitlement_rows(extent: &Extent) -> u64 {
    3 + groups::ADMINISTRATION.0
        + extent.helpdesks
        + extent.regions()
        + extent.companies()
        + extent.divisions()
        + extent.departments()
        + extent.teams()
        + extent.vendors
        + extent.vault_groups()
        + 3 * extent.rings
        + extent.applications
}

fn entitlements(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let mut group = |id: String, privileged: bool, environment: &str| {
        sheet.row(format_args!(
            "group-ad,{id},{id},group,{privileged},{environment}"
        ))
    };
    for id in ["g-everyone", "g-all-workforce", "g-third-parties"] {
        group(id.to_owned(), false, "prod")?;
    }
    for id in ["g-domain-admins", "g-tier0", "g-server-admins", "g-tier1"] {
        group(id.to_owned(), true, "prod")?;
    }
    for id in groups::administrator_teams() {
        group(id, true, "prod")?;
    }
    for number in 0..extent.helpdesks {
        group(groups::helpdesk(number), false, "prod")?;
    }
    /// How many there are, and the id of one.
    type Level = (u64, fn(u64) -> String);
    let organisation: [Level; 6] = [
        (extent.regions(), groups::region),
        (extent.companies(), groups::company),
        (extent.divisions(), groups::division),
        (extent.departments(), groups::department),
        (extent.teams(), groups::team),
        (extent.vendors, third_parties::group),
    ];
    for (count, id) in organisation {
        for number in 0..count {
            group(id(number), false, "prod")?;
        }
    }
    for area in 0..extent.areas {
        for environment in ENVIRONMENTS {
            group(groups::vault_group(area, environment), false, environment)?;
        }
    }
    for number in 0..extent.rings {
        for letter in ['a', 'b', 'c'] {
            group(groups::ring(number, letter), false, "prod")?;
        }
    }
    for number in 0..extent.applications {
        let environment = if number % 5 == 0 { "test" } else { "prod" };
        group(groups::application(number), false, environment)?;
    }
    Ok(())
}

fn credentials(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.service_accounts {
        let account = service_account(number);
        sheet.row(format_args!(
            "group-ad,{},password,{account},true,{},{},provisioning,{},{},{}",
            password_of(&account),
            environment(number),
            ago(between(48, number, 200, 700)),
            rotated(number),
            ago(-between(49, number, 40, 80)),
            ago(between(47, number, 0, 2)),
        ))?;
    }
    Ok(())
}

/// When a service account's password was last changed; its place in the vault says the same.
pub(super) fn rotated(number: u64) -> String {
    ago(between(50, number, 3, 25))
}

fn controlled(extent: &Extent) -> u64 {
    RESETTABLE.min(extent.active / TEAM)
}

/// A helpdesk resets passwords of a department's people, never of administrators.
fn controls(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for desk in 0..extent.helpdesks {
        let from = extent.active / 2 + desk * TEAM * TEAM;
        for rank in from..from + controlled(extent) {
            sheet.row(format_args!(
                "group-ad,{},entitlement,{},reset_password",
                groups::login(extent, rank),
                groups::helpdesk(desk)
            ))?;
        }
    }
    Ok(())
}

fn owners(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.service_accounts {
        for (role, owner) in [
            ("business", business_owner(extent, number)),
            ("technical", technical_owner(extent, number)),
        ] {
            sheet.row(format_args!(
                "account,group-ad,{},{},{role}",
                service_account(number),
                people::id(extent, owner)
            ))?;
        }
    }
    Ok(())
}

fn sessions(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.active.div_ceil(SIGNED_IN) {
        sheet.row(format_args!(
            "group-ad,{},s-{:012x},2026-11-20T04:10:00Z,2026-11-20T05:40:00Z,2026-11-20T14:00:00Z",
            groups::login(extent, number * SIGNED_IN),
            odd(51, number) >> 16,
        ))?;
    }
    Ok(())
}
