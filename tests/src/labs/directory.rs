//! What every directory of the labs has: a folder, two ports, certificates, a process of its own
//! and an administrator.

use super::certificates;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A directory of either make. Dropped, it is stopped and its folder is gone.
pub struct Directory {
    folder: TempDir,
    child: Option<Child>,
    pub(super) ldap_port: u16,
    pub(super) ldaps_port: u16,
    admin_dn: &'static str,
    admin_password: &'static str,
}

impl Directory {
    /// A place for one, with certificates; nothing runs yet.
    pub(super) fn new(admin_dn: &'static str, admin_password: &'static str) -> Directory {
        let folder = tempfile::tempdir().expect("a temporary folder for a directory");
        certificates::make(folder.path(), &program("openssl", "openssl"));
        Directory {
            folder,
            child: None,
            ldap_port: free_port(),
            ldaps_port: free_port(),
            admin_dn,
            admin_password,
        }
    }

    /// `ldaps://127.0.0.1:port`.
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.ldaps_port)
    }
    /// `ldap://127.0.0.1:port`, for StartTLS.
    pub fn ldap_url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.ldap_port)
    }
    /// The port of [`Directory::ldaps_url`], for a relay before it.
    pub fn ldaps_port(&self) -> u16 {
        self.ldaps_port
    }
    /// The CA that issued the server's certificate.
    pub fn ca_path(&self) -> PathBuf {
        self.path("ca.pem")
    }
    /// A CA that did not: whoever trusts only this one must refuse the server.
    pub fn other_ca_path(&self) -> PathBuf {
        self.path("other.pem")
    }

    /// Applies LDIF changes as the administrator.
    pub fn modify(&self, ldif: &str) {
        let file = self.path("change.ldif");
        fs::write(&file, ldif).expect("change.ldif");
        let mut command = self.signed_in("ldapmodify", self.admin_dn, self.admin_password);
        self.command(command.arg("-f").arg(&file));
    }

    /// Tries to sign in; whether the directory accepted.
    pub fn sign_in(&self, dn: &str, password: &str) -> bool {
        self.signed_in("ldapwhoami", dn, password)
            .output()
            .is_ok_and(|o| o.status.success())
    }

    /// Stops the server; what it holds stays until the value is dropped.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends the server where nobody can drop it any more.
    pub fn end(&self) {
        if let Some(child) = &self.child {
            let _gone_already = Command::new("kill").arg(child.id().to_string()).status();
        }
    }

    fn signed_in(&self, name: &str, dn: &str, password: &str) -> Command {
        let mut command = Command::new(program(name, "ldap-utils"));
        command.env("LDAPTLS_CACERT", self.ca_path()).args([
            "-x",
            "-H",
            &self.ldaps_url(),
            "-D",
            dn,
            "-w",
            password,
        ]);
        command
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a program printed, which must succeed.
    pub(super) fn command(&self, command: &mut Command) -> String {
        let output = command.output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{command:?} failed: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    /// A file of the server's, as far as it is text; empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        fs::read(self.path(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Runs the server, which speaks to `log`, and waits until it answers; `told` are files that
    /// say why it does not.
    pub(super) fn run(&mut self, command: &mut Command, log: &str, told: &[&str]) {
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(log))
            .expect("the server's log");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the server starts");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.ldaps_port)).is_err() {
            let ended = self
                .child
                .as_mut()
                .is_some_and(|c| c.try_wait().ok().flatten().is_some());
            assert!(
                !ended && Instant::now() < deadline,
                "the directory does not start:\n{}",
                told.iter().map(|n| self.text(n)).collect::<String>()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lines of a log that tell of a write by a client.
pub(super) fn writes(log: &str) -> Vec<String> {
    const WORDS: [&str; 5] = [" ADD ", " MOD ", " DEL ", " MODRDN ", " PASSMOD"];
    log.lines()
        .filter(|l| WORDS.iter().any(|w| l.contains(w)))
        .map(str::to_owned)
        .collect()
}

/// The version that a program prints after a word; empty where it prints none.
pub(super) fn told_version(program: &str, option: &str, after: &str) -> String {
    let Ok(output) = Command::new(program).arg(option).output() else {
        return String::new();
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let version = said.split_once(after).map_or("", |(_, rest)| rest);
    let version = version.split([' ', '+', '(']).next();
    version.unwrap_or_default().to_owned()
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port")
        .port()
}

/// Where a program is; panics with the package to install.
pub(super) fn program(name: &str, package: &str) -> PathBuf {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("`{name}` is not installed; install it with: apt install {package}")
        })
}
