//! Reading: sections of names turned into pages of facts, at most `limit` at a time.

use crate::api::Got;
use crate::engines::{DYNAMIC, STATICS};
use crate::error::config;
use crate::make::Maker;
use crate::map::when;
use crate::objects::Objects;
use crate::place::{Place, Section};
use crate::settings::Leases;
use crate::walk::{Step, Walk};
use crate::ways::{WAYS, is_known};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lastkey_contract::{
    ConnectorError, ErrorKind, Fact, Kind, NoteKind, Notes, Page, PageRequest, Session,
};

/// Most records on one page: each can cost a request of its own.
pub const MAX_PAGE: u32 = 500;
/// Names looked at for one page at most, whether they became facts or not.
const MAX_LOOKED: usize = 500;

/// An open reading session.
pub struct Reading {
    objects: Objects,
    now: DateTime<Utc>,
    maker: Maker,
    /// The names of the section under way, so that a page need not list them again.
    names: Option<(Kind, Section, Names)>,
}

/// The names of a section.
enum Names {
    Flat(Vec<String>),
    Tree(Box<Walk>),
}

impl Reading {
    /// `now` is the server's clock, by which rules expire.
    pub fn new(objects: Objects, now: i64) -> Reading {
        Reading {
            objects,
            now: DateTime::from_timestamp(now, 0).unwrap_or_default(),
            maker: Maker::default(),
            names: None,
        }
    }

    /// What is walked through for a kind, in order.
    async fn sections(
        &mut self,
        kind: Kind,
        notes: &mut Notes,
    ) -> Result<Vec<Section>, ConnectorError> {
        let mounts = self.objects.mounts().await?;
        if !mounts.all && kind != Kind::Session {
            let reason = "this login may not list the mounts, so that some may be missing";
            notes.add(
                NoteKind::Clipped,
                reason,
                Some("sys/mounts, sys/auth".to_owned()),
            );
        }
        let of = |kind: &str, make: fn(String) -> Section| {
            let mounts = mounts.auth_of(kind);
            mounts
                .into_iter()
                .map(move |m| make(m.path))
                .collect::<Vec<_>>()
        };
        let users = of("userpass", Section::Users);
        let approles = of("approle", Section::AppRoles);
        let roles: Vec<Section> = WAYS
            .iter()
            .flat_map(|way| {
                let mounts = mounts.auth_of(way.kind);
                mounts
                    .into_iter()
                    .map(|m| Section::Roles(m.path, way.list.to_owned()))
            })
            .collect();
        if matches!(kind, Kind::Entitlement | Kind::Grant) {
            for mount in mounts.auth.iter().filter(|m| !is_known(m.method())) {
                let reason = "the roles of an auth method of this type are not read";
                let example = format!("auth/{} ({})", mount.path, mount.kind);
                notes.add(NoteKind::Clipped, reason, Some(example));
            }
        }
        let engines = &mounts.engines;
        let of_kind = |kind: &str, make: fn(String) -> Section| {
            let of_kind = engines.iter().filter(|m| m.kind == kind);
            of_kind.map(|m| make(m.path.clone())).collect::<Vec<_>>()
        };
        let dynamic: Vec<Section> = engines
            .iter()
            .flat_map(|mount| {
                let of = DYNAMIC.iter().filter(|roles| roles.kind == mount.kind);
                of.map(|roles| Section::Dynamic(mount.path.clone(), roles.list.to_owned()))
            })
            .collect();
        let statics: Vec<Section> = engines
            .iter()
            .flat_map(|mount| {
                let of = STATICS.iter().filter(|logins| logins.kind == mount.kind);
                of.map(|logins| Section::Statics(mount.path.clone(), logins.folder.to_owned()))
            })
            .collect();
        let keys = of_kind("transit", Section::Keys);
        let certificates = of_kind("pki", Section::Certificates);
        let mut sections = match kind {
            Kind::Account => [vec![Section::Entities, Section::Tokens], users, approles].concat(),
            Kind::Entitlement => {
                [vec![Section::Policies, Section::Groups], roles, dynamic].concat()
            }
            Kind::Grant => [
                vec![Section::Groups, Section::Entities, Section::Tokens],
                users,
                approles,
                roles,
                dynamic,
            ]
            .concat(),
            Kind::Credential => {
                [vec![Section::Tokens], users, approles, keys, certificates].concat()
            }
            Kind::Control => [vec![Section::Entities], users, approles].concat(),
            Kind::Location | Kind::Reader => [self.stores().await?, statics, keys].concat(),
            Kind::Session if self.objects.vault.leases == Leases::Read => mounts
                .engines
                .iter()
                .filter(|m| !m.key_value())
                .map(|m| Section::Leases(m.path.clone()))
                .collect(),
            Kind::Identity | Kind::Owner | Kind::Task | Kind::Session => {
                return Err(ConnectorError::new(
                    ErrorKind::Unsupported,
                    self.objects.api.address(),
                    format!("read {}", kind.plural()),
                    format!("a vault has no {} that are read", kind.plural()),
                ));
            }
        };
        sections.sort();
        Ok(sections)
    }

