//! Everybody whom accounts may belong to, gathered for correlation; or only those few whom the
//! accounts ask for that have come since links were last made.

use super::blocks::{self, Which};
use super::ground::{self, Odd, SourceRows};
use super::link_ground::GroundSum;
use super::outline::Depth;
use super::{StoreError, persons};
use crate::correlate::{
    Gathering, Identities, IdentityKeys, JoinedPerson, Listed, PersonDoubt, Records, Seen,
};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// Which identities are kept.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    All,
    /// Those that the accounts after a block ask for.
    AskedAfter(i64),
}

/// What was found of everybody.
pub(super) struct Gathered {
    pub persons: Vec<JoinedPerson>,
    pub doubts: Vec<PersonDoubt>,
    pub known: Identities,
    /// What links are made of.
    pub ground: String,
}

/// Goes through everybody once.
pub(super) async fn gather(
    connection: &mut SqliteConnection,
    sources: &SourceRows,
    odd: &Odd,
    kept: Kept,
) -> Result<Gathered, StoreError> {
    let depth = ground::depth(connection).await?;
    let (ground, person_rules) = ground::read(connection, sources, odd).await?;
    let decided = persons::decided(connection, sources).await?;
    let named: HashSet<(i64, String)> = decided
        .iter()
        .flat_map(|(decision, _)| decision.records.clone())
        .collect();
    let only: Vec<_> = decided
        .iter()
        .map(|(decision, _)| decision.clone())
        .collect();
    let mut records = Records::new(person_rules.clone(), sources.names.clone(), &only);
    let mut held_now: HashMap<(i64, String), Seen> = HashMap::new();
    let Odd { gone, .. } = odd;
    let mut sum = GroundSum::new(&ground, &person_rules);
    let mut gathering = Gathering::new(ground);
    if let Kept::AskedAfter(block) = kept {
        ask(connection, &mut gathering, depth, odd, block).await?;
    }
    let mut see = |record: &IdentityKeys, listed: Listed| {
        sum.add(record, listed);
        if records.needs_no_more() {
            return;
        }
        records.add(record, listed);
        if !named.is_empty() {
            let key = (record.source, record.id.clone());
            if named.contains(&key) {
                held_now.insert(key, Seen::of_identity(record));
            }
        }
    };
    for record in gone.iter() {
        see(record, Listed::Once);
    }
    let identities = Which::now(Kind::Identity);
    blocks::each(connection, &identities, depth.columns(), |block| {
        block.places().try_for_each(|place| {
            let (keys, _) = depth.identity(block, place)?;
            see(&keys, Listed::Now);
            match kept {
                Kept::All => {
                    gathering.add(&keys);
                }
                Kept::AskedAfter(_) => gathering.add_asked(&keys),
            }
            Ok(())
        })
    })
    .await?;
    let (persons, doubts) = records.join(&persons::still_held(decided, &held_now));
    sum.join(&persons);
    Ok(Gathered {
        known: gathering.done(persons::numbered(&persons)),
        persons,
        doubts,
        ground: sum.text(),
    })
}

/// Asks for everybody who may be found for an account after a block. Who is one person is taken
/// as it was: where that differs, everybody is gathered.
async fn ask(
    connection: &mut SqliteConnection,
    gathering: &mut Gathering,
    depth: Depth,
    odd: &Odd,
    after: i64,
) -> Result<(), StoreError> {
    let accounts = Which::now(Kind::Account);
    blocks::each_after(connection, &accounts, depth.columns(), after, |block| {
        block.places().try_for_each(|place| {
            let (keys, _) = depth.account(block, place)?;
            gathering.ask(&keys);
            Ok(())
        })
    })
    .await?;
    let records: Vec<(i64, String)> =
        sqlx::query_as("SELECT person, id FROM person_records ORDER BY person")
            .fetch_all(connection)
            .await?;
    let gone: HashSet<&str> = odd.gone.iter().map(|record| record.id.as_str()).collect();
    for person in records.chunk_by(|(a, _), (b, _)| a == b) {
        let ids: Vec<String> = person.iter().map(|(_, id)| id.clone()).collect();
        gathering.ask_together(&ids, &gone);
    }
    Ok(())
}
