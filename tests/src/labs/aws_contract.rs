//! A server that answers as AWS documents it, in what moto leaves out: pages of users, inactive keys,
//! throttling, refusals, cut answers. Its answers are written by hand after AWS's documentation.

use super::certificates;
use super::ends::EndsWithUs;
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running contract server. Dropped, it is stopped; it also ends when the test program does.
pub struct AwsContract {
    port: u16,
    folder: TempDir,
    _running: EndsWithUs,
}

/// What it tells; see `labs/aws-contract/serve.py`.
#[derive(Clone, Debug)]
pub struct AwsPlan(pub Value);

impl AwsPlan {
    /// So many users, of which these actions fail in these ways.
    pub fn of(users: u32, rules: &[(&str, &str)]) -> AwsPlan {
        let names: Vec<String> = (0..users).map(|number| format!("user-{number}")).collect();
        let pairs = rules
            .iter()
            .map(|(action, what)| ((*action).to_owned(), json!(what)));
        AwsPlan(json!({
            "users": names,
            "roles": [],
            "policy": { "Version": "2012-10-17", "Statement": [] },
            "tags": {},
            "people": 0,
            "bytes": 0,
            "answers": {},
            "rules": Value::Object(pairs.collect()),
        }))
    }

    /// The same with something else.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> AwsPlan {
        let plan = self.0.as_object_mut().expect("a plan is an object");
        plan.insert(name.to_owned(), value);
        self
    }
}

impl AwsContract {
    pub fn start(plan: &AwsPlan) -> AwsContract {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificates::make(folder.path(), std::path::Path::new("openssl"));
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = held.local_addr().expect("its address").port();
        drop(held);
        let file = |name: &str| folder.path().join(name).display().to_string();
        write(&folder, plan);
        let words = [
            "python3".to_owned(),
            concat!(env!("CARGO_MANIFEST_DIR"), "/labs/aws-contract/serve.py").to_owned(),
            port.to_string(),
            file("server.pem"),
            file("server.key"),
            file("plan.json"),
        ];
        let log = folder.path().join("log");
        let mut running = EndsWithUs::start(&words, fs::File::create(&log).expect("log"));
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                Instant::now() < deadline && !running.has_ended(),
                "the contract server does not come up:\n{}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        AwsContract {
            port,
            folder,
            _running: running,
        }
    }

    /// From now on it tells this.
    pub fn now(&self, plan: &AwsPlan) {
        write(&self.folder, plan);
    }

    /// What it was asked that is no look.
    pub fn writes(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let asked = log.lines().filter_map(|line| line.strip_prefix("asked "));
        let looks = ["Get", "List", "Describe"];
        let writes = asked.filter(|action| !looks.iter().any(|look| action.starts_with(look)));
        writes.map(str::to_owned).collect()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

fn write(folder: &TempDir, plan: &AwsPlan) {
    let whole = folder.path().join("plan.json");
    let part = folder.path().join("plan.part");
    fs::write(&part, plan.0.to_string()).expect("the plan");
    fs::rename(part, whole).expect("the plan");
}
