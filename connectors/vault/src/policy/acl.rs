//! Several policies as one answer: rules of one pattern merged, and the one rule that decides.

use super::template::fill;
use super::{Capabilities, Holder, Limits, Policy, Rule};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// How the server is asked. A list also counts for rules without the slash at a path's end, and
/// `sys/capabilities` answers as for a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    ToList,
    Otherwise,
}

/// The rules of several policies, for one holder.
#[derive(Clone, Debug, Default)]
pub struct Acl {
    root: bool,
    exact: HashMap<String, Permission>,
    prefixes: BTreeMap<String, Permission>,
    segments: BTreeMap<String, Segments>,
}

/// What the merged rules of one pattern allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Permission {
    can: Capabilities,
    limits: Limits,
}

/// A pattern with `+` for a whole segment.
#[derive(Clone, Debug)]
struct Segments {
    parts: Vec<String>,
    prefix: bool,
    rank: Rank,
    permission: Permission,
}

/// What makes one of several matching patterns decide: the greatest does. In this order: the
/// first wildcard stands later; it does not end in a glob; it has fewer `+`; it is longer; it is
/// later in the alphabet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    first_wildcard: usize,
    whole: bool,
    fewer_wildcards: std::cmp::Reverse<usize>,
    length: usize,
    text: String,
}

impl Acl {
    /// Merges policies for one holder at the time `now` (of the server). The error says why the
    /// server cannot answer for them either.
    pub fn new<'a>(
        policies: impl IntoIterator<Item = &'a Policy>,
        holder: Option<&Holder>,
        now: DateTime<Utc>,
    ) -> Result<Acl, String> {
        let mut acl = Acl::default();
        for policy in policies {
            acl.root |= policy.name == Policy::ROOT;
            for rule in &policy.rules {
                if rule.expires.is_some_and(|at| now > at) {
                    continue;
                }
                // The server fills in all paths of a policy as soon as one is templated.
                match fill(&rule.path, holder) {
                    Some(path) => acl.add(&path, rule)?,
                    None => continue,
                }
            }
        }
        Ok(acl)
    }

    fn add(&mut self, path: &str, rule: &Rule) -> Result<(), String> {
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.contains("+*") {
            return Err(format!("the path `{path}` has `+*` in it"));
        }
        let permission = if path == "+" || path.starts_with("+/") || path.contains("/+") {
            let segments = self.segments.entry(path.to_owned());
            &mut segments.or_insert_with(|| Segments::new(path)).permission
        } else if let Some(prefix) = path.strip_suffix('*') {
            self.prefixes.entry(prefix.to_owned()).or_default()
        } else {
            self.exact.entry(path.to_owned()).or_default()
        };
        permission.merge(Permission {
            can: rule.can,
            limits: rule.limits,
        });
        Ok(())
    }

    /// What may be done on a path, and under which limits.
    pub fn on(&self, path: &str, asked: Asked) -> (Capabilities, Limits) {
        if self.root {
            return (Capabilities::ROOT, Limits::default());
        }
        let path = path.trim_start_matches('/');
        let short = path.strip_suffix('/').unwrap_or(path);
        let listed = asked == Asked::ToList;
        let found = self
            .exact
            .get(path)
            .copied()
            .or_else(|| self.exact.get(short).filter(|_| listed).copied())
            .or_else(|| match listed && short != path {
                true => self.inexact(short),
                false => None,
            })
            .or_else(|| self.inexact(path));
        let Permission { can, limits } = found.unwrap_or_default();
        (can, limits)
    }

    /// The words that `sys/capabilities` answers.
    pub fn words(&self, path: &str) -> Vec<&'static str> {
        self.on(path, Asked::ToList).0.words()
    }

    /// Whether nothing is allowed anywhere.
    pub fn is_empty(&self) -> bool {
        !self.root && self.exact.is_empty() && self.prefixes.is_empty() && self.segments.is_empty()
    }

    /// The permission of the deciding rule among globs and `+`.
    fn inexact(&self, path: &str) -> Option<Permission> {
        let prefix = self.longest_prefix(path);
        if self.segments.is_empty() {
            return prefix.map(|(_, permission)| permission);
        }
        let parts: Vec<&str> = path.split('/').collect();
        let best = self
            .segments
            .values()
            .filter(|s| s.matches(&parts))
            .max_by(|a, b| a.rank.cmp(&b.rank));
        match (prefix, best) {
            (Some((text, permission)), Some(segments)) => {
                let rank = Rank {
                    first_wildcard: text.len(),
                    whole: false,
                    fewer_wildcards: std::cmp::Reverse(0),
                    length: text.len(),
                    text: text.to_owned(),
                };
                Some(match rank > segments.rank {
                    true => permission,
                    false => segments.permission,
                })
            }
            (Some((_, permission)), None) => Some(permission),
            (None, best) => best.map(|s| s.permission),
        }
    }

    fn longest_prefix(&self, path: &str) -> Option<(&str, Permission)> {
        let mut end = path;
        loop {
            let range = (Bound::Unbounded, Bound::Included(end));
            let (key, permission) = self.prefixes.range::<str, _>(range).next_back()?;
            if path.starts_with(key.as_str()) {
                return Some((key, *permission));
            }
            // Whatever is a prefix of the path and sorts before `key` is no longer than what
            // both have in common.
            let common = path
                .char_indices()
                .zip(key.chars())
                .find(|((_, a), b)| a != b)
                .map_or(0, |((at, _), _)| at);
            end = path.get(..common)?;
        }
    }
}

