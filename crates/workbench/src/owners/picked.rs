//! Owners as a list shows them: what needs one, worst first; and decisions about what was picked
//! there, with what they would do before they do it.

use super::{OwnerLists, OwnersDecided, Wanted, role_from_text};
use crate::bench::Workbench;
use crate::failure::Failure;
use crate::history::filters_from_text;
use lastkey_engine::store::OwnerVerdict;
use lastkey_engine::views::{
    self, ListQuery, OwnedDetail, OwnedLine, OwnerPick, RowWindow, StandingCount,
};

impl Workbench {
    /// How many objects that need an owner stand how, the worst first.
    pub async fn owner_standings(
        &self,
        lists: OwnerLists,
        filters: &[String],
    ) -> Result<Vec<StandingCount>, Failure> {
        self.owner_lists(lists).await?;
        let filters = filters_from_text(filters)?;
        Ok(views::standing_counts(&self.store, &filters).await?)
    }

    /// A window of what needs an owner, the worst first, with who answers and who is suggested.
    pub async fn owned_lines(
        &self,
        lists: OwnerLists,
        query: &ListQuery,
    ) -> Result<RowWindow<OwnedLine>, Failure> {
        self.owner_lists(lists).await?;
        let filters = filters_from_text(&query.filters)?;
        Ok(views::owned_lines(&self.store, &filters, query).await?)
    }

    /// One object with all that is known of its owners.
    pub async fn owned_detail(
        &self,
        lists: OwnerLists,
        object: &str,
    ) -> Result<OwnedDetail, Failure> {
        self.owner_lists(lists).await?;
        let name = self.object_from_text(object).await?;
        let found = views::owned_detail(&self.store, &name).await?;
        found.ok_or_else(|| {
            Failure::bad_input(format!("nothing called `{object}` needs an owner"))
                .hint("it may have gone since the list was read, or belong to a person now")
        })
    }

    /// What deciding so would do, without doing it.
    pub async fn preview_owners(
        &self,
        picks: &[OwnerPick],
        verdict: OwnerVerdict,
    ) -> Result<OwnersDecided, Failure> {
        let wanted = self.picked(picks, verdict, "").await?;
        Ok(self.checked(wanted).await?.1)
    }

    /// Decides several at once, all or none.
    pub async fn decide_owners(
        &self,
        picks: &[OwnerPick],
        verdict: OwnerVerdict,
        why: &str,
    ) -> Result<OwnersDecided, Failure> {
        let wanted = self.picked(picks, verdict, why).await?;
        self.decide_all(wanted).await
    }

    async fn picked(
        &self,
        picks: &[OwnerPick],
        verdict: OwnerVerdict,
        why: &str,
    ) -> Result<Vec<Wanted>, Failure> {
        let mut wanted = Vec::with_capacity(picks.len());
        for pick in picks {
            wanted.push(Wanted {
                object: self.object_from_text(&pick.object).await?,
                owner: pick.owner.clone(),
                role: role_from_text(&pick.role)?,
                verdict,
                why: why.to_owned(),
                place: String::new(),
            });
        }
        Ok(wanted)
    }
}
