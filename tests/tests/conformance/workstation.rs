//! The workstation scan, on trees that are planted here.
//!
//! Who owns the files is whoever runs the tests, so that what must be read cannot be checked in: it
//! is read once in whole pages before the cases, and held against what was planted by the tests in
//! `connectors/workstation`, place by place.

use crate::whole::read_whole;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust, odd_texts};
use lastkey_contract::{Connector, Settings};
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;

const CANARY: &str = "canary-Trombone-of-a-file-77";

struct Workstation;

/// A planted tree, with the lists of accounts beside it.
struct Planted(TempDir);

impl Planted {
    fn new(accounts: &[String]) -> Planted {
        let planted = Planted(tempfile::tempdir().unwrap());
        fs::create_dir(planted.top()).unwrap();
        planted.accounts(accounts);
        planted
    }

    fn top(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn accounts(&self, accounts: &[String]) {
        let passwd: String = accounts
            .iter()
            .zip(1000..)
            .map(|(comment, n)| format!("p{n}:x:{n}:{n}:{comment}:/home/p{n}:/bin/sh\n"))
            .collect();
        fs::write(self.0.path().join("passwd"), passwd).unwrap();
        let group = "staff:x:50:p1001,p1002\nops:x:51:p1003\nsudo:x:27:p1001\nsix:x:1006:\n";
        fs::write(self.0.path().join("group"), group).unwrap();
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn connector(&self) -> Box<dyn Connector> {
        let pairs = [
            ("folder", self.top().display().to_string()),
            ("system", "ws-ann".to_owned()),
            ("accounts_folder", self.0.path().display().to_string()),
        ];
        let settings = Settings(pairs.map(|(key, value)| (key.to_owned(), value)).into());
        lastkey_workstation::configure(&settings, None).unwrap()
    }

    /// What is read in whole pages.
    fn read_all(&self) -> Facts {
        read_whole(self.connector())
    }
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("Person {n}")).collect()
}

/// A line of a public key that nobody has.
fn public_key(seed: u8, comment: &str) -> String {
    let text = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap();
        [&length.to_be_bytes(), bytes].concat()
    };
    let blob = [text(b"ssh-ed25519"), text(&[seed; 32])].concat();
    format!("ssh-ed25519 {} {comment}\n", STANDARD.encode(blob))
}

/// A home folder with credentials in many places, odd texts among them.
fn home() -> Planted {
    let planted = Planted::new(&people(8));
    let mut keys = String::new();
    for (seed, (_, text)) in (1..).zip(odd_texts()) {
        keys += &public_key(seed, &text);
    }
    planted.file(".ssh/authorized_keys", &keys);
    let mut env = String::new();
    for n in 0..6 {
        writeln!(env, "SERVICE_{n}_PASSWORD={CANARY}-{n}").unwrap();
    }
    planted.file("app/.env", &env);
    planted.file(
        ".netrc",
        &format!("machine git.corp login ann password {CANARY}\n"),
    );
    planted.file(".pgpass", &format!("db:5432:app:ann:{CANARY}\n"));
    let user = format!("users:\n- name: ann\n  user: {{token: {CANARY}}}\n");
    planted.file(".kube/config", &user);
    planted.file(
        "deploy/notes \u{1f511} \u{202e}.txt",
        &format!("amqp://u:{CANARY}@mq/\n"),
    );
    planted.file("clean.txt", "nothing\n");
    planted
}

/// Name, size and time of every file: whoever writes changes one of them.
fn state(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut state = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let about = entry.metadata().unwrap();
            if about.is_dir() {
                folders.push(entry.path());
            }
            state.push((entry.path(), about.len(), about.modified().unwrap()));
        }
    }
    state.sort();
    state
}

fn set_up(planted: Planted, facts: Facts) -> SetUp {
    let planted = Arc::new(planted);
    let before = state(planted.0.path());
    let watched = Arc::clone(&planted);
    let writes = move || {
        let now = state(watched.0.path());
        let changed = now.iter().filter(|file| !before.contains(file));
        changed.map(|file| format!("{file:?}")).collect()
    };
    let changing = Arc::clone(&planted);
    let change = move || {
        // The first and the last account go, one is renamed, and so with files.
        let mut left: Vec<String> = people(7);
        left[3] = "Renamed".to_owned();
        changing.accounts(&left);
        let passwd = changing.0.path().join("passwd");
        let text = fs::read_to_string(&passwd).unwrap();
        let (_first, rest) = text.split_once('\n').unwrap();
        fs::write(&passwd, rest).unwrap();
        fs::remove_file(changing.top().join(".netrc")).unwrap();
        changing.file("new.env", &format!("NEW_TOKEN={CANARY}\n"));
        changing.read_all()
    };
    SetUp {
        secrets: vec![CANARY.to_owned()],
        writes: Some(Box::new(writes)),
        change: Some(Box::new(change)),
        lives: Box::new(Arc::clone(&planted)),
        ..SetUp::new(planted.connector(), facts)
    }
}

impl Subject for Workstation {
    fn name(&self) -> String {
        "workstation".to_owned()
    }

    fn server(&self) -> String {
        "planted trees of files".to_owned()
    }

    fn scene(&self, scene: Scene) -> Answer {
        let read = |planted: Planted| {
            let facts = planted.read_all();
            set_up(planted, facts)
        };
        Answer::Here(match scene {
            Scene::Seeded | Scene::Changing => read(home()),
            Scene::Empty => read(Planted::new(&[])),
            Scene::Large { records, bytes } => {
                let count = records as usize;
                let planted = Planted::new(&vec!["x".repeat(bytes as usize); count]);
                for n in 0..records / 10 {
                    let text = format!("A_TOKEN={CANARY}\n{}\n", "x ".repeat(bytes as usize));
                    planted.file(&format!("{}/{n}.env", n % 97), &text);
                }
                set_up(planted, Facts::new())
            }
            Scene::Clipped => {
                let planted = home();
                planted.file("cut.tfstate", "{\"outputs\": {\"db_password\": ");
                read(planted)
            }
            Scene::WrongSecret => return Answer::NotApplicable("files take no secret"),
            Scene::TooFewRights | Scene::ExcessRights => {
                return Answer::NotApplicable(
                    "files are read with the rights of the person who runs lastkey",
                );
            }
        })
    }

    fn network(&self) -> Network {
        Network::None("files are not read over a network")
    }

    fn through(&self, _: SocketAddr, _: Trust<'_>) -> Box<dyn Connector> {
        unreachable!("files are not read over a network")
    }
}

#[test]
fn workstation_conforms() {
    crate::conforms(&Workstation);
}
