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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::Vendor;
    use lastkey_contract::Settings;

    #[test]
    fn the_table_of_the_readme_is_current() {
        let pairs = [
            ("url", "ldaps://h"),
            ("base_dn", "dc=x"),
            ("system", "corp"),
            ("identities", "yes"),
        ];
        let settings = Settings(pairs.map(|(k, v)| (k.into(), v.into())).into());
        let directory = Directory::from_settings(&settings, false).unwrap();
        let telling = Server {
            vendor: Vendor::OpenLdap,
            syncs: true,
            ..Server::default()
        };
        let silent = Server {
            vendor: Vendor::Ds389,
            ..Server::default()
        };
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let mut wanted = String::from(
            "| directory | kind | records on a page | changes only | deletions told | last use told |\n|---|---|---|---|---|---|\n",
        );
        for (name, server) in [
            ("OpenLDAP with syncprov", telling),
            ("389 DS, others", silent),
        ] {
            for c in table(&directory, Some(&server)) {
                wanted += &format!(
                    "| {name} | {} | {} | {} | {} | {} |\n",
                    c.kind,
                    c.max_page,
                    word(c.incremental),
                    word(c.deletions_visible),
                    word(c.last_use_known)
                );
            }
        }
        let readme = include_str!("../README.md");
        let (_, rest) = readme.split_once("<!-- capabilities -->\n").unwrap();
        let (shown, _) = rest.split_once("<!-- end -->").unwrap();
        assert_eq!(shown, wanted, "copy the right-hand table into README.md");
    }

    #[test]
    fn an_id_of_ones_own_choice_cannot_be_told_as_deleted() {
        let server = Server {
            vendor: Vendor::OpenLdap,
            syncs: true,
            ..Server::default()
        };
        for (id, told) in [("auto", true), ("entryuuid", true), ("uid", false)] {
            let pairs = [
                ("url", "ldaps://h"),
                ("base_dn", "dc=x"),
                ("system", "corp"),
                ("id_attribute", id),
            ];
            let settings = Settings(pairs.map(|(k, v)| (k.into(), v.into())).into());
            let directory = Directory::from_settings(&settings, false).unwrap();
            let table = table(&directory, Some(&server));
            assert!(table.iter().all(|c| c.incremental == told), "{id}");
        }
    }
}
