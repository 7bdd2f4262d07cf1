//! Until when is each thing reached: the greatest, over all paths, of the least closing on the path.
//!
//! One pass finds closing times and ineffective rotations together. Both only ever
//! grow (a longer open location makes a rotation ineffective, which keeps a credential
//! open longer), so the least solution does not depend on the order of the work.

use super::closing::{Cause, Closings, Element};
use super::departure::Departure;
use super::plan::StepAction;
use crate::access::columns::{Column, NONE};
use crate::access::graph::{Graph, Item};
use crate::access::reached::{Node, Reached, Via, closed_at};
use crate::lifecycle::{Basis, Closing};
use chrono::{DateTime, Utc};
use std::collections::{BinaryHeap, HashMap};

/// The rotations planned for one credential, earliest first.
#[derive(Clone, Debug)]
pub(crate) struct Rotations {
    /// Closing time and the place of the step.
    pub planned: Vec<(Closing, u32)>,
    /// How many of them have no effect.
    pub ineffective: usize,
    unrotated: Element,
}

/// Closing times of everything reached.
pub(crate) struct Values {
    /// Closing of each node; past for what never was open.
    pub node: Column<Closing>,
    /// The element that a start is: a sign-in of S, a credential of K0.
    pub start: Column<Option<Element>>,
    pub edge: Column<Element>,
    pub rotations: HashMap<u32, Rotations>,
}

pub(crate) fn values(reached: &Reached, closings: &mut Closings<'_, '_>) -> Values {
    values_with(reached, closings, &[])
}

/// The same where ways that are not in the graph lead to nodes, which stay open so long.
pub(crate) fn values_with(
    reached: &Reached,
    closings: &mut Closings<'_, '_>,
    entries: &[(u32, Closing)],
) -> Values {
    let past = Closing::At(DateTime::<Utc>::MIN_UTC);
    let graph = closings.world.graph;
    let mut values = Values {
        node: Column::filled(past, reached.nodes.len()),
        start: Column::filled(None, reached.nodes.len()),
        edge: Column::default(),
        rotations: planned_rotations(reached, closings),
    };
    for edge in reached.edges.values() {
        let element = closings.edge(reached, edge);
        values.edge.push(element);
    }
    let mut nodes_of_credentials = HashMap::new();
    for node in 0..reached.nodes.len() {
        let element = match *reached.nodes.at(node) {
            Node::Item(Item::Account(account)) if *reached.is_start.at(node) => {
                closings.sign_in(account)
            }
            Node::Item(Item::Credential(credential)) => {
                let element = closings.credential(credential);
                match values.rotations.get_mut(&credential) {
                    Some(rotations) => {
                        nodes_of_credentials.insert(credential, node);
                        rotations.unrotated = element;
                        rotated(rotations)
                    }
                    None => element,
                }
            }
            Node::Item(_) | Node::Secret(_) => continue,
        };
        *values.start.at_mut(node) = Some(element);
    }
    let at = closings.world.at;
    let mut heap: BinaryHeap<(Closing, u32)> = BinaryHeap::new();
    for node in 0..reached.nodes.len() {
        if let Some(element) = values.start.at(node) {
            raise(&mut values.node, &mut heap, at, node, element.closes);
        }
    }
    for (node, until) in entries {
        raise(&mut values.node, &mut heap, at, *node, *until);
    }
    while let Some((value, node)) = heap.pop() {
        if *values.node.at(node) != value {
            continue;
        }
        for edge in reached.edges_of(node) {
            let row = reached.edges.at(edge);
            match row.via {
                // every credential is a start already
                Via::Stands | Via::Same => {}
                Via::Opens | Via::Grant { .. } | Via::Reader | Via::Control(_) => {
                    let until = value.min(values.edge.at(edge).closes);
                    raise(&mut values.node, &mut heap, at, row.to, until);
                }
            }
        }
        let Node::Item(Item::Location(location)) = *reached.nodes.at(node) else {
            continue;
        };
        if values.rotations.is_empty() {
            continue;
        }
        let by_fingerprint = graph.secrets_at.row(location).iter();
        let by_fingerprint = by_fingerprint.flat_map(|secret| graph.same_secret.row(*secret));
        for credential in graph
            .credentials_at
            .row(location)
            .iter()
            .chain(by_fingerprint)
        {
            let Some(rotations) = values.rotations.get_mut(credential) else {
                continue;
            };
            let before = rotations.ineffective;
            // the location is open after these rotations: the successor is read there
            while (rotations.planned.get(rotations.ineffective)).is_some_and(|(r, _)| *r < value) {
                rotations.ineffective += 1;
            }
            if rotations.ineffective == before {
                continue;
            }
            let element = rotated(rotations);
            if let Some(&node) = nodes_of_credentials.get(credential) {
                *values.start.at_mut(node) = Some(element);
                raise(&mut values.node, &mut heap, at, node, element.closes);
            }
        }
    }
    values
}

