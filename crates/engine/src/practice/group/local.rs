//! The group's mainframe and business software: accounts and passwords of their own.

use super::super::calendar::{ago, on};
use super::extent::SINGLES_OF_A_COMPOSITE;
use super::mix::{between, odd};
use super::people::{first_day, in_36, name, number};
use super::sheet::Sheet;
use super::{Extent, File};
use std::io;

const ACCOUNTS: &str = "system,id,name,kind,identity_id,enabled,local_sign_in,privileged,environment,created_at,created_by,last_used_at,last_interactive_at";
const CREDENTIALS: &str = "system,id,kind,account_id,enabled,rotated_at";
const ENTITLEMENTS: &str = "system,id,name,kind,privileged,environment";
const GRANTS: &str = "system,principal_type,principal_id,entitlement_id,assignment";

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![
        (
            "group-mainframe/accounts.csv",
            extent.mainframe_people,
            ACCOUNTS,
            mainframe_accounts,
        ),
        (
            "group-mainframe/entitlements.csv",
            extent.mainframe_groups,
            ENTITLEMENTS,
            mainframe_groups,
        ),
        (
            "group-mainframe/grants.csv",
            extent.mainframe_grants(),
            GRANTS,
            mainframe_grants,
        ),
        (
            "group-mainframe/credentials.csv",
            extent.mainframe_people,
            CREDENTIALS,
            mainframe_passwords,
        ),
        (
            "group-erp/accounts.csv",
            extent.erp_people(),
            ACCOUNTS,
            erp_accounts,
        ),
        (
            "group-erp/entitlements.csv",
            extent.composites + extent.singles(),
            ENTITLEMENTS,
            erp_roles,
        ),
        (
            "group-erp/grants.csv",
            extent.singles() + extent.erp_grants(),
            GRANTS,
            erp_grants,
        ),
        ("group-erp/credentials.csv", 0, CREDENTIALS, no_keys),
    ]
}

/// Of keys and tokens there are none, and a file with a header alone says so: without it nobody
/// with an account there could be passed.
fn no_keys(_: &Extent, _: &mut Sheet<'_>) -> io::Result<()> {
    Ok(())
}

fn account(
    sheet: &mut Sheet<'_>,
    extent: &Extent,
    (system, id): (&str, &str),
    rank: u64,
) -> io::Result<()> {
    let place = extent.order().place(rank);
    let used = ago(between(80, rank, 0, 20));
    sheet.row(format_args!(
        "{system},{id},{},human,{},true,true,false,prod,{},provisioning,{used},{used}",
        name(place).shown,
        number(place),
        on(first_day(rank), 10),
    ))
}

/// A user id of the mainframe: at most eight capitals and digits.
fn mainframe_user(extent: &Extent, rank: u64) -> String {
    format!("G{:0>6}", in_36(extent.order().place(rank)).to_uppercase())
}

fn mainframe_accounts(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let from = extent.mainframe_from();
    for rank in from..from + extent.mainframe_people {
        let id = mainframe_user(extent, rank);
        account(sheet, extent, ("group-mainframe", &id), rank)?;
    }
    Ok(())
}

fn mainframe_group(number: u64) -> String {
    format!("GRP{number:05}")
}

fn mainframe_groups(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.mainframe_groups {
        let id = mainframe_group(number);
        sheet.row(format_args!("group-mainframe,{id},{id},group,false,prod"))?;
    }
    Ok(())
}

/// Three different ones below `count`.
fn three(salt: u64, rank: u64, count: u64) -> [u64; 3] {
    let third = (count / 3).max(1);
    let first = odd(salt, rank) % count;
    [first, (first + third) % count, (first + 2 * third) % count]
}

fn mainframe_grants(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let from = extent.mainframe_from();
    for rank in from..from + extent.mainframe_people {
        let id = mainframe_user(extent, rank);
        for number in three(81, rank, extent.mainframe_groups) {
            sheet.row(format_args!(
                "group-mainframe,account,{id},{},active",
                mainframe_group(number)
            ))?;
        }
    }
    Ok(())
}

fn mainframe_passwords(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let from = extent.mainframe_from();
    for rank in from..from + extent.mainframe_people {
        let id = mainframe_user(extent, rank);
        sheet.row(format_args!(
            "group-mainframe,PW-{id},password,{id},true,{}",
            ago(between(82, rank, 5, 85))
        ))?;
    }
    Ok(())
}

fn erp_user(extent: &Extent, rank: u64) -> String {
    format!("P{}", number(extent.order().place(rank)))
}

fn erp_ranks(extent: &Extent) -> std::ops::Range<u64> {
    extent.erp_from()..extent.erp_from() + extent.erp_people()
}

fn erp_accounts(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for rank in erp_ranks(extent) {
        let id = erp_user(extent, rank);
        account(sheet, extent, ("group-erp", &id), rank)?;
    }
    Ok(())
}

fn single(number: u64) -> String {
    format!("ZS_TASK_{number:04}")
}

fn composite(number: u64) -> String {
    format!("ZC_JOB_{number:04}")
}

fn erp_roles(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let composites = (0..extent.composites).map(composite);
    for id in composites.chain((0..extent.singles()).map(single)) {
        sheet.row(format_args!("group-erp,{id},{id},role,false,prod"))?;
    }
    Ok(())
}

fn erp_grants(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.singles() {
        sheet.row(format_args!(
            "group-erp,entitlement,{},{},active",
            composite(number / SINGLES_OF_A_COMPOSITE),
            single(number),
        ))?;
    }
    for rank in erp_ranks(extent) {
        let id = erp_user(extent, rank);
        let job = composite(odd(83, rank) % extent.composites);
        let task = single(odd(84, rank) % extent.singles());
        for role in [job, task] {
            sheet.row(format_args!("group-erp,account,{id},{role},active"))?;
        }
    }
    Ok(())
}
