//! Where secrets stand by name, and who can have them told.

use crate::api::{Ask, Stop};
use crate::estate::{Estate, Sheet, Stand};
use crate::held::writers;
use crate::make::row;
use crate::map::{self, Shelf, holder};
use crate::notes::Lack;
use crate::objects::{Repository, SecretName};
use crate::place::Section;
use lastkey_contract::facts::{Attributes, Principal, PrincipalType};
use lastkey_contract::{Fact, NoteKind, Notes};
use lastkey_http::escaped;

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

pub async fn locations(
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
        lack.clone().tell(notes);
    }
    let mut made = Vec::new();
    for stand in &stored.shelves {
        let shelf = shelf(&organization, &repository, stand);
        let names = stand.names.iter();
        made.extend(names.map(|secret| Fact::Location(map::location(&system, shelf, secret))));
    }
    Ok(made)
}

pub async fn readers(
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
        lack.clone().tell(notes);
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
            Lack::new(NoteKind::Drift, reason, format!("{path}: {told}")).tell(notes);
            made.push(line(entitlement(map::SECRETS_OF_ALL), by_workflow()));
        }
    }
    Ok(made)
}
