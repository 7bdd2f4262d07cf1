//! Which sources have all of a system: only their whole reads prove gone there what they do not show.

use super::super::StoreError;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// By the row of a source, the kinds in which it ever told of each system; without supplements, which
/// only add to what others have.
pub(super) struct Speakers(HashMap<i64, HashMap<String, HashSet<Kind>>>);

impl Speakers {
    pub async fn read(connection: &mut SqliteConnection) -> Result<Speakers, StoreError> {
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT source, system, kind FROM carried WHERE supplement = 0 AND system <> ''",
        )
        .fetch_all(connection)
        .await?;
        let mut told: HashMap<i64, HashMap<String, HashSet<Kind>>> = HashMap::new();
        for (source, system, kind) in rows {
            if let Some(kind) = Kind::from_word(&kind) {
                let systems = told.entry(source).or_default();
                systems.entry(system).or_default().insert(kind);
            }
        }
        Ok(Speakers(told))
    }

    /// Whether what the source does not list of a kind is not there in a system: it lists such things there,
    /// or accounts. Whoever names an entitlement of another system does not read that system.
    pub fn speaks_for(&self, source: i64, kind: Kind, system: &str) -> bool {
        let kinds = self.0.get(&source).and_then(|told| told.get(system));
        let mut kinds = kinds.into_iter().flatten();
        kinds.any(|own| *own == kind || *own == Kind::Account)
    }
}
