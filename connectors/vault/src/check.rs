//! The check: who are we, on what server, and which rights are missing or too many.

use crate::api::{Got, Lookup};
use crate::needs::{self, Known, Need, Version};
use crate::objects::{Objects, Token};
use crate::policy::{Asked, Capabilities, Policy};
use crate::session::ends;
use crate::settings::SignIn;
use chrono::DateTime;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{CheckReport, ConnectorError, Right};
use std::collections::{BTreeMap, BTreeSet};

/// How soon a token's end is worth a remark, in seconds.
const SOON: i64 = 7 * 24 * 3600;

/// Looks, changes nothing.
pub async fn look(objects: &mut Objects) -> Result<CheckReport, ConnectorError> {
    let health = objects.api.health().await?;
    let token: Token = objects.api.whoami().await?;
    let mut report = CheckReport {
        signed_in_as: Some(match token.display_name.as_str() {
            "" => "a token without a name".to_owned(),
            name => name.to_owned(),
        }),
        server: Some(server(&health.version)),
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
    version: &str,
) -> Result<bool, ConnectorError> {
    if server(version).starts_with("HashiCorp") {
        return Ok(false);
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

fn server(version: &str) -> String {
    let major = version
        .split('.')
        .next()
        .and_then(|v| v.parse::<u32>().ok());
    match major {
        // Vault has not reached a second major version; OpenBao began with it.
        Some(0 | 1) => format!("HashiCorp Vault {version}"),
        Some(_) => format!("OpenBao {version}"),
        None => "Vault or OpenBao (its version is not told)".to_owned(),
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
    let known = ["approle", "userpass", "token"];
    for mount in &mounts.auth {
        let elsewhere = crate::people::ELSEWHERE
            .iter()
            .any(|(kind, _)| *kind == mount.kind);
        if !elsewhere && !known.contains(&mount.kind.as_str()) && !mount.kind.starts_with("ns_") {
            say(format!(
                "the roles of `auth/{}` ({}) are not read",
                mount.path, mount.kind
            ));
        }
    }
    for mount in &mounts.engines {
        let own = ["cubbyhole", "identity", "system"];
        if !mount.key_value()
            && !own.contains(&mount.kind.as_str())
            && !mount.kind.starts_with("ns_")
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_by_version() {
        assert_eq!(server("1.14.8"), "HashiCorp Vault 1.14.8");
        assert_eq!(server("2.4.0"), "OpenBao 2.4.0");
        assert_eq!(server("0.11.6"), "HashiCorp Vault 0.11.6");
        assert!(server("").contains("not told"));
    }
}
