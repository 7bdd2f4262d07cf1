//! Simple binds against OpenLDAP and 389 DS.

use crate::harness::*;
use lastkey_tests::labs::{Ds389, Extras, HangingServer, Lab, Make, Seed, Slapd, not_run};
use std::path::Path;

const ANN: &str = "uid=ann,ou=people,dc=example,dc=org";
const ANNS: &str = "Ann-canary-Trombone-77";
const BOB: &str = "uid=bob,ou=people,dc=example,dc=org";
const BOBS: &str = "Bob-canary-Lantern-42";
const ZOE: &str = "uid=zoe,ou=people,dc=example,dc=org";

fn people() -> String {
    let person = |dn: &str, password: &str| {
        let uid = dn[4..].split(',').next().unwrap();
        let mut text =
            format!("dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n");
        if !password.is_empty() {
            text.push_str(&format!("userPassword: {password}\n"));
        }
        text + "\n"
    };
    [person(ANN, ANNS), person(BOB, BOBS), person(ZOE, "")].concat()
}

fn seed() -> Seed {
    Seed {
        ldif: people(),
        size_limit: None,
    }
}

/// A prober of a source whose own login is another's, and wrong: it is never used.
fn prober(url: &str, ca: &Path, more: &[(&str, &str)]) -> Box<dyn Prober> {
    let mut pairs = vec![
        ("url", url),
        ("base_dn", Slapd::BASE),
        ("system", "corp-ldap"),
        ("bind_dn", "cn=nobody,dc=example,dc=org"),
        ("ca_file", ca.to_str().unwrap()),
    ];
    pairs.extend(more);
    lastkey_ldap::prober("ldap_bind", &settings(&pairs)).unwrap()
}

fn of(lab: &Lab) -> Box<dyn Prober> {
    prober(&lab.ldaps_url(), &lab.ca_path(), &[])
}

#[test]
fn accepted_wrong_and_removed_on_both_makes() {
    for make in Make::BOTH {
        if make == Make::Ds389 && !Ds389::is_here() {
            not_run("389-ds", "trying passwords", "the server is not installed");
            continue;
        }
        let lab = Lab::of(make, seed(), Extras::default());
        let prober = of(&lab);
        let prober = prober.as_ref();
        check(prober, (ANN, ANNS), Answer::Accepted, ("0 success", ""));
        check(
            prober,
            (ANN, "wrong-canary-Xylophone"),
            Answer::Rejected,
            ("49 invalidCredentials", ""),
        );
        check(
            prober,
            (ANN, ""),
            Answer::Indeterminate,
            ("not sent", "empty"),
        );
        check(
            prober,
            ("", ANNS),
            Answer::Indeterminate,
            ("not sent", "no account"),
        );
        // without a password of its own: the two makes say it in different words
        let none = tried(prober, ZOE, ANNS);
        assert_ne!(none.answer, Answer::Accepted, "{make:?}: {none:?}");
        lab.modify(&format!("dn: {ANN}\nchangetype: delete\n"));
        let gone = tried(prober, ANN, ANNS);
        assert_ne!(gone.answer, Answer::Accepted, "{make:?}: {gone:?}");
        if make == Make::OpenLdap {
            assert_eq!(gone.answer, Answer::Rejected, "{gone:?}");
        }
        let odd = tried(prober, "ann", BOBS); // not even a name
        assert_eq!(odd.answer, Answer::Indeterminate, "{odd:?}");
    }
}

#[test]
fn an_account_that_is_switched_off_in_389_is_rejected() {
    if !Ds389::is_here() {
        not_run("389-ds", "a locked account", "the server is not installed");
        return;
    }
    let lab = Lab::of(Make::Ds389, seed(), Extras::default());
    lab.modify(&format!(
        "dn: {BOB}\nchangetype: modify\nadd: nsAccountLock\nnsAccountLock: true\n"
    ));
    check(
        of(&lab).as_ref(),
        (BOB, BOBS),
        Answer::Rejected,
        ("53 unwillingToPerform", "switched off"),
    );
}

#[test]
fn a_lock_says_nothing_of_the_password() {
    let lab = Slapd::start(seed());
    let prober = prober(&lab.ldaps_url(), &lab.ca_path(), &[]);
    lab.modify(&format!(
        "dn: {BOB}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"
    ));
    check(
        prober.as_ref(),
        (BOB, BOBS),
        Answer::Indeterminate,
        ("accountLocked", "locked"),
    );
    check(prober.as_ref(), (ANN, ANNS), Answer::Accepted, ("", ""));
    // Three wrong ones lock, as the lab's policy has it.
    for _ in 0..3 {
        tried(prober.as_ref(), ANN, "wrong-canary-Xylophone");
    }
    check(
        prober.as_ref(),
        (ANN, ANNS),
        Answer::Indeterminate,
        ("accountLocked", "locked"),
    );
}

