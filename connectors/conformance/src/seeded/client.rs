//! The connector: reads the seeded server as a vendor's API should be read, and wrongly in one
//! way where it is told to.

use super::flaw::Flaw;
use super::server::unpacked;
use super::transport::{Got, Transport};
use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Cursor, Descriptor, ErrorKind, Fact, Kind,
    KindCapability, Note, NoteKind, Page, PageRequest, Right, SecretNeed, Session,
};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most records on one page.
const MAX_PAGE: u32 = 1_000;

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "seeded",
    title: "Seeded",
    summary: "A small world in memory, for tests.",
    settings: &[],
    secret: SecretNeed::Required,
    secret_label: "Token",
    reads: &Kind::ALL,
};

/// A connector for the seeded server at an address.
pub fn connector(
    at: SocketAddr,
    ca_pem: &str,
    token: &str,
    kinds: Vec<Kind>,
    flaw: Flaw,
) -> Box<dyn Connector> {
    Box::new(Seed {
        transport: Transport::new(at, ca_pem, token, flaw),
        kinds,
        flaw,
    })
}

struct Seed {
    transport: Transport,
    kinds: Vec<Kind>,
    flaw: Flaw,
}

/// Who we are, as the server tells.
#[derive(Deserialize)]
struct Me {
    name: String,
    server: String,
    rights: Vec<String>,
}

#[async_trait]
impl Connector for Seed {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let declared = |kind: Kind| {
            let known = matches!(kind, Kind::Account | Kind::Grant | Kind::Credential);
            self.flaw != Flaw::LastUseUndeclared && (known || self.flaw == Flaw::LastUseMissing)
        };
        self.kinds
            .iter()
            .map(|kind| KindCapability {
                kind: *kind,
                max_page: MAX_PAGE,
                cursor_survives_reconnect: *kind != Kind::Entitlement,
                incremental: matches!(kind, Kind::Identity | Kind::Account),
                deletions_visible: *kind == Kind::Identity,
                last_use_known: declared(*kind),
                one_moment: false,
            })
            .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let me = self.transport.clone().me().await?;
        let missing = self
            .kinds
            .iter()
            .filter(|kind| !me.rights.contains(&format!("read:{kind}")))
            .map(|kind| Right {
                name: format!("read:{kind}"),
                why: format!("without it {} are not read", kind.plural()),
            });
        let excess = me
            .rights
            .iter()
            .filter(|right| !right.starts_with("read:") && self.flaw != Flaw::OverlooksExcess)
            .map(|right| Right {
                name: right.clone(),
                why: "it allows more than reading".to_owned(),
            });
        Ok(CheckReport {
            signed_in_as: Some(me.name.clone()),
            server: Some(me.server.clone()),
            missing_rights: missing.collect(),
            excess_rights: excess.collect(),
            rights_known: true,
            warnings: Vec::new(),
            remarks: Vec::new(),
        })
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        static SESSIONS: AtomicU64 = AtomicU64::new(1);
        let mut transport = self.transport.clone();
        transport.me().await?;
        if self.flaw == Flaw::LeavesAMark {
            transport.post("/v1/marks").await?;
        }
        Ok(Box::new(Reading {
            transport,
            number: SESSIONS.fetch_add(1, Ordering::SeqCst),
            flaw: self.flaw,
            pages: 0,
            kept: Vec::new(),
        }))
    }
}

impl Transport {
    async fn me(&mut self) -> Result<Me, ConnectorError> {
        let got = self.get("/v1/me", "sign in").await?;
        self.parsed(&got, "sign in")
    }
}

struct Reading {
    transport: Transport,
    /// Tells this session from others, for the cursors that live no longer than it.
    number: u64,
    flaw: Flaw,
    pages: u64,
    kept: Vec<Vec<Fact>>,
}

/// A page, as the server tells it.
#[derive(Deserialize)]
struct Listed {
    records: Vec<Fact>,
    next: Option<String>,
    total: u64,
    clipped: bool,
    watermark: String,
    gone: Vec<String>,
}

