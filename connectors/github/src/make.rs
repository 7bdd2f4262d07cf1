//! What one name of a section becomes, per kind.

use crate::api::{Ask, Stop};
use crate::estate::{Estate, Role, Sheet, Stand};
use crate::http::escaped;
use crate::map::{self, Shelf, holder, right_id, team_id};
use crate::notes::{Lack, Notes};
use crate::objects::{Invitation, PublicKey, Repository, SecretName, Team, User};
use crate::place::Section;
use crate::settings::Extra;
use lastkey_contract::facts::{Assignment, Attributes, Grant, Principal, PrincipalType};
use lastkey_contract::{Fact, Kind, NoteKind, SystemName};
use std::ops::Bound;

/// The sections of a kind, in the order in which they are read.
pub fn sections(estate: &Estate, kind: Kind) -> Vec<Section> {
    use Section::*;
    let mut sections = match kind {
        Kind::Account => vec![
            Members,
            Collaborators,
            Invitations,
            Installations,
            DeployKeys,
        ],
        Kind::Entitlement => vec![Roles, Teams, Repositories, Scopes],
        Kind::Grant => vec![
            Members,
            Invitations,
            Installations,
            Roles,
            Teams,
            Repositories,
            DeployKeys,
        ],
        Kind::Credential => vec![Tokens, Authorizations, MemberKeys, DeployKeys],
        Kind::Location | Kind::Reader => vec![Repositories, ActionsSecrets, DependabotSecrets],
        Kind::Identity | Kind::Control | Kind::Owner | Kind::Session | Kind::Task => Vec::new(),
    };
    sections
        .retain(|section| *section != MemberKeys || estate.organization.member_keys == Extra::Read);
    sections.sort_unstable();
    sections
}

/// The next name of a section after `after`, or None at its end; at its beginning also what it
/// lacks for this kind.
pub async fn next_name(
    estate: &mut Estate,
    kind: Kind,
    section: Section,
    after: Option<&str>,
    notes: &mut Notes,
) -> Result<Option<String>, Stop> {
    macro_rules! next {
        ($sheet:expr) => {{
            let sheet = $sheet;
            if after.is_none() {
                sheet.tell(notes);
            }
            let from = match after {
                Some(after) => Bound::Excluded(after),
                None => Bound::Unbounded,
            };
            let rest = sheet.rows.range::<str, _>((from, Bound::Unbounded));
            rest.map(|(name, _)| name.clone()).next()
        }};
    }
    let found = match section {
        Section::Members | Section::MemberKeys => next!(estate.members().await?),
        Section::Collaborators => next!(estate.collaborators().await?),
        Section::Invitations => next!(estate.invitations().await?),
        Section::Installations => next!(estate.installations().await?),
        Section::Roles => next!(estate.roles().await?),
        Section::Teams => next!(estate.teams().await?),
        Section::Scopes => next!(estate.scopes().await?),
        Section::Tokens => next!(estate.tokens().await?),
        Section::Authorizations => next!(estate.authorizations().await?),
        Section::ActionsSecrets => next!(estate.actions().await?),
        Section::DependabotSecrets => next!(estate.dependabot().await?),
        Section::Repositories | Section::DeployKeys => next!(estate.repositories().await?),
    };
    if after.is_none() && section == Section::Repositories {
        beside_repositories(estate, kind, notes).await?;
    }
    Ok(found)
}

/// What else is missing where rights on repositories are told.
async fn beside_repositories(
    estate: &mut Estate,
    kind: Kind,
    notes: &mut Notes,
) -> Result<(), Stop> {
    let base = &estate.standing.page.default_repository_permission;
    if kind == Kind::Grant && base.is_none() {
        let reason = "what every member may on every repository (the base permission) is not told to this token";
        notes.add(Lack::new(
            NoteKind::Clipped,
            reason,
            "default_repository_permission",
        ));
    }
    if matches!(kind, Kind::Entitlement | Kind::Reader) {
        estate.custom_roles().await?.tell(notes);
    }
    Ok(())
}

