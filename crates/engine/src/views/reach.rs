//! What a page shows of a blast radius: its first items, and the accounts that could be somebody's
//! as well as another's, whose reach is not among them.

use crate::access::{Gone, Reach, ReachItem};
use serde::Serialize;
use ts_rs::TS;

/// How many lines a list of the page shows; its count is of all.
const SHOWN: usize = 200;

/// A blast radius on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ReachView {
    /// Of somebody whom no source lists now: who that was, and since when.
    pub gone: Option<Gone>,
    /// The first accounts (`system:id`) that could be theirs as well as another's.
    pub maybe_accounts: Vec<String>,
    pub maybe_count: u64,
    /// The first sentences of what else could be theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub in_doubt: Vec<String>,
    /// The first sentences of what was not read and could hold more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub unread: Vec<String>,
    /// The first items, without what those accounts reach.
    pub items: Vec<ReachItem>,
    pub item_count: u64,
}

impl From<Reach> for ReachView {
    fn from(reach: Reach) -> ReachView {
        let Reach {
            from: _,
            at: _,
            gone,
            mut maybe_accounts,
            mut in_doubt,
            mut unread,
            mut items,
        } = reach;
        let count = |length: usize| length.try_into().unwrap_or(u64::MAX);
        let (maybe_count, item_count) = (count(maybe_accounts.len()), count(items.len()));
        maybe_accounts.truncate(SHOWN);
        in_doubt.truncate(SHOWN);
        unread.truncate(SHOWN);
        items.truncate(SHOWN);
        ReachView {
            gone,
            maybe_accounts,
            maybe_count,
            in_doubt,
            unread,
            items,
            item_count,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_cut_is_counted_whole() {
        let all: Vec<String> = (0..SHOWN + 3).map(|n| format!("corp:{n}")).collect();
        let view = ReachView::from(Reach {
            from: "identity p1".to_owned(),
            at: "2026-06-01T00:00:00Z".parse().unwrap(),
            gone: None,
            maybe_accounts: all,
            in_doubt: Vec::new(),
            unread: Vec::new(),
            items: Vec::new(),
        });
        assert_eq!(view.maybe_accounts.len(), SHOWN);
        assert_eq!(view.maybe_count, 203);
        assert_eq!(view.item_count, 0);
    }
}
