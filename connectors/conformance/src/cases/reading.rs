//! What is read, and that it is read exactly.

use super::ground::*;
use crate::memory;
use crate::outcome::{Verdict, Why, ensure};
use crate::subject::{Scene, Subject, odd_texts};
use lastkey_contract::{Connector, Fact, NoteKind};
use serde_json::Value;
use std::collections::HashSet;

pub(crate) async fn exact_read_back(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    let got = everything(seeded.connector.as_ref(), u32::MAX).await?;
    all_same("the seeded set", &got, &seeded.expected)?;
    for (kind, facts) in &seeded.expected {
        ensure!(
            facts.len() >= 4,
            "the seeded set has only {} {}",
            facts.len(),
            kind.plural()
        );
    }
    let ran = sync_once(seeded.connector.as_ref(), &once()).await?;
    ensure!(
        ran.complete(),
        "a whole sync ended {}: {}",
        ran.report.state,
        ran.told()
    );
    let totals = &ran.report.totals;
    let count: usize = seeded.expected.values().map(Vec::len).sum();
    ensure!(
        usize::try_from(totals.stored).is_ok_and(|stored| stored == count)
            && totals.reported == totals.stored
            && totals.skipped + totals.failed == 0,
        "of {count} objects a whole sync stored {} and reported {}",
        totals.stored,
        totals.reported
    );
    Ok(())
}

pub(crate) async fn page_sizes(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    for capability in offered(seeded.connector.as_ref())? {
        let kind = capability.kind;
        let mut whole: Option<Vec<Fact>> = None;
        for limit in [1, 3, capability.max_page, u32::MAX] {
            let mut session = seeded.connector.connect().await?;
            let pages = pages(session.as_mut(), kind, limit).await?;
            for page in &pages {
                let count = u32::try_from(page.records.len()).unwrap_or(u32::MAX);
                let most = limit.min(capability.max_page);
                ensure!(
                    count <= most,
                    "{} in pages of {limit}: a page has {count}, {most} at most may be",
                    kind.plural()
                );
                let lost: u64 = page
                    .notes
                    .iter()
                    .filter(|note| {
                        note.about == kind
                            && matches!(note.kind, NoteKind::Skipped | NoteKind::Failed)
                    })
                    .map(|note| note.count)
                    .sum();
                ensure!(
                    page.received == u64::from(count) + lost,
                    "{} in pages of {limit}: a page received {} and accounts for {count} and {lost}",
                    kind.plural(),
                    page.received
                );
            }
            let got = records(&pages);
            if let Some(whole) = &whole {
                same(
                    &format!("{} in pages of {limit}", kind.plural()),
                    &got,
                    whole,
                )?;
            }
            whole.get_or_insert(got);
        }
    }
    Ok(())
}

pub(crate) async fn same_request_twice(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    for capability in offered(seeded.connector.as_ref())? {
        let mut session = seeded.connector.connect().await?;
        let first = session.read_page(capability.kind, ask(None, 2)).await?;
        ensure!(
            first.next.is_some(),
            "{} have no second page of two",
            capability.kind.plural()
        );
        let second = session
            .read_page(capability.kind, ask(first.next.clone(), 2))
            .await?;
        let again = session
            .read_page(capability.kind, ask(first.next.clone(), 2))
            .await?;
        ensure!(
            second == again,
            "the second page of {} is another when it is asked for again",
            capability.kind.plural()
        );
        let anew = session.read_page(capability.kind, ask(None, 2)).await?;
        ensure!(
            anew.records == first.records,
            "the first page of {} is another when it is asked for again",
            capability.kind.plural()
        );
    }
    Ok(())
}

/// Every text of a value, at any depth.
fn texts(value: &Value, into: &mut HashSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(crate) async fn odd_text(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    let mut met = HashSet::new();
    for facts in everything(seeded.connector.as_ref(), 3).await?.values() {
        for fact in facts {
            texts(&serde_json::to_value(fact).unwrap_or_default(), &mut met);
        }
    }
    for (what, text) in odd_texts() {
        ensure!(
            met.contains(&text),
            "a text with {what} did not come through"
        );
    }
    ensure!(
        met.iter().all(|text| !text.is_empty()),
        "an empty value came as a text without letters, and not as a value that is not known"
    );
    Ok(())
}

pub(crate) async fn empty_system(subject: &dyn Subject) -> Verdict {
    let empty = subject.scene(Scene::Empty).here()?;
    let got = everything(empty.connector.as_ref(), 100).await?;
    all_same("an empty system", &got, &empty.expected)?;
    empty.connector.check().await?;
    let ran = sync_once(empty.connector.as_ref(), &once()).await?;
    ensure!(
        ran.complete(),
        "a whole sync ended {}: {}",
        ran.report.state,
        ran.told()
    );
    Ok(())
}

/// What a large set did to memory after its first fifth.
struct Growth {
    /// By how much more is in use at the end.
    grown: usize,
    /// How many objects were read.
    read: u64,
    /// How long they are as text: a source may have made less of them than it was asked to.
    text: usize,
}

/// Reads a large set and keeps nothing of it.
async fn growth(connector: &dyn Connector, fifth: u64) -> Result<Growth, Why> {
    let (mut start, mut count, mut text) = (None, 0u64, 0usize);
    let nothing = Growth {
        grown: 0,
        read: 0,
        text: 0,
    };
    let mut session = connector.connect().await?;
    let Some(kind) = offered(connector)?.first().map(|c| c.kind) else {
        return Ok(nothing);
    };
    let mut cursor = None;
    loop {
        let page = session.read_page(kind, ask(cursor, 250)).await?;
        count += page.received;
        cursor = page.next;
        if start.is_some() {
            text += serde_json::to_string(&page.records).map_or(0, |text| text.len());
        }
        drop(page.records);
        if count > fifth {
            let start = *start.get_or_insert_with(memory::in_use);
            if cursor.is_none() {
                return Ok(Growth {
                    grown: memory::in_use().saturating_sub(start),
                    read: count - fifth,
                    text,
                });
            }
        } else if cursor.is_none() {
            return Ok(nothing);
        }
    }
}

pub(crate) async fn flat_memory(subject: &dyn Subject) -> Verdict {
    let (records, bytes) = match std::env::var_os("LASTKEY_LONG") {
        None => (5_000, 2_000),
        Some(_) => (50_000, 1_000),
    };
    let large = subject.scene(Scene::Large { records, bytes }).here()?;
    // Other tests of the same process take memory and give it back, so the one in the middle of
    // five reads counts.
    let mut seen = Vec::new();
    for _ in 0..5 {
        let Growth { grown, read, text } =
            growth(large.connector.as_ref(), u64::from(records / 5)).await?;
        ensure!(
            read > u64::from(records / 2),
            "the large set is not there: {read} objects were read"
        );
        seen.push((grown, text));
    }
    seen.sort_unstable();
    ensure!(
        seen.get(2).is_some_and(|(grown, text)| *grown < text / 3),
        "memory grew with what was read (bytes grown, bytes read): {seen:?}"
    );
    Ok(())
}
