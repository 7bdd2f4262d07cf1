//! An organisation of GitHub, against a contract server: GitHub cannot be had on a machine of one's
//! own. What the server does is GitHub's documentation; that requests have the right shape is
//! proved against GitHub's own OpenAPI document (`tests/tests/github`).
//!
//! What must be read is read once in whole pages before the cases, and held line by line by the
//! connector's own tests.

#[path = "../../../connectors/github/tests/contract/mod.rs"]
#[allow(dead_code)]
mod contract;

use contract::world::World;
use contract::{APP, Behind, CLASSIC, FEW, LAST_EIGHT, MEMBER, company, deploy_key};
use contract::{connector, empty, large, put_repository, repository, settings};
use lastkey_conformance::proxy::Upstream;
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust, read_to_end};
use lastkey_contract::Connector;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub struct GitHub {
    seeded: Arc<Behind>,
    expected: Facts,
    folder: TempDir,
    authorities: Mutex<u32>,
}

const ORGANIZATION: &str = "example";

/// Everything, in whole pages, in a thread whose runtime is its own.
fn read_all(connector: Box<dyn Connector>) -> Facts {
    let reading = move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut facts = Facts::new();
            for capability in connector.capabilities() {
                let pages = read_to_end(connector.as_ref(), capability.kind, 500).await;
                let records = pages.unwrap().into_iter().flat_map(|page| page.records);
                facts.insert(capability.kind, records.collect());
            }
            facts
        })
    };
    std::thread::spawn(reading).join().unwrap()
}

/// A connector of a world of its own.
fn own(world: World, token: &str) -> (Arc<Behind>, Box<dyn Connector>) {
    let behind = Arc::new(Behind::tls(world));
    let connector = behind.connector(ORGANIZATION, token, &[]);
    (behind, connector)
}

fn set_up(behind: Arc<Behind>, token: &str, facts: Facts) -> SetUp {
    let log = Arc::clone(&behind);
    let connector = behind.connector(ORGANIZATION, token, &[]);
    SetUp {
        secrets: vec![token.to_owned(), LAST_EIGHT.to_owned()],
        writes: Some(Box::new(move || log.running.writes())),
        lives: Box::new(behind),
        ..SetUp::new(connector, facts)
    }
}

impl GitHub {
    pub fn start() -> GitHub {
        let (seeded, connector) = own(company(), APP);
        GitHub {
            seeded,
            expected: read_all(connector),
            folder: tempfile::tempdir().unwrap(),
            authorities: Mutex::new(0),
        }
    }

    /// The company with a token, in the situation of that token.
    fn by(&self, token: &str, facts: Facts) -> SetUp {
        set_up(Arc::clone(&self.seeded), token, facts)
    }
}

/// An organisation that loses its first account and its last: a member, and a deploy key.
fn changing() -> SetUp {
    let mut world = company();
    put_repository(
        &mut world,
        ORGANIZATION,
        repository(ORGANIZATION, 69, "last", "private"),
    );
    let keys = "/repos/example/last/keys";
    let both = [
        deploy_key(998, "stays", true),
        deploy_key(999, "goes", false),
    ];
    world.list(keys, both.to_vec());
    let (behind, connector) = own(world, APP);
    let facts = read_all(connector);
    let world = Arc::clone(&behind);
    let mut made = set_up(behind, APP, facts);
    made.change = Some(Box::new(move || {
        {
            let mut world = world.running.world();
            world.lists.get_mut(keys).unwrap().1.pop();
            let owners = world.lists.get_mut("/orgs/example/members?role=admin");
            owners.unwrap().1.remove(0);
        }
        read_all(world.connector(ORGANIZATION, APP, &[]))
    }));
    made
}

impl Subject for GitHub {
    fn name(&self) -> String {
        "github".to_owned()
    }

    fn server(&self) -> String {
        "a contract server of our own, by GitHub's documentation".to_owned()
    }

    fn scene(&self, scene: Scene) -> Answer {
        Answer::Here(match scene {
            Scene::Seeded => self.by(APP, self.expected.clone()),
            Scene::WrongSecret => self.by("ghp_canary0wrongTokenOfNobody0000", Facts::new()),
            Scene::TooFewRights => self.by(FEW, Facts::new()),
            Scene::ExcessRights => self.by(CLASSIC, self.expected.clone()),
            Scene::Clipped => self.by(MEMBER, Facts::new()),
            Scene::Empty => {
                let (behind, connector) = own(empty(ORGANIZATION), APP);
                set_up(behind, APP, read_all(connector))
            }
            Scene::Large { records, bytes } => {
                let (behind, _) = own(large(ORGANIZATION, records, bytes), APP);
                set_up(behind, APP, Facts::new())
            }
            Scene::Changing => changing(),
        })
    }

    fn network(&self) -> Network {
        Network::Http(Upstream::Tls {
            address: self.seeded.proxy.address(),
            ca_pem: self.seeded.ca_pem.clone(),
        })
    }

    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector> {
        let ca = match trust {
            Trust::Server => self.seeded.ca(),
            Trust::Pem(pem) => {
                let mut count = self.authorities.lock().unwrap();
                *count += 1;
                let path = self.folder.path().join(format!("{count}.pem"));
                std::fs::write(&path, pem).unwrap();
                path
            }
        };
        connector(&settings(ORGANIZATION, at, &ca, &[]), APP)
    }
}

#[test]
fn github_conforms() {
    crate::conforms(&GitHub::start());
}
