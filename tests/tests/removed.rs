//! What a source told that was removed, and whom a roster lists no more: neither lets a leaver pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

const PEOPLE: &str = "id,kind,employer_id\nu1,person,\nu2,person,v1\nu3,person,v1\nv1,vendor,\n";

/// A roster and a directory, with every kind there is, and a plan that closes accounts in time.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("hr/identities.csv", PEOPLE);
    desk.nothing_else("corp");
    let accounts = "system,id,identity_id\nad,a1,u1\nad,a2,u2\nad,a3,u3\n";
    desk.write("corp/accounts.csv", accounts);
    desk.write("vpn/accounts.csv", "system,id,identity_id\nvpn,w1,u2\n");
    desk.write(
        "vpn/grants.csv",
        "system,entitlement_id,principal_type,principal_system,principal_id\n",
    );
    desk.write("vpn/credentials.csv", "system,id,kind,account_id\n");
    for source in ["hr", "corp", "vpn"] {
        import(&desk, source);
    }
    let step = |system: &str| {
        format!(
            "[[step]]\non = \"leaver\"\nsystem = \"{system}\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"30m\"\n"
        )
    };
    let plan = desk.write("plan.toml", [step("ad"), step("vpn")].concat());
    desk.expect(0, &["plan", "load", &plan]);
    desk
}

fn import(desk: &Desk, source: &str) {
    let folder = desk.room.path(source).display().to_string();
    let all = ["import", &folder, "--as", source, "--set", "hold_above=100"];
    desk.expect(0, &all);
}

/// What a rehearsal says, and what it misses.
fn rehearsed(desk: &Desk, who: &[&str]) -> (String, String) {
    let all = [&["rehearse", "leaver"], who, &["--json"]].concat();
    let (_, out, err) = desk.run(&all);
    let line: Value = serde_json::from_str(out.lines().next().unwrap_or(&err)).unwrap();
    let verdict = line["verdict"].as_str().unwrap_or(&err).to_owned();
    (verdict, line["missing_facts"].to_string())
}

#[track_caller]
fn check(desk: &Desk, who: &[&str], verdict: &str, misses: &str) {
    let (found, missing) = rehearsed(desk, who);
    assert_eq!(found, verdict, "{who:?}: {missing}");
    assert!(missing.contains(misses), "{who:?}: {missing}");
}

/// The verdict of everybody at once, which goes another way through the graph.
fn at_once(desk: &Desk, who: &str) -> String {
    let (_, out, err) = desk.run(&["rehearse", "leaver", "--all"]);
    let words =
        |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let mut rows = out.lines().map(words);
    let found = rows.find(|row| row.get(1).is_some_and(|one| one == who));
    found
        .unwrap_or_else(|| panic!("{who} in {out}{err}"))
        .remove(0)
}

fn drop_from_roster(desk: &Desk, who: &str) {
    let lines = PEOPLE.lines().filter(|line| !line.starts_with(who));
    desk.write(
        "hr/identities.csv",
        lines.fold(String::new(), |all, line| format!("{all}{line}\n")),
    );
    import(desk, "hr");
}

#[test]
fn a_vendor_does_not_pass_whose_person_the_roster_dropped_and_whose_account_stayed() {
    let desk = desk();
    let vendor = ["--vendor", "v1"];
    check(&desk, &vendor, "pass", "[]");
    drop_from_roster(&desk, "u2");
    let told =
        "account `ad:a2` stayed with `hr:u2`, who worked for `v1` and whom no source lists now";
    check(&desk, &vendor, "indeterminate", told);
    check(&desk, &["--identity", "v1"], "indeterminate", told);
    assert_ne!(at_once(&desk, "v1"), "pass");
    // Whoever has nothing to do with them passes.
    check(&desk, &["--identity", "u1"], "pass", "[]");
    let assertion = "[[assertion]]\nname = \"v\"\nidentity = \"v1\"\nnothing_beyond = \"1d\"\n";
    let file = desk.write("asserted.toml", assertion);
    let report = desk
        .lines(1, &["assertions", "run", "--file", &file])
        .remove(0);
    assert_eq!(report["verdict"], "indeterminate");
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    desk.expect(0, &["retention", "run"]);
    check(&desk, &vendor, "indeterminate", told);
    // Once both accounts are closed there is nothing left.
    let closed = "system,id,identity_id,enabled\nad,a1,u1,\nad,a2,u2,false\nad,a3,u3,\n";
    desk.write("corp/accounts.csv", closed);
    desk.write(
        "vpn/accounts.csv",
        "system,id,identity_id,enabled\nvpn,w1,u2,false\n",
    );
    import(&desk, "corp");
    import(&desk, "vpn");
    check(&desk, &vendor, "pass", "[]");
    desk.expect(0, &["store", "check"]);
}

