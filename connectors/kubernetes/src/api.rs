//! Questions to the API server: lists to their end, each of one moment, and single answers.
//!
//! Nothing is asked but by `GET`, and by the two `POST`s that the API takes questions about one's
//! own rights with, which change nothing.

use crate::error::{SERVER, refused, restless, status};
use crate::login::{Access, Login};
use crate::objects::List;
use crate::settings::Cluster;
use lastkey_contract::{ConnectorError, ErrorKind, Secret};
use lastkey_http::{Answer, Client, Method, escaped, secret_header};
use lastkey_tls::Own;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// How many objects are asked for at once.
const AT_ONCE: usize = 500;
/// How many pages a list may have: ten million objects.
const MOST_PAGES: usize = 20_000;
/// How often a list is begun that the server forgets before its end.
const ROUNDS: usize = 3;

/// How an answer is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The objects themselves.
    Objects,
    /// A table of what a person would be shown, with metadata: a Secret's values stay where they are.
    Table,
}

impl Shape {
    fn word(self) -> &'static str {
        match self {
            Shape::Objects => "list",
            Shape::Table => "table",
        }
    }

    fn is(self, kind: &str) -> bool {
        match self {
            Shape::Objects => kind.ends_with("List"),
            Shape::Table => kind == "Table",
        }
    }

    fn accept(self) -> &'static str {
        match self {
            Shape::Objects => "application/json",
            Shape::Table => "application/json;as=Table;v=v1;g=meta.k8s.io",
        }
    }
}

/// Why something is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// This login may not.
    Refused,
    /// The cluster does not have it.
    Absent,
}

/// What was asked for, or why it is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got<T> {
    Found(T),
    Hidden(Hidden),
}

/// A list to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole<T> {
    pub items: Vec<T>,
    /// Whether the server says that it holds more than it gives.
    pub short: bool,
}

/// What an API server says of itself.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

/// A client of one API server, signed in as one.
pub struct Api {
    client: Client,
    /// None where the certificate alone signs in.
    token: Option<Secret>,
}

impl Api {
    pub fn new(cluster: &Cluster, access: Access) -> Result<Api, ConnectorError> {
        let Access { origin, ca, login } = access;
        let Login { token, identity } = login;
        let own = Own {
            ca: ca.as_deref(),
            identity: identity.as_ref(),
        };
        let ca_file = cluster.ca_file.as_deref();
        Ok(Api {
            client: Client::of(&SERVER, origin, ca_file, own, cluster.timeout)?,
            token,
        })
    }

    /// The server's address, for sentences.
    pub fn address(&self) -> &str {
        self.client.address()
    }

    async fn ask(
        &mut self,
        method: Method,
        target: &str,
        shape: Shape,
        body: Option<&serde_json::Value>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let mut request = self
            .client
            .request(method, target)
            .header("accept", shape.accept());
        if let Some(token) = &self.token {
            let bearer = Zeroizing::new(format!("Bearer {}", token.expose().trim()));
            let bearer = secret_header(&bearer, self.client.address(), operation)?;
            request = request.header("authorization", bearer);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| Zeroizing::new(body.to_string().into_bytes()));
        self.client.ask(request, body, operation).await
    }

    /// Whether the server takes the token, and which version it is, where it tells.
    pub async fn sign_in(&mut self) -> Result<Option<String>, ConnectorError> {
        match self.one::<Version>("/version", "sign in").await? {
            Got::Found(version) => Ok(Some(version.git_version)),
            Got::Hidden(Hidden::Refused | Hidden::Absent) => Ok(None),
        }
    }

    /// One answer, whatever it is.
    pub async fn get(&mut self, target: &str, operation: &str) -> Result<Answer, ConnectorError> {
        self.ask(Method::GET, target, Shape::Objects, None, operation)
            .await
    }

