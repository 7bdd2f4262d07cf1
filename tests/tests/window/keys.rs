//! The door of the window: each state of keys and store has a page with its next step, and a
//! locked window shows and answers nothing.

use super::steps::*;
use lastkey_tests::bus::{Bus, Keyring, secret_file};
use lastkey_tests::labs::HangingServer;
use lastkey_tests::window::{Room, Window};
use std::path::Path;

fn world() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/federated");
    path.display().to_string()
}

/// A store with a key file and a small world in it: the window's arguments.
fn with_key_file(room: &Room) -> [String; 4] {
    let key = secret_file(&room.path("key"), "the key file of this store");
    let store = room.path("s.lastkey").display().to_string();
    let arguments = ["--store".to_owned(), store, "--key-file".to_owned(), key];
    let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let world = world();
    all.extend(["import", &world, "--as", "canary-source"]);
    let (status, out, err) = room.lastkey(&all);
    assert_eq!(status, 0, "{out}{err}");
    arguments
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// The door in this state, looked at and held against axe.
async fn door(window: &Window, state: &str, picture: &str) {
    window
        .wait_for(&format!("[data-test=\"locked\"][data-state=\"{state}\"]"))
        .await;
    look(window, picture).await;
    accessible(window, state).await;
}

async fn inside(window: &Window) {
    window.part("nav-sources").await;
}

/// Nothing of the store is in the document, and the program answers no question about it.
async fn nothing_is_told(window: &Window) {
    let page = window
        .script("return document.documentElement.outerHTML + location.href;")
        .await;
    for word in ["canary-source", "Ann", "ann", "s.lastkey"] {
        assert!(!page.to_string().contains(word), "`{word}` in {page}");
    }
    for command in ["status", "sources", "recovery_key_new"] {
        let answer = window
            .script_async(&format!(
                "const done = arguments[arguments.length - 1];
                 window.__TAURI_INTERNALS__.invoke('{command}', {{}}).then(() => done('told'), (e) => done(e.state));"
            ))
            .await;
        assert!(
            answer.as_str().unwrap_or_default().starts_with("locked"),
            "{command}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_window_holds_nothing_of_the_store_and_lets_go_of_it() {
    let room = Room::new();
    let arguments = with_key_file(&room);
    let window = Window::open(&room, &words(&arguments)).await;
    window.click("nav-identities").await;
    window
        .wait_for("[data-test=\"identities-table\"] [data-key=\"ann\"]")
        .await;
    window.click("lock-now").await;
    door(&window, "locked", "40-locked").await;
    nothing_is_told(&window).await;

    // The store is closed: its keys can be changed by another program.
    let mut rekey = words(&arguments);
    rekey.extend(["store", "rekey"]);
    let (status, out, err) = room.lastkey(&rekey);
    assert_eq!(status, 0, "{out}{err}");
    // By keyboard alone: the button has the focus.
    window.press_enter().await;
    inside(&window).await;
    window.click("nav-identities").await;
    window
        .wait_for("[data-test=\"identities-table\"] [data-key=\"ann\"]")
        .await;

    // A quarter of an hour goes by without a key or a click.
    window
        .script("const now = Date.now; Date.now = () => now() + 16 * 60 * 1000;")
        .await;
    door(&window, "locked", "41-idle").await;
    nothing_is_told(&window).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_goes_on_behind_the_lock_and_the_store_closes_after_it() {
    let hanging = HangingServer::start();
    let room = Room::new();
    let arguments = with_key_file(&room);
    let window = Window::open(&room, &words(&arguments)).await;
    inside(&window).await;
    add_silent_source(&window, "slow", &hanging).await;
    window.click("sync-one").await;
    window.part("stop-one").await;
    window.click("lock-now").await;
    window
        .text_where("locked-reading", |text| text.contains("1 source"))
        .await;
    door(&window, "locked", "42-locked-reading").await;
    nothing_is_told(&window).await;
    window.click("locked-stop").await;
    window
        .text_where("locked-message", |text| text.contains("closed"))
        .await;
    let mut rekey = words(&arguments);
    rekey.extend(["store", "rekey"]);
    let (status, out, err) = room.lastkey(&rekey);
    assert_eq!(status, 0, "the store is closed: {out}{err}");
    window.click("try-again").await;
    inside(&window).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passphrase_is_asked_for_at_the_start_and_after_each_lock() {
    let room = Room::new();
    let file = secret_file(&room.path("passphrase"), "four words of mine");
    let (status, out, err) = room.lastkey(&[
        "--passphrase-file",
        &file,
        "import",
        &world(),
        "--as",
        "canary-source",
    ]);
    assert_eq!(status, 0, "{out}{err}");
    let window = Window::open(&room, &[]).await;
    door(&window, "passphrase_needed", "43-passphrase").await;
    window.fill("passphrase", "four words of yours").await;
    window.press_enter().await;
    let wrong = |text: &str| text.contains("does not open this store");
    window.text_of_where(".door", wrong).await;
    look(&window, "44-passphrase-wrong").await;
    accessible(&window, "wrong passphrase").await;
    window.fill("passphrase", "four words of mine").await;
    window.press_enter().await;
    inside(&window).await;
    window.click("lock-now").await;
    door(&window, "locked_passphrase", "45-locked-passphrase").await;
    nothing_is_told(&window).await;
    window.click("try-again").await;
    window.text_of_where(".door", wrong).await;
    window.fill("passphrase", "four words of mine").await;
    window.press_enter().await;
    inside(&window).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_keychain_a_key_file_is_made_at_the_door() {
    let mut room = Room::new();
    room.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let window = Window::open(&room, &[]).await;
    door(&window, "keychain_no_bus", "46-no-bus").await;
    assert!(!room.store().exists(), "nothing is made");
    let key = room.path("made.key");
    window.fill("key-file", &key.display().to_string()).await;
    window.click("key-file-make").await;
    window.part("key-file-made").await;
    window.click("try-again").await;
    through_the_recovery_key(&window).await;
    inside(&window).await;
    window.close().await;
    let key = key.display().to_string();
    let (status, out, err) = room.lastkey(&["--key-file", &key, "store", "check"]);
    assert_eq!(status, 0, "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keychain_that_is_locked_or_lost_the_key_has_a_page_and_a_way_back() {
    let bus = Bus::with(Keyring::Unlocked);
    let mut room = Room::new();
    bus.address_for(&mut room);
    let (status, out, err) = room.lastkey(&["import", &world(), "--as", "canary-source"]);
    assert_eq!(status, 0, "{out}{err}");
    let recovery = err
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("lastkey-recovery-1-"))
        .expect("a recovery key")
        .to_owned();
    for entry in bus.entries() {
        bus.remove(&entry);
    }
    let window = Window::open(&room, &[]).await;
    door(&window, "keychain_absent", "47-absent").await;
    window.fill("recovery-field", &format!("{recovery}0")).await;
    window.click("try-again").await;
    window
        .text_of_where(".door", |text| text.contains("slip"))
        .await;
    window.fill("recovery-field", &recovery).await;
    window.click("try-again").await;
    inside(&window).await;
    window.close().await;
    bus.lock();
    let window = Window::open(&room, &[]).await;
    door(&window, "keychain_refused", "48-keychain-locked").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_told_from_a_wrong_key() {
    let room = Room::new();
    let arguments = with_key_file(&room);
    let path = room.path("s.lastkey");
    let whole = std::fs::read(&path).expect("the store");
    let mut damaged = whole.clone();
    for byte in damaged.iter_mut().take(200) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, &damaged).expect("the damage");
    let window = Window::open(&room, &words(&arguments)).await;
    door(&window, "store_damaged", "49-damaged").await;
    std::fs::write(&path, &whole).expect("put back");
    window.click("try-again").await;
    inside(&window).await;
    window.close().await;
    std::fs::remove_file(room.path("s.lastkey.keys")).expect("it was there");
    let window = Window::open(&room, &words(&arguments)).await;
    door(&window, "keys_file_missing", "50-no-keys").await;
    window.close().await;
}
