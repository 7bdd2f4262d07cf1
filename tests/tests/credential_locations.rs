//! One planted secret in a real OpenBao, a real Kubernetes cluster, the name of a GitHub Actions
//! secret and a file of a workstation, read by the real connectors: one command says where it
//! stands, who reads it there, which account it opens and what somebody who leaves could read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "kubernetes/estate.rs"]
#[allow(dead_code)]
mod cluster;
#[path = "../../connectors/github/tests/contract/mod.rs"]
#[allow(dead_code)]
mod contract;
#[path = "vault/estate.rs"]
#[allow(dead_code)]
mod vault;

use lastkey_contract::Settings;
use lastkey_tests::desk::Desk;
use lastkey_tests::labs::PostgreSql;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What must be found at four places, and be written nowhere.
const PLANTED: &str = "planted-canary-Zeppelin-4421";
/// What the reader of the database signs in with.
const READER: &str = "reader-canary-Trombone-78";

const IN_VAULT: &str = "corp-vault:secret/payments/db";
const IN_CLUSTER: &str = "prod-cluster:shop/payments-db";
const AT_GITHUB: &str = "corp-github:example/shop/actions/PAYMENTS_DB_PASSWORD";

struct Lab {
    desk: Desk,
    vault: vault::Estate,
    cluster: cluster::Estate,
    /// Held, so that they answer.
    _github: contract::Behind,
    _database: PostgreSql,
    /// `corp-db:ID` of the password that the planted secret is.
    password: String,
    said: String,
}

fn add(desk: &Desk, kind: &str, name: &str, settings: &Settings, secret: Option<&str>) {
    let pairs: Vec<String> = settings.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let file = secret.map(|text| desk.write_secret(&format!("{name}-secret"), text));
    let mut add = vec!["source", "add", kind, name];
    if let Some(file) = &file {
        add.extend(["--secret-file", file.as_str()]);
    }
    for pair in &pairs {
        add.extend(["--set", pair.as_str()]);
    }
    desk.expect(0, &add);
}

fn database(desk: &Desk) -> PostgreSql {
    let lab = PostgreSql::start("");
    let (port, ca) = (lab.port().to_string(), lab.ca_path().display().to_string());
    let pairs = [
        ("address", "127.0.0.1"),
        ("port", port.as_str()),
        ("ca_file", ca.as_str()),
        ("system", "corp-db"),
        ("username", "lastkey"),
        ("timeout", "20"),
    ];
    let settings = Settings(
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
    );
    lab.sql(&lastkey_postgresql::scripts(&settings)[0].text);
    lab.sql(&format!("ALTER ROLE lastkey PASSWORD '{READER}'"));
    lab.sql(&format!("CREATE ROLE payments LOGIN PASSWORD '{PLANTED}'"));
    add(desk, "postgresql", "db", &settings, Some(READER));
    lab
}

fn github() -> contract::Behind {
    let mut world = contract::company();
    let names = ["PAYMENTS_DB_PASSWORD", "PAYMENTS_DB_USER"].map(|name| {
        json!({ "name": name, "created_at": "2024-01-10T10:59:22Z", "updated_at": "2026-03-01T08:00:00Z" })
    });
    world.below(
        "/repos/example/shop/actions/secrets",
        "secrets",
        names.to_vec(),
    );
    contract::Behind::tls(world)
}

/// Ann, who leaves, and Bob: whose vault accounts are theirs was decided.
fn people(desk: &Desk, vault: &vault::Estate) {
    desk.write(
        "hr/identities.csv",
        "id,kind,display_name,email,status\n\
         ann,person,Ann Smith,ann@example.org,active\n\
         bob,person,Bob Stone,bob@example.org,active\n",
    );
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "hr"]);
    for (entity, who) in [(&vault.ann, "ann"), (&vault.bob, "bob")] {
        let account = format!("corp-vault:{entity}");
        desk.run(&["link", &account, who, "--why", "planted"]);
    }
}