    /// One object.
    pub async fn one<T: DeserializeOwned>(
        &mut self,
        target: &str,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        let answer = self.get(target, operation).await?;
        self.understood(&answer, operation)
    }

    /// A question about ourselves, which the API takes as the creation of an object that is not kept.
    pub async fn question<T: DeserializeOwned>(
        &mut self,
        target: &str,
        body: &serde_json::Value,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        let answer = self
            .ask(Method::POST, target, Shape::Objects, Some(body), operation)
            .await?;
        self.understood(&answer, operation)
    }

    fn understood<T: DeserializeOwned>(
        &self,
        answer: &Answer,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        match self.shown(answer, operation)? {
            None => SERVER
                .parsed(self.address(), operation, &answer.body)
                .map(Got::Found),
            Some(hidden) => Ok(Got::Hidden(hidden)),
        }
    }

    /// Whether an answer is not shown to us; an error where it is neither that nor an answer.
    fn shown(&self, answer: &Answer, operation: &str) -> Result<Option<Hidden>, ConnectorError> {
        if matches!(answer.status, 200 | 201) {
            return Ok(None);
        }
        let own = status(answer);
        match answer.status {
            403 if own.is_some() => Ok(Some(Hidden::Refused)),
            404 if own.is_some_and(|own| own.reason == "NotFound") => Ok(Some(Hidden::Absent)),
            // A path of a group that is not served gets these words and no object.
            404 if answer.body.trim_ascii() == b"404 page not found" => Ok(Some(Hidden::Absent)),
            _ => Err(refused(self.address(), operation, answer)),
        }
    }

    /// A list to its end, as it was at one moment: where the server forgets it on the way, it is
    /// begun again, and never gone on with.
    pub async fn list<T: DeserializeOwned>(
        &mut self,
        path: &str,
        shape: Shape,
        operation: &str,
    ) -> Result<Got<Whole<T>>, ConnectorError> {
        for _ in 0..ROUNDS {
            if let Some(list) = self.once(path, shape, operation).await? {
                return Ok(list);
            }
        }
        Err(restless(self.address(), operation))
    }

    /// None where the server forgot the list before its end.
    async fn once<T: DeserializeOwned>(
        &mut self,
        path: &str,
        shape: Shape,
        operation: &str,
    ) -> Result<Option<Got<Whole<T>>>, ConnectorError> {
        let mut items: Vec<T> = Vec::new();
        let mut next: Option<String> = None;
        let mut met = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let mut target = format!("{path}?limit={AT_ONCE}");
            if shape == Shape::Table {
                target.push_str("&includeObject=Metadata");
            }
            if let Some(next) = &next {
                target.push_str(&format!("&continue={}", escaped(next)));
            }
            let answer = self
                .ask(Method::GET, &target, shape, None, operation)
                .await?;
            if answer.status == 410 && next.is_some() {
                return Ok(None);
            }
            if let Some(hidden) = self.shown(&answer, operation)? {
                return match next {
                    None => Ok(Some(Got::Hidden(hidden))),
                    Some(_) => Err(refused(self.address(), operation, &answer)),
                };
            }
            let page: List<T> = SERVER.parsed(self.address(), operation, &answer.body)?;
            if !shape.is(&page.kind) {
                let what = format!("it is no {} of objects", shape.word());
                return Err(SERVER.odd(self.address(), operation, &what));
            }
            items.extend(page.items);
            next = page.metadata.next.filter(|next| !next.is_empty());
            match &next {
                None => {
                    let short = page.metadata.remaining_item_count.unwrap_or(0) > 0;
                    return Ok(Some(Got::Found(Whole { items, short })));
                }
                Some(next) if !met.insert(next.clone()) => break,
                Some(_) => {}
            }
        }
        Err(ConnectorError::new(
            ErrorKind::Protocol,
            self.address(),
            operation,
            "the pages of the list lead round in a circle",
        )
        .hint("check that nothing stands between Lastkey and the API server"))
    }
}
