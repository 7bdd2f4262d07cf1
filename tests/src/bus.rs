//! A session bus of one's own with a real keyring on it, in each state that a person may meet.

use crate::window::{Room, program};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a service may take to start. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bus on which nothing starts by itself, so that a test says what is there.
const CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// In which state the keyring starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// As after a login.
    Unlocked,
    /// The service runs, and nobody ever made a keyring.
    NeverMade,
}

/// A private bus. Everything on it ends with it.
pub struct Bus {
    folder: tempfile::TempDir,
    address: String,
    processes: Vec<Child>,
}

impl Bus {
    /// A bus with nothing on it.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, CONFIG).expect("the bus's configuration");
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed: the test script installs it");
        let mut address = String::new();
        let out = daemon.stdout.take().expect("its output");
        BufReader::new(out)
            .read_line(&mut address)
            .expect("the bus says where it is");
        Self {
            folder,
            address: address.trim().to_owned(),
            processes: vec![daemon],
        }
    }

    /// A bus with a keyring service.
    pub fn with(keyring: Keyring) -> Self {
        let mut bus = Self::start();
        bus.serve(keyring);
        bus
    }

    fn serve(&mut self, keyring: Keyring) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if keyring == Keyring::Unlocked {
            command.arg("--unlock");
        }
        let mut daemon = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed: the test script installs it");
        if let Some(mut stdin) = daemon.stdin.take() {
            stdin.write_all(b"private\n").expect("it takes a password");
        }
        self.processes.push(daemon);
        let begun = Instant::now();
        while !self.call(
            "org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.GetNameOwner",
            &["string:org.freedesktop.secrets"],
        ) {
            assert!(
                begun.elapsed() < PATIENCE,
                "the keyring service did not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Locks the keyring, as a screen saver may.
    pub fn lock(&self) {
        let done = self.call(
            "org.freedesktop.secrets",
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &["array:objpath:/org/freedesktop/secrets/collection/login"],
        );
        assert!(done, "the keyring locks");
    }

    fn call(&self, to: &str, path: &str, method: &str, arguments: &[&str]) -> bool {
        self.command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                &format!("--dest={to}"),
                path,
                method,
            ])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("dbus-send is installed")
            .success()
    }

    /// A program on this bus, with the keyring's own folders.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        self.bring_to(&mut command);
        command
            .env("XDG_DATA_HOME", self.folder.path())
            .env("HOME", self.folder.path());
        command
    }

    /// Puts a program on this bus. There is no screen, so no prompt can be shown.
    pub fn bring_to(&self, command: &mut Command) {
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
    }

    /// Puts every program of a room on this bus; a screen stays as it is.
    pub fn address_for(&self, room: &mut Room) {
        room.set("DBUS_SESSION_BUS_ADDRESS", &self.address);
    }

    /// `lastkey` on this bus: exit status, stdout, stderr.
    pub fn lastkey(&self, room: &Room, arguments: &[&str]) -> (i32, String, String) {
        let mut command = room.command(&program("lastkey"));
        self.bring_to(&mut command);
        finish(command.args(arguments))
    }

    /// The names of our entries in the keyring.
    pub fn entries(&self) -> Vec<String> {
        let done = self
            .command("secret-tool")
            .args(["search", "--all", "service", SERVICE])
            .output()
            .expect("secret-tool is installed: the test script installs it");
        let mut names: Vec<String> = [done.stdout, done.stderr]
            .iter()
            .flat_map(|text| {
                String::from_utf8_lossy(text)
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .filter_map(|line| Some(line.strip_prefix("attribute.username = ")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// Takes an entry out of the keyring behind our back.
    pub fn remove(&self, name: &str) {
        let done = self
            .command("secret-tool")
            .args(["clear", "service", SERVICE, "username", name])
            .status()
            .expect("secret-tool is installed");
        assert!(done.success(), "the entry is removed");
    }

    /// Puts something else into an entry behind our back.
    pub fn plant(&self, name: &str, text: &str) {
        let mut child = self
            .command("secret-tool")
            .args([
                "store",
                "--label=planted",
                "service",
                SERVICE,
                "username",
                name,
            ])
            .stdin(Stdio::piped())
            .spawn()
            .expect("secret-tool is installed");
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(text.as_bytes()).expect("it takes a secret");
        }
        assert!(
            child.wait().expect("it ends").success(),
            "the entry is planted"
        );
    }
}

const SERVICE: &str = "org.lastkey.workbench";

/// Runs to the end: exit status (-1 for a signal), stdout, stderr.
pub fn finish(command: &mut Command) -> (i32, String, String) {
    let done = command
        .stdin(Stdio::null())
        .output()
        .expect("lastkey starts");
    (
        done.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&done.stdout).into_owned(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

/// Writes a file that only its owner may read; gives back its path.
pub fn secret_file(path: &Path, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("the file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    path.display().to_string()
}

impl Drop for Bus {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _gone_already = process.kill();
            let _gone_already = process.wait();
        }
    }
}
