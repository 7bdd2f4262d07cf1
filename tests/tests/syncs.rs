//! Syncs as scheduled jobs meet them: a source that shrinks, one of several that fails, an old
//! file, a stop, and a process that is killed in the middle.

use lastkey_tests::desk::Desk;
use lastkey_tests::labs::{Extras, Seed, Slapd};
use lastkey_tests::window::program;
use serde_json::Value;
use std::time::{Duration, Instant};

const HEADER: &str = "id,kind,display_name,status\n";

fn people(count: usize) -> String {
    let rows = (0..count).map(|n| format!("p{n},person,Person {n},active\n"));
    format!("{HEADER}{}", rows.collect::<String>())
}

#[test]
fn a_file_that_lost_its_rows_removes_nobody_until_somebody_says_so() {
    let desk = Desk::new();
    let folder = desk.room.path("hr").display().to_string();
    desk.write("hr/identities.csv", people(60));
    desk.expect(0, &["import", &folder, "--as", "hr"]);
    desk.write("hr/identities.csv", HEADER);
    for _ in 0..2 {
        let told = desk.expect(1, &["sync", "hr"]);
        assert!(
            told.contains(
                "60 of 60 identities would be removed, which is held until somebody accepts it"
            ),
            "{told}"
        );
        assert!(told.contains("lastkey sync hr --accept-removals"), "{told}");
    }
    assert_eq!(desk.lines(0, &["identities"]).len(), 60);
    let rows = desk.lines(0, &["source", "list"]);
    let held = &rows[0][0]["kinds"][0]["held"];
    assert_eq!(
        (&held["would_remove"], &held["current"]),
        (&60.into(), &60.into())
    );
    desk.trouble(2, &["sync", "--accept-removals"], "<NAMES>");
    let report = &desk.lines(0, &["sync", "hr", "--accept-removals"])[0];
    assert_eq!(report["totals"]["removed"], 60);
    assert_eq!(desk.lines(0, &["identities"]).len(), 0);
    assert_eq!(desk.lines(0, &["store", "check"]).len(), 1);
}

#[test]
fn what_leads_nowhere_is_said_once_all_that_are_read_together_were_read() {
    let desk = Desk::new();
    let add = |name: &str, file: &str, text: String| {
        desk.write(&format!("{name}/{file}"), text);
        let path = format!("path={}", desk.room.path(name).display());
        desk.expect(0, &["source", "add", "flat-files", name, "--set", &path]);
    };
    // Whom the accounts name is read after them, and one of them not at all.
    let account = |id: &str, of: &str| format!("ad,{id},human,{of},true\n");
    let accounts = format!(
        "system,id,kind,identity_id,enabled\n{}{}",
        account("a1", "p1"),
        account("a2", "ghost")
    );
    add("ad", "accounts.csv", accounts);
    add("hr", "identities.csv", people(3));
    let dangling = || -> Vec<Value> {
        let lines = desk.lines(0, &["journal", "ad"]);
        let newest = lines[0]["sync"].clone();
        let of_it = lines.into_iter().filter(|line| line["sync"] == newest);
        of_it.filter(|line| line["what"] == "dangling").collect()
    };
    for names in [&["ad", "hr"][..], &["ad", "hr"], &["ad"]] {
        desk.expect(0, &[&["sync"], names].concat());
        let said = dangling();
        assert_eq!(said.len(), 1, "{names:?}: {said:?}");
        assert_eq!(said[0]["text"], "identities that nothing holds");
        assert_eq!(said[0]["examples"], serde_json::json!(["ghost"]));
        desk.expect(0, &["store", "check"]);
    }
    desk.write("hr/identities.csv", people(1));
    desk.expect(0, &["sync", "ad", "hr"]);
    let said = dangling();
    assert_eq!(said[0]["count"], 2, "{said:?}");
}

#[test]
fn a_file_that_was_cut_off_in_its_last_cell_removes_nothing() {
    let desk = Desk::new();
    let file = desk.room.path("roster.csv").display().to_string();
    let whole = people(9);
    desk.write("roster.csv", &whole);
    desk.expect(0, &["import", &file, "--as", "hr"]);
    // Two rows are gone, and the line end of the last that is left.
    let cut = people(7);
    desk.write("roster.csv", cut.trim_end());
    let told = desk.expect(1, &["sync", "hr"]);
    let says = "the last row of `roster.csv` has no line end, as where a file was cut off";
    assert!(told.contains(says), "{told}");
    let says = "2 of 9 identities would be removed, which is held until somebody accepts it";
    assert!(told.contains(says), "{told}");
    assert!(told.contains("lastkey sync hr --accept-removals"), "{told}");
    assert_eq!(desk.lines(0, &["identities"]).len(), 9);
    // Whoever says that the export is like that hears of it no more.
    let optional = ["--set", "last_line_end=optional"];
    let report = &desk.lines(
        0,
        &[&["import", &file, "--as", "hr"][..], &optional].concat(),
    )[0];
    assert_eq!(report["totals"]["removed"], 2, "{report}");
}