#[test]
fn passwords_that_expired_or_must_be_changed() {
    let lab = Slapd::start(seed());
    let prober = prober(&lab.ldaps_url(), &lab.ca_path(), &[]);
    lab.modify(
        "dn: cn=policy,dc=example,dc=org\nchangetype: modify\nreplace: pwdMustChange\npwdMustChange: TRUE\n",
    );
    lab.modify(&format!(
        "dn: {ANN}\nchangetype: modify\nadd: pwdReset\npwdReset: TRUE\n"
    ));
    check(
        prober.as_ref(),
        (ANN, ANNS),
        Answer::Accepted,
        ("changeAfterReset", "must be changed"),
    );
    lab.modify(
        "dn: cn=policy,dc=example,dc=org\nchangetype: modify\nreplace: pwdMaxAge\npwdMaxAge: 1\n-\nreplace: pwdMustChange\npwdMustChange: FALSE\n",
    );
    lab.modify(&format!(
        "dn: {BOB}\nchangetype: modify\nreplace: userPassword\nuserPassword: {BOBS}\n"
    ));
    std::thread::sleep(std::time::Duration::from_secs(2));
    check(
        prober.as_ref(),
        (BOB, BOBS),
        Answer::Indeterminate,
        ("passwordExpired", "expired"),
    );
}

#[test]
fn it_signs_out_and_leaves_nothing_open() {
    let lab = Slapd::start(seed());
    let url = lab.ldap_url();
    let prober = prober(&url, &lab.ca_path(), &[("starttls", "true")]);
    check(prober.as_ref(), (ANN, ANNS), Answer::Accepted, ("", ""));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !lab.log().contains("UNBIND") {
        assert!(std::time::Instant::now() < deadline, "{}", lab.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let log = lab.log();
    let binds = log.lines().filter(|l| l.contains(" BIND dn=\"uid="));
    assert!(binds.count() >= 1, "{log}");
    assert!(!log.contains("cn=nobody"), "the reading login is not used");
    assert!(!log.contains("SRCH"), "nothing is read");
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}

#[test]
fn faults_are_indeterminate() {
    use Answer::Indeterminate;
    let mut lab = Slapd::start(seed());
    let (url, ca) = (lab.ldaps_url(), lab.ca_path());
    let untrusted = prober(&url, &lab.other_ca_path(), &[]);
    check(
        untrusted.as_ref(),
        (ANN, ANNS),
        Indeterminate,
        ("no trusted connection", "not trusted"),
    );
    assert!(!lab.log().contains("BIND"), "nothing was sent");
    let hanging = HangingServer::start();
    let slow = format!("ldaps://127.0.0.1:{}", hanging.port());
    // Whatever patience the source has, a try has ten seconds in all.
    check(
        prober(&slow, &ca, &[("timeout", "600")]).as_ref(),
        (ANN, ANNS),
        Indeterminate,
        ("no answer in time", "in time"),
    );
    assert_eq!(hanging.connections(), 1, "one try");
    let clear = format!("ldaps://127.0.0.1:{}", answers_in_clear(b"220 hello\r\n"));
    check(
        prober(&clear, &ca, &[]).as_ref(),
        (ANN, ANNS),
        Indeterminate,
        ("no trusted connection", "does not speak TLS"),
    );
    let garbage = Talker::start(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let url_of = |talker: &Talker| format!("ldaps://127.0.0.1:{}", talker.port);
    check(
        prober(&url_of(&garbage), &garbage.ca(), &[]).as_ref(),
        (ANN, ANNS),
        Indeterminate,
        ("no answer", "does not speak LDAP"),
    );
    let closing = Talker::start(|_| vec![0x30, 0x0c, 0x02]);
    check(
        prober(&url_of(&closing), &closing.ca(), &[("timeout", "1")]).as_ref(),
        (ANN, ANNS),
        Indeterminate,
        ("no answer", ""),
    );
    lab.stop();
    check(
        prober(&url, &ca, &[]).as_ref(),
        (ANN, ANNS),
        Indeterminate,
        ("no answer", "cannot be reached"),
    );
}

/// An answer with this result to the request, and "nobody" to who we are.
fn to(asked: &[u8], code: u8) -> Vec<u8> {
    // 0x30 length 0x02 0x01 id tag
    let at = if asked[1] > 0x80 { 3 } else { 2 };
    let (id, tag) = (asked[at + 2], asked[at + 3]);
    match tag {
        0x60 => vec![0x30, 12, 2, 1, id, 0x61, 7, 10, 1, code, 4, 0, 4, 0],
        0x77 => vec![0x30, 14, 2, 1, id, 0x78, 9, 10, 1, 0, 4, 0, 4, 0, 0x8b, 0],
        _ => Vec::new(),
    }
}

#[test]
fn a_success_for_nobody_does_not_count() {
    let polite = Talker::start(|asked| to(asked, 0));
    let url = format!("ldaps://127.0.0.1:{}", polite.port);
    check(
        prober(&url, &polite.ca(), &[]).as_ref(),
        (ANN, ANNS),
        Answer::Indeterminate,
        ("0 success", "for nobody"),
    );
    // And one that is not finished with the bind.
    let asking = Talker::start(|asked| to(asked, 14));
    let url = format!("ldaps://127.0.0.1:{}", asking.port);
    check(
        prober(&url, &asking.ca(), &[]).as_ref(),
        (ANN, ANNS),
        Answer::Indeterminate,
        ("14 saslBindInProgress", ""),
    );
}

#[test]
fn a_password_that_is_said_back_is_not_kept() {
    let lab = Slapd::start(seed());
    let prober = prober(&lab.ldaps_url(), &lab.ca_path(), &[]);
    check(
        prober.as_ref(),
        (Slapd::ECHO_DN, "canary-c0ffee-echoed"),
        Answer::Rejected,
        ("49 invalidCredentials", ""),
    );
}
