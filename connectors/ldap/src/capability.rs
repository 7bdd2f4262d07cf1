//! What can be read and how, as plain data: before a connection as far as the settings tell,
//! afterwards as far as the directory does.

use crate::root::Server;
use crate::session::MAX_PAGE;
use crate::settings::{Directory, Identities, Incremental};
use lastkey_contract::{Kind, KindCapability};

/// One row for each kind that is read as configured. Without a server the best that a directory
/// can do.
pub fn table(directory: &Directory, server: Option<&Server>) -> Vec<KindCapability> {
    let identities = match directory.identities {
        Identities::Read => Some(Kind::Identity),
        Identities::Leave => None,
    };
    let kinds = [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ];
    identities
        .into_iter()
        .chain(kinds)
        .map(|kind| {
            let told = match (directory.incremental, server) {
                (Incremental::Never, _) => false,
                (Incremental::WhereTold, None) => kind != Kind::Identity,
                (Incremental::WhereTold, Some(server)) => {
                    has_told_ids(directory, server) && incremental(kind, server)
                }
            };
            KindCapability {
                kind,
                max_page: MAX_PAGE,
                // a paging cookie belongs to its connection
                cursor_survives_reconnect: false,
                incremental: told,
                // a directory that cannot tell deletions any more loses the cursor instead
                deletions_visible: told,
                last_use_known: kind == Kind::Account,
                one_moment: false,
            }
        })
        .collect()
}

/// Whether the ids that the directory names deleted entries by are those of our facts.
pub fn has_told_ids(directory: &Directory, server: &Server) -> bool {
    directory.id_attribute.is_empty()
        || directory
            .id_attribute
            .eq_ignore_ascii_case(server.id_attribute())
}

/// Whether a directory tells changes and deletions of a kind.
pub fn incremental(kind: Kind, server: &Server) -> bool {
    let told = match kind {
        Kind::Account | Kind::Entitlement | Kind::Grant | Kind::Credential => true,
        // A deleted entry is named by the directory's own id, which need not be the identity's.
        Kind::Identity
        | Kind::Location
        | Kind::Reader
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => false,
    };
    told && server.syncs
}
