//! The LDAP connector against a real slapd: what it reads, what it notes, what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_conformance::read_to_end;
use lastkey_contract::facts::{Account, Grant};
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, ErrorKind, Fact, Kind, Note, NoteKind, Page,
    PageRequest, Secret, Settings,
};
use lastkey_tests::labs::{HangingServer, Relay, Seed, Slapd, Then};
use std::collections::BTreeSet;
use std::path::Path;

const PEOPLE: &str = "ou=people,dc=example,dc=org";
const GROUPS: &str = "ou=groups,dc=example,dc=org";

struct Login<'a> {
    dn: &'a str,
    password: &'a str,
}
const READER: Login = Login {
    dn: Slapd::READER_DN,
    password: Slapd::READER_PASSWORD,
};
const BLIND: Login = Login {
    dn: Slapd::BLIND_DN,
    password: Slapd::BLIND_PASSWORD,
};

fn connector(
    url: &str,
    ca: Option<&Path>,
    login: Option<&Login>,
    extra: &[(&str, &str)],
) -> Box<dyn Connector> {
    let mut settings = Settings::default();
    let mut set = |k: &str, v: &str| settings.0.insert(k.into(), v.into());
    set("url", url);
    set("base_dn", Slapd::BASE);
    set("system", "corp-ldap");
    set("timeout", "20");
    if url.starts_with("ldap:") {
        set("starttls", "true");
    }
    if let Some(ca) = ca {
        set("ca_file", &ca.to_string_lossy());
    }
    if let Some(login) = login {
        set("bind_dn", login.dn);
    }
    for (k, v) in extra {
        set(k, v);
    }
    let secret = login.map(|l| Secret::new(l.password.to_owned()));
    lastkey_ldap::configure(&settings, secret).unwrap()
}

