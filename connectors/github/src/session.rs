//! Reading: sections of names turned into pages of facts, at most `limit` at a time.

use crate::api::Stop;
use crate::estate::Estate;
use crate::make::{make, next_name, sections};
use crate::place::{Place, Section};
use async_trait::async_trait;
use lastkey_contract::{ConnectorError, ErrorKind, Fact, Kind, Notes, Page, PageRequest, Session};

/// Most records on one page.
pub const MAX_PAGE: u32 = 500;

/// An open reading session.
pub struct Reading {
    estate: Estate,
}

impl Reading {
    pub fn new(estate: Estate) -> Reading {
        Reading { estate }
    }

    async fn page(
        &mut self,
        kind: Kind,
        from: Option<Place>,
        limit: usize,
    ) -> Result<Page, ConnectorError> {
        self.estate.api.begin();
        let mut notes = Notes::default();
        let mut records: Vec<Fact> = Vec::new();
        let begun_at = from.clone();
        let mut at = from;
        // Where a page ends for want of requests: after the last name that is whole.
        let pause = |section: Section, name: Option<String>, served: Option<usize>| {
            let stood = begun_at.as_ref().filter(|place| {
                place.section == section && place.name == name && place.served == served
            });
            Place {
                section,
                name,
                served,
                pauses: stood.map_or(1, |place| place.pauses.saturating_add(1)),
            }
        };
        let next = 'page: {
            for section in sections(&self.estate, kind) {
                if at.as_ref().is_some_and(|place| place.section > section) {
                    continue;
                }
                // A section that is gone is passed over; one that came later is not missed.
                let here = at.take().filter(|place| place.section == section);
                let (mut after, mut again) = match here {
                    Some(Place {
                        name: Some(name),
                        served: Some(served),
                        ..
                    }) => (Some(name.clone()), Some((name, served))),
                    Some(place) => (place.name, None),
                    None => (None, None),
                };
                loop {
                    let waiting = again.as_ref().map(|(_, served)| *served);
                    let (name, served) = match again.take() {
                        Some(there) => there,
                        None => {
                            let estate = &mut self.estate;
                            let after = after.as_deref();
                            match next_name(estate, kind, section, after, &mut notes).await {
                                Ok(Some(name)) => (name, 0),
                                Ok(None) => break,
                                Err(Stop::Pause) => {
                                    let after = after.map(str::to_owned);
                                    break 'page Some(pause(section, after, None));
                                }
                                Err(Stop::Failed(error)) => return Err(error),
                            }
                        }
                    };
                    let mut told = Notes::default();
                    let made = match self.estate.api.is_spent() {
                        true => Err(Stop::Pause),
                        false => make(&mut self.estate, kind, section, &name, &mut told).await,
                    };
                    let facts = match made {
                        Ok(facts) => facts,
                        Err(Stop::Pause) => break 'page Some(pause(section, after, waiting)),
                        Err(Stop::Failed(error)) => return Err(error),
                    };
                    self.estate.api.let_go();
                    // What a name lacks is told once, with the first of its facts.
                    if served == 0 {
                        notes.take(told);
                    }
                    let room = limit - records.len();
                    let rest = facts.len().saturating_sub(served);
                    records.extend(facts.into_iter().skip(served).take(room));
                    let place = |served| Place {
                        section,
                        name: Some(name.clone()),
                        served,
                        pauses: 0,
                    };
                    if rest > room {
                        break 'page Some(place(Some(served + room)));
                    }
                    if records.len() == limit {
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
            query: Some(query(kind, &self.estate)),
            quota: self.estate.api.quota(),
            ..Page::default()
        })
    }
}

/// What was asked, for the evidence.
fn query(kind: Kind, estate: &Estate) -> String {
    let what = match kind {
        Kind::Account => "members, outside collaborators, invitations, installed apps, deploy keys",
        Kind::Entitlement => "roles, teams, rights on repositories, permissions of apps",
        Kind::Grant => {
            "members, teams and their repositories, direct collaborators, roles, apps, deploy keys"
        }
        Kind::Credential => "fine-grained tokens, authorised credentials, deploy keys",
        Kind::Location => "names of Actions and Dependabot secrets",
        Kind::Reader => "who can change workflows that may use a secret",
        Kind::Identity | Kind::Control | Kind::Owner | Kind::Session | Kind::Task => "",
    };
    let organization = &estate.organization;
    let mut text = format!("GET /orgs/{}: {what}", organization.name);
    if let Some(only) = &organization.repositories {
        let only: Vec<&str> = only.iter().map(String::as_str).collect();
        text.push_str(&format!("; of the repositories {}", only.join(", ")));
    }
    if !organization.leave_out.is_empty() {
        let out: Vec<&str> = organization.leave_out.iter().map(|p| p.word()).collect();
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
        if sections(&self.estate, kind).is_empty() {
            return Err(ConnectorError::new(
                ErrorKind::Unsupported,
                self.estate.api.address(),
                operation,
                format!("GitHub has no {} that are read", kind.plural()),
            ));
        }
        let limit = request.limit.clamp(1, MAX_PAGE) as usize;
        let from = match &request.cursor {
            None => None,
            Some(cursor) => Some(Place::from_cursor(cursor).ok_or_else(|| {
                ConnectorError::foreign_cursor(self.estate.api.address(), operation)
            })?),
        };
        self.page(kind, from, limit).await
    }
}
