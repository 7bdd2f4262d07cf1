//! Which objects are read, and of which moment.

use lastkey_contract::Kind;
use sqlx::{QueryBuilder, Sqlite};

/// The moment that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum At {
    Now,
    /// After this sync.
    Sync(i64),
    /// Whatever has ever been stored.
    Ever,
}

impl At {
    /// The moment of a query that may name a sync.
    pub fn of(sync: Option<super::super::SyncId>) -> At {
        sync.map_or(At::Now, |sync| At::Sync(sync.sql()))
    }

    /// A version is there if it was first stored by then and had not ended by then.
    pub fn limit(self) -> i64 {
        match self {
            At::Now | At::Ever => i64::MAX,
            At::Sync(sync) => sync,
        }
    }
}

/// Which objects are read.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Which {
    pub kind: Option<Kind>,
    pub source: Option<i64>,
    pub at: At,
}

impl Which {
    /// All current objects of a kind.
    pub fn now(kind: Kind) -> Which {
        Which {
            kind: Some(kind),
            source: None,
            at: At::Now,
        }
    }

    /// Every version of a kind that was ever stored.
    pub fn ever(kind: Kind) -> Which {
        Which {
            at: At::Ever,
            ..Which::now(kind)
        }
    }

    /// Only what one source holds.
    pub fn of_source(self, source: i64) -> Which {
        Which {
            source: Some(source),
            ..self
        }
    }

    /// As further conditions of a question. Only what is asked for stands among them, so that an
    /// index can answer it.
    pub(super) fn push(&self, select: &mut QueryBuilder<Sqlite>) {
        if let Some(kind) = self.kind {
            select.push(" AND kind = ").push_bind(kind.word());
        }
        if let Some(source) = self.source {
            select.push(" AND source = ").push_bind(source);
        }
        match self.at {
            At::Ever => {}
            At::Now => {
                select.push(" AND ended_sync IS NULL");
            }
            At::Sync(sync) => {
                // Not by the index of these: all but the newest blocks were stored by then.
                select.push(" AND +first_sync <= ").push_bind(sync);
                select.push(" AND (ended_sync IS NULL OR ended_sync > ");
                select.push_bind(sync).push(")");
            }
        }
    }
}
