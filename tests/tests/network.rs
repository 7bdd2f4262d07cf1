//! No updater, no telemetry: the only connections are to configured sources. What is asked of
//! the system is looked at while commands run and while the window stands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::labs::{Seed, Slapd};
use lastkey_tests::not_run::not_run;
use lastkey_tests::window::{Room, program};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Whether system calls can be looked at here.
fn can_look() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "trace=connect", "true"])
        .output();
    tried.is_ok_and(|done| done.status.success())
}

/// A program under strace, its connections into a file.
fn watched(room: &Room, log: &Path, name: &str) -> Command {
    let mut command = room.command(Path::new("strace"));
    command
        .args(["-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o"])
        .arg(log)
        .arg(program(name))
        .current_dir(room.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// The addresses outside this process's own machine room: `ip:port`. Sockets in the file system
/// lead nowhere else.
fn addresses(trace: &str) -> BTreeSet<String> {
    let between = |line: &str, from: &str, to: char| {
        let (_, rest) = line.split_once(from)?;
        Some(rest.split(to).next().unwrap_or_default().to_owned())
    };
    let mut found = BTreeSet::new();
    for line in trace.lines() {
        let (port, address) = if line.contains("AF_INET6") {
            let port = between(line, "sin6_port=htons(", ')');
            (port, between(line, "inet_pton(AF_INET6, \"", '"'))
        } else if line.contains("AF_INET") {
            let port = between(line, "sin_port=htons(", ')');
            (port, between(line, "inet_addr(\"", '"'))
        } else {
            continue;
        };
        found.insert(format!(
            "{}:{}",
            address.unwrap_or_else(|| line.to_owned()),
            port.unwrap_or_default()
        ));
    }
    found
}

#[test]
fn addresses_are_read_from_what_was_asked() {
    let trace = r#"
1 connect(5, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT
2 connect(9, {sa_family=AF_INET, sin_port=htons(636), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
3 sendto(4, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = 1
4 connect(9, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 0
"#;
    let found: Vec<String> = addresses(trace).into_iter().collect();
    assert_eq!(found, ["10.0.0.2:53", "127.0.0.1:636", "2001:db8::1:443"]);
}

#[test]
fn commands_connect_to_the_configured_sources_alone() {
    if !can_look() {
        return not_run(
            "strace",
            "connections of commands",
            "strace cannot trace here",
        );
    }
    let lab = Slapd::start(Seed::default());
    let room = Room::new();
    let secret = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(room.path(name), text).unwrap();
        std::fs::set_permissions(room.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    secret("key", "a key file for tests");
    secret("secret", Slapd::READER_PASSWORD);
    std::fs::write(
        room.path("identities.csv"),
        "id,kind,display_name\np1,person,Ann\n",
    )
    .unwrap();
    let (url, ca) = (lab.ldaps_url(), lab.ca_path().display().to_string());
    let add = format!(
        "source add ldap dir --set url={url} --set ca_file={ca} --set base_dn={} --set bind_dn={} --set system=corp --secret-file secret",
        Slapd::BASE,
        Slapd::READER_DN
    );
    let source = url.strip_prefix("ldaps://").unwrap().to_owned();
    let nobody: &[&str] = &[];
    for (command, to) in [
        ("import identities.csv --as hr", nobody),
        (&add, nobody),
        ("source list", nobody),
        ("source check dir", &[source.as_str()]),
        ("sync", &[source.as_str()]),
        ("accounts --json", nobody),
        ("rehearse leaver --all --json", nobody),
        ("export --out p.zip", nobody),
        ("verify p.zip", nobody),
        ("store check", nobody),
        ("--version", nobody),
    ] {
        let log = room.path("trace");
        let done = watched(&room, &log, "lastkey")
            .args(["--store", "s.lastkey", "--key-file", "key"])
            .args(command.split(' '))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            matches!(done.status.code(), Some(0 | 1)),
            "{command}: {said}"
        );
        let found = addresses(&std::fs::read_to_string(&log).unwrap());
        let wanted: BTreeSet<String> = to.iter().map(|address| (*address).to_owned()).collect();
        assert_eq!(found, wanted, "lastkey {command}");
    }
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}

/// The window stands for a while, on a screen of its own.
#[test]
fn the_window_connects_to_nobody() {
    if !can_look() {
        return not_run(
            "strace",
            "connections of the window",
            "strace cannot trace here",
        );
    }
    let room = Room::new();
    let log = room.path("trace");
    let mut window = watched(&room, &log, "lastkey-window")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It has drawn its first screen when its web process has been there for some seconds.
    let begun = Instant::now();
    let mut seen = 0;
    while begun.elapsed() < Duration::from_secs(60) && seen < 8 {
        std::thread::sleep(Duration::from_secs(1));
        let trace = std::fs::read_to_string(&log).unwrap_or_default();
        // Under strace each process that does anything with a socket has lines of its own.
        let processes: BTreeSet<&str> = trace.lines().filter_map(|l| l.split(' ').next()).collect();
        if processes.len() >= 2 {
            seen += 1;
        }
    }
    assert!(
        seen >= 8,
        "the window did not come up: {}",
        std::fs::read_to_string(&log).unwrap_or_default()
    );
    // strace itself blocks signals while it writes to a file: the window is told, and strace
    // ends with it.
    let strace = window.id();
    let children = std::fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"));
    for child in children.unwrap().split_whitespace() {
        let _gone_already = Command::new("kill").arg(child).status();
    }
    let _gone_already = window.wait();
    let found = addresses(&std::fs::read_to_string(&log).unwrap());
    assert!(found.is_empty(), "the window connects to {found:?}");
}
