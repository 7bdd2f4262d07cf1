//! The source wizard and the page of a source, against a real directory.

use super::steps::*;
use lastkey_tests::labs::{Seed, Slapd};
use lastkey_tests::window::{Room, Window};
use std::time::{Duration, Instant};

/// So many people.
fn people(count: usize) -> String {
    (0..count)
        .map(|n| {
            format!(
                "dn: uid=p{n:03},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: p{n:03}\ncn: Person {n}\nsn: {n}\nemployeeNumber: {n:03}\nuserPassword: kept-by-slapd-{n}\n\n"
            )
        })
        .collect()
}

/// What a person sees of each kind: reported, stored, unchanged, skipped, failed.
async fn totals(window: &Window) -> Vec<(String, [u64; 5])> {
    window.part("totals").await;
    let rows = window
        .script(
            "return [...document.querySelectorAll('[data-test=\"totals\"] tr[data-kind]')].map((row) =>
               [row.dataset.kind, ['reported', 'stored', 'unchanged', 'skipped', 'failed'].map((name) =>
                 Number((row.querySelector(`[data-bucket=\"${name}\"]`)?.textContent ?? 'x').replaceAll(',', '')))]);",
        )
        .await;
    serde_json::from_value(rows).expect("every kind shows its totals")
}

/// All that stands in a part: the driver's own text leaves out cells that could be cut.
pub async fn content_where(window: &Window, part: &str, wanted: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        window.part(part).await;
        let script =
            format!("return document.querySelector('[data-test=\"{part}\"]')?.textContent ?? ''");
        let text = window.script(&script).await;
        let text = text.as_str().unwrap_or_default().to_owned();
        if wanted(&text) {
            return text;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "`{part}` stayed at `{text}`"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[track_caller]
fn adds_up(totals: &[(String, [u64; 5])]) {
    assert!(!totals.is_empty());
    for (kind, [reported, stored, unchanged, skipped, failed]) in totals {
        assert_eq!(
            *reported,
            stored + unchanged + skipped + failed,
            "{kind}: every object is in one bucket"
        );
    }
}

async fn failed(window: &Window, wanted: &str) -> String {
    window
        .wait_for("[data-test=\"check-result\"][data-state=\"failed\"]")
        .await;
    window
        .text_where("wizard-failed", |text| text.contains(wanted))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_is_added_by_keyboard_and_what_is_wrong_is_said_where_it_is() {
    let lab = Slapd::start(Seed {
        ldif: people(30),
        size_limit: None,
    });
    let room = Room::new();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    window.click("nav-sources").await;
    window.part("first-use").await;
    window.press("a").await;
    until_step(&window, "kind").await;
    accessible(&window, "wizard, kinds").await;
    look(&window, "40-wizard-kind").await;
    // The focus is on the first kind: the arrow chooses the next, Enter goes on.
    for next in ["aws", "github", "kubernetes", "ldap"] {
        window.press_key("ArrowDown").await;
        window
            .wait_for(&format!("[data-test=\"kind-{next}\"].on"))
            .await;
    }
    window.press_key("Enter").await;
    until_step(&window, "settings").await;

    // Enter on an empty form loses nothing and says what is missing, at its field.
    window.press_key("Enter").await;
    window
        .wait_for("[data-field=\"name\"] [aria-invalid]")
        .await;
    assert_eq!(step(&window).await, "settings");
    window.fill("source-name", "directory").await;
    window.fill("setting-url", "http://127.0.0.1").await;
    window.press_key("Enter").await;
    let wrong = window
        .text_of_where("[data-field=\"base_dn\"] .err", |text| !text.is_empty())
        .await;
    assert!(wrong.contains("missing"), "{wrong}");
    window.fill("setting-base_dn", Slapd::BASE).await;
    window.fill("setting-system", "corp-ldap").await;
    window.fill("setting-bind_dn", Slapd::READER_DN).await;
    // Live: the connector's own word about the address, beside the address.
    let wrong = window
        .text_of_where("[data-field=\"url\"] .err", |text| !text.is_empty())
        .await;
    assert!(wrong.contains("is not an address"), "{wrong}");
    look(&window, "41-wizard-settings").await;
    accessible(&window, "wizard, settings").await;
    window.fill("setting-url", &lab.ldaps_url()).await;
    let foreign = lab.other_ca_path().display().to_string();
    window.fill("setting-ca_file", &foreign).await;

    // Esc asks; the draft is kept and taken up again.
    window.press_key("Escape").await;
    window.part("leave-dialog").await;
    accessible(&window, "wizard, leaving").await;
    window.click("leave-keep").await;
    window.part("first-use").await;
    window.click("add-source").await;
    until_step(&window, "kind").await;
    window.wait_for("[data-test=\"kind-ldap\"].on").await;
    window.click("wizard-next").await;
    let kept = window
        .script("return document.querySelector('[data-test=\"setting-base_dn\"]').value")
        .await;
    assert_eq!(kept, serde_json::json!(Slapd::BASE));
    window.click("wizard-next").await;

    until_step(&window, "script").await;
    let script = window
        .text_where("script-text", |text| !text.is_empty())
        .await;
    assert!(script.contains(Slapd::READER_DN), "{script}");
    look(&window, "42-wizard-script").await;
    accessible(&window, "wizard, script").await;
    window.click("wizard-next").await;

    until_step(&window, "secret").await;
    window.press_key("Enter").await;
    let wrong = window
        .text_of_where("[data-test=\"wizard\"] .err", |text| !text.is_empty())
        .await;
    assert!(wrong.contains("password"), "{wrong}");
    window.fill("source-secret", "not-the-password-77").await;
    accessible(&window, "wizard, secret").await;
    window.press_key("Enter").await;

    // A foreign CA first, then the wrong password; going back keeps what was typed.
    until_step(&window, "check").await;
    failed(&window, "trust").await;
    look(&window, "43-wizard-foreign-ca").await;
    accessible(&window, "wizard, failed check").await;
    while step(&window).await != "settings" {
        window.click("wizard-back").await;
    }
    let right = lab.ca_path().display().to_string();
    window.fill("setting-ca_file", &right).await;
    window.click("wizard-next").await;
    past_the_script(&window).await;
    let typed = window
        .script("return document.querySelector('[data-test=\"source-secret\"]').value.length")
        .await;
    assert_eq!(typed, serde_json::json!("not-the-password-77".len()));
    window.click("wizard-next").await;
    failed(&window, "password").await;
    window.click("wizard-back").await;
    window.fill("source-secret", Slapd::READER_PASSWORD).await;
    window.press_key("Enter").await;
    answered(&window).await;
    window
        .text_where("check-rights", |text| text.contains(Slapd::READER_DN))
        .await;
    look(&window, "44-wizard-check").await;
    accessible(&window, "wizard, check").await;
    // The focus is where the next step is: Enter adds.
    window.press_key("Enter").await;
    until_step(&window, "read").await;
    window.press_key("Enter").await;
    window
        .wait_for("[data-test=\"read-result\"][data-state=\"complete\"]")
        .await;
    adds_up(&totals(&window).await);
    look(&window, "45-wizard-read").await;
    accessible(&window, "wizard, first read").await;
    window.press_key("Enter").await;

    window.part("area-source").await;
    window.part("runs-table").await;
    complete(&window).await;
    let shown = totals(&window).await;
    adds_up(&shown);
    let accounts = shown.iter().find(|(kind, _)| kind == "account");
    assert_eq!(accounts.map(|(_, t)| t[0]), Some(30));
    window
        .wait_for("[data-test=\"journal-table\"] [data-what=\"page\"]")
        .await;
    look(&window, "46-source").await;
    accessible(&window, "source page").await;
    for theme in ["dark", "contrast"] {
        let script = format!("document.documentElement.setAttribute('data-theme', '{theme}')");
        window.script(&script).await;
        look(&window, &format!("46-source-{theme}")).await;
        accessible(&window, &format!("source page, {theme}")).await;
    }
    assert!(!window.text().await.contains(Slapd::READER_PASSWORD));
    window.close().await;
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_in_excess_are_named_and_settings_and_secret_change_only_after_a_check() {
    let lab = Slapd::start(Seed {
        ldif: people(3),
        size_limit: None,
    });
    let room = Room::new();
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    add_directory(&window, &lab, Slapd::ADMIN_DN, Slapd::ADMIN_PASSWORD).await;
    window.click("open-source").await;
    window.part("area-source").await;
    window
        .wait_for("[data-test=\"rights\"] [data-right=\"excess\"]")
        .await;
    look(&window, "50-excess").await;
    accessible(&window, "source page, not read").await;

    // To the reader's own account: the old password does not fit, and nothing is saved.
    window.click("edit-source").await;
    until_step(&window, "settings").await;
    window.fill("setting-bind_dn", Slapd::READER_DN).await;
    window.click("wizard-next").await;
    past_the_script(&window).await;
    window.click("wizard-next").await;
    failed(&window, "password").await;
    window.press_key("Escape").await;
    window.click("leave-drop").await;
    window.part("area-source").await;
    let card = window.part("settings-card").await.text().await.unwrap();
    assert!(card.contains("cn=admin"), "nothing was saved: {card}");

    window.click("edit-source").await;
    until_step(&window, "settings").await;
    window.fill("setting-bind_dn", Slapd::READER_DN).await;
    window.click("wizard-next").await;
    past_the_script(&window).await;
    window.fill("source-secret", Slapd::READER_PASSWORD).await;
    window.click("wizard-next").await;
    answered(&window).await;
    look(&window, "51-change-check").await;
    window.click("wizard-next").await;
    window.part("area-source").await;
    window
        .text_where("settings-card", |text| text.contains("cn=reader"))
        .await;
    window.click("check-source").await;
    window
        .text_where("rights", |text| text.contains("cn=reader"))
        .await;

    window.click("remove-source").await;
    window.part("remove-dialog").await;
    look(&window, "52-remove").await;
    accessible(&window, "removing a source").await;
    window.click("remove-confirm").await;
    window.part("first-use").await;
    window.close().await;
}

const GOOD: &str =
    "system,id,identity_id,kind,enabled\nshop,ann,1001,human,true\nshop,bob,,human,true\n";
/// A name that turns its own end round and hides a letter of no width.
const HOSTILE: &str = "eve\u{202e}gpj.\u{200b}exe";

/// A roster and a system of accounts; two accounts stand twice.
fn estate(room: &Room) -> [String; 2] {
    let folder = |name: &str, file: &str, text: &str| {
        let folder = room.path(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file), text).unwrap();
        folder.display().to_string()
    };
    [
        folder(
            "hr",
            "identities.csv",
            "id,kind,display_name,email,status\n1001,person,Ann Ödegård,ann@example.org,active\n",
        ),
        folder(
            "shop",
            "accounts.csv",
            &format!(
                "{GOOD}shop,bob,,human,true\nshop,{HOSTILE},,human,true\nshop,{HOSTILE},,human,true\n"
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skipped_object_and_a_stale_source_lower_the_verdict_and_lead_to_their_run() {
    let room = Room::new();
    let [hr, shop] = estate(&room);
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    add_source(&window, "flat-files", "hr", &[("path", &hr)], None).await;
    sync_chosen(&window, "hr", "complete").await;
    // What it tells counts for less than a minute: time enough to see that nothing is weak, and then that it is.
    let of_shop = [("path", shop.as_str()), ("fresh_for", "40s")];
    add_source(&window, "flat-files", "shop", &of_shop, None).await;
    sync_chosen(&window, "shop", "skipped").await;
    load_plan(
        &window,
        "[[step]]\non = \"leaver\"\nsystem = \"shop\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"15m\"\n",
    )
    .await;
    rehearse(&window, "1001", None).await;
    let verdict = window.part("verdict").await;
    assert_eq!(
        verdict.attr("data-verdict").await.unwrap().as_deref(),
        Some("indeterminate"),
        "a skipped account is not a pass"
    );
    let why = content_where(&window, "weak-reads", |text| text.contains("shop")).await;
    assert!(why.contains("accounts") && why.contains("skipped"), "{why}");
    look(&window, "60-weakened").await;
    accessible(&window, "weakened rehearsal").await;

    // The reason leads to the source and its run, and the run says since when.
    window
        .click_css("[data-test=\"weak-read\"][data-source=\"shop\"]")
        .await;
    window.part("area-source").await;
    // Two questions are answered here, the run's and the source's, and either may come first.
    content_where(&window, "totals", |text| {
        text.contains("skipped") && text.contains("Never complete")
    })
    .await;
    adds_up(&totals(&window).await);
    window.set("filter-journal", "skip").await;
    window
        .click_css("[data-test=\"journal-table\"] [data-index]:has([data-what=\"skip\"])")
        .await;
    window
        .text_where("journal-line", |text| text.contains("bob"))
        .await;
    let line = window.part("journal-line").await.text().await.unwrap();
    assert!(
        line.contains("\\u{202e}") && line.contains("\\u{200b}"),
        "what hides stands as its code: {line}"
    );
    look(&window, "61-skipped").await;
    accessible(&window, "source with a skip").await;

    // Mended and read again, it weakens nothing; some time later it is too old, and that is said.
    std::fs::write(room.path("shop").join("accounts.csv"), GOOD).unwrap();
    window.click("sync-one").await;
    complete(&window).await;
    window.click("nav-overview").await;
    window.part("area-overview").await;
    window
        .text_where("gap-list", |text| !text.contains("shop"))
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(41)).await;
    rehearse(&window, "1001", None).await;
    let why = content_where(&window, "weak-reads", |text| text.contains("ago")).await;
    assert!(why.contains("accounts shop"), "{why}");
    look(&window, "62-stale").await;

    window.click("nav-evidence").await;
    accessible(&window, "evidence").await;
    choose(&window, "shop").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_would_remove_too_much_is_held_until_somebody_accepts_it() {
    let room = Room::new();
    let folder = room.path("hr");
    std::fs::create_dir_all(&folder).unwrap();
    let roster = |count: u32| {
        let people = (0..count).map(|n| format!("{n:04},person,Person {n},active\n"));
        let text: String = std::iter::once("id,kind,display_name,status\n".to_owned())
            .chain(people)
            .collect();
        std::fs::write(folder.join("identities.csv"), text).unwrap();
    };
    roster(30);
    let window = Window::open(&room, &[]).await;
    through_the_recovery_key(&window).await;
    let path = folder.display().to_string();
    add_source(&window, "flat-files", "hr", &[("path", &path)], None).await;
    window.click("open-source").await;
    window.part("area-source").await;
    window.click("sync-one").await;
    complete(&window).await;

    roster(8);
    window.click("sync-one").await;
    let held = window
        .text_where("hold", |text| text.contains("held"))
        .await;
    assert!(held.contains("22 of 30"), "{held}");
    let strip = window.part("source-state").await;
    assert_eq!(
        strip.attr("data-verdict").await.unwrap().as_deref(),
        Some("indeterminate")
    );
    look(&window, "70-held").await;
    accessible(&window, "held source").await;
    window.click("nav-overview").await;
    let gaps = window
        .text_where("gap-list", |text| text.contains("hr"))
        .await;
    assert!(
        gaps.contains("22"),
        "the overview says what is held: {gaps}"
    );
    window
        .click_css("[data-test=\"weak-read\"][data-source=\"hr\"]")
        .await;
    window.click("accept-removals").await;
    window.part("accept-dialog").await;
    accessible(&window, "accepting removals").await;
    window.click("accept-confirm").await;
    complete(&window).await;
    let totals = content_where(&window, "totals", |text| text.contains("proved gone")).await;
    assert!(totals.contains("22 objects"), "{totals}");
    window
        .wait_for("[data-test=\"journal-table\"] [data-what=\"end\"]")
        .await;
    look(&window, "71-accepted").await;

    // Everything is still there at twice the size, and nothing runs out of the side.
    for _ in 0..5 {
        window.press_control("=").await;
    }
    let wide = window
        .script("return [document.documentElement.style.fontSize, document.documentElement.scrollWidth > innerWidth];")
        .await;
    assert_eq!(wide, serde_json::json!(["32px", false]));
    look(&window, "72-twice-the-size").await;
    accessible(&window, "source page at 200 %").await;
    window.close().await;
}
