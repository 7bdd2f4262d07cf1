//! How the window looks to a person who needs large type, sees it dark, and has long names: on
//! every screen no column leaves the window, nothing is told alike that differs, and axe agrees.

use super::past::{Estate, go_to};
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::window::Window;
use std::fmt::Write;

/// The parts of a page that stand outside the window, or are cut without a way to see the rest.
const OUTSIDE: &str = "const wide = innerWidth + 1;
    const found = document.scrollingElement.scrollWidth > wide ? ['the page'] : [];
    for (const head of document.querySelectorAll('[role=grid] [role=columnheader], table.t th'))
        if (head.getBoundingClientRect().right > wide) found.push('column ' + head.innerText);
    for (const part of document.querySelectorAll('main button, main input, main h1, footer button')) {
        const box = part.getBoundingClientRect();
        const shown = box.width > 0 && box.bottom <= innerHeight && !part.closest('[role=row], .few');
        if (shown && (box.right > wide || box.left < -1)) found.push(part.outerHTML.slice(0, 120));
    }
    for (const keys of document.querySelectorAll('footer .few'))
        for (const key of keys.children) {
            const [box, room] = [key.getBoundingClientRect(), keys.getBoundingClientRect()];
            if (box.top < room.bottom && box.left < room.left - 1) found.push('key ' + key.innerText);
        }
    // What the program sets in backticks is set in mono here.
    if (document.querySelector('main').innerText.includes('`')) found.push('a backtick');
    for (const part of document.querySelectorAll('main [title*=\"`\"]')) found.push(part.outerHTML.slice(0, 120));
    return found;";

/// Which of these have no picture in any font that the page finds: they are drawn as the letter is
/// that no font has.
const BOXES: &str = "const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 48;
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    const fonts = ['--font-ui', '--font-mono', '--font-display'];
    const drawn = (letter, font) => {
        pen.clearRect(0, 0, 48, 48);
        pen.font = '32px ' + getComputedStyle(document.documentElement).getPropertyValue(font);
        pen.fillText(letter, 4, 36);
        return pen.getImageData(0, 0, 48, 48).data.join();
    };
    return fonts.flatMap((font) => ['漢', 'ひ', '한', 'ع', 'ש', 'Ж', '🧑', '✓']
        .filter((letter) => drawn(letter, font) === drawn('\u{10fffd}', font))
        .map((letter) => letter + ' in ' + font));";

/// Names as people have them: long, from right to left, of other writings, made of pictures, or made
/// to deceive.
fn names() -> [String; 5] {
    [
        "Maximiliana-Alexandrovna von Hohenstaufen ".repeat(5),
        "ليلى عبد الرحمن بنت محمد الحداد".to_owned(),
        "🧑🏽\u{200d}💻 Zoë O’Neil".to_owned(),
        "gnp\u{202e}exe.invoice".to_owned(),
        "山田太郎 (やまだ) 김민준 王小明".to_owned(),
    ]
}

fn odd_estate() -> Estate {
    let estate = Estate::new();
    let system = "a-system-with-a-rather-long-name.example.internal";
    let mut people = String::from("id,kind,display_name,email,status,department\n");
    let mut accounts = String::from("system,id,name,kind,identity_id,enabled\n");
    for (n, name) in names().iter().enumerate() {
        let id = format!("{}{n}", "employee-number-".repeat(10));
        writeln!(
            people,
            "{id},person,\"{name}\",{id}@example.com,active,Payments"
        )
        .unwrap();
        let account = format!("CN={},OU=People {n}", "very long ".repeat(15));
        writeln!(
            accounts,
            "{system},\"{account}\",\"{name}\",human,{id},true"
        )
        .unwrap();
        writeln!(accounts, "{system},svc-{n},\"{name}\",service,,true").unwrap();
    }
    estate.read("hr", "identities.csv", &people);
    estate.read("shop", "accounts.csv", &accounts);
    let keys = format!("system,id,kind,enabled\n{system},key-of-nobody,api_key,true\n");
    estate.read("vault", "credentials.csv", &keys);
    let mut places = String::from("system,path,kind,credential_id,field\n");
    let mut readers = String::from("system,path,principal_type,principal_id\n");
    for (n, name) in names().iter().enumerate() {
        let path = format!("secret/{}/{name}", "a-folder-with-a-long-name/".repeat(8));
        writeln!(
            places,
            "{system},\"{path}\",vault,key-of-nobody,\"{path}#PAYMENTS_{n}_PASSWORD\""
        )
        .unwrap();
        writeln!(readers, "{system},\"{path}\",account,svc-{n}").unwrap();
    }
    estate.read("vault", "locations.csv", &places);
    estate.read("vault", "readers.csv", &readers);
    let custodian = format!("{}3", "employee-number-".repeat(10));
    let owners = format!(
        "object_type,system,object_id,owner_id,role\ncredential,{system},key-of-nobody,{custodian},custodian\n"
    );
    estate.read("vault", "owners.csv", &owners);
    let moved = people.replace("Payments", &"Department of everything ".repeat(6));
    estate.read("hr", "identities.csv", &moved);
    estate
}

