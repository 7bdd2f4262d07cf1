//! What happens to the files of a workstation: before a scan, and between two pages of one.

use super::between::between;
use super::{Fault, Struck};
use lastkey_contract::{Connector, Settings};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An account of the machine that can read no file of the home that is scanned.
pub const LEAVER: &str = "p1003";

/// A home folder, and the lists of accounts beside it.
pub struct Home(TempDir);

const CANARY: &str = "canary-Trombone-of-a-file-77";

fn file(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn connector(place: &Path, extra: &[(&str, &str)]) -> Box<dyn Connector> {
    let mut settings = Settings::default();
    for (key, value) in [
        ("folder", place.join("home").display().to_string()),
        ("system", "ws-ann".to_owned()),
        ("accounts_folder", place.display().to_string()),
    ] {
        settings.0.insert(key.to_owned(), value);
    }
    for (key, value) in extra {
        settings.0.insert((*key).to_owned(), (*value).to_owned());
    }
    lastkey_workstation::configure(&settings, None).unwrap()
}

/// Plants everything anew.
fn plant(place: &Path) {
    let home = place.join("home");
    for old in ["home", "away", "passwd", "group"] {
        let old = place.join(old);
        let _no_folder = fs::remove_dir_all(&old);
        let _no_file = fs::remove_file(&old);
    }
    let passwd: String = (1000..1008)
        .map(|n| format!("p{n}:x:{n}:{n}:Person {n}:/home/p{n}:/bin/sh\n"))
        .collect();
    fs::write(
        place.join("passwd"),
        format!("root:x:0:0:root:/root:/bin/sh\n{passwd}"),
    )
    .unwrap();
    fs::write(place.join("group"), "root:x:0:\nstaff:x:50:p1001\n").unwrap();
    for n in 0..6 {
        file(
            &home.join(format!("app{n}/.env")),
            &format!("SERVICE_PASSWORD={CANARY}-{n}\n"),
        );
    }
    file(
        &home.join(".netrc"),
        &format!("machine git login ann password {CANARY}\n"),
    );
    let state = format!("{{\"outputs\": {{\"db_password\": {{\"value\": \"{CANARY}\"}}}}}}");
    file(&home.join("infra/prod.tfstate"), &state);
}

impl Home {
    pub fn made() -> Home {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path());
        Home(folder)
    }

    pub fn connector(&self) -> Box<dyn Connector> {
        connector(self.0.path(), &[])
    }

    fn before(&self, name: &str, act: impl FnOnce(PathBuf) + 'static) -> Fault {
        self.before_with(name, &[], act)
    }

    fn before_with(
        &self,
        name: &str,
        extra: &'static [(&str, &str)],
        act: impl FnOnce(PathBuf) + 'static,
    ) -> Fault {
        let place = self.0.path().to_path_buf();
        let after = place.clone();
        Fault {
            name: name.to_owned(),
            start: Box::new(move || {
                act(place.clone());
                Struck {
                    connector: connector(&place, extra),
                    lift: Box::new(move || plant(&after)),
                    lives: Box::new(()),
                }
            }),
        }
    }

    /// After the first page of accounts, which is before the scan begins.
    fn between(&self, name: &str, act: impl FnOnce(PathBuf) + Send + 'static) -> Fault {
        let place = self.0.path().to_path_buf();
        let after = place.clone();
        Fault {
            name: format!("{name}, between two pages"),
            start: Box::new(move || {
                let of = place.clone();
                Struck {
                    connector: between(connector(&place, &[]), move || act(of)),
                    lift: Box::new(move || plant(&after)),
                    lives: Box::new(()),
                }
            }),
        }
    }

    pub fn faults(&self) -> Vec<Fault> {
        let gone = |place: PathBuf| fs::remove_dir_all(place.join("home")).unwrap();
        let cut = |place: PathBuf| {
            file(
                &place.join("home/infra/prod.tfstate"),
                "{\"outputs\": {\"db_password\": ",
            );
        };
        let list = |name: &'static str, text: Option<&'static str>| {
            move |place: PathBuf| match text {
                None => fs::remove_file(place.join(name)).unwrap(),
                Some(line) => {
                    let mut all = fs::read_to_string(place.join(name)).unwrap();
                    all.push_str(line);
                    fs::write(place.join(name), all).unwrap();
                }
            }
        };
        vec![
            self.before("the whole folder gone", gone),
            self.before("a file in its place", |place| {
                fs::remove_dir_all(place.join("home")).unwrap();
                fs::write(place.join("home"), "x").unwrap();
            }),
            self.before("a link in its place", |place| {
                fs::remove_dir_all(place.join("home")).unwrap();
                symlink("/nowhere/at/all", place.join("home")).unwrap();
            }),
            self.before("a known file cut", cut),
            self.before_with(
                "a file larger than is looked at",
                &[("largest_mib", "1")],
                |place| {
                    file(
                        &place.join("home/app0/dump.sql"),
                        &"x y z\n".repeat(200_000),
                    )
                },
            ),
            self.before("passwd gone", list("passwd", None)),
            self.before("group gone", list("group", None)),
            self.before(
                "a line of passwd that is none",
                list("passwd", Some("broken\n")),
            ),
            self.before(
                "a line of group that is none",
                list("group", Some(":x:y\n")),
            ),
            self.between("the whole folder gone", gone),
            self.between("a known file cut", cut),
            self.between("a file in its place", |place| {
                fs::rename(place.join("home"), place.join("away")).unwrap();
                fs::write(place.join("home"), "x").unwrap();
            }),
        ]
    }
}
