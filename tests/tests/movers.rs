//! Those who moved: what they may no longer hold is measured and watched; and sources of truth that
//! start watches by themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use chrono::{Days, Utc};
use lastkey_tests::desk::Desk;
use serde_json::Value;

const POLICY: &str = r#"
@id("finance-ledger")
permit (principal, action == Action::"hold", resource == Entitlement::"erp:ledger")
when { principal has department && principal.department == "Finance" };

@id("ops-console")
permit (principal, action == Action::"hold", resource == Entitlement::"erp:console")
when { principal has department && principal.department == "Ops" };
"#;

const LIMIT: &str = "[[limit]]\non = \"mover\"\nwithin = \"3d\"\n";

/// All move from Finance to Ops on 10 January, but for Eve, who stays. Ann loses the ledger the next day,
/// Ben after more than three days, Cat keeps it; Dan has the console, which Ops may hold, and a right of
/// a system for which no policy speaks.
fn company() -> Desk {
    let desk = Desk::new();
    let roster = |day: &str, department: &str| {
        let moved =
            ["ann", "ben", "cat", "dan"].map(|id| format!("{id},person,{id},{department}\n"));
        let text = format!(
            "id,kind,display_name,department\n{}eve,person,eve,Finance\n",
            moved.concat()
        );
        desk.write(&format!("hr/{day}.csv"), text);
    };
    roster("2026-01-01", "Finance");
    roster("2026-01-09", "Finance");
    roster("2026-01-10", "Ops");
    let accounts =
        ["ann", "ben", "cat", "dan", "eve"].map(|id| format!("erp,{id},{id}\nodd,{id},{id}\n"));
    let accounts = format!("system,id,identity_id\n{}", accounts.concat());
    desk.write("base/accounts.csv", accounts);
    let entitlements =
        "system,id,name,kind\nerp,ledger,Ledger,role\nerp,console,Console,role\nodd,key,Key,role\n";
    desk.write("base/entitlements.csv", entitlements);
    for (day, with_ledger) in [
        ("2026-01-01", "ann ben cat eve"),
        ("2026-01-11", "ben cat eve"),
        ("2026-01-14", "ben cat eve"),
        ("2026-01-20", "cat eve"),
    ] {
        let of = |id: &str| format!("erp,ledger,account,{id}\n");
        let rows: String = with_ledger.split(' ').map(of).collect();
        let header = "system,entitlement_id,principal_type,principal_id\n";
        let always = "erp,console,account,dan\nodd,key,account,dan\n";
        desk.write(
            &format!("held/{day}.csv"),
            format!("{header}{rows}{always}"),
        );
    }
    let folder = |name: &str| desk.room.path(name).display().to_string();
    desk.expect(0, &["import", &folder("base"), "--as", "base"]);
    let series = [
        "--series",
        "--set",
        "timezone=UTC",
        "--set",
        "hold_above=100",
    ];
    let hr = ["import", &folder("hr"), "--as", "hr"];
    desk.expect(0, &[&hr[..], &series].concat());
    let held = [
        "import",
        &folder("held"),
        "--as",
        "held",
        "--file",
        "grants",
    ];
    desk.expect(0, &[&held[..], &series].concat());
    let plan = desk.write("plan.toml", LIMIT);
    desk.expect(0, &["plan", "load", &plan]);
    desk
}

/// Each thing of each mover: who, what, and how it stands.
fn things(movers: &[Value]) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let each = movers.iter().flat_map(|mover| {
        let items = mover["items"].as_array().unwrap().iter();
        items.map(|item| {
            format!(
                "{} {}:{} {} {}",
                word(&mover["identity"]),
                word(&item["system"]),
                word(&item["id"]),
                word(&item["state"]),
                item["limit_seconds"]
            )
        })
    });
    each.collect()
}

