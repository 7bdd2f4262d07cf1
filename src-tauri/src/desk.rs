//! The desk: the open store, what is running on it, and how to stop that.

use lastkey_engine::views::{FailureView, SourceRow, SyncProgress, SyncReport};
use lastkey_workbench::{Failure, KeySource, OpenOptions, Stop, WhenMissing, Workbench};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tauri::ipc::Channel;

/// What the commands work on. One per window.
pub struct Desk {
    store_path: PathBuf,
    key_source: Mutex<KeySource>,
    open: tokio::sync::Mutex<Open>,
    reading: Mutex<HashMap<String, Stop>>,
    app: tauri::AppHandle,
}

#[derive(Default)]
struct Open {
    workbench: Option<Arc<Workbench>>,
    recovery_key: Option<String>,
}

impl Desk {
    /// A desk whose store is opened by the first command that needs it.
    pub fn new(app: tauri::AppHandle, store_path: PathBuf, key_source: KeySource) -> Self {
        Self {
            store_path,
            key_source: Mutex::new(key_source),
            open: tokio::sync::Mutex::default(),
            reading: Mutex::default(),
            app,
        }
    }

    /// The open store; opened, or made, if it is not yet.
    pub async fn workbench(&self) -> Result<Arc<Workbench>, FailureView> {
        let mut open = self.open.lock().await;
        if let Some(workbench) = &open.workbench {
            return Ok(workbench.clone());
        }
        let key_source = self
            .key_source
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let opened = Workbench::open(&OpenOptions {
            store_path: self.store_path.clone(),
            key_source,
            when_missing: WhenMissing::Create,
        })
        .await?;
        let workbench = Arc::new(opened.workbench);
        open.workbench = Some(workbench.clone());
        open.recovery_key = opened.recovery_key.map(|key| key.to_string());
        Ok(workbench)
    }

    /// Tries again, with another key file where one is given.
    pub async fn open(&self, key_file: Option<String>) -> Result<(), FailureView> {
        if let Some(path) = key_file.filter(|path| !path.is_empty()) {
            *self
                .key_source
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = KeySource::KeyFile(PathBuf::from(path));
        }
        self.workbench().await.map(|_| ())
    }

    /// Stops what is being read and closes the store, before the process ends under it.
    pub async fn close(&self) {
        self.stop("");
        let workbench = self.open.lock().await.workbench.take();
        if let Some(workbench) = workbench {
            workbench.closing().close().await;
        }
    }

    /// The recovery key of a new store: given out once.
    pub async fn take_recovery_key(&self) -> Option<String> {
        self.open.lock().await.recovery_key.take()
    }

    /// Reads sources one after the other; each can be stopped by name.
    pub async fn sync(
        &self,
        names: Vec<String>,
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
        let mut reports = Vec::new();
        let mut failure = None;
        for (name, stop) in &stops {
            match workbench.sync(name, &tell, stop).await {
                Ok(mut read) => reports.append(&mut read),
                Err(error) => failure = failure.or(Some(error)),
            }
            self.running().remove(name);
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