#[test]
fn a_first_read_that_may_be_cut_off_proves_nothing_until_somebody_says_that_it_is_whole() {
    let desk = Desk::new();
    desk.write("export/identities.csv", people(2));
    // The row of p0's account was cut off, and the line end of the one before.
    let cut = "system,id,identity_id,enabled,local_sign_in\ncorp,a1,p1,true,true";
    desk.write("export/accounts.csv", cut);
    let folder = desk.room.path("export").display().to_string();
    let import = ["import", &folder, "--as", "corp"];
    let told = desk.expect(1, &import);
    let says = "corp: account: the last row of `accounts.csv` has no line end";
    assert!(told.contains(says), "{told}");
    assert!(told.contains("last_line_end=optional"), "{told}");
    let accept = "if it is whole, accept it: lastkey sync corp --accept-removals";
    assert!(told.contains(accept), "{told}");
    desk.expect(1, &["sync", "corp"]);
    let plan = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/worked-example/plan.toml"
    );
    desk.expect(0, &["plan", "load", plan]);
    let unknown = || {
        let (_, said, _) = desk.run(&["rehearse", "leaver", "--identity", "p0", "--json"]);
        let told: Value = serde_json::from_str(&said).unwrap();
        let missing = told["missing_facts"].to_string();
        (
            told["verdict"].clone(),
            missing.contains("accounts of `corp`"),
        )
    };
    assert_eq!(unknown(), ("indeterminate".into(), true));
    assert_eq!(
        desk.lines(0, &["accounts"]).len(),
        1,
        "what was read is there"
    );
    // Either way of saying so does, and is said once.
    desk.expect(0, &["sync", "corp", "--accept-removals"]);
    desk.expect(0, &["sync", "corp"]);
    assert!(!unknown().1);
    let other = Desk::new();
    other.write("export/accounts.csv", cut);
    let folder = other.room.path("export").display().to_string();
    let import = ["import", &folder, "--as", "corp"];
    let optional = ["--set", "last_line_end=optional"];
    other.expect(0, &[&import[..], &optional].concat());
    other.expect(0, &import);
}

#[test]
fn a_column_that_went_missing_proves_nothing_until_somebody_says_that_it_is_meant() {
    let desk = Desk::new();
    let whole = "id,kind,employer_id,status\nacme,vendor,,active\nann,person,acme,active\n";
    desk.write("export/identities.csv", whole);
    desk.write("export/accounts.csv", "system,id,identity_id\nad,ann,ann\n");
    let readers =
        "system,path,principal_type,principal_id,principal_system\nvault,a,account,ann,ad\n";
    desk.write("export/readers.csv", readers);
    let folder = desk.room.path("export").display().to_string();
    let import = ["import", &folder, "--as", "corp"];
    desk.expect(0, &import);
    desk.write(
        "export/identities.csv",
        whole.replace("employer_id", "employer"),
    );
    // An object that is named by the column would be another one.
    desk.write(
        "export/readers.csv",
        readers.replace("principal_system", "of"),
    );
    for _ in 0..2 {
        let told = desk.expect(1, &["sync", "corp"]);
        for says in [
            "corp: identity: `identities.csv` has no column `employer_id` any more, which the last complete read had",
            "corp: reader: `readers.csv` has no column `principal_system` any more",
            "readers would be removed, which is held until somebody accepts it",
            "accept it: lastkey sync corp --accept-removals",
        ] {
            assert!(told.contains(says), "{says}: {told}");
        }
        assert!(!told.contains("corp: account:"), "{told}");
    }
    // Put back, it is what it was; mapped, too; and a file may lack what it never had.
    desk.write("export/readers.csv", readers);
    let map = ["--map", "identities.employer_id=employer"];
    desk.expect(0, &[&import[..], &map].concat());
    assert_eq!(desk.lines(0, &["readers"]).len(), 1);
    // What is meant is said once.
    desk.write("export/accounts.csv", "system,id\nad,ann\n");
    let told = desk.expect(1, &["sync", "corp"]);
    assert!(
        told.contains("`accounts.csv` has no column `identity_id` any more"),
        "{told}"
    );
    desk.expect(0, &["sync", "corp", "--accept-removals"]);
    desk.expect(0, &["sync", "corp"]);
    // Or from the start, of an export whose columns come and go.
    desk.write("export/accounts.csv", "system,id,identity_id\nad,ann,ann\n");
    desk.expect(0, &["sync", "corp"]);
    desk.write("export/accounts.csv", "system,id\nad,ann\n");
    let optional = ["--set", "columns=optional"];
    desk.expect(0, &[&import[..], &map, &optional].concat());
}

