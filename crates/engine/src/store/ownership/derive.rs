//! What tables `owned`, `owner_lines` and `owner_suggestions` say: found anew when what is stored
//! changed, or when the last day of somebody who was looked at has passed.

use super::super::blocks::{self, Block, Columns, Which};
use super::super::names::Names;
use super::super::{Store, StoreError, meta};
use super::decisions::OwnedBy;
use super::holds::Holds;
use super::known::{Holder, Known, Line, record_number};
use super::rows::{Made, Openness, OwnedRow, Part, Rows, SuggestedRow};
use super::{MADE_FOR, MADE_UPTO, record};
use crate::ownership::{
    Clue, ObjectName, Own, OwnerState, Pointer, Standing, Subject, Suggestion, clues, own_clues,
    ranked, standing, team_clues,
};
use crate::store::RecordName;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, Credential, Identity, ObjectType, OwnerRole};
use std::collections::BTreeSet;
use std::mem::take;

/// Who has which role of one object already.
#[derive(Default)]
struct Held {
    roles: BTreeSet<OwnerRole>,
    persons: BTreeSet<(OwnerRole, usize)>,
}

impl Held {
    fn add(&mut self, role: OwnerRole, state: OwnerState, persons: &[usize]) {
        if state == OwnerState::Present {
            self.roles.insert(role);
        }
        if let ([one], true) = (persons, state != OwnerState::InDoubt) {
            self.persons.insert((role, *one));
        }
    }

    /// Whether somebody is there in this role, or it is this person's, away or not.
    fn by(&self, role: OwnerRole, person: Option<usize>) -> bool {
        let same = person.is_some_and(|n| self.persons.contains(&(role, n)));
        same || self.roles.contains(&role)
    }
}

/// The number of an object in the derived tables.
pub(super) fn owned_number(names: Names, object: &ObjectName) -> i64 {
    names.joined(&["owned", object.kind.word(), &object.system, &object.id])
}

/// Of more objects than these the lists of owners take so long that a small read does not wait.
const MANY: i64 = 200_000;
/// So few have come where it is no more than one of so many.
const FEW_OF: i64 = 16;

/// Whether a read leaves the lists of owners to whoever asks next.
fn is_left(new: i64, all: i64) -> bool {
    all > MANY && new <= all / FEW_OF
}

impl Store {
    /// Makes anew what is made of the facts, where they have changed since: links and lists, then
    /// the lists of owners.
    pub async fn settle_ownership(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.derive_if_stale().await?;
        if self.ownership_holds(now).await? {
            return Ok(());
        }
        // Whoever comes meanwhile finds made what it waited for.
        let _alone = self.making().ownership.lock().await;
        loop {
            if self.ownership_holds(now).await? {
                return Ok(());
            }
            let Some(mark) = self.mark_making(now).await? else {
                // Somebody else has made them meanwhile.
                return Ok(());
            };
            match self.make_lists(&mark, now).await? {
                Made::Kept => return Ok(()),
                Made::Overtaken => {}
            }
        }
    }

    /// Makes the lists, which hold if the mark stands until then.
    pub(super) async fn make_lists(
        &self,
        mark: &str,
        now: DateTime<Utc>,
    ) -> Result<Made, StoreError> {
        // One moment of the file. Others store meanwhile: the mark tells whether they did.
        let mut reading = self.readers().begin().await?;
        let mut rows = Rows::beside(&mut reading).await?;
        let mut known = Known::gather(self, &mut reading, now).await?;
        let mut writing = None;
        let (answering, nobodys) = (take(&mut known.answering), take(&mut known.nobodys));
        for (part, objects) in [(Part::Identities, &answering), (Part::Accounts, &nobodys)] {
            rows.begin(part);
            for objects in objects.chunks(10_000) {
                blocks::of_rows(&mut reading, objects, Columns::Facts, |block, place| {
                    known.one(block, place, &mut rows)
                })
                .await?;
                if rows.write_if_many(self, &mut writing).await? == Made::Overtaken {
                    return Ok(Made::Overtaken);
                }
            }
        }
        rows.begin(Part::Credentials);
        let which = Which::now(Kind::Credential);
        let mut after = 0;
        loop {
            let found = blocks::window(&mut reading, &which, Columns::Facts, after).await?;
            let Some(last) = found.last() else { break };
            after = last.id;
            for block in &found {
                for place in block.places() {
                    known.one(block, place, &mut rows)?;
                }
            }
            if rows.write_if_many(self, &mut writing).await? == Made::Overtaken {
                return Ok(Made::Overtaken);
            }
        }
        rows.lines = record::lines(&mut reading, &known).await?;
        let upto: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM blocks")
            .fetch_one(&mut *reading)
            .await?;
        drop(reading);
        let Some(mut writing) = rows.begun(self, writing).await? else {
            return Ok(Made::Overtaken);
        };
        rows.end(&mut writing.tx).await?;
        let made_for = meta::get(&mut writing.tx, MADE_FOR).await?;
        if made_for.as_deref() == Some(mark) {
            meta::put(&mut writing.tx, MADE_UPTO, &upto.to_string()).await?;
            meta::put(&mut writing.tx, MADE_FOR, &known.holds.words()).await?;
        }
        // Else somebody stored something: these lists tell of the moment in which they were asked
        // for, and whoever asks next makes them anew.
        writing.commit().await?;
        Ok(Made::Kept)
    }

