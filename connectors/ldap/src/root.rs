//! What a directory says of itself in its root entry: who made it, what it can do.

use crate::dn;
use crate::search::{Link, Query, one};
use crate::sync;
use lastkey_contract::{ConnectorError, ErrorKind};

const PAGING: &str = "1.2.840.113556.1.4.319";
const SYNC: &str = "1.3.6.1.4.1.4203.1.9.1.1";
const EFFECTIVE_RIGHTS: &str = "1.3.6.1.4.1.42.2.27.9.5.2";

/// Whose work a directory is, as far as it changes how it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vendor {
    OpenLdap,
    /// 389 Directory Server and its kin: they keep `nsUniqueId` on every entry.
    Ds389,
    #[default]
    Other,
}

/// A directory's root entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    pub vendor: Vendor,
    /// Name and version, where it tells.
    pub name: Option<String>,
    /// Whether the root entry was shown at all.
    pub shown: bool,
    pub pages: bool,
    /// Whether it tells changes and deletions below the base (RFC 4533).
    pub syncs: bool,
    pub tells_rights: bool,
}

impl Server {
    /// Reads the root entry, and tries whether changes below the base are told: a directory can
    /// know the words for one of its databases only.
    pub async fn ask(link: &Link, base: &str) -> Result<Server, ConnectorError> {
        let names = [
            "vendorName",
            "vendorVersion",
            "supportedControl",
            "objectClass",
            "namingContexts",
        ];
        let query = Query::at("", "(objectClass=*)", &names);
        let entry = match one(link, &query, "read the root entry").await {
            Ok(entry) => entry,
            // A directory may hide it; everything else works without.
            Err(error) if error.kind == ErrorKind::Forbidden => None,
            Err(error) => return Err(error),
        };
        let Some(entry) = entry else {
            return Ok(Server::default());
        };
        let named: Vec<&str> = ["vendorName", "vendorVersion"]
            .into_iter()
            .filter_map(|name| entry.one(name))
            .collect();
        let vendor = match () {
            () if entry.says("objectClass", "OpenLDAProotDSE") => Vendor::OpenLdap,
            () if named.iter().any(|n| n.contains("389")) => Vendor::Ds389,
            () => Vendor::Other,
        };
        let name = match (named.is_empty(), vendor) {
            (false, _) => Some(named.join(" ")),
            (true, Vendor::OpenLdap) => Some("OpenLDAP (its version is not told)".to_owned()),
            (true, Vendor::Ds389 | Vendor::Other) => None,
        };
        let knows = entry.says("supportedControl", SYNC);
        // Below a part of a database, entries come and go by being moved, and nobody tells of what
        // lies below them.
        let whole = entry
            .all("namingContexts")
            .any(|context| dn::normal(context) == dn::normal(base));
        let syncs = match (vendor, knows && whole) {
            (Vendor::OpenLdap, true) => {
                let query = Query::below(base, "(objectClass=*)", Vec::new());
                sync::now(link, &query).await?.is_some()
            }
            // 389 DS sends whole entries to whoever asks for changes, hashes of passwords
            // included where they may be read, whatever attributes were asked for.
            (Vendor::OpenLdap | Vendor::Ds389 | Vendor::Other, _) => false,
        };
        Ok(Server {
            vendor,
            name,
            shown: entry.has("supportedControl") || entry.has("objectClass"),
            pages: entry.says("supportedControl", PAGING),
            syncs,
            tells_rights: entry.says("supportedControl", EFFECTIVE_RIGHTS),
        })
    }

    /// The attribute that never changes, where the settings name none.
    pub fn id_attribute(&self) -> &'static str {
        match self.vendor {
            // An entryUUID plugin may be switched on later, and then only for new entries.
            Vendor::Ds389 => "nsUniqueId",
            Vendor::OpenLdap | Vendor::Other => "entryUUID",
        }
    }
}
