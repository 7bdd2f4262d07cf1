//! The tables of the window and of the command line, asked in one way.

use super::{WINDOW, list};
use lastkey_contract::Kind;
use lastkey_engine::store::LinkState;
use lastkey_engine::views::ListQuery;
use lastkey_workbench::{DiffRequest, OwnerLists, Workbench};
use std::error::Error;

/// A table that shows windows of rows.
#[derive(Clone, Debug)]
pub enum Table {
    Identities,
    Facts(Kind),
    FactsAsOf(Kind, u64),
    Links(LinkState),
    JoinedPersons,
    PersonDoubts,
    LinkDecisions,
    Owned,
    OwnerSuggestions,
    OwnerLines,
    OwnerDecisions,
    Events,
    Journal(String),
    RunJournal(u64),
    Runs(String),
    Diff(u64, u64),
}

/// How many rows a window holds and, where the table says it, how many match.
pub struct Asked {
    pub rows: usize,
    pub matching: Option<u64>,
}

impl Asked {
    fn of(rows: usize, matching: u64) -> Asked {
        Asked {
            rows,
            matching: Some(matching),
        }
    }
}

impl Table {
    pub fn name(&self) -> String {
        match self {
            Table::Identities => "identities (window)".to_owned(),
            Table::Facts(kind) => kind.plural().to_owned(),
            Table::FactsAsOf(kind, _) => format!("{} as of the first sync", kind.plural()),
            Table::Links(state) => format!("links, {}", state.word()),
            Table::JoinedPersons => "persons with several records".to_owned(),
            Table::PersonDoubts => "doubts about persons".to_owned(),
            Table::LinkDecisions => "decisions about links".to_owned(),
            Table::Owned => "owned".to_owned(),
            Table::OwnerSuggestions => "owner suggestions".to_owned(),
            Table::OwnerLines => "owner lines".to_owned(),
            Table::OwnerDecisions => "decisions about owners".to_owned(),
            Table::Events => "events".to_owned(),
            Table::Journal(_) => "journal of a source".to_owned(),
            Table::RunJournal(_) => "journal of a run".to_owned(),
            Table::Runs(_) => "runs".to_owned(),
            Table::Diff(..) => "diff".to_owned(),
        }
    }

    /// Every table that this store has.
    pub async fn all(bench: &Workbench) -> Result<Vec<Table>, Box<dyn Error>> {
        let mut all = vec![Table::Identities];
        all.extend(Kind::ALL.map(Table::Facts));
        all.extend([Kind::Identity, Kind::Grant].map(|kind| Table::FactsAsOf(kind, 1)));
        all.extend(LinkState::ALL.map(Table::Links));
        all.extend([
            Table::JoinedPersons,
            Table::PersonDoubts,
            Table::LinkDecisions,
            Table::Owned,
            Table::OwnerSuggestions,
            Table::OwnerLines,
            Table::OwnerDecisions,
            Table::Events,
        ]);
        let sources = bench.sources().await?;
        if let Some(source) = sources.last() {
            all.push(Table::Journal(source.name.clone()));
            all.push(Table::Runs(source.name.clone()));
        }
        let latest = sources.iter().filter_map(|source| source.last_sync).max();
        if let Some(sync) = latest {
            all.push(Table::RunJournal(sync));
            all.push(Table::Diff(sync.saturating_sub(1), sync));
        }
        Ok(all)
    }

