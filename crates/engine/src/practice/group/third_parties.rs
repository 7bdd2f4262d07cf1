//! The group's vendors, their people and their sponsors. Every contract runs.

use super::super::calendar::day;
use super::super::names::{FAMILY, GIVEN};
use super::machines::{business_owner, technical_owner};
use super::mix::{between, odd, one};
use super::people::{self, MAIL};
use super::sheet::Sheet;
use super::{Extent, File};
use std::io;

const TRADES: [&str; 8] = [
    "Consulting",
    "Facility Care",
    "Card Services",
    "Managed Hosting",
    "Translations",
    "Print and Mail",
    "Data Quality",
    "Staffing",
];

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![
        (
            "group-vendors/identities.csv",
            extent.vendors + extent.vendor_people,
            "id,kind,display_name,email,status,title,manager_id,employer_id,start_date,end_date",
            register,
        ),
        (
            "group-vendors/owners.csv",
            2 * extent.vendors,
            "object_type,system,object_id,owner_id,role",
            sponsors,
        ),
    ]
}

pub(super) fn vendor(number: u64) -> String {
    format!("GVEN-{number:04}")
}

pub(super) fn group(vendor: u64) -> String {
    format!("g-vendor-{vendor:04}")
}

pub(super) fn vendor_of(extent: &Extent, person: u64) -> u64 {
    person % extent.vendors.max(1)
}

pub(super) fn person_id(person: u64) -> String {
    format!("GVP-{person:05}")
}

pub(super) fn login(person: u64) -> String {
    format!("x-g{person:05}")
}

pub(super) fn shown(person: u64) -> String {
    let chance = odd(31, person);
    format!("{} {}", one(&GIVEN, chance).0, one(&FAMILY, chance >> 16).0)
}

/// The last day of a contract, ahead.
pub(super) fn contract_ends(vendor: u64) -> chrono::NaiveDate {
    day(-between(32, vendor, 60, 700))
}

fn register(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.vendors {
        sheet.row(format_args!(
            "{},vendor,{} {} {number},,active,,,,2024-02-01,{}",
            vendor(number),
            one(&FAMILY, odd(33, number)).0,
            one(&TRADES, odd(34, number)),
            contract_ends(number),
        ))?;
    }
    for person in 0..extent.vendor_people {
        let employer = vendor_of(extent, person);
        sheet.row(format_args!(
            "{},person,{},{}@{MAIL},active,Contractor,{},{},2024-03-01,{}",
            person_id(person),
            shown(person),
            login(person),
            people::id(extent, technical_owner(extent, employer)),
            vendor(employer),
            contract_ends(employer),
        ))?;
    }
    Ok(())
}

fn sponsors(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    for number in 0..extent.vendors {
        for (role, owner) in [
            ("sponsor", business_owner(extent, number)),
            ("technical", technical_owner(extent, number)),
        ] {
            sheet.row(format_args!(
                "identity,,{},{},{role}",
                vendor(number),
                people::id(extent, owner)
            ))?;
        }
    }
    Ok(())
}
