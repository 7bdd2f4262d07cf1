//! The people of the company, and what happened to them in fourteen months.

use super::calendar::day;
use super::names;
use super::seed::Seed;
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// A department: name, slug, people, whether its people work on systems.
pub(super) struct Department {
    pub(super) name: &'static str,
    pub(super) slug: &'static str,
    pub(super) people: usize,
    pub(super) technical: bool,
    pub(super) division: &'static str,
}

const fn dept(
    name: &'static str,
    slug: &'static str,
    people: usize,
    technical: bool,
    division: &'static str,
) -> Department {
    Department {
        name,
        slug,
        people,
        technical,
        division,
    }
}

/// Eighteen departments, 2,399 people; the chief is the first of all.
pub(super) const DEPARTMENTS: [Department; 18] = [
    dept("Customer Care", "care", 420, false, "customers"),
    dept("Retail Banking", "retail", 380, false, "customers"),
    dept("Payments", "payments", 260, true, "products"),
    dept("IT Operations", "it-operations", 210, true, "technology"),
    dept("Platform Engineering", "platform", 190, true, "technology"),
    dept("Data Engineering", "data", 150, true, "technology"),
    dept("Risk", "risk", 140, false, "control"),
    dept("Finance", "finance", 120, false, "corporate"),
    dept("Sales", "sales", 110, false, "customers"),
    dept("Security", "security", 90, true, "technology"),
    dept("Compliance", "compliance", 80, false, "control"),
    dept("Marketing", "marketing", 70, false, "customers"),
    dept("Treasury", "treasury", 60, false, "products"),
    dept("Human Resources", "people", 45, false, "corporate"),
    dept("Legal", "legal", 30, false, "corporate"),
    dept("Internal Audit", "audit", 20, false, "control"),
    dept("Procurement", "procurement", 15, false, "corporate"),
    dept("Facilities", "facilities", 9, false, "corporate"),
];

const TITLES: [&str; 6] = [
    "Associate",
    "Specialist",
    "Senior Specialist",
    "Analyst",
    "Engineer",
    "Senior Engineer",
];
const PLACES: [&str; 7] = [
    "Copenhagen",
    "Gdańsk",
    "Dublin",
    "Lisbon",
    "İzmir",
    "Tel Aviv",
    "Singapore",
];

/// A change of role.
#[derive(Clone)]
pub(super) struct Move {
    pub(super) on: NaiveDate,
    pub(super) from: usize,
}

/// One person.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) login: String,
    /// The department today.
    pub(super) department: usize,
    pub(super) team: String,
    pub(super) title: &'static str,
    pub(super) manager: String,
    pub(super) former_manager: String,
    pub(super) place: &'static str,
    pub(super) start: NaiveDate,
    pub(super) end: Option<NaiveDate>,
    pub(super) leaver_kind: &'static str,
    pub(super) moved: Option<Move>,
    pub(super) away: Option<(NaiveDate, NaiveDate)>,
    pub(super) back: Option<NaiveDate>,
    /// The source of truth says so, whatever the dates say.
    pub(super) says: Option<&'static str>,
    /// The position in the department: 0 is its head, each tenth leads a team.
    pub(super) place_in_team: usize,
}

impl Person {
    pub(super) fn email(&self) -> String {
        format!("{}@brantholm.example", self.login)
    }

    /// The word that the roster of that day gives, or none if the person is not in it.
    pub(super) fn status(&self, day: NaiveDate) -> Option<&'static str> {
        if self.start > day + TimeDelta::days(30) {
            return None;
        }
        if let Some(says) = self.says {
            return Some(says);
        }
        let away = self.away.is_some_and(|(from, to)| from <= day && day <= to);
        Some(if self.start > day {
            "pending"
        } else if self.end.is_some_and(|end| end < day) && self.back.is_none_or(|back| back > day) {
            "inactive"
        } else if away {
            "on_leave"
        } else {
            "active"
        })
    }

    /// The last day, once the person has left or is about to, and is not back.
    pub(super) fn gone(&self) -> Option<NaiveDate> {
        self.end
            .filter(|end| *end < day(0) && self.back.is_none() && self.says.is_none())
    }
}

/// The people of the company, in a fixed order: by department, heads first.
pub(super) struct Company {
    pub(super) people: Vec<Person>,
    starts: Vec<usize>,
}

