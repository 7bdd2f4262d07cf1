//! The organisation's lists, each fetched once in a session.

use crate::api::{Api, Ask, Got, Stop};
use crate::error::config;
use crate::notes::Lack;
use crate::objects::{
    Authorization, CustomRole, DeployKey, Environment, Installation, Invitation, Item, Logged,
    OrganizationRole, PersonalToken, Repository, SecretName, Team, User,
};
use crate::settings::{Extra, Organization, Part};
use crate::standing::Standing;
use lastkey_contract::{NoteKind, Notes};
use lastkey_http::escaped;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// How many pages of the audit log are looked through, a hundred entries each.
const LOG_PAGES: usize = 20;

/// A list by the keys of its things, and what it lacks.
#[derive(Debug)]
pub struct Sheet<T> {
    pub rows: BTreeMap<String, T>,
    pub lacks: Vec<Lack>,
}

impl<T> Default for Sheet<T> {
    fn default() -> Self {
        Sheet {
            rows: BTreeMap::new(),
            lacks: Vec::new(),
        }
    }
}

impl<T> Sheet<T> {
    fn only(lack: Lack) -> Sheet<T> {
        Sheet {
            lacks: vec![lack],
            ..Sheet::default()
        }
    }

    /// Tells what the list lacks.
    pub fn tell(&self, notes: &mut Notes) {
        for lack in &self.lacks {
            lack.clone().tell(notes);
        }
    }
}

/// A member of the organisation.
#[derive(Clone, Debug)]
pub struct Member {
    pub user: User,
    pub owner: bool,
    pub mfa: Option<bool>,
    /// Milliseconds since 1970, from the audit log.
    pub last_used: Option<i64>,
}

/// A role that is held in the organisation itself.
#[derive(Clone, Debug)]
pub enum Role {
    Owner,
    Member,
    /// Whoever may write to any repository, or to any that is not public: they can read the
    /// organisation's secrets that such repositories may use.
    SecretsOfAll,
    SecretsOfPrivate,
    Own(OrganizationRole),
}

/// What was fetched in a session.
pub struct Estate {
    pub api: Api,
    pub organization: Organization,
    pub standing: Standing,
    owners: Option<Arc<Sheet<User>>>,
    plain: Option<Arc<Sheet<User>>>,
    without_mfa: Option<Arc<Sheet<User>>>,
    log: Option<Arc<Sheet<Logged>>>,
    members: Option<Arc<Sheet<Member>>>,
    collaborators: Option<Arc<Sheet<User>>>,
    invitations: Option<Arc<Sheet<Invitation>>>,
    installations: Option<Arc<Sheet<Installation>>>,
    scopes: Option<Arc<Sheet<()>>>,
    roles: Option<Arc<Sheet<Role>>>,
    custom_roles: Option<Arc<Sheet<CustomRole>>>,
    teams: Option<Arc<Sheet<Team>>>,
    repositories: Option<Arc<Sheet<Repository>>>,
    tokens: Option<Arc<Sheet<PersonalToken>>>,
    authorizations: Option<Arc<Sheet<Authorization>>>,
    actions: Option<Arc<Sheet<SecretName>>>,
    dependabot: Option<Arc<Sheet<SecretName>>>,
    keys: HashMap<u64, Arc<Sheet<DeployKey>>>,
    secrets: HashMap<u64, Arc<Stored>>,
}

/// The secrets of a repository, by where they stand.
#[derive(Debug, Default)]
pub struct Stored {
    pub shelves: Vec<Stand>,
    pub lacks: Vec<Lack>,
}

/// One of the places for secrets of a repository.
#[derive(Debug)]
pub struct Stand {
    /// `actions` or `dependabot`.
    pub store: &'static str,
    pub environment: Option<Environment>,
    pub names: Vec<SecretName>,
}

