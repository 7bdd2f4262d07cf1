//! The least-rights scripts on real servers: with them nothing is missing, nothing is in excess,
//! and nothing can be written; with more, check says so.

use crate::harness::*;
use lastkey_contract::{CheckReport, Kind, Script};
use lastkey_tests::labs::{Ds389, Extras, Seed, Slapd};
use std::process::Command;

fn scripts(lab_url: &str) -> Vec<Script> {
    let pairs = [("url", lab_url), ("bind_dn", Slapd::READER_DN)];
    lastkey_ldap::scripts(&settings(&pairs))
}

fn text<'a>(scripts: &'a [Script], file: &str) -> &'a str {
    let found = scripts.iter().find(|s| s.file_name == file);
    &found.unwrap_or_else(|| panic!("no {file}")).text
}

fn company(make: Make) -> String {
    let mut ldif = person(make, "uid=ann", "ann", 1, "employeeNumber: 7\n");
    ldif += &group(make, "ops", 101, &[format!("uid=ann,{PEOPLE}")]);
    ldif
}

/// Whether the reader can change somebody's mail.
fn can_write(lab: &Lab) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("change.ldif");
    let change =
        format!("dn: uid=ann,{PEOPLE}\nchangetype: modify\nreplace: mail\nmail: x@example.org\n");
    std::fs::write(&file, change).unwrap();
    let output = Command::new("ldapmodify")
        .env("LDAPTLS_CACERT", lab.ca_path())
        .args(["-x", "-H", &lab.ldaps_url(), "-D", Slapd::READER_DN])
        .args(["-w", Slapd::READER_PASSWORD, "-f"])
        .arg(&file)
        .output()
        .unwrap();
    output.status.success()
}

/// The reader sees all that it should and can do no more.
#[track_caller]
fn is_just_enough(lab: &Lab, make: Make) -> CheckReport {
    let c = lab.reader(&[]);
    let report = run(c.check()).unwrap();
    assert!(report.missing_rights.is_empty(), "{make:?}: {report:?}");
    assert!(report.excess_rights.is_empty(), "{make:?}: {report:?}");
    for (kind, count) in [
        (Kind::Account, 1),
        (Kind::Entitlement, 1),
        (Kind::Grant, 1),
        (Kind::Credential, 1),
    ] {
        let pages = read(c.as_ref(), kind);
        assert_eq!(facts(&pages).len(), count, "{make:?} {kind}");
        assert!(
            pages.iter().all(|p| p.notes.is_empty()),
            "{make:?} {kind}: {pages:?}"
        );
    }
    assert!(!can_write(lab), "{make:?}");
    report
}

#[test]
fn the_script_for_slapd_conf_is_just_enough_for_reading() {
    let scripts = scripts("ldaps://h");
    let access = format!(
        "{}access to * by anonymous auth by * none\n",
        text(&scripts, "lastkey-reader.conf")
    );
    let slapd = Slapd::start_with(
        Seed {
            ldif: company(Make::OpenLdap),
            size_limit: Some(1),
        },
        Extras {
            global: SCHEMA,
            database: "overlay syncprov\n",
            access: &access,
        },
    );
    let lab = Lab::OpenLdap(slapd);
    let report = is_just_enough(&lab, Make::OpenLdap);
    assert!(!report.rights_known, "OpenLDAP does not tell");
    let pages = read(lab.reader(&[]).as_ref(), Kind::Account);
    assert!(
        pages[0].watermark.is_some(),
        "changes are told with these rights"
    );
}

#[test]
fn the_script_for_cn_config_is_just_enough_for_reading() {
    let global = format!("{SCHEMA}database config\nrootdn cn=config\nrootpw config\n");
    let slapd = Slapd::start_with(
        Seed {
            ldif: company(Make::OpenLdap),
            size_limit: None,
        },
        Extras {
            global: &global,
            database: "",
            access: "access to * by anonymous auth by * none\n",
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reader.ldif");
    std::fs::write(&file, text(&scripts("ldaps://h"), "lastkey-reader.ldif")).unwrap();
    let output = Command::new("ldapmodify")
        .env("LDAPTLS_CACERT", slapd.ca_path())
        .args([
            "-x",
            "-H",
            &slapd.ldaps_url(),
            "-D",
            "cn=config",
            "-w",
            "config",
            "-f",
        ])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    is_just_enough(&Lab::OpenLdap(slapd), Make::OpenLdap);
}

#[test]
fn the_script_for_389_ds_is_just_enough_for_reading() {
    let seed = Seed {
        ldif: company(Make::Ds389),
        size_limit: None,
    };
    // an aci that lets nobody in
    let nobody = format!(
        "(targetattr=\"cn\")(version 3.0; acl \"none\"; allow (read) userdn=\"ldap:///cn=nobody,{}\";)",
        Slapd::BASE
    );
    let ds = Ds389::start(&seed, &[nobody]);
    ds.modify(text(&scripts("ldaps://h"), "lastkey-reader-389.ldif"));
    let report = is_just_enough(&Lab::Ds389(ds), Make::Ds389);
    assert!(report.rights_known, "389 DS tells: {report:?}");
}

#[test]
fn rights_in_excess_are_reported() {
    let names = |report: &CheckReport| -> Vec<String> {
        report
            .excess_rights
            .iter()
            .map(|r| r.name.clone())
            .collect()
    };
    let make = Make::OpenLdap;
    let lab = Lab::start(make, &company(make));
    let admin = lab.login(Slapd::ADMIN_DN, Slapd::ADMIN_PASSWORD, &[]);
    let found = names(&run(admin.check()).unwrap());
    assert_eq!(found, ["read userPassword", "root DN"]);
    assert!(names(&run(lab.reader(&[]).check()).unwrap()).is_empty());

    let make = Make::Ds389;
    let all = format!(
        "(targetattr=\"*\")(version 3.0; acl \"all\"; allow (all) userdn=\"ldap:///{}\";)",
        Slapd::READER_DN
    );
    let seed = Seed {
        ldif: company(make),
        size_limit: None,
    };
    let lab = Lab::Ds389(Ds389::start(&seed, &[all]));
    let report = run(lab.reader(&[]).check()).unwrap();
    let found = names(&report);
    for right in [
        "read userPassword",
        "add entries",
        "delete entries",
        "write attributes",
    ] {
        assert!(found.iter().any(|f| f == right), "{right}: {report:?}");
    }
    assert!(report.rights_known);
    assert!(lab.writes().is_empty(), "asking writes nothing");
}
