//! One process writes at a time: an advisory lock beside the store.
//!
//! The operating system lets go of the lock when its process ends, however it ends.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a writer waits for another process.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(50);

/// The lock of one store; writers of one process share it.
#[derive(Debug)]
pub(super) struct Lease {
    lock_file: PathBuf,
    /// Who holds the lock, in a file of its own: a locked file cannot be read everywhere.
    pid_file: PathBuf,
    current: Mutex<Weak<HeldLease>>,
}

/// While one of these lives, no other process writes.
#[derive(Debug)]
pub(super) struct HeldLease {
    file: File,
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        // Closing the file lets go as well; a failure here changes nothing.
        let _ = self.file.unlock();
    }
}

impl Lease {
    pub(super) fn beside(store: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = store.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            lock_file: beside(".lock"),
            pid_file: beside(".writer"),
            current: Mutex::new(Weak::new()),
        }
    }

    /// The lease, after waiting up to `patience`; else an error that names the other process.
    pub(super) async fn take(&self, patience: Duration) -> Result<Arc<HeldLease>, StoreError> {
        let mut current = self.current.lock().await;
        if let Some(held) = current.upgrade() {
            return Ok(held);
        }
        let deadline = tokio::time::Instant::now() + patience;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock_file)
            .map_err(|e| StoreError::File(format!("`{}`: {e}", self.lock_file.display())))?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    if tokio::time::Instant::now() >= deadline {
                        return Err(StoreError::Busy(self.holder()));
                    }
                    tokio::time::sleep(STEP).await;
                }
                Err(TryLockError::Error(e)) => {
                    return Err(StoreError::File(format!(
                        "`{}`: {e}",
                        self.lock_file.display()
                    )));
                }
            }
        }
        // The pid only makes the other's message clearer: not being able to write it is no failure.
        if let Ok(mut pid) = File::create(&self.pid_file) {
            let _ = write!(pid, "{}", std::process::id());
        }
        let held = Arc::new(HeldLease { file });
        *current = Arc::downgrade(&held);
        Ok(held)
    }

    fn holder(&self) -> Option<u32> {
        std::fs::read_to_string(&self.pid_file)
            .ok()
            .and_then(|text| text.trim().parse().ok())
    }
}
