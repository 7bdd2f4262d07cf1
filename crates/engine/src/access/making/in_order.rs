//! Systems, environments and secrets by name, whichever came first.

use super::Making;
use crate::access::columns::{Column, NONE, Texts};
use crate::access::graph::Graph;
use std::collections::BTreeMap;

/// Numbers the systems by name and notes the order of `name:` texts; where each goes.
pub(super) fn order_systems(names: &Texts, graph: &mut Graph) -> Column<u32> {
    let all = 0..names.len();
    let mut sorted: Vec<u32> = all.clone().collect();
    sorted.sort_unstable_by_key(|system| names.at(*system));
    let mut rows = Column::filled(0, names.len());
    for (row, system) in (0..).zip(&sorted) {
        *rows.at_mut(*system) = row;
        graph.systems.push(names.at(*system));
    }
    let by_text: BTreeMap<String, u32> = all
        .map(|row| (format!("{}:", graph.systems.at(row)), row))
        .collect();
    graph.system_text_order = Column::filled(0, names.len());
    for (place, row) in (0..).zip(by_text.values()) {
        *graph.system_text_order.at_mut(*row) = place;
    }
    rows
}

impl Making {
    /// Numbers the environments by name, whichever came first.
    pub(super) fn order_environments(&mut self) -> Texts {
        let names = std::mem::take(&mut self.environments.texts);
        let accounts = self.accounts.rows.iter().map(|row| row.environment);
        let entitlements = self.holding.entitlements.listed.rows.iter();
        let credentials = self.credentials.listed.rows.iter();
        let locations = self.locations.listed.rows.iter();
        let used = accounts
            .chain(entitlements.map(|row| row.environment))
            .chain(credentials.map(|one| one.row.environment))
            .chain(locations.map(|row| row.environment));
        let (ordered, rows) = by_name(&names, used);
        let in_order = |environment: &mut u32| {
            if *environment != NONE {
                *environment = *rows.at(*environment);
            }
        };
        for row in &mut self.accounts.rows {
            in_order(&mut row.environment);
        }
        for row in &mut self.holding.entitlements.listed.rows {
            in_order(&mut row.environment);
        }
        for credential in &mut self.credentials.listed.rows {
            in_order(&mut credential.row.environment);
        }
        for row in &mut self.locations.listed.rows {
            in_order(&mut row.environment);
        }
        ordered
    }

    /// The same of secrets, by their fingerprints.
    pub(super) fn order_secrets(&mut self) {
        let credentials = self.credentials.listed.rows.iter();
        let used = credentials.map(|one| one.row.secret);
        let used = used.chain(self.printed.iter().map(|(_, secret)| *secret));
        let (ordered, rows) = by_name(&self.secrets.texts, used);
        self.secrets.texts = ordered;
        for credential in &mut self.credentials.listed.rows {
            let secret = &mut credential.row.secret;
            if *secret != NONE {
                *secret = *rows.at(*secret);
            }
        }
        for (_, secret) in &mut self.printed {
            *secret = *rows.at(*secret);
        }
    }
}

/// The names that are used in order, and the place of each: what a source said may not have counted.
fn by_name(names: &Texts, used: impl Iterator<Item = u32>) -> (Texts, Column<u32>) {
    let mut is_used = Column::filled(false, names.len());
    for one in used.filter(|one| *one != NONE) {
        *is_used.at_mut(one) = true;
    }
    let mut sorted: Vec<u32> = (0..names.len()).filter(|one| *is_used.at(*one)).collect();
    sorted.sort_unstable_by_key(|one| names.at(*one));
    let mut ordered = Texts::as_long_as(names);
    let mut rows = Column::filled(NONE, names.len());
    for one in &sorted {
        *rows.at_mut(*one) = ordered.push(names.at(*one));
    }
    (ordered, rows)
}
