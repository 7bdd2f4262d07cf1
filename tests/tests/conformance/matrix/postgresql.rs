//! What happens to a database server and to a login of it: before a read, and in the middle of one.

use super::between::between;
use super::{Fault, Struck};
use crate::postgresql::{Postgresql, works};
use lastkey_contract::Connector;

type Served = &'static Postgresql;

/// A fault that SQL makes, and SQL undoes.
fn by_sql(subject: Served, name: &str, makes: &'static str, undoes: &'static str) -> Fault {
    acts(subject, name, undoes, move |subject| {
        subject.lab().sql(makes);
        subject.reader(&[])
    })
}

fn acts(
    subject: Served,
    name: &str,
    undoes: &'static str,
    act: impl FnOnce(Served) -> Box<dyn Connector> + 'static,
) -> Fault {
    Fault {
        name: name.to_owned(),
        start: Box::new(move || Struck {
            connector: act(subject),
            lift: Box::new(move || {
                if !undoes.is_empty() {
                    subject.lab().sql(undoes);
                }
            }),
            lives: Box::new(()),
        }),
    }
}

/// What a server does to its readers.
pub fn of_a_database(subject: Served) -> Vec<Fault> {
    const ENDED: &str =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lastkey'";
    const LOCKED: &str = "BEGIN; LOCK TABLE pg_catalog.pg_auth_members; SELECT pg_sleep(60)";
    let lock = |subject: Served| {
        // Its end is that of the fault, or of the server.
        let mut runs = works(subject.lab(), "postgres", LOCKED);
        std::thread::spawn(move || runs.wait());
        let locked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'
                      AND granted AND relation = 'pg_catalog.pg_auth_members'::regclass";
        subject.lab().await_that(locked, |count| count == "1");
        subject.reader(&[])
    };
    vec![
        by_sql(
            subject,
            "a role that may not log in any more",
            "ALTER ROLE lastkey NOLOGIN",
            "ALTER ROLE lastkey LOGIN",
        ),
        by_sql(
            subject,
            "a role past its date",
            "ALTER ROLE lastkey VALID UNTIL '2020-01-01'",
            "ALTER ROLE lastkey VALID UNTIL 'infinity'",
        ),
        by_sql(
            subject,
            "no connection left for it",
            "ALTER ROLE lastkey CONNECTION LIMIT 0",
            "ALTER ROLE lastkey CONNECTION LIMIT 5",
        ),
        by_sql(
            subject,
            "no time for a question",
            "ALTER ROLE lastkey SET statement_timeout = '1ms'",
            "ALTER ROLE lastkey RESET statement_timeout",
        ),
        by_sql(
            subject,
            "a list that may not be read",
            "REVOKE SELECT ON pg_catalog.pg_auth_members FROM PUBLIC",
            "GRANT SELECT ON pg_catalog.pg_auth_members TO PUBLIC",
        ),
        by_sql(
            subject,
            "a database that lets nobody in",
            "REVOKE CONNECT ON DATABASE postgres FROM lastkey, PUBLIC",
            "GRANT CONNECT ON DATABASE postgres TO lastkey, PUBLIC",
        ),
        acts(subject, "a database that is not there", "", |subject| {
            subject.reader(&[("database", "nowhere")])
        }),
        acts(subject, "a role that is not there", "", |subject| {
            subject.reader(&[("username", "nobody")])
        }),
        acts(
            subject,
            "a list that is locked",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'",
            lock,
        ),
        acts(
            subject,
            "its connection ended in the middle",
            "",
            |subject| {
                between(subject.reader(&[]), move || {
                    subject.lab().sql(ENDED);
                })
            },
        ),
        acts(
            subject,
            "a list taken away in the middle",
            "GRANT SELECT ON pg_catalog.pg_auth_members TO PUBLIC",
            |subject| {
                let takes = "REVOKE SELECT ON pg_catalog.pg_auth_members FROM PUBLIC";
                between(subject.reader(&[]), move || {
                    subject.lab().sql(takes);
                })
            },
        ),
    ]
}
