//! moto: answers as AWS does, in part. It checks keys once it is told to, and weighs policies of users
//! and roles; it does not page users, and takes inactive keys (`tests/tests/aws/contract.rs` does not).

use super::certificates;
use super::ends::EndsWithUs;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running moto, over TLS. Dropped, it is stopped; it also ends when the test program does.
pub struct Moto {
    port: u16,
    home: PathBuf,
    folder: TempDir,
    _running: EndsWithUs,
}

/// An access key of the lab.
#[derive(Clone, Debug)]
pub struct MotoKey {
    pub id: String,
    pub secret: String,
}

impl Moto {
    /// Starts one, or says that `case` did not run because the machine has none.
    pub fn or_not_run(case: &str) -> Option<Moto> {
        let moto = Moto::here();
        if moto.is_none() {
            let why = "moto comes from PyPI, and this machine could not fetch it";
            super::not_run("moto", case, why);
        }
        moto
    }

    /// Starts one; None where `./test` could not put it here.
    pub fn here() -> Option<Moto> {
        let home = home().filter(|home| home.join("bin/moto_server").is_file())?;
        let folder = tempfile::tempdir().expect("a temporary folder for moto");
        certificates::make(folder.path(), std::path::Path::new("openssl"));
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = held.local_addr().expect("its address").port();
        drop(held);
        let file = |name: &str| folder.path().join(name).display().to_string();
        let words = [
            home.join("bin/python").display().to_string(),
            concat!(env!("CARGO_MANIFEST_DIR"), "/labs/moto/serve.py").to_owned(),
            "-H".to_owned(),
            "127.0.0.1".to_owned(),
            "-p".to_owned(),
            port.to_string(),
            "-c".to_owned(),
            file("server.pem"),
            "-k".to_owned(),
            file("server.key"),
        ];
        let log = folder.path().join("moto.log");
        let mut running = EndsWithUs::start(&words, fs::File::create(&log).expect("moto.log"));
        let deadline = Instant::now() + Duration::from_secs(120);
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                Instant::now() < deadline && !running.has_ended(),
                "moto does not come up:\n{}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(Moto {
            port,
            home,
            folder,
            _running: running,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The CA to trust.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A CA that issued nothing here.
    pub fn other_ca_path(&self) -> PathBuf {
        self.folder.path().join("other.pem")
    }

    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// What moto has been asked: `POST /` and the like, with the status.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("moto.log")).unwrap_or_default()
    }

    /// From now on keys and policies count.
    pub fn check_keys(&self) {
        let script = "import sys, ssl, urllib.request as u; \
            c = ssl.create_default_context(cafile=sys.argv[2]); \
            u.urlopen(u.Request(sys.argv[1] + '/moto-api/reset-auth', data=b'0', method='POST', headers={'Content-Type': 'text/plain'}), context=c)";
        let done = Command::new(self.home.join("bin/python"))
            .args(["-c", script, &self.endpoint()])
            .arg(self.ca_path())
            .status();
        assert!(
            done.is_ok_and(|done| done.success()),
            "moto can be told to check keys"
        );
    }

    /// Asks moto, one thing after the other: service, operation and parameters as boto3 has them.
    pub fn ask(&self, by: Option<&MotoKey>, asked: &[Value]) -> Vec<Value> {
        let mut child = Command::new(self.home.join("bin/python"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/labs/moto/ask.py"))
            .arg(self.endpoint())
            .arg(self.ca_path())
            .env(
                "AWS_ACCESS_KEY_ID",
                by.map_or("AKIALAB0000000000000", |key| &key.id),
            )
            .env("AWS_SECRET_ACCESS_KEY", by.map_or("lab", |key| &key.secret))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut input = child.stdin.take().expect("its input");
        let text = serde_json::to_vec(asked).expect("JSON");
        let writer = std::thread::spawn(move || input.write_all(&text));
        let done = child.wait_with_output().expect("python ends");
        assert!(
            writer.join().is_ok() && done.status.success(),
            "the lab's AWS was asked"
        );
        serde_json::from_slice(&done.stdout).expect("answers")
    }
}

/// Where `./test` puts it.
fn home() -> Option<PathBuf> {
    let cache = std::env::var_os("LASTKEY_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/lastkey"));
    Some(cache.or_else(home)?.join("tools/moto"))
}
