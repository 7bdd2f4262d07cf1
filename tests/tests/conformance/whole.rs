//! What the subjects share: reading everything in whole pages without the suite, and a folder for
//! the authorities that a proxy shows.

use lastkey_conformance::{Facts, read_to_end};
use lastkey_contract::{Connector, PageRequest};
use std::path::PathBuf;
use std::sync::Mutex;
use tempfile::TempDir;

/// Everything, each kind on one page; in a thread of its own, whose runtime is its own.
pub fn read_whole(connector: Box<dyn Connector>) -> Facts {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut session = connector.connect().await.unwrap();
            let mut facts = Facts::new();
            for capability in connector.capabilities() {
                let whole = PageRequest {
                    cursor: None,
                    limit: 5_000,
                    since: None,
                };
                let page = session.read_page(capability.kind, whole).await.unwrap();
                assert!(page.next.is_none());
                facts.insert(capability.kind, page.records);
            }
            facts
        })
    })
    .join()
    .unwrap()
}

/// Everything, page by page; in a thread of its own, whose runtime is its own.
pub fn read_to_the_end(connector: Box<dyn Connector>) -> Facts {
    let reading = move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut facts = Facts::new();
            for capability in connector.capabilities() {
                let pages = read_to_end(connector.as_ref(), capability.kind, 500).await;
                let records = pages.unwrap().into_iter().flat_map(|page| page.records);
                facts.insert(capability.kind, records.collect());
            }
            facts
        })
    };
    std::thread::spawn(reading).join().unwrap()
}

/// Authorities that a proxy shows, written as a person gives them.
pub struct Authorities(TempDir, Mutex<u32>);

impl Authorities {
    pub fn new() -> Authorities {
        Authorities(tempfile::tempdir().unwrap(), Mutex::new(0))
    }

    /// The file with this authority.
    pub fn file(&self, pem: &str) -> PathBuf {
        let mut count = self.1.lock().unwrap();
        *count += 1;
        let path = self.0.path().join(format!("{count}.pem"));
        std::fs::write(&path, pem).unwrap();
        path
    }
}
