//! The tables of what people decided: who is confirmed as an owner, and every decision. Each is
//! taken apart field by field, so that a new field breaks the build.

use super::cells::{cell, known, number, word};
use super::content::{ConfirmedOwner, DecisionLine};
use crate::lifecycle::Basis;

pub(super) const OWNERS: &[&str] = &[
    "object_type",
    "system",
    "object_id",
    "owner_id",
    "owner_name",
    "role",
    "basis",
    "state",
    "confirmed_at",
    "confirmed_by",
    "why",
    "suggested",
];

pub(super) const DECISIONS: &[&str] = &[
    "about",
    "number",
    "at",
    "by",
    "says",
    "subject",
    "identity",
    "role",
    "why",
    "suggested",
    "undoes",
];

/// One line of the table of confirmed owners.
pub(super) fn owner(row: ConfirmedOwner) -> Vec<String> {
    let ConfirmedOwner {
        object_type,
        system,
        object_id,
        owner_id,
        owner_name,
        role,
        state,
        confirmed_at,
        confirmed_by,
        why,
        suggested,
    } = row;
    vec![
        word(Some(object_type.word())),
        known(system.as_ref()),
        cell(&object_id),
        cell(&owner_id),
        known(owner_name.as_ref()),
        word(Some(role.word())),
        word(Some(Basis::Attested.word())),
        word(Some(state.word())),
        cell(&confirmed_at),
        cell(&confirmed_by),
        cell(&why),
        cell(&suggested),
    ]
}

/// One line of the table of decisions.
pub(super) fn decision(row: DecisionLine) -> Vec<String> {
    let DecisionLine {
        about,
        number: counted,
        at,
        by,
        says,
        subject,
        identity,
        role,
        why,
        suggested,
        undoes,
    } = row;
    vec![
        word(Some(about.word())),
        counted.to_string(),
        cell(&at),
        cell(&by),
        cell(&says),
        cell(&subject),
        known(identity.as_ref()),
        known(role.as_ref()),
        cell(&why),
        cell(&suggested),
        number(undoes),
    ]
}
