//! What each source could tell of lifecycle events with its next complete read.

use super::super::read_states::read_states;
use super::super::sources::says_who_exists;
use super::super::{Store, StoreError};
use super::sources::latest_known;
use crate::lifecycle::simulated::{Register, Tells};
use lastkey_contract::{Kind, SourceName};
use std::collections::BTreeMap;

impl Store {
    /// The sources that are there: whether each says who exists, and what its reads told last.
    pub async fn registers(&self) -> Result<BTreeMap<SourceName, Register>, StoreError> {
        let mut reading = self.readers().begin().await?;
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT id, name, settings FROM sources WHERE removed_at IS NULL ORDER BY id",
        )
        .fetch_all(&mut *reading)
        .await?;
        let reads = read_states(&mut reading, i64::MAX).await?;
        let mut registers = BTreeMap::new();
        for (id, name, settings) in rows {
            let source = SourceName::new(name);
            let tells = match says_who_exists(&serde_json::from_str(&settings)?) {
                true => Tells::WhoExists,
                false => Tells::OfNobody,
            };
            let known = latest_known(&mut reading, id).await?;
            let mut of_source = reads.iter().filter(|read| read.source == source);
            let read = of_source.find(|read| read.kind == Kind::Identity);
            let register = Register {
                tells,
                having: known.map(|known| known.having),
                gaps: read.map(|read| read.gaps.clone()).unwrap_or_default(),
            };
            registers.insert(source, register);
        }
        Ok(registers)
    }
}
