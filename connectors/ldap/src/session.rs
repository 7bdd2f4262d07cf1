//! Reading: paged searches turned into pages of facts, at most `limit` at a time.

use crate::connection::Connection;
use crate::index::{Half, Index};
use crate::map;
use crate::search::{Answer, Query, page};
use crate::settings::Directory;
use async_trait::async_trait;
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Fact, Kind, Note, NoteKind, Page, PageRequest, Session,
};
use ldap3::Scope;
use std::collections::{BTreeMap, VecDeque};

/// Most records on one page.
pub const MAX_PAGE: u32 = 2_000;
/// Groups fetched at once where their members are wanted: one group can have many.
const GROUPS_AT_ONCE: u32 = 200;
/// Empty pages in a row, each promising more, after which the directory is not believed.
const MAX_EMPTY: u32 = 100;

/// An open reading session.
pub struct Reading {
    directory: Directory,
    connection: Connection,
    index: Index,
    scan: Option<Scan>,
    scans: u64,
    /// The last page and the cursor it answered, so that asking again gives the same.
    answered: Option<(Cursor, Kind, u32, Page)>,
}

/// A search of one kind under way.
struct Scan {
    kind: Kind,
    number: u64,
    served: u64,
    query: Query,
    cookie: Option<Vec<u8>>,
    ended: bool,
    clipped: bool,
    empty: u32,
    found: u64,
    queue: VecDeque<Fact>,
    /// Objects seen that became no record.
    lost: u64,
    notes: BTreeMap<(NoteKind, String), (u64, Vec<String>)>,
}

impl Reading {
    pub fn new(directory: Directory, connection: Connection) -> Self {
        Self {
            directory,
            connection,
            index: Index::default(),
            scan: None,
            scans: 0,
            answered: None,
        }
    }

    fn query(&self, kind: Kind) -> Option<Query> {
        let d = &self.directory;
        let (filter, attributes) = match kind {
            Kind::Identity | Kind::Account => (d.people.clone(), map::people_attributes(d)),
            Kind::Entitlement => (d.groups.clone(), map::group_attributes(d)),
            Kind::Grant => (d.groups.clone(), map::member_attributes(d)),
            // Presence is asked by the filter: the directory compares, and sends no value.
            Kind::Credential => (
                format!("(&{}(|(pwdChangedTime=*)(userPassword=*)))", d.people),
                vec![
                    d.id_attribute.clone(),
                    "uid".to_owned(),
                    "pwdChangedTime".to_owned(),
                ],
            ),
            Kind::Location
            | Kind::Reader
            | Kind::Control
            | Kind::Owner
            | Kind::Session
            | Kind::Task => return None,
        };
        Some(Query {
            base: d.base_dn.clone(),
            filter,
            attributes,
        })
    }

