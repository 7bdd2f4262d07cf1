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
    let more = format!(
        "-- When a role was changed at the latest: its password is no younger. No hash is told by this.\n\
         -- It wants track_commit_timestamp = on in postgresql.conf, and counts from its switching on.\n\
         GRANT SELECT (oid, xmin) ON pg_catalog.pg_authid TO {login};\n\
         -- Which rules of pg_hba.conf let people in without a password, for the check.\n\
         GRANT SELECT ON pg_catalog.pg_hba_file_rules TO {login};\n\
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO {login};\n"
    );
    vec![
        Script {
            title: "Least rights for reading".to_owned(),
            usage: "run with psql as an administrator".to_owned(),
            file_name: "lastkey-reader.sql".to_owned(),
            text,
        },
        Script {
            title: "As you like: ages of passwords, and rules of pg_hba.conf".to_owned(),
            usage: "run with psql as an administrator, in the database that is read".to_owned(),
            file_name: "lastkey-reader-more.sql".to_owned(),
            text: more,
        },
    ]
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
