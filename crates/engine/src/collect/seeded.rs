//! A connector for tests that answers from memory, with the faults it is told to have.

use async_trait::async_trait;
use lastkey_contract::facts::{Account, Grant, Identity};
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Cursor, Descriptor, ErrorKind, Fact, Kind,
    KindCapability, Page, PageRequest, SecretNeed, Session,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "seeded",
    title: "Seeded",
    summary: "answers from memory",
    settings: &[],
    secret: SecretNeed::None,
    secret_label: "",
    reads: &[Kind::Identity, Kind::Account, Kind::Grant],
};

/// What goes wrong, and at which page of which kind (counted from 0).
#[derive(Clone)]
pub enum Fault {
    Error(ConnectorError),
    /// The same error this many times, then the answer.
    Flaky(ConnectorError, u32),
    Hang,
    SameCursor,
    Note(lastkey_contract::Note),
    Announce(u64),
}

#[derive(Clone, Default)]
pub struct Seeded {
    pub facts: BTreeMap<Kind, Vec<Fact>>,
    pub faults: Vec<(Kind, usize, Fault)>,
    pub page: usize,
    pub requests: Arc<AtomicU32>,
}

impl Seeded {
    pub fn new(page: usize) -> Self {
        Self {
            page,
            ..Self::default()
        }
    }

    pub fn with(mut self, kind: Kind, facts: Vec<Fact>) -> Self {
        self.facts.insert(kind, facts);
        self
    }

    pub fn fault(mut self, kind: Kind, page: usize, fault: Fault) -> Self {
        self.faults.push((kind, page, fault));
        self
    }
}

#[async_trait]
impl Connector for Seeded {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.facts
            .keys()
            .map(|kind| KindCapability {
                kind: *kind,
                max_page: 10_000,
                cursor_survives_reconnect: true,
                incremental: false,
                deletions_visible: false,
                last_use_known: false,
                one_moment: true,
            })
            .collect()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        Ok(CheckReport::default())
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Session for Seeded {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let number: usize = request.cursor.map_or(0, |c| c.0.parse().unwrap());
        let all = self.facts.get(&kind).unwrap();
        let records: Vec<Fact> = all
            .iter()
            .skip(number * self.page)
            .take(self.page)
            .cloned()
            .collect();
        let more = (number + 1) * self.page < all.len();
        let mut page = Page {
            received: records.len() as u64,
            records,
            next: more.then(|| Cursor((number + 1).to_string())),
            ..Page::default()
        };
        for (at_kind, at_page, fault) in &mut self.faults {
            if (*at_kind, *at_page) != (kind, number) {
                continue;
            }
            match fault {
                Fault::Error(error) => return Err(error.clone()),
                Fault::Flaky(error, times) if *times > 0 => {
                    *times -= 1;
                    return Err(error.clone());
                }
                Fault::Flaky(..) => {}
                Fault::Hang => std::future::pending::<()>().await,
                Fault::SameCursor => page.next = Some(Cursor(number.to_string())),
                Fault::Note(note) => {
                    page.received += note.count;
                    page.notes.push(note.clone());
                }
                Fault::Announce(total) => page.expected_total = Some(*total),
            }
        }
        Ok(page)
    }
}

pub fn error(kind: ErrorKind, message: &str) -> ConnectorError {
    ConnectorError::new(kind, "seeded", "read", message)
}

pub fn identity(id: &str, name: &str) -> Fact {
    Fact::Identity(identity_fact(id, name))
}

pub fn identity_fact(id: &str, name: &str) -> Identity {
    serde_json::from_value(serde_json::json!({
        "id": id, "kind": "person", "display_name": name,
        "email": format!("{id}@example.org"), "status": "active",
    }))
    .unwrap()
}

pub fn account(system: &str, id: &str, identity: &str) -> Fact {
    let account: Account = serde_json::from_value(serde_json::json!({
        "system": system, "id": id, "identity_id": identity,
    }))
    .unwrap();
    Fact::Account(account)
}

pub fn grant(system: &str, account: &str, entitlement: &str) -> Fact {
    let grant: Grant = serde_json::from_value(serde_json::json!({
        "system": system, "entitlement_id": entitlement,
        "principal": {"kind": "account", "system": system, "id": account},
    }))
    .unwrap();
    Fact::Grant(grant)
}
