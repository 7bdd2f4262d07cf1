//! GitHub's own API: one object, or a list to its last page. Reading only.
//!
//! A list comes in numbered pages, so that what is removed meanwhile would move others past the
//! reader. A list of more than one page is therefore looked at twice, by the marks of its pages
//! where GitHub gives them, and counts when all of it stood still between the two.

use crate::error::{refused, restless};
use crate::http::{Answer, Http, SERVER};
use crate::objects::Item;
use lastkey_contract::{ConnectorError, ErrorKind, Quota};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::any::Any;
use std::collections::{BTreeMap, HashMap};

/// How many requests one page of facts may take; then the engine is given a word.
const REQUESTS: u32 = 60;
/// How often a list may change under the reader before it is given up.
const ROUNDS: u32 = 4;
/// So many pages no list has.
const MOST_PAGES: usize = 20_000;

/// A GitHub that we can ask.
pub struct Api {
    http: Http,
    left: u32,
    /// Lists that were not read to their end when the requests of a page were spent.
    under_way: HashMap<String, Box<dyn Any + Send>>,
    /// Lists that were read for one name, until all of that name is.
    finished: HashMap<String, Box<dyn Any + Send>>,
    quota: Option<Quota>,
}

/// Why a page of facts ends here.
#[derive(Debug)]
pub enum Stop {
    Failed(ConnectorError),
    /// Its requests are spent; what was begun goes on with the next page.
    Pause,
}

impl From<ConnectorError> for Stop {
    fn from(error: ConnectorError) -> Stop {
        Stop::Failed(error)
    }
}

/// What became of a look at one thing.
#[derive(Debug)]
pub enum Got<T> {
    Found(T),
    Hidden(Hidden),
}

/// Why something is not shown; GitHub says "not found" as well where a right is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// This token may not.
    Refused,
    /// It is not there, the plan lacks it, or this token may not know of it.
    Absent,
}

/// A list to its end.
#[derive(Clone, Debug)]
pub struct List<T> {
    pub items: Vec<T>,
    /// How many things in it were not understood.
    pub odd: u64,
    /// Whether GitHub says that it holds more than it gives.
    pub short: bool,
}

/// Which list is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The path with its query, encoded; how many come at once is added.
    pub path: String,
    /// Where in the answer the list stands; the answer is the list where None.
    pub field: Option<&'static str>,
    /// No more pages than this, which are then looked at once.
    pub at_most: Option<usize>,
}

impl Ask {
    pub fn list(path: impl Into<String>) -> Ask {
        Ask {
            path: path.into(),
            field: None,
            at_most: None,
        }
    }
    pub fn below(path: impl Into<String>, field: &'static str) -> Ask {
        Ask {
            field: Some(field),
            ..Ask::list(path)
        }
    }
    fn target(&self) -> String {
        let sign = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{sign}per_page=100", self.path)
    }
}

/// One page of a list.
struct Leaf<T> {
    target: String,
    mark: Option<String>,
    items: Vec<T>,
    odd: u64,
    told: Option<u64>,
    next: Option<String>,
}

impl<T: Item> Leaf<T> {
    fn same(&self, other: &Leaf<T>) -> bool {
        self.next.is_some() == other.next.is_some()
            && self.odd == other.odd
            && self.items.len() == other.items.len()
            && self
                .items
                .iter()
                .zip(&other.items)
                .all(|(a, b)| a.key() == b.key())
    }
}

/// A list on its way.
struct Progress<T> {
    leaves: Vec<Leaf<T>>,
    next: Option<String>,
    checked: usize,
    rounds: u32,
}

enum Looked<T> {
    Leaf(Leaf<T>),
    Unchanged,
    Hidden(Hidden),
}

impl Api {
    pub fn new(http: Http) -> Api {
        Api {
            http,
            left: REQUESTS,
            under_way: HashMap::new(),
            finished: HashMap::new(),
            quota: None,
        }
    }

    /// GitHub's address, for sentences.
    pub fn address(&self) -> &str {
        self.http.address()
    }

    /// A page of facts begins.
    pub fn begin(&mut self) {
        self.left = REQUESTS;
    }

    /// Whether the requests of this page are spent.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// All of a name is read: its lists are not needed any more.
    pub fn let_go(&mut self) {
        self.finished.clear();
    }

    /// What the rate limit still allows, as the last answer said.
    pub fn quota(&self) -> Option<Quota> {
        self.quota
    }

    /// Everything that an answer says, whatever it is.
    pub async fn raw(&mut self, path: &str, operation: &str) -> Result<Answer, ConnectorError> {
        let answer = self.http.get(path, None, operation).await?;
        self.quota = answer.quota().or(self.quota);
        Ok(answer)
    }

