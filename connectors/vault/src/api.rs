//! The vault's own API: signing in, lists, objects. Reading only.
//!
//! The one way from here to the server. Besides `GET` it sends `POST` to the sign-in and to those
//! paths below, where the server wants a body to look something up; none of them changes anything.

use crate::error::{refused, sign_in, token_ended, token_refused};
use crate::http::{Answer, Http, SERVER};
use crate::settings::{SignIn, Vault};
use lastkey_contract::{ConnectorError, Secret};
use lastkey_http::{Method, escaped};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// A vault that we are signed in to.
pub struct Api {
    http: Http,
    lists: Lists,
    /// Whether anything was refused since the token was last known to be good.
    doubted: bool,
}

/// How the vault answers lists to this login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// In one piece.
    Whole,
    /// A policy limits how many names come at once (`pagination_limit`), and the vault does not
    /// say that there are more.
    InPages,
}

/// What became of a look at one thing.
#[derive(Debug)]
pub enum Got<T> {
    Found(T),
    /// The vault has no such thing; an empty list looks the same.
    Absent,
    /// This login may not.
    Refused,
}

impl<T> Got<T> {
    /// What was found, if it was.
    pub fn found(self) -> Option<T> {
        match self {
            Got::Found(value) => Some(value),
            Got::Absent | Got::Refused => None,
        }
    }
}

/// Look-ups that the server takes as `POST`, and that change nothing.
#[derive(Clone, Copy, Debug)]
pub enum Lookup {
    /// What may this login do on these paths?
    Capabilities,
    /// The token of an accessor, described.
    Token,
    /// A lease, described.
    Lease,
}

impl Lookup {
    fn path(self) -> &'static str {
        match self {
            Lookup::Capabilities => "sys/capabilities-self",
            Lookup::Token => "auth/token/lookup-accessor",
            Lookup::Lease => "sys/leases/lookup",
        }
    }
}

/// `sys/health`, which needs no sign-in.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Health {
    #[serde(default)]
    pub version: String,
    /// The server's clock, in seconds: what an expiry is judged by.
    #[serde(default)]
    pub server_time_utc: i64,
    /// Told by HashiCorp Vault alone, from 1.16 on.
    pub enterprise: Option<bool>,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    data: T,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Issued,
}

#[derive(Deserialize)]
struct Issued {
    client_token: String,
}

impl Api {
    /// Signs in. The answer also tells that a vault is there, initialised and not sealed.
    pub async fn open(
        vault: &Vault,
        how: &SignIn,
        secret: Option<&Secret>,
    ) -> Result<Api, ConnectorError> {
        let mut http = Http::new(vault)?;
        let secret = secret.ok_or_else(|| {
            crate::error::config(
                "the secret to sign in with is missing",
                "give it with --secret-file FILE",
            )
        })?;
        let (path, body) = match how {
            SignIn::Token => {
                http.sign_with(trimmed(secret));
                return Ok(Api::over(http));
            }
            SignIn::AppRole { mount, role_id } => (
                format!("auth/{mount}/login"),
                body(&[
                    ("role_id", role_id),
                    ("secret_id", trimmed(secret).expose()),
                ]),
            ),
            SignIn::UserPass { mount, username } => (
                format!("auth/{mount}/login/{username}"),
                body(&[("password", secret.expose())]),
            ),
        };
        let answer = http
            .ask(Method::POST, &path, "", Some(body), "sign in")
            .await?;
        if answer.status != 200 {
            return Err(sign_in(http.address(), &answer));
        }
        let issued: SignedIn = SERVER.parsed(http.address(), "sign in", &answer.body)?;
        http.sign_with(Secret::new(issued.auth.client_token));
        Ok(Api::over(http))
    }

    fn over(http: Http) -> Api {
        Api {
            http,
            lists: Lists::Whole,
            doubted: false,
        }
    }

    /// The vault's address, for sentences.
    pub fn address(&self) -> &str {
        self.http.address()
    }

    /// From now on lists are asked for to their last page.
    pub fn lists_come_in_pages(&mut self) {
        self.lists = Lists::InPages;
    }

    /// Version and clock of the server.
    pub async fn health(&mut self) -> Result<Health, ConnectorError> {
        let operation = "look at the server";
        // A standby that passes requests on is as good as the active server.
        let query = "standbyok=true&perfstandbyok=true";
        let answer = self
            .http
            .ask(Method::GET, "sys/health", query, None, operation)
            .await?;
        match answer.status {
            200 => SERVER.parsed(self.address(), operation, &answer.body),
            _ => Err(refused(self.address(), operation, &answer)),
        }
    }

    /// Who we are; a refusal means that the token is none, or may not even be asked about.
    pub async fn whoami<T: DeserializeOwned>(&mut self) -> Result<T, ConnectorError> {
        let answer = self.own_token().await?;
        match answer.status {
            200 => SERVER
                .parsed::<Wrapped<T>>(self.address(), OWN_TOKEN, &answer.body)
                .map(|w| w.data),
            403 => Err(token_refused(self.address(), &answer)),
            _ => Err(refused(self.address(), OWN_TOKEN, &answer)),
        }
    }

