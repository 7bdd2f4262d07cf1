//! `lastkey rehearse events`: what would be told of events, and what stays open where nothing is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

const PLAN: &str = r#"
[[step]]
on = "leaver"
system = "corp"
does = "disable_account"
how = "automatic"
within = "1h"
"#;

const PEOPLE: &str = "id,kind,display_name,status,department,start_date,end_date
u1,person,Ann Smith,active,Sales,2010-01-01,
u2,person,Bob Jones,active,Ops,2012-01-01,2026-08-31
u3,person,Cho Lee,pending,Ops,2026-07-01,
";

const ACCOUNTS: &str = "system,id,identity_id,enabled,local_sign_in
corp,a1,u1,true,true
corp,a2,u2,true,true
";

/// A roster, a directory and a plan; all of it read just now.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("hr/identities.csv", PEOPLE);
    desk.write("ad/accounts.csv", ACCOUNTS);
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let plan = desk.write("plan.toml", PLAN);
    desk.expect(0, &["plan", "load", &plan]);
    desk
}

/// The answers of these events.
#[track_caller]
fn played(desk: &Desk, status: i32, events: &[&str]) -> Vec<Value> {
    let mut all = vec!["rehearse", "events"];
    for event in events {
        all.extend(["--event", event]);
    }
    let answer = &desk.lines(status, &all)[0];
    answer["events"].as_array().unwrap().clone()
}

/// Whether it is noticed, when the plan begins, and when each thing closes.
fn in_short(event: &Value) -> (String, String, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let residual = event["rehearsal"]["residual"].as_array();
    let closes = residual.into_iter().flatten();
    (
        text(&event["noticed"]),
        text(&event["begins_at"]),
        closes.map(|item| text(&item["closes_at"])).collect(),
    )
}

#[track_caller]
fn check(desk: &Desk, status: i32, event: &str, expected: (&str, &str, &[&str])) {
    let found = played(desk, status, &[event]);
    let (noticed, begins, closes) = in_short(&found[0]);
    let closes: Vec<&str> = closes.iter().map(String::as_str).collect();
    assert_eq!((&*noticed, &*begins, &*closes), expected, "{event}");
}

#[test]
fn a_leaver_is_noticed_by_what_the_roster_shows_and_the_plan_waits_for_it() {
    let desk = desk();
    let june = "2026-06-01T00:00:00Z";
    let leaver = |more: &str| format!("kind=leaver,identity=u1,at=2026-06-01{more}");
    let in_time = ("yes", june, &["2026-06-01T01:00:00Z"][..]);
    check(&desk, 1, &leaver(""), in_time);
    check(&desk, 1, &leaver(",shown=gone"), in_time);
    check(&desk, 1, &leaver(",shown=nothing"), ("no", "-", &["never"]));
    let bob = "kind=leaver,identity=u2,at=2026-06-01,shown=nothing";
    let autumn = "2026-09-01T00:00:00Z";
    check(&desk, 1, bob, ("late", autumn, &["2026-09-01T01:00:00Z"]));
    let cho = "kind=leaver,identity=u3,at=2026-06-01";
    check(&desk, 1, cho, ("yes", june, &[]));
}

