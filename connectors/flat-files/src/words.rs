//! The words that a column takes.

use lastkey_contract::Kind;
use lastkey_contract::facts::*;

/// The words of a column that takes no others.
pub fn words(kind: Kind, column: &str) -> Option<&'static [&'static str]> {
    Some(match (kind, column) {
        (Kind::Identity, "kind") => IdentityKind::WORDS,
        (Kind::Identity, "status") => IdentityStatus::WORDS,
        (Kind::Identity, "leaver_kind") => LeaverKind::WORDS,
        (Kind::Account, "kind") => AccountKind::WORDS,
        (Kind::Entitlement, "kind") => EntitlementKind::WORDS,
        (Kind::Grant, "assignment") => Assignment::WORDS,
        (Kind::Grant | Kind::Reader | Kind::Control, "principal_type") => PrincipalType::WORDS,
        (Kind::Credential, "kind") => CredentialKind::WORDS,
        (Kind::Location, "kind") => LocationKind::WORDS,
        (Kind::Control, "means") => ControlMeans::WORDS,
        (Kind::Owner, "object_type") => ObjectType::WORDS,
        (Kind::Owner, "role") => OwnerRole::WORDS,
        (Kind::Task, "event") => LifecycleEvent::WORDS,
        (Kind::Task, "status") => TaskStatus::WORDS,
        (_, _) => return None,
    })
}
