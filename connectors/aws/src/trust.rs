//! Whom a role's trust policy names outside of the account: other accounts, providers, services. Pure.

use crate::objects::account_of;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody whom a trust policy names, who is no user or role of the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outsider {
    Anyone,
    /// The number of another account.
    Account(String),
    /// The ARN of a user or role of another account.
    Principal(String),
    /// An ARN, or a name such as `accounts.google.com`.
    Provider(String),
    /// `lambda.amazonaws.com`
    Service(String),
}

/// Outsiders, each with the conditions of the statements that name it, as JSON.
pub type Named = BTreeMap<Outsider, BTreeSet<String>>;

/// Who is named; None where the document is not understood.
pub fn outsiders(document: &str, own_account: &str) -> Option<Named> {
    let document: Value = serde_json::from_str(document).ok()?;
    let mut named = Named::new();
    for statement in list(document.get("Statement")?) {
        if statement.get("Effect")?.as_str() != Some("Allow") {
            continue;
        }
        let conditions = statement
            .get("Condition")
            .map(Value::to_string)
            .unwrap_or_default();
        let mut add = |who: Outsider| {
            let said = named.entry(who).or_default();
            said.insert(conditions.clone());
        };
        match statement.get("Principal") {
            Some(Value::String(all)) if all == "*" => add(Outsider::Anyone),
            Some(Value::Object(kinds)) => {
                for (kind, names) in kinds {
                    for name in list(names).iter().filter_map(|name| name.as_str()) {
                        if let Some(who) = outsider(kind, name, own_account) {
                            add(who);
                        }
                    }
                }
            }
            // Everybody but those who are named.
            None if statement.get("NotPrincipal").is_some() => add(Outsider::Anyone),
            Some(_) | None => {}
        }
    }
    Some(named)
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

fn outsider(kind: &str, name: &str, own: &str) -> Option<Outsider> {
    let number = name.len() == 12 && name.bytes().all(|b| b.is_ascii_digit());
    match kind {
        "Service" => Some(Outsider::Service(name.to_owned())),
        "Federated" => Some(Outsider::Provider(name.to_owned())),
        "AWS" if name == "*" => Some(Outsider::Anyone),
        "AWS" if number => (name != own).then(|| Outsider::Account(name.to_owned())),
        "AWS" => {
            let account = account_of(name).filter(|account| *account != own)?;
            Some(match name.ends_with(":root") {
                true => Outsider::Account(account.to_owned()),
                false => Outsider::Principal(name.to_owned()),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(principal: &str, who: &[Outsider]) {
        let text = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}},{{"Effect":"Deny","Principal":"*","Action":"*"}}]}}"#
        );
        let named: Vec<Outsider> = outsiders(&text, "111122223333")
            .unwrap()
            .into_keys()
            .collect();
        assert_eq!(named, who, "{principal}");
    }

    #[test]
    fn outsiders_are_told_from_the_account_itself() {
        check(r#"{"AWS":"111122223333"}"#, &[]);
        check(
            r#"{"AWS":["arn:aws:iam::111122223333:user/ann","AIDAGONE"]}"#,
            &[],
        );
        check(
            r#"{"AWS":"444455556666"}"#,
            &[Outsider::Account("444455556666".to_owned())],
        );
        check(
            r#"{"AWS":"arn:aws:iam::444455556666:root"}"#,
            &[Outsider::Account("444455556666".to_owned())],
        );
        let role = "arn:aws:iam::444455556666:role/x";
        check(
            &format!(r#"{{"AWS":"{role}"}}"#),
            &[Outsider::Principal(role.to_owned())],
        );
        check(r#""*""#, &[Outsider::Anyone]);
        check(
            r#"{"Service":"ec2.amazonaws.com","Federated":"accounts.google.com"}"#,
            &[
                Outsider::Provider("accounts.google.com".to_owned()),
                Outsider::Service("ec2.amazonaws.com".to_owned()),
            ],
        );
        assert_eq!(outsiders("{", "1"), None);
    }
}
