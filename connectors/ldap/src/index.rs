//! Who stands behind a DN or a uid: what group members are resolved with.

use crate::dn;
use crate::entry::Entry;
use crate::settings::Directory;
use std::collections::HashMap;

/// What a DN names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Account {
        id: String,
        identity: Option<String>,
    },
    Group {
        id: String,
    },
}

/// Which half of the index a read fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    People,
    Groups,
}

/// People and groups of one session, by normal DN and by uid.
#[derive(Debug, Default)]
pub struct Index {
    by_dn: HashMap<String, Named>,
    /// None where several people carry one uid: then it names nobody.
    by_uid: HashMap<String, Option<String>>,
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
        let named = match half {
            Half::Groups => Named::Group { id: id.to_owned() },
            Half::People => {
                for uid in entry.all("uid") {
                    self.by_uid
                        .entry(uid.clone())
                        .and_modify(|known| {
                            if known.as_deref() != Some(id) {
                                *known = None;
                            }
                        })
                        .or_insert_with(|| Some(id.to_owned()));
                }
                Named::Account {
                    id: id.to_owned(),
                    identity: entry.one(&directory.identity_attribute).map(str::to_owned),
                }
            }
        };
        self.by_dn.entry(dn::normal(&entry.dn)).or_insert(named);
    }

    /// What a DN names, if it is one of the people or groups.
    pub fn by_dn(&self, text: &str) -> Option<&Named> {
        self.by_dn.get(&dn::normal(text))
    }

    /// The account with this uid, if exactly one has it.
    pub fn by_uid(&self, uid: &str) -> Option<&str> {
        self.by_uid.get(uid)?.as_deref()
    }

    /// Whether any account is known.
    pub fn has_people(&self) -> bool {
        self.by_dn
            .values()
            .any(|n| matches!(n, Named::Account { .. }))
    }
}