    /// Says that the lists are being made: whatever changes what they are made of takes that away.
    /// None where they hold by now.
    pub(super) async fn mark_making(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        let mut writing = self.begin().await?;
        if self.ownership_holds(now).await? {
            return Ok(None);
        }
        // No moment stands in it, so whoever finds it after a kill makes them anew.
        let mark = format!("making {}", meta::random_hex()?);
        meta::put(&mut writing.tx, MADE_FOR, &mark).await?;
        writing.commit().await?;
        Ok(Some(mark))
    }

    /// The same once a read has ended; but where few of very many objects have come, the lists of
    /// owners are left to whoever asks next: to find them takes nearly as long as such a read.
    pub async fn settle_after_read(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (new, all): (i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(CASE WHEN id > ?1 THEN size END), 0), coalesce(sum(size), 0)
             FROM blocks WHERE ended_sync IS NULL",
        )
        .bind(self.made_upto().await?)
        .fetch_one(self.readers())
        .await?;
        match is_left(new, all) {
            true => self.derive_if_stale().await,
            false => self.settle_ownership(now).await,
        }
    }

    /// The last block that was there when the lists of owners were made last.
    async fn made_upto(&self) -> Result<i64, StoreError> {
        let upto = self.meta(MADE_UPTO).await?;
        Ok(upto.and_then(|block| block.parse().ok()).unwrap_or(0))
    }

    /// Whether the lists of owners were made at all, of whatever moment.
    pub async fn ownership_was_made(&self) -> Result<bool, StoreError> {
        Ok(self.made_upto().await? > 0)
    }

    /// Whether the lists of owners are made of what is stored, for this moment.
    pub async fn ownership_holds(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let made_for = self.meta(MADE_FOR).await?.unwrap_or_default();
        Ok(Holds::of(&made_for).is_some_and(|holds| holds.at(now)))
    }
}

impl Known {
    /// What is to be said of one fact, if it is of something that needs an owner.
    fn one(&self, block: &Block, place: usize, rows: &mut Rows) -> Result<(), StoreError> {
        let (text, source) = (block.fact(place)?, block.source);
        rows.at(block.row(place));
        match block.kind {
            Kind::Identity => {
                let fact: Identity = serde_json::from_str(text)?;
                let source_name = self.sources.get(&source).cloned().unwrap_or_default();
                let object = ObjectName::new(ObjectType::Identity, source_name, fact.id.as_str());
                let mut found = clues(&Subject::of_identity(source, &fact));
                let record = record_number(self.names, source, fact.id.as_str());
                found.extend(self.at_accounts.get(&record).into_iter().flatten().cloned());
                self.say(
                    object,
                    source,
                    fact.display_name,
                    fact.kind.word(),
                    found,
                    rows,
                );
            }
            Kind::Account => {
                let fact: Account = serde_json::from_str(text)?;
                let object =
                    ObjectName::new(ObjectType::Account, fact.system.as_str(), fact.id.as_str());
                let number = self
                    .names
                    .object(Kind::Account, &[&object.system, &object.id]);
                let mut found = clues(&Subject::of_account(source, &fact));
                found.extend(rows.beside.of_account(self, number));
                let kind = fact.kind.map_or("service", |kind| kind.word());
                self.say(object, source, fact.name, kind, found, rows);
            }
            Kind::Credential => {
                let fact: Credential = serde_json::from_str(text)?;
                let account = self.account_number(&fact);
                if account.is_some_and(|account| self.of_people.contains(&account)) {
                    return Ok(());
                }
                let object = ObjectName::new(
                    ObjectType::Credential,
                    fact.system.as_str(),
                    fact.id.as_str(),
                );
                let number = self
                    .names
                    .object(Kind::Credential, &[&object.system, &object.id]);
                let mut found = clues(&Subject::of_credential(source, &fact));
                found.extend(self.at_places.get(&number).into_iter().flatten().cloned());
                found.extend(rows.beside.of_credential(self, &fact, number));
                self.say(object, source, fact.name, fact.kind.word(), found, rows);
            }
            Kind::Entitlement
            | Kind::Grant
            | Kind::Location
            | Kind::Reader
            | Kind::Control
            | Kind::Owner
            | Kind::Session
            | Kind::Task => {}
        }
        Ok(())
    }

