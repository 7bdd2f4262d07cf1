//! One page of one paged search (RFC 2696): entries, the cookie of the next page, and what was cut.

use crate::connection::Connection;
use crate::entry::Entry;
use crate::error::{client, odd, refused, timed_out};
use lastkey_contract::ConnectorError;
use ldap3::asn1::{PL, parse_tag};
use ldap3::controls::{PagedResults, RawControl};
use ldap3::{LdapResult, Scope};
use tokio::time::timeout;

const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Query {
    pub base: String,
    pub filter: String,
    pub attributes: Vec<String>,
}

impl Query {
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
    pub clipped: Option<String>,
    /// How many times it referred to another server.
    pub referrals: u64,
    /// How many entries could not be taken apart.
    pub broken: u64,
}

/// Asks for one page of at most `size` entries.
pub async fn page(
    connection: &mut Connection,
    query: &Query,
    scope: Scope,
    size: u32,
    cookie: Option<&[u8]>,
    operation: &str,
) -> Result<Answer, ConnectorError> {
    let (system, patience) = (connection.system.clone(), connection.timeout);
    let failed = |e: ldap3::LdapError| client(&system, operation, &e);
    let late = |_| timed_out(&system, operation);
    let control: RawControl = PagedResults {
        size: i32::try_from(size).unwrap_or(i32::MAX),
        cookie: cookie.unwrap_or_default().to_vec(),
    }
    .into();
    connection.ldap.with_controls(vec![control]);
    let mut stream = timeout(
        patience,
        connection.ldap.streaming_search(
            &query.base,
            scope,
            &query.filter,
            query.attributes.clone(),
        ),
    )
    .await
    .map_err(late)?
    .map_err(failed)?;
    let mut answer = Answer::default();
    while let Some(item) = timeout(patience, stream.next())
        .await
        .map_err(late)?
        .map_err(failed)?
    {
        if item.is_ref() {
            answer.referrals += 1;
        } else if !item.is_intermediate() {
            match Entry::parse(item) {
                Some(entry) => answer.entries.push(entry),
                None => answer.broken += 1,
            }
        }
    }
    let result = stream.finish().await;
    match result.rc {
        0 => answer.cookie = next(&system, operation, &result)?,
        3 => answer.clipped = Some("its time limit".to_owned()),
        4 => answer.clipped = Some("its size limit".to_owned()),
        11 => answer.clipped = Some("an administrative limit".to_owned()),
        _ => return Err(refused(&system, operation, &result)),
    }
    Ok(answer)
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
    let value = control.1.val.as_deref().unwrap_or_default();
    let cookie = parse_tag(value)
        .ok()
        .and_then(|(_, tag)| match tag.payload {
            PL::C(parts) => parts.into_iter().nth(1),
            PL::P(_) => None,
        });
    match cookie.map(|c| c.payload) {
        Some(PL::P(bytes)) if bytes.is_empty() => Ok(None),
        Some(PL::P(bytes)) => Ok(Some(bytes)),
        Some(PL::C(_)) | None => Err(odd(system, operation, "its paging control is broken")),
    }
}
