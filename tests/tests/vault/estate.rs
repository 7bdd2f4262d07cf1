//! A small company in a vault: people, machines, groups, policies, secrets.

use lastkey_conformance::read_to_end;
use lastkey_contract::{
    Connector, ConnectorError, Fact, Kind, Note, NoteKind, Page, Secret, Settings,
};
use lastkey_tests::labs::OpenBao;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A server of the case's own.
pub fn lab(case: &str) -> Option<OpenBao> {
    OpenBao::start_or_not_run(case)
}

/// Values that must be found nowhere.
pub const CANARIES: [&str; 4] = [
    "canary-plain-7f3a9c",
    "canary-url-55e1d2",
    "canary-base64-a81b0c",
    "canary-one-b2c4d6",
];

/// A vault with the company in it, and a login with the least rights.
pub struct Estate {
    pub lab: OpenBao,
    pub role_id: String,
    pub secret_id: String,
    pub ann: String,
    pub bob: String,
    pub ops: String,
    pub staff: String,
    pub lone_accessor: String,
}

/// The estate that cases share that change nothing in it.
pub fn shared(case: &str) -> Option<&'static Estate> {
    static ESTATE: OnceLock<Option<Estate>> = OnceLock::new();
    let estate = ESTATE.get_or_init(|| lab(case).map(Estate::found)).as_ref();
    if estate.is_none() {
        lastkey_tests::labs::not_run("openbao", case, "the server is not on this machine");
    }
    estate
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("a text in {value}"))
        .to_owned()
}

