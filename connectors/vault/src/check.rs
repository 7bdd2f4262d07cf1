//! The check: who are we, on what server, and which rights are missing or too many.

use crate::api::{Got, Health, Lookup};
use crate::engines::is_known;
use crate::error::config;
use crate::needs::{self, Known, Need, Version};
use crate::objects::{Objects, Token};
use crate::policy::{Asked, Capabilities, Policy};
use crate::session::ends;
use crate::settings::{SignIn, Vault};
use chrono::DateTime;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{CheckReport, ConnectorError, Right};
use std::collections::{BTreeMap, BTreeSet};

/// How soon a token's end is worth a remark, in seconds.
const SOON: i64 = 7 * 24 * 3600;

/// Looks, changes nothing.
pub async fn look(objects: &mut Objects) -> Result<CheckReport, ConnectorError> {
    let health = objects.api.health().await?;
    has_namespaces(&objects.vault, &health)?;
    let token: Token = objects.api.whoami().await?;
    let mut report = CheckReport {
        signed_in_as: Some(match token.display_name.as_str() {
            "" => "a token without a name".to_owned(),
            name => name.to_owned(),
        }),
        server: Some(server(&health)),
        rights_known: true,
        ..CheckReport::default()
    };
    let mounts = objects.mounts().await?;
    let needs = needs::needs(Some(&objects.vault), Known::Mounts(&mounts));
    let stores = needs::stores(Some(&objects.vault), Known::Mounts(&mounts));
    let values: Vec<String> = stores
        .iter()
        .map(|(mount, version)| match version {
            Version::Two => format!("{mount}data/"),
            Version::One | Version::Unknown => mount.clone(),
        })
        .collect();
    let own: BTreeSet<&String> = token
        .policies
        .iter()
        .chain(&token.identity_policies)
        .collect();
    if own.iter().any(|policy| *policy == Policy::ROOT) {
        report.excess_rights.push(Right {
            name: "root".to_owned(),
            why: "a root token may do everything; give the reader a token of its own".to_owned(),
        });
    } else {
        missing(objects, &needs, &mut report).await?;
        excess(objects, &needs, &values, &own, &mut report).await?;
    }
    remarks(objects, &token, health.server_time_utc, &mut report).await?;
    Ok(report)
}

/// Whether a policy of this login limits how many names a list gives at once, or may: the vault
/// then cuts its lists in silence. Only OpenBao has such a limit.
pub async fn lists_may_be_cut(
    objects: &mut Objects,
    token: &Token,
    health: &Health,
) -> Result<bool, ConnectorError> {
    match product(health) {
        Product::Vault | Product::VaultEnterprise => return Ok(false),
        Product::OpenBao | Product::Untold => {}
    }
    for name in token.policies.iter().chain(&token.identity_policies) {
        match objects.policy(name).await? {
            Got::Found(text) if text.contains("pagination_limit") => return Ok(true),
            Got::Found(_) | Got::Absent => {}
            Got::Refused => return Ok(true),
        }
    }
    Ok(false)
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    Vault,
    VaultEnterprise,
    OpenBao,
    Untold,
}

fn product(health: &Health) -> Product {
    let version = &health.version;
    let major = version.split('.').next().and_then(|v| v.parse().ok());
    match (major, health.enterprise) {
        (_, Some(true)) => Product::VaultEnterprise,
        _ if version.contains("+ent") => Product::VaultEnterprise,
        (_, Some(false)) | (Some(0u32 | 1), None) => Product::Vault,
        // OpenBao began with its second major version.
        (Some(_), None) => Product::OpenBao,
        (None, None) => Product::Untold,
    }
}

fn server(health: &Health) -> String {
    let version = &health.version;
    match product(health) {
        Product::Vault | Product::VaultEnterprise => format!("HashiCorp Vault {version}"),
        Product::OpenBao => format!("OpenBao {version}"),
        Product::Untold => "Vault or OpenBao (its version is not told)".to_owned(),
    }
}

/// Refuses a namespace where the server has none: it passes over the name, and the root namespace
/// would be taken for another.
pub fn has_namespaces(vault: &Vault, health: &Health) -> Result<(), ConnectorError> {
    let namespace = &vault.namespace;
    match product(health) {
        Product::Vault if !namespace.is_empty() => Err(config(
            format!("HashiCorp Vault without Enterprise has no namespace `{namespace}`"),
            "leave `namespace` out",
        )),
        Product::Vault | Product::VaultEnterprise | Product::OpenBao | Product::Untold => Ok(()),
    }
}

/// What may be done on paths, as the server says; None where it does not say.
async fn capabilities(
    objects: &mut Objects,
    paths: &[String],
) -> Result<Option<BTreeMap<String, Capabilities>>, ConnectorError> {
    let body = serde_json::json!({ "paths": paths });
    let operation = "look up our own rights";
    let got = objects
        .api
        .look_up::<BTreeMap<String, Vec<String>>>(Lookup::Capabilities, &body, operation)
        .await?;
    Ok(got.found().map(|answer| {
        let of = |words: Vec<String>| {
            words
                .iter()
                .filter_map(|w| Capabilities::from_word(w))
                .fold(Capabilities::NONE, Capabilities::with)
        };
        answer
            .into_iter()
            .map(|(path, words)| (path, of(words)))
            .collect()
    }))
}

