//! The least rights as a text for the server's own administrator.

use crate::settings::DESCRIPTOR;
use lastkey_contract::{Script, Settings};

/// The ready script for the login of the settings; it holds no secret.
pub fn scripts(settings: &Settings) -> Vec<Script> {
    let login = match settings.or_default("username", &DESCRIPTOR) {
        empty if empty.is_empty() => "lastkey".to_owned(),
        name => name,
    };
    let database = settings.or_default("database", &DESCRIPTOR);
    let (login, database) = (quoted(&login), quoted(&database));
    let text = format!(
        "-- A login that may read who is there, and nothing else.\n\
         CREATE ROLE {login} LOGIN CONNECTION LIMIT 5;\n\
         ALTER ROLE {login} SET default_transaction_read_only = on;\n\
         GRANT CONNECT ON DATABASE {database} TO {login};\n\
         GRANT pg_read_all_stats TO {login};\n\
         -- then give it a password that no log keeps: \\password {login}\n"
    );
    vec![Script {
        title: "Least rights for reading".to_owned(),
        usage: "run with psql as an administrator".to_owned(),
        file_name: "lastkey-reader.sql".to_owned(),
        text,
    }]
}

/// A name as SQL takes it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let mut settings = Settings::default();
        settings
            .0
            .insert("username".to_owned(), "a\"; DROP TABLE x; --".to_owned());
        let text = &scripts(&settings)[0].text;
        assert!(text.contains("\"a\"\"; DROP TABLE x; --\""), "{text}");
        assert!(text.contains("GRANT pg_read_all_stats"), "{text}");
    }
}
