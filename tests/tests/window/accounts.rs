//! Accounts and persons in the window: what wants a decision, why, deciding by keyboard alone,
//! and taking it back.

use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;
use lastkey_tests::window::Window;

/// A register of people, one of suppliers, and a directory in which little is clear.
pub fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "hr/identities.csv",
        "id,kind,display_name,email,start_date,employee_number\n\
         u1,person,Ann Smith,ann.smith@x.org,2010-01-01,100\n\
         u2,person,Bob Jones,bob@x.org,2012-01-01,200\n\
         u3,person,Bob Jones,bob@x.org,2015-01-01,300\n\
         u4,person,Maximiliane Freifrau von und zu Oberhausen-Wiedenbrück,m@x.org,2015-01-01,400\n",
    );
    desk.write(
        "register/identities.csv",
        "id,kind,display_name,email,start_date\nv9,person,Ann B. Smith,ann@kestrel.example,2009-01-01\n",
    );
    let mut accounts =
        "system,id,name,identity_id,email,kind,enabled,privileged,created_at\n".to_owned();
    accounts.push_str("corp,a1,ann.smith,u1,,human,true,,2010-01-02\n");
    accounts.push_str("corp,a2,bob,,bob@x.org,human,true,true,2012-01-02\n");
    accounts.push_str("corp,a3,asmith,,,human,true,,2011-01-01\n");
    accounts.push_str(
        "corp,svc-settlement-nightly-export-of-the-payments-platform-eu-central,Settlement,,,service,true,,2011-01-01\n",
    );
    for n in 0..60 {
        accounts.push_str(&format!(
            "corp,legacy-{n:03},Legacy {n},,,service,false,,\n"
        ));
    }
    desk.write("ad/accounts.csv", &accounts);
    for source in ["hr", "register", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let why = "the contractor was hired";
    desk.expect(0, &["link", "same", "hr:u1", "register:v9", "--why", why]);
    desk
}

pub async fn window_on(desk: &Desk) -> Window {
    let arguments = ["--store", &desk.store, "--key-file", &desk.key];
    Window::open(&desk.room, &arguments).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_decided_by_keyboard_alone_and_the_decision_taken_back() {
    let desk = desk();
    let window = window_on(&desk).await;
    window.part("nav-accounts").await;
    window.press("ga").await;
    window
        .wait_for("[data-test=\"area-accounts\"][data-ready]")
        .await;
    window.part("choose").await;
    accessible(&window, "accounts, none chosen").await;
    // The worst stands first: two people fit, and one of them may have left.
    window.press_key("j").await;
    window
        .wait_for("[data-test=\"explained\"][data-state=\"ambiguous\"]")
        .await;
    content_where(&window, "candidates", |text| {
        text.contains("hr:u2") && text.contains("hr:u3")
    })
    .await;
    look(&window, "60-accounts").await;
    accessible(&window, "accounts").await;

    window.press_key("d").await;
    window.part("decide").await;
    window.press_key("ArrowDown").await;
    window.press_key("ArrowDown").await;
    look(&window, "61-accounts-decide").await;
    accessible(&window, "accounts, deciding").await;
    window.press_key("Enter").await;
    window.press_key("ticket 4711").await;
    window.press_key("Enter").await;
    window.gone("[data-test=\"decide\"]").await;
    // The next one is in front at once.
    window
        .wait_for("[data-test=\"explained\"][data-state=\"not connected\"]")
        .await;
    window
        .text_where("answer", |text| text.starts_with("62 accounts"))
        .await;
    let explained = desk.lines(0, &["link", "explain", "corp:a2"]);
    assert_eq!(explained[0]["identity"], "hr:u3");
    assert_eq!(explained[0]["decision"]["why"], "ticket 4711");

    // Nobody's: the reason of before is there to be taken or written over.
    window.press_key("n").await;
    window.part("decide").await;
    window
        .wait_for("[data-test=\"decide-confirm\"]:enabled")
        .await;
    window.click("decide-confirm").await;
    window.gone("[data-test=\"decide\"]").await;
    window
        .text_where("answer", |text| text.starts_with("61 accounts"))
        .await;

    // Any account can be asked about; what was decided is said with who and why, and undone.
    window.press("/").await;
    window.press_key("corp:a2").await;
    window.press_key("Enter").await;
    content_where(&window, "decision-why", |text| text == "ticket 4711").await;
    look(&window, "62-accounts-decided").await;
    accessible(&window, "accounts, decided").await;
    window.click("undo-decision").await;
    window.part("undo").await;
    accessible(&window, "accounts, undoing").await;
    window.click("decide-confirm").await;
    window
        .text_where("answer", |text| text.starts_with("62 accounts"))
        .await;

    window.press_control("k").await;
    window.fill("palette-search", "what was decided").await;
    window.press_key("Enter").await;
    content_where(&window, "decisions-table", |text| {
        text.contains("undone by 4")
    })
    .await;
    look(&window, "63-accounts-decisions").await;
    accessible(&window, "accounts, decisions").await;

    window.click("tab-persons").await;
    window.press_key("j").await;
    window
        .text_where("records", |text| text.contains("register:v9"))
        .await;
    window
        .text_where("person-decisions", |text| {
            text.contains("the contractor was hired")
        })
        .await;
    look(&window, "64-accounts-persons").await;
    accessible(&window, "accounts, persons").await;
    window.click("apart").await;
    window.part("pair").await;
    window.click("decide-confirm").await;
    window.part("empty-list").await;
    accessible(&window, "accounts, no persons").await;
    window.click("tab-doubts").await;
    window.part("empty-list").await;
    accessible(&window, "accounts, doubts").await;
    window.close().await;
}
