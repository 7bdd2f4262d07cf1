//! Table `policies`: every access policy that was put here, as a draft or to count, and by whom.

use super::blocks::{At, Block, Columns, Listing};
use super::log::{append, sha256_hex};
use super::together::each_once;
use super::{Store, StoreError};
use crate::policy::Holding;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Entitlement;
use lastkey_contract::when::rfc3339;
use std::collections::HashMap;
use tokio::sync::Mutex;

pub(super) const MIGRATION: &str = "
CREATE TABLE policies (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  standing TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  rules INTEGER NOT NULL
) STRICT;
CREATE INDEX policies_by_standing ON policies (standing, id);
";

/// What a policy is put here as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyStanding {
    /// It is looked at beside the active one and decides nothing.
    Draft,
    /// It counts.
    Active,
}

impl PolicyStanding {
    /// The word as it stands in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            PolicyStanding::Draft => "draft",
            PolicyStanding::Active => "active",
        }
    }

    fn done(self) -> &'static str {
        match self {
            PolicyStanding::Draft => "policy drafted",
            PolicyStanding::Active => "policy loaded",
        }
    }
}

/// A policy as it was put here.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PolicyRecord {
    pub at: String,
    pub who: String,
    /// `draft` or `active`.
    pub standing: String,
    pub name: String,
    pub text: String,
    pub sha256: String,
    pub rules: i64,
}

impl Store {
    /// Keeps a policy; the caller has parsed it and counted its rules.
    pub async fn save_policy(
        &self,
        standing: PolicyStanding,
        name: &str,
        text: &str,
        rules: u64,
        now: DateTime<Utc>,
    ) -> Result<PolicyRecord, StoreError> {
        let policy = PolicyRecord {
            at: rfc3339(now),
            who: self.operator().to_owned(),
            standing: standing.word().to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
            sha256: sha256_hex(text.as_bytes()),
            rules: rules.cast_signed(),
        };
        let mut writing = self.begin().await?;
        sqlx::query(
            "INSERT INTO policies (at, who, standing, name, text, sha256, rules)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(&policy.at)
        .bind(&policy.who)
        .bind(&policy.standing)
        .bind(&policy.name)
        .bind(&policy.text)
        .bind(&policy.sha256)
        .bind(policy.rules)
        .execute(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({"name": name, "sha256": policy.sha256});
        let what = standing.done();
        append(&mut writing.tx, self.operator(), what, &payload, now).await?;
        writing.commit().await?;
        Ok(policy)
    }

    /// The latest policy of a standing; a draft that has become active since is none, and neither is
    /// one before it, whose place it took.
    pub async fn policy(
        &self,
        standing: PolicyStanding,
    ) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT at, who, standing, name, text, sha256, rules FROM policies p
             WHERE id = (SELECT max(id) FROM policies WHERE standing = ?1) AND NOT EXISTS (
               SELECT 1 FROM policies later
               WHERE p.standing = 'draft' AND later.standing = 'active'
                 AND later.id > p.id AND later.sha256 = p.sha256)",
        )
        .bind(standing.word())
        .fetch_optional(self.readers())
        .await?)
    }

    /// What is known of every entitlement now, by system and id; of what several sources
    /// say, the one that speaks for it goes first.
    pub async fn holdings(&self) -> Result<HashMap<(String, String), Holding>, StoreError> {
        let mut reading = self.readers().begin().await?;
        let listing = Listing::read(&mut reading, At::Now).await?;
        let mut all: Vec<Entitlement> = Vec::new();
        let entitlements = listing.all(Kind::Entitlement, Columns::Facts);
        let take = |block: &Block| {
            block.places().try_for_each(|place| {
                all.push(serde_json::from_str(block.fact(place)?)?);
                Ok(())
            })
        };
        entitlements.each(&Mutex::new(&mut *reading), take).await?;
        let named = each_once(all).into_iter().map(|fact| {
            let holding = Holding::from(&fact);
            ((holding.system.clone(), holding.id.clone()), holding)
        });
        Ok(named.collect())
    }

    /// A window of everything that was put here, latest first.
    pub async fn policies(&self, offset: u64, limit: u32) -> Result<Vec<PolicyRecord>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT at, who, standing, name, text, sha256, rules FROM policies
             ORDER BY id DESC LIMIT ?1 OFFSET ?2",
        )
        .bind(limit)
        .bind(offset.cast_signed())
        .fetch_all(self.readers())
        .await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::seeded::Seeded;
    use crate::collect::tests::{bench, now, quick, read_with};
    use lastkey_contract::Fact;

    #[tokio::test]
    async fn what_a_supplement_knows_of_an_entitlement_policies_may_ask_about() {
        let bench = bench(&["own"]).await;
        let more = "more".into();
        let settings = [("supplement".to_owned(), "true".to_owned())];
        let settings = lastkey_contract::Settings(settings.into());
        let add = bench.store.add_source(&more, "seeded", &settings, now());
        add.await.unwrap();
        let told = |more: serde_json::Value| {
            let mut fact = serde_json::json!({"fact": "entitlement", "system": "erp", "id": "x"});
            fact.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let fact: Fact = serde_json::from_value(fact).unwrap();
            Seeded::new(9).with(Kind::Entitlement, vec![fact])
        };
        let more = told(serde_json::json!({"privileged": true, "kind": "role"}));
        let own = told(serde_json::json!({"kind": "group"}));
        for (source, connector) in [("more", more), ("own", own)] {
            let settings = quick();
            read_with(&bench, source, &connector, &settings)
                .await
                .unwrap();
        }
        let all = bench.store.holdings().await.unwrap();
        let holding = all.values().next().unwrap();
        assert_eq!((all.len(), holding.privileged), (1, Some(true)));
        assert_eq!(holding.kind.as_deref(), Some("group"));
    }

    #[tokio::test]
    async fn a_draft_stands_beside_until_it_counts() {
        let bench = bench(&[]).await;
        let store = &bench.store;
        assert_eq!(store.policy(PolicyStanding::Active).await.unwrap(), None);
        let name = |found: Option<PolicyRecord>| found.map(|policy| policy.name);
        for (standing, policy) in [
            (PolicyStanding::Active, "old"),
            (PolicyStanding::Draft, "replaced"),
            (PolicyStanding::Draft, "new"),
        ] {
            let save = store.save_policy(standing, policy, policy, 1, now());
            save.await.unwrap();
        }
        let active = store.policy(PolicyStanding::Active).await.unwrap();
        assert_eq!(name(active).as_deref(), Some("old"));
        let draft = store.policy(PolicyStanding::Draft).await.unwrap();
        assert_eq!(name(draft).as_deref(), Some("new"));
        let save = store.save_policy(PolicyStanding::Active, "new", "new", 1, now());
        save.await.unwrap();
        // What the newer draft took the place of does not come back.
        assert_eq!(store.policy(PolicyStanding::Draft).await.unwrap(), None);
        let all = store.policies(0, 10).await.unwrap();
        let all: Vec<(&str, &str)> = all
            .iter()
            .map(|one| (one.standing.as_str(), one.name.as_str()))
            .collect();
        assert_eq!(
            all,
            [
                ("active", "new"),
                ("draft", "new"),
                ("draft", "replaced"),
                ("active", "old")
            ]
        );
        let log = store.log_window(0, 100).await.unwrap();
        let said = log.iter().filter(|entry| entry.what.starts_with("policy"));
        assert_eq!(said.count(), 4);
    }
}
