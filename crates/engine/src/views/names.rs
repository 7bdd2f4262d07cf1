//! What people call things: names beside native ids, which are often unreadable.

use crate::lifecycle::{ItemKind, Link, Rehearsal};
use crate::store::{End, Store, StoreError, named};
use lastkey_contract::Kind;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct NamePart {
    system: String,
    id: String,
    name: Option<String>,
}

/// The names of everything that a rehearsal mentions by an id that nobody can read, by
/// `kind system:id`.
pub async fn names_in(
    store: &Store,
    rehearsal: &Rehearsal,
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut wanted: BTreeMap<ItemKind, BTreeSet<String>> = BTreeMap::new();
    let mut look = |kind: ItemKind, system: &str, id: &str| {
        if is_opaque(id) {
            wanted.entry(kind).or_default().insert(named(system, id));
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
    let mut found = BTreeMap::new();
    for (item, keys) in wanted {
        let kind = match item {
            ItemKind::Account => Kind::Account,
            ItemKind::Entitlement => Kind::Entitlement,
            ItemKind::Credential => Kind::Credential,
            // A path is its own name.
            ItemKind::Location => continue,
        };
        let keys: Vec<String> = keys.into_iter().collect();
        let facts: Vec<(i64, NamePart)> = store.facts_at(kind, End::Key, &keys).await?;
        for (_, part) in facts {
            if let Some(name) = part.name {
                let key = format!("{} {}:{}", item.word(), part.system, part.id);
                // Of two of one id the first stands.
                found.entry(key).or_insert(name);
            }
        }
    }
    Ok(found)
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