impl Estate {
    pub fn found(lab: OpenBao) -> Estate {
        lab.write(
            "sys/mounts/secret",
            json!({ "type": "kv", "options": { "version": "2" } }),
        );
        lab.write(
            "sys/mounts/team/old",
            json!({ "type": "kv", "options": { "version": "1" } }),
        );
        lab.write("sys/auth/userpass", json!({ "type": "userpass" }));
        lab.write("sys/auth/approle", json!({ "type": "approle" }));
        lab.write("sys/auth/jwt", json!({ "type": "jwt" }));
        let accessor = |kind: &str| {
            text(&lab.root("GET", "sys/auth", json!({}))["data"][format!("{kind}/")]["accessor"])
        };
        let userpass = accessor("userpass");
        upgraded(&lab, "secret");
        for (path, data) in [
            (
                "db/prod",
                json!({ "password": CANARIES[0], "url": format!("postgres://app:{}@db/x", CANARIES[1]) }),
            ),
            ("db/test", json!({ "password": CANARIES[0] })),
            (
                "web",
                json!({ "key": "Y2FuYXJ5LWJhc2U2NC1hODFiMGM=", "short": "1234567" }),
            ),
            ("home/ann/notes", json!({ "n": "x" })),
            ("home/bob/notes", json!({ "n": "x" })),
            ("odd name/ü?#%", json!({ "n": "x" })),
        ] {
            lab.write(
                &format!("secret/data/{}", encoded(path)),
                json!({ "data": data }),
            );
        }
        lab.write(
            "secret/data/web",
            json!({ "data": { "key": "Y2FuYXJ5LWJhc2U2NC1hODFiMGM=", "short": "1234567" } }),
        );
        lab.write(
            "secret/metadata/db/prod",
            json!({ "custom_metadata": { "owner": "ann" } }),
        );
        lab.root("DELETE", "secret/data/db/test", json!({}));
        lab.write("team/old/mail", json!({ "password": CANARIES[3] }));

        for (name, policy) in [
            (
                "db-read",
                r#"path "secret/data/db/*" { capabilities = ["read"] }"#,
            ),
            (
                "all-read",
                r#"path "secret/data/*" { capabilities = ["read", "list"] }"#,
            ),
            (
                "no-prod",
                r#"path "secret/data/db/prod" { capabilities = ["deny"] }"#,
            ),
            (
                "own-home",
                r#"path "secret/data/home/{{identity.entity.name}}/*" { capabilities = ["read"] }"#,
            ),
            (
                "old",
                r#"path "team/old/+" { capabilities = ["read"] required_parameters = ["x"] }"#,
            ),
            (
                "helpdesk",
                r#"path "auth/userpass/users/+/password" { capabilities = ["update"] }"#,
            ),
            (
                "minter",
                r#"path "auth/approle/role/deploy/secret-id" { capabilities = ["create", "update"] }"#,
            ),
            (
                "admin",
                r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#,
            ),
        ] {
            lab.root(
                "PUT",
                &format!("sys/policies/acl/{name}"),
                json!({ "policy": policy }),
            );
        }
        for (user, policies) in [
            ("ann", json!(["all-read"])),
            ("bob", json!(["all-read"])),
            ("zoe", json!(["helpdesk"])),
        ] {
            lab.write(
                &format!("auth/userpass/users/{user}"),
                json!({ "password": "pw-of-people-canary", "token_policies": policies }),
            );
        }
        let entity = |name: &str, policies: Value| {
            let metadata = json!({ "email": format!("{name}@example.org") });
            let made = lab.write(
                "identity/entity",
                json!({ "name": name, "policies": policies, "metadata": metadata }),
            );
            let id = text(&made["data"]["id"]);
            lab.write(
                "identity/entity-alias",
                json!({ "name": name, "canonical_id": id, "mount_accessor": userpass }),
            );
            id
        };
        let ann = entity("ann", json!(["own-home"]));
        let bob = entity("bob", json!(["no-prod", "own-home"]));
        let group = |name: &str, body: Value| {
            let mut body = body;
            body["name"] = json!(name);
            text(&lab.write("identity/group", body)["data"]["id"])
        };
        let ops = group(
            "ops",
            json!({ "policies": ["minter"], "member_entity_ids": [ann] }),
        );
        let staff = group(
            "staff",
            json!({ "policies": ["old"], "member_group_ids": [ops], "member_entity_ids": [bob] }),
        );
        lab.write(
            "auth/approle/role/deploy",
            json!({ "token_policies": ["db-read"], "secret_id_ttl": "24h" }),
        );
        lab.write(
            "auth/approle/role/deploy/secret-id",
            json!({ "metadata": "{\"for\":\"ci\"}" }),
        );
        let jwt = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["x"], "token_policies": ["db-read"] });
        lab.write(
            "auth/jwt/config",
            json!({ "jwt_validation_pubkeys": [std::fs::read_to_string(lab.ca_path()).unwrap()] }),
        );
        lab.write("auth/jwt/role/ci", jwt);
        lab.write(
            "auth/userpass/login/ann",
            json!({ "password": "pw-of-people-canary" }),
        );
        let lone = lab.write(
            "auth/token/create-orphan",
            json!({ "policies": ["db-read"], "display_name": "batch-job", "ttl": "48h" }),
        );
        let (role_id, secret_id) = least_rights(&lab, &[]);
        Estate {
            lone_accessor: text(&lone["auth"]["accessor"]),
            role_id,
            secret_id,
            ann,
            bob,
            ops,
            staff,
            lab,
        }
    }

    /// Settings for the least login.
    pub fn settings(&self, extra: &[(&str, &str)]) -> Settings {
        settings(&self.lab, &self.role_id, extra)
    }

    pub fn connector(&self, extra: &[(&str, &str)]) -> Box<dyn Connector> {
        lastkey_vault::configure(
            &self.settings(extra),
            Some(Secret::new(self.secret_id.clone())),
        )
        .unwrap()
    }
}

/// Every auth method that the server has, with roles, groups and users.
pub fn with_ways(lab: &OpenBao) {
    for method in ["cert", "kerberos", "kubernetes", "ldap", "oidc", "radius"] {
        lab.write(&format!("sys/auth/{method}"), json!({ "type": method }));
    }
    let ca = std::fs::read_to_string(lab.ca_path()).unwrap();
    for (path, body) in [
        (
            "auth/token/roles/ci",
            json!({ "allowed_policies": ["db-read"], "allowed_policies_glob": ["o*"],
                "disallowed_policies": ["old"], "orphan": true, "token_period": "1h" }),
        ),
        (
            "auth/cert/certs/web",
            json!({ "certificate": ca, "allowed_common_names": ["web.example.org"], "token_policies": ["db-read"] }),
        ),
        (
            "auth/kerberos/groups/desk",
            json!({ "policies": "helpdesk" }),
        ),
        (
            "auth/kubernetes/role/app",
            json!({ "bound_service_account_names": ["app"], "bound_service_account_namespaces": ["prod"],
                "token_policies": ["db-read"], "token_ttl": "10m" }),
        ),
        ("auth/ldap/groups/dba", json!({ "policies": "db-read" })),
        (
            "auth/ldap/users/ivy",
            json!({ "policies": "minter", "groups": "dba" }),
        ),
        ("auth/radius/users/rob", json!({ "policies": "old" })),
    ] {
        lab.write(path, body);
    }
    let minter = r#"path "auth/token/create/ci" { capabilities = ["update"] }"#;
    lab.root(
        "PUT",
        "sys/policies/acl/ci-minter",
        json!({ "policy": minter }),
    );
}

