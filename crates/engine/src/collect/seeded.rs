//! A connector for tests that answers from memory, with the faults it is told to have.

use async_trait::async_trait;
use lastkey_contract::facts::{Account, Credential, Grant, Identity};
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Cursor, Descriptor, ErrorKind, Fact, Had, Kind,
    KindCapability, Page, PageRequest, Quota, SecretNeed, Session,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

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
    /// The connection is gone, this many times: nothing more is answered on it.
    Cut(u32),
    /// The source no longer knows the page mark or the watermark, this many times.
    Lost(u32),
    Quota(Quota),
    Panic,
}

/// What changed since a watermark. The last page tells what is gone and what it shows whole.
#[derive(Clone, Default)]
pub struct Changes {
    pub since: String,
    pub records: Vec<Fact>,
    pub gone: Vec<String>,
    pub whole: Vec<String>,
}

/// Sessions of one connector share what was counted and which faults are left.
#[derive(Clone, Default)]
pub struct Seeded {
    pub facts: BTreeMap<Kind, Vec<Fact>>,
    pub faults: Arc<Mutex<Vec<(Kind, usize, Fault)>>>,
    pub page: usize,
    pub requests: Arc<AtomicU32>,
    pub connects: Arc<AtomicU32>,
    /// Page marks do not work in a later connection.
    pub marks_die: bool,
    /// What is read are files: a page mark and the last page say of which content they are.
    pub of_files: bool,
    /// The watermark that a read ends with, where the connector can read incrementally.
    pub watermark: Option<String>,
    pub changes: BTreeMap<Kind, Changes>,
    /// What the source held at earlier watermarks: changes since any of them can be told.
    pub past: BTreeMap<String, BTreeMap<Kind, Vec<Fact>>>,
    pub check: CheckReport,
    /// What `connect` answers, the given number of times.
    pub refusals: Arc<Mutex<Vec<ConnectorError>>>,
    pub slow: Option<std::time::Duration>,
    cut: bool,
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

    pub fn fault(self, kind: Kind, page: usize, fault: Fault) -> Self {
        self.faults.lock().unwrap().push((kind, page, fault));
        self
    }

    pub fn of_files(mut self) -> Self {
        self.of_files = true;
        self
    }

    pub fn watermark(mut self, watermark: &str) -> Self {
        self.watermark = Some(watermark.to_owned());
        self
    }

    pub fn changes(mut self, kind: Kind, changes: Changes) -> Self {
        self.changes.insert(kind, changes);
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
                cursor_survives_reconnect: !self.marks_die,
                incremental: self.watermark.is_some(),
                deletions_visible: self.watermark.is_some(),
                last_use_known: false,
                one_moment: true,
            })
            .collect()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        Ok(self.check.clone())
    }
    async fn replaced(&self, had: &Had) -> Result<Option<String>, ConnectorError> {
        let of_mark = had.next.as_ref().and_then(|next| next.0.split_once(':'));
        let of_content = had.content_sha256.last().map(String::as_str);
        let was = of_mark.map(|(_, content)| content).or(of_content);
        let now = self.content(had.kind);
        Ok(was
            .filter(|was| *was != now)
            .map(|_| format!("the file of {} is another one", had.kind.plural())))
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        self.connects.fetch_add(1, Ordering::SeqCst);
        let refusal = self.refusals.lock().unwrap().pop();
        if let Some(refusal) = refusal {
            if refusal.kind == ErrorKind::Cancelled {
                std::future::pending::<()>().await;
            }
            return Err(refusal);
        }
        Ok(Box::new(self.clone()))
    }
}

impl Seeded {
    /// What files of a kind hash to now.
    fn content(&self, kind: Kind) -> String {
        crate::store::sha256_hex(format!("{:?}", self.facts.get(&kind)).as_bytes())
    }

    /// A page as files tell it, which say of what content it is.
    fn as_of_files(&self, kind: Kind, mut page: Page) -> Page {
        let content = self.content(kind);
        match &mut page.next {
            Some(next) => next.0 = format!("{}:{content}", next.0),
            None => page.content_sha256 = Some(content),
        }
        page
    }

    /// The records of one page.
    fn part(&self, all: &[Fact], number: usize) -> Page {
        let skipped = all.iter().skip(number * self.page);
        let records: Vec<Fact> = skipped.take(self.page).cloned().collect();
        let more = (number + 1) * self.page < all.len();
        Page {
            received: records.len() as u64,
            records,
            next: more.then(|| Cursor((number + 1).to_string())),
            ..Page::default()
        }
    }
}

