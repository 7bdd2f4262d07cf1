//! The rules of a source: which value of an account equals which value of an identity.

use super::values::{Column, Compare, Take};
use crate::lifecycle::Basis;
use lastkey_contract::facts::IdentityKind;

/// How sure a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It only suggests; somebody decides.
    Possible,
    Likely,
    Certain,
}

impl Confidence {
    pub const WORDS: &'static [&'static str] = &["certain", "likely", "possible"];

    pub fn word(self) -> &'static str {
        match self {
            Confidence::Certain => "certain",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        }
    }

    pub fn from_word(word: &str) -> Option<Confidence> {
        [
            Confidence::Certain,
            Confidence::Likely,
            Confidence::Possible,
        ]
        .into_iter()
        .find(|c| c.word() == word)
    }
}

/// One rule. It fits where a value of the account equals one of the identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub name: String,
    pub confidence: Confidence,
    pub compare: Compare,
    /// Any of these of the account, ...
    pub account: Vec<Take>,
    /// ... and any of these of the identity.
    pub identity: Vec<Take>,
    /// Only identities of these sources; of all where empty.
    pub sources: Vec<String>,
    /// Only identities of these kinds; of all where empty.
    pub kinds: Vec<IdentityKind>,
    /// Where both are known they must be equal (folded), or the rule only suggests.
    pub agree: Vec<(Take, Take)>,
}

/// The rule that a decision is: no other may have its name.
pub const DECISION: &str = "decision";
/// The rule of a source's own word.
pub const IDENTITY_ID: &str = "identity id";

impl Rule {
    /// Whether it goes by what the system itself says: the id, or `source:id`, of an identity.
    pub fn is_of_identity_id(&self) -> bool {
        matches!(self.account.as_slice(), [take] if take.column == Column::IdentityId)
    }

    /// How a link by this rule is known: what the system itself says is observed, what somebody
    /// set as certain is attested.
    pub fn basis(&self) -> Basis {
        match (self.is_of_identity_id(), self.confidence) {
            (true, _) => Basis::Observed,
            (false, Confidence::Certain) => Basis::Attested,
            (false, Confidence::Likely | Confidence::Possible) => Basis::Assumed,
        }
    }
}

impl Rule {
    /// Whether it looks at an attribute of the account or of the identity.
    pub fn takes_attributes(&self) -> bool {
        let agree = self
            .agree
            .iter()
            .flat_map(|(account, identity)| [account, identity]);
        let takes = self.account.iter().chain(&self.identity).chain(agree);
        takes
            .into_iter()
            .any(|take| matches!(take.column, Column::Attribute(_)))
    }
}

impl PersonRules {
    /// Whether any of them looks at an attribute.
    pub fn take_attributes(&self) -> bool {
        let takes = |rule: &PersonRule| {
            let of_source = rule.of_source.iter().map(|(_, take)| take);
            std::iter::once(&rule.record)
                .chain(of_source)
                .any(|take| matches!(take.column, Column::Attribute(_)))
        };
        self.rules.iter().any(takes)
    }
}

/// How a link by the rule of this name is known, with its source's rules.
pub fn basis_of(rules: &[Rule], name: &str) -> Basis {
    match name {
        DECISION => Basis::Attested,
        _ => {
            let rule = rules.iter().find(|rule| rule.name == name);
            rule.map_or(Basis::Assumed, Rule::basis)
        }
    }
}

/// The rules of a source that has none of its own: identity id, mail, login.
pub fn default_rules() -> Vec<Rule> {
    let rule = |name: &str, confidence, compare, account, identity| Rule {
        name: name.to_owned(),
        confidence,
        compare,
        account,
        identity,
        sources: Vec::new(),
        kinds: Vec::new(),
        agree: Vec::new(),
    };
    let whole = Take::whole;
    let before_at = Take {
        before_at: true,
        ..whole(Column::Email)
    };
    vec![
        rule(
            IDENTITY_ID,
            Confidence::Certain,
            Compare::Exact,
            vec![whole(Column::IdentityId)],
            vec![whole(Column::Id)],
        ),
        rule(
            "mail",
            Confidence::Likely,
            Compare::Folded,
            vec![whole(Column::Email)],
            vec![whole(Column::Email)],
        ),
        rule(
            "login",
            Confidence::Likely,
            Compare::Folded,
            vec![whole(Column::Id), whole(Column::Name)],
            vec![whole(Column::Id), whole(Column::Email), before_at],
        ),
    ]
}

/// The text that `default_rules` is.
pub const DEFAULT_TEXT: &str = r#"[[rule]]
name = "identity id"
confidence = "certain"
compare = "exact"
account = "identity_id"
identity = "id"

[[rule]]
name = "mail"
confidence = "likely"
account = "email"
identity = "email"

[[rule]]
name = "login"
confidence = "likely"
account = ["id", "name"]
identity = ["id", "email", { column = "email", before_at = true }]
"#;

/// Which rules that every source begins with are not among these, by their names, and the text that
/// brings them back.
pub fn defaults_left_out(rules: &[Rule]) -> (Vec<String>, String) {
    let texts = DEFAULT_TEXT.split_inclusive("\n\n");
    let left: Vec<(String, &str)> = (default_rules().into_iter().zip(texts))
        .filter(|(rule, _)| rules.iter().all(|own| own.name != rule.name))
        .map(|(rule, text)| (rule.name, text))
        .collect();
    left.into_iter().unzip()
}

/// A rule about records of identities: those with equal values are one person.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonRule {
    pub name: String,
    pub compare: Compare,
    /// What is compared; of a source that has a column of its own, that one.
    pub record: Take,
    pub of_source: Vec<(String, Take)>,
    /// Only records of these sources; of all where empty.
    pub sources: Vec<String>,
    /// Only records of these kinds; of all where empty.
    pub kinds: Vec<IdentityKind>,
}

impl PersonRule {
    /// What is taken of a record of this source; None where the rule is not about it.
    pub fn take(&self, source: &str, kind: IdentityKind) -> Option<&Take> {
        let about = (self.sources.is_empty() || self.sources.iter().any(|s| s == source))
            && (self.kinds.is_empty() || self.kinds.contains(&kind));
        about.then(|| self.take_of(source))
    }

    fn take_of(&self, source: &str) -> &Take {
        let own = self.of_source.iter().find(|(name, _)| name == source);
        own.map_or(&self.record, |(_, take)| take)
    }

    /// Whether it goes by the mail of this source's records.
    pub(super) fn takes_mail(&self, source: &str) -> bool {
        self.take_of(source).column == Column::Email
    }
}

/// When records are one person, and whose attributes go first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PersonRules {
    /// Sources, the most trusted first; those that are not named follow in the order in which
    /// they were added.
    pub precedence: Vec<String>,
    pub rules: Vec<PersonRule>,
}
