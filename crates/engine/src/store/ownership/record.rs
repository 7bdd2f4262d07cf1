//! Table `owner_lines`, and what one decision changes in the lists that are ready.

use super::super::blocks::At;
use super::super::names::Names;
use super::super::{StoreError, every};
use super::NO_SOURCE;
use super::decisions::{NewOwnerDecision, OwnedBy, OwnerDecision, OwnerVerdict};
use super::derive::owned_number;
use super::known::{Holder, Known, Line};
use super::rows::{self, line_of_decision, line_of_source};
use crate::ownership::{ObjectName, OwnerState, Standing};
use lastkey_contract::Kind;
use lastkey_contract::facts::{ObjectType, Owner, OwnerRole};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// One row of `owner_lines`.
#[derive(Hash)]
pub(super) struct LineRow {
    /// None of a line that follows a decision: it is written anew when the lists are made.
    pub number: Option<i64>,
    object_type: ObjectType,
    system: String,
    object_id: String,
    owner_id: String,
    owner_name: Option<String>,
    role: OwnerRole,
    state: OwnerState,
    known: KnownBy,
}

/// Who says that somebody is an owner.
#[derive(Hash)]
enum KnownBy {
    Source {
        name: String,
        first_sync: i64,
        attributes: Option<String>,
    },
    Somebody {
        at: String,
        who: String,
        why: String,
    },
}

/// Every owner line with whether the owner is there: what sources say, then what people say.
pub(super) async fn lines(
    reading: &mut SqliteConnection,
    known: &Known,
) -> Result<Vec<LineRow>, StoreError> {
    let mut rows: Vec<LineRow> = Vec::new();
    every::each(reading, Kind::Owner, None, At::Now, |standing| {
        let fact: Owner = serde_json::from_str(standing.fact)?;
        let line = Line {
            source: standing.source,
            owner_id: fact.owner_id.to_string(),
            role: fact.role,
            holder: Holder::Same,
        };
        let attributes = match fact.attributes.is_empty() {
            true => None,
            false => Some(serde_json::to_string(&fact.attributes)?),
        };
        rows.push(LineRow {
            number: Some(line_of_source(standing.row)),
            object_type: fact.object_type,
            system: fact.system.map_or_else(String::new, |s| s.to_string()),
            object_id: fact.object_id,
            owner_name: known.owner_name(&line),
            state: known.state(&line),
            owner_id: line.owner_id,
            role: fact.role,
            known: KnownBy::Source {
                name: known
                    .sources
                    .get(&standing.source)
                    .cloned()
                    .unwrap_or_default(),
                first_sync: standing.first_sync,
                attributes,
            },
        });
        Ok(())
    })
    .await?;
    let mut confirmed: Vec<(&OwnedBy, &OwnerDecision)> = known
        .decided
        .iter()
        .filter(|(_, decision)| decision.what == OwnerVerdict::Confirmed.word())
        .collect();
    confirmed.sort_by_key(|(_, decision)| decision.id);
    for (about, decision) in confirmed {
        let line = Line {
            source: NO_SOURCE,
            owner_id: about.owner.to_string(),
            role: about.role,
            holder: known.given_on.holder(decision.id),
        };
        let then = known.given_on.name_then(decision.id);
        rows.push(LineRow {
            number: Some(line_of_decision(decision.id)),
            object_type: about.object.kind,
            system: listed_system(&about.object),
            object_id: about.object.id.clone(),
            owner_name: then.map_or_else(|| known.owner_name(&line), |name| Some(name.to_owned())),
            state: known.state(&line),
            owner_id: match known.people.referred(&about.owner.id, NO_SOURCE).as_slice() {
                [_] => about.owner.id.clone(),
                [] | [_, _, ..] => line.owner_id,
            },
            role: about.role,
            known: KnownBy::Somebody {
                at: decision.at.clone(),
                who: decision.who.clone(),
                why: decision.why.clone(),
            },
        });
    }
    Ok(rows)
}

