//! Ready texts for the directory's own administrator: the least rights that reading needs.
//!
//! They are made from the settings, name every attribute that is asked for and no other, give
//! nothing but reading, and hold no secret.

use crate::settings::{DESCRIPTOR, Identities};
use lastkey_contract::{Script, Settings};
use std::collections::BTreeSet;

/// Attributes that every OpenLDAP with the usual schema knows, and every 389 DS.
const PEOPLE: &[&str] = &[
    "objectClass",
    "uid",
    "cn",
    "displayName",
    "mail",
    "employeeType",
    "userCertificate",
    "createTimestamp",
    "creatorsName",
];
const IDENTITIES: &[&str] = &["title", "departmentNumber", "ou", "l", "manager"];
const GROUPS: &[&str] = &["description", "member", "uniqueMember", "aliasedObjectName"];

/// Attributes of OpenLDAP that need something loaded: what, and their names.
const LOADED: &[(&str, &[&str])] = &[
    (
        "the schema nis",
        &["gidNumber", "memberUid", "shadowExpire"],
    ),
    (
        "the overlay ppolicy",
        &[
            "pwdAccountLockedTime",
            "pwdChangedTime",
            "pwdStartTime",
            "pwdEndTime",
            "pwdReset",
            "pwdGraceUseTime",
            "pwdPolicySubentry",
        ],
    ),
    ("lastbind of OpenLDAP 2.5", &["pwdLastSuccess"]),
    ("the overlay lastbind", &["authTimestamp"]),
    ("the schema openssh-lpk", &["sshPublicKey"]),
    ("the schema dyngroup", &["memberURL"]),
];

/// Attributes of 389 DS beside the common ones.
const DS389: &[&str] = &[
    "gidNumber",
    "memberUid",
    "shadowExpire",
    "sshPublicKey",
    "memberURL",
    "nsAccountLock",
    "nsRole",
    "nsRoleDN",
    "nsRoleFilter",
    "lastLoginTime",
    "accountUnlockTime",
    "passwordRetryCount",
    "passwordExpirationTime",
    "passwordGraceUserTime",
    "pwdUpdateTime",
];

/// What the settings say about rights.
struct Wanted {
    base: String,
    login: String,
    /// Common attributes, those of the settings included.
    names: BTreeSet<String>,
}

/// The scripts for a directory with these settings; whatever they leave open is filled in with
/// what an administrator would choose.
pub fn scripts(settings: &Settings) -> Vec<Script> {
    let text = |key: &str| {
        let default = DESCRIPTOR.settings.iter().find(|s| s.key == key);
        settings
            .get(key)
            .or(default.map(|s| s.default))
            .unwrap_or_default()
    };
    let one_line = |text: &str| text.replace(['\n', '\r', '"'], "");
    let base = one_line(settings.get("base_dn").unwrap_or("dc=example,dc=org"));
    let login = match settings.get("bind_dn") {
        Some(dn) => one_line(dn),
        None => format!("cn=lastkey,{base}"),
    };
    let mut names: BTreeSet<String> = PEOPLE
        .iter()
        .chain(GROUPS)
        .map(|n| (*n).to_owned())
        .collect();
    if text("identities") == word(Identities::Read) {
        names.extend(IDENTITIES.iter().map(|n| (*n).to_owned()));
    }
    names.insert(text("identity_attribute").to_owned());
    for filter in ["people_filter", "group_filter"] {
        names.extend(named_in(text(filter)));
    }
    let wanted = Wanted { base, login, names };
    let id = settings.get("id_attribute").filter(|id| *id != "auto");
    vec![config(&wanted, id), conf(&wanted, id), ds389(&wanted, id)]
}

fn word(identities: Identities) -> &'static str {
    match identities {
        Identities::Read => "yes",
        Identities::Leave => "no",
    }
}

/// The attributes that a filter asks for.
fn named_in(filter: &str) -> Vec<String> {
    filter
        .split('(')
        .filter_map(|part| {
            let end = part.find(['=', '<', '>', '~', ':'])?;
            let name = part.get(..end)?.trim();
            let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            (is_name && !name.is_empty()).then(|| name.to_owned())
        })
        .collect()
}

/// What stands after `access to` or `olcAccess: to`, with what has to be loaded for it.
fn rules(wanted: &Wanted, id: Option<&str>) -> Vec<(Option<&'static str>, String)> {
    let Wanted { base, login, names } = wanted;
    let mut names = names.clone();
    names.insert(id.unwrap_or("entryUUID").to_owned());
    let rule = |names: &str, level: &str| {
        format!("dn.subtree=\"{base}\" attrs={names} by dn.exact=\"{login}\" {level} by * break")
    };
    let loaded: BTreeSet<&str> = LOADED.iter().flat_map(|(_, n)| n.iter().copied()).collect();
    let common: Vec<&str> = std::iter::once("entry")
        .chain(names.iter().map(String::as_str))
        .filter(|n| !loaded.contains(n))
        .collect();
    let mut out = vec![
        (None, rule("userPassword", "search")),
        (None, rule(&common.join(","), "read")),
    ];
    for (what, names) in LOADED {
        out.push((Some(*what), rule(&names.join(","), "read")));
    }
    out
}

const LIMITS: &str =
    "size.soft=unlimited size.hard=unlimited size.prtotal=unlimited time=unlimited";
const FORE: &str = "# Least rights for Lastkey: it reads people, groups and memberships, and writes nothing.\n# Of userPassword only the presence can be searched; its value stays hidden.\n";

