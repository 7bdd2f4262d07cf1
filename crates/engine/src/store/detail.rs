//! Lookups along the references of current facts, for the page of one identity.

use super::blocks::{self, At, Block, Columns, Which};
use super::link_rules::Bases;
use super::names::{End, NumberSet};
use super::{RecordName, Store, StoreError, SyncId};
use crate::lifecycle::Basis;
use lastkey_contract::facts::{Account, Credential, Identity, Location};
use lastkey_contract::{Fact, Kind};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// An account of a person, and by which rule.
pub(crate) struct PersonLink {
    pub source: String,
    pub account: Account,
    pub rule: String,
    pub basis: Basis,
}

impl Store {
    /// Current facts of a kind with one of these texts at the given end, with their source's row.
    pub(crate) async fn facts_at<T: DeserializeOwned>(
        &self,
        kind: Kind,
        end: End,
        names: &[String],
    ) -> Result<Vec<(i64, T)>, StoreError> {
        self.facts_then(kind, end, names, None).await
    }

    /// The same as they stood after a sync; None for now.
    pub(crate) async fn facts_then<T: DeserializeOwned>(
        &self,
        kind: Kind,
        end: End,
        names: &[String],
        as_of: Option<SyncId>,
    ) -> Result<Vec<(i64, T)>, StoreError> {
        let which = Which {
            at: At::of(as_of),
            ..Which::now(kind)
        };
        let numbers = self.names()?;
        let wanted: NumberSet = names
            .iter()
            .map(|name| match end {
                End::From | End::To => numbers.reference(kind, end, name),
                End::Key => numbers.key(kind, name),
            })
            .collect();
        let columns = match end {
            End::From | End::To => Columns::References,
            End::Key => Columns::Marks,
        };
        let mut rows = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::each(&mut connection, &which, columns, |block| {
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
            let text = block.fact(place)?;
            let key = serde_json::from_str::<Fact>(text)?.key();
            facts.push((key, block.source, serde_json::from_str(text)?));
            Ok(())
        })
        .await?;
        facts.sort_by(|(a, a_source, _), (b, b_source, _)| (a, a_source).cmp(&(b, b_source)));
        Ok(facts
            .into_iter()
            .map(|(_, source, fact)| (source, fact))
            .collect())
    }

    /// The records with an id as they stood after a sync, each with the name of its source.
    pub(crate) async fn identity_then(
        &self,
        id: &str,
        sync: SyncId,
    ) -> Result<Vec<(String, Identity)>, StoreError> {
        self.sync_record(sync).await?;
        self.refuse_before_horizon(sync, None).await?;
        let names = self.source_names().await?;
        let found: Vec<(i64, Identity)> = self
            .facts_then(Kind::Identity, End::Key, &[id.to_owned()], Some(sync))
            .await?;
        Ok(found
            .into_iter()
            .map(|(source, fact)| (names.get(&source).cloned().unwrap_or_default(), fact))
            .collect())
    }

    /// The records that a text named after a sync (a bare id, or `source:id`), and what they were
    /// called.
    pub async fn records_listed(
        &self,
        text: &str,
        sync: SyncId,
    ) -> Result<Vec<(RecordName, Option<String>)>, StoreError> {
        let named = |(source, fact): (String, Identity)| {
            let id = fact.id.to_string();
            (RecordName { source, id }, fact.display_name)
        };
        let bare = self.identity_then(text, sync).await?;
        if !bare.is_empty() {
            return Ok(bare.into_iter().map(named).collect());
        }
        let Some((source, id)) = text.split_once(':') else {
            return Ok(Vec::new());
        };
        let found = self.identity_then(id, sync).await?.into_iter();
        Ok(found.filter(|(s, _)| s == source).map(named).collect())
    }