/// Every secrets engine that the server has and whose roles or keys are read. The serial numbers
/// of two certificates are given back, the first of them revoked.
pub fn with_engines(lab: &OpenBao) -> [String; 2] {
    for engine in [
        "database",
        "kubernetes",
        "ldap",
        "pki",
        "rabbitmq",
        "ssh",
        "transit",
    ] {
        lab.write(&format!("sys/mounts/{engine}"), json!({ "type": engine }));
    }
    let create = r#"CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' IN ROLE ops; SELECT 'canary-one-b2c4d6'"#;
    let entry =
        "dn: cn={{.Username}},ou=people\nobjectClass: person\nuserPassword: canary-plain-7f3a9c";
    let own = "root";
    lab.write(
        &format!("pki/{own}/generate/internal"),
        json!({ "common_name": "Lab issuer", "key_type": "ec", "key_bits": 256, "ttl": "700h" }),
    );
    for (path, body) in [
        (
            "database/config/shop",
            json!({ "plugin_name": "postgresql-database-plugin", "verify_connection": false, "allowed_roles": "*",
                "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/shop",
                "username": "vault", "password": CANARIES[0] }),
        ),
        (
            "database/roles/app",
            json!({ "db_name": "shop", "creation_statements": [create], "default_ttl": "1h", "max_ttl": "24h" }),
        ),
        (
            "kubernetes/config",
            json!({ "kubernetes_host": "https://127.0.0.1:1", "disable_local_ca_jwt": true }),
        ),
        (
            "kubernetes/roles/deployer",
            json!({ "allowed_kubernetes_namespaces": ["prod"], "service_account_name": "deployer",
                "token_default_ttl": "10m", "token_max_ttl": "1h" }),
        ),
        (
            "ldap/config",
            json!({ "binddn": "cn=vault", "bindpass": CANARIES[0], "url": "ldaps://127.0.0.1:1" }),
        ),
        (
            "ldap/role/temp",
            json!({ "creation_ldif": entry, "deletion_ldif": "dn: cn={{.Username}},ou=people\nchangetype: delete",
                "default_ttl": "1h", "max_ttl": "2h" }),
        ),
        (
            "pki/roles/web",
            json!({ "allowed_domains": ["example.org"], "allow_subdomains": true, "key_type": "ec",
                "key_bits": 256, "max_ttl": "72h" }),
        ),
        (
            "pki/roles/unkept",
            json!({ "allow_any_name": true, "no_store": true, "key_type": "ec", "key_bits": 256 }),
        ),
        (
            "rabbitmq/roles/queue",
            json!({ "tags": "administrator", "vhosts": "{\"/\":{\"write\":\".*\"}}" }),
        ),
        (
            "ssh/roles/admin",
            json!({ "key_type": "ca", "allow_user_certificates": true, "allowed_users": "root,deploy",
                "default_user": "deploy", "ttl": "30m", "max_ttl": "1h" }),
        ),
        ("transit/keys/kept", json!({ "type": "aes256-gcm96" })),
        ("transit/keys/kept/rotate", json!({})),
        (
            "transit/keys/leaves",
            json!({ "type": "ecdsa-p256", "exportable": true, "allow_plaintext_backup": true }),
        ),
        (
            "transit/keys/leaves/config",
            json!({ "deletion_allowed": true }),
        ),
    ] {
        lab.write(path, body);
    }
    for (name, policy) in [
        (
            "maker",
            r#"path "database/creds/app" { capabilities = ["read"] } path "pki/issue/web" { capabilities = ["update"] }"#,
        ),
        (
            "exporter",
            r#"path "transit/export/signing-key/leaves" { capabilities = ["read"] }"#,
        ),
    ] {
        let at = format!("sys/policies/acl/{name}");
        lab.root("PUT", &at, json!({ "policy": policy }));
    }
    let serials = ["old", "new"].map(|name| {
        let names = json!({ "common_name": format!("{name}.example.org"), "alt_names": "shop.example.org" });
        let made = lab.write("pki/issue/web", names);
        text(&made["data"]["serial_number"])
    });
    lab.write("pki/revoke", json!({ "serial_number": serials[0] }));
    serials
}

