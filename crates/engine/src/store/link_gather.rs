//! Everybody whom accounts may belong to, gathered for correlation; or only those few whom the
//! accounts ask for that have come since links were last made.

use super::account_past::{self, AccountPast};
use super::blocks::{self, At, Which};
use super::ground::{self, Odd, SeenThen, SourceRows};
use super::link_ground::GroundSum;
use super::outline::Depth;
use super::{StoreError, link_rules, persons};
use crate::correlate::{
    Gathering, Identities, IdentityKeys, JoinedPerson, Listed, PersonDecision, PersonDoubt,
    PersonRules, Persons, Records, Seen,
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

/// What accounts had before, as far as it is asked for.
pub(super) struct Before<'p> {
    pub past: &'p AccountPast,
    pub of: account_past::Accounts,
}

impl<'p> Before<'p> {
    /// What those accounts had before that are looked at.
    pub(super) async fn of(
        connection: &mut SqliteConnection,
        past: &'p AccountPast,
        kept: Kept,
    ) -> Result<Before<'p>, StoreError> {
        let of = match kept {
            Kept::All => None,
            Kept::AskedAfter(block) => past.accounts_after(connection, block).await?,
        };
        Ok(Before { past, of })
    }
}

/// What was found of everybody.
pub(super) struct Gathered {
    /// Without the records of sources that were removed, which `known` has.
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
    past: &AccountPast,
    kept: Kept,
) -> Result<Gathered, StoreError> {
    let before = Before::of(connection, past, kept).await?;
    let depth = ground::depth(connection).await?;
    let (ground, person_rules) = ground::read(connection, sources, odd).await?;
    let mut joining = Joining::new(connection, sources, person_rules.clone()).await?;
    joining.remember(odd);
    let mut sum = GroundSum::new(&ground, &person_rules);
    past.unlisted().for_each(|told| sum.unlisted(told));
    let mut gathering = Gathering::new(ground);
    if let Kept::AskedAfter(block) = kept {
        ask(connection, &mut gathering, depth, odd, &before, block).await?;
    }
    let mut see = |record: &IdentityKeys, listed: Listed| {
        sum.add(record, listed);
        joining.see(record, listed);
    };
    for record in odd.gone() {
        see(record, Listed::Once);
    }
    for (record, listed) in odd.removed() {
        see(record, listed);
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
    let (persons, doubts) = joining.done();
    sum.join(&persons);
    let mut known = gathering.done(persons::numbered(&persons));
    let persons = persons::still_there(persons, &sources.rows.values().copied().collect());
    let Before { past, of } = before;
    past.remember(
        connection,
        &of,
        At::Now,
        &mut known,
        &mut blocks::Again::none(),
    )
    .await?;
    Ok(Gathered {
        known,
        persons,
        doubts,
        ground: sum.text(),
    })
}

/// Who is one person, as far as records have been seen.
struct Joining {
    records: Records,
    decided: Vec<(PersonDecision, SeenThen)>,
    /// The sources that are there.
    sources: HashSet<i64>,
    /// Records of others that count.
    removed: HashSet<(i64, String)>,
    /// Records that decisions name.
    named: HashSet<(i64, String)>,
    held: HashMap<(i64, String), Seen>,
}

impl Joining {
    async fn new(
        connection: &mut SqliteConnection,
        sources: &SourceRows,
        rules: PersonRules,
    ) -> Result<Joining, StoreError> {
        let decided = persons::decided(connection, sources).await?;
        let only: Vec<PersonDecision> = decided.iter().map(|(said, _)| said.clone()).collect();
        let named = only.iter().flat_map(|said| said.records.clone());
        Ok(Joining {
            named: named.collect(),
            records: Records::new(rules, sources.names.clone(), &only),
            sources: sources.rows.values().copied().collect(),
            decided,
            removed: HashSet::new(),
            held: HashMap::new(),
        })
    }

    /// Takes in what records had before; before any is seen.
    fn remember(&mut self, odd: &Odd) {
        for record in odd.before() {
            self.records.add_before(record);
        }
        let removed = odd.removed();
        let removed = removed.map(|(record, _)| (record.source, record.id.clone()));
        self.removed.extend(removed);
    }

    fn see(&mut self, record: &IdentityKeys, listed: Listed) {
        if self.records.needs_no_more() {
            return;
        }
        self.records.add(record, listed);
        if !self.named.is_empty() {
            let key = (record.source, record.id.clone());
            if self.named.contains(&key) {
                self.held.insert(key, Seen::of_identity(record));
            }
        }
    }

    fn done(self) -> (Vec<JoinedPerson>, Vec<PersonDoubt>) {
        let (held, open) = persons::still_held(self.decided, &self.held);
        let (joined, mut doubts) = self.records.join(&held);
        let person = |record: &(i64, String)| {
            let of = |one: &JoinedPerson| {
                one.records
                    .iter()
                    .any(|(s, id, _)| (*s, id) == (record.0, &record.1))
            };
            joined.iter().position(of)
        };
        // Somebody may have decided anew since, or a rule joins them.
        let still_two = open.into_iter().filter(|doubt| {
            let mut persons = doubt.records.iter().map(person);
            let (first, second) = (persons.next().flatten(), persons.next().flatten());
            first.is_none() || first != second
        });
        doubts.extend(still_two);
        let is_there = |source: &i64| self.sources.contains(source);
        doubts.retain(|doubt| doubt.records.iter().any(|(source, _)| is_there(source)));
        let joined = joined.into_iter().map(|JoinedPerson { mut records }| {
            records.retain(|(source, id, _)| {
                is_there(source) || self.removed.contains(&(*source, id.clone()))
            });
            JoinedPerson { records }
        });
        let several = |person: &JoinedPerson| {
            let mut records = person.records.iter();
            person.records.len() > 1 && records.any(|(source, ..)| is_there(source))
        };
        (joined.filter(several).collect(), doubts)
    }
}

/// Who had several records among the sources of a moment, by the rules and decisions of now, and
/// which could be one person's.
pub(super) async fn persons_then(
    connection: &mut SqliteConnection,
    at: At,
    sources: &SourceRows,
) -> Result<(Persons, Vec<PersonDoubt>), StoreError> {
    let (_, rules) = link_rules::in_force(connection).await?;
    let mut joining = Joining::new(connection, sources, rules).await?;
    if joining.records.needs_no_more() {
        return Ok((Persons::default(), Vec::new()));
    }
    let depth = ground::depth(connection).await?;
    let odd =
        ground::odd_records(connection, at, sources, depth, &mut blocks::Again::none()).await?;
    joining.remember(&odd);
    for record in odd.gone() {
        joining.see(record, Listed::Once);
    }
    for (record, listed) in odd.removed() {
        joining.see(record, listed);
    }
    let identities = Which {
        at,
        ..Which::now(Kind::Identity)
    };
    blocks::each(connection, &identities, depth.columns(), |block| {
        block.places().try_for_each(|place| {
            let (keys, _) = depth.identity(block, place)?;
            joining.see(&keys, Listed::Now);
            Ok(())
        })
    })
    .await?;
    let (persons, doubts) = joining.done();
    Ok((persons::numbered(&persons), doubts))
}

/// Asks for everybody who may be found for an account after a block. Who is one person is taken
/// as it was: where that differs, everybody is gathered.
async fn ask(
    connection: &mut SqliteConnection,
    gathering: &mut Gathering,
    depth: Depth,
    odd: &Odd,
    before: &Before<'_>,
    after: i64,
) -> Result<(), StoreError> {
    let Before { past, of } = before;
    let kept = &mut blocks::Again::none();
    past.each(connection, of, At::Now, kept, |had| {
        gathering.ask(&had.keys)
    })
    .await?;
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
    let gone: HashSet<&str> = odd.gone().map(|record| record.id.as_str()).collect();
    for person in records.chunk_by(|(a, _), (b, _)| a == b) {
        let ids: Vec<String> = person.iter().map(|(_, id)| id.clone()).collect();
        gathering.ask_together(&ids, &gone);
    }
    Ok(())
}
