//! Whose account is this, and why: an answer that explains itself, and what waits for a decision.

use crate::correlate::{
    AccountKeys, Confidence, DECISION, Doubt, IdentityKeys, Pair, Rule, Taken, by_earlier_value,
    default_rules, fit, left_out, likeness, parse_rules, search_words, values,
};
use crate::lifecycle::Basis;
use crate::store::{
    AccountName, CANDIDATES, DecisionRecord, Holders, LinkState, LinkedAccount, RecordName,
    RulesOf, Store, StoreError,
};
use serde::Serialize;
use std::collections::BTreeSet;
use ts_rs::TS;

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LinkLine {
    /// `system:id`.
    pub account: String,
    pub source: String,
    /// Whether the source only adds to what the system's own source has of it.
    pub supplement: bool,
    pub name: Option<String>,
    pub email: Option<String>,
    pub kind: Option<String>,
    pub enabled: Option<bool>,
    pub privileged: Option<bool>,
    pub state: String,
    /// `source:id` of the record.
    pub identity: Option<String>,
    pub rule: Option<String>,
    pub candidates: Vec<String>,
    /// What speaks against it, in words.
    pub doubt: Option<String>,
}

/// How many accounts stand how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LinkCount {
    pub state: String,
    pub count: u64,
    /// How many of them are rows of supplements: the system's own source may list the same account.
    #[serde(skip_serializing_if = "is_none")]
    #[ts(as = "Option<u64>", optional)]
    pub supplements: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The answer about one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LinkExplained {
    #[serde(flatten)]
    pub line: LinkLine,
    pub confidence: Option<String>,
    pub basis: Option<Basis>,
    /// Who decided, when and why, where somebody did.
    pub decision: Option<DecisionLine>,
    /// The rules of the source in their order, as far as they were asked.
    pub rules: Vec<RuleAsked>,
    /// Those whom it is, or could be, of.
    pub persons: Vec<Candidate>,
    /// Where it is of nobody: who is called alike, the most alike first.
    pub nearest: Vec<Nearest>,
    pub remarks: Vec<String>,
}

/// A decision in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DecisionLine {
    pub number: i64,
    pub what: String,
    /// `system:id` of an account, or `source:id` of a record.
    pub of: String,
    pub to: Option<String>,
    pub who: String,
    pub at: String,
    pub why: String,
    pub undoes: Option<i64>,
    pub undone_by: Option<i64>,
}

/// One rule and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RuleAsked {
    pub rule: String,
    pub confidence: String,
    /// What it goes by: `column value` of the account.
    pub values: Vec<String>,
    pub outcome: String,
}

/// Somebody whom an account is, or could be, of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Candidate {
    /// `source:id`.
    pub identity: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub start_date: Option<String>,
    /// The values that are equal.
    pub equal: Vec<String>,
    /// The values that should agree and do not.
    pub differs: Vec<String>,
}

/// Somebody who is called alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Nearest {
    pub identity: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// Hundredths.
    pub likeness: u8,
}

/// Less alike than this is not alike.
const ALIKE: u8 = 40;
/// How many of those who are called alike are named.
const NAMED: usize = 5;

/// How many accounts stand how.
pub async fn link_counts(store: &Store) -> Result<Vec<LinkCount>, StoreError> {
    let counts = store.link_counts().await?;
    Ok(counted(counts, &store.links_beside(None).await?))
}

/// How many stand how, with how many of them are supplements'.
pub(super) fn counted(
    counts: Vec<(LinkState, u64)>,
    beside: &[(LinkState, u64)],
) -> Vec<LinkCount> {
    let counts = counts.into_iter().map(|(state, count)| LinkCount {
        state: state.word().to_owned(),
        count,
        supplements: beside
            .iter()
            .find(|(of, _)| *of == state)
            .map_or(0, |(_, beside)| *beside),
    });
    counts.collect()
}

/// A window of the accounts that stand so.
pub async fn links(
    store: &Store,
    state: LinkState,
    offset: u64,
    limit: u32,
) -> Result<Vec<LinkLine>, StoreError> {
    let rows = store.links_window(state, offset, limit).await?;
    Ok(rows.iter().map(line).collect())
}

