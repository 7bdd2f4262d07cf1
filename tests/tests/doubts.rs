//! Who could be somebody else as well: what rehearsals say of it, and what settles it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

/// What is missing for a rehearsal of somebody.
fn missing(desk: &Desk, who: &str) -> String {
    let (_, out, err) = desk.run(&["rehearse", "leaver", "--identity", who, "--json"]);
    let line: Value = serde_json::from_str(out.lines().next().unwrap_or(&err)).unwrap();
    assert_eq!(line["verdict"], "indeterminate", "{who}: {line}");
    line["missing_facts"].to_string()
}

fn brought(desk: &Desk, source: &str, file: &str, text: &str) {
    brought_with(desk, source, file, text, "hold_above=100");
}

fn brought_with(desk: &Desk, source: &str, file: &str, text: &str, setting: &str) {
    desk.write(&format!("{source}/{file}.csv"), text);
    let folder = desk.room.path(source).display().to_string();
    let all = ["import", &folder, "--as", source, "--set", setting];
    desk.expect(0, &all);
}

#[test]
fn whoever_is_numbered_anew_could_have_the_account_that_stayed_with_the_old_number() {
    let desk = Desk::new();
    brought(
        &desk,
        "hr",
        "identities",
        "id,kind,email\nu1,person,ann@x.org\nu2,person,\n",
    );
    brought(
        &desk,
        "ad",
        "accounts",
        "system,id,identity_id,email\ncorp,a1,u1,ann@x.org\n",
    );
    brought(
        &desk,
        "hr",
        "identities",
        "id,kind,email\nn1,person,ann@x.org\nu2,person,\n",
    );
    let told = "account `corp:a1` could be of `n1` as well as of another";
    assert!(
        missing(&desk, "n1").contains(told),
        "{}",
        missing(&desk, "n1")
    );
    assert!(!missing(&desk, "u2").contains("corp:a1"));
    desk.expect(
        0,
        &[
            "link",
            "corp:a1",
            "hr:u1",
            "--why",
            "she left; n1 is her niece",
        ],
    );
    assert!(!missing(&desk, "n1").contains(told));
}

#[test]
fn a_joined_person_is_called_by_any_name_and_a_join_is_open_once_an_id_is_given_on() {
    let desk = Desk::new();
    let rows = "id,kind,display_name,start_date\n";
    brought(
        &desk,
        "hr",
        "identities",
        &format!("{rows}u1,person,Ann Adams,2020-01-01\n"),
    );
    let vendors = format!("{rows}v1,person,Ann Baker,2020-01-01\n");
    brought(&desk, "vendors", "identities", &vendors);
    brought(
        &desk,
        "ad",
        "accounts",
        "system,id,name\ncorp,x1,Ann Baker\n",
    );
    desk.expect(
        0,
        &[
            "link",
            "same",
            "hr:u1",
            "vendors:v1",
            "--why",
            "she married",
        ],
    );
    let alike = "account `corp:x1` is called like";
    assert!(
        missing(&desk, "hr:u1").contains(alike),
        "{}",
        missing(&desk, "hr:u1")
    );
    let open = "could be one person with";
    assert!(!missing(&desk, "hr:u1").contains(open));
    let vendors = format!("{rows}v1,person,Zoe Zimmer,2026-05-01\n");
    brought(&desk, "vendors", "identities", &vendors);
    for who in ["hr:u1", "vendors:v1"] {
        assert!(
            missing(&desk, who).contains(open),
            "{}",
            missing(&desk, who)
        );
    }
    desk.expect(
        0,
        &[
            "link",
            "apart",
            "hr:u1",
            "vendors:v1",
            "--why",
            "Zoe is new",
        ],
    );
    assert!(!missing(&desk, "hr:u1").contains(open));
}