#[test]
fn events_are_played_in_the_order_of_their_times() {
    let desk = desk();
    let found = played(
        &desk,
        1,
        &[
            "kind=rehire,identity=u1,at=2026-07-01",
            "kind=leaver,identity=u1,at=2026-06-01T12:00:00Z",
            "kind=mover,identity=u1,at=2026-06-01T08:00:00Z,department=Ops, and others",
            "kind=extension,identity=u2,at=2026-06-02,end_date=2026-12-31",
        ],
    );
    let told: Vec<&str> = found
        .iter()
        .map(|event| event["told"][0]["event"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["mover", "leaver", "extension", "rehire"]);
    assert_eq!(found[0]["told"][0]["changed"][0], "department");
    // The roster is as it was: nothing of this was written anywhere.
    let ann = &desk.lines(0, &["identities", "--where", "id=u1"])[0];
    assert_eq!(
        (&ann["status"], &ann["department"]),
        (&"active".into(), &"Sales".into())
    );
}

#[test]
fn a_source_that_is_no_source_of_truth_begins_nothing_and_that_is_said() {
    let desk = desk();
    desk.write(
        "crm/identities.csv",
        "id,kind,display_name,status\nc1,person,Dia Ortiz,active\n",
    );
    let folder = desk.room.path("crm").display().to_string();
    let not = "source_of_truth=false";
    desk.expect(0, &["import", &folder, "--as", "crm", "--set", not]);
    let leaver = "kind=leaver,identity=c1,at=2026-06-01";
    let said = desk.expect(1, &["rehearse", "events", "--event", leaver]);
    assert!(
        said.contains("not noticed: nothing begins the plan"),
        "{said}"
    );
    assert!(said.contains("`crm` is no source of truth"), "{said}");
    let hr = "kind=leaver,identity=u1,at=2026-06-01,source=crm";
    desk.trouble(
        2,
        &["rehearse", "events", "--event", hr],
        "`crm` has no record of `u1`",
    );
}

#[test]
fn wrong_words_are_named_and_exit_2() {
    let desk = desk();
    for (event, wanted) in [
        ("kind=leaver", "it has no identity"),
        ("identity=u1", "it has no kind"),
        ("leaver of u1", "it is not NAME=VALUE"),
        (
            "kind=holiday,identity=u1",
            "`holiday` is none of joiner, mover, leaver",
        ),
        ("kind=mover,identity=u1,titel=Head", "there is no `titel`"),
        (
            "kind=leaver,identity=u1,shown=somehow",
            "`somehow` is none of status, gone",
        ),
        ("kind=leaver,identity=u1,at=soon", "`soon` is not a time"),
        ("kind=leaver,identity=u9", "there is no identity `u9`"),
        (
            "kind=leaver,identity=u1,status=away",
            "`away` is none of active",
        ),
        ("kind=leaver,identity=u1,end_date=x", "`x` is not a time"),
        ("kind=leaver,identity=u1,ou=people", "there is no `ou`"),
        ("kind=leaver,identity=\"u1", "nothing closes"),
        ("kind=owner_change,from=u1,to=u2", "has object="),
        ("kind=leaver,identity=u1,to=u2", "stand in an owner_change"),
        (
            "kind=owner_change,object=account:corp:none,from=u1,to=u2",
            "there is no account corp:none",
        ),
    ] {
        desk.trouble(2, &["rehearse", "events", "--event", event], wanted);
    }
}

#[test]
fn an_id_with_commas_stands_in_quotes() {
    let desk = desk();
    let ann = "uid=ann,ou=people,dc=x";
    let people = format!("id,kind,status\n\"{ann}\",person,active\n");
    desk.write("ldap/identities.csv", people);
    let folder = desk.room.path("ldap").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "ldap"]);
    let leaver = format!("kind=leaver,identity=\"{ann}\",at=2026-06-01");
    let found = played(&desk, 1, &[&leaver]);
    assert_eq!(found[0]["identity"], ann);
    assert_eq!(found[0]["noticed"], "yes");
}

