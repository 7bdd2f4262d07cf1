//! Vaults, against a real OpenBao.
//!
//! The vault gives its objects ids and times of its own, so that what must be read cannot be
//! checked in: it is read once in whole pages before the cases, and held against what was put in
//! by the tests in `tests/tests/vault`, object by object.

#[path = "../vault/estate.rs"]
#[allow(dead_code)]
mod estate;

use crate::whole::{Authorities, read_whole};
pub use estate::Estate;
use lastkey_conformance::proxy::Upstream;
use lastkey_conformance::{
    Answer, Facts, Missing, Network, Scene, SetUp, Subject, Trust, odd_texts,
};
use lastkey_contract::{Connector, Fact, Secret};
use lastkey_tests::labs::OpenBao;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

pub struct Vault {
    estate: Option<Arc<Estate>>,
    expected: Facts,
    authorities: Authorities,
}

/// A token with the odd texts of the suite in what is said of it.
fn with_odd_texts(lab: &OpenBao) {
    let meta: serde_json::Map<String, serde_json::Value> = odd_texts()
        .into_iter()
        .map(|(name, text)| (name.replace(' ', "_"), json!(text)))
        .collect();
    let body = json!({ "policies": ["default"], "meta": meta, "ttl": "48h" });
    lab.write("auth/token/create-orphan", body);
}

/// Who leaves in the matrix of faults: a user with an entity, who could read no secret, so that
/// nothing of hers stays open once her accounts are closed.
pub const LEAVER: &str = "quinn";

fn with_leaver(lab: &OpenBao) {
    let user = json!({ "password": "pw-of-people-canary" });
    lab.write(&format!("auth/userpass/users/{LEAVER}"), user);
    let methods = lab.root("GET", "sys/auth", json!({}));
    let entity = lab.write("identity/entity", json!({ "name": LEAVER }));
    let alias = json!({
        "name": LEAVER,
        "canonical_id": entity["data"]["id"],
        "mount_accessor": methods["data"]["userpass/"]["accessor"],
    });
    lab.write("identity/entity-alias", alias);
    // Four entities, four users and four AppRoles fill pages of four: tokens, which the vault lists
    // by accessors of its own making, then share a page in whatever order they come.
    for name in ["build", "test"] {
        let body = json!({ "token_policies": "none" });
        lab.write(&format!("auth/approle/role/{name}"), body);
    }
}

/// Requests of the server's audit log that change something, but for the lab's own and sign-ins.
fn writes(lab: &OpenBao) -> Vec<String> {
    const QUESTIONS: [&str; 3] = [
        "sys/capabilities-self",
        "auth/token/lookup-accessor",
        "/secret-id-accessor/lookup",
    ];
    lab.audited(0)
        .into_iter()
        .filter(|r| r.by == "approle" && !matches!(r.operation.as_str(), "read" | "list"))
        .filter(|r| !QUESTIONS.iter().any(|question| r.path.ends_with(question)))
        .map(|r| format!("{} {}", r.operation, r.path))
        .collect()
}

impl Vault {
    pub fn start() -> Vault {
        let estate = OpenBao::here().map(|lab| {
            let estate = Estate::found(lab);
            with_odd_texts(&estate.lab);
            with_leaver(&estate.lab);
            estate::with_ways(&estate.lab);
            estate::with_engines(&estate.lab);
            Arc::new(estate)
        });
        Vault {
            expected: estate
                .as_ref()
                .map(|e| read_whole(e.connector(&[])))
                .unwrap_or_default(),
            estate,
            authorities: Authorities::new(),
        }
    }

    /// The company, where the machine has a server.
    pub fn estate(&self) -> Option<&Arc<Estate>> {
        self.estate.as_ref()
    }

    fn by_token(&self, estate: &Arc<Estate>, policies: &[&str], facts: Facts) -> SetUp {
        let token = token(estate, policies);
        set_up(estate, with_token(estate, &token), facts, token)
    }
}

/// A token that is in no list, with these policies.
fn token(estate: &Estate, policies: &[&str]) -> String {
    let body = json!({ "type": "batch", "ttl": "1h" });
    token_that(estate, policies, body)
}

/// A token with these policies, and with more said about it.
pub fn token_that(estate: &Estate, policies: &[&str], more: serde_json::Value) -> String {
    let mut body = more;
    body["policies"] = json!(policies);
    let made = estate.lab.write("auth/token/create-orphan", body);
    made["auth"]["client_token"].as_str().unwrap().to_owned()
}

pub fn with_token(estate: &Estate, token: &str) -> Box<dyn Connector> {
    let settings = estate.settings(&[("auth", "token"), ("role_id", "")]);
    lastkey_vault::configure(&settings, Some(Secret::new(token.to_owned()))).unwrap()
}

fn set_up(
    estate: &Arc<Estate>,
    connector: Box<dyn Connector>,
    facts: Facts,
    secret: String,
) -> SetUp {
    let log = Arc::clone(estate);
    let mut secrets: Vec<String> = estate::CANARIES.map(str::to_owned).to_vec();
    secrets.extend([secret, "pw-of-people-canary".to_owned()]);
    SetUp {
        secrets,
        writes: Some(Box::new(move || writes(&log.lab))),
        lives: Box::new(Arc::clone(estate)),
        ..SetUp::new(connector, facts)
    }
}

/// A vault with nothing in it but the login that reads.
fn bare() -> (OpenBao, String, String) {
    let lab = OpenBao::here().unwrap();
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    lab.write(
        "sys/mounts/kv",
        json!({ "type": "kv", "options": { "version": "1" } }),
    );
    let (role_id, secret_id) = estate::least_rights(&lab, &[]);
    (lab, role_id, secret_id)
}