/// A list of the session: the one that is there, or the one that this makes.
macro_rules! kept {
    ($self:ident, $field:ident, $make:expr) => {{
        if let Some(known) = &$self.$field {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new($make);
        $self.$field = Some(Arc::clone(&made));
        Ok(made)
    }};
}

impl Estate {
    pub fn new(api: Api, mut organization: Organization, standing: Standing) -> Estate {
        // As GitHub writes it: paths of secrets must not hang on how somebody typed the name.
        if standing.page.login.eq_ignore_ascii_case(&organization.name) {
            organization.name.clone_from(&standing.page.login);
        }
        Estate {
            api,
            organization,
            standing,
            owners: None,
            plain: None,
            without_mfa: None,
            log: None,
            members: None,
            collaborators: None,
            invitations: None,
            installations: None,
            scopes: None,
            roles: None,
            custom_roles: None,
            teams: None,
            repositories: None,
            tokens: None,
            authorizations: None,
            actions: None,
            dependabot: None,
            keys: HashMap::new(),
            secrets: HashMap::new(),
        }
    }

    /// A path of the organisation.
    pub fn own(&self, rest: &str) -> String {
        format!("/orgs/{}/{rest}", self.organization.name)
    }

    /// A path of one of its repositories.
    pub fn of(&self, repository: &Repository, rest: &str) -> String {
        let owner = match repository.full_name.split_once('/') {
            Some((owner, _)) => owner,
            None => self.organization.name.as_str(),
        };
        format!(
            "/repos/{}/{}/{rest}",
            escaped(owner),
            escaped(&repository.name)
        )
    }

    /// A list, with what it lacks; `what` names its things for notes.
    pub async fn sheet<T>(&mut self, ask: Ask, what: &str) -> Result<Sheet<T>, Stop>
    where
        T: Item + DeserializeOwned + Clone + Send + 'static,
    {
        let operation = format!("read {what}");
        let list = match self.api.list::<T>(&ask, &operation).await? {
            Got::Found(list) => list,
            Got::Hidden(hidden) => return Ok(Sheet::only(Lack::hidden(hidden, what, ask.path))),
        };
        let mut sheet = Sheet::default();
        if list.odd > 0 {
            sheet.lacks.push(Lack {
                count: list.odd,
                ..Lack::new(
                    NoteKind::Failed,
                    format!("what stands among {what} could not be understood"),
                    ask.path.clone(),
                )
            });
        }
        if list.short {
            sheet.lacks.push(Lack::new(
                NoteKind::Clipped,
                format!("GitHub says that there are more {what} than it gives"),
                ask.path,
            ));
        }
        sheet.rows = list.items.into_iter().map(|t| (t.key(), t)).collect();
        Ok(sheet)
    }

    /// A list of a part of the organisation that can be left out.
    async fn part<T>(&mut self, part: Part, ask: Ask, what: &str) -> Result<Sheet<T>, Stop>
    where
        T: Item + DeserializeOwned + Clone + Send + 'static,
    {
        match self.lacks(part, what) {
            Some(lack) => Ok(Sheet::only(lack)),
            None => self.sheet(ask, what).await,
        }
    }

    /// Why a part is not asked for; None where it is.
    pub fn lacks(&self, part: Part, what: &str) -> Option<Lack> {
        let remark = |reason: String| Some(Lack::new(NoteKind::Remark, reason, part.word()));
        let of_the_cloud = matches!(part, Part::Invitations | Part::Authorizations);
        match &self.standing.enterprise {
            _ if !self.organization.reads(part) => remark(format!(
                "{what} are not read: the source's settings say that the organisation has none"
            )),
            Some(version) if of_the_cloud => remark(format!(
                "an Enterprise server (this one is {version}) has no {what}"
            )),
            Some(_) | None => None,
        }
    }

    async fn owners(&mut self) -> Result<Arc<Sheet<User>>, Stop> {
        let ask = Ask::list(self.own("members?role=admin"));
        kept!(self, owners, self.sheet(ask, "owners").await?)
    }

    async fn plain(&mut self) -> Result<Arc<Sheet<User>>, Stop> {
        let ask = Ask::list(self.own("members?role=member"));
        kept!(self, plain, self.sheet(ask, "members").await?)
    }

    async fn without_mfa(&mut self) -> Result<Arc<Sheet<User>>, Stop> {
        let ask = Ask::list(self.own("members?filter=2fa_disabled"));
        kept!(
            self,
            without_mfa,
            self.sheet(ask, "members without a second factor").await?
        )
    }

    async fn log(&mut self) -> Result<Arc<Sheet<Logged>>, Stop> {
        let ask = Ask {
            at_most: Some(LOG_PAGES),
            ..Ask::list(self.own("audit-log?include=all&order=desc"))
        };
        kept!(
            self,
            log,
            self.sheet(ask, "entries of the audit log").await?
        )
    }

    pub async fn members(&mut self) -> Result<Arc<Sheet<Member>>, Stop> {
        if let Some(members) = &self.members {
            return Ok(Arc::clone(members));
        }
        let owners = self.owners().await?;
        let plain = self.plain().await?;
        let without = self.without_mfa().await?;
        let mut made = Sheet::default();
        made.lacks
            .extend(owners.lacks.iter().chain(&plain.lacks).cloned());
        if let Some(reason) = self.standing.members_cut() {
            made.lacks
                .push(Lack::new(NoteKind::Clipped, reason, "members"));
        }
        // What is missing of a member is not known of them; the list of members is whole.
        let known = without.lacks.is_empty();
        if !known {
            let reason = "who has no second factor is told to owners only";
            made.lacks
                .push(Lack::new(NoteKind::Remark, reason, "filter=2fa_disabled"));
        }
        let mut seen: HashMap<String, i64> = HashMap::new();
        if self.organization.audit_log == Extra::Read {
            let log = self.log().await?;
            for lack in &log.lacks {
                made.lacks.push(Lack {
                    kind: NoteKind::Remark,
                    ..lack.clone()
                });
            }
            for entry in log.rows.values() {
                if let (Some(actor), Some(at)) = (&entry.actor, entry.at) {
                    let last = seen.entry(actor.to_lowercase()).or_insert(at);
                    *last = at.max(*last);
                }
            }
        }
        let sorted = owners.rows.iter().map(|(id, user)| (id, user, true));
        let sorted = plain
            .rows
            .iter()
            .map(|(id, user)| (id, user, false))
            .chain(sorted);
        for (id, user, owner) in sorted {
            let member = Member {
                user: user.clone(),
                owner,
                mfa: known.then(|| !without.rows.contains_key(id)),
                last_used: seen.get(&user.login.to_lowercase()).copied(),
            };
            made.rows.insert(id.clone(), member);
        }
        kept!(self, members, made)
    }

    pub async fn collaborators(&mut self) -> Result<Arc<Sheet<User>>, Stop> {
        let ask = Ask::list(self.own("outside_collaborators"));
        kept!(
            self,
            collaborators,
            self.sheet(ask, "outside collaborators").await?
        )
    }

    pub async fn invitations(&mut self) -> Result<Arc<Sheet<Invitation>>, Stop> {
        let ask = Ask::list(self.own("invitations"));
        let what = "pending invitations";
        kept!(
            self,
            invitations,
            self.part(Part::Invitations, ask, what).await?
        )
    }

    pub async fn installations(&mut self) -> Result<Arc<Sheet<Installation>>, Stop> {
        let ask = Ask::below(self.own("installations"), "installations");
        let what = "installed apps";
        kept!(self, installations, self.part(Part::Apps, ask, what).await?)
    }

    /// What installed apps may, by their words: `contents:write`.
    pub async fn scopes(&mut self) -> Result<Arc<Sheet<()>>, Stop> {
        let apps = self.installations().await?;
        let all = apps.rows.values().flat_map(|app| &app.permissions);
        kept!(
            self,
            scopes,
            Sheet {
                rows: all
                    .map(|(what, how)| (format!("{what}:{how}"), ()))
                    .collect(),
                lacks: apps.lacks.clone(),
            }
        )
    }

    pub async fn roles(&mut self) -> Result<Arc<Sheet<Role>>, Stop> {
        if let Some(roles) = &self.roles {
            return Ok(Arc::clone(roles));
        }
        let ask = Ask::below(self.own("organization-roles"), "roles");
        let what = "organisation roles";
        let own: Sheet<OrganizationRole> = self.part(Part::OrganizationRoles, ask, what).await?;
        let fixed = [
            ("0-owner", Role::Owner),
            ("0-member", Role::Member),
            ("0-secrets-all", Role::SecretsOfAll),
            ("0-secrets-private", Role::SecretsOfPrivate),
        ];
        let fixed = fixed.into_iter().map(|(key, role)| (key.to_owned(), role));
        let own_rows = own
            .rows
            .into_iter()
            .map(|(key, role)| (key, Role::Own(role)));
        let rows = fixed.chain(own_rows).collect();
        let lacks = own.lacks;
        kept!(self, roles, Sheet { rows, lacks })
    }

    pub async fn custom_roles(&mut self) -> Result<Arc<Sheet<CustomRole>>, Stop> {
        let ask = Ask::below(self.own("custom-repository-roles"), "custom_roles");
        let what = "custom repository roles";
        kept!(
            self,
            custom_roles,
            self.part(Part::CustomRoles, ask, what).await?
        )
    }

    pub async fn teams(&mut self) -> Result<Arc<Sheet<Team>>, Stop> {
        if let Some(teams) = &self.teams {
            return Ok(Arc::clone(teams));
        }
        let ask = Ask::list(self.own("teams"));
        let mut made: Sheet<Team> = self.sheet(ask, "teams").await?;
        if let Some(reason) = self.standing.teams_cut() {
            made.lacks
                .push(Lack::new(NoteKind::Clipped, reason, "teams"));
        }
        kept!(self, teams, made)
    }

    /// The repositories that the settings name, or all.
    pub async fn repositories(&mut self) -> Result<Arc<Sheet<Repository>>, Stop> {
        if let Some(repositories) = &self.repositories {
            return Ok(Arc::clone(repositories));
        }
        let ask = Ask::list(self.own("repos?type=all"));
        let mut made: Sheet<Repository> = self.sheet(ask, "repositories").await?;
        match &self.organization.repositories {
            None => {
                let hidden = made.rows.values().filter(|r| r.visibility() != "public");
                if let Some(reason) = self.standing.repositories_cut(hidden.count() as u64) {
                    made.lacks
                        .push(Lack::new(NoteKind::Clipped, reason, "repositories"));
                }
            }
            Some(wanted) => {
                made.rows
                    .retain(|_, r| wanted.contains(&r.name.to_lowercase()));
                let found: BTreeSet<String> =
                    made.rows.values().map(|r| r.name.to_lowercase()).collect();
                if let Some(missing) = wanted.difference(&found).next() {
                    return Err(config(
                        format!("there is no repository `{missing}`, or this token may not see it"),
                        "check `repositories` against the organisation's list",
                    )
                    .into());
                }
            }
        }
        kept!(self, repositories, made)
    }

    pub async fn tokens(&mut self) -> Result<Arc<Sheet<PersonalToken>>, Stop> {
        let ask = Ask::list(self.own("personal-access-tokens"));
        let what = "fine-grained tokens";
        kept!(self, tokens, self.part(Part::Tokens, ask, what).await?)
    }

    pub async fn authorizations(&mut self) -> Result<Arc<Sheet<Authorization>>, Stop> {
        let ask = Ask::list(self.own("credential-authorizations"));
        let what = "credentials authorised for the single sign-on";
        kept!(
            self,
            authorizations,
            self.part(Part::Authorizations, ask, what).await?
        )
    }

    pub async fn actions(&mut self) -> Result<Arc<Sheet<SecretName>>, Stop> {
        let ask = Ask::below(self.own("actions/secrets"), "secrets");
        kept!(
            self,
            actions,
            self.sheet(ask, "Actions secrets of the organisation")
                .await?
        )
    }

    pub async fn dependabot(&mut self) -> Result<Arc<Sheet<SecretName>>, Stop> {
        let ask = Ask::below(self.own("dependabot/secrets"), "secrets");
        let what = "Dependabot secrets of the organisation";
        kept!(
            self,
            dependabot,
            self.part(Part::Dependabot, ask, what).await?
        )
    }

    /// The deploy keys of a repository.
    pub async fn keys(&mut self, repository: &Repository) -> Result<Arc<Sheet<DeployKey>>, Stop> {
        if let Some(keys) = self.keys.get(&repository.id) {
            return Ok(Arc::clone(keys));
        }
        let ask = Ask::list(self.of(repository, "keys"));
        let keys = Arc::new(self.sheet(ask, "deploy keys").await?);
        self.keys.insert(repository.id, Arc::clone(&keys));
        Ok(keys)
    }

    /// The names of the secrets of a repository.
    pub async fn secrets(&mut self, repository: &Repository) -> Result<Arc<Stored>, Stop> {
        if let Some(secrets) = self.secrets.get(&repository.id) {
            return Ok(Arc::clone(secrets));
        }
        let mut made = Stored::default();
        let ask = Ask::below(self.of(repository, "actions/secrets"), "secrets");
        let sheet = self.sheet(ask, "Actions secrets of a repository").await?;
        made.put("actions", None, sheet);
        let what = "Dependabot secrets of a repository";
        let ask = Ask::below(self.of(repository, "dependabot/secrets"), "secrets");
        let sheet = self.part(Part::Dependabot, ask, what).await?;
        made.put("dependabot", None, sheet);
        let ask = Ask::below(self.of(repository, "environments"), "environments");
        let what = "environments of a repository";
        let environments: Sheet<Environment> = self.part(Part::Environments, ask, what).await?;
        made.lacks.extend(environments.lacks);
        for environment in environments.rows.into_values() {
            let rest = format!("environments/{}/secrets", escaped(&environment.name));
            let ask = Ask::below(self.of(repository, &rest), "secrets");
            let sheet = self.sheet(ask, "secrets of an environment").await?;
            made.put("actions", Some(environment), sheet);
        }
        let made = Arc::new(made);
        self.secrets.insert(repository.id, Arc::clone(&made));
        Ok(made)
    }
}

impl Stored {
    fn put(
        &mut self,
        store: &'static str,
        environment: Option<Environment>,
        sheet: Sheet<SecretName>,
    ) {
        self.lacks.extend(sheet.lacks);
        self.shelves.push(Stand {
            store,
            environment,
            names: sheet.rows.into_values().collect(),
        });
    }
}
