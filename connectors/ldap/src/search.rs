//! Searches: one page of a paged search (RFC 2696), all its pages one after the other with the
//! next under way while one is worked on, and the look at one entry.

use crate::entry::{Entry, constructed, parse, primitive};
use crate::error::{client, no_base, odd, refused, timed_out};
use crate::wire::Wire;
use lastkey_contract::ConnectorError;
use ldap3::controls::{PagedResults, RawControl};
use ldap3::{Ldap, LdapError, LdapResult, ResultEntry, Scope, SearchOptions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// A way to ask over a connection that is signed in.
#[derive(Clone)]
pub struct Link {
    pub ldap: Ldap,
    /// The address, for errors.
    pub system: String,
    pub timeout: Duration,
    pub wire: Arc<Wire>,
}

impl Link {
    /// The error for a call that the client ended: what ended the connection, if it did.
    pub fn failed(&self, operation: &str, error: &LdapError) -> ConnectorError {
        let end = self.wire.end(&self.system, operation);
        end.unwrap_or_else(|| client(&self.system, operation, error))
    }
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Query {
    pub base: String,
    pub scope: Scope,
    pub filter: String,
    pub attributes: Vec<String>,
    /// Whether values are wanted, or only the names of attributes that have any.
    pub values: Values,
}

/// What of an attribute is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Wanted,
    NamesOnly,
}

impl Query {
    /// Everything below a base that a filter meets.
    pub fn below(base: &str, filter: impl Into<String>, attributes: Vec<String>) -> Query {
        Query {
            base: base.to_owned(),
            scope: Scope::Subtree,
            filter: filter.into(),
            attributes,
            values: Values::Wanted,
        }
    }

    /// One entry, if the filter meets it.
    pub fn at(dn: &str, filter: &str, attributes: &[&str]) -> Query {
        Query {
            base: dn.to_owned(),
            scope: Scope::Base,
            filter: filter.to_owned(),
            attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
            values: Values::Wanted,
        }
    }

    /// For the evidence: what was asked.
    pub fn shown(&self) -> String {
        format!(
            "base `{}`, filter `{}`, attributes {}",
            self.base,
            self.filter,
            self.attributes.join(" ")
        )
    }
}

/// The answer to one page.
#[derive(Debug, Default)]
pub struct Answer {
    pub entries: Vec<Entry>,
    /// None at the end.
    pub cookie: Option<Vec<u8>>,
    /// Why the directory cut the answer, if it did.
    pub clipped: Option<&'static str>,
    /// How many times it referred to another server.
    pub referrals: u64,
    /// How many entries could not be taken apart.
    pub broken: u64,
}

/// Sends a search and hands every item to `take`; gives back the result that ended it. Silence
/// for longer than the link's patience is a time-out, however long the whole answer takes.
pub async fn ask(
    link: &Link,
    query: &Query,
    controls: Vec<RawControl>,
    operation: &str,
    mut take: impl FnMut(ResultEntry) -> Result<(), ConnectorError>,
) -> Result<LdapResult, ConnectorError> {
    let failed = |e| link.failed(operation, &e);
    let late = || timed_out(&link.system, operation);
    let mut ldap = link.ldap.clone();
    ldap.with_controls(controls)
        .with_search_options(SearchOptions::new().typesonly(query.values == Values::NamesOnly));
    let mut stream = timeout(
        link.timeout,
        ldap.streaming_search(
            &query.base,
            query.scope,
            &query.filter,
            query.attributes.clone(),
        ),
    )
    .await
    .map_err(|_| late())?
    .map_err(failed)?;
    // One timer for the whole answer: setting one for each entry would cost more than the entry.
    let patience = sleep(link.timeout);
    tokio::pin!(patience);
    let mut heard = false;
    loop {
        tokio::select! {
            biased;
            item = stream.next() => match item.map_err(failed)? {
                Some(item) => {
                    heard = true;
                    take(item)?;
                }
                None => return Ok(stream.finish().await),
            },
            () = &mut patience => {
                if !heard {
                    return Err(late());
                }
                heard = false;
                patience.as_mut().reset(Instant::now() + link.timeout);
            }
        }
    }
}

/// Asks for one page of at most `size` entries.
pub async fn page(
    link: &Link,
    query: &Query,
    size: u32,
    cookie: Option<&[u8]>,
    operation: &str,
) -> Result<Answer, ConnectorError> {
    let control: RawControl = PagedResults {
        size: i32::try_from(size).unwrap_or(i32::MAX),
        cookie: cookie.unwrap_or_default().to_vec(),
    }
    .into();
    let mut answer = Answer::default();
    let result = ask(link, query, vec![control], operation, |item| {
        if item.is_ref() {
            answer.referrals += 1;
        } else if !item.is_intermediate() {
            match Entry::parse(item) {
                Some(entry) => answer.entries.push(entry),
                None => answer.broken += 1,
            }
        }
        Ok(())
    })
    .await?;
    match result.rc {
        0 => answer.cookie = next(&link.system, operation, &result)?,
        rc => match cut(rc) {
            Some(why) => answer.clipped = Some(why),
            None => return Err(refused(&link.system, operation, &result)),
        },
    }
    Ok(answer)
}

/// Why a result means that the answer was cut, if it does.
pub fn cut(rc: u32) -> Option<&'static str> {
    match rc {
        3 => Some("its time limit"),
        4 => Some("its size limit"),
        11 => Some("an administrative limit"),
        _ => None,
    }
}

