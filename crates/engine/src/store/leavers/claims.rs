//! What the provisioning process claims about leavers.

use super::super::StoreError;
use super::super::blocks::{self, Block, Columns, Which};
use super::super::names::{Names, id_numbers};
use super::held::{Ground, Window};
use crate::measured::Claim;
use lastkey_contract::Kind;
use lastkey_contract::facts::Task;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The tasks of each leaver of a window, as they were last told, by source and id: those that name
/// them, or an account of theirs.
pub(super) async fn claims(
    connection: &mut SqliteConnection,
    ground: &Ground,
    window: &Window<'_>,
    accounts: &HashMap<i64, HashSet<usize>>,
) -> Result<Vec<Vec<Claim>>, StoreError> {
    let mut people: HashMap<i64, HashSet<usize>> = HashMap::new();
    for ((source, id), heads) in &window.records {
        for number in numbers(ground.names, &ground.source_name(*source), id) {
            people.entry(number).or_default().extend(heads);
        }
    }
    // By source and key: the last row, and whose it is by any version.
    let mut last: BTreeMap<(i64, i64), (i64, HashSet<usize>)> = BTreeMap::new();
    let ever = Which::ever(Kind::Task);
    let mut rows: HashMap<i64, HashSet<usize>> = HashMap::new();
    blocks::each(&mut *connection, &ever, Columns::References, |block| {
        for place in block.places() {
            let person = Block::reference(&block.froms, place);
            let of_person = person.and_then(|number| people.get(&number));
            let account = Block::reference(&block.tos, place);
            let of_account = account.and_then(|number| accounts.get(&number));
            // Whom a task names counts; an account only where it names nobody.
            let of = match person {
                Some(_) => of_person,
                None => of_account,
            };
            if let Some(of) = of {
                rows.insert(block.row(place), of.clone());
            }
        }
        Ok(())
    })
    .await?;
    let mut of_window: Vec<i64> = rows.keys().copied().collect();
    of_window.sort_unstable();
    let mut facts: HashMap<i64, Task> = HashMap::new();
    blocks::of_rows(
        &mut *connection,
        &of_window,
        Columns::Named,
        |block, place| {
            let row = block.row(place);
            let name = (ground.lineage.first(block.source), block.key(place)?);
            let (newest, of) = last.entry(name).or_default();
            *newest = row.max(*newest);
            of.extend(rows.get(&row).into_iter().flatten());
            facts.insert(row, serde_json::from_str(block.fact(place)?)?);
            Ok(())
        },
    )
    .await?;
    let mut claims: Vec<Vec<Claim>> = vec![Vec::new(); window.heads.len()];
    for ((source, _), (row, of)) in last {
        let Some(task) = facts.remove(&row) else {
            continue;
        };
        let claim = Claim {
            source: ground.source_name(source),
            id: task.id.to_string(),
            system: task.system.to_string(),
            event: task.event,
            account: task.account_id.map(|id| id.to_string()),
            action: task.action,
            status: task.status,
            retries: task.retries,
            requested_at: task.requested_at,
            approved_by: task.approved_by,
            closed_at: task.closed_at,
            closed_by: task.closed_by,
            overridden: task.overridden.filter(|text| !text.trim().is_empty()),
            ticket: task.ticket,
        };
        for head in of {
            if let Some(claims) = claims.get_mut(head) {
                claims.push(claim.clone());
            }
        }
    }
    for claims in &mut claims {
        claims.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
    }
    Ok(claims)
}

/// The numbers by which a record may be named.
fn numbers(names: Names, source: &str, id: &str) -> Vec<i64> {
    let mut numbers = vec![names.key(Kind::Identity, id)];
    numbers.extend(
        id_numbers(names, &format!("{source}:{id}"))
            .into_iter()
            .take(1),
    );
    numbers
}