#[test]
fn a_read_that_fails_does_not_make_the_one_before_younger() {
    let desk = Desk::new();
    let file = desk.write("roster.csv", people(3));
    let import = ["import", &file, "--as", "hr", "--set", "fresh_for=1s"];
    let whole = desk.lines(0, &import)[0]["read_at"].clone();
    std::thread::sleep(Duration::from_millis(1_500));
    desk.write("roster.csv", "");
    let report = &desk.lines(3, &["sync", "hr"])[0];
    assert_eq!(report["freshness"], "stale");
    assert_eq!(report["complete_at"], whole);
    assert_ne!(report["read_at"], whole);
    let said = desk.expect(3, &["sync", "hr"]);
    let minute = whole.as_str().unwrap()[11..19].to_owned();
    let stale = said
        .lines()
        .find(|line| line.contains("stale: "))
        .expect("said");
    assert!(stale.contains(&minute), "{stale} {minute}");
}

#[test]
fn a_file_that_nobody_reads_is_named_and_one_that_is_wrong_fails_alone() {
    let desk = Desk::new();
    desk.write("export/identities.csv", people(3));
    desk.write(
        "export/accounts.csv",
        "system,id,identity_id\nad,a1,p1\nad,a2,p2\n",
    );
    desk.write("export/entitlements.csv", "system,id\nad,g\n");
    desk.write(
        "export/grant.csv",
        "system,principal_type,principal_id,entitlement_id\n",
    );
    desk.write("export/notes.txt", "nothing");
    let folder = desk.room.path("export").display().to_string();
    let import = ["import", &folder, "--as", "corp"];
    let told = desk.expect(0, &import);
    let says = "corp: warning: `grant.csv` is not a file that lastkey knows and is not read: did you mean `grants.csv`?";
    assert!(told.contains(says), "{told}");
    assert!(!told.contains("notes.txt"), "{told}");
    let report = &desk.lines(0, &import)[0];
    assert_eq!(report["check"]["warnings"].as_array().unwrap().len(), 1);
    let journal = desk.expect(0, &["journal", "corp"]);
    assert!(journal.contains("did you mean `grants.csv`?"), "{journal}");

    // A wrong header fails its own kind; the others are read, and what is gone from them is gone.
    desk.write("export/accounts.csv", "System,id,identity_id\nad,a1,p1\n");
    desk.write("export/entitlements.csv", "system,id\n");
    let report = &desk.lines(3, &import)[0];
    let kinds: Vec<(&str, bool, u64)> = (report["kinds"].as_array().unwrap().iter())
        .map(|kind| {
            let removed = kind["totals"]["removed"].as_u64().unwrap();
            (
                kind["kind"].as_str().unwrap(),
                kind["complete"] == true,
                removed,
            )
        })
        .collect();
    let wanted = [
        ("identity", true, 0),
        ("account", false, 0),
        ("entitlement", true, 1),
    ];
    assert_eq!(kinds, wanted);
    let message = report["failure"]["message"].as_str().unwrap();
    assert!(
        message.contains("`accounts.csv` has no column `system`"),
        "{message}"
    );
    assert_eq!(
        desk.lines(0, &["accounts"]).len(),
        2,
        "nothing is known of them"
    );
    assert_eq!(desk.lines(0, &["entitlements"]).len(), 0);
}