/// Somebody says what the field of the vault opens: no system tells that of itself.
fn said(desk: &Desk, password: &str) {
    let (system, id) = password.split_once(':').unwrap();
    desk.write(
        "register/locations.csv",
        format!(
            "system,path,credential_system,credential_id,field\n\
             corp-vault,secret/payments/db,{system},{id},secret/payments/db#password\n"
        ),
    );
    let set = format!("path={}", desk.room.path("register").display());
    let add = ["source", "add", "flat-files", "register", "--set", &set];
    desk.expect(0, &[&add[..], &["--set", "supplement=true"]].concat());
    desk.expect(0, &["sync", "register"]);
}

fn lab(case: &str) -> Option<Lab> {
    let vault = vault::Estate::found(vault::lab(case)?);
    let cluster = cluster::Estate::found(cluster::lab(case)?);
    let desk = Desk::new();
    vault.lab.write(
        "secret/data/payments/db",
        json!({ "data": { "password": PLANTED, "host": "db.example.org" } }),
    );
    let secret = json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "namespace": "shop", "name": "payments-db" },
        "stringData": { "password": PLANTED } });
    cluster.lab.make("/api/v1/namespaces/shop/secrets", &secret);
    let laptop = desk.room.path("laptop");
    std::fs::create_dir(&laptop).unwrap();
    let env = format!("PAYMENTS_DB_PASSWORD={PLANTED}\nPAYMENTS_DB_HOST=db.example.org\n");
    std::fs::write(laptop.join(".env"), env).unwrap();

    let mut said_so_far = String::new();
    add(
        &desk,
        "vault",
        "safe",
        &vault.settings(&[]),
        Some(&vault.secret_id),
    );
    add(
        &desk,
        "kubernetes",
        "cluster",
        &cluster.settings(&[]),
        Some(&cluster.token),
    );
    let github = github();
    let settings = contract::settings("example", github.proxy.address(), &github.ca(), &[]);
    add(&desk, "github", "hub", &settings, Some(contract::CLASSIC));
    let folder = laptop.display().to_string();
    let of_laptop = [("folder", folder.as_str()), ("system", "ws-ann")];
    let of_laptop = of_laptop.map(|(k, v)| (k.to_owned(), v.to_owned()));
    add(
        &desk,
        "workstation",
        "laptop",
        &Settings(of_laptop.into()),
        None,
    );
    let database = database(&desk);
    let (_, out, err) = desk.run(&["sync"]);
    said_so_far.push_str(&format!("{out}{err}"));
    people(&desk, &vault);
    let password = desk
        .lines(0, &["credentials", "--where", "system=corp-db"])
        .into_iter()
        .find(|row| row.to_string().contains("payments"))
        .expect("the password of the role");
    let password = format!("corp-db:{}", password["id"].as_str().unwrap());
    said(&desk, &password);
    Some(Lab {
        desk,
        vault,
        cluster,
        _github: github,
        _database: database,
        password,
        said: said_so_far,
    })
}

impl Lab {
    fn show(&mut self) -> Value {
        let asked = ["secrets", "show", &self.password, "--identity", "ann"];
        self.said.push_str(&self.desk.expect(0, &asked));
        self.desk.lines(0, &asked).remove(0)
    }

