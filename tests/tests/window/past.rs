//! What was, in the window: what a read changed, the history of one object, the store of an
//! earlier moment, and retention.

use super::sources::content_where;
use super::steps::*;
use lastkey_tests::bus::secret_file;
use lastkey_tests::window::{Room, Window};
use std::fmt::Write;

/// A folder whose files are written anew before each read, and the store that reads it.
pub struct Estate {
    pub room: Room,
    arguments: [String; 4],
}

impl Estate {
    pub fn new() -> Estate {
        let room = Room::new();
        let key = secret_file(&room.path("key"), "the key file of this store");
        let store = room.path("s.lastkey").display().to_string();
        let arguments = ["--store".to_owned(), store, "--key-file".to_owned(), key];
        Estate { room, arguments }
    }

    /// Writes a file and reads its source to the end; whether it was read whole is told by others.
    pub fn read(&self, source: &str, file: &str, text: &str) {
        self.read_with(source, file, text, &[]);
    }

    /// The same of a dated roster.
    pub fn read_series(&self, source: &str, file: &str, text: &str) {
        self.read_with(source, file, text, &["--series"]);
    }

    fn read_with(&self, source: &str, file: &str, text: &str, more: &[&str]) {
        let folder = self.room.path(source);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file), text).unwrap();
        let mut all: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let path = folder.display().to_string();
        all.extend(["import", &path, "--as", source]);
        all.extend(more);
        let (status, out, err) = self.room.lastkey(&all);
        assert!([0, 1, 3].contains(&status), "{status} {out}{err}");
    }

    pub async fn open(&self) -> Window {
        let words: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let window = Window::open(&self.room, &words).await;
        window.part("nav-sources").await;
        window
    }
}

/// Twelve people; the first has this department, the second is there or not, and some came later.
fn people(department: &str, second: bool, later: &[&str]) -> String {
    let mut text = String::from("id,kind,display_name,status,department\n");
    writeln!(text, "1001,person,Ann Ödegård,active,{department}").unwrap();
    if second {
        text.push_str("1002,person,Bob O'Neil,active,Payments\n");
    }
    for n in 1003..1013 {
        writeln!(text, "{n},person,Person {n},active,Payments").unwrap();
    }
    for id in later {
        writeln!(text, "{id},person,Dan Later,active,Payments").unwrap();
    }
    text
}

