//! A tree planted for a test, and what a scan of it tells.

use lastkey_contract::facts::{Credential, Location};
use lastkey_contract::{Connector, Fact, Kind, Note, Page, PageRequest, Settings};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A planted tree, with the lists of accounts beside it.
pub struct Planted {
    pub folder: TempDir,
}

impl Planted {
    pub fn new(files: &[(&str, &str)]) -> Planted {
        let folder = tempfile::tempdir().unwrap();
        let planted = Planted { folder };
        fs::create_dir(planted.top()).unwrap();
        fs::create_dir(planted.folder.path().join("etc")).unwrap();
        let etc = planted.folder.path().join("etc");
        fs::write(
            etc.join("passwd"),
            format!(
                "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann Lee:{}:/bin/zsh\n",
                planted.top().display()
            ),
        )
        .unwrap();
        fs::write(etc.join("group"), "root:x:0:\nann:x:1000:\nops:x:50:ann\n").unwrap();
        for (name, text) in files {
            planted.file(name, text.as_bytes());
        }
        planted
    }

    pub fn top(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("home")
    }

    pub fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn connector(&self, more: &[(&str, &str)]) -> Box<dyn Connector> {
        let top = self.top().display().to_string();
        let etc = self.folder.path().join("etc").display().to_string();
        let base = [
            ("folder", top.as_str()),
            ("system", "ws"),
            ("accounts_folder", &etc),
        ];
        let pairs = base.iter().chain(more);
        let pairs = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        lastkey_workstation::configure(&Settings(pairs.collect()), None).unwrap()
    }

    pub fn shown(&self, name: &str) -> String {
        self.top().join(name).display().to_string()
    }
}

/// All pages of a kind.
pub fn read(connector: &dyn Connector, kind: Kind, limit: u32) -> (Vec<Fact>, Vec<Note>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut session = connector.connect().await.unwrap();
        let (mut facts, mut notes, mut cursor) = (Vec::new(), Vec::new(), None);
        loop {
            let request = PageRequest {
                cursor,
                limit,
                since: None,
            };
            let page: Page = session.read_page(kind, request).await.unwrap();
            facts.extend(page.records);
            notes.extend(page.notes);
            cursor = page.next;
            if cursor.is_none() {
                return (facts, notes);
            }
        }
    })
}

pub fn locations(connector: &dyn Connector) -> (Vec<Location>, Vec<Note>) {
    let (facts, notes) = read(connector, Kind::Location, 3);
    let only = |fact| match fact {
        Fact::Location(location) => location,
        other => panic!("{other:?}"),
    };
    (facts.into_iter().map(only).collect(), notes)
}

pub fn credentials(connector: &dyn Connector) -> Vec<Credential> {
    let only = |fact| match fact {
        Fact::Credential(credential) => credential,
        other => panic!("{other:?}"),
    };
    read(connector, Kind::Credential, 3)
        .0
        .into_iter()
        .map(only)
        .collect()
}

/// Rule and place, without the path of the top.
pub fn told(planted: &Planted, connector: &dyn Connector) -> Vec<(String, String)> {
    let top = format!("{}/", planted.top().display());
    let (locations, _) = locations(connector);
    locations
        .into_iter()
        .map(|location| {
            let place = location.attributes.get("field");
            let place = place.map_or(location.path.as_str(), String::as_str);
            let rule = location.attributes["rule"].clone();
            (rule, place.strip_prefix(&top).unwrap().to_owned())
        })
        .collect()
}

#[track_caller]
pub fn check(planted: &Planted, more: &[(&str, &str)], expected: &[(&str, &str)]) {
    let found = told(planted, planted.connector(more).as_ref());
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(r, p)| (r.as_str(), p.as_str()))
        .collect();
    assert_eq!(found, expected);
}