    /// Consent, and the logins that may read values, by the connectors' own scripts.
    fn fingerprints_on(&mut self) {
        let scripts = lastkey_vault::scripts(&self.vault.settings(&[]));
        let policy = scripts[2]
            .text
            .replace("# path", "path")
            .replace("#   cap", "  cap")
            .replace("# }", "}");
        self.vault.lab.root(
            "PUT",
            "sys/policies/acl/lastkey-values",
            json!({ "policy": policy }),
        );
        let body =
            json!({ "policies": ["lastkey-values"], "no_default_policy": true, "ttl": "1h" });
        let made = self.vault.lab.write("auth/token/create-orphan", body);
        let of_vault = made["auth"]["client_token"].as_str().unwrap().to_owned();
        cluster::script(&self.cluster.lab, &[], 1);
        let of_cluster = self.cluster.lab.token("lastkey", "values");
        for (source, secret) in [("safe", &of_vault), ("cluster", &of_cluster)] {
            let file = self.desk.write_secret(&format!("{source}-values"), secret);
            let on = [
                "source",
                "fingerprints",
                source,
                "on",
                "--secret-file",
                &file,
            ];
            self.desk.expect(0, &on);
        }
        let on = ["source", "fingerprints", "laptop", "on"];
        self.desk.expect(0, &on);
        let (_, out, err) = self.desk.run(&["sync", "safe", "cluster", "laptop"]);
        self.said.push_str(&format!("{out}{err}"));
    }
}

