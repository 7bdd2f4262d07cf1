//! The real window, driven from outside through WebDriver (tauri-driver and WebKitWebDriver).
//!
//! Each window has folders of its own for data and settings; the display, the bus and the
//! keyring are those of the environment (tests/scripts/desktop.sh gives private ones).

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WebDriver};

/// How long anything on screen may take. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a window's data and settings are.
pub struct Room {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Room {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            environment: Vec::new(),
        }
    }
    /// An empty one in memory, where the machine has room there: whoever makes very many stores
    /// waits for the disk else, and a kill loses nothing that was written to either.
    pub fn in_memory() -> Self {
        Self {
            folder: tempfile::tempdir_in(&*MEMORY).expect("a temporary folder"),
            environment: Vec::new(),
        }
    }
    /// Sets a variable for every program in this room.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }
    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// The store that the window opens when nobody names one.
    pub fn store(&self) -> PathBuf {
        self.path("data/lastkey/store.lastkey")
    }
    /// Where a window and its driver write what they have to say.
    pub fn said(&self) -> PathBuf {
        self.path("window.log")
    }
    fn said_to(&self) -> (std::fs::File, std::fs::File) {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.said())
            .expect("the window's log");
        let twice = file.try_clone().expect("a second handle");
        (file, twice)
    }
    /// A command with this room's folders.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env_remove("LASTKEY_KEY_FILE")
            .envs(self.environment.iter().cloned());
        command
    }
    /// `lastkey` in this room: exit status, stdout, stderr.
    pub fn lastkey(&self, arguments: &[&str]) -> (i32, String, String) {
        let done = self
            .command(&program("lastkey"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("lastkey starts");
        (
            done.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&done.stdout).into_owned(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    }
}

/// Where files are kept in memory, or the folder for all temporary ones.
static MEMORY: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(|| {
    const PLACE: &str = "/dev/shm";
    const ENOUGH: u64 = 2 << 30;
    let told = Command::new("df")
        .args(["--block-size=1", "--output=avail", PLACE])
        .output();
    let text = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    let free = text
        .ok()
        .and_then(|text| text.lines().nth(1)?.trim().parse::<u64>().ok());
    match free {
        Some(free) if free >= ENOUGH => PathBuf::from(PLACE),
        Some(_) | None => std::env::temp_dir(),
    }
});

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

/// A program of ours, beside the running test's own folder.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("target/debug/deps/test has two parents");
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not built: run cargo build -p lastkey-window -p lastkey-cli",
        path.display()
    );
    path
}

/// One screen, one window: tests that open windows take turns.
static SCREEN: std::sync::LazyLock<std::sync::Arc<tokio::sync::Mutex<()>>> =
    std::sync::LazyLock::new(Default::default);

/// On the private desktop (tests/scripts/desktop.sh) the keyring is there and unlocked, or it is
/// said within seconds: a window would wait long for a prompt that nobody sees. A room with a bus
/// of its own has its own keyring, or none.
fn keyring_is_there(room: &Room) {
    let own_bus = |(name, _): &(String, String)| name == "DBUS_SESSION_BUS_ADDRESS";
    if let Some(keeper) = std::env::var_os("LASTKEY_KEYRING")
        && !room.environment.iter().any(own_bus)
    {
        let told = Command::new(keeper).arg("--ready").output();
        let told = told.expect("the keyring's script starts");
        let why = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.success(), "no window can be tried: {why}");
    }
}

/// An open window.
pub struct Window {
    pub driver: WebDriver,
    process: Child,
    _turn: tokio::sync::OwnedMutexGuard<()>,
}

impl Window {
    /// Opens the window and waits until its frame stands.
    pub async fn open(room: &Room, arguments: &[&str]) -> Window {
        let turn = SCREEN.clone().lock_owned().await;
        keyring_is_there(room);
        // The driver's own child sometimes comes up too late for the first session.
        let mut opened = None;
        for _ in 0..3 {
            opened = try_open(room, arguments).await;
            if opened.is_some() {
                break;
            }
        }
        let (driver, process) = opened.expect("the window opens");
        let window = Window {
            driver,
            process,
            _turn: turn,
        };
        window.wait_for("[data-ready]").await;
        window
    }

