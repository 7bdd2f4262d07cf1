//! Trying a token, or an AppRole's secret ID: looked up or signed in once, and signed out again.
//!
//! A vault says "permission denied" to whatever it does not allow, so what is said around it counts:
//! [`Refusal`] tells a token that the vault does not know from one whose policies forbid the
//! look-up. Whatever has two meanings is indeterminate.

use crate::api::{Health, body, trimmed};
use crate::error::{config, refused};
use crate::http::{Answer as Answered, Http, SERVER};
use crate::settings::{Vault, mount};
use async_trait::async_trait;
use lastkey_contract::{ConnectorError, ProbeSpec, Prober, Secret, Settings, Tried, said};
use lastkey_http::Method;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How credentials of a vault can be tried.
pub const PROBES: &[ProbeSpec] = &[TOKEN, APP_ROLE];

const TOKEN: ProbeSpec = ProbeSpec {
    how: "vault_token",
    title: "Vault token",
    account: "name of the token for the record, such as its accessor; it is not sent",
    secret: "token",
    several_lines: false,
    can_lock: false,
    leaves: "A look-up in the vault's audit log, and one use less of a token whose uses are limited.",
};

const APP_ROLE: ProbeSpec = ProbeSpec {
    how: "vault_approle",
    title: "Vault AppRole",
    account: "role ID, or MOUNT:ROLE_ID where the method is not mounted at approle",
    secret: "secret ID",
    several_lines: false,
    can_lock: true,
    leaves: "A sign-in in the vault's audit log, whose token is revoked at once, and one use less of a secret ID whose uses are limited.",
};

/// How long a try may take, without the signing out.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long signing out may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// Tells a token that the vault knows apart from one that it does not, whatever its policies say.
const ASKS_BACK: &str = "sys/internal/ui/mounts/lastkey";

/// A prober for the vault that the settings name; the login that reads is left out of it.
pub fn prober(how: &str, settings: &Settings) -> Result<Box<dyn Prober>, ConnectorError> {
    let mut vault = Vault::from_settings(settings)?;
    vault.timeout = vault.timeout.min(PATIENCE);
    match how {
        _ if how == TOKEN.how => Ok(Box::new(Token { vault })),
        _ if how == APP_ROLE.how => Ok(Box::new(AppRole { vault })),
        _ => Err(config(
            format!("`{how}` is not a way to try a credential of a vault"),
            format!("give {} or {}", TOKEN.how, APP_ROLE.how),
        )),
    }
}

/// Why a secret is not sent, where it is not.
fn unsendable(secret: &str) -> Option<Tried> {
    let why = match secret {
        "" => "the secret is empty",
        text if text.chars().all(|c| c.is_ascii_graphic()) => return None,
        _ => "the secret holds characters that no token and no secret ID has",
    };
    Some(Tried::indeterminate("not sent", why))
}

/// What comes of a try that may take so long.
async fn in_time(
    secret: &Secret,
    asking: impl Future<Output = Result<Tried, ConnectorError>>,
) -> Tried {
    match timeout(PATIENCE, asking).await {
        Ok(Ok(tried)) => tried,
        Ok(Err(error)) => Tried::fault(&error, secret),
        Err(_) => Tried::indeterminate("no answer in time", "the vault did not answer in time"),
    }
}

/// The status with the vault's own words.
fn raw(answer: &Answered, secret: &Secret) -> String {
    match said(&answer.said(), secret) {
        words if words.is_empty() => format!("HTTP {}", answer.status),
        words => format!("HTTP {} {words}", answer.status),
    }
}

/// An answer that says nothing certain.
fn doubtful(http: &Http, answer: &Answered, secret: &Secret) -> Tried {
    let error = refused(http.address(), OPERATION, answer);
    Tried::indeterminate(raw(answer, secret), said(&error.message, secret))
}

const OPERATION: &str = "try a credential";

struct Token {
    vault: Vault,
}

#[derive(Deserialize)]
struct LookedUp {
    data: Own,
}

/// The part of a token's description that says that it is the one we sent.
#[derive(Deserialize)]
struct Own {
    id: String,
}

#[async_trait]
impl Prober for Token {
    fn spec(&self) -> &'static ProbeSpec {
        &TOKEN
    }

    async fn try_once(&self, _account: &str, secret: &Secret) -> Tried {
        let secret = trimmed(secret);
        match unsendable(secret.expose()) {
            Some(tried) => tried,
            None => in_time(&secret, self.look_up(&secret)).await,
        }
    }
}

