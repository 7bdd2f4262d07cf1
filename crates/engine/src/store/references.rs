//! References of a source's current facts that lead to nothing known.

use super::blocks::{self, At, Block, Columns, Which};
use super::names::NumberSet;
use super::objects::UNIT;
use super::{NewJournalRow, Store, StoreError, SyncId, every, journal, meta};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Fact, ObjectType, Principal, PrincipalType};
use lastkey_contract::{Kind, Note};
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The entry of `meta` with the syncs whose journals do not say yet what their facts name and nothing
/// holds: JSON.
const UNSAID: &str = "references_unsaid";

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

impl BrokenReferences {
    /// As it stands in a journal.
    fn line(self) -> NewJournalRow {
        NewJournalRow {
            what: "dangling",
            kind: Some(self.kind),
            text: format!("{} that nothing holds", self.what),
            count: self.count,
            examples: self.examples,
        }
    }
}

/// The syncs whose journals do not say yet what leads nowhere.
pub(super) async fn unsaid(connection: &mut SqliteConnection) -> Result<BTreeSet<i64>, StoreError> {
    let unsaid = meta::get(connection, UNSAID).await?;
    Ok(unsaid.map_or_else(|| Ok(BTreeSet::new()), |syncs| serde_json::from_str(&syncs))?)
}

async fn put_unsaid(
    connection: &mut SqliteConnection,
    syncs: &BTreeSet<i64>,
) -> Result<(), StoreError> {
    meta::put(connection, UNSAID, &serde_json::to_string(syncs)?).await
}

impl Store {
    /// What the current facts of a source refer to and no source holds.
    pub(crate) async fn broken_references(
        &self,
        source: i64,
    ) -> Result<Vec<BrokenReferences>, StoreError> {
        // Both take as long, each on a connection of its own.
        let (mut known, leading) = tokio::try_join!(self.known_names(), self.leading_from(source))?;
        self.broken_among(&mut known, leading).await
    }

    /// One line of a journal for each sort of them.
    pub(crate) async fn broken_reference_lines(
        &self,
        source: i64,
    ) -> Result<Vec<NewJournalRow>, StoreError> {
        let broken = self.broken_references(source).await?;
        Ok(broken.into_iter().map(BrokenReferences::line).collect())
    }