#[test]
fn one_source_that_fails_does_not_disturb_the_others() {
    let desk = Desk::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        desk.write(&format!("{name}/identities.csv"), people(30));
        let folder = desk.room.path(name).display().to_string();
        desk.expect(
            0,
            &[
                "source",
                "add",
                "flat-files",
                name,
                "--set",
                &format!("path={folder}"),
            ],
        );
    }
    desk.expect(0, &["sync"]);
    std::fs::remove_dir_all(desk.room.path("c")).unwrap();
    let (status, out, _) = desk.run(&["sync", "--json", "--full"]);
    assert_eq!(status, 3, "{out}");
    let reports: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let told: Vec<String> = reports
        .iter()
        .map(|r| {
            format!(
                "{} {}",
                r["source"].as_str().unwrap(),
                r["state"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "a complete",
            "b complete",
            "c failed",
            "d complete",
            "e complete",
            "f complete"
        ]
    );
    assert_eq!(
        desk.lines(0, &["identities"]).len(),
        180,
        "what c held stays"
    );
    desk.trouble(2, &["sync", "a", "nobody"], "there is no source `nobody`");
}

#[test]
fn an_old_file_is_read_and_lowers_what_rests_on_it() {
    let desk = Desk::new();
    desk.write("series/2025-01-01.csv", people(5));
    desk.write("series/2025-02-01.csv", people(6));
    let folder = desk.room.path("series").display().to_string();
    let told = desk.expect(0, &["import", &folder, "--as", "hr", "--series"]);
    assert!(
        told.contains("hr: stale: its last complete read shows 2025-02-01T00:00:00Z; vendor exits are indeterminate"),
        "{told}"
    );
    let rows = desk.lines(0, &["source", "list"]);
    assert_eq!(rows[0][0]["freshness"], "stale");
    let list = desk.expect(0, &["source", "list"]);
    assert!(list.contains("days, stale"), "{list}");
}

#[test]
fn wrong_use_is_a_document_where_documents_are_asked_for() {
    let desk = Desk::new();
    for arguments in [
        vec!["--json", "frobnicate"],
        vec!["--json", "sync", "--accept-removals"],
        vec!["--json", "source"],
        vec!["--json", "source", "add", "mainframe", "x"],
        vec!["--json", "sync", "nobody"],
    ] {
        let (status, out, err) = desk.run(&arguments);
        // A new store shows its recovery key before.
        let last = err.trim().lines().last().unwrap_or_default();
        let told: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{err}"));
        assert!(
            matches!(status, 2 | 3) && out.is_empty(),
            "{arguments:?}: {status} {out}"
        );
        assert!(
            told["message"].as_str().is_some_and(|m| !m.is_empty()),
            "{told}"
        );
        assert!(
            told["hint"].as_str().is_some_and(|h| !h.is_empty()),
            "{told}"
        );
    }
    let folder = desk.room.path("folder");
    std::fs::create_dir_all(&folder).unwrap();
    let key = desk.key.clone();
    let store = folder.display().to_string();
    let (status, _, err) =
        desk.room
            .lastkey(&["--store", &store, "--key-file", &key, "source", "list"]);
    assert_eq!(status, 3);
    assert!(err.contains("is a folder, not a store"), "{err}");
}

#[test]
fn a_read_that_was_killed_goes_on_and_ends_as_an_undisturbed_one() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", people(30_000));
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(
        0,
        &[
            "source",
            "add",
            "flat-files",
            "hr",
            "--set",
            &format!("path={folder}"),
        ],
    );
    let mut kills = 0;
    for after in [500, 800, 1_200] {
        let mut reading = desk
            .room
            .command(&program("lastkey"))
            .args([
                "--store",
                &desk.store,
                "--key-file",
                &desk.key,
                "sync",
                "--quiet",
            ])
            .spawn()
            .unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(after) {
            std::thread::sleep(Duration::from_millis(10));
            if reading.try_wait().unwrap().is_some() {
                break;
            }
        }
        kills += u32::from(reading.try_wait().unwrap().is_none());
        reading.kill().unwrap();
        reading.wait().unwrap();
        desk.expect(0, &["store", "check"]);
    }
    let report = &desk.lines(0, &["sync"])[0];
    assert_eq!(report["state"], "complete", "{report}");
    assert_eq!(report["kinds"][0]["gaps"], serde_json::json!([]));
    let list = desk.lines(0, &["source", "list"]);
    let totals = &list[0][0]["totals"];
    assert_eq!(totals["reported"], 30_000, "{totals}");
    assert!(
        kills > 0,
        "no read was ever cut off: the machine is too fast for this test"
    );
    let told = desk.expect(0, &["journal", "hr"]);
    assert!(
        told.contains("resume") || told.contains("restart"),
        "{kills} kills and not a word"
    );
}

/// People and two groups of them, as LDIF.
fn company(people: std::ops::Range<u32>) -> String {
    // The lab has the two units already.
    let base = Slapd::BASE;
    let mut ldif = String::new();
    for n in people.clone() {
        ldif += &person(n);
    }
    for (name, step) in [("all", 1), ("some", 3)] {
        ldif += &format!("dn: cn={name},ou=groups,{base}\nobjectClass: groupOfNames\ncn: {name}\n");
        for n in people.clone().step_by(step) {
            ldif += &format!("member: uid=u{n},ou=people,{base}\n");
        }
        ldif += "\n";
    }
    ldif
}

