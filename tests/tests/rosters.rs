//! Dated rosters from the command line: what happened in them, told as a script of its own tells it;
//! and that a series is read in its order, each roster once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The columns and words of the other system.
const MAP: &str = "id=Personnel No,display_name=Full Name,email=Work E-Mail,status=Employment Status,\
    department=Org Unit,title=Job Title,manager_id=Reports To,employer_id=Agency,location=Site,\
    start_date=Hire Date,end_date=Last Working Day,status.Active=active,status.Terminated=inactive,\
    status.Future hire=pending,status.Leave=on_leave";

fn script(name: &str, folder: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name);
    let done = Command::new("python3")
        .arg(path)
        .arg(folder)
        .output()
        .expect("python3 starts");
    let told = String::from_utf8(done.stdout).expect("text");
    assert!(
        done.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    told
}

/// Events as lines, sorted: event, who, from when, until when, what changed.
fn events(desk: &Desk) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let mut lines: Vec<String> = desk
        .lines(0, &["events"])
        .iter()
        .map(|e| {
            let changed: Vec<String> = e["changed"].as_array().unwrap().iter().map(word).collect();
            let [event, who, from, until] =
                ["event", "identity", "earliest", "latest"].map(|key| word(&e[key]));
            format!("{event} {who} {from} {until} {}", changed.join(","))
                .trim_end()
                .to_owned()
        })
        .collect();
    lines.sort();
    lines
}

/// What stands on one side only; a thousand equal lines say nothing.
fn difference(left: &[String], right: &[String]) -> Vec<String> {
    let only = |a: &[String], b: &[String], sign: &str| -> Vec<String> {
        let lines = a.iter().filter(|line| !b.contains(line));
        lines.map(|line| format!("{sign} {line}")).collect()
    };
    [
        only(left, right, "told and not so:"),
        only(right, left, "not told:"),
    ]
    .concat()
}

#[test]
fn eighteen_rosters_tell_what_a_script_of_its_own_finds_in_them() {
    let desk = Desk::new();
    let folder = desk.room.path("rosters");
    script("rosters.py", &folder);
    let shown = folder.display().to_string();
    let import = [
        "import",
        &shown,
        "--as",
        "hr",
        "--series",
        "--map",
        MAP,
        "--set",
        "timezone=Europe/Zurich",
    ];
    let reports = desk.lines(0, &import);
    assert_eq!(reports.len(), 18);
    for report in &reports {
        assert_eq!(report["state"], "complete", "{report}");
        let people = report["totals"]["reported"].as_u64().unwrap();
        assert!((1_900..2_300).contains(&people), "{report}");
    }
    let wanted: Vec<String> = script("roster_events.py", &folder)
        .lines()
        .map(str::to_owned)
        .collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &wanted {
        *kinds.entry(line.split(' ').next().unwrap()).or_default() += 1;
        let mark = line.split(' ').next_back().unwrap();
        if mark == "no_show" || mark == "not_marked_by_source" {
            *kinds.entry(mark).or_default() += 1;
        }
    }
    for (kind, at_least) in [
        ("joiner", 300),
        ("mover", 300),
        ("leaver", 300),
        ("rehire", 50),
        ("leave_start", 100),
        ("leave_end", 50),
        ("extension", 20),
        ("renamed", 50),
        ("no_show", 20),
        ("not_marked_by_source", 10),
    ] {
        assert!(
            kinds.get(kind) >= Some(&at_least),
            "too few to prove it: {kinds:?}"
        );
    }
    let told = events(&desk);
    assert_eq!(difference(&told, &wanted), Vec::<String>::new());
    assert_eq!(told.len(), wanted.len(), "each once");
    desk.expect(0, &["store", "check"]);

    // The same series again adds nothing, with its mapping or without; one more roster goes on.
    let syncs = desk.lines(0, &["journal", "hr"]).len();
    assert_eq!(desk.lines(0, &import), Vec::<Value>::new());
    let again = ["import", &shown, "--as", "hr", "--series"];
    let said = desk.expect(0, &again);
    assert!(
        said.contains("18 rosters, 2019-01.csv to 2020-07.csv, were read before"),
        "{said}"
    );
    assert_eq!(desk.lines(0, &["journal", "hr"]).len(), syncs);
    assert_eq!(events(&desk), told);
    std::fs::copy(folder.join("2020-07.csv"), folder.join("2020-08.csv")).unwrap();
    assert_eq!(desk.lines(0, &again).len(), 1);
    assert_eq!(events(&desk), told, "nothing happened in that month");

    // A month that was forgotten comes too late, and so does another text of an old one.
    std::fs::copy(folder.join("2019-09.csv"), folder.join("2019-10.csv")).unwrap();
    desk.trouble(
        3,
        &again,
        "`2019-10.csv` comes too late: `hr` was read as of 2020-08-01 already",
    );
    std::fs::remove_file(folder.join("2019-10.csv")).unwrap();
    std::fs::copy(folder.join("2019-09.csv"), folder.join("2019-11.csv")).unwrap();
    desk.trouble(
        3,
        &again,
        "`2019-11.csv` is not what was read under its date",
    );
    assert_eq!(events(&desk), told);
}

