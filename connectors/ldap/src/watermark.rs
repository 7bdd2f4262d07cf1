//! Where an incremental read starts: the directory's cookies, and what they were given for.

use crate::map::Sort;
use crate::search::Query;
use crate::session::Reading;
use crate::sync;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as TEXT;
use lastkey_contract::{ConnectorError, Kind};
use sha2::{Digest, Sha256};

const FORM: &str = "rfc4533";

/// The cookies of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    pub cookies: Vec<Vec<u8>>,
}

/// What is asked for the changes of a kind. Grants change with groups and with people.
pub fn queries(reading: &Reading, kind: Kind) -> Vec<Query> {
    let people = |names: &[&str]| Query {
        attributes: names
            .iter()
            .map(|n| (*n).to_owned())
            .chain([reading.directory.id_attribute.clone()])
            .collect(),
        ..reading.part(Sort::Account).query
    };
    // Whoever moves takes along what lies below, of which nobody tells.
    let containers = Query {
        filter: "(hasSubordinates=TRUE)".to_owned(),
        attributes: vec![
            reading.directory.id_attribute.clone(),
            "createTimestamp".to_owned(),
        ],
        ..reading.part(Sort::Account).query
    };
    match kind {
        Kind::Account => vec![reading.part(Sort::Account).query, containers],
        Kind::Entitlement => vec![reading.part(Sort::Group).query, containers],
        Kind::Grant => {
            let mut groups = reading.part(Sort::Members).query;
            groups.attributes.push("createTimestamp".to_owned());
            let people = people(&["uid", "gidNumber", "createTimestamp"]);
            vec![groups, people, containers]
        }
        Kind::Credential => {
            let mut names = Sort::Password.attributes(&reading.directory);
            names.extend(Sort::Keys.attributes(&reading.directory));
            names.sort();
            names.dedup();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            vec![people(&names)]
        }
        Kind::Identity
        | Kind::Location
        | Kind::Reader
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => Vec::new(),
    }
}

/// What the cookies were given for, and the cookies: some directories take a cookie that they
/// cannot read for none, and would send everything as if it were changes.
fn seal(queries: &[Query], cookies: &[Vec<u8>]) -> String {
    let mut digest = Sha256::new();
    for query in queries {
        for part in [&query.base, &query.filter] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
    }
    for cookie in cookies {
        digest.update(cookie);
        digest.update([0]);
    }
    TEXT.encode(digest.finalize())
}

impl Watermark {
    /// The watermark of this moment; None where the directory gives none.
    pub async fn now(reading: &Reading, kind: Kind) -> Result<Option<Watermark>, ConnectorError> {
        let queries = queries(reading, kind);
        let mut cookies = Vec::new();
        for query in &queries {
            match sync::now(&reading.link, query).await? {
                Some(cookie) => cookies.push(cookie),
                None => return Ok(None),
            }
        }
        Ok(Some(Watermark { cookies }))
    }

    /// As text; a watermark is worth nothing for other questions.
    pub fn to_text(&self, queries: &[Query]) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|c| TEXT.encode(c)).collect();
        let seal = seal(queries, &self.cookies);
        format!("{FORM} {seal} {}", cookies.join(" "))
    }

    /// Reads what `to_text` wrote for the same questions. None for anything else.
    pub fn parse(text: &str, queries: &[Query]) -> Option<Watermark> {
        let mut words = text.split(' ');
        if words.next() != Some(FORM) {
            return None;
        }
        let sealed = words.next()?;
        let cookies: Option<Vec<Vec<u8>>> = words.map(|w| TEXT.decode(w).ok()).collect();
        let cookies = cookies.filter(|c| c.len() == queries.len())?;
        (sealed == seal(queries, &cookies)).then_some(Watermark { cookies })
    }
}

/// The earliest moment (`20260331120000`) that a cookie of OpenLDAP stands for.
pub fn moment(cookie: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(cookie).ok()?;
    let (_, csns) = text.split_once("csn=")?;
    let csns = csns.split(',').next()?;
    let moments: Option<Vec<&str>> = csns.split(';').map(|csn| csn.get(..14)).collect();
    let earliest = moments?.into_iter().min()?;
    let digits = earliest.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| earliest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_counts_only_for_what_it_was_given_for() {
        let people = vec![Query::below("dc=x", "(a=1)", Vec::new())];
        let others = vec![Query::below("dc=x", "(a=2)", Vec::new())];
        let mark = Watermark {
            cookies: vec![b"rid=000,csn=2026".to_vec()],
        };
        let text = mark.to_text(&people);
        assert_eq!(Watermark::parse(&text, &people), Some(mark));
        assert_eq!(Watermark::parse(&text, &others), None);
        let twice = [people.clone(), people.clone()].concat();
        for odd in ["", "rfc4533", "x y z", &text[..text.len() - 4]] {
            assert_eq!(Watermark::parse(odd, &people), None, "`{odd}`");
            assert_eq!(Watermark::parse(odd, &twice), None);
        }
    }

    #[test]
    fn the_moment_of_a_cookie_is_its_earliest() {
        let of = |text: &str| moment(text.as_bytes());
        let one = "rid=000,csn=20261121023655.123456Z#000000#000#000000";
        assert_eq!(of(one).as_deref(), Some("20261121023655"));
        let two = "rid=001,sid=002,csn=20261121023655.1Z#0;20250101000000.1Z#0";
        assert_eq!(of(two).as_deref(), Some("20250101000000"));
        for odd in ["", "rid=000", "csn=", "csn=yesterday at noon", "host#5"] {
            assert_eq!(of(odd), None, "`{odd}`");
        }
    }
}
