//! Content synchronisation (RFC 4533): what changed since a cookie, and what was deleted.
//!
//! Everything is taken apart without trusting it. A directory that cannot say what was deleted
//! answers with all that is still present; that is no list of changes, and ends as a lost cursor.

use crate::entry::{Entry, constructed, parse, primitive};
use crate::error::{odd, refused};
use crate::search::{Link, Query, ask, cut};
use lastkey_contract::{ConnectorError, ErrorKind};
use ldap3::asn1::{PL, StructureTag};
use ldap3::controls::{Control, MakeCritical, RawControl, RefreshMode, SyncRequest};
use ldap3::{LdapResult, Scope};

const STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
const DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
const INFO: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.4";
/// More changed entries than this are read as everything is read: in pages.
const MOST_ENTRIES: usize = 50_000;
const OPERATION: &str = "ask what changed";

/// What happened since a cookie.
#[derive(Debug, Default)]
pub struct Changed {
    /// Entries that are new or changed.
    pub entries: Vec<Entry>,
    /// Ids of entries that are gone, or that the filter no longer meets, as sixteen bytes.
    pub deleted: Vec<[u8; 16]>,
    /// Where the next question starts.
    pub cookie: Option<Vec<u8>>,
}

/// What a message of the directory said.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Deleted(Vec<[u8; 16]>),
    Cookie(Vec<u8>),
    /// It tells what is present instead of what is gone.
    Presence,
    Nothing,
}

/// The cookie of this moment, without reading anything: the base entry alone is asked for. None
/// where the directory does not give one to this login.
pub async fn now(link: &Link, query: &Query) -> Result<Option<Vec<u8>>, ConnectorError> {
    let query = Query {
        scope: Scope::Base,
        attributes: vec!["1.1".to_owned()],
        ..query.clone()
    };
    let result = ask(link, &query, vec![request(None)], OPERATION, |_| Ok(())).await?;
    match result.rc {
        0 => Ok(done(&result).and_then(|d| d.0)),
        _ => Ok(None),
    }
}

/// What changed since the cookie.
pub async fn changes(
    link: &Link,
    query: &Query,
    cookie: Vec<u8>,
) -> Result<Changed, ConnectorError> {
    let broken = || {
        odd(
            &link.system,
            OPERATION,
            "its synchronisation message is broken",
        )
    };
    let mut out = Changed::default();
    let result = ask(
        link,
        query,
        vec![request(Some(cookie))],
        OPERATION,
        |item| {
            if item.is_ref() {
                return Err(lost(
                    link,
                    "it refers to another server for a part of the list",
                ));
            }
            if item.is_intermediate() {
                match info(item.0).ok_or_else(broken)? {
                    Said::Deleted(ids) => out.deleted.extend(ids),
                    Said::Cookie(cookie) => out.cookie = Some(cookie),
                    Said::Presence => return Err(forgotten(link)),
                    Said::Nothing => {}
                }
                return Ok(());
            }
            let (state, id) = state(&item.1).ok_or_else(broken)?;
            match state {
                1 | 2 => {
                    let entry = Entry::parse(item).ok_or_else(broken)?;
                    if out.entries.len() >= MOST_ENTRIES || !entry.is_whole() {
                        return Err(lost(link, "too much changed to be read at once"));
                    }
                    out.entries.push(entry);
                }
                3 => out.deleted.push(id),
                _ => return Err(forgotten(link)),
            }
            Ok(())
        },
    )
    .await?;
    match result.rc {
        0 => {}
        // e-syncRefreshRequired; a cookie that it cannot read
        4096 | 2 | 53 => return Err(forgotten(link)),
        rc if cut(rc).is_some() => return Err(lost(link, "it cut the list of changes")),
        _ => return Err(refused(&link.system, OPERATION, &result)),
    }
    let (cookie, deletes) = done(&result).ok_or_else(broken)?;
    if !deletes {
        return Err(forgotten(link));
    }
    out.cookie = cookie.or(out.cookie);
    Ok(out)
}

/// A watermark that no longer leads anywhere.
pub fn lost(link: &Link, why: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::CursorLost,
        link.system.as_str(),
        OPERATION,
        format!("the directory cannot tell what changed since the last read: {why}"),
    )
    .hint("read this kind in full")
}

fn forgotten(link: &Link) -> ConnectorError {
    lost(link, "it no longer knows what was deleted")
}

fn request(cookie: Option<Vec<u8>>) -> RawControl {
    let request = SyncRequest {
        mode: RefreshMode::RefreshOnly,
        // Whoever forgot what was deleted should say so instead of listing everything.
        reload_hint: false,
        cookie,
    };
    request.critical().into()
}

