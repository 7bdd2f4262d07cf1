//! The PostgreSQL connector against a real server: what it reads, what it refuses, what it needs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod living;
mod rights;

use lastkey_conformance::read_to_end;
use lastkey_contract::facts::{Account, Attributes, Grant, PrincipalType, Session};
use lastkey_contract::{
    Connector, ConnectorError, Cursor, ErrorKind, Fact, Kind, NoteKind, Page, PageRequest, Secret,
    Settings,
};
use lastkey_tests::labs::PostgreSql;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "reader-canary-Trombone-77";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn settings(lab: &PostgreSql, more: &[(&str, &str)]) -> Settings {
    let (port, ca) = (lab.port().to_string(), lab.ca_path().display().to_string());
    let pairs = [
        ("address", "127.0.0.1"),
        ("port", port.as_str()),
        ("ca_file", ca.as_str()),
        ("system", "corp-db"),
        ("username", "lastkey"),
        ("timeout", "20"),
    ];
    let all = pairs.iter().chain(more);
    Settings(
        all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

fn connector(lab: &PostgreSql, more: &[(&str, &str)]) -> Box<dyn Connector> {
    let secret = Secret::new(PASSWORD.to_owned());
    lastkey_postgresql::configure(&settings(lab, more), Some(secret)).unwrap()
}

/// A server with a login of the connector's own script.
fn start() -> PostgreSql {
    let lab = PostgreSql::start("");
    let script = &lastkey_postgresql::scripts(&settings(&lab, &[]))[0];
    lab.sql(&script.text);
    lab.sql(&format!("ALTER ROLE lastkey PASSWORD '{PASSWORD}'"));
    lab
}

fn read(connector: &dyn Connector, kind: Kind, limit: u32) -> Result<Vec<Page>, ConnectorError> {
    run(read_to_end(connector, kind, limit))
}

fn facts(connector: &dyn Connector, kind: Kind, limit: u32) -> Vec<Fact> {
    let pages = read(connector, kind, limit).unwrap();
    pages.into_iter().flat_map(|page| page.records).collect()
}

fn accounts(connector: &dyn Connector) -> Vec<Account> {
    let facts = facts(connector, Kind::Account, 100).into_iter();
    facts
        .map(|fact| match fact {
            Fact::Account(account) => account,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn named<'a>(accounts: &'a [Account], name: &str) -> &'a Account {
    let found = accounts.iter().find(|a| a.name.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("{name} in {accounts:?}"))
}

fn grants(connector: &dyn Connector) -> Vec<Grant> {
    let facts = facts(connector, Kind::Grant, 7).into_iter();
    facts
        .map(|fact| match fact {
            Fact::Grant(grant) => grant,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn sessions(connector: &dyn Connector) -> Vec<Session> {
    let facts = facts(connector, Kind::Session, 100).into_iter();
    facts
        .map(|fact| match fact {
            Fact::Session(session) => session,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Somebody at work; ends when dropped.
struct AtWork(Child);

impl AtWork {
    fn as_role(lab: &PostgreSql, role: &str) -> AtWork {
        let child = Command::new("psql")
            .args(["-XAtq", "-h", &lab.folder(), "-p", &lab.port().to_string()])
            .args(["-U", role, "-d", "postgres", "-c", "SELECT pg_sleep(600)"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let open = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
        let deadline = Instant::now() + Duration::from_secs(20);
        while lab.sql(&open) == "0" {
            assert!(Instant::now() < deadline, "{}", lab.log());
        }
        AtWork(child)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _gone_already = self.0.wait();
    }
}

#[test]
fn roles_are_accounts() {
    let lab = start();
    lab.sql(
        "CREATE ROLE ann LOGIN VALID UNTIL '2099-12-31 12:00:00+00';
         CREATE ROLE bob LOGIN; ALTER ROLE bob NOLOGIN;
         CREATE ROLE cora LOGIN VALID UNTIL '2020-01-01 00:00:00+00';
         CREATE ROLE dan LOGIN CREATEROLE VALID UNTIL 'infinity';
         COMMENT ON ROLE dan IS 'Dan =1+1 \u{202e}x'",
    );
    let connector = connector(&lab, &[]);
    let accounts = accounts(connector.as_ref());
    let ann = named(&accounts, "ann");
    assert_eq!((ann.enabled, ann.privileged), (Some(true), Some(false)));
    assert_eq!(ann.expires_at.unwrap().to_text(), "2099-12-31T12:00:00Z");
    assert_eq!(named(&accounts, "bob").enabled, Some(false));
    assert_eq!(named(&accounts, "cora").enabled, Some(false));
    let dan = named(&accounts, "dan");
    assert_eq!((dan.enabled, dan.privileged), (Some(true), Some(true)));
    assert_eq!(dan.expires_at, None);
    let comment = Attributes::from([
        ("comment".to_owned(), "Dan =1+1 \u{202e}x".to_owned()),
        ("createrole".to_owned(), "yes".to_owned()),
    ]);
    assert_eq!(dan.attributes, comment);
    assert_eq!(named(&accounts, "postgres").privileged, Some(true));
    assert!(
        !accounts
            .iter()
            .any(|a| a.name.as_deref() == Some("pg_monitor"))
    );
    // An id stays with its role.
    lab.sql("ALTER ROLE ann RENAME TO anna");
    let after = self::accounts(connector.as_ref());
    assert_eq!(named(&after, "anna").id, ann.id);

    let passwords = facts(connector.as_ref(), Kind::Credential, 2);
    let of = |account: &Account| {
        passwords.iter().find_map(|fact| match fact {
            Fact::Credential(c) if c.account_id.as_ref() == Some(&account.id) => Some(c.clone()),
            _ => None,
        })
    };
    assert_eq!(of(ann).unwrap().enabled, None, "that it works is not told");
    assert_eq!(of(named(&accounts, "cora")).unwrap().enabled, Some(false));
}

#[test]
fn what_roles_hold() {
    let lab = start();
    lab.sql(
        "CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE ops; CREATE ROLE staff;
         GRANT staff TO ops; GRANT ops TO ann WITH ADMIN OPTION; GRANT bob TO ann;
         CREATE SCHEMA pay; GRANT USAGE ON SCHEMA pay TO ops; GRANT CREATE ON DATABASE postgres TO bob",
    );
    let connector = connector(&lab, &[]);
    let accounts = accounts(connector.as_ref());
    let id = |name: &str| named(&accounts, name).id.as_str().to_owned();
    let grants = grants(connector.as_ref());
    let holds = |kind: PrincipalType, holder: &str, entitlement: &str| {
        let found = grants.iter().find(|g| {
            g.principal.kind == kind
                && g.principal.id == holder
                && g.entitlement_id.as_str() == entitlement
        });
        found.map(|g| g.attributes.contains_key("may_pass_on"))
    };
    use PrincipalType::{Account, Entitlement};
    let role = |name: &str| format!("role/{}", id(name));
    assert_eq!(holds(Account, &id("ann"), &role("ops")), Some(true));
    assert_eq!(holds(Account, &id("ann"), &role("bob")), Some(false));
    assert_eq!(
        holds(Entitlement, &role("ops"), &role("staff")),
        Some(false)
    );
    let pay = "schema/postgres/pay/USAGE";
    assert_eq!(holds(Entitlement, &role("ops"), pay), Some(false));
    let create = "database/postgres/CREATE";
    assert_eq!(holds(Account, &id("bob"), create), Some(false));
    assert_eq!(holds(Entitlement, &role("bob"), create), Some(false));
    assert_eq!(holds(Account, &id("ann"), "public"), Some(false));
    let connect = "database/postgres/CONNECT";
    assert_eq!(holds(Entitlement, "public", connect), Some(false));
    let superuser = "attribute/superuser";
    assert_eq!(holds(Account, &id("postgres"), superuser), Some(false));
    assert_eq!(holds(Account, &id("ann"), superuser), None);
    // Whatever is held, and whoever holds, is told of.
    let told: Vec<String> = facts(connector.as_ref(), Kind::Entitlement, 3)
        .iter()
        .map(|fact| match fact {
            Fact::Entitlement(e) => e.id.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    for grant in &grants {
        assert!(
            told.iter().any(|e| e == grant.entitlement_id.as_str()),
            "{grant:?}"
        );
        if grant.principal.kind == Entitlement {
            assert!(told.contains(&grant.principal.id), "{grant:?}");
        }
    }
    let mut once = told.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), told.len(), "each once");
}

#[test]
fn a_session_of_a_dropped_role_stays_told() {
    let lab = start();
    lab.sql("CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN");
    let connector = connector(&lab, &[]);
    let before = accounts(connector.as_ref());
    let (ann, bob) = (
        named(&before, "ann").id.clone(),
        named(&before, "bob").id.clone(),
    );
    let _anns = AtWork::as_role(&lab, "ann");
    let bobs = AtWork::as_role(&lab, "bob");
    lab.sql("DROP ROLE ann");
    let open = sessions(connector.as_ref());
    assert_eq!(open.len(), 2, "our own is not among them: {open:?}");
    let of_ann = open.iter().find(|s| s.account_id == ann).unwrap();
    assert!(of_ann.started_at.is_some() && of_ann.last_seen_at.is_some());
    assert_eq!(of_ann.attributes.get("database").unwrap(), "postgres");
    assert!(
        !format!("{open:?}").contains("pg_sleep"),
        "no text of a query"
    );
    let after = accounts(connector.as_ref());
    let gone = after.iter().find(|a| a.id == ann).unwrap();
    assert_eq!((gone.name.as_deref(), gone.enabled), (None, Some(false)));
    assert_eq!(gone.attributes.get("dropped").unwrap(), "yes");
    drop(bobs);
    lab.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bob'");
    let deadline = Instant::now() + Duration::from_secs(20);
    while sessions(connector.as_ref())
        .iter()
        .any(|s| s.account_id == bob)
    {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn pages_of_every_size_give_the_same() {
    let lab = start();
    lab.sql("DO $$ BEGIN FOR n IN 1..23 LOOP EXECUTE format('CREATE ROLE r%s LOGIN', n); END LOOP; END $$");
    let connector = connector(&lab, &[]);
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ] {
        let whole = facts(connector.as_ref(), kind, 5_000);
        assert!(whole.len() > 4, "{kind:?}");
        for limit in [1, 3, 24] {
            assert_eq!(
                facts(connector.as_ref(), kind, limit),
                whole,
                "{kind:?} {limit}"
            );
        }
    }
    let odd = run(async {
        let mut session = connector.connect().await.unwrap();
        let request = PageRequest {
            cursor: Some(Cursor("elsewhere".to_owned())),
            limit: 10,
            since: None,
        };
        session.read_page(Kind::Account, request).await.unwrap_err()
    });
    assert_eq!(odd.kind, ErrorKind::CursorLost);
}

#[test]
fn rights_are_the_least_and_are_told() {
    let lab = start();
    let check = |more: &[(&str, &str)]| run(connector(&lab, more).check()).unwrap();
    let report = check(&[]);
    assert_eq!(report.signed_in_as.as_deref(), Some("lastkey"));
    assert!(report.server.unwrap().starts_with("PostgreSQL "));
    assert!(
        report.missing_rights.is_empty(),
        "{:?}",
        report.missing_rights
    );
    assert!(
        report.excess_rights.is_empty(),
        "{:?}",
        report.excess_rights
    );
    lab.sql("CREATE ROLE ann LOGIN");
    lab.sql("CREATE DATABASE other");
    let _anns = AtWork::as_role(&lab, "ann");
    lab.sql("REVOKE pg_read_all_stats FROM lastkey");
    let report = check(&[]);
    assert_eq!(report.missing_rights[0].name, "pg_read_all_stats");
    assert!(report.remarks[0].contains("other"), "{:?}", report.remarks);
    let blind = connector(&lab, &[]);
    let pages = read(blind.as_ref(), Kind::Session, 10).unwrap();
    let clipped = pages[0].notes.iter().any(|n| n.kind == NoteKind::Clipped);
    assert!(clipped && pages[0].records.len() == 1, "{pages:?}");
    lab.sql("GRANT pg_write_all_data TO lastkey; ALTER ROLE lastkey CREATEDB CREATEROLE");
    let excess: Vec<String> = check(&[])
        .excess_rights
        .into_iter()
        .map(|r| r.name)
        .collect();
    assert_eq!(
        excess,
        ["CREATEROLE", "CREATEDB", "member of pg_write_all_data"]
    );
}

#[test]
fn nothing_is_written_and_no_hash_is_asked_for() {
    let lab = start();
    lab.sql("CREATE ROLE ann LOGIN PASSWORD 'hash-canary-Lantern'");
    // Even a login that could write does not.
    lab.sql("ALTER ROLE lastkey SUPERUSER; ALTER ROLE lastkey RESET default_transaction_read_only");
    let connector = connector(&lab, &[]);
    let mark = lab.log().len();
    run(connector.check()).unwrap();
    let mut all = String::new();
    for capability in connector.capabilities() {
        all.push_str(&format!(
            "{:?}",
            read(connector.as_ref(), capability.kind, 50).unwrap()
        ));
    }
    assert!(
        !all.contains("SCRAM-SHA") && !all.contains("canary"),
        "{all}"
    );
    let log = lab.log()[mark..].to_owned();
    for word in [
        "INSERT",
        "UPDATE ",
        "DELETE",
        "CREATE ",
        "ALTER",
        "DROP",
        "rolpassword",
        "pg_shadow",
    ] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

#[track_caller]
fn says(error: &ConnectorError, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind, kind, "{error}");
    assert!(
        error.message.contains(words),
        "`{words}` is not in: {error}"
    );
    assert!(
        error.hint.is_some() && !error.message.contains(PASSWORD),
        "{error}"
    );
}

#[test]
fn trouble_is_told_in_a_sentence() {
    let mut lab = start();
    let refused =
        |lab: &PostgreSql, more: &[(&str, &str)]| run(connector(lab, more).check()).unwrap_err();
    let other = lab.other_ca_path().display().to_string();
    says(
        &refused(&lab, &[("ca_file", &other)]),
        ErrorKind::TlsUntrusted,
        "not trusted",
    );
    says(
        &refused(&lab, &[("username", "nobody")]),
        ErrorKind::AuthRejected,
        "refused",
    );
    says(
        &refused(&lab, &[("database", "none")]),
        ErrorKind::ConfigInvalid,
        "no such database",
    );
    lab.stop();
    says(
        &refused(&lab, &[]),
        ErrorKind::Unavailable,
        "cannot be reached",
    );
}
