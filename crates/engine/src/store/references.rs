//! References of a source's current facts that lead to nothing known.

use super::blocks::{self, Block, Columns, CredentialKey, Which};
use super::names::Names;
use super::objects::UNIT;
use super::{Store, StoreError, many};
use lastkey_contract::facts::{Fact, ObjectType, Principal, PrincipalType};
use lastkey_contract::{Kind, Note};
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
        let mut broken = Found::default();
        for kind in Kind::ALL {
            if blocks::hold(kind) {
                self.broken_in_blocks(source, kind, &known, &mut broken)
                    .await?;
                continue;
            }
            for end in [Ref::From, Ref::To] {
                if names_something(kind, end) {
                    self.broken_at(source, kind, end, &known, &mut broken)
                        .await?;
                }
            }
        }
        Ok(broken
            .0
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
        for kind in [Kind::Account, Kind::Entitlement] {
            self.learn_keys(kind, names, &mut known).await?;
        }
        let mut connection = self.readers().acquire().await?;
        let credentials = Which::now(Kind::Credential);
        blocks::each(&mut connection, &credentials, Columns::Facts, |block| {
            for place in block.places() {
                let key = CredentialKey::of(block.fact(place)?)?;
                known.insert(names.object(Kind::Credential, &[&key.system, &key.id]));
            }
            Ok(())
        })
        .await?;
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
            let sql = many::joined(
                &["json_quote(key)"],
                "SELECT DISTINCT key FROM objects INDEXED BY objects_by_key
                 WHERE kind = ?1 AND key > ?2 AND ended_sync IS NULL ORDER BY key LIMIT ?3",
            );
            let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(kind.word())
                .bind(&after)
                .bind(many::KEYS)
                .fetch_one(self.readers())
                .await?;
            let keys: Vec<(String,)> = many::rows(&text)?;
            let Some((last,)) = keys.last() else {
                return Ok(());
            };
            after.clone_from(last);
            known.extend(keys.iter().map(|(key,)| names.object(kind, &[key])));
        }
    }

    /// What the current facts of a kind name at an end and nothing is known by.
    async fn broken_at(
        &self,
        source: i64,
        kind: Kind,
        end: Ref,
        known: &HashSet<i64>,
        broken: &mut Found,
    ) -> Result<(), StoreError> {
        let (column, index) = (end.column(), end.index());
        let sql = many::joined(
            &["number", "count"],
            &format!(
                "SELECT {column} AS number, count(*) AS count FROM objects INDEXED BY {index}
                 WHERE kind = ?1 AND source = ?2 AND ended_sync IS NULL AND {column} IS NOT NULL
                 GROUP BY {column}"
            ),
        );
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(kind.word())
            .bind(source)
            .fetch_one(self.readers())
            .await?;
        let numbers: Vec<(i64, i64)> = many::rows(&text)?;
        let unknown: Vec<(i64, i64)> = numbers
            .into_iter()
            .filter(|(number, _)| !known.contains(number))
            .collect();
        // All facts of most kinds name the same sort of thing there, so that a few tell it.
        let (looked_at, counted) = match words(kind, "", end) {
            None => (unknown.as_slice(), [].as_slice()),
            Some(_) => unknown.split_at(unknown.len().min(Note::MAX_EXAMPLES)),
        };
        for (number, _) in looked_at {
            for payload in self.payloads(source, kind, end, *number).await? {
                broken.add(&serde_json::from_str(&payload)?, end);
            }
        }
        if let Some(what) = words(kind, "", end) {
            let more: i64 = counted.iter().map(|(_, count)| count).sum();
            broken.count(kind, what, more.cast_unsigned());
        }
        Ok(())
    }

    /// The same for a kind that is kept in blocks.
    async fn broken_in_blocks(
        &self,
        source: i64,
        kind: Kind,
        known: &HashSet<i64>,
        broken: &mut Found,
    ) -> Result<(), StoreError> {
        let which = Which::now(kind).of_source(source);
        let mut connection = self.readers().acquire().await?;
        let (mut from, mut to) = (Vec::new(), Vec::new());
        blocks::each(&mut connection, &which, Columns::References, |block| {
            let unknown = |numbers: &[i64], place| {
                Block::reference(numbers, place).is_some_and(|number| !known.contains(&number))
            };
            for place in block.places() {
                if unknown(&block.froms, place) {
                    from.push(block.row(place));
                }
                if unknown(&block.tos, place) {
                    to.push(block.row(place));
                }
            }
            Ok(())
        })
        .await?;
        for (end, rows) in [(Ref::From, from), (Ref::To, to)] {
            blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
                broken.add(&serde_json::from_str(block.fact(place)?)?, end);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// The current facts of a source and kind with this number at an end.
    async fn payloads(
        &self,
        source: i64,
        kind: Kind,
        end: Ref,
        number: i64,
    ) -> Result<Vec<String>, StoreError> {
        let (column, index) = (end.column(), end.index());
        let sql = format!(
            "SELECT payload FROM objects INDEXED BY {index}
             WHERE kind = ?1 AND {column} = ?2 AND source = ?3 AND ended_sync IS NULL"
        );
        Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(kind.word())
            .bind(number)
            .bind(source)
            .fetch_all(self.readers())
            .await?)
    }
}

/// Broken references by kind and by what they name.
#[derive(Default)]
struct Found(BTreeMap<(Kind, &'static str), Broken>);

impl Found {
    fn count(&mut self, kind: Kind, what: &'static str, count: u64) {
        if count > 0 {
            self.0.entry((kind, what)).or_default().count += count;
        }
    }

    /// One fact that names nothing known at an end.
    fn add(&mut self, fact: &Fact, end: Ref) {
        let Some(what) = words(fact.kind(), sort_of(fact), end) else {
            return;
        };
        let found = self.0.entry((fact.kind(), what)).or_default();
        found.count += 1;
        if found.examples.len() < Note::MAX_EXAMPLES {
            found.examples.extend(named_by(fact, end));
        }
    }
}

/// Whether facts of a kind name anything at an end.
fn names_something(kind: Kind, end: Ref) -> bool {
    kind == Kind::Owner || words(kind, "", end).is_some()
}

/// Broken references of one sort, as they are found.
#[derive(Default)]
struct Broken {
    count: u64,
    examples: BTreeSet<String>,
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