/// A login that may do what the script says, but for one path.
pub fn without(estate: &Estate, path: &str) -> Box<dyn Connector> {
    let name = format!("not-{}", path.replace(['/', '+', '*'], "-"));
    let deny = format!("path \"{path}\" {{ capabilities = [\"deny\"] }}");
    let at = format!("sys/policies/acl/{name}");
    estate.lab.root("PUT", &at, json!({ "policy": deny }));
    let body = json!({ "type": "batch", "ttl": "1h", "policies": ["lastkey-reader", name] });
    let made = estate.lab.write("auth/token/create-orphan", body);
    let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
    let settings = estate.settings(&[("auth", "token"), ("role_id", "")]);
    lastkey_vault::configure(&settings, Some(Secret::new(token))).unwrap()
}

/// Waits for the first seconds of a store of the second version: it upgrades itself.
pub fn upgraded(lab: &OpenBao, mount: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let config = format!("{mount}/config");
    while lab
        .ask(lab.root_token(), "", "GET", &config, &Value::Null)
        .status
        >= 300
    {
        assert!(
            std::time::Instant::now() < deadline,
            "{mount} does not come up"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A path as it stands in a request line.
pub fn encoded(path: &str) -> String {
    path.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

pub fn settings(lab: &OpenBao, role_id: &str, extra: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    let mut set = |k: &str, v: &str| settings.0.insert(k.to_owned(), v.to_owned());
    set("address", &lab.url());
    set("system", "corp-vault");
    set("ca_file", &lab.ca_path().to_string_lossy());
    set("role_id", role_id);
    set("timeout", "20");
    for (k, v) in extra {
        set(k, v);
    }
    settings
}

/// Applies the connector's own script: its policy as it stands, its commands as they say.
pub fn least_rights(lab: &OpenBao, extra: &[(&str, &str)]) -> (String, String) {
    least_rights_in(lab, "", extra)
}

/// The same in a namespace.
pub fn least_rights_in(lab: &OpenBao, namespace: &str, extra: &[(&str, &str)]) -> (String, String) {
    let root = |method: &str, path: &str, body: Value| {
        let answered = lab.ask(lab.root_token(), namespace, method, path, &body);
        assert!(answered.status < 300, "{method} {path}: {answered:?}");
        answered.body
    };
    let scripts = lastkey_vault::scripts(&settings(lab, "not-yet", extra));
    root(
        "PUT",
        "sys/policies/acl/lastkey-reader",
        json!({ "policy": scripts[0].text }),
    );
    let commands = &scripts[1].text;
    let role = commands
        .lines()
        .find(|l| l.contains("token_policies="))
        .unwrap();
    let mut body = json!({});
    for pair in commands
        .split_whitespace()
        .filter(|w| w.contains('=') && !w.starts_with('-'))
    {
        let (key, value) = pair.split_once('=').unwrap();
        body[key] = match value {
            "true" => json!(true),
            value => json!(value),
        };
    }
    assert!(
        role.contains("lastkey-reader") && body["token_type"] == "batch",
        "{commands}"
    );
    root("POST", "auth/approle/role/lastkey-reader", body);
    let role_id = text(
        &root("GET", "auth/approle/role/lastkey-reader/role-id", json!({}))["data"]["role_id"],
    );
    let made = root(
        "POST",
        "auth/approle/role/lastkey-reader/secret-id",
        json!({}),
    );
    (role_id, text(&made["data"]["secret_id"]))
}

/// A connector for the login that [`least_rights`] made.
pub fn by_approle(
    lab: &OpenBao,
    extra: &[(&str, &str)],
    login: (String, String),
) -> Box<dyn Connector> {
    let (role_id, secret_id) = login;
    let settings = settings(lab, &role_id, extra);
    lastkey_vault::configure(&settings, Some(Secret::new(secret_id))).unwrap()
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

pub fn read(
    connector: &dyn Connector,
    kind: Kind,
    limit: u32,
) -> Result<Vec<Page>, ConnectorError> {
    run(read_to_end(connector, kind, limit))
}

pub fn facts(pages: &[Page]) -> Vec<Fact> {
    pages.iter().flat_map(|p| p.records.clone()).collect()
}

pub fn notes(pages: &[Page]) -> Vec<Note> {
    pages.iter().flat_map(|p| p.notes.clone()).collect()
}

/// Notes that lower completeness.
pub fn gaps(pages: &[Page]) -> Vec<Note> {
    let mut notes = notes(pages);
    notes.retain(|n| !n.kind.keeps_completeness() || n.kind == NoteKind::Dangling);
    notes
}
