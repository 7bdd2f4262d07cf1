//! An AWS account, against a contract server of our own: the day of last use, which a read changes, and
//! lists longer than moto's can be told there. What moto checks, keys and policies above all, is in
//! `tests/tests/aws`.
//!
//! What must be read is read once in whole pages before the cases, and held line by line by the tests in
//! `tests/tests/aws`.

use crate::whole::{Authorities, read_whole};
use lastkey_conformance::proxy::Upstream;
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust, odd_texts};
use lastkey_contract::{Connector, Secret, Settings};
use lastkey_tests::labs::{AwsContract, AwsPlan};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

const KEY: &str = "AKIAREADER0000000000";
const SECRET: &str = "canary-of-the-secret-key-51c2";

pub struct Account {
    lab: Arc<AwsContract>,
    expected: Facts,
    authorities: Authorities,
}

fn connector(lab: &AwsContract, key: &str, more: &[(&str, &str)]) -> Box<dyn Connector> {
    let (endpoint, ca) = (lab.endpoint(), lab.ca_path().display().to_string());
    let own = [
        ("system", "aws-lab"),
        ("access_key_id", key),
        ("regions", "eu-west-1"),
        ("endpoint", endpoint.as_str()),
        ("ca_file", ca.as_str()),
    ];
    let mut settings = Settings::default();
    for (name, value) in own.iter().chain(more) {
        settings.0.insert((*name).to_owned(), (*value).to_owned());
    }
    lastkey_aws::configure(&settings, Some(Secret::new(SECRET.to_owned()))).unwrap()
}

/// An account with the odd texts of the suite as tags, whose first user is the reader.
fn seeded() -> AwsPlan {
    let script = lastkey_aws::scripts(&Settings::default()).remove(0);
    let policy: Value = serde_json::from_str(&script.text).unwrap();
    let texts = odd_texts().into_iter().enumerate();
    let tags = texts.map(|(number, (_, text))| (format!("odd-{number}"), json!(text)));
    AwsPlan::of(5, &[])
        .with("policy", policy)
        .with("roles", json!(["builder", "runner"]))
        .with("tags", Value::Object(tags.collect()))
}

fn set_up(lab: &Arc<AwsContract>, key: &str, facts: Facts) -> SetUp {
    let log = Arc::clone(lab);
    SetUp {
        secrets: vec![SECRET.to_owned()],
        writes: Some(Box::new(move || log.writes())),
        lives: Box::new(Arc::clone(lab)),
        ..SetUp::new(connector(lab, key, &[]), facts)
    }
}

fn of(plan: &AwsPlan) -> (Arc<AwsContract>, Facts) {
    let lab = Arc::new(AwsContract::start(plan));
    let facts = read_whole(connector(&lab, KEY, &[]));
    (lab, facts)
}

impl Account {
    pub fn start() -> Account {
        let (lab, expected) = of(&seeded());
        Account {
            lab,
            expected,
            authorities: Authorities::new(),
        }
    }
}

/// An account that loses its first user and its last role.
fn changing() -> SetUp {
    let (lab, facts) = of(&seeded());
    let changed = Arc::clone(&lab);
    SetUp {
        change: Some(Box::new(move || {
            let users = ["user-1", "user-2", "user-3", "user-4", "user-9"];
            let after = seeded()
                .with("users", json!(users))
                .with("roles", json!(["builder"]))
                .with("tags", json!({ "changed": "yes" }));
            changed.now(&after);
            read_whole(connector(&changed, KEY, &[]))
        })),
        ..set_up(&lab, KEY, facts)
    }
}

impl Subject for Account {
    fn name(&self) -> String {
        "aws".to_owned()
    }

    fn server(&self) -> String {
        "a contract server of our own, by AWS's documentation".to_owned()
    }

    fn scene(&self, scene: Scene) -> Answer {
        Answer::Here(match scene {
            Scene::Seeded => set_up(&self.lab, KEY, self.expected.clone()),
            Scene::WrongSecret => set_up(&self.lab, "AKIAINACTIVE00000000", Facts::new()),
            Scene::TooFewRights => {
                let plan = AwsPlan::of(5, &[("*", "denied")]);
                set_up(&Arc::new(AwsContract::start(&plan)), KEY, Facts::new())
            }
            Scene::ExcessRights => {
                let all = json!({ "Version": "2012-10-17", "Statement":
                    [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
                let (lab, facts) = of(&seeded().with("policy", all));
                set_up(&lab, KEY, facts)
            }
            Scene::Clipped => {
                let plan = AwsPlan::of(5, &[("ListMFADevices", "denied")]);
                set_up(&Arc::new(AwsContract::start(&plan)), KEY, Facts::new())
            }
            Scene::Empty => {
                let (lab, facts) = of(&AwsPlan::of(0, &[]));
                set_up(&lab, KEY, facts)
            }
            Scene::Large { records, bytes } => {
                let plan = AwsPlan::of(1, &[]);
                let plan = plan
                    .with("people", json!(records))
                    .with("bytes", json!(bytes));
                set_up(&Arc::new(AwsContract::start(&plan)), KEY, Facts::new())
            }
            Scene::Changing => changing(),
        })
    }

    fn network(&self) -> Network {
        Network::Http(Upstream::Tls {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.lab.port())),
            ca_pem: std::fs::read_to_string(self.lab.ca_path()).unwrap(),
        })
    }

    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector> {
        let ca = match trust {
            Trust::Server => self.lab.ca_path(),
            Trust::Pem(pem) => self.authorities.file(pem),
        };
        let endpoint = format!("https://{at}");
        let ca = ca.display().to_string();
        connector(&self.lab, KEY, &[("endpoint", &endpoint), ("ca_file", &ca)])
    }
}

#[test]
fn aws_conforms() {
    crate::conforms(&Account::start());
}
