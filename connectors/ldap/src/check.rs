//! The answer of `check`: who we are, what the server is, what this login cannot see, and what it
//! could do beyond reading as far as the directory tells.

use crate::connection::Connection;
use crate::entry::Entry;
use crate::map::Sort;
use crate::rights;
use crate::root::{Server, Vendor};
use crate::search::{Answer, Link, Query, page, see_base};
use crate::settings::{Directory, Incremental};
use lastkey_contract::{CheckReport, ConnectorError, Right};

/// Entries of each sort that are looked at.
const SAMPLE: u32 = 20;

/// Signs in nowhere new, looks, changes nothing.
pub async fn look(
    directory: &Directory,
    connection: &mut Connection,
) -> Result<CheckReport, ConnectorError> {
    let directory = directory.clone().knowing(&connection.server);
    let server = connection.server.clone();
    let mut report = CheckReport {
        signed_in_as: connection.who().await?,
        server: server.name.clone(),
        ..CheckReport::default()
    };
    if report.signed_in_as.is_none() {
        report.remarks.push(match &directory.bind_dn {
            None => "reads anonymously: most directories hide much from nobody".to_owned(),
            Some(_) => "the directory does not tell who we are signed in as".to_owned(),
        });
    }
    about(&directory, &server, &mut report);
    let link = &connection.link;
    let people = sample(link, &directory, Sort::Account).await?;
    let groups = sample(link, &directory, Sort::Members).await?;
    if people.entries.is_empty() && groups.entries.is_empty() {
        see_base(link, &directory.base_dn, "check the base").await?;
    }
    missing(link, &directory, (&people, &groups), &mut report).await?;
    let seen: Vec<&str> = people
        .entries
        .iter()
        .chain(&groups.entries)
        .map(|e| e.dn.as_str())
        .collect();
    rights::excess(link, &directory, &server, &seen, &mut report).await?;
    Ok(report)
}

/// What the root entry says about how this directory is read.
fn about(directory: &Directory, server: &Server, report: &mut CheckReport) {
    if !server.shown {
        report
            .remarks
            .push("the directory does not show its root entry".to_owned());
    } else if !server.pages {
        report.remarks.push(
            "the directory does not offer paged results: a large answer may be cut".to_owned(),
        );
    }
    if directory.incremental == Incremental::WhereTold {
        let table = crate::capability::table(directory, Some(server));
        let told = table.iter().any(|c| c.incremental);
        report.remarks.push(match told {
            true => "changes and deletions are told, so that later reads can be of changes only, for as long as the directory remembers them".to_owned(),
            false => "changes with deletions are not told to this connector here, so that every read is of everything".to_owned(),
        });
    }
    if server.vendor == Vendor::Ds389 {
        report.remarks.push(
            "roles are read as the directory computes them; a role outside the base keeps its name as id".to_owned(),
        );
    }
}

async fn sample(link: &Link, directory: &Directory, sort: Sort) -> Result<Answer, ConnectorError> {
    let (filter, what) = match sort {
        Sort::Members => (&directory.groups, "check groups"),
        _ => (&directory.people, "check people"),
    };
    let query = Query::below(&directory.base_dn, filter, sort.attributes(directory));
    page(link, &query, SAMPLE, None, what).await
}

/// What is not seen although it should be.
async fn missing(
    link: &Link,
    directory: &Directory,
    (people, groups): (&Answer, &Answer),
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    let id = directory.id_attribute.as_str();
    let mut lacks = |name: String, why: &str| {
        report.missing_rights.push(Right {
            name,
            why: why.to_owned(),
        });
    };
    for (what, answer) in [("people", people), ("groups", groups)] {
        if answer.entries.iter().any(|e| e.one(id).is_none()) {
            lacks(
                format!("read {id}"),
                &format!("without it {what} have no id and are counted as failed"),
            );
        }
    }
    let hides = |answer: &Answer, hidden: fn(&Entry) -> bool| answer.entries.iter().any(hidden);
    if hides(people, |e| e.one("createTimestamp").is_none()) {
        lacks(
            "read operational attributes".to_owned(),
            "without them locks, creation and last sign-in are not known",
        );
    }
    let filter = format!(
        "(&{}(|(pwdChangedTime=*)(userPassword=*)))",
        directory.people
    );
    let query = Query::below(&directory.base_dn, filter, vec!["1.1".to_owned()]);
    let passwords = page(link, &query, 1, None, "check passwords").await?;
    if passwords.entries.is_empty() && !people.entries.is_empty() {
        lacks(
            "search pwdChangedTime or userPassword".to_owned(),
            "without it nothing tells which accounts have a password (its value is never read)",
        );
    }
    let no_member = |e: &Entry| {
        let names = ["member", "uniqueMember", "memberUid", "memberURL"];
        names.iter().all(|name| !e.has(name))
    };
    if !groups.entries.is_empty() && groups.entries.iter().all(no_member) {
        lacks(
            "read member, uniqueMember and memberUid".to_owned(),
            "no group shows a member",
        );
    }
    for (what, answer) in [("people", people), ("groups", groups)] {
        if answer.entries.is_empty() {
            report.remarks.push(format!(
                "no {what} are visible below `{}`: there are none, or this login may not see them",
                directory.base_dn
            ));
        }
        if let Some(why) = answer.clipped {
            report.remarks.push(format!(
                "the directory cuts answers at {why}: raise it for this login, or reads stay incomplete"
            ));
        }
    }
    Ok(())
}
