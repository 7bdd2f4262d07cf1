//! A server that a machine may lack: only one that is listed, and only where its probe fails.

use lastkey_conformance::Missing;
use std::io::Write;
use std::process::Command;

#[derive(serde::Deserialize)]
struct List {
    server: Vec<Server>,
}

#[derive(serde::Deserialize)]
struct Server {
    name: String,
    probe: String,
}

/// Says NOT RUN where that is allowed, and fails where it is not.
pub fn allowed(connector: &str, missing: &Missing) {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/labs/may-not-run.toml"
    ))
    .expect("the list of servers that may be missing");
    let list: List = toml::from_str(&text).expect("a list of servers");
    let (server, why) = (&missing.server, &missing.why);
    let Some(listed) = list.server.iter().find(|listed| listed.name == *server) else {
        panic!(
            "{connector} did not run ({why}), and `{server}` is not among the servers that may be missing"
        );
    };
    let probed = Command::new("bash")
        .args(["-c", &listed.probe])
        .output()
        .is_ok_and(|done| done.status.success());
    assert!(
        !probed,
        "{connector} did not run ({why}), although the probe for `{server}` succeeds"
    );
    println!("NOT RUN {server}: conformance of {connector}: {why}");
    if let Some(file) = std::env::var_os("LASTKEY_NOT_RUN") {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .expect("the list of what did not run");
        writeln!(file, "{server}\tconformance of {connector}\t{why}").expect("a line in it");
    }
}
