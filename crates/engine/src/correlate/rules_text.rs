//! Reading rules from TOML, with line and column for everything that cannot be used.
//!
//! `[[rule]]` (name, confidence, compare, account, identity, sources, kinds, agree) for accounts;
//! `precedence` and `[[rule]]` (name, compare, record, of_source, sources, kinds) for persons. A
//! value is the name of a column, or a table of column, before_at, prefix, suffix and pattern.

use super::rules::{Confidence, DECISION, IDENTITY_ID, PersonRule, PersonRules, Rule};
use super::values::{Column, Compare, Take};
use crate::lifecycle::PlanError;
use crate::lifecycle::plan_text::{PlanText, Table, first_line, one_of};
use lastkey_contract::facts::IdentityKind;
use regex::Regex;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const RULE_KEYS: &[&str] = &[
    "name",
    "confidence",
    "compare",
    "account",
    "identity",
    "sources",
    "kinds",
    "agree",
];
const PERSON_KEYS: &[&str] = &["name", "compare", "record", "of_source", "sources", "kinds"];
const TAKE_KEYS: &[&str] = &["column", "before_at", "prefix", "suffix", "pattern"];
const AGREE_KEYS: &[&str] = &["account", "identity"];

/// A pattern of a rule may grow to so much when it is made ready.
const PATTERN_SIZE: usize = 1 << 20;

/// Whose value it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Account,
    Identity,
}

/// The rules for accounts that the text describes, or the first thing in it that cannot be used.
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, PlanError> {
    let places = PlanText(text);
    let document = document(text)?;
    let mut rules: Vec<Rule> = Vec::new();
    for (key, value) in document.get_ref() {
        match key.get_ref().as_ref() {
            "rule" => {
                for table in places.tables(value, "rule")? {
                    let rule = rule(&table)?;
                    new_name(
                        &table,
                        rules.iter().any(|r| r.name == rule.name),
                        &rule.name,
                    )?;
                    rules.push(rule);
                }
            }
            unknown => {
                let message = format!("unknown table `{unknown}`");
                return Err(places.error(key.span(), message, Some(one_of(&["[[rule]]"]))));
            }
        }
    }
    Ok(rules)
}

/// The rules for persons that the text describes, or the first thing in it that cannot be used.
pub fn parse_person_rules(text: &str) -> Result<PersonRules, PlanError> {
    let places = PlanText(text);
    let document = document(text)?;
    let mut rules = PersonRules::default();
    for (key, value) in document.get_ref() {
        match key.get_ref().as_ref() {
            "rule" => {
                for table in places.tables(value, "rule")? {
                    let rule = person_rule(&table)?;
                    let taken = rules.rules.iter().any(|r| r.name == rule.name);
                    new_name(&table, taken, &rule.name)?;
                    rules.rules.push(rule);
                }
            }
            "precedence" => rules.precedence = texts(places, value, "precedence")?,
            unknown => {
                let message = format!("unknown table `{unknown}`");
                let words = &["precedence", "[[rule]]"];
                return Err(places.error(key.span(), message, Some(one_of(words))));
            }
        }
    }
    Ok(rules)
}

fn document(text: &str) -> Result<Spanned<DeTable<'_>>, PlanError> {
    DeTable::parse(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        PlanText(text).error(at, first_line(error.message()), None)
    })
}

fn new_name(table: &Table<'_>, taken: bool, name: &str) -> Result<(), PlanError> {
    if taken {
        let message = format!("there are two rules named `{name}`");
        return Err(table.wrong("name", message, "give each a name of its own".to_owned()));
    }
    Ok(())
}

