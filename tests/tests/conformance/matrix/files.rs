//! What happens to files: before a read, and in the middle of one.

use super::between::between;
use super::{Fault, Struck};
use crate::flat_files;
use lastkey_conformance::seeded::company;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with the company's files, that can be made well again.
pub struct Place {
    folder: TempDir,
}

/// Every accounts file of the company, spoilt in one way.
fn spoilt(whole: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let line_end = |n: usize| {
        let ends = whole.iter().enumerate().filter(|(_, b)| **b == b'\n');
        ends.map(|(at, _)| at + 1).nth(n).unwrap()
    };
    let mut nul = whole.to_vec();
    nul[line_end(1) + 1] = 0;
    let mut foreign = whole.to_vec();
    foreign[line_end(1) + 1] = 0xff;
    let mut quote = whole.to_vec();
    quote.insert(line_end(2), b'"');
    let mut twice = whole.to_vec();
    twice.extend_from_slice(&whole[line_end(0)..line_end(1)]);
    vec![
        ("empty", Vec::new()),
        ("cut in a row", whole[..line_end(3) - 20].to_vec()),
        ("cut in its header", whole[..4].to_vec()),
        ("a NUL in it", nul),
        ("not UTF-8", foreign),
        ("a quote never closed", quote),
        ("a row twice", twice),
        ("UTF-16", [&b"\xff\xfe"[..], whole].concat()),
        ("another file's columns", b"id,kind\n1,person\n".to_vec()),
    ]
}

impl Place {
    pub fn made() -> Place {
        let folder = tempfile::tempdir().unwrap();
        flat_files::write(folder.path(), &company("corp"));
        Place { folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn faults(&self) -> Vec<Fault> {
        let accounts = self.folder().join("accounts.csv");
        let whole = fs::read(&accounts).unwrap();
        let mut all = Vec::new();
        for (name, bytes) in spoilt(&whole) {
            all.push(self.before(name, move |file| fs::write(file, bytes).unwrap()));
        }
        all.push(self.before("gone", |file| fs::remove_file(file).unwrap()));
        all.push(self.before("a folder in its place", |file| {
            fs::remove_file(&file).unwrap();
            fs::create_dir(file).unwrap();
        }));
        all.push(self.before("a link to nowhere", |file| {
            fs::remove_file(&file).unwrap();
            std::os::unix::fs::symlink("/nowhere/at/all", file).unwrap();
        }));
        let folder = self.folder().to_path_buf();
        let away = folder.with_extension("away");
        let back = (away.clone(), folder.clone());
        all.push(Fault {
            name: "the whole folder gone".to_owned(),
            start: Box::new(move || {
                fs::rename(&folder, &away).unwrap();
                Struck {
                    connector: flat_files::connector(&folder),
                    lift: Box::new(move || fs::rename(back.0, back.1).unwrap()),
                    lives: Box::new(()),
                }
            }),
        });
        all.push(self.between("gone between two pages", |file| {
            fs::remove_file(file).unwrap()
        }));
        for (name, bytes) in spoilt(&whole) {
            let name = format!("{name}, between two pages");
            all.push(self.between(&name, move |file| fs::write(file, bytes).unwrap()));
        }
        all
    }

    /// Puts the accounts back as they were.
    fn mended(&self) -> impl FnOnce() + 'static {
        let file = self.folder().join("accounts.csv");
        let whole = fs::read(&file).unwrap();
        move || {
            let _was_a_folder = fs::remove_dir(&file);
            let _was_a_link = fs::remove_file(&file);
            fs::write(&file, whole).unwrap();
        }
    }

    fn before(&self, name: &str, act: impl FnOnce(PathBuf) + 'static) -> Fault {
        let folder = self.folder().to_path_buf();
        let lift = Box::new(self.mended());
        Fault {
            name: name.to_owned(),
            start: Box::new(move || {
                act(folder.join("accounts.csv"));
                Struck {
                    connector: flat_files::connector(&folder),
                    lift,
                    lives: Box::new(()),
                }
            }),
        }
    }

    fn between(&self, name: &str, act: impl FnOnce(PathBuf) + Send + 'static) -> Fault {
        let folder = self.folder().to_path_buf();
        let lift = Box::new(self.mended());
        Fault {
            name: name.to_owned(),
            start: Box::new(move || {
                let file = folder.join("accounts.csv");
                Struck {
                    connector: between(flat_files::connector(&folder), move || act(file)),
                    lift,
                    lives: Box::new(()),
                }
            }),
        }
    }
}
