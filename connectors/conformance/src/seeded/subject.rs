//! The seeded connector as a subject of the suite.

use super::client::connector;
use super::company::{company, large};
use super::flaw::Flaw;
use super::server::{Account, Server};
use super::world::World;
use crate::subject::{Answer, Facts, Network, Scene, SetUp, Subject, Trust};
use lastkey_contract::{Connector, Fact, Kind};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

const TOKEN: &str = "canary-token-of-the-reader";
const FEW: &str = "canary-token-that-sees-little";
const MANY: &str = "canary-token-that-may-write";
const WRONG: &str = "canary-token-that-is-wrong";
const SYSTEM: &str = "seeded";

/// The seeded connector, well-made or with a flaw.
pub struct Seeded {
    server: Arc<Server>,
    flaw: Flaw,
}

impl Seeded {
    /// Starts its server.
    pub fn start(flaw: Flaw) -> io::Result<Seeded> {
        Ok(Seeded {
            server: Arc::new(served(company(SYSTEM), None)?),
            flaw,
        })
    }

    fn set_up(&self, server: Arc<Server>, token: &str, expected: Facts) -> SetUp {
        let kinds: Vec<Kind> = expected.keys().copied().collect();
        let reads = connector(server.address(), server.ca_pem(), token, kinds, self.flaw);
        let log = Arc::clone(&server);
        SetUp {
            secrets: vec![token.to_owned()],
            writes: Some(Box::new(move || log.writes())),
            lives: Box::new(server),
            ..SetUp::new(reads, expected)
        }
    }

    fn answer(&self, scene: Scene) -> io::Result<SetUp> {
        let here = || Arc::clone(&self.server);
        let set = company(SYSTEM);
        Ok(match scene {
            Scene::Seeded => self.set_up(here(), TOKEN, set),
            Scene::WrongSecret => self.set_up(here(), WRONG, set),
            Scene::TooFewRights => self.set_up(here(), FEW, set),
            Scene::ExcessRights => self.set_up(here(), MANY, set),
            Scene::Empty => {
                let nothing: Facts = Kind::ALL.map(|kind| (kind, Vec::new())).into();
                self.set_up(Arc::new(served(nothing.clone(), None)?), TOKEN, nothing)
            }
            Scene::Large { records, bytes } => {
                let set: Facts = [(Kind::Identity, large(records, bytes))].into();
                self.set_up(Arc::new(served(set.clone(), None)?), TOKEN, set)
            }
            Scene::Clipped => self.set_up(Arc::new(served(set.clone(), Some(3))?), TOKEN, set),
            Scene::Changing => {
                let server = Arc::new(served(set.clone(), None)?);
                let changes = Arc::clone(&server);
                let mut set_up = self.set_up(server, TOKEN, set);
                set_up.change = Some(Box::new(move || changes.change(changed)));
                set_up
            }
        })
    }
}

/// Someone comes, someone is renamed, the first and the last go; an account is switched off.
fn changed(world: &mut World) {
    let facts = world.facts();
    let people = facts.get(&Kind::Identity).cloned().unwrap_or_default();
    for gone in [people.first(), people.last()].into_iter().flatten() {
        world.remove(Kind::Identity, &gone.key());
    }
    if let Some(Fact::Identity(person)) = people.get(2) {
        let mut renamed = person.clone();
        renamed.display_name = Some("Renamed".to_owned());
        world.put(Fact::Identity(renamed.clone()));
        renamed.id = "new".into();
        world.put(Fact::Identity(renamed));
    }
    if let Some(Fact::Account(account)) = facts.get(&Kind::Account).and_then(|all| all.get(1)) {
        let mut off = account.clone();
        off.enabled = Some(false);
        off.name = Some("off".to_owned());
        world.put(Fact::Account(off));
    }
}

fn served(facts: Facts, cut: Option<usize>) -> io::Result<Server> {
    let read: Vec<String> = Kind::ALL
        .iter()
        .map(|kind| format!("read:{kind}"))
        .collect();
    let but_credentials = read.iter().filter(|right| *right != "read:credential");
    let few = but_credentials.cloned().collect();
    let mut many = read.clone();
    many.push("write:account".to_owned());
    let account = |token, rights| Account { token, rights };
    let accounts = vec![account(TOKEN, read), account(FEW, few), account(MANY, many)];
    Server::start(World::new(facts), accounts, cut)
}

/// A server that does not start is a connector that cannot be had.
impl Subject for Seeded {
    fn name(&self) -> String {
        "seeded".to_owned()
    }

    fn server(&self) -> String {
        "its own, in memory".to_owned()
    }

    fn scene(&self, scene: Scene) -> Answer {
        match self.answer(scene) {
            Ok(set_up) => Answer::Here(set_up),
            Err(error) => Answer::NotRun(crate::outcome::Missing {
                server: "seeded".to_owned(),
                why: format!("its server does not start: {error}"),
            }),
        }
    }

    fn network(&self) -> Network {
        Network::Http(self.server.upstream())
    }

    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector> {
        let ca_pem = match trust {
            Trust::Server => self.server.ca_pem(),
            Trust::Pem(pem) => pem,
        };
        connector(at, ca_pem, TOKEN, Kind::ALL.to_vec(), self.flaw)
    }
}