impl Listed {
    fn nothing() -> Listed {
        Listed {
            records: Vec::new(),
            next: None,
            total: 0,
            clipped: false,
            watermark: "1".to_owned(),
            gone: Vec::new(),
        }
    }
}

/// Whether a kind's cursors live no longer than their session.
fn bound(kind: Kind, flaw: Flaw) -> bool {
    kind == Kind::Entitlement || flaw == Flaw::ForgetsCursors
}

impl Reading {
    fn lost(&self, kind: Kind) -> ConnectorError {
        self.transport.error(
            ErrorKind::CursorLost,
            &format!("read {}", kind.plural()),
            "this place in the list is not known".to_owned(),
        )
    }

    /// The text that a cursor puts into the address.
    fn place(&self, kind: Kind, cursor: &Cursor) -> Result<String, ConnectorError> {
        if self.flaw == Flaw::CountsInCursors {
            return Ok(format!("&skip={}", cursor.0));
        }
        let after = match bound(kind, self.flaw) {
            false => Some(cursor.0.as_str()),
            true => cursor.0.strip_prefix(&format!("{}:", self.number)),
        };
        match after.filter(|after| unpacked(after).is_some()) {
            Some(after) => Ok(format!("&after={after}")),
            None if self.flaw == Flaw::TakesAnyCursor => Ok(String::new()),
            None => Err(self.lost(kind)),
        }
    }

    /// The cursor out of a link to the next page, which must lead to where this one came from.
    fn cursor(
        &self,
        kind: Kind,
        link: &str,
        asked: Option<&Cursor>,
        count: usize,
    ) -> Result<Cursor, ConnectorError> {
        if self.flaw == Flaw::SameCursor {
            return Ok(asked.cloned().unwrap_or_else(|| Cursor("k30".to_owned())));
        }
        if self.flaw == Flaw::CountsInCursors {
            let before: usize = asked.and_then(|c| c.0.parse().ok()).unwrap_or(0);
            return Ok(Cursor((before + count).to_string()));
        }
        let here = format!("{}/v1/{kind}?after=", self.transport.base());
        match link
            .strip_prefix(&here)
            .filter(|after| unpacked(after).is_some())
        {
            Some(after) if bound(kind, self.flaw) => Ok(Cursor(format!("{}:{after}", self.number))),
            Some(after) => Ok(Cursor(after.to_owned())),
            None => Err(self.transport.error(
                ErrorKind::Protocol,
                &format!("read {}", kind.plural()),
                format!("the next page is said to be elsewhere: `{link}`"),
            )),
        }
    }

