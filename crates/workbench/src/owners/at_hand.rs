//! The lists of owners as they were made last, and as they are now.

use crate::bench::Workbench;
use crate::failure::Failure;

/// Which lists of owners are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerLists {
    /// Those of what is stored now, however long it takes to make them.
    UpToDate,
    /// Those that were made last, where there are any: a screen shows them at once, says where they
    /// are behind (`owners_behind`), and brings them up to date beside it (`ready_lists`).
    AtHand,
}

impl Workbench {
    /// Makes lists of owners ready to be asked.
    pub(super) async fn owner_lists(&self, lists: OwnerLists) -> Result<(), Failure> {
        if lists == OwnerLists::UpToDate || !self.store.ownership_was_made().await? {
            self.store.settle_ownership(self.now()).await?;
        }
        Ok(())
    }

    /// Whether the lists of owners that are at hand are of an earlier moment.
    pub async fn owners_behind(&self) -> Result<bool, Failure> {
        Ok(!self.store.ownership_holds(self.now()).await?)
    }
}