/// `system:path` of places.
fn places(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{}:{}",
            row["system"].as_str().unwrap(),
            row["path"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn one_command_shows_every_place_of_a_planted_secret_and_without_fingerprints_only_suspects() {
    let Some(mut lab) = lab("where one planted secret stands") else {
        return;
    };
    let laptop = format!("ws-ann:{}", lab.desk.room.path("laptop/.env").display());
    let all: BTreeSet<String> = [IN_VAULT, IN_CLUSTER, AT_GITHUB, &laptop]
        .map(str::to_owned)
        .into();

    // Without fingerprints: the vault's copy is known because somebody says so, the rest by name.
    let told = lab.show();
    let secret = &told["secret"];
    assert_eq!(
        places(&secret["places"]),
        BTreeSet::from([IN_VAULT.to_owned()])
    );
    let suspected = places(&secret["suspected"]);
    assert!(
        all.iter()
            .filter(|one| *one != IN_VAULT)
            .all(|one| suspected.contains(one)),
        "{suspected:?}"
    );
    assert!(
        secret["suspected"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["certain"] == false
                && row["how_words"]
                    .as_str()
                    .unwrap()
                    .starts_with("suspected: same name")),
        "{secret:#}"
    );
    assert!(
        secret["not_known"]
            .to_string()
            .contains("no source tells a fingerprint")
    );
    let listed = lab.desk.lines(0, &["secrets", "--duplicates"]);
    assert!(
        listed
            .iter()
            .all(|row| row["key"] != format!("credential:{}", lab.password))
    );

    lab.fingerprints_on();
    let told = lab.show();
    let secret = &told["secret"];
    let certain = BTreeSet::from([IN_VAULT.to_owned(), IN_CLUSTER.to_owned(), laptop.clone()]);
    assert_eq!(places(&secret["places"]), certain, "{secret:#}");
    assert!(
        secret["places"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["how"] == "fingerprint")
    );
    assert!(
        places(&secret["suspected"]).contains(AT_GITHUB),
        "GitHub tells names alone"
    );
    assert!(!places(&secret["suspected"]).contains(IN_CLUSTER));

    // The account that it opens.
    let opens = secret["opens"].as_array().unwrap();
    assert_eq!((opens.len(), &opens[0]["system"]), (1, &json!("corp-db")));
    assert_eq!(
        (&opens[0]["name"], &opens[0]["certain"]),
        (&json!("payments"), &json!(true))
    );

    // Who reads it, at each place, and how the one who leaves does.
    let readers = told["readers"].as_array().unwrap();
    assert!(
        all.iter().all(|one| places(&told["readers"]).contains(one)),
        "{readers:#?}"
    );
    let at = |place: &str| {
        let of = |row: &&Value| {
            let (system, path) = (row["system"].as_str(), row["path"].as_str());
            format!("{}:{}", system.unwrap(), path.unwrap()) == place
        };
        readers.iter().find(of).unwrap()["readers"].to_string()
    };
    assert!(at(IN_VAULT).contains("Ann Smith") && at(IN_VAULT).contains("Bob Stone"));
    assert!(
        at(IN_CLUSTER).contains("User:ann") || at(IN_CLUSTER).contains("ann"),
        "{}",
        at(IN_CLUSTER)
    );
    assert!(at(AT_GITHUB).contains("corp-github"), "{}", at(AT_GITHUB));
    let way = &secret["row"]["way"];
    assert_eq!((&way["certain"], &way["now"]), (&json!(true), &json!(true)));
    assert!(
        way["path"].to_string().contains("secret/payments/db"),
        "{way}"
    );
    let hers = lab.desk.lines(0, &["secrets", "--identity", "ann"]);
    assert!(hers.iter().any(|row| row["key"] == secret["row"]["key"]));
    assert!(hers.iter().all(|row| row["way"].is_object()));

    // One command lists it first among the copies, and names nothing that is no secret.
    let listed = lab.desk.lines(0, &["secrets", "--duplicates"]);
    assert_eq!(
        listed[0]["key"],
        format!("credential:{}", lab.password),
        "{listed:#?}"
    );
    let text = lab.desk.expect(0, &["secrets", "--search", "payments"]);
    assert!(text.contains("have a fingerprint"), "{text}");

    lab.nothing_is_told(&laptop);
}

impl Lab {
    /// Neither the value nor any fingerprint stands in what was said, and no value in the store.
    fn nothing_is_told(&mut self, laptop: &str) {
        let prints: BTreeSet<String> = self
            .desk
            .lines(0, &["locations"])
            .iter()
            .filter_map(|row| row["fingerprint"].as_str().map(str::to_owned))
            .collect();
        assert!(prints.len() > 1, "there are some that could be told");
        let mut told = vec![self.said.clone()];
        for arguments in [
            vec!["secrets"],
            vec!["--json", "secrets"],
            vec!["secrets", "--csv"],
            vec!["secrets", "--by-place"],
            vec!["--json", "secrets", "--by-place"],
            vec!["-vv", "secrets", "show", IN_VAULT],
            vec!["secrets", "show", laptop],
            vec!["--json", "secrets", "show", AT_GITHUB, "--identity", "ann"],
        ] {
            let (_, out, err) = self.desk.run(&arguments);
            told.push(format!("{out}{err}"));
        }
        for text in &told {
            assert!(!text.contains(PLANTED) && !text.contains(READER), "{text}");
            for print in &prints {
                let end = print.rsplit(':').next().unwrap();
                assert!(!text.contains(end), "a fingerprint in {text}");
            }
        }
        let store = std::fs::read(&self.desk.store).unwrap();
        let holds = |text: &str| {
            store
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!holds(PLANTED));
    }
}

#[test]
fn wrong_use_of_secrets_is_one_sentence_and_changes_nothing() {
    let desk = Desk::linked();
    for (arguments, says) in [
        (
            vec!["secrets", "--where", "colour=red"],
            "`colour=red` is no filter of secrets",
        ),
        (
            vec!["secrets", "--where", "kind=cupboard"],
            "`cupboard` is no kind of place",
        ),
        (
            vec!["secrets", "--sort", "beauty"],
            "secrets are not sorted by `beauty`",
        ),
        (
            vec!["secrets", "--where", "older=soon"],
            "`older=soon` is no filter",
        ),
        (vec!["secrets", "--csv", "--json"], "exclude each other"),
        (
            vec!["secrets", "show", "corp:nothing"],
            "there is no secret `corp:nothing`",
        ),
        (vec!["secrets", "show"], "required"),
        (
            vec!["secrets", "--identity", "nobody-at-all"],
            "nobody-at-all",
        ),
    ] {
        desk.trouble(2, &arguments, says);
    }
    let text = desk.expect(0, &["secrets"]);
    assert!(text.contains("no secret yet"), "{text}");
    assert!(desk.lines(0, &["secrets"]).is_empty());
}
