//! A place in a read: which section, after which name, after how many of its facts.
//!
//! The place is a name and not a number, so that it holds in a later connection, and so that what
//! is removed before it moves nothing.

use lastkey_contract::Cursor;

/// What is walked through, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    Members,
    Collaborators,
    Invitations,
    Installations,
    Roles,
    Teams,
    Repositories,
    Scopes,
    Tokens,
    Authorizations,
    MemberKeys,
    ActionsSecrets,
    DependabotSecrets,
    DeployKeys,
}

impl Section {
    pub const ALL: [Section; 14] = [
        Section::Members,
        Section::Collaborators,
        Section::Invitations,
        Section::Installations,
        Section::Roles,
        Section::Teams,
        Section::Repositories,
        Section::Scopes,
        Section::Tokens,
        Section::Authorizations,
        Section::MemberKeys,
        Section::ActionsSecrets,
        Section::DependabotSecrets,
        Section::DeployKeys,
    ];

    fn word(self) -> &'static str {
        match self {
            Section::Members => "members",
            Section::Collaborators => "collaborators",
            Section::Invitations => "invitations",
            Section::Installations => "installations",
            Section::Roles => "roles",
            Section::Teams => "teams",
            Section::Repositories => "repositories",
            Section::Scopes => "scopes",
            Section::Tokens => "tokens",
            Section::Authorizations => "authorizations",
            Section::MemberKeys => "member_keys",
            Section::ActionsSecrets => "actions",
            Section::DependabotSecrets => "dependabot",
            Section::DeployKeys => "deploy_keys",
        }
    }
}

/// Where a page ends and the next starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub section: Section,
    /// The last name; None before the first.
    pub name: Option<String>,
    /// How many facts of the name are served; None is all of them.
    pub served: Option<usize>,
    /// How many pages ended here for want of requests: a place is never told twice.
    pub pauses: u32,
}

impl Place {
    pub fn cursor(&self) -> Cursor {
        let parts = (self.section.word(), &self.name, self.served, self.pauses);
        Cursor(serde_json::json!(parts).to_string())
    }

    /// None where the text is no cursor of ours.
    pub fn from_cursor(cursor: &Cursor) -> Option<Place> {
        let (word, name, served, pauses): (String, Option<String>, Option<usize>, u32) =
            serde_json::from_str(&cursor.0).ok()?;
        let section = Section::ALL.into_iter().find(|s| s.word() == word)?;
        Some(Place {
            section,
            name,
            served,
            pauses,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        for section in Section::ALL {
            for (name, served) in [(None, None), (Some("x/\u{1f}ü".to_owned()), Some(3))] {
                let place = Place {
                    section,
                    name,
                    served,
                    pauses: 2,
                };
                assert_eq!(Place::from_cursor(&place.cursor()).unwrap(), place);
            }
        }
        for odd in ["", "7", r#"["members"]"#, r#"["x",null,null,0]"#] {
            assert_eq!(Place::from_cursor(&Cursor(odd.to_owned())), None, "{odd}");
        }
    }
}