    async fn listed(&mut self, kind: Kind, path: &str) -> Result<Listed, ConnectorError> {
        let operation = format!("read {}", kind.plural());
        let got = match self.transport.get(path, &operation).await {
            Err(error) => {
                let passed_over = match error.kind {
                    ErrorKind::Forbidden => self.flaw == Flaw::ForbiddenIsEmpty,
                    ErrorKind::Unavailable => matches!(
                        self.flaw,
                        Flaw::ErrorIsTheEnd | Flaw::BreakIsTheEnd | Flaw::CloseIsTheEnd
                    ),
                    ErrorKind::ConfigInvalid
                    | ErrorKind::AuthRejected
                    | ErrorKind::TlsUntrusted
                    | ErrorKind::RateLimited
                    | ErrorKind::TimedOut
                    | ErrorKind::Protocol
                    | ErrorKind::NotUnderstood
                    | ErrorKind::CursorLost
                    | ErrorKind::Unsupported
                    | ErrorKind::Cancelled
                    | ErrorKind::Bug => false,
                };
                return match passed_over {
                    true => Ok(Listed::nothing()),
                    false => Err(error),
                };
            }
            Ok(got) => got,
        };
        match self.transport.parsed(&got, &operation) {
            Err(_) if self.flaw == Flaw::RubbishIsEmpty => Ok(Listed::nothing()),
            other => other,
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
        let limit = match self.flaw == Flaw::PageTooLarge {
            true => request.limit.saturating_add(1),
            false => request.limit.clamp(1, MAX_PAGE),
        };
        let mut path = format!("/v1/{kind}?limit={limit}");
        if let Some(cursor) = &request.cursor {
            path.push_str(&self.place(kind, cursor)?);
        }
        let incremental = matches!(kind, Kind::Identity | Kind::Account);
        if let Some(mark) = request.since.as_ref().filter(|_| incremental) {
            match mark.bytes().all(|byte| byte.is_ascii_digit()) {
                true => path.push_str(&format!("&since={mark}")),
                false => return Err(self.lost(kind)),
            }
        }
        let listed = self.listed(kind, &path).await?;
        if let Some(link) = listed
            .next
            .as_ref()
            .filter(|_| self.flaw == Flaw::FollowsAnywhere)
        {
            self.transport.follow(link).await;
        }
        let next = match &listed.next {
            None => None,
            Some(link) => {
                Some(self.cursor(kind, link, request.cursor.as_ref(), listed.records.len())?)
            }
        };
        let last = next.is_none();
        let mut page = Page {
            received: listed.records.len().try_into().unwrap_or(u64::MAX),
            records: listed.records,
            next,
            expected_total: request.since.is_none().then_some(listed.total),
            query: Some(path),
            watermark: (last && incremental).then_some(listed.watermark),
            gone: match kind == Kind::Identity && request.since.is_some() {
                true => listed.gone,
                false => Vec::new(),
            },
            ..Page::default()
        };
        if listed.clipped {
            page.expected_total = None;
            page.notes.push(Note {
                kind: NoteKind::Clipped,
                about: kind,
                reason: "the server cut its answer at its own limit".to_owned(),
                count: 1,
                examples: Vec::new(),
            });
        }
        self.pages += 1;
        self.spoil(kind, &mut page);
        Ok(page)
    }
}

impl Reading {
    /// What a flaw does to a page that was read well.
    fn spoil(&mut self, kind: Kind, page: &mut Page) {
        let has = |flaw| self.flaw == flaw;
        if has(Flaw::LeavesOneOut) && page.next.is_none() {
            page.records.pop();
            page.received = page.received.saturating_sub(1);
            page.expected_total = None;
        }
        if has(Flaw::MiscountsReceived) {
            page.received += 1;
        }
        if has(Flaw::NeverTheSame) {
            page.query = Some(format!("answer {}", self.pages));
        }
        if has(Flaw::InventsOne) && page.records.is_empty() && kind == Kind::Identity {
            page.records.extend(super::company::large(1, 1));
            page.received = 1;
        }
        if has(Flaw::HidesDeletions) {
            page.gone.clear();
        }
        if has(Flaw::SecretInQuery) {
            page.query = Some(format!("token {}", self.transport.token()));
        }
        if has(Flaw::SilentAboutCuts) {
            page.notes.clear();
        }
        for fact in &mut page.records {
            let Fact::Identity(person) = fact else {
                continue;
            };
            if has(Flaw::AsciiOnly) {
                let name = person.display_name.take();
                person.display_name =
                    name.map(|name| name.chars().filter(char::is_ascii).collect());
            }
            if has(Flaw::EmptyForUnknown) {
                person.department = Some(String::new());
            }
        }
        if has(Flaw::KeepsEverything) {
            self.kept.push(page.records.clone());
        }
    }
}

/// What parses an answer; here, so that the wrong ones are told the same way everywhere.
impl Transport {
    fn parsed<'a, T: Deserialize<'a>>(
        &self,
        got: &'a Got,
        operation: &str,
    ) -> Result<T, ConnectorError> {
        serde_json::from_slice(&got.body).map_err(|error| {
            self.error(
                ErrorKind::Protocol,
                operation,
                // not serde's own words, which may hold a part of the answer
                format!(
                    "the answer cannot be understood (line {}, column {})",
                    error.line(),
                    error.column()
                ),
            )
        })
    }
}