    /// One object.
    pub async fn one<T: DeserializeOwned>(
        &mut self,
        path: &str,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        let answer = self.raw(path, operation).await?;
        match self.shown(&answer, path, operation)? {
            None => SERVER
                .parsed(self.address(), operation, &answer.body)
                .map(Got::Found),
            Some(hidden) => Ok(Got::Hidden(hidden)),
        }
    }

    /// A list to its end.
    pub async fn list<T: Item + DeserializeOwned + Clone + Send + 'static>(
        &mut self,
        ask: &Ask,
        operation: &str,
    ) -> Result<Got<List<T>>, Stop> {
        let first = ask.target();
        let known = self.finished.get(&first);
        if let Some(known) = known.and_then(|known| known.downcast_ref::<List<T>>()) {
            return Ok(Got::Found(known.clone()));
        }
        let begun = self.under_way.remove(&first);
        let begun = begun.and_then(|begun| begun.downcast::<Progress<T>>().ok());
        let mut progress = begun.unwrap_or_else(|| {
            Box::new(Progress {
                leaves: Vec::new(),
                next: Some(first.clone()),
                checked: 0,
                rounds: 0,
            })
        });
        let ended = self.run_on(ask, &mut progress, operation).await;
        match ended {
            Ok(None) => {
                let told = progress.leaves.last().and_then(|leaf| leaf.told);
                let odd_ones: u64 = progress.leaves.iter().map(|leaf| leaf.odd).sum();
                let items: Vec<T> = progress.leaves.into_iter().flat_map(|l| l.items).collect();
                let count = items.len() as u64 + odd_ones;
                let list = List {
                    items,
                    odd: odd_ones,
                    short: told.is_some_and(|told| told > count),
                };
                self.finished.insert(first, Box::new(list.clone()));
                Ok(Got::Found(list))
            }
            Ok(Some(hidden)) => Ok(Got::Hidden(hidden)),
            Err(stop) => {
                // What was read so far is not asked for again.
                if !matches!(&stop, Stop::Failed(error) if !error.kind.may_retry()) {
                    self.under_way.insert(first, progress);
                }
                Err(stop)
            }
        }
    }

    async fn run_on<T: Item + DeserializeOwned>(
        &mut self,
        ask: &Ask,
        progress: &mut Progress<T>,
        operation: &str,
    ) -> Result<Option<Hidden>, Stop> {
        loop {
            if let Some(target) = progress.next.clone() {
                let full = ask
                    .at_most
                    .is_some_and(|most| progress.leaves.len() >= most);
                if full {
                    return Ok(None);
                }
                let round = progress.leaves.iter().any(|leaf| leaf.target == target);
                if round || progress.leaves.len() >= MOST_PAGES {
                    let what = "its pages lead round in a circle";
                    return Err(SERVER.odd(self.address(), operation, what).into());
                }
                match self.leaf(ask, &target, None, operation).await? {
                    Looked::Leaf(leaf) => {
                        progress.next.clone_from(&leaf.next);
                        progress.leaves.push(leaf);
                    }
                    Looked::Hidden(hidden) if progress.leaves.is_empty() => {
                        return Ok(Some(hidden));
                    }
                    Looked::Hidden(_) | Looked::Unchanged => {
                        return Err(restless(self.address(), operation).into());
                    }
                }
                continue;
            }
            let several = progress.leaves.len() > 1 && ask.at_most.is_none();
            let Some(known) = progress.leaves.get(progress.checked).filter(|_| several) else {
                return Ok(None);
            };
            let (target, mark) = (known.target.clone(), known.mark.clone());
            let looked = self
                .leaf::<T>(ask, &target, mark.as_deref(), operation)
                .await?;
            match looked {
                Looked::Unchanged => progress.checked += 1,
                Looked::Leaf(leaf) if known_as(&progress.leaves, progress.checked, &leaf) => {
                    if let Some(place) = progress.leaves.get_mut(progress.checked) {
                        *place = leaf;
                    }
                    progress.checked += 1;
                }
                Looked::Leaf(leaf) => {
                    progress.rounds += 1;
                    if progress.rounds >= ROUNDS {
                        return Err(restless(self.address(), operation).into());
                    }
                    progress.leaves.truncate(progress.checked);
                    progress.next.clone_from(&leaf.next);
                    progress.leaves.push(leaf);
                    progress.checked = 0;
                }
                Looked::Hidden(_) => return Err(restless(self.address(), operation).into()),
            }
        }
    }

    async fn leaf<T: DeserializeOwned>(
        &mut self,
        ask: &Ask,
        target: &str,
        mark: Option<&str>,
        operation: &str,
    ) -> Result<Looked<T>, Stop> {
        if self.left == 0 {
            return Err(Stop::Pause);
        }
        self.left -= 1;
        let answer = self.http.get(target, mark, operation).await?;
        self.quota = answer.quota().or(self.quota);
        if answer.status == 304 && mark.is_some() {
            return Ok(Looked::Unchanged);
        }
        if let Some(hidden) = self.shown(&answer, target, operation)? {
            return Ok(Looked::Hidden(hidden));
        }
        let next = self.next(&answer, operation)?;
        let (raw, told) = raw_list(&answer.body, ask.field).ok_or_else(|| {
            SERVER.odd(
                self.address(),
                operation,
                "its JSON is not what this path answers",
            )
        })?;
        let count = raw.len();
        let items: Vec<T> = raw
            .into_iter()
            .filter_map(|item| serde_json::from_str(item.get()).ok())
            .collect();
        Ok(Looked::Leaf(Leaf {
            target: target.to_owned(),
            mark: answer.header("etag"),
            odd: (count - items.len()) as u64,
            items,
            told,
            next,
        }))
    }

    /// Whether an answer is not shown to us; an error where it is neither that nor an answer.
    fn shown(
        &self,
        answer: &Answer,
        path: &str,
        operation: &str,
    ) -> Result<Option<Hidden>, ConnectorError> {
        let own = answer.said().is_some();
        let sso = answer.headers.contains_key("x-github-sso");
        match answer.status {
            200 => Ok(None),
            403 if own && !sso && !answer.is_limited() => Ok(Some(Hidden::Refused)),
            // Only owners may ask this filter, and others are told so.
            422 if own && path.contains("filter=2fa_disabled") => Ok(Some(Hidden::Refused)),
            404 | 410 | 451 if own => Ok(Some(Hidden::Absent)),
            _ => Err(refused(self.address(), operation, answer)),
        }
    }

    /// Where the list goes on.
    fn next(&self, answer: &Answer, operation: &str) -> Result<Option<String>, ConnectorError> {
        let mut next = None;
        for value in answer.headers.get_all("link") {
            for link in next_links(value.to_str().unwrap_or_default()) {
                let target = self.http.below(&link).ok_or_else(|| {
                    ConnectorError::new(
                        ErrorKind::Protocol,
                        self.address(),
                        operation,
                        "the next page is said to be elsewhere, and a token never follows",
                    )
                    .hint("give the address under which the server knows itself")
                })?;
                next = Some(target);
            }
        }
        Ok(next)
    }
}