    /// Fails where the token has ended. A token that has ended is refused on each path as if it
    /// lacked a right there; asked once after some refusals, it is told apart.
    pub async fn still_signed_in(&mut self) -> Result<(), ConnectorError> {
        if !std::mem::take(&mut self.doubted) {
            return Ok(());
        }
        let answer = self.own_token().await?;
        match answer.status {
            200 => Ok(()),
            403 => Err(token_ended(self.address(), &answer)),
            _ => Err(refused(self.address(), OWN_TOKEN, &answer)),
        }
    }

    async fn own_token(&mut self) -> Result<Answer, ConnectorError> {
        let path = "auth/token/lookup-self";
        self.http.ask(Method::GET, path, "", None, OWN_TOKEN).await
    }

    /// One object.
    pub async fn read<T: DeserializeOwned>(
        &mut self,
        path: &str,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        let answer = self
            .http
            .ask(Method::GET, path, "", None, operation)
            .await?;
        self.taken(&answer, operation)
    }

    /// The names below a path, sorted; a folder ends in a slash.
    pub async fn list(
        &mut self,
        path: &str,
        operation: &str,
    ) -> Result<Got<Vec<String>>, ConnectorError> {
        let mut all: Vec<String> = Vec::new();
        let mut query = "list=true".to_owned();
        loop {
            let answer = self
                .http
                .ask(Method::GET, path, &query, None, operation)
                .await?;
            let page = match self.taken::<Keys>(&answer, operation)? {
                Got::Found(Keys { keys }) => keys,
                Got::Absent if all.is_empty() => return Ok(Got::Absent),
                Got::Absent => Vec::new(),
                Got::Refused => return Ok(Got::Refused),
            };
            let greatest = all.iter().max().cloned();
            let further = page
                .iter()
                .max()
                .filter(|last| Some(*last) > greatest.as_ref());
            let after = further.map(|last| format!("list=true&after={}", escaped(last)));
            all.extend(page);
            match (self.lists, after) {
                (Lists::InPages, Some(next)) => query = next,
                // A server that knows no pages gives the same names again.
                (Lists::InPages, None) | (Lists::Whole, _) => break,
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(Got::Found(all))
    }

    /// One of the look-ups that want a body.
    pub async fn look_up<T: DeserializeOwned>(
        &mut self,
        what: Lookup,
        body: &serde_json::Value,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        self.post(what.path(), body, operation).await
    }

    /// The secret ID of an accessor, described.
    pub async fn secret_id<T: DeserializeOwned>(
        &mut self,
        role: &str,
        accessor: &str,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        let path = format!("{role}/secret-id-accessor/lookup");
        let body = serde_json::json!({ "secret_id_accessor": accessor });
        self.post(&path, &body, operation).await
    }

    /// The raw answer for one path, for the reader of values, which wipes it.
    pub async fn raw(&mut self, path: &str, operation: &str) -> Result<Answer, ConnectorError> {
        let answer = self
            .http
            .ask(Method::GET, path, "", None, operation)
            .await?;
        self.doubted |= answer.status == 403;
        Ok(answer)
    }

    async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &serde_json::Value,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        let body = Zeroizing::new(body.to_string().into_bytes());
        let answer = self
            .http
            .ask(Method::POST, path, "", Some(body), operation)
            .await?;
        // So older servers say that there is nothing to describe.
        if answer.status == 204 {
            return Ok(Got::Absent);
        }
        self.taken(&answer, operation)
    }

    fn taken<T: DeserializeOwned>(
        &mut self,
        answer: &Answer,
        operation: &str,
    ) -> Result<Got<T>, ConnectorError> {
        match answer.status {
            200 => SERVER
                .parsed::<Wrapped<T>>(self.address(), operation, &answer.body)
                .map(|wrapped| Got::Found(wrapped.data)),
            // An accessor, a lease or an AppRole that ended between two requests.
            400 | 403 | 500 if ended(&answer.said()) => Ok(Got::Absent),
            403 => {
                self.doubted = true;
                Ok(Got::Refused)
            }
            404 if answer.nothing_there() => Ok(Got::Absent),
            _ => Err(refused(self.address(), operation, answer)),
        }
    }
}

const OWN_TOKEN: &str = "look up our own token";

/// Whether these are the vault's words about a thing that was there before.
fn ended(said: &str) -> bool {
    said.contains("invalid accessor")
        || said.contains("invalid lease")
        || (said.starts_with("role \"") && said.ends_with("\" does not exist"))
}

/// A secret without the line break that a file ends in.
pub fn trimmed(secret: &Secret) -> Secret {
    Secret::new(secret.expose().trim().to_owned())
}

/// A JSON object of texts, wiped after use.
pub fn body(pairs: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    // Room for every character escaped, so that growing leaves no copy behind.
    let room: usize = pairs.iter().map(|(k, v)| k.len() + v.len() * 6 + 8).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(room + 2));
    out.push(b'{');
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        for (text, end) in [(key, b':'), (value, b' ')] {
            out.push(b'"');
            for byte in text.bytes() {
                match byte {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                    0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                    _ => out.push(byte),
                }
            }
            out.extend_from_slice(&[b'"', end]);
        }
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json() {
        let made = body(&[("a", "x\"\\\n\u{1}ü"), ("b", "")]);
        let read: serde_json::Value = serde_json::from_slice(&made).unwrap();
        assert_eq!(read, serde_json::json!({"a": "x\"\\\n\u{1}ü", "b": ""}));
    }
}