fn config(wanted: &Wanted, id: Option<&str>) -> Script {
    let rules = rules(wanted, id);
    let mut text = format!(
        "{FORE}# Replace {{1}}mdb by the database that holds {}. Leave out the lines that the directory\n# refuses because an attribute is not known: {}.\n\
         dn: olcDatabase={{1}}mdb,cn=config\nchangetype: modify\nadd: olcAccess\n",
        wanted.base,
        optional(&rules)
    );
    for (at, (_, rule)) in rules.iter().enumerate() {
        text.push_str(&format!("olcAccess: {{{at}}}to {rule}\n"));
    }
    text.push_str(&format!(
        "-\nadd: olcLimits\nolcLimits: {{0}}dn.exact=\"{}\" {LIMITS}\n",
        wanted.login
    ));
    Script {
        title: "Least rights on OpenLDAP (cn=config)".to_owned(),
        usage: "ldapmodify -Y EXTERNAL -H ldapi:/// -f lastkey-reader.ldif".to_owned(),
        file_name: "lastkey-reader.ldif".to_owned(),
        text,
    }
}

fn conf(wanted: &Wanted, id: Option<&str>) -> Script {
    let mut text = format!(
        "{FORE}# Put this before the other `access` lines of the database that holds\n# {}.\n",
        wanted.base
    );
    for (needs, rule) in rules(wanted, id) {
        if let Some(needs) = needs {
            text.push_str(&format!("# only with {needs}:\n"));
        }
        text.push_str(&format!("access to {rule}\n"));
    }
    text.push_str(&format!("limits dn.exact=\"{}\" {LIMITS}\n", wanted.login));
    Script {
        title: "Least rights on OpenLDAP (slapd.conf)".to_owned(),
        usage: "put it into slapd.conf, then restart slapd".to_owned(),
        file_name: "lastkey-reader.conf".to_owned(),
        text,
    }
}

fn ds389(wanted: &Wanted, id: Option<&str>) -> Script {
    let Wanted { base, login, names } = wanted;
    let mut names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    names.extend(DS389);
    names.insert(id.unwrap_or("nsUniqueId"));
    let names: Vec<&str> = names.into_iter().collect();
    let aci = |names: &str, right: &str, title: &str| {
        format!(
            "aci: (targetattr=\"{names}\")(version 3.0; acl \"{title}\"; allow ({right}) userdn=\"ldap:///{login}\";)\n"
        )
    };
    let text = format!(
        "{FORE}dn: {base}\nchangetype: modify\nadd: aci\n{}{}\n\
         dn: {login}\nchangetype: modify\n\
         replace: nsSizeLimit\nnsSizeLimit: -1\n-\n\
         replace: nsPagedSizeLimit\nnsPagedSizeLimit: -1\n-\n\
         replace: nsLookThroughLimit\nnsLookThroughLimit: -1\n-\n\
         replace: nsPagedLookThroughLimit\nnsPagedLookThroughLimit: -1\n-\n\
         replace: nsTimeLimit\nnsTimeLimit: -1\n",
        aci(&names.join(" || "), "read,search", "Lastkey reads"),
        aci(
            "userPassword",
            "search",
            "Lastkey sees that a password is there"
        ),
    );
    Script {
        title: "Least rights on 389 Directory Server".to_owned(),
        usage: "ldapmodify -x -D \"cn=Directory Manager\" -W -f lastkey-reader-389.ldif".to_owned(),
        file_name: "lastkey-reader-389.ldif".to_owned(),
        text,
    }
}

fn optional(rules: &[(Option<&'static str>, String)]) -> String {
    let names: Vec<&str> = rules.iter().filter_map(|(needs, _)| *needs).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Sort;
    use crate::settings::Directory;

    fn settings(more: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in [
            ("url", "ldaps://h"),
            ("base_dn", "dc=x"),
            ("system", "corp"),
            ("bind_dn", "cn=reader,dc=x"),
        ]
        .iter()
        .chain(more)
        {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        settings
    }

    #[test]
    fn every_attribute_that_is_read_is_granted_and_none_is_written() {
        let settings = settings(&[
            ("identities", "yes"),
            ("people_filter", "(&(objectClass=person)(c=de))"),
            ("id_attribute", "entryUUID"),
        ]);
        let directory = Directory::from_settings(&settings, true).unwrap();
        let scripts = scripts(&settings);
        let all: String = scripts.iter().map(|s| s.text.to_lowercase()).collect();
        for sort in [
            Sort::Identity,
            Sort::Account,
            Sort::Group,
            Sort::Role,
            Sort::Members,
            Sort::RoleMembers,
            Sort::Password,
            Sort::Keys,
        ] {
            for name in sort.attributes(&directory) {
                let found = all.split(|c: char| !c.is_ascii_alphanumeric());
                assert!(
                    found.into_iter().any(|w| w == name.to_lowercase()),
                    "`{name}` of {sort:?} is read and not granted"
                );
            }
        }
        for script in &scripts {
            let rules: String = script
                .text
                .lines()
                .filter(|l| !l.starts_with('#'))
                .collect();
            for word in [" write", " manage by", "(all)", ",write", ",add"] {
                assert!(!rules.contains(word), "{word}: {rules}");
            }
            assert!(script.text.contains("cn=reader,dc=x"), "{}", script.text);
        }
        assert!(all.contains("c,"), "an attribute of the filter is granted");
    }

    #[test]
    fn settings_cannot_break_out_of_a_script() {
        let odd = settings(&[("bind_dn", "cn=a\" write by * write\nolcRootPW: x")]);
        for script in scripts(&odd) {
            assert!(!script.text.contains("\nolcRootPW"), "{}", script.text);
            let quotes = |line: &str| line.matches('"').count().is_multiple_of(2);
            assert!(script.text.lines().all(quotes), "{}", script.text);
        }
    }
}
