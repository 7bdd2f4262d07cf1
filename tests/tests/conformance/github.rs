//! An organisation of GitHub, against a contract server: GitHub cannot be had on a machine of one's
//! own. What the server does is GitHub's documentation; that requests have the right shape is
//! proved against GitHub's own OpenAPI document (`tests/tests/github`).
//!
//! What must be read is read once in whole pages before the cases, and held line by line by the
//! connector's own tests.

#[path = "../../../connectors/github/tests/contract/mod.rs"]
#[allow(dead_code)]
mod contract;

use crate::whole::{Authorities, read_to_the_end};
use contract::world::World;
use contract::{APP, Behind, CLASSIC, FEW, LAST_EIGHT, MEMBER, company, deploy_key};
use contract::{connector, empty, large, put_repository, repository, settings, user};
use lastkey_conformance::proxy::Upstream;
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust};
use lastkey_contract::Connector;
use std::net::SocketAddr;
use std::sync::Arc;

/// Who leaves in the matrix of faults: a member who can change no workflow.
pub const LEAVER: &str = "quinn";

/// The company, with somebody who is a member and nothing more.
fn seeded() -> World {
    let mut world = company();
    let members = "/orgs/example/members?role=member";
    let (_, list) = world.lists.get_mut(members).unwrap();
    list.push(user(99, LEAVER));
    world
}

/// A path without the name of the one object that it is about.
pub fn shape(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut before = "";
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| {
            let named = matches!(before, "example" | "teams" | "environments" | "invitations");
            let of_a_repository = before == "example" && path.starts_with("/repos/");
            let name = match before {
                "example" => of_a_repository,
                _ => named || part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty(),
            };
            before = part;
            if name { "NAME" } else { part }
        })
        .collect();
    let kept = query.split('&').filter(|pair| {
        !["per_page=", "page=", "after=", "cursor="]
            .iter()
            .any(|start| pair.starts_with(start))
    });
    let query: Vec<&str> = kept.filter(|pair| !pair.is_empty()).collect();
    format!("{} {}", parts.join("/"), query.join("&"))
        .trim_end()
        .to_owned()
}

pub struct GitHub {
    seeded: Arc<Behind>,
    expected: Facts,
    authorities: Authorities,
}

const ORGANIZATION: &str = "example";

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
        let (seeded, connector) = own(seeded(), APP);
        GitHub {
            seeded,
            expected: read_to_the_end(connector),
            authorities: Authorities::new(),
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
    let facts = read_to_the_end(connector);
    let world = Arc::clone(&behind);
    let mut made = set_up(behind, APP, facts);
    made.change = Some(Box::new(move || {
        {
            let mut world = world.running.world();
            world.lists.get_mut(keys).unwrap().1.pop();
            let owners = world.lists.get_mut("/orgs/example/members?role=admin");
            owners.unwrap().1.remove(0);
        }
        read_to_the_end(world.connector(ORGANIZATION, APP, &[]))
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
                set_up(behind, APP, read_to_the_end(connector))
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
            Trust::Pem(pem) => self.authorities.file(pem),
        };
        connector(&settings(ORGANIZATION, at, &ca, &[]), APP)
    }
}

#[test]
fn github_conforms() {
    crate::conforms(&GitHub::start());
}