async fn missing(
    objects: &mut Objects,
    needs: &[Need],
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    let paths: Vec<String> = needs.iter().map(|need| needs::sample(&need.path)).collect();
    let Some(can) = capabilities(objects, &paths).await? else {
        report.rights_known = false;
        report.missing_rights.push(Right {
            name: "update on sys/capabilities-self".to_owned(),
            why: "without it neither missing rights nor those in excess are known".to_owned(),
        });
        return Ok(());
    };
    let mut said: BTreeSet<String> = BTreeSet::new();
    for (need, path) in needs.iter().zip(&paths) {
        let may = can.get(path).copied().unwrap_or_default();
        for word in need.words {
            let needed = Capabilities::from_word(word).unwrap_or_default();
            let name = format!("{word} on {}", need.path.trim_end_matches('/'));
            if !may.allow(needed) && said.insert(name.clone()) {
                report.missing_rights.push(Right {
                    name,
                    why: format!("not seen without it: {}", need.why),
                });
            }
        }
    }
    Ok(())
}

/// Rights beyond the needs: by the text of our own policies where it can be read, and by asking
/// about paths that matter.
async fn excess(
    objects: &mut Objects,
    needs: &[Need],
    values: &[String],
    own: &BTreeSet<&String>,
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    // What the script gives where it does not know the mounts is no excess.
    let mut allowed = needs.to_vec();
    allowed.extend(needs::needs(Some(&objects.vault), Known::Nothing));
    let needed = needs::as_acl(&allowed);
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for name in own.iter().filter(|name| name.as_str() != "default") {
        let policy = match objects.policy(name).await? {
            Got::Found(text) => Policy::parse(name, &text).ok(),
            Got::Absent => continue,
            Got::Refused => None,
        };
        let Some(policy) = policy else {
            report.rights_known = false;
            report.remarks.push(format!(
                "the policy `{name}` of this login could not be looked through, so that rights in excess may be more than those told"
            ));
            continue;
        };
        for rule in &policy.rules {
            let path = needs::sample(&rule.path);
            let (covered, _) = needed.on(&path, Asked::ToList);
            for word in rule.can.words() {
                let right = Capabilities::from_word(word).unwrap_or_default();
                if right == Capabilities::DENY || covered.has(right) {
                    continue;
                }
                let value = right == Capabilities::READ
                    && values
                        .iter()
                        .any(|folder| needs::reaches(&rule.path, folder));
                if value || needs::changing().has(right) {
                    found
                        .entry(format!("{word} on {}", rule.path))
                        .or_insert(match value {
                            true => format!("reads the values of secrets (policy `{name}`)"),
                            false => format!("goes beyond reading (policy `{name}`)"),
                        });
                }
            }
        }
    }
    let mut probes: Vec<String> = values
        .iter()
        .map(|folder| format!("{folder}lastkey"))
        .collect();
    for path in [
        "sys/policies/acl/lastkey",
        "sys/auth/lastkey",
        "sys/mounts/lastkey",
        "sys/seal",
        "auth/token/create",
        "identity/entity",
        "identity/group",
    ] {
        probes.push(path.to_owned());
    }
    for (path, may) in capabilities(objects, &probes).await?.unwrap_or_default() {
        if !probes.contains(&path) {
            continue;
        }
        let value = values
            .iter()
            .any(|folder| path.starts_with(folder.as_str()));
        for word in may.words() {
            let right = Capabilities::from_word(word).unwrap_or_default();
            let reads = value && right == Capabilities::READ;
            let told = found.keys().any(|name| name.starts_with(word));
            if right != Capabilities::DENY && !told && (reads || needs::changing().has(right)) {
                found.insert(
                    format!("{word} on {path}"),
                    "goes beyond reading".to_owned(),
                );
            }
        }
    }
    for folder in values.iter().filter(|folder| !folder.ends_with("/data/")) {
        let below = format!("{folder}metadata/lastkey");
        let may = capabilities(objects, std::slice::from_ref(&below)).await?;
        let reads = |may: BTreeMap<String, Capabilities>| {
            may.get(&below)
                .is_some_and(|may| may.allow(Capabilities::READ))
        };
        if may.is_some_and(reads) {
            report.remarks.push(format!(
                "`{folder}` is a store of the first version: what lies below `{folder}metadata/` are values, and this login could read them; it does not"
            ));
        }
    }
    report
        .excess_rights
        .extend(found.into_iter().map(|(name, why)| Right { name, why }));
    Ok(())
}