/// A window of what was decided, the latest first, and how much there is.
pub async fn decisions(
    store: &Store,
    offset: u64,
    limit: u32,
) -> Result<(Vec<DecisionLine>, u64), StoreError> {
    let (rows, total) = store.decisions(offset, limit).await?;
    Ok((rows.into_iter().map(of_decision).collect(), total))
}

pub(super) fn of_decision(row: DecisionRecord) -> DecisionLine {
    DecisionLine {
        number: row.id,
        of: format!("{}:{}", row.scope, row.name),
        to: row
            .other_scope
            .zip(row.other_name)
            .map(|(scope, name)| format!("{scope}:{name}")),
        what: row.what,
        who: row.who,
        at: row.at,
        why: row.why,
        undoes: row.undoes,
        undone_by: row.undone_by,
    }
}

pub(super) fn line(linked: &LinkedAccount) -> LinkLine {
    let account = &linked.account;
    LinkLine {
        account: format!("{}:{}", account.system, account.id),
        source: linked.source_name.clone(),
        supplement: linked.supplement,
        name: account.name.clone(),
        email: account.email.clone(),
        kind: account.kind.map(|k| k.to_string()),
        enabled: account.enabled,
        privileged: account.privileged,
        state: linked.state.word().to_owned(),
        identity: linked.record.as_ref().map(ToString::to_string),
        rule: (!linked.rule.is_empty()).then(|| linked.rule.clone()),
        candidates: linked.candidates.clone(),
        doubt: linked.doubt.as_deref().map(doubt_in_words),
    }
}

fn doubt_in_words(word: &str) -> String {
    let doubt = Doubt::from_word(word);
    doubt.map_or_else(|| word.to_owned(), |doubt| doubt.in_words().to_owned())
}

/// Why an account is whose it is; one answer for each source that carries it.
pub async fn explain_link(
    store: &Store,
    account: &AccountName,
) -> Result<Vec<LinkExplained>, StoreError> {
    let mut answers = Vec::new();
    for linked in store.link_of(account).await? {
        answers.push(explained(store, account, &linked).await?);
    }
    Ok(answers)
}

async fn explained(
    store: &Store,
    name: &AccountName,
    linked: &LinkedAccount,
) -> Result<LinkExplained, StoreError> {
    let keys = AccountKeys::of(linked.source, &linked.account);
    let rules = rules_of(store, &linked.source_name).await?;
    let by_earlier = by_earlier_value(&linked.rule);
    let deciding = by_earlier.unwrap_or(&linked.rule);
    let deciding = rules.iter().find(|rule| rule.name == deciding);
    let before = store.account_before(linked.source, name).await?;
    let decided = store.decisions_about(&name.system, &name.id).await?;
    let decision = decided
        .into_iter()
        .find(|d| d.scope == name.system && d.name == name.id);
    let by_decision = linked.rule == DECISION || linked.state == LinkState::Nobodys;
    let mut remarks = Vec::new();
    if handed_on(&store.holders(Holders::Account(name)).await?) {
        remarks.push(format!(
            "this id may have been reused: `{name}` had another name and another date of creation before"
        ));
    }
    if !by_decision && (by_earlier.is_some() || linked.state != LinkState::Linked) {
        remarks.extend(had_before(&rules, &keys, &before));
    }
    let mut persons = Vec::new();
    let records = linked.record.iter().map(ToString::to_string);
    let records: Vec<String> = records.chain(linked.candidates.iter().cloned()).collect();
    for record in &records {
        let Some((source, id)) = record.split_once(':') else {
            continue;
        };
        let record = RecordName {
            source: source.to_owned(),
            id: id.to_owned(),
        };
        match store.record_keys(&record).await? {
            Some(identity) => {
                let holders = store.holders(Holders::Identity(id)).await?;
                let own: Vec<_> = holders
                    .into_iter()
                    .filter(|(source, _)| *source == identity.source)
                    .collect();
                if handed_on(&own) {
                    remarks.push(format!(
                        "this id may have been reused: `{record}` had another name and another start date before"
                    ));
                }
                let mut person = candidate(&record, &identity, deciding, &keys);
                if !by_decision && person.equal.is_empty() {
                    person.equal = equal_before(&record, &identity, &rules, &before);
                }
                if !by_decision && person.equal.is_empty() {
                    remarks.push(format!(
                        "`{record}` has no such value now: it, or another record of the same person, \
                         had such a value before"
                    ));
                }
                persons.push(person);
            }
            None => remarks.push(format!("`{record}` is not listed now")),
        }
    }
    let nearest = match linked.state {
        LinkState::Unmatched => nearest(store, &keys).await?,
        LinkState::Linked
        | LinkState::Ambiguous
        | LinkState::Possible
        | LinkState::Nobodys
        | LinkState::Gone => Vec::new(),
    };
    Ok(LinkExplained {
        confidence: linked.confidence.map(|sure| sure.word().to_owned()),
        basis: linked.basis,
        decision: decision.map(of_decision),
        rules: match by_decision {
            true => Vec::new(),
            false => asked(&rules, &keys, linked, &before),
        },
        persons,
        nearest,
        remarks,
        line: line(linked),
    })
}

