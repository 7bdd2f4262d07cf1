//! Confirmed owners whose id seems to have been given to somebody else since: who had it then, by
//! the version of that moment.

use super::super::StoreError;
use super::super::blocks::{self, At, Columns, Which};
use super::super::ground::source_rows;
use super::super::names::Names;
use super::super::outline::Depth;
use super::decisions::OwnerDecision;
use super::known::Holder;
use crate::correlate::Seen;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{BTreeSet, HashMap};

/// What somebody decided of an owner, as far as it says who was meant.
pub(super) struct Confirmed<'d> {
    decision: i64,
    source: &'d str,
    id: &'d str,
    /// The latest sync when it was decided.
    since: i64,
}

impl Confirmed<'_> {
    pub(super) fn of(decision: &OwnerDecision) -> Confirmed<'_> {
        Confirmed {
            decision: decision.id,
            source: &decision.owner_source,
            id: &decision.owner_id,
            since: decision.since_sync,
        }
    }
}

/// Decisions about somebody who seems to have the id no more, with the name of then.
#[derive(Default)]
pub(super) struct GivenOn(HashMap<i64, String>);

/// From which sync to which a row was shown; None: it still is.
type Shown = (i64, Option<i64>, i64);

impl GivenOn {
    /// Compares who had each id when it was decided with who has it at a moment.
    pub(super) async fn find(
        reading: &mut SqliteConnection,
        names: Names,
        confirmed: &[Confirmed<'_>],
        at: At,
    ) -> Result<GivenOn, StoreError> {
        let mut given_on = GivenOn::default();
        if confirmed.is_empty() {
            return Ok(given_on);
        }
        let live = source_rows(&mut *reading, at).await?.rows;
        let record = |one: &Confirmed<'_>| {
            let source = live.get(one.source)?;
            Some((*source, names.key(Kind::Identity, one.id)))
        };
        let mut versions: HashMap<(i64, i64), Vec<Shown>> = confirmed
            .iter()
            .filter_map(|one| Some((record(one)?, Vec::new())))
            .collect();
        let ever = Which::ever(Kind::Identity);
        blocks::each(&mut *reading, &ever, Columns::Keys, |block| {
            for place in block.places() {
                let key = block.keys.get(place).copied().unwrap_or_default();
                if let Some(shown) = versions.get_mut(&(block.source, key)) {
                    shown.push((block.first_sync, block.ended_sync(place), block.row(place)));
                }
            }
            Ok(())
        })
        .await?;
        let pair = |one: &Confirmed<'_>| {
            let shown = versions.get(&record(one)?)?;
            let shown_at = |sync: i64| {
                let stood =
                    move |(from, to, _): &&Shown| *from <= sync && to.is_none_or(|to| to > sync);
                shown.iter().find(stood).map(|(_, _, row)| row)
            };
            let (then, now) = (shown_at(one.since)?, shown_at(at.limit())?);
            (then != now).then_some((one.decision, *then, *now))
        };
        let pairs: Vec<(i64, i64, i64)> = confirmed.iter().filter_map(pair).collect();
        let rows = pairs.iter().flat_map(|(_, then, now)| [*then, *now]);
        let rows: BTreeSet<i64> = rows.collect();
        let rows: Vec<i64> = rows.into_iter().collect();
        let mut seen: HashMap<i64, Seen> = HashMap::new();
        blocks::of_rows(&mut *reading, &rows, Columns::Outlined, |block, place| {
            let (keys, _) = Depth::Outlines.identity(block, place)?;
            seen.insert(block.row(place), Seen::of_identity(&keys));
            Ok(())
        })
        .await?;
        for (decision, then, now) in pairs {
            if let (Some(then), Some(now)) = (seen.get(&then), seen.get(&now))
                && then.is_another(now)
            {
                let name = then.name.clone().unwrap_or_default();
                given_on.0.insert(decision, name);
            }
        }
        Ok(given_on)
    }

    pub(super) fn holder(&self, decision: i64) -> Holder {
        match self.0.contains_key(&decision) {
            true => Holder::Another,
            false => Holder::Same,
        }
    }

    /// The name of whoever had the id when it was decided, where somebody else seems to have it now.
    pub(super) fn name_then(&self, decision: i64) -> Option<&str> {
        self.0.get(&decision).map(String::as_str)
    }
}
