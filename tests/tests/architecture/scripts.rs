//! The scripts count what they claim to count, and judge what did not run.

use super::root;
use std::path::Path;
use std::process::Command;

/// Runs bash with the counting functions at hand; gives back status and stdout.
fn bash(room: &Path, script: &str) -> (i32, String) {
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c"])
        .arg(format!(". tests/scripts/steps.sh\n{script}"))
        .current_dir(root())
        .env("CARGO_TARGET_DIR", room)
        .output()
        .expect("bash starts");
    (
        done.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&done.stdout).into_owned(),
    )
}

/// The script ends with this status and this last line.
fn ends(script: &str, status: i32, last: &str) {
    let room = tempfile::tempdir().expect("a temporary folder");
    let (got, printed) = bash(room.path(), script);
    assert_eq!(
        (got, printed.lines().last().unwrap_or_default()),
        (status, last),
        "{script}\nprinted:\n{printed}"
    );
}

#[test]
fn the_last_line_adds_up() {
    ends("step one true; finish", 0, "1 passed, 0 failed, 0 skipped");
    ends(
        "step one true; step two false; finish",
        1,
        "1 passed, 1 failed, 0 skipped",
    );
    ends(
        "tests() { echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s'; echo 'test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured'; }; cargo_step t tests; finish",
        0,
        "7 passed, 0 failed, 0 skipped",
    );
}

#[test]
fn silence_is_not_a_pass() {
    // a step that ran nothing, one that broke before its first case, one that ignored a case
    ends(
        "cargo_step t true; finish",
        1,
        "0 passed, 1 failed, 0 skipped",
    );
    ends(
        "cargo_step t false; finish",
        1,
        "0 passed, 1 failed, 0 skipped",
    );
    ends(
        "tests() { echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured'; }; cargo_step t tests; finish",
        1,
        "3 passed, 1 failed, 0 skipped",
    );
    ends(
        "tests() { echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured'; return 101; }; cargo_step t tests; finish",
        1,
        "3 passed, 2 failed, 0 skipped",
    );
}

#[test]
fn a_case_that_did_not_run_is_not_counted_as_passed() {
    let tests = "tests() { printf 'nowhere\\tcase 1\\tno such server\\n' >>\"$LASTKEY_NOT_RUN\"; echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured'; }; cargo_step t tests; finish";
    // `nowhere` is not in tests/labs/may-not-run.toml, so leaving it out is a failure as well
    ends(tests, 1, "2 passed, 1 failed, 1 skipped");
}

/// The judgement of one line about what did not run, by a list with one server.
fn judged(probe: &str, line: &str) -> (i32, String) {
    let room = tempfile::tempdir().expect("a temporary folder");
    let list = room.path().join("list.toml");
    let lines = room.path().join("lines.tsv");
    std::fs::write(
        &list,
        format!("[[server]]\nname = \"rare\"\nwhy = \"rare\"\nprobe = \"{probe}\"\n"),
    )
    .unwrap();
    std::fs::write(&lines, line).unwrap();
    let done = Command::new("python3")
        .arg("tests/scripts/may_not_run.py")
        .args([&list, &lines])
        .current_dir(root())
        .output()
        .expect("python3 starts");
    (
        done.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&done.stdout).trim().to_owned(),
    )
}

#[test]
fn what_did_not_run_is_judged_by_the_list_and_its_probe() {
    assert_eq!(judged("false", "rare\tcase\twhy\n"), (0, String::new()));
    assert_eq!(
        judged("true", "rare\tcase\twhy\n"),
        (
            1,
            "`case` did not run, although the probe for `rare` succeeds: true".to_owned()
        )
    );
    assert_eq!(
        judged("false", "other\tcase\twhy\n"),
        (
            1,
            "`case` did not run, and `other` is not in the list of servers that may be missing"
                .to_owned()
        )
    );
    assert_eq!(
        judged("false", "rare\tcase\n"),
        (
            1,
            "not a line of server, case and reason: `rare\tcase`".to_owned()
        )
    );
}

#[test]
fn every_server_that_may_be_missing_has_a_reason_and_a_probe() {
    let done = Command::new("python3")
        .args([
            "tests/scripts/may_not_run.py",
            "tests/labs/may-not-run.toml",
            "/dev/null",
        ])
        .current_dir(root())
        .output()
        .expect("python3 starts");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
