//! What links do to reach and rehearsals, now, of an earlier sync and of somebody who is gone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

#[test]
fn links_reach_and_rehearsals_of_an_earlier_sync_are_made_of_its_facts() {
    let desk = Desk::new();
    let write = |name: &str, text: &str| desk.write(&format!("all/{name}.csv"), text);
    let people = "id,kind,display_name\nu1,person,Ann\nwl,workload,Payroll\n";
    let accounts = "system,id,identity_id,privileged\ncorp,a1,u1,\ncorp,root,wl,true\n";
    write("identities", people);
    write("accounts", accounts);
    write("entitlements", "system,id,kind\ncorp,g1,group\n");
    write(
        "grants",
        "system,principal_type,principal_id,entitlement_id,assignment\ncorp,account,a1,g1,eligible\n",
    );
    write(
        "controls",
        "system,account_id,principal_type,principal_id,means\n\
         corp,root,entitlement,g1,reset_password\n",
    );
    write(
        "credentials",
        "system,id,kind,account_id,fingerprint\ncorp,k1,password,a1,f\ncorp,k2,password,root,f\n",
    );
    let folder = desk.room.path("all").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "all"]);
    let radius = desk.expect(0, &["reach", "--identity", "u1"]);
    for line in [
        "member of (eligible) entitlement corp:g1 on corp:a1 -> by reset_password account corp:root (of wl, privileged)",
        "own credential: credential corp:k1 -> same secret credential corp:k2 (of wl)",
    ] {
        assert!(radius.contains(line), "{radius}");
    }
    write("identities", &people.replace("u1,person,Ann\n", ""));
    write(
        "accounts",
        &accounts.replace("corp,a1,u1,\n", "corp,a1,,\n"),
    );
    desk.expect(0, &["sync", "all", "--accept-removals"]);
    // The account named her when it did last, and stays with her.
    let gone = desk.expect(0, &["reach", "--identity", "u1"]);
    assert!(gone.contains("Ann is in no source now"), "{gone}");
    assert!(gone.contains("reaches 5 things"), "{gone}");
    fn then<'t>(command: &[&'t str]) -> Vec<&'t str> {
        [command, &["--as-of", "1"]].concat()
    }
    let without_time = |text: String| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("  "));
        lines.map(str::to_owned).collect()
    };
    let again = desk.expect(0, &then(&["reach", "--identity", "u1"]));
    assert_eq!(without_time(again.clone()), without_time(radius));
    assert!(again.contains("after sync 1"), "{again}");
    let left = desk.lines(1, &then(&["rehearse", "leaver", "--identity", "all:u1"]));
    assert_eq!(left[0]["as_of"], 1);
    assert_eq!(left[0]["identity"], "u1");
    assert_eq!(left[0]["residual"].as_array().unwrap().len(), 5, "{left:?}");
    let everyone = desk.lines(0, &then(&["rehearse", "leaver", "--all"]));
    assert_eq!(everyone.len(), 2);
    desk.trouble(
        2,
        &then(&["rehearse", "leaver", "--identity", "u9"]),
        "after sync 1",
    );
    let of = |as_of: &[&str]| {
        let list = ["link", "list", "--connected"];
        let rows = desk.lines(0, &[&list[..], as_of].concat());
        rows.iter()
            .map(|row| row["account"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["corp:root"]);
    assert_eq!(of(&["--as-of", "1"]), ["corp:a1", "corp:root"]);
    let ann = desk.lines(0, &then(&["link", "list", "--of", "u1"]));
    assert_eq!(
        (ann.len(), &ann[0]["account"]),
        (1, &Value::from("corp:a1"))
    );
    let counts = desk.expect(0, &then(&["link", "list"]));
    assert!(counts.contains("2  connected"), "{counts}");
}

#[test]
fn the_reach_of_somebody_who_is_gone_is_that_of_the_accounts_that_stayed() {
    let desk = Desk::linked();
    let left = Desk::PEOPLE.replacen(
        "u1,person,Ann Smith,ann.smith@x.org,2010-01-01,100\n",
        "",
        1,
    );
    desk.write("hr/identities.csv", left);
    desk.write(
        "ad/grants.csv",
        "system,principal_type,principal_id,entitlement_id\ncorp,account,a1,payments\n",
    );
    desk.expect(0, &["sync"]);
    let out = desk.expect(0, &["reach", "--identity", "u1"]);
    assert!(
        out.contains("Ann Smith is in no source now, and left it between"),
        "{out}"
    );
    assert!(out.contains("signs in: account corp:a1"), "{out}");
    let answer = desk.lines(0, &["reach", "--identity", "hr:u1"]).remove(0);
    assert_eq!(answer["from"], "identity hr:u1");
    assert_eq!(answer["gone"]["display_name"], "Ann Smith");
    assert!(answer["gone"]["earliest"].as_str() < answer["gone"]["latest"].as_str());
    let reached: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!(reached, ["a1", "payments"], "{answer}");
    // Of whom nothing stayed, that is said.
    let none = Desk::PEOPLE.replacen("u3,person,Bob Jones,bob@x.org,2015-01-01,300\n", "", 1);
    let none = none.replacen(
        "u1,person,Ann Smith,ann.smith@x.org,2010-01-01,100\n",
        "",
        1,
    );
    desk.write("hr/identities.csv", none);
    desk.expect(0, &["sync", "hr", "--accept-removals"]);
    let out = desk.expect(0, &["reach", "--identity", "u3"]);
    assert!(out.contains("no account that can be told stayed"), "{out}");
    // Whoever is listed is as before, and nobody is somebody who was never there.
    let bob = desk.lines(0, &["reach", "--identity", "u2"]).remove(0);
    assert!(bob.get("gone").is_none(), "{bob}");
    desk.trouble(
        2,
        &["reach", "--identity", "u9"],
        "there is no identity `u9`",
    );
}

#[test]
fn an_account_that_may_be_of_somebody_who_is_gone_is_named_for_them() {
    let desk = Desk::new();
    let people = "id,kind,display_name,email,start_date\n";
    let boss = "h9,person,Ina,ina@b.x,2020-01-01\n";
    let ann = format!("{people}h1,person,Ann,ann@b.x,2020-01-01\n{boss}");
    desk.write("hr/identities.csv", ann);
    desk.write(
        "ad/accounts.csv",
        "system,id,email,enabled\ncorp,u1,ann@b.x,true\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    // The mail of Ann, who left, is somebody else's now.
    let anna = format!("{people}h7,person,Anna,ann@b.x,2026-01-01\n{boss}");
    desk.write("hr/identities.csv", anna);
    desk.expect(0, &["sync", "hr"]);
    for who in ["h1", "h7"] {
        let (_, answer, said) = desk.run(&["rehearse", "leaver", "--identity", who, "--json"]);
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{said}"));
        assert_eq!(answer["verdict"], "indeterminate", "{answer}");
        let missing = answer["missing_facts"].to_string();
        assert!(
            missing.contains("account `corp:u1` could be of"),
            "{missing}"
        );
        let rows = desk.lines(0, &["link", "list", "--of", who]);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["account"], "corp:u1");
        assert_eq!(rows[0]["state"], "possibly connected");
        let radius = desk.lines(0, &["reach", "--identity", who]).remove(0);
        assert_eq!(radius["maybe_accounts"], serde_json::json!(["corp:u1"]));
        assert_eq!(radius["items"], serde_json::json!([]), "{radius}");
    }
    let told = desk.expect(0, &["reach", "--identity", "h1"]);
    assert!(told.contains("account corp:u1 could be theirs"), "{told}");
    assert!(desk.lines(0, &["link", "list", "--of", "h9"]).is_empty());
    // Nobody can own who is not there, and that is said.
    let owner = ["owner", "confirm", "account:corp:u1", "--owner", "h1"];
    desk.trouble(
        2,
        &[&owner[..], &["--role", "business", "--why", "asked"]].concat(),
        "`hr:h1` is in no source now",
    );
    // As of then it was hers alone.
    let then = desk.lines(0, &["link", "list", "--of", "h1", "--as-of", "2"]);
    assert_eq!(then[0]["state"], "connected", "{then:?}");
    let now = desk.lines(0, &["link", "list", "--of", "h1", "--as-of", "3"]);
    assert_eq!(now[0]["state"], "possibly connected", "{now:?}");
}

#[test]
fn what_only_a_likely_rule_makes_somebodys_fails_nobody() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", "id,kind,email\nu1,person,ann@x.org\n");
    desk.write(
        "ad/accounts.csv",
        "system,id,email,enabled,local_sign_in\ncorp,a1,ann@x.org,true,true\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let verdict = |expected: &str| {
        let (_, answer, _) = desk.run(&["rehearse", "leaver", "--identity", "u1", "--json"]);
        let line: Value = serde_json::from_str(answer.lines().next().unwrap()).unwrap();
        assert_eq!(line["verdict"], expected, "{line}");
        line
    };
    let line = verdict("indeterminate");
    assert_eq!(line["residual"][0]["basis"], "assumed", "{line}");
    let missing = line["missing_facts"].to_string();
    assert!(
        missing.contains("whose account `corp:a1` is only follows"),
        "{missing}"
    );

    let rules = desk.write(
        "rules.toml",
        "[[rule]]\nname = \"mail\"\nconfidence = \"certain\"\naccount = \"email\"\nidentity = \"email\"\n",
    );
    desk.expect(0, &["link", "rules", "ad", "--set", &rules]);
    assert_eq!(verdict("fail")["residual"][0]["basis"], "attested");
    desk.expect(0, &["link", "rules", "ad", "--default"]);
    verdict("indeterminate");
    desk.expect(0, &["link", "corp:a1", "hr:u1", "--why", "asked her"]);
    verdict("fail");

    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let table = desk.in_package(&package, "links/links.csv");
    assert_eq!(
        table.lines().nth(1).unwrap(),
        "corp,a1,ad,connected,hr:u1,decision,,attested,,,false"
    );
}

