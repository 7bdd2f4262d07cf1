//! What people call things: names beside native ids, which are often unreadable.

use crate::access::Snapshot;
use crate::lifecycle::{ItemKind, Link, Rehearsal};
use std::collections::{BTreeMap, HashMap};

/// The names of a snapshot's accounts, entitlements and credentials whose ids nobody can read.
#[derive(Clone, Debug, Default)]
pub struct Names(HashMap<(ItemKind, String, String), String>);

impl Names {
    /// Gathers the names of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Names {
        let mut names = Names::default();
        for account in &snapshot.accounts {
            names.note(
                ItemKind::Account,
                account.system.as_str(),
                account.id.as_str(),
                &account.name,
            );
        }
        for entitlement in &snapshot.entitlements {
            let (system, id) = (entitlement.system.as_str(), entitlement.id.as_str());
            names.note(ItemKind::Entitlement, system, id, &entitlement.name);
        }
        for credential in &snapshot.credentials {
            let (system, id) = (credential.system.as_str(), credential.id.as_str());
            names.note(ItemKind::Credential, system, id, &credential.name);
        }
        names
    }

    fn note(&mut self, kind: ItemKind, system: &str, id: &str, name: &Option<String>) {
        if let Some(name) = name.as_ref().filter(|_| is_opaque(id)) {
            self.0
                .insert((kind, system.to_owned(), id.to_owned()), name.clone());
        }
    }

    /// The name of one thing, if it has one beside its id.
    pub fn get(&self, kind: ItemKind, system: &str, id: &str) -> Option<&str> {
        self.0
            .get(&(kind, system.to_owned(), id.to_owned()))
            .map(String::as_str)
    }

    /// The names of everything that a rehearsal mentions, by `kind system:id`.
    pub fn in_rehearsal(&self, rehearsal: &Rehearsal) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut look = |kind: ItemKind, system: &str, id: &str| {
            if let Some(name) = self.get(kind, system, id) {
                found.insert(format!("{} {system}:{id}", kind.word()), name.to_owned());
            }
        };
        for item in &rehearsal.residual {
            look(item.kind, &item.system, &item.id);
            let on_account = item.on_account.as_deref().and_then(|a| a.split_once(':'));
            if let Some((system, id)) = on_account {
                look(ItemKind::Account, system, id);
            }
            for Link {
                kind, system, id, ..
            } in item.links.iter().chain(&item.known_through)
            {
                look(*kind, system, id);
            }
        }
        found
    }
}

/// Whether an id tells a person nothing: a UUID, a long number, a run of hex.
fn is_opaque(id: &str) -> bool {
    id.len() >= 12
        && id
            .chars()
            .all(|c| c.is_ascii_hexdigit() || matches!(c, '-' | '{' | '}'))
}

#[cfg(test)]
mod tests {
    use super::is_opaque;

    #[test]
    fn only_ids_that_nobody_can_read_are_replaced_by_names() {
        for (id, opaque) in [
            ("937906e6-7991-1041-8b64-2d60df61eada", true),
            ("{937906E6-7991-1041-8B64-2D60DF61EADA}", true),
            ("100045829301", true),
            ("rasmus.sorensen3", false),
            ("001857", false),
            ("AKL-069167", false),
        ] {
            assert_eq!(is_opaque(id), opaque, "{id}");
        }
    }
}