    /// The key-value stores that the settings name, or all.
    async fn stores(&mut self) -> Result<Vec<Section>, ConnectorError> {
        let mounts = self.objects.mounts().await?;
        let all = mounts.engines.iter().filter(|m| m.key_value());
        let Some(wanted) = &self.objects.vault.mounts else {
            return Ok(all.map(|m| Section::Secrets(m.path.clone())).collect());
        };
        if let Some(missing) = wanted.iter().find(|w| {
            !mounts
                .engines
                .iter()
                .any(|m| m.key_value() && m.path == **w)
        }) {
            return Err(config(
                format!("there is no key-value store `{missing}`, or this login may not see it"),
                "check `mounts` against `bao secrets list`",
            ));
        }
        Ok(wanted.iter().cloned().map(Section::Secrets).collect())
    }

    /// The next name of a section after `after`, or None at its end.
    async fn next_name(
        &mut self,
        kind: Kind,
        section: &Section,
        after: Option<&str>,
        notes: &mut Notes,
    ) -> Result<Option<String>, ConnectorError> {
        let operation = format!("read {}", kind.plural());
        let held = self.names.take().filter(|(k, s, names)| {
            *k == kind
                && s == section
                && match names {
                    Names::Flat(_) => true,
                    Names::Tree(walk) => walk.last.as_deref() == after,
                }
        });
        let mut names = match held {
            Some((_, _, names)) => names,
            None => self.open(section, after, &operation, notes).await?,
        };
        let next = match &mut names {
            Names::Flat(names) => {
                let at = after.map_or(0, |after| names.partition_point(|n| n.as_str() <= after));
                names.get(at).cloned()
            }
            Names::Tree(walk) => {
                let mounts = self.objects.mounts().await?;
                let path = match section {
                    Section::Secrets(path) | Section::Leases(path) => path.as_str(),
                    _ => "",
                };
                let mount = mounts.engines.iter().find(|m| m.path == path);
                let leases = matches!(section, Section::Leases(_));
                let list = |folder: &str| match mount {
                    Some(mount) if !leases => mount.metadata(folder),
                    Some(_) | None => format!("sys/leases/lookup/{path}{folder}"),
                };
                loop {
                    match walk.next(&mut self.objects.api, &list, &operation).await? {
                        Step::Name(name) => break Some(name),
                        Step::End => break None,
                        Step::Closed(folder) => notes.add(
                            NoteKind::Clipped,
                            "this login may not list a folder",
                            Some(format!("{path}{folder}")),
                        ),
                    }
                }
            }
        };
        if next.is_some() {
            self.names = Some((kind, section.clone(), names));
        }
        Ok(next)
    }

    async fn open(
        &mut self,
        section: &Section,
        after: Option<&str>,
        operation: &str,
        notes: &mut Notes,
    ) -> Result<Names, ConnectorError> {
        let path = match section {
            Section::Secrets(_) | Section::Leases(_) => {
                return Ok(Names::Tree(Box::new(Walk::after(after))));
            }
            Section::Policies => "sys/policies/acl".to_owned(),
            Section::Groups => "identity/group/id".to_owned(),
            Section::Entities => "identity/entity/id".to_owned(),
            Section::Tokens => "auth/token/accessors".to_owned(),
            Section::Users(mount) => format!("auth/{mount}users"),
            Section::AppRoles(mount) => format!("auth/{mount}role"),
            Section::Roles(mount, folder) => format!("auth/{mount}{folder}"),
            Section::Dynamic(mount, folder) | Section::Statics(mount, folder) => {
                format!("{mount}{folder}")
            }
            Section::Keys(mount) => format!("{mount}keys"),
            Section::Certificates(mount) => format!("{mount}certs"),
        };
        Ok(Names::Flat(
            match self.objects.api.list(&path, operation).await? {
                Got::Found(names) => names,
                Got::Absent => Vec::new(),
                Got::Refused => {
                    notes.add(
                        NoteKind::Clipped,
                        "this login may not list a path",
                        Some(path),
                    );
                    Vec::new()
                }
            },
        ))
    }

