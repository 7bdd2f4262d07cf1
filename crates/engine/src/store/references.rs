//! References of a source's current facts that lead to nothing known.

use super::names::Names;
use super::objects::{UNIT, same_sizes};
use super::{Store, StoreError};
use lastkey_contract::facts::{Fact, ObjectType, Principal, PrincipalType};
use lastkey_contract::{Kind, Note};
use sqlx::{QueryBuilder, Sqlite};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// References of one sort that lead nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokenReferences {
    pub kind: Kind,
    /// What they name, in words.
    pub what: &'static str,
    pub count: u64,
    pub examples: Vec<String>,
}

/// The two ends at which a fact names another.
#[derive(Clone, Copy, Debug)]
enum Ref {
    From,
    To,
}

impl Ref {
    fn column(self) -> &'static str {
        match self {
            Ref::From => "from_number",
            Ref::To => "to_number",
        }
    }

    fn index(self) -> &'static str {
        match self {
            Ref::From => "objects_from",
            Ref::To => "objects_to",
        }
    }
}

impl Store {
    /// What the current facts of a source refer to and no source holds.
    pub(crate) async fn broken_references(
        &self,
        source: i64,
    ) -> Result<Vec<BrokenReferences>, StoreError> {
        let known = self.known_names().await?;
        let mut broken: BTreeMap<(Kind, &'static str), (u64, BTreeSet<String>)> = BTreeMap::new();
        for end in [Ref::From, Ref::To] {
            let unknown: Vec<i64> = self
                .numbers(end)
                .await?
                .into_iter()
                .filter(|number| !known.contains(number))
                .collect();
            for part in same_sizes(&unknown) {
                for payload in self.payloads(source, end, part).await? {
                    let fact: Fact = serde_json::from_str(&payload)?;
                    let Some((what, name)) = named_by(&fact, end) else {
                        continue;
                    };
                    let (count, examples) = broken.entry((fact.kind(), what)).or_default();
                    *count += 1;
                    examples.insert(name.replace(UNIT, ":"));
                    if examples.len() > Note::MAX_EXAMPLES {
                        examples.pop_last();
                    }
                }
            }
        }
        Ok(broken
            .into_iter()
            .map(|((kind, what), (count, examples))| BrokenReferences {
                kind,
                what,
                count,
                examples: examples.into_iter().collect(),
            })
            .collect())
    }

    /// The numbers of everything that a reference can name.
    async fn known_names(&self) -> Result<HashSet<i64>, StoreError> {
        let names = self.names()?;
        let mut known = HashSet::new();
        let people: Vec<(String, String)> =
            sqlx::query_as("SELECT s.name, p.id FROM people p JOIN sources s ON s.id = p.source")
                .fetch_all(self.readers())
                .await?;
        for (source, id) in people {
            known.insert(names.object(Kind::Identity, &[&id]));
            known.insert(names.object(Kind::Identity, &[&format!("{source}:{id}")]));
        }
        for kind in [Kind::Account, Kind::Entitlement, Kind::Credential] {
            self.learn_keys(kind, names, &mut known).await?;
        }
        let places: Vec<(i64,)> = sqlx::query_as(
            "SELECT DISTINCT to_number FROM objects
             WHERE kind = 'location' AND ended_sync IS NULL AND to_number IS NOT NULL
             AND source IN (SELECT source FROM carried WHERE kind = 'location')",
        )
        .fetch_all(self.readers())
        .await?;
        known.extend(places.into_iter().map(|(number,)| number));
        Ok(known)
    }

    async fn learn_keys(
        &self,
        kind: Kind,
        names: Names,
        known: &mut HashSet<i64>,
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let keys: Vec<(String,)> = sqlx::query_as(
                "SELECT DISTINCT key FROM objects INDEXED BY objects_by_key
                 WHERE kind = ?1 AND key > ?2 AND key IS NOT NULL AND ended_sync IS NULL
                 ORDER BY key LIMIT 20000",
            )
            .bind(kind.word())
            .bind(&after)
            .fetch_all(self.readers())
            .await?;
            let Some((last,)) = keys.last() else {
                return Ok(());
            };
            after.clone_from(last);
            known.extend(keys.iter().map(|(key,)| names.object(kind, &[key])));
        }
    }

