//! Whose account is this: rules, explanations, lists and decisions, as scripts use them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

fn explained(desk: &Desk, account: &str) -> Value {
    desk.lines(0, &["link", "explain", account]).remove(0)
}

fn state(desk: &Desk, account: &str) -> String {
    let answer = explained(desk, account);
    let identity = answer["identity"].as_str().unwrap_or("nobody");
    format!("{}: {identity}", answer["state"].as_str().unwrap())
}

#[test]
fn an_answer_says_by_which_rule_what_fails_and_who_comes_nearest() {
    let desk = Desk::linked();
    let ann = explained(&desk, "corp:a1");
    assert_eq!(
        [
            &ann["state"],
            &ann["rule"],
            &ann["confidence"],
            &ann["basis"]
        ],
        ["connected", "identity id", "certain", "observed"]
    );
    assert_eq!(ann["persons"][0]["equal"][0], "identity_id `u1` is id `u1`");
    let bob = explained(&desk, "corp:a2");
    assert_eq!(bob["state"], "ambiguous");
    assert_eq!(bob["candidates"], serde_json::json!(["hr:u2", "hr:u3"]));
    let begun: Vec<&Value> = ["0", "1"]
        .iter()
        .map(|n| &bob["persons"][n.parse::<usize>().unwrap()]["start_date"])
        .collect();
    assert_ne!(begun[0], begun[1], "what tells them apart is told");
    let near = explained(&desk, "corp:a3");
    assert_eq!(near["state"], "not connected");
    assert_eq!(near["nearest"][0]["identity"], "hr:u1", "{near}");
    let outcomes: Vec<&str> = near["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        [
            "the account has no such value",
            "the account has no such value",
            "leads to nobody"
        ]
    );
    let text = desk.expect(0, &["link", "explain", "corp:a1"]);
    assert!(
        text.starts_with("corp:a1 is connected: hr:u1\n  by the rule `identity id`"),
        "{text}"
    );
    desk.trouble(2, &["link", "explain", "corp:zz"], "there is no account");
    let counts = desk.expect(0, &["link", "list"]);
    assert!(counts.contains("3  not connected"), "{counts}");
    let open = desk.lines(0, &["link", "list", "--unmatched"]);
    let names: Vec<&Value> = open.iter().map(|row| &row["account"]).collect();
    assert_eq!(names, ["corp:a3", "corp:a4", "corp:a5"]);
}

#[test]
fn decisions_survive_syncs_and_can_be_taken_back() {
    let desk = Desk::linked();
    desk.expect(0, &["link", "corp:a2", "hr:u3", "--why", "asked him"]);
    desk.expect(0, &["link", "none", "corp:a5", "--why", "the backup's"]);
    let bulk = desk.write(
        "decided.csv",
        "account,identity,why\ncorp:a3,u1,her second\n",
    );
    desk.expect(0, &["link", "bulk", &bulk]);
    desk.expect(0, &["sync", "ad", "hr"]);
    assert_eq!(state(&desk, "corp:a2"), "connected: hr:u3");
    assert_eq!(state(&desk, "corp:a3"), "connected: hr:u1");
    assert_eq!(state(&desk, "corp:a5"), "nobody's: nobody");
    let answer = explained(&desk, "corp:a2");
    assert_eq!(
        [&answer["basis"], &answer["decision"]["why"]],
        ["attested", "asked him"]
    );

    desk.write(
        "ad/accounts.csv",
        Desk::ACCOUNTS.replace(
            "a2,bob,,bob@x.org,2012-01-02",
            "a2,Zoe,,zoe@x.org,2024-01-02",
        ),
    );
    desk.expect(0, &["sync", "ad"]);
    let another = explained(&desk, "corp:a2");
    assert_eq!(another["state"], "possibly connected");
    assert_eq!(another["doubt"], "this id may have been reused");
    assert!(
        another["remarks"][0].as_str().unwrap().contains("reused"),
        "{another}"
    );
    desk.write("ad/accounts.csv", Desk::ACCOUNTS);
    desk.expect(0, &["sync", "ad"]);

    desk.expect(0, &["link", "undo", "1", "--why", "it was the other Bob"]);
    assert_eq!(state(&desk, "corp:a2"), "ambiguous: nobody");
    desk.trouble(2, &["link", "undo", "1", "--why", "again"], "can be undone");
    desk.trouble(
        2,
        &["link", "corp:a2", "u9", "--why", "x"],
        "no identity `u9`",
    );
    desk.trouble(
        2,
        &["link", "corp:zz", "u1", "--why", "x"],
        "no account `corp:zz`",
    );
    desk.trouble(2, &["link", "corp:a2", "u1", "--why", " "], "is no reason");
    desk.trouble(2, &["link", "corp:a2", "u1"], "--why");
    let told = desk.lines(0, &["link", "list", "--decided"]);
    assert_eq!(told.len(), 4);
    assert_eq!(told[0]["undoes"], 1);
    desk.expect(0, &["store", "check"]);
}

