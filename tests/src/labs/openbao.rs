//! A real OpenBao server: raft storage, TLS with a CA of its own, unsealed, every request audited.

use super::certificates;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running OpenBao. Dropped, it is stopped and its folder is gone; it also ends when the test
/// program does.
pub struct OpenBao {
    folder: TempDir,
    child: Child,
    port: u16,
    clear_port: u16,
    root_token: String,
    unseal_key: String,
}

/// An answer to the lab's own administrator.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub body: Value,
}

/// One request of the server's own audit log.
#[derive(Clone, Debug)]
pub struct Audited {
    pub operation: String,
    pub path: String,
    /// The name of the token that asked.
    pub by: String,
}

impl OpenBao {
    /// A server, where the machine has one.
    pub fn here() -> Option<OpenBao> {
        program().map(|program| OpenBao::start(&program))
    }

    /// Starts a server, or says that `case` did not run because the machine has none.
    pub fn start_or_not_run(case: &str) -> Option<OpenBao> {
        match program() {
            Some(program) => Some(OpenBao::start(&program)),
            None => {
                super::not_run(
                    "openbao",
                    case,
                    "the server is built from the Go module proxy, and this machine has no Go 1.21 or later",
                );
                None
            }
        }
    }

    fn start(program: &Path) -> OpenBao {
        let folder = tempfile::tempdir().expect("a temporary folder for OpenBao");
        let [port, clear_port, cluster_port] = free_ports();
        let at = |name: &str| folder.path().join(name).display().to_string();
        certificates::make(folder.path(), Path::new("openssl"));
        fs::create_dir(at("data")).expect("a folder for its data");
        let config = format!(
            "storage \"raft\" {{\n path = \"{data}\"\n node_id = \"lab\"\n performance_multiplier = 1\n}}\n\
             listener \"tcp\" {{\n address = \"127.0.0.1:{port}\"\n tls_cert_file = \"{cert}\"\n tls_key_file = \"{key}\"\n}}\n\
             listener \"tcp\" {{\n address = \"127.0.0.1:{clear_port}\"\n tls_disable = true\n}}\n\
             audit \"file\" \"lab\" {{\n options {{\n  file_path = \"{audit}\"\n }}\n}}\n\
             api_addr = \"https://127.0.0.1:{port}\"\ncluster_addr = \"https://127.0.0.1:{cluster_port}\"\n",
            data = at("data"),
            cert = at("server.pem"),
            key = at("server.key"),
            audit = at("audit.log"),
        );
        fs::write(at("config.hcl"), config).expect("config.hcl");
        let log = fs::File::create(at("server.log")).expect("server.log");
        let child = Command::new(program)
            .args(["server", "-config", &at("config.hcl")])
            .env("LAB_ENDS_WITH_STDIN", "yes")
            .env_remove("VAULT_TOKEN")
            .env_remove("BAO_TOKEN")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("OpenBao starts");
        let mut lab = OpenBao {
            folder,
            child,
            port,
            clear_port,
            root_token: String::new(),
            unseal_key: String::new(),
        };
        lab.await_status("sys/seal-status", 200);
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let made = lab.root("PUT", "sys/init", shares);
        let text = |value: &Value, at: &str| value.pointer(at)?.as_str().map(str::to_owned);
        lab.unseal_key = text(&made, "/keys/0").expect("an unseal key");
        lab.root_token = text(&made, "/root_token").expect("a root token");
        lab.unseal();
        lab
    }

    /// `https://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
    /// The port of [`OpenBao::url`], for a proxy before it.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// The port of the listener without TLS, which only the lab uses.
    pub fn clear_port(&self) -> u16 {
        self.clear_port
    }
    /// The CA that issued the server's certificate.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
    /// A CA that did not: whoever trusts only this one must refuse the server.
    pub fn other_ca_path(&self) -> PathBuf {
        self.folder.path().join("other.pem")
    }
    /// A token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// Takes the keys away from the running server.
    pub fn seal(&self) {
        self.root("PUT", "sys/seal", json!({}));
        self.await_status("sys/health", 503);
    }

