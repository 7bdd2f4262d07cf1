//! A vault through the window: each way to sign in, the texts for its administrator, consent.

use super::steps::*;
use lastkey_tests::safe::{Login, Safe};
use lastkey_tests::window::{Room, Window};
use serde_json::json;

/// The settings that the form shows, of those that depend on the way to sign in.
async fn shown(window: &Window) -> Vec<&'static str> {
    let mut shown = Vec::new();
    for key in ["auth_mount", "role_id", "username"] {
        let script = format!("return document.querySelector('[data-field=\"{key}\"]') !== null");
        if window.script(&script).await == json!(true) {
            shown.push(key);
        }
    }
    shown
}

/// The text of the script with this title.
async fn script(window: &Window, title: &str) -> String {
    let choose = format!(
        "[...document.querySelectorAll('[data-test=\"wizard\"] .seg label')].find((one) => one.textContent.trim() === {}).click();",
        json!(title)
    );
    window.script(&choose).await;
    let name = format!(
        "return [...document.querySelectorAll('[data-test=\"wizard\"] b')].some((one) => one.textContent === {})",
        json!(title)
    );
    while window.script(&name).await != json!(true) {
        tokio::task::yield_now().await;
    }
    let text = "return document.querySelector('[data-test=\"script-text\"]').textContent";
    let text = window.script(text).await;
    text.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_is_added_by_each_way_to_sign_in_and_its_administrator_gets_a_policy() {
    let Some(safe) = Safe::start_or_not_run("a vault through the window") else {
        return;
    };
    let room = Room::new();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    window.click("nav-sources").await;
    window.click("add-source").await;
    window.click("kind-vault").await;
    window.click("wizard-next").await;
    until_step(&window, "settings").await;
    window.fill("source-name", "safe").await;

    // What another choice of sign-in needs is neither shown nor sent, and is not lost.
    assert_eq!(shown(&window).await, ["auth_mount", "role_id"]);
    window.set("setting-role_id", "typed-before").await;
    window.set("setting-auth", "token").await;
    window.gone("[data-field=\"role_id\"]").await;
    assert_eq!(shown(&window).await, Vec::<&str>::new());
    window.set("setting-auth", "userpass").await;
    window.part("setting-username").await;
    assert_eq!(shown(&window).await, ["auth_mount", "username"]);
    look(&window, "80-vault-settings").await;
    accessible(&window, "wizard, vault").await;
    let settings = safe.settings(Login::UserPass);
    for (key, value) in &settings {
        window.set(&format!("setting-{key}"), value).await;
    }
    window.click("wizard-next").await;

    // The administrator's texts: a policy without a value in reach, commands, consent apart.
    until_step(&window, "script").await;
    let policy = script(&window, "Least rights for reading").await;
    assert!(policy.contains("path \"sys/mounts\""), "{policy}");
    assert!(!policy.contains("/data/"), "no value is in reach: {policy}");
    look(&window, "81-vault-script").await;
    accessible(&window, "wizard, vault's script").await;
    let commands = script(&window, "A login with the least rights").await;
    assert!(commands.contains("lastkey-reader"), "{commands}");
    let values = script(&window, "Rights for fingerprints, a login of its own").await;
    assert!(values.contains("data/*"), "{values}");
    window.click("wizard-next").await;
    until_step(&window, "secret").await;
    window
        .fill("source-secret", safe.secret(Login::UserPass))
        .await;
    window.click("wizard-next").await;
    answered(&window).await;
    window
        .text_where("check-rights", |text| text.contains("OpenBao"))
        .await;
    let excess = "return document.querySelectorAll('[data-right=\"excess\"], [data-right=\"missing\"]').length";
    assert_eq!(window.script(excess).await, json!(0), "the policy fits");
    look(&window, "82-vault-check").await;
    accessible(&window, "wizard, vault's check").await;
    window.click("wizard-next").await;
    first_read(&window).await;
    window.click("wizard-next").await;
    window.part("runs-table").await;
    complete(&window).await;
    look(&window, "83-vault-source").await;
    accessible(&window, "vault's page").await;

    // Consent wants its own login and a word; taking it back wants neither.
    let values_read = || {
        let log = safe.lab.audited(0);
        let of_values = |path: &str| path.starts_with("secret/data/") || path == "old/mail";
        let read =
            |one: &&lastkey_tests::labs::Audited| one.operation == "read" && of_values(&one.path);
        log.iter().filter(read).count()
    };
    assert_eq!(values_read(), 0);
    window.click("fingerprints-on").await;
    window.part("fingerprints-dialog").await;
    look(&window, "84-consent").await;
    accessible(&window, "consent").await;
    window
        .wait_for("[data-test=\"fingerprints-confirm\"]:disabled")
        .await;
    consent(&window, safe.values_token()).await;
    window.click("sync-one").await;
    eventually("values are read", || values_read() >= 3).await;
    window.part("sync-one").await;
    look(&window, "85-fingerprints-on").await;

    // Another login: a change of settings keeps the consent, and wants no setting of the other way.
    window.click("edit-source").await;
    until_step(&window, "settings").await;
    let settings = safe.settings(Login::AppRole);
    for (key, value) in settings.iter().filter(|(key, _)| *key != "system") {
        window.set(&format!("setting-{key}"), value).await;
        if *key == "auth" {
            window.part("setting-role_id").await;
        }
    }
    window.click("wizard-next").await;
    past_the_script(&window).await;
    window
        .fill("source-secret", safe.secret(Login::AppRole))
        .await;
    window.click("wizard-next").await;
    answered(&window).await;
    window.click("wizard-next").await;
    window
        .text_where("settings-card", |text| text.contains("approle"))
        .await;
    window
        .wait_for("[data-test=\"fingerprints-card\"][data-state=\"on\"]")
        .await;
    window.click("fingerprints-off").await;
    window
        .wait_for("[data-test=\"fingerprints-card\"][data-state=\"off\"]")
        .await;
    let before = values_read();
    let runs = "return document.querySelectorAll('[data-test=\"runs-table\"] [data-index]').length";
    let earlier = window.script(runs).await;
    window.click("sync-one").await;
    while window.script(runs).await == earlier {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    complete(&window).await;
    assert_eq!(
        values_read(),
        before,
        "without consent no value is asked for"
    );
    window.close().await;

    // A token as well, from the terminal: the same store, its settings as the form sends them.
    let (status, out, err) = room.lastkey(&["locations", "--json"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(
        out.contains("secret/db/prod") && !out.contains("\"fingerprint\":\""),
        "{out}"
    );
}