#[test]
fn an_employer_whom_nobody_lists_may_be_a_third_party() {
    let desk = desk();
    desk.write(
        "hr/identities.csv",
        PEOPLE.replace("u1,person,", "u1,person,v9"),
    );
    import(&desk, "hr");
    let assertion = |within: &str| {
        let text = format!(
            "[[assertion]]\nname = \"t\"\nthird_party = true\nnothing_beyond = \"{within}\"\n"
        );
        desk.write("asserted.toml", text)
    };
    let run = |status: i32, within: &str| {
        let file = assertion(within);
        desk.lines(status, &["assertions", "run", "--file", &file])
            .remove(0)
    };
    let found = run(0, "30m");
    assert_eq!(
        (
            &found["results"][0]["identities"],
            &found["results"][0]["maybe"]
        ),
        (&3.into(), &1.into())
    );
    let found = run(1, "10m");
    assert_eq!(
        found["results"][0]["against"], 7,
        "two of u2, one of u3, those three of v1, and perhaps u1: {found:#}"
    );
}

#[test]
fn a_system_whose_only_source_was_removed_lets_nobody_pass_until_it_is_retired() {
    let who = ["--identity", "u2"];
    let removed = |how: &[&str]| {
        let desk = desk();
        check(&desk, &who, "pass", "[]");
        let (status, out, err) = desk.run(&[&["source", "remove", "vpn"], how].concat());
        assert_eq!(status, 0, "{err}");
        (desk, [out, err].concat())
    };
    let (desk, said) = removed(&[]);
    assert!(said.contains("no other source reads vpn"), "{said}");
    assert!(said.contains("lastkey source retire vpn"), "{said}");
    let told = "accounts of `vpn` only source `vpn` told, which was removed";
    check(&desk, &who, "indeterminate", told);
    assert_ne!(at_once(&desk, "u2"), "pass");
    // Before its removal, which is the fourth sync, it was there.
    check(&desk, &["--identity", "u2", "--as-of", "3"], "pass", "[]");
    desk.trouble(2, &["source", "remove", "vpn"], "vpn");
    desk.trouble(
        2,
        &["source", "remove", "vpn", "--retired"],
        "lastkey source retire vpn",
    );
    desk.expect(0, &["source", "retire", "vpn"]);
    check(&desk, &who, "pass", "[]");
    desk.expect(0, &["source", "retire", "vpn"]);
    desk.trouble(2, &["source", "retire", "never"], "never");
    desk.expect(0, &["store", "check"]);
    // Retired at once; or another source reads it.
    check(&removed(&["--retired"]).0, &who, "pass", "[]");
    let (desk, _) = removed(&[]);
    desk.write("vpn2/x", "");
    let folder = desk.room.path("vpn").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "vpn2"]);
    check(&desk, &who, "pass", "[]");
}

/// What a vendor's exit misses once one file of a folder is another.
fn exit_misses(desk: &Desk, source: &str, file: &str, text: &str, told: &str) {
    desk.write(&format!("{source}/{file}.csv"), text);
    import(desk, source);
    check(desk, &["--vendor", "v1"], "indeterminate", told);
    assert_ne!(at_once(desk, "v1"), "pass");
    desk.expect(0, &["store", "check"]);
}

