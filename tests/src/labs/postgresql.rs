//! A real PostgreSQL server with TLS and a CA of its own, which asks for passwords by SCRAM.

use super::certificates;
use super::directory::{free_port, program};
use super::ends::EndsWithUs;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running PostgreSQL. Dropped, it is stopped and its folder is gone; it also ends when the test
/// program does.
pub struct PostgreSql {
    folder: TempDir,
    running: Option<EndsWithUs>,
    port: u16,
}

impl PostgreSql {
    /// Starts a server; rules are lines of pg_hba.conf that come before the lab's own.
    pub fn start(rules: &str) -> PostgreSql {
        let folder = tempfile::tempdir().expect("a temporary folder for PostgreSQL");
        certificates::make(folder.path(), &program("openssl", "openssl"));
        let mut lab = PostgreSql {
            folder,
            running: None,
            port: free_port(),
        };
        // It refuses to run as an administrator of the machine.
        let owner = lab.command("chown", &["-R", "postgres:", &lab.at("")]);
        if is_root() {
            succeeds(owner);
        }
        let data = lab.at("data");
        let made = ["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync"];
        succeeds(lab.as_its_user(&tool("initdb"), &made));
        lab.rules(rules);
        lab.run();
        lab
    }

    /// `postgres (PostgreSQL) 15.10`, as it tells it.
    pub fn version() -> String {
        let told = Command::new(tool("postgres")).arg("--version").output();
        told.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
            .unwrap_or_default()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// The CA that issued the server's certificate.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
    /// A CA that did not: whoever trusts only this one must refuse the server.
    pub fn other_ca_path(&self) -> PathBuf {
        self.folder.path().join("other.pem")
    }
    /// The folder of its socket, through which everybody is let in.
    pub fn folder(&self) -> String {
        self.at("")
    }
    /// The server's own log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Rules that count from the next start or `reload` on.
    pub fn rules(&self, rules: &str) {
        let text =
            format!("local all all trust\n{rules}\nhostssl all all 127.0.0.1/32 scram-sha-256\n");
        fs::write(self.at("data/pg_hba.conf"), text).expect("pg_hba.conf");
    }

    /// Runs SQL as the administrator in a database; what it printed.
    pub fn sql_in(&self, database: &str, text: &str) -> String {
        let port = self.port.to_string();
        let words = [
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            &self.at(""),
            "-p",
            &port,
            "-U",
            "postgres",
            "-d",
            database,
            "-c",
            text,
        ];
        succeeds(self.as_its_user(&tool("psql"), &words))
    }

    /// Runs SQL of any length.
    pub fn sql_file(&self, text: &str) {
        let file = self.at("long.sql");
        fs::write(&file, text).expect("long.sql");
        let port = self.port.to_string();
        let words = [
            "-Xq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            &self.at(""),
            "-p",
            &port,
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-f",
            &file,
        ];
        succeeds(self.as_its_user(&tool("psql"), &words));
    }

    /// The same in the database that is always there.
    pub fn sql(&self, text: &str) -> String {
        self.sql_in("postgres", text)
    }

    /// Waits until a question has the answer that is wanted.
    pub fn await_that(&self, question: &str, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !wanted(&self.sql(question)) {
            assert!(Instant::now() < deadline, "{question}: {}", self.log());
        }
    }

    /// Runs the server again after [`PostgreSql::stop`].
    pub fn run(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.at("server.log"))
            .expect("server.log");
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.at("")),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", self.at("server.pem")),
            format!("ssl_key_file={}", self.at("server.key")),
            "fsync=off".to_owned(),
            // who, and with what program
            "log_line_prefix=%u@%a ".to_owned(),
            "log_connections=on".to_owned(),
            "log_disconnections=on".to_owned(),
            "log_statement=all".to_owned(),
            "autovacuum=off".to_owned(),
        ];
        let mut words = user_prefix();
        words.extend([tool("postgres").display().to_string(), "-D".to_owned()]);
        words.extend([self.at("data"), "-p".to_owned(), self.port.to_string()]);
        words.extend(settings.into_iter().flat_map(|s| ["-c".to_owned(), s]));
        let mut running = EndsWithUs::start(&words, log);
        let deadline = Instant::now() + Duration::from_secs(60);
        let ready = ["-h", "127.0.0.1", "-p", &self.port.to_string()].map(str::to_owned);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err()
            || !Command::new(tool("pg_isready"))
                .args(&ready)
                .output()
                .is_ok_and(|o| o.status.success())
        {
            assert!(
                !running.has_ended() && Instant::now() < deadline,
                "PostgreSQL does not start:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
        self.running = Some(running);
    }

    /// Stops the server; what it holds stays until the value is dropped.
    pub fn stop(&mut self) {
        self.running = None;
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new(name);
        command.args(words).current_dir(self.folder.path());
        command
    }

    fn as_its_user(&self, program: &Path, words: &[&str]) -> Command {
        let mut all = user_prefix();
        all.push(program.display().to_string());
        all.extend(words.iter().map(|word| (*word).to_owned()));
        let (name, rest) = all.split_first().expect("a program");
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        self.command(name, &rest)
    }
}

fn is_root() -> bool {
    let who = Command::new("id").arg("-u").output();
    who.is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}

/// What goes before a command so that it runs as the server's user.
fn user_prefix() -> Vec<String> {
    match is_root() {
        true => [
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
        ]
        .map(str::to_owned)
        .into(),
        false => Vec::new(),
    }
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A program of the newest PostgreSQL on the machine; panics with the package to install.
fn tool(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort();
    match found.pop() {
        Some((_, path)) => path,
        None => panic!("PostgreSQL is not installed; install it with: apt install postgresql"),
    }
}