    /// Every number that stands at one end of a current fact, of any source.
    async fn numbers(&self, end: Ref) -> Result<Vec<i64>, StoreError> {
        let (column, index) = (end.column(), end.index());
        let sql = format!(
            "SELECT DISTINCT {column} FROM objects INDEXED BY {index}
             WHERE ended_sync IS NULL AND {column} IS NOT NULL"
        );
        let numbers: Vec<(i64,)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(self.readers())
            .await?;
        Ok(numbers.into_iter().map(|(number,)| number).collect())
    }

    async fn payloads(
        &self,
        source: i64,
        end: Ref,
        numbers: &[i64],
    ) -> Result<Vec<String>, StoreError> {
        // Said to SQLite: it would rather go through all that the source holds.
        let (column, index) = (end.column(), end.index());
        let mut select = QueryBuilder::<Sqlite>::new(format!(
            "SELECT payload FROM objects INDEXED BY {index} WHERE ended_sync IS NULL AND source = "
        ));
        select.push_bind(source);
        select.push(format!(" AND {column} IN ("));
        let mut list = select.separated(", ");
        for number in numbers {
            list.push_bind(*number);
        }
        select.push(")");
        Ok(select
            .build_query_scalar::<String>()
            .fetch_all(self.readers())
            .await?)
    }
}

/// What one end of a fact names, in words and by its name.
fn named_by(fact: &Fact, end: Ref) -> Option<(&'static str, String)> {
    let pair = |system: &str, id: &str| format!("{system}{UNIT}{id}");
    let principal = |p: &Principal| {
        let what = match p.kind {
            PrincipalType::Account => "accounts",
            PrincipalType::Entitlement => "entitlements",
        };
        (what, pair(p.system.as_str(), p.id.as_str()))
    };
    let (from, to) = match fact {
        Fact::Identity(x) => (
            x.manager_id.as_ref().map(|i| ("managers", i.to_string())),
            x.employer_id.as_ref().map(|i| ("employers", i.to_string())),
        ),
        Fact::Account(x) => (
            x.identity_id
                .as_ref()
                .map(|i| ("identities", i.to_string())),
            x.signs_in_through_id.as_ref().map(|id| {
                let system = x.signs_in_through_system.as_ref().unwrap_or(&x.system);
                (
                    "accounts to sign in through",
                    pair(system.as_str(), id.as_str()),
                )
            }),
        ),
        Fact::Entitlement(_) => (None, None),
        Fact::Grant(x) => (
            Some(principal(&x.principal)),
            Some((
                "granted entitlements",
                pair(x.system.as_str(), x.entitlement_id.as_str()),
            )),
        ),
        Fact::Credential(x) => (
            x.account_id
                .as_ref()
                .map(|id| ("accounts", pair(x.system.as_str(), id.as_str()))),
            None,
        ),
        Fact::Location(x) => (
            x.credential_id.as_ref().map(|id| {
                let system = x.credential_system.as_ref().unwrap_or(&x.system);
                ("credentials", pair(system.as_str(), id.as_str()))
            }),
            None,
        ),
        Fact::Reader(x) => (
            Some(principal(&x.principal)),
            Some(("locations", pair(x.system.as_str(), x.path.as_str()))),
        ),
        Fact::Control(x) => (
            Some(principal(&x.principal)),
            Some((
                "controlled accounts",
                pair(x.system.as_str(), x.account_id.as_str()),
            )),
        ),
        Fact::Owner(x) => (Some(("owners", x.owner_id.to_string())), {
            let system = x.system.as_ref().map_or("", |s| s.as_str());
            match x.object_type {
                ObjectType::Identity => Some(("owned identities", x.object_id.clone())),
                ObjectType::Account => Some(("owned accounts", pair(system, &x.object_id))),
                ObjectType::Credential => Some(("owned credentials", pair(system, &x.object_id))),
                ObjectType::Entitlement => Some(("owned entitlements", pair(system, &x.object_id))),
                ObjectType::Location => Some(("owned locations", pair(system, &x.object_id))),
            }
        }),
        Fact::Session(x) => (
            Some(("accounts", pair(x.system.as_str(), x.account_id.as_str()))),
            None,
        ),
        Fact::Task(x) => (
            x.identity_id
                .as_ref()
                .map(|i| ("identities", i.to_string())),
            x.account_id
                .as_ref()
                .map(|id| ("accounts", pair(x.system.as_str(), id.as_str()))),
        ),
    };
    match end {
        Ref::From => from,
        Ref::To => to,
    }
}
