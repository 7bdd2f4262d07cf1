//! What stays behind: no core dump, and nothing in clear in any file, also while work goes on.

use super::{files, holds, with_secret};
use lastkey_tests::desk::Desk;
use lastkey_tests::window::program;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Starts a program that waits, with core dumps allowed by whoever starts it.
fn dumping(folder: &Path, program: &str, arguments: &[&str]) -> Child {
    Command::new("bash")
        .args(["-c", "ulimit -c unlimited && exec \"$@\"", "bash", program])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash starts")
}

fn core_limit(pid: u32) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let line = limits.lines().find(|l| l.starts_with("Max core file size"));
    line.unwrap_or_default().to_owned()
}

/// Ends it as a crash would; whether the system says that it left a core dump. (A SEGV that
/// somebody sends is not enough: Rust's own handler takes the first for a stack overflow.)
fn crash(mut child: Child) -> bool {
    let sent = Command::new("kill")
        .args(["-ABRT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status:?}");
    status.core_dumped()
}

#[test]
fn a_crash_leaves_no_core_dump() {
    let desk = Desk::new();
    let folder = desk.room.path("cores");
    std::fs::create_dir_all(&folder).unwrap();
    // The positive control: here a crash does leave one.
    let control = dumping(&folder, "sleep", &["100"]);
    let begun = Instant::now();
    while !core_limit(control.id()).contains("unlimited") {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{}",
            core_limit(control.id())
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(crash(control), "this machine writes core dumps");

    let store = desk.store.clone();
    let mut all = vec!["--store", store.as_str(), "--key-file", desk.key.as_str()];
    all.extend(with_secret("directory", "-"));
    let ours = dumping(&folder, &program("lastkey").display().to_string(), &all);
    let begun = Instant::now();
    loop {
        let limit = core_limit(ours.id());
        let words: Vec<&str> = limit.split_whitespace().collect();
        if words.get(4..6) == Some(&["0", "0"]) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{limit}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!crash(ours), "no core dump is left");
}

#[test]
fn nothing_stands_in_clear_in_any_file_during_work_and_after_it() {
    const CANARY: &str = "Zanzibar Canary";
    let desk = Desk::new();
    let mut rows = String::from("id,kind,display_name,email,status\n");
    for n in 0..4_000 {
        rows.push_str(&format!(
            "{n},person,{CANARY} {n},p{n}@example.org,active\n"
        ));
    }
    let input = desk.write("input/identities.csv", &rows);
    let input = PathBuf::from(input);
    let input = input.parent().unwrap();
    let folder = desk.room.path("work");
    let temporary = desk.room.path("temporary");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(&temporary).unwrap();
    let store = folder.join("s.lastkey").display().to_string();
    let package = folder.join("package.zip").display().to_string();
    let secret = desk.write_secret("secret", "canary-secret-81");
    let backup = folder.join("b.lastkey").display().to_string();
    let steps: [Vec<&str>; 6] = [
        vec!["import", input.to_str().unwrap(), "--as", "hr"],
        with_secret("directory", &secret),
        vec!["rehearse", "leaver", "--all"],
        vec!["export", "--out", &package],
        vec!["store", "backup", &backup],
        vec!["store", "rekey"],
    ];
    let done = AtomicBool::new(false);
    let looked = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut looked = 0u32;
            let mut last = false;
            loop {
                for path in [files(&folder), files(&temporary)].concat() {
                    for word in [CANARY, "canary-secret-81", "SQLite format 3"] {
                        assert!(!holds(&path, word), "`{word}` in {}", path.display());
                    }
                    looked += 1;
                }
                if last {
                    return looked;
                }
                last = done.load(Ordering::Relaxed);
            }
        });
        for step in &steps {
            let ended = desk
                .room
                .command(&program("lastkey"))
                .env("TMPDIR", &temporary)
                .args(["--store", &store, "--key-file", &desk.key])
                .args(step)
                .output()
                .unwrap();
            let status = ended.status.code().unwrap_or(-1);
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(matches!(status, 0 | 1), "{step:?}: {status} {said}");
        }
        done.store(true, Ordering::Relaxed);
        looker.join().expect("nothing in clear was found")
    });
    assert!(
        looked > 20,
        "the files were looked at while work went on: {looked}"
    );
}
