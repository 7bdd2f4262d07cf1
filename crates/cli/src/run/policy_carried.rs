//! `lastkey policy carried`: what people hold since before they moved.

use super::{of_these, open};
use crate::args::Global;
use crate::output::{Output, moment};
use lastkey_engine::store::PolicyStanding;
use lastkey_workbench::{Carried, Failure, Stop, WhenMissing};

pub async fn carried(
    global: &Global,
    (identity, standing): (Option<&str>, PolicyStanding),
    out: &Output,
) -> Result<(), Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let stop = Stop::default();
    let found = bench.carried_along(standing, identity, &stop).await?;
    if out.json {
        return out.document(&found);
    }
    let items = found
        .people
        .iter()
        .map(|one| one.carried.len())
        .sum::<usize>();
    out.line(format!(
        "of {} {} still {} what a change of their own took the right to, by the policy `{}`: {}",
        of_these(found.asked, "person with a past", "people with a past"),
        found.people.len(),
        if found.people.len() == 1 {
            "holds"
        } else {
            "hold"
        },
        found.policy,
        of_these(
            u64::try_from(items).unwrap_or(u64::MAX),
            "entitlement",
            "entitlements"
        ),
    ))?;
    for one in &found.people {
        let name = one.display_name.iter();
        let name: String = name.map(|name| format!(" ({name})")).collect();
        out.line(format!("{}{name}", one.identity))?;
        for line in &one.carried {
            out.line(format!("  {}", in_words(line)))?;
        }
    }
    Ok(())
}

fn in_words(line: &Carried) -> String {
    let at = |text: &Option<String>| text.as_deref().map(moment);
    let since = match (at(&line.earliest), at(&line.latest)) {
        (Some(from), Some(to)) if from != to => format!("between {from} and {to}"),
        (_, Some(at)) | (Some(at), None) => format!("since {at}"),
        (None, None) => format!("since sync {}", line.sync),
    };
    format!(
        "{}:{} on {}: carried along {since}, when {} changed; permitted before by {}{}",
        line.system,
        line.id,
        line.accounts.join(", "),
        line.changed.join(", "),
        line.permitted_by.join(", "),
        match line.sure {
            true => "",
            false => " (assumed)",
        }
    )
}