#[async_trait]
impl Session for Seeded {
    async fn places(
        &mut self,
        kind: Kind,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, ConnectorError> {
        let facts = self.facts.get(&kind).into_iter().flatten();
        let at = facts
            .zip(1..)
            .map(|(fact, n)| (fact.key(), format!("row:{n}")));
        Ok(at.filter(|(key, _)| keys.contains(key)).collect())
    }
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if let Some(slow) = self.slow {
            tokio::time::sleep(slow).await;
        }
        let gone = || error(ErrorKind::Unavailable, "the connection is gone");
        if self.cut {
            return Err(gone());
        }
        let mark = request.cursor.map(|mark| mark.0);
        let (number, of) = match mark.as_deref().map(|mark| mark.split_once(':')) {
            Some(Some((number, of))) => (number, Some(of)),
            Some(None) => (mark.as_deref().unwrap_or_default(), None),
            None => ("0", None),
        };
        if of.is_some_and(|of| of != self.content(kind)) {
            return Err(error(ErrorKind::CursorLost, "the file changed"));
        }
        let number: usize = number.parse().unwrap();
        let mut page = match (&request.since, self.changes.get(&kind)) {
            (Some(since), Some(changes)) => {
                assert_eq!(*since, changes.since, "the watermark of the last read");
                let mut page = self.part(&changes.records, number);
                if page.next.is_none() {
                    page.gone.clone_from(&changes.gone);
                    page.whole.clone_from(&changes.whole);
                }
                page
            }
            (Some(since), None) => match self.past.get(since) {
                Some(then) => {
                    let changes = between(
                        then.get(&kind).map_or(&[], Vec::as_slice),
                        self.facts.get(&kind).map_or(&[], Vec::as_slice),
                    );
                    let mut page = self.part(&changes.records, number);
                    if page.next.is_none() {
                        page.gone = changes.gone;
                        page.whole = changes.whole;
                    }
                    page
                }
                None => Page::default(),
            },
            (None, _) => self.part(self.facts.get(&kind).unwrap(), number),
        };
        if page.next.is_none() {
            page.watermark = self.watermark.clone();
        }
        let mut hang = false;
        for (at_kind, at_page, fault) in self.faults.lock().unwrap().iter_mut() {
            if (*at_kind, *at_page) != (kind, number) {
                continue;
            }
            match fault {
                Fault::Error(error) => return Err(error.clone()),
                Fault::Flaky(error, times) if *times > 0 => {
                    *times -= 1;
                    return Err(error.clone());
                }
                Fault::Flaky(..) | Fault::Cut(0) | Fault::Lost(0) => {}
                Fault::Cut(times) => {
                    *times -= 1;
                    self.cut = true;
                    return Err(gone());
                }
                Fault::Lost(times) => {
                    *times -= 1;
                    return Err(error(ErrorKind::CursorLost, "nobody knows this mark"));
                }
                Fault::Hang => hang = true,
                Fault::SameCursor => page.next = Some(Cursor(number.to_string())),
                Fault::Note(note) => {
                    page.received += note.count;
                    page.notes.push(note.clone());
                }
                Fault::Announce(total) => page.expected_total = Some(*total),
                Fault::Quota(quota) => page.quota = Some(*quota),
                Fault::Panic => panic!("a defect of the connector"),
            }
        }
        if hang {
            std::future::pending::<()>().await;
        }
        if self.of_files {
            page = self.as_of_files(kind, page);
        }
        Ok(page)
    }
}

/// What changed between two states: of rows that may repeat, all of each parent that changed.
fn between(before: &[Fact], after: &[Fact]) -> Changes {
    let mut changes = Changes::default();
    let parent = |fact: &Fact| match fact {
        Fact::Grant(grant) => Some(format!("{}\u{1f}{}", grant.system, grant.entitlement_id)),
        _ => None,
    };
    let under = |facts: &[Fact], name: &str| -> Vec<Fact> {
        let of = facts.iter().filter(|f| parent(f).as_deref() == Some(name));
        of.cloned().collect()
    };
    let parents: std::collections::BTreeSet<String> =
        before.iter().chain(after).filter_map(parent).collect();
    for name in parents {
        let now = under(after, &name);
        if under(before, &name) != now {
            changes.records.extend(now);
            changes.whole.push(name);
        }
    }
    let alone = |facts: &[Fact]| -> BTreeMap<String, Fact> {
        let alone = facts.iter().filter(|fact| parent(fact).is_none());
        alone.map(|fact| (fact.key(), fact.clone())).collect()
    };
    let (before, after) = (alone(before), alone(after));
    let new = after
        .iter()
        .filter(|(key, fact)| before.get(*key) != Some(*fact));
    changes.records.extend(new.map(|(_, fact)| fact.clone()));
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    changes.gone.extend(gone.cloned());
    changes
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

pub fn credential(system: &str, id: &str, account: &str) -> Fact {
    let credential: Credential = serde_json::from_value(serde_json::json!({
        "system": system, "id": id, "kind": "api_key", "account_id": account,
    }))
    .unwrap();
    Fact::Credential(credential)
}

pub fn grant(system: &str, account: &str, entitlement: &str) -> Fact {
    let grant: Grant = serde_json::from_value(serde_json::json!({
        "system": system, "entitlement_id": entitlement,
        "principal": {"kind": "account", "system": system, "id": account},
    }))
    .unwrap();
    Fact::Grant(grant)
}