    /// Leaves it for later to say what of a sync leads nowhere: other sources are read with it, what
    /// they hold may be what its facts name, and all of them go by the same names.
    pub(crate) async fn references_later(&self, sync: SyncId) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        let mut syncs = unsaid(&mut writing.tx).await?;
        syncs.insert(sync.sql());
        put_unsaid(&mut writing.tx, &syncs).await?;
        writing.commit().await
    }

    /// Says in the journals of all syncs that wait for it what their facts name and nothing holds.
    pub async fn say_references(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut reader = self.readers().acquire().await?;
        let waiting = unsaid(&mut reader).await?;
        drop(reader);
        let mut known = None;
        for sync in waiting {
            let lines = match self.still_latest(sync).await? {
                Some(source) => {
                    let leading = self.leading_from(source).await?;
                    let known = match &mut known {
                        Some(known) => known,
                        none => none.insert(self.known_names().await?),
                    };
                    let broken = self.broken_among(known, leading).await?;
                    broken.into_iter().map(BrokenReferences::line).collect()
                }
                // Its facts have given way: the read after it says what leads nowhere now.
                None => Vec::new(),
            };
            let mut writing = self.begin().await?;
            let mut left = unsaid(&mut writing.tx).await?;
            // Somebody else may have said it meanwhile.
            if left.remove(&sync) {
                let id = SyncId(sync.cast_unsigned());
                journal::put(&mut writing.tx, id, &lines, now).await?;
                put_unsaid(&mut writing.tx, &left).await?;
                writing.commit().await?;
            }
        }
        Ok(())
    }

    /// The source of a sync after which it was not read again.
    async fn still_latest(&self, sync: i64) -> Result<Option<i64>, StoreError> {
        let source = sqlx::query_scalar(
            "SELECT y.source FROM syncs y WHERE y.id = ?1
             AND NOT EXISTS (SELECT 1 FROM syncs o WHERE o.source = y.source AND o.id > y.id)",
        )
        .bind(sync)
        .fetch_optional(self.readers())
        .await?;
        Ok(source)
    }

    async fn broken_among(
        &self,
        known: &mut Known,
        leading: Vec<(Kind, Vec<Block>)>,
    ) -> Result<Vec<BrokenReferences>, StoreError> {
        let mut broken = Found::default();
        for (kind, blocks) in &leading {
            self.broken_of(*kind, blocks, known, &mut broken).await?;
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

    /// The references of a source's facts, kind by kind.
    async fn leading_from(&self, source: i64) -> Result<Vec<(Kind, Vec<Block>)>, StoreError> {
        let mut connection = self.readers().acquire().await?;
        let mut leading = Vec::new();
        for kind in Kind::ALL {
            if names_something(kind, Ref::From) || names_something(kind, Ref::To) {
                let which = Which::now(kind).of_source(source);
                let blocks = blocks::all(&mut connection, &which, Columns::References).await?;
                leading.push((kind, blocks));
            }
        }
        Ok(leading)
    }

    /// The numbers of everything that a reference can name; of identities by their bare ids.
    async fn known_names(&self) -> Result<Known, StoreError> {
        let mut known = NumberSet::default();
        known.reserve(self.roster_size().await?);
        let mut connection = self.readers().acquire().await?;
        for kind in [
            Kind::Identity,
            Kind::Account,
            Kind::Entitlement,
            Kind::Credential,
        ] {
            let which = Which::now(kind);
            blocks::each(&mut connection, &which, Columns::Keys, |block| {
                known.extend(block.places().filter_map(|place| block.keys.get(place)));
                Ok(())
            })
            .await?;
        }
        let carriers: HashSet<i64> =
            sqlx::query_scalar("SELECT DISTINCT source FROM carried WHERE kind = 'location'")
                .fetch_all(&mut *connection)
                .await?
                .into_iter()
                .collect();
        let which = Which::now(Kind::Location);
        blocks::each(&mut connection, &which, Columns::References, |block| {
            if carriers.contains(&block.source) {
                let paths = block
                    .places()
                    .filter_map(|p| Block::reference(&block.tos, p));
                known.extend(paths);
            }
            Ok(())
        })
        .await?;
        Ok(Known {
            numbers: known,
            qualified: false,
        })
    }

    /// The numbers by which references name identities of one source in particular: made when a
    /// bare id is not known, which is seldom.
    async fn learn_qualified(&self, known: &mut NumberSet) -> Result<(), StoreError> {
        let names = self.names()?;
        let sources = self.source_names().await?;
        let mut connection = self.readers().acquire().await?;
        every::each(&mut connection, Kind::Identity, None, At::Now, |standing| {
            let part: IdPart = serde_json::from_str(standing.fact)?;
            if let Some(source) = sources.get(&standing.source) {
                let id = format!("{source}:{}", part.id);
                known.insert(names.object(Kind::Identity, &[&id]));
            }
            Ok(())
        })
        .await
    }

    /// The references of a source's facts of a kind that lead nowhere.
    async fn broken_of(
        &self,
        kind: Kind,
        blocks: &[Block],
        known: &mut Known,
        broken: &mut Found,
    ) -> Result<(), StoreError> {
        let (mut from, mut to) = unknown(blocks, &known.numbers);
        let unsure = !from.is_empty() || !to.is_empty();
        if unsure && !known.qualified && names_identities(kind) {
            self.learn_qualified(&mut known.numbers).await?;
            known.qualified = true;
            (from, to) = unknown(blocks, &known.numbers);
        }
        let mut connection = self.readers().acquire().await?;
        for (end, rows) in [(Ref::From, from), (Ref::To, to)] {
            blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
                broken.add(&serde_json::from_str(block.fact(place)?)?, end);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

/// The rows whose references, at the one end and at the other, have no known number. Each number
/// is looked for somewhere in memory, so both halves are gone through at once.
fn unknown(blocks: &[Block], known: &NumberSet) -> (Vec<i64>, Vec<i64>) {
    let (one, other) = blocks.split_at(blocks.len() / 2);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| unknown_in(one, known));
        let other = unknown_in(other, known);
        match one.join() {
            Ok((mut from, mut to)) => {
                from.extend(other.0);
                to.extend(other.1);
                (from, to)
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn unknown_in(blocks: &[Block], known: &NumberSet) -> (Vec<i64>, Vec<i64>) {
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for block in blocks {
        for (numbers, unknown) in [(&block.froms, &mut from), (&block.tos, &mut to)] {
            // Facts that name the same often stand together.
            let mut last_known = None;
            for place in block.places() {
                match Block::reference(numbers, place).filter(|one| last_known != Some(*one)) {
                    Some(number) if known.contains(&number) => last_known = Some(number),
                    Some(_) => unknown.push(block.row(place)),
                    None => {}
                }
            }
        }
    }
    (from, to)
}

/// What references may name.
struct Known {
    numbers: NumberSet,
    /// Whether identities are known by `source:id` as well.
    qualified: bool,
}

#[derive(Deserialize)]
struct IdPart {
    id: String,
}

/// Whether facts of a kind name identities.
fn names_identities(kind: Kind) -> bool {
    match kind {
        Kind::Identity | Kind::Account | Kind::Owner | Kind::Task => true,
        Kind::Entitlement
        | Kind::Grant
        | Kind::Credential
        | Kind::Location
        | Kind::Reader
        | Kind::Control
        | Kind::Session => false,
    }
}

/// Broken references by kind and by what they name.
#[derive(Default)]
struct Found(BTreeMap<(Kind, &'static str), Broken>);

impl Found {
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
