//! What lies beyond a leaver's own accounts: locations that they read, secrets that stand there,
//! accounts of others that these open, and so on to a fixed point.
//!
//! It depends on nothing but the doors by which it is entered and until when each is open, so it is
//! worked out once for all leavers who come by the same doors; unless it leads back to their own.

use super::ground::{Ground, Likes};
use super::left::Left;
use super::ranks::Late;
use crate::access::columns::{Marks, NONE};
use crate::access::graph::{Graph, Item};
use crate::access::reached::{Node, Reached, World, closed_at};
use crate::lifecycle::closing::Closings;
use crate::lifecycle::departure::Declared;
use crate::lifecycle::values::{Values, values_with};
use crate::lifecycle::{Basis, Closing, ItemKind, StepAction};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Where a path leaves the leaver's own accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Door {
    /// What the holders of an entitlement read and control.
    Held(u32),
    Location(u32),
    /// An account that is controlled.
    Account(u32),
    /// Another's credential that is known without a location.
    Custody(u32),
}

/// By door: until when it is open. Of a credential in custody that says nothing.
pub(super) type Doors = Vec<(Door, Closing)>;

/// What is beyond.
pub(super) struct Beyond {
    pub left: Left,
    /// Something that has to be known of it is missing.
    pub lacks: bool,
    pub late: Late,
    /// Nothing of it is assumed.
    pub sure: bool,
    /// Accounts that it leads to, or whose closing it depends on: sorted.
    accounts: Vec<u32>,
}

impl Beyond {
    /// Whether it leads back to any of these.
    pub(super) fn meets(&self, accounts: &[u32]) -> bool {
        let mut accounts = accounts.iter();
        accounts.any(|account| self.accounts.binary_search(account).is_ok())
    }
}

/// How many accounts are remembered, over all that is remembered.
const ROOM: usize = 16 << 20;

/// What was worked out already, by the like of leaver and the doors.
pub(super) struct Remembered {
    known: HashMap<(u32, Doors), Arc<Beyond>>,
    accounts: usize,
    nobody: Marks,
}

impl Remembered {
    pub(super) fn new(graph: &Graph) -> Self {
        Remembered {
            known: HashMap::new(),
            accounts: 0,
            nobody: Marks::new(graph.accounts.len()),
        }
    }

    /// What is beyond these doors; puts them in order.
    pub(super) fn beyond(
        &mut self,
        ground: &Ground<'_>,
        (place, like): (u32, &Likes),
        mut doors: Doors,
        world: &mut World<'_>,
        declared: &Declared,
    ) -> Arc<Beyond> {
        // Of several ways to a door the one that stays open longest.
        doors.sort_unstable_by(|(a, until_a), (b, until_b)| a.cmp(b).then(until_b.cmp(until_a)));
        doors.dedup_by_key(|(door, _)| *door);
        let key = (place, doors);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let mut closings = Closings::new(world, declared, &like.departure, &self.nobody);
        let beyond = Arc::new(found_beyond(ground, like, &key.1, &mut closings));
        if self.accounts > ROOM {
            self.known.clear();
            self.accounts = 0;
        }
        self.accounts += beyond.accounts.len() + key.1.len();
        self.known.insert(key, beyond.clone());
        beyond
    }
}

/// Where what is reached starts: nodes in order, with how long each is open.
#[derive(Default)]
struct Starts {
    items: Vec<Item>,
    until: Vec<(u32, Closing)>,
    node: BTreeMap<(ItemKind, u32), u32>,
}

impl Starts {
    fn add(&mut self, kind: ItemKind, row: u32, item: Item) -> u32 {
        *self.node.entry((kind, row)).or_insert_with(|| {
            self.items.push(item);
            u32::try_from(self.items.len() - 1).unwrap_or(NONE)
        })
    }

    fn location(&mut self, row: u32, until: Closing) {
        let node = self.add(ItemKind::Location, row, Item::Location(row));
        self.until.push((node, until));
    }

    fn account(&mut self, row: u32, until: Closing) {
        let node = self.add(ItemKind::Account, row, Item::Account(row));
        self.until.push((node, until));
    }
}

fn found_beyond(
    ground: &Ground<'_>,
    like: &Likes,
    doors: &Doors,
    closings: &mut Closings<'_, '_>,
) -> Beyond {
    let graph = ground.graph;
    let mut starts = Starts::default();
    let mut sure = true;
    let mut controls = |row: u32, until: Closing, starts: &mut Starts| {
        if closings.world.can_sign_in(row) {
            let element = closings.sign_in(row);
            sure &= element.basis != Basis::Assumed;
            starts.account(row, until.min(element.closes));
        }
    };
    for (door, until) in doors {
        match *door {
            Door::Held(entitlement) => {
                for row in graph.entitlement_reads.row(entitlement) {
                    starts.location(*row, *until);
                }
                for (row, _) in graph.entitlement_controls.row(entitlement) {
                    controls(*row, *until, &mut starts);
                }
            }
            Door::Location(row) => starts.location(row, *until),
            Door::Account(row) => controls(row, *until, &mut starts),
            Door::Custody(row) => {
                starts.add(ItemKind::Credential, row, Item::Credential(row));
            }
        }
    }
    let mut reached = closings.world.reach_from(&starts.items);
    for node in 0..reached.nodes.len() {
        // One does not sign in to these accounts; they are controlled.
        let known = matches!(reached.item(node), Some(Item::Credential(_)));
        *reached.is_start.at_mut(node) &= known;
    }
    let values = values_with(&reached, closings, &starts.until);
    let mut beyond = Beyond {
        left: Left::default(),
        lacks: false,
        late: Late::default(),
        sure: sure && is_sure(&values),
        accounts: depends_on(graph, &reached),
    };
    for node in 0..reached.nodes.len() {
        let Some(item) = reached.item(node) else {
            continue;
        };
        beyond.lacks |= ground.item_lacks(item);
        let closes = *values.node.at(node);
        if closed_at(closes, ground.at) {
            continue;
        }
        let (late, severity) = like.judge(ground.sort_of(item), closes);
        let (kind, _, _) = graph.names(item);
        beyond.left.add(kind, severity, late, closes, 1);
        if late {
            beyond.late.items(graph.item_system(item), 1);
        }
        if let (true, Item::Credential(row)) = (late, item) {
            let system = graph.credentials.at(row).system;
            let does = StepAction::RotateKnownSecrets;
            beyond.late.start(does, system, 1);
            beyond.late.secrets.push(row);
        }
    }
    beyond
}

fn is_sure(values: &Values) -> bool {
    let starts = values.start.values().iter().flatten();
    let mut elements = starts.chain(values.edge.values());
    elements.all(|element| element.basis != Basis::Assumed)
}

/// Every account that is reached or that a credential belongs to, with those that one signs in
/// through.
fn depends_on(graph: &Graph, reached: &Reached) -> Vec<u32> {
    let mut accounts = BTreeSet::new();
    for node in reached.nodes.values() {
        let mut here = match *node {
            Node::Item(Item::Account(row)) => row,
            Node::Item(Item::Credential(row)) => graph.credentials.at(row).account,
            Node::Item(Item::Entitlement { .. } | Item::Location(_)) | Node::Secret(_) => NONE,
        };
        // Chains meet, and what follows is known then.
        while here != NONE && accounts.insert(here) {
            let row = graph.accounts.at(here);
            here = match row.local_sign_in {
                Some(false) => row.through,
                Some(true) | None => NONE,
            };
        }
    }
    accounts.into_iter().collect()
}
