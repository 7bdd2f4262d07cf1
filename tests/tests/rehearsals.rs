//! `lastkey rehearsal`: rehearsals that are saved, and what differs between two of them.

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

const ACCOUNTS: &str = "system,id,identity_id,enabled,local_sign_in
corp,a1,u1,true,true
corp,a2,u2,true,true
";

const KEYS: &str = "system,id,kind,account_id,enabled
cloud,k1,api_key,c1,true
";

const JUNE: &str = "2026-06-01T00:00:00Z";

fn plan(within: &str) -> String {
    format!(
        "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"{within}\"\n"
    )
}

struct Estate {
    desk: Desk,
}

impl Estate {
    /// A roster, a directory, a cloud with a key, and a plan for the directory.
    fn new() -> Self {
        let estate = Estate { desk: Desk::new() };
        estate.desk.write("hr/identities.csv", PEOPLE);
        estate.desk.write("ad/accounts.csv", ACCOUNTS);
        let cloud = "system,id,identity_id,enabled,local_sign_in\ncloud,c1,u1,true,true\n";
        estate.desk.write("cloud/accounts.csv", cloud);
        estate.desk.write("cloud/credentials.csv", KEYS);
        for source in ["hr", "ad", "cloud"] {
            estate.import(source);
        }
        estate.plan("15m");
        estate
    }

    fn import(&self, source: &str) {
        let folder = self.desk.room.path(source).display().to_string();
        self.desk.expect(0, &["import", &folder, "--as", source]);
    }

    fn plan(&self, within: &str) {
        let file = self.desk.write("plan.toml", plan(within));
        self.desk.expect(0, &["plan", "load", &file]);
    }

    fn save(&self, name: &str, at: &str) {
        let who = ["rehearse", "leaver", "--identity", "u1"];
        let how = ["--at", at, "--save", name];
        self.desk.expect(1, &[&who[..], &how].concat());
    }

    /// What differs, in short: what, which way, item, why; and the head.
    #[track_caller]
    fn compare(&self, names: &[&str]) -> (Value, Vec<String>) {
        let mut lines = self
            .desk
            .lines(0, &[&["rehearsal", "compare"][..], names].concat());
        let head = lines.remove(0);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let short = lines.iter().map(|one| {
            let item = match one["after"].is_null() {
                true => &one["before"],
                false => &one["after"],
            };
            let reasons = one["reasons"].as_array().unwrap().iter();
            let reasons: Vec<String> = reasons.map(text).collect();
            let known = match one["reason_known"].as_bool().unwrap() {
                true => "",
                false => "?",
            };
            let (what, way, id) = (
                text(&one["what"]),
                text(&one["direction"]),
                text(&item["id"]),
            );
            format!("{what} {way} {id} {}{known}", reasons.join("+"))
        });
        (head, short.collect())
    }

    #[track_caller]
    fn check(&self, names: &[&str], expected: &[&str]) {
        assert_eq!(self.compare(names).1, expected, "{names:?}");
    }
}

#[test]
fn what_is_saved_is_listed_and_shown_until_it_is_removed() {
    let estate = Estate::new();
    let desk = &estate.desk;
    estate.save("ann", JUNE);
    let taken = ["rehearse", "leaver", "--identity", "hr:u1", "--save", "ann"];
    desk.trouble(2, &taken, "there is a saved rehearsal `ann` already");
    let all = desk.lines(0, &["rehearsal", "list"]);
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0]["question"]["identity"], "hr:u1",
        "the name that stays"
    );
    assert_eq!(
        (&all[0]["verdict"], &all[0]["plan_name"], &all[0]["items"]),
        (&"fail".into(), &"plan".into(), &3.into())
    );
    let shown = desk.lines(0, &["rehearsal", "show", "ann"]);
    let ids: Vec<&Value> = shown[1..].iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, ["c1", "a1", "k1"], "by kind, system and id");
    assert_eq!(shown[2]["closes_at"], "2026-06-01T00:15:00Z");
    desk.expect(0, &["rehearsal", "remove", "ann"]);
    desk.trouble(2, &["rehearsal", "show", "ann"], "there is no saved");
    desk.trouble(2, &["rehearsal", "remove", "ann"], "there is no saved");
    desk.expect(0, &["store", "check"]);
}

