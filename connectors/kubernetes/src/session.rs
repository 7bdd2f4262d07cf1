//! Reading: what was listed turned into pages of facts, at most `limit` at a time.

use crate::estate::{Estate, Known};
use crate::map::{Map, tokens};
use crate::pages::{Hand, Place};
use crate::rbac::Held;
use crate::settings::{Part, Secrets};
use async_trait::async_trait;
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Fact, Kind, NoteKind, Notes, Page, PageRequest, Session,
};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Most records on one page.
pub const MAX_PAGE: u32 = 500;

/// An open reading session.
pub struct Reading {
    estate: Estate,
    /// What tells this session's cursors from another's, whose lists were other ones.
    mark: u64,
    under_way: Option<UnderWay>,
}

/// The kind that is being read: what its facts are made of, and those that wait for the next page.
struct UnderWay {
    kind: Kind,
    units: Vec<Unit>,
    hand: Hand,
}

/// What stands for itself on pages of a kind.
enum Unit {
    Person(String),
    Group(String),
    Role(Held),
    Memberships(String),
    Certificate(usize),
    Token(String),
    Secret(String),
}

impl Reading {
    pub fn new(estate: Estate) -> Reading {
        Reading {
            estate,
            mark: RandomState::new().build_hasher().finish(),
            under_way: None,
        }
    }

    fn cursor(&self, place: Place) -> Cursor {
        Cursor(serde_json::json!([self.mark, place.at, place.served]).to_string())
    }

    fn place(&self, cursor: &Cursor) -> Option<Place> {
        let (mark, at, served) = serde_json::from_str::<(u64, usize, usize)>(&cursor.0).ok()?;
        (mark == self.mark).then_some(Place { at, served })
    }

    async fn page(
        &mut self,
        kind: Kind,
        from: Place,
        limit: usize,
    ) -> Result<Page, ConnectorError> {
        let known = self.estate.known().await?;
        let map = Map {
            system: &known.cluster.system,
            standing: known.standing,
        };
        let held = self.under_way.take().filter(|held| held.kind == kind);
        let mut under_way = held.unwrap_or_else(|| UnderWay {
            kind,
            units: units(&known, kind),
            hand: Hand::default(),
        });
        let UnderWay { units, hand, .. } = &mut under_way;
        let (records, next) = hand.page(units.len(), from, limit, |at| {
            let unit = units.get(at);
            unit.map_or_else(Vec::new, |unit| made(&known, &map, kind, unit))
        });
        self.under_way = Some(under_way);
        let query = Some(query(kind, &known));
        let mut notes = Notes::default();
        if from == Place::default() {
            notes.take(known.standing.notes(kind));
            if kind == Kind::Location {
                notes.take(known.shelves.notes.clone());
            }
            notes.take(limits(kind, &known));
            notes.take(self.estate.lacks(kind));
        }
        Ok(Page {
            received: records.len() as u64 + notes.lost(),
            records,
            next: next.map(|place| self.cursor(place)),
            notes: notes.about(kind),
            query,
            ..Page::default()
        })
    }
}

/// What a cluster tells nobody, so that its absence here says nothing.
fn limits(kind: Kind, known: &Known<'_>) -> Notes {
    let mut notes = Notes::default();
    let mut say =
        |reason: &str, example: &str| notes.add(NoteKind::Remark, reason, Some(example.to_owned()));
    match kind {
        Kind::Credential => {
            say(
                "a token that was issued for a time (TokenRequest) is listed nowhere, so none is here; who can have one issued stands among the controls",
                "serviceaccounts/token",
            );
            if known.cluster.reads(Part::Certificates) {
                say(
                    "a signing request is removed about an hour after its certificate was made, and what was signed elsewhere never had one: more certificates may be out there",
                    "certificatesigningrequests",
                );
            }
        }
        Kind::Grant => say(
            "who is in a group is decided where people sign in and is not told by the cluster, but for service accounts and certificates",
            "groups",
        ),
        Kind::Identity
        | Kind::Account
        | Kind::Entitlement
        | Kind::Location
        | Kind::Reader
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => {}
    }
    notes
}

