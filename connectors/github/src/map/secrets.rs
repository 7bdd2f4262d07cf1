//! Where secrets stand by name, and who can have them told.

use super::{put, time};
use crate::objects::SecretName;
use lastkey_contract::facts::{Attributes, Location, LocationKind, Principal, Reader};
use lastkey_contract::{SystemName, When};

/// Where a secret's name stands.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    /// `actions` or `dependabot`.
    pub store: &'a str,
    pub organization: &'a str,
    pub repository: Option<&'a str>,
    pub environment: Option<&'a str>,
}

impl Shelf<'_> {
    /// `example/shop/actions/NAME`, `example/shop/environments/production/NAME`,
    /// `example/actions/NAME`.
    pub fn path(&self, name: &str) -> String {
        let mut path = self.organization.to_owned();
        if let Some(repository) = self.repository {
            path = format!("{path}/{repository}");
        }
        match self.environment {
            Some(environment) => {
                let environment = environment.replace('%', "%25").replace('/', "%2F");
                format!("{path}/environments/{environment}/{name}")
            }
            None => format!("{path}/{}/{name}", self.store),
        }
    }
}

/// A secret's name and times; its value is asked for nowhere, and GitHub gives it to nobody.
pub fn location(system: &SystemName, shelf: Shelf<'_>, secret: &SecretName) -> Location {
    let mut attributes = Attributes::new();
    put(&mut attributes, "name", Some(secret.name.as_str()));
    put(&mut attributes, "store", Some(shelf.store));
    put(&mut attributes, "visibility", secret.visibility.clone());
    put(
        &mut attributes,
        "created_at",
        time(&secret.created_at).map(When::to_text),
    );
    Location {
        environment: shelf.environment.map(str::to_owned),
        last_rotated_at: time(&secret.updated_at),
        attributes,
        ..Location::of(
            system.clone(),
            shelf.path(&secret.name),
            LocationKind::CiVariable,
        )
    }
}

pub fn reader(principal: Principal, path: &str, attributes: Attributes) -> Reader {
    Reader {
        attributes,
        ..Reader::of(principal, path)
    }
}
