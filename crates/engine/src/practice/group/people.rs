//! The group's roster: who is there, who left, who is yet to come.

use super::super::calendar::day;
use super::super::names::{FAMILY, GIVEN};
use super::extent::TEAM;
use super::mix::{between, odd, one};
use super::sheet::Sheet;
use super::{Extent, File};
use chrono::NaiveDate;
use std::io;

const TITLES: [&str; 8] = [
    "Associate",
    "Specialist",
    "Senior Specialist",
    "Analyst",
    "Engineer",
    "Senior Engineer",
    "Consultant",
    "Clerk",
];
const PLACES: [&str; 12] = [
    "Copenhagen",
    "Gdańsk",
    "Dublin",
    "Lisbon",
    "İzmir",
    "Tel Aviv",
    "Singapore",
    "Turku",
    "Brno",
    "Porto",
    "Accra",
    "Montevideo",
];
const FIELDS: [&str; 12] = [
    "Retail Banking",
    "Payments",
    "Insurance",
    "Leasing",
    "Custody",
    "Markets",
    "Operations",
    "Technology",
    "Risk",
    "Finance",
    "Customer Care",
    "Real Estate",
];

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![(
        "group-hr/identities.csv",
        extent.people(),
        "id,kind,display_name,email,status,department,title,manager_id,location,start_date,end_date,leaver_kind",
        roster,
    )]
}

/// The personnel number at a place of the roster: eight digits, many with a leading zero.
pub(super) fn number(place: u64) -> String {
    format!("{:08}", 1_000_000 + place * 53)
}

/// The personnel number of a rank.
pub(super) fn id(extent: &Extent, rank: u64) -> String {
    number(extent.order().place(rank))
}

/// What is shown, and the login, which is nobody else's.
pub(super) struct Name {
    pub(super) shown: String,
    pub(super) login: String,
}

/// The name of who stands at a place of the roster.
pub(super) fn name(place: u64) -> Name {
    let chance = odd(2, place);
    let given = one(&GIVEN, chance);
    let family = one(&FAMILY, chance >> 16);
    let tail = in_36(place);
    if (chance >> 60) < 6 {
        let second = one(&FAMILY, chance >> 32);
        return Name {
            shown: format!("{} {}-{}", given.0, family.0, second.0),
            login: format!("{}.{}-{}.{tail}", given.1, family.1, second.1),
        };
    }
    Name {
        shown: format!("{} {}", given.0, family.0),
        login: format!("{}.{}.{tail}", given.1, family.1),
    }
}

/// A number in digits and small letters.
pub(super) fn in_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

pub(super) const MAIL: &str = "group.brantholm.example";

/// The last day of someone who left within thirteen months.
pub(super) fn last_day(rank: u64) -> NaiveDate {
    day(between(3, rank, 41, 400))
}

/// The first day of someone who is there or was until lately.
pub(super) fn first_day(rank: u64) -> NaiveDate {
    day(between(4, rank, 430, 9_000))
}

/// The rank of the manager: lead of the team, head of the department, of the division, of the
/// company; nobody stands above rank 0.
fn manager(extent: &Extent, rank: u64) -> Option<u64> {
    if rank >= extent.active {
        return Some(odd(5, rank) % extent.teams() * TEAM);
    }
    let mut span = TEAM;
    while span < extent.active.saturating_mul(TEAM) {
        let lead = rank / span * span;
        if lead != rank {
            return Some(lead);
        }
        span *= TEAM;
    }
    None
}

/// Nobody is away who leads or owns.
fn away(rank: u64) -> bool {
    rank % TEAM == 7 && odd(6, rank).is_multiple_of(5)
}

/// The name of a department.
pub(super) fn department(number: u64) -> String {
    format!("{} {number:04}", one(&FIELDS, number))
}

fn roster(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let order = extent.order();
    let here = extent.active + extent.left;
    for place in 0..extent.people() {
        let rank = order.rank(place);
        let Name { shown, login } = name(place);
        let (start, status, end) = if rank < extent.active {
            let status = if away(rank) { "on_leave" } else { "active" };
            (first_day(rank), status, None)
        } else if rank < here {
            (first_day(rank), "inactive", Some(last_day(rank)))
        } else if rank < here + extent.pending {
            (day(-between(7, rank, 2, 30)), "pending", None)
        } else {
            let ago = between(8, rank, 401, 6_000);
            let start = day(ago + between(9, rank, 90, 5_000));
            (start, "inactive", Some(day(ago)))
        };
        let end_date = end.map(|end| end.to_string()).unwrap_or_default();
        let kind = match end {
            Some(_) if odd(10, rank).is_multiple_of(9) => "involuntary",
            Some(_) => "voluntary",
            None => "",
        };
        let lead = manager(extent, rank);
        let team = if rank < extent.active {
            rank
        } else {
            lead.unwrap_or(0)
        };
        let title = match lead {
            None => "Chief Executive",
            Some(_) if rank < extent.active && rank.is_multiple_of(TEAM) => "Team Lead",
            Some(_) => one(&TITLES, odd(11, rank)),
        };
        let manager_id = lead
            .map(|lead| number(order.place(lead)))
            .unwrap_or_default();
        sheet.row(format_args!(
            "{},person,{shown},{login}@{MAIL},{status},{},{title},{manager_id},{},{start},{end_date},{kind}",
            number(place),
            department(team / TEAM / TEAM),
            one(&PLACES, odd(12, rank)),
        ))?;
    }
    Ok(())
}
