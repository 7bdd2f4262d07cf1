//! `lastkey assertions`: rehearsals as tests, in scripts and after every sync.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

const PEOPLE: &str = "id,kind,display_name,status,employer_id
u1,person,Ann Smith,active,
u2,person,Bob Jones,active,v1
v1,vendor,Vend Ltd,active,
";

const ACCOUNTS: &str = "system,id,identity_id,enabled,local_sign_in,privileged
corp,a1,u1,true,true,true
corp,a2,u2,true,true,false
";

const PLAN: &str = "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"2h\"\n";

/// A roster and a directory, with every kind there is, so that nothing is missing; and a plan.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("hr/identities.csv", PEOPLE);
    desk.write("ad/accounts.csv", ACCOUNTS);
    desk.nothing_else("ad");
    for source in ["hr", "ad"] {
        import(&desk, source, 0);
    }
    let plan = desk.write("plan.toml", PLAN);
    desk.expect(0, &["plan", "load", &plan]);
    desk
}

#[track_caller]
fn import(desk: &Desk, source: &str, status: i32) -> String {
    let folder = desk.room.path(source).display().to_string();
    desk.expect(status, &["import", &folder, "--as", source])
}

fn assertion(lines: &str) -> String {
    format!(
        "[[assertion]]\nname = \"{}\"\n{lines}\n",
        lines.replace('"', "'").replace('\n', ", ")
    )
}

#[track_caller]
fn result(desk: &Desk, status: i32, lines: &str) -> Value {
    let file = desk.write("asserted.toml", assertion(lines));
    let report = desk
        .lines(status, &["assertions", "run", "--file", &file])
        .remove(0);
    assert_eq!(report["verdict"], report["results"][0]["verdict"]);
    report["results"][0].clone()
}

#[track_caller]
fn check(desk: &Desk, lines: &str, verdict: &str, identities: u64, against: u64) {
    let status = if verdict == "pass" { 0 } else { 1 };
    let found = result(desk, status, lines);
    assert_eq!(
        (&found["verdict"], &found["identities"], &found["against"]),
        (&verdict.into(), &identities.into(), &against.into()),
        "{lines}: {found:#}"
    );
}

#[test]
fn what_must_hold_is_judged_of_whom_and_of_what_it_is_about() {
    let desk = desk();
    check(&desk, "nothing_beyond = \"2h\"", "pass", 3, 0);
    check(&desk, "nothing_beyond = \"1h\"", "fail", 3, 3);
    check(
        &desk,
        "privileged = true\nnothing_beyond = \"1h\"",
        "fail",
        3,
        1,
    );
    check(
        &desk,
        "identity = \"u2\"\nnothing_beyond = \"1h\"",
        "fail",
        1,
        1,
    );
    check(
        &desk,
        "third_party = true\nnothing_beyond = \"1h\"",
        "fail",
        2,
        2,
    );
    check(
        &desk,
        "item_kind = \"credential\"\nnothing_beyond = \"0s\"",
        "pass",
        3,
        0,
    );
    check(
        &desk,
        "system = \"vault\"\nnothing_beyond = \"0s\"",
        "indeterminate",
        3,
        0,
    );
    check(&desk, "identity = \"u1\"\nverdict = \"pass\"", "pass", 1, 0);
    check(&desk, "identity = \"u1\"\nverdict = \"fail\"", "fail", 1, 1);
    check(
        &desk,
        "identity_kind = \"vendor\"\nverdict = \"fail\"",
        "pass",
        1,
        0,
    );
    // Nobody fits: that is no pass, unless it may be so.
    check(
        &desk,
        "identity_kind = \"agent\"\nverdict = \"pass\"",
        "indeterminate",
        0,
        0,
    );
    check(
        &desk,
        "identity = \"nobody\"\nverdict = \"pass\"",
        "indeterminate",
        0,
        0,
    );
    let empty = "identity_kind = \"agent\"\nverdict = \"pass\"\nallow_empty = true";
    check(&desk, empty, "pass", 0, 0);
    // What kind of leaver somebody will be is not known: they may be meant, and nothing is claimed.
    let kind = "leaver_kind = \"involuntary\"\nnothing_beyond = \"1h\"";
    check(&desk, kind, "indeterminate", 0, 3);
}

#[test]
fn what_is_not_read_passes_nothing() {
    let desk = desk();
    desk.expect(0, &["source", "remove", "hr"]);
    check(&desk, "nothing_beyond = \"2h\"", "indeterminate", 0, 0);
    let empty = "nothing_beyond = \"2h\"\nallow_empty = true";
    check(&desk, empty, "indeterminate", 0, 0);
}

