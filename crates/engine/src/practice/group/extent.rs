//! How much of everything there is, so that the estate's totals come out to the unit.

use super::memberships;
use super::mix::Mix;

/// People of a team, teams of a department, departments of a division, and so on.
pub(super) const TEAM: u64 = 20;
const COMPANY: u64 = 10;
const REGION: u64 = 3;
/// Application groups that a department is a member of.
pub(super) const APPLICATIONS_OF_A_DEPARTMENT: u64 = 5;
/// Single roles that a composite role consists of.
pub(super) const SINGLES_OF_A_COMPOSITE: u64 = 4;
pub(super) const ENVIRONMENTS: [&str; 3] = ["prod", "test", "dev"];

/// The numbers that everything else follows from. People are counted by rank: the active first,
/// then those who left within thirteen months, those yet to come, those who left long ago.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Identities of the group in all.
    identities: u64,
    /// Accounts of the group in all.
    accounts: u64,
    /// Grants of the group in all, those between entitlements included.
    grants: u64,
    /// Grants whose principal is an entitlement.
    pub(super) nesting: u64,
    pub(super) active: u64,
    pub(super) left: u64,
    pub(super) pending: u64,
    pub(super) vendors: u64,
    pub(super) vendor_people: u64,
    pub(super) workloads: u64,
    pub(super) agents: u64,
    pub(super) service_accounts: u64,
    pub(super) administrators: u64,
    /// Members of the largest group.
    pub(super) workforce: u64,
    pub(super) cloud_people: u64,
    pub(super) cloud_left: u64,
    pub(super) code_people: u64,
    pub(super) mainframe_people: u64,
    pub(super) applications: u64,
    pub(super) rings: u64,
    pub(super) areas: u64,
    pub(super) cloud_roles: u64,
    pub(super) mainframe_groups: u64,
    pub(super) composites: u64,
    pub(super) helpdesks: u64,
}

impl Extent {
    /// With the small company: 1,000,000 identities, 1,000,000 accounts, 3,400,000 grants.
    pub(crate) const FULL: Extent = Extent {
        identities: 1_000_000 - 3_067,
        accounts: 1_000_000 - 6_946,
        grants: 3_400_000 - 11_101,
        nesting: 100_000,
        active: 560_000,
        left: 52_000,
        pending: 3_000,
        vendors: 240,
        vendor_people: 7_200,
        workloads: 16_000,
        agents: 2_000,
        service_accounts: 12_000,
        administrators: 4_000,
        workforce: 500_000,
        cloud_people: 140_000,
        cloud_left: 8_000,
        code_people: 60_000,
        mainframe_people: 60_000,
        applications: 10_000,
        rings: 30,
        areas: 60,
        cloud_roles: 3_000,
        mainframe_groups: 2_000,
        composites: 1_200,
        helpdesks: 25,
    };

    /// The same in small: a hundredth of everything.
    pub(crate) fn hundredth() -> Extent {
        let full = Extent::FULL;
        Extent {
            identities: full.identities / 100,
            accounts: full.accounts / 100,
            grants: full.grants / 100,
            nesting: full.nesting / 100,
            active: full.active / 100,
            left: full.left / 100,
            pending: full.pending / 100,
            vendors: 3,
            vendor_people: full.vendor_people / 100,
            workloads: full.workloads / 100,
            agents: full.agents / 100,
            service_accounts: full.service_accounts / 100,
            administrators: full.administrators / 100,
            workforce: full.workforce / 100,
            cloud_people: full.cloud_people / 100,
            cloud_left: full.cloud_left / 100,
            code_people: full.code_people / 100,
            mainframe_people: full.mainframe_people / 100,
            applications: full.applications / 100,
            rings: 1,
            areas: 2,
            cloud_roles: full.cloud_roles / 100,
            mainframe_groups: full.mainframe_groups / 100,
            composites: full.composites / 100,
            helpdesks: 1,
        }
    }

    /// People of the roster.
    pub(super) fn people(&self) -> u64 {
        self.identities - self.vendors - self.vendor_people - self.workloads - self.agents
    }