/// Writes lines, each with its mark.
pub(super) async fn put_lines(
    connection: &mut SqliteConnection,
    rows: &[(i64, LineRow)],
) -> Result<(), StoreError> {
    for part in rows.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT OR REPLACE INTO owner_lines (id, mark, object_type, system, object_id, owner_id, owner_name, role,
             state, basis, source, first_sync, attributes, confirmed_at, confirmed_by, why) ",
        );
        insert.push_values(part, |mut values, (mark, row)| {
            values
                .push_bind(row.number)
                .push_bind(*mark)
                .push_bind(row.object_type.word())
                .push_bind(row.system.as_str())
                .push_bind(row.object_id.as_str())
                .push_bind(row.owner_id.as_str())
                .push_bind(row.owner_name.as_deref())
                .push_bind(row.role.word())
                .push_bind(row.state.word());
            match &row.known {
                KnownBy::Source {
                    name,
                    first_sync,
                    attributes,
                } => values
                    .push_bind("observed")
                    .push_bind(Some(name.as_str()))
                    .push_bind(Some(*first_sync))
                    .push_bind(attributes.as_deref())
                    .push_bind(None::<&str>)
                    .push_bind(None::<&str>)
                    .push_bind(None::<&str>),
                KnownBy::Somebody { at, who, why } => values
                    .push_bind("attested")
                    .push_bind(None::<&str>)
                    .push_bind(None::<i64>)
                    .push_bind(None::<&str>)
                    .push_bind(Some(at.as_str()))
                    .push_bind(Some(who.as_str()))
                    .push_bind(Some(why.as_str())),
            };
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// What follows from one decision for the lists that are ready: nothing else is looked at again.
pub(super) async fn follow(
    connection: &mut SqliteConnection,
    names: Names,
    new: &NewOwnerDecision,
    (who, at): &(&str, String),
) -> Result<(), StoreError> {
    let OwnedBy {
        object,
        owner,
        role,
    } = &new.about;
    let number = owned_number(names, object);
    rows::written(&mut *connection).await?;
    sqlx::query(
        "UPDATE owner_suggestions SET open = 0, mark = 0 WHERE object = ?1 AND role = ?2
         AND (?5 OR (owner_source = ?3 AND owner_id = ?4))",
    )
    .bind(number)
    .bind(role.word())
    .bind(&owner.source)
    .bind(&owner.id)
    .bind(new.verdict == OwnerVerdict::Confirmed && new.owner_state == OwnerState::Present)
    .execute(&mut *connection)
    .await?;
    let attested =
        "DELETE FROM owner_lines WHERE object_type = ?1 AND system = ?2 AND object_id = ?3
         AND owner_id = ?4 AND role = ?5 AND basis = 'attested'";
    let replaced = sqlx::query(attested)
        .bind(object.kind.word())
        .bind(listed_system(object))
        .bind(&object.id)
        .bind(&new.owner_shown)
        .bind(role.word())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    match new.verdict {
        OwnerVerdict::Rejected if replaced == 0 => Ok(()),
        // An owner was taken away: what is left has to be looked at as a whole.
        OwnerVerdict::Rejected => super::mark_stale(connection).await,
        OwnerVerdict::Confirmed => {
            let row = LineRow {
                number: None,
                object_type: object.kind,
                system: listed_system(object),
                object_id: object.id.clone(),
                owner_id: new.owner_shown.clone(),
                owner_name: new.owner_name.clone(),
                role: *role,
                state: new.owner_state,
                known: KnownBy::Somebody {
                    at: at.clone(),
                    who: (*who).to_owned(),
                    why: new.why.clone(),
                },
            };
            put_lines(connection, &[(0, row)]).await?;
            if *role == OwnerRole::Custodian {
                return Ok(());
            }
            // How it stands, and who is suggested in place of somebody who is not there, has to be
            // looked at as a whole.
            if new.owner_state != OwnerState::Present || replaced > 0 {
                return super::mark_stale(connection).await;
            }
            sqlx::query(
                "UPDATE owned SET standing = ?2, owners = owners + 1, mark = 0 WHERE number = ?1",
            )
            .bind(number)
            .bind(Standing::Owned.word())
            .execute(&mut *connection)
            .await?;
            Ok(())
        }
    }
}

/// What stands in the column `system` of owner lines: nothing for an identity.
fn listed_system(object: &ObjectName) -> String {
    match object.kind {
        ObjectType::Identity => String::new(),
        ObjectType::Account
        | ObjectType::Credential
        | ObjectType::Location
        | ObjectType::Entitlement => object.system.clone(),
    }
}
