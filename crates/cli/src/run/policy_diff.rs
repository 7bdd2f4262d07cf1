//! `lastkey policy diff`: what would change for whom if the draft were activated.

use super::policy::in_words;
use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::Output;
use lastkey_engine::policy::{Change, ChangeCount, ChangeLine};
use lastkey_workbench::{Failure, PolicyDifferences, WhenMissing};

pub async fn diff(global: &Global, limit: u32, out: &Output) -> Result<(), Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = bench.policy_differences(limit).await?;
    match out.json {
        true => out.document(&found),
        false => show(&found, out),
    }
}

fn show(found: &PolicyDifferences, out: &Output) -> Result<(), Failure> {
    let differences = &found.differences;
    let beside = match &found.active {
        Some(active) => format!("the active policy `{}`", active.name),
        None => "no active policy".to_owned(),
    };
    out.line(format!(
        "the draft `{}` beside {beside}: {}, {}",
        found.draft.name,
        of_these(differences.identities, "identity", "identities"),
        of_these(differences.entitlements, "entitlement", "entitlements"),
    ))?;
    let counts = differences.counts.iter().filter(|count| count.pairs > 0);
    let mut nothing = true;
    for count in counts {
        nothing = false;
        out.line(format!("  {}", in_numbers(count)))?;
    }
    if nothing {
        out.line("  nothing would change")?;
    }
    for line in &differences.lines {
        let name = found.names.get(&line.identity).into_iter();
        let name: String = name.map(|name| format!(" ({name})")).collect();
        out.line(format!("  {}{name} {}", line.identity, in_a_line(line)))?;
    }
    if differences.truncated > 0 {
        let more = of_these(differences.truncated, "more", "more");
        out.line(format!("  and {more}; see --limit"))?;
    }
    for unread in &found.unread {
        out.line(format!("  missing: {unread}"))?;
    }
    for name in &found.named_unread {
        out.important(format!(
            "remark: the draft names `{name}`, which no source has read yet"
        ));
    }
    Ok(())
}

/// `newly allowed: 3 (2 identities, 2 entitlements), 1 of them held`.
fn in_numbers(count: &ChangeCount) -> String {
    let held = match (count.change, count.held) {
        (Change::BirthrightGained, held) => {
            let missing = count.pairs.saturating_sub(held);
            format!("{} held, {} missing", counted(held), counted(missing))
        }
        (_, held) => format!("{} held", counted(held)),
    };
    format!(
        "{}: {} ({}, {}), {held}",
        count.change.in_words(),
        counted(count.pairs),
        of_these(count.identities, "identity", "identities"),
        of_these(count.entitlements, "entitlement", "entitlements"),
    )
}

/// `holds erp:ledger: permitted by finance -> not permitted`.
fn in_a_line(line: &ChangeLine) -> String {
    let verb = match line.held {
        true => "holds",
        false => "does not hold",
    };
    format!(
        "{verb} {}:{}: {} -> {}",
        line.system,
        line.id,
        in_words(&line.before),
        in_words(&line.after)
    )
}