#[test]
fn another_plan_is_the_reason_of_what_it_changes_and_a_later_day_changes_nothing() {
    let estate = Estate::new();
    estate.save("before", JUNE);
    estate.plan("2d");
    estate.save("after", JUNE);
    estate.check(&["before", "after"], &["changed worse a1 plan"]);
    estate.check(&["after", "before"], &["changed better a1 plan"]);
    estate.check(&["before", "before"], &[]);
    // Now is another moment, too: the plan put back alone takes the difference away.
    estate.check(&["before"], &["changed worse a1 plan"]);
    let (head, _) = estate.compare(&["before"]);
    assert_eq!(
        head["changed_inputs"],
        serde_json::json!(["plan", "moment"])
    );
    estate.plan("15m");
    estate.check(&["before"], &[]);
}

#[test]
fn what_a_read_shows_no_more_is_gone_and_what_nobody_reads_has_disappeared_without_proof() {
    let estate = Estate::new();
    let desk = &estate.desk;
    estate.save("before", JUNE);
    desk.write(
        "cloud/credentials.csv",
        "system,id,kind,account_id,enabled\n",
    );
    let folder = desk.room.path("cloud").display().to_string();
    let accepted = [
        "import",
        &folder,
        "--as",
        "cloud",
        "--set",
        "hold_above=100",
    ];
    desk.expect(0, &accepted);
    estate.check(&["before"], &["gone better k1 facts"]);
    estate.save("keyless", JUNE);
    desk.write("cloud/credentials.csv", KEYS);
    estate.import("cloud");
    estate.check(&["keyless"], &["added worse k1 facts"]);
    desk.expect(0, &["source", "remove", "cloud"]);
    let unproved = [
        "disappeared_without_proof unknown c1 facts",
        "disappeared_without_proof unknown k1 facts",
    ];
    estate.check(&["before"], &unproved);
}

#[test]
fn everyone_vendors_and_events_are_saved_and_compared_too() {
    let estate = Estate::new();
    let desk = &estate.desk;
    let all = ["rehearse", "everyone", "--at", JUNE, "--save"];
    desk.expect(0, &[&all[..], &["all"]].concat());
    let other = desk.write("other.toml", plan("2d"));
    desk.expect(0, &[&all[..], &["all by other", "--plan", &other]].concat());
    let expected = [
        "changed worse hr:u1 plan",
        "changed worse hr:u2 plan",
        "changed worse hr:v1 plan",
    ];
    let (_, found) = estate.compare(&["all", "all by other"]);
    for one in &found {
        assert!(expected.contains(&one.as_str()), "{found:?}");
    }
    assert!(found.contains(&expected[0].to_owned()), "{found:?}");
    let exit = ["rehearse", "leaver", "--vendor", "v1", "--at", JUNE];
    desk.expect(1, &[&exit[..], &["--save", "exit"]].concat());
    let forgotten = "kind=leaver,identity=u2,at=2026-06-01,shown=nothing";
    let events = [
        "rehearse",
        "events",
        "--event",
        forgotten,
        "--save",
        "hr forgets",
    ];
    desk.expect(1, &events);
    estate.plan("2d");
    estate.check(&["exit"], &["changed worse a2 plan"]);
    // Whom nobody notices no plan closes, whichever it is.
    estate.check(&["hr forgets"], &[]);
    let two = ["rehearsal", "compare", "exit", "all"];
    desk.trouble(
        2,
        &two,
        "`exit` asks vendor exit of hr:v1, and `all` asks everyone",
    );
}
