//! What is asked of GitHub over HTTP: `GET` alone; and what its headers and refusals say.
//!
//! Where it is sent, and what of an answer is taken, is the promise of `lastkey_http`.

use crate::settings::Organization;
use lastkey_contract::{ConnectorError, Quota, Secret};
use lastkey_http::{Client, Method, Server, secret_header};
use std::ops::Deref;

/// How this connector speaks of its server.
pub static SERVER: Server = Server {
    kind: "github",
    name: "GitHub",
    tls_name: "GitHub server",
    sort: "GitHub",
    whose: "GitHub's",
    own: "the API's own",
    secret: "the token",
    ca: "the server's",
    write: "write https://api.github.com, or the scheme and host of your Enterprise server: https://github.example.org",
    port: "check the address and the port, 443 as a rule",
    log: "look at githubstatus.com or the server's log",
};

/// A client of one GitHub.
pub struct Http {
    client: Client,
    base: String,
    token: Secret,
}

/// An answer of GitHub, or of whatever stands before it.
pub struct Answer(lastkey_http::Answer);

impl Deref for Answer {
    type Target = lastkey_http::Answer;

    fn deref(&self) -> &lastkey_http::Answer {
        &self.0
    }
}

/// What GitHub says beside a refusal.
#[derive(serde::Deserialize)]
struct Said {
    message: Option<String>,
}

impl Answer {
    /// GitHub's own words about a refusal; None where the answer is not one of GitHub's: whatever
    /// stands before a server gives the same status where it cannot find or does not let through,
    /// and that says nothing about what is there.
    pub fn said(&self) -> Option<String> {
        let said = serde_json::from_slice::<Said>(&self.body).ok()?.message?;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(said.chars().take(200).collect())
    }

    pub fn request_id(&self) -> Option<String> {
        self.header("x-github-request-id")
    }

    /// What the rate limit still allows, as the answer says.
    pub fn quota(&self) -> Option<Quota> {
        let number = |name: &str| self.header(name)?.trim().parse::<u64>().ok();
        Some(Quota {
            remaining: number("x-ratelimit-remaining")?,
            resets_in_ms: self.resets_in_ms()?,
        })
    }

    fn resets_in_ms(&self) -> Option<u64> {
        let reset: i64 = self.header("x-ratelimit-reset")?.trim().parse().ok()?;
        let left = reset.checked_sub(self.clock()?)?.max(0);
        u64::try_from(left).ok().map(|s| s.saturating_mul(1000))
    }

    /// Whether GitHub asks to wait; it says 403 as well as 429 for that.
    pub fn is_limited(&self) -> bool {
        let spent = self.header("x-ratelimit-remaining").as_deref() == Some("0");
        let asked = self.headers.contains_key("retry-after");
        let words = self.said().unwrap_or_default().to_lowercase();
        let told = words.contains("rate limit") || words.contains("abuse detection");
        match self.status {
            429 => true,
            403 => spent || asked || told,
            _ => false,
        }
    }

    /// How long GitHub asks to wait: as it says, else until the limit starts anew, else the minute
    /// that its documentation asks for after a secondary limit.
    pub fn wait_ms(&self) -> Option<u64> {
        if let Some(asked) = self.retry_after_ms() {
            return Some(asked);
        }
        let spent = self.header("x-ratelimit-remaining").as_deref() == Some("0");
        match self.resets_in_ms().filter(|_| spent) {
            // The clock of the limit may be a second ahead.
            Some(left) => Some(left.saturating_add(1000)),
            None => (self.status == 403 && self.is_limited()).then_some(60_000),
        }
    }
}

impl Http {
    /// A client that has not connected yet.
    pub fn new(organization: &Organization, token: Secret) -> Result<Http, ConnectorError> {
        let origin = organization.origin.clone();
        let ca_file = organization.ca_file.as_deref();
        Ok(Http {
            client: Client::new(&SERVER, origin, ca_file, organization.timeout)?,
            base: organization.base.clone(),
            token,
        })
    }

    /// GitHub's address, for sentences.
    pub fn address(&self) -> &str {
        self.client.address()
    }

