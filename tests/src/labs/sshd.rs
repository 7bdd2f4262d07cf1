//! A real OpenSSH server, which lets the user in who runs the tests, with the keys of the case.

use super::directory::{free_port, program};
use super::ends::EndsWithUs;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running sshd. Dropped, it is stopped and its folder is gone; it also ends when the test
/// program does.
pub struct Sshd {
    folder: TempDir,
    running: Option<EndsWithUs>,
    port: u16,
}

impl Sshd {
    /// Starts a server; `more` are lines of sshd_config that come before the lab's own.
    pub fn start(more: &str) -> Sshd {
        let folder = tempfile::tempdir().expect("a temporary folder for sshd");
        let mut lab = Sshd {
            folder,
            running: None,
            port: free_port(),
        };
        fs::write(lab.at("authorized_keys"), "").expect("authorized_keys");
        lab.key("host", &["-t", "ed25519"]);
        // Debian's server wants this folder to be there, when it runs as an administrator.
        let _as_a_user_it_is_not_needed = fs::create_dir_all("/run/sshd");
        lab.configure(more);
        lab.run();
        lab
    }

    /// The user who may be signed in as.
    pub fn user() -> String {
        let who = Command::new("id").arg("-un").output().expect("id starts");
        String::from_utf8_lossy(&who.stdout).trim().to_owned()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// The fingerprint of the server's host key.
    pub fn host_key(&self) -> String {
        let told = Command::new(program("ssh-keygen", "openssh-client"))
            .args(["-lf", &self.at("host.pub")])
            .output()
            .expect("ssh-keygen starts");
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        told.split(' ').nth(1).expect("a fingerprint").to_owned()
    }
    /// The server's own log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.at("sshd.log")).unwrap_or_default()
    }

    /// Makes a key pair; the private key. The public one is in no list yet.
    pub fn key(&self, name: &str, words: &[&str]) -> String {
        let made = Command::new(program("ssh-keygen", "openssh-client"))
            .args(["-q", "-C", name, "-f", &self.at(name)])
            .args(words)
            .args(match words.contains(&"-N") {
                true => &[][..],
                false => &["-N", ""],
            })
            .output()
            .expect("ssh-keygen starts");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        fs::read_to_string(self.at(name)).expect("a private key")
    }

    /// The public half of a key that was made.
    pub fn public(&self, name: &str) -> String {
        fs::read_to_string(self.at(&format!("{name}.pub"))).expect("a public key")
    }

    /// Lets in whoever has one of these keys, and nobody else.
    pub fn let_in(&self, names: &[&str]) {
        let lines: String = names.iter().map(|name| self.public(name)).collect();
        fs::write(self.at("authorized_keys"), lines).expect("authorized_keys");
    }

    /// Starts the server again with other lines.
    pub fn configure_again(&mut self, more: &str) {
        self.stop();
        self.configure(more);
        self.run();
    }

    /// Stops the server; what it holds stays until the value is dropped.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Where a file of the lab is.
    pub fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "{more}\nListenAddress 127.0.0.1\nPort {}\nHostKey {}\nPidFile {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nLogLevel DEBUG1\n",
            self.port,
            self.at("host"),
            self.at("sshd.pid"),
            self.at("authorized_keys"),
        );
        fs::write(self.at("sshd_config"), text).expect("sshd_config");
    }

    fn run(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.at("sshd.log"))
            .expect("sshd.log");
        let sshd: PathBuf = program("sshd", "openssh-server");
        assert!(Path::new(&sshd).is_absolute());
        let words = [
            &sshd.display().to_string(),
            "-D",
            "-e",
            "-f",
            &self.at("sshd_config"),
        ];
        let mut running = EndsWithUs::start(&words.map(str::to_owned), log);
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                !running.has_ended() && Instant::now() < deadline,
                "sshd does not start:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
        self.running = Some(running);
    }
}
