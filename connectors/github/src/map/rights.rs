//! What can be held, and who holds it.

use super::accounts::far_reaching;
use super::{named, put, right_id, role_id, scope_id, team_id};
use crate::estate::Role;
use crate::objects::{CustomRole, Repository, Team};
use lastkey_contract::SystemName;
use lastkey_contract::facts::{
    Assignment, Attributes, Entitlement, EntitlementKind, Grant, Principal,
};

fn entitlement(system: &SystemName, id: &str, name: &str, kind: EntitlementKind) -> Entitlement {
    Entitlement {
        system: system.clone(),
        id: id.into(),
        name: named(name),
        kind: Some(kind),
        privileged: None,
        environment: None,
        attributes: Attributes::new(),
    }
}

/// A role of the organisation.
pub fn role(system: &SystemName, role: &Role) -> Entitlement {
    let id = role_id(role);
    let fixed = |name: &str, kind, privileged| Entitlement {
        privileged: Some(privileged),
        ..entitlement(system, &id, name, kind)
    };
    match role {
        Role::Owner => fixed("Organisation owner", EntitlementKind::Role, true),
        Role::Member => fixed("Organisation member", EntitlementKind::Role, false),
        Role::SecretsOfAll => fixed(
            "Writes to some repository",
            EntitlementKind::Permission,
            false,
        ),
        Role::SecretsOfPrivate => fixed(
            "Writes to some repository that is not public",
            EntitlementKind::Permission,
            false,
        ),
        Role::Own(own) => {
            let harmless = |word: &String| word.starts_with("read_") || word.starts_with("view_");
            let admin = own.base_role.as_deref() == Some("admin");
            let far = admin || own.permissions.iter().any(|word| !harmless(word));
            let mut made = fixed(&own.name, EntitlementKind::Role, far);
            put(&mut made.attributes, "description", own.description.clone());
            put(&mut made.attributes, "base_role", own.base_role.clone());
            put(&mut made.attributes, "source", own.source.clone());
            put(
                &mut made.attributes,
                "permissions",
                Some(own.permissions.join(" ")),
            );
            made
        }
    }
}

pub fn team(system: &SystemName, team: &Team) -> Entitlement {
    let name = match team.name.as_str() {
        "" => &team.slug,
        name => name,
    };
    let mut made = entitlement(system, &team_id(team.id), name, EntitlementKind::Team);
    put(&mut made.attributes, "slug", Some(team.slug.as_str()));
    put(
        &mut made.attributes,
        "description",
        team.description.clone(),
    );
    put(&mut made.attributes, "privacy", team.privacy.clone());
    made
}

/// A right on a repository; `custom` where the organisation made it.
pub fn repository_right(
    system: &SystemName,
    repository: &Repository,
    right: &str,
    custom: Option<&CustomRole>,
) -> Entitlement {
    let name = format!("{} on {}", right, repository.name);
    let id = right_id(repository.id, right);
    let mut made = entitlement(system, &id, &name, EntitlementKind::Permission);
    made.privileged = Some(right == "admin");
    put(
        &mut made.attributes,
        "repository",
        Some(repository.name.as_str()),
    );
    put(
        &mut made.attributes,
        "visibility",
        Some(repository.visibility()),
    );
    put(
        &mut made.attributes,
        "archived",
        repository.archived.then_some("true"),
    );
    put(
        &mut made.attributes,
        "disabled",
        repository.disabled.then_some("true"),
    );
    put(
        &mut made.attributes,
        "description",
        repository.description.clone(),
    );
    if let Some(custom) = custom {
        put(
            &mut made.attributes,
            "base_role",
            Some(custom.base_role.as_str()),
        );
        put(
            &mut made.attributes,
            "permissions",
            Some(custom.permissions.join(" ")),
        );
    }
    made
}

/// Something that apps may: `contents:write`.
pub fn scope(system: &SystemName, scope: &str) -> Entitlement {
    let (what, how) = scope.split_once(':').unwrap_or((scope, ""));
    Entitlement {
        privileged: Some(far_reaching(what, how)),
        ..entitlement(system, &scope_id(scope), scope, EntitlementKind::Scope)
    }
}

pub fn grant(principal: Principal, entitlement: &str) -> Grant {
    Grant {
        assignment: Some(Assignment::Active),
        ..Grant::of(principal, entitlement)
    }
}