    /// The path and query below the base, where a link leads to the configured origin; None where
    /// it leads elsewhere.
    pub fn below(&self, link: &str) -> Option<String> {
        let path = self.client.origin().path_of(link)?;
        let path = path.strip_prefix(&self.base)?;
        path.starts_with('/').then(|| path.to_owned())
    }

    /// Asks once. `target` is a path below the base with its query, encoded; `unless` is the mark
    /// of an answer that we have, in whose place 304 comes.
    pub async fn get(
        &mut self,
        target: &str,
        unless: Option<&str>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let bearer = format!("Bearer {}", self.token.expose().trim());
        let bearer = secret_header(&bearer, self.client.address(), operation)?;
        let mut request = self
            .client
            .request(Method::GET, &format!("{}{target}", self.base))
            .header(
                "accept",
                "application/vnd.github+json, application/json;q=0.9",
            )
            .header("x-github-api-version", "2022-11-28")
            .header("authorization", bearer);
        if let Some(mark) = unless {
            request = request.header("if-none-match", mark);
        }
        let answer = self.client.ask(request, None, operation).await?;
        Ok(Answer(answer))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An answer that nobody sent.
    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer(lastkey_http::Answer::recorded(status, headers, body))
    }

    const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], body: &str, wait: Option<Option<u64>>) {
        let answer = answer(status, headers, body);
        let found = answer.is_limited().then(|| answer.wait_ms());
        assert_eq!(found, wait, "{status} {headers:?} {body}");
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let said = r#"{"message":"Resource not accessible by integration"}"#;
        check(403, &[DATE], said, None);
        check(403, &[DATE, ("x-ratelimit-remaining", "12")], said, None);
        check(200, &[("x-ratelimit-remaining", "0")], "{}", None);
        check(429, &[], "{}", Some(None));
        check(429, &[("retry-after", "7")], "{}", Some(Some(7_000)));
        let date = ("retry-after", "Sun, 22 Nov 2026 10:00:09 GMT");
        check(429, &[DATE, date], "{}", Some(Some(9_000)));
        let spent = ("x-ratelimit-remaining", "0");
        let reset = ("x-ratelimit-reset", "1795341630");
        check(403, &[DATE, spent, reset], "{}", Some(Some(31_000)));
        check(403, &[("retry-after", "30")], "{}", Some(Some(30_000)));
        let second = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
        check(403, &[DATE], second, Some(Some(60_000)));
    }

    #[test]
    fn what_is_left_is_told() {
        let spent = [
            DATE,
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1795341630"),
        ];
        let quota = answer(200, &spent, "[]").quota().unwrap();
        assert_eq!((quota.remaining, quota.resets_in_ms), (4_999, 30_000));
        assert_eq!(answer(200, &[], "[]").quota(), None);
    }

    #[test]
    fn only_githubs_own_words_count() {
        let said = |body: &str| answer(404, &[], body).said();
        assert_eq!(said(r#"{"message":"Not\n Found"}"#).unwrap(), "Not Found");
        for body in [
            "",
            "<html>404",
            "[]",
            r#"{"errors":["x"]}"#,
            r#"{"message":7}"#,
        ] {
            assert_eq!(said(body), None, "{body}");
        }
    }

    #[test]
    fn links_lead_nowhere_else() {
        let mut settings = lastkey_contract::Settings::default();
        for (key, value) in [
            ("organization", "o"),
            ("system", "s"),
            ("address", "https://git.example.org:8443"),
        ] {
            settings.0.insert(key.to_owned(), value.to_owned());
        }
        let organization = Organization::from_settings(&settings).unwrap();
        let http = Http::new(&organization, Secret::new("t".to_owned())).unwrap();
        let good = "https://git.example.org:8443/api/v3/organizations/1/members?page=2";
        assert_eq!(http.below(good).unwrap(), "/organizations/1/members?page=2");
        for link in [
            "http://git.example.org:8443/api/v3/x",
            "https://git.example.org/api/v3/x",
            "https://git.example.org:8443/x",
            "https://git.example.org:8443/api/v3x",
            "https://git.example.org:8443.evil.example/api/v3/x",
            "https://git.example.org:8443@evil.example/api/v3/x",
            "https://evil.example:8443/api/v3/x",
            "https://git.example.org:8443/api/v3/x y",
            "/api/v3/x",
            "",
        ] {
            assert_eq!(http.below(link), None, "{link}");
        }
    }
}
