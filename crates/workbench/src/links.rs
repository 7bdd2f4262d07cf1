//! Whose account is this, and which records are one person: answers, decisions, rules.

use crate::bench::Workbench;
use crate::failure::Failure;
use chrono::Utc;
use lastkey_contract::SourceName;
use lastkey_engine::correlate::{defaults_left_out, parse_rules};
use lastkey_engine::store::{
    AccountName, Decision, JoinedRow, LinkState, NewDecision, PersonDoubtRow, RecordName, RulesOf,
    SyncId, WhichLinks,
};
use lastkey_engine::views::{
    self, DecisionLine, LinkCount, LinkExplained, LinkLine, LinkedLine, ListQuery, PersonDoubtLine,
    PersonLine, RowWindow,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A row of a file of decisions.
#[derive(Deserialize)]
struct BulkRow {
    account: String,
    #[serde(default)]
    identity: String,
    why: String,
}

/// A window of a list, and how much there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<T> {
    pub rows: Vec<T>,
    pub total: u64,
}

/// What other rules did to the accounts of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RulesEffect {
    pub connected_before: usize,
    pub connected_now: usize,
    /// Accounts that were somebody's and are nobody's.
    pub nobody_now: usize,
    pub somebody_else_now: usize,
    /// Names of rules that every source begins with and this one has not.
    pub defaults_left_out: Vec<String>,
    /// What a file of rules says to have those.
    pub to_keep_them: String,
}

/// Which accounts are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinksAsked {
    pub state: Option<LinkState>,
    /// An id, or `SOURCE:ID`: the accounts of this person, whichever of its records they name.
    pub of: Option<String>,
}

impl Workbench {
    /// How many accounts stand how.
    pub async fn link_counts(&self) -> Result<Vec<LinkCount>, Failure> {
        Ok(views::link_counts(&self.store).await?)
    }

