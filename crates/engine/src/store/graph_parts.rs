//! What the graph takes of facts, read without the rest.

use lastkey_contract::When;
use lastkey_contract::facts::{
    ControlMeans, CredentialKind, EntitlementKind, LocationKind, Principal,
};
use serde::Deserialize;
use std::borrow::Cow;

#[derive(Deserialize)]
pub struct EntitlementPart<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub id: Cow<'t, str>,
    pub kind: Option<EntitlementKind>,
    pub privileged: Option<bool>,
    #[serde(borrow)]
    pub environment: Option<Cow<'t, str>>,
}

#[derive(Deserialize)]
pub struct CredentialPart<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub id: Cow<'t, str>,
    pub kind: CredentialKind,
    pub enabled: Option<bool>,
    #[serde(borrow)]
    pub environment: Option<Cow<'t, str>>,
    #[serde(borrow)]
    pub created_by: Option<Cow<'t, str>>,
    pub revoked_at: Option<When>,
    pub expires_at: Option<When>,
    #[serde(borrow)]
    pub fingerprint: Option<Cow<'t, str>>,
}

#[derive(Deserialize)]
pub struct LocationPart<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub path: Cow<'t, str>,
    pub kind: Option<LocationKind>,
    #[serde(borrow)]
    pub environment: Option<Cow<'t, str>>,
    #[serde(borrow)]
    pub credential_system: Option<Cow<'t, str>>,
    #[serde(borrow)]
    pub fingerprint: Option<Cow<'t, str>>,
}

#[derive(Deserialize)]
pub struct ControlPart<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    pub means: ControlMeans,
}

/// Where the account is through which one signs in.
#[derive(Deserialize)]
pub struct ThroughPart<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub signs_in_through_system: Option<Cow<'t, str>>,
}

/// What a grant, a reader or a control line names, where nothing else does.
#[derive(Deserialize)]
pub struct EndsPart {
    pub system: String,
    pub entitlement_id: Option<String>,
    pub path: Option<String>,
    pub principal: Principal,
}