#[test]
fn somebody_whom_no_source_lists_now_can_be_taken_back() {
    let desk = desk();
    let without = PEOPLE.replace("u2,person,Bob Jones,active,Ops,2012-01-01,2026-08-31\n", "");
    desk.write("hr/identities.csv", without);
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(
        0,
        &["import", &folder, "--as", "hr", "--set", "hold_above=100"],
    );
    let back = "kind=rehire,identity=u2,at=2026-10-01";
    let found = played(&desk, 0, &[back]);
    assert_eq!(found[0]["identity"], "hr:u2");
    let told = |event: &Value| -> Vec<String> {
        let told = event["told"].as_array().unwrap().iter();
        told.map(|one| one["event"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(told(&found[0]), ["rehire"]);
    // Who is back can leave, and their account is not forgotten.
    let leaver = "kind=leaver,identity=u2,at=2026-11-01";
    let found = played(&desk, 1, &[leaver, back]);
    assert_eq!(told(&found[1]), ["leaver"]);
    let missing = found[1]["rehearsal"]["missing_facts"].to_string();
    assert!(
        missing.contains("account `corp:a2` is of `hr:u2`"),
        "{missing}"
    );
    // Without coming back there is nobody.
    let all = ["rehearse", "events", "--event", leaver];
    desk.trouble(2, &all, "there is no identity `u2`");
    // A roster that drops somebody and lists them again.
    let gone = "kind=leaver,identity=u1,at=2026-06-01,shown=gone";
    let found = played(&desk, 1, &[gone, "kind=rehire,identity=u1,at=2026-07-01"]);
    assert_eq!(told(&found[1]), ["rehire"]);
    // And one that lists them as inactive.
    desk.write(
        "hr/identities.csv",
        PEOPLE.replace("Bob Jones,active", "Bob Jones,inactive"),
    );
    desk.expect(
        0,
        &["import", &folder, "--as", "hr", "--set", "hold_above=100"],
    );
    let found = played(
        &desk,
        0,
        &["kind=rehire,identity=u2,at=2026-07-01,end_date="],
    );
    assert_eq!(told(&found[0]), ["rehire"]);
}

#[test]
fn what_is_handed_on_is_left_without_an_owner_by_who_took_it() {
    let desk = desk();
    let accounts = format!("{ACCOUNTS}corp,svc,,true,true\n");
    desk.write(
        "ad/accounts.csv",
        accounts
            .replace("enabled,local_sign_in\n", "enabled,local_sign_in,kind\n")
            .replace("true,true\n", "true,true,human\n")
            .replace("svc,,true,true,human", "svc,,true,true,service"),
    );
    let owners = "object_type,system,object_id,owner_id,role\naccount,corp,svc,u1,technical\n";
    desk.write("ad/owners.csv", owners);
    let folder = desk.room.path("ad").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    let hands = "kind=owner_change,object=account:corp:svc,from=u1,to=u2,at=2026-05-01";
    let breaks = |event: &Value| event["rehearsal"]["breaks"].to_string();
    let leaves = |who: &str| format!("kind=leaver,identity={who},at=2026-06-01");
    let found = played(&desk, 1, &[&leaves("u1")]);
    assert!(
        breaks(&found[0]).contains("its last owner leaves"),
        "{}",
        breaks(&found[0])
    );
    let found = played(&desk, 1, &[hands, &leaves("u1")]);
    let owners = &found[0]["owners"];
    assert_eq!(owners["object"], "account:corp:svc");
    assert_eq!(owners["before"][0], "u1 (technical)");
    assert_eq!(owners["after"][0], "u2 (technical)");
    assert_eq!(
        (&found[0]["noticed"], &found[0]["verdict"]),
        (&"yes".into(), &"pass".into())
    );
    assert!(!breaks(&found[1]).contains("its last owner leaves"));
    let found = played(&desk, 1, &[hands, &leaves("u2")]);
    assert!(breaks(&found[1]).contains("its last owner leaves"));
    let nothing = format!("{hands},shown=nothing");
    let found = played(&desk, 1, &[&nothing]);
    assert_eq!(
        (&found[0]["noticed"], &found[0]["why_not"][0]),
        (&"no".into(), &"nobody enters anything".into())
    );
    let not_theirs = "kind=owner_change,object=account:corp:svc,from=u2,to=u1";
    let found = played(&desk, 1, &[not_theirs]);
    let why = "nothing says that `u2` owns `account:corp:svc`";
    assert_eq!(found[0]["why_not"][0], why);
}

#[test]
fn whoever_moves_is_asked_about_by_the_policy_that_is_loaded() {
    let desk = desk();
    desk.write(
        "ad/entitlements.csv",
        "system,id,kind\ncorp,sales,group\ncorp,ops,group\n",
    );
    desk.write(
        "ad/grants.csv",
        "system,principal_type,principal_id,entitlement_id\ncorp,account,a1,sales\n",
    );
    let folder = desk.room.path("ad").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    let mover = "kind=mover,identity=u1,at=2026-06-01,department=Ops";
    // Without a policy what they may still hold is not asked, and that is no pass.
    let found = played(&desk, 1, &[mover]);
    assert!(found[0]["policy"].is_null() && found[0]["rehearsal"].is_null());
    assert_eq!(found[0]["verdict"], "indeterminate");
    let missing = found[0]["missing_facts"].to_string();
    assert!(missing.contains("no access policy is loaded"), "{missing}");
    let permit = |department: &str, group: &str| {
        format!(
            "@birthright(\"\")\npermit (principal, action == Action::\"hold\", resource == Entitlement::\"corp:{group}\") when {{ principal has department && principal.department == \"{department}\" }};\n"
        )
    };
    let policy = [permit("Sales", "sales"), permit("Ops", "ops")].concat();
    let policy = desk.write("access.cedar", policy);
    desk.expect(0, &["policy", "load", &policy]);
    let found = played(&desk, 1, &[mover]);
    let says = &found[0]["policy"];
    assert_eq!(says["may_not_hold"][0], "corp:sales", "{says}");
    assert_eq!(says["lacks"][0], "corp:ops", "{says}");
    let alone = &desk.lines(
        1,
        &[
            "rehearse",
            "mover",
            "--identity",
            "u1",
            "--at",
            "2026-06-01",
            "--set",
            "department=Ops",
        ],
    )[0];
    assert_eq!(found[0]["rehearsal"]["residual"], alone["residual"]);
    // What an event before has changed counts.
    let found = played(
        &desk,
        1,
        &["kind=mover,identity=u1,at=2026-06-02,title=Head", mover],
    );
    assert_eq!(found[1]["policy"]["may_not_hold"][0], "corp:sales");
    let found = played(
        &desk,
        1,
        &[
            "kind=mover,identity=u1,at=2026-06-02,department=Sales",
            mover,
        ],
    );
    assert_eq!(
        found[1]["policy"]["may_not_hold"].as_array().unwrap().len(),
        0
    );
}

#[test]
fn what_cannot_be_is_refused_and_a_past_last_day_is_no_way_back() {
    let desk = desk();
    desk.write(
        "ad/owners.csv",
        "object_type,system,object_id,owner_id,role\naccount,corp,a1,u1,business\n",
    );
    let folder = desk.room.path("ad").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    let refused = |events: &[&str], why: &str| {
        let mut all = vec!["rehearse", "events"];
        for event in events {
            all.extend(["--event", event]);
        }
        desk.trouble(2, &all, why);
    };
    refused(
        &["kind=vendor_exit,identity=u1"],
        "`u1` is a person, and vendor_exit is of a vendor",
    );
    refused(&["kind=leaver,identity=u1,identity=u2"], "stands twice");
    let handed = "kind=owner_change,object=account:corp:a1,from=u1,to=u2,at=2026-07-01";
    assert_eq!(played(&desk, 0, &[handed])[0]["noticed"], "yes");
    let left = "`u2` has left by then";
    refused(&["kind=leaver,identity=u2,at=2026-06-01", handed], left);
    refused(
        &["kind=leaver,identity=u2,at=2026-06-01,shown=gone", handed],
        left,
    );
    // By the last day in the record, which is the end of August.
    refused(&[&handed.replace("2026-07", "2026-10")], left);
    let gone = "kind=leaver,identity=u1,at=2026-06-01,shown=gone";
    let back = "kind=rehire,identity=u1,at=2026-07-01,end_date=2026-06-15";
    let found = played(&desk, 1, &[gone, back]);
    assert_eq!(found[1]["verdict"], "fail", "{}", found[1]);
    let why = found[1]["why_not"].to_string();
    assert!(why.contains("told as leaver too"), "{why}");
}
