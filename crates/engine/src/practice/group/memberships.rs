//! Who is in which group of the directory: memberships by the group, as directories give them out.

use super::extent::{APPLICATIONS_OF_A_DEPARTMENT, ENVIRONMENTS, TEAM};
use super::mix::{Mix, odd, stride};
use super::people::{self, name};
use super::sheet::Sheet;
use super::third_parties;
use super::{Extent, File};
use std::fmt::Display;
use std::io;

/// Groups of administrators, and the grants between them.
pub(super) const ADMINISTRATION: (u64, u64) = (4 + ADMINISTRATOR_TEAMS, 2 + ADMINISTRATOR_TEAMS);
const ADMINISTRATOR_TEAMS: u64 = 40;
/// Where each level of application groups begins, in thousandths.
const LEVELS: [u64; 6] = [0, 450, 700, 850, 940, 990];

pub(super) fn files(extent: &Extent) -> Vec<File> {
    let elsewhere = extent.vault_groups() + extent.roles_by_group() + extent.singles();
    let rows =
        extent.nesting - elsewhere + extent.other_memberships() + extent.application_memberships();
    vec![(
        "group-ad/grants.csv",
        rows,
        "system,principal_type,principal_id,entitlement_id,assignment",
        memberships,
    )]
}

/// The groups' ids.
pub(super) fn team(number: u64) -> String {
    format!("g-team-{number:05}")
}
pub(super) fn department(number: u64) -> String {
    format!("g-dept-{number:04}")
}
pub(super) fn division(number: u64) -> String {
    format!("g-division-{number:03}")
}
pub(super) fn company(number: u64) -> String {
    format!("g-company-{number:02}")
}
pub(super) fn region(number: u64) -> String {
    format!("g-region-{number}")
}
pub(super) fn application(number: u64) -> String {
    format!("g-app-{number:05}")
}
pub(super) fn ring(number: u64, letter: char) -> String {
    format!("g-ring-{number:02}-{letter}")
}
pub(super) fn helpdesk(number: u64) -> String {
    format!("g-helpdesk-{number:02}")
}
pub(super) fn administrators(team: u64) -> String {
    format!("g-adm-ops-{team:02}")
}
pub(super) fn administrator_teams() -> impl Iterator<Item = String> {
    (0..ADMINISTRATOR_TEAMS).map(administrators)
}
pub(super) fn vault_group(area: u64, environment: &str) -> String {
    format!("g-vault-{area:02}-{environment}")
}

/// Where a level of application groups begins; past the last, where they end.
fn level_from(extent: &Extent, level: usize) -> u64 {
    let part = LEVELS.get(level).copied().unwrap_or(1_000);
    extent.applications * part / 1_000
}

/// An application group that people and departments are put into: one of the lowest level.
fn of_lowest(extent: &Extent, number: u64) -> u64 {
    number % level_from(extent, 1).max(1)
}

/// Whether the technical person of this number reads secrets of that environment: everyone in
/// development, one in eight in test, one in thirty in production.
fn reads(extent: &Extent, person: u64, environment: &str) -> bool {
    let row = person / extent.areas;
    match environment {
        "dev" => true,
        "test" => row.is_multiple_of(8),
        _ => row % 30 == 1,
    }
}

/// Memberships in the groups that read the vault.
pub(super) fn vault_members(extent: &Extent) -> u64 {
    let of = |environment| {
        let reads = |person: &u64| reads(extent, *person, environment);
        u64::try_from((0..extent.code_people).filter(reads).count()).unwrap_or(0)
    };
    ENVIRONMENTS.into_iter().map(of).sum()
}

/// How many members each application group has: the group of rank n a share of one in n.
struct Sizes {
    first: u64,
    share: u64,
    order: Mix,
}

impl Sizes {
    fn new(extent: &Extent) -> Sizes {
        let all = extent.application_memberships();
        let sum = |share: u64| -> u64 { (1..=extent.applications).map(|n| share / n).sum() };
        let (mut low, mut high) = (0, all);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if sum(middle) <= all {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Sizes {
            first: low + (all - sum(low)),
            share: low,
            order: Mix::new(extent.applications, 21),
        }
    }

    fn of(&self, application: u64) -> u64 {
        match self.order.rank(application) {
            0 => self.first,
            rank => self.share / (rank + 1),
        }
    }
}

struct Members<'a, 'b> {
    extent: &'a Extent,
    sheet: &'a mut Sheet<'b>,
}

impl Members<'_, '_> {
    fn group_in(&mut self, inner: impl Display, outer: impl Display) -> io::Result<()> {
        self.sheet
            .row(format_args!("group-ad,entitlement,{inner},{outer},active"))
    }

    fn account_in(&mut self, account: impl Display, group: impl Display) -> io::Result<()> {
        self.sheet
            .row(format_args!("group-ad,account,{account},{group},active"))
    }