/// What stands for itself on pages of a kind, in the order of reading.
fn units(known: &Known<'_>, kind: Kind) -> Vec<Unit> {
    let standing = known.standing;
    let people = || standing.people.keys().cloned();
    match kind {
        Kind::Account | Kind::Control => people().map(Unit::Person).collect(),
        Kind::Entitlement => {
            let groups = standing.groups.keys().cloned().map(Unit::Group);
            groups
                .chain(standing.holders.keys().cloned().map(Unit::Role))
                .collect()
        }
        Kind::Grant => {
            let roles = standing.holders.keys().cloned().map(Unit::Role);
            roles.chain(people().map(Unit::Memberships)).collect()
        }
        Kind::Credential => {
            let tokens = tokens(known.shelves).cloned().map(Unit::Token);
            let certificates = (0..standing.certificates.len()).map(Unit::Certificate);
            tokens.chain(certificates).collect()
        }
        Kind::Location | Kind::Reader => known
            .shelves
            .all
            .keys()
            .cloned()
            .map(Unit::Secret)
            .collect(),
        Kind::Identity | Kind::Owner | Kind::Session | Kind::Task => Vec::new(),
    }
}

fn made(known: &Known<'_>, map: &Map<'_>, kind: Kind, unit: &Unit) -> Vec<Fact> {
    let standing = known.standing;
    match unit {
        Unit::Person(user) if kind == Kind::Control => map.controls(user),
        Unit::Person(user) => {
            let person = standing.people.get(user);
            person
                .map(|person| map.account(user, person))
                .into_iter()
                .collect()
        }
        Unit::Group(group) => vec![map.group(group)],
        Unit::Role(held) if kind == Kind::Grant => map.holders(held),
        Unit::Role(held) => vec![map.role(held)],
        Unit::Memberships(user) => map.memberships(user),
        Unit::Certificate(at) => {
            let certified = standing.certificates.get(*at);
            certified
                .map(|certified| map.certificate(certified))
                .into_iter()
                .collect()
        }
        Unit::Token(path) => {
            let shelf = known.shelves.all.get(path);
            let seen = shelf.and_then(|shelf| shelf.seen.as_ref());
            seen.and_then(|seen| map.token(seen)).into_iter().collect()
        }
        Unit::Secret(path) => match (kind, known.shelves.all.get(path)) {
            (Kind::Reader, Some(shelf)) => map.readers(path, shelf),
            (_, Some(shelf)) => vec![map.location(path, shelf)],
            (_, None) => Vec::new(),
        },
    }
}

/// What was asked, for the evidence.
fn query(kind: Kind, known: &Known<'_>) -> String {
    let what = match kind {
        Kind::Account => "service accounts, and who is named by bindings and certificates",
        Kind::Entitlement => "roles where they are bound, and groups that are named",
        Kind::Grant => "bindings of roles and cluster roles",
        Kind::Credential => "Secrets that are tokens, and signed certificates",
        Kind::Location => "Secrets as a table without values, and what uses them",
        Kind::Reader => "roles whose rules read a Secret, or run a pod beside it",
        Kind::Control => "roles whose rules impersonate, issue tokens or run pods",
        Kind::Identity | Kind::Owner | Kind::Session | Kind::Task => "",
    };
    let mut text = format!("GET: {what}");
    if let Some(only) = &known.cluster.namespaces {
        let only: Vec<&str> = only.iter().map(String::as_str).collect();
        text.push_str(&format!("; of the namespaces {}", only.join(", ")));
    }
    if known.cluster.secrets == Secrets::Referenced {
        text.push_str("; Secrets only where something names them");
    }
    if !known.cluster.leave_out.is_empty() {
        let out: Vec<&str> = known.cluster.leave_out.iter().map(|p| p.word()).collect();
        text.push_str(&format!("; without {}", out.join(", ")));
    }
    text
}

#[async_trait]
impl Session for Reading {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let operation = format!("read {}", kind.plural());
        if !crate::DESCRIPTOR.reads.contains(&kind) {
            return Err(ConnectorError::new(
                ErrorKind::Unsupported,
                self.estate.api.address(),
                operation,
                format!("a cluster has no {} that are read", kind.plural()),
            ));
        }
        let limit = request.limit.clamp(1, MAX_PAGE) as usize;
        let from = match &request.cursor {
            None => Place::default(),
            Some(cursor) => self.place(cursor).ok_or_else(|| {
                ConnectorError::new(
                    ErrorKind::CursorLost,
                    self.estate.api.address(),
                    operation,
                    "the place in the list is of another session, whose lists are gone",
                )
                .hint("read this kind again from its start")
            })?,
        };
        self.page(kind, from, limit).await
    }
}
