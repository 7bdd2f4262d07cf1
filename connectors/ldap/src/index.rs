//! Who stands behind a DN, a uid or a primary group: what memberships are resolved with.
//!
//! It holds a few dozen bytes for each person and group, and nothing else of a directory does
//! outlive its page.

use crate::dn;
use crate::entry::Entry;
use crate::settings::{Directory, Identities};
use std::collections::HashMap;
use std::sync::Arc;

/// What a DN names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Account {
        id: Arc<str>,
        /// Only where the directory is a source of truth.
        identity: Option<Box<str>>,
    },
    Group {
        id: Arc<str>,
    },
}

/// Which half of the index a read fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    People,
    Groups,
}

/// People and groups of one session, by normal DN, by uid and by primary group.
#[derive(Debug, Default)]
pub struct Index {
    by_dn: HashMap<Box<str>, Named>,
    /// None where several people carry one uid: then it names nobody.
    by_uid: HashMap<Box<str>, Option<Arc<str>>>,
    by_gid: HashMap<Box<str>, Vec<Arc<str>>>,
    people: bool,
    groups: bool,
}

impl Index {
    /// Whether a half was read to its end.
    pub fn has(&self, half: Half) -> bool {
        match half {
            Half::People => self.people,
            Half::Groups => self.groups,
        }
    }

    /// Marks a half as read to its end.
    pub fn complete(&mut self, half: Half) {
        match half {
            Half::People => self.people = true,
            Half::Groups => self.groups = true,
        }
    }

    /// Takes one entry in. An entry that is both stays what it was first.
    pub fn learn(&mut self, directory: &Directory, half: Half, entry: &Entry) {
        let Some(id) = entry.one(&directory.id_attribute) else {
            return;
        };
        let key = dn::normal(&entry.dn).into_boxed_str();
        if self.by_dn.contains_key(&key) {
            return;
        }
        let id: Arc<str> = id.into();
        let named = match half {
            Half::Groups => Named::Group { id },
            Half::People => {
                for uid in entry.all("uid") {
                    match self.by_uid.get_mut(uid) {
                        Some(known) if known.as_deref() == Some(&id) => {}
                        Some(known) => *known = None,
                        None => {
                            self.by_uid.insert(uid.into(), Some(Arc::clone(&id)));
                        }
                    }
                }
                if let Some(gid) = entry.one("gidNumber") {
                    let members = self.by_gid.entry(gid.into()).or_default();
                    members.push(Arc::clone(&id));
                }
                Named::Account {
                    id,
                    identity: match directory.identities {
                        Identities::Read => {
                            entry.one(&directory.identity_attribute).map(Into::into)
                        }
                        Identities::Leave => None,
                    },
                }
            }
        };
        self.by_dn.insert(key, named);
    }

    /// What a DN names, if it is one of the people or groups. `scratch` is only used within.
    pub fn by_dn(&self, text: &str, scratch: &mut String) -> Option<&Named> {
        dn::normal_into(text, scratch);
        self.by_dn.get(scratch.as_str())
    }

    /// The account with this uid, if exactly one has it.
    pub fn by_uid(&self, uid: &str) -> Option<&str> {
        self.by_uid.get(uid)?.as_deref()
    }

    /// The accounts whose primary group has this number.
    pub fn by_gid(&self, gid: &str) -> &[Arc<str>] {
        self.by_gid.get(gid).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether any account is known.
    pub fn has_people(&self) -> bool {
        self.by_dn
            .values()
            .any(|n| matches!(n, Named::Account { .. }))
    }
}