    fn begin(&mut self, kind: Kind) -> Result<Scan, ConnectorError> {
        let query = self.query(kind).ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::Unsupported,
                self.directory.url.as_str(),
                format!("read {}", kind.plural()),
                format!("a directory has no {} that can be read", kind.plural()),
            )
        })?;
        self.scans += 1;
        Ok(Scan {
            kind,
            number: self.scans,
            served: 0,
            query,
            cookie: None,
            ended: false,
            clipped: false,
            empty: 0,
            found: 0,
            queue: VecDeque::new(),
            lost: 0,
            notes: BTreeMap::new(),
        })
    }

    /// Reads a half of the index that no earlier read filled. What was cut is noted on `scan`.
    async fn know(&mut self, half: Half, scan: &mut Scan) -> Result<(), ConnectorError> {
        if self.index.has(half) {
            return Ok(());
        }
        let d = &self.directory;
        let query = Query {
            base: d.base_dn.clone(),
            filter: match half {
                Half::People => d.people.clone(),
                Half::Groups => d.groups.clone(),
            },
            attributes: vec![
                d.id_attribute.clone(),
                d.identity_attribute.clone(),
                "uid".to_owned(),
            ],
        };
        let mut cookie: Option<Vec<u8>> = None;
        let mut empty = 0;
        loop {
            let answer = page(
                &mut self.connection,
                &query,
                Scope::Subtree,
                MAX_PAGE,
                cookie.as_deref(),
                "look up members",
            )
            .await?;
            for entry in &answer.entries {
                self.index.learn(&self.directory, half, entry);
            }
            empty = if answer.entries.is_empty() {
                empty + 1
            } else {
                0
            };
            scan.remember(&answer);
            match answer.cookie {
                None => {
                    self.index.complete(half);
                    return Ok(());
                }
                Some(_) if empty > MAX_EMPTY => return Err(endless(&self.directory.url)),
                next => cookie = next,
            }
        }
    }

    /// Fetches until the scan can serve a page.
    async fn fill(
        &mut self,
        scan: &mut Scan,
        request: &PageRequest,
        limit: u32,
    ) -> Result<(), ConnectorError> {
        if request.cursor.is_none() {
            if matches!(scan.kind, Kind::Grant | Kind::Identity) {
                self.know(Half::People, scan).await?;
            }
            if scan.kind == Kind::Grant {
                self.know(Half::Groups, scan).await?;
            }
        }
        while scan.queue.len() < limit as usize && !scan.ended {
            self.fetch(scan, limit).await?;
        }
        if scan.kind == Kind::Credential && scan.ended && scan.found == 0 {
            self.doubt_silence(scan).await?;
        }
        Ok(())
    }

    /// Fetches one search page into the scan's queue.
    async fn fetch(&mut self, scan: &mut Scan, limit: u32) -> Result<(), ConnectorError> {
        let size = match scan.kind {
            Kind::Grant => limit.min(GROUPS_AT_ONCE),
            _ => limit,
        };
        let operation = format!("read {}", scan.kind.plural());
        let answer = page(
            &mut self.connection,
            &scan.query,
            Scope::Subtree,
            size,
            scan.cookie.as_deref(),
            &operation,
        )
        .await?;
        scan.remember(&answer);
        scan.empty = if answer.entries.is_empty() {
            scan.empty + 1
        } else {
            0
        };
        if scan.empty > MAX_EMPTY && answer.cookie.is_some() {
            return Err(endless(&self.directory.url));
        }
        scan.ended = answer.cookie.is_none();
        scan.cookie.clone_from(&answer.cookie);
        for entry in &answer.entries {
            scan.found += 1;
            let d = &self.directory;
            let facts: Option<Vec<Fact>> = match scan.kind {
                Kind::Identity => {
                    map::identity(d, entry, &self.index).map(|x| vec![Fact::Identity(x)])
                }
                Kind::Account => {
                    self.index.learn(d, Half::People, entry);
                    map::account(d, entry).map(|x| vec![Fact::Account(x)])
                }
                Kind::Credential => map::password(d, entry).map(|x| vec![Fact::Credential(x)]),
                Kind::Entitlement => {
                    self.index.learn(d, Half::Groups, entry);
                    map::entitlement(d, entry).map(|x| vec![Fact::Entitlement(x)])
                }
                Kind::Grant => map::grants(d, entry, &self.index).map(|(grants, dangling)| {
                    for member in dangling {
                        let reason = "the member is neither a person nor a group that was read";
                        scan.note(NoteKind::Dangling, reason, 1, Some(member));
                    }
                    grants.into_iter().map(Fact::Grant).collect()
                }),
                Kind::Location
                | Kind::Reader
                | Kind::Control
                | Kind::Owner
                | Kind::Session
                | Kind::Task => Some(Vec::new()),
            };
            match facts {
                Some(facts) => scan.queue.extend(facts),
                None => {
                    scan.lost += 1;
                    let reason = format!(
                        "the entry shows no `{}`, so it has no id",
                        self.directory.id_attribute
                    );
                    scan.note(NoteKind::Failed, &reason, 1, Some(entry.dn.clone()));
                }
            }
        }
        if scan.ended && !scan.clipped {
            match scan.kind {
                Kind::Account => self.index.complete(Half::People),
                Kind::Entitlement => self.index.complete(Half::Groups),
                _ => {}
            }
        }
        Ok(())
    }

    /// No password visible anywhere, although there are people: then it is our login that
    /// cannot see them, and their absence may not be claimed.
    async fn doubt_silence(&mut self, scan: &mut Scan) -> Result<(), ConnectorError> {
        self.know(Half::People, scan).await?;
        if self.index.has_people() {
            let reason = "neither `pwdChangedTime` nor the presence of `userPassword` is visible to this login, so passwords cannot be listed";
            scan.note(NoteKind::Clipped, reason, 1, None);
        }
        Ok(())
    }
}

