//! What tests of the window do again and again: look, add a source, read, rehearse.

use lastkey_tests::labs::{HangingServer, Slapd};
use lastkey_tests::window::{Room, Window};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where pictures go, if somebody wants them: `LASTKEY_PICTURES=FOLDER`.
pub fn picture(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LASTKEY_PICTURES")?);
    std::fs::create_dir_all(&folder).expect("the folder for pictures");
    Some(folder.join(format!("{name}.png")))
}

pub async fn look(window: &Window, name: &str) {
    if let Some(path) = picture(name) {
        // Drawing runs a moment behind the page's own word.
        tokio::time::sleep(Duration::from_millis(400)).await;
        window.picture(&path);
    }
}

/// axe finds nothing on the screen in front.
pub async fn accessible(window: &Window, screen: &str) {
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

/// Past the recovery key, which is given back.
pub async fn through_the_recovery_key(window: &Window) -> String {
    let key = window
        .text_where("recovery-key", |text| !text.is_empty())
        .await;
    assert!(key.contains("lastkey-recovery-1"), "{key}");
    window.click("recovery-done").await;
    key
}

/// Where the wizard stands.
pub async fn step(window: &Window) -> String {
    let form = window.part("wizard").await;
    form.attr("data-step").await.unwrap().unwrap_or_default()
}

/// Adds a source step by step, whatever its check says, and chooses it on the list.
pub async fn add_source(
    window: &Window,
    kind: &str,
    name: &str,
    settings: &[(&str, &str)],
    secret: Option<&str>,
) {
    to_the_check(window, kind, name, settings, secret).await;
    from_the_check(window, name).await;
}

/// The same for a server that says nothing: its check is stopped.
pub async fn add_silent_source(window: &Window, name: &str, server: &HangingServer) {
    let url = format!("ldaps://127.0.0.1:{}", server.port());
    let settings = [
        ("url", url.as_str()),
        ("bind_dn", "cn=reader,dc=example"),
        ("base_dn", "dc=example"),
        ("system", "corp"),
        ("timeout", "60"),
    ];
    to_the_check(window, "ldap", name, &settings, Some("never-mind-12")).await;
    window.click("check-stop").await;
    from_the_check(window, name).await;
}

/// A lab's directory as a source, signed in as this.
pub async fn add_directory(window: &Window, lab: &Slapd, dn: &str, password: &str) {
    let (url, ca) = (lab.ldaps_url(), lab.ca_path().display().to_string());
    let settings = [
        ("url", url.as_str()),
        ("bind_dn", dn),
        ("base_dn", Slapd::BASE),
        ("ca_file", ca.as_str()),
        ("system", "corp-ldap"),
    ];
    add_source(window, "ldap", "directory", &settings, Some(password)).await;
}

/// The wizard up to its check, which begins by itself.
pub async fn to_the_check(
    window: &Window,
    kind: &str,
    name: &str,
    settings: &[(&str, &str)],
    secret: Option<&str>,
) {
    window.click("nav-sources").await;
    window.click("add-source").await;
    window.click(&format!("kind-{kind}")).await;
    window.click("wizard-next").await;
    window.fill("source-name", name).await;
    for (key, value) in settings {
        window.set(&format!("setting-{key}"), value).await;
    }
    window.click("wizard-next").await;
    if let Some(secret) = secret {
        past_the_script(window).await;
        window.fill("source-secret", secret).await;
        window.click("wizard-next").await;
    }
    until_step(window, "check").await;
}

/// From the check's answer, whatever it is, to the new source on the list.
pub async fn from_the_check(window: &Window, name: &str) {
    let answered =
        "[data-test=\"check-result\"]:is([data-state=\"answered\"], [data-state=\"failed\"])";
    let state = window.wait_for(answered).await.attr("data-state").await;
    match state.unwrap().as_deref() {
        Some("answered") => window.click("wizard-next").await,
        _ => window.click("add-anyway").await,
    }
    until_step(window, "read").await;
    window.click("read-later").await;
    window.part("area-source").await;
    choose(window, name).await;
}

/// The check is answered.
pub async fn answered(window: &Window) {
    window
        .wait_for("[data-test=\"check-result\"][data-state=\"answered\"]")
        .await;
}

/// The wizard's last step: the first read, to its end.
pub async fn first_read(window: &Window) {
    until_step(window, "read").await;
    window.click("wizard-next").await;
    window
        .wait_for("[data-test=\"read-result\"][data-state=\"complete\"]")
        .await;
}

/// Reads on the source's page, and it is complete.
pub async fn complete(window: &Window) {
    window
        .text_where("source-state", |text| text.contains("Complete"))
        .await;
}

/// From the settings to the secret: over the script, where the kind has one.
pub async fn past_the_script(window: &Window) {
    let next = "[data-test=\"wizard\"]:is([data-step=\"script\"], [data-step=\"secret\"])";
    window.wait_for(next).await;
    if step(window).await == "script" {
        window.click("wizard-next").await;
    }
    until_step(window, "secret").await;
}

/// Waits until the wizard stands there.
pub async fn until_step(window: &Window, wanted: &str) {
    window
        .wait_for(&format!("[data-test=\"wizard\"][data-step=\"{wanted}\"]"))
        .await;
}

/// Chooses a source on the list.
pub async fn choose(window: &Window, name: &str) {
    window.click("nav-sources").await;
    window
        .click_css(&format!(
            "[data-test=\"sources-table\"] [data-key=\"{name}\"]"
        ))
        .await;
}

/// Reads the chosen source and waits for its state in words.
pub async fn sync_chosen(window: &Window, name: &str, wanted: &str) {
    window.click("sync-one").await;
    let row = format!("[data-test=\"sources-table\"] [data-key=\"{name}\"]");
    window
        .text_of_where(&row, |text| text.contains(wanted))
        .await;
}

pub async fn load_plan(window: &Window, text: &str) {
    window.click("nav-tests").await;
    window.click("tab-plan").await;
    window.fill("plan-title", "worked plan").await;
    window.set("plan-text", text).await;
    window.click("plan-load").await;
    window
        .text_where("plan-name", |name| name.contains("worked plan"))
        .await;
}

pub async fn rehearse(window: &Window, identity: &str, at: Option<&str>) {
    window.click("nav-tests").await;
    window.click("rehearse").await;
    window.fill("leaver-identity", identity).await;
    if let Some(at) = at {
        window.set("leaver-at", at).await;
    }
    window.click("rehearse-confirm").await;
    window.part("area-leaver").await;
    window.part("verdict").await;
}

/// Writes a package and verifies it; gives back where it is.
pub async fn export(window: &Window, room: &Room) -> PathBuf {
    let package = room.path("package.zip");
    window.click("nav-evidence").await;
    let path = package.display().to_string();
    window.fill("export-path", &path).await;
    window.click("export").await;
    window
        .text_where("export-sha256", |text| text.len() >= 16)
        .await;
    look(window, "07-exported").await;
    window.click("verify-this").await;
    window
        .wait_for("[data-test=\"verify-state\"][data-verdict=\"pass\"]")
        .await;
    package
}

/// Waits until it is so.
pub async fn eventually(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// In the dialog that asks for it: a login that reads values, and a word; neither alone is enough.
pub async fn consent(window: &Window, token: &str) {
    window.fill("fingerprints-secret", token).await;
    window
        .wait_for("[data-test=\"fingerprints-confirm\"]:disabled")
        .await;
    window.click("fingerprints-agree").await;
    window.click("fingerprints-confirm").await;
    window
        .wait_for("[data-test=\"fingerprints-card\"][data-state=\"on\"]")
        .await;
}