#[test]
fn a_person_with_two_records_is_one_leaver_with_all_accounts() {
    let desk = Desk::linked();
    desk.write(
        "vendors/identities.csv",
        "id,kind,display_name,employee_number\nv9,person,A. Smith,100\nv8,person,Cy,900\n",
    );
    desk.write("crm/accounts.csv", "system,id,identity_id\ncrm,c1,v9\n");
    for source in ["vendors", "crm"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let rules = desk.write(
        "persons.toml",
        "precedence = [\"hr\"]\n[[rule]]\nname = \"number\"\nrecord = \"attributes.employee_number\"\n",
    );
    desk.expect(0, &["link", "rules", "--persons", "--set", &rules]);
    let persons = desk.lines(0, &["link", "persons"]);
    assert_eq!(persons.len(), 1);
    assert_eq!(persons[0]["records"][0]["record"], "hr:u1");
    assert_eq!(persons[0]["records"][1]["record"], "vendors:v9");
    let leaver = |identity: &str| {
        let arguments = ["rehearse", "leaver", "--identity", identity, "--json"];
        let answer: Value = serde_json::from_str(&desk.expect(1, &arguments)).unwrap();
        let items = answer["residual"].as_array().unwrap().clone();
        let items: Vec<String> = items
            .iter()
            .map(|item| {
                format!(
                    "{}:{}",
                    item["system"].as_str().unwrap(),
                    item["id"].as_str().unwrap()
                )
            })
            .collect();
        (answer["identity"].as_str().unwrap().to_owned(), items)
    };
    let both = (
        "u1".to_owned(),
        vec!["corp:a1".to_owned(), "crm:c1".to_owned()],
    );
    assert_eq!(leaver("u1"), both);
    assert_eq!(leaver("vendors:v9"), both);
    desk.expect(
        0,
        &["link", "apart", "hr:u1", "vendors:v9", "--why", "two Anns"],
    );
    assert_eq!(leaver("vendors:v9").1, ["crm:c1"]);
    assert_eq!(desk.lines(0, &["link", "persons"]).len(), 0);
    desk.expect(0, &["link", "undo", "1", "--why", "one after all"]);
    assert_eq!(leaver("hr:u1"), both);
}

#[test]
fn what_no_source_reads_is_not_reached_by_nobody_but_not_known() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", "id,kind\nu1,person\n");
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "hr"]);
    let radius = desk.expect(0, &["reach", "--identity", "u1"]);
    for line in [
        "identity u1 reaches 0 things at ",
        ", as far as was read\n",
        "not known: no source reads accounts\n",
        "not known: no source reads credentials\n",
        "not known: no source reads locations\n",
    ] {
        assert!(radius.contains(line), "{line}{radius}");
    }
    let radius = desk.lines(0, &["reach", "--identity", "u1"]).remove(0);
    let unread = radius["unread"].as_array().unwrap();
    assert!(
        unread.contains(&"no source reads accounts".into()),
        "{radius}"
    );
}
