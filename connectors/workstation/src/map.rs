//! What was found becomes facts. Pure.

use crate::find::{Beside, Named};
use crate::people::{Group, People, Person};
use crate::readers::Who;
use crate::scanned::{Row, Scanned};
use crate::settings::Scan;
use crate::walk::{FilePlace, Kept, shown};
use lastkey_contract::facts::{
    Account, AccountKind, Attributes, Credential, CredentialKind, Entitlement, EntitlementKind,
    Grant, Location, LocationKind, Principal, PrincipalType, Reader,
};
use lastkey_contract::{CredentialId, Fact, LocationPath, SystemName, When};
use std::path::Path;

/// The entitlement that every account of a machine holds.
const EVERYONE: &str = "everyone";

/// Groups whose members come to everything.
const PRIVILEGED: [&str; 9] = [
    "root", "sudo", "wheel", "admin", "docker", "lxd", "disk", "shadow", "libvirt",
];

fn known(attributes: &mut Attributes, pairs: &[(&str, &str)]) {
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        attributes.insert((*name).to_owned(), (*value).to_owned());
    }
}

/// An account of the machine.
pub fn account(system: &SystemName, number: u32, person: &Person) -> Fact {
    let closed = ["nologin", "/false", "/sync", "/halt", "/shutdown"];
    let shut = closed.iter().any(|end| person.shell.ends_with(end));
    let kind = match number {
        0..1000 | 65534 => AccountKind::System,
        _ if shut => AccountKind::Service,
        _ => AccountKind::Human,
    };
    let mut attributes = Attributes::new();
    known(
        &mut attributes,
        &[
            ("full_name", &person.comment),
            ("home", &person.home),
            ("shell", &person.shell),
            ("other_names", &person.also.join(", ")),
        ],
    );
    Fact::Account(Account {
        name: Some(person.name.clone()),
        kind: Some(kind),
        local_sign_in: shut.then_some(false),
        privileged: (number == 0).then_some(true),
        attributes,
        ..Account::of(system.clone(), number.to_string())
    })
}

/// The groups of the machine, and everyone.
pub fn entitlements(system: &SystemName, people: &People) -> Vec<Fact> {
    let of = |id: String, name: &str, privileged: bool| {
        Fact::Entitlement(Entitlement {
            system: system.clone(),
            id: id.into(),
            name: Some(name.to_owned()),
            kind: Some(EntitlementKind::Group),
            privileged: privileged.then_some(true),
            environment: None,
            attributes: Attributes::new(),
        })
    };
    let groups = people.groups.iter().map(|(number, group): (&u32, &Group)| {
        let privileged = PRIVILEGED.contains(&group.name.as_str());
        of(number.to_string(), &group.name, privileged)
    });
    let everyone = of(EVERYONE.to_owned(), "every account of this machine", false);
    groups.chain([everyone]).collect()
}

/// Who holds which group.
pub fn grants(system: &SystemName, people: &People) -> Vec<Fact> {
    let of = |entitlement: String, account: u32| {
        let kind = PrincipalType::Account;
        let principal = Principal::of(system.clone(), kind, account.to_string());
        Fact::Grant(Grant::of(principal, entitlement))
    };
    people
        .accounts
        .keys()
        .flat_map(|account| {
            let groups = people.groups_of(*account).into_iter();
            let groups = groups.map(|group| group.to_string());
            groups
                .chain([EVERYONE.to_owned()])
                .map(|group| of(group, *account))
        })
        .collect()
}

/// The id of a public key that opens an account: the key and the account.
pub fn authorized_id(print: &str, file: &FilePlace, people: &People) -> CredentialId {
    let account = opened(file, people);
    CredentialId::new(match account {
        Some(account) => format!("{print}@{account}"),
        None => format!("{print}@{}", shown(&file.path)),
    })
}

/// The account that a list of keys opens: whose home it lies in, else who owns it.
fn opened(file: &FilePlace, people: &People) -> Option<u32> {
    let home = file
        .path
        .parent()
        .filter(|folder| folder.file_name().is_some_and(|name| name == ".ssh"))
        .and_then(Path::parent);
    let by_home = home.and_then(|home| {
        let mut accounts = people.accounts.iter();
        accounts.find(|(_, person)| Path::new(&person.home) == home)
    });
    by_home
        .map(|(number, _)| *number)
        .or(file.held.map(|held| held.owner))
}

