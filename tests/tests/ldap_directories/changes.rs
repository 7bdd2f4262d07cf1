//! Reads of changes only, from an OpenLDAP that tells them: after every round the rows held are
//! those that a full read gives.

use crate::harness::*;
use lastkey_contract::{Connector, ErrorKind, Kind, Page};
use lastkey_tests::labs::{Extras, Seed, Slapd};

pub const KINDS: [Kind; 4] = [
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Credential,
];
const TELLING: &str = "overlay syncprov\nsyncprov-sessionlog 1000\n";

fn telling(ldif: &str) -> Slapd {
    Slapd::start_with(
        Seed {
            ldif: ldif.to_owned(),
            size_limit: None,
        },
        extras(),
    )
}

fn extras() -> Extras<'static> {
    Extras {
        global: SCHEMA,
        database: TELLING,
        access: "",
    }
}

fn watermark(pages: &[Page]) -> Option<String> {
    let (last, others) = pages.split_last().unwrap();
    assert!(others.iter().all(|p| p.watermark.is_none()));
    last.watermark.clone()
}

/// Rows and watermarks of every kind, read on from round to round.
pub struct Reader {
    held: Vec<(Kind, Held, String)>,
}

impl Reader {
    pub fn start(c: &dyn Connector) -> Reader {
        let held = KINDS.map(|kind| {
            let pages = read(c, kind);
            let mut held = Held::default();
            held.take(&pages);
            let mark = watermark(&pages).unwrap_or_else(|| panic!("{kind} has no watermark"));
            (kind, held, mark)
        });
        Reader { held: held.into() }
    }

    /// Reads on in pages of `limit`; what is held then is what a full read gives.
    pub fn goes_on(&mut self, c: &dyn Connector, limit: u32, round: &str) -> Vec<(Kind, Went)> {
        let mut all = Vec::new();
        for (kind, held, mark) in &mut self.held {
            let (pages, went) = match try_read(c, (*kind, limit), Some(mark)) {
                Ok(pages) => {
                    let records = facts(&pages).len();
                    (pages, Went::ByChanges(records))
                }
                Err(error) => {
                    assert_eq!(
                        error.kind,
                        ErrorKind::CursorLost,
                        "{round}: {kind}: {error}"
                    );
                    *held = Held::default();
                    (read(c, *kind), Went::InFull)
                }
            };
            if went != Went::InFull {
                assert!(pages.iter().all(|p| p.records.len() <= limit as usize));
            }
            held.take(&pages);
            *mark = watermark(&pages).unwrap();
            let mut full = Held::default();
            full.take(&read(c, *kind));
            let (ours, all_of_it) = (held.rows(), full.rows());
            let too_much: Vec<_> = ours.difference(&all_of_it).collect();
            let missing: Vec<_> = all_of_it.difference(&ours).collect();
            assert!(
                too_much.is_empty() && missing.is_empty(),
                "{round}: {kind} ({went:?})\ntoo much: {too_much:#?}\nmissing: {missing:#?}"
            );
            all.push((*kind, went));
        }
        all
    }
}

/// How a kind was read on, with how many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    ByChanges(usize),
    InFull,
}

/// Only memberships may have been read in full.
#[track_caller]
fn by_changes(went: &[(Kind, Went)]) {
    for (kind, went) in went {
        assert!(
            *kind == Kind::Grant || *went != Went::InFull,
            "{kind} was read in full"
        );
    }
}

fn company() -> String {
    let make = Make::OpenLdap;
    let mut ldif = String::new();
    for n in 1..=20 {
        let posix = match n % 2 {
            0 => format!(
                "objectClass: posixAccount\nuidNumber: {n}\ngidNumber: 500\nhomeDirectory: /h\n"
            ),
            _ => String::new(),
        };
        ldif += &person(make, &format!("uid=u{n}"), &format!("u{n}"), n, &posix);
    }
    let at = |n: u32| format!("uid=u{n},{PEOPLE}");
    ldif += &group(make, "ops", 101, &[at(1), at(2), at(77)]);
    ldif += &group(make, "admins", 102, &[at(3), format!("cn=ops,{GROUPS}")]);
    ldif += &group(make, "gone-soon", 103, &[at(4)]);
    for (cn, n, gid, member) in [("unix", 104, 500, "u77"), ("wheel", 105, 501, "u1")] {
        ldif += &format!(
            "dn: cn={cn},{GROUPS}\nobjectClass: posixGroup\ncn: {cn}\ngidNumber: {gid}\nmemberUid: {member}\n{}\n",
            make.id_line(n)
        );
    }
    ldif
}