#[test]
fn whoever_may_still_be_a_vendors_is_named_at_its_exit() {
    // Nobody's employer is told any more: a column without a value says nothing.
    let blank = PEOPLE.replace(",v1\n", ",\n");
    exit_misses(
        &desk(),
        "hr",
        "identities",
        &blank,
        "`u2` may work for `v1`",
    );
    // One is, so that whoever has none has none.
    let desk_of_one = desk();
    desk_of_one.write(
        "hr/identities.csv",
        PEOPLE.replace("u3,person,v1", "u3,person,"),
    );
    import(&desk_of_one, "hr");
    check(&desk_of_one, &["--vendor", "v1"], "pass", "[]");
    // The same in another writing.
    let near = PEOPLE.replace(",v1\n", ",HR:V1\n");
    let told = "`u2` names an employer nearly as `v1`, and nobody has that id";
    exit_misses(&desk(), "hr", "identities", &near, told);
    // Whom the roster dropped has a credential in custody.
    let keeping = desk();
    keeping.write(
        "corp/accounts.csv",
        "system,id,identity_id\nad,a1,u1\nad,a3,u3\n",
    );
    keeping.write(
        "corp/credentials.csv",
        "system,id,kind,account_id\nad,k1,password,a1\n",
    );
    keeping.write(
        "corp/owners.csv",
        "object_type,system,object_id,owner_id,role\ncredential,ad,k1,u2,custodian\n",
    );
    keeping.write("vpn/accounts.csv", "system,id,identity_id\nvpn,w1,u3\n");
    import(&keeping, "corp");
    import(&keeping, "vpn");
    let without = PEOPLE.replace("u2,person,v1\n", "");
    let told = "credential `ad:k1` is in the custody of `hr:u2`";
    exit_misses(&keeping, "hr", "identities", &without, told);
    // Of two records of one person only that goes which names the vendor.
    let joined = desk();
    joined.write(
        "con/identities.csv",
        "id,kind,status,employer_id\nc1,person,inactive,\nc2,person,active,hr:v1\n",
    );
    joined.write(
        "hr/identities.csv",
        "id,kind,status,employer_id\nu1,person,inactive,\nv1,vendor,active,\n",
    );
    import(&joined, "hr");
    import(&joined, "con");
    joined.expect(
        0,
        &["link", "same", "hr:u1", "con:c2", "--why", "one person"],
    );
    let told = "`u1` worked for `v1` by a record that no source lists now";
    exit_misses(
        &joined,
        "con",
        "identities",
        "id,kind,status,employer_id\nc1,person,inactive,\n",
        told,
    );
}

#[test]
fn a_roster_that_was_removed_leaves_its_people_and_what_names_them_in_doubt() {
    let renamed = desk();
    renamed.write(
        "corp/accounts.csv",
        "system,id,identity_id\nad,a1,\nad,a2,\nad,a9,hr:u2\nad,a3,u3\n",
    );
    import(&renamed, "corp");
    renamed.expect(0, &["link", "ad:a1", "hr:u1", "--why", "hers"]);
    check(&renamed, &["--identity", "u1"], "pass", "[]");
    renamed.expect(0, &["source", "remove", "hr"]);
    let folder = renamed.room.path("hr").display().to_string();
    renamed.expect(0, &["import", &folder, "--as", "hr2"]);
    check(
        &renamed,
        &["--identity", "u1"],
        "indeterminate",
        "account `ad:a1` could be of `u1`",
    );
    check(
        &renamed,
        &["--identity", "u2"],
        "indeterminate",
        "account `ad:a9` names an identity nearly as `u2`",
    );
    check(&renamed, &["--identity", "u3"], "pass", "[]");
    renamed.expect(0, &["store", "check"]);
    // The vendor's people stood in a roster of their own.
    let gone = desk();
    gone.write(
        "con/identities.csv",
        "id,kind,employer_id\nu2,person,hr:v1\nu3,person,hr:v1\n",
    );
    gone.write(
        "hr/identities.csv",
        "id,kind,employer_id\nu1,person,\nv1,vendor,\n",
    );
    import(&gone, "hr");
    import(&gone, "con");
    check(&gone, &["--vendor", "v1"], "pass", "[]");
    gone.expect(0, &["source", "remove", "con"]);
    let told = "2 people of `v1` only source `con` listed, which was removed";
    check(&gone, &["--vendor", "v1"], "indeterminate", told);
    gone.expect(0, &["source", "retire", "con"]);
    let (_, missing) = rehearsed(&gone, &["--vendor", "v1"]);
    assert!(!missing.contains("`con`"), "{missing}");
}

