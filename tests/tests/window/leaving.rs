//! Past leavers, shares, watches and probes in the window.

use super::accounts::window_on;
use super::past::go_to;
use super::sources::content_where;
use super::steps::*;
use lastkey_tests::desk::Desk;

/// What the desktop is told, as a program sees it that listens to its bus.
struct Notifications {
    monitor: std::process::Child,
    said: std::path::PathBuf,
}

impl Notifications {
    fn listen(desk: &Desk) -> Notifications {
        let said = desk.room.path("notifications");
        let monitor = std::process::Command::new("dbus-monitor")
            .args([
                "--session",
                "interface='org.freedesktop.Notifications',member='Notify'",
            ])
            .stdout(std::fs::File::create(&said).unwrap())
            .spawn()
            .unwrap();
        Notifications { monitor, said }
    }

    async fn wait_for(&self, text: &str) {
        let begun = std::time::Instant::now();
        loop {
            let said = std::fs::read_to_string(&self.said).unwrap_or_default();
            if said.contains(text) {
                return;
            }
            let waited = begun.elapsed();
            assert!(
                waited < std::time::Duration::from_secs(60),
                "the desktop was told `{said}`"
            );
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.monitor.kill().ok();
        self.monitor.wait().ok();
    }
}

/// A practice estate, in which people have left.
fn practised() -> Desk {
    let desk = Desk::new();
    let folder = desk.room.path("practice").display().to_string();
    desk.expect(0, &["demo", "--dir", &folder]);
    desk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_leavers_are_listed_worst_first_and_shown_by_time() {
    let desk = practised();
    let window = window_on(&desk).await;
    go_to(&window, "#/leavers").await;
    window
        .wait_for("[data-test=\"area-leavers\"][data-ready]")
        .await;
    let told = content_where(&window, "answer", |text| text.contains("cannot be decided")).await;
    assert!(told.contains("kept"), "{told}");
    window.wait_for("[role=grid] [data-index]").await;
    look(&window, "110-leavers").await;
    accessible(&window, "past leavers").await;

    // What is counted opens the list of it.
    window.click("state-still-open").await;
    content_where(&window, "amount", |text| text.contains("of")).await;
    window
        .script("document.querySelector('[role=grid] [data-index]')?.click();")
        .await;
    window.part("thing-why").await;
    look(&window, "111-one-thing").await;
    window.click("to-timeline").await;
    window
        .wait_for("[data-test=\"area-leavers-one\"][data-ready]")
        .await;
    window.part("legend").await;
    look(&window, "112-one-leaver").await;
    accessible(&window, "one leaver by time").await;
    window.click("twin").await;
    look(&window, "113-one-leaver-as-table").await;
    accessible(&window, "one leaver as a table").await;

    go_to(&window, "#/leavers/shares").await;
    window.part("times").await;
    look(&window, "114-shares").await;
    accessible(&window, "shares").await;

    // Movers are measured by the access policy: without one that is said, with one they are listed.
    go_to(&window, "#/leavers?of=movers").await;
    content_where(&window, "failed", |text| text.contains("No access policy")).await;
    let policy = "@id(\"nobody\")\nforbid (principal, action == Action::\"hold\", resource);\n";
    let policy = desk.write("policy.cedar", policy);
    desk.expect(0, &["policy", "load", &policy]);
    window.click("leavers-again").await;
    let told = content_where(&window, "answer", |text| text.contains("movers")).await;
    assert!(told.contains("may no longer hold"), "{told}");
    let period = content_where(&window, "period-said", |text| !text.is_empty()).await;
    assert_eq!(period, "whenever they moved");
    look(&window, "115-movers").await;
    accessible(&window, "past movers").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_announced_is_watched_by_the_open_window() {
    let desk = Desk::linked();
    desk.nothing_else("ad");
    desk.expect(0, &["sync"]);
    let plan = desk.write("plan.toml", "[[limit]]\non = \"leaver\"\nwithin = \"1h\"\n");
    desk.expect(0, &["plan", "load", &plan]);
    let told_desktop = Notifications::listen(&desk);
    let window = window_on(&desk).await;
    go_to(&window, "#/leavers/watch").await;
    window.part("first-use").await;
    look(&window, "115-nobody-watched").await;
    accessible(&window, "nobody is watched").await;

    // Announced elsewhere, two hours ago: the window reads by itself, and finds the account open.
    let ago = chrono::Utc::now() - chrono::TimeDelta::hours(2);
    let ago = ago.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    desk.expect(0, &["watch", "start", "--identity", "u1", "--at", &ago]);
    let told = content_where(&window, "answer", |text| text.contains("1")).await;
    assert!(!told.is_empty());
    content_where(&window, "answer", |text| {
        text.contains("overdue") && !text.contains("none overdue")
    })
    .await;
    told_desktop
        .wait_for("Access is open beyond its limit: ")
        .await;
    look(&window, "116-overdue").await;
    accessible(&window, "somebody is overdue").await;

    // Announced only here: no source tells of it, and there is a time line all the same.
    window
        .script("document.querySelector('[role=grid] [data-index]')?.click();")
        .await;
    window.click("watch-timeline").await;
    window
        .wait_for("[data-test=\"area-leavers-one\"][data-ready]")
        .await;
    window.part("legend").await;
    look(&window, "118-announced-by-time").await;
    accessible(&window, "somebody announced, by time").await;

    go_to(&window, "#/leavers/probes").await;
    window.part("first-use").await;
    look(&window, "117-no-probes").await;
    accessible(&window, "no probes").await;
}