    /// A window of the accounts that stand so.
    pub async fn links(
        &self,
        state: LinkState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<LinkLine>, Failure> {
        Ok(views::links(&self.store, state, offset, limit).await?)
    }

    /// Hands over accounts and how they stand: all, those that stand so, those of one person;
    /// now, or as the facts of a sync have it.
    pub async fn each_linked(
        &self,
        which: &LinksAsked,
        as_of: Option<u64>,
        each: impl FnMut(LinkedLine) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let of = match &which.of {
            Some(text) => Some(self.records_then(text, as_of).await?),
            None => None,
        };
        let state = which.state;
        let asked = WhichLinks { state, of };
        views::each_linked(&self.store, &asked, as_of.map(SyncId), each).await
    }

    /// How many accounts stood how after a sync.
    pub async fn link_counts_then(&self, as_of: u64) -> Result<Vec<LinkCount>, Failure> {
        let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        self.each_linked(&LinksAsked::default(), Some(as_of), |linked| {
            let (count, supplements) = counts.entry(linked.line.state).or_default();
            *count += 1;
            *supplements += u64::from(linked.line.supplement);
            Ok(())
        })
        .await?;
        let states = LinkState::ALL.iter().map(|state| state.word());
        let counted = states.filter_map(|word| counts.remove_entry(word));
        Ok(counted
            .map(|(state, (count, supplements))| LinkCount {
                state,
                count,
                supplements,
            })
            .collect())
    }

    /// All records of the person whom a text names; of an earlier moment those that were listed
    /// then, too.
    async fn records_then(
        &self,
        text: &str,
        as_of: Option<u64>,
    ) -> Result<Vec<RecordName>, Failure> {
        let Some(sync) = as_of.map(SyncId) else {
            let record = self.record(text).await?;
            let records = self.store.records_of(&record).await?;
            return Ok(records.into_iter().map(|(record, _)| record).collect());
        };
        let then = self.store.records_listed(text, sync).await?;
        let record = match then.as_slice() {
            [(one, _)] => one.clone(),
            [] | [_, _, ..] => self.record(text).await?,
        };
        let records = self.store.records_of_then(&[record], sync).await?;
        Ok(records.into_iter().flatten().collect())
    }

    /// How many accounts stand how, but for those that are somebody's; of one source or of all.
    pub async fn undecided_counts(&self, source: Option<&str>) -> Result<Vec<LinkCount>, Failure> {
        Ok(views::undecided_counts(&self.store, source).await?)
    }

    /// A window of the accounts that want a decision, the worst first.
    pub async fn undecided(&self, query: &ListQuery) -> Result<RowWindow<LinkLine>, Failure> {
        Ok(views::undecided(&self.store, query).await?)
    }

    /// A window of the persons with several records, with what tells the records apart.
    pub async fn persons_joined(
        &self,
        query: &ListQuery,
    ) -> Result<RowWindow<PersonLine>, Failure> {
        Ok(views::persons_joined(&self.store, query).await?)
    }

    /// A window of the records that a rule would join and did not, told the same way.
    pub async fn persons_doubted(
        &self,
        query: &ListQuery,
    ) -> Result<RowWindow<PersonDoubtLine>, Failure> {
        Ok(views::persons_doubted(&self.store, query).await?)
    }

    /// The decisions in force about any of these records, the latest first.
    pub async fn decisions_about(&self, records: &[String]) -> Result<Vec<DecisionLine>, Failure> {
        let mut names = Vec::with_capacity(records.len());
        for text in records {
            names.push(self.record(text).await?);
        }
        Ok(views::decisions_about(&self.store, &names).await?)
    }

    /// A window of what was decided, the latest first.
    pub async fn decisions(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Window<DecisionLine>, Failure> {
        let (rows, total) = views::decisions(&self.store, offset, limit).await?;
        Ok(Window { rows, total })
    }

    /// Why an account is whose it is.
    pub async fn explain_link(&self, account: &str) -> Result<Vec<LinkExplained>, Failure> {
        let name = account_name(account)?;
        let answers = views::explain_link(&self.store, &name).await?;
        match answers.is_empty() {
            true => Err(
                Failure::bad_input(format!("there is no account `{account}`"))
                    .hint("see `lastkey accounts` for systems and ids"),
            ),
            false => Ok(answers),
        }
    }

    /// Decides whose account it is; nobody's without an identity. The decision's number.
    pub async fn link(
        &self,
        account: &str,
        identity: Option<&str>,
        why: &str,
    ) -> Result<i64, Failure> {
        let account = account_name(account)?;
        let decision = match identity {
            Some(text) => Decision::Of(account, self.record(text).await?),
            None => Decision::Nobodys(account),
        };
        self.decide(vec![(decision, why.to_owned())])
            .await?
            .first()
            .copied()
            .ok_or_else(|| Failure::not_possible("the decision was not kept"))
    }

    /// Decides whether two records are one person. The decision's number.
    pub async fn same_person(&self, a: &str, b: &str, why: &str) -> Result<i64, Failure> {
        let (a, b) = self.two_records(a, b).await?;
        let kinds = [
            self.store.record_keys(&a).await?,
            self.store.record_keys(&b).await?,
        ];
        if let [Some(first), Some(second)] = &kinds
            && first.kind != second.kind
        {
            let (first, second) = (first.kind, second.kind);
            return Err(Failure::bad_input(format!(
                "`{a}` is of the kind {first} and `{b}` of the kind {second}: they cannot be one"
            ))
            .hint("whoever works for a vendor has it as employer, and whoever answers for a workload is its owner"));
        }
        self.decide_one(Decision::Same(a, b), why).await
    }

    /// Decides that two records are two persons. The decision's number.
    pub async fn two_persons(&self, a: &str, b: &str, why: &str) -> Result<i64, Failure> {
        let (a, b) = self.two_records(a, b).await?;
        self.decide_one(Decision::Apart(a, b), why).await
    }

    async fn two_records(&self, a: &str, b: &str) -> Result<(RecordName, RecordName), Failure> {
        let (first, second) = (self.record(a).await?, self.record(b).await?);
        if first == second {
            return Err(Failure::bad_input(format!(
                "`{a}` and `{b}` are one record, not two"
            )));
        }
        Ok((first, second))
    }

    async fn decide_one(&self, decision: Decision, why: &str) -> Result<i64, Failure> {
        let numbers = self.decide(vec![(decision, why.to_owned())]).await?;
        let first = numbers.first().copied();
        first.ok_or_else(|| Failure::not_possible("the decision was not kept"))
    }

    /// Takes the decisions of a CSV file: account, identity (empty: nobody's), why. All or none;
    /// how many.
    pub async fn link_bulk(&self, file: &Path) -> Result<u64, Failure> {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::not_possible(format!("`{}` cannot be read: {error}", file.display()))
        };
        let text = std::fs::read(file).map_err(|error| unreadable(&error))?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text);
        let mut decisions = Vec::new();
        let mut said: HashMap<AccountName, (u64, Option<RecordName>)> = HashMap::new();
        for (row, record) in (2u64..).zip(reader.deserialize::<BulkRow>()) {
            let at = |failure: Failure| Failure {
                message: format!("row {row} of `{}`: {}", file.display(), failure.message),
                ..failure
            };
            let record = record.map_err(|error| {
                at(Failure::bad_input(format!("it cannot be used: {error}"))
                    .hint("the columns are account, identity (empty: nobody's) and why"))
            })?;
            let account = account_name(&record.account).map_err(at)?;
            let whose = match record.identity.as_str() {
                "" => None,
                text => Some(self.record(text).await.map_err(at)?),
            };
            let (first, before) = &*said
                .entry(account.clone())
                .or_insert_with(|| (row, whose.clone()));
            if *before != whose {
                return Err(contradicted(
                    file,
                    &account,
                    (*first, before),
                    (row, &whose),
                ));
            }
            decisions.push(match whose {
                None => (Decision::Nobodys(account), record.why),
                Some(identity) => (Decision::Of(account, identity), record.why),
            });
        }
        Ok(self.decide(decisions).await?.len() as u64)
    }

