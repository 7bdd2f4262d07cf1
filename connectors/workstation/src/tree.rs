//! Fields of files that are trees: JSON and YAML. The words of their parsers could quote a value, so
//! they are never repeated; texts are wiped once they were looked at.

use crate::find::{Find, Named, Value};
use crate::places::{Form, Place};
use crate::words::{Says, says, stands};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What stopped a file from being read by its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnderstood;

/// What the fields of a known file hold; also what was found before it was no longer understood.
pub fn finds(place: Place, text: &str) -> (Vec<Find>, Option<NotUnderstood>) {
    let mut sink = Sink {
        place,
        finds: Vec::new(),
        names: BTreeMap::new(),
        random: BTreeMap::new(),
    };
    let understood = match place.form {
        // A kubeconfig may be JSON, which is YAML as well.
        Form::Yaml => yaml(text, &mut sink),
        Form::Json => json(text, &mut sink),
        Form::Lines
        | Form::Netrc
        | Form::Pgpass
        | Form::Addresses
        | Form::Whole
        | Form::Store
        | Form::Authorized => Ok(()),
    };
    (sink.named(), understood.err())
}

/// Where the leaves of a tree end.
struct Sink {
    place: Place,
    finds: Vec<(Vec<String>, Find)>,
    /// Names of the users of a kubeconfig, by their place in the list.
    names: BTreeMap<String, String>,
    /// Resources of a Terraform state whose result is a password, by their place in the list.
    random: BTreeMap<String, bool>,
}

impl Sink {
    fn leaf(&mut self, path: &[String], line: Option<u64>, value: &str) {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        match (self.place.word, parts.as_slice()) {
            ("kubeconfig", ["users", at, "name"]) => {
                self.names.insert((*at).to_owned(), value.to_owned());
            }
            ("terraform-state", ["resources", at, "type"]) => {
                let random = value.starts_with("random_password");
                self.random.insert((*at).to_owned(), random);
            }
            (_, _) => {}
        }
        // A list of `NAME=value` says the name itself.
        let in_list = parts.last().is_some_and(|part| is_number(part));
        let pair = value.split_once('=').filter(|(name, _)| {
            in_list && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        let (field, promises, value) = match pair {
            Some((name, value)) => (format!("{}.{name}", path.join(".")), says(name), value),
            None => (path.join("."), self.promises(&parts), value),
        };
        if !stands(promises, value) {
            return;
        }
        let word = self.place.word;
        if word == "docker-config" && parts.last() == Some(&"auth") {
            let password = password_of(value);
            if let Some(password) = password {
                let field = format!("{field}:password");
                let find = Find::in_field(word, field, line, password);
                self.finds.push((path.to_vec(), find));
            }
        }
        let find = Find::in_field(word, field, line, Value::new(value.as_bytes()));
        self.finds.push((path.to_vec(), find));
    }

    /// What the name of a leaf promises: its own, or that of the object whose value it is.
    fn promises(&self, parts: &[&str]) -> Says {
        let own = parts
            .iter()
            .rev()
            .find(|part| !is_number(part) && !["value", "default"].contains(part));
        let own = own.copied().unwrap_or_default();
        match (self.place.word, parts) {
            ("docker-config", ["auths", .., "auth"]) => Says::Secret,
            ("docker-config", _) if own.ends_with("token") => Says::Secret,
            ("terraform-state", ["resources", at, "instances", .., "result" | "bcrypt_hash"])
                if self.random.get(*at) == Some(&true) =>
            {
                Says::Secret
            }
            (_, _) => says(own),
        }
    }

    /// The finds, those of a kubeconfig with the user whose they are.
    fn named(self) -> Vec<Find> {
        let names = self.names;
        self.finds
            .into_iter()
            .map(|(path, mut find)| {
                if let [top, at, ..] = path.as_slice()
                    && top == "users"
                    && let Some(name) = names.get(at)
                {
                    find.named = Some(Named::KubeUser { name: name.clone() });
                }
                find
            })
            .collect()
    }
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The password of `user:password` behind base64.
fn password_of(auth: &str) -> Option<Value> {
    let mut plain = Zeroizing::new(vec![0; auth.len()]);
    let count = STANDARD.decode_slice(auth, plain.as_mut_slice()).ok()?;
    let plain = plain.get(..count)?;
    let at = memchr::memchr(b':', plain)?;
    plain
        .get(at + 1..)
        .filter(|rest| !rest.is_empty())
        .map(Value::new)
}

/// The id and the mail of a service account, where a file is the key of one.
pub fn google_key(text: &[u8]) -> Option<Named> {
    #[derive(Deserialize)]
    struct Key {
        #[serde(rename = "type")]
        kind: String,
        private_key_id: String,
        client_email: String,
    }
    memchr::memmem::find(text, b"private_key_id")?;
    let key: Key = serde_json::from_slice(text).ok()?;
    (key.kind == "service_account").then_some(Named::GoogleKey {
        id: key.private_key_id,
        mail: key.client_email,
    })
}

fn yaml(text: &str, sink: &mut Sink) -> Result<(), NotUnderstood> {
    lastkey_yaml::leaves(text, |path, line, value| sink.leaf(path, line, value))
        .map_err(|lastkey_yaml::NotUnderstood| NotUnderstood)
}

fn json(text: &str, sink: &mut Sink) -> Result<(), NotUnderstood> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let node = Node {
        sink,
        path: &mut Vec::new(),
    };
    node.deserialize(&mut parser).map_err(|_| NotUnderstood)
}

/// A value of a JSON tree.
struct Node<'a> {
    sink: &'a mut Sink,
    path: &'a mut Vec<String>,
}

impl Node<'_> {
    fn below(&mut self, part: String) -> Node<'_> {
        self.path.push(part);
        Node {
            sink: self.sink,
            path: self.path,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.sink.leaf(self.path, None, value);
        Ok(())
    }
    fn visit_string<E>(self, value: String) -> Result<(), E> {
        let value = Zeroizing::new(value);
        self.sink.leaf(self.path, None, &value);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(self.below(key))?;
            self.path.pop();
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for at in 0usize.. {
            let more = seq.next_element_seed(self.below(at.to_string()))?;
            self.path.pop();
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &'static str, form: Form, text: &str, says: &[(&str, &str)]) -> Vec<Find> {
        let (found, problem) = finds(Place { word, form }, text);
        assert_eq!(problem, None, "{text}");
        let shown: Vec<(String, String)> = found
            .iter()
            .map(|find| {
                let value = find.value.as_ref().map_or(&b""[..], Value::bytes);
                (find.label(), String::from_utf8_lossy(value).into_owned())
            })
            .collect();
        let shown: Vec<(&str, &str)> = shown
            .iter()
            .map(|(l, v)| (l.as_str(), v.as_str()))
            .collect();
        assert_eq!(shown, says, "{text}");
        found
    }

    #[test]
    fn a_docker_login_is_also_its_password() {
        let auth = STANDARD.encode("ann:correct-horse");
        check(
            "docker-config",
            Form::Json,
            &format!(
                r#"{{"auths":{{"r.example":{{"auth":"{auth}"}},"s":{{}}}},"credsStore":"x"}}"#
            ),
            &[
                ("auths.r.example.auth:password", "correct-horse"),
                ("auths.r.example.auth", &auth),
            ],
        );
    }

    #[test]
    fn users_of_a_kubeconfig_are_named() {
        let text = "apiVersion: v1\nclusters:\n- name: c\n  cluster: {server: https://h}\nusers:\n- user:\n    token: battery-staple\n  name: ann\n- name: bob\n  user:\n    client-key-data: Y29ycmVjdC1ob3JzZQ==\n    client-certificate-data: Y2VydA==\n- name: eve\n  user: {exec: {command: aws}}\n";
        let found = check(
            "kubeconfig",
            Form::Yaml,
            text,
            &[
                ("users.0.user.token", "battery-staple"),
                ("users.1.user.client-key-data", "Y29ycmVjdC1ob3JzZQ=="),
            ],
        );
        let names: Vec<_> = found.into_iter().map(|find| find.named.unwrap()).collect();
        let user = |name: &str| Named::KubeUser {
            name: name.to_owned(),
        };
        assert_eq!(names, [user("ann"), user("bob")]);
        let as_json = r#"{"users":[{"name":"ann","user":{"token":"battery-staple"}}]}"#;
        check(
            "kubeconfig",
            Form::Yaml,
            as_json,
            &[("users.0.user.token", "battery-staple")],
        );
    }

    #[test]
    fn a_terraform_state_holds_passwords_and_outputs() {
        let text = r#"{"outputs":{"db_password":{"value":"carrier-pigeon","type":"string"},"name":{"value":"x"}},
            "resources":[{"type":"random_password","instances":[{"attributes":{"result":"tr0ub4dor","length":9}}]},
                         {"type":"random_id","instances":[{"attributes":{"result":"no-secret","token":null}}]}]}"#;
        check(
            "terraform-state",
            Form::Json,
            text,
            &[
                ("outputs.db_password.value", "carrier-pigeon"),
                ("resources.0.instances.0.attributes.result", "tr0ub4dor"),
            ],
        );
    }

