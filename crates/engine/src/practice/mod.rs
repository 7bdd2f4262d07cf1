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
mod group;
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
pub use group::StreamedFile;
pub use page::page;
pub use sources::EstateSource;

use seed::Seed;
use table::Tables;

/// How large the company is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 2,400 people, 3 vendors, 900 non-human identities.
    Small,
    /// The small company unchanged, in a group of 1,000,000 identities, 1,000,000 accounts and
    /// 3,400,000 grants.
    Large,
}

impl Size {
    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Large => "large",
        }
    }

    /// The size with this word.
    pub fn from_word(word: &str) -> Option<Size> {
        [Size::Small, Size::Large]
            .into_iter()
            .find(|size| size.word() == word)
    }
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
    /// What is too large to be kept as text, sorted by path; none of the small estate.
    pub streamed: Vec<StreamedFile>,
    /// In the order in which they are best added and synced.
    pub sources: Vec<EstateSource>,
    /// The offboarding plan, TOML.
    pub plan: String,
    /// What it takes on disk.
    pub room: Room,
    /// The moment that is "now", RFC 3339.
    pub reference_date: &'static str,
    /// PE-01 to PE-40, in order.
    pub defects: Vec<Defect>,
}

/// Bytes on disk, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub files: u64,
    /// The store once everything is read, with what a sync needs beside it.
    pub store: u64,
}

impl Room {
    fn of(size: Size) -> Room {
        match size {
            Size::Small => Room {
                files: 7_000_000,
                store: 40_000_000,
            },
            Size::Large => Room {
                files: 700_000_000,
                store: 2_000_000_000,
            },
        }
    }
}

/// The practice estate of that size.
pub fn estate(size: Size) -> Estate {
    match size {
        Size::Small => company(),
        Size::Large => in_a_group(group::Extent::FULL, Room::of(size)),
    }
}

/// The large practice estate with a hundredth of its group: the same systems, plan and defects,
/// for who cannot wait for all of it.
pub fn hundredth_of_the_large() -> Estate {
    let whole = Room::of(Size::Large);
    let room = Room {
        files: Room::of(Size::Small).files + whole.files / 100,
        store: Room::of(Size::Small).store + whole.store / 100,
    };
    in_a_group(group::Extent::hundredth(), room)
}

/// The company unchanged, with a group of that extent around it.
fn in_a_group(extent: group::Extent, room: Room) -> Estate {
    let mut estate = company();
    estate.sources.extend(group::sources());
    estate.plan.push_str(group::PLAN);
    estate.streamed = group::files(extent);
    estate.room = room;
    estate
}

/// The company by itself.
fn company() -> Estate {
    let mut seed = Seed::new(0x4c61_7374_6b65_7931);
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
        streamed: Vec::new(),
        sources: sources::sources(),
        plan: include_str!("plan.toml").to_owned(),
        room: Room::of(Size::Small),
        reference_date: PRACTICE_DATE,
        defects,
    }
}