#[test]
fn what_movers_may_no_longer_hold_is_measured() {
    let desk = company();
    let movers = ["leavers", "--movers"];
    desk.trouble(3, &movers, "no access policy is loaded");
    let package = desk.room.path("none.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let page = desk.in_package(&package, "leavers/was-it-in-time.md");
    assert!(page.contains("No access policy is in force"), "{page}");
    let policy = desk.write("policy.cedar", POLICY);
    desk.expect(0, &["policy", "load", &policy]);
    let measured = desk.lines(1, &movers);
    let who: Vec<&str> = measured
        .iter()
        .map(|one| one["identity"].as_str().unwrap())
        .collect();
    assert_eq!(
        who,
        ["hr:ann", "hr:ben", "hr:cat", "hr:dan"],
        "who stayed has not moved"
    );
    assert_eq!(
        things(&measured),
        [
            "hr:ann erp:ledger closed in time 259200",
            "hr:ben erp:ledger closed late 259200",
            "hr:cat erp:ledger still open 259200",
        ]
    );
    // What no policy speaks for is no fail, and no pass.
    assert_eq!(measured[3]["verdict"], "indeterminate");
    let missing = measured[3]["missing_facts"].to_string();
    assert!(
        missing.contains("entitlement odd:key: no policy speaks for odd"),
        "{missing}"
    );
    assert!(!missing.contains("erp:console"), "{missing}");
    let table = desk.expect(1, &movers);
    assert!(
        table.contains("4 movers: 2 fail, 2 indeterminate, 0 pass"),
        "{table}"
    );
    // A package of the estate says the same, beside whoever left.
    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let file = |name: &str| desk.in_package(&package, &format!("leavers/{name}"));
    assert_eq!(
        file("movers.csv"),
        desk.expect(1, &["leavers", "--movers", "--csv"])
    );
    let verdicts = file("summary.csv");
    let verdicts = verdicts.lines().filter(|line| line.contains(",mover,"));
    assert_eq!(verdicts.count(), 4);
    let page = file("was-it-in-time.md");
    let said = "of 4 who moved: 2 fail, 2 indeterminate, 0 pass";
    assert!(page.contains(said), "{page}");
    // Nothing was read for so long that who moved since is not known.
    let none = desk.expect(1, &["leavers", "--movers", "--since", "2026-02-01"]);
    assert!(none.contains("nobody is known to have moved"), "{none}");
    // Nobody has left.
    let leavers = desk.expect(1, &["leavers"]);
    assert!(
        leavers.contains("nobody is known to have left"),
        "{leavers}"
    );
}

#[test]
fn a_mover_is_watched_from_the_move_that_was_told() {
    let desk = company();
    let watch =
        |who: &str| ["watch", "start", "--identity", who, "--event", "mover"].map(str::to_owned);
    let words = |all: &[String; 6]| all.clone();
    let start = |who: &str, status: i32| {
        let all = words(&watch(who));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        desk.run(&all).0 == status
    };
    assert!(start("cat", 3), "without a policy");
    let policy = desk.write("policy.cedar", POLICY);
    desk.expect(0, &["policy", "load", &policy]);
    desk.trouble(
        2,
        &["watch", "start", "--identity", "eve", "--event", "mover"],
        "no source of truth tells that `eve` moved",
    );
    let far = ["watch", "start", "--identity", "eve", "--at", "2046-01-01"];
    desk.trouble(2, &far, "is more than ten years from now");
    assert!(start("cat", 0));
    let watched = desk.lines(0, &["watch", "list"]).remove(0);
    assert_eq!(
        watched["at"], "2026-01-10T00:00:00Z",
        "when the move was told"
    );
    desk.expect(1, &["watch", "read", "1"]);
    let watched = desk.lines(1, &["watch", "list"]).remove(0);
    assert_eq!(watched["state"], "overdue");
    assert_eq!(
        (&watched["open"], &watched["things"]),
        (&1.into(), &1.into())
    );
    desk.expect(0, &["watch", "stop", "1"]);
    let (_, _, said) = desk.run(&["watch", "read", "1"]);
    assert!(said.contains("watch 1 has ended: stopped"), "{said}");
}

/// Who is watched: who, from when, since whose word, and how it stands.
fn watched(desk: &Desk) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = desk.run(&["watch", "list", "--json"]).1;
    let line = |line: &str| {
        let one: Value = serde_json::from_str(line).unwrap();
        let state = match one["state"].as_str() {
            Some("stopped") => "stopped",
            _ => "goes on",
        };
        let at = word(&one["at"]);
        let day = at.split('T').next().unwrap().to_owned();
        format!(
            "{} {day} {} {state}",
            word(&one["identity"]),
            word(&one["said_by"])
        )
    };
    let mut all: Vec<String> = all.lines().map(line).collect();
    all.sort();
    all
}

#[test]
fn a_source_of_truth_starts_watches_by_itself_and_ends_them_where_it_tells_otherwise() {
    let desk = Desk::new();
    let day = |ahead: u64| {
        let day = Utc::now()
            .date_naive()
            .checked_add_days(Days::new(ahead))
            .unwrap();
        day.to_string()
    };
    let roster = |rows: &[(&str, &str, &str)]| {
        let row =
            |(id, status, end): &(&str, &str, &str)| format!("{id},person,{id},{status},{end}\n");
        let rows: String = rows.iter().map(row).collect();
        desk.write(
            "hr/identities.csv",
            format!("id,kind,display_name,status,end_date\n{rows}"),
        );
        let folder = desk.room.path("hr").display().to_string();
        let set = ["--set", "watch_leavers=true", "--set", "hold_above=100"];
        desk.expect(0, &[&["import", &folder, "--as", "hr"][..], &set].concat());
    };
    let (soon, later, far) = (day(3), day(5), day(30));
    roster(&[
        ("ann", "active", &soon),
        ("ben", "active", &far),
        ("cat", "active", ""),
        ("old", "inactive", "2020-01-01"),
    ]);
    // A day's end is the first moment of the next one.
    let on =
        |who: &str, ahead: u64, how: &str| format!("hr:{who} {} source hr {how}", day(ahead + 1));
    assert_eq!(watched(&desk), [on("ann", 3, "goes on")]);
    // Nothing new: the same watch.
    roster(&[
        ("ann", "active", &soon),
        ("ben", "active", &far),
        ("cat", "inactive", ""),
        ("old", "inactive", "2020-01-01"),
    ]);
    assert_eq!(watched(&desk).len(), 2, "cat left just now");
    // Another day for Ann.
    roster(&[
        ("ann", "active", &later),
        ("ben", "active", &far),
        ("cat", "inactive", ""),
        ("old", "inactive", "2020-01-01"),
    ]);
    let all = watched(&desk);
    assert!(all.contains(&on("ann", 3, "stopped")), "{all:?}");
    assert!(all.contains(&on("ann", 5, "goes on")), "{all:?}");
    // She stays, and Cat comes back.
    roster(&[
        ("ann", "active", ""),
        ("ben", "active", &far),
        ("cat", "active", ""),
        ("old", "inactive", "2020-01-01"),
    ]);
    let all = watched(&desk);
    assert!(all.iter().all(|one| one.ends_with("stopped")), "{all:?}");
    // Without the setting nobody is watched.
    let other = Desk::new();
    let end = format!("id,kind,status,end_date\nann,person,active,{soon}\n");
    other.write("hr/identities.csv", end);
    let folder = other.room.path("hr").display().to_string();
    other.expect(0, &["import", &folder, "--as", "hr"]);
    assert!(watched(&other).is_empty());
}
