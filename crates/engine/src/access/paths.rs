//! Shortest explaining paths, each within the elements that stay open as long as its item does.
//!
//! Items are taken in order of falling closing time; elements join as the time
//! falls, so distances only shrink and each level continues from the one before.
//! Of equally short paths the best known counts, which is known as well as its weakest link; of
//! equally well known ones that whose weak link comes latest, then the first, comparing link by
//! link from the start in the order of lists (kind, system, id, on_account).

use super::columns::{Column, NONE};
use super::graph::{Activation, Graph, Item, Membership};
use super::reached::{Node, Reached, Via};
use crate::lifecycle::{Basis, Closing};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A link of a path: the node, and the edge that leads to it (`NONE` at the start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathLink {
    pub node: u32,
    pub edge: u32,
}

/// Until when each part stays open (`None` takes no part), and how it is known.
pub(crate) struct Caps {
    pub start: Column<Option<Closing>>,
    pub edge: Column<Option<Closing>>,
    pub start_basis: Column<Basis>,
    pub edge_basis: Column<Basis>,
}

impl Caps {
    /// Parts that stay open for good, all of them observed.
    pub(crate) fn always(reached: &Reached) -> Self {
        let open = |is: bool| is.then_some(Closing::Never);
        let (nodes, edges) = (reached.nodes.len(), reached.edges.len());
        let start = (0..nodes).map(|node| open(*reached.is_start.at(node)));
        Caps {
            start: Column::new(start.collect()),
            edge: Column::filled(Some(Closing::Never), edges),
            start_basis: Column::filled(Basis::Observed, nodes),
            edge_basis: Column::filled(Basis::Observed, edges),
        }
    }
}

struct Label {
    /// Twice the number of links; the shared secret between two credentials counts one.
    length: u32,
    edge: u32,
    /// The weakest on the way.
    basis: Basis,
    dirty: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Node(u32),
    Edge(u32),
}

pub(crate) struct Paths<'a> {
    graph: &'a Graph,
    reached: &'a Reached,
    caps: &'a Caps,
    labels: Column<Label>,
    tasks: BinaryHeap<Reverse<(u32, Task)>>,
}

impl<'a> Paths<'a> {
    pub(crate) fn new(graph: &'a Graph, reached: &'a Reached, caps: &'a Caps) -> Self {
        let labels = (0..reached.nodes.len()).map(|_| Label {
            length: u32::MAX,
            edge: NONE,
            basis: Basis::Observed,
            dirty: false,
        });
        Paths {
            graph,
            reached,
            caps,
            labels: Column::new(labels.collect()),
            tasks: BinaryHeap::new(),
        }
    }

    /// Calls `found` for every node that has a `value`, latest first, with its path.
    pub(crate) fn each(
        &mut self,
        value: &Column<Option<Closing>>,
        mut found: impl FnMut(u32, &[PathLink]),
    ) {
        let mut nodes: Vec<(Closing, u32)> = (0..value.len())
            .filter_map(|node| Some(((*value.at(node))?, node)))
            .collect();
        nodes.sort_unstable_by_key(|(closing, node)| (Reverse(*closing), *node));
        let mut parts = self.parts();
        parts.sort_unstable_by_key(|(cap, task)| (Reverse(*cap), *task));
        let mut parts = parts.into_iter().peekable();
        let mut path = Vec::new();
        let mut settled = None;
        for (level, node) in nodes {
            if settled != Some(level) {
                while let Some((_, task)) = parts.next_if(|(cap, _)| *cap >= level) {
                    self.open(task);
                }
                self.settle(level);
                settled = Some(level);
            }
            self.walk(node, &mut path);
            found(node, &path);
        }
    }

    /// The shortest ways by the parts that never close.
    pub(crate) fn settled(mut self) -> Self {
        for (cap, task) in self.parts() {
            if cap == Closing::Never {
                self.open(task);
            }
        }
        self.settle(Closing::Never);
        self
    }

    /// How it is known that a node is reached, by the way that is settled.
    pub(crate) fn basis(&self, node: u32) -> Basis {
        self.labels.at(node).basis
    }

    fn parts(&self) -> Vec<(Closing, Task)> {
        let starts = (0..self.caps.start.len()).filter_map(|node| {
            let cap = (*self.caps.start.at(node))?;
            Some((cap, Task::Node(node)))
        });
        let edges = (0..self.caps.edge.len()).filter_map(|edge| {
            let cap = (*self.caps.edge.at(edge))?;
            Some((cap, Task::Edge(edge)))
        });
        starts.chain(edges).collect()
    }

    fn open(&mut self, task: Task) {
        match task {
            Task::Node(node) => {
                let basis = *self.caps.start_basis.at(node);
                let label = self.labels.at_mut(node);
                label.basis = basis;
                label.length = 2;
                label.edge = NONE;
                label.dirty = true;
                self.tasks.push(Reverse((2, task)));
            }
            Task::Edge(edge) => {
                let from = self.labels.at(self.reached.edges.at(edge).from);
                if from.length != u32::MAX {
                    self.tasks.push(Reverse((from.length, task)));
                }
            }
        }
    }

