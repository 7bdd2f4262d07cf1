//! The practice estate: a deterministic company to try everything on.
//!
//! `estate` gives back every file of it as text, how to add the files as sources, an
//! offboarding plan, and the list of planted defects. The same bytes each time: no clock, no
//! randomness but an own seeded generator. Pure: nothing is read or written here.

mod access;
mod administrators;
mod agents;
mod calendar;
mod company;
mod defect;
mod machines;
mod names;
mod page;
mod plants_access;
mod plants_claims;
mod plants_machines;
mod plants_people;
mod plants_secrets;
mod rosters;
mod seed;
mod service_accounts;
mod sources;
mod table;
mod vendors;

#[cfg(test)]
mod tests;

pub use calendar::PRACTICE_DATE;
pub use defect::{Defect, Proof, Shows, Subject, Want};
pub use page::page;
pub use sources::EstateSource;

use seed::Seed;
use table::Tables;

/// How large the company is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 2,400 people, 3 vendors, 900 non-human identities.
    Small,
}

/// One file: its path within the folder of the estate, and its whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstateFile {
    pub path: String,
    pub text: String,
}

/// The company as files, sources and a plan.
#[derive(Clone, Debug)]
pub struct Estate {
    /// Sorted by path.
    pub files: Vec<EstateFile>,
    /// In the order in which they are best added and synced.
    pub sources: Vec<EstateSource>,
    /// The offboarding plan, TOML.
    pub plan: String,
    /// The moment that is "now", RFC 3339.
    pub reference_date: &'static str,
    /// PE-01 to PE-40, in order.
    pub defects: Vec<Defect>,
}

/// The practice estate of that size.
pub fn estate(size: Size) -> Estate {
    let mut seed = match size {
        Size::Small => Seed::new(0x4c61_7374_6b65_7931),
    };
    let mut company = company::company(&mut seed);
    plants_people::cast(&mut company);
    let mut tables = Tables::default();
    rosters::rosters(&company, &mut tables);
    rosters::claims(&company, &mut tables);
    access::access(&mut seed, &company, &mut tables);
    vendors::vendors(&mut seed, &company, &mut tables);
    machines::machines(&mut seed, &company, &mut tables);
    let mut defects = plants_people::plant(&company, &mut tables);
    defects.extend(plants_claims::plant(&company, &mut tables));
    defects.extend(plants_access::plant(&company, &mut tables));
    defects.extend(plants_secrets::plant(&company, &mut tables));
    defects.extend(plants_machines::plant(&company, &mut tables));
    defects.sort_by(|a, b| a.id.cmp(b.id));
    Estate {
        files: tables.files(),
        sources: sources::sources(),
        plan: include_str!("plan.toml").to_owned(),
        reference_date: PRACTICE_DATE,
        defects,
    }
}
