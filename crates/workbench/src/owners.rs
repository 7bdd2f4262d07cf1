//! Who answers for what: suggestions, decisions one by one and in bulk, and taking them back.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::history::filters_from_text;
use chrono::Utc;
use lastkey_contract::When;
use lastkey_contract::facts::{IdentityKind, IdentityStatus, ObjectType, OwnerRole};
use lastkey_engine::ownership::{ObjectName, OwnerState, Strength};
use lastkey_engine::store::{
    NewOwnerDecision, OwnedBy, OwnerVerdict, OwnersQuery, PersonRow, RecordName, SuggestionRow,
};
use lastkey_engine::views::{ListQuery, OwnedView, OwnerDecisionView, OwnerSuggestionView};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// Suggestions are read so many at a time.
const WINDOW: u32 = 2_000;
/// So many lines stand in a preview.
const SHOWN: usize = 10;

/// A decision as people write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRequest {
    /// `account:SYSTEM:ID` and the like.
    pub objects: Vec<String>,
    pub owner: String,
    pub role: String,
    pub why: String,
    pub verdict: OwnerVerdict,
}

/// What is confirmed in bulk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkRequest {
    /// `COLUMN=VALUE`; all must hold.
    pub filters: Vec<String>,
    /// The least that is confirmed: `strong`, `likely` or `weak`.
    pub least: String,
    /// How many there are, said by whoever has seen the preview.
    pub count: Option<u64>,
    pub why: String,
}

/// What was decided, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnersDecided {
    /// Whether anything was kept; else it is a preview.
    pub done: bool,
    /// The number by which it is undone.
    pub batch: Option<i64>,
    pub confirmed: u64,
    pub rejected: u64,
    /// By the kinds of facts that agree, how many.
    pub by_rule: BTreeMap<String, u64>,
    /// The first of them, in words.
    pub examples: Vec<String>,
}

/// The columns of a file of decisions; others are for its reader.
pub const DECISION_COLUMNS: [&str; 7] = [
    "decision",
    "object_type",
    "system",
    "object_id",
    "owner_id",
    "role",
    "why",
];

/// The columns of the list of owner lines, in order.
pub fn owner_columns() -> Vec<String> {
    lastkey_engine::store::OWNER_LINE_COLUMNS
        .iter()
        .map(|column| (*column).to_owned())
        .collect()
}

fn role_from_text(text: &str) -> Result<OwnerRole, Failure> {
    OwnerRole::from_word(text).ok_or_else(|| {
        Failure::bad_input(format!("`{text}` is not a role"))
            .hint(format!("one of {}", OwnerRole::WORDS.join(", ")))
    })
}

fn strength_from_text(text: &str) -> Result<Strength, Failure> {
    Strength::from_word(text)
        .filter(|strength| *strength != Strength::Ambiguous)
        .ok_or_else(|| {
            Failure::bad_input(format!("`{text}` is no measure of confidence"))
                .hint("one of strong, likely, weak")
        })
}

impl Workbench {
    /// Suggestions that ask for a decision, best first. The sort of the query is not asked.
    pub async fn owner_suggestions(
        &self,
        lists: OwnerLists,
        query: &ListQuery,
        least: Option<&str>,
    ) -> Result<(Vec<OwnerSuggestionView>, u64), Failure> {
        self.owner_lists(lists).await?;
        let (rows, matching) = self
            .store
            .owner_suggestions(&owners_query(query, least)?)
            .await?;
        Ok((
            rows.into_iter().map(OwnerSuggestionView::from).collect(),
            matching,
        ))
    }

    /// What needs an owner, and what its owner lines amount to.
    pub async fn owned(&self, query: &ListQuery) -> Result<(Vec<OwnedView>, u64), Failure> {
        self.store.settle_ownership(self.now()).await?;
        let (rows, matching) = self.store.owned(&owners_query(query, None)?).await?;
        Ok((rows.into_iter().map(OwnedView::from).collect(), matching))
    }