#[test]
fn retention_keeps_what_a_doubt_about_persons_rests_on() {
    let desk = Desk::new();
    let people = |number: &str| format!("id,kind,empno\nu1,person,{number}\n");
    brought(&desk, "hr", "identities", &people("7"));
    brought(
        &desk,
        "vendors",
        "identities",
        "id,kind,empno\nv1,person,7\n",
    );
    let rules = "[[rule]]\nname = \"number\"\nrecord = \"attributes.empno\"\n";
    let rules = desk.write("persons.toml", rules);
    desk.expect(0, &["link", "rules", "--persons", "--set", &rules]);
    brought(&desk, "hr", "identities", &people(""));
    let open = "could be one person with";
    assert!(
        missing(&desk, "hr:u1").contains(open),
        "{}",
        missing(&desk, "hr:u1")
    );
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    desk.expect(0, &["retention", "run"]);
    assert!(
        missing(&desk, "hr:u1").contains(open),
        "{}",
        missing(&desk, "hr:u1")
    );
}

#[test]
fn a_record_that_left_names_its_person_whose_other_record_is_listed() {
    let desk = Desk::new();
    let roster = |id: &str| format!("id,kind\n{id},person\n");
    brought(&desk, "hr", "identities", &(roster("u1") + "u2,person\n"));
    brought(&desk, "vendors", "identities", &roster("v1"));
    let accounts = "system,id,identity_id\ncorp,a1,hr:u1\n";
    brought(&desk, "ad", "accounts", accounts);
    let same = ["link", "same", "hr:u1", "vendors:v1", "--why", "hired"];
    desk.expect(0, &same);
    brought(&desk, "hr", "identities", &roster("u2"));
    for who in ["u1", "hr:u1", "v1"] {
        let told = missing(&desk, who);
        assert!(!told.contains("is in no source"), "{who}: {told}");
        let reach = desk.run(&["reach", "--identity", who, "--json"]).1;
        assert!(reach.contains("a1"), "{who}: {reach}");
    }
    desk.expect(0, &["source", "remove", "hr"]);
    let reach = desk.run(&["reach", "--identity", "v1", "--json"]).1;
    assert!(reach.contains("a1"), "{reach}");
}

#[test]
fn a_mail_that_left_with_one_record_leaves_the_other_in_doubt_and_says_what_settles_it() {
    let desk = Desk::new();
    let roster = |id: &str| format!("id,kind,email\n{id},person,ann@x.org\n");
    brought(&desk, "hr", "identities", &(roster("u1") + "u2,person,\n"));
    brought(&desk, "vendors", "identities", &roster("v1"));
    let rules = "[[rule]]\nname = \"mail\"\nrecord = \"email\"\n";
    let rules = desk.write("persons.toml", rules);
    desk.expect(0, &["link", "rules", "--persons", "--set", &rules]);
    brought(&desk, "hr", "identities", "id,kind,email\nu2,person,\n");
    let open = "`vendors:v1` could be one person with `hr:u1`";
    assert!(
        missing(&desk, "v1").contains(open),
        "{}",
        missing(&desk, "v1")
    );
    let (_, told, _) = desk.run(&["rehearse", "leaver", "--identity", "v1"]);
    assert!(told.contains("lastkey link apart A B"), "{told}");
    let same = ["link", "same", "hr:u1", "vendors:v1", "--why", "hired"];
    desk.expect(0, &same);
    assert!(!missing(&desk, "v1").contains("could be one person"));
}

