//! `lastkey plan measured` and `rehearse leaver --measured`: the plan beside what past leavers show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;

const PLAN: &str = "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"30m\"\n";

const PEOPLE: &str = "id,kind,display_name,status,end_date
u1,person,Ann Smith,active,
u2,person,Bob Jones,inactive,2026-01-15
";

fn accounts(disabled_at: &str) -> String {
    format!(
        "system,id,identity_id,enabled,local_sign_in,disabled_at\ncorp,a1,u1,true,true,\ncorp,a2,u2,false,true,{disabled_at}\n"
    )
}

/// Somebody who has left, and whose account was disabled then; somebody who is here.
fn desk(disabled_at: &str) -> Desk {
    let desk = Desk::new();
    desk.write("hr/identities.csv", PEOPLE);
    desk.nothing_else("ad");
    desk.write("ad/accounts.csv", accounts(disabled_at));
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    desk
}

#[test]
fn a_plan_stands_beside_what_past_leavers_show_of_it() {
    let desk = desk("2026-01-20T12:00:00Z");
    desk.trouble(3, &["plan", "measured"], "no plan is loaded");
    let file = desk.write("plan.toml", PLAN);
    desk.expect(0, &["plan", "load", &file]);
    let step = desk.lines(0, &["plan", "measured"]).remove(0);
    assert_eq!(
        (&step["cases"], &step["in_time"]),
        (&1.into(), &0.into()),
        "{step:#}"
    );
    let took = step["nine_of_ten_seconds"].as_i64().unwrap();
    assert!((86_400 * 4..=86_400 * 6).contains(&took), "{step:#}");
    let shown = desk.expect(0, &["plan", "measured"]);
    assert!(
        shown.contains("1 of 1 step measured by past leavers"),
        "{shown}"
    );

    // As planned everything closes in time; as it went it would not.
    let leaver = ["rehearse", "leaver", "--identity", "u1", "--measured"];
    let both = desk.lines(1, &leaver).remove(0);
    let verdicts = (&both["planned"]["verdict"], &both["measured"]["verdict"]);
    assert_eq!(verdicts, (&"pass".into(), &"fail".into()), "{both:#}");
    let shown = desk.expect(1, &leaver);
    assert!(
        shown.contains("as planned") && shown.contains("as measured"),
        "{shown}"
    );
    let all = ["rehearse", "leaver", "--all", "--measured"];
    desk.trouble(2, &all, "--measured");
}

#[test]
fn what_nothing_tells_of_stays_as_planned() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", "id,kind,status\nu1,person,active\n");
    desk.nothing_else("ad");
    desk.write(
        "ad/accounts.csv",
        "system,id,identity_id,enabled,local_sign_in\ncorp,a1,u1,true,true\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let file = desk.write("plan.toml", PLAN);
    desk.expect(0, &["plan", "load", &file]);
    let shown = desk.expect(0, &["plan", "measured"]);
    assert!(shown.contains("not measured: as planned"), "{shown}");
    let leaver = ["rehearse", "leaver", "--identity", "u1", "--measured"];
    let both = desk.lines(0, &leaver).remove(0);
    for same in ["verdict", "missing_facts"] {
        assert_eq!(both["measured"][same], both["planned"][same]);
    }
    let item = |side: &str| both[side]["residual"][0].clone();
    assert_eq!(item("measured")["closes_at"], item("planned")["closes_at"]);
    let reason = item("measured")["reason"].to_string();
    assert!(reason.contains("as measured of"), "{reason}");
}
