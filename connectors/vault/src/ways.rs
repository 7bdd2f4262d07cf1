//! Ways of signing in whose accounts are elsewhere: where their roles, groups and users stand,
//! and what of them is told.

use crate::objects::Mount;
use lastkey_contract::facts::Attributes;
use serde_json::Value;
use std::collections::BTreeMap;

/// Roles, groups or users of one auth method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The type of the auth method.
    pub kind: &'static str,
    /// The folder below the method that lists the names.
    pub list: &'static str,
    /// The folder that describes one of them.
    pub read: &'static str,
}

const fn way(kind: &'static str, list: &'static str, read: &'static str) -> Way {
    Way { kind, list, read }
}

/// Every one that is read. Those of `aws`, `azure`, `gcp`, `github` and `okta` are HashiCorp
/// Vault's alone.
pub const WAYS: [Way; 16] = [
    way("aws", "roles", "role"),
    way("azure", "role", "role"),
    way("cert", "certs", "certs"),
    way("gcp", "roles", "role"),
    way("github", "map/teams", "map/teams"),
    way("github", "map/users", "map/users"),
    way("jwt", "role", "role"),
    way("kerberos", "groups", "groups"),
    way("kubernetes", "role", "role"),
    way("ldap", "groups", "groups"),
    way("ldap", "users", "users"),
    way("oidc", "role", "role"),
    way("okta", "groups", "groups"),
    way("okta", "users", "users"),
    way("radius", "users", "users"),
    way("token", "roles", "roles"),
];

impl Way {
    /// The way of a mount with this folder.
    pub fn of(mount: &Mount, list: &str) -> Option<Way> {
        let kind = mount.method();
        WAYS.into_iter().find(|w| w.kind == kind && w.list == list)
    }

    /// The path of one name, which is also its id.
    pub fn path(self, mount: &str, name: &str) -> String {
        format!("auth/{mount}{}/{name}", self.read)
    }

    /// Whether a name is that of a user, who signs in by it.
    pub fn of_users(self) -> bool {
        self.read.ends_with("users")
    }

    /// Whether it is a role to make tokens with, by whoever may.
    pub fn makes_tokens(self) -> bool {
        self.kind == "token"
    }
}

/// Whether the roles of a type of auth method are read at all.
pub fn is_known(method: &str) -> bool {
    matches!(method, "userpass" | "approle") || WAYS.iter().any(|w| w.kind == method)
}

/// What is told of a role: who may take it, and how long its tokens live.
const TOLD: [&str; 42] = [
    "alias_name_source",
    "allowed_common_names",
    "allowed_dns_sans",
    "allowed_email_sans",
    "allowed_entity_aliases",
    "allowed_names",
    "allowed_organizational_units",
    "allowed_policies",
    "allowed_policies_glob",
    "allowed_redirect_uris",
    "allowed_uri_sans",
    "audience",
    "auth_type",
    "bound_account_id",
    "bound_audiences",
    "bound_claims",
    "bound_group_ids",
    "bound_iam_principal_arn",
    "bound_iam_role_arn",
    "bound_projects",
    "bound_regions",
    "bound_service_account_names",
    "bound_service_account_namespace_selector",
    "bound_service_account_namespaces",
    "bound_service_accounts",
    "bound_service_principal_ids",
    "bound_subject",
    "bound_subscription_ids",
    "disallowed_policies",
    "disallowed_policies_glob",
    "groups",
    "groups_claim",
    "orphan",
    "role_type",
    "token_bound_cidrs",
    "token_explicit_max_ttl",
    "token_max_ttl",
    "token_num_uses",
    "token_period",
    "token_ttl",
    "token_type",
    "user_claim",
];

/// What is told of a role as attributes; what is empty or off is left out.
pub fn told(role: &BTreeMap<String, Value>, wanted: &[&str]) -> Attributes {
    let kept = wanted.iter().filter_map(|key| {
        let text = text(role.get(*key)?)?;
        // Times are whole seconds.
        let seconds = key.ends_with("ttl") || key.ends_with("period");
        let text = match seconds && text.bytes().all(|b| b.is_ascii_digit()) {
            true => format!("{text} s"),
            false => text,
        };
        Some(((*key).to_owned(), text))
    });
    kept.collect()
}

/// What is told of a role of an auth method.
pub fn told_of_way(way: Way, role: &BTreeMap<String, Value>) -> Attributes {
    let mut attributes = told(role, &TOLD);
    attributes.insert("auth".to_owned(), way.kind.to_owned());
    attributes
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::Bool(true) => "true".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => return None,
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().filter_map(text).collect::<Vec<_>>().join(" "),
        Value::Object(all) if all.is_empty() => return None,
        Value::Object(_) => value.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mount(kind: &str) -> Mount {
        serde_json::from_value(json!({ "type": kind })).unwrap()
    }

    #[track_caller]
    fn check(kind: &str, list: &str, path: Option<&str>) {
        let found = Way::of(&mount(kind), list).map(|way| way.path("m/", "x"));
        assert_eq!(found.as_deref(), path, "{kind} {list}");
    }

    #[test]
    fn a_way_is_known_by_its_method_and_folder() {
        check("jwt", "role", Some("auth/m/role/x"));
        check("aws", "roles", Some("auth/m/role/x"));
        check("token", "roles", Some("auth/m/roles/x"));
        check("ns_token", "roles", Some("auth/m/roles/x"));
        check("github", "map/teams", Some("auth/m/map/teams/x"));
        check("jwt", "groups", None);
        check("userpass", "users", None);
    }

    #[test]
    fn what_is_told_is_short_and_in_words() {
        let role = json!({
            "token_ttl": 600, "token_max_ttl": 0, "bound_audiences": ["a", "b"], "orphan": false,
            "bound_claims": { "team": ["x"] }, "token_type": "batch", "user_claim": "",
            "groups": null, "certificate": "-----BEGIN", "token_num_uses": 3
        });
        let role: BTreeMap<String, Value> = serde_json::from_value(role).unwrap();
        let found = told_of_way(WAYS[6], &role);
        let wanted = [
            ("auth", "jwt"),
            ("bound_audiences", "a b"),
            ("bound_claims", r#"{"team":["x"]}"#),
            ("token_num_uses", "3"),
            ("token_ttl", "600 s"),
            ("token_type", "batch"),
        ];
        let wanted = wanted.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(found, Attributes::from(wanted));
    }
}