    /// Every owner line with whether the owner is there, and how many match.
    pub async fn owner_lines(
        &self,
        query: &ListQuery,
    ) -> Result<(Vec<Map<String, Value>>, u64), Failure> {
        self.store.settle_ownership(self.now()).await?;
        Ok(self.store.owner_lines(&owners_query(query, None)?).await?)
    }

    /// A window of what was decided, the latest first, and how many there are.
    pub async fn owner_decisions(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<OwnerDecisionView>, u64), Failure> {
        let (rows, total) = self.store.owner_decisions(offset, limit).await?;
        Ok((
            rows.into_iter().map(OwnerDecisionView::from).collect(),
            total,
        ))
    }

    /// Confirms or rejects one owner of one or more objects.
    pub async fn decide_owner(&self, request: &OwnerRequest) -> Result<OwnersDecided, Failure> {
        let role = role_from_text(&request.role)?;
        let mut wanted = Vec::new();
        for text in &request.objects {
            wanted.push(Wanted {
                object: self.object_from_text(text).await?,
                owner: request.owner.clone(),
                role,
                verdict: request.verdict,
                why: request.why.clone(),
                place: String::new(),
            });
        }
        self.decide_all(wanted).await
    }

    /// Confirms suggestions in bulk: a preview first, and then the count of what was seen there.
    pub async fn confirm_suggested(&self, request: &BulkRequest) -> Result<OwnersDecided, Failure> {
        self.decide_suggested(request, OwnerVerdict::Confirmed)
            .await
    }

