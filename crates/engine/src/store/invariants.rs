//! What must hold of what is stored, beyond what one table can say of itself: facts are what their
//! hashes and numbers say, no object stands twice, what stands is what the last whole read counted,
//! what leads nowhere was said, and the list of identities is the list of identities.

use super::blocks::{self, At, Columns, Which};
use super::objects::ObjectRow;
use super::{Store, StoreError, links, references};
use lastkey_contract::{Fact, Kind};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashSet};

impl Store {
    /// What does not hold, one sentence each.
    pub(super) async fn broken_invariants(&self) -> Result<Vec<String>, StoreError> {
        let mut problems = self.fact_problems().await?;
        let mut connection = self.readers().acquire().await?;
        problems.extend(twice(&mut connection).await?);
        problems.extend(miscounted(&mut connection).await?);
        problems.extend(unlisted(&mut connection).await?);
        problems.extend(mislinked(&mut connection).await?);
        drop(connection);
        problems.extend(self.unsaid_references().await?);
        Ok(problems)
    }

    /// INVARIANT: a fact hashes to its stored hash, and its numbers are those of its names.
    async fn fact_problems(&self) -> Result<Vec<String>, StoreError> {
        let names = self.names()?;
        let mut odd: BTreeMap<Kind, u64> = BTreeMap::new();
        let every = Which {
            kind: None,
            source: None,
            at: At::Ever,
        };
        let mut connection = self.readers().acquire().await?;
        blocks::each(&mut connection, &every, Columns::All, |block| {
            for place in block.places() {
                let holds = block.fact(place).and_then(|text| {
                    let fact: Fact = serde_json::from_str(text)?;
                    let row = ObjectRow::of(&fact, names)?;
                    Ok(row.payload == text
                        && fact.kind() == block.kind
                        && (!block.is_outlined()
                            || block.outline_bytes(place) == row.outline.as_deref())
                        && block.hashes.get(place) == Some(&row.hash)
                        && block.keys.get(place) == Some(&row.key_number)
                        && blocks::Block::reference(&block.froms, place) == row.from
                        && blocks::Block::reference(&block.tos, place) == row.to)
                });
                if !holds.unwrap_or(false) {
                    *odd.entry(block.kind).or_default() += 1;
                }
            }
            Ok(())
        })
        .await?;
        Ok(odd
            .into_iter()
            .map(|(kind, count)| format!("{count} {} are not what was stored", kind.plural()))
            .collect())
    }

    /// INVARIANT: whatever the facts of the source that was read last name and nothing holds, its
    /// journal says. What sources read earlier name may have gone since.
    async fn unsaid_references(&self) -> Result<Vec<String>, StoreError> {
        let last: Option<(i64, i64, String)> =
            sqlx::query_as("SELECT id, source, state FROM syncs ORDER BY id DESC LIMIT 1")
                .fetch_optional(self.readers())
                .await?;
        let Some((sync, source, state)) = last else {
            return Ok(Vec::new());
        };
        if !matches!(state.as_str(), "complete" | "incomplete") {
            return Ok(Vec::new());
        }
        let mut reader = self.readers().acquire().await?;
        let unsaid = references::unsaid(&mut reader).await?;
        drop(reader);
        if unsaid.contains(&sync) {
            return Ok(Vec::new());
        }
        // One that was opened before it and went on after it may have stored since.
        let (later,): (i64,) = sqlx::query_as(
            "SELECT count(*) FROM syncs WHERE id < ?1 AND
             (ended_at IS NULL OR ended_at >= (SELECT started_at FROM syncs WHERE id = ?1))",
        )
        .bind(sync)
        .fetch_one(self.readers())
        .await?;
        if later > 0 {
            return Ok(Vec::new());
        }
        let said: HashSet<(String, String, i64)> = sqlx::query_as::<_, (String, String, i64)>(
            "SELECT kind, text, count FROM journal WHERE sync = ?1 AND what = 'dangling'",
        )
        .bind(sync)
        .fetch_all(self.readers())
        .await?
        .into_iter()
        .collect();
        let mut problems = Vec::new();
        for broken in self.broken_references(source).await? {
            let text = format!("{} that nothing holds", broken.what);
            let line = (
                broken.kind.word().to_owned(),
                text,
                broken.count.cast_signed(),
            );
            if !said.contains(&line) {
                problems.push(format!(
                    "{} {} lead nowhere, and sync {sync} does not say so",
                    broken.count, broken.what
                ));
            }
        }
        Ok(problems)
    }
}

/// INVARIANT: of one native id there is one current object in a source, of kinds that do not repeat.
async fn twice(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.may_repeat()) {
        let mut keys: Vec<(i64, i64)> = Vec::new();
        blocks::each(
            &mut *connection,
            &Which::now(kind),
            Columns::Marks,
            |block| {
                let of_places = block.places().filter_map(|place| block.keys.get(place));
                keys.extend(of_places.map(|key| (block.source, *key)));
                Ok(())
            },
        )
        .await?;
        keys.sort_unstable();
        let all = keys.len();
        keys.dedup();
        if keys.len() < all {
            problems.push(format!(
                "{} {} stand more than once under one id of one source",
                all - keys.len(),
                kind.plural()
            ));
        }
    }
    Ok(problems)
}

