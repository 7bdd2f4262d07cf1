//! A real TLS server of OpenSSL's, in whatever way it is told: it sends alerts where directories
//! only close. It understands nothing of what is said to it.

use super::certificates;
use super::directory::{free_port, program};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running `openssl s_server`. Dropped, it is stopped.
pub struct OpenSsl {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl OpenSsl {
    /// Starts one with further arguments.
    pub fn start(words: &[&str]) -> OpenSsl {
        let folder = tempfile::tempdir().expect("a folder for openssl");
        let openssl = program("openssl", "openssl");
        certificates::make(folder.path(), &openssl);
        let port = free_port();
        let child = Command::new(openssl)
            .current_dir(&folder)
            .args(["s_server", "-quiet"])
            .args(["-cert", "server.pem", "-key", "server.key"])
            .args(["-CAfile", "ca.pem", "-accept"])
            .arg(format!("127.0.0.1:{port}"))
            .args(words)
            // it ends with its input
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let server = OpenSsl {
            child,
            folder,
            port,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "openssl does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
    /// The CA that issued its certificate.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