#[test]
fn a_source_has_rules_of_its_own_and_an_error_has_its_place() {
    let desk = Desk::linked();
    let rules = desk.write(
        "rules.toml",
        r#"
        [[rule]]
        name = "badge"
        confidence = "certain"
        compare = "exact"
        account = { column = "attributes.badge", prefix = "N" }
        identity = "attributes.employee_number"
        sources = ["hr"]
    "#,
    );
    desk.expect(0, &["link", "rules", "ad", "--set", &rules]);
    assert_eq!(state(&desk, "corp:a4"), "connected: hr:u2");
    assert_eq!(state(&desk, "corp:a1"), "not connected: nobody");
    desk.expect(0, &["link", "rules", "ad", "--default"]);
    assert_eq!(state(&desk, "corp:a1"), "connected: hr:u1");
    let wrong = desk.write(
        "wrong.toml",
        "[[rule]]\nname = \"a\"\naccount = \"logon\"\n",
    );
    let said = desk.trouble(2, &["link", "rules", "ad", "--set", &wrong], "`logon`");
    assert!(said.contains("line 3, column 11"), "{said}");
}

#[test]
fn connected_accounts_are_listed_with_rule_and_basis_and_those_of_one_person_too() {
    let desk = Desk::linked();
    desk.write(
        "vendors/identities.csv",
        "id,kind,display_name,status\nv1,person,Ann Smith,active\n",
    );
    let folder = desk.room.path("vendors").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "vendors"]);
    desk.expect(0, &["link", "corp:a3", "vendors:v1", "--why", "asked her"]);
    desk.expect(
        0,
        &["link", "same", "hr:u1", "vendors:v1", "--why", "hired"],
    );
    let told = |more: &[&str]| -> Vec<String> {
        let rows = desk.lines(0, &[&["link", "list"], more].concat());
        let text = |row: &Value, column: &str| row[column].as_str().unwrap_or("-").to_owned();
        let columns = ["account", "identity", "rule", "confidence", "basis"];
        rows.iter()
            .map(|row| columns.map(|column| text(row, column)).join(" "))
            .collect()
    };
    let system = "corp:a1 hr:u1 identity id certain observed";
    let decided = "corp:a3 vendors:v1 decision - attested";
    assert_eq!(told(&["--connected"]), [system, decided]);
    for record in ["hr:u1", "vendors:v1", "v1"] {
        assert_eq!(told(&["--of", record]), [system, decided], "{record}");
    }
    // Two people have the mail: it may be of either.
    assert_eq!(told(&["--of", "u2"]), told(&["--ambiguous"]));
    assert_eq!(told(&["--of", "u2", "--connected"]).len(), 0);
    desk.trouble(2, &["link", "list", "--of", "nobody"], "no identity");
    // The list of identities says which records are one person.
    let rows = desk.lines(0, &["identities"]);
    let persons: Vec<(&Value, &Value)> = rows.iter().map(|r| (&r["id"], &r["person"])).collect();
    let first = serde_json::json!("hr:u1");
    let of = |id: &str| persons.iter().find(|(i, _)| *i == id).unwrap().1;
    assert_eq!(
        (of("u1"), of("v1"), of("u2")),
        (&first, &first, &Value::Null)
    );
    let text = desk.expect(0, &["identities"]);
    assert!(text.lines().next().unwrap().ends_with("person"), "{text}");
}

