//! Reading: what was listed turned into pages of facts, at most `limit` at a time.

use crate::estate::{Estate, Known};
use crate::lacks::Lacks;
use crate::map::Map;
use crate::objects::Shelf;
use crate::settings::Part;
use crate::shelves;
use crate::trust::Outsider;
use async_trait::async_trait;
use lastkey_contract::facts::PrincipalType;
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Fact, Kind, NoteKind, Page, PageRequest, Session,
};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Most records on one page.
pub const MAX_PAGE: u32 = 500;

/// An open reading session.
pub struct Reading {
    estate: Estate,
    /// What tells this session's cursors from another's, whose lists were other ones.
    mark: u64,
}

/// What stands for itself on pages of a kind; the numbers are places in the lists.
#[derive(Clone, Debug)]
enum Unit {
    Root,
    User(usize),
    Role(usize),
    Group(usize),
    Policy(usize),
    Provider(usize),
    Outsider(Outsider),
    ServerCertificate(usize),
    Person(usize),
    Crowd(usize),
    CrowdMember(String, String),
    Member(usize),
    Assigned(usize, String),
    Assignment(usize),
    Shelf(String),
}

impl Reading {
    pub fn new(estate: Estate) -> Reading {
        Reading {
            estate,
            mark: RandomState::new().build_hasher().finish(),
        }
    }

    async fn page(
        &mut self,
        kind: Kind,
        (from, served): (usize, usize),
        limit: usize,
    ) -> Result<Page, ConnectorError> {
        self.estate.list().await?;
        let units = units(&self.estate.known()?, kind);
        let mut lacks = Lacks::default();
        let mut records: Vec<Fact> = Vec::new();
        let mut next = None;
        // One more than fits is made, so that no page but the only one is empty.
        'units: for (at, unit) in units.iter().enumerate().skip(from) {
            let mut noted = Lacks::default();
            let facts = self.made(kind, unit, &mut noted).await?;
            let begin = if at == from { served } else { 0 };
            for (number, fact) in facts.into_iter().enumerate().skip(begin) {
                if records.len() == limit {
                    next = Some((at, number));
                    break 'units;
                }
                records.push(fact);
            }
            lacks.take(noted);
            // Much is weighed here without asking anybody: a read must be able to stop.
            tokio::task::yield_now().await;
        }
        let known = self.estate.known()?;
        if (from, served) == (0, 0) {
            lacks.take(known.lacks.clone());
            limits(kind, &mut lacks);
        }
        open(kind, &records, &mut lacks);
        let notes = lacks.of(kind);
        Ok(Page {
            received: records.len() as u64 + notes.lost(),
            records,
            next: next
                .map(|(at, number)| Cursor(serde_json::json!([self.mark, at, number]).to_string())),
            notes: notes.about(kind),
            query: Some(self.query(kind)),
            ..Page::default()
        })
    }

    /// The facts of one unit; what is asked for them is asked here.
    async fn made(
        &mut self,
        kind: Kind,
        unit: &Unit,
        lacks: &mut Lacks,
    ) -> Result<Vec<Fact>, ConnectorError> {
        match unit {
            Unit::User(at) if matches!(kind, Kind::Account | Kind::Credential) => {
                let Some(user) = self.estate.known()?.iam.users.get(*at).cloned() else {
                    return Ok(Vec::new());
                };
                let means = self.estate.means(&user, lacks).await?;
                let known = self.estate.known()?;
                let map = self.map(&known);
                Ok(match kind {
                    Kind::Account => vec![Fact::Account(map.user(&user, &means))],
                    _ => facts(map.credentials(&user, &means), Fact::Credential),
                })
            }
            Unit::Shelf(path) => {
                let Some(shelf) = self.estate.known()?.shelves.get(path).cloned() else {
                    return Ok(Vec::new());
                };
                self.of_shelf(kind, &shelf, lacks).await
            }
            unit => {
                let known = self.estate.known()?;
                Ok(listed(&known, &self.map(&known), kind, unit))
            }
        }
    }

    async fn of_shelf(
        &mut self,
        kind: Kind,
        shelf: &Shelf,
        lacks: &mut Lacks,
    ) -> Result<Vec<Fact>, ConnectorError> {
        if kind == Kind::Location {
            let set = shelves::value_set(&self.estate.api, shelf, lacks).await?;
            let known = self.estate.known()?;
            return Ok(vec![Fact::Location(self.map(&known).location(shelf, set))]);
        }
        let own = shelves::policy(&self.estate.api, shelf, lacks).await?;
        let key = self.estate.key(shelf, lacks).await?;
        let known = self.estate.known()?;
        Ok(facts(
            self.map(&known).readers(shelf, &own, &key),
            Fact::Reader,
        ))
    }

    fn map<'a>(&'a self, known: &'a Known<'a>) -> Map<'a> {
        Map {
            system: &self.estate.api.cloud.system,
            known,
        }
    }

    /// What was asked, for the evidence.
    fn query(&self, kind: Kind) -> String {
        let what = match kind {
            Kind::Account => {
                "users and roles (GetAccountAuthorizationDetails, ListUsers), the credential report, Identity Center's users, who is trusted from outside"
            }
            Kind::Entitlement => {
                "groups, policies, providers, permission sets, accounts of the organisation"
            }
            Kind::Grant => {
                "attached and inline policies, members of groups, assignments of permission sets"
            }
            Kind::Credential => {
                "passwords, access keys, certificates, SSH keys and credentials for single services"
            }
            Kind::Location => "ListSecrets, DescribeParameters",
            Kind::Reader => {
                "policies of principals, secrets and keys against each secret and parameter"
            }
            Kind::Control => "trust policies, and policies against sign-ins of users",
            Kind::Identity | Kind::Owner | Kind::Session | Kind::Task => "",
        };
        let cloud = &self.estate.api.cloud;
        let mut text = format!("{what}; regions {}", cloud.regions.join(", "));
        if !cloud.leave_out.is_empty() {
            let out: Vec<&str> = cloud.leave_out.iter().map(|part| part.word()).collect();
            text.push_str(&format!("; without {}", out.join(", ")));
        }
        text
    }
}

