//! While the window is open: whoever is watched is read when a read is due, and the desktop is told of
//! what is open beyond its limit.

use crate::desk::Desk;
use lastkey_workbench::WatchChange;
use std::time::Duration;
use tauri::Manager;

/// How often a due read is looked for.
const A_LOOK: Duration = Duration::from_secs(10);

/// Goes on as long as the window is there. A locked window reads nothing.
pub async fn watch_on(app: tauri::AppHandle) {
    loop {
        tokio::time::sleep(A_LOOK).await;
        let desk = app.state::<Desk>();
        let Some(workbench) = desk.open_workbench().await else {
            continue;
        };
        if !matches!(workbench.is_watch_due().await, Ok(true)) {
            continue;
        }
        let stop = desk.new_watch();
        // What fails is due as before, and stands among the reads of its source.
        let Ok(changes) = workbench.read_watches(None, &|_| {}, &stop).await else {
            continue;
        };
        for change in changes.iter().filter(|change| change.became_overdue()) {
            let (title, body) = told(change);
            // A desktop that takes no notifications is told in the window.
            let _no_desktop = tokio::task::spawn_blocking(move || {
                notify_rust::Notification::new()
                    .appname("Lastkey")
                    .summary(&title)
                    .body(&body)
                    .show()
            })
            .await;
        }
    }
}

/// Title and text of a notification.
fn told(change: &WatchChange) -> (String, String) {
    let now = &change.now;
    let who = now.name.as_deref().unwrap_or(&now.identity);
    (
        format!("Access is open beyond its limit: {who}"),
        now.why.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_workbench::WatchView;

    #[test]
    fn a_notification_names_who_and_what() {
        let now = WatchView {
            id: 1,
            identity: "hr:u1".to_owned(),
            name: Some("Ann Smith".to_owned()),
            event: "leaver".to_owned(),
            at: String::new(),
            said_by: String::new(),
            started: String::new(),
            state: "overdue".to_owned(),
            next_read: None,
            last_read: None,
            open: 1,
            things: 2,
            verdict: None,
            why: "account ad:ann: open for more than 25 h".to_owned(),
        };
        let before = "running".to_owned();
        let change = WatchChange { before, now };
        assert!(change.became_overdue());
        let (title, body) = told(&change);
        assert_eq!(title, "Access is open beyond its limit: Ann Smith");
        assert_eq!(body, "account ad:ann: open for more than 25 h");
    }
}
