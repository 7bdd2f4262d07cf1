//! Decisions that gave somebody an account when they left, and that were undone or replaced since.

use super::super::StoreError;
use super::super::decisions::{AccountName, Decision, RecordName, ever_of_accounts};
use super::super::moments::moment;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// An account that was somebody's by a decision, and until when.
pub(super) struct WasGiven {
    pub to: RecordName,
    from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// Who undid or replaced it.
    pub who: String,
}

/// When a decision was taken, its number, who took it, and whose it made the account.
type Taken = (DateTime<Utc>, i64, String, Option<RecordName>);

impl WasGiven {
    pub fn held_at(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// By account, what it was by decisions that are in force no more.
pub(super) async fn earlier_decisions(
    connection: &mut SqliteConnection,
) -> Result<HashMap<AccountName, Vec<WasGiven>>, StoreError> {
    let rows = ever_of_accounts(connection).await?;
    let mut undone: HashMap<i64, (DateTime<Utc>, String)> = HashMap::new();
    for row in &rows {
        if let Some(of) = row.undoes {
            undone.insert(of, (moment(&row.at)?, row.who.clone()));
        }
    }
    let mut of_accounts: HashMap<AccountName, Vec<Taken>> = HashMap::new();
    for row in rows.iter().filter(|row| row.undoes.is_none()) {
        let (account, to) = match row.decision() {
            Some(Decision::Of(account, record)) => (account, Some(record)),
            Some(Decision::Nobodys(account)) => (account, None),
            Some(Decision::Same(..) | Decision::Apart(..)) | None => continue,
        };
        let taken = (moment(&row.at)?, row.id, row.who.clone(), to);
        of_accounts.entry(account).or_default().push(taken);
    }
    let mut given: HashMap<AccountName, Vec<WasGiven>> = HashMap::new();
    for (account, all) in of_accounts {
        for (place, (from, number, _, to)) in all.iter().enumerate() {
            let Some(to) = to else { continue };
            let replaced = all.get(place + 1).map(|(at, _, who, _)| (*at, who.clone()));
            let end = [undone.get(number).cloned(), replaced];
            let Some((until, who)) = end.into_iter().flatten().min_by_key(|(at, _)| *at) else {
                continue;
            };
            given.entry(account.clone()).or_default().push(WasGiven {
                to: to.clone(),
                from: *from,
                until,
                who,
            });
        }
    }
    Ok(given)
}
