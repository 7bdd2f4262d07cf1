//! Rehearsals that are kept, in the window: one is saved and held against what is asked now; and
//! rehearsals as tests.

use super::accounts::window_on;
use super::past::go_to;
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;

fn plan(desk: &Desk, within: &str) {
    let step = "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\n";
    let file = desk.write("offboarding.toml", format!("{step}within = \"{within}\"\n"));
    desk.expect(0, &["plan", "load", &file]);
}

/// A roster and a directory; a rehearsal was saved with a plan that closed sooner.
fn before_and_after() -> Desk {
    let desk = Desk::new();
    let people = "id,kind,display_name\nu1,person,Ann Smith\nu2,person,Bob Jones\n";
    desk.write("hr/identities.csv", people);
    desk.write(
        "ad/accounts.csv",
        "system,id,identity_id,enabled,local_sign_in\ncorp,a1,u1,true,true\ncorp,a2,u2,true,true\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    plan(&desk, "2h");
    let name = "before the plan of November, with everything that was read by then";
    desk.run(&["rehearse", "leaver", "--identity", "u1", "--save", name]);
    plan(&desk, "9d");
    desk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_is_saved_and_held_against_what_is_asked_now() {
    let desk = before_and_after();
    let window = window_on(&desk).await;
    go_to(&window, "#/tests/saved").await;
    content_where(&window, "saved-table", |text| text.contains("leaver hr:u1")).await;
    window
        .click_css("[data-test=\"saved-table\"] [data-index=\"0\"]")
        .await;
    let differs = content_where(&window, "differences", |text| text.contains("a1")).await;
    assert!(differs.contains("because of the plan"), "{differs}");
    assert!(differs.contains("worse"), "{differs}");
    look(&window, "98-saved").await;
    accessible(&window, "what differs from a saved rehearsal").await;

    // From a rehearsal it is saved; a name that is taken is refused, and nothing is lost.
    go_to(&window, "#/tests/leaver/u2").await;
    window.click("save-open").await;
    let taken = "before the plan of November, with everything that was read by then";
    window.fill("save-name", taken).await;
    window.click("save-confirm").await;
    content_where(&window, "save-rehearsal", |text| text.contains("already")).await;
    accessible(&window, "a name that is taken").await;
    window.fill("save-name", "of Bob").await;
    window.click("save-confirm").await;
    window.gone("[data-test=\"save-rehearsal\"]").await;
    go_to(&window, "#/tests/saved").await;
    content_where(&window, "saved-table", |text| text.contains("of Bob")).await;
    window
        .click_css("[data-test=\"saved-table\"] [data-index]:has([title=\"of Bob\"])")
        .await;
    content_where(&window, "counts", |text| text.contains("Nothing differs")).await;
    window.click("remove-open").await;
    window.click("remove-confirm").await;
    window.gone("[title=\"of Bob\"]").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assertions_say_what_does_not_hold_and_of_whom() {
    let desk = before_and_after();
    let rules = "[[assertion]]\nname = \"nobody keeps anything beyond a day\"\nnothing_beyond = \"1d\"\n\n\
         [[assertion]]\nname = \"no vendor keeps anything\"\nidentity_kind = \"vendor\"\nnothing_beyond = \"1h\"\n";
    let window = window_on(&desk).await;
    go_to(&window, "#/tests/assertions").await;
    content_where(&window, "first-use", |text| {
        text.contains("assertions load")
    })
    .await;
    accessible(&window, "no assertions").await;
    window.close().await;

    let file = desk.write("assertions.toml", rules);
    desk.expect(0, &["assertions", "load", &file]);
    let window = window_on(&desk).await;
    go_to(&window, "#/tests/assertions").await;
    window.click("judge").await;
    let table = content_where(&window, "assertions-table", |text| text.contains("fail")).await;
    assert!(
        table.contains("indeterminate"),
        "an assertion about nobody holds not: {table}"
    );
    window
        .click_css("[data-test=\"assertions-table\"] [data-index=\"0\"]")
        .await;
    content_where(&window, "against", |text| text.contains("a1")).await;
    look(&window, "99-assertions").await;
    accessible(&window, "what speaks against an assertion").await;
    window.close().await;
}