fn endless(system: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Protocol,
        system,
        "read",
        "the directory goes on sending empty pages and promising more",
    )
    .hint("look into the directory's log")
}

impl Scan {
    fn cursor(&self) -> Cursor {
        Cursor(format!("{}:{}", self.number, self.served))
    }

    fn note(&mut self, kind: NoteKind, reason: &str, count: u64, example: Option<String>) {
        let (total, examples) = self.notes.entry((kind, reason.to_owned())).or_default();
        *total += count;
        if examples.len() < Note::MAX_EXAMPLES {
            examples.extend(example);
        }
    }

    /// Notes what an answer left out.
    fn remember(&mut self, answer: &Answer) {
        if let Some(why) = &answer.clipped {
            self.clipped = true;
            let reason = format!("the directory cut its answer at {why}");
            self.note(NoteKind::Clipped, &reason, 1, None);
        }
        if answer.referrals > 0 {
            self.lost += answer.referrals;
            let reason = "a referral to another server was not followed";
            self.note(NoteKind::Skipped, reason, answer.referrals, None);
        }
        if answer.broken > 0 {
            self.lost += answer.broken;
            let reason = "the entry's encoding is broken";
            self.note(NoteKind::Failed, reason, answer.broken, None);
        }
        for entry in answer.entries.iter().filter(|e| e.too_long > 0) {
            let reason = "a value longer than 64 kB was left out";
            self.note(
                NoteKind::Clipped,
                reason,
                entry.too_long,
                Some(entry.dn.clone()),
            );
        }
    }

    /// The next page out of the queue.
    fn serve(&mut self, limit: u32) -> Page {
        let count = self.queue.len().min(limit as usize);
        let records: Vec<Fact> = self.queue.drain(..count).collect();
        self.served += records.len() as u64;
        let about = self.kind;
        Page {
            received: records.len() as u64 + std::mem::take(&mut self.lost),
            records,
            next: (!self.ended || !self.queue.is_empty()).then(|| self.cursor()),
            notes: std::mem::take(&mut self.notes)
                .into_iter()
                .map(|((kind, reason), (count, examples))| Note {
                    kind,
                    about,
                    reason,
                    count,
                    examples,
                })
                .collect(),
            query: Some(self.query.shown()),
            ..Page::default()
        }
    }
}

#[async_trait]
impl Session for Reading {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let mut scan = match &request.cursor {
            None => self.begin(kind)?,
            Some(asked) => {
                if let Some((cursor, of, size, page)) = &self.answered
                    && (cursor, *of, *size) == (asked, kind, limit)
                {
                    return Ok(page.clone());
                }
                match self.scan.take() {
                    Some(scan) if scan.kind == kind && scan.cursor() == *asked => scan,
                    _ => {
                        return Err(ConnectorError::new(
                            ErrorKind::CursorLost,
                            self.directory.url.as_str(),
                            format!("read {}", kind.plural()),
                            "the directory's place in the list is lost with its connection",
                        )
                        .hint("read this kind again from its start"));
                    }
                }
            }
        };
        if let Err(error) = self.fill(&mut scan, &request, limit).await {
            // Whoever asks again with the same cursor goes on where this call began.
            self.scan = Some(scan);
            return Err(error);
        }
        let page = scan.serve(limit);
        self.answered = request
            .cursor
            .map(|cursor| (cursor, kind, limit, page.clone()));
        self.scan = page.next.is_some().then_some(scan);
        Ok(page)
    }
}
