//! The columns of each kind's table, and where each stands in the stored fact.

use lastkey_contract::Kind;
use serde_json::Value;

/// The columns of each kind, in the order of import-format.md.
pub fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Identity => &[
            "id",
            "kind",
            "display_name",
            "email",
            "status",
            "department",
            "title",
            "manager_id",
            "employer_id",
            "location",
            "start_date",
            "end_date",
            "leaver_kind",
            "purpose",
            "allowed_tools",
        ],
        Kind::Account => &[
            "system",
            "id",
            "name",
            "kind",
            "identity_id",
            "email",
            "enabled",
            "local_sign_in",
            "signs_in_through_system",
            "signs_in_through_id",
            "mfa",
            "privileged",
            "environment",
            "created_at",
            "created_by",
            "last_used_at",
            "last_interactive_at",
            "disabled_at",
            "expires_at",
        ],
        Kind::Entitlement => &["system", "id", "name", "kind", "privileged", "environment"],
        Kind::Grant => &[
            "system",
            "principal_type",
            "principal_id",
            "entitlement_id",
            "principal_system",
            "assignment",
            "granted_at",
            "granted_by",
            "approved_by",
            "ticket",
            "reason",
            "last_used_at",
            "expires_at",
        ],
        Kind::Credential => &[
            "system",
            "id",
            "kind",
            "account_id",
            "name",
            "enabled",
            "environment",
            "created_at",
            "created_by",
            "rotated_at",
            "revoked_at",
            "expires_at",
            "last_used_at",
            "fingerprint",
        ],
        Kind::Location => &[
            "system",
            "path",
            "credential_system",
            "credential_id",
            "kind",
            "environment",
            "fingerprint",
            "last_rotated_at",
        ],
        Kind::Reader => &[
            "system",
            "path",
            "principal_type",
            "principal_id",
            "principal_system",
        ],
        Kind::Control => &[
            "system",
            "account_id",
            "principal_type",
            "principal_id",
            "principal_system",
            "means",
        ],
        Kind::Owner => &["object_type", "system", "object_id", "owner_id", "role"],
        Kind::Session => &[
            "system",
            "account_id",
            "id",
            "started_at",
            "last_seen_at",
            "expires_at",
        ],
        Kind::Task => &[
            "id",
            "system",
            "event",
            "identity_id",
            "account_id",
            "action",
            "status",
            "retries",
            "requested_at",
            "approved_by",
            "closed_at",
            "closed_by",
            "override",
            "ticket",
        ],
    }
}

/// The fields of the stored fact that lead to a column, the outermost first.
pub(super) fn path(column: &str) -> (&str, Option<&'static str>) {
    match column {
        "principal_type" => ("principal", Some("kind")),
        "principal_system" => ("principal", Some("system")),
        "principal_id" => ("principal", Some("id")),
        other => (other, None),
    }
}

/// A column of a fact.
pub(super) fn value<'f>(fact: &'f Value, column: &str) -> Option<&'f Value> {
    let (field, within) = path(column);
    let found = fact.get(field)?;
    match within {
        Some(within) => found.get(within),
        None => Some(found),
    }
}