    #[test]
    fn ci_files_hold_literals_and_references() {
        let text = "variables:\n  DEPLOY_TOKEN: horse-battery-1\n  OTHER_TOKEN: $CI_TOKEN\njob:\n  script: [echo hi]\nservices:\n  environment:\n    - DB_PASSWORD=carrier-pigeon\n    - NAME=x\n  with:\n    token: ${{ secrets.T }}\n";
        let found = check(
            "ci-file",
            Form::Yaml,
            text,
            &[
                ("variables.DEPLOY_TOKEN", "horse-battery-1"),
                ("services.environment.0.DB_PASSWORD", "carrier-pigeon"),
            ],
        );
        assert_eq!(found[0].line, Some(2));
    }

    #[test]
    fn trees_that_are_none_or_too_deep_are_not_understood() {
        for (form, text) in [
            (Form::Json, "{\"password\": \"carrier-pigeon\""),
            (Form::Yaml, "a: [b\nc: }"),
        ] {
            let (_, problem) = finds(Place { word: "test", form }, text);
            assert_eq!(problem, Some(NotUnderstood), "{text}");
        }
        for (form, text) in [
            (Form::Json, "[".repeat(100_000)),
            (Form::Yaml, "[".repeat(100_000)),
            (Form::Yaml, "- ".repeat(100_000)),
        ] {
            let (_, problem) = finds(Place { word: "test", form }, &text);
            assert_eq!(problem, Some(NotUnderstood));
        }
        // Aliases of aliases stay as short as they are written.
        let laughs = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\npassword: carrier-pigeon\n";
        check(
            "test",
            Form::Yaml,
            laughs,
            &[("password", "carrier-pigeon")],
        );
    }

    #[test]
    fn a_service_account_is_named_by_its_key() {
        let text = br#"{"type":"service_account","private_key_id":"k1","private_key":"x","client_email":"a@p.example"}"#;
        let named = Named::GoogleKey {
            id: "k1".to_owned(),
            mail: "a@p.example".to_owned(),
        };
        assert_eq!(google_key(text), Some(named));
        assert_eq!(
            google_key(br#"{"type":"authorized_user","private_key_id":"k","client_email":"x"}"#),
            None
        );
        assert_eq!(google_key(b"private_key_id"), None);
    }
}
