//! Filters on ids: found among the numbers of names, eight bytes an object, so that only the facts
//! that match are unpacked.

use super::super::blocks::{self, Block, Columns, Tally, Which};
use super::super::names::{Names, NumberSet};
use super::super::{End, Store, StoreError};
use super::Asked;
use super::filters::Filters;
use lastkey_contract::Kind;
use lastkey_contract::facts::{ObjectType, PrincipalType};
use sqlx::SqliteConnection;

/// Where the numbers stand, and which of them are meant.
struct Wanted {
    end: End,
    numbers: NumberSet,
}

impl Store {
    /// How many rows of each block match, where the filters hold an id that can be looked up.
    pub(super) async fn looked_up(
        &self,
        connection: &mut SqliteConnection,
        asked: &Asked<'_>,
    ) -> Result<Option<Tally>, StoreError> {
        // Each fact's own system is among those that its kind was ever read of.
        let systems: Vec<String> = match asked.filters.value("system") {
            Some(system) => vec![system.to_owned()],
            None => {
                sqlx::query_scalar("SELECT DISTINCT system FROM carried WHERE kind = ?1")
                    .bind(asked.kind.word())
                    .fetch_all(&mut *connection)
                    .await?
            }
        };
        let Some(wanted) = wanted(asked.kind, &asked.filters, &systems, self.names()?) else {
            return Ok(None);
        };
        let columns = match wanted.end {
            End::From | End::To => Columns::References,
            End::Key => Columns::Keys,
        };
        let which = Which {
            at: asked.at,
            ..Which::now(asked.kind)
        };
        let mut rows = Vec::new();
        blocks::each(&mut *connection, &which, columns, |block| {
            let list = match wanted.end {
                End::From => &block.froms,
                End::To => &block.tos,
                End::Key => &block.keys,
            };
            let meant = |place: &usize| {
                Block::reference(list, *place).is_some_and(|n| wanted.numbers.contains(&n))
            };
            if asked.source(block.source) {
                rows.extend(block.places().filter(meant).map(|place| block.row(place)));
            }
            Ok(())
        })
        .await?;
        let mut tally = Tally::default();
        blocks::of_rows(connection, &rows, Columns::Facts, |block, place| {
            if asked.filters.hold(block.fact(place)?)? {
                tally.add(block.id, 1);
            }
            Ok(())
        })
        .await?;
        Ok(Some(tally))
    }
}

impl Filters<'_> {
    fn value(&self, column: &str) -> Option<&str> {
        let found = self.columns.iter().find(|one| one.column == column);
        found.map(|one| one.value)
    }
}

/// The numbers that one of the filters means; None where no filter is on an id that has one.
fn wanted(kind: Kind, filters: &Filters<'_>, systems: &[String], names: Names) -> Option<Wanted> {
    // Of an object of one of these systems.
    let of_systems = |target: Kind, id: &str| -> NumberSet {
        let number = |system: &String| names.object(target, &[system, id]);
        systems.iter().map(number).collect()
    };
    let one = |number: i64| NumberSet::from_iter([number]);
    let identity = |column: &str| {
        let id = filters.value(column)?;
        Some(one(names.object(Kind::Identity, &[id])))
    };
    let object = |target: Kind, column: &str| Some(of_systems(target, filters.value(column)?));
    // Which system a principal is of is not known without being told: it may be one that nobody reads.
    let principal = || {
        let (system, id) = (
            filters.value("principal_system")?,
            filters.value("principal_id")?,
        );
        let kinds = [PrincipalType::Account, PrincipalType::Entitlement];
        let number = |principal: PrincipalType| {
            let target = match principal {
                PrincipalType::Account => Kind::Account,
                PrincipalType::Entitlement => Kind::Entitlement,
            };
            names.object(target, &[system, id])
        };
        Some(kinds.into_iter().map(number).collect())
    };
    let own = || {
        let id = filters.value("id")?;
        Some(one(names.key(kind, id)))
    };
    let owned = || {
        let (word, id) = (filters.value("object_type")?, filters.value("object_id")?);
        let target = match ObjectType::from_word(word)? {
            ObjectType::Identity => return Some(one(names.object(Kind::Identity, &[id]))),
            ObjectType::Account => Kind::Account,
            ObjectType::Credential => Kind::Credential,
            ObjectType::Location => Kind::Location,
            ObjectType::Entitlement => Kind::Entitlement,
        };
        Some(of_systems(target, id))
    };
    let wanted = |end: End, numbers: Option<NumberSet>| {
        Some(Wanted {
            end,
            numbers: numbers?,
        })
    };
    match kind {
        Kind::Identity => wanted(End::Key, own())
            .or_else(|| wanted(End::From, identity("manager_id")))
            .or_else(|| wanted(End::To, identity("employer_id"))),
        Kind::Account => wanted(End::Key, object(kind, "id"))
            .or_else(|| wanted(End::From, identity("identity_id"))),
        Kind::Entitlement => wanted(End::Key, object(kind, "id")),
        Kind::Grant => wanted(End::From, principal())
            .or_else(|| wanted(End::To, object(Kind::Entitlement, "entitlement_id"))),
        Kind::Credential => wanted(End::Key, object(kind, "id"))
            .or_else(|| wanted(End::From, object(Kind::Account, "account_id"))),
        Kind::Location => wanted(End::To, object(Kind::Location, "path")),
        Kind::Reader => wanted(End::From, principal())
            .or_else(|| wanted(End::To, object(Kind::Location, "path"))),
        Kind::Control => wanted(End::From, principal())
            .or_else(|| wanted(End::To, object(Kind::Account, "account_id"))),
        Kind::Owner => wanted(End::From, identity("owner_id")).or_else(|| wanted(End::To, owned())),
        Kind::Session => wanted(End::From, object(Kind::Account, "account_id")),
        Kind::Task => wanted(End::Key, own())
            .or_else(|| wanted(End::From, identity("identity_id")))
            .or_else(|| wanted(End::To, object(Kind::Account, "account_id"))),
    }
}
