//! Rights in excess, as far as a directory tells them without being written to.
//!
//! 389 DS answers which rights a login has on an entry. Others do not: there only what can be
//! seen by looking is said, and `rights_known` stays false.

use crate::entry::Entry;
use crate::root::Server;
use crate::search::{Link, Query, Values, ask, one, page};
use crate::settings::Directory;
use lastkey_contract::{CheckReport, ConnectorError, ErrorKind, Right};
use ldap3::controls::RawControl;
use std::collections::BTreeSet;

const EFFECTIVE_RIGHTS: &str = "1.3.6.1.4.1.42.2.27.9.5.2";
/// Attributes that give access, and the two that tell the rights.
const ASKED: &[&str] = &[
    "entryLevelRights",
    "attributeLevelRights",
    "uid",
    "mail",
    "employeeNumber",
    "gidNumber",
    "member",
    "uniqueMember",
    "memberUid",
    "nsAccountLock",
    "nsRoleDN",
    "sshPublicKey",
    "userCertificate",
    "aci",
];

/// Whether the values of passwords are readable with this login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passwords {
    Hidden,
    Readable,
}

/// Adds what this login may do beyond reading.
pub async fn excess(
    link: &Link,
    directory: &Directory,
    server: &Server,
    entries: &[&str],
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    let passwords = passwords(link, directory).await?;
    if passwords == Passwords::Readable {
        report.excess_rights.push(Right {
            name: "read userPassword".to_owned(),
            why: "the hashes of all passwords can be taken away with this login; presence needs only the right to search".to_owned(),
        });
    }
    if passwords == Passwords::Readable && has_no_entry(link, directory).await? {
        report.excess_rights.push(Right {
            name: "root DN".to_owned(),
            why: "the login reads passwords and has no entry of its own, as only a directory's root DN does: it may write everything".to_owned(),
        });
    }
    if reads_configuration(link).await? {
        report.excess_rights.push(Right {
            name: "read cn=config".to_owned(),
            why: "the server's configuration, with the password of its root DN, is visible to this login".to_owned(),
        });
    }
    let told = match server.tells_rights {
        true => told(link, directory, (entries, passwords), report).await?,
        false => false,
    };
    report.rights_known = told;
    report.remarks.push(match told {
        true => format!(
            "rights in excess were asked of the directory for the base and {} entries below it",
            entries.len()
        ),
        false => "this directory does not tell its clients what they may write: rights in excess are those that can be seen by looking".to_owned(),
    });
    Ok(())
}

/// Only the attribute's name is asked for: the directory then sends no value.
async fn passwords(link: &Link, directory: &Directory) -> Result<Passwords, ConnectorError> {
    let query = Query {
        values: Values::NamesOnly,
        ..Query::below(
            &directory.base_dn,
            format!("(&{}(userPassword=*))", directory.people),
            vec!["userPassword".to_owned()],
        )
    };
    let answer = page(link, &query, 5, None, "check rights").await?;
    match answer.entries.iter().any(|e| e.has("userPassword")) {
        true => Ok(Passwords::Readable),
        false => Ok(Passwords::Hidden),
    }
}

async fn has_no_entry(link: &Link, directory: &Directory) -> Result<bool, ConnectorError> {
    let Some(dn) = &directory.bind_dn else {
        return Ok(false);
    };
    let query = Query::at(dn, "(objectClass=*)", &["1.1"]);
    Ok(one(link, &query, "check rights").await?.is_none())
}

async fn reads_configuration(link: &Link) -> Result<bool, ConnectorError> {
    let query = Query::at("cn=config", "(objectClass=*)", &["1.1"]);
    match one(link, &query, "check rights").await {
        Ok(entry) => Ok(entry.is_some()),
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks 389 DS for the rights on the base and on some entries. False where it does not answer.
async fn told(
    link: &Link,
    directory: &Directory,
    (entries, passwords): (&[&str], Passwords),
    report: &mut CheckReport,
) -> Result<bool, ConnectorError> {
    let Some(login) = &directory.bind_dn else {
        return Ok(false);
    };
    let mut names = ASKED.to_vec();
    match passwords {
        // The right to write one can be asked for without being sent the value.
        Passwords::Hidden => names.push("userPassword"),
        Passwords::Readable => {}
    }
    let mut found: BTreeSet<(&'static str, &'static str)> = BTreeSet::new();
    let mut written: BTreeSet<String> = BTreeSet::new();
    for dn in [directory.base_dn.as_str()].iter().chain(entries) {
        let Some(entry) = rights_on(link, dn, login, &names).await? else {
            return Ok(false);
        };
        let on_entry = entry.all("entryLevelRights").filter(|v| *v != "none");
        for right in on_entry.flat_map(str::chars) {
            match right {
                'a' => found.insert(("add entries", "new entries can be made with this login")),
                'd' => found.insert(("delete entries", "entries can be removed with this login")),
                'n' => found.insert(("rename entries", "entries can be renamed with this login")),
                _ => false,
            };
        }
        for part in entry.all("attributeLevelRights").flat_map(|v| v.split(',')) {
            if let Some((name, rights)) = part.trim().split_once(':')
                && rights != "none"
                && rights.contains(['w', 'o', 'W', 'O'])
            {
                written.insert(name.to_owned());
            }
        }
    }
    report
        .excess_rights
        .extend(found.into_iter().map(|(name, why)| Right {
            name: name.to_owned(),
            why: why.to_owned(),
        }));
    if !written.is_empty() {
        let names: Vec<&str> = written.iter().map(String::as_str).take(10).collect();
        report.excess_rights.push(Right {
            name: "write attributes".to_owned(),
            why: format!(
                "{} attributes can be written with this login, among them {}",
                written.len(),
                names.join(", ")
            ),
        });
    }
    Ok(true)
}

/// The entry with the rights that the login has on it, as the directory says.
async fn rights_on(
    link: &Link,
    dn: &str,
    login: &str,
    names: &[&str],
) -> Result<Option<Entry>, ConnectorError> {
    let query = Query::at(dn, "(objectClass=*)", names);
    let control = RawControl {
        ctype: EFFECTIVE_RIGHTS.to_owned(),
        crit: true,
        val: Some(format!("dn:{login}").into_bytes()),
    };
    let mut found = None;
    let result = ask(link, &query, vec![control], "check rights", |item| {
        if !item.is_ref() && !item.is_intermediate() {
            found = Entry::parse(item);
        }
        Ok(())
    })
    .await?;
    Ok(found.filter(|e| result.rc == 0 && e.has("entryLevelRights")))
}
