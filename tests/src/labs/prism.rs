//! Prism: answers requests by an OpenAPI document, and refuses those that the document does not
//! allow. It proves the shape of requests and answers, and nothing of behaviour.

use super::ends::EndsWithUs;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running Prism: a request that the document does not allow gets 422 or 404, and what is wrong
/// stands in the header `sl-violations`. There stands also what is wrong with the document's own
/// examples. Dropped, it is stopped; it also ends when the test program does.
pub struct Prism {
    address: SocketAddr,
    _running: EndsWithUs,
    _folder: TempDir,
}

impl Prism {
    /// Starts it with GitHub's document of Enterprise Cloud, or says that `case` did not run because
    /// the machine has none.
    pub fn github_or_not_run(case: &str) -> Option<Prism> {
        let home = home().filter(|home| home.join("reading.json").is_file());
        let Some(home) = home else {
            let why =
                "Prism and GitHub's document come from npm, and this machine could not fetch them";
            super::not_run("prism", case, why);
            return None;
        };
        Some(Prism::start(&home))
    }

    fn start(home: &std::path::Path) -> Prism {
        let folder = tempfile::tempdir().expect("a temporary folder for Prism");
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = held.local_addr().expect("its address");
        drop(held);
        let file = |name: &str| home.join(name).display().to_string();
        let words = [
            "node".to_owned(),
            file("node_modules/@stoplight/prism-cli/dist/index.js"),
            "mock".to_owned(),
            "--host".to_owned(),
            address.ip().to_string(),
            "--port".to_owned(),
            address.port().to_string(),
            file("reading.json"),
        ];
        let log = folder.path().join("prism.log");
        let mut running = EndsWithUs::start(&words, fs::File::create(&log).expect("prism.log"));
        let deadline = Instant::now() + Duration::from_secs(120);
        while std::net::TcpStream::connect(address).is_err() {
            assert!(
                Instant::now() < deadline && !running.has_ended(),
                "Prism does not come up:\n{}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        Prism {
            address,
            _running: running,
            _folder: folder,
        }
    }

    /// Where it listens, in clear.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Where `./test` puts it.
fn home() -> Option<PathBuf> {
    let cache = std::env::var_os("LASTKEY_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/lastkey"));
    Some(cache.or_else(home)?.join("tools/prism"))
}