    /// The first element that matches, once it is there.
    pub async fn wait_for(&self, css: &str) -> WebElement {
        let begun = Instant::now();
        loop {
            if let Ok(element) = self.driver.find(By::Css(css)).await {
                return element;
            }
            if begun.elapsed() > PATIENCE {
                panic!(
                    "`{css}` did not appear; the window shows:\n{}",
                    self.text().await
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until nothing matches.
    pub async fn gone(&self, css: &str) {
        let begun = Instant::now();
        while self.driver.find(By::Css(css)).await.is_ok() {
            assert!(begun.elapsed() < PATIENCE, "`{css}` stays");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The element with this `data-test`, once it is there.
    pub async fn part(&self, name: &str) -> WebElement {
        self.wait_for(&format!("[data-test=\"{name}\"]")).await
    }

    /// Clicks a part.
    pub async fn click(&self, name: &str) {
        let begun = Instant::now();
        loop {
            match self.part(name).await.click().await {
                Ok(()) => return,
                Err(error) if begun.elapsed() > PATIENCE => {
                    panic!("`{name}` is not clickable: {error}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Types into a part, replacing what it holds.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.part(name).await;
        field.clear().await.expect("the field can be cleared");
        field.send_keys(text).await.expect("the field takes keys");
    }

    /// Puts a value into a part as a person's choice would: for lists, dates and long texts,
    /// where keys depend on the language.
    pub async fn set(&self, name: &str, value: &str) {
        self.part(name).await;
        let value = serde_json::json!(value);
        let script = format!(
            "const field = document.querySelector('[data-test=\"{name}\"]');
             const proto = Object.getPrototypeOf(field);
             Object.getOwnPropertyDescriptor(proto, 'value').set.call(field, {value});
             field.dispatchEvent(new Event('input', {{ bubbles: true }}));
             field.dispatchEvent(new Event('change', {{ bubbles: true }}));
             return field.value;"
        );
        let now = self.script(&script).await;
        assert_eq!(now, value, "`{name}` takes the value");
    }

    /// Waits until a part's text satisfies the test; gives the text back.
    pub async fn text_where(&self, name: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.text_of_where(&format!("[data-test=\"{name}\"]"), wanted)
            .await
    }

    /// Waits until the text of the first element that matches satisfies the test.
    pub async fn text_of_where(&self, css: &str, wanted: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        let mut text = String::new();
        while begun.elapsed() < PATIENCE {
            text = self.wait_for(css).await.text().await.unwrap_or_default();
            if wanted(&text) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "`{css}` stayed at `{text}`; the window shows:\n{}",
            self.text().await
        );
    }

    /// All text on screen.
    pub async fn text(&self) -> String {
        match self.driver.find(By::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Runs a script in the page and gives back its value.
    pub async fn script(&self, script: &str) -> serde_json::Value {
        self.driver
            .execute(script, Vec::new())
            .await
            .expect("the script runs")
            .json()
            .clone()
    }

    /// Runs a script that calls its last argument when it is done, and gives back what it says.
    pub async fn script_async(&self, script: &str) -> serde_json::Value {
        self.driver
            .execute_async(script, Vec::new())
            .await
            .expect("the script runs")
            .json()
            .clone()
    }

    /// Clicks the first element that matches.
    pub async fn click_css(&self, css: &str) {
        // A list that is drawn anew between looking and clicking has another element there.
        for _ in 0..5 {
            match self.wait_for(css).await.click().await {
                Err(error) if error.to_string().contains("stale element") => {}
                clicked => return clicked.expect("it can be clicked"),
            }
        }
        panic!("`{css}` is drawn anew again and again");
    }

    /// Presses Enter where the focus is.
    pub async fn press_enter(&self) {
        let element = self
            .driver
            .active_element()
            .await
            .expect("something has the focus");
        element
            .send_keys(Key::Enter + "")
            .await
            .expect("it takes keys");
    }

    /// Presses one key where the focus is; `Escape`, `Enter`, `Tab`, `ArrowDown` by their names.
    pub async fn press_key(&self, key: &str) {
        let element = self
            .driver
            .active_element()
            .await
            .expect("something has the focus");
        let keys = match key {
            "Escape" => Key::Escape + "",
            "ArrowDown" => Key::Down + "",
            "Enter" => Key::Enter + "",
            "Tab" => Key::Tab + "",
            other => other.into(),
        };
        element.send_keys(keys).await.expect("it takes keys");
    }

    /// A picture of the whole screen: what a person would see. The driver's own screenshot
    /// hangs where the page is drawn without a GPU.
    pub fn picture(&self, path: &Path) {
        let taken = Command::new("import")
            .args(["-window", "root"])
            .arg(path)
            .status()
            .expect("imagemagick is installed");
        assert!(taken.success(), "the picture is taken");
    }

    /// Presses keys at the page itself.
    pub async fn press(&self, keys: &str) {
        let body = self.wait_for("body").await;
        body.send_keys(keys).await.expect("the page takes keys");
    }

    /// Presses a key together with Ctrl, at the page itself.
    pub async fn press_control(&self, key: &str) {
        let body = self.wait_for("body").await;
        body.send_keys(Key::Control + key)
            .await
            .expect("the page takes keys");
    }

    /// The window and everything that it and its driver have started.
    pub fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.process.id()];
        let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
            .expect("the list of processes")
            .filter_map(|entry| {
                let id = entry.ok()?.file_name().to_string_lossy().parse().ok()?;
                let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
                // The name stands in brackets and may hold anything.
                let (_, after) = stat.rsplit_once(')')?;
                Some((id, after.split_whitespace().nth(1)?.parse().ok()?))
            })
            .collect();
        let mut at = 0;
        while let Some(parent) = all.get(at).copied() {
            let children = parents.iter().filter(|(_, of)| *of == parent);
            all.extend(children.map(|(id, _)| *id));
            at += 1;
        }
        all
    }

    /// Closes the window and its driver.
    pub async fn close(mut self) {
        let _gone_already = self.driver.clone().quit().await;
        stop(&mut self.process);
    }
}

async fn try_open(room: &Room, arguments: &[&str]) -> Option<(WebDriver, Child)> {
    let (port, native_port) = (free_port(), free_port());
    let (out, err) = room.said_to();
    let mut process = room
        .command(Path::new("tauri-driver"))
        .args(["--port", &port.to_string()])
        .args(["--native-port", &native_port.to_string()])
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .expect("tauri-driver starts: the test script installs it");
    wait_for_port(port);
    wait_for_port(native_port);
    let mut capabilities = Capabilities::new();
    let options =
        serde_json::json!({ "application": program("lastkey-window"), "args": arguments });
    capabilities
        .set("browserName", "wry")
        .and_then(|()| capabilities.set("tauri:options", options))
        .expect("capabilities");
    let address = format!("http://127.0.0.1:{port}");
    // A new session hangs for ever if the program dies at its start.
    match tokio::time::timeout(PATIENCE, WebDriver::new(&address, capabilities)).await {
        Ok(Ok(driver)) => Some((driver, process)),
        Ok(Err(_)) | Err(_) => {
            stop(&mut process);
            None
        }
    }
}

/// SIGTERM, so that the driver takes its own child along.
fn stop(process: &mut Child) {
    if matches!(process.try_wait(), Ok(Some(_))) {
        return;
    }
    let _gone_already = Command::new("kill").arg(process.id().to_string()).status();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if matches!(process.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _gone_already = process.kill();
}

impl Drop for Window {
    fn drop(&mut self) {
        // A test that failed never said goodbye: the window would outlive its driver.
        let left = self.processes();
        stop(&mut self.process);
        for process in left.iter().skip(1) {
            let _gone_already = Command::new("kill")
                .arg(process.to_string())
                .stderr(Stdio::null())
                .status();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

fn wait_for_port(port: u16) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < PATIENCE, "tauri-driver did not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
}
