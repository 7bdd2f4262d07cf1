//! Reading: paged searches turned into pages of facts, at most `limit` at a time.

use crate::capability;
use crate::changes;
use crate::connection::Connection;
use crate::entry::Entry;
use crate::index::{Half, Index};
use crate::map::Sort;
use crate::root::{Server, Vendor};
use crate::scan::{Part, Scan, Served};
use crate::search::{Link, Pages, Query, see_base};
use crate::settings::{Directory, Incremental};
use crate::watermark::{Watermark, queries};
use async_trait::async_trait;
use lastkey_contract::{
    ConnectorError, ErrorKind, Kind, KindCapability, NoteKind, Page, PageRequest, Session,
};
use std::collections::VecDeque;

/// Most records on one page.
pub const MAX_PAGE: u32 = 20_000;
/// Entries fetched at once.
const ENTRIES_AT_ONCE: u32 = 1_000;
/// Groups fetched at once where their members are wanted: one group can have many.
const GROUPS_AT_ONCE: u32 = 200;
/// Roles of 389 DS are hidden from searches that do not ask for subentries by name.
const ROLES: &str = "(&(objectClass=ldapSubEntry)(objectClass=nsRoleDefinition))";

/// An open reading session.
pub struct Reading {
    pub directory: Directory,
    pub link: Link,
    pub server: Server,
    pub index: Index,
    scan: Option<Scan>,
    scans: u64,
    served: Option<Served>,
    /// Aliases are looked for once.
    aliases: Option<Aliases>,
    /// Owns the socket: it closes with the session.
    _connection: Connection,
}

/// Entries that only point at others.
#[derive(Clone, Debug, Default)]
struct Aliases {
    /// Those that point out of the base: what they name is not read.
    outside: Vec<String>,
    /// Why not all of them were seen.
    cut: Option<&'static str>,
}

impl Reading {
    pub fn new(directory: Directory, connection: Connection) -> Self {
        let server = connection.server.clone();
        Self {
            directory: directory.knowing(&server),
            link: connection.link.clone(),
            server,
            index: Index::default(),
            scan: None,
            scans: 0,
            served: None,
            aliases: None,
            _connection: connection,
        }
    }

    /// A query below the base, for entries of one sort.
    pub fn part(&self, sort: Sort) -> Part {
        let d = &self.directory;
        let filter = match sort {
            Sort::Identity | Sort::Account | Sort::RoleMembers => d.people.clone(),
            Sort::Group | Sort::Members => d.groups.clone(),
            Sort::Role => ROLES.to_owned(),
            // Presence is asked by the filter: the directory compares, and sends no value.
            Sort::Password => format!("(&{}(|(pwdChangedTime=*)(userPassword=*)))", d.people),
            Sort::Keys => format!("(&{}(|(userCertificate=*)(sshPublicKey=*)))", d.people),
        };
        Part {
            sort,
            query: Query::below(&d.base_dn, filter, sort.attributes(d)),
        }
    }

    /// What a full read of a kind asks.
    fn parts(&self, kind: Kind) -> Result<VecDeque<Part>, ConnectorError> {
        let roles = self.server.vendor == Vendor::Ds389;
        let sorts: &[Sort] = match kind {
            Kind::Identity => &[Sort::Identity],
            Kind::Account => &[Sort::Account],
            Kind::Entitlement if roles => &[Sort::Group, Sort::Role],
            Kind::Entitlement => &[Sort::Group],
            Kind::Grant if roles => &[Sort::Members, Sort::RoleMembers],
            Kind::Grant => &[Sort::Members],
            Kind::Credential => &[Sort::Password, Sort::Keys],
            Kind::Location
            | Kind::Reader
            | Kind::Control
            | Kind::Owner
            | Kind::Session
            | Kind::Task => {
                return Err(ConnectorError::new(
                    ErrorKind::Unsupported,
                    self.directory.url.as_str(),
                    format!("read {}", kind.plural()),
                    format!("a directory has no {} that can be read", kind.plural()),
                ));
            }
        };
        Ok(sorts.iter().map(|sort| self.part(*sort)).collect())
    }

    /// Whether a read of this kind can say where the next one starts.
    pub fn is_incremental(&self, kind: Kind) -> bool {
        self.directory.incremental == Incremental::WhereTold
            && capability::has_told_ids(&self.directory, &self.server)
            && capability::incremental(kind, &self.server)
    }

    async fn begin(&mut self, kind: Kind) -> Result<Scan, ConnectorError> {
        self.scans += 1;
        let mut scan = Scan::new(kind, self.scans, self.parts(kind)?);
        if self.is_incremental(kind) {
            // Before the first entry: what changes while we read is then told next time.
            let now = Watermark::now(self, kind).await?;
            scan.watermark = now.map(|w| w.to_text(&queries(self, kind)));
        }
        self.look_for_aliases(&mut scan).await?;
        if matches!(kind, Kind::Grant | Kind::Identity) {
            self.know(Half::People, &mut scan).await?;
        }
        if kind == Kind::Grant {
            self.know(Half::Groups, &mut scan).await?;
        }
        Ok(scan)
    }

