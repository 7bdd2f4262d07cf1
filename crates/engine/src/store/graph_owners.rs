//! Who owns what, for the graph: the lines of sources, and what people confirmed.

use super::StoreError;
use super::blocks::Columns;
use super::graph::Loading;
use super::graph_people::{perhaps, resolved};
use super::ownership::OwnedBy;
use super::snapshot::is_custody;
use crate::access::making::{Making, NewOwner};
use crate::correlate::Identities;
use crate::lifecycle::Basis;
use lastkey_contract::Kind;
use lastkey_contract::facts::{ObjectType, Owner, OwnerRole};

impl Loading<'_> {
    pub(super) async fn owners(
        &self,
        making: &mut Making,
        known: &Identities,
    ) -> Result<(), StoreError> {
        let mut found: Vec<(i64, Owner)> = Vec::new();
        self.each(Kind::Owner, Columns::Facts, |block| {
            block.places().try_for_each(|place| {
                found.push((block.source, serde_json::from_str(block.fact(place)?)?));
                Ok(())
            })
        })
        .await?;
        for (source, owner) in found {
            let object = match owner.object_type {
                ObjectType::Identity => resolved(known, &known.meant(&owner.object_id, source)),
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => {
                    let system = owner.system.as_ref().map_or("", |s| s.as_str());
                    self.object(owner.object_type, system, &owner.object_id)
                }
            };
            let meant = known.meant(owner.owner_id.as_str(), source);
            let system = owner.system.as_ref().map_or("", |s| s.as_str());
            if is_custody(&owner) {
                let name = format!("{system}:{}", owner.object_id);
                let could = perhaps(known, &meant).map(|one| (one, name.clone()));
                making.doubtful.custody.extend(could);
                let near = known.nearly(owner.owner_id.as_str(), &meant);
                let near = near.map(|written| (written, name.clone()));
                making.doubtful.near_custody.extend(near);
                if meant.one.is_none()
                    && let Some(record) = known.gone_named(owner.owner_id.as_str(), source)
                {
                    making.doubtful.custody_left.push((record, name));
                }
            }
            let system = making.system(system);
            making.owner(NewOwner {
                object_type: owner.object_type,
                object,
                system,
                owner: resolved(known, &meant),
                role: owner.role,
                basis: Basis::Observed,
            });
        }
        Ok(())
    }

    /// What people confirmed, each as it is known.
    pub(super) fn confirmed(
        &self,
        making: &mut Making,
        known: &Identities,
        confirmed: Vec<(OwnedBy, Basis)>,
    ) {
        for (owner, basis) in confirmed {
            let refer = |source: &str, id: &str| resolved(known, &known.meant_of(source, id));
            let object = &owner.object;
            if object.kind == ObjectType::Credential && owner.role == OwnerRole::Custodian {
                let name = format!("{}:{}", object.system, object.id);
                let meant = known.meant_of(&owner.owner.source, &owner.owner.id);
                let could = perhaps(known, &meant).map(|one| (one, name.clone()));
                making.doubtful.custody.extend(could);
            }
            let number = match object.kind {
                ObjectType::Identity => refer(&object.system, &object.id),
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => self.object(object.kind, &object.system, &object.id),
            };
            let system = making.system(&object.system);
            making.owner(NewOwner {
                object_type: object.kind,
                object: number,
                system,
                owner: refer(&owner.owner.source, &owner.owner.id),
                role: owner.role,
                basis,
            });
        }
    }
}
