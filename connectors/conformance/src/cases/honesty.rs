//! What is not known is not claimed: clipped answers, and flags that say what is impossible.

use super::ground::*;
use crate::outcome::{Verdict, ensure};
use crate::subject::{Scene, Subject};
use lastkey_contract::{Fact, NoteKind, PageRequest};

pub(crate) async fn clipped_noted(subject: &dyn Subject) -> Verdict {
    let clipped = subject.scene(Scene::Clipped).here()?;
    let connector = clipped.connector.as_ref();
    let mut noted = 0;
    for limit in [2, u32::MAX] {
        let mut session = connector.connect().await?;
        for capability in offered(connector)? {
            let pages = pages(session.as_mut(), capability.kind, limit).await?;
            noted += pages
                .iter()
                .flat_map(|page| &page.notes)
                .filter(|note| note.kind == NoteKind::Clipped)
                .count();
        }
    }
    ensure!(noted >= 2, "{noted} notes tell that the answer was cut");
    let ran = sync_once(connector, &once()).await?;
    ensure!(
        ran.report.state == "incomplete",
        "a clipped read ended {}",
        ran.report.state
    );
    Ok(())
}

/// When the object was last used, as far as its kind has such a thing.
fn last_use(fact: &Fact) -> bool {
    match fact {
        Fact::Account(x) => x.last_used_at.is_some() || x.last_interactive_at.is_some(),
        Fact::Grant(x) => x.last_used_at.is_some(),
        Fact::Credential(x) => x.last_used_at.is_some(),
        Fact::Identity(_)
        | Fact::Entitlement(_)
        | Fact::Location(_)
        | Fact::Reader(_)
        | Fact::Control(_)
        | Fact::Owner(_)
        | Fact::Session(_)
        | Fact::Task(_) => false,
    }
}

pub(crate) async fn flags_declared_false(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    let connector = seeded.connector.as_ref();
    // Some servers tell only then what they can.
    drop(connector.connect().await?);
    for capability in offered(connector)? {
        let kind = capability.kind;
        let mut session = connector.connect().await?;
        let whole = pages(session.as_mut(), kind, 100).await?;
        ensure!(
            whole
                .iter()
                .all(|page| page.gone.is_empty() && page.whole.is_empty()),
            "a full read of {} tells of deletions",
            kind.plural()
        );
        ensure!(
            capability.last_use_known || !records(&whole).iter().any(last_use),
            "{} tell a last use, although none is declared",
            kind.plural()
        );
        ensure!(
            capability.incremental || !capability.deletions_visible,
            "{} declare deletions without incremental reading",
            kind.plural()
        );
        if capability.incremental {
            continue;
        }
        ensure!(
            whole.iter().all(|page| page.watermark.is_none()),
            "{} end with a watermark that nothing can be read from",
            kind.plural()
        );
        let since = PageRequest {
            cursor: None,
            limit: u32::MAX,
            since: Some("2026-01-01T00:00:00Z".to_owned()),
        };
        if let Ok(page) = session.read_page(kind, since).await {
            let first = whole
                .first()
                .map(|page| page.records.len())
                .unwrap_or_default();
            ensure!(
                page.records.len() >= first,
                "{} answer a watermark with part of the set, although that is declared impossible",
                kind.plural()
            );
        }
    }
    Ok(())
}

pub(crate) async fn flags_declared_true(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    let connector = seeded.connector.as_ref();
    let mut session = connector.connect().await?;
    for capability in offered(connector)? {
        let kind = capability.kind;
        ensure!(
            connector.descriptor().reads.contains(&kind),
            "{} are offered and the descriptor does not list them",
            kind.plural()
        );
        ensure!(
            capability.max_page > 0,
            "{} have pages of nothing",
            kind.plural()
        );
        let whole = records(&pages(session.as_mut(), kind, 100).await?);
        ensure!(
            !capability.last_use_known || whole.iter().any(last_use),
            "{} declare a last use, and none of the seeded set has one",
            kind.plural()
        );
        ensure!(
            whole.iter().all(|fact| fact.kind() == kind),
            "{} hold facts of another kind",
            kind.plural()
        );
    }
    Ok(())
}
