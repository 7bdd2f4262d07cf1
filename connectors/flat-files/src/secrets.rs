//! Which columns hold secret values, by their names: those are never read. And logins that stand in
//! the addresses of other columns: those are hidden.
//!
//! A name is taken apart at its signs and its changes of case. Its last word says what it is: a
//! `password_reset_token` is a token, a `token_count` is a count.

use crate::header::Header;
use crate::secret_words::{ABOUT, ASKS, ENDS, LAST, NAMES, PAIRS, STEMS, WORDS};
use crate::table::Cells;
use lastkey_contract::{Kind, without_bare_login, without_logins};

/// Whether a column is one of secret values, by its name.
pub fn holds_secrets(kind: Kind, name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let value_of_secret = match kind {
        Kind::Credential | Kind::Location => plain == "value",
        Kind::Identity
        | Kind::Account
        | Kind::Entitlement
        | Kind::Grant
        | Kind::Reader
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => false,
    };
    value_of_secret || NAMES.contains(&plain.as_str()) || tells_one(&words(name))
}

/// The words of a name, in small letters and without numbers: `ntHash_2` is `nt` and `hash`.
fn words(name: &str) -> Vec<String> {
    let signs: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in signs.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| signs.get(at));
        let small_before = before.is_some_and(|c| c.is_lowercase());
        // In `DBPassword` the last capital begins a word.
        let ends_capitals = before.is_some_and(|c| c.is_uppercase())
            && signs.get(at + 1).is_some_and(|c| c.is_lowercase());
        let begins = c.is_uppercase() && (small_before || ends_capitals);
        if begins || !c.is_alphabetic() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphabetic(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the words of a name say that it is a secret.
fn tells_one(words: &[String]) -> bool {
    let Some((last, before_last)) = words.split_last() else {
        return false;
    };
    let alone = words.iter().position(|word| is_secret(word));
    let pair = words.windows(2).position(|two| match two {
        [one, two] => PAIRS
            .iter()
            .any(|(first, second)| first.contains(&one.as_str()) && second.contains(&two.as_str())),
        _ => false,
    });
    let at_end = LAST.contains(&last.as_str()).then_some(before_last.len());
    let first = alone.into_iter().chain(pair).chain(at_end).min();
    first.is_some_and(|first| {
        let asks = words
            .iter()
            .take(first)
            .any(|word| ASKS.contains(&word.as_str()));
        let about = first < before_last.len() && ABOUT.contains(&last.as_str());
        !asks && !about
    })
}

/// Whether a word is one of a secret, alone or with other words that nothing parts from it.
fn is_secret(word: &str) -> bool {
    let joined = STEMS.iter().find_map(|stem| word.split_once(stem));
    let told_by_stem = joined.is_some_and(|(before, after)| match (before, after) {
        (before, "" | "s") => !ASKS
            .iter()
            .any(|asks| before == *asks || asks.len() > 3 && before.ends_with(asks)),
        (_, after) => !ABOUT.iter().any(|about| after.ends_with(about)),
    });
    told_by_stem || WORDS.contains(&word) || ENDS.iter().any(|end| word.ends_with(end))
}

/// The cells with the logins of their addresses hidden, and which cells had one; None where there
/// is nothing to hide.
pub fn without_logins_in(header: &Header, cells: &Cells) -> Option<(Cells, Vec<usize>)> {
    let text = cells.text();
    if !text.contains(['=', '@']) {
        return None;
    }
    let kept = |at: usize| header.unknown.iter().any(|(of, _)| *of == at);
    let shown: Vec<Option<String>> = cells
        .iter()
        .enumerate()
        .map(|(at, cell)| {
            let bare = || without_bare_login(cell).filter(|_| kept(at));
            without_logins(cell).or_else(bare)
        })
        .collect();
    let hidden = shown.iter().enumerate();
    let hidden: Vec<usize> = hidden
        .filter_map(|(at, one)| one.as_ref().map(|_| at))
        .collect();
    let all = shown.iter().zip(cells.iter());
    let all: Vec<&str> = all
        .map(|(one, cell)| one.as_deref().unwrap_or(cell))
        .collect();
    (!hidden.is_empty()).then(|| (Cells::of(&all), hidden))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::columns;

    #[test]
    fn columns_of_secret_values_are_known_by_their_names() {
        for name in [
            "unicodePwd",
            "Passwort",
            "KENNWORT",
            "mot_de_passe",
            "Mot de passe",
            "contraseña",
            "Contraseña",
            "Contrasen\u{303}a",
            "ms-Mcs-AdmPwd",
            "msDS-ManagedPassword",
            "msLAPS-EncryptedPassword",
            "Client Secret",
            "unixUserPassword",
            "unixuserpassword",
            "userPassword;binary",
            "nt_hash",
            "ntHash",
            "lmHash",
            "NTLM hash",
            "hash",
            "password_hash",
            "pwdHistory",
            "otp_seed",
            "TOTP",
            "pin",
            "PIN code",
            "recovery_code",
            "recoveryCodes",
            "backup-codes",
            "session_token",
            "sessiontoken",
            "password_reset_token",
            "password_reset_link",
            "id_token",
            "tokenValue",
            "cookie",
            "sessionCookie",
            "bearer",
            "auth",
            "Authorization",
            "dsn",
            "DB_DSN",
            "connection string",
            "DBPassword",
            "db.password.prod",
            "db_pass",
            "password2",
            "last_password",
            "one_time_password",
            "github_api_key",
            "private-key",
            "recovery_key",
            "security answer",
            "seed_phrase",
            "tags.password",
            "initialPasswords",
        ] {
            assert!(holds_secrets(Kind::Account, name), "{name}");
        }
        for name in [
            "pwdLastSet",
            "pwdlastset",
            "PasswordLastSet",
            "password_last_set",
            "passwordLastChanged",
            "password_last_set (UTC)",
            "ms-Mcs-AdmPwdExpirationTime",
            "msDS-UserPasswordExpiryTimeComputed",
            "password_policy",
            "passwordPolicies",
            "password_enabled",
            "password_next_rotation",
            "PasswordNeverExpires",
            "PasswordNotRequired",
            "CannotChangePassword",
            "must_change_password",
            "mustchangepassword",
            "badPwdCount",
            "badPasswordTime",
            "minPwdLength",
            "pwdChangedTime",
            "pwdAccountLockedTime",
            "USBD_NOPWD",
            "USBD_PWD_INTERVAL",
            "has_password",
            "Kennwort geändert am",
            "token_count",
            "token_type",
            "token_expires_at",
            "secret_id",
            "client_secret_name",
            "secretManagement.status",
            "secretType",
            "Secretary",
            "private_key_id",
            "api_key_last_used",
            "hash_of_record",
            "file_hash",
            "country_code",
            "cost code",
            "public_key",
            "shipping",
            "auth_method",
            "Authentication",
            "otp_enabled",
            "passport_number",
            "bypass",
            "seeded",
            "session_id",
            "value",
            "id",
            "",
        ] {
            assert!(!holds_secrets(Kind::Account, name), "{name}");
        }
        assert!(holds_secrets(Kind::Credential, "value"));
    }

    #[test]
    fn no_column_of_ours_is_taken_for_one_of_secret_values() {
        for kind in Kind::ALL {
            for column in columns(kind) {
                assert!(!holds_secrets(kind, column.name), "{}", column.name);
            }
        }
    }

    #[test]
    fn a_name_is_taken_apart_at_its_signs_and_changes_of_case() {
        for (name, expected) in [
            ("unixUserPassword", &["unix", "user", "password"][..]),
            ("DBPassword_2", &["db", "password"]),
            ("USBD_NOPWD", &["usbd", "nopwd"]),
            ("ms-Mcs-AdmPwd", &["ms", "mcs", "adm", "pwd"]),
            ("", &[]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }
}
