//! The desk: the open store, what is running on it, and how to stop that.

use lastkey_engine::views::{FailureView, SourceRow, SyncProgress, SyncReport};
use lastkey_workbench::{
    Failure, KeySource, OpenOptions, Passphrase, Stop, SyncHow, WhenMissing, Workbench, prove_key,
    recover,
};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tauri::ipc::Channel;
use zeroize::Zeroizing;

/// What the commands work on. One per window.
pub struct Desk {
    store_path: PathBuf,
    key_source: Mutex<KeySource>,
    open: tokio::sync::Mutex<Open>,
    reading: Mutex<HashMap<String, Stop>>,
    /// The trial sign-in under way, or the latest one.
    trial: Latest,
    /// The same of everyone's rehearsal in short.
    survey: Latest,
    /// The same of past leavers being measured.
    measuring: Latest,
    /// The same of the read for whoever is watched.
    watch: Latest,
    app: tauri::AppHandle,
}

#[derive(Default)]
struct Open {
    workbench: Option<Arc<Workbench>>,
    recovery_key: Option<Zeroizing<String>>,
    locked: bool,
    /// The store of before the lock, for as long as a read goes on behind it.
    behind: Weak<Workbench>,
}

impl Desk {
    /// A desk whose store is opened by the first command that needs it.
    pub fn new(app: tauri::AppHandle, store_path: PathBuf, key_source: KeySource) -> Self {
        Self {
            store_path,
            key_source: Mutex::new(key_source),
            open: tokio::sync::Mutex::default(),
            reading: Mutex::default(),
            trial: Latest::default(),
            survey: Latest::default(),
            measuring: Latest::default(),
            watch: Latest::default(),
            app,
        }
    }

    /// The open store; opened, or made, if it is not yet. Refused while the window is locked.
    pub async fn workbench(&self) -> Result<Arc<Workbench>, FailureView> {
        let mut open = self.open.lock().await;
        if open.locked {
            return Err(self.is_locked());
        }
        self.opened(&mut open).await
    }

    /// The store where it is open and the window is not locked; opens nothing.
    pub async fn open_workbench(&self) -> Option<Arc<Workbench>> {
        let open = self.open.lock().await;
        open.workbench.clone().filter(|_| !open.locked)
    }

