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
        let mut broken: BTreeMap<(Kind, &'static str), Broken> = BTreeMap::new();
        for end in [Ref::From, Ref::To] {
            let unknown: Vec<i64> = self
                .numbers(end)
                .await?
                .into_iter()
                .filter(|number| !known.contains(number))
                .collect();
            for part in same_sizes(&unknown) {
                for (kind, sort, count) in self.counts_at(source, end, part).await? {
                    let kind = Kind::from_word(&kind).ok_or_else(|| {
                        StoreError::damaged(format!("kind `{kind}` of an object"))
                    })?;
                    let Some(what) = words(kind, &sort, end) else {
                        continue;
                    };
                    let found = broken.entry((kind, what)).or_default();
                    found.count += count.cast_unsigned();
                    if found.examples.len() >= Note::MAX_EXAMPLES {
                        continue;
                    }
                    for payload in self.payloads(source, kind, end, part).await? {
                        let fact: Fact = serde_json::from_str(&payload)?;
                        if words(kind, sort_of(&fact), end) == Some(what) {
                            found.examples.extend(named_by(&fact, end));
                        }
                    }
                }
            }
        }
        Ok(broken
            .into_iter()
            .map(|((kind, what), found)| BrokenReferences {
                kind,
                what,
                count: found.count,
                examples: found
                    .examples
                    .into_iter()
                    .take(Note::MAX_EXAMPLES)
                    .map(|name| name.replace(UNIT, ":"))
                    .collect(),
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

    /// How many current facts of a source have one of these numbers at an end: kind, what tells
    /// its sorts apart (see `sort_of`), and how many.
    async fn counts_at(
        &self,
        source: i64,
        end: Ref,
        numbers: &[i64],
    ) -> Result<Vec<(String, String, i64)>, StoreError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT kind, CASE WHEN kind IN ('grant', 'reader', 'control') THEN json_extract(payload, '$.principal.kind')
             WHEN kind = 'owner' THEN json_extract(payload, '$.object_type') ELSE '' END, count(*)",
        );
        at_numbers(&mut select, source, end, numbers);
        select.push(" GROUP BY 1, 2");
        Ok(select.build_query_as().fetch_all(self.readers()).await?)
    }

    /// A few of them, for examples.
    async fn payloads(
        &self,
        source: i64,
        kind: Kind,
        end: Ref,
        numbers: &[i64],
    ) -> Result<Vec<String>, StoreError> {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT payload");
        at_numbers(&mut select, source, end, numbers);
        select.push(" AND kind = ");
        select.push_bind(kind.word());
        select.push(" LIMIT 200");
        Ok(select
            .build_query_scalar::<String>()
            .fetch_all(self.readers())
            .await?)
    }
}

/// Broken references of one sort, as they are found.
#[derive(Default)]
struct Broken {
    count: u64,
    examples: BTreeSet<String>,
}

/// The current facts of a source with one of these numbers at an end.
fn at_numbers(select: &mut QueryBuilder<Sqlite>, source: i64, end: Ref, numbers: &[i64]) {
    // The index is named to SQLite: it would rather go through all that the source holds.
    let (column, index) = (end.column(), end.index());
    select.push(format!(
        " FROM objects INDEXED BY {index} WHERE ended_sync IS NULL AND {column} IN ("
    ));
    let mut list = select.separated(", ");
    for number in numbers {
        list.push_bind(*number);
    }
    select.push(") AND source = ");
    select.push_bind(source);
}

/// What tells references of one kind of fact apart beside its kind.
fn sort_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::Grant(x) => x.principal.kind.word(),
        Fact::Reader(x) => x.principal.kind.word(),
        Fact::Control(x) => x.principal.kind.word(),
        Fact::Owner(x) => x.object_type.word(),
        Fact::Identity(_)
        | Fact::Account(_)
        | Fact::Entitlement(_)
        | Fact::Credential(_)
        | Fact::Location(_)
        | Fact::Session(_)
        | Fact::Task(_) => "",
    }
}

