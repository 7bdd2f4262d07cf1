//! PostgreSQL, against a real server.
//!
//! The server numbers its roles itself, so that what must be read cannot be checked in: it is read
//! once in whole pages before the cases, and held against what was put in by the tests in
//! `tests/tests/postgresql`, object by object.

use crate::whole::{Authorities, read_whole};
use lastkey_conformance::{Answer, Facts, Network, Scene, SetUp, Subject, Trust, odd_texts};
use lastkey_contract::{Connector, Secret, Settings};
use lastkey_tests::labs::PostgreSql;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const CANARY: &str = "canary-password-of-a-person";

#[derive(Clone, Copy)]
struct Login {
    name: &'static str,
    password: &'static str,
}
const READER: Login = Login {
    name: "lastkey",
    password: "reader-canary-Trombone-77",
};
const BLIND: Login = Login {
    name: "blind",
    password: "blind-canary-Lantern-42",
};
const BOSS: Login = Login {
    name: "boss",
    password: "boss-canary-Xylophone-13",
};

/// Who leaves in the matrix of faults.
pub const LEAVER: &str = "quinn";

pub struct Postgresql {
    lab: Arc<Server>,
    authorities: Authorities,
    expected: Facts,
}

/// A server with people at work in it.
struct Server {
    lab: PostgreSql,
    at_work: Vec<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.at_work {
            let _gone_already = child.kill();
            let _gone_already = child.wait();
        }
    }
}

fn settings(port: u16, ca: &Path, login: Login) -> Settings {
    let pairs = [
        ("address", "127.0.0.1".to_owned()),
        ("port", port.to_string()),
        ("ca_file", ca.display().to_string()),
        ("system", "corp-db".to_owned()),
        ("username", login.name.to_owned()),
        ("timeout", "20".to_owned()),
    ];
    Settings(pairs.map(|(key, value)| (key.to_owned(), value)).into())
}

fn connector(port: u16, ca: &Path, login: Login) -> Box<dyn Connector> {
    let secret = Secret::new(login.password.to_owned());
    lastkey_postgresql::configure(&settings(port, ca, login), Some(secret)).unwrap()
}

/// Somebody who begins to work.
pub fn works(lab: &PostgreSql, role: &str, what: &str) -> Child {
    Command::new("psql")
        .args(["-XAtq", "-h", &lab.folder(), "-p", &lab.port().to_string()])
        .args(["-U", role, "-d", "postgres", "-c", what])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Server {
    /// A server with the login that reads, made by the connector's own script.
    fn bare() -> Server {
        let lab = PostgreSql::start("");
        let settings = settings(lab.port(), &lab.ca_path(), READER);
        lab.sql(&lastkey_postgresql::scripts(&settings)[0].text);
        lab.sql(&format!(
            "ALTER ROLE lastkey PASSWORD '{}'",
            READER.password
        ));
        Server {
            lab,
            at_work: Vec::new(),
        }
    }

    /// The same with people, groups and sessions.
    fn company() -> Server {
        let mut server = Server::bare();
        let lab = &server.lab;
        for (n, (_, text)) in (1..).zip(odd_texts()) {
            lab.sql_file(&format!(
                "CREATE ROLE p{n} LOGIN PASSWORD '{CANARY}-{n}'; COMMENT ON ROLE p{n} IS '{}'",
                text.replace('\'', "''")
            ));
        }
        lab.sql(&format!(
            "CREATE ROLE \"O'Brien \"\"Bo\"\" <b>\" LOGIN VALID UNTIL '2030-01-01';
             CREATE ROLE ops; CREATE ROLE staff; GRANT staff TO ops; GRANT ops TO p1, p2;
             CREATE SCHEMA pay; GRANT USAGE ON SCHEMA pay TO ops;
             CREATE TABLE pay.\"Bücher, 'alt' <b>\" (id int, card text);
             GRANT SELECT ON ALL TABLES IN SCHEMA pay TO ops; GRANT UPDATE (card) ON pay.\"Bücher, 'alt' <b>\" TO p3;
             CREATE FUNCTION pay.up() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
             ALTER DEFAULT PRIVILEGES FOR ROLE p1 IN SCHEMA pay GRANT SELECT ON TABLES TO staff;
             CREATE ROLE quinn LOGIN PASSWORD '{CANARY}'; CREATE ROLE blind LOGIN PASSWORD '{}'; CREATE ROLE boss SUPERUSER LOGIN PASSWORD '{}'",
            BLIND.password, BOSS.password
        ));
        for role in ["p1", "p2", "p3", "p4", "p5"] {
            server.sits_down(role);
        }
        server
    }

    fn sits_down(&mut self, role: &str) {
        let lab = &self.lab;
        self.at_work.push(works(lab, role, "SELECT pg_sleep(3600)"));
        let active = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND state = 'active'"
        );
        lab.await_that(&active, |count| count != "0");
    }

    /// What the reader wrote, as the server's own log has it.
    fn writes(&self) -> Vec<String> {
        const WORDS: [&str; 7] = [
            "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "DROP ", "GRANT ",
        ];
        let log = self.lab.log();
        let of_the_reader = log.lines().filter(|l| l.starts_with("lastkey@lastkey "));
        of_the_reader
            .filter(|line| WORDS.iter().any(|word| line.contains(word)))
            .map(str::to_owned)
            .collect()
    }

    fn read_all(&self) -> Facts {
        read_whole(connector(self.lab.port(), &self.lab.ca_path(), READER))
    }
}