#[test]
fn an_account_stays_with_whoever_left_until_somebody_knows_better() {
    let desk = Desk::new();
    let people =
        "id,kind,display_name,email,start_date\nu1,person,Ann Smith,a.smith@x.org,2010-01-01\n";
    desk.write(
        "hr/identities.csv",
        format!("{people}u2,person,Bob,bob@x.org,2010-01-01\n"),
    );
    desk.write(
        "ad/accounts.csv",
        "system,id,email,created_at\ncorp,a1,a.smith@x.org,2011-01-01\ncorp,a2,a.smith@x.org,2099-01-01\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    assert_eq!(state(&desk, "corp:a1"), "connected: hr:u1");
    assert_eq!(explained(&desk, "corp:a1")["basis"], "assumed");

    let gone = people.lines().next().unwrap();
    desk.write(
        "hr/identities.csv",
        format!("{gone}\nu2,person,Bob,bob@x.org,2010-01-01\n"),
    );
    desk.expect(0, &["sync", "hr"]);
    assert_eq!(
        state(&desk, "corp:a1"),
        "of somebody who is not listed: hr:u1"
    );

    desk.write(
        "hr/identities.csv",
        format!("{gone}\nu2,person,Bob,bob@x.org,2010-01-01\nu3,person,Al Smith,a.smith@x.org,2026-01-01\n"),
    );
    desk.expect(0, &["sync", "hr"]);
    let answer = explained(&desk, "corp:a1");
    assert_eq!(answer["state"], "possibly connected");
    assert_eq!(answer["doubt"], "somebody else had the same value before");
    assert_eq!(answer["candidates"], serde_json::json!(["hr:u3", "hr:u1"]));
    assert_eq!(
        state(&desk, "corp:a2"),
        "connected: hr:u3",
        "made when the other had the mail no more"
    );
    desk.expect(0, &["store", "check"]);
    desk.expect(0, &["link", "corp:a1", "hr:u3", "--why", "asked him"]);
    assert_eq!(state(&desk, "corp:a1"), "connected: hr:u3");
}

/// A small roster and a directory twenty times its size, with one mail host for both.
fn estate(desk: &Desk, host: &str) {
    let people: String = (0..30)
        .map(|n| format!("p{n},person,Person {n},p{n}@{host}\n"))
        .collect();
    let accounts: String = (0..600)
        .map(|n| format!("corp,a{n},Account {n},p{}@{host}\n", n % 40))
        .collect();
    desk.write(
        "hr/identities.csv",
        format!("id,kind,display_name,email\n{people}"),
    );
    desk.write(
        "ad/accounts.csv",
        format!("system,id,name,email\n{accounts}"),
    );
}

/// How every account stands after both sources are read in these syncs.
fn links_after(syncs: &[&[&str]]) -> Vec<Value> {
    let desk = Desk::new();
    estate(&desk, "old.example");
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    estate(&desk, "new.example");
    for names in syncs {
        let words: Vec<&str> = ["sync"].into_iter().chain(names.iter().copied()).collect();
        desk.expect(0, &words);
    }
    desk.expect(0, &["store", "check"]);
    let mut rows: Vec<Value> = (0..600)
        .step_by(150)
        .map(|n| explained(&desk, &format!("corp:a{n}")))
        .collect();
    for row in &mut rows {
        // They name the moment of each read.
        row.as_object_mut().unwrap().remove("remarks");
    }
    rows.extend(desk.lines(0, &["link", "list"]));
    rows.extend(desk.lines(0, &["link", "list", "--unmatched"]));
    rows
}

#[test]
fn a_small_and_a_large_source_whose_mails_all_change_are_linked_alike_at_once_and_one_by_one() {
    let together = links_after(&[&["hr", "ad"]]);
    assert_eq!(together[0]["state"], "connected");
    assert_eq!(together[0]["identity"], "hr:p0");
    assert_eq!(together, links_after(&[&["hr"], &["ad"]]));
    assert_eq!(together, links_after(&[&["ad"], &["hr"]]));
}

#[test]
fn whoever_is_renamed_keeps_accounts_that_the_old_mail_led_to() {
    let desk = Desk::new();
    let header = "id,kind,display_name,email,start_date\n";
    let people = |rows: &str| desk.write("hr/identities.csv", format!("{header}{rows}"));
    people("7,person,Carl Voss,c.voss@x.org,2010-01-01\n");
    desk.write(
        "ad/accounts.csv",
        "system,id,email,created_at,enabled,local_sign_in\ncorp,cv,c.voss@x.org,2016-01-01,true,true\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    people("7,person,Carl Adler,c.adler@x.org,2010-01-01\n");
    desk.expect(0, &["sync", "hr"]);
    let answer = explained(&desk, "corp:cv");
    assert_eq!(answer["state"], "connected");
    assert_eq!(answer["identity"], "hr:7");
    let remarks = answer["remarks"].to_string();
    assert!(remarks.contains("had such a value before"), "{remarks}");

    people(
        "7,person,Carl Adler,c.adler@x.org,2010-01-01\n9,person,Cyd Voss,c.voss@x.org,2026-11-01\n",
    );
    desk.expect(0, &["sync", "hr"]);
    let answer = explained(&desk, "corp:cv");
    assert_eq!(answer["state"], "possibly connected");
    assert_eq!(answer["candidates"], serde_json::json!(["hr:9", "hr:7"]));
    for leaver in ["7", "9"] {
        let line = desk.lines(1, &["rehearse", "leaver", "--identity", leaver]);
        assert_eq!(line[0]["verdict"], "indeterminate", "{line:?}");
        let missing = line[0]["missing_facts"].to_string();
        assert!(
            missing.contains("account `corp:cv` could be of"),
            "{missing}"
        );
    }

    people(
        "7,person,Nora Klein,nora@x.org,2026-10-01\n9,person,Cyd Voss,c.voss@x.org,2026-11-01\n",
    );
    desk.expect(0, &["sync", "hr"]);
    assert_eq!(explained(&desk, "corp:cv")["state"], "possibly connected");
    people("7,person,Nora Klein,nora@x.org,2026-10-01\n");
    desk.expect(0, &["sync", "hr", "--accept-removals"]);
    assert_eq!(
        explained(&desk, "corp:cv")["state"],
        "of somebody who is not listed"
    );
    desk.expect(0, &["store", "check"]);
}

#[test]
fn an_account_whose_own_mail_is_cleared_or_changed_lets_nobody_pass() {
    let desk = Desk::new();
    desk.write(
        "hr/identities.csv",
        "id,kind,email\nu1,person,ann@x.org\nu2,person,bob@x.org\n",
    );
    let accounts = |mail: &str, used: &str| {
        desk.write(
            "ad/accounts.csv",
            format!(
                "system,id,email,last_used_at,created_at,enabled,local_sign_in\n\
                 corp,a1,{mail},{used},2020-01-01,true,true\n"
            ),
        )
    };
    accounts("ann@x.org", "2026-01-01");
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    for (mail, used) in [
        ("ann@x.org", "2026-01-02"),
        ("", "2026-01-03"),
        ("", "2026-01-04"),
    ] {
        accounts(mail, used);
        desk.expect(0, &["sync", "ad"]);
    }
    let answer = explained(&desk, "corp:a1");
    assert_eq!(answer["state"], "connected");
    assert_eq!(answer["identity"], "hr:u1");
    assert_eq!(answer["rule"], "mail (earlier value)");
    assert_eq!(answer["confidence"], Value::Null);
    assert_eq!(answer["basis"], "assumed");
    let told = desk.expect(0, &["link", "explain", "corp:a1"]);
    assert!(
        told.contains("by the rule `mail (earlier value)` (assumed)"),
        "{told}"
    );
    let said = answer.to_string();
    assert!(said.contains("the account had email `ann@x.org`"), "{said}");
    assert!(said.contains("is email `ann@x.org` (until 20"), "{said}");
    let verdict = |leaver: &str, expected: &str| {
        let line = desk.lines(1, &["rehearse", "leaver", "--identity", leaver]);
        assert_eq!(line[0]["verdict"], expected, "{line:?}");
        line[0].to_string()
    };
    let line = verdict("u1", "indeterminate");
    assert!(
        line.contains("whose account `corp:a1` is only follows"),
        "{line}"
    );
    // At a moment before, the value was there.
    let then = desk.lines(0, &["link", "list", "--connected", "--as-of", "3"]);
    assert_eq!(then[0]["rule"], "mail");

    accounts("bob@x.org", "2026-01-05");
    desk.expect(0, &["sync", "ad"]);
    let answer = explained(&desk, "corp:a1");
    assert_eq!(answer["state"], "possibly connected");
    assert_eq!(answer["candidates"], serde_json::json!(["hr:u2", "hr:u1"]));
    assert_eq!(
        answer["doubt"],
        "the account had values of somebody else before"
    );
    for leaver in ["u1", "u2"] {
        let line = verdict(leaver, "indeterminate");
        assert!(line.contains("account `corp:a1` could be of"), "{line}");
    }
    // What retention would delete is what says so.
    desk.expect(
        0,
        &["retention", "set", "--kind", "account", "--syncs", "1"],
    );
    desk.expect(0, &["retention", "run"]);
    assert_eq!(state(&desk, "corp:a1"), "possibly connected: nobody");
    desk.expect(0, &["store", "check"]);
    desk.expect(0, &["link", "corp:a1", "hr:u2", "--why", "asked him"]);
    assert_eq!(state(&desk, "corp:a1"), "connected: hr:u2");
    desk.expect(0, &["store", "check"]);
}

#[test]
fn an_account_can_be_decided_for_the_one_who_left() {
    let desk = Desk::linked();
    let gone = Desk::PEOPLE.replace("u1,person,Ann Smith,ann.smith@x.org,2010-01-01,100\n", "");
    desk.write("hr/identities.csv", gone);
    desk.expect(0, &["sync", "hr", "--accept-removals"]);
    let theirs = "of somebody who is not listed: hr:u1";
    assert_eq!(state(&desk, "corp:a1"), theirs);
    assert_eq!(state(&desk, "corp:a5"), "not connected: nobody");
    desk.expect(0, &["link", "corp:a5", "hr:u1", "--why", "it was hers"]);
    let bulk = desk.write("left.csv", "account,identity,why\ncorp:a3,u1,hers too\n");
    desk.expect(0, &["link", "bulk", &bulk]);
    for account in ["corp:a3", "corp:a5"] {
        assert_eq!(state(&desk, account), theirs);
    }
    let listed = desk.lines(0, &["link", "list", "--of", "hr:u1"]);
    let names: Vec<&Value> = listed.iter().map(|row| &row["account"]).collect();
    assert_eq!(names, ["corp:a1", "corp:a3", "corp:a5"]);
    let asked = ["rehearse", "leaver", "--identity", "hr:u1", "--json"];
    let (_, answer, said) = desk.run(&asked);
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(answer["verdict"], "indeterminate", "{answer}");
    let missing = answer["missing_facts"].to_string();
    for part in [
        "`hr:u1` is in no source",
        "`corp:a1` is of `hr:u1`",
        "`corp:a5`",
    ] {
        assert!(missing.contains(part), "{part}: {missing}");
    }
    desk.trouble(
        2,
        &["link", "corp:a5", "hr:u9", "--why", "x"],
        "no identity",
    );
    desk.expect(0, &["store", "check"]);
}

#[test]
fn removing_a_source_names_accounts_that_only_its_past_tells_of() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", "id,kind,email\nu1,person,ann@x.org\n");
    for (mail, command) in [("ann@x.org", "import"), ("", "sync")] {
        desk.write(
            "ad/accounts.csv",
            format!("system,id,email\ncorp,a1,{mail}\ncorp,a2,\n"),
        );
        for source in ["hr", "ad"] {
            let folder = desk.room.path(source).display().to_string();
            match command {
                "import" => desk.expect(0, &["import", &folder, "--as", source]),
                _ => desk.expect(0, &["sync", source]),
            };
        }
    }
    assert_eq!(state(&desk, "corp:a1"), "connected: hr:u1");
    let (status, _, told) = desk.run(&["source", "remove", "ad"]);
    assert_eq!(status, 0, "{told}");
    assert!(
        told.contains("of 1 account only what ad had said before"),
        "{told}"
    );
    assert!(told.contains("corp:a1; without it"), "{told}");
    let folder = desk.room.path("ad").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    assert_eq!(state(&desk, "corp:a1"), "connected: hr:u1", "it goes on");
    desk.expect(0, &["source", "remove", "ad"]);
    let (_, _, told) = desk.run(&["source", "remove", "hr"]);
    assert!(!told.contains("had said before"), "{told}");
}

#[test]
fn two_records_stay_one_person_when_the_source_between_them_is_removed() {
    let desk = Desk::new();
    for (source, rows) in [
        ("hr", "u1,person,Ann\nu2,person,Bob\n"),
        ("vendors", "v1,person,Ann\nv9,vendor,Acme\n"),
        ("lab", "w1,person,Ann\n"),
    ] {
        let text = format!("id,kind,display_name\n{rows}");
        let file = desk.write(&format!("{source}/identities.csv"), text);
        let folder = file.rsplit_once('/').unwrap().0;
        desk.expect(0, &["import", folder, "--as", source]);
    }
    let of_a_kind = "of the kind person and `vendors:v9` of the kind vendor";
    let refused = ["link", "same", "hr:u2", "vendors:v9", "--why", "x"];
    desk.trouble(2, &refused, of_a_kind);
    for (a, b) in [("hr:u1", "vendors:v1"), ("vendors:v1", "lab:w1")] {
        desk.expect(0, &["link", "same", a, b, "--why", "asked her"]);
    }
    let accounts = "system,id,identity_id,enabled,local_sign_in\ncorp,a1,lab:w1,true,true\n";
    let file = desk.write("ad/accounts.csv", accounts);
    let folder = file.rsplit_once('/').unwrap().0;
    desk.expect(0, &["import", folder, "--as", "ad"]);
    let fails = || {
        for who in ["hr:u1", "lab:w1"] {
            let line = &desk.lines(1, &["rehearse", "leaver", "--identity", who])[0];
            assert_eq!(line["verdict"], "fail", "{who}: {line}");
        }
    };
    fails();
    desk.expect(0, &["source", "remove", "vendors"]);
    fails();
    desk.expect(0, &["store", "check"]);
}

#[test]
fn a_decision_is_doubted_once_the_system_names_somebody_else() {
    let desk = Desk::linked();
    desk.expect(0, &["link", "none", "corp:a5", "--why", "a backup job"]);
    assert_eq!(state(&desk, "corp:a5"), "nobody's: nobody");
    let accounts = Desk::ACCOUNTS.replace(
        "corp,a5,backup,,,2009-01-01,",
        "corp,a5,backup,u2,,2009-01-01,",
    );
    desk.write("ad/accounts.csv", accounts);
    desk.expect(0, &["sync", "ad"]);
    let answer = explained(&desk, "corp:a5");
    assert_eq!(answer["state"], "possibly connected");
    assert_eq!(answer["candidates"], serde_json::json!(["hr:u2"]));
    let line = desk.lines(1, &["rehearse", "leaver", "--identity", "u2"]);
    assert_eq!(line[0]["verdict"], "indeterminate", "{line:?}");
    desk.expect(0, &["link", "none", "corp:a5", "--why", "asked again"]);
    assert_eq!(state(&desk, "corp:a5"), "nobody's: nobody");
    desk.expect(0, &["store", "check"]);
}