fn value<'a>(controls: &'a [Control], oid: &str) -> Option<&'a [u8]> {
    let control = controls.iter().find(|c| c.1.ctype == oid)?;
    control.1.val.as_deref()
}

/// The state of an entry, and its id.
fn state(controls: &[Control]) -> Option<(u8, [u8; 16])> {
    let tag = parse(value(controls, STATE)?)?;
    let mut parts = constructed(tag)?.into_iter();
    let state = primitive(parts.next()?)?;
    let id = primitive(parts.next()?)?;
    Some((*state.first()?, id.try_into().ok()?))
}

/// The cookie of the end, and whether deletions were told.
fn done(result: &LdapResult) -> Option<(Option<Vec<u8>>, bool)> {
    let tag = parse(value(&result.ctrls, DONE)?)?;
    let (mut cookie, mut deletes) = (None, false);
    for part in constructed(tag)? {
        match (part.id, part.payload) {
            (4, PL::P(bytes)) => cookie = Some(bytes).filter(|c| !c.is_empty()),
            (1, PL::P(bytes)) => deletes = bytes.first().is_some_and(|b| *b != 0),
            _ => return None,
        }
    }
    Some((cookie, deletes))
}

/// What an intermediate message says.
fn info(tag: StructureTag) -> Option<Said> {
    let (mut name, mut content) = (None, None);
    for part in constructed(tag)? {
        match part.id {
            0 => name = primitive(part),
            1 => content = primitive(part),
            _ => {}
        }
    }
    if name? != INFO {
        return Some(Said::Nothing);
    }
    let message = parse(&content?)?;
    let sort = message.id;
    match (sort, message.payload) {
        (0, PL::P(cookie)) => Some(Said::Cookie(cookie)),
        // refreshDelete: the deletions are all told
        (1, PL::C(_)) => Some(Said::Nothing),
        (2, PL::C(_)) => Some(Said::Presence),
        (3, PL::C(parts)) => {
            let (mut deletes, mut ids) = (false, Vec::new());
            for part in parts {
                match (part.id, part.payload) {
                    (1, PL::P(bytes)) => deletes = bytes.first().is_some_and(|b| *b != 0),
                    (17, PL::C(set)) => {
                        for id in set {
                            ids.push(primitive(id)?.try_into().ok()?);
                        }
                    }
                    (4, PL::P(_)) => {}
                    _ => return None,
                }
            }
            match deletes || ids.is_empty() {
                true => Some(Said::Deleted(ids)),
                false => Some(Said::Presence),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::asn1::TagClass;

    fn tag(class: TagClass, id: u64, payload: PL) -> StructureTag {
        StructureTag { class, id, payload }
    }

    /// An intermediate message with this content.
    fn message(content: &[u8]) -> StructureTag {
        let part = |id, bytes: &[u8]| tag(TagClass::Context, id, PL::P(bytes.to_vec()));
        let parts = vec![part(0, INFO), part(1, content)];
        tag(TagClass::Application, 25, PL::C(parts))
    }

    #[test]
    fn only_deletions_are_taken_for_deletions() {
        let id = [7u8; 16];
        let set = |deletes: &[u8]| {
            let mut content = deletes.to_vec();
            content.extend([0x31, 18, 4, 16]);
            content.extend(id);
            let mut out = vec![0xa3, u8::try_from(content.len()).unwrap()];
            out.extend(content);
            info(message(&out))
        };
        assert_eq!(set(&[1, 1, 0xff]), Some(Said::Deleted(vec![id])));
        assert_eq!(set(&[1, 1, 0]), Some(Said::Presence));
        assert_eq!(set(&[]), Some(Said::Presence), "false is the default");
        assert_eq!(info(message(&[0xa2, 0])), Some(Said::Presence));
        assert_eq!(info(message(&[0xa1, 0])), Some(Said::Nothing));
        assert_eq!(info(message(&[0x80, 1, 9])), Some(Said::Cookie(vec![9])));
    }

    #[test]
    fn broken_messages_are_broken_and_no_more() {
        for content in [
            &[][..],
            &[0xa3],
            &[0xa3, 200],
            &[0xa3, 4, 0x31, 2, 4, 0],
            &[0xa9, 0],
            &[0x30, 0],
        ] {
            assert_eq!(info(message(content)), None, "{content:?}");
        }
        assert_eq!(info(tag(TagClass::Application, 25, PL::P(vec![]))), None);
    }
}
