//! The real window, end to end: first start, practice estate, rehearsal, export, verification;
//! a wrong key; a server that is not there; and every screen held against axe.

use lastkey_tests::window::{Room, Window};
use std::path::{Path, PathBuf};

/// Where pictures go, if somebody wants them: `LASTKEY_PICTURES=FOLDER`.
fn picture(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LASTKEY_PICTURES")?);
    std::fs::create_dir_all(&folder).expect("the folder for pictures");
    Some(folder.join(format!("{name}.png")))
}

async fn look(window: &Window, name: &str) {
    if let Some(path) = picture(name) {
        // Drawing runs a moment behind the page's own word.
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        window.picture(&path);
    }
}

/// axe finds nothing on the screen in front.
async fn accessible(window: &Window, screen: &str) {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core is installed with the ui's packages");
    window.script(&axe).await;
    let found = window
        .script_async(
            "const done = arguments[arguments.length - 1];
             axe.run(document, { resultTypes: ['violations'] })
                .then((r) => done(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' | '))))
                .catch((e) => done(['axe failed: ' + e]));",
        )
        .await;
    assert_eq!(found, serde_json::json!([]), "axe on {screen}");
}

async fn through_the_recovery_key(window: &Window) {
    let key = window.text_where("recovery-key", |text| !text.is_empty()).await;
    assert!(key.contains("lastkey-recovery-1"), "{key}");
    window.click("recovery-done").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_first_start_to_a_verified_package() {
    let room = Room::new();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    accessible(&window, "first start").await;
    window.click("nav-sources").await;
    window.part("first-use").await;
    look(&window, "01-first-use").await;
    accessible(&window, "sources, first use").await;

    window.click("open-practice").await;
    window.wait_for("[data-test=\"sources-table\"] [data-key=\"provisioning\"]").await;
    window.text_where("answer", |text| text.contains("complete")).await;
    look(&window, "02-sources").await;
    accessible(&window, "sources").await;

    window.click("nav-identities").await;
    window.part("identities-table").await;
    window.fill("identity-search", "079237").await;
    window.wait_for("[data-test=\"identities-table\"] [data-key=\"079237\"]").await;
    look(&window, "03-identities").await;
    accessible(&window, "identities").await;
    window.click_css("[data-test=\"identities-table\"] [data-key=\"079237\"]").await;
    window.press_enter().await;
    window.part("area-identity").await;
    look(&window, "04-identity").await;
    accessible(&window, "identity").await;

    window.click("rehearse").await;
    window.part("area-leaver").await;
    let verdict = window.part("verdict").await;
    assert_eq!(verdict.attr("data-verdict").await.unwrap().as_deref(), Some("fail"));
    look(&window, "05-rehearsal").await;
    accessible(&window, "rehearsal").await;
    // The chart has a table twin.
    window.click("curve-twin").await;
    window.part("curve-table").await;

    window.click("nav-tests").await;
    window.part("rehearsals-table").await;
    look(&window, "06-tests").await;
    accessible(&window, "tests").await;

    let package = room.path("package.zip");
    window.click("nav-evidence").await;
    window.fill("export-path", &package.display().to_string()).await;
    window.click("export").await;
    window.text_where("export-sha256", |text| text.len() >= 16).await;
    look(&window, "07-exported").await;
    window.click("verify-this").await;
    let state = window.part("verify-state").await;
    assert_eq!(state.attr("data-verdict").await.unwrap().as_deref(), Some("pass"));
    look(&window, "08-verified").await;
    accessible(&window, "evidence").await;
    window.click("nav-settings").await;
    window.part("store-facts").await;
    look(&window, "09-settings").await;
    accessible(&window, "settings").await;
    window.click("nav-overview").await;
    window.part("verdict-totals").await;
    look(&window, "10-overview").await;
    accessible(&window, "overview").await;
    window.close().await;

    // What the window made, the command line reads: one store, one package.
    let (status, out, err) = room.lastkey(&["verify", &package.display().to_string()]);
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, err) = room.lastkey(&["store", "check"]);
    assert_eq!(status, 0, "{out}{err}");
}
