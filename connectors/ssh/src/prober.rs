//! Trying a private key: signing in by public key and nothing more.
//!
//! The server is first asked whether it knows the public half; only then is anything signed. So a
//! server that does not know the key is told apart from one that knows it and then lets nobody in,
//! as for an account that has expired or while the system is closed.

use crate::error::{client, config};
use crate::session::Open;
use crate::settings::Server;
use async_trait::async_trait;
use lastkey_contract::{ConnectorError, ProbeSpec, Prober, Secret, Settings, Tried};
use russh::MethodKind;
use russh::Signer;
use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use std::time::Duration;
use tokio::time::timeout;

/// How credentials of a server can be tried.
pub const PROBES: &[ProbeSpec] = &[KEY];

const KEY: ProbeSpec = ProbeSpec {
    how: "ssh_key",
    title: "SSH key",
    account: "name of the user on the server",
    secret: "private key, as OpenSSH or PEM writes it, without a passphrase",
    several_lines: true,
    can_lock: false,
    leaves: "A sign-in in the server's log, and a new time of last sign-in; no command is run.",
};

/// How long a try may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of it, how long until an answer is there; the rest is for saying goodbye.
const ANSWER: Duration = Duration::from_secs(8);

/// A prober for the server that the settings name.
pub fn prober(how: &str, settings: &Settings) -> Result<Box<dyn Prober>, ConnectorError> {
    if how != KEY.how {
        return Err(config(
            format!("`{how}` is not a way to try a credential of an SSH server"),
            format!("give {}", KEY.how),
        ));
    }
    let mut server = Server::from_settings(settings)?;
    server.timeout = server.timeout.min(ANSWER);
    Ok(Box::new(Key { server }))
}

struct Key {
    server: Server,
}

#[async_trait]
impl Prober for Key {
    fn spec(&self) -> &'static ProbeSpec {
        &KEY
    }

    async fn try_once(&self, account: &str, secret: &Secret) -> Tried {
        let account = account.trim();
        if account.is_empty() {
            return Tried::indeterminate("not sent", "no user is named");
        }
        let key = match parsed(secret) {
            Ok(key) => key,
            Err(why) => return Tried::indeterminate("not sent", why),
        };
        match timeout(PATIENCE, self.sign_in(account, key)).await {
            Ok(Ok(tried)) => tried,
            Ok(Err(error)) => Tried::fault(&error, secret),
            Err(_) => late(),
        }
    }
}

fn late() -> Tried {
    Tried::indeterminate("no answer in time", "the server did not answer in time")
}

/// The key, or why it is none that can be tried.
fn parsed(secret: &Secret) -> Result<PrivateKey, &'static str> {
    match russh::keys::decode_secret_key(secret.expose(), None) {
        Ok(key) if key.is_encrypted() => Err(SEALED),
        Ok(key) => Ok(key),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(SEALED),
        Err(_) => Err("the secret is no private key that is whole and understood here"),
    }
}

const SEALED: &str = "the private key is sealed with a passphrase; give it without one";

/// Signs once the server asks for it: it asks only for keys whose public half it knows.
struct Signing {
    key: PrivateKey,
    asked: bool,
}

/// Why nothing came of it.
enum NotSigned {
    Gone,
    Unable,
}

impl From<russh::SendError> for NotSigned {
    fn from(_gone: russh::SendError) -> NotSigned {
        NotSigned::Gone
    }
}

impl Signer for Signing {
    type Error = NotSigned;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, NotSigned> {
        self.asked = true;
        let signed = match self.key.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&to_sign),
            pair => pair.try_sign(&to_sign),
        };
        let signature = signed.map_err(|_| NotSigned::Unable)?;
        let signature = Vec::<u8>::try_from(signature).map_err(|_| NotSigned::Unable)?;
        let length = u32::try_from(signature.len()).map_err(|_| NotSigned::Unable)?;
        to_sign.extend_from_slice(&length.to_be_bytes());
        to_sign.extend_from_slice(&signature);
        Ok(to_sign)
    }
}

