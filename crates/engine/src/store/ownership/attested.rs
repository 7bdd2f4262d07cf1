//! What people decided, window by window, for audit packages: who counts as confirmed, and every
//! decision, also what was taken back.

use super::super::{Store, StoreError};
use super::decisions::{OwnerDecision, OwnerVerdict, SELECT, decisions_after};
use super::lines::confirmed;
use crate::evidence::{ConfirmedOwner, DecidedOn, DecisionLine};
use crate::lifecycle::Basis;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::ObjectType;

/// A decision that counts: confirmed, not undone, and nothing else was decided of the line since.
const COUNTS: &str = "d.what = ?1 AND d.undoes IS NULL AND u.id IS NULL AND NOT EXISTS (
   SELECT 1 FROM owner_decisions l WHERE l.object_type = d.object_type
   AND l.object_system = d.object_system AND l.object_id = d.object_id
   AND l.owner_source = d.owner_source AND l.owner_id = d.owner_id AND l.role = d.role
   AND l.id > d.id AND l.undoes IS NULL
   AND NOT EXISTS (SELECT 1 FROM owner_decisions t WHERE t.undoes = l.id))";

impl Store {
    /// How many owners are confirmed.
    pub async fn confirmed_count(&self) -> Result<u64, StoreError> {
        let sql = format!(
            "SELECT count(*) FROM owner_decisions d LEFT JOIN owner_decisions u ON u.undoes = d.id
             WHERE {COUNTS}"
        );
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(OwnerVerdict::Confirmed.word())
            .fetch_one(self.readers())
            .await?;
        Ok(count.cast_unsigned())
    }

    /// A window of confirmed owners after the decision `after`, in the order in which they were
    /// confirmed; each with its decision, to go on from. Whether they are there is said of `at`.
    pub async fn confirmed_window(
        &self,
        after: i64,
        limit: u32,
        at: DateTime<Utc>,
    ) -> Result<Vec<(i64, ConfirmedOwner)>, StoreError> {
        let sql = format!("{SELECT} WHERE d.id > ?2 AND {COUNTS} ORDER BY d.id LIMIT ?3");
        let rows: Vec<OwnerDecision> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(OwnerVerdict::Confirmed.word())
            .bind(after)
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
        let (mut numbers, mut raw) = (Vec::new(), Vec::new());
        for row in rows {
            let (number, owner) = (row.id, format!("{}:{}", row.owner_source, row.owner_id));
            let (source, suggested) = (row.object_system.clone(), row.basis.clone());
            let line = confirmed(row)
                .ok_or_else(|| StoreError::damaged(format!("owner decision {number}")))?;
            numbers.push((number, source, owner, suggested));
            raw.push(line);
        }
        let lines = self.with_states(raw, at).await?;
        let owners = numbers.into_iter().zip(lines);
        Ok(owners
            .map(|((number, source, owner_id, suggested), line)| {
                let (confirmed_by, confirmed_at, why) = line.confirmed.unwrap_or_default();
                debug_assert_eq!(line.basis, Basis::Attested);
                let owner = ConfirmedOwner {
                    object_type: line.object_type,
                    object_id: match line.object_type {
                        ObjectType::Identity if source.is_empty() => line.object_id,
                        ObjectType::Identity => format!("{source}:{}", line.object_id),
                        ObjectType::Account
                        | ObjectType::Credential
                        | ObjectType::Location
                        | ObjectType::Entitlement => line.object_id,
                    },
                    system: line.system,
                    owner_id,
                    owner_name: line.owner_name,
                    role: line.role,
                    state: line.state,
                    confirmed_at,
                    confirmed_by,
                    why,
                    suggested,
                };
                (number, owner)
            })
            .collect())
    }

    /// A window of the decisions on one thing after the decision `after`, in the order in which
    /// they were taken.
    pub async fn decision_lines(
        &self,
        about: DecidedOn,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DecisionLine>, StoreError> {
        let lines = match about {
            DecidedOn::Link => {
                let rows = self.decisions_after(after, limit).await?;
                rows.into_iter()
                    .map(|row| DecisionLine {
                        about,
                        number: row.id,
                        at: row.at,
                        by: row.who,
                        says: row.what,
                        subject: format!("{}:{}", row.scope, row.name),
                        identity: row
                            .other_scope
                            .zip(row.other_name)
                            .map(|(source, id)| format!("{source}:{id}")),
                        role: None,
                        why: row.why,
                        suggested: String::new(),
                        undoes: row.undoes,
                    })
                    .collect()
            }
            DecidedOn::Owner => {
                let mut reading = self.readers().acquire().await?;
                let rows = decisions_after(&mut reading, after, limit).await?;
                rows.into_iter()
                    .map(|row| DecisionLine {
                        about,
                        number: row.id,
                        at: row.at,
                        by: row.who,
                        says: row.what,
                        subject: format!(
                            "{}:{}:{}",
                            row.object_type, row.object_system, row.object_id
                        ),
                        identity: Some(format!("{}:{}", row.owner_source, row.owner_id)),
                        role: Some(row.role),
                        why: row.why,
                        suggested: row.basis,
                        undoes: row.undoes,
                    })
                    .collect()
            }
        };
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decide, estate};
    use super::*;
    use crate::collect::tests::now;

    #[tokio::test]
    async fn a_package_gets_who_counts_as_owner_and_every_decision() {
        let bench = estate().await;
        let (yes, no) = (OwnerVerdict::Confirmed, OwnerVerdict::Rejected);
        decide(&bench, "credential:corp:k1", "p1", yes).await;
        let undone = decide(&bench, "credential:corp:k2", "p1", yes).await;
        decide(&bench, "credential:corp:k4", "p1", yes).await;
        decide(&bench, "credential:corp:k4", "p1", no).await;
        decide(&bench, "identity:hr:wl-2", "p2", no).await;
        decide(&bench, "identity:hr:wl-2", "p2", yes).await;
        bench
            .store
            .undo_owner_decisions(&[undone], "a mistake", now())
            .await
            .unwrap();
        let mut owners = Vec::new();
        let mut after = 0;
        loop {
            let window = bench.store.confirmed_window(after, 1, now()).await.unwrap();
            let Some((last, owner)) = window.into_iter().next() else {
                break;
            };
            after = last;
            owners.push(format!(
                "{} {} {} {}",
                owner.object_id,
                owner.owner_id,
                owner.role,
                owner.state.word()
            ));
            assert_eq!(
                (owner.why.as_str(), owner.confirmed_by.is_empty()),
                ("asked them", false)
            );
        }
        assert_eq!(
            owners,
            ["k1 hr:p1 technical present", "hr:wl-2 hr:p2 technical left"],
            "what was rejected or undone is no owner, and a later yes counts"
        );
        assert_eq!(bench.store.confirmed_count().await.unwrap(), 2);
        let decided = bench.store.decision_lines(DecidedOn::Owner, 0, 10);
        let decided = decided.await.unwrap();
        assert_eq!(decided.len(), 7);
        let last = decided.last().unwrap();
        assert_eq!((last.says.as_str(), last.undoes), ("undone", Some(2)));
        assert_eq!(last.subject, "credential:corp:k2");
    }
}
