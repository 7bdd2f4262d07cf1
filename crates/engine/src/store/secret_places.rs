//! What is told of credentials and places beside the graph, in one pass: the ground of
//! `locations`.

use super::blocks::At;
use super::sources::supplements;
use super::{Store, StoreError, SyncId, every};
use crate::access::Graph;
use crate::locations::{CredentialTold, Gathering, PlaceTold, Secrets};
use lastkey_contract::Kind;

impl Store {
    /// The secrets of the facts after the sync `as_of`, the latest if none; `graph` is of the same
    /// state. What a system's own source tells goes before what supplements add.
    pub async fn load_secrets(
        &self,
        graph: &Graph,
        as_of: Option<SyncId>,
    ) -> Result<Secrets, StoreError> {
        let at = At::of(as_of);
        let mut reading = self.readers().begin().await?;
        let beside = supplements(&mut reading).await?;
        let mut gathering = Gathering::new(graph);
        for adds in [false, true] {
            if adds && beside.is_empty() {
                continue;
            }
            every::each(&mut reading, Kind::Credential, None, at, |standing| {
                if beside.contains(&standing.source) == adds {
                    let told: CredentialTold<'_> = serde_json::from_str(standing.fact)?;
                    gathering.credential(&told);
                }
                Ok(())
            })
            .await?;
        }
        every::each(&mut reading, Kind::Location, None, at, |standing| {
            let told: PlaceTold<'_> = serde_json::from_str(standing.fact)?;
            gathering.place(&told);
            Ok(())
        })
        .await?;
        Ok(gathering.done())
    }
}
