//! Where each secret stands, who can read it there and what it opens, on the state that is looked at.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::{State, off_thread};
use chrono::TimeDelta;
use lastkey_contract::IdentityId;
use lastkey_engine::access::ReachFrom;
use lastkey_engine::lifecycle::RehearsalSettings;
use lastkey_engine::locations::{
    Estate, Known, OfEstate, PlaceReader, SecretDetail, SecretPlace, SecretRow, SecretsSummary,
    WrongQuery,
};
use lastkey_engine::views::{self, ListQuery, RowWindow};
use serde::Serialize;
use std::sync::Arc;
use ts_rs::TS;

/// The secrets of the latest state, and what was asked of somebody last.
pub(crate) struct Located {
    state: State,
    estate: Arc<Estate>,
    known: Option<(String, Arc<Known>, SecretsOf)>,
}

/// Whose secrets a list has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretsOf {
    pub identity: String,
    pub display_name: Option<String>,
    /// Whether the sources say that they left, or list them no more.
    pub left: bool,
    /// Whether every account of theirs is closed by now.
    pub closed: bool,
    /// What was not read whole and could hold more: a sentence each.
    pub unread: Vec<String>,
}

/// A window of secrets, and of whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretsView {
    pub window: RowWindow<SecretRow>,
    pub of: Option<SecretsOf>,
}

/// One secret, and how an identity comes by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretShown {
    pub detail: SecretDetail,
    pub of: Option<SecretsOf>,
}

/// For how long readers of one moment stand for now: grants expire meanwhile.
const AGES_IN: TimeDelta = TimeDelta::minutes(15);

impl From<WrongQuery> for Failure {
    fn from(wrong: WrongQuery) -> Failure {
        let WrongQuery { message, hint } = wrong;
        Failure::bad_input(message).hint(hint)
    }
}

impl Workbench {
    /// All secrets in short.
    pub async fn secrets_summary(&self) -> Result<SecretsSummary, Failure> {
        let estate = self.estate().await?;
        off_thread(move || estate.summary()).await
    }

    /// A window of secrets; with an identity only those that they could read, and how.
    pub async fn secrets(
        &self,
        query: &ListQuery,
        identity: Option<&str>,
    ) -> Result<SecretsView, Failure> {
        let estate = self.estate().await?;
        let of = self.known_by(&estate, identity).await?;
        let (asked, known) = (query.clone(), of.as_ref().map(|(known, _)| known.clone()));
        let window = off_thread(move || estate.secrets(&asked, known.as_deref())).await??;
        let mut view = SecretsView {
            window,
            of: of.map(|(_, of)| of),
        };
        views::name_secrets(&self.store, &mut view.window.rows).await?;
        Ok(view)
    }

    /// A window of places.
    pub async fn secret_places(
        &self,
        query: &ListQuery,
        identity: Option<&str>,
    ) -> Result<RowWindow<SecretPlace>, Failure> {
        let estate = self.estate().await?;
        let of = self.known_by(&estate, identity).await?;
        let (asked, known) = (query.clone(), of.map(|(known, _)| known));
        Ok(off_thread(move || estate.places(&asked, known.as_deref())).await??)
    }

    /// All that is known of one secret: `SYSTEM:ID` of a credential, `SYSTEM:PATH` of a place, with
    /// `#FIELD` where several values stand there. With an identity also how they come by it.
    pub async fn secret(&self, key: &str, identity: Option<&str>) -> Result<SecretShown, Failure> {
        let estate = self.estate().await?;
        let known = self.known_by(&estate, identity).await?;
        let (known, of) = known.unzip();
        let asked = key.to_owned();
        let (found, detail) = off_thread(move || {
            let detail = estate.detail(&asked, known.as_deref());
            (estate.named(&asked), detail)
        })
        .await?;
        let mut detail = match (found.len(), detail) {
            (1, Some(detail)) => detail,
            (0, _) | (_, None) => {
                return Err(Failure::bad_input(format!("there is no secret `{key}`"))
                    .hint("SYSTEM:ID of a credential or SYSTEM:PATH of a place: see `lastkey secrets`"));
            }
            (many, Some(_)) => {
                return Err(
                    Failure::bad_input(format!("{many} secrets stand at `{key}`"))
                        .hint(format!("say which: {}", first(&found))),
                );
            }
        };
        views::name_secret(&self.store, &mut detail).await?;
        Ok(SecretShown { detail, of })
    }