fn rule(table: &Table<'_>) -> Result<Rule, PlanError> {
    table.only(RULE_KEYS)?;
    let compare = compare(table)?;
    let rule = Rule {
        name: table.required("name", Table::text)?,
        confidence: table
            .word("confidence", Confidence::WORDS, Confidence::from_word)?
            .unwrap_or(Confidence::Likely),
        compare,
        account: table.required("account", |t, k| takes(t, k, (Side::Account, compare)))?,
        identity: table.required("identity", |t, k| takes(t, k, (Side::Identity, compare)))?,
        sources: list(table, "sources")?,
        kinds: kinds(table)?,
        agree: agree(table)?,
    };
    let by_identity_id = rule.account.iter().any(|t| t.column == Column::IdentityId);
    if by_identity_id && !is_own_word(&rule) {
        let message = "`identity_id` is compared whole, exactly and with `id` alone".to_owned();
        let hint = "write account = \"identity_id\", identity = \"id\", compare = \"exact\"";
        return Err(table.wrong("account", message, hint.to_owned()));
    }
    if rule.name == DECISION || (rule.name == IDENTITY_ID) != by_identity_id {
        let message = format!("a rule by {} cannot be named `{}`", by(&rule), rule.name);
        let hint =
            format!("`{IDENTITY_ID}` is the name of the rule by identity_id, and of no other");
        return Err(table.wrong("name", message, hint));
    }
    Ok(rule)
}

/// The rule by identity_id has one form: the id, or `source:id`, of an identity.
fn is_own_word(rule: &Rule) -> bool {
    rule.account == [Take::whole(Column::IdentityId)]
        && rule.identity == [Take::whole(Column::Id)]
        && rule.compare == Compare::Exact
}

fn by(rule: &Rule) -> String {
    rule.account
        .first()
        .map_or_else(String::new, |take| take.words("name"))
}

fn person_rule(table: &Table<'_>) -> Result<PersonRule, PlanError> {
    table.only(PERSON_KEYS)?;
    let compare = compare(table)?;
    let side = (Side::Identity, compare);
    let record = table.required("record", |t, k| {
        t.value(k)
            .map(|value| take(t.text, value, side))
            .transpose()
    })?;
    let mut of_source = Vec::new();
    if let Some(value) = table.value("of_source") {
        let DeValue::Table(values) = value.get_ref() else {
            let message = "`of_source` is not a table".to_owned();
            let hint = "write of_source = { SOURCE = \"COLUMN\" }";
            return Err(table.wrong("of_source", message, hint.to_owned()));
        };
        for (source, value) in values.iter() {
            let take = take(table.text, value, side)?;
            of_source.push((source.get_ref().to_string(), take));
        }
    }
    Ok(PersonRule {
        name: table.required("name", Table::text)?,
        compare,
        record,
        of_source,
        sources: list(table, "sources")?,
        kinds: kinds(table)?,
    })
}

fn compare(table: &Table<'_>) -> Result<Compare, PlanError> {
    Ok(table
        .word("compare", Compare::WORDS, Compare::from_word)?
        .unwrap_or(Compare::Folded))
}

fn kinds(table: &Table<'_>) -> Result<Vec<IdentityKind>, PlanError> {
    let Some(value) = table.value("kinds") else {
        return Ok(Vec::new());
    };
    texts(table.text, value, "kinds")?
        .iter()
        .map(|word| {
            IdentityKind::from_word(word).ok_or_else(|| {
                let message = format!("unknown word `{word}` for `kinds`");
                table.wrong("kinds", message, one_of(IdentityKind::WORDS))
            })
        })
        .collect()
}

fn list(table: &Table<'_>, key: &str) -> Result<Vec<String>, PlanError> {
    table
        .value(key)
        .map_or(Ok(Vec::new()), |value| texts(table.text, value, key))
}

/// A list of texts, or one text.
fn texts(
    places: PlanText<'_>,
    value: &Spanned<DeValue<'_>>,
    key: &str,
) -> Result<Vec<String>, PlanError> {
    let wrong = |at: Range<usize>| {
        let hint = "write texts in quotes, between square brackets".to_owned();
        places.error(at, format!("`{key}` is not a list of texts"), Some(hint))
    };
    match value.get_ref() {
        DeValue::String(text) => Ok(vec![text.to_string()]),
        DeValue::Array(values) => values
            .iter()
            .map(|value| {
                let text = value.get_ref().as_str();
                text.map(str::to_owned).ok_or_else(|| wrong(value.span()))
            })
            .collect(),
        _ => Err(wrong(value.span())),
    }
}

