//! The guard against changing much at once: held with figures and a code, until exactly that is confirmed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

fn plan(desk: &Desk, within: &str) -> String {
    let text = format!(
        "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"{within}\"\n"
    );
    desk.write(&format!("plan-{within}.toml"), text)
}

/// So many people with an account each, and a plan that closes them in time: the first is never held.
fn desk(people: u32) -> Desk {
    let desk = Desk::new();
    read(&desk, people);
    desk.expect(0, &["plan", "load", &plan(&desk, "1h")]);
    desk
}

fn read(desk: &Desk, people: u32) {
    let (mut roster, mut accounts) = ("id,kind\n".to_owned(), "system,id,identity_id\n".to_owned());
    for number in 0..people {
        roster.push_str(&format!("u{number},person\n"));
        accounts.push_str(&format!("corp,a{number},u{number}\n"));
    }
    desk.write("hr/identities.csv", roster);
    desk.write("ad/accounts.csv", accounts);
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
}

#[track_caller]
fn held(desk: &Desk, arguments: &[&str]) -> (Value, String) {
    let held = desk.lines(1, arguments).remove(0);
    let figure = &held["held"]["figures"][0];
    assert_eq!(figure["what"], "identities whose answer changes");
    let code = held["held"]["code"].as_str().unwrap().to_owned();
    (figure.clone(), code)
}

fn active(desk: &Desk) -> String {
    desk.expect(0, &["plan", "show"])
}

#[test]
fn a_plan_that_changes_too_many_answers_waits_for_exactly_its_code() {
    let desk = desk(30);
    let late = plan(&desk, "2d");
    let (figure, code) = held(&desk, &["plan", "load", &late]);
    assert_eq!((&figure["number"], &figure["of"]), (&30.into(), &30.into()));
    assert!(active(&desk).contains("1h"), "nothing was changed");
    let said = desk.expect(1, &["plan", "load", &late, "--confirm", "0123456789ab"]);
    assert!(
        said.contains(&format!("--confirm {code}")),
        "asked again: {said}"
    );
    // Another plan, or another state, is not what was confirmed.
    let later = plan(&desk, "3d");
    held(&desk, &["plan", "load", &later, "--confirm", &code]);
    read(&desk, 31);
    let (figure, again) = held(&desk, &["plan", "load", &late, "--confirm", &code]);
    assert_eq!(figure["of"], 31);
    assert_ne!(code, again);
    assert!(active(&desk).contains("1h"), "nothing was changed");
    desk.expect(0, &["plan", "load", &late, "--confirm", &again]);
    assert!(active(&desk).contains("2d"));
    // The same once more changes nothing, and neither does one with the same answers.
    desk.expect(0, &["plan", "load", &late]);
    desk.expect(0, &["plan", "load", &later]);
}

#[test]
fn a_plan_that_nobody_can_judge_is_held_as_well() {
    let desk = desk(30);
    // By both plans everybody is closed in time, as far as anybody has read: nothing changes.
    let sooner = plan(&desk, "30m");
    let held = desk.lines(1, &["plan", "load", &sooner]).remove(0);
    let figures = held["held"]["figures"].as_array().unwrap();
    let changed = &figures[0];
    assert_eq!(
        (&changed["number"], &changed["unusual"]),
        (&0.into(), &false.into())
    );
    let unjudged = figures.last().unwrap();
    assert!(
        unjudged["what"]
            .as_str()
            .unwrap()
            .contains("cannot be judged")
    );
    assert_eq!(
        (&unjudged["number"], &unjudged["unusual"]),
        (&30.into(), &true.into())
    );
    let code = held["held"]["code"].as_str().unwrap();
    desk.expect(0, &["plan", "load", &sooner, "--confirm", code]);
    assert!(active(&desk).contains("30m"));
}

#[test]
fn what_is_unusual_is_set_and_few_may_always_change() {
    desk(9).expect(0, &["plan", "load", &plan(&desk(9), "2d")]);
    let desk = desk(30);
    let late = plan(&desk, "2d");
    let shown = desk.lines(0, &["guard", "show"]).remove(0);
    assert_eq!(
        (&shown["percent"], &shown["at_least"]),
        (&20.into(), &10.into())
    );
    desk.expect(0, &["guard", "set", "--count", "31"]);
    desk.expect(0, &["plan", "load", &late]);
    let early = plan(&desk, "1h");
    desk.expect(0, &["guard", "set", "--share", "5", "--count", "2"]);
    held(&desk, &["plan", "load", &early]);
    desk.expect(0, &["guard", "off"]);
    assert!(desk.lines(0, &["guard", "show"])[0].is_null());
    desk.expect(0, &["plan", "load", &early]);
    desk.trouble(2, &["guard", "set", "--share", "101"], "101");
    desk.trouble(2, &["guard", "set"], "required");
    desk.expect(0, &["store", "check"]);
}
