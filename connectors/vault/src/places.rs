//! Places where a secret stands, and who can read each.

use crate::api::Got;
use crate::engines::{Static, TransitKey};
use crate::make::{described, principals};
use crate::map;
use crate::objects::{KvMetadata, Mount, Objects};
use crate::people::Everyone;
use crate::place::Section;
use crate::policy::Capabilities;
use lastkey_contract::facts::Principal;
use lastkey_contract::{ConnectorError, Fact, NoteKind, Notes};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The places of one name of a section.
pub async fn locations(
    objects: &mut Objects,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, ConnectorError> {
    let system = objects.vault.system.clone();
    if let Some((logins, path)) = login(objects, section).await? {
        let at = format!("{path}/{name}");
        let operation = "read a login whose password changes";
        let said = objects
            .api
            .read::<BTreeMap<String, Value>>(&at, operation)
            .await?;
        let said = described(said, notes, &at);
        let place = value_of(section, logins, name);
        return Ok(vec![Fact::Location(logins.location(&system, place, &said))]);
    }
    if let Some((path, key, exports)) = key(objects, section, name, notes).await? {
        let first = exports.first();
        let made = first.map(|export| Fact::Location(key.location(&system, export, &path)));
        return Ok(made.into_iter().collect());
    }
    let Some(mount) = store(objects, section).await? else {
        return Ok(Vec::new());
    };
    let path = mount.metadata(name);
    let kv = match mount.versioned() {
        // Of the first version nothing but the value could be read, and it is not.
        false => None,
        true => match objects
            .api
            .read::<KvMetadata>(&path, "read a secret's metadata")
            .await?
        {
            Got::Found(kv) => Some(kv),
            Got::Absent => {
                let reason = "a secret was removed while being read";
                notes.add(NoteKind::Remark, reason, Some(path));
                return Ok(Vec::new());
            }
            Got::Refused => {
                // That it is there was seen in the list; what is missing is when it changed.
                let reason =
                    "this login may not read a secret's metadata, so its times are not known";
                notes.add(NoteKind::Clipped, reason, Some(path));
                None
            }
        },
    };
    let made = map::location(&system, &mount, name, kv.as_ref());
    Ok(vec![Fact::Location(made)])
}

/// Who can read the places of one name of a section.
pub async fn readers(
    objects: &mut Objects,
    everyone: &Everyone,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, ConnectorError> {
    let (place, paths) = match section {
        Section::Statics(_, _) => {
            let Some((logins, _)) = login(objects, section).await? else {
                return Ok(Vec::new());
            };
            let place = value_of(section, logins, name);
            (place.clone(), vec![place])
        }
        Section::Keys(_) => {
            let Some((_, _, exports)) = key(objects, section, name, notes).await? else {
                return Ok(Vec::new());
            };
            let Some(first) = exports.first() else {
                return Ok(Vec::new());
            };
            (first.clone(), exports)
        }
        _ => {
            let Some(mount) = store(objects, section).await? else {
                return Ok(Vec::new());
            };
            (format!("{}{name}", mount.path), vec![mount.value(name)])
        }
    };
    let mut met: BTreeSet<Principal> = BTreeSet::new();
    let mut made = Vec::new();
    for path in paths {
        let who = everyone.reach.who(&path, Capabilities::READ);
        for (principal, attributes) in principals(objects, who) {
            if met.insert(principal.clone()) {
                made.push(Fact::Reader(map::reader(principal, &place, attributes)));
            }
        }
    }
    Ok(made)
}

/// The sort of logins that a section holds, and the folder that describes them.
async fn login(
    objects: &mut Objects,
    section: &Section,
) -> Result<Option<(Static, String)>, ConnectorError> {
    let Section::Statics(path, folder) = section else {
        return Ok(None);
    };
    let mounts = objects.mounts().await?;
    let mount = mounts.engines.iter().find(|m| m.path == *path);
    let logins = mount.and_then(|mount| Static::of(mount, folder));
    Ok(logins.map(|logins| (logins, format!("{path}{folder}"))))
}

fn value_of(section: &Section, logins: Static, name: &str) -> String {
    match section {
        Section::Statics(mount, _) => logins.value(mount, name),
        _ => String::new(),
    }
}

/// A transit key that can leave: its path, what describes it, and where it leaves by.
async fn key(
    objects: &mut Objects,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Option<(String, TransitKey, Vec<String>)>, ConnectorError> {
    let Section::Keys(mount) = section else {
        return Ok(None);
    };
    let path = format!("{mount}keys/{name}");
    let got = objects.api.read::<TransitKey>(&path, "read a key").await?;
    let key = described(got, notes, &path);
    let exports = key.exports(mount, name);
    Ok(Some((path, key, exports)))
}

/// The key-value store of a section.
async fn store(objects: &mut Objects, section: &Section) -> Result<Option<Mount>, ConnectorError> {
    let Section::Secrets(path) = section else {
        return Ok(None);
    };
    let mounts = objects.mounts().await?;
    Ok(mounts.engines.iter().find(|m| m.path == *path).cloned())
}
