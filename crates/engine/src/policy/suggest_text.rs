//! Suggestions as a policy: text that `policy load --draft` takes, with the support of each rule and
//! its exceptions beside it.

use super::matrix::{NOBODYS, Row, quoted, rule_of};
use super::rules::AccessPolicy;
use super::suggest::{NotCounted, Suggested, Suggestion, people_in_words};
use super::text::PolicyError;
use lastkey_contract::facts::IdentityKind;
use std::collections::{BTreeMap, BTreeSet};

/// The policy that suggestions make, as text: each with its support and its exceptions beside it.
/// `unread` is said at its head.
pub fn policy_of_suggestions(
    suggested: &Suggested,
    unread: &[String],
) -> Result<String, PolicyError> {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str("// ");
        text.push_str(&in_one_line(&line));
        text.push('\n');
    };
    say(
        "A policy to begin with, from what people with the same attributes hold. It decides nothing"
            .to_owned(),
    );
    say(
        "until it is loaded; what people hold is not what they need: look at each rule first."
            .to_owned(),
    );
    let NotCounted {
        not_people,
        outsiders,
        left,
        not_begun,
    } = &suggested.not_counted;
    say(format!(
        "{} people count. Not counted: left {left}; not begun {not_begun}; at a vendor {outsiders}; vendors, workloads and agents {not_people}.",
        suggested.people
    ));
    if suggested.nobodys_accounts > 0 {
        say(format!(
            "{} accounts are nobody's for certain: what they hold counts for nobody.",
            suggested.nobodys_accounts
        ));
    }
    for name in &suggested.nobody_has {
        say(format!("Nobody who counts has a value of `{name}`."));
    }
    for line in unread {
        say(format!(
            "Missing: {line}; more may be held than is counted."
        ));
    }
    let mut rules = Vec::new();
    for one in &suggested.suggestions {
        let mut note = String::from("\n");
        let (name, support) = (format!("{}:{}", one.system, one.id), one.support());
        let privileged = match one.privileged {
            Some(true) => " It is privileged.",
            Some(false) | None => "",
        };
        let line = format!("{name}: {support}.{privileged}{}", one.exceptions());
        note.push_str(&format!("// {}\n", in_one_line(&line)));
        let row = one.row();
        let annotations = format!(" @support({})", quoted(&support));
        note.push_str(&rule_of(&one.policy, &annotations, &row, &row.permitted));
        rules.push(note);
    }
    text.extend(rules);
    if !suggested.exceptions.is_empty() {
        text.push_str("\n// Held without a suggestion; where a rule speaks for the system, it would not be permitted:\n");
    }
    for one in &suggested.exceptions {
        let many = one.people + one.others;
        let line = format!(
            "{}:{}: {} ({} of those who count, {} others)",
            one.system,
            one.id,
            some(&one.identities, many),
            one.people,
            one.others
        );
        text.push_str(&format!("// {}\n", in_one_line(&line)));
    }
    if suggested.exceptions_left_out > 0 {
        let more = suggested.exceptions_left_out;
        text.push_str(&format!("// and {more} more entitlements\n"));
    }
    // What is written here is checked like any other policy.
    AccessPolicy::parse(&text)?;
    Ok(text)
}

impl Suggestion {
    /// `47 of 50 with department Finance hold it`.
    fn support(&self) -> String {
        let (hold, of, who) = (self.hold, self.of, people_in_words(&self.people));
        match self.people.is_empty() {
            true => format!("{hold} of {of} people hold it"),
            false => format!("{hold} of {of} with {who} hold it"),
        }
    }

    fn exceptions(&self) -> String {
        match self.of.saturating_sub(self.hold) {
            0 => String::new(),
            many => format!(" Without it: {}.", some(&self.without, many)),
        }
    }

    fn row(&self) -> Row {
        let mut who: BTreeMap<String, String> = self.people.iter().cloned().collect();
        who.insert("kind".to_owned(), IdentityKind::Person.word().to_owned());
        who.insert("employer".to_owned(), NOBODYS.to_owned());
        Row {
            id: self.policy.clone(),
            who,
            permitted: BTreeSet::from([format!("{}:{}", self.system, self.id)]),
            birthright: BTreeSet::new(),
        }
    }
}

/// `ann, ben and 3 more`.
fn some(named: &[String], of: u64) -> String {
    let all = named.join(", ");
    match of.saturating_sub(count(named.len())) {
        0 => all,
        more => format!("{all} and {more} more"),
    }
}

/// A remark that stays one, whatever stands in the names of things.
fn in_one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        match c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            true => line.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            false => line.push(c),
        }
    }
    line
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
