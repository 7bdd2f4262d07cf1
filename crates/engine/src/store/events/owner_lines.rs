//! Owner lines of sources as of a sync: who is named for what, and which of these things were there.

use super::super::StoreError;
use super::super::blocks::{self, At, Block, Columns, Which};
use super::super::names::{Names, NumberSet};
use super::super::turns;
use super::meant::Meant;
use super::owners::Owners;
use crate::ownership::ObjectName;
use lastkey_contract::Kind;
use lastkey_contract::facts::{ObjectType, Owner, OwnerRole};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An owner line as a source has it.
pub(super) struct Line {
    pub source: i64,
    /// With a source in front, or bare.
    owner: String,
    role: OwnerRole,
}

/// Owner lines by the number of what they are about.
pub(super) type Lines = HashMap<i64, Vec<Line>>;

/// Whom some lines name, for looking them up.
pub(super) fn owners_in(lines: &Lines) -> impl Iterator<Item = &str> {
    lines.values().flatten().map(|line| line.owner.as_str())
}

/// What lines say as of a sync.
pub(super) struct Told<'a> {
    pub names: Names,
    pub meant: &'a Meant,
    pub sync: i64,
}

impl Told<'_> {
    /// Adds whom lines name as the owners of an object, as far as they count.
    pub(super) fn add(
        &self,
        lines: &Lines,
        object: &ObjectName,
        owners: &mut Owners,
        counts: impl Fn(&Line) -> bool,
    ) {
        for (place, number) in object_numbers(self.names, object).into_iter().enumerate() {
            // The second number is that of a bare id, which means one thing to one source and
            // another to the next.
            let bare = ObjectName::new(object.kind, "", object.id.as_str());
            let is_meant = |line: &Line| {
                place == 0 || self.meant.object(bare.clone(), line.source, self.sync) == *object
            };
            for line in lines.get(&number).into_iter().flatten() {
                if counts(line) && is_meant(line) {
                    let owner = self.meant.named(&line.owner, line.source, self.sync);
                    owners.entry(line.role).or_default().insert(owner);
                }
            }
        }
    }
}

/// The owner lines of all sources about some objects after a sync, by the object's number.
pub(super) async fn lines(
    connection: &mut SqliteConnection,
    sync: i64,
    objects: &NumberSet,
) -> Result<Lines, StoreError> {
    let mut found = Lines::new();
    let which = Which {
        kind: Some(Kind::Owner),
        source: None,
        at: At::Sync(sync),
    };
    blocks::each(connection, &which, Columns::Named, |block| {
        for place in block.places() {
            let number = Block::reference(&block.tos, place);
            let Some(number) = number.filter(|number| objects.contains(number)) else {
                continue;
            };
            let owner: Owner = serde_json::from_str(block.fact(place)?)?;
            found.entry(number).or_default().push(Line {
                source: block.source,
                owner: owner.owner_id.to_string(),
                role: owner.role,
            });
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Which of these objects some source had after a sync. A location is there by the line alone.
pub(super) async fn there<'a>(
    connection: &mut SqliteConnection,
    told: &Told<'_>,
    objects: impl Iterator<Item = &'a ObjectName>,
    sync: i64,
) -> Result<HashSet<ObjectName>, StoreError> {
    let mut there = HashSet::new();
    let mut asked: BTreeMap<Kind, Vec<(i64, &ObjectName)>> = BTreeMap::new();
    for object in objects {
        let of = |kind| Some((kind, told.names.object(kind, &[&object.system, &object.id])));
        let key = match object.kind {
            ObjectType::Identity => {
                if told.meant.is_there(object, sync) {
                    there.insert(object.clone());
                }
                None
            }
            ObjectType::Account => of(Kind::Account),
            ObjectType::Credential => of(Kind::Credential),
            ObjectType::Entitlement => of(Kind::Entitlement),
            ObjectType::Location => {
                there.insert(object.clone());
                None
            }
        };
        if let Some((kind, number)) = key {
            asked.entry(kind).or_default().push((number, object));
        }
    }
    for (kind, asked) in asked {
        let keys: HashSet<i64> = asked.iter().map(|(number, _)| *number).collect();
        let marks = blocks::of_keys(&mut *connection, kind, &keys).await?;
        let standing: HashSet<i64> = marks
            .iter()
            .filter(|mark| turns::stood_at(mark, sync))
            .map(|mark| mark.key)
            .collect();
        let found = asked.iter().filter(|(n, _)| standing.contains(n));
        there.extend(found.map(|(_, object)| (*object).clone()));
    }
    Ok(there)
}

/// Something that is owned, as a line names it: an identity with its source or without.
pub(super) fn object_of(owner: &Owner) -> ObjectName {
    let system = owner.system.as_ref().map_or("", |s| s.as_str());
    ObjectName::new(owner.object_type, system, owner.object_id.as_str())
}

/// The numbers by which lines may name an object; the one that leaves no doubt first.
pub(super) fn object_numbers(names: Names, object: &ObjectName) -> Vec<i64> {
    let of = |kind| vec![names.object(kind, &[&object.system, &object.id])];
    match object.kind {
        ObjectType::Identity => {
            let whole = format!("{}:{}", object.system, object.id);
            [whole.as_str(), &object.id]
                .map(|id| names.object(Kind::Identity, &[id]))
                .to_vec()
        }
        ObjectType::Account => of(Kind::Account),
        ObjectType::Credential => of(Kind::Credential),
        ObjectType::Location => of(Kind::Location),
        ObjectType::Entitlement => of(Kind::Entitlement),
    }
}
