//! Cursors, and sets that change while they are read.

use super::ground::*;
use crate::outcome::{Verdict, Why, ensure};
use crate::subject::{Scene, Subject};
use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Cursor, Descriptor, ErrorKind, Fact, Kind,
    KindCapability, Page, PageRequest, Session,
};
use std::collections::{BTreeMap, HashSet};

pub(crate) async fn cursor_resume(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    for capability in offered(seeded.connector.as_ref())? {
        let kind = capability.kind;
        let mut first = seeded.connector.connect().await?;
        let whole = records(&pages(first.as_mut(), kind, 2).await?);
        let page = first.read_page(kind, ask(None, 2)).await?;
        let cursor = page.next.clone();
        ensure!(
            cursor.is_some(),
            "{} have no second page of two",
            kind.plural()
        );
        drop(first);
        let mut later = seeded.connector.connect().await?;
        let resumed = rest(later.as_mut(), kind, 2, cursor, None).await;
        match (capability.cursor_survives_reconnect, resumed) {
            (true, Ok(pages)) => {
                let mut got = page.records;
                got.extend(records(&pages));
                same(&format!("{} resumed", kind.plural()), &got, &whole)?;
            }
            (true, Err(error)) => return Err(error.into()),
            (false, Err(error)) => ensure!(
                error.kind == ErrorKind::CursorLost,
                "a cursor of {} that does not live on must be lost, and it is {:?}: {error}",
                kind.plural(),
                error.kind
            ),
            (false, Ok(_)) => ensure!(
                false,
                "a cursor of {} works in a later session, although that is declared impossible",
                kind.plural()
            ),
        }
    }
    Ok(())
}

pub(crate) async fn foreign_cursor(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    for capability in offered(seeded.connector.as_ref())? {
        for text in [
            "",
            "x",
            "-1",
            "99999999999999999999",
            "1:2:3",
            "https://evil.example/x",
            "\u{0}\u{1f511}",
        ] {
            let mut session = seeded.connector.connect().await?;
            let cursor = Some(Cursor(text.to_owned()));
            let kind = capability.kind;
            match session.read_page(kind, ask(cursor, 2)).await {
                Ok(_) => ensure!(
                    false,
                    "a page of {} answers the cursor {text:?}",
                    kind.plural()
                ),
                Err(error) => ensure!(
                    matches!(error.kind, ErrorKind::CursorLost | ErrorKind::Protocol),
                    "the cursor {text:?} of {} is {:?}: {error}",
                    kind.plural(),
                    error.kind
                ),
            }
        }
    }
    Ok(())
}

/// A connector whose every second page says that the next one is itself.
struct Looping<'a>(&'a dyn Connector);
struct LoopingSession(Box<dyn Session>);

#[async_trait]
impl Connector for Looping<'_> {
    fn descriptor(&self) -> &'static Descriptor {
        self.0.descriptor()
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.0.capabilities()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.0.check().await
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(LoopingSession(self.0.connect().await?)))
    }
}

#[async_trait]
impl Session for LoopingSession {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let asked = request.cursor.clone();
        let mut page = self.0.read_page(kind, request).await?;
        page.next = asked.or(page.next);
        Ok(page)
    }
}

pub(crate) async fn repeated_cursor(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    for capability in offered(seeded.connector.as_ref())? {
        let mut session = seeded.connector.connect().await?;
        let pages = pages(session.as_mut(), capability.kind, 1).await?;
        let cursors: Vec<&Cursor> = pages.iter().filter_map(|page| page.next.as_ref()).collect();
        let different: HashSet<&Cursor> = cursors.iter().copied().collect();
        ensure!(
            cursors.len() == different.len(),
            "a cursor of {} came twice",
            capability.kind.plural()
        );
    }
    let settings = lastkey_engine::collect::SyncSettings {
        page_limit: 2,
        ..once()
    };
    let ran = sync_once(&Looping(seeded.connector.as_ref()), &settings).await?;
    ensure!(
        ran.report.state == "failed" && ran.told().contains("twice"),
        "a source that repeats its cursor ended {}: {}",
        ran.report.state,
        ran.told()
    );
    Ok(())
}