    async fn page(
        &mut self,
        kind: Kind,
        from: Option<Place>,
        limit: usize,
    ) -> Result<Page, ConnectorError> {
        let mut notes = Notes::default();
        let sections = self.sections(kind, &mut notes).await?;
        if kind == Kind::Reader || kind == Kind::Control {
            self.maker
                .know_everyone(
                    &mut self.objects,
                    self.now,
                    kind,
                    from.is_none(),
                    &mut notes,
                )
                .await?;
        }
        let mut records: Vec<Fact> = Vec::new();
        let mut looked = 0;
        let mut at = from;
        let next = 'page: {
            for section in sections {
                // A section that is gone is passed over; one that came later is not missed.
                let here = at.take_if(|place| place.section == section);
                if at.as_ref().is_some_and(|place| place.section > section) {
                    continue;
                }
                at = None;
                let (mut after, mut again) = match here {
                    Some(Place {
                        name, served: None, ..
                    }) => (Some(name), None),
                    Some(Place {
                        name,
                        served: Some(served),
                        ..
                    }) => (None, Some((name, served))),
                    None => (None, None),
                };
                loop {
                    let (name, served) = match again.take() {
                        Some(there) => there,
                        None => match self
                            .next_name(kind, &section, after.as_deref(), &mut notes)
                            .await?
                        {
                            Some(name) => (name, 0),
                            None => break,
                        },
                    };
                    if uses(kind, &section) {
                        self.maker
                            .meet_everyone(&mut self.objects, self.now)
                            .await?;
                    }
                    let facts = self
                        .maker
                        .make(&mut self.objects, kind, &section, &name, &mut notes)
                        .await?;
                    looked += 1;
                    let room = limit - records.len();
                    let rest = facts.len().saturating_sub(served);
                    records.extend(facts.into_iter().skip(served).take(room));
                    let place = |served| Place {
                        section: section.clone(),
                        name: name.clone(),
                        served,
                    };
                    if rest > room {
                        break 'page Some(place(Some(served + room)));
                    }
                    if records.len() == limit || looked >= MAX_LOOKED {
                        break 'page Some(place(None));
                    }
                    after = Some(name);
                }
            }
            None
        };
        Ok(Page {
            received: records.len() as u64 + notes.lost(),
            records,
            next: next.map(|place| place.cursor()),
            notes: notes.about(kind),
            query: Some(query(kind, &self.objects)),
            ..Page::default()
        })
    }
}

/// Whether the facts of a section tell who may use what stands there.
fn uses(kind: Kind, section: &Section) -> bool {
    let used = match section {
        Section::Roles(_, folder) => folder == "roles",
        Section::Dynamic(_, _) => true,
        _ => false,
    };
    kind == Kind::Grant && used
}

/// What was asked, for the evidence.
fn query(kind: Kind, objects: &Objects) -> String {
    let what = match kind {
        Kind::Account => "LIST identity/entity/id, auth/token/accessors, auth/*/users, auth/*/role",
        Kind::Entitlement => {
            "LIST sys/policies/acl, identity/group/id, roles of auth methods and engines"
        }
        Kind::Grant => "policies and members of entities, groups, auth roles and tokens",
        Kind::Credential => {
            "LIST auth/token/accessors, auth/*/users, auth/*/role/*/secret-id, certs and keys of engines"
        }
        Kind::Location => {
            "LIST and metadata of key-value stores, static roles, keys that can leave"
        }
        Kind::Reader => "policies against the paths whose reading gives a value",
        Kind::Control => "policies against the paths of accounts",
        Kind::Session => "LIST sys/leases/lookup",
        Kind::Identity | Kind::Owner | Kind::Task => "",
    };
    match objects.vault.namespace.as_str() {
        "" => what.to_owned(),
        namespace => format!("{what}, in namespace {namespace}"),
    }
}

#[async_trait]
impl Session for Reading {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let limit = request.limit.clamp(1, MAX_PAGE) as usize;
        let from = match &request.cursor {
            None => None,
            Some(cursor) => Some(Place::from_cursor(cursor).ok_or_else(|| {
                let operation = format!("read {}", kind.plural());
                ConnectorError::foreign_cursor(self.objects.api.address(), operation)
            })?),
        };
        if from.is_none() {
            self.names = None;
        }
        let page = self.page(kind, from, limit).await;
        if !page.as_ref().is_err_and(|error| error.kind.may_retry()) {
            self.objects.api.still_signed_in().await?;
        }
        page
    }
}

/// The end of a token, for the check.
pub fn ends(expire_time: Option<&str>) -> Option<DateTime<Utc>> {
    expire_time.and_then(when).map(|at| at.earliest())
}