/// What is judged by kind: another source that reads the same system reads no accounts there.
#[test]
fn what_only_a_removed_source_told_of_a_system_is_missing_kind_by_kind() {
    let desk = desk();
    desk.write("more/accounts.csv", "system,id,identity_id\nad,a9,u1\n");
    let folder = desk.room.path("more").display().to_string();
    desk.expect(
        0,
        &[
            "import",
            &folder,
            "--as",
            "more",
            "--set",
            "supplement=true",
        ],
    );
    desk.write("vpn2/entitlements.csv", "system,id,kind\nvpn,g,group\n");
    import(&desk, "vpn2");
    desk.expect(0, &["source", "remove", "vpn"]);
    let told = "accounts of `vpn` only source `vpn` told, which was removed";
    check(&desk, &["--identity", "u1"], "indeterminate", told);
    desk.expect(0, &["source", "retire", "vpn"]);
    check(&desk, &["--identity", "u1"], "pass", "[]");
    // What a supplement had added nobody lists.
    desk.expect(0, &["source", "remove", "more"]);
    let told = "accounts of `ad` only source `more` told, which was removed";
    check(&desk, &["--identity", "u1"], "indeterminate", told);
}

#[test]
fn nobody_passes_where_no_source_reads_accounts_and_a_beginning_of_time_is_no_expiry() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", PEOPLE);
    desk.nothing_else("corp");
    for source in ["hr", "corp"] {
        import(&desk, source);
    }
    check(
        &desk,
        &["--identity", "u1"],
        "indeterminate",
        "no source reads accounts",
    );
    for never in ["1601-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01"] {
        let text = format!(
            "system,id,identity_id,enabled,local_sign_in,expires_at\nad,a1,u1,true,true,{never}\n"
        );
        desk.write("corp/accounts.csv", text);
        import(&desk, "corp");
        check(&desk, &["--identity", "u1"], "fail", "[]");
    }
}

#[test]
fn an_account_that_bears_a_leavers_name_among_more_is_in_doubt() {
    for name in [
        "Weber, Sven",
        "CN=Sven Weber,OU=x",
        "Sven Weber (Admin)",
        "adm sven.weber",
    ] {
        let desk = desk();
        desk.write(
            "hr/identities.csv",
            "id,kind,display_name,employer_id\nu1,person,Sven Weber,\nu2,person,Ann Ny,v1\nu3,person,Bo Li,v1\nv1,vendor,Vend Ltd,\n",
        );
        desk.write(
            "corp/accounts.csv",
            format!("system,id,identity_id,name\nad,x9,,\"{name}\"\nad,a2,,\nad,a3,,\n"),
        );
        desk.write("vpn/accounts.csv", "system,id,identity_id\nvpn,w1,u2\n");
        import(&desk, "hr");
        import(&desk, "corp");
        check(
            &desk,
            &["--identity", "u1"],
            "indeterminate",
            "account `ad:x9` is called like `u1`",
        );
        assert_eq!(at_once(&desk, "u1"), "indeterminate");
        assert_eq!(at_once(&desk, "u2"), "pass");
    }
}

#[test]
fn a_roster_that_is_removed_says_whom_nobody_lists_now_and_stays_in_a_list() {
    let desk = desk();
    desk.write("staff/identities.csv", "id,kind,display_name\nu1,person,\n");
    import(&desk, "staff");
    desk.expect(
        0,
        &["link", "same", "hr:u1", "staff:u1", "--why", "one person"],
    );
    let none = desk.expect(0, &["source", "list", "--removed"]);
    assert_eq!(none.trim(), "no source was removed");
    // u2, u3 and the vendor are listed there alone; u1 keeps a record and its account.
    let said = desk.trouble(
        0,
        &["source", "remove", "hr"],
        "no other source lists 3 identities of hr",
    );
    assert!(said.contains("; 3 accounts have nobody now"), "{said}");
    let vpn = desk
        .lines(0, &["source", "remove", "vpn", "--retired"])
        .remove(0);
    let counts = [&vpn["identities_unlisted"], &vpn["accounts_with_nobody"]];
    assert_eq!(counts, [0, 0], "{vpn}");
    let listed = desk.lines(0, &["source", "list", "--removed"]).remove(0);
    let told: Vec<(&str, bool)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["retired_at"].is_string()))
        .collect();
    assert_eq!(told, [("vpn", true), ("hr", false)]);
    let table = desk.expect(0, &["source", "list", "--removed"]);
    assert!(table.contains("not retired"), "{table}");
}
