//! What stays behind, in the window: the accounts of somebody whom no source lists now, accounts that
//! could be theirs as well as another's, rosters that stay incomplete, and what only a source
//! tells that is about to be removed.

use super::accounts::window_on;
use super::past::go_to;
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;

/// Ann, whom the register lists no more; her mail is Anna's now. One account stayed with her, of
/// another it cannot be told whose it is.
fn left() -> Desk {
    let desk = Desk::new();
    let people = "id,kind,display_name,email,start_date,end_date,status\n";
    let boss = "h9,person,Ina,ina@b.x,2020-01-01,,inactive\n";
    let ann = "h1,person,Ann Ödegård,ann@b.x,2020-01-01,2026-03-31,\n";
    desk.write("hr/identities.csv", format!("{people}{ann}{boss}"));
    desk.write(
        "ad/accounts.csv",
        "system,id,name,identity_id,email,enabled\ncorp,u1,,,ann@b.x,true\ncorp,s1,,h1,,true\n\
         corp,adm8,Anna,,,true\n",
    );
    desk.write(
        "ad/grants.csv",
        "system,principal_type,principal_id,entitlement_id\ncorp,account,s1,payments\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let anna = "h7,person,Anna,ann@b.x,2026-04-01,,\n";
    desk.write("hr/identities.csv", format!("{people}{anna}{boss}"));
    desk.expect(0, &["sync", "hr"]);
    desk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_left_has_a_page_with_what_stayed_and_what_could_be_theirs() {
    let desk = left();
    let window = window_on(&desk).await;
    window.part("nav-changes").await;
    // Whoever left is found among people's changes.
    go_to(&window, "#/changes/events").await;
    window
        .click_css("[data-test=\"events-table\"] [data-index]:has([title*=\"Ödegård\"])")
        .await;
    window.press_enter().await;
    let gone = content_where(&window, "gone", |text| text.contains("in no source now")).await;
    assert!(gone.contains("left it between"), "{gone}");
    assert!(gone.contains("31 Mar 2026"), "the end date: {gone}");
    let stayed = content_where(&window, "stayed", |text| text.contains("payments")).await;
    assert!(stayed.contains("s1"), "{stayed}");
    assert!(!stayed.contains("u1"), "what is not known is not counted");
    content_where(&window, "maybe-accounts", |text| text.contains("corp:u1")).await;
    look(&window, "90-gone").await;
    accessible(&window, "somebody who is gone").await;

    // The rehearsal says so, too.
    window.press("r").await;
    let missing = content_where(&window, "missing", |text| text.contains("corp:u1")).await;
    assert!(missing.contains("as well as of another"), "{missing}");
    look(&window, "91-gone-rehearsed").await;
    accessible(&window, "a rehearsal of somebody who is gone").await;

    // Somebody who is listed has the same doubt on their page, with the way to why.
    go_to(&window, "#/identities/h7").await;
    content_where(&window, "maybe-accounts", |text| text.contains("corp:u1")).await;
    content_where(&window, "in-doubt", |text| text.contains("corp:adm8")).await;
    look(&window, "92-maybe").await;
    accessible(&window, "accounts that could be theirs").await;
    window
        .click_css("[data-test=\"maybe-why\"][data-key=\"corp:u1\"]")
        .await;
    content_where(&window, "account-detail", |text| text.contains("hr:h1")).await;
    // From an account that stayed, the way leads to whom it stayed with.
    go_to(&window, "#/accounts?account=corp%3As1").await;
    window.click("open-stayed").await;
    content_where(&window, "gone", |text| text.contains("in no source now")).await;
    go_to(&window, "#/identities/h9").await;
    window
        .gone("main [role=status], [data-test=\"maybe-accounts\"]")
        .await;
    // Who has left already is rehearsed as a new leaving, and that is said.
    window.press("r").await;
    content_where(&window, "left-already", |text| {
        text.contains("a new leaving")
    })
    .await;
    look(&window, "97-left-already").await;
    accessible(&window, "a rehearsal of somebody who has left").await;
    // Whom nobody ever listed has no page.
    go_to(&window, "#/identities/h8").await;
    let refused = window.text_where("failed", |text| !text.is_empty()).await;
    assert!(refused.contains("no identity h8"), "{refused}");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_stays_incomplete_is_said_of_its_source() {
    let desk = Desk::new();
    let header = "id,kind,display_name,status\nann,person,Ann,active\n";
    for (month, status) in [("01", "active"), ("02", "perhaps"), ("03", "active")] {
        let text = format!("{header}kim,person,Kim,{status}\n");
        desk.write(&format!("rosters/2026-{month}.csv"), text);
    }
    let folder = desk.room.path("rosters").display().to_string();
    desk.expect(1, &["import", &folder, "--as", "hr", "--series"]);
    let window = window_on(&desk).await;
    window.click("nav-sources").await;
    content_where(&window, "sources-table", |text| {
        text.contains("1 roster incomplete")
    })
    .await;
    look(&window, "93-series").await;
    accessible(&window, "a series with an incomplete roster").await;
    window.click("open-source").await;
    let said = content_where(&window, "left-incomplete", |text| !text.is_empty()).await;
    assert!(said.contains("1 Feb 2026"), "{said}");
    assert!(
        said.contains("import the whole series anew"),
        "what mends it: {said}"
    );
    look(&window, "94-series-source").await;
    accessible(&window, "its source").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_source_tells_is_said_before_it_is_removed() {
    let desk = Desk::new();
    desk.write("hr/identities.csv", "id,kind,email\nu1,person,ann@x.org\n");
    for (mail, command) in [("ann@x.org", "import"), ("", "sync")] {
        let text = format!("system,id,email\ncorp,a1,{mail}\ncorp,a2,\n");
        desk.write("ad/accounts.csv", text);
        for source in ["hr", "ad"] {
            let folder = desk.room.path(source).display().to_string();
            match command {
                "import" => desk.expect(0, &["import", &folder, "--as", source]),
                _ => desk.expect(0, &["sync", source]),
            };
        }
    }
    let window = window_on(&desk).await;
    choose(&window, "ad").await;
    window.click("remove-source").await;
    // It is said before, while it can still be decided.
    let said = content_where(&window, "forgets", |text| text.contains("corp:a1")).await;
    assert!(said.contains("whoever leaves would pass"), "{said}");
    look(&window, "95-forgets").await;
    accessible(&window, "removing a source").await;
    window.click_css("[data-test=\"forgets\"] li .btn").await;
    content_where(&window, "account-detail", |text| text.contains("hr:u1")).await;
    // Of the register of people nothing is forgotten.
    choose(&window, "hr").await;
    window.click("remove-source").await;
    window.part("remove-dialog").await;
    window
        .gone("[data-test=\"remove-dialog\"] [role=status], [data-test=\"forgets\"]")
        .await;
    window.close().await;
}