/// A second list of a system's accounts tells what the first leaves empty, and vouches for nothing.
#[test]
fn a_supplement_tells_what_the_own_source_leaves_empty_and_vouches_for_nothing() {
    let desk = Desk::new();
    brought(&desk, "hr", "identities", "id,kind\nu1,person\nu2,person\n");
    desk.write(
        "corp/accounts.csv",
        "system,id,identity_id\nad,a1,\nad,a2,u2\n",
    );
    desk.nothing_else("corp");
    let folder = desk.room.path("corp").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "corp"]);
    desk.write(
        "plan.toml",
        "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_account\"\nwithin = \"30d\"\n",
    );
    let plan = desk.room.path("plan.toml").display().to_string();
    desk.expect(0, &["plan", "load", &plan]);
    let verdict = |who: &str| {
        let (_, out, err) = desk.run(&["rehearse", "leaver", "--identity", who, "--json"]);
        let line: Value = serde_json::from_str(out.lines().next().unwrap_or(&err)).unwrap();
        (
            line["verdict"].clone(),
            line["residual"].to_string(),
            line["missing_facts"].to_string(),
        )
    };
    assert_eq!(verdict("u1").0, "pass", "{:?}", verdict("u1"));
    brought_with(
        &desk,
        "more",
        "accounts",
        "system,id,identity_id\nad,a1,u1\nvpn,v1,u2\n",
        "supplement=true",
    );
    let (said, left, _) = verdict("u1");
    assert_ne!(said, "pass", "the supplement says whose it is");
    assert!(left.contains("\"id\":\"a1\""), "{left}");
    let (_, _, missing) = verdict("u2");
    assert!(
        missing.contains("only supplements read accounts of `vpn`"),
        "{missing}"
    );
    assert!(
        missing.contains("no source reads grants of `vpn`"),
        "{missing}"
    );
    // What was read already counts by the setting of now.
    let folder = desk.room.path("corp").display().to_string();
    let switched = [
        "import",
        &folder,
        "--as",
        "corp",
        "--set",
        "supplement=true",
    ];
    desk.expect(0, &switched);
    let (_, _, missing) = verdict("u2");
    for part in [
        "only supplements read locations",
        "only supplements read accounts of `ad`",
    ] {
        assert!(missing.contains(part), "{part}: {missing}");
    }
}

/// A roster that writes `E-001` where the directory writes `e001 ` is no reason to pass anybody.
#[test]
fn an_account_that_names_somebody_in_another_writing_is_in_doubt() {
    let desk = Desk::new();
    let people = "id,kind\nE-001,person\nE-002,person\n";
    brought(&desk, "hr", "identities", people);
    let accounts = "system,id,identity_id\ncorp,a1,e001\ncorp,a2,E-002\ncorp,a3,nobody\n";
    brought(&desk, "ad", "accounts", accounts);
    let told = "account `corp:a1` names an identity nearly as `E-001`, and nobody has that id";
    assert!(
        missing(&desk, "E-001").contains(told),
        "{}",
        missing(&desk, "E-001")
    );
    assert!(!missing(&desk, "E-002").contains("nearly"));
    desk.expect(0, &["link", "corp:a1", "E-001", "--why", "the same number"]);
    assert!(!missing(&desk, "E-001").contains("nearly"));
}

/// Two lists that name two people for one account: whoever decides has decided.
#[test]
fn a_decision_settles_an_account_of_which_two_sources_tell() {
    let desk = Desk::new();
    brought(&desk, "hr", "identities", "id,kind\nu1,person\nu2,person\n");
    brought(
        &desk,
        "ad",
        "accounts",
        "system,id,identity_id\ncorp,a1,u1\n",
    );
    let more = "system,id,identity_id\ncorp,a1,u2\n";
    brought_with(&desk, "more", "accounts", more, "supplement=true");
    let told = "account `corp:a1` could be of `u2` as well as of another";
    assert!(missing(&desk, "u2").contains(told));
    desk.expect(0, &["link", "corp:a1", "u2", "--why", "asked both"]);
    for who in ["u1", "u2"] {
        assert!(!missing(&desk, who).contains("as well as"), "{who}");
    }
}

/// A rehearsal plays a new leaving: of somebody who has left it says so, whatever the verdict.
#[test]
fn whoever_has_left_already_is_said_to_have_left() {
    let desk = Desk::new();
    let people = "id,kind,status\nu1,person,inactive\nu2,person,active\n";
    brought(&desk, "hr", "identities", people);
    brought(
        &desk,
        "ad",
        "accounts",
        "system,id,identity_id\ncorp,a1,u1\n",
    );
    let said = |who: &str| desk.run(&["rehearse", "leaver", "--identity", who]).1;
    let told = "u1 has left already; this plays a new leaving";
    assert!(said("u1").contains(told), "{}", said("u1"));
    assert!(!said("u2").contains("has left already"));
}

