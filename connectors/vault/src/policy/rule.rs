//! A policy as its rules: which path, what may be done there, under which limits, until when.

use super::Capabilities;
use super::hcl::{self, Item, Value};
use super::template::is_templated;
use chrono::{DateTime, Utc};

/// A policy, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub name: String,
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// As written: templates are not filled in, wildcards stand.
    pub path: String,
    pub templated: bool,
    pub can: Capabilities,
    pub limits: Limits,
    /// From then on the rule does not count.
    pub expires: Option<DateTime<Utc>>,
}

/// Conditions on a request that its path does not tell: whether they let it through depends on
/// what is sent. They take nothing away from what could be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits(u8);

impl Limits {
    const WORDS: [(&'static str, u8); 8] = [
        ("allowed_parameters", 1),
        ("denied_parameters", 2),
        ("required_parameters", 4),
        ("min_wrapping_ttl", 8),
        ("max_wrapping_ttl", 16),
        ("mfa_methods", 32),
        ("pagination_limit", 64),
        ("list_scan_response_keys_filter_path", 128),
    ];

    /// The server's words for them.
    pub fn words(self) -> Vec<&'static str> {
        Self::WORDS
            .iter()
            .filter(|(_, bit)| self.0 & bit != 0)
            .map(|(word, _)| *word)
            .collect()
    }

    /// Both.
    pub fn with(self, other: Limits) -> Limits {
        Limits(self.0 | other.0)
    }
}

impl Policy {
    /// The policy of this name, which has no text: it allows everything.
    pub const ROOT: &'static str = "root";

    /// Reads a policy's text; the error says why it cannot be decided.
    pub fn parse(name: &str, text: &str) -> Result<Policy, String> {
        let mut rules = Vec::new();
        for item in hcl::parse(text)? {
            match item.keys.split_first() {
                Some((key, keys)) if key == "path" => rules.push(rule(keys, &item.value)?),
                // its own name, which the server does not go by
                Some((key, _)) if key == "name" => {}
                _ => return Err(format!("`{}` beside its paths", item.keys.join(" "))),
            }
        }
        Ok(Policy {
            name: name.to_owned(),
            rules,
        })
    }

    /// The policy that allows everything.
    pub fn root() -> Policy {
        Policy {
            name: Self::ROOT.to_owned(),
            rules: Vec::new(),
        }
    }

    /// Whether what it allows depends on who holds it.
    pub fn templated(&self) -> bool {
        self.rules.iter().any(|rule| rule.templated)
    }
}

fn rule(keys: &[String], value: &Value) -> Result<Rule, String> {
    // `path { … }` without a name is a rule for the path `path`.
    let path = keys.first().map_or("path", String::as_str).to_owned();
    let Value::Object(items) = value else {
        return Err(format!("the path `{path}` has no rules in braces"));
    };
    let mut can = Capabilities::NONE;
    let mut old: Option<&str> = None;
    let mut limits = Limits::default();
    let mut expires = None;
    for item in items {
        let key = item.keys.first().map_or("", String::as_str);
        match key {
            "capabilities" => can = can.with(capabilities(&path, item)?),
            "policy" => match &item.value {
                Value::Text(word) => old = Some(word.as_str()),
                _ => return Err(format!("the path `{path}` has a policy that is no text")),
            },
            "expiration" => expires = Some(moment(&path, &item.value)?),
            "comment" => {}
            _ => match Limits::WORDS.iter().find(|(word, _)| *word == key) {
                Some((_, bit)) => limits.0 |= bit,
                None => return Err(format!("the path `{path}` has `{key}`, which is not known")),
            },
        }
    }
    if let Some(word) = old {
        can = can.with(old_style(&path, word)?);
    }
    if can.has(Capabilities::DENY) || old == Some("deny") {
        can = Capabilities::DENY;
        limits = Limits::default();
    }
    Ok(Rule {
        templated: is_templated(&path),
        path,
        can,
        limits,
        expires,
    })
}

