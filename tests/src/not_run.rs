//! Says that a case could not run here: never silently, and never as a pass.

use std::io::Write;

/// Writes the line that ./test counts and judges by tests/labs/may-not-run.toml.
pub fn not_run(server: &str, case: &str, why: &str) {
    let line = format!("{server}\t{case}\t{why}\n");
    let _closed = std::io::stderr().write_all(format!("NOT RUN {line}").as_bytes());
    if let Ok(path) = std::env::var("LASTKEY_NOT_RUN") {
        let file = std::fs::OpenOptions::new().append(true).open(path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(
            written.is_ok(),
            "the list of what did not run cannot be written"
        );
    }
}