/// INVARIANT: after a whole read there are as many objects as it stored and found unchanged, for as
/// long as no other read has brought anything.
async fn miscounted(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    type Row = (i64, String, i64, bool, i64);
    let reads: Vec<Row> = sqlx::query_as(
        "SELECT y.source, k.kind, y.id,
                k.complete = 1 AND k.mode = 'full' AND y.state <> 'running', k.stored + k.unchanged
         FROM syncs y JOIN sync_kinds k ON k.sync = y.id JOIN sources s ON s.id = y.source
         WHERE s.removed_at IS NULL
         AND (k.complete = 1 OR k.received > 0 OR k.removed > 0)
         ORDER BY y.id",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut last: BTreeMap<(i64, String), (i64, bool, i64)> = BTreeMap::new();
    for (source, kind, sync, whole, count) in reads {
        last.insert((source, kind), (sync, whole, count));
    }
    let mut problems = Vec::new();
    for ((source, word), (sync, whole, count)) in last {
        let Some(kind) = Kind::from_word(&word).filter(|_| whole) else {
            continue;
        };
        let mut standing = 0i64;
        let which = Which::now(kind).of_source(source);
        blocks::each(&mut *connection, &which, Columns::Nothing, |block| {
            standing += block.places().count() as i64;
            Ok(())
        })
        .await?;
        if standing != count {
            problems.push(format!(
                "sync {sync} counted {count} {}, and {standing} stand",
                kind.plural()
            ));
        }
    }
    Ok(problems)
}

/// INVARIANT: whose an account is said to be is what rules and decisions make of the facts.
async fn mislinked(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    Ok(match links::wrong_links(connection).await? {
        0 => None,
        1 => Some("1 account is not linked as its rules and decisions say".to_owned()),
        wrong => Some(format!(
            "{wrong} accounts are not linked as their rules and decisions say"
        )),
    })
}

/// INVARIANT: the list of identities holds exactly the current ones, each under its own id.
async fn unlisted(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut odd = 0u64;
    let mut after = 0;
    loop {
        let which = Which::now(Kind::Identity);
        let window = blocks::window(&mut *connection, &which, Columns::Facts, after).await?;
        let Some(last) = window.last() else { break };
        after = last.id;
        for block in &window {
            let listed: Vec<(i64, i64, String)> = sqlx::query_as(
                "SELECT object, source, id FROM people WHERE object >= ?1 AND object < ?2",
            )
            .bind(block.row(0))
            .bind(blocks::first_row_after(block.id))
            .fetch_all(&mut *connection)
            .await?;
            let listed: HashSet<(i64, i64, String)> = listed.into_iter().collect();
            for place in block.places() {
                let fact: Fact = serde_json::from_str(block.fact(place)?)?;
                let row = (block.row(place), block.source, fact.key());
                odd += u64::from(!listed.contains(&row));
            }
        }
    }
    Ok(match odd {
        0 => Vec::new(),
        _ => vec![format!("the list of identities lacks {odd} of them")],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::seeded::{Seeded, account, credential, grant, identity};
    use crate::collect::tests::{Bench, bench, read};

    async fn full() -> Bench {
        let bench = bench(&["ad"]).await;
        let connector = Seeded::new(50)
            .with(Kind::Identity, vec![identity("u1", "One")])
            .with(Kind::Account, vec![account("ad", "a1", "u1")])
            .with(Kind::Grant, vec![grant("ad", "a1", "g"); 2])
            .with(Kind::Credential, vec![credential("ad", "c1", "a1")]);
        read(&bench, "ad", &connector).await;
        bench
    }

    /// What the check says after somebody has changed the store behind its back.
    async fn after(statement: &'static str) -> String {
        let bench = full().await;
        let mut writing = bench.store.begin().await.unwrap();
        sqlx::raw_sql(statement)
            .execute(&mut *writing.tx)
            .await
            .unwrap();
        writing.commit().await.unwrap();
        let found = bench.store.check().await.unwrap().join("; ");
        bench.store.close().await;
        found
    }

    #[tokio::test]
    async fn each_broken_promise_is_found() {
        for (statement, said) in [
            (
                "UPDATE blocks SET hashes = zeroblob(length(hashes)) WHERE kind = 'account'",
                "1 accounts are not what was stored",
            ),
            (
                "UPDATE blocks SET froms = zeroblob(length(froms)) WHERE kind = 'grant'",
                "2 grants are not what was stored",
            ),
            (
                "INSERT INTO blocks (source, kind, size, first_sync, froms, tos, keys, hashes, born, stamps, facts)
                 SELECT source, kind, size, first_sync, froms, tos, keys, hashes, born, stamps, facts
                 FROM blocks WHERE kind = 'credential'",
                "1 credentials stand more than once under one id of one source",
            ),
            (
                "UPDATE sync_kinds SET reported = 3, stored = 3 WHERE kind = 'grant'",
                "sync 1 counted 3 grants, and 2 stand",
            ),
            (
                "UPDATE people SET id = 'another'",
                "the list of identities lacks 1 of them",
            ),
            (
                "DELETE FROM journal WHERE what = 'dangling'",
                "2 granted entitlements lead nowhere, and sync 1 does not say so",
            ),
        ] {
            let found = after(statement).await;
            assert!(found.contains(said), "{statement}: {found}");
        }
        assert_eq!(after("SELECT 1").await, "");
    }
}