async fn remarks(
    objects: &mut Objects,
    token: &Token,
    now: i64,
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    let mut say = |remark: String| report.remarks.push(remark);
    let ends = ends(token.expire_time.as_deref());
    if let (SignIn::Token, Some(ends)) = (&objects.vault.sign_in, ends)
        && ends < DateTime::from_timestamp(now + SOON, 0).unwrap_or_default()
    {
        say(format!(
            "the token ends at {}: renew it, or sign in by AppRole",
            rfc3339(ends)
        ));
    }
    if token.num_uses > 0 {
        say(format!(
            "the token may be used {} more times, and a read can need more",
            token.num_uses
        ));
    }
    let mounts = objects.mounts().await?;
    if !mounts.all {
        say(
            "this login may not list the mounts: those that it does not see are missing".to_owned(),
        );
    }
    if let Some(remark) = audit(objects.audit_devices().await?) {
        say(remark);
    }
    for mount in &mounts.auth {
        if !crate::ways::is_known(mount.method()) {
            say(format!(
                "the roles of `auth/{}` ({}) are not read",
                mount.path, mount.kind
            ));
        }
    }
    for mount in &mounts.engines {
        if !mount.built_in() && !is_known(mount) {
            say(format!(
                "the secrets engine `{}` ({}) keeps no names that are read",
                mount.path, mount.kind
            ));
        }
    }
    match objects
        .api
        .list("sys/namespaces", "list namespaces")
        .await?
    {
        Got::Found(names) => say(format!(
            "the namespaces below this one are not read ({}): add a source for each",
            names.join(", ")
        )),
        Got::Absent => {}
        Got::Refused => say(
            "this login may not list namespaces; one below this would need a source of its own"
                .to_owned(),
        ),
    }
    let limits = objects.vault.mounts.as_ref().map(|m| m.join(", "));
    if let Some(only) = limits {
        say(format!("only these key-value stores are read: {only}"));
    }
    Ok(())
}

/// What is said of the audit devices. Nothing is said in a namespace, which is not told of any.
fn audit(devices: Got<BTreeMap<String, String>>) -> Option<String> {
    match devices {
        Got::Found(devices) if devices.is_empty() => Some(
            "no audit device is listed, so that nobody's use of this vault is recorded".to_owned(),
        ),
        Got::Found(devices) => {
            let shown = devices.iter().map(|(path, kind)| format!("{path} ({kind})"));
            let shown: Vec<String> = shown.collect();
            Some(format!("audit devices that record each use: {}", shown.join(", ")))
        }
        Got::Absent => None,
        Got::Refused => Some(
            "this login may not list the audit devices, so whether use of this vault is recorded is not known"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_records_use_is_told() {
        let found = |devices: &[(&str, &str)]| {
            let devices = devices
                .iter()
                .map(|(p, k)| ((*p).to_owned(), (*k).to_owned()));
            audit(Got::Found(devices.collect())).unwrap()
        };
        assert!(found(&[]).starts_with("no audit device"));
        assert!(found(&[("lab/", "file"), ("s/", "syslog")]).ends_with("lab/ (file), s/ (syslog)"));
        assert!(audit(Got::Refused).unwrap().contains("not known"));
        assert_eq!(audit(Got::Absent), None);
    }

    fn told(version: &str, enterprise: Option<bool>) -> Health {
        Health {
            version: version.to_owned(),
            enterprise,
            ..Health::default()
        }
    }

    #[test]
    fn servers_by_what_they_tell() {
        for (version, enterprise, says) in [
            ("1.14.8", None, "HashiCorp Vault 1.14.8"),
            ("1.16.2+ent", None, "HashiCorp Vault 1.16.2+ent"),
            (
                "1.18.0+ent.hsm",
                Some(true),
                "HashiCorp Vault 1.18.0+ent.hsm",
            ),
            ("0.11.6", None, "HashiCorp Vault 0.11.6"),
            ("2.0.1", Some(false), "HashiCorp Vault 2.0.1"),
            ("2.4.0", None, "OpenBao 2.4.0"),
        ] {
            assert_eq!(server(&told(version, enterprise)), says);
        }
        assert!(server(&Health::default()).contains("not told"));
    }

    #[test]
    fn a_namespace_where_there_are_none_is_refused() {
        let vault = |namespace: &str| {
            let mut settings = lastkey_contract::Settings::default();
            for (key, value) in [
                ("address", "https://h"),
                ("system", "v"),
                ("role_id", "r"),
                ("namespace", namespace),
            ] {
                settings.0.insert(key.to_owned(), value.to_owned());
            }
            Vault::from_settings(&settings).unwrap()
        };
        for (version, namespace, fine) in [
            ("1.14.8", "team", false),
            ("1.14.8", "", true),
            ("1.16.2+ent", "team", true),
            ("2.4.0", "team", true),
            ("", "team", true),
        ] {
            let found = has_namespaces(&vault(namespace), &told(version, None));
            assert_eq!(found.is_ok(), fine, "{version} {namespace}");
        }
    }
}
