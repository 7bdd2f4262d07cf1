//! What needs an owner, worst first, with who answers for it and who is suggested; and one such
//! object with everything that is known of its owners.

use super::{ListQuery, OwnedView, OwnerDecisionView, OwnerSuggestionView, RowWindow};
use crate::ownership::{ObjectName, Standing};
use crate::store::{OwnedRow, OwnersQuery, Store, StoreError};
use lastkey_contract::facts::OwnerRole;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The order of the list: who left is worse than who never was.
const WORST_FIRST: [Standing; 5] = [
    Standing::OwnerLeft,
    Standing::NoOwner,
    Standing::OwnerUnknown,
    Standing::OwnerAway,
    Standing::Owned,
];

/// How many objects stand so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StandingCount {
    pub standing: String,
    pub count: u64,
}

/// One owner of an object, as a source says or as somebody confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnerOf {
    pub owner_id: String,
    pub owner_name: Option<String>,
    pub role: String,
    /// `observed` or `attested`.
    pub basis: String,
    /// `present`, `on_leave`, `not_yet`, `left`, `ended`, `absent`, `in_doubt`,
    /// `unknown`.
    pub state: String,
    /// The source that says so, where one does.
    pub source: Option<String>,
    pub confirmed_at: Option<String>,
    pub confirmed_by: Option<String>,
    pub why: Option<String>,
}

/// An object of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnedLine {
    pub of: OwnedView,
    /// Whoever answers for it: somebody who is there before somebody who is not.
    pub owner: Option<OwnerOf>,
    /// The best suggestion that asks for a decision.
    pub suggested: Option<OwnerSuggestionView>,
}

/// An object with all that is known of its owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnedDetail {
    pub of: OwnedView,
    pub owners: Vec<OwnerOf>,
    pub suggestions: Vec<OwnerSuggestionView>,
    /// Those that count now.
    pub decisions: Vec<OwnerDecisionView>,
}

/// One suggestion out of many, as it is taken from a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[ts(export)]
pub struct OwnerPick {
    pub object: String,
    pub owner: String,
    pub role: String,
}

/// What was decided at once, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnersSummary {
    /// The number by which it is undone; none where nothing was kept.
    pub batch: Option<i64>,
    pub confirmed: u64,
    pub rejected: u64,
    /// By the kinds of facts that agree, how many.
    pub by_rule: Vec<RuleCount>,
    /// The first of them, in words.
    pub examples: Vec<String>,
}

/// How many rest on these kinds of facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RuleCount {
    pub rules: String,
    pub count: u64,
}

/// How many objects stand how, of those that these filters leave; the worst first.
pub async fn standing_counts(
    store: &Store,
    filters: &[(String, String)],
) -> Result<Vec<StandingCount>, StoreError> {
    let mut counts = Vec::new();
    for standing in WORST_FIRST {
        let (_, count) = store.owned(&query(filters, standing, 0, 0)).await?;
        counts.push(StandingCount {
            standing: standing.word().to_owned(),
            count,
        });
    }
    Ok(counts)
}

/// A window of what needs an owner, the worst first.
pub async fn owned_lines(
    store: &Store,
    filters: &[(String, String)],
    window: &ListQuery,
) -> Result<RowWindow<OwnedLine>, StoreError> {
    let wanted = filters.iter().find(|(column, _)| column == "standing");
    let rest: Vec<_> = filters
        .iter()
        .filter(|(column, _)| column != "standing")
        .cloned()
        .collect();
    let (mut rows, mut matching) = (Vec::new(), 0);
    let (mut skip, mut left) = (window.offset, window.limit);
    for standing in WORST_FIRST {
        if wanted.is_some_and(|(_, word)| word != standing.word()) {
            continue;
        }
        let (found, there) = store.owned(&query(&rest, standing, skip, left)).await?;
        matching += there;
        skip = skip.saturating_sub(there);
        left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(left));
        for row in found {
            rows.push(line(store, row).await?);
        }
    }
    let (_, total) = store.owned(&OwnersQuery::default()).await?;
    Ok(RowWindow {
        rows,
        offset: window.offset,
        matching,
        total,
    })
}

fn query(filters: &[(String, String)], standing: Standing, offset: u64, limit: u32) -> OwnersQuery {
    let mut filters = filters.to_vec();
    filters.push(("standing".to_owned(), standing.word().to_owned()));
    OwnersQuery {
        filters,
        at_least: None,
        offset,
        limit,
    }
}

async fn line(store: &Store, row: OwnedRow) -> Result<OwnedLine, StoreError> {
    // The list tells no system of an identity; its suggestions are found by its source's name.
    let system = row.system.clone();
    let of = OwnedView::from(row);
    let owner = match of.owners {
        0 => None,
        _ => {
            let mut all = owners(store, &of, 20).await?.into_iter();
            all.find(|owner| owner.role != OwnerRole::Custodian.word())
        }
    };
    let suggested = match of.suggestions {
        0 => None,
        _ => suggestions(store, &of, &system, 1)
            .await?
            .into_iter()
            .next(),
    };
    Ok(OwnedLine {
        of,
        owner,
        suggested,
    })
}

/// One object with all that is known of its owners; None where nothing that needs an owner is
/// called so.
pub async fn owned_detail(
    store: &Store,
    object: &ObjectName,
) -> Result<Option<OwnedDetail>, StoreError> {
    let found = store
        .owned(&OwnersQuery {
            filters: named(object.kind.word(), &object.system, &object.id),
            limit: 1,
            ..OwnersQuery::default()
        })
        .await?;
    let Some(row) = found.0.into_iter().next() else {
        return Ok(None);
    };
    let of = OwnedView::from(row);
    let decisions = store.owner_decisions_about(object).await?;
    Ok(Some(OwnedDetail {
        owners: owners(store, &of, 200).await?,
        suggestions: suggestions(store, &of, &object.system, 50).await?,
        decisions: decisions.into_iter().map(Into::into).collect(),
        of,
    }))
}

fn named(kind: &str, system: &str, id: &str) -> Vec<(String, String)> {
    let filter = |column: &str, value: &str| (column.to_owned(), value.to_owned());
    vec![
        filter("object_type", kind),
        filter("system", system),
        filter("object_id", id),
    ]
}

async fn owners(store: &Store, of: &OwnedView, limit: u32) -> Result<Vec<OwnerOf>, StoreError> {
    let (lines, _) = store
        .owner_lines(&OwnersQuery {
            // The lines of an identity name no system.
            filters: named(
                &of.object_type,
                of.system.as_deref().unwrap_or_default(),
                &of.object_id,
            ),
            limit,
            ..OwnersQuery::default()
        })
        .await?;
    let mut owners = Vec::with_capacity(lines.len());
    for line in lines {
        owners.push(serde_json::from_value::<OwnerOf>(line.into())?);
    }
    // A custodian does not answer for it; whoever is there goes before whoever is not.
    owners.sort_by_key(|owner| (owner.role == "custodian", owner.state != "present"));
    Ok(owners)
}

async fn suggestions(
    store: &Store,
    of: &OwnedView,
    system: &str,
    limit: u32,
) -> Result<Vec<OwnerSuggestionView>, StoreError> {
    let (rows, _) = store
        .owner_suggestions(&OwnersQuery {
            filters: named(&of.object_type, system, &of.object_id),
            limit,
            ..OwnersQuery::default()
        })
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
