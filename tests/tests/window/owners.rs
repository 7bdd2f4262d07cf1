//! Owners in the window: who left is seen at once; suggestions are confirmed at once after a
//! summary, and taken back.

use super::accounts::window_on;
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;

/// A service account whose owner left, with keys that somebody made, and a long name.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "flat/identities.csv",
        "id,kind,display_name,email,status,manager_id\n\
         p1,person,Ann Smith,ann@bank.example,active,\n\
         p2,person,Bob Stone,bob@bank.example,inactive,p1\n\
         p3,person,Maximiliane Freifrau von und zu Oberhausen-Wiedenbrück,max@bank.example,active,p1\n",
    );
    desk.write(
        "flat/accounts.csv",
        "system,id,kind\n\
         corp,svc,service\n\
         corp,svc-settlement-nightly-export-of-the-payments-platform-eu-central,service\n\
         corp,backup,service\n",
    );
    desk.write(
        "flat/credentials.csv",
        "system,id,kind,account_id,created_by\n\
         corp,k1,api_key,svc,ann\ncorp,k2,api_key,svc,ann\ncorp,k3,api_key,backup,max\n",
    );
    desk.write(
        "flat/owners.csv",
        "object_type,system,object_id,owner_id,role\naccount,corp,svc,p2,technical\n",
    );
    let folder = desk.room.path("flat").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "flat"]);
    desk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_are_confirmed_at_once_and_taken_back_by_keyboard_alone() {
    let desk = desk();
    let window = window_on(&desk).await;
    window.part("nav-owners").await;
    window.press("gw").await;
    window
        .wait_for("[data-test=\"area-owners\"][data-ready]")
        .await;
    // Who left stands first, and is said in words.
    window.press_key("j").await;
    content_where(&window, "owned-detail", |text| {
        text.contains("owner left") && text.contains("Bob Stone") && text.contains("left")
    })
    .await;
    content_where(&window, "standings", |text| text.contains("1 owner left")).await;
    look(&window, "70-owners").await;
    accessible(&window, "owners").await;

    window.press_control("k").await;
    window.fill("palette-search", "suggested owners").await;
    window.press_key("Enter").await;
    window
        .wait_for("[data-test=\"area-owners-suggestions\"][data-ready]")
        .await;
    accessible(&window, "owners, suggestions").await;
    window.press_key("j").await;
    window.press_key(" ").await;
    window.press_key("j").await;
    window.press_key(" ").await;
    window.text_where("marked", |text| text == "2 marked").await;
    look(&window, "71-owners-suggestions").await;
    window.press_key("c").await;
    // Before it happens: what it would be, in words.
    content_where(&window, "summary", |text| text.contains("owner of")).await;
    window.press_key("the yearly review").await;
    look(&window, "72-owners-summary").await;
    accessible(&window, "owners, summary").await;
    let none = desk.lines(0, &["owners", "--where", "basis=attested"]);
    assert!(none.is_empty(), "nothing is kept before it is confirmed");
    window.press_key("Enter").await;
    window.gone("[data-test=\"bulk\"]").await;
    let kept = desk.lines(0, &["owners", "--where", "basis=attested"]);
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|row| row["why"] == "the yearly review"));

    window.click("tab-decisions").await;
    window
        .wait_for("[data-test=\"area-owners-decisions\"][data-ready]")
        .await;
    window.press_key("j").await;
    look(&window, "73-owners-decisions").await;
    accessible(&window, "owners, decisions").await;
    window.wait_for("[data-test=\"undo-open\"]:enabled").await;
    window.press_key("u").await;
    window.part("undo").await;
    window
        .wait_for("[data-test=\"decide-confirm\"]:enabled")
        .await;
    window.press_key("Enter").await;
    window.gone("[data-test=\"undo\"]").await;
    content_where(&window, "owner-decisions-table", |text| {
        text.contains("taken back")
    })
    .await;
    let none = desk.lines(0, &["owners", "--where", "basis=attested"]);
    assert!(none.is_empty(), "both are taken back together");

    // All that match: rejected after their summary.
    window.click("tab-suggestions").await;
    window.wait_for("[data-test=\"reject-all\"]:enabled").await;
    window.click("reject-all").await;
    content_where(&window, "summary", |text| text.contains("is not")).await;
    accessible(&window, "owners, rejecting all").await;
    window.press_key("Escape").await;
    window.gone("[data-test=\"bulk\"]").await;
    window.close().await;
}
