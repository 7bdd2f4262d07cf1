//! What is asked of a vault over HTTP, and what its refusals say.
//!
//! Where it is sent, and what of an answer is taken, is the promise of `lastkey_http`.

use crate::settings::Vault;
use lastkey_contract::{ConnectorError, Secret};
use lastkey_http::{Client, Method, Server, escaped, secret_header};
use std::ops::Deref;
use zeroize::Zeroizing;

/// How this connector speaks of its server.
pub static SERVER: Server = Server {
    kind: "vault",
    name: "the vault",
    tls_name: "vault",
    sort: "a vault",
    whose: "a vault's",
    own: "the vault's own",
    secret: "the credential",
    ca: "the vault's",
    write: "write only the scheme, the host and the port: https://vault.example.org:8200",
    port: "check the address and the port, 8200 as a rule",
    log: "look into the vault's log",
};

/// A client of one vault.
pub struct Http {
    client: Client,
    namespace: String,
    token: Option<Secret>,
}

/// An answer of a vault, or of whatever stands before it.
pub struct Answer(lastkey_http::Answer);

impl Deref for Answer {
    type Target = lastkey_http::Answer;

    fn deref(&self) -> &lastkey_http::Answer {
        &self.0
    }
}

/// What the vault says beside a refusal.
#[derive(serde::Deserialize)]
struct Said {
    errors: Option<Vec<String>>,
    /// Stands in a whole answer, which some paths give beside a "not found".
    request_id: Option<String>,
}

impl Answer {
    pub fn request_id(&self) -> Option<String> {
        self.header("x-request-id")
    }

    /// The vault's own words about a refusal, cut to a sentence's length.
    pub fn said(&self) -> String {
        let said = self.errors().join("; ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = said.strip_prefix("1 error occurred: * ").unwrap_or(&said);
        said.chars().take(200).collect()
    }

    /// The vault's reasons as they came; none where it gave none.
    pub fn errors(&self) -> Vec<String> {
        serde_json::from_slice::<Said>(&self.body)
            .ok()
            .and_then(|said| said.errors)
            .unwrap_or_default()
    }

    /// Whether a "not found" is the vault's own word that nothing is there. Whatever stands before
    /// a vault gives the same status where it cannot find the vault, and that is no absence.
    pub fn nothing_there(&self) -> bool {
        let Ok(said) = serde_json::from_slice::<Said>(&self.body) else {
            return false;
        };
        let unknown = |word: &String| {
            word.contains("no handler for route") || word.contains("unsupported path")
        };
        match (self.status, said.errors) {
            (404, Some(errors)) => errors.iter().all(unknown),
            (404, None) => said.request_id.is_some(),
            _ => false,
        }
    }
}

impl Http {
    /// A client that has not connected yet.
    pub fn new(vault: &Vault) -> Result<Http, ConnectorError> {
        let ca_file = vault.ca_file.as_deref();
        Ok(Http {
            client: Client::new(&SERVER, vault.origin.clone(), ca_file, vault.timeout)?,
            namespace: vault.namespace.clone(),
            token: None,
        })
    }

    /// What every request is signed with from now on.
    pub fn sign_with(&mut self, token: Secret) {
        self.token = Some(token);
    }

    /// The vault's address, for sentences.
    pub fn address(&self) -> &str {
        self.client.address()
    }

    /// Asks once. `path` stands below `/v1/` and is encoded here; `query` is sent as it is.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let target = match query {
            "" => format!("/v1/{}", encoded(path)),
            query => format!("/v1/{}?{query}", encoded(path)),
        };
        let mut request = self
            .client
            .request(method, &target)
            .header("accept", "application/json")
            // asked for by agents that stand before a vault
            .header("x-vault-request", "true");
        // The server's own state is told outside of namespaces only.
        if !self.namespace.is_empty() && path != "sys/health" {
            request = request.header("x-vault-namespace", &self.namespace);
        }
        if let Some(token) = &self.token {
            let token = secret_header(token.expose(), self.client.address(), operation)?;
            request = request.header("x-vault-token", token);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let answer = self.client.ask(request, body, operation).await?;
        Ok(Answer(answer))
    }
}

/// A path as it stands in a request line.
fn encoded(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(escaped).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(encoded("secret/a b/ü?#%"), "secret/a%20b/%C3%BC%3F%23%25");
    }

    #[test]
    fn refusals_are_told_in_a_sentence() {
        let answer = |body: &str| Answer(lastkey_http::Answer::recorded(403, &[], body));
        assert_eq!(answer(r#"{"errors":["a\n\tb"]}"#).said(), "a b");
        let one = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
        assert_eq!(answer(one).said(), "permission denied");
        assert_eq!(answer("<html>").said(), "");
        let long = format!(r#"{{"errors":["{}"]}}"#, "x".repeat(10_000));
        assert_eq!(answer(&long).said().len(), 200);
    }

    #[track_caller]
    fn check(status: u16, body: &str, nothing_there: bool) {
        let answer = Answer(lastkey_http::Answer::recorded(status, &[], body));
        assert_eq!(answer.nothing_there(), nothing_there, "{status} {body}");
    }

    #[test]
    fn only_the_vaults_own_word_is_an_absence() {
        check(404, r#"{"errors":[]}"#, true);
        check(
            404,
            r#"{"errors":["no handler for route \"kv/\". route entry not found."]}"#,
            true,
        );
        check(
            404,
            r#"{"errors":["1 error occurred:\n\t* unsupported path\n\n"]}"#,
            true,
        );
        check(404, r#"{"request_id":"x","data":{"error":"gone"}}"#, true);
        check(404, r#"{"errors":["namespace not found"]}"#, false);
        check(404, r#"{"errors":["no such upstream"]}"#, false);
        check(404, r#"{"message":"no Route matched"}"#, false);
        check(404, "<html>404 Not Found", false);
        check(404, "", false);
        check(403, r#"{"errors":[]}"#, false);
    }
}