fn reading(lab: &OpenBao, role_id: &str, secret_id: &str) -> Box<dyn Connector> {
    let settings = estate::settings(lab, role_id, &[]);
    lastkey_vault::configure(&settings, Some(Secret::new(secret_id.to_owned()))).unwrap()
}

/// So many AppRoles whose names alone have so many bytes.
fn fill(lab: &OpenBao, records: u32, bytes: u32) {
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for number in (0..records).filter(|n| n % 4 == part) {
                    let name = format!("{number:08}{}", "x".repeat(bytes as usize - 8));
                    let path = format!("auth/approle/role/{name}");
                    lab.write(&path, json!({ "token_policies": "none" }));
                }
            });
        }
    });
}

impl Subject for Vault {
    fn name(&self) -> String {
        "vault".to_owned()
    }

    fn server(&self) -> String {
        match &self.estate {
            Some(estate) => format!("OpenBao {}", estate.lab.version()),
            None => "OpenBao".to_owned(),
        }
    }

    fn scene(&self, scene: Scene) -> Answer {
        let Some(estate) = &self.estate else {
            return Answer::NotRun(Missing {
                server: "openbao".to_owned(),
                why: "the server is not on this machine".to_owned(),
            });
        };
        Answer::Here(match scene {
            Scene::Seeded => {
                let secret = estate.secret_id.clone();
                set_up(estate, estate.connector(&[]), self.expected.clone(), secret)
            }
            Scene::WrongSecret => {
                let wrong = "canary-wrong-secret-id".to_owned();
                let settings = estate.settings(&[]);
                let connector =
                    lastkey_vault::configure(&settings, Some(Secret::new(wrong.clone())));
                set_up(estate, connector.unwrap(), Facts::new(), wrong)
            }
            Scene::TooFewRights => self.by_token(estate, &["db-read"], Facts::new()),
            Scene::ExcessRights => {
                let policies = ["lastkey-reader", "db-read", "helpdesk"];
                self.by_token(estate, &policies, self.expected.clone())
            }
            Scene::Empty => {
                let (lab, role_id, secret_id) = bare();
                let facts = read_whole(reading(&lab, &role_id, &secret_id));
                SetUp {
                    secrets: vec![secret_id.clone()],
                    ..SetUp {
                        lives: Box::new(()),
                        ..SetUp::new(reading(&lab, &role_id, &secret_id), facts)
                    }
                }
                .living(lab)
            }
            Scene::Large { records, bytes } => {
                let (lab, role_id, secret_id) = bare();
                fill(&lab, records, bytes.clamp(16, 400));
                SetUp::new(reading(&lab, &role_id, &secret_id), Facts::new()).living(lab)
            }
            Scene::Clipped => {
                return Answer::NotApplicable(
                    "a vault cuts no list but where a policy limits its pages, and then all pages are asked for",
                );
            }
            Scene::Changing => {
                let lab = OpenBao::here().unwrap();
                let own = Arc::new(Estate::found(lab));
                // Without an entity of its own, which could be the one that is removed.
                let secret = token(&own, &["lastkey-reader"]);
                let facts = read_whole(with_token(&own, &secret));
                let ids: Vec<String> = facts[&lastkey_contract::Kind::Account]
                    .iter()
                    // The lab's own administrator stays.
                    .filter(|fact| !matches!(fact, Fact::Account(a) if a.privileged == Some(true)))
                    .map(|fact| fact.key().split('\u{1f}').nth(1).unwrap().to_owned())
                    .collect();
                let changing = Arc::clone(&own);
                let again = secret.clone();
                let mut made = set_up(&own, with_token(&own, &secret), facts, secret);
                made.change = Some(Box::new(move || {
                    for id in [ids.first().unwrap(), ids.last().unwrap()] {
                        remove(&changing.lab, id);
                    }
                    let body = json!({ "password": "pw-of-people-canary" });
                    changing.lab.write("auth/userpass/users/new", body);
                    read_whole(with_token(&changing, &again))
                }));
                made
            }
        })
    }

    fn network(&self) -> Network {
        match &self.estate {
            None => Network::None("the server is not on this machine"),
            Some(estate) => Network::Http(Upstream::Tls {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, estate.lab.port())),
                ca_pem: std::fs::read_to_string(estate.lab.ca_path()).unwrap(),
            }),
        }
    }

    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector> {
        let estate = self
            .estate
            .as_ref()
            .expect("a server, where there is a network");
        let ca = match trust {
            Trust::Server => estate.lab.ca_path(),
            Trust::Pem(pem) => self.authorities.file(pem),
        };
        let address = format!("https://{at}");
        let ca = ca.display().to_string();
        estate.connector(&[("address", &address), ("ca_file", &ca)])
    }
}

trait Living {
    /// Keeps a server as long as the case.
    fn living(self, lab: OpenBao) -> Self;
}

impl Living for SetUp {
    fn living(self, lab: OpenBao) -> SetUp {
        SetUp {
            lives: Box::new(Mutex::new(lab)),
            ..self
        }
    }
}

/// Removes an account, whatever stands for it.
fn remove(lab: &OpenBao, id: &str) {
    match id.strip_prefix("token/") {
        Some(accessor) => {
            lab.write(
                "auth/token/revoke-accessor",
                json!({ "accessor": accessor }),
            );
        }
        None if id.starts_with("auth/") => {
            lab.root("DELETE", id, json!({}));
        }
        None => {
            lab.root("DELETE", &format!("identity/entity/id/{id}"), json!({}));
        }
    }
}

#[test]
fn vault_conforms() {
    crate::conforms(&Vault::start());
}