fn capabilities(path: &str, item: &Item) -> Result<Capabilities, String> {
    let Value::List(list) = &item.value else {
        return Err(format!(
            "the path `{path}` has capabilities that are no list"
        ));
    };
    let mut can = Capabilities::NONE;
    for value in list {
        let found = match value {
            Value::Text(word) => Capabilities::from_word(word)
                .filter(|c| *c != Capabilities::ROOT)
                .ok_or_else(|| format!("the path `{path}` has the capability `{word}`"))?,
            Value::Other(_) | Value::List(_) | Value::Object(_) => {
                return Err(format!(
                    "the path `{path}` has a capability that is no text"
                ));
            }
        };
        can = can.with(found);
    }
    Ok(can)
}

/// What policies said before there were capabilities.
fn old_style(path: &str, word: &str) -> Result<Capabilities, String> {
    let read = Capabilities::READ.with(Capabilities::LIST);
    let write = read
        .with(Capabilities::CREATE)
        .with(Capabilities::UPDATE)
        .with(Capabilities::DELETE);
    match word {
        "deny" => Ok(Capabilities::DENY),
        "read" => Ok(read),
        "write" => Ok(write),
        "sudo" => Ok(write.with(Capabilities::SUDO)),
        // as if it were not there
        "" => Ok(Capabilities::NONE),
        other => Err(format!("the path `{path}` has the policy `{other}`")),
    }
}

fn moment(path: &str, value: &Value) -> Result<DateTime<Utc>, String> {
    let (Value::Text(text) | Value::Other(text)) = value else {
        return Err(format!("the path `{path}` expires at no time"));
    };
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .ok()
        .or_else(|| DateTime::from_timestamp(text.parse().ok()?, 0))
        .ok_or_else(|| format!("the path `{path}` expires at `{text}`, which is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Rule {
        Policy::parse("p", text).unwrap().rules.remove(0)
    }

    #[track_caller]
    fn check(body: &str, words: &[&str]) {
        assert_eq!(
            first(&format!("path \"a\" {{ {body} }}")).can.words(),
            words,
            "{body}"
        );
    }

    #[test]
    fn what_a_rule_allows() {
        check(r#"capabilities = ["read", "list"]"#, &["list", "read"]);
        check(
            r#"capabilities = ["read"] capabilities = ["list"]"#,
            &["list", "read"],
        );
        check(r#"capabilities = ["read", "deny", "sudo"]"#, &["deny"]);
        check("capabilities = []", &["deny"]);
        check(r#"policy = "read""#, &["list", "read"]);
        check(r#"policy = "deny" capabilities = ["read"]"#, &["deny"]);
        check(
            r#"policy = "sudo""#,
            &["create", "delete", "list", "read", "sudo", "update"],
        );
    }

    #[test]
    fn limits_and_expiry_are_kept() {
        let rule = first(
            r#"path "a" { capabilities = ["read"] required_parameters = ["version"] min_wrapping_ttl = "1s" expiration = "2030-01-01T00:00:00Z" comment = "x" }"#,
        );
        assert_eq!(
            rule.limits.words(),
            ["required_parameters", "min_wrapping_ttl"]
        );
        assert_eq!(
            rule.expires.unwrap().to_rfc3339(),
            "2030-01-01T00:00:00+00:00"
        );
    }

    #[test]
    fn what_cannot_be_decided_has_a_reason() {
        for text in [
            r#"path "a" { capabilities = ["fly"] }"#,
            r#"path "a" { capabilities = ["root"] }"#,
            r#"path "a" { capabilities = "read" }"#,
            r#"path "a" { policy = "fly" }"#,
            r#"path "a" { control_group = {} }"#,
            r#"path "a" { expiration = "soon" }"#,
            r#"path "a" = 1"#,
            r#"rule "a" {}"#,
        ] {
            assert!(Policy::parse("p", text).is_err(), "{text}");
        }
    }
}
