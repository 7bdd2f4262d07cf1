//! A small vault full of secrets, and three logins that may read the names of them.

use crate::hunt::Canary;
use crate::labs::OpenBao;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// How somebody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    AppRole,
    UserPass,
    Token,
}

impl Login {
    pub const ALL: [Login; 3] = [Login::AppRole, Login::UserPass, Login::Token];

    /// The word of the setting `auth`.
    pub fn word(self) -> &'static str {
        match self {
            Login::AppRole => "approle",
            Login::UserPass => "userpass",
            Login::Token => "token",
        }
    }
}

/// Of the user that reads; with everything that some writing must escape.
const PASSWORD: &str = "canary <\"r\u{e9}ader\"> & 5%/1";
const VALUES: [(&str, &str); 5] = [
    ("a value", "canary-value-7f3a9c"),
    ("a password in an address", "canary-in-url-55e1d2"),
    ("an older version of a value", "canary-older-3c19e0"),
    (
        "a value of a store of the first version",
        "canary-first-b2c4d6",
    ),
    ("a person's password", "canary-of-ann-0c4411"),
];

/// The vault, and what opens it.
pub struct Safe {
    pub lab: OpenBao,
    role_id: String,
    secret_id: String,
    token: String,
    values_token: String,
}

impl Safe {
    /// A filled vault, or the word that `case` did not run because the machine has no server.
    pub fn start_or_not_run(case: &str) -> Option<Safe> {
        let lab = OpenBao::start_or_not_run(case)?;
        fill(&lab);
        let settings = BTreeMap::from([
            ("address".to_owned(), lab.url()),
            ("system".to_owned(), "corp-vault".to_owned()),
            ("role_id".to_owned(), "not-yet".to_owned()),
        ]);
        let scripts = lastkey_vault::scripts(&lastkey_contract::Settings(settings));
        let text = |name: &str| {
            let script = scripts.iter().find(|s| s.file_name == name);
            script.expect("the connector's script").text.clone()
        };
        // The commented lines are those of stores of the first version.
        let values = text("lastkey-values.hcl")
            .replace("# path", "path")
            .replace("#   cap", "  cap")
            .replace("# }", "}");
        for (name, policy) in [
            ("lastkey-reader", text("lastkey-reader.hcl")),
            ("lastkey-values", values),
        ] {
            let path = format!("sys/policies/acl/{name}");
            lab.root("PUT", &path, json!({ "policy": policy }));
        }
        let role = json!({ "token_policies": "lastkey-reader", "token_no_default_policy": true, "token_type": "batch" });
        lab.write("auth/approle/role/lastkey-reader", role);
        let role_id = lab.root("GET", "auth/approle/role/lastkey-reader/role-id", json!({}));
        let secret_id = lab.write("auth/approle/role/lastkey-reader/secret-id", json!({}));
        let user = json!({ "password": PASSWORD, "token_policies": "lastkey-reader", "token_no_default_policy": true });
        lab.write("auth/userpass/users/lastkey", user);
        let token = |policy: &str| {
            let body = json!({ "policies": [policy], "no_default_policy": true, "ttl": "12h" });
            let made = lab.write("auth/token/create-orphan", body);
            told(&made, "/auth/client_token")
        };
        let (token, values_token) = (token("lastkey-reader"), token("lastkey-values"));
        Some(Safe {
            role_id: told(&role_id, "/data/role_id"),
            secret_id: told(&secret_id, "/data/secret_id"),
            token,
            values_token,
            lab,
        })
    }

    /// The settings of a source that signs in so.
    pub fn settings(&self, login: Login) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("address", self.lab.url()),
            ("system", format!("vault-{}", login.word())),
            ("ca_file", shown(&self.lab.ca_path())),
            ("auth", login.word().to_owned()),
        ];
        match login {
            Login::AppRole => settings.push(("role_id", self.role_id.clone())),
            Login::UserPass => settings.push(("username", "lastkey".to_owned())),
            Login::Token => {}
        }
        settings
    }

    /// What the source signs in with.
    pub fn secret(&self, login: Login) -> &str {
        match login {
            Login::AppRole => &self.secret_id,
            Login::UserPass => PASSWORD,
            Login::Token => &self.token,
        }
    }

    /// A token that may read values, for fingerprints.
    pub fn values_token(&self) -> &str {
        &self.values_token
    }

    /// Everything that must be found nowhere.
    pub fn canaries(&self) -> Vec<Canary> {
        let logins = Login::ALL.map(|login| (login.word(), self.secret(login)));
        let others = [
            ("the token that reads values", self.values_token()),
            ("the root token", self.lab.root_token()),
        ];
        let all = VALUES.into_iter().chain(logins).chain(others);
        all.map(|(what, value)| Canary::new(what, value)).collect()
    }
}

/// What is in it, by names that the readers may see: `secret/db/prod` and `old/mail`.
fn fill(lab: &OpenBao) {
    for (path, version) in [("secret", "2"), ("old", "1")] {
        let store = json!({ "type": "kv", "options": { "version": version } });
        lab.write(&format!("sys/mounts/{path}"), store);
    }
    for method in ["userpass", "approle"] {
        lab.write(&format!("sys/auth/{method}"), json!({ "type": method }));
    }
    // A store of the second version upgrades itself in its first seconds.
    let begun = Instant::now();
    let up = || lab.ask(lab.root_token(), "", "GET", "secret/config", &Value::Null);
    while up().status >= 300 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the store comes up"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let [(_, value), (_, in_url), (_, older), (_, first), (_, of_ann)] = VALUES;
    for password in [older, value] {
        let data =
            json!({ "password": password, "url": format!("postgres://app:{in_url}@db/prod") });
        lab.write("secret/data/db/prod", json!({ "data": data }));
    }
    lab.write("secret/data/copy", json!({ "data": { "again": value } }));
    lab.write("old/mail", json!({ "password": first }));
    lab.root(
        "PUT",
        "sys/policies/acl/db",
        json!({ "policy": "path \"secret/data/db/*\" { capabilities = [\"read\"] }" }),
    );
    lab.write(
        "auth/userpass/users/ann",
        json!({ "password": of_ann, "token_policies": "db" }),
    );
    lab.write("auth/userpass/login/ann", json!({ "password": of_ann }));
}

fn told(answer: &Value, at: &str) -> String {
    let text = answer.pointer(at).and_then(Value::as_str);
    text.expect("the vault tells it").to_owned()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
