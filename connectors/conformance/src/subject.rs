//! What a connector's run puts before the suite: its connector, in each situation that a case needs.

use crate::case::Case;
use crate::outcome::{Missing, Why};
use crate::proxy::Upstream;
use lastkey_contract::{Connector, Fact, Kind};
use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Facts by kind.
pub type Facts = BTreeMap<Kind, Vec<Fact>>;

/// A connector with the server that it runs against. Servers start when they are needed and end
/// with it.
pub trait Subject: Sync {
    /// The connector's kind, and what tells its runs apart: `ldap`, `ldap-389ds`.
    fn name(&self) -> String;
    /// The server's name and version: `OpenLDAP 2.5.13`.
    fn server(&self) -> String;
    /// The connector in a situation.
    fn scene(&self, scene: Scene) -> Answer;
    /// How the server of [`Scene::Seeded`] is reached.
    fn network(&self) -> Network;
    /// The connector of [`Scene::Seeded`], told that its server is at another address.
    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector>;
    /// Why a case makes no sense for this connector, beyond what the scenes and the network say.
    fn not_applicable(&self, case: Case) -> Option<&'static str> {
        let _every = case;
        None
    }
}

/// A situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The seeded set, with the right secret and exactly the rights that the README asks for.
    /// Each kind that is read has at least four objects, and somewhere in names or attributes
    /// stand all of [`odd_texts`].
    Seeded,
    /// Nothing is there.
    Empty,
    /// So many objects of one kind, each with so many bytes of text. `SetUp::expected` may be empty.
    Large { records: u32, bytes: u32 },
    /// The seeded set, a wrong secret. The wrong secret is among `SetUp::secrets`.
    WrongSecret,
    /// The seeded set, a login that may not see all of it.
    TooFewRights,
    /// The seeded set, a login that may do more than read.
    ExcessRights,
    /// The seeded set behind a limit of the system, so that its answer is cut.
    Clipped,
    /// A set of its own that `SetUp::change` changes: objects are added, changed and removed. The
    /// first kind that is offered has at least six objects, and loses its first and its last in
    /// the order of reading.
    Changing,
}

/// The connector in a situation, or why there is none.
pub enum Answer {
    Here(SetUp),
    NotApplicable(&'static str),
    NotRun(Missing),
}

/// A connector set up.
pub struct SetUp {
    pub connector: Box<dyn Connector>,
    /// What must be read, of every kind that is offered.
    pub expected: Facts,
    /// Texts that may stand nowhere: the secret, and secrets that the system holds.
    pub secrets: Vec<String>,
    /// What the system's own log says of writes so far; None where it keeps no log.
    pub writes: Option<Box<dyn Fn() -> Vec<String> + Send + Sync>>,
    /// Of [`Scene::Changing`]: changes the system, and gives back what must be read from then on.
    pub change: Option<Box<dyn FnOnce() -> Facts + Send>>,
    /// Whatever must live as long as the case.
    pub lives: Box<dyn Any + Send>,
}

impl SetUp {
    /// A connector that must read these, with nothing else to it.
    pub fn new(connector: Box<dyn Connector>, expected: Facts) -> SetUp {
        SetUp {
            connector,
            expected,
            secrets: Vec::new(),
            writes: None,
            change: None,
            lives: Box::new(()),
        }
    }
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub enum Network {
    /// Not over a network, for this reason.
    None(&'static str),
    /// TLS over TCP, in a protocol of its own.
    Tcp(SocketAddr),
    /// HTTP.
    Http(Upstream),
}

/// Which certificates the connector is told to trust.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// That of its server: the bytes are passed on as they are.
    Server,
    /// This authority.
    Pem(&'a str),
}

impl Network {
    /// The server's address; else why there is none.
    pub(crate) fn address(&self) -> Result<SocketAddr, Why> {
        match self {
            Network::None(why) => Err(Why::NotApplicable((*why).to_owned())),
            Network::Tcp(address)
            | Network::Http(Upstream::Tls { address, .. } | Upstream::Plain { address }) => {
                Ok(*address)
            }
        }
    }

    /// The server behind HTTP; else why there is none.
    pub(crate) fn web(&self) -> Result<Upstream, Why> {
        match self {
            Network::None(why) => Err(Why::NotApplicable((*why).to_owned())),
            Network::Tcp(_) => Err(Why::NotApplicable("it does not speak HTTP".to_owned())),
            Network::Http(upstream) => Ok(upstream.clone()),
        }
    }
}

impl Answer {
    pub(crate) fn here(self) -> Result<SetUp, Why> {
        match self {
            Answer::Here(set_up) => Ok(set_up),
            Answer::NotApplicable(why) => Err(Why::NotApplicable(why.to_owned())),
            Answer::NotRun(missing) => Err(Why::NotRun(missing)),
        }
    }
}

/// Texts that a seeded set holds, with what is odd about them.
pub fn odd_texts() -> Vec<(&'static str, String)> {
    vec![
        (
            "unicode",
            "Zo\u{eb} \u{1f511} \u{3a9}mega \u{5d0}".to_owned(),
        ),
        ("quotes", "O'Brien \"Bo\" `x`".to_owned()),
        ("escapes of DNs", "Lee, Bob + Kim; <a=b> \\ #1".to_owned()),
        ("a formula", "=HYPERLINK(\"http://x\")".to_owned()),
        ("right to left", "abc\u{202e}def".to_owned()),
        ("markup", "<img src=x onerror=alert(1)>".to_owned()),
        ("64 kB", "x".repeat(64 * 1024)),
    ]
}
