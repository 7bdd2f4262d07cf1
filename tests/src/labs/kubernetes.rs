//! A real Kubernetes API server over a real etcd: TLS with a CA of its own, RBAC, every request
//! audited, and the controllers that fill aggregated roles and token secrets. No node, so that what
//! is put in stands still.

use super::certificates;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_rustls::rustls;

/// A running cluster. Dropped, it is stopped and its folder is gone; it also ends when the test
/// program does.
pub struct Kubernetes {
    folder: TempDir,
    children: Vec<Child>,
    port: u16,
    tls: Arc<rustls::ClientConfig>,
}

/// An answer to whoever asked.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub body: Value,
}

/// One request of the server's own audit log.
#[derive(Clone, Debug)]
pub struct Request {
    pub verb: String,
    pub path: String,
    /// The user who asked.
    pub by: String,
}

/// The lab's administrator.
const ADMIN: &str = "lab-admin-token-of-nobody-else";

/// Tokens of users that the server knows from its start: token, user, groups.
const USERS: [(&str, &str, &str); 2] = [
    (ADMIN, "lab-admin", "system:masters"),
    ("lab-nobody-token-of-nobody-else", "nobody", "nothing"),
];

impl Kubernetes {
    /// A cluster, where the machine has the program.
    pub fn here() -> Option<Kubernetes> {
        program().map(|program| Kubernetes::start(&program))
    }

    /// Starts a cluster, or says that `case` did not run because the machine has none.
    pub fn start_or_not_run(case: &str) -> Option<Kubernetes> {
        match program() {
            Some(program) => Some(Kubernetes::start(&program)),
            None => {
                super::not_run(
                    "kubernetes",
                    case,
                    "the server is built from the Go module proxy, and this machine has no Go 1.21 or later",
                );
                None
            }
        }
    }

