//! Reading an access policy: every mistake has line, column and what was meant.

use super::needs::Needs;
use super::rules::{AccessPolicy, Effect, Rule};
use crate::lifecycle::plan_text::PlanText;
use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use std::collections::HashMap;
use std::str::FromStr;

/// Why a policy cannot be used, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PolicyError {
    pub line: u32,
    pub column: u32,
    /// One sentence in lower case.
    pub message: String,
    pub hint: Option<String>,
}

/// How deep brackets may stand in each other, and how many parts a rule may join.
const DEEPEST: usize = 100;
const MOST_PARTS: usize = 1_000;
const STACK: usize = 64 << 20;

/// Annotations that mean something here, and those that people write for themselves.
const ANNOTATIONS: &[&str] = &["id", "birthright", "reason", "owner", "ticket", "support"];

impl AccessPolicy {
    /// The policy that the text describes, or the first thing in it that cannot be used.
    pub fn parse(text: &str) -> Result<AccessPolicy, PolicyError> {
        not_too_deep(text)?;
        // Cedar goes down into expressions; how deep is bounded, and so is what a caller's stack holds.
        std::thread::scope(|scope| {
            let parser = std::thread::Builder::new().stack_size(STACK);
            let parsed = parser.spawn_scoped(scope, || AccessPolicy::parse_here(text));
            let parsed = parsed.map(|thread| thread.join());
            match parsed {
                Ok(Ok(parsed)) => parsed,
                Ok(Err(_)) | Err(_) => Err(at(text, 0, "the policy could not be looked through")),
            }
        })
    }

    fn parse_here(text: &str) -> Result<AccessPolicy, PolicyError> {
        let set = PolicySet::from_str(text).map_err(|error| said(text, &error, &Names::none()))?;
        if set.templates().next().is_some() {
            let slots = ["?principal", "?resource"];
            let slot = slots.iter().filter_map(|slot| text.find(slot)).min();
            return Err(at(text, slot.unwrap_or(0), "a slot stands for nobody here").hint(
                "name an identity, an entitlement or a system instead of `?principal` or `?resource`",
            ));
        }
        // Cedar numbers policies as they stand in the text.
        let mut policies: Vec<(usize, &Policy)> = set
            .policies()
            .filter_map(|policy| Some((place_of(policy.id())?, policy)))
            .collect();
        policies.sort_by_key(|(place, _)| *place);
        let begins = beginnings(text);
        let begin = |place: usize| begins.get(place).copied().unwrap_or(0);
        let mut names = Names::none();
        let mut lines: HashMap<&str, u32> = HashMap::new();
        for (place, policy) in &policies {
            let (line, _) = PlanText(text).place(begin(*place));
            names.lines.insert(policy.id().to_string(), line);
            let Some(id) = policy.annotation("id") else {
                continue;
            };
            if id.trim().is_empty() {
                return Err(at(text, begin(*place), "`@id` names nothing")
                    .hint("write `@id(\"finance-ledger\")`: it is shown as the reason"));
            }
            if let Some(before) = lines.insert(id, line) {
                let message = format!("`@id(\"{id}\")` stands on line {before} already");
                return Err(at(text, begin(*place), &message)
                    .hint("give each policy an id of its own: it is shown as the reason"));
            }
            names.ids.insert(policy.id().to_string(), id.to_owned());
        }
        let schema = schema()?;
        let checked = Validator::new(schema).validate(&set, ValidationMode::Strict);
        let mut errors: Vec<PolicyError> = checked
            .validation_errors()
            .map(|error| said(text, error, &names))
            .collect();
        errors.sort_by_key(|error| (error.line, error.column));
        if let Some(first) = errors.into_iter().next() {
            return Err(first);
        }
        let mut remarks: Vec<PolicyError> = checked
            .validation_warnings()
            .map(|warning| said(text, warning, &names))
            .collect();
        let mut rules = Vec::new();
        for (number, (place, policy)) in policies.into_iter().enumerate() {
            let rule = rule(text, begin(place), number, policy, &names, &mut remarks)?;
            rules.push(rule);
        }
        let mut policy = AccessPolicy::new(rules, Vec::new());
        if let Some(rule) = policy.permits_everything() {
            let message = format!("`{}` permits everybody everything", rule.name);
            remarks.push(PolicyError {
                line: rule.line,
                column: 1,
                message,
                hint: Some(
                    "say `when` or name what may be held: by it nobody holds too much".to_owned(),
                ),
            });
        }
        remarks.sort_by_key(|remark| (remark.line, remark.column));
        policy.remarks = remarks;
        Ok(policy)
    }
}

fn rule(
    text: &str,
    begin: usize,
    number: usize,
    policy: &Policy,
    names: &Names,
    remarks: &mut Vec<PolicyError>,
) -> Result<Rule, PolicyError> {
    let effect = match policy.effect() {
        cedar_policy::Effect::Permit => Effect::Permit,
        cedar_policy::Effect::Forbid => Effect::Forbid,
    };
    let birthright = match policy.annotation("birthright") {
        None => false,
        Some(value) if !value.is_empty() => {
            let message = format!("`@birthright` takes no value, and has `{value}`");
            return Err(at(text, begin, &message)
                .hint("write `@birthright`, or leave it out where it is none"));
        }
        Some(_) if effect == Effect::Forbid => {
            return Err(at(text, begin, "what is forbidden is nobody's birthright")
                .hint("write `@birthright` before a `permit`"));
        }
        Some(_) => true,
    };
    for (word, _) in policy.annotations() {
        if ANNOTATIONS.contains(&word) {
            continue;
        }
        let message = format!("`@{word}` means nothing to Lastkey");
        let remark = at(text, begin, &message);
        let nearly = ["id", "birthright"]
            .into_iter()
            .find(|known| alike(word, known));
        remarks.push(match nearly {
            Some(known) => remark.hint(&format!("did you mean `@{known}`?")),
            None => remark,
        });
    }
    let (line, _) = PlanText(text).place(begin);
    let form = policy
        .to_json()
        .map_err(|error| at(text, begin, &one_sentence(&error.to_string())))?;
    Ok(Rule {
        name: names.of(policy.id().as_ref()),
        effect,
        birthright,
        line,
        needs: Needs::of(&form),
        policy: policy.new_id(PolicyId::new(number.to_string())),
    })
}

