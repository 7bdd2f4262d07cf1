//! What one name of a section becomes, per kind.

use crate::api::{Ask, Stop};
use crate::estate::{Estate, Sheet};
use crate::held::grants;
use crate::map;
use crate::notes::Lack;
use crate::objects::PublicKey;
use crate::place::Section;
use crate::secrets::{locations, readers};
use crate::settings::Extra;
use lastkey_contract::{Fact, Kind, NoteKind, Notes};
use lastkey_http::escaped;
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
        Lack::new(NoteKind::Clipped, reason, "default_repository_permission").tell(notes);
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
pub(crate) use row;

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
                Lack::new(NoteKind::Dangling, reason, authorized.login.clone()).tell(notes);
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