fn reading(lab: &Slapd) -> Box<dyn Connector> {
    connector(&lab.ldaps_url(), Some(&lab.ca_path()), Some(&READER), &[])
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn read(connector: &dyn Connector, kind: Kind, limit: u32) -> Result<Vec<Page>, ConnectorError> {
    run(read_to_end(connector, kind, limit))
}

fn facts(pages: &[Page]) -> Vec<Fact> {
    pages.iter().flat_map(|p| p.records.clone()).collect()
}
fn notes(pages: &[Page], kind: NoteKind) -> Vec<Note> {
    pages
        .iter()
        .flat_map(|p| p.notes.clone())
        .filter(|n| n.kind == kind)
        .collect()
}
fn accounts(pages: &[Page]) -> Vec<Account> {
    facts(pages)
        .into_iter()
        .filter_map(|f| match f {
            Fact::Account(a) => Some(a),
            _ => None,
        })
        .collect()
}
fn grants(pages: &[Page]) -> Vec<Grant> {
    facts(pages)
        .into_iter()
        .filter_map(|f| match f {
            Fact::Grant(g) => Some(g),
            _ => None,
        })
        .collect()
}
fn check(connector: &dyn Connector) -> Result<CheckReport, ConnectorError> {
    run(connector.check())
}

fn uuid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// One person; `more` are further LDIF lines. Lines of one attribute must stand together.
fn person(rdn: &str, uid: &str, n: u32, more: &str) -> String {
    let (names, more): (Vec<&str>, Vec<&str>) = more.lines().partition(|l| l.starts_with("cn:"));
    let names: String = names.iter().map(|l| format!("{l}\n")).collect();
    let more: String = more.iter().map(|l| format!("{l}\n")).collect();
    format!(
        "dn: {rdn},{PEOPLE}\nobjectClass: inetOrgPerson\nobjectClass: shadowAccount\nuid: {uid}\ncn: {uid}\n{names}sn: {uid}\nentryUUID: {}\ncreateTimestamp: 20250101000000Z\ncreatorsName: {}\nuserPassword: canary-value-{n}\n{more}\n",
        uuid(n),
        Slapd::ADMIN_DN
    )
}

fn group(cn: &str, n: u32, members: &str) -> String {
    format!(
        "dn: cn={cn},{GROUPS}\nobjectClass: groupOfNames\ncn: {cn}\nentryUUID: {}\n{members}\n",
        uuid(n)
    )
}

/// Eleven people with the odd names that directories have, and groups in each other.
fn company() -> String {
    let mut ldif = String::new();
    ldif += &person(
        "uid=ann",
        "ann",
        1,
        "employeeNumber: 0007\nmail: ann@example.org\nauthTimestamp: 20260301083000Z\npwdChangedTime: 20251224000000Z\n",
    );
    ldif += &person(
        "cn=Lee\\, Bob \\22Bobby\\22",
        "bob",
        2,
        "cn: Lee, Bob \"Bobby\"\nemployeeNumber: 0008\nshadowExpire: 20000\n",
    );
    // "Zoë 🔑" in base64
    ldif += &person("uid=zoe", "zoe", 3, "displayName:: Wm/DqyDwn5SR\n");
    ldif += &person(
        "cn=Kim+uid=kim",
        "kim",
        4,
        "cn: Kim\npwdAccountLockedTime: 000001010000Z\n",
    );
    ldif += &person(
        "uid=locked",
        "locked",
        5,
        "pwdAccountLockedTime: 20260302000000Z\n",
    );
    for n in 6..=11 {
        ldif += &person(&format!("uid=u{n}"), &format!("u{n}"), n, "");
    }
    ldif += &group(
        "ops",
        101,
        &format!(
            "member: UID=Ann, {PEOPLE}\nmember: cn=Lee\\2C Bob \\\"Bobby\\\",{PEOPLE}\nmember: uid=kim+cn=Kim,{PEOPLE}\n"
        ),
    );
    ldif += &group(
        "admins",
        102,
        &format!("member: cn=ops,{GROUPS}\nmember: uid=zoe,{PEOPLE}\n"),
    );
    ldif += &group(
        "loop",
        103,
        &format!("member: cn=loop,{GROUPS}\nmember: uid=gone,{PEOPLE}\n"),
    );
    ldif += &format!(
        "dn: cn=unix,{GROUPS}\nobjectClass: posixGroup\ncn: unix\ngidNumber: 500\nmemberUid: ann\nmemberUid: nobody\nentryUUID: {}\n\n",
        uuid(104)
    );
    ldif += &format!(
        "dn: cn=uniq,{GROUPS}\nobjectClass: groupOfUniqueNames\ncn: uniq\nuniqueMember: uid=u6,{PEOPLE}\nentryUUID: {}\n\n",
        uuid(105)
    );
    ldif
}

fn company_lab() -> Slapd {
    Slapd::start(Seed {
        ldif: company(),
        size_limit: None,
    })
}

#[test]
fn a_seeded_directory_is_read_back_exactly() {
    let lab = company_lab();
    let c = reading(&lab);
    let people = accounts(&read(c.as_ref(), Kind::Account, 2000).unwrap());
    let by = |n: u32| people.iter().find(|a| a.id.as_str() == uuid(n)).unwrap();
    assert_eq!(people.len(), 11);
    let ann = by(1);
    assert_eq!(
        (ann.name.as_deref(), ann.email.as_deref()),
        (Some("ann"), Some("ann@example.org"))
    );
    assert_eq!(
        ann.identity_id.as_ref().unwrap().as_str(),
        "0007",
        "zeros stay"
    );
    assert_eq!(ann.last_used_at.unwrap().to_text(), "2026-03-01T08:30:00Z");
    assert_eq!(ann.created_at.unwrap().to_text(), "2025-01-01T00:00:00Z");
    assert_eq!(ann.enabled, Some(true));
    assert_eq!(ann.local_sign_in, Some(true), "a password is there");
    assert_eq!(by(6).local_sign_in, None, "not known");
    assert_eq!(by(2).expires_at.unwrap().to_text(), "2024-10-04T00:00:00Z");
    assert_eq!(by(3).attributes["displayName"], "Zoë 🔑");
    assert_eq!(by(4).enabled, Some(false), "locked by an administrator");
    assert_eq!(
        by(5).enabled,
        None,
        "a lock after failures may open again by itself"
    );

    let groups = read(c.as_ref(), Kind::Entitlement, 2000).unwrap();
    let ids: BTreeSet<String> = facts(&groups).iter().map(Fact::key).collect();
    assert_eq!(
        ids,
        (101..=105)
            .map(|n| format!("corp-ldap\u{1f}{}", uuid(n)))
            .collect()
    );

    let pages = read(c.as_ref(), Kind::Grant, 2000).unwrap();
    let held: BTreeSet<String> = grants(&pages)
        .iter()
        .map(|g| {
            format!(
                "{}:{} > {}",
                g.principal.kind, g.principal.id, g.entitlement_id
            )
        })
        .collect();
    let expected: BTreeSet<String> = [
        ("account", uuid(1), 101),
        ("account", uuid(2), 101),
        ("account", uuid(4), 101),
        ("entitlement", uuid(101), 102),
        ("account", uuid(3), 102),
        ("entitlement", uuid(103), 103),
        ("account", format!("uid=gone,{PEOPLE}"), 103),
        ("account", uuid(1), 104),
        ("account", "nobody".into(), 104),
        ("account", uuid(6), 105),
    ]
    .into_iter()
    .map(|(kind, id, group)| format!("{kind}:{id} > {}", uuid(group)))
    .collect();
    assert_eq!(held, expected);
    let dangling = notes(&pages, NoteKind::Dangling);
    assert_eq!((dangling.len(), dangling[0].count), (1, 2), "{dangling:?}");

    let passwords = read(c.as_ref(), Kind::Credential, 2000).unwrap();
    assert_eq!(facts(&passwords).len(), 11, "presence is seen, no value");
    let all = format!("{passwords:?}");
    assert!(all.contains("2025-12-24T00:00:00Z") && !all.contains("canary-value"));
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}

#[test]
fn every_page_size_gives_the_same_set_and_a_second_read_the_same_answer() {
    let lab = company_lab();
    let c = reading(&lab);
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ] {
        let whole = facts(&read(c.as_ref(), kind, 2000).unwrap());
        for limit in [1, 3, 2000] {
            let pages = read(c.as_ref(), kind, limit).unwrap();
            assert_eq!(facts(&pages), whole, "{kind} in pages of {limit}");
            assert!(pages.iter().all(|p| p.records.len() <= limit as usize));
            let received: u64 = pages.iter().map(|p| p.received).sum();
            assert_eq!(received, whole.len() as u64);
        }
    }
    run(async {
        let mut session = c.connect().await.unwrap();
        let ask = |cursor| PageRequest {
            cursor,
            limit: 4,
            since: None,
        };
        let one = session.read_page(Kind::Account, ask(None)).await.unwrap();
        let two = session
            .read_page(Kind::Account, ask(one.next.clone()))
            .await
            .unwrap();
        let again = session
            .read_page(Kind::Account, ask(one.next.clone()))
            .await
            .unwrap();
        assert_eq!(two, again, "the same request twice");
        let mut other = c.connect().await.unwrap();
        let lost = other
            .read_page(Kind::Account, ask(one.next.clone()))
            .await
            .unwrap_err();
        assert_eq!(
            lost.kind,
            ErrorKind::CursorLost,
            "a cookie belongs to its connection"
        );
    });
}

