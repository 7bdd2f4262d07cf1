//! Rights on what a database holds: gathered by schema, held against the server's own answers.

use super::{PASSWORD, accounts, connector, facts, grants, named, read, run, settings, start};
use lastkey_contract::facts::{Attributes, Grant, PrincipalType};
use lastkey_contract::{Fact, Kind};
use lastkey_tests::dice::Dice;
use lastkey_tests::labs::PostgreSql;
use std::collections::{BTreeMap, BTreeSet};

/// The attributes of a grant, by holder and entitlement.
fn by_holder(grants: &[Grant]) -> BTreeMap<(String, String), Attributes> {
    grants
        .iter()
        .map(|grant| {
            let kind = match grant.principal.kind {
                PrincipalType::Account => "",
                PrincipalType::Entitlement => "*",
            };
            let holder = format!("{kind}{}", grant.principal.id);
            let key = (holder, grant.entitlement_id.as_str().to_owned());
            (key, grant.attributes.clone())
        })
        .collect()
}

#[test]
fn rights_on_what_a_schema_holds_are_told_with_how_many_and_which() {
    let lab = start();
    lab.sql(
        "CREATE ROLE ann LOGIN; CREATE ROLE ops; CREATE ROLE boss SUPERUSER; CREATE ROLE dev LOGIN;
         GRANT ops TO ann; CREATE SCHEMA pay AUTHORIZATION dev;
         CREATE TABLE pay.orders (id int, card text); CREATE TABLE pay.items (id int);
         CREATE VIEW pay.open AS SELECT 1; CREATE SEQUENCE pay.numbers;
         GRANT SELECT ON pay.orders, pay.open TO ops; GRANT SELECT ON pay.items TO PUBLIC;
         GRANT UPDATE (card) ON pay.orders TO ann;
         GRANT USAGE ON SEQUENCE pay.numbers TO ann WITH GRANT OPTION;
         CREATE FUNCTION pay.plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION pay.up(n int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT n';
         ALTER FUNCTION pay.up(int) OWNER TO boss;
         GRANT EXECUTE ON FUNCTION pg_read_file(text) TO ann; GRANT SELECT ON pg_authid TO ops;
         ALTER DEFAULT PRIVILEGES FOR ROLE dev IN SCHEMA pay GRANT SELECT ON TABLES TO ops;
         ALTER DEFAULT PRIVILEGES FOR ROLE dev GRANT USAGE ON SEQUENCES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES FOR ROLE dev GRANT CREATE ON SCHEMAS TO ann WITH GRANT OPTION",
    );
    let connector = connector(&lab, &[]);
    let accounts = accounts(connector.as_ref());
    let id = |name: &str| named(&accounts, name).id.as_str().to_owned();
    let held = by_holder(&grants(connector.as_ref()));
    let says = |holder: String, entitlement: &str| -> Vec<(String, String)> {
        let found = held.get(&(holder.clone(), entitlement.to_owned()));
        let found = found.unwrap_or_else(|| panic!("{holder} holds no {entitlement}: {held:?}"));
        found.clone().into_iter().collect()
    };
    let on = |names: &str, count: &str| {
        [("count", count), ("on", names)].map(|(k, v)| (k.to_owned(), v.to_owned()))
    };
    let ops = format!("*role/{}", id("ops"));
    let tables = "tables/postgres/pay/SELECT";
    assert_eq!(says(ops.clone(), tables), on("open\norders", "2"));
    assert_eq!(says("*public".to_owned(), tables), on("items", "1"));
    let owner = says(id("postgres"), tables);
    assert_eq!(owner, on("items\nopen\norders", "3"), "an owner's own");
    let card = says(id("ann"), "columns/postgres/pay/UPDATE");
    assert_eq!(card, on("orders.card", "1"));
    let numbers = says(id("ann"), "sequences/postgres/pay/USAGE");
    assert_eq!(numbers[1], ("may_pass_on".to_owned(), "yes".to_owned()));
    // A function that acts as its owner; what acts as its caller gives nothing.
    let up = says("*public".to_owned(), "functions/postgres/pay/EXECUTE");
    assert_eq!(up, on("up(n integer)", "1"));
    // Of the server's own things only what was given beyond what it came with.
    let file = says(id("ann"), "functions/postgres/pg_catalog/EXECUTE");
    assert_eq!(file, on("pg_read_file(text)", "1"));
    let hashes = says(ops.clone(), "tables/postgres/pg_catalog/SELECT");
    assert_eq!(hashes, on("pg_authid", "1"));
    // Default privileges.
    let dev = id("dev");
    assert_eq!(
        says(ops, &format!("default/postgres/{dev}/pay/tables/SELECT")),
        []
    );
    let sequences = format!("default/postgres/{dev}/*/sequences/USAGE");
    assert_eq!(says("*public".to_owned(), &sequences), []);
    let schemas = says(
        id("ann"),
        &format!("default/postgres/{dev}/*/schemas/CREATE"),
    );
    assert_eq!(schemas, [("may_pass_on".to_owned(), "yes".to_owned())]);
    // The database's owner is a member of the role that owns its schema public.
    let owner = lab.sql("SELECT oid FROM pg_roles WHERE rolname = 'pg_database_owner'");
    says(id("postgres"), &format!("role/{owner}"));

    // What leads to more is privileged, and everything that is held is told of.
    let privileged: BTreeMap<String, bool> = facts(connector.as_ref(), Kind::Entitlement, 9)
        .into_iter()
        .map(|fact| match fact {
            Fact::Entitlement(e) => (e.id.as_str().to_owned(), e.privileged.unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    for (entitlement, weighs) in [
        (tables, false),
        ("functions/postgres/pay/EXECUTE", true),
        ("functions/postgres/pg_catalog/EXECUTE", true),
        ("tables/postgres/pg_catalog/SELECT", true),
        (sequences.as_str(), false),
    ] {
        assert_eq!(privileged[entitlement], weighs, "{entitlement}");
    }
    for (_, entitlement) in held.keys() {
        assert!(privileged.contains_key(entitlement), "{entitlement}");
    }
}

/// Whom a role is, by memberships: itself, and every role that it is in.
fn whole(lab: &PostgreSql, role: &str) -> BTreeSet<String> {
    let sql = format!(
        "WITH RECURSIVE up (oid) AS (SELECT '{role}'::regrole::oid UNION
         SELECT m.roleid FROM pg_auth_members m JOIN up ON m.member = up.oid)
         SELECT oid FROM up"
    );
    lab.sql(&sql).lines().map(str::to_owned).collect()
}

#[test]
fn rights_are_those_that_the_server_itself_answers() {
    let lab = start();
    let mut dice = Dice::of(7);
    let roles = ["r0", "r1", "r2", "r3", "r4"];
    let tables = ["t0", "t1", "t2", "t3", "t4", "t5"];
    let mut sql = String::from("CREATE SCHEMA s; CREATE ROLE own;");
    for role in roles {
        sql.push_str(&format!("CREATE ROLE {role} LOGIN;"));
    }
    for table in tables {
        sql.push_str(&format!("CREATE TABLE s.{table} (c int);"));
    }
    sql.push_str("ALTER TABLE s.t5 OWNER TO own; GRANT r1 TO r0; GRANT r2 TO r1; GRANT own TO r4;");
    let privileges = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"];
    for _ in 0..40 {
        let pick = |dice: &mut Dice, from: &[&str]| {
            let at = dice.below(from.len() as u64);
            from[usize::try_from(at).unwrap()].to_owned()
        };
        let may = pick(&mut dice, &privileges);
        let table = pick(&mut dice, &tables);
        let to = pick(&mut dice, &["r0", "r1", "r2", "r3", "r4", "own", "PUBLIC"]);
        let word = match dice.below(4) {
            0 => format!("REVOKE {may} ON s.{table} FROM {to};"),
            _ => format!("GRANT {may} ON s.{table} TO {to};"),
        };
        sql.push_str(&word);
    }
    lab.sql(&sql);
    let connector = connector(&lab, &[]);
    let held = by_holder(&grants(connector.as_ref()));
    let mut asked = 0;
    for role in roles {
        let me = whole(&lab, role);
        for may in privileges {
            let entitlement = format!("tables/postgres/s/{may}");
            // An account holds by itself; through the roles that it is in, and PUBLIC.
            let mut mine: BTreeSet<String> = BTreeSet::new();
            let holders = me
                .iter()
                .flat_map(|oid| [oid.clone(), format!("*role/{oid}")]);
            for holder in holders.chain(["*public".to_owned()]) {
                if let Some(attributes) = held.get(&(holder, entitlement.clone())) {
                    mine.extend(attributes["on"].lines().map(str::to_owned));
                }
            }
            for table in tables {
                let sql = format!("SELECT has_table_privilege('{role}', 's.{table}', '{may}')");
                let server = lab.sql(&sql) == "t";
                assert_eq!(mine.contains(table), server, "{role} {may} {table}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 150);
}

#[test]
fn a_large_catalogue_is_no_more_lines_and_says_how_much_it_holds() {
    let lab = start();
    lab.sql(
        "CREATE ROLE ops; CREATE SCHEMA big; CREATE TABLE big.t0 (); GRANT SELECT ON big.t0 TO ops",
    );
    let count = |lab: &PostgreSql| {
        let connector = connector(lab, &[]);
        let of = |kind| facts(connector.as_ref(), kind, 5_000).len();
        (of(Kind::Entitlement), of(Kind::Grant))
    };
    let small = count(&lab);
    lab.sql(
        "DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE TABLE big.t%s ()', n); END LOOP; END $$;
         GRANT SELECT ON ALL TABLES IN SCHEMA big TO ops",
    );
    assert_eq!(count(&lab), small, "rows of 1 table and of 3,001");
    let connector = connector(&lab, &[]);
    let held = by_holder(&grants(connector.as_ref()));
    let ops = lab.sql("SELECT oid FROM pg_roles WHERE rolname = 'ops'");
    let told = &held[&(
        format!("*role/{ops}"),
        "tables/postgres/big/SELECT".to_owned(),
    )];
    assert_eq!(told["count"], "3001");
    assert_eq!(told["on"].lines().count(), 20);
}

#[test]
fn how_old_a_password_is_at_least_is_told_where_the_server_knows() {
    let mut lab = start();
    lab.sql("CREATE ROLE early LOGIN PASSWORD 'hash-canary-Lantern'");
    let changed = |lab: &PostgreSql| -> BTreeMap<String, String> {
        let connector = connector(lab, &[]);
        let all = facts(connector.as_ref(), Kind::Credential, 100).into_iter();
        all.filter_map(|fact| match fact {
            Fact::Credential(c) => {
                let at = c.attributes.get("not_changed_since")?.clone();
                Some((c.name.unwrap(), at))
            }
            other => panic!("{other:?}"),
        })
        .collect()
    };
    let remark = |lab: &PostgreSql| {
        let pages = read(connector(lab, &[]).as_ref(), Kind::Credential, 100).unwrap();
        let mut notes = pages.iter().flat_map(|page| page.notes.clone());
        notes.any(|note| note.reason.contains("how old passwords are is not told"))
    };
    assert!(changed(&lab).is_empty() && remark(&lab));
    // The right alone does not do: the server has to write it down.
    lab.sql(&lastkey_postgresql::scripts(&settings(&lab, &[]))[1].text);
    assert!(changed(&lab).is_empty() && remark(&lab));
    lab.sql("ALTER SYSTEM SET track_commit_timestamp = on");
    lab.stop();
    lab.run();
    lab.sql("CREATE ROLE late LOGIN PASSWORD 'hash-canary-Lantern'");
    let before = changed(&lab);
    let late = before
        .get("password of late")
        .expect("told of a role that came after");
    let server = lab.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24')");
    assert!(late.starts_with(&server[..10]), "{late} {server}");
    assert!(
        !before.contains_key("password of early"),
        "from before it was switched on"
    );
    assert!(!remark(&lab));
    lab.sql("SELECT pg_sleep(1.1)");
    lab.sql("ALTER ROLE late PASSWORD 'hash-canary-Trombone'");
    assert!(changed(&lab)["password of late"] > *late);
    // The right gives no hash, and is no excess.
    let told =
        lab.sql("SELECT has_column_privilege('lastkey', 'pg_authid', 'rolpassword', 'SELECT')");
    assert_eq!(told, "f");
    let report = run(connector(&lab, &[]).check()).unwrap();
    assert_eq!(report.excess_rights, []);
    assert!(!format!("{before:?}{report:?}").contains(PASSWORD));
}

#[test]
fn rules_that_ask_for_no_password_are_warned_of_where_they_may_be_read() {
    let lab = start();
    let look = |lab: &PostgreSql| run(connector(lab, &[]).check()).unwrap();
    let hidden = look(&lab);
    let says = "(pg_hba.conf) is not told";
    assert!(hidden.remarks.iter().any(|remark| remark.contains(says)));
    lab.sql(&lastkey_postgresql::scripts(&settings(&lab, &[]))[1].text);
    lab.rules("hostssl all ann 127.0.0.1/32 trust\nhostnossl all bob 127.0.0.1/32 password");
    lab.sql("SELECT pg_reload_conf()");
    let told = look(&lab).warnings;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("line 1 of pg_hba.conf lets people in without a password: `local"));
    assert!(
        told[1].contains("`hostssl all ann 127.0.0.1 trust`"),
        "{told:?}"
    );
    assert!(told[2].contains("takes passwords in clear"), "{told:?}");
}