fn verdict(desk: &Desk, who: &str) -> String {
    let (_, out, err) = desk.run(&["rehearse", "leaver", "--identity", who, "--json"]);
    let line: Value = serde_json::from_str(out.lines().next().unwrap_or(&err)).unwrap();
    line["verdict"].as_str().unwrap_or(&err).to_owned()
}

/// A store where everything of `ad` is read, and a leaver's account is closed after thirty days.
fn all_read(accounts: &str) -> Desk {
    let desk = Desk::new();
    brought(&desk, "hr", "identities", "id,kind\nu1,person\nu2,person\n");
    desk.nothing_else("corp");
    brought(&desk, "corp", "accounts", accounts);
    let plan = "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_account\"\nwithin = \"30d\"\n";
    let plan = desk.write("plan.toml", plan);
    desk.expect(0, &["plan", "load", &plan]);
    desk
}

/// Whoever an account was said to be of does not pass because the source that said so lists the
/// account no more, and another one does.
#[test]
fn an_account_that_one_source_drops_and_another_lists_stays_whose_it_was() {
    let supplement = |desk: &Desk, accounts: &str| {
        let text = format!("system,id,identity_id\nvpn,v1,u2\n{accounts}");
        let all = "supplement=true";
        desk.write("more/accounts.csv", text);
        let folder = desk.room.path("more").display().to_string();
        let import = [
            "import",
            &folder,
            "--as",
            "more",
            "--set",
            all,
            "--set",
            "hold_above=100",
        ];
        desk.expect(0, &import);
        desk.expect(0, &["store", "check"]);
    };
    let desk = all_read("system,id,identity_id\nad,a1,\nad,a2,u2\n");
    assert_eq!(verdict(&desk, "u1"), "pass");
    supplement(&desk, "ad,a1,u1\n");
    assert_ne!(verdict(&desk, "u1"), "pass");
    // The supplement lists it no more.
    supplement(&desk, "");
    assert_ne!(verdict(&desk, "u1"), "pass");
    let said = desk.expect(0, &["link", "explain", "ad:a1"]);
    assert!(said.contains("earlier value"), "{said}");
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    desk.expect(0, &["retention", "run"]);
    assert_ne!(verdict(&desk, "u1"), "pass");
    // The other way round: the own source lists it no more.
    let desk = all_read("system,id,identity_id\nad,a1,u1\nad,a2,u2\n");
    supplement(&desk, "ad,a1,\n");
    brought(
        &desk,
        "corp",
        "accounts",
        "system,id,identity_id\nad,a2,u2\n",
    );
    desk.expect(0, &["store", "check"]);
    assert_ne!(verdict(&desk, "u1"), "pass");
    // It comes back, and its own system says that it is somebody else's.
    let given = "system,id,identity_id\nad,a1,u2\nad,a2,u2\n";
    brought(&desk, "corp", "accounts", given);
    desk.expect(0, &["store", "check"]);
    let said = desk.expect(0, &["link", "explain", "ad:a1"]);
    assert!(said.contains("u2"), "{said}");
}

/// An account that was made while somebody else was seen to have an id is not its new holder's, however
/// long ago that one began elsewhere.
#[test]
fn an_account_made_while_another_had_the_id_is_not_its_new_holders() {
    let desk =
        all_read("system,id,identity_id,created_at\nad,a1,e1,2024-05-01\nad,a2,e2,2024-05-01\n");
    let roster = |first: &str| {
        let text = format!(
            "id,kind,display_name,start_date\ne1,person,{first}\ne2,person,Bob Stone,2020-02-01\n"
        );
        brought(&desk, "staff", "identities", &text);
    };
    roster("Ann Smith,2023-01-01");
    roster("Cyd Jones,2019-01-01");
    assert_ne!(verdict(&desk, "e1"), "pass");
    let said = desk.expect(0, &["link", "explain", "ad:a1"]);
    assert!(said.contains("reused"), "{said}");
    let said = desk.expect(0, &["link", "explain", "ad:a2"]);
    assert!(!said.contains("reused"), "{said}");
}

