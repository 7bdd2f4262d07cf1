//! Teams whose names stand in paths and tags, with their members.

use super::super::StoreError;
use super::super::blocks::{self, At, Block, Columns, Which};
use super::super::every;
use super::asked::Asked;
use super::known::{Holder, Known};
use crate::correlate::folded;
use crate::ownership::Team;
use lastkey_contract::Kind;
use lastkey_contract::facts::EntitlementKind;
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Of a very large team only so many members are looked at: it is nobody's in particular.
const MEMBERS: usize = 200;

/// Of more teams with one name none is meant.
const MOST_OF_A_WORD: usize = 20;

#[derive(Deserialize)]
struct EntitlementPart<'t> {
    #[serde(borrow)]
    system: Cow<'t, str>,
    #[serde(borrow)]
    id: Cow<'t, str>,
    #[serde(borrow)]
    name: Option<Cow<'t, str>>,
    kind: Option<EntitlementKind>,
}

/// Teams that were met by name.
#[derive(Default)]
pub(super) struct Teams {
    pub all: Vec<Found>,
    by_number: HashMap<i64, usize>,
}

pub(super) struct Found {
    team: Team,
    words: BTreeSet<String>,
    pub accounts: BTreeSet<i64>,
    pub records: BTreeSet<i64>,
}

impl Known {
    /// The teams whose names were met, with their members as accounts.
    pub(super) async fn read_teams(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &Asked,
    ) -> Result<Teams, StoreError> {
        let mut teams = Teams::default();
        if asked.teams.is_empty() {
            return Ok(teams);
        }
        let names = self.names;
        every::each(reading, Kind::Entitlement, None, At::Now, |standing| {
            let part: EntitlementPart<'_> = serde_json::from_str(standing.fact)?;
            if !matches!(
                part.kind,
                Some(EntitlementKind::Team | EntitlementKind::Group)
            ) {
                return Ok(());
            }
            let words: BTreeSet<String> = [Some(&part.id), part.name.as_ref()]
                .into_iter()
                .flatten()
                .flat_map(|text| team_words(text))
                .filter(|word| asked.teams.contains(word))
                .collect();
            if words.is_empty() {
                return Ok(());
            }
            let number = names.object(Kind::Entitlement, &[&part.system, &part.id]);
            let lines = self.lines.get(&number).into_iter().flatten();
            teams.by_number.insert(number, teams.all.len());
            teams.all.push(Found {
                team: Team {
                    words: format!("{}:{}", part.system, part.id),
                    owners: lines
                        .filter(|line| line.holder == Holder::Same)
                        .map(|line| (line.source, line.owner_id.clone(), line.role))
                        .collect(),
                    members: Vec::new(),
                },
                words,
                accounts: BTreeSet::new(),
                records: BTreeSet::new(),
            });
            Ok(())
        })
        .await?;
        if teams.all.is_empty() {
            return Ok(teams);
        }
        let grants = Which::now(Kind::Grant);
        blocks::each(reading, &grants, Columns::References, |block| {
            for place in block.places() {
                let team = Block::reference(&block.tos, place)
                    .and_then(|number| teams.by_number.get(&number))
                    .and_then(|team| teams.all.get_mut(*team));
                if let (Some(team), Some(member)) = (team, Block::reference(&block.froms, place))
                    && team.accounts.len() < MEMBERS
                {
                    team.accounts.insert(member);
                }
            }
            Ok(())
        })
        .await?;
        Ok(teams)
    }

    pub(super) fn settle_teams(&mut self, teams: Teams, numbers: &HashMap<i64, usize>) {
        for Found {
            mut team,
            words,
            accounts: _,
            records,
        } in teams.all
        {
            let members: BTreeSet<usize> = records
                .iter()
                .filter_map(|r| numbers.get(r))
                .copied()
                .collect();
            team.members = self.people.one_each(members);
            for word in words {
                self.teams.entry(word).or_default().push(team.clone());
            }
        }
        // A name that every system has for a team of its own is no team's in particular.
        self.teams
            .retain(|_, of_word| of_word.len() <= MOST_OF_A_WORD);
    }
}

/// The words by which paths name a team: its name, and its name without what says that it is one.
fn team_words(text: &str) -> Vec<String> {
    let whole = folded(text);
    let mut words = vec![whole.clone()];
    for mark in ["team", "squad", "group", "grp", "dept"] {
        for separator in ['-', '_', '.', ' '] {
            let front = format!("{mark}{separator}");
            let back = format!("{separator}{mark}");
            words.extend(whole.strip_prefix(&front).map(str::to_owned));
            words.extend(whole.strip_suffix(&back).map(str::to_owned));
        }
    }
    words
}