    async fn decide(&self, decisions: Vec<(Decision, String)>) -> Result<Vec<i64>, Failure> {
        if let Some((_, why)) = decisions.iter().find(|(_, why)| why.trim().is_empty()) {
            return Err(Failure::bad_input(format!("`{why}` is no reason"))
                .hint("say why with --why: an auditor reads it"));
        }
        let (decisions, reasons): (Vec<Decision>, Vec<String>) = decisions.into_iter().unzip();
        let (seen, missing) = self.store.seen_now(&decisions).await?;
        if !missing.is_empty() {
            let named: Vec<String> = missing.iter().take(5).cloned().collect();
            return Err(
                Failure::bad_input(format!("there is no {}", named.join(", no ")))
                    .hint("nothing was decided; see `lastkey accounts` and `lastkey identities`"),
            );
        }
        let new: Vec<NewDecision> = decisions
            .into_iter()
            .zip(reasons)
            .zip(seen)
            .map(|((decision, why), seen)| NewDecision {
                decision,
                why,
                seen,
            })
            .collect();
        Ok(self.store.decide(&new, Utc::now()).await?)
    }

    /// Takes a decision back.
    pub async fn undo_decision(&self, number: i64, why: &str) -> Result<(), Failure> {
        self.store
            .undo_decision(number, why, Utc::now())
            .await
            .map_err(|error| match error {
                lastkey_engine::store::StoreError::BadQuery { .. } => {
                    Failure::bad_input(format!("there is no decision {number} that can be undone"))
                        .hint("`lastkey link list --decided` names them")
                }
                other => other.into(),
            })
    }

    /// The rules of a source, or those for persons, as they were written.
    pub async fn link_rules(&self, source: Option<&str>) -> Result<String, Failure> {
        Ok(self.store.link_rules(&rules_of(source)).await?)
    }

