//! Where secrets stand, in the window: who can read one, which account it opens, and what somebody
//! who leaves could read, by keyboard alone.

use super::accounts::window_on;
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;

/// A password at a vault, in a cluster and in a file by one fingerprint, and at CI by its name.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "flat/identities.csv",
        "id,kind,display_name,status\n\
         p1,person,Ann Smith,active\np2,person,Bob Stone,inactive\n",
    );
    desk.write(
        "flat/accounts.csv",
        "system,id,name,kind,identity_id,enabled\n\
         bao,a1,ann,human,p1,true\nbao,a2,bob,human,p2,false\npg,16400,payments,service,,true\n",
    );
    desk.write(
        "flat/entitlements.csv",
        "system,id,kind\nbao,payers,group\n",
    );
    desk.write(
        "flat/grants.csv",
        "system,principal_type,principal_id,entitlement_id\n\
         bao,account,a1,payers\nbao,account,a2,payers\n",
    );
    desk.write(
        "flat/credentials.csv",
        "system,id,kind,name,account_id,created_at,rotated_at\n\
         pg,app-pw,password,app-pw,16400,2021-02-01T00:00:00Z,\n",
    );
    desk.write(
        "flat/locations.csv",
        "system,path,kind,credential_system,credential_id,fingerprint,field\n\
         bao,secret/payments/db,vault,pg,app-pw,k1:aa11aa11,secret/payments/db#password\n\
         k8s,shop/payments-db,kubernetes_secret,,,k1:aa11aa11,shop/payments-db#password\n\
         ws,/srv/pay/.env,file,,,k1:aa11aa11,/srv/pay/.env#PAYMENTS_DB_PASSWORD\n\
         hub,acme/shop/actions/PAYMENTS_DB_PASSWORD,ci_variable,,,,\n\
         bao,secret/other,vault,,,k1:bb22bb22,secret/other#stripe_token\n",
    );
    desk.write(
        "flat/readers.csv",
        "system,path,principal_type,principal_id\n\
         bao,secret/payments/db,entitlement,payers\n",
    );
    let folder = desk.room.path("flat").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "flat"]);
    desk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_can_read_a_secret_is_found_by_keyboard_alone() {
    let desk = desk();
    let window = window_on(&desk).await;
    window.part("nav-credentials").await;
    window.press("gk").await;
    window
        .wait_for("[data-test=\"area-credentials\"][data-ready]")
        .await;
    window
        .text_where("answer", |text| {
            text.contains("1 secret stands at several places")
        })
        .await;
    // The first is the one with most copies; beside it every place, certain and suspected apart.
    window.press_key("j").await;
    content_where(&window, "places", |text| {
        [
            "secret/payments/db",
            "shop/payments-db",
            ".env",
            "same fingerprint",
        ]
        .iter()
        .all(|part| text.contains(part))
    })
    .await;
    content_where(&window, "suspected", |text| {
        text.contains("PAYMENTS_DB_PASSWORD") && text.contains("suspected: same name")
    })
    .await;
    content_where(&window, "opens", |text| text.contains("pg:payments")).await;
    let readers = content_where(&window, "readers", |text| text.contains("Bob Stone")).await;
    let at = |name: &str| readers.find(name).unwrap();
    assert!(
        at("Bob Stone") < at("Ann Smith"),
        "whoever left first: {readers}"
    );
    assert!(readers.contains("payers"), "{readers}");
    look(&window, "90-secrets").await;
    accessible(&window, "secrets").await;
    let text = window.text().await;
    assert!(!text.contains("aa11aa11"), "no fingerprint is shown");

    // A place by itself says who reads just that one.
    window.press("2").await;
    window
        .wait_for("[data-test=\"places-table\"][data-ready]")
        .await;
    content_where(&window, "places-table", |text| {
        text.contains("secret/other")
    })
    .await;
    window.press_key("j").await;
    window.part("secret-detail").await;
    look(&window, "91-secret-places").await;
    accessible(&window, "secret places").await;

    // What Bob, who left, could read: the way, and that his account is closed.
    window.press("3").await;
    window.fill("leaver-identity", "Bob").await;
    content_where(&window, "pick-leaver", |text| text.contains("Bob Stone")).await;
    window.press_key("Enter").await;
    window
        .text_where("answer", |text| {
            text.contains("Bob Stone could read 2 secrets")
        })
        .await;
    window.press_key("j").await;
    content_where(&window, "way", |text| {
        text.contains("until their accounts were closed") && text.contains("secret/payments/db")
    })
    .await;
    look(&window, "92-secrets-of-a-leaver").await;
    accessible(&window, "secrets of a leaver").await;
    window.close().await;
}