    /// The same for either verdict. Rejected is every suggestion that matches.
    pub async fn decide_suggested(
        &self,
        request: &BulkRequest,
        verdict: OwnerVerdict,
    ) -> Result<OwnersDecided, Failure> {
        let least = strength_from_text(&request.least)?;
        self.store.settle_ownership(self.now()).await?;
        let mut query = OwnersQuery {
            filters: filters_from_text(&request.filters)?,
            at_least: Some(least),
            offset: 0,
            limit: WINDOW,
        };
        let mut decided = nothing_decided();
        let mut rows: Vec<SuggestionRow> = Vec::new();
        loop {
            let (page, matching) = self.store.owner_suggestions(&query).await?;
            query.offset += u64::try_from(page.len()).unwrap_or(u64::MAX);
            let last = page.is_empty() || query.offset >= matching;
            rows.extend(page);
            if last {
                break;
            }
        }
        if verdict == OwnerVerdict::Confirmed {
            // Of each object and role only the best: one suggestion is confirmed, not all of them.
            let mut seen: HashSet<(ObjectName, String)> = HashSet::new();
            rows.retain(|row| seen.insert((row.object.clone(), row.role.clone())));
        }
        let mut decisions = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(new) = suggested(&row, &request.why, verdict) else {
                continue;
            };
            let rules: HashSet<&str> = row.reasons.iter().map(|r| r.rule.as_str()).collect();
            let mut rules: Vec<&str> = rules.into_iter().collect();
            rules.sort_unstable();
            *decided.by_rule.entry(rules.join(" and ")).or_default() += 1;
            decided.add(&new);
            decisions.push(new);
        }
        let there = u64::try_from(decisions.len()).unwrap_or(u64::MAX);
        match request.count {
            None => Ok(decided),
            Some(count) if count != there => Err(Failure::bad_input(format!(
                "there are {there} such suggestions, not {count}"
            ))
            .hint("look at the preview again: the same command without --count")),
            Some(_) => self.keep(decisions, decided).await,
        }
    }

    /// Takes decisions from a file: the list of suggestions, exported and edited.
    pub async fn decide_owners_from(
        &self,
        path: &Path,
        why: &str,
    ) -> Result<OwnersDecided, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::not_possible(format!("`{}` cannot be read: {error}", path.display()))
        })?;
        let mut wanted = Vec::new();
        for line in decisions_from_csv(&text)? {
            let object = match line.object.kind {
                ObjectType::Identity => self.object_from_text(&line.object.argument()).await?,
                ObjectType::Account
                | ObjectType::Credential
                | ObjectType::Location
                | ObjectType::Entitlement => line.object,
            };
            let own = line.why;
            let why = if own.is_empty() { why.to_owned() } else { own };
            if why.trim().is_empty() {
                let place = &line.rest.place;
                return Err(
                    Failure::bad_input(format!("{place}a decision needs a reason"))
                        .hint("write it into the column `why`, or give --why for all"),
                );
            }
            wanted.push(Wanted {
                object,
                why,
                ..line.rest
            });
        }
        self.decide_all(wanted).await
    }

    /// Takes back everything that was decided at once.
    pub async fn undo_owner_batch(&self, batch: i64, why: &str) -> Result<u64, Failure> {
        let rows = self.store.owner_batch(batch).await?;
        if rows.is_empty() {
            return Err(
                Failure::bad_input(format!("there is nothing to undo of batch {batch}"))
                    .hint("`lastkey owner decisions` shows what was decided"),
            );
        }
        let numbers: Vec<i64> = rows.iter().map(|row| row.id).collect();
        Ok(self
            .store
            .undo_owner_decisions(&numbers, why, Utc::now())
            .await?)
    }

    /// Takes back the latest decision about one owner of some objects.
    pub async fn undo_owner(&self, request: &OwnerRequest) -> Result<u64, Failure> {
        let role = role_from_text(&request.role)?;
        let owner = self.one_identity(&request.owner).await?;
        let mut numbers = Vec::new();
        for text in &request.objects {
            let object = self.object_from_text(text).await?;
            let rows = self.store.owner_decisions_about(&object).await?;
            let latest = rows.iter().find(|row| {
                let same = row.owner_id == owner.id && row.owner_source == owner.source_name;
                same && row.role == role.word()
            });
            match latest {
                Some(row) => numbers.push(row.id),
                None => {
                    return Err(Failure::bad_input(format!(
                        "nothing was decided about `{}` as {role} owner of {object}",
                        owner.shown_id()
                    )));
                }
            }
        }
        Ok(self
            .store
            .undo_owner_decisions(&numbers, &request.why, Utc::now())
            .await?)
    }

    /// The object that a text names; an identity with the source that has it.
    pub(crate) async fn object_from_text(&self, text: &str) -> Result<ObjectName, Failure> {
        let object = ObjectName::parse(text).ok_or_else(|| {
            Failure::bad_input(format!("`{text}` names no object")).hint(
                "write identity:ID, account:SYSTEM:ID, credential:SYSTEM:ID or location:SYSTEM:PATH",
            )
        })?;
        if object.kind != ObjectType::Identity {
            return Ok(object);
        }
        let found = self.one_identity(&object.id).await?;
        Ok(ObjectName::new(object.kind, found.source_name, found.id))
    }

    async fn one_identity(&self, text: &str) -> Result<PersonRow, Failure> {
        if let Some(once) = self.listed_once(text).await? {
            return Err(Failure::bad_input(format!(
                "`{}` is in no source now: only who is listed can be decided about here",
                once.record
            ))
            .hint("`lastkey identities` shows who is listed"));
        }
        self.known_person(text).await
    }

    /// Checks decisions, and keeps all or none.
    async fn decide_all(&self, wanted: Vec<Wanted>) -> Result<OwnersDecided, Failure> {
        let (decisions, decided) = self.checked(wanted).await?;
        self.keep(decisions, decided).await
    }

    /// The decisions that were meant, each checked, and what they would amount to.
    async fn checked(
        &self,
        wanted: Vec<Wanted>,
    ) -> Result<(Vec<NewOwnerDecision>, OwnersDecided), Failure> {
        let objects: Vec<ObjectName> = wanted.iter().map(|w| w.object.clone()).collect();
        let there = self.store.objects_there(&objects).await?;
        let mut owners: HashMap<String, PersonRow> = HashMap::new();
        let mut decided = nothing_decided();
        let mut decisions = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let Wanted { object, place, .. } = &wanted;
            if !there.contains(object) {
                return Err(Failure::bad_input(format!("{place}there is no {object}"))
                    .hint("`lastkey owner list` shows what needs an owner"));
            }
            if wanted.role == OwnerRole::Custodian && object.kind != ObjectType::Credential {
                return Err(Failure::bad_input(format!(
                    "{place}{object} has no custodian: only a credential is known"
                )));
            }
            if !owners.contains_key(&wanted.owner) {
                let found = self.one_identity(&wanted.owner).await?;
                owners.insert(wanted.owner.clone(), found);
            }
            let Some(owner) = owners.get(&wanted.owner) else {
                continue;
            };
            let new = self.decision(&wanted, owner).await?;
            decided.add(&new);
            decisions.push(new);
        }
        Ok((decisions, decided))
    }

    async fn decision(
        &self,
        wanted: &Wanted,
        owner: &PersonRow,
    ) -> Result<NewOwnerDecision, Failure> {
        let place = &wanted.place;
        let status = owner.status.as_deref().and_then(IdentityStatus::from_word);
        let end = owner.end_date.as_deref().and_then(When::parse);
        let state = OwnerState::of(status, end, self.now());
        let confirmed = wanted.verdict == OwnerVerdict::Confirmed;
        let person = IdentityKind::from_word(&owner.kind) == Some(IdentityKind::Person);
        if confirmed && !person {
            return Err(Failure::bad_input(format!(
                "{place}`{}` is a {}: only a person answers for something",
                owner.shown_id(),
                owner.kind
            )));
        }
        // Whoever left still knows what was known.
        if confirmed && state.is_gone() && wanted.role != OwnerRole::Custodian {
            return Err(Failure::bad_input(format!(
                "{place}`{}` {}, and answers for nothing any more",
                owner.shown_id(),
                state.says()
            )));
        }
        let suggestions = self.store.owner_suggestions_about(&wanted.object).await?;
        let basis = suggestions.into_iter().find(|row| {
            let same = row.owner.as_ref();
            row.role == wanted.role.word()
                && same.is_some_and(|o| o.id == owner.id && o.source == owner.source_name)
        });
        Ok(NewOwnerDecision {
            about: OwnedBy {
                object: wanted.object.clone(),
                owner: RecordName {
                    source: owner.source_name.clone(),
                    id: owner.id.clone(),
                },
                role: wanted.role,
            },
            verdict: wanted.verdict,
            why: wanted.why.clone(),
            basis: basis.map_or_else(String::new, |row| row.basis),
            owner_state: state,
            owner_name: owner.display_name.clone(),
            owner_shown: owner.shown_id(),
        })
    }

    async fn keep(
        &self,
        decisions: Vec<NewOwnerDecision>,
        mut decided: OwnersDecided,
    ) -> Result<OwnersDecided, Failure> {
        if !decisions.is_empty() {
            let batch = self.store.decide_owners(&decisions, Utc::now()).await?;
            decided.batch = Some(batch);
        }
        decided.done = true;
        Ok(decided)
    }
}