    /// Where in the roster who stands.
    pub(super) fn order(&self) -> Mix {
        Mix::new(self.people(), 1)
    }

    pub(super) fn teams(&self) -> u64 {
        self.active.div_ceil(TEAM)
    }

    pub(super) fn departments(&self) -> u64 {
        self.teams().div_ceil(TEAM)
    }

    pub(super) fn divisions(&self) -> u64 {
        self.departments().div_ceil(TEAM)
    }

    pub(super) fn companies(&self) -> u64 {
        self.divisions().div_ceil(COMPANY)
    }

    pub(super) fn regions(&self) -> u64 {
        self.companies().div_ceil(REGION)
    }

    /// The company of a division, and the region of a company.
    pub(super) fn company_of(division: u64) -> u64 {
        division / COMPANY
    }

    pub(super) fn region_of(company: u64) -> u64 {
        company / REGION
    }

    pub(super) fn directory_accounts(&self) -> u64 {
        self.active + self.left + self.vendor_people + self.service_accounts + self.administrators
    }

    pub(super) fn cloud_accounts(&self) -> u64 {
        self.cloud_people + self.cloud_left + self.workloads
    }

    pub(super) fn code_accounts(&self) -> u64 {
        self.code_people + self.agents
    }

    /// What is missing to the accounts in all stands in the business software.
    pub(super) fn erp_people(&self) -> u64 {
        self.accounts
            - self.directory_accounts()
            - self.cloud_accounts()
            - self.code_accounts()
            - self.mainframe_people
            - self.workloads
    }

    /// The first rank of those with an account there.
    pub(super) fn mainframe_from(&self) -> u64 {
        self.cloud_people
    }

    pub(super) fn erp_from(&self) -> u64 {
        self.mainframe_from() + self.mainframe_people
    }

    pub(super) fn code_teams(&self) -> u64 {
        self.code_people.div_ceil(TEAM)
    }

    pub(super) fn singles(&self) -> u64 {
        self.composites * SINGLES_OF_A_COMPOSITE
    }

    /// Cloud roles that a directory group is given: two in three.
    pub(super) fn roles_by_group(&self) -> u64 {
        self.cloud_roles * 2 / 3
    }

    pub(super) fn vault_groups(&self) -> u64 {
        self.areas * 3
    }

    /// Nesting between application groups: what is missing to all of it.
    pub(super) fn nested_applications(&self) -> u64 {
        self.nesting
            - self.organisation_edges()
            - self.vendors
            - memberships::ADMINISTRATION.1
            - 3 * self.rings
            - self.vault_groups()
            - self.roles_by_group()
            - self.singles()
    }

    /// Team in department, and so on up; teams and departments in application groups.
    pub(super) fn organisation_edges(&self) -> u64 {
        self.teams() * 2
            + self.departments() * (1 + APPLICATIONS_OF_A_DEPARTMENT)
            + self.divisions()
            + self.companies()
            + self.regions()
    }

    /// Grants of the directory that are not memberships in applications.
    pub(super) fn other_memberships(&self) -> u64 {
        self.active
            + self.workforce
            + self.vendor_people
            + self.administrators
            + 4 * self.helpdesks
            + self.rings * 3 * TEAM
            + memberships::vault_members(self)
    }

    pub(super) fn cloud_grants(&self) -> u64 {
        2 * self.cloud_people + self.workloads
    }

    pub(super) fn code_grants(&self) -> u64 {
        self.code_people + 2 * self.agents
    }

    pub(super) fn mainframe_grants(&self) -> u64 {
        3 * self.mainframe_people
    }

    pub(super) fn erp_grants(&self) -> u64 {
        2 * self.erp_people()
    }

    /// Memberships in application groups: what is missing to the grants in all.
    pub(super) fn application_memberships(&self) -> u64 {
        self.grants
            - self.nesting
            - self.other_memberships()
            - self.cloud_grants()
            - self.code_grants()
            - self.mainframe_grants()
            - self.erp_grants()
    }
}
