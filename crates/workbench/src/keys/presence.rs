//! Who has a store open: everyone who does shares a lock beside it, and who changes its keys or
//! puts another file in its place has it alone.
//!
//! The operating system lets go of the lock when its process ends, however it ends.

use super::whole_file::beside;
use crate::failure::Failure;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long one waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(50);

/// While it lives, the store's keys stay as they are, or nobody else has the store open.
#[derive(Debug)]
pub(crate) struct Presence {
    _file: File,
}

/// With others, or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Shared,
    Alone,
}

impl Presence {
    /// Joins the others, or waits a little until there are none; else one sentence.
    pub(crate) async fn take(store_path: &Path, company: Company) -> Result<Presence, Failure> {
        let path = beside(store_path, ".open");
        let failed = |error: std::io::Error| {
            let failure =
                Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()));
            match error.kind() {
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => failure.hint(
                    "even to be looked at a store has to be where you can write: copy it with all \
                     files of its name to such a folder",
                ),
                _ => failure,
            }
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let begun = Instant::now();
        loop {
            let tried = match company {
                Company::Shared => file.try_lock_shared(),
                Company::Alone => file.try_lock(),
            };
            match tried {
                Ok(()) => return Ok(Presence { _file: file }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(STEP).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(match company {
                        Company::Shared => Failure::not_possible(
                            "another program is changing the keys of the store",
                        )
                        .hint("wait until it has finished, and try again"),
                        Company::Alone => Failure::not_possible(
                            "another program has the store open",
                        )
                        .hint("close or lock the window, wait for syncs to end, and try again"),
                    }
                    .state("store_busy"));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}