#[test]
fn a_saved_rehearsal_is_a_test_of_its_own() {
    let desk = desk();
    desk.expect(
        0,
        &["rehearse", "leaver", "--identity", "u1", "--save", "ann"],
    );
    let no_worse = "saved = \"ann\"\nno_worse = true";
    check(&desk, no_worse, "pass", 1, 0);
    check(&desk, "saved = \"ann\"\nverdict = \"fail\"", "fail", 1, 1);
    let late = desk.write("late.toml", PLAN.replace("2h", "5h"));
    desk.expect(0, &["plan", "load", &late]);
    check(&desk, no_worse, "fail", 1, 1);
    let file = desk.write("a.toml", assertion("saved = \"bob\"\nno_worse = true"));
    desk.trouble(
        2,
        &["assertions", "load", &file],
        "line 1: there is no saved rehearsal `bob`",
    );
    let file = desk.write("a.toml", assertion(no_worse));
    desk.expect(0, &["assertions", "load", &file]);
    desk.expect(0, &["rehearsal", "remove", "ann"]);
    let said = import(&desk, "ad", 1);
    assert!(
        said.contains("the saved rehearsal `ann` was removed"),
        "{said}"
    );
}

#[test]
fn they_run_after_every_sync_and_what_comes_of_it_is_kept() {
    let desk = desk();
    let nothing = ["assertions", "run"];
    desk.trouble(3, &nothing, "no assertions are loaded");
    let file = desk.write("must.toml", assertion("nothing_beyond = \"3h\""));
    desk.expect(0, &["assertions", "load", &file]);
    let said = import(&desk, "ad", 0);
    assert!(said.contains("assertions: pass."), "{said}");
    // A cloud that no step of the plan closes.
    desk.write(
        "cloud/accounts.csv",
        "system,id,identity_id,enabled,local_sign_in\ncloud,c1,u1,true,true\n",
    );
    let said = import(&desk, "cloud", 1);
    assert!(said.contains("u1 account cloud:c1: never"), "{said}");
    let synced = desk.lines(1, &["sync", "ad"]);
    assert_eq!(synced[1]["assertions"]["verdict"], "fail", "{synced:?}");
    let kept = desk.lines(0, &["assertions", "results"]);
    let verdicts: Vec<&Value> = kept.iter().map(|run| &run["verdict"]).collect();
    assert_eq!(verdicts, ["fail", "fail", "pass"]);
    let wrong = desk.write(
        "must.toml",
        "[[assertion]]\nname = \"n\"\nnothing_beyond = \"soon\"\n",
    );
    let said = desk.trouble(2, &["assertions", "load", &wrong], "line 3, column 18");
    assert!(said.contains("whole number"), "what was meant: {said}");
    assert_eq!(
        desk.lines(0, &["assertions", "show"])[0]["number"],
        1,
        "nothing changed"
    );
    desk.expect(0, &["assertions", "off"]);
    import(&desk, "ad", 0);
    desk.trouble(3, &["assertions", "off"], "no assertions are loaded");
    desk.expect(0, &["store", "check"]);
}

/// Who is listed no more is not rehearsed with all others; their accounts hold nothing up as long as
/// nobody says so. Nor does a system that nobody reads.
#[test]
fn somebody_whom_the_roster_dropped_and_a_system_that_nobody_reads_pass_nothing() {
    let desk = desk();
    let verdict = |lines: &str, status: i32| result(&desk, status, lines)["verdict"].clone();
    let late = "nothing_beyond = \"1d\"";
    assert_eq!(verdict(late, 0), "pass");
    assert_eq!(
        verdict(&format!("{late}\nsystem = \"nowhere\""), 1),
        "indeterminate"
    );
    let people: String = PEOPLE
        .lines()
        .filter(|line| !line.starts_with("u1"))
        .fold(String::new(), |all, line| all + line + "\n");
    desk.write("hr/identities.csv", people);
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(
        0,
        &["import", &folder, "--as", "hr", "--set", "hold_above=100"],
    );
    let said = result(&desk, 1, late);
    assert_eq!(said["verdict"], "indeterminate");
    assert!(
        said["missing_facts"].to_string().contains("corp:a1"),
        "{said}"
    );
    assert_eq!(
        verdict(&format!("{late}\nidentity = \"u1\"\nallow_empty = true"), 1),
        "indeterminate"
    );
    assert_eq!(verdict(&format!("{late}\nidentity = \"u2\""), 0), "pass");
}
