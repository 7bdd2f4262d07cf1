//! Who owns what in a graph: put in order once, and once more where somebody hands something on.

use super::columns::{Column, NONE, Rows};
use super::graph::{Graph, OwnerLine, find};
use crate::lifecycle::Basis;
use lastkey_contract::SystemName;
use lastkey_contract::facts::{ObjectType, OwnerRole};

impl Graph {
    /// Takes in all lines; of lines that are known in two ways the better known stays.
    pub(super) fn put_owner_lines(&mut self, mut lines: Vec<OwnerLine>) {
        lines.sort_by_key(|line| (line.object, line.owner, line.role, line.basis));
        lines.dedup_by_key(|line| (line.object, line.owner, line.role));
        let identities = self.identities.len();
        let custody = lines.iter().filter(|line| is_custody(line));
        let custody = custody.map(|line| (line.owner, (line.object.1, line.basis)));
        self.custody = Rows::build(identities, custody.collect());
        let owned = (0..).zip(&lines).map(|(row, line)| (line.owner, row));
        self.owned = Rows::build(identities, owned.collect());
        self.owner_lines = Column::new(lines);
    }

    /// The row of something that can be owned.
    pub(crate) fn owned_object(
        &self,
        kind: ObjectType,
        system: &SystemName,
        id: &str,
    ) -> Option<u32> {
        match kind {
            ObjectType::Identity => self.identity(&id.into()),
            ObjectType::Account => self.account(system, id),
            ObjectType::Credential => self.credential(system, id),
            ObjectType::Location => self.location(system, id),
            ObjectType::Entitlement => {
                let system = self.system(system)?;
                find(self.entitlements.len(), |row| {
                    let here = self.entitlements.at(row).system;
                    here.cmp(&system)
                        .then_with(|| self.entitlement_ids.at(row).cmp(id))
                })
            }
        }
    }

    /// Whom lines name as owners of something, by the ids that rehearsals say, with the role; who is in
    /// no source is left out.
    pub(crate) fn owners_in_words(&self, kind: ObjectType, object: u32) -> Vec<String> {
        let lines = self.owner_lines_of(kind, object).iter();
        let lines = lines.filter(|line| line.owner != NONE);
        let words = lines.map(|line| {
            let owner = self.identity_ids.at(line.owner);
            format!("{owner} ({})", line.role.word())
        });
        words.collect()
    }

    /// How it is known that somebody owns something; None where no line says so.
    pub(crate) fn is_owned_by(&self, kind: ObjectType, object: u32, owner: u32) -> Option<Basis> {
        let lines = self.owner_lines_of(kind, object).iter();
        let lines = lines.filter(|line| line.owner == owner);
        lines.map(|line| line.basis).min()
    }

    /// The same graph once somebody has handed something on to another. Whoever had a credential in
    /// custody knows it still, and whoever takes it over does from then on.
    pub(crate) fn handed_on(&self, (kind, object): (ObjectType, u32), from: u32, to: u32) -> Graph {
        let mut after = self.clone();
        let mut lines: Vec<OwnerLine> = Vec::new();
        for line in self.owner_lines.values() {
            if line.object != (kind, object) || line.owner != from {
                lines.push(*line);
                continue;
            }
            lines.push(OwnerLine { owner: to, ..*line });
            if is_custody(line) {
                lines.push(*line);
            }
        }
        after.put_owner_lines(lines);
        after
    }
}

fn is_custody(line: &OwnerLine) -> bool {
    line.role == OwnerRole::Custodian && line.object.0 == ObjectType::Credential
}
