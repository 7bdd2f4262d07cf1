//! Accounts and whose they are, with the rule, how sure it is, and how that is known.

use super::LinkLine;
use super::links::line;
use crate::lifecycle::Basis;
use crate::store::{LinkedAccount, Store, StoreError, SyncId, WhichLinks};
use serde::Serialize;

/// An account in a list of whose accounts are whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkedLine {
    #[serde(flatten)]
    pub line: LinkLine,
    /// How sure the rule is; none where somebody decided, or no rule leads to anybody.
    pub confidence: Option<String>,
    pub basis: Option<Basis>,
}

/// How many are read at once.
const WINDOW: u32 = 1_000;

fn told(linked: &LinkedAccount) -> LinkedLine {
    LinkedLine {
        line: line(linked),
        confidence: linked.confidence.map(|sure| sure.word().to_owned()),
        basis: linked.basis,
    }
}

/// Hands over accounts and how they stand, now or after a sync, in the order in which they were
/// stored.
pub async fn each_linked<E: From<StoreError>>(
    store: &Store,
    which: &WhichLinks,
    as_of: Option<SyncId>,
    mut each: impl FnMut(LinkedLine) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(sync) = as_of {
        return store
            .each_link_then(sync, which, |linked| each(told(&linked)))
            .await;
    }
    let mut after = 0;
    loop {
        let (window, next) = store.links_after(which, after, WINDOW).await?;
        window.iter().try_for_each(|linked| each(told(linked)))?;
        match next {
            Some(row) => after = row,
            None => return Ok(()),
        }
    }
}