    /// Everyone whom the clues mean; those that name a team mean whoever stands for it.
    fn suggestions(&self, found: Vec<Clue>) -> Vec<Suggestion> {
        let mut meant = Vec::with_capacity(found.len());
        for clue in found {
            match &clue.pointer {
                Pointer::Team(word) => {
                    for team in self.teams.get(word).into_iter().flatten() {
                        meant.extend(team_clues(&clue, team, &self.people));
                    }
                }
                Pointer::Identity { .. }
                | Pointer::Login { .. }
                | Pointer::Mail(_)
                | Pointer::FullName(_) => meant.push(clue),
            }
        }
        ranked(&meant, &self.people)
    }

    /// Whether somebody decided of an owner, under whichever of the person's records. What was
    /// decided of somebody who had the id before says nothing of who has it now.
    fn is_decided(&self, about: &OwnedBy, owner: usize) -> bool {
        self.people.records_of(owner).any(|person| {
            let of_record = OwnedBy {
                owner: RecordName {
                    source: person.source_name.clone(),
                    id: person.id.clone(),
                },
                ..about.clone()
            };
            let decided = self.decided.get(&of_record);
            decided.is_some_and(|d| self.given_on.holder(d.id) == Holder::Same)
        })
    }

    fn say(
        &self,
        object: ObjectName,
        source: i64,
        name: Option<String>,
        kind: &'static str,
        mut found: Vec<Clue>,
        rows: &mut Rows,
    ) {
        let lines: Vec<(&Line, OwnerState)> = self
            .lines_of(&object, source)
            .into_iter()
            .map(|line| (line, self.state(line)))
            .collect();
        let stands = standing(lines.iter().map(|(line, state)| (line.role, *state)));
        let number = owned_number(self.names, &object);
        let own: Vec<Own<'_>> = lines
            .iter()
            .map(|(line, state)| Own {
                source: line.source,
                owner_id: &line.owner_id,
                role: line.role,
                state: *state,
                person: match self.people.referred(&line.owner_id, line.source).as_slice() {
                    [one] => self.people.at(*one),
                    [] | [_, _, ..] => None,
                },
            })
            .collect();
        found.extend(own_clues(&object.to_string(), &own));
        let mut held = Held::default();
        for (line, state) in &lines {
            let same = self.people.referred(&line.owner_id, line.source);
            let same = self.people.one_each(same);
            held.add(line.role, *state, &same);
        }
        for suggestion in self.suggestions(found) {
            let person = suggestion.owner.and_then(|n| self.people.at(n));
            let owner = RecordName {
                source: person.map_or_else(String::new, |p| p.source_name.clone()),
                id: person.map_or_else(String::new, |p| p.id.clone()),
            };
            let about = OwnedBy {
                object: object.clone(),
                owner,
                role: suggestion.role,
            };
            let nobody_to_confirm = person.is_none() && stands == Standing::Owned;
            let decided = suggestion.owner.is_some_and(|n| self.is_decided(&about, n));
            let settled =
                held.by(suggestion.role, suggestion.owner) || nobody_to_confirm || decided;
            let candidates = suggestion
                .candidates
                .iter()
                .filter_map(|n| self.people.at(*n));
            rows.suggest(SuggestedRow {
                object: number,
                owner: about.owner,
                owner_name: person.and_then(|p| p.display_name.clone()),
                owner_state: person.map(|p| p.state),
                candidates: candidates
                    .map(|p| format!("{}:{}", p.source_name, p.id))
                    .collect(),
                open: match settled {
                    true => Openness::Settled,
                    false => Openness::Open,
                },
                suggestion,
            });
        }
        // A custodian does not answer for it, here as in how it stands.
        let answering = lines
            .iter()
            .filter(|(line, _)| line.role != OwnerRole::Custodian);
        let owners = answering.count();
        rows.own(OwnedRow {
            number,
            object,
            name,
            kind,
            standing: stands,
            owners,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::is_left;

    #[test]
    fn only_a_small_read_of_a_large_store_leaves_the_lists_of_owners() {
        for (new, all, left) in [
            (0, 0, false),
            (1, 1_000, false),
            (1_000_000, 1_000_000, false),
            (400_000, 5_600_000, false),
            (5_389, 5_600_000, true),
            (0, 5_600_000, true),
        ] {
            assert_eq!(is_left(new, all), left, "{new} of {all}");
        }
    }
}