/// One value or several.
fn takes(
    table: &Table<'_>,
    key: &str,
    side: (Side, Compare),
) -> Result<Option<Vec<Take>>, PlanError> {
    let Some(value) = table.value(key) else {
        return Ok(None);
    };
    let takes = match value.get_ref() {
        DeValue::Array(values) => values
            .iter()
            .map(|value| take(table.text, value, side))
            .collect::<Result<Vec<_>, _>>()?,
        _ => vec![take(table.text, value, side)?],
    };
    if takes.is_empty() {
        let message = format!("`{key}` names no column");
        return Err(table.wrong(key, message, one_of(side.0.words())));
    }
    Ok(Some(takes))
}

impl Side {
    fn words(self) -> &'static [&'static str] {
        match self {
            Side::Account => Column::OF_ACCOUNT,
            Side::Identity => Column::OF_IDENTITY,
        }
    }

    fn column(self, word: &str) -> Option<Column> {
        match self {
            Side::Account => Column::of_account(word),
            Side::Identity => Column::of_identity(word),
        }
    }
}

fn take(
    places: PlanText<'_>,
    value: &Spanned<DeValue<'_>>,
    (side, compare): (Side, Compare),
) -> Result<Take, PlanError> {
    let column = |word: &str, at: Range<usize>| {
        side.column(word).ok_or_else(|| {
            let message = format!("`{word}` is not a column");
            places.error(at, message, Some(one_of(side.words())))
        })
    };
    match value.get_ref() {
        DeValue::String(word) => Ok(Take::whole(column(word, value.span())?)),
        DeValue::Table(values) => {
            let table = Table {
                text: places,
                name: "value",
                span: value.span(),
                values,
            };
            table.only(TAKE_KEYS)?;
            let word = table.required("column", Table::text)?;
            let at = table.value("column").map_or(value.span(), Spanned::span);
            let pattern = table
                .text("pattern")?
                .map(|text| pattern(&table, &text, compare));
            Ok(Take {
                column: column(&word, at)?,
                before_at: table.flag("before_at")?.unwrap_or(false),
                prefix: table.text("prefix")?,
                suffix: table.text("suffix")?,
                pattern: pattern.transpose()?,
            })
        }
        _ => {
            let hint = "write \"COLUMN\" or { column = \"COLUMN\", prefix = \"…\" }".to_owned();
            Err(places.error(value.span(), "this is not a value to compare", Some(hint)))
        }
    }
}

/// Values that are compared without their case are matched without it, too.
fn pattern(table: &Table<'_>, text: &str, compare: Compare) -> Result<Regex, PlanError> {
    let wrong = |message: String| {
        let hint = "write a regular expression with one group, such as \"^adm-(.+)$\"";
        table.wrong("pattern", message, hint.to_owned())
    };
    let pattern = regex::RegexBuilder::new(text)
        .size_limit(PATTERN_SIZE)
        .case_insensitive(compare == Compare::Folded)
        .build()
        .map_err(|_| wrong(format!("`{text}` is not a pattern that can be used")))?;
    if pattern.captures_len() != 2 {
        return Err(wrong(format!("`{text}` has not exactly one group")));
    }
    Ok(pattern)
}