/// What an end of a fact names, in words; None where it names nothing.
fn words(kind: Kind, sort: &str, end: Ref) -> Option<&'static str> {
    let principals = |sort: &str| match PrincipalType::from_word(sort)? {
        PrincipalType::Account => Some("accounts"),
        PrincipalType::Entitlement => Some("entitlements"),
    };
    match (kind, end) {
        (Kind::Identity, Ref::From) => Some("managers"),
        (Kind::Identity, Ref::To) => Some("employers"),
        (Kind::Account | Kind::Task, Ref::From) => Some("identities"),
        (Kind::Account, Ref::To) => Some("accounts to sign in through"),
        (Kind::Grant | Kind::Reader | Kind::Control, Ref::From) => principals(sort),
        (Kind::Grant, Ref::To) => Some("granted entitlements"),
        (Kind::Credential | Kind::Session, Ref::From) | (Kind::Task, Ref::To) => Some("accounts"),
        (Kind::Location, Ref::From) => Some("credentials"),
        (Kind::Reader, Ref::To) => Some("locations"),
        (Kind::Control, Ref::To) => Some("controlled accounts"),
        (Kind::Owner, Ref::From) => Some("owners"),
        (Kind::Owner, Ref::To) => match ObjectType::from_word(sort)? {
            ObjectType::Identity => Some("owned identities"),
            ObjectType::Account => Some("owned accounts"),
            ObjectType::Credential => Some("owned credentials"),
            ObjectType::Entitlement => Some("owned entitlements"),
            ObjectType::Location => Some("owned locations"),
        },
        (Kind::Entitlement, Ref::From | Ref::To)
        | (Kind::Credential | Kind::Session | Kind::Location, Ref::To) => None,
    }
}

/// The name at one end of a fact.
fn named_by(fact: &Fact, end: Ref) -> Option<String> {
    let pair = |system: &str, id: &str| format!("{system}{UNIT}{id}");
    let principal = |p: &Principal| pair(p.system.as_str(), p.id.as_str());
    let (from, to) = match fact {
        Fact::Identity(x) => (
            x.manager_id.as_ref().map(|i| i.to_string()),
            x.employer_id.as_ref().map(|i| i.to_string()),
        ),
        Fact::Account(x) => (
            x.identity_id.as_ref().map(|i| i.to_string()),
            x.signs_in_through_id.as_ref().map(|id| {
                let system = x.signs_in_through_system.as_ref().unwrap_or(&x.system);
                pair(system.as_str(), id.as_str())
            }),
        ),
        Fact::Entitlement(_) => (None, None),
        Fact::Grant(x) => (
            Some(principal(&x.principal)),
            Some(pair(x.system.as_str(), x.entitlement_id.as_str())),
        ),
        Fact::Credential(x) => (
            x.account_id
                .as_ref()
                .map(|id| pair(x.system.as_str(), id.as_str())),
            None,
        ),
        Fact::Location(x) => (
            x.credential_id.as_ref().map(|id| {
                let system = x.credential_system.as_ref().unwrap_or(&x.system);
                pair(system.as_str(), id.as_str())
            }),
            None,
        ),
        Fact::Reader(x) => (
            Some(principal(&x.principal)),
            Some(pair(x.system.as_str(), x.path.as_str())),
        ),
        Fact::Control(x) => (
            Some(principal(&x.principal)),
            Some(pair(x.system.as_str(), x.account_id.as_str())),
        ),
        Fact::Owner(x) => (Some(x.owner_id.to_string()), {
            let system = x.system.as_ref().map_or("", |s| s.as_str());
            match x.object_type {
                ObjectType::Identity => Some(x.object_id.clone()),
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Entitlement
                | ObjectType::Location => Some(pair(system, &x.object_id)),
            }
        }),
        Fact::Session(x) => (Some(pair(x.system.as_str(), x.account_id.as_str())), None),
        Fact::Task(x) => (
            x.identity_id.as_ref().map(|i| i.to_string()),
            x.account_id
                .as_ref()
                .map(|id| pair(x.system.as_str(), id.as_str())),
        ),
    };
    match end {
        Ref::From => from,
        Ref::To => to,
    }
}
