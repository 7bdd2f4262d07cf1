//! Fields of files that are read line by line.

use crate::find::{Beside, Find, Named, Value};
use crate::keys;
use crate::places::{Form, Place};
use crate::words::{Says, says, stands, to_replace};
use lastkey_contract::password_in_url;
use std::collections::BTreeMap;

/// What the lines of a known file hold.
pub fn finds(place: Place, text: &str) -> Vec<Find> {
    match place.form {
        Form::Lines => named_values(place.word, text),
        Form::Netrc => netrc(place.word, text),
        Form::Pgpass => numbered(text)
            .filter_map(|(line, text)| pgpass(place.word, line, text))
            .collect(),
        Form::Addresses => numbered(text)
            .filter(|(_, text)| password_in_url(text).is_some_and(|word| !to_replace(&word)))
            .map(|(line, text)| Find::in_line(place.word, line, Value::new(text.as_bytes())))
            .collect(),
        Form::Whole => {
            let value = text.trim();
            let one = !value.contains(char::is_whitespace) && stands(Says::Secret, value);
            one.then(|| Find::in_line(place.word, 1, Value::new(value.as_bytes())))
                .into_iter()
                .collect()
        }
        Form::Authorized => numbered(text)
            .filter_map(|(line, text)| {
                let (print, comment) = keys::public(text)?;
                Some(Find {
                    rule: place.word,
                    field: None,
                    line: Some(line),
                    value: None,
                    named: Some(Named::Authorized { print, comment }),
                })
            })
            .collect(),
        Form::Json | Form::Yaml | Form::Store => Vec::new(),
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines().map(str::trim))
}

/// `name = value` and `name: value`, in sections.
fn named_values(word: &'static str, text: &str) -> Vec<Find> {
    let mut finds = Vec::new();
    let mut section = String::new();
    // The id of the access key of each section, so that its secret can be named.
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (line, text) in numbered(text) {
        if let Some(name) = text
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            section = name.trim().to_owned();
            continue;
        }
        let Some((name, value)) = assigned(text) else {
            continue;
        };
        let field = match section.as_str() {
            "" => name.to_owned(),
            section => format!("{section}.{name}"),
        };
        if name.to_ascii_lowercase().ends_with("aws_access_key_id") {
            ids.insert(section.clone(), value.to_owned());
        }
        if stands(says(name), value) {
            let value = Value::new(value.as_bytes());
            finds.push((
                section.clone(),
                Find::in_field(word, field, Some(line), value),
            ));
        }
    }
    let secret_of_aws = |find: &Find| {
        let field = find.field.as_deref().unwrap_or_default();
        field
            .to_ascii_lowercase()
            .ends_with("aws_secret_access_key")
    };
    finds
        .into_iter()
        .map(|(section, mut find)| {
            if let Some(id) = ids.get(&section).filter(|_| secret_of_aws(&find)) {
                find.named = Some(Named::AwsKey {
                    id: id.clone(),
                    secret: Beside::Secret,
                });
            }
            find
        })
        .collect()
}

/// The name and the value of a line; no signs around them.
pub fn assigned(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['#', ';', '*']) || text.starts_with("//") && !text.contains('=') {
        return None;
    }
    let (name, value) = text
        .split_once('=')
        .or_else(|| text.split_once(": "))
        .or_else(|| text.split_once(' '))?;
    // `export NAME`, `def name`, `"name"`
    let name = name.split_whitespace().next_back()?;
    let name = name.trim_matches(['"', '\'', ':', '(', ',']);
    let value = value.trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let rest = value.strip_prefix(quote)?;
        rest.split(quote).next()
    });
    let value = quoted.unwrap_or_else(|| {
        let end = value.find(" #").unwrap_or(value.len());
        value
            .get(..end)
            .unwrap_or(value)
            .trim_end_matches([' ', ',', ';'])
    });
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

/// The passwords of machines; words stand in any lines.
fn netrc(word: &'static str, text: &str) -> Vec<Find> {
    let mut finds = Vec::new();
    let (mut machine, mut wanted) = (String::new(), "");
    for (line, text) in numbered(text) {
        let comment = text.find('#').filter(|at| *at == 0);
        let text = text
            .get(..comment.unwrap_or(text.len()))
            .unwrap_or_default();
        for token in text.split_whitespace() {
            match (wanted, token) {
                ("machine", name) => machine = name.to_owned(),
                ("password", value) if stands(Says::Secret, value) => {
                    let field = format!("{machine}.password");
                    let value = Value::new(value.as_bytes());
                    finds.push(Find::in_field(word, field, Some(line), value));
                }
                (_, "default") => machine = "default".to_owned(),
                (_, _) => {}
            }
            wanted = match (wanted, token) {
                ("", "machine") => "machine",
                ("", "password") => "password",
                ("", "login" | "account" | "macdef") => "other",
                (_, _) => "",
            };
        }
    }
    finds
}