fn agree(table: &Table<'_>) -> Result<Vec<(Take, Take)>, PlanError> {
    let Some(value) = table.value("agree") else {
        return Ok(Vec::new());
    };
    let wrong = || {
        let message = "`agree` is not a list of pairs".to_owned();
        let hint = "write agree = [{ account = \"name\", identity = \"display_name\" }]";
        table.wrong("agree", message, hint.to_owned())
    };
    let DeValue::Array(values) = value.get_ref() else {
        return Err(wrong());
    };
    let mut pairs = Vec::new();
    for value in values.iter() {
        let DeValue::Table(values) = value.get_ref() else {
            return Err(wrong());
        };
        let pair = Table {
            text: table.text,
            name: "agree",
            span: value.span(),
            values,
        };
        pair.only(AGREE_KEYS)?;
        let side = |key: &str, side: Side| {
            pair.required(key, |t, k| {
                let taken = t.value(k).map(|v| take(t.text, v, (side, Compare::Folded)));
                taken.transpose()
            })
        };
        pairs.push((
            side("account", Side::Account)?,
            side("identity", Side::Identity)?,
        ));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::super::rules::{DEFAULT_TEXT, default_rules};
    use super::*;

    #[test]
    fn the_text_of_the_default_rules_is_what_they_are() {
        assert_eq!(parse_rules(DEFAULT_TEXT), Ok(default_rules()));
    }

    #[test]
    fn a_rule_takes_part_of_a_value_of_some_identities() {
        let text = r#"
            [[rule]]
            name = "admin login"
            confidence = "possible"
            account = { column = "name", prefix = "adm-", pattern = "^([a-z]+)[0-9]*$" }
            identity = { column = "email", before_at = true }
            sources = ["hr"]
            kinds = "person"
            agree = [{ account = "attributes.displayName", identity = "display_name" }]
        "#;
        let rule = parse_rules(text).unwrap().remove(0);
        assert_eq!(
            (rule.confidence, rule.compare),
            (Confidence::Possible, Compare::Folded)
        );
        let taken = rule.account[0].words("name");
        assert_eq!(taken, "name after `adm-` as in `^([a-z]+)[0-9]*$`");
        assert_eq!(rule.sources, ["hr"]);
        assert_eq!(rule.kinds, [IdentityKind::Person]);
        assert_eq!(rule.agree.len(), 1);
    }

    fn check(text: &str, line: u32, column: u32, message: &str) {
        let error = parse_rules(text).unwrap_err();
        assert_eq!(
            (error.line, error.column, error.message.as_str()),
            (line, column, message),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_place() {
        check("[[rules]]\nname = \"a\"", 1, 3, "unknown table `rules`");
        check("[[rule]]\nname = \"a\"", 1, 1, "[[rule]] has no `account`");
        let with = |line: &str| {
            format!("[[rule]]\nname = \"a\"\naccount = \"id\"\nidentity = \"id\"\n{line}\n")
        };
        check(
            &with("sources = 3"),
            5,
            11,
            "`sources` is not a list of texts",
        );
        check(
            &with("confidence = \"sure\""),
            5,
            14,
            "unknown word `sure` for `confidence`",
        );
        check(
            &with("kinds = [\"dog\"]"),
            5,
            9,
            "unknown word `dog` for `kinds`",
        );
        check(
            "[[rule]]\nname = \"a\"\naccount = [\"id\", \"login\"]\nidentity = \"id\"",
            3,
            18,
            "`login` is not a column",
        );
        check(
            "[[rule]]\nname = \"a\"\naccount = { column = \"id\", pattern = \"a+\" }\nidentity = \"id\"",
            3,
            38,
            "`a+` has not exactly one group",
        );
        check(
            "[[rule]]\nname = \"a\"\naccount = \"identity_id\"\nidentity = \"email\"",
            3,
            11,
            "`identity_id` is compared whole, exactly and with `id` alone",
        );
        check(
            "[[rule]]\nname = \"decision\"\naccount = \"id\"\nidentity = \"id\"",
            2,
            8,
            "a rule by id cannot be named `decision`",
        );
        let twice = with("").repeat(2);
        check(&twice, 7, 8, "there are two rules named `a`");
    }

    #[test]
    fn rules_for_persons_name_columns_for_each_source() {
        let text = r#"
            precedence = ["hr", "vendors"]
            [[rule]]
            name = "employee number"
            compare = "exact"
            record = "id"
            of_source = { vendors = "attributes.employee_number" }
            sources = ["hr", "vendors"]
        "#;
        let rules = parse_person_rules(text).unwrap();
        assert_eq!(rules.precedence, ["hr", "vendors"]);
        let rule = &rules.rules[0];
        let words = |source: &str| {
            rule.take(source, IdentityKind::Person)
                .map(|take| take.words("display_name"))
        };
        assert_eq!(words("hr").as_deref(), Some("id"));
        assert_eq!(
            words("vendors").as_deref(),
            Some("attributes.employee_number")
        );
        assert_eq!(words("payroll"), None);
        let error = parse_person_rules("precedence = 3").unwrap_err();
        assert_eq!((error.line, error.column), (1, 14));
    }
}