    fn person_in(&mut self, rank: u64, group: impl Display) -> io::Result<()> {
        let login = name(self.extent.order().place(rank)).login;
        self.account_in(login, group)
    }
}

fn memberships(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let mut members = Members { extent, sheet };
    organisation(&mut members)?;
    special(&mut members)?;
    nested_applications(&mut members)?;
    let (sizes, order) = (Sizes::new(extent), extent.order());
    let step = stride(extent.active, 23);
    for application in 0..extent.applications {
        let (group, from) = (self::application(application), odd(22, application));
        let mut rank = from % extent.active;
        for _ in 0..sizes.of(application) {
            members.account_in(&name(order.place(rank)).login, &group)?;
            rank = (rank + step) % extent.active;
        }
    }
    Ok(())
}

/// Team, department, division, company, region, everyone: six levels.
fn organisation(members: &mut Members<'_, '_>) -> io::Result<()> {
    let extent = members.extent;
    for number in 0..extent.regions() {
        members.group_in(region(number), "g-everyone")?;
    }
    for number in 0..extent.companies() {
        members.group_in(company(number), region(Extent::region_of(number)))?;
    }
    for number in 0..extent.divisions() {
        members.group_in(division(number), company(Extent::company_of(number)))?;
    }
    for number in 0..extent.departments() {
        members.group_in(department(number), division(number / TEAM))?;
        let lowest = level_from(extent, 1);
        for turn in 0..APPLICATIONS_OF_A_DEPARTMENT {
            let apart = turn * (lowest / APPLICATIONS_OF_A_DEPARTMENT).max(1);
            let target = of_lowest(extent, odd(25, number) % lowest.max(1) + apart);
            members.group_in(department(number), application(target))?;
        }
    }
    let order = extent.order();
    for number in 0..extent.teams() {
        members.group_in(team(number), department(number / TEAM))?;
        let target = of_lowest(extent, odd(24, number));
        members.group_in(team(number), application(target))?;
        for rank in number * TEAM..((number + 1) * TEAM).min(extent.active) {
            members.account_in(name(order.place(rank)).login, team(number))?;
        }
    }
    for rank in 0..extent.workforce {
        members.account_in(name(order.place(rank)).login, "g-all-workforce")?;
    }
    Ok(())
}

/// Vendors, administrators, helpdesks, readers of the vault, and groups in rings.
fn special(members: &mut Members<'_, '_>) -> io::Result<()> {
    let extent = members.extent;
    for vendor in 0..extent.vendors {
        members.group_in(third_parties::group(vendor), "g-third-parties")?;
    }
    for person in 0..extent.vendor_people {
        let group = third_parties::group(third_parties::vendor_of(extent, person));
        members.account_in(third_parties::login(person), group)?;
    }
    members.group_in("g-tier0", "g-domain-admins")?;
    members.group_in("g-tier1", "g-server-admins")?;
    for team in administrator_teams() {
        members.group_in(team, "g-tier1")?;
    }
    for number in 0..extent.administrators {
        let account = administrator(extent, number);
        if number < 12 {
            members.account_in(account, "g-tier0")?;
        } else {
            members.account_in(account, administrators(number % ADMINISTRATOR_TEAMS))?;
        }
    }
    for desk in 0..extent.helpdesks {
        for turn in 0..4 {
            members.person_in((desk * 4 + turn) * TEAM + 11, helpdesk(desk))?;
        }
    }
    for environment in ENVIRONMENTS {
        for person in (0..extent.code_people).filter(|p| reads(extent, *p, environment)) {
            let group = vault_group(person % extent.areas, environment);
            members.person_in(person, group)?;
        }
    }
    for number in 0..extent.rings {
        for (letter, next) in [('a', 'b'), ('b', 'c'), ('c', 'a')] {
            members.group_in(ring(number, letter), ring(number, next))?;
            let salt = 26 + u64::from(letter);
            let from = odd(salt, number) % (extent.active - TEAM);
            for rank in from..from + TEAM {
                members.person_in(rank, ring(number, letter))?;
            }
        }
    }
    Ok(())
}

/// The account with which an administrator administers.
pub(super) fn administrator(extent: &Extent, number: u64) -> String {
    format!(
        "adm-{}",
        name(extent.order().place(administrator_rank(number))).login
    )
}

/// Whose it is.
pub(super) fn administrator_rank(number: u64) -> u64 {
    number
}

/// Each application group below the highest level is in some above it.
fn nested_applications(members: &mut Members<'_, '_>) -> io::Result<()> {
    let extent = members.extent;
    let nested = level_from(extent, LEVELS.len() - 1).max(1);
    let edges = extent.nested_applications();
    for inner in 0..nested {
        let level = (1..LEVELS.len())
            .find(|level| inner < level_from(extent, *level))
            .unwrap_or(LEVELS.len() - 1);
        let from = level_from(extent, level);
        let above = extent.applications - from;
        let own = edges / nested + u64::from(inner < edges % nested);
        for turn in 0..own {
            let apart = turn * (above / own).max(1);
            let outer = from + (odd(27, inner) % above + apart) % above;
            members.group_in(application(inner), application(outer))?;
        }
    }
    Ok(())
}

/// The login of the person at a rank.
pub(super) fn login(extent: &Extent, rank: u64) -> String {
    people::name(extent.order().place(rank)).login
}
