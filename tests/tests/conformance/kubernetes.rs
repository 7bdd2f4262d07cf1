//! Clusters, against a real API server.
//!
//! What must be read is read once in whole pages before the cases, and held object by object, and
//! right by right against the server's own answers, by the tests in `tests/tests/kubernetes`.

#[path = "../kubernetes/estate.rs"]
#[allow(dead_code)]
pub mod estate;

use crate::whole::{Authorities, read_to_the_end};
use estate::{CANARIES, Estate, RBAC, binding, reader, settings, user};
use lastkey_conformance::proxy::Upstream;
use lastkey_conformance::{
    Answer, Facts, Missing, Network, Scene, SetUp, Subject, Trust, odd_texts,
};
use lastkey_contract::{Connector, Secret};
use lastkey_tests::labs::Kubernetes;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Who leaves in the matrix of faults: a user who may look at most things, and at no Secret.
pub const LEAVER: &str = "quinn";

pub struct Cluster {
    estate: Option<Arc<Estate>>,
    /// The token of a Secret of the cluster, which may stand nowhere.
    legacy: String,
    expected: Facts,
    authorities: Authorities,
}

/// Service accounts with the odd texts of the suite in what is said of them.
fn with_odd_texts(lab: &Kubernetes) {
    for (number, (_, text)) in odd_texts().into_iter().enumerate() {
        let body = json!({ "metadata": { "name": format!("odd-{number}"),
            "annotations": { "eks.amazonaws.com/role-arn": text } } });
        lab.make("/api/v1/namespaces/site/serviceaccounts", &body);
    }
}

/// The service accounts that bindings of every cluster name, and that its controllers make: here
/// nobody does.
fn with_controllers(lab: &Kubernetes) {
    for list in ["clusterrolebindings", "rolebindings"] {
        let all = lab.root("GET", &format!("{RBAC}/{list}"), &Value::Null);
        let bindings = all["items"].as_array().unwrap().iter();
        for subject in bindings.flat_map(|one| one["subjects"].as_array().into_iter().flatten()) {
            let (kind, name) = (&subject["kind"], &subject["name"]);
            if kind == "ServiceAccount" && subject["namespace"] == "kube-system" {
                let body = json!({ "metadata": { "name": name } });
                let path = "/api/v1/namespaces/kube-system/serviceaccounts";
                let told = lab.ask(lab.admin(), "POST", path, &body);
                assert!(matches!(told.status, 201 | 409), "{}", told.body);
            }
        }
    }
}

/// Tokens that do not end, one of which was used; gives back that one.
fn with_tokens(lab: &Kubernetes) -> String {
    for number in 0..3 {
        let body = json!({ "type": "kubernetes.io/service-account-token", "metadata": {
            "name": format!("token-{number}"),
            "annotations": { "kubernetes.io/service-account.name": "web" } } });
        lab.make("/api/v1/namespaces/shop/secrets", &body);
        let path = format!("/api/v1/namespaces/shop/secrets/token-{number}");
        lab.await_that(&path, |secret| secret["data"]["token"].is_string());
    }
    let path = "/api/v1/namespaces/shop/secrets/token-0";
    let secret = lab.root("GET", path, &Value::Null);
    let base64 = secret["data"]["token"].as_str().unwrap();
    use base64::Engine as _;
    let token = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap();
    let token = String::from_utf8(token).unwrap();
    assert_eq!(lab.ask(&token, "GET", "/version", &Value::Null).status, 200);
    // The server writes down by itself on which day a token was used.
    lab.await_that(path, |secret| {
        secret["metadata"]["labels"]["kubernetes.io/legacy-token-last-used"].is_string()
    });
    token
}

/// Requests of the server's audit log that change something, but for the questions about oneself.
fn writes(lab: &Kubernetes) -> Vec<String> {
    lab.audited()
        .into_iter()
        .filter(|request| request.by == "system:serviceaccount:lastkey:reader")
        .filter(|r| !matches!(r.verb.as_str(), "get" | "list" | "watch"))
        .filter(|r| !r.path.contains("/selfsubject"))
        .map(|r| format!("{} {}", r.verb, r.path))
        .collect()
}

/// A cluster with nothing in it but what every one has, and the reader of the connector's script.
fn bare() -> (Kubernetes, String) {
    let lab = Kubernetes::here().unwrap();
    let token = reader(&lab, &[]);
    (lab, token)
}

fn reading(lab: &Kubernetes, token: &str) -> Box<dyn Connector> {
    let secret = Some(Secret::new(token.to_owned()));
    lastkey_kubernetes::configure(&settings(lab, &[]), secret).unwrap()
}

/// A binding of the users of these names.
fn bind(lab: &Kubernetes, name: &str, users: impl Iterator<Item = String>) {
    let users: Vec<Value> = users.map(|name| user(&name)).collect();
    let made = binding("", name, ("ClusterRole", "view"), &users);
    lab.make(&format!("{RBAC}/clusterrolebindings"), &made);
}