    fn start(program: &Path) -> Kubernetes {
        let folder = tempfile::tempdir().expect("a temporary folder for Kubernetes");
        let [port, etcd, peer] = free_ports();
        let at = |name: &str| folder.path().join(name).display().to_string();
        certificates::make(folder.path(), Path::new("openssl"));
        let lines =
            USERS.map(|(token, user, groups)| format!("{token},{user},{user},\"{groups}\""));
        fs::write(at("tokens.csv"), lines.join("\n")).expect("tokens.csv");
        let policy = json!({ "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
            "omitStages": ["RequestReceived"], "rules": [{ "level": "Metadata" }] });
        fs::write(at("audit.json"), policy.to_string()).expect("audit.json");
        let keys = Command::new("openssl")
            .args(["genrsa", "-out", &at("accounts.key"), "2048"])
            .output()
            .expect("openssl starts");
        assert!(keys.status.success(), "a key for tokens");
        let tls = trusting(&folder.path().join("ca.pem"));
        let mut lab = Kubernetes {
            folder,
            children: Vec::new(),
            port,
            tls,
        };
        let etcd = format!("http://127.0.0.1:{etcd}");
        lab.run(
            program,
            &[
                "etcd",
                "--data-dir",
                &lab.at("etcd"),
                "--listen-client-urls",
                &etcd,
                "--advertise-client-urls",
                &etcd,
                "--listen-peer-urls",
                &format!("http://127.0.0.1:{peer}"),
                "--unsafe-no-fsync",
            ],
        );
        let key = lab.at("accounts.key");
        lab.run(
            program,
            &[
                &format!("--etcd-servers={etcd}"),
                &format!("--secure-port={port}"),
                "--bind-address=127.0.0.1",
                &format!("--tls-cert-file={}", lab.at("server.pem")),
                &format!("--tls-private-key-file={}", lab.at("server.key")),
                &format!("--client-ca-file={}", lab.at("ca.pem")),
                &format!("--token-auth-file={}", lab.at("tokens.csv")),
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.lab",
                &format!("--service-account-signing-key-file={key}"),
                &format!("--service-account-key-file={key}"),
                "--service-cluster-ip-range=10.0.0.0/24",
                &format!("--audit-policy-file={}", lab.at("audit.json")),
                &format!("--audit-log-path={}", lab.at("audit.log")),
                &format!("--cert-dir={}", lab.at("own")),
                // No controller makes the service accounts that pods would want.
                "--disable-admission-plugins=ServiceAccount",
            ],
        );
        lab.await_ready();
        lab.run(
            program,
            &["controllers", &lab.url(), &lab.at("ca.pem"), ADMIN, &key],
        );
        lab
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&mut self, program: &Path, words: &[&str]) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("server.log"))
            .expect("server.log");
        let child = Command::new(program)
            .args(words)
            .env("LAB_ENDS_WITH_STDIN", "yes")
            .env_remove("KUBECONFIG")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("Kubernetes starts");
        self.children.push(child);
    }

    /// `https://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
    /// The port of [`Kubernetes::url`], for a proxy before it.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// The CA that issued the server's certificate, and that clients' certificates are taken from.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
    /// A token of a user who may nothing but what everybody may.
    pub fn nobody(&self) -> &'static str {
        USERS[1].0
    }
    /// A token that may do everything.
    pub fn admin(&self) -> &'static str {
        ADMIN
    }

    /// The server's own version: `1.37.2`.
    pub fn version(&self) -> String {
        let told = self.root("GET", "/version", &Value::Null);
        let version = told.get("gitVersion").and_then(Value::as_str);
        version
            .expect("a version")
            .trim_start_matches('v')
            .to_owned()
    }

    /// Asks as the administrator; panics with the server's words where it refuses.
    pub fn root(&self, method: &str, path: &str, body: &Value) -> Value {
        let told = self.ask(ADMIN, method, path, body);
        assert!(
            told.status < 300,
            "{method} {path}: {} {}",
            told.status,
            told.body
        );
        told.body
    }

    /// Makes an object, below the path of its list.
    pub fn make(&self, path: &str, body: &Value) -> Value {
        self.root("POST", path, body)
    }

    /// Makes every object of a `List`, as `kubectl apply` would; one that is there stays.
    pub fn apply(&self, list: &Value) {
        for item in list["items"].as_array().expect("a list of objects") {
            let kind = item["kind"].as_str().expect("a kind").to_lowercase();
            let base = match item["apiVersion"].as_str() {
                Some("v1") => "/api/v1".to_owned(),
                Some(version) => format!("/apis/{version}"),
                None => panic!("{item} has no version"),
            };
            let below = match item.pointer("/metadata/namespace").and_then(Value::as_str) {
                Some(namespace) => format!("/namespaces/{namespace}"),
                None => String::new(),
            };
            let told = self.ask(ADMIN, "POST", &format!("{base}{below}/{kind}s"), item);
            assert!(
                matches!(told.status, 200 | 201 | 409),
                "{item}: {}",
                told.body
            );
        }
    }

    /// A token of a service account, as `kubectl create token` gives it.
    pub fn token(&self, namespace: &str, account: &str) -> String {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": { "expirationSeconds": 3600 } });
        let made = self.make(&path, &body);
        made.pointer("/status/token")
            .and_then(Value::as_str)
            .expect("a token")
            .to_owned()
    }

    /// Asks with a token. `null` sends no body.
    pub fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Told {
        self.try_ask(token, method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> std::io::Result<Told> {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let sort = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        // HTTP/1.0: the answer ends with the connection, in one piece.
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\
             content-type: {sort}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let name = "127.0.0.1".try_into().expect("a name");
        let session =
            rustls::ClientConnection::new(self.tls.clone(), name).map_err(std::io::Error::other)?;
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        let mut stream = rustls::StreamOwned::new(session, stream);
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            // A server that closes without saying so has said everything all the same.
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(error),
            Ok(_) | Err(_) => {}
        }
        let answer = String::from_utf8_lossy(&answer);
        let odd = || std::io::Error::other("no HTTP");
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        Ok(Told {
            status: status.ok_or_else(odd)?,
            body: serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned())),
        })
    }

    /// Waits until a path answers with what is wanted: for what a controller does in its own time.
    pub fn await_that(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let told = self.ask(ADMIN, "GET", path, &Value::Null);
            if told.status == 200 && wanted(&told.body) {
                return told.body;
            }
            assert!(
                Instant::now() < deadline,
                "{path} does not come to what is wanted: {}\n{}",
                told.body,
                self.log()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Requests of the server's own audit log.
    pub fn audited(&self) -> Vec<Request> {
        let log = fs::read_to_string(self.at("audit.log")).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .map(|line| {
                let text = |at: &str| {
                    let found = line.pointer(at).and_then(Value::as_str);
                    found.unwrap_or_default().to_owned()
                };
                Request {
                    verb: text("/verb"),
                    path: text("/requestURI"),
                    by: text("/user/username"),
                }
            })
            .collect()
    }

    /// The server's own log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.at("server.log")).unwrap_or_default()
    }

    fn await_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let told = self.try_ask(ADMIN, "GET", "/readyz", &Value::Null);
            if told.is_ok_and(|told| told.status == 200) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "Kubernetes does not come up:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _gone_already = child.kill();
            let _gone_already = child.wait();
        }
    }
}

fn trusting(ca: &Path) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_file(ca).expect("the lab's CA");
    roots.add(ca).expect("the lab's CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let made = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(made)
}

/// Where the program is: on the path, or where `./test` builds it.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cache = std::env::var_os("LASTKEY_CACHE")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/lastkey"))
        });
    std::env::split_paths(&path)
        .chain(cache.map(|cache| cache.join("tools/bin")))
        .map(|folder| folder.join("kubernetes-lab"))
        .find(|file| file.is_file())
}

/// Three ports that are free, held until all three are known.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|l| l.local_addr().expect("its address").port())
}
