//! A server that would outlive the test program: it is ended when its parent is gone.

use std::fs::File;
use std::process::{Child, Command, Stdio};

/// Starts a program that writes to `log`, and ends it when the input that the test program holds is
/// closed: when this is dropped, and when the test program ends in whatever way.
pub struct EndsWithUs(Child);

impl EndsWithUs {
    /// The words are the program and its arguments.
    pub fn start(words: &[String], log: File) -> EndsWithUs {
        // The shell ends with the server; beside it, somebody waits for the end of its input.
        const SCRIPT: &str = "exec 3<&0; \"$@\" </dev/null 3<&- & server=$!; \
            { cat <&3 >/dev/null; kill -INT $server; kill -TERM $server; } & \
            exec 3<&-; wait $server";
        let child = Command::new("bash")
            .args(["-c", SCRIPT, "lab"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("bash starts");
        EndsWithUs(child)
    }

    /// Whether the server has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().ok().flatten().is_some()
    }
}

impl Drop for EndsWithUs {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _gone_already = self.0.wait();
    }
}
