//! What AWS did not show, by the kinds that lack it for that, so that no absence is claimed.

use crate::needs::{Need, of_action};
use crate::settings::Part;
use lastkey_contract::{Kind, NoteKind, Notes};
use std::collections::{BTreeMap, BTreeSet};

/// Notes on the way, and which actions were refused.
#[derive(Clone, Debug, Default)]
pub struct Lacks {
    notes: BTreeMap<Kind, Notes>,
    refused: BTreeSet<&'static str>,
}

impl Lacks {
    /// Something was refused; `example` is what it was about.
    pub fn refused(&mut self, action: &'static str, example: &str) {
        self.refused.insert(action);
        let Some(need) = of_action(action) else {
            return;
        };
        // Policies of an organisation cut nothing from a list: what is allowed is then told with that.
        let kind = match need.part {
            Some(Part::Organization) => NoteKind::Remark,
            Some(_) | None => NoteKind::Clipped,
        };
        self.say(need, kind, &reason(need), example);
    }

    /// Something is not there that a list had shown.
    pub fn vanished(&mut self, kinds: &[Kind], example: &str) {
        let reason = "removed while it was read";
        for kind in kinds {
            let notes = self.notes.entry(*kind).or_default();
            notes.add(NoteKind::Remark, reason, Some(example.to_owned()));
        }
    }

    /// A fact for the person.
    pub fn remark(&mut self, kinds: &[Kind], reason: &str, example: &str) {
        self.note(kinds, NoteKind::Remark, reason, example);
    }

    pub fn note(&mut self, kinds: &[Kind], sort: NoteKind, reason: &str, example: &str) {
        for kind in kinds {
            let notes = self.notes.entry(*kind).or_default();
            notes.add(sort, reason, Some(example.to_owned()));
        }
    }

    fn say(&mut self, need: &Need, sort: NoteKind, reason: &str, example: &str) {
        self.note(need.about, sort, reason, example);
    }

    /// Takes in what was noted apart.
    pub fn take(&mut self, other: Lacks) {
        for (kind, notes) in other.notes {
            self.notes.entry(kind).or_default().take(notes);
        }
        self.refused.extend(other.refused);
    }

    pub fn of(&self, kind: Kind) -> Notes {
        self.notes.get(&kind).cloned().unwrap_or_default()
    }

    pub fn refusals(&self) -> impl Iterator<Item = &'static str> {
        self.refused.iter().copied()
    }
}

/// Why something is not seen: the action that we may not use.
fn reason(need: &Need) -> String {
    let action = need.action;
    let why = need.why;
    match need.part {
        Some(Part::Organization) => {
            format!("this login may not use {action}, so that it is not known: {why}")
        }
        Some(part) => format!(
            "this login may not use {action}, so that it is not seen: {why}; `leave_out={}` leaves the part out",
            part.word()
        ),
        None => format!("this login may not use {action}, so that it is not seen: {why}"),
    }
}
