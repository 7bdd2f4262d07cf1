//! The check: who are we, at what server, and which rights are missing or too many.

use crate::api::Hidden;
use crate::error::refused;
use crate::estate::Estate;
use crate::http::Answer;
use crate::needs::{Need, Of, needs};
use crate::objects::Repository;
use crate::standing::Token;
use lastkey_contract::{CheckReport, ConnectorError, Right};
use lastkey_http::escaped;
use std::collections::BTreeMap;

const OPERATION: &str = "look up our own rights";

/// Looks, changes nothing.
pub async fn look(estate: &mut Estate) -> Result<CheckReport, ConnectorError> {
    let standing = estate.standing.clone();
    let mut report = CheckReport {
        signed_in_as: Some(standing.words()),
        server: Some(match &standing.enterprise {
            Some(version) => format!("GitHub Enterprise Server {version}"),
            None => "GitHub".to_owned(),
        }),
        rights_known: matches!(standing.token, Token::Classic(_)),
        ..CheckReport::default()
    };
    let first = first_repository(estate).await?;
    missing(estate, first.as_ref(), &mut report).await?;
    report.excess_rights = excess(&standing.token, first.as_ref());
    if !report.rights_known {
        report.remarks.push(
            "GitHub tells neither a fine-grained token nor an app what it may: rights in excess must be looked up in its settings"
                .to_owned(),
        );
    }
    let cuts = [
        standing.members_cut(),
        standing.teams_cut(),
        // How many there are is held against the whole list when it is read.
        standing.repositories_cut(u64::MAX),
    ];
    report
        .warnings
        .extend(cuts.into_iter().flatten().map(str::to_owned));
    remarks(estate, &mut report);
    Ok(report)
}

/// A repository to try rights on.
async fn first_repository(estate: &mut Estate) -> Result<Option<Repository>, ConnectorError> {
    let path = match &estate.organization.repositories {
        None => estate.own("repos?type=all&per_page=1"),
        Some(names) => {
            let name = names.first().map_or("", String::as_str);
            format!("/repos/{}/{}", estate.organization.name, escaped(name))
        }
    };
    let answer = estate.api.raw(&path, OPERATION).await?;
    if hidden(&answer).is_some() {
        return Ok(None);
    }
    if answer.status != 200 {
        return Err(refused(estate.api.address(), OPERATION, &answer));
    }
    let address = estate.api.address();
    if estate.organization.repositories.is_some() {
        return crate::http::SERVER
            .parsed(address, OPERATION, &answer.body)
            .map(Some);
    }
    let all: Vec<Repository> = crate::http::SERVER.parsed(address, OPERATION, &answer.body)?;
    Ok(all.into_iter().next())
}

fn hidden(answer: &Answer) -> Option<Hidden> {
    let own = answer.said().is_some() && !answer.is_limited();
    match answer.status {
        403 if own => Some(Hidden::Refused),
        404 | 410 | 451 if own => Some(Hidden::Absent),
        _ => None,
    }
}

async fn missing(
    estate: &mut Estate,
    first: Option<&Repository>,
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for need in needs(Some(&estate.organization)) {
        let of_the_cloud = ["invitations", "credential-authorizations"].contains(&need.path);
        if need.path.is_empty() || (of_the_cloud && estate.standing.enterprise.is_some()) {
            continue;
        }
        let path = match (need.of, first) {
            (Of::Organization, _) => estate.own(need.path),
            (Of::Repository, Some(repository)) => estate.of(repository, need.path),
            (Of::Repository, None) => continue,
        };
        // Roles come in one piece.
        let path = match need.path.ends_with("roles") {
            true => path,
            false => format!("{path}?per_page=1"),
        };
        let answer = estate.api.raw(&path, OPERATION).await?;
        match hidden(&answer) {
            Some(hidden) => {
                let name = name(&need, &estate.standing.token);
                let why = why(&need, hidden, &answer);
                found
                    .entry(name)
                    .and_modify(|known| {
                        known.push_str("; ");
                        known.push_str(&why);
                    })
                    .or_insert(why);
            }
            None if answer.status == 200 => {
                let address = estate.api.address();
                let _json: serde::de::IgnoredAny =
                    crate::http::SERVER.parsed(address, OPERATION, &answer.body)?;
            }
            None => return Err(refused(estate.api.address(), OPERATION, &answer)),
        }
    }
    if first.is_none() {
        report.warnings.push(
            "no repository is shown to this token, so that rights on repositories could not be tried"
                .to_owned(),
        );
    }
    let rights = found.into_iter().map(|(name, why)| Right { name, why });
    report.missing_rights.extend(rights);
    Ok(())
}

