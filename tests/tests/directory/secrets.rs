//! Canaries: the bind password, the key file and the people's passwords are found nowhere.

use crate::company::*;
use lastkey_tests::desk::Desk;
use lastkey_tests::labs::Slapd;
use std::io::Read;

/// Every byte that a command left or said.
struct Traces(Vec<(String, Vec<u8>)>);

impl Traces {
    fn run(&mut self, desk: &Desk, arguments: &[&str]) {
        let mut loud = vec!["-vv"];
        loud.extend(arguments);
        let (_, out, err) = desk.run(&loud);
        self.0
            .push((format!("stdout of {arguments:?}"), out.into_bytes()));
        self.0
            .push((format!("stderr of {arguments:?}"), err.into_bytes()));
    }

    /// Files of the desk, but for the one that holds the key itself.
    fn files(&mut self, desk: &Desk) {
        for entry in std::fs::read_dir(desk.room.path("")).unwrap().flatten() {
            let path = entry.path();
            if path.is_file() && path != std::path::Path::new(&desk.key) {
                self.0
                    .push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }

    fn unzipped(&mut self, package: &str) {
        let mut zip = zip::ZipArchive::new(std::fs::File::open(package).unwrap()).unwrap();
        assert!(zip.len() > 5);
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            self.0
                .push((format!("{package}: {}", file.name().unwrap()), bytes));
        }
    }

    #[track_caller]
    fn hold_none_of(&self, canaries: &[&str]) {
        for (place, bytes) in &self.0 {
            for canary in canaries {
                let hex: String = canary.bytes().map(|b| format!("{b:02x}")).collect();
                let utf16: Vec<u8> = canary.encode_utf16().flat_map(u16::to_le_bytes).collect();
                for form in [canary.as_bytes(), hex.as_bytes(), &utf16] {
                    assert!(
                        !bytes.windows(form.len()).any(|part| part == form),
                        "`{canary}` stands in {place}"
                    );
                }
            }
        }
    }
}

fn tables(traces: &mut Traces, desk: &Desk) {
    for table in [
        "identities",
        "accounts",
        "entitlements",
        "grants",
        "credentials",
        "locations",
        "readers",
        "controls",
        "owners",
        "sessions",
        "tasks",
        "events",
        "journal",
    ] {
        traces.run(desk, &[table, "--json"]);
    }
    traces.run(desk, &["source", "list", "--json"]);
    traces.run(desk, &["store", "check"]);
}

#[test]
fn secrets_leave_no_trace() {
    let (lab, desk) = start();
    read_all(&lab, &desk);
    let mut traces = Traces(Vec::new());
    traces.run(&desk, &["source", "check", "dir"]);
    traces.run(&desk, &["sync"]);
    traces.run(&desk, &["rehearse", "leaver", "--all", "--items", "--json"]);
    traces.run(&desk, &["rehearse", "leaver", "--identity", "0007"]);
    tables(&mut traces, &desk);
    let package = desk.room.path("p.zip").display().to_string();
    traces.run(&desk, &["export", "--out", &package]);
    traces.unzipped(&package);
    traces.files(&desk);
    let sealed = traces
        .0
        .iter()
        .filter(|(place, _)| place.contains("s.lastkey"));
    assert!(
        sealed.count() >= 2,
        "the store and the sealed file are looked at"
    );
    traces.hold_none_of(&[Slapd::READER_PASSWORD, Desk::KEY, "kept-by-slapd"]);
    // The search itself finds what is there.
    assert!(
        traces
            .0
            .iter()
            .any(|(_, bytes)| { bytes.windows(4).any(|part| part == b"0007") })
    );
}

#[test]
fn a_server_that_says_the_password_back_is_not_repeated() {
    const CANARY: &str = "canary-c0ffee-echoed";
    let (lab, desk) = start();
    let echo = Slapd::ECHO_DN;
    for (name, url) in [("echo", lab.ldaps_url()), ("echo-starttls", lab.ldap_url())] {
        add(&desk, name, &url, &lab.ca_path(), echo, CANARY);
        let told = desk.trouble(3, &["source", "check", name], "is not the password");
        assert!(
            told.contains("(hidden)"),
            "the server's words came through: {told}"
        );
        let told = desk.trouble(3, &["sync", name], "is not the password");
        assert!(told.contains("(hidden)"), "{told}");
    }
    let mut traces = Traces(Vec::new());
    traces.run(&desk, &["source", "check", "echo"]);
    traces.run(&desk, &["sync"]);
    traces.run(&desk, &["sync", "--json"]);
    tables(&mut traces, &desk);
    traces.files(&desk);
    traces.hold_none_of(&[CANARY]);
}