    /// A window of who can read a place, or a secret wherever it stands.
    pub async fn secret_readers(
        &self,
        key: &str,
        query: &ListQuery,
    ) -> Result<RowWindow<PlaceReader>, Failure> {
        let estate = self.estate().await?;
        let (asked, of) = (query.clone(), key.to_owned());
        let window = off_thread(move || estate.readers(&of, &asked)).await?;
        let mut window = window.ok_or_else(|| {
            Failure::bad_input(format!("there is no secret and no place `{key}`"))
                .hint("see `lastkey secrets` and `lastkey locations`")
        })?;
        views::name_readers(&self.store, &mut window.rows).await?;
        Ok(window)
    }

    /// What an identity could read, remembered while the same one is asked for.
    async fn known_by(
        &self,
        estate: &Arc<Estate>,
        identity: Option<&str>,
    ) -> Result<Option<(Arc<Known>, SecretsOf)>, Failure> {
        let Some(text) = identity else {
            return Ok(None);
        };
        let located = self.located.lock().await;
        let kept = located.as_ref().and_then(|located| located.known.as_ref());
        if let Some((_, known, of)) = kept.filter(|(asked, _, _)| asked == text) {
            return Ok(Some((known.clone(), of.clone())));
        }
        drop(located);
        let (_, graph) = self.graph().await?;
        let (plan, _) = self.plan().await?;
        let (from, display_name, left) = match self.identity_and_name(text, &graph).await {
            Ok((id, name)) => {
                let left = graph.has_left(&id);
                (ReachFrom::Identity(id), name, left)
            }
            Err(unknown) => {
                let Some(once) = self.listed_once(text).await? else {
                    return Err(unknown);
                };
                let record = IdentityId::new(once.record.to_string());
                (ReachFrom::Gone(record), once.fact.display_name, true)
            }
        };
        let identity = match &from {
            ReachFrom::Identity(id) | ReachFrom::Gone(id) => id.to_string(),
            ReachFrom::Credential(..) => String::new(),
        };
        let asked = estate.clone();
        let known =
            off_thread(move || asked.known_by(&from, |system| plan.dies_with_account(system)));
        let known = Arc::new(known.await?);
        let of = SecretsOf {
            identity,
            display_name,
            left,
            closed: known.closed,
            unread: known.unread.clone(),
        };
        let mut located = self.located.lock().await;
        let same = located
            .as_mut()
            .filter(|one| Arc::ptr_eq(&one.estate, estate));
        if let Some(located) = same {
            located.known = Some((text.to_owned(), known.clone(), of.clone()));
        }
        Ok(Some((known, of)))
    }

    /// The secrets of the state that is looked at, built once.
    async fn estate(&self) -> Result<Arc<Estate>, Failure> {
        let (state, graph) = self.graph().await?;
        let at = self.now();
        let mut located = self.located.lock().await;
        let kept = located.as_ref().filter(|kept| {
            kept.state == state && at.signed_duration_since(kept.estate.at()) < AGES_IN
        });
        if let Some(kept) = kept {
            return Ok(kept.estate.clone());
        }
        let sync = self.then.map(|then| then.sync);
        let secrets = self.store.load_secrets(&graph, sync).await?;
        let of = OfEstate {
            at,
            freshness: RehearsalSettings::default().freshness_limit,
        };
        let estate = off_thread(move || Arc::new(Estate::new(graph, secrets, of))).await?;
        *located = Some(Located {
            state,
            estate: estate.clone(),
            known: None,
        });
        Ok(estate)
    }
}

/// The first few of what was found.
fn first(found: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<&str> = found.iter().take(SHOWN).map(String::as_str).collect();
    match found.len() > SHOWN {
        true => format!("{} and {} more", shown.join(", "), found.len() - SHOWN),
        false => shown.join(", "),
    }
}
