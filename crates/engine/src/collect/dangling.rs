//! References to something that no source holds: stored anyway, and said.

use crate::store::{NewJournalRow, SourceRecord, Store, StoreError};

/// One line per sort of broken reference of a source's current facts.
pub(super) async fn lines(
    store: &Store,
    source: &SourceRecord,
) -> Result<Vec<NewJournalRow>, StoreError> {
    Ok(store
        .broken_references(source.id)
        .await?
        .into_iter()
        .map(|broken| NewJournalRow {
            what: "dangling",
            kind: Some(broken.kind),
            text: format!("{} that nothing holds", broken.what),
            count: broken.count,
            examples: broken.examples,
        })
        .collect())
}