/// What is deleted between the removal of a roster and its coming back does not free anybody.
#[test]
fn retention_keeps_whose_accounts_are_while_their_roster_is_away() {
    let desk = Desk::new();
    brought(
        &desk,
        "hr",
        "identities",
        "id,kind,email\nu1,person,ann@x.org\nu2,person,bob@x.org\n",
    );
    brought(
        &desk,
        "ad",
        "accounts",
        "system,id,email\ncorp,a1,ann@x.org\n",
    );
    brought(
        &desk,
        "hr",
        "identities",
        "id,kind,email\nu1,person,a.smith@new.org\nu2,person,bob@x.org\n",
    );
    let whose = || desk.expect(0, &["link", "explain", "corp:a1"]);
    assert!(whose().contains("u1"), "{}", whose());
    desk.expect(0, &["source", "remove", "hr"]);
    for name in ["x1", "x2"] {
        let account = format!("system,id,email,name\ncorp,a1,ann@x.org,{name}\n");
        brought(&desk, "ad", "accounts", &account);
    }
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    desk.expect(0, &["retention", "run"]);
    brought(
        &desk,
        "hr",
        "identities",
        "id,kind,email\nu1,person,a.smith@new.org\nu2,person,bob@x.org\n",
    );
    assert!(whose().contains("u1"), "{}", whose());
}

/// A vault that was tidied up, and names no account of a key any more, frees nobody.
#[test]
fn a_credential_that_named_an_account_before_could_still_be_its() {
    let desk = all_read("system,id,identity_id\nad,a1,u1\nad,a2,u2\n");
    let keys = |rows: &str| {
        let text = format!("system,id,kind,account_id,enabled\n{rows}");
        brought(&desk, "corp", "credentials", &text);
    };
    let told = |who: &str| {
        let (_, out, _) = desk.run(&["rehearse", "leaver", "--identity", who, "--json"]);
        out.contains(&format!("credential `ad:k1` was of an account of `{who}`"))
    };
    keys("ad,k1,api_key,a1,true\nad,k2,api_key,a2,true\n");
    assert!(!told("u1"));
    keys("ad,k1,api_key,,true\nad,k2,api_key,a2,true\n");
    assert!(told("u1"));
    assert!(!told("u2"));
    keys("ad,k1,api_key,,false\nad,k2,api_key,a2,true\n");
    assert!(!told("u1"), "it is closed");
    keys("ad,k1,api_key,,true\nad,k2,api_key,a2,true\n");
    let closed = "system,id,kind,enabled\nad,k1,api_key,false\n";
    brought_with(&desk, "beside", "credentials", closed, "supplement=true");
    assert!(told("u1"), "a supplement closes nothing");
    keys("ad,k1,api_key,a2,true\nad,k2,api_key,a2,true\n");
    assert!(!told("u1"), "it says whose it is");
    // An account that nobody lists is no answer, and neither is that the account has gone.
    keys("ad,k1,api_key,a1,true\nad,k2,api_key,a2,true\n");
    keys("ad,k1,api_key,an,true\nad,k2,api_key,a2,true\n");
    assert!(told("u1"), "a mistyped account");
    let accounts = |rows: &str| {
        let text = format!("system,id,identity_id\n{rows}");
        brought(&desk, "corp", "accounts", &text);
    };
    accounts("ad,a2,u2\n");
    assert!(told("u1"), "the account has gone, and its key works");
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    for name in ["x", "y"] {
        brought(
            &desk,
            "more",
            "identities",
            &format!("id,kind,display_name\nm1,workload,{name}\n"),
        );
    }
    desk.expect(0, &["retention", "run"]);
    assert!(told("u1"), "what says so is kept");
    desk.expect(0, &["store", "check"]);
}