    fn settle(&mut self, level: Closing) {
        while let Some(Reverse((length, task))) = self.tasks.pop() {
            match task {
                Task::Node(node) => {
                    let label = self.labels.at_mut(node);
                    if label.length != length || !std::mem::take(&mut label.dirty) {
                        continue;
                    }
                    for edge in self.reached.edges_of(node) {
                        if self.caps.edge.at(edge).is_some_and(|cap| cap >= level) {
                            self.relax(edge);
                        }
                    }
                }
                Task::Edge(edge) => self.relax(edge),
            }
        }
    }

    fn relax(&mut self, edge: u32) {
        let row = *self.reached.edges.at(edge);
        let step = match (
            self.reached.nodes.at(row.from),
            self.reached.nodes.at(row.to),
        ) {
            (Node::Secret(_), _) | (_, Node::Secret(_)) => 1,
            (Node::Item(_), Node::Item(_)) => 2,
        };
        let from = self.labels.at(row.from);
        let length = from.length.saturating_add(step);
        let basis = from.basis.max(*self.caps.edge_basis.at(edge));
        let label = self.labels.at(row.to);
        let better = match length.cmp(&label.length) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal if label.edge == NONE => false,
            Ordering::Equal => {
                let before = self.reached.edges.at(label.edge).from;
                if before == row.from {
                    // of parallel elements the one that stays open longest, then the first
                    let cap = |edge| *self.caps.edge.at(edge);
                    if cap(edge) > cap(label.edge) {
                        self.labels.at_mut(row.to).edge = edge;
                    }
                    // the way to the node before may have changed; parallel elements are known alike
                    self.labels.at_mut(row.to).basis = basis;
                    true
                } else {
                    let known = basis.cmp(&label.basis);
                    let first = known.then_with(|| self.compare(row.from, before));
                    if first == Ordering::Less {
                        let label = self.labels.at_mut(row.to);
                        (label.edge, label.basis) = (edge, basis);
                    }
                    first == Ordering::Less
                }
            }
        };
        if better {
            let label = self.labels.at_mut(row.to);
            if length < label.length {
                (label.length, label.edge, label.basis) = (length, edge, basis);
            }
            label.dirty = true;
            self.tasks.push(Reverse((length, Task::Node(row.to))));
        }
    }

    /// Compares the paths of two nodes that are equally far: how they are known from the end back,
    /// then their links from the start.
    fn compare(&self, left: u32, right: u32) -> Ordering {
        let (mut left, mut right) = (Some(left), Some(right));
        let mut order = Ordering::Equal;
        while let (Some(l), Some(r)) = (left, right) {
            if l == r {
                break;
            }
            match (self.reached.item(l), self.reached.item(r)) {
                (Some(x), Some(y)) => {
                    let known = self.basis(l).cmp(&self.basis(r));
                    if known != Ordering::Equal {
                        return known;
                    }
                    match self.graph.order(x).cmp(&self.graph.order(y)) {
                        Ordering::Equal => {}
                        differs => order = differs,
                    }
                    (left, right) = (self.before(l), self.before(r));
                }
                (None, _) => left = self.before(l),
                (_, None) => right = self.before(r),
            }
        }
        order
    }

    fn before(&self, node: u32) -> Option<u32> {
        let edge = self.labels.at(node).edge;
        (edge != NONE).then(|| self.reached.edges.at(edge).from)
    }

    /// The way to a node that is settled.
    pub(crate) fn walk(&self, node: u32, path: &mut Vec<PathLink>) {
        path.clear();
        let mut here = Some(node);
        while let Some(node) = here {
            path.push(PathLink {
                node,
                edge: self.labels.at(node).edge,
            });
            here = self.before(node);
        }
        path.reverse();
    }
}

impl Reached {
    /// How a link follows from the one before; None for the first. The secret that two
    /// credentials share is no link of its own.
    pub(crate) fn word_into(
        &self,
        graph: &Graph,
        path: &[PathLink],
        place: usize,
    ) -> Option<String> {
        let here = path.get(place)?;
        if here.edge == NONE {
            return None;
        }
        let from = self.edges.at(here.edge).from;
        match self.nodes.at(from) {
            Node::Secret(_) => {
                let before = path.get(place.checked_sub(1)?)?;
                Some(self.word(graph, before.edge))
            }
            Node::Item(_) => Some(self.word(graph, here.edge)),
        }
    }

    fn word(&self, graph: &Graph, edge: u32) -> String {
        let row = self.edges.at(edge);
        match row.via {
            Via::Grant { activation, .. } => {
                let held = match *self.nodes.at(row.to) {
                    Node::Item(Item::Entitlement { entitlement, .. }) => {
                        let group = graph.entitlements.at(entitlement).group;
                        group.unwrap_or(Membership::Holds)
                    }
                    Node::Item(_) | Node::Secret(_) => Membership::Holds,
                };
                let word = match held {
                    Membership::MemberOf => "member of",
                    Membership::Holds => "holds",
                };
                match activation {
                    Activation::Active => word.to_owned(),
                    Activation::Eligible => format!("{word} (eligible)"),
                }
            }
            Via::Reader => "reads".to_owned(),
            Via::Stands => "stands at".to_owned(),
            Via::Same => "same secret".to_owned(),
            Via::Opens => "opens".to_owned(),
            Via::Control(means) => means.word().to_owned(),
        }
    }
}