/// The credential with its earliest rotation that has an effect.
fn rotated(rotations: &Rotations) -> Element {
    let mut element = rotations.unrotated;
    if let Some((closes, step)) = rotations.planned.get(rotations.ineffective)
        && element.cause != Cause::Already
    {
        element.close(*closes, Cause::Step(*step), Basis::Assumed);
    }
    element
}

fn raise(
    node: &mut Column<Closing>,
    heap: &mut BinaryHeap<(Closing, u32)>,
    at: DateTime<Utc>,
    row: u32,
    until: Closing,
) {
    if until > *node.at(row) {
        *node.at_mut(row) = until;
        if !closed_at(until, at) {
            heap.push((until, row));
        }
    }
}

/// Each known secret that is not the leaver's own, with the rotations that the plan has for it.
fn planned_rotations(reached: &Reached, closings: &Closings<'_, '_>) -> HashMap<u32, Rotations> {
    let graph = closings.world.graph;
    let steps = closings.departure.steps.iter();
    let steps: Vec<_> = steps
        .filter(|step| step.does == StepAction::RotateKnownSecrets)
        .collect();
    let mut rotations: HashMap<u32, Rotations> = HashMap::new();
    if steps.is_empty() {
        return rotations;
    }
    // the systems at whose reached locations a credential, or a shared secret, stands
    let mut at_systems: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut secret_at: HashMap<u32, Vec<u32>> = HashMap::new();
    for node in reached.nodes.values() {
        if let Node::Item(Item::Location(location)) = *node {
            let system = graph.locations.at(location).system;
            for &credential in graph.credentials_at.row(location) {
                note(at_systems.entry(credential).or_default(), system);
            }
            for &secret in graph.secrets_at.row(location) {
                note(secret_at.entry(secret).or_default(), system);
            }
        }
    }
    let none = Vec::new();
    for node in reached.nodes.values() {
        let Node::Item(Item::Credential(credential)) = *node else {
            continue;
        };
        let row = graph.credentials.at(credential);
        if closings.is_mine(row.account) {
            continue;
        }
        let places = at_systems.get(&credential).unwrap_or(&none);
        let copies = secret_at.get(&row.secret).unwrap_or(&none);
        let copies = if row.secret == NONE { &none } else { copies };
        let mut planned: Vec<(Closing, u32)> = steps
            .iter()
            .filter(|step| {
                let here = step.system.is_none_or(|named| {
                    named == row.system || places.contains(&named) || copies.contains(&named)
                });
                here && Departure::conditions_met(graph, step, row.account)
            })
            .map(|step| (step.closes, step.index))
            .collect();
        if planned.is_empty() {
            continue;
        }
        planned.sort_unstable();
        let unrotated = Element::closed();
        rotations.insert(
            credential,
            Rotations {
                planned,
                ineffective: 0,
                unrotated,
            },
        );
    }
    rotations
}

fn note(systems: &mut Vec<u32>, system: u32) {
    if !systems.contains(&system) {
        systems.push(system);
    }
}

/// Which items lead to something privileged: true if to any, else unknown if to any unknown.
pub(crate) fn privileged(graph: &Graph, reached: &Reached) -> Column<Option<bool>> {
    let mut into: Vec<(u32, u32)> = Vec::with_capacity(reached.edges.len() as usize);
    into.extend(
        reached
            .edges
            .values()
            .iter()
            .map(|edge| (edge.to, edge.from)),
    );
    let into = crate::access::columns::Rows::build(reached.nodes.len(), into);
    let own = |node: u32| match *reached.nodes.at(node) {
        Node::Item(Item::Account(account)) => graph.accounts.at(account).privileged,
        Node::Item(Item::Entitlement { entitlement, .. }) => {
            graph.entitlements.at(entitlement).privileged
        }
        Node::Item(Item::Credential(_) | Item::Location(_)) | Node::Secret(_) => Some(false),
    };
    let is_entitlement = |node: u32| {
        matches!(
            *reached.nodes.at(node),
            Node::Item(Item::Entitlement { .. })
        )
    };
    let mut answer = Column::filled(Some(false), reached.nodes.len());
    // first what may be privileged, then what is, over it
    for flag in [None, Some(true)] {
        let mut seen = Column::filled(false, reached.nodes.len());
        let mut queue = Vec::new();
        for node in 0..reached.nodes.len() {
            if own(node) == flag {
                *answer.at_mut(node) = flag;
                if is_entitlement(node) {
                    *seen.at_mut(node) = true;
                    queue.push(node);
                }
            }
        }
        while let Some(node) = queue.pop() {
            for &before in into.row(node) {
                if !*seen.at(before) {
                    *seen.at_mut(before) = true;
                    *answer.at_mut(before) = flag;
                    queue.push(before);
                }
            }
        }
    }
    answer
}