pub(crate) async fn removed_between_pages(subject: &dyn Subject) -> Verdict {
    let mut changing = subject.scene(Scene::Changing).here()?;
    let capability = offered(changing.connector.as_ref())?
        .into_iter()
        .next()
        .ok_or_else(|| Why::Failed("nothing is offered".to_owned()))?;
    let kind = capability.kind;
    let none = Vec::new();
    let before = changing.expected.get(&kind).unwrap_or(&none).clone();
    ensure!(
        before.len() >= 6,
        "there are only {} {}",
        before.len(),
        kind.plural()
    );
    let mut session = changing.connector.connect().await?;
    let page = session.read_page(kind, ask(None, 2)).await?;
    let change = changing
        .change
        .take()
        .ok_or_else(|| Why::Failed("nothing changes the system".to_owned()))?;
    let after = change().remove(&kind).unwrap_or_default();
    let mut later = rest(session.as_mut(), kind, 2, page.next.clone(), None).await;
    if later.as_ref().is_err_and(|error| error.kind.may_retry()) {
        // As the engine would, which then learns that the ground moved.
        later = rest(session.as_mut(), kind, 2, page.next.clone(), None).await;
    }
    let later = match later {
        Ok(pages) => pages,
        // To say that the ground moved is an answer; the engine begins again.
        Err(error) if error.kind == ErrorKind::CursorLost => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let seen: HashSet<String> = page.records.iter().map(Fact::key).collect();
    let mut got = page.records;
    got.extend(records(&later));
    let keys: Vec<String> = got.iter().map(Fact::key).collect();
    let different: HashSet<&String> = keys.iter().collect();
    ensure!(
        kind.may_repeat() || different.len() == keys.len(),
        "an object came twice, although one was removed: {keys:?}"
    );
    let kept: HashSet<String> = after.iter().map(Fact::key).collect();
    for fact in before.iter().filter(|fact| kept.contains(&fact.key())) {
        ensure!(
            different.contains(&fact.key()),
            "`{}` vanished when another object was removed",
            fact.key()
        );
    }
    let gone: Vec<String> = before
        .iter()
        .map(Fact::key)
        .filter(|key| !kept.contains(key) && !seen.contains(key))
        .collect();
    ensure!(
        !gone.is_empty(),
        "nothing was removed that was not read yet"
    );
    let saw_removal = gone.iter().all(|key| !different.contains(key));
    ensure!(
        capability.one_moment != saw_removal,
        "{} are declared to show {}, and the removal {} seen",
        kind.plural(),
        if capability.one_moment {
            "one moment"
        } else {
            "a moving state"
        },
        if saw_removal { "was" } else { "was not" }
    );
    Ok(())
}

/// Whether an object stands under a parent, as `Page::whole` names it.
fn below(fact: &Fact, key: &str, parent: &str) -> bool {
    if let Fact::Credential(credential) = fact {
        // Its key does not begin with its account.
        let account = credential.account_id.as_ref().map(|id| id.as_str());
        return parent.split_once('\u{1f}') == account.map(|id| (credential.system.as_str(), id));
    }
    key.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('\u{1f}'))
}

pub(crate) async fn incremental(subject: &dyn Subject) -> Verdict {
    // A set that changes can need a server of its own, which is not started for nothing.
    let seeded = subject.scene(Scene::Seeded).here()?;
    let _signed_in = seeded.connector.connect().await?;
    // Asked now, because some servers tell only then what they can.
    if offered(seeded.connector.as_ref())?
        .iter()
        .all(|capability| !capability.incremental)
    {
        return Err(Why::NotApplicable(
            "it reads everything each time; flags-declared-false tests that it does".to_owned(),
        ));
    }
    drop(seeded);
    let mut changing = subject.scene(Scene::Changing).here()?;
    let mut session = changing.connector.connect().await?;
    let capabilities = offered(changing.connector.as_ref())?;
    let mut first = BTreeMap::new();
    for capability in capabilities.iter().filter(|c| c.incremental) {
        let pages = pages(session.as_mut(), capability.kind, 3).await?;
        let mark = pages.last().and_then(|page| page.watermark.clone());
        let mark = mark.ok_or_else(|| {
            Why::Failed(format!(
                "{} end without a watermark",
                capability.kind.plural()
            ))
        })?;
        first.insert(capability.kind, (records(&pages), mark));
    }
    drop(session);
    let change = changing
        .change
        .take()
        .ok_or_else(|| Why::Failed("nothing changes the system".to_owned()))?;
    let after = change();
    let mut session = changing.connector.connect().await?;
    let mut moved = 0;
    for capability in capabilities.iter().filter(|c| c.incremental) {
        let kind = capability.kind;
        let Some((before, mark)) = first.remove(&kind) else {
            continue;
        };
        let changes = match rest(session.as_mut(), kind, 3, None, Some(&mark)).await {
            Ok(changes) => changes,
            // To say that these changes cannot be told is an answer; the engine reads in full.
            Err(error) if error.kind == ErrorKind::CursorLost => continue,
            Err(error) => return Err(error.into()),
        };
        let gone: usize = changes
            .iter()
            .map(|page| page.gone.len() + page.whole.len())
            .sum();
        ensure!(
            capability.deletions_visible || gone == 0,
            "{} tell of deletions, although that is declared impossible",
            kind.plural()
        );
        let changed = records(&changes);
        moved += changed.len() + gone;
        ensure!(
            changed.len() < before.len().max(1) || before.len() < 3,
            "the changes of {} are the whole set again",
            kind.plural()
        );
        let mut merged: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
        for fact in before {
            merged.entry(fact.key()).or_default().push(fact);
        }
        for parent in changes.iter().flat_map(|page| &page.whole) {
            merged.retain(|key, facts| {
                let under = facts.iter().any(|fact| below(fact, key, parent));
                !under
            });
        }
        let mut renewed: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
        for fact in changed {
            renewed.entry(fact.key()).or_default().push(fact);
        }
        merged.extend(renewed);
        for key in changes.iter().flat_map(|page| &page.gone) {
            merged.remove(key);
        }
        let none = Vec::new();
        let mut wanted = after.get(&kind).unwrap_or(&none).clone();
        if !capability.deletions_visible {
            // What was removed is still in the merged set, and the engine knows that it may be.
            let kept: HashSet<String> = wanted.iter().map(Fact::key).collect();
            wanted.extend(
                merged
                    .iter()
                    .filter(|(key, _)| !kept.contains(*key))
                    .flat_map(|(_, facts)| facts.clone()),
            );
        }
        let got: Vec<Fact> = merged.into_values().flatten().collect();
        same(
            &format!("{} after the changes", kind.plural()),
            &got,
            &wanted,
        )?;
        let odd = PageRequest {
            cursor: None,
            limit: 3,
            since: Some("no-such-mark".to_owned()),
        };
        match session.read_page(kind, odd).await {
            Err(error) if error.kind == ErrorKind::CursorLost => {}
            other => ensure!(
                false,
                "a watermark of {} that nobody gave is answered {:?}",
                kind.plural(),
                other.map(|page| page.records.len())
            ),
        }
    }
    ensure!(moved > 0, "no change was seen at all");
    Ok(())
}