/// A decision before it is checked.
struct Wanted {
    object: ObjectName,
    owner: String,
    role: OwnerRole,
    verdict: OwnerVerdict,
    why: String,
    /// Where it stands in a file, in front of what is wrong with it.
    place: String,
}

fn nothing_decided() -> OwnersDecided {
    OwnersDecided {
        done: false,
        batch: None,
        confirmed: 0,
        rejected: 0,
        by_rule: BTreeMap::new(),
        examples: Vec::new(),
    }
}

impl OwnersDecided {
    fn add(&mut self, new: &NewOwnerDecision) {
        let word = match new.verdict {
            OwnerVerdict::Confirmed => {
                self.confirmed += 1;
                "is"
            }
            OwnerVerdict::Rejected => {
                self.rejected += 1;
                "is not"
            }
        };
        if self.examples.len() < SHOWN {
            let basis = match new.basis.is_empty() {
                true => String::new(),
                false => format!(" ({})", new.basis),
            };
            self.examples.push(format!(
                "{} {word} {} owner of {}{basis}",
                new.owner_shown, new.about.role, new.about.object
            ));
        }
    }
}

/// A decision about a suggestion; None where several people fit.
fn suggested(row: &SuggestionRow, why: &str, verdict: OwnerVerdict) -> Option<NewOwnerDecision> {
    let owner = row.owner.as_ref()?;
    Some(NewOwnerDecision {
        about: OwnedBy {
            object: row.object.clone(),
            owner: RecordName {
                source: owner.source.clone(),
                id: owner.id.clone(),
            },
            role: OwnerRole::from_word(&row.role)?,
        },
        verdict,
        why: why.to_owned(),
        basis: row.basis.clone(),
        owner_state: OwnerState::from_word(&owner.state)?,
        owner_name: owner.name.clone(),
        owner_shown: owner.shown.clone(),
    })
}

