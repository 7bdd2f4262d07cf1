//! What is known of something whose owner is looked for, whatever kind of fact it is.

use lastkey_contract::facts::{Account, Attributes, Credential, Identity, Location};

/// The parts of a fact that can point at an owner.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    pub source: i64,
    /// Where its logins belong to; empty for an identity.
    pub system: &'a str,
    /// The object in words, for the facts that a suggestion rests on.
    pub words: String,
    /// Names and descriptions, with the field that each stands in.
    pub texts: Vec<(&'static str, &'a str)>,
    pub created_by: Option<&'a str>,
    pub manager_id: Option<&'a str>,
    pub path: Option<&'a str>,
    pub attributes: &'a Attributes,
}

impl<'a> Subject<'a> {
    pub fn of_identity(source: i64, fact: &'a Identity) -> Subject<'a> {
        Subject {
            source,
            system: "",
            words: format!("identity {}", fact.id),
            texts: texts([
                ("display_name", fact.display_name.as_deref()),
                ("purpose", fact.purpose.as_deref()),
            ]),
            created_by: None,
            manager_id: fact.manager_id.as_ref().map(|id| id.as_str()),
            path: None,
            attributes: &fact.attributes,
        }
    }

    pub fn of_account(source: i64, fact: &'a Account) -> Subject<'a> {
        Subject {
            source,
            system: fact.system.as_str(),
            words: format!("account {}:{}", fact.system, fact.id),
            texts: texts([
                ("id", Some(fact.id.as_str())),
                ("name", fact.name.as_deref()),
            ]),
            created_by: fact.created_by.as_deref(),
            manager_id: None,
            path: None,
            attributes: &fact.attributes,
        }
    }

    pub fn of_credential(source: i64, fact: &'a Credential) -> Subject<'a> {
        Subject {
            source,
            system: fact.system.as_str(),
            words: format!("credential {}:{}", fact.system, fact.id),
            texts: texts([
                ("id", Some(fact.id.as_str())),
                ("name", fact.name.as_deref()),
            ]),
            created_by: fact.created_by.as_deref(),
            manager_id: None,
            path: None,
            attributes: &fact.attributes,
        }
    }

    pub fn of_location(source: i64, fact: &'a Location) -> Subject<'a> {
        Subject {
            source,
            system: fact.system.as_str(),
            words: format!("location {}:{}", fact.system, fact.path),
            texts: Vec::new(),
            created_by: None,
            manager_id: None,
            path: Some(fact.path.as_str()),
            attributes: &fact.attributes,
        }
    }
}

fn texts<'a, const N: usize>(
    fields: [(&'static str, Option<&'a str>); N],
) -> Vec<(&'static str, &'a str)> {
    fields
        .into_iter()
        .filter_map(|(field, text)| Some((field, text?)))
        .collect()
}
