//! Every fact of a kind at a moment, in the order in which it was stored.
//!
//! Whoever reads many facts goes through here: how they are kept is nobody else's concern. Flat
//! memory: a few blocks at once.

use super::StoreError;
use super::blocks::{self, At, Columns, Which};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;

/// One fact that stands at the moment that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'t> {
    pub source: i64,
    pub row: i64,
    /// The sync that stored this version.
    pub first_sync: i64,
    /// The fact as JSON.
    pub fact: &'t str,
}

/// Takes every fact of a kind.
pub(super) async fn each(
    connection: &mut SqliteConnection,
    kind: Kind,
    source: Option<i64>,
    at: At,
    mut take: impl FnMut(Standing<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let which = Which {
        kind: Some(kind),
        source,
        at,
    };
    blocks::each(connection, &which, Columns::Facts, |block| {
        block.places().try_for_each(|place| {
            take(Standing {
                source: block.source,
                row: block.row(place),
                first_sync: block.first_sync,
                fact: block.fact(place)?,
            })
        })
    })
    .await
}