/// A right as whoever grants it finds it.
fn name(need: &Need, token: &Token) -> String {
    let of = match need.of {
        Of::Organization => "organisation",
        Of::Repository => "repository",
    };
    match token {
        Token::Classic(_) if !need.scope.is_empty() => format!("scope {}", need.scope),
        Token::Classic(_) | Token::FineGrained | Token::App => {
            format!("{}: read ({of})", need.title)
        }
    }
}

fn why(need: &Need, hidden: Hidden, answer: &Answer) -> String {
    let mut why = format!("not seen without it: {}", need.why);
    if let Some(wanted) = answer.header("x-accepted-github-permissions") {
        let wanted: String = wanted.chars().take(100).collect();
        why.push_str(&format!(" (GitHub asks for `{wanted}`)"));
    }
    if let (Hidden::Absent, Some(part)) = (hidden, need.part) {
        why.push_str(&format!(
            "; where the plan has no such thing, say so with leave_out={}",
            part.word()
        ));
    }
    why
}

/// Rights beyond reading.
fn excess(token: &Token, first: Option<&Repository>) -> Vec<Right> {
    match token {
        Token::Classic(scopes) => scopes
            .iter()
            .filter(|scope| !scope.starts_with("read:"))
            .map(|scope| Right {
                name: format!("scope {scope}"),
                why: match scope.as_str() {
                    "repo" | "admin:org" => "lets change as well; classic tokens have no smaller scope for what is read, fine-grained tokens and apps do",
                    _ => "nothing that is read needs it",
                }
                .to_owned(),
            })
            .collect(),
        Token::App => {
            let permissions = first.and_then(|repository| repository.permissions.as_ref());
            let may = |word: &&str| permissions.and_then(|all| all.get(*word)) == Some(&true);
            ["admin", "maintain", "push", "triage"]
                .into_iter()
                .filter(may)
                .map(|word| Right {
                    name: format!("{word} on repositories"),
                    why: "goes beyond reading; give the app `read` only".to_owned(),
                })
                .collect()
        }
        // What is told of repositories is the person's right, and not the token's.
        Token::FineGrained => Vec::new(),
    }
}

fn remarks(estate: &Estate, report: &mut CheckReport) {
    let standing = &estate.standing;
    let organization = &estate.organization;
    let mut say = |remark: String| report.remarks.push(remark);
    if let Some(ends) = &standing.ends {
        let ends: String = ends.chars().take(40).collect();
        say(format!("the token ends at {ends}"));
    }
    if let Some(plan) = standing
        .page
        .plan
        .as_ref()
        .filter(|plan| !plan.name.is_empty())
    {
        say(format!("the organisation's plan is `{}`", plan.name));
    }
    if standing.page.two_factor_requirement_enabled == Some(false) {
        say("the organisation does not require a second factor".to_owned());
    }
    if !organization.leave_out.is_empty() {
        let out: Vec<&str> = organization
            .leave_out
            .iter()
            .map(|part| part.word())
            .collect();
        say(format!(
            "left out, as the source's settings say that the organisation has none: {}",
            out.join(", ")
        ));
    }
    if let Some(only) = &organization.repositories {
        let only: Vec<&str> = only.iter().map(String::as_str).collect();
        say(format!(
            "only these repositories are read: {}",
            only.join(", ")
        ));
    }
    if organization.member_keys == crate::settings::Extra::Leave {
        say("SSH keys of members are not read (member_keys=yes reads them)".to_owned());
    }
    if standing.page.default_repository_permission.is_none() {
        say("what every member may on every repository (the base permission) is not told to this token".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(token: &Token, permissions: &str) -> Vec<String> {
        let text = format!(r#"{{"id":1,"name":"r","permissions":{permissions}}}"#);
        let repository: Repository = serde_json::from_str(&text).unwrap();
        let found = excess(token, Some(&repository));
        found.into_iter().map(|right| right.name).collect()
    }

    #[test]
    fn rights_in_excess() {
        let scopes = ["repo", "read:org", "delete_repo"]
            .map(str::to_owned)
            .to_vec();
        let classic = Token::Classic(scopes);
        assert_eq!(names(&classic, "null"), ["scope repo", "scope delete_repo"]);
        let own = r#"{"admin":true,"push":true,"pull":true}"#;
        assert_eq!(
            names(&Token::App, own),
            ["admin on repositories", "push on repositories"]
        );
        assert!(names(&Token::App, r#"{"admin":false,"pull":true}"#).is_empty());
        assert!(names(&Token::FineGrained, own).is_empty());
    }
}