impl Permission {
    /// `deny` on either side takes everything else away.
    fn merge(&mut self, other: Permission) {
        *self = match self.can.has(Capabilities::DENY) || other.can.has(Capabilities::DENY) {
            true => Permission {
                can: Capabilities::DENY,
                limits: Limits::default(),
            },
            false => Permission {
                can: self.can.with(other.can),
                limits: self.limits.with(other.limits),
            },
        };
    }
}

impl Segments {
    fn new(path: &str) -> Segments {
        let (text, prefix) = match path.strip_suffix('*') {
            Some(text) => (text, true),
            None => (path, false),
        };
        let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
        Segments {
            rank: Rank {
                first_wildcard: path.find('+').unwrap_or(path.len()),
                whole: !prefix,
                fewer_wildcards: std::cmp::Reverse(parts.iter().filter(|p| *p == "+").count()),
                length: text.len(),
                text: text.to_owned(),
            },
            parts,
            prefix,
            permission: Permission::default(),
        }
    }

    fn matches(&self, path: &[&str]) -> bool {
        let fits = match self.prefix {
            true => path.len() >= self.parts.len(),
            false => path.len() == self.parts.len(),
        };
        let last = self.parts.len() - 1;
        fits && self
            .parts
            .iter()
            .zip(path)
            .enumerate()
            .all(|(at, (own, asked))| {
                own == "+"
                    || own == asked
                    || (self.prefix && at == last && asked.starts_with(own.as_str()))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(texts: &[&str]) -> Acl {
        let policies: Vec<Policy> = texts
            .iter()
            .map(|text| Policy::parse("p", text).unwrap())
            .collect();
        Acl::new(&policies, None, DateTime::UNIX_EPOCH).unwrap()
    }

    /// `pattern=words` pairs as one policy.
    fn rules(pairs: &str) -> String {
        pairs
            .split(' ')
            .map(|pair| {
                let (path, words) = pair.split_once('=').unwrap();
                let words: Vec<String> = words.split(',').map(|w| format!("\"{w}\"")).collect();
                format!(
                    "path \"{path}\" {{ capabilities = [{}] }}\n",
                    words.join(", ")
                )
            })
            .collect()
    }

    #[track_caller]
    fn check(pairs: &str, path: &str, words: &str) {
        assert_eq!(
            acl(&[&rules(pairs)]).words(path).join(","),
            words,
            "{pairs} on {path}"
        );
    }

    #[test]
    fn the_rule_that_decides() {
        check("s/*=read s/db/*=list", "s/db/x", "list");
        check("s/*=read s/db/*=deny", "s/db/x", "deny");
        check("s/*=read s/db=list", "s/db", "list");
        check("s/a*=read s/+=list", "s/ab", "read");
        check("s/+/b=read s/a/+=list", "s/a/b", "list");
        check("s/+=read s/*=list", "s/x", "read");
        check("s/+/b*=read s/+/b=list", "s/x/b", "list");
        check("s/+/+=read s/+/b=list", "s/x/b", "list");
        check("s/+/ba*=read s/+/b*=list", "s/x/bar", "read");
        check("s/+/*=read", "s/x", "deny");
        check("s/+/*=read", "s/x/", "read");
        check("*=read", "anything", "read");
        check("s/b*=read s/bz*=list", "s/by", "read");
        check("+=read", "x", "read");
        check("a+b=read", "axb", "deny");
    }

    #[test]
    fn a_list_looks_without_the_slash_first() {
        check("s/x=read s/*=list", "s/x/", "read");
        check("s/x*=read s/x/*=list", "s/x/", "read");
        let acl = acl(&[&rules("s/x=read s/x/*=list")]);
        assert_eq!(acl.on("s/x/", Asked::Otherwise).0.words(), ["list"]);
    }

    #[test]
    fn policies_merge_by_pattern() {
        let two = acl(&[&rules("s/*=read"), &rules("s/*=list s/x=deny")]);
        assert_eq!(two.words("s/a"), ["list", "read"]);
        assert_eq!(two.words("s/x"), ["deny"]);
        let denied = acl(&[&rules("s/*=deny"), &rules("s/*=read")]);
        assert_eq!(denied.words("s/a"), ["deny"]);
    }

    #[test]
    fn expired_rules_and_root() {
        let text = "path \"a\" { capabilities = [\"read\"] expiration = \"2020-01-01T00:00:00Z\" }";
        let policy = Policy::parse("p", text).unwrap();
        let at = |now: &str| Acl::new([&policy], None, now.parse().unwrap()).unwrap();
        assert_eq!(at("2019-12-31T00:00:00Z").words("a"), ["read"]);
        assert_eq!(at("2020-01-02T00:00:00Z").words("a"), ["deny"]);
        let root = Acl::new([&Policy::root()], None, DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(root.words("anything"), ["root"]);
    }
}
