//! Outlines: of a fact what graphs, links and lists are made of, a few bytes that are read
//! without looking for names.
//!
//! Identities, accounts and grants have one, kept beside their block (`blocks::OUTLINES`). They
//! are derived: what an outline says, its fact says. Reading one gives the same whether it was
//! kept or is made of the fact.

use super::StoreError;
use super::blocks::{Block, Columns};
use crate::access::graph::Terms;
use crate::access::terms;
use crate::correlate::{AccountKeys, IdentityKeys};
use lastkey_contract::When;
use lastkey_contract::facts::Attributes;
use lastkey_contract::facts::{
    Account, AccountKind, Assignment, Fact, Identity, IdentityKind, IdentityStatus, LeaverKind,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A text that is borrowed where it stands as it is. (Inside an `Option`, a `Cow` never is.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Text<'t>(Cow<'t, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 't, 't> Deserialize<'de> for Text<'t> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Visitor)
    }
}

fn borrowed(text: &str) -> Text<'_> {
    Text(Cow::Borrowed(text))
}

fn shared<'t>(text: Option<&'t (impl AsRef<str> + ?Sized)>) -> Option<Text<'t>> {
    text.map(|text| borrowed(text.as_ref()))
}

/// What can be read from its own bytes, or from a whole fact as JSON.
pub(super) trait Outline<'t>: Sized {
    fn of_bytes(bytes: &'t [u8]) -> Result<Self, StoreError>;
    fn of_json(fact: &'t str) -> Result<Self, StoreError>;
}

fn read<'t, T: Deserialize<'t>>(bytes: &'t [u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|_| StoreError::damaged("an outline cannot be read"))
}

fn write(outline: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    postcard::to_allocvec(outline).map_err(|_| StoreError::damaged("an outline cannot be written"))
}

/// Of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IdentityOutline<'t> {
    #[serde(borrow)]
    pub id: Text<'t>,
    pub kind: IdentityKind,
    #[serde(borrow)]
    pub display_name: Option<Text<'t>>,
    #[serde(borrow)]
    pub email: Option<Text<'t>>,
    pub status: Option<IdentityStatus>,
    #[serde(borrow)]
    pub department: Option<Text<'t>>,
    #[serde(borrow)]
    pub title: Option<Text<'t>>,
    #[serde(borrow)]
    pub manager_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub employer_id: Option<Text<'t>>,
    /// Both days as the fact has them.
    #[serde(borrow)]
    pub start_date: Option<Text<'t>>,
    #[serde(borrow)]
    pub end_date: Option<Text<'t>>,
    pub leaver_kind: Option<LeaverKind>,
}

/// Of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccountOutline<'t> {
    #[serde(borrow)]
    pub system: Text<'t>,
    #[serde(borrow)]
    pub id: Text<'t>,
    #[serde(borrow)]
    pub name: Option<Text<'t>>,
    #[serde(borrow)]
    pub identity_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub email: Option<Text<'t>>,
    /// As the fact has it.
    #[serde(borrow)]
    pub created_at: Option<Text<'t>>,
    pub kind: Option<AccountKind>,
    pub enabled: Option<bool>,
    pub local_sign_in: Option<bool>,
    pub privileged: Option<bool>,
    #[serde(borrow)]
    pub environment: Option<Text<'t>>,
    pub expires_at: Option<When>,
}

/// Of a grant; nothing at all where it holds now and without an end, as nearly all do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GrantOutline {
    pub assignment: Option<Assignment>,
    pub expires_at: Option<When>,
}

impl GrantOutline {
    pub(super) fn terms(self) -> Terms {
        terms(self.expires_at, self.assignment)
    }
}

impl<'t> Outline<'t> for IdentityOutline<'t> {
    fn of_bytes(bytes: &'t [u8]) -> Result<Self, StoreError> {
        read(bytes)
    }

    fn of_json(fact: &'t str) -> Result<Self, StoreError> {
        Ok(serde_json::from_str(fact)?)
    }
}

impl<'t> Outline<'t> for AccountOutline<'t> {
    fn of_bytes(bytes: &'t [u8]) -> Result<Self, StoreError> {
        read(bytes)
    }

    fn of_json(fact: &'t str) -> Result<Self, StoreError> {
        Ok(serde_json::from_str(fact)?)
    }
}

impl<'t> Outline<'t> for GrantOutline {
    fn of_bytes(bytes: &'t [u8]) -> Result<Self, StoreError> {
        match bytes {
            [] => Ok(GrantOutline::default()),
            bytes => read(bytes),
        }
    }

