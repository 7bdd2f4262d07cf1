//! Random changes of a directory, with and without references that it keeps right: a read of
//! changes leaves exactly what a full read gives, or says that it cannot and is full itself.

use crate::changes::{KINDS, Reader, Went};
use crate::harness::*;
use lastkey_contract::{Connector, Fact, Kind};
use lastkey_tests::labs::{Extras, Seed, Slapd};
use std::time::{Duration, Instant};

/// A member that is nobody, so that no group is ever left without one.
const NOBODY: &str = "cn=nobody,dc=example,dc=org";
const TELLING: &str = "overlay syncprov\nsyncprov-sessionlog 10000\n";
const MENDING: &str = "overlay refint\nrefint_attributes member uniqueMember\nrefint_nothing cn=nobody,dc=example,dc=org\noverlay syncprov\nsyncprov-sessionlog 10000\n";

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    fn of<'a>(&mut self, list: &'a [String]) -> Option<&'a String> {
        (!list.is_empty()).then(|| &list[self.below(list.len())])
    }
}

/// What is in the directory, as RDN and place; a place is a number of a folder for people.
struct World {
    dice: Dice,
    folders: Vec<String>,
    people: Vec<(String, usize)>,
    groups: Vec<String>,
    made: u32,
}

impl World {
    fn folder(&self, at: usize) -> String {
        format!("{},{PEOPLE}", self.folders[at])
    }

    fn dn(&self, person: &(String, usize)) -> String {
        format!("{},{}", person.0, self.folder(person.1))
    }

    fn group_dn(cn: &str) -> String {
        format!("{cn},{GROUPS}")
    }

    fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    /// Somebody or a group that can be a member.
    fn member(&mut self) -> String {
        let everybody: Vec<String> = self
            .people
            .iter()
            .map(|p| self.dn(p))
            .chain(self.groups.iter().map(|g| World::group_dn(g)))
            .collect();
        self.dice
            .of(&everybody)
            .cloned()
            .unwrap_or(NOBODY.to_owned())
    }

    fn add_person(&mut self) -> String {
        let n = self.next();
        let at = self.dice.below(self.folders.len());
        self.people.push((format!("uid=p{n}"), at));
        let posix = match n % 3 {
            0 => format!(
                "objectClass: posixAccount\nuidNumber: {n}\ngidNumber: 500\nhomeDirectory: /h\n"
            ),
            _ => String::new(),
        };
        format!(
            "dn: uid=p{n},{}\nchangetype: add\nobjectClass: inetOrgPerson\n{posix}uid: p{n}\ncn: p{n}\nsn: p{n}\nuserPassword: canary-{n}\n\n",
            self.folder(at)
        )
    }

    fn add_group(&mut self) -> String {
        let n = self.next();
        let (first, second) = (self.member(), self.member());
        let members = match first == second {
            true => format!("member: {first}\n"),
            false => format!("member: {first}\nmember: {second}\n"),
        };
        self.groups.push(format!("cn=g{n}"));
        format!(
            "dn: cn=g{n},{GROUPS}\nchangetype: add\nobjectClass: groupOfNames\ncn: g{n}\nmember: {NOBODY}\n{members}\n"
        )
    }

    fn add_unix_group(&mut self) -> String {
        let n = self.next();
        let named = self
            .dice
            .of(&self.people.iter().map(|p| p.0.clone()).collect::<Vec<_>>())
            .cloned();
        let uid = named.map_or("nobody".to_owned(), |rdn| rdn.replace("uid=", ""));
        format!(
            "dn: cn=u{n},{GROUPS}\nchangetype: add\nobjectClass: posixGroup\ncn: u{n}\ngidNumber: {}\nmemberUid: {uid}\n\n",
            500 + n % 2
        )
    }

