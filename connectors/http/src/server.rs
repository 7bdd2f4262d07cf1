//! A server in a connector's own words, and the errors that are said with them.

use crate::Origin;
use lastkey_contract::{ConnectorError, ErrorKind, shown_address};
use serde::de::DeserializeOwned;

/// How a connector speaks of its server.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// The kind of source, for errors of its settings: `vault`.
    pub kind: &'static str,
    /// What a person calls it in a sentence: "the vault".
    pub name: &'static str,
    /// The same where TLS speaks of it: "vault".
    pub tls_name: &'static str,
    /// Whose answers and addresses these are: "a vault".
    pub sort: &'static str,
    /// The same of its answers: "a vault's".
    pub whose: &'static str,
    /// Whose the address has to be: "the vault's own".
    pub own: &'static str,
    /// What authenticates: "the credential".
    pub secret: &'static str,
    /// Whose CA it can be: "the vault's".
    pub ca: &'static str,
    /// How to write an address.
    pub write: &'static str,
    /// What to look at where its port may be the wrong one.
    pub port: &'static str,
    /// What to look at where it breaks off: "look into the vault's log".
    pub log: &'static str,
}

impl Server {
    fn config(&self, message: String, hint: String) -> ConnectorError {
        ConnectorError::new(ErrorKind::ConfigInvalid, self.kind, "configure", message).hint(hint)
    }

    /// An address that is none of such a server.
    pub fn not_an_address(&self, address: &str) -> ConnectorError {
        self.config(
            format!(
                "`{}` is not an address of {}",
                shown_address(address),
                self.sort
            ),
            self.write.to_owned(),
        )
    }

    /// The origin of an address, by default at port 443, and the path after it without slashes at
    /// its ends. Plain `http` is refused.
    pub fn origin<'a>(&self, address: &'a str) -> Result<(Origin, &'a str), ConnectorError> {
        let rest = match address.split_once("://") {
            Some(("https", rest)) => rest.trim_end_matches('/'),
            Some(("http", _)) => {
                return Err(self.config(
                    format!(
                        "plain http:// would send {} in clear and is not used",
                        self.secret
                    ),
                    format!(
                        "write https://, and name {} CA with ca_file where it has its own",
                        self.ca
                    ),
                ));
            }
            Some(_) | None => return Err(self.not_an_address(address)),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        match lastkey_tls::host_and_port(authority, 443) {
            Some((host, port)) => Ok((Origin { host, port }, path)),
            None => Err(self.not_an_address(address)),
        }
    }

    /// The connection failed.
    pub fn unreachable(&self, system: &str, operation: &str, why: &str) -> ConnectorError {
        let message = format!("{} cannot be reached: {why}", self.name);
        ConnectorError::new(ErrorKind::Unavailable, system, operation, message)
            .hint("check the address, the port and the network")
    }

    /// The connection broke in the middle of an answer.
    pub fn broken_off(&self, system: &str, operation: &str) -> ConnectorError {
        let message = format!("{} broke off the connection", self.name);
        ConnectorError::new(ErrorKind::Unavailable, system, operation, message)
            .hint(format!("sync again; if it comes back, {}", self.log))
    }

    /// No answer in time.
    pub fn timed_out(&self, system: &str, operation: &str) -> ConnectorError {
        let message = format!("{} did not answer in time", self.name);
        ConnectorError::new(ErrorKind::TimedOut, system, operation, message)
            .hint("check the address and the port, or set a longer timeout")
    }

    /// An answer that breaks the protocol.
    pub fn odd(&self, system: &str, operation: &str, what: &str) -> ConnectorError {
        let message = format!("the answer is not {}: {what}", self.whose);
        ConnectorError::new(ErrorKind::Protocol, system, operation, message).hint(format!(
            "check that the address is {}, with no sign-in page or proxy before it",
            self.own
        ))
    }

    /// An answer's JSON, understood.
    pub fn parsed<T: DeserializeOwned>(
        &self,
        system: &str,
        operation: &str,
        body: &[u8],
    ) -> Result<T, ConnectorError> {
        // What the parser would say can quote the answer, and an answer can hold a secret.
        serde_json::from_slice(body)
            .map_err(|_| self.odd(system, operation, "its JSON is not what this path answers"))
    }
}

/// A refusal as an error: its sort, our sentence and what to do, with the status and what the
/// server itself said about it.
pub fn refusal(
    system: &str,
    operation: &str,
    status: u16,
    said: Option<&str>,
    (kind, message, hint): (ErrorKind, &str, &str),
) -> ConnectorError {
    let message = match said {
        None | Some("") => format!("{message} (status {status})"),
        Some(said) => format!("{message} (status {status}: `{said}`)"),
    };
    ConnectorError::new(kind, system, operation, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELF: Server = Server {
        kind: "shelf",
        name: "the shelf",
        tls_name: "shelf",
        sort: "a shelf",
        whose: "a shelf's",
        own: "the shelf's own",
        secret: "the key",
        ca: "the shelf's",
        write: "write https://shelf.example.org",
        port: "check the port",
        log: "look into the shelf's log",
    };

    #[track_caller]
    fn check(address: &str, says: Result<(&str, u16, &str), &str>) {
        let found = SHELF.origin(address);
        let found = found
            .as_ref()
            .map(|(origin, path)| (origin.host.as_str(), origin.port, *path));
        match (found, says) {
            (Ok(found), says) => assert_eq!(Ok(found), says, "{address}"),
            (Err(error), Err(says)) => assert!(error.message.contains(says), "{error}"),
            (Err(error), Ok(_)) => panic!("{address}: {error}"),
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        check("https://h", Ok(("h", 443, "")));
        check("https://h:8200/", Ok(("h", 8200, "")));
        check("https://[::1]:8200/api/v3/", Ok(("::1", 8200, "api/v3")));
        check("http://h", Err("would send the key in clear"));
        check("h:8200", Err("not an address of a shelf"));
        check("https://", Err("not an address"));
        check("https://h:99999", Err("not an address"));
        check("https://me:pw@h", Err("(hidden)@h"));
    }

    #[test]
    fn what_the_server_said_stands_beside_its_status() {
        let why = (ErrorKind::Forbidden, "no", "ask");
        let of = |said| refusal("s", "o", 403, said, why).message;
        assert_eq!(of(Some("not you")), "no (status 403: `not you`)");
        assert_eq!(of(None), "no (status 403)");
        assert_eq!(of(Some("")), "no (status 403)");
    }
}