    async fn opened(&self, open: &mut Open) -> Result<Arc<Workbench>, FailureView> {
        if let Some(workbench) = &open.workbench {
            return Ok(workbench.clone());
        }
        let options = self.options();
        if let Some(workbench) = open.behind.upgrade() {
            // Its read still goes on; whoever comes back must show the key all the same.
            prove_key(&options)?;
            open.workbench = Some(workbench.clone());
            return Ok(workbench);
        }
        let opened = Workbench::open(&options).await?;
        let workbench = Arc::new(opened.workbench);
        open.workbench = Some(workbench.clone());
        open.recovery_key = opened.recovery_key;
        Ok(workbench)
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            store_path: self.store_path.clone(),
            key_source: self.source().clone(),
            when_missing: WhenMissing::Create,
        }
    }

    fn source(&self) -> std::sync::MutexGuard<'_, KeySource> {
        self.key_source
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_locked(&self) -> FailureView {
        let needs_passphrase = matches!(*self.source(), KeySource::KeychainAndPassphrase(_));
        FailureView {
            kind: "key".to_owned(),
            message: "the window is locked".to_owned(),
            hint: None,
            state: Some(
                if needs_passphrase {
                    "locked_passphrase"
                } else {
                    "locked"
                }
                .to_owned(),
            ),
        }
    }

    /// Unlocks, or tries again, with another key file or a passphrase where one is given.
    pub async fn open(
        &self,
        key_file: Option<String>,
        passphrase: Option<String>,
    ) -> Result<(), FailureView> {
        let passphrase = passphrase.filter(|text| !text.is_empty());
        if let Some(path) = key_file.filter(|path| !path.is_empty()) {
            *self.source() = KeySource::KeyFile(PathBuf::from(path));
        } else if let Some(text) = passphrase {
            *self.source() = KeySource::KeychainAndPassphrase(Passphrase::new(text));
        }
        let mut open = self.open.lock().await;
        let opened = self.opened(&mut open).await;
        if opened.is_ok() {
            open.locked = false;
        }
        opened.map(|_| ())
    }

    /// Opens with the recovery key and keeps the key again: behind the passphrase where one is
    /// given, else in the keychain.
    pub async fn recover(
        &self,
        recovery_key: String,
        passphrase: Option<String>,
    ) -> Result<(), FailureView> {
        let mut open = self.open.lock().await;
        let keep_in = match passphrase.filter(|text| !text.is_empty()) {
            Some(text) => KeySource::KeychainAndPassphrase(Passphrase::new(text)),
            None => KeySource::Keychain,
        };
        let options = OpenOptions {
            key_source: keep_in.clone(),
            ..self.options()
        };
        let recovery = KeySource::RecoveryKey(Passphrase::new(recovery_key));
        recover(&options, &recovery).await?;
        *self.source() = keep_in;
        self.opened(&mut open).await?;
        open.locked = false;
        Ok(())
    }

    /// Locks: nothing is answered any more, what is remembered of the store is dropped, and the
    /// store is closed. A read that is going on is not broken off: it ends behind the lock, and
    /// the store closes after it (docs/decisions/lock-and-keys.md).
    pub async fn lock(&self) {
        let mut open = self.open.lock().await;
        open.locked = true;
        open.recovery_key = None;
        // The passphrase is asked for again; which kind of lock it is stays known.
        let mut source = self.source();
        if let KeySource::KeychainAndPassphrase(passphrase) = &mut *source {
            *passphrase = Passphrase::new(String::new());
        }
        drop(source);
        self.new_watch();
        let Some(workbench) = open.workbench.take() else {
            return;
        };
        open.behind = Arc::downgrade(&workbench);
        tauri::async_runtime::spawn(close_after_last_use(workbench));
    }

    /// How many sources are still being read.
    pub fn reading(&self) -> u32 {
        u32::try_from(self.running().len()).unwrap_or(u32::MAX)
    }

    /// Stops what is being read and closes the store, before the process ends under it.
    pub async fn close(&self) {
        self.stop("");
        self.new_watch();
        let workbench = self.open.lock().await.workbench.take();
        if let Some(workbench) = workbench {
            workbench.closing().close().await;
        }
    }

    /// The recovery key of a new store: given out once.
    pub async fn take_recovery_key(&self) -> Option<String> {
        let mut open = self.open.lock().await;
        if open.locked {
            return None;
        }
        let key = open.recovery_key.take();
        key.map(|key| key.to_string())
    }

    /// Reads sources, several at once; each can be stopped by name.
    pub async fn sync(
        &self,
        names: Vec<String>,
        how: SyncHow,
        on_progress: Channel<SyncProgress>,
    ) -> Result<Vec<SyncReport>, FailureView> {
        let workbench = self.workbench().await?;
        let names = if names.is_empty() {
            let rows = workbench.sources().await?;
            rows.into_iter().map(|row| row.name).collect()
        } else {
            names
        };
        let stops = self.announce(&names)?;
        let tell = move |progress: SyncProgress| {
            let _gone = on_progress.send(progress);
        };
        let outcomes = workbench
            .sync_many(&stops, how, &tell, &|name| {
                self.running().remove(name);
            })
            .await;
        // Also where nothing was read, because one of the names is not known.
        for (name, _) in &stops {
            self.running().remove(name);
        }
        // Nobody waits for these; a list that is opened meanwhile waits for what is left of it. What
        // comes of assertions is kept, and a failure of theirs is there to see when they run by hand.
        tauri::async_runtime::spawn(async move {
            let _lists = workbench.ready_lists().await;
            let _assertions = workbench.assert_after_sync(&Stop::default()).await;
            let _everyone = workbench.rehearse_after_sync(&Stop::default()).await;
        });
        let mut reports = Vec::new();
        let mut failure = None;
        for outcome in outcomes? {
            match outcome.result {
                Ok(report) => reports.push(report),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(failure) => Err(failure.into()),
            None => Ok(reports),
        }
    }

    /// Stops reading a source; an empty name stops all.
    pub fn stop(&self, name: &str) {
        for (reading, stop) in self.running().iter() {
            if name.is_empty() || name == reading {
                stop.stop();
            }
        }
    }

    /// Says of each row whether it is being read now.
    pub fn mark_reading(&self, rows: &mut [SourceRow]) {
        let running = self.running();
        for row in rows {
            if running.contains_key(&row.name) {
                row.state = "reading".to_owned();
            }
        }
    }

    /// Stops the trial sign-in under way, and gives out the way to stop the next.
    pub fn new_trial(&self) -> Stop {
        self.trial.next()
    }

    /// The same of everyone's rehearsal in short: who asks anew waits no more for the answer before.
    pub fn new_survey(&self) -> Stop {
        self.survey.next()
    }

    /// The same of past leavers being measured.
    pub fn new_measuring(&self) -> Stop {
        self.measuring.next()
    }

    /// The same of the read for whoever is watched.
    pub fn new_watch(&self) -> Stop {
        self.watch.next()
    }

    /// Lets the person choose a folder; nothing if they cancel.
    pub async fn pick_folder(&self, title: String) -> Option<String> {
        use tauri_plugin_dialog::DialogExt;
        let (send, receive) = tokio::sync::oneshot::channel();
        let dialog = self.app.dialog().file().set_title(title);
        dialog.pick_folder(move |path| {
            let _gone = send.send(path.map(|path| path.to_string()));
        });
        receive.await.ok().flatten()
    }

    /// Lets the person choose a file; nothing if they cancel.
    pub async fn pick_file(
        &self,
        save: bool,
        title: String,
        name: Option<String>,
    ) -> Option<String> {
        use tauri_plugin_dialog::DialogExt;
        let (send, receive) = tokio::sync::oneshot::channel();
        let mut dialog = self.app.dialog().file().set_title(title);
        if let Some(name) = name {
            dialog = dialog.set_file_name(name);
        }
        let chosen = move |path: Option<tauri_plugin_dialog::FilePath>| {
            let _gone = send.send(path.map(|path| path.to_string()));
        };
        if save {
            dialog.save_file(chosen);
        } else {
            dialog.pick_file(chosen);
        }
        receive.await.ok().flatten()
    }

    fn announce(&self, names: &[String]) -> Result<Vec<(String, Stop)>, FailureView> {
        let mut running = self.running();
        if let Some(name) = names.iter().find(|name| running.contains_key(*name)) {
            return Err(
                Failure::not_possible(format!("`{name}` is being read already"))
                    .hint("wait for it, or stop it")
                    .into(),
            );
        }
        let stops: Vec<_> = names
            .iter()
            .map(|name| (name.clone(), Stop::default()))
            .collect();
        running.extend(stops.iter().cloned());
        Ok(stops)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, Stop>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something of which only the latest is wanted.
#[derive(Default)]
struct Latest(Mutex<Stop>);

impl Latest {
    /// Stops the one under way, and gives out the way to stop the next.
    fn next(&self) -> Stop {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.stop();
        *latest = Stop::default();
        latest.clone()
    }
}

/// Closes a store that nobody looks at any more, once the last command on it has ended. The
/// window may have come back to it meanwhile: then it is in use again.
async fn close_after_last_use(workbench: Arc<Workbench>) {
    workbench.forget().await;
    let mut shared = workbench;
    loop {
        match Arc::try_unwrap(shared) {
            Ok(workbench) => {
                let closing = workbench.closing();
                // Keys and everything remembered are wiped before the connections end.
                drop(workbench);
                return closing.close().await;
            }
            Err(used) => shared = used,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