/// The one entry that a query names; None where there is none that this login sees, or where the
/// name is no name.
pub async fn one(
    link: &Link,
    query: &Query,
    operation: &str,
) -> Result<Option<Entry>, ConnectorError> {
    let mut found = None;
    let result = ask(link, query, Vec::new(), operation, |item| {
        if !item.is_ref() && !item.is_intermediate() {
            found = Entry::parse(item);
        }
        Ok(())
    })
    .await?;
    match result.rc {
        0 => Ok(found),
        // no such object, a referral, not a DN
        32 | 10 | 34 => Ok(None),
        _ => Err(refused(&link.system, operation, &result)),
    }
}

/// Refuses a base of which this login sees nothing, not even the base itself: 389 DS answers there
/// as if it were an empty directory.
pub async fn see_base(link: &Link, base: &str, operation: &str) -> Result<(), ConnectorError> {
    let query = Query::below(base, "(objectClass=*)", vec!["1.1".to_owned()]);
    let answer = page(link, &query, 1, None, operation).await?;
    let Answer {
        entries,
        clipped,
        referrals,
        broken,
        ..
    } = answer;
    match entries.is_empty() && clipped.is_none() && referrals + broken == 0 {
        true => Err(no_base(&link.system, operation)),
        false => Ok(()),
    }
}

/// The cookie of the next page; an empty one means there is none.
fn next(
    system: &str,
    operation: &str,
    result: &LdapResult,
) -> Result<Option<Vec<u8>>, ConnectorError> {
    let Some(control) = result.ctrls.iter().find(|c| c.1.ctype == PAGED_RESULTS) else {
        // A directory that does not page sends everything at once.
        return Ok(None);
    };
    parse(control.1.val.as_deref().unwrap_or_default())
        .and_then(|tag| constructed(tag)?.into_iter().nth(1))
        .and_then(primitive)
        .map(|cookie| Some(cookie).filter(|c| !c.is_empty()))
        .ok_or_else(|| odd(system, operation, "its paging control is broken"))
}

/// The pages of one query, read ahead by one.
pub struct Pages {
    answers: mpsc::Receiver<Result<Answer, ConnectorError>>,
    reader: JoinHandle<()>,
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Pages {
    /// Begins at a cookie. After an error or the last page nothing more comes.
    pub fn begin(
        link: &Link,
        query: Query,
        size: u32,
        mut cookie: Option<Vec<u8>>,
        operation: String,
    ) -> Pages {
        let link = link.clone();
        // One answer may wait while the next is under way: never more is held.
        let (send, answers) = mpsc::channel(1);
        let reader = tokio::spawn(async move {
            loop {
                let answer = page(&link, &query, size, cookie.as_deref(), &operation).await;
                cookie = answer.as_ref().ok().and_then(|a| a.cookie.clone());
                if send.send(answer).await.is_err() || cookie.is_none() {
                    return;
                }
            }
        });
        Pages { answers, reader }
    }

    /// The next page. None after the last.
    pub async fn next(&mut self) -> Option<Result<Answer, ConnectorError>> {
        self.answers.recv().await
    }
}