    /// One change of any sort.
    fn change(&mut self) -> String {
        let person = (!self.people.is_empty()).then(|| self.dice.below(self.people.len()));
        let group = (!self.groups.is_empty()).then(|| self.dice.below(self.groups.len()));
        match (self.dice.below(12), person, group) {
            (0, Some(at), _) => {
                let person = self.people.remove(at);
                format!("dn: {}\nchangetype: delete\n\n", self.dn(&person))
            }
            (1, Some(at), _) => {
                let (dn, n) = (self.dn(&self.people[at]), self.next());
                self.people[at].0 = format!("uid=p{n}");
                format!("dn: {dn}\nchangetype: modrdn\nnewrdn: uid=p{n}\ndeleteoldrdn: 1\n\n")
            }
            (2, Some(at), _) => {
                let (dn, to) = (
                    self.dn(&self.people[at]),
                    self.dice.below(self.folders.len()),
                );
                let from = std::mem::replace(&mut self.people[at].1, to);
                if from == to {
                    return String::new();
                }
                let rdn = &self.people[at].0;
                format!(
                    "dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {}\n\n",
                    self.folder(to)
                )
            }
            (3, _, _) => {
                let (at, n) = (self.dice.below(self.folders.len()), self.next());
                let dn = self.folder(at);
                self.folders[at] = format!("ou=f{n}");
                format!("dn: {dn}\nchangetype: modrdn\nnewrdn: ou=f{n}\ndeleteoldrdn: 1\n\n")
            }
            (4, _, Some(at)) => {
                let group = self.groups.remove(at);
                format!("dn: {}\nchangetype: delete\n\n", World::group_dn(&group))
            }
            (5, _, Some(at)) => {
                let (dn, n) = (World::group_dn(&self.groups[at]), self.next());
                self.groups[at] = format!("cn=g{n}");
                format!("dn: {dn}\nchangetype: modrdn\nnewrdn: cn=g{n}\ndeleteoldrdn: 1\n\n")
            }
            (6 | 7, _, Some(at)) => {
                let dn = World::group_dn(&self.groups[at]);
                let member = self.member();
                format!(
                    "dn: {dn}\nchangetype: modify\nreplace: member\nmember: {NOBODY}\nmember: {member}\n\n"
                )
            }
            (8, Some(at), _) => {
                let (dn, n) = (self.dn(&self.people[at]), self.next());
                format!("dn: {dn}\nchangetype: modify\nreplace: mail\nmail: m{n}@example.org\n\n")
            }
            (9, _, _) => self.add_unix_group(),
            (10, _, _) => self.add_group(),
            _ => self.add_person(),
        }
    }

    fn additions(&mut self) -> String {
        self.add_person() + &*self.add_group() + &*self.add_person()
    }
}

/// Waits until the directory mended what names nobody any more: it does so in the background.
fn mended(c: &dyn Connector) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        // a member that is nobody is known by its name
        let left = facts(&read(c, Kind::Grant))
            .into_iter()
            .find(|fact| match fact {
                Fact::Grant(g) => g.principal.id != NOBODY && g.principal.id.contains(','),
                other => panic!("{other:?}"),
            });
        if left.is_none() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How often memberships were read by their changes.
fn play(seed: u64, database: &'static str) -> usize {
    let folders = [0, 1].map(|n| format!("ou=f{n}"));
    let ldif: String = folders
        .iter()
        .map(|ou| {
            format!(
                "dn: {ou},{PEOPLE}\nobjectClass: organizationalUnit\n{}\n\n",
                ou.replace('=', ": ")
            )
        })
        .collect();
    let extras = Extras {
        database,
        ..Extras::default()
    };
    let seeded = Seed {
        ldif,
        size_limit: None,
    };
    let lab = Lab::OpenLdap(Slapd::start_with(seeded, extras));
    let c = lab.reader(&[]);
    let mut world = World {
        dice: Dice(seed),
        folders: folders.into(),
        people: Vec::new(),
        groups: Vec::new(),
        made: 10,
    };
    let start: String = (0..6).map(|_| world.additions()).collect();
    lab.modify(&start);
    let mut reader = Reader::start(c.as_ref());
    let mut by_changes = 0;
    for round in 0..12 {
        let ldif: String = match round % 4 {
            // In a second of its own, so that what is new is surely new.
            3 => {
                std::thread::sleep(Duration::from_millis(1_100));
                world.additions()
            }
            _ => (0..world.dice.below(5)).map(|_| world.change()).collect(),
        };
        if !ldif.is_empty() {
            lab.modify(&ldif);
        }
        if database == MENDING {
            mended(c.as_ref());
        }
        let went = reader.goes_on(
            c.as_ref(),
            7,
            &format!("seed {seed}, round {round}:\n{ldif}"),
        );
        assert_eq!(went.len(), KINDS.len());
        for (kind, went) in went {
            match (kind, went) {
                (Kind::Grant, Went::ByChanges(_)) => by_changes += 1,
                (Kind::Grant, Went::InFull) => {}
                (_, Went::ByChanges(_)) => {}
                (_, Went::InFull) if ldif.contains("newrdn: ou=") => {}
                (kind, Went::InFull) => panic!("{kind} can be read by its changes: {ldif}"),
            }
        }
    }
    by_changes
}

/// How many runs: many for `./test --long`.
fn runs() -> std::ops::RangeInclusive<u64> {
    match std::env::var_os("LASTKEY_LONG") {
        Some(_) => 1..=20,
        None => 1..=2,
    }
}

#[test]
fn a_read_of_changes_is_a_full_read_or_says_so() {
    for seed in runs() {
        let database = if seed % 2 == 0 { MENDING } else { TELLING };
        let by_changes = play(seed, database);
        assert!((3..12).contains(&by_changes), "seed {seed}: {by_changes}");
    }
}
