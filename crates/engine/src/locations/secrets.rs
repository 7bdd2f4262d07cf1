//! The secrets of one state: each with its credentials, the places where it stands for certain, and
//! the secrets that it is suspected to be.

use crate::access::Graph;
use crate::access::columns::{Column, NONE, Rows, Texts};
use crate::access::graph::Item;
use std::collections::HashMap;

/// Seconds since 1970 of what a source tells; None is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    pub created: Option<i64>,
    pub rotated: Option<i64>,
    pub used: Option<i64>,
    pub expires: Option<i64>,
}

/// A value at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub location: u32,
    /// Which value of the place; `NONE` where it has no name.
    pub field: u32,
    /// `NONE` where no source tells a fingerprint.
    pub print: u32,
    /// The credential that a source says stands here.
    pub credential: u32,
    pub since: Option<i64>,
    pub rotated: Option<i64>,
    pub production: bool,
}

/// Why two secrets may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// They have one name: its row among the texts.
    Name(u32),
    /// A source names a credential at a place where another value stands.
    OtherValue,
}

/// A secret that another may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub other: u32,
    pub why: Why,
}

/// One secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secret {
    pub print: u32,
    /// Since when its value is known to be this one, at the latest.
    pub since: Option<i64>,
    pub rotated: Option<i64>,
    pub used: Option<i64>,
    pub expires: Option<i64>,
}

/// All secrets, numbered: those with a credential first, in id order.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub(crate) all: Column<Secret>,
    pub(crate) credentials: Rows<u32>,
    pub(crate) spots_of: Rows<u32>,
    pub(crate) suspects: Rows<Suspect>,
    pub(crate) spots: Column<Spot>,
    /// The secret of each value at a place, of each credential, and the values at each location.
    pub(crate) secret_of_spot: Column<u32>,
    pub(crate) secret_of_credential: Column<u32>,
    pub(crate) spots_at: Rows<u32>,
    pub(crate) dates: Column<Dates>,
    pub(crate) names: HashMap<u32, Box<str>>,
    pub(crate) fields: Texts,
    pub(crate) evidence: Texts,
    /// What a search looks into, in lower case.
    pub(crate) searched: Texts,
}

/// The last part of a path.
pub(super) fn end_of(path: &str) -> &str {
    path.rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or(path)
}

impl Secrets {
    pub(crate) fn field(&self, spot: &Spot) -> Option<&str> {
        (spot.field != NONE).then(|| self.fields.at(spot.field))
    }

    pub(crate) fn credential_name<'s>(&'s self, graph: &'s Graph, credential: u32) -> &'s str {
        match self.names.get(&credential) {
            Some(name) => name,
            None => graph.credential_ids.at(credential),
        }
    }

    /// What a person calls a value at a place: a path's last part, or the name of the value.
    pub(crate) fn spot_name<'s>(&'s self, graph: &'s Graph, spot: &'s Spot) -> &'s str {
        match self.field(spot) {
            Some(field) => field,
            None => end_of(graph.location_ids.at(spot.location)),
        }
    }

    /// What a person calls a secret.
    pub(crate) fn name<'s>(&'s self, graph: &'s Graph, secret: u32) -> &'s str {
        if let Some(credential) = self.credentials.row(secret).first() {
            return self.credential_name(graph, *credential);
        }
        // A password is named by its field alone nowhere: the place says whose it is.
        let spots = self.spots_of.row(secret).iter();
        let mut names = spots.map(|spot| self.spot_name(graph, self.spots.at(*spot)));
        names.next().unwrap_or_default()
    }

    /// `credential:SYSTEM:ID`, or `location:SYSTEM:PATH#FIELD` of a secret without a credential.
    pub(crate) fn key(&self, graph: &Graph, secret: u32) -> String {
        if let Some(credential) = self.credentials.row(secret).first() {
            let (_, system, id) = graph.names(Item::Credential(*credential));
            return format!("credential:{system}:{id}");
        }
        match self.spots_of.row(secret).first() {
            Some(spot) => self.spot_key(graph, *spot),
            None => String::new(),
        }
    }

    pub(crate) fn spot_key(&self, graph: &Graph, spot: u32) -> String {
        let spot = self.spots.at(spot);
        let (_, system, path) = graph.names(Item::Location(spot.location));
        match self.field(spot) {
            Some(field) => format!("location:{system}:{path}#{field}"),
            None => format!("location:{system}:{path}"),
        }
    }

    /// The distinct locations of a secret, in id order.
    pub(crate) fn locations(&self, secret: u32) -> Vec<u32> {
        let spots = self.spots_of.row(secret).iter();
        let mut all: Vec<u32> = spots.map(|spot| self.spots.at(*spot).location).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether it stands at several places for certain.
    pub(crate) fn stands_twice(&self, secret: u32) -> bool {
        let spots = self.spots_of.row(secret).iter();
        let mut at = spots.map(|spot| self.spots.at(*spot).location);
        let first = at.next();
        at.any(|location| Some(location) != first)
    }

    /// The values at other places that may be this secret, and why; in id order, each once.
    pub(crate) fn suspected_spots(&self, secret: u32) -> Vec<(u32, Why)> {
        let suspects = self.suspects.row(secret).iter();
        let mut all: Vec<(u32, Why)> = suspects
            .flat_map(|one| {
                let spots = self.spots_of.row(one.other).iter();
                spots.map(|spot| (*spot, one.why))
            })
            .collect();
        all.sort_by_key(|(spot, _)| *spot);
        all.dedup_by_key(|(spot, _)| *spot);
        all
    }
}