    /// Sets them; without a text the default ones. What that did to the accounts of the source.
    pub async fn set_link_rules(
        &self,
        source: Option<&str>,
        text: Option<&str>,
    ) -> Result<Option<RulesEffect>, Failure> {
        if let Some(text) = text {
            check_link_rules(source, text)?;
        }
        let before = match source {
            Some(name) => Some(self.store.connected_of(name).await?),
            None => None,
        };
        let of = rules_of(source);
        self.store.set_link_rules(&of, text, Utc::now()).await?;
        let (Some(name), Some(before)) = (source, before) else {
            return Ok(None);
        };
        let now = self.store.connected_of(name).await?;
        let count = |which: fn(Option<&u64>, &u64) -> bool| {
            let differ = before.iter().filter(|(a, whose)| which(now.get(a), whose));
            differ.count()
        };
        let rules = text.map(parse_rules).transpose().unwrap_or_default();
        let (names, text) = rules.as_deref().map(defaults_left_out).unwrap_or_default();
        Ok(Some(RulesEffect {
            connected_before: before.len(),
            connected_now: now.len(),
            nobody_now: count(|now, _| now.is_none()),
            somebody_else_now: count(|now, whose| now.is_some_and(|now| now != whose)),
            defaults_left_out: names,
            to_keep_them: text,
        }))
    }

    /// A window of the persons with several records.
    pub async fn joined_persons(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Window<JoinedRow>, Failure> {
        let (rows, total) = self.store.joined_persons(offset, limit).await?;
        Ok(Window { rows, total })
    }

    /// A window of the records that a rule would join and did not.
    pub async fn person_doubts(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Window<PersonDoubtRow>, Failure> {
        let (rows, total) = self.store.person_doubts(offset, limit).await?;
        Ok(Window { rows, total })
    }

    /// The one record that a text names: listed now, or else once.
    async fn record(&self, text: &str) -> Result<RecordName, Failure> {
        let mut found = self.store.find_records(text).await?;
        if found.is_empty() {
            // Whoever left keeps accounts: what is in doubt can be decided for them.
            let once = self.store.records_once(text).await?.into_iter();
            found.extend(once.map(|once| once.record));
        }
        match (found.pop(), found.as_slice()) {
            (Some(one), []) => Ok(one),
            (None, _) => Err(self.no_identity(text).await),
            (Some(last), more) => {
                let names: Vec<String> = more
                    .iter()
                    .chain([&last])
                    .map(ToString::to_string)
                    .collect();
                Err(
                    Failure::bad_input(format!("`{text}` names {} identities", names.len()))
                        .hint(format!("say which: {}", names.join(", "))),
                )
            }
        }
    }
}

/// Two rows of a file that give one account to two.
fn contradicted(
    file: &Path,
    account: &AccountName,
    (first, before): (u64, &Option<RecordName>),
    (second, after): (u64, &Option<RecordName>),
) -> Failure {
    let whose = |record: &Option<RecordName>| match record {
        Some(record) => format!("`{record}`'s"),
        None => "nobody's".to_owned(),
    };
    Failure::bad_input(format!(
        "rows {first} and {second} of `{}` contradict each other: `{account}` is {} and {}",
        file.display(),
        whose(before),
        whose(after)
    ))
    .hint("nothing was decided: keep one of the two rows")
}

/// Whether rules can be used, before a store is opened.
pub fn check_link_rules(source: Option<&str>, text: &str) -> Result<(), Failure> {
    Ok(rules_of(source).check(text)?)
}

fn rules_of(source: Option<&str>) -> RulesOf {
    source.map_or(RulesOf::Persons, |name| {
        RulesOf::Source(SourceName::new(name))
    })
}

fn account_name(text: &str) -> Result<AccountName, Failure> {
    let parts = text.split_once(':');
    let parts = parts.filter(|(system, id)| !system.is_empty() && !id.is_empty());
    let (system, id) = parts.ok_or_else(|| {
        Failure::bad_input(format!("`{text}` is not SYSTEM:ID"))
            .hint("see `lastkey accounts` for systems and ids")
    })?;
    Ok(AccountName {
        system: system.to_owned(),
        id: id.to_owned(),
    })
}
