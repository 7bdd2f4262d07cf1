//! After a move: what of the reach the identity may still have, by the policy alone.
//!
//! An entitlement that its accounts hold and that is not forbidden to it is still its own, through
//! whatever chain; so is everything that follows from what is still its own.

use super::departure::Departure;
use crate::access::columns::Column;
use crate::access::graph::Item;
use crate::access::reached::{Node, Reached, Via};

/// Of each node whether it may still be reached; of a leaver nothing may.
pub(crate) fn allowed(departure: &Departure, reached: &Reached) -> Column<bool> {
    let nodes = reached.nodes.len();
    let mut allowed = Column::filled(false, nodes);
    let Some(lost) = &departure.lost else {
        return allowed;
    };
    let is_lost = |node: u32| match *reached.nodes.at(node) {
        Node::Item(Item::Entitlement {
            entitlement,
            account,
        }) => departure.accounts.contains(&account) && lost.contains(&entitlement),
        Node::Item(Item::Account(_) | Item::Credential(_) | Item::Location(_))
        | Node::Secret(_) => false,
    };
    let mut seen = Column::filled(false, nodes);
    let mut next: Vec<u32> = (0..nodes)
        .filter(|node| *reached.is_start.at(*node))
        .collect();
    while let Some(node) = next.pop() {
        if *seen.at(node) {
            continue;
        }
        *seen.at_mut(node) = true;
        let lost = is_lost(node);
        *allowed.at_mut(node) = !lost;
        for edge in reached.edges_of(node) {
            let edge = reached.edges.at(edge);
            // What is lost still shows what else is held: a chain of grants goes on through it.
            let follows = match edge.via {
                Via::Grant { .. } => true,
                Via::Reader | Via::Stands | Via::Same | Via::Opens | Via::Control(_) => !lost,
            };
            if follows {
                next.push(edge.to);
            }
        }
    }
    allowed
}
