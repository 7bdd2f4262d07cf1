//! The rights that reading needs: the one list behind the check and the script.

use crate::engines::{DYNAMIC, STATICS};
use crate::objects::Mounts;
use crate::policy::{Acl, Capabilities, Policy};
use crate::settings::{Leases, Vault};
use crate::ways::WAYS;
use chrono::DateTime;

/// One right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// As in a policy, with wildcards.
    pub path: String,
    pub words: &'static [&'static str],
    /// What is not seen without it.
    pub why: &'static str,
}

const LIST: &[&str] = &["list"];
const READ: &[&str] = &["read"];
const LIST_READ: &[&str] = &["list", "read"];
const UPDATE: &[&str] = &["update"];
const READ_SUDO: &[&str] = &["read", "sudo"];
const LIST_SUDO: &[&str] = &["list", "sudo"];

/// Where mounts are not known, each is any one of a single name.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    Mounts(&'a Mounts),
    Nothing,
}

/// All rights that reading needs as configured.
pub fn needs(vault: Option<&Vault>, known: Known<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut need = |path: String, words: &'static [&'static str], why: &'static str| {
        needs.push(Need { path, words, why });
    };
    let fixed: [(&str, &[&str], &str); 13] = [
        ("auth/token/lookup-self", READ, "who we are signed in as"),
        (
            "sys/capabilities-self",
            UPDATE,
            "which rights are missing or in excess",
        ),
        ("sys/mounts", READ, "which secrets engines there are"),
        ("sys/auth", READ, "which auth methods there are"),
        ("sys/policies/acl", LIST, "which policies there are"),
        (
            "sys/policies/acl/*",
            READ,
            "what policies allow, so who can read which secret",
        ),
        ("identity/entity/id", LIST, "entities"),
        (
            "identity/entity/id/*",
            READ,
            "entities, their names and policies",
        ),
        ("identity/group/id", LIST, "groups"),
        (
            "identity/group/id/*",
            READ,
            "groups, their members and policies",
        ),
        (
            "auth/token/accessors",
            LIST_SUDO,
            "tokens; the vault guards their list with sudo",
        ),
        (
            "auth/token/accessors/",
            LIST_SUDO,
            "tokens; the vault guards their list with sudo",
        ),
        (
            "auth/token/lookup-accessor",
            UPDATE,
            "when tokens end and whose they are",
        ),
    ];
    for (path, words, why) in fixed {
        need(path.to_owned(), words, why);
    }
    if vault.is_none_or(|v| v.namespace.is_empty()) {
        need(
            "sys/audit".to_owned(),
            READ_SUDO,
            "whether use of the vault is recorded; the vault guards the list with sudo",
        );
    }
    let auth = |kind: &str| match known {
        Known::Mounts(mounts) => mounts.auth_of(kind).into_iter().map(|m| m.path).collect(),
        Known::Nothing => vec!["+/".to_owned()],
    };
    for mount in auth("userpass") {
        need(format!("auth/{mount}users"), LIST, "userpass users");
        need(
            format!("auth/{mount}users/+"),
            READ,
            "the policies of userpass users",
        );
    }
    for mount in auth("approle") {
        need(format!("auth/{mount}role"), LIST, "AppRoles");
        need(
            format!("auth/{mount}role/+"),
            READ,
            "the policies of AppRoles",
        );
        need(
            format!("auth/{mount}role/+/secret-id"),
            LIST,
            "secret IDs, by accessor",
        );
        let lookup = format!("auth/{mount}role/+/secret-id-accessor/lookup");
        need(lookup, UPDATE, "when secret IDs were made and end");
    }
    for way in WAYS {
        for mount in auth(way.kind) {
            need(
                format!("auth/{mount}{}", way.list),
                LIST,
                "roles, groups and users of other auth methods",
            );
            need(
                way.path(&mount, "+"),
                READ,
                "the policies of roles of other auth methods, and how long their tokens live",
            );
        }
    }
    let engines = |kind: &str| match known {
        Known::Mounts(mounts) => mounts
            .engines
            .iter()
            .filter(|m| m.kind == kind)
            .map(|m| m.path.clone())
            .collect(),
        // Any one of a single name would reach values of key-value stores.
        Known::Nothing => vec![format!("{kind}/")],
    };
    for roles in &DYNAMIC {
        for mount in engines(roles.kind) {
            let why = "roles of secrets engines";
            need(format!("{mount}{}", roles.list), LIST, why);
            let why = "whom roles of secrets engines make, and for how long";
            need(roles.path(&mount, "+"), READ, why);
        }
    }
    for logins in &STATICS {
        for mount in engines(logins.kind) {
            let folder = format!("{mount}{}", logins.folder);
            need(
                folder.clone(),
                LIST,
                "logins whose password the vault changes",
            );
            let why = "when their passwords were changed";
            need(format!("{folder}/+"), READ, why);
        }
    }
    for mount in engines("transit") {
        need(format!("{mount}keys"), LIST, "keys of transit engines");
        let why = "versions of keys and whether they can leave; never the keys";
        need(format!("{mount}keys/+"), READ, why);
    }
    for mount in engines("pki") {
        need(
            format!("{mount}certs"),
            LIST,
            "certificates that were issued",
        );
    }
    for (mount, version) in stores(vault, known) {
        if version != Version::One {
            need(format!("{mount}metadata"), LIST, "the names of secrets");
            need(format!("{mount}metadata/"), LIST, "the names of secrets");
            need(
                format!("{mount}metadata/*"),
                LIST_READ,
                "the names of secrets and when they changed",
            );
        }
        if version != Version::Two {
            need(
                format!("{mount}*"),
                LIST,
                "the names of secrets in a store of the first version",
            );
            need(
                mount,
                LIST,
                "the names of secrets in a store of the first version",
            );
        }
    }
    if vault.is_some_and(|v| v.leases == Leases::Read) {
        need(
            "sys/leases/lookup/*".to_owned(),
            LIST_SUDO,
            "leases; the vault guards their list with sudo",
        );
        need("sys/leases/lookup".to_owned(), UPDATE, "when leases end");
    }
    needs.dedup();
    let mut once: Vec<Need> = Vec::new();
    for need in needs {
        if !once
            .iter()
            .any(|o| o.path == need.path && o.words == need.words)
        {
            once.push(need);
        }
    }
    once
}