async fn rules_of(store: &Store, source: &str) -> Result<Vec<Rule>, StoreError> {
    let text = store.link_rules(&RulesOf::Source(source.into())).await?;
    Ok(parse_rules(&text).unwrap_or_else(|_| default_rules()))
}

/// How many values that an account had are told.
const TOLD: usize = 5;

/// What rules could go by once, and cannot now.
fn had_before(
    rules: &[Rule],
    now: &AccountKeys,
    before: &[(AccountKeys, Option<String>)],
) -> Vec<String> {
    let taken_of = |keys: &AccountKeys| -> BTreeSet<String> {
        let all = rules.iter().flat_map(|rule| values(rule, keys));
        all.map(|value| taken(&value)).collect()
    };
    let now = taken_of(now);
    let mut told = Vec::new();
    for (keys, until) in before.iter().rev() {
        let had: Vec<String> = taken_of(keys).difference(&now).cloned().collect();
        if !had.is_empty() {
            let until = until.as_deref().unwrap_or("a date that is not known");
            told.push(format!("until {until} the account had {}", had.join(", ")));
        }
    }
    told.truncate(TOLD);
    told
}

/// The values that were equal, of the latest that were.
fn equal_before(
    record: &RecordName,
    identity: &IdentityKeys,
    rules: &[Rule],
    before: &[(AccountKeys, Option<String>)],
) -> Vec<String> {
    let mut fits = before.iter().rev().flat_map(|(keys, until)| {
        rules.iter().map(move |rule| {
            let fit = candidate(record, identity, Some(rule), keys);
            (fit.equal, until)
        })
    });
    match fits.find(|(equal, _)| !equal.is_empty()) {
        Some((equal, until)) => {
            let until = until.as_deref().unwrap_or("a date that is not known");
            let equal = equal.into_iter();
            equal
                .map(|pair| format!("{pair} (until {until})"))
                .collect()
        }
        None => Vec::new(),
    }
}

/// Whether one version was another holder's than the one before.
fn handed_on(holders: &[(i64, crate::correlate::Seen)]) -> bool {
    let mut pairs = holders.iter().zip(holders.iter().skip(1));
    pairs.any(|((_, before), (_, after))| before.is_another(after))
}

/// Why a rule goes by nothing that an account has.
fn without_value(rule: &Rule, account: &AccountKeys) -> String {
    let left: Vec<String> = left_out(rule, account)
        .iter()
        .map(|taken| format!("`{}` is no {}", taken.value, taken.from))
        .collect();
    match left.is_empty() {
        true => "the account has no such value".to_owned(),
        false => format!("takes nothing: {}", left.join(", ")),
    }
}

