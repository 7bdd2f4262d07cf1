//! Lookups along the references of current facts, for the page of one identity.

use super::blocks::{self, Columns, Which};
use super::names::End;
use super::{Store, StoreError};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, Credential, Location};
use serde::de::DeserializeOwned;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::HashSet;

/// An account of a person, and by which rule.
pub(crate) struct PersonLink {
    pub source: String,
    pub account: Account,
    pub rule: String,
}

impl Store {
    /// Current facts of a kind with one of these texts at the given end, with their source's row.
    pub(crate) async fn facts_at<T: DeserializeOwned>(
        &self,
        kind: Kind,
        end: End,
        names: &[String],
    ) -> Result<Vec<(i64, T)>, StoreError> {
        if blocks::hold(kind) {
            return self.packed_facts_at(kind, end, names).await;
        }
        let numbers = self.names()?;
        let column = match end {
            End::From => "from_number",
            End::To => "to_number",
            End::Key => "key",
        };
        let mut facts = Vec::new();
        for part in names.chunks(1000) {
            let mut select = QueryBuilder::<Sqlite>::new(
                "SELECT source, payload FROM objects WHERE ended_sync IS NULL AND kind = ",
            );
            select.push_bind(kind.word());
            select.push(format!(" AND {column} IN ("));
            let mut list = select.separated(", ");
            for name in part {
                match end {
                    End::From | End::To => list.push_bind(numbers.reference(kind, end, name)),
                    End::Key => list.push_bind(name.as_str()),
                };
            }
            select.push(") ORDER BY key, source, id");
            let rows: Vec<(i64, String)> =
                select.build_query_as().fetch_all(self.readers()).await?;
            for (source, payload) in rows {
                facts.push((source, serde_json::from_str(&payload)?));
            }
        }
        Ok(facts)
    }

    /// The same of a kind that is kept in blocks.
    async fn packed_facts_at<T: DeserializeOwned>(
        &self,
        kind: Kind,
        end: End,
        names: &[String],
    ) -> Result<Vec<(i64, T)>, StoreError> {
        let numbers = self.names()?;
        let wanted: HashSet<i64> = names
            .iter()
            .map(|name| match end {
                End::From | End::To => numbers.reference(kind, end, name),
                End::Key => numbers.of(name),
            })
            .collect();
        let columns = match end {
            End::From | End::To => Columns::References,
            End::Key => Columns::Marks,
        };
        let mut rows = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::each(&mut connection, &Which::now(kind), columns, |block| {
            let list = match end {
                End::From => &block.froms,
                End::To => &block.tos,
                End::Key => &block.keys,
            };
            let found = block
                .places()
                .filter(|place| list.get(*place).is_some_and(|n| wanted.contains(n)));
            rows.extend(found.map(|place| block.row(place)));
            Ok(())
        })
        .await?;
        let mut facts = Vec::new();
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
            facts.push((block.source, serde_json::from_str(block.fact(place)?)?));
            Ok(())
        })
        .await?;
        Ok(facts)
    }

    /// The accounts of an identity.
    pub(crate) async fn accounts_of(
        &self,
        identity_source: &str,
        identity: &str,
    ) -> Result<Vec<PersonLink>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT a.name, o.payload, l.rule FROM links l JOIN objects o ON o.id = l.account
             JOIN sources a ON a.id = o.source JOIN sources s ON s.id = l.identity_source
             WHERE l.identity_id = ?1 AND s.name = ?2 AND s.removed_at IS NULL ORDER BY o.key",
        )
        .bind(identity)
        .bind(identity_source)
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(source, payload, rule)| {
                Ok(PersonLink {
                    source,
                    account: serde_json::from_str(&payload)?,
                    rule,
                })
            })
            .collect()
    }

    /// The current fact with its whole payload of one identity.
    pub(crate) async fn identity_fact(
        &self,
        object: i64,
    ) -> Result<lastkey_contract::facts::Identity, StoreError> {
        let (payload,): (String,) = sqlx::query_as("SELECT payload FROM objects WHERE id = ?1")
            .bind(object)
            .fetch_one(self.readers())
            .await?;
        Ok(serde_json::from_str(&payload)?)
    }

    /// The locations where a credential stands: by its id, or by its own fingerprint.
    pub(crate) async fn places_of(
        &self,
        credential: &Credential,
    ) -> Result<Vec<Location>, StoreError> {
        let fingerprint = credential.fingerprint.as_ref().map(|f| f.as_str());
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT payload FROM objects WHERE ended_sync IS NULL AND kind = 'location' AND from_number = ?1
             UNION
             SELECT payload FROM objects WHERE ended_sync IS NULL AND kind = 'location'
             AND json_extract(payload, '$.fingerprint') = ?2 AND ?2 <> ''",
        )
        .bind(
            self.names()?.object(
                Kind::Credential,
                &[credential.system.as_str(), credential.id.as_str()],
            ),
        )
        .bind(fingerprint)
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(payload,)| Ok(serde_json::from_str(&payload)?))
            .collect()
    }

    /// Name and row of a current identity, for lines that name one.
    pub(crate) async fn name_of(&self, identity: &str) -> Result<Option<String>, StoreError> {
        let found = self.find_identity(identity).await?;
        Ok(match found.as_slice() {
            [one] => one.display_name.clone(),
            [] | [_, _, ..] => None,
        })
    }
}
