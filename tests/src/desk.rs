//! A store with a key file, worked at from the command line as scripts do.

use crate::window::Room;
use serde_json::Value;
use std::path::Path;

/// A room with a key file, so that no keychain is needed.
pub struct Desk {
    pub room: Room,
    pub store: String,
    pub key: String,
}

impl Desk {
    /// Three people, two of one name.
    pub const PEOPLE: &'static str = "id,kind,display_name,email,start_date,employee_number
u1,person,Ann Smith,ann.smith@x.org,2010-01-01,100
u2,person,Bob Jones,bob@x.org,2012-01-01,200
u3,person,Bob Jones,bob@x.org,2015-01-01,300
";

    /// Accounts of them by id, by mail, by a like name, by a badge; and one of nobody.
    pub const ACCOUNTS: &'static str = "system,id,name,identity_id,email,created_at,badge
corp,a1,ann.smith,u1,,2010-01-02,
corp,a2,bob,,bob@x.org,2012-01-02,
corp,a3,asmith,,,2011-01-01,
corp,a4,adm-x,,,2011-01-01,N200
corp,a5,backup,,,2009-01-01,
";

    /// What stands in the key file.
    pub const KEY: &'static str = "a key file for tests";

    /// An empty one; the first command that writes makes the store.
    pub fn new() -> Self {
        let room = Room::new();
        let key = room.path("key");
        secret_file(&key, Self::KEY);
        Self {
            store: room.path("s.lastkey").display().to_string(),
            key: key.display().to_string(),
            room,
        }
    }

    /// One that has read a roster and a directory: `PEOPLE` and `ACCOUNTS`.
    pub fn linked() -> Self {
        let desk = Self::new();
        desk.write("hr/identities.csv", Self::PEOPLE);
        desk.write("ad/accounts.csv", Self::ACCOUNTS);
        for source in ["hr", "ad"] {
            let folder = desk.room.path(source).display().to_string();
            desk.expect(0, &["import", &folder, "--as", source]);
        }
        desk
    }

    /// Has a folder tell that there is nothing of any kind beside identities and accounts, so that
    /// nothing of its systems is missing.
    pub fn nothing_else(&self, source: &str) {
        for (file, header) in [
            ("entitlements", "system,id"),
            (
                "grants",
                "system,principal_type,principal_id,entitlement_id",
            ),
            ("credentials", "system,id,kind,account_id"),
            ("locations", "system,path,credential_system,credential_id"),
            ("readers", "system,path,principal_type,principal_id"),
            (
                "controls",
                "principal_type,principal_id,system,account_id,means",
            ),
            ("owners", "object_type,system,object_id,owner_id,role"),
        ] {
            self.write(&format!("{source}/{file}.csv"), format!("{header}\n"));
        }
    }

    /// Makes the store, with a source in it that was never read.
    #[track_caller]
    pub fn made(&self) {
        let path = format!("path={}", self.write("never-read.csv", "id\n"));
        let add = ["source", "add", "flat-files", "never-read", "--set", &path];
        self.expect(0, &add);
    }

    /// Runs `lastkey` on this store: exit status, stdout, stderr.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["--store", &self.store, "--key-file", &self.key];
        all.extend(arguments);
        self.room.lastkey(&all)
    }

    /// Runs and expects this status; gives back stdout.
    #[track_caller]
    pub fn expect(&self, status: i32, arguments: &[&str]) -> String {
        let (got, out, err) = self.run(arguments);
        assert_eq!(got, status, "lastkey {arguments:?}\n{out}\n{err}");
        out
    }

    /// A file of a package, read by a tool that is not ours.
    #[track_caller]
    pub fn in_package(&self, package: &str, file: &str) -> String {
        let out = std::process::Command::new("unzip")
            .args(["-p", package, file])
            .output()
            .expect("unzip");
        assert!(out.status.success(), "`{file}` is not in {package}");
        String::from_utf8(out.stdout).expect("text")
    }

    /// The same, its answer taken as JSON lines.
    #[track_caller]
    pub fn lines(&self, status: i32, arguments: &[&str]) -> Vec<Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        self.expect(status, &all)
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// Runs, expects this status, and one sentence that says `wanted`; gives back stderr.
    #[track_caller]
    pub fn trouble(&self, status: i32, arguments: &[&str], wanted: &str) -> String {
        let (got, out, err) = self.run(arguments);
        assert_eq!(got, status, "lastkey {arguments:?}\n{out}\n{err}");
        assert!(err.contains(wanted), "`{wanted}` is not said:\n{err}");
        assert!(!err.contains("panicked"), "{err}");
        let sentences = err.lines().filter(|l| l.starts_with("error: ")).count();
        assert!(sentences <= 1, "one sentence:\n{err}");
        err
    }

    /// A file in the room; gives back its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.room.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, text).expect("the file");
        path.display().to_string()
    }

    /// A file in the room that only its owner may read; gives back its path.
    pub fn write_secret(&self, name: &str, text: &str) -> String {
        let path = self.room.path(name);
        secret_file(&path, text);
        path.display().to_string()
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

fn secret_file(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("the file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
}