impl Company {
    /// The person at a position of a department; the chief if there is no such position.
    pub(super) fn at(&self, slug: &str, position: usize) -> &Person {
        #[expect(
            clippy::indexing_slicing,
            reason = "index_of gives an index of `people`, which is never empty"
        )]
        &self.people[self.index_of(slug, position)]
    }

    pub(super) fn index_of(&self, slug: &str, position: usize) -> usize {
        let department = DEPARTMENTS.iter().position(|d| d.slug == slug);
        department
            .and_then(|d| self.starts.get(d))
            .map(|start| start + position)
            .filter(|index| *index < self.people.len())
            .unwrap_or(0)
    }

    pub(super) fn change(&mut self, slug: &str, position: usize, change: impl FnOnce(&mut Person)) {
        let index = self.index_of(slug, position);
        if let Some(person) = self.people.get_mut(index) {
            change(person);
        }
    }
}

/// The company before anything is planted. Positions that end in 5 are kept for the plants:
/// nothing happens to them by chance.
pub(super) fn company(seed: &mut Seed) -> Company {
    let mut company = Company {
        people: Vec::new(),
        starts: Vec::new(),
    };
    let mut taken = BTreeMap::new();
    let chief = person(seed, &mut taken, 0, 15, 0);
    let chief_id = chief.id.clone();
    company.people.push(Person {
        title: "Chief Executive",
        manager: String::new(),
        team: "executive".to_owned(),
        ..chief
    });
    let mut index = 1;
    for (number, department) in DEPARTMENTS.iter().enumerate() {
        company.starts.push(index);
        let (mut head, mut lead) = (chief_id.clone(), chief_id.clone());
        for position in 0..department.people {
            let mut someone = person(seed, &mut taken, index, number, position);
            someone.team = format!("team-{}-{:02}", department.slug, position / 10 + 1);
            if position == 0 {
                someone.title = "Head of Department";
                someone.manager.clone_from(&chief_id);
                head.clone_from(&someone.id);
                lead.clone_from(&someone.id);
            } else if position % 10 == 0 {
                someone.title = "Team Lead";
                someone.manager.clone_from(&head);
                lead.clone_from(&someone.id);
            } else {
                someone.manager.clone_from(&lead);
            }
            someone.former_manager.clone_from(&head);
            company.people.push(someone);
            index += 1;
        }
    }
    let chance: Vec<usize> = (1..company.people.len()).collect();
    for index in chance {
        let former = seed.below(DEPARTMENTS.len());
        let former_head = company
            .starts
            .get(former)
            .and_then(|i| company.people.get(*i))
            .map(|p| p.id.clone());
        if let (Some(person), Some(former_head)) = (company.people.get_mut(index), former_head) {
            happenings(seed, person, former, former_head);
        }
    }
    company
}

fn person(
    seed: &mut Seed,
    taken: &mut BTreeMap<String, usize>,
    index: usize,
    department: usize,
    position: usize,
) -> Person {
    let (name, plain) = names::special(index).unwrap_or_else(|| names::name(seed));
    let count = taken.entry(plain.clone()).or_insert(0);
    *count += 1;
    let login = if *count == 1 {
        plain
    } else {
        format!("{plain}{count}")
    };
    Person {
        // Six digits, many with leading zeros: text, never a number.
        id: format!("{:06}", 1_009 + index * 53),
        name,
        login,
        department,
        team: String::new(),
        title: seed.pick(&TITLES),
        manager: String::new(),
        former_manager: String::new(),
        place: seed.pick(&PLACES),
        start: day(seed.between(500, 6_000)),
        end: None,
        leaver_kind: "",
        moved: None,
        away: None,
        back: None,
        says: None,
        place_in_team: position,
    }
}

fn happenings(seed: &mut Seed, person: &mut Person, former: usize, former_head: String) {
    let technical = DEPARTMENTS
        .get(person.department)
        .is_some_and(|d| d.technical);
    match person.place_in_team % 10 {
        3 | 7 if seed.chance(37) => {
            // Who could read secrets left before the last round of rotations.
            let soonest = if technical { 40 } else { 2 };
            person.end = Some(day(seed.between(soonest, 400)));
            person.leaver_kind = if seed.chance(12) {
                "involuntary"
            } else {
                "voluntary"
            };
            if seed.chance(5) {
                person.back = person
                    .end
                    .map(|end| end + TimeDelta::days(45))
                    .filter(|b| *b < day(5));
            }
        }
        2 | 8 if seed.chance(25) && former != person.department => {
            person.moved = Some(Move {
                on: day(seed.between(5, 400)),
                from: former,
            });
            person.former_manager = former_head;
        }
        4 if seed.chance(16) => {
            let from = day(seed.between(20, 380));
            person.away = Some((from, from + TimeDelta::days(seed.between(30, 180))));
        }
        6 | 9 if seed.chance(38) => person.start = day(seed.between(-20, 400)),
        _ => {}
    }
}

/// Makes somebody one who left so many days ago.
pub(super) fn leaves(person: &mut Person, days_ago: i64, kind: &'static str) {
    person.end = Some(day(days_ago));
    person.leaver_kind = kind;
}