impl Token {
    async fn look_up(&self, secret: &Secret) -> Result<Tried, ConnectorError> {
        let mut http = Http::new(&self.vault)?;
        http.sign_with(secret.clone());
        let answer = get(&mut http, "auth/token/lookup-self").await?;
        match answer.status {
            200 => own(&http, &answer, secret),
            403 => {
                let raw = raw(&answer, secret);
                match Refusal::of(&answer.errors()) {
                    Refusal::Unknown => Ok(Tried::rejected(raw)),
                    Refusal::Policy => Ok(Tried::indeterminate(raw, KNOWN)),
                    Refusal::Plain => Ok(self.asked_back(&mut http, raw).await?),
                    Refusal::Other => Ok(doubtful(&http, &answer, secret)),
                }
            }
            _ => Ok(doubtful(&http, &answer, secret)),
        }
    }

    /// Whether a plain refusal is about the token, or about what it may look at.
    async fn asked_back(&self, http: &mut Http, raw: String) -> Result<Tried, ConnectorError> {
        let answer = get(http, ASKS_BACK).await?;
        let errors = answer.errors();
        if answer.status != 403 || Refusal::of(&errors) != Refusal::Plain {
            return Ok(Tried::indeterminate(raw, KNOWN));
        }
        let health = get(http, "sys/health").await?;
        let told = serde_json::from_slice::<Health>(&health.body).ok();
        Ok(match told.filter(|_| health.status == 200) {
            // It says so where it does not know a token: this one it refuses for another reason.
            Some(health) if health.enterprise.is_some() => Tried::indeterminate(
                raw,
                "the vault knows the token and does not take it: it may be bound to other addresses, or its entity is switched off",
            ),
            Some(_) => Tried::rejected(raw).because(
                "the vault takes the token for nobody's; one that is bound to other addresses gets the same answer here",
            ),
            None => Tried::indeterminate(raw, "the vault did not say what it is"),
        })
    }
}

const KNOWN: &str =
    "the vault refuses the look-up and not the token: its policies may not let it look itself up";

async fn get(http: &mut Http, path: &str) -> Result<Answered, ConnectorError> {
    http.ask(Method::GET, path, "", None, OPERATION).await
}

/// Whether what was looked up is what was sent: an agent before a vault may sign with its own.
fn own(http: &Http, answer: &Answered, secret: &Secret) -> Result<Tried, ConnectorError> {
    let looked_up: LookedUp = serde_json::from_slice(&answer.body)
        .map_err(|_| SERVER.odd(http.address(), OPERATION, "it describes no token"))?;
    let raw = "HTTP 200";
    let id = Zeroizing::new(looked_up.data.id);
    Ok(match id.as_str() == secret.expose() {
        true => Tried::accepted(raw),
        false => Tried::indeterminate(
            raw,
            "another token than the one that was sent was looked up: something stands before the vault",
        ),
    })
}

/// What a 403 is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The vault says in words that the token is none.
    Unknown,
    /// Refused before policies were looked at: no such token, or not from here, or nobody's.
    Plain,
    /// Refused by the policies of a token that it knows.
    Policy,
    Other,
}

impl Refusal {
    /// A list of reasons comes from where policies are looked at, and a single word from before.
    fn of(errors: &[String]) -> Refusal {
        let [text] = errors else {
            return Refusal::Other;
        };
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let listed = text.contains("occurred:");
        let reasons: Vec<&str> = match listed {
            true => lines.skip(1).map(|l| l.trim_start_matches("* ")).collect(),
            false => lines.by_ref().collect(),
        };
        const DENIED: &str = "permission denied";
        let unknown = |reason: &&str| matches!(*reason, "invalid token" | "bad token");
        let only_known = reasons.iter().all(|r| *r == DENIED || unknown(r));
        match (only_known, reasons.iter().any(unknown), listed) {
            (false, _, _) => Refusal::Other,
            (true, true, _) => Refusal::Unknown,
            (true, false, true) if !reasons.is_empty() => Refusal::Policy,
            (true, false, false) if reasons == [DENIED] => Refusal::Plain,
            (true, false, _) => Refusal::Other,
        }
    }
}

struct AppRole {
    vault: Vault,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Issued,
}

#[derive(Deserialize)]
struct Issued {
    client_token: String,
}

