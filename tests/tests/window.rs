//! The real window, end to end: first start, practice estate, rehearsal, export, verification;
//! a wrong key; a server that is not there; and every screen held against axe. The source
//! wizard and the page of a source are in `window/sources.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "window/accounts.rs"]
mod accounts;
#[path = "window/canaries.rs"]
mod canaries;
#[path = "window/gone.rs"]
mod gone;
#[path = "window/keys.rs"]
mod keys;
#[path = "window/leaving.rs"]
mod leaving;
#[path = "window/looks.rs"]
mod looks;
#[path = "window/owners.rs"]
mod owners;
#[path = "window/past.rs"]
mod past;
#[path = "window/rehearsing.rs"]
mod rehearsing;
#[path = "window/saved.rs"]
mod saved;
#[path = "window/secrets.rs"]
mod secrets;
#[path = "window/sources.rs"]
mod sources;
#[path = "window/steps.rs"]
mod steps;
#[path = "window/vault.rs"]
mod vault;

use lastkey_tests::labs::{HangingServer, Seed, Slapd};
use lastkey_tests::window::{Room, Window};
use std::path::Path;
use steps::*;

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
    window
        .wait_for("[data-test=\"sources-table\"] [data-key=\"provisioning\"]")
        .await;
    window
        .text_where("answer", |text| text.contains("complete"))
        .await;
    look(&window, "02-sources").await;
    accessible(&window, "sources").await;

    window.click("nav-identities").await;
    window.part("identities-table").await;
    window.fill("identity-search", "079237").await;
    window
        .wait_for("[data-test=\"identities-table\"] [data-key=\"079237\"]")
        .await;
    look(&window, "03-identities").await;
    accessible(&window, "identities").await;
    window
        .click_css("[data-test=\"identities-table\"] [data-key=\"079237\"]")
        .await;
    window.press_enter().await;
    window.part("area-identity").await;
    look(&window, "04-identity").await;
    accessible(&window, "identity").await;

    window.click("rehearse").await;
    window.part("area-leaver").await;
    let verdict = window.part("verdict").await;
    assert_eq!(
        verdict.attr("data-verdict").await.unwrap().as_deref(),
        Some("fail")
    );
    look(&window, "05-rehearsal").await;
    accessible(&window, "rehearsal").await;
    // The chart has a table twin.
    window.click("curve-twin").await;
    window.part("curve-table").await;

    window.click("nav-tests").await;
    window.part("rehearsals-table").await;
    look(&window, "06-tests").await;
    accessible(&window, "tests").await;
    // Whoever scrolls with the mouse and goes on by keyboard enters the list where it stands.
    let tabbed = "const list = document.querySelector('[data-test=\"rehearsals-table\"] .body');
        list.scrollTop = 30000;
        const room = list.getBoundingClientRect();
        return [...list.querySelectorAll('[data-index][tabindex=\"0\"]')].filter((row) => {
            const box = row.getBoundingClientRect();
            return box.top >= room.top - 1 && box.bottom <= room.bottom + 1;
        }).length;";
    let begun = std::time::Instant::now();
    while window.script(tabbed).await != 1 {
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(60),
            "Tab enters the list"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    rehearse(&window, "069167", None).await;
    look(&window, "rehearsal").await;
    // By keyboard alone: down the list, and the path of the row follows.
    let before = window.part("why").await.text().await.unwrap();
    window
        .click_css("[data-test=\"residual-table\"] [data-kind]")
        .await;
    window.press_key("j").await;
    window.press_key("j").await;
    window.text_where("why", |text| text != before).await;
    window.press_key("?").await;
    window.part("key-sheet").await;
    look(&window, "06-keys").await;
    window.press_key("Escape").await;

    let package = export(&window, &room).await;
    look(&window, "08-verified").await;
    accessible(&window, "evidence").await;
    window.click("nav-settings").await;
    window.part("store-facts").await;
    look(&window, "09-settings").await;
    accessible(&window, "settings").await;
    window.click("nav-overview").await;
    window.part("verdict-totals").await;
    look(&window, "10-overview").await;
    // Who holds nothing has nothing that would close, and is counted apart.
    let nothing = window.part("total-nothing").await.text().await.unwrap();
    let closing = window.part("total-pass").await.text().await.unwrap();
    assert!(nothing.contains("hold nothing"), "{nothing}");
    assert!(closing.contains("would close in time"), "{closing}");
    window.click("total-nothing").await;
    window
        .text_where("amount", |text| {
            nothing.starts_with(text.split(' ').next().unwrap())
        })
        .await;
    window.click("nav-overview").await;
    window
        .wait_for("[data-test=\"step-export\"][data-done]")
        .await;
    accessible(&window, "overview").await;
    window.close().await;

    // What the window made, the command line reads: one store, one package.
    let (status, out, err) = room.lastkey(&["verify", &package.display().to_string()]);
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, err) = room.lastkey(&["store", "check"]);
    assert_eq!(status, 0, "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worked_worlds_come_out_to_the_letter_in_the_window() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for world in [
        "worked-example",
        "rotated-in-time",
        "rotated-too-early",
        "federated",
    ] {
        let room = Room::new();
        let window = Window::open(&room, &[]).await;
        through_the_recovery_key(&window).await;
        let folder = examples.join(world);
        add_source(
            &window,
            "flat-files",
            "world",
            &[("path", &folder.display().to_string())],
            None,
        )
        .await;
        sync_chosen(&window, "world", "complete").await;
        load_plan(
            &window,
            &std::fs::read_to_string(folder.join("plan.toml")).unwrap(),
        )
        .await;
        rehearse(&window, "ann", Some("2026-06-01T00:00")).await;
        let wanted: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap())
                .unwrap();
        let wanted = wanted["residual"].as_array().unwrap();
        // Every row of the table carries its item and closing time to the letter.
        let shown = window
            .script(
                "return [...document.querySelectorAll('[data-test=\"residual-table\"] [data-closes]')]
                   .map((row) => [row.dataset.kind, row.dataset.system, row.dataset.id, row.dataset.account || null, row.dataset.closes]);",
            )
            .await;
        let mut shown: Vec<String> = shown
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        shown.sort();
        let mut expected: Vec<String> = wanted
            .iter()
            .map(|item| {
                serde_json::json!([
                    item["kind"],
                    item["system"],
                    item["id"],
                    item["on_account"],
                    item["closes_at"]
                ])
                .to_string()
            })
            .collect();
        expected.sort();
        assert_eq!(shown, expected, "{world}");
        look(&window, &format!("world-{world}")).await;
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_said_and_the_right_one_opens() {
    let room = Room::new();
    let key = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = room.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (
        key("right", "the right key file"),
        key("wrong", "quite another one"),
    );
    let store = room.path("s.lastkey").display().to_string();
    let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/federated");
    let (status, _, err) = room.lastkey(&[
        "--store",
        &store,
        "--key-file",
        &right,
        "import",
        &world.display().to_string(),
        "--as",
        "w",
    ]);
    assert_eq!(status, 0, "{err}");
    let window = Window::open(&room, &["--store", &store, "--key-file", &wrong]).await;
    let said = window
        .text_where("locked-message", |text| !text.is_empty())
        .await;
    assert!(said.contains("does not open this store"), "{said}");
    look(&window, "20-locked").await;
    accessible(&window, "locked").await;
    window.fill("key-file", &right).await;
    window.click("try-again").await;
    window.part("nav-sources").await;
    window
        .text_where("store-name", |text| text.contains("s.lastkey"))
        .await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_said_and_nothing_is_claimed() {
    let room = Room::new();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    let settings = [
        ("url", "ldaps://127.0.0.1:9"),
        ("bind_dn", "cn=reader,dc=example"),
        ("base_dn", "dc=example"),
        ("system", "corp"),
        ("timeout", "5"),
    ];
    add_source(
        &window,
        "ldap",
        "directory",
        &settings,
        Some("canary-password-71"),
    )
    .await;
    sync_chosen(&window, "directory", "not read").await;
    let row = "[data-test=\"sources-table\"] [data-key=\"directory\"]";
    let said = window
        .text_of_where(row, |text| text.contains("not read"))
        .await;
    assert!(
        said.contains("not known"),
        "never zeros for what was not read: {said}"
    );
    let said = window
        .text_where("source-failed", |text| !text.is_empty())
        .await;
    assert!(said.contains("127.0.0.1"), "{said}");
    assert!(!window.text().await.contains("canary-password-71"));
    look(&window, "21-unreachable").await;
    accessible(&window, "failed source").await;
    window.click("nav-overview").await;
    window.part("gap-list").await;
    look(&window, "22-overview-gaps").await;
    window.close().await;
}

/// People, nested groups and a plan for them.
const PEOPLE: &str = "\
dn: uid=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann Ödegård
sn: Ödegård
employeeNumber: 1001
mail: ann@example.org

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob O'Neil
sn: O'Neil
employeeNumber: 1002
mail: bob@example.org

dn: cn=oncall,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: oncall
member: uid=ann,ou=people,dc=example,dc=org

dn: cn=production,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: production
member: cn=oncall,ou=groups,dc=example,dc=org
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_directory_and_a_roster_are_read_rehearsed_and_exported() {
    let lab = Slapd::start(Seed {
        ldif: PEOPLE.to_owned(),
        size_limit: None,
    });
    let room = Room::new();
    let roster = room.path("roster");
    std::fs::create_dir_all(&roster).unwrap();
    std::fs::write(
        roster.join("identities.csv"),
        "id,kind,display_name,email,status\n1001,person,Ann Ödegård,ann@example.org,active\n1002,person,Bob O'Neil,bob@example.org,active\n",
    )
    .unwrap();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    add_source(
        &window,
        "flat-files",
        "hr",
        &[("path", &roster.display().to_string())],
        None,
    )
    .await;
    sync_chosen(&window, "hr", "complete").await;
    add_directory(&window, &lab, Slapd::READER_DN, Slapd::READER_PASSWORD).await;
    window.click("check-source").await;
    window
        .text_where("completeness", |text| text.contains(Slapd::READER_DN))
        .await;
    sync_chosen(&window, "directory", "complete").await;
    look(&window, "30-directory").await;
    load_plan(
        &window,
        "[[step]]\non = \"leaver\"\nsystem = \"corp-ldap\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"15m\"\n",
    )
    .await;
    rehearse(&window, "1001", None).await;
    let held = window
        .script(
            "return [...document.querySelectorAll('[data-test=\"residual-table\"] [data-kind=\"entitlement\"]')].length;",
        )
        .await;
    assert_eq!(
        held,
        serde_json::json!(2),
        "the group and the one it is nested in"
    );
    look(&window, "31-directory-rehearsal").await;
    export(&window, &room).await;
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
    assert!(!window.text().await.contains(Slapd::READER_PASSWORD));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_can_be_stopped_and_nothing_is_claimed() {
    let hanging = HangingServer::start();
    let room = Room::new();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    add_silent_source(&window, "slow", &hanging).await;
    let before = hanging.connections();
    window.click("sync-one").await;
    // A stop before it began would leave no read behind.
    eventually("the read has begun", || hanging.connections() > before).await;
    window.click("stop-one").await;
    let row = "[data-test=\"sources-table\"] [data-key=\"slow\"]";
    let said = window
        .text_of_where(row, |text| text.contains("stopped"))
        .await;
    assert!(
        said.contains("never"),
        "no complete read is claimed: {said}"
    );
    look(&window, "23-stopped").await;
    window.close().await;
    let (status, out, err) = room.lastkey(&["store", "check"]);
    assert_eq!(status, 0, "{out}{err}");
}
