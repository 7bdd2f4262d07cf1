//! Which entitlements lead to something privileged.

use super::super::StoreError;
use super::super::blocks::{self, Block, Columns, Which};
use lastkey_contract::Kind;
use lastkey_contract::facts::Entitlement;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// What is known of every entitlement, by the number of its name.
#[derive(Default)]
pub(super) struct Entitlements {
    pub privileged: HashMap<i64, Option<bool>>,
    /// What people call it, where that is not its id.
    pub called: HashMap<i64, String>,
    /// Those that hold others.
    pub leading: HashSet<i64>,
    /// What each that holds others was ever told to hold.
    holds: HashMap<i64, Vec<i64>>,
    /// From and until which syncs somebody held one whom no source ever listed: perhaps an account that
    /// is hidden, and whose membership is told all the same.
    pub by_unlisted: HashMap<i64, Vec<(i64, Option<i64>)>>,
}

impl Entitlements {
    /// Whether one, or anything that it was ever told to lead to, is among these.
    pub fn leads_to(&self, from: i64, any_of: &HashSet<i64>) -> bool {
        let mut seen = HashSet::from([from]);
        let mut waiting = vec![from];
        while let Some(one) = waiting.pop() {
            if any_of.contains(&one) {
                return true;
            }
            let next = self.holds.get(&one).into_iter().flatten();
            waiting.extend(next.copied().filter(|held| seen.insert(*held)));
        }
        false
    }
}

/// True if any of them is, else unknown if any is, else false.
pub(super) fn together(flags: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(false);
    for flag in flags {
        match flag {
            Some(true) => return Some(true),
            None => all = None,
            Some(false) => {}
        }
    }
    all
}

/// Every entitlement, with the flag of whatever it was ever seen to lead to; of one that nobody lists
/// nothing is known.
pub(super) async fn entitlements(
    connection: &mut SqliteConnection,
) -> Result<Entitlements, StoreError> {
    let mut flags: HashMap<i64, Option<bool>> = HashMap::new();
    let mut called: HashMap<i64, String> = HashMap::new();
    let ever = Which::ever(Kind::Entitlement);
    blocks::each(&mut *connection, &ever, Columns::Named, |block| {
        block.places().try_for_each(|place| {
            let fact: Entitlement = serde_json::from_str(block.fact(place)?)?;
            if let Some(name) = fact.name.filter(|name| *name != fact.id.as_str()) {
                called.insert(block.key(place)?, name);
            }
            let flag = flags.entry(block.key(place)?).or_insert(fact.privileged);
            *flag = together([*flag, fact.privileged]);
            Ok(())
        })
    })
    .await?;
    let mut accounts: Vec<i64> = Vec::new();
    let listed = Which::ever(Kind::Account);
    blocks::each(&mut *connection, &listed, Columns::Keys, |block| {
        accounts.extend(block.places().filter_map(|place| block.keys.get(place)));
        Ok(())
    })
    .await?;
    accounts.sort_unstable();
    accounts.dedup();
    let mut by_unlisted: HashMap<i64, Vec<(i64, Option<i64>)>> = HashMap::new();
    let mut holds: HashMap<i64, Vec<i64>> = HashMap::new();
    // From what holds to what is held, turned round.
    let mut holders: HashMap<i64, Vec<i64>> = HashMap::new();
    let grants = Which::ever(Kind::Grant);
    blocks::each(connection, &grants, Columns::References, |block| {
        for place in block.places() {
            let from = Block::reference(&block.froms, place);
            let (Some(from), Some(to)) = (from, Block::reference(&block.tos, place)) else {
                continue;
            };
            if flags.contains_key(&from) {
                holders.entry(to).or_default().push(from);
                holds.entry(from).or_default().push(to);
            } else if accounts.binary_search(&from).is_err() {
                holds.entry(from).or_default().push(to);
                let held = (block.first_sync, block.ended_sync(place));
                by_unlisted.entry(to).or_default().push(held);
            }
        }
        Ok(())
    })
    .await?;
    let leading = holders.values().flatten().copied().collect();
    for flag in [None, Some(true)] {
        let begin = flags.iter().filter(|(_, own)| **own == flag);
        let mut waiting: Vec<i64> = begin.map(|(key, _)| *key).collect();
        if flag.is_none() {
            let unlisted = holders.keys().filter(|key| !flags.contains_key(*key));
            waiting.extend(unlisted.copied());
        }
        let mut seen: HashSet<i64> = waiting.iter().copied().collect();
        while let Some(held) = waiting.pop() {
            for holder in holders.get(&held).into_iter().flatten() {
                if seen.insert(*holder) {
                    if let Some(own) = flags.get_mut(holder) {
                        *own = together([*own, flag]);
                    }
                    waiting.push(*holder);
                }
            }
        }
    }
    Ok(Entitlements {
        privileged: flags,
        called,
        leading,
        holds,
        by_unlisted,
    })
}