/// The version of a key-value store, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
    Unknown,
}

/// The key-value stores that are read.
pub fn stores(vault: Option<&Vault>, known: Known<'_>) -> Vec<(String, Version)> {
    let wanted = vault.and_then(|v| v.mounts.as_ref());
    match known {
        Known::Mounts(mounts) => mounts
            .engines
            .iter()
            .filter(|m| m.key_value() && wanted.is_none_or(|w| w.contains(&m.path)))
            .map(|m| match m.versioned() {
                true => (m.path.clone(), Version::Two),
                false => (m.path.clone(), Version::One),
            })
            .collect(),
        Known::Nothing => match wanted {
            Some(paths) => paths
                .iter()
                .map(|p| (p.clone(), Version::Unknown))
                .collect(),
            None => vec![("+/".to_owned(), Version::Unknown)],
        },
    }
}

/// The needs as the text of a policy.
pub fn as_policy(needs: &[Need]) -> String {
    needs
        .iter()
        .map(|need| {
            let words: Vec<String> = need.words.iter().map(|w| format!("\"{w}\"")).collect();
            format!(
                "# {}\npath \"{}\" {{\n  capabilities = [{}]\n}}\n",
                need.why,
                need.path,
                words.join(", ")
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The needs as an answer for a path, to hold a rule against.
pub fn as_acl(needs: &[Need]) -> Acl {
    let policy = Policy::parse("needs", &as_policy(needs));
    policy
        .and_then(|policy| Acl::new([&policy], None, DateTime::UNIX_EPOCH))
        .unwrap_or_default()
}

/// A path that stands for a pattern.
pub fn sample(pattern: &str) -> String {
    let mut sample = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        sample.push_str(before);
        sample.push_str("lastkey");
        rest = after.split_once("}}").map_or("", |(_, rest)| rest);
    }
    sample.push_str(rest);
    let parts: Vec<&str> = sample
        .split('/')
        .map(|part| if part == "+" { "lastkey" } else { part })
        .collect();
    match parts.join("/") {
        glob if glob.ends_with('*') => format!("{}lastkey", glob.trim_end_matches('*')),
        exact => exact,
    }
}

/// Whether a pattern can match anything below a folder.
pub fn reaches(pattern: &str, folder: &str) -> bool {
    let pattern = pattern.trim_start_matches('/');
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(text) => (text, true),
        None => (pattern, false),
    };
    let own: Vec<&str> = pattern.split('/').collect();
    let asked: Vec<&str> = folder.trim_end_matches('/').split('/').collect();
    for (at, part) in own.iter().enumerate() {
        let Some(wanted) = asked.get(at) else {
            return true;
        };
        let last = open && at + 1 == own.len();
        let fits = *part == "+"
            || part.contains("{{")
            || part == wanted
            || (last && wanted.starts_with(part));
        if !fits {
            return false;
        }
        if last {
            return true;
        }
    }
    own.len() > asked.len()
}

/// Everything that changes something, or goes past the vault's own guards.
pub fn changing() -> Capabilities {
    Capabilities::CREATE
        .with(Capabilities::UPDATE)
        .with(Capabilities::PATCH)
        .with(Capabilities::DELETE)
        .with(Capabilities::SUDO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_for_patterns() {
        for (pattern, path) in [
            ("a/b", "a/b"),
            ("a/*", "a/lastkey"),
            ("a/+/b*", "a/lastkey/blastkey"),
            ("*", "lastkey"),
            ("a/{{identity.entity.id}}/*", "a/lastkey/lastkey"),
        ] {
            assert_eq!(sample(pattern), path);
        }
    }

    #[track_caller]
    fn check(pattern: &str, says: bool) {
        assert_eq!(reaches(pattern, "secret/data/"), says, "{pattern}");
    }

    #[test]
    fn patterns_that_reach_values() {
        check("*", true);
        check("secret/*", true);
        check("secret/da*", true);
        check("secret/data/db", true);
        check("+/data/*", true);
        check("+/+/db", true);
        check("secret/metadata/*", false);
        check("+/metadata/*", false);
        check("sys/*", false);
        check("secret/data", false);
        check("secret", false);
    }
}