fn owners_query(query: &ListQuery, least: Option<&str>) -> Result<OwnersQuery, Failure> {
    Ok(OwnersQuery {
        filters: filters_from_text(&query.filters)?,
        at_least: least.map(strength_from_text).transpose()?,
        offset: query.offset,
        limit: query.limit,
    })
}

/// A line of a file of decisions.
struct FromFile {
    object: ObjectName,
    why: String,
    rest: Wanted,
}

/// The lines of a file that decide something; those without a decision are left alone.
fn decisions_from_csv(text: &str) -> Result<Vec<FromFile>, Failure> {
    let unreadable = |error: csv::Error| Failure::bad_input(format!("the file is no CSV: {error}"));
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(unreadable)?.clone();
    let place_of = |name: &str| header.iter().position(|column| column.trim() == name);
    for column in ["decision", "object_type", "object_id", "owner_id", "role"] {
        if place_of(column).is_none() {
            return Err(
                Failure::bad_input(format!("the file has no column `{column}`"))
                    .hint("write it with `lastkey owner suggest --csv`"),
            );
        }
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |name: &str| {
            let text = place_of(name)
                .and_then(|n| record.get(n))
                .unwrap_or_default();
            as_it_was(text.trim()).to_owned()
        };
        let place = format!("line {line}: ");
        let wrong =
            |what: &str, value: &str| Failure::bad_input(format!("{place}`{value}` is no {what}"));
        let verdict = match cell("decision").to_lowercase().as_str() {
            "" => continue,
            "confirm" | "confirmed" => OwnerVerdict::Confirmed,
            "reject" | "rejected" => OwnerVerdict::Rejected,
            other => return Err(wrong("decision: write confirm, reject or nothing", other)),
        };
        let kind = cell("object_type");
        let kind = ObjectType::from_word(&kind).ok_or_else(|| wrong("object type", &kind))?;
        let role = cell("role");
        let role = OwnerRole::from_word(&role).ok_or_else(|| wrong("role", &role))?;
        let owner = cell("owner_id");
        if owner.is_empty() {
            return Err(Failure::bad_input(format!("{place}it names no owner")));
        }
        let system = match kind {
            ObjectType::Identity => String::new(),
            ObjectType::Account
            | ObjectType::Credential
            | ObjectType::Location
            | ObjectType::Entitlement => cell("system"),
        };
        let object = ObjectName::new(kind, system, cell("object_id"));
        lines.push(FromFile {
            object: object.clone(),
            why: cell("why"),
            rest: Wanted {
                object,
                owner,
                role,
                verdict,
                why: String::new(),
                place,
            },
        });
    }
    Ok(lines)
}

/// A cell without the apostrophe that keeps spreadsheets from running it.
fn as_it_was(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if lastkey_verify::cell(rest) != rest => rest,
        Some(_) | None => cell,
    }
}

mod at_hand;
mod picked;

pub use at_hand::OwnerLists;
#[cfg(test)]
mod tests;
