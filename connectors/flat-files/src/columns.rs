//! The columns of each file, as import-format.md lists them.

use lastkey_contract::Kind;

/// Whether a row without the cell can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The column must be there and its cell filled.
    Required,
    /// The column must be there, its cell may be empty (the system of an owned identity).
    ColumnOnly,
    Optional,
}

/// One column of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub need: Need,
}

const fn must(name: &'static str) -> Column {
    Column {
        name,
        need: Need::Required,
    }
}
const fn may(name: &'static str) -> Column {
    Column {
        name,
        need: Need::Optional,
    }
}

/// The known columns of a kind's file, in the order of the document.
pub fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Identity => {
            const {
                &[
                    must("id"),
                    must("kind"),
                    may("display_name"),
                    may("email"),
                    may("status"),
                    may("department"),
                    may("title"),
                    may("manager_id"),
                    may("employer_id"),
                    may("location"),
                    may("start_date"),
                    may("end_date"),
                    may("leaver_kind"),
                    may("purpose"),
                    may("allowed_tools"),
                ]
            }
        }
        Kind::Account => {
            const {
                &[
                    must("system"),
                    must("id"),
                    may("name"),
                    may("kind"),
                    may("identity_id"),
                    may("email"),
                    may("enabled"),
                    may("local_sign_in"),
                    may("signs_in_through_system"),
                    may("signs_in_through_id"),
                    may("mfa"),
                    may("privileged"),
                    may("environment"),
                    may("created_at"),
                    may("created_by"),
                    may("last_used_at"),
                    may("last_interactive_at"),
                    may("disabled_at"),
                    may("expires_at"),
                ]
            }
        }
        Kind::Entitlement => {
            const {
                &[
                    must("system"),
                    must("id"),
                    may("name"),
                    may("kind"),
                    may("privileged"),
                    may("environment"),
                ]
            }
        }
        Kind::Grant => {
            const {
                &[
                    must("system"),
                    must("principal_type"),
                    must("principal_id"),
                    must("entitlement_id"),
                    may("principal_system"),
                    may("assignment"),
                    may("granted_at"),
                    may("granted_by"),
                    may("approved_by"),
                    may("ticket"),
                    may("reason"),
                    may("last_used_at"),
                    may("expires_at"),
                ]
            }
        }
        Kind::Credential => {
            const {
                &[
                    must("system"),
                    must("id"),
                    must("kind"),
                    may("account_id"),
                    may("name"),
                    may("enabled"),
                    may("environment"),
                    may("created_at"),
                    may("created_by"),
                    may("rotated_at"),
                    may("revoked_at"),
                    may("expires_at"),
                    may("last_used_at"),
                    may("fingerprint"),
                ]
            }
        }
        Kind::Location => {
            const {
                &[
                    must("system"),
                    must("path"),
                    may("credential_system"),
                    may("credential_id"),
                    may("kind"),
                    may("environment"),
                    may("fingerprint"),
                    may("last_rotated_at"),
                ]
            }
        }
        Kind::Reader => {
            const {
                &[
                    must("system"),
                    must("path"),
                    must("principal_type"),
                    must("principal_id"),
                    may("principal_system"),
                ]
            }
        }
        Kind::Control => {
            const {
                &[
                    must("system"),
                    must("account_id"),
                    must("principal_type"),
                    must("principal_id"),
                    may("principal_system"),
                    must("means"),
                ]
            }
        }
        Kind::Owner => {
            const {
                &[
                    must("object_type"),
                    Column {
                        name: "system",
                        need: Need::ColumnOnly,
                    },
                    must("object_id"),
                    must("owner_id"),
                    must("role"),
                ]
            }
        }
        Kind::Session => {
            const {
                &[
                    must("system"),
                    must("account_id"),
                    must("id"),
                    may("started_at"),
                    may("last_seen_at"),
                    may("expires_at"),
                ]
            }
        }
        Kind::Task => {
            const {
                &[
                    must("id"),
                    must("system"),
                    must("event"),
                    may("identity_id"),
                    may("account_id"),
                    may("action"),
                    may("status"),
                    may("retries"),
                    may("requested_at"),
                    may("approved_by"),
                    may("closed_at"),
                    may("closed_by"),
                    may("override"),
                    may("ticket"),
                ]
            }
        }
    }
}

/// The name of a kind's file.
pub fn file_name(kind: Kind) -> String {
    format!("{}.csv", kind.plural())
}

/// The kind whose file has this name.
pub fn kind_of_file(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|k| file_name(*k) == name)
}

/// The names of a kind's columns, for hints.
pub fn column_names(kind: Kind) -> String {
    let names: Vec<_> = columns(kind).iter().map(|c| c.name).collect();
    names.join(", ")
}