fn person(n: u32) -> String {
    let base = Slapd::BASE;
    format!(
        "dn: uid=u{n},ou=people,{base}\nobjectClass: inetOrgPerson\nuid: u{n}\ncn: Person {n}\nsn: P{n}\nuserPassword: pass-{n}\n\n"
    )
}

/// What is known of the directory, without when and by which read.
fn known(desk: &Desk) -> Vec<Vec<Value>> {
    let known = ["accounts", "entitlements", "grants", "credentials"].map(|table| {
        let mut rows = desk.lines(0, &[table]);
        rows.sort_by_key(Value::to_string);
        rows
    });
    known.into()
}

#[test]
fn a_directory_is_read_by_its_changes_and_that_claims_what_a_full_read_claims() {
    let mut lab = Slapd::start_with(
        Seed {
            ldif: company(0..40),
            size_limit: None,
        },
        Extras {
            database: "overlay syncprov\nsyncprov-sessionlog 1000\n",
            ..Extras::default()
        },
    );
    let desk = Desk::new();
    let secret = desk.write_secret("secret", Slapd::READER_PASSWORD);
    let settings = [
        format!("url={}", lab.ldaps_url()),
        format!("ca_file={}", lab.ca_path().display()),
        format!("base_dn={}", Slapd::BASE),
        format!("bind_dn={}", Slapd::READER_DN),
        "system=corp".to_owned(),
    ];
    let mut add = vec!["source", "add", "ldap", "corp", "--secret-file", &secret];
    for setting in &settings {
        add.extend(["--set", setting]);
    }
    desk.expect(0, &add);
    let modes = |arguments: &[&str], status| -> Vec<String> {
        let report = &desk.lines(status, arguments)[0];
        let kinds = report["kinds"].as_array().unwrap();
        kinds
            .iter()
            .map(|k| {
                let complete = k["complete"].as_bool().unwrap();
                format!(
                    "{} {} {complete}",
                    k["kind"].as_str().unwrap(),
                    k["mode"].as_str().unwrap()
                )
            })
            .collect()
    };
    let first = modes(&["sync", "corp"], 0);
    assert!(first.iter().all(|k| k.ends_with("full true")), "{first:?}");
    let base = Slapd::BASE;
    let change = |dn: &str, what: &str| format!("dn: {dn}\nchangetype: {what}\n\n");
    lab.modify(&format!(
        "{}{}{}{}",
        change(&format!("uid=u1,ou=people,{base}"), "modify\nreplace: mail\nmail: a@example.org"),
        change(
            &format!("cn=all,ou=groups,{base}"),
            &format!("modify\ndelete: member\nmember: uid=u7,ou=people,{base}")
        ) + &*change(&format!("uid=u7,ou=people,{base}"), "delete"),
        person(77).replacen("objectClass", "changetype: add\nobjectClass", 1),
        change(
            &format!("cn=some,ou=groups,{base}"),
            &format!("modify\nadd: member\nmember: uid=u77,ou=people,{base}\n-\ndelete: member\nmember: uid=u3,ou=people,{base}")
        ),
    ));
    // Nobody tells which groups named who is gone: memberships are read in full then.
    let second = modes(&["sync", "corp"], 0);
    assert!(
        second.iter().all(|k| match k.starts_with("grant") {
            true => k.ends_with("full true"),
            false => k.ends_with("incremental true"),
        }),
        "{second:?}"
    );
    let by_changes = known(&desk);
    let full = modes(&["sync", "corp", "--full"], 0);
    assert!(full.iter().all(|k| k.ends_with("full true")), "{full:?}");
    let report = desk.lines(0, &["source", "list"]);
    let totals = &report[0][0]["totals"];
    assert_eq!(
        (&totals["stored"], &totals["removed"]),
        (&0.into(), &0.into()),
        "{}",
        report[0][0]["kinds"]
    );
    assert_eq!(known(&desk), by_changes);
    // While it is down, one sentence, and what was known stays.
    lab.stop();
    desk.trouble(3, &["sync", "corp"], "error: ");
    assert_eq!(known(&desk), by_changes);
    lab.run();
    // What was deleted stands in the memory of the running server: anew it knows nothing of it.
    let after = modes(&["sync", "corp"], 0);
    assert!(after.iter().all(|k| k.ends_with("full true")), "{after:?}");
    let told = desk.expect(0, &["journal", "corp"]);
    assert!(
        told.contains("accounts are read anew, all of them"),
        "{told}"
    );
    assert_eq!(known(&desk), by_changes);
}