#[test]
fn changes_and_deletions_leave_the_same_as_a_full_read() {
    let lab = telling(&company());
    let lab = Lab::OpenLdap(lab);
    let c = lab.reader(&[]);
    let mut reader = Reader::start(c.as_ref());
    assert!(
        c.capabilities()
            .iter()
            .all(|k| k.incremental && k.deletions_visible)
    );
    // A sign-in is a change of the reader's own entry, so primary groups are read again.
    let went = reader.goes_on(c.as_ref(), 20_000, "nothing changed");
    assert!(
        went.contains(&(Kind::Grant, Went::ByChanges(12))),
        "{went:?}"
    );
    let at = |n: u32| format!("uid=u{n},{PEOPLE}");
    let change = |dn: &str, what: &str| format!("dn: {dn}\nchangetype: modify\n{what}\n\n");
    let add = |n: u32, more: &str| {
        format!(
            "dn: {}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: u{n}\ncn: u{n}\nsn: u{n}\n{more}\n",
            at(n)
        )
    };
    let delete = |dn: &str| format!("dn: {dn}\nchangetype: delete\n\n");
    let ops = format!("cn=ops,{GROUPS}");
    let rounds: [(&str, String); 9] = [
        (
            "a mail",
            change(&at(1), "replace: mail\nmail: a@example.org"),
        ),
        (
            "members come and go",
            change(
                &ops,
                &format!(
                    "add: member\nmember: {}\n-\ndelete: member\nmember: {}",
                    at(5),
                    at(1)
                ),
            ),
        ),
        (
            "somebody comes whom groups name already, by DN and by uid",
            add(77, "userPassword: canary-77\n"),
        ),
        (
            "a password and a key",
            change(&at(3), "delete: userPassword")
                + &*change(
                    &at(5),
                    "add: objectClass\nobjectClass: ldapPublicKey\n-\nadd: sshPublicKey\nsshPublicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkzS2tpjQtA4w7mb3Ud0xW0Yv4o2Ih0bDgUbyTZTi7o u5",
                ),
        ),
        (
            "a primary group",
            change(&at(2), "replace: gidNumber\ngidNumber: 501"),
        ),
        (
            "somebody goes",
            change(
                &format!("cn=admins,{GROUPS}"),
                &format!("delete: member\nmember: {}", at(3)),
            ) + &*delete(&at(3))
                + &*delete(&at(6)),
        ),
        (
            "groups go and come",
            delete(&format!("cn=gone-soon,{GROUPS}"))
                + &*format!(
                    "dn: cn=new,{GROUPS}\nchangetype: add\nobjectClass: groupOfNames\ncn: new\nmember: {}\nmember: {ops}\n\n",
                    at(8)
                ),
        ),
        (
            "somebody stops being a person that is read",
            format!(
                "dn: uid=u9,{PEOPLE}\nchangetype: modrdn\nnewrdn: uid=u99\ndeleteoldrdn: 1\n\n"
            ),
        ),
        (
            "and comes again under another id",
            add(6, "userPassword: canary-6\n"),
        ),
    ];
    for (round, ldif) in rounds {
        lab.modify(&ldif);
        by_changes(&reader.goes_on(c.as_ref(), 3, round));
    }
    let quiet = lab.writes().len();
    reader.goes_on(c.as_ref(), 20_000, "nothing more");
    assert_eq!(lab.writes().len(), quiet, "reading writes nothing");
}

#[test]
fn a_directory_that_forgot_loses_the_watermark_instead_of_guessing() {
    let mut slapd = telling(&company());
    let c = {
        let (url, ca) = (slapd.ldaps_url(), slapd.ca_path());
        let pairs = [
            ("url", url.as_str()),
            ("ca_file", ca.to_str().unwrap()),
            ("bind_dn", Slapd::READER_DN),
        ];
        configure(&pairs, Some(Slapd::READER_PASSWORD))
    };
    let reader = Reader::start(c.as_ref());
    slapd.modify(&format!("dn: uid=u1,{PEOPLE}\nchangetype: delete\n"));
    // what was deleted is kept in the memory of the running server
    slapd.configure_again(None, extras());
    for (kind, _, mark) in &reader.held {
        let error = try_read(c.as_ref(), (*kind, 100), Some(mark)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorLost, "{kind}: {error}");
        assert!(error.hint.is_some());
    }
    let (_, _, mark) = &reader.held[0];
    for other in ["", "rfc4533", "yesterday", &mark[..mark.len() - 4]] {
        let error = try_read(c.as_ref(), (Kind::Account, 100), Some(other)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorLost, "`{other}`: {error}");
    }
    let error = try_read(c.as_ref(), (Kind::Entitlement, 100), Some(mark)).unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::CursorLost,
        "a watermark of another kind"
    );
}

#[test]
fn without_a_directory_that_tells_there_is_no_watermark() {
    let lab = Lab::start(Make::OpenLdap, &company());
    for (c, why) in [
        (lab.reader(&[]), "no syncprov"),
        (lab.reader(&[("incremental", "no")]), "switched off"),
    ] {
        for kind in KINDS {
            assert_eq!(watermark(&read(c.as_ref(), kind)), None, "{why}: {kind}");
        }
        assert!(c.capabilities().iter().all(|k| !k.incremental), "{why}");
    }
    let telling = Lab::OpenLdap(telling(&company()));
    let off = telling.reader(&[("incremental", "no")]);
    assert_eq!(watermark(&read(off.as_ref(), Kind::Account)), None);
    let identities = telling.reader(&[("identities", "yes")]);
    assert_eq!(watermark(&read(identities.as_ref(), Kind::Identity)), None);
}