    fn of_json(fact: &'t str) -> Result<Self, StoreError> {
        Ok(serde_json::from_str(fact)?)
    }
}

impl IdentityOutline<'_> {
    /// What is known of it for matching, but for attributes.
    fn keys(&self, source: i64) -> IdentityKeys {
        IdentityKeys {
            source,
            id: self.id.to_string(),
            kind: self.kind,
            display_name: self.display_name.as_deref().map(str::to_owned),
            email: self.email.as_deref().map(str::to_owned),
            start_date: self.start_date.as_deref().map(Into::into),
            attributes: Attributes::new(),
        }
    }
}

impl AccountOutline<'_> {
    fn keys(&self, source: i64) -> AccountKeys {
        AccountKeys {
            source,
            system: self.system.to_string(),
            id: self.id.to_string(),
            name: self.name.as_deref().map(str::to_owned),
            identity_id: self.identity_id.as_deref().map(str::to_owned),
            email: self.email.as_deref().map(str::to_owned),
            created_at: self.created_at.as_deref().map(Into::into),
            attributes: Attributes::new(),
        }
    }
}

/// How much of facts matching has to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Outlines,
    /// Some rule takes an attribute, which outlines leave out.
    Facts,
}

impl Depth {
    pub(super) fn columns(self) -> Columns {
        match self {
            Depth::Outlines => Columns::Outlined,
            Depth::Facts => Columns::Named,
        }
    }

    /// What is known for matching of the identity at a place, and its outline.
    pub(super) fn identity(
        self,
        block: &Block,
        place: usize,
    ) -> Result<(IdentityKeys, IdentityOutline<'_>), StoreError> {
        let outline: IdentityOutline<'_> = block.outline(place)?;
        let keys = match self {
            Depth::Outlines => outline.keys(block.source),
            Depth::Facts => IdentityKeys {
                source: block.source,
                ..serde_json::from_str(block.fact(place)?)?
            },
        };
        Ok((keys, outline))
    }

    /// The same of the account at a place.
    pub(super) fn account(
        self,
        block: &Block,
        place: usize,
    ) -> Result<(AccountKeys, AccountOutline<'_>), StoreError> {
        let outline: AccountOutline<'_> = block.outline(place)?;
        let keys = self.account_keys(block, place, &outline)?;
        Ok((keys, outline))
    }

    /// What is known for matching of an account, beside its outline.
    pub(super) fn account_keys(
        self,
        block: &Block,
        place: usize,
        outline: &AccountOutline<'_>,
    ) -> Result<AccountKeys, StoreError> {
        Ok(match self {
            Depth::Outlines => outline.keys(block.source),
            Depth::Facts => AccountKeys {
                source: block.source,
                ..serde_json::from_str(block.fact(place)?)?
            },
        })
    }
}

/// The outline of a fact, as it is kept; none where its kind has none.
pub(super) fn of(fact: &Fact) -> Result<Option<Vec<u8>>, StoreError> {
    match fact {
        Fact::Identity(x) => of_identity(x).map(Some),
        Fact::Account(x) => of_account(x).map(Some),
        Fact::Grant(x) => {
            let outline = GrantOutline {
                assignment: x.assignment,
                expires_at: x.expires_at,
            };
            match outline.terms() == GrantOutline::default().terms() {
                true => Ok(Some(Vec::new())),
                false => write(&outline).map(Some),
            }
        }
        Fact::Entitlement(_)
        | Fact::Credential(_)
        | Fact::Location(_)
        | Fact::Reader(_)
        | Fact::Control(_)
        | Fact::Owner(_)
        | Fact::Session(_)
        | Fact::Task(_) => Ok(None),
    }
}

fn of_identity(x: &Identity) -> Result<Vec<u8>, StoreError> {
    let (start, end) = (
        x.start_date.map(|d| d.to_text()),
        x.end_date.map(|d| d.to_text()),
    );
    write(&IdentityOutline {
        id: borrowed(x.id.as_str()),
        kind: x.kind,
        display_name: shared(x.display_name.as_ref()),
        email: shared(x.email.as_ref()),
        status: x.status,
        department: shared(x.department.as_ref()),
        title: shared(x.title.as_ref()),
        manager_id: x.manager_id.as_ref().map(|id| borrowed(id.as_str())),
        employer_id: x.employer_id.as_ref().map(|id| borrowed(id.as_str())),
        start_date: shared(start.as_ref()),
        end_date: shared(end.as_ref()),
        leaver_kind: x.leaver_kind,
    })
}

