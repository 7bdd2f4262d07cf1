//! Everyone's rehearsal after each sync: only whom a change concerns is rehearsed anew, and the answer
//! is the one that a store without anything kept gives.

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
u3,person,Cay Brown,active,
v1,vendor,Vend Ltd,active,
";

const ACCOUNTS: &str = "system,id,identity_id,enabled,local_sign_in,privileged
corp,a1,u1,true,true,true
corp,a2,u2,true,true,false
corp,a3,u3,true,true,false
";

fn plan(within: &str) -> String {
    format!(
        "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"{within}\"\n"
    )
}

/// A roster and a directory, with every kind there is, so that nothing is missing; without a plan.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("hr/identities.csv", PEOPLE);
    desk.write("ad/accounts.csv", ACCOUNTS);
    desk.nothing_else("ad");
    for source in ["hr", "ad"] {
        let said = import(&desk, source);
        assert!(!said.contains("if everyone left"), "without a plan: {said}");
    }
    desk.expect(0, &["guard", "off"]);
    desk
}

#[track_caller]
fn import(desk: &Desk, source: &str) -> String {
    let folder = desk.room.path(source).display().to_string();
    desk.expect(0, &["import", &folder, "--as", source])
}

#[track_caller]
fn load(desk: &Desk, within: &str) {
    let file = desk.write("plan.toml", plan(within));
    desk.expect(0, &["plan", "load", &file]);
}

/// What a read of the directory says of everyone.
#[track_caller]
fn told(desk: &Desk) -> String {
    let said = import(desk, "ad");
    let line = said
        .lines()
        .find(|line| line.starts_with("if everyone left"));
    line.unwrap_or_else(|| panic!("nothing of everyone in: {said}"))
        .to_owned()
}

/// Everyone's rehearsal, without when it was played.
fn answer(desk: &Desk) -> Value {
    let mut all = desk.lines(0, &["rehearse", "everyone"]).remove(0);
    all.as_object_mut().unwrap().remove("at");
    all
}

#[test]
fn only_whom_a_change_concerns_is_rehearsed_anew() {
    let desk = desk();
    load(&desk, "30m");
    check(
        &desk,
        "0 would fail, 0 indeterminate, 4 would pass; 4 of 4 rehearsed anew",
    );
    check(
        &desk,
        "0 would fail, 0 indeterminate, 4 would pass; 0 of 4 rehearsed anew",
    );
    // One more account of one person, outside what the plan closes.
    desk.write(
        "ad/accounts.csv",
        format!("{ACCOUNTS}corp,a9,u1,true,true,false\n"),
    );
    check(
        &desk,
        "0 would fail, 0 indeterminate, 4 would pass; 1 of 4 rehearsed anew",
    );
    // A vendor's person concerns the vendor as well.
    desk.write(
        "ad/accounts.csv",
        format!("{ACCOUNTS}corp,a9,u2,true,true,false\n"),
    );
    check(
        &desk,
        "0 would fail, 0 indeterminate, 4 would pass; 3 of 4 rehearsed anew",
    );
    // Nothing that anybody holds.
    desk.write(
        "ad/locations.csv",
        "system,path,credential_system,credential_id\ncorp,kv/nobody,,\n",
    );
    check(
        &desk,
        "0 would fail, 0 indeterminate, 4 would pass; 0 of 4 rehearsed anew",
    );
    let kept = answer(&desk);
    // By another plan everybody's answer is another question.
    load(&desk, "48h");
    check(
        &desk,
        "4 would fail, 0 indeterminate, 0 would pass; 4 of 4 rehearsed anew",
    );
    load(&desk, "30m");
    assert_eq!(answer(&desk), kept, "from nothing");
}

#[track_caller]
fn check(desk: &Desk, wanted: &str) {
    let said = told(desk);
    // What was before is said where it differs.
    let mut bare = said.trim_start_matches("if everyone left: ").to_owned();
    while let (Some(from), Some(to)) = (bare.find(" ("), bare.find(" before)")) {
        bare.replace_range(from..to + " before)".len(), "");
    }
    assert_eq!(bare, wanted, "{said}");
}

#[test]
fn a_source_that_was_not_read_again_lets_nobody_pass_by_what_was_kept() {
    let desk = desk();
    load(&desk, "30m");
    check(
        &desk,
        "0 would fail, 0 indeterminate, 4 would pass; 4 of 4 rehearsed anew",
    );
    // Half a directory: what was kept of everyone is no answer any more.
    desk.write(
        "ad/accounts.csv",
        format!("{ACCOUNTS}corp,,u1,true,true,false\n"),
    );
    let folder = desk.room.path("ad").display().to_string();
    let (_, said, _) = desk.run(&["import", &folder, "--as", "ad"]);
    assert!(
        said.contains("0 would fail, 4 indeterminate (0 before), 0 would pass (4 before)"),
        "{said}"
    );
}
