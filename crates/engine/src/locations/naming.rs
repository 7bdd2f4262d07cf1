//! What a name says of a secret: evidence for a suspicion, never more.
//!
//! A name is taken apart into words. Words for the sort of a secret (password, token, key) are set
//! aside, and what is left must hold at least one word that is not on the list of general ones.
//! Two names fit where the rest is equal and both say the same sort; where one of them says no sort,
//! the rest must be two words or more.

/// How many unequal secrets may share a name before it tells nothing.
pub(super) const COMMON: usize = 8;

/// The word that stands for a sort, and its other writings.
const SORTS: [(&str, &[&str]); 6] = [
    (
        "password",
        &["password", "passwd", "passphrase", "pwd", "pass", "pw"],
    ),
    ("token", &["token", "pat", "jwt", "bearer"]),
    ("key", &["key", "keys", "apikey", "accesskey"]),
    ("certificate", &["certificate", "cert", "crt"]),
    (
        "credential",
        &["credential", "credentials", "creds", "cred"],
    ),
    ("secret", &["secret", "secrets"]),
];

/// Words that every estate is full of: alone they name nothing.
const GENERAL: [&str; 62] = [
    "access",
    "account",
    "admin",
    "api",
    "app",
    "apps",
    "application",
    "auth",
    "aws",
    "base64",
    "bot",
    "ca",
    "ci",
    "client",
    "cloud",
    "common",
    "conf",
    "config",
    "data",
    "default",
    "dev",
    "development",
    "docker",
    "env",
    "file",
    "git",
    "github",
    "global",
    "http",
    "https",
    "id",
    "json",
    "kv",
    "local",
    "login",
    "main",
    "master",
    "my",
    "new",
    "old",
    "opaque",
    "private",
    "prod",
    "production",
    "public",
    "registry",
    "root",
    "rsa",
    "server",
    "service",
    "settings",
    "shared",
    "ssh",
    "ssl",
    "stage",
    "staging",
    "system",
    "test",
    "tls",
    "url",
    "user",
    "yaml",
];

/// Words that only join others.
const BETWEEN: [&str; 5] = ["and", "for", "in", "of", "the"];

/// Whose last word says that what stands there is no secret.
const NO_SECRET: [&str; 22] = [
    "address", "bucket", "database", "dbname", "domain", "email", "endpoint", "enabled", "host",
    "hostname", "issuer", "level", "mail", "mode", "name", "path", "port", "region", "uri", "url",
    "user", "username",
];

/// A name as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    /// The words that are left, one blank between them.
    pub rest: String,
    pub sort: Option<&'static str>,
    pub words: usize,
}

impl Name {
    /// None where it names nothing: only general words, or no secret at all.
    pub fn of(parts: &[&str]) -> Option<Name> {
        let words = parts.iter().flat_map(|part| words(part));
        let words: Vec<String> = words
            .filter(|word| !BETWEEN.contains(&word.as_str()))
            .collect();
        let last = words.last()?;
        if NO_SECRET.contains(&last.as_str()) {
            return None;
        }
        let mut sort = None;
        let mut rest: Vec<&str> = Vec::new();
        for word in &words {
            match sort_of(word) {
                Some(one) => sort = Some(one),
                None => rest.push(word),
            }
        }
        let tells = |word: &&&str| {
            let letters = word.chars().filter(|c| c.is_alphabetic()).count();
            letters >= 2 && !GENERAL.contains(*word)
        };
        rest.iter().find(tells)?;
        Some(Name {
            words: rest.len(),
            rest: rest.join(" "),
            sort,
        })
    }

    pub fn fits(&self, other: &Name) -> bool {
        self.rest == other.rest
            && match (self.sort, other.sort) {
                (Some(one), Some(two)) => one == two,
                (None, _) | (_, None) => self.words >= 2,
            }
    }
}

fn sort_of(word: &str) -> Option<&'static str> {
    SORTS
        .iter()
        .find(|(_, all)| all.contains(&word))
        .map(|(sort, _)| *sort)
}

/// The words of a text in lower case; `dbPassword`, `DB_PASSWORD` and `db-password` have the same.
fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in text.chars() {
        let turns = lower_before && c.is_uppercase();
        if (turns || !c.is_alphanumeric()) && !word.is_empty() {
            all.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &[&str], other: &[&str], fit: bool) {
        let (a, b) = (Name::of(one), Name::of(other));
        let fits = a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a.fits(b));
        assert_eq!(fits, fit, "{one:?} {a:?} and {other:?} {b:?}");
    }

    #[test]
    fn writings_of_one_name_fit() {
        check(&["PAYMENTS_DB_PASSWORD"], &["payments-db-password"], true);
        check(&["paymentsDbPassword"], &["payments.db.pwd"], true);
        check(&["DB_PASSWORD"], &["db-password"], true);
        check(
            &["payments", "db", "password"],
            &["PAYMENTS_DB_PASSWORD"],
            true,
        );
        // A path without a field says no sort: two words of it are enough, one is not.
        check(&["payments", "db"], &["PAYMENTS_DB_PASSWORD"], true);
        check(&["db"], &["DB_PASSWORD"], false);
        check(&["password of payments"], &["PAYMENTS_PASSWORD"], true);
        check(&["stripe", "credentials"], &["STRIPE_CREDS"], true);
    }

    #[test]
    fn general_words_join_no_strangers() {
        for name in [
            "password",
            "TOKEN",
            "config",
            "api_key",
            "secret",
            "tls.key",
            "tls.crt",
            "AWS_ACCESS_KEY",
            "client-secret",
            "id_rsa",
            "data",
            "prod",
            "APP_SECRET_KEY",
            ".env",
            "42",
            "",
        ] {
            assert_eq!(Name::of(&[name]), None, "{name}");
        }
        check(&["default", "password"], &["default", "password"], false);
    }

    #[test]
    fn other_sorts_and_what_is_no_secret_do_not_fit() {
        check(&["PAYMENTS_DB_PASSWORD"], &["PAYMENTS_DB_TOKEN"], false);
        check(&["PAYMENTS_DB_PASSWORD"], &["PAYMENTS_DB_USER"], false);
        check(&["PAYMENTS_DB_USER"], &["PAYMENTS_DB_USER"], false);
        check(
            &["PAYMENTS_DB_PASSWORD"],
            &["PAYMENTS_DB_PASSWORD_DEV"],
            false,
        );
        check(&["BILLING_DB_PASSWORD"], &["PAYMENTS_DB_PASSWORD"], false);
    }
}
