//! Flat files, in folders of their own.

use lastkey_conformance::seeded::{company, large};
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust};
use lastkey_contract::{Connector, Fact, Kind, Settings};
use lastkey_flat_files::columns;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

struct FlatFiles;

/// The cell of a column, out of a fact as JSON.
fn cell(fact: &Value, column: &str) -> String {
    let value = match column {
        "principal_type" => &fact["principal"]["kind"],
        "principal_system" => &fact["principal"]["system"],
        "principal_id" => &fact["principal"]["id"],
        other => &fact[other],
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Writes a file for each kind, as a person exports them.
pub fn write(folder: &Path, facts: &Facts) {
    for (kind, facts) in facts {
        let names: Vec<&str> = columns(*kind).iter().map(|column| column.name).collect();
        let path = folder.join(format!("{}.csv", kind.plural()));
        let mut file = csv::Writer::from_path(path).unwrap();
        file.write_record(&names).unwrap();
        for fact in facts {
            let fact = serde_json::to_value(fact).unwrap();
            file.write_record(names.iter().map(|name| cell(&fact, name)))
                .unwrap();
        }
        file.flush().unwrap();
    }
}

pub fn connector(folder: &Path) -> Box<dyn Connector> {
    let path = folder.to_string_lossy().into_owned();
    let settings = Settings([("path".to_owned(), path)].into());
    lastkey_flat_files::configure(&settings, None).unwrap()
}

/// Name, size and time of every file: whoever writes changes one of them.
fn state(folder: &Path) -> Vec<(String, u64, SystemTime)> {
    let mut state: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| {
            let about = entry.metadata().unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, about.len(), about.modified().unwrap())
        })
        .collect();
    state.sort();
    state
}

fn set_up(facts: Facts) -> SetUp {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &facts);
    let path = folder.path().to_path_buf();
    let before = state(&path);
    let watched = path.clone();
    let writes = move || {
        let now = state(&watched);
        let changed = now.iter().filter(|file| !before.contains(file));
        changed.map(|file| format!("{file:?}")).collect()
    };
    SetUp {
        writes: Some(Box::new(writes)),
        lives: Box::new(folder),
        ..SetUp::new(connector(&path), facts)
    }
}

/// Two go, one comes, one is renamed.
fn changed(mut facts: Facts) -> Facts {
    let people = facts.get_mut(&Kind::Identity).unwrap();
    people.remove(0);
    people.pop();
    let Fact::Identity(person) = &mut people[1] else {
        panic!("an identity")
    };
    person.display_name = Some("Renamed".to_owned());
    let mut new = person.clone();
    new.id = "new".into();
    people.push(Fact::Identity(new));
    facts
}

impl Subject for FlatFiles {
    fn name(&self) -> String {
        "flat-files".to_owned()
    }

    fn server(&self) -> String {
        "folders of CSV files".to_owned()
    }

    fn scene(&self, scene: Scene) -> Answer {
        Answer::Here(match scene {
            Scene::Seeded => set_up(company("corp")),
            Scene::Empty => set_up(Kind::ALL.map(|kind| (kind, Vec::new())).into()),
            Scene::Large { records, bytes } => {
                set_up([(Kind::Identity, large(records, bytes))].into())
            }
            Scene::Changing => {
                let facts = company("corp");
                let mut set_up = set_up(facts.clone());
                let path = set_up
                    .lives
                    .downcast_ref::<tempfile::TempDir>()
                    .map(|folder| folder.path().to_path_buf())
                    .unwrap();
                set_up.change = Some(Box::new(move || {
                    let after = changed(facts);
                    write(&path, &after);
                    after
                }));
                set_up
            }
            Scene::WrongSecret => return Answer::NotApplicable("files take no secret"),
            Scene::TooFewRights | Scene::ExcessRights => {
                return Answer::NotApplicable(
                    "files are read with the rights of the person who runs lastkey",
                );
            }
            Scene::Clipped => {
                return Answer::NotApplicable("nothing cuts what is read from a file");
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
fn flat_files_conform() {
    crate::conforms(&FlatFiles);
}