/// Three rosters of a few people, of which the middle one is broken in some way.
fn three(middle: &str) -> (Desk, String) {
    let desk = Desk::new();
    let header = "id,kind,display_name,status,department\n";
    let ann = "ann,person,Ann,active,Sales\n";
    let rest = "bob,person,Bob,active,Sales\nkim,person,Kim,active,Sales\n";
    desk.write("rosters/2026-01.csv", format!("{header}{ann}{rest}"));
    desk.write("rosters/2026-02.csv", middle);
    desk.write(
        "rosters/2026-03.csv",
        format!("{header}ann,person,Ann,active,Ops\n{rest}"),
    );
    let folder = desk.room.path("rosters").display().to_string();
    (desk, folder)
}

const MOVED: &str = "mover ann 2026-01-01T00:00:00Z 2026-03-01T00:00:00Z department";

#[test]
fn a_roster_with_a_broken_row_makes_nobody_leave() {
    // Kim's row cannot be read, Bob's is missing: nothing is known of either.
    let (desk, folder) = three(
        "id,kind,display_name,status,department\nann,person,Ann,active,Ops\nkim,person,Kim,perhaps,Sales\n",
    );
    let states: Vec<Value> = desk
        .lines(1, &["import", &folder, "--as", "hr", "--series"])
        .iter()
        .map(|report| report["state"].clone())
        .collect();
    assert_eq!(states, ["complete", "incomplete", "complete"]);
    // The move is known to lie between the two that were read to their ends.
    assert_eq!(events(&desk), [MOVED]);
    assert_eq!(
        desk.lines(0, &["import", &folder, "--as", "hr", "--series"]),
        Vec::<Value>::new()
    );
    // A later one that is whole does not make it whole: that is said where it is imported again,
    // and where sources are listed.
    let (status, _, said) = desk.run(&["import", &folder, "--as", "hr", "--series"]);
    assert_eq!(status, 0);
    for part in [
        "hr: the roster of 2026-02-01 was not read completely and stays so",
        "`lastkey source remove hr` and import the whole series anew",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let listed = desk.expect(0, &["source", "list"]);
    assert!(
        listed.contains("hr: the roster of 2026-02-01 was not read completely and stays so"),
        "{listed}"
    );
}

#[test]
fn a_series_stops_at_a_roster_that_cannot_be_read_and_goes_on_once_it_is_mended() {
    let (desk, folder) = three("nobody,knows,these,columns\n1,2,3,4\n");
    let import = ["import", &folder, "--as", "hr", "--series"];
    let told = desk.trouble(3, &import, "1 roster from 2026-03.csv on was left");
    assert!(told.contains("error: hr: "), "{told}");
    assert_eq!(events(&desk), Vec::<String>::new());
    assert_eq!(desk.lines(0, &["identities"]).len(), 3, "nobody is gone");
    let mended = std::fs::read(desk.room.path("rosters/2026-01.csv")).unwrap();
    desk.write("rosters/2026-02.csv", mended);
    let said = desk.expect(0, &import);
    assert!(
        said.contains("2026-01.csv was read before and is as it was"),
        "{said}"
    );
    assert_eq!(
        events(&desk),
        [MOVED.replace("2026-01-01", "2026-02-01")],
        "the mended one counts"
    );
}

#[test]
fn a_series_that_is_read_again_says_nothing_of_today_and_goes_on() {
    let (desk, folder) = three(
        "id,kind,display_name,status,department\nann,person,Ann,active,Ops\nbob,person,Bob,active,Sales\nkim,person,Kim,active,Sales\n",
    );
    let import = ["import", &folder, "--as", "hr", "--series"];
    desk.expect(0, &import);
    let before = events(&desk);
    let last = |desk: &Desk| desk.lines(0, &["source", "list"])[0][0]["last_complete_at"].clone();
    let shown = last(&desk);
    desk.expect(0, &["sync", "hr"]);
    assert_eq!(last(&desk), shown, "the roster is as old as it was");
    assert_eq!(events(&desk), before);
    let next = std::fs::read(desk.room.path("rosters/2026-03.csv")).unwrap();
    desk.write("rosters/2026-04.csv", next);
    desk.expect(0, &import);
    assert_ne!(last(&desk), shown, "the next roster is read");
}

#[test]
fn a_roster_of_a_day_to_come_is_refused_before_anything_is_read() {
    let middle = "id,kind,display_name,status,department\nann,person,Ann,active,Sales\nbob,person,Bob,active,Sales\nkim,person,Kim,active,Sales\n";
    let (desk, folder) = three(middle);
    let slip = desk.write("rosters/2062-11-20.csv", "id,kind\nann,person\n");
    let says = "`2062-11-20.csv` is of 2062-11-20, which is in the future";
    for path in [&folder, &slip] {
        desk.trouble(2, &["import", path, "--as", "hr", "--series"], says);
    }
    std::fs::remove_file(&slip).unwrap();
    desk.expect(0, &["import", &folder, "--as", "hr", "--series"]);
    // Also where it is not said that it is a series.
    let last = |desk: &Desk| desk.lines(0, &["source", "list"])[0][0]["last_complete_at"].clone();
    let before = (last(&desk), desk.lines(0, &["journal", "hr"]).len());
    desk.write("rosters/2062-11-20.csv", "id,kind\nann,person\n");
    desk.trouble(2, &["import", &slip, "--as", "hr"], says);
    let after = (last(&desk), desk.lines(0, &["journal", "hr"]).len());
    assert_eq!(after, before);
}

#[test]
fn a_series_goes_on_where_it_is_not_said_that_it_is_one() {
    let desk = Desk::new();
    let header = "User,Full name,State\n";
    desk.write(
        "rosters/2026-01.csv",
        format!("{header}ann,Ann,active\nbob,Bob,active\n"),
    );
    let folder = desk.room.path("rosters").display().to_string();
    let map = "id=User,display_name=Full name,status=State";
    desk.expect(
        0,
        &["import", &folder, "--as", "hr", "--series", "--map", map],
    );
    let mapping = |desk: &Desk| desk.lines(0, &["source", "list"])[0][0]["totals"].clone();
    let before = (events(&desk), mapping(&desk));
    // What carries no date is refused before anything is changed, and it is said what to do.
    let undated = desk.write("other/roster.csv", format!("{header}ann,Ann,active\n"));
    for path in [&undated, &desk.room.path("other").display().to_string()] {
        let told = desk.trouble(
            2,
            &["import", path, "--as", "hr"],
            "`hr` is a series of dated rosters, and",
        );
        assert!(told.contains("has no date in its name"), "{told}");
        assert!(told.contains("--as hr --series"), "{told}");
    }
    assert_eq!((events(&desk), mapping(&desk)), before);
    // What carries one goes on, with the mapping that the series has: a folder, and a file alone.
    let rows = format!("{header}ann,Ann,active\nbob,Bob,active\ncy,Cy,active\n");
    desk.write("rosters/2026-02.csv", &rows);
    let (status, out, err) = desk.run(&["import", &folder, "--as", "hr"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(err.contains("goes on as one, as with --series"), "{err}");
    let joined = "joiner cy 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z";
    assert_eq!(events(&desk), [joined]);
    let third = desk.write("rosters/2026-03.csv", rows.replace("bob,Bob,active\n", ""));
    assert_eq!(desk.lines(0, &["import", &third, "--as", "hr"]).len(), 1);
    let left = "leaver bob 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z";
    assert_eq!(events(&desk), [joined, left]);
    desk.write("rosters/2026-04.csv", &rows);
    desk.expect(0, &["import", &folder, "--as", "hr", "--series"]);
    assert_eq!(events(&desk).len(), 3, "the series goes on");
}

#[test]
fn a_file_that_is_imported_again_keeps_its_mapping() {
    let desk = Desk::new();
    let file = desk.write("roster.csv", "User,State\nann,active\n");
    let again = ["import", &file, "--as", "hr"];
    desk.expect(
        0,
        &[&again[..], &["--map", "id=User,status=State"]].concat(),
    );
    desk.write("roster.csv", "User,State\nann,active\nbob,active\n");
    let report = &desk.lines(0, &again)[0];
    assert_eq!(report["totals"]["stored"], 1, "{report}");
    // Another mapping takes the place of the whole.
    desk.write("roster.csv", "User,Gone\nann,active\nbob,active\n");
    desk.expect(3, &again);
    let other = [&again[..], &["--map", "id=User"]].concat();
    assert_eq!(desk.lines(0, &other)[0]["state"], "complete");
}

#[test]
fn a_source_that_is_no_source_of_truth_tells_of_nobody() {
    let (desk, folder) =
        three("id,kind,display_name,status,department\nann,person,Ann,active,Ops\n");
    let import = [
        "import",
        &folder,
        "--as",
        "copy",
        "--series",
        "--set",
        "source_of_truth=false",
        "--set",
        "hold_above=100",
    ];
    desk.expect(0, &import);
    assert_eq!(events(&desk), Vec::<String>::new());
    assert_eq!(
        desk.lines(0, &["identities"]).len(),
        3,
        "they are identities all the same"
    );
    let said = desk.expect(0, &["events"]);
    assert!(said.contains("no event yet"), "{said}");
}

#[test]
fn events_are_narrowed_ordered_and_printed() {
    let (desk, folder) = three(
        "id,kind,display_name,status,department\nann,person,Ann,active,Ops\nkim,person,Kim,active,Sales\n",
    );
    desk.expect(
        0,
        &[
            "import",
            &folder,
            "--as",
            "hr",
            "--series",
            "--set",
            "hold_above=100",
        ],
    );
    let who = |arguments: &[&str]| -> Vec<String> {
        let mut all = vec!["events"];
        all.extend(arguments);
        let lines = desk.lines(0, &all);
        let told = lines
            .iter()
            .map(|e| format!("{} {}", e["event"], e["name"]).replace('"', ""));
        told.collect()
    };
    let (moved, left, back) = ("mover Ann", "leaver Bob", "rehire Bob");
    assert_eq!(who(&[]), [moved, left, back]);
    assert_eq!(who(&["--newest-first"]), [back, left, moved]);
    assert_eq!(who(&["--where", "event=leaver"]), [left]);
    assert_eq!(who(&["--where", "changed=department"]), [moved]);
    assert_eq!(who(&["--since", "2026-02-02"]), [back]);
    assert_eq!(who(&["--until", "2026-01-31"]), [moved, left]);
    desk.trouble(
        2,
        &["events", "--since", "soon"],
        "`soon` is neither a date nor a moment, for `since`",
    );
    let told = desk.trouble(
        2,
        &["events", "--since", "01.01.2026"],
        "`01.01.2026` is neither",
    );
    assert!(told.contains("write a day (2026-11-20)"), "{told}");
    desk.trouble(
        2,
        &["events", "--where", "event=birthday"],
        "`birthday` is no event of the lifecycle: there are joiner, mover,",
    );
    desk.trouble(
        2,
        &["events", "--as-of", "1"],
        "--as-of does not go with events",
    );
    let table = desk.expect(0, &["events", "--where", "identity=ann"]);
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        ["when", "event", "identity", "name", "changed", "source"]
    );
    assert_eq!(
        lines[1],
        [
            "2026-01-01T00:00:00Z",
            "to",
            "2026-02-01T00:00:00Z",
            "mover",
            "ann",
            "Ann",
            "department",
            "hr"
        ]
    );
    let csv = desk.expect(0, &["events", "--csv", "--where", "identity=ann"]);
    assert_eq!(
        csv.lines().collect::<Vec<_>>(),
        [
            "event,identity,source,earliest,latest,changed,name,owner",
            "mover,ann,hr,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,department,Ann,",
        ]
    );
}

/// A roster as another system writes it: who, in which unit, in which state.
fn foreign(rows: &[(&str, &str, &str)]) -> String {
    let rows = rows
        .iter()
        .map(|(id, unit, state)| format!("{id},{unit},Clerk,{state}\n"));
    format!("User,Unit,Job,State\n{}", rows.collect::<String>())
}

const FOREIGN: &str = "id=User,department=Unit,status=State,status.Here=active";
const ZONE: [&str; 2] = ["--set", "timezone=Europe/Zurich"];

#[test]
fn a_mapping_takes_the_place_of_the_mapping_and_of_nothing_else() {
    let desk = Desk::new();
    let rows = [("ann", "Ops", "Here"), ("bob", "Sales", "Here")];
    let first = desk.write("2026-01.csv", foreign(&rows));
    let next = desk.write("2026-02.csv", foreign(&rows));
    let import = |file: &str, more: &[&str]| -> Vec<String> {
        let all = [&["import", file, "--as", "hr", "--series"], more].concat();
        all.iter().map(|word| (*word).to_owned()).collect()
    };
    let run = |status: i32, file: &str, more: &[&str]| {
        let all = import(file, more);
        desk.expect(status, &all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = |file: &str, more: &[&str], says: &str| {
        let all = import(file, more);
        desk.trouble(3, &all.iter().map(String::as_str).collect::<Vec<_>>(), says)
    };
    run(0, &first, &[&ZONE[..], &["--map", FOREIGN]].concat());
    // The zone stays with another mapping, and a day is the day that it was.
    run(0, &next, &["--map", FOREIGN]);
    assert_eq!(events(&desk), Vec::<String>::new(), "nothing happened");
    let moved = [("ann", "Sales", "Here"), ("bob", "Sales", "Here")];
    let third = desk.write("2026-03.csv", foreign(&moved));
    // Another column, or another zone, would let people move who did not.
    let other = FOREIGN.replace("department=Unit", "department=Job");
    refused(
        &third,
        &["--map", &other],
        "with other settings before (department=Unit)",
    );
    let zone = ["--set", "timezone=UTC"];
    refused(
        &third,
        &zone,
        "with other settings before (timezone=Europe/Zurich)",
    );
    refused(
        &next,
        &zone,
        "with other settings before (timezone=Europe/Zurich)",
    );
    let word = FOREIGN.replace("Here=active", "Here=inactive");
    refused(
        &third,
        &["--map", &word],
        "with other settings before (status.Here=active)",
    );
    assert_eq!(events(&desk), Vec::<String>::new());
    // A header that the other system named anew is the same column; a word more is one more.
    desk.write("2026-03.csv", foreign(&moved).replace("Unit", "Team"));
    let more = FOREIGN.replace("=Unit", "=Team") + ",status.Away=on_leave";
    run(0, &third, &["--map", &more]);
    assert_eq!(
        events(&desk),
        ["mover ann 2026-01-31T23:00:00Z 2026-02-28T23:00:00Z department"]
    );
}

#[test]
fn a_roster_with_an_unknown_word_is_read_again_once_the_word_is_known() {
    let desk = Desk::new();
    let rows = [("ann", "Ops", "Here"), ("bob", "Sales", "Here")];
    desk.write("rosters/2026-01.csv", foreign(&rows));
    let away = [("ann", "Ops", "Here"), ("bob", "Sales", "Away")];
    let last = desk.write("rosters/2026-02.csv", foreign(&away));
    let folder = desk.room.path("rosters").display().to_string();
    let import = ["import", &folder, "--as", "hr", "--series"];
    desk.expect(1, &[&import[..], &ZONE, &["--map", FOREIGN]].concat());
    assert_eq!(events(&desk), Vec::<String>::new());
    // Without the word it is what it was; with it, the same day is read to its end.
    assert_eq!(desk.lines(0, &import), Vec::<Value>::new());
    let more = format!("{FOREIGN},status.Away=on_leave");
    let reports = desk.lines(0, &[&import[..], &["--map", &more]].concat());
    assert_eq!(reports.len(), 1, "the last one");
    assert_eq!(reports[0]["state"], "complete", "{reports:?}");
    let left = "leave_start bob 2025-12-31T23:00:00Z 2026-01-31T23:00:00Z";
    assert_eq!(events(&desk), [left]);
    // Once it is complete it is not read again, and the words are kept.
    let alone = ["import", &last, "--as", "hr", "--series"];
    assert_eq!(
        desk.lines(0, &[&alone[..], &["--map", FOREIGN]].concat())
            .len(),
        0
    );
    assert_eq!(
        desk.lines(0, &[&alone[..], &["--map", &more]].concat())
            .len(),
        0
    );
    let next = desk.write("rosters/2026-03.csv", foreign(&away));
    assert_eq!(
        desk.lines(0, &["import", &next, "--as", "hr"])[0]["state"],
        "complete"
    );
    assert_eq!(events(&desk), [left]);
}

#[test]
fn a_mapping_that_is_refused_is_not_kept() {
    let desk = Desk::new();
    let file = desk.write("hr.csv", foreign(&[("ann", "Ops", "Here")]));
    let import = ["import", &file, "--as", "hr"];
    let refused = [&import[..], &["--map", "id=Nobody"]].concat();
    desk.trouble(3, &refused, "has no column `Nobody`");
    assert_eq!(
        desk.lines(0, &["source", "list"])[0],
        serde_json::json!([]),
        "none was made of it"
    );
    desk.expect(0, &[&import[..], &["--map", FOREIGN]].concat());
    desk.trouble(3, &refused, "has no column `Nobody`");
    assert_eq!(desk.lines(0, &import)[0]["state"], "complete");
    // Of a series neither.
    let dated = desk.write("2026-01.csv", foreign(&[("ann", "Ops", "Here")]));
    let series = ["import", &dated, "--as", "dated", "--series"];
    desk.trouble(
        3,
        &[&series[..], &["--map", "id=Nobody"]].concat(),
        "has no column `Nobody`",
    );
    assert_eq!(
        desk.lines(0, &[&series[..], &["--map", FOREIGN]].concat())
            .len(),
        1
    );
}
