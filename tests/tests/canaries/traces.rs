//! A store at work, with every word it says kept for the hunt.

use lastkey_tests::hunt::{Canary, Hunt, hunt};
use lastkey_tests::opened::Opened;
use lastkey_tests::picture::TABLES;
use lastkey_tests::window::{Room, program};
use std::path::PathBuf;
use std::process::Stdio;

/// What stands in the key file.
pub const PASSPHRASE: &str = "canary-passphrase of the key file 77aa";

/// A room with a key file; temporary files go into the room too.
pub struct Traced {
    pub room: Room,
    said: Vec<(String, Vec<u8>)>,
    recovery_key: Option<String>,
}

impl Traced {
    pub fn new() -> Self {
        let traced = Self {
            room: Room::new(),
            said: Vec::new(),
            recovery_key: None,
        };
        traced.secret("key", PASSPHRASE);
        std::fs::create_dir(traced.room.path("tmp")).unwrap();
        traced
    }

    /// A file that only its owner may read; gives back its path.
    pub fn secret(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.room.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.room.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs it as loudly as it can be; gives back status, stdout, stderr.
    pub fn run(&mut self, arguments: &[&str]) -> (i32, String, String) {
        let done = self
            .room
            .command(&program("lastkey"))
            .arg("-vv")
            .arg("--store")
            .arg(self.room.path("s.lastkey"))
            .arg("--key-file")
            .arg(self.room.path("key"))
            .args(arguments)
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("TMPDIR", self.room.path("tmp"))
            .current_dir(self.room.path(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut err = String::from_utf8_lossy(&done.stderr).into_owned();
        // The recovery key is shown once, when a store is made, and never again.
        if self.recovery_key.is_none()
            && let Some(line) = err
                .lines()
                .find(|l| l.trim().starts_with("lastkey-recovery-"))
        {
            let line = line.to_owned();
            self.recovery_key = Some(line.trim().to_owned());
            err = err.replacen(&line, "", 1);
        }
        let number = self.said.len();
        for (stream, text) in [("stdout", &out), ("stderr", &err)] {
            let place = format!("{stream} of command {number}, {}", arguments[0]);
            self.said.push((place, text.clone().into_bytes()));
        }
        (done.status.code().unwrap_or(-1), out, err)
    }

    #[track_caller]
    pub fn expect(&mut self, status: i32, arguments: &[&str]) -> String {
        let (got, out, err) = self.run(arguments);
        assert_eq!(got, status, "lastkey {arguments:?}\n{out}\n{err}");
        format!("{out}{err}")
    }

    /// Runs everything that says something about what the store holds.
    pub fn ask_everything(&mut self) {
        for table in TABLES.into_iter().chain(["events", "journal"]) {
            self.run(&[table, "--json"]);
            self.run(&[table]);
        }
        for table in TABLES {
            self.run(&[table, "--csv"]);
        }
        for arguments in [
            &["source", "list", "--json"][..],
            &["source", "list"],
            &["source", "kinds"],
            &["plan", "show"],
            &["rehearse", "leaver", "--all", "--items", "--json"],
            &["rehearse", "leaver", "--all"],
            &["export", "--out", "package.zip"],
            &["verify", "package.zip", "--json"],
            &["store", "check"],
        ] {
            self.run(arguments);
        }
    }

    fn opened(&self) -> Opened {
        let key = self.recovery_key.as_deref().expect("a store was made");
        Opened::with_recovery_key(&self.room.path("s.lastkey"), key)
    }

    /// The sealed secrets, for those that a test does not know beforehand.
    pub fn sealed(&self) -> std::collections::BTreeMap<String, String> {
        self.opened().sealed()
    }

    /// Looks through what was answered and through the files, where no store was made.
    #[track_caller]
    pub fn answers_hold_none_of(&self, canaries: &[Canary], besides: &[&str]) {
        self.hold_none_of(canaries, besides, &[]);
    }

    /// Looks everywhere but into the named files, which hold secrets on purpose. What is
    /// `surely_there` must be found, so that the hunt itself is proved.
    #[track_caller]
    pub fn hold_none_of(&self, canaries: &[Canary], besides: &[&str], surely_there: &[&str]) {
        let mut all = canaries.to_vec();
        let mut hunted = Hunt::default();
        let mut proof = Hunt::default();
        let there: Vec<Canary> = surely_there
            .iter()
            .map(|text| Canary::new(text, text))
            .collect();
        if let Some(key) = &self.recovery_key {
            all.push(Canary::new("the recovery key", key));
            all.push(Canary::new(
                "the recovery key without marks",
                key.replace('-', ""),
            ));
            let opened = self.opened();
            all.extend(opened.canaries());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let dump = runtime.block_on(opened.dump());
            hunted.bytes("the store, decrypted", dump.as_bytes(), &all);
            proof.bytes("the store, decrypted", dump.as_bytes(), &there);
        }
        all.push(Canary::new("the passphrase", PASSPHRASE));
        let key = self.room.path("key");
        let mut left_out = vec![key];
        left_out.extend(besides.iter().map(|name| self.room.path(name)));
        let left_out: Vec<&std::path::Path> = left_out.iter().map(PathBuf::as_path).collect();
        let files = hunt(&self.room.path(""), &left_out, &all);
        hunted.looked_at.extend(files.looked_at);
        hunted.found.extend(files.found);
        for (place, bytes) in &self.said {
            hunted.bytes(place, bytes, &all);
        }
        hunted.nothing_found(self.said.len());
        for text in &there {
            assert!(
                proof
                    .found
                    .iter()
                    .any(|found| found.starts_with(&text.what)),
                "the hunt does not find `{}` where it surely is",
                text.what
            );
        }
    }
}