/// A credential that a file names, with the first file that does.
pub fn credential(
    scan: &Scan,
    id: CredentialId,
    file: &FilePlace,
    find: &Kept,
    people: &People,
) -> Credential {
    let (kind, name, account) = match &find.named {
        Some(Named::Authorized { comment, .. }) => (
            CredentialKind::SshKey,
            comment.clone(),
            opened(file, people),
        ),
        Some(Named::SshKey { print, comment }) => match id.as_str() == print {
            true => (CredentialKind::SshKey, comment.clone(), None),
            // Its list of keys tells more, and may come later: the account is in the id.
            false => {
                let account = id.as_str().rsplit('@').next().and_then(|n| n.parse().ok());
                (CredentialKind::SshKey, comment.clone(), account)
            }
        },
        Some(Named::GoogleKey { mail, .. }) => (CredentialKind::AccessKey, mail.clone(), None),
        Some(Named::KubeUser { name }) => {
            let kind = match find.label.rsplit('.').next() {
                Some(end) if end.starts_with("client-key") => CredentialKind::Certificate,
                Some(end) if end.starts_with("password") => CredentialKind::Password,
                _ => CredentialKind::Token,
            };
            (kind, name.clone(), None)
        }
        Some(Named::AwsKey { .. }) | None => (CredentialKind::AccessKey, String::new(), None),
    };
    let mut attributes = Attributes::new();
    let print = match &find.named {
        Some(Named::Authorized { print, .. } | Named::SshKey { print, .. }) => print.as_str(),
        _ => "",
    };
    known(
        &mut attributes,
        &[
            ("named_in", &shown(&file.path)),
            ("public_key", print),
            ("file_modified_at", &modified(file)),
        ],
    );
    Credential {
        system: scan.system.clone(),
        id,
        kind,
        account_id: account.map(|number| number.to_string().into()),
        name: Some(name).filter(|name| !name.is_empty()),
        enabled: None,
        environment: None,
        created_at: None,
        created_by: None,
        rotated_at: None,
        revoked_at: None,
        expires_at: None,
        last_used_at: None,
        fingerprint: None,
        attributes,
    }
}

fn modified(file: &FilePlace) -> String {
    file.modified
        .map(|at| When::At(at).to_text())
        .unwrap_or_default()
}

/// A place where a secret stands.
pub fn location(scan: &Scan, people: &People, scanned: &Scanned, row: &Row) -> Option<Fact> {
    let file = scanned.files.get(row.file)?;
    let find = file.kept.get(row.find)?;
    let path = shown(&file.path);
    let mut attributes = Attributes::new();
    let line = find.line.map(|line| line.to_string()).unwrap_or_default();
    known(
        &mut attributes,
        &[
            ("rule", find.rule),
            ("line", &line),
            ("file_modified_at", &modified(file)),
        ],
    );
    if !find.label.is_empty() {
        attributes.insert("field".to_owned(), format!("{path}#{}", find.label));
    }
    if let Some(held) = file.held {
        let owner = people
            .accounts
            .get(&held.owner)
            .map(|person| person.name.clone());
        let group = people
            .groups
            .get(&held.group)
            .map(|group| group.name.clone());
        known(
            &mut attributes,
            &[
                ("owner", &owner.unwrap_or_else(|| held.owner.to_string())),
                ("group", &group.unwrap_or_else(|| held.group.to_string())),
                ("mode", &format!("{:04o}", held.mode)),
            ],
        );
    }
    let mut credential_system = None;
    match &find.named {
        Some(Named::AwsKey { id, secret }) => match secret {
            Beside::Secret => credential_system.clone_from(&scan.aws),
            // The id alone opens nothing: the place is told, and no credential stands there.
            Beside::NameOnly => known(&mut attributes, &[("names", id)]),
        },
        Some(Named::SshKey { print, .. }) => known(&mut attributes, &[("public_key", print)]),
        Some(Named::Authorized { .. } | Named::GoogleKey { .. } | Named::KubeUser { .. })
        | None => {}
    }
    Some(Fact::Location(Location {
        system: scan.system.clone(),
        path: LocationPath::new(path),
        credential_system,
        credential_id: row.credential.clone(),
        kind: Some(kind_of(&file.path)),
        environment: None,
        fingerprint: None,
        last_rotated_at: None,
        attributes,
    }))
}

/// Whether a file is a program, a text for people, or neither.
fn kind_of(path: &Path) -> LocationKind {
    let end = path
        .extension()
        .map(|end| end.to_string_lossy().to_lowercase());
    match end.as_deref().unwrap_or_default() {
        "c" | "cc" | "cpp" | "cs" | "go" | "groovy" | "h" | "hpp" | "java" | "js" | "jsx"
        | "kt" | "lua" | "m" | "php" | "pl" | "ps1" | "py" | "r" | "rb" | "rs" | "scala" | "sh"
        | "sql" | "swift" | "tf" | "ts" | "tsx" | "vue" | "svelte" | "bat" | "ipynb" => {
            LocationKind::Code
        }
        "md" | "txt" | "rst" | "adoc" | "html" | "htm" | "org" | "tex" | "rtf" => {
            LocationKind::Document
        }
        _ => LocationKind::File,
    }
}

/// Who reads a file.
pub fn reader(scan: &Scan, scanned: &Scanned, row: &(usize, Who)) -> Option<Fact> {
    let (file, who) = row;
    let file = scanned.files.get(*file)?;
    let (kind, id) = match who {
        Who::Account(number) => (PrincipalType::Account, number.to_string()),
        Who::Group(number) => (PrincipalType::Entitlement, number.to_string()),
        Who::Everyone => (PrincipalType::Entitlement, EVERYONE.to_owned()),
    };
    Some(Fact::Reader(Reader {
        system: scan.system.clone(),
        path: LocationPath::new(shown(&file.path)),
        principal: Principal {
            kind,
            system: scan.system.clone(),
            id,
        },
        attributes: Attributes::new(),
    }))
}