pub async fn go_to(window: &Window, address: &str) {
    let script = format!(
        "history.pushState({{}}, '', '{address}'); dispatchEvent(new PopStateEvent('popstate'));"
    );
    window.script(&script).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_read_changed_leads_to_the_object_and_to_the_moment_before() {
    let estate = Estate::new();
    estate.read("hr", "identities.csv", &people("Payments", true, &[]));
    let accounts = "system,id,identity_id,kind,enabled\nshop,ann,1001,human,true\n";
    let others = "shop,bob,1002,human,true\nshop,cid,1003,human,true\n";
    estate.read("shop", "accounts.csv", &format!("{accounts}{others}"));
    estate.read(
        "hr",
        "identities.csv",
        &people("Treasury", false, &["1099"]),
    );
    estate.read_series("old", "2024-01-01.csv", "id,kind\nold-1,person\n");
    // One account stands twice, and is skipped: the read is not complete, and proves nothing gone.
    let twice = "shop,dan,1099,human,true\nshop,dan,1099,human,true\n";
    estate.read("shop", "accounts.csv", &format!("{accounts}{twice}"));
    let window = estate.open().await;

    // From the page of the source: what did this read change?
    choose(&window, "hr").await;
    window.click("open-source").await;
    window.click("what-changed").await;
    let answer = window
        .text_where("answer", |text| text.contains("removed"))
        .await;
    assert_eq!(answer, "1 added, 1 changed, 1 removed");
    window.part("changes-table").await;
    look(&window, "70-changes").await;
    accessible(&window, "changes").await;
    window.click("count-identity-removed").await;
    window
        .click_css("[data-test=\"changes-table\"] [data-index]:has([data-what=\"removed\"])")
        .await;
    let why = window.text_where("why", |text| !text.is_empty()).await;
    assert!(
        why.contains("complete read"),
        "a removal has its proof: {why}"
    );
    window.click("count-identity-changed").await;
    window
        .click_css("[data-test=\"changes-table\"] [data-index]:has([data-what=\"changed\"])")
        .await;
    let values = "[data-test=\"values\"] [data-column=\"department\"]";
    let values = window
        .text_of_where(values, |text| text.contains("Treasury"))
        .await;
    assert!(values.contains("Payments"), "both values: {values}");
    look(&window, "71-changed").await;
    accessible(&window, "a change").await;

    // Everything that was ever read of it.
    window.click("open-history").await;
    window.part("area-object").await;
    let lines = window
        .script("return [...document.querySelectorAll('[data-test=\"history-table\"] [data-what]')].map((line) => line.dataset.what);")
        .await;
    assert_eq!(
        lines,
        serde_json::json!(["changed", "added"]),
        "newest first"
    );
    look(&window, "72-history").await;
    accessible(&window, "history of an object").await;

    // As it stood when it came, and back.
    window
        .click_css("[data-test=\"history-table\"] [data-index]:has([data-what=\"added\"])")
        .await;
    window.click("look-then").await;
    window.part("past-strip").await;
    window.part("past-stamp").await;
    content_where(&window, "then-identity", |text| text.contains("Payments")).await;
    look(&window, "73-then-identity").await;
    accessible(&window, "an identity of the past").await;
    window.click("leave-past").await;
    content_where(&window, "area-identity", |text| text.contains("Treasury")).await;
    window.gone("[data-test=\"past-stamp\"]").await;
    look(&window, "74-identity").await;

    // What an incomplete read did not show is neither removed nor hidden.
    go_to(&window, "#/changes").await;
    window
        .text_where("answer", |text| text.contains("not proved to be gone"))
        .await;
    window.part("unfinished").await;
    window
        .click("count-account-disappeared_without_proof")
        .await;
    let unproved =
        "[data-test=\"changes-table\"] [data-index]:has([data-what=\"disappeared_without_proof\"])";
    window.click_css(unproved).await;
    let why = window.text_where("why", |text| !text.is_empty()).await;
    assert!(why.contains("still counts as current"), "{why}");
    look(&window, "75-unproved").await;
    accessible(&window, "disappeared without proof").await;

    // A table of the past, found through the palette.
    window.press_control("k").await;
    window.fill("palette-search", "earlier moment").await;
    window.press_enter().await;
    // A day whose state no sync has is refused, as on the command line, with a way out.
    window.fill("moment-text", "2024-06-01").await;
    window.click("moment-use").await;
    let refused = content_where(&window, "pick-moment", |text| {
        text.contains("is not the state after any sync")
    })
    .await;
    assert!(refused.contains("Give the number 4"), "{refused}");
    assert!(!refused.contains('`'), "values are set in mono: {refused}");
    look(&window, "76-moment-refused").await;
    accessible(&window, "a moment that no sync has").await;
    window.fill("moment-text", "1").await;
    window.click("moment-use").await;
    window
        .text_where("answer", |text| text.contains("12 identities"))
        .await;
    window.part("then-table").await;
    look(&window, "76-then-table").await;
    accessible(&window, "a table of the past").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_is_set_looked_at_and_run_and_the_past_before_it_is_refused() {
    let estate = Estate::new();
    for read in ["first", "second", "third"] {
        let mut text = String::from("system,id,name,kind,enabled\n");
        for n in 0..20 {
            writeln!(text, "shop,a{n},{read} {n},human,true").unwrap();
        }
        estate.read("shop", "accounts.csv", &text);
    }
    let window = estate.open().await;
    window.click("nav-settings").await;
    window.click("open-retention").await;
    window
        .text_where("answer", |text| text.contains("Everything is kept"))
        .await;
    accessible(&window, "retention, nothing set").await;
    window.fill("retention-syncs", "1").await;
    window.click("retention-set").await;
    content_where(&window, "retention-rules", |text| {
        text.contains("the latest 1 sync")
    })
    .await;
    window.click("preview").await;
    let told = window
        .text_where("retention-told", |text| text.contains("would go"))
        .await;
    assert!(told.contains("20 versions"), "{told}");
    look(&window, "77-retention").await;
    accessible(&window, "retention, preview").await;
    window.click("run").await;
    window.part("retention-ask").await;
    look(&window, "78-retention-ask").await;
    accessible(&window, "retention, asked").await;
    window.click("run-confirm").await;
    let told = window
        .text_where("retention-told", |text| text.contains("deleted"))
        .await;
    assert!(told.contains("20 versions"), "{told}");
    look(&window, "79-retention-done").await;

    // What was before is refused in words, and what stands is untouched.
    go_to(&window, "#/changes/then/1/account").await;
    let refused = window.text_where("failed", |text| !text.is_empty()).await;
    assert!(refused.contains("sync 1"), "{refused}");
    look(&window, "80-refused").await;
    accessible(&window, "a moment before the horizon").await;
    go_to(&window, "#/changes/then/3/account").await;
    window
        .text_where("answer", |text| text.contains("20 accounts"))
        .await;
    window.close().await;
}
