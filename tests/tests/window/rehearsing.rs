//! What is tried before it counts, in the window: the plan that would close most, events in one world,
//! an access policy.

use super::accounts::window_on;
use super::past::go_to;
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;

const PLAN: &str = "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"9d\"\n";

/// A roster and a directory with every kind there is, and a plan that closes too late.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "hr/identities.csv",
        "id,kind,display_name,status,department\nu1,person,Ann Smith,active,Finance\nu2,person,Bob Jones,active,Finance\n",
    );
    desk.write(
        "ad/accounts.csv",
        "system,id,identity_id,enabled,local_sign_in\ncorp,a1,u1,true,true\ncorp,a2,u2,true,true\n",
    );
    desk.nothing_else("ad");
    desk.write(
        "ad/entitlements.csv",
        "system,id,name,kind,privileged\ncorp,ledger,Ledger,role,false\n",
    );
    desk.write(
        "ad/grants.csv",
        "system,principal_type,principal_system,principal_id,entitlement_id\ncorp,account,corp,a1,ledger\n",
    );
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let file = desk.write("offboarding.toml", PLAN);
    desk.expect(0, &["plan", "load", &file]);
    desk.expect(0, &["guard", "off"]);
    desk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_step_that_would_close_most_is_tried_taken_and_loaded() {
    let desk = desk();
    let window = window_on(&desk).await;
    go_to(&window, "#/tests/worst").await;
    content_where(&window, "worst-leavers", |text| text.contains("Ann Smith")).await;
    accessible(&window, "the worst of all").await;
    window.click("steps-ask").await;
    content_where(&window, "steps", |text| text.contains("corp")).await;
    look(&window, "101-worst-steps").await;
    window.click_css("[data-test=\"step-take\"]").await;

    // It stands in the text of the plan, and what that would do is shown before anything is loaded.
    window.part("plan-text").await;
    content_where(&window, "draft-verdict", |text| text.contains("pass")).await;
    look(&window, "102-plan-tried").await;
    accessible(&window, "a plan that is tried").await;
    window
        .set(
            "plan-text",
            "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"nothing_known\"\n",
        )
        .await;
    let said = content_where(&window, "plan-said", |text| text.contains("nothing_known")).await;
    assert!(said.contains('4'), "no line in: {said}");
    accessible(&window, "a plan with a mistake").await;
    window.set("plan-text", &PLAN.replace("9d", "2h")).await;
    content_where(&window, "draft-verdict", |text| text.contains("pass")).await;
    window.click("plan-load").await;
    go_to(&window, "#/tests/worst").await;
    window
        .text_where("answer", |text| text.starts_with("None of 2"))
        .await;
    content_where(&window, "figures", |text| text.contains("offboarding")).await;
    window.close().await;
    let all = desk.lines(0, &["rehearse", "everyone"]).remove(0);
    assert_eq!(
        (&all["fail"], &all["pass"]),
        (&0.into(), &2.into()),
        "{all:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_put_together_and_played_in_one_world() {
    let desk = desk();
    let window = window_on(&desk).await;
    go_to(&window, "#/tests/events").await;
    window.part("first-use").await;
    accessible(&window, "no events").await;
    window.click("event-add").await;
    window.fill("pick-event-who", "Ann").await;
    content_where(&window, "pick-event", |text| text.contains("Ann Smith")).await;
    window.click("pick-event-confirm").await;
    content_where(&window, "events-table", |text| text.contains("Ann Smith")).await;
    window.click("play").await;
    let outcome = content_where(&window, "event-outcome", |text| text.contains("corp")).await;
    assert!(outcome.contains("Ann Smith"), "{outcome}");
    look(&window, "103-events-played").await;
    accessible(&window, "events that were played").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_drafted_looked_at_and_activated_in_two_steps() {
    let desk = desk();
    let window = window_on(&desk).await;
    go_to(&window, "#/tests/policy").await;
    window.click("write-policy").await;
    window.part("policy-text").await;
    window
        .fill("policy-text", "permit (principal, action, resource")
        .await;
    content_where(&window, "policy-said", |text| text.contains('1')).await;
    accessible(&window, "a policy with a mistake").await;
    let policy = "@id(\"finance\")\npermit (principal, action, resource)\nwhen { principal has department && principal.department == \"Finance\" };\n";
    window.set("policy-text", policy).await;
    window.fill("policy-name", "roles").await;
    window.click("save-draft").await;
    content_where(&window, "policy-changes", |text| text.contains("Ann Smith")).await;
    look(&window, "104-policy-drafted").await;
    accessible(&window, "what a policy would change").await;
    window.click("activate").await;
    window.part("activate-counts").await;
    accessible(&window, "before a policy is activated").await;
    window.click("activate-confirm").await;
    content_where(&window, "active-policy", |text| text.contains("roles")).await;
    window.close().await;
    let shown = desk.expect(0, &["policy", "show"]);
    assert!(shown.contains("finance"), "{shown}");
}
