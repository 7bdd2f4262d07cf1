//! LDAP, against a real OpenLDAP and a real 389 DS: the same company in both.

use crate::page::blessing;
use crate::whole::{Authorities, read_whole};
use lastkey_conformance::{
    Answer, Facts, Missing, Network, Scene, SetUp, Subject, Trust, odd_texts,
};
use lastkey_contract::{Connector, Fact, Kind, Secret, Settings};
use lastkey_tests::labs::{Ds389, Extras, Lab, Make, Seed, Slapd};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

const PEOPLE: &str = "ou=people,dc=example,dc=org";
const GROUPS: &str = "ou=groups,dc=example,dc=org";
const CANARY: &str = "canary-password-of-a-person";

pub struct Ldap {
    make: Make,
    /// None where the machine lacks the server.
    lab: Option<Arc<Lab>>,
    /// Authorities that a proxy shows are written here, as a person gives them.
    authorities: Authorities,
    expected: Facts,
}

#[derive(Clone, Copy)]
struct Login {
    dn: &'static str,
    password: &'static str,
}
const READER: Login = Login {
    dn: Slapd::READER_DN,
    password: Slapd::READER_PASSWORD,
};

fn connector(port: u16, ca: &Path, login: Login) -> Box<dyn Connector> {
    let pairs = [
        ("url", format!("ldaps://127.0.0.1:{port}")),
        ("base_dn", Slapd::BASE.to_owned()),
        ("system", "corp-ldap".to_owned()),
        ("timeout", "20".to_owned()),
        ("ca_file", ca.to_string_lossy().into_owned()),
        ("bind_dn", login.dn.to_owned()),
    ];
    let settings = Settings(pairs.map(|(key, value)| (key.to_owned(), value)).into());
    lastkey_ldap::configure(&settings, Some(Secret::new(login.password.to_owned()))).unwrap()
}

/// A value in base64, so that LDIF takes any text.
fn encoded(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in text.as_bytes().chunks(3) {
        let bits =
            part.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - part.len()));
        for at in 0..4 {
            match at <= part.len() {
                true => out.push(char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize])),
                false => out.push('='),
            }
        }
    }
    out
}

/// A password that nobody signs in with. 389 DS would hash each of a large set for a long time.
fn password(make: Make, whose: &str) -> String {
    let stored = match make {
        Make::OpenLdap => "",
        Make::Ds389 => "{CLEAR}",
    };
    format!("userPassword: {stored}{CANARY}-{whose}\n")
}

fn person(make: Make, n: u32, display: &str, more: &str) -> String {
    format!(
        "dn: uid=p{n},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: p{n}\ncn: Person {n}\nsn: {n}\n\
         displayName:: {}\nemployeeNumber: {n:04}\nmail: p{n}@example.org\n{}\
         createTimestamp: 20250101000000Z\ncreatorsName: {}\n{}{more}\n",
        encoded(display),
        make.id_line(n),
        make.admin().0,
        password(make, &n.to_string())
    )
}

fn group(make: Make, n: u32, members: &[String]) -> String {
    let members: String = members.iter().map(|dn| format!("member: {dn}\n")).collect();
    format!(
        "dn: cn=g{n},{GROUPS}\nobjectClass: groupOfNames\ncn: g{n}\n{}{members}\n",
        make.id_line(100 + n)
    )
}

/// Ten people with odd names, one of them below an odd DN, and five groups in each other.
fn company(make: Make) -> String {
    let mut ldif = String::new();
    let used = match make {
        Make::OpenLdap => "authTimestamp: 20260301083000Z\npwdChangedTime: 20251224000000Z\n",
        Make::Ds389 => "lastLoginTime: 20260301083000Z\n",
    };
    for (n, (_, text)) in (1..).zip(odd_texts()) {
        ldif += &person(make, n, &text, if n % 2 == 1 { used } else { "" });
    }
    for n in 8..=10 {
        ldif += &person(make, n, &format!("Person {n}"), "");
    }
    let dn = |n: u32| format!("uid=p{n},{PEOPLE}");
    let odd = format!("cn=Lee\\, Bob \\22Bobby\\22 \\+ Co,{PEOPLE}");
    ldif += &format!(
        "dn: {odd}\nobjectClass: inetOrgPerson\nuid: lee\ncn: Lee, Bob \"Bobby\" + Co\nsn: Lee\n\
         createTimestamp: 20250101000000Z\n{}{}\n",
        make.id_line(11),
        password(make, "lee")
    );
    ldif += &group(make, 1, &[dn(1), dn(2), odd]);
    ldif += &group(make, 2, &[format!("cn=g1,{GROUPS}"), dn(3)]);
    ldif += &group(make, 3, &[dn(4), dn(5), dn(6)]);
    ldif += &group(make, 4, &[dn(7)]);
    ldif += &group(make, 5, &[dn(8), dn(9)]);
    ldif
}

/// A directory that tells its changes, where it can.
fn lab(make: Make, ldif: String, size_limit: Option<u32>) -> Arc<Lab> {
    let telling = Extras {
        database: "overlay syncprov\nsyncprov-sessionlog 1000\n",
        ..Extras::default()
    };
    Arc::new(Lab::of(make, Seed { ldif, size_limit }, telling))
}

