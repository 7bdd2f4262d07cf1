//! Who holds what: grants of every sort.

use crate::api::{Ask, Stop};
use crate::estate::{Estate, Role, Sheet};
use crate::make::row;
use crate::map::{self, holder, right_id, team_id};
use crate::notes::Lack;
use crate::objects::{Invitation, Repository, Team, User};
use crate::place::Section;
use lastkey_contract::facts::{Assignment, Grant, Principal, PrincipalType};
use lastkey_contract::{NoteKind, Notes, SystemName};
use lastkey_http::escaped;
use std::collections::BTreeMap;

fn person(system: &SystemName, user: &User) -> Principal {
    holder(system, PrincipalType::Account, &user.id.to_string())
}

pub async fn grants(
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
        other => Lack::new(
            NoteKind::Drift,
            "somebody is invited to a role that is not read",
            format!("{id}: {other}"),
        )
        .tell(notes),
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
        let role = told(&repository.role_name, &repository.permissions);
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

/// The word for what somebody may: the role's name, else the greatest of its parts.
fn told<'a>(role: &'a Option<String>, parts: &Option<BTreeMap<String, bool>>) -> Option<&'a str> {
    let may = |word: &&str| parts.as_ref().and_then(|all| all.get(*word)) == Some(&true);
    let greatest = || {
        ["admin", "maintain", "push", "triage", "pull"]
            .into_iter()
            .find(may)
    };
    role.as_deref().or_else(greatest)
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
        Lack::new(NoteKind::Failed, reason, on).tell(notes);
        return Ok(None);
    };
    let custom = estate.custom_roles().await?;
    let known = map::RIGHTS.contains(&word) || custom.rows.values().any(|role| role.name == word);
    if !known {
        let reason = "a right on a repository is none of those that GitHub lists";
        Lack::new(NoteKind::Drift, reason, word).tell(notes);
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
        let role = told(&user.role_name, &user.permissions);
        if let Some(right) = right_of(estate, role, &repository.name, notes).await? {
            let right = right_id(repository.id, &right);
            made.push(map::grant(person(&system, user), &right));
        }
    }
    Ok(made)
}

/// The rights on a repository that can change its workflows.
pub async fn writers(estate: &mut Estate, repository: &Repository) -> Result<Vec<Principal>, Stop> {
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