fn facts<T>(made: impl IntoIterator<Item = T>, fact: fn(T) -> Fact) -> Vec<Fact> {
    made.into_iter().map(fact).collect()
}

/// What stands for itself on pages of a kind, in the order of reading.
fn units(known: &Known<'_>, kind: Kind) -> Vec<Unit> {
    let (iam, center) = (known.iam, known.center);
    let users = || (0..iam.users.len()).map(Unit::User);
    let roles = || (0..iam.roles.len()).map(Unit::Role);
    let groups = || (0..iam.groups.len()).map(Unit::Group);
    let outsiders = || known.outsiders.iter().cloned().map(Unit::Outsider);
    match kind {
        Kind::Account => {
            let people = (0..center.people.len()).map(Unit::Person);
            let own = users().chain(std::iter::once(Unit::Root)).chain(roles());
            own.chain(people).chain(outsiders()).collect()
        }
        Kind::Entitlement => {
            let of_iam = groups()
                .chain((0..iam.policies.len()).map(Unit::Policy))
                .chain(users())
                .chain(roles())
                .chain((0..iam.providers.len()).map(Unit::Provider))
                .chain(outsiders());
            let crowds = (0..center.groups.len()).map(Unit::Crowd);
            let members = (0..known.over.members.len()).map(Unit::Member);
            let sets = center.sets.iter().enumerate().flat_map(|(at, set)| {
                let of = center.assignments.iter().filter(|a| a.set == set.arn);
                let accounts: std::collections::BTreeSet<&String> =
                    of.map(|a| &a.account).collect();
                accounts
                    .into_iter()
                    .map(move |account| Unit::Assigned(at, account.clone()))
            });
            of_iam.chain(crowds).chain(members).chain(sets).collect()
        }
        Kind::Grant => {
            let members = center
                .members
                .iter()
                .cloned()
                .map(|(g, u)| Unit::CrowdMember(g, u));
            let assigned = (0..center.assignments.len()).map(Unit::Assignment);
            users()
                .chain(roles())
                .chain(groups())
                .chain(members)
                .chain(assigned)
                .collect()
        }
        Kind::Credential => {
            let servers = (0..iam.certificates.len()).map(Unit::ServerCertificate);
            std::iter::once(Unit::Root)
                .chain(users())
                .chain(servers)
                .collect()
        }
        Kind::Location | Kind::Reader => known.shelves.keys().cloned().map(Unit::Shelf).collect(),
        Kind::Control => users().chain(roles()).collect(),
        Kind::Identity | Kind::Owner | Kind::Session | Kind::Task => Vec::new(),
    }
}

