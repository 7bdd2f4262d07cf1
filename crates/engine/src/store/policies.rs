//! Table `policies`: every access policy that was put here, as a draft or to count, and by whom.

use super::blocks::At;
use super::log::{append, sha256_hex};
use super::{Store, StoreError, every};
use crate::policy::Holding;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Entitlement;
use lastkey_contract::when::rfc3339;
use std::collections::HashMap;

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

    /// The latest policy of a standing; a draft that has become active since is none.
    pub async fn policy(
        &self,
        standing: PolicyStanding,
    ) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT at, who, standing, name, text, sha256, rules FROM policies p
             WHERE standing = ?1 AND NOT EXISTS (
               SELECT 1 FROM policies later
               WHERE p.standing = 'draft' AND later.standing = 'active'
                 AND later.id > p.id AND later.sha256 = p.sha256)
             ORDER BY id DESC LIMIT 1",
        )
        .bind(standing.word())
        .fetch_optional(self.readers())
        .await?)
    }

    /// What is known of every entitlement now, by system and id; of several rows the first stands.
    pub async fn holdings(&self) -> Result<HashMap<(String, String), Holding>, StoreError> {
        let mut connection = self.readers().acquire().await?;
        let mut all = HashMap::new();
        every::each(
            &mut connection,
            Kind::Entitlement,
            None,
            At::Now,
            |standing| {
                let fact: Entitlement = serde_json::from_str(standing.fact)?;
                let holding = Holding::from(&fact);
                let name = (holding.system.clone(), holding.id.clone());
                all.entry(name).or_insert(holding);
                Ok(())
            },
        )
        .await?;
        Ok(all)
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
    use crate::collect::tests::{bench, now};

    #[tokio::test]
    async fn a_draft_stands_beside_until_it_counts() {
        let bench = bench(&[]).await;
        let store = &bench.store;
        assert_eq!(store.policy(PolicyStanding::Active).await.unwrap(), None);
        let name = |found: Option<PolicyRecord>| found.map(|policy| policy.name);
        for (standing, policy) in [
            (PolicyStanding::Active, "old"),
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
        assert_eq!(store.policy(PolicyStanding::Draft).await.unwrap(), None);
        let all = store.policies(0, 10).await.unwrap();
        let all: Vec<(&str, &str)> = all
            .iter()
            .map(|one| (one.standing.as_str(), one.name.as_str()))
            .collect();
        assert_eq!(
            all,
            [("active", "new"), ("draft", "new"), ("active", "old")]
        );
        let log = store.log_window(0, 100).await.unwrap();
        let said = log.iter().filter(|entry| entry.what.starts_with("policy"));
        assert_eq!(said.count(), 3);
    }
}