fn asked(
    rules: &[Rule],
    account: &AccountKeys,
    linked: &LinkedAccount,
    before: &[(AccountKeys, Option<String>)],
) -> Vec<RuleAsked> {
    let mut asked = Vec::new();
    for rule in rules {
        let known = values(rule, account);
        let decides = rule.name == linked.rule;
        let outcome = match (decides, known.is_empty()) {
            (true, _) => outcome(linked),
            (false, true) => without_value(rule, account),
            (false, false) => "leads to nobody".to_owned(),
        };
        asked.push(RuleAsked {
            rule: rule.name.clone(),
            confidence: rule.confidence.word().to_owned(),
            values: known.iter().map(taken).collect(),
            outcome,
        });
        // A rule that decides ends it; one that only fits lets the next ones have their say.
        if decides && linked.state != LinkState::Possible {
            break;
        }
        if decides && rule.confidence != Confidence::Possible && doubted_for_good(linked) {
            break;
        }
    }
    let earlier = by_earlier_value(&linked.rule);
    let earlier = rules
        .iter()
        .find(|rule| Some(rule.name.as_str()) == earlier);
    if let Some(rule) = earlier {
        let had = before.iter().rev().map(|(keys, _)| values(rule, keys));
        let had = had.into_iter().find(|values| !values.is_empty());
        asked.push(RuleAsked {
            rule: linked.rule.clone(),
            confidence: rule.confidence.word().to_owned(),
            values: had.unwrap_or_default().iter().map(taken).collect(),
            outcome: outcome(linked),
        });
    }
    asked
}

/// What came of the rule that decides.
fn outcome(linked: &LinkedAccount) -> String {
    match linked.state {
        LinkState::Linked => "leads to one person".to_owned(),
        LinkState::Ambiguous => format!("leads to {} persons", many(linked.candidates.len())),
        LinkState::Possible => {
            let doubt = linked.doubt.as_deref().map(doubt_in_words);
            format!("fits, but {}", doubt.unwrap_or_default())
        }
        LinkState::Gone => "leads to somebody who is not listed now".to_owned(),
        LinkState::Unmatched | LinkState::Nobodys => "leads to nobody".to_owned(),
    }
}

/// Where an id or a value may have been given on, no later rule is asked.
fn doubted_for_good(linked: &LinkedAccount) -> bool {
    match linked.doubt.as_deref().and_then(Doubt::from_word) {
        Some(Doubt::Reused | Doubt::Left | Doubt::Changed | Doubt::Decided) => true,
        Some(Doubt::Suggested | Doubt::Differs) | None => false,
    }
}

fn many(count: usize) -> String {
    match count {
        0 | 1 => "several".to_owned(),
        CANDIDATES => format!("{CANDIDATES} or more"),
        count => count.to_string(),
    }
}

fn taken(taken: &Taken) -> String {
    format!("{} `{}`", taken.from, taken.value)
}

fn candidate(
    record: &RecordName,
    identity: &IdentityKeys,
    rule: Option<&Rule>,
    account: &AccountKeys,
) -> Candidate {
    let fit = rule.map(|rule| fit(rule, account, identity, &record.source));
    let fit = fit.unwrap_or_default();
    let told = |pairs: &[Pair], sign: &str| -> Vec<String> {
        let words = pairs.iter().map(|pair| {
            let (ours, theirs) = (taken(&pair.account), taken(&pair.identity));
            format!("{ours} {sign} {theirs}")
        });
        words.collect()
    };
    let start = identity.start_date.as_ref().and_then(|d| d.as_str());
    Candidate {
        identity: record.to_string(),
        display_name: identity.display_name.clone(),
        email: identity.email.clone(),
        start_date: start.map(str::to_owned),
        equal: told(&fit.equal, "is"),
        differs: told(&fit.differs, "is not"),
    }
}

async fn nearest(store: &Store, account: &AccountKeys) -> Result<Vec<Nearest>, StoreError> {
    let people = store.people_called(&search_words(account)).await?;
    let mut found: Vec<Nearest> = people
        .into_iter()
        .map(|person| Nearest {
            likeness: likeness(
                account,
                &person.id,
                person.display_name.as_deref(),
                person.email.as_deref(),
            ),
            identity: format!("{}:{}", person.source_name, person.id),
            display_name: person.display_name,
            email: person.email,
        })
        .filter(|nearest| nearest.likeness >= ALIKE)
        .collect();
    found.sort_by(|a, b| (b.likeness, &a.identity).cmp(&(a.likeness, &b.identity)));
    found.truncate(NAMED);
    Ok(found)
}
