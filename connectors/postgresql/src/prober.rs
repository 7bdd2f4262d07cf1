//! Trying a name and a password: one sign-in, over TLS that is verified.
//!
//! A server can be told to let somebody in without a password (`trust`); then success says nothing of
//! the one that was tried, and does not count. What a refusal means is told by its SQLSTATE and,
//! because the words come in the server's language, by the place in the server that made it.

use crate::connection::{Connection, NoConnection};
use crate::error::{config, refused};
use crate::settings::Server;
use async_trait::async_trait;
use lastkey_contract::{ConnectorError, ProbeSpec, Prober, Secret, Settings, Tried, said};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::error::DbError;

/// How credentials of a server can be tried.
pub const PROBES: &[ProbeSpec] = &[LOGIN];

const LOGIN: ProbeSpec = ProbeSpec {
    how: "postgresql_login",
    title: "PostgreSQL login",
    account: "name of the role",
    secret: "password",
    several_lines: false,
    can_lock: false,
    leaves: "A connection in the server's log, closed at once.",
};

/// How long a try may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of it, how long until an answer is there; the rest is for saying goodbye.
const ANSWER: Duration = Duration::from_secs(8);

/// A prober for the server that the settings name; the login that reads is left out of it.
pub fn prober(how: &str, settings: &Settings) -> Result<Box<dyn Prober>, ConnectorError> {
    if how != LOGIN.how {
        return Err(config(
            format!("`{how}` is not a way to try a credential of PostgreSQL"),
            format!("give {}", LOGIN.how),
        ));
    }
    let mut server = Server::from_settings(settings)?;
    server.timeout = server.timeout.min(ANSWER);
    Ok(Box::new(Login { server }))
}

struct Login {
    server: Server,
}

#[async_trait]
impl Prober for Login {
    fn spec(&self) -> &'static ProbeSpec {
        &LOGIN
    }

    async fn try_once(&self, account: &str, secret: &Secret) -> Tried {
        if let Some(why) = unsendable(account, secret) {
            return Tried::indeterminate("not sent", why);
        }
        match timeout(PATIENCE, self.sign_in(account, secret)).await {
            Ok(tried) => tried,
            Err(_) => {
                Tried::indeterminate("no answer in time", "the server did not answer in time")
            }
        }
    }
}

/// Why a sign-in with these is not sent, where it is not.
fn unsendable(account: &str, secret: &Secret) -> Option<&'static str> {
    match (account, secret.expose()) {
        ("", _) => Some("no role is named"),
        (_, "") => Some("the password is empty"),
        // it ends a text in the protocol
        (account, password) if account.contains('\0') || password.contains('\0') => {
            Some("the name or the password holds a character that neither can have")
        }
        (_, _) => None,
    }
}

impl Login {
    async fn sign_in(&self, account: &str, secret: &Secret) -> Tried {
        match Connection::open(&self.server, account, secret, "").await {
            Ok(connection) => {
                let asked = connection.password_asked;
                connection.close().await;
                match asked {
                    true => Tried::accepted("00000 let in"),
                    false => Tried::indeterminate(
                        "00000 let in without a password",
                        "the server lets this role in from here without asking for a password, so this one was not looked at",
                    ),
                }
            }
            Err(NoConnection::Refused(error, _)) => match error.as_db_error() {
                Some(words) => self.judge(words, secret),
                None => Tried::indeterminate("no answer to the question", DOUBT),
            },
            Err(NoConnection::Failed(error)) => Tried::fault(&error, secret),
        }
    }

    fn judge(&self, words: &DbError, secret: &Secret) -> Tried {
        let code = words.code().code();
        let raw = match said(words.message(), secret) {
            message if message.is_empty() => code.to_owned(),
            message => format!("{code} {message}"),
        };
        match Meaning::of(code, words.routine().unwrap_or_default()) {
            Meaning::WrongPassword => Tried::rejected(raw)
                .because("the password is wrong or past its date, or there is no such role"),
            Meaning::NoLogin => {
                Tried::rejected(raw).because("the role may not log in, or there is none")
            }
            Meaning::Doubtful(why) => Tried::indeterminate(raw, why),
            Meaning::Fault => {
                let error = refused(&self.server.shown(), "try a sign-in", words);
                Tried::indeterminate(raw, said(&error.message, secret))
            }
        }
    }
}

const DOUBT: &str = "the server refused the sign-in for a reason that is not known here";

/// What a refusal says of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    WrongPassword,
    NoLogin,
    Doubtful(&'static str),
    Fault,
}

impl Meaning {
    fn of(code: &str, routine: &str) -> Meaning {
        match (code, routine) {
            // Only ways to sign in by a password say so.
            ("28P01", _) => Meaning::WrongPassword,
            // After the password was looked at, the role itself is.
            ("28000", "InitializeSessionUserId") => Meaning::NoLogin,
            ("28000", _) => Meaning::Doubtful(
                "a rule of the server about addresses, databases or other ways to sign in refuses it, and not the role",
            ),
            ("3D000", _) => Meaning::Doubtful(
                "the server looked for the database, and there is none; nothing is said of the password",
            ),
            ("42501", _) => {
                Meaning::Doubtful("the role may not connect to this database, and may to another")
            }
            ("53300", _) => {
                Meaning::Doubtful("the server or the role has no more connections left")
            }
            ("57P01" | "57P02" | "57P03", _) => {
                Meaning::Doubtful("the server is starting, stopping or not available")
            }
            _ => Meaning::Fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_role_or_its_password_rejects() {
        let of = |code, routine| Meaning::of(code, routine);
        assert_eq!(of("28P01", "auth_failed"), Meaning::WrongPassword);
        assert_eq!(of("28000", "InitializeSessionUserId"), Meaning::NoLogin);
        for (code, routine) in [
            ("28000", "ClientAuthentication"),
            ("28000", "auth_failed"),
            ("28000", ""),
            ("3D000", "InitPostgres"),
            ("42501", "CheckMyDatabase"),
            ("53300", "InitPostgres"),
            ("57P03", "ProcessStartupPacket"),
        ] {
            assert!(
                matches!(of(code, routine), Meaning::Doubtful(_)),
                "{code} {routine}"
            );
        }
        assert_eq!(of("XX000", ""), Meaning::Fault);
    }
}