#[async_trait]
impl Prober for AppRole {
    fn spec(&self) -> &'static ProbeSpec {
        &APP_ROLE
    }

    async fn try_once(&self, account: &str, secret: &Secret) -> Tried {
        let secret = trimmed(secret);
        if let Some(tried) = unsendable(secret.expose()) {
            return tried;
        }
        let (at, role_id) = match account.trim().split_once(':') {
            Some((at, role_id)) => (at, role_id.trim()),
            None => ("", account.trim()),
        };
        let Ok(at) = mount(at, "approle") else {
            return Tried::indeterminate("not sent", "what stands before the colon is no mount");
        };
        if role_id.is_empty() {
            return Tried::indeterminate("not sent", "no role ID is named");
        }
        let mut token = None;
        let tried = in_time(&secret, self.sign_in(&at, role_id, &secret, &mut token)).await;
        match token {
            None => tried,
            Some(token) => match self.sign_out(token).await {
                true => tried,
                false => tried.because(
                    "the token that the sign-in was given could not be revoked, and ends with its own time",
                ),
            },
        }
    }
}

impl AppRole {
    async fn sign_in(
        &self,
        at: &str,
        role_id: &str,
        secret: &Secret,
        given: &mut Option<Secret>,
    ) -> Result<Tried, ConnectorError> {
        let mut http = Http::new(&self.vault)?;
        let path = format!("auth/{at}/login");
        let body = body(&[("role_id", role_id), ("secret_id", secret.expose())]);
        let answer = http
            .ask(Method::POST, &path, "", Some(body), OPERATION)
            .await?;
        let raw = raw(&answer, secret);
        let words = answer.said().to_lowercase();
        match answer.status {
            200 => {
                let signed_in: SignedIn = serde_json::from_slice(&answer.body)
                    .map_err(|_| SERVER.odd(http.address(), OPERATION, "it gives no token"))?;
                let token = signed_in.auth.client_token;
                if token.is_empty() {
                    return Ok(Tried::indeterminate(
                        raw,
                        "the vault takes the role and asks for a second factor",
                    ));
                }
                *given = Some(Secret::new(token));
                Ok(Tried::accepted(raw))
            }
            400 if REFUSED.contains(&words.as_str()) => Ok(Tried::rejected(raw)),
            400 if words.contains("cidr") => Ok(Tried::indeterminate(
                raw,
                "the secret ID or the role is bound to other addresses",
            )),
            403 => Ok(Tried::indeterminate(
                raw,
                "the sign-in is locked for now after refused ones, or there is no such method",
            )),
            _ => Ok(doubtful(&http, &answer, secret)),
        }
    }

    /// Revokes the token; whether the vault did.
    async fn sign_out(&self, token: Secret) -> bool {
        let Ok(mut http) = Http::new(&self.vault) else {
            return false;
        };
        http.sign_with(token);
        let path = "auth/token/revoke-self";
        let asked = http.ask(Method::POST, path, "", None, "sign out");
        matches!(timeout(GOODBYE, asked).await, Ok(Ok(answer)) if answer.status == 204)
    }
}

/// What vaults say to a role ID or a secret ID that they do not know, in small letters.
const REFUSED: &[&str] = &[
    "invalid role or secret id",
    "invalid role id",
    "invalid secret id",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(errors: &[&str], means: Refusal) {
        let errors: Vec<String> = errors.iter().map(|e| (*e).to_owned()).collect();
        assert_eq!(Refusal::of(&errors), means, "{errors:?}");
    }

    #[test]
    fn what_a_refusal_is_about() {
        check(&["permission denied"], Refusal::Plain);
        check(&["bad token"], Refusal::Unknown);
        check(&["invalid token"], Refusal::Unknown);
        check(
            &["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"],
            Refusal::Unknown,
        );
        check(
            &["1 error occurred:\n\t* permission denied\n\n"],
            Refusal::Policy,
        );
        check(
            &[
                "preflight capability check returned 403, please ensure client's policies grant access to path \"lastkey/\"",
            ],
            Refusal::Other,
        );
        check(&["namespaces feature not enabled"], Refusal::Other);
        check(&["1 error occurred:\n"], Refusal::Other);
        check(&[""], Refusal::Other);
        check(&[], Refusal::Other);
        check(&["permission denied", "bad token"], Refusal::Other);
        check(
            &["2 errors occurred:\n\t* permission denied\n\t* egp denied\n\n"],
            Refusal::Other,
        );
    }

    #[test]
    fn what_no_token_is_made_of_is_not_sent() {
        for text in ["", "a b", "line\nbreak", "ü"] {
            assert!(unsendable(text).is_some(), "{text}");
        }
        assert!(unsendable("hvs.CAESIJ").is_none());
    }
}
