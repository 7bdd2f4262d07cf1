//! What is said when a text names nobody: whom it may mean.

use crate::bench::Workbench;
use crate::failure::Failure;
use lastkey_engine::store::PersonRow;
use lastkey_engine::views::{self, ListQuery};

/// So many are named.
const MEANT: u32 = 3;

impl Workbench {
    /// The one identity that a text names, as it is listed.
    pub(crate) async fn known_person(&self, text: &str) -> Result<PersonRow, Failure> {
        // Several of one id are refused.
        let id = self.known_identity(text).await?;
        let mut found = self.store.find_identity(id.as_str()).await?;
        match found.pop() {
            Some(person) => Ok(person),
            None => Err(self.no_identity(text).await),
        }
    }

    /// That no identity has this id; with those of which a name or an address has the text.
    pub(crate) async fn no_identity(&self, text: &str) -> Failure {
        let failure = Failure::bad_input(format!("there is no identity `{text}`"));
        let query = ListQuery {
            search: text.to_owned(),
            filters: Vec::new(),
            sort: String::new(),
            descending: false,
            offset: 0,
            limit: MEANT,
        };
        // Where the search fails the text is unknown all the same.
        let found = views::identities(&self.store, &query).await;
        let Some(found) = found.ok().filter(|found| !found.rows.is_empty()) else {
            return failure.hint("see `lastkey identities` for ids");
        };
        let named = found.rows.iter().map(|row| match &row.display_name {
            Some(name) => format!("{} ({name})", row.id),
            None => row.id.clone(),
        });
        let named: Vec<String> = named.collect();
        let more = match found.total > u64::from(MEANT) {
            true => format!(" and {} others", found.total - u64::from(MEANT)),
            false => String::new(),
        };
        failure.hint(format!("say the id: {}{more}", named.join(", ")))
    }
}
