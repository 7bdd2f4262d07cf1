//! Flat files, in folders of their own and packed in a zip.

use lastkey_conformance::seeded::{company, large};
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust};
use lastkey_contract::{Connector, Fact, Kind, Settings};
use lastkey_flat_files::columns;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;

/// How the files lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Folder,
    Zip,
}

struct FlatFiles(Packing);

/// Where the files of a set lie.
struct Place {
    folder: TempDir,
    packing: Packing,
}

impl Place {
    fn path(&self) -> PathBuf {
        match self.packing {
            Packing::Folder => self.folder.path().to_path_buf(),
            Packing::Zip => self.folder.path().join("export.zip"),
        }
    }

    fn write(&self, facts: &Facts) {
        match self.packing {
            Packing::Folder => write(self.folder.path(), facts),
            Packing::Zip => {
                let loose = tempfile::tempdir().unwrap();
                write(loose.path(), facts);
                let mut zip = zip::ZipWriter::new(fs::File::create(self.path()).unwrap());
                for entry in fs::read_dir(loose.path()).unwrap().flatten() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    zip.start_file(name, zip::write::SimpleFileOptions::default())
                        .unwrap();
                    zip.write_all(&fs::read(entry.path()).unwrap()).unwrap();
                }
                zip.finish().unwrap();
            }
        }
    }
}

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

fn set_up(packing: Packing, facts: Facts) -> SetUp {
    let place = Arc::new(Place {
        folder: tempfile::tempdir().unwrap(),
        packing,
    });
    place.write(&facts);
    let before = state(place.folder.path());
    let watched = place.folder.path().to_path_buf();
    let writes = move || {
        let now = state(&watched);
        let changed = now.iter().filter(|file| !before.contains(file));
        changed.map(|file| format!("{file:?}")).collect()
    };
    let (changing, old) = (Arc::clone(&place), facts.clone());
    let change = move || {
        let after = changed(old);
        changing.write(&after);
        after
    };
    SetUp {
        writes: Some(Box::new(writes)),
        change: Some(Box::new(change)),
        lives: Box::new(Arc::clone(&place)),
        ..SetUp::new(connector(&place.path()), facts)
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
        match self.0 {
            Packing::Folder => "flat-files".to_owned(),
            Packing::Zip => "flat-files-zip".to_owned(),
        }
    }

    fn server(&self) -> String {
        match self.0 {
            Packing::Folder => "folders of CSV files".to_owned(),
            Packing::Zip => "zips of CSV files".to_owned(),
        }
    }

    fn scene(&self, scene: Scene) -> Answer {
        let set_up = |facts| set_up(self.0, facts);
        Answer::Here(match scene {
            Scene::Seeded | Scene::Changing => set_up(company("corp")),
            Scene::Empty => set_up(Kind::ALL.map(|kind| (kind, Vec::new())).into()),
            Scene::Large { records, bytes } => {
                set_up([(Kind::Identity, large(records, bytes))].into())
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
    crate::conforms(&FlatFiles(Packing::Folder));
}

#[test]
fn flat_files_in_a_zip_conform() {
    crate::conforms(&FlatFiles(Packing::Zip));
}