/// Sets how the window looks, and opens its page anew.
pub async fn looks(window: &Window, theme: &str, zoom: u32) {
    let set = format!(
        "const done = arguments[arguments.length - 1];
         const program = window.__TAURI_INTERNALS__;
         program.invoke('settings_get')
            .then((now) => program.invoke('settings_set', {{ settings: {{ ...now, theme: '{theme}', zoom: {zoom} }} }}))
            .then(() => done('set'), (why) => done(JSON.stringify(why)));"
    );
    assert_eq!(window.script_async(&set).await, "set");
    window.script("location.reload();").await;
    window
        .wait_for(&format!("html[data-theme=\"{theme}\"] [data-ready]"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_holds_in_the_dark_at_twice_the_size_with_odd_names() {
    let estate = odd_estate();
    let window = estate.open().await;
    let person = format!("hr:{}0", "employee-number-".repeat(10));
    let pages = [
        ("overview", "#/overview".to_owned()),
        ("sources", "#/sources".to_owned()),
        ("source", "#/sources/hr".to_owned()),
        ("identities", "#/identities".to_owned()),
        ("identity", format!("#/identities/{person}")),
        ("accounts", "#/accounts".to_owned()),
        ("persons", "#/accounts/persons".to_owned()),
        ("doubts", "#/accounts/doubts".to_owned()),
        ("link decisions", "#/accounts/decisions".to_owned()),
        ("credentials", "#/credentials".to_owned()),
        ("places", "#/credentials/places".to_owned()),
        ("secrets of one", format!("#/credentials/reader/{person}")),
        ("nobody's secrets", "#/credentials/reader".to_owned()),
        ("owners", "#/owners".to_owned()),
        ("suggestions", "#/owners/suggestions".to_owned()),
        ("owner decisions", "#/owners/decisions".to_owned()),
        ("changes", "#/changes".to_owned()),
        ("people's changes", "#/changes/events".to_owned()),
        ("history", format!("#/changes/object/identity/{person}")),
        ("tests", "#/tests".to_owned()),
        ("saved rehearsals", "#/tests/saved".to_owned()),
        ("assertions", "#/tests/assertions".to_owned()),
        ("worst", "#/tests/worst".to_owned()),
        ("plan", "#/tests/plan".to_owned()),
        ("plan coverage", "#/tests/plan/coverage".to_owned()),
        ("events", "#/tests/events".to_owned()),
        ("access policy", "#/tests/policy".to_owned()),
        ("rehearsal", format!("#/tests/leaver/{person}")),
        ("leavers", "#/leavers".to_owned()),
        ("one leaver", format!("#/leavers/one/{person}")),
        ("shares", "#/leavers/shares".to_owned()),
        ("watches", "#/leavers/watch".to_owned()),
        ("probes", "#/leavers/probes".to_owned()),
        ("evidence", "#/evidence".to_owned()),
        ("settings", "#/settings".to_owned()),
        ("retention", "#/settings/retention".to_owned()),
    ];
    let boxes = window.script(BOXES).await;
    assert_eq!(boxes, serde_json::json!([]), "letters without a font");
    let mut outside = Vec::new();
    for zoom in [100, 200] {
        looks(&window, "dark", zoom).await;
        for (page, address) in &pages {
            go_to(&window, address).await;
            window.wait_for(".area[data-ready]").await;
            window
                .script("document.querySelector('[role=grid] [data-index]')?.click();")
                .await;
            window
                .gone("main [aria-busy=true], main [role=status].sr:not(:empty)")
                .await;
            look(&window, &format!("80-{page}-{zoom}")).await;
            let found = window.script(OUTSIDE).await;
            if found != serde_json::json!([]) {
                outside.push(format!("{page} at {zoom} %: {found}"));
            }
            if zoom == 100 {
                accessible(&window, &format!("{page}, dark")).await;
            }
        }
    }
    assert_eq!(outside, Vec::<String>::new());
    // A dialog that does not fit, and holds nothing to stand on, is scrolled by keyboard too.
    window.press_key("?").await;
    window.part("key-sheet").await;
    accessible(&window, "keys at 200 %").await;
    window.press_key("Escape").await;
    window.gone("[data-test=\"key-sheet\"]").await;
    looks(&window, "light", 100).await;

    // Both reads fell into one minute: what lies between them is told to the second.
    go_to(&window, "#/changes").await;
    let before = window
        .text_where("pick-from", |text| text.contains(':'))
        .await;
    let after = window
        .text_where("pick-to", |text| text.contains(':'))
        .await;
    let moment = |text: &str| text.split("sync").next().unwrap().trim().to_owned();
    assert_ne!(moment(&before), moment(&after));
    // A name keeps the joiners that its pictures need, and nothing can turn the text around.
    let table = content_where(&window, "changes-table", |text| text.contains("Zoë")).await;
    assert!(table.contains("🧑🏽\u{200d}💻 Zoë"), "{table}");
    assert!(table.contains("gnp\\u{202e}exe"), "{table}");
    // A custodian stands beside "no owner" as what he is, and does not answer for it.
    go_to(&window, "#/owners").await;
    let key = "[data-test=\"owned-table\"] [data-key$=\"key-of-nobody\"]";
    window.click_css(key).await;
    window.part("custodians-only").await;
    let beside = content_where(&window, "owned-detail", |text| text.contains("custodian")).await;
    assert!(beside.contains("no owner"), "{beside}");
    // Nobody passes because nothing is known: only of the custodian, whose key nothing closes, is
    // there an answer, and beside it stands how many have none.
    go_to(&window, "#/overview").await;
    let answer = window
        .text_where("answer", |text| text.contains("decided"))
        .await;
    assert_eq!(
        answer,
        "1 of 5 identities would keep working access, 4 cannot be decided"
    );
    window.close().await;
}