/// Facts that need nothing but the lists.
fn listed(known: &Known<'_>, map: &Map<'_>, kind: Kind, unit: &Unit) -> Vec<Fact> {
    let (iam, center) = (known.iam, known.center);
    let made = match unit {
        Unit::Root if kind == Kind::Credential => {
            Some(facts(map.root_credentials(), Fact::Credential))
        }
        Unit::Root => Some(vec![Fact::Account(map.root())]),
        Unit::User(at) => iam.users.get(*at).map(|user| match kind {
            Kind::Control => facts(map.over_user(user), Fact::Control),
            Kind::Entitlement => facts(map.inline(&user.id, &user.attached), Fact::Entitlement),
            _ => {
                let held = map.attached(PrincipalType::Account, &user.id, &user.attached);
                facts(held.into_iter().chain(map.memberships(user)), Fact::Grant)
            }
        }),
        Unit::Role(at) => iam.roles.get(*at).map(|role| match kind {
            Kind::Account => vec![Fact::Account(map.role(role))],
            Kind::Control => facts(map.over_role(role), Fact::Control),
            Kind::Entitlement => facts(map.inline(&role.id, &role.attached), Fact::Entitlement),
            _ => facts(
                map.attached(PrincipalType::Account, &role.id, &role.attached),
                Fact::Grant,
            ),
        }),
        Unit::Group(at) => iam.groups.get(*at).map(|group| match kind {
            Kind::Entitlement => {
                let own = std::iter::once(map.group(group));
                facts(
                    own.chain(map.inline(&group.id, &group.attached)),
                    Fact::Entitlement,
                )
            }
            _ => {
                let held = map.attached(PrincipalType::Entitlement, &group.id, &group.attached);
                facts(held, Fact::Grant)
            }
        }),
        Unit::Policy(at) => iam
            .policies
            .get(*at)
            .map(|p| vec![Fact::Entitlement(map.policy(p))]),
        Unit::Provider(at) => iam
            .providers
            .get(*at)
            .map(|p| vec![Fact::Entitlement(map.provider(p))]),
        Unit::Outsider(Outsider::Provider(name)) if kind == Kind::Entitlement => {
            let kept = iam.providers.iter().any(|provider| provider.arn == *name);
            (!kept).then(|| vec![Fact::Entitlement(map.foreign_provider(name))])
        }
        Unit::Outsider(who) if kind == Kind::Account => map
            .outsider(who)
            .map(|account| vec![Fact::Account(account)]),
        Unit::Outsider(_) => None,
        Unit::ServerCertificate(at) => {
            let told = iam.certificates.get(*at);
            told.map(|told| vec![Fact::Credential(map.server_certificate(told))])
        }
        Unit::Person(at) => center
            .people
            .get(*at)
            .map(|p| vec![Fact::Account(map.person(p))]),
        Unit::Crowd(at) => center
            .groups
            .get(*at)
            .map(|g| vec![Fact::Entitlement(map.crowd(g))]),
        Unit::CrowdMember(group, user) => Some(vec![Fact::Grant(map.crowd_member(group, user))]),
        Unit::Member(at) => {
            let member = known.over.members.get(*at);
            member.map(|member| vec![Fact::Entitlement(map.member(member))])
        }
        Unit::Assigned(at, account) => {
            let set = center.sets.get(*at);
            set.map(|set| vec![Fact::Entitlement(map.assigned(set, account))])
        }
        Unit::Assignment(at) => {
            let assignment = center.assignments.get(*at);
            assignment.map(|a| facts(map.assignment(a), Fact::Grant))
        }
        Unit::Shelf(_) => None,
    };
    made.unwrap_or_default()
}

/// What AWS tells nobody, so that its absence here says nothing.
fn limits(kind: Kind, lacks: &mut Lacks) {
    let mut say = |reason: &str, example: &str| lacks.remark(&[kind], reason, example);
    match kind {
        Kind::Credential => say(
            "temporary credentials (of roles, SSO and GetSessionToken) are listed nowhere, so none is here; who can assume a role stands among the controls",
            "sts",
        ),
        Kind::Reader => say(
            "what is read through a service that reads for others (functions, tasks, pipelines) stands with the role that the service takes on, not with those who may change the service; principals of other accounts whom a secret's own policy lets in are not told",
            "resource policies",
        ),
        Kind::Identity
        | Kind::Account
        | Kind::Entitlement
        | Kind::Grant
        | Kind::Location
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => {}
    }
}

/// Lines that hang on what is not known, counted.
fn open(kind: Kind, records: &[Fact], lacks: &mut Lacks) {
    let reason = "whether they may hangs on what is not known here (conditions of the request, policies that were not read): each such line says on what, under `hangs_on`";
    for fact in records {
        let (attributes, example) = match fact {
            Fact::Reader(x) => (
                &x.attributes,
                format!("{} reads {}", x.principal.id, x.path),
            ),
            Fact::Control(x) => (
                &x.attributes,
                format!("{} over {}", x.principal.id, x.account_id),
            ),
            _ => continue,
        };
        if attributes.contains_key("hangs_on") {
            lacks.note(&[kind], NoteKind::Remark, reason, &example);
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
        let operation = format!("read {}", kind.plural());
        let fails = |sort, what: String| {
            ConnectorError::new(sort, self.estate.api.address(), operation.clone(), what)
        };
        let cloud = &self.estate.api.cloud;
        let shelves = cloud.reads(Part::Secrets) || cloud.reads(Part::Parameters);
        if !crate::DESCRIPTOR.reads.contains(&kind) {
            let what = format!("an AWS account has no {} that are read", kind.plural());
            return Err(fails(ErrorKind::Unsupported, what));
        }
        if !shelves && matches!(kind, Kind::Location | Kind::Reader) {
            let what = "secrets and parameters are left out, as configured".to_owned();
            return Err(fails(ErrorKind::Unsupported, what));
        }
        let from = match &request.cursor {
            None => (0, 0),
            Some(cursor) => {
                let place = serde_json::from_str::<(u64, usize, usize)>(&cursor.0).ok();
                match place.filter(|(mark, _, _)| *mark == self.mark) {
                    Some((_, at, served)) => (at, served),
                    None => {
                        let address = self.estate.api.address();
                        return Err(ConnectorError::foreign_cursor(address, operation));
                    }
                }
            }
        };
        let limit = request.limit.clamp(1, MAX_PAGE) as usize;
        self.page(kind, from, limit).await
    }
}