fn set_up(server: Arc<Server>, login: Login, facts: Facts) -> SetUp {
    let log = Arc::clone(&server);
    let connector = connector(server.lab.port(), &server.lab.ca_path(), login);
    SetUp {
        secrets: vec![
            login.password.to_owned(),
            CANARY.to_owned(),
            "SCRAM-SHA-256$".to_owned(),
        ],
        writes: Some(Box::new(move || log.writes())),
        lives: Box::new(server),
        ..SetUp::new(connector, facts)
    }
}

/// Answers the question for TLS with yes, as PostgreSQL does, and passes everything on.
fn says_yes(to: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut question = [0u8; 8];
            let Ok(server) = TcpStream::connect(to) else {
                continue;
            };
            if client.read_exact(&mut question).is_err() || client.write_all(b"S").is_err() {
                continue;
            }
            let ways = [
                (client.try_clone(), server.try_clone()),
                (server.try_clone(), client.try_clone()),
            ];
            for (from, to) in ways {
                let (Ok(mut from), Ok(mut to)) = (from, to) else {
                    continue;
                };
                std::thread::spawn(move || {
                    let _ended = std::io::copy(&mut from, &mut to);
                    let _gone_already = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    port
}

impl Postgresql {
    pub fn start() -> Postgresql {
        let server = Server::company();
        Postgresql {
            expected: server.read_all(),
            lab: Arc::new(server),
            authorities: Authorities::new(),
        }
    }

    pub fn lab(&self) -> &PostgreSql {
        &self.lab.lab
    }

    /// The reader, with other settings.
    pub fn reader(&self, extra: &[(&str, &str)]) -> Box<dyn Connector> {
        let server = &self.lab.lab;
        let mut settings = settings(server.port(), &server.ca_path(), READER);
        for (key, value) in extra {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        let secret = Secret::new(READER.password.to_owned());
        lastkey_postgresql::configure(&settings, Some(secret)).unwrap()
    }
}

impl Subject for Postgresql {
    fn name(&self) -> String {
        "postgresql".to_owned()
    }

    fn server(&self) -> String {
        // `postgres (PostgreSQL) 15.10 (Debian 15.10-0)`
        let version = PostgreSql::version();
        let number = version.split(' ').nth(2).unwrap_or_default();
        format!("PostgreSQL {number}")
    }

    fn scene(&self, scene: Scene) -> Answer {
        let here = || Arc::clone(&self.lab);
        Answer::Here(match scene {
            Scene::Seeded => set_up(here(), READER, self.expected.clone()),
            Scene::WrongSecret => {
                let wrong = Login {
                    password: "canary-wrong-password",
                    ..READER
                };
                set_up(here(), wrong, Facts::new())
            }
            Scene::TooFewRights => set_up(here(), BLIND, Facts::new()),
            Scene::ExcessRights => set_up(here(), BOSS, self.expected.clone()),
            Scene::Empty => {
                let server = Server::bare();
                let facts = server.read_all();
                set_up(Arc::new(server), READER, facts)
            }
            Scene::Large { records, bytes } => {
                let server = Server::bare();
                server.lab.sql(&format!(
                    "DO $$ BEGIN FOR n IN 1..{records} LOOP
                     EXECUTE format('CREATE ROLE r%s LOGIN', n);
                     EXECUTE format('COMMENT ON ROLE r%s IS %L', n, repeat('x', {bytes}));
                     END LOOP; END $$"
                ));
                set_up(Arc::new(server), READER, Facts::new())
            }
            Scene::Clipped => return Answer::NotApplicable("PostgreSQL cuts no answer"),
            Scene::Changing => {
                let server = Arc::new(Server::company());
                let changing = Arc::clone(&server);
                let facts = server.read_all();
                let mut set_up = set_up(server, READER, facts);
                // The very first role is the server's own, and stays.
                set_up.change = Some(Box::new(move || {
                    changing.lab.sql(
                        "DROP ROLE boss; DROP ROLE p6; CREATE ROLE new LOGIN;
                         COMMENT ON ROLE p3 IS 'Renamed'; REVOKE ops FROM p2",
                    );
                    changing.read_all()
                }));
                set_up
            }
        })
    }

    fn network(&self) -> Network {
        Network::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, self.lab.lab.port())))
    }

    fn through(&self, at: SocketAddr, trust: Trust<'_>) -> Box<dyn Connector> {
        match trust {
            Trust::Server => connector(at.port(), &self.lab.lab.ca_path(), READER),
            // What shows bad certificates speaks TLS and nothing else.
            Trust::Pem(pem) => connector(says_yes(at), &self.authorities.file(pem), READER),
        }
    }
}

#[test]
fn postgresql_conforms() {
    crate::conforms(&Postgresql::start());
}