impl Cluster {
    pub fn start() -> Cluster {
        let mut legacy = String::new();
        let estate = Kubernetes::here().map(|lab| {
            let estate = Estate::found(lab);
            with_odd_texts(&estate.lab);
            legacy = with_tokens(&estate.lab);
            with_controllers(&estate.lab);
            bind(&estate.lab, "of-quinn", std::iter::once(LEAVER.to_owned()));
            Arc::new(estate)
        });
        Cluster {
            expected: estate
                .as_ref()
                .map(|estate| read_to_the_end(estate.connector(&[])))
                .unwrap_or_default(),
            estate,
            legacy,
            authorities: Authorities::new(),
        }
    }

    /// The cluster, where there is one.
    pub fn estate(&self) -> Option<&Arc<Estate>> {
        self.estate.as_ref()
    }

    fn by(&self, estate: &Arc<Estate>, token: &str, facts: Facts) -> SetUp {
        let log = Arc::clone(estate);
        let mut secrets = vec![token.to_owned(), self.legacy.clone()];
        secrets.extend(CANARIES.map(str::to_owned));
        SetUp {
            secrets,
            writes: Some(Box::new(move || writes(&log.lab))),
            lives: Box::new(Arc::clone(estate)),
            ..SetUp::new(estate.by(token, &[]), facts)
        }
    }
}

/// A cluster that loses its first account and its last.
fn changing() -> SetUp {
    let (lab, token) = bare();
    for name in ["aaa", "bob", "carol", "dave", "~~~"] {
        bind(
            &lab,
            &format!("of-{}", name.replace('~', "z")),
            std::iter::once(name.to_owned()),
        );
    }
    let facts = read_to_the_end(reading(&lab, &token));
    let lab = Arc::new(lab);
    let changed = Arc::clone(&lab);
    let again = token.clone();
    SetUp {
        secrets: vec![token.clone()],
        change: Some(Box::new(move || {
            for name in ["of-aaa", "of-zzz"] {
                let path = format!("{RBAC}/clusterrolebindings/{name}");
                changed.root("DELETE", &path, &Value::Null);
            }
            bind(&changed, "of-new", std::iter::once("new".to_owned()));
            read_to_the_end(reading(&changed, &again))
        })),
        lives: Box::new(Arc::clone(&lab)),
        ..SetUp::new(reading(&lab, &token), facts)
    }
}

impl Subject for Cluster {
    fn name(&self) -> String {
        "kubernetes".to_owned()
    }

    fn server(&self) -> String {
        match &self.estate {
            Some(estate) => format!("Kubernetes {}", estate.lab.version()),
            None => "Kubernetes".to_owned(),
        }
    }

    fn scene(&self, scene: Scene) -> Answer {
        let Some(estate) = &self.estate else {
            return Answer::NotRun(Missing {
                server: "kubernetes".to_owned(),
                why: "the server is not on this machine".to_owned(),
            });
        };
        Answer::Here(match scene {
            Scene::Seeded => self.by(estate, &estate.token, self.expected.clone()),
            Scene::WrongSecret => self.by(estate, "canary-wrong-token-of-nobody", Facts::new()),
            Scene::TooFewRights => self.by(estate, estate.lab.nobody(), Facts::new()),
            Scene::ExcessRights => self.by(estate, estate.lab.admin(), self.expected.clone()),
            Scene::Clipped => {
                return Answer::NotApplicable(
                    "an API server cuts no list without saying how it goes on; one that does is in tests/tests/kubernetes",
                );
            }
            Scene::Empty => {
                let (lab, token) = bare();
                let facts = read_to_the_end(reading(&lab, &token));
                SetUp {
                    secrets: vec![token.clone()],
                    ..SetUp::new(reading(&lab, &token), facts)
                }
                .living(lab)
            }
            Scene::Large { records, bytes } => {
                let (lab, token) = bare();
                // A binding may not be larger than what its store takes at once.
                let at_once = 400;
                for first in (0..records).step_by(at_once) {
                    let last = records.min(first + u32::try_from(at_once).unwrap());
                    let long = "x".repeat(bytes as usize);
                    let users = (first..last).map(|number| format!("{number:08}{long}"));
                    bind(&lab, &format!("many-{first}"), users);
                }
                SetUp::new(reading(&lab, &token), Facts::new()).living(lab)
            }
            Scene::Changing => changing(),
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
    fn living(self, lab: Kubernetes) -> Self;
}

impl Living for SetUp {
    fn living(self, lab: Kubernetes) -> SetUp {
        SetUp {
            lives: Box::new(lab),
            ..self
        }
    }
}

#[test]
fn kubernetes_conforms() {
    crate::conforms(&Cluster::start());
}
