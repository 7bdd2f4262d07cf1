//! A place in a read: which section, after which name, after how many of its facts.
//!
//! The place is a name and not a number, so that it holds in a later connection, and so that what
//! is removed before it moves nothing.

use lastkey_contract::Cursor;

/// What is walked through, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Policies,
    Groups,
    Entities,
    /// Users of a userpass method, by its path.
    Users(String),
    /// AppRoles of an approle method, by its path.
    AppRoles(String),
    /// Roles of another method: its path and the folder below it.
    Roles(String, String),
    Tokens,
    /// Secrets of a key-value store, by its path.
    Secrets(String),
    /// Leases of an engine, by its path.
    Leases(String),
    /// Roles of an engine: its path and the folder below it.
    Dynamic(String, String),
    /// Logins whose password an engine changes: its path and the folder below it.
    Statics(String, String),
    /// Keys of a transit engine, by its path.
    Keys(String),
    /// Certificates of a PKI engine, by its path.
    Certificates(String),
}

impl Section {
    fn word(&self) -> (&'static str, &str, &str) {
        match self {
            Section::Policies => ("policies", "", ""),
            Section::Groups => ("groups", "", ""),
            Section::Entities => ("entities", "", ""),
            Section::Users(mount) => ("users", mount, ""),
            Section::AppRoles(mount) => ("approles", mount, ""),
            Section::Roles(mount, folder) => ("roles", mount, folder),
            Section::Tokens => ("tokens", "", ""),
            Section::Secrets(mount) => ("secrets", mount, ""),
            Section::Leases(mount) => ("leases", mount, ""),
            Section::Dynamic(mount, folder) => ("dynamic", mount, folder),
            Section::Statics(mount, folder) => ("statics", mount, folder),
            Section::Keys(mount) => ("keys", mount, ""),
            Section::Certificates(mount) => ("certificates", mount, ""),
        }
    }

    fn from_word(word: &str, mount: String, folder: String) -> Option<Section> {
        Some(match word {
            "policies" => Section::Policies,
            "groups" => Section::Groups,
            "entities" => Section::Entities,
            "users" => Section::Users(mount),
            "approles" => Section::AppRoles(mount),
            "roles" => Section::Roles(mount, folder),
            "tokens" => Section::Tokens,
            "secrets" => Section::Secrets(mount),
            "leases" => Section::Leases(mount),
            "dynamic" => Section::Dynamic(mount, folder),
            "statics" => Section::Statics(mount, folder),
            "keys" => Section::Keys(mount),
            "certificates" => Section::Certificates(mount),
            _ => return None,
        })
    }
}

/// Where a page ends and the next starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub section: Section,
    pub name: String,
    /// How many facts of the name are served; None is all of them.
    pub served: Option<usize>,
}

impl Place {
    pub fn cursor(&self) -> Cursor {
        let (word, mount, folder) = self.section.word();
        Cursor(serde_json::json!([word, mount, folder, self.name, self.served]).to_string())
    }

    /// None where the text is no cursor of ours.
    pub fn from_cursor(cursor: &Cursor) -> Option<Place> {
        let (word, mount, folder, name, served): (String, String, String, String, Option<usize>) =
            serde_json::from_str(&cursor.0).ok()?;
        Some(Place {
            section: Section::from_word(&word, mount, folder)?,
            name,
            served,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        for section in [
            Section::Policies,
            Section::Groups,
            Section::Entities,
            Section::Users("a/".to_owned()),
            Section::AppRoles("a/".to_owned()),
            Section::Roles("a/".to_owned(), "role".to_owned()),
            Section::Tokens,
            Section::Secrets("s\"/".to_owned()),
            Section::Leases("database/".to_owned()),
            Section::Dynamic("database/".to_owned(), "roles".to_owned()),
            Section::Statics("database/".to_owned(), "static-roles".to_owned()),
            Section::Keys("transit/".to_owned()),
            Section::Certificates("pki/".to_owned()),
        ] {
            for served in [None, Some(3)] {
                let place = Place {
                    section: section.clone(),
                    name: "x/\u{1f}ü".to_owned(),
                    served,
                };
                assert_eq!(Place::from_cursor(&place.cursor()).unwrap(), place);
            }
        }
        assert_eq!(Place::from_cursor(&Cursor("7".to_owned())), None);
    }
}