    /// Gives them back.
    pub fn unseal(&self) {
        self.root("PUT", "sys/unseal", json!({ "key": self.unseal_key }));
        self.await_status("sys/health", 200);
    }

    /// The server's own version: `2.4.0`.
    pub fn version(&self) -> String {
        let told = self.root("GET", "sys/health", json!({}));
        let version = told.get("version").and_then(Value::as_str);
        version
            .expect("a version")
            .trim_start_matches('v')
            .to_owned()
    }

    /// Asks as the administrator; panics with the server's words where it refuses.
    pub fn root(&self, method: &str, path: &str, body: Value) -> Value {
        let answered = self.ask(&self.root_token, "", method, path, &body);
        assert!(
            answered.status < 300,
            "{method} {path}: {} {}",
            answered.status,
            answered.body
        );
        answered.body
    }

    /// Writes as the administrator.
    pub fn write(&self, path: &str, body: Value) -> Value {
        self.root("POST", path, body)
    }

    /// Asks with a token, in a namespace (empty for the root).
    pub fn ask(
        &self,
        token: &str,
        namespace: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answered {
        let headers = [("x-vault-token", token), ("x-vault-namespace", namespace)];
        self.exchange(&headers, method, path, body)
    }

    /// Writes as the administrator; the answer is kept by the vault, and a token to fetch it given.
    pub fn wrapped(&self, path: &str, body: Value) -> Value {
        let headers = [
            ("x-vault-token", self.root_token.as_str()),
            ("x-vault-wrap-ttl", "1h"),
        ];
        self.exchange(&headers, "POST", path, &body).body
    }

    fn exchange(
        &self,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answered {
        let body = match method {
            "GET" | "LIST" | "DELETE" => String::new(),
            _ => body.to_string(),
        };
        // HTTP/1.0: the answer ends with the connection, in one piece.
        let mut request = format!(
            "{method} /v1/{path} HTTP/1.0\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.clear_port)).expect("OpenBao answers");
        stream
            .write_all(format!("{request}\r\n{body}").as_bytes())
            .expect("OpenBao listens");
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .expect("OpenBao answers to the end");
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        Answered {
            status: status.expect("a status"),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    /// Requests of the server's own audit log after the first `skip`.
    pub fn audited(&self, skip: usize) -> Vec<Audited> {
        let log = fs::read_to_string(self.folder.path().join("audit.log")).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["type"] == "request")
            .skip(skip)
            .map(|line| {
                let text = |value: &Value, at: &str| {
                    let found = value.pointer(at).and_then(Value::as_str);
                    found.unwrap_or_default().to_owned()
                };
                Audited {
                    operation: text(&line, "/request/operation"),
                    path: text(&line, "/request/path"),
                    by: text(&line, "/auth/display_name"),
                }
            })
            .collect()
    }

    /// The audit log's own bytes, and the server's.
    pub fn logs(&self) -> Vec<u8> {
        ["audit.log", "server.log"]
            .iter()
            .flat_map(|name| fs::read(self.folder.path().join(name)).unwrap_or_default())
            .collect()
    }

    fn await_status(&self, path: &str, status: u16) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let up = TcpStream::connect(("127.0.0.1", self.clear_port)).is_ok();
            if up && self.ask("", "", "GET", path, &Value::Null).status == status {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "OpenBao does not come to {status} on {path}:\n{}",
                fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

/// Where the server is: on the path, or where `./test` builds it.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cache = std::env::var_os("LASTKEY_CACHE")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/lastkey"))
        });
    std::env::split_paths(&path)
        .chain(cache.map(|cache| cache.join("tools/bin")))
        .map(|folder| folder.join("openbao"))
        .find(|file| file.is_file())
}

/// Three ports that are free, held until all three are known.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|l| l.local_addr().expect("its address").port())
}
