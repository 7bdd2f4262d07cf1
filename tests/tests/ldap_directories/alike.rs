//! Cases that hold for both servers.

use crate::harness::*;
use lastkey_contract::facts::{Account, Credential, CredentialKind};
use lastkey_contract::{ErrorKind, Fact, Kind, NoteKind};
use lastkey_tests::labs::Slapd;
use std::collections::BTreeSet;

/// Self-signed, 2026-01-02 to 2036-01-01, serial 4711, subject and issuer `CN=ann,O=Example`.
fn certificate() -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("openssl")
        .current_dir(&folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes", "-keyout", "k.pem", "-outform", "DER", "-out", "c.der",
        ])
        .args([
            "-set_serial",
            "4711",
            "-subj",
            "/O=Example/CN=ann",
            "-days",
            "3650",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let der = std::fs::read(folder.path().join("c.der")).unwrap();
    let text = std::process::Command::new("openssl")
        .args(["base64", "-A", "-in"])
        .arg(folder.path().join("c.der"))
        .output()
        .unwrap();
    assert!(!der.is_empty());
    String::from_utf8(text.stdout).unwrap()
}

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIGkzS2tpjQtA4w7mb3Ud0xW0Yv4o2Ih0bDgUbyTZTi7o";

/// People and groups in every form that both servers know.
fn company(make: Make) -> String {
    let at = |rdn: &str| format!("{rdn},{PEOPLE}");
    let mut ldif = person(
        make,
        "uid=ann",
        "ann",
        1,
        &format!(
            "objectClass: ldapPublicKey\nemployeeNumber: 0007\nmail: ann@example.org\nuserCertificate;binary:: {}\nsshPublicKey: ssh-ed25519 {KEY} ann@desk\n",
            certificate()
        ),
    );
    ldif += &person(
        make,
        "uid=bob",
        "bob",
        2,
        "objectClass: posixAccount\nobjectClass: shadowAccount\nuidNumber: 1\ngidNumber: 500\nhomeDirectory: /b\nshadowExpire: 20000\n",
    );
    for (n, uid) in (3..).zip(["kim", "zoe"]) {
        ldif += &person(make, &format!("uid={uid}"), uid, n, "");
    }
    ldif += &group(make, "ops", 101, &[at("UID=Ann"), at("uid=bob")]);
    ldif += &group(
        make,
        "admins",
        102,
        &[format!("cn=ops,{GROUPS}"), at("uid=gone")],
    );
    ldif += &format!(
        "dn: cn=unix,{GROUPS}\nobjectClass: posixGroup\ncn: unix\ngidNumber: 500\nmemberUid: kim\nmemberUid: nobody\n{}\n",
        make.id_line(103)
    );
    ldif += &format!(
        "dn: cn=uniq,{GROUPS}\nobjectClass: groupOfUniqueNames\ncn: uniq\nuniqueMember: {}\n{}\n",
        at("uid=zoe"),
        make.id_line(104)
    );
    ldif
}

fn accounts(lab: &Lab) -> Vec<Account> {
    facts(&read(lab.reader(&[]).as_ref(), Kind::Account))
        .into_iter()
        .map(|f| match f {
            Fact::Account(a) => a,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn credentials(lab: &Lab) -> Vec<Credential> {
    facts(&read(lab.reader(&[]).as_ref(), Kind::Credential))
        .into_iter()
        .map(|f| match f {
            Fact::Credential(c) => c,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn held(lab: &Lab) -> BTreeSet<String> {
    facts(&read(lab.reader(&[]).as_ref(), Kind::Grant))
        .into_iter()
        .map(|f| match f {
            Fact::Grant(g) => format!(
                "{}:{} > {}",
                g.principal.kind, g.principal.id, g.entitlement_id
            ),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_company_is_read_back_exactly() {
    for make in Make::BOTH {
        let lab = Lab::start(make, &company(make));
        let id = |n| make.id(n);
        let people = accounts(&lab);
        let by = |n: u32| {
            let found = people.iter().find(|a| a.id.as_str() == id(n));
            found.unwrap_or_else(|| panic!("{make:?}: {n} of {people:?}"))
        };
        assert_eq!(people.len(), 4, "{make:?}");
        assert_eq!(by(1).identity_id.as_ref().unwrap().as_str(), "0007");
        assert_eq!(by(1).enabled, Some(true), "{make:?}");
        assert!(by(1).created_at.is_some(), "{make:?}");
        assert_eq!(by(2).expires_at.unwrap().to_text(), "2024-10-04T00:00:00Z");

        let expected: BTreeSet<String> = [
            ("account", id(1), 101),
            ("account", id(2), 101),
            ("entitlement", id(101), 102),
            ("account", format!("uid=gone,{PEOPLE}"), 102),
            ("account", id(3), 103),
            ("account", "nobody".to_owned(), 103),
            ("account", id(2), 103),
            ("account", id(4), 104),
        ]
        .into_iter()
        .map(|(kind, who, group)| format!("{kind}:{who} > {}", id(group)))
        .collect();
        assert_eq!(
            held(&lab),
            expected,
            "{make:?}: bob is in unix by his gidNumber"
        );
        let pages = read(lab.reader(&[]).as_ref(), Kind::Grant);
        let dangling = notes(&pages, NoteKind::Dangling);
        assert_eq!((dangling.len(), dangling[0].count), (1, 2), "{dangling:?}");
        assert!(notes(&pages, NoteKind::Clipped).is_empty(), "{make:?}");

        let all = credentials(&lab);
        let sorts = |kind| all.iter().filter(|c| c.kind == kind).count();
        assert_eq!(sorts(CredentialKind::Password), 4, "{make:?}: {all:?}");
        assert_eq!(sorts(CredentialKind::Certificate), 1, "{make:?}");
        assert_eq!(sorts(CredentialKind::SshKey), 1, "{make:?}");
        let cert = all
            .iter()
            .find(|c| c.kind == CredentialKind::Certificate)
            .unwrap();
        assert_eq!(cert.account_id.as_ref().unwrap().as_str(), id(1));
        assert!(cert.attributes["subject"].contains("CN=ann"), "{cert:?}");
        assert_eq!(cert.attributes["serial"], "12:67");
        assert!(cert.expires_at.unwrap() > cert.created_at.unwrap());
        assert!(!format!("{all:?}").contains("canary-value"));
        assert!(lab.writes().is_empty(), "{make:?}: {:?}", lab.writes());
    }
}

#[test]
fn odd_names_resolve_in_whatever_spelling_they_are_written() {
    let long = "x".repeat(200);
    let people = [
        ("cn=Lee\\, Ann", "Lee, Ann", "cn=Lee\\2C Ann"),
        ("cn=two  words", "two  words", "cn=TWO words"),
        ("cn=a\\+b\\;c", "a+b;c", "cn=A\\2Bb\\3bC"),
        ("cn=q\\\"q\\\"", "q\"q\"", "cn=Q\\22q\\22"),
        ("cn=\\#hash", "#hash", "cn=\\23hash"),
        ("cn=\\C3\\A4rger", "\u{e4}rger", "cn=\u{c4}rger"),
        ("cn=\\D0\\96", "\u{416}", "cn=\u{436}"),
        (
            &format!("cn={long}"),
            &long,
            &format!("CN={}", long.to_uppercase()),
        ),
        ("cn=back\\\\slash", "back\\slash", "cn=back\\5Cslash"),
        ("cn=eq\\=ual", "eq=ual", "cn=eq=ual"),
    ];
    for make in Make::BOTH {
        let mut ldif = String::new();
        let mut members = Vec::new();
        for (n, (rdn, cn, spelled)) in (1..).zip(people) {
            ldif += &person(
                make,
                rdn,
                &format!("u{n}"),
                n,
                &format!("cn:: {}\n", base64(cn)),
            );
            members.push(format!("{spelled},OU=People, {}", Slapd::BASE));
        }
        ldif += &person(make, "cn=Kim+uid=kim", "kim", 50, "cn: Kim\n");
        members.push(format!("uid=kim+cn=Kim,{PEOPLE}"));
        let mut group = group(make, "all", 101, &[]).trim_end().to_owned();
        for member in &members {
            group += &format!("\nmember:: {}", base64(member));
        }
        ldif += &format!("{group}\n\n");
        let lab = Lab::start(make, &ldif);
        let expected: BTreeSet<String> = (1..=u32::try_from(people.len()).unwrap())
            .chain([50])
            .map(|n| format!("account:{} > {}", make.id(n), make.id(101)))
            .collect();
        assert_eq!(held(&lab), expected, "{make:?}");
    }
}

fn base64(text: &str) -> String {
    use std::io::Write as _;
    let mut child = std::process::Command::new("openssl")
        .args(["base64", "-A"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_dynamic_group_keeps_its_systems_grants_from_being_complete() {
    for make in Make::BOTH {
        let mut ldif = person(make, "uid=ann", "ann", 1, "");
        ldif += &format!(
            "dn: cn=bosses,{GROUPS}\nobjectClass: groupOfURLs\ncn: bosses\nmemberURL: ldap:///{PEOPLE}??sub?(title=boss)\n{}\n",
            make.id_line(101)
        );
        let lab = Lab::start(make, &ldif);
        let pages = read(lab.reader(&[]).as_ref(), Kind::Entitlement);
        assert_eq!(facts(&pages).len(), 1, "{make:?}");
        let pages = read(lab.reader(&[]).as_ref(), Kind::Grant);
        let clipped = notes(&pages, NoteKind::Clipped);
        assert_eq!(clipped.len(), 1, "{make:?}: {clipped:?}");
        assert!(clipped[0].examples[0].contains("cn=bosses"), "{clipped:?}");
        assert!(pages.iter().all(|p| p.watermark.is_none()));
    }
}

#[test]
fn a_cut_answer_is_noted() {
    for make in Make::BOTH {
        let ldif: String = (1..=20)
            .map(|n| person(make, &format!("uid=u{n}"), &format!("u{n}"), n, ""))
            .collect();
        let lab = Lab::start_limited(make, &ldif, Some(5));
        let pages = read(lab.reader(&[]).as_ref(), Kind::Account);
        assert!(facts(&pages).len() < 20, "{make:?}");
        let clipped = notes(&pages, NoteKind::Clipped);
        assert_eq!(clipped.len(), 1, "{make:?}: {clipped:?}");
        assert!(clipped[0].reason.contains("limit"), "{clipped:?}");
    }
}

#[test]
fn a_wrong_password_and_a_foreign_certificate_are_refused() {
    for make in Make::BOTH {
        let lab = Lab::start(make, "");
        let wrong = lab.login(Slapd::READER_DN, "canary-wrong", &[]);
        let error = run(wrong.check()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::AuthRejected, "{make:?}: {error}");
        assert!(!format!("{error:?}").contains("canary"));
        let other = lab.other_ca_path();
        let foreign = [("ca_file", other.to_str().unwrap())];
        let error = run(lab.reader(&foreign).check()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TlsUntrusted, "{make:?}: {error}");
        let (ca, url) = (lab.ca_path(), lab.ldap_url());
        let starttls = [
            ("url", url.as_str()),
            ("starttls", "true"),
            ("ca_file", ca.to_str().unwrap()),
            ("bind_dn", Slapd::READER_DN),
        ];
        let report = run(configure(&starttls, Some(Slapd::READER_PASSWORD)).check()).unwrap();
        assert_eq!(
            report.signed_in_as.as_deref(),
            Some(Slapd::READER_DN),
            "{make:?}"
        );
    }
}

#[test]
fn referrals_and_aliases_are_noted_and_never_followed() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    for make in Make::BOTH {
        let mut ldif = person(make, "uid=ann", "ann", 1, "");
        ldif += &format!(
            "dn: ou=elsewhere,{}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://{address}/dc=elsewhere\n\n",
            Slapd::BASE
        );
        for (name, target) in [
            ("in", format!("uid=ann,{PEOPLE}")),
            ("out", "uid=ann,dc=elsewhere".to_owned()),
        ] {
            ldif += &format!(
                "dn: cn={name},{GROUPS}\nobjectClass: alias\nobjectClass: extensibleObject\ncn: {name}\naliasedObjectName: {target}\n\n"
            );
        }
        let lab = Lab::start(make, &ldif);
        let pages = read(lab.reader(&[]).as_ref(), Kind::Account);
        assert_eq!(facts(&pages).len(), 1, "{make:?}");
        let skipped = notes(&pages, NoteKind::Skipped);
        assert!(
            skipped[0].reason.contains("referral"),
            "{make:?}: {skipped:?}"
        );
        let clipped = notes(&pages, NoteKind::Clipped);
        assert_eq!(
            (clipped.len(), clipped[0].count),
            (1, 1),
            "{make:?}: {clipped:?}"
        );
        assert!(clipped[0].examples[0].contains("cn=out"), "{clipped:?}");
        assert!(elsewhere.accept().is_err(), "nobody came");
    }
}

#[test]
fn a_lockout_and_a_last_sign_in_are_seen_as_they_happen() {
    for make in Make::BOTH {
        let lab = Lab::start(make, &person(make, "uid=ann", "ann", 1, ""));
        let ann = || accounts(&lab).remove(0);
        let dn = format!("uid=ann,{PEOPLE}");
        assert_eq!(
            (ann().last_used_at, ann().enabled),
            (None, Some(true)),
            "{make:?}"
        );
        assert!(lab.sign_in(&dn, "canary-value-1"), "{make:?}");
        assert!(ann().last_used_at.is_some(), "{make:?}");
        for _ in 0..4 {
            assert!(!lab.sign_in(&dn, "no"));
        }
        assert_eq!(
            ann().enabled,
            None,
            "{make:?}: a lock is not a closed account"
        );
        let closed = match make {
            Make::OpenLdap => {
                "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"
            }
            Make::Ds389 => "replace: nsAccountLock\nnsAccountLock: true\n",
        };
        lab.modify(&format!("dn: {dn}\nchangetype: modify\n{closed}"));
        assert_eq!(ann().enabled, Some(false), "{make:?}");
    }
}

#[test]
fn an_empty_directory_is_read_completely() {
    for make in Make::BOTH {
        let lab = Lab::start(make, "");
        for kind in [
            Kind::Account,
            Kind::Entitlement,
            Kind::Grant,
            Kind::Credential,
        ] {
            let pages = read(lab.reader(&[]).as_ref(), kind);
            let found = (pages.len(), pages[0].received, pages[0].notes.len());
            assert_eq!(found, (1, 0, 0), "{make:?} {kind}");
        }
    }
}