/// How a try ended, as far as the answer depends on it.
#[derive(Clone, Copy, Debug)]
struct Ended {
    /// The server knows the public half of the key.
    known: bool,
    /// It goes on offering to take keys.
    takes_keys: bool,
    /// It took the key and wants more.
    partly: bool,
    /// It told how it takes RSA keys, or the key is none.
    sort_told: bool,
}

impl Key {
    async fn sign_in(&self, account: &str, key: PrivateKey) -> Result<Tried, ConnectorError> {
        const OPERATION: &str = "try a key";
        let mut open = Open::to(&self.server).await?;
        let told = |error: &russh::Error| client(&open.system, OPERATION, error);
        let (hash, sort_told) = match key.algorithm() {
            Algorithm::Rsa { .. } => match open.handle.best_supported_rsa_hash().await {
                // The old way with SHA-1 is not used.
                Ok(Some(hash)) => (hash.or(Some(HashAlg::Sha512)), hash.is_some()),
                Ok(None) => (Some(HashAlg::Sha512), false),
                Err(error) => return Err(told(&error)),
            },
            _ => (None, true),
        };
        let public = key.public_key().clone();
        let mut signing = Signing { key, asked: false };
        let signed_in = open
            .handle
            .authenticate_publickey_with(account, public, hash, &mut signing)
            .await;
        let tried = match signed_in {
            Ok(AuthResult::Success) if signing.asked => Tried::accepted("publickey accepted"),
            Ok(AuthResult::Success) => Tried::indeterminate(
                "let in without a signature",
                "the server lets this user in without asking for a signature, so the key was not looked at",
            ),
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => judge(Ended {
                known: signing.asked,
                takes_keys: remaining_methods.contains(&MethodKind::PublicKey),
                partly: partial_success,
                sort_told,
            }),
            Err(NotSigned::Gone) => {
                return Err(client(&open.system, OPERATION, &russh::Error::HUP));
            }
            Err(NotSigned::Unable) => Tried::indeterminate(
                "not sent",
                "nothing can be signed here with a key of this sort",
            ),
        };
        open.close().await;
        Ok(tried)
    }
}

/// What a failure says of the key.
fn judge(ended: Ended) -> Tried {
    match ended {
        Ended { partly: true, .. } => Tried::indeterminate(
            "publickey taken, more wanted",
            "the server takes the key and wants a further step",
        ),
        Ended { known: true, .. } => Tried::indeterminate(
            "publickey known, then refused",
            "the server knows the key and lets nobody in with it now: the account may have expired, or the system may be closed for a while",
        ),
        // A connection that is lost looks so too.
        Ended {
            takes_keys: false, ..
        } => Tried::indeterminate(
            "publickey not offered",
            "the server does not take keys, or broke off",
        ),
        Ended {
            sort_told: false, ..
        } => Tried::indeterminate(
            "publickey refused",
            "the server did not say how it takes RSA keys; it may refuse this way of signing and not the key",
        ),
        Ended { .. } => Tried::rejected("publickey refused").because(
            "the server does not know the key for this user from here, or does not know the user",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_contract::Answer;

    #[track_caller]
    fn check(ended: Ended, answer: Answer) {
        assert_eq!(judge(ended).answer, answer, "{ended:?}");
    }

    #[test]
    fn only_a_key_that_is_not_known_is_rejected() {
        let refused = Ended {
            known: false,
            takes_keys: true,
            partly: false,
            sort_told: true,
        };
        check(refused, Answer::Rejected);
        for doubtful in [
            Ended {
                known: true,
                ..refused
            },
            Ended {
                takes_keys: false,
                ..refused
            },
            Ended {
                partly: true,
                ..refused
            },
            Ended {
                sort_told: false,
                ..refused
            },
        ] {
            check(doubtful, Answer::Indeterminate);
        }
    }
}