/// The facts of a kind that a name stands for.
pub async fn make(
    estate: &mut Estate,
    kind: Kind,
    section: Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, Stop> {
    match kind {
        Kind::Account => accounts(estate, section, name, notes).await,
        Kind::Entitlement => entitlements(estate, section, name).await,
        Kind::Grant => Ok(grants(estate, section, name, notes)
            .await?
            .into_iter()
            .map(Fact::Grant)
            .collect()),
        Kind::Credential => credentials(estate, section, name, notes).await,
        Kind::Location => locations(estate, section, name, notes).await,
        Kind::Reader => readers(estate, section, name, notes).await,
        Kind::Identity | Kind::Control | Kind::Owner | Kind::Session | Kind::Task => Ok(Vec::new()),
    }
}

/// One row of a list, where it is still there.
macro_rules! row {
    ($sheet:expr, $name:expr) => {
        match $sheet.rows.get($name) {
            Some(row) => row.clone(),
            None => return Ok(Vec::new()),
        }
    };
}

async fn accounts(
    estate: &mut Estate,
    section: Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, Stop> {
    let system = estate.organization.system.clone();
    let made = match section {
        Section::Members => map::member(&system, &row!(estate.members().await?, name)),
        Section::Collaborators => {
            map::collaborator(&system, &row!(estate.collaborators().await?, name))
        }
        Section::Invitations => map::invited(&system, &row!(estate.invitations().await?, name)),
        Section::Installations => {
            map::installation(&system, &row!(estate.installations().await?, name))
        }
        Section::DeployKeys => {
            let repository = row!(estate.repositories().await?, name);
            let keys = estate.keys(&repository).await?;
            keys.tell(notes);
            let all = keys.rows.values();
            return Ok(all
                .map(|key| Fact::Account(map::key_as_account(&system, &repository, key)))
                .collect());
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Fact::Account(made)])
}

async fn entitlements(
    estate: &mut Estate,
    section: Section,
    name: &str,
) -> Result<Vec<Fact>, Stop> {
    let system = estate.organization.system.clone();
    let made = match section {
        Section::Roles => map::role(&system, &row!(estate.roles().await?, name)),
        Section::Teams => map::team(&system, &row!(estate.teams().await?, name)),
        Section::Scopes => map::scope(&system, name),
        Section::Repositories => {
            let repository = row!(estate.repositories().await?, name);
            let custom = estate.custom_roles().await?;
            let ready = map::RIGHTS.iter().map(|right| (*right, None));
            let own = custom
                .rows
                .values()
                .map(|role| (role.name.as_str(), Some(role)));
            let all = ready.chain(own).map(|(right, role)| {
                Fact::Entitlement(map::repository_right(&system, &repository, right, role))
            });
            return Ok(all.collect());
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Fact::Entitlement(made)])
}

fn person(system: &SystemName, user: &User) -> Principal {
    holder(system, PrincipalType::Account, &user.id.to_string())
}

async fn grants(
    estate: &mut Estate,
    section: Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Grant>, Stop> {
    let system = estate.organization.system.clone();
    let account = |id: &str| holder(&system, PrincipalType::Account, id);
    Ok(match section {
        Section::Members => {
            let member = row!(estate.members().await?, name);
            let role = if member.owner {
                map::OWNER
            } else {
                map::MEMBER
            };
            vec![map::grant(person(&system, &member.user), role)]
        }
        Section::Invitations => {
            let invitation = row!(estate.invitations().await?, name);
            invited(estate, &invitation, notes).await?
        }
        Section::Installations => {
            let app = row!(estate.installations().await?, name);
            let who = account(&map::app_id(app.id));
            let scopes = app.permissions.iter().map(|(what, how)| {
                let mut made = map::grant(who.clone(), &map::scope_id(&format!("{what}:{how}")));
                if let Some(selection) = &app.repository_selection {
                    made.attributes
                        .insert("repositories".to_owned(), selection.clone());
                }
                made
            });
            scopes.collect()
        }
        Section::Roles => match row!(estate.roles().await?, name) {
            // Owners are in the organisation like everybody else.
            Role::Owner => vec![map::grant(
                holder(&system, PrincipalType::Entitlement, map::OWNER),
                map::MEMBER,
            )],
            Role::Member | Role::SecretsOfAll | Role::SecretsOfPrivate => Vec::new(),
            Role::Own(role) => {
                let id = map::role_id(&Role::Own(role.clone()));
                role_holders(estate, role.id, &id, notes).await?
            }
        },
        Section::Teams => {
            let team = row!(estate.teams().await?, name);
            of_team(estate, &team, notes).await?
        }
        Section::Repositories => {
            let repository = row!(estate.repositories().await?, name);
            of_repository(estate, &repository, notes).await?
        }
        Section::DeployKeys => {
            let repository = row!(estate.repositories().await?, name);
            let keys = estate.keys(&repository).await?;
            keys.tell(notes);
            let all = keys.rows.values().map(|key| {
                // Which of the two is not told is taken for the greater.
                let right = if key.read_only == Some(true) {
                    "read"
                } else {
                    "write"
                };
                map::grant(
                    account(&map::key_id(key.id)),
                    &right_id(repository.id, right),
                )
            });
            all.collect()
        }
        _ => Vec::new(),
    })
}

async fn invited(
    estate: &mut Estate,
    invitation: &Invitation,
    notes: &mut Notes,
) -> Result<Vec<Grant>, Stop> {
    let system = estate.organization.system.clone();
    let id = map::invitation_id(invitation.id);
    let who = holder(&system, PrincipalType::Account, &id);
    let mut held = Vec::new();
    match invitation.role.as_str() {
        "admin" => held.push(map::OWNER.to_owned()),
        "direct_member" | "reinstate" => held.push(map::MEMBER.to_owned()),
        other => notes.add(Lack::new(
            NoteKind::Drift,
            "somebody is invited to a role that is not read",
            format!("{id}: {other}"),
        )),
    }
    if invitation.team_count > 0 {
        let path = estate.own(&format!("invitations/{}/teams", invitation.id));
        let teams: Sheet<Team> = estate
            .sheet(Ask::list(path), "teams of an invitation")
            .await?;
        teams.tell(notes);
        held.extend(teams.rows.values().map(|team| team_id(team.id)));
    }
    let eligible = held.into_iter().map(|entitlement| Grant {
        assignment: Some(Assignment::Eligible),
        ..map::grant(who.clone(), &entitlement)
    });
    Ok(eligible.collect())
}

async fn role_holders(
    estate: &mut Estate,
    role: u64,
    id: &str,
    notes: &mut Notes,
) -> Result<Vec<Grant>, Stop> {
    let system = estate.organization.system.clone();
    // Whoever holds it through a team holds it by the team's line.
    let direct = |how: &Option<String>| how.as_deref() != Some("indirect");
    let path = estate.own(&format!("organization-roles/{role}/teams"));
    let what = "teams with an organisation role";
    let teams: Sheet<Team> = estate.sheet(Ask::list(path), what).await?;
    teams.tell(notes);
    let path = estate.own(&format!("organization-roles/{role}/users"));
    let what = "people with an organisation role";
    let users: Sheet<User> = estate.sheet(Ask::list(path), what).await?;
    users.tell(notes);
    let teams = teams.rows.values().filter(|team| direct(&team.assignment));
    let teams = teams.map(|t| holder(&system, PrincipalType::Entitlement, &team_id(t.id)));
    let users = users.rows.values().filter(|user| direct(&user.assignment));
    let users = users.map(|user| person(&system, user));
    Ok(teams.chain(users).map(|who| map::grant(who, id)).collect())
}

async fn of_team(estate: &mut Estate, team: &Team, notes: &mut Notes) -> Result<Vec<Grant>, Stop> {
    let system = estate.organization.system.clone();
    let id = team_id(team.id);
    let slug = escaped(&team.slug);
    let this = holder(&system, PrincipalType::Entitlement, &id);
    let mut made = Vec::new();
    for role in ["maintainer", "member"] {
        let path = estate.own(&format!("teams/{slug}/members?role={role}"));
        let users: Sheet<User> = estate.sheet(Ask::list(path), "members of a team").await?;
        users.tell(notes);
        for user in users.rows.values() {
            let mut grant = map::grant(person(&system, user), &id);
            grant
                .attributes
                .insert("team_role".to_owned(), role.to_owned());
            made.push(grant);
        }
    }
    let path = estate.own(&format!("teams/{slug}/repos"));
    let what = "repositories of a team";
    let repositories: Sheet<Repository> = estate.sheet(Ask::list(path), what).await?;
    repositories.tell(notes);
    let wanted = estate.organization.repositories.clone();
    for repository in repositories.rows.values() {
        let name = repository.name.to_lowercase();
        if wanted
            .as_ref()
            .is_some_and(|wanted| !wanted.contains(&name))
        {
            continue;
        }
        let role = repository.role_name.as_deref();
        if let Some(right) = right_of(estate, role, &repository.name, notes).await? {
            made.push(map::grant(this.clone(), &right_id(repository.id, &right)));
        }
    }
    // Members of a team within a team are members of both.
    made.extend(
        team.parent
            .iter()
            .map(|parent| map::grant(this.clone(), &team_id(parent.id))),
    );
    Ok(made)
}

/// A right by the word that GitHub gives; noted where the word is not known.
async fn right_of(
    estate: &mut Estate,
    word: Option<&str>,
    on: &str,
    notes: &mut Notes,
) -> Result<Option<String>, Stop> {
    let Some(word) = word.map(map::right) else {
        let reason = "what somebody may on a repository is not told";
        notes.add(Lack::new(NoteKind::Failed, reason, on));
        return Ok(None);
    };
    let custom = estate.custom_roles().await?;
    let known = map::RIGHTS.contains(&word) || custom.rows.values().any(|role| role.name == word);
    if !known {
        let reason = "a right on a repository is none of those that GitHub lists";
        notes.add(Lack::new(NoteKind::Drift, reason, word));
    }
    Ok(Some(word.to_owned()))
}

async fn of_repository(
    estate: &mut Estate,
    repository: &Repository,
    notes: &mut Notes,
) -> Result<Vec<Grant>, Stop> {
    let system = estate.organization.system.clone();
    let entitlement = |id: &str| holder(&system, PrincipalType::Entitlement, id);
    let mut made = vec![map::grant(
        entitlement(map::OWNER),
        &right_id(repository.id, "admin"),
    )];
    let base = estate.standing.page.default_repository_permission.clone();
    let base = base.filter(|base| base != "none");
    let internal = (repository.visibility() == "internal").then(|| "read".to_owned());
    if let Some(base) = base.or(internal) {
        let right = right_id(repository.id, map::right(&base));
        made.push(map::grant(entitlement(map::MEMBER), &right));
    }
    for writer in writers(estate, repository).await? {
        made.push(map::grant(writer.clone(), map::SECRETS_OF_ALL));
        if repository.visibility() != "public" {
            made.push(map::grant(writer, map::SECRETS_OF_PRIVATE));
        }
    }
    let path = estate.of(repository, "collaborators?affiliation=direct");
    let what = "people with rights on a repository of their own";
    let users: Sheet<User> = estate.sheet(Ask::list(path), what).await?;
    users.tell(notes);
    for user in users.rows.values() {
        let role = user.role_name.as_deref();
        if let Some(right) = right_of(estate, role, &repository.name, notes).await? {
            let right = right_id(repository.id, &right);
            made.push(map::grant(person(&system, user), &right));
        }
    }
    Ok(made)
}

/// The rights on a repository that can change its workflows.
async fn writers(estate: &mut Estate, repository: &Repository) -> Result<Vec<Principal>, Stop> {
    let system = estate.organization.system.clone();
    let custom = estate.custom_roles().await?;
    let own = custom.rows.values();
    let own = own.filter(|role| map::WRITERS.contains(&map::right(&role.base_role)));
    let all = map::WRITERS
        .into_iter()
        .chain(own.map(|role| role.name.as_str()));
    let all = all.map(|right| right_id(repository.id, right));
    Ok(all
        .map(|id| holder(&system, PrincipalType::Entitlement, &id))
        .collect())
}

async fn credentials(
    estate: &mut Estate,
    section: Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, Stop> {
    let system = estate.organization.system.clone();
    let made = match section {
        Section::Tokens => {
            let token = row!(estate.tokens().await?, name);
            vec![map::personal_token(&system, &token)]
        }
        Section::Authorizations => {
            let authorized = row!(estate.authorizations().await?, name);
            let members = estate.members().await?;
            let login = authorized.login.to_lowercase();
            let whose = members
                .rows
                .iter()
                .find(|(_, member)| member.user.login.to_lowercase() == login)
                .map(|(id, _)| id.as_str());
            if whose.is_none() {
                let reason = "a credential is authorised for somebody who is no member";
                notes.add(Lack::new(
                    NoteKind::Dangling,
                    reason,
                    authorized.login.clone(),
                ));
            }
            vec![map::authorization(&system, &authorized, whose)]
        }
        Section::MemberKeys => {
            let member = row!(estate.members().await?, name);
            let path = format!("/users/{}/keys", escaped(&member.user.login));
            let keys: Sheet<PublicKey> = estate
                .sheet(Ask::list(path), "SSH keys of a member")
                .await?;
            keys.tell(notes);
            let all = keys.rows.values();
            all.map(|key| map::member_key(&system, &member.user, key))
                .collect()
        }
        Section::DeployKeys => {
            let repository = row!(estate.repositories().await?, name);
            let keys = estate.keys(&repository).await?;
            keys.tell(notes);
            let all = keys.rows.values();
            all.map(|key| map::deploy_key(&system, &repository, key))
                .collect()
        }
        _ => Vec::new(),
    };
    Ok(made.into_iter().map(Fact::Credential).collect())
}

/// Where a repository's secrets of one sort stand.
fn shelf<'a>(organization: &'a str, repository: &'a Repository, stand: &'a Stand) -> Shelf<'a> {
    Shelf {
        store: stand.store,
        organization,
        repository: Some(&repository.name),
        environment: stand.environment.as_ref().map(|e| e.name.as_str()),
    }
}

/// A secret of the organisation, and the store that it stands in.
async fn own_secret(
    estate: &mut Estate,
    section: Section,
    name: &str,
) -> Result<Option<(&'static str, SecretName)>, Stop> {
    let (store, sheet) = match section {
        Section::ActionsSecrets => ("actions", estate.actions().await?),
        Section::DependabotSecrets => ("dependabot", estate.dependabot().await?),
        _ => return Ok(None),
    };
    Ok(sheet.rows.get(name).map(|secret| (store, secret.clone())))
}

async fn locations(
    estate: &mut Estate,
    section: Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, Stop> {
    let system = estate.organization.system.clone();
    let organization = estate.organization.name.clone();
    if let Some((store, secret)) = own_secret(estate, section, name).await? {
        let shelf = Shelf {
            store,
            organization: &organization,
            repository: None,
            environment: None,
        };
        return Ok(vec![Fact::Location(map::location(&system, shelf, &secret))]);
    }
    let repository = row!(estate.repositories().await?, name);
    let stored = estate.secrets(&repository).await?;
    for lack in &stored.lacks {
        notes.add(lack.clone());
    }
    let mut made = Vec::new();
    for stand in &stored.shelves {
        let shelf = shelf(&organization, &repository, stand);
        let names = stand.names.iter();
        made.extend(names.map(|secret| Fact::Location(map::location(&system, shelf, secret))));
    }
    Ok(made)
}

async fn readers(
    estate: &mut Estate,
    section: Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, Stop> {
    let organization = estate.organization.name.clone();
    if let Some((store, secret)) = own_secret(estate, section, name).await? {
        return readers_of_own(estate, store, &secret, notes).await;
    }
    let repository = row!(estate.repositories().await?, name);
    let stored = estate.secrets(&repository).await?;
    for lack in &stored.lacks {
        notes.add(lack.clone());
    }
    let writers = writers(estate, &repository).await?;
    let mut made = Vec::new();
    for stand in &stored.shelves {
        let shelf = shelf(&organization, &repository, stand);
        let mut attributes = by_workflow();
        let rules = stand.environment.iter().flat_map(|e| &e.protection_rules);
        let rules: Vec<&str> = rules.map(|rule| rule.kind.as_str()).collect();
        if !rules.is_empty() {
            attributes.insert("limits".to_owned(), rules.join(" "));
        }
        for secret in &stand.names {
            let path = shelf.path(&secret.name);
            let lines = writers.iter().cloned();
            made.extend(lines.map(|who| Fact::Reader(map::reader(who, &path, attributes.clone()))));
        }
    }
    Ok(made)
}

/// Nobody is shown a secret's value; whoever can change a workflow that may use it can have it told.
fn by_workflow() -> Attributes {
    Attributes::from([("by".to_owned(), "changing a workflow".to_owned())])
}

async fn readers_of_own(
    estate: &mut Estate,
    store: &'static str,
    secret: &SecretName,
    notes: &mut Notes,
) -> Result<Vec<Fact>, Stop> {
    let system = estate.organization.system.clone();
    let organization = estate.organization.name.clone();
    let shelf = Shelf {
        store,
        organization: &organization,
        repository: None,
        environment: None,
    };
    let path = shelf.path(&secret.name);
    let line =
        |who: Principal, attributes: Attributes| Fact::Reader(map::reader(who, &path, attributes));
    let entitlement = |id: &str| holder(&system, PrincipalType::Entitlement, id);
    // An owner can give the secret to any repository.
    let mut made = vec![line(entitlement(map::OWNER), by_workflow())];
    match secret.visibility.as_deref() {
        Some("all") => made.push(line(entitlement(map::SECRETS_OF_ALL), by_workflow())),
        Some("private") => made.push(line(entitlement(map::SECRETS_OF_PRIVATE), by_workflow())),
        Some("selected") => {
            let rest = format!("{store}/secrets/{}/repositories", escaped(&secret.name));
            let ask = Ask::below(estate.own(&rest), "repositories");
            let what = "repositories that may use a secret of the organisation";
            let selected: Sheet<Repository> = estate.sheet(ask, what).await?;
            selected.tell(notes);
            for repository in selected.rows.values() {
                for who in writers(estate, repository).await? {
                    let mut attributes = by_workflow();
                    let name = repository.name.clone();
                    attributes.insert("repository".to_owned(), name);
                    made.push(line(who, attributes));
                }
            }
        }
        other => {
            // Who may use it is not known: whoever writes anywhere may.
            let reason =
                "a secret of the organisation is open to repositories in a way that is not known";
            let told = other.unwrap_or("not told");
            notes.add(Lack::new(
                NoteKind::Drift,
                reason,
                format!("{path}: {told}"),
            ));
            made.push(line(entitlement(map::SECRETS_OF_ALL), by_workflow()));
        }
    }
    Ok(made)
}