    /// A window of it.
    pub async fn ask(&self, bench: &Workbench, query: &ListQuery) -> Result<Asked, Box<dyn Error>> {
        let (offset, limit) = (query.offset, query.limit);
        Ok(match self {
            Table::Identities => {
                let page = bench.identities(query).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::Facts(kind) => {
                let page = bench.table(*kind, query, None).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::FactsAsOf(kind, sync) => {
                let page = bench.table(*kind, query, Some(*sync)).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::Links(state) => {
                let rows = bench.links(*state, offset, limit).await?.len();
                let counts = bench.link_counts().await?;
                let own = counts.into_iter().find(|c| c.state == state.word());
                Asked::of(rows, own.map_or(0, |own| own.count))
            }
            Table::JoinedPersons => {
                let page = bench.joined_persons(offset, limit).await?;
                Asked::of(page.rows.len(), page.total)
            }
            Table::PersonDoubts => {
                let page = bench.person_doubts(offset, limit).await?;
                Asked::of(page.rows.len(), page.total)
            }
            Table::LinkDecisions => {
                let page = bench.decisions(offset, limit).await?;
                Asked::of(page.rows.len(), page.total)
            }
            Table::Owned => {
                let window = bench.owned_lines(OwnerLists::AtHand, query).await?;
                Asked::of(window.rows.len(), window.matching)
            }
            Table::OwnerSuggestions => {
                let (rows, matching) = bench
                    .owner_suggestions(OwnerLists::AtHand, query, None)
                    .await?;
                Asked::of(rows.len(), matching)
            }
            Table::OwnerLines => {
                let (rows, matching) = bench.owner_lines(query).await?;
                Asked::of(rows.len(), matching)
            }
            Table::OwnerDecisions => {
                let (rows, matching) = bench.owner_decisions(offset, limit).await?;
                Asked::of(rows.len(), matching)
            }
            Table::Events => {
                let page = bench.events(query).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::Journal(source) => {
                let page = bench.journal(source, query).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::RunJournal(sync) => {
                let page = bench.run_journal(*sync, query).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::Runs(source) => {
                let page = bench.runs(source, query).await?;
                Asked::of(page.rows.len(), page.matching)
            }
            Table::Diff(from, to) => {
                let request = DiffRequest {
                    from: from.to_string(),
                    to: to.to_string(),
                    ..DiffRequest::default()
                };
                let moments = bench.diff_query(&request).await?;
                let rows = bench.diff_window(&moments, offset, limit).await?.len();
                Asked {
                    rows,
                    matching: None,
                }
            }
        })
    }

    /// The columns that its window can be sorted by, beside its own order.
    pub fn sorts(&self) -> &'static [&'static str] {
        match self {
            Table::Identities => &[
                "display_name",
                "email",
                "department",
                "title",
                "status",
                "kind",
                "source",
                "end_date",
                "manager_id",
                "accounts",
            ],
            Table::Facts(_)
            | Table::FactsAsOf(..)
            | Table::Links(_)
            | Table::JoinedPersons
            | Table::PersonDoubts
            | Table::LinkDecisions
            | Table::Owned
            | Table::OwnerSuggestions
            | Table::OwnerLines
            | Table::OwnerDecisions
            | Table::Events
            | Table::Journal(_)
            | Table::RunJournal(_)
            | Table::Runs(_)
            | Table::Diff(..) => &[],
        }
    }

    /// Filters that leave many, some and nothing.
    pub async fn filters(&self, bench: &Workbench) -> Result<Vec<String>, Box<dyn Error>> {
        let words: &[&str] = match self {
            Table::Identities => &["kind=person", "status=active", "source=nobody", "id=p4711"],
            Table::Owned => &[
                "standing=owner_left",
                "object_type=account",
                "system=nobody",
            ],
            Table::OwnerSuggestions => &["confidence=strong", "system=nobody"],
            Table::OwnerLines => &["state=left", "role=technical", "system=nobody"],
            Table::Events => &["event=leaver", "source=nobody", "identity=nobody"],
            Table::Facts(kind) => return self.filters_of_facts(bench, *kind).await,
            Table::FactsAsOf(..)
            | Table::Links(_)
            | Table::JoinedPersons
            | Table::PersonDoubts
            | Table::LinkDecisions
            | Table::OwnerDecisions
            | Table::Journal(_)
            | Table::RunJournal(_)
            | Table::Runs(_)
            | Table::Diff(..) => &[],
        };
        Ok(words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Each text that the middle row has, and one that nobody has.
    async fn filters_of_facts(
        &self,
        bench: &Workbench,
        kind: Kind,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let all = self.ask(bench, &list("", "", 0)).await?;
        let middle = ListQuery {
            limit: 1,
            ..list("", "", all.matching.unwrap_or(0) / 2)
        };
        let mut page = bench.table(kind, &middle, None).await?;
        let Some(row) = page.rows.pop() else {
            return Ok(Vec::new());
        };
        let columns = lastkey_workbench::columns(kind).into_iter();
        let mut filters: Vec<String> = columns
            .filter_map(|column| Some(format!("{column}={}", row.get(&column)?.as_str()?)))
            .collect();
        // A column of words of ours refuses any other.
        let mut columns = lastkey_workbench::columns(kind).into_iter();
        let named = columns.find(|column| column == "id" || column == "system");
        filters.extend(named.map(|column| format!("{column}=nobody has this")));
        Ok(filters)
    }
}

/// The query of a window that is filtered.
pub fn filtered(filter: &str, offset: u64) -> ListQuery {
    ListQuery {
        filters: vec![filter.to_owned()],
        limit: WINDOW,
        ..list("", "", offset)
    }
}