fn schema() -> Result<Schema, PolicyError> {
    let (schema, _) = Schema::from_cedarschema_str(super::SCHEMA).map_err(|error| PolicyError {
        line: 1,
        column: 1,
        message: format!("Lastkey's own schema cannot be read: {error}"),
        hint: None,
    })?;
    Ok(schema)
}

/// What policies are called, by the name that Cedar gave them.
struct Names {
    ids: HashMap<String, String>,
    lines: HashMap<String, u32>,
}

impl Names {
    fn none() -> Names {
        Names {
            ids: HashMap::new(),
            lines: HashMap::new(),
        }
    }

    fn of(&self, cedars: &str) -> String {
        let line = || self.lines.get(cedars).map(|line| format!("line {line}"));
        let id = self.ids.get(cedars).cloned();
        id.or_else(line).unwrap_or_else(|| cedars.to_owned())
    }

    /// A sentence of Cedar's without the names that it gave to policies.
    fn without(&self, sentence: &str) -> String {
        let rest = sentence.strip_prefix("for policy `policy");
        let rest = rest.and_then(|rest| rest.split_once("`, "));
        rest.map_or(sentence, |(_, rest)| rest).to_owned()
    }
}

fn place_of(id: &PolicyId) -> Option<usize> {
    AsRef::<str>::as_ref(id)
        .strip_prefix("policy")?
        .parse()
        .ok()
}

impl PolicyError {
    pub(super) fn hint(mut self, hint: &str) -> PolicyError {
        self.hint = Some(hint.to_owned());
        self
    }
}

fn at(text: &str, byte: usize, message: &str) -> PolicyError {
    let (line, column) = PlanText(text).place(byte);
    PolicyError {
        line,
        column,
        message: message.to_owned(),
        hint: None,
    }
}

/// Cedar's own words, at their place.
fn said(text: &str, found: &dyn Diagnostic, names: &Names) -> PolicyError {
    let label = found.labels().and_then(|mut labels| labels.next());
    let message = one_sentence(&names.without(&found.to_string()));
    let byte = label.as_ref().map_or(0, miette::LabeledSpan::offset);
    let expected = label
        .as_ref()
        .and_then(|label| label.label())
        .map(str::to_owned);
    let help = found.help().map(|help| names.without(&help.to_string()));
    PolicyError {
        hint: help.or(expected),
        ..at(text, byte, &message)
    }
}

fn one_sentence(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refuses what nobody could read any more, before anything goes down into it.
fn not_too_deep(text: &str) -> Result<(), PolicyError> {
    let (mut depth, mut parts) = (0usize, 0usize);
    let mut word = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((byte, c)) = chars.next() {
        if c == '"' {
            while let Some((_, c)) = chars.next() {
                match c {
                    '\\' => drop(chars.next()),
                    '"' => break,
                    _ => {}
                }
            }
            continue;
        }
        if c == '/' && chars.peek().is_some_and(|(_, next)| *next == '/') {
            while chars.next_if(|(_, next)| *next != '\n').is_some() {}
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        parts += usize::from(word == "if");
        word.clear();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '|' | '&' | '+' | '-' | '*' | '!' | '.' => parts += 1,
            ';' => (depth, parts) = (0, 0),
            _ => {}
        }
        if depth > DEEPEST {
            let message = format!("more than {DEEPEST} brackets stand in each other");
            return Err(at(text, byte, &message).hint("write it with fewer, or as several rules"));
        }
        // `||` and `&&` are two signs each.
        if parts > 2 * MOST_PARTS {
            let message = format!("the rule joins more than {MOST_PARTS} parts");
            return Err(at(text, byte, &message).hint(
                "name many values at once, such as `[\"a\", \"b\"].contains(…)`, or write several rules",
            ));
        }
    }
    Ok(())
}

/// Where each policy begins: after the semicolon of the one before, past blanks and remarks.
fn beginnings(text: &str) -> Vec<usize> {
    let mut begins = Vec::new();
    let mut begun = false;
    let mut within = false;
    let mut chars = text.char_indices().peekable();
    while let Some((byte, c)) = chars.next() {
        if within {
            match c {
                '\\' => drop(chars.next()),
                '"' => within = false,
                _ => {}
            }
            continue;
        }
        if c == '/' && chars.peek().is_some_and(|(_, next)| *next == '/') {
            while chars.next_if(|(_, next)| *next != '\n').is_some() {}
            continue;
        }
        if c.is_whitespace() {
            continue;
        }
        if !begun {
            begins.push(byte);
            begun = true;
        }
        match c {
            '"' => within = true,
            ';' => begun = false,
            _ => {}
        }
    }
    begins
}

/// Whether one word may be the other mistyped: sorted letters differ in two at most.
fn alike(a: &str, b: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.to_lowercase().chars().collect();
        letters.sort_unstable();
        letters
    };
    let (a, mut left) = (sorted(a), sorted(b));
    let (length, known) = (a.len(), left.len());
    let mut common = 0;
    for letter in a {
        if let Some(place) = left.iter().position(|other| *other == letter) {
            left.swap_remove(place);
            common += 1;
        }
    }
    known > 3 && length.max(known) - common <= 2
}