    /// Reads a half of the index that no earlier read filled. What was cut is noted on `scan`.
    pub async fn know(&mut self, half: Half, scan: &mut Scan) -> Result<(), ConnectorError> {
        if self.index.has(half) {
            return Ok(());
        }
        let d = &self.directory;
        let (filters, names): (Vec<&str>, &[&str]) = match (half, self.server.vendor) {
            (Half::People, _) => (
                vec![&d.people],
                &[&d.id_attribute, &d.identity_attribute, "uid", "gidNumber"],
            ),
            (Half::Groups, Vendor::Ds389) => (vec![&d.groups, ROLES], &[&d.id_attribute]),
            (Half::Groups, Vendor::OpenLdap | Vendor::Other) => {
                (vec![&d.groups], &[&d.id_attribute])
            }
        };
        for filter in filters {
            let names = names.iter().map(|n| (*n).to_owned()).collect();
            let query = Query::below(&d.base_dn, filter, names);
            let operation = "look up members".to_owned();
            let mut pages = Pages::begin(&self.link, query, ENTRIES_AT_ONCE, None, operation);
            while let Some(answer) = pages.next().await {
                for entry in scan.take(answer?, &self.link.system)? {
                    self.index.learn(&self.directory, half, &entry);
                }
            }
        }
        self.index.complete(half);
        Ok(())
    }

    /// Fetches one search page into the scan's queue.
    async fn fetch(&mut self, scan: &mut Scan, limit: u32) -> Result<(), ConnectorError> {
        let Some(part) = scan.parts.front().cloned() else {
            return Ok(());
        };
        let most = match part.sort {
            Sort::Members => GROUPS_AT_ONCE,
            _ => ENTRIES_AT_ONCE,
        };
        let operation = format!("read {}", scan.kind.plural());
        let pages = scan.pages.get_or_insert_with(|| {
            let cookie = scan.cookie.take();
            let size = limit.min(most);
            Pages::begin(&self.link, part.query.clone(), size, cookie, operation)
        });
        let answer = match pages.next().await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => {
                // Whoever asks again goes on where this page began.
                scan.pages = None;
                return Err(error);
            }
            None => {
                scan.pages = None;
                return Err(ConnectorError::new(
                    ErrorKind::Cancelled,
                    self.link.system.as_str(),
                    "read",
                    "the read was stopped",
                ));
            }
        };
        scan.cookie.clone_from(&answer.cookie);
        let last = answer.cookie.is_none();
        for entry in scan.take(answer, &self.link.system)? {
            self.learn(part.sort, &entry);
            scan.push(part.sort, entry, &self.index);
        }
        if last {
            self.part_ended(part.sort, scan).await?;
        }
        Ok(())
    }

    /// What members are resolved with is learned where the same entries are read anyway.
    pub fn learn(&mut self, sort: Sort, entry: &Entry) {
        match sort {
            Sort::Account => self.index.learn(&self.directory, Half::People, entry),
            Sort::Group | Sort::Role => self.index.learn(&self.directory, Half::Groups, entry),
            Sort::Identity | Sort::Members | Sort::RoleMembers | Sort::Password | Sort::Keys => {}
        }
    }

    async fn part_ended(&mut self, sort: Sort, scan: &mut Scan) -> Result<(), ConnectorError> {
        scan.pages = None;
        scan.parts.pop_front();
        if scan.ended() && scan.found == 0 {
            let operation = format!("read {}", scan.kind.plural());
            see_base(&self.link, &self.directory.base_dn, &operation).await?;
        }
        if sort == Sort::Password && scan.found == 0 {
            self.doubt_silence(scan).await?;
        }
        if scan.ended() && !scan.clipped {
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

    /// Aliases are never followed: one that points below the base names what is read anyway, and
    /// what another names is left out.
    async fn look_for_aliases(&mut self, scan: &mut Scan) -> Result<(), ConnectorError> {
        let aliases = match &self.aliases {
            Some(known) => known.clone(),
            None => {
                let names = vec!["aliasedObjectName".to_owned()];
                let query = Query::below(&self.directory.base_dn, "(objectClass=alias)", names);
                let operation = "look for aliases".to_owned();
                let mut pages = Pages::begin(&self.link, query, ENTRIES_AT_ONCE, None, operation);
                let mut found = Aliases::default();
                let base = crate::dn::normal(&self.directory.base_dn);
                while let Some(answer) = pages.next().await {
                    let answer = answer?;
                    found.cut = found.cut.or(answer.clipped);
                    found
                        .outside
                        .extend(answer.entries.into_iter().filter_map(|entry| {
                            let target = crate::dn::normal(entry.one("aliasedObjectName")?);
                            let inside = target == base || target.ends_with(&format!(",{base}"));
                            (!inside).then_some(entry.dn)
                        }));
                }
                self.aliases.insert(found).clone()
            }
        };
        if matches!(scan.kind, Kind::Account | Kind::Entitlement) {
            let reason = "an alias that points out of the base was not followed";
            for dn in aliases.outside {
                scan.note(NoteKind::Clipped, reason, 1, Some(dn));
            }
            if let Some(why) = aliases.cut {
                let reason = format!("the directory cut its list of aliases at {why}");
                scan.note(NoteKind::Clipped, &reason, 1, None);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Session for Reading {
    fn capabilities(&self) -> Option<Vec<KindCapability>> {
        Some(capability::table(&self.directory, Some(&self.server)))
    }

    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let limit = request.limit.clamp(1, MAX_PAGE);
        let mut scan = match (&request.cursor, &request.since) {
            (None, None) => self.begin(kind).await?,
            (None, Some(since)) => {
                self.scans += 1;
                let scan = Scan::new(kind, self.scans, VecDeque::new());
                changes::begin(self, scan, since).await?
            }
            (Some(asked), _) => {
                if let Some(served) = &self.served
                    && let Some(page) =
                        served.again(&self.directory, &self.index, (asked, kind, limit))
                {
                    return Ok(page);
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
        while !scan.is_ready(limit) {
            if let Err(error) = self.fetch(&mut scan, limit).await {
                self.scan = Some(scan);
                return Err(error);
            }
        }
        let (page, served) = scan.serve(&self.directory, &self.index, (request.cursor, limit));
        self.served = served;
        self.scan = page.next.is_some().then_some(scan);
        Ok(page)
    }
}
