//! The answer of `check`: who we are, what the server is, what this login cannot see.

use crate::connection::Connection;
use crate::search::{Query, page};
use crate::settings::Directory;
use lastkey_contract::{CheckReport, ConnectorError, Right};
use ldap3::Scope;

/// Signs in nowhere new, looks, changes nothing.
pub async fn look(
    directory: &Directory,
    connection: &mut Connection,
) -> Result<CheckReport, ConnectorError> {
    let mut report = CheckReport {
        signed_in_as: connection.who().await?,
        rights_known: false,
        remarks: vec![
            "a directory does not tell its clients what they may do: rights in excess cannot be listed".to_owned(),
        ],
        ..CheckReport::default()
    };
    if report.signed_in_as.is_none() {
        report.remarks.push(match &directory.bind_dn {
            None => "reads anonymously: most directories hide much from nobody".to_owned(),
            Some(_) => "the directory does not tell who we are signed in as".to_owned(),
        });
    }
    server(connection, &mut report).await?;

    let sample = |filter: &str, attributes: &[&str]| Query {
        base: directory.base_dn.clone(),
        filter: filter.to_owned(),
        attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
    };
    let id = directory.id_attribute.as_str();
    let people = page(
        connection,
        &sample(
            &directory.people,
            &[id, "createTimestamp", "pwdChangedTime"],
        ),
        Scope::Subtree,
        20,
        None,
        "check people",
    )
    .await?;
    let groups = page(
        connection,
        &sample(
            &directory.groups,
            &[id, "member", "uniqueMember", "memberUid"],
        ),
        Scope::Subtree,
        20,
        None,
        "check groups",
    )
    .await?;
    for (what, answer) in [("people", &people), ("groups", &groups)] {
        if answer.entries.is_empty() {
            report.remarks.push(format!(
                "no {what} are visible below `{}`: there are none, or this login may not see them",
                directory.base_dn
            ));
        } else if answer.entries.iter().any(|e| e.one(id).is_none()) {
            report.missing_rights.push(Right {
                name: format!("read {id}"),
                why: format!("without it {what} have no id and are counted as failed"),
            });
        }
    }
    if people
        .entries
        .iter()
        .any(|e| e.one("createTimestamp").is_none())
    {
        report.missing_rights.push(Right {
            name: "read operational attributes".to_owned(),
            why: "without them locks, creation and last sign-in are not known".to_owned(),
        });
    }
    let passwords = page(
        connection,
        &sample(
            &format!(
                "(&{}(|(pwdChangedTime=*)(userPassword=*)))",
                directory.people
            ),
            &["1.1"],
        ),
        Scope::Subtree,
        1,
        None,
        "check passwords",
    )
    .await?;
    if passwords.entries.is_empty() && !people.entries.is_empty() {
        report.missing_rights.push(Right {
            name: "search pwdChangedTime or userPassword".to_owned(),
            why:
                "without it nothing tells which accounts have a password (its value is never read)"
                    .to_owned(),
        });
    }
    let members = ["member", "uniqueMember", "memberUid"];
    if !groups.entries.is_empty()
        && groups
            .entries
            .iter()
            .all(|e| members.iter().all(|m| e.all(m).is_empty()))
    {
        report.missing_rights.push(Right {
            name: "read member, uniqueMember and memberUid".to_owned(),
            why: "no group shows a member".to_owned(),
        });
    }
    Ok(report)
}

/// The server's name and version from its root entry, and whether it pages.
async fn server(
    connection: &mut Connection,
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    const PAGING: &str = "1.2.840.113556.1.4.319";
    let root = Query {
        base: String::new(),
        filter: "(objectClass=*)".to_owned(),
        attributes: [
            "vendorName",
            "vendorVersion",
            "supportedControl",
            "objectClass",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let answer = page(
        connection,
        &root,
        Scope::Base,
        1,
        None,
        "read the root entry",
    )
    .await?;
    let Some(entry) = answer.entries.first() else {
        report
            .remarks
            .push("the directory does not show its root entry".to_owned());
        return Ok(());
    };
    let named: Vec<&str> = ["vendorName", "vendorVersion"]
        .into_iter()
        .filter_map(|name| entry.one(name))
        .collect();
    let openldap = entry
        .all("objectClass")
        .iter()
        .any(|c| c == "OpenLDAProotDSE");
    report.server = match (named.is_empty(), openldap) {
        (false, _) => Some(named.join(" ")),
        (true, true) => Some("OpenLDAP (its version is not told)".to_owned()),
        (true, false) => None,
    };
    if !entry.all("supportedControl").iter().any(|c| c == PAGING) {
        report.remarks.push(
            "the directory does not offer paged results: a large answer may be cut".to_owned(),
        );
    }
    Ok(())
}
