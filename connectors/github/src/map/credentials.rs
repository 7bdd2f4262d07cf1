//! Credentials: tokens and keys, described and never held.

use super::{key_id, named, put, time};
use crate::objects::{Authorization, DeployKey, PersonalToken, PublicKey, Repository, User};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use lastkey_contract::facts::{Credential, CredentialKind};
use lastkey_contract::{SystemName, When};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A deploy key.
pub fn deploy_key(system: &SystemName, repository: &Repository, key: &DeployKey) -> Credential {
    let id = key_id(key.id);
    let mut made = Credential::of(system.clone(), id.as_str(), CredentialKind::SshKey, &id);
    made.name = named(&key.title);
    made.enabled = Some(key.enabled != Some(false));
    made.created_at = time(&key.created_at);
    made.created_by.clone_from(&key.added_by);
    made.last_used_at = time(&key.last_used);
    put(
        &mut made.attributes,
        "repository",
        Some(repository.name.as_str()),
    );
    put(&mut made.attributes, "key_sha256", public_key(&key.key));
    put(
        &mut made.attributes,
        "read_only",
        key.read_only.map(|yes| yes.to_string()),
    );
    put(
        &mut made.attributes,
        "verified",
        key.verified.map(|yes| yes.to_string()),
    );
    made
}

/// A public SSH key of a member, good wherever their account is.
pub fn member_key(system: &SystemName, user: &User, key: &PublicKey) -> Credential {
    let mut made = Credential::of(
        system.clone(),
        format!("ssh-key/{}", key.id),
        CredentialKind::SshKey,
        &user.id.to_string(),
    );
    made.name = Some(format!("SSH key of {}", user.login));
    made.created_at = time(&key.created_at);
    made.last_used_at = time(&key.last_used);
    put(&mut made.attributes, "key_sha256", public_key(&key.key));
    made
}

/// The fingerprint of a public key as `ssh-keygen -l` shows it.
fn public_key(text: &str) -> Option<String> {
    let blob = STANDARD.decode(text.split_whitespace().nth(1)?).ok()?;
    Some(format!(
        "SHA256:{}",
        STANDARD_NO_PAD.encode(Sha256::digest(blob))
    ))
}

/// A fine-grained token with access to the organisation.
pub fn personal_token(system: &SystemName, token: &PersonalToken) -> Credential {
    let mut made = Credential::of(
        system.clone(),
        format!("fine-grained-token/{}", token.id),
        CredentialKind::Token,
        &token.owner.id.to_string(),
    );
    made.name = token.token_name.clone().filter(|name| !name.is_empty());
    made.enabled = Some(!token.token_expired);
    made.expires_at = time(&token.token_expires_at);
    made.last_used_at = time(&token.token_last_used_at);
    let words = |permissions: &BTreeMap<String, String>| {
        let words: Vec<String> = permissions
            .iter()
            .map(|(what, how)| format!("{what}:{how}"))
            .collect();
        words.join(" ")
    };
    for (of, permissions) in &token.permissions {
        put(
            &mut made.attributes,
            &format!("permissions.{of}"),
            Some(words(permissions)),
        );
    }
    put(
        &mut made.attributes,
        "repositories",
        token.repository_selection.clone(),
    );
    put(
        &mut made.attributes,
        "access_granted_at",
        time(&token.access_granted_at).map(When::to_text),
    );
    put(
        &mut made.attributes,
        "token_id",
        token.token_id.map(|id| id.to_string()),
    );
    made
}

/// A classic token or SSH key that was let through the single sign-on. `account` is whose it is,
/// where the organisation knows the login.
pub fn authorization(
    system: &SystemName,
    authorized: &Authorization,
    account: Option<&str>,
) -> Credential {
    let kind = match authorized.credential_type.to_lowercase().as_str() {
        "ssh key" => CredentialKind::SshKey,
        _ => CredentialKind::Token,
    };
    let mut made = Credential::of(
        system.clone(),
        format!("authorization/{}", authorized.credential_id),
        kind,
        account.unwrap_or_default(),
    );
    made.account_id = account.map(Into::into);
    let said = [
        &authorized.authorized_credential_note,
        &authorized.authorized_credential_title,
    ];
    made.name = said
        .into_iter()
        .flatten()
        .find(|text| !text.is_empty())
        .cloned();
    made.expires_at = time(&authorized.authorized_credential_expires_at);
    made.last_used_at = time(&authorized.credential_accessed_at);
    put(
        &mut made.attributes,
        "login",
        Some(authorized.login.as_str()),
    );
    put(
        &mut made.attributes,
        "type",
        Some(authorized.credential_type.as_str()),
    );
    put(
        &mut made.attributes,
        "scopes",
        Some(authorized.scopes.join(" ")),
    );
    put(
        &mut made.attributes,
        "key_fingerprint",
        authorized.fingerprint.clone(),
    );
    put(
        &mut made.attributes,
        "authorized_at",
        time(&authorized.credential_authorized_at).map(When::to_text),
    );
    let id = authorized.authorized_credential_id.map(|id| id.to_string());
    put(&mut made.attributes, "token_id", id);
    made
}