fn known_as<T: Item>(leaves: &[Leaf<T>], at: usize, leaf: &Leaf<T>) -> bool {
    leaves.get(at).is_some_and(|known| known.same(leaf))
}

/// The addresses that a `Link` header calls next.
fn next_links(header: &str) -> Vec<String> {
    let links = header.split(',').filter_map(|link| {
        let (address, more) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = more
            .split(';')
            .any(|word| matches!(word.trim(), "rel=\"next\"" | "rel=next"));
        next.then(|| address.to_owned())
    });
    links.collect()
}

/// The things of a list, not looked at yet, and how many there are as GitHub says.
fn raw_list(body: &[u8], field: Option<&str>) -> Option<(Vec<Box<RawValue>>, Option<u64>)> {
    let Some(field) = field else {
        return Some((serde_json::from_slice(body).ok()?, None));
    };
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
    let list = serde_json::from_str(fields.get(field)?.get()).ok()?;
    #[derive(Deserialize)]
    struct Told {
        total_count: Option<u64>,
    }
    let told = serde_json::from_slice::<Told>(body).ok()?.total_count;
    Some((list, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let header = "<https://h/a?page=1>; rel=\"prev\", <https://h/a?page=3>; rel=\"next\", <https://h/a?page=9>; rel=\"last\"";
        assert_eq!(next_links(header), ["https://h/a?page=3"]);
        for none in [
            "",
            "<https://h/a>; rel=\"last\"",
            "https://h/a; rel=\"next\"",
        ] {
            assert!(next_links(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn lists_stand_bare_or_below_a_name() {
        let bare = raw_list(br#"[{"id":1},7]"#, None).unwrap();
        assert_eq!((bare.0.len(), bare.1), (2, None));
        let below = raw_list(br#"{"total_count":3,"secrets":[{}]}"#, Some("secrets")).unwrap();
        assert_eq!((below.0.len(), below.1), (1, Some(3)));
        for body in ["7", "{}", r#"{"secrets":7}"#, "[{", ""] {
            assert!(
                raw_list(body.as_bytes(), Some("secrets")).is_none(),
                "{body}"
            );
        }
        assert!(raw_list(br#"{"message":"x"}"#, None).is_none());
    }
}