fn of_account(x: &Account) -> Result<Vec<u8>, StoreError> {
    let created = x.created_at.map(|d| d.to_text());
    write(&AccountOutline {
        system: borrowed(x.system.as_str()),
        id: borrowed(x.id.as_str()),
        name: shared(x.name.as_ref()),
        identity_id: x.identity_id.as_ref().map(|id| borrowed(id.as_str())),
        email: shared(x.email.as_ref()),
        created_at: shared(created.as_ref()),
        kind: x.kind,
        enabled: x.enabled,
        local_sign_in: x.local_sign_in,
        privileged: x.privileged,
        environment: shared(x.environment.as_ref()),
        expires_at: x.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::canonical;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Option<String>> {
        prop_oneof![Just(None), "[a-z\"\\\\ü\u{1}]{0,12}".prop_map(Some)]
    }

    fn when() -> impl Strategy<Value = Option<When>> {
        let days = (1970i32..2100, 1u32..13, 1u32..29);
        let days = days.prop_map(|(y, m, d)| When::parse(&format!("{y}-{m:02}-{d:02}T10:00:00Z")));
        prop_oneof![Just(None), days]
    }

    fn fact(json: serde_json::Value) -> (Fact, String) {
        let fact: Fact = serde_json::from_value(json).unwrap();
        let payload = canonical::payload(&fact).unwrap();
        (fact, payload)
    }

    proptest! {
        #[test]
        fn an_identity_reads_alike_from_its_outline_and_from_its_fact(
            id in "[a-z\"]{1,9}", texts in prop::array::uniform6(text()), start in when(), end in when(),
        ) {
            let [display_name, email, department, title, manager_id, employer_id] = texts;
            let manager_id = manager_id.filter(|id| !id.trim().is_empty());
            let employer_id = employer_id.filter(|id| !id.trim().is_empty());
            let (fact, payload) = fact(serde_json::json!({ "fact": "identity",
                "id": id, "kind": "agent", "status": "on_leave", "leaver_kind": "involuntary",
                "display_name": display_name, "email": email, "department": department,
                "title": title, "manager_id": manager_id, "employer_id": employer_id,
                "start_date": start, "end_date": end, "attributes": { "a": "b" },
            }));
            let bytes = of(&fact).unwrap().unwrap();
            let kept = IdentityOutline::of_bytes(&bytes).unwrap();
            prop_assert_eq!(&kept, &IdentityOutline::of_json(&payload).unwrap());
            prop_assert_eq!(kept.display_name.as_deref(), display_name.as_deref());
        }

        #[test]
        fn an_account_reads_alike_from_its_outline_and_from_its_fact(
            id in "[a-z\"]{1,9}", texts in prop::array::uniform4(text()), at in when(), until in when(),
            enabled in any::<Option<bool>>(), local in any::<Option<bool>>(),
        ) {
            let [name, email, identity_id, environment] = texts;
            let identity_id = identity_id.filter(|id| !id.trim().is_empty());
            let (fact, payload) = fact(serde_json::json!({ "fact": "account",
                "system": "corp", "id": id, "name": name, "email": email, "kind": "shared",
                "identity_id": identity_id, "environment": environment, "enabled": enabled,
                "local_sign_in": local, "created_at": at, "expires_at": until,
            }));
            let bytes = of(&fact).unwrap().unwrap();
            let kept = AccountOutline::of_bytes(&bytes).unwrap();
            prop_assert_eq!(&kept, &AccountOutline::of_json(&payload).unwrap());
            prop_assert_eq!(kept.enabled, enabled);
        }

        #[test]
        fn a_grant_has_the_terms_of_its_fact(
            assignment in prop_oneof![Just(None), Just(Some("active")), Just(Some("eligible"))],
            until in when(),
        ) {
            let (fact, payload) = fact(serde_json::json!({ "fact": "grant",
                "system": "corp", "entitlement_id": "e", "assignment": assignment, "expires_at": until,
                "principal": { "kind": "account", "system": "corp", "id": "a" },
            }));
            let bytes = of(&fact).unwrap().unwrap();
            let plain = GrantOutline::of_json(&payload).unwrap().terms() == GrantOutline::default().terms();
            prop_assert_eq!(bytes.is_empty(), plain);
            let kept = GrantOutline::of_bytes(&bytes).unwrap();
            prop_assert_eq!(kept.terms(), GrantOutline::of_json(&payload).unwrap().terms());
        }

        #[test]
        fn odd_bytes_are_damage_and_no_more(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = IdentityOutline::of_bytes(&bytes);
            let _ = AccountOutline::of_bytes(&bytes);
            let _ = GrantOutline::of_bytes(&bytes);
        }
    }
}
