//! What a name says of its value, and whether a value is one.

use lastkey_contract::{may_be_secret, password_in_url};

/// What a field's name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// A secret stands under it.
    Secret,
    /// Perhaps: the value must look like one.
    Perhaps,
    Nothing,
}

/// Endings after which a name is that of something beside a secret.
const BESIDE: &[&str] = &[
    "id",
    "ids",
    "url",
    "uri",
    "file",
    "path",
    "dir",
    "name",
    "names",
    "expiry",
    "expires",
    "ttl",
    "type",
    "length",
    "len",
    "size",
    "at",
    "age",
    "version",
    "policy",
    "hint",
    "count",
    "limit",
    "enabled",
    "required",
    "public",
    "ref",
    "endpoint",
    "host",
    "port",
    "algorithm",
    "alg",
];

/// Names before `key` that make it no secret.
const OTHER_KEYS: &[&str] = &[
    "public",
    "primary",
    "foreign",
    "sort",
    "cache",
    "partition",
    "hot",
    "short",
    "pub",
    "map",
    "row",
    "column",
    "registry",
    "group",
    "object",
    "idempotency",
    "publishable",
];

/// What the last words of a name say: `DB_PASSWORD`, `client-key-data`, `apiKey`.
pub fn says(name: &str) -> Says {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    let before = words.len().checked_sub(2).and_then(|at| words.get(at));
    let before = before.map_or("", String::as_str);
    let whole: String = words.concat();
    if BESIDE.contains(&last) {
        return Says::Nothing;
    }
    let holds = |part: &str| whole.contains(part);
    let secret = [
        "password",
        "passwd",
        "passphrase",
        "secretkey",
        "clientsecret",
    ]
    .into_iter()
    .any(holds)
        || [
            "secret",
            "pwd",
            "pass",
            "token",
            "authtoken",
            "apikey",
            "credential",
            "credentials",
        ]
        .contains(&last)
        || holds("privatekey")
        || [
            "accesskey",
            "clientkeydata",
            "keypass",
            "storepass",
            "secretkeybase",
        ]
        .into_iter()
        .any(|end| whole.ends_with(end))
        || (last == "key"
            && ["api", "access", "secret", "private", "encryption"].contains(&before));
    if secret && !holds("publickey") {
        return Says::Secret;
    }
    let key = last == "key" && words.len() > 1 && !OTHER_KEYS.contains(&before);
    match key || ["auth", "dsn", "connectionstring", "webhook"].contains(&last) || holds("secret") {
        true => Says::Perhaps,
        false => Says::Nothing,
    }
}

/// The words of a name, small: split at signs and where small letters turn to capitals.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut small = false;
    let mut open = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            open = false;
            continue;
        }
        let turns = small && letter.is_uppercase();
        match words.last_mut() {
            Some(word) if open && !turns => word.extend(letter.to_lowercase()),
            _ => words.push(letter.to_lowercase().collect()),
        }
        open = true;
        small = letter.is_lowercase() || letter.is_numeric();
    }
    words
}

/// Shorter values are flags and counts.
const SHORTEST: usize = 5;
/// Longer ones are texts; a key in PEM is shorter.
const LONGEST: usize = 64 * 1024;

/// Whether a value under such a name is a secret that stands there, and no reference to another
/// place, and no word that somebody is to replace.
pub fn stands(says: Says, value: &str) -> bool {
    if let Some(password) = password_in_url(value) {
        return password.len() > 1 && !to_replace(&password) && !to_replace(value);
    }
    let long_enough = (SHORTEST..=LONGEST).contains(&value.len());
    let address = value.contains("://");
    let path = value.starts_with(['/', '~', '.']) && value.matches('/').count() > 1
        || value.ends_with(".pem")
        || value.ends_with(".key");
    long_enough
        && !address
        && !path
        && !to_replace(value)
        && match says {
            Says::Secret => true,
            Says::Perhaps => value.len() >= 12 && may_be_secret(value),
            Says::Nothing => false,
        }
}

/// Whether it refers to another place, or is a word that somebody is to replace.
pub fn to_replace(value: &str) -> bool {
    let small = value.trim().to_ascii_lowercase();
    let refers = [
        "${", "$(", "{{", "%(", "<%", "secrets.", "vault:", "op://", "arn:", "env.", "env(",
    ];
    let example = [
        "changeme",
        "change_me",
        "change-me",
        "example",
        "placeholder",
        "redacted",
        "your_",
        "your-",
        "yourpassword",
        "insert_",
        "xxxx",
        "****",
        "dummy",
        "replace_me",
        "replaceme",
        "todo",
    ];
    let words = [
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "token",
        "none",
        "null",
        "nil",
        "true",
        "false",
        "undefined",
        "string",
        "test",
        "user",
        "username",
        "default",
        "optional",
        "required",
        "write",
        "read",
        "inherit",
        "disabled",
        "enabled",
        "empty",
        "hidden",
    ];
    small.is_empty()
        || small.starts_with(['$', '<', '%', '{', '[', '*', '&', '@', '!'])
        || refers.iter().any(|word| small.contains(word))
        || example.iter().any(|word| small.contains(word))
        || words.contains(&small.as_str())
        || small.bytes().all(|byte| Some(byte) == small.bytes().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_promise_a_secret() {
        for name in [
            "DB_PASSWORD",
            "password",
            "_password",
            "aws_secret_access_key",
            "AWS_SESSION_TOKEN",
            "apiKey",
            "API_KEY",
            "clientSecret",
            "client-key-data",
            "_authToken",
            "DB_PASS",
            "token",
            "SECRET_KEY_BASE",
            "MYSQL_PWD",
            "privateKey",
            "storePassword",
        ] {
            assert_eq!(says(name), Says::Secret, "{name}");
        }
        for name in ["STRIPE_KEY", "_auth", "SENTRY_DSN", "signing_key"] {
            assert_eq!(says(name), Says::Perhaps, "{name}");
        }
        for name in [
            "aws_access_key_id",
            "TOKEN_URL",
            "PASSWORD_FILE",
            "SECRET_NAME",
            "PRIMARY_KEY",
            "key",
            "cache_key",
            "public_key",
            "token_expiry",
            "USER",
            "tokenizer",
            "passport",
            "author",
        ] {
            assert_eq!(says(name), Says::Nothing, "{name}");
        }
    }

    #[test]
    fn values_that_stand_there() {
        for value in [
            "hunter22",
            "correct horse",
            "Tr0ub4dor&3",
            "postgres://app:s3cret@db/x",
        ] {
            assert!(stands(Says::Secret, value), "{value}");
        }
        for value in [
            "",
            "abc",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "{{ vault_pw }}",
            "<password>",
            "changeme",
            "your-token-here",
            "xxxxxxxx",
            "aaaaaaaa",
            "password",
            "/run/secrets/db_password",
            "https://example.org/token",
            "postgres://app:${PW}@db/x",
            "postgres://app:password@db/x",
            "${{ secrets.TOKEN }}",
            "op://vault/item/field",
            "*hidden",
            "./keys/server.key",
        ] {
            assert!(!stands(Says::Secret, value), "{value}");
        }
        let token = ["9f86d081884c7d65", "9a2feaa0c55ad015"].concat();
        assert!(stands(Says::Perhaps, &token));
        assert!(!stands(Says::Perhaps, "npm-cache-of-main"));
        assert!(!stands(Says::Nothing, &token));
        assert!(stands(Says::Nothing, "amqp://u:carrier-pigeon@mq/"));
    }
}
