//! The open workbench: a store with its keys, and what is remembered of its latest snapshot.

use crate::failure::{Failure, FailureKind};
use crate::keys::{Company, KeySource, Keys, Presence, SecretBox, Settled, settle, sidecar_path};
use crate::making::{self, Making};
use crate::operator::operator;
use crate::then::Then;
use chrono::{DateTime, Utc};
use lastkey_engine::store::{Store, StoreError, StoreKey};
use lastkey_engine::views::{self, PlanView, Status};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// Whether a missing store is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMissing {
    Create,
    Refuse,
}

/// How to open.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub store_path: PathBuf,
    pub key_source: KeySource,
    pub when_missing: WhenMissing,
}

/// An open workbench, and the recovery key if the store was made just now.
pub struct Opened {
    pub workbench: Workbench,
    pub recovery_key: Option<Zeroizing<String>>,
    /// What was done on the way that the person should know.
    pub notice: Option<String>,
}

/// Lets go of a store once its last use is over.
pub struct Closing(Store, Arc<Presence>);

impl Closing {
    /// Waits until every connection is closed. A process that ends while one is open can crash
    /// on its way out: the cryptography library is taken down under a thread that still uses it.
    pub async fn close(self) {
        let Closing(store, presence) = self;
        store.close().await;
        drop(presence);
    }
}

/// The use cases, on one open store.
pub struct Workbench {
    pub(crate) store: Store,
    pub(crate) secrets: SecretBox,
    pub(crate) keys: Keys,
    presence: Arc<Presence>,
    practice_date: Mutex<Option<DateTime<Utc>>>,
    /// The earlier state that is looked at, where it is not the latest.
    pub(crate) then: Option<Then>,
    /// The graph and the names of the latest state of the store.
    pub(crate) latest: tokio::sync::Mutex<Option<crate::rehearsals::Latest>>,
    pub(crate) everyone: tokio::sync::Mutex<Option<crate::everyone::Remembered>>,
    pub(crate) changes: tokio::sync::Mutex<Option<crate::changes::Changes>>,
    pub(crate) located: tokio::sync::Mutex<Option<crate::secrets::Located>>,
    pub(crate) leavers:
        tokio::sync::Mutex<Option<std::sync::Arc<crate::leavers_window::MeasuredPast>>>,
}

impl Workbench {
    /// For whoever ends the process after this workbench.
    pub fn closing(&self) -> Closing {
        Closing(self.store.clone(), self.presence.clone())
    }

    /// Opens the store, or makes it where that is wanted. Where something fails, nothing is left behind.
    pub async fn open(options: &OpenOptions) -> Result<Opened, Failure> {
        let path = absolute(&options.store_path)?;
        if path.to_str().is_none() {
            return Err(Failure::bad_input(format!(
                "the path `{}` of the store is not text (UTF-8)",
                path.display()
            ))
            .hint("give another with --store PATH"));
        }
        if path.is_dir() {
            return Err(StoreError::Folder(path).into());
        }
        making::clear_unfinished(&path)?;
        let there = path.exists();
        if !there && sidecar_path(&path).exists() {
            return Err(Failure::key(format!(
                "the store `{}` is gone, but its file of keys is still there",
                path.display()
            ))
            .hint("restore the store from a backup, or move the .keys file away to begin anew")
            .state("store_gone"));
        }
        match (there, options.when_missing) {
            (true, _) => Self::open_existing(&path, &options.key_source).await,
            (false, WhenMissing::Create) => Self::create(&path, &options.key_source).await,
            (false, WhenMissing::Refuse) => Err(Failure::not_possible(format!(
                "there is no store at `{}`",
                path.display()
            ))
            .hint("make one with `lastkey demo`, `lastkey import` or `lastkey source add`")),
        }
    }

    async fn open_existing(path: &Path, source: &KeySource) -> Result<Opened, Failure> {
        let settled = settle(path, source).await?;
        let presence = Presence::take(path, Company::Shared).await?;
        let keys = Keys::open(path, source)?;
        let store = Store::open(path, &store_key(&keys)?, &operator(), Utc::now())
            .await
            .map_err(|error| known_key(error.into(), &keys))?;
        // A process must not end under an open connection, also where this fails.
        let open = store.clone();
        let assembled = Self::assembled(store, keys, presence, settled).await;
        let workbench = match assembled {
            Ok(workbench) => workbench,
            Err(failure) => {
                open.close().await;
                return Err(failure);
            }
        };
        Ok(Opened {
            workbench,
            recovery_key: None,
            notice: settled.map(|settled| Settled::sentence(settled).to_owned()),
        })
    }