/// The facts of [`company`], checked in: whoever changes what is read sees here what changes.
fn expected(make: Make) -> Facts {
    let file = format!("tests/conformance/{}-company.json", name(make));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if blessing() {
        let lab = lab(make, company(make), None);
        let facts: BTreeMap<Kind, Vec<Fact>> = read_all(&lab);
        std::fs::write(&file, serde_json::to_string_pretty(&facts).unwrap() + "\n").unwrap();
    }
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Everything, in whole pages, without the suite.
fn read_all(lab: &Lab) -> Facts {
    read_whole(connector(lab.ldaps_port(), &lab.ca_path(), READER))
}

/// What tells the runs apart.
fn name(make: Make) -> &'static str {
    match make {
        Make::OpenLdap => "ldap",
        Make::Ds389 => "ldap-389ds",
    }
}

/// OpenLDAP is on every machine that runs the tests; 389 DS is packaged for fewer.
fn is_here(make: Make) -> bool {
    match make {
        Make::OpenLdap => true,
        Make::Ds389 => Ds389::is_here(),
    }
}

impl Ldap {
    /// Ends the server of a subject that lives as long as the process.
    pub fn end(&self) {
        if let Some(lab) = &self.lab {
            lab.end();
        }
    }

    pub fn start(make: Make) -> Ldap {
        let lab = is_here(make).then(|| lab(make, company(make), None));
        Ldap {
            make,
            expected: match lab {
                Some(_) => expected(make),
                None => Facts::new(),
            },
            lab,
            authorities: Authorities::new(),
        }
    }
}

fn set_up(lab: Arc<Lab>, login: Login, facts: Facts) -> SetUp {
    let log = Arc::clone(&lab);
    SetUp {
        secrets: vec![login.password.to_owned(), CANARY.to_owned()],
        writes: Some(Box::new(move || log.writes())),
        ..SetUp {
            lives: Box::new(Arc::clone(&lab)),
            ..SetUp::new(connector(lab.ldaps_port(), &lab.ca_path(), login), facts)
        }
    }
}

/// The first and the last go, out of their group first, as whoever closes an account does (a
/// directory tells of no change to a group whose member is deleted); one comes, one is renamed, a
/// group loses a member.
fn change(lab: &Lab) {
    let lee = format!("cn=Lee\\, Bob \\22Bobby\\22 \\+ Co,{PEOPLE}");
    lab.modify(&format!(
        "dn: cn=g1,{GROUPS}\nchangetype: modify\ndelete: member\nmember: uid=p1,{PEOPLE}\nmember: {lee}\n\n\
         dn: uid=p1,{PEOPLE}\nchangetype: delete\n\n\
         dn: cn=Lee\\, Bob \\22Bobby\\22 \\+ Co,{PEOPLE}\nchangetype: delete\n\n\
         dn: uid=p3,{PEOPLE}\nchangetype: modify\nreplace: displayName\ndisplayName: Renamed\n\n\
         dn: cn=g3,{GROUPS}\nchangetype: modify\ndelete: member\nmember: uid=p4,{PEOPLE}\n\n\
         dn: uid=new,{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: New\nsn: New\nuserPassword: {CANARY}-new\n\n"
    ));
}

impl Subject for Ldap {
    fn name(&self) -> String {
        name(self.make).to_owned()
    }

    fn server(&self) -> String {
        self.make.server()
    }

    fn scene(&self, scene: Scene) -> Answer {
        let make = self.make;
        let Some(running) = &self.lab else {
            return Answer::NotRun(Missing {
                server: "389-ds".to_owned(),
                why: "the server is not on this machine".to_owned(),
            });
        };
        let here = || Arc::clone(running);
        Answer::Here(match scene {
            Scene::Seeded => set_up(here(), READER, self.expected.clone()),
            Scene::WrongSecret => {
                let wrong = Login {
                    password: "canary-wrong-password",
                    ..READER
                };
                set_up(here(), wrong, Facts::new())
            }
            Scene::TooFewRights => {
                let blind = Login {
                    dn: Slapd::BLIND_DN,
                    password: Slapd::BLIND_PASSWORD,
                };
                set_up(here(), blind, Facts::new())
            }
            Scene::ExcessRights => {
                let (dn, password) = make.admin();
                set_up(here(), Login { dn, password }, self.expected.clone())
            }
            Scene::Empty => {
                let kinds = self.expected.keys().copied().map(|kind| (kind, Vec::new()));
                set_up(lab(make, String::new(), None), READER, kinds.collect())
            }
            Scene::Large { records, bytes } => {
                let text = "x".repeat(bytes as usize);
                let people = (0..records).map(|n| person(make, n, &text, ""));
                set_up(lab(make, people.collect(), None), READER, Facts::new())
            }
            Scene::Clipped => set_up(lab(make, company(make), Some(5)), READER, Facts::new()),
            Scene::Changing => {
                let lab = lab(make, company(make), None);
                let changing = Arc::clone(&lab);
                let mut set_up = set_up(lab, READER, self.expected.clone());
                set_up.change = Some(Box::new(move || {
                    change(&changing);
                    // a second reader, in a thread whose runtime is its own
                    std::thread::spawn(move || read_all(&changing))
                        .join()
                        .unwrap()
                }));
                set_up
            }
        })
    }

    fn network(&self) -> Network {
        match &self.lab {
            None => Network::None("the server is not on this machine"),
            Some(lab) => Network::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, lab.ldaps_port()))),
        }
    }

    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector> {
        let ca = match trust {
            Trust::Server => {
                let lab = self.lab.as_ref();
                lab.expect("a server, where there is a network").ca_path()
            }
            Trust::Pem(pem) => self.authorities.file(pem),
        };
        connector(at.port(), &ca, READER)
    }
}

#[test]
fn ldap_conforms() {
    crate::conforms(&Ldap::start(Make::OpenLdap));
}

#[test]
fn ldap_of_389_ds_conforms() {
    crate::conforms(&Ldap::start(Make::Ds389));
}