    /// The accounts of an identity's person: of all its records.
    pub(crate) async fn accounts_of(
        &self,
        identity_source: &str,
        identity: &str,
    ) -> Result<Vec<PersonLink>, StoreError> {
        let linked: Vec<(i64, String)> = sqlx::query_as(
            "SELECT l.account, l.rule FROM links l
             WHERE l.state = 0 AND (l.identity_source, l.identity_id) IN
               (SELECT s.id, ?1 FROM sources s WHERE s.name = ?2 AND s.removed_at IS NULL
                UNION SELECT r.source, r.id FROM sources s
                JOIN person_records m ON m.source = s.id AND m.id = ?1
                JOIN person_records r ON r.person = m.person
                WHERE s.name = ?2 AND s.removed_at IS NULL)
             ORDER BY l.account",
        )
        .bind(identity)
        .bind(identity_source)
        .fetch_all(self.readers())
        .await?;
        let names = self.source_names().await?;
        let rows: Vec<i64> = linked.iter().map(|(row, _)| *row).collect();
        let rules: HashMap<i64, String> = linked.into_iter().collect();
        let mut found: Vec<PersonLink> = Vec::new();
        let mut connection = self.readers().acquire().await?;
        let bases = Bases::read(&mut connection).await?;
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
            let source = names.get(&block.source).cloned().unwrap_or_default();
            let rule = rules.get(&block.row(place)).cloned().unwrap_or_default();
            found.push(PersonLink {
                basis: bases.of(&source, &rule),
                source,
                account: serde_json::from_str(block.fact(place)?)?,
                rule,
            });
            Ok(())
        })
        .await?;
        found.sort_by(|a, b| {
            let key = |link: &PersonLink| (link.account.system.clone(), link.account.id.clone());
            key(a).cmp(&key(b))
        });
        Ok(found)
    }

    /// The current fact with its whole payload of one identity.
    pub(crate) async fn identity_fact(
        &self,
        object: i64,
    ) -> Result<lastkey_contract::facts::Identity, StoreError> {
        let mut fact = None;
        let mut connection = self.readers().acquire().await?;
        blocks::of_rows(
            &mut connection,
            &[object],
            Columns::Facts,
            |block, place| {
                fact = Some(serde_json::from_str(block.fact(place)?)?);
                Ok(())
            },
        )
        .await?;
        fact.ok_or_else(|| StoreError::damaged("an identity in the list has no fact"))
    }

    /// The locations where a credential stands: by its id, or by its own fingerprint.
    pub(crate) async fn places_of(
        &self,
        credential: &Credential,
    ) -> Result<Vec<Location>, StoreError> {
        let number = self.names()?.object(
            Kind::Credential,
            &[credential.system.as_str(), credential.id.as_str()],
        );
        let fingerprint = credential.fingerprint.as_ref().map(|f| f.as_str());
        let fingerprint = fingerprint.filter(|text| !text.is_empty());
        let columns = match fingerprint {
            None => Columns::References,
            Some(_) => Columns::All,
        };
        let mut rows = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::each(
            &mut connection,
            &Which::now(Kind::Location),
            columns,
            |block| {
                for place in block.places() {
                    let named = Block::reference(&block.froms, place) == Some(number);
                    // The text is looked at before the fact is: nearly none has it.
                    if named
                        || fingerprint
                            .is_some_and(|f| block.fact(place).is_ok_and(|t| t.contains(f)))
                    {
                        rows.push(block.row(place));
                    }
                }
                Ok(())
            },
        )
        .await?;
        let mut places: Vec<Location> = Vec::new();
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
            let location: Location = serde_json::from_str(block.fact(place)?)?;
            let named = location.credential_id.as_ref() == Some(&credential.id)
                && location
                    .credential_system
                    .as_ref()
                    .unwrap_or(&location.system)
                    == &credential.system;
            let printed = fingerprint.is_some()
                && location.fingerprint.as_ref().map(|f| f.as_str()) == fingerprint;
            if (named || printed) && !places.contains(&location) {
                places.push(location);
            }
            Ok(())
        })
        .await?;
        places.sort_by(|a, b| (&a.system, &a.path).cmp(&(&b.system, &b.path)));
        Ok(places)
    }
}