    async fn assembled(
        store: Store,
        keys: Keys,
        presence: Presence,
        settled: Option<Settled>,
    ) -> Result<Workbench, Failure> {
        if let Some(settled) = settled {
            let payload = serde_json::json!({ "key": keys.key_id()? });
            store.log(settled.entry(), &payload, Utc::now()).await?;
        }
        let practice_date = store.practice_date().await?;
        Self::assemble(store, keys, presence, practice_date)
    }

    async fn create(path: &Path, source: &KeySource) -> Result<Opened, Failure> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::not_possible(format!("`{}` cannot be made: {error}", folder.display()))
            })?;
        }
        let making = Making::begin(path)?;
        let made = match Keys::create(path, source, Utc::now()) {
            Ok(made) => made,
            Err(failure) => {
                making.done();
                return Err(failure);
            }
        };
        let store = async {
            let presence = Presence::take(path, Company::Shared).await?;
            let key = store_key(&made.keys)?;
            let store = Store::create(path, &key, &operator(), Utc::now()).await?;
            Ok::<_, Failure>((store, presence))
        }
        .await;
        let (store, presence) = match store {
            Ok(made) => made,
            Err(failure) => {
                // What was begun goes first: keys without a store are known for what they are,
                // a store without its keys could never be opened.
                making.clear_store();
                made.keys.discard();
                making.done();
                return Err(failure);
            }
        };
        making.done();
        Ok(Opened {
            workbench: Self::assemble(store, made.keys, presence, None)?,
            recovery_key: Some(made.recovery_key),
            notice: None,
        })
    }

    fn assemble(
        store: Store,
        keys: Keys,
        presence: Presence,
        practice_date: Option<DateTime<Utc>>,
    ) -> Result<Workbench, Failure> {
        Ok(Workbench {
            store,
            secrets: keys.secrets()?,
            keys,
            presence: Arc::new(presence),
            practice_date: Mutex::new(practice_date),
            then: None,
            latest: tokio::sync::Mutex::default(),
            everyone: tokio::sync::Mutex::default(),
            changes: tokio::sync::Mutex::default(),
            located: tokio::sync::Mutex::default(),
            leavers: tokio::sync::Mutex::default(),
        })
    }

    /// Drops what is remembered of the latest snapshot: for a lock, after which nothing read
    /// may stay.
    pub async fn forget(&self) {
        *self.latest.lock().await = None;
        *self.everyone.lock().await = None;
        *self.changes.lock().await = None;
        *self.leavers.lock().await = None;
        *self.located.lock().await = None;
    }

    /// The moment that counts as now: the practice estate has a fixed date of its own, and so has
    /// an earlier state that is looked at.
    pub fn now(&self) -> DateTime<Utc> {
        let then = self.then.map(|then| then.at);
        then.or_else(|| self.practice_date())
            .unwrap_or_else(Utc::now)
    }

    pub(crate) fn practice_date(&self) -> Option<DateTime<Utc>> {
        *self
            .practice_date
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn set_practice_date(&self, at: DateTime<Utc>) {
        *self
            .practice_date
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(at);
    }

    /// What the frame shows on every screen.
    pub async fn status(&self) -> Result<Status, Failure> {
        let name = self
            .store
            .path()
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(views::status(
            &self.store,
            &views::StatusSetting {
                store_name: &name,
                key_kept_in: &self.keys.kept_in(),
                version: env!("CARGO_PKG_VERSION"),
                now: self.now(),
            },
        )
        .await?)
    }

    /// The active plan.
    pub(crate) async fn plan_view(&self) -> Result<Option<PlanView>, Failure> {
        Ok(self.status().await?.plan)
    }

    /// Checks the whole store: pages, totals, the chain of the log. What is wrong, one sentence each.
    pub async fn check_store(&self) -> Result<Vec<String>, Failure> {
        Ok(self.store.check().await?)
    }
}

pub(crate) fn store_key(keys: &Keys) -> Result<StoreKey, Failure> {
    Ok(StoreKey::new(*keys.store_key()?))
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::bad_input(format!("`{}` is not a path: {error}", path.display())))
}

/// A key that is known to be the store's own and does not open it: the store is damaged.
fn known_key(failure: Failure, keys: &Keys) -> Failure {
    if failure.state.as_deref() == Some("store_wrong_key") && keys.is_proved() {
        return Failure::key(
            "the key is the right one and does not open the store: its first page is damaged",
        )
        .hint("restore a backup with `lastkey store restore`; nothing was changed")
        .state("store_damaged");
    }
    failure
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let view = error.view();
        Failure {
            kind: FailureKind::of(&view),
            message: view.message,
            hint: view.hint,
            state: view.state,
        }
    }
}