/// The password of a line; `\:` is no end of a field.
fn pgpass(word: &'static str, line: u64, text: &str) -> Option<Find> {
    if text.starts_with('#') {
        return None;
    }
    let (mut fields, mut escaped) = (vec![String::new()], false);
    for letter in text.chars() {
        match (letter, escaped) {
            ('\\', false) => {
                escaped = true;
                continue;
            }
            (':', false) if fields.len() < 5 => fields.push(String::new()),
            (letter, _) => fields.last_mut()?.push(letter),
        }
        escaped = false;
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    let good = stands(Says::Secret, &password);
    let field = format!("{user}@{host}:{port}/{database}");
    let value = Value::owned(password.into_bytes());
    good.then(|| Find::in_field(word, field, Some(line), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: Form, text: &str, says: &[(&str, &str)]) {
        let found = finds(Place { word: "test", form }, text);
        let found: Vec<(String, String)> = found
            .iter()
            .map(|find| {
                let value = find.value.as_ref().map_or(&b""[..], Value::bytes);
                (find.label(), String::from_utf8_lossy(value).into_owned())
            })
            .collect();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(l, v)| (l.as_str(), v.as_str()))
            .collect();
        assert_eq!(found, says, "{text}");
    }

    #[test]
    fn names_and_values() {
        check(
            Form::Lines,
            "# DB_PASSWORD=commented\nexport DB_PASSWORD=\"carrier pigeon\"\nUSER=ann\nAPI_TOKEN='t0k3n-value' # x\nEMPTY_TOKEN=\nREF_TOKEN=${OTHER}\nDSN_URL=mysql://a:tr0ub4dor@h/d",
            &[
                ("DB_PASSWORD", "carrier pigeon"),
                ("API_TOKEN", "t0k3n-value"),
                ("DSN_URL", "mysql://a:tr0ub4dor@h/d"),
            ],
        );
        check(
            Form::Lines,
            "[pypi]\nusername: ann\npassword: battery-staple\n[other]\npassword=horse-battery",
            &[
                ("pypi.password", "battery-staple"),
                ("other.password", "horse-battery"),
            ],
        );
        check(
            Form::Lines,
            "//npm.corp.example/:_authToken=abcdef0123\n//r/:_authToken=${NPM_TOKEN}\n; _authToken=no",
            &[("//npm.corp.example/:_authToken", "abcdef0123")],
        );
        check(
            Form::Lines,
            "pipeline {\n  environment {\n    DEPLOY_PASSWORD = 'correct-horse'\n    X = credentials('id')\n  }\n}",
            &[("DEPLOY_PASSWORD", "correct-horse")],
        );
    }

    #[test]
    fn an_aws_secret_is_named_by_its_profile() {
        let id = format!("AKIA{}", "Q3EGRZ7NFB5LMYXW");
        let text = format!(
            "[prod]\naws_secret_access_key = abcdefgh/1\n[dev]\naws_access_key_id = {id}\naws_secret_access_key = abcdefgh/2\n"
        );
        let place = Place {
            word: "aws-profile",
            form: Form::Lines,
        };
        let named: Vec<_> = finds(place, &text)
            .into_iter()
            .map(|find| find.named)
            .collect();
        let key = Named::AwsKey {
            id,
            secret: Beside::Secret,
        };
        assert_eq!(named, [None, Some(key)]);
    }

    #[test]
    fn other_lines() {
        check(
            Form::Netrc,
            "machine a.example\n  login ann\n  password pa55-word\nmachine b login x password y1234567 default password z1234567",
            &[
                ("a.example.password", "pa55-word"),
                ("b.password", "y1234567"),
                ("default.password", "z1234567"),
            ],
        );
        check(Form::Netrc, "machine password login x", &[]);
        check(
            Form::Pgpass,
            "# h:1:d:u:comment\ndb:5432:app:ann:p\\:a\\\\ss-word\n*:*:*:bob:*\nshort:1:2",
            &[("ann@db:5432/app", "p:a\\ss-word")],
        );
        check(
            Form::Addresses,
            "https://ann:gl-battery-staple@git.example\nhttps://git.example/x",
            &[("L1", "https://ann:gl-battery-staple@git.example")],
        );
        check(Form::Whole, "s.battery1234\n", &[("L1", "s.battery1234")]);
        check(Form::Whole, "two words\n", &[]);
        check(Form::Whole, "\n", &[]);
    }
}