#[test]
fn starttls_reads_the_same_and_the_directory_can_be_a_source_of_truth() {
    let lab = company_lab();
    let c = connector(
        &lab.ldap_url(),
        Some(&lab.ca_path()),
        Some(&READER),
        &[("identities", "yes")],
    );
    let people = facts(&read(c.as_ref(), Kind::Identity, 5).unwrap());
    assert_eq!(people.len(), 11);
    assert!(
        people.iter().any(|f| f.key() == "0007"),
        "the identity attribute is the id"
    );
    let none = reading(&lab);
    assert!(none.capabilities().iter().all(|c| c.kind != Kind::Identity));
}

#[test]
fn a_wrong_password_is_refused_and_never_shown() {
    let lab = company_lab();
    let wrong = Login {
        dn: Slapd::READER_DN,
        password: "canary-wrong-password",
    };
    let c = connector(&lab.ldaps_url(), Some(&lab.ca_path()), Some(&wrong), &[]);
    let error = check(c.as_ref()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AuthRejected);
    assert!(error.hint.is_some());
    for shown in [
        format!("{error}"),
        format!("{error:?}"),
        format!("{:?}", Secret::new("canary-wrong-password".into())),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_without_downgrade() {
    let lab = company_lab();
    for url in [lab.ldaps_url(), lab.ldap_url()] {
        for ca in [None, Some(lab.other_ca_path())] {
            let c = connector(&url, ca.as_deref(), Some(&READER), &[]);
            let error = check(c.as_ref()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::TlsUntrusted, "{url}: {error}");
            assert!(error.message.contains("not trusted"), "{error}");
            assert!(error.hint.unwrap().contains("SHA-256"), "{url}");
        }
    }
    assert!(
        !lab.log().contains("BIND dn="),
        "no credential was sent:\n{}",
        lab.log()
    );
}

#[test]
fn a_server_that_hangs_times_out_and_can_be_stopped() {
    let hanging = HangingServer::start();
    for scheme in ["ldaps", "ldap"] {
        let url = format!("{scheme}://127.0.0.1:{}", hanging.port());
        let c = connector(&url, None, None, &[("timeout", "1")]);
        let start = std::time::Instant::now();
        let error = check(c.as_ref()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TimedOut, "{url}: {error}");
        assert!(start.elapsed().as_secs() < 5, "{url}");
        let slow = connector(&url, None, None, &[("timeout", "600")]);
        let stopped = run(async {
            tokio::time::timeout(std::time::Duration::from_millis(200), slow.check())
                .await
                .is_err()
        });
        assert!(
            stopped && start.elapsed().as_secs() < 7,
            "{url} stops when told to"
        );
    }
    let gone = connector("ldaps://127.0.0.1:1", None, None, &[]);
    assert_eq!(
        check(gone.as_ref()).unwrap_err().kind,
        ErrorKind::Unavailable
    );
}

#[test]
fn a_cut_answer_is_noted_and_absence_not_claimed() {
    let mut lab = company_lab();
    lab.set_size_limit(Some(5));
    let c = reading(&lab);
    for limit in [3, 2000] {
        let pages = read(c.as_ref(), Kind::Account, limit).unwrap();
        assert!(facts(&pages).len() < 11);
        let clipped = notes(&pages, NoteKind::Clipped);
        assert_eq!(clipped.len(), 1, "pages of {limit}: {clipped:?}");
        assert!(!clipped[0].kind.keeps_completeness());
    }
}

#[test]
fn check_says_who_we_are_and_what_we_cannot_see() {
    let lab = company_lab();
    let report = check(reading(&lab).as_ref()).unwrap();
    assert_eq!(report.signed_in_as.as_deref(), Some(Slapd::READER_DN));
    assert!(report.server.unwrap().contains("OpenLDAP"));
    assert!(
        report.missing_rights.is_empty(),
        "{:?}",
        report.missing_rights
    );
    assert!(!report.rights_known && !report.remarks.is_empty());

    let blind = connector(&lab.ldaps_url(), Some(&lab.ca_path()), Some(&BLIND), &[]);
    let missing: Vec<String> = check(blind.as_ref())
        .unwrap()
        .missing_rights
        .into_iter()
        .map(|r| r.name)
        .collect();
    assert_eq!(
        missing,
        [
            "read operational attributes",
            "search pwdChangedTime or userPassword"
        ]
    );
    let pages = read(blind.as_ref(), Kind::Credential, 100).unwrap();
    assert!(facts(&pages).is_empty());
    assert_eq!(
        notes(&pages, NoteKind::Clipped).len(),
        1,
        "unseen is not absent"
    );
    assert!(
        accounts(&read(blind.as_ref(), Kind::Account, 100).unwrap())
            .iter()
            .all(|a| a.enabled.is_none())
    );

    let nobody = connector(&lab.ldaps_url(), Some(&lab.ca_path()), None, &[]);
    match check(nobody.as_ref()) {
        Ok(report) => assert!(report.signed_in_as.is_none()),
        Err(error) => assert!(
            matches!(error.kind, ErrorKind::ConfigInvalid | ErrorKind::Forbidden),
            "{error}"
        ),
    }
}

#[test]
fn a_lockout_and_a_last_sign_in_are_seen_as_they_happen() {
    let lab = company_lab();
    let dn = format!("uid=u7,{PEOPLE}");
    let state = |n: u32| {
        let pages = read(reading(&lab).as_ref(), Kind::Account, 100).unwrap();
        accounts(&pages)
            .into_iter()
            .find(|a| a.id.as_str() == uuid(n))
            .unwrap()
    };
    assert!(state(7).last_used_at.is_none() && state(7).enabled == Some(true));
    assert!(lab.sign_in(&dn, "canary-value-7"));
    assert!(state(7).last_used_at.is_some());
    for _ in 0..4 {
        assert!(!lab.sign_in(&dn, "no"));
    }
    let locked = state(7);
    assert_eq!(locked.enabled, None, "a lock is not a closed account");
    assert!(locked.attributes.contains_key("pwdAccountLockedTime"));
    lab.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"));
    assert_eq!(state(7).enabled, Some(false));
}

#[test]
fn an_empty_directory_is_read_completely() {
    let lab = Slapd::start(Seed::default());
    let c = reading(&lab);
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ] {
        let pages = read(c.as_ref(), kind, 100).unwrap();
        assert_eq!(
            (pages.len(), pages[0].received, pages[0].notes.len()),
            (1, 0, 0),
            "{kind}"
        );
    }
    let remarks = check(c.as_ref()).unwrap().remarks.join("\n");
    assert!(remarks.contains("no people are visible"), "{remarks}");
    let elsewhere = connector(
        &lab.ldaps_url(),
        Some(&lab.ca_path()),
        Some(&READER),
        &[("base_dn", "dc=nowhere")],
    );
    let error = check(elsewhere.as_ref()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConfigInvalid, "{error}");
}

#[test]
fn a_referral_is_noted_and_never_followed() {
    // Whoever followed it would be heard here.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    let mut ldif = company();
    ldif += &format!(
        "dn: ou=elsewhere,{}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://{address}/dc=elsewhere\n\n",
        Slapd::BASE
    );
    let lab = Slapd::start(Seed {
        ldif,
        size_limit: None,
    });
    let c = reading(&lab);
    for (kind, found) in [
        (Kind::Account, 11),
        (Kind::Entitlement, 5),
        (Kind::Grant, 10),
    ] {
        let pages = read(c.as_ref(), kind, 100).unwrap();
        assert_eq!(facts(&pages).len(), found, "{kind}");
        let skipped = notes(&pages, NoteKind::Skipped);
        assert!(!skipped.is_empty(), "{kind}");
        assert!(skipped.iter().all(|n| n.reason.contains("referral")));
        assert!(
            !NoteKind::Skipped.keeps_completeness(),
            "what stands behind it is not absent"
        );
    }
    assert!(elsewhere.accept().is_err(), "nobody came");
}

#[test]
fn a_value_over_64_kb_is_left_out_and_noted() {
    let at = 64 * 1024;
    let mut ldif = person(
        "uid=full",
        "full",
        1,
        &format!("displayName: {}", "x".repeat(at)),
    );
    ldif += &person(
        "uid=over",
        "over",
        2,
        &format!("displayName: {}", "x".repeat(at + 1)),
    );
    let lab = Slapd::start(Seed {
        ldif,
        size_limit: None,
    });
    let pages = read(reading(&lab).as_ref(), Kind::Account, 100).unwrap();
    let people = accounts(&pages);
    let shown = |n: u32| {
        let account = people.iter().find(|a| a.id.as_str() == uuid(n)).unwrap();
        account.attributes.get("displayName").map(String::len)
    };
    assert_eq!((shown(1), shown(2)), (Some(at), None));
    let clipped = notes(&pages, NoteKind::Clipped);
    assert_eq!(
        (clipped.len(), clipped[0].count),
        (1, 1),
        "one value: {clipped:?}"
    );
    assert!(clipped[0].examples[0].contains("uid=over"), "{clipped:?}");
}

#[test]
fn a_directory_that_falls_silent_in_the_middle_of_a_page_times_out_and_can_be_stopped() {
    let lab = company_lab();
    let relay = Relay::start(lab.ldaps_port(), Then::FallsSilent);
    let url = format!("ldaps://127.0.0.1:{}", relay.port());
    let session = |timeout: &str| {
        connector(
            &url,
            Some(&lab.ca_path()),
            Some(&READER),
            &[("timeout", timeout)],
        )
    };
    let ask = || PageRequest {
        cursor: None,
        limit: 100,
        since: None,
    };
    run(async {
        let mut hasty = session("1").connect().await.unwrap();
        relay.let_through(1_000);
        let begun = std::time::Instant::now();
        let error = hasty.read_page(Kind::Account, ask()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TimedOut, "{error}");
        assert!(begun.elapsed().as_secs() < 5);
        relay.let_through(u64::MAX);
        let mut patient = session("600").connect().await.unwrap();
        relay.let_through(1_000);
        let begun = std::time::Instant::now();
        let limit = std::time::Duration::from_millis(300);
        let read = patient.read_page(Kind::Account, ask());
        assert!(tokio::time::timeout(limit, read).await.is_err());
        drop(patient);
        assert!(begun.elapsed().as_secs() < 1, "stops when told to");
    });
}
