//! Logins that stand in addresses: `postgres://app:password@host/db`. Wherever such an address is
//! read, its password is a secret that nobody asked for.

use crate::secret::may_be_secret;

/// What stands in place of a login.
const HIDDEN: &str = "(hidden)";

/// What names a password in a connection string, in small letters.
const KEYS: [&str; 7] = [
    "accountkey",
    "clientsecret",
    "password",
    "passwd",
    "pwd",
    "sharedaccesskey",
    "sharedsecret",
];

/// What stands before the colon of an address that is no login: `smtp:ann@example.org`.
const NO_USERS: [&str; 22] = [
    "acct",
    "allusers",
    "deleted",
    "domain",
    "eum",
    "fax",
    "group",
    "im",
    "mailto",
    "notes",
    "principal",
    "serviceaccount",
    "sip",
    "sips",
    "smtp",
    "tel",
    "upn",
    "urn",
    "user",
    "x400",
    "x500",
    "xmpp",
];

/// The text with the logins of its addresses hidden; None where it has none.
///
/// A name alone is no login (`ssh://git@host`), unless it looks like a token. What stands behind a
/// slash is a path (`https://host:8443/users/ann@example.org`).
pub fn without_logins(text: &str) -> Option<String> {
    let addresses = of_addresses(text);
    let strings = of_connection_strings(addresses.as_deref().unwrap_or(text));
    strings.or(addresses)
}

/// A text that is a login and a host without a scheme (`app:password@host/db`), hidden; None where
/// it is something else.
pub fn without_bare_login(text: &str) -> Option<String> {
    let (user, rest) = text.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && !text.contains([' ', '/', '@', ':', ',', '\t']);
    let (password, host) = rest.rsplit_once('@')?;
    let begins = |c: char| c.is_alphanumeric() || c == '[';
    let known = NO_USERS.contains(&user.to_lowercase().as_str());
    let login = plain(user) && !known && !password.contains(' ');
    let login = login && !password.is_empty() && !password.starts_with("//");
    (login && host.starts_with(begins)).then(|| format!("{HIDDEN}@{host}"))
}

/// `scheme://user:password@host`, anywhere in a text.
fn of_addresses(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut hid = false;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let ends = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        let (address, following) = after.split_at(after.find(ends).unwrap_or(after.len()));
        rest = after;
        if let Some(host) = behind_login(address) {
            out.push_str(HIDDEN);
            out.push('@');
            // The address itself is searched on: one may stand in another.
            let skipped = after.len() - following.len() - host.len();
            rest = after.get(skipped..).unwrap_or_default();
            hid = true;
        }
    }
    out.push_str(rest);
    hid.then_some(out)
}

/// What follows the login of an address without its scheme; None where it has no login.
fn behind_login(address: &str) -> Option<&str> {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((login, host)) => {
            let named = login
                .split_once(':')
                .is_some_and(|(_, password)| !password.is_empty());
            let behind = address.get(authority.len() - host.len()..);
            behind.filter(|_| named || may_be_secret(login))
        }
        // A password with a slash in it: what follows the colon is no port then.
        None => {
            let (_, port) = authority.split_once(':')?;
            let is_port = port.chars().all(|c| c.is_ascii_digit());
            let (_, host) = address.rsplit_once('@')?;
            (!is_port && !port.starts_with(']') && !authority.starts_with('[')).then_some(host)
        }
    }
}

/// `Server=db;User Id=app;Password=…;`, anywhere in a text.
fn of_connection_strings(text: &str) -> Option<String> {
    if !text.contains('=') {
        return None;
    }
    let mut hid = false;
    let pieces = text.split_inclusive([';', '&', ' ', '?', ',', '\n']);
    let out = pieces
        .map(|piece| {
            let body = piece.trim_end_matches([';', '&', ' ', '?', ',', '\n']);
            let end = piece.get(body.len()..).unwrap_or_default();
            let Some((key, value)) = body.split_once('=') else {
                return piece.to_owned();
            };
            let plain: String = key
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect();
            match KEYS.contains(&plain.as_str()) && !value.is_empty() && value != HIDDEN {
                true => {
                    hid = true;
                    format!("{key}={HIDDEN}{end}")
                }
                false => piece.to_owned(),
            }
        })
        .collect();
    hid.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_hidden_wherever_it_stands() {
        for (text, shown) in [
            ("postgres://app:pw@db/x", "postgres://(hidden)@db/x"),
            (
                "jdbc:mysql://a:b@h:3306/d",
                "jdbc:mysql://(hidden)@h:3306/d",
            ),
            ("redis://:pw@cache:6379/0", "redis://(hidden)@cache:6379/0"),
            ("https://u:p/4@host/", "https://(hidden)@host/"),
            ("amqp://u:p@ss@h", "amqp://(hidden)@h"),
            (
                "see https://u:p@h and ftp://a:b@c.",
                "see https://(hidden)@h and ftp://(hidden)@c.",
            ),
            (
                "https://x:y@proxy/https://a:b@h",
                "https://(hidden)@proxy/https://(hidden)@h",
            ),
            (
                "https://ghp_abcdef@github.com/x",
                "https://(hidden)@github.com/x",
            ),
            (
                "Server=db;User Id=sa;Password=pw;",
                "Server=db;User Id=sa;Password=(hidden);",
            ),
            (
                "host=db user=a password=pw",
                "host=db user=a password=(hidden)",
            ),
            (
                "AccountName=a;AccountKey=k==",
                "AccountName=a;AccountKey=(hidden)",
            ),
        ] {
            let hidden = without_logins(text);
            assert_eq!(hidden.as_deref(), Some(shown), "{text}");
            assert_eq!(without_logins(shown), None, "{shown}");
        }
        for text in [
            "",
            "https://host:8443/users/ann@example.org",
            "https://kv.example.net/secrets/a:1@2",
            "ssh://git@host/repository",
            "ldaps://[::1]:636/ou=a@b",
            "ann@example.org",
            "a://b",
            "cn=Ann,ou=people",
            "pwd policy = none",
        ] {
            assert_eq!(without_logins(text), None, "{text}");
        }
    }

    #[test]
    fn a_login_without_a_scheme_is_told_from_addresses() {
        for (text, shown) in [
            ("root:pw@localhost:3306", "(hidden)@localhost:3306"),
            ("app:p@ss@tcp(db:3306)/x", "(hidden)@tcp(db:3306)/x"),
        ] {
            assert_eq!(without_bare_login(text).as_deref(), Some(shown));
        }
        for text in [
            "",
            "ann@example.org",
            "SMTP:ann@example.org",
            "user:ann@example.org",
            "serviceAccount:bot@project.example.com",
            "https://host/a:b@c",
            "meet at: noon @ the desk",
            "12:30",
        ] {
            assert_eq!(without_bare_login(text), None, "{text}");
        }
    }
}
